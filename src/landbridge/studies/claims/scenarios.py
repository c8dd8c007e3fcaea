"""The solved cases behind claims and estimates, and values that several figures use.

Ranges of trade and income: every combination of theta at the ends of its band, both closures of the trade
balance, and the reported and the Chinese version of Kyrgyz and Tajik trade, at the trade costs of the
scenario. What each figure measures is stated in `figures`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.gas import GasYear, solve_year
from landbridge.errors import DataError, Status
from landbridge.io.economy import read_economy
from landbridge.model.run import iterate
from landbridge.results import Results
from landbridge.results.indicators import Carried
from landbridge.scenario import Scenario, load_scenario
from landbridge.studies.farm import Farm, farm
from landbridge.trade import Equilibrium, solve
from landbridge.world import World
from landbridge.world.trade_table import TradeTable

__all__ = ["PORTS", "TO_FIVE", "Cases", "Figure", "in_order", "made"]

FloatArray = NDArray[np.float64]

PORTS = ["khorgos-altynkol", "alashankou-dostyk"]
# Reported corridors between China and Central Asia.
TO_FIVE = ("lianyungang-tashkent", "urumqi-ashgabat", "urumqi-dushanbe", "xian-almaty", "xian-bishkek")
# Bundled scenarios that together represent every plan.
_PLANS = ("borders-half", "cku-railway", "middle-corridor-2030", "kti-upgrade", "dostyk-moyynty")


@dataclass(frozen=True)
class Figure:
    """A figure of the model with its range, and what it measures.

    value, low, high: in the unit; what: in words.
    """

    value: float
    low: float
    high: float
    unit: str
    what: str

    @staticmethod
    def of(values: Iterable[float], unit: str, what: str) -> Figure:
        """The first of some values, within the range of all; unit, what: of the figure."""
        listed = [float(v) for v in values]
        return Figure(listed[0], min(listed), max(listed), unit, what)


def _hours(name: str, factor: float) -> Scenario:
    body = {
        "name": f"Hours at the two rail ports of Xinjiang times {factor:g}",
        "modification": [
            {"verb": "change_gateway", "gateway": PORTS, "mode": "rail", "time_h": {"multiply": factor}}
        ],
    }
    return Scenario.from_dict(body, name)


def _closed() -> Scenario:
    body = {
        "name": "Both rail ports of Xinjiang closed",
        "modification": [{"verb": "close_gateway", "gateway": PORTS, "mode": "rail"}],
    }
    return Scenario.from_dict(body, "two-ports-closed")


def _plans() -> Scenario:
    """Every plan at once, in the order of _PLANS."""
    listed = [load_scenario(name) for name in _PLANS]
    modifications = [m.to_dict() for one in listed for m in one.modifications]
    body = {"name": "Every plan together: " + ", ".join(_PLANS), "modification": modifications}
    return Scenario.from_dict(body, "every-plan")


_MADE: Mapping[str, Callable[[], Scenario]] = {
    "ports-half": lambda: _hours("ports-half", 0.5),
    "ports-quarter-less": lambda: _hours("ports-quarter-less", 0.75),
    "ports-quarter": lambda: _hours("ports-quarter", 0.25),
    "two-ports-closed": _closed,
    "every-plan": _plans,
    "cku-railway": lambda: load_scenario("cku-railway"),
    "middle-corridor-2030": lambda: load_scenario("middle-corridor-2030"),
}


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names of constructed scenarios, each once, in a fixed order; others among the names are left out."""
    wanted = set(names)
    return tuple(name for name in _MADE if name in wanted)


def made() -> tuple[Scenario, ...]:
    """Every constructed scenario, in a fixed order."""
    return tuple(make() for make in _MADE.values())


