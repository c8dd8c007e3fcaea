"""Gravity on tables as the field writes them: labels, codings, separators, marks, rows with nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from commands import Call
from landbridge.errors import DataError
from landbridge.estimation import bias_correct, estimate
from landbridge.estimation.reading import clean, read_panel, reading_notes
from landbridge.io.coding import decode, separator
from landbridge.io.files import read_lines

CASES = Path(__file__).parent / "data" / "cases"
THREE = "trade ~ rta | exporter^year + importer^year + pair"
RTA = 0.540268
Run = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def run(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a formula on the panel of a case, or on panel.csv of the folder where case is none."""

    def gravity(case: str | None, formula: str = THREE, *words: str, panel: str = "panel.csv") -> Any:
        if case is not None:
            shutil.copytree(CASES / case, tmp_path, dirs_exist_ok=True)
        monkeypatch.chdir(tmp_path)
        code, out, err = call("gravity", formula, panel, "--json", *words)
        assert len(err.splitlines()) <= 22 and max(map(len, err.splitlines()), default=0) < 700
        return code, json.loads(out) if out else {}, err

    return gravity


def plain() -> pd.DataFrame:
    """The panel that all cases hold, without what is wrong with each."""
    return pd.read_csv(CASES / "aa1_effects_only" / "panel.csv")


def written(folder: Path, coding: str = "utf-8", sign: str = ",", comma: bool = False, **how: Any) -> None:
    data = plain().assign(**how)
    text = data.to_csv(index=False, sep=sign, decimal="," if comma else ".", lineterminator="\n")
    (folder / "panel.csv").write_bytes(text.encode(coding))


def rta(document: dict[str, Any]) -> float:
    return float(document["result"]["coefficients"][0]["coefficient"])


def notes(document: dict[str, Any]) -> str:
    return "\n".join(document["result"]["notes"])


# -- the cases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("r1_blank_after_code", "exporter: blanks"),
        ("r3_no_break_space", "importer: blanks at the ends of labels"),
        ("w1_namibia_csv", "Namibia"),
        ("x1_blank_rows_csv", "2 rows with no cell filled"),
        ("y1_semicolon_decimal_comma", "panel.csv: read as UTF-8, separated by semicolons, decimal commas"),
        ("y3_gb18030", "panel.csv: read as GB18030"),
        ("y4_utf16_tab", "panel.csv: read as UTF-16, separated by tabs"),
    ],
)
def test_a_case_gives_the_estimate_of_the_clean_panel(case: str, told: str, run: Run) -> None:
    code, document, _ = run(case)
    assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)
    assert document["result"]["n"] == 196 and told in notes(document)


def test_the_clean_panel_has_no_note_on_reading() -> None:
    frame = read_panel(CASES / "aa1_effects_only" / "panel.csv")
    assert reading_notes(frame) == []
    found = estimate(THREE, frame)
    assert found["rta"] == pytest.approx(RTA, abs=1e-6)
    assert not any("blank" in note or "read as" in note for note in found.notes)


def test_effects_alone_are_estimated(run: Run) -> None:
    formula = "trade ~ 1 | exporter^year + importer^year"
    code, document, _ = run("aa1_effects_only", formula)
    result = document["result"]
    assert code == 0 and result["coefficients"] == [] and result["n"] == 196
    assert document["status"]["converged"] and "56 fixed effects alone are estimated" in notes(document)
    data = plain()
    found = estimate(formula, data)
    assert found.covariance.shape == (0, 0) and found.names == ()
    fitted = found.predict()
    for side in ("exporter", "importer"):  # effects reproduce the sums of their rows
        gap = pd.Series(data.trade.to_numpy() - fitted).groupby([data[side], data.year]).sum()
        assert gap.abs().max() < 1e-9 * data.trade.sum()
    value = found.effects().set_index("level").value
    row = data.iloc[5]
    both = found.fixef()
    total = sum(both[f"{side}^year"][f"{row[side]}^{row.year}"] for side in ("exporter", "importer"))
    assert len(value) == 56 and np.exp(total) == pytest.approx(fitted[5], rel=1e-8)
    assert found.predict(data.iloc[[5]])[0] == pytest.approx(fitted[5], rel=1e-8)
    assert "fixed effects exporter^year" in found.table() and "brackets" not in found.table()
    with pytest.raises(DataError):
        bias_correct(estimate("trade ~ 1 | exporter^year + importer^year + exporter^importer", data))


