"""What the layers of the map show: hours from a city, and how lines and gateways are known."""

from __future__ import annotations

import json

import pytest

import embedded
import landbridge as lb
from landbridge.errors import DataError
from landbridge.report.bases import BASES, line_bases, weakest
from landbridge.report.exports import network_geojson
from landbridge.transport.reach import reach


def test_hours_from_a_zone_are_those_of_its_routes() -> None:
    world = embedded.world()
    found = reach(world, "重庆", "MCH")
    rows = {row["place"]: row for row in found["places"]}
    zones = {str(row["place_id"]) for row in world.network["zones"]}
    assert found["from"] == "CKG" and rows.keys() == zones - {"CKG"}
    for end in ("ALMATY", "SHA"):  # abroad, where the stored routes are used, and in the same country
        both = [lb.route(world, "CKG", end, k=500, product=one) for one in ("block", "wagonload")]
        used = [routes for routes in both if routes.product_share > 0.0]
        mean = sum(routes.product_share * sum(r.share * r.time_h for r in routes) for routes in used)
        assert rows[end]["time_h"] == pytest.approx(mean, rel=1e-5)
        assert rows[end]["quickest_h"] == pytest.approx(
            min(r.time_h for routes in used for r in routes), rel=1e-5
        )
        assert rows[end]["quickest_h"] <= rows[end]["time_h"]


def test_hours_from_what_is_no_zone_or_has_no_name_are_refused_at_once() -> None:
    with pytest.raises(DataError) as refused:
        reach(embedded.world(), "Khorgos", "zeppelins")
    assert {fault.where for fault in refused.value.faults} == {"commodity", "from"}


def test_a_zone_that_no_route_leads_to_is_left_out() -> None:
    world = embedded.world()
    links = world.network["links"]
    alone = [dict(row) for row in links if "BUS" not in (row["from_place"], row["to_place"])]
    cut = world.with_network(links=links.with_rows(alone))
    found = {row["place"] for row in reach(cut, "TBS")["places"]}
    assert "BUS" not in found and len(found) > 50
    with pytest.raises(lb.InfeasibleError):
        reach(cut, "BUS")


def test_the_weakest_basis_is_the_one_that_is_said() -> None:
    assert weakest(["CPMM 2022 Kazakhstan rail SWOD; observed"]) == "observed"
    assert weakest(["as Russia (2024); derived; commercial 31 km/h", "published"]) == "derived"
    assert weakest(["assumptions of observers"]) is None
    world = embedded.world()
    links = world.network["links"]
    rows = [{**dict(row), "speed_basis": "a trace of positions"} for row in links]
    told = line_bases(world.with_network(links=links.with_rows(rows)))
    assert all(one["speed_basis"] == one["basis"] for one in told.values())


def test_every_line_and_gateway_of_the_network_says_how_it_is_known() -> None:
    world = embedded.world()
    whole = json.loads(network_geojson(world, []))
    assert whole["landbridge"]["year"] == int(world.parameter("horizon"))
    of: dict[str, list[dict[str, object]]] = {layer: [] for layer in ("links", "gateways")}
    for one in whole["features"]:
        of.get(one["properties"]["layer"], []).append(one["properties"])
    assert {row["basis"] for row in of["links"]} | {row["speed_basis"] for row in of["links"]} <= set(BASES)
    assert len({row["speed_basis"] for row in of["links"]}) > 2
    block: dict[str, list[str]] = {}
    for row in world.network["crossings"]:
        if row["product"] == "block":
            block.setdefault(str(row["gateway_id"]), []).append(str(row["basis"]))
    for row in of["gateways"]:
        assert row["block_hours_basis"] == weakest(block.get(row["gateway"], []))
        assert (row["hours_basis"] is None) == (row["kind"] == "strait"), row["gateway"]
