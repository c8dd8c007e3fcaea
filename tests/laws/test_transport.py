"""What must be true of freight on the embedded network, and of `route` leg by leg."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from landbridge.errors import DataError, InfeasibleError
from landbridge.transport import (
    FAMILIES,
    Graph,
    Routes,
    RouteSet,
    Segments,
    align,
    compile_graph,
    freight_segments,
    generate,
    keeps_every_family,
    pivot,
    route,
    solve_base,
)
from landbridge.transport.freight import carried
from landbridge.transport.graph import GATE_IN, GATE_OUT, LAYERS
from landbridge.transport.routes.base_set import stored_base
from landbridge.transport.routes.nests import Nests
from landbridge.world import World
from mini_world import changed, mini_world, real_world
from test_choice import Setup, check_bars, disturbed
from test_paths import shortest

Array = NDArray[np.float64]


class Real:
    """The embedded network, all pairs of zones in different regions whose trade is on it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.graph: Graph = compile_graph(world)
        self.zones = [str(row["place_id"]) for row in world.network["zones"]]
        self.regions = [str(row["region"]) for row in world.network["zones"]]
        region = np.array(self.regions)
        self.wanted = region[:, None] != region[None, :]
        self.wanted &= carried(world, self.regions, self.regions)
        self.every = keeps_every_family(world, self.regions, self.regions)
        self.routes: RouteSet = self.generate([self.graph])
        of = dict(zip(self.zones, self.regions, strict=True))
        self.ends = [
            [of[self.graph.places[p]] for p in side] for side in (self.routes.origin, self.routes.destination)
        ]
        self.classes: Segments = freight_segments(world, self.ends[0], self.ends[1])
        self.sums = self.routes.sums(self.graph)
        self.available = self.routes.available(self.graph)
        self.nests = Nests.of(self.routes, self.graph)
        self.base = solve_base(self.routes, self.classes, self.sums, self.available, self.nests)

    def generate(self, graphs: list[Graph]) -> RouteSet:
        return generate(
            graphs, self.zones, self.zones, self.wanted, every_family=self.every, known=stored_base
        )


@pytest.fixture(scope="module")
def real() -> Real:
    world = real_world()
    if world is None:
        pytest.skip("the embedded network is not built yet")
    return Real(world)


def test_every_pair_has_a_route(real: Real) -> None:
    assert real.base.unreachable.tolist() == []


@pytest.mark.parametrize("blocs", [("china", "europe"), ("china", "turkey"), ("central-asia", "europe")])
def test_the_corridors_of_the_study(real: Real, blocs: tuple[str, str]) -> None:
    bloc = {str(row["region"]): str(row["bloc"]) for row in real.world.network["pair_groups"]}
    have = np.zeros((real.routes.n_pairs, len(FAMILIES)), dtype=bool)
    have[real.routes.group_pair, real.routes.group_family] = True
    missing = [
        (real.graph.places[real.routes.origin[q]], real.graph.places[real.routes.destination[q]], family)
        for q in range(real.routes.n_pairs)
        if {bloc[real.ends[0][q]], bloc[real.ends[1][q]]} == set(blocs)
        for family in ("northern", "trans-caspian", "southern", "sea")
        if not have[q, FAMILIES.index(family)]
    ]
    assert missing == []


def test_rival_rail_borders_of_china(real: Real) -> None:
    route_, gateway = real.routes.through(real.graph)
    north = real.routes.family[route_] == FAMILIES.index("northern")
    for post in ("khorgos-altynkol", "alashankou-dostyk"):
        on = np.zeros(real.routes.n_pairs, dtype=bool)
        on[real.routes.pair[route_[north & (gateway == real.graph.gateways.index(post))]]] = True
        start, end = (np.array(side) for side in real.ends)
        pairs = (start == "CHN") & np.isin(end, ["KAZ", "UZB", "DEU", "POL"])
        assert on[pairs].mean() > 0.8


def test_least_cost_is_found(real: Real) -> None:
    cost = real.graph.cost_usd[:, 0] + 8.0 * real.graph.time_h[:, 0]
    least = shortest(real.graph, cost)[
        real.routes.origin * len(LAYERS) + GATE_OUT, real.routes.destination * len(LAYERS) + GATE_IN
    ]
    found = real.routes.over_arcs(cost[:, None])[:, 0]
    best = np.minimum.reduceat(found, np.flatnonzero(np.diff(real.routes.pair, prepend=-1)))
    np.testing.assert_allclose(best, least, rtol=1e-4)
    assert (best >= least * (1 - 1e-12)).all()


