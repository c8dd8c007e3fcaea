"""The model's figures for claims and estimates, with their ranges, computed on demand.

Each figure is a function of the solved cases, and names in `_FIGURES` the scenarios it needs. Ranges of hours
and costs: the hours at the borders cut by a quarter and by three quarters where the central case halves them.
A range by country or corridor is a spread over cases and not an error band; each states which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landbridge.channels import travel
from landbridge.channels.gas import solve_year
from landbridge.errors import DataError
from landbridge.phrases import Words, named, say
from landbridge.results import Results
from landbridge.results.indicators import Carried
from landbridge.scenario import apply
from landbridge.studies.claims.scenarios import PORTS, TO_FIVE, Cases, Figure, in_order
from landbridge.studies.customs import beside_customs, china_beside_base, of_the_five
from landbridge.studies.travel import waiver
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.transport import BY_LAND
from landbridge.transport.legs import route
from landbridge.transport.segments import KINDS
from landbridge.world import World

__all__ = ["Figure", "Figures", "figure_names", "scenarios_for"]

Solver = Callable[[Cases], Figure]

# Hours at the two ports halved, then the ends of the range.
_PORT_HOURS = ("ports-half", "ports-quarter-less", "ports-quarter")
_FARM_CASES = ("central", "low", "high", "claimed")
# Range of the payload per TEU, an assumption, as a share.
_PAYLOAD = 0.25
_ENGLISH = Words()
_KASHGAR, _TEHRAN, _XIAN = "KHG", "THR", "XIAN"


@dataclass(frozen=True)
class _Figure:
    """The function of a figure, and the scenarios that it needs."""

    solve: Solver
    needs: tuple[str, ...] = ()


# -- figures of claims ---------------------------------------------------------------------------------


# Steps from BACI to the base table.
_STEPS = ("transit_cut", "transit_booked", "reexports")


def _five(a: Cases) -> tuple[str, ...]:
    """The countries of Central Asia."""
    return a.world.group(CENTRAL_ASIA)


def _trade_with_five(a: Cases) -> Figure:
    regions = a.world.trade.regions
    china, five = regions.index("CHN"), [regions.index(r) for r in _five(a)]
    totals = [
        float(t.trade[china, five][:, a.goods].sum() + t.trade[five, china][:, a.goods].sum()) / 1e3
        for t in a.tables
    ]
    year = a.world.base_year
    parts = [say("claims.what.trade_with_five", year=year)]
    rows = beside_customs(a.world)
    if rows:
        total = of_the_five(rows)
        customs = total["china_reports_musd"]
        if customs is not None:
            parts.append(say("claims.what.customs", busd=customs / 1e3, year=year))
        steps = (say(f"claims.step.{step}", busd=total[f"{step}_musd"] / 1e3) for step in _STEPS)
        parts.append(say("claims.what.steps", busd=total["baci_musd"] / 1e3, steps=tuple(steps)))
        each = (
            say(
                "claims.both",
                country=named("region", country),
                customs="-" if counted is None else f"{counted / 1e3:.1f}",
                base=f"{base / 1e3:.1f}",
            )
            for country, (counted, base) in china_beside_base(rows).items()
        )
        parts.append(say("claims.what.by_country", countries=tuple(each)))
    return Figure.of(totals, "bn USD", _ENGLISH.clauses(parts))


def _trade_on_two_ports(a: Cases) -> Figure:
    lost = a.trade_percent("two-ports-closed", ("CHN",), _five(a), "")
    what = say("claims.what.trade_on_two_ports")
    return Figure(-lost.value, -lost.high, -lost.low, "percent", what)


def _mirror_gap(a: Cases) -> Figure:
    regions = a.world.trade.regions
    china = regions.index("CHN")
    raw, cut = a.economy("baci", "off"), a.economy("reported", "on")
    ratios = {
        r: float(raw.trade[china, regions.index(r)].sum() / cut.trade[china, regions.index(r)].sum())
        for r in a.world.group("MIRROR")
    }
    what = say("claims.what.mirror_gap")
    return Figure.of([ratios["TJK"], *ratios.values()], "ratio", what)


def _trains_two_ports(a: Cases) -> Figure:
    trains = a.trains()
    row = a.world.network["parameters"].by("parameter")["teu_per_train"]
    value = float(row["value"] or 1.0)
    ends = [trains * value / float(row[end] or value) for end in ("low", "high")]
    counted = [r for r in a.base.count_rows if r["gateway"] == "+".join(PORTS) and r["unit"] == "trains/year"]
    fitted = [float(r["observed"]) for r in counted if r["role"] == "fitted"]
    year = a.world.base_year
    what = (
        say("claims.what.trains_fitted", year=year, trains=fitted[0])
        if fitted
        else say("claims.what.trains", year=year)
    )
    return Figure.of([trains, *ends], "trains/year", what)


def _time_saved(a: Cases) -> Figure:
    values = [
        float(np.mean(a.corridor_percents(name, "northern", "time_h", TO_FIVE))) for name in _PORT_HOURS
    ]
    what = say("claims.what.time_saved")
    return Figure.of(values, "percent", what)


def _cost_saved(a: Cases) -> Figure:
    values = [
        float(np.mean(a.corridor_percents(name, "all", "generalised_cost_usd", TO_FIVE)))
        for name in _PORT_HOURS
    ]
    what = say("claims.what.cost_saved")
    return Figure.of(values, "percent", what)


def _middle_east_by_land(a: Cases) -> Figure:
    by_land = a.carried.family(*BY_LAND)

    def share(countries: Iterable[str]) -> float:
        mine = a.carried.ends_in(frozenset(["CHN"]), frozenset(countries))
        total = float(a.carried.teu[mine].sum())
        return 100.0 * float(a.carried.teu[mine & by_land].sum()) / total if total > 0.0 else 0.0

    middle_east = a.world.group("MIDDLE_EAST")
    values = [share(middle_east), *(share([c]) for c in middle_east)]
    what = say("claims.what.middle_east_by_land")
    return Figure.of(values, "percent", what)


def _gas_missed(a: Cases) -> Figure:
    seasonal = solve_year(a.world, profile="seasonal")
    what = say("claims.what.gas_unserved")
    return Figure.of([a.gas.unserved_bcm, seasonal.unserved_bcm], "bcm", what)


def _gas_missed_without_c(a: Cases) -> Figure:
    without = solve_year(a.world, lose=("line-C",))
    what = say("claims.what.gas_unserved_five")
    return Figure.of([a.gas.unserved_bcm, without.unserved_bcm], "bcm", what)


def _farm_output(a: Cases) -> Figure:
    values = [a.farms.of("UZB", case)["output_percent"] for case in _FARM_CASES]
    what = say("claims.what.farm_output")
    return Figure.of(values, "percent", what)


def _food_imported(a: Cases) -> Figure:
    rows = [a.farms.of("UZB", case) for case in _FARM_CASES]
    values = [100.0 * (r["import_dependence"] - r["base_import_dependence"]) for r in rows]
    what = say("claims.what.food_import_dependence")
    return Figure.of(values, "points", what)


def _arrivals(pairs: tuple[str, ...], passport: str, what: Callable[[], str]) -> Solver:
    def answer(a: Cases) -> Figure:
        found = travel.shock(a.world, apply(a.world, waiver(pairs))).rows
        rows = [r for r in found if r["passport"] == passport]
        if not rows:
            return Figure(0.0, 0.0, 0.0, "percent", what())
        base = sum(r["base_visitors"] for r in rows)
        ends = [
            100.0 * (sum(r[c] for r in rows) / base - 1.0)
            for c in ("visitors", "visitors_low", "visitors_high")
        ]
        return Figure.of(ends, "percent", what())

    return answer


def _n1(a: Cases) -> Figure:
    shares = []
    for country in _five(a):
        mine = [teu for (of, _), teu in a.carried.without_another_way.items() if of == country]
        total = a.carried.boxes_of(country)
        shares.append(100.0 * max(mine, default=0.0) / total if total > 0.0 else 0.0)
    what = say("claims.what.n1_unserved")
    return Figure(float(np.mean(shares)), min(shares), max(shares), "percent", what)


def _transit_share(a: Cases) -> Figure:
    by_land = a.carried.family(*BY_LAND)
    china = by_land & (a.carried.begins_in("CHN") | a.carried.goes_to("CHN"))
    beyond = china & ~a.carried.begins_in(*_five(a)) & ~a.carried.goes_to(*_five(a))
    crossing = np.zeros_like(beyond)
    parts = []
    total = float(a.carried.teu[beyond].sum())
    for country in _five(a):
        mine = beyond & a.carried.crosses(country)
        parts.append(100.0 * float(a.carried.teu[mine].sum()) / total)
        crossing |= mine
    value = 100.0 * float(a.carried.teu[crossing].sum()) / total
    what = say("claims.what.transit_share")
    return Figure(value, min(parts), max([*parts, value]), "percent", what)


def _co2e_per_tkm(a: Cases) -> Figure:
    graph, flow = a.base.graph, a.carried.by_product
    kg = a.carried.routes.over_arcs(graph.co2e_kg)
    others = {*a.world.group("BELT"), *a.world.group("RAIL_EUROPE")} - {"CHN"}
    china = a.carried.ends_in(frozenset(["CHN"]), frozenset(others))
    tonnes = a.carried.tonnes / np.where(a.carried.teu > 0.0, a.carried.teu, 1.0)

    def grams(family: str) -> float:
        mine = china & a.carried.family(family)
        tkm = float((flow[mine].sum(axis=1) * tonnes[mine]) @ a.carried.length_km[mine])
        return 1e3 * float((flow[mine] * kg[mine]).sum()) / tkm

    values = [grams("northern"), grams("sea"), grams("road")]
    what = say("claims.what.co2e_per_tkm")
    return Figure.of(values, "g/tkm", what)


# -- figures of estimates ------------------------------------------------------------------------------


def _middle_corridor(carried: Carried) -> NDArray[np.bool_]:
    """Routes of the Trans-Caspian family without Russia and Iran, whose ships sail north - south [route]."""
    ends = carried.solved.world.group("CASPIAN_NORTH_SOUTH")
    north_south = carried.begins_in(*ends) | carried.goes_to(*ends)
    return np.asarray(carried.family("trans-caspian", "trans-caspian-road") & ~north_south)


def _caspian_mt(name: str | None) -> Solver:
    def answer(a: Cases) -> Figure:
        carried = a.carried if name is None else Carried(a.cases[name])
        value = float(carried.tonnes[_middle_corridor(carried)].sum()) / 1e6
        return _tonnes(value, say("claims.what.caspian_mt"))

    return answer


def _caspian_teu(a: Cases) -> Figure:
    value = float(a.carried.teu[_middle_corridor(a.carried)].sum())
    what = say("claims.what.caspian_teu", year=a.world.base_year)
    return Figure(value, value, value, "TEU/year", what)


def _tonnes(value: float, what: str) -> Figure:
    """Tonnes a year with the range of the payload per TEU, an assumption."""
    low, high = (1.0 - _PAYLOAD) * value, (1.0 + _PAYLOAD) * value
    return Figure(
        value, low, high, "Mt/year", say("claims.what.payload", what=what, percent=100.0 * _PAYLOAD)
    )


def _time(name: str, family: str, what: Callable[[], str]) -> Solver:
    def answer(a: Cases) -> Figure:
        every = a.corridor_percents(name, family, "time_h")
        return Figure(float(np.mean(every)), min(every), max(every), "percent", what())

    return answer


def _caspian_over_north(a: Cases) -> Figure:
    old, north = a.corridors(None, "trans-caspian"), a.corridors(None, "northern")
    ratios = [old[c]["time_h"] / north[c]["time_h"] for c in old if c in north]
    what = say("claims.what.caspian_over_north")
    return Figure(float(np.mean(ratios)), min(ratios), max(ratios), "ratio", what)


def _trade_per_day(a: Cases) -> Figure:
    """Trade of China with Central Asia per day of rail time saved at the two ports."""
    trade = a.trade_percent("ports-half", ("CHN",), _five(a), "")
    old, new = (a.corridors(n, "northern") for n in (None, "ports-half"))
    days = float(
        np.mean([(old[c]["time_h"] - new[c]["time_h"]) / 24.0 for c in TO_FIVE if c in old and c in new])
    )
    what = say("claims.what.trade_per_day")
    return Figure(trade.value / days, trade.low / days, trade.high / days, "percent per day", what)


def _time_network(a: Cases) -> Figure:
    """Mean hours per TEU between belt countries, base demand, routes as chosen before and after."""

    def mean(result: Results, belt: frozenset[str]) -> float:
        carried = a.carried if result is a.base else Carried(result)
        mine = carried.ends_in(belt, belt)
        hours = result.choice.sums.time_h.T
        flow = carried.by_product[mine]
        return float((flow * hours[mine]).sum() / flow.sum())

    case = a.cases["every-plan"]
    values = []
    for belt in (a.world.group("BELT"), ("CHN", *_five(a)), (*_five(a), *a.world.group("WEST_BELT"))):
        values.append(100.0 * (mean(case, frozenset(belt)) / mean(a.base, frozenset(belt)) - 1.0))
    what = say("claims.what.time_network")
    return Figure.of(values, "percent", what)


def _transit_teu(a: Cases) -> Figure:
    blocks = a.carried.by_product[:, 0]
    touching = a.carried.begins_in(*_five(a)) | a.carried.goes_to(*_five(a))
    crossing = np.zeros_like(touching)
    for country in _five(a):
        crossing |= a.carried.crosses(country)
    transit = float(blocks[crossing & ~touching].sum())
    every = float(blocks[crossing | touching].sum())
    year = a.world.base_year
    what = say("claims.what.transit_teu", year=year)
    return Figure(transit, min(transit, every), max(transit, every), "TEU/year", what)


def _landlocked_cost(a: Cases) -> Figure:
    """Money per TEU to Germany and the Netherlands, Central Asia over China's coast and Iran."""
    west = frozenset(a.world.group("NORTH_SEA"))
    sums = a.base.choice.sums
    money = np.concatenate([sums.money(kind) for kind in range(len(KINDS))]).T

    def usd(country: str) -> float:
        mine = a.carried.ends_in(frozenset([country]), west)
        flow = a.carried.by_kind[mine]
        return float((flow * money[mine]).sum() / flow.sum())

    coastal = float(np.mean([usd(country) for country in a.world.group("COASTAL")]))
    ratios = [usd(country) / coastal for country in _five(a)]
    what = say("claims.what.landlocked_cost")
    return Figure(float(np.mean(ratios)), min(ratios), max(ratios), "ratio", what)


