"""A panel from a file: encodings, separators and decimal marks of programs of any country.

Anything uncertain stays text, so that a number is never read a thousand times too large.
"""

from __future__ import annotations

import csv
import io
import re
import struct
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.coding import SEPARATORS, decode, separator
from landbridge.io.optional import need
from landbridge.world.table import quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ENDINGS", "clean", "number_marks", "read_panel", "reading_notes", "tidied"]

ENDINGS = (".csv", ".parquet", ".xlsx", ".dta")
# Attribute of a frame that holds the notes of its reading.
_NOTES = "landbridge.notes"
# Text for a missing value, as in pandas, except NA, which is Namibia's code.
_NA = "NA"
_MISSING = (
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NULL",
    "NaN",
    "None",
    "n/a",
    "nan",
    "null",
)
# Invisible signs: soft hyphen, zero-width blanks and joiners, marks of direction, byte-order mark.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_CODE = re.compile(r"[A-Z]{2}")
_BY_BLANKS = re.compile(r"[+-]?\d{1,3}(?:[ '’]\d{3})+(?:[.,]\d+)?")
_WHOLE = re.compile(r"[+-]?\d+(?:[eE][+-]?\d+)?")
_DECIMAL = re.compile(r"[+-]?(\d*)([.,])(\d*)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+(?:\.\d*)?|(?:\.\d{3})+(?:,\d*)?)")
_YES_NO = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
# Bytes used to find the encoding and the separator before the whole file is read.
_HEAD = 65_536
_NAMED = 3


