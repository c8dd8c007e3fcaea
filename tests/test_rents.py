"""A factor fixed in its sector: rents of deposits in extraction."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import root

import landbridge as lb
from landbridge.channels import gas
from landbridge.channels.gas import GasShock, GasYear
from landbridge.errors import DataError
from landbridge.io.economy import read_economy
from landbridge.io.tables import DATA
from landbridge.model.deliveries import at_base_prices, hold
from landbridge.studies.gas import income
from landbridge.trade import Carriage, TradeTable, solve
from landbridge.trade.economy import Closure

_WITHOUT_RENTS = (
    *("regions", "sectors", "trade", "tariff"),
    *("value_added_share", "input_share", "final_share", "theta"),
)


@pytest.fixture(scope="module")
def plain() -> TradeTable:
    """The embedded table without rents."""
    table = lb.load().trade
    return replace(table, rent_share=np.zeros_like(table.rent_share))


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
    none = TradeTable(**{name: getattr(plain, name) for name in _WITHOUT_RENTS})
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


# -- the embedded rents --------------------------------------------------------------------------------


def test_rents_are_only_on_what_is_extracted() -> None:
    table = lb.load().trade
    others = [s for s, sector in enumerate(table.sectors) if sector not in ("ENE", "MIN")]
    assert not table.rent_share[:, others].any()
    energy = table.rent_share[:, table.sectors.index("ENE")]
    assert (energy > 0.0).all() and energy.max() == 0.7
    # Published rents of Mongolian coal, 16.43 - 7.33 - 0.14 percent of GDP, over value added of the table.
    n, s = table.regions.index("MNG"), table.sectors.index("ENE")
    gdp = next(float(r["gdp_musd"]) for r in lb.load().regions if r["region"] == "MNG")
    value_added = table.value_added_share[n, s] * table.output[n, s]
    assert table.rent_share[n, s] == pytest.approx(0.0896 * gdp / value_added, abs=5e-4)


def copied(tmp_path: Path) -> Path:
    shutil.copytree(DATA / "economy", tmp_path / "economy")
    return tmp_path / "economy"


def test_rows_and_the_file_of_rents_may_be_missing(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    rows = (folder / "rents.csv").read_text(encoding="utf-8").splitlines()
    (folder / "rents.csv").write_text("\n".join([rows[0], *(r for r in rows if r[:8] == "TKM,ENE,")]) + "\n")
    table = read_economy(folder)
    assert np.count_nonzero(table.rent_share) == 1 and table.rent_share.max() == 0.7
    (folder / "rents.csv").unlink()
    assert not read_economy(folder).rent_share.any()


def test_every_fault_of_the_rents_is_told(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    rows = (folder / "rents.csv").read_text(encoding="utf-8").splitlines()
    spoiled = {
        "TKM,ENE,0.7,0.35,0.85": "TKM,ENE,0.7,0.35,0.6",
        "KAZ,ENE,0.7,0.35,0.85": "KAZ,ENE,1.2,0.35,1.4",
    }
    for old, new in spoiled.items():
        assert any(r.startswith(old) for r in rows)
        rows = [r.replace(old, new) if r.startswith(old) else r for r in rows]
    rows = [r.replace("UZB,ENE,0.7", "UZB,ENE,much") if r.startswith("UZB,ENE") else r for r in rows]
    rows = [r.replace("KGZ,MIN", "KGZ,ORE") if r.startswith("KGZ,MIN") else r for r in rows]
    (folder / "rents.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as wrong:
        read_economy(folder)
    told = [str(fault) for fault in wrong.value.faults]
    for part in ("(TKM, ENE)", "(KAZ, ENE)", "much", "ORE"):
        assert any(part in line and "rents.csv" in line for line in told), told
    assert all(fault.cure for fault in wrong.value.faults if "ENE)" in fault.where)


# -- gas without a pipe --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def years() -> tuple[GasYear, GasYear]:
    world = lb.load()
    return gas.solve_year(world), gas.solve_year(world, ["line-C"])


@pytest.mark.parametrize("deficits", ["fixed", "proportional"])
def test_gas_without_a_pipe_has_no_other_buyer(years: tuple[GasYear, GasYear], deficits: Closure) -> None:
    world = lb.load()
    pipes = gas.between(world, world.trade, *years)
    base = solve(world.trade, deficits=deficits)
    table = base.table()
    held = hold(pipes, table, np.ones_like(table.trade), deficits=deficits, start=base)
    sales = at_base_prices(held.equilibrium)
    s = table.sectors.index("ENE")
    for (o, d, _), kept in zip(pipes.pairs, pipes.kept, strict=True):
        assert sales[o, d, s] / table.trade[o, d, s] == pytest.approx(kept, rel=1e-5)
    n, china = table.regions.index("TKM"), table.regions.index("CHN")
    abroad = [d for d in range(len(table.regions)) if d not in (n, china)]
    assert sales[n, abroad, s].sum() == pytest.approx(table.trade[n, abroad, s].sum(), rel=1e-5)
    # Deposits lie idle about as far as output falls, and the price at the well is about what it was.
    left = {table.regions[o]: share for o, _, share in held.deposits}
    lost = (1.0 - pipes.kept[[p[0] for p in pipes.pairs].index(n)]) * table.trade[n, china, s]
    assert left["TKM"] == pytest.approx(1.0 - lost / table.output[n, s], abs=0.1)
    assert held.equilibrium.producer_price_hat[n, s] == pytest.approx(1.0, abs=2e-3)


def test_without_rents_no_deposit_lies_idle(plain: TradeTable, years: tuple[GasYear, GasYear]) -> None:
    pipes = gas.between(lb.load(), plain, *years)
    held = hold(pipes, plain, np.ones_like(plain.trade))
    assert held.productivity_hat is None and held.deposits == ()
    again = solve(plain, held.cost_hat)
    np.testing.assert_allclose(again.real_income_hat, held.equilibrium.real_income_hat, rtol=0, atol=1e-9)


def test_the_loss_of_the_seller_lies_between_its_rents_and_its_sales(years: tuple[GasYear, GasYear]) -> None:
    rows, status = income(lb.load(), *years)
    assert status.converged and [row["region"] for row in rows] == ["TKM", "KAZ", "UZB"]
    turkmenistan = rows[0]
    # By hand: 8.7 of 33.86 bcm are not delivered, of 9.6 billion USD of gas.
    assert turkmenistan["lost_sales_musd"] == pytest.approx(8.7 / 33.86 * 9600, rel=0.01)
    assert turkmenistan["lost_rents_percent"] < -turkmenistan["percent"] < turkmenistan["lost_sales_percent"]
    for suffix in ("", "_proportional"):
        few, many = turkmenistan[f"percent{suffix}_low"], turkmenistan[f"percent{suffix}_high"]
        assert many < turkmenistan[f"percent{suffix}"] < few < 0.0
    assert turkmenistan["percent"] < turkmenistan["percent_proportional"]


def test_a_new_pipe_and_other_changes_beside_it() -> None:
    """More gas opens deposits; what a tariff does to the seller's other sales is kept."""
    world = lb.load()
    table = world.trade
    n, china, s = table.regions.index("TKM"), table.regions.index("CHN"), table.sectors.index("ENE")
    pipes = GasShock(((n, china, s),), np.array([1.3]), np.array([1.3 ** (-1.0 / 8.0)]), ())
    cost = np.ones_like(table.trade)
    cost[n, :, s] = 0.97
    cost[n, n, s] = 1.0
    beside = at_base_prices(solve(table, cost))
    held = hold(pipes, table, cost)
    sales = at_base_prices(held.equilibrium)
    others = [d for d in range(len(table.regions)) if d not in (n, china)]
    assert beside[n, others, s].sum() > 1.02 * table.trade[n, others, s].sum()
    assert sales[n, others, s].sum() == pytest.approx(beside[n, others, s].sum(), rel=1e-5)
    assert sales[n, china, s] == pytest.approx(1.3 * table.trade[n, china, s], rel=1e-5)
    assert held.deposits[0][2] > 1.0 and held.status.converged
