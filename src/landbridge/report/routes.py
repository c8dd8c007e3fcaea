"""Report on the routes between two places, leg by leg; also as lines of a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from landbridge.io.network import SCHEMATIC, Field, Layer, geojson_text
from landbridge.phrases import LANGUAGES, say
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.report.route_ways import HOURS_A_DAY, Way, figures, name_parts, told_apart
from landbridge.transport.graph import BLOCK, PRODUCTS
from landbridge.transport.legs import Leg, Route, Routes, Term
from landbridge.transport.per_unit import TRUCK_T, goods_t
from landbridge.world import World

__all__ = ["BY", "ordered", "route_rows", "route_sections", "routes_geojson", "used", "with_names"]

# Orders of routes, and the property of a route by which each is.
BY = {"time": "time_h", "cost": "cost_usd", "co2e": "co2e_kg"}
# Share of TEU on routes that are not listed, from which it is stated.
_OTHERS = 0.001
# Share of TEU below which the largest route of a family is listed by its share alone.
_HARDLY_USED = 0.005


def route_rows(routes: Routes, called: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Tables of routes and of their legs, each leg with the number of its route.

    routes: of a pair; called: their names. Units are those of the columns: h, USD/TEU, kg CO2e/TEU.
    """
    whole = [
        {"route": n, "name": name, **one.as_json()}
        for n, (name, one) in enumerate(zip(called, routes, strict=True), start=1)
    ]
    legs = [{"route": one["route"], **leg} for one in whole for leg in one["legs"]]
    for row in (*whole, *legs):
        row.pop("legs", None)
        row.pop("terms", None)
    return {"routes": whole, "legs": legs}


def with_names(world: World, routes: Routes) -> dict[str, Any]:
    """The routes as plain values, each with its name in every language: name in English, name_ru, name_zh.

    world: gives the names of places and gateways; routes: of a pair. The names are those of the screen.
    """
    whole = routes.to_json()
    told = []
    chosen = name_parts(world, routes)
    for lang in LANGUAGES:
        names = Names(world, lang, marked=False)
        told.append([chosen[one.path].text(names) for one in routes])
    columns = ["name" if lang == "en" else f"name_{lang}" for lang in LANGUAGES]
    whole["routes"] = [
        {**dict(zip(columns, names, strict=True)), **cells}
        for names, cells in zip(zip(*told, strict=True), whole["routes"], strict=True)
    ]
    return whole


def route_sections(world: World, routes: Routes, lang: str = "en", legs: bool = True) -> Iterator[Section]:
    """A line for every way in the order given, then the legs of each where they are asked for.

    Routes that a reader cannot tell apart are one way, with their shares summed and the legs of the first.
    world: gives the names, after the scenario of the routes where they have one; routes: of the pair; lang:
    en, ru or zh; legs: whether they are asked for.
    """
    names = Names(world, lang)
    lines = told_apart(world, routes, names)
    yield names.explained(_summary(world, routes, lines, names, legs))
    yield from _against_base(routes, lines, names)
    yield from map(names.explained, _with_legs(world, routes, lines, names, legs))


def ordered(routes: Routes, by: str | None = None) -> Routes:
    """The routes by time, cost or co2e, the least first; by share, the largest first, where None.

    routes: of a pair; by: time, cost, co2e or None. Raises KeyError for another order.
    """
    if by is None:
        return routes
    key = BY[by]
    return replace(routes, routes=tuple(sorted(routes, key=lambda one: float(getattr(one, key)))))


def used(world: World, routes: Routes, k: int, by: str | None = None) -> Routes:
    """The routes of k lines of the screen; routes that a reader cannot tell apart have one line together.

    The largest of every family that is used come first, then the next by share; with `by` the first in the
    order of the routes. world: gives the names; routes: all of the pair, in order; k: number of lines; by:
    time, cost, co2e or None.
    """
    lines = told_apart(world, routes, Names(world, "en"))
    leaders = {one.first.family: one for one in reversed(lines) if one.share >= _HARDLY_USED}
    first = [] if by else [one for one in lines if leaders.get(one.first.family) is one]
    rest = [one for one in lines if one not in first]
    kept = [one for one in lines if one in (first + rest)[:k]]
    if by is None:
        kept.sort(key=lambda one: -one.share)
    return replace(routes, routes=tuple(route for one in kept for route in one.routes))


