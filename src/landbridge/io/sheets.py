"""Tables for other programs as bytes: an Excel workbook, a Parquet file and a Stata file.

Text is written as text: a cell that begins with "=" is not a formula, and an address is not a link.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from landbridge.io.optional import need

__all__ = ["Sheet", "dta_bytes", "parquet_bytes", "xlsx_bytes"]

# Date of the workbook, constant so that the same result gives the same file.
_EPOCH = datetime(1980, 1, 1, tzinfo=UTC)
_WIDEST = 60
# Longest name and label of a Stata variable, and longest text that is not a strL [bytes].
_LONGEST_NAME, _LONGEST_LABEL, _LONGEST_TEXT = 32, 80, 2045
# Words that cannot be names of Stata variables.
_RESERVED = frozenset(
    (
        *("aggregate", "array", "boolean", "break", "byte", "case", "catch", "class", "colvector"),
        *("complex", "const", "continue", "default", "delegate", "delete", "do", "double", "else"),
        *("eltypedef", "end", "enum", "explicit", "export", "external", "float", "for", "friend"),
        *("function", "global", "goto", "if", "in", "inline", "int", "local", "long"),
        *("NULL", "pragma", "protected", "quad", "rowvector", "short", "strL", "typedef", "typename"),
        *("using", "virtual", "with", "_all", "_b", "_coef", "_cons", "_N", "_n"),
        *("_pi", "_pred", "_rc", "_skip"),
    )
)


@dataclass(frozen=True)
class Sheet:
    """A table: names of the columns, a unit under each (may be blank), rows of text, numbers and None."""

    name: str
    columns: tuple[str, ...]
    units: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


def xlsx_bytes(about: Sequence[tuple[str, str]], sheets: Sequence[Sheet]) -> bytes:
    """A workbook: a README of topics and texts, then one sheet per table, with units in the second row.

    about: topics and texts; sheets: the tables. Raises LandbridgeError where XlsxWriter is missing.
    """
    writer = need("xlsxwriter", "XlsxWriter", "excel", "an .xlsx file")
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = writer.Workbook(out, options)
    book.set_properties({"title": "landbridge", "created": _EPOCH.replace(tzinfo=None)})
    head = book.add_format({"bold": True, "bottom": 1})
    unit = book.add_format({"italic": True, "font_color": "#555555"})
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    page = book.add_worksheet("README")
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 110)
    for line, (topic, text) in enumerate(about):
        page.write_string(line, 0, topic, bold)
        page.write_string(line, 1, text, wrapped)
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        for column, (name, of) in enumerate(zip(sheet.columns, sheet.units, strict=True)):
            page.write_string(0, column, name, head)
            page.write_string(1, column, of, unit)
            words = [len(str(row[column])) for row in sheet.rows if isinstance(row[column], str)]
            page.set_column(column, column, min(_WIDEST, 2 + max([len(name), len(of), *words])))
        for line, row in enumerate(sheet.rows, start=2):
            for column, cell in enumerate(row):
                if isinstance(cell, bool):
                    page.write_string(line, column, "yes" if cell else "no")
                elif isinstance(cell, int | float):
                    page.write_number(line, column, cell)
                elif cell is not None:
                    page.write_string(line, column, str(cell))
        page.freeze_panes(2, 1)
    book.close()
    return out.getvalue()


def parquet_bytes(columns: Mapping[str, Sequence[Any]], about: Mapping[str, str]) -> bytes:
    """A Parquet file with columns of text or float64, None for blank cells.

    columns: by name, of equal length; about: metadata of its schema. Raises LandbridgeError where pyarrow is
    missing.
    """
    arrow = need("pyarrow", "pyarrow", "parquet", "a .parquet file")
    parquet = need("pyarrow.parquet", "pyarrow", "parquet", "a .parquet file")
    arrays = {}
    for name, values in columns.items():
        number = all(value is None or isinstance(value, float) for value in values)
        arrays[name] = arrow.array(values, type=arrow.float64() if number else arrow.string())
    table = arrow.table(arrays).replace_schema_metadata({key: text for key, text in about.items()})
    out = io.BytesIO()
    parquet.write_table(table, out, compression="zstd")
    return out.getvalue()


def dta_bytes(columns: Mapping[str, Sequence[Any]], label: str) -> bytes:
    """A Stata file (version 14 and later) with columns of text or float64, None for blank cells.

    columns: by name, of equal length; label: of the file. Names are cut to the 32 letters, digits and
    underscores that Stata allows, and stay distinct.
    """
    import pandas as pd

    names: dict[str, str] = {}
    for name in columns:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        plain = (f"_{plain}" if plain in _RESERVED or plain[:1].isdigit() else plain)[:_LONGEST_NAME]
        if plain in names.values():
            end = f"_{len(names)}"
            plain = plain[: _LONGEST_NAME - len(end)] + end
        names[name] = plain
    held: dict[str, Any] = {}
    long: list[str] = []
    for name, values in columns.items():
        if all(value is None or isinstance(value, float) for value in values):
            held[names[name]] = pd.Series(values, dtype="float64")
        else:
            held[names[name]] = pd.Series(
                ["" if value is None else str(value) for value in values], dtype=object
            )
    out = io.BytesIO()
    pd.DataFrame(held).to_stata(
        out,
        write_index=False,
        version=118,
        convert_strl=long,
        time_stamp=_EPOCH.replace(tzinfo=None),
        data_label=label[:_LONGEST_LABEL],
        variable_labels={names[name]: name[:_LONGEST_LABEL] for name in columns},
    )
    return out.getvalue()
