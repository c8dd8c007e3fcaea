"""Tank to wheel beside well to wheel, and the route as a chain of iLEAP elements."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import landbridge as lb
from landbridge.cli import app
from landbridge.errors import DataError
from landbridge.io.emissions import ileap_text
from landbridge.io.tables import load_world
from landbridge.transport.emissions import EmissionFactors
from landbridge.transport.legs import route

DECIMAL = re.compile(r"-?\d+(\.\d+)?")
# What iLEAP 1.0 makes mandatory in a transport chain element, the toc or hoc aside.
MANDATORY = {"tceId", "shipmentId", "mass", "distance", "transportActivity", "co2eWTW", "co2eTTW"}


@pytest.fixture(scope="module")
def factors() -> EmissionFactors:
    world = load_world()
    return EmissionFactors(world.network["emission_factors"], world.parameter("payload_t"))


def test_tank_to_wheel_factors_are_those_of_the_sources(shared: Path) -> None:
    """Road and ferry as published; diesel trains and ships by the published split of their mode."""
    with (shared / "facts" / "network" / "emission_factors.csv").open(encoding="utf-8", newline="") as file:
        fact = {row["id"]: float(row["value"]) for row in csv.DictReader(file) if row["value"]}
    rows = {row["mode"]: row for row in load_world().network["emission_factors"] if row["country"] == "*"}
    assert (rows["road"]["g_per_tkm"], rows["road"]["ttw_g_per_tkm"]) == (fact["EF003"], fact["EF001"])
    assert (rows["ferry"]["g_per_tkm"], rows["ferry"]["ttw_g_per_tkm"]) == (fact["EF039"], fact["EF037"])
    for mode, tank, whole in (("rail-diesel", "EF013", "EF015"), ("sea", "EF016", "EF018")):
        split = fact[tank] / fact[whole]
        assert rows[mode]["ttw_g_per_tkm"] == pytest.approx(rows[mode]["g_per_tkm"] * split, abs=0.05)
        assert rows[mode]["ttw_basis"] == "derived"
    assert rows["rail-electric"]["ttw_g_per_tkm"] == 0
    assert rows["handling"]["ttw_g_per_tkm"] is None


def test_haul_by_traction_and_country(factors: EmissionFactors) -> None:
    payload = factors.payload_t
    assert factors.haul_ttw("road", False, ("KAZ", "KAZ"), 100.0) == pytest.approx(77.03 * payload / 10)
    assert factors.haul_ttw("rail-1520", True, ("KAZ", "CHN"), 100.0) == 0
    assert factors.haul("rail-1520", True, ("KAZ", "CHN"), 100.0) == pytest.approx(
        (20.5 + 14.6) / 2 * payload / 10
    )


@pytest.mark.parametrize(("start", "end"), [("Xian", "Duisburg"), ("Almaty", "Istanbul")])
def test_legs_tell_the_tank_part_and_null_where_no_source_does(start: str, end: str) -> None:
    legs = [leg for one in route(load_world(), start, end) for leg in one.legs]
    lifts = [leg for leg in legs if leg.operation in ("terminal", "transfer", "port", "gauge_change")]
    assert any(leg.co2e_ttw_kg is None for leg in lifts)
    for leg in legs:
        if leg.operation in ("border", "rest"):
            assert leg.co2e_ttw_kg == leg.co2e_kg == 0
        elif leg.operation == "haul":
            assert leg.co2e_ttw_kg is not None and 0 <= leg.co2e_ttw_kg < leg.co2e_kg
            if leg.mode in ("road", "sea", "ferry"):
                assert 0.8 < leg.co2e_ttw_kg / leg.co2e_kg < 0.83
        elif leg.co2e_kg > 0:
            assert leg.co2e_ttw_kg is None


def test_a_route_as_ileap_elements(tmp_path: Path) -> None:
    out = tmp_path / "route.json"
    words = ["route", "Xian", "Duisburg", "-k", "3", "--ileap", str(out), "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    routes = json.loads(done.stdout)["result"]["routes"]
    document = json.loads(out.read_text(encoding="utf-8"))
    assert len(document["shipments"]) == len(routes) == 3
    for one, shipment in zip(routes, document["shipments"], strict=True):
        assert {"mass", "shipmentId", "tces"} <= set(shipment)
        before: list[str] = []
        for tce in shipment["tces"]:
            assert set(tce) >= MANDATORY
            assert ("tocId" in tce) != ("hocId" in tce)
            numbers = [tce[key] for key in MANDATORY - {"tceId", "shipmentId", "distance"}]
            assert all(DECIMAL.fullmatch(number) for number in [*numbers, tce["distance"]["actual"]])
            activity = float(tce["distance"]["actual"]) * float(tce["mass"]) / 1000
            assert float(tce["transportActivity"]) == pytest.approx(activity, abs=1e-4)
            assert ("hocId" in tce) == (tce["distance"]["actual"] == "0")
            assert float(tce["co2eTTW"]) <= float(tce["co2eWTW"])
            assert tce["prevTceIds"] == before
            before = [tce["tceId"]]
        whole = sum(float(tce["co2eWTW"]) for tce in shipment["tces"])
        assert whole == pytest.approx(one["co2e_kg"], abs=1e-4)
        hauls = [tce for tce in shipment["tces"] if "tocId" in tce]
        assert sum(float(t["distance"]["actual"]) for t in hauls) == pytest.approx(
            one["distance_km"], abs=1e-4
        )
    chain = [tce["tceId"] for shipment in document["shipments"] for tce in shipment["tces"]]
    assert len(set(chain)) == len(chain) and set(document["landbridge"]["places"]) == set(chain)
    assert document["landbridge"]["places"][chain[0]] == ["XIAN", "XIAN"]
    text = out.read_text(encoding="utf-8").casefold()
    assert "compliant" not in text and "certified" not in text
    assert "upper bound" in text and document["landbridge"]["world"] == lb.load().hash


def test_ileap_wants_a_json_file(tmp_path: Path) -> None:
    words = ["route", "Xian", "Duisburg", "--ileap", str(tmp_path / "route.txt")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2 and "--ileap" in done.stderr


def test_the_file_says_where_well_to_wheel_is_less() -> None:
    """Electric rail is generation only: wherever such a factor stands in the file, so does the warning."""
    leg = {"from": "A", "to": "B", "link": "L1", "mode": "rail-1520", "distance_km": 10.0}
    haul = leg | {"operation": "haul", "co2e_kg": 2.0, "co2e_ttw_kg": 1.0}
    rest = leg | {"operation": "rest", "distance_km": 0.0, "co2e_kg": 0.5, "co2e_ttw_kg": 0.25}
    routes = {"from": "A", "to": "B", "commodity": "MCH", "routes": [{"legs": [haul, rest]}]}
    rows = [dict(row) for row in load_world().network["emission_factors"]]
    thermal = [row for row in rows if row["mode"] != "rail-electric"]
    notes = []
    for factors in (rows, thermal):
        document = json.loads(ileap_text(routes, 10.0, factors, "hash"))
        (element,) = document["shipments"][0]["tces"]
        assert (element["co2eWTW"], element["co2eTTW"]) == ("2.5", "1.25")
        notes.append(document["landbridge"]["note"])
    assert "less than well to wheel" in notes[0] and "less than well to wheel" not in notes[1]


def test_a_part_above_its_whole_is_refused() -> None:
    row = {"mode": "road", "country": "*", "g_per_tkm": 10.0, "ttw_g_per_tkm": 11.0}
    with pytest.raises(DataError, match="ttw_g_per_tkm 11 is more than g_per_tkm 10"):
        EmissionFactors([row], 9.7)


def test_a_mode_without_a_factor_is_told(factors: EmissionFactors) -> None:
    for ask in (factors.haul, factors.haul_ttw):
        with pytest.raises(DataError, match="no barge for KAZ"):
            ask("barge", False, ("KAZ", "KAZ"), 1.0)


def test_a_truck_ferry_sails(factors: EmissionFactors) -> None:
    """A road over water has the hours that are stated, no rest of a driver, and the emissions of a ferry."""
    world = lb.load()
    link = world.network["links"].by("link_id")["D270"]
    legs = [leg for leg in route(world, "IST", "TRS", k=30) if leg.family == "road"]
    ferry = next(
        one for found in legs for one in found.legs if one.link == "D270" and one.operation == "haul"
    )
    assert ferry.time_h == pytest.approx(float(link["transit_time_h"]))
    assert not any(
        one.link == "D270" and one.operation == "rest" and one.time_h for found in legs for one in found.legs
    )
    kg = factors.haul("ferry", False, ("TUR", "ITA"), float(link["length_km"]))
    assert ferry.co2e_kg == pytest.approx(kg)
    assert kg != pytest.approx(
        factors.haul("road", False, ("TUR", "ITA"), float(link["length_km"])), rel=0.01
    )
