"""A run as an Excel workbook: the answer, the tables with names and changes, notes and sources last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from landbridge.io.sheets import Sheet
from landbridge.report.answer_sheet import answer_pages
from landbridge.report.digest import Digest, Names
from landbridge.report.number_formats import column_format
from landbridge.report.writers import workbook
from landbridge.results.tables import ResultTable, result_tables
from landbridge.world import World

__all__ = ["name_of", "run_workbook"]

Row = Mapping[str, Any]

# Tables whose rows are changes already, or the same in every case.
_NO_CHANGE = ("real_income", "groups", "closures", "counts", "indicators", "trade", "skims")
# Tables whose percentages are changes.
_SIGNED = ("real_income", "groups", "closures", "trade")
# Columns that already hold a change, by table and measure.
_KNOWN_CHANGE = {("transit", "musd"): "change_musd", ("transit", "own_musd"): "own_change_musd"}
# The column that a table is sorted by, largest first whatever its sign.
_EFFECT = {
    "real_income": "percent",
    "trade": "musd",
    "gateways": "change_teu_per_year",
    "emissions": "change_co2e_kt",
    "mode_split": "change_musd",
    "transit": "change_musd",
    "value_added": "change_value_added_exports_musd",
    "corridors": "change_generalised_cost_usd",
    "closures": "percent",
}
# Rows that stay together: sorted by their largest, or in their order.
_TOGETHER = {"corridors": ("corridor",)}
_IN_ORDER = {"closures": ("factors", "deficits")}


def run_workbook(
    world: World, digests: Sequence[Digest], about: Sequence[tuple[str, str]], names: Names
) -> bytes:
    """The workbook of a run, as `landbridge run -o FILE.xlsx` writes it: pages to read, tables, README.

    world: that was solved; digests: the base, then each scenario; about: topics and texts of the README;
    names: in the language of the workbook. Returns the bytes of the file. Raises LandbridgeError where
    XlsxWriter is missing.
    """
    before, *cases = digests
    pages = answer_pages(world, before, cases, names)
    tables = [sheet for table in result_tables().values() for sheet in _sheet(table, before, cases, names)]
    return workbook(about, tables, pages, names)


# -- names ---------------------------------------------------------------------------------------------


def name_of(names: Names, column: str, code: Any) -> str | None:
    """The name of a code of a result in a column; None where the column holds no codes that have names.

    names: of the language; column: of a table of a result; code: its cell.
    """
    read = _READERS.get(column)
    return None if read is None or code is None else read(names, str(code))


_READERS: Mapping[str, Callable[[Names, str], str]] = {
    **dict.fromkeys(
        ("region", "exporter", "importer"),
        lambda names, code: names.region.get(code) or names.group.get(code, ""),
    ),
    "group": lambda names, code: names.group.get(code, ""),
    "gateway": lambda names, code: names.gateways(code),
    **dict.fromkeys(("from", "to"), lambda names, code: names.place.get(code, "")),
    "sector": lambda names, code: names.sector.get(code, ""),
    "subject": lambda names, code: names.region.get(code) or names.place.get(code) or "",
}


# -- tables --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """A column of a sheet: its name, unit and meaning, how it is shown, and its cell of a row."""

    name: str
    unit: str
    note: str
    form: str
    cell: Callable[[Row], Any]


@dataclass(frozen=True)
class _Line:
    """A row of a case: of the result, with the figures of its base and its changes."""

    scenario: str
    row: Row


def _sheet(table: ResultTable, before: Digest, cases: Sequence[Digest], names: Names) -> Iterator[Sheet]:
    """The sheet of a table; none where it has no rows."""
    measures = _measures(table, before) if cases else ()
    lines: list[_Line] = []
    for case in cases:
        rows = _with_base(table, (case.base or before).result.get(table.name, []), case, measures)
        lines += [_Line(case.id, row) for row in _sorted(table, rows)]
    if not measures:
        # A table without changes also has the rows of the base itself.
        lines[:0] = [_Line(before.id, row) for row in before.result.get(table.name, [])]
    if not lines:
        return
    held = list(_columns(table, measures, [line.row for line in lines], names))
    cells = [[line.scenario, *(column.cell(line.row) for column in held)] for line in lines]
    yield Sheet(
        table.name,
        ("scenario", *(column.name for column in held)),
        ("", *(column.unit for column in held)),
        cells,
        ("", *(column.form for column in held)),
        ("", *(column.note for column in held)),
        1 + sum(column.name.removesuffix("_name") in table.keys for column in held),
    )


def _measures(table: ResultTable, before: Digest) -> tuple[str, ...]:
    """The measures of a table that have a figure in the base too."""
    if table.name == "trade":
        return ("musd",)
    if table.name in _NO_CHANGE or not before.result.get(table.name):
        return ()
    numbers = [name for name, column in table.columns.items() if column.type == "float"]
    stated = tuple(name for name in numbers if f"base_{name}" in numbers)
    known = _KNOWN_CHANGE.values() if table.name == "transit" else ()
    held = {name for row in before.result[table.name] for name, cell in row.items() if cell is not None}
    return stated or tuple(name for name in numbers if name in held and name not in known)


def _with_base(
    table: ResultTable, base: Sequence[Row], case: Digest, measures: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows of a case with base_NAME and change_NAME of each measure; rows only of the base too."""
    known = {table.key_of(row): row for row in base} if measures else {}
    out: list[dict[str, Any]] = []
    for row in case.result.get(table.name, []):
        was = known.pop(table.key_of(row), {})
        out.append({**row, **_changes(table, measures, was, row)})
    for was in known.values():
        out.append({**{key: was.get(key) for key in table.keys}, **_changes(table, measures, was, {})})
    return out


