"""Trade inside Europe is not on the network: its cost is kept, and a case that would change it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.model.prepared import PairsAsked
from landbridge.scenario import Scenario
from landbridge.transport import carried, kept_log_tau

EUROPE = ("DEU", "FRA", "GBR", "ITA", "NLD", "POL", "REU")


@pytest.fixture(scope="module")
def world() -> lb.World:
    return embedded.world()


def scenario(*modifications: dict[str, Any]) -> Scenario:
    return Scenario.from_dict({"name": "a case", "modification": list(modifications)}, "a-case")


def test_no_pair_of_zones_inside_europe_asks_for_a_route(world: lb.World) -> None:
    asked = PairsAsked.of(world)
    corridors = {(str(r["from_place"]), str(r["to_place"])) for r in world.network["corridors"]}
    inside = np.array([asked.zones.get(p) in EUROPE for p in asked.places])
    for o, d in np.argwhere(asked.wanted & inside[:, None] & inside[None, :]):
        assert (asked.places[o], asked.places[d]) in corridors


def test_the_kept_costs_cover_every_pair_that_is_off_the_network(world: lb.World) -> None:
    regions, sectors = world.trade.regions, world.trade.sectors
    log_tau, off = kept_log_tau(world), ~carried(world, regions, regions)
    freight = [sectors.index(str(row["sector"])) for row in world.network["sector_freight"]]
    for o, d in np.argwhere(off):
        apart = regions[o] != regions[d]
        assert (log_tau[o, d][freight] > 0.0).all() == apart
        assert {regions[o], regions[d]} <= set(EUROPE)
    assert not log_tau[~off].any()


def test_closing_a_european_port_keeps_the_cost_of_trade_inside_europe_and_says_so(world: lb.World) -> None:
    result = lb.run(world, scenario({"verb": "close_gateway", "gateway": "hamburg"}))
    at = [world.trade.regions.index(code) for code in EUROPE]
    assert (result.cost_hat[np.ix_(at, at)] == 1.0).all()
    told = " ".join(result.notes)
    assert "trade inside europe does not respond" in told and "hamburg" in told


def test_a_price_of_carbon_moves_trade_inside_europe_by_its_mean(world: lb.World) -> None:
    result = lb.run(
        world, scenario({"verb": "set_parameter", "parameter": "carbon_price_usd_per_kg", "value": 0.1})
    )
    regions, sectors = world.trade.regions, world.trade.sectors
    row = next(
        r for r in world.network["kept_costs"]
        if (r["exporter"], r["importer"], r["sector"]) == ("DEU", "FRA", "VEH")
    )  # fmt: skip
    hat = result.cost_hat[regions.index("DEU"), regions.index("FRA"), sectors.index("VEH")]
    # u = 40,000 USD a TEU, t = 1.2 % a day, eta of VEH.
    before = float(row["cost_usd"]) + 40000 * 0.012 / 24 * (
        float(row["time_h"]) + float(row["reliability_h"])
    )
    eta = next(
        float(r["share_network"]) for r in world.network["freight_profile"]
        if (r["sector"], r["exporter"], r["importer"]) == ("VEH", "*", "*")
    )  # fmt: skip
    after = before + 0.1 * float(row["co2e_kg"])
    assert hat == pytest.approx((1 + eta * after / 40000) / (1 + eta * before / 40000), rel=1e-12)
    assert hat > 1.0 and "keeps its cost" not in " ".join(result.notes)
