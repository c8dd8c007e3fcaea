"""CEPII BACI: world trade in goods by exporter, importer, product and year."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from landbridge.errors import DataError, Fault
from landbridge.io.publishers.concordance import Concordance, as_concordance
from landbridge.io.publishers.flows import FIRST_YEAR, LAST_YEAR, FlowSums, Sectors, years_of
from landbridge.io.publishers.hs import hs_faults
from landbridge.io.publishers.report import Faults, Report
from landbridge.io.publishers.source import NO_CODE, Member, members, read_rows, row_blocks
from landbridge.io.publishers.typed import Field, stripped
from landbridge.world.table import quoted
from landbridge.world.validate import spelled

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["hs_sectors", "read_baci"]

# Releases whose column description was read (January of each year; 202401b corrected 202401).
VINTAGES = ("202001", "202102", "202201", "202301", "202401", "202401b", "202501")
REVISIONS = ("92", "96", "02", "07", "12", "17", "22")
EXPECTED = "t,i,j,k,v,q of BACI_HSxx_Yyyyy_Vzzzzzz.csv (cepii.fr, BACI, description)"
_FILE = re.compile(r"^BACI_HS(\d\d)_Y(\d{4})_V(\d{6}[a-z]?)\.csv(\.gz)?$", re.IGNORECASE)
_CODES = re.compile(r"^country_codes.*\.csv$", re.IGNORECASE)
_POINT = re.compile(r"\.0*$")
# Codes that ISO 3166 reserves for users, and codes that do not have three letters.
_NO_COUNTRY = re.compile(r"AA[A-Z]|Q[M-Z][A-Z]|X[A-Z]{2}|ZZ[A-Z]|(?![A-Z]{3}$).*")
_DIGITS = {"hs2": 2, "hs4": 4, "hs6": 6}
FIELDS = (
    Field("t", "whole", low=FIRST_YEAR, high=LAST_YEAR, unit="years"),
    Field("i", "whole", low=0, high=9999),
    Field("j", "whole", low=0, high=9999),
    Field("k", "whole", low=10_000, high=999_999),  # 010121 may have lost its zero, 0101 is not a product
    Field("v", "number", low=0, high=1e12, unit="thousand USD"),
    Field("q", "number", blank=True, low=0, high=1e12, unit="t"),
)


def read_baci(
    path: str | Path,
    *,
    years: int | Iterable[int] | None = None,
    regions: Concordance | Mapping[str, str] | str | Path | None = None,
    sectors: Concordance | Mapping[str, str] | str | Path = "total",
    codes: str | Path | None = None,
    vintage: str | None = None,
    report: Report | None = None,
) -> pd.DataFrame:
    """Trade in goods from CEPII's BACI, summed over regions and sectors.

    trade_musd[year, o, d, s] = sum over i in o, j in d, k in s of v[t, i, j, k] / 1000

    Parameters
    ----------
    path
        BACI_HSxx_Yyyyy_Vzzzzzz.csv, plain or .gz; the .zip of a revision, or a folder, with many years.
    years
        Years to read; all by default.
    regions
        A concordance from ISO 3166 alpha-3 codes; by default every country is a region.
    sectors
        "total", "hs2", "hs4", "hs6", or a concordance from HS codes of 2, 4 or 6 digits; the longest code
        that a product begins with applies.
    codes
        CEPII's country_codes CSV; by default the one in the zip or next to the file. An area without an ISO
        code, or with the code of a country with a lower number, is named by its number: N490.
    vintage
        The release, where the file name does not state it or it is not in VINTAGES.
    report
        Takes counts of rows and notes.

    Returns
    -------
    DataFrame
        year, exporter, importer, sector, trade_musd [million USD, free on board], quantity_t [t, of flows
        with a known quantity], quantity_known_musd [value of the flows with a known quantity].

    Raises
    ------
    DataError
        Lists every fault: columns, cells, repeated flows, countries or products that a concordance lacks.

    Source: column description at cepii.fr/DATA_DOWNLOAD/baci/doc/baci_webpage.html (years to 2023);
    Gaulier and Zignago (2010), CEPII working paper 2010-23. Written from it; not yet run on the original.
    """
    path, report = Path(path), report if report is not None else Report()
    wanted_years = years_of(years)
    found = members(path, _FILE, "BACI_HSxx_Yyyyy_Vzzzzzz.csv")
    found, told = _chosen(found, wanted_years, vintage)
    by_region = as_concordance(regions, "regions") if regions is not None else None
    by_sector = hs_sectors(sectors)
    iso, apart = _countries(path, codes, report)
    report.publisher, report.vintage = "CEPII BACI", told
    faults = Faults()
    sums = FlowSums(
        by_region,
        by_sector,
        wanted_years,
        ("trade_musd", "quantity_t", "quantity_known_musd"),
        faults,
        report,
    )
    # Maps from numbers of countries and products to numbers of the sums.
    country = np.full(10_000, -1, dtype=np.int64)
    product = np.full(1_000_000, -1, dtype=np.int64)
    for member in found:
        report.files.append(member.shown)
        sums.forget()  # a file holds one year, stated in its name and checked in its rows
        year = _FILE.match(member.name)
        for rows in read_rows(member, FIELDS, (), EXPECTED, faults, report):
            t, i, j, k = (rows.whole(column) for column in "tijk")
            if year and (t != int(year.group(2))).any():
                odd = np.flatnonzero(t != int(year.group(2)))
                faults.many(
                    "year",
                    member.shown,
                    len(odd),
                    lambda n, odd=odd, t=t, rows=rows, year=year: Fault(  # type: ignore[misc]
                        f"{rows.name} line {rows.lines[odd[n]]}, t",
                        f"is {t[odd[n]]} in a file of {year.group(2)}",
                        "give the file as CEPII named it",
                    ),
                )
                continue
            for number in np.unique(np.concatenate((i, j))):
                if country[number] < 0:
                    text = iso.get(int(number), "")
                    if not text:
                        what = f"{number} is in {member.shown} but not in the country codes"
                        cure = "give the country_codes file of the same release"
                        faults.add("country", "country codes", "country codes", what, cure)
                    if int(number) in apart:
                        report.note(apart[int(number)])
                    country[number] = sums.countries.id(text or f"#{number}")
            for number in np.unique(k):
                if product[number] < 0:
                    product[number] = sums.products.id(f"{number:06d}")
            v, q = rows.number("v") / 1000.0, rows.number("q")
            known = ~np.isnan(q)
            sums.add(
                rows.name,
                rows.lines,
                t,
                country[i],
                country[j],
                product[k],
                {
                    "trade_musd": v,
                    "quantity_t": np.where(known, q, 0.0),
                    "quantity_known_musd": np.where(known, v, 0.0),
                },
            )
    sums.check(path.name)
    faults.raise_any(path.name)
    frame = sums.frame()
    # A sum without any known quantity has an unknown quantity, not zero.
    frame.loc[frame["quantity_known_musd"] == 0.0, "quantity_t"] = np.nan
    return frame


def hs_sectors(sectors: Concordance | Mapping[str, str] | str | Path, *, hs: bool = True) -> Sectors:
    """The mapping from HS codes to sectors.

    sectors: as in `read_baci`; hs: raise DataError where a concordance has codes that are not HS codes.
    """
    if sectors == "total":
        return Sectors(lambda code: (("ALL", 1.0),), ("ALL",))
    if isinstance(sectors, str) and sectors in _DIGITS:
        digits = _DIGITS[sectors]
        return Sectors(lambda code: ((code[:digits], 1.0),))
    table = as_concordance(sectors, "sectors")
    if hs and (faults := hs_faults(table)):
        raise DataError(f"{table.name} has codes that are not HS codes", spelled(faults, table.name))
    return Sectors(table.by_prefix, table.targets, table.name)


def _chosen(
    found: list[Member], years: frozenset[int] | None, vintage: str | None
) -> tuple[list[Member], str]:
    """The files of the years asked for, and their common release and revision."""
    faults = []
    releases: dict[str, None] = {}
    kept = []
    for member in found:
        name = _FILE.match(member.name)
        if name is None:
            if vintage is None:
                what = "its name does not state the release and the year"
                cure = "name it BACI_HSxx_Yyyyy_Vzzzzzz.csv as CEPII does, or state the vintage"
                faults.append(Fault(member.shown, what, cure))
            releases[f"HS?? {vintage}"] = None
            kept.append(member)
            continue
        revision, year, release = name.group(1), int(name.group(2)), name.group(3)
        releases[f"HS{revision} {release}"] = None
        if revision not in REVISIONS:
            known = ", ".join(REVISIONS)
            faults.append(Fault(member.shown, f"no revision HS{revision} of the HS", f"known: {known}"))
        if vintage is None and release not in VINTAGES:
            cure = f"known: {', '.join(VINTAGES)}; where its columns are the same, state vintage {release}"
            faults.append(Fault(member.shown, f"release {release} is not known", cure))
        elif vintage is not None and release != vintage:
            what = f"is release {release}, not {vintage}"
            faults.append(Fault(member.shown, what, "state the vintage in the name"))
        if years is None or year in years:
            kept.append(member)
    if len(releases) > 1:
        what = f"holds several releases or revisions: {', '.join(releases)}"
        faults.append(Fault("files", what, "give those of one"))
    if not kept and years is not None:
        what = f"no file of {', '.join(map(str, sorted(years)))}"
        there = sorted({int(name.group(2)) for member in found if (name := _FILE.match(member.name))})
        faults.append(Fault("years", what, f"there is {', '.join(map(str, there))}"))
    if faults:
        raise DataError("these are not readable BACI files", spelled(faults, "files"))
    return kept, next(iter(releases))


def _countries(path: Path, codes: str | Path | None, report: Report) -> tuple[dict[int, str], dict[int, str]]:
    """ISO alpha-3 of CEPII's country numbers, and a note on areas with numbers as names."""
    if codes is not None:
        places = [Path(codes)]
    elif path.is_dir():
        places = [path]
    else:
        places = [path, *sorted(p for p in path.parent.glob("*.csv") if _CODES.match(p.name))]
    found: list[Member] = []
    for place in places:
        try:
            found = [m for m in members(place, _CODES, "country_codes_Vzzzzzz.csv") if m.name != path.name]
        except DataError:
            if codes is not None:
                raise
            continue
        if found:
            break
    if not found:
        cure = "put CEPII's country_codes_Vzzzzzz.csv next to it, or give it as codes"
        raise DataError("no country codes", [Fault(path.name, "has numbers for countries", cure)])
    member = found[-1]
    report.files.append(member.shown)
    return _country_numbers(member)


