"""Where a figure is from: `why "time_h of khorgos-altynkol"`, `why "real_income of KGZ in cku-railway"`.

A question is FIGURE [of ID] [in SCENARIO]. FIGURE is a column of an input or result table, TABLE.column, a
parameter, or a result table. ID names rows by identifier or name; several parts are joined by "to" or commas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landbridge.errors import DataError, Fault, Status, did_you_mean
from landbridge.io.cards import WHAT
from landbridge.io.tables import parts_of, read_sources
from landbridge.model.run import run
from landbridge.results import Results
from landbridge.results.formulas import formula_of, formulas
from landbridge.results.tables import result_tables
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.studies.why_rows import META, behind, cell, changed_cells, describe, keys_of, tables_with
from landbridge.world import World
from landbridge.world.names import KINDS, labels_of, resolve
from landbridge.world.table import Table, columns_of

__all__ = ["Question", "Why", "why"]

Progress = Callable[[str, float], None]
Row = Mapping[str, Any]
Rows = list[dict[str, Any]]

# The column that a result table stands for where its name alone is given.
MAIN = {
    "real_income": "percent",
    "groups": "percent",
    "trade": "percent",
    "corridors": "time_h",
    "gateways": "teu_per_year",
    "emissions": "co2e_kt",
    "transit": "musd",
    "value_added": "vax_ratio",
    "mode_split": "teu",
}
# Kind of names in columns that refer to no table in the schema.
_KINDS = {
    **dict.fromkeys(("region", "exporter", "importer", "scope"), "region"),
    **dict.fromkeys(("country", "passport", "destination"), "country"),
    **dict.fromkeys(("from", "to", "from_place", "to_place", "place_id"), "place"),
    "sector": "sector",
    "gateway": "gateway",
}
# Result tables that take time and are made only where asked for.
_IN_DETAIL = ("mode_split", "transit")
# Those that rest on the whole base trade table, and its parts.
_OF_ECONOMY = ("real_income", "groups", "trade", "value_added")
_TRADE_TABLE = ("trade", "input_share", "shares")
# Rows of a table that are shown where no row is named.
_MOST_ROWS = 40
# Names that an error lists.
_MOST_NAMES = 10
_BASE = "base"
_NOTHING_SOLVED = Status(True, 0.0, 0, "read from the tables, nothing is solved")


@dataclass(frozen=True)
class Question:
    """A question in its parts: figure, of and scenario; the last two are empty where not given."""

    figure: str
    of: str = ""
    scenario: str = ""

    @staticmethod
    def read(text: str) -> Question:
        """The parts of a text FIGURE [of ID] [in SCENARIO]. Raises DataError for a blank question."""
        left, mark, scenario = text.rpartition(" in ")
        if not mark:
            left, scenario = text, ""
        figure, _, of = left.partition(" of ")
        if not figure.strip():
            cure = 'write FIGURE of ID, such as "time_h of khorgos-altynkol"'
            raise DataError("no figure is named", [Fault("why", "the question is blank", cure)])
        return Question(figure.strip(), of.strip(), scenario.strip())


@dataclass(frozen=True)
class Why:
    """The answer. figure: what the figure is; values: its rows; rows: input rows; sources: of their tables.

    world: that the names are of; status: of the solve; scenario: asked for, None for the base.
    """

    figure: dict[str, Any]
    values: Rows
    rows: Rows
    sources: Rows
    world: World
    status: Status
    scenario: Scenario | None

    @property
    def tables(self) -> dict[str, Rows]:
        """The tables of the answer by name."""
        return {"figure": [self.figure], "values": self.values, "rows": self.rows, "sources": self.sources}

    def to_json(self) -> dict[str, Any]:
        """The answer as plain values."""
        return {**self.tables, "figure": self.figure}


@dataclass(frozen=True)
class _Found:
    """Rows of one column that fit a question. whole: the words name them by their whole key."""

    table: str
    column: str
    is_result: bool
    rows: tuple[Row, ...]
    whole: bool


def why(world: World, question: str, progress: Progress | None = None) -> Why:
    """Where a figure is from.

    world: from `lb.load`; question: FIGURE [of ID] [in SCENARIO]; progress: called with messages. A figure of
    a result is solved, one of an input table is read. Raises DataError for an unknown or ambiguous name,
    ScenarioError, and what `landbridge.run` raises.
    """
    asked = Question.read(question)
    scenario = load_scenario(asked.scenario, world) if asked.scenario not in ("", _BASE) else None
    after = world if scenario is None else apply(world, scenario)
    found = _chosen(after, asked)
    if found.is_result:
        return _result(world, after, found, asked, scenario, progress)
    return _input(world, after, found, asked, scenario)


# -- inputs ----------------------------------------------------------------------------------------------


def _input(world: World, after: World, found: _Found, asked: Question, scenario: Scenario | None) -> Why:
    table, column = found.table, found.column
    before = _before(world, table) if scenario is not None else {}
    keys = keys_of(table)
    rows = [cell(table, row, column, "figure", before.get(tuple(row[k] for k in keys))) for row in found.rows]
    filled = [row for row in rows if row["value"] is not None] or rows
    schema = describe(table, column)
    described = schema.description if schema else WHAT.get(table, "")
    if column == "value" and len(found.rows) == 1:
        described = str(found.rows[0].get("description") or described)
    units = {str(row["unit"]) for row in filled}
    figure = _figure(asked, table, column, "input", filled, scenario)
    figure |= {"unit": units.pop() if len(units) == 1 else "", "description": described}
    return Why(figure, filled, filled, _sources(world, filled), after, _NOTHING_SOLVED, scenario)


def _before(world: World, table: str) -> dict[tuple[Any, ...], Row]:
    keys = keys_of(table)
    held = tables_with(world, keys[0]).get(table, ()) if keys else ()
    return {tuple(row[k] for k in keys): row for row in held}


def _figure(
    asked: Question, table: str, column: str, kind: str, values: Rows, scenario: Scenario | None
) -> dict[str, Any]:
    """What is known of a figure before its formula: one value, or None where there are several."""
    (one,) = values if len(values) == 1 else ({},)
    return {
        "figure": asked.figure,
        "of": asked.of,
        "scenario": _BASE if scenario is None else scenario.id,
        "kind": kind,
        "table": table,
        "column": column,
        "value": one.get("value"),
        "base_value": one.get("base_value"),
        "unit": "",
        "description": "",
        "formula": "",
        "page": "",
    }


def _sources(world: World, rows: Rows, more: Sequence[str] = ()) -> Rows:
    """Source, licence and attribution of the tables of some rows, and of more tables."""
    named = {row["table"] for row in rows} | set(more)
    return [
        {name: row[name] for name in ("table", "source", "year", "licence", "attribution")}
        for part in parts_of(world.folder)
        for row in read_sources(world.files or world.folder, part)[0]
        if row["table"] in named
    ]


# -- results ---------------------------------------------------------------------------------------------


def _result(
    world: World,
    after: World,
    found: _Found,
    asked: Question,
    scenario: Scenario | None,
    progress: Progress | None,
) -> Why:
    table, column = found.table, found.column
    results = run(world, scenario, progress=progress)
    rows = _rows_of(results, after, found, asked, scenario)
    schema = result_tables()[table]
    before = {schema.key_of(row): row for row in _solved(results.base, table)}
    values: Rows = [
        {
            "table": table,
            "key": ", ".join(schema.key_of(row)),
            "column": column,
            "value": row[column],
            "base_value": before.get(schema.key_of(row), {}).get(column),
            "unit": schema.unit(column, row),
        }
        for row in rows
    ]
    formula = formula_of(table, column)
    figure = _figure(asked, table, column, "result", values, scenario)
    figure |= {"unit": values[0]["unit"], "description": schema.columns[column].description}
    if formula is not None:
        figure |= {"formula": formula.formula, "page": formula.page}
    inputs = _inputs(world, after, found, rows, scenario)
    more = _TRADE_TABLE if table in _OF_ECONOMY else ()
    return Why(figure, values, inputs, _sources(world, inputs, more), after, results.status, scenario)


def _solved(results: Results | None, table: str) -> Rows:
    """A table of a result; empty where there is none."""
    if results is None:
        return []
    rows: Rows = results.to_json(detail=table in _IN_DETAIL).get(table, [])
    return rows


def _rows_of(
    results: Results, after: World, found: _Found, asked: Question, scenario: Scenario | None
) -> list[Row]:
    """The rows of a result that a question means, the largest first."""
    table, column = found.table, found.column
    keys, solved = result_tables()[table].keys, _solved(results, table)
    named, _ = _fitting(after, solved, keys, asked.of)
    if solved and not named:
        raise _no_such_row(table, asked, [str(row[key]) for row in solved for key in keys])
    rows = [row for row in named if row.get(column) is not None]
    if not rows:
        raise _no_rows(table, column, asked, scenario)
    rows = [row for row in rows if row.get("family") == "all"] or rows
    return sorted(rows, key=lambda row: -abs(row[column]) if isinstance(row[column], float) else 0.0)


def _inputs(
    world: World, after: World, found: _Found, rows: Sequence[Row], scenario: Scenario | None
) -> Rows:
    """What the scenario changes, first what concerns the rows of the figure, then what they rest on."""

    def name(row: Row) -> tuple[str, str, str]:
        return row["table"], row["key"], row["column"]

    rests = behind(after, found.table, found.column, rows)
    changed = [] if scenario is None else changed_cells(world, after, scenario)
    near, same = {name(row) for row in rests}, {name(row) for row in changed}
    own = {str(row[key]) for row in rows for key in result_tables()[found.table].keys}
    changed.sort(key=lambda row: (name(row) not in near, own.isdisjoint(str(row["key"]).split(", "))))
    return [*changed, *(row for row in rests if name(row) not in same)]


def _no_such_row(table: str, asked: Question, names: Sequence[str]) -> DataError:
    cure = did_you_mean(asked.of, names) or "use one of " + ", ".join(
        list(dict.fromkeys(names))[:_MOST_NAMES]
    )
    what = f"{table} has no row of {asked.of[:80]!r}"
    return DataError("unknown name", [Fault("why", what, cure)])


def _no_rows(table: str, column: str, asked: Question, scenario: Scenario | None) -> DataError:
    where = f"why, {asked.figure}"
    if scenario is None:
        cure = f'name a scenario: "{asked.figure} of {asked.of} in khorgos-closed"'
        what = f"{table}.{column} has no value in the base"
        return DataError("the figure is a change against the base", [Fault(where, what, cure)])
    what = f"{table}.{column} of {asked.of} is blank in {scenario.id}"
    return DataError("the figure has no value", [Fault(where, what, "ask for another column or row")])


# -- which figure ----------------------------------------------------------------------------------------


def _chosen(world: World, asked: Question) -> _Found:
    """The one column and rows that a question means. Raises DataError for none and for several."""
    table, _, column = asked.figure.rpartition(".")
    if not table and not asked.of:
        parameter = _parameter(world, asked.figure)
        if parameter is not None:
            return parameter
    table = table.removeprefix("result.")
    if column in MAIN and not table:
        table, column = column, MAIN[column]
    inputs, results = _candidates(world, table, column)
    if not inputs and not results:
        raise _unknown_figure(world, asked.figure)
    found = [*_in_tables(world, inputs, column, asked.of), *_in_results(world, results, column, asked.of)]
    if not found:
        raise _unknown_id(world, asked, inputs, results)
    return _only(_surest(found, column, bool(asked.scenario)), asked)


def _surest(found: Sequence[_Found], column: str, changed: bool) -> list[_Found]:
    """Candidates of the surest kind: named by a whole key, inputs first but under a scenario."""
    # A length is blank in one table where another holds it.
    filled = [one for one in found if one.is_result or any(row[column] is not None for row in one.rows)]
    found = filled or found
    ranks = [(True, True), (False, True)] if changed else [(False, True), (True, True)]
    for kind in [*ranks, (False, False), (True, False)]:
        some = [one for one in found if (one.is_result, one.whole) == kind]
        if some:
            return some
    raise AssertionError("every candidate has a rank")


def _only(some: Sequence[_Found], asked: Question) -> _Found:
    if len(some) == 1:
        return some[0]
    names = [f"{one.table}.{one.column}" for one in some]
    cure = "write one of " + ", ".join(f'"{name}{f" of {asked.of}" * bool(asked.of)}"' for name in names)
    what = f"{asked.figure} is a column of {len(names)} tables"
    raise DataError("the figure is not clear", [Fault("why", what, cure)])


def _parameter(world: World, name: str) -> _Found | None:
    for table in ("parameters", "gas_parameters", "travel_parameters"):
        rows = [row for row in world.tables.get(table, ()) if row["parameter"] == name]
        if rows:
            return _Found(table, "value", False, tuple(rows), True)
    return None


def _candidates(world: World, table: str, column: str) -> tuple[dict[str, Table], list[str]]:
    """Input tables, and names of result tables with a formula, that hold a column."""
    if column in META:
        return {}, []
    inputs = {
        name: one
        for name, one in tables_with(world, column).items()
        if table in ("", name) and column not in keys_of(name)
    }
    covered = {name for name, _ in formulas()}
    results = [
        name
        for name, one in result_tables().items()
        if name in covered and column in one.columns and column not in one.keys
    ]
    # Groups are asked for as regions are: real_income of CA5.
    wanted = (table, "groups") if table == "real_income" else (table,)
    return inputs, [name for name in results if not table or name in wanted]


def _in_tables(world: World, tables: Mapping[str, Table], column: str, of: str) -> Iterator[_Found]:
    for name, table in tables.items():
        if not of:
            if len(tables) == 1 and len(table) <= _MOST_ROWS:
                yield _Found(name, column, False, table.rows, False)
            continue
        keys = keys_of(name)
        others = [c for c in table.columns if c not in keys and _refers(name, c)]
        rows, named = _fitting(world, table.rows, keys, of)
        if not rows:
            rows, named = _fitting(world, table.rows, [*keys, *others], of)[0], 0
        if rows:
            yield _Found(name, column, False, tuple(rows), named == len(keys))


def _refers(table: str, column: str) -> bool:
    schema = describe(table, column)
    return schema is not None and schema.references is not None


def _in_results(world: World, tables: Sequence[str], column: str, of: str) -> Iterator[_Found]:
    """Result tables whose keys can hold the words; their rows are known only once solved."""
    for name in tables:
        keys = result_tables()[name].keys
        parts = _split(of)
        if not of or not any(all(_can_be(world, name, keys, p) for p in some) for some in parts):
            continue
        fewest = min(len(some) for some in parts if all(_can_be(world, name, keys, p) for p in some))
        single = len(keys) == fewest or name == "corridors"
        yield _Found(name, column, True, (), single)


def _can_be(world: World, table: str, keys: Sequence[str], part: str) -> bool:
    """Whether a part names something that a key of a result table may hold."""
    if table == "groups":
        return part.casefold() in ("ca5", "world")
    if table == "corridors":
        return any(str(row["corridor_id"]) == part for row in world.network["corridors"])
    if table == "emissions":
        return True
    kinds = {_KINDS[key] for key in keys if key in _KINDS}
    return any(resolve(world.tables, kind, part, "why")[1] is None for kind in kinds)


# -- rows by name ----------------------------------------------------------------------------------------


def _split(of: str) -> list[list[str]]:
    """The words as one name, as ends joined by "to", and as a list."""
    ways = [[of], re.split(r"\s+to\s+", of), re.split(r"\s*,\s*|\s+to\s+", of)]
    return [way for n, way in enumerate(ways) if way not in ways[:n] and all(way)]


def _fitting(world: World, rows: Sequence[Row], columns: Sequence[str], of: str) -> tuple[list[Row], int]:
    """Rows whose columns hold all parts of the words, in this order, and the number of parts."""
    for parts in _split(of):
        known = [_ids(world, part) for part in parts]
        found = [row for row in rows if _fits(row, columns, parts, known)]
        if found:
            return found, len(parts)
    return [], 0


def _ids(world: World, part: str) -> dict[str, str]:
    """What a part of the words names, by kind."""
    found = {kind: resolve(world.tables, kind, part, "why") for kind in KINDS}
    return {kind: id for kind, (id, fault) in found.items() if fault is None}


def _fits(row: Row, columns: Sequence[str], parts: Sequence[str], known: Sequence[dict[str, str]]) -> bool:
    left = list(columns)
    for part, ids in zip(parts, known, strict=True):
        at = next((n for n, c in enumerate(left) if _is(row.get(c), c, part, ids)), None)
        if at is None:
            return False
        left = left[at + 1 :]
    return True


def _is(value: Any, column: str, part: str, ids: Mapping[str, str]) -> bool:
    if value is None:
        return False
    text, kind = str(value), _kind_of(column)
    return text.casefold() == part.casefold() or (kind in ids and text == ids[kind])


def _kind_of(column: str) -> str:
    if column in _KINDS:
        return _KINDS[column]
    return "gateway" if column == "gateway_id" else "place" if column.startswith("place") else ""


# -- unknown names ---------------------------------------------------------------------------------------


def _unknown_figure(world: World, figure: str) -> DataError:
    known = {column for table in world.tables.values() for column in table.columns} - set(META)
    known |= {column for table in result_tables().values() for column in table.columns} | set(MAIN)
    known |= {str(row["parameter"]) for row in world.network["parameters"]}
    known |= {f"{table}.{c}" for table in world.tables for c in columns_of(table)} if "." in figure else set()
    cure = did_you_mean(figure, sorted(known)) or "`landbridge data list` and `data card TABLE` list columns"
    return DataError("unknown figure", [Fault("why", f"no column or parameter {figure[:80]!r}", cure)])


def _unknown_id(
    world: World, asked: Question, inputs: Mapping[str, Table], results: Sequence[str]
) -> DataError:
    names, kinds = _known_names(world, inputs, results)
    example = next(iter(names), "ID")
    if not asked.of:
        cure = f'say of what: "{asked.figure} of {example}"'
        what = f"{asked.figure} is a column of many rows"
        return DataError("the figure is not clear", [Fault("why", what, cure)])
    fault = next((f for kind in kinds for _, f in [resolve(world.tables, kind, asked.of, "why")] if f), None)
    near = did_you_mean(asked.of, names)
    cure = near or (fault.cure if fault is not None else f"such as {example}")
    what = f"{asked.figure} has no row of {asked.of[:80]!r}"
    return DataError("unknown name", [Fault("why", what, cure)])


def _known_names(
    world: World, inputs: Mapping[str, Table], results: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Identifiers that rows of some tables may be named by, and the kinds of names in them."""
    names: dict[str, None] = {}
    kinds: dict[str, None] = {}
    for table, rows in inputs.items():
        for column in keys_of(table):
            kinds[_kind_of(column)] = None
            names |= {str(row[column]): None for row in rows if row[column] is not None}
        kinds |= {_kind_of(c): None for c in rows.columns if _refers(table, c)}
    for table in results:
        kinds |= {_kind_of(column): None for column in result_tables()[table].keys}
        if table == "groups":
            names |= {"CA5": None, "world": None}
        if table == "corridors":
            names |= {str(row["corridor_id"]): None for row in world.network["corridors"]}
    for kind in kinds:
        if kind:
            names |= {id: None for id in labels_of(world.tables, kind)}
    return list(names), [kind for kind in kinds if kind]
