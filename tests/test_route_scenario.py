"""Routes between two places after a scenario, with the queues of the base."""

from __future__ import annotations

import json

import numpy as np
import pytest

import embedded
import landbridge as lb
from commands import Call
from landbridge.scenario import Scenario
from small_folder import write_small_world


def scenario(*changes: dict[str, object], id: str = "x") -> Scenario:
    return Scenario.from_dict({"name": id, "modification": list(changes)}, id)


RAIL, ROAD = "saryagash-keles", "shymkent-tashkent"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> lb.World:
    folder = tmp_path_factory.mktemp("small") / "world"
    write_small_world(folder)
    return lb.load(folder)


def test_a_closure_removes_routes_and_leaves_the_others_as_they_were(small: lb.World) -> None:
    shut = scenario({"verb": "close_gateway", "gateway": RAIL})
    before = lb.route(small, "ALMATY", "TASH", k=99)
    after = lb.route_after(small, shut, "ALMATY", "TASH", k=99)
    closed = sum(one.share for one in before if RAIL in one.gateways)
    assert after.lost_share == pytest.approx(closed, abs=1e-12) and closed > 0.0
    assert len(after) and not any(RAIL in one.gateways for one in after)
    assert sum(one.share for one in after) == pytest.approx(1.0, abs=1e-9)
    for one in after:
        if one.base is not None:
            assert (one.time_h, one.cost_usd) == pytest.approx((one.base.time_h, one.base.cost_usd))


def test_hours_are_compared_with_those_of_the_base(small: lb.World) -> None:
    faster = {"verb": "change_gateway", "gateway": ROAD, "time_h": {"add": -1}}
    found = lb.route_after(small, scenario(faster), "ALMATY", "TASH", k=99)
    assert any(ROAD in one.gateways for one in found)
    for one in found:
        assert one.base is not None
        gained = 1.0 if ROAD in one.gateways else 0.0
        assert one.base.time_h - one.time_h == pytest.approx(gained, abs=1e-4)
    cells = found.to_json()
    assert cells["scenario"] == "x" and cells["queues"] == "base" and cells["lost_share"] == 0.0
    assert {"base_share", "base_time_h", "base_cost_usd", "base_co2e_kg"} <= set(cells["routes"][0])
    assert "base_share" not in lb.route(small, "ALMATY", "TASH").to_json()["routes"][0]


def test_a_new_line_has_no_figures_of_the_base() -> None:
    found = lb.route_after(embedded.world(), "cku-railway", "Xian", "Tashkent", k=9)
    new = [one for one in found if one.base is None]
    assert new and all("torugart-rail" in one.gateways or "torugart" in one.gateways[0] for one in new)


def test_a_ban_on_transit_holds_for_the_routes_of_its_sector_alone() -> None:
    world = embedded.world()
    country = {str(row["place_id"]): row["country"] for row in world.network["places"]}
    ban = {"verb": "close_transit", "countries": ["RUS", "BLR"], "sector": "ELE"}
    for commodity, passes in (("ELE", False), ("MCH", True)):
        found = lb.route_after(world, scenario(ban), "Xian", "Duisburg", commodity, k=10_000)
        through = {country[leg.start] for one in found if one.share > 0.0 for leg in one.legs}
        assert ("RUS" in through) == passes
        assert (found.lost_share > 0.0) == (not passes)


def test_the_output_names_the_scenario_and_the_queues(call: Call) -> None:
    code, out, err = call("route", "Xian", "Tashkent", "--scenario", "khorgos-closed")
    assert code == 0, err
    assert "After khorgos-closed; queues as in the base" in out and "Against the base" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    code, out, _ = call("route", "Xian", "Tashkent", "--scenario", "khorgos-closed", "--json")
    printed = json.loads(out)
    assert printed["result"]["scenario"] == "khorgos-closed"
    assert list(printed["manifest"]["scenarios"]) == ["khorgos-closed"]
    code, _, err = call("route", "Xian", "Tashkent", "--scenario", "khorgos-close")
    assert code == 3 and "did you mean 'khorgos-closed'?" in err


@pytest.mark.slow
def test_shares_are_those_of_a_study_before_its_queues() -> None:
    study = embedded.railway()
    result = study.cases[0]
    assert result.unqueued is not None
    choice, graph = result.unqueued, result.graph
    sector = choice.classes.sectors.index("MCH")
    for ends in (("XIAN", "TASH"), ("XIAN", "OSS")):
        at = [graph.place_number[end] for end in ends]
        routes = choice.base.routes
        (pair,) = np.flatnonzero((routes.origin == at[0]) & (routes.destination == at[1]))
        expected = np.sort(choice.route_share(sector, 0, int(pair)))[::-1]
        found = lb.route_after(embedded.world(), "cku-railway", *ends, k=10_000, product="block")
        shares = [one.share for one in found]
        np.testing.assert_allclose(shares[:20], expected[:20][: len(shares)], atol=1e-9)
