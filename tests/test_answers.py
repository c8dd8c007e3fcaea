"""Every study is one call with tables, a status, a manifest and a document; the command prints the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import landbridge as lb
from commands import Call

ASKED: Mapping[str, tuple[Callable[[lb.World], lb.Answer], tuple[str, ...]]] = {
    "gas": (
        lambda world: lb.gas(world, ["line-C"], months="1-3"),
        ("gas", "--lose", "line-C", "--months", "1-3"),
    ),
    "farm": (lambda world: lb.farm(world, regions=["KAZ"]), ("farm", "--region", "KAZ")),
    "travel": (lb.travel, ("travel",)),
    "treaties": (lb.treaties, ("treaties",)),
    "reach": (lambda world: lb.reach(world, "Almaty"), ("reach", "Almaty")),
    "ways": (lambda world: lb.ways(world, "Yiwu", "Tashkent"), ("ways", "Yiwu", "Tashkent")),
    "invest": (
        lambda world: lb.invest(world, 1e9, projects=["P09", "P22"]),
        ("invest", "--budget", "1e9", "--projects", "P09,P22"),
    ),
}
# Studies that take more than some seconds.
LONG = {"invest"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in ASKED]
)
def test_an_answer_and_its_command_say_the_same(call: Call, name: str) -> None:
    study, words = ASKED[name]
    answer = study(lb.load())
    assert answer.status.converged and answer.tables and answer.command == name
    for table, frame in answer.tables.items():
        assert len(frame) == len(answer.rows[table]) and not frame.columns.has_duplicates
    document = answer.document()
    assert document.sections and document.attribution
    assert document.sections[0].title in document.markdown() and "<table>" in answer._repr_html_()
    assert repr(answer).startswith(f"Answer({name}: ")
    code, out, err = call(*words, "--json")
    assert code == 0, err
    printed = json.loads(out)
    assert set(printed["manifest"].pop("run")) == {"finished", "wall_s"}
    said: dict[str, Any] = json.loads(json.dumps(answer.to_json()))
    assert said["manifest"].pop("run") == {}
    assert printed == said


def test_what_is_asked_wrongly_is_told_at_once() -> None:
    with pytest.raises(lb.DataError) as caught:
        lb.gas(lb.load(), ["line-Q"], months="13")
    assert len(caught.value.faults) == 2
