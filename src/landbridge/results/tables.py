"""The tables of a result: columns, keys, units and meanings, as schema.csv states them under `result.*`.

The rows themselves are plain dictionaries in the names of the public interface. Every writer (terminal,
CSV, Excel, Parquet, OpenMatrix) takes keys and units from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from landbridge.world.table import Column, read_schema

__all__ = ["ResultTable", "result_table", "result_tables"]

_PREFIX = "result."
# The unit of a column that differs by row: "as NAME", where NAME is the column that holds it.
_AS = "as "


@dataclass(frozen=True)
class ResultTable:
    """One table of a result. keys: the columns that together name a row; columns by name, in order."""

    name: str
    columns: Mapping[str, Column]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that together identify a row."""
        return tuple(name for name, column in self.columns.items() if column.required)

    def unit(self, column: str, row: Mapping[str, Any] | None = None) -> str:
        """Unit of a column, "" for words; for a given row, where it differs by row.

        Raises KeyError for an unknown column.
        """
        unit = self.columns[column].unit if column in self.columns else ""
        if row is None or not unit.startswith(_AS):
            return unit
        return str(row.get(unit.removeprefix(_AS)) or "")

    def key_of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The cells that identify a row."""
        return tuple(str(row.get(key) or "") for key in self.keys)

    def shown(self, rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
        """The columns that rows hold, in the order of the schema."""
        held = {name for row in rows for name in row}
        return tuple(name for name in self.columns if name in held)


@cache
def result_tables() -> Mapping[str, ResultTable]:
    """Every table of a result by name, in the order of the schema."""
    return {
        name.removeprefix(_PREFIX): ResultTable(name.removeprefix(_PREFIX), columns)
        for name, columns in read_schema().items()
        if name.startswith(_PREFIX)
    }


def result_table(name: str) -> ResultTable:
    """A table of a result by its name in the public interface. Raises KeyError for an unknown one."""
    return result_tables()[name]
