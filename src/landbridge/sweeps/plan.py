"""A plan of a sweep: scenarios, which numbers of the World are moved over which ranges, how draws are made.

    scenarios = ["cku-railway"]
    draws = "monte_carlo"
    distribution = "triangular"
    seed = 1
    parameters = ["phi", "rho"]

Keys of moved numbers: NAME of a parameter, theta:SECTOR, time_value:SECTOR, border_hours:GATEWAY.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.tables import read_text
from landbridge.io.toml_text import read_toml
from landbridge.scenario import Scenario, apply, bundled, load_scenario
from landbridge.world import Cell, World

__all__ = ["BORDER", "MOST_CASES", "THETA", "TIME", "Moved", "Plan", "read_plan"]

DRAWS = ("monte_carlo", "sobol", "grid", "saltelli")
DISTRIBUTIONS = ("triangular", "uniform")
THETA, TIME, BORDER = "theta:", "time_value:", "border_hours:"
# Cases of one sweep at most.
MOST_CASES = 1_000_000
_MOST_SEED = 2**63
_TOP = {
    "scenarios": 'a list of names or paths: scenarios = ["cku-railway"]',
    "draws": "monte_carlo, sobol, grid or saltelli",
    "distribution": "triangular or uniform",
    "seed": "a whole number, 0 or more",
    "levels": "points a number of a grid, 2 or more",
    "parameters": '"all" or a list of names of parameters.csv',
    "theta": '"all" or a list of sectors',
    "time_values": '"all" or a list of sectors',
    "border_hours": '"all" or a list of gateways',
    "ranges": "a table of other ranges: phi = [6, 10]",
}
# Parameters with a range that no draw can move, and why.
_FIXED = {
    "detour_max": "decides which routes are searched, and a sweep searches them once",
    "horizon": "is a year that growth.csv lists, not a range",
}


@dataclass(frozen=True)
class Moved:
    """One number that draws move, from low to high; value: that of the data.

    key: its name in a plan.
    Hours of a gateway (border_hours:NAME) move by a share from 0 to 1, at which every crossing there has the
    hours of that place in its own range. Their value is None.
    """

    key: str
    low: float
    value: float | None
    high: float

    def at(self, share: float, distribution: str) -> float:
        """The number below which so large a share of all draws lies.

        distribution: of the plan.
        """
        if self.value is None:
            return share
        return quantile(share, self.low, self.value, self.high, distribution)


def quantile(share: float, low: float, value: float, high: float, distribution: str) -> float:
    """Inverse distribution function, uniform or triangular with its mode at the value.

    triangular: low + sqrt(p (high - low)(value - low)) up to the mode, mirrored above it.
    """
    width = high - low
    if distribution == "uniform":
        found = low + share * width
    elif share * width < value - low:
        found = low + math.sqrt(share * width * (value - low))
    else:
        found = high - math.sqrt((1.0 - share) * width * (high - value))
    return min(max(found, low), high)


@dataclass(frozen=True)
class Plan:
    """What a sweep does: scenarios, how draws are made, and the numbers that they move.

    distribution: of each number between its ends; seed: of the random numbers; moved: the numbers.
    levels: points a number where draws are a grid.
    """

    scenarios: tuple[Scenario, ...]
    draws: str
    distribution: str
    seed: int
    levels: int
    moved: tuple[Moved, ...]

    @property
    def cases(self) -> int | None:
        """How many cases a grid has; None where draws can go on."""
        return self.levels ** len(self.moved) if self.draws == "grid" else None

    def to_dict(self) -> dict[str, Any]:
        """The plan in full, as it is written into a store; `from_dict` reads it."""
        return {
            "scenarios": {one.id: one.to_dict() for one in self.scenarios},
            "draws": self.draws,
            "distribution": self.distribution,
            "seed": self.seed,
            "levels": self.levels,
            "moved": [[m.key, m.low, m.value, m.high] for m in self.moved],
        }

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> Plan:
        """The plan that `to_dict` wrote. Raises KeyError, TypeError, ValueError for anything else.

        document: that dictionary.
        """
        scenarios = [Scenario.from_dict(body, name) for name, body in document["scenarios"].items()]
        moved = tuple(Moved(*row) for row in document["moved"])
        return Plan(
            tuple(scenarios),
            document["draws"],
            document["distribution"],
            document["seed"],
            document["levels"],
            moved,
        )


def read_plan(source: Plan | Mapping[str, Any] | Path | str, world: World) -> Plan:
    """A plan from a TOML file or a dictionary of the same shape, with the ranges of a World.

    source: the path, the dictionary, or a Plan, which is returned as it is; world: with the names and ranges.
    Raises DataError with every fault: unknown keys and names, numbers without a range, empty ranges.
    """
    if isinstance(source, Plan):
        return source
    place, folder, document = "plan", None, source
    if not isinstance(source, Mapping):
        path = Path(source)
        place, folder, document = path.name, path.parent, _toml(path)
    assert isinstance(document, Mapping)
    return _Reader(document, place, folder, world).plan()


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return read_toml(read_text(path))
    except ValueError as error:
        fault = Fault(path.name, str(error), "correct the line named; text needs quotes")
        raise DataError("the plan cannot be read", [fault]) from None


class _Reader:
    """A document read as a plan, with every fault found on the way."""

    def __init__(self, document: Mapping[str, Any], place: str, folder: Path | None, world: World) -> None:
        self.document, self.place, self.folder, self.world = document, place, folder, world
        self.faults: list[Fault] = []
        self.ranges: dict[str, Any] = {}

    def fault(self, where: str, what: str, cure: str) -> None:
        self.faults.append(Fault(f"{self.place}, {where}" if where else self.place, what, cure))

    def plan(self) -> Plan:
        """The plan; DataError with every fault."""
        for key in self.document:
            if key not in _TOP:
                self.fault("", f"no key {key!r}", did_you_mean(str(key), _TOP) or "use " + ", ".join(_TOP))
        draws = self._word("draws", DRAWS)
        distribution = self._word("distribution", DISTRIBUTIONS)
        seed = self._whole("seed", 1, 0, _MOST_SEED)
        levels = self._whole("levels", 3, 2, 1000)
        ranges = self.document.get("ranges", {})
        if isinstance(ranges, Mapping):
            self.ranges = dict(ranges)
        else:
            self.fault("ranges", "is not a table", _TOP["ranges"])
        scenarios = self._scenarios()
        moved = self._moved(distribution)
        found = Plan(scenarios, draws, distribution, seed, levels, moved)
        if found.cases is not None and found.cases > MOST_CASES:
            what = f"{levels} points of {len(moved)} numbers are more than {MOST_CASES:,} cases"
            self.fault("draws", what, "move fewer numbers, or draw them")
        if self.faults:
            count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
            raise DataError(f"the plan of the sweep has {count}", self.faults)
        return found

    def _word(self, key: str, allowed: tuple[str, ...]) -> str:
        given = self.document.get(key, allowed[0])
        if given in allowed:
            return str(given)
        self.fault(key, f"is {given!r}", did_you_mean(str(given), allowed) or "use " + " or ".join(allowed))
        return allowed[0]

    def _whole(self, key: str, default: int, least: int, most: int) -> int:
        given = self.document.get(key, default)
        if isinstance(given, int) and not isinstance(given, bool) and least <= given <= most:
            return given
        self.fault(key, f"is {given!r}", f"write {_TOP[key]}")
        return default

    # -- scenarios -------------------------------------------------------------------------------------

    def _scenarios(self) -> tuple[Scenario, ...]:
        given = self.document.get("scenarios", [])
        if isinstance(given, str | Scenario | Path):
            given = [given]
        if not isinstance(given, list | tuple) or not given:
            self.fault("scenarios", "names none", f"write {_TOP['scenarios']}")
            return ()
        found = []
        for one in given:
            try:
                scenario = load_scenario(self._path(one), self.world)
                apply(self.world, scenario)
                if apply(self.world, scenario, only_model=True).hash != self.world.hash:
                    what = "sets a parameter of the model, which its base must have too"
                    self.fault(f"scenarios, {scenario.id}", what, "leave it out there and move it here")
                # Checked for this World; draws change its hash.
                found.append(replace(scenario, base=None))
            except DataError as error:
                self.faults += error.faults or (Fault(f"{self.place}, scenarios", error.message),)
        names = [one.id for one in found]
        for name in sorted({n for n in names if names.count(n) > 1 or n == "base"}):
            self.fault(
                "scenarios", f"{name!r} is the name of the base or of another scenario", "rename its file"
            )
        return tuple(found)

    def _path(self, given: Any) -> Any:
        """A file in the folder of the plan, where a name is not that of a bundled scenario."""
        if isinstance(given, str) and self.folder is not None and given not in bundled():
            there = self.folder / given
            if given.endswith(".toml") and there.is_file():
                return there
        return given

    # -- what is moved ---------------------------------------------------------------------------------

    def _moved(self, distribution: str) -> tuple[Moved, ...]:
        kinds: dict[str, tuple[str, dict[str, Moved]]] = {
            "parameters": ("", self._parameters()),
            "theta": (
                THETA,
                self._of_sectors(THETA, self.world.sectors, ("theta_low", "theta", "theta_high")),
            ),
            "time_values": (
                TIME,
                self._of_sectors(
                    TIME,
                    self.world.network["sector_freight"],
                    ("time_low", "time_percent_per_day", "time_high"),
                ),
            ),
            "border_hours": (BORDER, self._borders()),
        }
        nothing = not any(name in self.document for name in kinds)
        found: list[Moved] = []
        for name, (prefix, known) in kinds.items():
            given = self.document.get(name, "all" if nothing and name == "parameters" else [])
            found += self._chosen(name, prefix, given, known)
        chosen = {moved.key for moved in found}
        for key in self.ranges:
            if key not in chosen:
                cure = did_you_mean(key, chosen) or "name it among what is moved"
                self.fault(f"ranges, {key}", "is not moved", cure)
        if not found and not self.faults:
            self.fault("", "moves nothing", 'write parameters = "all"')
        moved = [self._other_range(one) for one in found]
        for one in moved:
            self._check_range(one, distribution)
        return tuple(moved)

    def _chosen(self, name: str, prefix: str, given: Any, known: Mapping[str, Moved]) -> Iterable[Moved]:
        if given == "all":
            return [one for one in known.values() if one.low < one.high]
        if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
            self.fault(name, f"is {given!r}", f"write {_TOP[name]}")
            return []
        found: dict[str, Moved] = {}
        for one in given:
            if prefix + one in known:
                found[one] = known[prefix + one]
            elif name == "parameters" and one in self.ranges and self._may_have_a_range(one):
                value = self.world.parameter(one)
                found[one] = Moved(one, value, value, value)
            elif name == "parameters" and one in _FIXED:
                self.fault(f"{name}, {one}", _FIXED[one], "leave it out")
            else:
                self._unknown(name, one, [key.removeprefix(prefix) for key in known])
        return found.values()

    def _may_have_a_range(self, name: str) -> bool:
        row = self.world.network["parameters"].by("parameter").get(name)
        return row is not None and name not in _FIXED and _number(row["value"]) is not None

    def _unknown(self, name: str, one: str, known: list[str]) -> None:
        there = name == "parameters" and one in self.world.network["parameters"].by("parameter")
        what = f"{one!r} has no range" if there else f"no such number {one!r}"
        cure = "give it one under [ranges]" if there else did_you_mean(one, known) or _TOP[name]
        self.fault(name, what, cure)

    def _parameters(self) -> dict[str, Moved]:
        found = {}
        for row in self.world.network["parameters"]:
            value, name = _number(row["value"]), str(row["parameter"])
            if value is None or row["low"] is None or row["high"] is None or name in _FIXED:
                continue
            found[name] = Moved(name, float(row["low"]), value, float(row["high"]))
        return found

    def _of_sectors(
        self, prefix: str, rows: Iterable[Mapping[str, Cell]], columns: tuple[str, str, str]
    ) -> dict[str, Moved]:
        found = {}
        for row in rows:
            low, value, high = (_number(row.get(column)) for column in columns)
            if low is not None and value is not None and high is not None:
                key = f"{prefix}{row['sector']}"
                found[key] = Moved(key, low, value, high)
        return found

    def _borders(self) -> dict[str, Moved]:
        gateways = {str(r["gateway_id"]) for r in self.world.network["crossings"] if moves(r)}
        return {f"{BORDER}{name}": Moved(f"{BORDER}{name}", 0.0, None, 1.0) for name in sorted(gateways)}

    def _other_range(self, one: Moved) -> Moved:
        given = self.ranges.get(one.key)
        if given is None:
            return one
        numbers = list(map(_number, given)) if isinstance(given, list | tuple) else []
        if one.value is None or len(numbers) != 2 or None in numbers or isinstance(given[0], str):
            what = "cannot have one here" if one.value is None else f"is {given!r}"
            self.fault(f"ranges, {one.key}", what, "write [low, high]")
            return one
        low, high = (float(number or 0.0) for number in numbers)
        return Moved(one.key, low, one.value, high)

    def _check_range(self, one: Moved, distribution: str) -> None:
        where = f"ranges, {one.key}"
        if not one.low < one.high:
            self.fault(
                where, f"the range {one.low:g} to {one.high:g} is empty", "write [low, high], low < high"
            )
            return
        if distribution == "triangular" and one.value is not None and not one.low <= one.value <= one.high:
            what = f"{one.low:g} to {one.high:g} does not hold the value {one.value:g}"
            self.fault(where, what, 'widen it, or write distribution = "uniform"')
        if one.key.startswith((THETA, TIME)):
            if one.low < 0.0 or (one.low == 0.0 and one.key.startswith(THETA)):
                self.fault(where, f"{one.low:g} to {one.high:g} leaves its bounds", "narrow it: above 0")
            return
        row = self.world.network["parameters"].by("parameter").get(one.key)
        least = None if row is None else _number(row["min"])
        most = None if row is None else _number(row["max"])
        if (least is not None and one.low < least) or (most is not None and one.high > most):
            bounds = f"{'' if least is None else f'{least:g}'} to {'' if most is None else f'{most:g}'}"
            self.fault(where, f"{one.low:g} to {one.high:g} leaves its bounds {bounds}", "narrow it")


def moves(row: Mapping[str, Cell]) -> bool:
    """Whether the hours of a crossing have a range."""
    low, value, high = (row[name] for name in ("time_low_h", "time_h", "time_high_h"))
    return None not in (low, value, high) and float(low or 0.0) < float(high or 0.0)


def _number(cell: Any) -> float | None:
    try:
        found = float(cell)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None
