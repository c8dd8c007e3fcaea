"""Trade tables from long data frames: the same table, or one report of all that is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from landbridge.errors import DataError
from landbridge.trade import TradeTable, solve
from test_equilibrium import small


def frames(table: TradeTable) -> dict[str, pd.DataFrame]:
    r, s = table.regions, table.sectors
    index = pd.MultiIndex.from_product([r, r, s], names=["origin", "destination", "sector"])
    trade = pd.DataFrame({"trade": table.trade.ravel(), "tariff": table.tariff.ravel()}, index).reset_index()
    index = pd.MultiIndex.from_product([r, s], names=["region", "sector"])
    production = pd.DataFrame(
        {"value_added_share": table.value_added_share.ravel(), "final_share": table.final_share.ravel()},
        index,
    ).reset_index()
    index = pd.MultiIndex.from_product([r, s, s], names=["region", "input", "using"])
    inputs = pd.DataFrame({"share": table.input_share.ravel()}, index).reset_index()
    return {"trade": trade, "production": production, "inputs": inputs}


def test_there_and_back() -> None:
    table = small()
    theta = dict(zip(table.sectors, table.theta, strict=True))
    given = {k: v.sample(frac=1, random_state=0) for k, v in frames(table).items()}
    made = TradeTable.from_frame(**given, theta=theta)
    assert (made.regions, made.sectors) == (table.regions, table.sectors)
    for name in ("trade", "tariff", "value_added_share", "input_share", "final_share", "theta"):
        assert np.allclose(getattr(made, name), getattr(table, name), rtol=1e-15), name


def test_all_faults_in_one_report() -> None:
    given = frames(small())
    trade = given["trade"]
    trade.loc[3, "trade"] = -1.0
    trade.loc[7, "trade"] = np.nan
    trade = pd.concat([trade.drop(index=20), trade.iloc[[30]]])
    production = given["production"].replace({"region": {"UZB": "UZA"}})
    production.loc[0, "final_share"] += 0.1
    with pytest.raises(DataError) as caught:
        TradeTable.from_frame(trade, 4.0, production, given["inputs"])
    report = {fault.where: fault for fault in caught.value.faults}
    assert report["trade[CHN, KAZ, AGR].trade"].what == "is negative (row 4)"
    assert report["trade[CHN, KGZ, MCH].trade"].what == "is not a finite number (row 8)"
    assert any("is missing" in f.what and f.where.startswith("trade[") for f in report.values())
    assert any("more than once" in f.what for f in report.values())
    said = [str(fault) for fault in caught.value.faults]
    assert any("'UZA' is not in trade (rows" in line and "mean 'UZB'?" in line for line in said)
    assert any("'UZB' of trade is missing" in line for line in said)
    assert report["final_share[CHN]"].what == "sums to 1.1 over sectors"
    assert caught.value.exit_code == 3
    assert len(said) == 7


def test_columns_and_sectors() -> None:
    given = frames(small())
    with pytest.raises(DataError, match="did you mean 'origins'"):
        TradeTable.from_frame(given["trade"].rename(columns={"origin": "origins"}))
    with pytest.raises(DataError, match="is not given for 3 sectors"):
        TradeTable.from_frame(given["trade"])
    with pytest.raises(DataError, match=r"theta\[SER\]"):
        TradeTable.from_frame(**given, theta={"AGR": 4.0, "MCH": 5.0})
    with pytest.raises(DataError, match="inputs: is not given"):
        TradeTable.from_frame(given["trade"], 4.0, given["production"])


def faults_of(**given: object) -> list[str]:
    with pytest.raises(DataError) as caught:
        TradeTable.from_frame(**given)  # type: ignore[arg-type]
    return [str(fault) for fault in caught.value.faults]


def test_a_name_that_stands_in_one_frame_only() -> None:
    given = frames(small())
    theta = {"AGR": 4.0, "MCH": 5.0, "SER": 5.0, "MCHH": 3.0}
    extra = pd.DataFrame([{"region": "CHN", "sector": "OIL", "value_added_share": 0.5, "final_share": 0.0}])
    given["production"] = pd.concat([given["production"], extra], ignore_index=True)
    given["inputs"].loc[0, "input"] = "AGRI"
    said = faults_of(**given, theta=theta)
    row = len(given["production"])
    assert f"production.sector: 'OIL' is not in trade (row {row}) -> add its flows or drop it here" in said
    assert "inputs.input: 'AGRI' is not in trade (row 1) -> did you mean 'AGR'?" in said
    assert "theta[MCHH]: is for no sector of trade -> did you mean 'MCH'?" in said


def test_sums_are_told_beside_other_faults() -> None:
    given = frames(small())
    given["production"].loc[0, "final_share"] += 0.1
    given["production"].loc[4, "value_added_share"] = 1.4
    given["inputs"].loc[0, "share"] += 0.2
    said = faults_of(**given)
    assert any(line.startswith("final_share[CHN]: sums to 1.1 ") for line in said)
    assert any(line.startswith("input_share[CHN, AGR]: sums to 1.2 ") for line in said)
    assert any("value_added_share: is above 1 (row 5)" in line for line in said)
    assert len(said) == 3


def test_what_a_frame_is_mistaken_for() -> None:
    given = frames(small())
    trade = given["trade"]
    assert "is a list" in faults_of(trade=[1, 2])[0]
    assert "has no rows" in faults_of(trade=trade.iloc[:0])[0]
    renamed = trade.rename(columns={"origin": "exporter"})
    assert "columns={'exporter': 'origin'}" in faults_of(trade=renamed)[0]
    abroad = given["trade"]["origin"] != given["trade"]["destination"]
    percent = {**given, "trade": trade.assign(tariff=np.where(abroad, 5.0, 0.0))}
    assert faults_of(**percent) == [
        "trade.tariff: has a median of 5, that is 500% -> give fractions, 0.05 for 5 %"
    ]
    at_home = {**given, "trade": trade.assign(tariff=0.05)}
    assert "is levied on own sales (CHN, KAZ, KGZ ...)" in faults_of(**at_home)[0]
    text = trade.astype({"trade": object})
    text.loc[2, "trade"] = "1,234"
    assert "'1,234' is not a finite number (row 3)" in faults_of(**{**given, "trade": text})[0]
    blank = trade.replace({"origin": {"CHN": "CHN "}})
    assert len(faults_of(**{**given, "trade": blank})) == 1
    years = pd.concat([trade.assign(year=2022), trade.assign(year=2023)])
    assert "choose one year" in faults_of(**{**given, "trade": years})[0]
    foreign = faults_of(**{**given, "trade": trade[abroad]})
    assert "domestic sales are missing -> add domestic sales" in foreign[0]
    assert "theta[AGR]: is 'four'" in faults_of(**given, theta="four")[0]


def test_one_sector_and_missing_pairs() -> None:
    rows = [("CHN", "CHN", 900.0), ("CHN", "KAZ", 20.0), ("KAZ", "CHN", 15.0), ("KAZ", "KAZ", 100.0)]
    rows += [("UZB", "UZB", 50.0), ("UZB", "CHN", 5.0), ("CHN", "UZB", 4.0)]
    frame = pd.DataFrame(rows, columns=["origin", "destination", "trade"])
    with pytest.raises(DataError, match=r"trade\[KAZ, UZB\].trade: is missing"):
        TradeTable.from_frame(frame)
    table = TradeTable.from_frame(frame, 5.0, fill_missing=True)
    assert table.sectors == ("ALL",)
    assert table.trade[1, 2, 0] == 0
    assert table.theta[0] == 5
    eq = solve(table, 0.9 + 0.1 * np.eye(3))
    assert eq.status.message == "converged"


def test_a_region_without_domestic_sales_is_flagged() -> None:
    table = TradeTable.armington([[900.0, 20, 4], [15, 0, 1], [5, 1, 50]], regions=["CHN", "KAZ", "UZB"])
    assert table.sells_nothing_at_home == ("KAZ",)
    eq = solve(table, 0.9 + 0.1 * np.eye(3))
    assert "KAZ: no domestic sales" in eq.status.message
    batch = solve(table, np.full((2, 3, 3, 1), 0.95))
    assert all("KAZ: no domestic sales" in status.message for status in batch.statuses)
