"""The command assign: tables, JSON, files, GMNS, and what it says of bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands import Reference
from landbridge.cli import app
from landbridge.errors import ConvergenceError, DataError
from test_gmns import LINKS, NODES, TRIPS, folder

runner = CliRunner()


@pytest.fixture
def sioux(reference: Reference) -> list[str]:
    base = reference("traffic/SiouxFalls")
    return [str(base / "SiouxFalls_net.tntp"), str(base / "SiouxFalls_trips.tntp")]


def test_json_holds_links_gap_and_status(sioux: list[str]) -> None:
    done = runner.invoke(app, ["assign", *sioux, "--json"], catch_exceptions=False)
    document = json.loads(done.stdout)
    assert set(document) == {"schema_version", "result", "status", "manifest"}
    found = document["result"]
    assert found["objective"] == pytest.approx(4231335.287107440, rel=2e-8)
    assert found["relative_gap"] == document["status"]["residual"] <= 1e-8
    assert len(found["links"]) == 76
    assert set(document["manifest"]["options"]["sha256"]) == {Path(name).name for name in sioux}


def test_pairs_and_selected_links_add_up(sioux: list[str]) -> None:
    words = ["assign", *sioux, "--json", "--select-link", "43", "--select-link", "1"]
    found = json.loads(runner.invoke(app, words, catch_exceptions=False).stdout)["result"]
    assert len(found["pairs"]) == 528 and sum(row["trips"] for row in found["pairs"]) == found["trips"]
    spent = sum(row["trips"] * row["cost"] for row in found["pairs"])
    assert spent == pytest.approx(found["total_cost"], rel=1e-7)
    assert [one["link"] for one in found["selected_links"]] == ["43", "1"]
    for one in found["selected_links"]:
        row = next(row for row in found["links"] if row["link"] == one["link"])
        assert sum(pair["trips"] for pair in one["pairs"]) == pytest.approx(row["flow"], rel=1e-12)
    tables = runner.invoke(app, ["assign", *sioux, "--select-link", "43"], catch_exceptions=False).stdout
    assert "Link 43, 15 to 10" in tables
    wrong = runner.invoke(app, ["assign", *sioux, "--select-link", "77", "--select-link", "x"])
    assert isinstance(wrong.exception, DataError) and len(wrong.exception.faults) == 2


def test_weights_count(sioux: list[str], tmp_path: Path) -> None:
    """Free-flow costs rise by the weighted length; GMNS has tolls only."""
    plain, weighed = (
        json.loads(runner.invoke(app, ["assign", *sioux, "--json", *more], catch_exceptions=False).stdout)
        for more in ([], ["--distance-weight", "0.5"])
    )
    assert weighed["manifest"]["options"]["distance_weight"] == 0.5
    first = [document["result"]["links"][0]["free_cost"] for document in (plain, weighed)]
    assert first == [6, 9]
    folder(tmp_path, demand=TRIPS)
    gmns = ["assign", str(tmp_path), str(tmp_path / "demand.csv")]
    assert runner.invoke(app, [*gmns, "--distance-weight", "1"]).exit_code == 2
    for words in (["assign", *sioux], gmns):
        wrong = runner.invoke(app, [*words, "--toll-weight", "nan"]).exception
        assert isinstance(wrong, DataError) and [fault.where for fault in wrong.faults] == ["toll weight"]


def test_costs_of_gmns_are_hours(tmp_path: Path) -> None:
    folder(tmp_path, demand=TRIPS)
    words = ["assign", str(tmp_path), str(tmp_path / "demand.csv")]
    assert "Costs in hours." in runner.invoke(app, words, catch_exceptions=False).stdout
    found = json.loads(runner.invoke(app, [*words, "--json"], catch_exceptions=False).stdout)["result"]
    assert found["cost_unit"] == "hours"


def test_flows_are_written(sioux: list[str], tmp_path: Path) -> None:
    out = tmp_path / "flows.csv"
    words = ["assign", *sioux, "--model", "weibit", "--phi", "4", "--gap", "1e-6", "-o", str(out)]
    done = runner.invoke(app, words, catch_exceptions=False)
    assert done.stdout == "" and "phi 4" in done.stderr
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [rows[0][key] for key in ("link", "from", "to")] == ["1", "1", "2"]
    assert min(float(row["flow"]) for row in rows) > 0


def test_tables_of_a_gmns_folder(tmp_path: Path) -> None:
    folder(tmp_path, demand=TRIPS)
    words = ["assign", str(tmp_path), str(tmp_path / "demand.csv")]
    done = runner.invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["1", "a", "m", "1,600.0", "0.23", "0.2", "1.00"] in rows
    assert ["3", "a", "b", "0.0", "0.4", "0.4", "-"] in rows
    assert "km/h" in done.stderr
    truck = runner.invoke(app, [*words, "--use", "truck"], catch_exceptions=False)
    assert "truck is not allowed there" in truck.stderr


def test_a_turn_file_counts(tmp_path: Path) -> None:
    folder(tmp_path, demand=TRIPS, turns="from_link,to_link,cost\n1,2,inf\n")
    words = ["assign", str(tmp_path), str(tmp_path / "demand.csv"), "--json"]
    done = runner.invoke(app, [*words, "--turns", str(tmp_path / "turns.csv")], catch_exceptions=False)
    flow = {row["link"]: row["flow"] for row in json.loads(done.stdout)["result"]["links"]}
    assert flow["1"] == 0 and flow["3"] == 1600


def test_usage_and_bad_data(sioux: list[str], tmp_path: Path) -> None:
    folder(tmp_path, node=NODES, link=LINKS.replace("auto,truck", "sled"), demand=TRIPS)
    usage = runner.invoke(app, ["assign", sioux[0], str(tmp_path / "demand.csv")])
    assert usage.exit_code == 2
    assert runner.invoke(app, ["assign", *sioux, "-o", "flows.xlsx"]).exit_code == 2
    assert runner.invoke(app, ["assign", *sioux, "--use", "truck"]).exit_code == 2
    bad = runner.invoke(app, ["assign", str(tmp_path), str(tmp_path / "demand.csv")])
    assert isinstance(bad.exception, DataError) and "sled" in str(bad.exception)
    assert isinstance(runner.invoke(app, ["assign", *sioux, "--phi", "-1"]).exception, DataError)


def test_an_unreached_gap_is_written_and_told(sioux: list[str], tmp_path: Path) -> None:
    out = tmp_path / "flows.csv"
    done = runner.invoke(app, ["assign", *sioux, "--rounds", "2", "-o", str(out)])
    assert isinstance(done.exception, ConvergenceError) and done.exception.exit_code == 4
    assert done.stdout == "" and len(out.read_text(encoding="utf-8").splitlines()) == 77
