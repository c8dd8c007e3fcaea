"""Read a World from a folder of CSV tables: the embedded one, or a user's edited copy.

folder/network/<table>.csv      places, links, gateways ... as schema.csv describes them
folder/economy/...              the base trade table and its variants, see io.economy
folder/channels/<table>.csv     gas, farms, travel, treaties, claims; may be absent
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.economy import FILES, KGZ_TRADE, TJK_CAP, read_economy
from landbridge.io.files import Source, file_in, read_bytes, read_lines, read_text, write_text
from landbridge.world import World
from landbridge.world.files import Files
from landbridge.world.table import (
    OWN,
    Cell,
    Column,
    Table,
    channel_tables,
    columns_of,
    quoted,
    read_schema,
)
from landbridge.world.trade_table import TradeTable
from landbridge.world.validate import SPELLED_OUT, check_cell, check_network, check_references, spelled

__all__ = [
    "DATA",
    "ECONOMY_TABLES",
    "PARTS",
    "SOURCES_COLUMNS",
    "attribution",
    "load_world",
    "names_attribution",
    "parts_of",
    "read_sources",
    "read_table",
    "read_text",
    "table_file",
    "tables_of",
    "write_text",
]

DATA = Path(__file__).resolve().parent.parent / "data"

PARTS = ("network", "economy")
# Lists by which names are understood: part of landbridge, of no World.
NAMES = "names"
CHANNELS = "channels"
ECONOMY_TABLES = ("regions", "sectors")
# Tables that a folder may lack: names then come from places.csv, gateways.csv and the axes; `invest` needs
# projects.
OPTIONAL_TABLES = ("labels", "country_groups", "gateway_kinds", "projects")
# Those of them that are taken from the embedded World where a folder lacks them.
_USUAL_TABLES = ("country_groups", "gateway_kinds")
SOURCES_COLUMNS = ("table", "source", "year", "licence", "attribution", "note")


def parts_of(folder: Path) -> tuple[str, ...]:
    """The parts that a World's folder has: network, economy, and channels if present."""
    return (*PARTS, CHANNELS) if (folder / CHANNELS).is_dir() else PARTS


def _files_of(folder: Path) -> Files:
    """Files that a World keeps besides its tables: sources, and all variants of its economy.

    A file that cannot be read is kept as an empty one, so that reading it later is an error.
    """
    wanted = [f"{part}/SOURCES.csv" for part in parts_of(folder)]
    wanted += [f"economy/{name}" for name in FILES]
    found = {}
    for inside in wanted:
        try:
            found[inside] = read_bytes(folder / inside)
        except DataError:
            if os.path.lexists(folder / inside):
                found[inside] = b""
    return Files(found)


def tables_of(folder: Path) -> tuple[str, ...]:
    """Names of the tables of a folder of data: those of schema.csv, and the optional ones it has."""
    # The keys of modifications are in the schema too, but are not tables.
    named = [name for name in read_schema() if "." not in name and name not in OPTIONAL_TABLES]
    # Anything at their place is read, and rejected if it is not a file.
    named += [name for name in OPTIONAL_TABLES if os.path.lexists(table_file(folder, name))]
    if CHANNELS in parts_of(folder):
        named += channel_tables()
    return (*named, *(name for name in OWN if table_file(folder, name).is_file()))


def table_file(folder: Path, name: str) -> Path:
    """Path of a table of the schema, by name, in a folder."""
    part = CHANNELS if name in channel_tables() else "economy" if name in ECONOMY_TABLES else "network"
    return folder / part / f"{name}.csv"


def read_sources(folder: Source, part: str) -> tuple[list[dict[str, str]], list[Fault]]:
    """Rows of the SOURCES.csv of a part of the data (source and licence of each table), and its faults.

    folder: path, or contents by path; part: network, economy or channels.
    """
    name = f"{part}/SOURCES.csv"
    try:
        (header, lines), faults = read_lines(file_in(folder, name, name), name)
    except DataError as error:
        return [], list(error.faults)
    if set(header) != set(SOURCES_COLUMNS):
        what = f"the columns are not {', '.join(SOURCES_COLUMNS)}"
        return [], [*faults, Fault(f"{name} line 1", what, "restore the header")]
    return [dict(zip(header, cells, strict=True)) for _, cells in lines], faults


def attribution(folder: Source) -> list[str]:
    """The attribution lines of the tables of a folder, or of the files of a World, sorted, each once.

    Raises DataError where a SOURCES.csv exists but cannot be read.
    """
    lines: set[str] = set()
    for part in (*PARTS, CHANNELS):
        name = f"{part}/SOURCES.csv"
        if (folder / name).exists() if isinstance(folder, Path) else name in folder:
            rows, faults = read_sources(folder, part)
            if faults:
                raise DataError("the sources cannot be read", faults)
            lines.update(row["attribution"].strip() for row in rows)
    return sorted(line for line in lines if line)


def names_attribution() -> list[str]:
    """The attribution lines of the lists of cities, countries and words by which names are understood.

    Raises DataError where their SOURCES.csv cannot be read.
    """
    rows, faults = read_sources(DATA, NAMES)
    if faults:
        raise DataError("the sources cannot be read", faults)
    return sorted({row["attribution"] for row in rows})


