"""run(world, scenario) -> Results: the one place where the stages meet.

    network -> expected cost -> trade cost -> equilibrium -> boxes -> arcs and gateways -> (waits)

The waits at the gateways close the loop: they depend on the flows and the costs on them. In the base they
are part of the observed hours; a scenario finds its own (see `landbridge.congestion`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.channels import gas, travel
from landbridge.congestion import Settled, Slope, chain_gradient, queue_notes, settle, slope_of
from landbridge.errors import ConvergenceError, DataError, Fault, ScenarioError, Status
from landbridge.results import Results
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.trade import Equilibrium, solve
from landbridge.trade.economy import Closure
from landbridge.trade.horizon import grown
from landbridge.transport import (
    ArcBars,
    BaseChoice,
    Choice,
    Classes,
    Freight,
    Graph,
    Queues,
    RouteSet,
    align,
    freight_between_regions,
    freight_classes,
    generate,
    keeps_every_family,
    log_constants,
    pivot,
    solve_base,
)
from landbridge.transport.paths import in_transit
from landbridge.transport.touched import passes
from landbridge.world import World
from landbridge.world.table import cell_number
from landbridge.world.trade_table import TradeTable
from landbridge.world.validate import BASE_YEAR

__all__ = ["Progress", "Study", "arc_gradient", "iterate", "run", "study"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Called with what is about to be done and how much of the whole is behind [0, 1].
Progress = Callable[[str, float], None]

# Both closures are always solved, since they differ by a factor of two for some countries.
_CLOSURES: tuple[Closure, ...] = ("fixed", "proportional")
# Tolerance of the economy inside the search for the waits, so that its noise stays below theirs.
_TIGHT = 1e-12
# Trade of a pair over a pipe meets the gas delivered to this (log), in so many solves at most.
_GAS_TOL, _GAS_STEPS = 1e-6, 25


@dataclass(frozen=True, eq=False)
class Study:
    """The base of the World and one Results per scenario.

    Each is the same whatever else is in the study.
    """

    base: Results
    cases: tuple[Results, ...]

    def __getitem__(self, id: str) -> Results:
        """The Results of a scenario by its id, or "base"."""
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
) -> Results:
    """The World solved, or a scenario beside the base.

    scenario: a bundled name, a Scenario, the path of a TOML file, or None for the base alone.
    progress: called with a text and the share done. throw: False returns an unsolved economy with its
    status instead of raising.
    Raises ScenarioError with every fault of the scenario, and where it leaves a zone without a route;
    ConvergenceError or InfeasibleError where the economy has no answer.
    """
    if scenario is None:
        return study(world, (), progress=progress, throw=throw).base
    return study(world, [scenario], progress=progress, throw=throw).cases[0]


def study(
    world: World,
    scenarios: Iterable[Scenario | str | Path],
    *,
    progress: Progress | None = None,
    throw: bool = True,
) -> Study:
    """Several scenarios of one World; faults of all told at once.

    A scenario that sets a parameter of the model is compared with a base that has it too.
    Raises as `run` does.
    """
    base, *cases = iterate(world, scenarios, progress=progress, throw=throw)
    return Study(base, tuple(cases))


def iterate(
    world: World,
    scenarios: Iterable[Scenario | str | Path],
    *,
    progress: Progress | None = None,
    throw: bool = True,
) -> Iterator[Results]:
    """The base of the World, then every scenario, as soon as each is solved.

    What the caller lets go is freed, so that a long study needs no more memory than a short one.
    Raises as `run` does.
    """
    tell = progress or (lambda text, share: None)
    tell("reading the scenarios", 0.0)
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
    bases: list[World] = [world]
    for base_world, _ in changed:
        if all(base_world.hash != known.hash for known in bases):
            bases.append(base_world)
    tell("searching routes for every pair of places", 0.05)
    groups = _searches(bases, changed)
    steps = len(bases) + len(changed)
    commons: dict[int, _Common] = {}
    solved: dict[tuple[int, str], _Base] = {}

    def base_of(group: int, base_world: World) -> _Base:
        if group not in commons:
            commons[group] = _Common(groups[group])
        key = group, base_world.hash
        if key not in solved:
            common = commons[group]
            solved[key] = _Base(common, base_world, common.number(base_world), throw)
        return solved[key]

    tell("solving the base", 0.5)
    yield base_of(0, world).results
    for done, (one, (base_world, after)) in enumerate(zip(loaded, changed, strict=True), 1):
        tell(f"solving {one.id}", 0.5 + 0.5 * done / steps)
        group = next(g for g, worlds in enumerate(groups) if any(w is after for w in worlds))
        base = base_of(group, base_world)
        yield base.case(after, commons[group].number(after), one)
    tell("done", 1.0)


def _searches(bases: Sequence[World], changed: Sequence[tuple[World, World]]) -> list[list[World]]:
    """The Worlds that share one search of routes: same filter of detours, one meaning of every new id.

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
    its shares are held fixed. The outcome is named as in `Equilibrium.gradient`; `chain_gradient` gives
    tariffs, productivities and capacities too.
    """
    return chain_gradient(result, of).arcs


class _Common:
    """What all cases of a study share: aligned graphs, the union of route sets, zones."""

    def __init__(self, worlds: Sequence[World]) -> None:
        world = worlds[0]
        self.worlds = list(worlds)
        self.graphs: list[Graph] = align(worlds)
        self.zones = {
            str(row["place_id"]): (str(row["region"]), float(row["share"] or 0.0))
            for row in world.network["zones"]
        }
        corridors = [(str(r["from_place"]), str(r["to_place"])) for r in world.network["corridors"]]
        places = [*self.zones, *(p for pair in corridors for p in pair if p not in self.zones)]
        self.places = list(dict.fromkeys(places))
        known = world.network["places"].by("place_id")
        self.regions = {p: str(known[p]["region"] or "") for p in self.places}
        at = {place: number for number, place in enumerate(self.places)}
        zone_region = np.array([self.zones[p][0] if p in self.zones else "" for p in self.places])
        both = (zone_region[:, None] != "") & (zone_region[None, :] != "")
        wanted = both & (zone_region[:, None] != zone_region[None, :])
        for start, end in corridors:
            wanted[at[start], at[end]] = True
        regions = [self.regions[p] for p in self.places]
        bans = {n: w.policy.no_transit for n, w in enumerate(worlds) if w.policy.no_transit}
        graphs = list(self.graphs)
        # Sectors with a ban of their own search as a graph of their own, so that what is kept for them
        # does not serve the others: (sectors, countries, number of that graph), by number of the World.
        self.restricted: dict[int, list[tuple[frozenset[str], frozenset[str], int]]] = {}
        for n, w in enumerate(worlds):
            for countries in dict.fromkeys(w.policy.no_transit_of.values()):
                sectors = frozenset(s for s, c in w.policy.no_transit_of.items() if c == countries)
                barred = countries | w.policy.no_transit
                self.restricted.setdefault(n, []).append((sectors, barred, len(graphs)))
                bans[len(graphs)] = barred
                graphs.append(self.graphs[n])
        self.routes: RouteSet = generate(
            graphs,
            self.places,
            self.places,
            wanted,
            every_family=keeps_every_family(world, regions, regions),
            detour=world.parameter("detour_max"),
            no_transit=bans,
        )
        self._sizes: dict[bytes, FloatArray] = {}
        self._passes: dict[bytes, Any] = {}

    def number(self, world: World) -> int:
        """The number of a World's graph in this study."""
        for number, known in enumerate(self.worlds):
            if known is world:
                return number
        return next(n for n, known in enumerate(self.worlds) if known.hash == world.hash)

    def classes(self, world: World) -> Classes:
        """Classes of every pair of the route set, from the tables of one World."""
        names = self.graphs[0].places
        ends = [
            [self.regions[names[p]] for p in side] for side in (self.routes.origin, self.routes.destination)
        ]
        return freight_classes(world, ends[0], ends[1])

    def path_size(self, available: BoolArray) -> FloatArray:
        """Path-size factors on the base graph; they move with what is open only."""
        key = np.packbits(available).tobytes()
        if key not in self._sizes:
            self._sizes[key] = self.routes.path_size(self.graphs[0], available)
        return self._sizes[key]

    def passes(self, queues: Queues) -> Any:
        """Which routes pass which queues; the same for all cases with the same gateways."""
        key = queues.gateway.tobytes()
        if key not in self._passes:
            self._passes[key] = passes(self.routes, self.graphs[0], queues)
        return self._passes[key]


