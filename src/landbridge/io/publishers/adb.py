"""ADB Multi-Regional Input-Output tables: the Excel workbook of one year."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landbridge.errors import DataError, Fault
from landbridge.io.optional import need
from landbridge.io.publishers.accounts import Accounts, Axis, Columns, Layout
from landbridge.io.publishers.concordance import Concordance, as_concordance
from landbridge.io.publishers.report import Faults, Report
from landbridge.world.table import quoted
from landbridge.world.trade_table import TradeTable

__all__ = ["read_adb_mrio"]

Array = NDArray[np.float64]

EXPECTED = "a row of country codes over a row of c1 ... c35, F1 ... F5 (kidb.adb.org/mrio)"
# Economies, with the rest of the world, and sectors of the published tables.
KNOWN = {(63, 35): "62 economies", (73, 35): "72 economies", (75, 35): "74 economies"}
# Rows below the sales, named as in tables with the layout of the first WIOD release.
COST = {
    "r99": "taxes less subsidies on inputs",
    "r61": "cif/fob adjustments",
    "r62": "purchases abroad by residents",
    "r63": "purchases by non-residents",
    "r64": "value added",
    "r65": "international transport margins",
}
SUM, OUTPUT = "r60", "r69"
HEADER_ROWS, LABEL_COLUMNS, MAX_COLUMNS = 15, 8, 12_000
_SECTOR = re.compile(r"c([0-9]{1,2})", re.IGNORECASE)
_FINAL = re.compile(r"f([0-9]{1,2})", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Z]{3}", re.IGNORECASE)
_BROKEN = (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile, EOFError, AttributeError, IndexError)


def read_adb_mrio(
    path: str | Path,
    *,
    theta: float | Mapping[str, float] | Sequence[float],
    regions: Concordance | Mapping[str, str] | str | Path | None = None,
    sectors: Concordance | Mapping[str, str] | str | Path | None = None,
    tariff: ArrayLike | None = None,
    sheet: str | None = None,
    vintage: str | None = None,
    report: Report | None = None,
) -> TradeTable:
    """A year of the ADB Multi-Regional Input-Output tables as a TradeTable.

    As read_icio: b = 1 - inputs / sales, basic prices; taxes on inputs and transport margins (r99, r65)
    count as value added.

    Parameters
    ----------
    path
        The workbook of a year (ADB-MRIO-2022 ... .xlsx), in current prices.
    theta
        Trade elasticity: one for all, by sector, or in the order of sectors.
    regions, sectors
        Concordances from country codes (KAZ ... ROW) and from c1 ... c35; every code needs a target.
    tariff : [N, N, S] (origin, destination, sector), fraction
        Base tariffs, which the table does not hold; zero by default.
    sheet
        The sheet with the table; by default the first that looks like one.
    vintage
        A name for a table whose numbers of economies and sectors are unknown.
    report
        Takes notes on what was read and changed.

    Raises
    ------
    DataError
        Lists every fault: labels, cells, rows and columns that do not add up to their totals.
    LandbridgeError
        openpyxl is missing.

    Source: ADB, MRIO database (kidb.adb.org/mrio); layout as the R packages mrio and exvatools read it.
    Not yet run on the original.
    """
    path, report = Path(path), report if report is not None else Report()
    by_region = as_concordance(regions, "regions") if regions is not None else None
    by_sector = as_concordance(sectors, "sectors") if sectors is not None else None
    report.publisher = "ADB MRIO"
    faults = Faults()
    book = _open(path)
    try:
        name, top, rows = _sheet(book, sheet, path.name)
        shown = f"{path.name}, sheet {name}"
        report.files.append(shown)
        head = _head(top, shown, faults)
        report.vintage = vintage or _edition(head, shown)
        axes = (
            Axis(head.countries, by_region, "country codes", faults),
            Axis(head.sectors, by_sector, "sector codes", faults),
        )
        faults.raise_any(shown)
        sums = Accounts(*axes, head.layout(), shown, faults)
        body = _Body(head, sums, shown, faults)
        for number, row in enumerate(_chained(top[head.below :], rows), start=head.below + 1):
            body.add(number, row, report)
        body.finish(report)
    except zipfile.BadZipFile as error:
        raise DataError("a broken workbook", [Fault(path.name, str(error), "fetch it again")]) from None
    finally:
        book.close()
    faults.raise_any(path.name)
    table = sums.table(theta, tariff, report)
    year = re.search(r"(?<!\d)(20\d\d)(?!\d)", path.name)
    report.totals_musd[int(year.group(1)) if year else 0] = float(
        table.trade.sum() - np.einsum("nns->", table.trade)
    )
    return table


def _open(path: Path) -> Any:
    openpyxl = need("openpyxl", "openpyxl", "excel", "an ADB workbook")
    if not path.is_file():
        raise DataError("a file is missing", [Fault(str(path), "not found", "check the name")])
    try:
        return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises any error of its parsers
        reason = str(error).split("\n")[0][:200] or type(error).__name__
        cure = "give the .xlsx as ADB publishes it (.xls and .xlsb: save as .xlsx)"
        fault = Fault(path.name, f"is no workbook that can be read ({reason})", cure)
        raise DataError("not a workbook", [fault]) from None


def _sheet(book: Any, sheet: str | None, shown: str) -> tuple[str, list[tuple[Any, ...]], Iterator[Any]]:
    """The sheet of the table: its name, its first rows, and an iterator over the others."""
    names = list(book.sheetnames)
    if sheet is not None and sheet not in names:
        cure = f"it has {', '.join(names[:8])}"
        raise DataError("no such sheet", [Fault(shown, f"no sheet {quoted(sheet)}", cure)])
    tried = [sheet] if sheet is not None else names
    for name in tried:
        page = book[name]
        if not hasattr(page, "iter_rows"):
            continue
        rows = page.iter_rows(values_only=True)
        top = [row for _, row in zip(range(HEADER_ROWS), rows, strict=False)]
        if any(sum(1 for cell in row if _SECTOR.fullmatch(_text(cell))) >= 2 for row in top):
            return name, top, rows
    what = f"no sheet of {', '.join(tried[:8])} has a row of c1, c2 ..."
    raise DataError("no table", [Fault(shown, what, f"expected {EXPECTED}")])


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


# -- the header ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Head(Columns):
    """The header of a table. below: rows down to the header. first: the first column of figures."""

    below: int
    first: int

    def layout(self) -> Layout:
        """The layout with countries and sectors as numbers."""
        country = {c: n for n, c in enumerate(self.countries)}
        sector = {s: n for n, s in enumerate(self.sectors)}
        return Layout(
            {n: (country[c], sector[s]) for n, (c, s) in self.using.items()},
            {n: country[c] for n, c in self.final.items()},
            self.total,
            tuple(f"{c}_{s}" for c, s in self.using.values()),
        )


def _head(top: list[tuple[Any, ...]], shown: str, faults: Faults) -> _Head:
    """The header among the first rows of a sheet. Raises DataError with all its faults."""
    at = max(range(len(top)), key=lambda n: _how_many(top[n], _SECTOR))
    where = f"{shown} row {at + 1}"
    codes = [_text(cell).lower() for cell in top[at]]
    first = next(n for n, code in enumerate(codes) if _SECTOR.fullmatch(code))
    lines = [n for n in (at - 1, at + 1) if 0 <= n < len(top)]
    countries_at = max(lines, key=lambda n: _how_many(top[n][first:], _COUNTRY))
    names = [_text(cell).upper() for cell in top[countries_at]]
    labels = list(zip_longest(names, codes, fillvalue=""))
    if len(labels) > MAX_COLUMNS:
        raise DataError("too wide", [Fault(where, f"has {len(labels):,} columns", f"expected {EXPECTED}")])
    head = _columns(labels, first, max(at, countries_at) + 1, where, shown, faults)
    _check_columns(head, where, shown, faults)
    faults.raise_any(shown)
    return head


def _how_many(row: Sequence[Any], pattern: re.Pattern[str]) -> int:
    return sum(1 for cell in row if pattern.fullmatch(_text(cell)))


def _columns(
    labels: list[tuple[str, str]], first: int, below: int, where: str, shown: str, faults: Faults
) -> _Head:
    """The meaning of each column, by the country and the code above it."""
    head = _Head({}, {}, None, below, first)
    total: int | None = None
    met: set[tuple[str, str]] = set()
    for n, (country, code) in enumerate(labels[first:], start=first):
        if not code and not country:
            continue
        is_sector, is_final = _SECTOR.fullmatch(code), _FINAL.fullmatch(code)
        if _COUNTRY.fullmatch(country) and country != "TOT" and (is_sector or is_final):
            if (country, code) in met:
                faults.add("twice", shown, where, f"{country} {code} appears twice", "keep one")
            met.add((country, code))
            if is_sector:
                head.using[n] = (country, code)
            else:
                head.final[n] = country
        elif total is None and (code.upper() in ("TOTAL", "TOT", "GO", "") or country in ("TOTAL", "TOT")):
            total = n
        else:
            what = f"column {n + 1} is {quoted(country)} {quoted(code)}"
            faults.add("column", shown, where, what, f"expected {EXPECTED}")
    return replace(head, total=total)


def _check_columns(head: _Head, where: str, shown: str, faults: Faults) -> None:
    """Every country has every sector and a final demand."""
    met = set(head.using.values())
    for country in head.countries:
        missing = [code for code in head.sectors if (country, code) not in met]
        if missing:
            cure = "restore its columns"
            faults.add("absent", shown, where, f"{country} lacks {', '.join(missing[:5])}", cure)
    for country in sorted(set(head.countries) ^ set(head.final.values())):
        lacks_final = country in head.countries
        which = "sectors but no final demand" if lacks_final else "final demand but no sectors"
        faults.add("axes", shown, where, f"{country} has {which}", "restore its columns")


def _edition(head: _Head, shown: str) -> str:
    """The release with the same numbers of economies and sectors."""
    found = KNOWN.get((len(head.countries), len(head.sectors)))
    if found is None:
        what = f"{len(head.countries)} economies and {len(head.sectors)} sectors match no known table"
        known = ", ".join(f"{c} and {s}" for c, s in KNOWN)
        raise DataError("an unknown table", [Fault(shown, what, f"known: {known}; or state the vintage")])
    return found


# -- the rows --------------------------------------------------------------------------------------------


class _Body:
    """The rows below the header, each added to the sums by its labels."""

    def __init__(self, head: _Head, sums: Accounts, shown: str, faults: Faults) -> None:
        self.head, self.sums, self.shown, self.faults = head, sums, shown, faults
        self.countries = {c: n for n, c in enumerate(head.countries)}
        self.sectors = {s: n for n, s in enumerate(head.sectors)}
        self.met: set[str] = set()
        self.cost: dict[str, None] = {}
        self.has_output = False
        self.blanks = 0

    def add(self, number: int, row: Sequence[Any], report: Report) -> None:
        """One row of the sheet."""
        first = self.head.first
        labels = [_text(cell) for cell in row[: min(first, LABEL_COLUMNS)]]
        where = f"{self.shown} row {number}"
        country, code = self._named(labels)
        if not code:
            if any(isinstance(cell, int | float) and cell for cell in row[first:]):
                what = f"has figures and no known label ({quoted(' '.join(labels).strip())})"
                self.faults.add("label", self.shown, where, what, f"expected {EXPECTED}")
            return
        if code == SUM:
            return
        label = code if code in COST or code == OUTPUT else f"{country}_{code}"
        if label in self.met:
            self.faults.add("twice", self.shown, where, f"a second row {label}", "keep one")
            return
        self.met.add(label)
        values, empty = _numbers(row[first:], self.sums.width - first, where, first, self.shown, self.faults)
        if values is None:
            return
        report.rows_read += 1
        values = np.concatenate((np.zeros(first), values))
        if code in COST:
            self.sums.add_below(COST[code], values)
            self.cost[COST[code]] = None
        elif code == OUTPUT:
            self.sums.add_below("output", values)
            self.has_output = True
        elif country and code in self.sectors:
            self.sums.add(self.countries[country], self.sectors[code], values, where)
            report.rows_kept += 1
            self.blanks += empty
        else:
            what = f"no such row: {quoted(' '.join(labels))}"
            self.faults.add("row", self.shown, where, what, "restore its labels")

    def _named(self, labels: Sequence[str]) -> tuple[str, str]:
        """The country and the code of a row; blank where its labels are unknown."""
        small = [text.lower() for text in labels]
        code = next((t for t in reversed(small) if _SECTOR.fullmatch(t) or t in COST), "")
        code = code or next((t for t in small if t in (SUM, OUTPUT)), "")
        return next((t.upper() for t in labels if t.upper() in self.countries), ""), code

    def finish(self, report: Report) -> None:
        """Check that every row was present, and that columns add up to their output."""
        absent = [label for label in self.sums.rows if label not in self.met]
        absent += [] if self.has_output else [OUTPUT]
        absent += [] if COST["r64"] in self.cost else ["r64"]
        self.faults.many(
            "absent row",
            self.shown,
            len(absent),
            lambda n: Fault(self.shown, f"no row {absent[n]}", "restore the publisher's rows"),
        )
        if not absent:
            self.sums.check("output", self.cost, self.shown)
        if self.blanks:
            report.note(f"{self.blanks} blank cells were read as zero")


def _chained(first: Sequence[Any], rest: Iterator[Any]) -> Iterator[Any]:
    yield from first
    try:
        yield from rest
    except _BROKEN as error:
        reason = str(error)[:200] or type(error).__name__
        raise DataError("a broken workbook", [Fault("workbook", reason, "fetch it again")]) from None


def _numbers(
    cells: Sequence[Any], width: int, where: str, first: int, shown: str, faults: Faults
) -> tuple[Array | None, int]:
    """The numbers of a row and its blank cells; None, with faults, where one is not a number."""
    out = np.zeros(width)
    blank = 0
    good = True
    for n, cell in enumerate(cells[:width]):
        if isinstance(cell, float | int) and not isinstance(cell, bool):
            value = float(cell)
        elif not _text(cell):
            blank += 1
            continue
        else:
            value = math.nan
        if not math.isfinite(value):
            good = False
            what = f"{quoted(_text(cell))} is not a number"
            faults.add("number", shown, f"{where}, column {first + n + 1}", what, "give a number in musd")
            continue
        out[n] = value
    return (out if good else None), blank + max(0, width - len(cells))