class Cases:
    """The base and some constructed scenarios, solved in one study.

    world: to which the scenarios apply; scenarios: names of `in_order`; progress: called with text and share.
    Raises as `landbridge.model.run.study` does.
    """

    def __init__(
        self,
        world: World,
        scenarios: Iterable[str],
        progress: Callable[[str, float], None] | None = None,
    ) -> None:
        self.world = world
        self.scenarios = tuple(_MADE[name]() for name in scenarios)
        base, *cases = iterate(world, self.scenarios, progress=progress)
        self.base: Results = base
        self.cases = {case.id: case for case in cases}
        self.status = Status.worst(r.status for r in (base, *cases))
        self._solved: dict[str, list[tuple[TradeTable, Equilibrium]]] = {}
        self._economies: dict[tuple[str, str], TradeTable] = {}

    @cached_property
    def carried(self) -> Carried:
        """Traffic of the base by route [TEU a year]."""
        return Carried(self.base)

    @cached_property
    def farms(self) -> Farm:
        """The four cases of farm technology."""
        return farm(self.world)

    @cached_property
    def gas(self) -> GasYear:
        """The gas year with every line in service and all months equal."""
        return solve_year(self.world)

    def economy(self, kgz: str, tjk: str) -> TradeTable:
        """The trade table with another version of Kyrgyz and Tajik trade.

        kgz, tjk: as the parameters kgz_trade (reported, baci, china_only) and tjk_cap (on, off). Raises
        DataError where the World has no such tables.
        """
        key = kgz, tjk
        if key not in self._economies:
            self._economies[key] = read_economy(self.world.economy_files, kgz, tjk)
        return self._economies[key]

    @cached_property
    def tables(self) -> list[TradeTable]:
        """The trade table of the World first, then with other theta and other Kyrgyz and Tajik trade."""
        rows = list(self.world.sectors)
        own = self.world.trade
        variants = [own]
        for kgz, tjk in (("reported", "on"), ("baci", "off")):
            try:
                other = self.economy(kgz, tjk)
            except DataError:
                # A user's World may have only one version.
                continue
            if not np.array_equal(other.trade, own.trade):
                variants.append(other)
        out = list(variants)
        for column in ("theta_low", "theta_high"):
            theta = np.array([float(row[column] or row["theta"] or 1.0) for row in rows])
            out += [replace(table, theta=theta) for table in variants]
        return out

    def solved(self, name: str) -> list[tuple[TradeTable, Equilibrium]]:
        """A scenario's trade costs in every table under both closures, that of the run first.

        name: of a scenario of this study. Returns pairs of table and equilibrium, those that converged.
        """
        if name not in self._solved:
            case = self.cases[name]
            main, policy = case.equilibrium[case.closure], case.world.policy
            shock: dict[str, Any] = {
                "cost_hat": case.cost_hat,
                "tariff": policy.tariff,
                "productivity_hat": main.productivity_hat,
                "transfer": policy.transfer,
                "works": policy.works,
            }
            out = [(main.base, main)]
            for table in self.tables:
                for closure in ("fixed", "proportional"):
                    eq = solve(table, **shock, carriage=case.carriage, deficits=closure, throw=False)
                    # A range covers only cases that were solved.
                    if eq.status.converged:
                        out.append((eq.base, eq))
            self._solved[name] = out
        return self._solved[name]

    @property
    def goods(self) -> list[int]:
        """Numbers of the sectors of goods."""
        sectors = self.world.trade.sectors
        return [sectors.index(str(r["sector"])) for r in self.world.sectors if r["is_goods"]]

    def trade_percent(self, name: str, ones: Iterable[str], others: Iterable[str], what: str) -> Figure:
        """Change of trade in goods between two groups, both ways [percent].

        name: of the scenario; ones, others: region codes; what: of the figure.
        """
        regions, goods = self.world.trade.regions, self.goods
        one, two = ([regions.index(r) for r in group if r in regions] for group in (ones, others))
        at = np.zeros((len(regions), len(regions)), dtype=bool)
        at[np.ix_(one, two)] = True
        at |= at.T
        np.fill_diagonal(at, False)
        return Figure.of(
            (
                100.0 * float(eq.trade[at][:, goods].sum() / base.trade[at][:, goods].sum() - 1.0)
                for base, eq in self.solved(name)
            ),
            "percent",
            what,
        )

    def income_percent(self, name: str, regions: Iterable[str], what: str) -> Figure:
        """Change of real income of a group, base incomes as weights [percent].

        name: of the scenario; regions: codes; what: of the figure.
        """
        axis = self.world.trade.regions
        at = [axis.index(r) for r in regions if r in axis]
        return Figure.of(
            (
                100.0 * float(base.income[at] @ (eq.real_income_hat[at] - 1.0) / base.income[at].sum())
                for base, eq in self.solved(name)
            ),
            "percent",
            what,
        )

    def corridors(self, name: str | None, family: str) -> dict[str, dict[str, Any]]:
        """Corridor rows of one family by corridor; of the base where name is None."""
        rows = (self.base if name is None else self.cases[name]).corridor_rows
        return {row["corridor"]: row for row in rows if row["family"] == family}

    def corridor_percents(
        self, name: str, family: str, value: str, only: Sequence[str] | None = None
    ) -> list[float]:
        """Change of a figure by corridor [percent], over all that have the family, or over some.

        name: of the scenario; family: of corridors; value: column; only: these corridors. Raises DataError
        where none of them is in corridors.csv.
        """
        old, new = self.corridors(None, family), self.corridors(name, family)
        wanted = [c for c in (only or old) if c in old and c in new]
        if not wanted:
            raise DataError("no corridor of these is in corridors.csv")
        return [100.0 * (new[c][value] / old[c][value] - 1.0) for c in wanted]

    def trains(self, name: str | None = None) -> float:
        """Container trains a year through the two ports; name: of the scenario, None for the base."""
        rows = (self.base if name is None else self.cases[name]).gateway_rows
        daily = sum(row["trains_per_day"] or 0.0 for row in rows if row["gateway"] in PORTS)
        return daily * self.world.parameter("days_per_year")
