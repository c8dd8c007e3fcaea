"""Lines of `landbridge route`: what a reader cannot tell apart is one line; figures per FEU and truck."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import embedded
import landbridge as lb
from commands import Call
from landbridge.errors import DataError
from landbridge.report import Names
from landbridge.report.route_ways import figures, told_apart
from landbridge.report.routes import route_sections, used
from landbridge.transport.legs import Routes
from landbridge.transport.per_unit import TRUCK_T, goods_t, per_unit
from landbridge.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


@pytest.fixture(scope="module")
def routes(world: World) -> Routes:
    """All of a pair, the third there twice, each with half its share: two links that carry alike."""
    found = lb.route(world, "Yiwu", "Tashkent", k=100_000)
    halves = (replace(found[2], share=0.5 * found[2].share) for _ in range(2))
    return replace(found, routes=(*found.routes[:2], *halves, *found.routes[3:]))


def lines_of(world: World, routes: Routes) -> list[tuple[str, ...]]:
    return list(next(iter(route_sections(world, routes, legs=False))).rows)


# -- lines -----------------------------------------------------------------------------------------


def test_no_two_lines_read_the_same(world: World, routes: Routes) -> None:
    shown = used(world, routes, 12)
    lines = lines_of(world, shown)
    assert len(lines) == 12 < len(shown)
    assert len({(line[1], *line[2:6]) for line in lines}) == len(lines)
    # Words alone tell apart what differs in figures.
    assert len({line[1] for line in lines}) == len(lines)


def test_shares_of_what_is_alike_are_added(world: World, routes: Routes) -> None:
    ways = told_apart(world, routes, Names(world, "en"))
    assert sum(way.share for way in ways) == pytest.approx(1.0, abs=1e-9)
    assert sum(len(way.routes) for way in ways) == len(routes)
    assert any(len(way.routes) > 1 for way in ways)
    for way in ways:
        assert {figures(one) for one in way.routes} == {figures(way.first)}


@pytest.mark.parametrize("dearer_has_more", [True, False])
def test_a_dearer_route_that_has_more_is_explained(
    world: World, routes: Routes, dearer_has_more: bool
) -> None:
    by_cost = sorted(routes.routes[:3], key=lambda r: r.cost_usd + r.time_value_usd + r.reliability_usd)
    shares = sorted((one.share for one in by_cost), reverse=not dearer_has_more)
    changed = (replace(one, share=share) for one, share in zip(by_cost, shares, strict=True))
    shown = replace(routes, routes=tuple(changed))
    told = next(iter(route_sections(world, shown, legs=False))).after
    line = "Shares follow counted freight as well as cost; similar routes divide theirs."
    assert (line in told) == dearer_has_more


def test_json_keeps_every_route(call: Call) -> None:
    _, out, _ = call("route", "Yiwu", "Tashkent", "-k", "3", "--json")
    found = json.loads(out)["result"]
    assert len(found["routes"]) == 3 and found["per"] == "teu"
    for one in found["routes"]:
        lifts = [leg for leg in one["legs"] if leg["operation"] in ("transfer", "gauge_change", "port")]
        assert one["transfers"] == len(lifts)


def test_legs_are_those_of_the_lines(world: World, routes: Routes) -> None:
    shown = used(world, routes, 2)
    head, *legs = route_sections(world, shown)
    assert len(head.rows) == 2 and len([one for one in legs if one.rows]) == 2


# -- units -----------------------------------------------------------------------------------------


def test_a_unit_has_its_goods(world: World) -> None:
    payload = world.parameter("payload_t")
    assert goods_t("teu", payload) == payload and goods_t("feu", payload) == 2.0 * payload
    assert goods_t("truck", payload) == TRUCK_T
    with pytest.raises(DataError, match="teu, feu, truck"):
        goods_t("barrel", payload)


@pytest.mark.parametrize("unit", ["feu", "truck"])
@pytest.mark.parametrize("product", ["block", "wagonload"])
def test_money_and_co2e_of_a_unit(world: World, unit: str, product: str) -> None:
    payload = world.parameter("payload_t")
    teu = lb.route(world, "Yiwu", "Tashkent", k=12, product=product)
    times = goods_t(unit, payload) / payload
    found = per_unit(teu, unit, payload)
    assert found.per == unit and {one.mode_class for one in teu} >= {"rail", "road", "sea"}
    for one, before in zip(found, teu, strict=True):
        assert (one.time_h, one.share) == (before.time_h, before.share)
        assert one.co2e_kg == pytest.approx(times * before.co2e_kg, rel=1e-6)
        # A rate of a shipment of 20 t is that of the unit already; one of a container is not.
        shipment = sum(
            leg.cost_usd
            for leg in before.legs
            if leg.mode == "road" or (leg.mode.startswith("rail") and product == "wagonload")
        )
        expected = shipment + times * (before.cost_usd - shipment)
        assert one.cost_usd == pytest.approx(expected, rel=1e-6)
        if one.mode_class == "road":
            assert one.cost_usd == pytest.approx(before.cost_usd, rel=1e-9)
        for leg in one.legs:
            assert sum(term.cost_usd for term in leg.terms) == leg.cost_usd
        assert sum(leg.cost_usd for leg in one.legs) == one.cost_usd


def test_a_unit_of_its_own_changes_nothing_and_is_not_taken_twice(world: World, routes: Routes) -> None:
    assert per_unit(routes, "teu", 9.7) is routes
    feu = per_unit(replace(routes, routes=routes.routes[:2]), "feu", 9.7)
    with pytest.raises(DataError):
        per_unit(feu, "truck", 9.7)


def test_the_screen_states_the_unit_and_its_limits(call: Call) -> None:
    code, out, _ = call("route", "Yiwu", "Tashkent", "-k", "1", "--per", "feu")
    plain = " ".join(out.split())
    assert code == 0 and "per FEU, a container of 40 feet with 19.4 t" in plain
    assert "Trucks and wagonload: USD are those of a shipment of 20 t." in plain
    code, out, err = call("route", "Yiwu", "Tashkent", "--per", "feu", "--scenario", "khorgos-closed")
    assert code == 2 and out == "" and "per TEU" in err


@pytest.mark.parametrize("k", ["0", "-1"])
def test_no_routes_at_all_are_refused(call: Call, k: str) -> None:
    for more in ((), ("--json",), ("--by", "cost")):
        code, out, err = call("route", "Yiwu", "Tashkent", "-k", k, *more)
        assert (code, out) == (3, "") and "ask for at least one route" in err
