"""Trips between the zones of a network, from tables of up to millions of rows."""

from __future__ import annotations

import codecs
import csv
import math
from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, did_you_mean
from landbridge.io.files import read_lines
from landbridge.io.gmns_cells import columns_of, same_id
from landbridge.io.tally import Tally
from landbridge.world.road_network import Demand, Network
from landbridge.world.table import quoted

__all__ = ["read_demand"]

_WANTED = (("o_zone_id", "origin", "from"), ("d_zone_id", "destination", "to"), ("volume", "trips"))
# Bytes of a file that are examined before it is read row by row.
_BLOCK = 1 << 20
# Largest size of a file [bytes], and most rows.
_MAX_BYTES = 2_000_000_000
_MAX_ROWS = 50_000_000

Table = tuple[list[str], Iterator[tuple[int, list[str]]]]
Ints = NDArray[np.int32]


def read_demand(path: str | Path, network: Network) -> Demand:
    """Trips between the zones of a network from a CSV file.

    path: the file, with columns o_zone_id, d_zone_id, volume (or from, to, trips); network: gives the zones.
    volume is in the unit of the network's capacities, for GMNS trips per hour. Rows are read one by one and
    only numbers are stored, about 40 bytes per row. Returns a Demand.
    Raises DataError with the rows whose zone is unknown, whose trips are not a number, or whose pair is
    repeated; many of one kind are counted.
    """
    file = Path(path)
    tally = Tally()
    notes: list[str] = []
    header, rows = _table(file, tally, notes)
    columns = columns_of(header, _WANTED, file, tally) if header else []
    origin, destination, lines = array("i"), array("i"), array("i")
    trips = array("d")
    if columns:
        zones = _Zones(network)
        o, d, v = (header.index(column) for column in columns)
        number_of = zones.numbers
        for line, cells in rows:
            start, end = number_of.get(cells[o]) or zones.find(cells[o]), number_of.get(cells[d])
            end = end or zones.find(cells[d])
            try:
                count = float(cells[v])
            except ValueError:
                count = -1.0
            if not (start and end and 0.0 <= count < math.inf):
                where = f"{file.name} line {line}"
                for column, zone, cell in ((columns[0], start, cells[o]), (columns[1], end, cells[d])):
                    if not zone:
                        what = f"{column} {quoted(cell.strip())} is no zone"
                        tally.add("no zone", where, what, partial(zones.cure, cell.strip()))
                if not 0.0 <= count < math.inf:
                    what = f"{columns[2]} {quoted(cells[v].strip())} is no number of trips"
                    tally.add("no number", where, what, "0 or more")
            origin.append(start)
            destination.append(end)
            lines.append(line)
            trips.append(count)
        if not lines and not tally.total:
            _no_row(file, tally)
    starts, ends = np.frombuffer(origin, np.int32), np.frombuffer(destination, np.int32)
    volume = np.frombuffer(trips, np.float64)
    _again(file, starts, ends, np.frombuffer(lines, np.int32), network, tally)
    if tally.total:
        raise DataError("the trips cannot be used", tally.told())
    inside = starts == ends
    between = np.flatnonzero(~inside & (volume > 0))
    return Demand(
        starts[between].astype(np.int64),
        ends[between].astype(np.int64),
        volume[between],
        float(volume[inside].sum()),
        tuple(notes),
    )


class _Zones:
    """Numbers of zones by the text of a cell; a text not found is tried again without blanks and .0."""

    def __init__(self, network: Network) -> None:
        self.network = network
        names = network.zone_names or tuple(map(str, range(1, network.zones + 1)))
        self.numbers: dict[str, int] = {name: number for number, name in enumerate(names, 1)}
        self.names = names

    def find(self, cell: str) -> int:
        """The number of a zone, 0 where there is none."""
        number = self.network.zone(same_id(cell.strip()))
        if number:
            self.numbers[cell] = number
        return number

    def cure(self, name: str) -> str:
        some = ", ".join(self.names[:5])
        count = self.network.zones
        whole = f"one of the {count} zones of the network: {some}" + (" ..." if count > 5 else "")
        if not self.network.zone_names:
            whole = f"1 to {count}"
        return did_you_mean(name, self.network.zone_names) or whole


