"""A scenario's change of real income adds up from its parts, whichever way it is split."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import landbridge as lb
from commands import Call
from landbridge.model.base import SolvedBase
from landbridge.model.mechanisms import MECHANISMS, Mechanisms
from landbridge.model.prepared import Prepared
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.studies.explain import LIMIT, Explanation, explain
from landbridge.studies.movable import NUMBERS, Lens
from landbridge.studies.shapley import shapley, subsets
from small_folder import write_small_world

EXACT = 1e-10
TABLES = ("by_modification", "by_mechanism", "by_pair")
RAIL, ROAD = "saryagash-keles", "shymkent-tashkent"
FASTER = {"verb": "change_gateway", "gateway": RAIL, "time_h": {"multiply": 0.5}}
CHEAPER = {"verb": "change_gateway", "gateway": ROAD, "cost_usd": {"add": -40.0}}
WIDER = {"verb": "change_gateway", "gateway": RAIL, "capacity": {"multiply": 2.0}}
LEVY = {"verb": "change_tariff", "exporter": "UZB", "importer": "KAZ", "tariff": {"add": 0.02}}
SHUT = {"verb": "close_gateway", "gateway": ROAD}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> lb.World:
    """Two regions, with a queue at their busiest rail border."""
    folder = tmp_path_factory.mktemp("small") / "world"
    write_small_world(folder)
    small = lb.load(folder)
    gateways = small.network["gateways"]
    queued = [{**r, "capacity_trains_per_day": 32.0} if r["gateway_id"] == RAIL else r for r in gateways]
    return small.with_network(gateways=gateways.with_rows(queued))


def scenario(*changes: dict[str, Any], id: str = "x") -> Scenario:
    return Scenario.from_dict({"name": id, "modification": list(changes)}, id)


def require_sums(found: Explanation, tables: tuple[str, ...] = TABLES) -> None:
    """Each table adds up to the change of every zone."""
    for table in tables:
        rows = getattr(found, table)
        for zone, total in found.total.items():
            mine = [row for row in rows if row["zone"] == zone]
            assert mine and abs(sum(row["change_percent"] for row in mine) - total) < EXACT, (table, zone)
            if abs(total) > 1e-6:
                assert sum(row["share"] for row in mine) == pytest.approx(1.0, abs=1e-6)


# -- Shapley values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_values_are_means_over_all_orders(n: int) -> None:
    players, draw = range(n), np.random.default_rng(n)
    game = {some: draw.normal(size=2) for some in subsets(players)}
    found = shapley(players, game.__getitem__)
    orders = list(permutations(players))
    for one in players:
        steps = [(frozenset(o[: o.index(one)]), frozenset(o[: o.index(one) + 1])) for o in orders]
        mean = np.mean([game[after] - game[before] for before, after in steps], axis=0)
        np.testing.assert_allclose(found[one], mean, atol=1e-14)
    whole = game[frozenset(players)] - game[frozenset()]
    np.testing.assert_allclose(sum(found.values()), whole, atol=1e-14)


def test_a_part_that_adds_nothing_is_zero_and_equals_share_equally() -> None:
    found = shapley("abc", lambda some: np.asarray(1.0 if {"a", "b"} <= some else 0.0))
    assert found["c"] == 0.0 and found["a"] == found["b"] == pytest.approx(0.5)


# -- a small World ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [(FASTER,), (SHUT,), (WIDER,), (LEVY,), (FASTER, CHEAPER, LEVY), (SHUT, WIDER)],
    ids=["faster", "shut", "wider", "levy", "three", "shut and wider"],
)
def test_every_split_adds_up(world: lb.World, changes: tuple[dict[str, Any], ...]) -> None:
    found = explain(world, scenario(*changes))
    assert len(found.zones) == 2
    require_sums(found)
    solved = lb.run(world, scenario(*changes))
    for row in solved.real_income_rows:
        assert found.total[str(row["region"])] == pytest.approx(row["percent"], abs=EXACT)


@pytest.mark.parametrize("seed", range(4))
def test_every_split_of_random_changes_adds_up(world: lb.World, seed: int) -> None:
    draw = np.random.default_rng(seed)
    gateways = [str(row["gateway_id"]) for row in world.network["gateways"]]
    changes = [
        {
            "verb": "change_gateway",
            "gateway": str(draw.choice(gateways)),
            "time_h": {"multiply": float(draw.uniform(0.3, 2.0))},
            "cost_usd": {"add": float(draw.uniform(0.0, 80.0))},
        }
        for _ in range(int(draw.integers(1, 4)))
    ]
    require_sums(explain(world, scenario(*changes)))


def mechanisms(world: lb.World, *changes: dict[str, Any]) -> Mechanisms:
    one = scenario(*changes)
    common = Prepared([world, apply(world, one)])
    base = SolvedBase(common, world, 0, throw=True)
    return Mechanisms(base, base.case(common.worlds[1], 1, one), 1)


@pytest.mark.parametrize(
    "changes", [(FASTER, CHEAPER, LEVY), (SHUT,), (WIDER,)], ids=["many", "shut", "wider"]
)
def test_all_mechanisms_together_are_the_solved_case(
    world: lb.World, changes: tuple[dict[str, Any], ...]
) -> None:
    found = mechanisms(world, *changes)
    exact = found.case.equilibrium[found.case.closure].real_income_hat - 1.0
    np.testing.assert_allclose(found.income(MECHANISMS), exact, atol=1e-9)


def test_nothing_that_adjusts_is_the_saving_at_given_trade(world: lb.World) -> None:
    found = mechanisms(world, FASTER)
    before, kept = found.base.results, found.kept.without_waits
    hat = np.exp(found.base.freight.log_tau(kept) - found.base.log_tau)
    saved = (before.loading.base.trade * (1.0 - hat)).sum(axis=(0, 2)) / before.loading.base.income
    np.testing.assert_allclose(found.income(()), saved, atol=1e-12)
    assert (saved > 0.0).all()
    # Hours at a border act through the routes that pass it alone.
    assert (found.income(("routes",)) >= saved).all()


def test_kept_routes_cost_as_the_base_and_choosing_again_costs_no_more(world: lb.World) -> None:
    found = mechanisms(world, FASTER, CHEAPER)
    at_base, kept = found.base.choice.cost, found.kept
    ships = np.isfinite(at_base)
    np.testing.assert_allclose(kept.kept.cost[ships], at_base[ships], rtol=1e-12)
    assert (kept.without_waits[ships] >= found._unqueued.cost[ships] * (1.0 - 1e-12)).all()
    step = mechanisms(world, {**FASTER, "time_h": {"multiply": 0.999}})
    moved, free = at_base - step.kept.without_waits, at_base - step._unqueued.cost
    # The tangent: equal for a small change.
    np.testing.assert_allclose(moved[ships], free[ships], atol=2e-3 * np.abs(free[ships]).max())


def test_the_flows_of_kept_routes_at_queues_are_those_of_the_base(world: lb.World) -> None:
    found = mechanisms(world, FASTER)
    queues = found.case.queues
    assert queues is not None and len(queues)
    results = found.base.results
    flows = found.kept.flows(results.demand_teu)
    np.testing.assert_allclose(flows, queues.flows(results.graph, results.flow_teu), rtol=1e-9)


def test_a_capacity_acts_through_the_waits_alone(world: lb.World) -> None:
    found = explain(world, scenario(WIDER), by=("mechanism",))
    for row in found.by_mechanism:
        if row["part"] == "direct":
            assert row["change_percent"] == pytest.approx(0.0, abs=1e-12)
    waits = {r["zone"]: r["change_percent"] for r in found.by_mechanism if r["part"] == "waits"}
    assert all(value > 0.0 for value in waits.values())


def test_freight_that_loses_its_route_is_counted(world: lb.World) -> None:
    pairs, teu = explain(world, scenario(SHUT), by=("mechanism",)).moved
    assert pairs > 0 and teu > 0.0
    assert explain(world, scenario(FASTER), by=("mechanism",)).moved == (0, 0.0)


def test_mechanisms_held_have_the_derivatives_of_the_sensitivity_closures(world: lb.World) -> None:
    hour = -1e-3
    step = mechanisms(world, {"verb": "change_gateway", "gateway": ROAD, "time_h": {"add": hour}})
    results, paid = step.base.results, {"trade", "transit", "rents"}
    for region in world.trade.regions:
        lens = Lens(results, region)
        (number,) = [n for n in NUMBERS["gateways"](lens) if n.id == ROAD and n.target == "time_h"]
        full, waits_held, _, routes_held = number.slopes
        n = world.trade.regions.index(region)
        for slope, on in ((full, MECHANISMS), (waits_held, paid | {"routes"}), (routes_held, paid)):
            assert slope is not None
            assert hour * slope == pytest.approx(step.income(on)[n], rel=2e-3), (region, on)
    flow = number.slopes[2]
    direct = 1e6 * float(results.loading.base.income @ step.income(()))
    # The value of trade includes freight, so a saving of freight is a smaller share of it.
    assert flow is not None and 0.8 < direct / (-hour * flow) < 1.0


# -- modifications ---------------------------------------------------------------------------------------


def test_one_modification_is_the_whole_change(world: lb.World) -> None:
    found = explain(world, scenario(FASTER), by=("modification",))
    assert [row["share"] for row in found.by_modification] == [1.0, 1.0]
    assert not found.by_mechanism and not found.by_pair and set(found.tables) == {"totals", "by_modification"}


def test_two_modifications_are_means_of_both_orders(world: lb.World) -> None:
    found = explain(world, scenario(FASTER, CHEAPER), by=("modification",), of=["UZB"])
    one, two, both = (
        next(r["percent"] for r in lb.run(world, scenario(*c)).real_income_rows if r["region"] == "UZB")
        for c in ([FASTER], [CHEAPER], [FASTER, CHEAPER])
    )
    parts = [row["change_percent"] for row in found.by_modification]
    assert parts == pytest.approx([(one + both - two) / 2, (two + both - one) / 2], abs=1e-9)


def test_modifications_that_need_each_other_are_one_part(world: lb.World) -> None:
    place = {"verb": "add_place", "id": "NEW1", "name": "Newtown", "country": "UZB", "lon": 65.0, "lat": 40.5}
    line = {
        "verb": "add_link",
        "id": "R900",
        "from": "NEW1",
        "to": "TASH",
        "mode": "rail-1520",
        "length_km": 300.0,
        "speed_kmh": 60.0,
    }
    found = explain(world, scenario(FASTER, place, line), by=("modification",))
    assert [reason for _, reason in found.grouped] == ["needed"]
    assert found.grouped[0][0].startswith("2+3 ")
    require_sums(found, ("by_modification",))
    asked = explain(world, scenario(FASTER, CHEAPER, LEVY), by=("modification",), together=[[1, 3]])
    assert [(part[:4], reason) for part, reason in asked.grouped] == [("1+3 ", "together")]


def test_parameters_of_the_model_are_in_the_base_too(world: lb.World) -> None:
    phi = {"verb": "set_parameter", "parameter": "phi", "value": 6.0}
    found = explain(world, scenario(phi, FASTER), by=("modification",))
    assert found.of_model == ("1 set_parameter phi (value)",)
    assert {row["part"][:2] for row in found.by_modification} == {"2 "}
    require_sums(found, ("by_modification",))


def test_too_many_are_grouped_by_verb_and_then_refused(world: lb.World) -> None:
    many = [{**FASTER, "time_h": {"multiply": 0.9}}] * LIMIT
    found = explain(world, scenario(*many, LEVY), by=("modification",))
    assert [reason for _, reason in found.grouped] == ["verb"]
    with pytest.raises(lb.DataError, match=f"at most {LIMIT}"):
        pieces = [[n] for n in range(1, LIMIT + 2)]
        explain(world, scenario(*many, LEVY), by=("modification",), together=pieces)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"of": ["KAS"]}, "KAS"),
        ({"of": ["wage:KAZ"]}, "not a real income"),
        ({"by": ["links"]}, "no split 'links'"),
        ({"together": [[1, 4]]}, "there is no modification 4"),
        ({"together": [[1], [1]]}, "appears twice"),
    ],
)
def test_what_is_asked_wrongly_is_refused(world: lb.World, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(lb.DataError, match=said):
        explain(world, scenario(FASTER), **asked)


def test_an_unsolved_part_is_an_error(world: lb.World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SolvedBase, "income", lambda *given: None)
    with pytest.raises(lb.ConvergenceError, match=r"x \(1\)"):
        explain(world, scenario(FASTER, CHEAPER), by=("modification",))
    real = SolvedBase.case

    def unsolved(*given: Any) -> lb.Results:
        found = real(*given)
        return replace(found, status=replace(found.status, converged=False))

    monkeypatch.setattr(SolvedBase, "case", unsolved)
    with pytest.raises(lb.ConvergenceError):
        explain(world, scenario(FASTER), by=("mechanism",))


# -- pairs and groups ------------------------------------------------------------------------------------


def test_a_group_is_the_mean_of_its_members(world: lb.World) -> None:
    found = explain(world, scenario(FASTER, LEVY), of=["KAZ", "real_income:UZB", "world"])
    assert found.zones == ("KAZ", "UZB", "world")
    require_sums(found)
    income = dict(zip(world.trade.regions, found.result.loading.base.income, strict=True))
    weight = {zone: income[zone] / sum(income.values()) for zone in ("KAZ", "UZB")}
    for part in {row["part"] for row in found.by_mechanism}:
        of = {r["zone"]: r["change_percent"] for r in found.by_mechanism if r["part"] == part}
        assert of["world"] == pytest.approx(sum(weight[z] * of[z] for z in weight), abs=1e-12)
    assert {row["part"] for row in found.by_pair if row["zone"] == "world"} <= {
        "inside",
        "payments to carriers",
    }
    assert {row["partner"] for row in found.partners if row["zone"] == "KAZ"} == {"UZB"}


def test_the_command_prints_and_writes_the_splits(
    world: lb.World, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landbridge.cli.explain.load_sound", lambda folder, rebase: world)
    file = tmp_path / "two.toml"
    file.write_text(scenario(FASTER, CHEAPER, id="two").to_toml(), encoding="utf-8")
    code, out, err = call("explain", str(file), "--rebase")
    assert code == 0, err
    for said in ("by modification", "by mechanism", "by pair of countries", "Kazakhstan", "total"):
        assert said in out
    code, out, err = call("explain", str(file), "--by", "mechanism", "--of", "UZB", "--json", "--rebase")
    assert code == 0 and '"by_mechanism"' in out and '"by_pair"' not in out
    answer = lb.explain(world, str(file), of=["UZB"], by=["mechanism"])
    printed = json.loads(out)
    assert set(printed["manifest"].pop("run")) == {"finished", "wall_s"}
    said = json.loads(json.dumps(answer.to_json()))
    assert said["manifest"].pop("run") == {} and printed == said
    assert answer.status.converged and list(answer.tables) == ["totals", "by_mechanism"]
    assert call("explain", str(file), "-o", str(tmp_path / "two.csv"), "--rebase")[0] == 0
    assert call("explain", str(file), "--together", "one")[0] == 3
    assert call("explain", "no-such-scenario")[0] == 3


# -- the embedded World ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["khorgos-closed", "gas-line-c-lost", "subsidy-end"])
def test_bundled_scenarios_add_up(name: str) -> None:
    found = explain(lb.load(), name)
    assert found.zones == ("CHN", "KAZ", "KGZ", "TJK", "TKM", "UZB")
    require_sums(found)


@pytest.mark.slow
def test_several_modifications_of_a_bundled_scenario_add_up() -> None:
    world = lb.load()
    assert len(load_scenario("middle-corridor-2030", world).modifications) == 6
    found = explain(world, "middle-corridor-2030", by=("modification",), together=[[1, 5, 6], [3, 4]])
    assert len({row["part"] for row in found.by_modification}) == 3
    require_sums(found, ("by_modification",))
