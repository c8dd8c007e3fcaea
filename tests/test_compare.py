"""Scenarios side by side: the figures are those of each run, and what differs is stated first."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import embedded
import landbridge as lb
from commands import Call
from landbridge.answers.compare import in_language
from landbridge.errors import DataError, ScenarioError
from landbridge.phrases import Words
from landbridge.report.digest import Names
from landbridge.report.writers import ENDINGS
from landbridge.studies.compare import TABLES
from small_folder import write_small_world

HALF = """name = "Rail borders in half the time"
[[modification]]
verb = "change_gateway"
countries = "KAZ"
mode = "rail"
time_h = { multiply = 0.5 }
"""
# The parent first, then a parameter of the model and one of the world.
SHARP = """name = "Rail borders in half the time, routes chosen less by cost"
extends = "half.toml"
[[modification]]
verb = "set_parameter"
parameter = "phi"
value = 5
[[modification]]
verb = "set_parameter"
parameter = "terminal_rail_h"
value = 12
"""
CLOSED = """name = "No trucks at the borders of Kazakhstan"
[[modification]]
verb = "change_gateway"
countries = "KAZ"
mode = "road"
time_h = { add = 24 }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare")
    for name, text in (("half", HALF), ("sharp", SHARP), ("slow", CLOSED)):
        (path / f"{name}.toml").write_text(text, encoding="utf-8")
    write_small_world(path / "world")
    return path


@pytest.fixture(scope="module")
def world(folder: Path) -> lb.World:
    return lb.load(folder / "world")


@pytest.fixture(scope="module")
def study(folder: Path, world: lb.World) -> lb.Study:
    return lb.study(world, [folder / "half.toml", folder / "slow.toml"])


@pytest.fixture(scope="module")
def answer(folder: Path, world: lb.World) -> lb.Answer:
    return lb.compare(folder / "half.toml", folder / "sharp.toml", folder / "slow.toml", world=world)


def test_figures_are_those_of_each_run_and_differences_are_from_the_first(
    study: lb.Study, answer: lb.Answer
) -> None:
    income = answer.tables["real_income"]
    assert set(income["measure"]) == {"percent", "musd", "percent_proportional"}
    for case in study.cases:
        for measure in ("percent", "musd"):
            found = income[income["measure"] == measure].set_index("region")[case.id]
            alone = case.real_income.set_index("region")[measure]
            np.testing.assert_allclose(found[alone.index], alone, rtol=1e-9, atol=1e-10)
    days = answer.tables["corridors"].query("measure == 'time_days' and family == 'all'")
    hours = study.cases[0].corridors.query("family == 'all'")["time_h"]
    np.testing.assert_allclose(days["half"], hours / 24, rtol=1e-9)
    for table in TABLES:
        rows = answer.tables[table]
        for id in ("sharp", "slow"):
            gap = (rows[id] - rows["half"] - rows[f"difference_{id}"]).abs()
            assert not (gap > 1e-9).any()
        largest = rows[["difference_sharp", "difference_slow"]].abs().max(axis=1).fillna(-1.0)
        for _, size in largest.groupby(rows["measure"]):
            assert size.is_monotonic_decreasing, table


def test_what_differs_is_stated_first_and_an_own_base_in_a_sentence(answer: lb.Answer) -> None:
    head = answer.document().sections[0]
    cells = {row[0]: row[1:] for row in head.rows}
    assert cells["parameter phi (base: 8)"] == ("8", "5", "8")
    assert cells["parameter terminal_rail_h (base: 6)"] == ("6", "12", "6")
    assert cells["change_gateway: KAZ, rail"] == ("time_h x 0.5", "time_h x 0.5", "-")
    assert cells["change_gateway: KAZ, road"] == ("-", "-", "time_h +24")
    own = [text for text in head.after if "so is its base" in text]
    assert len(own) == 1 and own[0].startswith("B is solved with phi = 5,")
    assert any("The bases differ" in text for text in head.after)
    scenarios = answer.tables["scenarios"].set_index("scenario")
    assert scenarios["own_base"].to_dict() == {"half": "no", "sharp": "yes", "slow": "no"}


