"""Tables: the rows a World is made of, and the schema that says what each column means."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from landbridge.errors import Fault

__all__ = ["Cell", "Column", "Table", "parse_cell", "read_schema"]

Cell = str | float | int | bool | None


@dataclass(frozen=True)
class Column:
    """One line of schema.csv: the type, unit, bounds and meaning of a column."""

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


def parse_cell(column: Column, text: str, where: str) -> tuple[Cell, Fault | None]:
    """Turn the text of one cell into its typed value, or say what is wrong with it.

    A blank cell takes the column's default; a blank required cell without a default is a fault.
    Units are those of the schema: nothing is converted here.
    """
    text = text.strip() or column.default
    if not text:
        if column.required:
            return None, Fault(where, f"{column.name} is empty", column.description or "give a value")
        return None, None
    if column.type in ("float", "int"):
        try:
            value: float = int(text) if column.type == "int" else float(text)
        except ValueError:
            kind = "a whole number" if column.type == "int" else "a number"
            return None, Fault(
                where, f"{column.name} is {text!r}", f"give {kind} in {column.unit or 'plain units'}"
            )
        return value, _out_of_range(column, value, where)
    if column.type == "bool":
        if text not in ("yes", "no"):
            return None, Fault(where, f"{column.name} is {text!r}", "write yes or no")
        return text == "yes", None
    if column.allowed and text not in column.allowed:
        return None, Fault(where, f"{column.name} is {text!r}", "use one of " + ", ".join(column.allowed))
    return text, None


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
    """Named rows with typed cells; blank cells are None, yes/no cells are booleans."""

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
        """Rows by the value of a column that is a key (the last row wins if it is not)."""
        return {str(row[column]): row for row in self.rows}

    def with_rows(self, rows: Iterable[Mapping[str, Cell]]) -> Table:
        """A copy of the table that holds these rows instead."""
        return replace(self, rows=tuple(rows))
