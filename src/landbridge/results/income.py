"""Tables of the effects of a case on economies: real income, trade and value added by region.

Every function takes the equilibria of a case and returns rows in the names of the public interface.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.trade import Equilibrium
from landbridge.trade.closures import Saving, closures
from landbridge.trade.closures import closure_rows as rows_of_closures
from landbridge.trade.welfare import CENTRAL_ASIA, worth
from landbridge.world import World

__all__ = ["Incomes", "closure_rows", "group_rows", "real_income_rows", "trade_rows", "value_added_rows"]

FloatArray = NDArray[np.float64]
Rows = list[dict[str, Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Incomes:
    """The economy of a case, as in `Results`.

    equilibrium, first_order [n] by closure; closure: the main one. direct [n], response: as in `Results`.
    """

    equilibrium: Mapping[str, Equilibrium]
    first_order: Mapping[str, FloatArray]
    closure: str
    direct: FloatArray | None
    response: Mapping[str, FloatArray] | None

    @property
    def main(self) -> Equilibrium:
        """The equilibrium under the main closure."""
        return self.equilibrium[self.closure]

    def of(self, members: NDArray[np.int64]) -> dict[str, float]:
        """Cells of a group of regions, given by number; its real income is sum I_n W_n / sum I_n.

        Base incomes are the weights. percent is of income, GDP plus the deficit; percent_of_gdp = 100 musd /
        gdp_musd.
        percent_revenue_kept: of households, where the budget keeps the change of tariff revenue.
        """
        cells: dict[str, float] = {}
        for closure, suffix in (("fixed", ""), ("proportional", "_proportional"), ("zero", "_zero")):
            if closure not in self.equilibrium:
                continue
            eq = self.equilibrium[closure]
            income = eq.base.income[members]
            weight = income / income.sum()
            change = float(weight @ (eq.real_income_hat[members] - 1.0))
            cells[f"percent{suffix}"] = 100.0 * change
            cells[f"first_order_percent{suffix}"] = 100.0 * float(weight @ self.first_order[closure][members])
            if closure == self.closure and self.direct is not None:
                own = 100.0 * float(weight @ self.direct[members])
                cells["first_order_direct_percent"] = own
                cells["first_order_rest_percent"] = cells[f"first_order_percent{suffix}"] - own
            if closure == self.closure and self.response is not None:
                for end, hat in self.response.items():
                    cells[f"percent_phi_b_{end}"] = 100.0 * float(weight @ (hat[members] - 1.0))
            if closure == "fixed":
                cells |= worth(eq.base, members, change)
                kept = float(weight @ (eq.revenue_kept[members] - 1.0))
                cells["percent_revenue_kept"] = 100.0 * kept
        return cells


def real_income_rows(incomes: Incomes) -> Rows:
    """Change of real income by region: exact and first order, under each closure [percent of income].

    percent = 100 (W^ - 1), W^ real income after / before

    incomes: of a scenario against its base. Columns as in docs/data/results.md, equations in
    docs/theory/economy.md.
    """
    regions = incomes.main.base.regions
    return [{"region": region, **incomes.of(np.array([n]))} for n, region in enumerate(regions)]


def group_rows(incomes: Incomes, groups: Mapping[str, Collection[str]]) -> Rows:
    """Change of real income of groups of regions; groups without a region of the table are absent.

    incomes: of a scenario against its base; groups: codes by name of the group. Columns as in
    `real_income_rows`; the change of a group is sum I_n (W_n^ - 1) / sum I_n, I base income and W^ real
    income after / before.
    """
    regions = incomes.main.base.regions
    rows = []
    for name, codes in groups.items():
        members = [regions.index(code) for code in codes if code in regions]
        if members:
            rows.append({"group": name, **incomes.of(np.array(members))})
    return rows


def closure_rows(incomes: Incomes, world: World) -> Rows:
    """Real income under other closures of trade balance and factors.

    incomes: of a scenario against its base; world: with the parameters of the closures. Columns as in
    `landbridge.trade.closures.closure_rows` [percent], equations in `landbridge.trade.closures`. Raises
    DataError where the World lacks a parameter or the group CA5, and as `closures`.
    """
    share, discount, wear, hours = (
        float(world.parameter(name))
        for name in ("capital_share", "discount_factor", "depreciation", "labour_supply_elasticity")
    )
    saving = Saving(share, discount, wear)
    found = closures(incomes.equilibrium, incomes.main.deficits, hours, saving)
    return rows_of_closures(found, world.group(CENTRAL_ASIA))


def trade_rows(eq: Equilibrium, goods: Sequence[str]) -> Rows:
    """Trade in some sectors by pair of regions: change in percent and in million USD of 2023 a year.

    eq: solved; goods: codes of sectors in the table, ValueError is raised for another. Values are at producer
    prices net of tariff; changes are in the numeraire (world value added).
    """
    table = eq.base
    at = [table.sectors.index(sector) for sector in goods]
    old = table.trade[:, :, at].sum(axis=2)
    new = eq.trade[:, :, at].sum(axis=2)
    return [
        {
            "exporter": o,
            "importer": d,
            "percent": 100.0 * float(new[i, j] / old[i, j] - 1.0),
            "musd": float(new[i, j] - old[i, j]),
            "base_musd": float(old[i, j]),
        }
        for i, o in enumerate(table.regions)
        for j, d in enumerate(table.regions)
        if i != j and old[i, j] > 0.0
    ]


def value_added_rows(eq: Equilibrium) -> Rows:
    """Trade in value added of every region, all sectors, in million USD of 2023 a year.

    eq: the solved equilibrium.
    exports_musd: gross. value_added_exports_musd: own value added finally used abroad, and vax_ratio that
    over gross exports. domestic_in_exports_musd: own value added in gross exports, including what returns
    home.
    Equations: `landbridge.trade.value_added`. Raises DataError where the inputs have no Leontief inverse,
    ConvergenceError where the equilibrium is unconverged.
    """
    accounts = eq.value_added()
    own = np.diag(accounts.in_exports)
    return [
        {
            "region": region,
            "exports_musd": float(accounts.exports[n]),
            "value_added_exports_musd": float(accounts.exported[n]),
            "domestic_in_exports_musd": float(own[n]),
            "vax_ratio": float(accounts.ratio[n]) if accounts.exports[n] > 0.0 else None,
        }
        for n, region in enumerate(accounts.regions)
    ]
