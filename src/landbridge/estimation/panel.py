"""The data of an estimation: restricted to the sample, checked, and converted to columns of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.estimation.absorb import Codes, Groups, recode
from landbridge.estimation.design import NAMED, Place, held_offset, numbers, regressors
from landbridge.estimation.expressions import Formula, column, condition
from landbridge.estimation.reading import reading_notes, tidied
from landbridge.world.table import quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PAIR", "Sample", "build_sample", "codes_of", "pairs"]

Array = NDArray[np.float64]
PAIR = "pair"

# Usual names of the two sides of a flow in panels.
_SIDES = (
    ("exporter", "importer"),
    ("iso_o", "iso_d"),
    ("iso3_o", "iso3_d"),
    ("origin", "destination"),
    ("orig", "dest"),
    ("exp", "imp"),
)
_YEAR = "year"


@dataclass
class Sample:
    """The data of an estimate: the flow, the regressors by name, the fixed effects, all of equal length.

    y [row]: flow. names, X [row, k]: of the regressors, and their values. groups: fixed effects. offset
    [row]: None where there is none. built, notes: what was done to the data, in words. left_out: reasons why
    rows were left out, with their numbers.
    frame holds the raw columns of the sample (fixed effects, clusters, sides of the flow, year).
    """

    frame: pd.DataFrame
    y: Array
    names: tuple[str, ...]
    X: Array
    groups: Groups
    sides: tuple[str, str] | None
    year: str | None
    built: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: list[tuple[str, int]] = field(default_factory=list)
    offset: Array | None = None

    def only(self, rows: NDArray[np.bool_]) -> Sample:
        """The sample with the flagged rows [row] only."""
        return Sample(
            self.frame[rows].reset_index(drop=True),
            self.y[rows],
            self.names,
            self.X[rows],
            self.groups.of(rows),
            self.sides,
            self.year,
            self.built,
            self.notes,
            self.left_out,
            None if self.offset is None else self.offset[rows],
        )


def sides_of(
    columns: Iterable[str], exporter: str | None, importer: str | None
) -> tuple[tuple[str, str] | None, list[Fault]]:
    """The columns of exporter and importer: those named, else the first known pair of names present."""
    have = list(columns)
    if exporter is not None or importer is not None:
        given = (exporter or "exporter", importer or "importer")
        faults = [
            Fault("data", f"there is no column {name!r}", did_you_mean(name, have) or "check the name")
            for name in given
            if name not in have
        ]
        if not faults and given[0] == given[1]:
            cure = 'name two columns: exporter="...", importer="..." (--exporter, --importer)'
            what = f"both sides of the flow are the column {quoted(given[0])}"
            faults.append(Fault("exporter, importer", what, cure))
        return (None if faults else given), faults
    return next((couple for couple in _SIDES if all(name in have for name in couple)), None), []


def build_sample(
    formula: Formula,
    data: pd.DataFrame,
    where: str | None,
    clusters: Sequence[tuple[str, ...]] | None,
    exporter: str | None = None,
    importer: str | None = None,
    *,
    linear: bool = False,
) -> Sample:
    """The rows, columns of numbers and groups of fixed effects on which a formula is estimated.

    formula: the parsed formula; data: all rows; where: condition on rows; clusters: columns whose values form
    the clusters, None for the default; exporter, importer: columns of the two sides; linear: least squares,
    where a logged flow of zero is a fault and a negative one is not. Returns a Sample. Raises DataError with
    every fault of the data at once.
    """
    asked = _Asked(formula, where or "", clusters)
    panel = _panel(data, exporter, importer)
    rows = _rows_asked(asked, panel)
    place, built = _columns_asked(asked, panel, rows)
    y, names, X, offset = _numbers_asked(asked, place, linear)
    sample = Sample(
        place.frame, y, names, X, Groups((), ()), place.sides, place.year, built, panel.read, offset=offset
    )
    sample.notes += _panel_notes(asked, panel, place.frame)
    sample = _without_empty_regressors(sample)
    sample.frame = sample.frame.reset_index(drop=True)
    sample.groups = Groups(
        tuple("^".join(e) for e in formula.effects),
        tuple(codes_of(sample.frame, e) for e in formula.effects),
    )
    sample.notes += _balance_notes(sample) + _pair_notes(sample, panel.data)
    return sample


# ---- stages of a sample ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """Request of an estimation. clusters: None for the default."""

    formula: Formula
    where: str
    clusters: Sequence[tuple[str, ...]] | None

    def named(self) -> list[str]:
        """The columns of the clusters."""
        return [c for cluster in self.clusters or () for c in cluster]

    def labels(self) -> list[str]:
        """The columns whose values are labels: those of fixed effects, then those of clusters."""
        return [*(c for e in self.formula.effects for c in e), *self.named()]

    def names(self, column: str) -> bool:
        """Whether the condition names a column."""
        return re.search(rf"\b{re.escape(column)}\b", self.where) is not None


@dataclass(frozen=True)
class _Panel:
    """All data as given, and the columns of the two sides of the flow and the year.

    read: how the file was read. changed: changes to the labels of a column, by its name. faults: those of the
    columns named as sides.
    """

    data: pd.DataFrame
    read: list[str]
    changed: dict[str, str]
    sides: tuple[str, str] | None
    year: str | None
    faults: list[Fault]

    @property
    def builds_pair(self) -> bool:
        """Whether the data lack a column of pairs, and one can be built."""
        return PAIR not in self.data.columns and self.sides is not None

    def known(self) -> list[str]:
        """The columns that a formula may name."""
        return [*map(str, self.data.columns), *([PAIR] if self.builds_pair else [])]

    def filled(self) -> NDArray[np.bool_]:
        """Rows with any cell filled."""
        return np.asarray(~self.data.isna().all(axis=1).to_numpy())


def _panel(data: pd.DataFrame, exporter: str | None, importer: str | None) -> _Panel:
    read = reading_notes(data)
    data, changed = tidied(data)
    sides, faults = sides_of(data.columns, exporter, importer)
    year = next((str(c) for c in data.columns if str(c).lower() == _YEAR), None)
    return _Panel(data, read, changed, sides, year, faults)


def _rows_asked(asked: _Asked, panel: _Panel) -> NDArray[np.bool_]:
    """The rows that the condition keeps; raises every fault found before rows are read as numbers."""
    formula, year = asked.formula, panel.year
    faults = [*panel.faults, *_unknown_columns([*formula.columns(), *asked.named()], panel.known())]
    if year is not None and (year in formula.columns() or asked.names(year)):
        faults += _year_faults(panel.data, year)
    faults += _case_faults(panel.data, panel.sides, [*asked.labels(), *formula.levels()])
    rows = panel.filled()
    blank = not rows.any()
    if asked.where.strip():
        try:
            rows = rows & condition(asked.where, panel.data)
        except DataError as error:
            faults += error.faults
    if faults:
        raise DataError("the estimation cannot be set up", faults)
    if not rows.any():
        what = "the data have no rows" if blank else "holds for no row"
        raise DataError("nothing to estimate", [Fault("where", what, "check it against the data")])
    return rows


def _columns_asked(asked: _Asked, panel: _Panel, rows: NDArray[np.bool_]) -> tuple[Place, list[str]]:
    """The rows and columns of the sample, with pairs if they are asked for, and notes on what was built."""
    sides, year = panel.sides, panel.year
    wanted = [*asked.formula.columns(), *asked.named(), *(sides or ()), *([year] if year else [])]
    if asked.clusters is None and PAIR in panel.known():
        wanted.append(PAIR)
    frame = panel.data.loc[rows, [c for c in dict.fromkeys(wanted) if c in panel.data.columns]].copy()
    built = []
    if panel.builds_pair and PAIR in wanted and sides is not None:
        frame[PAIR] = pairs(frame, sides)
        built.append(
            f"pair from {sides[0]} and {sides[1]}: both directions share one, each domestic pair is its own"
        )
    return Place(frame, np.flatnonzero(rows), sides, year), built


def _numbers_asked(
    asked: _Asked, place: Place, linear: bool
) -> tuple[Array, tuple[str, ...], Array, Array | None]:
    """The flow, names and values of the regressors, the offset; raises every fault of the rows at once."""
    formula = asked.formula
    faults: list[Fault] = []
    y = numbers(formula.dependent, place, faults)
    if not faults:  # the placeholder of a flow that is not a number has no faults of its own
        faults += _flow_faults(formula, y, place, linear)
    names, X = regressors(formula, place, faults)
    offset = held_offset(formula, place, faults)
    faults += _empty_faults([*(place.sides or ()), *asked.labels()], place)
    faults += _duplicate_faults(formula, place)
    faults += _infinite_faults(names, X, place)
    if faults:
        raise DataError("the data cannot be estimated", faults)
    return y, names, X, offset


def _panel_notes(asked: _Asked, panel: _Panel, frame: pd.DataFrame) -> list[str]:
    """Rows with no cell filled, and changes to labels of the columns in use."""
    blank = int((~panel.filled()).sum())
    found = [f"{blank:,} {'row' if blank == 1 else 'rows'} with no cell filled left out"] if blank else []
    used = {*frame.columns, *asked.formula.columns()}
    return found + [text for name, text in panel.changed.items() if name in used or asked.names(name)]


def _without_empty_regressors(sample: Sample) -> Sample:
    """The rows in which every regressor has a value; the others are counted in left_out."""
    empty = np.asarray(np.isnan(sample.X).any(axis=1))
    if not empty.any():
        return sample
    missing = zip(sample.names, np.isnan(sample.X).sum(axis=0), strict=True)
    per = ", ".join(f"{name} {int(count)}" for name, count in missing if count)
    if empty.all():
        raise DataError("nothing to estimate", [Fault("data", f"every row has an empty {per}", "")])
    sample.left_out.append((f"a regressor is empty ({per})", int(empty.sum())))
    return sample.only(~empty)


def codes_of(frame: pd.DataFrame, names: Sequence[str]) -> Codes:
    """One integer code [row] for each combination of the values of some columns.

    frame: the data; names: of the columns.
    """
    import pandas as pd

    code = np.zeros(len(frame), dtype=np.int64)
    for name in names:
        part, levels = pd.factorize(frame[name])
        code = recode(code * (len(levels) + 1) + part)
    return code


def pairs(frame: pd.DataFrame, sides: tuple[str, str]) -> list[str]:
    """Names of the pairs [row]: both directions share one, each domestic pair has its own.

    frame: the rows; sides: columns of exporter and importer.
    """
    # str() of missing values too: they become faults of their own, not an error here.
    a, b = ([str(v) for v in frame[s].to_numpy(dtype=object)] for s in sides)
    return [f"{p}_{q}" if p <= q else f"{q}_{p}" for p, q in zip(a, b, strict=True)]


# ---- what can be wrong -----------------------------------------------------------------------------


def _unknown_columns(names: Iterable[str], known: Sequence[str]) -> list[Fault]:
    """Columns that are named but absent."""
    faults = []
    for name in dict.fromkeys(names):
        if name in known:
            continue
        what = f"there is no column {name!r}"
        if name == PAIR:
            what += ", and none to build it from"
            cure = 'name the two sides: exporter="...", importer="..." (--exporter, --importer)'
        else:
            shown = ", ".join(known[:12]) + (" ..." if len(known) > 12 else "")
            cure = did_you_mean(name, known) or f"the columns are {shown}"
        faults.append(Fault("formula", what, cure))
    return faults


def _case_faults(data: pd.DataFrame, sides: tuple[str, str] | None, keys: Sequence[str]) -> list[Fault]:
    """Labels that differ only in letter case, which the estimation would treat as different."""
    faults = []
    single = [(name,) for name in dict.fromkeys(keys) if name in data and name not in (sides or ())]
    for names in [*([sides] if sides else []), *single]:
        spelled: dict[str, set[str]] = {}
        for name in names:
            for label in data[name].dropna().unique():
                if isinstance(label, str):
                    spelled.setdefault(label.casefold(), set()).add(label)
        several = [sorted(found) for found in spelled.values() if len(found) > 1]
        if several:
            shown = "; ".join(" and ".join(quoted(v, 20) for v in found[:NAMED]) for found in several[:NAMED])
            more = f"; {len(several) - NAMED:,} more" if len(several) > NAMED else ""
            cure = "write each in one way: they now count as different labels"
            what = f"has labels that differ only in small and capital letters: {shown}{more}"
            faults.append(Fault(", ".join(names), what, cure))
    return faults


def _year_faults(data: pd.DataFrame, year: str) -> list[Fault]:
    values = column(data, year)
    if values.dtype != object:
        return []
    example = next((v for v in values if v is not None), "")
    cure = f"make it whole numbers: data[{year!r}] = data[{year!r}].astype(int)"
    return [Fault(year, f"holds text or dates, for example {quoted(str(example))}", cure)]


def _flow_faults(formula: Formula, y: Array, place: Place, linear: bool) -> list[Fault]:
    name = formula.dependent.name
    faults = []
    empty = np.isnan(y)
    if empty.any():
        cure = f'leave them out with where "{name} >= 0", or put 0 where no trade is known to be zero'
        faults.append(Fault(name, f"is empty in {place.rows(empty)}", cure))
    infinite = np.isinf(y)
    if infinite.any():
        cure = "use PPML, which keeps zeros, or leave them out with where" if linear else "correct them"
        faults.append(Fault(name, f"is infinite in {place.rows(infinite)}", cure))
    negative = (y < 0) & ~infinite
    if negative.any() and not linear:
        cure = "PPML needs flows of zero or more: correct them or leave them out with where"
        faults.append(Fault(name, f"is negative in {place.rows(negative)}", cure))
    if not faults and np.ptp(y) == 0:
        faults.append(Fault(name, f"is {y[0]:g} in every row of the sample", "check the column and where"))
    return faults


def _empty_faults(names: Iterable[str], place: Place) -> list[Fault]:
    """Labels that are missing: of the two sides, of a fixed effect, of a cluster."""
    import pandas as pd

    faults = []
    for name in dict.fromkeys(names):
        empty = pd.isna(place.frame[name]).to_numpy() if name in place.frame else np.zeros(0, dtype=np.bool_)
        if empty.any():
            cure = 'fill it or leave the rows out ("NA" is Namibia only among codes of two capital letters)'
            faults.append(Fault(name, f"is empty in {place.rows(empty)}", cure))
    return faults


def _infinite_faults(names: Sequence[str], X: Array, place: Place) -> list[Fault]:
    faults = []
    for name, values in zip(names, X.T, strict=True):
        infinite = np.isinf(values)
        if infinite.any():
            cure = "the logarithm of zero? leave the rows out with where, or shift the column"
            faults.append(Fault(name, f"is infinite in {place.rows(infinite)}", cure))
    return faults


def _duplicate_faults(formula: Formula, place: Place) -> list[Fault]:
    """Two rows for one flow count it twice; further columns among the effects (a sector) distinguish rows."""
    frame, sides, year = place.frame, place.sides, place.year
    if sides is None:
        return []
    effects = [c for e in formula.effects for c in e if c != PAIR]
    keys = list(dict.fromkeys([*sides, *([year] if year else []), *effects]))
    twice = frame.duplicated(subset=keys).to_numpy()
    if not twice.any():
        return []
    cure = "keep one row for each, sum them, or add what distinguishes them (a sector) to the fixed effects"
    return [Fault(" ".join(keys), f"the same flow again in {place.rows(twice)}", cure)]


def _balance_notes(sample: Sample) -> list[str]:
    if sample.sides is None or sample.year is None:
        return []
    flows = len(np.unique(codes_of(sample.frame, sample.sides)))
    years = len(np.unique(codes_of(sample.frame, [sample.year])))
    cells = len(np.unique(codes_of(sample.frame, [*sample.sides, sample.year])))
    missing = flows * years - cells
    if missing <= 0:
        return []
    return [
        f"{missing:,} of {flows * years:,} pair-years have no row (directed pairs times years "
        "seen): they count as unknown, not as zero"
    ]


def _pair_notes(sample: Sample, data: pd.DataFrame) -> list[str]:
    """A pair column given with the data may combine domestic and international flows."""
    if sample.sides is None or PAIR not in sample.frame or PAIR not in data.columns:
        return []
    home = (sample.frame[sample.sides[0]] == sample.frame[sample.sides[1]]).to_numpy()
    codes = codes_of(sample.frame, [PAIR])
    share = np.bincount(codes, home) / np.bincount(codes)
    mixed = int(((share > 0) & (share < 1)).sum())
    if not mixed:
        return []
    return [
        f"{mixed} levels of the given pair hold domestic and international flows: give each domestic pair "
        "its own"
    ]
