"""Goods in containers and in bulk: quantities at gateways, modes of pairs, counts in their own units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.transport import FAMILIES
from landbridge.transport.graph import BLOCK
from landbridge.transport.routes.modes import MODE_CLASSES, border_modes, mode_classes


@pytest.fixture(scope="module")
def study() -> lb.Study:
    return embedded.railway()


def test_nothing_is_lost_or_counted_twice(study: lb.Study) -> None:
    base = study.base
    classes, demand = base.choice.classes, base.demand_teu
    boxed, split = classes.in_containers, base.mode_split
    assert set(split.kind) == {"container", "bulk"} and set(split["mode"]) <= set(MODE_CLASSES)
    # Rows of less than a tonne are left out.
    near = {"rel": 1e-5}
    containers, bulk = (split[split.kind == kind] for kind in ("container", "bulk"))
    assert containers.teu.sum() == pytest.approx(demand[:, boxed].sum(), **near)
    assert (bulk.teu == 0.0).all()
    tonnes = demand * classes.payload_t_per_teu
    assert containers.tonnes.sum() == pytest.approx(tonnes[:, boxed].sum(), **near)
    assert bulk.tonnes.sum() == pytest.approx(tonnes[:, ~boxed].sum(), **near)
    musd = demand * classes.usd_per_teu.T / 1e6
    assert split.musd.sum() == pytest.approx(musd.sum(), **near)


def test_goods_in_bulk_ride_no_container_train(study: lb.Study) -> None:
    base = study.base
    assert not base.choice.classes.block_share[~base.choice.classes.in_containers].any()
    rail = np.isin(base.graph.mode, (1, 2, 3))
    # All that container trains carry is containers, and wagons carry some of them too.
    assert (base.goods[rail, 0] >= base.flow_teu[rail, BLOCK] * (1 - 1e-12)).all()
    assert base.goods[rail, 0].sum() > base.flow_teu[rail, BLOCK].sum()


def test_gateways_tell_containers_tonnes_and_trucks(study: lb.Study) -> None:
    rows = {row["gateway"]: row for row in study.base.gateway_rows}
    for row in rows.values():
        assert row["tonnes"] >= 0.0
        on_ferries = row["gateway"] in ("aktau", "kuryk", "turkmenbashi", "alat")
        if row["mode"] == "road" or on_ferries:
            assert row["trucks_per_year"] is not None
    # Trucks that sail on a ferry are in no container, and in the tonnes of the port.
    ferry = rows["alat"]
    assert 0.0 < ferry["trucks_per_year"] < ferry["tonnes"] / 20.0
    assert (
        rows["rotterdam"]["trucks_per_year"] is None and rows["khorgos-altynkol"]["trucks_per_year"] is None
    )
    # Lanes pass a strait both ways, so that boxes cannot be told from their return.
    assert rows["suez"]["teu_container"] is None and rows["rotterdam"]["teu_container"] > 0.0
    road = rows["khorgos-nur-zholy"]
    assert road["trucks_per_year"] == pytest.approx(road["tonnes"] / 20.0)
    # Half of what a Russian port of the Baltic ships is bulk.
    port = rows["saint-petersburg"]
    assert port["teu_container"] < 0.5 * port["teu_per_year"]
    assert (port["observed"], port["observed_unit"]) == (1046500.0, "TEU in containers/year")
    assert rows["alashankou-dostyk"]["observed_use"] == "predicted"
    assert rows["sarakhs"]["observed"] is None


def test_counts_are_compared_in_their_own_unit(study: lb.Study) -> None:
    counts: list[dict[str, Any]] = study.base.count_rows
    units = {row["unit"] for row in counts}
    assert {"trains/year", "TEU/year", "TEU in containers/year", "t/year", "trucks/year"} <= units
    assert {row["role"] for row in counts} == {"fitted", "predicted", "ranked"}
    passed, graph = study.base.passed, study.base.graph
    both = [graph.gateways.index(name) for name in ("khorgos-altynkol", "alashankou-dostyk")]
    ours = {(row["gateway"], row["unit"]): row["ours"] for row in counts}
    assert ours["khorgos-altynkol+alashankou-dostyk", "t/year"] == pytest.approx(passed.tonnes[both].sum())


def test_a_border_is_crossed_by_what_crosses_it(study: lb.Study) -> None:
    base = study.base
    graph, routes = base.graph, base.choice.base.routes
    out, into = border_modes(graph, routes.arcs, routes.start)
    places = base.world.network["places"].by("place_id")
    found = mode_classes(graph, places, routes.arcs, routes.start)
    # A place that another scenario of the study adds is not in the tables of the base.
    del places["BLK"]
    assert np.array_equal(found, mode_classes(graph, places, routes.arcs, routes.start))
    country = np.array(graph.countries)
    # No ship leaves a country without a coast, whatever the mode of the whole way.
    inland = np.isin(country[routes.origin], ["MNG", "UZB", "KGZ", "TJK", "AFG", "BLR"])[routes.pair]
    assert inland.any() and not (out[inland] == MODE_CLASSES.index("sea")).any()
    assert (found[inland] == MODE_CLASSES.index("sea")).any()
    uzbek = base.mode_split.query("exporter == 'UZB' and importer == 'IND' and mode == 'sea'")
    assert len(uzbek) and set(uzbek.mode_border_exporter) <= {"rail", "road"}
    assert set(uzbek.mode_border_importer) == {"sea"}
    assert (into >= 0).all() and (out >= 0).all()
    # Rails of Russia cut a corner through Petropavl: what came by ship came by ship.
    sea = routes.family == FAMILIES.index("sea")
    mainland = np.array(graph.own_country)[routes.destination] == "RUS"
    shipped = sea & ((country[routes.origin] == "CHN") & mainland)[routes.pair]
    assert shipped.any() and (into[shipped] == MODE_CLASSES.index("sea")).all()


def test_the_split_is_in_the_json_of_base_and_scenario(study: lb.Study) -> None:
    for case in (study.base, study["cku-railway"]):
        rows = case.to_json()["mode_split"]
        assert set(rows[0]) == {
            *("exporter", "importer", "kind", "mode", "mode_border_exporter", "mode_border_importer"),
            *("teu", "tonnes", "musd"),
        }
    gateway = study["cku-railway"].to_json()["gateways"][0]
    assert {"teu_container", "base_teu_container", "tonnes", "base_tonnes"} <= set(gateway)
