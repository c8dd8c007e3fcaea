"""Hostile tables: about 2,000 spoiled copies of a World's CSV files, read in process.

Each gives either a World that equals, in hash, an independent and literal reading of the same files, or
one DataError whose faults each have a place and a cure. Nothing else: no other exception, no hang, no
required cell filled in silently.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TypeVar

import numpy as np
import pytest

from landbridge.errors import DataError
from landbridge.io.economy import variant_folder
from landbridge.io.files import MAX_BYTES
from landbridge.io.tables import DATA, attribution, load_world
from landbridge.world import World
from landbridge.world.table import Cell, Column, Table, columns_of
from landbridge.world.trade_table import TradeTable
from small_folder import write_small_world

SECONDS = 5.0
VARIANT = variant_folder()
ECONOMY = (
    "economy/tariff.csv",
    *(f"economy/{VARIANT}/{name}.csv" for name in ("trade", "input_share", "shares")),
)
Grid = list[list[str]]
T = TypeVar("T")

HOSTILE_CELLS = (
    *("", " ", "nan", "NaN", "inf", "-inf", "Infinity", "1e400", "-1e400", "1e308", "9" * 400, "-1", "0"),
    *("1,5", "1.234,5", "1 234", "1_000", "0x10", "１２", "٣", "1e", "--1", "+", ".", "1.5.2", "½", "12h"),
    *("2023-05-01", "01/05/2023", "1.5.2023", "45047", "2023-05-01 00:00:00", "1-May", "May-23", "5. Mai"),
    *("#N/A", "#REF!", "TRUE", "FALSE", "Yes", "NO", "=1+1", "@SUM(A1)", "+cmd", "-cmd", "None", "null"),
    *('"', '""', '"a"', "a,b", "a;b", "a\nb", "a\r\nb", "\r", "\t", "\x1b[31m", "\x07", "\u2028", "\ufeff"),
    *("x" * 300, "x" * 40_000, "x" * 140_000, "é", "É", "СОР", "\u202e", "places", "../../etc", "{}", "%s"),
    *("*", "|", "CHN|KAZ", "XIAN", "xian", "rail-1520 ", "open", "Open", "1e-320", "1E5", " 5 ", "5 %"),
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "small"
    write_small_world(folder)
    return folder


@pytest.fixture(scope="module")
def base(pristine: Path) -> World:
    return load_world(pristine)


@pytest.fixture(scope="module")
def names(pristine: Path) -> tuple[str, ...]:
    """The tables of the World, the ones of the economy several times so that they come up as often."""
    network = [f"network/{path.name}" for path in (pristine / "network").glob("*.csv")]
    known = [name for name in network if not name.endswith("SOURCES.csv")]
    return tuple(sorted([*known, *3 * ECONOMY, *2 * ("economy/regions.csv", "economy/sectors.csv")]))


@contextlib.contextmanager
def spoiled(folder: Path, files: dict[str, bytes]) -> Iterator[None]:
    """Other bytes in some files, put back afterwards."""
    before = {name: (folder / name).read_bytes() for name in files}
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        yield
    finally:
        for name, content in before.items():
            (folder / name).write_bytes(content)


def judge(folder: Path, base: World, changed: tuple[str, ...]) -> str:
    """Read the folder: 'world' or 'faults', anything else fails."""
    begin = time.perf_counter()
    try:
        world = load_world(folder)
    except DataError as error:
        assert time.perf_counter() - begin < SECONDS
        assert error.faults and len(str(error)) < 1_000_000
        for fault in error.faults:
            assert fault.where.strip() and fault.what.strip() and fault.cure.strip(), fault
            assert "\x1b" not in str(fault)
        return "faults"
    assert time.perf_counter() - begin < SECONDS
    assert world.hash == literal_reading(folder, base, changed).hash
    return "world"


# -- an independent reading ------------------------------------------------------------------------


def grid_of(raw: bytes) -> Grid:
    text = raw.decode("utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if "".join(row).strip()]


def trimmed(grid: Grid) -> Grid:
    """The grid without the last columns that have neither a name nor a filled cell."""
    while len(grid) > 1 and not grid[0][-1].strip():
        last = len(grid[0]) - 1
        if any("".join(row[last:]).strip() for row in grid[1:]):
            break
        grid = [row[:last] for row in grid]
    return grid


def bytes_of(grid: Grid, terminator: str = "\n") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=terminator).writerows(grid)
    return out.getvalue().encode()


def literal_cell(column: Column, text: str) -> Cell:
    # The schema states what a blank means where a column may be blank.
    text = text.strip() or ("" if column.required else column.default)
    if not text:
        assert not column.required, f"{column.table}.{column.name} was filled in silently"
        return None
    if column.type == "float":
        return float(text)
    if column.type == "int":
        return int(text)
    if column.type == "bool":
        return {"yes": True, "no": False}[text]
    return text


def literal_table(path: Path, name: str) -> Table:
    header, *rows = trimmed(grid_of(path.read_bytes()))
    header = [word.strip() for word in header]
    assert len(set(header)) == len(header)
    columns = columns_of(name)
    assert set(header) <= set(columns)
    typed = []
    for row in rows:
        assert len(row) == len(header)
        cells = dict(zip(header, row, strict=True))
        typed.append({key: literal_cell(column, cells.get(key, "")) for key, column in columns.items()})
    return Table(name, tuple(columns), tuple(typed))


def bounded(table: Table) -> Table:
    """Bounds and units of parameters are those of the model, whatever a copy says."""
    if table.name != "parameters":
        return table
    own = literal_table(DATA / "network" / "parameters.csv", "parameters").by("parameter")
    kept = ("min", "max", "unit", "part_of")
    rows = (
        {**row, **{c: own[str(row["parameter"])][c] for c in kept}} if row["parameter"] in own else row
        for row in table
    )
    return table.with_rows(rows)


def literal_numbers(path: Path, keys: int, axes: list[tuple[str, ...]], columns: tuple[str, ...]):
    header, *rows = trimmed(grid_of(path.read_bytes()))
    header = [word.strip() for word in header]
    at = [header.index(column) for column in columns]
    named = ["exporter", "importer"] if "exporter" in header else header[:2]
    key_at = [header.index(name) for name in named]
    if keys == 2 and header[:2] != named:
        key_at = [header.index("region"), header.index("sector")]
    out = np.full((*(len(axis) for axis in axes), len(columns)), np.nan)
    for row in rows:
        place = tuple(axis.index(row[k].strip()) for axis, k in zip(axes, key_at, strict=True))
        assert np.isnan(out[place]).all()
        out[place] = [float(row[i]) for i in at]
    assert np.isfinite(out).all()
    return out


def literal_reading(folder: Path, base: World, changed: tuple[str, ...]) -> World:
    """The World with the changed files read as they stand, by other code than the library's."""
    world = base
    for name in changed:
        stem = Path(name).stem
        if name.startswith("network/"):
            world = world.with_network(**{stem: bounded(literal_table(folder / name, stem))})
        elif stem in ("regions", "sectors"):
            world = replace(world, **{stem: literal_table(folder / name, stem)})
    if not any(name.startswith("economy/") for name in changed):
        return world
    regions = tuple(str(row["region"]) for row in world.regions)
    sectors = tuple(str(row["sector"]) for row in world.sectors)
    economy, variant = folder / "economy", folder / "economy" / VARIANT
    header = [word.strip() for word in grid_of((variant / "shares.csv").read_bytes())[0]]
    pair = [header.index("region"), header.index("sector")]
    shares = np.full((len(regions), len(sectors), 2), np.nan)
    for row in grid_of((variant / "shares.csv").read_bytes())[1:]:
        shares[regions.index(row[pair[0]].strip()), sectors.index(row[pair[1]].strip())] = [
            float(row[header.index(column)]) for column in ("value_added_share", "final_share")
        ]
    trade = TradeTable(
        regions=regions,
        sectors=sectors,
        trade=literal_numbers(variant / "trade.csv", 2, [regions, regions], sectors),
        tariff=literal_numbers(economy / "tariff.csv", 2, [regions, regions], sectors),
        value_added_share=shares[:, :, 0],
        input_share=literal_numbers(variant / "input_share.csv", 2, [regions, sectors], sectors),
        final_share=shares[:, :, 1],
        theta=[float(row["theta"] or 0.0) for row in world.sectors],
    )
    return replace(world, trade=trade)


