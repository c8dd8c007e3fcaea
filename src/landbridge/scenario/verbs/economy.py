"""The verbs that change the economy itself: tariffs, trade costs, productivity, payments.

    change_trade_cost: tau' = tau (1 + percent / 100), or tau' = tau exp(-coefficient / theta_s)

    pay_for: tax: the payer's income pays for works, a sum per year, in its own or another region; transfer:
    the sum is income of another region

A gravity coefficient b of an agreement means that ln(trade) changes by b at given prices, so that trade costs
of sector s change by -b / theta_s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landbridge.scenario.change import Change
from landbridge.scenario.fields import Modification, Move, out_of_bounds
from landbridge.scenario.registry import Verb, verb_columns

__all__ = ["VERBS"]

FloatArray = NDArray[np.float64]


def change_trade_cost(change: Change, m: Modification) -> None:
    """Trade costs of pairs and sectors, in addition to those of freight."""
    rows = _pairs(change, m, "domestic sales have no trade cost")
    given = [key for key in ("percent", "coefficient") if m.get(key) is not None]
    if len(given) != 1:
        cure = "give percent, or the coefficient of a gravity equation"
        what = "both are given" if given else "neither percent nor coefficient is given"
        change.faults.append(m.fault("percent", what, cure))
        return
    if m.get("standard_error") is not None and given == ["percent"]:
        cure = "leave it out, or give the coefficient that it belongs to"
        change.faults.append(m.fault("standard_error", "has no coefficient", cure))
        return
    for key in (*given, *(["standard_error"] if m.get("standard_error") is not None else [])):
        fault = out_of_bounds(verb_columns()[m.verb][key], m.get(key), f"{m.where}, {key}")
        if fault:
            change.faults.append(fault)
            return
    if rows is None:
        return
    theta = np.asarray(change.trade.theta)[rows[2]]
    value = float(m.get(given[0]))
    factor = np.full(len(theta), 1.0 + value / 100.0)
    if given == ["coefficient"]:
        factor = np.exp(-value / theta)
    shape = change.trade.trade.shape
    hat = np.ones(shape) if change.trade_cost is None else np.array(change.trade_cost)
    times = np.ones(shape)
    times[np.ix_(*rows)] = factor
    home = np.arange(shape[0])
    times[home, home] = 1.0
    hat *= times
    hat.setflags(write=False)
    change.trade_cost = hat


def change_tariff(change: Change, m: Modification) -> None:
    """Tariffs of pairs and sectors, within their bounds."""
    rows = _pairs(change, m, "a region levies no tariff on itself")
    if rows is None:
        return
    tariff = np.array(change.trade.tariff if change.tariff is None else change.tariff)
    move: Move = m.get("tariff")
    column = verb_columns()["change_tariff"]["tariff"]
    for o in rows[0]:
        for d in rows[1]:
            if o == d:
                continue
            for s in rows[2]:
                value = move.of(float(tariff[o, d, s]))
                if out_of_bounds(column, value, "") is not None:
                    value = float("nan")
                tariff[o, d, s] = value
    if np.isnan(tariff).any():
        cure = "a tariff is a fraction from 0 to 10: 0.05 for 5 percent"
        change.faults.append(m.fault("tariff", "leads outside its bounds for some pairs", cure))
        return
    tariff.setflags(write=False)
    change.tariff = tariff


def change_productivity(change: Change, m: Modification) -> None:
    """Productivity of regions and sectors."""
    regions, sectors = change.codes(m, "region"), change.codes(m, "sector")
    if not regions or not sectors:
        return
    column = verb_columns()["change_productivity"]["percent"]
    fault = out_of_bounds(column, m.get("percent"), f"{m.where}, percent")
    if fault:
        change.faults.append(fault)
        return
    shape = len(change.trade.regions), len(change.trade.sectors)
    hat = np.ones(shape) if change.productivity is None else np.array(change.productivity)
    hat[np.ix_(regions, sectors)] *= 1.0 + float(m.get("percent")) / 100.0
    hat.setflags(write=False)
    change.productivity = hat


def pay_for(change: Change, m: Modification) -> None:
    """Works paid by a tax, or a transfer between regions, per year."""
    fault = out_of_bounds(verb_columns()["pay_for"]["musd"], m.get("musd"), f"{m.where}, musd")
    if fault:
        change.faults.append(fault)
    ends = {key: change.codes(m, key) for key in ("payer", "region") if m.get(key)}
    for key, found in ends.items():
        if len(found) > 1:
            change.faults.append(m.fault(key, "is a group", "name one region, with a modification for each"))
            return
    if fault or not all(ends.values()):
        return
    (payer,) = ends["payer"]
    (region,) = ends.get("region", [payer])
    how, musd = str(m.get("how")), float(m.get("musd"))
    if how == "transfer" and region == payer:
        cure = 'name another region that receives it, or write how = "tax" for works at home'
        change.faults.append(m.fault("region", "is the payer", cure))
        return
    income = float(change.trade.income[payer])
    for known, sign in ((change.transfer, 1.0), (change.works, -1.0)):
        income += sign * float(known[payer]) if known is not None else 0.0
    if musd >= income:
        what = f"is {musd:,.0f}, and the payer has {income:,.0f} million USD a year left"
        change.faults.append(m.fault("musd", what, "give a yearly sum below it"))
        return
    shape = len(change.trade.regions)
    if region != payer:
        moved = np.zeros(shape) if change.transfer is None else np.array(change.transfer)
        moved[payer] -= musd
        moved[region] += musd
        moved.setflags(write=False)
        change.transfer = moved
    if how == "tax":
        works = np.zeros(shape) if change.works is None else np.array(change.works)
        works[region] += musd
        works.setflags(write=False)
        change.works = works


def _pairs(change: Change, m: Modification, cure: str) -> list[list[int]] | None:
    """Positions of exporters, importers and sectors; None, with a fault, where no pair is left."""
    rows = [change.codes(m, key) for key in ("exporter", "importer", "sector")]
    if not all(rows):
        return None
    if not any(o != d for o in rows[0] for d in rows[1]):
        change.faults.append(m.fault("importer", "is the exporter", f"name another importer: {cure}"))
        return None
    return rows


VERBS = (
    Verb(name="change_trade_cost", apply=change_trade_cost),
    Verb(name="change_tariff", apply=change_tariff),
    Verb(name="change_productivity", apply=change_productivity),
    Verb(name="pay_for", apply=pay_for),
)