def _country_numbers(member: Member) -> tuple[dict[int, str], dict[int, str]]:
    """Read country_code and country_iso3 (2023 and later) or iso_3digit_alpha (before)."""
    where = member.shown
    rows = _code_rows(member)
    header = rows[0][1] if rows else []
    while header and not header[-1]:
        header.pop()
    column = next((c for c in ("country_iso3", "iso_3digit_alpha") if c in header), "")
    if "country_code" not in header or not column:
        what = f"the columns are {quoted(','.join(header), 120)}"
        cure = "expected country_code and country_iso3 (or iso_3digit_alpha) of CEPII's country_codes file"
        if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
            what = f"the columns are not separated by commas: {quoted(header[0], 60)}"
        raise DataError("no country codes", [Fault(f"{where} line 1", what, cure)])
    at, to = header.index("country_code"), header.index(column)
    given: dict[int, str] = {}
    faults = Faults()
    for number, cells in rows[1:]:
        row = cells[: len(header)] if not any(cells[len(header) :]) else cells
        code = _POINT.sub("", row[at]) if len(row) == len(header) else ""
        if not (code.isascii() and code.isdigit() and len(code) < 5):
            what, cure = f"is no row of {len(header)} cells with a number", "restore CEPII's file"
            faults.add("row", where, f"{where} line {number}", what, cure)
            continue
        iso = "" if row[to].upper() in NO_CODE else row[to]  # Namibia has the three letters NAM
        if given.setdefault(int(code), iso) != iso:
            faults.add("twice", where, f"{where} line {number}", f"{code} appears twice", "keep one")
    faults.raise_any(where)
    return _areas(given)


