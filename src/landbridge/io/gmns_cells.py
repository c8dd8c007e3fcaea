"""Rows and cells of GMNS tables: ids, numbers, and words that stand for a blank cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from landbridge.errors import DataError
from landbridge.io.files import finite_number, read_lines
from landbridge.io.tally import Tally
from landbridge.world.table import quoted

__all__ = ["Line", "Row", "columns_of", "rows_of", "same_id", "text_of"]

Row = Mapping[str, str]

# What programs write into an empty cell, in lower case.
_MISSING = frozenset(("", "nan", "na", "n/a", "#n/a", "<na>", "null", "none"))
_WHOLE = re.compile(r"([+-]?\d+)\.0*")


def rows_of(path: Path, tally: Tally, notes: list[str], optional: bool = False) -> list[tuple[str, Row]]:
    """Rows of a CSV file with the place of each; headers in lower case, cells stripped.

    path: the file; tally: takes the faults; notes: takes remarks on its encoding and separators; optional: a
    missing file has no rows.
    """
    if optional and not path.exists():
        return []
    try:
        (header, rows), broken = read_lines(path, notes=notes)
    except DataError as error:
        tally.take(error.faults)
        return []
    tally.take(broken)
    names = [name.casefold() for name in header]
    return [
        (f"{path.name} line {line}", dict(zip(names, (cell.strip() for cell in cells), strict=True)))
        for line, cells in rows
    ]


def columns_of(
    header: Sequence[str], wanted: Sequence[tuple[str, ...]], file: Path, tally: Tally
) -> list[str]:
    """The column of each item wanted, by the first of its names in the header; empty if one is missing.

    header: names in the file; wanted: the names that each item may have; file, tally: for the fault.
    """
    columns = []
    for names in wanted:
        found = [name for name in names if name in header]
        if not found:
            there = ", ".join(header)
            what = f"has no column {names[0]} (it has {there[:80]})"
            tally.add(f"no column {names[0]}", file.name, what, "name a column " + " or ".join(names))
        columns += found[:1]
    return columns if len(columns) == len(wanted) else []


def same_id(text: str) -> str:
    """The text of an id in the form used for comparison: without the .0 that a column with blanks adds."""
    if text.endswith(("0", ".")) and "." in text:
        whole = _WHOLE.fullmatch(text)
        return whole[1] if whole else text
    return text


def text_of(row: Row, column: str) -> str:
    """The cell of words of a row in a column; blank where it holds a word for nothing (NaN, NULL, ...)."""
    text = row.get(column, "")
    if not text or text[0] not in "nN#<":
        return text
    return "" if text.casefold() in _MISSING else text


@dataclass(slots=True)  # one per row of a long file: a frozen one takes longer to make
class Line:
    """A row of a file; where: its place; tally: takes the faults of its cells."""

    row: Row
    where: str
    tally: Tally

    def fault(self, kind: str, what: str, cure: str | Callable[[], str]) -> None:
        """Report a fault of this row: its kind, what is wrong, and the cure (or a function that finds it)."""
        self.tally.add(kind, self.where, what, cure)

    def number(
        self,
        column: str,
        required: bool = False,
        least: float | None = None,
        above: bool = False,
        shut: str = "delete the link if it is closed",
    ) -> float | None:
        """The number in a column; None where it is blank (or NaN, NA) and not required, or a fault.

        least: smallest valid value; above: the number must exceed 0; shut: what else the cure suggests.
        """
        text = text_of(self.row, column)
        if not text:
            if required:
                self.fault(f"{column} blank", f"{column} is blank", "give a number")
            return None
        value = finite_number(text)
        if value is None:
            self.fault(f"{column} no number", f"{column} {quoted(text)} is no number", "give a number")
        elif above and value <= 0:
            cure = f"give more than 0, or {shut}"
            self.fault(f"{column} not positive", f"{column} {text} is not positive", cure)
        elif least is not None and value < least:
            what = f"{column} {text} is negative"
            self.fault(f"{column} negative", what, f"give {least:g} or more")
        return value

    def first_of(self, names: Sequence[str]) -> float | None:
        """The number, at least 0, in the first of these columns that is filled; None where none is.

        names: of the columns.
        """
        column = self.filled(names)
        return None if column is None else self.number(column, least=0.0)

    def filled(self, names: Sequence[str]) -> str | None:
        """The first of these columns that is filled; None where none is; names: of the columns."""
        for name in names:
            if self.row.get(name) and text_of(self.row, name):
                return name
        return None
