"""Readers of the publishers' formats, on small files of those formats."""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from commands import Reference
from landbridge.cli import main
from landbridge.errors import DataError
from landbridge.io import publishers as pub
from landbridge.io.economy import read_trade_table
from landbridge.io.publishers import source
from landbridge.io.publishers.output import write_panel, write_trade_table
from landbridge.trade import solve
from publisher_files import (
    ISO,
    baci_rows,
    country_codes,
    flows,
    icio_rows,
    write_adb,
    write_baci,
    write_rows,
)

REGIONS = {"CHN": "CHN", "KAZ": "CA5", "KGZ": "CA5", "RUS": "RUS", "DEU": "EUR"}
SECTORS = {"01": "AGR", "27": "ENE", "2710": "REF", "84": "MCH", "87": "MCH"}


def faults_of(error: pytest.ExceptionInfo[DataError]) -> str:
    for fault in error.value.faults:
        assert fault.where and fault.what and fault.cure, fault
    return str(error.value)


# -- BACI ------------------------------------------------------------------------------------------


def test_baci_sums_by_region_and_sector(tmp_path: Path) -> None:
    path = write_baci(tmp_path)
    report = pub.Report()
    frame = pub.read_baci(path, regions=REGIONS, sectors=SECTORS, report=report)
    value: dict[tuple[str, str, str], float] = defaultdict(float)
    known: dict[tuple[str, str, str], float] = defaultdict(float)
    rows = baci_rows()[1:]
    for _, i, j, k, v, q in rows:
        prefix = next(k[:n] for n in range(6, 0, -1) if k[:n] in SECTORS)
        key = REGIONS[ISO[int(i)]], REGIONS[ISO[int(j)]], SECTORS[prefix]
        value[key] += float(v) / 1000
        known[key] += 0.0 if q == "NA" else float(q)
    assert len(frame) == len(value)
    for row in frame.itertuples():
        key = row.exporter, row.importer, row.sector
        assert row.trade_musd == pytest.approx(value[key], rel=1e-12)
        if row.quantity_known_musd:
            assert row.quantity_t == pytest.approx(known[key], rel=1e-12, abs=1e-12)
        else:
            assert np.isnan(row.quantity_t)
        assert row.quantity_known_musd <= row.trade_musd * (1 + 1e-12)
    assert list(frame["exporter"].cat.categories) == ["CHN", "CA5", "RUS", "EUR"]
    assert report.rows_read == report.rows_kept == len(rows)
    assert report.totals_musd[2023] == pytest.approx(sum(value.values()))
    assert report.vintage == "HS17 202501"


def test_the_real_pairs_of_2023_come_back(shared: Path, tmp_path: Path) -> None:
    """CEPII's own pair totals, split into three products and written as BACI, add up to themselves."""
    facts = pd.read_csv(shared / "facts/trade/bilateral_goods_2023_baci.csv")
    names = sorted(set(facts["exporter"]) | set(facts["importer"]))
    number = {iso: n + 1 for n, iso in enumerate(names)}
    country_codes(tmp_path, {n: iso for iso, n in number.items()})
    rows: list[list[object]] = [["t", "i", "j", "k", "v", "q"]]
    for row in facts.itertuples():
        whole = row.value_musd * 1000
        for k, part in (("020230", 0.5), ("270900", 0.3), ("847130", 0.2)):
            rows.append([2023, number[row.exporter], number[row.importer], k, repr(part * whole), ""])
    path = write_rows(tmp_path / "BACI_HS22_Y2023_V202501.csv", rows)
    frame = pub.read_baci(path)
    joined = facts.merge(frame, on=["exporter", "importer"])
    assert len(joined) == len(frame) == len(facts)
    np.testing.assert_allclose(joined["trade_musd"], joined["value_musd"], rtol=1e-12)


@pytest.mark.parametrize("size", [40, 173, 1000])
def test_blocks_of_any_size_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    path = write_baci(tmp_path)
    whole = pub.read_baci(path, sectors="hs6")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[30] = lines[30].rsplit(",", 2)[0] + ",-5,1"
    lines[31] = lines[29]
    with monkeypatch.context() as patch:
        patch.setattr(source, "BLOCK_BYTES", size)
        pd.testing.assert_frame_equal(pub.read_baci(path, sectors="hs6"), whole)
        path.write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(DataError) as error:
            pub.read_baci(path)
    told = faults_of(error)
    assert f"{path.name} line 31, v: v is negative: -5" in told
    assert f"{path.name} line 32: a second row for" in told


