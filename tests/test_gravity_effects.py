"""Predictions, fixed effects and offsets of an estimate, against explicit dummies and a plain GLM by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from landbridge.errors import DataError
from landbridge.estimation import estimate, replicate

TWO = "trade ~ log(dist) + rta | exporter^year + importer^year"
THREE = "trade ~ rta | exporter^year + importer^year + pair"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    random = np.random.default_rng(5)
    regions = [f"R{k}" for k in range(7)]
    rows = [(o, d, t) for o in regions for d in regions for t in (2000, 2004, 2008)]
    data = pd.DataFrame(rows, columns=["exporter", "importer", "year"])
    dist = random.uniform(1, 9, (7, 7))
    place = {r: k for k, r in enumerate(regions)}
    data["dist"] = [dist[place[o], place[d]] + dist[place[d], place[o]] for o, d, _ in rows]
    data["rta"] = (random.random(len(rows)) < 0.3).astype(float)
    data["size"] = random.uniform(0.5, 2.0, len(rows))
    mean = np.exp(0.4 * data.rta - 0.8 * np.log(data.dist) + random.normal(0, 0.3, len(rows)))
    data["trade"] = mean * random.gamma(4, 0.25, len(rows)) * 100
    data.loc[random.choice(len(rows), 9, replace=False), "trade"] = 0.0
    return data


def by_dummies(data: pd.DataFrame, X: np.ndarray, effects: list[list[str]], offset: np.ndarray) -> np.ndarray:
    """Fitted flows of Poisson by Newton's method on every dummy written out, least norm in each step."""
    dummies = [pd.get_dummies(data[e].astype(str).agg("^".join, axis=1), dtype=float) for e in effects]
    D = np.column_stack([X, *(d.to_numpy() for d in dummies)])
    y = data.trade.to_numpy()
    eta = np.log(y + y.mean())
    for _ in range(60):
        mu = np.exp(eta)
        z = eta - offset + (y - mu) / mu
        root = np.sqrt(mu)
        beta = np.linalg.lstsq(D * root[:, None], z * root, rcond=1e-13)[0]
        eta, last = D @ beta + offset, eta
        if np.abs(eta - last).max() < 1e-13:
            break
    return np.asarray(np.exp(eta))


@pytest.mark.parametrize("offset", [None, "log(size)"])
@pytest.mark.parametrize("formula", [TWO, THREE])
def test_predictions_and_effects_equal_explicit_dummies(
    formula: str, offset: str | None, panel: pd.DataFrame
) -> None:
    found = estimate(formula, panel, offset=offset)
    assert found.n == len(panel)
    X = np.column_stack([np.log(panel.dist), panel.rta] if formula == TWO else [panel.rta])
    keys = [["exporter", "year"], ["importer", "year"]]
    frame = panel
    if formula == THREE:
        pair = [f"{min(o, d)}_{max(o, d)}" for o, d in zip(panel.exporter, panel.importer, strict=True)]
        frame, keys = panel.assign(pair=pair), [*keys, ["pair"]]
    held = np.zeros(len(panel)) if offset is None else np.log(panel["size"].to_numpy())
    expected = by_dummies(frame, X, keys, held)
    assert found.predict() == pytest.approx(expected, rel=1e-8)
    assert found.predict(kind="link") == pytest.approx(np.log(expected), abs=1e-8)
    mixed = panel.sample(frac=1.0, random_state=1).drop(columns="trade")
    assert found.predict(mixed) == pytest.approx(expected[mixed.index], rel=1e-8)
    # The effects of a row add up to what regressors and offset leave, and have the least sum of squares.
    values = found.fixef()
    left = np.log(expected) - held - X @ np.array([found[n] for n in found.names])
    total = sum(
        np.array([values["^".join(k)][label] for label in frame[k].astype(str).agg("^".join, axis=1)])
        for k in keys
    )
    assert total == pytest.approx(left, abs=1e-8)
    dummies = np.column_stack(
        [pd.get_dummies(frame[k].astype(str).agg("^".join, axis=1), dtype=float).to_numpy() for k in keys]
    )
    least = np.linalg.lstsq(dummies, left, rcond=1e-12)[0]
    assert np.linalg.norm(found.effects().value) == pytest.approx(np.linalg.norm(least), rel=1e-7)
    assert found.effects().groupby("effect").size().to_dict() == found.fixed_effects


def test_an_offset_stands_in_the_formula_or_beside_it(panel: pd.DataFrame, tmp_path: Path) -> None:
    beside = estimate("trade ~ rta | exporter + importer", panel, offset="log(size)", cluster="none")
    inside = estimate("trade ~ rta + offset(log(size)) | exporter + importer", panel, cluster="none")
    none = estimate("trade ~ rta | exporter + importer", panel, cluster="none")
    assert beside["rta"] == inside["rta"] != none["rta"]
    assert beside.formula == inside.formula
    # Without effects: an offset that is a constant moves the constant alone.
    plain = estimate("trade ~ rta", panel, cluster="none")
    moved = estimate("trade ~ rta", panel.assign(one=1.5), cluster="none", offset="one")
    assert moved["rta"] == pytest.approx(plain["rta"], abs=1e-9)
    assert moved["constant"] == pytest.approx(plain["constant"] - 1.5, abs=1e-9)
    replicate([beside], tmp_path)
    assert "held_offset" in (tmp_path / "data_1.csv").read_text(encoding="utf-8").splitlines()[0]
    for name in ("gravity_1.do", "gravity_1.R"):
        assert "held_offset" in (tmp_path / name).read_text(encoding="utf-8")
    with pytest.raises(DataError, match="is for ppml"):
        estimate("log(trade) ~ rta | exporter", panel, "trade > 0", method="ols", offset="size")
    with pytest.raises(DataError, match="empty or infinite"):
        estimate("trade ~ rta | exporter", panel.assign(zero=0.0), offset="log(zero)")
    with pytest.raises(DataError, match="two offsets"):
        estimate("trade ~ rta + offset(dist) | exporter", panel, offset="size")


def test_least_squares_predicts_the_left_side(panel: pd.DataFrame) -> None:
    found = estimate(
        "log(trade) ~ rta + i(year, rta, ref=2000) | exporter + pair", panel, "trade > 0", method="ols"
    )
    assert found.predict(found.sample.frame) == pytest.approx(found.predict(), abs=1e-8)
    some = found.sample.frame[found.sample.frame.year == 2004]
    assert found.predict(some) == pytest.approx(found.predict()[some.index], abs=1e-8)


def test_rows_without_an_effect_are_told(panel: pd.DataFrame) -> None:
    found = estimate(TWO, panel)
    new = panel.head(3).assign(year=[2000, 2012, 2000])
    with pytest.raises(DataError, match="R0\\^2012"):
        found.predict(new)
    assert np.isnan(found.predict(new, unseen="nan")).tolist() == [False, True, False]
    with pytest.raises(DataError, match="no column 'dist'"):
        found.predict(panel.drop(columns="dist"))
    with pytest.raises(DataError, match="response or link"):
        found.predict(kind="odds")  # type: ignore[arg-type]
