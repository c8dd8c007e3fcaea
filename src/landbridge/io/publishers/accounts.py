"""An inter-country input-output table, row by row, summed to the regions and sectors of a TradeTable.

The table is never held in memory as a whole: each row is added to sales by destination and sector, and to
inputs by region, input and using sector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from landbridge.errors import DataError, Fault
from landbridge.io.publishers.concordance import Concordance
from landbridge.io.publishers.report import Faults, Report, listed
from landbridge.world.trade_table import TradeTable

__all__ = ["Accounts", "Axis", "Columns", "Layout"]

Array = NDArray[np.float64]

# Printed tables are rounded: tolerance of a row or column against its printed total, [musd] and as a share.
ROUNDING_MUSD, ROUNDING_SHARE = 1.0, 1e-4
# With more cells than this a laptop cannot solve the TradeTable.
MAX_CELLS = 40_000_000


class Axis:
    """Codes of a publisher and their targets with weights: matrix [code, target].

    codes: in the order of the table; by: None where each code is its own target; what: name of the codes in
    faults; faults: takes codes that the concordance does not name or leaves out.
    """

    def __init__(self, codes: Sequence[str], by: Concordance | None, what: str, faults: Faults) -> None:
        self.codes = tuple(codes)
        if by is None:
            self.names: tuple[str, ...] = self.codes
            self.matrix: Array = np.eye(len(codes))
            return
        _check_axis(self.codes, by, what, faults)
        met = [to for code in codes for to, _ in by(code) or ()]
        self.names = tuple(name for name in by.targets if name in set(met))
        at = {name: n for n, name in enumerate(self.names)}
        self.matrix = np.zeros((len(codes), len(self.names)))
        for n, code in enumerate(codes):
            for to, weight in by(code) or ():
                self.matrix[n, at[to]] = weight


def _check_axis(codes: Sequence[str], by: Concordance, what: str, faults: Faults) -> None:
    """A concordance must name every code of the table, leave none out, and name no other."""
    unknown = [code for code in codes if by(code) is None]
    if unknown:
        told = f"{len(unknown)} {what} of the table not in it: {listed(unknown)}"
        faults.add("unknown " + what, by.name, by.name, told, "give each a to_code; none may be left out")
    dropped = [
        code for code in codes if by(code) is not None and sum(w for _, w in by(code) or ()) < 1 - 1e-6
    ]
    if dropped:
        told = f"leaves out {listed(dropped)}"
        cure = "accounts close only over the whole world: give each a to_code, such as ROW"
        faults.add("dropped " + what, by.name, by.name, told, cure)
    idle = [code for code in by.table if code not in set(codes)]
    if idle and not by.of_several:
        told = f"names {len(idle)} {what} that the table lacks: {listed(idle)}"
        faults.add("idle " + what, by.name, by.name, told, "delete their rows")


@dataclass(frozen=True)
class Layout:
    """Target of each column of the table: using[c] = (country, sector), final[c] = country.

    total: column of output, None for none; rows: labels of the rows of sales, one per using column; whole:
    using columns that must be zero, since parts of the same country have columns of their own.
    """

    using: Mapping[int, tuple[int, int]]
    final: Mapping[int, int]
    total: int | None
    rows: tuple[str, ...] = ()
    whole: tuple[int, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The columns of a table by position.

    using: inputs of a sector of a country. final: final use of a country. total: output, if there is one.
    """

    using: dict[int, tuple[str, str]]
    final: dict[int, str]
    total: int | None

    @cached_property
    def countries(self) -> list[str]:
        """Country codes in the order of the table."""
        return list(dict.fromkeys(country for country, _ in self.using.values()))

    @cached_property
    def sectors(self) -> list[str]:
        """Sector codes in the order of the table."""
        return list(dict.fromkeys(sector for _, sector in self.using.values()))


