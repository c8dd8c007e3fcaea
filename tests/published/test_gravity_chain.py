"""From a panel of flows to real incomes: estimate, trade costs, exact equilibrium, beside printed answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from commands import Reference
from landbridge.estimation import estimate
from landbridge.trade import TradeTable, counterfactual, within

EU = "Baier, Yotov and Zylkin (2019), the EU enlargement with Stata's ge_gravity"
AGTPA = "Yotov et al. (2016), Advanced Guide to Trade Policy Analysis"


def matrix(frame: pd.DataFrame, values: str, regions: list[str]) -> np.ndarray:
    wide = frame.pivot(index="exporter", columns="importer", values=values)
    return wide.reindex(index=regions, columns=regions).fillna(0.0).to_numpy(dtype=float)


def test_the_eu_enlargement_from_panel_to_welfare(reference: Reference, published: Any) -> None:
    folder = reference("trade/gravity_ge_eu_enlargement")
    panel = pd.read_parquet(folder / "panel_44.parquet")
    found = estimate(
        "trade ~ eu_enlargement + other_fta | exporter^year + importer^year + exporter^importer",
        panel,
        "exporter != importer",
    )
    effect = panel.eu_effect.max()
    published(EU, "step 1, PPML", "eu_enlargement", "0.224", found["eu_enlargement"])
    published(EU, "step 1, PPML", "eu_enlargement, stored", f"{effect:.8f}", found["eu_enlargement"], 2e-7)
    base = panel[panel.year == 2000]
    welfare = pd.read_csv(folder / "stata_ge_gravity_welfare.csv").set_index("exporter")
    regions = sorted(welfare.index)
    table = TradeTable.armington(matrix(base, "trade", regions), theta=4.0, regions=regions)
    entered = matrix(base, "new_eu_pair", regions)
    answer = counterfactual(table, found, {"eu_enlargement": entered}, draws=40)
    for code in ("MLT", "HUN", "SVN", "CZE"):
        ours = answer.equilibrium.real_income_hat[table.region(code)]
        published(EU, "step 2, additive deficits", code, f"{welfare.w_eu[code]:.6f}", ours)
    assert np.abs(answer.equilibrium.real_income_hat - welfare.w_eu[regions].to_numpy()).max() < 2e-7
    rows = answer.table().set_index("region").loc[["MLT", "HUN", "SVN", "CZE"]]
    assert ((rows.low < rows.percent) & (rows.percent < rows.high)).all()
    # Small changes are nearly linear in the coefficient, so its relative error comes through.
    share = found.covariance.loc["eu_enlargement", "eu_enlargement"] ** 0.5 / found["eu_enlargement"]
    assert (rows.standard_error / rows.percent).to_numpy() == pytest.approx(share, rel=0.35)


def test_nafta_of_the_advanced_guide(reference: Reference, published: Any) -> None:
    """Chapter 2, application 2: NAFTA taken away in 1994, sigma 7. The printed loop stops at 0.01."""
    folder = reference("trade/agtpa")
    found = estimate(
        "trade ~ rta | exporter^year + importer^year + pair", folder / "agtpa_panel.parquet", "year % 4 == 2"
    )
    published(AGTPA, "chapter 2, NAFTA", "RTA", "0.5571853", found["rta"], 1e-7)
    fit = found.sample.frame.assign(fitted=found.fitted)
    fit = fit[fit.year == 1994]
    regions = sorted(fit.exporter.unique())
    table = TradeTable.armington(matrix(fit, "fitted", regions), theta=6.0, regions=regions)
    without = {"rta": within(("CAN", "MEX", "USA"), -1)}
    answer = counterfactual(table, found, without, deficits="proportional")
    log = pd.read_csv(folder / "stata_rerun_ch2_app2_nafta_by_country.csv").set_index("country")
    real = 100 * ((1 + log.change_price_FULL / 100) / (1 + log.change_IMR_FULL / 100) - 1)
    for code in ("CAN", "MEX", "USA"):
        ours = 100 * (1 / answer.equilibrium.real_income_hat[table.region(code)] - 1)
        published(
            AGTPA, "chapter 2, NAFTA, full equilibrium", f"{code} real GDP %", f"{real[code]:.3f}", ours, 0.08
        )
