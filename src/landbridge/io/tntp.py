"""Networks and trip tables in the TNTP text format of "Transportation Networks for Research"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.io.files import finite_number
from landbridge.io.tally import Tally
from landbridge.io.tntp_parts import Columns, Parts, columns_of, parts_of, whole
from landbridge.world.road_network import Demand, Network

__all__ = ["read_tntp"]

# Parallel links that are named; the others are counted.
_TOLD = 5
# Largest node number that is exact as a float.
_EXACT = 1e15

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def read_tntp(
    net_path: str | Path,
    trips_path: str | Path,
    toll_weight: float | None = None,
    distance_weight: float | None = None,
) -> tuple[Network, Demand]:
    """Read a network and its trips; cost = time + toll_weight x toll + distance_weight x length.

    net_path, trips_path: the files; toll_weight, distance_weight: cost per unit of toll and length, None for
    the header's TOLL FACTOR or DISTANCE FACTOR, else 0. Returns Network and Demand, in the units of the file:
    the format names none. Columns are those named in the comment above the links, else init, term, capacity,
    length, time, b, power, speed, toll, type. Links that share both ends stay separate; Network.notes names
    them. Nodes with numbers of their own are renumbered in order if there are as many as announced. Capacity
    does not matter, and may be 0, where b or the time is 0.
    Raises DataError with the faults of both files; many of one kind are counted.
    Source: Transportation Networks for Research Core Team, the format's description in its README.
    """
    tally = Tally()
    net, trips = Path(net_path), Path(trips_path)
    parts = parts_of(net, tally)
    head = parts.head
    if "TOTAL OD FLOW" in head and "NUMBER OF LINKS" not in head:
        swapped = Fault(net.name, "holds trips, not links", "give the network first, then the trips")
        raise DataError("the files cannot be used", [swapped])
    links = _links(net, parts, tally)
    nodes, zones, through = _announced(net, parts, tally)
    notes: list[str] = []
    if toll_weight and not links.tolls:
        notes.append(f"{net.name} names no column of tolls: the weight of tolls has no effect")
    tolls = _weight(toll_weight, head, "TOLL FACTOR", net, tally)
    km = _weight(distance_weight, head, "DISTANCE FACTOR", net, tally)
    own = _own_numbers(links.ends, nodes, zones, through)
    if isinstance(own, str):
        tally.add("own numbers", net.name, own, f"number nodes 1 to {nodes}, zones first, in both files")
        _trips(trips, None, None, tally)
        raise DataError("the files cannot be used", tally.told())
    ends, names = links.ends, tuple[str, ...]()
    if own is not None:
        notes.append(
            f"nodes have numbers of their own, {own[0]} to {own[-1]}: they are taken in that order, "
            f"the first {zones} as zones"
        )
        names = tuple(map(str, own.tolist()))
        ends, through = np.searchsorted(own, links.ends) + 1, int(np.searchsorted(own, through)) + 1
    demand = _trips(trips, zones, None if own is None else own[:zones], tally)
    if not len(links.places) and (not tally.total or not parts.body):
        tally.add("no link", net.name, "holds no link", "give a TNTP network file")
    if not len(links.places):
        raise DataError("the files cannot be used", tally.told())
    capacity, b, note = _capacities(links)
    try:
        # A wrong header is already a fault; the links are checked all the same.
        network = Network(
            nodes=nodes or max(1, int(ends.max())),
            zones=zones or 1,
            tail=ends[:, 0],
            head=ends[:, 1],
            capacity=capacity,
            length=links.length,
            time=links.time,
            b=b,
            power=links.power,
            toll=links.toll,
            fixed=tolls * links.toll + km * links.length,
            first_through_node=through,
            name=net.stem,
            rows=tuple(links.places),
            zone_names=names[:zones],
            node_names=names,
            notes=(*_doubled(links.ends, links.places), *_unscaled(links.capacity), *notes, *note),
        )
    except DataError as error:
        tally.take(error.faults)
    if tally.total:
        raise DataError("the files cannot be used", tally.told())
    return network, demand


def _announced(net: Path, parts: Parts, tally: Tally) -> tuple[int | None, int | None, int]:
    """Nodes, zones and the first node that paths may pass, as in the header."""
    head = parts.head
    nodes, zones = whole(head, "NUMBER OF NODES", net, tally), whole(head, "NUMBER OF ZONES", net, tally)
    count = whole(head, "NUMBER OF LINKS", net, tally)
    if count is not None and count != len(parts.body):
        what = f"announces {count} links and holds {len(parts.body)}"
        tally.add("links announced", net.name, what, "is it truncated?")
    through = whole(head, "FIRST THRU NODE", net, tally) if "FIRST THRU NODE" in head else 1
    return nodes, zones, through or 1


@dataclass(frozen=True)
class _Links:
    """Links as in the file: ends [link, 2] and one number per link; tolls: whether there is a column."""

    ends: Ints
    places: list[str]
    capacity: Floats
    length: Floats
    time: Floats
    b: Floats
    power: Floats
    toll: Floats
    tolls: bool


def _links(net: Path, parts: Parts, tally: Tally) -> _Links:
    first = len(parts.body[0][1].rstrip("; \t").split()) if parts.body else 0
    columns = columns_of(parts.names, first, net.name, tally)
    wanted = ("from", "to", "capacity", "time", "b", "power", "length", "toll")
    at = [columns.place.get(name, -1) for name in wanted]
    rows, places = [], []
    for number, line in parts.body:
        cells = line.rstrip(";").split()
        where = f"{net.name} line {number}"
        # Only the columns in use are read; others may hold words.
        used = range(columns.cells) if not columns.named else [k for k in at if k >= 0]
        values = {k: finite_number(cells[k]) for k in used if k < len(cells)}
        if len(cells) < columns.cells or None in values.values():
            what = f"is no link: {columns.cells} numbers expected, {line[:40]!r} found"
            tally.add("no link", where, what, _order(columns))
            continue
        row = [values[k] or 0.0 if k >= 0 else 0.0 for k in at]
        if any(v != int(v) or abs(v) > _EXACT for v in row[:2]):
            what = f"goes from node {cells[at[0]][:20]} to node {cells[at[1]][:20]}: a node is a whole number"
            tally.add("no node", where, what, "correct the node")
            continue
        rows.append(row)
        places.append(where)
    table = np.array(rows, np.float64).reshape(-1, len(wanted))
    return _Links(
        table[:, :2].astype(np.int64), places, table[:, 2], table[:, 6], table[:, 3], table[:, 4],
        table[:, 5], table[:, 7], "toll" in columns.place,
    )  # fmt: skip


def _capacities(links: _Links) -> tuple[Floats, Floats, list[str]]:
    """Capacity and b, and a note; a link without congestion needs no capacity."""
    capacity, b = links.capacity.copy(), links.b.copy()
    free = (capacity == 0) & ((b == 0) | (links.time == 0))
    capacity[free], b[free] = 1.0, 0.0
    count = int(free.sum())
    return (
        capacity,
        b,
        [f"links of capacity 0 that are never congested (b or time 0): {count}"] if count else [],
    )


def _order(columns: Columns) -> str:
    if not columns.named:
        return "init term capacity length time b power speed toll type ;"
    names = sorted(columns.place, key=lambda name: columns.place[name])
    return "the columns that the comment above the links names: " + " ".join(names)


def _own_numbers(ends: Ints, nodes: int | None, zones: int | None, through: int) -> Ints | str | None:
    """Numbers of nodes in order if they are N but not 1 to N; None if they are 1 to N; a fault as text."""
    if nodes is None or not len(ends) or ends.max() <= nodes or ends.min() < 1:
        return None
    own = np.unique(ends)
    if len(own) == nodes and zones is not None and zones <= nodes and (through == 1 or through >= own[0]):
        return own
    if 2 * int((own > nodes).sum()) < len(own):
        return None  # a few wrong numbers, reported link by link
    return f"has {len(own)} nodes with numbers {own[0]} to {own[-1]}, and announces {nodes} nodes"


def _doubled(ends: NDArray[np.int64], places: list[str]) -> tuple[str, ...]:
    """A note for every link between nodes that already have one: parallel links, or a mistake."""
    first: dict[tuple[int, int], str] = {}
    notes = []
    for place, (tail, head) in zip(places, ends.tolist(), strict=True):
        known = first.setdefault((tail, head), place)
        if known is not place:
            notes.append(f"{place}: a second link from {tail} to {head} (the first: {known}), both kept")
    if len(notes) > _TOLD + 1:
        more = len(notes) - _TOLD
        notes = [*notes[:_TOLD], f"{more} more links between two nodes that have one already, all kept"]
    return tuple(notes)


def _unscaled(capacity: NDArray[np.float64]) -> tuple[str, ...]:
    if (capacity != 1).any():
        return ()
    return ("every capacity is 1: b holds b / capacity^power, and flow / capacity is the flow",)


def _trips(path: Path, zones: int | None, own: Ints | None, tally: Tally) -> Demand:
    """Trips by pair; own: numbers of the zones in the file, if not 1 to their number."""
    parts = parts_of(path, tally)
    table = _Table(_Zones(zones, own), path.name, tally)
    for number, line in parts.body:
        if line.casefold().startswith("origin"):
            table.begin(number, line)
            continue
        for part in filter(None, (piece.strip() for piece in line.split(";"))):
            table.add(number, part)
    told = finite_number(parts.head.get("TOTAL OD FLOW", ""))
    if told is not None and abs(told - table.total) > 1e-3 * max(told, 1):
        what = f"announces {told:g} trips and holds {table.total:g}"
        tally.add("trips announced", path.name, what, "is it truncated?")
    origins, destinations = (np.array(ends, np.int64) for ends in (table.origins, table.destinations))
    return Demand(origins, destinations, np.array(table.trips), table.within)


class _Zones:
    """Numbers of zones by their number in the file; 0 for an unknown one."""

    def __init__(self, zones: int | None, own: Ints | None) -> None:
        self.zones = zones
        self.own = None if own is None else {float(name): n for n, name in enumerate(own.tolist(), 1)}
        self.named = f"1 to {zones}"
        if own is not None:
            self.named = ", ".join(map(str, own[:5].tolist())) + (" ..." if len(own) > 5 else "")

    def __call__(self, value: float | None) -> int:
        if value is None or value != int(value) or value < 1 or value > _EXACT:
            return 0
        if self.own is not None:
            return self.own.get(value, 0)
        return int(value) if self.zones is None or value <= self.zones else 0


class _Table:
    """Trips as they are read, by origin. total, within: of all, and within zones."""

    def __init__(self, zone: _Zones, name: str, tally: Tally) -> None:
        self.zone, self.name, self.tally = zone, name, tally
        self.origins: list[int] = []
        self.destinations: list[int] = []
        self.trips: list[float] = []
        self.total, self.within = 0.0, 0.0
        self.origin = 0
        self.blocks: dict[int, int] = {}
        self.seen: dict[int, int] = {}

    def begin(self, number: int, line: str) -> None:
        """A line that names an origin."""
        self.origin, self.seen = self.zone(finite_number(line[6:])), {}
        if not self.origin:
            self._fault("no origin", number, f"{line[:30]!r} names no zone", self.zone.named)
        elif self.blocks.setdefault(self.origin, number) != number:
            what = f"{line[:30]!r} is repeated, see line {self.blocks[self.origin]}"
            self._fault("origin again", number, what, "put the trips of an origin below one line")

    def add(self, number: int, part: str) -> None:
        """One `destination : trips`."""
        cells = [finite_number(cell) for cell in part.split(":")]
        if len(cells) != 2 or cells[0] is None or cells[1] is None or cells[1] < 0:
            self._fault("no trip", number, f"{part[:30]!r} is no trip", "destination : trips >= 0;")
            return
        end, trips = self.zone(cells[0]), cells[1]
        if not self.origin:
            what = "stands below no valid Origin"
            self._fault("no valid origin", number, what, "put Origin and its zone above")
        elif not end:
            what = f"zone {cells[0]:g} is not in {self.zone.named}"
            self._fault("no zone", number, what, "correct the zone")
        elif end in self.seen:
            what = f"gives destination {cells[0]:g} again, as in line {self.seen[end]}"
            self._fault("destination again", number, what, "add the two up, or keep one")
        else:
            self.seen[end] = number
            self.total += trips
            if end == self.origin:
                self.within += trips
            elif trips > 0:
                self.origins.append(self.origin)
                self.destinations.append(end)
                self.trips.append(trips)

    def _fault(self, kind: str, number: int, what: str, cure: str) -> None:
        self.tally.add(kind, f"{self.name} line {number}", what, cure)


def _weight(given: float | None, head: dict[str, str], name: str, path: Path, tally: Tally) -> float:
    if given is not None:
        if not np.isfinite(given):
            place = name.casefold().replace("factor", "weight")
            tally.add(place, place, f"is {given}", "give a number")
            return 0.0
        return given
    value = finite_number(head.get(name) or "0")
    if value is None:
        tally.add(name, path.name, f"<{name}> is no number", "correct the header")
        return 0.0
    return value