def test_effects_alone_take_an_offset_and_least_squares(tmp_path: Path) -> None:
    data = plain().assign(size=lambda d: 1.0 + d.rta)
    found = estimate("trade ~ offset(log(size)) | exporter^year + importer^year", data)
    assert found.names == () and found.fitted.sum() == pytest.approx(data.trade.sum())
    line = estimate("log(trade) ~ 1 | exporter^year + importer^year", data, method="ols")
    assert line.fitted.sum() == pytest.approx(np.log(data.trade).sum())
    from landbridge.estimation.replicate import replicate

    files = replicate([found, line], tmp_path)
    assert "~ 1 |" in next(f for f in files if f.name == "gravity_2.R").read_text(encoding="utf-8")


@pytest.mark.parametrize("formula", ["trade ~ 1", "trade ~ 0", "trade ~ | exporter"])
def test_nothing_to_estimate_is_said(formula: str) -> None:
    with pytest.raises(DataError):
        estimate(formula, plain())


def test_with_no_row_to_spare_the_fit_is_exact_and_errors_are_undefined(run: Run) -> None:
    code, document, _ = run("z1_saturated", "y ~ x1 + x3", "--cluster", "none")
    found = {row["name"]: row for row in document["result"]["coefficients"]}
    assert code == 0 and document["status"]["converged"]
    assert found["x1"]["coefficient"] == pytest.approx(np.log(3 / 8), abs=1e-6)
    assert found["x3"]["coefficient"] == pytest.approx(0.298331, abs=1e-6)
    assert all(row["standard_error"] is None and row["p"] is None for row in found.values())
    assert "no row is to spare: 3 rows" in notes(document)


def test_no_row_to_spare_with_effects_and_with_least_squares() -> None:
    data = pd.DataFrame(
        {"o": list("aabb"), "d": list("cdcd"), "x": [0.0, 0.0, 0.0, 1.0], "y": [3.0, 5.0, 7.0, 2.0]}
    )
    found = estimate("y ~ x | o + d", data, cluster="none")
    assert found["x"] == pytest.approx(np.log(2 * 3 / (5 * 7)), abs=1e-8)
    assert np.isnan(found.rows()[0]["standard_error"]) and found.saturated
    assert "undefined" in found.table()
    line = estimate("log(y) ~ x | o + d", data, cluster="none", method="ols")
    assert line["x"] == pytest.approx(np.log(2 * 3 / (5 * 7)), abs=1e-8) and line.saturated
    # One row more, and errors are numbers again.
    more = pd.concat([data, data.assign(y=data.y * [1.1, 0.9, 1.0, 1.2])])
    assert not estimate("y ~ x | o + d", more, cluster="none").saturated


def test_data_without_noise_have_converged() -> None:
    x = np.arange(20.0) / 10
    found = estimate("y ~ x", pd.DataFrame({"x": x, "y": np.exp(1 + 0.5 * x)}))
    assert found["x"] == pytest.approx(0.5, abs=1e-9) and not found.saturated


# -- labels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sign", ["\u200b", "\ufeff", "\u2009", "\u3000", "\u202f", "\t", " \u00a0 ", "\u2060"]
)
def test_blanks_of_any_kind_make_no_second_country(sign: str, run: Run, tmp_path: Path) -> None:
    data = plain()
    odd = data.exporter.where(np.arange(len(data)) % 3 > 0, data.exporter + sign)
    written(tmp_path, exporter=odd, importer=sign + data.importer)
    code, document, _ = run(None)
    assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)
    assert "exporter: blanks" in notes(document) and "importer: blanks" in notes(document)


def test_labels_are_read_alike_in_frames_conditions_and_predictions() -> None:
    data = plain()
    odd = data.assign(exporter=data.exporter + " ", importer=data.importer.astype("category"))
    kept = "exporter != 'KAZ ' and importer != 'KAZ'"
    want = estimate(THREE, data, kept)
    found = estimate(THREE, odd, kept)
    assert found["rta"] == pytest.approx(want["rta"], abs=1e-12) and found.n == want.n < 196
    whole = estimate(THREE, odd)
    assert np.allclose(whole.predict(odd), estimate(THREE, data).predict())
    unused = estimate(THREE, data.assign(remark=" x "))
    assert not any("remark" in note for note in unused.notes)


def test_a_blank_label_is_missing(run: Run, tmp_path: Path) -> None:
    data = plain()
    written(tmp_path, exporter=data.exporter.where(data.index != 4, " \u00a0"))
    code, _, err = run(None)
    assert code == 3 and "exporter: is empty in 1 row (row 5" in err


