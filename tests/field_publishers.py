"""Files of publishers as users have them: after a spreadsheet, of other editions, with areas of no code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from landbridge.errors import DataError
from landbridge.io import publishers as pub
from landbridge.io.publishers.hs import hs_code
from landbridge.io.tally import MOST_LINES
from publisher_files import country_codes, flows, icio_rows, write_rows

CASES = Path(__file__).resolve().parent / "data" / "cases"
Done = subprocess.CompletedProcess[str]


def command(folder: Path, *words: str) -> Done:
    """`landbridge data read` with these words, run in a folder."""
    here = str(Path(pub.__file__).resolve().parents[3])
    return subprocess.run(
        [sys.executable, "-c", "from landbridge.cli import main; main()", "data", "read", *words],
        env={**os.environ, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": here},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
    )


def case(name: str, tmp_path: Path, *words: str) -> tuple[Path, Done]:
    """A copy of a case, and what the command does in it."""
    folder = tmp_path / name
    shutil.copytree(CASES / name, folder)
    return folder, command(folder, *words)


def told(error: pytest.ExceptionInfo[DataError]) -> str:
    assert all(fault.where and fault.what and fault.cure for fault in error.value.faults)
    assert len(error.value.faults) <= MOST_LINES
    return str(error.value)


# -- the cases -------------------------------------------------------------------------------------

S1 = ("baci", "BACI_HS17_Y2022_V202501.csv", "--sectors", "sectors.csv", "-o", "out.csv")


def test_chapters_of_one_digit(tmp_path: Path) -> None:
    folder, done = case("s1_chapters_of_one_digit", tmp_path, *S1)
    assert done.returncode == 3 and not (folder / "out.csv").exists()
    assert "sectors.csv line 2: 1 is not an HS code -> did you mean 01?" in done.stderr
    assert "sectors.csv line 3: 2 is not an HS code -> did you mean 02?" in done.stderr
    text = (folder / "sectors.csv").read_text(encoding="utf-8")
    (folder / "sectors.csv").write_text(
        text.replace("\n1,", "\n01,").replace("\n2,", "\n02,"), encoding="utf-8"
    )
    done = command(folder, *S1)
    assert done.returncode == 3 and "2 product codes" in done.stderr and "180100, 220421" in done.stderr
    with (folder / "sectors.csv").open("a", encoding="utf-8") as file:
        file.write("18,food\n22,food\n")
    assert command(folder, *S1).returncode == 0
    found = pd.read_csv(folder / "out.csv").set_index("sector")["trade_musd"]
    assert found.to_dict() == {"grain": 2.0, "machines": 8.0, "food": 8.0}


def test_a_product_of_three_digits(tmp_path: Path) -> None:
    folder, done = case(
        "t1_code_of_three_digits", tmp_path, "comtrade", "comtrade.csv", "--level", "4", "-o", "out.csv"
    )
    assert done.returncode == 0, done.stderr
    assert "101 as 0101; the file names no classification" in " ".join(done.stdout.split())
    assert pd.read_csv(folder / "out.csv")["trade_musd"].tolist() == [8.0]


def test_two_areas_without_a_code(tmp_path: Path) -> None:
    folder, done = case("u1_two_areas", tmp_path, "baci", "BACI_HS12_Y2015_V202001.csv", "-o", "out.csv")
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(folder / "out.csv").set_index("exporter")["trade_musd"]
    assert found.to_dict() == {"CHN": 0.01, "N490": 1.0, "N697": 2.0}


def test_the_2018_edition_of_icio(tmp_path: Path) -> None:
    words = ("icio", "ICIO2018_2015.csv", "--theta", "5", "--vintage", "2018 in small", "-o", "out.csv")
    folder, done = case("v1_p33", tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(folder / "out.csv")["trade_musd"].sum() == pytest.approx(676.75, abs=1e-9)


# -- codes of the HS ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("01", "01"), ("1", "01"), ("1.0", "01"), ("10.0", "10"), ("101", "0101"), ("0101", "0101")),
        *(("101.0", "0101"), ("10121", "010121"), ("101.21", "010121"), ("2709.00", "270900")),
        *(("27.09", "2709"), ("847130.0", "847130"), ("TOTAL", "TOTAL"), ("9999AA", "9999AA")),
        # Groups of the SITC, a code that kept its zero, numbers that lost a zero at their end.
        *(("781", ""), ("001", ""), ("27090", ""), ("2709.1", ""), ("10.00", ""), ("00", ""), ("x", "")),
    ],
)
def test_how_the_hs_writes_a_code(text: str, code: str) -> None:
    assert hs_code(text) == code


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        *(("1", "did you mean 01?"), ('"1"', "did you mean 01?"), ("1.0", "did you mean 01?")),
        *(("101", "did you mean 0101?"), ("'101", "did you mean 0101?"), ("10121", "did you mean 010121?")),
        *(("2709.00", "did you mean 270900?"), ("27090010", "did you mean 270900?")),
        *(("781", "with 2, 4 or 6 digits"), ("goods", "with 2, 4 or 6 digits")),
    ],
)
def test_a_concordance_of_goods_with_other_codes(tmp_path: Path, code: str, cure: str) -> None:
    path = tmp_path / "goods.csv"
    path.write_text(f"from_code,to_code\n27,ENE\n{code},AGR\n", encoding="utf-8")
    baci = one_flow(tmp_path, "270900")
    with pytest.raises(DataError) as error:
        pub.read_baci(baci, sectors=path)
    assert "goods.csv line 3" in told(error) and "is not an HS code" in told(error)
    assert cure in told(error)
    with pytest.raises(DataError) as error:
        pub.read_comtrade(comtrade(tmp_path, ["270900"]), sectors=path)
    assert "goods.csv line 3" in told(error) and cure in told(error)


def test_a_mapping_with_numbers_for_codes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="8 is not an HS code -> did you mean 08"):
        pub.read_baci(one_flow(tmp_path, "847130"), sectors={8: "MCH"})  # type: ignore[dict-item]
    assert len(pub.read_baci(one_flow(tmp_path, "847130"), sectors={" 84\u00a0": "MCH", "TOTAL": ""})) == 1


def test_a_goods_table_of_a_hundred_lost_zeros_is_told_in_short(tmp_path: Path) -> None:
    rows = [["from_code", "to_code"], *([str(n), "A"] for n in range(101, 999))]
    with pytest.raises(DataError) as error:
        pub.read_baci(one_flow(tmp_path, "010121"), sectors=write_rows(tmp_path / "goods.csv", rows))
    assert "888 more faults" in told(error) and len(error.value.faults) == 11


# -- Comtrade --------------------------------------------------------------------------------------


def comtrade(folder: Path, codes: Sequence[str], system: str = "", partners: Sequence[str] = ()) -> Path:
    """A download of the new site with one million USD for each code; system: its classificationCode."""
    rows: list[list[object]] = [
        ["refYear", "flowCode", "reporterISO", "partnerISO", "cmdCode", "primaryValue"]
    ]
    for n, code in enumerate(codes):
        rows.append([2022, "M", "KAZ", partners[n] if partners else "CHN", code, 1_000_000])
    for row in rows if system else ():
        row.append("classificationCode" if row is rows[0] else system)
    return write_rows(folder / "comtrade.csv", rows)


def test_five_digits_at_level_six(tmp_path: Path) -> None:
    path = comtrade(tmp_path, ["10121", "270900", "2709.00", "847130.0", "8471", "101"], system="H5")
    report = pub.Report()
    with pytest.raises(DataError, match="a second row for CHN, KAZ, 2022, 270900"):
        pub.read_comtrade(path, level=6)
    path = comtrade(tmp_path, ["10121", "2709.00", "847130.0", "8471", "101"], system="H5")
    frame = pub.read_comtrade(path, level=6, sectors="hs6", report=report)
    assert frame["sector"].tolist() == ["010121", "270900", "847130"]
    assert "10121 as 010121, 2709.00 as 270900" in str(report.notes) and "assumed" not in str(report.notes)
    assert pub.read_comtrade(path, level=4, sectors="hs2")["sector"].tolist() == ["01", "84"]
    frame = pub.read_comtrade(path, level=4, sectors={"01": "AGR", "84": "MCH"})
    assert frame["trade_musd"].tolist() == [1.0, 1.0]


def test_zeros_that_stand_in_the_file_are_kept(tmp_path: Path) -> None:
    """Codes that are all digits are no numbers, whatever the reader of CSV makes of them."""
    report = pub.Report()
    path = comtrade(tmp_path, ["0101", "8471", "270900"])
    assert pub.read_comtrade(path, level=4, sectors="hs4", report=report)["sector"].tolist() == [
        "0101",
        "8471",
    ]
    assert not any("zero" in note for note in report.notes)
    path = one_flow(tmp_path, "270900")
    path.write_text(path.read_text(encoding="utf-8").replace("270900", "2709e2"), encoding="utf-8")
    with pytest.raises(DataError, match="k is '2709e2'"):
        pub.read_baci(path)


def test_the_sitc_is_left_alone(tmp_path: Path) -> None:
    path = comtrade(tmp_path, ["0", "001", "781", "78120", "334"], system="S4")
    report = pub.Report()
    frame = pub.read_comtrade(path, level=3, sectors={"0": "AGR", "78": "VEH", "3": "ENE"}, report=report)
    assert frame["sector"].tolist() == ["AGR", "VEH", "ENE"] and not any("zero" in n for n in report.notes)
    assert pub.read_comtrade(path, level=5)["trade_musd"].tolist() == [1.0]
    assert pub.read_comtrade(path, level=1)["trade_musd"].tolist() == [1.0]
    with pytest.raises(DataError) as error:  # without the column, codes that the HS cannot have are refused
        pub.read_comtrade(comtrade(tmp_path, ["001", "781", "334"]), level=4)
    assert "'781' is no code of the HS" in told(error) and "classificationCode" in told(error)
    header = comtrade(tmp_path, ["27"], system="H5").read_text(encoding="utf-8")
    (tmp_path / "comtrade.csv").write_text(header + "2022,M,KAZ,CHN,33,5,S4\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"several classifications \(HS, SITC\)"):
        pub.read_comtrade(tmp_path / "comtrade.csv", level=2)


def test_partners_without_a_code_and_namibia(tmp_path: Path) -> None:
    report = pub.Report()
    path = comtrade(tmp_path, ["27"] * 4, partners=["CHN", "N/A", "NA", ""])
    assert pub.read_comtrade(path, report=report)["exporter"].tolist() == ["CHN"]
    assert report.dropped[0].rows == 3 and report.dropped[0].musd == 3.0
    path = comtrade(tmp_path, ["27"] * 3, partners=["CN", "NA", "N/A"])
    assert pub.read_comtrade(path)["exporter"].tolist() == ["CN", "NA"]


# -- BACI ------------------------------------------------------------------------------------------


def one_flow(folder: Path, product: str) -> Path:
    country_codes(folder)
    rows = [["t", "i", "j", "k", "v", "q"], ["2023", "156", "398", product, "1000", "1"]]
    return write_rows(folder / "BACI_HS17_Y2023_V202501.csv", rows)


def areas(folder: Path, codes: dict[int, str]) -> Path:
    """A flow of each area to Kazakhstan, of as many million USD as its place in the list."""
    country_codes(folder, codes | {398: "KAZ"})
    rows: list[list[object]] = [["t", "i", "j", "k", "v", "q"]]
    rows += [[2023, n, 398, "270900", 1000 * at, 1] for at, n in enumerate(codes, start=1)]
    return write_rows(folder / "BACI_HS17_Y2023_V202501.csv", rows)


@pytest.mark.parametrize("mark", ["N/A", "NA", "", "n/a", "#N/A", "nan", "..", "\u00a0"])
def test_three_areas_without_a_code(tmp_path: Path, mark: str) -> None:
    path = areas(tmp_path, {490: mark, 697: mark, 849: mark, 516: "NAM"})
    found = pub.read_baci(path).set_index("exporter")["trade_musd"]
    assert found.to_dict() == {"N490": 1.0, "N697": 2.0, "N849": 3.0, "NAM": 4.0}


def test_areas_that_share_a_code(tmp_path: Path) -> None:
    """The country, which has the lower number, keeps its code; a code of no country names no area."""
    report = pub.Report()
    path = areas(tmp_path, {58: "BEL", 56: "BEL", 490: "XXX", 697: "XXX", 736: "SDN", 729: "SDN"})
    found = pub.read_baci(path, report=report).set_index("exporter")["trade_musd"]
    assert found.to_dict() == {"N058": 1, "BEL": 2, "N490": 3, "N697": 4, "N736": 5, "SDN": 6}
    assert "the country codes give BEL to several areas: 58 is called N058" in report.notes
    with pytest.raises(DataError, match="N058"):
        pub.read_baci(path, regions={"BEL": "EUR", "SDN": "ROW", "KAZ": "CA5"})


def test_a_baci_that_went_through_a_spreadsheet(tmp_path: Path) -> None:
    rows = [
        ["t", "i", "j", "k", "v", "q", "", ""],
        ["2023.0", "156.0", "398.0", "10121.0", "1000.0", "", "", ""],
        ["2023.0", "156.0", "398.0", "847130.0", "2000", "1.5", "", ""],
        *([[""] * 8] * 3),
    ]
    path = write_rows(tmp_path / "BACI_HS17_Y2023_V202501.csv", rows)
    codes = [["country_code", "country_name", "country_iso2", "country_iso3", ""]]
    codes += [["156.0", "China", "CN", "CHN", ""], ["398.0", "Kazakhstan", "KZ", "KAZ", ""], [""] * 5]
    write_rows(tmp_path / "country_codes_V202501.csv", codes)
    report = pub.Report()
    frame = pub.read_baci(path, sectors="hs6", report=report)
    assert frame["sector"].tolist() == ["010121", "847130"] and frame["trade_musd"].tolist() == [1.0, 2.0]
    assert "whole numbers of t, i, j, k are written with a point" in str(report.notes)
    assert [(d.why, d.rows) for d in report.dropped] == [("without a filled cell", 3)]
    for line in path.read_text(encoding="utf-8").splitlines()[1:3]:  # clean blocks are read at once as well
        path.write_text(f"t,i,j,k,v,q,,\n{line}\n", encoding="utf-8")
        assert len(pub.read_baci(path)) == 1
    path.write_text("t,i,j,k,v,q,,\n2023,156,398,10121,1,1,,x\n", encoding="utf-8")
    with pytest.raises(DataError, match="8 cells under 6 columns"):
        pub.read_baci(path)
    path.write_text("t,i,j,k,v,q\n2023,156.5,398,10121,1,1\n2023,156,398,0101,1,1\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        pub.read_baci(path)
    assert "i is '156.5'" in told(error) and "k is 0101, too small" in told(error)


def test_semicolons_are_named_in_both_files(tmp_path: Path) -> None:
    path = one_flow(tmp_path, "270900")
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(",", ";").replace("1000", "1000,5"), encoding="utf-8")
    with pytest.raises(DataError, match="not separated by commas"):
        pub.read_baci(path)
    path.write_text(whole, encoding="utf-8")
    codes = tmp_path / "country_codes_V202501.csv"
    codes.write_text(codes.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    with pytest.raises(DataError, match="not separated by commas"):
        pub.read_baci(path)


def test_many_kinds_of_faults_stay_within_a_screen(tmp_path: Path) -> None:
    country_codes(tmp_path)
    for year in range(2001, 2021):
        rows = [["t", "i", "j", "k", "v", "q"], *([year, "x", -1, 5, "9" * 500, "y"] for _ in range(40))]
        write_rows(tmp_path / f"BACI_HS17_Y{year}_V202501.csv", rows)
    with pytest.raises(DataError) as error:
        pub.read_baci(tmp_path)
    assert "more faults" in told(error) and max(map(len, told(error).splitlines())) < 300


# -- concordances ----------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u2009", "\u200b", "\u3000", "\ufeff"])
def test_blanks_around_codes_do_not_count(tmp_path: Path, blank: str) -> None:
    rows = [["from_code", "to_code"], [f"CHN{blank}", "EAST"], [f"{blank}KAZ", f"EAST{blank}"]]
    table = pub.read_concordance(write_rows(tmp_path / "regions.csv", rows))
    assert table.targets == ("EAST",) and set(table.table) == {"CHN", "KAZ"}
    with pytest.raises(DataError, match="'CHN' goes to 'EAST' already"):
        pub.read_concordance(write_rows(tmp_path / "regions.csv", [*rows, ["CHN", "WEST"]]))


def test_codes_that_differ_by_capitals_only(tmp_path: Path) -> None:
    rows = [["from_code", "to_code"], ["CHN", "East"], ["KAZ", "EAST"], ["chn", "East"]]
    with pytest.raises(DataError) as error:
        pub.read_concordance(write_rows(tmp_path / "regions.csv", rows))
    assert "line 3: to_code 'EAST' differs from 'East' (line 2) by capitals only" in told(error)
    assert "line 4: from_code 'chn' differs from 'CHN' (line 2) by capitals only" in told(error)


# -- input-output tables ---------------------------------------------------------------------------


def test_final_uses_of_the_editions(tmp_path: Path) -> None:
    Z, F = flows(3, 2, 2)
    for use in ("P33", "DPABR", "INVNT"):
        rows = icio_rows(("CHN", "KAZ"), ("01T03", "05T06"), Z, F, uses=("HFCE", "GFCF", use))
        path = write_rows(tmp_path / "ICIO2018_2015.csv", rows)
        table = pub.read_icio(path, theta=4, vintage="test")
        assert table.trade.sum() == pytest.approx(Z.sum() + F.sum())
        assert table.sectors == ("01T03", "05T06")


def test_a_final_use_that_is_not_known(tmp_path: Path) -> None:
    Z, F = flows(3, 2, 2)
    rows = icio_rows(("CHN", "KAZ"), ("01T03", "05T06"), Z, F, uses=("HFCE", "GFCF", "P99"))
    with pytest.raises(DataError) as error:
        pub.read_icio(write_rows(tmp_path / "2015.csv", rows), theta=4, vintage="test")
    assert len(error.value.faults) == 1
    assert "columns P99 of every country have no rows" in told(error) and "P33" in told(error)


# -- the workbook ----------------------------------------------------------------------------------


def test_a_broken_rule_names_the_sheet_and_row(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    import landbridge as lb
    from landbridge.io.workbook import merge, read_workbook, write_template

    world, path = lb.load(), tmp_path / "mine.xlsx"
    write_template(path, world)
    book = load_workbook(path)
    for line in range(12, 16):
        book["README"].cell(line, 2, "survey")
    rows = list(world.network["crossings"])[:2]
    for at, cell in enumerate(list(book["borders"][1]), start=1):
        for line, row in zip((4, 7), rows, strict=True):
            book["borders"].cell(line, at, row[str(cell.value)])
            if cell.value == "time_low_h" and line == 7:
                book["borders"].cell(line, at, 1_999.0)
    book.save(path)
    with pytest.raises(DataError) as error:
        merge(world, read_workbook(path))
    assert "sheet borders, row 7: time_low_h 1999 is above time_h" in told(error)
    assert "row 4" not in told(error) and "crossings.csv" not in told(error)
    book["borders"].cell(2, 1, "km")
    for line in range(3, 90):
        book["borders"].cell(line, 1, "=1")
    book.save(path)
    with pytest.raises(DataError) as error:
        read_workbook(path)
    assert len(error.value.faults) == 1 and "sheet borders, cell A2" in str(error.value)
