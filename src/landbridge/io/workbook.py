"""A spreadsheet to fill in: a user's own surveys of borders, links, rates and container flows.

`write_template` makes the workbook from schema.csv; `read_workbook` reads a filled one, cell by cell,
and `merge` puts its rows into a World. Formulas are never evaluated or written: a cell with a formula, or
with text that a spreadsheet would take for one, is a fault.
"""

from __future__ import annotations

import warnings
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.errors import DataError, Fault, LandbridgeError, did_you_mean
from landbridge.io.files import MAX_BYTES, read_bytes, write_bytes
from landbridge.io.optional import cure
from landbridge.world import World
from landbridge.world.table import Cell, Column, Table, columns_of, quoted
from landbridge.world.validate import KEYS, check_cells, check_network, spelled, where

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = [
    "OWN_RULE",
    "SHEETS",
    "Filled",
    "cell_text",
    "check_new",
    "merge",
    "open_workbook",
    "read_workbook",
    "require_openpyxl",
    "write_template",
]

# Sheet -> the table it fills.
SHEETS: Mapping[str, str] = {
    "borders": "crossings",
    "links": "links",
    "rates": "rates",
    "od_demand": "od_demand",
}
# Filled by the merge, not by the user.
_LEFT_OUT = {"crossings": ("outbound_rule", "inbound_rule")}
OWN_RULE = "own survey"
FIRST_ROW = 3
MAX_SHEET_ROWS = 20_000
# Faults of a workbook that are listed; the others are counted.
MOST_FAULTS = 20
_FORM = (
    ("source", "Who found the figures, how and when (a survey, a report)"),
    ("year", "Year or years the figures refer to"),
    ("licence", "Licence under which others may use them, or: own use only"),
    ("attribution", "Line that is printed wherever the figures are used"),
)
_FORM_ROW = 12
_GUIDE = (
    "Own data for landbridge",
    "Fill in what you have: hours and fees at borders (borders), lines and roads (links), freight rates",
    "(rates), container flows from place to place (od_demand). One row for one figure; a row with the key",
    "of an existing row replaces it, any other row is added. Leave sheets blank that you do not need.",
    "Row 1 names the column, row 2 its unit; rows from 3 on are yours. Do not change rows 1 and 2.",
    "Columns in bold must be filled in every row. Comments on the names say what each means.",
    "Enter values, not formulas; numbers as numbers, without units. No merged cells, no dates.",
    "The sheet codes lists the identifiers of places, links, gateways and sectors.",
    "od_demand is kept with your World and its cards; the model takes its own demand from trade.",
    "Then: landbridge data import THIS_FILE.xlsx MY_WORLD, and: landbridge run --world MY_WORLD",
)


@dataclass
class Filled:
    """Contents of a workbook.

    tables: typed rows by table; places: of each row, by table, for faults; source: that it names.
    """

    tables: dict[str, list[dict[str, Cell]]] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)


def _columns(table: str) -> list[Column]:
    left_out = _LEFT_OUT.get(table, ())
    return [column for column in columns_of(table).values() if column.name not in left_out]


def require_openpyxl() -> None:
    """Raise LandbridgeError where openpyxl is missing."""
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        fault = Fault("openpyxl", "is not installed", f"install it: {cure('excel')}")
        raise LandbridgeError("spreadsheets need one more package", [fault]) from None


# -- the template ----------------------------------------------------------------------------------


def write_template(path: Path, world: World) -> None:
    """Write the empty workbook for a World; an existing file is never overwritten.

    path: a new .xlsx file; world: whose identifiers the workbook offers. Raises LandbridgeError where
    openpyxl is missing and DataError where the file exists.
    """
    require_openpyxl()
    from openpyxl import Workbook

    check_new(path)
    book = Workbook()
    for sheet in list(book.worksheets):
        book.remove(sheet)
    _readme(book.create_sheet("README"))
    for name in SHEETS:
        book.create_sheet(name)
    ranges = _codes(book, world)
    for name, table in SHEETS.items():
        _sheet(book[name], table, ranges)
    out = BytesIO()
    book.save(out)
    write_bytes(path, out.getvalue())


