"""Figures by country and pair: World Bank WDI, CEPII Gravity."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.publishers.concordance import Concordance, as_concordance
from landbridge.io.publishers.flows import FIRST_YEAR, LAST_YEAR, MAX_COUNTRIES, Seen, years_of
from landbridge.io.publishers.report import Faults, Report, listed
from landbridge.io.publishers.source import Member, members, read_rows
from landbridge.io.publishers.typed import Field, Rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ADDITIVE", "read_gravity", "read_wdi"]

WDI_EXPECTED = "Country Name, Country Code, Indicator Name, Indicator Code, 1960 ... of WDICSV.csv"
# Indicators that may be summed over countries; shares and averages may not.
ADDITIVE = frozenset(
    (
        *("NY.GDP.MKTP.CD", "NY.GDP.MKTP.KD", "NY.GDP.MKTP.PP.CD", "NY.GDP.MKTP.PP.KD", "SP.POP.TOTL"),
        *("NE.EXP.GNFS.CD", "NE.IMP.GNFS.CD", "NE.CON.TOTL.CD", "NE.GDI.TOTL.CD", "NV.AGR.TOTL.CD"),
        *("NV.IND.TOTL.CD", "NV.IND.MANF.CD", "NV.SRV.TOTL.CD", "TM.VAL.MRCH.CD.WT", "TX.VAL.MRCH.CD.WT"),
        *("BX.GSR.NFSV.CD", "BM.GSR.NFSV.CD", "IS.SHP.GOOD.TU", "AG.LND.TOTL.K2", "SL.TLF.TOTL.IN"),
    )
)
GRAVITY_EXPECTED = (
    "year, iso3_o, iso3_d, country_exists_o, country_exists_d and variables (cepii.fr, Gravity)"
)
GRAVITY_VINTAGES = ("202102", "202202", "202211")
GRAVITY = ("distw_harmonic", "contig", "comlang_off", "col_dep_ever", "fta_wto")
_WDI_FILE = re.compile(r"^WDI(CSV|Data)\.csv(\.gz)?$", re.IGNORECASE)
_GRAVITY_FILE = re.compile(r"^Gravity_V(\d{6}[a-z]?)\.csv(\.gz)?$", re.IGNORECASE)
_WDI_NAMES = ("Country Name", "Indicator Name")
_WDI_KEYS = ("Country Code", "Indicator Code")
_WDI_COLUMNS = ["year", "region", "indicator", "value"]


def read_wdi(
    path: str | Path,
    *,
    indicators: str | Iterable[str] | None = None,
    years: int | Iterable[int] | None = None,
    regions: Concordance | Mapping[str, str] | str | Path | None = None,
    additive: Iterable[str] = (),
    report: Report | None = None,
) -> pd.DataFrame:
    """Indicators of the World Bank's World Development Indicators in long form, without blanks.

    Parameters
    ----------
    path
        WDICSV.csv (WDIData.csv before 2024), plain or .gz, or the WDI_CSV.zip that holds it.
    indicators
        Codes such as "NY.GDP.MKTP.CD"; all by default.
    years
        Years to read; all by default.
    regions
        A concordance from country codes: figures are sums, and blank where a country of a region is blank.
        Countries it does not name are left out (the file also holds groups of countries).
    additive
        Indicators that may be summed in addition to ADDITIVE; others are rejected with a concordance.
    report
        Takes counts of rows and notes.

    Returns
    -------
    DataFrame
        year, region, indicator, value [the indicator's own unit].

    Raises
    ------
    DataError
        Lists every fault: columns, cells, repeated rows, indicators, years or countries that are absent.

    Source: World Bank, WDI bulk download (datatopics.worldbank.org/world-development-indicators), README
    of the zip as public code describes it. Not yet run on the original.
    """
    path, report = Path(path), report if report is not None else Report()
    named = [indicators] if isinstance(indicators, str) else list(indicators or ())
    by_region = as_concordance(regions, "regions") if regions is not None else None
    if by_region is not None:
        _require_sums(named, ADDITIVE | set(additive))
    asked = _Asked(years_of(years), by_region, named)
    member = members(path, _WDI_FILE, "WDICSV.csv or WDIData.csv")[0]
    report.publisher, report.vintage = "World Bank WDI", ""
    report.files.append(member.shown)
    faults = Faults()
    book = _Wdi(asked, member.shown, faults)
    known = (*_WDI_NAMES, *(str(year) for year in range(1900, 2100)))
    for rows in read_rows(member, book.fields, known, WDI_EXPECTED, faults, report):
        book.add(rows, report)
    book.check()
    faults.raise_any(path.name)
    report.drop("of other indicators or countries than asked for", report.rows_read - report.rows_kept)
    frame = book.frame()
    if by_region is not None:
        frame = _summed(frame, by_region, report)
    return frame.sort_values(["indicator", "year", "region"], ignore_index=True)[_WDI_COLUMNS]


@dataclass(frozen=True)
class _Asked:
    """What is asked of a file: years, a concordance of countries, names of figures; None or empty for all."""

    years: frozenset[int] | None
    by_region: Concordance | None
    named: Sequence[str]

    def goes(self, country: str) -> bool:
        """Whether a country is read."""
        return self.by_region is None or bool(self.by_region(country))

    def knows(self, country: str) -> bool:
        """Whether the concordance names a country, even if only to leave it out."""
        return self.by_region is None or self.by_region(country) is not None


def _require_sums(named: Sequence[str], summed: frozenset[str]) -> None:
    """Raise DataError where an indicator that is not additive would be summed over countries."""
    odd = [code for code in named if code not in summed]
    if odd or not named:
        what = f"{', '.join(odd[:5])} may not be summed over countries" if odd else "all cannot be summed"
        cure = "name those that can as additive, or read without a concordance"
        raise DataError("no sums", [Fault("indicators", what, cure)])


class _Wdi:
    """The file of the WDI, block by block: a row is one indicator of one country, a column a year."""

    def __init__(self, asked: _Asked, shown: str, faults: Faults) -> None:
        self.asked, self.shown, self.faults = asked, shown, faults
        self.met: set[tuple[str, str]] = set()
        self.frames: list[pd.DataFrame] = []

    def fields(self, header: Sequence[str]) -> Sequence[Field]:
        """The columns to read: the codes, and the years asked for."""
        held = [int(name) for name in header if re.fullmatch(r"(19|20)\d\d", name)]
        wanted = self.asked.years
        for year in sorted((wanted or frozenset()) - set(held)):
            told = f"{min(held)}-{max(held)}" if held else "none"
            self.faults.add("year", self.shown, f"{self.shown}, years", f"no {year}", f"it has {told}")
        if not held:
            where = f"{self.shown} line 1"
            self.faults.add("year", self.shown, where, "no years", f"expected {WDI_EXPECTED}")
        chosen = [year for year in held if wanted is None or year in wanted]
        return [
            *(Field(name, "code") for name in _WDI_KEYS),
            *(Field(str(year), "number", blank=True) for year in chosen),
        ]

    def add(self, rows: Rows, report: Report) -> None:
        """One block of rows."""
        country, indicator = rows.code("Country Code"), rows.code("Indicator Code")
        report.rows_read += len(rows)
        pairs = [(country.of(n), indicator.of(n)) for n in range(len(rows))]
        for n, pair in enumerate(pairs):
            if pair in self.met:
                where = f"{rows.name} line {rows.lines[n]}"
                self.faults.add("twice", rows.name, where, f"a second row for {', '.join(pair)}", "keep one")
            self.met.add(pair)
        named = self.asked.named
        kept = [n for n, (c, i) in enumerate(pairs) if (not named or i in named) and self.asked.knows(c)]
        report.rows_kept += len(kept)
        if kept:
            self._keep(rows, kept, [pairs[n] for n in kept])

    def _keep(self, rows: Rows, kept: list[int], pairs: list[tuple[str, str]]) -> None:
        """A frame per year, without its blanks."""
        import pandas as pd

        for name in rows.columns:
            if name not in _WDI_KEYS:
                frame = pd.DataFrame(
                    {
                        "year": np.full(len(kept), int(name), dtype=np.int16),
                        "region": [country for country, _ in pairs],
                        "indicator": [indicator for _, indicator in pairs],
                        "value": rows.number(name)[kept],
                    }
                )
                self.frames.append(frame.dropna())

    def check(self) -> None:
        """Check that the file has the indicators and the countries asked for."""
        countries, codes = {c for c, _ in self.met}, {i for _, i in self.met}
        for code in self.asked.named:
            if codes and code not in codes:
                cure = did_you_mean(code, codes) or "see the series file of the zip"
                where = f"{self.shown}, indicators"
                self.faults.add("indicator", self.shown, where, f"no {code}", cure)
        by = self.asked.by_region
        missing = [code for code in by.table if code not in countries] if by and countries else []
        if by is not None and missing:
            told = f"names {listed(missing)}, which the file lacks"
            self.faults.add("countries", by.name, by.name, told, "delete their rows")

    def frame(self) -> pd.DataFrame:
        """The figures in long form."""
        import pandas as pd

        return (
            pd.concat(self.frames, ignore_index=True) if self.frames else pd.DataFrame(columns=_WDI_COLUMNS)
        )


def _summed(frame: pd.DataFrame, by: Concordance, report: Report) -> pd.DataFrame:
    """Sums over regions; a region with a missing country has no figure."""
    import pandas as pd

    members_of: dict[str, int] = {}
    for shares in by.table.values():
        for to, _ in shares:
            members_of[to] = members_of.get(to, 0) + 1
    pieces = [
        pd.DataFrame({"country": code, "region": to, "weight": weight}, index=[0])
        for code, shares in by.table.items()
        for to, weight in shares
    ]
    joined = frame.rename(columns={"region": "country"}).merge(pd.concat(pieces), on="country")
    joined["value"] *= joined["weight"]
    groups = joined.groupby(["year", "region", "indicator"], as_index=False)
    out = groups.agg(value=("value", "sum"), countries=("country", "nunique"))
    whole = out["countries"] == out["region"].map(members_of)
    if (~whole).any():
        told = ", ".join(f"{r} {y}" for r, y in out.loc[~whole, ["region", "year"]].to_numpy()[:5])
        report.note(f"{int((~whole).sum())} sums lack a country and are left out: {told}")
    return out.loc[whole]


def read_gravity(
    path: str | Path,
    *,
    variables: Iterable[str] = GRAVITY,
    years: int | Iterable[int] | None = None,
    regions: Concordance | Mapping[str, str] | str | Path | None = None,
    vintage: str | None = None,
    report: Report | None = None,
) -> pd.DataFrame:
    """Variables of pairs of countries from CEPII's Gravity database.

    Parameters
    ----------
    path
        Gravity_Vyyyymm.csv, plain, .gz or in its .zip.
    variables
        Columns to read; blank cells become NaN.
    years
        Years to read; all by default.
    regions
        Renames countries and leaves out those it does not name; one country per region, since distances
        and treaties cannot be summed.
    vintage
        The release, where the file name does not state it or it is not in GRAVITY_VINTAGES.
    report
        Takes counts of rows and notes.

    Returns
    -------
    DataFrame
        year, exporter (iso3_o), importer (iso3_d) and the variables; pairs with a country that does not
        exist in a year are left out.

    Raises
    ------
    DataError
        Lists every fault: columns, cells, repeated pairs, countries or years that are absent.

    Source: Conte, Cotterlaz, Mayer (2022), The CEPII Gravity database, working paper 2022-05, and the
    documentation of the release. Not yet run on the original.
    """
    path, report = Path(path), report if report is not None else Report()
    by_region = as_concordance(regions, "regions") if regions is not None else None
    if by_region is not None:
        _require_one_country(by_region)
    asked = _Asked(years_of(years), by_region, tuple(dict.fromkeys(variables)))
    member = members(path, _GRAVITY_FILE, "Gravity_Vyyyymm.csv")[0]
    report.publisher, report.vintage = "CEPII Gravity", _gravity_release(member, vintage)
    report.files.append(member.shown)
    faults = Faults()
    book = _Gravity(asked, member.shown, faults)
    for rows in read_rows(member, book.fields, None, GRAVITY_EXPECTED, faults, report):
        book.add(rows, report)
    book.check()
    faults.raise_any(path.name)
    return book.frame()


def _require_one_country(by: Concordance) -> None:
    """Raise DataError where a region has several countries."""
    several = [to for to in by.targets if _sources(by, to) != 1]
    if several or any(len(shares) > 1 for shares in by.table.values()):
        what = f"gives {', '.join(several[:5]) or 'a region'} several countries, or parts of one"
        cure = "name one country per region: distances and treaties cannot be summed"
        raise DataError("no sums", [Fault(by.name, what, cure)])


def _gravity_release(member: Member, vintage: str | None) -> str:
    """The release as stated, else as in the file name, which must then be a known one."""
    name = _GRAVITY_FILE.match(member.name)
    release = vintage or (name.group(1) if name else "")
    if vintage is None and release not in GRAVITY_VINTAGES:
        what = f"release {release} is not known" if release else "its name does not state the release"
        cure = f"known: {', '.join(GRAVITY_VINTAGES)}; where its columns are the same, state the vintage"
        raise DataError("not a known release of Gravity", [Fault(member.shown, what, cure)])
    return release


class _Gravity:
    """The file of the Gravity database, block by block: a row is a pair of countries in a year.

    country: numbers of the countries found. years: those of the file.
    """

    def __init__(self, asked: _Asked, shown: str, faults: Faults) -> None:
        self.asked, self.shown, self.faults = asked, shown, faults
        self.country: dict[str, int] = {}
        self.years: set[int] = set()
        self.seen = Seen()
        self.frames: list[pd.DataFrame] = []

    def fields(self, header: Sequence[str]) -> Sequence[Field]:
        """The columns to read: the keys, and the variables asked for."""
        keys = ("year", "iso3_o", "iso3_d", "country_exists_o", "country_exists_d")
        for variable in self.asked.named:
            if variable not in header:
                cure = did_you_mean(variable, header) or f"the file has {', '.join(header[:8])} ..."
                where = f"{self.shown}, variables"
                self.faults.add("variable", self.shown, where, f"no {variable}", cure)
        return [
            Field("year", "whole", low=FIRST_YEAR, high=LAST_YEAR, unit="years"),
            *(Field(c, "code", pattern="[A-Z0-9]{3}", unit="three letters") for c in ("iso3_o", "iso3_d")),
            *(Field(c, "whole", low=0, high=1) for c in ("country_exists_o", "country_exists_d")),
            *(Field(v, "number", blank=True) for v in self.asked.named if v in header and v not in keys),
        ]

    def add(self, rows: Rows, report: Report) -> None:
        """One block of rows."""
        import pandas as pd

        year, origin, destination = rows.whole("year"), rows.code("iso3_o"), rows.code("iso3_d")
        report.rows_read += len(rows)
        self.years.update(np.unique(year).tolist())
        at = np.flatnonzero(self._kept(rows, report))
        o, d = (
            c.map(lambda code: self.country.setdefault(code, len(self.country)))[at]
            for c in (origin, destination)
        )
        if len(self.country) > MAX_COUNTRIES:
            what = f"has {len(self.country):,} countries"
            raise DataError("not a list of pairs", [Fault(self.shown, what, "check that it is the file")])
        for n in self.seen.add(year[at], o, d):
            row = int(at[n])
            pair = f"{origin.of(row)}, {destination.of(row)}, {year[row]}"
            where = f"{rows.name} line {rows.lines[row]}"
            self.faults.add("twice", rows.name, where, f"a second row for {pair}", "keep one")
        report.rows_kept += len(at)
        frame = pd.DataFrame(
            {
                "year": year[at].astype(np.int16),
                "exporter": [self._region(origin.of(int(n))) for n in at],
                "importer": [self._region(destination.of(int(n))) for n in at],
                **{v: rows.number(v)[at] for v in self.asked.named if v in rows.columns},
            }
        )
        self.frames.append(frame)

    def _kept(self, rows: Rows, report: Report) -> NDArray[np.bool_]:
        """Which rows are of a year and of countries asked for, both existing then."""
        keep = np.ones(len(rows), dtype=bool)

        def drop(good: NDArray[np.bool_], why: str) -> None:
            report.drop(why, int((keep & ~good).sum()))
            keep[~good] = False

        if self.asked.years is not None:
            drop(np.isin(rows.whole("year"), list(self.asked.years)), "of another year than asked for")
        exist = (rows.whole("country_exists_o") == 1) & (rows.whole("country_exists_d") == 1)
        drop(exist, "of a country that did not exist in the year")
        if self.asked.by_region is not None:
            inside = [rows.code(column).map(self.asked.goes) == 1 for column in ("iso3_o", "iso3_d")]
            drop(np.asarray(inside[0] & inside[1]), f"not in {self.asked.by_region.name}")
        return keep

    def _region(self, country: str) -> str:
        by = self.asked.by_region
        shares = by(country) if by is not None else None
        return shares[0][0] if shares else country

    def check(self) -> None:
        """Check that the file has the years and the countries asked for."""
        if self.years:
            told = f"it has {min(self.years)}-{max(self.years)}"
            for year in sorted((self.asked.years or frozenset()) - self.years):
                self.faults.add("year", self.shown, f"{self.shown}, years", f"no {year}", told)
        by = self.asked.by_region
        idle = [c for c in by.table if by(c) and c not in self.country] if by and self.country else []
        if by is not None and idle:
            told = f"names {listed(idle)}, which the file lacks in these years"
            self.faults.add("countries", by.name, by.name, told, "delete their rows")

    def frame(self) -> pd.DataFrame:
        """The variables by year and pair."""
        import pandas as pd

        frame = pd.concat(self.frames, ignore_index=True)
        return frame.sort_values(["year", "exporter", "importer"], ignore_index=True)


def _sources(by: Concordance, to: str) -> int:
    return sum(1 for shares in by.table.values() if any(name == to for name, _ in shares))
