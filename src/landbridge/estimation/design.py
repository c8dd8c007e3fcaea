"""The regressors of a formula as columns of numbers, and faults of data that are not numbers."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.estimation.expressions import Factor, Formula, Term, column, evaluate, names_in, refused
from landbridge.estimation.reading import number_marks
from landbridge.world.table import quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NAMED", "Place", "design", "held_offset", "numbers", "regressors"]

Array = NDArray[np.float64]

# Rows of a kind that are named; all faults are counted.
NAMED = 3
# Characters of a label that are shown.
_LONGEST = 40
_PLAIN_NUMBERS = (
    "its comma or point can be decimal or separate thousands: write plain numbers with a decimal point "
    "and no comma in thousands, in a file separated by commas"
)


@dataclass(frozen=True)
class Place:
    """How a row of the data is named in messages.

    frame: the rows in use; origin [row]: their numbers in the data as given; sides: columns of exporter and
    importer, year: its column, None where there are none.
    """

    frame: pd.DataFrame
    origin: NDArray[np.intp]
    sides: tuple[str, str] | None
    year: str | None

    def rows(self, which: NDArray[np.bool_]) -> str:
        """How many rows are flagged [row], and the first few by number and keys, as text.

        which [row]: the flags.
        Example: 2 rows (row 3: KAZ CHN 2020; row 9: ...).
        """
        found = np.flatnonzero(which)
        named = "; ".join(self._one(int(k)) for k in found[:NAMED])
        more = " ..." if len(found) > NAMED else ""
        return f"{len(found):,} {'row' if len(found) == 1 else 'rows'} ({named}{more})"

    def _one(self, k: int) -> str:
        keys = [*(self.sides or ()), *([self.year] if self.year else [])]
        about = " ".join(_plain(self.frame[c].iloc[k]) for c in keys if c in self.frame)
        return f"row {int(self.origin[k]) + 1}" + (f": {about}" if about else "")


def _plain(value: Any) -> str:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def design(
    formula: Formula, frame: pd.DataFrame, sides: tuple[str, str] | None, year: str | None
) -> tuple[tuple[str, ...], Array, Array | None]:
    """Names [k] and values [row, k] of the regressors, and the offset [row], on any rows.

    formula: the parsed formula; frame: the rows; sides: columns of exporter and importer; year: its column.
    Raises DataError where a column does not hold numbers.
    """
    faults: list[Fault] = []
    place = Place(frame, np.arange(len(frame)), sides, year)
    names, X = regressors(formula, place, faults)
    offset = None if formula.offset is None else numbers(formula.offset, place, faults)
    if faults:
        raise DataError("the data cannot be used", faults)
    return names, X, offset


def regressors(formula: Formula, place: Place, faults: list[Fault]) -> tuple[tuple[str, ...], Array]:
    """Names and values [row, k] of the regressors; a value that is not a number becomes a fault.

    formula: with the terms; place: names rows in messages; faults: take what is wrong.
    """
    names: list[str] = []
    columns: list[Array] = []
    for term in formula.terms:
        for name, values in _expanded(term, place, faults):
            names.append(name)
            columns.append(values)
    X = np.column_stack(columns) if columns else np.empty((len(place.frame), 0))
    return tuple(names), X


def held_offset(formula: Formula, place: Place, faults: list[Fault]) -> Array | None:
    """The offset, the term with coefficient one [row]; an empty or infinite value becomes a fault.

    formula: with the offset, None is returned where it has none; place: names rows in messages; faults: take
    what is wrong.
    """
    if formula.offset is None:
        return None
    values = numbers(formula.offset, place, faults)
    wrong = ~np.isfinite(values)
    if wrong.any():
        cure = "fill it or leave the rows out with where; the logarithm of zero has no offset"
        faults.append(Fault(formula.offset.name, f"is empty or infinite in {place.rows(wrong)}", cure))
    return values


def _expanded(term: Term, place: Place, faults: list[Fault]) -> list[tuple[str, Array]]:
    """The columns of a term: one, or one per level (or combination of levels)."""
    found: list[tuple[str, Array]] = [("", np.ones(len(place.frame)))]
    for factor in term.factors:
        parts = _levels(factor, place, faults) if factor.levels else None
        if parts is None:
            parts = [(factor.name, numbers(factor, place, faults))]
        found = [(f"{a}:{b}" if a else b, u * v) for a, u in found for b, v in parts]
    return found


def _levels(factor: Factor, place: Place, faults: list[Fault]) -> list[tuple[str, Array]]:
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
        size, tail = numbers(inner, place, faults), ":" + ast.unparse(factor.tree).replace(" ", "")
    if len(labels) > 2000:
        cure = "put it among the fixed effects, after |"
        faults.append(Fault(factor.name, f"has {len(labels):,} levels", cure))
        return []
    return [
        (f"{factor.levels}::{label}{tail}", np.where(codes == k, size, 0.0))
        for k, label in enumerate(shown)
        if k != skipped
    ]


def numbers(factor: Factor, place: Place, faults: list[Fault]) -> Array:
    """The value of a factor [row]; zeros, and faults, where a column holds text.

    factor: a part of a term; place: the rows, and their names in messages; faults: take what is wrong.
    """
    assert factor.tree is not None
    frame = place.frame
    texts = []
    for name in names_in(factor.tree):
        values = column(frame, name)
        if values.dtype == object and not _compared(factor, frame):
            texts.append(_text_fault(name, values, place))
    if texts:
        faults += texts
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


def _text_fault(name: str, values: NDArray[Any], place: Place) -> Fault:
    """The fault of a column that should hold numbers."""
    import pandas as pd

    if not any(isinstance(v, str) for v in values):
        return Fault(name, "holds a number beyond all floats", "check its digits")
    # As text, so that an integer too large for a float is a fault rather than an error of pandas.
    text = np.array([v if pd.isna(v) else str(v) for v in values], dtype=object)
    wrong = np.asarray(pd.isna(pd.to_numeric(text, errors="coerce")) & ~pd.isna(values))
    if wrong.any() and not wrong.all():
        example = str(values[int(np.flatnonzero(wrong)[0])])
        what = f"holds text, {quoted(example)} first, in {place.rows(wrong)}"
        cure = "write plain numbers: no words, no comma in thousands"
        return Fault(name, what, _PLAIN_NUMBERS if number_marks(example) else cure)
    marked = next((v for v in values if isinstance(v, str) and number_marks(v)), None)
    if marked is not None:
        return Fault(name, f"holds text, for example {quoted(marked)}", _PLAIN_NUMBERS)
    example = next(v for v in values if isinstance(v, str))
    return Fault(
        name, f"holds text, for example {quoted(example)}", f"make it numbers, or use its levels: i({name})"
    )


def _compared(factor: Factor, frame: pd.DataFrame) -> bool:
    """Whether text columns appear in comparisons, which give numbers."""
    return factor.tree is not None and any(isinstance(n, ast.Compare) for n in ast.walk(factor.tree))
