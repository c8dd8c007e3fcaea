"""A publisher's CSV file, plain or packed, as blocks of whole rows typed column by column.

A block is a few megabytes, so that memory does not grow with the file. A clean block is typed by the
C parser of pandas; a block in which anything is odd is typed cell by cell, which finds the line.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.publishers.report import Faults, Report
from landbridge.world.table import quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CONFIDENTIAL",
    "NO_CODE",
    "TOTAL",
    "Coded",
    "Field",
    "Member",
    "Rows",
    "header_of",
    "members",
    "read_rows",
    "row_blocks",
    "stripped",
]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BLOCK_BYTES = 8_000_000
# A row longer than this is a quote that never closes, or no table.
ROW_BYTES = 64_000_000
_BLANK = ("", "NA", "na", "NaN", "nan", "..")
# What stands for no code, in capitals. NA is Namibia where codes have two letters.
NO_CODE = frozenset(("", "NA", "N/A", "#N/A", "N.A.", "NAN", "NULL", "NONE", "..", "-"))
# All goods, and goods kept confidential, beside the codes of the HS.
TOTAL, CONFIDENTIAL = "TOTAL", "9999AA"
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
# A table that went through a spreadsheet has 156.0 for 156.
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(\.0*)?", re.ASCII)
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def stripped(text: str) -> str:
    """A text without blanks of any kind around it and without characters of no width."""
    return (text if text.isascii() else text.translate(_UNSEEN)).strip()


@dataclass(frozen=True)
class Field:
    """A column to read: its name, what its cells are, whether they may be blank, and between what."""

    name: str
    kind: Literal["whole", "number", "code"]
    blank: bool = False
    low: float = -math.inf
    high: float = math.inf
    pattern: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Coded:
    """A column of codes: texts[at[row]] is the code of a row."""

    at: NDArray[np.int32]
    texts: tuple[str, ...]

    def map(self, to: Callable[[str], int]) -> Ints:
        """A number per row, by a function of the code that is called once a code."""
        return np.array([to(text) for text in self.texts], dtype=np.int64)[self.at]

    def of(self, row: int) -> str:
        """The code of a row."""
        return self.texts[int(self.at[row])]


@dataclass(frozen=True)
class Rows:
    """A block of typed rows: the line each begins on, and its columns."""

    name: str
    lines: Ints
    columns: Mapping[str, Ints | Floats | Coded]

    def __len__(self) -> int:
        return len(self.lines)

    def whole(self, name: str) -> Ints:
        """A column of whole numbers."""
        return self.columns[name]  # type: ignore[return-value]

    def number(self, name: str) -> Floats:
        """A column of numbers; not a number where a cell is blank."""
        return self.columns[name]  # type: ignore[return-value]

    def code(self, name: str) -> Coded:
        """A column of codes."""
        return self.columns[name]  # type: ignore[return-value]


@dataclass(frozen=True)
class Member:
    """A CSV file, or one inside a zip: its name, how faults call it, how it is opened."""

    name: str
    shown: str
    open: Callable[[], IO[bytes]]


def members(path: Path, wanted: re.Pattern[str], expected: str) -> list[Member]:
    """The CSV files of a path whose names fit: the file itself, packed with gzip, in a zip, or of a folder.

    expected: what such a file is called. Raises DataError where there is none, or the path cannot be read.
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
    archive.close()  # the member keeps the file open until it is closed itself
    return stream


def _nothing(name: str, what: str, expected: str, names: Sequence[str]) -> DataError:
    held = ", ".join(quoted(n) for n in sorted(names)[:5]) or "nothing"
    return DataError("no such file", [Fault(name, f"{what}; it holds {held}", f"expected {expected}")])


def _unreadable(shown: str, error: BaseException) -> DataError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    cure = "fetch it again; a packed file must be whole and without a password"
    return DataError("a file cannot be read", [Fault(shown, f"cannot be read ({reason})", cure)])


def row_blocks(member: Member) -> Iterator[tuple[int, bytes]]:
    """Whole rows of a file, a block at a time, with the line the first begins on.

    A line end inside quotes ends no row. Raises DataError where the file cannot be read or is no text.
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
    """The names of the columns in the first row of a block, and the bytes they take."""
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
    """Faults of a header: separators, columns missing, unknown, twice. expected: the publisher's page."""
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
        faults.append(Fault(where, f"column {quoted(name)} stands there twice", "keep one"))
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

    fields: the columns to read, or a function of the header that tells them. known: further columns that
    the publisher's file has; None where any may stand beside those that are read. Last columns that have
    no name and no filled cell are accepted, since the World Bank, Comtrade and spreadsheets write them; so
    are rows without a filled cell and whole numbers written 156.0, both told in report. A header at fault
    yields no rows.
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
            yield _typed(member.shown, header, wanted, line, data, faults, report)
    if header is None or empty:
        what = "is empty" if header is None else "has a header and no rows"
        faults.add("empty", member.shown, member.shown, what, "fetch it again")