# -- the mutations ---------------------------------------------------------------------------------


class Dice:
    """What is drawn for one example: by its number and nothing else, so that every run draws the same."""

    def __init__(self, test: str, number: int) -> None:
        self.random = Random(f"{test} {number}")

    def among(self, low: int, high: int) -> int:
        """A whole number from low to high, the ends more often than the others."""
        ends = (low, low, low + 1, high - 1, high, high)
        if self.random.random() < 0.1:
            return min(max(self.random.choice(ends), low), high)
        return self.random.randint(low, high)

    def below(self, length: int) -> int:
        """The number of one of so many things."""
        return self.among(0, max(length - 1, 0))

    def one(self, things: Sequence[T]) -> T:
        """One of several."""
        return self.random.choice(things)

    def text(self, most: int) -> str:
        """Letters, signs and controls of many scripts."""
        tops = (0x7F, 0x7F, 0xFF, 0x4FF, 0xD7FF, 0x10FFFF)
        signs = (self.random.randint(0, self.one(tops)) for _ in range(self.among(0, most)))
        return "".join(chr(sign) for sign in signs if not 0xD800 <= sign <= 0xDFFF)


def set_cell(dice: Dice, grid: Grid) -> None:
    row = dice.below(len(grid))
    column = dice.below(len(grid[row]))
    grid[row][column] = dice.one(HOSTILE_CELLS)