def _again(file: Path, starts: Ints, ends: Ints, lines: Ints, network: Network, tally: Tally) -> None:
    """Report every row that repeats a pair of zones."""
    key = starts.astype(np.int64) * (network.zones + 1) + ends
    order = np.argsort(key, kind="stable")
    key = key[order]
    same = np.flatnonzero((key[1:] == key[:-1]) & (starts[order[1:]] > 0) & (ends[order[1:]] > 0)) + 1
    for k in same[np.argsort(order[same], kind="stable")].tolist():
        row, first = int(order[k]), int(order[np.searchsorted(key, key[k])])
        pair = f"{network.zone_name(int(starts[row]))} to {network.zone_name(int(ends[row]))}"
        what = f"gives {pair} again, as {file.name} line {lines[first]}"
        tally.add("pair again", f"{file.name} line {lines[row]}", what, "add the two up, or keep one")


def _no_row(file: Path, tally: Tally) -> None:
    tally.add("no row", file.name, "holds no row", "columns " + ", ".join(names[0] for names in _WANTED))


def _table(file: Path, tally: Tally, notes: list[str]) -> Table:
    """Header in lower case, and rows with their lines; any file but a plain table uses the common reader.

    notes: takes the common reader's remarks on encoding and separators.
    """
    if _plain(file):
        found = _streamed(file, tally)
        if found is not None:
            return found
    try:
        (header, rows), broken = read_lines(file, notes=notes)
    except DataError as error:
        tally.take(error.faults)
        return [], iter(())
    tally.take(broken)
    if not rows and not tally.total:
        _no_row(file, tally)
    return [name.casefold() for name in header] if rows else [], iter(rows)


def _plain(file: Path) -> bool:
    """True for an ordinary UTF-8 file, not too large, whose first line has only commas as separators."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        if not file.is_file() or file.stat().st_size > _MAX_BYTES:
            return False
        with file.open("rb") as raw:
            block = raw.read(_BLOCK)
            first = block.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
            if b"," not in first or any(mark in first for mark in (b";", b"\t", b"|")):
                return False
            while block:
                if b"\0" in block:
                    return False
                decoder.decode(block)
                block = raw.read(_BLOCK)
            decoder.decode(b"", final=True)
    except (OSError, UnicodeDecodeError):
        return False
    return True


def _streamed(file: Path, tally: Tally) -> Table | None:
    """The table row by row; None where the header needs the common reader."""
    rows = _rows(file, tally)
    first = next(rows, None)
    if first is None:
        return None
    header = [cell.strip().casefold() for cell in first[1]]
    named = [name for name in header if name]
    if not named or len(set(named)) < len(named):
        return None
    return header, _fitting(file, first, header, rows, tally)


def _rows(file: Path, tally: Tally) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with their lines; stops where the file is not CSV or not UTF-8."""
    begin, count = 1, 0
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True)
        try:
            for cells in reader:
                if any(cells) and (cells[0] or any(map(str.strip, cells))):
                    yield begin, cells
                    count += 1
                    if count > _MAX_ROWS:
                        what = f"has more than {_MAX_ROWS:,} rows"
                        tally.add("too long", file.name, what, "keep only the rows needed")
                        return
                begin = reader.line_num + 1
        except csv.Error as error:
            cure = "check the quotes of this line: a quote inside a quoted cell is written twice"
            tally.add("no CSV", f"{file.name} line {begin}", f"{error}", cure)
        except UnicodeDecodeError:
            cure = "save it as UTF-8 text (in a spreadsheet: CSV UTF-8)"
            tally.add("no UTF-8", file.name, f"is not UTF-8 after line {begin - 1:,}", cure)


def _fitting(
    file: Path,
    first: tuple[int, list[str]],
    header: Sequence[str],
    rows: Iterator[tuple[int, list[str]]],
    tally: Tally,
) -> Iterator[tuple[int, list[str]]]:
    """Rows with as many cells as the header; a column without a name must be empty."""
    unnamed = [k for k, name in enumerate(header) if not name]
    size = len(header)
    for line, cells in rows:
        if len(cells) != size:
            what = f"{len(cells)} cells under {size} columns"
            tally.add("cells", f"{file.name} line {line}", what, "check the commas")
            continue
        for k in unnamed:
            if cells[k].strip():
                place = f"{file.name} line {first[0]}"
                tally.add("no name", place, f"column {k + 1} has no name", "name it or delete it")
                return
        yield line, cells
