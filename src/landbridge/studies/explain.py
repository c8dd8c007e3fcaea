"""A result split exactly into what causes it: by modification, by mechanism and by pair of countries.

    change of real income = sum of the parts

Parts are Shapley values (`landbridge.studies.shapley`) of three games: v(S) is the change of real income with
only the modifications S of the scenario, each set solved as in `landbridge.run`; with only the mechanisms S
adjusting (`landbridge.model.mechanisms`); or with only the trade costs of the pairs S changed, in the economy
alone. With all parts each equals the change that `landbridge.run` reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, DataError, Fault, ScenarioError, Status
from landbridge.model.base import SolvedBase
from landbridge.model.mechanisms import MECHANISMS, Mechanisms
from landbridge.model.prepared import Prepared
from landbridge.model.run import Progress
from landbridge.results import Results
from landbridge.scenario import Modification, Scenario, apply, load_scenario
from landbridge.scenario.registry import verb_columns
from landbridge.studies.by_pair import Pairs
from landbridge.studies.shapley import shapley, subsets
from landbridge.trade.welfare import CENTRAL_ASIA, parse_outcome
from landbridge.world import World

__all__ = ["LIMIT", "SPLITS", "Explanation", "explain"]

FloatArray = NDArray[np.float64]
Rows = list[dict[str, Any]]
# Numbers of modifications that are added or left out together.
Group = tuple[int, ...]

SPLITS = ("modification", "mechanism", "pair")
# Most parts of a split by modification, which needs a solve for each of their 2^n sets.
LIMIT = 6
# Totals closer to zero have no meaningful shares [percent].
_NO_SHARE = 1e-9
_PARTNER = "CHN"


@dataclass(frozen=True, eq=False)
class Explanation:
    """A scenario's change of real income, and its parts.

    result: of the scenario. zones: outcomes explained, a region, CA5 or world. totals: rows zone,
    change_percent. by_modification, by_mechanism, by_pair: rows zone, part, change_percent [percent of
    income] and share, part of the total (None where that is zero); by_pair also kind, direct, indirect or not
    by pair. Each adds up to the total of its zone; empty where not asked. partners: rows zone, partner,
    imports_percent, exports_percent, to first order. grouped: modifications that are one part, with the
    reason: together (as asked), verb (too many) or needed (some are invalid without the others). of_model:
    modifications shared with the base. moved: pairs of places that lose a route with freight, and the TEU
    that must move. status: the worst of the solves.
    """

    result: Results
    zones: tuple[str, ...]
    totals: Rows
    by_modification: Rows
    by_mechanism: Rows
    by_pair: Rows
    partners: Rows
    grouped: tuple[tuple[str, str], ...]
    of_model: tuple[str, ...]
    moved: tuple[int, float]
    status: Status

    @property
    def tables(self) -> dict[str, Rows]:
        """The tables by name, those that were asked for."""
        names = ("totals", "by_modification", "by_mechanism", "by_pair", "partners")
        return {name: rows for name in names if (rows := getattr(self, name))}

    def to_json(self) -> dict[str, Any]:
        """The tables, and what is one part or must move, as plain values."""
        pairs, teu = self.moved
        return {
            **self.tables,
            "grouped": [{"part": part, "reason": reason} for part, reason in self.grouped],
            "in_the_base_too": list(self.of_model),
            "must_move": {"pairs": pairs, "teu_per_year": teu},
        }

    @property
    def total(self) -> dict[str, float]:
        """Change of real income by zone, percent of income."""
        return {str(row["zone"]): float(row["change_percent"]) for row in self.totals}


def explain(
    world: World,
    scenario: Scenario | str,
    *,
    of: Sequence[str] = (),
    by: Sequence[str] = SPLITS,
    together: Iterable[Sequence[int]] = (),
    progress: Progress | None = None,
) -> Explanation:
    """Split the change of real income of a scenario by modification, by mechanism and by pair of countries.

    world: from `lb.load`; scenario: a bundled name, a Scenario or the path of a TOML file. of: zones, as
    real_income:KAZ, KAZ, CA5 or world; by default China and the countries of Central Asia. by: the splits
    wanted, of `SPLITS`. together: numbers of modifications, from 1, that are one part. progress: called with
    a text and the share done.
    Returns an Explanation. Equations: `landbridge.studies.shapley`, and head of `landbridge.studies.explain`.
    Raises ScenarioError for an unknown or faulty scenario, DataError for an unknown zone or split and for
    more than `LIMIT` parts; ConvergenceError or InfeasibleError where a solve fails.
    """
    tell = progress or (lambda text, share: None)
    wanted = _wanted(by)
    tell("reading the scenario", 0.0)
    one = load_scenario(scenario, world)
    after, base_world = apply(world, one), apply(world, one, only_model=True)
    zones = _zones(base_world, of)
    sets = _Sets.of(world, one, together) if "modification" in wanted else None
    tell("searching routes for every pair of places", 0.05)
    common = Prepared([base_world, after, *(sets.worlds if sets else ())])
    tell("solving the base", 0.2)
    base = SolvedBase(common, base_world, 0, throw=True)
    tell(f"solving {one.id}", 0.25)
    case = base.case(after, 1, one)
    if not case.status.converged:
        raise ConvergenceError(f"{one.id}: {case.status.message}")
    equilibrium = case.equilibrium[case.closure]
    full = np.asarray(equilibrium.real_income_hat - 1.0)
    weights = _weights(equilibrium.base.income, list(zones.values()))
    split = _Split(tuple(zones), weights, full)
    mechanisms = Mechanisms(base, case, 1)
    tables: dict[str, Rows] = {name: [] for name in (*SPLITS, "partners")}
    if sets is not None:
        tables["modification"] = list(split.rows(_of_modifications(base, sets, full, tell)))
    if "mechanism" in wanted:
        tell("holding one mechanism after another", 0.7)
        tables["mechanism"] = list(split.rows(_of_mechanisms(mechanisms, full)))
    if "pair" in wanted:
        tell("changing the costs of some pairs at a time", 0.85)
        pairs = Pairs(base, case, *mechanisms.whole)
        for zone, members in zones.items():
            tables["pair"] += split.scalar(zone, pairs.parts(members, split.total(zone) / 100.0))
            tables["partners"] += [{"zone": zone, **row} for row in pairs.partners(zone, members)]
    tell("done", 1.0)
    return Explanation(
        case,
        tuple(zones),
        [{"zone": zone, "change_percent": split.total(zone)} for zone in zones],
        tables["modification"],
        tables["mechanism"],
        tables["pair"],
        tables["partners"],
        () if sets is None else sets.grouped,
        () if sets is None else sets.of_model,
        mechanisms.moved if "mechanism" in wanted else (0, 0.0),
        Status.worst([base.results.status, case.status]),
    )


def _wanted(by: Sequence[str]) -> tuple[str, ...]:
    faults = [Fault("by", f"no split {one!r}", "use " + ", ".join(SPLITS)) for one in by if one not in SPLITS]
    if faults or not by:
        raise DataError("nothing to explain", faults or [Fault("by", "is empty", "use " + ", ".join(SPLITS))])
    return tuple(one for one in SPLITS if one in by)


def _zones(world: World, of: Sequence[str]) -> dict[str, list[int]]:
    """Numbers of the regions of each zone, by its name."""
    table = world.trade
    regions = table.regions
    named = of or [r for r in (_PARTNER, *world.group(CENTRAL_ASIA)) if r in regions] or [regions[0]]
    found: dict[str, list[int]] = {}
    for name in named:
        outcome = parse_outcome(name, table)
        if outcome.kind != "real_income":
            cure = "use real_income:KAZ, real_income:CA5 or real_income:world"
            raise DataError("cannot explain it", [Fault("of", f"{name!r} is not a real income", cure)])
        found[str(name).split(":")[-1]] = list(outcome.regions)
    return found


def _weights(income: FloatArray, zones: Sequence[Sequence[int]]) -> FloatArray:
    """Share of each region in the base income of each zone [zone, n]."""
    out = np.zeros((len(zones), len(income)))
    for row, members in zip(out, zones, strict=True):
        row[list(members)] = income[list(members)] / income[list(members)].sum()
    return out


@dataclass(frozen=True, eq=False)
class _Split:
    """Zones, their weights [zone, n] and the whole change of real income [n]."""

    zones: tuple[str, ...]
    weights: FloatArray
    full: FloatArray

    def total(self, zone: str) -> float:
        """The change of a zone [percent]."""
        return 100.0 * float(self.weights[self.zones.index(zone)] @ self.full)

    def rows(self, parts: dict[str, FloatArray]) -> Iterator[dict[str, Any]]:
        """The parts [n] of every zone."""
        for zone, weight in zip(self.zones, self.weights, strict=True):
            yield from self.scalar(zone, {part: ("", float(weight @ v)) for part, v in parts.items()})

    def scalar(self, zone: str, parts: dict[str, tuple[str, float]]) -> Rows:
        """Rows of the kind and size of every part of one zone."""
        total, out = self.total(zone), []
        for part, (kind, value) in parts.items():
            share = 100.0 * value / total if abs(total) > _NO_SHARE else None
            cells = {"change_percent": 100.0 * value, "share": share}
            out.append({"zone": zone, "part": part, **({"kind": kind} if kind else {}), **cells})
        return out


# -- by mechanism ----------------------------------------------------------------------------------------


def _of_mechanisms(mechanisms: Mechanisms, full: FloatArray) -> dict[str, FloatArray]:
    direct = mechanisms.income(())

    def value(on: frozenset[str]) -> FloatArray:
        if not on:
            return direct
        return full if len(on) == len(MECHANISMS) else mechanisms.income(on)

    return {"direct": direct, **shapley(MECHANISMS, value)}


# -- by modification -------------------------------------------------------------------------------------


def _of_modifications(
    base: SolvedBase, sets: _Sets, full: FloatArray, tell: Progress
) -> dict[str, FloatArray]:
    """The part of each group of modifications [n], by its name."""
    solved = 0

    def value(some: frozenset[Group]) -> FloatArray:
        nonlocal solved
        if not some:
            return np.zeros_like(full)
        if len(some) == len(sets.groups):
            return full
        solved += 1
        part, changed = sets.scenario(some), sets.world(some)
        tell(f"solving {part.id}", 0.3 + 0.4 * solved / len(sets.worlds))
        income = base.income(changed, base.common.number(changed), part)
        if income is None:
            raise ConvergenceError(f"{part.id}: this part of the scenario has no solution by itself")
        return np.asarray(income - 1.0)

    return {sets.named(group): part for group, part in shapley(sets.groups, value).items()}


@dataclass(frozen=True, eq=False)
class _Sets:
    """The modifications of a scenario in groups, and the World of every set of groups but none and all.

    groups: numbers of modifications, from 0. shared: modifications of the model, in the base too. grouped,
    of_model: as of `Explanation`.
    """

    whole: Scenario
    groups: tuple[Group, ...]
    shared: Group
    known: dict[frozenset[Group], World]
    reasons: dict[Group, str]

    @staticmethod
    def of(world: World, scenario: Scenario, together: Iterable[Sequence[int]]) -> _Sets:
        """The groups of a scenario: those given, those that must go together, and by verb where too many."""
        changes = scenario.modifications
        given = _given(together, len(changes))
        shared = tuple(n for n, m in enumerate(changes) if _of_model(world, scenario, m))
        taken = {n for group in given for n in group} | set(shared)
        alone: list[Group] = [(n,) for n in range(len(changes)) if n not in taken]
        groups = [tuple(n for n in group if n not in shared) for group in given]
        reasons = {group: "together" for group in groups if len(group) > 1}
        if len(groups) + len(alone) > LIMIT:
            verbs = dict.fromkeys(changes[n].verb for (n,) in alone)
            alone = [tuple(n for (n,) in alone if changes[n].verb == verb) for verb in verbs]
            reasons |= {group: "verb" for group in alone if len(group) > 1}
        groups = sorted(group for group in (*groups, *alone) if group)
        if len(groups) > LIMIT:
            cure = f"make parts of several with together (--together 1+2), until there are {LIMIT} or fewer"
            what = f"has {len(changes)} modifications in {len(groups)} parts; at most {LIMIT} are possible"
            raise DataError("too many modifications to explain", [Fault(scenario.id, what, cure)])
        known: dict[frozenset[Group], World] = {}
        while (invalid := _try(world, scenario, shared, groups, known)) is not None:
            merged = _least_valid(world, scenario, shared, groups, invalid)
            one = tuple(sorted(n for group in merged for n in group))
            groups = sorted([group for group in groups if group not in merged] + [one])
            reasons[one] = "needed"
        return _Sets(scenario, tuple(groups), shared, known, reasons)

    @property
    def worlds(self) -> list[World]:
        """The Worlds of all sets."""
        return list(self.known.values())

    def world(self, some: frozenset[Group]) -> World:
        """The World of a set of groups."""
        return self.known[some]

    def scenario(self, some: Iterable[Group]) -> Scenario:
        """The scenario of a set of groups."""
        return _part(self.whole, self.shared, some)

    @property
    def grouped(self) -> tuple[tuple[str, str], ...]:
        """Names of the groups of several modifications, and why they are one part."""
        return tuple((self.named(g), self.reasons.get(g, "together")) for g in self.groups if len(g) > 1)

    @property
    def of_model(self) -> tuple[str, ...]:
        """Names of the modifications that the base shares."""
        return tuple(self.named((n,)) for n in self.shared)

    def named(self, group: Group) -> str:
        """Numbers, verbs and objects of a group."""
        numbers = "+".join(str(n + 1) for n in group)
        words = dict.fromkeys(_described(self.whole.modifications[n]) for n in group)
        return f"{numbers} {'; '.join(words)}"


def _given(together: Iterable[Sequence[int]], n: int) -> list[Group]:
    groups: list[Group] = [tuple(sorted(int(number) - 1 for number in group)) for group in together]
    flat = [number for group in groups for number in group]
    faults = [
        Fault("together", f"there is no modification {number + 1}", f"use numbers from 1 to {n}")
        for number in flat
        if not 0 <= number < n
    ]
    faults += [
        Fault("together", f"modification {number + 1} appears twice", "give each number once")
        for number in sorted({number for number in flat if flat.count(number) > 1})
    ]
    if faults:
        raise DataError("the modifications cannot be grouped", faults)
    return groups


def _of_model(world: World, scenario: Scenario, modification: Modification) -> bool:
    """Whether a modification is of the model, so that the base has it too."""
    if modification.verb != "set_parameter":
        return False
    alone = replace(scenario, modifications=(modification,), base=None)
    return apply(world, alone, only_model=True).hash != world.hash


def _described(modification: Modification) -> str:
    """Verb, objects and the numbers changed, without what a verb assumes unless stated."""
    columns = verb_columns()[modification.verb]
    objects, numbers = [], []
    for key, value in modification.to_dict().items():
        if key == "verb" or value == columns[key].default:
            continue
        if isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            objects.append(value if isinstance(value, str) else ", ".join(value))
        elif not isinstance(value, bool):
            numbers.append(key)
    said = " ".join([modification.verb, *objects])
    return f"{said} ({', '.join(numbers)})" if numbers else said


def _part(scenario: Scenario, shared: Group, some: Iterable[Group]) -> Scenario:
    numbers = sorted({*shared, *(n for group in some for n in group)})
    kept = tuple(scenario.modifications[n] for n in numbers)
    listed = ", ".join(str(n + 1) for n in numbers if n not in shared)
    return replace(scenario, id=f"{scenario.id} ({listed})", modifications=kept, base=None, pairs=())


def _try(
    world: World,
    scenario: Scenario,
    shared: Group,
    groups: Sequence[Group],
    known: dict[frozenset[Group], World],
) -> frozenset[Group] | None:
    """Make the World of every set but none and all. Returns the first that is invalid."""
    known.clear()
    for some in subsets(groups):
        if not 0 < len(some) < len(groups):
            continue
        try:
            known[some] = apply(world, _part(scenario, shared, some))
        except ScenarioError:
            return some
    return None


def _least_valid(
    world: World,
    scenario: Scenario,
    shared: Group,
    groups: Sequence[Group],
    invalid: frozenset[Group],
) -> frozenset[Group]:
    """The smallest valid set that contains an invalid one; the whole scenario is valid."""
    others = [group for group in groups if group not in invalid]
    for size in range(1, len(others)):
        for more in combinations(others, size):
            some = invalid | set(more)
            try:
                apply(world, _part(scenario, shared, some))
            except ScenarioError:
                continue
            return some
    return frozenset(groups)
