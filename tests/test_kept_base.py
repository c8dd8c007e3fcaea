"""Solves one after another with the base kept: the same results, without new routes and a new base."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

import embedded
from landbridge.model import kept_base
from landbridge.model.kept_base import KeptBase
from landbridge.model.prepared import Prepared
from landbridge.model.run import iterate
from landbridge.results import Results
from landbridge.scenario import Scenario, apply
from landbridge.world import World
from small_folder import small_world

HOURS = {"verb": "change_gateway", "gateway": "saryagash-keles", "time_h": {"multiply": 0.5}}
LONGER = {"verb": "change_gateway", "gateway": "khorgos-altynkol", "time_h": {"add": 20.0}}
CLOSED = {"verb": "close_gateway", "gateway": "khorgos-altynkol"}
OPENED = {"verb": "change_link", "link": "R099", "status": "open"}
NO_TRANSIT = {"verb": "close_transit", "countries": ["UZB"]}
PARAMETER = {"verb": "set_parameter", "parameter": "phi", "value": 6.0}


@cache
def small() -> World:
    """China, Kazakhstan and Uzbekistan, cut out of the embedded World."""
    return small_world(embedded.world(), ("CHN", "KAZ", "UZB"))


def slower(world: World) -> World:
    """A copy with a longer formation of container trains."""
    return apply(world, scenario("slower", {**PARAMETER, "parameter": "formation_block_h", "value": 60.0}))


def scenario(name: str, *changes: Mapping[str, Any]) -> Scenario:
    return Scenario.from_dict({"name": name, "modification": [*changes]}, name)


def solve(world: World, one: Scenario | None, kept: KeptBase | None, response: bool = False) -> list[Results]:
    given = [] if one is None else [one]
    return list(iterate(world, given, kept=kept, response=response))


def plain(results: Results) -> str:
    return json.dumps(results.to_json(), sort_keys=True, default=str)


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of Worlds in each set of routes that the kept base prepares."""
    made: list[int] = []

    class Counted(Prepared):
        def __init__(self, worlds: Any) -> None:
            made.append(len(worlds))
            super().__init__(worlds)

    monkeypatch.setattr(kept_base, "Prepared", Counted)
    monkeypatch.setattr("landbridge.model.run.Prepared", Counted)
    return made


@pytest.mark.parametrize(
    "changes",
    [(HOURS,), (LONGER, HOURS), (CLOSED,), (OPENED,), (NO_TRANSIT,), (PARAMETER, HOURS)],
    ids=["hours", "two", "closed", "opened", "transit", "parameter"],
)
def test_a_case_beside_the_kept_base_is_that_of_a_new_study(changes: tuple[Mapping[str, Any], ...]) -> None:
    world, kept = small(), KeptBase()
    one = scenario("mine", *changes)
    first = solve(world, scenario("other", LONGER), kept)
    again = solve(world, one, kept)
    fresh = solve(world, one, None)
    assert [plain(r) for r in again] == [plain(r) for r in fresh]
    assert plain(first[0]) == plain(solve(world, None, kept)[0])


def test_numbers_alone_search_no_routes_and_solve_no_base(prepared: list[int]) -> None:
    world, kept = small(), KeptBase()
    bases = [solve(world, scenario("a", HOURS), kept)[0], solve(world, scenario("b", LONGER), kept)[0]]
    assert prepared == [2] and bases[0] is bases[1] is solve(world, None, kept)[0]
    solve(world, scenario("c", CLOSED), kept)
    assert prepared == [2, 2], "a closed border is a study of its own"
    solve(world, scenario("d", HOURS, LONGER), kept)
    assert prepared == [2, 2], "the base is still there"


def test_another_world_has_a_base_of_its_own(prepared: list[int]) -> None:
    kept, one = KeptBase(), scenario("a", HOURS)
    other = slower(small())
    before = solve(small(), one, kept)
    after = solve(other, one, kept)
    assert prepared == [2, 2] and plain(before[1]) != plain(after[1])
    assert plain(after[1]) == plain(solve(other, one, None)[1])


@pytest.mark.parametrize(
    "changes", [(HOURS,), (CLOSED,), (PARAMETER, HOURS)], ids=["hours", "closed", "parameter"]
)
def test_the_range_of_the_last_case_takes_its_two_ends_only(
    changes: tuple[Mapping[str, Any], ...], prepared: list[int]
) -> None:
    world, kept, one = small(), KeptBase(), scenario("mine", *changes)
    without = solve(world, one, kept)[1]
    assert without.response is None
    told: list[str] = []
    base, ends = iterate(world, [one], kept=kept, response=True, progress=lambda text, _: told.append(text))
    assert len(prepared) == 1 and ends.equilibrium is without.equilibrium
    fresh = solve(world, one, None, response=True)
    assert [plain(base), plain(ends)] == [plain(r) for r in fresh]
    assert told[-2:] == ["solving the range of mine", "done"]
    renamed = solve(world, scenario("renamed", *changes), kept)[1]
    assert renamed.id == "renamed" and renamed.equilibrium is not without.equilibrium


def test_what_cases_add_is_freed_with_them() -> None:
    world, kept = small(), KeptBase()
    solve(world, scenario("a", HOURS), kept)
    base = kept.base_for(world, [])
    assert base is not None
    held = len(base.common._passes)
    gateways = [str(row["gateway_id"]) for row in world.network["gateways"]][:4]
    for n, gateway in enumerate(gateways):
        change = {"verb": "change_gateway", "gateway": gateway, "capacity": 50.0 + n}
        solve(world, scenario(f"s{n}", change), kept)
    base = kept.base_for(world, [])
    assert base is not None and len(base.common._passes) == held


@pytest.mark.slow
def test_the_embedded_world_beside_its_kept_base_gives_the_same_digits() -> None:
    kept = KeptBase()
    for name in ("borders-half", "khorgos-closed", "paperless"):
        again = list(iterate(embedded.world(), [name], kept=kept))
        fresh = list(iterate(embedded.world(), [name]))
        assert [plain(r) for r in again] == [plain(r) for r in fresh], name
