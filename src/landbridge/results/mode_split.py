"""Mode of the freight between two countries, for containers and for bulk.

The mode of a shipment is that of its whole route (`mode_class` of `landbridge route`). Statistics of a
country count what crosses its own border instead: rail to Bandar Abbas and a ship from there is rail for
Uzbekistan. Both are given.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from landbridge.io.cache import fingerprint, read_cached, write_cached
from landbridge.transport import Choice, Graph, RouteSet
from landbridge.transport.routes.lists import arc_type
from landbridge.transport.routes.modes import MODE_CLASSES, border_modes, mode_classes
from landbridge.transport.segments import KINDS
from landbridge.version import version
from landbridge.world import World

__all__ = ["mode_split_rows"]

Rows = list[dict[str, Any]]
FloatArray = NDArray[np.float64]
LongArray = NDArray[np.int64]

# Smaller rows are left out [t].
_LEAST_T = 1.0
# Raise it when a route becomes one of another mode.
_VERSION = 1
# Shared by the base and all cases of a study.
_KEPT: WeakKeyDictionary[RouteSet, _Ways] = WeakKeyDictionary()


class _Ways(NamedTuple):
    """The kinds of routes, the kind of every route, and the lengths [arc] and places for which they hold."""

    ways: list[tuple[Any, ...]]
    of_route: LongArray
    length_km: FloatArray
    places: frozenset[str]


def mode_split_rows(world: World, graph: Graph, choice: Choice, demand_teu: FloatArray) -> Rows:
    """Freight by pair of countries, kind of goods, mode of the route and modes at both borders, per year.

    world, graph, choice: of the case; demand_teu [pair, sector]: TEU a year.
    teu: loaded containers, 0 for bulk. tonnes: all goods. musd: at base prices, the part on the network
    [million USD of 2023].
    Each is the sum over the routes of the pair with these modes.
    """
    routes = choice.base.routes
    kept = _KEPT.get(routes)
    places = frozenset(str(row["place_id"]) for row in world.network["places"])
    # A scenario may change the length of a link, and with it which routes count as rail; it may add a port.
    if kept is None or kept.places != places or not np.array_equal(kept.length_km, graph.length_km):
        _KEPT[routes] = kept = _Ways(*_ways(graph, routes, world), graph.length_km, places)
    ways, at = kept.ways, kept.of_route
    goods = choice.route_goods(demand_teu)
    teu, *rest = (np.bincount(at, weights=column, minlength=len(ways)) for column in goods.T)
    rows: Rows = []
    for k, kind in enumerate(KINDS):
        tonnes, usd = rest[k], rest[2 + k]
        for number in np.flatnonzero(tonnes >= _LEAST_T).tolist():
            exporter, importer, mode, out, into = ways[number]
            rows.append(
                {
                    "exporter": exporter,
                    "importer": importer,
                    "kind": kind,
                    "mode": mode,
                    "mode_border_exporter": out,
                    "mode_border_importer": into,
                    "teu": float(teu[number]) if kind == "container" else 0.0,
                    "tonnes": float(tonnes[number]),
                    "musd": float(usd[number]) / 1e6,
                }
            )
    return rows


def _ways(graph: Graph, routes: RouteSet, world: World) -> tuple[list[tuple[Any, ...]], LongArray]:
    """Exporter, importer, mode, modes at both borders of every kind of route; the kind of each route."""
    region = {str(row["place_id"]): str(row["region"]) for row in world.network["zones"]}
    names = sorted({"", *region.values()})
    number = np.array([names.index(region.get(place, "")) for place in graph.places])
    shown = (names, names, MODE_CLASSES, (None, *MODE_CLASSES), (None, *MODE_CLASSES))
    places = world.network["places"].by("place_id")
    points = [repr([places.get(name, {}).get(key) for key in ("lon", "lat")]) for name in graph.places]
    key = fingerprint(
        f"ways {_VERSION} {version()} {MODE_CLASSES} {graph.countries} {points}",
        routes.fingerprint,
        *(number, routes.origin, routes.destination, routes.pair),
        *(graph.tail, graph.head, graph.mode, graph.link),
        *(graph.length_km, graph.rail_km, graph.caspian_ship),
    )
    kept = read_cached(key) if routes.worth_keeping else None
    if kept is None or set(kept) != {"codes", "at"} or len(kept["at"]) != routes.n_routes:
        mode = mode_classes(graph, places, routes.arcs, routes.start)
        out, into = border_modes(graph, routes.arcs, routes.start)
        # A border that is not crossed has number 0.
        columns = number[routes.origin][routes.pair], number[routes.destination][routes.pair], mode
        codes, at = np.unique(
            np.ravel_multi_index((*columns, out + 1, into + 1), [len(of) for of in shown]),
            return_inverse=True,
        )
        kept = {"codes": codes, "at": at.astype(arc_type(len(codes)))}
        if routes.worth_keeping:
            write_cached(key, kept)
    codes, at = kept["codes"], kept["at"].astype(np.int64)
    found = zip(*(of.tolist() for of in np.unravel_index(codes, [len(of) for of in shown])), strict=True)
    return [tuple(of[n] for of, n in zip(shown, way, strict=True)) for way in found], at
