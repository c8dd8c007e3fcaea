"""Conditional equilibrium, resistances, regional trade, tables of fitted flows: against their equations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from commands import Reference
from landbridge.errors import DataError, InfeasibleError
from landbridge.estimation import estimate
from landbridge.trade import TradeTable, conditional, resistances, solve

N, THETA = 6, 5.0


def table(home: float = 5.0) -> TradeTable:
    random = np.random.default_rng(2)
    flows = random.lognormal(3, 1, (N, N)) + np.diag(home * random.uniform(50, 90, N))
    flows[0, 3] = 0.0
    return TradeTable.armington(flows, theta=THETA, regions=[f"R{k}" for k in range(N)])


def shock() -> np.ndarray:
    cost = np.random.default_rng(3).uniform(0.8, 1.3, (N, N))
    np.fill_diagonal(cost, 1.0)
    return cost


@pytest.mark.parametrize("home", [0.0, 5.0, 5000.0])
def test_output_and_expenditure_are_held_and_resistances_solve_their_equations(home: float) -> None:
    base, cost = table(home), shock()
    found = conditional(base, cost, "R2")
    assert found.trade.sum(axis=1) == pytest.approx(base.output, rel=1e-10)
    assert found.trade.sum(axis=0) == pytest.approx(base.expenditure, rel=1e-10)
    before, after = base.trade[:, :, 0], found.trade[:, :, 0]
    out, into = found.outward_hat[:, 0], found.inward_hat[:, 0]
    assert after == pytest.approx(before * cost**-THETA * np.outer(out, into) ** THETA, rel=1e-10)
    assert into[2] == 1.0 and found.status.converged and found.status.residual <= 1e-10
    share = before / before.sum(axis=0)
    assert into**-THETA == pytest.approx((share * (cost / out[:, None]) ** -THETA).sum(axis=0), rel=1e-9)
    assert found.real_income_hat == pytest.approx(1 / into)
    other = conditional(base, cost, "R4")
    assert other.trade == pytest.approx(found.trade, rel=1e-9)
    assert np.ptp(np.log(other.inward_hat / found.inward_hat)) < 1e-9
    frame = found.frame()
    abroad = ~np.eye(N, dtype=bool)
    exports = (after * abroad).sum(axis=1) / (before * abroad).sum(axis=1) - 1
    assert frame.exports_percent.to_numpy() == pytest.approx(100 * exports)


def test_the_conditional_equilibrium_says_what_it_cannot_do() -> None:
    base = table()
    with pytest.raises(DataError, match="resistances have no level"):
        conditional(base, shock(), None)
    with pytest.raises(DataError, match="R22"):
        conditional(base, shock(), "R22")
    closed = np.ones((N, N))
    closed[1] = np.inf
    with pytest.raises(InfeasibleError, match="output of ALL in R1"):
        conditional(base, closed, "R2")
    with pytest.raises(DataError, match="combined with another shock"):
        solve(base, shock(), productivity_hat=np.full(N, 1.1), hold="output", reference="R2")
    with pytest.raises(DataError, match='give "output"'):
        solve(base, shock(), hold="input", reference="R2")
    asked = solve(base, shock(), hold="output", reference="R2")
    assert (asked.trade == conditional(base, shock(), "R2").trade).all()
    same = conditional(base, np.ones((N, N)), "R2")
    assert (same.trade == base.trade).all() and (same.inward_hat == 1).all()


def test_resistances_of_a_full_equilibrium_rebuild_its_flows() -> None:
    base, cost = table(), shock()
    lift = np.linspace(0.9, 1.2, N)
    after = solve(base, cost, productivity_hat=lift)
    found = after.resistances("R1")
    assert found.equals(resistances(after, "R1"))
    out, into = found.outward_hat.to_numpy(), found.inward_hat.to_numpy()
    assert into[1] == 1.0
    table_after = after.table()
    output = table_after.output[:, 0] / after.base.output[:, 0]
    spent = table_after.expenditure[:, 0] / after.base.expenditure[:, 0]
    world = table_after.output.sum() / after.base.output.sum()
    rebuilt = (
        after.base.trade[:, :, 0] * (cost / np.outer(out, into)) ** -THETA * np.outer(output, spent) / world
    )
    assert rebuilt == pytest.approx(after.trade[:, :, 0], rel=1e-8)


def test_exports_imports_and_real_gdp_by_region() -> None:
    base, cost = table(), shock()
    after = solve(base, cost)
    plain, wide = after.frame(), after.frame(trade=True)
    assert list(plain.columns) == list(wide.columns[: len(plain.columns)])
    assert wide[plain.columns].equals(plain)
    abroad = ~np.eye(N, dtype=bool)
    new, old = after.trade[:, :, 0] * abroad, after.base.trade[:, :, 0] * abroad
    assert wide.exports_percent.to_numpy() == pytest.approx(100 * (new.sum(axis=1) / old.sum(axis=1) - 1))
    assert wide.imports_percent.to_numpy() == pytest.approx(100 * (new.sum(axis=0) / old.sum(axis=0) - 1))
    # Without tariffs and with fixed factors real GDP moves with the real wage.
    assert wide.real_gdp_percent.to_numpy() == pytest.approx(wide.real_wage_percent.to_numpy())
    shown = after.frame(reference="R3")
    ratio = (1 + wide.exports_percent / 100) / (1 + shown.exports_percent / 100)
    assert ratio.to_numpy() == pytest.approx(after.price_hat[3, 0])
    assert shown.real_gdp_percent.equals(wide.real_gdp_percent)


def test_a_table_of_fitted_flows_adds_up(reference: Reference) -> None:
    data = pd.read_parquet(reference("trade/agtpa") / "agtpa_panel.parquet")
    some = sorted(data.exporter.unique())[:12]
    data = data[data.exporter.isin(some) & data.importer.isin(some) & data.year.isin([2002, 2006])]
    found = estimate("trade ~ rta | exporter^year + importer^year", data)
    made = TradeTable.from_estimate(found, theta=6.0, year=2006)
    assert list(made.regions) == some and float(made.theta[0]) == 6.0
    seen = data[data.year == 2006].pivot(index="exporter", columns="importer", values="trade").loc[some, some]
    assert made.output[:, 0] == pytest.approx(seen.sum(axis=1).to_numpy(), rel=1e-6)
    assert made.expenditure[:, 0] == pytest.approx(seen.sum(axis=0).to_numpy(), rel=1e-6)
    fit = found.predict(data[data.year == 2006])
    rows = data[data.year == 2006]
    here = made.trade[[some.index(o) for o in rows.exporter], [some.index(d) for d in rows.importer], 0]
    assert here == pytest.approx(fit, rel=1e-8)
    with pytest.raises(DataError, match="give one of 2002, 2006"):
        TradeTable.from_estimate(found)
    abroad = estimate("trade ~ rta | exporter + importer", data, "exporter != importer and year == 2006")
    with pytest.raises(DataError, match="no domestic sales"):
        TradeTable.from_estimate(abroad)
    with pytest.raises(DataError, match="is a DataFrame"):
        TradeTable.from_estimate(data)
    holes = data[(data.exporter != "ARG") | (data.importer != "AUS")]
    part = estimate("trade ~ rta | exporter^year + importer^year", holes)
    with pytest.raises(DataError):
        TradeTable.from_estimate(part, year=2006)
    assert TradeTable.from_estimate(part, year=2006, fill_missing=True).trade[0, 1, 0] == 0.0
