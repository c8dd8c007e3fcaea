"""Networks in the General Modeling Network Specification (GMNS 0.96), from other programs or landbridge."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, did_you_mean
from landbridge.io.files import finite_number
from landbridge.io.gmns_cells import Line, Row, columns_of, rows_of, same_id, text_of
from landbridge.io.gmns_links import MINUTES, Arcs, Reading, add_link
from landbridge.io.gmns_nodes import Nodes, read_nodes
from landbridge.io.gmns_units import KM, KMH, judged, unit
from landbridge.io.gmns_uses import Uses
from landbridge.io.tally import Tally
from landbridge.world.road_network import Network, Turns
from landbridge.world.table import quoted

__all__ = ["read_gmns", "read_turns"]

# Free-flow times that differ by more are not rounded from the same figure.
_DIFFERS = 0.05
Floats = NDArray[np.float64]


def read_gmns(folder: str | Path, use: str | None = None, toll_weight: float = 0.0) -> Network:
    """Read the network of node.csv and link.csv for `assign`; lengths in km, times in hours.

    time = length / free_speed;  cost = time (1 + alpha (flow / (capacity x lanes))^beta) + toll_weight x
    toll

    folder: with node.csv and link.csv; use: only links that allow it, for a group only links that allow every
    use in it; toll_weight: hours per unit of toll. Returns a Network. Capacity is per hour and lane, as in
    GMNS; a link without one is not congested. alpha, beta: columns bpr_alpha, bpr_beta (or vdf_alpha, alpha,
    ...), else 0.15 and 4 (Bureau of Public Roads 1964). Columns VDF_fftt (minutes) and VDF_cap (all lanes),
    also with a 1 appended, take precedence over length / free_speed and capacity x lanes. A link with
    directed 0 becomes two arcs. A zone is at its centroid or its only node, else at each of its nodes, joined
    by links without cost (the last ones, see Network.connectors); without any zone_id all nodes are zones by
    node_id. Paths do not pass through a centroid. Units are those of config.csv, else km and km/h (metres or
    feet where the coordinates show it). Networks exported by landbridge are read too: links that are not open
    are left out, and border hours of the use (rail: block or wagonload, the default) are added to the time in
    each direction.
    Raises DataError with the faults of every file, by file and line; many of one kind are counted.
    """
    base = Path(folder)
    tally = Tally()
    notes: list[str] = []
    nodes, links = (rows_of(base / name, tally, notes) for name in ("node.csv", "link.csv"))
    unread = tally.total > 0
    config = rows_of(base / "config.csv", tally, notes, optional=True)
    settings = config[0][1] if config else {}
    km, kmh = unit(settings, "long_length", KM, tally), unit(settings, "speed", KMH, tally)
    if not np.isfinite(toll_weight):
        tally.add("toll weight", "toll weight", f"is {toll_weight}", "give a number")
    uses = Uses(
        rows_of(base / "use_definition.csv", tally, notes, optional=True),
        rows_of(base / "use_group.csv", tally, notes, optional=True),
        use,
        tally,
        notes,
    )
    _check_columns(nodes, links, unread, tally)
    places = read_nodes(nodes, tally, notes)
    wkt = settings.get("geometry_field_format", "").casefold() in ("", "wkt")
    product = "block" if (use or "").casefold() == "block" else "wagonload"
    border = (f"border_h_{product}_forward", f"border_h_{product}_backward")
    reading, arcs = Reading(places, uses, wkt, border), Arcs()
    for where, row in links:
        add_link(Line(row, where, tally), reading, arcs)
    if not tally.total and not arcs.tail:
        what = "holds no link that can be used"
        tally.add("no link", "link.csv", what, "check status and allowed_uses")
    if tally.total:
        raise DataError("the GMNS network cannot be used", tally.told())
    km, warning = _judged(arcs, places, km, text_of(settings, "long_length"))
    if warning:
        notes.insert(0, warning)
    if not settings:
        taken = {KM["m"]: "metres", KM["ft"]: "feet"}.get(km, "km")
        notes.insert(0, f"config.csv is missing or empty: lengths are taken as {taken}, speeds as km/h")
    length = np.array(arcs.length, np.float64) * km
    by_speed = length / (np.array(arcs.speed, np.float64) * kmh)
    minutes = np.array(arcs.minutes, np.float64)
    time = np.where(np.isnan(minutes), by_speed, minutes / 60)
    notes += _link_notes(arcs, by_speed, time)
    toll = np.array(arcs.toll, np.float64)
    ways = [(zone, node) for join in places.joins for zone, node in (join, join[::-1])]
    none, one = np.zeros(len(ways)), np.ones(len(ways))
    joined = tuple(f"{places.names[a - 1]} to {places.names[b - 1]}" for a, b in ways)
    return Network(
        nodes=len(places.names),
        zones=len(places.zone_names),
        tail=np.array([*arcs.tail, *(way[0] for way in ways)], np.int64),
        head=np.array([*arcs.head, *(way[1] for way in ways)], np.int64),
        capacity=np.append(np.array(arcs.capacity, np.float64), one),
        time=np.append(time, none),
        b=np.append(np.array(arcs.b, np.float64), none),
        power=np.append(np.array(arcs.power, np.float64), none),
        length=np.append(length, none),
        toll=np.append(toll, none),
        fixed=np.append(np.array(arcs.fixed, np.float64) + toll_weight * toll, none),
        first_through_node=places.through,
        name=base.name,
        rows=(*arcs.where, *joined),
        zone_names=places.zone_names,
        node_names=places.names,
        link_names=(*arcs.name, *("" for _ in ways)),
        left_out=frozenset(arcs.left_out - set(arcs.name)),
        notes=tuple(notes),
        connectors=len(ways),
    )


def _check_columns(
    nodes: Sequence[tuple[str, Row]], links: Sequence[tuple[str, Row]], unread: bool, tally: Tally
) -> None:
    """Raise DataError where node.csv or link.csv has no row or lacks a column that is always required."""
    ends = ("from_node_id", "to_node_id")
    timed = bool(links) and any(column in links[0][1] for column in MINUTES)
    needed = {
        "node.csv": (nodes, ("node_id",)),
        "link.csv": (links, ends if timed else (*ends, "length", "free_speed")),
    }
    stop = False
    for name, (rows, columns) in needed.items():
        gone = [column for column in columns if rows and column not in rows[0][1]]
        for column in gone:
            tally.add(f"no column {column}", name, f"has no column {column}", "add it")
        if not rows and not unread:
            tally.add(f"{name} empty", name, "holds no row", "give a GMNS network")
        stop = stop or not rows or bool(gone)
    if stop:
        raise DataError("the GMNS network cannot be used", tally.told())


def read_turns(path: str | Path, network: Network) -> Turns:
    """Turn penalties from a CSV file.

    path: the file, with columns from_link, to_link, cost (or ib_link_id, ob_link_id, penalty, as in GMNS);
    network: its links, by name in the network file, else by number from 1 in its order. Costs are in the unit
    of time of the network, `inf` for a forbidden turn. Returns Turns. Raises DataError with every row that is
    not a turn.
    """
    file = Path(path)
    tally = Tally()
    notes: list[str] = []
    rows = rows_of(file, tally, notes)
    wanted = (("from_link", "ib_link_id"), ("to_link", "ob_link_id"), ("cost", "penalty"))
    columns = columns_of(list(rows[0][1]), wanted, file, tally) if rows else []
    if not rows and not tally.total:
        tally.add("no row", file.name, "holds no row", "columns " + ", ".join(names[0] for names in wanted))
    turns = _Penalties(network, columns)
    for where, row in rows if columns else ():
        turns.add(Line(row, where, tally))
    if tally.total:
        raise DataError("the turns cannot be used", tally.told())
    pairs = np.array(list(turns.cost), np.int64).reshape(-1, 2)
    return Turns(pairs[:, 0], pairs[:, 1], np.array(list(turns.cost.values()), np.float64), tuple(notes))


class _Penalties:
    """Turn penalties by pair of arcs. columns: names of the first link's, second link's and cost columns."""

    def __init__(self, network: Network, columns: Sequence[str]) -> None:
        self.network, self.columns = network, columns
        self.cost: dict[tuple[int, int], float] = {}
        self.arcs: dict[str, list[int]] = {}
        for link in range(len(network.tail) - network.connectors):
            name = network.link_names[link] if network.link_names else str(link + 1)
            self.arcs.setdefault(name, []).append(link)

    def add(self, line: Line) -> None:
        """One row of the file."""
        links = [same_id(line.row[column]) for column in self.columns[:2]]
        if any(name in self.network.left_out for name in links):
            return  # over a link that is closed or not open to this use: no path takes it
        meet = self._meet(line, links)
        text = line.row[self.columns[2]].casefold()
        cost = float("inf") if text in ("inf", "infinity") else finite_number(text)
        if cost is None or cost < 0:
            what = f"{self.columns[2]} {quoted(text)} is no penalty"
            line.fault("no penalty", what, "0 or more, inf where the turn is not allowed")
            return
        for turn in meet:
            if turn in self.cost:
                line.fault("turn again", "names a turn for the second time", "keep one")
            self.cost[turn] = cost

    def _meet(self, line: Line, links: Sequence[str]) -> list[tuple[int, int]]:
        """The pairs of arcs of two links that meet: a two-way link has two arcs."""
        for column, name in zip(self.columns[:2], links, strict=True):
            if name not in self.arcs:
                what = f"{column} {quoted(line.row[column])} is no link"
                line.fault("no link", what, partial(_link_cure, name, self.network))
        ends = [self.arcs.get(name, []) for name in links]
        head, tail = self.network.head, self.network.tail
        meet = [(a, b) for a in ends[0] for b in ends[1] if head[a] == tail[b]]
        if ends[0] and ends[1] and not meet:
            first, second = (line.row[column] for column in self.columns[:2])
            what = f"link {second} does not begin where link {first} ends"
            line.fault("do not meet", what, "give two links that meet")
        return meet


def _link_cure(name: str, network: Network) -> str:
    whole = "a link_id of link.csv" if network.link_names else f"1 to {len(network.tail)}, as in the file"
    return did_you_mean(name, filter(None, network.link_names)) or whole


def _judged(arcs: Arcs, nodes: Nodes, km: float, told: str) -> tuple[float, str]:
    """The unit of length after comparison with the coordinates of links whose ends are both located."""
    placed = [k for k, (a, b) in enumerate(arcs.ends) if a in nodes.xy and b in nodes.xy]
    ends = [(*nodes.xy[arcs.ends[k][0]], *nodes.xy[arcs.ends[k][1]]) for k in placed]
    length = np.array([arcs.length[k] for k in placed], np.float64)
    return judged(length, np.array(ends, np.float64).reshape(-1, 4), km, told)


def _link_notes(arcs: Arcs, by_speed: Floats, time: Floats) -> list[str]:
    """Notes: number of links left out and of links completed by assumptions; parallel links."""
    notes = [f"links left out, {why}: {count}" for why, count in sorted(arcs.why.items())]
    notes += [f"links with {what}: {count}" for what, count in sorted(arcs.assumed.items())]
    differ = int(np.sum((by_speed > 0) & (np.abs(time - by_speed) > _DIFFERS * by_speed)))
    if differ:
        what = "links (by direction) whose free-flow time in minutes is not that of length and free_speed"
        notes.append(f"{what}: {differ}")
    if arcs.beside:
        place, first = next(iter(arcs.beside.items()))
        notes.append(
            f"parallel links between the same nodes for the same uses, all kept: {len(arcs.beside)} "
            f"({place} and {first}{' ...' if len(arcs.beside) > 1 else ''})"
        )
    return notes
