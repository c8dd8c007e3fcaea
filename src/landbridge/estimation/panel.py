"""The data of an estimation: restricted to the sample, checked, and turned into columns of numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.estimation.absorb import Codes, Groups, recode
from landbridge.estimation.expressions import (
    Factor,
    Formula,
    Term,
    column,
    condition,
    evaluate,
    names_in,
    refused,
)
from landbridge.estimation.reading import number_marks, reading_notes, tidied
from landbridge.world.table import quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PAIR", "Sample", "build_sample", "codes_of", "design", "pairs"]

Array = NDArray[np.float64]
PAIR = "pair"

# Names under which panels carry the two sides of a flow.
_SIDES = (
    ("exporter", "importer"),
    ("iso_o", "iso_d"),
    ("iso3_o", "iso3_d"),
    ("origin", "destination"),
    ("orig", "dest"),
    ("exp", "imp"),
)
_YEAR = "year"
# Every fault is counted, but only so many rows of a kind are named.
_NAMED = 3
# A label is shown so far.
_LONGEST = 40
_PLAIN_NUMBERS = (
    "its comma or point can be decimal or separate thousands: write plain numbers with a decimal point "
    "and no comma in thousands, in a file separated by commas"
)


@dataclass
class Sample:
    """What is estimated on: the flow, the regressors by name, the fixed effects, all of equal length.

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
        """The sample without some rows."""
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
    """The columns of exporter and importer: those named, else the first known couple that is there."""
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


