"""The projects of the data, their scenarios, and the study of investments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import landbridge as lb
from commands import Call
from landbridge.errors import DataError, ScenarioError, Status
from landbridge.scenario import apply, bundled, load_scenario, project_scenarios
from landbridge.studies.appraisal import Members
from landbridge.studies.invest import Investment, _Bench, invest, projects_of
from landbridge.world.table import Table

NAMED = {"project", "cost_musd", "benefit_musd_year", "npv_musd", "npv_low_musd", "npv_high_musd"}


@pytest.fixture(scope="module")
def world() -> lb.World:
    return lb.load()


# -- the data ------------------------------------------------------------------------------------------


def test_every_project_has_a_scenario_or_says_what_is_missing(world: lb.World) -> None:
    rows = list(world.network["projects"])
    assert len(rows) == 29
    for row in rows:
        assert row["source"] and row["year"], row["project_id"]
        assert bool(row["scenario"]) != (row["missing"] not in (None, "cost")), row["project_id"]
        assert (row["cost_musd"] is None) or (row["cost_nominal_musd"] and row["cost_year"])
        if row["missing"] == "cost":
            assert row["cost_musd"] is None


def test_the_scenarios_of_projects_are_those_of_the_table_and_in_no_study_set(world: lb.World) -> None:
    named = {str(row["scenario"]) for row in world.network["projects"] if row["scenario"]}
    assert set(project_scenarios()) == named - set(bundled())
    assert not set(project_scenarios()) & set(bundled())


@pytest.mark.parametrize("name", project_scenarios())
def test_the_scenario_of_a_project_applies_and_has_a_source(world: lb.World, name: str) -> None:
    scenario = load_scenario(name, world)
    assert apply(world, scenario).hash != world.hash
    assert scenario.sources and scenario.description


def test_costs_are_those_published_in_money_of_the_base_year(world: lb.World) -> None:
    by_id = {one.id: one for one in projects_of(world)}
    cku = by_id["P01"]
    # 4,700 to 8,000 million USD of 2025, at 0.95.
    assert cku.costs == pytest.approx((4465.0, 7600.0, 7600.0)) and cku.years_before == 7
    assert cku.eligible and not by_id["P03"].eligible and not by_id["P23"].eligible
    assert by_id["P23"].in_base and by_id["P02"].costs == () and not by_id["P02"].eligible
    # No year of opening is stated, but five years of building.
    assert by_id["P19"].opening_year is None and by_id["P19"].years_before == 5


# -- a small case with a known solution ----------------------------------------------------------------

# Benefit of every set in two regions [million USD a year]; P19 has no solution.
_BENEFITS = {
    "P01": (100.0, -20.0),
    "P09": (4.0, 1.0),
    "P18": (120.0, 40.0),
    "P23": (-30.0, -10.0),
    "P01+P09": (104.0, -19.0),
    "P01+P18": (1500.0, 300.0),
    "P09+P18": (124.0, 41.0),
    "P01+P09+P18": (1504.0, 301.0),
}


def _solve(bench: _Bench, sets: Sequence[Members], ranges: Iterable[Members] = ()) -> None:
    for members in sets:
        known = _BENEFITS.get("+".join(sorted(members)))
        if known is None:
            bench.statuses.append(Status(False, 1.0, 0, "no solution was found"))
            continue
        bench.found[members] = np.array(known)
        if members in set(ranges):
            bench.ranges[members] = (0.9 * sum(known), 1.2 * sum(known))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, world: lb.World) -> Any:
    monkeypatch.setattr(_Bench, "solve", _solve)
    init = _Bench.__init__

    def two_regions(self: _Bench, *given: Any) -> None:
        init(self, *given)
        self.regions = ("KAZ", "CHN")

    monkeypatch.setattr(_Bench, "__init__", two_regions)
    chosen = ["P01", "P09", "P18", "P19", "P22", "P23"]

    def study(budget: float | None, **more: Any) -> Investment:
        return invest(world, budget, projects=chosen, **more)

    return study


def test_projects_that_pay_only_together_are_chosen_together(small: Any) -> None:
    found = small(9.5e9)
    assert found.portfolio()["projects"] == ["P01", "P18"]
    alone = {row["project"]: row for row in (one.row() for one in found.projects)}
    assert alone["P01"]["npv_musd"] < 0.0 < found.portfolio()["npv_musd"]
    pairs = {row["pair"]: row["complementarity_musd_year"] for row in (p.row() for p in found.pairs)}
    assert pairs == pytest.approx({"P01+P09": 0.0, "P01+P18": 1560.0, "P09+P18": 0.0})
    assert found.left_out == {"P09": "negative", "P19": "unsolved"}
    assert not found.status.converged


def test_a_smaller_budget_pays_for_the_best_that_is_left(small: Any) -> None:
    found = small(5e9, rate=7.0)
    assert found.portfolio()["projects"] == ["P18"] and found.left_out["P01"] == "budget"
    none = small(1e9)
    assert none.portfolio()["projects"] == [] and none.portfolio()["npv_musd"] == 0.0
    assert small(None).portfolio() is None


def test_what_is_taken_out_gains_what_it_loses_and_unsolved_is_no_result(small: Any) -> None:
    rows = {row["project"]: row for row in (one.row() for one in small(5e9).projects)}
    assert rows["P23"]["benefit_musd_year"] == 40.0 and rows["P23"]["status"] == "computed"
    assert (rows["P23"]["benefit_low_musd_year"], rows["P23"]["benefit_high_musd_year"]) == (36.0, 48.0)
    assert rows["P01"]["gain_most"] == "KAZ" and rows["P01"]["lose_most"] == "CHN"
    assert rows["P19"]["status"] == "not converged" and rows["P19"]["npv_musd"] is None
    assert rows["P22"]["status"] == "not computed" and rows["P22"]["reason"]
    for row in rows.values():
        if row["npv_musd"] is not None:
            assert row["npv_low_musd"] <= row["npv_musd"] <= row["npv_high_musd"]


# -- what is asked wrongly -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--budget", "-5"), "give USD above 0"),
        (("--budget", "nan"), "give USD above 0"),
        (("--rate-low", "12", "--rate-high", "6"), "not between 12 and 6"),
        (("--rate", "nan"), "0 to 100 percent"),
        (("--projects", "P01,P77"), "no project 'p77'"),
        (("--projects", ""), "no project"),
    ],
)
def test_wrong_options_are_bad_data(call: Call, words: tuple[str, ...], part: str) -> None:
    code, out, err = call("invest", *words)
    assert code == 3 and not out and part in err


def _with(world: lb.World, **cells: Any) -> lb.World:
    table = world.network["projects"]
    rows = tuple({**row, **cells} if row["project_id"] == "P09" else row for row in table)
    return replace(world, network={**world.network, "projects": Table("projects", table.columns, rows)})


def test_a_world_without_projects_or_with_bad_ones_says_so(world: lb.World) -> None:
    bare = replace(world, network={k: t for k, t in world.network.items() if k != "projects"})
    with pytest.raises(DataError, match=r"projects\.csv"):
        invest(bare)
    with pytest.raises(DataError, match="lowest cost is above"):
        invest(_with(world, cost_low_musd=500.0))
    with pytest.raises(ScenarioError, match="no scenario 'nowhere'"):
        invest(_with(world, scenario="nowhere"))


# -- the model -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_prints_the_names_and_the_loss_without_a_project(call: Call, world: lb.World) -> None:
    code, out, err = call("invest", "--budget", "1e8", "--projects", "P09,P22,P23,P26", "--json")
    assert code == 0, err
    printed = json.loads(out)
    result = printed["result"]
    rows = {row["project"]: row for row in result["projects"]}
    assert all({*NAMED, "irr_percent", "status"} <= set(row) for row in rows.values())
    assert "NaN" not in out and "Infinity" not in out
    assert {name: row["status"] for name, row in rows.items()} == {
        "P09": "computed",
        "P22": "not computed",
        "P23": "computed",
        "P26": "no cost",
    }
    assert result["portfolio"]["budget_musd"] == 100.0
    assert set(result["portfolio"]["projects"]) <= {"P09"}
    without = lb.run(world, "zabaikalsk-without").to_json()["real_income"]
    loss = -sum(row["musd"] for row in without)
    assert rows["P23"]["benefit_musd_year"] == pytest.approx(loss, rel=1e-6)
    by_region = [row["musd_year"] for row in result["regions"] if row["project"] == "P23"]
    assert sum(by_region) == pytest.approx(loss, rel=1e-6) and len(by_region) == len(without)


@pytest.mark.slow
def test_a_pair_is_what_both_scenarios_do_together(world: lb.World) -> None:
    answer = lb.invest(world, projects=["P09", "P18"])
    (pair,) = answer.result["pairs"]
    both = replace(
        load_scenario("aktau-hub"),
        id="both",
        modifications=(
            *load_scenario("aktau-hub").modifications,
            *load_scenario("rasht-astara").modifications,
        ),
    )
    musd = sum(row["musd"] for row in lb.run(world, both).to_json()["real_income"])
    assert pair["benefit_musd_year"] == pytest.approx(musd, rel=1e-6)
    assert answer.result["portfolio"] is None
    for text in (answer.document().markdown(), answer._repr_html_()):
        assert "P18" in text and "nan" not in text.replace("finance", "")
