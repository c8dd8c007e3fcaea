"""A trade table from long data frames, with one report of everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.world.trade_table import TradeTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["table_from_frame"]

Array = NDArray[np.float64]
SPELLED_OUT = 3
ONE_SECTOR = "ALL"


def table_from_frame(
    trade: pd.DataFrame,
    theta: float | Mapping[str, float] = 4.0,
    production: pd.DataFrame | None = None,
    inputs: pd.DataFrame | None = None,
    fill_missing: bool = False,
) -> TradeTable:
    """The body of `TradeTable.from_frame`, which says what the frames hold."""
    faults: list[Fault] = []
    keys = ["origin", "destination"] + (["sector"] if "sector" in trade.columns else [])
    if not _has_columns(trade, "trade", [*keys, "trade"], faults):
        raise _report(faults)
    sectors = _names(trade, "sector", faults) if "sector" in keys else (ONE_SECTOR,)
    regions = tuple(sorted({*_names(trade, "origin", faults), *_names(trade, "destination", faults)}))
    axes: dict[str, tuple[str, ...]] = {"origin": regions, "destination": regions}
    if "sector" in keys:
        axes["sector"] = sectors
    N, S = len(regions), len(sectors)
    flows = _fill(trade, "trade", axes, "trade", faults, missing_is_zero=fill_missing)
    tariff = np.zeros_like(flows)
    if "tariff" in trade.columns:
        tariff = _fill(trade, "trade", axes, "tariff", faults, missing_is_zero=True, repeated=False)
    value_added, final = np.ones((N, S)), np.ones((N, S))
    bought = np.ones((N, S, S)) / S
    if production is None and S > 1:
        cure = "give columns region, sector, value_added_share, final_share"
        faults.append(Fault("production", f"is not given for {S} sectors", cure))
    elif production is not None:
        places = {"region": regions} | ({"sector": sectors} if S > 1 or "sector" in production else {})
        wanted = [*places, "value_added_share", "final_share"]
        if _has_columns(production, "production", wanted, faults):
            _same_names(production, "production", "region", regions, faults)
            value_added = _fill(production, "production", places, "value_added_share", faults).reshape(N, S)
            final = _fill(production, "production", places, "final_share", faults, repeated=False)
            final = final.reshape(N, S)
    if inputs is not None:
        places = {"region": regions, "input": sectors, "using": sectors}
        if _has_columns(inputs, "inputs", [*places, "share"], faults):
            _same_names(inputs, "inputs", "region", regions, faults)
            bought = _fill(inputs, "inputs", places, "share", faults, missing_is_zero=True)
    elif production is not None and (value_added < 1).any() and S > 1:
        cure = "give columns region, input, using, share"
        faults.append(Fault("inputs", "is not given, and value added is less than output", cure))
    elasticity = np.empty(S)
    for s, name in enumerate(sectors):
        value = theta.get(name, np.nan) if isinstance(theta, Mapping) else theta
        elasticity[s] = value
        if not np.isfinite(elasticity[s]):
            faults.append(Fault(f"theta[{name}]", "is not given", "give a trade elasticity > 0"))
    # The values themselves are judged by the table, so that both ways of making one say the same; a cell
    # already reported is given a harmless value first, so that it is not reported twice.
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
        holed = bool(faults)
        # Sums over cells that had to be patched say nothing.
        faults += [f for f in wrong.faults if not (holed and ("sum to 1" in f.what or "nowhere" in f.what))]
        faults += _sums(patched[3], final, regions, faults) if holed else []
        raise _report(faults) from None
    if faults:
        faults += _sums(patched[3], final, regions, faults)
        raise _report(faults)
    return table


def _report(faults: list[Fault]) -> DataError:
    unique = list(dict.fromkeys(faults))
    count = "1 fault" if len(unique) == 1 else f"{len(unique)} faults"
    return DataError(f"the trade table has {count}", unique)


def _sums(patched: Array, final: Array, regions: Sequence[str], known: list[Fault]) -> list[Fault]:
    """Final shares of the regions whose rows were complete."""
    said = {fault.where for fault in known}
    off = (np.abs(patched.sum(axis=1) - 1.0) > 1e-5) & np.isfinite(final).all(axis=1)
    found = [
        Fault(f"final_share[{regions[int(n)]}]", "does not sum to 1 over sectors", "divide by the sum")
        for n in np.flatnonzero(off)
    ]
    return [fault for fault in found if fault.where not in said][:SPELLED_OUT]


def _has_columns(frame: pd.DataFrame, name: str, wanted: Sequence[str], faults: list[Fault]) -> bool:
    known = [str(c) for c in frame.columns]
    missing = [c for c in wanted if c not in known]
    for column in missing:
        cure = did_you_mean(column, known) or f"it has {', '.join(known)}"
        faults.append(Fault(f"{name}.{column}", "is not a column", cure))
    return not missing


def _names(frame: pd.DataFrame, column: str, faults: list[Fault]) -> tuple[str, ...]:
    empty = np.flatnonzero(frame[column].isna().to_numpy())
    if len(empty):
        rows = ", ".join(str(r) for r in empty[:SPELLED_OUT])
        faults.append(Fault(f"trade.{column}", f"is empty in {len(empty)} rows ({rows})", "name it"))
    return tuple(sorted(str(v) for v in frame[column].dropna().unique()))


def _same_names(
    frame: pd.DataFrame, name: str, column: str, known: Sequence[str], faults: list[Fault]
) -> None:
    """Regions that stand in one table and not in the other."""
    here = {str(v) for v in frame[column].dropna().unique()}
    for code in sorted(here - set(known)):
        cure = did_you_mean(code, known) or "add its flows or drop it here"
        faults.append(Fault(f"{name}.{column}", f"{code!r} is not in trade", cure))
    for code in sorted(set(known) - here):
        faults.append(Fault(f"{name}.{column}", f"{code!r} of trade is missing", "add its rows"))


def _fill(
    frame: pd.DataFrame,
    name: str,
    axes: dict[str, tuple[str, ...]],
    column: str,
    faults: list[Fault],
    missing_is_zero: bool = False,
    repeated: bool = True,
) -> Array:
    """The column as an array over the axes, NaN where a fault was noted; `repeated` reports duplicates."""
    import pandas as pd

    shape = tuple(len(names) for names in axes.values())
    codes = np.array(
        [pd.Index(names).get_indexer(pd.Index(frame[a].astype(str))) for a, names in axes.items()]
    )
    inside = (codes >= 0).all(axis=0)
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
    flat = np.ravel_multi_index(tuple(codes[:, inside]), shape)
    out = np.full(int(np.prod(shape)), np.nan)
    out[flat] = values[inside]
    seen = np.bincount(flat, minlength=len(out))

    def report(cells: NDArray[np.intp], what: str, cure: str) -> None:
        for cell in cells[:SPELLED_OUT]:
            place = np.unravel_index(int(cell), shape)
            label = ", ".join(names[int(k)] for names, k in zip(axes.values(), place, strict=True))
            faults.append(Fault(f"{name}[{label}].{column}", what, cure))
        if len(cells) > SPELLED_OUT:
            faults.append(Fault(f"{name}.{column}", f"{len(cells) - SPELLED_OUT} more: {what}", cure))

    holes = np.flatnonzero((seen > 0) & np.isnan(out))
    report(holes, "is not a number", "fill it; 0 = nothing")
    if repeated:
        report(np.flatnonzero(seen > 1), "stands more than once", "add the rows up, or drop one")
    absent = seen == 0
    if missing_is_zero:
        out[absent] = 0.0
    else:
        # A region that is missing as a whole is told once, by `_same_names`.
        whole = np.zeros(len(out), dtype=bool)
        if "region" in axes:
            by_region = absent.reshape(shape[0], -1).all(axis=1)
            whole = np.repeat(by_region, len(out) // shape[0])
        report(np.flatnonzero(absent & ~whole), "is missing", "add the row; 0 = nothing")
    return out.reshape(shape)
