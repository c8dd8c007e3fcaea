"""What is added from outside the package: a verb, a channel, a wait law, with no other file changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import landbridge as lb
from landbridge.errors import ScenarioError
from landbridge.scenario import (
    Modification,
    Scenario,
    Verb,
    apply,
    json_schema,
    register_verb,
    unregister_verb,
    verb_key,
)
from landbridge.scenario.change import Change
from landbridge.scenario.page import verbs_page
from landbridge.scenario.registry import verb_columns
from landbridge.scenario.verbs import BUNDLED
from landbridge.world import World

PAGE = Path(__file__).resolve().parents[1] / "docs" / "data" / "verbs.md"


@pytest.fixture(scope="module")
def world() -> World:
    return lb.load()


# -- verbs ---------------------------------------------------------------------------------------------


def speed_up(change: Change, m: Modification) -> None:
    """All open roads of some countries by so many percent."""
    countries = {change.resolve(m, "countries", "country", name) for name in m.get("countries")}
    inside = {str(r["place_id"]) for r in change.network["places"] if r["country"] in countries}
    rows = change.network["links"]
    change.network["links"] = rows.with_rows(
        {**r, "speed_kmh": float(r["speed_kmh"] or 0.0) * (1.0 + m.get("percent") / 100.0)}
        if r["mode"] == "road" and {r["from_place"], r["to_place"]} <= inside and r["speed_kmh"] is not None
        else r
        for r in rows
    )


SPEED_UP = Verb(
    name="speed_up",
    apply=speed_up,
    keys=(
        verb_key("countries", "ids", "whose roads"),
        verb_key("percent", "float", "by how much", unit="%", minimum=-50.0, maximum=100.0),
    ),
)


@pytest.fixture
def own_verb() -> Iterator[None]:
    register_verb(SPEED_UP)
    yield
    unregister_verb("speed_up")


def scenario(**modification: Any) -> Scenario:
    return Scenario.from_dict({"name": "a test", "modification": [modification]}, "own")


def test_every_verb_of_the_schema_has_a_function() -> None:
    assert set(BUNDLED) == set(verb_columns())


def test_a_verb_from_outside_is_read_checked_and_applied(world: World, own_verb: None) -> None:
    given = scenario(verb="speed_up", countries="Kazakhstan", percent=20)
    after = apply(world, given)
    moved = [
        float(new["speed_kmh"]) / float(old["speed_kmh"])
        for old, new in zip(world.network["links"], after.network["links"], strict=True)
        if old["speed_kmh"] != new["speed_kmh"]
    ]
    assert moved and moved == pytest.approx([1.2] * len(moved))
    assert Scenario.from_toml(given.to_toml(), "own") == given
    with pytest.raises(ScenarioError, match="at most 100"):
        scenario(verb="speed_up", countries="KAZ", percent=200)
    with pytest.raises(ScenarioError, match="countries is missing"):
        scenario(verb="speed_up", percent=1)
    with pytest.raises(ScenarioError, match="no country 'Atlantis'"):
        apply(world, scenario(verb="speed_up", countries="Atlantis", percent=1))
    document = json.loads(json.dumps(given.to_dict()))
    jsonschema.validate(document, json_schema())
    document["modification"][0]["percent"] = 200
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema())
    assert "## speed_up" in verbs_page() and "whose roads" in verbs_page()


def test_a_verb_has_one_meaning(own_verb: None) -> None:
    for taken in ("speed_up", "add_link"):
        with pytest.raises(ValueError, match="already"):
            register_verb(Verb(name=taken, apply=speed_up))
    unregister_verb("add_link")
    assert "add_link" in verb_columns()


def test_without_registration_the_verb_is_unknown() -> None:
    with pytest.raises(ScenarioError, match="no verb 'speed_up'"):
        scenario(verb="speed_up", countries="KAZ", percent=1)


def test_the_page_of_verbs_is_that_of_the_registry() -> None:
    assert PAGE.read_text(encoding="utf-8") == verbs_page(), "write verbs_page() to docs/data/verbs.md"
