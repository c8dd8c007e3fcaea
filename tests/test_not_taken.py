"""Ways between two places that carry little or nothing, and the reason of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import embedded
import landbridge as lb
from commands import Call
from landbridge.phrases import LANGUAGES, Words
from landbridge.report.ways import way_sections
from landbridge.results.tables import result_table
from landbridge.scenario import apply, load_scenario
from landbridge.transport.asked import Trip
from landbridge.transport.not_taken import LITTLE, ways_not_taken
from landbridge.world.table import Table


@cache
def tables(scenario: str | None) -> Mapping[str, Table]:
    world = embedded.world()
    return world.network if scenario is None else apply(world, load_scenario(scenario)).network


@cache
def ways(start: str, end: str, scenario: str | None = None) -> list[dict[str, Any]]:
    found = ways_not_taken(embedded.world(), Trip(start, end), scenario)
    assert [way["cost_ratio"] for way in found["ways"]] == sorted(way["cost_ratio"] for way in found["ways"])
    for way in found["ways"]:
        assert way["reason"] == "barred" or (way["reason"] in ("closed", "planned")) == bool(way["shut"])
        for one in way["shut"]:
            # What is said to be shut is, in the tables of the scenario.
            table, key = ("gateways", "gateway_id") if one["gateway"] else ("links", "link_id")
            row = tables(scenario)[table].by(key)[one["gateway"] or one["link"]]
            assert one["status"] == row["status"] != "open"
        assert (way["share"] > 0.0) == (way["reason"] == "little") and way["share"] < LITTLE
    return list(found["ways"])


def test_a_family_that_carries_little_is_compared_with_the_route_most_used() -> None:
    routes = lb.route(embedded.world(), "URC", "TAS", k=500)
    found = {way["family"]: way for way in ways("URC", "TAS") if way["reason"] == "little"}
    shares = {one.family: one.family_share for one in routes}
    assert found.keys() == {family for family, share in shares.items() if 0.0 < share < LITTLE}
    for family, way in found.items():
        assert way["share"] == pytest.approx(shares[family], rel=1e-6)
        mine = [one for one in routes if one.family == family]
        best = min(
            mine,
            key=lambda one, way=way: abs(one.time_h - way["time_h"]) + abs(one.cost_usd - way["cost_usd"]),
        )
        assert (way["time_h"], way["cost_usd"]) == pytest.approx((best.time_h, best.cost_usd))
        assert way["more_h"] == pytest.approx(best.time_h - routes[0].time_h, abs=1e-3)
        assert way["more_usd"] == pytest.approx(best.cost_usd - routes[0].cost_usd, abs=1e-2)


def test_families_outside_the_limit_for_detours_are_named_and_are_on_no_route() -> None:
    used = {one.family for one in lb.route(embedded.world(), "URC", "TAS", k=500)}
    left = [way for way in ways("URC", "TAS") if way["reason"] == "detour"]
    assert left and not used & {way["family"] for way in left}
    assert all(way["cost_ratio"] > 1.25 for way in left)


def test_what_a_scenario_closes_is_named_with_its_gateway() -> None:
    before, after = ways("CKG", "DUI"), ways("CKG", "DUI", "suez-closed")
    assert not [way for way in before if way["reason"] == "closed"]
    (sea,) = [way for way in after if way["reason"] == "closed"]
    assert sea["family"] == "sea" and sea["more_h"] < 0.0 and "suez" in sea["gateways"]
    assert [one["gateway"] for one in sea["shut"]] == ["suez"]
    rail = [way for way in before if way["reason"] == "planned"]
    assert rail and all(one["status"] == "planned" for way in rail for one in way["shut"])


def test_a_way_through_a_country_without_transit_is_told_as_such() -> None:
    found = {way["family"]: way for way in ways("CKG", "DUI", "northern-closed") if way["reason"] == "barred"}
    assert found.keys() == {"northern", "road"} and found["northern"]["more_h"] < 0.0
    assert not [way for way in ways("CKG", "DUI") if way["reason"] == "barred"]
    assert not [
        way
        for way in ways("CKG", "DUI", "northern-closed")
        if way["reason"] == "detour" and way["cost_ratio"] < 1.0
    ]


def test_closed_and_planned_lines_of_one_way_are_told_apart() -> None:
    links = embedded.world().network["links"]
    lines = {row["link_id"]: row for row in links if row["status"] == "planned"}
    shut = [
        {"link": next(iter(lines)), "gateway": None, "from": "MOI", "to": "ZHZ", "status": "planned"},
        {"link": None, "gateway": "aktau", "from": "AKT", "to": "AKT", "status": "closed"},
    ]
    (way,) = [one for one in ways("CKG", "DUI") if one["reason"] == "planned"][:1]
    names: dict[str, Any] = {
        "from": "CKG",
        "to": "DUI",
        "commodity": "MCH",
        "product": "block",
        "scenario": None,
    }
    names["most_used"] = {"family": "sea", "share": 0.2, "time_h": 800.0, "cost_usd": 2800.0, "gateways": []}
    found = {**names, "little": LITTLE, "ways": [{**way, "reason": "closed", "shut": shut}]}
    (section,) = way_sections(embedded.world(), found)
    assert section.rows[0][1] == "closed: Aktau port; not open in the base: Moyynty - Zhezkazgan"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("words", [("reach", "Almaty"), ("ways", "Chongqing", "Duisburg")], ids=" ".join)
def test_the_workbook_has_units_notes_and_formats(
    call: Call, tmp_path: Path, words: tuple[str, ...], lang: str
) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    path = tmp_path / "found.xlsx"
    code, _, err = call(*words, "--lang", lang, "-o", str(path))
    assert code == 0, err
    book, said = openpyxl.load_workbook(path), Words(lang)
    sheet = book[said.term("table", words[0])]
    for head, unit, *cells in sheet.iter_cols():
        column = result_table(words[0]).columns[head.value]
        assert unit.value == (said.term("unit", column.unit) if column.unit else "")
        assert said.term("column", f"{words[0]}.{column.name}") in head.comment.text
        assert bool(column.unit) == (column.type == "float")
        if column.unit:
            signed = column.unit.endswith(", change")
            assert cells and all(cell.number_format.startswith("+" if signed else "#") for cell in cells)
        if lang != "en":
            assert head.comment.text != column.description