def drawn_text(dice: Dice, grid: Grid) -> None:
    row = dice.below(len(grid))
    grid[row][dice.below(len(grid[row]))] = dice.text(12)


def number_as(dice: Dice, grid: Grid) -> None:
    """A number of the table written in another way."""
    places = [
        (r, c)
        for r, row in enumerate(grid)
        for c, cell in enumerate(row)
        if cell.strip("-.0123456789") == "" and cell
    ]
    if not places:
        return
    row, column = places[dice.below(len(places))]
    text = grid[row][column]
    how: tuple[Callable[[str], str], ...] = (
        lambda t: t.replace(".", ","),
        lambda t: f"{t}e300",
        lambda t: f"-{t}",
        lambda t: f"'{t}",
        lambda t: f"{t} km",
        lambda t: f" {t} ",
        lambda t: f"{t}000000000",
        lambda t: f"+{t}",
        lambda t: f"{t}.",
        lambda t: f"\u00a0{t}",
    )
    grid[row][column] = dice.one(how)(text)


def same_key(dice: Dice, grid: Grid) -> None:
    """One row takes the first cells of another."""
    if len(grid) <= 2:
        return
    one, two = 1 + dice.below(len(grid) - 1), 1 + dice.below(len(grid) - 1)
    width = dice.among(1, 4)
    grid[one][:width] = grid[two][:width]


def drop_column(dice: Dice, grid: Grid) -> None:
    at = dice.below(len(grid[0]))
    for row in grid:
        del row[at : at + 1]


def double_column(dice: Dice, grid: Grid) -> None:
    at, renamed = dice.below(len(grid[0])), dice.one((True, False))
    for number, row in enumerate(grid):
        cell = row[at] if at < len(row) else ""
        row.append(f"{cell}2" if number == 0 and renamed else cell)


def reorder_columns(dice: Dice, grid: Grid) -> None:
    order = dice.random.sample(range(len(grid[0])), len(grid[0]))
    for row in grid:
        row[:] = [row[at] for at in order]


def swap_headers(dice: Dice, grid: Grid) -> None:
    one, two = dice.below(len(grid[0])), dice.below(len(grid[0]))
    grid[0][one], grid[0][two] = grid[0][two], grid[0][one]


def rename_column(dice: Dice, grid: Grid) -> None:
    at = dice.below(len(grid[0]))
    word = grid[0][at]
    grid[0][at] = dice.one(("", word.upper(), f" {word} ", f"{word}\n", "x", word[:-1], "\ufeff"))


def drop_rows(dice: Dice, grid: Grid) -> None:
    at, many = dice.below(len(grid)), dice.one((1, 1, 2, 5, 10_000))
    del grid[at : at + many]


def double_row(dice: Dice, grid: Grid) -> None:
    row = list(grid[dice.below(len(grid))])
    grid.insert(dice.below(len(grid) + 1), row)


