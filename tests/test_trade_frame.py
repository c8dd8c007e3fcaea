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
    assert report["trade[CHN, KAZ, AGR]"].what == "is negative"
    assert report["trade[CHN, KGZ, MCH].trade"].what == "is not a number"
    assert any("is missing" in f.what and f.where.startswith("trade[") for f in report.values())
    assert any("more than once" in f.what for f in report.values())
    said = [str(fault) for fault in caught.value.faults]
    assert any("'UZA' is not in trade -> did you mean 'UZB'?" in line for line in said)
    assert any("'UZB' of trade is missing" in line for line in said)
    assert report["final_share[CHN]"].what == "does not sum to 1 over sectors"
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
    assert "KAZ has no domestic sales" in eq.status.message
    batch = solve(table, np.full((2, 3, 3, 1), 0.95))
    assert all("KAZ has no domestic sales" in status.message for status in batch.statuses)