def _changes(table: ResultTable, measures: Sequence[str], was: Row, row: Row) -> dict[str, Any]:
    """Figures of the base, and what changes."""
    if table.name == "trade":
        return {"after_musd": (row["base_musd"] or 0.0) + (row["musd"] or 0.0)} if row else {}
    out: dict[str, Any] = {}
    for name in measures:
        old = row.get(f"base_{name}", was.get(name))
        new = row.get(name)
        out[f"base_{name}"] = old
        if (table.name, name) not in _KNOWN_CHANGE:
            out[f"change_{name}"] = None if old is None or new is None else new - old
    return out


def _sorted(table: ResultTable, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a case, those with the largest effect first."""
    effect = _EFFECT.get(table.name)
    if effect is None:
        return list(rows)
    size = {id(row): abs(row.get(effect) or 0.0) for row in rows}
    together, in_order = _TOGETHER.get(table.name, ()), _IN_ORDER.get(table.name, ())
    first: dict[Any, int] = {}
    largest: dict[Any, float] = {}
    for row in rows:
        first.setdefault(tuple(row.get(key) for key in in_order), len(first))
        group = tuple(row.get(key) for key in together)
        largest[group] = max(largest.get(group, 0.0), size[id(row)])

    def order(row: dict[str, Any]) -> tuple[Any, ...]:
        group = tuple(row.get(key) for key in together)
        own = () if together else (-size[id(row)],)
        return (
            first[tuple(row.get(key) for key in in_order)],
            -largest[group],
            group if together else (),
            *own,
        )

    return sorted(rows, key=order)


def _columns(
    table: ResultTable, measures: Sequence[str], rows: Sequence[Row], names: Names
) -> Iterator[_Column]:
    """The columns of rows: names next to codes, a figure of the base before it and its change after."""
    shown = table.shown(rows)
    for name in shown:
        if name.removeprefix("base_") in measures and name != name.removeprefix("base_"):
            continue
        unit, note = table.unit(name), _note(table, name, names)
        if name in measures:
            yield _plain(
                f"base_{name}",
                (_bare(unit), names.say("sheet.unit.base", unit=_unit(_bare(unit), names))),
                names.say("sheet.note.base", what=note),
            )
        if table.name == "trade" and name in measures:
            what = _note(table, "base_musd", names)
            yield _plain(
                "after_musd",
                (_bare(unit), names.say("sheet.unit.after", unit=_unit(_bare(unit), names))),
                names.say("sheet.note.after", what=what),
            )
        signed = table.name in _SIGNED and unit.startswith("%")
        yield (
            _named(table, name, names)
            if name == "name"
            else _of_table(name, (unit, _unit(unit, names)), note, names, signed)
        )
        if name in measures and table.name != "trade" and (table.name, name) not in _KNOWN_CHANGE:
            change = names.say("sheet.unit.change", unit=_unit(unit, names))
            yield _plain(
                f"change_{name}", (unit, change), names.say("sheet.note.change", what=note), change=True
            )
        if name in _READERS and "name" not in shown:
            yield _named(table, name, names)


# Columns of words that readers see in their language, and the kind of their terms.
_TERMS = {
    "mode": "mode",
    "holds": "holds",
    "metric": "metric",
    "repeats": "metric",
    "proxy": "proxy",
    **dict.fromkeys(("unit", "observed_unit", "capacity_unit"), "count"),
}


def _of_table(name: str, units: tuple[str, str], note: str, names: Names, signed: bool) -> _Column:
    """A column as the table has it, its words in the language of the workbook."""
    column, kind = _plain(name, units, note, change=signed), _TERMS.get(name)
    if kind is None:
        return column
    return replace(column, cell=lambda row: row.get(name) and names.term(kind, str(row[name])))


def _unit(unit: str, names: Names) -> str:
    return names.term("unit", unit) if unit else ""


def _note(table: ResultTable, column: str, names: Names) -> str:
    """The meaning of a column in the language of the workbook."""
    return names.term("column", f"{table.name}.{column}", table.columns[column].description)


def _bare(unit: str) -> str:
    return unit.removesuffix(", change")


def _plain(name: str, units: tuple[str, str], note: str, *, change: bool = False) -> _Column:
    """A column of figures; units: that of the schema, by which it is shown, and in words of the workbook."""
    unit, words = units
    return _Column(name, words, note, column_format(unit, change=change), lambda row: row.get(name))


def _named(table: ResultTable, column: str, names: Names) -> _Column:
    """The names of the codes in a column; a table of gateways has its own column of names."""
    if column == "name":
        read = lambda row: names.gateway.get(str(row.get(table.keys[0]))) or row.get("name")  # noqa: E731
        return _Column(column, "", _note(table, column, names), "", read)
    return _Column(
        f"{column}_name",
        "",
        names.say("sheet.note.name", column=column),
        "",
        lambda row: name_of(names, column, row.get(column)),
    )
