"""Freight paid to carriers: budgets, derivatives, and what a country gains by it."""

from __future__ import annotations

import numpy as np
import pytest

import landbridge as lb
from landbridge.errors import DataError
from landbridge.trade import Carriage, TradeTable, solve

CARRIES = "TTS"


@pytest.fixture(scope="module")
def table() -> TradeTable:
    return lb.load().trade


def _of(table: TradeTable, paid: np.ndarray, rent: np.ndarray, sector: str = CARRIES) -> Carriage:
    """Shares paid and rents [o, d, s, m], every sector a kind of its own."""
    return Carriage(sector, np.arange(len(table.sectors)), np.ones(table.trade.shape), paid, rent)


def _some(table: TradeTable, size: float, seed: int = 3) -> Carriage:
    rng = np.random.default_rng(seed)
    N, S = len(table.regions), len(table.sectors)
    paid = size * rng.normal(size=(N, N, S, N)) * (rng.random((N, N, S, N)) < 0.1)
    paid[np.arange(N), np.arange(N)] = 0.0
    return _of(table, paid, 0.3 * paid * rng.random(paid.shape))


def test_kinds_are_sums_over_their_sectors(table: TradeTable) -> None:
    """Two kinds with weights, and the same shares written out sector by sector."""
    rng = np.random.default_rng(4)
    N, S = len(table.regions), len(table.sectors)
    kind = np.arange(S) % 2
    weight = rng.uniform(0.5, 2.0, (N, N, S))
    paid, rent = 1e-5 * rng.normal(size=(2, N, N, 2, N))
    short = solve(table, carriage=Carriage(CARRIES, kind, weight, paid, rent), tol=1e-13)
    wide = [weight[..., None] * a[:, :, kind] for a in (paid, rent)]
    long = solve(table, carriage=_of(table, *wide), tol=1e-13)
    np.testing.assert_allclose(short.real_income_hat, long.real_income_hat, rtol=1e-12)
    np.testing.assert_allclose(short.gradient("UZB").cost, long.gradient("UZB").cost, rtol=1e-7, atol=1e-12)


def test_nothing_paid_changes_nothing(table: TradeTable) -> None:
    cost = np.random.default_rng(1).uniform(0.97, 1.02, table.trade.shape)
    without = solve(table, cost)
    none = np.zeros((*table.trade.shape, len(table.regions)))
    with_none = solve(table, cost, carriage=_of(table, none, none))
    assert (with_none.real_income_hat == without.real_income_hat).all()
    assert (with_none.trade == without.trade).all()


@pytest.mark.parametrize("deficits", ["fixed", "proportional", "zero"])
def test_budgets_close(table: TradeTable, deficits: str) -> None:
    """What buyers pay is paid to somebody once, and every country spends what it has."""
    given = _some(table, 2e-3)
    eq = solve(table, carriage=given, deficits=deficits, tol=1e-12)
    assert np.abs(eq.real_income_hat - 1.0).max() > 1e-4
    base = eq.base
    shares = np.where(base.trade[..., None] > 0.0, given.paid, 0.0)
    rents = np.where(base.trade[..., None] > 0.0, given.rent, 0.0)
    carried = table.sectors.index(CARRIES)
    output = (eq.trade * (1.0 - shares.sum(axis=3))).sum(axis=1)
    output[:, carried] += np.einsum("ods,odsm->m", eq.trade, shares - rents)
    rent = np.einsum("ods,odsm->m", eq.trade, rents)
    assert output.sum() + rent.sum() == pytest.approx(eq.trade.sum(), rel=1e-12)
    wages = (base.labour_share * output).sum(axis=1)
    np.testing.assert_allclose(wages, eq.wage_hat * (base.value_added - base.rents), rtol=1e-9)
    labour = (base.value_added_share * output).sum(axis=1)  # with what deposits earn
    tariffs = (base.tariff * eq.trade).sum(axis=(0, 2))
    np.testing.assert_allclose(eq.income, labour + rent + tariffs + eq.deficit, rtol=1e-9)
    spent = ((1.0 + base.tariff) * eq.trade).sum(axis=(0, 2))
    inputs = ((1.0 - base.value_added_share) * output).sum(axis=1)
    np.testing.assert_allclose(spent, eq.income + inputs, rtol=1e-9)
    # The world's budget: income is value added, rents and tariffs, and transfers sum to nothing.
    world = labour.sum() + rent.sum() + tariffs.sum()
    assert eq.income.sum() == pytest.approx(world, rel=1e-9)


