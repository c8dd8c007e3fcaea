"""Scenarios: a base and an ordered list of typed modifications; read from TOML, applied to a World.

    name = "Kashgar to Andijan by rail"
    sources = ["Railway Gazette, 7 January 2025"]
    [[modification]]
    verb = "add_link"
    from = "Kashgar"

`extends = "cku-railway"` puts the changes of another scenario first.

The keys of every verb, with types and bounds, are the `modification.*` rows of schema.csv, or stated where a
verb is registered: one list for checks, for the JSON Schema and for the documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from landbridge.errors import DataError, Fault, ScenarioError, did_you_mean
from landbridge.io.tables import read_text
from landbridge.io.toml_text import read_toml
from landbridge.scenario.applied import do, try_all
from landbridge.scenario.change import Change
from landbridge.scenario.edited import onto
from landbridge.scenario.fields import Modification
from landbridge.scenario.json_schema import json_schema
from landbridge.scenario.registry import Verb, register_verb, unregister_verb, verb_key
from landbridge.scenario.search import scenario_cure
from landbridge.world import World
from landbridge.world.names import resolve
from landbridge.world.validate import check_network

__all__ = [
    "Modification",
    "Scenario",
    "Verb",
    "apply",
    "at_horizon",
    "bundled",
    "edited_data",
    "json_schema",
    "load_scenario",
    "project_scenarios",
    "register_verb",
    "study_set",
    "unregister_verb",
    "verb_key",
]

_TOP = {
    "name": "what the change is, in a few words",
    "description": "what is assumed, in a few sentences",
    "sources": "a list of texts that say where the figures come from",
    "base": "the hash of the World it was written for, or the first 12 characters of it",
    "extends": "a bundled scenario, or a .toml file by its path from this one, whose changes come first",
    "pairs": "pairs of cities whose hours and costs are shown first, each [FROM, TO]",
    "modification": "the changes, in order, each a [[modification]]",
}
_BUNDLED = files("landbridge").joinpath("data", "scenarios")
_PROJECTS = files("landbridge").joinpath("data", "projects")
# Scenarios that extend each other, at most.
_DEEPEST = 20
# Those that led to one by `extends`, itself last: a bundled name, or the path of a file.
Chain = tuple[str | Path, ...]


@dataclass(frozen=True)
class Scenario:
    """A named change of the World.

    id: short name in tables and JSON (the file's stem). name: a description in a few words. modifications: in
    the order in which they are applied. sources: texts. description: the assumptions. base: hash of the World
    it was written for, or None. pairs: of cities by name or id, whose hours and costs are shown first; chosen
    by their freight bills where empty. tables: an edited World whose tables of transport replace those of the
    base before the modifications; no file holds it (see `edited_data`).
    """

    id: str
    name: str
    modifications: tuple[Modification, ...]
    sources: tuple[str, ...] = ()
    description: str = ""
    base: str | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    tables: World | None = field(default=None, compare=False, repr=False)

    @staticmethod
    def from_toml(
        text: str,
        id: str,
        file: str | None = None,
        world: World | None = None,
        chain: Chain = (),
    ) -> Scenario:
        """Read a scenario from TOML text.

        text: the TOML; id: short name; file: its name in faults; world: if given, unknown names are faults
        too; chain: as in `from_dict`.
        Raises ScenarioError with all faults at once.
        """
        place = file or f"{id}.toml"
        try:
            document = read_toml(text)
        except ValueError as error:
            fault = Fault(place, str(error), "correct the line named; text needs quotes")
            raise ScenarioError("the scenario cannot be read", [fault]) from None
        return Scenario.from_dict(document, id, place, _lines_of_modifications(text), world, chain)

    @staticmethod
    def from_dict(
        document: Mapping[str, Any],
        id: str,
        place: str = "scenario",
        lines: tuple[int, ...] = (),
        world: World | None = None,
        chain: Chain = (),
    ) -> Scenario:
        """Read a scenario from a dictionary of the same shape as the TOML, such as a manifest holds.

        document: the dictionary; id: short name; place: its name in faults; lines: line of each modification
        in its file; world: if given, unknown names are faults too; chain: the scenarios that led here by
        `extends`, this one last. A path in `extends` starts from the folder of the last, from the working
        folder without one. The result holds the changes of the scenario it extends, then its own.
        Raises ScenarioError with all faults at once.
        """
        if not isinstance(document, Mapping):
            fault = Fault(
                place, f"is {type(document).__name__}, not a table", "give it name and modification"
            )
            raise ScenarioError("the scenario cannot be read", [fault])
        faults = [
            Fault(place, f"no key {key!r}", did_you_mean(str(key), _TOP) or "use " + ", ".join(_TOP))
            for key in document
            if key not in _TOP
        ]
        head = _head(document, place, faults)
        modifications, clean = _modifications(document, place, lines, faults)
        parent = _parent(document, place, chain, faults)
        if parent is not None:
            clean = [*(True for _ in parent.modifications), *clean]
            modifications = [*parent.modifications, *modifications]
            head = replace(head, base=head.base or parent.base, pairs=head.pairs or parent.pairs)
        if faults:
            if world is not None:
                faults += try_all(Change(world, id), modifications, clean)
            raise ScenarioError(f"{_count(faults)} in scenario {id!r}", faults)
        return Scenario(
            id, head.name, tuple(modifications), head.sources, head.description, head.base, head.pairs
        )

    def with_parameters(self, values: Mapping[str, float | str]) -> Scenario:
        """The same with parameters set, by name: `set_parameter` after its own changes, in place of its own.

        values: numbers or words by name of the parameter, in its own unit. Whether a name is known and a
        value within its bounds is checked when the scenario is applied. Raises ScenarioError for a value that
        is neither a number nor a word.
        """
        kept = [
            m
            for m in self.modifications
            if m.verb != "set_parameter" or str(m.get("parameter")) not in values
        ]
        faults: list[Fault] = []
        for name, value in values.items():
            keys = {"verb": "set_parameter", "parameter": name, "value": value}
            added, found = Modification.read(keys, f"{name}:")
            faults += found
            kept += [added] if added is not None else []
        if faults:
            raise ScenarioError(f"{_count(faults)} in the parameters", faults)
        return replace(self, modifications=tuple(kept))

    @property
    def changes_prices(self) -> bool:
        """Whether any change of money is a change of price only (money = "price")."""
        return any(m.get("money") == "price" for m in self.modifications)

    def at_cost(self) -> Scenario:
        """The scenario without its changes of price, for any World: the cost of transport itself after it."""
        kept = (m if m.get("money") != "price" else m.at_cost() for m in self.modifications)
        return replace(self, base=None, modifications=tuple(m for m in kept if m is not None))

    def to_dict(self) -> dict[str, Any]:
        """The scenario as the dictionary that `from_dict` reads."""
        out: dict[str, Any] = {"name": self.name}
        if self.description:
            out["description"] = self.description
        if self.sources:
            out["sources"] = list(self.sources)
        if self.base:
            out["base"] = self.base
        if self.pairs:
            out["pairs"] = [list(ends) for ends in self.pairs]
        out["modification"] = [m.to_dict() for m in self.modifications]
        return out

    def to_toml(self) -> str:
        """The scenario as TOML text that reads back to an equal scenario."""
        lines = [f"{key} = {_toml(value)}" for key, value in self.to_dict().items() if key != "modification"]
        for modification in self.modifications:
            lines += ["", "[[modification]]"]
            lines += [f"{key} = {_toml(value)}" for key, value in modification.to_dict().items()]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Head:
    """The keys of a scenario other than its modifications."""

    name: str
    sources: tuple[str, ...]
    description: str
    base: str | None
    pairs: tuple[tuple[str, str], ...]


def _head(document: Mapping[str, Any], place: str, faults: list[Fault]) -> _Head:
    name = document.get("name", "")
    if not isinstance(name, str) or not name.strip():
        faults.append(Fault(f"{place}, name", "is missing", 'write name = "what the change is"'))
    sources = document.get("sources", [])
    if isinstance(sources, str):
        sources = [sources]
    if not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
        faults.append(Fault(f"{place}, sources", "is not a list of texts", 'write sources = ["..."]'))
        sources = []
    description = _optional_text(document, "description", place, faults)
    base = _optional_text(document, "base", place, faults)
    if base is not None and not base.strip():
        cure = "write the hash of the World it was written for, or leave it out"
        faults.append(Fault(f"{place}, base", "is blank", cure))
    pairs = _pairs(document.get("pairs", []), place, faults)
    return _Head(name, tuple(sources), description or "", base, pairs)


def _pairs(listed: Any, place: str, faults: list[Fault]) -> tuple[tuple[str, str], ...]:
    if isinstance(listed, list) and all(
        isinstance(ends, list) and len(ends) == 2 and all(isinstance(end, str) for end in ends)
        for ends in listed
    ):
        return tuple((ends[0], ends[1]) for ends in listed)
    cure = 'write pairs = [["Xi\'an", "Tashkent"], ["Almaty", "Moscow"]]'
    faults.append(Fault(f"{place}, pairs", "is not a list of pairs of texts", cure))
    return ()


def _optional_text(document: Mapping[str, Any], key: str, place: str, faults: list[Fault]) -> str | None:
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value
    faults.append(Fault(f"{place}, {key}", f"is {value!r}", "put it in quotes"))
    return None


def _modifications(
    document: Mapping[str, Any], place: str, lines: tuple[int, ...], faults: list[Fault]
) -> tuple[list[Modification], list[bool]]:
    """The modifications that can be read, and which of them have no fault."""
    listed = document.get("modification", [])
    modifications: list[Modification] = []
    clean: list[bool] = []
    if not isinstance(listed, list) or not all(isinstance(m, dict) for m in listed):
        cure = "begin each change with a line [[modification]]"
        faults.append(Fault(f"{place}, modification", "is not a list of tables", cure))
        return modifications, clean
    if not listed and "extends" not in document:
        faults.append(Fault(place, "changes nothing", "add a [[modification]] with a verb"))
    for number, keys in enumerate(listed, start=1):
        line = f" (line {lines[number - 1]})" if len(lines) == len(listed) else ""
        modification, found = Modification.read(keys, f"{place}, modification {number}{line}")
        faults.extend(found)
        if modification is not None:
            modifications.append(modification)
            clean.append(not found)
    return modifications, clean


def _parent(document: Mapping[str, Any], place: str, chain: Chain, faults: list[Fault]) -> Scenario | None:
    """The scenario that one extends; None where it extends none, or with faults."""
    if "extends" not in document:
        return None
    given, where, names = document["extends"], f"{place}, extends", bundled()
    if not isinstance(given, str) or not (given in names or given.endswith(".toml")):
        near = did_you_mean(given, names) if isinstance(given, str) else ""
        cure = near or "name a bundled scenario (`landbridge scenarios`) or a .toml file"
        faults.append(Fault(where, f"is {str(given)[:80]!r}", cure))
        return None
    try:
        one: str | Path = given if given in names else _beside(chain, given)
        if one in chain:
            circle = " -> ".join(_called(c) for c in (*chain[chain.index(one) :], one))
            faults.append(Fault(where, f"leads in a circle: {circle}", "take extends out of one of them"))
            return None
        if len(chain) > _DEEPEST:
            cure = "write the changes of some of them into one file"
            faults.append(Fault(where, f"is more than {_DEEPEST} scenarios deep", cure))
            return None
        there = isinstance(one, str) or one.is_file()
    except (OSError, ValueError):  # a name that no path may have
        there = False
    if not there:
        cure = "give its path from the folder of this scenario, or a bundled name"
        faults.append(Fault(where, f"there is no file {given[:80]!r}", cure))
        return None
    try:
        return _read(one, None, (*chain, one))
    except DataError as error:
        faults += error.faults or [Fault(where, error.message)]
    return None


def _beside(chain: Chain, name: str) -> Path:
    """The path of a file named in the last scenario of a chain."""
    last = chain[-1] if chain else None
    return ((last.parent if isinstance(last, Path) else Path()) / name).resolve()


def _called(one: str | Path) -> str:
    return one.name if isinstance(one, Path) else one


def _read(one: str | Path, world: World | None, chain: Chain) -> Scenario:
    """A scenario that comes with landbridge by name, or one from a TOML file."""
    if isinstance(one, Path):
        return Scenario.from_toml(read_text(one), one.stem, one.name, world, chain)
    return Scenario.from_toml(_text_of(one), one, None, world, chain)


def _text_of(name: str) -> str:
    """The TOML of a scenario that comes with landbridge."""
    folder = _BUNDLED if name in bundled() else _PROJECTS
    return folder.joinpath(f"{name}.toml").read_text(encoding="utf-8")


def load_scenario(scenario: Scenario | str | Path, world: World | None = None) -> Scenario:
    """A scenario: a bundled one by name, one from a TOML file, or the one given.

    scenario: name, also of a scenario of a project, path or Scenario; world: if given, unknown names are
    reported together with faults of form.
    Raises ScenarioError for an invalid or unknown scenario, DataError for a file that cannot be read.
    """
    if isinstance(scenario, Scenario):
        return scenario
    if not isinstance(scenario, str | Path):
        fault = Fault("scenario", f"is {scenario!r}", "give a name, the path of a .toml file or a Scenario")
        raise ScenarioError("not a scenario", [fault])
    names = bundled()
    if isinstance(scenario, str) and scenario in (*names, *project_scenarios()):
        return _read(scenario, None, (scenario,))
    path = Path(scenario)
    try:
        there = path.suffix == ".toml" or path.exists()
    except OSError:  # a name longer than the limit of paths
        there = False
    if there:
        return _read(path, world, (path.resolve(),))
    gateways = () if world is None else tuple(world.network["gateways"].by("gateway_id"))
    cure = scenario_cure(str(scenario)[:80], names, project_scenarios(), _text_of, gateways)
    raise ScenarioError("unknown scenario", [Fault("scenario", f"no scenario {str(scenario)[:80]!r}", cure)])


def bundled() -> tuple[str, ...]:
    """Names of the scenarios that come with landbridge, sorted."""
    return _names_in(_BUNDLED)


def project_scenarios() -> tuple[str, ...]:
    """Names of the scenarios of single projects that come with landbridge, sorted.

    They are in no study set. The table `projects` names the scenario of each project.
    """
    return _names_in(_PROJECTS)


def _names_in(folder: Traversable) -> tuple[str, ...]:
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def study_set(world: World) -> tuple[str, ...]:
    """Names of the scenarios that `landbridge run` compares with the base, in order.

    world: whose table study_set lists them.
    """
    rows = sorted(world.network["study_set"], key=lambda row: int(row["position"] or 0))
    return tuple(str(row["scenario"]) for row in rows)


def apply(world: World, scenario: Scenario | str | Path, *, only_model: bool = False) -> World:
    """The World after a scenario.

    world: the base; scenario: name, path or Scenario; only_model: apply only what the base must share, that
    is parameters of the model rather than of the world it describes (phi, rho, the variant of the trade table
    ...). A scenario is compared with a base of the same model.
    Raises ScenarioError with every fault of every modification: unknown names with the nearest known ones,
    values outside their bounds, and rules that the changed tables break, DataError for a file that cannot be
    read.
    """
    scenario = load_scenario(scenario, world)
    start = world if scenario.tables is None or only_model else onto(world, scenario.tables)
    change = Change(start, scenario.id)
    if scenario.base and not world.hash.startswith(scenario.base):
        cure = f"write base = {world.hash[:12]!r} once you have checked that it still applies"
        change.faults.append(Fault(f"{scenario.id}, base", f"written for World {scenario.base[:12]}", cure))
    for modification in scenario.modifications:
        do(change, modification, only_model=only_model)
    if not only_model:
        change.faults += _unknown_pairs(change, scenario)
    if not change.faults and not only_model:
        broken = check_network(change.network)
        # Faults that the tables had before the scenario are not reported.
        known = set(check_network(world.network)) if broken else set()
        change.faults += [fault for fault in broken if fault not in known]
    if change.faults:
        raise ScenarioError(
            f"{_count(change.faults)} in scenario {scenario.id!r}", list(dict.fromkeys(change.faults))
        )
    return change.world()


def edited_data(edited: World, id: str, name: str) -> Scenario:
    """A scenario that puts the tables of transport of an edited World in place of those of the base.

    edited: from `lb.load(folder)`; id, name: of the scenario. The base that it is applied to decides which
    rows differ. `apply` raises ScenarioError where a table differs that is no change of the base.
    """
    return Scenario(id, name, (), tables=edited)


def _unknown_pairs(change: Change, scenario: Scenario) -> list[Fault]:
    """Ends of the pairs shown that are no city with freight of its own, or the same twice."""
    zones = {str(row["place_id"]) for row in change.network["zones"]}
    faults = []
    for ends in scenario.pairs:
        where, found = f"{scenario.id}, pairs", []
        for end in ends:
            place, fault = resolve(change.network, "place", end, where)
            if fault is None and place not in zones:
                fault = Fault(where, f"{end} has no freight of its own", "name a city of zones.csv")
            if fault is not None:
                faults.append(fault)
            found.append(place)
        if found[0] == found[1] and not faults:
            faults.append(Fault(where, f"both ends are {ends[0]}", "name two cities"))
    return faults


def at_horizon(world: World, year: int) -> World:
    """The World with its base economy scaled to the GDP of a later year (parameter `horizon`).

    world: the base; year: the horizon. Only sizes of economies change: network, prices and shares stay those
    of 2023. Raises ScenarioError where growth to that year is not known for every region.
    """
    move = {"verb": "set_parameter", "parameter": "horizon", "value": year}
    return apply(world, Scenario.from_dict({"name": f"horizon {year}", "modification": [move]}, "horizon"))


def _count(faults: list[Fault]) -> str:
    return "1 fault" if len(faults) == 1 else f"{len(faults)} faults"


def _lines_of_modifications(text: str) -> tuple[int, ...]:
    header = re.compile(r"^\s*\[\[\s*modification\s*\]\]")
    return tuple(n for n, line in enumerate(text.splitlines(), start=1) if header.match(line))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A basic TOML string has the escapes of JSON, and the delete character in addition.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    return repr(value)
