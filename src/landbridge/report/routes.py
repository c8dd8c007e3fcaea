"""Report on the routes between two places, leg by leg; also as lines of a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from landbridge.io.network import SCHEMATIC, Field, Layer, geojson_text
from landbridge.phrases import say
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.transport.graph import BLOCK, PRODUCTS
from landbridge.transport.legs import Leg, Route, Routes, Term
from landbridge.world import World

__all__ = ["route_rows", "route_sections", "routes_geojson"]

_HOURS_A_DAY = 24.0


def route_rows(routes: Routes) -> dict[str, list[dict[str, Any]]]:
    """Tables of routes and of their legs, each leg with the number of its route."""
    whole = [{"route": n, **one.as_json()} for n, one in enumerate(routes, start=1)]
    legs = [{"route": one["route"], **leg} for one in whole for leg in one["legs"]]
    for row in (*whole, *legs):
        row.pop("legs", None)
        row.pop("terms", None)
    return {"routes": whole, "legs": legs}


def route_sections(world: World, routes: Routes, lang: str = "en") -> Iterator[Section]:
    """A heading for the pair, then a table of legs per route, the largest share first.

    world: gives the names; routes: of the pair; lang: en, ru or zh.
    """
    names = Names(world, lang)
    block = routes.product == PRODUCTS[BLOCK]
    sections = [
        phrased(
            "route.pair",
            start=names.place[routes.origin],
            end=names.place[routes.destination],
            sector=names.sector.get(routes.commodity, routes.commodity),
            code=routes.commodity,
            group=routes.pair_group,
            product=say("route.block" if block else "route.wagonload"),
            year=world.base_year,
        ),
        *(_route(number, one, names) for number, one in enumerate(routes, start=1)),
    ]
    yield from (Names.explained(section) for section in sections)


def _route(number: int, one: Route, names: Names) -> Section:
    early, median, late, more = (
        hours / _HOURS_A_DAY for hours in (one.time_p05_h, one.time_p50_h, one.time_p95_h, one.buffer_h)
    )
    total = (
        say("route.sum"), "", "", "", f"{one.distance_km:,.0f}", f"{one.time_h:.1f}",
        f"{one.cost_usd:,.0f}", f"{one.co2e_kg:,.0f}", "",
    )  # fmt: skip
    return phrased(
        "route.one",
        [*(_leg(leg, names) for leg in one.legs), total],
        number=number,
        family=one.family,
        family_share=100.0 * one.family_share,
        mode_class=one.mode_class,
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
    terms = ", ".join(f"{term.name} {_term(term)}" for term in leg.terms)
    return (
        names.place[leg.start],
        names.place[leg.end] if leg.end != leg.start else "",
        leg.mode,
        leg.operation,
        f"{leg.distance_km:,.0f}" if leg.distance_km else "",
        f"{leg.time_h:.1f}",
        f"{leg.cost_usd:,.0f}",
        f"{leg.co2e_kg:,.0f}",
        terms if len(leg.terms) > 1 else leg.terms[0].name,
    )


def _term(term: Term) -> str:
    parts = [
        say("route.hours", hours=term.time_h) if term.time_h else "",
        say("route.usd", usd=term.cost_usd) if term.cost_usd else "",
        say("route.kg", kg=term.co2e_kg) if term.co2e_kg else "",
    ]
    return " ".join(part for part in parts if part) or "0"


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
    """One feature per leg: a straight line between its places, or a point for a leg at one place."""
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
