"""Gateways and links out: the quick answer is that of the whole chain, and the queue is the textbook's."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import embedded
import landbridge as lb
from landbridge.cli import app
from landbridge.errors import ConvergenceError, DataError
from landbridge.model import waits
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.report.document import Document
from landbridge.report.losses import loss_sections, losses_csv
from landbridge.scenario import Scenario, apply
from landbridge.studies.disrupt import (
    Disruption,
    Loss,
    _Bench,
    _largest,
    _wider,
    disrupt,
)
from landbridge.studies.elements import Element, elements
from landbridge.studies.losses import WARNINGS, warned
from landbridge.transport import BaseChoice, RouteSet
from landbridge.transport.routes.nests import Nests

NO = np.zeros(0, dtype=np.int64)
FOUR = ("suez", "khorgos-altynkol", "aktau", "saryagash-keles")


@pytest.fixture(scope="module")
def world() -> lb.World:
    return embedded.world()


def remembering(bench: _Bench) -> _Bench:
    """The same bench, which solves the closure of the same elements once."""
    known: dict[Any, Any] = {}
    solve = bench.without

    def without(group: Sequence[Any]) -> Any:
        # A test may set other limits of the search for waits.
        key = waits.MOST_STEPS, waits.MOST_EVALUATIONS, *(element.id for element in group)
        if key not in known:
            known[key] = solve(group)
        return known[key]

    bench.without = without  # type: ignore[method-assign]
    return bench


@pytest.fixture(scope="module", autouse=True)
def one_base() -> Iterator[None]:
    """The base of a World is solved once for all the tests of this file; nothing here writes to it."""
    known: dict[str, SolvedBase] = {}
    benches: dict[tuple[SolvedBase, float], _Bench] = {}

    def solved(common: None, world: lb.World, number: int, throw: bool) -> SolvedBase:
        if world.hash not in known:
            known[world.hash] = SolvedBase(Prepared([world]), world, number, throw)
        return known[world.hash]

    def bench(base: SolvedBase, days: float) -> _Bench:
        if (base, days) not in benches:
            benches[base, days] = remembering(_Bench(base, days))
        return benches[base, days]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("landbridge.studies.disrupt.Prepared", lambda worlds: None)
        patch.setattr("landbridge.studies.disrupt.SolvedBase", solved)
        patch.setattr("landbridge.studies.disrupt._Bench", bench)
        yield


@pytest.fixture(scope="module")
def found(world: lb.World) -> Disruption:
    return disrupt(world, [("khorgos-altynkol", "alashankou-dostyk")], only=FOUR, days=10.0)


def loss(found: Disruption, id: str) -> Loss:
    return next(one for one in found.losses if one.id == id)


def test_out_for_good_is_what_the_chain_says_of_a_closure(world: lb.World, found: Disruption) -> None:
    shut = [
        Scenario.from_dict(
            {"name": id, "modification": [{"verb": "close_gateway", "gateway": id}]}, f"no-{id}"
        )
        for id in ("suez", "khorgos-altynkol")
    ]
    study = lb.study(world, shut)
    for id in ("suez", "khorgos-altynkol"):
        ours = loss(found, id)
        assert ours.unserved_teu == 0.0
        for row in study[f"no-{id}"].real_income_rows:
            assert ours.real_income_long[row["region"]] == pytest.approx(row["percent"], abs=1e-6)


@pytest.mark.slow
def test_a_pair_may_be_left_to_a_family_that_it_did_not_have(
    world: lb.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gained = []

    def wider(base: BaseChoice, routes: RouteSet, nests: Nests) -> BaseChoice:
        gained.append(len(routes.group_pair) - len(base.routes.group_pair))
        return _wider(base, routes, nests)

    monkeypatch.setattr("landbridge.studies.disrupt._wider", wider)
    ours = disrupt(world, only=["hormuz"]).losses[0]
    assert gained[0] > 0
    chain = lb.run(
        world,
        Scenario.from_dict(
            {"name": "shut", "modification": [{"verb": "close_gateway", "gateway": "hormuz"}]}, "shut"
        ),
    )
    for row in chain.real_income_rows:
        assert ours.real_income_long[row["region"]] == pytest.approx(row["percent"], abs=1e-4)


@pytest.mark.slow
def test_transit_that_the_world_closes_stays_closed(world: lb.World) -> None:
    ban = {"verb": "close_transit", "countries": ["BLR"]}
    banned = apply(world, Scenario.from_dict({"name": "ban", "modification": [ban]}, "ban"))
    post = {"verb": "close_gateway", "gateway": "khorgos-altynkol"}
    chain = lb.run(banned, Scenario.from_dict({"name": "shut", "modification": [post]}, "shut"))
    ours = disrupt(banned, only=["khorgos-altynkol"]).losses[0]
    for row in chain.real_income_rows:
        assert ours.real_income_long[row["region"]] == pytest.approx(row["percent"], abs=1e-4)


def test_waits_that_are_not_found_are_no_result(world: lb.World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landbridge.model.waits.MOST_STEPS", 2)
    monkeypatch.setattr("landbridge.model.waits.MOST_EVALUATIONS", 2)
    with pytest.raises(ConvergenceError, match=r"without Khorgos.*waits at the gateways"):
        disrupt(world, only=["khorgos-altynkol"])


def test_two_together_lose_more_than_either(found: Disruption) -> None:
    both = loss(found, "khorgos-altynkol+alashankou-dostyk")
    assert both.kind == "together"
    assert both.long_cost_musd > loss(found, "khorgos-altynkol").long_cost_musd > 0.0
    assert both.real_income_long["CA5"] < loss(found, "khorgos-altynkol").real_income_long["CA5"]


def test_the_queue_of_a_short_closure_is_the_deterministic_one(world: lb.World, found: Disruption) -> None:
    one = loss(found, "khorgos-altynkol")
    load = one.volume_over_capacity
    assert load is not None and 0.0 < load < 1.0
    # Day by day: boxes arrive evenly, none leave for ten days, then capacity until the queue is gone.
    steps = 200_000
    time = np.linspace(0.0, 60.0, steps)
    flow, capacity = load, 1.0
    queue = np.where(time < 10.0, flow * time, flow * time - capacity * (time - 10.0)).clip(min=0.0)
    boxes = flow * world.parameter("days_per_year")
    by_hand = 24.0 * np.trapezoid(queue, time) / boxes
    assert one.short_time_h == pytest.approx(by_hand, rel=1e-4)
    assert one.short_cost_musd is not None and one.short_cost_musd > 0.0
    assert one.real_income_short is not None and one.real_income_short["KAZ"] < 0.0


def test_a_short_closure_costs_the_square_of_its_days(world: lb.World, found: Disruption) -> None:
    twice = disrupt(world, only=["khorgos-altynkol"], days=20.0)
    assert twice.losses[0].short_cost_musd == pytest.approx(
        4.0 * (loss(found, "khorgos-altynkol").short_cost_musd or 0.0)
    )


@pytest.mark.slow
def test_ranked_by_whoever_is_asked_for(world: lb.World, found: Disruption) -> None:
    assert [one.real_income_long["CA5"] for one in found.losses] == sorted(
        one.real_income_long["CA5"] for one in found.losses
    )
    single = [one for one in found.losses if one.kind != "together"]
    assert min(single, key=lambda one: one.real_income_long["UZB"]).id == "saryagash-keles"
    # Kazakhstan loses most at the Chinese border, Uzbekistan at its own.
    two = ["khorgos-altynkol", "saryagash-keles"]
    for by, first in (("KAZ", "khorgos-altynkol"), ("UZB", "saryagash-keles")):
        ranked = disrupt(world, only=two, by=by).losses
        assert ranked[0].id == first
        assert [one.real_income_long[by] for one in ranked] == sorted(o.real_income_long[by] for o in ranked)


def test_every_unknown_name_is_told(world: lb.World) -> None:
    with pytest.raises(DataError) as caught:
        disrupt(world, [("suez", "suez")], only=["nowhere", "khorgos"])
    assert len(caught.value.faults) == 3
    with pytest.raises(DataError, match="rank"):
        disrupt(world, only=["suez"], by="KAS")


@pytest.mark.slow
def test_the_command_prints_writes_and_refuses(tmp_path: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["disrupt", "khorgos-altynkol", "--json"])
    assert done.exit_code == 0
    body = json.loads(done.stdout)
    assert body["result"][0]["id"] == "khorgos-altynkol" and body["status"]["converged"]
    file = tmp_path / "losses.csv"
    assert runner.invoke(app, ["disrupt", "suez", "-o", str(file)]).exit_code == 0
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 1 and -1 < float(rows[0]["RUS_long_percent"]) < -0.1
    shown = runner.invoke(app, ["disrupt", "suez"]).stdout
    assert "Suez Canal" in shown and "lower bound" in shown


@pytest.mark.slow
def test_as_one_call_of_the_library(world: lb.World) -> None:
    answer = lb.disrupt(world, only=["suez", "aktau"])
    assert [row["id"] for row in answer.rows["losses"]] == [one.id for one in answer.found.losses]
    assert answer.tables["losses"].shape[0] == 2 and answer.status.converged
    assert "Suez Canal" in answer.document().markdown() and "<table>" in answer._repr_html_()
    assert len(answer.document(most=1).sections[0].rows) == 1


@pytest.mark.slow
def test_in_two_processes_the_same(world: lb.World) -> None:
    open_links = [str(r["link_id"]) for r in world.network["links"] if r["status"] == "open"]
    some = ["R011", "R012", *open_links[::18]]
    two = disrupt(world, only=some, workers=2)
    assert all(np.isfinite(list(each.real_income_long.values())).all() for each in two.losses)
    # Links in a row without a fork lose the same.
    assert loss(two, "R011").real_income_long == loss(two, "R012").real_income_long
    # A process takes four cases at a time, so one in three is from every part that either has solved.
    known = {each.id: each.row() for each in two.losses}
    one = disrupt(world, only=some[::3]).rows()
    assert len(one) > 10 and [known[row["id"]] for row in one] == one


# -- estimates -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(world: lb.World) -> _Bench:
    """That of the other tests, with what they have solved."""
    module = importlib.import_module("landbridge.studies.disrupt")
    return module._Bench(module.SolvedBase(None, world, 0, True), 10.0)  # type: ignore[no-any-return]


def test_an_estimate_is_near_what_is_solved(bench: _Bench, world: lb.World, found: Disruption) -> None:
    guesses: dict[str, float] = {}
    for id in FOUR:
        (element,) = elements(world, bench.graph, bench.flow, (), [id])
        (guess,), status = bench.guess([element])
        ours = loss(found, id)
        assert status.converged and ours.solved and not guess.solved
        assert guess.real_income_short == ours.real_income_short and guess.teu_per_year == ours.teu_per_year
        # Without the routes that a search would find, and without the queues that grow elsewhere.
        assert 1.0 / 3.0 < guess.long_cost_musd / ours.long_cost_musd < 3.0
        if abs(ours.real_income_long["CA5"]) > 0.05:
            assert 0.5 < guess.real_income_long["CA5"] / ours.real_income_long["CA5"] < 2.0
        guesses[id] = guess.real_income_long["CA5"]
    solved = {id: loss(found, id).real_income_long["CA5"] for id in FOUR}
    assert sorted(FOUR, key=lambda id: guesses[id])[:2] == sorted(FOUR, key=lambda id: solved[id])[:2]


@pytest.mark.slow
def test_where_carriers_are_not_paid_a_small_loss_is_its_estimate(world: lb.World) -> None:
    """The road post of Khorgos fills no queue elsewhere: the first order is all but the whole of it."""
    unpaid = {"verb": "set_parameter", "parameter": "paid_share", "value": 0.0}
    calm = apply(world, Scenario.from_dict({"name": "unpaid", "modification": [unpaid]}, "unpaid"))
    base = SolvedBase(Prepared([calm]), calm, 0, True)
    bench = _Bench(base, 14.0)
    (element,) = elements(calm, bench.graph, bench.flow, (), ["khorgos-nur-zholy"])
    (guess,), _ = bench.guess([element])
    (exact,), _ = bench.without([element])
    assert exact.real_income_long["CA5"] < -1e-4
    for region, percent in exact.real_income_long.items():
        assert guess.real_income_long[region] == pytest.approx(percent, rel=0.1, abs=2e-4), region


def test_the_largest_and_those_that_an_estimate_does_not_bound_are_solved(found: Disruption) -> None:
    one = found.losses[0]
    sizes = [-0.2, 0.0, 0.3, -0.1, -0.05, 0.01]
    guessed = [
        [replace(one, id=f"{n}", real_income_long={"CA5": size}, unserved_teu=float(n == 1))]
        for n, size in enumerate(sizes)
    ]
    alike = [[Element(f"{n}", f"{n}", "link", NO, NO, ())] for n in range(len(sizes))]
    alike[5] = [replace(alike[5][0], kind="together")]
    chosen, left = _largest(alike, guessed, "CA5", 2)
    assert [group[0].id for group in chosen] == ["0", "1", "2", "5"]
    assert [losses[0].id for losses in left] == ["3", "4"]


def test_the_two_largest_of_every_other_region_are_solved(found: Disruption) -> None:
    """The largest of Iran and of the world are small for Central Asia, which ranks them."""
    one = found.losses[0]
    five = [-0.5, 0.4, -0.3, 0.2, -0.1, 0.05, 0.01, 0.0]
    iran = [0.0, 0.01, 0.02, 0.1, -0.9, 0.03, 0.8, 0.0]
    whole = [0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.0, -0.3]
    sizes = [
        dict(zip(("CA5", "IRN", "world"), each, strict=True)) for each in zip(five, iran, whole, strict=True)
    ]
    guessed = [
        [replace(one, id=f"{n}", real_income_long=size, unserved_teu=0.0)] for n, size in enumerate(sizes)
    ]
    alike = [[Element(f"{n}", f"{n}", "link", NO, NO, ())] for n in range(len(sizes))]
    for by, exact, first in (
        ("CA5", 1, {0, 4, 6, 5, 7}),
        ("CA5", 3, {0, 1, 2, 4, 6, 5, 7}),
        ("IRN", 1, {4, 0, 1, 5, 7}),
        ("world", 1, {7, 0, 1, 4, 6}),
    ):
        chosen, left = _largest(alike, guessed, by, exact)
        assert {int(group[0].id) for group in chosen} == first
        assert {int(losses[0].id) for losses in left} == set(range(len(sizes))) - first


def test_a_note_has_every_warning_that_holds(found: Disruption) -> None:
    calm = replace(loss(found, "khorgos-altynkol"), solved=True, teu_per_year=100.0, unserved_teu=50.0)
    assert calm.short_time_h is not None and warned(calm).note == ""
    full = "flow is at its capacity: the queue never clears"
    guess = "the long run is an estimate, not solved"
    left = "most of its freight has no route left, which real income does not count"
    for change, note in (
        ({"short_time_h": None}, full),
        ({"solved": False}, guess),
        ({"unserved_teu": 50.1}, left),
        ({"solved": False, "unserved_teu": 100.0}, f"{guess}; {left}"),
        ({"short_time_h": None, "solved": False, "unserved_teu": 100.0}, f"{full}; {guess}; {left}"),
    ):
        changed = replace(calm, **change)  # type: ignore[arg-type]
        assert warned(changed) == replace(changed, note=note)
    assert len(WARNINGS) == 3
    # An element without freight leaves none unserved.
    assert warned(replace(calm, teu_per_year=0.0, unserved_teu=0.0)).note == ""


def test_of_all_the_largest_are_solved_and_the_others_marked(
    world: lb.World, found: Disruption, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landbridge.studies.disrupt._OF_EACH", 0)

    def four(*given: Any) -> Iterator[Element]:
        yield from elements(*given[:3], (), FOUR)

    monkeypatch.setattr("landbridge.studies.disrupt.elements", four)
    told: list[str] = []
    some = disrupt(world, days=10.0, exact=2, estimate=told.append)
    assert told == ["4 cases, at least 2 of them solved"]
    assert sorted(one.id for one in some.losses) == sorted(FOUR)
    solved = [one for one in some.losses if one.solved]
    assert 2 <= len(solved) < 4 and {"khorgos-altynkol", "saryagash-keles"} <= {one.id for one in solved}
    for one in solved:
        assert one.row() == loss(found, one.id).row()
    everything = disrupt(world, days=10.0, exact=0)
    assert all(one.solved and one.row() == loss(found, one.id).row() for one in everything.losses)
    text = Document(tuple(loss_sections(some, world, 9)), (), "en").markdown()
    assert text.count("| ~ ") == 4 - len(solved) and f"Solved are {len(solved)} of 4 gateways" in text
    top = Document(tuple(loss_sections(some, world, 1)), (), "en").markdown()
    assert (
        "~" not in top
        and "~" not in Document(tuple(loss_sections(everything, world, 9)), (), "en").markdown()
    )
    held = list(csv.DictReader(losses_csv(some).splitlines()))
    assert {row["id"]: row["solved"] for row in held} == {one.id: f"{one.solved}" for one in some.losses}
    marked = {row["id"] for row in held if "an estimate, not solved" in row["note"]}
    assert marked == {one.id for one in some.losses if not one.solved}


def test_a_loss_that_leaves_most_freight_out_is_not_shown_as_a_figure(
    world: lb.World, found: Disruption
) -> None:
    one = loss(found, "khorgos-altynkol")
    cut = replace(one, id="cut", unserved_teu=0.6 * one.teu_per_year, real_income_long=one.real_income_long)
    some = replace(found, losses=(one, cut))
    text = Document(tuple(loss_sections(some, world, 9)), (), "en").markdown()
    table = text[text.index("## Out for good") : text.index("## Out for 10 days")]
    known, hidden = [line for line in table.splitlines() if line.startswith("| Khorgos")]
    assert f" {one.real_income_long[some.by]:+.3f} " in known and known.count("| - ") == 0
    assert hidden.count("| - ") == 4 and f" {cut.unserved_teu / 1e3:,.1f} " in hidden
    assert "Closures of this kind: 1. Those with the most freight: Khorgos" in table
    calm = Document(tuple(loss_sections(replace(found, losses=(one,)), world, 9)), (), "en").markdown()
    assert "no other route" not in calm


def test_every_fault_of_what_is_asked_is_told_before_a_solve(
    world: lb.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landbridge.studies.disrupt.SolvedBase", None)
    with pytest.raises(DataError) as caught:
        disrupt(world, days=0.0, exact=-1, by="KAS")
    assert [fault.where for fault in caught.value.faults] == ["days", "exact", "by"]


@pytest.mark.slow
def test_estimates_of_two_processes_are_the_same(world: lb.World, monkeypatch: pytest.MonkeyPatch) -> None:
    def four(*given: Any) -> Iterator[Element]:
        yield from elements(*given[:3], (), FOUR)

    monkeypatch.setattr("landbridge.studies.disrupt.elements", four)
    monkeypatch.setattr("landbridge.studies.disrupt._OF_EACH", 0)
    one = disrupt(world, exact=1)
    monkeypatch.setattr("landbridge.studies.disrupt._WORTH_A_PROCESS", 1)
    two = disrupt(world, exact=1, workers=2)
    assert [loss.solved for loss in one.losses].count(False) > 0
    assert two.rows() == one.rows()


@pytest.mark.slow
def test_the_command_estimates(world: lb.World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def four(*given: Any) -> Iterator[Element]:
        yield from elements(*given[:3], (), FOUR)

    monkeypatch.setattr("landbridge.studies.disrupt.elements", four)
    monkeypatch.setattr("landbridge.studies.disrupt._OF_EACH", 0)
    for exact, all_solved in (("1", False), ("0", True)):
        done = CliRunner().invoke(app, ["disrupt", "--exact", exact, "--workers", "1", "--json"])
        rows = json.loads(done.stdout)["result"]
        assert len(rows) == 4 and all(row["solved"] for row in rows) == all_solved
