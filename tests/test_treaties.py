"""Treaties: dates become dummies, what is not known stays unknown, titles get nothing."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

import embedded
from landbridge.channels.treaties import MEASURES, TITLES, coverage, dummies, dummy_rows, in_force
from landbridge.errors import DataError
from landbridge.world import World
from test_cli import command


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


def one(world: World, exporter: str, importer: str, year: int) -> dict:
    return next(
        r for r in dummy_rows(world, [year]) if r["exporter"] == exporter and r["importer"] == importer
    )


def test_in_force_means_on_the_first_of_july() -> None:
    assert in_force("2015-07-01", 2015) and not in_force("2015-07-02", 2015)
    assert in_force("2015", 2015) and in_force("2015-06", 2015) and not in_force("2015-12", 2015)
    assert not in_force(None, 2015)


@pytest.mark.parametrize(
    ("exporter", "importer", "measure", "last_without"),
    [
        ("CHN", "KAZ", "wto", 2015),  # 30 November 2015
        ("KGZ", "RUS", "eaeu", 2015),  # 6 August 2015
        ("KAZ", "RUS", "eaeu", 2014),
        ("CHN", "KAZ", "tir", 2016),  # China from 5 January 2017
        ("CHN", "KAZ", "visa_waiver", 2023),  # 10 November 2023
        ("UZB", "CHN", "visa_waiver", 2024),  # 1 June 2025
    ],
)
def test_dummies_switch_on_with_the_date(
    world: World, exporter: str, importer: str, measure: str, last_without: int
) -> None:
    assert one(world, exporter, importer, last_without)[measure] == 0.0
    assert one(world, exporter, importer, last_without + 1)[measure] == 1.0


def test_unknown_is_not_zero(world: World) -> None:
    assert math.isnan(one(world, "CHN", "AFG", 2020)["wto"])
    assert one(world, "CHN", "UZB", 2020)["wto"] == 0.0
    assert math.isnan(one(world, "KAZ", "UZB", 2020)["visa_waiver"])


def test_dummies_are_symmetric_and_complete(world: World) -> None:
    frame = dummies(world, [2010, 2020])
    assert list(frame.columns) == ["exporter", "importer", "year", *MEASURES]
    assert not frame.duplicated(["exporter", "importer", "year"]).any()
    back = frame.rename(columns={"exporter": "importer", "importer": "exporter"})
    both = frame.merge(back, on=["exporter", "importer", "year"], suffixes=("", "_back"))
    for measure in MEASURES:
        assert both[measure].equals(both[f"{measure}_back"])


def test_titles_get_no_coefficient(world: World) -> None:
    for row in world.channels["treaties"]:
        if row["type"] in TITLES:
            assert row["measure"] is None, row
    assert any(row["type"] == "partnership" for row in world.channels["treaties"])
    table = coverage(world, ["KAZ", "UZB"])
    assert all(not r["treatment"] for r in table if r["arrangement"] in TITLES)


def test_the_registry_is_whole(world: World, shared: Path) -> None:
    path = shared / "facts" / "policy" / "arrangements_registry.csv"
    with path.open(encoding="utf-8", newline="") as file:
        assert len(world.channels["treaties"]) == len(list(csv.DictReader(file)))


def test_faults(world: World) -> None:
    with pytest.raises(DataError) as error:
        dummy_rows(world, [1066], ["wto", "nato"])
    assert "1066" in str(error.value) and "nato" in str(error.value)
    rows = [{**r, "from_date": "10 May 2015"} for r in world.channels["treaty_members"]]
    broken = world.with_channels(treaty_members=world.channels["treaty_members"].with_rows(rows))
    with pytest.raises(DataError, match="2015-01-01"):
        dummy_rows(broken, [2015])


def test_the_command_writes_dummies(tmp_path: Path) -> None:
    path = tmp_path / "dummies.csv"
    assert command("treaties", "--years", "2014-2016", "-o", str(path)).returncode == 0
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {r["year"] for r in rows} == {"2014", "2015", "2016"} and {r["wto"] for r in rows} == {
        "0.0",
        "1.0",
        "",
    }
    result = json.loads(command("treaties", "--json").stdout)["result"]
    assert len(result["registry"]) == 67
    assert command("treaties", "--years", "soon").returncode == 2
    backwards = command("treaties", "--years", "2024-2010")
    assert backwards.returncode == 2 and "ends before it begins" in backwards.stderr
