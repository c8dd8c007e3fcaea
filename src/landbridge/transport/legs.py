"""Routes between two places, leg by leg, for `lb.route` and `landbridge route`.

Hours, money and emissions of the terms are rounded to multiples of 2^-20 (4 milliseconds, a millionth
of a dollar), which makes every sum of them exact in binary: terms add up to legs and legs to routes,
in any order, to the last digit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from landbridge.errors import Fault, InfeasibleError
from landbridge.notebook import html_table
from landbridge.scenario import Scenario
from landbridge.transport.asked import Trip, between
from landbridge.transport.between import Between
from landbridge.transport.emissions import EmissionFactors, carrier
from landbridge.transport.graph import (
    BLOCK,
    GATE_IN,
    LAYERS,
    OPERATIONS,
    PRODUCTS,
    TERMS,
    Graph,
)
from landbridge.transport.routes.modes import MODE_CLASSES, mode_classes
from landbridge.transport.routes.route_set import FAMILIES
from landbridge.transport.segments import CONTAINER
from landbridge.world import World
from landbridge.world.table import Cell

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MODE_CLASSES",
    "Before",
    "Leg",
    "Path",
    "Route",
    "Routes",
    "Term",
    "Trip",
    "exact",
    "find_routes",
    "gateways_of",
    "route",
    "route_after",
]

Row = Mapping[str, Cell]
# A route by what is done where: start, end, mode, operation and link of every leg.
Path = tuple[tuple[str, str, str, str, str | None], ...]

_GRID = 2.0**20
# Hours spent waiting for a departure.
_SCHEDULE = ("formation", "sailing_wait")
# Operations that lift a container from one vehicle to another.
_LIFTS = ("transfer", "gauge_change", "port")
# Figures of a route that are also given for the base.
_COMPARED = ("share", "time_h", "cost_usd", "co2e_kg")


@dataclass(frozen=True)
class Term:
    """One named part of a leg.

    name: of the part, such as haul or queue; time_h: hours; cost_usd: USD of 2023 per TEU; co2e_kg: kg CO2e
    per TEU.
    """

    name: str
    time_h: float
    cost_usd: float
    co2e_kg: float


@dataclass(frozen=True)
class Leg:
    """One operation between two places (or inside one); the sums of its terms.

    start, end: place identifiers ("from" and "to" in JSON); start_name, end_name: of these places. mode: of
    the link, or of the layer served. operation: haul, terminal, transfer, gauge_change, border, port or rest.
    link: its identifier, None inside a place. distance_km: of a haul, else 0. co2e_ttw_kg: tank-to-wheel part
    of co2e_kg [kg CO2e per TEU], None where no source states it.
    """

    start: str
    end: str
    start_name: str
    end_name: str
    mode: str
    operation: str
    link: str | None
    distance_km: float
    terms: tuple[Term, ...]
    co2e_ttw_kg: float | None = None

    @property
    def time_h(self) -> float:
        """Hours of the leg."""
        return sum(term.time_h for term in self.terms)

    @property
    def cost_usd(self) -> float:
        """Money of the leg [USD of 2023 per TEU]."""
        return sum(term.cost_usd for term in self.terms)

    @property
    def co2e_kg(self) -> float:
        """Emissions of the leg [kg CO2e per TEU]."""
        return sum(term.co2e_kg for term in self.terms)

    def as_json(self) -> dict[str, Any]:
        """The leg with its terms as plain values, as `--json` prints it."""
        return {
            "from": self.start,
            "to": self.end,
            "from_name": self.start_name,
            "to_name": self.end_name,
            "mode": self.mode,
            "operation": self.operation,
            "link": self.link,
            "time_h": self.time_h,
            "cost_usd": self.cost_usd,
            "co2e_kg": self.co2e_kg,
            "co2e_ttw_kg": self.co2e_ttw_kg,
            "distance_km": self.distance_km,
            "terms": [vars(term) for term in self.terms],
        }


@dataclass(frozen=True)
class Before:
    """A route in the base.

    share: of the pair's TEU; time_h: hours; cost_usd: USD of 2023 per TEU; co2e_kg: kg CO2e per TEU.
    """

    share: float
    time_h: float
    cost_usd: float
    co2e_kg: float


@dataclass(frozen=True)
class Route:
    """One route door to door.

    mode_class: multimodal, sea, rail or road; gateways: identifiers, in order of travel; legs: haul by haul.
    share: of the pair's TEU of this commodity and rail product. family_share: of the route's family.
    time_p05_h, time_p50_h, time_p95_h: of a gamma distribution with the route's mean and variance.
    time_value_usd, reliability_usd: cost of its hours and their uncertainty in the choice [USD/TEU],
    t u / 24 x hours and t u / 24 x rho x standard deviation. base: the route in the base, where routes after
    a scenario were asked for and it was open.
    """

    family: str
    family_share: float
    mode_class: str
    share: float
    time_p05_h: float
    time_p50_h: float
    time_p95_h: float
    time_value_usd: float
    reliability_usd: float
    gateways: tuple[str, ...]
    legs: tuple[Leg, ...]
    base: Before | None = None

    @property
    def path(self) -> Path:
        """Start, end, mode, operation and link of every leg, which no other route shares."""
        return tuple((leg.start, leg.end, leg.mode, leg.operation, leg.link) for leg in self.legs)

    @property
    def time_h(self) -> float:
        """Mean hours door to door."""
        return sum(leg.time_h for leg in self.legs)

    @property
    def buffer_h(self) -> float:
        """Hours above the mean within which 95 % arrive: 95th percentile - mean.

        Source: FHWA (2006), Travel Time Reliability, "buffer time".
        """
        return self.time_p95_h - self.time_h

    @property
    def schedule_wait_h(self) -> float:
        """Part of the hours spent waiting for a train to be formed or a ship to sail."""
        return sum(t.time_h for leg in self.legs for t in leg.terms if t.name in _SCHEDULE)

    @property
    def transfers(self) -> int:
        """How often the container is lifted from one vehicle to another: transfers, gauge changes, ports."""
        return sum(leg.operation in _LIFTS for leg in self.legs)

    @property
    def cost_usd(self) -> float:
        """Money [USD of 2023 per TEU]."""
        return sum(leg.cost_usd for leg in self.legs)

    @property
    def co2e_kg(self) -> float:
        """Emissions [kg CO2e per TEU]."""
        return sum(leg.co2e_kg for leg in self.legs)

    @property
    def distance_km(self) -> float:
        """Length [km]."""
        return sum(leg.distance_km for leg in self.legs)

    def as_json(self) -> dict[str, Any]:
        """The route with its legs as plain values, as `--json` prints it."""
        return {
            "family": self.family,
            "family_share": self.family_share,
            "mode_class": self.mode_class,
            "share": self.share,
            "time_h": self.time_h,
            "time_p05_h": self.time_p05_h,
            "time_p50_h": self.time_p50_h,
            "time_p95_h": self.time_p95_h,
            "buffer_h": self.buffer_h,
            "schedule_wait_h": self.schedule_wait_h,
            "time_value_usd": self.time_value_usd,
            "reliability_usd": self.reliability_usd,
            "cost_usd": self.cost_usd,
            "co2e_kg": self.co2e_kg,
            "distance_km": self.distance_km,
            "transfers": self.transfers,
            "gateways": list(self.gateways),
            "legs": [leg.as_json() for leg in self.legs],
        }


@dataclass(frozen=True)
class Routes:
    """The routes of one pair, largest share first; a sequence of `Route`.

    origin, destination: place identifiers; pair_group: of the values of time. product: the rail product shown
    (block or wagonload), the one that carries most of the commodity in the pair's group; product_share: its
    part of the pair's TEU, in which shares of routes are. scenario: after which routes were chosen, None for
    the World itself; lost_share: what routes that it closes carried in the base. per: unit of money and
    emissions, teu, or feu or truck where they come from `landbridge.transport.per_unit`. known: all routes of
    the pair per TEU, those of the base first, then those asked for where they differ: names are chosen among
    them; empty where only the routes listed are known.
    """

    origin: str
    destination: str
    commodity: str
    product: str
    pair_group: str
    routes: tuple[Route, ...]
    product_share: float = 1.0
    scenario: Scenario | None = None
    lost_share: float = 0.0
    per: str = "teu"
    known: tuple[tuple[Route, ...], ...] = field(default=(), repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.routes)

    def __iter__(self) -> Iterator[Route]:
        return iter(self.routes)

    def __getitem__(self, number: int) -> Route:
        return self.routes[number]

    def __repr__(self) -> str:
        lines = [f"<Routes {self.origin} - {self.destination}, {self.commodity}, {self.product}>"]
        for r in self.routes:
            lines.append(
                f"  {r.share:7.2%}  {r.family:13} ({r.family_share:.2%})  {r.time_h / 24:5.1f} d"
                f"  {r.cost_usd:6.0f} USD  {r.co2e_kg:6.0f} kg  {r.distance_km:6.0f} km"
                f"  {', '.join(r.gateways)}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        columns = "share", "family", "days", "USD per TEU", "kg CO2e per TEU", "km", "by way of"
        rows = [
            (
                f"{r.share:.1%}",
                r.family,
                f"{r.time_h / 24:.1f}",
                f"{r.cost_usd:,.0f}",
                f"{r.co2e_kg:,.0f}",
                f"{r.distance_km:,.0f}",
                ", ".join(r.gateways),
            )
            for r in self.routes
        ]
        return html_table(f"{self.origin} - {self.destination}, {self.commodity}", columns, rows)

    def to_json(self) -> dict[str, Any]:
        """The routes as plain values for json.dumps.

        After a scenario also its name, and for every route its figures of the base, None where it was closed.
        """
        whole: dict[str, Any] = {
            "from": self.origin,
            "to": self.destination,
            "commodity": self.commodity,
            "product": self.product,
            "product_share": self.product_share,
            "pair_group": self.pair_group,
            "per": self.per,
            "routes": [r.as_json() for r in self.routes],
        }
        if self.scenario is not None:
            whole |= {"scenario": self.scenario.id, "queues": "base", "lost_share": self.lost_share}
            for cells, one in zip(whole["routes"], self.routes, strict=True):
                for name in _COMPARED:
                    cells[f"base_{name}"] = None if one.base is None else getattr(one.base, name)
        return whole

    def frame(self, names: Sequence[str] = ()) -> pd.DataFrame:
        """One row per leg, with the route's number, family and share.

        names: of the routes, a column of their own where given.
        """
        import pandas as pd

        rows = []
        for number, r in enumerate(self.routes, start=1):
            for leg in r.legs:
                row = leg.as_json()
                del row["terms"]
                named = {"name": names[number - 1]} if names else {}
                rows.append({"route": number, **named, "family": r.family, "share": r.share, **row})
        return pd.DataFrame(rows)


def route(
    world: World,
    origin: str,
    destination: str,
    commodity: str = "MCH",
    k: int = 5,
    mode: str | None = None,
    product: str | None = None,
) -> Routes:
    """The routes between two places that carry the most of a commodity, leg by leg.

    share_r = s_f P_r, see `landbridge.transport.choice.pivot`; the hours are those
    observed at the gateways, including the queue of the base.

    world: from `lb.load`; origin, destination: place names (en, ru, zh) or identifiers, any two places of the
    network.
    commodity: a sector by code or name. k: number of routes: the largest of every family first, then the next
    by share. mode: only routes of this class (multimodal, sea, rail, road). product: rail product, block or
    wagonload, by default the larger one. Returns Routes [h, USD/TEU, kg CO2e/TEU].
    Raises DataError for unknown names, InfeasibleError where no open route joins the places.
    """
    return find_routes(world, Trip(origin, destination, commodity, k, mode, product))


def route_after(
    world: World,
    scenario: Scenario | str,
    origin: str,
    destination: str,
    commodity: str = "MCH",
    k: int = 5,
    product: str | None = None,
) -> Routes:
    """The routes between two places after a scenario, at the queues of the base, each with its base figures.

    share_r = s_f' P_r', see `landbridge.transport.choice.between_families`.

    scenario: a bundled name, the path of a TOML file or a Scenario. world, origin, destination, commodity, k,
    product: as in `route`. Returns Routes [h, USD/TEU, kg CO2e/TEU].
    Raises as `route`, and ScenarioError for an invalid scenario.
    """
    return find_routes(world, Trip(origin, destination, commodity, k, None, product), scenario)


def find_routes(world: World, trip: Trip, scenario: Scenario | str | None = None) -> Routes:
    """The routes of a trip: those of `route`, or of `route_after` where a scenario is given.

    world, scenario: as there; trip: its places, commodity and what is shown. Equations:
    docs/theory/choice.md. Raises what these raise.
    """
    asked = between(world, trip, scenario)
    found, after, sector, number = asked.found, asked.after, asked.sector, asked.product
    graph, routes, choice, classes = found.graph, found.routes, found.choice, found.classes
    places = after.network["places"].by("place_id")
    paid = _Paid(number, int(classes.kind[sector]))
    share = choice.route_share(sector, number)
    family_share = choice.family_share[sector, number][routes.group_of_route]
    spread = choice.sums.variance_h2[number]
    arcs = [routes.arcs[routes.start[r] : routes.start[r + 1]] for r in range(routes.n_routes)]
    kinds = [MODE_CLASSES[m] for m in mode_classes(graph, places, routes.arcs, routes.start)]
    chosen = _largest(routes.family, share, trip.k, trip.mode, kinds, found.available)
    if not chosen:
        there = ", ".join(sorted({kinds[r] for r in np.flatnonzero(found.available)}))
        raise InfeasibleError(
            "no such route",
            [Fault(asked.ends, f"no route is of class {trip.mode}", f"there are: {there}")],
        )
    table = []
    for r in chosen:
        legs = tuple(_legs(graph, after, places, arcs[r], paid))
        hours = sum(leg.time_h for leg in legs)
        low, middle, high = _percentiles(hours, float(spread[r]))
        per_hour = float(classes.usd_per_h[sector, 0])
        table.append(
            Route(
                FAMILIES[routes.family[r]],
                float(family_share[r]),
                kinds[r],
                float(share[r]),
                low,
                middle,
                high,
                per_hour * hours,
                per_hour * float(classes.rho[sector]) * math.sqrt(max(float(spread[r]), 0.0)),
                gateways_of(graph, arcs[r]),
                legs,
                _before(found, r, sector, paid),
            )
        )
    group = classes.groups[int(classes.group[0])]
    block = float(classes.block_share[sector, 0])
    part = block if number == BLOCK else 1.0 - block
    lost = 0.0
    if found.before is not None:
        lost = float(found.before.route_share(sector, number)[~found.available].sum())
    ends, product = (asked.start, asked.end), PRODUCTS[number]
    return Routes(*ends, asked.commodity, product, group, tuple(table), part, asked.scenario, lost)


class _Paid(NamedTuple):
    """What is paid for: the rail product and the kind of goods, numbers into PRODUCTS and KINDS."""

    product: int
    kind: int


def _before(found: Between, route: int, sector: int, paid: _Paid) -> Before | None:
    """The same route in the base; None where no scenario was asked for, or the route was closed."""
    if found.before is None or found.open_before is None or not found.open_before[route]:
        return None
    sums, product = found.before.sums, paid.product
    return Before(
        float(found.before.route_share(sector, product)[route]),
        exact(sums.time_h[product, route]),
        exact(sums.money(paid.kind)[product, route]),
        exact(sums.co2e_kg[product, route]),
    )


def _largest(
    family: NDArray[np.int32],
    share: NDArray[np.float64],
    k: int,
    mode: str | None,
    kinds: list[str],
    available: NDArray[np.bool_],
) -> list[int]:
    """The largest open route of every family, then the next by share, k in all; largest share first."""
    order = [
        int(r)
        for r in np.argsort(-share, kind="stable")
        if available[r] and (mode is None or kinds[r] == mode)
    ]
    leaders: dict[int, int] = {}
    for r in order:
        leaders.setdefault(int(family[r]), r)
    first = list(leaders.values())
    rest = [r for r in order if r not in first]
    return sorted((first + rest)[:k], key=lambda r: (-share[r], r))


def _percentiles(mean: float, variance: float) -> tuple[float, float, float]:
    """5th, 50th and 95th percentile of a gamma distribution: never negative, skewed towards delays [h]."""
    if variance <= 0.0 or mean <= 0.0:
        return mean, mean, mean
    shape, scale = mean * mean / variance, variance / mean
    low, middle, high = (float(gammaincinv(shape, p) * scale) for p in (0.05, 0.5, 0.95))
    return low, middle, high


def gateways_of(graph: Graph, arcs: NDArray[np.int32]) -> tuple[str, ...]:
    """Identifiers of the gateways a route passes, in order of travel, once each.

    graph: with the gateways; arcs [n]: of the route, in order of travel.
    """
    seen: dict[str, None] = {}
    for arc in arcs:
        for row in np.flatnonzero((graph.govern_arc == arc) & graph.govern_counted):
            seen[graph.gateways[graph.govern_gateway[row]]] = None
    return tuple(seen)


_OPERATION_OF_TERM = {
    "haul": "haul",
    "stops": "haul",
    "rest": "rest",
    "border": "border",
    "subsidised_cost": "border",
    "subsidy": "border",
}


def _legs(
    graph: Graph,
    world: World,
    places: Mapping[str, Row],
    arcs: NDArray[np.int32],
    paid: _Paid,
) -> Iterator[Leg]:
    """The legs of a route: an arc over a border gives a haul, a rest (on the road) and a border leg."""
    product = paid.product
    money = graph.term_cost_usd if paid.kind == CONTAINER else graph.term_bulk_usd
    links = world.network["links"].by("link_id")
    factors = EmissionFactors(world.network["emission_factors"], world.parameter("payload_t"))
    for arc in arcs:
        start, end = (graph.places[s // len(LAYERS)] for s in (graph.tail[arc], graph.head[arc]))
        link = graph.links[graph.link[arc]] if graph.link[arc] >= 0 else None
        head, tail = graph.head[arc] % len(LAYERS), graph.tail[arc] % len(LAYERS)
        mode = LAYERS[tail if head == GATE_IN else head]
        if link is not None and carrier(links[link]) == "ferry":
            mode = "ferry"
        own = OPERATIONS[graph.operation[arc]]
        parts: dict[str, list[Term]] = {}
        for row in graph.terms_of(int(arc)):
            name = TERMS[graph.term_kind[row]]
            operation = _OPERATION_OF_TERM.get(name, own)
            if name == "queue" and graph.border[arc]:
                operation = "border"
            parts.setdefault(operation, []).append(
                Term(
                    name,
                    exact(graph.term_time_h[row, product]),
                    exact(money[row, product]),
                    exact(graph.term_co2e_kg[row, product]),
                )
            )
        for operation, terms in parts.items():
            km = exact(graph.length_km[arc]) if operation == "haul" else 0.0
            names = str(places[start]["name"]), str(places[end]["name"])
            tank = None if any(term.co2e_kg for term in terms) else 0.0
            if operation == "haul" and link is not None:
                row_, ends = links[link], (str(places[start]["country"]), str(places[end]["country"]))
                tank = factors.haul_ttw(carrier(row_), bool(row_["electrified"]), ends, km)
            yield Leg(start, end, *names, mode, operation, link, km, tuple(terms), tank)


def exact(value: float) -> float:
    """The multiple of 2^-20 nearest to a value: every sum of such numbers is exact in binary."""
    return round(float(value) * _GRID) / _GRID
