"""Effects of farm technology: shocks of the farm channel in the economy, case by case.

Freight costs are constant. Results are for fixed and for proportional trade deficits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.farm import SECTOR, FarmShock, farm_shocks
from landbridge.errors import Status
from landbridge.trade import Equilibrium, solve
from landbridge.trade.welfare import worth
from landbridge.world import World

__all__ = ["FOOD", "Farm", "farm", "food_figures"]

FloatArray = NDArray[np.float64]

# Food: farm products and processed food.
FOOD = ("AGR", "FOO")


@dataclass(frozen=True)
class Farm:
    """Every case of farm technology.

    shocks: one a case; rows: by case and region; status: the worst of the solves.
    """

    shocks: tuple[FarmShock, ...]
    rows: tuple[dict[str, Any], ...]
    status: Status

    def of(self, region: str, case: str) -> dict[str, Any]:
        """The row of a region in a case. Raises KeyError where there is none."""
        return next(r for r in self.rows if r["region"] == region and r["case"] == case)

    def to_json(self) -> dict[str, Any]:
        """The result as plain values, as `--json` prints it."""
        return {
            "effects": list(self.rows),
            "shocks": [crop.as_json() for shock in self.shocks for crop in shock.crops],
        }


def farm(
    world: World,
    *,
    regions: Sequence[str] | None = None,
    crops: Sequence[str] | None = None,
    adoption: float | None = None,
    effect_percent: float | None = None,
) -> Farm:
    """The four cases of `farm_shocks` solved: output, food prices, farm trade and real income [% change].

    world, regions, crops, adoption, effect_percent: as in `farm_shocks`. Returns a Farm, with rows of the
    countries shocked and of China. Equations: docs/theory/economy.md.
    Raises DataError as `farm_shocks` does, ConvergenceError where the economy has no solution.
    """
    shocks = farm_shocks(
        world, regions=regions, crops=crops, adoption=adoption, effect_percent=effect_percent
    )
    moved = sorted({crop.region for shock in shocks for crop in shock.crops})
    shown = [*moved, *(["CHN"] if "CHN" in world.trade.regions and "CHN" not in moved else [])]
    rows: list[dict[str, Any]] = []
    statuses: list[Status] = []
    for shock in shocks:
        eq = solve(world.trade, productivity_hat=shock.productivity_hat)
        other = solve(world.trade, productivity_hat=shock.productivity_hat, deficits="proportional")
        statuses += [eq.status, other.status]
        rows += [_row(shock, eq, other, region) for region in shown]
    return Farm(shocks, tuple(rows), Status.worst(statuses))


def food_figures(eq: Equilibrium, region: str) -> dict[str, float]:
    """Food of a region after / before: price relative to the cost of living, imports, dependence on them.

    food_price_percent: change of sum_s alpha_s ln P_s over FOOD (weights scaled to one) less that of all
    goods and services; import_dependence: imports over all sales of food in the country, at producer prices.

    eq: the solved case; region: code.
    """
    base, n = eq.base, eq.base.regions.index(region)
    at = [base.sectors.index(s) for s in FOOD if s in base.sectors]
    weight = base.final_share[n, at] / base.final_share[n, at].sum()
    log = np.log(eq.price_hat[n])
    figures = {
        "food_price_percent": 100.0 * float(np.expm1(weight @ log[at] - base.final_share[n] @ log)),
    }
    for name, trade in (("base_", base.trade), ("", eq.trade)):
        sold = trade[:, n][:, at]
        exports = float(trade[n][:, at].sum() - sold[n].sum())
        imports = float(sold.sum() - sold[n].sum())
        figures[f"{name}food_exports_musd"] = exports
        figures[f"{name}food_imports_musd"] = imports
        figures[f"{name}import_dependence"] = imports / float(sold.sum())
    return figures


def _row(shock: FarmShock, eq: Equilibrium, other: Equilibrium, region: str) -> dict[str, Any]:
    base = eq.base
    n, s = base.regions.index(region), base.sectors.index(SECTOR)
    hat = float(shock.productivity_hat[n, s])
    # Value over the producer price is the quantity harvested.
    output = float(eq.trade[n, :, s].sum() / base.trade[n, :, s].sum()) / (
        float(eq.unit_cost_hat[n, s]) / hat
    )
    return {
        "case": shock.case,
        "region": region,
        "productivity_percent": 100.0 * (hat - 1.0),
        "output_percent": 100.0 * (output - 1.0),
        **food_figures(eq, region),
        "real_income_percent": 100.0 * float(eq.real_income_hat[n] - 1.0),
        "real_income_percent_proportional": 100.0 * float(other.real_income_hat[n] - 1.0),
        **worth(base, n, float(eq.real_income_hat[n] - 1.0)),
    }
