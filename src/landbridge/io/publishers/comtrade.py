"""UN Comtrade: trade reported by one side, from CSV downloads of the old and the new site."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.io.publishers.baci import hs_sectors
from landbridge.io.publishers.concordance import Concordance, as_concordance
from landbridge.io.publishers.flows import FIRST_YEAR, LAST_YEAR, FlowSums, years_of
from landbridge.io.publishers.hs import hs_code, hs_faults
from landbridge.io.publishers.report import Faults, Report, listed
from landbridge.io.publishers.source import CONFIDENTIAL, NO_CODE, TOTAL, members, read_rows
from landbridge.io.publishers.typed import Coded, Field, Rows
from landbridge.world.table import quoted
from landbridge.world.validate import spelled

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_comtrade"]

# Columns that are read, by their names on the new and the old site, in any case.
NEW = {
    "year": "refyear",
    "flow": "flowcode",
    "reporter": "reporteriso",
    "partner": "partneriso",
    "product": "cmdcode",
    "value": "primaryvalue",
}
OLD = {
    "year": "year",
    "flow": "trade flow",
    "reporter": "reporter iso",
    "partner": "partner iso",
    "product": "commodity code",
    "value": "trade value (us$)",
}
# Further columns of both sites, which identify a row that is part of another.
PARTS = {
    "frequency": ("freqcode",),
    "mode": ("motcode", "mode of transport code"),
    "customs": ("customscode", "customs proc. code"),
    "second": ("partner2code", "2nd partner code"),
    "revision": ("classificationcode", "classification", "classificationsearchcode"),
}
WHOLE = {"frequency": ("A",), "mode": ("0",), "customs": ("C00", "C0"), "second": ("0",)}
FLOWS = {
    "imports": frozenset(("M", "IMPORT", "IMPORTS")),
    "exports": frozenset(("X", "EXPORT", "EXPORTS")),
}
WORLD = frozenset(("W00", "WLD", "WORLD"))
# Classifications of goods and services by the beginning of their codes (H5, S4, B4 or BE, EB10).
SYSTEMS = (("EB", "EBOPS"), ("H", "HS"), ("S", "SITC"), ("B", "BEC"))
EXPECTED = "refYear,reporterISO,flowCode,partnerISO,cmdCode,primaryValue or the columns of the old site"
WORDS = ("total", "hs2", "hs4", "hs6")
_FILE = re.compile(r"\.csv(\.gz)?$", re.IGNORECASE)
_PRODUCT = rf"[0-9]{{1,6}}(\.[0-9]{{1,2}})?|{TOTAL}|{CONFIDENTIAL}"


def read_comtrade(
    path: str | Path,
    *,
    side: Literal["imports", "exports"] = "imports",
    level: int | None = None,
    years: int | Iterable[int] | None = None,
    regions: Concordance | Mapping[str, str] | str | Path | None = None,
    sectors: Concordance | Mapping[str, str] | str | Path = "total",
    report: Report | None = None,
) -> pd.DataFrame:
    """Trade in goods reported to UN Comtrade by one side, summed over regions and sectors.

    Parameters
    ----------
    path
        A CSV download of comtradeplus.un.org (refYear, flowCode ...) or of the old site (Year, Trade
        Flow ...); plain, .gz or in a .zip; a folder of them.
    side
        The reporting side: "imports" (usually cost, insurance, freight included) or "exports" (free
        on board). Re-exports, re-imports and the world as a partner are left out.
    level
        Digits of the product codes to read (0 for TOTAL, 2, 4, 6); required where the file holds several,
        since a chapter is the sum of its products. HS codes that lost a leading zero are read with it (101 is
        0101), which a note states; codes of other classifications are read as they are.
    years, regions, sectors, report
        As for read_baci.

    Returns
    -------
    DataFrame
        year, exporter, importer, sector, trade_musd [million USD].

    Raises
    ------
    DataError
        Lists every fault: columns, cells, several levels, repeated flows, codes that a concordance lacks.

    Source: UN Comtrade, column lists of the API (comtradedeveloper.un.org) and of the old bulk files, as
    public code uses them. Not yet run on the original.
    """
    if side not in FLOWS:
        raise DataError("no such side", [Fault("side", f"is {side!r}", "choose imports or exports")])
    path, report = Path(path), report if report is not None else Report()
    wanted = years_of(years)
    by_region = as_concordance(regions, "regions") if regions is not None else None
    table = as_concordance(sectors, "sectors") if sectors not in WORDS else None
    by_sector = hs_sectors(table if table is not None else sectors, hs=False)
    report.publisher = "UN Comtrade"
    faults = Faults()
    sums = FlowSums(by_region, by_sector, wanted, ("trade_musd",), faults, report)
    download = _Download(side, level, table, sums, faults, report)
    for member in members(path, _FILE, "a CSV download of Comtrade"):
        report.files.append(member.shown)
        # Downloads have 22 to 48 columns, of which only some are read.
        for rows in read_rows(member, download.fields, None, EXPECTED, faults, report):
            download.add(rows)
    download.check(path.name)
    sums.check(path.name)
    faults.raise_any(path.name)
    download.tell(sectors)
    return sums.frame()


class _Download:
    """The files of a download, added to sums block by block, and what was found in them.

    levels: digits of product codes. revisions: editions of classifications; systems: the classifications.
    mended: product codes that were corrected. columns: names of the columns of the current file.
    """

    def __init__(
        self,
        side: Literal["imports", "exports"],
        level: int | None,
        table: Concordance | None,
        sums: FlowSums,
        faults: Faults,
        report: Report,
    ) -> None:
        self.side, self.level, self.table = side, level, table
        self.sums, self.faults, self.report = sums, faults, report
        self.levels: set[int] = set()
        self.revisions: set[str] = set()
        self.systems: set[str] = set()
        self.mended: dict[str, str] = {}
        self.columns: dict[str, str] = {}

    def fields(self, header: Sequence[str]) -> Sequence[Field]:
        """The columns to read of a file."""
        self.columns = _columns(header)
        return _fields(self.columns)

    def add(self, rows: Rows) -> None:
        """One block of rows."""
        columns = self.columns
        new = columns.get("year", "").casefold() == "refyear"
        self.report.vintage = "new site" if new else "old site"
        self._meet_systems(rows)
        absent = _absent(rows, columns)
        product = _products(rows, columns["product"], self.systems == {"HS"}, self.faults, self.mended)
        at = np.flatnonzero(self._kept(rows, product, absent))

        def country(role: str) -> NDArray[np.int64]:
            code = rows.code(columns[role])
            return code.map(lambda text: -1 if text in absent else self.sums.countries.id(text))[at]

        ends = ("reporter", "partner") if self.side == "exports" else ("partner", "reporter")
        exporter, importer = map(country, ends)
        self.report.rows_read += len(rows) - len(at)
        self.sums.add(
            rows.name,
            rows.lines[at],
            rows.whole(columns["year"])[at],
            exporter,
            importer,
            product.map(self.sums.products.id)[at],
            {"trade_musd": rows.number(columns["value"])[at] / 1e6},
        )

    def _meet_systems(self, rows: Rows) -> None:
        """Record the classifications of a block; at the first HS block, check the concordance."""
        named = []
        if "revision" in self.columns:
            named = [text for text in rows.code(self.columns["revision"]).texts if text]
        systems = {_system(text) for text in named or ["HS"]}
        if self.table is not None and "HS" in systems - self.systems:
            self.faults.extend(spelled(hs_faults(self.table), self.table.name))
        self.revisions.update(named)
        self.systems |= systems

    def _kept(self, rows: Rows, product: Coded, absent: frozenset[str]) -> NDArray[np.bool_]:
        """Rows that are flows of the side asked for, between two countries, and not part of another row."""
        musd = rows.number(self.columns["value"]) / 1e6
        keep = np.ones(len(rows), dtype=bool)

        def drop(good: NDArray[np.bool_], why: str) -> None:
            gone = keep & ~good
            self.report.drop(why, int(gone.sum()), float(musd[gone].sum()))
            keep[gone] = False

        def holds(role: str, test: Callable[[str], bool]) -> NDArray[np.bool_]:
            return np.asarray(rows.code(self.columns[role]).map(test) == 1)

        flows = FLOWS[self.side]
        drop(holds("flow", lambda text: text.upper() in flows), f"of another flow than {self.side}")
        drop(holds("reporter", lambda text: text not in absent), "of a reporter without an ISO code")
        partner = "with the world, or a partner without a code"
        drop(holds("partner", lambda text: text not in absent), partner)
        for role, whole in WHOLE.items():
            if role in self.columns:
                totals = ("", *whole)
                good = holds(role, lambda text, totals=totals: text.removesuffix(".0") in totals)  # type: ignore[misc]
                drop(good, "not of a year" if role == "frequency" else f"not the total over {role}")
        digits = product.map(lambda text: 0 if text == TOTAL else len(text))
        if self.level is not None:
            drop(digits == self.level, f"of another level than {self.level} digits")
        self.levels.update(int(n) for n in np.unique(digits[keep]))
        return keep

    def check(self, name: str) -> None:
        """Faults of the download as a whole: the same trade more than once, or none of it."""
        if len(self.systems) > 1:
            held = ", ".join(sorted(self.systems))
            what = f"holds codes of several classifications ({held}): the same trade again"
            self.faults.add("systems", name, name, what, "keep the rows of one")
        if self.level is None and len(self.levels) > 1:
            told = ", ".join(TOTAL if n == 0 else f"{n} digits" for n in sorted(self.levels))
            cure = "state one level, or the same trade is counted once a level"
            self.faults.add("levels", name, name, f"holds product codes of {told}", cure)
        if not self.faults and self.report.rows_read and not self.report.rows_kept:
            why = "; ".join(f"{d.rows:,} {d.why}" for d in self.report.dropped)
            cure = "choose the other side or level; download with ISO codes and descriptions"
            self.faults.add("nothing", name, name, f"nothing is left ({why})", cure)

    def tell(self, sectors: Concordance | Mapping[str, str] | str | Path) -> None:
        """Notes for users of the figures."""
        note = self.report.note
        if self.mended:
            pairs = listed((f"{text} as {code}" for text, code in sorted(self.mended.items())), 5)
            which = "" if self.revisions else "; the file names no classification, the HS is assumed"
            note(f"{len(self.mended)} product codes lack a leading zero or hold a point, read {pairs}{which}")
        if self.systems - {"HS"} and isinstance(sectors, str) and sectors in WORDS[1:]:
            note(f"sectors are beginnings of codes of {', '.join(sorted(self.systems))}, not of the HS")
        if len(self.revisions) > 1:
            note(f"several classifications: {listed(sorted(self.revisions))}; codes may differ in meaning")
        if self.side == "imports":
            note("as reported by the importer (cost, insurance, freight mostly included)")
        else:
            note("as reported by the exporter (mostly free on board)")


def _columns(header: Sequence[str]) -> dict[str, str]:
    """The name in the header of each column that is read."""
    folded = {name.casefold(): name for name in header}
    dialect = NEW if "refyear" in folded else OLD
    found = {role: folded.get(name, name) for role, name in dialect.items()}
    for role, names in PARTS.items():
        match = next((folded[name] for name in names if name in folded), None)
        if match is not None:
            found[role] = match
    return found


def _fields(columns: Mapping[str, str]) -> list[Field]:
    out = [
        Field(columns["year"], "whole", low=FIRST_YEAR, high=LAST_YEAR, unit="years"),
        Field(columns["value"], "number", low=0, high=1e15, unit="USD"),
        Field(columns["flow"], "code"),
        Field(columns["product"], "code", pattern=_PRODUCT, unit="a code of the HS"),
    ]
    out += [Field(columns[role], "code", blank=True) for role in ("reporter", "partner")]
    return out + [Field(columns[role], "code", blank=True) for role in PARTS if role in columns]


def _system(text: str) -> str:
    """The classification that the code of an edition belongs to."""
    upper = text.upper()
    return next((system for start, system in SYSTEMS if upper.startswith(start)), upper)


def _products(rows: Rows, column: str, hs: bool, faults: Faults, mended: dict[str, str]) -> Coded:
    """Product codes in the form of their classification; corrected ones are added to `mended`."""
    found = rows.code(column)
    codes = []
    for n, text in enumerate(found.texts):
        code = hs_code(text) if hs else text.partition(".")[0] if text.endswith(".0") else text
        if not code or "." in code:
            at = np.flatnonzero(found.at == n)
            system = "of the HS" if hs else "of the classification"
            cure = "give 2, 4 or 6 digits; a column classificationCode names codes of another" if hs else ""
            faults.many(
                "product",
                rows.name,
                len(at),
                lambda m, at=at, text=text, system=system, cure=cure: Fault(  # type: ignore[misc]
                    f"{rows.name} line {rows.lines[at[m]]}, {column}",
                    f"{quoted(text)} is no code {system}",
                    cure or "give its digits without a point",
                ),
            )
        elif code != text and text:
            mended[text] = code
        codes.append(code or text)
    return Coded(found.at, tuple(codes))


def _absent(rows: Rows, columns: Mapping[str, str]) -> frozenset[str]:
    """Codes of reporters and partners that are not countries: the world, blanks, N/A.

    NA is Namibia where other codes have two letters.
    """
    texts = {text for role in ("reporter", "partner") for text in rows.code(columns[role]).texts}
    two = any(len(text) == 2 and text.isalpha() and text.upper() != "NA" for text in texts)
    return frozenset(
        text
        for text in texts
        if text in WORLD or (text.upper() in NO_CODE and not (two and text.upper() == "NA"))
    )
