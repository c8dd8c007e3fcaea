"""Read a World from a folder of CSV tables: the embedded one, or a user's edited copy.

folder/network/<table>.csv      places, links, gateways ... as schema.csv describes them
folder/economy/...              the base trade table and its variants, see io.economy
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from landbridge.errors import DataError, Fault
from landbridge.io.economy import read_economy
from landbridge.world import World
from landbridge.world.table import Cell, Table, read_schema
from landbridge.world.validate import check_cells, check_network

__all__ = ["DATA", "attribution", "load_world", "read_table", "read_text", "write_text"]

DATA = Path(__file__).resolve().parent.parent / "data"

ECONOMY_TABLES = ("regions", "sectors")


def read_text(path: Path) -> str:
    """The text of a file in UTF-8; DataError when it is missing, empty or binary."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError("a file is missing", [Fault(str(path), "not found", "check the name")]) from None
    except OSError as error:
        fault = Fault(str(path), f"cannot be read ({error.strerror})", "check that it is a file you may read")
        raise DataError("a file cannot be read", [fault]) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(
            "not a text file", [Fault(str(path), "is binary or not UTF-8", "save it as UTF-8 text")]
        )
    if not text.strip():
        raise DataError("an empty file", [Fault(str(path), "is empty", "give it a header and rows")])
    return text


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all: beside it first, then renamed over it.

    Raises DataError where the folder cannot be written to.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        fault = Fault(str(path), f"cannot be written ({error.strerror})", "choose another place")
        raise DataError("nothing was written", [fault]) from None


def attribution(folder: Path) -> list[str]:
    """The attribution lines of the tables of a folder, sorted, each once."""
    lines: set[str] = set()
    for part in ("network", "economy"):
        path = folder / part / "SOURCES.csv"
        if path.exists():
            lines.update(row["attribution"] for row in csv.DictReader(read_text(path).splitlines()))
    return sorted(line for line in lines if line)


def read_table(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """One CSV file typed by the schema, with the faults of all its cells (file, line, column)."""
    reader = csv.reader(read_text(path).splitlines())
    header = [h.strip() for h in next(reader)]
    columns = read_schema()[name]
    missing = [c.name for c in columns.values() if c.required and not c.default and c.name not in header]
    if missing:
        cure = "add " + ", ".join(missing)
        return Table(name, tuple(columns), ()), [Fault(f"{path.name} line 1", "columns are missing", cure)]
    rows: list[Mapping[str, Cell]] = []
    faults: list[Fault] = []
    for number, cells in enumerate(reader):
        if not any(cells):
            continue
        place = f"{path.name} line {number + 2}"
        if len(cells) != len(header):
            faults.append(Fault(place, f"{len(cells)} cells under {len(header)} columns", "check the commas"))
            continue
        row, found = check_cells(name, dict(zip(header, cells, strict=True)), place)
        rows.append(row)
        faults.extend(found)
    return Table(name, tuple(columns), tuple(rows)), faults


def load_world(path: str | Path | None = None, *, check: bool = True) -> World:
    """Read the embedded World, or an edited copy of it from a folder.

    path: a folder with `network` and `economy` inside; None for the embedded dataset.
    check: also check the rules over several tables (the embedded tables are checked when they are
    built, and only typed here).
    Raises DataError with every fault of every table.
    """
    folder = DATA if path is None else Path(path)
    if not folder.is_dir():
        fault = Fault(str(folder), "is not a folder", "copy the embedded tables there first")
        raise DataError("no such world", [fault])
    tables: dict[str, Table] = {}
    faults: list[Fault] = []
    for name in read_schema():
        if "." in name:  # the keys of a scenario's modifications are in the schema too, but are no table
            continue
        part = "economy" if name in ECONOMY_TABLES else "network"
        try:
            tables[name], found = read_table(folder / part / f"{name}.csv", name)
            faults.extend(found)
        except DataError as error:
            faults.extend(error.faults)
    if not faults and check and path is not None:
        faults = check_network(tables)
    if faults:
        raise DataError(f"{folder.name} is not a valid world: {len(faults)} faults", faults)
    regions, sectors = tables.pop("regions"), tables.pop("sectors")
    settings = tables["parameters"].by("parameter")
    trade = read_economy(
        folder / "economy",
        kgz_trade=str(settings["kgz_trade"]["value"]),
        tjk_cap=str(settings["tjk_cap"]["value"]),
    )
    return World(network=tables, regions=regions, sectors=sectors, trade=trade, folder=folder)
