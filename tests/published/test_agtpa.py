"""Yotov, Piermartini, Monteiro and Larch (2016), An Advanced Guide to Trade Policy Analysis, chapters 1, 2.

Chapter 1 as printed by the tradepolicy replication (three digits); column 3 of the RTA table is unresolved
in the reference and not tested. Chapter 2 from the log of the official do-file (seven digits).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from commands import Reference
from landbridge.estimation import Estimate, estimate

PAPER = "Yotov et al. (2016), Advanced Guide to Trade Policy Analysis"
YEARS = (1986, 1990, 1994, 1998, 2002, 2006)
ABROAD = "exporter != importer"


@pytest.fixture(scope="module")
def folder(reference: Reference) -> Path:
    return reference("trade/agtpa")


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "reference_ch1.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def panel(folder: Path) -> pd.DataFrame:
    data = pd.read_parquet(folder / "agtpa_panel.parquet")
    data = data[data.year.isin(YEARS)].copy()
    home = data.exporter == data.importer
    data["home"] = home.astype(int)
    data["abroad"] = (~home).astype(int)
    data["own"] = np.where(home, data.exporter, "abroad")
    return data


DISTANCE = {
    0: ("log(trade) ~ i(year, log(dist)) + cntg + lang + clny", ABROAD + " and trade > 0"),
    1: ("trade ~ i(year, log(dist)) + cntg + lang + clny", ABROAD),
    2: ("trade ~ i(year, log(dist)*abroad) + cntg + lang + clny + log(dist):home", None),
    3: ("trade ~ i(year, log(dist)*abroad) + cntg + lang + clny + log(dist):home + home", None),
    4: ("trade ~ i(year, log(dist)*abroad) + cntg + lang + clny", None),
}


@pytest.mark.parametrize("column", [0, 1, 2, 3, pytest.param(4, marks=pytest.mark.slow)])
def test_the_distance_puzzle(column: int, panel: pd.DataFrame, printed: Any, published: Any) -> None:
    table = printed["distance_puzzle"]
    formula, where = DISTANCE[column]
    formula += " | exporter^year + importer^year" + (" + own" if column == 4 else "")
    found = estimate(formula, panel, where, method="ols" if column == 0 else "ppml")
    place = f"distance puzzle, {table['columns'][column]}"
    tail = "log(dist)" if column < 2 else "log(dist)*abroad"
    for year in YEARS:
        value = table[f"ln_DIST_{year}"][column]
        published(PAPER, place, f"log distance {year}", f"{value:.3f}", found[f"year::{year}:{tail}"])
    names = {
        "CNTG": "cntg",
        "LANG": "lang",
        "CLNY": "clny",
        "ln_DIST_INTRA": "log(dist):home",
        "SMCTRY": "home",
    }
    for name, ours in names.items():
        value = table[name][column]
        if value is not None:
            published(PAPER, place, name, f"{value:.3f}", found[ours])
    assert found.n == table["N"][column] and not found.dropped


PAIR = " | exporter^year + importer^year + pair"
RTA = {
    0: "log(trade) ~ log(dist) + cntg + lang + clny + rta | exporter^year + importer^year",
    1: "trade ~ log(dist) + cntg + lang + clny + rta | exporter^year + importer^year",
    3: "trade ~ rta" + PAIR,
    4: "trade ~ rta + rta_lead4" + PAIR,
    5: "trade ~ rta + rta_lag4 + rta_lag8 + rta_lag12" + PAIR,
    6: "trade ~ rta + rta_lag4 + rta_lag8 + rta_lag12 + i(year, abroad, ref=2006)" + PAIR,
}


@pytest.mark.parametrize("column", [0, 1, 3, 4, *(pytest.param(k, marks=pytest.mark.slow) for k in (5, 6))])
def test_the_effect_of_agreements(column: int, panel: pd.DataFrame, printed: Any, published: Any) -> None:
    table = printed["rta"]
    where = {0: ABROAD + " and trade > 0", 1: ABROAD}.get(column)
    found = estimate(RTA[column], panel, where, method="ols" if column == 0 else "ppml")
    place = f"effects of RTAs, {table['columns'][column]}"
    names = {"RTA": "rta", "RTA_LEAD4": "rta_lead4", "RTA_LAG4": "rta_lag4", "RTA_LAG8": "rta_lag8"}
    for name, ours in (names | {"RTA_LAG12": "rta_lag12"}).items():
        value = table[name][column]
        if value is not None:
            published(PAPER, place, name, f"{value:.3f}", found[ours])
    error = next(r["standard_error"] for r in found.rows() if r["name"] == "rta")
    value = table["se_RTA_clustered_pair"][column]
    published(PAPER, place, "RTA, clustered error", f"{value:.3f}", error)
    if column == 6:
        border = table["INTL_BRDR_1986_1990_1994_1998_2002"]
        for year, value in zip(YEARS, border, strict=False):
            published(PAPER, place, f"border {year}", f"{value:.3f}", found[f"year::{year}:abroad"])
    assert found.n == table["N"][column]


def test_the_baseline_of_chapter_2_to_seven_digits(panel: pd.DataFrame, folder: Path, published: Any) -> None:
    log = json.loads((folder / "stata_rerun_ch2_ppml_baseline.json").read_text(encoding="utf-8"))
    found: Estimate = estimate(
        "trade ~ log(dist) + cntg + abroad | exporter + importer", panel, "year == 2006", cluster="none"
    )
    rows = {r["name"]: r for r in found.rows()}
    for name, ours in {"ln_DIST": "log(dist)", "CNTG": "cntg", "INTL_BRDR": "abroad"}.items():
        place = "chapter 2, baseline of 2006"
        digits = 7 if abs(log[name]) < 1 else 6  # Stata prints seven significant ones
        published(PAPER, place, name, f"{log[name]:.{digits}f}", rows[ours]["coefficient"])
        published(
            PAPER, place, f"{name}, robust error", f"{log['se'][name]:.7f}", rows[ours]["standard_error"]
        )
    assert found.n == log["N"]
