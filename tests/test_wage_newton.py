"""One sector without inputs: Newton on the wages, universal gravity, closed forms and hard cases."""

from __future__ import annotations

import numpy as np
import pytest

from commands import Reference
from countries_194 import read_194
from landbridge.errors import DataError
from landbridge.trade import TradeTable, solve

CLOSURES = ("fixed", "zero", "proportional")


@pytest.fixture(scope="module")
def world(reference: Reference) -> TradeTable:
    return read_194(reference("papers/liberation_day_2025"))


def random_one_sector(seed: int, N: int = 5, tariffs: bool = True, theta: float = 4.0) -> TradeTable:
    rng = np.random.default_rng(seed)
    trade = 100.0 * np.exp(rng.normal(0, 0.5, (N, N)))
    k = np.arange(N)
    trade[k, k] *= 10
    tariff = rng.uniform(0, 0.3, (N, N, 1)) * tariffs
    tariff[k, k] = 0
    one = np.ones((N, 1))
    return TradeTable(
        [f"R{n}" for n in k], ["ALL"], trade[:, :, None], tariff, one, np.ones((N, 1, 1)), one, [theta]
    )


def cut(table: TradeTable, seed: int, low: float, high: float) -> np.ndarray:
    N = len(table.regions)
    cost = np.random.default_rng(seed).uniform(low, high, (N, N))
    np.fill_diagonal(cost, 1.0)
    return cost


@pytest.mark.parametrize("closure", CLOSURES)
def test_194_countries_obey_the_closed_form(world: TradeTable, closure: str) -> None:
    """Arkolakis, Costinot and Rodriguez-Clare (2012): real wage = home share^(-1/theta)."""
    eq = solve(world, cut(world, 0, 0.9, 1.1), deficits=closure, tol=1e-12)
    assert eq.status.residual <= 1e-12
    assert eq.status.message.startswith("converged")
    assert "Newton-Krylov" not in eq.status.message
    assert eq.status.iterations < 30
    sells_at_home = eq.base.home_share[:, 0] > 0
    assert sells_at_home.sum() == 192
    ratio = eq.table().home_share[sells_at_home, 0] / eq.base.home_share[sells_at_home, 0]
    assert np.abs(eq.real_wage_hat[sells_at_home] - ratio**-0.25).max() < 1e-10


@pytest.mark.parametrize("closure", CLOSURES)
@pytest.mark.parametrize("psi", [0.0, 0.7])
def test_the_jacobian_is_that_of_the_equations(closure: str, psi: float) -> None:
    """Against central differences, at wages that are no equilibrium, with tariffs and transfers."""
    from scipy.linalg import lu_solve

    from landbridge.trade import wage_newton
    from landbridge.trade.economy import Economy, Shock
    from landbridge.trade.solver import prepare

    table = random_one_sector(3)
    N = len(table.regions)
    rng = np.random.default_rng(1)
    economy = Economy(
        prepare(table), Shock(ln_cost=0.1 * rng.normal(size=(1, N, N))), closure, supply_elasticity=psi
    )
    w = 0.1 * rng.normal(size=N)
    factors = wage_newton._factors(economy, wage_newton._at(economy, w))
    assert factors is not None
    columns = []
    for n in range(N):
        e = np.zeros(N)
        e[n] = 1e-5
        ends = wage_newton._at(economy, w + e).H - wage_newton._at(economy, w - e).H
        columns.append(ends / 2e-5)
    numeric = np.array(columns).T
    assert np.abs(lu_solve((factors.lu, factors.pivots), numeric) - np.eye(N)).max() < 1e-8


@pytest.mark.parametrize("closure", CLOSURES)
@pytest.mark.parametrize("psi", [0.0, 1.24])
def test_newton_agrees_with_the_general_search(monkeypatch, closure: str, psi: float) -> None:
    table = random_one_sector(5)
    shock = {
        "cost_hat": cut(table, 1, 0.8, 1.1),
        "tariff": table.tariff * 0.5,
        "productivity_hat": np.linspace(0.9, 1.1, 5),
    }
    keys = {"deficits": closure, "supply_elasticity": psi, "tol": 1e-12}
    quick = solve(table, **shock, **keys)
    monkeypatch.setattr("landbridge.trade.solver.applies", lambda economy: False)
    general = solve(random_one_sector(5), **shock, **keys)
    assert general.status.iterations > quick.status.iterations
    for name in ("real_income_hat", "wage_hat", "price_hat", "income", "deficit"):
        assert getattr(quick, name) == pytest.approx(getattr(general, name), rel=1e-10, abs=1e-8), name
    assert quick.gradient("R1").cost == pytest.approx(general.gradient("R1").cost, rel=1e-7, abs=1e-10)


# ---- universal gravity -----------------------------------------------------------------------------


