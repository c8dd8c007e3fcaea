"""A survey of a border as a spreadsheet: today's figures, and three columns to fill in for each.

`write_survey` makes the sheet from the tables of a World; `read_survey` reads a filled one and `merge_survey`
puts its figures into the World, with every other cell of their rows as it is today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.errors import DataError, Fault
from landbridge.io.files import write_bytes
from landbridge.io.whole import harmless
from landbridge.io.workbook import OWN_RULE, cell_text, check_new, open_workbook, require_openpyxl
from landbridge.phrases import Words
from landbridge.world import World
from landbridge.world.hours import with_hours
from landbridge.world.keys import KEYS, spelled
from landbridge.world.names import labels_of, resolve
from landbridge.world.table import Cell, Column, columns_of, quoted
from landbridge.world.validate import check_network

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["SHEET", "Surveyed", "is_survey", "merge_survey", "read_survey", "write_survey"]

# The sheet, which is found by this name in every language.
SHEET = "survey"
# Figures of each table that a survey may give.
_FIGURES: Mapping[str, tuple[str, ...]] = {
    "crossings": ("time_h", "cost_usd"),
    "gauge_changes": ("time_block_h", "time_wagonload_h", "cost_usd"),
    "ports": ("dwell_h", "sailing_wait_h", "cost_usd"),
}
# Rows of the sheet: its headings and the first figure. Columns: today's value, the three to fill in, the key.
_HEAD, _FIRST = 6, 7
_TODAY, _VALUE, _YEAR, _SOURCE, _KEY = 6, 7, 8, 9, 13
_WIDTHS = (30, 28, 36, 30, 10, 11, 14, 12, 36, 9, 9, 14, 16)
_YEARS = (1990, 2100)
_MOST_ROWS, _MOST_FAULTS = 2000, 20
_LICENCE = "own use only"


@dataclass(frozen=True)
class Surveyed:
    """A figure of a survey: its table, key and column, the new value, its year and source, and its place.

    today, value: the figure in the World and the new one, in the unit of the column.
    """

    table: str
    key: tuple[str, ...]
    column: str
    today: float
    value: float
    year: str
    source: str
    place: str


# -- the sheet to fill in ------------------------------------------------------------------------------


def write_survey(path: Path, world: World, gateways: Sequence[str], lang: str = "en") -> int:
    """Write the sheet of some borders or ports with the figures of today. Returns the number of figures.

    path: a new .xlsx file; world: the World; gateways: by identifier or name in any language; lang: of names.
    Raises LandbridgeError where openpyxl is missing, DataError for unknown gateways, for straits, which have
    no figures of their own, and where the file exists.
    """
    require_openpyxl()
    from openpyxl import Workbook

    check_new(path)
    chosen, faults = [], []
    for name in gateways:
        found, fault = resolve(world.tables, "gateway", name, "border")
        if fault is None and not any(str(row["gateway_id"]) == found for _, row, _ in _figures(world)):
            cure = "name a border or a port; `landbridge data card crossings --rows` lists them"
            fault = Fault("border", f"{found} has no hours or money of its own", cure)
        chosen.append(found)
        faults += [] if fault is None else [fault]
    if faults:
        raise DataError("nothing was written", faults)
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET
    number = _fill(sheet, world, chosen, Words(lang))
    out = BytesIO()
    book.save(out)
    write_bytes(path, out.getvalue())
    return number


def _figures(world: World) -> Iterator[tuple[str, Mapping[str, Cell], str]]:
    """Table, row and column of every figure that a survey may give."""
    for table, names in _FIGURES.items():
        for row in world.network[table]:
            for name in names:
                if row[name] is not None and row["gateway_id"] is not None:
                    yield table, row, name


def _fill(sheet: Worksheet, world: World, chosen: Sequence[str], words: Words) -> int:
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter

    sheet.cell(1, 1, words.say("survey.title")).font = Font(bold=True, size=14)
    for line, text in enumerate(
        (words.say("survey.fill"), words.say("survey.blank"), words.say("survey.then")), start=2
    ):
        sheet.cell(line, 1, text)
    grey, yellow = PatternFill("solid", fgColor="EEEEEE"), PatternFill("solid", fgColor="FFF6D5")
    for at, name in enumerate(words.columns("survey.columns"), start=1):
        head = sheet.cell(_HEAD, at, name)
        head.font, head.fill, head.alignment = Font(bold=True), grey, Alignment(wrap_text=True)
        sheet.column_dimensions[get_column_letter(at)].width = _WIDTHS[at - 1]
    names = {kind: labels_of(world.tables, kind, words.lang) for kind in ("gateway", "place")}
    line = _FIRST
    mine = [one for one in _figures(world) if str(one[1]["gateway_id"]) in chosen]
    for table, row, name in sorted(mine, key=lambda one: chosen.index(str(one[1]["gateway_id"]))):
        gateway = names["gateway"].get(str(row["gateway_id"]))
        cells = (
            gateway.text if gateway else row["gateway_id"],
            _what(table, row, name, words),
            _where(table, row, names["place"], words),
            words.say(f"survey.figure.{table}.{name}"),
            columns_of(table)[name].unit,
            row[name],
            *(None, None, None),
            *((row["time_low_h"], row["time_high_h"]) if name == "time_h" else (None, None)),
            row["basis"],
            _key(table, row, name),
        )
        for at, cell in enumerate(cells, start=1):
            put = sheet.cell(line, at)
            put.value = harmless(cell) if isinstance(cell, str) else cell
            if _VALUE <= at <= _SOURCE:
                put.fill, put.protection = yellow, Protection(locked=False)
        sheet.cell(line, _SOURCE).number_format = "@"
        line += 1
    _rules(sheet, line - 1, words)
    sheet.column_dimensions[get_column_letter(_KEY)].hidden = True
    sheet.freeze_panes = f"A{_FIRST}"
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False
    return line - _FIRST


def _what(table: str, row: Mapping[str, Cell], name: str, words: Words) -> str:
    """What passes: the product of a crossing, the product at a change of gauge, ships at a port."""
    if table == "crossings":
        return words.say(f"first.product.{row['product']}")
    if table == "gauge_changes":
        product = {"time_block_h": "block", "time_wagonload_h": "wagonload"}.get(name)
        return words.say(f"first.product.{product}") if product else words.say("survey.what.rail")
    return words.say("survey.what.port")


def _where(table: str, row: Mapping[str, Cell], places: Mapping[str, Any], words: Words) -> str:
    """The direction of a crossing, else the place."""

    def shown(place: Cell) -> str:
        found = places.get(str(place))
        return f"{place}" if found is None else f"{found.short} ({place})"

    if table == "crossings":
        return words.say("survey.direction", start=shown(row["from_place"]), end=shown(row["to_place"]))
    return shown(row["place_id"])


def _rules(sheet: Worksheet, last: int, words: Words) -> None:
    """A number of at least zero, and a year; a wrong entry is refused when it is typed."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    for at, low, high in ((_VALUE, 0, 20_000), (_YEAR, *_YEARS)):
        rule = DataValidation(
            type="whole" if at == _YEAR else "decimal",
            operator="between",
            formula1=str(low),
            formula2=str(high),
        )
        rule.error, rule.showErrorMessage, rule.allow_blank = (
            words.say("survey.number", low=low, high=high),
            True,
            True,
        )
        letter = get_column_letter(at)
        sheet.add_data_validation(rule)
        rule.add(f"{letter}{_FIRST}:{letter}{last}")


