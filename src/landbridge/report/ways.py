"""Days from a place to every other, and the ways that freight does not take, as sections and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from landbridge.io.network import SCHEMATIC, Field, Layer, geojson_text
from landbridge.phrases import listed, named, say
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.report.route_ways import HOURS_A_DAY
from landbridge.transport.graph import BLOCK, PRODUCTS
from landbridge.world import World

__all__ = ["reach_geojson", "reach_rows", "reach_sections", "way_rows", "way_sections"]

Found = Mapping[str, Any]
# Gateways of a way that its line names.
_MOST_NAMED = 4
_FIELDS = (
    Field("place", "text", "", "identifier of the place"),
    Field("name", "text", "", "its name"),
    Field("time_h", "real", "h", "hours door to door, the mean of all freight"),
    Field("quickest_h", "real", "h", "hours of the quickest route"),
    Field("quickest_family", "text", "", "corridor family of the quickest route"),
    Field("cost_usd", "real", "USD/TEU", "money of the mean of all freight"),
    Field("co2e_kg", "real", "kg CO2e/TEU", "emissions of the mean of all freight, well to wheel"),
)


def reach_sections(world: World, found: Found, most: int | None = None) -> Iterator[Section]:
    """Days from a place to the others, the nearest first.

    world: for names; found: from `landbridge.transport.reach.reach`; most: rows shown, all where None.
    """
    names = Names(world)
    rows = reach_rows(world, found)
    shown = rows if most is None else rows[:most]
    after = [say("reach.days")]
    if len(rows) > len(shown):
        after.append(say("reach.more", n=len(rows) - len(shown)))
    yield phrased(
        "reach",
        [
            (
                names.place[row["place"]],
                f"{row['time_h'] / HOURS_A_DAY:.1f}",
                f"{row['quickest_h'] / HOURS_A_DAY:.1f}",
                named("family", row["quickest_family"]),
                f"{row['cost_usd']:,.0f}",
                f"{row['co2e_kg']:,.0f}",
            )
            for row in shown
        ],
        after=after,
        start=names.place[found["from"]],
        sector=names.sector[found["commodity"]],
    )


def reach_rows(world: World, found: Found) -> list[dict[str, Any]]:
    """A row for each place with its name, the nearest first.

    world: with the places; found: from `landbridge.transport.reach.reach`.
    """
    at = world.network["places"].by("place_id")
    rows = sorted(found["places"], key=lambda row: float(row["time_h"]))
    return [{"place": row["place"], "name": str(at[row["place"]]["name"]), **row} for row in rows]


def reach_geojson(world: World, found: Found, attribution: Sequence[str]) -> str:
    """A point for each place with its hours, money and emissions.

    world: with the places; found: from `landbridge.transport.reach.reach`; attribution: lines of the data.
    Returns the text of the file.
    """
    at = world.network["places"].by("place_id")
    features = []
    for row in found["places"]:
        place = at[row["place"]]
        points = ((float(place["lon"] or 0.0), float(place["lat"] or 0.0)),)
        features.append((points, {**row, "name": str(place["name"])}))
    about = {
        "geometry": SCHEMATIC,
        "from": found["from"],
        "commodity": found["commodity"],
        "world": world.hash,
        "boundaries": say("about.boundaries"),
        "attribution": list(attribution),
    }
    return geojson_text([Layer("reach", "reach", "point", _FIELDS, features)], about)


def way_rows(found: Found) -> list[dict[str, Any]]:
    """The ways with their gateways and lines that are not open as text.

    found: from `landbridge.transport.not_taken.ways_not_taken`.
    """
    return [
        {
            **way,
            "gateways": ";".join(way["gateways"]),
            "shut": ";".join(f"{one['from']}-{one['to']} {one['status']}" for one in way["shut"]),
        }
        for way in found["ways"]
    ]


def way_sections(world: World, found: Found) -> Iterator[Section]:
    """Each way with its reason, and days and USD against the route most used.

    world: for names; found: from `landbridge.transport.not_taken.ways_not_taken`.
    """
    names = Names(world)
    product = say("route.block" if found["product"] == PRODUCTS[BLOCK] else "route.wagonload")
    lead = found["most_used"]
    family = named("family", lead["family"])
    after = [
        say(
            "ways.lead",
            way=say("ways.lead_via", family=family, via=_via(lead, names)) if lead["gateways"] else family,
            days=lead["time_h"] / HOURS_A_DAY,
            usd=lead["cost_usd"],
            share=100.0 * lead["share"],
        ),
        say("ways.best", little=100.0 * found["little"]),
        say("ways.shares", product=product),
    ]
    if any(way["reason"] == "detour" for way in found["ways"]):
        after.append(say("ways.left_out"))
    if found["scenario"] is not None:
        after.append(say("ways.scenario", scenario=named("scenario", found["scenario"])))
    if any(way["reason"] == "little" and way["cost_ratio"] < 1.0 for way in found["ways"]):
        after.append(say("ways.counted"))
    yield phrased(
        "ways",
        [
            (
                named("family", way["family"]),
                _reason(way, names),
                f"{way['more_h'] / HOURS_A_DAY:+.1f}",
                f"{way['more_usd']:+,.0f}",
                f"{way['cost_ratio']:.2f}",
                _via(way, names),
            )
            for way in found["ways"]
        ],
        after=after,
        start=names.place[found["from"]],
        end=names.place[found["to"]],
        sector=names.sector[found["commodity"]],
    )


def _reason(way: Found, names: Names) -> str:
    if way["reason"] == "little":
        return say("ways.little", share=100.0 * way["share"])
    if way["reason"] == "detour":
        return say("ways.detour")
    if way["reason"] == "barred":
        return say("ways.barred")
    planned, closed = (
        listed(list(dict.fromkeys(_shut(one, names) for one in way["shut"] if _is_planned(one) == wanted)))
        for wanted in (True, False)
    )
    if not closed:
        return say("ways.planned", lines=planned)
    if not planned:
        return say("ways.closed", lines=closed)
    return say("ways.closed_and_planned", closed=closed, planned=planned)


def _is_planned(one: Found) -> bool:
    return bool(one["status"] == "planned")


def _shut(one: Found, names: Names) -> str:
    """What is not open: a gateway by its name, a line by its ends."""
    if one["gateway"] is not None:
        return names.gateway[one["gateway"]]
    start, end = (names.place.get(one[at], one[at]) for at in ("from", "to"))
    return say("ways.line", start=start, end=end)


def _via(way: Found, names: Names) -> str:
    shown = [names.gateway[id] for id in way["gateways"][:_MOST_NAMED]]
    left = len(way["gateways"]) - len(shown)
    return say("ways.via_more", via=listed(shown), n=left) if left else say("ways.via", via=listed(shown))
