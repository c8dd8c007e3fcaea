"""The part of each group of pairs of countries in a change of real income, in the economy alone.

Trade costs and tariffs of some pairs take their values of the solved case, those of the others stay as in the
base. Pairs with the zone at one end are direct, all others are indirect: they reach the zone through prices,
wages and trade elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError
from landbridge.model.base import SolvedBase
from landbridge.model.economy_inputs import EconomyInputs
from landbridge.results import Results
from landbridge.studies.shapley import shapley
from landbridge.trade import Carriage, solve

__all__ = ["Pairs"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Kind of each part, in the order shown.
_KINDS = {
    "imports": "direct",
    "exports": "direct",
    "inside": "direct",
    "other pairs": "indirect",
    "payments to carriers": "not by pair",
    "other changes": "not by pair",
}


class Pairs:
    """The economy of one case with the costs of some pairs changed.

    base, case: solved, converged; inputs, carriage: those of the whole case, see `Mechanisms.whole`.
    """

    def __init__(
        self, base: SolvedBase, case: Results, inputs: EconomyInputs, carriage: Carriage | None
    ) -> None:
        self.closure, self.case = base.closures[0], case
        self.table, self.before = base.table, base.results.equilibrium[base.closures[0]]
        self.given = inputs.under(case.cost_hat)
        self.carriage = carriage
        moved = np.where(self.table.trade > 0.0, case.cost_hat, 1.0) != 1.0
        if inputs.tariff is not None:
            moved |= inputs.tariff != self.before.base.tariff
        self.moved: BoolArray = moved.any(axis=2)

    def _groups(self, members: Sequence[int]) -> dict[str, BoolArray]:
        """Pairs [o, d] by part, only those of which a cost changes."""
        mine = np.zeros(len(self.table.regions), dtype=bool)
        mine[list(members)] = True
        o, d = mine[:, None], mine[None, :]
        groups = {"imports": ~o & d, "exports": o & ~d, "inside": o & d, "other pairs": ~o & ~d}
        return {name: cells & self.moved for name, cells in groups.items() if (cells & self.moved).any()}

    def parts(self, members: Sequence[int], total: float) -> dict[str, tuple[str, float]]:
        """Kind and size of every part of the change of one zone, a ratio.

        members: numbers of its regions; total: its whole change. Raises ConvergenceError where a part has no
        solution.
        """
        groups = self._groups(members)
        players = list(groups)
        if self.carriage is not None:
            players.append("payments to carriers")
        if any(self.given[name] is not None for name in ("productivity_hat", "transfer", "works")):
            players.append("other changes")
        income = self.before.base.income[list(members)]

        def value(some: frozenset[str]) -> FloatArray:
            if not some:
                return np.zeros(())
            if len(some) == len(players):
                return np.asarray(total)
            hat = self._income(groups, some)[list(members)]
            return np.asarray(income @ (hat - 1.0) / income.sum())

        found = shapley(players, value)
        return {name: (kind, float(found[name])) for name, kind in _KINDS.items() if name in found}

    def _income(self, groups: dict[str, BoolArray], some: frozenset[str]) -> FloatArray:
        """Real income of all regions [n] where only some parts change, as a ratio."""
        cells = np.zeros_like(self.moved)
        for name in some & set(groups):
            cells |= groups[name]
        given = {**self.given, "cost_hat": np.where(cells[:, :, None], self.given["cost_hat"], 1.0)}
        if given["tariff"] is not None:
            given["tariff"] = np.where(cells[:, :, None], given["tariff"], self.before.base.tariff)
        if "other changes" not in some:
            given |= {"productivity_hat": None, "transfer": None, "works": None}
        carriage = self.carriage if "payments to carriers" in some else None
        eq = solve(
            self.table, **given, carriage=carriage, deficits=self.closure, throw=False, start=self.before
        )
        if not eq.status.converged:
            raise ConvergenceError(f"{self.case.id}, {', '.join(sorted(some))} alone: {eq.status.message}")
        return np.asarray(eq.real_income_hat)

    def partners(self, zone: str, members: Sequence[int]) -> list[dict[str, Any]]:
        """First-order change of a zone by trade costs and tariffs with each partner, percent, largest first.

        zone: its name; members: numbers of its regions. Rows: partner, imports_percent, exports_percent.
        """
        slope = self.before.gradient(f"real_income:{zone}")
        change = (slope.cost * np.log(self.given["cost_hat"])).sum(axis=2)
        if self.given["tariff"] is not None:
            change += (slope.tariff * (self.given["tariff"] - self.before.base.tariff)).sum(axis=2)
        change *= 100.0
        mine = np.zeros(len(change), dtype=bool)
        mine[list(members)] = True
        rows = [
            {
                "partner": region,
                "imports_percent": float(change[n, mine].sum()),
                "exports_percent": float(change[mine, n].sum()),
            }
            for n, region in enumerate(self.table.regions)
            if not mine[n] and (self.moved[n, mine].any() or self.moved[mine, n].any())
        ]
        return sorted(rows, key=lambda row: -abs(row["imports_percent"] + row["exports_percent"]))
