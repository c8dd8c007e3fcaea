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
from dataclasses import dataclass
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
from landbridge.report import Digest, csv_text, exports
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


def test_every_sheet_holds_the_numbers_of_the_result(run: Run) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    content = exports.xlsx(run.world, run.digests, run.lines)
    assert content == exports.xlsx(run.world, run.digests, run.lines)
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    tables = [name for name in result_tables() if any(d.result.get(name) for d in run.digests)]
    assert book.sheetnames == ["README", *tables] and set(result_tables()) - set(tables) == {"skims"}
    told = {str(row[0]): str(row[1]) for row in book["README"].iter_rows(values_only=True)}
    assert told["World"] == run.world.hash
    assert {"units", "closure", "scenario", "boundaries", "attribution"} <= set(told)
    for table in tables:
        header, units, *rows = list(book[table].iter_rows(values_only=True))
        wanted = [(d.id, row) for d in run.digests for row in d.result.get(table, [])]
        assert len(rows) == len(wanted) and header[0] == "scenario" and any(units)
        for cells, (id, row) in zip(rows, wanted, strict=True):
            found = dict(zip(header, cells, strict=True))
            assert found.pop("scenario") == id
            for name, value in row.items():
                # Excel keeps 15 digits, the file 16.
                wanted_cell = pytest.approx(value, rel=1e-15) if isinstance(value, float) else value
                assert found[name] == wanted_cell, (table, name)
                assert not isinstance(value, float) or isinstance(found[name], int | float)


def test_text_in_a_workbook_is_never_a_formula(run: Run) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    from landbridge.io.sheets import Sheet, xlsx_bytes

    sheet = Sheet("t", ("name", "value"), ("", "h"), [["=1+1", 1.5], ["http://x.example", None]])
    page = openpyxl.load_workbook(io.BytesIO(xlsx_bytes([("a", "=2")], [sheet])))["t"]
    assert page["A3"].value == "=1+1" and page["A3"].data_type == "s"
    assert page["B3"].value == 1.5 and page["B4"].value is None and page["A4"].hyperlink is None


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
    assert "No change: the base alone" in page and "西安" in page


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
    missing = r'needs \w+, which is not installed: pip install "landbridge\[\w+\]"'
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
