"""What is held fixed: labour that follows the real wage, capital that is built up, and the way to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import landbridge as lb
from landbridge.errors import DataError
from landbridge.trade import TradeTable, solve
from landbridge.trade.closures import Saving, along_the_way, closure_rows, closures, lower_tax, path
from landbridge.trade.equilibrium import resolve
from test_equilibrium import small

Array = NDArray[np.float64]
SAVING = Saving(capital_share=0.4, discount=0.96, depreciation=0.06)


def cut(table: TradeTable, seed: int = 3, depth: float = 0.1) -> Array:
    """Trade costs that fall at random, home sales apart."""
    rng = np.random.default_rng(seed)
    hat = np.exp(-depth * rng.random(table.trade.shape))
    hat[np.arange(len(table.regions)), np.arange(len(table.regions))] = 1.0
    return hat


def price_index(eq: lb.trade.Equilibrium) -> Array:
    return np.asarray(np.exp((eq.base.final_share * np.log(eq.price_hat)).sum(axis=1)))


@pytest.mark.parametrize("deficits", ["fixed", "proportional", "zero"])
def test_more_factors_are_a_productivity_of_value_added(deficits: str) -> None:
    """Elastic supply with sectors and inputs against the same factors entered as productivity F^^b."""
    table = small()
    eq = solve(table, cut(table), deficits=deficits, supply_elasticity=0.7, tol=1e-12)  # type: ignore[arg-type]
    factors = (eq.wage_hat / price_index(eq)) ** 0.7
    assert np.abs(np.log(factors)).max() > 1e-3
    lift = factors[:, None] ** eq.base.value_added_share
    other = solve(eq.base, cut(table), productivity_hat=lift, deficits=deficits, tol=1e-12)  # type: ignore[arg-type]
    np.testing.assert_allclose(eq.real_income_hat, other.real_income_hat, rtol=1e-10)
    np.testing.assert_allclose(eq.wage_hat * factors, other.wage_hat, rtol=1e-10)
    np.testing.assert_allclose(eq.trade, other.trade, rtol=1e-9)


@pytest.mark.parametrize("deficits", ["fixed", "proportional"])
def test_derivatives_with_elastic_supply_sectors_and_inputs(deficits: str) -> None:
    table, hat = small(), cut(small())
    keys = {"deficits": deficits, "supply_elasticity": 0.7, "tol": 1e-13}
    eq = solve(table, hat, **keys)  # type: ignore[arg-type]
    found, h = eq.gradient(table.regions[1]).cost, 1e-5
    for cell in ((0, 1, 0), (2, 1, 2), (1, 0, 1), (3, 4, 2)):
        ends = []
        for step in (h, -h):
            moved = hat.copy()
            moved[cell] *= np.exp(step)
            ends.append(np.log(solve(table, moved, **keys).real_income_hat[1]))  # type: ignore[arg-type]
        assert found[cell] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6, abs=1e-9)


def test_first_order_holds_for_small_steps_with_elastic_supply() -> None:
    table = small()
    eq = solve(table, cut(table, depth=1e-5), supply_elasticity=0.7, tol=1e-13)
    np.testing.assert_allclose(eq.first_order.sum, eq.real_income_hat - 1.0, rtol=1e-3, atol=1e-10)
    assert np.abs(eq.first_order.supply).max() > 1e-7


def test_one_sector_has_a_formula() -> None:
    """Without inputs, tariffs and deficits real income is home share^(-1 / (theta (1 - m)))."""
    rng = np.random.default_rng(5)
    table = TradeTable.armington(rng.uniform(1, 9, (4, 4)) + 40 * np.eye(4), theta=5.0)
    table = solve(table, deficits="zero").table()
    eq = solve(table, cut(table), deficits="zero", supply_elasticity=SAVING.supply_elasticity, tol=1e-13)
    home = (eq.table().home_share / table.home_share)[:, 0]
    np.testing.assert_allclose(eq.real_income_hat, home ** (-1.0 / (5.0 * (1.0 - 0.4))), rtol=1e-10)


def test_hours_that_follow_the_wage_leave_capital_as_it_is() -> None:
    """L = w_L^e with w_L = w F / L and F = L^(1-m), the wage of labour alone and not of the bundle."""
    rng = np.random.default_rng(7)
    table = TradeTable.armington(rng.uniform(1, 9, (4, 4)) + 40 * np.eye(4), theta=5.0)
    table = solve(table, deficits="zero").table()
    eq = solve(table, cut(table), deficits="zero", tol=1e-13)
    e, m = 0.5, SAVING.capital_share
    row = next(row for row in closures({"zero": eq}, "zero", e, SAVING) if row.factors == "labour")
    psi = e * (1 - m) / (1 + m * e)
    long = solve(table, cut(table), deficits="zero", supply_elasticity=psi, tol=1e-13)
    real_wage = long.wage_hat / price_index(long)
    bundle = real_wage**psi
    hours = bundle ** (1 / (1 - m))
    np.testing.assert_allclose(hours, (real_wage * bundle / hours) ** e, rtol=1e-10)
    assert row.real_income_hat is not None
    np.testing.assert_allclose(row.real_income_hat, long.real_income_hat, rtol=1e-9)


def test_a_closure_without_an_answer_is_listed_with_the_reason() -> None:
    # Turkmenistan exports a sixth of what it makes without a return: it cannot invest nine tenths of it.
    # Without rents: what deposits earn needs no investment.
    table = lb.load().trade
    table = replace(table, rent_share=np.zeros_like(table.rent_share))
    eq = solve(table, cut(table))
    greedy = Saving(0.89, 0.999, 0.9)
    rows = closure_rows(closures({"fixed": eq}, "fixed", 0.5, greedy))
    lost = [row for row in rows if row["why"]]
    assert {row["factors"] for row in lost} == {"capital"} and all(row["percent"] is None for row in lost)
    assert "investment takes all income" in str(lost[0]["why"])


def test_the_way_ends_in_the_steady_state() -> None:
    # Of a base that clears: solved once more, it would be another one.
    table = solve(small()).base
    eq = solve(table, cut(table), tol=1e-12)
    fast = Saving(0.4, 0.96, 0.5)
    *_, (last, ln_K) = path(eq, fast, 80)
    long = solve(table, cut(table), supply_elasticity=fast.supply_elasticity, tol=1e-12)
    np.testing.assert_allclose(last.real_income_hat, long.real_income_hat, rtol=1e-8)
    factors = (long.wage_hat / price_index(long)) ** fast.supply_elasticity
    np.testing.assert_allclose(fast.capital_share * ln_K, np.log(factors), rtol=1e-6)
    first, _ = next(iter(path(eq, fast, 1)))
    np.testing.assert_allclose(first.real_income_hat, eq.real_income_hat, rtol=1e-10)
    # Cut short or long, the discounted way is the same.
    whole, short = (along_the_way(eq, long, SAVING, years) for years in (400, 60))
    np.testing.assert_allclose(np.log(short), np.log(whole), rtol=2e-3)


def test_nothing_that_moves_is_the_fixed_case() -> None:
    table = small()
    eq = solve(table, cut(table), tol=1e-13)
    rows = closures({"fixed": eq}, "fixed", 0.0, Saving(0.0, 0.96, 0.06))
    assert [(row.factors, row.deficits) for row in rows] == [
        *(("fixed", "fixed"), ("fixed", "proportional"), ("fixed", "zero")),
        *(("labour", "fixed"), ("labour_tax", "fixed"), ("capital", "fixed")),
    ]
    for row in (rows[0], *rows[3:]):
        assert row.real_income_hat is not None
        np.testing.assert_allclose(row.real_income_hat, eq.real_income_hat, rtol=1e-10)
    last = rows[5]
    assert last.consumption_hat is not None and last.discounted_hat is not None
    np.testing.assert_allclose(last.consumption_hat, eq.real_income_hat, rtol=1e-10)
    np.testing.assert_allclose(last.discounted_hat, eq.real_income_hat, rtol=1e-10)


@pytest.mark.slow
def test_capital_lifts_by_less_than_its_multiplier_and_waiting_costs() -> None:
    case = lb.run(lb.load(), "borders-half")
    rows = {(row["factors"], row["deficits"], row["region"]): row for row in case.closure_rows}
    for region in ("KAZ", "KGZ", "UZB"):
        fixed, capital = rows["fixed", "fixed", region], rows["capital", "fixed", region]
        plain = next(row for row in case.real_income_rows if row["region"] == region)
        assert fixed["percent"] == pytest.approx(plain["percent"], rel=1e-8)
        assert 1.2 < capital["percent"] / fixed["percent"] < 1.0 / (1.0 - 0.4) + 0.1
        assert fixed["percent"] < capital["discounted_percent"] < capital["consumption_percent"]
        assert rows["labour", "fixed", region]["percent"] > fixed["percent"]
    assert case.to_json()["closures"] == case.closure_rows


@pytest.mark.parametrize(
    "given, said",
    [((1.0, 0.96, 0.06), "capital_share"), ((0.4, 1.0, 0.06), "discount"), ((0.4, 0.96, 0.0), "depre")],
)
def test_saving_that_makes_no_sense_is_refused(given: tuple[float, float, float], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Saving(*given)


def test_revenue_that_lowers_the_tax_on_labour() -> None:
    """F = (w (1 + s) / P)^psi with s what revenue pays for; without hours that answer, nothing moves."""
    table = small()
    tariff = table.tariff * 0.4
    eq = solve(table, tariff=tariff, tol=1e-13)
    psi, labour = 0.3, 0.6
    found, cut = lower_tax(eq, psi, labour)
    bundle = found.factor_income / (found.wage_hat * (eq.base.value_added - eq.base.rents))
    # The wage of the equilibrium is that of a bundle with (1 + s)^(psi / (1 + psi)) more in it.
    more = np.exp(psi / (1.0 + psi) * cut)
    wage, factors = found.wage_hat / more, bundle * more
    np.testing.assert_allclose(factors, (wage * np.exp(cut) / price_index(found)) ** psi, rtol=1e-9)
    revenue = (tariff * found.trade).sum(axis=(0, 2)) - eq.base.tariff_revenue
    np.testing.assert_allclose(np.expm1(cut), revenue / (labour * found.factor_income), rtol=1e-9)
    # A cut of tariffs loses revenue: a higher tax on labour, fewer hours, less than with a lump sum.
    plain = resolve(eq, "fixed", psi, tol=1e-12)
    loses = revenue < -1.0
    assert loses.any() and (factors[loses] < (plain.wage_hat / price_index(plain))[loses] ** psi).all()
    still, _ = lower_tax(eq, 0.0, labour)
    np.testing.assert_allclose(still.real_income_hat, eq.real_income_hat, rtol=1e-10)
    # By another way: the supply it ends with, entered as a productivity with factors fixed.
    lift = factors[:, None] ** eq.base.labour_share
    other = solve(eq.base, tariff=tariff, productivity_hat=lift, tol=1e-12)
    np.testing.assert_allclose(found.real_income_hat, other.real_income_hat, rtol=1e-9)


def test_a_revenue_that_no_wage_can_replace_is_refused() -> None:
    table = small()
    eq = solve(table, tariff=0.0 * table.tariff)
    with pytest.raises(DataError, match="no tax on labour"):
        lower_tax(eq, 0.3, 1e-6)
