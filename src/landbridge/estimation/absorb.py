"""Fixed effects as groups of rows: regressors they absorb, and zero flows that are fitted exactly.

A regressor in the span of the fixed effects has no coefficient. Iterative demeaning leaves a small remainder
of it, and dividing by that gives an arbitrary estimate, so this is checked before the estimation, by a
projection solved to 1e-13.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import lsqr

from landbridge.phrases import listed, say

__all__ = [
    "Dropped",
    "Groups",
    "collinear",
    "separated_by_groups",
    "separated_by_regressors",
    "separated_by_two_effects",
]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

# A regressor is absorbed if its remainder after projection is at most this part of it (rounding of doubles
# and of the projection is about 1e-12; real regressors of the AGTPA panel stay above 1e-2).
ABSORBED = 1e-7
_PROJECTION_TOL = 1e-13
_PROJECTION_STEPS = 20_000


@dataclass(frozen=True)
class Dropped:
    """A regressor without a coefficient, and why.

    name: of the regressor; reason: in words.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Groups:
    """Fixed effects of a sample: a name and an integer code per row for each.

    names [k]: of the fixed effects; codes [k][row]: from 0.
    """

    names: tuple[str, ...]
    codes: tuple[Codes, ...]

    def of(self, rows: Mask) -> Groups:
        """The groups of some rows [row], with new codes."""
        return Groups(self.names, tuple(recode(c[rows]) for c in self.codes))

    def levels(self) -> dict[str, int]:
        """Number of levels of each fixed effect, by name."""
        return {n: int(c.max()) + 1 if len(c) else 0 for n, c in zip(self.names, self.codes, strict=True)}

    def project(self, X: Array) -> Array:
        """X [row, k] less its least-squares fit on the indicators of all groups (or on a constant).

        Solved by conjugate gradients on the normal equations, scaled by group sizes, all columns at once.
        """
        if not self.codes:
            return np.asarray(X - X.mean(axis=0))
        D = self.indicators()
        size = np.asarray(D.sum(axis=0)).ravel()
        normal = (D.T @ D).tocsr()
        scale = 1.0 / np.sqrt(size)
        right = scale[:, None] * (D.T @ X)
        solution = np.zeros_like(right)
        residual, direction = right.copy(), right.copy()
        power = (residual**2).sum(axis=0)
        enough = _PROJECTION_TOL**2 * np.maximum(power, np.finfo(np.float64).tiny)
        for _ in range(_PROJECTION_STEPS):
            if (power <= enough).all():
                break
            image = scale[:, None] * (normal @ (scale[:, None] * direction))
            bend = (direction * image).sum(axis=0)
            # A column that has converged keeps a zero step.
            step = np.where((power > enough) & (bend > 0), power / np.where(bend > 0, bend, 1.0), 0.0)
            solution += step * direction
            residual -= step * image
            last, power = power, (residual**2).sum(axis=0)
            direction = residual + np.where(last > 0, power / np.where(last > 0, last, 1.0), 0.0) * direction
        return np.asarray(X - D @ (scale[:, None] * solution))

    def extend(self, X: Array, known: Mask) -> Array:
        """X [row, k] less its fit on the groups, where the fit is made on the known rows [row] only."""
        D = self.indicators()
        inside = X[known] - self.of(known).project(X[known])
        # Coefficients of the groups from the fitted part: consistent, so least squares recovers one set.
        solution = np.column_stack([lsqr(D[known], c, atol=1e-14, btol=1e-14)[0] for c in inside.T])
        return np.asarray(X - D @ solution)

    def indicators(self) -> sparse.csr_matrix:
        """The indicators of all levels of all groups, side by side [row, level]."""
        n = len(self.codes[0])
        offsets = np.concatenate([[0], np.cumsum([int(c.max()) + 1 for c in self.codes])])
        columns = np.stack([c + o for c, o in zip(self.codes, offsets[:-1], strict=True)], axis=1).ravel()
        pointer = np.arange(0, len(columns) + 1, len(self.codes))
        shape = (n, int(offsets[-1]))
        return sparse.csr_matrix((np.ones(len(columns)), columns, pointer), shape=shape)