# -- a filled sheet ------------------------------------------------------------------------------------


def is_survey(path: Path) -> bool:
    """Whether the workbook at a path is a survey. Raises as `read_survey` for a file that is no workbook."""
    require_openpyxl()
    return SHEET in open_workbook(path).sheetnames


def read_survey(path: Path, world: World) -> list[Surveyed]:
    """The figures of a filled survey, in its order.

    path: the workbook; world: that it is to be merged into. Raises DataError with every fault, its cell and a
    cure: what is no number or out of bounds, a figure without year or source, a row that the World does not
    have, and figures of today that are others in this World. Raises LandbridgeError where openpyxl is
    missing.
    """
    require_openpyxl()
    sheet = open_workbook(path)[SHEET]
    faults: list[Fault] = []
    found: list[Surveyed] = []
    if sheet.max_row > _MOST_ROWS or sheet.max_column > 100:
        what = f"reaches to row {sheet.max_row:,} and column {sheet.max_column}"
        raise DataError(f"{path.name} has 1 fault", [Fault(SHEET, what, "fill in a fresh template")])
    known = {_key(table, row, name): row for table, row, name in _figures(world)}
    seen: dict[str, str] = {}
    for line in range(_FIRST, sheet.max_row + 1):
        own = [sheet.cell(line, at) for at in (_VALUE, _YEAR, _SOURCE)]
        if all(cell.value is None or not str(cell.value).strip() for cell in own):
            continue
        key = str(sheet.cell(line, _KEY).value or "")
        if key not in known:
            cure = "fill in a fresh template of this World; do not move cells"
            faults.append(Fault(f"sheet {SHEET}, row {line}", "is not a row of this World", cure))
            continue
        if key in seen:
            faults.append(Fault(f"sheet {SHEET}, row {line}", f"repeats {seen[key]}", "keep one of the two"))
            continue
        seen[key] = f"row {line}"
        one, wrong = _figure(sheet, line, key, known[key])
        faults += wrong
        found += [] if one is None else [one]
    if not found and not faults:
        faults.append(Fault(f"sheet {SHEET}", "holds no new value", "fill in the yellow cells of a row"))
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise DataError(f"{path.name} has {count}", spelled(faults, path.name, _MOST_FAULTS))
    return found


