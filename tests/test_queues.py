"""The waiting formula, its derivatives and its calibration; and a station simulated train by train."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.errors import ScenarioError
from landbridge.scenario import Scenario, apply
from landbridge.transport import Queues, compile_graph
from landbridge.transport.waiting.laws import probability_of_wait, variance_h2, wait_h
from landbridge.transport.waiting.stations import capacity_of
from queue_simulation import LOADS, formula, simulate


@pytest.fixture(scope="module")
def world() -> lb.World:
    return embedded.world()


@pytest.fixture(scope="module")
def queues(world: lb.World) -> tuple[Queues, lb.Results]:
    base = embedded.base().results
    assert base.queues is not None
    return base.queues, base


@pytest.mark.parametrize("load", LOADS)
def test_the_formula_agrees_with_a_simulated_station(load: float) -> None:
    found, (mean, deviation) = simulate(load, 250, 3), formula(load)
    # Far below capacity, where waits are minutes, some minutes; near it and above 7 percent and the chance
    # of 250 runs. The spread is somewhat too narrow from there on.
    assert mean == pytest.approx(found.mean, rel=0.07, abs=0.1 + 3 * found.error)
    assert deviation == pytest.approx(found.deviation, rel=0.12, abs=0.2)


def test_more_tracks_for_the_same_trains_wait_less_at_low_load() -> None:
    for load in (0.5, 0.8):
        assert formula(load, 8)[0] < formula(load, 4)[0] < formula(load, 1)[0]
        one, eight = simulate(load, 60, 5, tracks=1), simulate(load, 60, 5, tracks=8)
        assert eight.mean < one.mean


def test_the_formula_has_its_limits() -> None:
    rate, servers, spread = np.array([0.5]), np.array([1.0]), np.array([1.0])
    x = np.array([0.5])
    # A long period below capacity: the mean wait of M/M/1, x / (Q (1 - x)) = 2 h, but for x^8 / 8 of it.
    assert wait_h(x, rate, servers, spread, 1e9)[0] == pytest.approx(2.0, rel=5e-4)
    assert wait_h(0.3 * x, rate, servers, spread, 1e9)[0] == pytest.approx(0.3 / 0.85, rel=1e-6)
    # Far above capacity: a queue that grows for T hours.
    assert wait_h(x * 4, rate, servers, spread, 1e7)[0] == pytest.approx(5e6, rel=1e-4)
    assert wait_h(x * 0, rate, servers, spread, 288.0)[0] == 0.0
    # Twice the capacity with many served at a time: no longer than the queue that grows, T (x - 1) / 2.
    many = wait_h(x * 4, np.array([300.0 / 288.0]), np.array([50.0]), np.array([0.6]), 288.0)[0]
    assert many == pytest.approx(144.0, rel=0.01)
    assert variance_h2(x * 0, rate, servers, spread, 288.0)[0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("n", [1.0, 4.0, 20.0, 100.0])
def test_the_share_that_waits_is_the_power_well_below_capacity_and_one_above(n: float) -> None:
    m = np.sqrt(2.0 * (n + 1.0)) - 1.0
    x = np.linspace(0.0, 0.7, 8)
    servers = np.full(len(x), n)
    # One server: 0.7 percent at 0.7 of capacity. More: next to nothing.
    assert probability_of_wait(x, servers) == pytest.approx(x**m, rel=0.008 if n == 1.0 else 3e-4)
    assert probability_of_wait(x + 1.5, servers) == pytest.approx(1.0, rel=0.006)


def test_many_servers_leave_no_hole_in_the_variance(queues: tuple[Queues, lb.Results]) -> None:
    """A capacity as good as none, where x^m leaves the doubles on either side."""
    q = replace(queues[0], servers=np.full(len(queues[0]), 1700.0))
    for x in (0.0, 1e-4, 0.3, 4.0):
        load = np.full(len(q), x)
        for values in (*q.delay(load), *q.slopes(load), *q.capacity_slopes(load)):
            assert np.isfinite(values).all()


def test_slopes_are_central_differences(queues: tuple[Queues, lb.Results]) -> None:
    q, _ = queues
    h = 1e-6
    for x in (q.base_load + 0.01, q.base_load + 0.4, np.full(len(q), 1.3)):
        wait, variance = q.slopes(x)
        assert (q.wait(x + h) - q.wait(x - h)) / (2 * h) == pytest.approx(wait, rel=1e-6, abs=1e-9)
        ours = (q.variance(x + h) - q.variance(x - h)) / (2 * h)
        assert ours == pytest.approx(variance, rel=1e-6, abs=1e-6)
        by_wait, by_variance = q.capacity_slopes(x)
        more, less = (replace(q, stated=q.stated * np.exp(s)) for s in (h, -h))
        away = np.exp(h)
        assert (more.wait(x / away) - less.wait(x * away)) / (2 * h) == pytest.approx(
            by_wait, rel=1e-6, abs=1e-7
        )
        assert (more.variance(x / away) - less.variance(x * away)) / (2 * h) == pytest.approx(
            by_variance, rel=1e-6, abs=1e-5
        )


_LOADS = [1e-3, 0.05, 0.3, 0.7, 0.9, 0.999, 1.0, 1.001, 1.1, 1.5, 2.0, 3.0, 5.0]


@pytest.mark.parametrize("n", [1.0, 2.0, 4.0, 20.0, 50.0, 100.0])
def test_slopes_are_central_differences_at_any_load_and_number_of_servers(
    queues: tuple[Queues, lb.Results], n: float
) -> None:
    """dW/dx, dV/dx and both by ln capacity, one load for each queue."""
    one = _of_length(queues[0], len(_LOADS), n)
    x, h = np.array(_LOADS), 1e-6
    wait, variance = one.slopes(x)
    by_wait, by_variance = one.capacity_slopes(x)
    more, less = (replace(one, stated=one.stated * np.exp(s)) for s in (h, -h))
    away = np.exp(h)
    for ours, high, low in (
        (wait, one.wait(x + h), one.wait(x - h)),
        (variance, one.variance(x + h), one.variance(x - h)),
        (by_wait, more.wait(x / away), less.wait(x * away)),
        (by_variance, more.variance(x / away), less.variance(x * away)),
    ):
        # What is lost in the difference of two doubles is no error of the slope.
        lost = 1e-15 * np.abs(high) / h
        assert (np.abs((high - low) / (2 * h) - ours) <= 3e-6 * np.abs(ours) + 4 * lost + 1e-12).all()


def test_the_first_train_waits_for_nobody_and_the_slope_says_so(queues: tuple[Queues, lb.Results]) -> None:
    """At no load the slope of one server is J / Q, of more it is nothing; differences only look ahead."""
    one, more = (_of_length(queues[0], 1, n) for n in (1.0, 4.0))
    nothing, h = np.zeros(1), 1e-7
    for q in (one, more):
        assert q.wait(nothing)[0] == 0.0
        assert q.wait(nothing + h)[0] / h == pytest.approx(q.slopes(nothing)[0][0], rel=1e-5, abs=1e-6)
    assert one.slopes(nothing)[0][0] == pytest.approx((one.spread / one.rate)[0])


def _of_length(q: Queues, length: int, servers: float) -> Queues:
    """The first queue of a world so many times, with so many served at a time."""
    names = ("gateway", "way", "products", "stated", "teu", "back", "spread")
    rest = {name: np.repeat(getattr(q, name)[:1], length, axis=0) for name in names}
    ones, none = np.ones(length), np.zeros(length)
    return replace(
        q,
        **rest,
        servers=ones * servers,
        factor=ones,
        damping=ones,
        shrink=ones,
        base_wait=none,
        base_variance=none,
        base_load=none,
    )


# -- calibration ----------------------------------------------------------------------------------------


def test_the_queue_of_the_base_is_part_of_the_observed_hours(queues: tuple[Queues, lb.Results]) -> None:
    q, base = queues
    hours, variance = q.delay(q.base_load)
    assert (hours == 0.0).all() and (variance == 0.0).all()
    # Service is never negative, whatever the traffic.
    border = {
        (int(j), int(w)): value
        for j, w, value in zip(q.gateway, q.way, _observed_hours(q, base), strict=True)
    }
    for k in range(len(q)):
        assert q.base_wait[k] <= border[int(q.gateway[k]), int(q.way[k])] * (1 + 1e-9)
    names = [base.graph.gateways[j] for j in q.gateway]
    raised = {name for name, factor in zip(names, q.factor, strict=True) if factor > 1.0}
    # The base sends no more through than the stated capacities can carry in the observed hours.
    assert raised == set()


def _observed_hours(q: Queues, base: lb.Results) -> list[float]:
    graph = base.graph
    found = []
    for j, way in zip(q.gateway, q.way, strict=True):
        mine = graph.govern_counted & (graph.govern_gateway == j) & (graph.govern_way == way)
        found.append(min(graph.time_h[a, 0] for a in graph.govern_arc[mine]))
    return found


def test_only_gateways_with_a_capacity_have_a_queue(
    world: lb.World, queues: tuple[Queues, lb.Results]
) -> None:
    q, base = queues
    stated = {str(r["gateway_id"]) for r in world.network["gateways"] if capacity_of(r) is not None}
    assert {base.graph.gateways[j] for j in q.gateway} == stated and len(stated) == 12
    for row in base.gateway_rows:
        has = row["gateway"] in stated
        assert (row["volume_over_capacity"] is not None) == has == (row["queue_h"] is not None)
    rows = {row["gateway"]: row for row in base.gateway_rows}
    for name in ("khorgos-altynkol", "alashankou-dostyk"):
        row = rows[name]
        assert row["volume_over_capacity"] == pytest.approx(row["trains_per_day"] / row["capacity_per_day"])
        assert 0.0 < row["queue_h"] < row["wait_h"]


def test_empty_boxes_load_the_way_back(world: lb.World) -> None:
    graph = compile_graph(world)
    q = Queues.of(world, graph)
    flows = np.zeros(len(q))
    flows[0::2] = 108.0 * 365.0
    units = q.units_per_day(flows)
    rail = q.teu == 108.0
    ratio = world.parameter("return_ratio_empty")
    assert units[rail][0::2] == pytest.approx(1.0) and units[rail][1::2] == pytest.approx(ratio)
    slope = q.load_slope(flows)
    h = 1.0
    for k in range(0, len(q), 2):
        step = np.zeros(len(q))
        step[k] = h
        assert (q.load(flows + step) - q.load(flows - step)) / (2 * h) == pytest.approx(slope[:, k])


def test_hours_that_shrink_take_their_queue_along(world: lb.World, queues: tuple[Queues, lb.Results]) -> None:
    q, base = queues

    def under(multiply: float) -> Queues:
        change = {
            "verb": "change_gateway",
            "gateway": "alashankou-dostyk",
            "time_h": {"multiply": multiply},
        }
        after = apply(world, Scenario.from_dict({"name": "t", "modification": [change]}, "t"))
        return q.under(compile_graph(world), after, compile_graph(after))

    mine = np.array([base.graph.gateways[j] == "alashankou-dostyk" for j in q.gateway])
    half, double = under(0.5), under(2.0)
    assert half.shrink[mine] == pytest.approx(0.5) and (half.shrink[~mine] == 1.0).all()
    assert (double.shrink == 1.0).all()
    # Without any traffic the hours that are left are not negative.
    assert half.delay(np.zeros(len(q)))[0][mine] == pytest.approx(-0.5 * q.base_wait[mine])


def test_a_crossing_without_hours_has_next_to_no_queue(
    world: lb.World, queues: tuple[Queues, lb.Results]
) -> None:
    none = {"verb": "change_gateway", "gateway": "alashankou-dostyk", "time_h": {"multiply": 0.0}}
    quick = apply(world, Scenario.from_dict({"name": "t", "modification": [none]}, "t"))
    graph = compile_graph(quick)
    q = Queues.of(quick, graph).calibrated(graph, queues[1].flow_teu)
    mine = np.array([graph.gateways[j] == "alashankou-dostyk" for j in q.gateway])
    assert (q.factor[mine] > 1.0).all()
    # All traffic gone: what is left of no hours is nothing but a rounding of minutes.
    assert (q.delay(np.zeros(len(q)))[0][mine] >= -0.01).all()


def test_impossible_capacities_are_all_told_at_once(world: lb.World) -> None:
    bad = [
        {"verb": "change_gateway", "gateway": "khorgos-altynkol", "capacity": 0},
        {"verb": "change_gateway", "gateway": "alashankou-dostyk", "capacity": -5},
    ]
    worse = [
        {"verb": "change_gateway", "gateway": "aktau", "capacity": {"multiply": 0.0}},
        {"verb": "change_gateway", "gateway": "suez", "capacity": 10},
    ]
    for modifications in (bad, worse):
        with pytest.raises(ScenarioError) as caught:
            lb.run(world, Scenario.from_dict({"name": "bad", "modification": modifications}, "bad"))
        assert caught.value.exit_code == 3
        told = [str(fault) for fault in caught.value.faults]
        for number in (1, 2):
            assert any(f"modification {number}" in fault for fault in told), told