def recode(codes: NDArray[np.integer]) -> Codes:
    """Codes 0, 1, 2 ... without gaps."""
    return np.asarray(np.unique(codes, return_inverse=True)[1], dtype=np.int64).ravel()


def collinear(names: Sequence[str], X: Array, groups: Groups, constant: bool) -> tuple[Mask, list[Dropped]]:
    """Which regressors keep a coefficient, in order, and why the others have none.

    names [k], X [row, k]: the regressors; groups: fixed effects; constant: whether there is one. Returns
    flags [k] and the dropped regressors.
    A regressor is dropped where it does not vary, where the fixed effects leave at most ABSORBED of its norm
    about the mean, and where the regressors kept before it leave at most ABSORBED of the rest.
    """
    keep = np.zeros(len(names), dtype=np.bool_)
    dropped: list[Dropped] = []
    if not groups.codes and not constant:
        left, size = X.copy(), np.linalg.norm(X, axis=0)
    else:
        size = np.linalg.norm(X - X.mean(axis=0), axis=0)
        size = np.maximum(size, 1e-12 * np.linalg.norm(X, axis=0))
        left = groups.project(X)
    basis: list[Array] = []
    for k, name in enumerate(names):
        if np.ptp(X[:, k]) == 0 and (X[0, k] == 0 or groups.codes or constant):
            value = f"{X[0, k]:g}"
            dropped.append(Dropped(name, say("gravity.dropped.same", value=value)))
            continue
        own = np.linalg.norm(left[:, k])
        if own <= ABSORBED * size[k]:
            dropped.append(Dropped(name, _absorbed_by(X[:, k], groups)))
            continue
        rest = left[:, k].copy()
        for _ in range(2):  # twice is enough for orthogonality to rounding
            for b in basis:
                rest -= (b @ rest) * b
        if np.linalg.norm(rest) <= ABSORBED * own:
            others = [names[int(j)] for j in np.flatnonzero(keep)]
            share = np.linalg.lstsq(left[:, keep], left[:, k], rcond=None)[0]
            weight = np.abs(share) * np.linalg.norm(left[:, keep], axis=0)
            used = [o for o, w in zip(others, weight, strict=True) if w > 1e-6 * own]
            of = tuple(used)
            effects = bool(groups.codes)
            why = say("gravity.dropped.both", of=of) if effects else say("gravity.dropped.of", of=of)
            dropped.append(Dropped(name, why))
            continue
        keep[k] = True
        basis.append(rest / np.linalg.norm(rest))
    return keep, dropped


def _absorbed_by(x: Array, groups: Groups) -> str:
    for name, codes in zip(groups.names, groups.codes, strict=True):
        size = np.bincount(codes)
        mean = np.bincount(codes, x) / size
        if np.linalg.norm(x - mean[codes]) <= 10 * ABSORBED * np.linalg.norm(x - x.mean()):
            return say("gravity.dropped.level", name=name)
    if not groups.names:
        return say("gravity.dropped.constant")
    return say("gravity.dropped.together", names=listed(groups.names))


def separated_by_groups(y: Array, groups: Groups) -> tuple[Mask, int, int]:
    """Rows that carry information: groups with a flow and more than one row, applied until nothing changes.

    y [row]: flows; groups: fixed effects. Returns flags [row] and the numbers of rows dropped because all
    flows of their group are zero, and because they are alone in a group. Neither changes a coefficient;
    ppmlhdfe counts both.
    Source: Correia, Guimaraes and Zylkin (2020), Stata Journal 20(1).
    """
    keep = np.ones(len(y), dtype=np.bool_)
    zero = alone = 0
    while True:
        before = int(keep.sum())
        for codes in groups.codes:
            flow = np.bincount(codes[keep], y[keep], minlength=int(codes.max()) + 1)
            empty = keep & (flow[codes] <= 0)
            zero += int(empty.sum())
            keep &= ~empty
        for codes in groups.codes:
            rows = np.bincount(codes[keep], minlength=int(codes.max()) + 1)
            single = keep & (rows[codes] == 1)
            alone += int(single.sum())
            keep &= ~single
        if int(keep.sum()) == before:
            return keep, zero, alone


