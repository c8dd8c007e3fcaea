"""From an estimate into the chain: the verb change_trade_cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import landbridge as lb
from landbridge.errors import DataError, ScenarioError
from landbridge.io.export import export
from landbridge.scenario import Scenario, apply
from landbridge.trade import solve


def scenario(id: str, **keys: Any) -> Scenario:
    return Scenario.from_dict({"name": "x", "modification": [{"verb": "change_trade_cost", **keys}]}, id)


CHEAPER = scenario("cheaper", exporter=["CHN", "KAZ"], importer="CA5", percent=-5)
AGREED = scenario(
    "agreed", exporter="KAZ", importer="UZB", sector=["OSR", "TTS"], coefficient=0.4, standard_error=0.1
)


@pytest.fixture(scope="module")
def study() -> lb.Study:
    return lb.study(lb.load(), [CHEAPER, AGREED])


def test_percent_is_a_factor_on_the_costs_of_pairs(study: lb.Study) -> None:
    case = study["cheaper"]
    assert case.base is not None
    table = case.base.equilibrium["fixed"].base
    named = np.zeros(table.trade.shape, dtype=bool)
    for o in ("CHN", "KAZ"):
        for d in ("KAZ", "KGZ", "TJK", "TKM", "UZB"):
            named[table.region(o), table.region(d)] = o != d
    hat = case.world.policy.trade_cost_hat
    assert hat is not None
    np.testing.assert_allclose(hat, np.where(named, 0.95, 1.0), rtol=1e-15)
    # Services have no freight, so that this is all that changes them.
    s = table.sectors.index("OSR")
    sold = table.trade[:, :, s] > 0.0
    np.testing.assert_allclose(case.cost_hat[:, :, s][sold], hat[:, :, s][sold], rtol=1e-12)
    alone = solve(table, hat)
    for region in ("KAZ", "KGZ", "UZB"):
        n = table.region(region)
        assert case.loading.real_income_hat[n] == pytest.approx(alone.real_income_hat[n], abs=2e-4)
        assert case.loading.real_income_hat[n] > 1.001


def test_a_coefficient_moves_trade_by_itself_at_given_prices(study: lb.Study) -> None:
    case = study["agreed"]
    table = case.loading.base
    o, d = table.region("KAZ"), table.region("UZB")
    for sector in ("OSR", "TTS"):
        s = table.sectors.index(sector)
        assert -table.theta[s] * np.log(case.cost_hat[o, d, s]) == pytest.approx(0.4, rel=1e-12)
    (told,) = (note for note in case.notes if "coefficient" in note)
    # 95 % of 0.4 and 0.1 at theta of these sectors.
    low = min(table.theta[table.sectors.index(s)] for s in ("OSR", "TTS"))
    assert f"{100 * np.expm1(-(0.4 - 0.196) / low):+.2f}" in told


def test_changes_multiply_and_a_world_can_hold_one(tmp_path: Path) -> None:
    world = lb.load()
    twice = apply(apply(world, CHEAPER), scenario("again", exporter="CHN", importer="KGZ", percent=-5))
    hat = twice.policy.trade_cost_hat
    assert hat is not None
    o, d = world.trade.region("CHN"), world.trade.region("KGZ")
    assert hat[o, d, 0] == pytest.approx(0.95**2) and twice.hash != apply(world, CHEAPER).hash
    # As a base it is what later changes refer to.
    held = apply(world, AGREED)
    base = lb.run(held)
    wanted = solve(world.trade, held.policy.trade_cost_hat).trade
    np.testing.assert_allclose(base.loading.base.trade, wanted, rtol=1e-9)
    with pytest.raises(DataError):
        export(held, tmp_path / "out")


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"percent": -5, "coefficient": 0.3}, "percent"),
        ({}, "percent"),
        ({"percent": -5, "standard_error": 0.1}, "standard_error"),
        ({"percent": -95}, "percent"),
        ({"coefficient": 0.3, "importer": "KAZ"}, "importer"),
        ({"coefficient": 0.3, "sector": "XYZ"}, "sector"),
        ({"coefficient": 0.3, "exporter": "XYZ"}, "exporter"),
    ],
)
def test_faults_name_the_key(keys: dict[str, Any], where: str) -> None:
    with pytest.raises(ScenarioError) as wrong:
        given = {"exporter": "KAZ", "importer": "UZB", **keys}
        apply(lb.load(), scenario("wrong", **given))
    assert any(where in fault.where for fault in wrong.value.faults)