def test_a_family_that_carries_nothing_has_no_row() -> None:
    """Days and USD of a family that nobody uses in any scenario are no answer."""
    found = lb.compare(embedded.railway().base, embedded.railway().cases[0])
    shares = found.tables["corridors"].query("measure == 'share'")
    carried = shares[list(found.found.ids)].max(axis=1)
    names = Names(embedded.world())
    corridors = {names.ends(row): row["corridor"] for row in shares.to_dict("records")}
    most = dict(zip(zip(shares["corridor"], shares["family"], strict=True), carried, strict=True))
    assert min(most.values()) < 0.0005
    seen = 0
    for section in found.document().sections:
        if section.key in ("compare.table.corridors.time_days", "compare.table.corridors.cost_usd"):
            for ends, family, *_ in section.rows:
                assert family == "all" or most[corridors[ends], family] >= 0.0005, (ends, family)
                seen += 1
    assert seen > 10


def test_results_of_one_study_are_not_solved_again(
    study: lb.Study, monkeypatch: pytest.MonkeyPatch, world: lb.World
) -> None:
    monkeypatch.setattr("landbridge.model.run.iterate", None)
    answer = lb.compare(study.base, *study.cases, world=world)
    assert answer.manifest["options"]["compared"] == ["base", "half", "slow"]
    income = answer.tables["real_income"].query("measure == 'percent'")
    assert income["base"].abs().max() < 1e-9
    assert set(answer.manifest["scenarios"]) == {"half", "slow"} and answer.status.converged


def test_results_solved_apart_are_solved_together_and_parameters_are_set_in_all(
    study: lb.Study, folder: Path, world: lb.World
) -> None:
    alone = lb.run(world, folder / "sharp.toml")
    answer = lb.compare(study.cases[0], alone, parameters={"phi": 6}, world=world)
    assert [case.parameters["phi"] for case in answer.found.cases] == [6, 6]
    assert len({case.base for case in answer.found.cases}) == 1
    head = answer.document().sections[0]
    assert any(text.startswith("All are solved with phi = 6") for text in head.after)
    # Changes of both are counted, not shown.
    assert any("same in all" in text for text in head.after)


def test_what_cannot_be_compared_is_refused(study: lb.Study, folder: Path, world: lb.World) -> None:
    with pytest.raises(ScenarioError, match="named twice"):
        lb.compare(folder / "half.toml", folder / "half.toml", world=world)
    with pytest.raises(ScenarioError, match="did you mean 'phi'"):
        lb.compare(folder / "half.toml", "base", world=world, parameters={"phu": 2})
    with pytest.raises(DataError, match="different data"):
        lb.compare(study.cases[0], "cku-railway", world=lb.load())
    region = lb.Scenario.from_dict({"name": "x", "extends": str(folder / "half.toml")}, "region")
    with pytest.raises(ScenarioError, match="column of the tables"):
        lb.compare(region, "base", world=world)


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending(answer: lb.Answer, tmp_path: Path, ending: str) -> None:
    path = answer.save(tmp_path / f"compared{ending}")
    assert path.stat().st_size > 500
    if ending == ".json":
        body = json.loads(path.read_text(encoding="utf-8"))
        assert list(body) == ["schema_version", "result", "status", "manifest"]
        assert set(TABLES) < set(body["result"])
    if ending in (".parquet", ".dta"):
        frame = pd.read_parquet(path) if ending == ".parquet" else pd.read_stata(path)
        assert frame["half"].dtype == frame["difference_slow"].dtype == float


def test_names_in_another_language(answer: lb.Answer) -> None:
    assert re.search("[а-я]{4}", str(answer.document("ru")))
    assert not re.search("[а-я]{4}", str(answer.document()))
    with pytest.raises(DataError, match="use en, ru, zh"):
        answer.document("fr")
    assert len(answer.document(most=1).sections[0].rows) == 1
    # Levels and changes alike: a decimal comma, and no point or comma between thousands.
    cells = [cell for section in answer.document("ru").sections for row in section.rows for cell in row[1:]]
    numbers = [cell for cell in cells if re.fullmatch(r"[+-]?[\d.,\u00a0\u202f ]*\d[\d.,]*", cell)]
    assert any("," in one for one in numbers)
    assert not any("." in one or re.search(r",\d{3}(?!\d).*,|\d,\d{3},", one) for one in numbers), numbers


# -- commands ------------------------------------------------------------------------------------------


