"""One-sector gravity: gegravity's sample, ge_gravity2's examples, closed forms on 194 countries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from commands import Reference
from countries_194 import read_194
from landbridge.trade import Equilibrium, TradeTable, solve

Record = Callable[..., None]


# ---- gegravity -------------------------------------------------------------------------------------

GEGRAVITY = "gegravity 0.3 (Herman), sample of 30 countries, an agreement of Canada and Japan"
COEFFICIENTS = {
    "lndist": -0.3898623,
    "contiguity": 0.891577,
    "common_language": 0.0326249,
    "pta": 0.4711383,
    "international": -3.412584,
}
PRICES = {"CAN": "-0.135770", "JPN": "0.245392", "USA": "-0.040939"}
GDP = {"CAN": "0.418261", "JPN": "0.053755", "USA": "-0.007411"}


def gegravity_sample(folder: Path) -> tuple[TradeTable, np.ndarray]:
    """The fitted trade matrix of structural gravity, and the shock; sigma is 5, so theta is 4."""
    data = pd.read_csv(folder / "sample_2006_30_countries.csv")
    data["ease"] = np.exp(sum(value * data[name] for name, value in COEFFICIENTS.items()))
    regions = sorted(data.exporter.unique())
    ease = data.pivot(index="exporter", columns="importer", values="ease").loc[regions, regions].to_numpy()
    output = data.groupby("exporter").Y.first().loc[regions].to_numpy(dtype=float)
    spending = data.groupby("importer").E.first().loc[regions].to_numpy(dtype=float)
    output, spending = output / output.sum(), spending / spending.sum()
    outward = np.ones(len(regions))
    for _ in range(500):  # structural gravity's multilateral resistances: fit the margins in turn
        inward = spending / (ease.T @ outward)
        outward = output / (ease @ inward)
    table = TradeTable.armington(
        1e6 * ease * outward[:, None] * (spending / (ease.T @ outward)), 4.0, regions
    )
    cost = np.ones_like(ease)
    can, jpn = table.region("CAN"), table.region("JPN")
    cost[can, jpn] = cost[jpn, can] = np.exp(-COEFFICIENTS["pta"] / 4.0)
    return table, cost


def at_nominal_output(table: TradeTable, cost: np.ndarray) -> tuple[Equilibrium, np.ndarray]:
    """The equilibrium whose endowments, returned beside it, hold every wL at its base."""
    endowment = np.ones(len(table.regions))
    for _ in range(40):
        eq = solve(table, cost, productivity_hat=endowment, tol=1e-13)
        if np.abs(eq.wage_hat - 1).max() < 1e-13:
            break
        endowment = endowment / eq.wage_hat
    return eq, endowment


def test_gegravity_holds_nominal_output_at_its_base(reference: Reference, published: Record) -> None:
    """Its prices are those at which every country's nominal output and spending stay as they were.

    Its equations for the full equilibrium keep output and spending shares of the base, so p is 1 / L^ for
    the endowments L^ that hold wL at its base; landbridge finds them and agrees to all stored digits. Where
    incomes move with prices, as in `solve` alone, prices differ by a tenth and real GDP by hundredths.
    """
    table, cost = gegravity_sample(reference("trade/gegravity_sample"))
    eq, endowment = at_nominal_output(table, cost)
    assert np.abs(eq.wage_hat - 1).max() < 1e-12
    numeraire = eq.price_hat[table.region("DEU"), 0]
    for code, printed in PRICES.items():
        price = 1 / endowment[table.region(code)] / numeraire
        published(GEGRAVITY, "factory-gate price", f"{code}, percent", printed, 100 * float(price - 1), 1e-6)
    for code, printed in GDP.items():
        real = 1 / endowment[table.region(code)] / eq.price_hat[table.region(code), 0]
        published(GEGRAVITY, "real GDP", f"{code}, percent", printed, 100 * float(real - 1), 1e-6)
    free = solve(table, cost, deficits="proportional", tol=1e-13)
    jpn = table.region("JPN")
    price = free.wage_hat[jpn] / free.price_hat[table.region("DEU"), 0]
    assert 100 * (price - 1) == pytest.approx(0.209953, abs=1e-6)  # not 0.245392
    assert 100 * (free.real_wage_hat[jpn] - 1) == pytest.approx(0.050413, abs=1e-6)  # not 0.053755


# ---- ge_gravity2 -----------------------------------------------------------------------------------

UNIVERSAL = (
    "Campos, Reggio and Timini (2025), examples of ge_gravity2 (values: a separate loop, not the article)"
)
NAFTA = {"CAN": ("1.046388", "1.020449"), "MEX": ("1.030743", "1.013609"), "USA": ("1.005183", "1.002310")}
SPAIN = {
    1950: ("-0.7745", "-1.5364", "-2.2860"),
    1960: ("-0.6502", "-1.2901", "-1.9205"),
    1970: ("-0.3269", "-0.6469", "-0.9612"),
    1980: ("-0.1164", "-0.2294", "-0.3397"),
}


def ge_gravity2_table(folder: Path, year: int, theta: float) -> TradeTable:
    flows = pd.read_parquet(folder / "flows_1950_2000.parquet")
    flows = flows[flows.year == year]
    wide = flows.pivot(index="iso_o", columns="iso_d", values="flow").fillna(0.0)
    regions = [c for c in sorted(wide.index) if wide.loc[c].sum() > 0 and wide[c].sum() > 0]
    return TradeTable.armington(wide.loc[regions, regions].to_numpy() / 1e6, theta, regions)


def test_universal_gravity_of_nafta(reference: Reference, published: Record) -> None:
    table = ge_gravity2_table(reference("trade/ge_gravity2"), 1990, 5.03)
    bloc = [table.region(c) for c in NAFTA]
    cost = np.ones((len(table.regions),) * 2)
    cost[np.ix_(bloc, bloc)] = np.exp(-0.5 / 5.03)
    np.fill_diagonal(cost, 1.0)
    eq = solve(table, cost, deficits="proportional", supply_elasticity=1.24, tol=1e-13)
    for code, (welfare, real_price) in NAFTA.items():
        n = table.region(code)
        published(UNIVERSAL, "NAFTA, theta 5.03, psi 1.24", f"{code} W", welfare, eq.real_income_hat[n])
        published(UNIVERSAL, "NAFTA, theta 5.03, psi 1.24", f"{code} p/P", real_price, eq.real_wage_hat[n])


def test_universal_gravity_of_spain(reference: Reference, published: Record) -> None:
    """Spain's border in the years of autarky against that of a synthetic Spain, for three psi."""
    border = {1950: -1.254 + 0.665, 1960: -0.937 + 0.438, 1970: -0.604 + 0.428, 1980: -0.694 + 0.653}
    for year, printed in SPAIN.items():
        table = ge_gravity2_table(reference("trade/ge_gravity2"), year, 4.0)
        spain = table.region("ESP")
        cost = np.ones((len(table.regions),) * 2)
        cost[spain], cost[:, spain] = np.exp(-border[year] / 4.0), np.exp(-border[year] / 4.0)
        np.fill_diagonal(cost, 1.0)
        for psi, value in zip((0.0, 1.0, 2.0), printed, strict=True):
            eq = solve(table, cost, deficits="proportional", supply_elasticity=psi, tol=1e-13)
            ours = 100 * float(eq.real_income_hat[spain] - 1)
            published(UNIVERSAL, f"Spain's border, psi {psi:g}", f"W in {year}, percent", value, ours)


