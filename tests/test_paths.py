"""Route sets: families, closures, detours, sums and their transpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from landbridge.transport import heap
from landbridge.transport.compile import align, compile_graph
from landbridge.transport.graph import GATE_IN, GATE_OUT, LAYERS, Graph
from landbridge.transport.routes import grow as search_grow
from landbridge.transport.routes import search
from landbridge.transport.routes.route_set import FAMILIES, RouteSet, arc_type, generate
from landbridge.world import World
from mini_world import ZONES, changed, mini_world


@pytest.fixture(scope="module")
def world() -> World:
    return mini_world()


@pytest.fixture(scope="module")
def graph(world: World) -> Graph:
    return compile_graph(world)


@pytest.fixture(scope="module")
def routes(graph: Graph) -> RouteSet:
    everything = np.ones((len(ZONES), len(ZONES)), dtype=bool)
    return generate(graph, ZONES, ZONES, every_family=everything)


def pair(graph: Graph, routes: RouteSet, origin: str, destination: str) -> int:
    found = (routes.origin == graph.place_number[origin]) & (
        routes.destination == graph.place_number[destination]
    )
    return int(np.flatnonzero(found)[0])


def arcs_of(routes: RouteSet, route: int) -> np.ndarray:
    return routes.arcs[routes.start[route] : routes.start[route + 1]]


def families(graph: Graph, routes: RouteSet, origin: str, destination: str) -> set[str]:
    found = routes.routes_of(pair(graph, routes, origin, destination))
    return {FAMILIES[routes.family[r]] for r in found}


def test_routes_run_from_gate_to_gate_without_seeing_a_place_twice(graph: Graph, routes: RouteSet) -> None:
    for r in range(routes.n_routes):
        arcs = arcs_of(routes, r)
        q = routes.pair[r]
        assert graph.tail[arcs[0]] == routes.origin[q] * len(LAYERS) + GATE_OUT
        assert graph.head[arcs[-1]] == routes.destination[q] * len(LAYERS) + GATE_IN
        np.testing.assert_array_equal(graph.head[arcs[:-1]], graph.tail[arcs[1:]])
        places = graph.head[arcs] // len(LAYERS)
        visits = places[np.concatenate([[True], places[1:] != places[:-1]])]
        assert len(set(visits.tolist())) == len(visits)


def test_all_families_are_found(graph: Graph, routes: RouteSet) -> None:
    # Beside the corridors the cheapest way of all where it mixes rails and trucks: `other`.
    corridors = families(graph, routes, "XIA", "BER") - {"other"}
    assert corridors == {"northern", "trans-caspian", "southern", "road", "sea"}
    assert {"northern", "trans-caspian", "southern", "sea"} <= families(graph, routes, "BER", "ALM")
    assert "sea" in families(graph, routes, "IST", "SHA")


def test_no_route_stands_twice(graph: Graph, routes: RouteSet) -> None:
    seen = {(int(routes.pair[r]), arcs_of(routes, r).tobytes()) for r in range(routes.n_routes)}
    assert len(seen) == routes.n_routes


def test_rival_borders_are_both_in_the_set(graph: Graph, routes: RouteSet) -> None:
    names = set()
    for r in routes.routes_of(pair(graph, routes, "XIA", "MOS")):
        if FAMILIES[routes.family[r]] == "northern":
            names |= {graph.gateways[g] for g in graph.gateway[arcs_of(routes, r)] if g >= 0}
    assert {"ala-dos", "kho-alm"} <= names


def test_opposite_directions_agree_on_the_family(graph: Graph, routes: RouteSet) -> None:
    for origin, destination in (("XIA", "BER"), ("SHA", "IST"), ("ALM", "RTM")):
        there, back = (pair(graph, routes, a, b) for a, b in ((origin, destination), (destination, origin)))
        one = {(tuple(arcs_of(routes, r).tolist()), int(routes.family[r])) for r in routes.routes_of(there)}
        two = {
            (tuple(graph.reverse[arcs_of(routes, r)][::-1].tolist()), int(routes.family[r]))
            for r in routes.routes_of(back)
        }
        assert one == two


def test_least_cost_route_is_in_the_set(graph: Graph, routes: RouteSet) -> None:
    for product, per_hour in ((0, 0.2), (0, 8.0), (0, 40.0), (1, 8.0)):
        cost = graph.cost_usd[:, product] + per_hour * graph.time_h[:, product]
        least = shortest(graph, cost)
        found = routes.over_arcs(cost[:, None])[:, 0]
        for q in range(routes.n_pairs):
            best = min(found[r] for r in routes.routes_of(q))
            exact = least[
                routes.origin[q] * len(LAYERS) + GATE_OUT, routes.destination[q] * len(LAYERS) + GATE_IN
            ]
            assert best == pytest.approx(exact, rel=1e-9)


def shortest(graph: Graph, cost: np.ndarray) -> np.ndarray:
    order = np.lexsort((cost, graph.head, graph.tail))
    order = order[graph.available[order]]
    tail, head = graph.tail[order], graph.head[order]
    first = np.concatenate([[True], (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])])
    shape = (graph.n_states, graph.n_states)
    matrix = csr_matrix((cost[order[first]], (tail[first], head[first])), shape=shape)
    return np.asarray(dijkstra(matrix))


def test_closed_link_makes_its_routes_unavailable(world: World, graph: Graph, routes: RouteSet) -> None:
    shut = compile_graph(changed(world, "gateways", "gateway_id", "kho-alm", status="closed"))
    assert routes.available(graph).all()
    gone = ~routes.available(shut)
    post = graph.gateways.index("kho-alm")
    through = np.array([(graph.gateway[arcs_of(routes, r)] == post).any() for r in range(routes.n_routes)])
    np.testing.assert_array_equal(gone, through)


def test_union_serves_base_and_scenario(world: World) -> None:
    graphs = align([world, changed(world, "links", "link_id", "R20", status="open")])
    both = generate(graphs, ("XIA", "SHA"), ("ALM", "BER"))
    fresh = both.available(graphs[1], 1) & ~both.available(graphs[0])
    assert fresh.any()
    alone = generate(graphs[0], ("XIA", "SHA"), ("ALM", "BER"))
    known = {(int(both.pair[r]), arcs_of(both, r).tobytes()) for r in range(both.n_routes)}
    assert {(int(alone.pair[r]), arcs_of(alone, r).tobytes()) for r in range(alone.n_routes)} <= known


def test_scenario_that_closes_everything_known_finds_the_rest(world: World) -> None:
    cut = changed(world, "gateways", "gateway_id", "alm-mos", status="closed")
    cut = changed(cut, "links", "link_id", "D3", status="closed")
    graphs = align([world, cut])
    both = generate(graphs, ("XIA",), ("BER",), every_family=np.ones((1, 1), dtype=bool))
    open_families = {FAMILIES[f] for f in both.family[both.available(graphs[1], 1)]}
    assert "northern" not in open_families
    assert {"trans-caspian", "southern", "sea"} <= open_families


def test_a_case_that_keeps_the_ban_of_its_base_holds_no_way_round_it_twice(world: World) -> None:
    cut, ban = changed(world, "gateways", "gateway_id", "aktau", status="closed"), frozenset(["TUR"])
    places = [str(row["place_id"]) for row in world.network["zones"]]
    routes = generate(align([world, cut]), places, places, no_transit={0: ban, 1: ban})
    served = [
        (int(routes.pair[r]), int(routes.family[r]), arcs_of(routes, r).tobytes())
        for r in np.flatnonzero(routes.serves[1])
    ]
    assert len(served) == len(set(served))


def test_wanted_pairs_and_pairs_without_a_route(world: World) -> None:
    shut = world
    for link in ("R16", "S3", "S4", "S5"):
        shut = changed(shut, "links", "link_id", link, status="closed")
    graph = compile_graph(shut)
    wanted = np.array([[True, False], [True, True]])
    routes = generate(graph, ("SHA", "XIA"), ("BER", "MOS"), wanted)
    assert routes.n_pairs == 3
    assert not len(routes.routes_of(0))
    assert len(routes.routes_of(1))


def test_sums_and_their_transpose(graph: Graph, routes: RouteSet) -> None:
    sums = routes.sums(graph)
    for r in range(0, routes.n_routes, 17):
        arcs = arcs_of(routes, r)
        for p in (0, 1):
            assert sums.time_h[p, r] == pytest.approx(graph.time_h[arcs, p].sum(), rel=1e-12)
            assert sums.cost_usd[p, r] == pytest.approx(graph.cost_usd[arcs, p].sum(), rel=1e-12)
            assert sums.bulk_usd[p, r] == pytest.approx(graph.bulk_usd[arcs, p].sum(), rel=1e-12)
            assert sums.variance_h2[p, r] == pytest.approx(graph.variance_h2[arcs, p].sum(), rel=1e-12)
            assert sums.co2e_kg[p, r] == pytest.approx(graph.co2e_kg[arcs, p].sum(), rel=1e-12)
    rng = np.random.default_rng(1)
    x, y = rng.random((graph.n_arcs, 3)), rng.random((routes.n_routes, 3))
    assert (routes.over_arcs(x) * y).sum() == pytest.approx((routes.to_arcs(y) * x).sum(), rel=1e-12)


def test_gateways_of_routes(graph: Graph, routes: RouteSet) -> None:
    route, gateway = routes.through(graph)
    for r in range(0, routes.n_routes, 11):
        expected = set()
        for k in np.flatnonzero(np.isin(graph.govern_arc, arcs_of(routes, r)) & graph.govern_counted):
            expected.add(int(graph.govern_gateway[k]))
        assert set(gateway[route == r].tolist()) == expected


def test_absurd_families_go_unless_asked_for(graph: Graph, routes: RouteSet) -> None:
    assert "southern" in families(graph, routes, "MOS", "BER")
    plain = generate(graph, ZONES, ZONES)
    assert "southern" not in families(graph, plain, "MOS", "BER")


def test_same_bytes_twice(graph: Graph) -> None:
    one, two = (generate(graph, ZONES, ZONES) for _ in range(2))
    for name in ("pair", "family", "arcs", "start", "group_start"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()


def test_arcs_take_two_bytes_where_they_can(graph: Graph, routes: RouteSet) -> None:
    assert routes.arcs.dtype == arc_type(graph.n_arcs) == np.uint16
    assert arc_type(2**16) == np.uint16 and arc_type(2**16 + 1) == np.int32


def test_sums_known_are_those_made_anew(graph: Graph, routes: RouteSet) -> None:
    known = routes.sums(graph)
    dearer = replace(graph, cost_usd=graph.cost_usd + 1.0)
    found, fresh = routes.sums(dearer, (graph, known)), routes.sums(dearer)
    assert found.time_h is known.time_h
    for name in ("time_h", "cost_usd", "co2e_kg", "variance_h2", "bulk_usd"):
        np.testing.assert_array_equal(getattr(found, name), getattr(fresh, name))


@pytest.mark.parametrize("seed", range(6))
def test_compiled_trees_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, roots = 200, np.array([3, 50, 51, 120, 199])
    dense = np.where(rng.random((n, n)) < 0.02, rng.uniform(0.1, 9.0, (n, n)), 0.0)
    dense[rng.integers(0, n, 20)] = 0.0
    edges = csr_matrix(dense)
    # Arcs that are shut have an infinite cost.
    edges.data[rng.random(edges.nnz) < 0.05] = np.inf
    for most in (np.inf, 12.0):
        known, came = dijkstra(edges, indices=roots, return_predecessors=True, limit=most)
        assert np.isinf(known).any() and np.isfinite(known).sum() > 30
        distance, before = search._grown(search_grow.grow, edges, roots, most, None)
        np.testing.assert_array_equal(distance, known)
        np.testing.assert_array_equal(before, came)
        # Asked for some nodes alone, some twice, none from the second root: those are final, with their ways.
        tree, ends = rng.choice([0, 2, 3, 4], 30), rng.integers(0, n, 30)
        distance, before = search._grown(search_grow.grow, edges, roots, most, (tree, ends))
        np.testing.assert_array_equal(distance[tree, ends], known[tree, ends])
        for at in np.flatnonzero(np.isfinite(known[tree, ends])):
            row, node = tree[at], ends[at]
            while node >= 0:
                assert before[row, node] == came[row, node]
                node = before[row, node]


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "compiled if numba is installed"])
def test_a_heap_gives_the_least_first(plain: bool) -> None:
    push, pop = (getattr(f, "py_func", f) if plain else f for f in (heap.push, heap.pop))
    rng = np.random.default_rng(4)
    key, item, size = np.empty(300), np.empty(300, dtype=np.int64), 0
    within: list[tuple[float, int]] = []
    for n in range(900):
        if size == 0 or (size < 300 and rng.random() < 0.6):
            # Few keys, so that many are equal.
            within.append((float(rng.integers(0, 9)), n))
            push(key, item, size, *within[-1])
            size += 1
        else:
            least = float(key[0]), int(item[0])
            assert least in within and least[0] == min(within)[0]
            within.remove(least)
            pop(key, item, size)
            size -= 1
    assert len(within) == size > 100


def test_the_search_is_the_same_with_compiled_trees(
    graph: Graph, routes: RouteSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    def counted(*words: object) -> object:
        used.append(words)
        return known(*words)

    known = search._grown
    monkeypatch.setattr(search, "_WORTH_COMPILED", 0)
    monkeypatch.setattr(search, "loop", lambda name: search_grow)
    monkeypatch.setattr(search, "_grown", counted)
    everything = np.ones((len(ZONES), len(ZONES)), dtype=bool)
    again = generate(graph, ZONES, ZONES, every_family=everything)
    assert used
    for name in ("arcs", "start", "pair", "family"):
        np.testing.assert_array_equal(getattr(again, name), getattr(routes, name))
