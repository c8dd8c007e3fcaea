"""Networks of others, and our own, in the General Modeling Network Specification (GMNS 0.96)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.files import finite_number, read_lines
from landbridge.world.road_network import Demand, Network, Turns
from landbridge.world.table import quoted

__all__ = ["read_demand", "read_gmns", "read_turns"]

# Uses that a link may allow where no use_definition.csv says otherwise.
_ROAD = "all auto car automobile sov hov hov2 hov3 taxi motorcycle truck hgv freight bus transit tram"
_USES = frozenset(re.findall(r"\w+", _ROAD + " metro rail block wagonload ship ferry bike bicycle walk ped"))
_KM = {"km": 1.0, "kilometer": 1.0, "kilometre": 1.0, "mi": 1.609344, "mile": 1.609344, "m": 0.001}
_KM |= {"meter": 0.001, "metre": 0.001, "ft": 0.0003048, "foot": 0.0003048, "feet": 0.0003048}
_KMH = {"km/h": 1.0, "kph": 1.0, "kmh": 1.0, "kmph": 1.0, "mph": 1.609344, "mi/h": 1.609344, "m/s": 3.6}
# Columns of the volume-delay function that GMNS leaves to its users, as they are called in the field.
_ALPHA = ("bpr_alpha", "vdf_alpha", "vdf_alpha1", "alpha")
_BETA = ("bpr_beta", "vdf_beta", "vdf_beta1", "beta")
# Bureau of Public Roads (1964).
_BPR = (0.15, 4.0)
_PAIR = r"\s*[-+.\deE]+(\s+[-+.\deE]+){1,3}\s*"
_LINE = rf"\({_PAIR}(,{_PAIR})+\)"
_WKT = re.compile(rf"(SRID=\d+;)?\s*(LINESTRING\s*[ZM]*\s*{_LINE}|MULTILINESTRING\s*[ZM]*\s*\({_LINE}(,\s*{_LINE})*\))", re.I)  # fmt: skip  # noqa: E501

Row = Mapping[str, str]


def read_gmns(folder: str | Path, use: str | None = None, toll_weight: float = 0.0) -> Network:
    """The network of node.csv and link.csv, for `assign`; lengths in km, times in hours.

    time = length / free_speed;  cost = time (1 + alpha (flow / (capacity x lanes))^beta) + toll_weight x toll

    Capacity is by hour and lane, as GMNS has it; a link without one is not congested. alpha, beta: columns
    bpr_alpha, bpr_beta (or vdf_alpha, alpha, ...), else 0.15 and 4 (Bureau of Public Roads 1964). A link
    with directed 0 becomes two arcs. Zones are the nodes with a zone_id where every zone_id has one node,
    else all nodes by node_id; a node with node_type centroid is not passed through. use: only the links
    that allow it. Units come from config.csv, else km and km/h. What landbridge itself exports is read
    too: links that are not open are left out, and border hours of the use (rail: block or wagonload, the
    default) are added to the time of either direction.
    Raises DataError with every fault of every file, by file and line.
    """
    base = Path(folder)
    faults: list[Fault] = []
    notes: list[str] = []
    nodes, links = _rows(base / "node.csv", faults), _rows(base / "link.csv", faults)
    config = _rows(base / "config.csv", faults, optional=True)
    settings = config[0][1] if config else {}
    km = _unit(settings, "long_length", _KM, faults)
    kmh = _unit(settings, "speed", _KMH, faults)
    if not settings:
        notes.append("config.csv is missing or empty: lengths are taken as km, speeds as km/h")
    if not np.isfinite(toll_weight):
        faults.append(Fault("toll weight", f"is {toll_weight}", "give a number"))
    defined = _rows(base / "use_definition.csv", faults, optional=True)
    groups = _rows(base / "use_group.csv", faults, optional=True)
    known: set[str] = {row.get("use", "").casefold() for _, row in defined} | (set() if defined else _USES)
    known |= {row.get("use_group", "").casefold() for _, row in groups} | {"all"}
    if use is not None and use.casefold() not in known:
        names = ", ".join(sorted(known - {""}))
        faults.append(Fault("use", f"{quoted(use)} is not known", f"one of {names}"))
    needed = {
        "node.csv": (nodes, ("node_id",)),
        "link.csv": (links, ("from_node_id", "to_node_id", "length", "free_speed")),
    }
    for name, (rows, columns) in needed.items():
        if rows:
            gone = [column for column in columns if column not in rows[0][1]]
            faults += [Fault(name, f"has no column {column}", "add it") for column in gone]
        elif not any(fault.where.startswith((name, str(base / name))) for fault in faults):
            faults.append(Fault(name, "holds no row", "give a GMNS network"))
    if any(not rows or any(c not in rows[0][1] for c in columns) for rows, columns in needed.values()):
        raise DataError("the GMNS network cannot be used", faults)
    order, zone_names, through = _nodes(nodes, faults, notes)
    wkt = settings.get("geometry_field_format", "").casefold() in ("", "wkt")
    arcs = _Arcs()
    left_out = Counter[str]()
    for where, row in links:
        _link(row, where, _Reading(order, known, km, kmh, wkt, use, left_out), arcs, faults)
    for why, count in sorted(left_out.items()):
        notes.append(f"links left out, {why}: {count}")
    notes += [f"links with {what}: {count}" for what, count in sorted(arcs.assumed.items())]
    if not faults and not arcs.tail:
        faults.append(Fault("link.csv", "holds no link that can be used", "check status and allowed_uses"))
    if faults:
        raise DataError("the GMNS network cannot be used", faults)
    number = np.float64
    toll = np.array(arcs.toll, number)
    return Network(
        nodes=len(order),
        zones=len(zone_names),
        tail=np.array(arcs.tail, np.int64),
        head=np.array(arcs.head, np.int64),
        capacity=np.array(arcs.capacity, number),
        time=np.array(arcs.time, number),
        b=np.array(arcs.b, number),
        power=np.array(arcs.power, number),
        length=np.array(arcs.length, number),
        toll=toll,
        fixed=np.array(arcs.fixed, number) + toll_weight * toll,
        first_through_node=through,
        name=base.name,
        rows=tuple(arcs.where),
        zone_names=tuple(zone_names),
        node_names=tuple(order),
        link_names=tuple(arcs.name),
        left_out=frozenset(arcs.left_out),
        notes=tuple(notes),
    )


def read_demand(path: str | Path, network: Network) -> Demand:
    """Trips between the zones of a network from CSV: o_zone_id, d_zone_id, volume (or from, to, trips).

    volume: in the unit of the capacities of the network; for GMNS trips by hour.
    Raises DataError with every row that names no zone of the network, no number of trips, or a pair again.
    """
    file = Path(path)
    faults: list[Fault] = []
    rows = _rows(file, faults)
    wanted = (("o_zone_id", "origin", "from"), ("d_zone_id", "destination", "to"), ("volume", "trips"))
    columns = _columns(rows, wanted, file, faults)
    seen: dict[tuple[int, int], str] = {}
    origin, destination, trips, within = [], [], [], 0.0
    for where, row in rows if columns else ():
        ends = [network.zone(row[column]) for column in columns[:2]]
        for column, end in zip(columns[:2], ends, strict=True):
            if not end:
                cure = did_you_mean(row[column], network.zone_names) or _zones(network)
                faults.append(Fault(where, f"{column} {quoted(row[column])} is no zone", cure))
        known = seen.setdefault((ends[0], ends[1]), where)
        if all(ends) and known != where:
            pair = f"{row[columns[0]]} to {row[columns[1]]}"
            faults.append(Fault(where, f"gives {pair} again, as {known}", "add the two up, or keep one"))
        count = finite_number(row[columns[2]])
        if count is None or count < 0:
            fault = Fault(where, f"{columns[2]} {quoted(row[columns[2]])} is no number of trips", "0 or more")
            faults.append(fault)
        elif ends[0] == ends[1]:
            within += count
        elif count > 0:
            origin.append(ends[0])
            destination.append(ends[1])
            trips.append(count)
    if faults:
        raise DataError("the trips cannot be used", faults)
    return Demand(np.array(origin, np.int64), np.array(destination, np.int64), np.array(trips), within)


def _columns(
    rows: Sequence[tuple[str, Row]],
    wanted: Sequence[tuple[str, ...]],
    file: Path,
    faults: list[Fault],
) -> list[str]:
    """The column of each thing wanted, by the first of its names that is there; none where one is missing."""
    if not rows:
        if not faults:
            cure = "columns " + ", ".join(names[0] for names in wanted)
            faults.append(Fault(file.name, "holds no row", cure))
        return []
    columns = []
    for names in wanted:
        found = [name for name in names if name in rows[0][1]]
        if not found:
            there = ", ".join(rows[0][1])
            cure = "name a column " + " or ".join(names)
            faults.append(Fault(file.name, f"has no column {names[0]} (it has {there[:80]})", cure))
        columns += found[:1]
    return columns if len(columns) == len(wanted) else []


def _zones(network: Network) -> str:
    if not network.zone_names:
        return f"1 to {network.zones}"
    some = ", ".join(network.zone_names[:5])
    return f"one of the {network.zones} zones of the network: {some}" + (" ..." if network.zones > 5 else "")


def _links(network: Network) -> str:
    return "a link_id of link.csv" if network.link_names else f"1 to {len(network.tail)}, as in the file"


def read_turns(path: str | Path, network: Network) -> Turns:
    """Turn penalties from CSV: from_link, to_link, cost (or ib_link_id, ob_link_id, penalty, as in GMNS).

    Links by the name the network file gives them, else by number from 1 in its order; cost in the unit of
    time, `inf` for a turn that is not allowed. Raises DataError with every row that is no turn.
    """
    file = Path(path)
    faults: list[Fault] = []
    rows = _rows(file, faults)
    wanted = (("from_link", "ib_link_id"), ("to_link", "ob_link_id"), ("cost", "penalty"))
    columns = _columns(rows, wanted, file, faults)
    arcs: dict[str, list[int]] = {}
    for number in range(len(network.tail)):
        name = network.link_names[number] if network.link_names else str(number + 1)
        arcs.setdefault(name, []).append(number)
    turns: dict[tuple[int, int], float] = {}
    for where, row in rows if columns else ():
        if any(row[column] in network.left_out for column in columns[:2]):
            continue  # over a link that is closed, or not open to this use: no path takes it
        for column in columns[:2]:
            if row[column] not in arcs:
                cure = did_you_mean(row[column], network.link_names) or _links(network)
                faults.append(Fault(where, f"{column} {quoted(row[column])} is no link", cure))
        # A link both ways has two arcs: the turn is over those that meet.
        ends = [arcs.get(row[column], []) for column in columns[:2]]
        meet = [(a, b) for a in ends[0] for b in ends[1] if network.head[a] == network.tail[b]]
        if ends[0] and ends[1] and not meet:
            what = f"link {row[columns[1]]} does not begin where link {row[columns[0]]} ends"
            faults.append(Fault(where, what, "give two links that meet"))
        text = row[columns[2]].casefold()
        cost = float("inf") if text in ("inf", "infinity") else finite_number(text)
        if cost is None or cost < 0:
            what = f"{columns[2]} {quoted(text)} is no penalty"
            faults.append(Fault(where, what, "0 or more, inf where the turn is not allowed"))
            continue
        for turn in meet:
            if turn in turns:
                faults.append(Fault(where, "names a turn for the second time", "keep one"))
            turns[turn] = cost
    if faults:
        raise DataError("the turns cannot be used", faults)
    pairs = np.array(list(turns), np.int64).reshape(-1, 2)
    return Turns(pairs[:, 0], pairs[:, 1], np.array(list(turns.values()), np.float64))


@dataclass
class _Arcs:
    """Columns of the network while it is read."""

    tail: list[int] = field(default_factory=list)
    head: list[int] = field(default_factory=list)
    capacity: list[float] = field(default_factory=list)
    time: list[float] = field(default_factory=list)
    b: list[float] = field(default_factory=list)
    power: list[float] = field(default_factory=list)
    length: list[float] = field(default_factory=list)
    toll: list[float] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    seen: dict[tuple[str, ...], str] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    assumed: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Reading:
    """What decides how a link is read: nodes by id, uses, units, the use wanted."""

    order: Mapping[str, int]
    known: set[str]
    km: float
    kmh: float
    wkt: bool
    use: str | None
    left_out: Counter[str]


def _rows(path: Path, faults: list[Fault], optional: bool = False) -> list[tuple[str, Row]]:
    """Rows of a CSV file with the place of each; headers folded to lower case, cells stripped."""
    if optional and not path.exists():
        return []
    try:
        (header, rows), broken = read_lines(path)
    except DataError as error:
        faults.extend(error.faults)
        return []
    faults.extend(broken)
    names = [name.casefold() for name in header]
    return [
        (f"{path.name} line {line}", dict(zip(names, (cell.strip() for cell in cells), strict=True)))
        for line, cells in rows
    ]


def _unit(settings: Row, name: str, known: Mapping[str, float], faults: list[Fault]) -> float:
    told = settings.get(name, "").casefold()
    factor = known.get(told, known.get(told.removesuffix("s"))) if told else 1.0
    if factor is None:
        fault = Fault("config.csv", f"{name} {quoted(told)} is not known", "one of " + ", ".join(known))
        faults.append(fault)
        return 1.0
    return factor


def _nodes(
    rows: Sequence[tuple[str, Row]], faults: list[Fault], notes: list[str]
) -> tuple[dict[str, int], list[str], int]:
    """Numbers of nodes by id (centroids first, then other zones), names of zones, first node passed."""
    seen: dict[str, str] = {}
    kept: list[tuple[str, str, bool]] = []
    for where, row in rows:
        name = row["node_id"]
        if not name:
            faults.append(Fault(where, "node_id is blank", "name the node"))
            continue
        if name in seen:
            faults.append(Fault(where, f"node_id {quoted(name)} stands already at {seen[name]}", "keep one"))
            continue
        seen[name] = where
        for column in ("x_coord", "y_coord"):
            if row.get(column) and finite_number(row[column]) is None:
                fault = Fault(where, f"{column} {quoted(row[column])} is no number", "mend the coordinate")
                faults.append(fault)
        centroid = row.get("node_type", "").casefold() == "centroid"
        zone = row.get("zone_id", "")
        kept.append((name, "" if zone in ("0", "-1") else zone, centroid))
    zones = [zone for _, zone, _ in kept if zone]
    single = bool(zones) and len(set(zones)) == len(zones)
    if zones and not single:
        notes.append("a zone_id has several nodes: zones are named by node_id")
    # Centroids, then zones, then the rest, each as in the file.
    kept.sort(key=lambda node: (not node[2], single and not node[1]))
    names = [
        zone or name if single else name for name, zone, centroid in kept if zone or centroid or not single
    ]
    through = 1 + sum(centroid for _, _, centroid in kept)
    return {name: number for number, (name, _, _) in enumerate(kept, 1)}, names, through


def _link(row: Row, where: str, by: _Reading, arcs: _Arcs, faults: list[Fault]) -> None:
    before = len(faults)
    name = row.get("link_id", "") or where
    if name in arcs.ids:
        faults.append(Fault(where, f"link_id {quoted(name)} stands already at {arcs.ids[name]}", "keep one"))
    arcs.ids.setdefault(name, where)
    for column in ("from_node_id", "to_node_id"):
        if row[column] not in by.order:
            cure = did_you_mean(row[column], by.order) or "add the node to node.csv"
            faults.append(Fault(where, f"{column} {quoted(row[column])} is not in node.csv", cure))
    if row["from_node_id"] == row["to_node_id"]:
        faults.append(Fault(where, "ends where it begins", "give two nodes"))
    directed = row.get("directed", "").casefold() or "1"
    if directed not in ("0", "1", "true", "false"):
        faults.append(Fault(where, f"directed is {quoted(directed)}", "1 one way, 0 both ways"))
    uses = [part.casefold() for part in re.split(r"[,;|\s]+", row.get("allowed_uses", "")) if part]
    for one in uses:
        if one not in by.known:
            cure = did_you_mean(one, by.known) or "add it to use_definition.csv"
            faults.append(Fault(where, f"unknown mode {quoted(one)} in allowed_uses", cure))
    length = _cell(row, "length", where, faults, required=True, least=0.0)
    speed = _cell(row, "free_speed", where, faults, required=True, above=True)
    capacity = _cell(row, "capacity", where, faults, above=True)
    lanes = _cell(row, "lanes", where, faults, above=True)
    toll = _cell(row, "toll", where, faults)
    alpha = _first(row, _ALPHA, where, faults)
    beta = _first(row, _BETA, where, faults)
    geometry = row.get("geometry", "")
    if by.wkt and geometry and not _is_line(geometry):
        cure = "LINESTRING (x y, x y, ...) with two points or more"
        faults.append(Fault(where, f"geometry {quoted(geometry[:40])} is no line in WKT", cure))
    if len(faults) > before:
        return
    status = row.get("status", "").casefold()
    if status in ("planned", "closed"):
        by.left_out[f"status {status}"] += 1
        arcs.left_out.add(name)
        return
    if by.use is not None and uses and not {by.use.casefold(), "all"} & set(uses):
        by.left_out[f"{by.use} is not allowed there"] += 1
        arcs.left_out.add(name)
        return
    if capacity is None:
        arcs.assumed["no capacity, so never congested"] += 1
    else:
        if alpha is None or beta is None:
            arcs.assumed[f"no alpha or beta, taken as {_BPR[0]} and {_BPR[1]:g} (BPR 1964)"] += 1
        if lanes is None:
            arcs.assumed["no lanes, taken as 1"] += 1
    both = directed in ("0", "false")
    for way, (start, end) in enumerate([("from_node_id", "to_node_id"), ("to_node_id", "from_node_id")]):
        if way and not both:
            continue
        kind = (row.get("facility_type", ""), row.get("mode", ""), row.get("passage", ""))
        key = (row[start], row[end], ",".join(sorted(uses)), *kind)
        known = arcs.seen.setdefault(key, where)
        if known != where:
            cure = "keep one, add up their lanes, or tell them apart by allowed_uses or facility_type"
            fault = f"is a second link from {row[start]} to {row[end]} for the same uses, as {known}"
            faults.append(Fault(where, fault, cure))
            return
        arcs.tail.append(by.order[row[start]])
        arcs.head.append(by.order[row[end]])
        arcs.capacity.append((capacity or 1.0) * (1.0 if lanes is None else lanes))
        arcs.length.append((length or 0.0) * by.km)
        arcs.time.append((length or 0.0) * by.km / ((speed or 1.0) * by.kmh))
        arcs.b.append((_BPR[0] if alpha is None else alpha) if capacity else 0.0)
        arcs.power.append(_BPR[1] if beta is None else beta)
        arcs.toll.append(toll or 0.0)
        product = "block" if (by.use or "").casefold() == "block" else "wagonload"
        border = f"border_h_{product}_{'backward' if way else 'forward'}"
        arcs.fixed.append(_cell(row, border, where, faults, least=0.0) or 0.0)
        arcs.name.append(name)
        arcs.where.append(where)


def _is_line(text: str) -> bool:
    if not _WKT.fullmatch(text.strip()):
        return False
    return all(
        finite_number(part) is not None for part in re.findall(r"[-+.\deE]+(?=[\s,)])", text.split("(", 1)[1])
    )


def _cell(
    row: Row,
    column: str,
    where: str,
    faults: list[Fault],
    required: bool = False,
    least: float | None = None,
    above: bool = False,
) -> float | None:
    """A number of a row; above: it must be more than 0. Blank where not required: None."""
    text = row.get(column, "")
    if not text:
        if required:
            faults.append(Fault(where, f"{column} is blank", "give a number"))
        return None
    value = finite_number(text)
    if value is None:
        faults.append(Fault(where, f"{column} {quoted(text)} is no number", "give a number"))
    elif above and value <= 0:
        cure = "give more than 0, or delete the link where it is shut"
        faults.append(Fault(where, f"{column} {text} is not positive", cure))
    elif least is not None and value < least:
        faults.append(Fault(where, f"{column} {text} is negative", f"give {least:g} or more"))
    return value


def _first(row: Row, names: Sequence[str], where: str, faults: list[Fault]) -> float | None:
    for name in names:
        if row.get(name):
            return _cell(row, name, where, faults, least=0.0)
    return None
