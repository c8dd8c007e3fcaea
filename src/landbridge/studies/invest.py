"""Investment projects: benefit of each, alone and in pairs, and the set that a budget pays for.

The benefit of a project is the change of real income that its scenario causes, over all regions:

    B = sum_n I_n (W_n^ - 1)   [million USD of the price year, a year]

with I_n base income and W_n^ real income after over before. A project that is part of the base is taken out,
and its benefit is the loss with the sign turned. Every case is solved as in `landbridge.run`, against one
solved base. Costs, lives and openings are those of the table `projects`; what is made of them is in
`landbridge.studies.appraisal`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import (
    ConvergenceError,
    DataError,
    Fault,
    InfeasibleError,
    ScenarioError,
    Status,
    did_you_mean,
)
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.model.run import Progress, searches
from landbridge.phrases import named, say
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.studies.appraisal import (
    MOST_CANDIDATES,
    Flow,
    Members,
    Plan,
    Terms,
    plan_value,
    plans,
    range_of_value,
    terms,
)
from landbridge.world import World
from landbridge.world.table import Cell, cell_number

log = logging.getLogger(__name__)

__all__ = ["Appraised", "Investment", "Pair", "Project", "invest", "projects_of"]

FloatArray = NDArray[np.float64]

USD_PER_MUSD = 1e6
# Sets of three and more that are solved, the best by the values of projects and pairs.
_SOLVED_SETS = 3
# Smaller gains and losses of a region are not named, as a share of all gains and losses.
_LEAST_SHARE = 0.02
# The sharpness of the choice of a route: it decides what a second route is worth where it is not shorter.
_SHARPNESS = "phi"


@dataclass(frozen=True)
class Project:
    """A row of the table `projects`.

    id, name: of the row; stage: open, under_construction, planned or study; life_years: of service;
    opening_year: None where none is stated; who_pays: in words, "" where unknown.
    costs: low, central and high [million USD], empty where none was found. scenario: name or path, None where
    the network cannot express it. in_base: whether the scenario takes it out. missing: code of what is
    missing, "" for nothing. caveat: what the scenario assumes. years_before: from the first spending to the
    opening [years].
    """

    id: str
    name: str
    stage: str
    costs: tuple[float, ...]
    life_years: int
    opening_year: int | None
    years_before: int
    who_pays: str
    scenario: str | None
    in_base: bool
    missing: str
    caveat: str

    @property
    def eligible(self) -> bool:
        """Whether a budget can still be spent on it: a cost, a scenario, and not open yet."""
        return bool(self.costs) and self.scenario is not None and not self.in_base and self.stage != "open"


@dataclass(frozen=True)
class Appraised:
    """A project with what was found; None where it was not computed.

    project: as in table projects; terms: rates of the appraisal.
    benefits: central, then, where there is a cost, at the ends of the range of phi [million USD a year].
    by_region: the central one by region. status: computed, no cost (the benefit is known), not computed, not
    converged.
    """

    project: Project
    status: str
    terms: Terms
    benefits: tuple[float, ...] = ()
    by_region: Mapping[str, float] | None = None

    @property
    def flow(self) -> Flow:
        """Central cost and benefit."""
        return self._flow(self.project.costs[1] if self.project.costs else None, self.benefits[0])

    def _flow(self, cost: float | None, benefit: float) -> Flow:
        one = self.project
        return Flow(cost, benefit, one.years_before, one.life_years, self.terms.growth)

    def row(self) -> dict[str, Any]:
        """Everything as plain values."""
        one, by = self.project, self.terms
        costs: Sequence[float | None] = one.costs or (None, None, None)
        cells: dict[str, Any] = {
            "project": one.id,
            "name": named("text", one.name),
            "stage": one.stage,
            "in_base": one.in_base,
            "cost_musd": costs[1],
            "cost_low_musd": costs[0],
            "cost_high_musd": costs[2],
            **dict.fromkeys(_FOUND),
            "life_years": one.life_years,
            "opening_year": one.opening_year,
            "years_before_opening": one.years_before,
            "who_pays": named("text", one.who_pays),
            "scenario": one.scenario,
            "status": self.status,
            "caveat": named("text", one.caveat),
            "missing": one.missing,
            "reason": say(f"invest.missing.{one.missing}") if one.missing else "",
        }
        if not self.benefits:
            return cells
        flow, low, high = self.flow, min(self.benefits), max(self.benefits)
        worst = self._flow(costs[2], low)
        best = self._flow(costs[0], high)
        span = range_of_value((worst, flow, best), by.low, by.high) or (None, None)
        irr = flow.irr()
        assert self.by_region is not None
        order = sorted(self.by_region.items(), key=lambda item: -item[1])
        least = _LEAST_SHARE * sum(abs(musd) for _, musd in order)
        found = {
            "benefit_musd_year": flow.benefit_musd,
            "benefit_low_musd_year": low if len(self.benefits) > 1 else None,
            "benefit_high_musd_year": high if len(self.benefits) > 1 else None,
            "npv_musd": flow.npv(by.rate),
            "npv_low_musd": span[0],
            "npv_high_musd": span[1],
            "irr_percent": None if irr is None else 100.0 * irr,
            "switching_cost_musd": flow.switching_cost(by.rate),
            "switching_cost_low_musd": self._flow(None, low).switching_cost(by.high),
            "switching_cost_high_musd": self._flow(None, high).switching_cost(by.low),
            "switching_benefit_musd_year": flow.switching_benefit(by.rate),
            "switching_benefit_low_musd_year": best.switching_benefit(by.low),
            "switching_benefit_high_musd_year": worst.switching_benefit(by.high),
            "gain_most": ", ".join(region for region, musd in order[:3] if musd > least),
            "lose_most": ", ".join(region for region, musd in order[:-4:-1] if musd < -least),
        }
        return cells | found


_FOUND = (
    "benefit_musd_year",
    "benefit_low_musd_year",
    "benefit_high_musd_year",
    "npv_musd",
    "npv_low_musd",
    "npv_high_musd",
    "irr_percent",
    "switching_cost_musd",
    "switching_cost_low_musd",
    "switching_cost_high_musd",
    "switching_benefit_musd_year",
    "switching_benefit_low_musd_year",
    "switching_benefit_high_musd_year",
    "gain_most",
    "lose_most",
)


@dataclass(frozen=True)
class Pair:
    """Two projects together: benefit of both, of each alone, and the difference [million USD a year].

    projects: their ids; benefit_musd: of both together; alone_musd: the sum of each alone.
    """

    projects: tuple[str, str]
    benefit_musd: float
    alone_musd: float

    def row(self) -> dict[str, Any]:
        """The figures as plain values."""
        return {
            "pair": "+".join(self.projects),
            "benefit_musd_year": self.benefit_musd,
            "alone_musd_year": self.alone_musd,
            "complementarity_musd_year": self.benefit_musd - self.alone_musd,
        }


@dataclass(frozen=True)
class Investment:
    """All projects, the pairs of those that can still be paid for, and the set that the budget pays for.

    budget_musd: None where no budget was given; sets: the best sets within it, the chosen one first.
    left_out: reason by project that could have been chosen: negative, budget or unsolved. terms: rates of the
    appraisal; base_year: of the World; status: the worst of the solves.
    """

    projects: tuple[Appraised, ...]
    pairs: tuple[Pair, ...]
    sets: tuple[Plan, ...]
    left_out: Mapping[str, str]
    terms: Terms
    budget_musd: float | None
    base_year: int
    status: Status

    def to_json(self) -> dict[str, Any]:
        """The result in the names of the public interface."""
        return {
            "projects": [one.row() for one in self.projects],
            "portfolio": self.portfolio(),
            "pairs": [pair.row() for pair in self.pairs],
            "regions": self.regions(),
            "sets": self.set_rows(),
        }

    def portfolio(self) -> dict[str, Any] | None:
        """The chosen set; None without a budget."""
        if self.budget_musd is None:
            return None
        chosen = self.sets[0]
        return {
            "budget_musd": self.budget_musd,
            "projects": sorted(chosen.members),
            "cost_musd": chosen.cost_musd,
            "benefit_musd_year": chosen.benefit_musd,
            "npv_musd": chosen.npv_musd,
            "left_out": [{"project": p, "reason": reason} for p, reason in self.left_out.items()],
        }

    def regions(self) -> list[dict[str, Any]]:
        """Benefit of every computed project by region."""
        return [
            {"project": one.project.id, "region": region, "musd_year": musd}
            for one in self.projects
            for region, musd in (one.by_region or {}).items()
        ]

    def set_rows(self) -> list[dict[str, Any]]:
        """The best sets within the budget."""
        return [
            {
                "projects": "+".join(sorted(plan.members)),
                "cost_musd": plan.cost_musd,
                "benefit_musd_year": plan.benefit_musd,
                "npv_musd": plan.npv_musd,
                "solved": plan.exact,
            }
            for plan in self.sets
        ]


def projects_of(world: World, only: Iterable[str] | None = None) -> list[Project]:
    """The projects of a World's table `projects`, all or those named.

    world: with the table; only: these, by id in any case, all where None. Returns Projects.
    Raises DataError where the table is missing, for an unknown project, and for costs that contradict each
    other.
    """
    if "projects" not in world.network:
        cure = "add network/projects.csv; `landbridge data card projects` lists its columns"
        raise DataError("no projects", [Fault("projects.csv", "is missing", cure)])
    listed = [_project(row, world.base_year) for row in world.network["projects"]]
    known = {one.id.casefold(): one for one in listed}
    faults = [
        Fault(f"projects.csv ({one.id})", "its lowest cost is above its highest", "correct the costs")
        for one in listed
        if list(one.costs) != sorted(one.costs)
    ]
    named = known if only is None else (name.strip().casefold() for name in only)
    wanted = list(dict.fromkeys(named))
    ids = [one.id for one in listed]
    faults += [
        Fault("projects", f"no project {name!r}", did_you_mean(name, ids) or f"use {', '.join(ids)}")
        for name in wanted
        if name not in known
    ]
    if not wanted:
        faults.append(Fault("projects", "none is named", f"use {', '.join(ids)}"))
    if faults:
        raise DataError("the projects are not valid", faults)
    return [known[name] for name in wanted]


def _project(row: Mapping[str, Cell], base_year: int) -> Project:
    opening = None if row["opening_year"] is None else int(cell_number(row, "opening_year"))
    years = 1 if opening is None else max(1, opening - base_year)
    if row["build_years"] is not None:
        years = int(cell_number(row, "build_years"))
    cost = None if row["cost_musd"] is None else cell_number(row, "cost_musd")
    ends = [cost if row[c] is None else cell_number(row, c) for c in ("cost_low_musd", "cost_high_musd")]
    return Project(
        id=str(row["project_id"]),
        name=str(row["name"]),
        stage=str(row["status"]),
        costs=() if cost is None else (float(ends[0] or cost), cost, float(ends[1] or cost)),
        life_years=int(cell_number(row, "life_years")),
        opening_year=opening,
        years_before=years,
        who_pays=str(row["who_pays"] or ""),
        scenario=str(row["scenario"]) if row["scenario"] else None,
        in_base=bool(row["in_base"]),
        missing=str(row["missing"] or ""),
        caveat=str(row["caveat"] or ""),
    )


def invest(
    world: World,
    budget_usd: float | None = None,
    *,
    rate: float = 9.0,
    ends: tuple[float, float] = (6.0, 12.0),
    growth: float = 0.0,
    projects: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Investment:
    """Appraise every project of the table `projects`, alone and in pairs, and choose a set within a budget.

    world: the base; budget_usd: for the costs of the set [USD], None for no choice; rate: of discount [% a
    year]; ends: its low and high end [%]; growth: of the benefit [% a year]; projects: only these, by id;
    progress: called with text and share.
    Returns an Investment. Equations: heads of `landbridge.studies.invest` and `landbridge.studies.appraisal`.
    Raises DataError with every fault of the arguments and of the table, ScenarioError for a scenario of a
    project that does not apply, ConvergenceError or InfeasibleError where the base has no solution.
    """
    by, budget = terms(rate, ends, growth), _budget_musd(budget_usd)
    listed = projects_of(world, projects)
    eligible = _eligible(listed)
    bench = _Bench(world, _scenarios(world, listed), progress or (lambda text, share: None))
    alone = {one.id: frozenset([one.id]) for one in listed if one.scenario is not None}
    pairs = [frozenset(two) for two in combinations(eligible, 2)]
    bench.solve(
        [*alone.values(), *pairs], ranges=[alone[one.id] for one in listed if one.id in alone and one.costs]
    )
    found = tuple(_appraised(one, bench, by) for one in listed)
    flows = {one.project.id: one.flow for one in found if one.project.id in eligible and one.benefits}
    solved = {m: float(changes.sum()) for m, changes in bench.found.items()}
    chosen, left_out = list[Plan](), dict[str, str]()
    if budget is not None:
        chosen = _chosen(bench, flows, solved, by.rate, budget)
        left_out = _left_out(eligible, flows, solved, by.rate, chosen[0])
    bench.tell("done", 1.0)
    return Investment(
        found,
        tuple(_pairs(flows, solved)),
        tuple(chosen),
        left_out,
        by,
        budget,
        world.base_year,
        Status.worst(bench.statuses),
    )


def _budget_musd(budget_usd: float | None) -> float | None:
    if budget_usd is None:
        return None
    if not 0.0 < budget_usd < np.inf:
        raise DataError("no budget", [Fault("budget", f"is {budget_usd:g}", "give USD above 0, as 5e9")])
    return budget_usd / USD_PER_MUSD


def _eligible(listed: Iterable[Project]) -> list[str]:
    """Projects that a budget can be spent on. Raises DataError where they are too many to list their sets."""
    found = [one.id for one in listed if one.eligible]
    if len(found) > MOST_CANDIDATES:
        cure = f"name {MOST_CANDIDATES} at most with --projects"
        raise DataError("too many projects", [Fault("projects", f"{len(found)} could be chosen", cure)])
    return found


def _pairs(flows: Mapping[str, Flow], solved: Mapping[Members, float]) -> Iterator[Pair]:
    for a, b in combinations(flows, 2):
        both = frozenset((a, b))
        if both in solved:
            yield Pair((a, b), solved[both], flows[a].benefit_musd + flows[b].benefit_musd)


def _scenarios(world: World, listed: Iterable[Project]) -> dict[str, Scenario]:
    """The scenario of every project that has one. Raises ScenarioError with the faults of all."""
    found: dict[str, Scenario] = {}
    faults: list[Fault] = []
    for one in listed:
        if one.scenario is None:
            continue
        try:
            found[one.id] = load_scenario(one.scenario, world)
            after = apply(world, found[one.id], only_model=True)
        except DataError as error:
            faults += error.faults or (Fault(one.scenario, error.message),)
            continue
        if after.hash != world.hash:
            cure = "leave it out, or change parameters.csv for all projects"
            faults.append(Fault(f"{one.scenario} ({one.id})", "sets a parameter of the model", cure))
    if faults:
        raise ScenarioError("the scenarios of projects are not valid", faults)
    return found


def _appraised(one: Project, bench: _Bench, by: Terms) -> Appraised:
    key = frozenset([one.id])
    if one.scenario is None:
        return Appraised(one, "not computed", by)
    if key not in bench.found:
        return Appraised(one, "not converged", by)
    sign = -1.0 if one.in_base else 1.0
    changes = sign * bench.found[key]
    others = [sign * musd for musd in bench.ranges.get(key, ())]
    regions = dict(zip(bench.regions, changes.tolist(), strict=True))
    status = "computed" if one.costs else "no cost"
    return Appraised(one, status, by, (float(changes.sum()), *others), regions)


def _chosen(
    bench: _Bench,
    flows: Mapping[str, Flow],
    solved: dict[Members, float],
    rate: float,
    budget_musd: float,
) -> list[Plan]:
    """The best sets within the budget, their benefits solved; solved: gets those of larger sets."""
    first = [plan for plan in plans(flows, solved, rate, budget_musd) if plan.npv_musd >= 0.0]
    larger = [plan.members for plan in first[:_SOLVED_SETS] if not plan.exact]
    bench.solve(larger)
    solved |= {m: float(bench.found[m].sum()) for m in larger if m in bench.found}
    # Sets that were not solved are no answer; the empty one always is.
    again = (plan_value(flows, solved, rate, plan.members) for plan in first)
    return sorted(plan for plan in again if plan.exact)[: _SOLVED_SETS + 1]


def _left_out(
    eligible: Iterable[str],
    flows: Mapping[str, Flow],
    solved: Mapping[Members, float],
    rate: float,
    best: Plan,
) -> dict[str, str]:
    """Why each project that could have been chosen was not."""
    reasons = {}
    for name in eligible:
        if name in best.members:
            continue
        if name not in flows:
            reasons[name] = "unsolved"
            continue
        wider = plan_value(flows, solved, rate, best.members | {name})
        reasons[name] = "negative" if wider.npv_musd <= best.npv_musd else "budget"
    return reasons


def _joint(scenarios: Mapping[str, Scenario], members: Iterable[str]) -> Scenario:
    """The scenarios of several projects in one."""
    names = sorted(members)
    changes = tuple(m for name in names for m in scenarios[name].modifications)
    return Scenario("+".join(names), " + ".join(scenarios[name].name for name in names), changes)


class _Bench:
    """A base, and sets of projects solved against it.

    found: change of real income by region of every set that was solved [n, million USD a year]; ranges: its
    sum at the ends of the range of phi; statuses: of all solves.
    """

    def __init__(self, world: World, scenarios: Mapping[str, Scenario], tell: Progress) -> None:
        self.world, self.scenarios, self.tell = world, scenarios, tell
        self.regions = tuple(world.trade.regions)
        self.found: dict[Members, FloatArray] = {}
        self.ranges: dict[Members, tuple[float, ...]] = {}
        self.statuses: list[Status] = []
        row = world.network["parameters"].by("parameter")[_SHARPNESS]
        ends = (cell_number(row, end) for end in ("low", "high") if row[end] is not None)
        whole = Scenario(_SHARPNESS, _SHARPNESS, ())
        self._ends = [whole.with_parameters({_SHARPNESS: value}) for value in ends]

    def solve(self, sets: Sequence[Members], ranges: Iterable[Members] = ()) -> None:
        """Solve sets of projects; ranges: those also solved at both ends of the range of phi."""
        if not sets:
            return
        cases = {members: _joint(self.scenarios, members) for members in sets}
        worlds = {members: apply(self.world, scenario) for members, scenario in cases.items()}
        wide = set(ranges)
        steps = len(sets) + len(wide) * len(self._ends)
        self.tell("searching routes for every pair of places", 0.0)
        done = 0
        for group in searches([self.world], [(self.world, after) for after in worlds.values()]):
            common = Prepared(group)
            mine = {m: n for n, after in enumerate(group) for m in sets if worlds[m] is after}
            for end in (None, *self._ends):
                chosen = [m for m in mine if end is None or m in wide]
                if not chosen:
                    continue
                self.tell("solving the base", 0.2 + 0.8 * done / steps)
                base = self._base(common, end)
                for members in chosen:
                    done += 1
                    self.tell(f"solving {cases[members].name}", 0.2 + 0.8 * done / steps)
                    changes = self._changes(base, mine[members], cases[members])
                    if changes is None:
                        continue
                    if end is None:
                        self.found[members] = changes
                    else:
                        self.ranges[members] = (*self.ranges.get(members, ()), float(changes.sum()))

    def _base(self, common: Prepared, end: Scenario | None) -> SolvedBase:
        """The solved base; end: sets the parameter whose range is used, None for its central value."""
        if end is not None:
            common = common.under([apply(one, end) for one in common.worlds])
        base = SolvedBase(common, common.worlds[0], 0, throw=True)
        self.statuses.append(base.results.status)
        return base

    def _changes(self, base: SolvedBase, number: int, case: Scenario) -> FloatArray | None:
        """Change of real income by region [million USD a year]; None, with a status, without a solution."""
        try:
            hat = base.income(base.common.worlds[number], number, case)
        except (ConvergenceError, InfeasibleError) as error:
            log.warning("%s: %s", case.name, error.message)
            hat = None
        if hat is None:
            self.statuses.append(Status(False, 1.0, 0, f"{case.name}: no solution was found"))
            return None
        income = base.results.equilibrium[base.closures[0]].base.income
        return np.asarray(income * (hat - 1.0))
