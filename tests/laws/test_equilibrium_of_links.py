"""Laws of assignment on drawn networks of parallel links: shares, scale, and the flows that balance."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.transport import assign
from landbridge.world.road_network import Demand, Network

costs = st.lists(st.floats(0.5, 5.0), min_size=1, max_size=5)
trips = Demand(np.array([1]), np.array([2]), np.array([10.0]))


def parallel(time: list[float], b: float, scale: float = 1.0) -> Network:
    size = len(time)
    one, none = np.ones(size), np.zeros(size)
    ends = np.full(size, 1, np.int64), np.full(size, 2, np.int64)
    return Network(2, 2, *ends, 4 * one, scale * np.array(time), b * one, 4 * one, one, none, none)


@settings(max_examples=30, deadline=None)
@given(costs, st.floats(0.5, 40.0))
def test_weibit_of_free_links_is_the_closed_form(time: list[float], phi: float) -> None:
    """Of the paths that were found; a link far too dear may not be among them, the cheapest always is."""
    found = assign(parallel(time, 0.0), trips, model="weibit", phi=phi)
    used = np.array([path[0] for path in found.path_links])
    weight = np.array(time)[used] ** -phi
    np.testing.assert_allclose(found.flow[used], 10 * weight / weight.sum(), rtol=1e-9)
    assert min(time) == np.array(time)[used].min()


@settings(max_examples=30, deadline=None)
@given(costs, st.floats(0.0, 2.0), st.floats(0.01, 100.0))
def test_weibit_knows_ratios_only(time: list[float], b: float, scale: float) -> None:
    """All costs times a number: the same flows (what logit would not give)."""
    one = assign(parallel(time, b), trips, model="weibit")
    other = assign(parallel(time, b, scale), trips, model="weibit")
    np.testing.assert_allclose(other.flow, one.flow, rtol=1e-5, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(costs, st.floats(0.1, 2.0))
def test_both_carry_the_demand_and_weibit_costs_no_less(time: list[float], b: float) -> None:
    net = parallel(time, b)
    least = assign(net, trips)
    spread = assign(net, trips, model="weibit")
    for found in (least, spread):
        assert abs(found.flow.sum() - 10) < 1e-9 and found.flow.min() >= 0
    assert spread.objective >= least.objective * (1 - 1e-7)


# Zones 1 to 3 around nodes 4 to 6: every pair has several paths, and they share links.
ENDS = [(1, 4), (1, 5), (2, 4), (2, 6), (4, 5), (5, 4), (5, 6), (6, 5), (4, 6), (5, 3), (6, 3), (4, 3)]
PAIRS = np.array([1, 2]), np.array([3, 3])
link_numbers = st.lists(st.floats(0.5, 5.0), min_size=len(ENDS), max_size=len(ENDS))
volumes = st.tuples(st.floats(0.1, 20.0), st.floats(0.1, 20.0))


def meshed(time: list[float], capacity: list[float]) -> Network:
    one, none = np.ones(len(ENDS)), np.zeros(len(ENDS))
    tail, head = np.array(ENDS, np.int64).T
    return Network(6, 3, tail, head, np.array(capacity), np.array(time), one, 2 * one, one, none, none, 4)


@settings(max_examples=30, deadline=None)
@given(link_numbers, link_numbers, volumes, volumes)
def test_costs_of_pairs_are_monotone_in_demand(
    time: list[float], capacity: list[float], one: tuple[float, float], other: tuple[float, float]
) -> None:
    """(u(q') - u(q)) (q' - q) >= 0: u is the gradient of the least Beckmann sum, convex in q.

    Of one pair alone it may be otherwise: more demand elsewhere can make it cheaper (Fisk 1979).
    """
    net = meshed(time, capacity)
    before, after = (assign(net, Demand(*PAIRS, np.array(trips)), gap=1e-10) for trips in (one, other))
    moved = np.array(other) - np.array(one)
    scale = float(np.abs(moved).sum() * max(before.pair_cost.max(), after.pair_cost.max()))
    assert (after.pair_cost - before.pair_cost) @ moved >= -1e-6 * scale
    # The same convexity, at the sums themselves.
    assert after.objective - before.objective >= before.pair_cost @ moved - 1e-6 * (scale + before.objective)


@settings(max_examples=30, deadline=None)
@given(link_numbers, link_numbers, volumes)
def test_no_other_loading_has_a_smaller_beckmann_sum(
    time: list[float], capacity: list[float], one: tuple[float, float]
) -> None:
    """The equilibrium of other link times carries the same demand, so its sum cannot be smaller."""
    net = meshed(time, capacity)
    demand = Demand(*PAIRS, np.array(one))
    least = assign(net, demand, gap=1e-10)
    elsewhere = assign(meshed(capacity, time), demand)
    assert net.beckmann(elsewhere.flow) >= least.objective * (1 - 1e-9)
