"""A survey of borders: prefilled with the figures of today, read back, and compared with the data before."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedded
import landbridge as lb
from commands import Call
from landbridge.errors import DataError, ScenarioError
from landbridge.io.survey import merge_survey, read_survey, write_survey
from landbridge.scenario import Scenario, edited_data
from landbridge.studies.against import against
from landbridge.world.difference import differences, differing_tables
from small_folder import write_small_world

openpyxl = pytest.importorskip("openpyxl")

# Columns of the sheet.
TODAY, VALUE, YEAR, SOURCE, KEY = 6, 7, 8, 9, 13
FIRST = 7


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> lb.World:
    folder = tmp_path_factory.mktemp("survey") / "world"
    write_small_world(folder)
    return lb.load(folder)


def fill(path: Path, values: Mapping[str, Any], year: Any = 2025, source: Any = "Own survey") -> Path:
    """A survey with new values by key, saved under a new name."""
    book = openpyxl.load_workbook(path)
    sheet, left = book["survey"], dict(values)
    for line in range(FIRST, sheet.max_row + 1):
        key = sheet.cell(line, KEY).value
        if key in left:
            for at, cell in ((VALUE, left.pop(key)), (YEAR, year), (SOURCE, source)):
                sheet.cell(line, at).value = cell
    assert not left
    new = path.with_name(f"filled-{path.name}")
    book.save(new)
    return new


def test_the_sheet_holds_every_figure_of_today_and_three_columns_to_fill(tmp_path: Path) -> None:
    world, path = embedded.world(), tmp_path / "s.xlsx"
    number = write_survey(path, world, ["Хоргос - Алтынколь", "aktau"], "ru")
    sheet = openpyxl.load_workbook(path)["survey"]
    rows = list(sheet.iter_rows(min_row=FIRST, values_only=True))
    assert number == len(rows) > 10 and sheet.protection.sheet
    tables = {name: world.network[name] for name in ("crossings", "gauge_changes", "ports")}
    mine = {"khorgos-altynkol", "aktau"}
    wanted = {
        (name, column): sorted(row[column] for row in table if row["gateway_id"] in mine)
        for name, table in tables.items()
        for column in table.columns
    }
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        table, *_, column = row[KEY - 1].split("|")
        found.setdefault((table, column), []).append(row[TODAY - 1])
        assert all(row[at - 1] is None for at in (VALUE, YEAR, SOURCE)) and row[4] in ("h", "USD/TEU")
    assert len(found) == 8 and all(sorted(values) == wanted[key] for key, values in found.items())
    assert {row[0] for row in rows} == {"Хоргос - Алтынколь", "Порт Актау"}
    for cells in sheet.iter_rows(min_row=FIRST):
        open_ones = [cell.column for cell in cells if not cell.protection.locked]
        assert open_ones == [VALUE, YEAR, SOURCE]
    with pytest.raises(DataError) as caught:
        write_survey(tmp_path / "t.xlsx", world, ["khorgoz", "suez", "Khorgos"])
    assert len(caught.value.faults) == 3 and not (tmp_path / "t.xlsx").exists()
    assert "names several" in str(caught.value) and "no hours or money" in str(caught.value)


def test_a_figure_changes_and_all_else_stays(call: Call, tmp_path: Path) -> None:
    world, path = embedded.world(), tmp_path / "s.xlsx"
    assert call("data", "template", str(path), "--border", "khorgos-altynkol")[0] == 0
    key = "crossings|R042|wagonload|KHO_CN|ALT|time_h"
    filled = fill(path, {key: 60, "gauge_changes|ALT|1435|1520|cost_usd": 150.5}, source="40 wagons")
    new, counts, sources = merge_survey(world, read_survey(filled, world), filled.name)
    found = {(one.table, one.key, one.column): (one.before, one.after) for one in differences(world, new)}
    row = next(r for r in world.network["crossings"] if r["time_h"] == 112.8 and r["link_id"] == "R042")
    scale = 60 / 112.8
    ends = {name: (row[name], float(row[name] or 0.0) * scale) for name in ("time_low_h", "time_high_h")}
    crossing = ("crossings", "R042|wagonload|KHO_CN|ALT")
    assert found == {
        (*crossing, "time_h"): (112.8, 60.0),
        **{(*crossing, name): pytest.approx(values, rel=1e-15) for name, values in ends.items()},
        ("gauge_changes", "ALT|1435|1520", "cost_usd"): (139.0, 150.5),
    }
    assert differing_tables(world, new) == ["crossings", "gauge_changes"]
    changed = [
        r for r, old in zip(new.network["crossings"], world.network["crossings"], strict=True) if r != old
    ]
    assert [(r["source"], r["year"], r["basis"], r["outbound_rule"]) for r in changed] == [
        ("40 wagons", "2025", "observed", "own survey")
    ]
    assert changed[0]["cost_usd"] == row["cost_usd"] and "112.8" in str(changed[0]["note"])
    assert counts["crossings"] == {"replaced": 1, "added": 0} and len(sources) == 2
    # The command says what changed, and writes the same World.
    code, out, err = call("data", "import", str(filled), str(tmp_path / "mine"), "--json")
    assert code == 0, err
    result = json.loads(out)["result"]
    assert result["hash"] == new.hash and len(result["changes"]) == len(found)
    assert {"table": "crossings", "before": 112.8, "after": 60.0}.items() <= result["changes"][0].items()


def test_all_faults_of_a_survey_are_listed_by_cell(small: lb.World, tmp_path: Path) -> None:
    path = tmp_path / "s.xlsx"
    write_survey(path, small, ["saryagash-keles", "shymkent-tashkent"])
    book = openpyxl.load_workbook(path)
    sheet = book["survey"]
    # Value, year, source, today and key of each row from the first; None leaves today and key alone.
    for line, cells in enumerate(
        (
            ("12,5 h", 2025, "x", None, None),
            (-3, 2025, "x", None, None),
            (5, 25, "x", None, None),
            (5, None, None, None, None),
            (None, 2025, "x", None, None),
            ("=1+1", 2025, "x", None, None),
            (5, 2025, "x", 1.25, None),
            (5, 2025, "x", None, "crossings|R999|block|A|B|time_h"),
        ),
        start=FIRST,
    ):
        for at, cell in zip((VALUE, YEAR, SOURCE, TODAY, KEY), cells, strict=True):
            if cell is not None:
                sheet.cell(line, at).value = cell
    book.save(tmp_path / "bad.xlsx")
    with pytest.raises(DataError) as caught:
        read_survey(tmp_path / "bad.xlsx", small)
    places = [fault.where.removeprefix("sheet survey, ") for fault in caught.value.faults]
    assert places == [
        *("cell G7", "cell G8", "cell H9", "cell H10", "cell I10", "cell G11", "cell G12"),
        *("cell F13", "row 14"),
    ]
    assert all(fault.cure for fault in caught.value.faults)
    with pytest.raises(DataError, match="holds no new value"):
        read_survey(path, small)


def test_own_hours_give_what_a_scenario_with_the_same_hours_gives(small: lb.World, tmp_path: Path) -> None:
    path = tmp_path / "s.xlsx"
    write_survey(path, small, ["saryagash-keles"])
    rows = [r for r in small.network["crossings"] if r["gateway_id"] == "saryagash-keles"]
    assert {row["product"] for row in rows} == {"block", "wagonload"}
    moves = {("wagonload", "time_h"): 0.5, ("block", "time_h"): 0.7, ("wagonload", "cost_usd"): 1.5}
    values = {
        "|".join(
            ("crossings", *(str(row[k]) for k in ("link_id", "product", "from_place", "to_place")), name)
        ): (factor * float(row[name] or 0.0))
        for (product, name), factor in moves.items()
        for row in rows
        if row["product"] == product
    }
    filled = fill(path, values)
    edited = merge_survey(small, read_survey(filled, small), "s.xlsx")[0]
    changes = [
        {
            "verb": "change_gateway",
            "gateway": "saryagash-keles",
            "product": product,
            name: {"multiply": factor},
        }
        for (product, name), factor in moves.items()
    ]
    scenario = Scenario.from_dict({"name": "the same", "modification": changes}, "scenario")
    found = against(edited, small, "survey")
    assert found.base.hash == small.hash and found.scenario.sources == ("Own survey",)
    study = lb.study(small, [scenario, found.scenario])
    one, other = study.cases
    assert np.abs(one.real_income["percent"]).max() > 1e-3
    for table in ("real_income", "trade", "corridors", "gateways", "emissions"):
        a, b = getattr(one, table), getattr(other, table)
        for column in a.select_dtypes("number"):
            np.testing.assert_allclose(
                b[column], a[column], rtol=1e-9, atol=1e-9, err_msg=f"{table} {column}"
            )


def test_what_is_no_change_of_the_base_is_refused_with_every_table(small: lb.World) -> None:
    network = small.network

    def moved(table: str, column: str, factor: float, **where: str) -> lb.World:
        rows = [
            {**row, column: factor * float(row[column] or 0.0)}
            if all(row[key] == value for key, value in where.items())
            else row
            for row in network[table]
        ]
        return small.with_network(**{table: network[table].with_rows(rows)})

    shares = moved("zone_shares", "share", 0.9)
    links = network["links"].with_rows(list(network["links"])[1:])
    text = [{**r, "value": "5"} if r["parameter"] == "phi" else r for r in network["parameters"]]
    wrong = shares.with_network(links=links, parameters=network["parameters"].with_rows(text))
    with pytest.raises(ScenarioError) as caught:
        against(wrong, small, "wrong")
    told = str(caught.value)
    gone = next(iter(network["links"]))["link_id"]
    assert len(caught.value.faults) == 3
    assert all(part in told for part in ("zone_shares.csv", f"links.csv, {gone}", "parameters.csv, phi"))
    with pytest.raises(ScenarioError, match="no figure of transport differs"):
        against(small, small, "same")
    # A parameter of the world it describes, a rate and a speed are changes.
    for world in (moved("rates", "usd_per_teu_km", 1.1), moved("links", "speed_kmh", 0.9)):
        assert len(against(world, small, "fine").found) > 1
    with pytest.raises(ScenarioError, match="zone_shares"):
        lb.run(small, edited_data(shares, "x", "x"))


def test_the_command_compares_two_folders(
    small: lb.World, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A screen on which a row is one line.
    monkeypatch.setenv("COLUMNS", "120")
    # The small World lacks tables that `data check` asks for.
    monkeypatch.setattr(
        "landbridge.cli.run.load_sound",
        lambda folder, *_: embedded.world() if folder is None else lb.load(folder),
    )
    path, mine = tmp_path / "s.xlsx", tmp_path / "mine"
    write_survey(path, small, ["saryagash-keles"])
    key = "|".join(("crossings", *_first(small), "time_h"))
    filled = fill(path, {key: 20}, source="Survey of 2025")
    folder = str(small.folder)
    code, out, _ = call("data", "import", str(filled), str(mine), "--world", folder)
    assert code == 0 and "--against embedded" in out
    assert re.search(r"hours at the border, both sides +84 +20 +h", out)
    words = ("run", "--world", str(mine), "--against", folder, "--rebase")
    code, out, err = call(*words)
    assert code == 0, err
    assert "Changed figures" in out and " 20 " in out and "Source: Survey of 2025" in out
    assert "Real income" in out and "mine: 1 own figure in place of that of world" in out
    code, out, err = call(*words, "--json")
    body = json.loads(out)
    assert code == 0 and body["result"]["real_income"]
    assert body["manifest"]["options"]["against"] == folder
    assert body["manifest"]["world"]["hash"] == small.hash != body["manifest"]["options"]["edited"]
    (tmp_path / "r.json").write_text(out, encoding="utf-8")
    code, _, err = call("run", str(tmp_path / "r.json"), "--world", folder)
    assert code == 3 and "--against" in err
    assert call(*words, "-o", str(tmp_path / "x.xlsx"))[0] == 0
    cells = openpyxl.load_workbook(tmp_path / "x.xlsx")["Answer"].iter_rows(values_only=True)
    assert any("84 -> 20 h" in str(row[0]) for row in cells)
    for wrong in (("cku-railway",), ("--set", "phi=5"), ("--horizon", "2030"), ("--base",)):
        code, _, err = call("run", *wrong, "--world", str(mine), "--against", "embedded")
        assert code == 2 and "--against" in err, wrong
    assert call("run", "--against", "embedded")[0] == 2
    # Regions, trade and demand of the small World are not those of the package.
    code, _, err = call("run", "--world", str(mine), "--against", "embedded", "--rebase")
    assert code == 3 and "block_train_share.csv, carriers.csv" in err and "links.csv, " in err
    assert len(err.splitlines()) < 20


def _first(world: lb.World) -> tuple[str, ...]:
    """Key of the slowest crossing of wagonload at Saryagash - Keles."""
    rows = [
        row
        for row in world.network["crossings"]
        if row["gateway_id"] == "saryagash-keles" and row["product"] == "wagonload"
    ]
    row = max(rows, key=lambda row: float(row["time_h"] or 0.0))
    return tuple(str(row[name]) for name in ("link_id", "product", "from_place", "to_place"))
