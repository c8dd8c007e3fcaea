"""Travellers: visas and connections as modifications, arrivals with their range, receipts in the economy."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.channels import travel as channel
from landbridge.errors import DataError, ScenarioError
from landbridge.scenario import Scenario, apply, json_schema
from landbridge.studies.travel import difference, travel, waiver
from landbridge.world import World
from test_cli import command


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


def scenario(*modifications: dict) -> Scenario:
    return Scenario.from_dict({"name": "a test", "modification": list(modifications)}, "test")


def visa(passport: object, destination: object, requirement: str, **more: object) -> dict:
    return {
        "verb": "change_visa",
        "passport": passport,
        "destination": destination,
        "requirement": requirement,
        **more,
    }


def connection(origin: str, destination: str, connections: object, **more: object) -> dict:
    return {
        "verb": "change_connection",
        "origin": origin,
        "destination": destination,
        "connections": connections,
        **more,
    }


def test_waiving_what_is_waived_changes_nothing(world: World) -> None:
    after = apply(world, scenario(visa("CHN", "KAZ", "waived")))
    found = channel.shock(world, after)
    assert found.rows == () and all((hat == 1.0).all() for hat in found.cost_hat.values())


def test_a_waiver_gives_the_published_range(world: World) -> None:
    """A visa lowers travel by 52-63 %: without one it is 1/0.48 to 1/0.37 of what it was."""
    found = channel.shock(world, apply(world, scenario(visa("KAZ", "CHN", "waived"))))
    (row,) = found.rows
    assert row["visitors_low"] / row["base_visitors"] == pytest.approx(1 / 0.48)
    assert row["visitors"] / row["base_visitors"] == pytest.approx(1 / 0.425)
    assert row["visitors_high"] / row["base_visitors"] == pytest.approx(1 / 0.37)


def test_a_waiver_and_its_end_cancel(world: World) -> None:
    there = channel.shock(world, apply(world, scenario(visa("KAZ", "CHN", "waived")))).rows[0]
    waived = apply(world, scenario(visa("KAZ", "CHN", "waived")))
    back = channel.shock(waived, apply(waived, scenario(visa("KAZ", "CHN", "required")))).rows[0]
    assert (1 + there["percent"] / 100) * (1 + back["percent"] / 100) == pytest.approx(1.0)


def test_receipts_are_the_services_they_stand_for(world: World) -> None:
    """At given prices, sales of services grow by the receipts: F (tau^)^-theta - F = receipts."""
    found = channel.shock(world, apply(world, scenario(visa("KAZ", "CHN", "waived"))))
    (row,) = found.rows
    o, d = (world.trade.regions.index(r) for r in ("CHN", "KAZ"))
    at = [world.trade.sectors.index(s) for s in channel.SERVICES]
    for case, name in (
        ("low", "receipts_low_musd"),
        ("central", "receipts_musd"),
        ("high", "receipts_high_musd"),
    ):
        hat = found.cost_hat[case][o, d, at]
        flow = world.trade.trade[o, d, at]
        assert float((flow * (hat ** -world.trade.theta[at] - 1)).sum()) == pytest.approx(row[name])
    assert np.count_nonzero(found.cost_hat["central"] != 1.0) == len(at)


def test_connections_multiply_arrivals_by_their_elasticity(world: World) -> None:
    found = channel.shock(world, apply(world, scenario(connection("CHN", "KAZ", {"multiply": 4}))))
    by_pair = {(r["passport"], r["destination"]): r for r in found.rows}
    assert set(by_pair) == {("CHN", "KAZ"), ("KAZ", "CHN")}  # mutual unless told otherwise
    row = by_pair["CHN", "KAZ"]
    assert row["percent"] == pytest.approx(100.0)  # 4 ** 0.5
    assert (row["percent_low"], row["percent_high"]) == (pytest.approx(0.0), pytest.approx(300.0))
    set_to = apply(world, scenario(connection("CHN", "KAZ", 88, mutual=False)))
    assert channel.shock(world, set_to).rows[0]["percent"] == pytest.approx(100 * (2**0.5 - 1))


def test_the_chain_knows_travellers(world: World) -> None:
    """`run` and `travel` answer alike, but for what the waits at borders make of a little more trade."""
    run = lb.run(world, "visa-waivers")
    rows = {r["region"]: r["percent"] for r in run.real_income_rows}
    for row in travel(world, "visa-waivers").income:
        assert row["percent"] == pytest.approx(rows[row["region"]], rel=1e-3, abs=1e-5)
    assert rows["KGZ"] > 1e-3 and any("no arrivals are known" in note for note in run.notes)
    assert run.choice.cost == pytest.approx(run.base.choice.cost, rel=1e-5)  # freight is as it was


def test_the_event_study_finds_no_faster_growth_under_the_waiver(world: World) -> None:
    events = channel.event_study(world)
    found = difference(events)
    assert found["n"] == 3
    assert found["waived_percent"] == pytest.approx(100 * (655000 / 367000 - 1))
    expected = 50 * (74304 / 42470 - 1) + 50 * (127956 / 70842 - 1)
    assert found["not_waived_percent"] == pytest.approx(expected)
    assert abs(found["points"]) < 5.0
    unlike = [e for e in events if not e["like"]]
    assert unlike and all(e["destination"] == "UZB" and e["percent"] > 100 for e in unlike)


def test_no_visa_effect_is_claimed_from_so_few_pairs(world: World) -> None:
    found = channel.identification(world)
    assert not found["identified"] and found["pairs_with_visa"] < found["needed"]
    assert found["rows"] == len(channel.gravity_rows(world)) > 20


def test_arrivals_of_a_part_of_the_year_are_scaled_and_said_so(world: World) -> None:
    found = channel.base_arrivals(world)
    assert found["CHN", "KAZ"].visitors == 367000 and not found["CHN", "KAZ"].scaled
    assert found["TUR", "UZB"].scaled
    assert found["TUR", "UZB"].visitors == pytest.approx(58000 * 365 / 212)


def test_faults_name_the_key_and_a_cure(world: World) -> None:
    with pytest.raises(ScenarioError) as error:
        apply(
            world,
            scenario(visa("CHN", "DEU", "waived"), visa("DEU", "JPN", "waived"), visa("XXX", "KGZ", "easy")),
        )
    told = str(error.value)
    assert "DEU to JPN" in told and "XXX" in told and "CHN to DEU" not in told
    with pytest.raises(ScenarioError, match="is 'free'"):
        scenario(visa("CHN", "KGZ", "free"))
    with pytest.raises(ScenarioError, match="multiply = 2"):
        apply(world, scenario(connection("CHN", "TJK", {"add": 3})))
    with pytest.raises(ScenarioError, match="that of the travellers"):
        apply(world, scenario(visa("KAZ", "KAZ", "waived")))
    with pytest.raises(DataError, match="CHN:KGZ"):
        waiver(["CHN-KGZ"])
    bare = replace(world, channels={})
    with pytest.raises(DataError, match="not in this World"):
        travel(bare, scenario({"verb": "set_parameter", "parameter": "phi", "value": 8}))
    with pytest.raises(ScenarioError, match="travel_visas"):
        apply(bare, scenario(visa("CHN", "KGZ", "waived")))


def test_scenarios_with_travellers_survive_writing_and_are_in_the_schema(world: World) -> None:
    import tomllib

    import jsonschema

    one = scenario(
        visa("CHN", ["KGZ", "TJK"], "waived", mutual=True), connection("CHN", "UZB", {"multiply": 2})
    )
    text = one.to_toml()
    assert Scenario.from_toml(text, "test") == one
    jsonschema.validate(tomllib.loads(text), json_schema())


def test_the_command_says_what_was_not_estimated() -> None:
    done = command("travel", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)["result"]
    assert {r["destination"] for r in result["arrivals"]} == {"KGZ", "TJK"}
    assert result["identification"]["identified"] is False
    shown = command("travel", "--waive", "China:Kyrgyzstan")
    assert shown.returncode == 0 and "No visa effect is estimated" in shown.stdout
    refused = command("travel", "--waive", "CHN:Narnia")
    assert refused.returncode == 3 and "Narnia" in refused.stderr