def _cku_mt(a: Cases) -> Figure:
    case = a.cases["cku-railway"]
    carried = Carried(case)
    number = {link: n for n, link in enumerate(case.graph.links)}
    new = [str(r["link_id"]) for r in a.world.network["links"] if r["link_id"] in ("R274", "R275", "R276")]
    most = 0.0
    for link in new:
        on = (case.graph.link == number[link]).astype(float)
        over = carried.routes.over_arcs(on[:, None])[:, 0] > 0.0
        most = max(most, float(carried.tonnes[over].sum()) / 1e6)
    return _tonnes(most, say("claims.what.cku_mt"))


def _cku_route(unit: str) -> Solver:
    def answer(a: Cases) -> Figure:
        after = a.cases["cku-railway"].world
        values = []
        for start in (_KASHGAR, "URC", _XIAN):
            found = []
            for world in (a.world, after):
                routes = route(world, start, _TEHRAN, k=8, mode="rail", product="block")
                best = min(routes, key=lambda r: r.time_h)
                found.append(best.time_h / 24.0 if unit == "days" else best.distance_km)
            values.append(found[0] - found[1])
        what = say(f"claims.what.cku_{unit}")
        return Figure.of(values, unit, what)

    return answer


def _of_every_plan(what: str) -> str:
    """A figure of all plans together, whose names follow."""
    return say("claims.what.every_plan", what=what)