class _Base:
    """A solved base, from which cases are solved.

    number: of its graph in the study. A World that already holds changes of tariffs or productivity is
    solved with them first, and later changes are relative to that.
    """

    def __init__(self, common: _Common, world: World, number: int, throw: bool) -> None:
        self.common, self.world, self.number, self.throw = common, world, number, throw
        self.graph = graph = common.graphs[number]
        routes = common.routes
        if world.policy.no_transit_of:
            cure = "run it as a scenario of the base, or close transit for every sector"
            where = "close_transit, sector"
            raise ScenarioError("no base", [Fault(where, "a base has the same routes for all sectors", cure)])
        self.table = _with_policy(world, self.closures[0])
        self.classes = common.classes(world)
        sums, available = routes.sums(graph), routes.available(graph, number)
        if world.policy.no_transit:
            available &= ~in_transit(graph, routes, world.policy.no_transit)
        size = common.path_size(available)
        self.log_constant = log_constants(world, graph, routes)
        self.choice: BaseChoice = solve_base(routes, self.classes, sums, available, size, self.log_constant)
        at = graph.place_number
        self.freight: Freight = freight_between_regions(
            world, graph, routes, self.classes, {at[p]: zone for p, zone in common.zones.items()}
        )
        self.log_tau = self.freight.log_tau(self.choice.cost)
        _require_routes(common, graph, self.choice.unreachable, self.ships, "base", None)
        solved = self._chain(world, number, None, None)
        queues = Queues.of(world, graph).calibrated(graph, solved.flow_teu)
        self.results = replace(solved, queues=queues, load=np.maximum(queues.base_load, 0.0))

    @cached_property
    def ships(self) -> BoolArray:
        """Pairs of zones between which anything is shipped in the base."""
        return self.freight.ships(self.table.trade)

    @property
    def closures(self) -> tuple[Closure, ...]:
        """The closures solved, the one whose flows are loaded first."""
        chosen: Any = self.world.setting("deficits")
        return tuple(dict.fromkeys((chosen, *_CLOSURES)))

    def case(self, world: World, number: int, scenario: Scenario, start: FloatArray | None = None) -> Results:
        """A scenario solved beside this base; number: of its graph in the study.

        start: loads of the queues from which their search begins, those of the base by default.
        """
        return self._chain(world, number, scenario, self.results, start)

    def _chain(
        self,
        world: World,
        number: int,
        scenario: Scenario | None,
        base: Results | None,
        start: FloatArray | None = None,
    ) -> Results:
        """From arcs to flows; beside a base, with the waits that these flows bring forth."""
        graph = self.common.graphs[number]
        classes = self.classes
        carbon = world.parameter("carbon_price_usd_per_kg")
        if carbon != classes.carbon_usd_per_kg:
            classes = replace(classes, carbon_usd_per_kg=carbon)
        choice = self._choose(world, number, graph, classes)
        name = "base" if scenario is None else scenario.id
        _require_routes(self.common, graph, choice.unreachable, self.ships, name, scenario)
        shock = _Shock(self, world, base)
        held = shock.hold(choice.cost)
        queues, settled = None, None
        if base is not None and base.queues is not None:
            queues = base.queues.under(self.graph, world, graph)
            if len(queues):
                known = len(queues) == len(base.queues)
                settled = settle(
                    choice,
                    queues,
                    self.common.passes(queues),
                    shock.demand,
                    (lambda: self._slope) if known else None,
                    start,
                )
                if self.throw and not settled.status.converged:
                    raise ConvergenceError(f"{name}: {settled.status.message}")
                choice = settled.choice
                delays = (queues.on_gateways(d) for d in (settled.delay_h, settled.delay_h2))
                graph = graph.with_queue(*delays)
        equilibrium, first_order = shock.solved(choice.cost, self.closures)
        demand = shock.boxes(equilibrium[self.closures[0]])
        flow = choice.assign(demand)
        statuses = [*(eq.status for eq in equilibrium.values()), *_failed(held)]
        if settled is not None:
            statuses.append(settled.status)
        return Results(
            id=name,
            scenario=scenario,
            world=world,
            graph=graph,
            choice=choice,
            freight=self.freight,
            demand_teu=demand,
            flow_teu=flow,
            cost_hat=shock.cost_hat(choice.cost),
            equilibrium=equilibrium,
            first_order=first_order,
            closure=self.closures[0],
            status=Status.worst(
                [*statuses, *_failed(held), *([settled.status] if settled is not None else [])]
            ),
            notes=_notes(choice, graph, flow, world, self.world, scenario, queues, settled) + shock.notes,
            base=base,
            queues=queues,
            load=settled.load if settled is not None else None,
        )

    def _choose(self, world: World, number: int, loaded: Graph, classes: Classes) -> Choice:
        """Routes chosen on a graph, transit bans kept, those of single sectors too."""
        routes = self.common.routes
        sums = routes.sums(loaded)

        def chosen(number: int, barred: frozenset[str]) -> Choice:
            available = routes.available(loaded, number)
            if barred:
                available &= ~in_transit(loaded, routes, barred)
            size = self.common.path_size(available)
            return pivot(self.choice, sums, available, size, self.log_constant, classes)

        choice = chosen(number, world.policy.no_transit)
        for sectors, barred, own_number in self.common.restricted.get(number, ()):
            marked = np.array([sector in sectors for sector in classes.sectors])
            choice = choice.with_sectors(chosen(own_number, barred), marked)
        return choice

    @cached_property
    def _slope(self) -> Slope:
        """How flows at the queues answer to hours in the base, for the first steps of every search."""
        assert self.results.queues is not None
        through = self.common.passes(self.results.queues)
        return slope_of(self.results.choice, through, self.results.demand_teu)

    def _held(
        self,
        pipes: gas.GasShock,
        cost_hat: FloatArray,
        tariff: FloatArray | None,
        productivity: FloatArray | None,
        start: Equilibrium,
    ) -> tuple[FloatArray, Status]:
        """Trade costs under which energy trade of the pairs is what the gas delivered leaves of it.

        A pipe is a quantity: wages and prices give way until it is met. Broyden's method on the logs of cost
        and of trade at base prices, from the cost that would do where nothing else moves.
        Gives the costs and how the search ended. Raises ConvergenceError where the quantities are not met,
        unless the study does not throw.
        """
        at = tuple(np.array(pipes.pairs).T)
        target = np.log(pipes.kept)
        log_cost, previous = np.log(pipes.cost_hat), start
        slope = np.diag(np.full(len(target), -0.5 * float(self.table.theta[at[2][0]])))
        before: tuple[FloatArray, FloatArray] | None = None
        for number in range(1, _GAS_STEPS + 1):
            hat = np.array(cost_hat)
            hat[at] *= np.exp(log_cost)
            shock: dict[str, Any] = {"cost_hat": hat, "tariff": tariff, "productivity_hat": productivity}
            closure = self.closures[0]
            eq = solve(self.table, **shock, deficits=closure, throw=self.throw, start=previous)
            quantity = _at_base_prices(eq, productivity)[at] / self.table.trade[at]
            miss = np.log(quantity) - target
            worst = float(np.abs(miss).max())
            if not eq.status.converged or worst < _GAS_TOL:
                return hat, Status(
                    eq.status.converged, worst, number, "energy trade goes with the gas delivered"
                )
            if before is not None:
                step, change = log_cost - before[0], miss - before[1]
                slope += np.outer(change - slope @ step, step) / (step @ step)
            before, previous = (log_cost, miss), eq
            log_cost = log_cost - np.clip(np.linalg.solve(slope, miss), -1.0, 1.0)
        message = f"energy trade is {worst:.1e} (log) off the gas delivered: make the change smaller"
        if self.throw:
            raise ConvergenceError(message)
        return hat, Status(False, worst, _GAS_STEPS, message)


