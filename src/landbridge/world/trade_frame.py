"""A trade table from long data frames, with one report of everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
# What panels call the columns, to say which one is meant.
_ALSO_CALLED = {
    "origin": ("exporter", "iso_o", "iso3_o", "orig", "exp"),
    "destination": ("importer", "iso_d", "iso3_d", "dest", "imp"),
    "trade": ("trade_musd", "value_musd", "flow", "value", "X"),
}
# What a value out of range should be.
_RANGES = {
    "trade": "flows are at least 0",
    "tariff": "give a fraction, 0.05 for 5 %",
    "value_added_share": "give value added over output",
    "final_share": "give a fraction of final spending",
}
# Half of all tariffs above this are percent that were meant as fractions.
PERCENT = 1.0
_TARIFF = (float(np.nextafter(-1.0, 0.0)), np.inf)


def table_from_frame(  # noqa: C901
    trade: pd.DataFrame,
    theta: float | Mapping[str, float] = 4.0,
    production: pd.DataFrame | None = None,
    inputs: pd.DataFrame | None = None,
    fill_missing: bool = False,
) -> TradeTable:
    """The body of `TradeTable.from_frame`, which says what the frames hold.

    Rows in faults count from 1, as those of an estimation do.
    """
    faults: list[Fault] = []
    frames = {"trade": trade, "production": production, "inputs": inputs}
    for name, frame in frames.items():
        if frame is not None and not hasattr(frame, "columns"):
            faults.append(Fault(name, f"is a {type(frame).__name__}", "give a pandas DataFrame in long form"))
    if faults:
        raise _report(faults)
    keys = ["origin", "destination"] + (["sector"] if "sector" in trade.columns else [])
    if not _has_columns(trade, "trade", [*keys, "trade"], faults):
        raise _report(faults)
    if not len(trade):
        raise _report([Fault("trade", "has no rows", "give one row for each pair")])
    sectors = _names(trade, "sector", faults) if "sector" in keys else (ONE_SECTOR,)
    regions = tuple(sorted({*_names(trade, "origin", faults), *_names(trade, "destination", faults)}))
    axes: dict[str, tuple[str, ...]] = {"origin": regions, "destination": regions}
    if "sector" in keys:
        axes["sector"] = sectors
    N, S = len(regions), len(sectors)
    flows = _fill(trade, "trade", axes, "trade", faults, missing_is_zero=fill_missing, bounds=(0.0, np.inf))
    tariff = np.zeros_like(flows)
    if "tariff" in trade.columns:
        tariff = _fill(
            trade, "trade", axes, "tariff", faults, missing_is_zero=True, repeated=False, bounds=_TARIFF
        )
        faults += _tariff_faults(tariff, regions)
    value_added, final = np.ones((N, S)), np.ones((N, S)) / S
    bought = np.ones((N, S, S)) / S
    if production is None and S > 1:
        cure = "give columns region, sector, value_added_share, final_share"
        faults.append(Fault("production", f"is not given for {S} sectors", cure))
    elif production is not None:
        places = {"region": regions} | ({"sector": sectors} if S > 1 or "sector" in production else {})
        wanted = [*places, "value_added_share", "final_share"]
        if _has_columns(production, "production", wanted, faults):
            for column, known in places.items():
                _same_names(production, "production", column, known, faults)
            value_added = _fill(
                production, "production", places, "value_added_share", faults, bounds=(0.0, 1.0)
            ).reshape(N, S)
            final = _fill(
                production, "production", places, "final_share", faults, repeated=False, bounds=(0.0, 1.0)
            ).reshape(N, S)
    if inputs is not None:
        places = {"region": regions, "input": sectors, "using": sectors}
        if _has_columns(inputs, "inputs", [*places, "share"], faults):
            for column, known in places.items():
                # Absent inputs are zero; a region that is absent as a whole is a mistake.
                _same_names(inputs, "inputs", column, known, faults, all_needed=column == "region")
            bought = _fill(inputs, "inputs", places, "share", faults, missing_is_zero=True)
    elif production is not None and (value_added < 1).any() and S > 1:
        cure = "give columns region, input, using, share"
        faults.append(Fault("inputs", "is not given, and value added is less than output", cure))
    elasticity = np.empty(S)
    for s, name in enumerate(sectors):
        value = theta.get(name, np.nan) if isinstance(theta, Mapping) else theta
        try:
            elasticity[s] = value
        except (TypeError, ValueError):
            elasticity[s] = np.nan
            faults.append(Fault(f"theta[{name}]", f"is {value!r}", "give a trade elasticity > 0"))
            continue
        if not np.isfinite(elasticity[s]):
            faults.append(Fault(f"theta[{name}]", "is not given", "give a trade elasticity > 0"))
    for code in sorted(map(str, set(theta) - set(sectors))) if isinstance(theta, Mapping) else ():
        cure = did_you_mean(code, sectors) or f"the sectors are {', '.join(sectors)}"
        faults.append(Fault(f"theta[{code}]", "is for no sector of trade", cure))
    output = np.nan_to_num(flows.reshape(N, N, S)).sum(axis=1)
    faults += _sum_faults(
        final, bought if inputs is not None else None, value_added, output, regions, sectors
    )
    # What is left is judged by the table, so that both ways of making one say the same; a cell already
    # reported is given a harmless value first, so that it is not reported twice.
    patched = [
        np.where(np.isnan(a), b, a)
        for a, b in ((flows, 1.0), (tariff, 0.0), (value_added, 1.0), (final, 1.0), (bought, 1.0))
    ]
    try:
        table = TradeTable(
            regions,
            sectors,
            patched[0].reshape(N, N, S),
            patched[1].reshape(N, N, S),
            patched[2],
            patched[4],
            patched[3],
            np.where(np.isfinite(elasticity), elasticity, 4.0),
        )
    except DataError as wrong:
        # Sums are reported already; where cells had to be patched, what follows from them says nothing.
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


def _sum_faults(
    final: Array,
    inputs: Array | None,
    value_added: Array,
    output: Array,
    regions: Sequence[str],
    sectors: Sequence[str],
) -> list[Fault]:
    """Shares that do not sum to one, of the regions and sectors whose cells are all there."""
    faults: list[Fault] = []
    sums = final.sum(axis=1)
    for n in np.flatnonzero(np.abs(sums - 1.0) > SHARE_TOLERANCE):
        what = f"sums to {sums[n]:.6g} over sectors"
        faults.append(Fault(f"final_share[{regions[int(n)]}]", what, "divide by the sum"))
    faults = _shortened(faults, "final_share")
    if inputs is None:
        return faults
    used = inputs.sum(axis=1)
    # A column of zeros is how tables mark a sector that buys no materials.
    counts = ((value_added < 1) & (output > 0)) | (np.abs(used) > SHARE_TOLERANCE)
    off = [
        Fault(
            f"input_share[{regions[int(n)]}, {sectors[int(s)]}]",
            f"sums to {used[n, s]:.6g} over inputs",
            "divide by the sum",
        )
        for n, s in np.argwhere(counts & (np.abs(used - 1.0) > SHARE_TOLERANCE))
    ]
    return faults + _shortened(off, "input_share")


def _shortened(faults: list[Fault], where: str) -> list[Fault]:
    """The first few, and how many more there are."""
    if len(faults) <= SPELLED_OUT:
        return faults
    more = Fault(where, f"{len(faults) - SPELLED_OUT} more do not sum to 1", faults[0].cure)
    return [*faults[:SPELLED_OUT], more]


def _has_columns(frame: pd.DataFrame, name: str, wanted: Sequence[str], faults: list[Fault]) -> bool:
    known = [str(c) for c in frame.columns]
    missing = [c for c in wanted if c not in known]
    for column in missing:
        other = next((c for c in _ALSO_CALLED.get(column, ()) if c in known), None)
        cure = did_you_mean(column, known) or f"it has {', '.join(known)}"
        if other is not None:
            cure = f"rename {other!r}: frame.rename(columns={{{other!r}: {column!r}}})"
        faults.append(Fault(f"{name}.{column}", "is not a column", cure))
    return not missing


def _names(frame: pd.DataFrame, column: str, faults: list[Fault]) -> tuple[str, ...]:
    empty = np.flatnonzero(frame[column].isna().to_numpy())
    if len(empty):
        cure = 'name it ("NA" is read as empty from CSV: Namibia\'s two-letter code)'
        faults.append(Fault(f"trade.{column}", f"is empty ({_rows(empty)})", cure))
    names = [str(v) for v in frame[column].dropna().unique()]
    for name in sorted(names):
        if name != name.strip():
            where = np.flatnonzero((frame[column].astype(str) == name).to_numpy())
            what = f"{name!r} begins or ends with a blank ({_rows(where)})"
            faults.append(Fault(f"trade.{column}", what, f"frame[{column!r}].str.strip()"))
    return tuple(sorted({name.strip() for name in names}))


def _same_names(
    frame: pd.DataFrame,
    name: str,
    column: str,
    known: Sequence[str],
    faults: list[Fault],
    all_needed: bool = True,
) -> None:
    """Regions or sectors that stand in one table and not in the other."""
    values = frame[column].astype(str).str.strip()
    here = set(values[frame[column].notna()].unique())
    for code in sorted(here - set(known)):
        cure = did_you_mean(code, known) or "add its flows or drop it here"
        rows = _rows(np.flatnonzero((values == code).to_numpy()))
        faults.append(Fault(f"{name}.{column}", f"{code!r} is not in trade ({rows})", cure))
    for code in sorted(set(known) - here) if all_needed else ():
        faults.append(Fault(f"{name}.{column}", f"{code!r} of trade is missing", "add its rows"))


def _rows(positions: NDArray[np.intp]) -> str:
    """'row 3' or 'rows 3, 7, 9 ...' of positions in a frame."""
    shown = ", ".join(str(p + 1) for p in positions[:SPELLED_OUT])
    return f"row{'s' if len(positions) > 1 else ''} {shown}" + (
        " ..." if len(positions) > SPELLED_OUT else ""
    )


def _tariff_faults(tariff: Array, regions: Sequence[str]) -> list[Fault]:
    """Percent in place of fractions, and tariffs on a region's own sales."""
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


