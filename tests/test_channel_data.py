"""The tables of farms, travellers, treaties and claims: rebuilt byte for byte, each row with its source."""

from __future__ import annotations

import csv
import random
import shutil
import sys
from pathlib import Path

import pytest

import landbridge as lb
from landbridge.io.tables import DATA, load_world
from landbridge.world.table import Table
from landbridge.world.validate import check_network

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "src" / "landbridge" / "data" / "channels"
INPUTS = ROOT / "recipes" / "inputs" / "channels"


@pytest.fixture(scope="module")
def recipe():
    sys.path.insert(0, str(ROOT / "recipes"))
    try:
        import channels
    finally:
        sys.path.pop(0)
    return channels


def test_the_recipe_gives_the_tables_byte_for_byte(recipe, tmp_path: Path) -> None:
    inputs, out = tmp_path / "inputs", tmp_path / "out"
    shutil.copytree(INPUTS, inputs)
    out.mkdir()
    shutil.copy(OUT / "SOURCES.csv", out / "SOURCES.csv")
    for path in inputs.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        random.Random(5).shuffle(rows)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
    for path in recipe.build(inputs, out):
        assert path.read_bytes() == (OUT / path.name).read_bytes(), path.name


def test_sources_of_other_channels_stay(recipe, tmp_path: Path) -> None:
    path = tmp_path / "SOURCES.csv"
    path.write_text(
        "table,source,year,licence,attribution,note\nother,someone,2020,CC BY 4.0,Someone,\n",
        encoding="utf-8",
        newline="\n",
    )
    recipe.build(INPUTS, tmp_path)
    first = path.read_text(encoding="utf-8").splitlines()[1]
    assert first.startswith("other,someone") and "farm_effects" in path.read_text(encoding="utf-8")


def test_the_tables_hold_under_every_check() -> None:
    world = load_world(DATA)
    assert not check_network(
        {**world.network, **world.channels, "regions": world.regions, "sectors": world.sectors}
    )


def test_assumptions_have_a_range_or_are_named() -> None:
    world = lb.load()
    for name in ("farm_adoption", "travel_parameters"):
        for row in world.channels[name]:
            assert row["source"] and row["basis"], (name, row)
            if row["basis"] == "assumption":
                assert row["low"] < row["high"], (name, row)


def test_a_range_out_of_order_is_a_fault() -> None:
    world = lb.load()
    table = world.channels["farm_adoption"]
    rows = [{**r, "low": 0.9} for r in table]
    tables = {
        **world.network,
        **world.channels,
        "farm_adoption": Table("farm_adoption", table.columns, tuple(rows)),
    }
    tables |= {"regions": world.regions, "sectors": world.sectors}
    faults = check_network(tables)
    assert len(faults) == 10 and all("low 0.9 is above central" in fault.what for fault in faults)


def test_facts_are_carried_over_as_they_stand(shared: Path) -> None:
    with (shared / "facts" / "people" / "arrivals.csv").open(encoding="utf-8", newline="") as file:
        values = sorted(float(r["value"]) for r in csv.DictReader(file) if r["value"])
    world = lb.load()
    assert sorted(float(r["visitors"]) for r in world.channels["travel_arrivals"]) == values
    with (shared / "facts" / "agriculture" / "agritech_effects.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        effects = sorted(float(r["value"]) for r in csv.DictReader(file))
    assert sorted(float(r["percent"]) for r in world.channels["farm_effects"]) == effects