def test_flows_balance_on_the_embedded_network(real: Real) -> None:
    graph, routes = real.graph, real.routes
    demand = np.random.default_rng(3).gamma(0.5, 1000.0, real.base.cost.shape)
    flows = pivot(real.base, real.sums, real.available).assign(demand).sum(axis=1)
    net = np.bincount(graph.head, flows, graph.n_states) - np.bincount(graph.tail, flows, graph.n_states)
    total = demand.sum(axis=1)
    net -= np.bincount(routes.destination * len(LAYERS) + GATE_IN, total, graph.n_states)
    net += np.bincount(routes.origin * len(LAYERS) + GATE_OUT, total, graph.n_states)
    assert np.abs(net).max() <= 1e-9 * total.sum()


@pytest.mark.slow
def test_derivative_on_the_embedded_network(real: Real) -> None:
    graph = disturbed(real.graph, 1, 0.05)
    rng = np.random.default_rng(4)
    weight = rng.random(real.base.cost.shape)

    def solved(g: Graph):  # type: ignore[no-untyped-def]
        return pivot(real.base, real.routes.sums(g), real.available)

    bars = solved(graph).vjp(cost_bar=weight)
    check_bars(graph, bars, lambda g: float((solved(g).cost * weight).sum()))


@pytest.mark.slow
def test_closing_a_border_leaves_every_pair_a_route(real: Real) -> None:
    shut = changed(real.world, "gateways", "gateway_id", "khorgos-altynkol", status="closed")
    graphs = align([real.world, shut])
    routes = real.generate(graphs)
    open_ = routes.available(graphs[1], 1)
    reached = np.bincount(routes.pair[open_], minlength=routes.n_pairs) > 0
    assert reached.all()
    assert not open_.all()
    sums, nests = routes.sums(graphs[0]), Nests.of(routes, graphs[0])
    base = solve_base(routes, real.classes, sums, routes.available(graphs[0]), nests)
    after = pivot(base, sums, open_)
    china = np.array(real.ends[0]) == "CHN"
    kazakhstan = np.array(real.ends[1]) == "KAZ"
    assert (after.cost[china & kazakhstan] > base.cost[china & kazakhstan]).mean() > 0.5
    gone = np.flatnonzero(graphs[1].gateway == graphs[1].gateways.index("khorgos-altynkol"))
    assert after.assign(np.ones_like(base.cost))[gone].sum() == 0.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "gateway", ["khorgos-altynkol", "alashankou-dostyk", "suez", "aktau", "brest-malaszewicze", "sarakhs"]
)
def test_no_closure_makes_a_pair_cheaper(real: Real, gateway: str) -> None:
    route_, passed = real.routes.through(real.graph)
    gateways = [n for n, name in enumerate(real.graph.gateways) if name.startswith(gateway)]
    cut = np.zeros(real.routes.n_routes, dtype=bool)
    cut[route_[np.isin(passed, gateways)]] = True
    after = pivot(real.base, real.sums, real.available & ~cut)
    assert cut.any()
    assert (after.cost_segment >= real.base.cost_segment * (1 - 1e-12)).all()
    # And opening again what was closed makes none dearer.
    shut = solve_base(real.routes, real.classes, real.sums, real.available & ~cut, real.nests)
    again = pivot(shut, real.sums, real.available)
    served = np.isfinite(shut.cost_segment)
    assert (again.cost_segment[served] <= shut.cost_segment[served] * (1 + 1e-12)).all()


def test_sets_are_the_same_bytes_twice(real: Real) -> None:
    again = real.generate([real.graph])
    assert again.arcs.tobytes() == real.routes.arcs.tobytes()
    assert again.start.tobytes() == real.routes.start.tobytes()
    assert again.family.tobytes() == real.routes.family.tobytes()


# -- routes, leg by leg ------------------------------------------------------------------------------


def added_up(routes: Routes) -> None:
    for r in routes.to_json()["routes"]:
        for side in ("time_h", "cost_usd", "co2e_kg"):
            for leg in r["legs"]:
                assert leg[side] == sum(term[side] for term in leg["terms"])
                assert leg[side] == sum(term[side] for term in reversed(leg["terms"]))
            assert r[side] == sum(leg[side] for leg in r["legs"])
            assert r[side] == sum(leg[side] for leg in reversed(r["legs"]))
        assert r["distance_km"] == sum(leg["distance_km"] for leg in r["legs"])
        for leg, following in zip(r["legs"][:-1], r["legs"][1:], strict=True):
            assert leg["to"] == following["from"] or leg["link"] == following["link"]
        assert r["time_p05_h"] <= r["time_h"] <= r["time_p95_h"]
        assert {leg["operation"] for leg in r["legs"]} <= {
            *("haul", "terminal", "transfer", "gauge_change", "border", "port", "rest")
        }


