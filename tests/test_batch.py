"""Many scenarios in one call: the same answers as one at a time, and one failure kills no other."""

from __future__ import annotations

import numpy as np
import pytest

from landbridge.errors import DataError, InfeasibleError
from landbridge.trade import EquilibriumBatch, TradeTable, solve, solve_batch
from landbridge.trade.batch import _power
from test_equilibrium import small, surplus_economy
from test_wage_newton import random_one_sector


def costs(table: TradeTable, count: int, size: float = 0.15) -> np.ndarray:
    N, S = table.final_share.shape
    cost = np.exp(np.random.default_rng(0).uniform(-size, size, (count, N, N, S)))
    cost[:, np.arange(N), np.arange(N)] = 1.0
    return cost


@pytest.mark.parametrize("closure", ["fixed", "zero", "proportional"])
@pytest.mark.parametrize(("kind", "psi"), [("plain", 0.0), ("plain", 0.8), ("tariffs", 0.0), ("inputs", 0.0)])
def test_a_batch_is_its_scenarios(closure: str, kind: str, psi: float) -> None:
    table = small() if kind == "inputs" else random_one_sector(3, tariffs=kind == "tariffs")
    cost = costs(table, 11)
    keys = {"deficits": closure, "tol": 1e-11, "supply_elasticity": psi}
    batch = solve(table, cost, productivity_hat=np.full(table.final_share.shape, 1.02), **keys)
    assert isinstance(batch, EquilibriumBatch)
    assert len(batch) == len(list(batch)) == 11
    assert batch.real_income_hat.shape == (11, len(table.regions))
    assert batch.status.converged
    assert "11 of 11" in repr(batch)
    for i in (0, 4, 10, -1):
        one = solve(table, cost[i], productivity_hat=np.full(table.final_share.shape, 1.02), **keys)
        assert batch.real_income_hat[i] == pytest.approx(one.real_income_hat, rel=1e-10)
        assert batch.wage_hat[i] == pytest.approx(one.wage_hat, rel=1e-10)
        assert batch[i].trade == pytest.approx(one.trade, rel=1e-9)
        assert batch[i].real_income_hat == pytest.approx(batch.real_income_hat[i], rel=1e-12)
        assert batch[i].gradient("R0" if kind != "inputs" else "KAZ").cost == pytest.approx(
            one.gradient("R0" if kind != "inputs" else "KAZ").cost, rel=1e-6, abs=1e-9
        )
    assert [eq.status.residual <= 1e-11 for eq in batch[2:5]] == [True] * 3
    with pytest.raises(IndexError):
        batch[11]


def test_one_failure_kills_no_other() -> None:
    table = surplus_economy()
    cost = np.repeat(np.ones((1, 3, 3, 1)), 4, axis=0)
    cost[1, 1, [0, 2]] = cost[1, [0, 2], 1] = 50
    cost[2] = -1
    cost[3, 0, 1] = 0.9
    batch = solve(table, cost, throw=False)
    assert [status.converged for status in batch.statuses] == [True, False, False, True]
    assert "cannot be shipped" in batch.statuses[1].message
    assert "not a positive number" in batch.statuses[2].message
    assert np.isnan(batch.real_income_hat[1:3]).all()
    assert np.isfinite(batch.real_income_hat[[0, 3]]).all()
    assert not batch[1].status.converged
    assert not batch.status.converged
    with pytest.raises(InfeasibleError, match="scenario 1: a fixed transfer"):
        solve(table, cost)


def test_a_region_that_hardly_trades_is_told_in_a_batch_too() -> None:
    table = TradeTable.armington([[900.0, 20, 4], [15, 300, 1], [5, 1, 50]], regions=["CHN", "KAZ", "UZB"])
    cost = np.ones((2, 3, 3, 1))
    cost[1, 1, [0, 2]] = cost[1, [0, 2], 1] = 40.0
    batch = solve(table, cost, deficits="zero")
    alone = solve(table, cost[1], deficits="zero")
    assert "KAZ hardly trades any more" in alone.status.message
    assert "KAZ hardly trades any more" in batch.statuses[1].message
    assert "hardly" not in batch.statuses[0].message


@pytest.mark.parametrize("theta", [1.0, 2.5, 3.0, 4.0, 5.03, 7.0, 8.0, 16.0, 17.0])
def test_powers_are_powers(theta: float) -> None:
    ratio = np.exp(np.random.default_rng(0).uniform(-1, 1, (2, 5, 5)))
    out = np.empty_like(ratio)
    _power(ratio, theta, out)
    assert np.allclose(out, ratio**-theta, rtol=1e-13)


@pytest.mark.parametrize("wrong", [-0.9, 0.0, np.nan, np.inf])
def test_a_wrong_ratio_is_never_solved_in_a_batch(wrong: float) -> None:
    table = TradeTable.armington([[900.0, 20, 4], [15, 300, 1], [5, 1, 50]], 4.0, ["CHN", "KAZ", "UZB"])
    cost = np.full((3, 3, 3, 1), 0.95)
    cost[1, 0, 1] = wrong
    batch = solve(table, cost, throw=False)
    assert [status.converged for status in batch.statuses] == [True, wrong == np.inf, True]


def test_scenarios_are_counted() -> None:
    table = random_one_sector(1, tariffs=False)
    with pytest.raises(DataError, match="cost_hat has 3, productivity_hat has 2"):
        solve_batch(table, costs(table, 3), productivity_hat=np.ones((2, 5, 1)))
    with pytest.raises(DataError, match="none has an axis"):
        solve_batch(table, np.ones((5, 5, 1)))
    lifted = solve_batch(table, productivity_hat=np.exp(np.linspace(0, 0.1, 15)).reshape(3, 5, 1))
    assert len(lifted) == 3
    assert lifted[2].real_income_hat == pytest.approx(lifted.real_income_hat[2], rel=1e-12)
