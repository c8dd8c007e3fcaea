"""Read the base economy: common tables of a folder and one of its variants, as a TradeTable.

folder/regions.csv, sectors.csv       the axes, and theta
folder/tariff.csv                     exporter, importer, one column per sector [fraction]
folder/<variant>/trade.csv            exporter, importer, one column per sector [musd]
folder/<variant>/input_share.csv      region, input_sector, one column per using sector
folder/<variant>/shares.csv           region, sector, value_added_share, final_share, ...
folder/rents.csv                      region, sector, rent_share, low, high; may be missing, as may its rows
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.files import Lines, Source, file_in, has_file, read_lines
from landbridge.world.table import number_fault, quoted
from landbridge.world.trade_table import TradeTable
from landbridge.world.validate import SPELLED_OUT

__all__ = [
    "FILES",
    "KGZ_TRADE",
    "TJK_CAP",
    "economy_rows",
    "read_economy",
    "read_rents",
    "read_trade_table",
    "variant_folder",
]

Array = NDArray[np.float64]
# Axes of a file: the column of each, and its codes in order.
Keys = Sequence[tuple[str, tuple[str, ...]]]

# Imports of Kyrgyzstan: every partner cut to the reported figure, none cut, or China alone.
KGZ_TRADE = ("reported", "baci", "china_only")
# Whether Chinese exports to Tajikistan are reduced until its imports meet the national total.
TJK_CAP = ("on", "off")

# Files shared by all variants, and files of each.
_COMMON = ("regions.csv", "sectors.csv", "tariff.csv", "rents.csv", "trade_steps.csv")
_OF_VARIANT = ("trade.csv", "input_share.csv", "shares.csv")

# Axes longer than this would exceed the memory of a laptop.
MAX_REGIONS, MAX_SECTORS, MAX_CELLS = 1000, 500, 20_000_000
# Larger than any flow [musd], tariff [fraction] or share; finds a lost decimal point.
MAX_VALUE = {"trade": 1e9, "tariff": 10.0}
_DIGITS = frozenset("0123456789+-.eE")


def variant_folder(kgz_trade: str = "reported", tjk_cap: str = "on") -> str:
    """Folder name of the variant with these values of kgz_trade and tjk_cap.

    Raises DataError for unknown values.
    """
    faults = [
        Fault(name, f"no variant {value!r}", did_you_mean(value, known) or f"choose {' or '.join(known)}")
        for name, value, known in (("kgz_trade", kgz_trade, KGZ_TRADE), ("tjk_cap", tjk_cap, TJK_CAP))
        if value not in known
    ]
    if faults:
        raise DataError("no such base table", faults)
    return f"{kgz_trade}-tjk_cap_{tjk_cap}"


FILES = _COMMON + tuple(
    f"{variant_folder(kgz, cap)}/{name}" for kgz, cap in product(KGZ_TRADE, TJK_CAP) for name in _OF_VARIANT
)


def read_economy(folder: Source, kgz_trade: str = "reported", tjk_cap: str = "on") -> TradeTable:
    """One variant of the base table, from a folder or from its files in memory.

    folder: path, or contents by path; kgz_trade, tjk_cap: choose the variant, as the parameters of that
    name.
    Raises DataError with every fault of every file: its line, its column and a cure.
    """
    return read_trade_table(folder, variant_folder(kgz_trade, tjk_cap))


def read_trade_table(folder: Source, variant: str = "") -> TradeTable:
    """A TradeTable from CSV files such as those of `landbridge data read icio ... -o FOLDER`.

    folder: path, or contents by path; variant: the folder inside it with trade and shares, if they are not
    next to the axes and tariffs. Raises DataError with every fault of every file: its line, its column and a
    cure.
    """
    inside = f"{variant}/" if variant else ""
    faults: list[Fault] = []
    regions = _codes(folder, "regions.csv", "region", faults)
    sectors = _codes(folder, "sectors.csv", "sector", faults)
    N, S = len(regions), len(sectors)
    if N > MAX_REGIONS or S > MAX_SECTORS or N * max(N, S) * S > MAX_CELLS:
        what = f"{N:,} regions and {S:,} sectors are more than the model takes"
        faults.append(Fault("regions.csv", what, f"keep N x N x S below {MAX_CELLS:,}"))
    if faults:
        raise DataError("the base economy cannot be read", faults)
    pairs = ("exporter", regions), ("importer", regions)
    uses = ("region", regions), ("input_sector", sectors)
    cells = ("region", regions), ("sector", sectors)
    theta = _matrix(folder, "sectors.csv", [("sector", sectors)], ["theta"], faults)
    tariff = _matrix(folder, "tariff.csv", pairs, sectors, faults, exact=True)
    trade = _matrix(folder, f"{inside}trade.csv", pairs, sectors, faults, exact=True)
    inputs = _matrix(folder, f"{inside}input_share.csv", uses, sectors, faults, exact=True)
    columns = ["value_added_share", "final_share"]
    shares = _matrix(folder, f"{inside}shares.csv", cells, columns, faults)
    rents = _rents(folder, cells, faults)[:, :, 0]
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise DataError(f"the base economy has {count}", faults)
    return TradeTable(
        regions=regions,
        sectors=sectors,
        trade=trade,
        tariff=tariff,
        value_added_share=shares[:, :, 0],
        input_share=inputs,
        final_share=shares[:, :, 1],
        theta=theta[:, 0],
        rent_share=rents,
    )


def economy_rows(table: TradeTable) -> dict[str, list[list[str]]]:
    """Header and rows of the files of a variant, by file name; they read back to the same numbers.

    table: the variant; tariffs, elasticities and rents are in other files.
    """
    regions, sectors = table.regions, table.sectors
    output = table.output
    pairs = product(range(len(regions)), range(len(regions)))
    cells = list(product(range(len(regions)), range(len(sectors))))

    def texts(array: Array) -> list[str]:
        return [repr(float(value)) for value in array]

    return {
        "trade": [
            ["exporter", "importer", *sectors],
            *([regions[o], regions[d], *texts(table.trade[o, d])] for o, d in pairs),
        ],
        "input_share": [
            ["region", "input_sector", *sectors],
            *([regions[n], sectors[s], *texts(table.input_share[n, s])] for n, s in cells),
        ],
        "shares": [
            ["region", "sector", "output_musd", "value_added_share", "final_share"],
            *(
                [
                    regions[n],
                    sectors[s],
                    *texts(np.array([output[n, s], table.value_added_share[n, s], table.final_share[n, s]])),
                ]
                for n, s in cells
            ),
        ],
    }


def read_rents(folder: Source, table: TradeTable) -> Array:
    """Rent share of value added, its low and high end [region, sector, 3], fraction.

    folder: path, or contents by path; table: gives the axes. Zeros without rents.csv. Raises DataError as
    `read_trade_table` does.
    """
    faults: list[Fault] = []
    found = _rents(folder, (("region", table.regions), ("sector", table.sectors)), faults)
    if faults:
        raise DataError("the rents cannot be read", faults)
    return found


def _rents(folder: Source, cells: Keys, faults: list[Fault]) -> Array:
    name, columns = "rents.csv", ["rent_share", "low", "high"]
    (_, regions), (_, sectors) = cells
    if not has_file(folder, name):
        return np.zeros((len(regions), len(sectors), len(columns)))
    found = np.nan_to_num(_matrix(folder, name, cells, columns, faults, every=False))
    share, low, high = (found[:, :, c] for c in range(len(columns)))
    for n, s in np.argwhere(~((low >= 0.0) & (low <= share) & (share <= high) & (high < 1.0))):
        what = f"low {low[n, s]:g}, rent_share {share[n, s]:g}, high {high[n, s]:g} are out of order"
        cure = "write 0 <= low <= rent_share <= high < 1: parts of the sector's value added"
        faults.append(Fault(f"{name} ({regions[n]}, {sectors[s]})", what, cure))
    return found


def _lines(folder: Source, name: str, faults: list[Fault]) -> Lines:
    """Header and rows of a file; empty, with a fault, where it cannot be read."""
    try:
        lines, broken = read_lines(file_in(folder, name, name), name)
    except DataError as error:
        faults += error.faults
        return [], []
    faults += broken[:SPELLED_OUT]
    if len(broken) > SPELLED_OUT:
        faults.append(Fault(name, f"{len(broken) - SPELLED_OUT} more faults", "correct these first"))
    return lines


def _codes(folder: Source, name: str, column: str, faults: list[Fault]) -> tuple[str, ...]:
    """The distinct codes that a file lists, in its order."""
    header, lines = _lines(folder, name, faults)
    if not header:
        return ()
    if column not in header:
        faults.append(Fault(f"{name} line 1", f"no column {column!r}", "restore the header"))
        return ()
    at = header.index(column)
    seen: dict[str, None] = {}
    found = []
    for number, line in lines:
        code = line[at].strip()
        if not code or code in seen:
            what = f"{column} {quoted(code)} appears twice" if code else f"{column} is blank"
            found.append(Fault(f"{name} line {number}", what, "give every row its own code"))
        seen[code] = None
    if not lines:
        found.append(Fault(name, "has no rows", "give it at least one"))
    faults += found[:SPELLED_OUT]
    return tuple(seen)


def _matrix(
    folder: Source,
    name: str,
    keys: Keys,
    columns: Sequence[str],
    faults: list[Fault],
    *,
    exact: bool = False,
    every: bool = True,
) -> Array:
    """Numbers by key, [*keys, columns]; every combination of keys has exactly one row.

    exact: the file has these columns and no others, in this order. every: a combination without a row is a
    fault; otherwise it is NaN.
    """
    shape = (*(len(codes) for _, codes in keys), len(columns))
    out = np.full((int(np.prod(shape[:-1])), len(columns)), np.nan)
    header, lines = _lines(folder, name, faults)
    fault = _header_fault(name, header, [*(key for key, _ in keys), *columns], exact) if header else None
    if fault is not None:
        faults.append(fault)
    if not header or fault is not None:
        return out.reshape(shape)
    row_of = {codes: i for i, codes in enumerate(product(*(codes for _, codes in keys)))}
    found, seen = _fill(out, row_of, _Cells(name, header, keys, columns, exact), lines)
    absent = [codes for codes, row in row_of.items() if every and not seen[row]]
    found.extend(Fault(name, f"no row for {', '.join(codes)}", "add it; 0 = no flow") for codes in absent)
    faults.extend(found[:SPELLED_OUT])
    if len(found) > SPELLED_OUT:
        faults.append(Fault(name, f"{len(found) - SPELLED_OUT} more faults", "correct these first"))
    return out.reshape(shape)


def _header_fault(name: str, header: list[str], wanted: list[str], exact: bool) -> Fault | None:
    """The fault of a header; exact: these columns and no others, in this order."""
    if header == wanted or (not exact and set(wanted) <= set(header)):
        return None
    missing = [column for column in wanted if column not in header]
    extra = [column for column in header if column not in wanted] if exact else []
    parts = [f"columns missing: {', '.join(missing)}"] if missing else []
    parts += [f"unknown columns: {', '.join(extra)[:200]}"] if extra else []
    what = "; ".join(parts) or "columns in another order"
    return Fault(f"{name} line 1", what, f"the header is {','.join(wanted)}")


class _Cells:
    """Positions of the keys and numbers in the lines of a file."""

    def __init__(self, name: str, header: list[str], keys: Keys, columns: Sequence[str], exact: bool) -> None:
        self.name, self.keys, self.columns = name, keys, columns
        self.key_at = [header.index(key) for key, _ in keys]
        self.value_at = [header.index(column) for column in columns]
        self.whole = exact and self.value_at == list(range(self.value_at[0], len(header)))
        self.most = MAX_VALUE.get(Path(name).stem, 1e6)

    def codes(self, line: Sequence[str]) -> tuple[str, ...]:
        """The keys of a line."""
        return tuple(line[at].strip() for at in self.key_at)

    def values(self, line: Sequence[str]) -> Sequence[str]:
        """The texts of the numbers of a line, stripped."""
        cells = line[self.value_at[0] :] if self.whole else [line[at] for at in self.value_at]
        return cells if _DIGITS.issuperset("".join(cells)) else [cell.strip() for cell in cells]


def _fill(
    out: Array, row_of: Mapping[tuple[str, ...], int], cells: _Cells, lines: Sequence[tuple[int, list[str]]]
) -> tuple[list[Fault], NDArray[np.bool_]]:
    """Write the numbers of all lines into out [key, column]; returns faults, and which keys have a row."""
    seen = np.zeros(len(row_of), dtype=bool)
    found: list[Fault] = []
    for number, line in lines:
        place = f"{cells.name} line {number}"
        codes = cells.codes(line)
        row = row_of.get(codes, -1)
        if row < 0:
            spell = len(found) < SPELLED_OUT  # further faults are only counted
            found.extend(_unknown(place, codes, cells.keys) if spell else [Fault(place, "")])
        elif seen[row]:
            found.append(Fault(place, f"a second row for {', '.join(codes)}", "keep one"))
        else:
            seen[row] = True
            texts = cells.values(line)
            bad = _not_numbers(place, texts, cells.columns, cells.most)
            found.extend(bad)
            if not bad:
                out[row] = [float(text) for text in texts]
    return found, seen


def _unknown(place: str, codes: tuple[str, ...], keys: Keys) -> list[Fault]:
    return [
        Fault(
            f"{place}, {key}",
            f"unknown code {quoted(code)}",
            did_you_mean(code, known) or "use a known code",
        )
        for code, (key, known) in zip(codes, keys, strict=True)
        if code not in known
    ]


def _not_numbers(place: str, cells: Sequence[str], columns: Sequence[str], most: float) -> list[Fault]:
    """A fault for every cell that is not a finite number in the accepted range."""
    try:
        # A whole row at once; only an odd row is examined cell by cell.
        if _DIGITS.issuperset("".join(cells)) and all(abs(float(cell)) <= most for cell in cells):
            return []
    except ValueError:
        pass
    faults = []
    for cell, column in zip(cells, columns, strict=True):
        fault = number_fault(cell, f"{place}, {column}", column)
        if fault:
            faults.append(Fault(fault.where, f"{quoted(cell)} is not a number", fault.cure))
        elif abs(float(cell)) > most:
            faults.append(Fault(f"{place}, {column}", f"{cell} is above {most:g}", "check the unit"))
    return faults
