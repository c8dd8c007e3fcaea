"""The command line as a user meets it: exit codes, streams, files."""

from __future__ import annotations

import csv
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

import landbridge as lb

ENV = {**os.environ, "NO_COLOR": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}


def command(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    code = "from landbridge.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=ENV, cwd=cwd, capture_output=True, encoding="utf-8"
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One scenario solved and written."""
    path = tmp_path_factory.mktemp("run") / "cku.json"
    done = command("run", "cku-railway", "-o", str(path))
    assert done.returncode == 0 and done.stdout == "" and "written" in done.stderr, done.stderr
    return path


def test_a_result_has_the_promised_shape(result: Path) -> None:
    document = json.loads(result.read_text(encoding="utf-8"))
    assert set(document) == {"schema_version", "result", "status", "manifest"}
    assert document["status"]["converged"] and document["status"]["residual"] < 1e-9
    found = document["result"]
    assert {"real_income", "trade", "corridors", "gateways"} <= set(found)
    row = next(r for r in found["real_income"] if r["region"] == "KGZ")
    assert set(row) >= {
        "percent",
        "first_order_percent",
        "percent_proportional",
        "first_order_percent_proportional",
    }
    assert {"gateway", "trains_per_day", "teu_per_year", "volume_over_capacity", "wait_h"} <= set(
        found["gateways"][0]
    )
    manifest = document["manifest"]
    assert manifest["world"]["hash"] == lb.load().hash and "cku-railway" in manifest["scenarios"]
    assert set(manifest["run"]) == {"finished", "wall_s"}
    text = json.dumps({k: v for k, v in manifest.items() if k != "run"})
    assert str(Path.home()) not in text and str(Path.cwd()) not in text


@pytest.mark.slow
def test_a_manifest_is_run_again_to_the_same_figures(result: Path) -> None:
    again = command("run", str(result), "--json")
    # Nothing but the progress that a run of more than half a minute tells.
    said = [line for line in again.stderr.splitlines() if not re.fullmatch(r"\d+ %: .*", line)]
    assert again.returncode == 0 and not said, again.stderr
    assert json.loads(again.stdout)["status"]["rebase"] < 1e-6
    old = json.loads(result.read_text(encoding="utf-8"))
    assert json.loads(again.stdout)["result"] == old["result"]


def test_the_study_is_printed_and_written(tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    assert command("run", "-o", str(path)).returncode == 0
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {r["scenario"] for r in rows} == {
        *("base", "cku-railway", "borders-half", "khorgos-closed", "suez-closed")
    }
    assert {r["table"] for r in rows} >= {"real_income", "trade", "corridors", "gateways", "counts"}
    assert all(float(r["value"]) == float(r["value"]) for r in rows)
    assert all(r["unit"] for r in rows if r["table"] != "counts")
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.slow
def test_a_scenario_of_ones_own_as_markdown(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(
        'name = "x"\n[[modification]]\nverb = "change_gateway"\ngateway = "khorgos-altynkol"\n'
        "time_h = { multiply = 0.5 }\n",
        encoding="utf-8",
        newline="\n",
    )
    done = command("run", "mine.toml", "-o", "mine.md", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "mine.md").read_text(encoding="utf-8")
    for part in ("static, long-run", "mine: real income", "Kazakhstan", "14,398", "GeoNames"):
        assert part in text


def test_a_route_in_words_and_as_json() -> None:
    shown = command("route", "西安", "Алматы", "-k", "2", "--legs")
    assert shown.returncode == 0 and "gauge_change" in shown.stdout and "kg CO2e" in shown.stdout
    done = command("route", "Chongqing", "Duisburg", "-k", "5", "--json")
    routes = json.loads(done.stdout)["result"]["routes"]
    assert len(routes) == 5 and len({r["family"] for r in routes}) == 5
    shares = [r["share"] for r in routes]
    assert shares == sorted(shares, reverse=True)
    for one in routes:
        for key in ("time_h", "cost_usd", "co2e_kg"):
            assert one[key] == sum(leg[key] for leg in one["legs"])
            assert all(leg[key] == sum(t[key] for t in leg["terms"]) for leg in one["legs"])


def test_scenarios_are_listed_printed_and_described() -> None:
    listed = command("scenarios")
    assert all(name in listed.stdout for name in ("cku-railway", "borders-half", "khorgos-closed"))
    assert 'verb = "change_link"' in command("scenarios", "cku-railway").stdout
    assert json.loads(command("scenarios", "--schema").stdout)["title"] == "landbridge scenario"
    assert "OpenStreetMap" in command("cite").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (("route", "Chongqin", "Duisburg"), 3, "did you mean 'Chongqing'"),
        (("route", "Chongqing", "Duisburg", "--commodity", "MCHH"), 3, "did you mean 'MCH'"),
        (("route", "Chongqing", "Chongqing", "--mode", "rial", "-k", "0"), 3, "both ends"),
        (("route", "Chongqing"), 2, "Missing argument"),
        (("run", "cku-railwy"), 3, "did you mean 'cku-railway'"),
        (("run", "nowhere.toml"), 3, "not found"),
        (("run", "nowhere.json"), 3, "not found"),
        (("run", "cku-railway", "-o", "x.pdf"), 2, ".json, .csv, .md"),
        (("run", "cku-railway", "-o", "nowhere/x.json"), 2, "no folder"),
        (("run", "--world", "nowhere"), 3, "not a folder"),
        (("fly",), 2, "No such command"),
    ],
)
def test_mistakes_end_with_their_code_and_no_traceback(words: tuple[str, ...], code: int, part: str) -> None:
    done = command(*words)
    assert done.returncode == code, done.stderr
    assert part in " ".join(done.stderr.split()) and "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_broken_files_end_with_three(tmp_path: Path) -> None:
    cases = {
        "empty.toml": b"",
        "binary.toml": bytes(range(256)),
        "broken.toml": b"name = ",
        "list.json": b"[1]",
        "other.json": b'{"manifest": {"scenarios": {}, "world": {"hash": "x"}}}',
        "broken.json": b"{",
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        done = command("run", name, "-o", "out.json", cwd=tmp_path)
        assert done.returncode == 3 and name in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not (tmp_path / "out.json").exists()


def test_an_edited_world_is_checked_with_all_its_faults(tmp_path: Path) -> None:
    import shutil

    from landbridge.io.tables import DATA

    shutil.copytree(DATA, tmp_path / "mine")
    links = tmp_path / "mine" / "network" / "links.csv"
    text = links.read_text(encoding="utf-8")
    text = text.replace("D001,URC,", "D001,URCX,").replace("D002,URC,KHG,road", "D002,URC,KHG,rood")
    links.write_text(text, encoding="utf-8", newline="\n")
    done = command("run", "--world", str(tmp_path / "mine"))
    assert done.returncode == 3 and "rood" in done.stderr and "Traceback" not in done.stderr
    text = text.replace("rood", "road")
    links.write_text(text, encoding="utf-8", newline="\n")
    done = command("route", "Xi'an", "Almaty", "--world", str(tmp_path / "mine"))
    assert done.returncode == 3 and "'URCX' is not in places" in done.stderr


def test_import_costs_next_to_nothing() -> None:
    def seconds(code: str) -> float:
        taken = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], env=ENV, check=True)
            taken.append(time.perf_counter() - begin)
        return statistics.median(taken)

    assert seconds("import landbridge") - seconds("pass") < 0.15


def test_public_names_exist() -> None:
    for name in lb.__all__:
        assert getattr(lb, name) is not None
    assert set(lb.__all__) <= set(dir(lb))
    with pytest.raises(AttributeError, match="no attribute 'loud'"):
        _ = lb.loud  # type: ignore[attr-defined]