@pytest.mark.parametrize("closure", CLOSURES)
def test_factors_follow_their_real_wage(closure: str) -> None:
    table = random_one_sector(7)
    psi = 1.3
    eq = solve(table, cut(table, 2, 0.8, 1.0), deficits=closure, supply_elasticity=psi, tol=1e-13)
    supplied = eq.table().value_added / eq.base.value_added / eq.wage_hat
    assert supplied == pytest.approx(eq.real_wage_hat**psi, rel=1e-11)
    assert eq.table().value_added.sum() == pytest.approx(eq.base.value_added.sum(), rel=1e-11)
    assert np.abs(eq.table().deficits - eq.deficit).max() < 1e-9 * eq.income.max()
    assert eq.table().imbalance < 1e-11
    ratio = (eq.table().home_share / eq.base.home_share)[:, 0] ** (-1 / 4)
    assert eq.real_wage_hat == pytest.approx(ratio, abs=1e-10)


def test_without_deficits_gains_are_multiplied() -> None:
    """No tariffs, no transfers: real income = (real wage)^(1 + psi)."""
    table = random_one_sector(9, tariffs=False)
    for psi in (0.0, 0.5, 2.0):
        eq = solve(table, cut(table, 2, 0.8, 1.0), deficits="zero", supply_elasticity=psi, tol=1e-13)
        assert eq.real_income_hat == pytest.approx(eq.real_wage_hat ** (1 + psi), rel=1e-11)


@pytest.mark.parametrize("closure", CLOSURES)
def test_derivatives_with_elastic_supply(closure: str) -> None:
    raw = random_one_sector(11)
    keys = {"deficits": closure, "supply_elasticity": 0.8, "tol": 1e-13}
    table = solve(raw, **keys).table()
    cost = cut(table, 4, 0.8, 1.1)
    eq = solve(table, cost, **keys)
    step = 1e-4
    for of in ("R1", "real_income:world", "wage:R2", "flow:R0:R1:ALL"):
        gradient = eq.gradient(of)
        for o, d in ((0, 1), (1, 2), (3, 3)):
            ends, rates = [], []
            for sign in (1, -1):
                moved, tariff = cost.copy(), table.tariff.copy()
                moved[o, d] *= np.exp(sign * step)
                tariff[o, d] += sign * step
                ends.append(np.log(solve(table, moved, **keys).outcome(of)))
                rates.append(np.log(solve(table, cost, tariff, **keys).outcome(of)))
            largest = np.abs(gradient.cost).max()
            assert abs(gradient.cost[o, d, 0] - (ends[0] - ends[1]) / (2 * step)) < 1e-6 * largest
            assert abs(gradient.tariff[o, d, 0] - (rates[0] - rates[1]) / (2 * step)) < 1e-6 * largest
    small = np.exp(1e-4 * np.log(cut(table, 6, 0.5, 1.5)))
    forward = eq.jvp(cost_hat=small)
    after = solve(table, cost * small, **keys)
    assert np.log(after.real_income_hat / eq.real_income_hat) == pytest.approx(forward.real_income, abs=1e-7)
    at_base = solve(table, small, **keys)
    assert at_base.first_order.sum == pytest.approx(np.log(at_base.real_income_hat), abs=1e-7)
    assert np.abs(at_base.first_order.supply).max() > 1e-6


def test_elastic_supply_is_refused_where_it_has_no_meaning() -> None:
    table = random_one_sector(1)
    for wrong in (-0.1, np.inf, np.nan):
        with pytest.raises(DataError, match="at least 0"):
            solve(table, supply_elasticity=wrong)


# ---- hard cases ------------------------------------------------------------------------------------


@pytest.mark.parametrize("closure", CLOSURES)
@pytest.mark.parametrize(
    ("theta", "low", "high"), [(65.0, 0.97, 1.03), (65.0, 0.7, 1.3), (4.0, 0.7, 1.3), (4.0, 10.0, 40.0)]
)
@pytest.mark.parametrize("psi", [0.0, 1.0])
def test_hard_cases_are_solved_or_refused(
    closure: str, theta: float, low: float, high: float, psi: float
) -> None:
    """Large elasticities, 30 % shocks, near autarky: solved to the closed form, or refused with a cure."""
    for seed in range(4):
        table = random_one_sector(seed, theta=theta, tariffs=seed % 2 == 0)
        eq = solve(
            table,
            cut(table, seed, low, high),
            deficits=closure,
            throw=False,
            supply_elasticity=psi,
        )
        if not eq.status.converged:
            assert np.isnan(eq.real_income_hat).all()
            assert "use deficits" in eq.status.message or "loosen tol" in eq.status.message
            assert (closure, low) != ("zero", 0.7)
            assert theta < 65 or low == 0.7
            continue
        assert eq.status.residual <= 1e-10
        assert eq.table().imbalance < 1e-8
        home = (eq.table().home_share / eq.base.home_share)[:, 0] ** (-1 / theta)
        assert eq.real_wage_hat == pytest.approx(home, rel=1e-8)


def test_thirty_percent_shocks_on_194_countries(world: TradeTable) -> None:
    """Every closure that can hold, with two countries that sell nothing at home."""
    for closure in CLOSURES:
        eq = solve(world, cut(world, 2, 0.7, 1.3), deficits=closure, tol=1e-11)
        assert eq.table().imbalance < 1e-9
        assert np.isfinite(eq.real_income_hat).all()
