"""Computations side by side give what they give one after the other."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import landbridge as lb
from landbridge.transport import threads
from landbridge.transport.threads import halves, in_order, side_by_side
from small_folder import write_small_world


@pytest.fixture(params=["1", "2"], autouse=True)
def setting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LANDBRIDGE_THREADS", request.param)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 2)
    return str(request.param)


def name() -> str:
    return threading.current_thread().name


def failing(text: str) -> None:
    raise ValueError(text)


def ways() -> list[Callable[[list[Callable[[], Any]]], list[Any]]]:
    return [side_by_side, lambda calls: list(in_order(calls, len(calls)))]


@pytest.mark.parametrize("way", ways())
@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_results_come_in_order(way: Callable[..., list[int]], n: int) -> None:
    assert way([partial(pow, k, 2) for k in range(n)]) == [k * k for k in range(n)]


@pytest.mark.parametrize("way", ways())
def test_two_threads_are_used_where_allowed(way: Callable[..., list[str]], setting: str) -> None:
    meet = threading.Barrier(2)

    def together() -> str:
        # Both must be running at once to pass.
        meet.wait(10)
        return name()

    if setting == "2":
        assert len(set(way([together, together]))) == 2
    else:
        assert set(way([name, name])) == {name()}


@pytest.mark.parametrize("way", ways())
def test_the_first_fault_is_raised_and_the_next_call_works(way: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="one"):
        way([partial(failing, "one"), partial(failing, "two")])
    assert way([name, name, name])


def test_calls_inside_calls_do_not_wait_for_each_other() -> None:
    def inside(k: int) -> list[int]:
        return side_by_side([partial(pow, k, 1), partial(pow, k, 2)])

    assert side_by_side([partial(inside, 2), partial(inside, 3)]) == [[2, 4], [3, 9]]
    assert list(in_order((partial(inside, k) for k in (2, 3, 4)), 3)) == [[2, 4], [3, 9], [4, 16]]


def test_settings_of_warnings_hold_on_both_threads() -> None:
    def divide() -> float:
        return float(np.ones(1)[0] / np.zeros(1)[0])

    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("error")
        assert side_by_side([divide, divide]) == [np.inf, np.inf]


def test_a_generator_that_is_dropped_leaves_the_threads_free() -> None:
    results: Iterator[int] = in_order((partial(pow, k, 2) for k in range(9)), 9)
    assert next(results) == 0
    del results
    assert not threads._busy.locked()


@pytest.mark.parametrize("sizes", [[3], [1, 1], [5, 1, 1], [1, 1, 9], [2, 2, 2, 2], [0, 4, 0]])
def test_halves_cover_every_group_once(sizes: list[int]) -> None:
    spans = halves(np.cumsum([0, *sizes]))
    assert [g for low, high in spans for g in range(low, high)] == list(range(len(sizes)))


def test_scenarios_solved_side_by_side_equal_those_solved_alone(tmp_path: Path) -> None:
    write_small_world(tmp_path)
    world = lb.load(tmp_path)
    gateway = str(world.network["gateways"].rows[0]["gateway_id"])
    given = []
    for name, share in (("half", 0.5), ("third", 0.3)):
        change = {"verb": "change_gateway", "gateway": gateway, "time_h": {"multiply": share}}
        given.append(lb.Scenario.from_dict({"name": name, "modification": [change]}, name))
    study = lb.study(world, given)
    for result, one in zip(study.cases, given, strict=True):
        alone = lb.run(world, one)
        for key in ("flow_teu", "cost_hat"):
            np.testing.assert_array_equal(getattr(result, key), getattr(alone, key))
    assert (study.cases[0].flow_teu != study.cases[1].flow_teu).any()
