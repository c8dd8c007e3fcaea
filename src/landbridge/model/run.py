"""run(world, scenario) -> Results: the chain of all stages.

    network -> expected cost -> trade cost -> equilibrium -> TEU -> arcs and gateways -> (waits)

The waits at the gateways close the loop: they depend on the flows and the costs on them. In the base they
are part of the observed hours; a scenario solves for its own (see `landbridge.model.waits`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, LandbridgeError, ScenarioError
from landbridge.model.adjoint import chain_gradient
from landbridge.model.base import SolvedBase
from landbridge.model.kept_base import Case, KeptBase
from landbridge.model.prepared import Prepared
from landbridge.results import Results
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.transport import ArcBars
from landbridge.transport.threads import in_order
from landbridge.world import World
from landbridge.world.table import cell_number

log = logging.getLogger(__name__)

__all__ = ["Progress", "Study", "arc_gradient", "iterate", "run", "searches", "study"]

# Called with the next step and the share of the whole that is done [0, 1].
Progress = Callable[[str, float], None]
Response = bool | Callable[[Results], bool]


@dataclass(frozen=True, eq=False)
class Study:
    """The base of the World and one Results per scenario.

    base: of the World; cases: in the order of the scenarios. Each is the same whatever other scenarios are
    in the study.
    """

    base: Results
    cases: tuple[Results, ...]

    def __getitem__(self, id: str) -> Results:
        """The Results of a scenario by its id, or of "base"."""
        for result in (self.base, *self.cases):
            if result.id == id:
                return result
        raise KeyError(id)


def run(
    world: World,
    scenario: Scenario | str | Path | None = None,
    *,
    progress: Progress | None = None,
    throw: bool = True,
    response: Response = False,
) -> Results:
    """Solve a World, or a scenario against its base.

    world: from `lb.load`; scenario: a bundled name, a Scenario, the path of a TOML file, or None for the base
    alone.
    progress: called with a text and the share done. throw: False returns an unsolved economy with its status
    instead of raising. response: whether real income at both ends of the range of phi_b is solved too, two
    more solves; or a function that says so of the Results.
    Returns Results. Steps and equations: docs/how_it_works.md.
    Raises ScenarioError with every fault of the scenario, and where it leaves a zone without a route;
    DataError for a file that cannot be read; ConvergenceError or InfeasibleError where the economy has no
    solution.
    """
    if scenario is None:
        return study(world, (), progress=progress, throw=throw).base
    return study(world, [scenario], progress=progress, throw=throw, response=response).cases[0]


def study(
    world: World,
    scenarios: Iterable[Scenario | str | Path],
    *,
    progress: Progress | None = None,
    throw: bool = True,
    response: Response = False,
) -> Study:
    """Solve several scenarios of one World against its base; the faults of all are reported at once.

    world, progress, throw: as in `run`; scenarios: names, Scenarios or paths. A scenario that sets a
    parameter of the model is compared with a base that has it too. response: as in `run`, for every scenario.
    Returns a Study. Steps and equations: docs/how_it_works.md.
    Raises as `run` does.
    """
    base, *cases = iterate(world, scenarios, progress=progress, throw=throw, response=response)
    return Study(base, tuple(cases))


def iterate(
    world: World,
    scenarios: Iterable[Scenario | str | Path],
    *,
    progress: Progress | None = None,
    throw: bool = True,
    response: Response = False,
    kept: KeptBase | None = None,
) -> Iterator[Results]:
    """Yield the base of the World, then every scenario, as soon as each is solved.

    Arguments as in `study`; kept: holds the base and the last case of earlier calls, for a process that
    solves one scenario after another and raises where one fails. Results that the caller does not keep are
    freed, so that a long study needs no more memory than a short one. Steps and equations:
    docs/how_it_works.md. Raises as `run` does.
    """
    tell = progress or (lambda text, share: None)
    tell("reading the scenarios", 0.0)
    loaded, changed = _read(world, scenarios)
    if kept is not None and len(loaded) == 1:
        known = kept.last(changed[0][1], loaded[0])
        if known is not None:
            tell(f"solving the range of {loaded[0].id}", 0.5)
            yield known.first
            yield _with_response(known.base, known.number, known.result, changed[0][1], response)
            tell("done", 1.0)
            return
    bases: list[World] = [world]
    for base_world, _ in changed:
        if all(base_world.hash != known.hash for known in bases):
            bases.append(base_world)
    tell("searching routes for every pair of places", 0.05)
    groups = searches(bases, changed)
    steps = len(bases) + len(changed)
    commons: dict[int, Prepared] = {}
    solved: dict[tuple[int, str], SolvedBase] = {}
    standing = kept.base_for(world, changed) if kept is not None and throw else None
    if standing is not None:
        commons[0], solved[0, world.hash] = standing.common, standing

    def base_of(group: int, base_world: World) -> SolvedBase:
        if group not in commons:
            commons[group] = Prepared(groups[group])
        key = group, base_world.hash
        if key not in solved:
            common = commons[group]
            solved[key] = SolvedBase(common, base_world, common.number(base_world), throw)
        return solved[key]

    tell("solving the base", 0.5)
    first = base_of(0, world).results
    yield first

    def case(base: SolvedBase, after: World, number: int, one: Scenario) -> Results:
        result = base.case(after, number, one)
        if kept is not None and len(loaded) == 1:
            kept.keep(after, Case(first, base, number, result))
        return _with_response(base, number, result, after, response)

    def cases() -> Iterator[Callable[[], Results]]:
        """A call for every scenario, whose base is solved when the call is made ready."""
        for one, (base_world, after) in zip(loaded, changed, strict=True):
            group = next(g for g, worlds in enumerate(groups) if any(w is after for w in worlds))
            base = base_of(group, base_world)
            yield partial(case, base, after, commons[group].number(after), one)

    results = in_order(cases(), len(loaded))
    for done, one in enumerate(loaded, 1):
        tell(f"solving {one.id}", 0.5 + 0.5 * done / steps)
        yield next(results)
    tell("done", 1.0)


def _with_response(
    base: SolvedBase, number: int, result: Results, world: World, response: Response
) -> Results:
    if result.status.converged and (response(result) if callable(response) else response):
        return replace(result, response=_response(base, world, number, result))
    return result


def _read(
    world: World, scenarios: Iterable[Scenario | str | Path]
) -> tuple[list[Scenario], list[tuple[World, World]]]:
    """The scenarios, and for each the World of its base and its own; faults are reported together."""
    loaded: list[Scenario] = []
    faults: list[Fault] = []
    changed: list[tuple[World, World]] = []
    for given in scenarios:
        try:
            one = load_scenario(given, world)
            after = apply(world, one)
            changed.append((apply(world, one, only_model=True), after))
            loaded.append(one)
        except DataError as error:
            faults += error.faults or (Fault("scenario", error.message),)
    names = [one.id for one in loaded]
    faults += [
        Fault(f"scenario {name}", "is the name of the base or of another scenario", "rename its file")
        for name in sorted({n for n in names if names.count(n) > 1 or n == "base"})
    ]
    if faults:
        raise ScenarioError(f"{len(faults)} fault{'s' * (len(faults) > 1)} in the scenarios", faults)
    return loaded, changed


def _response(base: SolvedBase, world: World, number: int, result: Results) -> dict[str, Any]:
    """Real income [n] with phi_b at the ends of its range, "low" and "high".

    An end that is not stated or has no solution is left out.
    """
    (row,) = (row for row in world.network["parameters"] if row["parameter"] == "phi_b")
    scenario = result.scenario
    assert scenario is not None

    def at(end: str) -> NDArray[np.float64] | None:
        try:
            return base.responding(cell_number(row, end)).income(world, number, scenario, result.load)
        except LandbridgeError as error:
            log.warning("%s could not be solved at the %s end of phi_b: %s", result.id, end, error.message)
            return None

    ends = [end for end in ("low", "high") if row[end] is not None]
    return {end: income for end in ends if (income := at(end)) is not None}


def searches(bases: Sequence[World], changed: Sequence[tuple[World, World]]) -> list[list[World]]:
    """The Worlds that share one search of routes: same filter of detours, one meaning of every new id.

    bases: the first is that of the study; changed: for every case its base and the World with its changes.
    The first group begins with the base; in each, bases come first.
    """
    groups: list[list[World]] = [[bases[0]]]
    added: list[dict[tuple[str, str], Any]] = [{}]
    filters = [bases[0].parameter("detour_max")]
    known = {
        (table, str(row[key]))
        for table, key in (("places", "place_id"), ("links", "link_id"))
        for row in bases[0].network[table]
    }
    for base_world, after in changed:
        new = {
            (table, str(row[key])): tuple(row.items())
            for table, key in (("places", "place_id"), ("links", "link_id"))
            for row in after.network[table]
            if (table, str(row[key])) not in known
        }
        detour = after.parameter("detour_max")
        for g in range(len(groups)):
            if filters[g] == detour and all(added[g].get(k, row) == row for k, row in new.items()):
                break
        else:
            g = len(groups)
            groups.append([])
            added.append({})
            filters.append(detour)
        group = groups[g]
        if all(w.hash != base_world.hash for w in group):
            group.insert(sum(any(w is b for b in bases) for w in group), _same(base_world, bases))
        group.append(after)
        added[g].update(new)
    return groups


def _same(world: World, bases: Sequence[World]) -> World:
    return next(b for b in bases if b.hash == world.hash)


def arc_gradient(result: Results, of: str) -> ArcBars:
    """d ln(outcome) by the hours, money, CO2e and variance of every arc: the adjoint of the chain.

    Economy -> trade cost -> expected cost -> arcs, with the waits at the gateways adjusting; the base and
    its shares are held fixed.

    result: solved; of: outcome, as in `Equilibrium.gradient`. Returns ArcBars; `chain_gradient` also gives
    tariffs, productivities and capacities. Raises as `chain_gradient`.
    """
    return chain_gradient(result, of).arcs
