"""NAFTA in Caliendo and Parro (2015), Review of Economic Studies 82(1), 31 countries and 40 sectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from landbridge.trade import Equilibrium, TradeTable, solve

NAFTA = ("MEX", "CAN", "USA")
EXACT_PERCENT = {"MEX": 0.0073, "CAN": -0.1101, "USA": 0.0741}


def read_caliendo_parro(folder: Path) -> tuple[TradeTable, np.ndarray]:
    """The 1993 table as the authors build it, and the tariffs with NAFTA's of 2005."""
    production = pd.read_csv(folder / "gross_output_va_share.csv")
    regions, sectors = list(production.country.unique()), list(production.sector.unique())
    N, S = len(regions), len(sectors)
    r, s = {c: i for i, c in enumerate(regions)}, {c: i for i, c in enumerate(sectors)}

    def fill(frame: pd.DataFrame, columns: list[str], axes: list[dict], value: str) -> np.ndarray:
        out = np.zeros([len(axis) for axis in axes])
        out[tuple(frame[c].map(axis).to_numpy() for c, axis in zip(columns, axes, strict=True))] = frame[
            value
        ]
        return out

    flows = pd.read_parquet(folder / "trade_tariffs.parquet")
    uses = pd.read_parquet(folder / "io_shares.parquet")
    route = ["exporter", "importer", "sector"]
    trade = fill(flows, route, [r, r, s], "trade1993_thousand_usd") / 1e3
    tariff = fill(flows, route, [r, r, s], "tariff1993_pct") / 100
    later = fill(flows, route, [r, r, s], "tariff2005_pct") / 100
    output = fill(production, ["country", "sector"], [r, s], "gross_output_usd") / 1e6
    value_added = fill(production, ["country", "sector"], [r, s], "value_added_share")
    inputs = fill(uses, ["country", "input_sector", "using_sector"], [r, s, s], "share_of_materials")
    theta = pd.read_csv(folder / "theta.csv").set_index("sector").theta.loc[sectors].to_numpy()

    exports = trade.sum(axis=1)
    output = np.maximum(output, exports)
    trade[np.arange(N), np.arange(N)] = output - exports
    spent = (trade * (1 + tariff)).sum(axis=0)
    final = np.maximum(spent - np.einsum("nks,ns->nk", inputs, (1 - value_added) * output), 0)
    final /= final.sum(axis=1, keepdims=True)
    table = TradeTable(regions, sectors, trade, tariff, value_added, inputs, final, theta)
    bloc = [r[c] for c in NAFTA]
    changed = tariff.copy()
    changed[np.ix_(bloc, bloc)] = later[np.ix_(bloc, bloc)]
    assert changed.shape == (N, N, S)
    return table, changed


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "reference/trade/caliendo_parro_2015"


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
    folder: Path, solved: tuple[TradeTable, Equilibrium], published: Callable[..., None]
) -> None:
    table, eq = solved
    printed = json.loads((folder / "published_nafta.json").read_text(encoding="utf-8"))["percent"]
    for country in NAFTA:
        n = table.region(country)
        ours = {
            "terms_of_trade": eq.first_order.terms_of_trade[n],
            "volume_of_trade": eq.first_order.volume[n],
            "welfare": eq.first_order.sum[n],
            "real_wage": eq.real_wage_hat[n] - 1,
        }
        for name, value in printed[country].items():
            item = f"{country} {name.replace('_', ' ')}, percent"
            published(PAPER, TABLES[name], item, f"{value:.2f}", 100 * float(ours[name]))


def test_cost_and_transfer_are_not_part_of_the_exercise(solved: tuple[TradeTable, Equilibrium]) -> None:
    _, eq = solved
    assert not eq.first_order.cost.any()
    assert np.abs(eq.first_order.transfer).max() < 1e-9


def test_imports_from_the_bloc(
    folder: Path, solved: tuple[TradeTable, Equilibrium], published: Callable[..., None]
) -> None:
    table, eq = solved
    reference = json.loads((folder / "published_nafta.json").read_text(encoding="utf-8"))
    printed = reference["intra_bloc_imports_percent"]
    for country in NAFTA:
        n, others = table.region(country), [table.region(c) for c in NAFTA if c != country]
        rise = eq.trade[others, n].sum() / table.trade[others, n].sum() - 1
        item = f"{country} imports from the bloc, percent"
        published(PAPER, "abstract", item, str(printed[country]), 100 * float(rise))
        assert 100 * rise == pytest.approx(reference["own_numpy"][country]["intra_bloc_imports"], abs=1e-3)


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
