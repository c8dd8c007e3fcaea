"""Treaties as dated data: a registry, a coverage matrix, and dummies for a gravity equation.

Every arrangement with a measurable effect is a dummy: WTO, TIR, EAEU, the CIS free trade area, investment
treaties, visa waivers. The title of a partnership is not a treatment and gets no coefficient anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from landbridge.errors import DataError, Fault
from landbridge.world import World
from landbridge.world.table import Cell

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BILATERAL", "MEASURES", "TITLES", "coverage", "dummies", "dummy_rows", "in_force"]

MEASURES = ("wto", "tir", "eaeu", "cis_fta", "bit", "visa_waiver")
# Arrangements of two parties; the others are memberships, which apply to a pair when both are members.
BILATERAL = ("bit", "visa_waiver")
# Kinds of arrangement without a coefficient.
TITLES = ("partnership", "summit", "mechanism", "MoU", "pledge", "BRI document")

_YEARS = (1950, 2100)


def in_force(date: Cell, year: int) -> bool:
    """Whether an arrangement dated `date` is in force on 1 July of `year`; never for a blank date."""
    if date is None:
        return False
    # A date with only a year or a month is its first day.
    text = str(date)
    return text + "0000-01-01"[len(text) :] <= f"{year:04d}-07-01"


def dummy_rows(
    world: World, years: Sequence[int], measures: Sequence[str] = MEASURES
) -> list[dict[str, Any]]:
    """One row per pair of parties and year: exporter, importer, year and a dummy per measure.

    world: with the treaty tables; years: 1950-2100; measures: names of dummies. A dummy is 1 where the
    arrangement is in force for both on 1 July, 0 where the registry knows that it is not, NaN where it does
    not know one of the two. Raises DataError for unknown measures and years outside 1950-2100, and where
    tables are missing.
    """
    (table,) = world.channel("treaty_members")
    faults = [
        Fault("measures", f"no measure {m!r}", "use " + ", ".join(MEASURES))
        for m in measures
        if m not in MEASURES
    ]
    faults += [
        Fault("years", f"holds {y}", f"give years from {_YEARS[0]} to {_YEARS[1]}")
        for y in years
        if not _YEARS[0] <= y <= _YEARS[1]
    ]
    faults += _date_faults(table)
    if faults:
        raise DataError("no dummies for that", faults)
    single: dict[str, dict[str, Cell]] = {m: {} for m in MEASURES}
    paired: dict[str, dict[frozenset[str], Cell]] = {m: {} for m in MEASURES}
    parties: dict[str, None] = {}
    for row in table:
        measure, party = str(row["measure"]), str(row["party"])
        parties[party] = None
        if row["partner"] is None:
            single[measure][party] = row["from_date"]
        else:
            parties[str(row["partner"])] = None
            paired[measure][frozenset((party, str(row["partner"])))] = row["from_date"]
    rows = []
    for o in sorted(parties):
        for d in sorted(parties):
            if o == d:
                continue
            for year in years:
                row_out: dict[str, Any] = {"exporter": o, "importer": d, "year": int(year)}
                for measure in measures:
                    row_out[measure] = _value(single[measure], paired[measure], o, d, year)
                rows.append(row_out)
    return rows


def dummies(world: World, years: Sequence[int], measures: Sequence[str] = MEASURES) -> pd.DataFrame:
    """`dummy_rows` as a DataFrame, for a merge on exporter, importer and year.

    world: with the treaty tables; years: 1950-2100; measures: names of dummies. Columns: exporter, importer,
    year, then the measures: 1 in force, 0 not, NaN unknown. Raises DataError as `dummy_rows` does.
    """
    import pandas as pd

    return pd.DataFrame(dummy_rows(world, years, measures))


def coverage(world: World, partners: Iterable[str], party: str = "CHN") -> list[dict[str, Any]]:
    """The date from which each kind of arrangement holds between a party and its partners: one row per kind.

    world: with the treaty tables; partners, party: country codes. Memberships count from the later of the two
    dates. Cells: a date as published, "yes" where it holds and no date was found, None where none is known.
    The column treatment states whether the kind is a treatment.
    Raises DataError where the World lacks the treaty tables.
    """
    (registry, members) = world.channel("treaties", "treaty_members")
    listed = list(partners)
    rows: list[dict[str, Any]] = []
    for measure in MEASURES:
        dates = {p: _since(members, measure, party, p) for p in listed}
        rows.append({"arrangement": measure, "treatment": True, **dates})
    for kind in dict.fromkeys(str(r["type"]) for r in registry if r["measure"] is None):
        dates = {p: _first_of_kind(registry, kind, party, p) for p in listed}
        if any(dates.values()):
            rows.append({"arrangement": kind, "treatment": False, **dates})
    return rows


def _since(members: Iterable[Mapping[str, Cell]], measure: str, party: str, partner: str) -> Cell:
    """The date from which a measure holds for two countries: by their own treaty or by membership."""
    of_measure = [row for row in members if row["measure"] == measure]
    if measure in BILATERAL:
        ends = frozenset((party, partner))
        own = [r for r in of_measure if frozenset((str(r["party"]), str(r["partner"]))) == ends]
        return own[-1]["from_date"] if own else None
    joined = {str(r["party"]): r["from_date"] for r in of_measure if r["partner"] is None}
    dates = [joined.get(party), joined.get(partner)]
    return None if None in dates else max(str(date) for date in dates)


def _first_of_kind(registry: Iterable[Mapping[str, Cell]], kind: str, party: str, partner: str) -> str | None:
    """The first arrangement of a kind that is not a measure, "yes" where it has no date."""
    found = [
        "yes" if row["date"] is None else str(row["date"])
        for row in registry
        if row["type"] == kind
        and row["party_a"] == party
        and (partner in str(row["party_b"] or "").split("+") or row["party_b"] == "C5")
    ]
    return min(found, default=None)


def _value(
    single: Mapping[str, Cell], paired: Mapping[frozenset[str], Cell], o: str, d: str, year: int
) -> float:
    pair = frozenset((o, d))
    if pair in paired:
        return float(in_force(paired[pair], year))
    if o in single and d in single:
        return float(in_force(single[o], year) and in_force(single[d], year))
    return math.nan


def _date_faults(table: Iterable[Mapping[str, Cell]]) -> list[Fault]:
    faults = []
    for row in table:
        text = str(row["from_date"] or "1950")
        parts = text.split("-")
        if len(parts) > 3 or not all(p.isdigit() for p in parts) or [len(p) for p in parts] > [4, 2, 2]:
            where = f"treaty_members.csv ({row['measure']}, {row['party']})"
            faults.append(Fault(where, f"from_date is {text!r}", "write 2015, 2015-01 or 2015-01-01"))
    return faults