def _failed(statuses: Iterable[Status]) -> list[Status]:
    return [status for status in statuses if not status.converged]


class _Shock:
    """What a case asks of the economy, and its answer to expected costs."""

    def __init__(self, base: _Base, world: World, results: Results | None) -> None:
        self.base, self.before = base, results
        self.productivity = _ratio(world.policy.productivity_hat, base.world.policy.productivity_hat)
        self.tariff = world.policy.tariff
        self.visits: FloatArray | None = None
        self.notes: tuple[str, ...] = ()
        if travel.moved(base.world, world):
            found = travel.shock(base.world, world)
            self.visits, self.notes = found.cost_hat["central"], found.notes
        self.pipes = gas.shock(base.world, world) if gas.moved(base.world, world) else None
        if self.pipes is not None:
            self.notes += self.pipes.notes
        self.held: FloatArray | None = None
        self._last: Equilibrium | None = None

    def hold(self, cost: FloatArray) -> list[Status]:
        """Hold energy trade to the gas delivered, at expected costs without further waits."""
        if self.before is None or self.pipes is None or not self.pipes.pairs:
            return []
        start = self.before.equilibrium[self.base.closures[0]]
        free = self.cost_hat(cost)
        hat, met = self.base._held(self.pipes, free, self.tariff, self.productivity, start)
        self.held = hat / free
        return [met]

    def cost_hat(self, cost: FloatArray) -> FloatArray:
        """tau'/tau; a pair that does not trade has no cost to change, whatever became of its routes."""
        log_hat = self.base.freight.log_tau(cost) - self.base.log_tau
        hat = np.exp(np.where(self.base.table.trade > 0.0, log_hat, 0.0))
        for more in (self.visits, self.held):
            if more is not None:
                hat = hat * more
        return hat

    def _given(self, cost: FloatArray) -> dict[str, Any]:
        if self.before is None:
            return {}
        return {
            "cost_hat": self.cost_hat(cost),
            "tariff": self.tariff,
            "productivity_hat": self.productivity,
        }

    def demand(self, cost: FloatArray) -> FloatArray:
        """Boxes a year at expected costs, under the closure whose flows are loaded [pair, sector]."""
        base = self.base
        closure = base.closures[0]
        start = self._last or (self.before.equilibrium[closure] if self.before is not None else None)
        shock = self._given(cost)
        eq = solve(base.table, **shock, deficits=closure, throw=base.throw, start=start, tol=_TIGHT)
        if eq.status.converged:
            self._last = eq
        return self.boxes(eq)

    def boxes(self, eq: Equilibrium) -> FloatArray:
        """Boxes a year between zones in an equilibrium [pair, sector]."""
        productivity = self.productivity if self.before is not None else None
        return self.base.freight.demand_teu(_at_base_prices(eq, productivity))

    def solved(
        self, cost: FloatArray, closures: Sequence[Closure]
    ) -> tuple[dict[str, Equilibrium], dict[str, FloatArray]]:
        """Equilibrium and first-order response under each closure at expected costs."""
        base, shock = self.base, self._given(cost)
        equilibrium: dict[str, Equilibrium] = {}
        first_order: dict[str, FloatArray] = {}
        for closure in closures:
            before = self.before.equilibrium[closure] if self.before is not None else None
            near = self._last if self._last is not None and closure == closures[0] else before
            tol = _TIGHT if near is self._last and near is not None else 1e-10
            eq = solve(base.table, **shock, deficits=closure, throw=base.throw, start=near, tol=tol)
            equilibrium[closure] = eq
            response = np.zeros(len(base.table.regions))
            if before is not None:
                fine = before.status.converged and eq.status.converged
                response = before.linear_response(**shock) if fine else np.full_like(response, np.nan)
            first_order[closure] = response
        return equilibrium, first_order


