"""Scenarios side by side: the same rows of each, the difference from the first, and what they change.

difference of a row = figure of a scenario - figure of the first scenario
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.errors import ConvergenceError, DataError, Fault, ScenarioError, Status
from landbridge.results import Results, Rows
from landbridge.scenario import Modification, Scenario, apply, load_scenario
from landbridge.scenario.fields import verb_columns
from landbridge.world import World

if TYPE_CHECKING:
    from landbridge.model.run import Progress

__all__ = ["BASE", "TABLES", "Case", "Measure", "SideBySide", "compare", "world_of"]

# How the World without changes is called among scenarios.
BASE = "base"
_HOURS_PER_DAY = 24.0
# Parts of a row that no scenario may be named after.
_OWN = ("measure", "unit")
# Words in a modification that say what is changed to, not what is changed.
_STATES = ("status", "money", "electrified", "dual_gauge")


@dataclass(frozen=True)
class Measure:
    """One figure of a row.

    name: in the column `measure`; column: in the table of a Results; unit: after the factor; absent: where
    the row is missing.
    """

    name: str
    column: str
    unit: str
    factor: float = 1.0
    absent: float | None = None

    def of(self, row: Mapping[str, Any] | None) -> float | None:
        """The figure of a row of a Results, None where it has none."""
        if row is None:
            return self.absent
        value = row.get(self.column)
        if value is None or (self.column == "wait_h" and row.get("status") == "closed"):
            return None
        return self.factor * float(value)


def _same(*names: tuple[str, str]) -> tuple[Measure, ...]:
    return tuple(Measure(name, name, unit) for name, unit in names)


_INCOME = _same(("percent", "% of income"), ("musd", "million USD/year"), ("percent_proportional", "%"))
# Keys and measures of every table, in their order.
TABLES: Mapping[str, tuple[tuple[str, ...], tuple[Measure, ...]]] = {
    "real_income": (("region",), _INCOME),
    "groups": (("group",), _INCOME),
    "trade": (("exporter", "importer"), _same(("musd", "million USD/year"), ("percent", "%"))),
    "corridors": (
        ("corridor", "from", "to", "family"),
        (
            Measure("time_days", "time_h", "days", 1.0 / _HOURS_PER_DAY),
            Measure("cost_usd", "cost_usd", "USD/TEU"),
            Measure("share", "share", "share of TEU", absent=0.0),
            Measure("co2e_kg", "co2e_kg", "kg CO2e/TEU"),
        ),
    ),
    "gateways": (
        ("gateway", "name", "mode"),
        _same(
            ("trains_per_day", "trains/day"),
            ("wait_h", "h"),
            ("volume_over_capacity", "share of capacity"),
            ("teu_per_year", "TEU/year"),
        ),
    ),
    "emissions": (("mode",), _same(("co2e_kt", "kt CO2e/year"), ("million_teu_km", "million TEU-km/year"))),
}
_ROWS: Mapping[str, Callable[[Results], Rows]] = {
    "real_income": lambda results: results.real_income_rows,
    "groups": lambda results: results.group_rows,
    "trade": lambda results: results.trade_rows,
    "corridors": lambda results: results.corridor_rows,
    "gateways": lambda results: results.gateway_rows,
    "emissions": lambda results: results.emission_rows,
}


@dataclass(frozen=True, eq=False)
class Case:
    """What a comparison keeps of a Results.

    id: of the Results; scenario: None for the base; figures: by table and key, the row of the Results. base:
    hash of the World that it is compared with. status, notes: of the Results.
    """

    id: str
    scenario: Scenario | None
    figures: Mapping[str, Mapping[tuple[str, ...], Mapping[str, Any]]]
    base: str
    status: Status
    notes: tuple[str, ...] = ()

    @staticmethod
    def of(results: Results) -> Case:
        """The part of results that a comparison keeps. Raises ConvergenceError where they are not solved."""
        if not results.status.converged:
            raise ConvergenceError(f"{results.id} did not converge: {results.status.message}")
        figures = {
            table: {tuple(str(row[key]) for key in keys): row for row in _ROWS[table](results)}
            for table, (keys, _) in TABLES.items()
        }
        base = results.base or results
        return Case(results.id, results.scenario, figures, base.world.hash, results.status, results.notes)

    @property
    def name(self) -> str:
        """The scenario in words, "" for the base."""
        return "" if self.scenario is None else self.scenario.name

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that it sets, the last value of each."""
        changes = () if self.scenario is None else self.scenario.modifications
        return {str(m.get("parameter")): m.get("value") for m in changes if m.verb == "set_parameter"}

    @property
    def changes(self) -> dict[tuple[str, str], str]:
        """What is changed to what, by verb and object; parameters apart."""
        found: dict[tuple[str, str], str] = {}
        for m in () if self.scenario is None else self.scenario.modifications:
            if m.verb != "set_parameter":
                of, to = _split(m)
                key = m.verb, of
                found[key] = f"{found[key]}; {to}" if key in found else to
        return found


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Scenarios compared with the first of them.

    world: without changes, to which all of them are applied; cases: at least two, in the order given.
    """

    world: World
    cases: tuple[Case, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The scenarios in their order."""
        return tuple(case.id for case in self.cases)

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios, without the base."""
        return tuple(case.scenario for case in self.cases if case.scenario is not None)

    @property
    def status(self) -> Status:
        """The worst of all solves."""
        return Status.worst(case.status for case in self.cases)

    def own_base(self, case: Case) -> bool:
        """Whether a case is compared with another base than that of the World."""
        return case.base != self.world.hash

    def rows(self) -> dict[str, Rows]:
        """Tables by name: scenarios, changes, parameters, notes, and those of TABLES.

        A row of TABLES has its keys, measure, unit, one column a scenario by its id, and difference_ID, the
        figure of that scenario less that of the first. Sorted by measure, then by the largest difference.
        What a scenario sets stands in the column sets_ID of changes and parameters.
        """
        return {
            "scenarios": self._scenario_rows(),
            "changes": self._change_rows(),
            "parameters": self._parameter_rows(),
            "notes": [{"scenario": case.id, "note": note} for case in self.cases for note in case.notes],
            **{table: self._table(table) for table in TABLES},
        }

    def largest(self, row: Mapping[str, Any]) -> float:
        """The largest difference of a row from the first scenario, in absolute value; -1 without one."""
        found = [row[f"difference_{id}"] for id in self.ids[1:]]
        return max((abs(value) for value in found if value is not None), default=-1.0)

    def _table(self, table: str) -> Rows:
        keys, measures = TABLES[table]
        held = [case.figures[table] for case in self.cases]
        named = list(dict.fromkeys(key for figures in held for key in figures))
        rows: Rows = []
        for measure in measures:
            of = [self._row(keys, key, measure, [figures.get(key) for figures in held]) for key in named]
            rows += sorted((row for row in of if row is not None), key=lambda row: -self.largest(row))
        return rows

    def _row(
        self,
        keys: Sequence[str],
        key: Sequence[str],
        measure: Measure,
        found: Sequence[Mapping[str, Any] | None],
    ) -> dict[str, Any] | None:
        values = [measure.of(row) for row in found]
        if all(value is None for value in values):
            return None
        first = values[0]
        return {
            **dict(zip(keys, key, strict=True)),
            "measure": measure.name,
            "unit": measure.unit,
            **dict(zip(self.ids, values, strict=True)),
            **{
                f"difference_{id}": None if first is None or value is None else value - first
                for id, value in zip(self.ids[1:], values[1:], strict=True)
            },
        }

    def _scenario_rows(self) -> Rows:
        return [
            {
                "scenario": case.id,
                "name": case.name,
                "own_base": "yes" if self.own_base(case) else "no",
                "base_hash": case.base,
            }
            for case in self.cases
        ]

    def _change_rows(self) -> Rows:
        """What the scenarios change, those rows first in which they differ; "" where one changes nothing."""
        held = [case.changes for case in self.cases]
        named = list(dict.fromkeys(key for changes in held for key in changes))
        rows = [
            {
                "verb": verb,
                "of": of,
                **{
                    f"sets_{id}": changes.get((verb, of), "")
                    for id, changes in zip(self.ids, held, strict=True)
                },
            }
            for verb, of in named
        ]
        for row in rows:
            row["differs"] = "yes" if len({row[f"sets_{id}"] for id in self.ids}) > 1 else "no"
        return sorted(rows, key=lambda row: row["differs"] == "no")

    def _parameter_rows(self) -> Rows:
        """Every parameter that one of the scenarios sets, with the value of each."""
        table = self.world.network["parameters"].by("parameter")
        held = [case.parameters for case in self.cases]
        rows: Rows = []
        for name in dict.fromkeys(name for values in held for name in values):
            base = _number(table[name]["value"])
            values = {
                f"sets_{id}": _number(of.get(name, base)) for id, of in zip(self.ids, held, strict=True)
            }
            differs = "yes" if len(set(values.values())) > 1 else "no"
            part = str(table[name]["part_of"])
            rows.append({"parameter": name, "part_of": part, "base": base, **values, "differs": differs})
        return sorted(rows, key=lambda row: row["differs"] == "no")


def compare(
    given: Sequence[Results | Scenario | str | Path],
    world: World,
    *,
    progress: Progress | None = None,
) -> SideBySide:
    """Scenarios solved on one union of routes and compared with the first.

    given: two or more bundled names, Scenarios, paths of TOML files or Results; "base" or the Results of a
    base for the World without changes. Results of one study are taken as they are, others solved again.
    world: without changes, to which scenarios apply; progress: called with text and share. Returns a
    SideBySide.
    Raises ScenarioError for fewer than two, two of one name, or a name that a column of the tables has;
    else as `landbridge.run` does.
    """
    from landbridge.model.run import iterate

    if len(given) < 2:
        cure = "name another scenario; base stands for the world without changes"
        raise ScenarioError("there is nothing to compare", [Fault("compare", "takes two scenarios", cure)])
    solved = [one for one in given if isinstance(one, Results)]
    if len(solved) == len(given) and len({id(one.base or one) for one in solved}) == 1:
        _require_names([one.id for one in solved])
        return SideBySide(world, tuple(Case.of(one) for one in solved))
    wanted = [_scenario_of(one, world) for one in given]
    _require_names([BASE if one is None else one.id for one in wanted])
    found: dict[str, Case] = {}
    for results in iterate(world, [one for one in wanted if one is not None], progress=progress):
        if results.scenario is not None or any(one is None for one in wanted):
            found[results.id] = Case.of(results)
        del results  # or it would live on while the next is solved
    return SideBySide(world, tuple(found[BASE if one is None else one.id] for one in wanted))


def world_of(given: Iterable[Results], known: Iterable[World]) -> World:
    """The first of some Worlds that all Results are cases of, their own parameters of the model apart.

    given: the Results; known: the Worlds, tried in their order. Raises DataError where they belong to
    different Worlds.
    """
    held = list(given)
    for world in known:
        if all(_belongs(one, world) for one in held):
            return world
    fault = Fault("compare", "the results belong to different data", "solve them with the same world")
    raise DataError("the results cannot be compared", [fault])


def _belongs(results: Results, world: World) -> bool:
    """Whether a Results is a case of a World, its own parameters of the model apart."""
    if results.scenario is None:
        return results.world.hash == world.hash
    assert results.base is not None
    try:
        own = apply(world, results.scenario, only_model=True)
    except DataError:
        return False
    return own.hash == results.base.world.hash


def _scenario_of(one: Results | Scenario | str | Path, world: World) -> Scenario | None:
    """The scenario, None for the base."""
    if isinstance(one, Results):
        return one.scenario
    return None if one == BASE else load_scenario(one, world)


def _require_names(ids: Sequence[str]) -> None:
    taken = {*_OWN, *(key for keys, _ in TABLES.values() for key in keys)}
    faults = [
        Fault(f"scenario {id}", "is named twice", "name it once; a file of another name may extend it")
        for id in dict.fromkeys(ids)
        if ids.count(id) > 1
    ]
    faults += [
        Fault(f"scenario {id}", "has the name of a column of the tables", "rename its file")
        for id in ids
        if id in taken
    ]
    if faults:
        raise ScenarioError("the scenarios cannot be compared", faults)


def _split(m: Modification) -> tuple[str, str]:
    """What a modification changes, and to what, in words."""
    of, to = [], []
    columns = verb_columns()[m.verb]
    for key, value in m.to_dict().items():
        if key == "verb" or value == columns[key].default:
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        if key in _STATES or not isinstance(shown, str):
            to.append(f"{key} {_changed(value)}")
        else:
            of.append(shown)
    return ", ".join(of), ", ".join(to) or "yes"


def _changed(value: Any) -> str:
    """A new value: 60, x 0.5, +6, open."""
    if isinstance(value, Mapping):
        ((how, amount),) = value.items()
        return f"x {amount:g}" if how == "multiply" else f"{amount:+g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _number(value: Any) -> Any:
    """A cell as a number where it is one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
