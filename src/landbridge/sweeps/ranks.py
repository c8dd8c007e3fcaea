"""Whether the gateways keep their ranks over the draws of a sweep.

    tau = (pairs in the same order - pairs in the other order) / pairs,   tau-b where some are equal

of the worth of one hour at the gateways, between the draws at 5 % and at 95 % of real income. The worth is
the derivative of the solved chain, with the waits adjusting (`landbridge.model.adjoint`).

Source: Kendall (1938), Biometrika 30.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.model.adjoint import chain_gradient
from landbridge.results import Results
from landbridge.sweeps.cases import Bench
from landbridge.sweeps.collect import SweepResult
from landbridge.trade.welfare import CENTRAL_ASIA, Outcome, outcome_value, parse_outcome
from landbridge.world import World
from landbridge.world.groups import standard_groups

__all__ = ["FEWEST_FOR_RANKS", "TOP", "ranked", "with_ranks"]

FloatArray = NDArray[np.float64]

# Gateways whose ranks are compared, those worth most.
TOP = 20
# Of fewer draws the one at 5 % is simply the lowest.
FEWEST_FOR_RANKS = 20
_ENDS = {"p05": 0.05, "p95": 0.95}
_USD_PER_MUSD = 1e6


@dataclass(frozen=True, eq=False)
class _Draw:
    """A draw of a scenario: its index, the change of real income [%], USD a year of one hour [gateway]."""

    index: int
    percent: float
    usd_per_h: FloatArray


def with_ranks(
    world: World, found: SweepResult, progress: Callable[[str, float], None] | None = None
) -> SweepResult:
    """A sweep with the ranks of the gateways at its draws at 5 % and 95 % of real income.

    world: with which the sweep was made; found: the sweep; progress: called with text and share done. Draws
    are ordered by real income of Central Asia, or of all regions where the World lacks one of its countries.
    Both are solved again, a minute a scenario with the embedded data. Returns the sweep with `rank_rows` and
    `gateway_rows`; a scenario with fewer than 20 solved draws has none. Equations:
    docs/theory/sensitivity.md. Raises as `landbridge.run`.
    """
    tell = progress or (lambda text, share: None)
    tell("searching routes", 0.0)
    bench: Bench | None = None
    summary: list[dict[str, Any]] = []
    gateways: list[dict[str, Any]] = []
    for number, scenario in enumerate(found.plan.scenarios):
        if sum(case.income[scenario.id] is not None for case in found.cases) < FEWEST_FOR_RANKS:
            continue
        bench = bench or Bench(world, found.plan)
        tell(f"ranking gateways of {scenario.id}", number / len(found.plan.scenarios))
        row, rows = _of_scenario(bench, found, number)
        summary.append(row)
        gateways += rows
    tell("done", 1.0)
    return replace(found, rank_rows=summary, gateway_rows=gateways)


def _of_scenario(
    bench: Bench, found: SweepResult, number: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The summary of one scenario and its gateways."""
    scenario, table = found.plan.scenarios[number], bench.world.trade
    five = set(standard_groups()[CENTRAL_ASIA]) <= set(table.regions)
    of = f"real_income:{CENTRAL_ASIA if five else 'world'}"
    outcome = parse_outcome(of, table)
    values: dict[int, float] = {}
    for case in found.cases:
        income = case.income[scenario.id]
        if income is not None:
            values[case.index] = outcome_value(outcome, table, income, income, table.trade)
    order = sorted(values, key=lambda index: (values[index], index))
    ends: dict[str, _Draw] = {}
    names: tuple[str, ...] = ()
    for end, share in _ENDS.items():
        index = order[round(share * (len(order) - 1))]
        result = bench.solved(index, number)
        names = tuple(result.graph.gateways)
        ends[end] = _Draw(index, 100.0 * (values[index] - 1.0), _worth_of_an_hour(result, of, outcome))
    low, high = ends["p05"], ends["p95"]
    tau, shared, chosen = ranked(low.usd_per_h, high.usd_per_h)
    row = {
        "scenario": scenario.id,
        "draw_p05": low.index,
        "draw_p95": high.index,
        "percent_p05": low.percent,
        "percent_p95": high.percent,
        "gateways": len(chosen),
        "kendall": tau,
        "shared": shared,
    }
    places = {end: _places(draw.usd_per_h) for end, draw in ends.items()}
    rows = [
        {
            "scenario": scenario.id,
            "gateway": names[j],
            "rank_p05": int(places["p05"][j]),
            "rank_p95": int(places["p95"][j]),
            "usd_per_h_p05": float(low.usd_per_h[j]),
            "usd_per_h_p95": float(high.usd_per_h[j]),
        }
        for j in chosen
    ]
    return row, rows


def ranked(one: FloatArray, two: FloatArray, top: int = TOP) -> tuple[float | None, int, list[int]]:
    """Kendall's tau-b of the gateways worth most, between two draws.

    one, two [gateway]: worths, whose size counts. top: how many are compared, those with the largest sum of
    shares in the total of each draw. Returns tau (None where one draw ranks all alike), how many of the `top`
    of one draw are among those of the other, and the positions of those compared, the largest first.
    Source: Kendall (1945), Biometrika 33, for tau-b.
    """
    from scipy.stats import kendalltau

    size = np.abs(np.stack([one, two]))
    total = size.sum(axis=1, keepdims=True)
    share = (size / np.where(total > 0.0, total, 1.0)).sum(axis=0)
    chosen = [int(j) for j in np.argsort(-share, kind="stable")[:top] if share[j] > 0.0]
    tau = float(kendalltau(*size[:, chosen]).statistic) if len(chosen) > 1 else np.nan
    first, second = ({j for j in np.flatnonzero(_places(one) <= top) if one[j]} for one in size)
    return (tau if np.isfinite(tau) else None), len(first & second), chosen


def _places(worth: FloatArray) -> NDArray[np.int64]:
    """The rank of every gateway by the size of its worth, the largest 1."""
    places = np.empty(len(worth), dtype=np.int64)
    places[np.argsort(-np.abs(worth), kind="stable")] = np.arange(1, len(worth) + 1)
    return places


def _worth_of_an_hour(result: Results, of: str, outcome: Outcome) -> FloatArray:
    """Gain of the owners of the outcome from one hour less at a gateway [gateway], USD a year.

        -I W sum over arcs of the gateway of L_h

    Both directions and both products alike, at the spread of the hours as it is.
    """
    graph, equilibrium = result.graph, result.equilibrium[result.closure]
    by_hour = graph.at_gateways_by_way(chain_gradient(result, of).arcs.time_h).sum(axis=(1, 2))
    income = float(equilibrium.base.income[list(outcome.regions)].sum())
    return np.asarray(-_USD_PER_MUSD * income * equilibrium.outcome(of) * by_hour)