def build_sample(  # noqa: C901
    formula: Formula,
    data: pd.DataFrame,
    where: str | None,
    clusters: Sequence[tuple[str, ...]] | None,
    exporter: str | None = None,
    importer: str | None = None,
    *,
    linear: bool = False,
) -> Sample:
    """The sample of a formula, or every fault of the data at once.

    clusters: columns whose values form the clusters, None for the default. linear: least squares, where a
    logged flow of zero is a fault and a negative one is not.
    """
    import pandas as pd

    faults: list[Fault] = []
    read = reading_notes(data)
    data, labels = tidied(data)
    named = [c for cluster in clusters or () for c in cluster]
    sides, wrong = sides_of(data.columns, exporter, importer)
    faults += wrong
    builds_pair = PAIR not in data.columns and sides is not None
    known = [*map(str, data.columns), *([PAIR] if builds_pair else [])]
    for name in dict.fromkeys([*formula.columns(), *named]):
        if name == PAIR and name not in known:
            cure = 'name the two sides: exporter="...", importer="..." (--exporter, --importer)'
            faults.append(Fault("formula", "there is no column 'pair', and none to build it from", cure))
        elif name not in known:
            shown = ", ".join(known[:12]) + (" ..." if len(known) > 12 else "")
            cure = did_you_mean(name, known) or f"the columns are {shown}"
            faults.append(Fault("formula", f"there is no column {name!r}", cure))
    year = next((str(c) for c in data.columns if str(c).lower() == _YEAR), None)
    if year is not None and (year in formula.columns() or re.search(rf"\b{year}\b", where or "")):
        faults += _year_faults(data, year)
    rows = ~data.isna().all(axis=1).to_numpy()
    blank = int((~rows).sum())
    keys = [*(c for e in formula.effects for c in e), *named, *formula.levels()]
    faults += _case_faults(data, sides, keys)
    if where is not None and where.strip():
        try:
            rows = rows & condition(where, data)
        except DataError as error:
            faults += error.faults
    if faults:
        raise DataError("the estimation cannot be set up", faults)
    if not rows.any():
        what = "the data have no rows" if blank == len(data) else "holds for no row"
        raise DataError("nothing to estimate", [Fault("where", what, "check it against the data")])

    built: list[str] = []
    wanted = list(dict.fromkeys([*formula.columns(), *named, *(sides or ()), *([year] if year else [])]))
    if clusters is None and PAIR in known and PAIR not in wanted:
        wanted.append(PAIR)
    frame = data.loc[rows, [c for c in wanted if c in data.columns]].copy()
    origin = np.flatnonzero(rows)
    if builds_pair and PAIR in wanted and sides is not None:
        frame[PAIR] = pairs(frame, sides)
        built.append(
            f"pair from {sides[0]} and {sides[1]}: both directions share one, each domestic pair is its own"
        )
    place = _Place(frame, origin, sides, year)
    y = _values(formula.dependent, place, faults)
    if not faults:  # what stands in for a flow that is no number has no faults of its own
        faults += _flow_faults(formula, y, place, linear)
    names, X = _design(formula, place, faults)
    offset = _offset(formula, place, faults)
    keys = [*(c for e in formula.effects for c in e), *(c for c in named if c in frame)]
    for name in dict.fromkeys([*(sides or ()), *keys]):
        empty = pd.isna(frame[name]).to_numpy()
        if empty.any():
            cure = 'fill it or leave the rows out ("NA" is Namibia only among codes of two capital letters)'
            faults.append(Fault(name, f"is empty in {place.rows(empty)}", cure))
    faults += _duplicate_faults(frame, sides, year, formula, place)
    finite = np.isfinite(X)
    for k, name in enumerate(names):
        infinite = ~finite[:, k] & ~np.isnan(X[:, k])
        if infinite.any():
            cure = "the logarithm of zero? leave the rows out with where, or shift the column"
            faults.append(Fault(name, f"is infinite in {place.rows(infinite)}", cure))
    if faults:
        raise DataError("the data cannot be estimated", faults)

    found = Sample(frame, y, names, X, Groups((), ()), sides, year, built, read, offset=offset)
    if blank:
        found.notes.append(f"{blank:,} {'row' if blank == 1 else 'rows'} with no cell filled left out")
    used = {*frame.columns, *formula.columns()}
    found.notes += [
        text
        for name, text in labels.items()
        if name in used or re.search(rf"\b{re.escape(name)}\b", where or "")
    ]
    empty = np.asarray(np.isnan(X).any(axis=1))
    if empty.any():
        per = ", ".join(f"{n} {int(c)}" for n, c in zip(names, np.isnan(X).sum(axis=0), strict=True) if c)
        found.left_out.append((f"a regressor is empty ({per})", int(empty.sum())))
        if empty.all():
            raise DataError("nothing to estimate", [Fault("data", f"every row has an empty {per}", "")])
        found = found.only(~empty)
    found.frame = found.frame.reset_index(drop=True)
    found.groups = Groups(
        tuple("^".join(e) for e in formula.effects), tuple(codes_of(found.frame, e) for e in formula.effects)
    )
    found.notes += _balance_notes(found) + _pair_notes(found, data)
    return found


def codes_of(frame: pd.DataFrame, names: Sequence[str]) -> Codes:
    """One integer code for each combination of the values of some columns."""
    import pandas as pd

    code = np.zeros(len(frame), dtype=np.int64)
    for name in names:
        part, levels = pd.factorize(frame[name])
        code = recode(code * (len(levels) + 1) + part)
    return code


# ---- columns ---------------------------------------------------------------------------------------


def pairs(frame: pd.DataFrame, sides: tuple[str, str]) -> list[str]:
    """Names of the pairs: both directions share one, each domestic pair is its own."""
    # str() also of what is missing: it becomes a fault of its own, not a crash here.
    a, b = ([str(v) for v in frame[s].to_numpy(dtype=object)] for s in sides)
    return [f"{p}_{q}" if p <= q else f"{q}_{p}" for p, q in zip(a, b, strict=True)]


