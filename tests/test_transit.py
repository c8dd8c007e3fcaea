"""What freight pays to carriers by region: everything paid is counted once, transit is other people's."""

from __future__ import annotations

import numpy as np
import pytest

import landbridge as lb
from landbridge.transit import payments, transit_rows
from landbridge.transport.graph import LAYERS, SEA


@pytest.fixture(scope="module")
def study() -> lb.Study:
    return lb.study(lb.load(), ["cku-railway"])


def test_all_money_is_paid_to_somebody_once(study: lb.Study) -> None:
    for case in (study.base, study["cku-railway"]):
        found = case.payments
        total = float((case.flow_teu * case.graph.cost_usd).sum()) / 1e6
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
    flow = base.choice.route_flows(demand)
    by_hand: dict[str, float] = {}
    for route in np.flatnonzero(routes.pair == pair).tolist():
        for arc in routes.arcs[routes.start[route] : routes.start[route + 1]].tolist():
            ends = [graph.places[s[arc] // len(LAYERS)] for s in (graph.tail, graph.head)]
            if graph.mode[arc] == SEA and ends[0] != ends[1]:
                continue
            for place in ends:
                half = 0.5 * float(flow[route] @ graph.cost_usd[arc]) / 1e6
                by_hand[region[place]] = by_hand.get(region[place], 0.0) + half
    found = payments(base.world, graph, base.choice, demand)
    own = {row["region"]: row["own_musd"] for row in transit_rows(found)}
    transit = {row["region"]: row["musd"] for row in transit_rows(found)}
    for name, value in by_hand.items():
        assert (own if name in ("CHN", "DEU") else transit)[name] == pytest.approx(value, rel=1e-9)
    assert transit["CHN"] == transit["DEU"] == 0.0
    assert min(transit[name] for name in ("KAZ", "RUS", "BLR", "POL")) > 0.0


def test_a_subsidy_is_a_matter_of_the_country_that_pays_it() -> None:
    """Its end raises what is paid in China; across the border nobody gets more for a box that still comes."""
    case = lb.run(lb.load(), "subsidy-end")
    assert case.base is not None
    base, demand = case.base, case.base.demand_teu
    # The flows of the base at the prices of the scenario.
    before = payments(base.world, base.graph, base.choice, demand)
    after = payments(base.world, case.graph, base.choice, demand)
    more = (after.musd - before.musd).sum(axis=0)
    china = before.regions.index("CHN")
    assert more[china] > 1.0
    np.testing.assert_allclose(np.delete(more, china), 0.0, atol=1e-9)


def test_a_railway_through_a_country_brings_its_carriers_transit(study: lb.Study) -> None:
    case = study["cku-railway"]
    rows = {row["region"]: row for row in case.transit_rows}
    # Haulage on the two Kyrgyz sections at the rates of the tables is of the order of 100 million USD.
    assert 50.0 < rows["KGZ"]["change_musd"] < 250.0
    # It is taken from lines of Kazakhstan.
    assert rows["KAZ"]["change_musd"] < 0.0
    assert case.to_json()["transit"] == case.transit_rows
    assert "transit" not in case.to_json(detail=False)
    assert "change_musd" not in study.base.transit_rows[0]
    assert list(case.transit.columns) == ["region", "musd", "own_musd", "change_musd"]
