"""A trade table from the fitted flows of an estimated gravity model, domestic sales included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.world.trade_frame import table_from_frame
from landbridge.world.trade_table import TradeTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["table_from_estimate"]


def table_from_estimate(
    estimate: Any,
    theta: float | Mapping[str, float] = 4.0,
    year: int | None = None,
    sector: str | None = None,
    production: pd.DataFrame | None = None,
    inputs: pd.DataFrame | None = None,
    fill_missing: bool = False,
) -> TradeTable:
    """A trade table from a gravity estimate, the implementation of `TradeTable.from_estimate`.

    Arguments, result and errors as in `TradeTable.from_estimate`.
    """
    sample = getattr(estimate, "sample", None)
    method = getattr(estimate, "method", None)
    if sample is None or method != "ppml":
        what = "is least squares" if method == "ols" else f"is a {type(estimate).__name__}"
        cure = "estimate flows by PPML: estimate(...)"
        raise DataError("the trade table has 1 fault", [Fault("estimate", what, cure)])
    faults: list[Fault] = []
    if sample.sides is None:
        cure = 'name the two sides in estimate(): exporter="...", importer="..."'
        faults.append(Fault("estimate", "does not say who exports and who imports", cure))
    frame: pd.DataFrame = sample.frame.assign(trade_fitted_=estimate.fitted)
    if sector is not None and sector not in frame:
        cure = did_you_mean(sector, frame.columns) or "it must stand in the formula"
        faults.append(Fault("sector", f"there is no column {sector!r} in the sample", cure))
    if year is not None and sample.year is None:
        faults.append(Fault("year", "is given, and the sample has no years", "leave it out"))
    elif sample.year is not None:
        frame = _of_year(frame, sample.year, year, faults)
    if not faults and not (frame[sample.sides[0]] == frame[sample.sides[1]]).any():
        cure = "estimate with domestic sales in the data (exporter = importer) and in the sample"
        faults.append(Fault("estimate", "has no domestic sales", cure))
    if faults:
        raise DataError(f"the trade table has {len(faults)} fault{'s' * (len(faults) > 1)}", faults)
    columns = {sample.sides[0]: "origin", sample.sides[1]: "destination", "trade_fitted_": "trade"}
    if sector is not None:
        columns[sector] = "sector"
    long = frame[list(columns)].rename(columns=columns).reset_index(drop=True)
    return table_from_frame(long, theta, production, inputs, fill_missing)


def _of_year(frame: pd.DataFrame, column: str, year: int | None, faults: list[Fault]) -> pd.DataFrame:
    """The rows of a year; all rows where the sample has one year and none is asked for."""
    known = sorted(frame[column].unique().tolist())
    if year is None and len(known) < 2:
        return frame
    if year in known:
        return frame[frame[column] == year]
    what = f"{year} is not in the sample" if year is not None else "is not given, and the sample has several"
    faults.append(Fault("year", what, f"give one of {', '.join(f'{y:g}' for y in known)}"))
    return frame