def reorder_rows(dice: Dice, grid: Grid) -> None:
    if len(grid) <= 2:
        return
    turn = dice.among(1, len(grid) - 1)
    body = grid[1:]
    grid[1:] = body[::-1] if dice.one((True, False)) else body[turn:] + body[:turn]


def ragged(dice: Dice, grid: Grid) -> None:
    row = grid[dice.below(len(grid))]
    if dice.one((True, False)):
        row.append(dice.one(("", "x", "1")))
    else:
        row.pop()


def blank_row(dice: Dice, grid: Grid) -> None:
    width = dice.one((0, 1, len(grid[0])))
    grid.insert(dice.below(len(grid) + 1), [""] * width)


def transpose(dice: Dice, grid: Grid) -> None:
    width = min(len(row) for row in grid)
    grid[:] = [[row[at] for row in grid] for at in range(width)]


CELLS = (set_cell, set_cell, drawn_text, number_as, same_key)
SHAPES = (
    *(drop_column, double_column, reorder_columns, swap_headers, rename_column, drop_rows, double_row),
    *(reorder_rows, ragged, blank_row, transpose),
)


def insert(part: bytes) -> Callable[[Dice, bytes], bytes]:
    def change(dice: Dice, raw: bytes) -> bytes:
        at = dice.among(0, len(raw))
        return raw[:at] + part + raw[at:]

    return change