def _key(table: str, row: Mapping[str, Cell], name: str) -> str:
    return "|".join((table, *(str(row[key]) for key in KEYS[table]), name))


def _figure(
    sheet: Worksheet, line: int, key: str, row: Mapping[str, Cell]
) -> tuple[Surveyed | None, list[Fault]]:
    """A figure with its year and source, or its faults."""
    table, *keys, name = key.split("|")
    column, faults = columns_of(table)[name], []
    cells = {}
    for at, word in ((_VALUE, "new value"), (_YEAR, "year"), (_SOURCE, "source"), (_TODAY, "today")):
        cell = sheet.cell(line, at)
        cells[word] = (
            f"sheet {SHEET}, cell {cell.coordinate}",
            *cell_text(cell, f"sheet {SHEET}, cell {cell.coordinate}", word, is_text=word == "source"),
        )
    for word, (place, text, fault) in cells.items():
        if fault is not None:
            faults.append(fault)
        elif not text.strip():
            cure = {
                "new value": f"enter it in {column.unit}, or clear the year and the source",
                "year": "enter the year of the survey",
                "source": "say who found the figure and how",
                "today": "fill in a fresh template: the figure of today is missing",
            }[word]
            faults.append(Fault(place, f"{word} is empty", cure))
    if faults:
        return None, faults
    place, text, _ = cells["new value"]
    value, fault = _number(text, column, place)
    faults += [] if fault is None else [fault]
    faults += _year_faults(*cells["year"][:2])
    today, fault = _number(cells["today"][1], column, cells["today"][0])
    held = float(row[name] or 0.0)
    if fault is not None or abs(today - held) > 1e-9 * max(abs(held), 1.0):
        what = f"the figure of today is {cells['today'][1]}, but {held:g} in this World"
        cure = "fill in a fresh template, or import into the World it was made from"
        faults.append(Fault(cells["today"][0], what, cure))
    if faults:
        return None, faults
    year, source = cells["year"][1].strip(), cells["source"][1].strip()
    return Surveyed(table, tuple(keys), name, held, value, year, source, f"sheet {SHEET}, row {line}"), []


