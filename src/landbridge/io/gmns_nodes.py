"""Nodes and zones of a GMNS network: where the trips of a zone begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from landbridge.io.files import finite_number
from landbridge.io.gmns_cells import Row, same_id, text_of
from landbridge.io.tally import Tally
from landbridge.world.table import quoted

__all__ = ["Nodes", "named", "read_nodes"]

_TRUE = ("1", "true", "yes", "y")
# Name, zone (blank for none), whether it is a centroid.
_Node = tuple[str, str, bool]


@dataclass(frozen=True)
class Nodes:
    """Numbers of nodes by id, their names, zones (the first nodes) and connections of zones to nodes.

    order: numbers from 1, by id; zone_names: of the first nodes; through: the first node that paths may pass;
    joins: pairs of a zone and one of its nodes, by number; xy: coordinates by id, where both are given.
    """

    order: dict[str, int]
    names: tuple[str, ...]
    zone_names: tuple[str, ...]
    through: int
    joins: tuple[tuple[int, int], ...]
    xy: dict[str, tuple[float, float]]


def named(names: Sequence[str], most: int = 5) -> str:
    """The first `most` of many names, as text."""
    shown = ", ".join(name if len(name) <= 30 else quoted(name, 30) for name in names[:most])
    return shown + (" ..." if len(names) > most else "")


def read_nodes(rows: Sequence[tuple[str, Row]], tally: Tally, notes: list[str]) -> Nodes:
    """Nodes in the order centroids, other zones, the rest, each group as in the file.

    rows: place and cells of each row; tally: takes the faults; notes: take what was done with zones. A zone
    is at its centroid (node_type centroid, or a column centroid that says so), else at its only node; a zone
    with several nodes and no centroid becomes a node of its own, to be joined to each of them by a link
    without cost. Without any zone_id every node is a zone.
    """
    kept, xy = _kept(rows, tally)
    by_zone: dict[str, list[str]] = {}
    for name, zone, _ in kept:
        if zone:
            by_zone.setdefault(zone, []).append(name)
    if not by_zone:
        notes.append("no node has a zone_id: every node is a zone, by its node_id")
        return _all_zones(kept, xy)
    zones = _zones(kept, by_zone, tally)
    notes += zones.notes()
    return _in_order(kept, by_zone, zones, xy)


def _all_zones(kept: list[_Node], xy: dict[str, tuple[float, float]]) -> Nodes:
    """Nodes of which every one is a zone."""
    centroids = [name for name, _, centroid in kept if centroid]
    order = [*centroids, *(name for name, _, centroid in kept if not centroid)]
    numbers = {name: number for number, name in enumerate(order, 1)}
    return Nodes(numbers, tuple(order), tuple(order), 1 + len(centroids), (), xy)


@dataclass(frozen=True)
class _Zones:
    """Location of zones. at: zone by its node; spread: zones of several nodes and no centroid.

    centred: zones of several nodes of which one is the centroid.
    """

    at: dict[str, str]
    spread: list[str]
    centred: list[str]

    def notes(self) -> list[str]:
        """What was done with zones of several nodes."""
        found = []
        if self.centred:
            found.append(
                f"zones with several nodes, of which one is the centroid: {len(self.centred)} "
                f"({named(self.centred)}): their trips begin and end at it"
            )
        if self.spread:
            found.append(
                f"zones with several nodes and no centroid: {len(self.spread)} ({named(self.spread)}): "
                "their trips begin and end at whichever of the nodes costs least"
            )
        return found


def _zones(kept: list[_Node], by_zone: dict[str, list[str]], tally: Tally) -> _Zones:
    """The node of each zone; a centroid without a zone is a zone of its own."""
    centroids = {name for name, _, centroid in kept if centroid}
    zones = _Zones({}, [], [])
    for zone, members in by_zone.items():
        inside = [name for name in members if name in centroids]
        if len(inside) > 1:
            what = f"has {len(inside)} centroids: nodes {named(inside)}"
            tally.add("centroids", f"node.csv, zone {quoted(zone)}", what, "keep one node_type centroid")
        elif len(members) == 1 or inside:
            zones.at[(inside or members)[0]] = zone
            if len(members) > 1:
                zones.centred.append(zone)
        else:
            zones.spread.append(zone)
    for name, zone, centroid in kept:
        if centroid and not zone:
            if name in by_zone:
                what = f"centroid {quoted(name)} has no zone_id, and zone {quoted(name)} is another node's"
                tally.add("centroid of no zone", "node.csv", what, "give the centroid a zone_id")
            zones.at[name] = name
    return zones


def _in_order(
    kept: list[_Node], by_zone: dict[str, list[str]], found: _Zones, xy: dict[str, tuple[float, float]]
) -> Nodes:
    """Numbers of nodes in the order centroids, zones of several nodes, other zones, the rest."""
    at, spread = found.at, found.spread
    first = [name for name, _, centroid in kept if centroid and name in at]
    others = [name for name, _, centroid in kept if not centroid and name in at]
    rest = [name for name, _, _ in kept if name not in at]
    zones = [*(at[name] for name in first), *spread, *(at[name] for name in others)]
    places = [*first, *([""] * len(spread)), *others, *rest]
    numbers = {name: number for number, name in enumerate(places, 1) if name}
    joins = [
        (number, numbers[member])
        for number, zone in enumerate(spread, len(first) + 1)
        for member in by_zone[zone]
    ]
    names = [name or f"zone {zones[number]}" for number, name in enumerate(places)]
    through = 1 + len(first) + len(spread)
    return Nodes(numbers, tuple(names), tuple(zones), through, tuple(joins), xy)


def _kept(
    rows: Sequence[tuple[str, Row]], tally: Tally
) -> tuple[list[_Node], dict[str, tuple[float, float]]]:
    """Name, zone and whether it is a centroid of every node, and coordinates by name."""
    seen: dict[str, str] = {}
    kept: list[_Node] = []
    xy: dict[str, tuple[float, float]] = {}
    for where, row in rows:
        name = same_id(row["node_id"])
        if not name:
            tally.add("node_id blank", where, "node_id is blank", "name the node")
            continue
        if name in seen:
            what = f"node_id {quoted(name)} is already at {seen[name]}"
            tally.add("node_id again", where, what, "keep one")
            continue
        seen[name] = where
        place = []
        for column in ("x_coord", "y_coord"):
            text = text_of(row, column)
            value = finite_number(text)
            if value is not None:
                place.append(value)
            elif text:
                what = f"{column} {quoted(text)} is no number"
                tally.add(f"{column} no number", where, what, "correct the coordinate")
        if len(place) == 2:
            xy[name] = (place[0], place[1])
        marked = row.get("centroid", row.get("is_centroid", "")).casefold()
        centroid = row.get("node_type", "").casefold() == "centroid" or same_id(marked) in _TRUE
        kept.append((name, _zone(row.get("zone_id", "")), centroid))
    zones = {zone for _, zone, _ in kept if zone}
    if "NA" in zones and all(zone == "NA" or finite_number(zone) is not None for zone in zones):
        # Among numbers NA is a blank; as a name it may be Namibia.
        kept = [(name, "" if zone == "NA" else zone, centroid) for name, zone, centroid in kept]
    return kept, xy


def _zone(text: str) -> str:
    zone = same_id(text)
    return "" if zone in ("0", "-1") or zone.casefold() in ("nan", "<na>", "null", "none") else zone