def check_new(path: Path) -> None:
    """Raise DataError where a path is no new .xlsx file."""
    if path.suffix != ".xlsx":
        raise DataError("nothing was written", [Fault(str(path), "is no .xlsx", "let the name end in .xlsx")])
    if path.exists():
        fault = Fault(str(path), "is there already", "give a new name: nothing is overwritten")
        raise DataError("nothing was written", [fault])


def _readme(sheet: Worksheet) -> None:
    from openpyxl.styles import Alignment, Font

    for number, text in enumerate(_GUIDE, start=1):
        sheet.cell(number, 1, text).font = Font(bold=number == 1, size=14 if number == 1 else 11)
    for number, (name, text) in enumerate(_FORM):
        sheet.cell(_FORM_ROW + number, 1, name).font = Font(bold=True)
        sheet.cell(_FORM_ROW + number, 2).number_format = "@"
        sheet.cell(_FORM_ROW + number, 3, text).alignment = Alignment(wrap_text=True)
    sheet.cell(_FORM_ROW - 1, 1, "Fill in column B once any sheet is filled:").font = Font(italic=True)
    for letter, width in (("A", 18), ("B", 60), ("C", 60)):
        sheet.column_dimensions[letter].width = width


def _codes(book: Workbook, world: World) -> dict[str, str]:
    """A sheet of identifiers with names; returns the cell ranges that references are chosen from."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet("codes")
    lists: dict[str, list[tuple[str, str]]] = {
        "places.place_id": [
            (str(r["place_id"]), f"{r['name']} ({r['country']})") for r in world.network["places"]
        ],
        "gateways.gateway_id": [(str(r["gateway_id"]), str(r["name"])) for r in world.network["gateways"]],
        "links.link_id": [
            (str(r["link_id"]), f"{r['from_place']} - {r['to_place']}, {r['mode']}")
            for r in world.network["links"]
        ],
        "sectors.sector": [(str(r["sector"]), str(r["name"])) for r in world.sectors],
    }
    ranges = {}
    for number, (key, rows) in enumerate(lists.items()):
        at = 1 + 2 * number
        sheet.cell(1, at, key.split(".")[1]).font = Font(bold=True)
        sheet.cell(1, at + 1, "what it is")
        for line, (code, name) in enumerate(rows, start=2):
            sheet.cell(line, at).value = _harmless(code)
            sheet.cell(line, at + 1).value = _harmless(name)
        letter = get_column_letter(at)
        ranges[key] = f"codes!${letter}$2:${letter}${len(rows) + 1}"
        sheet.column_dimensions[letter].width = 26
        sheet.column_dimensions[get_column_letter(at + 1)].width = 40
    sheet.freeze_panes = "A2"
    return ranges


def _harmless(text: str) -> str:
    """A name of a user's World as text that is not a formula in the template."""
    return text.lstrip("=+-@\t\r ")


def _sheet(sheet: Worksheet, table: str, ranges: Mapping[str, str]) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    grey = PatternFill("solid", fgColor="EEEEEE")
    for at, column in enumerate(_columns(table), start=1):
        letter = get_column_letter(at)
        head, unit = sheet.cell(1, at, column.name), sheet.cell(2, at, _unit(column))
        head.font, head.fill = Font(bold=column.required), grey
        unit.font, unit.fill = Font(italic=True, color="555555"), grey
        told = f"{'Required. ' if column.required else ''}{column.description}"
        head.comment = Comment(told, "landbridge")
        sheet.column_dimensions[letter].width = max(12, min(40, len(column.name) + 6))
        if column.type not in ("float", "int"):
            sheet.column_dimensions[letter].number_format = "@"
            for line in range(FIRST_ROW, FIRST_ROW + 200):
                sheet.cell(line, at).number_format = "@"
        _validation(sheet, f"{letter}{FIRST_ROW}:{letter}{MAX_SHEET_ROWS}", column, ranges)
    sheet.freeze_panes = f"A{FIRST_ROW}"


