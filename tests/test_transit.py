"""What freight pays to carriers by region: everything paid is counted once, transit is other people's."""

from __future__ import annotations

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.errors import DataError, ScenarioError
from landbridge.model.adjoint import chain_gradient
from landbridge.model.notes import of_first_order
from landbridge.results.transit import Carriers, payments, transit_rows
from landbridge.scenario import Scenario
from landbridge.transport.compile import BORDER_ROLE
from landbridge.transport.graph import GAUGE_CHANGE, LAYERS, TERMS, Graph


@pytest.fixture(scope="module")
def study() -> lb.Study:
    return embedded.railway()


def test_all_money_is_paid_to_somebody_once(study: lb.Study) -> None:
    for case in (study.base, study["cku-railway"]):
        found = case.payments
        total = _paid(case, case.demand_teu)
        assert found.musd.sum() + found.ships_musd.sum() == pytest.approx(total, rel=1e-12)
        np.testing.assert_allclose(
            found.transit_musd + found.own_musd, found.musd.sum(axis=0), rtol=1e-12, atol=1e-9
        )
        assert (found.transit_musd >= 0.0).all() and found.ships_musd.sum() > 0.0


def test_one_pair_by_hand(study: lb.Study) -> None:
    base = study.base
    graph, routes = base.graph, base.choice.base.routes
    at = [graph.place_number[name] for name in ("CKG", "DUI")]
    pair = int(np.flatnonzero((routes.origin == at[0]) & (routes.destination == at[1]))[0])
    demand = np.zeros_like(base.demand_teu)
    demand[pair] = 1000.0 * (1.0 + np.arange(demand.shape[1]))
    region = {str(r["place_id"]): str(r["region"]) for r in base.world.network["places"]}
    flow, money = base.choice.route_kinds(demand), _money(graph)
    gateways = base.world.network["gateways"].by("gateway_id")
    roles = {str(r["place_id"]): str(r["role"] or "") for r in base.world.network["places"]}
    at_border = _at_border(graph)
    by_hand: dict[str, float] = {}
    for route in np.flatnonzero(routes.pair == pair).tolist():
        for arc in routes.arcs[routes.start[route] : routes.start[route + 1]].tolist():
            ends = [graph.places[s[arc] // len(LAYERS)] for s in (graph.tail, graph.head)]
            if graph.ocean_ship[arc]:
                continue
            if graph.operation[arc] == GAUGE_CHANGE and graph.gateway[arc] >= 0:
                post = gateways[graph.gateways[graph.gateway[arc]]]
                ends = [str(post["place_a"]), str(post["place_b"])]
            posts = float(flow[route] @ np.tile(at_border[arc], 2)) / 1e6
            rest = float(flow[route] @ money[arc]) / 1e6 - posts
            stations = [bool(BORDER_ROLE.search(roles[place])) for place in ends]
            hauls = ends
            if graph.border[arc] and sum(stations) == 1:
                # The border is at the station, so that the haul is on the other side.
                hauls = [ends[stations.index(False)]] * 2
            for place, haul in zip(ends, hauls, strict=True):
                by_hand[region[place]] = by_hand.get(region[place], 0.0) + 0.5 * posts
                by_hand[region[haul]] = by_hand.get(region[haul], 0.0) + 0.5 * rest
    found = payments(Carriers.of(base.world, graph), base.choice, demand)
    own = {row["region"]: row["own_musd"] for row in transit_rows(found)}
    transit = {row["region"]: row["musd"] for row in transit_rows(found)}
    for name, value in by_hand.items():
        shown = (own if name in ("CHN", "DEU") else transit).get(name, 0.0)
        assert shown == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert transit["CHN"] == transit["DEU"] == 0.0
    assert min(transit[name] for name in ("KAZ", "RUS", "BLR", "POL")) > 0.0


def test_a_subsidy_is_a_matter_of_the_country_that_pays_it() -> None:
    """Its end raises what is paid in China; across the border nobody gets more for a box that still comes."""
    case = lb.run(lb.load(), "subsidy-end")
    assert case.base is not None
    base, demand = case.base, case.base.demand_teu
    # The flows of the base at the prices of the scenario.
    before = payments(Carriers.of(base.world, base.graph), base.choice, demand)
    after = payments(Carriers.of(base.world, case.graph), base.choice, demand)
    more = (after.musd - before.musd).sum(axis=0)
    china = before.regions.index("CHN")
    assert more[china] > 1.0
    np.testing.assert_allclose(np.delete(more, china), 0.0, atol=1e-9)
    # It is China's income: the trains cost what they did, and some go no more.
    eq = case.equilibrium["fixed"]
    k = eq.base.region("CHN")
    assert 0.5 * more[china] < eq.first_order.rent[k] * eq.base.income[k] < 1.1 * more[china]


def test_a_railway_through_a_country_brings_its_carriers_transit(study: lb.Study) -> None:
    case = study["cku-railway"]
    rows = {row["region"]: row for row in case.transit_rows}
    # Haulage on the two Kyrgyz sections at the rates of the tables is of the order of 100 million USD; the
    # Chinese section, Kashgar to the station at the border, is China's.
    assert 50.0 < rows["KGZ"]["change_musd"] < 250.0
    # It is taken from lines of Kazakhstan.
    assert rows["KAZ"]["change_musd"] < 0.0
    assert case.to_json()["transit"] == case.transit_rows
    assert "transit" not in case.to_json(detail=False)
    assert "change_musd" not in study.base.transit_rows[0]
    columns = ["region", "musd", "own_musd", "change_musd", "own_change_musd", "above_cost_musd", "gain_musd"]
    assert list(case.transit.columns) == columns
    income = {row["region"]: row for row in case.real_income_rows}
    # What is added to real income is in it, and above cost is a part of the revenue.
    assert 0.0 < rows["KGZ"]["gain_musd"] < income["KGZ"]["musd"]
    assert 0.0 < rows["KGZ"]["above_cost_musd"] < 0.15 * rows["KGZ"]["change_musd"]
    assert rows["KAZ"]["gain_musd"] < 0.0


def test_what_is_paid_more_is_paid_once(study: lb.Study) -> None:
    """At the trade of the base, carriers get together what money changes; nobody gets what melts."""
    base, case = study.base, study["cku-railway"]
    paid = case.equilibrium["fixed"]._economy.paid
    assert paid is not None
    trade = np.ascontiguousarray(base.loading.trade.transpose(2, 1, 0))
    output, rent = paid.received(paid.of_sales(trade))
    landed = np.exp(case.freight.log_tau(case.choice.cost)).transpose(2, 1, 0)
    money = [_paid(r, base.demand_teu) for r in (base, case)]
    # Of what buyers pay then, tau' per unit: with money alone changed the exporter keeps its output.
    assert (trade * paid.total * landed).sum() == pytest.approx(money[1] - money[0], rel=1e-9)
    # Exporters get less by as much: over the world the sum is nothing.
    assert float((trade * paid.total).sum()) == pytest.approx((output + rent).sum(), rel=1e-12)


def _again(case: lb.Results, id: str, **parameters: float) -> lb.Results:
    assert case.scenario is not None
    moves = [m.to_dict() for m in case.scenario.modifications]
    moves += [{"verb": "set_parameter", "parameter": k, "value": v} for k, v in parameters.items()]
    return lb.run(lb.load(), Scenario.from_dict({"name": "x", "modification": moves}, id))


def _revenue(case: lb.Results) -> list[tuple[str, float, float]]:
    return [(row["region"], row["musd"], row["change_musd"]) for row in case.transit_rows]


def test_nothing_paid_is_the_iceberg_answer(study: lb.Study) -> None:
    case = study["cku-railway"]
    unpaid = _again(case, "unpaid", paid_share=0)
    assert unpaid.tolls is None
    eq = unpaid.equilibrium[unpaid.closure]
    np.testing.assert_allclose(eq.real_income_hat, case.loading.real_income_hat, rtol=1e-12)
    np.testing.assert_allclose(unpaid.flow_teu, case.flow_teu, rtol=1e-12, atol=1e-9)
    # Kyrgyzstan gains by transit, and by a part of its revenue only.
    more = next(r for r in case.real_income_rows if r["region"] == "KGZ")
    gross = next(r["change_musd"] for r in case.transit_rows if r["region"] == "KGZ")
    without = next(r["musd"] for r in unpaid.real_income_rows if r["region"] == "KGZ")
    assert 0.05 * gross < more["musd"] - without < 0.5 * gross


def test_margins_are_a_parameter(study: lb.Study) -> None:
    """Without margins the gain is smaller, and revenue is the same."""
    case = study["cku-railway"]
    at_cost = _again(case, "at-cost", transit_margin=0)
    assert _revenue(at_cost) == _revenue(case)
    eq = at_cost.equilibrium["fixed"]
    # What is left is the Chinese subsidy on trains that go another way.
    assert [eq.base.regions[n] for n in np.flatnonzero(eq.first_order.rent)] == ["CHN"]
    k = eq.base.region("KGZ")
    assert 0.0 < eq.real_income_hat[k] - 1.0 < case.equilibrium["fixed"].real_income_hat[k] - 1.0


def _cheaper(money: str | None) -> Scenario:
    move: dict[str, object] = {"verb": "change_link", "link": "R145", "cost_factor": 0.5}
    if money:
        move["money"] = money
    at_cost = {"verb": "set_parameter", "parameter": "transit_margin", "value": 0}
    return Scenario.from_dict({"name": "x", "modification": [move, at_cost]}, f"cut-{money}")


@pytest.mark.slow
def test_a_cut_of_the_price_is_taken_from_the_carriers() -> None:
    """The same flows and revenue; where only the price falls, the railway's country has less income."""
    usual, cost, price = lb.study(lb.load(), [_cheaper(None), _cheaper("cost"), _cheaper("price")]).cases
    assert usual.real_income_rows == cost.real_income_rows and price.base is not None
    np.testing.assert_allclose(price.flow_teu, cost.flow_teu, rtol=1e-12, atol=1e-9)
    assert _revenue(price) == _revenue(cost)
    eqs = [case.equilibrium["fixed"] for case in (price, cost)]
    k = eqs[0].base.region("TKM")
    # Half of what freight pays on the link, at the rates before.
    graph = price.base.graph
    link = np.flatnonzero((graph.link >= 0) & (graph.link == graph.links.index("R145")))
    flow = _flows(price, price.base.demand_teu)
    rest = _money(graph)[link] - np.tile(_at_border(graph)[link], 2)
    full = float((flow[link] * rest).sum()) / 1e6
    assert full > 10.0 and price.tolls is not None and cost.tolls is not None and price.base.tolls is not None
    rents = [each.paid(price.base.tolls)[1][:, :, k].sum() for each in (price.tolls, cost.tolls)]
    assert rents[1] == 0.0
    assert rents[0] == pytest.approx(-0.5 * full, rel=1e-6)
    lost = (eqs[1].real_income_hat[k] - eqs[0].real_income_hat[k]) * eqs[0].base.income[k]
    assert 0.5 * 0.5 * full < lost < 1.2 * 0.5 * full


def _flows(case: lb.Results, demand_teu: np.ndarray) -> np.ndarray:
    """TEU on arcs: block and wagonload of containers, then of bulk [arc, 4]."""
    return case.choice.base.routes.to_arcs(case.choice.route_kinds(demand_teu))


def _money(graph: Graph) -> np.ndarray:
    """Money of the same four [arc, 4]."""
    return np.hstack([graph.cost_usd, graph.bulk_usd])


def _paid(case: lb.Results, demand_teu: np.ndarray) -> float:
    """Million USD paid on all arcs."""
    return float((_flows(case, demand_teu) * _money(case.graph)).sum()) / 1e6


def _at_border(graph: Graph) -> np.ndarray:
    out = np.zeros_like(graph.cost_usd)
    mine = graph.term_kind == TERMS.index("border")
    np.add.at(out, graph.term_arc[mine], graph.term_cost_usd[mine])
    return out


def test_a_kind_of_money_without_money_is_a_fault() -> None:
    for move in (
        {"verb": "change_link", "link": "R145", "money": "price", "length_km": 300},
        {"verb": "change_gateway", "gateway": "aktau", "money": "price", "time_h": 3},
    ):
        with pytest.raises(ScenarioError) as wrong:
            lb.run(lb.load(), Scenario.from_dict({"name": "x", "modification": [move]}, "x"))
        assert any(f.where.endswith("money") for f in wrong.value.faults)


def test_who_owns_the_fleet_adds_up() -> None:
    rows = [r for r in lb.load().network["carriers"] if r["quantity"] == "fleet"]
    assert sum(float(r["share"] or 0.0) for r in rows) == pytest.approx(1.0, abs=1e-9)


def test_a_first_order_that_is_far_off_is_told() -> None:
    names, first = ("Near", "Far", "Other sign", "Nothing"), np.array([1e-3, 1e-3, 1e-3, 1e-9])
    exact = np.array([1.4e-3, 1.6e-3, -1e-5, 3e-9])
    (told,) = of_first_order(names, exact, first, "fixed")
    assert "Far +0.1000 for +0.1600 %" in told and "Other sign" in told and "fixed deficits" in told
    assert "Near" not in told and "Nothing" not in told
    assert of_first_order(names, first, first, "fixed") == ()


@pytest.mark.slow
def test_a_new_place_is_in_the_country_of_the_world_that_has_it() -> None:
    """A study of a scenario with a place of its own, and another that shares its search."""
    place = {"verb": "add_place", "name": "Testville", "country": "KAZ", "lon": 75.0, "lat": 45.0}
    line = {"verb": "add_link", "from": "Testville", "to": "Almaty", "mode": "rail-1520", "length_km": 300}
    new = Scenario.from_dict({"name": "x", "modification": [place, line]}, "place")
    other = lb.study(lb.load(), [new, "subsidy-end"])
    alone = lb.run(lb.load(), "subsidy-end")
    for one, two in zip(other["subsidy-end"].real_income_rows, alone.real_income_rows, strict=True):
        assert one["percent"] == pytest.approx(two["percent"], abs=1e-9)
    assert other["place"].status.converged
    # Tables of the base, too, although its World lacks the place.
    assert len(other.base.mode_split) and len(other["place"].mode_split)


def test_who_carries_must_be_a_sector() -> None:
    world = lb.load()
    parameters = world.network["parameters"]
    rows = [
        {**row, "value": "XYZ", "allowed": "XYZ"} if row["parameter"] == "transport_sector" else row
        for row in parameters.rows
    ]
    with pytest.raises(DataError, match="nobody carries"):
        lb.run(world.with_network(parameters=parameters.with_rows(rows)))


@pytest.mark.slow
def test_the_gradient_of_a_base_is_that_of_a_scenario() -> None:
    """Money of a link, payments to carriers and waits included."""
    h = 0.02
    moves = [{"verb": "change_link", "link": "R145", "cost_factor": 1.0 + side * h} for side in (1.0, -1.0)]
    names = ("dearer", "cheaper")
    cases = [
        Scenario.from_dict({"name": "x", "modification": [move]}, name)
        for move, name in zip(moves, names, strict=True)
    ]
    found = lb.study(lb.load(), cases)
    base = found.base
    k = base.loading.base.region("TKM")
    up, down = (np.log(case.equilibrium["fixed"].real_income_hat[k]) for case in found.cases)
    arcs = chain_gradient(base, "TKM").arcs
    graph = base.graph
    link = np.flatnonzero((graph.link >= 0) & (graph.link == graph.links.index("R145")))
    bars = np.hstack([arcs.cost_usd, arcs.bulk_usd])[link]
    money = (_money(graph) - np.tile(_at_border(graph), 2))[link]
    assert (bars * money).sum() == pytest.approx((up - down) / (2.0 * h), rel=5e-3)


def test_without_owners_of_the_fleet_nobody_is_paid() -> None:
    world = lb.load()
    carriers = world.network["carriers"]
    bare = world.with_network(
        carriers=carriers.with_rows([r for r in carriers.rows if r["quantity"] != "fleet"])
    )
    case = lb.run(bare, "subsidy-end")
    assert case.tolls is None and case.carriage is None
    assert (case.equilibrium["fixed"].real_income_hat == case.loading.real_income_hat).all()