def test_terms_add_up_to_legs_and_legs_to_routes() -> None:
    world = mini_world()
    for origin, destination in (("Xian", "Berlin"), ("BER", "XIA"), ("Almaty", "IST"), ("AKT", "BAK")):
        routes = route(world, origin, destination, k=99)
        added_up(routes)
        assert sum(r.share for r in routes) == pytest.approx(1.0)
        json.dumps(routes.to_json())


def test_leaders_of_every_family_come_first_and_shares_fall() -> None:
    world = mini_world()
    everything = route(world, "XIA", "BER", k=50)
    few = route(world, "XIA", "BER", k=5)
    assert len(few) == 5
    assert len({r.family for r in few}) == 5
    assert [r.share for r in few] == sorted((r.share for r in few), reverse=True)
    for r in few:
        assert r.share == max(x.share for x in everything if x.family == r.family)
    by_family: dict[str, float] = {}
    for r in everything:
        by_family[r.family] = by_family.get(r.family, 0.0) + r.share
    for r in everything:
        assert by_family[r.family] == pytest.approx(r.family_share)


def test_mode_classes() -> None:
    world = mini_world()
    found = {r.family: r.mode_class for r in route(world, "XIA", "BER", k=9)}
    assert found["northern"] == "rail" and found["trans-caspian"] == "multimodal"
    assert found["road"] == "road" and found["sea"] == "sea"
    assert {r.mode_class for r in route(world, "AKT", "BAK", k=9)} >= {"sea"}
    assert {r.mode_class for r in route(world, "XIA", "BER", mode="rail")} == {"rail"}
    with pytest.raises(InfeasibleError, match="rail"):
        route(changed(world, "links", "mode", "road", status="closed"), "XIA", "BER", mode="road")


def test_crossing_gives_a_haul_and_a_border_leg() -> None:
    r = next(r for r in route(mini_world(), "XIA", "MOS", k=9) if "ala-dos" in r.gateways)
    legs = [leg for leg in r.legs if leg.link == "R2"]
    assert [leg.operation for leg in legs] == ["haul", "border"]
    assert legs[1].time_h == 10.0 and legs[1].distance_km == 0.0


def test_questions_that_cannot_be_answered() -> None:
    world = mini_world()
    with pytest.raises(DataError, match="no place"):
        route(world, "Atlantis", "BER")
    with pytest.raises(DataError, match=r"(?s)commodity.*k.*mode"):
        route(world, "XIA", "BER", commodity="MHC", k=0, mode="air")
    with pytest.raises(DataError, match="both ends"):
        route(world, "XIA", "Xian")
    for mode in ("sea", "ferry", "rail-1435", "rail-1520", "road"):
        world = changed(world, "links", "mode", mode, status="closed")
    with pytest.raises(InfeasibleError, match="no open route"):
        route(world, "XIA", "BER")


def test_a_domestic_pair_and_places_that_are_no_zones() -> None:
    assert len(route(mini_world(), "XIA", "ALA")) >= 1
    assert len(route(mini_world(), "DOS", "KHO")) >= 1


def test_the_frame_has_a_row_per_leg() -> None:
    routes = route(mini_world(), "XIA", "BER", k=2)
    frame = routes.frame()
    assert len(frame) == sum(len(r.legs) for r in routes)
    assert frame["time_h"].sum() == pytest.approx(sum(r.time_h for r in routes))


@pytest.mark.slow
def test_embedded_routes_add_up(real: Real) -> None:
    places = list(real.graph.places)
    rng = np.random.default_rng(6)
    for _ in range(12):
        a, b = rng.choice(len(places), 2, replace=False)
        try:
            routes = route(real.world, places[a], places[b], commodity="TEX", k=4)
        except InfeasibleError:
            continue
        added_up(routes)


def test_both_directions_without_asymmetric_borders_cost_the_same() -> None:
    setup = Setup(mini_world())
    same = replace(
        setup.graph, **{s: 0.5 * (v + v[setup.graph.reverse]) for s, v in costs_of(setup.graph).items()}
    )
    base = solve_base(setup.routes, setup.classes, setup.routes.sums(same), setup.available, setup.nests)
    pairs = {
        (int(o), int(d)): q
        for q, (o, d) in enumerate(zip(setup.routes.origin, setup.routes.destination, strict=True))
    }
    for (o, d), q in pairs.items():
        back = pairs[d, o]
        if np.array_equal(setup.classes.usd_per_h[:, q], setup.classes.usd_per_h[:, back]):
            np.testing.assert_allclose(base.cost[q], base.cost[back], rtol=1e-9)


def costs_of(graph: Graph) -> dict[str, Array]:
    return {
        side: getattr(graph, side) for side in ("time_h", "cost_usd", "co2e_kg", "variance_h2", "bulk_usd")
    }
