"""Balance a trade table: domestic sales, inputs and final demand that clear markets at given trade abroad.

    Y_n^s = H_n^s + sum_{d != n} F_nd^s,   sum_s b_n^s Y_n^s = GDP_n - tariffs_n
    H_n^s + sum_{o != n} F_on^s (1 + t_on^s) = sum_k u_n^sk + c_n^s
    sum_s u_n^sk = (1 - b_n^k) Y_n^k,   sum_s c_n^s = GDP_n + D_n

Given are trade abroad F, tariffs t, GDP and value-added shares b. Domestic sales H are those of the source
times one factor per country, but at least a stated part of exports. Uses u and final demand c start from the
source's shares and are scaled by rows and columns in turn to both sums (RAS). Known totals of trade are met
first, by scaling their cells in turn.

Source: the recipe of the embedded table without its own choices; RAS as in Stone (1961).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, InfeasibleError
from landbridge.world.trade_table import TradeTable

__all__ = ["Balanced", "Total", "balance", "impose"]

Array = NDArray[np.float64]

# Domestic sales are at least this part of exports of the same sector.
LEAST_HOME = 0.03
# Tolerances of RAS and of the totals of trade, relative to the total.
_TOL, _SWEEPS = 1e-13, 20_000
_TOTAL_TOL, _TOTAL_SWEEPS = 1e-9, 2_000


@dataclass(frozen=True)
class Balanced:
    """A table whose markets clear, and its distance from the source.

    table: the balanced table. home_factor [n]: domestic sales after / before. moved_inputs, moved_final [n]:
    half the sum of absolute changes of the shares, those of inputs weighted by material. raised [n, s]:
    whether domestic sales were raised to LEAST_HOME.
    """

    table: TradeTable
    home_factor: Array
    moved_inputs: Array
    moved_final: Array
    raised: NDArray[np.bool_]


@dataclass(frozen=True)
class Total:
    """A known sum of trade abroad: cells [o, d, s] that add up to musd [million USD, producer prices].

    name: of the sum in faults.
    """

    name: str
    cells: NDArray[np.bool_]
    musd: float


def impose(trade: Array, totals: Sequence[Total]) -> Array:
    """Scale trade so that its cells add up to known totals, one total after the other until all are met.

    trade [o, d, s]: million USD; totals: the sums to meet. Returns scaled trade of the same shape. Source:
    Stone (1961), as in the head of the module.
    Raises DataError where there is nothing to scale, InfeasibleError where totals contradict each other.
    """
    out = np.array(trade)
    faults = [
        Fault(total.name, "there is no trade to scale", "name pairs and sectors that trade in the source")
        for total in totals
        if total.musd > 0.0 and not out[total.cells].any()
    ]
    if faults:
        raise DataError("totals cannot be met", faults)
    for _ in range(_TOTAL_SWEEPS):
        for total in totals:
            out[total.cells] *= total.musd / max(float(out[total.cells].sum()), 1e-300)
        if all(_gap(out, total) <= _TOTAL_TOL for total in totals):
            return out
    off = [total for total in totals if _gap(out, total) > _TOTAL_TOL]
    faults = [
        Fault(
            total.name,
            f"comes to {out[total.cells].sum():,.1f} in place of {total.musd:,.1f} musd",
            "totals of the same trade contradict each other: leave one out",
        )
        for total in off
    ]
    raise InfeasibleError("totals cannot all be met", faults)


def _gap(trade: Array, total: Total) -> float:
    return abs(float(trade[total.cells].sum()) - total.musd) / max(total.musd, 1.0)


def balance(source: TradeTable, gdp: Array, least_home: float = LEAST_HOME) -> Balanced:
    """The source's table with domestic sales and shares changed so that all markets clear at the given GDP.

    source: table whose trade abroad, tariffs and value-added shares are kept; gdp [n]: value added and tariff
    revenue [million USD]; least_home: least domestic sales over exports of the sector [fraction]. Returns a
    Balanced. Equations and source: head of `landbridge.world.balance`.
    Raises InfeasibleError that lists every country whose exports need more value added than its GDP, whose
    spending would not be positive, or whose sales of some sector nothing in the source uses.
    """
    N = len(source.regions)
    at = np.arange(N)
    abroad = np.array(source.trade)
    abroad[at, at] = 0.0
    home = source.trade[at, at]
    b = source.value_added_share
    exports, paid = abroad.sum(axis=1), (abroad * (1.0 + source.tariff)).sum(axis=0)
    to_make = gdp - (abroad * source.tariff).sum(axis=(0, 2)) - (b * exports).sum(axis=1)
    final = gdp + abroad.sum(axis=(0, 2)) - abroad.sum(axis=(1, 2))
    least = least_home * exports
    faults = _cannot_be(source, gdp, to_make - (b * least).sum(axis=1), final, home)
    if faults:
        raise InfeasibleError("the table cannot be balanced", faults)
    factor, sold = _domestic(home, least, b, to_make)
    output = sold + exports
    material = (1.0 - b) * output
    inputs, shares = np.array(source.input_share), np.array(source.final_share)
    moved_inputs, moved_final = np.zeros(N), np.zeros(N)
    for n in range(N):
        seed = np.concatenate([inputs[n] * material[n], (shares[n] * final[n])[:, None]], axis=1)
        found = _ras(seed, sold[n] + paid[n], np.append(material[n], final[n]))
        if found is None:
            unused = [
                source.sectors[s] for s in np.flatnonzero(~seed.any(axis=1) & (sold[n] + paid[n] > 0.0))
            ]
            what = f"nothing uses {', '.join(unused)}" if unused else "no uses fit its sales and incomes"
            cure = "give it input or final shares there, or take its trade away"
            faults.append(Fault(source.regions[n], what, cure))
            continue
        used, left = found[:, :-1], found[:, -1]
        new_inputs = np.where(
            material[n] > 0.0, used / np.where(material[n] > 0.0, material[n], 1.0), inputs[n]
        )
        gap = 0.5 * np.abs(new_inputs - inputs[n]).sum(axis=0)
        moved_inputs[n] = float(gap @ material[n]) / max(float(material[n].sum()), 1e-300)
        moved_final[n] = 0.5 * float(np.abs(left / final[n] - shares[n]).sum())
        inputs[n], shares[n] = new_inputs, left / final[n]
    if faults:
        raise InfeasibleError("the table cannot be balanced", faults)
    abroad[at, at] = sold
    table = replace(source, trade=abroad, input_share=inputs, final_share=shares)
    return Balanced(table, factor, moved_inputs, moved_final, least > (1.0 + 1e-9) * factor[:, None] * home)


def _cannot_be(source: TradeTable, gdp: Array, left: Array, final: Array, home: Array) -> list[Fault]:
    faults = []
    for n, region in enumerate(source.regions):
        if not (np.isfinite(gdp[n]) and gdp[n] > 0.0):
            faults.append(Fault(region, f"GDP is {gdp[n]:,.1f} musd", "give a positive GDP"))
        elif left[n] <= 0.0:
            what = f"exports and tariffs hold {-left[n]:,.0f} musd more than its GDP of {gdp[n]:,.0f}"
            cure = "give its GDP as a total of the same year, or lower its exports or value-added shares"
            faults.append(Fault(region, what, cure))
        elif final[n] <= 0.0:
            what = f"exports less imports are above its GDP of {gdp[n]:,.0f} musd: nothing is left to spend"
            faults.append(Fault(region, what, "check its exports and imports, or give its GDP"))
        elif not home[n].any():
            faults.append(Fault(region, "has no domestic sales in the source", "give it domestic sales"))
    return faults


def _domestic(home: Array, least: Array, b: Array, to_make: Array) -> tuple[Array, Array]:
    """One factor per country on domestic sales, at least `least`, at which value added equals `to_make`."""
    factor = np.ones(len(home))
    for n in range(len(home)):
        # Value added is piecewise linear in the factor: a sector leaves its floor at least / home.
        low, high = 0.0, 1.0
        while float(b[n] @ np.maximum(high * home[n], least[n])) < to_make[n]:
            high *= 2.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            below = float(b[n] @ np.maximum(middle * home[n], least[n])) < to_make[n]
            low, high = (middle, high) if below else (low, middle)
        free = high * home[n] > least[n]
        fixed = float(b[n] @ np.where(free, 0.0, least[n]))
        factor[n] = (to_make[n] - fixed) / float(b[n] @ np.where(free, home[n], 0.0)) if free.any() else high
    return factor, np.maximum(factor[:, None] * home, least)


def _ras(seed: Array, rows: Array, columns: Array) -> Array | None:
    """The seed scaled to sums of rows and columns; None where they are not met."""
    out = np.array(seed)
    size = float(rows.sum())
    for _ in range(_SWEEPS):
        total = out.sum(axis=1)
        if (rows[total <= 0.0] > 1e-12 * size).any():
            return None
        out *= (rows / np.where(total > 0.0, total, 1.0))[:, None]
        total = out.sum(axis=0)
        out *= columns / np.where(total > 0.0, total, 1.0)
        if np.abs(out.sum(axis=1) - rows).max() <= _TOL * size:
            return out
    return None