def _with_policy(world: World, closure: Closure) -> TradeTable:
    """The trade table of a World at its horizon, under the tariffs and productivities it holds."""
    policy, table = world.policy, _at_horizon(world, closure)
    if policy.tariff is None and policy.productivity_hat is None:
        return table
    eq = solve(table, tariff=policy.tariff, productivity_hat=policy.productivity_hat, deficits=closure)
    return eq.table()


def _at_horizon(world: World, closure: Closure) -> TradeTable:
    """The trade table scaled to the GDP of the year that the parameter `horizon` names."""
    year = world.parameter("horizon")
    if year == BASE_YEAR:
        return world.trade
    growth = {
        str(r["region"]): cell_number(r, "gdp_hat") for r in world.network["growth"] if r["year"] == year
    }
    return grown(world.trade, np.array([growth[region] for region in world.trade.regions]), closure)


def _ratio(new: FloatArray | None, old: FloatArray | None) -> FloatArray | None:
    if new is None or old is None:
        return new if old is None else 1.0 / old
    return np.asarray(new / old)


def _at_base_prices(eq: Equilibrium, productivity_hat: FloatArray | None) -> FloatArray:
    """Sales of every exporter at its base prices [o, d, s]: value' / (c^ / A^), million USD."""
    price = np.array(eq.unit_cost_hat)
    if productivity_hat is not None:
        price = price / productivity_hat
    return np.asarray(eq.trade / price[:, None, :])


