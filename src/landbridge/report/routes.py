"""Report on the routes between two places, leg by leg; also as lines of a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from landbridge.io.network import SCHEMATIC, Field, Layer, geojson_text
from landbridge.phrases import say, width
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.transport.graph import BLOCK, LAYERS, PRODUCTS, ROAD
from landbridge.transport.legs import Leg, Route, Routes, Term
from landbridge.world import World

__all__ = ["BY", "ordered", "route_rows", "route_sections", "routes_geojson", "used"]

# Orders of routes, and the property of a route by which each is.
BY = {"time": "time_h", "cost": "cost_usd", "co2e": "co2e_kg"}
_BY_LAND, _AFLOAT = ("rail", "road"), ("sea", "ferry")
_HOURS_A_DAY = 24.0
# Characters of a way in words that a line of a terminal has room for.
_WAY = 34
# Share of TEU on routes that are not listed, from which it is stated.
_OTHERS = 0.001
# Share of TEU below which the largest route of a family is listed by its share alone.
_HARDLY_USED = 0.005


def route_rows(routes: Routes) -> dict[str, list[dict[str, Any]]]:
    """Tables of routes and of their legs, each leg with the number of its route."""
    whole = [{"route": n, **one.as_json()} for n, one in enumerate(routes, start=1)]
    legs = [{"route": one["route"], **leg} for one in whole for leg in one["legs"]]
    for row in (*whole, *legs):
        row.pop("legs", None)
        row.pop("terms", None)
    return {"routes": whole, "legs": legs}


def route_sections(world: World, routes: Routes, lang: str = "en", legs: bool = True) -> Iterator[Section]:
    """A line for every route in the order given, then the legs of each where they are asked for.

    world: gives the names, after the scenario of the routes where they have one; routes: of the pair; lang:
    en, ru or zh.
    """
    names = Names(world, lang)
    yield names.explained(_summary(world, routes, names, legs))
    yield from _against_base(world, routes, names)
    yield from map(names.explained, _with_legs(world, routes, names, legs))


def ordered(routes: Routes, by: str | None = None) -> Routes:
    """The routes by time, cost or co2e, the least first; by share, the largest first, where None.

    Raises KeyError for another order.
    """
    if by is None:
        return routes
    key = BY[by]
    return replace(routes, routes=tuple(sorted(routes, key=lambda one: float(getattr(one, key)))))


def used(routes: Routes, k: int) -> Routes:
    """The k routes for the screen: the largest of every family that is used, then the next by share.

    routes: all of the pair, the largest share first.
    """
    leaders = {one.family: one for one in reversed(tuple(routes)) if one.share >= _HARDLY_USED}
    first = [one for one in routes if leaders.get(one.family) is one]
    rest = [one for one in routes if one not in first]
    kept = (first + rest)[:k]
    return replace(routes, routes=tuple(one for one in routes if one in kept))


def _summary(world: World, routes: Routes, names: Names, legs: bool) -> Section:
    """What the routes are and take, one line each."""
    ways = _Ways(world, routes, names)
    rows = [
        (
            f"{number}",
            ways.words(one),
            names.figure(one.time_h / _HOURS_A_DAY, ".1f"),
            f"{one.time_p05_h / _HOURS_A_DAY:.1f}-{one.time_p95_h / _HOURS_A_DAY:.1f}",
            names.figure(one.cost_usd, ",.0f"),
            names.figure(one.co2e_kg, ",.0f"),
            names.figure(100.0 * one.share, ".1f"),
        )
        for number, one in enumerate(routes, start=1)
    ]
    block, part = routes.product == PRODUCTS[BLOCK], 100.0 * routes.product_share
    left = 1.0 - sum(one.share for one in routes)
    after = [
        *_of_scenario(routes, names),
        names.say("route.summary.units", year=world.base_year),
        names.say("route.summary.days"),
        names.say(
            "route.summary.shares",
            product=names.say("route.block" if block else "route.wagonload"),
            part=part,
        ),
    ]
    if left >= _OTHERS:
        after.append(names.say("route.summary.others", left=100.0 * left))
    if not legs:
        after.append(names.say("route.summary.legs"))
    return phrased(
        "route.summary",
        rows,
        words=names,
        after=after,
        start=names.place[routes.origin],
        end=names.place[routes.destination],
        sector=names.sector.get(routes.commodity, routes.commodity),
    )


def _of_scenario(routes: Routes, names: Names) -> Iterator[str]:
    """Sentences on the scenario, its queues, and what routes that it closes carried."""
    if routes.scenario is None:
        return
    yield names.say("route.scenario", scenario=routes.scenario.id)
    if routes.lost_share >= _OTHERS:
        yield names.say("route.scenario.lost", lost=100.0 * routes.lost_share)


def _against_base(world: World, routes: Routes, names: Names) -> list[Section]:
    """What the scenario changes of every route listed; nothing where none was asked for."""
    if routes.scenario is None:
        return []
    ways, new = _Ways(world, routes, names), ("", "", names.say("route.new"))
    rows = []
    for number, one in enumerate(routes, start=1):
        cells = new
        if one.base is not None:
            cells = (
                names.signed((one.time_h - one.base.time_h) / _HOURS_A_DAY, 1),
                names.signed(one.cost_usd - one.base.cost_usd, 0),
                names.figure(100.0 * one.base.share, ".1f"),
            )
        rows.append((f"{number}", ways.words(one), *cells, names.figure(100.0 * one.share, ".1f")))
    return [phrased("route.change", rows, words=names)]


class _Ways:
    """Routes in words: what carries them and the gateways by which one differs from another."""

    def __init__(self, world: World, routes: Routes, names: Names) -> None:
        gateways, kinds = world.network["gateways"].by("gateway_id"), world.gateway_kinds
        passages = [str(row["passage"] or "").split("+") for row in world.network["links"]]
        self._name, self._words = names.gateway, names
        self._kind = {one: kinds.stands_for(gateways[one]) for route in routes for one in route.gateways}
        # A strait that few lanes pass says more of a route than one that all do.
        self._lanes = {
            one: sum(str(gateways[one]["passage"]) in passage for passage in passages)
            for one, kind in self._kind.items()
            if kind == "strait"
        }
        by_land = [set(route.gateways) for route in routes if route.mode_class in _BY_LAND]
        self._shared = set.intersection(*by_land) if len(by_land) > 1 else set()

    def words(self, route: Route) -> str:
        """Such as "rail via Khorgos"."""
        mode = self._words.say(f"route.mode.{self._mode(route)}")
        via = list(dict.fromkeys(self._short(one) for one in self._telling(route)))
        told = [
            self._words.say("route.way", mode=mode, via=self._words.joined(via[:n]))
            for n in range(len(via), 0, -1)
        ]
        return next((text for text in told if width(text) <= _WAY), told[-1]) if told else mode

    def _mode(self, route: Route) -> str:
        rail, road = (
            sum(leg.distance_km for leg in route.legs if (leg.mode == LAYERS[ROAD]) == by_road)
            for by_road in (False, True)
        )
        if route.mode_class == "multimodal":
            sea = sum(leg.distance_km for leg in route.legs if leg.mode in _AFLOAT)
            return "rail_and_ship" if rail - sea >= road else "truck_and_ship"
        return "rail_and_road" if route.mode_class == "rail" and road else route.mode_class

    def _telling(self, route: Route) -> list[str]:
        """At most two gateways of a route that tell it from others, in order of travel."""
        ports = [one for one in route.gateways if self._kind[one] == "port"]
        if route.mode_class == "multimodal":
            return ports[:2]
        if route.mode_class == "sea":
            straits = sorted((g for g in route.gateways if g in self._lanes), key=lambda g: self._lanes[g])
            return [*straits[:1], *ports[-1:]] if straits else [*ports[:1], *ports[-1:]]
        own = [one for one in route.gateways if one not in self._shared]
        return (own or list(route.gateways))[:2]

    def _short(self, gateway: str) -> str:
        """The name of a gateway, of a border that of its first side."""
        return self._name.get(gateway, gateway).split(" - ")[0].split(" (")[0]


def _with_legs(world: World, routes: Routes, names: Names, legs: bool) -> list[Section]:
    """A heading for the pair, then a table of legs for every route."""
    if not legs:
        return []
    block = routes.product == PRODUCTS[BLOCK]
    return [
        phrased(
            "route.pair",
            words=names,
            start=names.place[routes.origin],
            end=names.place[routes.destination],
            sector=names.sector.get(routes.commodity, routes.commodity),
            code=routes.commodity,
            group=names.term("pair_group", routes.pair_group),
            product=names.say("route.block" if block else "route.wagonload"),
            year=world.base_year,
        ),
        *(_route(number, one, names) for number, one in enumerate(routes, start=1)),
    ]


def _route(number: int, one: Route, names: Names) -> Section:
    early, median, late, more = (
        hours / _HOURS_A_DAY for hours in (one.time_p05_h, one.time_p50_h, one.time_p95_h, one.buffer_h)
    )
    total = (
        names.say("route.sum"), "", "", "", names.figure(one.distance_km, ",.0f"),
        names.figure(one.time_h, ".1f"), names.figure(one.cost_usd, ",.0f"),
        names.figure(one.co2e_kg, ",.0f"), "",
    )  # fmt: skip
    return phrased(
        "route.one",
        [*(_leg(leg, names) for leg in one.legs), total],
        words=names,
        number=number,
        family=names.term("family", one.family),
        family_share=100.0 * one.family_share,
        mode_class=names.term("mode", one.mode_class),
        share=100.0 * one.share,
        mean=one.time_h / _HOURS_A_DAY,
        p05=early,
        p50=median,
        p95=late,
        buffer=more,
        usd=one.cost_usd,
        kg=one.co2e_kg,
        km=one.distance_km,
        wait=one.schedule_wait_h,
        time_usd=one.time_value_usd,
        reliability_usd=one.reliability_usd,
    )


def _leg(leg: Leg, names: Names) -> tuple[str, ...]:
    terms = names.joined(_of_term(term, names) for term in leg.terms)
    return (
        names.place[leg.start],
        names.place[leg.end] if leg.end != leg.start else "",
        names.term("mode", leg.mode),
        names.term("operation", leg.operation),
        names.figure(leg.distance_km, ",.0f") if leg.distance_km else "",
        names.figure(leg.time_h, ".1f"),
        names.figure(leg.cost_usd, ",.0f"),
        names.figure(leg.co2e_kg, ",.0f"),
        terms if len(leg.terms) > 1 else names.term("part", leg.terms[0].name),
    )


def _of_term(term: Term, names: Names) -> str:
    """A part of a leg with its hours, money and emissions."""
    parts = [
        names.say("route.hours", hours=term.time_h) if term.time_h else "",
        names.say("route.usd", usd=term.cost_usd) if term.cost_usd else "",
        names.say("route.kg", kg=term.co2e_kg) if term.co2e_kg else "",
    ]
    name = names.term("part", term.name)
    return f"{name} " + (" ".join(part for part in parts if part) or "0")


# -- map -----------------------------------------------------------------------------------------------

_FIELDS = (
    Field("route", "integer", "", "number of the route, the largest share first"),
    Field("family", "text", "", "corridor family of the route"),
    Field("share", "real", "share of TEU", "share of the route in the pair's TEU"),
    Field("from", "text", "", "place where the leg begins"),
    Field("from_name", "text", "", "its name"),
    Field("to", "text", "", "place where the leg ends"),
    Field("to_name", "text", "", "its name"),
    Field("mode", "text", "", "mode of the link, or of the layer served"),
    Field("operation", "text", "", "haul, terminal, transfer, gauge_change, border, port or rest"),
    Field("link", "text", "", "identifier of the link, blank where the leg has none"),
    Field("distance_km", "real", "km", "length along the link, not of the straight line"),
    Field("time_h", "real", "h", "hours of the leg"),
    Field("cost_usd", "real", "USD/TEU", "money of the leg"),
    Field("co2e_kg", "real", "kg CO2e/TEU", "emissions of the leg, well to wheel"),
)


def routes_geojson(world: World, routes: Routes, attribution: Sequence[str]) -> str:
    """One feature per leg: a straight line between its places, or a point for a leg at one place.

    world: with the places; routes: of one pair; attribution: lines of the data. Returns the text of the file.
    """
    at = {
        str(r["place_id"]): (float(r["lon"] or 0.0), float(r["lat"] or 0.0)) for r in world.network["places"]
    }
    features = []
    for number, one in enumerate(routes, start=1):
        for leg in one.legs:
            points = (at[leg.start],) if leg.start == leg.end else (at[leg.start], at[leg.end])
            cells: Mapping[str, Any] = {
                "route": number,
                "family": one.family,
                "share": one.share,
                **leg.as_json(),
            }
            features.append((points, cells))
    about = {
        "geometry": SCHEMATIC,
        "world": world.hash,
        "boundaries": say("about.boundaries"),
        "attribution": list(attribution),
    }
    return geojson_text([Layer("legs", "legs", "line", _FIELDS, features)], about)