def test_quoted_line_ends_and_carriage_returns_keep_the_count(tmp_path: Path) -> None:
    rows = [["exporter_iso3", "importer_iso3", "year", "industry_id", "industry_descr", "trade"]]
    rows += [["CHN", "KAZ", "2019", str(n), 'Wheat,\n"hard"', "1.5"] for n in range(1, 5)]
    rows += [["CHN", "KAZ", "2019", "9", "Rye", "x"]]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    path = tmp_path / "ITPD_E_R02.csv"
    path.write_bytes(b"\xef\xbb\xbf" + out.getvalue().encode())
    with pytest.raises(DataError) as error:
        pub.read_itpde(path)
    assert "line 10, trade: trade is 'x'" in faults_of(error)
    path.write_bytes(b"\n\n" + path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    with pytest.raises(DataError, match=r"line 12, trade: trade is 'x'"):
        pub.read_itpde(path)
    path.write_bytes(path.read_bytes().replace(b",x\r\n", b",2\r\n"))
    frame = pub.read_itpde(path)
    assert frame["trade_musd"].sum() == 8.0 and len(frame) == 5


def test_packed_files_and_years(tmp_path: Path) -> None:
    for year in (2021, 2022, 2023):
        write_baci(tmp_path, year, seed=year)
    alone = {y: pub.read_baci(tmp_path / f"BACI_HS17_Y{y}_V202501.csv") for y in (2021, 2022, 2023)}
    pd.testing.assert_frame_equal(pub.read_baci(tmp_path, years=2022), alone[2022])
    packed = tmp_path / "packed"
    packed.mkdir()
    with zipfile.ZipFile(packed / "BACI_HS17_V202501.zip", "w") as archive:
        for path in tmp_path.glob("*.csv"):
            archive.write(path, path.name)
    both = pub.read_baci(packed / "BACI_HS17_V202501.zip", years=[2021, 2023])
    assert both["trade_musd"].sum() == pytest.approx(
        alone[2021]["trade_musd"].sum() + alone[2023]["trade_musd"].sum()
    )
    assert set(both["year"]) == {2021, 2023}
    name = "BACI_HS17_Y2023_V202501.csv"
    (packed / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    frame = pub.read_baci(packed / f"{name}.gz", codes=tmp_path / "country_codes_V202501.csv")
    pd.testing.assert_frame_equal(frame, alone[2023])
    with pytest.raises(DataError, match="no file of 2019"):
        pub.read_baci(tmp_path, years=2019)


def test_every_fault_at_once(tmp_path: Path) -> None:
    path = write_baci(tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = "2023,156,398,010121,nan,1"
    lines[4] = "2023,156,398,010121"
    lines[5] = "2023,156,999,010121,5,1"
    lines[6] = "2022,156,643,010121,5,1"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError) as error:
        pub.read_baci(path)
    told = faults_of(error)
    for part in ("line 4, v: v is 'nan'", "line 5: 4 cells under 6 columns", "line 7, t: is 2022"):
        assert part in told, told
    lines[3:7] = ["2023,156,999,010121,5,1"]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError, match=r"country codes: 999 is in .* but not in the country codes"):
        pub.read_baci(path)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda raw: raw.replace(b",", b";"), "not separated by commas"),
        (lambda raw: raw.replace(b"t,i,j,k,v,q", b"t,i,j,hs6,v,q"), "columns are missing: k"),
        (lambda raw: raw.decode().encode("utf-16"), "UTF-16"),
        (lambda raw: b"", "is empty"),
        (lambda raw: b"t,i,j,k,v,q\n", "a header and no rows"),
        (lambda raw: raw.replace(b"010121", b"01\xe9121", 1), "is not UTF-8"),
        (lambda raw: gzip.compress(raw)[:-30], "cannot be read"),
        (lambda raw: raw.replace(b"\n", b'\n"', 2), "quote"),
        (lambda raw: b"PK\x03\x04" + raw, "cannot be read"),
    ],
)
def test_a_spoilt_file_is_refused(tmp_path: Path, spoil: object, told: str) -> None:
    path = write_baci(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(DataError) as error:
        pub.read_baci(path)
    assert told in faults_of(error)


def test_releases_that_are_not_known(tmp_path: Path) -> None:
    path = write_baci(tmp_path)
    later = path.rename(tmp_path / "BACI_HS17_Y2023_V203001.csv")
    with pytest.raises(DataError, match="release 203001 is not known -> known: 202001"):
        pub.read_baci(later)
    assert len(pub.read_baci(later, vintage="203001"))
    renamed = later.rename(tmp_path / "my trade.csv")
    with pytest.raises(DataError, match="does not state the release"):
        pub.read_baci(renamed)
    with pytest.raises(DataError, match="no revision HS99"):
        pub.read_baci(renamed.rename(tmp_path / "BACI_HS99_Y2023_V202501.csv"))


def test_country_codes_of_older_releases(tmp_path: Path) -> None:
    path = write_baci(tmp_path)
    (tmp_path / "country_codes_V202501.csv").unlink()
    with pytest.raises(DataError, match="put CEPII's country_codes"):
        pub.read_baci(path)
    header = "country_code,country_name_abbreviation,country_name_full,iso_2digit_alpha,iso_3digit_alpha"
    rows = [f"{n},Côte {iso},Côte,{iso[:2]},{iso}" for n, iso in ISO.items()]
    codes = tmp_path / "country_codes_V202201.csv"
    codes.write_bytes("\r\n".join([header, *rows]).encode("latin-1"))
    assert set(pub.read_baci(path)["exporter"]) <= set(ISO.values())


# -- concordances ----------------------------------------------------------------------------------


def test_weights_split_a_flow_and_a_blank_leaves_it_out(tmp_path: Path) -> None:
    path = write_baci(tmp_path)
    table = write_rows(
        tmp_path / "regions.csv",
        [
            ["from_code", "to_code", "weight"],
            *(["CHN", "EAST", "0.25"], ["CHN", "WEST", "0.75"], ["KAZ", "CA5", ""], ["KGZ", "CA5", ""]),
            *(["RUS", "RUS", ""], ["DEU", "", ""]),
        ],
    )
    report = pub.Report()
    frame = pub.read_baci(path, regions=table, report=report)
    alone = pub.read_baci(path)
    without = alone[(alone["exporter"] != "DEU") & (alone["importer"] != "DEU")]
    assert frame["trade_musd"].sum() == pytest.approx(without["trade_musd"].sum())
    east = frame[(frame["exporter"] == "EAST")]["trade_musd"].sum()
    west = frame[(frame["exporter"] == "WEST")]["trade_musd"].sum()
    assert west == pytest.approx(3 * east) and east > 0
    dropped = sum(entry.musd for entry in report.dropped)
    assert dropped == pytest.approx(alone["trade_musd"].sum() - without["trade_musd"].sum())


def test_codes_that_a_concordance_lacks(tmp_path: Path) -> None:
    path = write_baci(tmp_path)
    some = {k: v for k, v in REGIONS.items() if k not in ("KGZ", "DEU")} | {"XXX": "ROW"}
    with pytest.raises(DataError) as error:
        pub.read_baci(path, regions=some, sectors={"01": "AGR"})
    told = faults_of(error)
    assert "2 country codes of" in told and "DEU, KGZ" in told and "4 product codes of" in told
    report = pub.Report()
    pub.read_baci(path, regions=REGIONS | {"XXX": "ROW"}, report=report)
    assert any("XXX" in note for note in report.notes)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([["CHN", "A", ""], ["CHN", "B", ""]], "goes to 'A' already"),
        ([["CHN", "A", ""], ["CHN", "A", ""]], "is already in line 2"),
        ([["CHN", "A", "0.5"], ["CHN", "B", "0.4"]], "add up to 0.9"),
        ([["CHN", "A", "1.5"]], "give a share from 0 to 1"),
        ([["CHN", "A", "half"]], "weight"),
        ([["", "A", ""]], "from_code is blank"),
        ([], "has no rows"),
    ],
)
def test_unsound_concordances(tmp_path: Path, rows: list[list[str]], told: str) -> None:
    path = write_rows(tmp_path / "c.csv", [["from_code", "to_code", "weight"], *rows])
    with pytest.raises(DataError) as error:
        pub.read_concordance(path)
    assert told in faults_of(error)


