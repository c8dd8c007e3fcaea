"""Route and family choice: formulas by hand, pivots, limits, derivatives, flows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from landbridge.errors import InfeasibleError
from landbridge.transport.choice.between_families import TAPER, TAPER_ROAD
from landbridge.transport.choice.pivot import (
    BaseChoice,
    Choice,
    pivot,
    solve_base,
)
from landbridge.transport.choice.weights import Totals
from landbridge.transport.compile import compile_graph
from landbridge.transport.graph import GATE_IN, GATE_OUT, LAYERS, Graph
from landbridge.transport.routes.families import BY_TRUCK
from landbridge.transport.routes.nests import Nests
from landbridge.transport.routes.route_set import FAMILIES, RouteSet, RouteSums, generate
from landbridge.transport.segments import KINDS, Segments, freight_segments, keeps_every_family
from landbridge.world import World
from mini_world import ZONES, mini_world

Array = NDArray[np.float64]
BARS = ("time_h", "cost_usd", "co2e_kg", "variance_h2", "bulk_usd")


class Setup:
    """A graph, its routes and classes, and the base solved on them."""

    def __init__(self, world: World, zones: tuple[str, ...] = ZONES) -> None:
        self.graph = compile_graph(world)
        every = np.ones((len(zones), len(zones)), dtype=bool)
        self.routes = generate(self.graph, zones, zones, every_family=every)
        place = world.network["places"].by("place_id")
        ends = [
            [str(place[self.graph.places[p]]["region"] or "") for p in side]
            for side in (self.routes.origin, self.routes.destination)
        ]
        self.classes = freight_segments(world, ends[0], ends[1])
        self.sums = self.routes.sums(self.graph)
        self.available = self.routes.available(self.graph)
        self.nests = Nests.of(self.routes, self.graph)
        self.base = solve_base(self.routes, self.classes, self.sums, self.available, self.nests)

    def pivot(self, graph: Graph | None = None, base: BaseChoice | None = None) -> Choice:
        sums = self.sums if graph is None else self.routes.sums(graph)
        return pivot(base or self.base, sums, self.available)


@pytest.fixture(scope="module")
def setup() -> Setup:
    return Setup(mini_world())


def cost_of_routes(classes: Segments, routes: RouteSet, sums: RouteSums, s: int, p: int) -> Array:
    hours = sums.time_h[p] + classes.rho[s] * np.sqrt(sums.variance_h2[p] + 1e-6)
    paid = sums.bulk_usd if KINDS[classes.kind[s]] == "bulk" else sums.cost_usd
    money = paid[p] + classes.carbon_usd_per_kg * sums.co2e_kg[p]
    return np.asarray(money + classes.usd_per_h[s][routes.pair] * hours)


def nested_by_hand(routes: RouteSet, graph: Graph, weight: Array, mu: float = 0.25) -> tuple[Array, Array]:
    """V of every group and P of every route, link by link."""
    total, share = np.zeros(len(routes.group_pair)), np.zeros(routes.n_routes)
    for g, (first, last) in enumerate(zip(routes.group_start[:-1], routes.group_start[1:], strict=True)):
        parts: dict[int, dict[int, float]] = {}
        for r in range(int(first), int(last)):
            arcs = routes.arcs[routes.start[r] : routes.start[r + 1]]
            km = {
                int(m): float(k)
                for m, k in zip(graph.link[arcs], graph.length_km[arcs], strict=True)
                if k > 0
            }
            length = sum(km.values())
            for m, k in km.items() if length else ((-1 - r, 1.0),):
                parts.setdefault(m, {})[r] = (k / (length or 1.0) * weight[r]) ** (1 / mu)
        for users in parts.values():
            inner = sum(users.values())
            if inner > 0.0:
                total[g] += inner**mu
                for r, x in users.items():
                    share[r] += x * inner ** (mu - 1)
        if total[g] > 0.0:
            share[first:last] /= total[g]
    return total, share


def disturbed(graph: Graph, seed: int, spread: float = 0.2) -> Graph:
    rng = np.random.default_rng(seed)
    parts = {
        side: getattr(graph, side) * rng.uniform(1 - spread, 1 + spread, (graph.n_arcs, 2)) for side in BARS
    }
    return replace(graph, **parts)


def test_classes_of_the_tables(setup: Setup) -> None:
    classes, routes, graph = setup.classes, setup.routes, setup.graph
    out = np.flatnonzero(routes.origin == graph.place_number["ALM"])
    other = np.flatnonzero(routes.origin == graph.place_number["XIA"])
    ore = classes.sectors.index("MIN")
    assert set(classes.usd_per_teu[ore, out]) == {2000.0}
    assert set(classes.usd_per_teu[ore, other]) == {4000.0}
    machinery = classes.sectors.index("MCH")
    assert classes.usd_per_h[machinery, 0] == pytest.approx(0.009 * 60000 / 24)
    assert classes.block_share[ore, 0] == pytest.approx(0.3)


def shares_by_hand(setup: Setup) -> dict[tuple[int, int, int], float]:
    """A r^-phi_x h(r) by kind, pair and family, r the mean cost of the kind over that of the cheapest."""
    routes, base, classes = setup.routes, setup.base, setup.classes
    out = {}
    for kind in range(2):
        sectors = [s for s in range(len(classes.sectors)) if classes.kind[s] == kind]
        for q in range(routes.n_pairs):
            mean = {}
            for g in np.flatnonzero(routes.group_pair == q):
                beta = classes.block_share[sectors, q]
                both = base.family_cost[sectors, :, g]
                mean[int(routes.group_family[g])] = float(
                    (beta * both[:, 0] + (1 - beta) * both[:, 1]).mean()
                )
            for f, cost in mean.items():
                ratio = cost / min(mean.values())
                low, high = TAPER_ROAD if FAMILIES[f] in BY_TRUCK else TAPER
                x = min(max((high - ratio) / (high - low), 0.0), 1.0)
                weight = classes.family_weight[kind, classes.group[q], f]
                out[kind, q, f] = weight * ratio**-classes.phi_x * (3 * x**2 - 2 * x**3)
    return out


def test_base_by_hand(setup: Setup) -> None:
    routes, base, classes = setup.routes, setup.base, setup.classes
    share_of = shares_by_hand(setup)
    for s in range(len(classes.sectors)):
        for p in (0, 1):
            cost = cost_of_routes(classes, routes, setup.sums, s, p)
            inside = nested_by_hand(routes, setup.graph, (cost / 1000.0) ** -classes.phi)[1]
            for q in range(0, routes.n_pairs, 7):
                mine = np.array(routes.routes_of(q))
                stated, mean = [], []
                for f in sorted(set(routes.family[mine].tolist())):
                    r = mine[routes.family[mine] == f]
                    mean.append((inside[r] * cost[r]).sum())
                    stated.append(share_of[classes.kind[s], q, f])
                share = np.array(stated) / sum(stated)
                assert base.cost_segment[s, p, q] == pytest.approx((share * mean).sum(), rel=1e-12)
        beta = classes.block_share[s]
        mixed = beta * base.cost_segment[s, 0] + (1 - beta) * base.cost_segment[s, 1]
        np.testing.assert_allclose(base.cost[:, s], mixed, rtol=1e-14)


def test_no_change_changes_nothing(setup: Setup) -> None:
    choice = setup.pivot()
    np.testing.assert_allclose(choice.cost, setup.base.cost, rtol=1e-13)
    np.testing.assert_allclose(
        choice.family_share,
        np.repeat(setup.base.family_share[choice.classes.kind][:, None], 2, axis=1),
        rtol=1e-12,
    )
    assert not choice.gained.any() and not len(choice.unreachable)


def test_pivot_by_hand(setup: Setup) -> None:
    graph = disturbed(setup.graph, 3)
    choice, classes, routes, base = setup.pivot(graph), setup.classes, setup.routes, setup.base
    new = routes.sums(graph)
    s, p = 1, 0
    phi = classes.phi
    old_cost = cost_of_routes(classes, routes, setup.sums, s, p)
    new_cost = cost_of_routes(classes, routes, new, s, p)
    first = routes.group_start[:-1]
    v0, inside = nested_by_hand(routes, setup.graph, (old_cost / 1000.0) ** -phi)
    v1, _ = nested_by_hand(routes, setup.graph, (new_cost / 1000.0) ** -phi)
    mean = np.add.reduceat(inside * old_cost, first)
    changed_cost = mean * (v1 / v0) ** (-1 / phi)
    np.testing.assert_allclose(choice.family_cost[s, p], changed_cost, rtol=1e-12)
    for q in range(routes.n_pairs):
        groups = np.flatnonzero(routes.group_pair == q)
        share, k0 = base.family_share[classes.kind[s], groups], base.cost_segment[s, p, q]
        lam = classes.phi_b / k0
        part = share * np.exp(-lam * (changed_cost - mean)[groups])
        np.testing.assert_allclose(choice.family_share[s, p, groups], part / part.sum(), rtol=1e-11)
        assert choice.cost_segment[s, p, q] == pytest.approx(k0 - np.log(part.sum()) / lam, rel=1e-12)
    total = np.bincount(routes.pair, weights=choice.route_share(s, p), minlength=routes.n_pairs)
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)


def test_a_hundred_dollars_off_every_route_is_a_hundred_off_the_cost(setup: Setup) -> None:
    def off(usd: float) -> RouteSums:
        money = {side: getattr(setup.sums, side) - usd for side in ("cost_usd", "bulk_usd")}
        return replace(setup.sums, **money)

    choice = pivot(setup.base, off(0.01), setup.available)
    # Exact within a family to first order in the step, between families to any order.
    np.testing.assert_allclose(choice.cost - setup.base.cost, -0.01, rtol=0.05)
    one = np.flatnonzero(np.bincount(setup.routes.pair) == 1)
    big = pivot(setup.base, off(100.0), setup.available)
    np.testing.assert_allclose(big.cost[one], setup.base.cost[one] - 100, rtol=1e-12)


def test_dearer_arcs_never_lower_the_cost(setup: Setup) -> None:
    base_cost = setup.pivot().cost
    for arc in range(0, setup.graph.n_arcs, 13):
        more = setup.graph.time_h.copy()
        more[arc] += 24.0
        cost = setup.pivot(replace(setup.graph, time_h=more)).cost
        assert (cost >= base_cost * (1 - 1e-13)).all()


def test_derivative_of_the_cost_to_every_arc(setup: Setup) -> None:
    graph = disturbed(setup.graph, 5)
    choice = setup.pivot(graph)
    rng = np.random.default_rng(9)
    weight = rng.uniform(-1, 1, choice.cost.shape)
    bars = choice.vjp(cost_bar=weight)

    def value(changed_graph: Graph) -> float:
        return float((setup.pivot(changed_graph).cost * weight).sum())

    check_bars(graph, bars, value)


def test_derivative_of_shares_and_flows(setup: Setup) -> None:
    graph = disturbed(setup.graph, 6)
    choice = setup.pivot(graph)
    rng = np.random.default_rng(10)
    demand = rng.uniform(0.5, 2.0, choice.cost.shape)
    toll = rng.uniform(-1, 1, (graph.n_arcs, 2))
    weight = rng.uniform(-1, 1, choice.cost.shape)
    on_share = rng.uniform(-1, 1, (3, 2, setup.routes.n_routes))
    bars = choice.vjp(weight, toll, demand, lambda s, p: on_share[s, p])

    def value(changed_graph: Graph, load: Array = demand) -> float:
        after = setup.pivot(changed_graph)
        total = (after.assign(load) * toll).sum() + (after.cost * weight).sum()
        for s in range(3):
            for p in (0, 1):
                total += (after.route_share(s, p) * on_share[s, p]).sum()
        return float(total)

    check_bars(graph, bars, value)
    assert bars.demand_teu is not None
    step = np.zeros_like(demand)
    for q, s in ((3, 0), (11, 2), (40, 1)):
        step[q, s] = 1e-3
        slope = (value(graph, demand + step) - value(graph, demand - step)) / 2e-3
        assert bars.demand_teu[q, s] == pytest.approx(slope, rel=1e-6, abs=1e-7)
        step[q, s] = 0.0
    with pytest.raises(ValueError, match="demand"):
        choice.vjp(flow_bar=toll)


def check_bars(graph: Graph, bars: object, value) -> None:  # type: ignore[no-untyped-def]
    for number, side in enumerate(BARS):
        exact = getattr(bars, side)
        old = getattr(graph, side)
        scale = np.abs(exact * old).max()
        top = np.argsort(-np.abs(exact * old).ravel())[: 6 if number < 2 else 3]
        for flat in top:
            arc, product = divmod(int(flat), 2)
            step = 1e-4 * old[arc, product]
            sides = []
            for sign in (1, -1):
                moved = old.copy()
                moved[arc, product] += sign * step
                sides.append(value(replace(graph, **{side: moved})))
            slope = (sides[0] - sides[1]) / (2 * step)
            assert exact[arc, product] * old[arc, product] == pytest.approx(
                slope * old[arc, product], rel=1e-6, abs=1e-6 * scale
            )


def test_flows_balance_in_every_state(setup: Setup) -> None:
    graph, routes = setup.graph, setup.routes
    demand = np.random.default_rng(2).uniform(0.0, 100.0, setup.base.cost.shape)
    flows = setup.pivot(disturbed(graph, 8)).assign(demand).sum(axis=1)
    net = np.bincount(graph.head, flows, graph.n_states) - np.bincount(graph.tail, flows, graph.n_states)
    total = demand.sum(axis=1)
    wanted = np.bincount(routes.destination * len(LAYERS) + GATE_IN, total, graph.n_states)
    wanted -= np.bincount(routes.origin * len(LAYERS) + GATE_OUT, total, graph.n_states)
    np.testing.assert_allclose(net, wanted, atol=1e-9 * total.sum())


def pair_of(setup: Setup, origin: str, destination: str) -> int:
    names = setup.graph.places
    ends = zip(setup.routes.origin, setup.routes.destination, strict=True)
    return next(q for q, (o, d) in enumerate(ends) if (names[o], names[d]) == (origin, destination))


def test_a_new_route_raises_its_family_by_what_it_does_not_share(setup: Setup) -> None:
    # Two borders between the same places, equal in cost: shared links count 2^(1/4), the others 2.
    routes, graph = setup.routes, setup.graph
    q = pair_of(setup, "XIA", "MOS")
    two = [r for r in routes.routes_of(q) if FAMILIES[routes.family[r]] == "northern"][:2]
    available = np.zeros(routes.n_routes, dtype=bool)
    available[two[0]] = True
    same = {side: getattr(setup.sums, side).copy() for side in BARS}
    for side in same.values():
        side[:, two[1]] = side[:, two[0]]
    sums = RouteSums(**same)
    base = solve_base(routes, setup.classes, sums, available, setup.nests)
    both = available.copy()
    both[two[1]] = True
    after = pivot(base, sums, both)
    v, share = nested_by_hand(routes, graph, both.astype(float))
    g = routes.group_of_route[two[0]]
    assert 2**0.25 < v[g] < 2.0
    assert after.cost[q, 0] == pytest.approx(base.cost[q, 0] * v[g] ** (-1 / 8), rel=1e-12)
    assert after.route_share(0, 0)[two[1]] == pytest.approx(share[two[1]], rel=1e-12)


def test_limit_is_the_shortest_path() -> None:
    from test_paths import shortest

    setup = Setup(mini_world())
    steep = replace(
        setup.classes,
        rho=np.zeros(3),
        phi=1e5,
        phi_b=1e5,
        carbon_usd_per_kg=0.0,
        usd_per_h=np.repeat(np.array([[0.2], [8.0], [40.0]]), setup.routes.n_pairs, axis=1),
        block_share=np.ones((3, setup.routes.n_pairs)),
        family_weight=np.full_like(setup.classes.family_weight, 1 / 6),
    )
    # From a base where every route costs the same, only the costs of today decide.
    flat = {side: np.zeros_like(setup.sums.time_h) for side in BARS}
    flat["cost_usd"] = flat["bulk_usd"] = np.full_like(setup.sums.cost_usd, 5000.0)
    base = solve_base(setup.routes, steep, RouteSums(**flat), setup.available, setup.nests)
    choice = pivot(base, setup.sums, setup.available)
    for s, per_hour in enumerate((0.2, 8.0, 40.0)):
        cost = setup.graph.cost_usd[:, 0] + per_hour * setup.graph.time_h[:, 0]
        least = shortest(setup.graph, cost)[
            setup.routes.origin * len(LAYERS) + GATE_OUT, setup.routes.destination * len(LAYERS) + GATE_IN
        ]
        np.testing.assert_allclose(choice.cost[:, s], least, rtol=2e-4)
        along = setup.routes.over_arcs(cost[:, None])[:, 0]
        share = choice.route_share(s, 0)
        mean = np.bincount(setup.routes.pair, weights=share * along)
        np.testing.assert_allclose(mean, least, rtol=1e-3)


@pytest.mark.parametrize("phi", [4.0, 6.5, 8.0, 12.0, 60.0])
def test_every_phi_gives_the_same_formula(setup: Setup, phi: float) -> None:
    classes = replace(setup.classes, phi=phi, phi_b=50.0 if phi > 40 else 1.0)
    base = solve_base(setup.routes, classes, setup.sums, setup.available, setup.nests)
    graph = disturbed(setup.graph, 4, 0.05)
    choice = setup.pivot(graph, base)
    cost = cost_of_routes(classes, setup.routes, setup.routes.sums(graph), 0, 0)
    log = -phi * np.log(cost)
    group = setup.routes.group_of_route
    weight = np.exp(log - np.maximum.reduceat(log, setup.routes.group_start[:-1])[group])
    _, share = nested_by_hand(setup.routes, setup.graph, weight)
    np.testing.assert_allclose(choice.route_share(0, 0), share * choice.family_share[0, 0][group], rtol=1e-9)


def test_gateway_constants_move_shares_but_not_a_single_route(setup: Setup) -> None:
    constant = np.zeros((setup.routes.n_routes, len(KINDS)))
    route, gateway = setup.routes.through(setup.graph)
    post = setup.graph.gateways.index("ala-dos")
    constant[route[gateway == post]] = np.log(1.2)
    base = solve_base(setup.routes, setup.classes, setup.sums, setup.available, setup.nests, constant)
    after = pivot(base, setup.sums, setup.available, constant)
    before = setup.pivot()
    through = np.zeros(setup.routes.n_routes, dtype=bool)
    through[route[gateway == post]] = True
    assert after.route_share(0, 0)[through].sum() > before.route_share(0, 0)[through].sum()
    alone = np.bincount(setup.routes.pair)[setup.routes.pair] == 1
    q = setup.routes.pair[alone & through]
    np.testing.assert_allclose(after.cost[q], setup.base.cost[q], rtol=1e-12)


def test_a_constant_of_bulk_moves_no_goods_in_containers(setup: Setup) -> None:
    constant = np.zeros((setup.routes.n_routes, len(KINDS)))
    route, gateway = setup.routes.through(setup.graph)
    through = np.zeros(setup.routes.n_routes, dtype=bool)
    through[route[gateway == setup.graph.gateways.index("ala-dos")]] = True
    constant[through, KINDS.index("bulk")] = np.log(0.8)
    before = setup.pivot()
    base = solve_base(setup.routes, setup.classes, setup.sums, setup.available, setup.nests, constant)
    after = pivot(base, setup.sums, setup.available, constant)
    for sector, boxed in enumerate(setup.classes.in_containers):
        old, new = (c.route_share(sector, 1) for c in (before, after))
        if boxed:
            np.testing.assert_array_equal(new, old)
        else:
            assert new[through].sum() < old[through].sum()


def test_a_pair_left_without_a_route_is_reported(setup: Setup) -> None:
    none = setup.available.copy()
    none[setup.routes.pair == 4] = False
    choice = pivot(setup.base, setup.sums, none)
    assert choice.unreachable.tolist() == [4]
    assert np.isinf(choice.cost[4]).all() and np.isfinite(np.delete(choice.cost, 4, axis=0)).all()
    with pytest.raises(InfeasibleError, match="1 pairs have no route"):
        choice.require(setup.graph)
    choice.require(setup.graph, np.arange(setup.routes.n_pairs) != 4)
    assert (choice.assign(np.ones_like(choice.cost)) >= 0).all()
    base = solve_base(setup.routes, setup.classes, setup.sums, none, setup.nests)
    assert base.unreachable.tolist() == [4]
    again = pivot(base, setup.sums, setup.available)
    assert np.isfinite(again.cost).all()
    np.testing.assert_allclose(again.cost[4], setup.base.cost[4], rtol=1e-12)


def test_expected_time_and_money(setup: Setup) -> None:
    choice = setup.pivot()
    s = 0
    mean = choice.expected(s)
    beta = setup.classes.block_share[s]
    shares = [choice.route_share(s, p) for p in (0, 1)]
    q = 2
    mine = np.array(setup.routes.routes_of(q))
    hours = sum(
        b * (shares[p][mine] * setup.sums.time_h[p, mine]).sum() for p, b in ((0, beta[q]), (1, 1 - beta[q]))
    )
    assert mean[0, q] == pytest.approx(hours, rel=1e-12)
    teu = choice.family_share_of_teu()
    total = np.bincount(setup.routes.group_pair, weights=teu[s])
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)


def test_pairs_that_keep_every_family() -> None:
    kept = keeps_every_family(mini_world(), ["CHN", "KAZ", "RUS"], ["DEU", "TUR", "KAZ"])
    assert kept.tolist() == [[True, True, False], [True, True, False], [False, False, False]]


def test_same_bytes_twice(setup: Setup) -> None:
    one, two = setup.pivot(disturbed(setup.graph, 1)), setup.pivot(disturbed(setup.graph, 1))
    assert one.cost.tobytes() == two.cost.tobytes()
    assert one.assign(np.ones_like(one.cost)).tobytes() == two.assign(np.ones_like(one.cost)).tobytes()


def test_weights_of_what_has_not_changed_are_taken_from_the_base(setup: Setup) -> None:
    base = setup.base
    assert base.weights is not None
    known = Totals(base.total, base.shift, None)
    one_shut = setup.available.copy()
    one_shut[setup.routes.routes_of(5)[0]] = False
    dearer = setup.routes.sums(disturbed(setup.graph, 3))
    for sums, open_ in ((setup.sums, one_shut), (dearer, setup.available), (setup.sums, setup.available)):
        weights = replace(base.weights, sums=sums, open=open_[:, None])
        found = weights.totals_beside(base.weights, known)
        np.testing.assert_allclose(found.total, weights.totals().total, rtol=1e-14)
    assert (known.total == base.total).all()
