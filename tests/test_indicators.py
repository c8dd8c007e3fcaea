"""Proxies of hub, stability and green: they add up to flows counted otherwise, and move as they should."""

from __future__ import annotations

import numpy as np
import pytest

import embedded
from landbridge.report import Digest
from landbridge.results import Results
from landbridge.results.indicators import PROXY, Carried, indicators, market_access_hat
from landbridge.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


@pytest.fixture(scope="module")
def after(world: World) -> Results:
    return embedded.railway().cases[0]


@pytest.fixture(scope="module")
def table(after: Results) -> dict[tuple[str, str], dict]:
    return {(r["indicator"], r["subject"]): r for r in indicators(after, after.base)}


def test_every_figure_is_named_as_a_proxy(table) -> None:
    assert {name for name, _ in table} == set(PROXY)
    assert all(row["proxy"].startswith(("hub: ", "stability: ", "green: ")) for row in table.values())
    shares = [
        r["value"]
        for (name, _), r in table.items()
        if name in ("transit_share", "n1_unserved_share", "gateway_hhi")
    ]
    assert shares and all(0.0 <= v <= 1.0 for v in shares)


def test_nothing_changes_beside_itself(after: Results) -> None:
    base = after.base
    for row in indicators(base, base):
        assert row["change"] == pytest.approx(0.0, abs=1e-9), row
    assert market_access_hat(base) == pytest.approx(np.ones(31), abs=1e-9)
    assert all(row["base"] is None for row in indicators(base))


def test_a_new_railway_through_kyrgyzstan_brings_transit(table) -> None:
    assert table["transit_share", "KGZ"]["change"] > 0.01
    assert table["transit_share", "KAZ"]["change"] < 0.0
    assert table["market_access", "UZB"]["value"] > 100.05
    # One more way over the border spreads the boxes, though it takes more of them than any other.
    assert -0.1 < table["gateway_hhi", "KGZ"]["change"] < 0.0


def test_routes_carry_what_is_shipped(after: Results, table) -> None:
    carried = Carried(after)
    assert carried.teu.sum() == pytest.approx(after.demand_teu.sum(), rel=1e-9)
    by_length = float(carried.teu @ carried.length_km) / 1e6
    every = next(r for r in after.emission_rows if r["mode"] == "all")
    assert by_length == pytest.approx(every["million_teu_km"], rel=1e-9)
    # Between 2 and 30 t a box: grams per tonne-km are kg per TEU-km over tonnes.
    grams = table["co2e_g_per_tkm", "network"]["value"]
    per_teu = 1e3 * every["co2e_kt"] * 1e6 / (every["million_teu_km"] * 1e6)
    assert per_teu / 30 < grams < per_teu / 2


def test_gateway_shares_are_those_of_the_gateway_table(world: World, after: Results, table) -> None:
    country = {str(r["place_id"]): str(r["country"]) for r in world.network["places"]}
    gateways = world.network["gateways"].by("gateway_id")
    flows = []
    for row in after.gateway_rows:
        one = gateways[row["gateway"]]
        ends = {country.get(str(one["place_a"])), country.get(str(one["place_b"]))}
        if one["kind"] in ("border", "port") and "UZB" in ends:
            flows.append(row["teu_per_year"])
    share = np.array(flows) / sum(flows)
    assert table["gateway_hhi", "UZB"]["value"] == pytest.approx(float((share**2).sum()), rel=1e-9)


def test_a_pair_without_another_way_has_none(after: Results) -> None:
    carried = Carried(after)
    lost = carried.without_another_way
    assert lost and all(v >= 0.0 for v in lost.values())
    # By hand for one pair: every open route of it passes the gateway.
    (country, gateway), boxes = max(lost.items(), key=lambda item: item[1])
    routes, graph = carried.routes, carried.graph
    route, through = routes.through(graph)
    j = list(graph.gateways).index(gateway)
    passing = set(route[through == j].tolist())
    open_ = np.flatnonzero(after.choice.available)
    counted = 0.0
    for pair in range(routes.n_pairs):
        ends = graph.countries[routes.origin[pair]], graph.countries[routes.destination[pair]]
        if country not in ends:
            continue
        span = routes.routes_of(pair)
        mine = open_[(open_ >= span.start) & (open_ < span.stop)]
        if len(mine) and set(mine.tolist()) <= passing:
            counted += float(after.demand_teu[pair].sum())
    assert boxes == pytest.approx(counted)


def test_a_count_that_knows_capacities_takes_the_place(after: Results) -> None:
    rows = indicators(
        after, lost=lambda solved: {("KAZ", "somewhere"): 0.5 * Carried(solved).boxes_of("KAZ")}
    )
    found = {r["subject"]: r["value"] for r in rows if r["indicator"] == "n1_unserved_share"}
    assert found["KAZ"] == pytest.approx(0.5) and found["UZB"] == 0.0


def test_they_are_in_the_result_of_a_run(after: Results) -> None:
    rows = Digest.of(after).result["indicators"]
    assert {r["indicator"] for r in rows} == set(PROXY)
