"""What goods in bulk pay by rail: the tariff of the railways per tonne-km, in every sum that has money."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.sparse import csr_matrix, diags

import embedded
import landbridge as lb
from landbridge.results.transit import Carriers, payments
from landbridge.transport.compile import compile_graph
from landbridge.transport.graph import BLOCK, GAUGE_CHANGE, HAUL, LAYERS, RAILS, TERMS, WAGONLOAD, Graph
from mini_world import mini_world

# USD of 2023 a tonne-km that railways receive, lowest and highest figure found (table rates, notes).
BANDS = {
    "KAZ": (0.009, 0.0160),
    "CHN": (0.014, 0.0245),
    "RUS": (0.0075, 0.0190),
    "MNG": (0.010, 0.0390),
    "DEU": (0.030, 0.0600),
    "POL": (0.030, 0.0600),
}


@cache
def _world() -> lb.World:
    return lb.load()


@cache
def _graph() -> Graph:
    return compile_graph(_world())


def _rail(graph: Graph) -> np.ndarray:
    return (graph.operation == HAUL) & (graph.mode >= RAILS[0]) & (graph.mode <= RAILS[-1])


def _haul_usd(graph: Graph, term_usd: np.ndarray) -> np.ndarray:
    """Money of the haul alone [arc, product]."""
    out = np.zeros((graph.n_arcs, 2))
    mine = graph.term_kind == TERMS.index("haul")
    np.add.at(out, graph.term_arc[mine], term_usd[mine])
    return out


@pytest.mark.parametrize("country", BANDS)
def test_bulk_pays_by_rail_what_railways_receive(country: str) -> None:
    world, graph = _world(), _graph()
    of = np.array(graph.countries)
    inside = (of[graph.tail // len(LAYERS)] == country) & (of[graph.head // len(LAYERS)] == country)
    links = world.network["links"].by("link_id")
    plain = np.array([n >= 0 and links[graph.links[n]]["cost_factor"] is None for n in graph.link.tolist()])
    own = inside & plain & _rail(graph) & graph.available & (graph.length_km > 0.0)
    assert own.any()
    per_km = _haul_usd(graph, graph.term_bulk_usd)[own, WAGONLOAD] / graph.length_km[own]
    low, high = BANDS[country]
    for row in world.network["sector_freight"]:
        if row["kind"] == "bulk":
            per_tkm = per_km / float(row["payload_t_per_teu"] or 0.0)
            assert (per_tkm >= low).all() and (per_tkm <= high).all(), row["sector"]


def test_bulk_pays_less_by_rail_than_by_truck_and_no_more_than_other_goods_in_wagons() -> None:
    rows = {
        (r["mode"], r["product"], r["scope"]): float(r["usd_per_teu_km"] or 0.0)
        for r in _world().network["rates"]
    }
    for mode, product, scope in rows:
        if product == "bulk":
            general = rows.get(("rail", "wagonload", scope), rows["rail", "wagonload", "*"])
            assert rows[mode, product, scope] < general
            assert rows[mode, product, scope] < rows.get(("road", None, scope), rows["road", None, "*"])


def test_the_two_kinds_differ_in_the_haul_of_wagons_alone() -> None:
    graph = _graph()
    differs = graph.term_bulk_usd != graph.term_cost_usd
    assert not differs[:, BLOCK].any() and differs[:, WAGONLOAD].any()
    assert (graph.term_kind[differs[:, WAGONLOAD]] == TERMS.index("haul")).all()
    assert _rail(graph)[graph.term_arc[differs[:, WAGONLOAD]]].all()
    total = np.zeros_like(graph.bulk_usd)
    np.add.at(total, graph.term_arc, graph.term_bulk_usd)
    np.testing.assert_allclose(graph.bulk_usd, total, rtol=1e-12, atol=1e-9)


def test_without_rates_of_bulk_it_pays_those_of_wagonload() -> None:
    graph = compile_graph(mini_world())
    np.testing.assert_array_equal(graph.bulk_usd, graph.cost_usd)
    world = mini_world()
    rates = world.network["rates"]
    one = {**rates.rows[0], "mode": "rail", "product": "bulk", "scope": "*", "usd_per_teu_km": 0.25}
    cheap = compile_graph(
        world.with_network(rates=rates.with_rows([*rates.rows, {**one, "usd_per_teu": 0.0}]))
    )
    rail = _rail(cheap)
    haul = _haul_usd(cheap, cheap.term_bulk_usd)[rail, WAGONLOAD]
    np.testing.assert_allclose(haul, 0.25 * cheap.length_km[rail], rtol=1e-12)
    np.testing.assert_array_equal(cheap.cost_usd, graph.cost_usd)


def test_legs_and_terms_of_bulk_add_up_to_the_money_of_its_routes() -> None:
    found = lb.route(_world(), "KGF", "URC", "ENE", k=3)
    assert found.product == "wagonload"
    goods = lb.route(_world(), "KGF", "URC", "WPP", k=3, product="wagonload")
    for one in found.routes:
        assert one.cost_usd == sum(leg.cost_usd for leg in one.legs)
        assert one.cost_usd == sum(term.cost_usd for leg in one.legs for term in leg.terms)
    links = [tuple(leg.link for leg in one.legs) for one in goods.routes]
    same = [
        (one, goods.routes[links.index(key)])
        for one in found.routes
        if (key := tuple(leg.link for leg in one.legs)) in links and one.mode_class == "rail"
    ]
    assert same
    for bulk, general in same:
        hauls = [sum(leg.cost_usd for leg in one.legs if leg.operation == "haul") for one in (bulk, general)]
        rest = [one.cost_usd - haul for one, haul in zip((bulk, general), hauls, strict=True)]
        assert hauls[0] < 0.5 * hauls[1] and rest[0] == rest[1]


def test_transit_does_not_earn_a_railway_more_than_all_it_earns() -> None:
    """Revenue of a country's carriers from transit by rail, against all revenue of its railway."""
    base = embedded.railway().base
    published = {
        str(row["indicator"]).removeprefix("railway revenue "): float(row["value"] or 0.0)
        for row in base.world.network["validation_indicators"]
        if str(row["indicator"]).startswith("railway revenue ")
    }
    assert "KAZ" in published
    graph = base.graph
    by_rail = diags((_rail(graph) | (graph.operation == GAUGE_CHANGE)).astype(float))
    carriers = Carriers.of(base.world, graph)
    block, wagonload, bulk = (csr_matrix(by_rail @ paid) for paid in carriers.land)
    rail = payments(replace(carriers, land=(block, wagonload, bulk)), base.choice, base.demand_teu)
    for region, musd in published.items():
        found = float(rail.transit_musd[rail.regions.index(region)])
        assert 0.0 < found < musd, region