def design(
    formula: Formula, frame: pd.DataFrame, sides: tuple[str, str] | None, year: str | None
) -> tuple[tuple[str, ...], Array, Array | None]:
    """Names and values of the regressors, and the offset, on rows that need not be a sample.

    Raises DataError where a column holds no numbers.
    """
    faults: list[Fault] = []
    place = _Place(frame, np.arange(len(frame)), sides, year)
    names, X = _design(formula, place, faults)
    offset = None if formula.offset is None else _values(formula.offset, place, faults)
    if faults:
        raise DataError("the data cannot be used", faults)
    return names, X, offset


def _design(formula: Formula, place: _Place, faults: list[Fault]) -> tuple[tuple[str, ...], Array]:
    """The regressors as numbers; what is not a number becomes a fault."""
    names: list[str] = []
    columns: list[Array] = []
    for term in formula.terms:
        for name, values in _expanded(term, place, faults):
            names.append(name)
            columns.append(values)
    X = np.column_stack(columns) if columns else np.empty((len(place.frame), 0))
    return tuple(names), X


def _offset(formula: Formula, place: _Place, faults: list[Fault]) -> Array | None:
    """The term of coefficient one; what is empty or infinite becomes a fault."""
    if formula.offset is None:
        return None
    values = _values(formula.offset, place, faults)
    wrong = ~np.isfinite(values)
    if wrong.any():
        cure = "fill it or leave the rows out with where; the logarithm of zero has no offset"
        faults.append(Fault(formula.offset.name, f"is empty or infinite in {place.rows(wrong)}", cure))
    return values


def _expanded(term: Term, place: _Place, faults: list[Fault]) -> list[tuple[str, Array]]:
    """The columns of a term: one, or one for each level (or combination of levels)."""
    found: list[tuple[str, Array]] = [("", np.ones(len(place.frame)))]
    for factor in term.factors:
        parts = _levels(factor, place, faults) if factor.levels else None
        if parts is None:
            parts = [(factor.name, _values(factor, place, faults))]
        found = [(f"{a}:{b}" if a else b, u * v) for a, u in found for b, v in parts]
    return found


def _levels(factor: Factor, place: _Place, faults: list[Fault]) -> list[tuple[str, Array]]:
    import pandas as pd

    frame = place.frame
    assert factor.levels is not None
    codes, labels = pd.factorize(frame[factor.levels], sort=True)
    shown = [str(int(x)) if isinstance(x, float) and x == int(x) else str(x) for x in labels]
    skipped: int | None = None
    if factor.reference is ...:
        skipped = 0
    elif factor.reference is not None:
        want = factor.reference
        text = str(int(want)) if isinstance(want, float) and want == int(want) else str(want)
        if text in shown:
            skipped = shown.index(text)
        else:
            cure = (
                did_you_mean(text, shown)
                or f"levels in the sample: {', '.join(v[:_LONGEST] for v in shown[:10])}"
            )
            faults.append(Fault(factor.name, f"has no level {text[:_LONGEST]}", cure))
    size = np.ones(len(frame))
    tail = ""
    if factor.tree is not None:
        inner = Factor(factor.name, factor.tree)
        size, tail = _values(inner, place, faults), ":" + ast.unparse(factor.tree).replace(" ", "")
    if len(labels) > 2000:
        cure = "put it among the fixed effects, after |"
        faults.append(Fault(factor.name, f"has {len(labels):,} levels", cure))
        return []
    return [
        (f"{factor.levels}::{label}{tail}", np.where(codes == k, size, 0.0))
        for k, label in enumerate(shown)
        if k != skipped
    ]


