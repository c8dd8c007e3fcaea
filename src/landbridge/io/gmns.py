"""Networks of others, and our own, in the General Modeling Network Specification (GMNS 0.96)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, did_you_mean
from landbridge.io.files import finite_number
from landbridge.io.gmns_cells import Row, columns_of, first_of, number, rows_of, same_id, text_of
from landbridge.io.gmns_nodes import Nodes, read_nodes
from landbridge.io.gmns_units import KM, KMH, judged, unit
from landbridge.io.gmns_uses import Uses, split_uses
from landbridge.io.tally import Tally
from landbridge.world.road_network import Network, Turns
from landbridge.world.table import quoted

__all__ = ["read_gmns", "read_turns"]

# Columns of the volume-delay function that GMNS leaves to its users, as they are called in the field.
_ALPHA = ("bpr_alpha", "vdf_alpha", "vdf_alpha1", "alpha")
_BETA = ("bpr_beta", "vdf_beta", "vdf_beta1", "beta")
# Free-flow time in minutes, and capacity of all lanes together, as GMNS Plus and DTALite write them.
_MINUTES = ("vdf_fftt", "vdf_fftt1")
_WHOLE = ("vdf_cap", "vdf_cap1")
# Bureau of Public Roads (1964).
_BPR = (0.15, 4.0)
# Two free-flow times that differ by more are not the same figure rounded.
_DIFFERS = 0.05
_PAIR = r"\s*[-+.\deE]+(\s+[-+.\deE]+){1,3}\s*"
_LINE = rf"\({_PAIR}(,{_PAIR})+\)"
_WKT = re.compile(rf"(SRID=\d+;)?\s*(LINESTRING\s*(?:[ZM]+\s*)?{_LINE}|MULTILINESTRING\s*(?:[ZM]+\s*)?\({_LINE}(,\s*{_LINE})*\))", re.I)  # fmt: skip  # noqa: E501

Floats = NDArray[np.float64]


def read_gmns(folder: str | Path, use: str | None = None, toll_weight: float = 0.0) -> Network:
    """The network of node.csv and link.csv, for `assign`; lengths in km, times in hours.

    time = length / free_speed;  cost = time (1 + alpha (flow / (capacity x lanes))^beta) + toll_weight x toll

    Capacity is by hour and lane, as GMNS has it; a link without one is not congested. alpha, beta: columns
    bpr_alpha, bpr_beta (or vdf_alpha, alpha, ...), else 0.15 and 4 (Bureau of Public Roads 1964). Columns
    VDF_fftt (minutes) and VDF_cap (all lanes together), also with a 1 behind, go before length / free_speed
    and capacity x lanes. A link with directed 0 becomes two arcs. Zones stand at their centroid or their only
    node, else at every one of their nodes, joined to it by links without cost (the last ones, see
    Network.connectors); without any zone_id all nodes are zones by node_id. A centroid is not passed through.
    use: only the links that allow it; of a group of uses, the links that allow every use in it. Units come
    from config.csv, else km and km/h (metres or feet where the coordinates show it). What landbridge itself
    exports is read too: links that are not open are left out, and border hours of the use (rail: block or
    wagonload, the default) are added to the time of either direction.
    Raises DataError with the faults of every file, by file and line, the many of one kind counted.
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
    reading, arcs = _Reading(places, uses, wkt, border), _Arcs()
    for where, row in links:
        _link(row, where, reading, arcs, tally)
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
    """Raise DataError where node.csv or link.csv has no row or lacks a column that is always needed."""
    ends = ("from_node_id", "to_node_id")
    timed = bool(links) and any(column in links[0][1] for column in _MINUTES)
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
    """Turn penalties from CSV: from_link, to_link, cost (or ib_link_id, ob_link_id, penalty, as in GMNS).

    Links by the name the network file gives them, else by number from 1 in its order; cost in the unit of
    time, `inf` for a turn that is not allowed. Raises DataError with every row that is no turn.
    """
    file = Path(path)
    tally = Tally()
    notes: list[str] = []
    rows = rows_of(file, tally, notes)
    wanted = (("from_link", "ib_link_id"), ("to_link", "ob_link_id"), ("cost", "penalty"))
    columns = columns_of(list(rows[0][1]), wanted, file, tally) if rows else []
    if not rows and not tally.total:
        tally.add("no row", file.name, "holds no row", "columns " + ", ".join(names[0] for names in wanted))
    arcs: dict[str, list[int]] = {}
    for link in range(len(network.tail) - network.connectors):
        name = network.link_names[link] if network.link_names else str(link + 1)
        arcs.setdefault(name, []).append(link)
    turns: dict[tuple[int, int], float] = {}
    for where, row in rows if columns else ():
        named_links = [same_id(row[column]) for column in columns[:2]]
        if any(name in network.left_out for name in named_links):
            continue  # over a link that is closed, or not open to this use: no path takes it
        for column, name in zip(columns[:2], named_links, strict=True):
            if name not in arcs:
                what = f"{column} {quoted(row[column])} is no link"
                tally.add("no link", where, what, partial(_link_cure, name, network))
        # A link both ways has two arcs: the turn is over those that meet.
        ends = [arcs.get(name, []) for name in named_links]
        meet = [(a, b) for a in ends[0] for b in ends[1] if network.head[a] == network.tail[b]]
        if ends[0] and ends[1] and not meet:
            what = f"link {row[columns[1]]} does not begin where link {row[columns[0]]} ends"
            tally.add("do not meet", where, what, "give two links that meet")
        text = row[columns[2]].casefold()
        cost = float("inf") if text in ("inf", "infinity") else finite_number(text)
        if cost is None or cost < 0:
            what = f"{columns[2]} {quoted(text)} is no penalty"
            tally.add("no penalty", where, what, "0 or more, inf where the turn is not allowed")
            continue
        for turn in meet:
            if turn in turns:
                tally.add("turn again", where, "names a turn for the second time", "keep one")
            turns[turn] = cost
    if tally.total:
        raise DataError("the turns cannot be used", tally.told())
    pairs = np.array(list(turns), np.int64).reshape(-1, 2)
    return Turns(pairs[:, 0], pairs[:, 1], np.array(list(turns.values()), np.float64), tuple(notes))


