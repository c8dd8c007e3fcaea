"""A two-level step: levels of whole regions are solved for jointly, single cells by passes of the equations.

Passes of the equations, u <- u + s f, quickly balance the cells of a region against each other. The level of
a whole region converges slowly: all its prices, all its spending, its wage, and the output of sectors with a
fixed factor. With Z the changes of these levels, R the means of a residual over a region weighted by spending
and J the derivative of the equations at the base,

    step(f) = s f + (1 - s (1 - J)) Z (R (1 - J) Z)^(-1) R f.

It approximates (1 - J)^(-1) in fixed-point and Krylov steps. It affects the path to a solution and not the
solution, which is judged by the residual of the equations alone.

Source: Chatelin and Miranker (1982), Linear Algebra and its Applications 43, for groups solved for together
between passes; Trottenberg, Oosterlee and Schueller (2001), Multigrid, chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # the base stores these steps, so it imports this module; not the reverse
    from landbridge.trade.economy import Array, Economy, Point
    from landbridge.trade.layout import Base

__all__ = ["Coarse", "answers", "applies", "of_base"]

# With more cells of fixed factors per region than this, these are left to the passes.
FIXED_CELLS = 4
# With more levels than this, solving for them costs more than the passes it saves.
MOST_LEVELS = 300


@dataclass(frozen=True, eq=False)
class Coarse:
    """The step of one base, closure and supply elasticity.

    scale [u]: s. weight [2, s, n]: the share of a sector in its region's mean, for prices and spending.
    solved [c, c]: (R (1 - J) Z)^(-1), spread [u, c]: (1 - s (1 - J)) Z, both without columns where only
    passes are used. quick: spread in single precision.
    """

    scale: Array
    weight: Array
    solved: Array
    spread: Array
    quick: NDArray[np.float32]

    def towards(self, f: Array) -> Array:
        """The change of a state [u] for its residual f [u], in single precision, for search steps."""
        moved = self.scale * f
        if len(self.solved):
            moved += self.quick @ (self.solved @ self._levels(f)).astype(np.float32)
        return moved

    def step(self, f: Array) -> Array:
        """The change of a state [u] for its residual f [u], in full precision, for linear solves."""
        moved = self.scale * f
        if len(self.solved):
            moved += self.spread @ (self.solved @ self._levels(f))
        return moved

    def back(self, v: Array) -> Array:
        """Transpose of `step`, v [u] to [u]."""
        out = self.scale * v
        if len(self.solved):
            levels = (v @ self.spread) @ self.solved
            cells, n = self.weight.size, self.weight.shape[2]
            of_cells = self.weight * levels[: 2 * n].reshape(2, 1, n)
            out[:cells] += of_cells.reshape(-1)
            out[cells : cells + len(levels) - 2 * n] += levels[2 * n :]
        return out

    def _levels(self, f: Array) -> Array:
        """R f [c]: means over regions, then wages and output of fixed factors."""
        cells, n = self.weight.size, self.weight.shape[2]
        out = np.empty(len(self.solved))
        means = f[:cells].reshape(self.weight.shape) * self.weight
        means.sum(axis=1, out=out[: 2 * n].reshape(2, n))
        out[2 * n :] = f[cells : cells + len(out) - 2 * n]
        return out


def _fixed_levels(base: Base) -> int:
    return len(base.fixed) if len(base.fixed) <= FIXED_CELLS * base.N else 0


def applies(base: Base) -> bool:
    """Whether the joint step for whole regions is used: more than one sector, at most MOST_LEVELS levels.

    base: the compiled trade table; levels are 3 N, plus its fixed factors if there are at most FIXED_CELLS N
    of them.
    """
    return base.S > 1 and 3 * base.N + _fixed_levels(base) <= MOST_LEVELS


def of_base(economy: Economy) -> Coarse:
    """The two-level step of the solver at the base without shock, stored with the base.

    economy: whose base it is. Returns a Coarse, plain where `applies` is false. Equation and sources: head of
    `landbridge.trade.coarse`.
    """
    base = economy.base
    key = (economy.closure, economy.supply_elasticity)
    if key not in base.coarse:
        made = _made(economy.unshocked()) if applies(base) else None
        if made is None:
            none = np.zeros((0, 0))
            made = Coarse(base.scale, none, none, none, none.astype(np.float32))
        base.coarse[key] = made
    return base.coarse[key]


def _made(economy: Economy) -> Coarse | None:
    """The step of an economy without shock; None where the levels cannot be solved for."""
    base = economy.base
    S, N, m = base.S, base.N, base.m
    last = N + _fixed_levels(base)
    count = 2 * N + last
    total = base.X_scale.sum(axis=0)
    share = base.X_scale / np.where(total > 0.0, total, 1.0)
    weight = np.stack([share, share])
    point = economy.evaluate(economy.start())
    solved, spread = np.empty((count, count)), np.empty((base.size, count))
    region = np.arange(N)
    for first in range(0, count, N):  # all columns at once would exceed the cache
        at = np.arange(first, min(first + N, count))
        Z = np.zeros((base.size, len(at)))
        if first < 2 * N:
            Z[: 2 * m].reshape(2, S, N, N)[first // N, :, region, region] = 1.0
        else:
            Z[2 * (m - N) + at, at - first] = 1.0
        moved = Z - answers(economy, point, Z)
        of_cells = moved[: 2 * m].reshape(2, S, N, -1) * weight[..., None]
        solved[: 2 * N, at] = of_cells.sum(axis=1).reshape(2 * N, -1)
        solved[2 * N :, at] = moved[2 * m : 2 * m + last]
        moved *= base.scale[:, None]
        spread[:, at] = Z - moved
    try:
        solved[:] = np.linalg.inv(solved)
    except np.linalg.LinAlgError:
        return None
    if not (np.isfinite(solved).all() and np.isfinite(spread).all()):
        return None
    return Coarse(base.scale, weight, solved, spread, spread.astype(np.float32))


def answers(economy: Economy, point: Point, du: Array) -> Array:
    """The derivative of one evaluation without payments along many directions du [u, c], [u, c].

    economy: with its shock; point: at which it is taken.
    Equals `Economy.push` for each column, by the same equations.
    """
    base = economy.base
    m, N, theta, psi = base.m, base.N, base.theta[:, :, None], economy.supply_elasticity
    shape = (base.S, N, du.shape[1])
    dp, dx, dw = du[:m].reshape(shape), du[m : 2 * m].reshape(shape), du[2 * m : 2 * m + N]
    a = base.of_labour[:, :, None] * dw
    if len(base.fixed):
        grown = np.zeros((m, du.shape[1]))
        grown[base.fixed] = du[2 * m + N :]
        a += base.of_rent[:, :, None] * grown.reshape(shape)
    if base.linked:
        a += np.matmul(base.gT, dp.transpose(1, 0, 2)).transpose(1, 0, 2)
    sums = np.matmul(economy.both, point.z[:, :, None] * a)
    price = sums[:, :N] / point.phi[:, :, None]
    h = dx + theta * price
    dY = np.matmul(economy.KownT, point.Q[:, :, None] * h)
    dY *= point.z[:, :, None]
    dY -= (base.theta * point.own)[:, :, None] * a
    dVA = d_labour = np.einsum("sn,snc->nc", base.b, dY)
    dwl = point.wl[:, None] * dw
    if psi:
        cheaper = np.einsum("sn,snc->nc", base.alpha, dp)
        dwl = point.wl[:, None] * ((1.0 + psi) * dw - psi * cheaper)
    if len(base.fixed):
        d_labour = np.einsum("sn,snc->nc", base.of_labour, dY)
        dwl = dwl + np.einsum("sn,snc->nc", base.of_rent, dY)
    dI = dwl
    if economy.closure == "proportional":
        dI = dI + economy.transfer_slope(economy.earned(point), dwl.T).T
    if economy.taxed:
        dM = point.M[:, :, None] * h - (base.theta * point.Q)[:, :, None] * sums[:, N:]
        dI = dI + (point.X[:, :, None] * dx - dM).sum(axis=0)
    d_demand = base.alpha[:, :, None] * dI
    if base.linked:
        d_demand += np.matmul(base.g, dY.transpose(1, 0, 2)).transpose(1, 0, 2)
    d_wage = d_labour / point.labour[:, None] - dVA.sum(axis=0) / point.VA.sum()
    if psi:
        d_wage = (d_wage + psi * cheaper) / (1.0 + psi)
    out = np.empty_like(du)
    out[:m] = price.reshape(m, -1)
    out[m : 2 * m] = (d_demand / (point.demand + economy.empty)[:, :, None]).reshape(m, -1)
    out[2 * m : 2 * m + N] = d_wage
    if len(base.fixed):
        made = np.where(point.Y > 0.0, point.Y, 1.0)[:, :, None]
        out[2 * m + N :] = (dY / made).reshape(m, -1)[base.fixed]
    return out
