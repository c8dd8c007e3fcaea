"""One choice: a base, a scenario, waits and a closure give the same shares and costs at the same costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import embedded
from landbridge.transport import Choice, compiled, pivot, threads
from landbridge.transport.choice.delayed import DelayedChoice, Patched, passes
from landbridge.transport.graph import SIDES
from landbridge.transport.routes.route_set import RouteSums

Array = NDArray[np.float64]
GATEWAY = "alashankou-dostyk"


class Case:
    """The embedded base with a gateway closed and other waits, asked in three ways."""

    def __init__(self) -> None:
        self.base = base = embedded.base()
        self.routes, self.graph, self.queues = base.common.routes, base.graph, base.results.queues
        graph, routes = self.graph, self.routes
        shut = np.zeros(graph.n_arcs, dtype=bool)
        shut[graph.govern_arc[graph.govern_gateway == graph.gateways.index(GATEWAY)]] = True
        self.cut = routes.touching(shut[:, None])[:, 0]
        # Pairs that lose a route but not the last of a family, so that no family is searched again.
        left = np.logical_or.reduceat(base.available & ~self.cut, routes.group_start[:-1])
        had = np.logical_or.reduceat(base.available, routes.group_start[:-1])
        whole = np.ones(routes.n_pairs, dtype=bool)
        whole[routes.group_pair[had & ~left]] = False
        hit = np.zeros(routes.n_pairs, dtype=bool)
        hit[routes.pair[self.cut]] = True
        self.pairs = np.flatnonzero(hit & whole)
        self.cut &= whole[routes.pair]
        self.open = base.available & ~self.cut
        rng = np.random.default_rng(5)
        assert self.queues is not None
        self.delay = rng.uniform(1.0, 20.0, len(self.queues)), rng.uniform(1.0, 50.0, len(self.queues))
        self.through = base.common.passes(self.queues)

    def delayed(self, sums: RouteSums, through: object) -> RouteSums:
        hours, variance = np.array(sums.time_h), np.array(sums.variance_h2)
        for p in (0, 1):
            hours[p] += through[p] @ self.delay[0]
            variance[p] += through[p] @ self.delay[1]
        return replace(sums, time_h=hours, variance_h2=variance)

    def as_a_scenario(self) -> Choice:
        sums = self.delayed(self.base.sums, self.through)
        return pivot(self.base.choice, sums, self.open, self.base.log_constant)

    def as_waits(self) -> tuple[Array, Choice]:
        still = pivot(self.base.choice, self.base.sums, self.open, self.base.log_constant)
        touched = DelayedChoice(still, self.through)
        return touched.cost(*self.delay), touched.settled(*self.delay)

    def as_a_closure(self) -> tuple[Array, Choice]:
        base, kept = self.base.choice.only(self.pairs)
        sums = RouteSums(*(getattr(self.base.sums, name)[:, kept] for name in SIDES))
        constant = self.base.log_constant
        choice = pivot(base, sums, self.open[kept], None if constant is None else constant[kept])
        assert self.queues is not None
        part = DelayedChoice(choice, passes(choice.base.routes, self.graph, self.queues))
        unserved = np.zeros(len(self.pairs), dtype=bool)
        whole = DelayedChoice(self.base.results.choice, self.through)
        return Patched(whole, part, self.pairs, unserved).cost(*self.delay), part.settled(*self.delay)


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


def test_three_ways_of_asking_give_one_answer(case: Case) -> None:
    scenario, (cost, waits), (other, closure) = case.as_a_scenario(), case.as_waits(), case.as_a_closure()
    assert len(case.pairs) > 100
    served = np.isfinite(scenario.cost)
    for found in (cost, waits.cost, other):
        np.testing.assert_allclose(found[served], scenario.cost[served], rtol=1e-12)
    np.testing.assert_allclose(waits.family_share, scenario.family_share, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(waits.family_cost, scenario.family_cost, rtol=1e-12)
    # The pairs that lose a route, chosen alone.
    groups = np.flatnonzero(np.isin(case.routes.group_pair, case.pairs))
    np.testing.assert_allclose(closure.cost, scenario.cost[case.pairs], rtol=1e-12)
    np.testing.assert_allclose(
        closure.family_share, scenario.family_share[:, :, groups], rtol=0.0, atol=1e-12
    )
    for s, p in ((0, 1), (5, 0)):
        rows = np.flatnonzero(np.isin(case.routes.pair, case.pairs))
        share = scenario.route_share(s, p)
        np.testing.assert_allclose(closure.route_share(s, p), share[rows], rtol=0.0, atol=1e-12)
        np.testing.assert_allclose(waits.route_share(s, p), share, rtol=0.0, atol=1e-12)


def test_a_pair_without_a_change_keeps_the_base(case: Case) -> None:
    scenario, base = case.as_a_scenario(), case.base.choice
    waits = np.zeros(case.routes.n_routes, dtype=bool)
    for through in case.through:
        waits |= np.diff(through.indptr) > 0
    moved = np.unique(case.routes.pair[waits | case.cut])
    still = np.setdiff1d(np.arange(case.routes.n_pairs), moved)
    assert len(still) > 100
    np.testing.assert_allclose(scenario.cost[still], base.cost[still], rtol=1e-12)
    groups = np.isin(case.routes.group_pair, still)
    for s, kind in enumerate(base.classes.kind):
        np.testing.assert_allclose(
            scenario.family_share[s][:, groups],
            np.broadcast_to(base.family_share[kind, groups], (2, int(groups.sum()))),
            rtol=0.0,
            atol=1e-12,
        )


def test_the_derivative_is_that_of_central_differences(case: Case) -> None:
    _, closure = case.as_a_closure()
    base, routes = closure.base, closure.base.routes
    rng = np.random.default_rng(6)
    weight = rng.uniform(-1.0, 1.0, closure.cost.shape)
    way = rng.uniform(0.0, 1.0, (case.graph.n_arcs, 2))
    along = routes.over_arcs(way).T
    bars = closure.vjp(cost_bar=weight)

    def value(step: float) -> float:
        sums = replace(closure.sums, time_h=closure.sums.time_h + step * along)
        cost = pivot(base, sums, closure.available, closure.weights.log_constant).cost
        return float((weight * cost).sum())

    step = 1e-3
    slope = (value(step) - value(-step)) / (2.0 * step)
    assert float((bars.time_h * way).sum()) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("phi", [8.0, 5.0, 3.5])
def test_compiled_loops_give_what_numpy_gives(
    case: Case, phi: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "WORTH_ROUTES", 0)
    whole = case.base.choice.weights
    assert whole is not None and whole.log_constant is not None and np.unique(whole.log_constant).size > 3
    part = whole.take(np.arange(100, 1500))
    part = replace(
        part, classes=replace(part.classes, phi=phi), open=part.open & (part.pair[:, None] % 3 > 0)
    )
    some = np.array([1, 4, 5, 12])
    found = []
    for fast in ("0", "1"):
        monkeypatch.setenv("LANDBRIDGE_FAST", fast)
        assert (part.loops() is None) == (fast == "0")
        pull = np.empty((2, len(part.pair), len(some)))
        mine = part.totals(mean=True), part.totals(sectors=some, pull=pull), part.totals()
        found.append([*(one.total for one in mine), mine[0].mean, pull])
    for numpy, loops in zip(*found, strict=True):
        assert numpy is not None and loops is not None and np.abs(numpy).max() > 0.0
        if phi == 3.5:
            np.testing.assert_allclose(loops, numpy, rtol=1e-13)
        else:
            np.testing.assert_array_equal(loops, numpy)


def test_compiled_loads_are_those_of_numpy(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    choice, demand = case.base.results.choice, case.base.results.demand_teu
    found = []
    for fast in ("0", "1"):
        monkeypatch.setenv("LANDBRIDGE_FAST", fast)
        assert (choice.weights.loops() is None) == (fast == "0")
        found.append(choice._route_loads(demand, 2.0 * demand))
    for numpy, loops in (found[0].goods, found[1].goods), (found[0].kinds, found[1].kinds):
        assert np.abs(numpy).max() > 0.0
        np.testing.assert_allclose(loops, numpy, rtol=1e-11, atol=1e-14 * np.abs(numpy).max())


def test_two_threads_give_the_same_bits_as_one(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 2)
    demand, choice = case.base.results.demand_teu, case.base.results.choice
    found = []
    for n in ("1", "2"):
        monkeypatch.setenv("LANDBRIDGE_THREADS", n)
        cost, settled = case.as_waits()
        loads = choice._route_loads(demand, 2.0 * demand)
        assert choice.weights is not None
        mean = choice.weights.totals(mean=True).mean
        found.append((cost, settled.family_share, settled.cost_segment, loads.goods, loads.kinds, mean))
    for one, two in zip(*found, strict=True):
        assert one is not None and np.abs(one[np.isfinite(one)]).max() > 0.0
        np.testing.assert_array_equal(one, two)
