"""Farms: no shock changes nothing, shocks are adoption x effect, and the economy answers as it should."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.channels.farm import CASES, farm_shocks, yield_bound
from landbridge.errors import DataError
from landbridge.scenario import Scenario
from landbridge.studies.farm import farm
from landbridge.trade import solve
from landbridge.world import World
from test_cli import command

FIVE = ("KAZ", "KGZ", "TJK", "TKM", "UZB")


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


def test_no_adoption_changes_nothing(world: World) -> None:
    found = farm(world, adoption=0.0)
    for row in found.rows:
        assert abs(row["output_percent"]) < 1e-8 and abs(row["real_income_percent"]) < 1e-8
        assert abs(row["food_price_percent"]) < 1e-8
        assert row["import_dependence"] == pytest.approx(row["base_import_dependence"], abs=1e-12)


def test_a_shock_is_adoption_times_effect_times_weight(world: World) -> None:
    weight = {(r["region"], r["crop"]): float(r["share"]) for r in world.channels["farm_weights"]}
    at = world.trade.sectors.index("AGR")
    for shock in farm_shocks(world, adoption=0.2, effect_percent=10.0):
        for region in FIVE:
            n = world.trade.regions.index(region)
            share = weight[region, "wheat"] + weight[region, "cotton"]
            gain = 0.02
            if shock.case == "claimed":
                continue
            assert shock.productivity_hat[n, at] == pytest.approx(1.0 + share * gain, rel=1e-12)
        moved = np.argwhere(shock.productivity_hat != 1.0)
        assert {tuple(cell)[1] for cell in moved} == {at} and len(moved) == len(FIVE)


def test_cases_rise_and_claims_stay_within_the_record(world: World) -> None:
    shocks = {s.case: s for s in farm_shocks(world)}
    for before, after in pairwise(CASES):
        assert (shocks[after].productivity_hat >= shocks[before].productivity_hat).all()
    high = {(c.region, c.crop): c.yield_percent for c in shocks["high"].crops}
    cut = 0
    for crop in shocks["claimed"].crops:
        assert crop.bound_percent is not None
        assert crop.yield_percent <= max(crop.bound_percent, high[crop.region, crop.crop]) + 1e-12
        cut += crop.yield_percent < crop.uncut_percent
    assert cut >= 5


def test_the_record_of_kazakh_wheat_is_that_of_the_source(world: World, shared) -> None:
    import csv

    path = shared / "facts" / "agriculture" / "wheat_yield_fao.csv"
    with path.open(encoding="utf-8", newline="") as file:
        by_year = {int(r["year"]): float(r["value"]) for r in csv.DictReader(file) if r["iso3"] == "KAZ"}
    means = [np.mean([by_year[y] for y in range(a, a + 5)]) for a in (1999, 2004, 2009, 2014)]
    rise = 100 * max(b / a - 1 for a, b in pairwise(means))
    assert yield_bound(world, "KAZ", "wheat") == (pytest.approx(rise, abs=0.02), "wheat")
    assert yield_bound(world, "KAZ", "cotton")[1] == "wheat"


def test_more_harvest_makes_food_cheaper_and_people_richer(world: World) -> None:
    found = farm(world, regions=["UZB"])
    assert found.status.converged
    row = found.of("UZB", "central")
    assert row["output_percent"] > row["productivity_percent"] > 0.0
    assert row["food_price_percent"] < 0.0 < row["real_income_percent"]
    assert row["import_dependence"] < row["base_import_dependence"]
    assert found.of("UZB", "high")["real_income_percent"] > 2.5 * row["real_income_percent"]


def test_the_chain_gives_the_same_real_income(world: World) -> None:
    """The farm study is the economy of `run` with the same shock, but for waits that move a little."""
    shock = farm_shocks(world, regions=["UZB"])[1]
    n, s = world.trade.regions.index("UZB"), world.trade.sectors.index("AGR")
    percent = 100.0 * (float(shock.productivity_hat[n, s]) - 1.0)
    body = {
        "name": "the same",
        "modification": [
            {"verb": "change_productivity", "region": "UZB", "sector": "AGR", "percent": percent}
        ],
    }
    row = next(
        r for r in lb.run(world, Scenario.from_dict(body, "same")).real_income_rows if r["region"] == "UZB"
    )
    # Queues at the Xinjiang ports move it by 2e-6 points.
    assert farm(world, regions=["UZB"]).of("UZB", "central")["real_income_percent"] == pytest.approx(
        row["percent"], abs=5e-6
    )


def test_small_shocks_follow_the_gradient(world: World) -> None:
    shock = farm_shocks(world, adoption=0.001)[1]
    exact = solve(world.trade, productivity_hat=shock.productivity_hat, tol=1e-12)
    first = solve(world.trade, tol=1e-12).gradient("UZB").productivity
    predicted = float((first * np.log(shock.productivity_hat)).sum())
    n = world.trade.regions.index("UZB")
    assert np.log(exact.real_income_hat[n]) == pytest.approx(predicted, rel=1e-3)


def test_every_fault_is_told_at_once(world: World) -> None:
    with pytest.raises(DataError) as error:
        farm(world, regions=["Atlantis", "DEU"], crops=["rice"], adoption=1.5, effect_percent=900)
    told = str(error.value)
    for part in ("Atlantis", "DEU", "rice", "0 to 1", "-90 to 500"):
        assert part in told, part
    bare = replace(world, channels={k: v for k, v in world.channels.items() if not k.startswith("farm_")})
    with pytest.raises(DataError) as error:
        farm(bare)
    assert str(error.value).count("is not in this World") == 3


def test_a_country_is_found_by_name(world: World) -> None:
    assert (
        farm(world, regions=["Uzbekistan"], crops=["cotton"]).rows
        == farm(world, regions=["UZB"], crops=["cotton"]).rows
    )


def test_the_command_prints_json_and_refuses_nonsense() -> None:
    done = command("farm", "--json", "--region", "KAZ")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {r["case"] for r in document["result"]["effects"]} == set(CASES)
    assert document["status"]["converged"] and document["manifest"]["command"] == "farm"
    refused = command("farm", "--region", "Narnia", "--adoption", "2")
    assert refused.returncode == 3 and "Narnia" in refused.stderr and "0 to 1" in refused.stderr
    assert "Traceback" not in refused.stderr
