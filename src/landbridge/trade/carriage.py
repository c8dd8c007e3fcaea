"""Freight that is paid to carriers instead of melting on the way: who gets which share of a sale.

An iceberg cost pays nobody: what it takes is more of the exporter's good. Of the value F' that buyers pay
net of tariff for a sale from i to n, carriers of m now get the share e_nim more than in the base, and the
exporter that much less:

    Y_i^s = sum_n F'_ni^s (1 - sum_m e_nim^s),   Y_m^T += sum F'_ni^s (e_nim^s - r_nim^s)

T is the sector that carries. r, of e, is above cost: it is income of m (profit, a charge, a subsidy with the
sign of a payment) and needs no output. All shares are changes against the base, so that without a change
nothing is paid. They are shares of value, as the iceberg cost itself is: a charge moves with the price of
the goods. See docs/theory/transit.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.world.trade_table import TradeTable, cell_faults

__all__ = ["Carriage", "Paid"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Carriage:
    """What carriers are paid beside the base, as shares of the sales they carry.

        e_nim^s = weight_ni^s x paid_nim^k(s),   r_nim^s = weight_ni^s x rent_nim^k(s)

    sector: code of the sector that carries. kind [s]: k, number of the kind of goods of every sector. weight
    [o, d, s]. paid [o, d, k, m]: for e, the share of what buyers in d pay net of tariff for goods of o that
    goes to carriers of m, more than in the base. rent [o, d, k, m]: for r, its part above cost. Both may be
    negative.
    """

    sector: str
    kind: NDArray[np.int64]
    weight: Array
    paid: Array
    rent: Array


@dataclass(frozen=True, eq=False)
class Paid:
    """A Carriage in the layout of the solver; cells are those sales of which any share is paid.

    sector: number. cell [c]: flat number in [s, d, o], in the order of their groups (pair and kind), which
    begin at start [g] and whose carriers are the same; weight [c]. rates [2 m, g]: e - r, then r, per
    weight. total [s, d, o]: sum of e over m.
    """

    sector: int
    shape: tuple[int, int, int]
    cell: NDArray[np.int64]
    weight: Array
    start: NDArray[np.int64]
    rates: Array
    total: Array

    @staticmethod
    def of(table: TradeTable, given: Carriage) -> Paid | None:
        """The shares of a table's sales; None where nothing is paid.

        Raises DataError for a wrong shape, numbers that are not finite and shares that leave nothing.
        """
        N, S = len(table.regions), len(table.sectors)
        kind = np.asarray(given.kind)
        K = np.shape(given.paid)[2] if np.ndim(given.paid) == 4 else 1
        faults: list[Fault] = []
        shapes = {"kind": (S,), "weight": (N, N, S), "paid": (N, N, K, N), "rent": (N, N, K, N)}
        for name, shape in shapes.items():
            array = np.asarray(getattr(given, name))
            if array.shape != shape:
                faults.append(Fault(f"carriage.{name}", f"has shape {array.shape}", f"give {shape}"))
            elif not np.isfinite(array).all():
                faults.append(Fault(f"carriage.{name}", "is not finite", "give numbers, 0 = none"))
        if np.ndim(given.paid) == 4 and kind.shape == (S,) and not ((kind >= 0) & (kind < K)).all():
            faults.append(Fault("carriage.kind", "is not a number of a kind", f"give 0 to {K - 1}"))
        if given.sector not in table.sectors:
            cure = "give one of " + ", ".join(table.sectors)
            faults.append(Fault("carriage.sector", f"no sector {given.sector!r}", cure))
        if faults:
            raise DataError("what carriers are paid does not fit the table", faults)
        weight = np.where(table.trade > 0.0, given.weight, 0.0)
        total = weight * given.paid.sum(axis=3)[:, :, kind]
        if (total >= 1.0).any():
            axes = (table.regions, table.regions, table.sectors)
            what, cure = "leaves the exporter nothing", "give shares below 1 in sum"
            raise DataError(
                "carriers are paid more than the goods cost",
                cell_faults(total >= 1.0, "carriage.paid", axes, what, cure),
            )
        any_paid = (given.paid != 0.0).any(axis=3) | (given.rent != 0.0).any(axis=3)
        o, d, s = np.nonzero((weight != 0.0) & any_paid[:, :, kind])
        if not len(o):
            return None
        group = np.ravel_multi_index((o, d, kind[s]), (N, N, K))
        order = np.argsort(group, kind="stable")
        o, d, s, group = o[order], d[order], s[order], group[order]
        start = np.flatnonzero(np.diff(group, prepend=-1))
        paid, rent = (a.reshape(-1, N)[group[start]].T for a in (given.paid, given.rent))
        return Paid(
            table.sectors.index(given.sector),
            (S, N, N),
            np.ravel_multi_index((s, d, o), (S, N, N)),
            weight[o, d, s],
            start,
            np.ascontiguousarray(np.concatenate([paid - rent, rent])),
            np.ascontiguousarray(total.transpose(2, 1, 0)),
        )

    def part(self, share: float) -> Paid:
        """The same payments at a fraction of their size."""
        return replace(self, rates=share * self.rates, total=share * self.total)

    @cached_property
    def _at(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the (sector, destination) and of the (sector, origin) of every cell."""
        s, d, o = np.unravel_index(self.cell, self.shape)
        return s * self.shape[1] + d, s * self.shape[2] + o

    def of_cells(self, sales: Array) -> Array:
        """Values [s, d, o] at the cells, weighted [c]."""
        return np.asarray(sales.reshape(-1)[self.cell] * self.weight)

    def sales(self, at_cells: Array, z: Array, Q: Array) -> Array:
        """Weighted sales F' of the cells [c]: knet z Q, of knet at the cells."""
        by_d, by_o = self._at
        found = at_cells * z.reshape(-1)[by_o]
        found *= Q.reshape(-1)[by_d]
        return np.asarray(found)

    def moved(self, sales: Array, of_buyer: Array, of_seller: Array) -> Array:
        """sales x (of_buyer[s, d] + of_seller[s, o]), a change of the sales in proportion [c]."""
        by_d, by_o = self._at
        return np.asarray(sales * (of_buyer.reshape(-1)[by_d] + of_seller.reshape(-1)[by_o]))

    def received(self, sales: Array) -> tuple[Array, Array]:
        """What weighted sales of the cells pay for output of the sector [m], and as rent [m]."""
        found = self.rates @ np.add.reduceat(sales, self.start)
        n = self.shape[1]
        return found[:n], found[n:]

    def values(self, output: Array, income: Array) -> Array:
        """Transpose of `received`: cotangents on the weighted sales of the cells [c]."""
        by_group = np.concatenate([output, income]) @ self.rates
        return np.repeat(by_group, np.diff(np.append(self.start, len(self.cell))))

    def gather(self, values: Array) -> tuple[Array, Array]:
        """Values of the cells added up by (sector, destination) and by (sector, origin), both [s, n]."""
        S, N, _ = self.shape

        def added(at: NDArray[np.int64]) -> Array:
            return np.asarray(np.bincount(at, weights=values, minlength=S * N), dtype=float).reshape(S, N)

        by_d, by_o = self._at
        return added(by_d), added(by_o)