class Accounts:
    """The sums of a table.

    countries, sectors: the axes that map codes to targets; layout: of the columns of the file; name: of the
    file in faults; faults: take what is wrong with it. Raises DataError for a table of too many cells.
    """

    def __init__(self, countries: Axis, sectors: Axis, layout: Layout, name: str, faults: Faults) -> None:
        N, S = len(countries.names), len(sectors.names)
        if N * max(N, S) * S > MAX_CELLS:
            what = f"{N} regions and {S} sectors are more than a TradeTable takes"
            raise DataError("too large", [Fault(name, what, "give concordances to fewer")])
        self._countries, self._sectors, self._layout = countries, sectors, layout
        self._name, self._faults = name, faults
        self._use_at = np.array(list(layout.using), dtype=np.int64)
        self._final_at = np.array(list(layout.final), dtype=np.int64)
        use = np.array(list(layout.using.values()), dtype=np.int64).reshape(-1, 2)
        # Map from a column to its using region and sector, or a final one to its region: nearly all zeros.
        by_use = sparse.csr_array(countries.matrix)[use[:, 0]], sparse.csr_array(sectors.matrix)[use[:, 1]]
        self._use_to = _row_products(*by_use, S)
        self._final_to = sparse.csr_array(countries.matrix[list(layout.final.values())]).T.tocsr()
        self.trade = np.zeros((N, N, S))
        self.inputs = np.zeros((N, S, S))
        self.final = np.zeros((N, S))
        self._column_sum = np.zeros(len(self._use_at))
        self._row_total = np.full((len(countries.codes), len(sectors.codes)), np.nan)
        self._added: dict[str, Array] = {}
        self.negative_uses = 0
        self.rows = layout.rows
        placed = [*layout.using, *layout.final, *([] if layout.total is None else [layout.total])]
        self.width = max(placed) + 1

    def add(self, country: int, sector: int, values: Array, where: str) -> None:
        """Add one row of sales.

        country, sector: position of the seller's codes; values [column]: million USD; where: of the row, for
        faults.
        """
        use, final = values[self._use_at], values[self._final_at]
        self._column_sum += use
        if (use < 0).any():
            self.negative_uses += int((use < 0).sum())
        # Purchases of this row by destination d and its using sector k.
        by_use = (self._use_to @ use).reshape(self.final.shape)
        by_final = self._final_to @ final
        sold = by_use.sum(axis=1) + by_final
        kind = self._sectors.matrix[sector]
        for s in np.flatnonzero(kind):
            for o in np.flatnonzero(self._countries.matrix[country]):
                self.trade[o, :, s] += self._countries.matrix[country, o] * kind[s] * sold
            self.inputs[:, s, :] += kind[s] * by_use
            self.final[:, s] += kind[s] * by_final
        made = float(use.sum() + final.sum())
        self._row_total[country, sector] = made
        if self._layout.total is not None:
            printed = float(values[self._layout.total])
            if abs(printed - made) > ROUNDING_MUSD + ROUNDING_SHARE * abs(printed):
                what = f"sales add up to {made:,.1f} musd, the total says {printed:,.1f}"
                self._faults.add("row total", self._name, where, what, "restore the publisher's row")

    def add_below(self, label: str, values: Array) -> None:
        """Add a row below the sales (value added, taxes, output).

        label: of the row; values [column]: million USD.
        """
        self._added[label] = self._added.get(label, 0.0) + values[self._use_at]

    def check(self, output: str, cost: Iterable[str], where: str) -> None:
        """Check by column that inputs and the rows of cost add up to output, and output to sales.

        output: label of the output row; cost: labels of the rows of cost; where: of the file, for faults.
        """
        if output not in self._added:
            return
        printed = self._added[output]
        made = self._column_sum + sum(self._added[label] for label in cost if label in self._added)
        country = [self._countries.codes[n] for n, _ in self._layout.using.values()]
        sector = [self._sectors.codes[n] for _, n in self._layout.using.values()]
        allowed = ROUNDING_MUSD + ROUNDING_SHARE * np.abs(printed)
        for n in np.flatnonzero(np.abs(made - printed) > allowed):
            what = f"inputs, taxes and value added are {made[n]:,.1f} musd, output says {printed[n]:,.1f}"
            self._faults.add(
                "column total",
                where,
                f"{where}, column {country[n]}_{sector[n]}",
                what,
                "restore the publisher's column",
            )

    def table(
        self, theta: float | Mapping[str, float] | Sequence[float], tariff: ArrayLike | None, report: Report
    ) -> TradeTable:
        """The sums as a TradeTable, with b = 1 - inputs / sales.

        theta: trade elasticity, one, by sector or in the order of sectors; tariff [N, N, S]: fraction, zero
        by default; report: takes notes. Taxes on inputs and transport margins count as value added; the table
        closes on sales. Negative sales (stock changes) become zero, which the report notes.
        Raises DataError where a region has no final demand, and as TradeTable does.
        """
        regions, sectors = self._countries.names, self._sectors.names
        N, S = len(regions), len(sectors)
        output = self.trade.sum(axis=1)
        used = self.inputs.sum(axis=1)
        for label, values in self._added.items():
            report.note(f"{label}: {values.sum():,.0f} musd over all industries")
        share = np.divide(used, output, out=np.zeros((N, S)), where=output > 0)
        b = 1.0 - share
        if ((b < 0) | (b > 1)).any():
            cells = [f"{regions[n]} {sectors[s]}" for n, s in np.argwhere((b < 0) | (b > 1))]
            told = f"value added below 0 or above output in {len(cells)} cells, cut to it"
            report.note(f"{told}: {listed(cells, 5)}")
        b = np.clip(b, 0.0, 1.0)
        trade = _positive(self.trade, "sales", report)
        final = _positive(self.final, "final uses", report)
        inputs = _positive(self.inputs, "inputs", report)
        spent = final.sum(axis=1)
        faults = [
            Fault(f"{self._name}, {regions[n]}", "has no final demand", "check its columns of final demand")
            for n in np.flatnonzero(spent <= 0)
        ]
        if faults:
            raise DataError("a region spends nothing", faults[:5])
        total = inputs.sum(axis=1, keepdims=True)
        input_share = np.divide(inputs, total, out=np.zeros_like(inputs), where=total > 0)
        b = np.where(total[:, 0] > 0, b, 1.0)
        table = TradeTable(
            regions,
            sectors,
            trade,
            np.zeros((N, N, S)) if tariff is None else tariff,
            b,
            input_share,
            final / spent[:, None],
            _theta(theta, sectors),
        )
        report.note(f"accounts of the table close to {table.imbalance:.1e} of a region's income")
        return table