# -- input-output tables ---------------------------------------------------------------------------

COUNTRIES, INDUSTRIES = ("CHN", "KAZ", "ROW"), ("A01", "B05_06", "C10T12", "D26")


def test_icio_becomes_a_table_whose_accounts_close(tmp_path: Path) -> None:
    Z, F = flows(3, 3, 4)
    path = write_rows(tmp_path / "2019.csv", icio_rows(COUNTRIES, INDUSTRIES, Z, F))
    report = pub.Report()
    theta = {"A01": 4.0, "B05_06": 8.0, "C10T12": 3.0, "D26": 6.0}
    table = pub.read_icio(path, theta=theta, vintage="test", report=report)
    assert table.regions == COUNTRIES and table.sectors == INDUSTRIES
    sales = Z.sum(axis=3) + F.sum(axis=3)  # [o, s, d]
    np.testing.assert_allclose(table.trade, sales.transpose(0, 2, 1), rtol=1e-9)
    used = Z.sum(axis=0)  # [s, d, k]
    np.testing.assert_allclose(table.input_share, (used / used.sum(axis=0)).transpose(1, 0, 2), rtol=1e-9)
    added = 1 - Z.sum(axis=(0, 1)) / sales.sum(axis=2)
    np.testing.assert_allclose(table.value_added_share, added, rtol=1e-9)
    assert table.imbalance < 1e-12
    assert solve(table).status.rebase < 1e-9
    np.testing.assert_array_equal(table.theta, [4, 8, 3, 6])
    assert report.totals_musd[2019] == pytest.approx(table.trade.sum() - np.einsum("nns->", table.trade))