def _typed(
    shown: str,
    header: list[str],
    fields: Sequence[Field],
    line: int,
    data: bytes,
    faults: Faults,
    report: Report | None,
) -> Rows:
    pointed: set[str] = set()
    rows = _fast(shown, header, fields, line, data, pointed)
    if rows is None:
        pointed.clear()
        rows = _slow(shown, header, fields, line, data, faults, report, pointed)
    if report is not None and pointed:
        names = ", ".join(name for name in header if name in pointed)
        report.note(f"{shown}: whole numbers of {names} are written with a point (2.0), read without")
    return rows


def _fast(  # noqa: C901
    shown: str, header: list[str], fields: Sequence[Field], line: int, data: bytes, pointed: set[str]
) -> Rows | None:
    """The block typed at once; None where a cell, a line or its coding is odd in any way."""
    import pandas as pd

    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if not data.endswith(b"\n"):
        data += b"\n"
    raw = np.frombuffer(data, dtype=np.uint8)
    if b'"' in data:
        outside = np.cumsum(raw == 0x22) % 2 == 0
        if not outside[-1]:
            return None
        ends = np.flatnonzero((raw == 0x0A) & outside)
        commas = np.flatnonzero((raw == 0x2C) & outside)
    else:
        ends = np.flatnonzero(raw == 0x0A)
        commas = np.flatnonzero(raw == 0x2C)
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    per_row = np.diff(np.searchsorted(commas, ends), prepend=0)
    extra = int(per_row[0]) - (len(header) - 1)
    if extra < 0 or (per_row != per_row[0]).any():
        return None
    lengths = np.diff(ends, prepend=-1)
    if lengths.min() <= 2 and len(header) < 2:  # a blank line cannot be told from a blank cell
        return None
    last = ends - 1 - (raw[ends - 1] == 0x0D)
    if any((raw[last - n] != 0x2C).any() for n in range(extra)):  # a cell beyond the header is filled
        return None
    every = np.cumsum(raw == 0x0A) if b'"' in data else None
    lines = line + (every[ends] - 1 if every is not None else np.arange(len(ends)))
    if every is not None and len(ends) > 1:  # a row begins on the line after the end of the one before
        lines = line + np.concatenate(([0], every[ends[:-1]]))
    # Whole numbers are few and stand often (years, countries, products): each is looked at once, as text.
    kinds: dict[str, Any] = {"whole": "category", "number": np.float64, "code": "category"}
    options: dict[str, Any] = {
        "header": None,
        "names": [*header, *(f"\0{n}" for n in range(extra))],
        "keep_default_na": False,
        "na_values": {f.name: list(_BLANK) for f in fields if f.blank and f.kind == "number"},
        "skipinitialspace": True,
        "engine": "c",
        "index_col": False,
        "skip_blank_lines": False,
    }
    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            usecols=[f.name for f in fields],
            dtype={f.name: kinds[f.kind] for f in fields},
            **options,
        )
        # Later releases of pandas make numbers of categories that look like them: 0101 would be 101.
        numbers = [f.name for f in fields if f.kind != "number" and not _are_exact(frame[f.name], f.kind)]
        if numbers:
            again = pd.read_csv(io.BytesIO(data), usecols=numbers, dtype=str, **options)
            for name in numbers:
                frame[name] = again[name].astype("category")
    except (ValueError, TypeError, OverflowError, pd.errors.ParserError):
        return None
    if len(frame) != len(ends):
        return None
    columns: dict[str, Ints | Floats | Coded] = {}
    for f in fields:
        series = frame[f.name]
        if f.kind != "number" and (np.asarray(series.cat.codes) < 0).any():
            return None
        if f.kind == "whole":
            words = [str(text).strip() for text in series.cat.categories]
            if not all(map(_WHOLE.fullmatch, words)):
                return None
            if any("." in word for word in words):
                pointed.add(f.name)
            each = np.array([_int(word) for word in words], dtype=np.int64)
            if ((each < f.low) | (each > f.high)).any():
                return None
            columns[f.name] = each[np.asarray(series.cat.codes)]
            continue
        if f.kind == "code":
            texts = tuple(stripped(str(text)) for text in series.cat.categories)
            if not f.blank and "" in texts:
                return None
            if f.pattern and not all(re.fullmatch(f.pattern, text) for text in texts if text):
                return None
            columns[f.name] = Coded(np.asarray(series.cat.codes, dtype=np.int32), texts)
            continue
        values = series.to_numpy()
        if (np.isinf(values) if f.blank else ~np.isfinite(values)).any():
            return None
        if ((values < f.low) | (values > f.high)).any():
            return None
        columns[f.name] = values
    return Rows(shown, np.asarray(lines, dtype=np.int64), columns)


def _are_exact(series: pd.Series[Any], kind: str) -> bool:
    """Whether categories say what the cells hold: texts, or integers where whole numbers are wanted."""
    cats = series.cat.categories
    return (kind == "whole" and cats.dtype.kind in "iu") or all(isinstance(text, str) for text in cats)


