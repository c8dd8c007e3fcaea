"""Solve u = step(u): Anderson acceleration, then Newton-Krylov, judged by the true residual.

The meaning of the unknowns does not matter here. `residual(u)` returns step(u) - u and whether the point is
admissible; `linearise(u)` returns du -> d step along du at that u.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

__all__ = ["Search", "anderson", "gmres", "newton_krylov"]

Array = NDArray[np.float64]
Residual = Callable[[Array], tuple[Array, bool]]
Product = Callable[[Array], Array]

# A step that would change any logarithm by more than this is shortened, so that no power overflows.
LONGEST_STEP = 2.0


@dataclass(frozen=True)
class Search:
    """The end of a search: the best point, its residual norm and the number of evaluations.

    u [u]: the point; converged: whether the norm is within the tolerance.
    """

    u: Array
    residual: float
    evaluations: int
    converged: bool


def gmres(product: Product, rhs: Array, tol: float, most: int = 200) -> tuple[Array, float, int]:
    """Solve A x = b by minimal residuals over the Krylov space, without restart.

    product: v -> A v; rhs [n]: b; tol: relative to the norm of rhs; most: iterations at most. Returns x, the
    relative residual and the number of products.

    Source: Saad and Schultz (1986), SIAM J. Sci. Stat. Comput. 7(3), with reorthogonalisation.
    """
    size = float(np.linalg.norm(rhs))
    if size == 0.0:
        return np.zeros_like(rhs), 0.0, 0
    most = min(most, len(rhs))
    V = np.empty((min(most, 24) + 1, len(rhs)))
    V[0] = rhs / size
    H = np.zeros((most + 1, most))
    cosine, sine = np.zeros(most), np.zeros(most)
    target = np.zeros(most + 1)
    target[0] = size
    k = 0
    while k < most:
        w = product(V[k])
        before = float(np.sqrt(w @ w))
        basis = V[: k + 1]
        h = basis @ w
        w = w - h @ basis
        after = float(np.sqrt(w @ w))
        if after < 0.1 * before:  # cancellation: the remainder is not orthogonal to working accuracy
            again = basis @ w
            w -= again @ basis
            h += again
            after = float(np.sqrt(w @ w))
        column = h.tolist()
        for i in range(k):
            c, s = cosine[i], sine[i]
            column[i], column[i + 1] = c * column[i] + s * column[i + 1], c * column[i + 1] - s * column[i]
        length = float(np.hypot(column[k], after))
        if length == 0.0:
            break
        cosine[k], sine[k] = column[k] / length, after / length
        column[k] = length
        H[: k + 1, k] = column
        target[k + 1] = -sine[k] * target[k]
        target[k] *= cosine[k]
        k += 1
        if abs(target[k]) <= tol * size or after <= 1e-15 * before:
            break
        if k + 1 > len(V) - 1:
            V = np.concatenate([V, np.empty((len(V), len(rhs)))])
        V[k] = w / after
    if k == 0:
        return np.zeros_like(rhs), 1.0, 1
    y = target[:k].copy()
    for i in range(k - 1, -1, -1):
        y[i] = (y[i] - H[i, i + 1 : k] @ y[i + 1 : k]) / H[i, i]
    return y @ V[:k], abs(float(target[k])) / size, k


def anderson(
    residual: Residual,
    u: Array,
    scale: Array | Product,
    tol: float,
    most: int = 150,
    memory: int = 8,
    patience: int = 25,
) -> Search:
    """Fixed-point steps u + scale * residual, each mixed with the last `memory` ones. Returns a Search.

    u [n]: the start; residual: f of a state, and whether it is valid; scale [n]: numbers, or a function of
    the residual for steps closer to Newton's. Stops when the norm of the residual is at most `tol`, after
    `most` evaluations, or when `patience` evaluations have not halved it; the caller then continues from the
    best point.

    Source: Walker and Ni (2011), SIAM J. Numer. Anal. 49(4), type II; normal equations of scaled columns.
    """
    moved: Product = scale if callable(scale) else partial(np.multiply, scale)
    size = len(u)
    # Changes of g over the last steps, and with them the steps themselves.
    dG, both = np.zeros((memory, size)), np.zeros((memory, size))
    gram, shift = np.zeros((memory, memory)), 1e-14 * np.eye(memory)
    held = slot = 0
    f, valid = residual(u)
    norm = float(np.sqrt(f @ f))
    if not np.isfinite(norm):
        return Search(u, np.inf, 1, False)
    best, least = u, norm if valid else np.inf
    mark, mark_at, count = least, 0, 1
    g = moved(f) if least > tol else f
    while least > tol and count < most:
        step = g
        if held:
            root = 1.0 / np.sqrt(gram.diagonal()[:held])
            matrix = gram[:held, :held] * root[:, None] * root + shift[:held, :held]
            step = g - np.linalg.solve(matrix, (dG[:held] @ g) * root) * root @ both[:held]
        longest = max(float(step.max()), -float(step.min()))
        if longest > LONGEST_STEP:
            step = step * (LONGEST_STEP / longest)
        new = u + step
        f, valid = residual(new)
        count += 1
        new_norm = float(np.sqrt(f @ f))
        if not np.isfinite(new_norm) or new_norm > 20.0 * least:
            # Mixing made it worse: drop the history and continue from the best point with one short plain
            # step.
            if held == 0:
                break
            u = best
            f, valid = residual(u)
            count += 1
            g = moved(f)
            held = slot = 0
            continue
        if new_norm < least and valid:
            best, least = new, new_norm
            if least <= tol:
                break
        new_g = moved(f)
        np.subtract(new_g, g, out=dG[slot])
        np.add(step, dG[slot], out=both[slot])
        held = min(held + 1, memory)
        row = dG[:held] @ dG[slot]
        if row[slot] > 0.0:
            gram[slot, :held] = row
            gram[:held, slot] = row
            slot = (slot + 1) % memory
        else:
            held = slot = 0
        u, g = new, new_g
        if least <= 0.5 * mark:
            mark, mark_at = least, count
        elif count - mark_at > patience:
            break
    return Search(best, least, count, least <= tol)


def newton_krylov(
    residual: Residual,
    linearise: Callable[[Array], Product],
    u: Array,
    scale: Array,
    tol: float,
    most: int = 30,
    fixed: int = 200,
) -> Search:
    """Newton steps with GMRES and the exact linearisation, shortened until the residual falls.

    residual: f of a state [n], and whether it is valid; linearise: returns the derivative at a point [n], as
    a function of a direction.
    Returns a Search.

    u [n]: the start; scale [n]: of the first step; tol: norm of the residual; most: steps at most; fixed:
    products at most per linear solve. The linear solves are inexact at first and tighten with the residual,
    so the last steps are quadratic.

    Source: Eisenstat and Walker (1996), SIAM J. Sci. Comput. 17(1), choice 2; backtracking on the norm.
    """
    f, valid = residual(u)
    norm = float(np.sqrt(f @ f))
    count = 1
    if norm <= tol and not valid:
        return Search(u, norm, count, False)
    forcing = 0.1
    for _ in range(most):
        if norm <= tol or not np.isfinite(norm):
            break
        derivative = linearise(u)
        count += 1

        def system(v: Array, derivative: Product = derivative) -> Array:
            return (v - derivative(v)) * scale

        step, _, used = gmres(system, f * scale, max(forcing, 0.1 * tol / norm), fixed)
        count += used
        longest = float(np.abs(step).max())
        share = min(1.0, LONGEST_STEP / longest) if longest > 0 else 1.0
        while True:
            new = u + share * step
            new_f, valid = residual(new)
            count += 1
            new_norm = float(np.sqrt(new_f @ new_f))
            if valid and np.isfinite(new_norm) and new_norm <= (1.0 - 1e-4 * share) * norm:
                break
            share *= 0.5
            if share < 1e-4:
                return Search(u, norm, count, False)
        forcing = min(0.1, max(0.9 * (new_norm / norm) ** 2, 1e-10))
        u, f, norm = new, new_f, new_norm
    return Search(u, norm, count, norm <= tol)