def test_icio_summed_is_the_sum_of_icio(tmp_path: Path) -> None:
    Z, F = flows(4, 3, 4)
    path = write_rows(tmp_path / "2019.csv", icio_rows(COUNTRIES, INDUSTRIES, Z, F))
    regions = {"CHN": "CHN", "KAZ": "REST", "ROW": "REST"}
    sectors = {"A01": "GOODS", "B05_06": "FUEL", "C10T12": "GOODS", "D26": "GOODS"}
    table = pub.read_icio(path, theta=4, vintage="test", regions=regions, sectors=sectors)
    R = np.array([[1, 0], [0, 1], [0, 1]], dtype=float)
    K = np.array([[1, 0], [0, 1], [1, 0], [1, 0]], dtype=float)
    z = np.einsum("osdk,oO,sS,dD,kK->OSDK", Z, R, K, R, K)
    f = np.einsum("osdu,oO,sS,dD->OSD", F, R, K, R)
    np.testing.assert_allclose(table.trade, (z.sum(axis=3) + f).transpose(0, 2, 1), rtol=1e-9)
    assert table.imbalance < 1e-12
    share = f.sum(axis=0).T
    np.testing.assert_allclose(table.final_share, share / share.sum(axis=1, keepdims=True), rtol=1e-9)


def test_parts_of_china_and_mexico_are_summed(tmp_path: Path) -> None:
    Z, F = flows(5, 4, 2)
    whole = icio_rows(("CHN", "KAZ", "CN1", "CN2"), ("A01", "C10"), Z, F)
    keep = [n for n, label in enumerate(whole[0]) if not label.startswith(("CN1_HFCE", "CN2_HFCE"))]
    keep = [n for n in keep if whole[0][n][:3] not in ("CN1", "CN2") or whole[0][n][4:] in ("A01", "C10")]
    Z[0], Z[:, :, 0], F[0] = 0, 0, 0
    F[:, :, 2:] = 0
    rows = icio_rows(("CHN", "KAZ", "CN1", "CN2"), ("A01", "C10"), Z, F)
    rows = [[row[n] for n in keep] for row in rows]
    table = pub.read_icio(write_rows(tmp_path / "2020.csv", rows), theta=4, vintage="extended")
    assert table.regions == ("CHN", "KAZ")
    M = np.array([[1, 0], [0, 1], [1, 0], [1, 0]], dtype=float)
    z = np.einsum("osdk,oO,dD->OsDk", Z, M, M)
    f = np.einsum("osdu,oO,dD->OsD", F, M, M)
    np.testing.assert_allclose(table.trade, (z.sum(axis=3) + f).transpose(0, 2, 1), rtol=1e-9)
    at = next(n for n, row in enumerate(rows) if row[0] == "CHN_A01")
    rows[at][2] = "5.0"
    with pytest.raises(DataError, match="as a whole in addition to their parts"):
        pub.read_icio(write_rows(tmp_path / "2020.csv", rows), theta=4, vintage="extended")


def test_negative_stocks_are_told_of(tmp_path: Path) -> None:
    Z, F = flows(6, 3, 4)
    F[0, 1, 2, 2] = -900.0
    path = write_rows(tmp_path / "2019.csv", icio_rows(COUNTRIES, INDUSTRIES, Z, F))
    report = pub.Report()
    table = pub.read_icio(path, theta=4, vintage="test", report=report)
    assert table.trade.min() == 0.0
    assert any("cells of sales were negative" in note for note in report.notes)
    assert solve(table).status.converged


def test_icio_faults(tmp_path: Path) -> None:
    Z, F = flows(7, 3, 4)
    rows = icio_rows(COUNTRIES, INDUSTRIES, Z, F)
    path = tmp_path / "2019.csv"
    spoilt = [list(row) for row in rows]
    spoilt[2][3] = "n/a"
    spoilt[4][5] = str(float(spoilt[4][5]) + 500)
    spoilt[6][0] = "KAZ_Z99"
    with pytest.raises(DataError) as error:
        pub.read_icio(write_rows(path, spoilt), theta=4, vintage="test")
    told = faults_of(error)
    for part in (
        "line 3, 'CHN_B05_06', cell 4",
        "sales add up to",
        "'KAZ_Z99': is no row",
        "no row KAZ_B05_06",
    ):
        assert part in told, told
    with pytest.raises(DataError, match="3 countries and 4 industries match no known edition"):
        pub.read_icio(write_rows(path, rows), theta=4)
    regions = {"CHN": "CHN", "KAZ": "", "UZB": "CA5"}
    with pytest.raises(DataError) as error:
        pub.read_icio(path, theta=4, vintage="test", regions=regions)
    told = faults_of(error)
    assert "1 country codes of the table not in it: ROW" in told
    assert "leaves out KAZ" in told and "names 1 country codes that the table lacks: UZB" in told
    with pytest.raises(DataError, match="no value for B05_06"):
        pub.read_icio(path, theta={"A01": 4.0}, vintage="test")
    assert pub.read_icio(path, theta=4, vintage="test", years=2019).imbalance < 1e-12