def read_panel(path: str | Path) -> pd.DataFrame:
    """A panel from a .csv, .parquet, .xlsx or .dta file (the ending decides), as a DataFrame.

    path: of the file.
    CSV files may be in UTF-8, UTF-16, GB18030, windows-1251 or windows-1252, separated by commas,
    semicolons, tabs or bars, with decimal points or commas; `reading_notes` states what was found.

    Raises DataError where the file is missing, its content does not match its ending, or it can be read in
    more than one way, LandbridgeError where pyarrow or openpyxl is needed and missing.
    """
    import pandas as pd

    path = Path(path)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        fault = Fault(str(path), "has an unknown ending", f"give a file ending in {', '.join(ENDINGS)}")
        raise DataError("the data cannot be read", [fault])
    if not path.is_file():
        near = did_you_mean(
            path.name, [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        )
        raise DataError("the data cannot be read", [Fault(str(path), "is no file", near or "check the path")])
    notes: list[str] = []
    try:
        if ending == ".parquet":
            need("pyarrow", "pyarrow", "parquet", "a .parquet file")
            found = pd.read_parquet(path)
        elif ending == ".xlsx":
            need("openpyxl", "openpyxl", "excel", "an .xlsx file")
            found = pd.read_excel(path, keep_default_na=False, na_values=list(_MISSING))
            found.columns = [str(c) for c in found.columns]
            found, notes = _typed(found, path.name, [], strict=False)
        elif ending == ".dta":
            found = _read_stata(path)
        else:
            found, notes = _read_csv(path)
    except (OSError, ValueError, KeyError, SyntaxError, BadZipFile, struct.error) as error:
        text = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        cure = "save it as UTF-8 CSV with commas" if ending == ".csv" else f"check that it is a {ending} file"
        raise DataError("the data cannot be read", [Fault(str(path), text, cure)]) from None
    found.columns = [clean(str(c)) for c in found.columns]
    unnamed = np.array([not c or re.fullmatch(r"Unnamed: \d+", c) is not None for c in found.columns])
    if unnamed.any():
        found = found.loc[:, ~(unnamed & found.isna().all(axis=0).to_numpy())]
    found.attrs[_NOTES] = tuple(notes)
    return found


def reading_notes(frame: pd.DataFrame) -> list[str]:
    """How the file of a frame was read, where it was not plain UTF-8 with commas and points."""
    return list(frame.attrs.get(_NOTES, ()))


def clean(text: str) -> str:
    """A label as displayed: no zero-width signs, single blanks of one kind, none at the ends.

    text: the label.
    """
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


def tidied(data: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """The data with `clean` labels, blank ones missing, and the labels changed by column."""
    import pandas as pd

    changes: dict[str, Any] = {}
    told: dict[str, str] = {}
    for k, name in enumerate(data.columns):
        values = data.iloc[:, k]
        if not _is_text(values):
            continue
        codes, levels = pd.factorize(values)
        new = np.empty(len(levels) + 1, dtype=object)
        new[-1] = None  # the code of missing values is -1
        for n, level in enumerate(levels):
            new[n] = (clean(level) or None) if isinstance(level, str) else level
        changed = [n for n, level in enumerate(levels) if isinstance(level, str) and new[n] != level]
        if not changed:
            continue
        changes[str(name)] = pd.Series(new[codes], index=data.index, dtype=object)
        seen = [str(new[n]) for n in changed if new[n] is not None]
        if seen:
            rows = int(np.isin(codes, changed).sum())
            shown = ", ".join(quoted(label, 20) for label in seen[:_NAMED])
            more = f" and {len(seen) - _NAMED:,} more" if len(seen) > _NAMED else ""
            told[str(name)] = (
                f"{name}: blanks at the ends of labels, doubled or not seen, left out in {rows:,} "
                f"{'row' if rows == 1 else 'rows'} ({shown}{more})"
            )
    return (data.assign(**changes) if changes else data), told


def number_marks(text: str) -> bool:
    """Whether a number's comma or point may be decimal or separate thousands, or it has both.

    text: the number as written.
    """
    return _kind(clean(text)) in ("comma", "comma?", "point?", "grouped")


def _is_text(values: pd.Series) -> bool:
    import pandas as pd

    kind = values.dtype
    if isinstance(kind, pd.CategoricalDtype):
        kind = kind.categories.dtype
    return bool(pd.api.types.is_object_dtype(kind) or isinstance(kind, pd.StringDtype))


def _read_stata(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_stata(path)
    except ValueError:  # value labels are not unique, so the numbers are used
        return pd.read_stata(path, convert_categoricals=False)


# ---- text ------------------------------------------------------------------------------------------


def _read_csv(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """A table of text, and how it was read."""
    import pandas as pd

    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        fault = Fault(str(path), "is empty", "give it a header and rows")
        raise DataError("the data cannot be read", [fault])
    if _is_plain(head, path.name):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                found = pd.read_csv(path, encoding="utf-8-sig", low_memory=False, index_col=False)
            return _typed(_with_codes(found, path), path.name, [], strict=False)
        except (UnicodeDecodeError, pd.errors.ParserWarning, pd.errors.ParserError):
            pass  # another encoding, or rows of another length than the header
    text, coding = decode(path.read_bytes(), path.name)
    told = re.match(r"sep=(.)\r?\n", text)
    sign = told[1] if told else separator(text, path.name)
    how = [f"read as {coding}"] if coding != "UTF-8" or sign != "," else []
    how += [f"separated by {SEPARATORS.get(sign, repr(sign))}"] if sign != "," else []
    found = _cells(text[told.end() :] if told else text, sign, path.name, 2 if told else 1)
    return _typed(found, path.name, how, strict=sign != ",")


def _is_plain(head: bytes, name: str) -> bool:
    """Whether the beginning of a file is UTF-8 with commas."""
    begin = head.removesuffix(b"\n")
    lines = begin.rsplit(b"\n", 1)[0] if len(head) == _HEAD else head
    try:
        text = lines.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return "\0" not in text and not text.startswith("sep=") and separator(text, name) == ","


def _with_codes(found: pd.DataFrame, path: Path) -> pd.DataFrame:
    """NA restored where pandas read it as a missing value in a column of two-letter codes."""
    import pandas as pd

    wanted = [
        k
        for k in range(found.shape[1])
        if _is_text(found.iloc[:, k]) and found.iloc[:, k].isna().any() and _two_letters(found.iloc[:, k])
    ]
    if not wanted:
        return found
    raw = pd.read_csv(
        path, encoding="utf-8-sig", dtype=str, keep_default_na=False, usecols=wanted, index_col=False
    )
    for k, name in zip(wanted, raw.columns, strict=True):
        namibia = raw[name].map(clean) == _NA
        if namibia.any():
            column = found.iloc[:, k].astype(object)
            found = found.assign(**{str(found.columns[k]): column.mask(namibia.to_numpy(), _NA)})
    return found


def _two_letters(values: pd.Series) -> bool:
    """Whether every label except NA is a code of two capital letters, and there is one."""
    labels = {clean(v) if isinstance(v, str) else "" for v in values.dropna().unique()} - {_NA, *_MISSING}
    others = [v for v in values.dropna().unique() if not isinstance(v, str)]
    return bool(labels) and not others and all(_CODE.fullmatch(label) for label in labels)


def _cells(text: str, sign: str, shown: str, first: int) -> pd.DataFrame:
    """Cells as text, rows that do not fit the header reported by line; first: first line of the text."""
    import pandas as pd

    (line, header), *rows = _rows(text, sign, shown, first)
    header = [clean(cell) for cell in header]
    while len(header) > 1 and not header[-1] and not any("".join(r[len(header) - 1 :]) for _, r in rows):
        header.pop()
    faults = _unfitting(rows, len(header), sign, shown) or [
        Fault(f"{shown} line {line}", f"column {quoted(name)} appears twice", "keep one")
        for name in sorted({name for name in header if name and header.count(name) > 1})[:_NAMED]
    ]
    if faults:
        raise DataError("the data cannot be read", faults)
    names = [name or f"Unnamed: {k}" for k, name in enumerate(header)]
    return pd.DataFrame([row[: len(header)] for _, row in rows], columns=names, dtype=object)


def _rows(text: str, sign: str, shown: str, first: int) -> list[tuple[int, list[str]]]:
    """Rows with a filled cell and the line each begins on, the header first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    rows: list[tuple[int, list[str]]] = []
    begin = first
    try:
        for cells in reader:
            if any(cells):
                rows.append((begin, cells))
            begin = reader.line_num + first
    except csv.Error as error:
        fault = Fault(f"{shown} line {begin}", str(error), "check the quotes of this line")
        raise DataError("the data cannot be read", [fault]) from None
    if not rows:
        raise DataError("the data cannot be read", [Fault(shown, "is empty", "give it a header and rows")])
    return rows


def _unfitting(rows: Sequence[tuple[int, list[str]]], wide: int, sign: str, shown: str) -> list[Fault]:
    """Rows with too few cells, or with filled ones beyond the header; the first few listed."""
    wrong = [(line, len(row)) for line, row in rows if len(row) < wide or any(map(str.strip, row[wide:]))]
    cure = "put cells that hold the separator in double quotes, and give every row all cells"
    if sign == ",":
        cure = "a decimal comma? write points, or separate cells with semicolons"
    faults = [
        Fault(f"{shown} line {line}", f"{n} cells under {wide} columns", cure) for line, n in wrong[:_NAMED]
    ]
    if len(wrong) > _NAMED:
        left = f"{len(wrong) - _NAMED:,} more rows of another length than the header"
        faults.append(Fault(shown, left, "correct these first"))
    return faults


# ---- numbers ---------------------------------------------------------------------------------------


def _kind(text: Any) -> str:
    """Kind of a cell: missing, whole, point or comma (with ? where it may separate thousands) ..."""
    if not isinstance(text, str):
        number = isinstance(text, int | float | np.number) and not isinstance(text, bool | np.bool_)
        return "whole" if number else "other"
    if text in _MISSING:
        return "missing"
    if _WHOLE.fullmatch(text):
        return "whole"
    decimal = _DECIMAL.fullmatch(text)
    if decimal is not None and (decimal[1] or decimal[3]):
        before, after = decimal[1], decimal[3]
        unsure = 1 <= len(before) <= 3 and before[0] != "0" and len(after) == 3 and not decimal[4]
        return ("comma" if decimal[2] == "," else "point") + ("?" if unsure else "")
    return "grouped" if _GROUPED.fullmatch(text) else "other"


@dataclass(frozen=True)
class _TextColumn:
    """A column of text: its position, the level of each row (-1 for none), the levels and their kinds.

    blanks: whether blanks between thousands were removed from its levels.
    """

    place: int
    codes: NDArray[np.intp]
    levels: list[Any]
    kinds: set[str]
    blanks: bool

    def shows(self, mark: str) -> bool:
        """Whether a number of it can only be read with this decimal mark: point or comma."""
        return mark in self.kinds and "other" not in self.kinds


def _typed(
    frame: pd.DataFrame, shown: str, how: Sequence[str], *, strict: bool
) -> tuple[pd.DataFrame, list[str]]:
    """Columns of text that hold numbers as numbers, and notes on how the file was read.

    strict: a point before three digits may separate thousands too, as in files with semicolons.
    """
    columns, namibia = _text_columns(frame)
    # Numbers of one file are written in one way: the mark in one column decides ambiguous ones.
    commas = any(one.shows("comma") for one in columns)
    points = any(one.shows("point") for one in columns) or _has_fractions(frame)
    changed: dict[str, Any] = {}
    decimal_commas = False
    for one in columns:
        name = str(frame.columns[one.place])
        mark = _mark(one.kinds, commas, points, strict)
        new = _numbers(one.levels, one.kinds, mark)
        if new is not None:
            decimal_commas = decimal_commas or mark == ","
            changed[name] = _taken(new, one.codes, frame.index)
        elif any(isinstance(v, str) and v in _MISSING for v in one.levels):
            changed[name] = _without_missing(frame.iloc[:, one.place], one)
    how = [*how, *(["decimal commas"] if decimal_commas else [])]
    how += ["blanks between thousands"] if any(one.blanks for one in columns) else []
    notes = [f"{shown}: {', '.join(how)}"] if how else []
    if namibia:
        notes.append(f"{shown}: NA is read as a two-letter code (Namibia) in {', '.join(namibia)}")
    return (frame.assign(**changed) if changed else frame), notes


def _text_columns(frame: pd.DataFrame) -> tuple[list[_TextColumn], list[str]]:
    """The columns of text that may hold numbers, and those of two-letter codes with NA, for a note."""
    import pandas as pd

    found: list[_TextColumn] = []
    namibia: list[str] = []
    for k in range(frame.shape[1]):
        values = frame.iloc[:, k]
        if not _is_text(values):
            continue
        codes, labels = pd.factorize(values)
        levels = [clean(v).replace("\u2212", "-") if isinstance(v, str) else v for v in labels]
        if _NA in levels and _two_letters(values):
            rows = int(np.isin(codes, [n for n, v in enumerate(levels) if v == _NA]).sum())
            namibia.append(f"{frame.columns[k]} ({rows:,} rows)")
            continue
        levels = ["" if isinstance(v, str) and v == _NA else v for v in levels]
        found.append(_text_column(k, codes, levels))
    return found, namibia


def _text_column(place: int, codes: NDArray[np.intp], levels: list[Any]) -> _TextColumn:
    """A column with the kinds of its levels; blanks between thousands are removed if only numbers remain."""
    bare = [re.sub("[ '’]", "", v) if isinstance(v, str) and _BY_BLANKS.fullmatch(v) else v for v in levels]
    kinds = {_kind(v) for v in bare}
    if kinds & {"other", "grouped"} or kinds == {"missing"}:
        return _TextColumn(place, codes, levels, kinds, False)
    return _TextColumn(place, codes, bare, kinds, bare != levels)


def _has_fractions(frame: pd.DataFrame) -> bool:
    """Whether a column read as numbers has some that are not whole."""
    import pandas as pd

    return any(
        pd.api.types.is_float_dtype(frame.dtypes.iloc[k]) and bool((frame.iloc[:, k].dropna() % 1 != 0).any())
        for k in range(frame.shape[1])
    )


def _without_missing(values: pd.Series, column: _TextColumn) -> pd.Series:
    """A column that stays text, with None for levels that mean no value."""
    gone = np.array([isinstance(v, str) and v in _MISSING for v in column.levels], dtype=np.bool_)
    hit = (column.codes >= 0) & gone[column.codes]
    return values.astype(object).mask(hit, None)


def _mark(kinds: set[str], commas: bool, points: bool, strict: bool) -> str | None:
    """The decimal mark of a column; None where it is ambiguous, or not all values are numbers."""
    found = {kind[0] for kind in kinds if kind.startswith(("comma", "point"))}
    if kinds & {"other", "grouped"} or len(found) > 1:
        return None
    if not found:
        return "."
    if found == {"c"}:
        return "," if "comma" in kinds or (commas and not points) else None
    return "." if "point" in kinds or (not commas and (points or not strict)) else None


def _numbers(levels: Sequence[Any], kinds: set[str], mark: str | None) -> Any:
    """The levels of a column as numbers or as true and false; None where they are text."""
    import pandas as pd

    texts = [v for v in levels if isinstance(v, str)]
    if len(texts) == len(levels) and texts and all(v in _YES_NO for v in texts):
        return np.array([_YES_NO[v] for v in texts], dtype=np.bool_)
    if mark is None:
        return None
    plain = [(np.nan if v in _MISSING else v.replace(",", ".")) if isinstance(v, str) else v for v in levels]
    try:
        return np.asarray(pd.to_numeric(pd.Series(plain, dtype=object)))
    except (ValueError, TypeError, OverflowError):
        return None


def _taken(new: Any, codes: Any, index: Any) -> pd.Series:
    """The values of the rows of a column from those of its levels; a missing code gives NaN."""
    import pandas as pd

    if (codes < 0).any() or not len(new):
        if new.dtype == np.bool_:
            return pd.Series(np.where(codes < 0, None, new.astype(object)[codes]), index=index)
        wide = np.append(new.astype(np.float64), np.nan)
        return pd.Series(wide[codes], index=index)
    return pd.Series(new[codes], index=index)
