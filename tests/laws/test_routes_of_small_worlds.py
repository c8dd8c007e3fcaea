"""The laws of choice on small Worlds with hours, lengths and rates at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from landbridge.transport import BaseChoice, Choice, Graph, RouteSet, freight_segments, pivot, solve_base
from landbridge.transport.compile import align
from landbridge.transport.routes.families import FAMILIES
from landbridge.transport.routes.nests import Nests
from landbridge.transport.routes.route_set import generate
from landbridge.world import World
from mini_world import ZONES, added, changed, mini_world, table

_TINY = 1e-9


def shaken(seed: int) -> World:
    """The small World with every length, speed and rate drawn anew."""
    rng = np.random.default_rng(seed)
    world = mini_world()
    rows = [
        {**row, "length_km": float(row["length_km"] or 0.0) * rng.uniform(0.4, 2.0),
         "speed_kmh": float(row["speed_kmh"] or 40.0) * rng.uniform(0.5, 1.6)}
        for row in world.network["links"]
    ]  # fmt: skip
    rates = [
        {**row, "usd_per_teu_km": float(row["usd_per_teu_km"] or 0.0) * rng.uniform(0.5, 2.0)}
        for row in world.network["rates"]
    ]
    return world.with_network(links=table("links", rows), rates=table("rates", rates))


class Solved:
    """A base and some changes of it, on one set of routes."""

    def __init__(self, worlds: Sequence[World]) -> None:
        self.graphs: list[Graph] = align(worlds)
        self.routes: RouteSet = generate(self.graphs, ZONES, ZONES)
        region = {str(r["place_id"]): str(r["region"] or "") for r in worlds[0].network["places"]}
        names = self.graphs[0].places
        ends = [[region[names[p]] for p in side] for side in (self.routes.origin, self.routes.destination)]
        classes = freight_segments(worlds[0], ends[0], ends[1])
        graph = self.graphs[0]
        nests = Nests.of(self.routes, graph)
        sums = self.routes.sums(graph)
        self.base: BaseChoice = solve_base(self.routes, classes, sums, self.routes.available(graph), nests)

    def after(self, number: int) -> Choice:
        graph, routes = self.graphs[number], self.routes
        open_ = routes.available(graph, number)
        return pivot(self.base, routes.sums(graph), open_, again=routes.searched_again(number))


def moved(before: NDArray[np.float64], after: NDArray[np.float64]) -> tuple[float, float]:
    """Least and largest cost after over before, of pairs that have a way in both."""
    both = np.isfinite(before) & np.isfinite(after)
    ratio = after[both] / before[both]
    return float(ratio.min()), float(ratio.max())


@pytest.mark.parametrize("seed", range(3))
def test_closing_any_gateway_or_link_lowers_the_cost_of_no_pair(seed: int) -> None:
    world = shaken(seed)
    shut = [changed(world, "gateways", "gateway_id", str(row["gateway_id"]), status="closed")
            for row in world.network["gateways"]]  # fmt: skip
    shut += [changed(world, "links", "link_id", str(row["link_id"]), status="closed")
             for row in world.network["links"] if row["status"] == "open"]  # fmt: skip
    solved = Solved([world, *shut])
    raised = 0
    for number in range(1, len(shut) + 1):
        low, high = moved(solved.base.cost, solved.after(number).cost)
        assert low >= 1 - _TINY, shut[number - 1]
        raised += high > 1.001
    assert raised > 10


@pytest.mark.parametrize("seed", range(6))
def test_adding_a_link_raises_the_cost_of_no_pair_and_has_one_answer(seed: int) -> None:
    world = shaken(seed)
    rng = np.random.default_rng(100 + seed)
    start, end = rng.choice(["XIA", "ALM", "MOS", "BER", "AKT", "BAK", "IST", "MHD"], 2, replace=False)
    line = {"link_id": "NEW", "from_place": start, "to_place": end, "mode": "rail-1520"}
    more = added(world, "links", {**line, "length_km": 900.0, "speed_kmh": 60.0})
    opened = changed(world, "links", "link_id", "R20", status="open")
    solved = Solved([world, more, opened])
    for number in (1, 2):
        assert moved(solved.base.cost, solved.after(number).cost)[1] <= 1 + _TINY
    # Entered in the tables, with the World as it was for a locked base, the line gives the same routes.
    graphs = align([world, more])
    edited = generate(graphs[1], ZONES, ZONES, locked=graphs[0].available)
    graph, routes = solved.graphs[1], solved.routes
    one = keys(routes, graph, routes.available(graph, 1))
    two = keys(edited, graphs[1], edited.available(graphs[1]))
    assert one == two


def keys(routes: RouteSet, graph: Graph, open_: NDArray[np.bool_]) -> set[tuple[object, ...]]:
    out = set()
    for r in np.flatnonzero(open_).tolist():
        arcs = routes.arcs[routes.start[r] : routes.start[r + 1]]
        links = tuple(graph.links[x] for x in graph.link[arcs] if x >= 0)
        states = tuple(graph.tail[arcs].tolist())
        out.add((int(routes.pair[r]), FAMILIES[routes.family[r]], links, states))
    return out
