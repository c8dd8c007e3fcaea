"""Tables: the rows of a World, and the schema that states what each column means."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from landbridge.errors import Fault

__all__ = [
    "MAX_NUMBER",
    "MAX_TEXT",
    "OWN",
    "Cell",
    "Column",
    "Table",
    "base_year",
    "cell_number",
    "channel_tables",
    "columns_of",
    "number_fault",
    "parse_cell",
    "parse_months",
    "quoted",
    "read_schema",
]

Cell = str | float | int | bool | None

# Longest text that a spreadsheet cell holds; identifiers are shorter.
MAX_TEXT = 32_767
MAX_ID = 200
# Larger than any figure of the model; greater numbers would overflow in sums.
MAX_NUMBER = 1e15
# Optional tables that the embedded World lacks: name -> name in the schema.
OWN: Mapping[str, str] = {"od_demand": "own.od_demand"}
# Prefix of the tables of the channels in the schema; they have their own folder.
_CHANNEL = "channel."

# Form of a number in a file: no thousands separators, no nan, no digits of other scripts.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}", re.ASCII)
_COMMA = re.compile(r"[+-]?[0-9. \u00a0\u202f]*,[0-9]+")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}.*"
    r"|[0-9]{1,2}[-. ]?[A-Za-z]{3,9}([-. ]?[0-9]{2,4})?|[A-Za-z]{3,9}[-. ][0-9]{1,4}"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Column:
    """One row of schema.csv: the type, unit, bounds and meaning of a column.

    table, name: of the column. type, unit, default: as text. required: whether every row has a value.
    minimum, maximum: bounds of a number, None where there are none. allowed: the words that are valid, empty
    where any are. references: table and column that must have the value. description: what it means. since:
    version of the schema.
    """

    table: str
    name: str
    type: str
    unit: str
    required: bool
    default: str
    minimum: float | None
    maximum: float | None
    allowed: tuple[str, ...]
    references: tuple[str, str] | None
    description: str
    since: str


@cache
def read_schema() -> Mapping[str, Mapping[str, Column]]:
    """The schema of every table, by table and column name, in the order of the file."""
    tables: dict[str, dict[str, Column]] = {}
    text = files("landbridge").joinpath("schema.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        target = row["references"].split(".") if row["references"] else None
        tables.setdefault(row["table"], {})[row["column"]] = Column(
            table=row["table"],
            name=row["column"],
            type=row["type"],
            unit=row["unit"],
            required=row["required"] == "yes",
            default=row["default"],
            minimum=float(row["min"]) if row["min"] else None,
            maximum=float(row["max"]) if row["max"] else None,
            allowed=tuple(row["allowed"].split("|")) if row["allowed"] else (),
            references=(target[0], target[1]) if target else None,
            description=row["description"],
            since=row["since"],
        )
    return tables


def columns_of(table: str) -> Mapping[str, Column]:
    """The columns of a table by its name in a World, optional tables included.

    Raises KeyError for an unknown one.
    """
    schema = read_schema()
    return schema[OWN.get(table, table if table in schema else _CHANNEL + table)]


def channel_tables() -> tuple[str, ...]:
    """The tables of the channels (gas, farms, travel, treaties, claims), in the order of the schema."""
    return tuple(n.removeprefix(_CHANNEL) for n in read_schema() if n.startswith(_CHANNEL))


def quoted(text: str, most: int = 40) -> str:
    """A text as shown in a message: quoted, without control characters, cut after `most` characters."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}... ({len(text):,} characters)"


def number_fault(text: str, where: str, what: str, unit: str = "", *, whole: bool = False) -> Fault | None:
    """The fault of a text that is not a valid number, with a cure that fits; None where it is valid.

    text: as in the file; where, what: place and name of the figure in the fault; unit: for the cure; whole:
    whether the number must be an integer.
    """
    if _WHOLE.fullmatch(text) if whole else _NUMBER.fullmatch(text):
        if abs(float(text)) <= MAX_NUMBER:
            return None
        return Fault(where, f"{what} is {quoted(text)}", f"give a number below {MAX_NUMBER:g}")
    cure = f"give {'a whole number' if whole else 'a number'}{' in ' + unit if unit else ''}"
    if text.casefold().lstrip("+-") in ("nan", "inf", "infinity", "n/a", "#n/a", "null", "none"):
        cure = "give a finite number"
    elif _COMMA.fullmatch(text):
        cure = "use a decimal point and no thousands separator: 1234.5"
    elif _DATE.fullmatch(text):
        cure = "a spreadsheet turned it into a date: format the column as text and enter the number again"
    return Fault(where, f"{what} is {quoted(text)}", cure)


