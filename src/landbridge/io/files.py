"""Text and CSV files, with a limit on what is read; files are written whole or not at all."""

from __future__ import annotations

import csv
import io
import math
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from landbridge.errors import DataError, Fault
from landbridge.io.coding import SEPARATORS, decode, looks_like, separator
from landbridge.io.whole import write_whole
from landbridge.world.table import quoted

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "Lines",
    "Source",
    "csv_text",
    "file_in",
    "finite_number",
    "has_file",
    "read_bytes",
    "read_lines",
    "read_text",
    "write_bytes",
    "write_text",
]

# Larger files and longer tables are rejected before any of it is stored.
MAX_BYTES = 200_000_000
MAX_ROWS = 200_000

# Header, and rows of cells with the line on which each begins.
Lines = tuple[list[str], list[tuple[int, list[str]]]]
# A folder, or the contents of files read from one, by path inside it ("economy/rents.csv").
Source = Path | Mapping[str, bytes]


def has_file(source: Source, inside: str) -> bool:
    """Whether a folder, or the contents read from one, has an ordinary file at this path.

    source: path, or contents by path; inside: path of the file in the folder.
    """
    return (source / inside).is_file() if isinstance(source, Path) else inside in source


def file_in(source: Source, inside: str, name: str) -> Path | bytes:
    """One file of a folder in the form that `read_lines` takes: its path, or its content if already read.

    source: path, or contents by path; inside: folder inside it; name: of the file in faults.
    Raises DataError where the file was not among those read.
    """
    if isinstance(source, Path):
        return source / inside
    if inside not in source:
        raise DataError("a file is missing", [Fault(name, "not found", "check the name")])
    return source[inside]


