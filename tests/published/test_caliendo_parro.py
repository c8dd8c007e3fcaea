"""NAFTA in Caliendo and Parro (2015), Review of Economic Studies 82(1), 31 countries and 40 sectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from commands import Reference
from landbridge.trade import Equilibrium, TradeTable, solve

NAFTA = ("MEX", "CAN", "USA")
REGIONS = [
    *("ARG", "AUS", "AUT", "BRA", "CAN", "CHL", "CHN", "DNK", "FIN", "FRA", "DEU", "GRC", "HUN", "IND"),
    *("IDN", "IRL", "ITA", "JPN", "KOR", "MEX", "NLD", "NZL", "NOR", "PRT", "ZAF", "ESP", "SWE", "TUR"),
    *("GBR", "USA", "ROW"),
]
# The first 20 are goods.
SECTORS = [
    *("Agriculture", "Mining", "Food", "Textile", "Wood", "Paper", "Petroleum", "Chemicals"),
    *("Plastic", "Minerals", "Basic metals", "Metal products", "Machinery n.e.c", "Office"),
    *("Electrical", "Communication", "Medical", "Auto", "Other Transport", "Other", "Electricity"),
    *("Construction", "Retail", "Hotels", "Land Transport", "Water Transport", "Air Transport"),
    *("Aux Transport", "Post", "Finance", "Real State", "Renting Mach", "Computer", "R&D"),
    *("Other Business", "Public", "Education", "Health", "Other services", "Private"),
]
# Terms of trade, volume of trade, welfare and real wage, percent.
PRINTED = {
    "MEX": {"terms_of_trade": -0.41, "volume_of_trade": 1.72, "welfare": 1.31, "real_wage": 1.72},
    "CAN": {"terms_of_trade": -0.11, "volume_of_trade": 0.04, "welfare": -0.06, "real_wage": 0.32},
    "USA": {"terms_of_trade": 0.04, "volume_of_trade": 0.04, "welfare": 0.08, "real_wage": 0.11},
}
# Imports from the bloc, percent: as printed, and from a plain solve of the same equations.
BLOC_PRINTED = {"MEX": 118, "CAN": 11, "USA": 41}
BLOC_SOLVED = {"MEX": 118.281, "CAN": 11.1127, "USA": 40.5185}
EXACT_PERCENT = {"MEX": 0.0073, "CAN": -0.1101, "USA": 0.0741}


def read_caliendo_parro(folder: Path) -> tuple[TradeTable, np.ndarray]:
    """The 1993 table as the authors build it from their own files, and the tariffs with NAFTA's of 2005.

    Files of flows and tariffs: rows are importers within the 20 sectors of goods, columns are exporters.
    """
    N, S, goods = len(REGIONS), len(SECTORS), 20

    def pairs(name: str) -> np.ndarray:
        out = np.zeros((N, N, S))
        out[:, :, :goods] = np.loadtxt(folder / name).reshape(goods, N, N).transpose(2, 1, 0)
        return out

    trade = pairs("xbilat1993.txt") / 1e3
    tariff, later = pairs("tariffs1993.txt") / 100, pairs("tariffs2005.txt") / 100
    output = np.loadtxt(folder / "GO.txt").T / 1e6
    value_added = np.loadtxt(folder / "B.txt").T
    inputs = np.loadtxt(folder / "IO.txt").reshape(N, S, S)
    theta = np.full(S, 8.22)
    theta[:goods] = np.loadtxt(folder / "T.txt")

    exports = trade.sum(axis=1)
    output = np.maximum(output, exports)
    trade[np.arange(N), np.arange(N)] = output - exports
    spent = (trade * (1 + tariff)).sum(axis=0)
    final = np.maximum(spent - np.einsum("nks,ns->nk", inputs, (1 - value_added) * output), 0)
    final /= final.sum(axis=1, keepdims=True)
    table = TradeTable(REGIONS, SECTORS, trade, tariff, value_added, inputs, final, theta)
    bloc = [REGIONS.index(c) for c in NAFTA]
    changed = tariff.copy()
    changed[np.ix_(bloc, bloc)] = later[np.ix_(bloc, bloc)]
    assert changed.shape == (N, N, S)
    return table, changed


@pytest.fixture(scope="module")
def folder(reference: Reference) -> Path:
    return reference("papers/caliendo_parro_2015")


@pytest.fixture(scope="module")
def solved(folder: Path) -> tuple[TradeTable, Equilibrium]:
    table, tariff = read_caliendo_parro(folder)
    balanced = solve(table, deficits="zero")
    assert balanced.status.rebase > 0.1
    return balanced.table(), solve(balanced.table(), tariff=tariff, deficits="zero")


PAPER = "Caliendo and Parro (2015), Estimates of the Trade and Welfare Effects of NAFTA"
TABLES = {
    "welfare": "abstract; cp2015 tests",
    "terms_of_trade": "cp2015 tests",
    "volume_of_trade": "cp2015 tests",
    "real_wage": "cp2015 tests",
}


def test_twelve_printed_numbers(
    solved: tuple[TradeTable, Equilibrium], published: Callable[..., None]
) -> None:
    table, eq = solved
    for country in NAFTA:
        n = table.region(country)
        ours = {
            "terms_of_trade": eq.first_order.terms_of_trade[n],
            "volume_of_trade": eq.first_order.volume[n],
            "welfare": eq.first_order.sum[n],
            "real_wage": eq.real_wage_hat[n] - 1,
        }
        for name, value in PRINTED[country].items():
            item = f"{country} {name.replace('_', ' ')}, percent"
            published(PAPER, TABLES[name], item, f"{value:.2f}", 100 * float(ours[name]))


def test_cost_and_transfer_are_not_part_of_the_exercise(solved: tuple[TradeTable, Equilibrium]) -> None:
    _, eq = solved
    assert not eq.first_order.cost.any()
    assert np.abs(eq.first_order.transfer).max() < 1e-9


def test_imports_from_the_bloc(
    solved: tuple[TradeTable, Equilibrium], published: Callable[..., None]
) -> None:
    table, eq = solved
    for country in NAFTA:
        n, others = table.region(country), [table.region(c) for c in NAFTA if c != country]
        rise = eq.trade[others, n].sum() / table.trade[others, n].sum() - 1
        item = f"{country} imports from the bloc, percent"
        published(PAPER, "abstract", item, str(BLOC_PRINTED[country]), 100 * float(rise))
        assert 100 * rise == pytest.approx(BLOC_SOLVED[country], abs=1e-3)


def test_exact_real_income(solved: tuple[TradeTable, Equilibrium], published: Callable[..., None]) -> None:
    """Not in the paper, whose welfare is a first-order sum; computed by another program of ours."""
    table, eq = solved
    for country, percent in EXACT_PERCENT.items():
        exact = 100 * float(eq.real_income_hat[table.region(country)] - 1)
        item = f"{country} exact real income, percent"
        published(PAPER, "not printed: a separate damped loop", item, f"{percent:.4f}", exact)


def test_the_rebased_table_clears(solved: tuple[TradeTable, Equilibrium]) -> None:
    table, eq = solved
    assert table.imbalance < 1e-10
    assert eq.status.rebase < 1e-10
    assert np.abs(table.deficits).max() < 1e-9 * table.value_added.sum()


def test_gradient_on_the_real_table(folder: Path, solved: tuple[TradeTable, Equilibrium]) -> None:
    """Petroleum has theta 64.85; its derivative and a plain one agree with central differences."""
    table, _ = solved
    at = solve(table, deficits="zero", tol=1e-12)
    gradient = at.gradient("MEX")
    usa, mex = table.region("USA"), table.region("MEX")
    step = 1e-4
    for sector in ("Petroleum", "Auto"):
        s = table.sector(sector)
        ends = []
        for sign in (1, -1):
            cost = np.ones_like(table.trade)
            cost[usa, mex, s] = np.exp(sign * step)
            ends.append(np.log(solve(table, cost, deficits="zero", tol=1e-12).real_income_hat[mex]))
        difference = (ends[0] - ends[1]) / (2 * step)
        assert gradient.cost[usa, mex, s] == pytest.approx(difference, rel=1e-4, abs=1e-8)
