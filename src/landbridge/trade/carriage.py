"""Freight paid to carriers instead of melting on the way: how a sale is divided.

An iceberg cost is paid to nobody: it uses up the exporter's good. Of the value F' that buyers pay net of
tariff for a sale from i to n, carriers of m receive the share e_nim more than in the base, and the exporter
receives that much less:

    Y_i^s = sum_n F'_ni^s (1 - sum_m e_nim^s),   Y_m^T += sum F'_ni^s (e_nim^s - r_nim^s)

T is the carrying sector. r, a part of e, is above cost: it is income of m (profit, a charge, a subsidy with
the sign of a payment) and needs no output. All shares are changes against the base, so that nothing is paid
without a change. They are shares of value, as the iceberg cost itself is: a charge moves with the price of
the goods. See docs/theory/transit.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.world.trade_table import TradeTable, cell_faults

__all__ = ["Carriage", "Paid"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Carriage:
    """Payments to carriers, as changes against the base in shares of the sales they carry.

        e_nim^s = weight_ni^s x paid_nim^k(s),   r_nim^s = weight_ni^s x rent_nim^k(s)

    sector: code of the carrying sector. kind [s]: k, number of the kind of goods of each sector. weight [o,
    d, s].
    paid [o, d, k, m]: for e, the share of what buyers in d pay net of tariff for goods of o that goes to
    carriers of m, more than in the base. rent [o, d, k, m]: for r, its part above cost. Both may be negative.
    Arrays are copied unless they are read-only, and cannot be written to.
    """

    sector: str
    kind: NDArray[np.int64]
    weight: Array
    paid: Array
    rent: Array

    def __post_init__(self) -> None:
        for name in ("kind", "weight", "paid", "rent"):
            array = np.asarray(getattr(self, name), dtype=np.int64 if name == "kind" else np.float64)
            if array.flags.writeable or array.base is not None:
                array = array.copy()
                array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __setstate__(self, state: dict[str, Array]) -> None:
        # Arrays are writeable after unpickling.
        vars(self).update(state)
        self.__post_init__()


# A study solves the same payments under several closures and to first order.
_of_tables: WeakKeyDictionary[Carriage, WeakKeyDictionary[TradeTable, Paid | None]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Paid:
    """A Carriage in the layout of the solver, restricted to sales with a payment.

    Cells [c] are pairs and kinds with a payment, kind by kind; sales [e] are those of every sector of a kind
    at its cells, sector by sector. sector: number of the carrying one. at, buyer, seller [e]: flat numbers in
    [s, d, o], [s, d] and [s, o]. weight [e]. blocks: for each kind its sales (from, to) and cells (from, to).
    rates [c, 2 m]: e - r, then r, per weight. total [s, d, o]: sum of e over m.
    """

    sector: int
    at: NDArray[np.intp]
    buyer: NDArray[np.intp]
    seller: NDArray[np.intp]
    weight: Array
    blocks: tuple[tuple[int, int, int, int], ...]
    rates: Array
    total: Array

    @staticmethod
    def of(table: TradeTable, given: Carriage) -> Paid | None:
        """The payments on a table's sales, kept while both live; None where nothing is paid.

        table: gives axes and flows; given: the payments. Raises DataError for a wrong shape, numbers that are
        not finite and shares that leave the exporter nothing.
        """
        kept = _of_tables.setdefault(given, WeakKeyDictionary())
        if table not in kept:
            kept[table] = Paid._made(table, given)
        return kept[table]

    @staticmethod
    def _made(table: TradeTable, given: Carriage) -> Paid | None:
        N, S = len(table.regions), len(table.sectors)
        kind, K = given.kind, given.paid.shape[2] if given.paid.ndim == 4 else 1
        _fits(table, given, K)
        each = np.ones(N)
        paid, rent = given.paid.reshape(-1, N), given.rent.reshape(-1, N)
        weight = np.where(table.trade > 0.0, given.weight, 0.0)
        total = weight * (paid @ each).reshape(N, N, K)[:, :, kind]
        if (total >= 1.0).any():
            axes = (table.regions, table.regions, table.sectors)
            what, cure = "leaves the exporter nothing", "give shares below 1 in sum"
            raise DataError(
                "carriers are paid more than the goods cost",
                cell_faults(total >= 1.0, "carriage.paid", axes, what, cure),
            )
        weight = weight.reshape(N * N, S)
        any_paid = sum(np.einsum("cm,cm->c", a, a) for a in (paid, rent)).reshape(N * N, K) > 0.0
        found = []
        for k in range(K):
            sectors = np.flatnonzero(kind == k)
            at = np.flatnonzero(any_paid[:, k] & weight[:, sectors].any(axis=1))
            sectors = sectors[weight[at][:, sectors].any(axis=0)]
            if len(sectors):
                found.append((k, sectors, at))
        if not found:
            return None
        cells = np.cumsum([0, *(len(at) for _, _, at in found)]).tolist()
        sales = np.cumsum([0, *(len(sectors) * len(at) for _, sectors, at in found)]).tolist()
        blocks = tuple(zip(sales[:-1], sales[1:], cells[:-1], cells[1:], strict=True))
        cell, buyer, seller = (np.empty(sales[-1], dtype=np.intp) for _ in range(3))
        rates = np.empty((cells[-1], 2 * N))
        for (k, sectors, at), (low, high, first, last) in zip(found, blocks, strict=True):
            o, d = np.divmod(at, N)
            s = sectors[:, None]
            np.add(s * N, d, out=buyer[low:high].reshape(len(sectors), -1))
            np.add(s * N, o, out=seller[low:high].reshape(len(sectors), -1))
            np.add(s * N * N, d * N + o, out=cell[low:high].reshape(len(sectors), -1))
            above = rent[at * K + k]
            np.subtract(paid[at * K + k], above, out=rates[first:last, :N])
            rates[first:last, N:] = above
        total = np.ascontiguousarray(total.transpose(2, 1, 0))
        weight = np.ascontiguousarray(weight.reshape(N, N, S).transpose(2, 1, 0))
        carries = table.sectors.index(given.sector)
        return Paid(carries, cell, buyer, seller, weight.reshape(-1)[cell], blocks, rates, total)

    def part(self, share: float) -> Paid:
        """The same payments at a fraction of their size.

        share: the fraction.
        """
        return replace(self, rates=share * self.rates, total=share * self.total)

    def of_sales(self, values: Array) -> Array:
        """Values [s, d, o] at the sales with a payment, times their weight [e].

        values: of all sales.
        """
        return np.asarray(values.reshape(-1)[self.at] * self.weight)

    def sales(self, weighted: Array, z: Array, Q: Array) -> Array:
        """Weighted sales F' [e] = knet z Q, given weighted knet [e], z [s, o] and Q [s, d]."""
        found = z.reshape(-1).take(self.seller)
        found *= weighted
        found *= Q.reshape(-1).take(self.buyer)
        return np.asarray(found)

    def moved(self, sales: Array, of_buyer: Array, of_seller: Array) -> Array:
        """Proportional change of sales, sales x (of_buyer [s, d] + of_seller [s, o]), [e]."""
        by = of_buyer.reshape(-1).take(self.buyer)
        by += of_seller.reshape(-1).take(self.seller)
        by *= sales
        return np.asarray(by)

    def received(self, sales: Array) -> tuple[Array, Array]:
        """Payments from weighted sales [e] for output of the sector, and as rent, both [m, million USD]."""
        by_cell = np.empty(len(self.rates))
        for low, high, first, last in self.blocks:
            sales[low:high].reshape(-1, last - first).sum(axis=0, out=by_cell[first:last])
        found = by_cell @ self.rates
        n = len(found) // 2
        return found[:n], found[n:]

    def values(self, output: Array, income: Array) -> Array:
        """Transpose of `received`: cotangents of output [m] and income [m] to those of weighted sales [e]."""
        by_cell = self.rates @ np.concatenate([output, income])
        out = np.empty(len(self.weight))
        for low, high, first, last in self.blocks:
            out[low:high].reshape(-1, last - first)[:] = by_cell[first:last]
        return out

    def gather(self, values: Array, regions: tuple[int, int]) -> tuple[Array, Array]:
        """Values [e] summed by (sector, destination) and by (sector, origin), both [s, n].

        values: of sales with a payment; regions: numbers of sectors and of regions.
        """
        size = regions[0] * regions[1]
        by_d, by_o = np.bincount(self.buyer, values, size), np.bincount(self.seller, values, size)
        return np.asarray(by_d, dtype=float).reshape(regions), np.asarray(by_o, dtype=float).reshape(regions)


def _fits(table: TradeTable, given: Carriage, kinds: int) -> None:
    """Raise DataError where a shape is wrong, a number is not finite, or a sector or kind is unknown."""
    N, S = len(table.regions), len(table.sectors)
    kind = given.kind
    faults: list[Fault] = []
    shapes = {"kind": (S,), "weight": (N, N, S), "paid": (N, N, kinds, N), "rent": (N, N, kinds, N)}
    for name, shape in shapes.items():
        array = getattr(given, name)
        if array.shape != shape:
            faults.append(Fault(f"carriage.{name}", f"has shape {array.shape}", f"give {shape}"))
        elif not np.isfinite(array).all():
            faults.append(Fault(f"carriage.{name}", "is not finite", "give numbers, 0 = none"))
    if given.paid.ndim == 4 and kind.shape == (S,) and not ((kind >= 0) & (kind < kinds)).all():
        faults.append(Fault("carriage.kind", "is not a number of a kind", f"give 0 to {kinds - 1}"))
    if given.sector not in table.sectors:
        cure = "give one of " + ", ".join(table.sectors)
        faults.append(Fault("carriage.sector", f"no sector {given.sector!r}", cure))
    if faults:
        raise DataError("what carriers are paid does not fit the table", faults)
