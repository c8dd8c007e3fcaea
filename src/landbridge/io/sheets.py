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
from landbridge.phrases import width

__all__ = [
    "Block",
    "Chart",
    "Page",
    "Sheet",
    "dta_bytes",
    "parquet_bytes",
    "sheet_names",
    "xlsx_bytes",
]

# Date of the workbook, constant so that the same result gives the same file.
_EPOCH = datetime(1980, 1, 1, tzinfo=UTC)
_WIDEST = 60
# Of a page: width of a column of figures [characters], rows that a chart takes at least, height of one.
_FIGURE_WIDTH, _CHART_ROWS, _ROW_PIXELS = 11, 16, 20
# Of the names of sheets: the longest, letters that they may not have, and names that Excel keeps for itself.
_LONGEST_SHEET, _NO_NAME, _RESERVED_SHEETS = 31, re.compile(r"[\[\]:*?/\\\x00-\x1f]"), frozenset(("history",))
# Longest name and label of a Stata variable.
_LONGEST_NAME, _LONGEST_LABEL = 32, 80
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
    """A table: names of the columns, a unit under each (may be blank), rows of text, numbers and None.

    units: of the columns; formats: how numbers of each column are shown, as Excel writes it, "" for its own
    way; row_formats: the same for each row, where rows differ; notes: what each column means, shown over its
    name; fixed: columns that stay in sight.
    """

    name: str
    columns: tuple[str, ...]
    units: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    formats: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fixed: int = 1
    row_formats: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Chart:
    """Bars of some columns of a block: `count` rows from row `first`, named by column `names`.

    title: over the chart; values: columns, a series each; labels: their names; axis: what the bars measure.
    """

    title: str
    axis: str
    names: int
    values: tuple[int, ...]
    labels: tuple[str, ...]
    first: int
    count: int


@dataclass(frozen=True)
class Block:
    """A part of a page: a title, sentences before a table, and its chart.

    columns: headings of the table; rows: of text, numbers and None; formats: of the numbers of each column.
    """

    title: str
    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[Any]] = ()
    formats: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    chart: Chart | None = None


@dataclass(frozen=True)
class Page:
    """A sheet for reading, by its name: a title, lead sentences under it, blocks below each other."""

    name: str
    title: str
    lead: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()


def sheet_names(wanted: Sequence[str]) -> list[str]:
    """Names that sheets may have, all different, as near to the wanted ones as can be."""
    found: list[str] = []
    for name in wanted:
        plain = whole = _NO_NAME.sub(" ", name).strip(" '")[:_LONGEST_SHEET] or "-"
        taken, number = {one.casefold() for one in found} | _RESERVED_SHEETS, 2
        while plain.casefold() in taken:
            end = f" {number}"
            plain, number = whole[: _LONGEST_SHEET - len(end)] + end, number + 1
        found.append(plain)
    return found


def xlsx_bytes(
    about: Sequence[tuple[str, str]],
    sheets: Sequence[Sheet],
    pages: Sequence[Page] = (),
    readme: str = "README",
) -> bytes:
    """A workbook: pages, then one sheet per table with units in the second row, and a README.

    about: topics and texts of the README; sheets: the tables; pages: for reading; readme: name of its sheet.
    The README comes first where there are no pages, else last. Raises LandbridgeError where XlsxWriter is
    missing.
    """
    writer = need("xlsxwriter", "XlsxWriter", "excel", "an .xlsx file")
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = writer.Workbook(out, options)
    book.set_properties({"title": "landbridge", "created": _EPOCH.replace(tzinfo=None)})
    made = _Formats(book)
    if not pages:
        _readme(book, readme, about, made)
    for page in pages:
        _page(book, page, made)
    for sheet in sheets:
        _table(book, sheet, made)
    if pages:
        _readme(book, readme, about, made)
    book.close()
    return out.getvalue()


