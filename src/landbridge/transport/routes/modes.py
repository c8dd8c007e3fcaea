"""The mode of a route in common terms, and the mode that crosses the border at each end.

multimodal: a ship on the Caspian or the Black Sea between two legs by land. sea: any other route with a
ship, legs by land included. rail: no ship, at least 80 % of the km by rail. road: the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.graph import LAYERS, RAILS, SEA, Graph
from landbridge.world.table import Cell

__all__ = ["MODE_CLASSES", "border_modes", "mode_classes"]

LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Arcs = NDArray[np.integer[Any]]

MODE_CLASSES = ("multimodal", "sea", "rail", "road")
MULTIMODAL, BY_SEA, RAIL, ROAD = range(4)
_RAIL_SHARE = 0.8
_BLOCK_ROUTES = 16384
# The Black Sea with the Bosporus: degrees west, south, east, north.
_BLACK_SEA = (27.0, 40.9, 42.5, 47.5)


def mode_classes(
    graph: Graph, places: Mapping[str, Mapping[str, Cell]], arcs: Arcs, start: LongArray
) -> LongArray:
    """The class of every route, a number into MODE_CLASSES [route].

    graph: of the arcs; arcs [n], start [route + 1]: as in RouteSet. places: rows of the table by identifier.
    The graph of a study also has the places that other scenarios add; they may be absent from places.
    Definitions: head of `landbridge.transport.routes.modes`.
    """
    n, inland = len(start) - 1, _inland(graph, places)
    out = np.empty(n, dtype=np.int64)
    # Some routes at a time, so that no array of the size of all their arcs is made.
    for low in range(0, n, _BLOCK_ROUTES):
        part = start[low : low + _BLOCK_ROUTES + 1]
        out[low : low + _BLOCK_ROUTES] = _classes(graph, inland, arcs[part[0] : part[-1]], part - part[0])
    return out


def _classes(graph: Graph, inland: BoolArray, arcs: Arcs, start: LongArray) -> LongArray:
    """The classes of some routes; inland [arc]."""
    n = len(start) - 1
    haul = np.flatnonzero(graph.link[arcs] >= 0)
    route, arc = np.repeat(np.arange(n), np.diff(start))[haul], arcs[haul].astype(np.int64)
    km = np.bincount(route, weights=graph.length_km[arc], minlength=n)
    rails = np.bincount(route, weights=graph.rail_km[arc], minlength=n)
    found = np.where((km > 0.0) & (rails >= _RAIL_SHARE * km), RAIL, ROAD)
    ship = graph.mode[arc] == SEA
    found[route[ship]] = BY_SEA
    # Legs: consecutive hauls by ship or by land, each of one route.
    change = np.ones(len(arc), dtype=bool)
    change[1:] = (route[1:] != route[:-1]) | (ship[1:] != ship[:-1])
    first = np.flatnonzero(change)
    if len(first):
        whole = np.logical_and.reduceat(inland[arc], first)
        of = route[first]
        before = np.zeros(len(first), dtype=bool)
        before[1:] = of[1:] == of[:-1]
        after = np.zeros(len(first), dtype=bool)
        after[:-1] = of[1:] == of[:-1]
        found[of[ship[first] & whole & before & after]] = MULTIMODAL
    return np.asarray(found, dtype=np.int64)


def _inland(graph: Graph, places: Mapping[str, Mapping[str, Cell]]) -> BoolArray:
    """Ships on the Caspian and those whose ports are both on the Black Sea [arc]."""
    west, south, east, north = _BLACK_SEA
    at = [places.get(name, {}) for name in graph.places]
    lon, lat = (np.array([float(row.get(key) or 0.0) for row in at]) for key in ("lon", "lat"))
    black = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
    return np.asarray(
        graph.caspian_ship | (black[graph.tail // len(LAYERS)] & black[graph.head // len(LAYERS)])
    )


def border_modes(graph: Graph, arcs: Arcs, start: LongArray) -> tuple[LongArray, LongArray]:
    """The mode by which a route leaves the country of its origin and enters that of its destination [route].

    The last time it leaves and the first time it enters: a railway of the country that cuts a corner abroad
    is no border of its trade. Numbers into MODE_CLASSES: rail, road or sea; -1 for a route inside one
    country.
    graph: of the arcs; arcs [n], start [route + 1]: as in RouteSet.
    """
    country = np.unique(np.array(graph.countries), return_inverse=True)[1]
    tail, head = country[graph.tail // len(LAYERS)], country[graph.head // len(LAYERS)]
    by = np.where(np.isin(graph.mode, RAILS), RAIL, np.where(graph.mode == SEA, BY_SEA, ROAD))
    at = np.flatnonzero((tail != head)[arcs])
    route, arc = np.searchsorted(start, at, side="right") - 1, arcs[at]
    leaves = tail[arc] == tail[arcs[start[:-1]]][route]
    enters = (head[arc] == head[arcs[start[1:] - 1]][route])[::-1]
    out, into = np.full(len(start) - 1, -1), np.full(len(start) - 1, -1)
    out[route[leaves]] = by[arc[leaves]]
    into[route[::-1][enters]] = by[arc[::-1][enters]]
    return out, into