def _unit(column: Column) -> str:
    if column.unit:
        return column.unit
    if column.allowed:
        return "one of the list"
    return {"float": "number", "int": "whole number", "id": "identifier"}.get(column.type, "text")


def _validation(sheet: Worksheet, cells: str, column: Column, ranges: Mapping[str, str]) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    blank = not column.required
    reference = ".".join(column.references) if column.references else ""
    if column.allowed:
        rule = DataValidation(type="list", formula1=f'"{",".join(column.allowed)}"', allow_blank=blank)
        rule.error = f"Choose one of {', '.join(column.allowed)}"[:220]
    elif reference in ranges:
        rule = DataValidation(type="list", formula1=ranges[reference], allow_blank=blank)
        rule.error = f"Choose a {column.name} of the sheet codes"
        # Places may also be given by name, and a new link has a new identifier.
        rule.errorStyle = "warning"
    elif column.type in ("float", "int"):
        low, high = column.minimum, column.maximum
        rule = DataValidation(
            type="decimal" if column.type == "float" else "whole",
            operator="between",
            formula1=f"{low if low is not None else -1e15:.15g}",
            formula2=f"{high if high is not None else 1e15:.15g}",
            allow_blank=blank,
        )
        rule.error = f"Give a number in {_unit(column)}"
    else:
        return
    rule.errorTitle, rule.showErrorMessage, rule.showInputMessage = column.name, True, True
    rule.promptTitle, rule.prompt = column.name[:32], column.description[:250]
    sheet.add_data_validation(rule)
    rule.add(cells)


# -- a filled workbook -----------------------------------------------------------------------------


def read_workbook(path: Path) -> Filled:
    """The rows of a filled workbook, typed and checked against the schema.

    path: a filled template. Raises LandbridgeError where openpyxl is missing, and DataError with every fault:
    its sheet, its cell and a cure.
    """
    require_openpyxl()
    book = open_workbook(path)
    faults: list[Fault] = []
    filled = Filled()
    known = ("README", *SHEETS, "codes")
    for name in book.sheetnames:
        if name not in known:
            cure = did_you_mean(name, known) or f"the sheets are {', '.join(SHEETS)}"
            faults.append(Fault(f"sheet {quoted(name)}", "is not a sheet of the template", cure))
    for name, table in SHEETS.items():
        if name in book.sheetnames:
            faults += _read_sheet(book[name], name, table, filled)
    faults += _read_form(book, filled)
    if not faults and not any(filled.tables.values()):
        cure = f"fill in a row of {', '.join(SHEETS)}"
        faults.append(Fault(path.name, "holds no row", cure))
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise DataError(f"{path.name} has {count}", spelled(faults, path.name, MOST_FAULTS))
    return filled


def open_workbook(path: Path) -> Workbook:
    """The workbook of a user at a path. Raises DataError for a file that is none, or unpacks to too much."""
    from openpyxl import load_workbook

    raw = read_bytes(path)
    cure = "save it from the spreadsheet program as .xlsx"
    if path.suffix.lower() != ".xlsx":
        raise DataError("not a workbook", [Fault(path.name, "is no .xlsx file", cure)])
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_BYTES:
                fault = Fault(path.name, "unpacks to more than 200 MB", "copy the rows to a new template")
                raise DataError("a file is too large", [fault])
            for part in archive.infolist():
                if b"<!DOCTYPE" in archive.read(part)[:4096]:
                    fault = Fault(path.name, f"{part.filename} declares entities", cure)
                    raise DataError("not a workbook", [fault])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return load_workbook(BytesIO(raw), data_only=False, keep_links=False)
    except DataError:
        raise
    except Exception as error:  # any error that a broken archive or part raises in the parsers
        fault = Fault(path.name, f"cannot be read as a workbook ({quoted(str(error), 80)})", cure)
        raise DataError("not a workbook", [fault]) from None


