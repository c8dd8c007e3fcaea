"""Where a figure is from: questions, rows with their sources, formulas of every column of a result."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import embedded
import landbridge as lb
from commands import Call
from landbridge.report.why import why_sections
from landbridge.results.formulas import formula_of, formulas
from landbridge.results.tables import result_tables
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.studies.why import MAIN, Question, why
from landbridge.studies.why_rows import META, cell, changed_cells, keys_of, tables_of_economy
from small_folder import write_small_world

DOCS = Path(__file__).resolve().parents[1]
RAIL, ROAD = "saryagash-keles", "shymkent-tashkent"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> lb.World:
    folder = tmp_path_factory.mktemp("small") / "world"
    write_small_world(folder)
    return lb.load(folder)


def test_a_question_is_read_in_its_parts() -> None:
    assert Question.read("phi") == Question("phi")
    assert Question.read(" time_h of Khorgos ") == Question("time_h", "Khorgos")
    assert Question.read("a of B to C in x") == Question("a", "B to C", "x")
    with pytest.raises(lb.DataError, match="no figure"):
        Question.read("  ")


def test_every_column_of_the_tables_has_a_formula_and_its_page() -> None:
    assert {table for table, _ in formulas()} == set(MAIN)
    for table in MAIN:
        columns = result_tables()[table]
        assert MAIN[table] in columns.columns
        for name in set(columns.columns) - set(columns.keys):
            found = formula_of(table, name)
            assert found is not None and (DOCS / found.page).is_file(), (table, name)
    for table, column in formulas():
        assert column == "*" or column in result_tables()[table].columns, (table, column)


def test_an_input_has_every_row_that_holds_it() -> None:
    world = embedded.world()
    found = why(world, "time_h of khorgos-altynkol")
    mine = [row for row in world.network["crossings"] if row["gateway_id"] == "khorgos-altynkol"]
    assert [row["value"] for row in found.rows] == [row["time_h"] for row in mine]
    assert [(row["low"], row["high"]) for row in found.rows] == [
        (row["time_low_h"], row["time_high_h"]) for row in mine
    ]
    assert [(row["source"], row["basis"]) for row in found.rows] == [
        (row["source"], row["basis"]) for row in mine
    ]
    assert found.figure["kind"] == "input" and found.figure["unit"] == "h"
    assert {row["table"] for row in found.sources} == {"crossings"}
    assert all(row["licence"] for row in found.sources)


@pytest.mark.parametrize(
    ("question", "value", "low"),
    [
        ("phi", "8", "4"),
        ("parameters.value of phi", "8", "4"),
        ("theta of AGR", 5.0, 2.5),
        ("theta of agriculture", 5.0, 2.5),
        ("capacity_trains_per_day of Khorgos - Altynkol", 27.0, 20.0),
        ("capacity_trains_per_day of Хоргос - Алтынколь", 27.0, 20.0),
        ("capacity_trains_per_day of khorgos-altynkol", 27.0, 20.0),
        ("tariff of CHN to KAZ, AGR", None, None),
        ("length_km of R042", 15.0, None),
    ],
)
def test_a_figure_is_found_by_identifier_and_by_name(question: str, value: Any, low: Any) -> None:
    (row,) = why(embedded.world(), question).rows
    assert value is None or row["value"] == value
    assert row["low"] == low


def test_a_number_is_not_credited_to_the_source_of_its_neighbour() -> None:
    (row,) = why(embedded.world(), "constant of khorgos-altynkol").rows
    assert row["basis"] == "derived" and "calibrate" in row["source"]
    (row,) = why(embedded.world(), "deficit_pct of KGZ").rows
    assert row["basis"] == "derived" and "World Bank" not in row["source"]


def test_a_range_holds_its_value_unless_the_row_says_otherwise() -> None:
    world, seen = embedded.world(), 0
    for name, table in {**world.tables, **tables_of_economy(world)}.items():
        for row in table:
            for column in set(table.columns) - {*META, *keys_of(name)}:
                one = cell(name, row, column)
                if one["low"] is None or isinstance(row[column], str | None):
                    continue
                seen += 1
                inside = one["low"] <= row[column] <= one["high"]
                assert inside or "calibration" in str(one["note"]), (name, one["key"], column)
    assert seen > 1000


def test_an_input_under_a_scenario_has_both_values() -> None:
    found = why(embedded.world(), "time_h of khorgos-altynkol in borders-half")
    for row in found.rows:
        assert row["value"] == pytest.approx(0.5 * row["base_value"])
        # The range is that of the value in the base.
        assert row["low"] <= row["base_value"] <= row["high"]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("tme_h of khorgos-altynkol", "did you mean 'time_h'"),
        ("time_h of khorgos-altinkol", "did you mean 'khorgos-altynkol'"),
        ("time_h", 'say of what: "time_h of'),
        ("share of KAZ", '"zone_shares.share of KAZ"'),
        ("real_income of KAZ of", "unknown name"),
        ("phi in khorgos-close", "did you mean 'khorgos-closed'"),
    ],
)
def test_unknown_and_unclear_names_have_a_cure(question: str, words: str) -> None:
    with pytest.raises(lb.DataError) as caught:
        why(embedded.world(), question)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["eaeu-tariffs", "northern-technology", "middle-corridor-2030"])
def test_every_change_of_a_scenario_is_listed(name: str) -> None:
    world = embedded.world()
    scenario = load_scenario(name, world)
    rows = changed_cells(world, apply(world, scenario), scenario)
    assert rows and all(row["part"] == "changed" for row in rows)
    assert all(row["value"] != row["base_value"] for row in rows)
    if name == "eaeu-tariffs":
        assert {row["table"] for row in rows} == {"tariff"}
        assert all(row["value"] == pytest.approx(0.5 * row["base_value"]) for row in rows)


def test_a_source_of_several_rows_is_cited_once() -> None:
    """Two columns of a row, two rows of a source, and a note that both columns have."""
    world = embedded.world()
    scenario = load_scenario("cku-railway", world)
    rows = changed_cells(world, apply(world, scenario), scenario)
    plain = why(world, "time_h of khorgos-altynkol")
    found = replace(plain, scenario=scenario, rows=rows, figure={**plain.figure, "kind": "result"})
    (section,) = (one for one in why_sections(found) if one.key == "why.changed")
    for key in ("source", "note"):
        for text in {str(row[key]).rstrip(".") for row in rows if row[key]}:
            (line,) = (one for one in section.after if text in one)
            mine = {str(row["key"]) for row in rows if str(row[key]).rstrip(".") == text}
            assert all(len(re.findall(rf"\b{name}\b", line)) == 1 for name in mine), line
    assert any("R275; R276" in line for line in section.after)


def test_a_result_has_its_value_and_what_it_rests_on(small: lb.World, tmp_path: Path) -> None:
    solved = lb.run(small)
    found = why(small, f"teu_per_year of {RAIL}")
    (row,) = (row for row in solved.gateway_rows if row["gateway"] == RAIL)
    assert found.figure["value"] == row["teu_per_year"] and found.figure["page"]
    assert {"crossings", "gateways", "parameters"} <= {one["table"] for one in found.rows}
    changes = {"verb": "close_gateway", "gateway": ROAD}
    shut = Scenario.from_dict({"name": "shut", "modification": [changes]}, "shut")
    (tmp_path / "shut.toml").write_text(shut.to_toml(), encoding="utf-8")
    found = why(small, f"teu_per_year of {RAIL} in {tmp_path / 'shut.toml'}")
    assert found.figure["base_value"] == row["teu_per_year"] < found.figure["value"]
    assert [(r["key"], r["value"], r["base_value"]) for r in found.rows if r["part"] == "changed"] == [
        (ROAD, "closed", "open")
    ]
    with pytest.raises(lb.DataError, match="a change against the base"):
        why(small, "real_income of KAZ")
    with pytest.raises(lb.DataError, match="unknown name"):
        why(small, "co2e_kt of rod")
    for question in ("co2e_kt of road", "vax_ratio of KAZ", "transit of UZB", "mode_split of KAZ to UZB"):
        assert why(small, question).rows, question


def test_the_command_and_the_call_agree(call: Call) -> None:
    answer = lb.why(lb.load(), "time_h of khorgos-altynkol")
    code, out, err = call("why", "time_h of khorgos-altynkol", "--json")
    assert code == 0, err
    printed = json.loads(out)
    assert printed["result"] == json.loads(json.dumps(answer.to_json()))["result"]
    assert set(printed["result"]) == {"figure", "values", "rows", "sources"}
    code, out, _ = call("why", "time_h", "of", "khorgos-altynkol")
    assert code == 0 and "assumption" in out and "12 to 60" in out
    code, _, err = call("why", "time_h of khorgos-altinkol")
    assert code == 3 and "did you mean" in err


@pytest.mark.slow
def test_a_figure_of_a_scenario_is_that_of_a_run() -> None:
    world = embedded.world()
    found = why(world, "percent of KAZ in khorgos-closed")
    rows = lb.run(world, "khorgos-closed").real_income_rows
    assert found.figure["value"] == next(row["percent"] for row in rows if row["region"] == "KAZ")
    assert {row["key"] for row in found.rows if row["part"] == "changed"} == {
        "khorgos-altynkol",
        "khorgos-nur-zholy",
    }
