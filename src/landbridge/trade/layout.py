"""A trade table in the layout of the solver: [sector, region] and [sector, destination, origin]."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landbridge.trade.coarse import Coarse
from landbridge.trade.wage_newton import Factors
from landbridge.world.trade_table import TradeTable

__all__ = ["Array", "Base", "Closure"]

Array = NDArray[np.float64]
Closure = Literal["fixed", "zero", "proportional"]


def _sdo(array: Array) -> Array:
    """[origin, destination, sector] -> [sector, destination, origin], contiguous."""
    return np.ascontiguousarray(array.transpose(2, 1, 0))


class Base:
    """A table in the layout of the solver, with all terms that do not depend on the shock."""

    def __init__(self, table: TradeTable) -> None:
        self.N, self.S = len(table.regions), len(table.sectors)
        self.m = self.N * self.S
        self.regions, self.sectors = table.regions, table.sectors
        self.size = 2 * self.m + self.N
        self.theta = table.theta[:, None].copy()
        F = _sdo(table.trade)
        self.F = F
        self.tariff: Array | None = _sdo(table.tariff) if table.tariff.any() else None
        paid = F if self.tariff is None else F * (1.0 + self.tariff)
        self.X = paid.sum(axis=2)
        self.supplied = self.X > 0
        self.pi = paid / np.where(self.supplied, self.X, 1.0)[:, :, None]
        self.Y = F.sum(axis=1)
        self.b = np.ascontiguousarray(table.value_added_share.T)
        self.alpha = np.ascontiguousarray(table.final_share.T)
        # Earnings of labour and of fixed factors per unit of output, and the cells with any of the latter.
        self.of_rent = np.ascontiguousarray(table.rent_share.T) * self.b
        self.of_labour = self.b - self.of_rent if self.of_rent.any() else self.b
        self.fixed = np.flatnonzero((self.of_rent > 0.0) & (self.Y > 0.0))
        self.Y_fixed = self.Y.reshape(-1)[self.fixed]
        self.size += len(self.fixed)
        self.wL = (self.of_labour * self.Y).sum(axis=0)
        self.rents = (self.of_rent * self.Y).sum(axis=0)
        self.world = float(self.wL.sum() + self.rents.sum())
        self.D = table.deficits
        self.R = table.tariff_revenue
        self.income = self.wL + self.rents + self.R + self.D
        g = table.input_share * (1.0 - table.value_added_share)[:, None, :]
        self.linked = bool(g.any())
        self.g = g  # [n, input, using]
        self.gT = np.ascontiguousarray(g.transpose(0, 2, 1))
        self.homeless = table.sells_nothing_at_home
        self.X_scale = self._spending_scale()
        self.scale = np.ones(self.size)
        self.scale[2 * self.m : 2 * self.m + self.N] = self._damping()
        self.scale[2 * self.m + self.N :] = self._damping_of_output()
        # By closure and supply elasticity: Jacobians of the one-sector economy at the base, two-level steps.
        self.factors: dict[tuple[Closure, float], Factors | None] = {}
        self.coarse: dict[tuple[Closure, float], Coarse] = {}

    def __getstate__(self) -> dict[str, Any]:
        """The inputs; levels of whole regions are computed again when a solve needs them."""
        return {**vars(self), "coarse": {}}

    def to_costs(self, p: Array) -> Array:
        """sum_k g_n^ks p_n^k, the part of input prices p in unit costs: [s, n] -> [s, n]."""
        return np.asarray(np.matmul(self.gT, np.ascontiguousarray(p.T)[:, :, None])[:, :, 0].T)

    def to_inputs(self, Y: Array) -> Array:
        """sum_s g_n^ks Y_n^s, the inputs for output Y: [s, n] -> [k, n], million USD."""
        return np.asarray(np.matmul(self.g, np.ascontiguousarray(Y.T)[:, :, None])[:, :, 0].T)

    def _spending_scale(self) -> Array:
        """Base spending where anything can be demanded, zero elsewhere (these cells stay empty)."""
        active: NDArray[np.bool_] = self.alpha > 0
        if not self.linked:
            return np.where(active & self.supplied, self.X, 0.0)
        buys = self.pi > 0
        while True:
            sold = (buys & active[:, :, None]).any(axis=1)
            used = np.einsum("nks,sn->kn", self.g > 0, sold)
            grown = active | used
            if (grown == active).all():
                return np.where(active & self.supplied, self.X, 0.0)
            active = grown

    def _damping(self) -> Array:
        """1 / (1 + own elasticity of labour demand) [n]: the step of a wage towards market clearing."""
        home = np.einsum("snn->sn", self.pi)
        passed = self.b
        if self.linked:
            for _ in range(4):
                passed = self.b + self.to_costs(home * passed)
        kept = np.einsum("sdo,sdo->so", self.F, 1.0 - self.pi)
        demand = (self.of_labour * self.theta * kept * passed).sum(axis=0) / self.wL
        return np.asarray(1.0 / (1.0 + demand))

    def _damping_of_output(self) -> Array:
        """1 / (1 + fall of output with the rent that it raises) for cells with a fixed factor."""
        kept = np.einsum("sdo,sdo->so", self.F, 1.0 - self.pi)
        answer = self.of_rent * self.theta * kept / np.where(self.Y > 0.0, self.Y, 1.0)
        return np.asarray(1.0 / (1.0 + answer.reshape(-1)[self.fixed]))
