"""Families lost, gained and searched again: formulas by hand, the laws, derivatives, and the waits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

import landbridge as lb
from landbridge.scenario import Scenario
from landbridge.transport.choice.between_families import TAPER, TAPER_ROAD, cost_by_kind
from landbridge.transport.choice.delayed import DelayedChoice
from landbridge.transport.choice.pivot import BaseChoice, Choice, pivot, solve_base
from landbridge.transport.graph import Graph
from landbridge.transport.routes.families import BY_TRUCK, _distinct
from landbridge.transport.routes.route_set import FAMILIES
from mini_world import mini_world
from test_choice import Setup, check_bars, disturbed, pair_of

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@pytest.fixture(scope="module")
def setup() -> Setup:
    return Setup(mini_world())


class State:
    """A base and a change drawn at random, in which everything happens that can happen to a family."""

    def __init__(self, setup: Setup, seed: int = 1, phi: float = 8.0) -> None:
        self.setup, routes = setup, setup.routes
        rng = np.random.default_rng(seed)
        self.before, self.after = (np.zeros(routes.n_routes, dtype=bool) for _ in range(2))
        self.again = np.zeros(len(routes.group_pair), dtype=bool)
        for g, (low, high) in enumerate(zip(routes.group_start[:-1], routes.group_start[1:], strict=True)):
            mine = rng.permutation(np.arange(low, high))
            kind = rng.choice(["kept", "lost", "gained", "again"], p=[0.4, 0.25, 0.2, 0.15])
            cut = 1 + int(rng.integers(0, len(mine)))
            if kind == "again" and len(mine) > 1:
                cut = min(cut, len(mine) - 1)
                self.before[mine[:cut]] = self.after[mine[cut:]] = self.again[g] = True
            elif kind in ("kept", "again"):
                self.before[mine[:cut]] = self.after[mine[cut // 2 :]] = True
            elif kind == "lost":
                self.before[mine[:cut]] = True
            else:
                self.after[mine[:cut]] = True
        # A pair that had no way and one that has none.
        self.before[routes.pair == 3] = False
        self.after[routes.pair == 5] = False
        self.again[np.isin(routes.group_pair, (3, 5))] = False
        classes = replace(setup.classes, phi=phi, phi_b=4.0)
        self.base = solve_base(routes, classes, setup.sums, self.before, setup.nests)

    def pivot(self, graph: Graph, entering: Array | None = None) -> Choice:
        sums = self.setup.routes.sums(graph)
        return pivot(self.base, sums, self.after, again=self.again, entering=entering)


@pytest.fixture(scope="module")
def state(setup: Setup) -> State:
    return State(setup)


@pytest.fixture(scope="module")
def graph(setup: Setup) -> Graph:
    return disturbed(setup.graph, 21, 0.15)


def opened(setup: Setup, available: Mask) -> Mask:
    return np.asarray(np.logical_or.reduceat(available, setup.routes.group_start[:-1]))


def test_every_case_occurs(setup: Setup, state: State, graph: Graph) -> None:
    choice = state.pivot(graph)
    known = state.base.family_cost
    assert (choice.lost.extra > 0.0).any() and (choice.lost.extra == 0.0).any()
    again = known[:, :, state.again], choice.family_cost[:, :, state.again]
    assert (again[0] == again[1]).any() and (again[0] < again[1]).any()
    least = least_before(setup, state.base)
    new = choice.gained & ~choice.averaged[setup.routes.group_pair]
    assert (choice.family_cost < least)[:, :, new].any() and (choice.family_cost > least)[:, :, new].any()
    assert 5 in choice.unreachable and choice.averaged[3]


def least_before(setup: Setup, base: BaseChoice) -> Array:
    """Least K_g0 of the pair of every group [sector, product, group]."""
    out = np.full_like(base.family_cost, np.inf)
    for q in range(setup.routes.n_pairs):
        mine = setup.routes.group_pair == q
        costs = base.family_cost[:, :, mine]
        out[:, :, mine] = np.where(costs > 0.0, costs, np.inf).min(axis=2, initial=np.inf)[:, :, None]
    return out


def height(ratio: Array, family: Array) -> Array:
    """How much of a family counts, by its cost over that of the cheapest."""
    out = []
    for r, f in zip(ratio, family, strict=True):
        low, high = TAPER_ROAD if FAMILIES[f] in BY_TRUCK else TAPER
        x = min(max((high - r) / (high - low), 0.0), 1.0)
        out.append(3 * x**2 - 2 * x**3)
    return np.array(out)


def test_the_pivot_by_hand(setup: Setup, state: State, graph: Graph) -> None:
    choice, base, routes, classes = state.pivot(graph), state.base, setup.routes, state.base.classes
    had, has = opened(setup, state.before), opened(setup, state.after)
    for s, p in ((0, 0), (1, 1), (2, 0)):
        for q in range(routes.n_pairs):
            if q in (3, 5):
                continue
            groups = np.flatnonzero(routes.group_pair == q)
            k0, new = base.family_cost[s, p, groups], choice.family_cost[s, p, groups]
            was, now = had[groups], has[groups]
            if not now.any() or not was.any():
                continue
            weight = classes.family_weight[classes.kind[s], classes.group[q], routes.group_family[groups]]
            costs = np.where(was, base.family_cost[:, :, groups], choice.family_cost[:, :, groups])
            mean = cost_by_kind(classes, routes.group_pair[groups], costs)[classes.kind[s]]
            there = was | now
            ratio = mean / mean[there].min()
            stated = np.where(
                there, weight * ratio**-classes.phi_x * height(ratio, routes.group_family[groups]), 0
            )
            stated /= stated.sum()
            entering = stated[now & ~was].sum()
            share = np.where(
                was, base.family_share[classes.kind[s], groups] * (1 - entering), np.where(now, stated, 0.0)
            )
            lam = classes.phi_b / base.cost_segment[s, p, q]
            best = new[now].min()
            expected = np.where(was & ~now, np.maximum(k0, best), new)
            np.testing.assert_allclose(new, expected, rtol=1e-12)
            start = np.where(was, k0, np.maximum(new, k0[was].min()))
            part = share * np.exp(-lam * (expected - start))
            assert choice.cost_segment[s, p, q] == pytest.approx(
                base.cost_segment[s, p, q] - np.log(part.sum()) / lam, rel=1e-12
            )
            part /= part.sum()
            carried = np.where(now, part, 0.0)
            carried[np.flatnonzero(now)[new[now].argmin()]] += part[was & ~now].sum()
            np.testing.assert_allclose(choice.family_share[s, p, groups], carried, rtol=1e-10, atol=1e-15)
    total = np.bincount(routes.group_pair, weights=choice.family_share[0, 0])
    np.testing.assert_allclose(np.delete(total, choice.unreachable), 1.0, rtol=1e-12)


def test_what_is_lost_rides_on_the_cheapest_and_is_reported(setup: Setup) -> None:
    routes = setup.routes
    q = pair_of(setup, "XIA", "BER")
    sea = (routes.pair == q) & (routes.family == FAMILIES.index("sea"))
    choice = pivot(setup.base, setup.sums, setup.available & ~sea)
    (lost,) = choice.lost.groups
    assert routes.group_pair[lost] == q and FAMILIES[routes.group_family[lost]] == "sea"
    assert (choice.family_share[:, :, lost] == 0.0).all()
    others = (routes.group_pair == q) & (np.arange(len(routes.group_pair)) != lost)
    demand = np.zeros_like(choice.cost)
    demand[q] = (100.0, 200.0, 300.0)
    teu, usd = choice.fallen_back(demand)
    by_hand, paid = 0.0, 0.0
    for s in range(3):
        for p in (0, 1):
            beta = setup.classes.block_share[s, q]
            least = choice.family_cost[s, p, others].min()
            host = np.flatnonzero(others)[choice.family_cost[s, p, others].argmin()]
            ships = demand[q, s] * (beta if p == 0 else 1 - beta) * choice.pivot_share[s, p, lost]
            by_hand += ships
            paid += ships * max(least - setup.base.family_cost[s, p, lost], 0.0)
            rides = choice.pivot_share[s, p, [host, lost]].sum()
            assert choice.family_share[s, p, host] == pytest.approx(rides, rel=1e-12)
    assert teu.sum() == pytest.approx(by_hand, rel=1e-12) and by_hand > 50.0
    assert usd.sum() == pytest.approx(paid, rel=1e-12)
    # All of the demand is on routes, and none of it on those that are closed.
    flows = choice.route_flows(demand)
    assert flows.sum() == pytest.approx(600.0, rel=1e-12) and (flows[sea] == 0.0).all()


@pytest.mark.parametrize("seed", range(4))
def test_closing_never_helps_and_a_family_gained_never_hurts(setup: Setup, seed: int) -> None:
    rng = np.random.default_rng(seed)
    some = rng.random(setup.routes.n_routes) < 0.6
    less = solve_base(setup.routes, setup.classes, setup.sums, some, setup.nests)
    everything = solve_base(setup.routes, setup.classes, setup.sums, setup.available, setup.nests)
    closed = pivot(everything, setup.sums, some)
    assert len(closed.lost.groups) > 20
    assert (closed.cost_segment >= everything.cost_segment * (1 - 1e-13)).all()
    added = pivot(less, setup.sums, setup.available)
    served = np.isfinite(less.cost_segment)
    assert added.gained.sum() > 20
    assert (added.cost_segment[served] <= less.cost_segment[served] * (1 + 1e-13)).all()


def test_opening_and_closing_again_returns_the_base(setup: Setup) -> None:
    routes = setup.routes
    shut = setup.available & (routes.family != FAMILIES.index("northern"))
    base = solve_base(routes, setup.classes, setup.sums, shut, setup.nests)
    more = pivot(base, setup.sums, setup.available)
    assert (more.family_cost[:, :, more.gained] < least_before(setup, base)[:, :, more.gained]).any()
    # The state with the gained family as a base of its own, lambda as it was.
    s, p = 0, 0
    then = replace(
        base,
        family_cost=more.family_cost,
        family_share=np.stack([more.family_share[s, p]] * 2),
        cost_segment=more.cost_segment,
        total=more.weights.totals().total,
    )
    for q in range(routes.n_pairs):
        if not np.isfinite(base.cost_segment[s, p, q]):
            continue
        groups = np.flatnonzero(routes.group_pair == q)
        lam = setup.classes.phi_b / base.cost_segment[s, p, q]
        # lambda = phi_b / K0: that of the first base.
        held = replace(then, classes=replace(then.classes, phi_b=lam * more.cost_segment[s, p, q]))
        back = pivot(held, setup.sums, shut, classes=held.classes)
        assert back.cost_segment[s, p, q] == pytest.approx(base.cost_segment[s, p, q], rel=1e-10)
        open_ = groups[opened(setup, shut)[groups]]
        if q % 9 == 0 and len(open_):
            ours = back.pivot_share[s, p, open_]
            np.testing.assert_allclose(ours / ours.sum(), base.family_share[0, open_], rtol=1e-9)


def test_a_link_that_is_added_and_closed_again_is_no_change() -> None:
    line = {"from": "Kashgar", "to": "Andijan", "mode": "rail-1435", "length_km": 500, "id": "X1"}
    there = [{"verb": "add_link", **line}, {"verb": "close_link", "link": "X1"}]
    case = lb.run(lb.load(), Scenario.from_dict({"name": "there and back", "modification": there}, "back"))
    assert case.base is not None
    np.testing.assert_allclose(case.choice.cost, case.base.choice.cost, rtol=1e-10)
    np.testing.assert_allclose(case.flow_teu, case.base.flow_teu, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("phi", [8.0, 12.5])
def test_derivatives_with_families_lost_gained_and_searched_again(
    setup: Setup, graph: Graph, phi: float
) -> None:
    state = State(setup, phi=phi)
    choice = state.pivot(graph)
    held = choice.families[0].share0
    rng = np.random.default_rng(11)
    finite = np.isfinite(choice.cost)
    weight = np.where(finite, rng.uniform(-1, 1, choice.cost.shape), 0.0)
    demand = np.where(finite, rng.uniform(0.5, 2.0, choice.cost.shape), 0.0)
    toll = rng.uniform(-1, 1, (graph.n_arcs, 2))
    on_share = rng.uniform(-1, 1, (3, 2, setup.routes.n_routes))

    def costs(changed: Graph) -> float:
        cost = state.pivot(changed, held).cost
        return float((np.where(finite, cost, 0.0) * weight).sum())

    def everything(changed: Graph, load: Array = demand) -> float:
        after = state.pivot(changed, held)
        shares = sum(
            float((after.route_share(s, p) * on_share[s, p]).sum()) for s in range(3) for p in (0, 1)
        )
        return float((after.assign(load) * toll).sum()) + shares + costs(changed)

    check_bars(graph, choice.vjp(cost_bar=weight), costs)
    bars = choice.vjp(weight, toll, demand, lambda s, p: on_share[s, p])
    check_bars(graph, bars, everything)
    assert bars.demand_teu is not None
    lost = setup.routes.group_pair[choice.lost.groups[0]]
    for q, s in ((int(lost), 0), (11, 2)):
        step = np.zeros_like(demand)
        step[q, s] = 1e-3
        slope = (everything(graph, demand + step) - everything(graph, demand - step)) / 2e-3
        assert bars.demand_teu[q, s] == pytest.approx(slope, rel=1e-6, abs=1e-7)


def test_derivatives_where_sectors_have_routes_of_their_own(setup: Setup, state: State, graph: Graph) -> None:
    marked = np.array([False, True, False])

    held = state.pivot(graph).families[0].share0
    of_all = pivot(state.base, setup.routes.sums(graph), setup.available).families[0].share0

    def both(changed: Graph) -> Choice:
        other = pivot(state.base, setup.routes.sums(changed), setup.available, entering=of_all)
        return state.pivot(changed, held).with_sectors(other, marked)

    choice = both(graph)
    other = pivot(state.base, setup.routes.sums(graph), setup.available)
    np.testing.assert_array_equal(choice.route_share(1, 0), other.route_share(1, 0))
    np.testing.assert_array_equal(choice.route_share(0, 0), state.pivot(graph).route_share(0, 0))
    finite = np.isfinite(choice.cost)
    rng = np.random.default_rng(12)
    weight = np.where(finite, rng.uniform(-1, 1, choice.cost.shape), 0.0)
    demand = np.where(finite, rng.uniform(0.5, 2.0, choice.cost.shape), 0.0)
    toll = rng.uniform(-1, 1, (graph.n_arcs, 2))
    teu, usd = choice.fallen_back(demand)
    assert teu.sum() > 0.0 and usd.sum() > 0.0 and (choice.lost.share[1] == 0.0).all()
    assert choice.route_flows(demand).sum() == pytest.approx(demand.sum(), rel=1e-12)

    def value(changed: Graph) -> float:
        after = both(changed)
        costs = float((np.where(finite, after.cost, 0.0) * weight).sum())
        return costs + float((after.assign(demand) * toll).sum())

    check_bars(graph, choice.vjp(weight, toll, demand), value)


def waiting(setup: Setup) -> tuple[csr_matrix, csr_matrix]:
    """Three queues for container trains, one of them for wagons and trucks too."""
    route, gateway = setup.routes.through(setup.graph)
    at = [setup.graph.gateways.index(name) for name in ("ala-dos", "aktau", "bre-mal")]
    found = np.array([at.index(g) if g in at else -1 for g in gateway])
    shape = setup.routes.n_routes, 3
    both = []
    for mine in (found >= 0, found == 1):
        both.append(csr_matrix((np.ones(int(mine.sum())), (route[mine], found[mine])), shape=shape))
    return both[0], both[1]


@pytest.mark.parametrize(("mixed", "phi"), [(False, 8.0), (True, 8.0), (False, 12.5)])
@pytest.mark.parametrize("delay", [(0.0, 0.0, 0.0), (90.0, 30.0, 5.0), (-8.0, 200.0, -3.0)])
def test_waits_give_what_the_pivot_gives(
    setup: Setup, graph: Graph, mixed: bool, phi: float, delay: tuple[float, float, float]
) -> None:
    state = State(setup, phi=phi)
    through = waiting(setup)
    hours = np.array(delay)
    variance = 20.0 * np.abs(hours)
    sums = setup.routes.sums(graph)
    marked = np.array([False, False, mixed])

    held = [
        pivot(state.base, sums, open_, again=again).families[0].share0
        for open_, again in ((state.after, state.again), (setup.available, None))
    ]

    def chosen(delay_h: Array, delay_h2: Array) -> Choice:
        now = replace(
            sums,
            time_h=sums.time_h + np.stack([m @ delay_h for m in through]),
            variance_h2=sums.variance_h2 + np.stack([m @ delay_h2 for m in through]),
        )
        some = pivot(state.base, now, state.after, again=state.again, entering=held[0])
        return some.with_sectors(pivot(state.base, now, setup.available, entering=held[1]), marked)

    touched = DelayedChoice(chosen(0.0 * hours, 0.0 * variance), through)
    assert 0 < len(touched.parts[0].groups) < len(setup.routes.group_pair)
    whole = chosen(hours, variance)
    cost = touched.cost(hours, variance)
    np.testing.assert_allclose(cost, whole.cost, rtol=1e-10)
    demand = np.random.default_rng(3).uniform(1.0, 9.0, cost.shape)
    demand[~np.isfinite(cost)] = 0.0
    on_routes = whole.route_flows(demand)
    expected = sum(m.T @ on_routes[:, p] for p, m in enumerate(through))
    np.testing.assert_allclose(touched.flows(demand), expected, rtol=1e-10)
    settled = touched.settled(hours, variance)
    for name in ("cost", "cost_segment", "family_cost", "family_share", "pivot_share"):
        np.testing.assert_allclose(getattr(settled, name), getattr(whole, name), rtol=1e-10, atol=1e-14)
    for name in ("groups", "host", "share", "extra"):
        ours, theirs = (getattr(one.lost, name) for one in (settled, whole))
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(settled.assign(demand), whole.assign(demand), rtol=1e-10)
    bars = [one.vjp(demand, whole.assign(demand), demand) for one in (settled, whole)]
    np.testing.assert_allclose(
        bars[0].time_h, bars[1].time_h, rtol=1e-8, atol=1e-8 * np.abs(bars[1].time_h).max()
    )


def test_the_slope_of_the_flows_points_the_right_way(setup: Setup, state: State, graph: Graph) -> None:
    choice = state.pivot(graph)
    touched = DelayedChoice(choice, waiting(setup))
    demand = np.where(np.isfinite(choice.cost), 5.0, 0.0)
    nothing = np.zeros(3)
    touched.cost(nothing, nothing)
    slope, spread = touched.slope(demand)
    assert (spread > 0.0).all()
    exact = np.empty_like(slope)
    for q in range(3):
        sides = []
        for step in (0.1, -0.1):
            touched.cost(step * np.eye(3)[q], nothing)
            sides.append(touched.flows(demand))
        exact[:, q] = (sides[0] - sides[1]) / 0.2
    assert (np.diag(exact) < 0.0).all()
    assert np.linalg.norm(slope - exact) < 0.3 * np.linalg.norm(exact)


def test_distinct_rows_are_those_of_numpy() -> None:
    rng = np.random.default_rng(3)
    for size in ((1, 1), (40, 2), (500, 7)):
        rows = rng.integers(-1, 3, size)
        first, number = _distinct(rows)
        _, as_first, as_number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        np.testing.assert_array_equal(first, as_first)
        np.testing.assert_array_equal(number, as_number.ravel())