def _values(factor: Factor, place: _Place, faults: list[Fault]) -> Array:
    import pandas as pd

    assert factor.tree is not None
    frame, broken = place.frame, False
    for name in names_in(factor.tree):
        values = column(frame, name)
        if values.dtype == object and not _compared(factor, frame):
            # As text, so that a whole number beyond all floats is none rather than an error of pandas.
            text = np.array([v if pd.isna(v) else str(v) for v in values], dtype=object)
            wrong = np.asarray(pd.isna(pd.to_numeric(text, errors="coerce")) & ~pd.isna(values))
            if not any(isinstance(v, str) for v in values):
                faults.append(Fault(name, "holds a number beyond all floats", "check its digits"))
            elif wrong.all() or not wrong.any():
                example = str(next((v for v in values if isinstance(v, str)), "text"))
                open_marks = next((v for v in values if isinstance(v, str) and number_marks(v)), None)
                cure = f"make it numbers, or use its levels: i({name})"
                if open_marks is not None:
                    example, cure = open_marks, _PLAIN_NUMBERS
                faults.append(Fault(name, f"holds text, for example {quoted(example)}", cure))
            else:
                example = str(values[int(np.flatnonzero(wrong)[0])])
                what = f"holds text, {quoted(example)} first, in {place.rows(wrong)}"
                cure = "write plain numbers: no words, no comma in thousands"
                faults.append(Fault(name, what, _PLAIN_NUMBERS if number_marks(example) else cure))
            broken = True
    if broken:
        return np.full(len(frame), 0.0)
    try:
        with refused(factor.name):
            found = evaluate(factor.tree, frame, functions=True)
    except DataError as error:
        faults += error.faults
        return np.full(len(frame), 0.0)
    if isinstance(found, str):
        faults.append(Fault(factor.name, "is text", "name a column"))
        return np.full(len(frame), 0.0)
    return np.asarray(np.broadcast_to(np.asarray(found, dtype=np.float64), (len(frame),))).copy()


def _compared(factor: Factor, frame: pd.DataFrame) -> bool:
    """True where text columns stand in comparisons, which give numbers."""
    return factor.tree is not None and any(isinstance(n, ast.Compare) for n in ast.walk(factor.tree))


# ---- what can be wrong -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """How a row of the data is named to the user."""

    frame: pd.DataFrame
    origin: NDArray[np.intp]
    sides: tuple[str, str] | None
    year: str | None

    def rows(self, which: NDArray[np.bool_]) -> str:
        found = np.flatnonzero(which)
        named = "; ".join(self._one(int(k)) for k in found[:_NAMED])
        more = " ..." if len(found) > _NAMED else ""
        return f"{len(found):,} {'row' if len(found) == 1 else 'rows'} ({named}{more})"

    def _one(self, k: int) -> str:
        keys = [*(self.sides or ()), *([self.year] if self.year else [])]
        about = " ".join(_plain(self.frame[c].iloc[k]) for c in keys if c in self.frame)
        return f"row {int(self.origin[k]) + 1}" + (f": {about}" if about else "")


def _plain(value: Any) -> str:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _case_faults(data: pd.DataFrame, sides: tuple[str, str] | None, keys: Sequence[str]) -> list[Fault]:
    """Labels that differ in letter case only: one thing in the data, two for the estimation."""
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
            shown = "; ".join(
                " and ".join(quoted(v, 20) for v in found[:_NAMED]) for found in several[:_NAMED]
            )
            more = f"; {len(several) - _NAMED:,} more" if len(several) > _NAMED else ""
            cure = "write each in one way: as they stand they count as different ones"
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


def _flow_faults(formula: Formula, y: Array, place: _Place, linear: bool) -> list[Fault]:
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


def _duplicate_faults(
    frame: pd.DataFrame, sides: tuple[str, str] | None, year: str | None, formula: Formula, place: _Place
) -> list[Fault]:
    """Two rows for one flow count it twice; further columns among the effects (a sector) tell rows apart."""
    if sides is None:
        return []
    effects = [c for e in formula.effects for c in e if c != PAIR]
    keys = list(dict.fromkeys([*sides, *([year] if year else []), *effects]))
    twice = frame.duplicated(subset=keys).to_numpy()
    if not twice.any():
        return []
    cure = "keep one row for each, sum them, or add what tells them apart (a sector) to the fixed effects"
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
    """A pair column that came with the data may lump domestic and international flows together."""
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
