"""`landbridge data`: list, card, check, export, template and import, as a user meets them."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import time
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import landbridge as lb
from commands import Call
from landbridge.errors import DataError, Fault
from landbridge.io.cards import WHAT, card, cards
from landbridge.io.export import export
from landbridge.io.optional import cure
from landbridge.io.tables import DATA, load_world
from landbridge.io.workbook import FIRST_ROW, SHEETS, merge, read_workbook, write_template
from landbridge.model.prepared import PairsAsked
from landbridge.studies.check_data import check, islands
from landbridge.transport.compile import compile_graph
from landbridge.transport.routes.base_set import stored_base
from landbridge.transport.routes.search import Pairs
from landbridge.world import World
from landbridge.world.table import columns_of, read_schema


@pytest.fixture(scope="module")
def world() -> World:
    return load_world()


@pytest.fixture(scope="module")
def exported(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(world, tmp_path_factory.mktemp("export") / "my_world")


@pytest.fixture
def own(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "own"))


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# -- list and card ---------------------------------------------------------------------------------


def test_the_list_names_every_table_and_file(call: Call, world: World) -> None:
    code, out, _ = call("data", "list", "--json")
    document = json.loads(out)
    assert code == 0 and set(document) == {"schema_version", "result", "status", "manifest"}
    assert document["manifest"]["world"]["hash"] == world.hash
    listed = {row["table"] for row in document["result"]}
    there = {
        path.stem for part in ("network", "economy", "channels") for path in (DATA / part).rglob("*.csv")
    }
    assert listed == there - {"SOURCES"}
    assert all((DATA / row["file"]).is_file() for row in document["result"])
    code, out, _ = call("data", "list")
    assert code == 0 and all(name in out for name in listed)


def test_every_table_has_a_card_that_says_what_it_is(world: World) -> None:
    for one in cards(world):
        assert one.rows == len(rows_of(DATA / one.file)), one.table
        assert one.what == WHAT.get(one.table), f"{one.table} has no sentence in io/cards.py"
        assert one.columns and one.sources, one.table
        assert all(source["licence"] and source["attribution"] for source in one.sources)
        columns = {column["name"] for column in one.columns}
        assert columns == set(rows_of(DATA / one.file)[0])
        if "basis" in columns:
            assert sum(one.basis.values()) == one.rows


def test_the_card_tells_which_rule_gave_each_value(call: Call, world: World) -> None:
    found = card(world, "crossings")
    rows = rows_of(DATA / "network" / "crossings.csv")
    for column in ("outbound_rule", "inbound_rule"):
        assert sum(found.rules[column].values()) == len(rows)
        assert found.rules[column]["assumption"] == sum(r[column] == "assumption" for r in rows)
    assert len(found.rule_of) == len(rows) and found.rule_of[0]["link_id"] == rows[0]["link_id"]
    assert any("assumptions" in text for text in found.weak)
    assert card(world, "tariff").rules == card(world, "tariff_basis").rules
    assert any("gap_filled_pair" in text for text in card(world, "trade").weak)
    code, out, _ = call("data", "card", "crossings", "--rows")
    assert code == 0 and "licence:" in out and "Weaknesses" in out and out.count("R041") >= 4
    code, out, _ = call("data", "card", "tariff", "--json")
    assert json.loads(out)["result"]["basis"]["assumption"] > 0


def test_an_unknown_table_is_met_with_near_names(call: Call) -> None:
    code, out, err = call("data", "card", "crosings")
    assert code == 3 and out == "" and "did you mean 'crossings'" in err


# -- check -----------------------------------------------------------------------------------------


def test_the_embedded_world_is_clean_and_the_check_is_quick(call: Call) -> None:
    begin = time.perf_counter()
    code, out, err = call("data", "check")
    assert code == 0, err
    assert "clean" in out and "6 variants" in out and time.perf_counter() - begin < 5.0
    code, out, _ = call("data", "check", "--json")
    result = json.loads(out)["result"]
    assert code == 0 and result["faults"] == [] and len(result["accounts"]) == 6
    assert all(gap < 1e-9 for gaps in result["accounts"].values() for gap in gaps.values())
    gauges = {island["gauge"] for island in result["islands"]}
    assert gauges == {"rail-1435", "rail-1520", "rail-1676"}


def test_an_exported_world_is_clean(call: Call, exported: Path) -> None:
    assert call("data", "check", "--world", str(exported))[0] == 0


def test_all_faults_are_told_at_once(call: Call, own: Path) -> None:
    spoil(own / "network" / "links.csv", "D001,URC,", "D001,URCX,")
    spoil(own / "network" / "SOURCES.csv", "\nports,", "\nprots,")
    spoil(own / "economy" / "tariff_basis.csv", "\nAFG,ARE,", "\nAFG,XXX,")
    (own / "economy" / "baci-tjk_cap_on" / "trade.csv").unlink()
    code, out, err = call("data", "check", "--world", str(own))
    assert code == 3 and out == ""
    for part in ("'URCX' is not in places", "no row for the table 'ports'", "names 'prots'"):
        assert part in err
    code, out, _ = call("data", "check", "--world", str(own), "--json")
    document = json.loads(out)
    assert code == 3 and document["status"]["converged"] is False
    assert all(set(fault) == {"where", "what", "cure"} for fault in document["result"]["faults"])
    spoil(own / "network" / "links.csv", "D001,URCX,", "D001,URC,")
    told = "\n".join(map(str, check(own).faults))
    assert "baci-tjk_cap_on/trade.csv: not found" in told and "unknown code 'XXX'" in told


def test_accounts_that_do_not_close_are_faults(own: Path) -> None:
    spoil(own / "economy" / "reported-tjk_cap_on" / "trade.csv", "\nAFG,AFG,6", "\nAFG,AFG,9")
    spoil(own / "economy" / "regions.csv", "United Arab Emirates,51", "United Arab Emirates,61")
    load_world(own)  # can be read and solved: the solver rebases
    told = "\n".join(map(str, check(own).faults))
    assert "reported-tjk_cap_on (AFG): uses and purchases differ" in told
    assert "reported-tjk_cap_on (AFG): sales are not output_musd" in told
    assert "(ARE): value added + tariff revenue is not gdp_musd" in told


def test_cycles_that_cost_nothing_are_faults(own: Path) -> None:
    rows = own / "network" / "parameters.csv"
    text = rows.read_text(encoding="utf-8").splitlines()
    free = ("transfer_h", "transfer_usd", "formation_block_h", "formation_wagonload_h")
    cells = [line.split(",") for line in text]
    lines = [",".join([c[0], "0", "0", *c[3:]]) if c[0] in free else ",".join(c) for c in cells]
    rows.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    told = "\n".join(map(str, check(own).faults))
    assert "a cycle without hours and money" in told


def test_a_rail_island_with_a_zone_and_no_way_out_is_a_fault(world: World) -> None:
    cut = world.with_network(
        **{
            name: _appended(world, name, rows)
            for name, rows in {
                "places": [_place("ISLA"), _place("ISLB")],
                "links": [_link("ISL1", "ISLA", "ISLB")],
                "zones": [{"place_id": "ISLA", "region": "KAZ", "share": 0.0}],
            }.items()
        }
    )
    faults: list[Fault] = []
    pieces = islands(cut, compile_graph(cut), faults)
    assert any(piece["of"] == ["ISLA", "ISLB"] and piece["ways_out"] == 0 for piece in pieces)
    assert len(faults) == 1 and "cut off, with the zone ISLA" in str(faults[0])


def _place(name: str) -> dict[str, Any]:
    return {"place_id": name, "name": name, "country": "KAZ", "region": "KAZ", "lon": 60.0, "lat": 45.0}


def _link(name: str, start: str, end: str) -> dict[str, Any]:
    row = {"link_id": name, "from_place": start, "to_place": end, "mode": "rail-1676", "length_km": 10.0}
    return {**row, "status": "open", "speed_kmh": 50.0, "dual_gauge": False, "electrified": False}


def _appended(world: World, name: str, rows: list[dict[str, Any]]) -> Any:
    table = world.network[name]
    blank = dict.fromkeys(table.columns)
    return table.with_rows([*table, *({**blank, **row} for row in rows)])


# -- export ----------------------------------------------------------------------------------------


def test_an_exported_world_is_the_same_world(
    call: Call, exported: Path, world: World, tmp_path: Path
) -> None:
    assert load_world(exported).hash == world.hash == lb.load(str(exported)).hash
    schema = (exported / "schema.csv").read_text(encoding="utf-8")
    assert schema.startswith("table,column,type,unit") and (exported / "README.md").is_file()
    assert rows_of(exported / "network" / "SOURCES.csv") == rows_of(DATA / "network" / "SOURCES.csv")
    for path in (DATA / "economy").rglob("*.csv"):
        copy = exported / "economy" / path.relative_to(DATA / "economy")
        assert copy.is_file()
        if path.parent != DATA / "economy":
            assert copy.read_bytes() == path.read_bytes()
    again = export(load_world(exported), tmp_path / "again")
    for path in exported.rglob("*.csv"):
        assert (again / path.relative_to(exported)).read_bytes() == path.read_bytes(), path.name
    code, out, _ = call("data", "export", str(tmp_path / "third"), "--json", "--world", str(exported))
    assert code == 0 and json.loads(out)["result"]["hash"] == world.hash


def test_an_export_from_before_a_column_was_added_still_loads(own: Path, world: World) -> None:
    """places.exclave is the newest; where it is not there no place is an exclave."""
    path = own / "network" / "places.csv"
    rows = rows_of(path)
    with path.open("w", encoding="utf-8", newline="") as file:
        old = csv.DictWriter(file, [name for name in rows[0] if name != "exclave"], extrasaction="ignore")
        old.writeheader()
        old.writerows(rows)
    loaded = load_world(own)
    assert not any(row["exclave"] for row in loaded.network["places"])
    assert any(row["exclave"] for row in world.network["places"])
    assert not check(own).faults
    assert load_world(export(loaded, own.parent / "again")).hash == loaded.hash


def test_the_shipped_routes_are_no_table_of_an_export(call: Call, exported: Path) -> None:
    """They are found by the network alone: an unchanged copy takes them, a changed one does not."""
    assert not (exported / "routes").exists()
    assert "routes/base.npz.xz" in (exported / "LICENSES.md").read_text(encoding="utf-8")
    assert "OpenStreetMap contributors" in call("cite", "--world", str(exported))[1]
    graph = compile_graph(load_world(exported))
    asked = PairsAsked.of(load_world(exported))
    pairs = Pairs(graph, asked.places, asked.places, asked.wanted, asked.every_family)
    assert stored_base(graph, pairs) is not None


@pytest.mark.slow
def test_a_run_on_the_export_gives_the_same_numbers(call: Call, exported: Path) -> None:
    code, mine, err = call("run", "cku-railway", "--world", str(exported), "--json")
    assert code == 0, err
    code, theirs, _ = call("run", "cku-railway", "--json")
    one, two = json.loads(mine), json.loads(theirs)
    assert one["result"] == two["result"]
    assert one["manifest"]["world"] == {"name": "own", "hash": two["manifest"]["world"]["hash"]}


def test_nothing_is_ever_written_over(call: Call, tmp_path: Path, world: World) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x", encoding="utf-8")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for target, part in (("full", "is not empty"), ("file", "is a file"), ("no/where", "there is no folder")):
        code, out, err = call("data", "export", str(tmp_path / target))
        assert code == 3 and part in err and out == ""
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    assert load_world(export(world, tmp_path / "empty")).hash == world.hash
    assert not list(tmp_path.glob(".*"))


def test_a_changed_world_is_exported_as_it_is(world: World, tmp_path: Path) -> None:
    table = world.network["rates"]
    moved = ("usd_per_teu_km", "usd_per_teu", "low", "high")
    rows = [{**row, **{c: None if row[c] is None else float(row[c]) / 3 for c in moved}} for row in table]
    changed = world.with_network(rates=table.with_rows(rows))
    assert load_world(export(changed, tmp_path / "changed")).hash == changed.hash
    scenario = lb.Scenario.from_dict(
        {
            "name": "tariff",
            "modification": [
                {"verb": "change_tariff", "exporter": "CHN", "importer": "KAZ", "tariff": {"add": 0.1}}
            ],
        },
        "tariff",
    )
    from landbridge.scenario import apply

    with pytest.raises(DataError, match="keep the change as a scenario"):
        export(apply(world, scenario), tmp_path / "policy")
    assert not (tmp_path / "policy").exists()


# -- template and import ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def blank(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "blank.xlsx"
    write_template(path, world)
    return path


ROWS: dict[str, dict[str, Any]] = {
    "borders": {
        **{"gateway_id": "alashankou-dostyk", "link_id": "R041", "product": "block"},
        **{"from_place": "Alashankou", "to_place": "DOS", "time_h": 11.5, "cost_usd": 100},
        **{"source": "own survey", "year": 2024, "basis": "observed"},
    },
    "links": {
        **{"link_id": "MY1", "from_place": "Almaty", "to_place": "Bishkek", "mode": "road"},
        **{"length_km": 240, "status": "open", "dual_gauge": "no", "speed_kmh": 60, "electrified": "no"},
        **{"disputed": "no", "source": "own", "basis": "assumption"},
    },
    "rates": {
        **{"mode": "road", "scope": "KAZ", "usd_per_teu_km": 1.1, "usd_per_teu": 0},
        **{"source": "own", "basis": "observed"},
    },
    "od_demand": {
        **{"from_place": "XIAN", "to_place": "Duisburg", "sector": "MCH", "teu_per_year": 1000},
        **{"source": "own", "basis": "observed"},
    },
}


def put_row(book: Any, sheet: str, row: dict[str, Any], at: int = FIRST_ROW) -> None:
    header = [cell.value for cell in book[sheet][1]]
    for name, value in row.items():
        book[sheet].cell(at, header.index(name) + 1).value = value


def filled(blank: Path) -> Any:
    book = openpyxl.load_workbook(blank)
    for sheet, row in ROWS.items():
        put_row(book, sheet, row)
    for number, text in enumerate(("own survey", "2024", "own use only", "Survey of 2024, its author")):
        book["README"].cell(12 + number, 2).value = text
    return book


def test_the_template_has_units_and_drop_downs(call: Call, blank: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(blank)
    assert book.sheetnames == ["README", "borders", "links", "rates", "od_demand", "codes"]
    for name, table in SHEETS.items():
        sheet = book[name]
        header = [cell.value for cell in sheet[1]]
        known = columns_of(table)
        assert set(header) <= set(known) and {c.name for c in known.values() if c.required} <= set(header)
        rules = {
            str(rule.sqref).split(":")[0].rstrip("0123456789"): rule
            for rule in sheet.data_validations.dataValidation
        }
        for cell in sheet[1]:
            column = known[cell.value]
            if column.unit:
                assert sheet.cell(2, cell.column).value == column.unit
            if column.allowed:
                rule = rules[cell.column_letter]
                assert rule.type == "list" and rule.formula1 == f'"{",".join(column.allowed)}"'
                assert len(rule.formula1) <= 255
    assert all(not str(cell.value or "").startswith(("=", "+", "@")) for row in book["codes"] for cell in row)
    own = tmp_path / "mine.xlsx"
    assert call("data", "template", str(own))[0] == 0
    code, _, err = call("data", "template", str(own))
    assert code == 3 and "is there already" in err
    assert call("data", "template", str(tmp_path / "mine.ods"))[0] == 3


def test_a_filled_workbook_becomes_a_world(call: Call, blank: Path, tmp_path: Path, world: World) -> None:
    filled(blank).save(tmp_path / "mine.xlsx")
    mine = tmp_path / "my_world"
    code, out, err = call("data", "import", str(tmp_path / "mine.xlsx"), str(mine), "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["result"]["tables"] == {
        "links": {"replaced": 0, "added": 1},
        "rates": {"replaced": 1, "added": 0},
        "crossings": {"replaced": 1, "added": 0},
        "od_demand": {"replaced": 0, "added": 1},
    }
    loaded = load_world(mine)
    assert loaded.hash == document["result"]["hash"] == document["manifest"]["world"]["hash"] != world.hash
    row = next(
        r
        for r in loaded.network["crossings"]
        if (r["link_id"], r["product"], r["from_place"]) == ("R041", "block", "ALA_CN")
    )
    assert (row["time_h"], row["outbound_rule"], row["year"]) == (11.5, "own survey", "2024")
    assert len(loaded.network["crossings"]) == len(world.network["crossings"])
    assert not check(mine).faults
    assert any(s["licence"] == "own use only" for s in card(loaded, "od_demand").sources)
    assert "Survey of 2024, its author" in call("cite", "--world", str(mine))[1]
    # A second workbook goes on top of the first one's World.
    book = openpyxl.load_workbook(blank)
    put_row(book, "od_demand", {**ROWS["od_demand"], "teu_per_year": 2000})
    for number in range(4):
        book["README"].cell(12 + number, 2).value = "again"
    book.save(tmp_path / "second.xlsx")
    code, out, _ = call(
        "data", "import", str(tmp_path / "second.xlsx"), str(tmp_path / "next"), "--world", str(mine)
    )
    assert code == 0 and "od_demand: 1 row replaced, 0 added" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sheet", "column", "value", "part"),
    [
        ("links", "length_km", "=1+1", "is a formula"),
        ("links", "source", '=HYPERLINK("http://x")', "is a formula"),
        ("links", "source", "@SUM(1)", "begins with '@'"),
        ("links", "note", "+1 km", "begins with '+'"),
        ("rates", "note", "-2 USD", "begins with '-'"),
        ("links", "length_km", datetime(2024, 1, 5), "is a date"),
        ("links", "year", datetime(2024, 1, 5), "is a date"),
        ("links", "length_km", "240,5", "a decimal point"),
        ("links", "length_km", "NaN", "finite"),
        ("links", "length_km", "240 km", "give a number in km"),
        ("links", "length_km", 1e9, "at most 40000 km"),
        ("links", "mode", "raod", "use one of"),
        ("links", "status", None, "status is empty"),
        ("borders", "product", "#N/A", "error #N/A"),
        ("rates", "source", None, "source is empty"),
    ],
)
def test_a_bad_cell_is_told_by_sheet_and_cell(
    blank: Path, tmp_path: Path, sheet: str, column: str, value: Any, part: str
) -> None:
    book = filled(blank)
    put_row(book, sheet, {column: value})
    letter = next(cell.column_letter for cell in book[sheet][1] if cell.value == column)
    book.save(tmp_path / "bad.xlsx")
    with pytest.raises(DataError) as caught:
        read_workbook(tmp_path / "bad.xlsx")
    assert [f.where for f in caught.value.faults] == [f"sheet {sheet}, cell {letter}{FIRST_ROW}"], str(
        caught.value
    )
    assert part in str(caught.value.faults[0]) and caught.value.faults[0].cure


def test_merged_cells_changed_units_and_strange_sheets_are_told_at_once(blank: Path, tmp_path: Path) -> None:
    book = filled(blank)
    book["links"].merge_cells("B5:C6")
    book["rates"]["D2"] = "USD/km"
    book["borders"]["A1"] = "gateway"
    book["README"]["B14"] = None
    book.create_sheet("bordres")
    book.save(tmp_path / "bad.xlsx")
    with pytest.raises(DataError) as caught:
        read_workbook(tmp_path / "bad.xlsx")
    told = str(caught.value)
    for part in (
        *("sheet links, cells B5:C6: are merged", "sheet rates, cell D2: the unit of usd_per_teu_km"),
        *(
            "sheet borders, cell A1: no column 'gateway'",
            "cell B14: licence is empty",
            "did you mean 'borders'",
        ),
    ):
        assert part in told


def test_rows_that_do_not_fit_the_world_are_told_by_sheet_and_row(
    blank: Path, tmp_path: Path, world: World
) -> None:
    book = filled(blank)
    put_row(book, "links", {"to_place": "Bishkekk"})
    put_row(book, "borders", {"link_id": "D046"})
    put_row(book, "od_demand", {"sector": "XYZ"})
    put_row(book, "rates", ROWS["rates"], at=4)
    book.save(tmp_path / "bad.xlsx")
    with pytest.raises(DataError) as caught:
        merge(world, read_workbook(tmp_path / "bad.xlsx"))
    told = str(caught.value)
    for part in (
        "sheet links, row 3, to_place",
        "sheet borders, row 3",
        "no sector 'XYZ'",
        "key of sheet rates, row 3",
    ):
        assert part in told


def test_files_that_are_no_workbooks_are_told(call: Call, blank: Path, tmp_path: Path) -> None:
    (tmp_path / "text.xlsx").write_text("a,b", encoding="utf-8")
    (tmp_path / "cut.xlsx").write_bytes(blank.read_bytes()[:5000])
    (tmp_path / "dir.xlsx").mkdir()
    with (
        zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(201):
            part.write(bytes(1_000_000))
    with zipfile.ZipFile(blank) as old, zipfile.ZipFile(tmp_path / "entity.xlsx", "w") as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename.endswith("sheet2.xml"):
                content = b'<!DOCTYPE x [<!ENTITY a "b">]>' + content
            new.writestr(item.filename, content)
    shutil.copy(blank, tmp_path / "blank.xlsx")
    for name in ("text", "cut", "dir", "bomb", "entity", "blank", "missing"):
        code, out, err = call("data", "import", str(tmp_path / f"{name}.xlsx"), str(tmp_path / "out"))
        assert code == 3 and out == "" and f"{name}.xlsx" in err, (name, err)
    assert not (tmp_path / "out").exists()


def test_without_openpyxl_the_command_says_how_to_install_it(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    for words in (["template", str(tmp_path / "x.xlsx")], ["import", "x.xlsx", str(tmp_path / "x")]):
        code, _, err = call("data", *words)
        assert code == 1 and f"install it: {cure('excel')}" in err


def test_tables_of_ones_own_are_described_in_the_schema() -> None:
    assert "own.od_demand" in read_schema() and "od_demand" in WHAT
