"""USITC ITPD-E: trade and domestic sales by industry, for estimation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from landbridge.errors import DataError, Fault
from landbridge.io.publishers.concordance import Concordance, as_concordance
from landbridge.io.publishers.flows import FIRST_YEAR, LAST_YEAR, FlowSums, Sectors, years_of
from landbridge.io.publishers.report import Faults, Report
from landbridge.io.publishers.source import members, read_rows
from landbridge.io.publishers.typed import Field

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_itpde"]

RELEASES = ("R01", "R02", "R03")
EXPECTED = "exporter_iso3, importer_iso3, year, industry_id, trade ... (usitc.gov, ITPD-E, working paper)"
KNOWN = (
    *("exporter_dynamic_code", "importer_dynamic_code", "exporter_iso3_dynamic", "importer_iso3_dynamic"),
    *("exporter_name", "importer_name", "broad_sector", "industry_descr", "flag_mirror", "flag_zero"),
)
FIELDS = (
    Field("exporter_iso3", "code", pattern="[A-Z0-9]{3}", unit="a code of three letters"),
    Field("importer_iso3", "code", pattern="[A-Z0-9]{3}", unit="a code of three letters"),
    Field("year", "whole", low=FIRST_YEAR, high=LAST_YEAR, unit="years"),
    Field("industry_id", "whole", low=1, high=999),
    Field("trade", "number", low=0, high=1e9, unit="million USD"),
)
_FILE = re.compile(r"^ITPD_?E_(R\d\d).*\.csv(\.gz)?$", re.IGNORECASE)


def read_itpde(
    path: str | Path,
    *,
    years: int | Iterable[int] | None = None,
    regions: Concordance | Mapping[str, str] | str | Path | None = None,
    sectors: Concordance | Mapping[str, str] | str | Path = "industry",
    vintage: str | None = None,
    report: Report | None = None,
) -> pd.DataFrame:
    """Trade with domestic sales by industry from the USITC's ITPD-E, summed over regions and sectors.

    Parameters
    ----------
    path
        ITPD_E_Rnn.csv, or the version without names; plain, .gz or in a .zip.
    years, regions, report
        As for read_baci.
    sectors
        "industry" (industry_id as text), "broad" (broad_sector), "total", or a concordance from industry_id.
    vintage
        The release, where the file name does not state it or it is not in RELEASES.

    Returns
    -------
    DataFrame
        year, exporter, importer, sector, trade_musd [million USD]; zero flows of the file are rows.

    Raises
    ------
    DataError
        Lists every fault: columns, cells, repeated flows, codes that a concordance lacks.

    Source: Borchert, Larch, Shikher, Yotov (2021, 2022), USITC working papers on ITPD-E; column names as
    public readers of release 2 use them. Not yet run on the original.
    """
    path, report = Path(path), report if report is not None else Report()
    wanted = years_of(years)
    found = members(path, _FILE, "ITPD_E_R02.csv")
    if len(found) > 1:
        told = ", ".join(member.name for member in found[:5])
        raise DataError("several files", [Fault(path.name, f"holds {told}", "give one")])
    (member,) = found
    name = _FILE.match(member.name)
    release = (vintage or (name.group(1) if name else "")).upper()
    if vintage is None and release not in RELEASES:
        what = f"release {release} is not known" if release else "its name does not state the release"
        cure = f"known: {', '.join(RELEASES)}; where its columns are the same, state the vintage"
        raise DataError("not a known release of ITPD-E", [Fault(member.shown, what, cure)])
    by_region = as_concordance(regions, "regions") if regions is not None else None
    broad = sectors == "broad"
    report.publisher, report.vintage = "USITC ITPD-E", release
    report.files.append(member.shown)
    faults = Faults()
    sums = FlowSums(by_region, _sectors(sectors), wanted, ("trade_musd",), faults, report)
    unknown = 0

    def fields(header: Sequence[str]) -> Sequence[Field]:
        out = [*FIELDS]
        if broad:
            out.append(Field("broad_sector", "code"))
        if "flag_zero" in header:
            out.append(Field("flag_zero", "code", blank=True))
        return out

    for rows in read_rows(member, fields, KNOWN, EXPECTED, faults, report):
        industry = rows.whole("industry_id")
        if broad:
            # A broad sector holds several industries, so a row is identified by both.
            named = rows.code("broad_sector")
            kinds, at = np.unique(named.at * np.int64(1000) + industry, return_inverse=True)
            names = [f"{named.texts[kind // 1000]}\t{kind % 1000}" for kind in kinds.tolist()]
        else:
            kinds, at = np.unique(industry, return_inverse=True)
            names = [str(kind) for kind in kinds.tolist()]
        product = np.array([sums.products.id(text) for text in names], dtype=np.int64)[at]
        if "flag_zero" in rows.columns:
            flag = rows.code("flag_zero")
            unknown += int((flag.map(lambda text: int(text == "u")) == 1).sum())
        sums.add(
            rows.name,
            rows.lines,
            rows.whole("year"),
            rows.code("exporter_iso3").map(sums.countries.id),
            rows.code("importer_iso3").map(sums.countries.id),
            product,
            {"trade_musd": rows.number("trade")},
        )
    sums.check(path.name)
    faults.raise_any(path.name)
    if unknown:
        report.note(f"{unknown:,} zeros of the file are marked as unknown (flag_zero u); they stay zeros")
    return sums.frame()


def _sectors(sectors: Concordance | Mapping[str, str] | str | Path) -> Sectors:
    """The mapping from industries to sectors. A code of broad sectors is the sector, a tab, the industry."""
    if sectors == "total":
        return Sectors(lambda code: (("ALL", 1.0),), ("ALL",))
    if sectors == "broad":
        return Sectors(lambda code: ((code.split("\t")[0], 1.0),))
    if sectors == "industry":
        return Sectors(None)
    table = as_concordance(sectors, "sectors")
    return Sectors(table, table.targets, table.name)