def _code_rows(member: Member) -> list[tuple[int, list[str]]]:
    """The rows with a filled cell, and the line each ends on."""
    data = b"".join(block for _, block in row_blocks(member))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # releases before 2023 write names in this encoding
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [(reader.line_num, cells) for row in reader if any(cells := [stripped(c) for c in row])]
    except csv.Error as error:
        raise DataError("no country codes", [Fault(member.shown, str(error), "check its quotes")]) from None


def _areas(given: Mapping[int, str]) -> tuple[dict[int, str], dict[int, str]]:
    """The name of each area by number, and a note for areas whose ISO code belongs to another.

    The number of a country is that of ISO 3166; former or wider areas with the same code have higher numbers:
    56 Belgium and 58 Belgium-Luxembourg are BEL and N058. A shared code that is no country's names neither.
    """
    out: dict[int, str] = {}
    notes: dict[int, str] = {}
    first: dict[str, int] = {}
    shared = {iso for iso, times in Counter(given.values()).items() if times > 1}
    for number, iso in sorted(given.items()):
        own = first.setdefault(iso, number) == number and not (iso in shared and _NO_COUNTRY.fullmatch(iso))
        out[number] = iso if iso and own else f"N{number:03d}"
        if iso and not own:
            notes[number] = f"the country codes give {iso} to several areas: {number} is called {out[number]}"
    return out, notes