@pytest.fixture
def small(world: lb.World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small World in place of the embedded one."""
    for module in ("compare", "run"):
        monkeypatch.setattr(f"landbridge.cli.{module}.load_sound", lambda *_: world)


@pytest.mark.usefixtures("small")
def test_the_command_fits_a_screen_and_begins_with_a_figure(call: Call, folder: Path) -> None:
    code, out, err = call(
        "compare", str(folder / "half.toml"), str(folder / "slow.toml"), "--set", "phi=2", "--rebase"
    )
    assert code == 0 and "outside the range 4 to 12" in err, err
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(re.search(r"[+-]\d+\.\d+ %", line) for line in lines[:6])
    assert "A: Rail borders in half the time" in lines[:6]
    assert "All are solved with phi = 2" in out


@pytest.mark.usefixtures("small")
def test_json_of_the_command(call: Call, folder: Path) -> None:
    code, out, err = call("compare", str(folder / "half.toml"), "base", "--json", "--rebase")
    assert code == 0, err
    body = json.loads(out)
    assert body["manifest"]["command"] == "compare"
    assert body["manifest"]["options"] == {"compared": ["half", "base"], "set": {}}
    row = body["result"]["real_income"][0]
    assert row["difference_base"] == row["base"] - row["half"]


@pytest.mark.usefixtures("small")
def test_run_takes_several_and_sets_parameters(call: Call, folder: Path) -> None:
    names = str(folder / "half.toml"), str(folder / "slow.toml")
    code, out, err = call("run", *names, "--set", "phi=6", "--set", "terminal_rail_h=7", "--json", "--rebase")
    assert code == 0 and "outside" not in err, err
    body = json.loads(out)
    assert list(body["result"]) == ["base", "half", "slow"]
    for scenario in body["manifest"]["scenarios"].values():
        values = {m["parameter"]: m["value"] for m in scenario["modification"] if "parameter" in m}
        assert values == {"phi": 6.0, "terminal_rail_h": 7.0}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("compare", "cku-railway"), 2, "two scenarios or more"),
        (("compare", "cku-railway", "borders-haf"), 3, "did you mean 'borders-half'"),
        (("compare", "cku-railway", "borders-half", "--set", "phu=2"), 3, "did you mean 'phi'"),
        (("compare", "cku-railway", "borders-half", "-o", "x.pdf"), 2, ".xlsx"),
        (("run", "cku-railway", "--set", "phi"), 2, "NAME=VALUE"),
        (("run", "cku-railway", "--set", "phi=500"), 3, "at most 40"),
        (("run", "all", "cku-railway"), 2, "run alone"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_anything_is_solved(
    call: Call, words: tuple[str, ...], code: int, said: str
) -> None:
    found, _, err = call(*words)
    assert found == code and said in re.sub(r"[│\s]+", " ", err), err


def test_the_workbook_has_the_answer_first_and_the_figures_of_every_table(
    answer: lb.Answer, tmp_path: Path
) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(answer.save(tmp_path / "compared.xlsx"))
    held = [name for name, rows in answer.rows.items() if rows]
    assert book.sheetnames == ["Answer", *held, "README"] and len(book["Answer"]._charts) == 1
    for name in held:
        header, _, *rows = list(book[name].iter_rows(values_only=True))
        for cells, row in zip(rows, answer.rows[name], strict=True):
            found = dict(zip(header, cells, strict=True))
            for key, value in row.items():
                if isinstance(value, float):
                    assert found[key] == pytest.approx(value, rel=1e-14), (name, key)
                elif key != "name":
                    assert found[key] == (value or None) or found[key] == value, (name, key)
    # The first sheet repeats them: percent of every scenario, then the differences from the first.
    percent = answer.tables["real_income"].query("measure == 'percent'").iloc[0]
    wanted = [percent[key] for key in ("half", "sharp", "slow", "difference_sharp", "difference_slow")]
    page = [row for row in book["Answer"].iter_rows(values_only=True) if row[1] == percent["region"]]
    assert list(page[0][2:7]) == pytest.approx(wanted, rel=1e-14)
    at = next(cell for row in book["Answer"].iter_rows() for cell in row if cell.value == page[0][2])
    assert at.number_format.startswith("+")
    # The small World has no names in Russian.
    found = replace(answer.found, world=embedded.world())
    path = in_language(replace(answer, found=found), "ru").save(tmp_path / "ru.xlsx")
    sheet = Words("ru").term("table", "real_income")
    names = openpyxl.load_workbook(path)[sheet].iter_rows(max_col=2, values_only=True)
    assert dict(names)["KAZ"] == "Казахстан"
