"""Percentiles of real income over the draws of a sweep, and which numbers move it most.

    p05, p50, p95: of 100 (real income after / before - 1) over the converged draws
    cause: Spearman's rank correlation of a drawn number with it

Draws are independent, so that a rank correlation of each number by itself is sound: it needs no further
solves and no linear form, only that real income rises or falls with the number throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import Status
from landbridge.sweeps.cases import Case
from landbridge.sweeps.draws import drawn
from landbridge.sweeps.indices import indices_of, part_of, whole_blocks
from landbridge.sweeps.plan import Plan
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.world import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FEWEST_FOR_CAUSES", "SweepResult", "causes_of", "collected"]

FloatArray = NDArray[np.float64]

# Fewer draws say nothing about causes.
FEWEST_FOR_CAUSES = 20
# Causes listed for each region and scenario, the strongest first.
CAUSES = 10
# The lowest and the highest part of the draws of a number that are compared.
_END = 0.2
# Of a normal distribution: by chance one rank correlation in twenty exceeds this over sqrt(n - 1).
_CHANCE = 1.96


@dataclass(frozen=True, eq=False)
class SweepResult:
    """What a sweep found.

    plan: that was solved; regions: codes, in the order of real incomes; status: the worst of all solves.
    rows: {region, scenario, p05, p50, p95, n} in percent of real income. cause_rows: {region, scenario,
    parameter, rank_correlation, percent_low, percent_high, chance} for Central Asia, the strongest first;
    percent_low and percent_high are means over the fifth of the draws with the lowest and highest numbers.
    unsolved: {index, scenario, message} of draws without a solution. draws: finished. missing: indices below
    the highest one that are not there, as where a shard is still to come. cases: in the order of index.
    rank_rows: {scenario, draw_p05, draw_p95, percent_p05, percent_p95, gateways, kendall, shared} and
    gateway_rows: {scenario, gateway, rank_p05, rank_p95, usd_per_h_p05, usd_per_h_p95}, both only from
    `landbridge.sweeps.ranks.with_ranks`. index_rows: {region, scenario, parameter, first, first_low,
    first_high, total, total_low, total_high, n} for Central Asia, the largest total first, where draws are
    "saltelli"; ends of 95 %, n in blocks.
    """

    plan: Plan
    regions: tuple[str, ...]
    rows: list[dict[str, Any]]
    cause_rows: list[dict[str, Any]]
    unsolved: list[dict[str, Any]]
    draws: int
    missing: int
    status: Status
    cases: tuple[Case, ...] = field(repr=False, default=())
    rank_rows: list[dict[str, Any]] = field(default_factory=list)
    gateway_rows: list[dict[str, Any]] = field(default_factory=list)
    index_rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def real_income(self) -> pd.DataFrame:
        """Percentiles by region and scenario, percent of real income."""
        import pandas as pd

        return pd.DataFrame.from_records(self.rows)

    @property
    def indices(self) -> pd.DataFrame:
        """Variance-based indices by region and scenario, the largest total first."""
        import pandas as pd

        return pd.DataFrame.from_records(self.index_rows)

    @property
    def causes(self) -> pd.DataFrame:
        """Rank correlations by region and scenario, the strongest first."""
        import pandas as pd

        return pd.DataFrame.from_records(self.cause_rows)

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints under `result`."""
        return {
            "real_income": self.rows,
            "causes": self.cause_rows,
            "indices": self.index_rows,
            "ranks": self.rank_rows,
            "gateways": self.gateway_rows,
            "draws": self.draws,
            "missing": self.missing,
            "unsolved": self.unsolved,
        }


def collected(world: World, plan: Plan, cases: Sequence[Case]) -> SweepResult:
    """Percentiles and causes of finished cases, which may be some of those asked for.

    world, plan: of the sweep; cases: those finished. Returns a SweepResult [% of income]. Equations: heads of
    `landbridge.sweeps.collect` and `landbridge.sweeps.indices`. Raises DataError where the World has no group
    CA5.
    """
    regions = world.trade.regions
    unsolved = [
        {"index": case.index, "scenario": name, "message": case.message[name]}
        for case in cases
        for name, income in case.income.items()
        if income is None
    ]
    five = {n: region for n, region in enumerate(regions) if region in world.group(CENTRAL_ASIA)}
    mine = five or dict(enumerate(regions))
    rows: list[dict[str, Any]] = []
    causes: list[dict[str, Any]] = []
    indices: list[dict[str, Any]] = []
    for scenario in plan.scenarios:
        solved = [case for case in cases if case.income[scenario.id] is not None]
        apart = _independent(plan, solved)
        if not apart:
            continue
        percent = _percent(apart, scenario.id)
        rows += _percentiles(scenario.id, regions, percent)
        causes += _causes(plan, scenario.id, apart, {region: percent[:, n] for n, region in mine.items()})
        indices += _indices(plan, scenario.id, solved, mine)
    missing = max((case.index + 1 for case in cases), default=0) - len(cases)
    return SweepResult(
        plan,
        regions,
        rows,
        causes,
        unsolved,
        len(cases),
        missing,
        _status(cases, unsolved),
        tuple(cases),
        index_rows=indices,
    )