def _int(word: str) -> int:
    return int(word.partition(".")[0])


def _slow(
    shown: str,
    header: list[str],
    fields: Sequence[Field],
    line: int,
    data: bytes,
    faults: Faults,
    report: Report | None,
    pointed: set[str],
) -> Rows:
    """The block typed cell by cell, with a fault for everything that is odd."""
    lines: list[int] = []
    cells: list[list[str]] = []
    text, first_bad = _decoded(data)
    if first_bad:
        where = f"{shown} line {line + first_bad - 1}"
        faults.add("coding", shown, where, "is not UTF-8", "save the file as UTF-8 text")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begin, unfilled = 0, 0
    try:
        for row in reader:
            at, begin = line + begin, reader.line_num
            if not any(stripped(cell) for cell in row):
                unfilled += len(row) > 1
                continue
            if len(row) > len(header) and not any(stripped(cell) for cell in row[len(header) :]):
                row = row[: len(header)]
            if len(row) != len(header):
                what = f"{len(row)} cells under {len(header)} columns"
                faults.add("cells", shown, f"{shown} line {at}", what, "check the commas of this line")
                continue
            lines.append(at)
            cells.append(row)
    except csv.Error as error:
        cure = "check the quotes: one inside a quoted cell is written twice"
        faults.add("quotes", shown, f"{shown} line {line + begin}", str(error), cure)
    if report is not None:
        report.drop("without a filled cell", unfilled)
    columns: dict[str, Ints | Floats | Coded] = {}
    good = np.ones(len(lines), dtype=bool)
    for f in fields:
        at = header.index(f.name)
        texts = [stripped(row[at]) for row in cells]
        if f.kind == "whole" and any("." in text for text in texts):
            pointed.add(f.name)
        columns[f.name] = _column(shown, f, texts, lines, good, faults)
    kept = np.flatnonzero(good)
    return Rows(
        shown,
        np.array(lines, dtype=np.int64)[kept],
        {
            name: Coded(column.at[kept], column.texts) if isinstance(column, Coded) else column[kept]
            for name, column in columns.items()
        },
    )


def _decoded(data: bytes) -> tuple[str, int]:
    """The text of a block, and the line in it that is not UTF-8 (0 where all is)."""
    try:
        return data.decode("utf-8"), 0
    except UnicodeDecodeError as error:
        return data.decode("utf-8", errors="replace"), data.count(b"\n", 0, error.start) + 1


def _column(
    shown: str, f: Field, texts: list[str], lines: list[int], good: NDArray[np.bool_], faults: Faults
) -> Ints | Floats | Coded:
    if f.kind == "code":
        index: dict[str, int] = {}
        at = np.zeros(len(texts), dtype=np.int32)
        for row, text in enumerate(texts):
            at[row] = index.setdefault(text, len(index))
            if (not text and not f.blank) or (text and f.pattern and not re.fullmatch(f.pattern, text)):
                good[row] = False
                what = f"{f.name} is {quoted(text)}" if text else f"{f.name} is blank"
                where = f"{shown} line {lines[row]}, {f.name}"
                faults.add(f"code {f.name}", shown, where, what, f"give {f.unit or 'a code'}")
        return Coded(at, tuple(index))
    out: Ints | Floats
    out = np.zeros(len(texts), dtype=np.int64) if f.kind == "whole" else np.zeros(len(texts))
    for row, text in enumerate(texts):
        if f.blank and f.kind == "number" and text in _BLANK:
            out[row] = np.nan
            continue
        what = _oddity(f, text)
        if what:
            good[row] = False
            where = f"{shown} line {lines[row]}, {f.name}"
            unit = f" in {f.unit}" if f.unit else ""
            cure = f"give a {'whole ' if f.kind == 'whole' else ''}number{unit}"
            faults.add(f"number {f.name}", shown, where, what, cure + _bounds(f))
            continue
        out[row] = _int(text) if f.kind == "whole" else float(text)
    return out


def _bounds(f: Field) -> str:
    parts = [f"at least {f.low:.15g}"] if f.low > -math.inf else []
    parts += [f"at most {f.high:.15g}"] if f.high < math.inf else []
    return f", {' and '.join(parts)}" if parts else ""


def _oddity(f: Field, text: str) -> str:
    """What is wrong with the text of a number; blank where nothing is."""
    if not text:
        return f"{f.name} is blank"
    if not (_WHOLE if f.kind == "whole" else _NUMBER).fullmatch(text):
        if "," in text:
            return f"{f.name} is {quoted(text)}: a comma in a number"
        return f"{f.name} is {quoted(text)}"
    value = float(text)
    if not math.isfinite(value):
        return f"{f.name} is {quoted(text)}, too large for a number"
    text = text if len(text) <= 40 else f"{value:g}"
    if value < f.low:
        return f"{f.name} is negative: {text}" if f.low == 0 else f"{f.name} is {text}, too small"
    return f"{f.name} is {text}, too large" if value > f.high else ""
