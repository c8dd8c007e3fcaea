"""What the model has to say to a claim or an estimate: figures with their ranges, computed when asked for.

Ranges of trade and income: every combination of theta at the ends of its band, both closures of the trade
balance, and the reported and the Chinese version of Kyrgyz and Tajik trade, at the trade costs of the
scenario. Ranges of hours and costs: the hours at the borders cut by a quarter and by three quarters where
the central case halves them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, LandbridgeError, Status
from landbridge.indicators import Carried
from landbridge.io.economy import read_economy
from landbridge.model import iterate
from landbridge.results import Results
from landbridge.scenario import Scenario, load_scenario
from landbridge.studies.farm import farm
from landbridge.studies.travel import travel, waiver
from landbridge.trade import Equilibrium, solve
from landbridge.trade.welfare import CA5
from landbridge.transport.routes import route
from landbridge.world import World
from landbridge.world.trade_table import TradeTable

__all__ = ["Answer", "Answers", "figure_names", "scenarios_for"]

FloatArray = NDArray[np.float64]
Solver = Callable[["Answers"], "Answer | str"]

MIDDLE_EAST = ("IRN", "ARE", "SAU", "TUR")
# Countries between which the belt's goods move by land here.
BELT = ("CHN", "RUS", "BLR", "MNG", "AFG", "PAK", "IRN", "AZE", "GEO", "ARM", "TUR", *CA5)
_PORTS = ["khorgos-altynkol", "alashankou-dostyk"]
# Corridors of the reported ones between China and the five.
_TO_FIVE = ("lianyungang-tashkent", "urumqi-ashgabat", "urumqi-dushanbe", "xian-almaty", "xian-bishkek")
# Bundled scenarios that together stand for every plan.
_PLANS = ("borders-half", "cku-railway", "middle-corridor-2030", "kti-upgrade", "dostyk-moyynty")
_KASHGAR, _TEHRAN, _XIAN = "KHG", "THR", "XIAN"


@dataclass(frozen=True)
class Answer:
    """A figure of the model with its range, and what it is of."""

    value: float
    low: float
    high: float
    unit: str
    what: str

    @staticmethod
    def of(values: Iterable[float], unit: str, what: str) -> Answer:
        """The first value, within the range of all."""
        listed = [float(v) for v in values]
        return Answer(listed[0], min(listed), max(listed), unit, what)


def _hours(name: str, factor: float) -> Scenario:
    body = {
        "name": f"Hours at the two rail ports of Xinjiang times {factor:g}",
        "modification": [
            {"verb": "change_gateway", "gateway": _PORTS, "mode": "rail", "time_h": {"multiply": factor}}
        ],
    }
    return Scenario.from_dict(body, name)


def _closed() -> Scenario:
    body = {
        "name": "Both rail ports of Xinjiang closed",
        "modification": [{"verb": "close_gateway", "gateway": _PORTS, "mode": "rail"}],
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


def figure_names() -> tuple[str, ...]:
    """The names under which claims and estimates ask for a figure."""
    return tuple(_ANSWERS)


def scenarios_for(names: Iterable[str]) -> tuple[str, ...]:
    """The scenarios that the figures of these names need, in a fixed order."""
    wanted = {one for name in names for one in _NEEDS.get(name, ())}
    return tuple(name for name in _MADE if name in wanted)


class Answers:
    """Figures of the model by name, from one study of the scenarios given."""

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
        self._found: dict[str, Answer | str] = {}
        self._solved: dict[str, list[tuple[TradeTable, Equilibrium]]] = {}

    def __getitem__(self, name: str) -> Answer | str:
        """The figure, or a text that says why there is none."""
        if name not in self._found:
            try:
                self._found[name] = _ANSWERS[name](self)
            except ImportError:
                self._found[name] = "its channel is not part of this version"
            except DataError as error:
                # A World of one's own may lack tables of a channel or places of a route.
                self._found[name] = f"not computed: {error.message}"
        return self._found[name]

    # -- parts -------------------------------------------------------------------------------------

    @cached_property
    def carried(self) -> Carried:
        """Boxes of the base by route."""
        return Carried(self.base)

    @cached_property
    def tables(self) -> list[TradeTable]:
        """The trade table of the World first, then with other theta and other Kyrgyz and Tajik trade."""
        rows = list(self.world.sectors)
        own = self.world.trade
        variants = [own]
        for kgz, tjk in (("reported", "on"), ("baci", "off")):
            try:
                other = read_economy(self.world.folder / "economy", kgz, tjk)
            except LandbridgeError:
                continue
            if not np.array_equal(other.trade, own.trade):
                variants.append(other)
        out = list(variants)
        for column in ("theta_low", "theta_high"):
            theta = np.array([float(row[column] or row["theta"] or 1.0) for row in rows])
            out += [_with_theta(table, theta) for table in variants]
        return out

    def solved(self, name: str) -> list[tuple[TradeTable, Equilibrium]]:
        """A scenario's trade costs in every table under both closures, that of the run first."""
        if name not in self._solved:
            case = self.cases[name]
            shock: dict[str, Any] = {
                "cost_hat": case.cost_hat,
                "tariff": case.world.policy.tariff,
                "productivity_hat": case.world.policy.productivity_hat,
            }
            main = case.equilibrium[case.closure]
            out = [(main.base, main)]
            for table in self.tables:
                for closure in ("fixed", "proportional"):
                    eq = solve(table, **shock, deficits=closure, throw=False)
                    # A range is told only of what was solved.
                    if eq.status.converged:
                        out.append((eq.base, eq))
            self._solved[name] = out
        return self._solved[name]

    def trade_percent(self, name: str, ones: Iterable[str], others: Iterable[str], what: str) -> Answer:
        """Change of trade in goods between two groups, either way [percent]."""
        regions = self.world.trade.regions
        one, two = ([regions.index(r) for r in group if r in regions] for group in (ones, others))
        goods = [
            self.world.trade.sectors.index(str(r["sector"])) for r in self.world.sectors if r["is_goods"]
        ]
        at = np.zeros((len(regions), len(regions)), dtype=bool)
        at[np.ix_(one, two)] = True
        at |= at.T
        np.fill_diagonal(at, False)
        return Answer.of(
            (
                100.0 * float(eq.trade[at][:, goods].sum() / base.trade[at][:, goods].sum() - 1.0)
                for base, eq in self.solved(name)
            ),
            "percent",
            what,
        )

    def income_percent(self, name: str, regions: Iterable[str], what: str) -> Answer:
        """Change of real income of a group, base incomes as weights [percent]."""
        axis = self.world.trade.regions
        at = [axis.index(r) for r in regions if r in axis]
        return Answer.of(
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

    def corridor_percent(
        self, name: str, family: str, value: str, only: Iterable[str] | None = None
    ) -> float:
        """Mean change of a corridor figure over corridors [percent]."""
        old, new = self.corridors(None, family), self.corridors(name, family)
        wanted = [c for c in (only or old) if c in old and c in new]
        if not wanted:
            raise DataError("no corridor of these is in corridors.csv")
        return 100.0 * float(np.mean([new[c][value] / old[c][value] - 1.0 for c in wanted]))

    def trains(self, name: str | None = None) -> float:
        """Container trains a year through the two ports."""
        rows = (self.base if name is None else self.cases[name]).gateway_rows
        daily = sum(row["trains_per_day"] or 0.0 for row in rows if row["gateway"] in _PORTS)
        return daily * self.world.parameter("days_per_year")


def _with_theta(table: TradeTable, theta: FloatArray) -> TradeTable:
    return TradeTable(
        table.regions,
        table.sectors,
        table.trade,
        table.tariff,
        table.value_added_share,
        table.input_share,
        table.final_share,
        theta,
    )


# -- figures of claims ---------------------------------------------------------------------------------


def _trade_with_five(a: Answers) -> Answer:
    regions = a.world.trade.regions
    china, five = regions.index("CHN"), [regions.index(r) for r in CA5]
    goods = [a.world.trade.sectors.index(str(r["sector"])) for r in a.world.sectors if r["is_goods"]]
    totals = [
        float(t.trade[china, five][:, goods].sum() + t.trade[five, china][:, goods].sum()) / 1e3
        for t in a.tables
    ]
    what = "goods trade of China with the five in the base table of 2023; range: Kyrgyz and Tajik mirror data"
    return Answer.of(totals, "bn USD", what)


def _trade_on_two_ports(a: Answers) -> Answer:
    lost = a.trade_percent("two-ports-closed", ("CHN",), CA5, "")
    what = "trade of China with the five that the rail of the two ports holds up: lost if both closed"
    return Answer(-lost.value, -lost.high, -lost.low, "percent", what)


def _mirror_gap(a: Answers) -> Answer:
    regions = a.world.trade.regions
    china = regions.index("CHN")
    raw = read_economy(a.world.folder / "economy", "baci", "off")
    cut = read_economy(a.world.folder / "economy", "reported", "on")
    ratios = [
        float(raw.trade[china, regions.index(r)].sum() / cut.trade[china, regions.index(r)].sum())
        for r in ("TJK", "KGZ")
    ]
    what = "imports from China, Chinese over own figure in two base tables, Tajikistan; range: Kyrgyzstan too"
    return Answer.of(ratios, "ratio", what)


def _trains_two_ports(a: Answers) -> Answer:
    trains = a.trains()
    row = a.world.network["parameters"].by("parameter")["teu_per_train"]
    value = float(row["value"] or 1.0)
    ends = [trains * value / float(row[end] or value) for end in ("low", "high")]
    what = "container trains of 2023 through the two ports, fitted to 14,398; range: boxes a train"
    return Answer.of([trains, *ends], "trains/year", what)


def _time_saved(a: Answers) -> Answer:
    values = [
        a.corridor_percent(name, "northern", "time_h", _TO_FIVE)
        for name in ("ports-half", "ports-quarter-less", "ports-quarter")
    ]
    what = (
        "door-to-door hours by rail, China - five, if hours at the two ports are halved; range: a "
        "quarter and three quarters less"
    )
    return Answer.of(values, "percent", what)


def _cost_saved(a: Answers) -> Answer:
    values = [
        a.corridor_percent(name, "all", "generalised_cost_usd", _TO_FIVE)
        for name in ("ports-half", "ports-quarter-less", "ports-quarter")
    ]
    what = "money, hours and risk, China - five, if hours at the two ports are halved; range as for hours"
    return Answer.of(values, "percent", what)


def _middle_east_by_land(a: Answers) -> Answer:
    by_land = a.carried.family("northern", "trans-caspian", "southern", "road")

    def share(countries: Iterable[str]) -> float:
        mine = a.carried.ends_in(frozenset(["CHN"]), frozenset(countries))
        total = float(a.carried.teu[mine].sum())
        return 100.0 * float(a.carried.teu[mine & by_land].sum()) / total if total > 0.0 else 0.0

    values = [share(MIDDLE_EAST), *(share([c]) for c in MIDDLE_EAST)]
    what = "boxes between China and Iran, Emirates, Saudi Arabia, Türkiye that go by land; range: by country"
    return Answer.of(values, "percent", what)


def _gas(lose: tuple[str, ...]) -> Solver:
    def answer(a: Answers) -> Answer:
        gas = import_module("landbridge.channels.gas")
        found = [float(gas.solve_year(a.world).unserved_bcm)]
        found += [float(gas.solve_year(a.world, lose=(line,)).unserved_bcm) for line in lose]
        what = "contract delivery missed in a year with every line there; range: with line C lost"
        return Answer.of(found, "bcm", what)

    return answer


def _farm(column: str, what: str, unit: str = "percent") -> Solver:
    def answer(a: Answers) -> Answer:
        found = farm(a.world)
        scale = 100.0 if column == "import_dependence" else 1.0
        back = "base_import_dependence"

        def value(case: str) -> float:
            row = found.of("UZB", case)
            return scale * (row[column] - row[back]) if column == "import_dependence" else float(row[column])

        return Answer.of([value(c) for c in ("central", "low", "high", "claimed")], unit, what)

    return answer


def _arrivals(pairs: tuple[str, ...], passport: str, what: str) -> Solver:
    def answer(a: Answers) -> Answer | str:
        rows = [r for r in travel(a.world, waiver(pairs)).rows if r["passport"] == passport]
        if not rows:
            return Answer(0.0, 0.0, 0.0, "percent", what)
        base = sum(r["base_visitors"] for r in rows)
        ends = [
            100.0 * (sum(r[c] for r in rows) / base - 1.0)
            for c in ("visitors", "visitors_low", "visitors_high")
        ]
        return Answer.of(ends, "percent", what)

    return answer


def _n1(a: Answers) -> Answer:
    shares = []
    for country in CA5:
        mine = [teu for (of, _), teu in a.carried.without_another_way.items() if of == country]
        total = a.carried.boxes_of(country)
        shares.append(100.0 * max(mine, default=0.0) / total if total > 0.0 else 0.0)
    what = "proxy of stability: boxes of the five lost if their worst gateway closes; range: by country"
    return Answer(float(np.mean(shares)), min(shares), max(shares), "percent", what)


def _transit_share(a: Answers) -> Answer:
    start, end = a.carried.countries
    by_land = a.carried.family("northern", "trans-caspian", "southern", "road")
    china = by_land & ((start == "CHN") | (end == "CHN"))
    beyond = china & ~np.isin(start, CA5) & ~np.isin(end, CA5)
    crossing = np.zeros_like(beyond)
    parts = []
    total = float(a.carried.teu[beyond].sum())
    for country in CA5:
        mine = beyond & a.carried.crosses(country)
        parts.append(100.0 * float(a.carried.teu[mine].sum()) / total)
        crossing |= mine
    value = 100.0 * float(a.carried.teu[crossing].sum()) / total
    what = (
        "proxy of a hub: China's boxes by land with countries beyond that cross the five; range: by country"
    )
    return Answer(value, min(parts), max([*parts, value]), "percent", what)


def _co2e_per_tkm(a: Answers) -> Answer:
    graph, flow = a.base.graph, a.carried.by_product
    kg = a.carried.routes.over_arcs(graph.co2e_kg)
    china = a.carried.ends_in(
        frozenset(["CHN"]), frozenset(BELT) - {"CHN"} | frozenset(["DEU", "POL", "NLD"])
    )
    tonnes = a.carried.tonnes / np.where(a.carried.teu > 0.0, a.carried.teu, 1.0)

    def grams(family: str) -> float:
        mine = china & a.carried.family(family)
        tkm = float((flow[mine].sum(axis=1) * tonnes[mine]) @ a.carried.length_km[mine])
        return 1e3 * float((flow[mine] * kg[mine]).sum()) / tkm

    values = [grams("northern"), grams("sea"), grams("road")]
    what = "proxy of green: CO2e per tonne-km of China's freight by rail; range: by sea, by road"
    return Answer.of(values, "g/tkm", what)


# -- figures of estimates ------------------------------------------------------------------------------

_PAYLOADS = "range: payload of a box 25 percent either way"


def _caspian(name: str | None, unit: str) -> Solver:
    def answer(a: Answers) -> Answer:
        carried = a.carried if name is None else Carried(a.cases[name])
        mine = carried.family("trans-caspian")
        if unit == "TEU":
            value = float(carried.teu[mine].sum())
            return Answer(
                value, value, value, "TEU/year", "loaded boxes of all kinds on the Trans-Caspian family, 2023"
            )
        value = float(carried.tonnes[mine].sum()) / 1e6
        what = f"loaded on the Trans-Caspian family; {_PAYLOADS}, an assumption"
        return Answer(value, 0.75 * value, 1.25 * value, "Mt/year", what)

    return answer


def _caspian_time(a: Answers) -> Answer:
    old, new = (a.corridors(n, "trans-caspian") for n in (None, "middle-corridor-2030"))
    every = [100.0 * (new[c]["time_h"] / old[c]["time_h"] - 1.0) for c in old if c in new]
    what = (
        "door-to-door hours of the Trans-Caspian family over the corridors that have it; range: by corridor"
    )
    return Answer(float(np.mean(every)), min(every), max(every), "percent", what)


def _caspian_over_north(a: Answers) -> Answer:
    old, north = a.corridors(None, "trans-caspian"), a.corridors(None, "northern")
    ratios = [old[c]["time_h"] / north[c]["time_h"] for c in old if c in north]
    what = "hours of the Trans-Caspian over the northern family, mean; range: by corridor"
    return Answer(float(np.mean(ratios)), min(ratios), max(ratios), "ratio", what)


def _trade_per_day(a: Answers) -> Answer:
    """Trade of China with the five by day of rail time saved at the two ports."""
    trade = a.trade_percent("ports-half", ("CHN",), CA5, "")
    old, new = (a.corridors(n, "northern") for n in (None, "ports-half"))
    days = float(
        np.mean([(old[c]["time_h"] - new[c]["time_h"]) / 24.0 for c in _TO_FIVE if c in old and c in new])
    )
    what = (
        "trade of China with the five by day less on the rail corridors, from halved hours at the two ports"
    )
    return Answer(trade.value / days, trade.low / days, trade.high / days, "percent per day", what)


def _time_corridors(a: Answers) -> Answer:
    old, new = (a.corridors(n, "all") for n in (None, "every-plan"))
    every = [100.0 * (new[c]["time_h"] / old[c]["time_h"] - 1.0) for c in old if c in new]
    what = "mean hours of the reported corridors, all families, every plan together; range: by corridor"
    return Answer(float(np.mean(every)), min(every), max(every), "percent", what)


def _time_network(a: Answers) -> Answer:
    """Mean hours of boxes between belt countries, base demand, routes as chosen before and after."""

    def mean(result: Results, belt: frozenset[str]) -> float:
        carried = a.carried if result is a.base else Carried(result)
        mine = carried.ends_in(belt, belt)
        hours = result.choice.sums.time_h.T
        flow = carried.by_product[mine]
        return float((flow * hours[mine]).sum() / flow.sum())

    case = a.cases["every-plan"]
    values = []
    for belt in (frozenset(BELT), frozenset(["CHN", *CA5]), frozenset([*CA5, "RUS", "TUR", "IRN", "AZE"])):
        values.append(100.0 * (mean(case, belt) / mean(a.base, belt) - 1.0))
    what = "mean hours of boxes between belt countries, every plan together; range: parts of the belt"
    return Answer.of(values, "percent", what)


def _transit_teu(a: Answers) -> Answer:
    start, end = a.carried.countries
    blocks = a.carried.by_product[:, 0]
    touching = np.isin(start, CA5) | np.isin(end, CA5)
    crossing = np.zeros_like(touching)
    for country in CA5:
        crossing |= a.carried.crosses(country)
    transit = float(blocks[crossing & ~touching].sum())
    every = float(blocks[crossing | touching].sum())
    what = "boxes on container trains over the five in 2023; range: transit alone, all with an end there too"
    return Answer(transit, min(transit, every), max(transit, every), "TEU/year", what)


def _landlocked_cost(a: Answers) -> Answer:
    """Money of a box to Germany and the Netherlands: of the five over China's coast and Iran."""
    west = frozenset(["DEU", "NLD"])
    money = a.base.choice.sums.cost_usd.T

    def usd(country: str) -> float:
        mine = a.carried.ends_in(frozenset([country]), west)
        flow = a.carried.by_product[mine]
        return float((flow * money[mine]).sum() / flow.sum())

    coastal = float(np.mean([usd("CHN"), usd("IRN"), usd("TUR")]))
    ratios = [usd(country) / coastal for country in CA5]
    what = "money of a box to Germany, Netherlands: the five over China, Iran, Türkiye; range: by country"
    return Answer(float(np.mean(ratios)), min(ratios), max(ratios), "ratio", what)


def _cku_mt(a: Answers) -> Answer:
    case = a.cases["cku-railway"]
    carried = Carried(case)
    number = {link: n for n, link in enumerate(case.graph.links)}
    new = [str(r["link_id"]) for r in a.world.network["links"] if r["link_id"] in ("R274", "R275", "R276")]
    most = 0.0
    for link in new:
        on = (case.graph.link == number[link]).astype(float)
        over = carried.routes.over_arcs(on[:, None])[:, 0] > 0.0
        most = max(most, float(carried.tonnes[over].sum()) / 1e6)
    what = f"freight over the busiest section of the new line; {_PAYLOADS}, an assumption"
    return Answer(most, 0.75 * most, 1.25 * most, "Mt/year", what)


def _cku_route(unit: str) -> Solver:
    def answer(a: Answers) -> Answer:
        after = a.cases["cku-railway"].world
        values = []
        for start in (_KASHGAR, "URC", _XIAN):
            found = []
            for world in (a.world, after):
                routes = route(world, start, _TEHRAN, k=8, mode="rail", product="block")
                best = min(routes, key=lambda r: r.time_h)
                found.append(best.time_h / 24.0 if unit == "days" else best.distance_km)
            values.append(found[0] - found[1])
        what = f"{unit} less on the quickest rail route Kashgar - Tehran; range: from Urumqi and Xi'an too"
        return Answer.of(values, unit, what)

    return answer


_EVERY = "every plan together (borders of the five halved, CKU, Middle Corridor 2030, KTI, Dostyk - Moyynty)"

_ANSWERS: Mapping[str, Solver] = {
    "trade_with_five": _trade_with_five,
    "trade_on_two_ports": _trade_on_two_ports,
    "mirror_gap": _mirror_gap,
    "trains_two_ports": _trains_two_ports,
    "time_saved": _time_saved,
    "cost_saved": _cost_saved,
    "middle_east_by_land": _middle_east_by_land,
    "gas_unserved": _gas(()),
    "gas_unserved_five": _gas(("line-C",)),
    "farm_output": _farm(
        "output_percent", "farm output of Uzbekistan; range: low adoption to claims about plots"
    ),
    "food_import_dependence": _farm(
        "import_dependence",
        "proxy of food security: change of the imported share of Uzbek food; range as for farm output",
        "points",
    ),
    "arrivals_waived": _arrivals(
        ("CHN:KGZ", "CHN:TJK"), "CHN", "Chinese arrivals if Kyrgyzstan and Tajikistan waived visas too"
    ),
    "arrivals_kaz_waiver": _arrivals(
        ("CHN:KAZ",),
        "CHN",
        "Chinese arrivals that the waiver with Kazakhstan adds: none needed a visa for two weeks before it",
    ),
    "n1_unserved": _n1,
    "transit_share": _transit_share,
    "co2e_per_tkm": _co2e_per_tkm,
    "caspian_mt": _caspian(None, "Mt"),
    "caspian_mt_2030": _caspian("middle-corridor-2030", "Mt"),
    "caspian_teu": _caspian(None, "TEU"),
    "caspian_time_2030": _caspian_time,
    "caspian_over_north": _caspian_over_north,
    "trade_agk": lambda a: a.trade_percent(
        "middle-corridor-2030",
        ("AZE", "GEO", "KAZ"),
        ("AZE", "GEO", "KAZ"),
        "trade among the three, Middle Corridor of 2030",
    ),
    "trade_belt": lambda a: a.trade_percent(
        "every-plan", BELT, BELT, f"trade among sixteen countries, {_EVERY}"
    ),
    "trade_world": lambda a: a.trade_percent(
        "every-plan", a.world.trade.regions, a.world.trade.regions, f"world trade in goods, {_EVERY}"
    ),
    "trade_per_day": _trade_per_day,
    "income_belt": lambda a: a.income_percent("every-plan", BELT, f"income of sixteen countries, {_EVERY}"),
    "income_world": lambda a: a.income_percent(
        "every-plan", a.world.trade.regions, f"real income of the world, {_EVERY}"
    ),
    "income_kgz": lambda a: a.income_percent("every-plan", ("KGZ",), f"real income of Kyrgyzstan, {_EVERY}"),
    "income_uzb": lambda a: a.income_percent("every-plan", ("UZB",), f"real income of Uzbekistan, {_EVERY}"),
    "time_corridors": _time_corridors,
    "time_network": _time_network,
    "transit_teu": _transit_teu,
    "landlocked_cost": _landlocked_cost,
    "cku_mt": _cku_mt,
    "cku_km": _cku_route("km"),
    "cku_days": _cku_route("days"),
}

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "trade_on_two_ports": ("two-ports-closed",),
    "time_saved": ("ports-half", "ports-quarter-less", "ports-quarter"),
    "cost_saved": ("ports-half", "ports-quarter-less", "ports-quarter"),
    "trade_per_day": ("ports-half",),
    "caspian_mt_2030": ("middle-corridor-2030",),
    "caspian_time_2030": ("middle-corridor-2030",),
    "trade_agk": ("middle-corridor-2030",),
    "cku_mt": ("cku-railway",),
    "cku_km": ("cku-railway",),
    "cku_days": ("cku-railway",),
    **dict.fromkeys(
        ("trade_belt", "trade_world", "income_belt", "income_world", "income_kgz", "income_uzb"),
        ("every-plan",),
    ),
    **dict.fromkeys(("time_corridors", "time_network"), ("every-plan",)),
}
