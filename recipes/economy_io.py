"""Shared parts of the trade recipe: reading the inputs, writing tables, and sums in a fixed order.

numpy's own sums, products and powers may run in another order or with other instructions on another
processor and so differ in the last digit. Files must not differ, so every number in them is made of single
additions, multiplications, divisions and square roots, which IEEE 754 rounds in one way only.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Row = Mapping[str, str]

GOODS = ("AGR", "FOO", "ENE", "REF", "MIN", "CHM", "TEX", "WPP", "NMM", "MET", "MCH", "ELE", "VEH", "OTH")
SERVICES = ("CON", "TTS", "OSR")
SECTORS = (*GOODS, *SERVICES)
S = len(SECTORS)
G = len(GOODS)


def total(a: Array, axis: int) -> Array:
    """The sum along one axis, added strictly in order."""
    return np.asarray(np.add.accumulate(a, axis=axis).take(-1, axis=axis))


def total_of(values: Iterable[float]) -> float:
    """The sum of numbers, added strictly in order (Python's own sum compensates since 3.12)."""
    result = 0.0
    for value in values:
        result = result + value
    return result


def fifth_root(x: Array) -> Array:
    """x^(1/5) by Newton's method from above, with a fixed number of steps."""
    root = np.maximum(x, 1.0)
    for _ in range(120):
        square = root * root
        root = (4.0 * root + x / (square * square)) / 5.0
    return root


def ratio(a: Array, b: Array) -> Array:
    """a / b, zero where b is zero."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def ras(seed: Array, rows: Array, columns: Array, tolerance: float, sweeps: int) -> Array:
    """Scale a matrix to row and column totals in turn; columns are met exactly, rows to `tolerance`."""
    x = seed.copy()
    for _ in range(sweeps):
        x = x * ratio(rows, total(x, 1))[:, None]
        x = x * ratio(columns, total(x, 0))[None, :]
        if float(np.max(np.abs(ratio(total(x, 1) - rows, rows)))) < tolerance:
            return x
    raise ArithmeticError("the totals were not met: they do not agree, or zeros in the seed forbid them")


def significant(a: Array, digits: int) -> Array:
    """Values rounded to a number of significant digits, so that they are short in a file."""
    return np.array([float(f"{v:.{digits - 1}e}") for v in a.ravel()]).reshape(a.shape)


@dataclass(frozen=True)
class Inputs:
    """The rows of recipes/inputs/trade by file, in an order that does not depend on the files'."""

    tables: Mapping[str, Sequence[Row]]

    @cached_property
    def regions(self) -> tuple[str, ...]:
        return tuple(sorted(row["region"] for row in self.tables["regions"]))

    @cached_property
    def at(self) -> Mapping[str, int]:
        """The position of each region."""
        return {region: i for i, region in enumerate(self.regions)}

    @cached_property
    def region(self) -> Mapping[str, Row]:
        return {row["region"]: row for row in self.tables["regions"]}

    @cached_property
    def proxy(self) -> Mapping[str, str]:
        """The ICIO region used as the proxy of each region."""
        return {region: row["icio_proxy"] for region, row in self.region.items()}

    @cached_property
    def gdp(self) -> Array:
        return np.array([float(self.region[r]["gdp_musd"]) for r in self.regions])

    @cached_property
    def assumption(self) -> Mapping[str, float]:
        return {row["name"]: float(row["value"]) for row in self.tables["assumptions"]}

    def macro(self, variable: str) -> Mapping[str, float]:
        """One variable of macro.csv by region."""
        return {r["region"]: float(r["value"]) for r in self.tables["macro"] if r["variable"] == variable}

    def pairs(self, table: str, value: str) -> Array:
        """A column of an exporter-importer table as a matrix; pairs without a row are zero."""
        out = np.zeros((len(self.regions), len(self.regions)))
        for row in self.tables[table]:
            out[self.at[row["exporter"]], self.at[row["importer"]]] = float(row[value])
        return out

    def mix(self, table: str, column: str, sectors: Sequence[str]) -> Mapping[str, Array]:
        """A column of a region-sector table as one vector per region."""
        found: dict[str, dict[str, float]] = {}
        for row in self.tables[table]:
            found.setdefault(row["region"], {})[row["sector"]] = float(row[column] or "nan")
        return {region: np.array([cells[s] for s in sectors]) for region, cells in found.items()}


def read_inputs(folder: Path) -> Inputs:
    """Every CSV of the folder, rows sorted by their cells."""
    tables: dict[str, Sequence[Row]] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if any(row.values())]
        tables[path.stem] = sorted(rows, key=lambda row: tuple(row[column] for column in sorted(row)))
    return Inputs(tables)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One CSV file; floats are printed so that they read back as the same number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(cell) for cell in row] for row in rows)


def _cell(cell: object) -> object:
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, float | np.floating):
        value = float(cell)
        return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return cell
