"""Links of a GMNS network: which are read, and the one or two arcs of each."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from landbridge.errors import did_you_mean
from landbridge.io.files import finite_number
from landbridge.io.gmns_cells import Line, same_id, text_of
from landbridge.io.gmns_nodes import Nodes
from landbridge.io.gmns_uses import Uses, split_uses
from landbridge.world.table import quoted

__all__ = ["MINUTES", "Arcs", "Reading", "add_link"]

# Columns of the volume-delay function, which GMNS leaves to its users, by names in common use.
_ALPHA = ("bpr_alpha", "vdf_alpha", "vdf_alpha1", "alpha")
_BETA = ("bpr_beta", "vdf_beta", "vdf_beta1", "beta")
# Free-flow time in minutes, and capacity of all lanes together, as in GMNS Plus and DTALite.
MINUTES = ("vdf_fftt", "vdf_fftt1")
_WHOLE = ("vdf_cap", "vdf_cap1")
# Bureau of Public Roads (1964).
_BPR = (0.15, 4.0)
_PAIR = r"\s*[-+.\deE]+(\s+[-+.\deE]+){1,3}\s*"
_LINE = rf"\({_PAIR}(,{_PAIR})+\)"
_WKT = re.compile(rf"(SRID=\d+;)?\s*(LINESTRING\s*(?:[ZM]+\s*)?{_LINE}|MULTILINESTRING\s*(?:[ZM]+\s*)?\({_LINE}(,\s*{_LINE})*\))", re.I)  # fmt: skip  # noqa: E501


@dataclass
class Arcs:
    """Columns of the network while it is read, an entry for each arc.

    tail, head: numbers of nodes; ends: their ids; capacity: of all lanes, per hour, 1 where none is needed;
    length, speed: in units of the file; minutes: free-flow time, which like speed may be NaN; b, power: of
    the cost of the Bureau of Public Roads; toll; fixed: hours at a border; name, where: link and its place.
    ids: place by link_id; seen: place of the first link by ends and kind; beside: place of the first of
    parallel links, by that of the later one. left_out: links not read; why: their number by reason; assumed:
    number of links by assumption.
    """

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
class Reading:
    """Settings for reading links: nodes, uses, columns of border hours; wkt: whether geometry is WKT."""

    nodes: Nodes
    uses: Uses
    wkt: bool
    border: tuple[str, str]


@dataclass(slots=True)
class _Link:
    """One link as in the file; length, speed: in its units; None where a cell is blank.

    ends: the nodes from and to. border_h: hours at the border forward and, for a two-way link, backward.
    """

    name: str
    where: str
    ends: tuple[str, str]
    kind: tuple[str, ...]
    minutes: float | None
    length: float | None
    speed: float | None
    alpha: float | None
    beta: float | None
    capacity: float | None
    toll: float | None
    border_h: tuple[float, ...]


def add_link(line: Line, by: Reading, arcs: Arcs) -> None:
    """Add a link to arcs, or count why it is left out; its faults go to the tally of the line.

    line: row of link.csv; by: settings; arcs: takes the arcs.
    """
    row, before = line.row, line.tally.total
    name = same_id(row.get("link_id", "")) or line.where
    uses = split_uses(row)
    ends = same_id(row["from_node_id"]), same_id(row["to_node_id"])
    reason = _left_out(line, ends, uses, by)
    if reason:
        # Faults of a link that is not used do not matter.
        arcs.why[reason] += 1
        arcs.left_out.add(name)
        return
    if name in arcs.ids:
        what = f"link_id {quoted(name)} is already at {arcs.ids[name]}"
        line.fault("link_id again", what, "keep one")
    arcs.ids.setdefault(name, line.where)
    for column, end in zip(("from_node_id", "to_node_id"), ends, strict=True):
        if end not in by.nodes.order:
            what = f"{column} {quoted(row[column])} is not in node.csv"
            line.fault(f"{column} unknown", what, partial(_node_cure, end, by.nodes))
    link = _read(line, name, ends, uses, by, arcs)
    if line.tally.total == before:
        _tell_assumed(line, link, arcs)
        _append(link, by, arcs)


def _left_out(line: Line, ends: tuple[str, str], uses: tuple[str, ...], by: Reading) -> str:
    """Why a link is not read, blank where it is read; an unknown use is a fault unless the link is closed."""
    status = line.row.get("status", "").casefold()
    if status in ("planned", "closed"):
        return f"status {status}"
    is_open = by.uses.allows(uses)
    for one in by.uses.unknown(uses, is_open):
        what = f"unknown mode {quoted(one)} in allowed_uses"
        line.fault("mode", what, partial(_use_cure, one, by.uses))
    if ends[0] == ends[1] and ends[0] in by.nodes.order:
        return "they end where they begin"
    return "" if is_open else f"{by.uses.use} is not allowed there"


def _read(
    line: Line, name: str, ends: tuple[str, str], uses: tuple[str, ...], by: Reading, arcs: Arcs
) -> _Link:
    """The cells of a link that is open."""
    row = line.row
    directed = same_id(text_of(row, "directed").casefold()) or "1"
    if directed not in ("0", "1", "true", "false"):
        line.fault("directed", f"directed is {quoted(directed)}", "1 one way, 0 both ways")
    minutes = line.first_of(MINUTES)
    length = line.number("length", required=not minutes, least=0.0)
    speed = line.number("free_speed", required=not minutes, above=not minutes)
    alpha, beta = line.first_of(_ALPHA), line.first_of(_BETA)
    capacity = _capacity(line, uses, alpha, by, arcs)
    toll = line.number("toll")
    geometry = text_of(row, "geometry")
    if by.wkt and geometry and not _is_line(geometry):
        what = f"geometry {quoted(geometry[:40])} is no line in WKT"
        line.fault("geometry", what, "LINESTRING (x y, x y, ...) with two points or more")
    ways = by.border if directed in ("0", "false") else by.border[:1]
    border = [(line.number(column, least=0.0) or 0.0) if column in row else 0.0 for column in ways]
    kind = (",".join(sorted(uses)), *(row.get(k, "") for k in ("facility_type", "mode", "passage")))
    return _Link(
        name, line.where, ends, kind, minutes, length, speed, alpha, beta, capacity, toll, tuple(border)
    )


def _capacity(
    line: Line, uses: tuple[str, ...], alpha: float | None, by: Reading, arcs: Arcs
) -> float | None:
    """Capacity of all lanes per hour; None where none is given, or none is needed since alpha is 0."""
    whole = line.first_of(_WHOLE)
    if whole:
        column = _shown(line.filled(_WHOLE))
        arcs.assumed[f"capacity of all lanes from {column}, not from capacity and lanes"] += 1
        return whole
    congested = alpha != 0
    least = None if congested else 0.0
    shut = "delete the link if it is closed"
    if uses and by.uses.use is None:
        shut += ", or leave it out by --use"
    capacity = line.number("capacity", above=congested, least=least, shut=shut)
    lanes = line.number("lanes", above=congested, least=least, shut=shut)
    if capacity is None:
        return None
    if lanes is None:
        arcs.assumed["no lanes, taken as 1"] += 1
    return capacity * (1.0 if lanes is None else lanes) or None


def _tell_assumed(line: Line, link: _Link, arcs: Arcs) -> None:
    """Count the assumptions made for blank cells of a link."""
    if link.minutes:
        column = _shown(line.filled(MINUTES))
        arcs.assumed[f"free-flow time in minutes from {column}, not from length and free_speed"] += 1
    if link.capacity is None:
        arcs.assumed["no capacity, so never congested"] += 1
    elif link.alpha is None or link.beta is None:
        arcs.assumed[f"no alpha or beta, taken as {_BPR[0]} and {_BPR[1]:g} (BPR 1964)"] += 1


def _append(link: _Link, by: Reading, arcs: Arcs) -> None:
    """The arc of a link, or its two arcs."""
    alpha = _BPR[0] if link.alpha is None else link.alpha
    for way, hours in enumerate(link.border_h):
        start, end = link.ends[::-1] if way else link.ends
        known = arcs.seen.setdefault((start, end, *link.kind), link.where)
        if known != link.where:
            arcs.beside.setdefault(link.where, known)
        arcs.tail.append(by.nodes.order[start])
        arcs.head.append(by.nodes.order[end])
        arcs.ends.append((start, end))
        arcs.capacity.append(link.capacity or 1.0)
        arcs.length.append(link.length or 0.0)
        arcs.speed.append(link.speed or float("nan"))
        arcs.minutes.append(link.minutes or float("nan"))
        arcs.b.append(alpha if link.capacity else 0.0)
        arcs.power.append(_BPR[1] if link.beta is None else link.beta)
        arcs.toll.append(link.toll or 0.0)
        arcs.fixed.append(hours)
        arcs.name.append(link.name)
        arcs.where.append(link.where)


def _shown(column: str | None) -> str:
    return (column or "").replace("vdf", "VDF")


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
