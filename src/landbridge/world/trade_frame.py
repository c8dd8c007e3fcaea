"""A trade table from long data frames, with one report of all faults in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.world.trade_table import SHARE_TOLERANCE, TradeTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["table_from_frame"]

Array = NDArray[np.float64]
SPELLED_OUT = 3
ONE_SECTOR = "ALL"
# Common column names of panels, to suggest which one is meant.
_ALSO_CALLED = {
    "origin": ("exporter", "iso_o", "iso3_o", "orig", "exp"),
    "destination": ("importer", "iso_d", "iso3_d", "dest", "imp"),
    "trade": ("trade_musd", "value_musd", "flow", "value", "X"),
}
# Cure for a value out of range.
_RANGES = {
    "trade": "flows are at least 0",
    "tariff": "give a fraction, 0.05 for 5 %",
    "value_added_share": "give value added over output",
    "final_share": "give a fraction of final spending",
}
# A median above this means that tariffs are given in percent.
PERCENT = 1.0
_TARIFF = (float(np.nextafter(-1.0, 0.0)), np.inf)


def table_from_frame(
    trade: pd.DataFrame,
    theta: float | Mapping[str, float] = 4.0,
    production: pd.DataFrame | None = None,
    inputs: pd.DataFrame | None = None,
    fill_missing: bool = False,
) -> TradeTable:
    """A trade table from a frame of flows, the implementation of `TradeTable.from_frame`.

    Arguments, result and errors as in `TradeTable.from_frame`. Rows in faults count from 1, as in an
    estimation.
    """
    _require_frames({"trade": trade, "production": production, "inputs": inputs})
    faults: list[Fault] = []
    flows = _Long(trade, "trade", faults)
    axes = _axes(flows)
    cells = _flows(flows, axes, fill_missing)
    if production is not None:
        _read_production(_Long(production, "production", faults), axes, cells)
    elif len(axes.sectors) > 1:
        cure = "give columns region, sector, value_added_share, final_share"
        faults.append(Fault("production", f"is not given for {len(axes.sectors)} sectors", cure))
    if inputs is not None:
        _read_inputs(_Long(inputs, "inputs", faults), axes, cells)
    elif production is not None and (cells.value_added < 1).any() and len(axes.sectors) > 1:
        cure = "give columns region, input, using, share"
        faults.append(Fault("inputs", "is not given, and value added is less than output", cure))
    elasticity = _elasticity(theta, axes.sectors, faults)
    faults += _sum_faults(cells, axes, inputs is not None)
    return _table(axes, cells, elasticity, faults)


# -- stages ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Axes:
    """Regions and sectors of a table; by_sector: whether the flows have a sector column."""

    regions: tuple[str, ...]
    sectors: tuple[str, ...]
    by_sector: bool

    @property
    def of_flows(self) -> dict[str, tuple[str, ...]]:
        """Key columns of the flows, with their labels."""
        ends = {"origin": self.regions, "destination": self.regions}
        return ends | ({"sector": self.sectors} if self.by_sector else {})


@dataclass
class _Cells:
    """The numbers of a table, NaN where there is a fault.

    trade, tariff [o, d, s]; value_added, final [n, s]; bought [n, input, using].
    """

    trade: Array
    tariff: Array
    value_added: Array
    final: Array
    bought: Array


def _require_frames(frames: Mapping[str, object]) -> None:
    faults = [
        Fault(name, f"is a {type(frame).__name__}", "give a pandas DataFrame in long form")
        for name, frame in frames.items()
        if frame is not None and not hasattr(frame, "columns")
    ]
    if faults:
        raise _report(faults)


def _axes(flows: _Long) -> _Axes:
    """Regions and sectors in the flows. Raises DataError where the flows cannot be read."""
    by_sector = "sector" in flows.frame.columns
    keys = ["origin", "destination"] + (["sector"] if by_sector else [])
    if not flows.has_columns([*keys, "trade"]):
        raise _report(flows.faults)
    if not len(flows.frame):
        raise _report([Fault("trade", "has no rows", "give one row for each pair")])
    sectors = flows.names("sector") if by_sector else (ONE_SECTOR,)
    regions = tuple(sorted({*flows.names("origin"), *flows.names("destination")}))
    return _Axes(regions, sectors, by_sector)


def _flows(flows: _Long, axes: _Axes, fill_missing: bool) -> _Cells:
    """Trade and tariffs; the shares are those of one sector without inputs."""
    N, S = len(axes.regions), len(axes.sectors)
    trade = flows.fill(axes.of_flows, "trade", missing_is_zero=fill_missing, bounds=(0.0, np.inf))
    tariff = np.zeros_like(trade)
    if "tariff" in flows.frame.columns:
        tariff = flows.fill(axes.of_flows, "tariff", missing_is_zero=True, repeated=False, bounds=_TARIFF)
        flows.faults.extend(_tariff_faults(tariff, axes.regions))
    shape = (N, N, S)
    ones = np.ones((N, S))
    return _Cells(trade.reshape(shape), tariff.reshape(shape), ones, ones / S, np.ones((N, S, S)) / S)


def _read_production(production: _Long, axes: _Axes, cells: _Cells) -> None:
    """Read value added and final spending into the cells."""
    by_sector = len(axes.sectors) > 1 or "sector" in production.frame
    places = {"region": axes.regions} | ({"sector": axes.sectors} if by_sector else {})
    if not production.has_columns([*places, "value_added_share", "final_share"]):
        return
    for column, known in places.items():
        production.same_names(column, known)
    added = production.fill(places, "value_added_share", bounds=(0.0, 1.0))
    final = production.fill(places, "final_share", repeated=False, bounds=(0.0, 1.0))
    cells.value_added, cells.final = added.reshape(cells.final.shape), final.reshape(cells.final.shape)


def _read_inputs(inputs: _Long, axes: _Axes, cells: _Cells) -> None:
    """Read the input shares into the cells."""
    places = {"region": axes.regions, "input": axes.sectors, "using": axes.sectors}
    if not inputs.has_columns([*places, "share"]):
        return
    for column, known in places.items():
        # Absent inputs are zero; a region absent as a whole is a fault.
        inputs.same_names(column, known, all_needed=column == "region")
    cells.bought = inputs.fill(places, "share", missing_is_zero=True)


def _elasticity(theta: float | Mapping[str, float], sectors: Sequence[str], faults: list[Fault]) -> Array:
    """theta [sector], NaN where there is a fault."""
    out = np.full(len(sectors), np.nan)
    for s, name in enumerate(sectors):
        value = theta.get(name, np.nan) if isinstance(theta, Mapping) else theta
        try:
            out[s] = value
        except (TypeError, ValueError):
            faults.append(Fault(f"theta[{name}]", f"is {value!r}", "give a trade elasticity > 0"))
            continue
        if not np.isfinite(out[s]):
            faults.append(Fault(f"theta[{name}]", "is not given", "give a trade elasticity > 0"))
    for code in sorted(map(str, set(theta) - set(sectors))) if isinstance(theta, Mapping) else ():
        cure = did_you_mean(code, sectors) or f"the sectors are {', '.join(sectors)}"
        faults.append(Fault(f"theta[{code}]", "is for no sector of trade", cure))
    return out


def _table(axes: _Axes, cells: _Cells, elasticity: Array, faults: list[Fault]) -> TradeTable:
    """The table, or a DataError with all faults.

    The remaining rules are checked by `TradeTable`, so that both ways give the same messages. A cell already
    reported first gets a harmless value, so that it is not reported twice.
    """

    def patched(values: Array, harmless: float) -> Array:
        return np.where(np.isnan(values), harmless, values)

    try:
        table = TradeTable(
            axes.regions,
            axes.sectors,
            patched(cells.trade, 1.0),
            patched(cells.tariff, 0.0),
            patched(cells.value_added, 1.0),
            patched(cells.bought, 1.0),
            patched(cells.final, 1.0),
            np.where(np.isfinite(elasticity), elasticity, 4.0),
        )
    except DataError as wrong:
        # Sums are already reported; where cells were replaced, faults that follow from them are not
        # informative.
        holed = bool(faults)
        faults += [
            f for f in wrong.faults if "sum to 1" not in f.what and not (holed and "nowhere" in f.what)
        ]
        raise _report(faults or list(wrong.faults)) from None
    if faults:
        raise _report(faults)
    return table


def _report(faults: list[Fault]) -> DataError:
    unique = list(dict.fromkeys(faults))
    count = "1 fault" if len(unique) == 1 else f"{len(unique)} faults"
    return DataError(f"the trade table has {count}", unique)


def _sum_faults(cells: _Cells, axes: _Axes, with_inputs: bool) -> list[Fault]:
    """Shares that do not sum to one, for regions and sectors whose cells are complete."""
    faults: list[Fault] = []
    sums = cells.final.sum(axis=1)
    for n in np.flatnonzero(np.abs(sums - 1.0) > SHARE_TOLERANCE):
        what = f"sums to {sums[n]:.6g} over sectors"
        faults.append(Fault(f"final_share[{axes.regions[int(n)]}]", what, "divide by the sum"))
    faults = _shortened(faults, "final_share")
    if not with_inputs:
        return faults
    used = cells.bought.sum(axis=1)
    output = np.nan_to_num(cells.trade).sum(axis=1)
    # A column of zeros marks a sector that buys no materials.
    counts = ((cells.value_added < 1) & (output > 0)) | (np.abs(used) > SHARE_TOLERANCE)
    off = [
        Fault(
            f"input_share[{axes.regions[int(n)]}, {axes.sectors[int(s)]}]",
            f"sums to {used[n, s]:.6g} over inputs",
            "divide by the sum",
        )
        for n, s in np.argwhere(counts & (np.abs(used - 1.0) > SHARE_TOLERANCE))
    ]
    return faults + _shortened(off, "input_share")


def _shortened(faults: list[Fault], where: str) -> list[Fault]:
    """The first few faults, and a count of the others."""
    if len(faults) <= SPELLED_OUT:
        return faults
    more = Fault(where, f"{len(faults) - SPELLED_OUT} more do not sum to 1", faults[0].cure)
    return [*faults[:SPELLED_OUT], more]


def _rows(positions: NDArray[np.intp]) -> str:
    """'row 3' or 'rows 3, 7, 9 ...' for positions in a frame."""
    shown = ", ".join(str(p + 1) for p in positions[:SPELLED_OUT])
    return f"row{'s' if len(positions) > 1 else ''} {shown}" + (
        " ..." if len(positions) > SPELLED_OUT else ""
    )


def _tariff_faults(tariff: Array, regions: Sequence[str]) -> list[Fault]:
    """Tariffs in percent instead of fractions, and tariffs on domestic sales."""
    faults: list[Fault] = []
    levied = tariff[tariff > 0]
    if len(levied) and float(np.median(levied)) >= PERCENT:
        what = f"has a median of {np.median(levied):.3g}, that is {np.median(levied):.0%}"
        faults.append(Fault("trade.tariff", what, "give fractions, 0.05 for 5 %"))
    N = len(regions)
    at_home = np.einsum("nn...->n...", tariff.reshape(N, N, -1))
    taxed = [code for code, row in zip(regions, at_home, strict=True) if (np.nan_to_num(row) != 0).any()]
    if taxed:
        shown = ", ".join(taxed[:SPELLED_OUT]) + (" ..." if len(taxed) > SPELLED_OUT else "")
        what = f"is levied on own sales ({shown})"
        faults.append(Fault("trade.tariff", what, "put 0 where origin and destination are one region"))
    return faults


# -- one frame -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Long:
    """A frame with a row per cell, its name in faults, and the list that its faults go to."""

    frame: pd.DataFrame
    name: str
    faults: list[Fault]

    def has_columns(self, wanted: Sequence[str]) -> bool:
        """Whether all columns are present; a missing one is a fault."""
        known = [str(c) for c in self.frame.columns]
        missing = [c for c in wanted if c not in known]
        for column in missing:
            other = next((c for c in _ALSO_CALLED.get(column, ()) if c in known), None)
            cure = did_you_mean(column, known) or f"it has {', '.join(known)}"
            if other is not None:
                cure = f"rename {other!r}: frame.rename(columns={{{other!r}: {column!r}}})"
            self.faults.append(Fault(f"{self.name}.{column}", "is not a column", cure))
        return not missing

    def names(self, column: str) -> tuple[str, ...]:
        """The labels in a column, sorted."""
        labels, place = self.frame[column], f"{self.name}.{column}"
        empty = np.flatnonzero(labels.isna().to_numpy())
        if len(empty):
            cure = 'name it ("NA" is read as empty from CSV: Namibia\'s two-letter code)'
            self.faults.append(Fault(place, f"is empty ({_rows(empty)})", cure))
        names = [str(v) for v in labels.dropna().unique()]
        for name in sorted(names):
            if name != name.strip():
                where = np.flatnonzero((labels.astype(str) == name).to_numpy())
                what = f"{name!r} begins or ends with a blank ({_rows(where)})"
                self.faults.append(Fault(place, what, f"frame[{column!r}].str.strip()"))
        return tuple(sorted({name.strip() for name in names}))

    def same_names(self, column: str, known: Sequence[str], all_needed: bool = True) -> None:
        """Report labels that are here but not in the flows, or in the flows but not here."""
        values = self.frame[column].astype(str).str.strip()
        here = set(values[self.frame[column].notna()].unique())
        for code in sorted(here - set(known)):
            cure = did_you_mean(code, known) or "add its flows or drop it here"
            rows = _rows(np.flatnonzero((values == code).to_numpy()))
            self.faults.append(Fault(f"{self.name}.{column}", f"{code!r} is not in trade ({rows})", cure))
        for code in sorted(set(known) - here) if all_needed else ():
            self.faults.append(
                Fault(f"{self.name}.{column}", f"{code!r} of trade is missing", "add its rows")
            )

    def fill(
        self,
        axes: dict[str, tuple[str, ...]],
        column: str,
        missing_is_zero: bool = False,
        repeated: bool = True,
        bounds: tuple[float, float] = (-np.inf, np.inf),
    ) -> Array:
        """A column as an array over the axes, NaN where there is a fault.

        repeated: report duplicates. bounds: smallest and largest valid value.
        """
        filled = _Filled(self, axes, column)
        filled.check_numbers(*bounds)
        if repeated:
            filled.check_repeated()
        absent = filled.seen == 0
        if missing_is_zero:
            filled.out[absent] = 0.0
        else:
            filled.check_missing(absent)
        return filled.out.reshape(filled.shape)


class _Filled:
    """One column of a frame over axes. out: its values [cell]; seen: rows per cell."""

    def __init__(self, source: _Long, axes: dict[str, tuple[str, ...]], column: str) -> None:
        import pandas as pd

        frame = source.frame
        self.source, self.axes, self.column = source, axes, column
        self.shape = tuple(len(names) for names in axes.values())
        labels = {a: pd.Index(frame[a].astype(str).str.strip()) for a in axes}
        codes = np.array([pd.Index(names).get_indexer(labels[a]) for a, names in axes.items()])
        # Rows with known labels only, and the cell of each.
        self.rows = np.flatnonzero((codes >= 0).all(axis=0))
        self.cell = np.ravel_multi_index(tuple(codes[:, self.rows]), self.shape)
        self.out = np.full(int(np.prod(self.shape)), np.nan)
        self.out[self.cell] = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)[self.rows]
        self.seen = np.bincount(self.cell, minlength=len(self.out))

    def report(self, cells: NDArray[np.bool_], what: str, cure: str) -> None:
        """A fault for each of the first few cells, and one for all others."""
        found = np.flatnonzero(cells)
        name, column, faults = self.source.name, self.column, self.source.faults
        for cell in found[:SPELLED_OUT]:
            place = np.unravel_index(int(cell), self.shape)
            label = ", ".join(names[int(k)] for names, k in zip(self.axes.values(), place, strict=True))
            rows = self.rows[self.cell == cell]
            told = what
            if len(rows):
                text = self.source.frame[column].iloc[int(rows[-1])]
                if isinstance(text, str) and "number" in what:
                    told = f"{text!r} {what}"
                told += f" ({_rows(rows)})"
            faults.append(Fault(f"{name}[{label}].{column}", told, cure))
        if len(found) > SPELLED_OUT:
            faults.append(Fault(f"{name}.{column}", f"{len(found) - SPELLED_OUT} more: {what}", cure))

    def check_numbers(self, low: float, high: float) -> None:
        """Cells that are not numbers or are out of bounds become NaN and are reported."""
        cure = "write it as a plain number; 0 = nothing"
        self.report((self.seen > 0) & ~np.isfinite(self.out), "is not a finite number", cure)
        beyond = {"is negative" if low == 0.0 else f"is {low:.0%} or less": self.out < low}
        beyond[f"is above {high:g}"] = self.out > high
        for what, cells in beyond.items():
            self.report(cells, what, _RANGES.get(self.column, "give a fraction"))
            self.out[cells] = np.nan

    def check_repeated(self) -> None:
        """Report cells with several rows."""
        cure = "add the rows up, or drop one"
        frame = self.source.frame
        for further in ("year", "t", "sector", "industry", "product"):
            if further in frame and further not in self.axes:
                cure = f"choose one {further} or add the rows up: the frame holds every {further}"
                break
        self.report(self.seen > 1, "appears more than once", cure)

    def check_missing(self, absent: NDArray[np.bool_]) -> None:
        """Report cells without a row; `same_names` reports a missing region."""
        if "region" in self.axes:
            whole = absent.reshape(self.shape[0], -1).all(axis=1)
            absent = absent & ~np.repeat(whole, len(absent) // self.shape[0])
        if self.column != "trade":
            self.report(absent, "is missing", "add the row; 0 = nothing")
            return
        own = np.zeros(len(absent), dtype=bool)
        own[np.einsum("nn...->n...", np.arange(len(absent)).reshape(self.shape)).ravel()] = True
        cure = "add the row, or fill_missing=True where no row means no trade"
        self.report(absent & ~own, "is missing", cure)
        cure = "add domestic sales: output less exports, at producer prices"
        self.report(absent & own, "domestic sales are missing", cure)