def _fill(
    frame: pd.DataFrame,
    name: str,
    axes: dict[str, tuple[str, ...]],
    column: str,
    faults: list[Fault],
    missing_is_zero: bool = False,
    repeated: bool = True,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Array:
    """The column as an array over the axes, NaN where a fault was noted.

    repeated: report duplicates. bounds: the smallest and the largest value that is no fault.
    """
    import pandas as pd

    shape = tuple(len(names) for names in axes.values())
    codes = np.array(
        [pd.Index(names).get_indexer(pd.Index(frame[a].astype(str).str.strip())) for a, names in axes.items()]
    )
    inside = np.flatnonzero((codes >= 0).all(axis=0))
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)[inside]
    flat = np.ravel_multi_index(tuple(codes[:, inside]), shape)
    out = np.full(int(np.prod(shape)), np.nan)
    out[flat] = values
    seen = np.bincount(flat, minlength=len(out))

    def report(cells: NDArray[np.intp], what: str, cure: str) -> None:
        for cell in cells[:SPELLED_OUT]:
            place = np.unravel_index(int(cell), shape)
            label = ", ".join(names[int(k)] for names, k in zip(axes.values(), place, strict=True))
            rows = inside[flat == cell]
            told = what
            if len(rows):
                text = frame[column].iloc[int(rows[-1])]
                if isinstance(text, str) and "number" in what:
                    told = f"{text!r} {what}"
                told += f" ({_rows(rows)})"
            faults.append(Fault(f"{name}[{label}].{column}", told, cure))
        if len(cells) > SPELLED_OUT:
            faults.append(Fault(f"{name}.{column}", f"{len(cells) - SPELLED_OUT} more: {what}", cure))

    report(
        np.flatnonzero((seen > 0) & ~np.isfinite(out)),
        "is not a finite number",
        "write it as a plain number; 0 = nothing",
    )
    low, high = bounds
    for cells, what in (
        (np.flatnonzero(out < low), "is negative" if low == 0.0 else f"is {low:.0%} or less"),
        (np.flatnonzero(out > high), f"is above {high:g}"),
    ):
        report(cells, what, _RANGES.get(column, "give a fraction"))
        out[cells] = np.nan
    if repeated:
        cure = "add the rows up, or drop one"
        further = [c for c in ("year", "t", "sector", "industry", "product") if c in frame and c not in axes]
        if further:
            cure = f"choose one {further[0]} or add the rows up: the frame holds every {further[0]}"
        report(np.flatnonzero(seen > 1), "stands more than once", cure)
    absent = seen == 0
    if missing_is_zero:
        out[absent] = 0.0
    else:
        # A region that is missing as a whole is told once, by `_same_names`.
        whole = np.zeros(len(out), dtype=bool)
        if "region" in axes:
            by_region = absent.reshape(shape[0], -1).all(axis=1)
            whole = np.repeat(by_region, len(out) // shape[0])
        gaps = absent & ~whole
        if column == "trade":
            cells = np.arange(len(out)).reshape(shape)
            home = np.einsum("nn...->n...", cells).ravel()
            own = np.zeros(len(out), dtype=bool)
            own[home] = True
            cure = "add the row, or fill_missing=True where no row means no trade"
            report(np.flatnonzero(gaps & ~own), "is missing", cure)
            cure = "add sales at home: output less exports, at producer prices"
            report(np.flatnonzero(gaps & own), "domestic sales are missing", cure)
        else:
            report(np.flatnonzero(gaps), "is missing", "add the row; 0 = nothing")
    return out.reshape(shape)
