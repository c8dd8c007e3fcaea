"""Reading the inputs and writing the tables of the network, in the columns of schema.csv."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

Row = Mapping[str, str]
Rows = list[Row]

SCHEMA = Path(__file__).resolve().parent.parent / "src" / "landbridge" / "schema.csv"

# SOURCES.csv is not a table of the model; the cards and `cite` read it.
SOURCES_COLUMNS = ("table", "source", "year", "licence", "attribution", "note")


def read_rows(path: Path) -> Rows:
    """The rows of one CSV file, as text, blank lines left out."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if any(row.values())]


def read_inputs(folder: Path) -> dict[str, Rows]:
    """Every input table by name, its rows in an order that does not depend on the files'."""
    return {path.stem: sorted(read_rows(path), key=_all_cells) for path in sorted(folder.glob("*.csv"))}


def _all_cells(row: Row) -> tuple[str, ...]:
    return tuple(row[column] for column in sorted(row))


def columns_of(table: str) -> list[str]:
    """Columns of a table in the order of schema.csv."""
    if table == "SOURCES":
        return list(SOURCES_COLUMNS)
    return [row["column"] for row in read_rows(SCHEMA) if row["table"] == table]


def write_table(path: Path, table: str, rows: list[Row]) -> Path:
    """Write rows in schema order; columns that a row lacks are blank."""
    columns = columns_of(table)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return path


def number(text: str) -> float:
    """A number of the inputs; blank is zero."""
    return float(text) if text.strip() else 0.0


def tidy(value: float) -> str:
    """A number as short text: 24, 12.25, 0.043."""
    text = f"{value:.10g}"
    return text if "e" not in text else repr(value)
