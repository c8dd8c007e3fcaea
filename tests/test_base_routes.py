"""The base set of routes that ships: accepted for its own network only, and found again by the search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from landbridge.io.tables import load_world
from landbridge.model.prepared import PairsAsked
from landbridge.transport.compile import align, compile_graph
from landbridge.transport.graph import GATE_IN, GATE_OUT, LAYERS, Graph
from landbridge.transport.routes.base_set import stored_base
from landbridge.transport.routes.candidates import Search
from landbridge.transport.routes.families import Labels
from landbridge.transport.routes.search import BLENDS, Network, Pairs
from landbridge.world import World
from mini_world import added, changed, mini_world


def asked(graph: Graph, world: World) -> Pairs:
    of = PairsAsked.of(world)
    return Pairs(graph, of.places, of.places, of.wanted, of.every_family)


@pytest.fixture(scope="module")
def world() -> World:
    return load_world()


@pytest.fixture(scope="module")
def graph(world: World) -> Graph:
    return compile_graph(world)


@pytest.fixture(scope="module")
def pairs(graph: Graph, world: World) -> Pairs:
    return asked(graph, world)


def test_the_shipped_set_is_that_of_the_embedded_network(graph: Graph, pairs: Pairs) -> None:
    kept = stored_base(graph, pairs)
    assert kept is not None
    np.testing.assert_array_equal(np.unique(kept.pair), np.arange(len(pairs)))
    # Every route runs from the eastern to the western end of its pair over open arcs, without a gap.
    assert graph.available[kept.arcs].all()
    tail, head = graph.tail[kept.arcs], graph.head[kept.arcs]
    np.testing.assert_array_equal(tail[kept.start[:-1]], pairs.east[kept.pair] * len(LAYERS) + GATE_OUT)
    np.testing.assert_array_equal(head[kept.start[1:] - 1], pairs.west[kept.pair] * len(LAYERS) + GATE_IN)
    inside = np.ones(len(kept.arcs), dtype=bool)
    inside[kept.start[:-1]] = False
    np.testing.assert_array_equal(tail[inside], head[np.flatnonzero(inside) - 1])


def test_no_route_is_held_twice(graph: Graph, pairs: Pairs) -> None:
    """Of routes that cost the same at every blend one is kept, as with the gauge changed on either side.

    Two would count as a choice between two ways, and make the pair cheaper than it is.
    """
    kept = stored_base(graph, pairs)
    assert kept is not None
    net = Network(graph, pairs, Labels.of(graph))
    costs = np.array([np.add.reduceat(net.cost(blend)[kept.arcs], kept.start[:-1]) for blend in BLENDS])
    # What no arc may cost less than is below 1e-5 USD over a whole route.
    rows = np.vstack([kept.pair, kept.family, np.round(costs, 4)])
    ordered = rows[:, np.lexsort(rows)]
    assert not (ordered[:, 1:] == ordered[:, :-1]).all(axis=0).any()


def test_beside_a_scenario_its_routes_lead_over_the_same_arcs(
    graph: Graph, pairs: Pairs, world: World
) -> None:
    """What a scenario builds has arcs in the graph of the base too, those at a new gauge even open ones."""
    link = {"link_id": "NEW", "from_place": "KHG", "to_place": "OSS", "mode": "rail-1435"}
    built = {**link, "length_km": 300.0, "status": "open", "speed_kmh": 60.0, "electrified": "no"}
    place = {"place_id": "NEWP", "name": "Irkeshtam", "country": "KGZ", "lon": 73.9, "lat": 39.7}
    further = {**built, "link_id": "NEW2", "from_place": "OSS", "to_place": "NEWP", "mode": "road"}
    project = added(added(world, "places", place), "links", built, further)
    both = align([world, project])[0]
    assert both.available.sum() > graph.available.sum()
    alone, beside = stored_base(graph, pairs), stored_base(both, asked(both, world))
    assert alone is not None and beside is not None
    np.testing.assert_array_equal(alone.start, beside.start)
    assert not np.array_equal(alone.arcs, beside.arcs)
    for values in ("cost_usd", "time_h", "length_km"):
        np.testing.assert_array_equal(getattr(graph, values)[alone.arcs], getattr(both, values)[beside.arcs])


def test_fewer_pairs_and_pairs_that_it_does_not_hold(graph: Graph, pairs: Pairs) -> None:
    some = np.flatnonzero(~pairs.every_family)[[3, 50]]
    names = [(graph.places[pairs.east[q]], graph.places[pairs.west[q]]) for q in some]
    few = Pairs(graph, [a for a, _ in names], [b for _, b in names], np.eye(2, dtype=bool), None)
    whole, found = stored_base(graph, pairs), stored_base(graph, few)
    assert whole is not None and found is not None
    assert len(found.pair) == np.isin(whole.pair, some).sum()
    # With every family, or between a place and a border post, it cannot say.
    every = Pairs(graph, [names[0][0]], [names[0][1]], None, np.ones((1, 1), dtype=bool))
    assert stored_base(graph, every) is None
    assert stored_base(graph, Pairs(graph, [names[0][0]], ["DOS"], None, None)) is None


@pytest.mark.parametrize("column", ["cost_usd", "time_h", "length_km"])
def test_one_changed_number_refuses_it(graph: Graph, pairs: Pairs, column: str) -> None:
    values = getattr(graph, column).copy()
    used = graph.available & (values.reshape(graph.n_arcs, -1)[:, 0] > 0.0)
    values[np.flatnonzero(used)[100]] *= 1.0 + 1e-6
    assert stored_base(replace(graph, **{column: values}), pairs) is None


def test_a_closed_link_and_another_network_refuse_it(world: World) -> None:
    shut = changed(world, "gateways", "gateway_id", "khorgos-altynkol", status="closed")
    for other in (shut, mini_world()):
        graph = compile_graph(other)
        pairs = asked(graph, world) if other is shut else Pairs(graph, ["XIA"], ["BER"], None, None)
        assert stored_base(graph, pairs) is None


@pytest.mark.slow
def test_the_search_finds_the_shipped_set_again(graph: Graph, pairs: Pairs) -> None:
    kept, found = stored_base(graph, pairs), Search(graph, pairs, Labels.of(graph)).base()
    assert kept is not None
    found = found.only(np.lexsort((np.arange(len(found.pair)), found.family, found.pair)))
    for array in ("pair", "family", "start", "arcs"):
        np.testing.assert_array_equal(getattr(kept, array), getattr(found, array), err_msg=array)
