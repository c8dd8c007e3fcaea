"""Shared parts of all cases of a study: graphs of the Worlds, routes that serve all of them, their nests."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.transport import (
    Graph,
    Queues,
    RouteSet,
    Segments,
    carried,
    freight_segments,
    generate,
    keeps_every_family,
)
from landbridge.transport.choice.delayed import passes
from landbridge.transport.routes.base_set import (
    align_with_base,
    keep_base,
    keep_case,
    kept_nests,
    known_base,
    known_case,
)
from landbridge.transport.routes.nests import Nests
from landbridge.transport.routes.route_set import Keep
from landbridge.world import World

__all__ = ["PairsAsked", "Prepared", "differs"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PairsAsked:
    """The pairs of places for which a World's trade and its reported corridors need routes.

    zones: region by place. regions: region by place, zones first. wanted, every_family [origin,
    destination]: pairs to serve, and those that keep every corridor family, over `places`.
    """

    zones: dict[str, str]
    regions: dict[str, str]
    wanted: BoolArray
    every_family: BoolArray

    @property
    def places(self) -> list[str]:
        """Identifiers of all places, zones first."""
        return list(self.regions)

    @staticmethod
    def of(world: World) -> PairsAsked:
        """Zones of different regions with trade on the network, and the corridors.

        world: the base.
        """
        zones = {str(row["place_id"]): str(row["region"]) for row in world.network["zones"]}
        corridors = [(str(r["from_place"]), str(r["to_place"])) for r in world.network["corridors"]]
        places = list(dict.fromkeys([*zones, *(p for pair in corridors for p in pair)]))
        known = world.network["places"].by("place_id")
        regions = {p: str(known[p]["region"] or "") for p in places}
        at = {place: number for number, place in enumerate(places)}
        zone_region = np.array([zones.get(p, "") for p in places])
        both = (zone_region[:, None] != "") & (zone_region[None, :] != "")
        wanted = both & (zone_region[:, None] != zone_region[None, :])
        wanted &= carried(world, list(zone_region), list(zone_region))
        for start, end in corridors:
            wanted[at[start], at[end]] = True
        listed = list(regions.values())
        return PairsAsked(zones, regions, wanted, keeps_every_family(world, listed, listed))


def differs(one: Graph, other: Graph) -> str:
    """What keeps the routes of one graph from being those of another; empty where only numbers differ.

    one, other: graphs of two Worlds.
    """
    if one.places != other.places:
        return "places"
    parts = ("tail", "head", "available", "govern_arc", "govern_gateway")
    return next((name for name in parts if not np.array_equal(getattr(one, name), getattr(other, name))), "")


class Prepared:
    """Shared parts of all cases of a study: aligned graphs, the union of route sets, zones.

    worlds: of bases and cases, the first of which gives the zones and the pairs of zones asked for.
    """

    def __init__(self, worlds: Sequence[World]) -> None:
        world = worlds[0]
        self.worlds = list(worlds)
        self.graphs: list[Graph]
        self.graphs, locked = align_with_base(worlds)
        asked = PairsAsked.of(world)
        self.zones, self.regions = asked.zones, asked.regions
        bans = {n: w.policy.no_transit for n, w in enumerate(worlds) if w.policy.no_transit}
        graphs = list(self.graphs)
        # Sectors with a ban of their own search as a graph of their own, so that routes kept for them do not
        # serve the others: (sectors, countries, number of that graph), by number of the World.
        self.restricted: dict[int, list[tuple[frozenset[str], frozenset[str], int]]] = {}
        for n, w in enumerate(worlds):
            for countries in dict.fromkeys(w.policy.no_transit_of.values()):
                sectors = frozenset(s for s, c in w.policy.no_transit_of.items() if c == countries)
                barred = countries | w.policy.no_transit
                self.restricted.setdefault(n, []).append((sectors, barred, len(graphs)))
                bans[len(graphs)] = barred
                graphs.append(self.graphs[n])
        self.routes: RouteSet = generate(
            graphs,
            asked.places,
            asked.places,
            asked.wanted,
            every_family=asked.every_family,
            detour=world.parameter("detour_max"),
            no_transit=bans,
            locked=locked,
            known=known_base,
            known_case=known_case,
            keep=Keep(keep_base, keep_case),
        )
        self._passes: dict[bytes, Any] = {}

    def under(self, worlds: Sequence[World]) -> Prepared:
        """The same routes under Worlds whose numbers differ: new hours and money, no new search.

        worlds: as many as here, in the same order, with the same places, links, gateways and transit bans.
        Raises ValueError where an arc is another or is open elsewhere only.
        """
        graphs, _ = align_with_base(worlds)
        for mine, new in zip(self.graphs, graphs, strict=False):
            other = differs(mine, new)
            if other:
                raise ValueError(f"the graphs differ in {other}: the routes are of another network")
        _ = self.nests  # made once, for all
        beside = copy(self)
        beside.worlds, beside.graphs = list(worlds), graphs
        # Of its own, so that what cases add is freed with them.
        beside._passes = dict(self._passes)
        return beside

    def number(self, world: World) -> int:
        """The number of a World's graph in this study.

        world: one of the study.
        """
        for number, known in enumerate(self.worlds):
            if known is world:
                return number
        return next(n for n, known in enumerate(self.worlds) if known.hash == world.hash)

    def classes(self, world: World) -> Segments:
        """Segments of every pair of the route set, from the tables of one World.

        world: one of the study.
        """
        names = self.graphs[0].places
        ends = [
            [self.regions[names[p]] for p in side] for side in (self.routes.origin, self.routes.destination)
        ]
        return freight_segments(world, ends[0], ends[1])

    @cached_property
    def nests(self) -> Nests:
        """Overlap of the routes, by lengths of the base graph: the same for all cases."""
        return kept_nests(self.routes, self.graphs[0])

    def passes(self, queues: Queues) -> Any:
        """Which routes pass which queues, by product [route, q]; shared by cases with the same gateways."""
        key = queues.gateway.tobytes()
        if key not in self._passes:
            self._passes[key] = passes(self.routes, self.graphs[0], queues)
        return self._passes[key]
