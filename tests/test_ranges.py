"""The ranges that are shipped with the data are those of its draws, and hold for nothing else."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.io.ranges import FOLDER, fingerprint, manifest, shipped_ranges
from landbridge.scenario import load_scenario
from landbridge.sweeps.cases import Bench
from landbridge.sweeps.plan import read_plan

REDO = "the data or a scenario changed: python recipes/uncertainty.py computes the ranges again"


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_they_belong_to_these_data_and_scenarios() -> None:
    world = embedded.world()
    assert manifest()["world"] == world.hash, REDO
    for name, known in manifest()["scenarios"].items():
        assert fingerprint(load_scenario(name, world).to_dict()) == known, REDO
    assert len(read_plan(FOLDER / "plan.toml", world).moved) == manifest()["numbers"]


def test_percentiles_are_those_of_the_draws() -> None:
    draws, ranges = rows("draws.csv"), rows("ranges.csv")
    regions = [key for key in draws[0] if key not in ("index", "scenario")]
    assert set(manifest()["scenarios"]) == {row["scenario"] for row in ranges}
    compared = 0
    for row in ranges:
        mine = [one for one in draws if one["scenario"] == row["scenario"]]
        assert len(mine) == int(row["n"]) >= 0.9 * manifest()["draws"]
        assert float(row["p05"]) <= float(row["p50"]) <= float(row["p95"])
        if row["region"] in regions:
            values = [float(one[row["region"]]) for one in mine]
            for end, found in zip(("p05", "p50", "p95"), np.percentile(values, (5, 50, 95)), strict=True):
                assert float(row[end]) == pytest.approx(found, rel=1e-3, abs=1e-9)
                compared += 1
    assert compared == 3 * len(regions) * len(manifest()["scenarios"])


def test_a_result_has_them_where_they_hold() -> None:
    case = embedded.railway().cases[0]
    found = {row["region"]: row for row in rows("ranges.csv") if row["scenario"] == "cku-railway"}
    for row in case.real_income_rows:
        assert row["percent_p05"] == float(found[row["region"]]["p05"])
        assert row["percent_p95"] == float(found[row["region"]]["p95"])
    group = next(row for row in case.group_rows if row["group"] == "CA5")
    assert group["percent_p50"] == float(found["CA5"]["p50"])


def test_there_is_none_for_other_data_or_another_scenario() -> None:
    world, scenario = embedded.world(), load_scenario("cku-railway", embedded.world())
    body = scenario.to_dict()
    assert shipped_ranges(world.hash, "cku-railway", body)
    assert shipped_ranges(world.hash, "cku-railway", {**body, "description": "another text"})
    assert not shipped_ranges(world.hash, "cku-railway", {**body, "modification": body["modification"][:1]})
    assert not shipped_ranges(world.hash, "my-own", body)
    table = world.network["parameters"]
    moved = [{**row, "value": 7.0} if row["parameter"] == "phi" else row for row in table]
    other = replace(world, network={**world.network, "parameters": table.with_rows(moved)})
    assert not shipped_ranges(other.hash, "cku-railway", body)


@pytest.mark.slow
def test_draws_made_again_are_those_stored() -> None:
    world = embedded.world()
    plan = read_plan(FOLDER / "plan.toml", world)
    names = ("cku-railway", "khorgos-closed")
    plan = replace(plan, scenarios=tuple(one for one in plan.scenarios if one.id in names))
    bench, compared = Bench(world, plan), 0
    stored = {(int(row["index"]), row["scenario"]): row for row in rows("draws.csv")}
    for index in sorted({index for index, _ in stored})[:6]:
        case = bench.case(index)
        for name in names:
            income = case.income[name]
            assert (income is None) == ((index, name) not in stored)
            if income is None:
                continue
            for n, region in enumerate(lb.load().trade.regions):
                if region in stored[index, name]:
                    compared += 1
                    value = 100.0 * (income[n] - 1.0)
                    assert float(stored[index, name][region]) == pytest.approx(value, rel=6e-4, abs=1e-7)
    assert compared >= 50
