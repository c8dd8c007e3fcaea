"""Networks and trip tables in the TNTP text format of "Transportation Networks for Research"."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.io.files import finite_number, read_text
from landbridge.world.road_network import Demand, Network

__all__ = ["read_tntp"]

_COLUMNS = 10


def read_tntp(
    net_path: str | Path,
    trips_path: str | Path,
    toll_weight: float | None = None,
    distance_weight: float | None = None,
) -> tuple[Network, Demand]:
    """Read a network and its trips; cost = time + toll_weight x toll + distance_weight x length.

    Links that share both ends stay links of their own; Network.notes names them. A weight of None is the
    header's TOLL FACTOR or DISTANCE FACTOR, else 0. Units are those of the file: the format names none.
    Raises DataError with all faults of both files.
    Source: Transportation Networks for Research Core Team, the format's description in its README.
    """
    faults: list[Fault] = []
    net, trips = Path(net_path), Path(trips_path)
    head, body = _parts(net, faults)
    if "TOTAL OD FLOW" in head and "NUMBER OF LINKS" not in head:
        swapped = Fault(net.name, "holds trips, not links", "give the network first, then the trips")
        raise DataError("the files cannot be used", [swapped])
    rows, places = [], []
    for number, line in body:
        cells = line.rstrip(";").split()
        where = f"{net.name} line {number}"
        values = [finite_number(cell) for cell in cells[:_COLUMNS]]
        if len(values) < _COLUMNS or None in values:
            fault = f"is no link: {_COLUMNS} numbers expected, {line[:40]!r} found"
            faults.append(Fault(where, fault, "init term capacity length time b power speed toll type ;"))
            continue
        if any(v is not None and v != int(v) for v in values[:2]):
            fault = f"goes from node {cells[0]} to node {cells[1]}: a node is a whole number"
            faults.append(Fault(where, fault, "mend the node"))
            continue
        rows.append([v for v in values if v is not None])
        places.append(where)
    nodes, zones = _whole(head, "NUMBER OF NODES", net, faults), _whole(head, "NUMBER OF ZONES", net, faults)
    links = _whole(head, "NUMBER OF LINKS", net, faults)
    if links is not None and links != len(body):
        faults.append(Fault(net.name, f"announces {links} links and holds {len(body)}", "is it truncated?"))
    through = _whole(head, "FIRST THRU NODE", net, faults) if "FIRST THRU NODE" in head else 1
    tolls = _weight(toll_weight, head, "TOLL FACTOR", net, faults)
    km = _weight(distance_weight, head, "DISTANCE FACTOR", net, faults)
    origin, destination, trip, within = _trips(trips, zones, faults)
    network = None
    if rows:
        table = np.array(rows, dtype=np.float64)
        try:
            # A header that is wrong is a fault already; the links are gone through all the same.
            network = Network(
                nodes=nodes or max(1, int(table[:, :2].max())),
                zones=zones or 1,
                tail=table[:, 0].astype(np.int64),
                head=table[:, 1].astype(np.int64),
                capacity=table[:, 2],
                length=table[:, 3],
                time=table[:, 4],
                b=table[:, 5],
                power=table[:, 6],
                toll=table[:, 8],
                fixed=tolls * table[:, 8] + km * table[:, 3],
                first_through_node=through or 1,
                name=net.stem,
                rows=tuple(places),
                notes=_doubled(table[:, :2].astype(np.int64), places) + _unscaled(table[:, 2]),
            )
        except DataError as error:
            faults.extend(error.faults)
    elif not rows:
        faults.append(Fault(net.name, "holds no link", "give a TNTP network file"))
    if faults or network is None:
        raise DataError("the files cannot be used", faults)
    return network, Demand(
        np.array(origin, np.int64), np.array(destination, np.int64), np.array(trip), within
    )


def _doubled(ends: NDArray[np.int64], places: list[str]) -> tuple[str, ...]:
    """A note for every link between two nodes that have one already: parallel links, or a slip."""
    first: dict[tuple[int, int], str] = {}
    notes = []
    for place, (tail, head) in zip(places, ends.tolist(), strict=True):
        known = first.setdefault((tail, head), place)
        if known is not place:
            notes.append(f"{place}: a second link from {tail} to {head} (the first: {known}), kept beside it")
    return tuple(notes)


def _unscaled(capacity: NDArray[np.float64]) -> tuple[str, ...]:
    if (capacity != 1).any():
        return ()
    return ("every capacity is 1: b holds b / capacity^power, and flow / capacity is just the flow",)


def _trips(
    path: Path, zones: int | None, faults: list[Fault]
) -> tuple[list[int], list[int], list[float], float]:
    origins: list[int] = []
    destinations: list[int] = []
    trips: list[float] = []
    within, total, start = 0.0, 0.0, None
    head, body = _parts(path, faults)
    for number, line in body:
        where = f"{path.name} line {number}"
        if line.casefold().startswith("origin"):
            start = finite_number(line[6:])
            if start is None or start != int(start) or not 1 <= start <= (zones or start):
                faults.append(Fault(where, f"{line[:30]!r} names no zone", f"1 to {zones}"))
                start = None
            continue
        for part in filter(None, (piece.strip() for piece in line.split(";"))):
            cells = [finite_number(cell) for cell in part.split(":")]
            if len(cells) != 2 or cells[0] is None or cells[1] is None or cells[1] < 0:
                faults.append(Fault(where, f"{part[:30]!r} is no trip", "destination : trips >= 0;"))
            elif start is None:
                faults.append(Fault(where, "stands below no valid Origin", "put Origin and its zone above"))
            elif cells[0] != int(cells[0]) or not 1 <= cells[0] <= (zones or cells[0]):
                faults.append(Fault(where, f"zone {cells[0]:g} is not in 1 to {zones}", "mend the zone"))
            else:
                total += cells[1]
                if cells[0] == start:
                    within += cells[1]
                elif cells[1] > 0:
                    origins.append(int(start))
                    destinations.append(int(cells[0]))
                    trips.append(cells[1])
    told = finite_number(head.get("TOTAL OD FLOW", ""))
    if told is not None and abs(told - total) > 1e-3 * max(told, 1):
        faults.append(Fault(path.name, f"announces {told:g} trips and holds {total:g}", "is it truncated?"))
    return origins, destinations, trips, within


def _parts(path: Path, faults: list[Fault]) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Header entries by name, and the other lines with their numbers, comments left out."""
    try:
        text = read_text(path)
    except DataError as error:
        faults.extend(error.faults)
        return {}, []
    head: dict[str, str] = {}
    body = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("~")[0].strip()
        found = re.match(r"<([^>]+)>(.*)", line)
        if found:
            head[found[1].strip().upper()] = found[2].strip()
        elif line:
            body.append((number, line))
    return head, body


def _whole(head: dict[str, str], name: str, path: Path, faults: list[Fault]) -> int | None:
    value = finite_number(head.get(name, ""))
    if value is None or value < 1 or value != int(value):
        faults.append(Fault(path.name, f"has no valid <{name}>", "a whole number, 1 or more, in the header"))
        return None
    return int(value)


def _weight(given: float | None, head: dict[str, str], name: str, path: Path, faults: list[Fault]) -> float:
    if given is not None:
        if not np.isfinite(given):
            faults.append(Fault(name.casefold().replace("factor", "weight"), f"is {given}", "give a number"))
            return 0.0
        return given
    value = finite_number(head.get(name) or "0")
    if value is None:
        faults.append(Fault(path.name, f"<{name}> is no number", "mend the header"))
        return 0.0
    return value