def read_table(path: Path, name: str) -> tuple[Table, list[Fault]]:
    """One CSV file as a table typed by the schema, and the faults of all its cells (file, line, column).

    path: the file; name: of the table in the schema. Raises DataError where the file cannot be read.
    """
    (header, lines), broken = read_lines(path)
    columns = columns_of(name)
    faults: list[Fault] = []
    missing = [c.name for c in columns.values() if c.required and c.name not in header]
    if missing:
        faults.append(Fault(f"{path.name} line 1", "columns are missing", "add " + ", ".join(missing)))
    for word in [column for column in header if column not in columns][:SPELLED_OUT]:
        cure = did_you_mean(word, columns) or "leave it out"
        faults.append(Fault(f"{path.name} line 1", f"no column {quoted(word)} in {name}", cure))
    if faults:
        return Table(name, tuple(columns), ()), faults + spelled(broken, path.name)
    faults += spelled(broken, path.name)
    rows: list[Mapping[str, Cell]] = []
    by_column: dict[str, list[Fault]] = defaultdict(list)
    # Texts repeat: one that was valid in a column is not checked again.
    readers: list[tuple[Column, int, dict[str, Cell]]] = [
        (column, header.index(name) if name in header else -1, {}) for name, column in columns.items()
    ]
    for line, cells in lines:
        row: dict[str, Cell] = {}
        for column, at, typed in readers:
            text = cells[at] if at >= 0 else ""
            if text in typed:
                row[column.name] = typed[text]
                continue
            row[column.name], fault = check_cell(column, text, f"{path.name} line {line}")
            if fault:
                by_column[column.name].append(fault)
            else:
                typed[text] = row[column.name]
        rows.append(row)
    for word, found in by_column.items():
        faults += spelled(found, f"{path.name}, {word}")
    return Table(name, tuple(columns), tuple(rows)), faults


def load_world(path: str | Path | None = None, *, check: bool = True) -> World:
    """Read the embedded World, or an edited copy of it from a folder.

    path: a folder with `network` and `economy` inside; None for the embedded dataset.
    check: also check the rules over several tables (embedded tables are checked when they are built, and only
    typed here). Raises DataError with every fault of every table.
    """
    folder = DATA if path is None else Path(path)
    if not folder.is_dir():
        fault = Fault(str(folder), "is not a folder", "`landbridge data export` writes one to edit")
        raise DataError("no such world", [fault])
    tables, faults = _read_tables(folder)
    for name in _USUAL_TABLES:
        # A folder written by an earlier version lacks them.
        if name not in tables and not os.path.lexists(table_file(folder, name)):
            tables[name] = read_table(table_file(DATA, name), name)[0]
    if path is not None and "parameters" in tables:
        tables["parameters"] = _with_own_bounds(tables["parameters"])
    if check and path is not None:
        faults += _faults_between(tables, whole=not faults)
    trade, found = _economy(folder, tables.get("parameters"))
    # The axes are read again with the economy: their faults are reported once.
    told = {fault.where for fault in faults}
    faults += [fault for fault in found if fault.where not in told]
    if faults or trade is None:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise DataError(f"{folder.name} is not a valid world: {count}", faults)
    regions, sectors = tables.pop("regions"), tables.pop("sectors")
    channels = {name: tables.pop(name) for name in channel_tables() if name in tables}
    files = _files_of(folder)
    return World(tables, regions, sectors, trade, folder, channels=channels, files=files)


def _read_tables(folder: Path) -> tuple[dict[str, Table], list[Fault]]:
    """The tables of a folder that can be read, and the faults of all."""
    tables: dict[str, Table] = {}
    faults: list[Fault] = []
    for name in tables_of(folder):
        try:
            tables[name], found = read_table(table_file(folder, name), name)
            faults.extend(found)
        except DataError as error:
            faults.extend(error.faults)
    return tables, faults


def _faults_between(tables: dict[str, Table], *, whole: bool) -> list[Fault]:
    """Faults of rules over several tables; whole: whether every table could be read."""
    if whole:
        return [*check_network(tables, reading=True), *_parameters_are_there(tables["parameters"])]
    # Channel tables refer only to one another, so their broken references are reported too.
    return list(check_references({n: tables[n] for n in channel_tables() if n in tables}))


def _economy(folder: Path, parameters: Table | None) -> tuple[TradeTable | None, list[Fault]]:
    """The variant of the base table that the parameters choose; the default one where they have faults."""
    chosen = {"kgz_trade": KGZ_TRADE[0], "tjk_cap": TJK_CAP[0]}
    for row in parameters or ():
        name, value = str(row["parameter"]), str(row["value"])
        if value in {"kgz_trade": KGZ_TRADE, "tjk_cap": TJK_CAP}.get(name, ()):
            chosen[name] = value
    try:
        return read_economy(folder / "economy", **chosen), []
    except DataError as error:
        return None, list(error.faults)


def _with_own_bounds(parameters: Table) -> Table:
    """Parameters with the bounds, words and units of the model, whatever an edited copy states."""
    own = read_table(table_file(DATA, "parameters"), "parameters")[0].by("parameter")
    kept = ("min", "max", "unit", "part_of")
    return parameters.with_rows(
        {**row, **{column: own[str(row["parameter"])][column] for column in kept}}
        if str(row["parameter"]) in own
        else row
        for row in parameters
    )


def _parameters_are_there(parameters: Table) -> list[Fault]:
    """Parameters of the embedded World that are missing, or whose allowed words differ."""
    have = parameters.by("parameter")
    faults = []
    for row in read_table(table_file(DATA, "parameters"), "parameters")[0]:
        name = str(row["parameter"])
        if name not in have:
            cure = f"add its row; the embedded value is {row['value']}"
            faults.append(Fault("parameters.csv", f"no parameter {name}", cure))
        elif have[name]["allowed"] != row["allowed"]:
            cure = f"write {row['allowed'] or 'nothing'} under allowed"
            faults.append(Fault(f"parameters.csv ({name})", "allows other words than the model", cure))
    return faults