def parse_cell(column: Column, text: str, where: str) -> tuple[Cell, Fault | None]:
    """The typed value of a cell's text, or a fault.

    column: row of the schema; text: the cell; where: its place for the fault. Returns (value, None) or (None,
    fault). A blank cell takes the column's default; a blank required cell without a default is a fault (files
    are read more strictly, see `check_cells`). Units are those of the schema: nothing is converted.
    """
    text = text.strip() or column.default
    if not text:
        if column.required:
            return None, Fault(where, f"{column.name} is empty", column.description or "give a value")
        return None, None
    if column.type in ("float", "int"):
        whole = column.type == "int"
        fault = number_fault(text, where, column.name, column.unit or "plain units", whole=whole)
        if fault:
            return None, fault
        value: float = int(text) if whole else float(text)
        return value, _out_of_range(column, value, where)
    if column.type == "bool":
        if text not in ("yes", "no"):
            return None, Fault(where, f"{column.name} is {quoted(text)}", "write yes or no")
        return text == "yes", None
    if column.allowed and text not in column.allowed:
        return None, Fault(
            where, f"{column.name} is {quoted(text)}", "use one of " + ", ".join(column.allowed)
        )
    return text, _bad_text(column, text, where)


def _bad_text(column: Column, text: str, where: str) -> Fault | None:
    most = MAX_ID if column.type == "id" else MAX_TEXT
    if len(text) > most:
        return Fault(where, f"{column.name} has {len(text):,} characters", f"shorten it to {most:,}")
    found = None if text.isprintable() else _CONTROL.search(text)
    if found is None and column.type == "id" and not text.isprintable():
        found = re.search(r"[^ -~\w]", text)
    if found:
        return Fault(where, f"{column.name} holds the character {found[0]!r}", "delete it")
    return None


def _out_of_range(column: Column, value: float, where: str) -> Fault | None:
    if not math.isfinite(value):
        return Fault(where, f"{column.name} is {value}", "give a finite number")
    unit = f" {column.unit}" if column.unit else ""
    if column.minimum is not None and value < column.minimum:
        return Fault(where, f"{column.name} is {value:g}", f"must be at least {column.minimum:g}{unit}")
    if column.maximum is not None and value > column.maximum:
        return Fault(where, f"{column.name} is {value:g}", f"must be at most {column.maximum:g}{unit}")
    return None


@dataclass(frozen=True)
class Table:
    """A named table of typed rows; blank cells are None, yes/no cells are booleans.

    name: of the table; columns: of its rows.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Mapping[str, Cell]]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<Table {self.name}: {len(self)} rows x {len(self.columns)} columns>"

    def by(self, column: str) -> dict[str, Mapping[str, Cell]]:
        """Rows by the value of a key column; of rows with the same value the last."""
        return {str(row[column]): row for row in self.rows}

    def with_rows(self, rows: Iterable[Mapping[str, Cell]]) -> Table:
        """A copy of the table with these rows instead."""
        return replace(self, rows=tuple(rows))


def cell_number(row: Mapping[str, Cell], column: str) -> float:
    """The number in a column of a row, in the unit of the schema; zero where it is blank."""
    value = row[column]
    return 0.0 if value is None else float(value)


def base_year(horizon: Mapping[str, Cell]) -> int:
    """Year of the base: the earliest year that the economy can be scaled to.

    horizon: row of that parameter; its `min`, or its value where `min` is blank.
    """
    return int(float(str(horizon["value"] if horizon["min"] is None else horizon["min"])))


def parse_months(text: str) -> tuple[int, ...]:
    """Months (1 to 12) from text such as "1-12", "11-2" or "1+2+12", each once.

    Raises ValueError for other text.
    """
    found: list[int] = []
    for part in text.replace(",", "+").split("+"):
        ends = [int(end) for end in part.strip().split("-")]
        if len(ends) > 2 or not all(1 <= end <= 12 for end in ends):
            raise ValueError(text)
        first, last = ends[0], ends[-1]
        found += range(first, (last if last >= first else last + 12) + 1)
    return tuple(dict.fromkeys((month - 1) % 12 + 1 for month in found))
