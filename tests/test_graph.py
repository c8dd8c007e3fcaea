"""The state graph: arcs, terms, borders, gauge changes, ports, masks and alignment."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from landbridge.errors import DataError
from landbridge.transport.compile import align, compile_graph
from landbridge.transport.crossings import crossing_terms
from landbridge.transport.emissions import EmissionFactors
from landbridge.transport.graph import GATE_IN, GATE_OUT, LAYERS, OPERATIONS, ROAD, SEA, TERMS, Graph
from mini_world import added, changed, mini_world

N = len(LAYERS)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return compile_graph(mini_world())


def arcs_between(graph: Graph, start: str, end: str, layer: int | None = None) -> list[int]:
    tail, head = graph.place_number[start], graph.place_number[end]
    found = (graph.tail // N == tail) & (graph.head // N == head)
    if layer is not None:
        found &= (graph.tail % N == layer) & (graph.head % N == layer)
    return [int(a) for a in np.flatnonzero(found)]


def term(graph: Graph, arc: int, name: str) -> dict[str, np.ndarray]:
    for row in graph.terms_of(arc):
        if TERMS[graph.term_kind[row]] == name:
            return {
                "time_h": graph.term_time_h[row],
                "cost_usd": graph.term_cost_usd[row],
                "co2e_kg": graph.term_co2e_kg[row],
                "variance_h2": graph.term_variance_h2[row],
            }
    raise AssertionError(f"arc {arc} has no term {name}")


def test_arc_totals_are_the_sums_of_their_terms(graph: Graph) -> None:
    for side in ("time_h", "cost_usd", "co2e_kg", "variance_h2"):
        total = np.zeros((graph.n_arcs, 2))
        np.add.at(total, graph.term_arc, getattr(graph, f"term_{side}"))
        np.testing.assert_allclose(total, getattr(graph, side), rtol=1e-14, atol=0)


def test_every_arc_has_its_mirror_and_gates_are_ends(graph: Graph) -> None:
    twin = graph.reverse
    np.testing.assert_array_equal(twin[twin], np.arange(graph.n_arcs))
    inside = graph.operation != OPERATIONS.index("terminal")
    hauls = graph.link >= 0
    np.testing.assert_array_equal(graph.tail[twin][hauls], graph.head[hauls])
    np.testing.assert_array_equal(graph.link[twin], graph.link)
    assert not (graph.head % N == GATE_OUT).any()
    assert not (graph.tail % N == GATE_IN).any()
    assert inside.any()


def test_arrays_cannot_be_written(graph: Graph) -> None:
    for field in fields(graph):
        value = getattr(graph, field.name)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value[...] = 0


def test_hours_and_money_of_a_haul(graph: Graph) -> None:
    (arc,) = arcs_between(graph, "XIA", "ALA", 1)
    np.testing.assert_allclose(term(graph, arc, "haul")["time_h"], 3000 / 80)
    np.testing.assert_allclose(term(graph, arc, "stops")["time_h"], [36.0, 90.0])
    np.testing.assert_allclose(term(graph, arc, "haul")["cost_usd"], [0.26 * 3000, 0.4 * 3000])
    np.testing.assert_allclose(term(graph, arc, "haul")["co2e_kg"], 15 / 1000 * 10 * 3000)
    (road,) = arcs_between(graph, "MOS", "BER", ROAD)
    assert term(graph, road, "rest")["time_h"][0] == pytest.approx(1850 / 60)
    assert graph.time_h[road, 0] == graph.time_h[road, 1]


def test_rate_is_half_of_each_country(graph: Graph) -> None:
    arc = arcs_between(graph, "ALA", "DOS", 1)[0]
    assert term(graph, arc, "haul")["cost_usd"][0] == pytest.approx(12 * (0.26 + 0.3) / 2)


def test_border_hours_by_rule(graph: Graph) -> None:
    out, back = arcs_between(graph, "ALA", "DOS", 1)[0], arcs_between(graph, "DOS", "ALA", 1)[0]
    # Its own row; then outbound side of China (*) + inbound side of Kazakhstan.
    np.testing.assert_allclose(term(graph, out, "border")["time_h"], [10.0, 80.0])
    np.testing.assert_allclose(term(graph, back, "border")["time_h"], [22.0, 50.0])
    assert term(graph, back, "border")["variance_h2"][0] == pytest.approx((50 / 2.563) ** 2)
    inner = arcs_between(graph, "MAL", "BER", 1)[0]
    assert term(graph, inner, "border")["time_h"][0] == 1.0
    union = arcs_between(graph, "ALM", "MOS", 2)[0]
    assert term(graph, union, "border")["time_h"][0] == 2.0
    outer = arcs_between(graph, "BRE", "MAL", 1)[0]
    assert term(graph, outer, "border")["time_h"][0] == 24.0
    road = arcs_between(graph, "KHO", "ALM", ROAD)[0]
    np.testing.assert_allclose(term(graph, road, "border")["time_h"], [18.0, 18.0])
    world = mini_world()
    assert crossing_terms(world, "R2", "block", "ALA", "DOS").rule == "crossing"
    assert crossing_terms(world, "R4", "block", "ALM", "MOS").rule == "within EAEU"


def test_domestic_and_sea_links_have_no_border(graph: Graph) -> None:
    assert not graph.border[arcs_between(graph, "DOS", "ALM", 2)[0]]
    assert not graph.border[arcs_between(graph, "SHA", "RTM", SEA)].any()


def test_dual_gauge_link_exists_on_both_gauges(graph: Graph) -> None:
    assert len(arcs_between(graph, "ALA", "DOS", 1)) == 1
    assert len(arcs_between(graph, "ALA", "DOS", 2)) == 1
    assert len(arcs_between(graph, "KHO", "ALM", 1)) == 0


def test_no_transfer_beats_the_gauge_change(graph: Graph) -> None:
    place = graph.place_number["ALA"]
    transfer = (graph.tail // N == place) & (graph.operation == OPERATIONS.index("transfer"))
    assert transfer.any()
    assert (graph.time_h[transfer, 0] >= 20.0).all()
    assert (graph.cost_usd[transfer] >= 150.0).all()


def test_no_formation_at_a_border_station_and_wagonload_hours_off_the_hubs(graph: Graph) -> None:
    def formation(place: str, layer: int) -> float:
        arc = np.flatnonzero(
            (graph.tail == graph.state(place, GATE_OUT)) & (graph.head == graph.state(place, layer))
        )[0]
        names = [TERMS[graph.term_kind[t]] for t in graph.terms_of(int(arc))]
        return float(term(graph, int(arc), "formation")["time_h"][0]) if "formation" in names else 0.0

    assert formation("XIA", 1) == 24.0
    assert formation("SHA", 1) == 72.0
    assert formation("ALA", 1) == 0.0


def test_ports_and_feeders(graph: Graph) -> None:
    board = np.flatnonzero((graph.tail == graph.state("TBS", 2)) & (graph.head == graph.state("TBS", SEA)))[0]
    land = graph.reverse[board]
    assert graph.time_h[board, 0] == 24 + 48 + 96
    assert graph.time_h[land, 0] == 24 + 96
    hub = np.flatnonzero((graph.tail == graph.state("SHA", 1)) & (graph.head == graph.state("SHA", SEA)))[0]
    assert graph.time_h[hub, 1] == 24 + 48
    caspian = np.flatnonzero((graph.tail == graph.state("AKT", 2)) & (graph.head == graph.state("AKT", SEA)))
    assert graph.time_h[caspian[0], 0] == 24 + 48


def test_closing_gateways(graph: Graph) -> None:
    world = mini_world()
    shut = compile_graph(changed(world, "gateways", "gateway_id", "kho-alm", status="closed"))
    assert not shut.available[arcs_between(shut, "KHO", "ALM", 2)].any()
    assert shut.available[arcs_between(shut, "KHO", "ALM", ROAD)].all()
    canal = compile_graph(changed(world, "gateways", "gateway_id", "suez", status="closed"))
    sea = arcs_between(canal, "SHA", "RTM", SEA)
    assert sorted(canal.available[sea]) == [False, True]
    port = compile_graph(changed(world, "gateways", "gateway_id", "aktau", status="closed"))
    at_port = (port.operation == OPERATIONS.index("port")) & (port.tail // N == port.place_number["AKT"])
    assert at_port.any() and not port.available[at_port].any()


def test_planned_link_is_an_arc_that_is_closed(graph: Graph) -> None:
    arc = arcs_between(graph, "XIA", "ALM", 1)[0]
    assert not graph.available[arc]
    opened = compile_graph(changed(mini_world(), "links", "link_id", "R20", status="open"))
    assert opened.n_arcs == graph.n_arcs
    assert opened.available[arc]
    np.testing.assert_array_equal(opened.tail, graph.tail)


def test_aligned_worlds_share_their_arcs() -> None:
    world = mini_world()
    place = {"place_id": "NEW", "name": "New", "country": "KAZ", "lon": 70.0, "lat": 45.0}
    link = {"link_id": "N1", "from_place": "ALM", "to_place": "NEW", "mode": "rail-1520"}
    more = added(added(world, "places", place), "links", {**link, "length_km": 100.0, "speed_kmh": 50.0})
    alone, (old, new) = compile_graph(world), align([world, more])
    assert old.n_arcs == new.n_arcs > alone.n_arcs
    np.testing.assert_array_equal(old.tail, new.tail)
    np.testing.assert_array_equal(old.head, new.head)
    fresh = old.link == old.links.index("N1")
    assert not old.available[fresh].any() and new.available[fresh].all()
    assert old.places[-1] == "NEW"


def test_queue_becomes_a_term(graph: Graph) -> None:
    delay = np.zeros(len(graph.gateways))
    delay[graph.gateways.index("ala-dos")] = 7.0
    slow = graph.with_queue(delay, 0.5 * delay)
    arc = arcs_between(graph, "ALA", "DOS", 1)[0]
    np.testing.assert_allclose(slow.time_h[arc] - graph.time_h[arc], 7.0)
    np.testing.assert_allclose(term(slow, arc, "queue")["variance_h2"], 3.5)
    change = slow.operation == OPERATIONS.index("gauge_change")
    np.testing.assert_array_equal(slow.time_h[change], graph.time_h[change])
    assert (np.diff(slow.term_arc) >= 0).all()
    total = np.zeros((slow.n_arcs, 2))
    np.add.at(total, slow.term_arc, slow.term_time_h)
    np.testing.assert_allclose(total, slow.time_h, rtol=1e-14)


def test_values_at_gateways(graph: Graph) -> None:
    flows = np.arange(2.0 * graph.n_arcs).reshape(-1, 2)
    total = graph.at_gateways(flows)
    post = graph.gateways.index("ala-dos")
    arcs = [
        a
        for layer in (1, 2)
        for a in (*arcs_between(graph, "ALA", "DOS", layer), *arcs_between(graph, "DOS", "ALA", layer))
    ]
    np.testing.assert_allclose(total[post], flows[arcs].sum(axis=0))
    delay = np.random.default_rng(0).random((len(graph.gateways), 2))
    slow = graph.with_queue(delay)
    assert (delay * total).sum() == pytest.approx(((slow.time_h - graph.time_h) * flows).sum(), rel=1e-10)


def test_every_fault_is_named() -> None:
    world = mini_world()
    blind = changed(
        changed(world, "links", "link_id", "R1", speed_kmh=None), "links", "link_id", "R3", length_km=None
    )
    with pytest.raises(DataError, match=r"(?s)R1.*R3"):
        compile_graph(blind)
    with pytest.raises(DataError, match=r"rates\.csv"):
        compile_graph(world.with_network(rates=world.network["rates"].with_rows([])))
    with pytest.raises(DataError, match="border_defaults"):
        compile_graph(world.with_network(border_defaults=world.network["border_defaults"].with_rows([])))
    with pytest.raises(DataError, match="emission_factors"):
        EmissionFactors(world.network["emission_factors"], 10.0).factor("airship", "KAZ")
