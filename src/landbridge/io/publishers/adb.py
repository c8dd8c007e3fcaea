"""ADB Multi-Regional Input-Output tables: the Excel workbook of one year."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landbridge.errors import DataError, Fault
from landbridge.io.optional import need
from landbridge.io.publishers.accounts import Accounts, Axis, Layout
from landbridge.io.publishers.concordance import Concordance, as_concordance
from landbridge.io.publishers.report import Faults, Report
from landbridge.world.table import quoted
from landbridge.world.trade_table import TradeTable

__all__ = ["read_adb_mrio"]

Array = NDArray[np.float64]

EXPECTED = "a row of country codes over a row of c1 ... c35, F1 ... F5 (kidb.adb.org/mrio)"
# Economies with the rest of the world, and sectors, of the tables that are published.
KNOWN = {(63, 35): "62 economies", (73, 35): "72 economies", (75, 35): "74 economies"}
# Rows below the sales, as the tables in the layout of the first WIOD release call them.
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
    count with value added.

    Parameters
    ----------
    path
        The workbook of a year (ADB-MRIO-2022 ... .xlsx), in current prices.
    theta
        Trade elasticity: one for all, by sector, or in the order of sectors.
    regions, sectors
        Concordances from country codes (KAZ ... ROW) and from c1 ... c35; every code must go somewhere.
    sheet
        The sheet that holds the table; by default the first that looks like one.
    vintage
        A name for a table whose economies and sectors are those of none that is known.

    Raises
    ------
    DataError
        Lists every fault: labels, cells, rows and columns that do not add up to their totals.

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
        sums, head = _begin(top, shown, by_region, by_sector, vintage, report, faults)
        _fill(sums, head, rows, shown, report, faults)
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
    except Exception as error:  # openpyxl raises whatever its parsers do
        reason = str(error).split("\n")[0][:200] or type(error).__name__
        cure = "give the .xlsx as ADB publishes it (.xls and .xlsb: save as .xlsx)"
        fault = Fault(path.name, f"is no workbook that can be read ({reason})", cure)
        raise DataError("not a workbook", [fault]) from None


def _sheet(book: Any, sheet: str | None, shown: str) -> tuple[str, list[tuple[Any, ...]], Iterator[Any]]:
    """The sheet of the table: its name, its first rows, and an iterator over the rest."""
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


class _Head:
    """Where the labels of the table stand."""

    def __init__(self, row: int, first: int, countries: list[str], sectors: list[str]) -> None:
        self.row, self.first = row, first
        self.countries, self.sectors = countries, sectors
        self.rows: list[tuple[Any, ...]] = []


def _begin(
    top: list[tuple[Any, ...]],
    shown: str,
    by_region: Concordance | None,
    by_sector: Concordance | None,
    vintage: str | None,
    report: Report,
    faults: Faults,
) -> tuple[Accounts, _Head]:
    at = max(range(len(top)), key=lambda n: sum(1 for cell in top[n] if _SECTOR.fullmatch(_text(cell))))
    codes = [_text(cell).lower() for cell in top[at]]
    where = f"{shown} row {at + 1}"
    first = next(n for n, code in enumerate(codes) if _SECTOR.fullmatch(code))
    lines = [n for n in (at - 1, at + 1) if 0 <= n < len(top)]
    countries_of = max(
        lines, key=lambda n: sum(1 for cell in top[n][first:] if _COUNTRY.fullmatch(_text(cell)))
    )
    names = [_text(cell).upper() for cell in top[countries_of]]
    width = max(len(codes), len(names))
    codes += [""] * (width - len(codes))
    names += [""] * (width - len(names))
    if width > MAX_COLUMNS:
        raise DataError("too wide", [Fault(where, f"has {width:,} columns", f"expected {EXPECTED}")])
    using: dict[int, tuple[str, str]] = {}
    final: dict[int, str] = {}
    total: int | None = None
    met: set[tuple[str, str]] = set()
    for n in range(first, width):
        code, country = codes[n], names[n]
        named = bool(_COUNTRY.fullmatch(country))
        if named and country != "TOT" and (_SECTOR.fullmatch(code) or _FINAL.fullmatch(code)):
            if (country, code) in met:
                faults.add("twice", shown, where, f"{country} {code} stands there twice", "keep one")
            met.add((country, code))
            if _SECTOR.fullmatch(code):
                using[n] = (country, code)
            else:
                final[n] = country
        elif code or country:
            if total is None and (code.upper() in ("TOTAL", "TOT", "GO", "") or country in ("TOTAL", "TOT")):
                total = n
            else:
                what = f"column {n + 1} is {quoted(country)} {quoted(code)}"
                faults.add("column", shown, where, what, f"expected {EXPECTED}")
    countries = list(dict.fromkeys(country for country, _ in using.values()))
    sectors = list(dict.fromkeys(code for _, code in using.values()))
    for country in countries:
        missing = [code for code in sectors if (country, code) not in met]
        if missing:
            cure = "restore its columns"
            faults.add("absent", shown, where, f"{country} lacks {', '.join(missing[:5])}", cure)
    for country in sorted(set(countries) ^ set(final.values())):
        which = "sectors but no final demand" if country in countries else "final demand but no sectors"
        faults.add("axes", shown, where, f"{country} has {which}", "restore its columns")
    faults.raise_any(shown)
    kind = KNOWN.get((len(countries), len(sectors)))
    if kind is None and vintage is None:
        what = f"{len(countries)} economies and {len(sectors)} sectors are those of no table known"
        known = ", ".join(f"{c} and {s}" for c, s in KNOWN)
        raise DataError("an unknown table", [Fault(shown, what, f"known: {known}; or state the vintage")])
    report.vintage = vintage or kind or ""
    axes = (
        Axis(countries, by_region, "country codes", faults),
        Axis(sectors, by_sector, "sector codes", faults),
    )
    faults.raise_any(shown)
    country_at = {c: n for n, c in enumerate(countries)}
    sector_at = {s: n for n, s in enumerate(sectors)}
    layout = Layout(
        {n: (country_at[c], sector_at[s]) for n, (c, s) in using.items()},
        {n: country_at[c] for n, c in final.items()},
        total,
        tuple(f"{c}_{s}" for c, s in using.values()),
    )
    below = max(at, countries_of) + 1
    head = _Head(below, first, countries, sectors)
    head.rows = top[below:]
    return Accounts(*axes, layout, shown, faults), head


def _fill(
    sums: Accounts, head: _Head, rows: Iterator[Any], shown: str, report: Report, faults: Faults
) -> None:
    """Every row below the header: sales by their labels, then what stands below them."""
    countries = {c: n for n, c in enumerate(head.countries)}
    sectors = {s: n for n, s in enumerate(head.sectors)}
    met: set[str] = set()
    cost: dict[str, None] = {}
    output, blanks = False, 0
    for number, row in enumerate(_chained(head.rows, rows), start=head.row + 1):
        labels = [_text(cell) for cell in row[: min(head.first, LABEL_COLUMNS)]]
        where = f"{shown} row {number}"
        code = next((t.lower() for t in reversed(labels) if _SECTOR.fullmatch(t) or t.lower() in COST), "")
        code = code or next((t.lower() for t in labels if t.lower() in (SUM, OUTPUT)), "")
        country = next((t.upper() for t in labels if t.upper() in countries), "")
        cells = row[head.first :]
        if not code:
            if any(isinstance(cell, int | float) and cell for cell in cells):
                what = f"has figures and no label that is known ({quoted(' '.join(labels).strip())})"
                faults.add("label", shown, where, what, f"expected {EXPECTED}")
            continue
        if code == SUM:
            continue
        label = code if code in COST or code == OUTPUT else f"{country}_{code}"
        if label in met:
            faults.add("twice", shown, where, f"a second row {label}", "keep one")
            continue
        met.add(label)
        values, empty = _numbers(cells, sums.width - head.first, where, head.first, shown, faults)
        if values is None:
            continue
        report.rows_read += 1
        values = np.concatenate((np.zeros(head.first), values))
        if code in COST:
            sums.add_below(COST[code], values)
            cost[COST[code]] = None
        elif code == OUTPUT:
            sums.add_below("output", values)
            output = True
        elif country and code in sectors:
            sums.add(countries[country], sectors[code], values, where)
            report.rows_kept += 1
            blanks += empty
        else:
            faults.add("row", shown, where, f"no such row: {quoted(' '.join(labels))}", "restore its labels")
    absent = [label for label in sums.rows if label not in met]
    absent += [] if output else [OUTPUT]
    absent += [] if COST["r64"] in cost else ["r64"]
    faults.many(
        "absent row",
        shown,
        len(absent),
        lambda n: Fault(shown, f"no row {absent[n]}", "restore the publisher's rows"),
    )
    if not absent:
        sums.check("output", cost, shown)
    if blanks:
        report.note(f"{blanks} blank cells were read as zero")


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
    """The numbers of a row and how many of its cells are blank; None, with faults, where one is odd."""
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
