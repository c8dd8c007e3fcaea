"""A run in the formats of other programs: each is read back, and its numbers are those of the result."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import sqlite3
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.cli.run_files import Outputs, endings
from landbridge.errors import DataError, LandbridgeError
from landbridge.io import network
from landbridge.io.files import write_bytes
from landbridge.io.tables import attribution
from landbridge.phrases import Words
from landbridge.report import Digest, Names, csv_text, exports, first_screen, study_sections
from landbridge.report.html.legs import PARTS, corridors
from landbridge.report.html.run_page import Sight, html
from landbridge.results.tables import result_tables
from landbridge.transport.graph import BLOCK, WAGONLOAD

SCENARIO = "cku-railway"


@dataclass
class Run:
    """One scenario solved, and what the command keeps of it."""

    world: lb.World
    base: lb.Results
    case: lb.Results
    digests: list[Digest]
    flows: list[exports.Flows]
    lines: list[str]


@pytest.fixture(scope="module")
def run() -> Run:
    world, study = embedded.world(), embedded.railway()
    both = [study.base, study.cases[0]]
    digests = [Digest.of(one, study.base) for one in both]
    flows = [exports.Flows.of(one) for one in both]
    return Run(world, *both, digests, flows, attribution(world.folder))


@pytest.fixture(scope="module")
def package(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "flows.gpkg"
    write_bytes(path, exports.geopackage(run.world, run.digests, run.flows, run.lines))
    return path


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    sights = [Sight.of(run.base), Sight.of(run.case)]
    return html(run.world, run.digests, sights, run.lines, {"command": f"run {SCENARIO}"})


# -- links ---------------------------------------------------------------------------------------------


def test_flows_of_links_are_those_of_the_arcs(run: Run) -> None:
    rows, graph = run.case.link_rows, run.case.graph
    assert len(rows) == len(run.world.network["links"])
    km = sum(r["teu_per_year"] * r["length_km"] for r in rows) / 1e6
    whole = next(r for r in run.case.emission_rows if r["mode"] == "all")
    assert km == pytest.approx(whole["million_teu_km"], rel=1e-12)
    hauled = sum(r["co2e_kt"] for r in rows)
    handled = next(r for r in run.case.emission_rows if r["mode"].startswith("terminals"))
    assert hauled + handled["co2e_kt"] == pytest.approx(whole["co2e_kt"], rel=1e-12)
    for row in rows:
        assert -1e-6 <= row["teu_forward"] <= row["teu_per_year"] * (1 + 1e-12) + 1e-6
        if row["teu_block"] is not None:
            assert row["teu_block"] + row["teu_wagonload"] == pytest.approx(row["teu_per_year"], rel=1e-12)
    assert run.case.links.shape[0] == len(rows)
    assert graph.n_arcs > len(rows)


def test_a_change_is_the_case_less_its_base(run: Run) -> None:
    before = {r["link"]: r for r in run.base.link_rows}
    moved = 0
    for row in run.flows[1].links:
        assert row["change_teu"] == row["teu_per_year"] - before[row["link"]]["teu_per_year"]
        moved += abs(row["change_teu"]) > 1.0
    assert moved > 50
    assert all("change_teu" not in row for row in run.flows[0].links)


# -- tables --------------------------------------------------------------------------------------------


def test_every_sheet_holds_the_numbers_of_the_result(
    run: Run, workbook: dict[str, list[tuple[Any, ...]]]
) -> None:
    tables = [name for name in result_tables() if any(d.result.get(name) for d in run.digests)]
    assert list(workbook) == ["Answer", *tables, "README"]
    assert set(result_tables()) - set(tables) == {"skims", "reach", "ways"}
    told = {str(row[0]): str(row[1]) for row in workbook["README"]}
    assert told["World"] == run.world.hash
    assert {"units", "closure", "scenario", "boundaries", "attribution"} <= set(told)
    for table in tables:
        header, units, *rows = workbook[table]
        found = [dict(zip(header, cells, strict=True)) for cells in rows]
        assert header[0] == "scenario" and any(units)
        keys = result_tables()[table].keys
        # A row of the base is one of its own, or the figures before in the row of the case.
        known = {(row["scenario"], *(row[key] for key in keys)): row for row in found}
        assert len(known) == len(found)
        for digest in run.digests:
            for row in digest.result.get(table, []):
                key = tuple(row[key] for key in keys)
                own = known.get((digest.id, *key))
                cells = own or known[(SCENARIO, *key)]
                for name, value in row.items():
                    column = name if own or name in keys or not isinstance(value, float) else f"base_{name}"
                    if not own and column not in cells:
                        # Some columns show the scenario alone.
                        continue
                    if not own and not isinstance(value, float) and name not in keys:
                        continue
                    # Excel keeps 15 digits, the file 16.
                    wanted = pytest.approx(value, rel=1e-15) if isinstance(value, float) else value
                    assert cells[column] == wanted, (table, name)
                    assert not isinstance(value, float) or isinstance(cells[column], int | float)
                if digest.id == SCENARIO:
                    assert own is not None


def test_changes_in_a_workbook_are_after_less_before_and_the_largest_comes_first(run: Run) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    long = [replace(one, result={**one.result, "mode_split": []}) for one in run.digests]
    content = exports.xlsx(run.world, long, run.lines, "ru")
    assert content == exports.xlsx(run.world, long, run.lines, "ru")
    book = openpyxl.load_workbook(io.BytesIO(content))
    seen, words = 0, Words("ru")
    for table, effect in (
        ("real_income", "percent"),
        ("trade", "musd"),
        ("gateways", "change_teu_per_year"),
        ("emissions", "change_co2e_kt"),
        ("transit", "change_musd"),
        ("value_added", "change_value_added_exports_musd"),
    ):
        sheet = words.term("table", table)
        header, _, *rows = list(book[sheet].iter_rows(values_only=True))
        found = [dict(zip(header, cells, strict=True)) for cells in rows]
        mine = [abs(row[effect] or 0.0) for row in found if row["scenario"] == SCENARIO]
        assert len(mine) > 6 and mine == sorted(mine, reverse=True), sheet
        for name in (one for one in header if one.startswith("change_")):
            plain = name.removeprefix("change_")
            for row in found:
                if row[name] is not None:
                    assert row[name] == pytest.approx(row[plain] - row[f"base_{plain}"], rel=1e-6, abs=1e-6)
                    seen += 1
        page = book[sheet]
        assert page.freeze_panes is not None and page.auto_filter.ref
        at = header.index(effect) + 1
        assert "+" in page.cell(3, at).number_format and "0" in page.cell(3, at).number_format
        assert page.cell(1, at).comment is not None and page.column_dimensions["B"].width > 5
    assert seen > 500
    income = book[words.term("table", "real_income")]
    names = {row[0]: row[1] for row in income.iter_rows(min_col=2, max_col=3, values_only=True)}
    assert names["KAZ"] == "Казахстан" and names["KGZ"] == Names(run.world, "ru").region["KGZ"]
    assert book.sheetnames[0] == "Ответ" and len(book.worksheets[0]._charts) == 1


def test_several_scenarios_have_a_sheet_of_all_first(run: Run) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    base, case = run.digests
    # A scenario may be called like a table, or what no sheet can be called.
    names = ("gateways", "a/b[c]: " + "x" * 40, "A/b[c]: " + "x" * 40)
    few = ("real_income", "groups", "gateways", "emissions", "notes")
    base, case = (
        replace(one, result={key: one.result[key] for key in few if key in one.result})
        for one in (base, case)
    )
    content = exports.xlsx(run.world, [base, *(replace(case, id=name) for name in names)], run.lines)
    book = openpyxl.load_workbook(io.BytesIO(content))
    titles = book.sheetnames
    assert titles[0] == "Answer" and titles[-1] == "README" and "gateways" in titles
    assert titles[1:4] == ["gateways 2", "a b c  " + " " + "x" * 23, "A b c  " + " " + "x" * 21 + " 2"]
    rows = list(book["Answer"].iter_rows(values_only=True))
    at = next(n for n, row in enumerate(rows) if row[0] == "Kyrgyzstan")
    percent = next(row["percent"] for row in case.result["real_income"] if row["region"] == "KGZ")
    assert rows[at][2:5] == pytest.approx((percent,) * 3, rel=1e-14)
    (chart,) = book["Answer"]._charts
    assert len(chart.series) == 3


def test_text_in_a_workbook_is_never_a_formula(run: Run) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    from landbridge.io.sheets import Sheet, xlsx_bytes

    sheet = Sheet("t", ("name", "value"), ("", "h"), [["=1+1", 1.5], ["http://x.example", None]])
    page = openpyxl.load_workbook(io.BytesIO(xlsx_bytes([("a", "=2")], [sheet])))["t"]
    assert page["A3"].value == "=1+1" and page["A3"].data_type == "s"
    assert page["B3"].value == 1.5 and page["B4"].value is None and page["A4"].hyperlink is None


# -- one figure everywhere -----------------------------------------------------------------------------

# Tables of the page: the sheet, the columns that name a row, and the column and factor of every cell.
_ON_PAGE: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, float] | None, ...]]] = {
    "case.income": (
        ("groups", "real_income"),
        ("group_name", "region_name"),
        (
            *(("percent", 1.0), ("first_order_percent", 1.0), ("percent_proportional", 1.0)),
            *(("first_order_percent_proportional", 1.0), ("musd", 1.0), ("percent_of_gdp", 1.0)),
        ),
    ),
    "case.corridors": (
        ("corridors",),
        ("from_name", "to_name"),
        tuple(
            (f"{change}{name}", 1.0)
            for name in ("time_h", "cost_usd", "co2e_kg", "generalised_cost_usd")
            for change in ("", "change_")
        ),
    ),
    "case.gateways": (
        ("gateways",),
        ("name",),
        (
            *(None, ("teu_per_year", 1e-3), ("change_teu_per_year", 1e-3), ("trains_per_day", 1.0)),
            *(("change_trains_per_day", 1.0), ("volume_over_capacity", 1.0), ("wait_h", 1.0)),
            ("change_wait_h", 1.0),
        ),
    ),
    "case.emissions": (
        ("emissions",),
        ("mode",),
        tuple((f"{c}{n}", 1.0) for n in ("million_teu_km", "co2e_kt") for c in ("", "change_")),
    ),
    "case.transit": (
        ("transit",),
        ("region_name",),
        tuple(
            (name, 1.0) for name in ("musd", "change_musd", "own_change_musd", "above_cost_musd", "gain_musd")
        ),
    ),
}
_NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")


def shows(text: str, value: Any) -> bool:
    """Whether a text is a number, rounded by its own decimals."""
    if _NUMBER.fullmatch(text) is None or value is None:
        return False
    digits = len(text.partition(".")[2])
    return abs(float(text.replace(",", "")) - value) <= 0.5 * 10.0**-digits * (1.0 + 1e-9) + 1e-12


class _Cells(HTMLParser):
    """The tables of a page: caption, and rows of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[str]]]] = []
        self.open: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append(("", []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][1][-1].append("")
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open in ("th", "td"):
            self.tables[-1][1][-1][-1] += data
        elif self.open == "caption":
            self.tables[-1] = (data, self.tables[-1][1])


@pytest.fixture(scope="module")
def workbook(run: Run) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every sheet of the workbook."""
    openpyxl = pytest.importorskip("openpyxl")
    content = exports.xlsx(run.world, run.digests, run.lines)
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_the_page_and_the_workbook_show_the_same_figures(
    run: Run, page: str, workbook: dict[str, list[tuple[Any, ...]]]
) -> None:
    sheets = {
        name: [dict(zip(rows[0], cells, strict=True)) for cells in rows[2:]]
        for name, rows in workbook.items()
        if name not in ("Answer", "README")
    }
    cells = _Cells()
    cells.feed(page)
    by_caption: dict[str, list[list[str]]] = {}
    for caption, rows in cells.tables:
        # The scenario comes first; the base has tables of the same captions.
        by_caption.setdefault(caption, rows)
    sections = {s.key: s for s in study_sections(run.world, run.digests[0], run.digests[1:])}
    for key, (names, labels, columns) in _ON_PAGE.items():
        _, *rows = by_caption[sections[key].heading]
        assert len(rows) == len(sections[key].rows) > 2
        for label, *texts in rows:
            held = [
                row
                for name in names
                for row in sheets[name]
                if row["scenario"] == SCENARIO and row.get("family") in (None, "all")
                if " - ".join(str(row[one]) for one in labels if one in row) == label
            ]
            (row,) = held
            for text, column in zip(texts, columns, strict=True):
                number = _NUMBER.match(text)
                if column is None or number is None:
                    continue
                value = row[column[0]]
                assert shows(number[0], column[1] * value), (key, label, column, text, value)


def _columns(header: tuple[Any, ...], rows: list[tuple[Any, ...]], *names: str) -> list[tuple[Any, ...]]:
    at = [header.index(name) for name in names]
    return [tuple(row[n] for n in at) for row in rows]


def test_the_first_screen_and_the_workbook_show_the_same_figures(
    run: Run, workbook: dict[str, list[tuple[Any, ...]]]
) -> None:
    base, case = run.digests
    answer: dict[str, list[tuple[Any, ...]]] = {}
    for cells in workbook["Answer"]:
        answer.setdefault(str(cells[0]), []).append(cells[1:])
    sections = {s.key: s for s in first_screen(run.world, base, case, Names(run.world))}
    # Real income: percent, both ends of the range, money, percent of GDP.
    for name, percent, span, musd, gdp in sections["first.income"].rows:
        _, *figures = answer[name][0]
        texts = (percent, *span.removesuffix(" #").split(" to "), musd, gdp)
        assert all(shows(text, value) for text, value in zip(texts, figures, strict=False)), (name, figures)
        rows = (*case.result["real_income"], *case.result["groups"])
        same = [row for row in rows if row["musd"] == pytest.approx(figures[3], rel=1e-14)]
        assert [row["percent"] for row in same] == pytest.approx([figures[0]], rel=1e-14)
    # Pairs of cities: before and after, one figure where both show the same.
    pair, walked = "", 0
    for name, mode, *texts in sections["first.pairs"].rows:
        pair = name or pair
        figures = next(row for row in answer[pair] if row[1] == mode)[2:]
        for n, text in enumerate(texts):
            ends = text.split(" -> ")
            for end, value in zip((ends[0], ends[-1]), figures[3 * n : 3 * n + 2], strict=True):
                assert (end == "-" and value is None) or shows(end, value), (pair, mode, text, figures)
                walked += 1
    assert walked >= 18
    # Traffic: thousand TEU a year, and trains or trucks a day; million tonnes as in the table of gateways.
    header, _, *gateways = workbook["gateways"]
    moved = {cells[0]: cells[1] for cells in _columns(header, gateways, "name", "change_tonnes")}
    for line in sections["first.traffic"].before:
        name = next(
            one
            for one in sorted(answer, key=len, reverse=True)
            if one.split(" (")[0] in line and "," not in one
        )
        teu, a_day = answer[name][0][2:5], answer[name][0][5:8]
        held = [value for value in (*(1e-3 * one for one in teu), *a_day) if value is not None]
        shown = line
        if line.endswith(" Mt"):
            shown, _, weight = line.removesuffix(" Mt").rpartition(", ")
            assert shows(weight, 1e-6 * moved[name]), line
        texts = _NUMBER.findall(shown.replace(name.split(" (")[0], "").replace("1,000 TEU", "TEU"))
        assert len(texts) >= 2 and all(any(shows(text, one) for one in held) for text in texts), line
    # CO2e, all and by mode.
    (line,) = sections["first.co2e"].before
    whole, parts = line.split(": ", 1)[1].split(" (")
    assert shows(whole, answer["all modes"][0][4])
    shown = parts.rstrip(")").split(", ")
    # Modes that the line has no room for are marked, at its end.
    for part in shown[:-1] if shown[-1] == "..." else shown:
        mode, _, text = part.rpartition(" ")
        assert shows(text, answer[mode][0][4]), part


def test_a_figure_that_differs_is_noticed() -> None:
    assert shows("+0.21", 0.2055) and shows("1,309", 1309.17) and shows("-63", -63.49)
    assert not shows("+0.21", 0.2155) and not shows("1,309", 1310.17) and not shows("-63", 63.0)
    assert not shows("-", 0.0) and not shows("0.2", None)


def test_parquet_is_the_long_table(run: Run) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(exports.parquet(run.world, run.digests, run.lines)))
    wanted = list(csv.DictReader(io.StringIO(csv_text(run.digests))))
    found = table.to_pylist()
    assert len(found) == len(wanted) > 3000
    for ours, theirs in zip(found, wanted, strict=True):
        assert {**ours, "value": repr(ours["value"])} == theirs
    assert table.schema.metadata[b"landbridge.world"].decode() == run.world.hash


# -- maps ----------------------------------------------------------------------------------------------


def test_the_network_of_a_scenario_has_its_flows_and_their_change(run: Run) -> None:
    features = json.loads(exports.network_geojson(run.world, run.lines, run.flows[1]))["features"]
    rows = {one["properties"]["link"]: one["properties"] for one in features if "link" in one["properties"]}
    assert set(rows) == {row["link"] for row in run.case.link_rows}
    for row, was in zip(run.case.link_rows, run.base.link_rows, strict=True):
        cells = rows[row["link"]]
        assert cells["base_teu"] == was["teu_per_year"]
        assert cells["change_teu"] == row["teu_per_year"] - was["teu_per_year"]
    base = json.loads(exports.network_geojson(run.world, run.lines, run.flows[0]))["features"]
    assert not any("change_teu" in one["properties"] for one in base)


def test_geojson_has_a_feature_for_every_link_and_gateway(run: Run) -> None:
    text = exports.geojson(run.world, run.digests, run.flows, run.lines)
    document = json.loads(text)
    assert document["type"] == "FeatureCollection"
    assert "schematic" in document["landbridge"]["geometry"]
    assert document["landbridge"]["attribution"] == run.lines
    links = {f["properties"]["link"]: f for f in document["features"] if f["properties"]["layer"] == "links"}
    places = run.world.network["places"].by("place_id")
    assert set(links) == {r["link"] for r in run.case.link_rows}
    for row, was in zip(run.case.link_rows, run.base.link_rows, strict=True):
        cells = links[row["link"]]["properties"]
        assert cells["teu_per_year_cku_railway"] == row["teu_per_year"]
        assert cells["teu_per_year_base"] == cells["base_teu_cku_railway"] == was["teu_per_year"]
        assert cells["status_cku_railway"] == row["status"]
        shape = links[row["link"]]["geometry"]
        ends = [[places[row[end]]["lon"], places[row[end]]["lat"]] for end in ("from", "to")]
        assert shape == {"type": "LineString", "coordinates": ends}
    posts = [f for f in document["features"] if f["properties"]["layer"] == "gateways"]
    for post, row in zip(posts, run.case.gateway_rows, strict=True):
        assert post["properties"]["wait_h_cku_railway"] == row["wait_h"]
        strait = post["properties"]["kind"] == "strait"
        assert (post["geometry"] is None) if strait else post["geometry"]["type"] == "Point"
    told = {c["name"] for c in document["landbridge"]["columns"]}
    assert {name for f in document["features"] for name in f["properties"]} - {"layer"} <= told


def test_names_of_columns_stay_apart() -> None:
    found = exports._endings(["base", "a-b", "a_b"])
    assert len(set(found.values())) == 3 and found["a-b"] == "a_b"


def _geometry(blob: bytes) -> list[tuple[float, float]]:
    magic, version, flags, srs = struct.unpack_from("<2sBBi", blob)
    assert magic == b"GP" and version == 0 and flags & 1 and srs == 4326
    at = 8 + {0: 0, 1: 32}[flags >> 1 & 7]
    order, kind = struct.unpack_from("<BI", blob, at)
    assert order == 1 and kind in (1, 2)
    count = 1 if kind == 1 else struct.unpack_from("<I", blob, at + 5)[0]
    numbers = struct.unpack_from(f"<{2 * count}d", blob, at + (5 if kind == 1 else 9))
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    if kind == 2:
        lon, lat = zip(*points, strict=True)
        assert struct.unpack_from("<4d", blob, 8) == (min(lon), max(lon), min(lat), max(lat))
    return points


def test_the_geopackage_is_one(run: Run, package: Path) -> None:
    head = package.read_bytes()[:100]
    assert head[68:72] == b"GPKG" and int.from_bytes(head[60:64], "big") == 10300
    base = sqlite3.connect(package)
    assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert base.execute("PRAGMA foreign_key_check").fetchall() == []
    contents = dict(base.execute("SELECT table_name, data_type FROM gpkg_contents"))
    names = ["links_base", "gateways_base", f"links_{SCENARIO}", f"gateways_{SCENARIO}"]
    assert [n for n, kind in contents.items() if kind == "features"] == names
    shapes = dict(base.execute("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns"))
    assert shapes == {n: "LINESTRING" if n.startswith("links") else "POINT" for n in names}
    systems = {row[0] for row in base.execute("SELECT srs_id FROM gpkg_spatial_ref_sys")}
    assert {4326, 0, -1} <= systems
    told = dict(base.execute("SELECT topic, text FROM about"))
    assert told["World"] == run.world.hash and "schematic" in told["geometry"]
    base.close()


def test_the_geopackage_holds_the_numbers_of_the_result(run: Run, package: Path) -> None:
    base = sqlite3.connect(package)
    base.row_factory = sqlite3.Row
    for one in run.flows:
        for name, key in (("links", "link"), ("gateways", "gateway")):
            rows = [dict(row) for row in base.execute(f'SELECT * FROM "{name}_{one.id}"')]
            wanted = getattr(one, name)
            assert len(rows) == len(wanted)
            for row, cells in zip(rows, wanted, strict=True):
                points = _geometry(row["geom"]) if row["geom"] is not None else []
                assert points == list(cells["points"]), row[key]
                for column in set(row) - {"fid", "geom"}:
                    assert row[column] == cells[column], (row[key], column)
            described = base.execute("SELECT name FROM columns WHERE layer = ?", [f"{name}_{one.id}"])
            assert {row[0] for row in described} == set(rows[0]) - {"fid", "geom"}
    base.close()


def test_every_layer_has_a_style(run: Run, package: Path) -> None:
    base = sqlite3.connect(package)
    styles = base.execute("SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles")
    found = {name: qml for name, column, qml, default in styles if column == "geom" and default}
    assert len(found) == 4
    for name, qml in found.items():
        tree = ET.fromstring(qml.partition("\n")[2])
        symbols = tree.findall("renderer-v2/symbols/symbol")
        assert tree.tag == "qgis" and symbols, name
        columns = {row[1] for row in base.execute(f'PRAGMA table_info("{name}")')}
        asked = {o.get("value") or "" for o in tree.iter("Option") if o.get("name") == "expression"}
        asked |= {rule.get("filter") or "" for rule in tree.iter("rule")}
        for test in asked:
            words = set(re.findall(r"[a-z_]+(?![a-z_]*\()", re.sub(r"'[^']*'", "", test)))
            assert words - {"and", "or", "is", "null"} <= columns, test
    base.close()


# -- skims ---------------------------------------------------------------------------------------------


def test_skims_make_the_round_trip(run: Run, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "skims.omx"
    write_bytes(path, exports.skims(run.base, run.lines))
    zones = [str(row["place_id"]) for row in run.world.network["zones"]]
    at = {zone: n for n, zone in enumerate(zones)}
    with h5py.File(path) as file:
        assert file.attrs["OMX_VERSION"] == b"0.2" and list(file.attrs["SHAPE"]) == [len(zones)] * 2
        assert [text.decode() for text in file["lookup/place_id"]] == zones
        for measure, unit in (("time_h", "h"), ("generalised_cost_usd", "USD/TEU")):
            matrix = file[f"data/MCH_{measure}"]
            assert matrix.attrs["unit"] == unit
            values, seen = matrix[:], 0
            for row in run.base.skims("MCH").itertuples(index=False):
                pair: Any = row
                if pair[0] in at and pair[1] in at:
                    assert values[at[pair[0]], at[pair[1]]] == getattr(pair, measure)
                    seen += 1
            assert seen == np.isfinite(values).sum() and math.isnan(values[0, 0])
    openmatrix = pytest.importorskip("openmatrix")
    with openmatrix.open_file(str(path)) as file:
        assert file.shape() == (len(zones), len(zones)) and "MCH_co2e_kg" in file.list_matrices()
        assert file.mapping("zone")[1] == 0
        assert np.array(file["MCH_time_h"]).shape == file.shape()


# -- GMNS ----------------------------------------------------------------------------------------------


def test_gmns_has_every_place_and_link(run: Run, tmp_path: Path) -> None:
    network.write_gmns(tmp_path / "gmns", exports.gmns(run.world, run.lines))
    tables = {}
    for name in ("node", "link", "config", "use_definition"):
        with (tmp_path / "gmns" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    nodes = {row["node_id"] for row in tables["node"]}
    assert len(nodes) == len(run.world.network["places"]) and len(tables["config"]) == 1
    lengths = {row["link"]: row["length_km"] for row in run.base.link_rows}
    uses = {row["use"] for row in tables["use_definition"]}
    for row in tables["link"]:
        assert {row["from_node_id"], row["to_node_id"]} <= nodes and row["directed"] == "0"
        assert float(row["length"]) == lengths[row["link_id"]]
        assert set(row["allowed_uses"].split(",")) <= uses and row["geometry"].startswith("LINESTRING (")
    graph = run.base.graph
    crossing = next(row for row in tables["link"] if row["gateway"] == "khorgos-altynkol")
    link = graph.links.index(crossing["link_id"])
    terms = [t for arc in np.flatnonzero(graph.link == link) for t in graph.terms_of(int(arc))]
    hours = {product: set(graph.term_time_h[terms, product].tolist()) for product in (BLOCK, WAGONLOAD)}
    assert float(crossing["border_h_block_forward"]) in hours[BLOCK]
    assert float(crossing["border_h_wagonload_backward"]) in hours[WAGONLOAD]
    readme = (tmp_path / "gmns" / "README.md").read_text(encoding="utf-8")
    assert all(f"| {column} |" in readme for column in tables["link"][0])
    assert all(line in readme for line in run.lines)
    with pytest.raises(DataError, match="not empty"):
        network.write_gmns(tmp_path / "gmns", {})


# -- the page ------------------------------------------------------------------------------------------


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_fetches_nothing(page: str, read: _Reader) -> None:
    for tag, attributes in read.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "video", "audio", "base")
        for name in ("src", "srcset", "data", "action", "poster", "background"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:image/"), (tag, name)
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in page and "url(" not in page


def test_figures_fetch_nothing_either(read: _Reader) -> None:
    import base64

    figures = [a["src"] or "" for tag, a in read.tags if tag == "img"]
    assert len(figures) == 7
    for address in figures:
        svg = base64.b64decode(address.partition(",")[2]).decode("utf-8")
        assert ET.fromstring(svg.partition("<svg")[1] + svg.partition("<svg")[2]).tag.endswith("svg")
        assert all(ref.startswith("#") for ref in re.findall(r'href="([^"]*)"', svg))
        assert "<image" not in svg and "@import" not in svg


def test_the_page_can_be_heard(read: _Reader) -> None:
    tags = [tag for tag, _ in read.tags]
    assert ("html", {"lang": "en"}) in read.tags and tags.count("h1") == 1 and tags.count("main") == 1
    assert all(len(a.get("alt") or "") > 40 for tag, a in read.tags if tag == "img")
    assert all(a.get("scope") in ("col", "row") for tag, a in read.tags if tag == "th")
    assert tags.count("caption") == tags.count("table") > 5
    ids = [a["id"] for _, a in read.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert {(a.get("href") or "")[1:] for tag, a in read.tags if tag == "a"} <= set(ids)


def test_the_page_says_what_a_reader_needs(run: Run, read: _Reader) -> None:
    text = " ".join(read.text)
    assert run.case.scenario is not None and run.case.scenario.name in text
    assert all(source in text for source in run.case.scenario.sources)
    assert all(line in text for line in run.lines)
    assert "legal status of any territory" in text and run.world.hash[:12] in text
    row = next(r for r in run.case.real_income_rows if r["region"] == "KGZ")
    assert f"{row['percent']:+.3f}" in text


def test_a_page_of_the_base_alone(run: Run) -> None:
    page = html(run.world, run.digests[:1], [Sight.of(run.base)], run.lines, {}, lang="zh")
    base = Words("zh").say("page.no_change", base=Words("zh").say("base.name", year=2023))
    assert base in page and "西安" in page and "No change" not in page


def test_figures_of_corridors_are_the_rows_of_the_table(run: Run) -> None:
    for results in (run.base, run.case):
        rows = {row["corridor"]: row for row in results.corridor_rows if row["family"] == "all"}
        found = corridors(results)
        assert [one.corridor for one in found] == list(rows) and len(rows) >= 10
        for one in found:
            assert set(one.hours) == set(one.usd) == set(PARTS)
            row = rows[one.corridor]
            assert one.total == pytest.approx((row["time_h"], row["cost_usd"]), rel=1e-9)


def test_figure_and_table_of_a_page_say_the_same(run: Run, page: str) -> None:
    row = next(r for r in run.case.corridor_rows if r["corridor"] == "xian-bishkek" and r["family"] == "all")
    told = f'<td class="n">{row["time_h"]:,.1f}</td><td class="n">{row["cost_usd"]:,.0f}</td></tr>'
    assert told in page
    changed = next(line for line in page.splitlines() if f">{row['cost_usd']:,.0f}</td><td class" in line)
    assert f">{row['time_h']:,.0f}</td>" in changed


# -- the command ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".xlsx", ".parquet", ".omx", ".html"])
def test_a_missing_package_is_told_in_a_sentence(ending: str, tmp_path: Path) -> None:
    block = (
        "import sys\n"
        "for name in ('xlsxwriter', 'pyarrow', 'pyarrow.parquet', 'h5py', 'matplotlib.figure'):\n"
        "    sys.modules[name] = None\n"
        "from landbridge.cli import main; main()"
    )
    out = tmp_path / f"out{ending}"
    done = subprocess.run(
        [sys.executable, "-c", block, "run", SCENARIO, "-o", str(out)],
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == LandbridgeError.exit_code and done.stdout == "" and not out.exists()
    missing = r'needs \w+, which is not installed: .*pip install -e "[^"]+\[\w+\]"'
    sentence = rf"landbridge: a \{ending} file {missing}\n"
    assert re.fullmatch(sentence, done.stderr), done.stderr


@pytest.mark.slow
def test_the_command_writes_every_format(run: Run, tmp_path: Path) -> None:
    for ending in endings():
        outputs = Outputs(tmp_path / f"out{ending}", "en")
        outputs.keep(run.base)
        outputs.keep(run.case)
        content = outputs.content(run.world, run.digests, lambda: '{"manifest": {}}')
        assert content


def test_the_library_draws_nothing_until_asked() -> None:
    code = (
        "import sys, landbridge.report.html.run_page, landbridge.report.exports\n"
        "print([m for m in ('matplotlib', 'h5py', 'xlsxwriter', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout == "[]\n", done.stderr