def _read_form(book: Workbook, filled: Filled) -> list[Fault]:
    if not any(filled.tables.values()):
        return []
    if "README" not in book.sheetnames:
        return [Fault("sheet README", "is missing", "fill in a fresh template: it names the source")]
    sheet, faults = book["README"], []
    for number, (name, told) in enumerate(_FORM):
        place = f"sheet README, cell B{_FORM_ROW + number}"
        text, fault = cell_text(sheet.cell(_FORM_ROW + number, 2), place, name, is_text=True)
        if fault is None and not text.strip():
            fault = Fault(place, f"{name} is empty", told)
        if fault:
            faults.append(fault)
        filled.source[name] = text.strip()
    return faults


def _read_sheet(sheet: Worksheet, name: str, table: str, filled: Filled) -> list[Fault]:
    columns = _columns(table)
    if sheet.max_row > MAX_SHEET_ROWS or sheet.max_column > 200:
        what = f"reaches to row {sheet.max_row:,} and column {sheet.max_column}"
        return [Fault(f"sheet {name}", what, "delete the empty rows and columns beyond your own")]
    faults = [
        Fault(f"sheet {name}, cells {merged.coord}", "are merged", "unmerge them and fill each cell")
        for merged in list(sheet.merged_cells.ranges)[:50]
    ]
    header: list[str] = []
    for cell in sheet[1]:
        text, fault = cell_text(cell, f"sheet {name}, cell {cell.coordinate}", "name", is_text=True)
        header.append(text.strip())
        if fault:
            faults.append(fault)
    heading = _heading(sheet, name, header, columns)
    faults += heading
    if heading:
        return faults
    rows, places = filled.tables.setdefault(table, []), filled.places.setdefault(table, [])
    for cells in sheet.iter_rows(min_row=FIRST_ROW):
        if all(_is_blank(cell.value) for cell in cells):
            continue
        row, wrong = _read_row(cells, name, table, header)
        faults += wrong
        rows.append(row)
        places.append(f"sheet {name}, row {cells[0].row}")
    return faults


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _read_row(
    cells: Sequence[Any], name: str, table: str, header: Sequence[str]
) -> tuple[dict[str, Any], list[Fault]]:
    """One row of a table, and its faults by cell of the sheet."""
    by_name = {column.name: column for column in _columns(table)}
    texts: dict[str, str] = {}
    at: dict[str, str] = {}
    faults: list[Fault] = []
    for word, cell in zip(header, cells, strict=False):
        place = f"sheet {name}, cell {cell.coordinate}"
        column = by_name.get(word)
        if column is None:
            if cell.value is not None:
                faults.append(Fault(place, "has no column name above it", "delete it"))
            continue
        texts[word], fault = cell_text(cell, place, word, is_text=column.type not in ("float", "int"))
        at[word] = place
        if fault:
            faults.append(fault)
    row, found = check_cells(table, texts, "cell")
    for fault in found:
        word = fault.where.removeprefix("cell, ")
        # A cell with a fault is blank here only because it was not read.
        if word in by_name and not any(f.where == at.get(word) for f in faults):
            faults.append(Fault(at.get(word, f"sheet {name}"), fault.what, fault.cure))
    return row, faults


def _heading(sheet: Worksheet, name: str, header: list[str], columns: Sequence[Column]) -> list[Fault]:
    """Faults of the first two rows: missing, unknown or repeated names, changed units."""
    from openpyxl.utils import get_column_letter

    known = {column.name: column for column in columns}
    faults = []
    for at, word in enumerate(header, start=1):
        place = f"sheet {name}, cell {get_column_letter(at)}1"
        if word and header.index(word) != at - 1:
            faults.append(Fault(place, f"column {quoted(word)} appears twice", "keep one"))
        elif word and word not in known:
            cure = did_you_mean(word, known) or "delete the column"
            faults.append(Fault(place, f"no column {quoted(word)}", cure))
        elif word:
            cell = sheet.cell(2, at)
            unit, fault = cell_text(cell, f"sheet {name}, cell {cell.coordinate}", "unit", is_text=True)
            if fault is None and unit.strip() != _unit(known[word]):
                what = f"the unit of {word} is {quoted(unit)}"
                cure = f"restore {_unit(known[word])!r} and give the figures in it"
                fault = Fault(f"sheet {name}, cell {cell.coordinate}", what, cure)
            if fault:
                faults.append(fault)
    missing = [c.name for c in columns if c.required and c.name not in header]
    if missing:
        faults.append(Fault(f"sheet {name}, row 1", "columns are missing", "add " + ", ".join(missing)))
    return faults


