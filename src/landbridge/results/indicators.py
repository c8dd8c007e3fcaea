""" "Hub", "stability" and "green" in numbers: proxies, before and after a scenario.

None of these words has a measure of its own. Each figure is named for what it measures:

* hub: transit share, betweenness of places in TEU, market access of producers;
* stability: concentration of a country's gateways (Herfindahl), TEU without another route if one
  gateway is lost (N-1);
* green: CO2e per tonne-km and per dollar of trade carried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from landbridge.trade import Equilibrium
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.transport import BY_LAND, FAMILIES, Choice, Freight, Graph
from landbridge.transport.graph import LAYERS
from landbridge.transport.routes.route_set import RouteSet, transit_arcs
from landbridge.world import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PROXY", "Carried", "Solved", "frame", "indicators", "market_access_hat"]

FloatArray = NDArray[np.float64]
Rows = list[dict[str, Any]]
# Losses when a gateway closes, with capacities considered, instead of those of the route sets: called with a
# solved World, returns TEU a year by country and gateway.
Lost = Callable[[Any], Mapping[tuple[str, str], float]]

PROXY = {
    "transit_share": "hub: share of China's freight by land (TEU, bulk too) that crosses the country",
    "transit_teu": "hub: TEU between other countries that cross the country by land",
    "betweenness_teu": "hub: TEU that pass the place without beginning or ending there",
    "market_access": "hub: demand abroad that producers of goods can reach, base = 100",
    "gateway_hhi": "stability: sum of squared shares of border posts and ports in the country's TEU",
    "n1_unserved_share": "stability: largest share of the country's TEU lost with one gateway",
    "co2e_g_per_tkm": "green: CO2e per tonne-km of freight on the network",
    "co2e_kg_per_1000_usd": "green: CO2e per 1,000 USD of trade carried",
}
UNITS = {
    "transit_share": "fraction",
    "transit_teu": "TEU/year",
    "betweenness_teu": "TEU/year",
    "market_access": "index",
    "gateway_hhi": "0-1",
    "n1_unserved_share": "fraction",
    "co2e_g_per_tkm": "g/tkm",
    "co2e_kg_per_1000_usd": "kg/1,000 USD",
}
_PLACES_SHOWN = 10
_KEPT: WeakKeyDictionary[Any, dict[tuple[str, str], float]] = WeakKeyDictionary()
# Shared by the base and all cases of a study, as their routes and places are the same.
_WAYS: WeakKeyDictionary[RouteSet, dict[tuple[str, ...], _Ways]] = WeakKeyDictionary()
# Families by land, including the sea between land legs of the Caspian.
_LAND = tuple(FAMILIES.index(name) for name in BY_LAND)


def _five(world: World) -> tuple[str, ...]:
    """The countries of Central Asia."""
    return world.group(CENTRAL_ASIA)


class Solved(Protocol):
    """The part of a Results that the indicators use."""

    @property
    def world(self) -> World: ...
    @property
    def graph(self) -> Graph: ...
    @property
    def choice(self) -> Choice: ...
    @property
    def freight(self) -> Freight: ...
    @property
    def demand_teu(self) -> FloatArray: ...
    @property
    def flow_teu(self) -> FloatArray: ...
    @property
    def equilibrium(self) -> Mapping[str, Equilibrium]: ...
    @property
    def closure(self) -> str: ...


class _Ways:
    """Properties of a route set that do not depend on its traffic.

    start, end [pair]: countries. of_five [pair]: one of them is in Central Asia. crosses [route]: by country.
    pair, gateway [n]: gateways that routes of these pairs pass. route, number [passage]: which route, which
    of the n.
    """

    def __init__(self, graph: Graph, routes: RouteSet, five: tuple[str, ...]) -> None:
        of = np.array(graph.countries)
        self.start, self.end = of[routes.origin], of[routes.destination]
        self._of_route = routes.pair
        self.of_five = np.isin(self.start, five) | np.isin(self.end, five)
        marks = [transit_arcs(graph, frozenset([country])) for country in five]
        touched = routes.touching(np.stack(marks, axis=1))
        self.crosses = {
            country: touched[:, n] & ((self.start != country) & (self.end != country))[routes.pair]
            for n, country in enumerate(five)
        }
        route, gateway = routes.through(graph)
        mine = self.of_five[routes.pair[route]]
        self.route = route[mine]
        met = routes.pair[self.route].astype(np.int64) * len(graph.gateways) + gateway[mine]
        keys, number = np.unique(met, return_inverse=True)
        self.number = number.astype(np.int32)
        self.pair, self.gateway = np.divmod(keys, len(graph.gateways))

    def among(self, ends: NDArray[np.str_], countries: tuple[str, ...]) -> NDArray[np.bool_]:
        """Routes whose ends [pair], self.start or self.end, are in these countries [route]."""
        there = np.logical_or.reduce([ends == country for country in countries])
        return np.asarray(there[self._of_route])


class Carried:
    """TEU of a solved World by route, and properties of the routes that are used repeatedly."""

    def __init__(self, solved: Solved) -> None:
        self.solved = solved
        self.routes = solved.choice.base.routes
        self.graph = solved.graph

    @cached_property
    def by_product(self) -> FloatArray:
        """TEU a year on every route, container trains and others [route, product]."""
        return self.solved.choice.route_flows(self.solved.demand_teu)

    @cached_property
    def by_kind(self) -> FloatArray:
        """TEU a year on every route [route, 4]: block and wagonload of containers, then of bulk."""
        return self.solved.choice.route_kinds(self.solved.demand_teu)

    @cached_property
    def teu(self) -> FloatArray:
        """TEU a year on every route [route]."""
        return np.asarray(self.by_product.sum(axis=1))

    @cached_property
    def tonnes(self) -> FloatArray:
        """Tonnes a year on every route [route]."""
        return np.asarray(self.solved.choice.route_goods(self.solved.demand_teu)[:, 1:3].sum(axis=1))

    @cached_property
    def length_km(self) -> FloatArray:
        """Length of every route [km]."""
        return self.routes.length_km(self.graph)

    @cached_property
    def _ways(self) -> _Ways:
        five, known = _five(self.solved.world), _WAYS.setdefault(self.routes, {})
        if five not in known:
            known[five] = _Ways(self.graph, self.routes, five)
        return known[five]

    def begins_in(self, *countries: str) -> NDArray[np.bool_]:
        """Routes from these countries [route]."""
        return self._ways.among(self._ways.start, countries)

    def goes_to(self, *countries: str) -> NDArray[np.bool_]:
        """Routes to these countries [route]."""
        return self._ways.among(self._ways.end, countries)

    def crosses(self, country: str) -> NDArray[np.bool_]:
        """Routes that touch a Central Asian country on their way between two others [route]."""
        return np.asarray(self._ways.crosses[country])

    def ends_in(self, origins: frozenset[str], destinations: frozenset[str]) -> NDArray[np.bool_]:
        """Routes between two groups of countries, either way [route].

        origins, destinations: codes of the countries.
        """
        start, end = self._ways.start, self._ways.end
        there = np.isin(start, sorted(origins)) & np.isin(end, sorted(destinations))
        back = np.isin(start, sorted(destinations)) & np.isin(end, sorted(origins))
        return np.asarray((there | back)[self.routes.pair])

    def family(self, *names: str) -> NDArray[np.bool_]:
        """Routes of these corridor families [route]."""
        return np.isin(self.routes.family, [FAMILIES.index(name) for name in names])

    def boxes_of(self, country: str) -> float:
        """TEU a year with an end in a country."""
        of = np.array(self.graph.countries)
        mine = (of[self.routes.origin] == country) | (of[self.routes.destination] == country)
        return float(self.solved.demand_teu[mine].sum())

    @cached_property
    def without_another_way(self) -> dict[tuple[str, str], float]:
        """TEU of pairs all of whose open routes pass one gateway, by Central Asian country and gateway.

        Routes were searched with every gateway closed in turn, so a pair without another route has none.
        """
        routes, graph, ways = self.routes, self.graph, self._ways
        ends = ways.start, ways.end
        mine = self.solved.choice.available & ways.of_five[routes.pair]
        times = np.bincount(ways.number[mine[ways.route]], minlength=len(ways.pair))
        count = np.bincount(routes.pair[mine], minlength=routes.n_pairs)
        demand = self.solved.demand_teu.sum(axis=1)
        five = set(_five(self.solved.world))
        out: dict[tuple[str, str], float] = {}
        for k in np.flatnonzero((times > 0) & (times == count[ways.pair])).tolist():
            q, j = int(ways.pair[k]), int(ways.gateway[k])
            for country in {str(ends[0][q]), str(ends[1][q])} & five:
                name = country, graph.gateways[j]
                out[name] = out.get(name, 0.0) + float(demand[q])
        return out


def indicators(after: Solved, base: Solved | None = None, *, lost: Lost | None = None) -> Rows:
    """Every proxy: indicator, subject (country, place or gateway), value, base, change, unit, proxy.

    after: solved; base: reference of the changes, None for figures alone. lost: TEU lost by gateway, from a
    study that also considers capacities, instead of TEU without another route.
    Definitions and units: docs/channels/indicators.md. Raises DataError where the World has no group CA5.
    """
    new = dict(_figures(after, lost))
    old = dict(_figures(base, lost)) if base is not None else {}
    access = market_access_hat(after)
    for n, region in enumerate(after.equilibrium[after.closure].base.regions):
        if region in (*_five(after.world), "CHN"):
            new["market_access", region] = 100.0 * float(access[n])
            if base is not None:
                old["market_access", region] = 100.0
    rows: Rows = []
    for (name, subject), value in new.items():
        before = old.get((name, subject))
        rows.append(
            {
                "indicator": name,
                "subject": subject,
                "base": before,
                "value": value,
                "change": None if before is None else value - before,
                "unit": UNITS[name],
                "proxy": PROXY[name],
            }
        )
    return rows


def frame(rows: Rows) -> pd.DataFrame:
    """Rows of `indicators` as a DataFrame.

    rows: as `indicators` returns them.
    """
    import pandas as pd

    return pd.DataFrame(rows)


def market_access_hat(solved: Solved) -> FloatArray:
    """Change of the market access of goods producers [n]: exports beyond what their own cost explains.

    solved: a solved World.

    MA_n^s^ = E_n^s^ (c_n^s^ / A_n^s^)^theta_s with E the exports, averaged over goods by base exports.
    The producer price is taken from domestic sales, which have no trade cost: p^ = (pi_nn^)^(-1/theta) P^.

    Source: Redding and Venables (2004), Journal of International Economics 62(1), equation (6).
    """
    eq = solved.equilibrium[solved.closure]
    base = eq.base
    goods = [base.sectors.index(str(r["sector"])) for r in solved.world.sectors if r["is_goods"]]
    old, new = base.trade[:, :, goods], eq.trade[:, :, goods]
    home = np.arange(len(base.regions))
    sold, exported = (flows.sum(axis=1) - flows[home, home] for flows in (old, new))
    # The share of domestic sales in spending, tariffs included, before and after.
    spent = (old * (1.0 + base.tariff[:, :, goods])).sum(axis=0)
    spent_new = (new * (1.0 + eq.tariff[:, :, goods])).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.log(new[home, home] / spent_new) - np.log(old[home, home] / spent)
        log = np.log(exported / sold) + base.theta[goods] * np.log(eq.price_hat[:, goods]) - share
    known = np.isfinite(log) & (sold > 0.0)
    weight = np.where(known, sold, 0.0)
    mean = (weight * np.where(known, log, 0.0)).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-300)
    return np.asarray(np.exp(mean))


def _figures(solved: Solved, lost: Lost | None) -> dict[tuple[str, str], float]:
    """Every figure of a solved World; those of a base are stored, since many cases use them."""
    known = _KEPT.get(solved) if lost is None else None
    if known is None:
        known = _measure(solved, lost)
        if lost is None:
            _KEPT[solved] = known
    return known


def _measure(solved: Solved, lost: Lost | None) -> dict[tuple[str, str], float]:
    carried = Carried(solved)
    out: dict[tuple[str, str], float] = {}
    by_land = np.isin(carried.routes.family, _LAND)
    china = carried.begins_in("CHN") | carried.goes_to("CHN")
    known = set(carried.graph.countries)
    five = _five(solved.world)
    for country in five:
        if country not in known:
            continue
        crossing = by_land & carried.crosses(country)
        others = by_land & china & ~carried.begins_in(country) & ~carried.goes_to(country)
        total = float(carried.teu[others].sum())
        out["transit_share", country] = float(carried.teu[crossing & china].sum()) / max(total, 1e-300)
        out["transit_teu", country] = float(carried.teu[crossing].sum())
    out |= {("betweenness_teu", place): teu for place, teu in _betweenness(carried).items()}
    out |= {("gateway_hhi", country): value for country, value in _concentration(solved).items()}
    without = lost(solved) if lost is not None else carried.without_another_way
    for country in five:
        mine = {gateway: teu for (of, gateway), teu in without.items() if of == country}
        total = carried.boxes_of(country)
        if total > 0.0:
            out["n1_unserved_share", country] = max(mine.values(), default=0.0) / total
    graph = carried.graph
    kg = float((solved.flow_teu * graph.co2e_kg).sum())
    tkm = float(carried.tonnes @ carried.length_km)
    usd = float((solved.demand_teu * solved.freight.usd_per_teu).sum())
    if tkm > 0.0 and usd > 0.0:
        out["co2e_g_per_tkm", "network"] = 1e3 * kg / tkm
        out["co2e_kg_per_1000_usd", "network"] = 1e3 * kg / usd
    return out


def _betweenness(carried: Carried) -> dict[str, float]:
    """TEU that pass a Central Asian place on a link and neither begin nor end there, largest first."""
    graph, routes = carried.graph, carried.routes
    haul = graph.link >= 0
    into = np.bincount(
        graph.head[haul] // len(LAYERS),
        carried.solved.flow_teu[haul].sum(axis=1),
        minlength=len(graph.places),
    )
    ending = np.bincount(routes.destination[routes.pair], weights=carried.teu, minlength=len(graph.places))
    five = np.isin(np.array(graph.countries), _five(carried.solved.world))
    passing = np.where(five, np.maximum(into - ending, 0.0), 0.0)
    order = np.argsort(-passing, kind="stable")[:_PLACES_SHOWN]
    return {graph.places[p]: float(passing[p]) for p in order if passing[p] > 0.0}


def _concentration(solved: Solved) -> dict[str, float]:
    """Herfindahl index of border posts and ports by country, in TEU of all goods."""
    graph = solved.graph
    teu = graph.at_gateways(solved.flow_teu).sum(axis=1)
    table = solved.world.network["gateways"].by("gateway_id")
    country = {str(r["place_id"]): str(r["country"]) for r in solved.world.network["places"]}
    of: dict[str, list[float]] = {}
    kinds = solved.world.gateway_kinds
    for j, gateway in enumerate(graph.gateways):
        row = table[gateway]
        if kinds.stands_for(row) not in ("border", "port"):
            continue
        for end in {country.get(str(row["place_a"])), country.get(str(row["place_b"]))} - {None}:
            of.setdefault(str(end), []).append(float(teu[j]))
    out = {}
    for name in ("CHN", *_five(solved.world)):
        flows = np.array(of.get(name, []))
        if flows.sum() > 0.0:
            out[name] = float(((flows / flows.sum()) ** 2).sum())
    return out