BYTES: tuple[Callable[[Dice, bytes], bytes], ...] = (
    *(
        insert(part)
        for part in (b"\0", b'"', b'""', b'"""', b"'", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n", b",")
    ),
    *(insert(part) for part in (b"\x1a", b"\xc3", b"\xe2\x80\xa8", b'","', b'"\n"', b"\x0b", b"\x85", b"\\")),
    lambda dice, raw: b"\xef\xbb\xbf" + raw,
    lambda dice, raw: raw.replace(b"\n", b"\r\n"),
    lambda dice, raw: raw.replace(b"\n", b"\r"),
    lambda dice, raw: b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n"),
    lambda dice, raw: raw.replace(b",", b";"),
    lambda dice, raw: raw.replace(b",", b"\t"),
    lambda dice, raw: raw.decode().encode("utf-16"),
    lambda dice, raw: raw.decode().encode("latin-1", errors="replace"),
    lambda dice, raw: raw.rstrip(b"\n"),
    lambda dice, raw: raw + b"\n\n\n",
    lambda dice, raw: raw + raw,
    lambda dice, raw: b"",
    lambda dice, raw: b" \n\t\n",
    lambda dice, raw: raw[: dice.among(0, len(raw))],
    lambda dice, raw: raw[dice.among(0, len(raw)) :],
    lambda dice, raw: dice.random.randbytes(dice.among(0, 200)),
    lambda dice, raw: b"PK\x03\x04" + raw,
    lambda dice, raw: raw.replace(b"\n", b'"\n', 1),
)


def spoil_grids(
    dice: Dice,
    pristine: Path,
    base: World,
    names: tuple[str, ...],
    how: tuple[Callable[..., None], ...],
) -> None:
    chosen = tuple(dict.fromkeys(dice.one(names) for _ in range(dice.among(1, 2))))
    files = {}
    for name in chosen:
        grid = grid_of((pristine / name).read_bytes())
        for _ in range(dice.one((1, 1, 1, 2))):
            if grid and grid[0]:
                with contextlib.suppress(IndexError):
                    dice.one(how)(dice, grid)
        files[name] = bytes_of(grid)
    with spoiled(pristine, files):
        judge(pristine, base, chosen)


@pytest.mark.slow
def test_spoiled_cells(pristine, base, names):
    for number in range(900):
        spoil_grids(Dice("cells", number), pristine, base, names, CELLS)


@pytest.mark.slow
def test_spoiled_shapes(pristine, base, names):
    for number in range(600):
        spoil_grids(Dice("shapes", number), pristine, base, names, SHAPES)


def test_spoiled_bytes(pristine, base, names):
    for number in range(500):
        dice = Dice("bytes", number)
        name = dice.one(names)
        content = dice.one(BYTES)(dice, (pristine / name).read_bytes())
        with spoiled(pristine, {name: content}):
            judge(pristine, base, (name,))


def test_every_hostile_cell_in_every_column(pristine, base):
    """The whole list of hostile cells against each type of column, one after another."""
    name, targets = "network/crossings.csv", ("gateway_id", "product", "time_h", "source", "time_low_h")
    grid = grid_of((pristine / name).read_bytes())
    outcome = {"world": 0, "faults": 0}
    for column in targets:
        for text in HOSTILE_CELLS:
            other = [list(row) for row in grid]
            other[1][grid[0].index(column)] = text
            with spoiled(pristine, {name: bytes_of(other)}):
                outcome[judge(pristine, base, (name,))] += 1
    assert min(outcome.values()) > 20, outcome


@pytest.mark.parametrize("name", ["economy/regions.csv", "economy/sectors.csv", "network/zones.csv"])
def test_an_escape_in_any_cell_reaches_no_terminal(pristine, base, name):
    """A code that no other table knows is named in faults of those tables too."""
    grid = grid_of((pristine / name).read_bytes())
    for row, column in ((r, c) for r in (0, 1) for c in range(len(grid[0]))):
        other = [list(cells) for cells in grid]
        other[row][column] = "\x1b"
        with spoiled(pristine, {name: bytes_of(other)}):
            judge(pristine, base, (name,))


# -- what must be accepted, and what must be told --------------------------------------------------


@pytest.mark.parametrize("change", ["bom", "crlf", "cr", "quoted", "blank lines", "spaces"])
def test_harmless_differences_give_the_same_world(pristine, base, names, change):
    files = {}
    for name in set(names):
        raw = (pristine / name).read_bytes()
        if change == "bom":
            raw = b"\xef\xbb\xbf" + raw
        elif change == "crlf":
            raw = raw.replace(b"\n", b"\r\n")
        elif change == "cr":
            raw = raw.replace(b"\n", b"\r")
        elif change == "blank lines":
            raw = b"\n" + raw.replace(b"\n", b"\n\n")
        else:
            out = io.StringIO(newline="")
            writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
            pad = " " if change == "spaces" else ""
            writer.writerows([[f"{pad}{cell}{pad}" for cell in row] for row in grid_of(raw)])
            raw = out.getvalue().encode()
        files[name] = raw
    with spoiled(pristine, files):
        assert load_world(pristine).hash == base.hash


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("12,5", "a decimal point"),
        ("2023-05-01", "into a date"),
        ("1-May", "into a date"),
        ("nan", "finite"),
        ("1e400", "below"),
        ("", "time_h is empty"),
        ("1_000", "give a number in h"),
    ],
)
def test_a_bad_number_is_told_with_its_place_and_cure(pristine, text, part):
    grid = grid_of((pristine / "network/crossings.csv").read_bytes())
    grid[3][grid[0].index("time_h")] = text
    with spoiled(pristine, {"network/crossings.csv": bytes_of(grid)}), pytest.raises(DataError) as caught:
        load_world(pristine)
    assert len(caught.value.faults) == 1
    assert "crossings.csv line 4, time_h" in str(caught.value) and part in str(caught.value)


def test_a_required_cell_with_a_usual_value_is_never_filled_in(pristine):
    grid = grid_of((pristine / "network/links.csv").read_bytes())
    grid[1][grid[0].index("status")] = ""
    files = {"network/links.csv": bytes_of(grid)}
    with spoiled(pristine, files), pytest.raises(DataError, match="status is empty -> write open"):
        load_world(pristine)
    grid = grid_of((pristine / "network/links.csv").read_bytes())
    at = grid[0].index("status")
    for row in grid:
        del row[at]
    files = {"network/links.csv": bytes_of(grid)}
    with spoiled(pristine, files), pytest.raises(DataError, match="columns are missing -> add status"):
        load_world(pristine)


def test_faults_of_several_files_are_told_at_once(pristine):
    files = {}
    for name in ("network/places.csv", "network/rates.csv", "economy/tariff.csv"):
        grid = grid_of((pristine / name).read_bytes())
        grid[1][-1 if name == "economy/tariff.csv" else 0] = "=1+1" if name == "economy/tariff.csv" else ""
        files[name] = bytes_of(grid)
    with spoiled(pristine, files), pytest.raises(DataError) as caught:
        load_world(pristine)
    told = str(caught.value)
    assert all(part in told for part in ("places.csv line 2", "rates.csv line 2", "tariff.csv line 2"))