class _Formats:
    """Formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def __call__(self, **wanted: Any) -> Any:
        key = tuple(sorted(wanted.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(wanted)
        return self._made[key]

    def number(self, form: str) -> Any:
        """The format of a number; None for that of Excel itself."""
        return self(num_format=form) if form else None


def _readme(book: Any, name: str, about: Sequence[tuple[str, str]], made: _Formats) -> None:
    page = book.add_worksheet(name)
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 110)
    bold, wrapped = made(bold=True, valign="top"), made(text_wrap=True, valign="top")
    for line, (topic, text) in enumerate(about):
        page.write_string(line, 0, topic, bold)
        page.write_string(line, 1, text, wrapped)


def _table(book: Any, sheet: Sheet, made: _Formats) -> None:
    page = book.add_worksheet(sheet.name)
    head, unit = made(bold=True), made(italic=True, font_color="#555555", bottom=1)
    forms = sheet.formats or ("",) * len(sheet.columns)
    for column, (name, of) in enumerate(zip(sheet.columns, sheet.units, strict=True)):
        page.write_string(0, column, name, head)
        page.write_string(1, column, of, unit)
        if sheet.notes and sheet.notes[column]:
            page.write_comment(0, column, sheet.notes[column], {"x_scale": 2, "author": "landbridge"})
        words = [width(str(row[column])) for row in sheet.rows if isinstance(row[column], str)]
        page.set_column(column, column, min(_WIDEST, 2 + max([len(name), min(len(of), 24), *words])))
    for number, row in enumerate(sheet.rows):
        shown = sheet.row_formats[number] if sheet.row_formats else forms
        for column, cell in enumerate(row):
            _put(page, number + 2, column, cell, made.number(shown[column]))
    page.freeze_panes(2, sheet.fixed)
    if sheet.formats and sheet.rows:
        page.autofilter(1, 0, len(sheet.rows) + 1, len(sheet.columns) - 1)


def _put(page: Any, line: int, column: int, cell: Any, form: Any) -> None:
    if isinstance(cell, bool):
        page.write_string(line, column, "yes" if cell else "no")
    elif isinstance(cell, int | float):
        page.write_number(line, column, cell, form)
    elif cell is not None:
        page.write_string(line, column, str(cell))


def _page(book: Any, page: Page, made: _Formats) -> None:
    sheet = book.add_worksheet(page.name)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, page.title, made(bold=True, font_size=14))
    line = 1
    for text in page.lead:
        sheet.write_string(line, 0, text, made(font_color="#555555"))
        line += 1
    head = made(bold=True, bottom=1, text_wrap=True, valign="bottom", align="right")
    words = made(bold=True, bottom=1, text_wrap=True, valign="bottom")
    for block in page.blocks:
        line += 1
        sheet.write_string(line, 0, block.title, made(bold=True, font_size=12, font_color="#1F4E79"))
        line += 1
        for text in block.before:
            sheet.write_string(line, 0, text)
            line += 1
        if not block.rows:
            continue
        for column, name in enumerate(block.columns):
            number = bool(block.formats[column])
            sheet.write_string(line, column, name, head if number else words)
        for down, row in enumerate(block.rows, start=line + 1):
            for column, cell in enumerate(row):
                _put(sheet, down, column, cell, made.number(block.formats[column]))
        high = 0 if block.chart is None else _chart(book, sheet, page.name, block, line)
        line += 1 + max(len(block.rows), high)
    for column, wide in enumerate(_page_widths(page)):
        sheet.set_column(column, column, wide)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _page_widths(page: Page) -> list[int]:
    """Widths of the columns of a page: words of its tables, and figures with their headings."""
    widths: list[int] = []
    for block in page.blocks:
        for column in range(len(block.columns) if block.rows else 0):
            words = [width(str(row[column])) for row in block.rows if isinstance(row[column], str)]
            longest = max([_FIGURE_WIDTH, *words]) + 1
            if column == len(widths):
                widths.append(_FIGURE_WIDTH)
            widths[column] = max(widths[column], min(longest, _WIDEST))
    return widths


def _chart(book: Any, sheet: Any, name: str, block: Block, head: int) -> int:
    """Bars to the right of their table, in its order from the top; head: line of the headings.

    Returns how many rows it takes.
    """
    chart = block.chart
    assert chart is not None
    bars = book.add_chart({"type": "bar"})
    first, last = head + 1 + chart.first, head + chart.first + chart.count
    for values, label in zip(chart.values, chart.labels, strict=True):
        bars.add_series(
            {
                "name": label,
                "categories": [name, first, chart.names, last, chart.names],
                "values": [name, first, values, last, values],
                "gap": 40,
            }
        )
    bars.set_title({"name": chart.title, "name_font": {"size": 11}})
    bars.set_y_axis({"reverse": True, "label_position": "low", "major_gridlines": {"visible": False}})
    bars.set_x_axis({"name": chart.axis, "label_position": "high", "name_font": {"bold": False}})
    if len(chart.values) == 1:
        bars.set_legend({"none": True})
    else:
        bars.set_legend({"position": "bottom"})
    high = max(_CHART_ROWS, 6 + chart.count * len(chart.values))
    bars.set_size({"width": 560, "height": high * _ROW_PIXELS})
    sheet.insert_chart(head, len(block.columns) + 1, bars)
    return high


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
        time_stamp=_EPOCH.replace(tzinfo=None),
        data_label=label[:_LONGEST_LABEL],
        variable_labels={names[name]: name[:_LONGEST_LABEL] for name in columns},
    )
    return out.getvalue()
