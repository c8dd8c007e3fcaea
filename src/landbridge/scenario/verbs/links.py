"""The verbs of links: add_link, change_link, close_link."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from landbridge.errors import did_you_mean
from landbridge.scenario.change import Change
from landbridge.scenario.fields import Modification
from landbridge.scenario.registry import Verb
from landbridge.world import Cell
from landbridge.world.distance import great_circle_km

__all__ = ["VERBS"]


def add_link(change: Change, m: Modification) -> None:
    """A new link between two places, with the usual speed where none is given."""
    ends = [change.place(m, "from"), change.place(m, "to")]
    mode = m.get("mode")
    if ends[0] is None or ends[1] is None:
        return
    links = change.network["links"]
    identifier = m.get("id") or f"{ends[0]}-{ends[1]}-{mode}"
    if identifier in links.by("link_id"):
        change.faults.append(m.fault("id", f"a link {identifier!r} exists already", "give another id"))
        return
    if ends[0] == ends[1]:
        change.faults.append(m.fault("to", "is the place it starts from", "give two places"))
        return
    _long_enough(change, m, str(ends[0]), str(ends[1]), float(m.get("length_km") or 0.0))
    _check_water(change, m, [str(e) for e in ends])
    speed = m.get("speed_kmh")
    if speed is None and m.get("transit_time_h") is None:
        speed = _usual_speed(change, mode, [str(e) for e in ends])
        if speed is None:
            change.faults.append(m.fault("speed_kmh", "is missing", "give speed_kmh or transit_time_h"))
    change.append(
        "links",
        {
            "link_id": identifier,
            "from_place": ends[0],
            "to_place": ends[1],
            "mode": mode,
            "length_km": m.get("length_km"),
            "status": "open",
            "dual_gauge": bool(m.get("dual_gauge")),
            "speed_kmh": speed,
            "transit_time_h": m.get("transit_time_h"),
            "electrified": bool(m.get("electrified")),
            "passage": m.get("passage"),
            "water": m.get("water"),
            "disputed": False,
        },
    )


def _check_water(change: Change, m: Modification, ends: list[str]) -> None:
    """Faults of the straits that a link passes, and of the ends of a lane."""
    marks = {str(r["passage"]) for r in change.network["gateways"] if r["passage"] is not None}
    for mark in str(m.get("passage") or "").split("+"):
        if mark and mark not in marks:
            cure = did_you_mean(mark, marks) or "use " + ", ".join(sorted(marks))
            change.faults.append(m.fault("passage", f"no strait {mark!r}", cure))
    if m.get("mode") in ("sea", "ferry"):
        ports = change.network["ports"].by("place_id")
        for key, place in zip(("from", "to"), ends, strict=True):
            if place not in ports:
                cure = "end the lane at a port of ports.csv"
                change.faults.append(m.fault(key, f"{place} is not a port", cure))
        if m.get("water") is None:
            change.faults.append(m.fault("water", "is missing", "write caspian or ocean"))


def change_link(change: Change, m: Modification) -> None:
    """Length, speed, hours, money, status or electrification of a link."""
    row = change.row(m, "links", "link_id", "link")
    if row is None:
        return
    cells: dict[str, Cell] = {}
    measured = change.network["link_lengths_osm"].by("link_id").get(str(row["link_id"]))
    for key in ("length_km", "speed_kmh", "transit_time_h", "cost_factor"):
        move = m.get(key)
        if move is None:
            continue
        old = row[key]
        if old is None and key == "length_km" and measured is not None:
            old = measured["length_km"]
        value = change.moved(m, key, move, old)
        if value is not None:
            cells[key] = value
            if key == "length_km":
                _long_enough(change, m, str(row["from_place"]), str(row["to_place"]), value)
    for key in ("status", "electrified"):
        if m.get(key) is not None:
            cells[key] = m.get(key)
    change.of_money(m, "cost_factor")
    if not set(m.values) - {"link", "money"}:
        cure = "add status, speed_kmh, length_km, transit_time_h, cost_factor or electrified"
        change.faults.append(m.fault("link", "is named but nothing is changed", cure))
    change.update("links", "link_id", {str(row["link_id"])}, cells)


def close_link(change: Change, m: Modification) -> None:
    """Close a link to all traffic."""
    row = change.row(m, "links", "link_id", "link")
    if row is not None:
        change.update("links", "link_id", {str(row["link_id"])}, {"status": "closed"})


def _long_enough(change: Change, m: Modification, one: str, two: str, length_km: float) -> None:
    """A fault where a line is shorter than the distance of its ends; small posts may be 5-30 km off."""
    rows = change.network["places"].by("place_id")
    apart = float(great_circle_km(*(float(rows[p][c] or 0.0) for p in (one, two) for c in ("lon", "lat"))))
    if length_km < 0.9 * (apart - 60.0):
        what = f"comes to {length_km:g} km, but the places are {apart:.0f} km apart"
        change.faults.append(m.fault("length_km", what, "give the length of the line"))


def _usual_speed(change: Change, mode: str, ends: list[str]) -> float | None:
    """Median running speed of open links of the mode that touch the same countries, else of all."""
    country = {str(row["place_id"]): row["country"] for row in change.network["places"]}
    here = {country[e] for e in ends}
    near, everywhere = [], []
    for row in change.network["links"]:
        if row["mode"] != mode or row["status"] != "open" or row["speed_kmh"] is None:
            continue
        everywhere.append(float(row["speed_kmh"]))
        if {country[str(row["from_place"])], country[str(row["to_place"])]} & here:
            near.append(float(row["speed_kmh"]))
    return statistics.median(near or everywhere) if everywhere else None


def _names(m: Modification) -> Iterable[object]:
    return m.get("id"), m.get("name"), f"{m.get('from')}-{m.get('to')}-{m.get('mode')}"


VERBS = (
    Verb(name="add_link", apply=add_link, makes=_names),
    Verb(name="change_link", apply=change_link),
    Verb(name="close_link", apply=close_link),
)
