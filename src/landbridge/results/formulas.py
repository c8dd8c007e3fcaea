"""The formula of every column of a result table and the page that explains it, from formulas.csv."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Formula", "formula_of", "formulas"]

_ALL = "*"


@dataclass(frozen=True)
class Formula:
    """How a figure is computed, in a line, and the page of the documentation with its derivation.

    formula: in a line.
    """

    formula: str
    page: str


@cache
def formulas() -> dict[tuple[str, str], Formula]:
    """Formulas by table and column; the column * stands for those without a row of their own."""
    text = files("landbridge").joinpath("formulas.csv").read_text(encoding="utf-8")
    return {
        (row["table"], column): Formula(row["formula"], row["page"])
        for row in csv.DictReader(text.splitlines())
        for column in row["columns"].split()
    }


def formula_of(table: str, column: str) -> Formula | None:
    """The formula of a column of a result table; None where the table has none."""
    return formulas().get((table, column)) or formulas().get((table, _ALL))
