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
from itertools import pairwise

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
    """A Carriage in the layout of the solver: the sectors of which any sale is paid, kind by kind.

    sector: number of that which carries. sectors [g]: numbers; those of a kind stand together and begin at
    start [k]. weight [g, d, o]. at [c]: the pairs and kinds that pay, flat numbers in [k, d, o]; rates [2 m,
    c]: e - r, then r, per weight. total [s, d, o]: sum of e over m.
    """

    sector: int
    sectors: NDArray[np.int64]
    start: NDArray[np.int64]
    weight: Array
    at: NDArray[np.int64]
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
        pays = (weight != 0.0) & any_paid[:, :, kind]
        sectors = np.flatnonzero(pays.any(axis=(0, 1)))
        if not len(sectors):
            return None
        sectors = sectors[np.argsort(kind[sectors], kind="stable")]
        kinds, start = np.unique(kind[sectors], return_index=True)
        by_kind = np.stack([pays[:, :, kind == k].any(axis=2) for k in kinds]).transpose(0, 2, 1)
        k, d, o = np.nonzero(by_kind)
        paid, rent = (a[o, d, kinds[k]].T for a in (given.paid, given.rent))
        return Paid(
            table.sectors.index(given.sector),
            sectors,
            start,
            np.ascontiguousarray(weight[:, :, sectors].transpose(2, 1, 0)),
            np.ravel_multi_index((k, d, o), by_kind.shape),
            np.ascontiguousarray(np.concatenate([paid - rent, rent])),
            np.ascontiguousarray(total.transpose(2, 1, 0)),
        )

    def part(self, share: float) -> Paid:
        """The same payments at a fraction of their size."""
        return replace(self, rates=share * self.rates, total=share * self.total)

    def of_sales(self, sales: Array) -> Array:
        """Values [s, d, o] of the sectors that pay, weighted [g, d, o]."""
        return np.asarray(sales[self.sectors] * self.weight)

    def sales(self, weighted: Array, z: Array, Q: Array) -> Array:
        """Weighted sales F' [g, d, o]: knet z Q, of weighted knet."""
        found = weighted * z[self.sectors, None, :]
        found *= Q[self.sectors, :, None]
        return np.asarray(found)

    def moved(self, sales: Array, of_buyer: Array, of_seller: Array) -> Array:
        """sales x (of_buyer[s, d] + of_seller[s, o]), a change of the sales in proportion [g, d, o]."""
        by = of_buyer[self.sectors, :, None] + of_seller[self.sectors, None, :]
        by *= sales
        return np.asarray(by)

    def received(self, sales: Array) -> tuple[Array, Array]:
        """What weighted sales [g, d, o] pay for output of the sector [m], and as rent [m]."""
        by_kind = np.empty((len(self.start), *self.weight.shape[1:]))
        # Quicker than reduceat, which goes cell by cell.
        for k, (low, high) in enumerate(pairwise([*self.start.tolist(), len(sales)])):
            sales[low:high].sum(axis=0, out=by_kind[k])
        found = self.rates @ by_kind.reshape(-1)[self.at]
        n = self.weight.shape[1]
        return found[:n], found[n:]

    def values(self, output: Array, income: Array) -> Array:
        """Transpose of `received`: cotangents on the weighted sales [g, d, o]."""
        by_kind = np.zeros((len(self.start), *self.weight.shape[1:]))
        by_kind.reshape(-1)[self.at] = np.concatenate([output, income]) @ self.rates
        return np.repeat(by_kind, np.diff(np.append(self.start, len(self.sectors))), axis=0)

    def gather(self, values: Array, regions: tuple[int, int]) -> tuple[Array, Array]:
        """Values [g, d, o] added up by (sector, destination) and by (sector, origin), both [s, n]."""
        by_d, by_o = np.zeros(regions), np.zeros(regions)
        by_d[self.sectors], by_o[self.sectors] = values.sum(axis=2), values.sum(axis=1)
        return by_d, by_o