def _summary(world: World, routes: Routes, lines: list[Way], names: Names, legs: bool) -> Section:
    """What the routes are and take, one line each."""
    rows = [
        (
            f"{number}",
            one.words,
            *figures(one.first, names),
            names.figure(100.0 * one.share, ".1f"),
            f"{one.first.transfers}",
        )
        for number, one in enumerate(lines, start=1)
    ]
    block, part = routes.product == PRODUCTS[BLOCK], 100.0 * routes.product_share
    left = 1.0 - sum(one.share for one in routes)
    after = [
        *_of_scenario(routes, names),
        *_units(world, routes, names),
        names.say("route.summary.days"),
        names.say("route.summary.lifts"),
        names.say(
            "route.summary.shares",
            product=names.say("route.block" if block else "route.wagonload"),
            part=part,
        ),
    ]
    if _dearer_has_more(lines):
        after.append(names.say("route.summary.counted"))
    if any(len(one.routes) > 1 for one in lines):
        after.append(names.say("route.summary.alike"))
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


def _dearer_has_more(lines: Sequence[Way]) -> bool:
    """Whether a line of higher money plus time has a larger share than another, as a reader can see."""
    costs = [one.first.cost_usd + one.first.time_value_usd + one.first.reliability_usd for one in lines]
    by_cost = [one for _, one in sorted(zip(costs, lines, strict=True), key=lambda pair: pair[0])]
    return any(after.share > before.share for before, after in pairwise(by_cost))


def _units(world: World, routes: Routes, names: Names) -> list[str]:
    """The unit of money and emissions, and what a figure per another unit than a TEU rests on."""
    if routes.per == "teu":
        told = [names.say("route.summary.units", year=world.base_year)]
        if routes.product != PRODUCTS[BLOCK] or any(one.mode_class == "road" for one in routes):
            told.append(names.say("route.summary.units.shipment", tonnes=TRUCK_T))
        return told
    tonnes = goods_t(routes.per, world.parameter("payload_t"))
    unit = names.say(f"route.unit.{routes.per}", tonnes=tonnes)
    return [
        names.say("route.summary.per", year=world.base_year, unit=unit),
        names.say("route.summary.per.limits", tonnes=TRUCK_T),
    ]


def _of_scenario(routes: Routes, names: Names) -> Iterator[str]:
    """Sentences on the scenario, its queues, and what routes that it closes carried."""
    if routes.scenario is None:
        return
    yield names.say("route.scenario", scenario=routes.scenario.id)
    if routes.lost_share >= _OTHERS:
        yield names.say("route.scenario.lost", lost=100.0 * routes.lost_share)


def _against_base(routes: Routes, lines: list[Way], names: Names) -> list[Section]:
    """What the scenario changes of every way listed; nothing where none was asked for."""
    if routes.scenario is None:
        return []
    new = ("", "", names.say("route.new"))
    rows = []
    for number, one in enumerate(lines, start=1):
        cells, first = new, one.first
        if first.base is not None:
            cells = (
                names.signed((first.time_h - first.base.time_h) / HOURS_A_DAY, 1),
                names.signed(first.cost_usd - first.base.cost_usd, 0),
                names.figure(100.0 * one.base_share, ".1f"),
            )
        rows.append((f"{number}", one.words, *cells, names.figure(100.0 * one.share, ".1f")))
    return [phrased("route.change", rows, words=names)]


def _with_legs(world: World, routes: Routes, lines: list[Way], names: Names, legs: bool) -> list[Section]:
    """A heading for the pair, then a table of legs for every way."""
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
        *(_route(number, one.first, names) for number, one in enumerate(lines, start=1)),
    ]


def _route(number: int, one: Route, names: Names) -> Section:
    early, median, late, more = (
        hours / HOURS_A_DAY for hours in (one.time_p05_h, one.time_p50_h, one.time_p95_h, one.buffer_h)
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
        mean=one.time_h / HOURS_A_DAY,
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
    Field("name", "text", "", "name of the route, as a screen shows it"),
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


def routes_geojson(world: World, routes: Routes, called: Sequence[str], attribution: Sequence[str]) -> str:
    """One feature per leg: a straight line between its places, or a point for a leg at one place.

    world: with the places; routes: of one pair; called: their names; attribution: lines of the data. Returns
    the text of the file.
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
                "name": called[number - 1],
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