@pytest.mark.parametrize("side", ["exporter", "importer"])
def test_labels_that_differ_in_case_only_are_refused(side: str, run: Run, tmp_path: Path) -> None:
    data = plain()
    written(tmp_path, **{side: data[side].where(data.index % 2 == 0, data[side].str.lower())})
    code, _, err = run(None)
    assert code == 3 and "differ only in small and capital letters" in err and "'KAZ' and 'kaz'" in err
    assert "more" in err  # seven countries, three named
    written(tmp_path, **{side: data[side].str.lower()})  # one side in small letters: two spellings too
    assert run(None)[0] == 3
    both = {s: data[s].str.lower() for s in ("exporter", "importer")}
    written(tmp_path, **both)
    code, document, _ = run(None)
    assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)


@pytest.mark.parametrize("words", [("--exporter", "importer"), ("--exporter", "year", "--importer", "year")])
def test_one_column_is_not_both_sides(words: tuple[str, ...], run: Run) -> None:
    code, _, err = run("aa1_effects_only", THREE, *words)
    assert code == 3 and "both sides of the flow are the column" in err and "--exporter" in err


# -- NA --------------------------------------------------------------------------------------------


def test_na_is_a_code_among_two_letter_codes_and_missing_elsewhere(run: Run, tmp_path: Path) -> None:
    text = (CASES / "w1_namibia_csv" / "panel.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines()]
    more = [[*row, "dist"] if n == 0 else [*row, "NA" if n == 3 else str(n)] for n, row in enumerate(rows)]
    (tmp_path / "panel.csv").write_text("\n".join(map(",".join, more)), encoding="utf-8")
    code, document, _ = run(None, THREE.replace("rta", "rta + dist"))
    assert code == 0 and document["result"]["n"] == 195
    assert document["result"]["left_out"] == [{"reason": "a regressor is empty (dist 1)", "n": 1}]
    for sign, coding in ((";", "utf-8"), ("\t", "utf-16")):
        (tmp_path / "panel.csv").write_bytes("\n".join(map(sign.join, rows)).encode(coding))
        code, document, _ = run(None)
        assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5) and "Namibia" in notes(document)


def test_na_among_codes_of_three_letters_is_missing(run: Run, tmp_path: Path) -> None:
    written(tmp_path, exporter=plain().exporter.where(lambda s: s != "KAZ", "NA"))
    code, _, err = run(None)
    assert code == 3 and "exporter: is empty in 28 rows" in err and "two capital letters" in err


def test_excel_and_parquet_are_read_alike(run: Run, tmp_path: Path) -> None:
    data = pd.read_csv(CASES / "w1_namibia_csv" / "panel.csv", keep_default_na=False).astype(object)
    blank = pd.DataFrame([[None] * 5] * 2, columns=data.columns)
    data["exporter"] += "\u00a0"
    data = pd.concat([data.iloc[:90], blank, data.iloc[90:], blank], ignore_index=True)
    data["Unnamed: 5"] = None
    data.to_excel(tmp_path / "panel.xlsx", index=False)
    data.astype({"year": float, "trade": float, "rta": float}).to_parquet(tmp_path / "panel.parquet")
    for name in ("panel.xlsx", "panel.parquet"):
        code, document, _ = run(None, panel=name)
        assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)
        assert "rows with no cell filled" in notes(document) and "exporter: blanks" in notes(document)
    assert "Unnamed: 5" not in read_panel(tmp_path / "panel.xlsx")


# -- rows and columns with nothing -----------------------------------------------------------------


def test_blank_rows_and_columns_are_passed_over(run: Run, tmp_path: Path) -> None:
    lines = (CASES / "aa1_effects_only" / "panel.csv").read_text(encoding="utf-8").splitlines()
    for sign in (",", ";"):
        rows = [line.replace(",", sign) + 2 * sign for line in lines]
        rows = [*rows[:9], 6 * sign, *rows[9:40], " " + 6 * sign, "", *rows[40:], 6 * sign]
        (tmp_path / "panel.csv").write_text("\n".join(rows), encoding="utf-8")
        code, document, _ = run(None)
        assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)
    # Rows end in commas, the header does not.
    (tmp_path / "panel.csv").write_text(
        "\n".join([lines[0], *(line + "," for line in lines[1:])]), encoding="utf-8"
    )
    code, document, _ = run(None)
    assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)


