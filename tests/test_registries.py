"""What is added from outside the package: a verb, a channel, a wait law, with no other file changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray

import embedded
import landbridge as lb
from landbridge.channels.protocol import Channel, Effect, HeldTrade, joined
from landbridge.channels.registry import channels, register_channel, unregister_channel
from landbridge.errors import DataError, ScenarioError
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
from landbridge.transport.waiting.laws import Stations, register_wait_law, unregister_wait_law
from landbridge.world import Table, World

PAGE = Path(__file__).resolve().parents[1] / "docs" / "data" / "verbs.md"


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


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
    for taken in ("speed_up", "add_link", "change_border"):
        with pytest.raises(ValueError, match="already"):
            register_verb(Verb(name=taken, apply=speed_up))
    unregister_verb("add_link")
    assert "add_link" in verb_columns()


def test_without_registration_the_verb_is_unknown() -> None:
    with pytest.raises(ScenarioError, match="no verb 'speed_up'"):
        scenario(verb="speed_up", countries="KAZ", percent=1)


def test_the_page_of_verbs_is_that_of_the_registry() -> None:
    assert PAGE.read_text(encoding="utf-8") == verbs_page(), "write verbs_page() to docs/data/verbs.md"


# -- channels ------------------------------------------------------------------------------------------


def irrigate(change: Change, m: Modification) -> None:
    """Water for the farms of a region, in a table of the channel's own."""
    table = change.channels["water"]
    row = {"region": m.get("region"), "percent": m.get("percent")}
    change.channels["water"] = table.with_rows([*table, row])


def watered(base: World, world: World) -> bool:
    return base.channels.get("water") != world.channels.get("water")


def effect_of_water(base: World, world: World) -> Effect:
    table = world.trade
    hat = np.ones((len(table.regions), len(table.sectors)))
    for row in world.channels["water"]:
        hat[table.region(str(row["region"])), table.sector("AGR")] *= 1.0 + float(row["percent"] or 0) / 100.0
    return Effect(productivity_hat=hat, notes=(f"water reaches {len(world.channels['water'])} regions",))


def held_power(base: World, world: World) -> Effect:
    """Power sold from Tajikistan to Uzbekistan falls by a tenth."""
    table = world.trade
    pair = table.region("TJK"), table.region("UZB"), table.sector("ENE")
    held = HeldTrade(pairs=(pair,), kept=np.array([0.9]), cost_hat=np.array([1.02]))
    return Effect(held=held, notes=("a line is down",))


WATER = Channel(
    name="water",
    moved=watered,
    effect=effect_of_water,
    verbs=(
        Verb(
            name="irrigate",
            apply=irrigate,
            keys=(verb_key("region", "str"), verb_key("percent", "float", maximum=50.0)),
        ),
    ),
)
POWER = Channel(name="power", moved=watered, effect=held_power)


@pytest.fixture
def own_channels() -> Iterator[None]:
    register_channel(WATER)
    register_channel(POWER)
    yield
    for name in ("water", "power"):
        unregister_channel(name)


@pytest.mark.slow
def test_a_channel_from_outside_moves_the_economy(world: World, own_channels: None) -> None:
    dry = world.with_channels(water=Table("water", ("region", "percent"), ()))
    unregister_channel("power")
    wet = lb.run(dry, scenario(verb="irrigate", region="KAZ", percent=2.0))
    stated = lb.run(world, scenario(verb="change_productivity", region="KAZ", sector="AGR", percent=2.0))
    for row, known in zip(wet.real_income_rows, stated.real_income_rows, strict=True):
        assert row["percent"] == pytest.approx(known["percent"], abs=1e-9)
    assert any(row["percent"] > 0.01 for row in wet.real_income_rows)
    assert "water reaches 1 regions" in wet.notes


def test_trade_is_held_to_the_quantities_of_a_channel_from_outside(world: World, own_channels: None) -> None:
    dry = world.with_channels(water=Table("water", ("region", "percent"), ()))
    case = lb.run(dry, scenario(verb="irrigate", region="KAZ", percent=0.0))
    table = case.loading.base
    o, d, s = table.region("TJK"), table.region("UZB"), table.sector("ENE")
    sold = case.loading.trade[o, d, s] / case.loading.producer_price_hat[o, s]
    assert sold / table.trade[o, d, s] == pytest.approx(0.9, abs=1e-4)
    assert "a line is down" in case.notes


