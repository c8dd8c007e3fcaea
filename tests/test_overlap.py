"""The nests of a link-nested weibit: small examples by hand, that sums never fall, the derivative."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from landbridge.transport.compile import align
from landbridge.transport.graph import Graph
from landbridge.transport.routes.nests import Nests
from landbridge.transport.routes.route_set import RouteSet, generate
from mini_world import ZONES, added, mini_world
from test_choice import nested_by_hand

Array = NDArray[np.float64]


def routes_over(groups: list[list[list[int]]], km: list[float]) -> tuple[RouteSet, Graph]:
    """Routes given by the links they use, in groups of one pair each; link m has arcs 2m and 2m + 1."""
    flat = [r for group in groups for r in group]
    size = [len(group) for group in groups]
    number = np.arange(len(groups), dtype=np.int32)
    start = np.concatenate([[0], np.cumsum([len(r) for r in flat])]).astype(np.int64)
    arcs = np.array(
        [2 * m + (n + k) % 2 for n, r in enumerate(flat) for k, m in enumerate(r)], dtype=np.int32
    )
    routes = RouteSet(
        origin=number,
        destination=number,
        pair=np.repeat(number, size),
        family=np.zeros(len(flat), dtype=np.int32),
        arcs=arcs,
        start=start,
        group_start=np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
        group_pair=number,
        group_family=np.zeros(len(groups), dtype=np.int32),
        n_arcs=2 * len(km),
        serves=np.ones((1, len(flat)), dtype=bool),
        again=np.zeros(len(flat), dtype=bool),
    )
    graph = SimpleNamespace(
        links=tuple(str(m) for m in range(len(km))),
        link=np.repeat(np.arange(len(km), dtype=np.int32), 2),
        length_km=np.repeat(km, 2),
    )
    return routes, cast(Graph, graph)


def total(groups: list[list[list[int]]], km: list[float], weight: list[float]) -> Array:
    nests = Nests.of(*routes_over(groups, km))
    return nests.nested(np.array(weight)[:, None])[0][:, 0]


def test_two_routes_that_share_half_by_hand() -> None:
    nests = Nests.of(*routes_over([[[0, 1], [0, 2]]], [500.0, 500.0, 1500.0]))
    w = np.array([[3.0], [2.0]])
    V, P = nests.nested(w)
    # Link 0 is half of the first and a quarter of the second route.
    inner = (0.5 * 3.0) ** 4 + (0.25 * 2.0) ** 4
    assert V[0, 0] == pytest.approx(inner**0.25 + 0.5 * 3.0 + 0.75 * 2.0, rel=1e-14)
    first = (0.5 * 3.0) ** 4 * inner**-0.75 + 0.5 * 3.0
    assert P[0, 0] == pytest.approx(first / V[0, 0], rel=1e-14)
    assert P.sum() == pytest.approx(1.0, rel=1e-14)


def test_twins_strangers_and_routes_without_length() -> None:
    assert total([[[0, 1], [0, 1]]], [100.0, 50.0], [2.0, 2.0])[0] == pytest.approx(2.0 * 2**0.25, rel=1e-14)
    assert total([[[0], [1]]], [100.0, 50.0], [2.0, 2.0])[0] == pytest.approx(4.0, rel=1e-14)
    assert total([[[0], [0]]], [0.0], [2.0, 3.0])[0] == pytest.approx(5.0, rel=1e-14)
    # Groups do not see each other, and a closed route is not there.
    both = total([[[0], [0]], [[0], [0]]], [7.0], [2.0, 2.0, 2.0, 0.0])
    np.testing.assert_allclose(both, [2.0 * 2**0.25, 2.0], rtol=1e-14)


def test_nothing_open_is_nothing() -> None:
    V, P = Nests.of(*routes_over([[[0], [0, 1]]], [7.0, 3.0])).nested(np.zeros((2, 3)))
    assert (V == 0.0).all() and (P == 0.0).all()


LINKS = 6
ROUTES = st.lists(st.sets(st.integers(0, LINKS - 1), min_size=1), min_size=1, max_size=6)
KM = st.lists(st.floats(1.0, 5000.0), min_size=LINKS, max_size=LINKS)


@settings(max_examples=200, deadline=None)
@given(ROUTES, KM, st.data())
def test_the_sum_never_falls_by_a_weight_or_a_route(
    sets: list[set[int]], km: list[float], data: st.DataObject
) -> None:
    routes = [sorted(s) for s in sets]
    weights = data.draw(st.lists(st.floats(1e-3, 1e3), min_size=len(routes), max_size=len(routes)))
    before = total([routes], km, weights)[0]
    dearer = data.draw(st.integers(0, len(routes) - 1))
    raised = list(weights)
    raised[dearer] *= data.draw(st.floats(1.0, 100.0))
    assert total([routes], km, raised)[0] >= before * (1 - 1e-13)
    new, its = data.draw(st.sets(st.integers(0, LINKS - 1), min_size=1)), data.draw(st.floats(1e-3, 1e3))
    assert total([[*routes, sorted(new)]], km, [*weights, its])[0] >= before * (1 - 1e-13)
    # A closed route is as none at all.
    shut = total([[*routes, sorted(new)]], km, [*weights, 0.0])[0]
    assert shut == pytest.approx(before, rel=1e-13)


@pytest.fixture(scope="module")
def embedded() -> tuple[RouteSet, Graph]:
    # A second, equal line beside the last 900 km, so that some routes are nearly twins.
    link = {"link_id": "R3b", "from_place": "DOS", "to_place": "ALM", "mode": "rail-1520"}
    world = mini_world()
    twin = added(world, "links", {**link, "length_km": 900.0, "speed_kmh": 55.0, "electrified": "yes"})
    graphs = align([twin, world])
    every = np.ones((len(ZONES), len(ZONES)), dtype=bool)
    return generate(graphs[0], ZONES, ZONES, every_family=every), graphs[0]


def test_a_route_set_link_by_link(embedded: tuple[RouteSet, Graph]) -> None:
    routes, graph = embedded
    nests = Nests.of(routes, graph)
    weight = np.random.default_rng(3).uniform(0.1, 10.0, (routes.n_routes, 2))
    weight[::5] = 0.0
    V, P = nests.nested(weight)
    for k in range(2):
        total_, share = nested_by_hand(routes, graph, weight[:, k])
        np.testing.assert_allclose(V[:, k], total_, rtol=1e-12)
        np.testing.assert_allclose(P[:, k], share, rtol=1e-12)
    # Some groups alone are what they are among all.
    chosen = np.flatnonzero(np.arange(len(routes.group_pair)) % 3 == 1)
    mark = np.zeros(len(routes.group_pair), dtype=bool)
    mark[chosen] = True
    part, kept = routes.of_groups(mark)
    for some in (nests.take(chosen), Nests.of(part, graph)):
        few = some.nested(weight[kept])
        np.testing.assert_allclose(few[0], V[chosen], rtol=1e-13)
        np.testing.assert_allclose(few[1], P[kept], rtol=1e-13)


def test_blocks_are_only_a_way_of_counting(
    embedded: tuple[RouteSet, Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    routes, graph = embedded
    weight = np.random.default_rng(4).uniform(0.1, 10.0, (routes.n_routes, 1))
    whole = Nests.of(routes, graph)
    assert len(whole.blocks) == 1
    monkeypatch.setattr("landbridge.transport.routes.nests.BLOCK_ROUTES", 7)
    small = Nests.of(routes, graph)
    assert len(small.blocks) > 10
    for one, two in zip(whole.nested(weight), small.nested(weight), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-14)


def test_the_derivative_of_the_shares(embedded: tuple[RouteSet, Graph]) -> None:
    routes, graph = embedded
    nests = Nests.of(routes, graph)
    rng = np.random.default_rng(5)
    log = rng.normal(0.0, 0.3, (routes.n_routes, 1))
    log[::7] = -np.inf
    du, bar = rng.normal(size=log.shape), rng.normal(size=log.shape)

    def shares(step: float) -> Any:
        return nests.nested(np.exp(log + step * du))

    V, P = shares(0.0)
    h = 1e-5
    up, down = shares(h), shares(-h)
    np.testing.assert_allclose(nests.turn(np.exp(log), du), (up[1] - down[1]) / (2 * h), rtol=1e-6, atol=1e-9)
    # The slope of ln V is P, and J is symmetric.
    mean = np.add.reduceat(P * du, routes.group_start[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = (np.log(up[0]) - np.log(down[0])) / (2 * h)
    np.testing.assert_allclose(mean, np.where(V > 0.0, moved, 0.0), rtol=1e-6, atol=1e-9)
    one = (bar * nests.turn(np.exp(log), du)).sum()
    assert one == pytest.approx((du * nests.turn(np.exp(log), bar)).sum(), rel=1e-12)


@pytest.mark.parametrize("size", [7, 4096])
def test_groups_put_into_the_nests_of_others(
    embedded: tuple[RouteSet, Graph], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Nests of which some groups are made anew are those made in one go."""
    routes, graph = embedded
    monkeypatch.setattr("landbridge.transport.routes.nests.BLOCK_ROUTES", size)
    whole = Nests.of(routes, graph)
    mine = np.random.default_rng(3).random(len(routes.group_pair)) < 0.2
    fresh = Nests.of(routes.of_groups(mine)[0], graph)
    found = whole.take(np.flatnonzero(~mine)).patched(routes.group_pair, np.flatnonzero(mine), fresh)
    weight = np.random.default_rng(4).random((routes.n_routes, 2))
    for one, two in zip(found.nested(weight), whole.nested(weight), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)
    np.testing.assert_array_equal(found.group_start, whole.group_start)
