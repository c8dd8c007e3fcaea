"""No line of a command's text is wider than the screen: 80 columns in a pipe, or COLUMNS."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from commands import Call
from landbridge.phrases import width
from landbridge.report.columns import paragraph, table_lines

# Commands that print text, the cheap ones in every language.
CHEAP = (
    *("gas", "gas --lose line-C", "farm", "travel", "treaties", "claims", "doctor"),
    *("reach Almaty", "ways Chongqing Duisburg", "route Chongqing Duisburg -k 8"),
    *("route Yiwu Tashkent --legs", "route Yiwu Tashkent --legs --scenario khorgos-closed"),
)
ENGLISH = (
    *("scenarios", "docs", "cite", "data list", "data card links", "data card gateways --rows"),
    *("data card result.gateways", "data check"),
)
COSTLY = (
    *("run", "run --base", "run cku-railway --tables", "run cku-railway --detail", "explain cku-railway"),
    *(
        "compare cku-railway khorgos-closed",
        "why real_income of KAZ in khorgos-closed",
        "disrupt khorgos-altynkol jebel-ali",
        "data validate",
    ),
    "invest --budget 1e9 --projects P22,P23",
    *("sensitivity --of KAZ --to gateways --exact 0", "calibrate --check"),
)


@pytest.fixture(autouse=True)
def _no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def fits(call: Call, words: str, most: int = 80) -> None:
    code, out, err = call(*words.split())
    assert code in (0, 1) and out, err
    assert not [line for line in out.splitlines() if width(line) > most]
    # Nothing of it was cut; cards and checks list places and write "..." themselves, and of several scenarios
    # a line holds what the scenario is as far as it goes.
    assert words.startswith("data ") or words == "run" or "..." not in re.sub(r"\.\.\. and [\d,]+", "", out)


@pytest.mark.parametrize("words", [*(f"{one} --lang {lang}" for one in CHEAP for lang in ("en", "ru", "zh"))])
def test_it_fits_a_pipe_in_every_language(call: Call, words: str) -> None:
    fits(call, words)


@pytest.mark.parametrize("words", ENGLISH)
def test_it_fits_a_pipe(call: Call, words: str) -> None:
    fits(call, words)


@pytest.mark.slow
@pytest.mark.parametrize("words", COSTLY)
def test_what_takes_long_fits_a_pipe(call: Call, words: str) -> None:
    fits(call, words)


@pytest.mark.parametrize("most", [60, 120])
def test_columns_of_the_screen_are_kept(call: Call, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setenv("COLUMNS", str(most))
    for words in ("reach Almaty", "gas", "data list"):
        fits(call, words, most)


def test_an_estimate_fits(call: Call, tmp_path: Path) -> None:
    data = tmp_path / "trade.csv"
    data.write_text(
        "exporter,importer,year,trade,distance\n"
        + "".join(
            f"{a},{b},{year},{1 + (7 * n + 3 * k + year) % 11},{1 + abs(n - k)}\n"
            for n, a in enumerate(("AAA", "BBB", "CCC", "DDD"))
            for k, b in enumerate(("AAA", "BBB", "CCC", "DDD"))
            for year in (2020, 2021, 2022)
            if a != b
        ),
        encoding="utf-8",
    )
    code, out, err = call("gravity", "trade ~ log(distance) | exporter + importer", str(data))
    assert code == 0, err
    assert not [line for line in out.splitlines() if width(line) > 80]


def test_a_wide_table_keeps_every_figure() -> None:
    head = ["what it is", *(f"a figure number {n}" for n in range(12))]
    rows = [
        [f"row {one} of a long name that has many words", *(f"{n * 1234567.5 + one:,.1f}" for n in range(12))]
        for one in range(5)
    ]
    lines = list(table_lines(head, rows, [True, *[False] * 12], 80))
    text = "\n".join(line.text for line in lines)
    assert max(width(line.text) for line in lines) <= 80
    assert all(cell in text for row in rows for cell in row[1:])
    plain = " ".join(text.split())
    assert all(f"row {one} of a long name" in plain for one in range(5)) and "figure number 11" in plain
    assert "12" not in [line.text for line in lines if line.heading]


def test_a_long_list_of_identifiers_breaks_between_them() -> None:
    listed = "khorgos-nur-zholy+bakhty-baktu+alashankou-dostyk-road+maykapchagay-jeminay"
    lines = [line.text for line in table_lines(["count", "year"], [[listed, "2023"]], [True, False], 40)]
    assert max(map(width, lines)) <= 40
    assert "".join("".join(lines[1:]).split()).replace("2023", "") == listed


def test_chinese_folds_and_counts_two_columns() -> None:
    head, rows = ["名称", "数值"], [["中" * 60, "1,234.5"], ["短", "2"]]
    lines = list(table_lines(head, rows, [True, False], 40))
    assert all(width(line.text) <= 40 for line in lines)
    assert sum(line.text.count("中") for line in lines) == 60


def test_an_identifier_is_not_cut() -> None:
    long = "a" * 100
    assert any(long in line.text for line in table_lines(["id", "n"], [[long, "1"]], [True, False], 80))
    assert paragraph(f"  one {long} two", 80)[1].strip() == long