def test_channels_and_their_verbs_have_one_name(own_channels: None) -> None:
    assert [one.name for one in channels()] == ["travel", "gas", "water", "power"]
    with pytest.raises(ValueError, match="channel 'gas'"):
        register_channel(Channel(name="gas", moved=watered, effect=effect_of_water))
    with pytest.raises(ValueError, match="verb 'irrigate'"):
        register_channel(Channel(name="more water", moved=watered, effect=effect_of_water, verbs=WATER.verbs))
    unregister_channel("water")
    assert "irrigate" not in verb_columns()


def test_two_channels_do_not_hold_the_same_trade() -> None:
    one = HeldTrade(pairs=((0, 1, 2),), kept=np.array([0.9]), cost_hat=np.array([1.1]))
    other = HeldTrade(pairs=((1, 0, 2),), kept=np.array([0.8]), cost_hat=np.array([1.2]))
    both = joined([one, other])
    assert both is not None and both.pairs == ((0, 1, 2), (1, 0, 2)) and both.kept.tolist() == [0.9, 0.8]
    assert joined([]) is None and joined([one]) is one
    with pytest.raises(DataError, match="the same trade"):
        joined([one, one])


# -- wait laws -----------------------------------------------------------------------------------------

Array = NDArray[np.float64]
HOURS = 6.0


class Weighing:
    """Every train waits so many hours at capacity, in proportion to the load; no two wait differently."""

    def value(self, load: Array, at: Stations) -> tuple[Array, Array]:
        return HOURS * load, 0.0 * load

    def slopes(self, load: Array, at: Stations) -> tuple[Array, Array]:
        return np.full_like(load, HOURS), 0.0 * load

    def rate_slopes(self, load: Array, at: Stations) -> tuple[Array, Array]:
        return 0.0 * load, 0.0 * load


POST = "khorgos-altynkol"


@pytest.fixture
def weighed(world: World) -> Iterator[World]:
    """The World with a kind of gateway of its own at Khorgos: a border whose waits follow another law."""
    register_wait_law("weighing", Weighing())
    kinds, gateways = world.network["gateway_kinds"], world.network["gateways"]
    own = {**dict(kinds.rows[0]), "kind": "weighbridge", "stands_for": "border", "wait_law": "weighing"}
    yield world.with_network(
        gateway_kinds=kinds.with_rows([*kinds, own]),
        gateways=gateways.with_rows(
            {**r, "kind": "weighbridge"} if r["gateway_id"] == POST else r for r in gateways
        ),
    )
    unregister_wait_law("weighing")


@pytest.mark.slow
def test_a_kind_of_gateway_has_a_wait_law_of_its_own(world: World, weighed: World) -> None:
    tight = scenario(verb="change_gateway", gateway=POST, capacity={"multiply": 0.5})
    usual, own = lb.run(world, tight), lb.run(weighed, tight)
    assert own.base is not None and usual.base is not None and own.status.converged
    # It is a border to the network: the base, whose queues are part of the observed hours, is the same.
    np.testing.assert_array_equal(own.base.choice.cost, usual.base.choice.cost)
    queues, load = own.queues, own.load
    assert queues is not None and load is not None
    mine = np.array([own.graph.gateways[j] == POST for j in queues.gateway])
    laws = np.array(queues.laws)
    assert set(laws[mine]) == {"weighing"} and set(laws[~mine]) == {"akcelik"}
    assert queues.wait(load)[mine] == pytest.approx(HOURS * load[mine])
    row, known = (next(r for r in case.gateway_rows if r["gateway"] == POST) for case in (own, usual))
    assert row["queue_h"] == pytest.approx(HOURS * row["volume_over_capacity"], rel=0.3)
    assert row["queue_h"] < known["queue_h"]
    # Derivatives of both laws together are those of the values.
    step = 1e-6
    for found, slope in zip((queues.wait, queues.variance), queues.slopes(load), strict=True):
        rise = (found(load + step) - found(load - step)) / (2.0 * step)
        np.testing.assert_allclose(slope, rise, rtol=1e-5, atol=1e-6)


def test_laws_of_waiting_have_one_name_and_must_be_known(weighed: World) -> None:
    for taken in ("weighing", "akcelik", "none"):
        with pytest.raises(ValueError, match="already"):
            register_wait_law(taken, Weighing())
    unregister_wait_law("weighing")
    with pytest.raises(DataError, match="no law 'weighing'") as wrong:
        lb.run(weighed)
    assert "akcelik" in wrong.value.faults[0].cure
    register_wait_law("weighing", Weighing())
