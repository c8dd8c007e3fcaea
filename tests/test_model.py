"""The chain on the embedded data: laws that must hold from a border's hours to a country's real income."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.errors import ScenarioError
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.results.manifest import manifest, scenarios_of
from landbridge.scenario import Scenario, apply
from landbridge.trade import solve
from landbridge.trade.growth import grown
from landbridge.transport import network_share
from landbridge.transport.graph import GATE_IN, GATE_OUT, LAYERS
from landbridge.transport.routes.route_set import RouteSums

FIVE = ("KAZ", "KGZ", "TJK", "TKM", "UZB")


def scenario(id: str, *modifications: dict[str, Any]) -> Scenario:
    return Scenario.from_dict({"name": "a test", "modification": list(modifications)}, id)


NOTHING = scenario("nothing", {"verb": "change_gateway", "countries": "KAZ", "time_h": {"multiply": 1.0}})
NEW_LINE = scenario(
    "new-line",
    {"verb": "add_link", "from": "Urumqi", "to": "Almaty", "mode": "road", "length_km": 950, "speed_kmh": 80},
)
BACI = scenario("baci", {"verb": "set_parameter", "parameter": "kgz_trade", "value": "baci"})


@pytest.fixture(scope="module")
def world() -> lb.World:
    return embedded.world()


@pytest.fixture(scope="module")
def study(world: lb.World) -> lb.Study:
    return lb.study(world, ["cku-railway", "borders-half", "khorgos-closed", NOTHING, NEW_LINE, BACI])


def income(results: lb.Results) -> dict[str, float]:
    return {row["region"]: row["percent"] for row in results.real_income_rows}


# -- no change, small change ---------------------------------------------------------------------------


def test_no_change_is_nothing(study: lb.Study) -> None:
    same = study["nothing"]
    assert np.abs(same.cost_hat - 1.0).max() < 1e-12
    for closure in ("fixed", "proportional"):
        assert np.abs(same.equilibrium[closure].real_income_hat - 1.0).max() < 1e-12
    assert np.abs(same.flow_teu - study.base.flow_teu).max() < 1e-6
    assert study.base.equilibrium["fixed"].status.rebase < 1e-9


def test_only_pairs_on_the_network_change_cost(study: lb.Study) -> None:
    for case in study.cases[:3]:
        regions, sectors = case.world.trade.regions, case.world.trade.sectors
        off = [regions.index(r) for r in ("ARM", "JPN", "KOR", "ROW", "USA")]
        services = [sectors.index(s) for s in ("CON", "TTS", "OSR")]
        diagonal = np.arange(len(regions))
        for still in (
            case.cost_hat[off],
            case.cost_hat[:, off],
            case.cost_hat[:, :, services],
            case.cost_hat[diagonal, diagonal],
        ):
            assert (still == 1.0).all()


def test_gas_in_a_pipe_gains_nothing_from_a_border(study: lb.Study) -> None:
    hat = study["borders-half"].cost_hat
    regions, sectors = study.base.world.trade.regions, study.base.world.trade.sectors
    tkm, chn, ene = regions.index("TKM"), regions.index("CHN"), sectors.index("ENE")
    assert hat[tkm, chn, ene] == 1.0
    assert hat[tkm, regions.index("TUR"), sectors.index("TEX")] < 0.999


def test_first_order_is_near_where_the_change_is_small(study: lb.Study) -> None:
    for case in study.cases[:2]:
        paid = {row["region"]: row["gain_musd"] for row in case.transit_rows}
        for row in case.real_income_rows:
            # What carriers gain or lose may outweigh what trade gains: the error is small beside both.
            gain = paid.get(row["region"], 0.0)
            both = 100.0 * (abs(gain) + abs(row["musd"] - gain)) / row["income_musd"]
            assert row["first_order_percent"] == pytest.approx(row["percent"], abs=0.05 * both + 2e-4)


# -- signs ----------------------------------------------------------------------------------------------


def test_quicker_borders_raise_real_income_of_all_five(study: lb.Study) -> None:
    case = study["borders-half"]
    assert all(income(case)[region] > 0.01 for region in FIVE)
    ratio = case.choice.cost / study.base.choice.cost
    # At the waits of the base no pair is dearer. A pair that uses none of these borders can meet a longer
    # queue elsewhere: few do, by little (Tbilisi - Erzurum by 0.2 % at Kars).
    assert_none_is_dearer(study, case)
    assert (ratio > 1 + 1e-12).mean() < 0.06 and (ratio > 1.001).mean() < 3e-4 and ratio.max() < 1.0025
    assert {row["group"]: row["percent"] > 0 for row in case.group_rows} == {"CA5": True, "world": True}


@pytest.mark.slow
def test_the_range_of_the_response_is_that_of_the_parameter(world: lb.World) -> None:
    """An end of phi_b solved beside the base, against a scenario that sets it and has a base of its own."""
    closed = {"verb": "close_gateway", "gateway": "khorgos-altynkol"}
    case = lb.run(world, scenario("closed", closed), response=True)
    row = next(row for row in world.network["parameters"] if row["parameter"] == "phi_b")
    given = {"verb": "set_parameter", "parameter": "phi_b", "value": float(row["high"] or 0.0)}
    plain = lb.run(world, scenario("closed-high", given, closed))
    own = income(plain)
    for each in case.real_income_rows:
        assert each["percent_phi_b_high"] == pytest.approx(own[each["region"]], abs=2e-8)
    kaz = next(each for each in case.real_income_rows if each["region"] == "KAZ")
    # A loss is smaller the more easily freight finds another way.
    assert kaz["percent_phi_b_low"] < kaz["percent"] < kaz["percent_phi_b_high"] < 0.0
    assert "percent_phi_b_low" not in plain.real_income_rows[0]


def test_percent_of_income_and_of_gdp(study: lb.Study) -> None:
    """Income is GDP and the trade deficit; GDP is the published one."""
    case = study["cku-railway"]
    published = {str(row["region"]): float(row["gdp_musd"] or 0.0) for row in case.world.regions}
    for row in case.real_income_rows:
        assert row["gdp_musd"] == pytest.approx(published[row["region"]], rel=1e-9)
        assert row["musd"] == pytest.approx(row["percent"] / 100 * row["income_musd"], rel=1e-12)
        assert row["percent_of_gdp"] * row["gdp_musd"] == pytest.approx(
            row["percent"] * row["income_musd"], rel=1e-12
        )
    table = case.equilibrium["fixed"].base
    np.testing.assert_allclose(table.income - table.gdp, table.deficits, rtol=0, atol=1e-6)
    kgz = next(row for row in case.real_income_rows if row["region"] == "KGZ")
    assert kgz["percent_of_gdp"] > 1.5 * kgz["percent"] > 0.0
    world = next(row for row in case.group_rows if row["group"] == "world")
    assert world["percent_of_gdp"] == pytest.approx(world["percent"], rel=1e-9)


def test_a_closed_post_carries_nothing_and_costs_something(study: lb.Study) -> None:
    case = study["khorgos-closed"]
    flows = {row["gateway"]: row["teu_per_year"] for row in case.gateway_rows}
    assert flows["khorgos-altynkol"] == flows["khorgos-nur-zholy"] == 0.0
    assert any("move to the cheapest family left" in note for note in case.notes)
    assert income(case)["KAZ"] < -0.01
    before = {row["gateway"]: row["teu_per_year"] for row in study.base.gateway_rows}
    assert flows["alashankou-dostyk"] > before["alashankou-dostyk"]


def assert_none_is_dearer(study: lb.Study, case: lb.Results) -> None:
    """At the waits of the base."""
    assert case.unqueued is not None
    assert (case.unqueued.cost <= study.base.choice.cost * (1 + 1e-12)).all()


def test_every_new_line_moves_a_share(study: lb.Study) -> None:
    # A new route hurts no pair; a longer wait at a border that it leads to can: with the railway boxes wait
    # 56 h at Akhalkalaki - Kars, 48 h before, and so do those between the Caucasus and Turkey.
    told = (("cku-railway", "torugart-rail", 0.05, 1.045), ("new-line", None, 0.02, 1.01))
    for name, gateway, share, most in told:
        case = study[name]
        assert_none_is_dearer(study, case)
        assert np.abs(case.choice.family_share - study.base.choice.family_share).max() > 1e-4
        ratio = case.choice.cost / study.base.choice.cost
        assert (ratio > 1.001).mean() < share and ratio.max() < most and ratio.min() < 0.9
        if gateway:
            flow = {row["gateway"]: row["teu_per_year"] for row in case.gateway_rows}[gateway]
            assert flow > 1000.0
        assert case.choice.gained.mean() < 1e-3


# -- conservation ---------------------------------------------------------------------------------------


def test_flows_balance_at_every_state(study: lb.Study) -> None:
    for case in (study.base, study["cku-railway"]):
        graph, flow = case.graph, case.flow_teu.sum(axis=1)
        inflow = np.bincount(graph.head, weights=flow, minlength=graph.n_states)
        outflow = np.bincount(graph.tail, weights=flow, minlength=graph.n_states)
        layer = np.arange(graph.n_states) % len(LAYERS)
        inside = (layer != GATE_OUT) & (layer != GATE_IN)
        total = case.demand_teu.sum()
        assert np.abs(inflow - outflow)[inside].max() < 1e-9 * total
        assert outflow[layer == GATE_OUT].sum() == pytest.approx(total, rel=1e-9)


def test_boxes_hold_the_value_that_moves_on_the_network(study: lb.Study) -> None:
    base = study.base
    sectors = base.choice.classes.sectors
    eta = network_share(base.world, sectors)
    at = [base.world.trade.sectors.index(s) for s in sectors]
    value = (eta * base.equilibrium["fixed"].trade[:, :, at]).sum(axis=(0, 1))
    held = (base.demand_teu * base.freight.usd_per_teu).sum(axis=0) / 1e6
    np.testing.assert_allclose(held, value, rtol=1e-9)


def test_corridors_and_gateways_add_up(study: lb.Study) -> None:
    base = study.base
    corridors = {row["corridor"] for row in base.corridor_rows}
    assert len(corridors) == 12
    for corridor in corridors:
        parts = [r for r in base.corridor_rows if r["corridor"] == corridor]
        whole = next(r for r in parts if r["family"] == "all")
        families = [r for r in parts if r["family"] != "all"]
        assert sum(r["share"] for r in families) == pytest.approx(1.0, abs=1e-9) and whole["share"] == (
            pytest.approx(1.0, abs=1e-9)
        )
        for key in ("time_h", "cost_usd", "co2e_kg"):
            assert whole[key] == pytest.approx(sum(r["share"] * r[key] for r in families), rel=1e-9)
    for row in base.gateway_rows:
        if row["teu_block"] is not None:
            assert row["teu_per_year"] == pytest.approx(row["teu_block"] + row["teu_wagonload"])
            least = row["teu_block"] / (108 * 365)
            assert least * (1 - 1e-9) <= row["trains_per_day"] <= 2 * least + 1e-9
    whole = {row["mode"]: row for row in base.emission_rows}
    assert whole["all"]["co2e_kt"] == pytest.approx(
        sum(row["co2e_kt"] for mode, row in whole.items() if mode != "all"), rel=1e-9
    )


def test_every_observed_count_says_what_it_is(study: lb.Study) -> None:
    rows = {row["gateway"]: row for row in study.base.count_rows if row["unit"] == "trains/year"}
    two = rows["khorgos-altynkol+alashankou-dostyk"]
    assert two["observed"] == 14398 and two["role"] == "fitted"
    assert rows["khorgos-altynkol"]["role"] == "fitted" and rows["alashankou-dostyk"]["role"] == "predicted"
    parts = rows["khorgos-altynkol"]["ours"] + rows["alashankou-dostyk"]["ours"]
    assert two["ours"] == pytest.approx(parts)


# -- the share of trade on the network ------------------------------------------------------------------


def test_network_share_follows_the_most_exact_row(world: lb.World) -> None:
    sectors = tuple(str(r["sector"]) for r in world.network["sector_freight"])
    eta = network_share(world, sectors)
    r, s = world.trade.regions.index, sectors.index
    assert eta[r("KAZ"), r("CHN"), s("ENE")] == 0.05
    assert eta[r("KAZ"), r("DEU"), s("ENE")] == 0.12
    assert eta[r("RUS"), r("KGZ"), s("REF")] == 1.0
    assert eta[r("DEU"), r("CHN"), s("ELE")] == 0.5
    # Trade inside Europe is not on the network.
    assert eta[r("DEU"), r("FRA")].max() == 0.0
    # Overland pairs ship by land most of what flies elsewhere: 0.5 + 0.7 x 0.5.
    assert eta[r("CHN"), r("KAZ"), s("ELE")] == pytest.approx(0.85)
    assert eta[r("KGZ"), r("CHN"), s("MET")] == 0.25
    assert eta[r("USA")].max() == eta[:, r("JPN")].max() == 0.0
    assert eta.min() >= 0.0 and eta.max() <= 1.0


# -- derivatives ----------------------------------------------------------------------------------------


def test_trade_cost_and_demand_have_exact_transposes(study: lb.Study) -> None:
    base = study.base
    freight, cost = base.freight, base.choice.cost
    rng = np.random.default_rng(3)
    step = rng.normal(size=cost.shape) * cost
    bar = rng.normal(size=(freight.n_regions, freight.n_regions, freight.n_sectors))
    h = 1e-5
    central = (freight.log_tau(cost + h * step) - freight.log_tau(cost - h * step)) / (2 * h)
    assert float((bar * central).sum()) == pytest.approx(
        float((freight.cost_bar(cost, bar) * step).sum()), rel=1e-6
    )
    value = rng.uniform(size=bar.shape)
    on_pairs = rng.normal(size=cost.shape)
    assert float((freight.demand_teu(value) * on_pairs).sum()) == pytest.approx(
        float((value * freight.value_bar(on_pairs)).sum()), rel=1e-10
    )


def test_the_chain_has_the_derivative_it_says(world: lb.World) -> None:
    """d ln W_KAZ by the hours and money of chosen arcs at held waits, against central differences.

    With waits that adjust: tests/test_congestion.py.
    """
    common = Prepared([world])
    base = SolvedBase(common, world, 0, True)
    case = base.case(world, 0, NOTHING)
    by_cost = case.equilibrium["fixed"].gradient("real_income:KAZ").cost
    bars = case.choice.vjp(cost_bar=case.freight.cost_bar(case.choice.cost, by_cost))
    table, graph = world.trade, common.graphs[0]
    member = table.regions.index("KAZ")
    rng = np.random.default_rng(5)
    arcs = rng.random(graph.n_arcs) < 0.3
    way = {name: np.where(arcs[:, None], getattr(graph, name), 0.0) for name in ("time_h", "cost_usd")}

    def log_income(step: float) -> float:
        moved = replace(graph, **{k: getattr(graph, k) + step * v for k, v in way.items()})
        sums: RouteSums = common.routes.sums(moved)
        available = common.routes.available(moved)
        from landbridge.transport import pivot

        choice = pivot(base.choice, sums, available, base.log_constant)
        hat = np.exp(base.freight.log_tau(choice.cost) - base.log_tau)
        return float(np.log(solve(table, cost_hat=hat, tol=1e-12).real_income_hat[member]))

    h = 1e-3
    central = (8 * (log_income(h) - log_income(-h)) - (log_income(2 * h) - log_income(-2 * h))) / (12 * h)
    adjoint = sum(float((getattr(bars, k) * v).sum()) for k, v in way.items())
    assert adjoint == pytest.approx(central, rel=1e-6)


# -- bases, faults, repetition --------------------------------------------------------------------------


def test_a_variant_of_the_trade_table_has_a_base_of_its_own(study: lb.Study) -> None:
    case = study["baci"]
    assert case.base is not None and case.base is not study.base
    assert max(abs(v) for v in income(case).values()) < 1e-10
    trade = [
        {(r["exporter"], r["importer"]): r["base_musd"] for r in one.trade_rows}["CHN", "KGZ"]
        for one in (case, study["cku-railway"])
    ]
    assert trade[0] > 2.5 * trade[1]


@pytest.mark.slow
def test_every_parameter_that_is_set_has_an_effect(world: lb.World, study: lb.Study) -> None:
    """detour_max holds for routes over what a scenario opens; the base is what it was."""
    line = dict(NEW_LINE.to_dict()["modification"][0])
    nearer = {"verb": "set_parameter", "parameter": "detour_max", "value": 1.1}
    fewer = lb.run(world, scenario("few", line, nearer))
    assert fewer.base is not None
    one, two = (int(case.choice.available.sum()) for case in (fewer.base, study.base))
    assert one == two
    more = int(study["new-line"].choice.available.sum())
    assert one < int(fewer.choice.available.sum()) < more


@pytest.mark.slow
def test_a_closure_that_cuts_a_zone_off_is_refused_by_name(world: lb.World) -> None:
    with pytest.raises(ScenarioError) as caught:
        lb.run(world, scenario("cut", {"verb": "close_gateway", "countries": "MNG"}))
    told = " ".join(str(fault) for fault in caught.value.faults)
    assert caught.value.exit_code == 3 and "without a route" in caught.value.message
    assert any(str(z["place_id"]) in told for z in world.network["zones"] if z["region"] == "MNG")


def test_a_scenario_does_not_depend_on_its_company(world: lb.World, study: lb.Study) -> None:
    alone = lb.run(world, "cku-railway")
    assert alone.base is not None
    for one, two in ((alone, study["cku-railway"]), (alone.base, study.base)):
        flows = [{r["gateway"]: r["teu_per_year"] for r in x.gateway_rows} for x in (one, two)]
        assert flows[0].keys() == flows[1].keys()
        for gateway, teu in flows[0].items():
            assert teu == pytest.approx(flows[1][gateway], rel=1e-9, abs=1e-3), gateway
    for a, b in zip(alone.real_income_rows, study["cku-railway"].real_income_rows, strict=True):
        assert a["percent"] == pytest.approx(b["percent"], rel=1e-6, abs=1e-9)


@pytest.mark.slow
def test_two_scenarios_may_call_different_lines_by_one_name(world: lb.World) -> None:
    one, two = (
        scenario(
            name,
            {
                "verb": "add_link",
                "from": a,
                "to": b,
                "mode": "road",
                "length_km": km,
                "id": "NEW",
                "speed_kmh": 70,
            },
        )
        for name, a, b, km in (("one", "Kashgar", "Osh", 500), ("two", "Urumqi", "Almaty", 950))
    )
    both, alone = lb.study(world, [one, two])["two"], lb.run(world, two)
    for a, b in zip(both.real_income_rows, alone.real_income_rows, strict=True):
        assert a["percent"] == pytest.approx(b["percent"], rel=1e-6, abs=1e-9)


def test_a_world_without_transit_is_a_base_of_its_own(world: lb.World) -> None:
    closed = apply(world, "northern-closed")
    still = scenario("still", {"verb": "change_productivity", "region": "KAZ", "percent": 0.0})
    case = lb.run(closed, still)
    assert not case.choice.gained.any()
    assert max(abs(v) for v in income(case).values()) < 1e-8


@pytest.mark.slow
def test_a_world_that_holds_a_tariff_is_a_base_with_it(world: lb.World) -> None:
    shut = scenario("tariff", {"verb": "change_tariff", "exporter": "CHN", "importer": "KAZ", "tariff": 0.3})
    taxed = apply(world, shut)
    base = lb.run(taxed)
    assert max(abs(v) for v in income(base).values()) < 1e-8
    both = lb.run(taxed, "borders-half")
    row = next(r for r in both.real_income_rows if r["region"] == "KAZ")
    assert row["percent"] == pytest.approx(row["first_order_percent"], rel=0.05) and row["percent"] > 0.0


@pytest.mark.slow
def test_a_link_that_leads_nowhere_is_told(world: lb.World) -> None:
    spur = {"verb": "add_link", "from": "Kashgar", "to": "Makmal", "mode": "rail-1435", "length_km": 344}
    case = lb.run(world, scenario("spur", spur))
    assert any("nothing uses KHG-MAK-rail-1435" in note for note in case.notes)


@pytest.mark.slow
def test_transit_ends_and_own_trade_goes_on(world: lb.World, monkeypatch: pytest.MonkeyPatch) -> None:
    # What lost families ship must not go back and forth between families that cost the same.
    monkeypatch.setattr("landbridge.model.waits.MOST_STEPS", 14)
    monkeypatch.setattr("landbridge.model.waits.MOST_EVALUATIONS", 1)
    case = lb.run(world, "northern-closed")
    assert case.base is not None
    new, old = ({r["gateway"]: r["teu_per_year"] for r in x.gateway_rows} for x in (case, case.base))
    # Brest carries the trade of Russia and Belarus with the west, and nothing from further east.
    assert 0.0 < new["brest-malaszewicze"] < old["brest-malaszewicze"]
    moved = {(r["corridor"], r["family"]): r["share"] for r in case.corridor_rows}
    assert ("chongqing-duisburg", "northern") not in moved
    assert moved["almaty-moscow", "all"] == pytest.approx(1.0)
    assert income(case)["KAZ"] < -0.3


@pytest.mark.slow
def test_the_end_of_a_subsidy_is_a_cost_of_container_trains(world: lb.World) -> None:
    case = lb.run(world, "subsidy-end")
    assert case.base is not None
    trains = [
        next(r["trains_per_day"] for r in x.gateway_rows if r["gateway"] == "khorgos-altynkol")
        for x in (case, case.base)
    ]
    assert trains[0] < trains[1]
    # At the waits of the base nobody gains. Where fewer trains wait, those who stay gain a little of it back,
    # at Akhalkalaki - Kars three quarters of an hour.
    ratio = case.choice.cost / case.base.choice.cost
    assert case.unqueued is not None
    assert (case.unqueued.cost >= case.base.choice.cost * (1 - 1e-12)).all()
    assert (ratio < 1 - 1e-12).mean() < 0.5 and ratio.min() > 0.993 and ratio.max() > 1.01


def test_faults_of_several_scenarios_come_together(world: lb.World) -> None:
    one = scenario("one", {"verb": "close_link", "link": "R99999"})
    two = scenario("two", {"verb": "close_gateway", "gateway": "nowhere"})
    with pytest.raises(ScenarioError) as caught:
        lb.study(world, [one, two, "cku-railwy"])
    assert len(caught.value.faults) == 3


@pytest.mark.slow
def test_a_carbon_price_moves_freight_off_the_road(world: lb.World) -> None:
    priced = scenario(
        "carbon", {"verb": "set_parameter", "parameter": "carbon_price_usd_per_kg", "value": 0.2}
    )
    case = lb.run(world, priced)
    assert case.base is not None
    new, old = ({r["mode"]: r["million_teu_km"] for r in x.emission_rows} for x in (case, case.base))
    assert new["road"] < 0.99 * old["road"]
    assert income(case)["KAZ"] < 0.0


@pytest.mark.slow
def test_the_same_manifest_gives_the_same_bits(world: lb.World, study: lb.Study) -> None:
    ran = [case.scenario for case in study.cases[:2] if case.scenario is not None]
    written = json.loads(json.dumps(manifest(world, "run", ran)))
    again = lb.study(lb.load(), scenarios_of(written, world, "a manifest"))
    first = lb.study(world, ran)
    for one, two in zip((first.base, *first.cases), (again.base, *again.cases), strict=True):
        assert json.dumps(one.to_json()) == json.dumps(two.to_json())


def test_value_added_before_and_after(study: lb.Study) -> None:
    case = study["cku-railway"]
    both = case.compare().value_added.set_index("region")
    for prefix, results in (("base_", study.base), ("", case)):
        # Before carriers are paid more or less than in the base.
        eq = results.loading
        abroad = eq.trade.sum(axis=(1, 2)) - np.einsum("nns->n", eq.trade)
        assert np.allclose(both[f"{prefix}exports_musd"], abroad, rtol=1e-9)
        # Own work in exports is what is used abroad and what comes home again.
        assert (both[f"{prefix}value_added_exports_musd"] <= both[f"{prefix}domestic_in_exports_musd"]).all()
        assert (both[f"{prefix}domestic_in_exports_musd"] < both[f"{prefix}exports_musd"]).all()
    # The railway raises what Kyrgyz work earns abroad, by less than it raises gross exports.
    kyrgyz = both.loc["KGZ"]
    more = kyrgyz.value_added_exports_musd - kyrgyz.base_value_added_exports_musd
    assert 0.0 < more < kyrgyz.exports_musd - kyrgyz.base_exports_musd
    rows = {row["region"]: row for row in case.to_json()["value_added"]}
    assert rows["KGZ"]["base_vax_ratio"] == kyrgyz.base_vax_ratio
    assert {row["region"] for row in study.base.to_json()["value_added"]} == set(rows)


def test_the_tables_of_the_interface(study: lb.Study) -> None:
    pd = pytest.importorskip("pandas")
    both = study["cku-railway"].compare()
    assert {"region", "percent", "first_order_percent", "percent_proportional"} <= set(both.real_income)
    assert {"exporter", "importer", "percent", "musd"} <= set(both.trade)
    assert {"from", "to", "family", "share", "base_time_h", "time_h", "base_co2e_kg"} <= set(both.corridors)
    assert {"gateway", "trains_per_day", "base_teu_per_year", "wait_h"} <= set(both.gateways)
    assert {"mode", "co2e_kt", "base_co2e_kt"} <= set(both.emissions)
    assert {"region", "vax_ratio", "base_vax_ratio"} <= set(both.value_added)
    skims = study.base.skims("TEX")
    assert isinstance(skims, pd.DataFrame) and len(skims) == study.base.choice.base.routes.n_pairs
    assert (skims.generalised_cost_usd >= skims.cost_usd - 1e-9).mean() > 0.99
    text = json.dumps(study["cku-railway"].to_json(), allow_nan=False)
    assert "Infinity" not in text


# -- transit by commodity, a later year -----------------------------------------------------------------


@pytest.mark.slow
def test_transit_ends_for_some_sectors_and_the_others_keep_their_routes(world: lb.World) -> None:
    some = ("MCH", "ELE", "VEH")
    ban = {"verb": "close_transit", "countries": ["RUS", "BLR"]}
    cases = lb.study(world, ["northern-closed", scenario("part", {**ban, "sector": list(some)})])
    full, part, base = cases["northern-closed"], cases["part"], cases.base
    marked = np.array([sector in some for sector in part.choice.classes.sectors])
    # The same routes: at the waits of the base costs are equal. The waits differ with what else crosses.
    assert part.unqueued is not None and full.unqueued is not None
    at_base = part.unqueued.cost
    np.testing.assert_allclose(at_base[:, marked], full.unqueued.cost[:, marked], rtol=1e-12)
    np.testing.assert_allclose(at_base[:, ~marked], base.choice.cost[:, ~marked], rtol=1e-12)
    assert income(full)["KAZ"] < income(part)["KAZ"] < 0.0
    # What is loaded is what was chosen: the boxes of all sectors arrive.
    sent = part.demand_teu.sum()
    assert part.choice.route_flows(part.demand_teu).sum() == pytest.approx(sent, rel=1e-9)


def test_a_ban_on_every_sector_is_the_ban_without_sectors(world: lb.World) -> None:
    ban = {"verb": "close_transit", "countries": "RUS"}
    assert apply(world, scenario("a", ban)).hash == apply(world, scenario("b", {**ban, "sector": "*"})).hash


def test_a_ban_by_sector_is_a_scenario_and_no_base(world: lb.World) -> None:
    ban = {"verb": "close_transit", "countries": "RUS", "sector": "MCH"}
    with pytest.raises(ScenarioError, match="same routes for all sectors"):
        lb.run(apply(world, scenario("part", ban)))


def test_the_base_of_a_later_year_has_the_stated_sizes(world: lb.World) -> None:
    later = lb.run(lb.at_horizon(world, 2024))
    table = later.equilibrium["fixed"].table()

    def size(of: lb.TradeTable) -> np.ndarray:
        return (of.value_added_share * of.trade.sum(axis=1)).sum(axis=1)

    growth = {str(r["region"]): r["gdp_hat"] for r in world.network["growth"] if r["year"] == 2024}
    stated = np.array([growth[region] for region in table.regions])
    np.testing.assert_allclose(size(table) / size(world.trade), stated, rtol=1e-7)
    assert all(row["year"] == 2024 and row["role"] == "predicted" for row in later.count_rows)
    assert lb.at_horizon(world, 2023).hash == world.hash


def test_growth_that_is_even_changes_sizes_only(world: lb.World) -> None:
    even = grown(world.trade, np.full(len(world.trade.regions), 1.1))
    np.testing.assert_allclose(even.trade, world.trade.trade * 1.1, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(even.value_added_share, world.trade.value_added_share, rtol=1e-12)


def test_a_year_without_growth_is_refused_with_the_years_there_are(world: lb.World) -> None:
    with pytest.raises(ScenarioError) as caught:
        lb.at_horizon(world, 2030)
    fault = caught.value.faults[0]
    assert "no growth to 2030" in fault.what and "2023, 2024" in fault.cure