def read_bytes(path: Path | bytes, name: str | None = None) -> bytes:
    """The content of an ordinary file of at most 200 MB; content already read is returned unchanged.

    path: the file or its content; name: of the file in faults. Raises DataError where it is missing, too
    large or not an ordinary file (a folder, a device, a pipe, a link without target).
    """
    if isinstance(path, bytes):
        return path
    shown = name or str(path)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            kind = "a folder" if stat.S_ISDIR(about.st_mode) else "a device or a pipe"
            raise DataError(
                "a file cannot be read", [Fault(shown, f"is {kind}", "put an ordinary file there")]
            )
        if about.st_size > MAX_BYTES:
            raise DataError("a file is too large", [_too_large(shown, about.st_size)])
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        cure = "the link has no target: correct it" if path.is_symlink() else "check the name"
        raise DataError("a file is missing", [Fault(shown, "not found", cure)]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        fault = Fault(shown, f"cannot be read ({reason})", "check that it is a file you may read")
        raise DataError("a file cannot be read", [fault]) from None
    if len(raw) > MAX_BYTES:
        raise DataError("a file is too large", [_too_large(shown, len(raw))])
    return raw


def _too_large(shown: str, size: int) -> Fault:
    what = f"has {size / 1e6:,.0f} MB; no more than {MAX_BYTES / 1e6:,.0f} MB are read"
    return Fault(shown, what, "check that it is the right file, or keep only the rows needed")


def read_text(path: Path | bytes, name: str | None = None) -> str:
    """The text of a UTF-8 file, with or without a byte-order mark.

    path: the file or its content; name: of the file in faults. Raises DataError where it is missing, empty,
    binary, in another encoding (which is named) or larger than 200 MB.
    """
    shown = _shown(path, name)
    raw = read_bytes(path, name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        fault = Fault(shown, looks_like(raw), "save it as UTF-8 text (in a spreadsheet: CSV UTF-8)")
        raise DataError("not a text file", [fault])
    if not text.strip():
        raise DataError("an empty file", [Fault(shown, "is empty", "give it a header and rows")])
    return text


def _shown(path: Path | bytes, name: str | None) -> str:
    """Name of a file in faults."""
    return name or ("a file" if isinstance(path, bytes) else str(path))


def read_lines(
    path: Path | bytes, name: str | None = None, notes: list[str] | None = None
) -> tuple[Lines, list[Fault]]:
    """Header and rows of a CSV file, and a fault for every line whose cells do not fit the header.

    Blank lines are left out, and last columns with neither a name nor a filled cell.
    path: the file or its content; name: of the file in faults; notes: if a list is given, a file in another
    encoding, with semicolons or tabs, or with decimal commas is read too, and a line in the list states it;
    without it such a file is a fault. Raises DataError where the file cannot be read, quotes do not pair, the
    header has a blank or repeated name, or there are too many rows.
    """
    shown = name or (path.name if isinstance(path, Path) else _shown(path, name))
    text, sign = (read_text(path, name), ",") if notes is None else _any_text(path, shown, notes)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    rows: list[tuple[int, list[str]]] = []
    begin = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                rows.append((begin, cells))
            begin = reader.line_num + 1
            if len(rows) > MAX_ROWS:
                fault = Fault(shown, f"has more than {MAX_ROWS:,} rows", "keep only the rows needed")
                raise DataError("a table is too long", [fault])
    except csv.Error as error:
        cure = "check the quotes of this line: a quote inside a quoted cell is written twice"
        if "limit" in str(error):
            cure = "shorten the cell"
        raise DataError("not a CSV file", [Fault(f"{shown} line {begin}", f"{error}", cure)]) from None
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    if header and not header[-1]:
        header, rows = _without_empty(header, rows)
    faults = _header_faults(shown, rows[0][0] if rows else 1, header)
    if faults:
        raise DataError("a header is broken", faults)
    fitting = []
    for line, cells in rows[1:]:
        if len(cells) == len(header):
            fitting.append((line, cells))
        else:
            what = f"{len(cells)} cells under {len(header)} columns"
            faults.append(Fault(f"{shown} line {line}", what, f"check the {SEPARATORS[sign]}"))
    if notes is not None and sign != ",":
        fitting = _with_points(fitting, shown, notes)
    return (header, fitting), faults


_COMMA = re.compile(r"\s*([+-]?\d+),(\d+(?:[eE][+-]?\d+)?)\s*")
_POINT = re.compile(r"\s*[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\s*")


def _any_text(path: Path | bytes, shown: str, notes: list[str]) -> tuple[str, str]:
    """The text of a table in any encoding that `decode` recognises, and the separator of its cells."""
    raw = read_bytes(path, shown)
    if not raw.strip():
        raise DataError("an empty file", [Fault(shown, "is empty", "give it a header and rows")])
    text, coding = decode(raw, shown)
    sign = separator(text, shown)
    said = [f"read as {coding}"] if coding != "UTF-8" else []
    said += [f"separated by {SEPARATORS[sign]}"] if sign != "," else []
    if said:
        notes.append(f"{shown}: {', '.join(said)}")
    return text, sign


def _with_points(
    rows: list[tuple[int, list[str]]], shown: str, notes: list[str]
) -> list[tuple[int, list[str]]]:
    """Rows with decimal commas replaced by points; unchanged where any number has a point."""
    cells = [cell for _, row in rows for cell in row]
    if not any(map(_COMMA.fullmatch, cells)) or any(map(_POINT.fullmatch, cells)):
        return rows
    notes.append(f"{shown}: decimal commas")
    return [
        (line, [_COMMA.sub(r"\1.\2", c) if _COMMA.fullmatch(c) else c for c in row]) for line, row in rows
    ]


def _without_empty(
    header: list[str], rows: list[tuple[int, list[str]]]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows without the last columns that have neither a name nor a filled cell."""
    wide = len(header)
    while wide > 1 and not header[wide - 1]:
        wide -= 1
    # If any cell is filled all columns stay, and the one without a name is reported.
    if len(rows) < 2 or any(any(map(str.strip, cells[wide:])) for _, cells in rows[1:]):
        return header, rows
    return header[:wide], [
        (line, cells[:wide] if len(cells) == len(header) else cells) for line, cells in rows
    ]


def _header_faults(shown: str, line: int, header: Sequence[str]) -> list[Fault]:
    place = f"{shown} line {line}"
    if not header:
        return [Fault(shown, "is empty", "give it a header and rows")]
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        sign = ";" if ";" in header[0] else "\t"
        what = f"the columns are not separated by commas: they look separated by {SEPARATORS[sign]}"
        return [Fault(place, what, "save it as CSV with commas between the cells and points in numbers")]
    faults = []
    if "" in header:
        faults.append(Fault(place, f"column {header.index('') + 1} has no name", "name it or delete it"))
    for name in sorted({name for name in header if name and header.count(name) > 1})[:10]:
        faults.append(Fault(place, f"column {quoted(name)} appears twice", "keep one"))
    return faults


def finite_number(text: str) -> float | None:
    """The number in the text of a cell; None where it is not a finite number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """CSV text of rows of cells, with line feeds."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all: under a temporary name first, then renamed.

    path: of the file, in place of one that is there; text: written as UTF-8. Raises DataError where the
    folder cannot be written to.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write content to a path whole or not at all, as `write_text` does.

    Raises DataError where it cannot be written.
    """
    write_whole(path, lambda beside: beside.write_bytes(content))
