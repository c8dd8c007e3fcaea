"""Scenarios side by side as an Excel workbook: the answer first, then every table, notes and sources last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from landbridge.io.sheets import Block, Chart, Page, Sheet
from landbridge.report.answer_sheet import marked
from landbridge.report.compare import compare_sections
from landbridge.report.digest import GROUP, Names
from landbridge.report.document import Document
from landbridge.report.first_screen import emitter
from landbridge.report.number_formats import CHANGE, LEVEL, column_format
from landbridge.report.workbook import name_of
from landbridge.report.writers import readme_of, workbook
from landbridge.results import Rows
from landbridge.studies.compare import SideBySide

__all__ = ["compare_workbook"]

# Blocks of the first sheet: table, measure, decimals, whether figures are changes, and rows at most.
_BLOCKS: tuple[tuple[str, str, str, int, bool, int], ...] = (
    ("income", "real_income", "percent", 3, True, 16),
    ("musd", "real_income", "musd", 1, True, 16),
    ("days", "corridors", "time_days", 1, False, 20),
    ("usd", "corridors", "cost_usd", 0, False, 20),
    ("teu", "gateways", "teu_per_year", 0, False, 12),
    ("co2e", "emissions", "co2e_kt", 1, False, 10),
)
# Bars and scenarios of the chart.
_BARS, _SERIES = 8, 6


def compare_workbook(found: SideBySide, attribution: Sequence[str], lang: str = "en") -> bytes:
    """An Excel workbook of scenarios side by side: the answer, a sheet for each table, notes and sources.

    found: the scenarios; attribution: lines of the data; lang: of names, en, ru or zh. Returns the bytes of
    the file. Raises LandbridgeError where XlsxWriter is missing.
    """
    names, rows = Names(found.world, lang), found.rows()
    tables = [_sheet(found, name, table, names) for name, table in rows.items() if table]
    page = _page(found, rows, names, names.say("sheet.answer"))
    document = Document(tuple(compare_sections(found, None, lang)), tuple(attribution), lang)
    return workbook(readme_of("compare", document), tables, [page], names)


def _page(found: SideBySide, tables: Mapping[str, Rows], names: Names, called: str) -> Page:
    lead = [
        f"{case.id}: {names.title(case.id, case.name) or names.say('base.name', year=found.world.base_year)}"
        for case in found.cases
    ]
    lead.append(names.say("first.what.against", year=found.world.base_year))
    blocks = [_block(found, tables, names, *one) for one in _BLOCKS]
    held = tuple(block for block in blocks if block.rows)
    lead += [names.say("names.unreviewed")] if marked(held) else []
    return Page(called, names.say("sheet.compare.head", n=len(found.cases)), tuple(lead), held)


def _block(found: SideBySide, tables: Mapping[str, Rows], names: Names, *form: Any) -> Block:
    """A table of one measure: the rows that differ most first, after them those that always show."""
    key, table, measure, digits, change, most = form
    rows = [row for row in tables[table] if row["measure"] == measure and row.get("family") in (None, "all")]
    cells = [_cells(found, table, row, names) for row in rows[:most]]
    groups = [row for row in tables["groups"] if row["measure"] == measure] if table == "real_income" else []
    groups.sort(key=lambda row: row["group"] != GROUP)
    levels = CHANGE[digits] if change else LEVEL[digits]
    ids, others = found.ids, found.ids[1:]
    chart = None
    if key == "income" and cells:
        shown = ids[:_SERIES]
        chart = Chart(
            names.say("sheet.income.chart"),
            names.say("sheet.income.axis"),
            0,
            tuple(range(2, 2 + len(shown))),
            shown,
            len(groups),
            min(_BARS, len(cells)),
        )
    return Block(
        names.say(f"sheet.side.{key}"),
        (*names.columns("sheet.compare.columns"), *ids, *(f"{id} - {ids[0]}" for id in others)),
        [*(_cells(found, "groups", row, names) for row in groups), *cells],
        ("", "", *(levels for _ in ids), *(CHANGE[digits] for _ in others)),
        chart=chart,
    )


def _cells(found: SideBySide, table: str, row: Mapping[str, Any], names: Names) -> tuple[Any, ...]:
    """Name, code, the figure of each scenario and its difference from the first."""
    key = {"real_income": "region", "groups": "group", "gateways": "gateway"}.get(table, "")
    name: str | None = None
    if table == "corridors":
        name, code = names.ends(row), row["corridor"]
    elif table == "emissions":
        name = names.say("sheet.co2e.all") if row["mode"] == "all" else emitter(row["mode"], names)
        code = None
    else:
        name, code = name_of(names, key, row[key]), row[key]
    return (
        name or code,
        code,
        *(row[id] for id in found.ids),
        *(row[f"difference_{id}"] for id in found.ids[1:]),
    )


def _sheet(found: SideBySide, name: str, rows: Rows, names: Names) -> Sheet:
    """A table with names next to its codes, each row with the format of its unit."""
    held = list(_columns(rows))
    figures, changes = set(found.ids), {f"difference_{id}" for id in found.ids[1:]}
    cells, forms = [], []
    for row in rows:
        cells.append([_cell(column, row, names) for column in held])
        unit = str(row.get("unit") or "")
        forms.append(
            [
                column_format(unit, change=column in changes) if column in figures | changes else ""
                for column in held
            ]
        )
    fixed = held.index("measure") if "measure" in held else 1
    return Sheet(
        name, tuple(held), ("",) * len(held), cells, ("",) * len(held), fixed=fixed, row_formats=forms
    )


def _columns(rows: Rows) -> Iterator[str]:
    held = dict.fromkeys(key for row in rows for key in row)
    for key in held:
        yield key
        if key in _NAMED and "name" not in held:
            yield f"{key}_name"


# Columns of codes that have names; a table of gateways has its own column of names.
_NAMED = ("region", "group", "exporter", "importer", "from", "to")


def _cell(column: str, row: Mapping[str, Any], names: Names) -> Any:
    if column in row:
        return names.of_gateway(row) if column == "name" and "gateway" in row else row[column]
    return name_of(names, column.removesuffix("_name"), row.get(column.removesuffix("_name")))
