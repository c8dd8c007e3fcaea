"""A base economy of a later year: regions grow to a stated GDP, and trade adjusts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landbridge.errors import ConvergenceError, DataError, Fault, Status
from landbridge.trade.economy import Closure
from landbridge.trade.equilibrium import solve
from landbridge.world.trade_table import TradeTable

__all__ = ["grown"]

Array = NDArray[np.float64]


def grown(
    table: TradeTable,
    value_added_hat: ArrayLike,
    deficits: Closure = "fixed",
    tol: float = 1e-9,
    most: int = 60,
) -> TradeTable:
    """The table in which every region's value added has grown by a stated factor, at constant world prices.

    Labour in efficiency units L^ grows: A_n^s^ = L_n^^(b_n^s (1 - r_n^s)) gives the same equilibrium as more
    labour. L^ is found so that w_n^ L_n^ = v_n^ / v^, the stated factor over that of the world; all values
    are then scaled by v^, so that volumes grow with the world's value added. Costs, tariffs, shares of inputs
    and of spending are constant; transfers grow with the world.

    table: the base; value_added_hat [n]: value added after / before, in one currency and price year;
    deficits: closure as in `solve`; tol: largest error of ln(value added); most: iterations at most.
    Raises DataError where a factor is not positive, ConvergenceError where no such L^ is found, and as
    `solve`.
    Source: hats of endowments as in Dekle, Eaton and Kortum (2008); the inversion is landbridge's own.
    """
    hat = np.asarray(value_added_hat, dtype=float)
    if hat.shape != (len(table.regions),) or not np.all(np.isfinite(hat) & (hat > 0.0)):
        what = f"has shape {hat.shape}"
        if hat.shape == (len(table.regions),):
            bad = [r for r, v in zip(table.regions, hat, strict=True) if not (np.isfinite(v) and v > 0.0)]
            what = f"is not positive for {', '.join(bad)}"
        cure = "give one positive factor for each region"
        raise DataError("growth cannot be read", [Fault("value_added_hat", what, cure)])
    start = solve(table, deficits=deficits)
    before = start.table().value_added
    world = float(hat @ before / before.sum())
    target = hat / world
    log_labour = np.log(target)
    gap, previous = np.inf, start
    for _ in range(most):
        productivity = np.exp(log_labour[:, None] * table.labour_share)
        eq = solve(table, productivity_hat=productivity, deficits=deficits, start=previous)
        missed = np.log(target * before / eq.table().value_added)
        gap = float(np.abs(missed).max())
        if gap < tol:
            grown_table = eq.table()
            return replace(grown_table, trade=grown_table.trade * world)
        log_labour += missed
        previous = eq
    cure = "check the factors: none should be many times another"
    status = Status(False, gap, most, f"value added misses its target by {gap:.1e}: {cure}")
    raise ConvergenceError(f"no base economy of that size was found: {status.message}")
