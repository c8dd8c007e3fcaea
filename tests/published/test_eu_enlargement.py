"""The EU enlargement of 2004-2013 as solved by the Stata command ge_gravity, 44 countries, theta 4."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from commands import Reference
from landbridge.trade import TradeTable, solve


@pytest.fixture(scope="module")
def case(reference: Reference) -> tuple[TradeTable, np.ndarray, pd.DataFrame, pd.DataFrame]:
    folder = reference("trade/gravity_ge_eu_enlargement")
    panel = pd.read_parquet(folder / "panel_44.parquet")
    panel = panel[panel.year == 2000]
    welfare = pd.read_csv(folder / "stata_ge_gravity_welfare.csv").set_index("exporter")
    flows = pd.read_parquet(folder / "stata_ge_gravity_flows.parquet")
    regions = sorted(welfare.index)
    trade = panel.pivot(index="exporter", columns="importer", values="trade").loc[regions, regions]
    effect = panel.pivot(index="exporter", columns="importer", values="eu_effect").loc[regions, regions]
    table = TradeTable.armington(trade.to_numpy(), theta=4.0, regions=regions)
    return table, np.exp(-effect.to_numpy() / 4.0), welfare.loc[regions], flows


PAPER = "Baier, Yotov and Zylkin (2019), the method of the Stata command ge_gravity: EU enlargement"
SHOWN = ("MLT", "HUN", "SVN", "CZE", "POL", "DEU", "USA", "CHN")


def test_additive_deficits_are_the_fixed_closure(case, published: Callable[..., None]) -> None:
    table, cost_hat, welfare, flows = case
    eq = solve(table, cost_hat, deficits="fixed")
    assert np.abs(eq.real_income_hat - welfare.w_eu.to_numpy()).max() < 1e-7
    stata_flows = flows.pivot(index="exporter", columns="importer", values="X_eu")
    stata_flows = stata_flows.loc[list(table.regions), list(table.regions)].to_numpy()
    assert np.abs(eq.trade[:, :, 0] / stata_flows - 1).max() < 2e-7
    for code in SHOWN:
        n, stata = table.region(code), f"{welfare.w_eu[code]:.7f}"
        published(PAPER, "additive deficits", f"{code} welfare", stata, eq.real_income_hat[n], 1.5e-7)


def test_multiplicative_deficits_are_the_proportional_closure(case, published: Callable[..., None]) -> None:
    table, cost_hat, welfare, flows = case
    eq = solve(table, cost_hat, deficits="proportional")
    assert np.abs(eq.real_income_hat - welfare.w_mult.to_numpy()).max() < 2e-6
    stata_flows = flows.pivot(index="exporter", columns="importer", values="X_mult")
    stata_flows = stata_flows.loc[list(table.regions), list(table.regions)].to_numpy()
    assert np.abs(eq.trade[:, :, 0] / stata_flows - 1).max() < 2e-6
    for code in SHOWN:
        n, stata = table.region(code), f"{welfare.w_mult[code]:.7f}"
        published(PAPER, "multiplicative deficits", f"{code} welfare", stata, eq.real_income_hat[n], 2e-6)


def test_no_rebase_is_needed(case) -> None:
    table, _, _, _ = case
    for closure in ("fixed", "proportional"):
        eq = solve(table, deficits=closure)
        assert eq.status.rebase < 1e-12
        assert np.abs(eq.real_income_hat - 1).max() < 1e-12