# -- things that are no files ----------------------------------------------------------------------


@pytest.fixture
def own(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "own"))


PLACED = ("network/rates.csv", "economy/regions.csv", f"economy/{VARIANT}/trade.csv")


@pytest.mark.parametrize("name", PLACED)
def test_a_folder_in_place_of_a_file(own, name):
    (own / name).unlink()
    (own / name).mkdir()
    with pytest.raises(DataError, match=r"is a folder -> put an ordinary file"):
        load_world(own)


@pytest.mark.parametrize("name", PLACED)
def test_links_that_lead_somewhere_are_followed_and_others_are_told(own, base, name):
    elsewhere = own.parent / "elsewhere.csv"
    (own / name).rename(elsewhere)
    try:
        (own / name).symlink_to(elsewhere)
    except OSError:
        pytest.skip("this system makes no symbolic links")
    assert load_world(own).hash == base.hash
    for target in (own / name, own / "nowhere.csv", own):
        (own / name).unlink()
        (own / name).symlink_to(target)
        with pytest.raises(DataError) as caught:
            load_world(own)
        assert Path(name).name in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_and_devices_are_not_waited_for(own):
    (own / PLACED[0]).unlink()
    os.mkfifo(own / PLACED[0])
    with pytest.raises(DataError, match="a device or a pipe"):
        load_world(own)
    (own / PLACED[0]).unlink()
    if Path("/dev/zero").exists():
        (own / PLACED[0]).symlink_to("/dev/zero")
        with pytest.raises(DataError, match="a device or a pipe"):
            load_world(own)


@pytest.mark.parametrize("name", PLACED)
def test_a_file_beyond_200_mb_is_refused_before_it_is_read(own, name):
    with (own / name).open("r+b") as file:
        file.truncate(MAX_BYTES + 1)
    begin = time.perf_counter()
    with pytest.raises(DataError, match="no more than 200 MB are read"):
        load_world(own)
    assert time.perf_counter() - begin < 1.0


def test_folders_that_are_missing_or_files(own):
    for part in ("network", "economy", f"economy/{VARIANT}"):
        copy = own.parent / f"without-{Path(part).name}"
        shutil.copytree(own, copy)
        shutil.rmtree(copy / part)
        with pytest.raises(DataError):
            load_world(copy)
        (copy / part).write_bytes(b"x")
        with pytest.raises(DataError):
            load_world(copy)
    with pytest.raises(DataError, match="is not a folder"):
        load_world(own / "network" / "rates.csv")


def test_too_many_rows_and_axes_are_refused(own):
    grid = grid_of((own / "economy" / "regions.csv").read_bytes())
    grid += [[f"R{n}", *grid[1][1:]] for n in range(2000)]
    (own / "economy" / "regions.csv").write_bytes(bytes_of(grid))
    with pytest.raises(DataError, match="more than the model takes"):
        load_world(own)
    with (own / "network" / "rates.csv").open("ab") as file:
        file.write(b"a,b\n" * 250_000)
    with pytest.raises(DataError, match="has more than 200,000 rows"):
        load_world(own)


def test_broken_sources_are_told_by_the_commands_that_print_them(own):
    (own / "network" / "SOURCES.csv").write_bytes(b"table,source\nx,y\n")
    with pytest.raises(DataError, match="restore the header"):
        attribution(own)


def test_the_command_ends_with_three_and_no_traceback(own):
    (own / "network" / "places.csv").write_bytes(b'"')
    code = "from landbridge.cli import main; main()"
    for words in (["data", "check"], ["data", "list"], ["cite"], ["run"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words, "--world", str(own)], capture_output=True, encoding="utf-8"
        )
        assert done.returncode == 3 and "Traceback" not in done.stderr, done.stderr
        assert "places.csv line 1" in done.stderr and done.stdout == ""


def test_reading_a_world_of_ones_own_adds_less_than_a_second(tmp_path):
    shutil.copytree(DATA, tmp_path / "mine")
    taken = []
    for _ in range(3):
        begin = time.perf_counter()
        load_world(tmp_path / "mine")
        taken.append(time.perf_counter() - begin)
    assert min(taken) < 1.0
