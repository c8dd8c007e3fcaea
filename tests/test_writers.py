"""Every study is written by its ending, by one function, and what is written is what was found."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import landbridge as lb
from commands import Call
from landbridge.cli.run_files import endings
from landbridge.io.sheets import dta_bytes
from landbridge.report.document import Document, Section
from landbridge.report.writers import ENDINGS, OF_DOCUMENTS, check_ending, write


@pytest.fixture(scope="module")
def answers() -> Mapping[str, lb.Answer]:
    world = lb.load()
    gas = lb.gas(world, ["line-C"], months="1-3")
    return {"gas": gas, "farm": lb.farm(world, regions=["KAZ"]), "treaties": lb.treaties(world)}


@pytest.mark.parametrize("name", ["gas", "farm", "treaties"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_study_has_every_ending(
    answers: Mapping[str, lb.Answer], tmp_path: Path, name: str, ending: str
) -> None:
    path = tmp_path / f"{name}{ending}"
    assert answers[name].save(path) == path and path.stat().st_size > 200
    again = tmp_path / f"again{ending}"
    answers[name].save(str(again))
    assert path.read_bytes() == again.read_bytes()


def test_json_and_markdown_are_those_of_the_answer(answers: Mapping[str, lb.Answer], tmp_path: Path) -> None:
    answer = answers["farm"]
    body = json.loads(answer.save(tmp_path / "a.json").read_text(encoding="utf-8"))
    assert body == json.loads(json.dumps(answer.to_json()))
    assert answer.save(tmp_path / "a.md").read_text(encoding="utf-8") == answer.document().markdown()


def test_text_and_page_have_every_cell(answers: Mapping[str, lb.Answer], tmp_path: Path) -> None:
    for answer in answers.values():
        text = answer.save(tmp_path / "a.txt").read_text(encoding="utf-8")
        page = answer.save(tmp_path / "a.html").read_text(encoding="utf-8")
        assert "http://" not in page.split("<main>")[0] and "<script" not in page and "url(" not in page
        for section in answer.document().sections:
            assert section.title in text
            for row in section.rows:
                # A row of the text is one line of its cells.
                cells = [cell for cell in row if cell]
                assert any(all(cell in line for cell in cells) for line in text.splitlines()), row
            assert page.count("<table>") == sum(bool(s.rows) for s in answer.document().sections)


def test_a_workbook_has_a_sheet_a_table(answers: Mapping[str, lb.Answer], tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    answer = answers["gas"]
    book = openpyxl.load_workbook(answer.save(tmp_path / "a.xlsx"), read_only=True)
    assert book.sheetnames == ["README", *(name for name, rows in answer.rows.items() if rows)]
    header, _, *rows = list(book["contracts"].iter_rows(values_only=True))
    for cells, row in zip(rows, answer.rows["contracts"], strict=True):
        found = dict(zip(header, cells, strict=True))
        assert found["contract"] == row["contract"]
        assert found["missed_bcm"] == pytest.approx(row["missed_bcm"], rel=1e-14)


def test_parquet_is_all_tables_below_each_other(answers: Mapping[str, lb.Answer], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    answer = answers["gas"]
    table = parquet.read_table(answer.save(tmp_path / "a.parquet"))
    rows = table.to_pylist()
    assert len(rows) == sum(map(len, answer.rows.values()))
    lines = [row for row in rows if row["table"] == "lines"]
    assert [row["flow_bcm"] for row in lines] == [row["flow_bcm"] for row in answer.rows["lines"]]
    assert b"landbridge.command" in table.schema.metadata


def test_stata_reads_the_same_rows(answers: Mapping[str, lb.Answer], tmp_path: Path) -> None:
    import pandas as pd

    answer = answers["gas"]
    frame = pd.read_stata(answer.save(tmp_path / "a.dta"))
    lines = frame[frame["table"] == "lines"]
    assert lines["flow_bcm"].tolist() == [row["flow_bcm"] for row in answer.rows["lines"]]
    assert lines["name"].tolist() == [row["name"] for row in answer.rows["lines"]]
    assert all(len(name) <= 32 and name.isidentifier() for name in frame.columns)


def test_names_in_stata_stay_apart() -> None:
    import pandas as pd

    long = "a" * 40
    columns = {f"{long}1": [1.0], f"{long}2": [None], "1st": ["x"], "of %": ["é"], "using": ["й" * 2000]}
    frame = pd.read_stata(io.BytesIO(dta_bytes(columns, "label")))
    assert len(set(frame.columns)) == 5 and frame.iloc[0].tolist()[2:] == ["x", "é", "й" * 2000]


WORDS = {
    "gas": ("gas", "--lose", "line-C", "--months", "1-3"),
    "farm": ("farm", "--region", "KAZ"),
    "treaties": ("treaties",),
}


@pytest.mark.parametrize("name", list(WORDS))
def test_the_command_writes_the_same_file(
    answers: Mapping[str, lb.Answer], call: Call, tmp_path: Path, name: str
) -> None:
    for ending in (".csv", ".txt"):
        path = tmp_path / f"command{ending}"
        code, out, err = call(*WORDS[name], "-o", str(path))
        assert code == 0 and out == "" and "written" in err
        assert path.read_bytes() == answers[name].save(tmp_path / f"library{ending}").read_bytes()
    with (tmp_path / "command.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) > 3


def test_another_ending_is_a_fault_that_lists_them(
    answers: Mapping[str, lb.Answer], call: Call, tmp_path: Path
) -> None:
    for name in ("farm.docx", "farm"):
        with pytest.raises(lb.DataError) as caught:
            answers["farm"].save(tmp_path / name)
        (fault,) = caught.value.faults
        assert all(ending in fault.cure for ending in ENDINGS) and not (tmp_path / name).exists()
    with pytest.raises(lb.DataError):
        write(answers["farm"].document(), tmp_path / "farm.json")
    code, _, err = call("farm", "-o", str(tmp_path / "farm.docx"))
    assert code == 2 and all(ending in err for ending in ENDINGS)
    assert check_ending(Path("map.geojson"), endings()) == ".geojson"


def test_a_document_is_written_alone(tmp_path: Path) -> None:
    rows = (("Almaty", "1,234"), ("Aktau", "5"))
    document = Document((Section("Hours", ("place", "h"), rows, ("Before.",), ("After.",)),), ("A source",))
    for ending in OF_DOCUMENTS:
        text = write(document, tmp_path / f"d{ending}").read_text(encoding="utf-8")
        order = ["Hours", "Before.", "1,234", "After.", "A source"]
        assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)
    assert "\nplace       h\nAlmaty  1,234\nAktau       5\n" in (tmp_path / "d.txt").read_text(
        encoding="utf-8"
    )


def test_a_run_has_what_every_study_has() -> None:
    assert set(ENDINGS) <= set(endings())


def test_nested_cells_become_columns(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"id": "=1+1", "by": {"KAZ": 1.5, "UZB": None}, "months": [1, 2]}]
    answer = lb.Answer("own", rows, {"own": rows}, lb.Status(True, 0.0, 0, "done"), {}, lambda _: ())
    text = answer.save(tmp_path / "own.csv").read_text(encoding="utf-8")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["by_KAZ"] == "1.5" and row["by_UZB"] == "" and row["months"] == "[1, 2]"
    assert not re.search(r"(^|,)=", text, re.MULTILINE)


def test_a_route_is_written_too(call: Call, tmp_path: Path) -> None:
    words = ("route", "Xian", "Almaty", "-k", "2", "-o")
    routes = lb.route(lb.load(), "Xian", "Almaty", k=2)
    legs = [leg for one in routes for leg in one.legs]
    for ending in (*ENDINGS, ".geojson"):
        code, out, err = call(*words, str(tmp_path / f"route{ending}"))
        assert code == 0 and out == "", err
    document = json.loads((tmp_path / "route.geojson").read_text(encoding="utf-8"))
    assert len(document["features"]) == len(legs)
    for feature, leg in zip(document["features"], legs, strict=True):
        assert feature["properties"]["time_h"] == leg.time_h
        kind = "Point" if leg.start == leg.end else "LineString"
        assert feature["geometry"]["type"] == kind
    written = json.loads((tmp_path / "route.json").read_text(encoding="utf-8"))["result"]
    # Names are of the screen: `tests/test_route_names.py`.
    assert all(one.pop(name) for one in written["routes"] for name in ("name", "name_ru", "name_zh"))
    assert written == json.loads(json.dumps(routes.to_json()))
    with (tmp_path / "route.csv").open(encoding="utf-8", newline="") as file:
        assert [float(row["time_h"]) for row in csv.DictReader(file)] == [leg.time_h for leg in legs]
    text = (tmp_path / "route.md").read_text(encoding="utf-8")
    assert f"{routes[0].time_p95_h / 24:.1f} days" in text and "Almaty" in text
