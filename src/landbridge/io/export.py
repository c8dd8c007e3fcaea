"""Write a whole World as a folder of CSV tables, which `load_world` reads back to the same World."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import product
from pathlib import Path

import numpy as np

from landbridge.errors import DataError, Fault
from landbridge.io.economy import KGZ_TRADE, TJK_CAP, economy_rows, variant_folder
from landbridge.io.files import csv_text, read_lines
from landbridge.io.tables import (
    DATA,
    ECONOMY_TABLES,
    SOURCES_COLUMNS,
    load_world,
    parts_of,
    read_sources,
    table_file,
)
from landbridge.io.whole import folder_beside
from landbridge.world import World
from landbridge.world.table import Cell, Table
from landbridge.world.trade_table import TradeTable

__all__ = ["cell_text", "export", "free_folder"]

README = """# A World of landbridge

These tables are one whole World ({hash}), as landbridge reads it. Edit any of them and
run every command on your copy:

    landbridge data check --world FOLDER
    landbridge run cku-railway --world FOLDER

- `network/` holds places, links, gateways and what they cost; `economy/` the trade table of {year},
  common tables and {variants} variants (parameters `kgz_trade` and `tjk_cap` choose one);
  `channels/`, if present, the tables of gas, farms, travel, treaties and claims.
- `schema.csv` says what every column means: its type, unit, bounds, allowed words and which table it
  refers to. Changing it here changes nothing.
- `SOURCES.csv` in each folder gives source, licence and attribution of every table. A table without
  a row there fails `data check`: add yours when you change a table.
- Files are UTF-8, cells are separated by commas, decimals by a point. yes and no are written out.
  A required cell may not be left blank. Money is USD of {year} unless a column says otherwise.
- `landbridge data card TABLE` states how a table was made and its weaknesses.

The data are not under the licence of the code: see LICENSES.md and the SOURCES.csv of each folder.
"""


def cell_text(cell: Cell) -> str:
    """The text of a typed cell that reads back to it: blank for None, yes or no, numbers in full."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        text = repr(cell)
        return text.removesuffix(".0") if "e" not in text else text
    return str(cell)


def free_folder(folder: Path) -> Path:
    """The folder to write to, which must be new or empty. Raises DataError otherwise."""
    try:
        target = folder.absolute()
        if target.is_symlink():
            target = target.resolve()
        if target.is_dir():
            if any(target.iterdir()):
                fault = Fault(str(folder), "is not empty", "give a new name: nothing is overwritten")
                raise DataError("nothing was written", [fault])
        elif target.exists():
            raise DataError("nothing was written", [Fault(str(folder), "is a file", "give a new name")])
        if not target.parent.is_dir():
            fault = Fault(str(folder), f"there is no folder {folder.parent}", "make it first")
            raise DataError("nothing was written", [fault])
    except (OSError, ValueError) as error:
        raise _unwritable(folder, error) from None
    return target


