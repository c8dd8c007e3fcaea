"""Gravity estimation: what is read, refused, dropped and told, and what comes out beside other arithmetic."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from commands import Call, Reference
from landbridge.errors import DataError
from landbridge.estimation import bias_correct, estimate, jackknife, table
from landbridge.estimation.absorb import (
    Groups,
    collinear,
    recode,
    separated_by_groups,
    separated_by_regressors,
    separated_by_two_effects,
)
from landbridge.estimation.expressions import condition, parse_formula
from landbridge.estimation.pyfixest_fit import vanished
from landbridge.estimation.replicate import replicate
from landbridge.trade import TradeTable, cost_hat, counterfactual, within

THREE = "exporter^year + importer^year + pair"


@pytest.fixture(scope="module")
def flows(reference: Reference) -> pd.DataFrame:
    """Fourteen countries of the AGTPA panel, 1998-2006: real flows, quick to estimate."""
    data = pd.read_parquet(reference("trade/agtpa") / "agtpa_panel.parquet")
    some = sorted(data.exporter.unique())[:14]
    return data[data.exporter.isin(some) & data.importer.isin(some) & (data.year >= 1998)].copy()


# -- conditions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("year % 4 == 2", lambda d: d.year % 4 == 2),
        ("exporter != importer and trade > 0", lambda d: (d.exporter != d.importer) & (d.trade > 0)),
        ("exporter != importer & trade > 0", lambda d: (d.exporter != d.importer) & (d.trade > 0)),
        ("(year == 1998) | year == 2002", lambda d: d.year.isin([1998, 2002])),
        (
            "exporter in ['ARG', 'AUS'] and not rta == 1",
            lambda d: d.exporter.isin(["ARG", "AUS"]) & (d.rta != 1),
        ),
        ("1998 <= year < 2002", lambda d: (d.year >= 1998) & (d.year < 2002)),
        ("!(rta == 1) && year not in (1998, 1999)", lambda d: (d.rta != 1) & ~d.year.isin([1998, 1999])),
    ],
)
def test_a_condition_means_what_it_says(text: str, same: Any, flows: pd.DataFrame) -> None:
    assert (condition(text, flows) == same(flows).to_numpy(dtype=bool)).all()


HOSTILE = [
    "__import__('os').system('echo hi')",
    "trade.__class__ == 1",
    "@pd.io.common == 1",
    "exporter[0] == 'A'",
    "(lambda: 1)() == 1",
    "[x for x in (1, 2)] == 1",
    "trade if rta else year",
    "f'{trade}' == '1'",
    "open('x') == 1",
    "9**9**9**9 == trade",
    "(" * 3000 + "trade" + ")" * 3000,
    "trade > 0; import os",
    "(y := 3) == 3",
    "trade = 1",
    "exporter > 3",
    "trade",
    "trade + 1",
    "exporter + 1 == 2",
    "trade == 1" + "0" * 1200,
    "",
]


@pytest.mark.parametrize("text", [h for h in HOSTILE if h and "9**9" not in h])
def test_a_hostile_condition_is_a_fault_and_runs_nothing(text: str, flows: pd.DataFrame) -> None:
    with pytest.raises(DataError) as caught:
        condition(text, flows)
    assert caught.value.faults


def test_towers_of_powers_are_no_work(flows: pd.DataFrame) -> None:
    assert not condition("9**9**9**9 == trade", flows).any()


@pytest.mark.parametrize(
    "text",
    [
        "trade",
        "trade ~",
        "trade ~ rta | pair | year",
        "trade ~ rta ~ dist",
        "trade ~ os.system('x')",
        "trade ~ rta + + dist",
        "trade ~ eval(dist) | pair",
        "trade ~ sw(rta, dist) | pair",
        "trade ~ rta + rta | pair",
        "trade ~ i(__import__('os')) | pair",
        "trade ~ rta | exporter[year]",
        "trade ~ rta | __import__('os')",
        "i(trade) ~ rta",
    ],
)
def test_a_broken_formula_is_a_fault(text: str, flows: pd.DataFrame) -> None:
    with pytest.raises(DataError) as caught:
        estimate(text, flows)
    assert caught.value.faults


def test_a_formula_is_read_as_the_field_writes_it() -> None:
    found = parse_formula("trade ~ rta*lang + np.log(dist) + i(year, rta, ref=1998) | exporter^year + pair")
    assert [t.name for t in found.terms] == ["rta", "lang", "rta:lang", "log(dist)", "i(year,rta,ref=1998)"]
    assert found.effects == (("exporter", "year"), ("pair",))


# -- data ------------------------------------------------------------------------------------------


def test_all_faults_are_told_at_once(flows: pd.DataFrame) -> None:
    with pytest.raises(DataError) as caught:
        estimate("trade ~ rtaa + lnag | exporter^yr", flows, "yaer > 3")
    text = str(caught.value)
    assert all(word in text for word in ("'rta'", "'lang'", "'year'", "'yaer'"))
    bad = flows.copy()
    bad["trade"] = bad.trade.astype(float)
    bad.iloc[3, bad.columns.get_loc("trade")] = -1.0
    bad.iloc[5, bad.columns.get_loc("trade")] = np.nan
    bad.iloc[9, bad.columns.get_loc("dist")] = 0.0
    bad = pd.concat([bad, bad.iloc[[7]]])
    with pytest.raises(DataError) as caught:
        estimate("trade ~ rta + log(dist) + exporter | importer^year", bad)
    text = str(caught.value)
    assert "negative in 1 row (row 4: ARG" in text and "empty in 1 row (row 6" in text
    assert "infinite in 1 row (row 10" in text and "same flow again" in text and "i(exporter)" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.assign(year=d.year.astype(str)), "holds text"),
        (lambda d: d.assign(trade=0.0), "is 0 in every row"),
        (lambda d: d.assign(trade=d.trade.astype(str)), "holds text"),
        (
            lambda d: d.assign(trade=d.trade.astype(object).where(np.arange(len(d)) != 4, "1,234")),
            "holds text, '1,234' first, in 1 row (row 5: ",
        ),
        (lambda d: d.iloc[:0], "the data have no rows"),
        (lambda d: d.assign(exporter=d.exporter.where(d.exporter != "ARG")), "is empty"),
        (lambda d: d.drop(columns=["importer"]), "none to build it from"),
        (lambda d: d.assign(rta=1), "does not vary"),
        (lambda d: pd.concat([d, d[["rta"]]], axis=1), "appears twice"),
    ],
)
def test_data_that_cannot_be_estimated_say_why(change: Any, said: str, flows: pd.DataFrame) -> None:
    with pytest.raises(DataError) as caught:
        estimate(f"trade ~ rta | {THREE}", change(flows))
    assert said in str(caught.value)
    if said.startswith("holds text"):
        assert len(caught.value.faults) == 1


def test_every_format_gives_the_same_numbers(flows: pd.DataFrame, tmp_path: Path) -> None:
    small = flows[flows.year.isin([1998, 2006])].astype({"exporter": object, "importer": object})
    small = small.astype({c: float for c in small.columns if c not in ("exporter", "importer")})
    small.to_csv(tmp_path / "f.csv", index=False)
    small.to_parquet(tmp_path / "f.parquet")
    small.to_stata(tmp_path / "f.dta", write_index=False)
    small.head(200).to_excel(tmp_path / "f.xlsx", index=False)
    formula = "trade ~ rta + log(dist) | exporter^year + importer^year"
    want = estimate(formula, small)
    for ending in ("csv", "parquet", "dta"):
        found = estimate(formula, tmp_path / f"f.{ending}")
        assert found["rta"] == pytest.approx(want["rta"], rel=1e-9)
    assert estimate("trade ~ log(dist) | exporter + importer", tmp_path / "f.xlsx", "year == 1998").n > 50
    for name in ("none.csv", "f.docx"):
        with pytest.raises(DataError):
            estimate(formula, tmp_path / name)
    (tmp_path / "no.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError):
        estimate(formula, tmp_path / "no.parquet")


def test_pairs_are_symmetric_and_domestic_ones_their_own(flows: pd.DataFrame) -> None:
    found = estimate(f"trade ~ rta | {THREE}", flows)
    pair = found.sample.frame.groupby("pair")
    home = found.sample.frame.exporter == found.sample.frame.importer
    assert pair.apply(lambda g: g.exporter.nunique()).max() == 2
    assert (found.sample.frame[home].groupby("pair").exporter.nunique() == 1).all()
    assert "each domestic pair is its own" in found.built[0]
    lumped = flows.assign(pair=np.where(flows.exporter == flows.importer, "home", flows.exporter))
    noted = estimate("trade ~ rta + log(dist) | importer^year + pair", lumped)
    assert not any("domestic" in n for n in noted.notes)
    lumped["pair"] = np.where(lumped.exporter < "C", "a", "b")
    noted = estimate("trade ~ rta + log(dist) | importer^year + pair", lumped)
    assert any("domestic" in n for n in noted.notes)


# -- what has no coefficient, and which rows say nothing -------------------------------------------


def test_absorbed_regressors_are_named_and_have_no_coefficient(flows: pd.DataFrame) -> None:
    flows = flows.assign(both=flows.rta + flows.rta_lag4, dist=flows.dist * 1.0)
    found = estimate(f"trade ~ log(dist) + rta + rta_lag4 + both + cntg + year | {THREE}", flows)
    why = {d.name: d.reason for d in found.dropped}
    assert set(found.names) == {"rta", "rta_lag4"} and set(why) == {"log(dist)", "both", "cntg", "year"}
    assert "pair" in why["log(dist)"] and "rta, rta_lag4" in why["both"]
    assert "log(dist)" in found.table() and "log(dist)" not in found.coef().index
    with pytest.raises(DataError, match="absorbs"):
        found["cntg"]
    with pytest.raises(DataError) as caught:
        estimate("trade ~ log(dist) + lang | pair", flows)
    assert len(caught.value.faults) == 2


def test_projection_equals_dense_least_squares() -> None:
    random = np.random.default_rng(1)
    codes = tuple(recode(random.integers(0, k, 300)) for k in (7, 11, 40))
    X = random.normal(size=(300, 3))
    D = np.column_stack([c == k for c in codes for k in range(int(c.max()) + 1)]).astype(float)
    want = X - D @ np.linalg.lstsq(D, X, rcond=None)[0]
    assert np.abs(Groups(("a", "b", "c"), codes).project(X) - want).max() < 1e-10


def test_groups_of_zeros_and_rows_alone_are_left_out_until_none_is_left() -> None:
    a = np.array([0, 0, 1, 1, 2, 2, 3])
    b = np.array([0, 1, 0, 1, 2, 2, 2])
    keep, zero, alone = separated_by_groups(np.array([1.0, 2, 3, 1, 0, 0, 5]), Groups(("a", "b"), (a, b)))
    assert keep.tolist() == [True] * 4 + [False] * 3 and (zero, alone) == (2, 1)


def test_a_regressor_that_only_zero_flows_have_is_separation() -> None:
    random = np.random.default_rng(2)
    g = recode(random.integers(0, 5, 200))
    y = random.poisson(3.0, 200).astype(float) + (np.arange(200) % 10 != 0)
    y[::10] = 0.0
    only = np.zeros(200)
    only[:100:10] = 1.0
    x = random.normal(size=200)
    groups = Groups(("g",), (g,))
    lost = separated_by_regressors(y, np.column_stack([x, only]), groups, True)
    assert (lost == (only > 0)).all()
    assert not separated_by_regressors(y, x[:, None], groups, True).any()
    frame = pd.DataFrame({"trade": y, "x": x, "only": only, "g": g})
    found = estimate("trade ~ x + only | g", frame)
    assert found.separated == {"zero flows that regressors fit exactly": 10}
    assert [d.name for d in found.dropped] == ["only"] and found.n == 190
    # The same by leaving the rows out by hand.
    bare = estimate("trade ~ x | g", frame[only == 0])
    assert found["x"] == pytest.approx(bare["x"], rel=1e-9)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_the_unit_of_the_flow_decides_nothing(unit: float) -> None:
    # Two blocs that trade inside; from the first to the second only zeros, the other way no rows: effects
    # of both sides fit those zeros exactly, together and not each alone.
    random = np.random.default_rng(3)
    pairs = [(i, j) for i in range(12) for j in range(12) if not (i >= 6 > j)]
    frame = pd.DataFrame(pairs, columns=["i", "j"]).assign(x=random.normal(size=len(pairs)))
    across = (frame.i < 6) & (frame.j >= 6)
    frame["trade"] = np.where(across, 0.0, unit * (0.5 + random.poisson(4.0, len(pairs))))
    found = estimate("trade ~ x | i + j", frame)
    assert found.separated == {"zero flows that two fixed effects fit exactly": 36}
    bare = estimate("trade ~ x | i + j", frame[~across])
    assert found["x"] == pytest.approx(bare["x"], rel=1e-8)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_a_vanished_flow_is_judged_in_its_own_unit(unit: float) -> None:
    y = unit * np.array([0.0, 0.0, 0.4, 2.0])
    fit = SimpleNamespace(_Y_hat_response=unit * np.array([1e-12, 1e-4, 0.3, 2.0]))
    assert vanished(y, fit, "ppml").tolist() == [True, False, False, False]


def test_zeros_that_run_in_a_circle_are_kept() -> None:
    # Blocs 0, 1, 2 trade inside. Zeros 0 to 1 and back carry information, zeros 1 to 2 do not.
    blocs = [(a, b) for a in range(3) for b in range(3) if a == b or (a, b) in ((0, 1), (1, 0), (1, 2))]
    rows = [(2 * a + i, 2 * b + j, a, b) for a, b in blocs for i in range(2) for j in range(2)]
    i, j, a, b = np.array(rows).T
    y = np.where(a == b, 3.0, 0.0)
    lost = separated_by_two_effects(y, Groups(("i", "j"), (recode(i), recode(j))))
    assert (lost == ((a == 1) & (b == 2))).all()


def test_a_covariance_that_cannot_be_drawn_from_is_told(flows: pd.DataFrame) -> None:
    names = ("rta", "cntg")
    found = estimate("trade ~ rta + cntg | exporter^year + importer^year", flows)
    # What two-way clustering may give: each variance is positive, their matrix is not.
    found.fit._vcov = np.array([[1.0, 2.0], [2.0, 1.0]])
    table = TradeTable.armington([[90.0, 10], [12, 80]], regions=["A", "B"])
    changes = {name: [("A", "B")] for name in names}
    with pytest.raises(DataError, match="not positive definite"):
        counterfactual(table, found, changes, draws=5)


def test_collinear_keeps_the_first() -> None:
    x = np.arange(12.0)
    X = np.column_stack([x, 2 * x + 1, np.ones(12), x**2])
    keep, dropped = collinear(["a", "b", "c", "d"], X, Groups((), ()), True)
    assert keep.tolist() == [True, False, False, True] and [d.name for d in dropped] == ["b", "c"]


# -- the estimate ----------------------------------------------------------------------------------


def test_it_is_pyfixest_s_estimate_and_solves_the_equations(flows: pd.DataFrame) -> None:
    found = estimate(f"trade ~ rta + rta_lag4 | {THREE}", flows)
    assert found.coef()["rta"] == found["rta"] and found.se().index.tolist() == ["rta", "rta_lag4"]
    assert set(found.tidy().index) == {"rta", "rta_lag4"}
    assert found.status.converged and found.status.residual < 1e-8
    gap = found.sample.y - found.fitted
    assert abs(found.sample.X.T @ gap).max() < 1e-6 * found.sample.y.sum()
    scaled = estimate(f"trade ~ rta + rta_lag4 | {THREE}", flows.assign(trade=flows.trade * 1000))
    assert scaled["rta"] == pytest.approx(found["rta"], rel=1e-8)
    shuffled = estimate(f"trade ~ rta + rta_lag4 | {THREE}", flows.sample(frac=1, random_state=3))
    assert shuffled["rta"] == pytest.approx(found["rta"], rel=1e-8)


def test_clustered_errors_are_the_sandwich_by_hand(flows: pd.DataFrame) -> None:
    found = estimate("trade ~ rta + log(dist) | exporter + importer", flows, "year == 2006")
    frame, mu = found.sample.frame, found.fitted
    D = pd.get_dummies(frame[["exporter", "importer"]]).to_numpy(dtype=float)
    w = np.sqrt(mu)[:, None]
    X = found.sample.X - D @ np.linalg.lstsq(w * D, w * found.sample.X, rcond=None)[0]
    bread = np.linalg.inv(X.T @ (mu[:, None] * X))
    scores = pd.DataFrame(X * (found.sample.y - mu)[:, None]).groupby(frame.pair.to_numpy()).sum().to_numpy()
    G = len(scores)
    want = bread @ (scores.T @ scores) @ bread * G / (G - 1)
    assert found.covariance.to_numpy() == pytest.approx(want, rel=1e-5)
    assert found.clusters == {"pair": G}
    assert estimate("trade ~ rta | exporter + importer", flows, "year == 2006", "none").clusters == {}
    two = estimate("trade ~ rta | exporter + importer", flows, "year == 2006", "exporter + importer")
    assert set(two.clusters) == {"exporter", "importer"} and any("clusters" in n for n in two.notes)


def test_empty_regressors_leave_rows_out_and_missing_pair_years_are_told(flows: pd.DataFrame) -> None:
    holes = flows.assign(rta=flows.rta.astype(float)).reset_index(drop=True)
    holes.loc[:9, "rta"] = np.nan
    found = estimate("trade ~ rta + log(dist) | exporter^year + importer^year", holes.drop(index=[50, 60]))
    assert list(found.left_out.values()) == [10]
    assert any(n.startswith("2 of") or "pair-years have no row" in n for n in found.notes)


def test_tables_stand_in_four_styles(flows: pd.DataFrame) -> None:
    one = estimate("trade ~ rta + log(dist) | exporter^year + importer^year", flows)
    two = estimate(f"trade ~ rta + log(dist) | {THREE}", flows)
    text = table([one, two], titles=["two-way", "three-way"])
    assert "two-way" in text and "three-way: Dropped: log(dist)" in text and "***" in text
    assert r"\begin{tabular}" in table([one, two], "latex") and "exporter\\^{}year" in table([one], "latex")
    assert table([one, two], "markdown").startswith("|") and table([one, two], "csv").startswith(",(1),(2)")
    small = estimate("trade ~ dist | exporter^year + importer^year", flows)
    assert "e-0" in small.table() and "(0.000)" not in small.table()
    for bad in ({"style": "word"}, {"titles": ["a"]}):
        with pytest.raises(DataError):
            table([one, two], **bad)


def test_the_files_for_stata_and_r_hold_the_same_sample(flows: pd.DataFrame, tmp_path: Path) -> None:
    found = estimate(f"trade ~ rta + i(year, rta, ref=1998) | {THREE}", flows)
    written = replicate([found], tmp_path / "out")
    assert [p.name for p in written] == ["data_1.csv", "gravity_1.do", "gravity_1.R"]
    data = pd.read_csv(written[0])
    names = [c for c in data.columns if c.startswith(("rta", "year"))]
    formula = f"trade ~ {' + '.join(names)} | exporter_x_year + importer_x_year + fe_pair"
    again = estimate(formula, data, cluster="cl_pair")
    assert list(again.coef()) == pytest.approx(list(found.coef()), rel=1e-8)
    assert list(again.se()) == pytest.approx(list(found.se()), rel=1e-6)
    do, r = (p.read_text(encoding="utf-8") for p in written[1:])
    assert f"ppmlhdfe trade {' '.join(names)}, absorb(exporter_x_year importer_x_year fe_pair)" in do
    assert "fepois(trade ~ " in r and f"{found['rta']:.9g}" in do and f"{found['rta']:.9g}" in r


# -- bias ------------------------------------------------------------------------------------------

DIRECTED = "exporter^year + importer^year + exporter^importer"


def simulated(random: np.random.Generator, N: int = 20, T: int = 5) -> pd.DataFrame:
    """A draw of the first design of Weidner and Zylkin (2021): coefficient one, variance of noise one."""
    a, g = random.normal(0, 1 / 16, (N, T + 1)), random.normal(0, 1 / 16, (N, T + 1))
    e = random.normal(0, 1 / 16, (N, N))
    x, z = e + random.normal(0, 0.5, (N, N)), random.normal(size=(N, N))
    rows = []
    i, j = np.meshgrid(range(N), range(N), indexing="ij")
    abroad = (i != j).ravel()
    for t in range(1, T + 1):
        fixed = a[:, None, t] + g[None, :, t] + e
        x = x / 2 + fixed + random.normal(0, 0.5, (N, N))
        z = 0.3 * z + random.normal(0, np.sqrt(1 - 0.09), (N, N))
        mean = np.exp(x + fixed)
        spread = np.log1p(1 / mean**2)
        flow = mean * np.exp(-spread / 2 + np.sqrt(spread) * z)
        columns = {"exporter": i, "importer": j, "trade": flow, "x": x}
        frame = pd.DataFrame({k: v.ravel() for k, v in columns.items()})[abroad]
        rows.append(frame.assign(year=t))
    return pd.concat(rows, ignore_index=True)


def test_the_correction_is_for_directed_three_way_ppml_only(flows: pd.DataFrame) -> None:
    for effects in (THREE, "exporter^year + importer^year"):
        with pytest.raises(DataError, match="exporter\\^importer"):
            bias_correct(estimate(f"trade ~ rta | {effects}", flows))
    found = estimate(f"trade ~ rta | {DIRECTED}", flows, cluster="exporter^importer")
    corrected = bias_correct(found)
    row = corrected.table().iloc[0]
    assert row.estimated == pytest.approx(found["rta"]) and row.coefficient == row.estimated - row.bias
    # Without the leverage it is the ordinary clustered error.
    assert row.uncorrected_error == pytest.approx(found.se()["rta"], rel=1e-4)
    assert row.standard_error > row.uncorrected_error and abs(row.bias) < row.standard_error


@pytest.mark.slow
def test_simulated_bias_and_coverage_improve() -> None:
    random = np.random.default_rng(7)
    rows = []
    for _ in range(100):
        data = simulated(random)
        found = estimate(f"trade ~ x | {DIRECTED}", data, cluster="exporter^importer")
        corrected = bias_correct(found).table().iloc[0]
        split = jackknife(found, data)[0] if len(rows) < 40 else np.nan
        rows.append((found["x"], corrected.coefficient, found.se()["x"], corrected.standard_error, split))
    plain, mended, error, wide, split = np.array(rows).T
    noise = mended.std() / np.sqrt(len(mended))
    assert plain.mean() - 1 > 3 * noise  # there is a bias to correct
    assert abs(mended.mean() - 1) < 0.5 * abs(plain.mean() - 1)
    assert abs(np.nanmean(split) - mended[:40].mean()) < 4 * np.nanstd(split - mended) / np.sqrt(40)
    covered = [np.mean(np.abs(b - 1) < 1.96 * s) for b, s in ((plain, error), (mended, wide))]
    assert covered[1] > covered[0] and covered[1] > 0.88


# -- into trade costs ------------------------------------------------------------------------------


def test_a_coefficient_becomes_a_trade_cost(flows: pd.DataFrame) -> None:
    found = estimate(f"trade ~ rta + log(dist) | {THREE}", flows)
    year = flows[flows.year == 2006]
    regions = sorted(year.exporter.unique())
    trade = year.pivot(index="exporter", columns="importer", values="trade").loc[regions, regions]
    economy = TradeTable.armington(trade.to_numpy(), theta=5.0, regions=regions)
    hat = cost_hat(economy, {"rta": found["rta"]}, {"rta": within(("ARG", "AUS"))})
    a, b = economy.region("ARG"), economy.region("AUS")
    assert hat[a, b, 0] == hat[b, a, 0] == pytest.approx(np.exp(-found["rta"] / 5.0))
    assert (hat != 1).sum() == 2
    answer = counterfactual(economy, found, {"rta": within(("ARG", "AUS"))}, draws=30, seed=4)
    again = counterfactual(economy, found, {"rta": within(("ARG", "AUS"))}, draws=30, seed=4)
    assert (answer.drawn == again.drawn).all() and answer.failed == 0
    rows = answer.table().set_index("region")
    assert rows.percent["ARG"] * found["rta"] > 0 and (rows.low <= rows.high).all()
    none = counterfactual(economy, found, {"rta": []})
    assert np.abs(none.percent).max() < 1e-9
    for bad in ({"log(dist)": []}, {"rtaa": []}, {"rta": [("ARG", "XXX")]}, {"rta": ["ARG"]}):
        with pytest.raises(DataError):
            counterfactual(economy, found, bad)
    with pytest.raises(DataError, match="dropped"):
        counterfactual(economy, found, {"log(dist)": []})


# -- the command -----------------------------------------------------------------------------------


def test_the_command_prints_what_was_asked(call: Call, flows: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    flows.to_csv(path, index=False)
    formula = f"trade ~ rta + log(dist) | {THREE}"
    code, out, err = call("gravity", formula, str(path), "--where", "year >= 2000", "--json")
    document = json.loads(out)
    assert code == 0 and set(document) == {"schema_version", "result", "status", "manifest"}
    result = document["result"]
    want = estimate(formula, flows, "year >= 2000")
    assert result["coefficients"][0]["coefficient"] == pytest.approx(want["rta"], rel=1e-9)
    assert result["n"] == want.n and result["dropped"][0]["name"] == "log(dist)"
    assert document["manifest"]["libraries"]["pyfixest"] and document["status"]["converged"]
    code, out, err = call(
        "gravity",
        formula,
        str(path),
        "--also",
        "trade ~ rta | exporter^year + importer^year",
        "--export",
        str(tmp_path / "x"),
        "-o",
        str(tmp_path / "t.md"),
    )
    assert code == 0 and out == "" and "gravity_2.R" in err
    assert (tmp_path / "t.md").read_text(encoding="utf-8").startswith("|")
    code, out, err = call("gravity", formula, str(path))
    assert code == 0 and "Dropped: log(dist)" in out and "(1)" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("trade ~ rta | pair", "none.csv"), 3, "is no file"),
        (("trade ~ rta | pair", "FLOWS", "--where", "open('x') == 1"), 3, "calls a function"),
        (("trade rta", "FLOWS"), 3, "needs one ~"),
        (("trade ~ rta | pair", "FLOWS", "-o", "x.docx"), 2, "should end in"),
        (("trade ~ rta | pair", "FLOWS", "--cluster", "a + b + c"), 3, "give one or two"),
        (("trade ~ rta | pair", "FLOWS", "--cluster", "countri"), 3, "no column 'countri'"),
    ],
)
def test_the_command_says_what_is_wrong(
    call: Call, flows: pd.DataFrame, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    path = tmp_path / "flows.csv"
    flows.head(500).to_csv(path, index=False)
    found, _, err = call("gravity", *(str(path) if w == "FLOWS" else w for w in words))
    assert found == code and said in err


def test_without_pyfixest_the_command_says_how_to_get_it(
    call: Call, flows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flows.csv"
    flows.head(500).to_csv(path, index=False)
    monkeypatch.setitem(sys.modules, "pyfixest", None)
    code, _, err = call("gravity", "trade ~ rta | pair", str(path))
    assert code == 1 and '[estimation]"' in err
