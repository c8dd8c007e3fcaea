"""Writers by ending: one place for every `-o` of the command line, for Answer.save and for documents.

A result may have its own forms for some endings (a map, the long table of a run); the others are written here
from its document, its tables and its `--json` output.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from landbridge.errors import DataError, Fault
from landbridge.io.files import write_bytes
from landbridge.io.json_lines import json_text
from landbridge.io.optional import need
from landbridge.io.sheets import Page, Sheet, dta_bytes, parquet_bytes, sheet_names, xlsx_bytes
from landbridge.io.whole import harmless
from landbridge.phrases import Words
from landbridge.report.document import Document
from landbridge.report.html.elements import document_html
from landbridge.report.number_formats import column_format
from landbridge.report.plain import plain_text
from landbridge.results.tables import result_tables

__all__ = [
    "ENDINGS",
    "OF_DOCUMENTS",
    "Form",
    "Written",
    "check_ending",
    "content_of",
    "readme_of",
    "rows_csv",
    "workbook",
    "write",
]

Rows = Sequence[Mapping[str, Any]]
Form = Callable[[], str | bytes]

# Endings for a document alone, and for a result.
OF_DOCUMENTS = (".md", ".txt", ".html")
ENDINGS = (".json", ".csv", *OF_DOCUMENTS, ".xlsx", ".parquet", ".dta")
# Packages that an ending needs: module, package, extra.
_NEEDS = {
    ".xlsx": ("xlsxwriter", "XlsxWriter", "excel"),
    ".parquet": ("pyarrow.parquet", "pyarrow", "parquet"),
    ".omx": ("h5py", "h5py", "omx"),
}


class Written(Protocol):
    """A result that can be written: tables by name, a document, the JSON body, and forms by ending."""

    @property
    def command(self) -> str:
        """The command or study."""

    @property
    def rows(self) -> Mapping[str, Rows]:
        """The tables."""

    @property
    def forms(self) -> Mapping[str, Form]:
        """Own forms by ending."""

    def document(self, lang: str | None = None, most: int | None = None) -> Document:
        """Tables and sentences for readers; lang: of names, the chosen one where None; most: rows shown of a
        long table."""

    def words(self) -> Words:
        """The words of the language of its files."""

    def to_json(self) -> dict[str, Any]:
        """The output of `--json`."""


def check_ending(path: Path, own: Iterable[str] = (), among: Sequence[str] = ENDINGS) -> str:
    """The ending of a path, if it is known and its packages are installed.

    path: the file; among: known endings; own: further ones. Raises DataError that lists the endings,
    LandbridgeError where a package is missing.
    """
    known = tuple(dict.fromkeys((*among, *own)))
    if path.suffix not in known:
        fault = Fault(path.name, f"ends in {path.suffix or 'nothing'}", f"use {', '.join(known)}")
        raise DataError("the ending of a file chooses its format", [fault])
    if path.suffix in _NEEDS:
        need(*_NEEDS[path.suffix], f"a {path.suffix} file")
    return path.suffix


def content_of(what: Written | Document, ending: str) -> str | bytes:
    """The content of a file with an ending.

    what: the result or document; ending: such as ".csv". Raises KeyError for one that `check_ending` rejects.
    """
    if isinstance(what, Document):
        return _DOCUMENTS[ending](what, "landbridge")
    if ending in what.forms:
        return what.forms[ending]()
    if ending in _DOCUMENTS:
        return _DOCUMENTS[ending](what.document(), what.command)
    return _TABLES[ending](what)


def write(what: Written | Document, path: Path | str) -> Path:
    """Write a result or a document in the format named by the ending of the path. Returns the path.

    what: the result or document; path: of the file.
    .txt, .md, .html: the document. .json: as `--json` prints it. .csv, .parquet, .dta: the tables below each
    other, or a table of the result's own. .xlsx: one sheet per table. Raises DataError where the ending is
    unknown or the file cannot be written, LandbridgeError where a package is missing.
    """
    target = Path(path)
    if isinstance(what, Document):
        ending = check_ending(target, among=OF_DOCUMENTS)
    else:
        ending = check_ending(target, what.forms)
    content = content_of(what, ending)
    write_bytes(target, content.encode("utf-8") if isinstance(content, str) else content)
    return target


# -- tables --------------------------------------------------------------------------------------------


def rows_csv(rows: Rows) -> str:
    """CSV text of rows, with columns in order of first appearance.

    rows: cells by column. Cells that a row lacks are blank.
    """
    out = io.StringIO(newline="")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    # Unknown values stay empty.
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    return "" if value is None or value != value else value


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of plain cells: members of a nested table get columns of their own, a list becomes JSON."""
    out: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            out |= {f"{key}_{name}": cell for name, cell in _flat(value).items()}
        elif isinstance(value, list | tuple):
            out[key] = json.dumps(value, ensure_ascii=False)
        else:
            out[key] = value
    return out