# ---- closed forms on 194 countries -----------------------------------------------------------------

FRIENDS = "Kleinman, Liu and Redding (2024), International Friends and Enemies: 194 countries, 2023, theta 4"
ACR = "Arkolakis, Costinot and Rodriguez-Clare (2012), New Trade Models, Same Old Gains?: 194 countries, 2023"
CENTRAL_ASIA = ("CHN", "KAZ", "KGZ", "TJK", "TKM", "UZB")


@pytest.fixture(scope="module")
def world(reference: Reference) -> TradeTable:
    """GDP and trade of 2023, balanced; the 192 countries that sell at home."""
    table = read_194(reference("papers/liberation_day_2025"))
    return solve(table, deficits="zero", tol=1e-13).table()


@pytest.fixture(scope="module")
def at_base(world: TradeTable) -> Equilibrium:
    return solve(world, deficits="zero", tol=1e-13)


def test_friends_and_enemies_in_closed_form(
    world: TradeTable, at_base: Equilibrium, published: Record
) -> None:
    """Every country's real income by every country's productivity, from one matrix inverse.

    With S spending shares (row importer) and T income shares (row exporter),
    ((1 + theta) I - T - theta T S) dln w = theta (I - T S) dln z,  dln W = dln w - S (dln w - dln z).
    """
    N, theta = len(world.regions), 4.0
    flows = world.trade[:, :, 0]
    S = (flows / flows.sum(axis=0)).T
    T = flows / flows.sum(axis=1, keepdims=True)
    size = world.value_added / world.value_added.sum()
    # The system has rank N - 1; world income is the numeraire.
    left = (1 + theta) * np.eye(N) - T - theta * T @ S + size
    wages = np.linalg.solve(left, theta * (np.eye(N) - T @ S))
    exposure = wages - S @ (wages - np.eye(N))
    for code in CENTRAL_ASIA:
        n = world.region(code)
        ours = at_base.gradient(code).productivity[:, 0]
        assert np.abs(ours - exposure[n]).max() < 1e-8
        for other in ("CHN", "RUS", "UZB"):
            k = world.region(other)
            item = f"d ln W {code} by d ln z {other}"
            published(FRIENDS, "closed form", item, f"{exposure[n, k]:.10f}", float(ours[k]), 1e-8)
    lift = np.random.default_rng(0).uniform(0.9, 1.1, N)
    response = at_base.linear_response(productivity_hat=lift)
    assert np.abs(response - exposure @ np.log(lift)).max() < 1e-8
    # Hulten: weighted by income, the world gains what each country's own output gains.
    assert size @ exposure == pytest.approx(size, abs=1e-10)