def test_cells_beyond_the_header_are_told_by_line(run: Run, tmp_path: Path) -> None:
    lines = (CASES / "aa1_effects_only" / "panel.csv").read_text(encoding="utf-8").splitlines()
    for rows in (
        [line.replace(".", ",") for line in lines],
        [lines[0], *("x," + line for line in lines[1:])],
    ):
        (tmp_path / "panel.csv").write_text("\n".join(rows), encoding="utf-8")
        code, _, err = run(None)
        assert code == 3 and "panel.csv line 2: 6 cells under 5 columns" in err and "more rows" in err


# -- codings, separators, marks --------------------------------------------------------------------

NAMES = {
    "windows-1251": ["Казахстан", "Узбекистан", "Российская Федерация", "Китай"],
    "windows-1252": ["Côte d'Ivoire", "Türkiye", "São Tomé", "Réunion"],
    "GB18030": ["哈萨克斯坦", "乌兹别克斯坦", "中国", "德国"],
}


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("coding", "name"),
    [
        ("cp1251", "windows-1251"),
        ("cp1252", "windows-1252"),
        ("gb18030", "GB18030"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
    ],
)
def test_every_coding_and_separator_is_read(
    coding: str, name: str, sign: str, run: Run, tmp_path: Path
) -> None:
    names = NAMES.get(name, NAMES["windows-1251"])
    data = plain()
    written(tmp_path, coding, sign, sign in ";\t", name=[names[n % 4] for n in range(len(data))])
    frame = read_panel(tmp_path / "panel.csv")
    assert set(frame["name"]) == set(names)
    pd.testing.assert_frame_equal(frame[list(data.columns)], data, check_dtype=False)
    told = "".join(reading_notes(frame))
    assert told == "" if (name, sign) == ("UTF-8", ",") else f"read as {name}" in told
    assert ("decimal commas" in told) == (sign in ";\t")


def test_quoted_decimal_commas_in_a_file_of_commas(run: Run, tmp_path: Path) -> None:
    written(tmp_path, trade=plain().trade.map(lambda v: f"{v}".replace(".", ",")))
    assert '"7,39"' in (tmp_path / "panel.csv").read_text(encoding="utf-8")
    code, document, _ = run(None)
    assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)
    assert "panel.csv: decimal commas" in notes(document)


def test_blanks_between_thousands_are_certain(run: Run, tmp_path: Path) -> None:
    def grouped(value: float) -> str:
        return f"{1000 * value:,.2f}".replace(",", "\u00a0").replace(".", ",")

    written(tmp_path, "utf-8", ";", trade=plain().trade.map(grouped))
    code, document, _ = run(None)
    assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)
    assert "decimal commas, blanks between thousands" in notes(document)


@pytest.mark.parametrize(
    ("sign", "shape"),
    [
        (";", "{:.3f}"),  # 7.390: seven thousand, or seven
        ("\t", "{:.3f}"),
        (";", "comma {:.3f}"),  # 7,390
        (",", "comma {:.3f}"),
        (",", "{:,.2f}"),  # 7,390.00: certain, and refused all the same
        (";", "swap {:,.2f}"),  # 7.390,00
    ],
)
def test_numbers_that_can_be_a_thousand_times_larger_are_refused(
    sign: str, shape: str, run: Run, tmp_path: Path
) -> None:
    def text(value: float) -> str:
        found = shape.split()[-1].format(value if ".3f" in shape else 1e6 * value)
        if shape.startswith("comma"):
            return found.replace(".", ",")
        return found.translate(str.maketrans(",.", ".,")) if shape.startswith("swap") else found

    written(tmp_path, "utf-8", sign, trade=(plain().trade + 1.0).map(text))
    code, _, err = run(None)
    assert code == 3 and "trade: holds text" in err and "thousands" in err


def test_a_point_before_three_digits_is_decimal_between_commas(run: Run, tmp_path: Path) -> None:
    written(tmp_path, trade=plain().trade.map("{:.3f}".format))
    code, document, _ = run(None)
    assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)


