"""A publisher's CSV file, plain or packed, as blocks of whole rows.

A block is a few megabytes, so that memory does not grow with the file; `typed` turns it into columns.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.publishers.report import Faults, Report
from landbridge.io.publishers.typed import Block, Field, Rows, stripped, typed
from landbridge.world.table import quoted

__all__ = [
    "CONFIDENTIAL",
    "NO_CODE",
    "TOTAL",
    "Member",
    "header_of",
    "members",
    "read_rows",
    "row_blocks",
]

BLOCK_BYTES = 8_000_000
# A row longer than this has a quote that never closes, or is not a table.
ROW_BYTES = 64_000_000
# Words for no code, in capitals. NA is Namibia where codes have two letters.
NO_CODE = frozenset(("", "NA", "N/A", "#N/A", "N.A.", "NAN", "NULL", "NONE", "..", "-"))
# All goods, and confidential goods, which are not HS codes.
TOTAL, CONFIDENTIAL = "TOTAL", "9999AA"
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Member:
    """A CSV file, or one inside a zip: its name, how to open it; shown: its name in faults."""

    name: str
    shown: str
    open: Callable[[], IO[bytes]]


def members(path: Path, wanted: re.Pattern[str], expected: str) -> list[Member]:
    """The CSV files of a path with a matching name: the file itself, gzipped, in a zip, or in a folder.

    path: file or folder; wanted: pattern of the name; expected: usual name of such a file, for faults.
    Raises DataError where there is none, or the path cannot be read.
    """
    name = path.name
    try:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.is_file() and wanted.search(p.name))
            if not inside:
                raise _nothing(name, "holds no such file", expected, [p.name for p in path.iterdir()])
            return [found for p in inside for found in members(p, wanted, expected)]
        if not path.is_file():
            cure = "check the name" if not path.exists() else "give an ordinary file"
            raise DataError(
                "a file is missing", [Fault(str(path), "not found" if not path.exists() else "no file", cure)]
            )
        with path.open("rb") as file:
            start = file.read(8)
        if start.startswith(b"PK\x03\x04"):
            return _zipped(path, wanted, expected)
    except _BROKEN as error:
        raise _unreadable(name, error) from None
    if start.startswith(b"\x1f\x8b"):
        return [Member(name.removesuffix(".gz"), name, lambda: cast("IO[bytes]", gzip.open(path, "rb")))]
    return [Member(name, name, lambda: path.open("rb"))]


def _zipped(path: Path, wanted: re.Pattern[str], expected: str) -> list[Member]:
    with zipfile.ZipFile(path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if "xl/workbook.xml" in names:
        cure = f"give the publisher's CSV: {expected}"
        raise DataError("not a CSV file", [Fault(path.name, "is an Excel workbook", cure)])
    found = [n for n in names if wanted.search(Path(n).name) and not n.startswith("__MACOSX")]
    if not found:
        if any(n.lower().endswith(".zip") for n in names):
            cure = "unpack the outer one and give the inner"
            raise DataError("a zip inside a zip", [Fault(path.name, "holds further zips", cure)])
        raise _nothing(path.name, "holds no such file", expected, names)
    return [
        Member(Path(n).name, f"{path.name}/{n}", lambda n=n: _open_zipped(path, n))  # type: ignore[misc]
        for n in sorted(found)
    ]


def _open_zipped(path: Path, name: str) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    stream = archive.open(name)
    archive.close()  # the member keeps the file open until it is closed
    return stream


def _nothing(name: str, what: str, expected: str, names: Sequence[str]) -> DataError:
    held = ", ".join(quoted(n) for n in sorted(names)[:5]) or "nothing"
    return DataError("no such file", [Fault(name, f"{what}; it holds {held}", f"expected {expected}")])


def _unreadable(shown: str, error: BaseException) -> DataError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    cure = "fetch it again; a packed file must be whole and without a password"
    return DataError("a file cannot be read", [Fault(shown, f"cannot be read ({reason})", cure)])


def row_blocks(member: Member) -> Iterator[tuple[int, bytes]]:
    """Whole rows of a file, one block at a time, with the line on which its first row begins.

    member: the file. A line end inside quotes does not end a row. Raises DataError where the file cannot be
    read or is not text.
    """
    line, rest = 1, b""
    try:
        with member.open() as stream:
            while True:
                got = stream.read(BLOCK_BYTES)
                data = rest + got
                if line == 1 and not rest and data.startswith(b"\xef\xbb\xbf"):
                    data = data[3:]
                if b"\0" in got or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    fault = Fault(member.shown, "is binary or UTF-16", "save it as CSV in UTF-8")
                    raise DataError("not a text file", [fault])
                if not got:
                    if data:
                        yield line, data
                    return
                cut = _last_end(data)
                if not cut:
                    if len(data) > ROW_BYTES:
                        what = f"a row begins here that has not ended after {ROW_BYTES // 1_000_000} MB"
                        cure = "check its quotes, and that lines end with a line feed"
                        raise DataError("not a CSV file", [Fault(f"{member.shown} line {line}", what, cure)])
                    rest = data
                    continue
                yield line, data[:cut]
                line += data.count(b"\n", 0, cut)
                rest = data[cut:]
    except _BROKEN as error:
        raise _unreadable(member.shown, error) from None


def _last_end(data: bytes) -> int:
    """The length of the whole rows at the beginning of data."""
    cut = data.rfind(b"\n") + 1
    if data.count(b'"', 0, cut) % 2 == 0:
        return cut
    raw = np.frombuffer(data, dtype=np.uint8)
    outside = np.cumsum(raw == 0x22) % 2 == 0
    ends = np.flatnonzero((raw == 0x0A) & outside)
    return int(ends[-1]) + 1 if len(ends) else 0


def header_of(data: bytes, shown: str) -> tuple[list[str], int]:
    """Names of the columns in the first row of a block, and the number of bytes they take.

    data: the block; shown: name of the file in faults. Raises DataError where there is no header in UTF-8.
    """
    end = 0
    while True:
        end = data.find(b"\n", end) + 1 or len(data)
        if data.count(b'"', 0, end) % 2 == 0 or end == len(data):
            break
    try:
        text = data[:end].decode("utf-8")
        cells = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except UnicodeDecodeError:
        raise DataError("not UTF-8", [Fault(f"{shown} line 1", "is not UTF-8", "save it as UTF-8")]) from None
    except csv.Error as error:
        raise DataError("not a CSV file", [Fault(f"{shown} line 1", f"{error}", "check quotes")]) from None
    return [stripped(cell) for cell in cells], end


def check_header(
    header: Sequence[str], needed: Sequence[str], known: Sequence[str] | None, shown: str, expected: str
) -> list[Fault]:
    """Faults of a header: separators, missing, unknown or repeated columns.

    needed, known: columns required and allowed; shown, expected: name of the file and the publisher's page.
    """
    where = f"{shown} line 1"
    if not any(header):
        return [Fault(where, "is empty", f"give the publisher's file ({expected})")]
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        what = f"the columns are not separated by commas: {quoted(header[0], 60)}"
        return [Fault(where, what, "save it with commas between cells and a point in numbers")]
    faults = []
    missing = [name for name in needed if name not in header]
    if missing:
        what = f"columns are missing: {', '.join(missing)}; found {quoted(','.join(header), 120)}"
        faults.append(Fault(where, what, f"expected {expected}"))
    allowed = set(needed) | set(header if known is None else known)
    odd = [name for name in header if name not in allowed]
    if odd:
        hint = did_you_mean(odd[0], sorted(allowed)) or f"expected {expected}"
        shown_odd = ", ".join(quoted(name) for name in odd[:5])
        faults.append(Fault(where, f"{len(odd)} columns are not the publisher's: {shown_odd}", hint))
    for name in sorted({n for n in header if n in allowed and header.count(n) > 1})[:5]:
        faults.append(Fault(where, f"column {quoted(name)} appears twice", "keep one"))
    return faults


def read_rows(
    member: Member,
    fields: Sequence[Field] | Callable[[Sequence[str]], Sequence[Field]],
    known: Sequence[str] | None,
    expected: str,
    faults: Faults,
    report: Report | None = None,
) -> Iterator[Rows]:
    """The rows of a file, block by block; what is wrong with a cell or a line is added to faults.

    member: the file; fields: the columns to read, or a function of the header that returns them; known:
    further columns of the publisher's file, None where any others are allowed; expected: the publisher's
    page; faults, report: take faults and notes. Last columns with no name and no filled cell are accepted,
    since the World Bank, Comtrade and spreadsheets write them; so are rows without a filled cell and whole
    numbers written 156.0, both noted in report. A header with faults yields no rows. Raises DataError as
    `row_blocks` does.
    """
    header: list[str] | None = None
    wanted: Sequence[Field] = ()
    empty = True
    for line, data in row_blocks(member):
        if header is None:
            blank = len(data) - len(data.lstrip(b"\r\n"))
            line, data = line + data.count(b"\n", 0, blank), data[blank:]
            if not data:
                continue
            names, used = header_of(data, member.shown)
            while names and not names[-1]:
                names.pop()
            wanted = fields(names) if callable(fields) else fields
            found = check_header(names, [f.name for f in wanted], known, member.shown, expected)
            if found:
                faults.extend(found)
                return
            header, line = names, line + data.count(b"\n", 0, used)
            data = data[used:]
        if data.strip():
            empty = False
            yield typed(Block(member.shown, header, wanted, line, data), faults, report)
    if header is None or empty:
        what = "is empty" if header is None else "has a header and no rows"
        faults.add("empty", member.shown, member.shown, what, "fetch it again")