def _members(a: Cases, group: str) -> tuple[str, ...]:
    """Regions of a group, a single region, or all where the name is empty."""
    return a.world.groups.get(group, (group,)) if group else a.world.trade.regions


def _trade(name: str, group: str, what: Callable[[], str]) -> Solver:
    """Change of trade in goods inside a group; of the whole world where the name is empty."""
    return lambda a: a.trade_percent(name, _members(a, group), _members(a, group), what())


def _income(group: str, what: Callable[[], str]) -> Solver:
    """Change of real income of a group or region under every plan; of the world where the name is empty."""
    return lambda a: a.income_percent("every-plan", _members(a, group), _of_every_plan(what()))


_FIGURES: Mapping[str, _Figure] = {
    "trade_with_five": _Figure(_trade_with_five),
    "trade_on_two_ports": _Figure(_trade_on_two_ports, ("two-ports-closed",)),
    "mirror_gap": _Figure(_mirror_gap),
    "trains_two_ports": _Figure(_trains_two_ports),
    "time_saved": _Figure(_time_saved, _PORT_HOURS),
    "cost_saved": _Figure(_cost_saved, _PORT_HOURS),
    "middle_east_by_land": _Figure(_middle_east_by_land),
    "gas_unserved": _Figure(_gas_missed),
    "gas_unserved_five": _Figure(_gas_missed_without_c),
    "farm_output": _Figure(_farm_output),
    "food_import_dependence": _Figure(_food_imported),
    "arrivals_waived": _Figure(
        _arrivals(("CHN:KGZ", "CHN:TJK"), "CHN", lambda: say("claims.what.arrivals_waived"))
    ),
    "arrivals_kaz_waiver": _Figure(
        _arrivals(
            ("CHN:KAZ",),
            "CHN",
            lambda: say("claims.what.arrivals_kaz_waiver"),
        )
    ),
    "n1_unserved": _Figure(_n1),
    "transit_share": _Figure(_transit_share),
    "co2e_per_tkm": _Figure(_co2e_per_tkm),
    "caspian_mt": _Figure(_caspian_mt(None)),
    "caspian_mt_2030": _Figure(_caspian_mt("middle-corridor-2030"), ("middle-corridor-2030",)),
    "caspian_teu": _Figure(_caspian_teu),
    "caspian_time_2030": _Figure(
        _time(
            "middle-corridor-2030",
            "trans-caspian",
            lambda: say("claims.what.caspian_time_2030"),
        ),
        ("middle-corridor-2030",),
    ),
    "caspian_over_north": _Figure(_caspian_over_north),
    "trade_agk": _Figure(
        _trade("middle-corridor-2030", "MIDDLE_CORRIDOR", lambda: say("claims.what.trade_agk")),
        ("middle-corridor-2030",),
    ),
    "trade_belt": _Figure(
        _trade("every-plan", "BELT", lambda: _of_every_plan(say("claims.what.trade_belt"))), ("every-plan",)
    ),
    "trade_world": _Figure(
        _trade("every-plan", "", lambda: _of_every_plan(say("claims.what.trade_world"))), ("every-plan",)
    ),
    "trade_per_day": _Figure(_trade_per_day, ("ports-half",)),
    "income_belt": _Figure(_income("BELT", lambda: say("claims.what.income_belt")), ("every-plan",)),
    "income_world": _Figure(_income("", lambda: say("claims.what.income_world")), ("every-plan",)),
    "income_kgz": _Figure(_income("KGZ", lambda: say("claims.what.income_kgz")), ("every-plan",)),
    "income_uzb": _Figure(_income("UZB", lambda: say("claims.what.income_uzb")), ("every-plan",)),
    "time_corridors": _Figure(
        _time(
            "every-plan",
            "all",
            lambda: say("claims.what.time_corridors"),
        ),
        ("every-plan",),
    ),
    "time_network": _Figure(_time_network, ("every-plan",)),
    "transit_teu": _Figure(_transit_teu),
    "landlocked_cost": _Figure(_landlocked_cost),
    "cku_mt": _Figure(_cku_mt, ("cku-railway",)),
    "cku_km": _Figure(_cku_route("km"), ("cku-railway",)),
    "cku_days": _Figure(_cku_route("days"), ("cku-railway",)),
}


def figure_names() -> tuple[str, ...]:
    """The names by which claims and estimates refer to a figure."""
    return tuple(_FIGURES)


def scenarios_for(names: Iterable[str]) -> tuple[str, ...]:
    """The scenarios needed by the figures of these names, in a fixed order."""
    return in_order(one for name in names for one in _FIGURES[name].needs)


class Figures(Cases):
    """Figures of the model by name, from one study of the given scenarios.

    world, scenarios, progress and what is raised: as of `Cases`.
    """

    def __init__(
        self,
        world: World,
        scenarios: Iterable[str],
        progress: Callable[[str, float], None] | None = None,
    ) -> None:
        super().__init__(world, scenarios, progress)
        self._found: dict[str, Figure | str] = {}

    def __getitem__(self, name: str) -> Figure | str:
        """The figure, or a text that states why there is none."""
        if name not in self._found:
            try:
                self._found[name] = _FIGURES[name].solve(self)
            except DataError as error:
                # A user's World may lack tables of a channel or places of a route.
                self._found[name] = say("claims.not_computed", why=error.message)
        return self._found[name]