def test_first_order_is_the_response_and_its_parts_add_up(table: TradeTable) -> None:
    base = solve(table)
    given = _some(table, 1e-3)
    small = 1e-3
    part = _of(table, small * given.paid, small * given.rent)
    first = base.linear_response(carriage=given)
    up = solve(table, carriage=part, tol=1e-13)
    down = solve(table, carriage=_of(table, -part.paid, -part.rent), tol=1e-13)
    central = (np.log(up.real_income_hat) - np.log(down.real_income_hat)) / (2.0 * small)
    np.testing.assert_allclose(central, first, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(up.first_order.sum, small * first, rtol=2e-3, atol=1e-9)


@pytest.mark.parametrize("of", ["real_income:KAZ", "real_income:CA5", "wage:KGZ", "flow:CHN:KAZ:MCH"])
@pytest.mark.parametrize("deficits", ["fixed", "proportional"])
def test_the_gradient_is_that_of_central_differences(table: TradeTable, of: str, deficits: str) -> None:
    """By costs, tariffs, productivity, transfers, shares paid and rents, where carriers are paid already."""
    rng = np.random.default_rng(5)
    given = _some(table, 2e-3)
    cost = rng.uniform(0.98, 1.03, table.trade.shape)
    N, S = len(table.regions), len(table.sectors)
    eq = solve(table, cost, carriage=given, deficits=deficits, tol=1e-13)
    ways = {
        "cost": rng.normal(size=cost.shape),
        "tariff": 0.1 * rng.normal(size=cost.shape) * (table.trade > 0.0),
        "lift": rng.normal(size=(N, S)),
        "transfer": table.value_added * 1e-2 * rng.normal(size=N),
        "paid": _some(table, 1.0, 8).paid,
        "rent": _some(table, 1.0, 9).rent,
    }
    ways["transfer"] -= ways["transfer"].mean()
    gradient = eq.gradient(of)
    sector = table.sectors.index(CARRIES)
    by_paid, by_rent = gradient.carriage(sector, eq.trade)
    expected = {
        "cost": (gradient.cost * ways["cost"]).sum(),
        "tariff": (gradient.tariff * ways["tariff"]).sum(),
        "lift": (gradient.productivity * ways["lift"]).sum(),
        "transfer": (gradient.transfer * ways["transfer"]).sum(),
        "paid": (by_paid * ways["paid"]).sum(),
        "rent": (by_rent * ways["rent"]).sum(),
    }
    for name, way in ways.items():

        def at(step: float, name: str = name, way: np.ndarray = way) -> float:
            moved = {n: step * way if n == name else 0.0 * ways[n] for n in ways}
            found = solve(
                table,
                cost * np.exp(moved["cost"]),
                table.tariff + moved["tariff"],
                np.exp(moved["lift"]),
                transfer=moved["transfer"],
                carriage=_of(table, given.paid + moved["paid"], given.rent + moved["rent"]),
                deficits=deficits,
                tol=1e-13,
                start=eq,
            )
            return float(np.log(found.outcome(of)))

        h = 1e-4 if name in ("cost", "lift") else 1e-5
        thin = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
        assert thin == pytest.approx(expected[name], rel=1e-6, abs=1e-8), name


def test_the_response_where_carriers_are_paid_already(table: TradeTable) -> None:
    """Forward and backward derivatives agree at an equilibrium with payments, supply elasticity included."""
    rng = np.random.default_rng(6)
    eq = solve(table, carriage=_some(table, 2e-3), supply_elasticity=0.4, tol=1e-12)
    cost, more = np.exp(1e-2 * rng.normal(size=table.trade.shape)), _some(table, 1e-3, 11)
    response = eq.linear_response(cost, carriage=more)
    gradient = eq.gradient("KAZ")
    by_paid, by_rent = gradient.carriage(table.sectors.index(CARRIES), eq.trade)
    n = table.region("KAZ")
    back = (gradient.cost * np.log(cost)).sum() + (by_paid * more.paid).sum() + (by_rent * more.rent).sum()
    assert response[n] == pytest.approx(back, rel=1e-8)


def test_a_small_country_gains_the_terms_of_trade(table: TradeTable) -> None:
    """Without a mark-up: exports x own price - imports x their prices, over income, and no more."""
    N, S = len(table.regions), len(table.sectors)
    k = table.region("KGZ")
    paid = np.zeros((N, N, S, N))
    o, d, s = table.region("CHN"), table.region("UZB"), table.sectors.index("MCH")
    paid[o, d, s, k] = 1e-4
    none = np.zeros_like(paid)
    eq = solve(table, carriage=_of(table, paid, none), tol=1e-13)
    base, price = eq.base, eq.producer_price_hat - 1.0
    sold = base.trade[k].sum(axis=0) - base.trade[k, k]
    bought = base.trade[:, k].copy()
    bought[k] = 0.0
    gain = (sold * price[k]).sum() - (bought * price).sum()
    revenue = 1e-4 * base.trade[o, d, s]
    assert base.tariff[:, k].max() > 0.0
    tariffs = (base.tariff[:, k] * (eq.trade[:, k] - base.trade[:, k] * (1.0 + price))).sum()
    exact = (eq.real_income_hat[k] - 1.0) * base.income[k]
    assert exact == pytest.approx(gain + tariffs, rel=1e-3)
    # A fraction of what the carriers get; as rent the whole of it and more.
    assert 0.0 < exact < 0.5 * revenue
    rent = solve(table, carriage=_of(table, paid, paid), tol=1e-13)
    assert (rent.real_income_hat[k] - 1.0) * base.income[k] > 0.9 * revenue


def test_faults_name_the_argument(table: TradeTable) -> None:
    N, S = len(table.regions), len(table.sectors)
    none = np.zeros((N, N, S, N))
    with pytest.raises(DataError) as wrong:
        solve(table, carriage=_of(table, none[0], np.full_like(none, np.nan), "XXX"))
    assert {f.where for f in wrong.value.faults} == {"carriage.paid", "carriage.rent", "carriage.sector"}
    much = none.copy()
    much[0, 1, 2] = 0.9
    with pytest.raises(DataError, match="more than the goods cost"):
        solve(table, carriage=_of(table, much, none))
    with pytest.raises(DataError, match="not a trade table"):
        solve(table, carriage=_some(table, 1e-3)).table()