def _number(text: str, column: Column, place: str) -> tuple[float, Fault | None]:
    """A number within the bounds of its column."""
    try:
        value = float(text)
    except ValueError:
        cure = f"enter a number in {column.unit} with a decimal point, without its unit"
        return 0.0, Fault(place, f"{quoted(text)} is no number", cure)
    low, high = column.minimum, column.maximum
    if not ((low is None or value >= low) and (high is None or value <= high)):
        cure = f"give {column.unit}: at least {low or 0:g}, at most {high if high is not None else 1e15:g}"
        return 0.0, Fault(place, f"is {value:g}", cure)
    return value, None


def _year_faults(place: str, text: str) -> list[Fault]:
    low, high = _YEARS
    plain = text.strip()
    if plain.isascii() and plain.isdigit() and low <= int(plain) <= high:
        return []
    return [Fault(place, f"{quoted(plain)} is no year", f"enter a year from {low} to {high}, as 2026")]


# -- into a World --------------------------------------------------------------------------------------


def merge_survey(
    world: World, found: Sequence[Surveyed], name: str
) -> tuple[World, dict[str, dict[str, int]], list[dict[str, str]]]:
    """The World with the figures of a survey, counts of rows by table, and rows for SOURCES.csv.

    world: the World; found: from `read_survey`; name: of the file, in faults. Every other cell of a row stays
    as it is, but for where the figure comes from; the range of hours keeps its proportion to them. Raises
    DataError where the rows break a rule of the tables.
    """
    by_row: dict[tuple[str, tuple[str, ...]], list[Surveyed]] = {}
    for one in found:
        by_row.setdefault((one.table, one.key), []).append(one)
    tables = {}
    counts: dict[str, dict[str, int]] = {}
    for table in dict.fromkeys(one.table for one in found):
        rows = []
        for row in world.network[table]:
            mine = by_row.get((table, tuple(str(row[key]) for key in KEYS[table])), [])
            rows.append(_surveyed(table, row, mine) if mine else row)
        tables[table] = world.network[table].with_rows(rows)
        counts[table] = {"replaced": len({one.key for one in found if one.table == table}), "added": 0}
    new = world.with_network(**tables)
    known = set(check_network(world.network))
    faults = [fault for fault in check_network(new.network) if fault not in known]
    if faults:
        raise DataError("the survey does not fit this World", spelled(faults, name, _MOST_FAULTS))
    return new, counts, [_source_row(table, found) for table in tables]


def _surveyed(table: str, row: Mapping[str, Cell], mine: Sequence[Surveyed]) -> dict[str, Cell]:
    out = dict(row)
    for one in mine:
        out |= with_hours(row, one.value) if one.column == "time_h" else {one.column: one.value}
    if table == "crossings" and any(one.column == "time_h" for one in mine):
        out |= {"outbound_rule": OWN_RULE, "inbound_rule": OWN_RULE}
    before = ", ".join(f"{one.column} {one.today:g}" for one in mine)
    return {
        **out,
        "source": _joined([one.source for one in mine], "; "),
        "year": _joined([one.year for one in mine], "/"),
        "basis": "observed",
        "note": f"before: {before} ({row['basis']})",
    }


def _joined(texts: Sequence[str], between: str) -> str:
    return between.join(dict.fromkeys(texts))


def _source_row(table: str, found: Sequence[Surveyed]) -> dict[str, str]:
    mine = [one for one in found if one.table == table]
    source, year = _joined([one.source for one in mine], "; "), _joined(sorted(one.year for one in mine), "/")
    return {
        "table": table,
        "source": source,
        "year": year,
        "licence": _LICENCE,
        "attribution": f"Own survey: {source}, {year}",
        "note": "own data, merged from a survey",
    }