def cell_text(cell: Any, place: str, what: str, *, is_text: bool) -> tuple[str, Fault | None]:
    """The content of a cell as in a CSV file, or its fault (and then no text).

    place, what: of the cell, for its fault; is_text: whether its column holds words.
    """
    value = cell.value
    if value is None:
        return "", None
    if cell.data_type == "f" or not isinstance(value, str | int | float | date | time | timedelta):
        cure = "paste the value in its place: formulas are not evaluated"
        return "", Fault(place, f"{what} is a formula", cure)
    if cell.data_type == "e":
        return "", Fault(place, f"{what} is the error {value}", "enter the value, or leave the cell blank")
    if isinstance(value, date | time | timedelta):
        cure = "format the cell as text or number and enter the value again"
        return "", Fault(place, f"{what} is a date", cure)
    if isinstance(value, bool):
        return ("yes" if value else "no"), None
    if isinstance(value, int | float):
        if value != value or value in (float("inf"), float("-inf")):
            return "", Fault(place, f"{what} is {value}", "give a finite number, or leave the cell blank")
        whole = float(value).is_integer() and abs(value) < 1e15
        return (str(int(value)) if whole else repr(float(value))), None
    if is_text and value.lstrip(" \u00a0")[:1] in ("=", "+", "-", "@", "\t", "\r"):
        cure = "put a word before it: a spreadsheet would take this text for a formula"
        return "", Fault(place, f"{what} begins with {value.lstrip(' ')[:1]!r}", cure)
    if not is_text and value.lstrip()[:1] in ("=", "@"):
        return "", Fault(place, f"{what} is a formula", "paste the value in its place")
    return value, None


# -- into a World ----------------------------------------------------------------------------------


def merge(world: World, filled: Filled) -> tuple[World, dict[str, dict[str, int]], list[dict[str, str]]]:
    """The World with the rows of a workbook, counts of rows replaced and added, and rows for SOURCES.csv.

    world: the World; filled: from `read_workbook`. A row with the key of an existing row replaces it; places
    may be given by name.
    Raises DataError for unknown places, links and gateways, repeated keys, crossings that are not on their
    link, and every rule of the tables that the rows break, each by sheet and row.
    """
    faults: list[Fault] = []
    changed: dict[str, Table] = {}
    filled_at: dict[str, str] = {}
    counts: dict[str, dict[str, int]] = {}
    # Links first: a crossing may be on a link of the same workbook.
    for table in ("links", "rates", "crossings", "od_demand"):
        rows = filled.tables.get(table, [])
        if not rows:
            continue
        places = filled.places[table]
        rows = [_with_places(world, table, row, at, faults) for row, at in zip(rows, places, strict=True)]
        if table == "crossings":
            links = changed.get("links", world.network["links"])
            rows = [_crossing(world, links, row, at, faults) for row, at in zip(rows, places, strict=True)]
        if table == "od_demand":
            known = {str(row["sector"]) for row in world.sectors}
            faults += [
                Fault(
                    f"{at}, sector",
                    f"no sector {quoted(str(row['sector']))}",
                    f"use {', '.join(sorted(known))}",
                )
                for row, at in zip(rows, places, strict=True)
                if str(row["sector"]) not in known
            ]
        columns = tuple(columns_of(table))
        old = world.network.get(table, Table(table, columns, ()))
        keyed = {_key(table, row): row for row in old}
        before = set(keyed)
        seen: dict[tuple[str, ...], str] = {}
        for row, at in zip(rows, places, strict=True):
            key = _key(table, row)
            if key in seen:
                faults.append(Fault(at, f"has the key of {seen[key]}", "keep one of the two"))
            seen[key] = at
            keyed[key] = row
        counts[table] = {"replaced": len(before & set(seen)), "added": len(set(seen) - before)}
        changed[table] = Table(table, columns, tuple(keyed.values()))
        at_line = {key: where(table, n, row) for n, (key, row) in enumerate(keyed.items())}
        filled_at |= {at_line[key]: at for key, at in seen.items()}
    if faults:
        raise DataError("the workbook does not fit this World", spelled(faults, "workbook", MOST_FAULTS))
    new = world.with_network(**changed)
    faults = _broken_rules(world, new, filled_at)
    if faults:
        raise DataError("the workbook does not fit this World", spelled(faults, "workbook", MOST_FAULTS))
    sources = [
        {"table": table, **filled.source, "note": "own data, merged from a workbook"} for table in changed
    ]
    return new, counts, sources


