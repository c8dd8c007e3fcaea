"""Percentiles of real income over the draws of a sweep, and which numbers move it most.

    p05, p50, p95: of 100 (real income after / before - 1) over the converged draws
    cause: Spearman's rank correlation of a drawn number with it

Draws are independent, so that a rank correlation of each number by itself is sound: it needs no further
solves and no linear form, only that real income rises or falls with the number throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import Status
from landbridge.sweeps.cases import Case
from landbridge.sweeps.draws import drawn
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

    rows: {region, scenario, p05, p50, p95, n} in percent of real income. cause_rows: {region, scenario,
    parameter, rank_correlation, percent_low, percent_high, chance} for Central Asia, the strongest first;
    percent_low and percent_high are means over the fifth of the draws with the lowest and highest numbers.
    unsolved: {index, scenario, message} of draws without a solution. draws: finished. missing: indices below
    the highest one that are not there, as where a shard is still to come. cases: in the order of index.
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

    @property
    def real_income(self) -> pd.DataFrame:
        """Percentiles by region and scenario, percent of real income."""
        import pandas as pd

        return pd.DataFrame.from_records(self.rows)

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
            "draws": self.draws,
            "missing": self.missing,
            "unsolved": self.unsolved,
        }


def collected(world: World, plan: Plan, cases: Sequence[Case]) -> SweepResult:
    """Percentiles and causes of finished cases, which may be some of those asked for."""
    regions = world.trade.regions
    rows: list[dict[str, Any]] = []
    causes: list[dict[str, Any]] = []
    unsolved = [
        {"index": case.index, "scenario": name, "message": case.message[name]}
        for case in cases
        for name, income in case.income.items()
        if income is None
    ]
    numbers = [drawn(plan, case.index) for case in cases]
    five = [n for n, region in enumerate(regions) if region in world.group(CENTRAL_ASIA)]
    mine = five or list(range(len(regions)))
    for scenario in plan.scenarios:
        solved = [at for at, case in enumerate(cases) if case.income[scenario.id] is not None]
        if not solved:
            continue
        percent = 100.0 * (np.array([cases[at].income[scenario.id] for at in solved]) - 1.0)
        low, middle, high = np.percentile(percent, (5.0, 50.0, 95.0), axis=0)
        rows += [
            {
                "region": region,
                "scenario": scenario.id,
                "p05": float(low[n]),
                "p50": float(middle[n]),
                "p95": float(high[n]),
                "n": len(solved),
            }
            for n, region in enumerate(regions)
        ]
        if len(solved) >= FEWEST_FOR_CAUSES:
            moved = {m.key: np.array([numbers[at][m.key] for at in solved]) for m in plan.moved}
            causes += [
                {"region": regions[n], "scenario": scenario.id, **cause}
                for n in mine
                for cause in causes_of(moved, percent[:, n])
            ]
    missing = max((case.index + 1 for case in cases), default=0) - len(cases)
    return SweepResult(
        plan, regions, rows, causes, unsolved, len(cases), missing, _status(cases, unsolved), tuple(cases)
    )


def causes_of(moved: dict[str, FloatArray], percent: FloatArray) -> list[dict[str, Any]]:
    """The numbers whose ranks go most with those of real income."""
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
