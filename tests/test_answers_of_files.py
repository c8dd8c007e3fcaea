"""Studies of a user's own files, gravity and assign, are one call each, as those of a World are."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import landbridge as lb
from commands import Call, Reference
from landbridge.report.writers import ENDINGS
from test_gmns import TRIPS, folder

FORMULA = "trade ~ rta | exporter + importer"
NEEDS = {".xlsx": "xlsxwriter", ".parquet": "pyarrow"}


@pytest.fixture(scope="module")
def flows() -> pd.DataFrame:
    """Flows of seven countries over three years, with a known effect and some noise."""
    random = np.random.default_rng(1)
    regions = ("AUT", "BEL", "CHE", "DEU", "ESP", "FRA", "ITA")
    rows: list[dict[str, Any]] = [
        {"exporter": o, "importer": d, "year": year, "rta": int(random.integers(2))}
        for o in regions
        for d in regions
        for year in (2001, 2002, 2003)
    ]
    for row in rows:
        row["trade"] = round(float(np.exp(3 + 0.5 * row["rta"] + random.normal(0, 0.3))), 3)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def panel(flows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("panel") / "flows.csv"
    flows.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def estimated(panel: Path) -> lb.Answer:
    pytest.importorskip("pyfixest")
    return lb.gravity(FORMULA, panel, also=["trade ~ rta | exporter^year + importer^year"])


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("net")
    folder(made, demand=TRIPS)
    return made


@pytest.fixture(scope="module")
def assigned(net: Path) -> lb.Answer:
    return lb.assign(net, net / "demand.csv", select_link=["1"])


def holds(answer: lb.Answer, command: str) -> None:
    assert isinstance(answer, lb.Answer) and answer.command == command and answer.status.converged
    assert answer.manifest["world"] is None and answer.manifest["parameters"] == {} and not answer.attribution
    assert set(answer.to_json()) == {"schema_version", "result", "status", "manifest"}
    for name, frame in answer.tables.items():
        assert len(frame) == len(answer.rows[name]) > 0
    assert answer.document().sections[0].title in answer.document().markdown()
    assert "<table>" in answer._repr_html_() and repr(answer).startswith(f"Answer({command}: ")


def saves(answer: lb.Answer, to: Path) -> None:
    for ending in dict.fromkeys((*ENDINGS, *answer.forms)):
        if ending in NEEDS:
            pytest.importorskip(NEEDS[ending])
        assert answer.save(to / f"a{ending}").stat().st_size > 50
    assert json.loads((to / "a.json").read_text(encoding="utf-8")) == json.loads(json.dumps(answer.to_json()))


def test_gravity_is_an_answer(estimated: lb.Answer, tmp_path: Path) -> None:
    holds(estimated, "gravity")
    saves(estimated, tmp_path)
    rows = estimated.tables["coefficients"]
    assert rows["estimate"].tolist() == [1, 2] and rows["name"].tolist() == ["rta", "rta"]
    assert rows["coefficient"][0] == pytest.approx(estimated.found.estimates[0]["rta"], rel=1e-15)
    (section,) = estimated.document().sections
    assert FORMULA in section.title and section.columns == ("", "(1)", "(2)")
    from landbridge.estimation import table

    for ending, style in ((".md", "markdown"), (".tex", "latex"), (".csv", "csv"), (".txt", "text")):
        text = (tmp_path / f"a{ending}").read_text(encoding="utf-8")
        assert text == table(estimated.found.estimates, style)


def test_gravity_takes_a_frame_too(estimated: lb.Answer, flows: pd.DataFrame, panel: Path) -> None:
    told: list[str] = []
    frame = lb.gravity(FORMULA, flows, bias=False, tell=told.append)
    assert told == [FORMULA]
    assert frame.found.estimates[0]["rta"] == pytest.approx(estimated.found.estimates[0]["rta"], rel=1e-9)
    by_file, by_frame = (a.manifest["options"]["data"] for a in (estimated, frame))
    assert by_file["name"] == panel.name and by_frame["name"] is None
    assert by_file["sha256"] == by_frame["sha256"]


def test_the_correction_is_a_table_and_a_section(panel: Path) -> None:
    pytest.importorskip("pyfixest")
    formula = "trade ~ rta | exporter^year + importer^year + exporter^importer"
    answer = lb.gravity(formula, panel, bias=True)
    (row,) = answer.rows["bias_correction"]
    assert row["estimated"] - row["bias"] == pytest.approx(row["coefficient"])
    assert answer.document().sections[1].rows[0][0] == "rta"


def test_assign_is_an_answer(assigned: lb.Answer, net: Path, tmp_path: Path) -> None:
    holds(assigned, "assign")
    saves(assigned, tmp_path)
    flow = assigned.tables["links"].set_index("link")["flow"]
    used = assigned.tables["selected_links"]
    assert used["trips"].sum() == pytest.approx(flow["1"]) and set(used["link"]) == {"1"}
    assert assigned.tables["pairs"]["trips"].sum() == assigned.result["trips"]
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert [row["link"] for row in csv.DictReader(file)] == flow.index.tolist()
    assert "demand.csv" in assigned.manifest["options"]["sha256"]
    whole, some = assigned.document(), assigned.document(most=1)
    assert len(whole.sections[1].rows) == len(flow) and len(some.sections[1].rows) == 1
    assert "flows.csv" not in whole.markdown() and "flows.csv" in some.markdown()


def test_assign_tells_the_notes(net: Path) -> None:
    told: list[str] = []
    answer = lb.assign(str(net), str(net / "demand.csv"), tell=told.extend)
    assert any("config.csv" in note for note in told) and set(answer.result["notes"]) <= set(told)


def test_a_gap_that_is_not_reached_is_in_the_status(reference: Reference) -> None:
    base = reference("traffic/SiouxFalls")
    answer = lb.assign(base / "SiouxFalls_net.tntp", base / "SiouxFalls_trips.tntp", rounds=2)
    assert len(answer.rows["links"]) == 76
    assert not answer.status.converged and answer.result["relative_gap"] == answer.status.residual


def test_assign_refuses_what_does_not_fit(net: Path, tmp_path: Path) -> None:
    with pytest.raises(lb.DataError) as caught:
        lb.assign(net, net / "demand.csv", distance_weight=1.0)
    assert [fault.where for fault in caught.value.faults] == ["distance_weight"]
    (tmp_path / "net.tntp").write_text("", encoding="utf-8")
    with pytest.raises(lb.DataError) as caught:
        lb.assign(tmp_path / "net.tntp", tmp_path / "trips.csv", use="truck")
    assert [fault.where for fault in caught.value.faults] == ["trips", "use"]
    with pytest.raises(lb.DataError, match="not found"):
        lb.assign(tmp_path / "none", net / "demand.csv")


def test_commands_print_what_the_calls_return(
    assigned: lb.Answer, estimated: lb.Answer, net: Path, panel: Path, call: Call
) -> None:
    asked = {
        assigned: ("assign", str(net), str(net / "demand.csv"), "--select-link", "1"),
        estimated: ("gravity", FORMULA, str(panel), "--also", estimated.result["also"][0]["formula"]),
    }
    for answer, words in asked.items():
        code, out, err = call(*words, "--json")
        assert code == 0, err
        printed, said = json.loads(out), json.loads(json.dumps(answer.to_json()))
        for body in (printed, said):
            body["manifest"].pop("run")
        assert printed["manifest"] == said["manifest"] and list(printed["result"]) == list(said["result"])