def _require_routes(
    common: _Common,
    graph: Graph,
    unreachable: NDArray[np.int32],
    ships: BoolArray,
    name: str,
    scenario: Scenario | None,
) -> None:
    """Refuse a World in which freight has no way: one fault for every zone that is cut off."""
    lost = [int(q) for q in unreachable if ships[q]]
    if not lost:
        return
    routes, names = common.routes, graph.places
    cut: dict[int, set[int]] = {}
    for q in lost:
        for one, other in (
            (int(routes.origin[q]), int(routes.destination[q])),
            (int(routes.destination[q]), int(routes.origin[q])),
        ):
            cut.setdefault(one, set()).add(other)
    # A zone that loses most others is the one cut off; the others merely lose it.
    faults = []
    while cut:
        worst = max(cut, key=lambda place: (len(cut[place]), -place))
        others = cut.pop(worst)
        if others:
            many = f"{len(others)} other zone{'s' * (len(others) > 1)}"
            faults.append(
                Fault(
                    f"scenario {name}, zone {names[worst]}",
                    f"no open route is left to {many}",
                    "open a link or a gateway, or close fewer",
                )
            )
        for rest in cut.values():
            rest.discard(worst)
        cut = {place: rest for place, rest in cut.items() if rest}
    what = "the scenario" if scenario is not None else "the network"
    raise ScenarioError(f"{what} leaves zones without a route", faults)