def _below_each_other(what: Written) -> list[dict[str, Any]]:
    """The rows of all tables, with the name of the table first where there are several."""
    several = len(what.rows) > 1
    return [
        {"table": name, **_flat(row)} if several else _flat(row)
        for name, rows in what.rows.items()
        for row in rows
    ]


def _csv(what: Written) -> str:
    return rows_csv(_below_each_other(what))


def _columns(what: Written) -> dict[str, list[Any]]:
    """The rows of all tables as columns of numbers or of text."""
    rows = _below_each_other(what)
    columns: dict[str, list[Any]] = {key: [] for row in rows for key in row}
    for key, cells in columns.items():
        held = [row.get(key) for row in rows]
        number = all(cell is None or _is_number(cell) for cell in held)
        cells.extend(None if cell is None else float(cell) if number else str(cell) for cell in held)
    return columns


def _parquet(what: Written) -> bytes:
    about = {"command": what.command, "attribution": "\n".join(what.document().attribution)}
    return parquet_bytes(_columns(what), {f"landbridge.{key}": text for key, text in about.items()})


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _xlsx(what: Written) -> bytes:
    document = what.document()
    words, sheets = what.words(), []
    for name, rows in what.rows.items():
        flat = [_flat(row) for row in rows]
        columns = tuple(dict.fromkeys(key for row in flat for key in row))
        if not columns:
            continue
        table = result_tables().get(name)
        described = table is not None and set(columns) <= set(table.columns)
        cells = [[_shown(row.get(column), words) for column in columns] for row in flat]
        if table is None or not described:
            sheets.append(Sheet(name, columns, ("",) * len(columns), cells))
            continue
        units = [table.unit(column) for column in columns]
        shown = tuple(words.term("unit", unit) if unit else "" for unit in units)
        about = [(f"{name}.{column}", table.columns[column].description) for column in columns]
        notes = tuple(words.term("column", key, text) for key, text in about)
        sheets.append(Sheet(name, columns, shown, cells, tuple(map(column_format, units)), notes))
    return workbook(readme_of(what.command, document), sheets, (), words)


def _shown(cell: Any, words: Words) -> Any:
    """A cell of a sheet: phrases and names in the language of the words, all else as it is."""
    return words.of(cell) if isinstance(cell, str) else cell


def workbook(
    about: Sequence[tuple[str, str]], tables: Sequence[Sheet], pages: Sequence[Page], words: Words
) -> bytes:
    """A workbook whose sheets are called in the language of the words.

    about: topics and texts of the README; tables: by their names in English; pages: by those in the language;
    words: of the language. Returns the bytes of the file. Raises LandbridgeError where XlsxWriter is missing.
    """
    wanted = [*(words.term("table", table.name) for table in tables), words.say("sheet.readme")]
    # Tables keep their names, whatever a scenario is called.
    called = sheet_names([*wanted, *(page.name for page in pages)])
    held = [replace(one, name=name) for one, name in zip(tables, called, strict=False)]
    shown = [replace(one, name=name) for one, name in zip(pages, called[len(wanted) :], strict=True)]
    return xlsx_bytes(about, held, shown, called[len(tables)])


def readme_of(command: str, document: Document) -> list[tuple[str, str]]:
    """Topics and texts of the README of a workbook: the sentences of a document, its attribution last.

    command: that made it; document: of the result.
    """
    about = [("landbridge", command)]
    for section in document.sections:
        about += [(section.title, text) for text in (*section.before, *section.after)]
    topic = Words(document.lang).say("sheet.topic.attribution")
    return about + [(topic, line) for line in document.attribution]


_DOCUMENTS: Mapping[str, Callable[[Document, str], str]] = {
    ".txt": lambda document, _: plain_text(document),
    ".md": lambda document, _: document.markdown(),
    ".html": document_html,
}
_TABLES: Mapping[str, Callable[[Written], str | bytes]] = {
    ".json": lambda what: json_text(what.to_json()),
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".parquet": _parquet,
    ".dta": lambda what: dta_bytes(_columns(what), what.command),
}