def _independent(plan: Plan, cases: Sequence[Case]) -> list[Case]:
    """The cases whose draws share no numbers: of a block for indices of variance, A and B."""
    if plan.draws != "saltelli":
        return list(cases)
    return [case for case in cases if part_of(case.index, len(plan.moved))[1] < 2]


def _percent(cases: Sequence[Case], scenario: str) -> FloatArray:
    """Change of real income [case, region], percent."""
    return 100.0 * (np.array([case.income[scenario] for case in cases]) - 1.0)


def _percentiles(scenario: str, regions: Sequence[str], percent: FloatArray) -> list[dict[str, Any]]:
    low, middle, high = np.percentile(percent, (5.0, 50.0, 95.0), axis=0)
    return [
        {
            "region": region,
            "scenario": scenario,
            "p05": float(low[n]),
            "p50": float(middle[n]),
            "p95": float(high[n]),
            "n": len(percent),
        }
        for n, region in enumerate(regions)
    ]


def _causes(
    plan: Plan, scenario: str, cases: Sequence[Case], percent: Mapping[str, FloatArray]
) -> list[dict[str, Any]]:
    """Causes by region; percent [case]: change of real income by region."""
    if len(cases) < FEWEST_FOR_CAUSES:
        return []
    numbers = [drawn(plan, case.index) for case in cases]
    moved = {m.key: np.array([one[m.key] for one in numbers]) for m in plan.moved}
    return [
        {"region": region, "scenario": scenario, **cause}
        for region, change in percent.items()
        for cause in causes_of(moved, change)
    ]


def _indices(
    plan: Plan, scenario: str, solved: Sequence[Case], regions: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Variance-based indices from the blocks of which every draw has a solution, by region."""
    if plan.draws != "saltelli":
        return []
    keys = [moved.key for moved in plan.moved]
    at = whole_blocks([case.index for case in solved], len(keys))
    percent = _percent(solved, scenario)
    found: list[dict[str, Any]] = []
    for n, region in regions.items():
        one = indices_of(percent[:, n][at], plan.seed)
        if one is not None:
            found += [{"region": region, "scenario": scenario, **row} for row in one.rows(keys)]
    return found


def causes_of(moved: dict[str, FloatArray], percent: FloatArray) -> list[dict[str, Any]]:
    """The numbers whose ranks go most with those of real income.

    moved: the numbers [draw] by key; percent [draw]: change of real income [%]. Returns rows: parameter,
    rank_correlation (Spearman's), percent_low, percent_high (mean at the draws where the number is lowest and
    highest), chance (the correlation that chance alone can give).
    """
    from scipy.stats import rankdata

    if np.ptp(percent) == 0.0:
        return []
    ranks = rankdata(percent)
    chance = _CHANCE / np.sqrt(len(percent) - 1.0)
    found: list[dict[str, Any]] = []
    for key, values in moved.items():
        if np.ptp(values) == 0.0:
            continue
        low, high = np.quantile(values, (_END, 1.0 - _END))
        found.append(
            {
                "parameter": key,
                "rank_correlation": float(np.corrcoef(rankdata(values), ranks)[0, 1]),
                "percent_low": float(percent[values <= low].mean()),
                "percent_high": float(percent[values >= high].mean()),
                "chance": float(chance),
            }
        )
    found.sort(key=lambda cause: (-abs(cause["rank_correlation"]), cause["parameter"]))
    return found[:CAUSES]


def _status(cases: Sequence[Case], unsolved: Sequence[dict[str, Any]]) -> Status:
    count = sum(len(case.income) for case in cases)
    if not cases:
        return Status(False, 1.0, 0, "no draw is finished: run the sweep first")
    if len(unsolved) == count:
        return Status(False, 1.0, 0, f"none of {count} cases has a solution: narrow the ranges")
    if unsolved:
        return Status(True, 0.0, 0, f"{len(unsolved)} of {count} cases have no solution and are left out")
    return Status(True, 0.0, 0, f"all {count} cases converged")