def test_trade_costs_in_closed_form(world: TradeTable, at_base: Equilibrium) -> None:
    """The same matrix for trade costs, all China's costs with the five at once."""
    N, theta = len(world.regions), 4.0
    flows = world.trade[:, :, 0]
    S = (flows / flows.sum(axis=0)).T
    T = flows / flows.sum(axis=1, keepdims=True)
    size = world.value_added / world.value_added.sum()
    cost = np.ones((N, N))
    chn, five = world.region("CHN"), [world.region(c) for c in CENTRAL_ASIA[1:]]
    cost[chn, five] = cost[five, chn] = 0.95
    kappa = np.log(cost).T  # [importer, exporter]
    dearer = (S * kappa).sum(axis=1)
    right = theta * (T @ dearer - (T * kappa.T).sum(axis=1))
    wages = np.linalg.solve((1 + theta) * np.eye(N) - T - theta * T @ S + size, right)
    closed = wages - S @ wages - dearer
    assert np.abs(at_base.linear_response(cost_hat=cost) - closed).max() < 1e-8


def test_gains_from_trade(world: TradeTable, published: Record) -> None:
    """Closing all borders costs 1 - home share^(1 / theta); the solver is given infinite costs."""
    N = len(world.regions)
    cost = np.full((N, N), np.inf)
    np.fill_diagonal(cost, 1.0)
    home = world.home_share[:, 0]
    for code in CENTRAL_ASIA:
        n = world.region(code)
        alone = np.ones((N, N))
        alone[n], alone[:, n] = cost[n], cost[:, n]
        eq = solve(world, alone, deficits="zero", tol=1e-12)
        loss = 100 * (1 - float(eq.real_income_hat[n]))
        closed = 100 * (1 - float(home[n]) ** 0.25)
        published(ACR, "closed form", f"{code} loss in autarky, percent", f"{closed:.8f}", loss, 1e-7)