def _link_cure(name: str, network: Network) -> str:
    whole = "a link_id of link.csv" if network.link_names else f"1 to {len(network.tail)}, as in the file"
    return did_you_mean(name, filter(None, network.link_names)) or whole


@dataclass
class _Arcs:
    """Columns of the network while it is read; length, speed: in units of the file; minutes: nan at none."""

    tail: list[int] = field(default_factory=list)
    head: list[int] = field(default_factory=list)
    ends: list[tuple[str, str]] = field(default_factory=list)
    capacity: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    minutes: list[float] = field(default_factory=list)
    b: list[float] = field(default_factory=list)
    power: list[float] = field(default_factory=list)
    length: list[float] = field(default_factory=list)
    toll: list[float] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    seen: dict[tuple[str, ...], str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    why: Counter[str] = field(default_factory=Counter)
    assumed: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Reading:
    """What decides how a link is read: nodes, uses, whether geometry is WKT, columns of border hours."""

    nodes: Nodes
    uses: Uses
    wkt: bool
    border: tuple[str, str]


def _judged(arcs: _Arcs, nodes: Nodes, km: float, told: str) -> tuple[float, str]:
    """The unit of length after a look at the coordinates of those links that have both ends placed."""
    placed = [k for k, (a, b) in enumerate(arcs.ends) if a in nodes.xy and b in nodes.xy]
    ends = [(*nodes.xy[arcs.ends[k][0]], *nodes.xy[arcs.ends[k][1]]) for k in placed]
    length = np.array([arcs.length[k] for k in placed], np.float64)
    return judged(length, np.array(ends, np.float64).reshape(-1, 4), km, told)


def _link_notes(arcs: _Arcs, by_speed: Floats, time: Floats) -> list[str]:
    """How many links were left out, what was assumed for how many, and what stands beside what."""
    notes = [f"links left out, {why}: {count}" for why, count in sorted(arcs.why.items())]
    notes += [f"links with {what}: {count}" for what, count in sorted(arcs.assumed.items())]
    differ = int(np.sum((by_speed > 0) & (np.abs(time - by_speed) > _DIFFERS * by_speed)))
    if differ:
        what = "links (by direction) whose free-flow time in minutes is not that of length and free_speed"
        notes.append(f"{what}: {differ}")
    if arcs.beside:
        place, first = next(iter(arcs.beside.items()))
        notes.append(
            f"links beside another between the same nodes for the same uses, all kept: {len(arcs.beside)} "
            f"({place} beside {first}{' ...' if len(arcs.beside) > 1 else ''})"
        )
    return notes


def _link(row: Row, where: str, by: _Reading, arcs: _Arcs, tally: Tally) -> None:
    before = tally.total
    name = same_id(row.get("link_id", "")) or where
    uses = split_uses(row)
    is_open = by.uses.allows(uses)
    status = row.get("status", "").casefold()
    shut = status in ("planned", "closed")
    for one in () if shut else by.uses.unknown(uses, is_open):
        what = f"unknown mode {quoted(one)} in allowed_uses"
        tally.add("mode", where, what, partial(_use_cure, one, by.uses))
    ends = [same_id(row[column]) for column in ("from_node_id", "to_node_id")]
    loop = ends[0] == ends[1] and ends[0] in by.nodes.order
    if shut or not is_open or loop:
        # What is wrong with a link that nobody uses is no matter.
        reason = "they end where they begin" if loop else f"{by.uses.use} is not allowed there"
        arcs.why[f"status {status}" if shut else reason] += 1
        arcs.left_out.add(name)
        return
    if name in arcs.ids:
        what = f"link_id {quoted(name)} stands already at {arcs.ids[name]}"
        tally.add("link_id again", where, what, "keep one")
    arcs.ids.setdefault(name, where)
    for column, end in zip(("from_node_id", "to_node_id"), ends, strict=True):
        if end not in by.nodes.order:
            what = f"{column} {quoted(row[column])} is not in node.csv"
            tally.add(f"{column} unknown", where, what, partial(_node_cure, end, by.nodes))
    directed = same_id(text_of(row, "directed").casefold()) or "1"
    if directed not in ("0", "1", "true", "false"):
        tally.add("directed", where, f"directed is {quoted(directed)}", "1 one way, 0 both ways")
    minutes = first_of(row, _MINUTES, where, tally)
    length = number(row, "length", where, tally, required=not minutes, least=0.0)
    speed = number(row, "free_speed", where, tally, required=not minutes, above=not minutes)
    alpha, beta = first_of(row, _ALPHA, where, tally), first_of(row, _BETA, where, tally)
    capacity = _capacity(row, where, uses, alpha, by, arcs, tally)
    toll = number(row, "toll", where, tally)
    geometry = text_of(row, "geometry")
    if by.wkt and geometry and not _is_line(geometry):
        what = f"geometry {quoted(geometry[:40])} is no line in WKT"
        tally.add("geometry", where, what, "LINESTRING (x y, x y, ...) with two points or more")
    border = [
        number(row, column, where, tally, least=0.0) or 0.0 if column in row else 0.0
        for column in by.border[: 2 if directed in ("0", "false") else 1]
    ]
    if tally.total > before:
        return
    if minutes:
        column = next(c for c in _MINUTES if text_of(row, c))
        arcs.assumed[f"free-flow time in minutes from {_shown(column)}, not from length and free_speed"] += 1
    if capacity is None:
        arcs.assumed["no capacity, so never congested"] += 1
    elif alpha is None or beta is None:
        arcs.assumed[f"no alpha or beta, taken as {_BPR[0]} and {_BPR[1]:g} (BPR 1964)"] += 1
    kind = (row.get("facility_type", ""), row.get("mode", ""), row.get("passage", ""))
    for way, hours in enumerate(border):
        start, end = ends[::-1] if way else ends
        known = arcs.seen.setdefault((start, end, ",".join(sorted(uses)), *kind), where)
        if known != where:
            arcs.beside.setdefault(where, known)
        arcs.tail.append(by.nodes.order[start])
        arcs.head.append(by.nodes.order[end])
        arcs.ends.append((start, end))
        arcs.capacity.append(capacity or 1.0)
        arcs.length.append(length or 0.0)
        arcs.speed.append(speed or float("nan"))
        arcs.minutes.append(minutes or float("nan"))
        arcs.b.append((_BPR[0] if alpha is None else alpha) if capacity else 0.0)
        arcs.power.append(_BPR[1] if beta is None else beta)
        arcs.toll.append(toll or 0.0)
        arcs.fixed.append(hours)
        arcs.name.append(name)
        arcs.where.append(where)


def _capacity(
    row: Row,
    where: str,
    uses: Sequence[str],
    alpha: float | None,
    by: _Reading,
    arcs: _Arcs,
    tally: Tally,
) -> float | None:
    """Capacity of all lanes by hour; None where none is given, or none is needed since alpha is 0."""
    whole = first_of(row, _WHOLE, where, tally)
    if whole:
        column = next(c for c in _WHOLE if text_of(row, c))
        arcs.assumed[f"capacity of all lanes from {_shown(column)}, not from capacity and lanes"] += 1
        return whole
    congested = alpha != 0
    least = None if congested else 0.0
    shut = "delete the link where it is shut"
    if uses and by.uses.use is None:
        shut += ", or leave it out by --use"
    capacity = number(row, "capacity", where, tally, above=congested, least=least, shut=shut)
    lanes = number(row, "lanes", where, tally, above=congested, least=least, shut=shut)
    if capacity is None:
        return None
    if lanes is None:
        arcs.assumed["no lanes, taken as 1"] += 1
    return capacity * (1.0 if lanes is None else lanes) or None


def _shown(column: str) -> str:
    return column.replace("vdf", "VDF")


def _use_cure(name: str, uses: Uses) -> str:
    return did_you_mean(name, uses.known) or "add it to use_definition.csv"


def _node_cure(name: str, nodes: Nodes) -> str:
    return did_you_mean(name, nodes.order) or "add the node to node.csv"


def _is_line(text: str) -> bool:
    if not _WKT.fullmatch(text.strip()):
        return False
    return all(
        finite_number(part) is not None for part in re.findall(r"[-+.\deE]+(?=[\s,)])", text.split("(", 1)[1])
    )
