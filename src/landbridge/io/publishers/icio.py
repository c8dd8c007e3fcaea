"""OECD Inter-Country Input-Output tables: the wide CSV of one year."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landbridge.errors import DataError, Fault
from landbridge.io.publishers.accounts import Accounts, Axis, Columns, Layout
from landbridge.io.publishers.concordance import Concordance, as_concordance
from landbridge.io.publishers.flows import years_of
from landbridge.io.publishers.report import Faults, Report, listed
from landbridge.io.publishers.source import Member, members, row_blocks
from landbridge.world.table import quoted
from landbridge.world.trade_table import TradeTable

__all__ = ["read_icio"]

Array = NDArray[np.float64]

EXPECTED = "COUNTRY_INDUSTRY rows and columns, TLS, VA and OUT (oecd.org, ICIO, ReadMe of the edition)"
# Numbers of countries, with ROW, and industries identify the edition. The 2016 layout differs and is not
# read.
EDITIONS = {(65, 36): "2018", (67, 45): "2021", (77, 45): "2023", (81, 50): "2025"}
# The extended tables separate exporters and domestic firms of China and Mexico.
SPLIT = {"CN1": "CHN", "CN2": "CHN", "MX1": "MEX", "MX2": "MEX"}
# Direct purchases abroad are P33 in the 2018 edition and DPABR since 2021.
FINAL = ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "P33", "DPABR", "DIRPA", "CONS_NONRES", "FD")
TAXES, ADDED, OUTPUT = ("TLS", "TAXSUB"), ("VA", "VALU"), ("OUT", "OUTPUT", "TOTAL")
_TAXED = "taxes less subsidies on inputs"
_FILE = re.compile(r"^(ICIO\d{4}_)?(\d{4})([_.]SML)?\.csv$", re.IGNORECASE)
_LABEL = re.compile(r"([A-Z]{2}[A-Z0-9])_([A-Z0-9_]+)")
# No edition has more columns; reading them would fill the memory.
MAX_COLUMNS = 12_000


def read_icio(
    path: str | Path,
    *,
    theta: float | Mapping[str, float] | Sequence[float],
    years: int | Iterable[int] | None = None,
    regions: Concordance | Mapping[str, str] | str | Path | None = None,
    sectors: Concordance | Mapping[str, str] | str | Path | None = None,
    tariff: ArrayLike | None = None,
    vintage: str | None = None,
    report: Report | None = None,
) -> TradeTable:
    """A year of the OECD Inter-Country Input-Output tables as a TradeTable.

    trade[o, d, s] = sum of row o, s over the industries and final uses of d; b = 1 - inputs / sales;
    input_share and final_share from the columns over all origins; basic prices, so that tariffs and taxes
    on products are outside trade. CN1, CN2 are summed to CHN and MX1, MX2 to MEX.

    Parameters
    ----------
    path
        The CSV of a year (2019.csv, 2019_SML.csv, ICIO2021_2018.csv), plain, .gz, or in a .zip or folder.
    theta
        Trade elasticity: one for all, by sector, or in the order of sectors.
    years
        The one year to read, where the path holds several.
    regions, sectors
        Concordances from country and industry codes; every code needs a target, or accounts would not
        close. By default the codes of the table.
    tariff : [N, N, S] (origin, destination, sector), fraction
        Base tariffs, which the table does not hold; zero by default.
    vintage
        The edition, for a table whose numbers of countries and industries are unknown.
    report
        Takes notes on what was read and changed.

    Raises
    ------
    DataError
        Lists every fault: labels, cells, rows and columns that do not add up to their totals.

    Source: OECD, ICIO tables, ReadMe of the editions 2018 to 2025 as known from public readers of the
    tables; exvatools (R) for the countries and industries. Not yet run on the original.
    """
    path, report = Path(path), report if report is not None else Report()
    member = _one(members(path, _FILE, "2019.csv, 2019_SML.csv or ICIO2021_2018.csv"), years, path.name)
    by_region = as_concordance(regions, "regions") if regions is not None else None
    by_sector = as_concordance(sectors, "sectors") if sectors is not None else None
    report.publisher = "OECD ICIO"
    report.files.append(member.shown)
    faults = Faults()
    lines = _lines(member, faults)
    header = next(lines, None)
    if header is None:
        raise DataError("no table", [Fault(member.shown, "is empty", f"expected {EXPECTED}")])
    columns = _columns(header[1], member.shown, faults)
    report.vintage = _edition(columns.countries, columns.sectors, vintage, member.shown)
    axes = (
        Axis(columns.countries, by_region, "country codes", faults),
        Axis(columns.sectors, by_sector, "industry codes", faults),
    )
    faults.raise_any(member.shown)
    accounts = Accounts(*axes, columns.layout, member.shown, faults)
    body = _Body(columns, accounts, member.shown, faults)
    for line, cells in lines:
        body.add(line, cells, report)
    body.finish()
    faults.raise_any(member.shown)
    if accounts.negative_uses:
        report.note(f"{accounts.negative_uses} inputs are negative in the publisher's table")
    table = accounts.table(theta, tariff, report)
    year = _year(member.name) or next(iter(years_of(years) or [0]))
    report.totals_musd[year] = float(table.trade.sum() - np.einsum("nns->", table.trade))
    return table


def _one(found: Sequence[Member], years: int | Iterable[int] | None, shown: str) -> Member:
    wanted = years_of(years)
    if wanted is not None and len(wanted) != 1:
        raise DataError("one year", [Fault("years", f"{len(wanted)} years", "a TradeTable holds one")])
    if wanted is not None:
        (year,) = wanted
        held = [_year(member.name) for member in found]
        if len(found) == 1 and held[0] is None:
            return found[0]
        found = [member for member in found if _year(member.name) == year]
        if not found:
            told = ", ".join(str(y) for y in held if y) or "none"
            raise DataError("no such year", [Fault(shown, f"has no {year}", f"it has {told}")])
    if len(found) > 1:
        told = ", ".join(member.name for member in found[:8])
        raise DataError("several tables", [Fault(shown, f"holds {told}", "state one year")])
    return found[0]


def _year(name: str) -> int | None:
    found = _FILE.match(name)
    return int(found.group(2)) if found else None


def _lines(member: Member, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    for begin, data in row_blocks(member):
        text = data.decode("utf-8", errors="replace")
        if "\ufffd" in text:
            faults.add("coding", member.shown, f"{member.shown} line {begin}", "is not UTF-8", "convert it")
            return
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        before = 0
        try:
            for cells in reader:
                at, before = begin + before, reader.line_num
                if any(cells):
                    yield at, cells
        except csv.Error as error:
            where = f"{member.shown} line {begin + before}"
            faults.add("quotes", member.shown, where, str(error), "check its quotes")


@dataclass(frozen=True)
class _Columns(Columns):
    """The columns of a table. labels: of every column, including that of the row labels."""

    labels: list[str]

    @cached_property
    def layout(self) -> Layout:
        """The layout with countries and industries as numbers; a country given in parts must be zero."""
        named = [label for label in self.labels[1:] if _LABEL.fullmatch(label)]
        parted = {SPLIT[label[:3]] for label in named if label[:3] in SPLIT and label[4:] not in FINAL}
        country = {c: n for n, c in enumerate(self.countries)}
        industry = {s: n for n, s in enumerate(self.sectors)}
        return Layout(
            {at: (country[c], industry[s]) for at, (c, s) in self.using.items()},
            {at: country.get(c, 0) for at, c in self.final.items()},
            self.total,
            tuple(self.labels[at] for at in self.using),
            tuple(at for at in self.using if self.labels[at][:3] in parted),
        )


def _columns(header: list[str], shown: str, faults: Faults) -> _Columns:
    """The meaning of each column. Raises DataError with every fault of the header."""
    where = f"{shown} line 1"
    labels = [cell.strip() for cell in header]
    if len(labels) < 3 or len(labels) > MAX_COLUMNS:
        mark = next((m for m in ";\t" if m in labels[0]), "") if len(labels) == 1 else ""
        what = "the columns are not separated by commas" if mark else f"has {len(labels):,} columns"
        faults.add("header", shown, where, what, f"expected {EXPECTED}")
        faults.raise_any(shown)
    using: dict[int, tuple[str, str]] = {}
    final: dict[int, str] = {}
    total: int | None = None
    met: set[str] = set()
    for at, label in enumerate(labels[1:], start=1):
        if label in met:
            faults.add("twice", shown, where, f"column {quoted(label)} appears twice", "keep one")
        met.add(label)
        parts = _LABEL.fullmatch(label)
        if label in OUTPUT:
            total = at
        elif parts and parts.group(2) in FINAL:
            final[at] = SPLIT.get(parts.group(1), parts.group(1))
        elif parts:
            using[at] = (SPLIT.get(parts.group(1), parts.group(1)), parts.group(2))
        else:
            faults.add("column", shown, where, f"column {quoted(label)} is unknown", f"expected {EXPECTED}")
    columns = _Columns(using, final, total, labels)
    _check_columns(columns, where, shown, faults)
    faults.raise_any(shown)
    return columns


def _check_columns(columns: _Columns, where: str, shown: str, faults: Faults) -> None:
    """Every country has every industry and a final demand."""
    countries = columns.countries
    named = dict.fromkeys(label for label in columns.labels[1:] if _LABEL.fullmatch(label))
    prefixes = dict.fromkeys(label[:3] for label in named if label[4:] not in FINAL)
    absent = [f"{p}_{s}" for p in prefixes for s in columns.sectors if f"{p}_{s}" not in named]
    faults.many(
        "absent column",
        shown,
        len(absent),
        lambda n: Fault(where, f"no column {absent[n]}", "restore the publisher's columns"),
    )
    if not columns.using:
        faults.add("no column", shown, where, "no column COUNTRY_INDUSTRY", f"expected {EXPECTED}")
    for country in sorted(set(countries) ^ set(columns.final.values())):
        which = "industries" if country in countries else "final demand"
        other = "final demand" if country in countries else "industries"
        faults.add("axes", shown, where, f"{country} has {which} but no {other}", "restore its columns")


class _Body:
    """The rows below the header, each added to the sums by its label."""

    def __init__(self, columns: _Columns, accounts: Accounts, shown: str, faults: Faults) -> None:
        layout = columns.layout
        self.columns, self.accounts, self.shown, self.faults = columns, accounts, shown, faults
        self.expected = set(layout.rows)
        self.country_at = {c: n for n, c in enumerate(columns.countries)}
        self.industry_at = {s: n for n, s in enumerate(columns.sectors)}
        self.whole = np.array(layout.whole, dtype=np.int64)
        self.whole_labels = {columns.labels[at] for at in layout.whole}
        self.met: set[str] = set()
        self.taxed = False

    def add(self, line: int, cells: list[str], report: Report) -> None:
        """One row of the file."""
        label = cells[0].strip()
        where = f"{self.shown} line {line}, {quoted(label)}"
        if len(cells) != len(self.columns.labels):
            what = f"{len(cells)} cells under {len(self.columns.labels)} columns"
            self.faults.add("cells", self.shown, f"{self.shown} line {line}", what, "check its commas")
            return
        if label in self.met:
            self.faults.add("twice", self.shown, where, "appears twice", "keep one")
            return
        self.met.add(label)
        values = _numbers(cells, where, self.shown, self.faults, blank=label not in self.expected)
        if values is None:
            return
        report.rows_read += 1
        if (label in self.whole_labels and values.any()) or values[self.whole].any():
            what = "has figures of China or Mexico as a whole in addition to their parts"
            cure = "give the regular table, or the extended one as published (the whole is zero there)"
            self.faults.add("whole", self.shown, where, what, cure)
        report.rows_kept += self._book(label, values, where)

    def _book(self, label: str, values: Array, where: str) -> bool:
        """Add a row to the total that its label names; True for a row of sales."""
        parts = _LABEL.fullmatch(label)
        country, industry = parts.groups() if parts else ("", "")
        country = SPLIT.get(country, country)
        if parts and label in self.expected:
            self.accounts.add(self.country_at[country], self.industry_at[industry], values, where)
            return True
        if label in TAXES or (industry in TAXES and country in self.country_at):
            self.accounts.add_below(_TAXED, values)
            self.taxed = True
        elif label in ADDED:
            self.accounts.add_below("value added", values)
        elif label in OUTPUT:
            self.accounts.add_below("output", values)
        else:
            self.faults.add("label", self.shown, where, "is no row of the table", f"expected {EXPECTED}")
        return False

    def finish(self) -> None:
        """Check that every row was present, and that columns add up to their output."""
        absent = [label for label in self.columns.layout.rows if label not in self.met]
        sold = {label[4:] for label in self.met}
        odd = [s for s in self.columns.sectors if s not in sold]
        if odd and len(odd) < len(self.columns.sectors):
            what = f"columns {listed(odd)} of every country have no rows, and are no known final uses"
            cure = f"restore their rows; final uses are {', '.join(FINAL)}"
            self.faults.add("absent industry", self.shown, f"{self.shown} line 1", what, cure)
            absent = [label for label in absent if label[4:] not in odd]
        absent += [names[0] for names in (ADDED, OUTPUT) if not self.met & set(names)]
        self.faults.many(
            "absent row",
            self.shown,
            len(absent),
            lambda n: Fault(self.shown, f"no row {absent[n]}", "restore the publisher's rows"),
        )
        if not absent and not odd:  # with a row missing no column adds up, and each would be reported
            parts = [_TAXED, "value added"] if self.taxed else ["value added"]
            self.accounts.check("output", parts, self.shown)


def _edition(countries: Sequence[str], industries: Sequence[str], vintage: str | None, shown: str) -> str:
    found = EDITIONS.get((len(countries), len(industries)))
    if vintage is not None:
        return vintage
    if found is None:
        what = f"{len(countries)} countries and {len(industries)} industries match no known edition"
        known = ", ".join(f"{e}: {c} and {i}" for (c, i), e in EDITIONS.items())
        raise DataError("an unknown edition", [Fault(shown, what, f"known: {known}; or state the vintage")])
    return found


def _numbers(cells: list[str], where: str, shown: str, faults: Faults, *, blank: bool) -> Array | None:
    """The numbers of a row, zero under its label; None, with faults, where a cell is not a number.

    blank: cells may be empty, as they are below final demand in the rows of value added and output.
    """
    text = [cell.strip() or "0" for cell in cells[1:]] if blank else cells[1:]
    try:
        # float() accepts more than a table may hold: digits of other scripts, underscores, nan.
        values = np.array([float(cell) for cell in text])
        if np.isfinite(values).all() and "_" not in "".join(text) and "".join(text).isascii():
            return np.concatenate(([0.0], values))
    except ValueError:
        pass
    for at, cell in enumerate(text, start=2):
        word = cell.strip()
        try:
            good = math.isfinite(float(word)) and "_" not in word and word.isascii()
        except ValueError:
            good = False
        if not good:
            what = f"{quoted(word)} is not a number" if word else "is blank"
            faults.add("number", shown, f"{where}, cell {at}", what, "give a number in million USD")
    return None
