"""Trade, flows and waits as one fixed point on the embedded data, and its derivative."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import landbridge as lb
from landbridge.errors import ConvergenceError
from landbridge.model.adjoint import _through_payments, chain_gradient
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.model.run import arc_gradient
from landbridge.model.waits import solve_waits
from landbridge.results.transit import Carriers, Tolls
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.trade import solve
from landbridge.transport import pivot
from landbridge.transport.choice.delayed import DelayedChoice
from landbridge.transport.graph import GATE_IN, GATE_OUT, LAYERS
from landbridge.transport.waiting.stations import CAPACITY_COLUMNS

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


def scenario(id: str, *modifications: dict[str, Any]) -> Scenario:
    return Scenario.from_dict({"name": "a test", "modification": list(modifications)}, id)


NOTHING = scenario("nothing", {"verb": "change_gateway", "gateway": "aktau", "capacity": {"multiply": 1.0}})
TIGHT = scenario(
    "tight", {"verb": "change_gateway", "gateway": "alashankou-dostyk", "capacity": {"multiply": 0.6}}
)
WIDE = scenario(
    "wide", {"verb": "change_gateway", "gateway": "alashankou-dostyk", "capacity": {"multiply": 2.0}}
)
# A capacity where none was known: a new limit.
LIMIT = scenario("limit", {"verb": "change_gateway", "gateway": "khorgos-nur-zholy", "capacity": 50})


class Bench:
    """One study with its parts, for tests that look inside."""

    def __init__(self) -> None:
        self.world = lb.load()
        given = [NOTHING, TIGHT, WIDE, LIMIT, load_scenario("khorgos-closed", self.world)]
        self.scenarios = {s.id: s for s in given}
        self.worlds = [self.world, *(apply(self.world, s) for s in given)]
        self.common = Prepared(self.worlds)
        self.base = SolvedBase(self.common, self.world, 0, True)
        self.results = {s: self.case(s) for s in self.scenarios}

    def number(self, id: str) -> int:
        return 1 + list(self.scenarios).index(id)

    def case(self, id: str, start: FloatArray | None = None) -> lb.Results:
        n = self.number(id)
        return self.base.case(self.worlds[n], n, self.scenarios[id], start)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def waits(results: lb.Results, name: str) -> tuple[float, float]:
    row = next(r for r in results.gateway_rows if r["gateway"] == name)
    return row["wait_h"], row["volume_over_capacity"]


def test_no_change_is_exactly_nothing(bench: Bench) -> None:
    case = bench.results["nothing"]
    assert np.abs(case.cost_hat - 1.0).max() < 1e-12
    assert np.abs(case.load - bench.base.results.load).max() < 1e-12
    for closure in ("fixed", "proportional"):
        assert np.abs(case.equilibrium[closure].real_income_hat - 1.0).max() < 1e-12


@pytest.mark.parametrize("id", ["tight", "wide", "limit", "khorgos-closed"])
def test_flows_bring_forth_the_waits_they_were_solved_with(bench: Bench, id: str) -> None:
    case = bench.results[id]
    assert case.status.converged and case.queues is not None and case.load is not None
    again = case.queues.load(case.queues.flows(case.graph, case.flow_teu))
    assert np.linalg.norm(again - case.load) < 1e-9 * np.linalg.norm(case.load)
    # The part that queues touch is solved apart: the whole choice at these hours is the same.
    graph, number = case.graph, bench.number(id)
    routes = bench.common.routes
    available = routes.available(graph, number)
    whole = pivot(
        bench.base.choice,
        routes.sums(graph),
        available,
        bench.base.log_constant,
        again=routes.searched_again(number),
    )
    np.testing.assert_allclose(case.choice.cost, whole.cost, rtol=1e-12)
    np.testing.assert_allclose(whole.assign(case.demand_teu), case.flow_teu, rtol=1e-8, atol=1e-3)


def test_flows_balance_with_queues(bench: Bench) -> None:
    case = bench.results["khorgos-closed"]
    graph, flow = case.graph, case.flow_teu.sum(axis=1)
    inflow = np.bincount(graph.head, weights=flow, minlength=graph.n_states)
    outflow = np.bincount(graph.tail, weights=flow, minlength=graph.n_states)
    layer = np.arange(graph.n_states) % len(LAYERS)
    inside = (layer != GATE_OUT) & (layer != GATE_IN)
    assert np.abs(inflow - outflow)[inside].max() < 1e-9 * case.demand_teu.sum()


def test_two_starts_agree(bench: Bench) -> None:
    case = bench.results["khorgos-closed"]
    for level in (0.0, 1.5):
        again = bench.case("khorgos-closed", np.full(len(case.load), level))
        assert again.status.converged
        np.testing.assert_allclose(again.load, case.load, atol=2e-9)


def test_a_closed_post_lengthens_the_wait_at_its_neighbour(bench: Bench) -> None:
    before, after = (
        waits(r, "alashankou-dostyk") for r in (bench.base.results, bench.results["khorgos-closed"])
    )
    assert after[0] > before[0] + 5.0 and after[1] > before[1] + 0.1
    row = next(
        r
        for r in bench.results["khorgos-closed"].to_json()["gateways"]
        if r["gateway"] == "alashankou-dostyk"
    )
    assert row["base_wait_h"] == pytest.approx(before[0])
    assert row["base_volume_over_capacity"] == pytest.approx(before[1])


def test_capacity_moves_the_wait_and_the_traffic(bench: Bench) -> None:
    name = "alashankou-dostyk"
    q = bench.base.results.queues
    assert q is not None
    mine = [bench.base.results.graph.gateways[j] == name for j in q.gateway]
    delays = {}
    for id in ("tight", "wide"):
        case = bench.results[id]
        assert case.queues is not None
        delays[id] = case.queues.delay(case.load)[0][mine]
    assert (delays["tight"] > 1.0).all() and (delays["wide"] < 0.0).all()
    flow = {
        id: bench.base.results.queues.flows(r.graph, r.flow_teu)[mine].sum()
        for id, r in bench.results.items()
    }
    assert flow["tight"] < flow["nothing"] < flow["wide"]
    # What a lower capacity costs, nobody near it gains from.
    rows = {r["region"]: r["percent"] for r in bench.results["tight"].real_income_rows}
    assert rows["KAZ"] < 0.0


def test_a_limit_where_none_was_known_holds_trucks_up(bench: Bench) -> None:
    case = bench.results["limit"]
    wait, over = waits(case, "khorgos-nur-zholy")
    assert over > 1.0 and wait > waits_only(bench.base.results, "khorgos-nur-zholy") + 24.0
    assert any("khorgos-nur-zholy" in note for note in case.notes)


def waits_only(results: lb.Results, name: str) -> float:
    return next(float(r["wait_h"]) for r in results.gateway_rows if r["gateway"] == name)


@pytest.mark.slow
def test_the_whole_chain_has_the_derivative_it_says(bench: Bench) -> None:
    """Hours, money and variance of arcs, a capacity and productivities, the waits adjusting."""
    case, number = bench.results["khorgos-closed"], bench.number("khorgos-closed")
    gradient = chain_gradient(case, "real_income:KAZ")
    assert (arc_gradient(case, "KAZ").time_h == gradient.arcs.time_h).all()
    base, common, world = bench.base, bench.common, bench.worlds[number]
    graph = common.graphs[number]
    assert case.queues is not None and case.base is not None
    rng = np.random.default_rng(5)
    arcs = rng.random(graph.n_arcs) < 0.3
    names = ("time_h", "cost_usd", "variance_h2", "bulk_usd")
    way = {n: np.where(arcs[:, None], getattr(graph, n), 0.0) for n in names}
    available = common.routes.available(graph, number)
    shape = len(world.trade.regions), len(world.trade.sectors)
    turn = 0.01 * rng.normal(size=shape)
    member = world.trade.regions.index("KAZ")
    j = graph.gateways.index("alashankou-dostyk")

    def log_income(step: float) -> float:
        moved = replace(graph, **{n: getattr(graph, n) + step * v for n, v in way.items()})
        sums, again = common.routes.sums(moved), common.routes.searched_again(number)
        choice = pivot(base.choice, sums, available, base.log_constant, again=again)
        wider = case.queues.stated * np.exp(step * (case.queues.gateway == j))
        shock = base.shock(world, case.base)
        shock.productivity = np.exp(step * turn)
        queues = replace(case.queues, stated=wider)
        # The derivative holds what lost families ship to the families that carry it.
        touched = DelayedChoice(choice, common.passes(queues), case.choice.lost.host)
        found = solve_waits(touched, queues, shock.demand, lambda demand: base.slope, case.load, 1e-13)
        cost = touched.cost(found.delay_h, found.delay_h2)
        chosen = touched.settled(found.delay_h, found.delay_h2)
        paid = Tolls.of(Carriers.of(world, moved), chosen, base.freight, case.base.demand_teu)
        more = base.carriage([(paid, base.tolls)], world, chosen.cost)
        assert more is not None
        eq = solve(base.table, **shock._given(cost), carriage=more, tol=1e-13, start=shock.last)
        return float(np.log(eq.real_income_hat[member]))

    h = 1e-4
    central = (8 * (log_income(h) - log_income(-h)) - (log_income(2 * h) - log_income(-2 * h))) / (12 * h)
    adjoint = sum(float((getattr(gradient.arcs, n) * v).sum()) for n, v in way.items())
    adjoint += float(gradient.capacity[j]) + float((gradient.productivity * turn).sum())
    assert adjoint == pytest.approx(central, rel=1e-6)
    # So do payments to carriers.
    main = case.equilibrium["fixed"]
    through = _through_payments(case, main.gradient("KAZ"))
    assert through is not None
    whole = sum(float((getattr(gradient.arcs, n) * v).sum()) for n, v in way.items())
    assert abs(sum(float((getattr(through, n) * v).sum()) for n, v in way.items()) / whole) > 1e-3
    # Waits do matter: holding them fixed gives another number.
    held = case.choice.vjp(
        cost_bar=case.freight.cost_bar(case.choice.cost, case.equilibrium["fixed"].gradient("KAZ").cost)
    )
    fixed = sum(float((getattr(held, n) * v).sum()) for n, v in way.items())
    assert abs(fixed / whole - 1.0) > 1e-3
    assert gradient.capacity[j] > 0.0


def test_waits_that_are_not_found_are_no_result(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landbridge.model.waits.MOST_STEPS", 2)
    monkeypatch.setattr("landbridge.model.waits.MOST_EVALUATIONS", 2)
    with pytest.raises(ConvergenceError, match="waits at the gateways"):
        bench.case("khorgos-closed")
    monkeypatch.setattr(bench.base, "throw", False)
    case = bench.case("khorgos-closed")
    assert not case.status.converged and case.status.residual > 1e-10
    with pytest.raises(ConvergenceError):
        _ = case.real_income_rows


@pytest.mark.slow
def test_results_are_copied_to_another_process(bench: Bench) -> None:
    case = bench.results["tight"]
    twin = pickle.loads(pickle.dumps(case))
    assert twin.real_income_rows == case.real_income_rows
    # The weights stay behind; those made again are the same to rounding.
    np.testing.assert_allclose(twin.choice.assign(twin.demand_teu), case.flow_teu, rtol=1e-9, atol=1e-6)


def test_a_world_without_capacities_has_no_queues_until_a_case_gives_one() -> None:
    world = lb.load()
    gateways = world.network["gateways"]
    unknown = dict.fromkeys(CAPACITY_COLUMNS.values())
    bare = world.with_network(gateways=gateways.with_rows([{**row, **unknown} for row in gateways.rows]))
    shut = {"verb": "close_gateway", "gateway": "khorgos-altynkol"}
    limit = {"verb": "change_gateway", "gateway": "alashankou-dostyk", "capacity": 15}
    study = lb.study(bare, [scenario("shut", shut), scenario("limited", shut, limit)])
    without, within = study["shut"], study["limited"]
    assert without.load is None and chain_gradient(without, "real_income:KAZ").waits_settled == 0.0
    assert within.status.converged and within.load is not None and (within.load > 1.0).all()
    lost = [next(r["percent"] for r in s.real_income_rows if r["region"] == "KAZ") for s in (without, within)]
    assert lost[1] < lost[0] < 0.0
    assert any("the queue grows" in note for note in within.notes)