def _broken_rules(world: World, new: World, filled_at: Mapping[str, str]) -> list[Fault]:
    """Faults of the tables caused by the merged rows, by sheet and row."""
    before = Counter((fault.what, fault.cure) for fault in check_network(world.network))
    faults = []
    for fault in check_network(new.network):
        kind = fault.what, fault.cure
        if before[kind] > 0:  # the World had it before; lines of its tables may have moved
            before[kind] -= 1
            continue
        row = next((row for row in filled_at if fault.where.startswith(row)), "")
        place = filled_at[row] + fault.where.removeprefix(row) if row else fault.where
        faults.append(Fault(place, fault.what, fault.cure))
    return faults


def _key(table: str, row: Mapping[str, Cell]) -> tuple[str, ...]:
    return tuple(str(row[column]) for column in KEYS[table])


def _with_places(
    world: World, table: str, row: Mapping[str, Cell], at: str, faults: list[Fault]
) -> dict[str, Cell]:
    """A row whose places are identifiers, given by name or id."""
    from landbridge.world.names import find_place

    out = dict(row)
    for column in columns_of(table).values():
        value = row[column.name]
        if column.references == ("places", "place_id") and value is not None:
            found, fault = find_place(world.network["places"], str(value), f"{at}, {column.name}")
            if fault:
                faults.append(fault)
            else:
                out[column.name] = found
    return out


def _crossing(
    world: World, links: Table, row: dict[str, Cell], at: str, faults: list[Fault]
) -> dict[str, Cell]:
    """A surveyed crossing with its rule; its gateway, link and direction must match."""
    link, gateway = str(row["link_id"]), str(row["gateway_id"])
    known = world.network["gateways"].by("gateway_id")
    if gateway not in known:
        cure = did_you_mean(gateway, known) or "the sheet codes lists the gateways"
        faults.append(Fault(f"{at}, gateway_id", f"no gateway {quoted(gateway)}", cure))
        return row
    used = sorted({str(r["link_id"]) for r in world.network["crossings"] if r["gateway_id"] == gateway})
    rows = links.by("link_id")
    if link not in rows:
        cure = f"its links are {', '.join(used)}" if used else "add it to the sheet links"
        faults.append(Fault(f"{at}, link_id", f"no link {quoted(link)}", cure))
        return row
    owner = {str(r["link_id"]): str(r["gateway_id"]) for r in world.network["crossings"]}
    if owner.get(link, gateway) != gateway:
        faults.append(
            Fault(f"{at}, gateway_id", f"link {link} belongs to {owner[link]}", f"write {owner[link]}")
        )
    ends = [str(rows[link]["from_place"]), str(rows[link]["to_place"])]
    if sorted((str(row["from_place"]), str(row["to_place"]))) != sorted(ends):
        what = f"link {link} does not join {row['from_place']} and {row['to_place']}"
        faults.append(Fault(f"{at}, from_place", what, f"it joins {' and '.join(ends)}"))
    road = rows[link]["mode"] == "road"
    if (row["product"] == "road") != road:
        cure = "write road" if road else "write block or wagonload"
        faults.append(
            Fault(f"{at}, product", f"{row['product']} does not use a {rows[link]['mode']} link", cure)
        )
    return {**row, "outbound_rule": OWN_RULE, "inbound_rule": OWN_RULE}
