"""Trade in value added: the accounts add up, on random tables and on the embedded base."""

from __future__ import annotations

import numpy as np
import pytest

from landbridge.errors import InfeasibleError
from landbridge.io.tables import load_world
from landbridge.trade import TradeTable, solve
from landbridge.trade.value_added import TERMS, value_added

CENTRAL_ASIA = ("KAZ", "KGZ", "TJK", "TKM", "UZB")


def random_table(seed: int, tariff: float) -> TradeTable:
    rng = np.random.default_rng(seed)
    N, S = 4, 3
    trade = np.exp(rng.normal(2, 1, (N, N, S)))
    k = np.arange(N)
    trade[k, k] *= 10
    t = rng.uniform(0, tariff, (N, N, S))
    t[k, k] = 0
    inputs = rng.dirichlet(np.ones(S), (N, S)).transpose(0, 2, 1)
    final = rng.dirichlet(3 * np.ones(S), N)
    names = "ABCD", "XYZ"
    table = TradeTable(*names, trade, t, rng.uniform(0.4, 0.7, (N, S)), inputs, final, [3.0, 5.0, 8.0])
    return solve(table).table()


def check(table: TradeTable) -> None:
    va = value_added(table)
    scale = table.output.sum()
    output = table.output.reshape(-1)
    assert np.allclose(va.coefficients @ output + va.final.sum(axis=1), output, rtol=1e-9, atol=1e-12 * scale)
    assert np.allclose(va.coefficients.sum(axis=0) + va.share + va.input_tariff, 1)
    assert np.allclose(va.by_final_use.sum(axis=1), table.value_added, rtol=1e-8)
    assert np.allclose(va.decomposition.sum(axis=1), va.exports, rtol=1e-8)
    # Value-added exports are the first three terms; the first six are the domestic part.
    assert np.allclose(va.decomposition[:, :3].sum(axis=1), va.exported, rtol=1e-8)
    assert np.allclose(va.decomposition[:, :6].sum(axis=1), np.diag(va.in_exports), rtol=1e-8)
    tariff = va.decomposition[:, -1]
    assert np.allclose(va.in_exports.sum(axis=0) + tariff, va.exports, rtol=1e-8)


@pytest.mark.parametrize("tariff", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_accounts_add_up(seed: int, tariff: float) -> None:
    check(random_table(seed, tariff))


def test_accounts_of_the_embedded_base_and_after_a_shock() -> None:
    table = load_world().trade
    check(table)
    cost = np.ones((len(table.regions),) * 2)
    at = [table.regions.index(r) for r in CENTRAL_ASIA]
    cost[:, at] = cost[at, :] = 0.95
    cost[at, at] = 1.0
    after = solve(table, cost)
    check(after.table())
    frame = after.value_added().frame()
    assert list(frame.index) == list(table.regions)
    assert frame.shape[1] == 3 + len(TERMS)


def test_without_inputs_and_tariffs_value_added_trade_is_trade() -> None:
    flows = np.array([[90.0, 10, 5], [8, 80, 7], [6, 9, 70]])
    va = value_added(TradeTable.armington(flows))
    assert np.allclose(va.by_final_use, flows)
    assert np.allclose(va.ratio, 1)


def test_central_asia_cut_off_cannot_ship_fixed_transfers() -> None:
    table = load_world().trade
    inside = np.isin(table.regions, CENTRAL_ASIA)
    cost = np.where(inside[:, None] != inside[None, :], np.inf, 1.0)
    with pytest.raises(InfeasibleError):
        solve(table, cost)
    closed = solve(table, cost, deficits="zero")
    assert closed.status.converged
    crossing = closed.trade[inside[:, None] != inside[None, :]]
    assert crossing.sum() == 0
    assert (closed.real_income_hat[inside] < 1).all()