def real_sales(reference: Reference) -> tuple[list[str], list[str], np.ndarray]:
    frame = pd.read_parquet(reference("trade/icio_2022") / "icio2022_81x28.parquet")
    frame["sector"] = frame["sector"].astype(str).replace("Services (aggregate)", "SER")
    countries = sorted(set(frame["importer"].astype(str)))
    sectors = sorted(set(frame["sector"].astype(str)))
    wide = frame.set_index(["exporter", "importer", "sector"])["sales_musd"]
    index = pd.MultiIndex.from_product([countries, countries, sectors])
    wide.index = pd.MultiIndex.from_tuples([tuple(map(str, key)) for key in wide.index])
    shape = len(countries), len(countries), len(sectors)
    return countries, sectors, wide.reindex(index).fillna(0.0).to_numpy().reshape(shape)


def as_icio(sales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and final uses of given sales [o, d, s]: half of what is bought is input, by output."""
    output = sales.sum(axis=1)
    weight = output / output.sum(axis=1, keepdims=True)  # [d, k]
    half = np.minimum(0.5, 0.6 * output.sum(axis=1) / sales.sum(axis=(0, 2)))  # [d]
    Z = np.einsum("ods,d,dk->osdk", sales, half, weight)
    F = np.repeat(np.einsum("ods,d->osd", sales, 1 - half)[..., None] / 3, 3, axis=3)
    return Z.round(4), F.round(4)


def test_real_sales_of_2022_written_as_icio_come_back(reference: Reference, tmp_path: Path) -> None:
    """Twelve economies of the OECD's sales for 2022; the inputs are made up, the sales are the OECD's."""
    countries, sectors, sales = real_sales(reference)
    names = ("CHN", "DEU", "FRA", "GBR", "IND", "JPN", "KAZ", "KOR", "RUS", "SAU", "TUR", "USA")
    at = [countries.index(name) for name in names]
    sales = sales[np.ix_(at, at, range(len(sectors)))]
    Z, F = as_icio(sales)
    path = write_rows(tmp_path / "2022_SML.csv", icio_rows(names, sectors, Z, F))
    table = pub.read_icio(path, theta=4.0, vintage="2025, twelve economies")
    np.testing.assert_allclose(table.trade, sales, atol=0.01)
    assert table.imbalance < 1e-9
    assert solve(table).status.rebase < 1e-9
    folder = tmp_path / "table"
    write_trade_table(table, folder, {"source": "test"})
    again = read_trade_table(folder)
    assert again.regions == table.regions and again.sectors == table.sectors
    np.testing.assert_array_equal(again.trade, table.trade)
    np.testing.assert_allclose(again.input_share, table.input_share, rtol=1e-12)
    with pytest.raises(DataError, match="holds something"):
        write_trade_table(table, folder, {})


@pytest.mark.slow
def test_the_whole_of_real_sales_closes(reference: Reference, tmp_path: Path) -> None:
    countries, sectors, sales = real_sales(reference)
    Z, F = as_icio(sales)
    path = write_rows(tmp_path / "2022_SML.csv", icio_rows(countries, sectors, Z, F))
    del Z, F
    table = pub.read_icio(path, theta=4.0, vintage="81 x 28")
    np.testing.assert_allclose(table.trade, sales, atol=0.02)
    assert table.imbalance < 1e-9


def test_adb_workbook(tmp_path: Path) -> None:
    Z, F = flows(8, 3, 3)
    path = write_adb(tmp_path / "ADB-MRIO62-2022_July 2025.xlsx", ("CHN", "KAZ", "RoW"), Z, F)
    report = pub.Report()
    table = pub.read_adb_mrio(path, theta=5.0, vintage="test", report=report)
    assert table.regions == ("CHN", "KAZ", "ROW") and table.sectors == ("c1", "c2", "c3")
    sales = Z.sum(axis=3) + F.sum(axis=3)
    np.testing.assert_allclose(table.trade, sales.transpose(0, 2, 1), rtol=1e-9)
    assert table.imbalance < 1e-12 and list(report.totals_musd) == [2022]
    with pytest.raises(DataError, match="3 economies and 3 sectors match no known table"):
        pub.read_adb_mrio(path, theta=5.0)
    with pytest.raises(DataError, match="no sheet"):
        pub.read_adb_mrio(path, theta=5.0, sheet="MRIO")

    from openpyxl import load_workbook

    book = load_workbook(path)
    page = book["ADB MRIO 2022"]
    page["F9"] = "(2.5)"
    page["G10"] = 99_999.0
    page["D12"] = "c9"
    book.save(path)
    with pytest.raises(DataError) as error:
        pub.read_adb_mrio(path, theta=5.0, vintage="test")
    told = faults_of(error)
    assert "row 9, column 6: '(2.5)' is not a number" in told
    assert "row 10: sales add up to" in told and "row 12: no such row" in told and "no row KAZ_c2" in told


# -- the others ------------------------------------------------------------------------------------


def test_itpde(tmp_path: Path) -> None:
    header = ["exporter_iso3", "exporter_dynamic_code", "importer_iso3", "importer_dynamic_code"]
    header += ["broad_sector", "industry_id", "year", "trade", "flag_mirror", "flag_zero"]
    rows = [header]
    for o in ("CHN", "KAZ"):
        for d in ("CHN", "KAZ"):
            for s, broad in ((1, "Agriculture"), (2, "Agriculture"), (40, "Manufacturing")):
                zero = o == "KAZ" and s == 2
                rows.append([o, o, d, d, broad, s, 2019, 0 if zero else s * 1.5, 0, "u" if zero else "p"])
    path = write_rows(tmp_path / "ITPD_E_R02.csv", rows)
    report = pub.Report()
    frame = pub.read_itpde(path, sectors="broad", report=report)
    total = frame.set_index(["exporter", "importer", "sector"])["trade_musd"]
    assert total["CHN", "KAZ", "Agriculture"] == 4.5 and total["KAZ", "KAZ", "Manufacturing"] == 60.0
    assert any("2 zeros" in note for note in report.notes)
    assert len(pub.read_itpde(path)) == 12
    with pytest.raises(DataError, match="release R09 is not known"):
        pub.read_itpde(path.rename(tmp_path / "ITPD_E_R09.csv"))


NEW = "refYear,reporterISO,flowCode,partnerISO,partner2Code,cmdCode,customsCode,motCode,primaryValue"


def test_comtrade_of_the_new_site(tmp_path: Path) -> None:
    lines = [
        NEW,
        "2022,KAZ,M,CHN,0,27,C00,0,2000000",
        "2022,KAZ,M,CHN,0,84,C00,0,3000000",
        "2022,KAZ,M,CHN,0,84,C00,2100,1000000",
        "2022,KAZ,M,W00,0,84,C00,0,9000000",
        "2022,KAZ,X,CHN,0,27,C00,0,7000000",
        "2022,KAZ,RX,CHN,0,27,C00,0,1000000",
    ]
    path = tmp_path / "TradeData.csv"
    path.write_text(",\n".join(lines) + ",\n", encoding="utf-8")  # the site ends every line with a comma
    report = pub.Report()
    frame = pub.read_comtrade(path, sectors="hs2", report=report)
    assert frame[["exporter", "importer", "sector", "trade_musd"]].astype(str).to_numpy().tolist() == [
        ["CHN", "KAZ", "27", "2.0"],
        ["CHN", "KAZ", "84", "3.0"],
    ]
    assert report.rows_read == 6 and report.rows_kept == 2
    assert sum(entry.rows for entry in report.dropped) == 4
    out = pub.read_comtrade(path, side="exports")
    assert out["exporter"].tolist() == ["KAZ"] and out["trade_musd"].tolist() == [7.0]
    path.write_text("\n".join([*lines, "2022,KAZ,M,CHN,0,TOTAL,C00,0,5000000"]), encoding="utf-8")
    with pytest.raises(DataError, match="holds product codes of TOTAL, 2 digits"):
        pub.read_comtrade(path)
    assert pub.read_comtrade(path, level=0)["trade_musd"].tolist() == [5.0]
    path.write_text("\n".join([NEW, "2022,,M,CHN,0,27,C00,0,2000000"]), encoding="utf-8")
    with pytest.raises(DataError, match="without an ISO code"):
        pub.read_comtrade(path)


def test_comtrade_of_the_old_site(tmp_path: Path) -> None:
    header = (
        "Classification,Year,Period,Period Desc.,Aggregate Level,Is Leaf Code,Trade Flow Code,Trade Flow,"
        "Reporter Code,Reporter,Reporter ISO,Partner Code,Partner,Partner ISO,Commodity Code,Commodity,"
        "Qty Unit Code,Qty Unit,Qty,Netweight (kg),Trade Value (US$),Flag"
    )
    row = 'H4,2016,2016,2016,2,0,1,Import,398,Kazakhstan,KAZ,156,China,CHN,{},"Fuels, oils",1,No,,,{},0'
    path = tmp_path / "comtrade.csv"
    path.write_text("\n".join([header, row.format("27", 1500000), row.format("84", 10)]), encoding="utf-8")
    frame = pub.read_comtrade(path, regions={"KAZ": "CA5", "CHN": "CHN"}, sectors={"27": "F", "84": "M"})
    assert frame["trade_musd"].tolist() == [1.5, 1e-5]
    assert frame["importer"].tolist() == ["CA5", "CA5"]


def test_wdi(tmp_path: Path) -> None:
    rows = [
        ["Country Name", "Country Code", "Indicator Name", "Indicator Code", "2021", "2022", ""],
        ["World", "WLD", "GDP", "NY.GDP.MKTP.CD", "90", "100", ""],
        ["Kazakhstan", "KAZ", "GDP", "NY.GDP.MKTP.CD", "19.7", "22.5", ""],
        ["Kyrgyz Republic", "KGZ", "GDP", "NY.GDP.MKTP.CD", "", "1.2", ""],
        ["Kazakhstan", "KAZ", "GDP per head, current US$", "NY.GDP.PCAP.CD", "10", "11", ""],
    ]
    path = write_rows(tmp_path / "WDICSV.csv", rows)
    frame = pub.read_wdi(path)
    assert len(frame) == 7 and frame["value"].notna().all()
    report = pub.Report()
    summed = pub.read_wdi(
        path, indicators="NY.GDP.MKTP.CD", regions={"KAZ": "CA5", "KGZ": "CA5"}, report=report
    )
    assert summed.to_numpy().tolist() == [[2022, "CA5", "NY.GDP.MKTP.CD", pytest.approx(23.7)]]
    assert any("CA5 2021" in note for note in report.notes)
    with pytest.raises(DataError, match="may not be summed"):
        pub.read_wdi(path, indicators="NY.GDP.PCAP.CD", regions={"KAZ": "KAZ"})
    with pytest.raises(DataError) as error:
        pub.read_wdi(path, indicators="NY.GDP.MKTP.KD", years=1990, regions={"UZB": "UZB"})
    told = faults_of(error)
    assert "no 1990" in told and "did you mean 'NY.GDP.MKTP.CD'" in told and "UZB" in told
    with pytest.raises(DataError, match="a second row for KAZ, NY"):
        pub.read_wdi(write_rows(path, [*rows, rows[2]]))


def test_gravity(tmp_path: Path) -> None:
    header = ["year", "iso3_o", "iso3_d", "country_exists_o", "country_exists_d", "distw_harmonic"]
    header += ["contig", "comlang_off", "col_dep_ever", "fta_wto", "gdp_o"]
    rows: list[list[object]] = [header]
    for year in (1990, 2020):
        for o in ("KAZ", "RUS", "SUN"):
            for d in ("KAZ", "RUS", "SUN"):
                alive = [int((code == "SUN") == (year == 1990)) for code in (o, d)]
                rows.append([year, o, d, *alive, 1234.5, "", 1, 0, int(o != d), 7])
    path = write_rows(tmp_path / "Gravity_V202211.csv", rows)
    report = pub.Report()
    frame = pub.read_gravity(path, report=report)
    assert len(frame) == 5 and set(frame.loc[frame["year"] == 1990, "exporter"]) == {"SUN"}
    assert frame["contig"].isna().all() and (frame["distw_harmonic"] == 1234.5).all()
    assert report.dropped[0].rows == 13
    only = pub.read_gravity(path, years=2020, variables=["gdp_o"], regions={"KAZ": "KZ", "RUS": "RU"})
    assert set(only["exporter"]) == {"KZ", "RU"} and list(only.columns)[3:] == ["gdp_o"]
    with pytest.raises(DataError, match="cannot be summed"):
        pub.read_gravity(path, regions={"KAZ": "CIS", "RUS": "CIS"})
    with pytest.raises(DataError, match="no distw"):
        pub.read_gravity(path, variables=["distw"])
    with pytest.raises(DataError, match="a second row for KAZ, RUS, 2020"):
        pub.read_gravity(write_rows(path, [*rows, rows[11]]))


# -- written ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_a_panel_is_read_again(tmp_path: Path, ending: str) -> None:
    frame = pub.read_baci(write_baci(tmp_path), sectors="hs2")
    path = tmp_path / f"panel.{ending}"
    write_panel(frame, path, {"source": "CEPII BACI"})
    if ending == "csv":
        again = pd.read_csv(path, dtype={"sector": str})
    elif ending == "parquet":
        again = pd.read_parquet(path)
    else:
        again = pd.read_excel(path, sheet_name="panel", skiprows=[1], dtype={"sector": str})
    assert again["sector"].astype(str).tolist() == frame["sector"].astype(str).tolist()
    np.testing.assert_allclose(again["trade_musd"], frame["trade_musd"], rtol=1e-12)


# -- command line ----------------------------------------------------------------------------------


def command(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "from landbridge.cli import main; main()"
    here = str(Path(pub.__file__).resolve().parents[3])
    env = {**os.environ, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": here}
    return subprocess.run(
        [sys.executable, "-c", code, "data", "read", *words],
        env=env,
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
    )


def test_the_command_reads_a_panel_and_a_table(tmp_path: Path) -> None:
    path = write_baci(tmp_path)
    rows = [["from_code", "to_code"], *([k, v] for k, v in REGIONS.items())]
    write_rows(tmp_path / "regions.csv", rows)
    words = ("baci", path.name, "--regions", "regions.csv", "--sectors", "hs2", "--years", "2021-2023")
    done = command(*words, "-o", "panel.csv", cwd=tmp_path)
    assert done.returncode == 3 and "2021 is not in the file" in done.stderr and not done.stdout
    done = command(*words[:-2], "-o", "panel.csv", "--json", cwd=tmp_path)
    assert done.returncode == 0 and "written: panel.csv" in done.stderr, done.stderr
    document = json.loads(done.stdout)
    assert set(document) == {"schema_version", "result", "status", "manifest"}
    frame = pd.read_csv(tmp_path / "panel.csv")
    assert document["result"]["rows"] == len(frame)
    assert document["result"]["totals_musd"]["2023"] == pytest.approx(frame["trade_musd"].sum())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert document["manifest"]["input"] == {"file": path.name, "sha256": digest}
    assert str(tmp_path) not in done.stdout

    Z, F = flows(3, 3, 4)
    write_rows(tmp_path / "2019.csv", icio_rows(COUNTRIES, INDUSTRIES, Z, F))
    theta = [["sector", "theta"], *([s, 4 + n] for n, s in enumerate(INDUSTRIES))]
    write_rows(tmp_path / "theta.csv", theta)
    words = ("icio", "2019.csv", "--theta", "theta.csv", "--vintage", "test", "-o", "table")
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 0 and "accounts of the table close" in done.stdout, done.stderr
    table = read_trade_table(tmp_path / "table")
    np.testing.assert_array_equal(table.theta, [4, 5, 6, 7])
    assert solve(table).status.rebase < 1e-9


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("bacci", "x.csv"), 2, "did you mean 'baci'"),
        (("baci", "x.csv", "--theta", "4"), 2, "is not for baci"),
        (("icio", "x.csv"), 2, "needs trade"),
        (("baci", "x.csv", "--years", "20-23"), 2, "is no year"),
        (("baci", "x.csv", "-o", "panel.txt"), 2, "should end in"),
        (("comtrade", "x.csv", "--side", "both"), 2, "imports or exports"),
        (("wdi", "x.csv"), 3, "not found"),
    ],
)
def test_the_command_refuses(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["landbridge", "data", "read", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    out, err = capsys.readouterr()
    assert stop.value.code == code and told in " ".join(err.split()), err
    assert "Traceback" not in err and not out


@pytest.mark.slow
def test_ten_million_rows_take_little_memory(tmp_path: Path) -> None:
    where = Path(__file__).resolve().parents[1] / "benchmarks" / "readers.py"
    spec = importlib.util.spec_from_file_location("readers_benchmark", where)
    assert spec is not None and spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    path, total = benchmark.write_baci(tmp_path, 10_000_000)
    found = benchmark.read(path, "total")
    assert found["rows_read"] == 10_000_000
    assert found["total_musd"] == pytest.approx(total, rel=1e-9)
    assert found["peak_mb"] < 400


def test_the_first_rows_on_the_screen_have_every_digit() -> None:
    """A year in a column with a gap stays a year, and no figure is rounded or written as a power of ten."""
    from landbridge.cli.readers import _first_rows

    panel = pd.DataFrame(
        {
            "year": [2020, None],
            "code": [860.0, 8471.0],
            "musd": [12345678.9, 0.00012],
            "sum": [0.1 + 0.2, 1.5],
            "name": ["A", None],
        }
    )
    assert _first_rows(panel).rows == (
        ("2020", "860", "12345678.9", "0.3", "A"),
        ("", "8471", "0.00012", "1.5", ""),
    )