def export(
    world: World,
    folder: Path,
    sources: Iterable[Mapping[str, str]] = (),
    *,
    economy: Iterable[Mapping[str, str]] | None = None,
    variants: Mapping[str, TradeTable] | None = None,
    check: bool = True,
) -> Path:
    """Write every table of a World with its sources, the schema and a README. Returns the folder.

    The folder is written under a temporary name and renamed once it is complete. Network tables are those of
    the World itself, changes included; the trade table and its variants are copied from where the World was
    read.

    world: the World; folder: new or empty; sources: further rows for network/SOURCES.csv.
    economy: rows for economy/SOURCES.csv if the trade table is the World's own and not that of its folder;
    every variant is then written as this table, and these rows replace the known ones.
    variants: tables by variant folder to write instead; the rows of `economy` are then added to the known
    ones.
    check: read the copy back and compare its hash.
    Raises DataError where the folder is taken or cannot be written, and where the World holds a policy, which
    is not a table.
    """
    policy = world.policy
    changed = policy.tariff, policy.productivity_hat, policy.trade_cost_hat, policy.transfer, policy.works
    if any(part is not None for part in changed):
        cure = "export the base and keep the change as a scenario"
        raise DataError("nothing was written", [Fault("policy", "is a scenario's, not a table", cure)])
    target = free_folder(folder)
    beside = _beside(target, folder)
    try:
        own = None if economy is None else _Own(tuple(economy), variants)
        _write_all(world, beside, list(sources), own)
        if check and not _gives_back(load_world(beside), world, economy is not None):
            cure = "export the World as it was read, and keep changes of trade as scenarios"
            fault = Fault(str(folder), "the written tables do not give back this World", cure)
            raise DataError("nothing was written", [fault])
        written = world.hash if own is None else load_world(beside).hash
        variants_written = len(KGZ_TRADE) * len(TJK_CAP)
        about = README.format(hash=written[:12], year=world.base_year, variants=variants_written)
        _text(beside / "README.md", about)
        if target.is_dir():
            target.rmdir()
        beside.rename(target)
    except OSError as error:
        raise _unwritable(folder, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def _beside(target: Path, folder: Path) -> Path:
    """A new folder next to the target. Raises DataError where none can be made."""
    try:
        return folder_beside(target)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _gives_back(read: World, world: World, own_trade: bool) -> bool:
    """Whether a World reads back the same: exactly, except the last digit of balanced shares."""
    if not own_trade:
        return read.hash == world.hash
    shares = ("input_share", "final_share")
    near = all(
        np.allclose(getattr(read.trade, name), getattr(world.trade, name), rtol=1e-14, atol=1e-15)
        for name in shares
    )
    given = {name: getattr(world.trade, name) for name in shares}
    return (
        near
        and replace(read, trade=replace(read.trade, **given)).hash
        == replace(world, trade=replace(world.trade, **given)).hash
    )


def _unwritable(folder: Path, error: Exception) -> DataError:
    reason = getattr(error, "strerror", None) or str(error)
    fault = Fault(str(folder), f"cannot be written ({reason})", "choose another place")
    return DataError("nothing was written", [fault])


def _write_all(
    world: World,
    folder: Path,
    sources: Sequence[Mapping[str, str]],
    own: _Own | None,
) -> None:
    for part in parts_of(world.folder):
        (folder / part).mkdir(parents=True)
    for name, table in world.tables.items():
        _write(table_file(folder, name), _rows(table))
    _copy_economy(world.folder / "economy", folder / "economy")
    if own is not None:
        own.write(folder / "economy", world.trade)
    for part in parts_of(world.folder):
        rows, faults = read_sources(world.folder, part)
        if faults:
            raise DataError("the sources cannot be read", faults)
        if part == "economy" and own is not None:
            rows = own.sources(rows)
        if part == "network":
            rows = [*rows, *(dict(row) for row in sources)]
            rows.sort(key=lambda row: (row["table"], row["source"]))
        cells = [[row.get(column, "") for column in SOURCES_COLUMNS] for row in rows]
        _write(folder / part / "SOURCES.csv", [list(SOURCES_COLUMNS), *cells])
    licences = world.folder / "LICENSES.md"
    shutil.copyfile(licences if licences.is_file() else DATA / "LICENSES.md", folder / "LICENSES.md")
    schema = files("landbridge").joinpath("schema.csv").read_text(encoding="utf-8")
    _text(folder / "schema.csv", schema)


@dataclass(frozen=True)
class _Own:
    """Trade tables other than those of the folder that a World was read from."""

    rows: tuple[Mapping[str, str], ...]
    variants: Mapping[str, TradeTable] | None

    def write(self, economy: Path, trade: TradeTable) -> None:
        """Write every variant: its own table, or that of the World for all."""
        tables = self.variants
        if tables is None:
            # The notes on building the embedded table do not apply to this one.
            (economy / "trade_steps.csv").unlink(missing_ok=True)
            tables = {variant_folder(k, t): trade for k, t in product(KGZ_TRADE, TJK_CAP)}
        for variant, table in tables.items():
            for name, cells in economy_rows(table).items():
                _write(economy / variant / f"{name}.csv", cells)

    def sources(self, known: Sequence[dict[str, str]]) -> list[dict[str, str]]:
        """Rows of SOURCES.csv: replacing those of the tables written, or added to them."""
        written = set() if self.variants is not None else {"trade_steps", *(r["table"] for r in self.rows)}
        rows = [*(row for row in known if row["table"] not in written), *(dict(row) for row in self.rows)]
        return sorted(rows, key=lambda row: (row["table"], row["source"]))


def _copy_economy(source: Path, target: Path) -> None:
    """The trade table and its variants, byte for byte; files that are not CSV are not copied."""
    for path in sorted(source.rglob("*.csv")):
        inside = path.relative_to(source)
        if len(inside.parts) > 2 or (len(inside.parts) == 1 and path.stem in (*ECONOMY_TABLES, "SOURCES")):
            continue
        read_lines(path, inside.as_posix())
        (target / inside).parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target / inside)


def _rows(table: Table) -> list[list[str]]:
    return [list(table.columns), *([cell_text(row[c]) for c in table.columns] for row in table)]


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    _text(path, csv_text(rows))


def _text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
