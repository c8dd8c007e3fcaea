"""Read the base economy: common tables of a folder and one of its variants, as a TradeTable.

folder/regions.csv, sectors.csv       the axes, and theta
folder/tariff.csv                     exporter, importer, one column per sector [fraction]
folder/<variant>/trade.csv            exporter, importer, one column per sector [musd]
folder/<variant>/input_share.csv      region, input_sector, one column per using sector
folder/<variant>/shares.csv           region, sector, value_added_share, final_share, ...
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.world.trade_table import TradeTable

__all__ = ["KGZ_TRADE", "TJK_CAP", "read_economy", "variant_folder"]

Array = NDArray[np.float64]

# How imports of Kyrgyzstan are taken: every partner cut to the reported figure, none, or China alone.
KGZ_TRADE = ("reported", "baci", "china_only")
# Whether Chinese exports to Tajikistan are cut until its imports meet the national total.
TJK_CAP = ("on", "off")

# Of one kind of fault in one file, so many are spelled out and the rest counted.
SPELLED_OUT = 10


def variant_folder(kgz_trade: str = "reported", tjk_cap: str = "on") -> str:
    """The name of the folder of a variant; DataError when there is no such variant."""
    faults = [
        Fault(name, f"no variant {value!r}", did_you_mean(value, known) or f"choose {' or '.join(known)}")
        for name, value, known in (("kgz_trade", kgz_trade, KGZ_TRADE), ("tjk_cap", tjk_cap, TJK_CAP))
        if value not in known
    ]
    if faults:
        raise DataError("no such base table", faults)
    return f"{kgz_trade}-tjk_cap_{tjk_cap}"


def read_economy(folder: Path, kgz_trade: str = "reported", tjk_cap: str = "on") -> TradeTable:
    """One variant of the base table of a folder.

    Raises DataError with every fault of every file: its line, its column and a cure.
    """
    variant = variant_folder(kgz_trade, tjk_cap)
    faults: list[Fault] = []
    regions = _codes(folder, "regions.csv", "region", faults)
    sectors = _codes(folder, "sectors.csv", "sector", faults)
    if faults:
        raise DataError("the base economy cannot be read", faults)
    pairs = ("exporter", regions), ("importer", regions)
    uses = ("region", regions), ("input_sector", sectors)
    cells = ("region", regions), ("sector", sectors)
    theta = _matrix(folder, "sectors.csv", [("sector", sectors)], ["theta"], faults)
    tariff = _matrix(folder, "tariff.csv", pairs, sectors, faults, exact=True)
    trade = _matrix(folder, f"{variant}/trade.csv", pairs, sectors, faults, exact=True)
    inputs = _matrix(folder, f"{variant}/input_share.csv", uses, sectors, faults, exact=True)
    columns = ["value_added_share", "final_share"]
    shares = _matrix(folder, f"{variant}/shares.csv", cells, columns, faults)
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
    )


def _lines(folder: Path, name: str, faults: list[Fault]) -> list[list[str]]:
    """Header and rows of a file; empty, with a fault, when there is nothing to read."""
    try:
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
    except FileNotFoundError:
        faults.append(Fault(name, f"not found in {folder.name}", "copy it from the embedded data"))
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.append(Fault(name, f"cannot be read ({error})", "save it as a UTF-8 CSV file"))
        return []
    if not lines:
        faults.append(Fault(name, "is empty", "give it a header and rows"))
    return lines


def _codes(folder: Path, name: str, column: str, faults: list[Fault]) -> tuple[str, ...]:
    """The distinct codes that a file lists, in its order."""
    lines = _lines(folder, name, faults)
    if not lines:
        return ()
    if column not in lines[0]:
        faults.append(Fault(f"{name} line 1", f"no column {column!r}", "restore the header"))
        return ()
    at = lines[0].index(column)
    codes = [line[at].strip() if at < len(line) else "" for line in lines[1:] if line]
    seen: set[str] = set()
    for number, code in enumerate(codes, start=2):
        if not code or code in seen:
            what = f"{column} {code!r} stands here twice" if code else f"{column} is blank"
            faults.append(Fault(f"{name} line {number}", what, "give every row its own code"))
        seen.add(code)
    if not codes:
        faults.append(Fault(name, "has no rows", "give it at least one"))
    return tuple(codes)


def _matrix(
    folder: Path,
    name: str,
    keys: Sequence[tuple[str, tuple[str, ...]]],
    columns: Sequence[str],
    faults: list[Fault],
    *,
    exact: bool = False,
) -> Array:
    """Numbers by key, [*keys, columns]; every combination of keys stands in exactly one row.

    exact: the file has these columns and no others, in this order.
    """
    shape = (*(len(codes) for _, codes in keys), len(columns))
    out = np.full((int(np.prod(shape[:-1])), len(columns)), np.nan)
    lines = _lines(folder, name, faults)
    if not lines:
        return out.reshape(shape)
    header = [cell.strip() for cell in lines[0]]
    wanted = [*(key for key, _ in keys), *columns]
    if (header != wanted) if exact else not set(wanted) <= set(header):
        missing = [column for column in wanted if column not in header]
        extra = [column for column in header if column not in wanted] if exact else []
        what = "; ".join(
            part
            for part in (
                f"columns missing: {', '.join(missing)}" if missing else "",
                f"unknown columns: {', '.join(extra)}" if extra else "",
                "columns in another order" if not missing and not extra else "",
            )
            if part
        )
        faults.append(Fault(f"{name} line 1", what, f"the header is {','.join(wanted)}"))
        return out.reshape(shape)
    key_at = [header.index(key) for key, _ in keys]
    value_at = [header.index(column) for column in columns]
    whole = exact and value_at == list(range(value_at[0], len(header)))
    row_of = {codes: i for i, codes in enumerate(product(*(codes for _, codes in keys)))}
    seen = np.zeros(len(row_of), dtype=bool)
    found: list[Fault] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        place = f"{name} line {number}"
        if len(line) != len(header):
            found.append(Fault(place, f"{len(line)} cells under {len(header)} columns", "check the commas"))
            continue
        codes = tuple(line[at] for at in key_at)
        row = row_of.get(codes, -1)
        if row < 0:
            found.extend(_unknown(place, codes, keys))
        elif seen[row]:
            found.append(Fault(place, f"a second row for {', '.join(codes)}", "keep one"))
        else:
            seen[row] = True
            cells = line[value_at[0] :] if whole else [line[at] for at in value_at]
            try:
                out[row] = [float(cell) for cell in cells]
            except ValueError:
                found.extend(_not_numbers(place, cells, columns))
                continue
            if not np.isfinite(out[row]).all():
                found.extend(_not_numbers(place, cells, columns))
    absent = [codes for codes, row in row_of.items() if not seen[row]]
    found.extend(Fault(name, f"no row for {', '.join(codes)}", "add it; 0 = no flow") for codes in absent)
    faults.extend(found[:SPELLED_OUT])
    if len(found) > SPELLED_OUT:
        faults.append(Fault(name, f"{len(found) - SPELLED_OUT} more faults", "mend these first"))
    return out.reshape(shape)


def _unknown(place: str, codes: tuple[str, ...], keys: Sequence[tuple[str, tuple[str, ...]]]) -> list[Fault]:
    return [
        Fault(f"{place}, {key}", f"unknown code {code!r}", did_you_mean(code, known) or "use a known code")
        for code, (key, known) in zip(codes, keys, strict=True)
        if code not in known
    ]


def _not_numbers(place: str, cells: Sequence[str], columns: Sequence[str]) -> list[Fault]:
    """A fault for every cell that is not a finite number."""
    faults = []
    for cell, column in zip(cells, columns, strict=True):
        try:
            fine = bool(np.isfinite(float(cell)))
        except ValueError:
            fine = False
        if not fine:
            faults.append(Fault(f"{place}, {column}", f"{cell!r} is not a number", "write it as 1234.5"))
    return faults