def separated_by_two_effects(y: Array, groups: Groups) -> Mask:
    """Zero flows that the effects of two sides together fit exactly, though neither does alone, [row].

    z_ab = u_a + v_b must be zero on every positive flow, so levels connected by positive flows share one
    number k (v = -k), and a zero flow between two such components has z = k_a - k_b: an arc. Numbers with
    k_a >= k_b on all arcs exist, with > on every arc that is on no cycle; those flows are separated.
    Exact for two effects; separation by three is left to the fit.

    y [row]: flows; groups: two fixed effects.

    Source: Correia, Guimaraes and Zylkin (2019), arXiv 1903.01633, proposition 1, for the condition.
    """
    from scipy.sparse.csgraph import connected_components  # slow to load

    positive = y > 0
    rows = np.flatnonzero(~positive)
    found = np.zeros(len(y), dtype=np.bool_)
    for a, b in combinations(groups.codes, 2):
        first = int(a.max()) + 1
        size = first + int(b.max()) + 1
        ends = (a[positive], first + b[positive])
        links = sparse.coo_matrix((np.ones(len(ends[0])), ends), shape=(size, size))
        count, part = connected_components(links, directed=False)
        tail, head = part[a[rows]], part[first + b[rows]]
        arcs = sparse.coo_matrix((np.ones(len(rows)), (tail, head)), shape=(count, count))
        _, cycle = connected_components(arcs, directed=True, connection="strong")
        found[rows] |= cycle[tail] != cycle[head]
    return found


def separated_by_regressors(y: Array, X: Array, groups: Groups, constant: bool) -> Mask:
    """Zero flows that a combination of regressors fits exactly (its coefficient would be infinite), [row].

    z = X g less fixed effects, zero on every positive flow, of one sign on the zero flows: where z is not
    zero the flow is separated. Only directions without information in positive flows can separate; among
    those a linear programme finds all such rows.

    y [row]: flows; X [row, k]: regressors; groups: fixed effects; constant: whether there is one.

    Source: Correia, Guimaraes and Zylkin (2019), arXiv 1903.01633, proposition 2.
    """
    positive = y > 0
    none = np.zeros(len(y), dtype=np.bool_)
    if positive.all() or X.shape[1] == 0:
        return none
    scaled = X / np.maximum(np.linalg.norm(X, axis=0), 1e-300)
    inside = scaled[positive]
    if groups.codes:
        inside = groups.of(positive).project(inside)
    elif constant:
        inside = inside - inside.mean(axis=0)
    _, sizes, turn = np.linalg.svd(inside, full_matrices=False)
    free = turn[sizes <= ABSORBED]
    if not len(free):
        return none
    Z = scaled @ free.T
    if groups.codes:
        Z = groups.extend(Z, positive)
    elif constant:
        Z = Z - Z[positive].mean(axis=0)
    Z[np.abs(Z) < 1e-6 * np.abs(Z).max(initial=0.0)] = 0.0
    return none | _one_sign(Z, positive)


def _one_sign(Z: Array, positive: Mask) -> Mask:
    """Rows where some combination of the columns of Z is positive and none elsewhere negative."""
    from scipy.optimize import linprog

    rows = np.flatnonzero(~positive & (np.abs(Z).max(axis=1) > 0))
    found = np.zeros(len(Z), dtype=np.bool_)
    distinct = np.unique(Z[rows], axis=0)
    if not len(distinct):
        return found
    answer = linprog(
        -distinct.sum(axis=0),
        A_ub=-distinct,
        b_ub=np.zeros(len(distinct)),
        bounds=[(-1.0, 1.0)] * Z.shape[1],
        method="highs",
    )
    if answer.x is not None:
        found[rows] = Z[rows] @ answer.x > 1e-7 * np.abs(Z).max()
    return found
