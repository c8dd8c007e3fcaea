"""A factor fixed in its sector: rents of deposits in extraction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import root

import landbridge as lb
from landbridge.errors import DataError
from landbridge.trade import Carriage, TradeTable, solve


@pytest.fixture(scope="module")
def plain() -> TradeTable:
    return lb.load().trade


@pytest.fixture(scope="module")
def table(plain: TradeTable) -> TradeTable:
    """The embedded table with rents of 20 to 70 % in energy and mining."""
    share = np.zeros(plain.value_added_share.shape)
    for sector, low in (("ENE", 0.5), ("MIN", 0.2)):
        share[:, plain.sectors.index(sector)] = np.linspace(low, low + 0.2, len(plain.regions))
    return replace(plain, rent_share=share)


def test_no_rents_is_the_answer_of_before(plain: TradeTable) -> None:
    cost = np.random.default_rng(1).uniform(0.97, 1.02, plain.trade.shape)
    again = replace(plain)
    none = replace(plain, rent_share=np.zeros(plain.value_added_share.shape))
    assert (solve(none, cost).real_income_hat == solve(again, cost).real_income_hat).all()


def test_no_change_is_no_change(table: TradeTable) -> None:
    eq = solve(table)
    assert eq.status.rebase < 1e-9
    np.testing.assert_allclose(eq.real_income_hat, 1.0, atol=1e-12)
    np.testing.assert_allclose(eq.income, table.income, rtol=1e-12)
    assert table.rents.max() > 1e4


@pytest.mark.parametrize("deficits", ["fixed", "proportional", "zero"])
def test_budgets_close(table: TradeTable, deficits: str) -> None:
    cost = np.random.default_rng(2).uniform(0.9, 1.1, table.trade.shape)
    eq = solve(table, cost, deficits=deficits, tol=1e-12)
    base = eq.base
    output = eq.trade.sum(axis=1)
    labour = (base.labour_share * output).sum(axis=1)
    rents = (base.rent_share * base.value_added_share * output).sum(axis=1)
    np.testing.assert_allclose(labour, eq.wage_hat * (base.value_added - base.rents), rtol=1e-9)
    tariffs = (base.tariff * eq.trade).sum(axis=(0, 2))
    np.testing.assert_allclose(eq.income, labour + rents + tariffs + eq.deficit, rtol=1e-9)
    assert (labour + rents).sum() == pytest.approx(base.value_added.sum(), rel=1e-9)
    # The price of the factor follows the value of the output that it is tied to.
    s = base.sectors.index("ENE")
    share, grown = base.labour_share[:, s], output[:, s] / base.output[:, s]
    cost_of_inputs = np.einsum("nk,nk->n", _inputs(base, s), np.log(eq.price_hat))
    rent = base.rent_share[:, s] * base.value_added_share[:, s]
    expected = share * np.log(eq.wage_hat) + rent * np.log(grown) + cost_of_inputs
    np.testing.assert_allclose(np.log(eq.unit_cost_hat[:, s]), expected, atol=1e-10)


def _inputs(table: TradeTable, s: int) -> np.ndarray:
    return table.input_share[:, :, s] * (1.0 - table.value_added_share[:, s])[:, None]


def test_against_the_equations_in_levels() -> None:
    """Three regions and two sectors, solved in levels of labour, deposits and prices by another method."""
    rng = np.random.default_rng(7)
    N, S = 3, 2
    trade = rng.uniform(5.0, 20.0, (N, N, S)) + 60.0 * np.eye(N)[:, :, None]
    trade *= trade.sum() / trade.sum()
    b, theta = np.ones((N, S)), np.array([4.0, 6.0])
    spent = trade.sum(axis=0)
    share = np.array([[0.6, 0.0], [0.3, 0.0], [0.0, 0.4]])
    table = TradeTable(
        ("A", "B", "C"),
        ("X", "Y"),
        trade,
        np.zeros((N, N, S)),
        b,
        np.ones((N, S, S)) / S,
        spent / spent.sum(axis=1, keepdims=True),
        theta,
        share,
    )
    cost = rng.uniform(0.8, 1.2, (N, N, S))
    cost[np.arange(N), np.arange(N)] = 1.0
    eq = solve(table, cost, tol=1e-13)
    L, R = ((1.0 - share) * table.output).sum(axis=1), share * table.output

    def miss(x: np.ndarray) -> np.ndarray:
        w, rho = np.exp(x[:N]), np.exp(x[N:]).reshape(N, S)
        price = w[:, None] ** (1.0 - share) * rho**share
        weight = (trade / spent) * (cost * price[:, None, :]) ** (-theta)
        income = w * L + (rho * R).sum(axis=1) + table.deficits
        sales = weight / weight.sum(axis=0) * (table.final_share * income[:, None])
        made = sales.sum(axis=1)
        left = np.log(((1.0 - share) * made).sum(axis=1) / (w * L))
        level = (w * L).sum() + (rho * R).sum() - table.value_added.sum()
        left[-1] = level / table.value_added.sum()
        tied = np.where(share > 0.0, np.log(np.where(share > 0.0, share * made, 1.0)), 0.0)
        known = np.where(share > 0.0, np.log(np.where(share > 0.0, rho * R, 1.0)), np.log(rho))
        return np.concatenate([left, (tied - known).reshape(-1)])

    found = root(miss, np.zeros(N + N * S), tol=1e-13)
    assert np.abs(miss(found.x)).max() < 1e-11
    np.testing.assert_allclose(eq.wage_hat, np.exp(found.x[:N]), rtol=1e-9)
    assert abs(eq.wage_hat - 1.0).max() > 1e-3


@pytest.mark.parametrize("deficits", ["fixed", "proportional"])
@pytest.mark.parametrize("of", ["real_income:KAZ", "wage:TKM", "flow:KAZ:CHN:ENE"])
def test_the_gradient_is_that_of_central_differences(table: TradeTable, of: str, deficits: str) -> None:
    rng = np.random.default_rng(5)
    N, S = len(table.regions), len(table.sectors)
    paid = 2e-3 * rng.normal(size=(N, N, S, N)) * (rng.random((N, N, S, N)) < 0.1)
    paid[np.arange(N), np.arange(N)] = 0.0
    carriage = Carriage("TTS", np.arange(S), np.ones((N, N, S)), paid, 0.3 * paid)
    eq = solve(
        table, rng.uniform(0.98, 1.03, table.trade.shape), carriage=carriage, deficits=deficits, tol=1e-13
    )
    way, lift = rng.normal(size=table.trade.shape), rng.normal(size=(N, S))
    gradient = eq.gradient(of)
    cost = np.exp(eq._economy.shock.ln_cost.transpose(2, 1, 0))
    expected = (gradient.cost * way).sum() + (gradient.productivity * lift).sum()

    def at(step: float) -> float:
        found = solve(
            table,
            cost * np.exp(step * way),
            productivity_hat=np.exp(step * lift),
            carriage=carriage,
            deficits=deficits,
            tol=1e-13,
            start=eq,
        )
        return float(np.log(found.outcome(of)))

    h = 1e-4
    central = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
    assert expected == pytest.approx(central, rel=1e-6)
    if of.startswith("real_income"):
        response = eq.linear_response(np.exp(way), productivity_hat=np.exp(lift))
        assert response[table.region("KAZ")] == pytest.approx(expected, rel=1e-8)


def test_first_order_adds_up(table: TradeTable) -> None:
    cost = np.exp(1e-5 * np.random.default_rng(3).normal(size=table.trade.shape))
    eq = solve(table, cost, tol=1e-13)
    np.testing.assert_allclose(eq.first_order.sum, eq.real_income_hat - 1.0, rtol=2e-3, atol=1e-9)


def test_output_that_is_tied_to_a_deposit_hardly_moves(plain: TradeTable) -> None:
    """Without another buyer at a like price, a lost market is lost rent and not another product."""
    s, n, china = plain.sectors.index("ENE"), plain.region("TKM"), plain.region("CHN")
    cost = np.ones(plain.trade.shape)
    cost[n, china, s] = 2.0
    lost = []
    for share in (0.0, 0.4, 0.8):
        rents = np.zeros(plain.value_added_share.shape)
        rents[n, s] = share
        eq = solve(replace(plain, rent_share=rents), cost)
        volume = eq.trade.sum(axis=1)[n, s] / eq.unit_cost_hat[n, s] / plain.output[n, s]
        lost.append((1.0 - eq.real_income_hat[n], volume))
    # More of the loss is rent, and less of the output goes.
    assert lost[0][0] < lost[1][0] < lost[2][0]
    assert lost[0][1] < lost[1][1] < lost[2][1]


def test_a_rent_above_value_added_is_a_fault(plain: TradeTable) -> None:
    share = np.zeros(plain.value_added_share.shape)
    share[3, 2] = 1.0
    with pytest.raises(DataError) as wrong:
        replace(plain, rent_share=share)
    assert "rent_share" in wrong.value.faults[0].where
