"""A block of rows of a CSV file, typed column by column.

A clean block is typed by the C parser of pandas; a block with anything odd is typed cell by cell, which
finds the line.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from landbridge.io.publishers.report import Faults, Report
from landbridge.world.table import quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Block", "Coded", "Field", "Rows", "stripped", "typed"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_BLANK = ("", "NA", "na", "NaN", "nan", "..")
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
# A table that went through a spreadsheet has 156.0 for 156.
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(\.0*)?", re.ASCII)


def stripped(text: str) -> str:
    """A text without blanks of any kind around it and without zero-width characters."""
    return (text if text.isascii() else text.translate(_UNSEEN)).strip()


@dataclass(frozen=True)
class Field:
    """A column to read: name, kind of cells, whether they may be blank.

    low, high: bounds of numbers; pattern: that codes match, "" for any; unit: of the cells, for faults.
    """

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
        """A number for each row, from a function `to` of the code that is called once per code."""
        return np.array([to(text) for text in self.texts], dtype=np.int64)[self.at]

    def of(self, row: int) -> str:
        """The code of a row."""
        return self.texts[int(self.at[row])]


@dataclass(frozen=True)
class Rows:
    """A block of typed rows.

    name: of the file in faults; lines [row]: on which each begins; columns: by name.
    """

    name: str
    lines: Ints
    columns: Mapping[str, Ints | Floats | Coded]

    def __len__(self) -> int:
        return len(self.lines)

    def whole(self, name: str) -> Ints:
        """A column of whole numbers [row], by name."""
        return self.columns[name]  # type: ignore[return-value]

    def number(self, name: str) -> Floats:
        """A column of numbers [row], by name; NaN where a cell is blank."""
        return self.columns[name]  # type: ignore[return-value]

    def code(self, name: str) -> Coded:
        """A column of codes, by name."""
        return self.columns[name]  # type: ignore[return-value]


@dataclass(frozen=True)
class Block:
    """Whole rows of a file.

    shown: its name in faults; header: names of all its columns; fields: the columns to read; line: of the
    file, on which the first row begins; data: the rows.
    """

    shown: str
    header: list[str]
    fields: Sequence[Field]
    line: int
    data: bytes


def typed(block: Block, faults: Faults, report: Report | None) -> Rows:
    """The columns of a block; what is wrong with a cell or a line is added to faults.

    block: whole rows; faults: takes faults; report: takes notes, may be None.
    """
    pointed: set[str] = set()
    rows = _at_once(block, pointed)
    if rows is None:
        pointed.clear()
        rows = _cell_by_cell(block, faults, report, pointed)
    if report is not None and pointed:
        names = ", ".join(name for name in block.header if name in pointed)
        report.note(f"{block.shown}: whole numbers of {names} are written with a point (2.0), read without")
    return rows


# -- a clean block ---------------------------------------------------------------------------------------


def _at_once(block: Block, pointed: set[str]) -> Rows | None:
    """The block typed at once; None where a cell, a line or its encoding is odd in any way."""
    cut = _cut(block)
    frame = None if cut is None else _parsed(block, cut)
    if cut is None or frame is None or len(frame) != len(cut.lines):
        return None
    columns: dict[str, Ints | Floats | Coded] = {}
    for f in block.fields:
        column = _AT_ONCE[f.kind](f, frame[f.name])
        if column is None:
            return None
        if f.kind == "whole" and any("." in str(word) for word in frame[f.name].cat.categories):
            pointed.add(f.name)
        columns[f.name] = column
    return Rows(block.shown, cut.lines, columns)


@dataclass(frozen=True)
class _Cut:
    """A block whose rows all have the same number of cells.

    data: the block, ending after its last row. lines [row]: line on which each begins. extra: blank cells
    beyond the header.
    """

    data: bytes
    lines: Ints
    extra: int


def _cut(block: Block) -> _Cut | None:
    """The rows of a block; None where cells are too few or too many, or quotes, ends or encoding are odd."""
    data = block.data if block.data.endswith(b"\n") else block.data + b"\n"
    if not _is_utf8(data) or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
        return None
    raw = np.frombuffer(data, dtype=np.uint8)
    line_end, comma = raw == 0x0A, raw == 0x2C
    every = None
    if b'"' in data:
        outside = np.cumsum(raw == 0x22) % 2 == 0
        if not outside[-1]:
            return None
        every = np.cumsum(line_end)
        line_end, comma = line_end & outside, comma & outside
    ends, commas = np.flatnonzero(line_end), np.flatnonzero(comma)
    # A row begins on the line after the previous row ends; quoted cells may span many lines.
    before = np.arange(len(ends)) if every is None else np.concatenate(([0], every[ends[:-1]]))
    per_row = np.diff(np.searchsorted(commas, ends), prepend=0)
    extra = int(per_row[0]) - (len(block.header) - 1)
    if extra < 0 or (per_row != per_row[0]).any():
        return None
    lengths = np.diff(ends, prepend=-1)
    if lengths.min() <= 2 and len(block.header) < 2:  # a blank line cannot be distinguished from a blank cell
        return None
    last = ends - 1 - (raw[ends - 1] == 0x0D)
    if any((raw[last - n] != 0x2C).any() for n in range(extra)):  # a cell beyond the header is filled
        return None
    return _Cut(data, np.asarray(block.line + before, dtype=np.int64), extra)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _parsed(block: Block, cut: _Cut) -> pd.DataFrame | None:
    """The columns to read as parsed by pandas: numbers, or categories of text; None where it fails."""
    import pandas as pd

    fields = block.fields
    # Whole numbers are few and repeat often (years, countries, products): each is parsed once, as text.
    kinds: dict[str, Any] = {"whole": "category", "number": np.float64, "code": "category"}
    options: dict[str, Any] = {
        "header": None,
        "names": [*block.header, *(f"\0{n}" for n in range(cut.extra))],
        "keep_default_na": False,
        "na_values": {f.name: list(_BLANK) for f in fields if f.blank and f.kind == "number"},
        "skipinitialspace": True,
        "engine": "c",
        "index_col": False,
        "skip_blank_lines": False,
    }
    try:
        frame: pd.DataFrame = pd.read_csv(
            io.BytesIO(cut.data),
            usecols=[f.name for f in fields],
            dtype={f.name: kinds[f.kind] for f in fields},
            **options,
        )
        # Later releases of pandas turn categories that look like numbers into numbers: 0101 would be 101.
        numbers = [f.name for f in fields if f.kind != "number" and not _are_exact(frame[f.name], f.kind)]
        if numbers:
            again = pd.read_csv(io.BytesIO(cut.data), usecols=numbers, dtype=str, **options)
            for name in numbers:
                frame[name] = again[name].astype("category")
    except (ValueError, TypeError, OverflowError, pd.errors.ParserError):
        return None
    return frame


def _are_exact(series: pd.Series[Any], kind: str) -> bool:
    """Whether categories equal the cells: texts, or integers where whole numbers are wanted."""
    cats = series.cat.categories
    return (kind == "whole" and cats.dtype.kind in "iu") or all(isinstance(text, str) for text in cats)


def _whole_at_once(f: Field, series: pd.Series[Any]) -> Ints | None:
    words = [str(text).strip() for text in series.cat.categories]
    at = np.asarray(series.cat.codes)
    if (at < 0).any() or not all(map(_WHOLE.fullmatch, words)):
        return None
    each = np.array([_int(word) for word in words], dtype=np.int64)
    return None if ((each < f.low) | (each > f.high)).any() else each[at]


def _codes_at_once(f: Field, series: pd.Series[Any]) -> Coded | None:
    texts = tuple(stripped(str(text)) for text in series.cat.categories)
    at = np.asarray(series.cat.codes, dtype=np.int32)
    if (at < 0).any() or (not f.blank and "" in texts):
        return None
    if f.pattern and not all(re.fullmatch(f.pattern, text) for text in texts if text):
        return None
    return Coded(at, texts)


def _numbers_at_once(f: Field, series: pd.Series[Any]) -> Floats | None:
    values = np.asarray(series.to_numpy())
    if (np.isinf(values) if f.blank else ~np.isfinite(values)).any():
        return None
    return None if ((values < f.low) | (values > f.high)).any() else values


_AT_ONCE: Mapping[str, Callable[[Field, pd.Series[Any]], Ints | Floats | Coded | None]] = {
    "whole": _whole_at_once,
    "number": _numbers_at_once,
    "code": _codes_at_once,
}


# -- an odd block ----------------------------------------------------------------------------------------


def _cell_by_cell(block: Block, faults: Faults, report: Report | None, pointed: set[str]) -> Rows:
    """The block typed cell by cell, with a fault for everything odd."""
    lines, cells = _filled_rows(block, faults, report)
    columns: dict[str, Ints | Floats | Coded] = {}
    good = np.ones(len(lines), dtype=bool)
    for f in block.fields:
        at = block.header.index(f.name)
        texts = [stripped(row[at]) for row in cells]
        if f.kind == "whole" and any("." in text for text in texts):
            pointed.add(f.name)
        columns[f.name] = _column(block.shown, f, texts, lines, good, faults)
    kept = np.flatnonzero(good)
    return Rows(
        block.shown,
        np.array(lines, dtype=np.int64)[kept],
        {
            name: Coded(column.at[kept], column.texts) if isinstance(column, Coded) else column[kept]
            for name, column in columns.items()
        },
    )


def _filled_rows(block: Block, faults: Faults, report: Report | None) -> tuple[list[int], list[list[str]]]:
    """Rows with a filled cell and as many cells as the header, and the line on which each begins."""
    shown, header = block.shown, block.header
    lines: list[int] = []
    cells: list[list[str]] = []
    text, first_bad = _decoded(block.data)
    if first_bad:
        where = f"{shown} line {block.line + first_bad - 1}"
        faults.add("coding", shown, where, "is not UTF-8", "save the file as UTF-8 text")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begin, unfilled = 0, 0
    try:
        for row in reader:
            at, begin = block.line + begin, reader.line_num
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
        faults.add("quotes", shown, f"{shown} line {block.line + begin}", str(error), cure)
    if report is not None:
        report.drop("without a filled cell", unfilled)
    return lines, cells


def _int(word: str) -> int:
    return int(word.partition(".")[0])


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
