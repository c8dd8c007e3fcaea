"""Figures of countries and pairs: World Bank WDI, CEPII Gravity."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.publishers.concordance import Concordance, as_concordance
from landbridge.io.publishers.flows import FIRST_YEAR, LAST_YEAR, MAX_COUNTRIES, Seen, years_of
from landbridge.io.publishers.report import Faults, Report, listed
from landbridge.io.publishers.source import members, read_rows
from landbridge.io.publishers.typed import Field

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ADDITIVE", "read_gravity", "read_wdi"]

WDI_EXPECTED = "Country Name, Country Code, Indicator Name, Indicator Code, 1960 ... of WDICSV.csv"
# Indicators that a sum over countries keeps the meaning of; shares and averages it does not.
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


def read_wdi(
    path: str | Path,
    *,
    indicators: str | Iterable[str] | None = None,
    years: int | Iterable[int] | None = None,
    regions: Concordance | Mapping[str, str] | str | Path | None = None,
    additive: Iterable[str] = (),
    report: Report | None = None,
) -> pd.DataFrame:
    """Indicators of the World Bank's World Development Indicators, long, blanks left out.

    Parameters
    ----------
    path
        WDICSV.csv (WDIData.csv before 2024), plain or .gz, or the WDI_CSV.zip that holds it.
    indicators
        Codes such as "NY.GDP.MKTP.CD"; all by default.
    regions
        A concordance from country codes: figures are sums, and blank where one country of a region is.
        Countries it does not name are left out (the file also holds groups of countries).
    additive
        Indicators that may be summed besides ADDITIVE; others are refused with a concordance.

    Returns
    -------
    DataFrame
        year, region, indicator, value [the indicator's own unit].

    Raises
    ------
    DataError
        Lists every fault: columns, cells, rows twice, indicators, years or countries that are not there.

    Source: World Bank, WDI bulk download (datatopics.worldbank.org/world-development-indicators), README
    of the zip as public code describes it. Not yet run on the original.
    """
    import pandas as pd

    path, report = Path(path), report if report is not None else Report()
    wanted_years = years_of(years)
    named = [indicators] if isinstance(indicators, str) else list(indicators or ())
    by_region = as_concordance(regions, "regions") if regions is not None else None
    summed = ADDITIVE | set(additive)
    odd = [code for code in named if by_region and code not in summed]
    if odd or (by_region and not named):
        what = f"{', '.join(odd[:5])} may not be summed over countries" if odd else "all cannot be summed"
        cure = "name those that can as additive, or read without a concordance"
        raise DataError("no sums", [Fault("indicators", what, cure)])
    found = members(path, _WDI_FILE, "WDICSV.csv or WDIData.csv")
    (member,) = found[:1]
    report.publisher, report.vintage = "World Bank WDI", ""
    report.files.append(member.shown)
    faults = Faults()
    held: list[int] = []

    def fields(header: Sequence[str]) -> Sequence[Field]:
        held.extend(int(name) for name in header if re.fullmatch(r"(19|20)\d\d", name))
        chosen = [year for year in held if wanted_years is None or year in wanted_years]
        missing = sorted((wanted_years or frozenset()) - set(held))
        for year in missing:
            told = f"{min(held)}-{max(held)}" if held else "none"
            faults.add("year", member.shown, f"{member.shown}, years", f"no {year}", f"it has {told}")
        if not held:
            faults.add("year", member.shown, f"{member.shown} line 1", "no years", f"expected {WDI_EXPECTED}")
        return [
            *(Field(name, "code") for name in _WDI_KEYS),
            *(Field(str(year), "number", blank=True) for year in chosen),
        ]

    known = (*_WDI_NAMES, *(str(year) for year in range(1900, 2100)))
    frames: list[pd.DataFrame] = []
    met: set[tuple[str, str]] = set()
    codes: set[str] = set()
    countries: set[str] = set()
    for rows in read_rows(member, fields, known, WDI_EXPECTED, faults, report):
        country, indicator = rows.code("Country Code"), rows.code("Indicator Code")
        report.rows_read += len(rows)
        pairs = [(country.of(n), indicator.of(n)) for n in range(len(rows))]
        for n, pair in enumerate(pairs):
            if pair in met:
                where = f"{rows.name} line {rows.lines[n]}"
                faults.add("twice", rows.name, where, f"a second row for {', '.join(pair)}", "keep one")
            met.add(pair)
        codes.update(indicator.texts)
        countries.update(country.texts)
        keep = np.array(
            [(not named or i in named) and (by_region is None or by_region(c) is not None) for c, i in pairs],
            dtype=bool,
        )
        kept = np.flatnonzero(keep)
        report.rows_kept += len(kept)
        for name in rows.columns:
            if name in _WDI_KEYS or not len(kept):
                continue
            values = rows.number(name)[kept]
            frames.append(
                pd.DataFrame(
                    {
                        "year": np.full(len(kept), int(name), dtype=np.int16),
                        "region": [pairs[n][0] for n in kept],
                        "indicator": [pairs[n][1] for n in kept],
                        "value": values,
                    }
                ).dropna()
            )
    for code in named:
        if codes and code not in codes:
            cure = did_you_mean(code, codes) or "see the series file of the zip"
            faults.add("indicator", member.shown, f"{member.shown}, indicators", f"no {code}", cure)
    if by_region is not None and countries:
        missing_codes = [code for code in by_region.table if code not in countries]
        if missing_codes:
            told = f"names {listed(missing_codes)}, which the file has not"
            faults.add("countries", by_region.name, by_region.name, told, "delete their rows")
    faults.raise_any(path.name)
    report.drop("of other indicators or countries than asked for", report.rows_read - report.rows_kept)
    columns = ["year", "region", "indicator", "value"]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    if by_region is not None:
        frame = _summed(frame, by_region, report)
    return frame.sort_values(["indicator", "year", "region"], ignore_index=True)[columns]


def _summed(frame: pd.DataFrame, by: Concordance, report: Report) -> pd.DataFrame:
    """Sums over regions; a region without all of its countries has no figure."""
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


def read_gravity(  # noqa: C901
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
        Columns to read; blank cells become not-a-number.
    regions
        Renames countries and leaves out those it does not name; one country a region, since distances
        and treaties cannot be summed.
    vintage
        The release, where the name of the file does not tell it or it is none of GRAVITY_VINTAGES.

    Returns
    -------
    DataFrame
        year, exporter (iso3_o), importer (iso3_d) and the variables; pairs of which one country does not
        exist in a year are left out.

    Raises
    ------
    DataError
        Lists every fault: columns, cells, pairs twice, countries or years that are not there.

    Source: Conte, Cotterlaz, Mayer (2022), The CEPII Gravity database, working paper 2022-05, and the
    documentation of the release. Not yet run on the original.
    """
    import pandas as pd

    path, report = Path(path), report if report is not None else Report()
    wanted, chosen = years_of(years), tuple(dict.fromkeys(variables))
    by_region = as_concordance(regions, "regions") if regions is not None else None
    if by_region is not None:
        single = [to for to in by_region.targets if _sources(by_region, to) != 1]
        if single or any(len(s) > 1 for s in by_region.table.values()):
            what = f"gives {', '.join(single[:5]) or 'a region'} several countries, or parts of one"
            cure = "name one country a region: distances and treaties cannot be summed"
            raise DataError("no sums", [Fault(by_region.name, what, cure)])
    found = members(path, _GRAVITY_FILE, "Gravity_Vyyyymm.csv")
    (member,) = found[:1]
    name = _GRAVITY_FILE.match(member.name)
    release = vintage or (name.group(1) if name else "")
    if vintage is None and release not in GRAVITY_VINTAGES:
        what = f"release {release} is not known" if release else "its name does not tell the release"
        cure = f"known: {', '.join(GRAVITY_VINTAGES)}; where its columns are the same, state the vintage"
        raise DataError("not a Gravity that is known", [Fault(member.shown, what, cure)])
    report.publisher, report.vintage = "CEPII Gravity", release
    report.files.append(member.shown)
    faults = Faults()

    def fields(header: Sequence[str]) -> Sequence[Field]:
        keys = ("year", "iso3_o", "iso3_d", "country_exists_o", "country_exists_d")
        for variable in chosen:
            if variable not in header:
                cure = did_you_mean(variable, header) or f"the file has {', '.join(header[:8])} ..."
                faults.add("variable", member.shown, f"{member.shown}, variables", f"no {variable}", cure)
        return [
            Field("year", "whole", low=FIRST_YEAR, high=LAST_YEAR, unit="years"),
            *(Field(c, "code", pattern="[A-Z0-9]{3}", unit="three letters") for c in ("iso3_o", "iso3_d")),
            *(Field(c, "whole", low=0, high=1) for c in ("country_exists_o", "country_exists_d")),
            *(Field(v, "number", blank=True) for v in chosen if v in header and v not in keys),
        ]

    country: dict[str, int] = {}
    seen, frames, met = Seen(), list[pd.DataFrame](), set[int]()
    for rows in read_rows(member, fields, None, GRAVITY_EXPECTED, faults, report):
        report.rows_read += len(rows)
        year = rows.whole("year")
        met.update(np.unique(year).tolist())
        keep = np.ones(len(rows), dtype=bool)
        if wanted is not None:
            keep &= np.isin(year, list(wanted))
            report.drop("of another year than asked for", int((~keep).sum()))
        exist = (rows.whole("country_exists_o") == 1) & (rows.whole("country_exists_d") == 1)
        report.drop("of a country that did not exist in the year", int((keep & ~exist).sum()))
        keep &= exist
        origin, destination = rows.code("iso3_o"), rows.code("iso3_d")
        if by_region is not None:
            inside = (origin.map(lambda c: int(bool(by_region(c)))) == 1) & (
                destination.map(lambda c: int(bool(by_region(c)))) == 1
            )
            report.drop(f"not in {by_region.name}", int((keep & ~inside).sum()))
            keep &= inside
        at = np.flatnonzero(keep)
        o, d = (c.map(lambda code: country.setdefault(code, len(country)))[at] for c in (origin, destination))
        if len(country) > MAX_COUNTRIES:
            what = f"has {len(country):,} countries"
            raise DataError("not a list of pairs", [Fault(member.shown, what, "check that it is the file")])
        for n in seen.add(year[at], o, d):
            row = int(at[n])
            pair = f"{origin.of(row)}, {destination.of(row)}, {year[row]}"
            where = f"{rows.name} line {rows.lines[row]}"
            faults.add("twice", rows.name, where, f"a second row for {pair}", "keep one")
        report.rows_kept += len(at)

        def code_of(text: str) -> str:
            shares = by_region(text) if by_region is not None else None
            return shares[0][0] if shares else text

        frames.append(
            pd.DataFrame(
                {
                    "year": year[at].astype(np.int16),
                    "exporter": [code_of(origin.of(int(n))) for n in at],
                    "importer": [code_of(destination.of(int(n))) for n in at],
                    **{v: rows.number(v)[at] for v in chosen if v in rows.columns},
                }
            )
        )
    for one in sorted((wanted or frozenset()) - met):
        if met:
            told = f"it has {min(met)}-{max(met)}"
            faults.add("year", member.shown, f"{member.shown}, years", f"no {one}", told)
    if by_region is not None and country:
        idle = [code for code in by_region.table if by_region(code) and code not in country]
        if idle:
            told = f"names {listed(idle)}, which the file has not in these years"
            faults.add("countries", by_region.name, by_region.name, told, "delete their rows")
    faults.raise_any(path.name)
    frame = pd.concat(frames, ignore_index=True)
    return frame.sort_values(["year", "exporter", "importer"], ignore_index=True)


def _sources(by: Concordance, to: str) -> int:
    return sum(1 for shares in by.table.values() if any(name == to for name, _ in shares))