def _notes(
    choice: Choice,
    graph: Graph,
    flow_teu: FloatArray,
    world: World,
    base: World,
    scenario: Scenario | None,
    queues: Queues | None,
    settled: Settled | None,
) -> tuple[str, ...]:
    """What a reader of the tables must know about this case."""
    if scenario is None:
        return ()
    notes = []
    parameters = {str(m.get("parameter")) for m in scenario.modifications if m.verb == "set_parameter"}
    table = world.network["parameters"].by("parameter")
    shared = sorted(p for p in parameters if p in table and table[p]["part_of"] == "model")
    if shared:
        told = ", ".join(f"{name} = {world.setting(name)}" for name in shared)
        notes.append(f"base and scenario both have {told}: figures differ from those of the default base")
    if choice.gained.any():
        routes = choice.base.routes
        pairs = len(np.unique(routes.group_pair[choice.gained]))
        notes.append(
            f"{pairs} pairs of zones gain a corridor family they did not have; it takes the stated share "
            "of its pair group, an assumption and not a prediction"
        )
    if queues is not None and settled is not None:
        notes += queue_notes(graph, queues, settled, world, base)
    old = base.network["links"].by("link_id")
    new = [
        str(row["link_id"])
        for row in world.network["links"]
        if row["status"] == "open"
        and (str(row["link_id"]) not in old or old[str(row["link_id"])]["status"] != "open")
    ]
    carried = np.zeros(len(graph.links))
    on_link = graph.link >= 0
    np.add.at(carried, graph.link[on_link], flow_teu[on_link].sum(axis=1))
    number = {link: n for n, link in enumerate(graph.links)}
    idle = [link for link in new if carried[number[link]] <= 0.0]
    if idle:
        notes.append(
            f"nothing uses {', '.join(idle)}: no route worth considering leads over it (is a line or a "
            "gateway at its end still planned or closed?)"
        )
    lost = [
        str(row["corridor_id"])
        for row in base.network["corridors"]
        if _pair_of(choice, graph, row) in {-1, *choice.unreachable.tolist()}
    ]
    if lost:
        notes.append(f"no route is left for the corridor {', '.join(lost)}, which is not in the tables")
    return tuple(notes)


def _pair_of(choice: Choice, graph: Graph, corridor: Any) -> int:
    routes, number = choice.base.routes, graph.place_number
    ends = number[str(corridor["from_place"])], number[str(corridor["to_place"])]
    found = np.flatnonzero((routes.origin == ends[0]) & (routes.destination == ends[1]))
    return int(found[0]) if len(found) else -1