def _row_products(country: Any, sector: Any, S: int) -> Any:
    """[targets n * S + s, columns] of the weights country[c, n] x sector[c, s]."""
    c, n = country.nonzero()
    rows, columns, weights = [], [], []
    for column, region in zip(c, n, strict=True):
        begin, end = sector.indptr[column], sector.indptr[column + 1]
        for s, weight in zip(sector.indices[begin:end], sector.data[begin:end], strict=True):
            rows.append(region * S + s)
            columns.append(column)
            weights.append(weight * country[column, region])
    shape = (country.shape[1] * S, country.shape[0])
    return sparse.csr_array((weights, (rows, columns)), shape=shape)


def _positive(array: Array, what: str, report: Report) -> Array:
    below = array < 0
    if below.any():
        report.note(
            f"{int(below.sum())} cells of {what} were negative ({array[below].sum():,.1f} musd), set to 0: "
            "stock changes or rounding; solving such a table first rebases it"
        )
    return np.where(below, 0.0, array)


def _theta(theta: float | Mapping[str, float] | Sequence[float], sectors: Sequence[str]) -> Array:
    if isinstance(theta, Mapping):
        missing = [sector for sector in sectors if sector not in theta]
        odd = [sector for sector in theta if sector not in sectors]
        if missing or odd:
            what = "; ".join(
                part
                for part in (
                    f"no value for {listed(missing, 10)}" if missing else "",
                    f"names {listed(odd, 10)}, which the table lacks" if odd else "",
                )
                if part
            )
            raise DataError("theta does not fit", [Fault("theta", what, "give one value a sector")])
        return np.array([float(theta[sector]) for sector in sectors])
    values = np.asarray(theta, dtype=np.float64)
    return np.full(len(sectors), float(values)) if values.ndim == 0 else values