def test_another_column_decides_what_a_column_leaves_open(tmp_path: Path) -> None:
    text = "a;b;c\n1,5;1,234;2,345\n2,25;7,890;1\n"
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    frame = read_panel(tmp_path / "p.csv")
    assert frame.b.tolist() == [1.234, 7.89] and frame.c.tolist() == [2.345, 1.0]
    (tmp_path / "p.csv").write_text(text.replace("2,345", "2.345"), encoding="utf-8")
    assert read_panel(tmp_path / "p.csv").c.tolist() == ["2.345", "1"]
    # Points elsewhere: a comma before three digits separates thousands, and stays text.
    (tmp_path / "p.csv").write_text('a,b\n1.5,"1,234"\n2.25,"7,890"\n', encoding="utf-8")
    assert read_panel(tmp_path / "p.csv").b.tolist() == ["1,234", "7,890"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a,b\nKAZ,Казахстан\n".encode("koi8-r"), "KOI8-R"),
        ("a,b\nKAZ,Казахстан\n".encode("cp866"), "cp866"),
        ("a,b\nCHN,中文\n".encode("gb18030"), "can be GB18030 or windows-1251"),
        ("a,b\nKAZ,Казахстан\n".encode() + b"\xd0,1\n", "UTF-8 with damaged bytes, in line 3"),
        ("a,b\nKAZ,Казахстан\n".encode("utf-16")[:-1], "UTF-16 with damaged bytes"),
        (b"a,b\nK\xffZ,1\n", "is not UTF-8"),
        (b"PK\x03\x04\0\0\0\0abc\0", "is binary"),
        (b"", "is empty"),
        (b'a,b;c\n"x",1;2\ny,3;4\n', "commas or semicolons"),
    ],
)
def test_what_cannot_be_told_is_refused(raw: bytes, said: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "panel.csv").write_bytes(raw)
    code, _, err = run(None)
    assert code == 3 and said in err and "->" in err


def test_a_blank_without_break_alone_is_the_same_in_either_coding() -> None:
    assert decode(b"a,b\nUZB\xa0,1\n", "x")[0] == "a,b\nUZB\u00a0,1\n"
    assert decode("a\nÜbersee\nGROß\n".encode("cp1252"), "x")[1] == "windows-1252"


def test_the_header_decides_the_separator() -> None:
    assert separator("a,b\n1,2\n", "x") == "," and separator("a;b\n1,5;2\n", "x") == ";"
    assert separator('"a;b",c\n1,2\n', "x") == "," and separator("a, in t;b\n1,5;2\n3;4\n", "x") == ";"
    assert separator("a;b,c\n1,2\n", "x") == "," and separator("a\n1\n", "x") == ","


def test_the_line_that_names_the_separator_is_read(run: Run, tmp_path: Path) -> None:
    text = (CASES / "aa1_effects_only" / "panel.csv").read_text(encoding="utf-8")
    (tmp_path / "panel.csv").write_text("sep=;\n" + text.replace(",", ";"), encoding="utf-8")
    code, document, _ = run(None)
    assert code == 0 and rta(document) == pytest.approx(RTA, abs=1e-5)


def test_labels_are_cleaned_as_they_are_seen() -> None:
    assert clean("\ufeff Kyrgyz\u00a0 Republic\u200b ") == "Kyrgyz Republic"
    assert clean("Co\u0302te") == "Côte" and clean(" \u3000") == ""


def test_long_cells_and_many_faults_stay_short(run: Run, tmp_path: Path) -> None:
    data = plain()
    written(tmp_path, exporter=data.exporter + "x" * 5000, trade=["y" * 9000 + str(n) for n in data.index])
    code, _, err = run(None)
    assert code == 3 and len(err) < 4000
    labels = [f"Land {n}" for n in data.index]
    written(tmp_path, exporter=labels, importer=[label.upper() for label in labels])
    code, _, err = run(None)
    assert code == 3 and "193 more" in err and len(err) < 1000


# -- tables of a World -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a,b\nKAZ,Казахстан\n".encode("cp1251"), "looks like windows-1251, not UTF-8"),
        ("a,b\nCHN,哈萨克斯坦\n".encode("gb18030"), "looks like GB18030, not UTF-8"),
        ("a,b\nKAZ,1\n".encode("utf-16"), "looks like UTF-16, not UTF-8"),
        (b"a;b\n1;2\n", "separated by semicolons"),
        (b"a\tb\n1\t2\n", "separated by tabs"),
    ],
)
def test_tables_of_a_world_name_the_coding_they_are_in(raw: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(raw)
    with pytest.raises(DataError, match=said):
        read_lines(tmp_path / "t.csv")


def test_tables_of_a_world_pass_over_what_is_empty(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,,\n1,2,,\n , ,,\n3,4,,\n", encoding="utf-8")
    (header, rows), faults = read_lines(tmp_path / "t.csv")
    assert header == ["a", "b"] and rows == [(2, ["1", "2"]), (4, ["3", "4"])] and not faults
    (tmp_path / "t.csv").write_text("a,,b\n1,x,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="column 2 has no name"):
        read_lines(tmp_path / "t.csv")
