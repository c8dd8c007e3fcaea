"""A solved base, and the cases solved against it.

network -> expected cost -> trade cost -> equilibrium -> TEU -> arcs and gateways -> (waits)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, DataError, Fault, ScenarioError, Status
from landbridge.io.cache import fingerprint
from landbridge.model.economy_inputs import EconomyInputs, table_of
from landbridge.model.notes import of_first_order, of_the_rest, remarks, require_routes
from landbridge.model.prepared import Prepared
from landbridge.model.waits import Slope, SolvedWaits, kept_slope, slope_of, solve_waits
from landbridge.phrases import named
from landbridge.results import Results
from landbridge.results.transit import Carriers, Tolls, carriage
from landbridge.scenario import Scenario, apply
from landbridge.trade import Carriage, Equilibrium
from landbridge.trade.economy import Closure
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.transport import (
    BaseChoice,
    Choice,
    Freight,
    Graph,
    Queues,
    Segments,
    freight_between_regions,
    log_constants,
    pivot,
    solve_base,
)
from landbridge.transport.choice.delayed import DelayedChoice
from landbridge.transport.routes.base_set import VERSION, align_with_base
from landbridge.transport.routes.route_set import in_transit
from landbridge.version import version
from landbridge.world import World

__all__ = ["Origin", "SolvedBase"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Raise it when the slope of the same base on the same routes becomes another.
_SLOPE_VERSION = 1
# Both closures are always solved, since they differ by a factor of two for some countries.
_CLOSURES: tuple[Closure, ...] = ("fixed", "proportional")


@dataclass(frozen=True, eq=False)
class Origin:
    """The inputs of a result; a call solves it once more.

    worlds: all that share one search of routes. base, number: numbers of the base and of its own World among
    them. scenario, start: as in `SolvedBase.case`, None for the base itself. phi_b: that of the case.
    """

    worlds: tuple[World, ...]
    base: int
    number: int
    throw: bool
    phi_b: float
    scenario: Scenario | None = None
    start: FloatArray | None = None

    def __call__(self) -> Results:
        """The Results, with its routes."""
        base = SolvedBase(Prepared(self.worlds), self.worlds[self.base], self.base, self.throw)
        if self.scenario is None:
            return base.results
        if self.phi_b != base.classes.phi_b:
            base = base.responding(self.phi_b)
        return base.case(self.worlds[self.number], self.number, self.scenario, self.start)


@dataclass(frozen=True, eq=False)
class _Waited:
    """The choice of routes and the inputs of the economy.

    graph: with its queues; choice, unqueued: at the waits of the case and of the base; settled: the solved
    waits; held: how trade was held to the quantities of the channels, None where none is held.
    """

    graph: Graph
    choice: Choice
    unqueued: Choice
    shock: EconomyInputs
    queues: Queues | None
    settled: SolvedWaits | None
    held: Status | None

    @property
    def statuses(self) -> list[Status]:
        """The statuses of waits and kept trade, where they were solved."""
        found = [] if self.held is None or self.held.converged else [self.held]
        return found if self.settled is None else [*found, self.settled.status]


class SolvedBase:
    """A solved base, from which cases are solved.

    common: shared by the study; world: the base; number: of its graph in the study; throw: raise where a
    solve fails. A World that already holds changes of tariffs, trade costs or productivity is solved with
    them first, and later changes are relative to that.
    """

    def __init__(self, common: Prepared, world: World, number: int, throw: bool) -> None:
        self.common, self.world, self.number, self.throw = common, world, number, throw
        self.graph = graph = common.graphs[number]
        routes = common.routes
        if world.policy.no_transit_of:
            cure = "run it as a scenario of the base, or close transit for every sector"
            where = "close_transit, sector"
            raise ScenarioError("no base", [Fault(where, "a base has the same routes for all sectors", cure)])
        self.table = table_of(world, self.closures[0])
        self.classes = common.classes(world)
        self.sums, available = routes.sums(graph), routes.available(graph, number)
        if world.policy.no_transit:
            available &= ~in_transit(graph, routes, world.policy.no_transit)
        self.log_constant = log_constants(world, graph, routes)
        self.available = available
        self.choice: BaseChoice = solve_base(
            routes, self.classes, self.sums, available, common.nests, self.log_constant
        )
        at = graph.place_number
        self.freight: Freight = freight_between_regions(
            world, graph, routes, self.classes, {at[p]: region for p, region in common.zones.items()}
        )
        self.log_tau = self.freight.log_tau(self.choice.cost)
        require_routes(routes, graph, self.choice.unreachable, self.ships, "base", None)
        solved = self._chain(world, number, None, None)
        queues = Queues.of(world, graph).calibrated(graph, solved.flow_teu)
        self.results = replace(solved, queues=queues, load=np.maximum(queues.base_load, 0.0))
        if solved.status.converged and self._pays(world):
            self.results = replace(self.results, tolls=self.tolls)

    @cached_property
    def ships(self) -> BoolArray:
        """Pairs of zones with freight in the base [pair]."""
        return self.freight.ships(self.table.trade)

    @property
    def closures(self) -> tuple[Closure, ...]:
        """The closures solved, first the one whose flows are on the network."""
        chosen: Any = self.world.setting("deficits")
        return tuple(dict.fromkeys((chosen, *_CLOSURES)))

    def case(self, world: World, number: int, scenario: Scenario, start: FloatArray | None = None) -> Results:
        """A scenario solved against this base. Returns Results.

        world, number, scenario: changed World, number of its graph in the study, and the scenario; start [q]:
        loads of the queues from which the search begins, those of the base by default. Raises as
        `landbridge.run`.
        """
        return self._chain(world, number, scenario, self.results, start)

    def income(
        self, world: World, number: int, scenario: Scenario, start: FloatArray | None = None
    ) -> FloatArray | None:
        """Real income of a scenario under the main closure [n], as a ratio; None where there is no solution.

        Equal to that of `case`, without its tables: for ranges and draws. Arguments as in `case`.
        """
        waited = self._waited(world, number, scenario, self.results, start)
        choice, shock = waited.choice, copy(waited.shock)
        shock.closures = self.closures[:1]
        loading = shock.loading(choice.cost)
        paid, _ = self.paid(world, number, scenario, choice, loading)
        solved = shock.solved(choice.cost, paid)[0][self.closures[0]]
        statuses = [loading.status, solved.status, *waited.statuses]
        return solved.real_income_hat if Status.worst(statuses).converged else None

    def beside(self, common: Prepared) -> SolvedBase:
        """This base in a study of other cases, which use the routes of this one.

        common: of that study, its graph of the base as here; see `Prepared.under`.
        """
        if self.results.queues is not None and len(self.results.queues):
            _ = self.slope  # made once, for all
        other = copy(self)
        other.common = common
        return other

    def responding(self, phi_b: float) -> SolvedBase:
        """This base with families that respond to cost by another phi_b; nothing in a base depends on it.

        For cases only: `results` and the slope that directs a search keep the phi_b of this one.
        """
        other = copy(self)
        other.classes = replace(self.classes, phi_b=phi_b)
        weights = self.choice.weights
        weights = None if weights is None else replace(weights, classes=other.classes)
        other.choice = replace(self.choice, classes=other.classes, weights=weights)
        return other

    def search_along(self, slope: Slope) -> None:
        """Direct the search for waits by the slope of a base near this one, which saves making it again.

        It decides how many steps a search takes, not where it ends.
        """
        self.__dict__["slope"] = slope

    def shock(self, world: World, before: Results | None) -> EconomyInputs:
        """Inputs of the economy under a World; before: the Results of this base, None for the base itself."""
        return EconomyInputs(
            world,
            before,
            self.world,
            self.table,
            self.freight,
            self.log_tau,
            self.closures,
            self.throw,
        )

    def _chain(
        self,
        world: World,
        number: int,
        scenario: Scenario | None,
        base: Results | None,
        start: FloatArray | None = None,
    ) -> Results:
        """From arcs to flows; for a case, with the waits caused by these flows."""
        waited = self._waited(world, number, scenario, base, start)
        graph, choice, unqueued, shock = waited.graph, waited.choice, waited.unqueued, waited.shock
        queues, settled = waited.queues, waited.settled
        name = "base" if scenario is None else scenario.id
        loading = shock.loading(choice.cost)
        demand = shock.boxes(loading)
        flow, goods = choice.assign_goods(demand, demand if base is None else base.demand_teu)
        paid, tolls = self.paid(world, number, scenario, choice, loading)
        equilibrium, first_order = shock.solved(choice.cost, paid)
        direct = shock.direct(unqueued.cost, choice.cost, self.choice.cost, paid)
        told = remarks(choice, graph, demand, flow, world, self.world, scenario, queues, settled)
        statuses = [loading.status, *(eq.status for eq in equilibrium.values()), *waited.statuses]
        return Results(
            id=name,
            scenario=scenario,
            world=world,
            graph=graph,
            choice=choice,
            freight=self.freight,
            demand_teu=demand,
            flow_teu=flow,
            goods=goods,
            cost_hat=shock.cost_hat(choice.cost),
            equilibrium=equilibrium,
            loading=loading,
            tolls=tolls,
            carriage=paid,
            first_order=first_order,
            direct=direct,
            closure=self.closures[0],
            status=Status.worst(statuses),
            notes=told + shock.notes + self._of_first_order(equilibrium, first_order, direct),
            base=base,
            queues=queues,
            load=settled.load if settled is not None else None,
            unqueued=unqueued,
            again=Origin(
                tuple(self.common.worlds),
                self.number,
                number,
                self.throw,
                self.classes.phi_b,
                scenario,
                start,
            ),
        )

    def _waited(
        self,
        world: World,
        number: int,
        scenario: Scenario | None,
        base: Results | None,
        start: FloatArray | None,
    ) -> _Waited:
        """Routes chosen on a graph; for a case, with waits consistent with the flows."""
        graph = self.common.graphs[number]
        classes = self.classes
        carbon = world.parameter("carbon_price_usd_per_kg")
        if carbon != classes.carbon_usd_per_kg:
            classes = replace(classes, carbon_usd_per_kg=carbon)
        queues, settled = None, None
        known: Slope | None = None
        if base is not None and base.queues is not None:
            queues = base.queues.under(self.graph, world, graph)
            # Computed before the search uses memory of its own.
            known = self.slope if len(queues) and len(queues) == len(base.queues) else None
        choice = unqueued = self.choose(world, number, graph, classes)
        name = "base" if scenario is None else scenario.id
        require_routes(self.common.routes, graph, choice.unreachable, self.ships, name, scenario)
        shock = self.shock(world, base)
        held = shock.hold(choice.cost)
        if queues is not None and len(queues):
            touched = DelayedChoice(choice, self.common.passes(queues))
            near = known
            slope = touched.slope if near is None else lambda demand: near
            settled = solve_waits(touched, queues, shock.demand, slope, start)
            if self.throw and not settled.status.converged:
                raise ConvergenceError(f"{name}: {settled.status.message}")
            choice = touched.settled(settled.delay_h, settled.delay_h2)
            # It is as large as the choice itself.
            del touched, slope
            delays = (queues.on_gateways(d) for d in (settled.delay_h, settled.delay_h2))
            graph = graph.with_queue(*delays)
        return _Waited(graph, choice, unqueued, shock, queues, settled, held)

    def _of_first_order(
        self,
        equilibrium: Mapping[str, Equilibrium],
        first_order: Mapping[str, FloatArray],
        direct: FloatArray | None,
    ) -> tuple[str, ...]:
        """Notes on the first order, for Central Asia."""
        regions = self.table.regions
        five = [n for n, region in enumerate(regions) if region in self.world.group(CENTRAL_ASIA)]
        names = {str(row["region"]): str(row["name"]) for row in self.world.regions}
        told = of_the_rest(regions, first_order[self.closures[0]], direct)
        for closure in self.closures:
            exact = equilibrium[closure].real_income_hat - 1.0
            listed = [named("region", regions[n], names.get(regions[n], "")) for n in five]
            told += of_first_order(listed, exact[five], first_order[closure][five], closure)
        return told

    @cached_property
    def tolls(self) -> Tolls:
        """Payments to carriers for the trade of the base on its routes."""
        carriers = Carriers.of(self.world, self.graph)
        return Tolls.of(carriers, self.results.choice, self.freight, self.results.demand_teu)

    def paid(
        self, world: World, number: int, scenario: Scenario | None, choice: Choice, loading: Equilibrium
    ) -> tuple[Carriage | None, Tolls | None]:
        """Payments to carriers, more than in the base, and the routes and rates behind them.

        world, number, scenario: of the case, None in place of a scenario for the base itself; choice: of
        routes, with waits solved; loading: the equilibrium behind the flows.
        None for the base itself and where the economy behind the flows has no solution.
        """
        if scenario is None or not loading.status.converged or not self._pays(world):
            return None, None
        graph, at_cost = self.common.graphs[number], None
        if scenario.changes_prices:
            same = apply(self.world, scenario.at_cost())
            at_cost = align_with_base([*self.common.worlds, same])[0][-1]
        alike = at_cost is None and all(
            np.array_equal(getattr(graph, money), getattr(self.graph, money))
            for money in ("term_cost_usd", "term_bulk_usd")
        )
        alike = alike and world.network["carriers"] is self.world.network["carriers"]
        alike = alike and world.parameter("transit_margin") == self.world.parameter("transit_margin")
        carriers = self.tolls.carriers if alike else Carriers.of(world, graph, at_cost)
        found = Tolls.of(carriers, choice, self.freight, self.results.demand_teu)
        return self.carriage([(found, self.tolls)], world, choice.cost), found

    def _pays(self, world: World) -> bool:
        """Whether carriers are paid in a World: not where nobody owns the ships.

        Raises DataError where the carrying sector is unknown.
        """
        owners = any(row["quantity"] == "fleet" for row in world.network.get("carriers", ()))
        if world.parameter("paid_share") == 0.0 or not owners:
            return False
        sector = world.setting("transport_sector")
        if sector not in self.table.sectors:
            cure = "name one of " + ", ".join(self.table.sectors) + ", or set paid_share to 0"
            fault = Fault("parameters.csv (transport_sector)", f"no sector {sector!r}", cure)
            raise DataError("nobody carries the freight", [fault])
        return True

    def carriage(
        self, changes: Sequence[tuple[Tolls, Tolls]], world: World, cost: FloatArray
    ) -> Carriage | None:
        """Payments to carriers per USD of trade, more than in the base, where base trade uses other routes.

        changes: see `landbridge.results.transit.carriage`; world: of the case; cost [pair, sector]: expected,
        after the change [USD/TEU].
        """
        return carriage(
            changes,
            self.freight,
            self.classes.in_containers,
            self.results.demand_teu,
            self.results.loading.trade,
            self.freight.log_tau(cost),
            world.setting("transport_sector"),
            world.parameter("paid_share"),
        )

    def choose(self, world: World, number: int, loaded: Graph, classes: Segments) -> Choice:
        """Routes chosen on a graph, with bans on transit, including those of single sectors.

        world: for its bans on transit; number: of its graph in the study; loaded: that graph, whose costs
        count; classes: segments of freight in the case. Returns a Choice.
        """
        routes = self.common.routes
        sums = routes.sums(loaded, (self.graph, self.sums))

        def chosen(number: int, barred: frozenset[str]) -> Choice:
            available = routes.available(loaded, number)
            if barred:
                available &= ~in_transit(loaded, routes, barred)
            again = routes.searched_again(number)
            return pivot(self.choice, sums, available, self.log_constant, classes, again)

        choice = chosen(number, world.policy.no_transit)
        for sectors, barred, own_number in self.common.restricted.get(number, ()):
            marked = np.array([sector in sectors for sector in classes.sectors])
            choice = choice.with_sectors(chosen(own_number, barred), marked)
        return choice

    @cached_property
    def slope(self) -> Slope:
        """Response of flows at the queues to hours in the base, for the first steps of every search."""
        queues = self.results.queues
        assert queues is not None
        made_by = f"slope {_SLOPE_VERSION} {VERSION} {version()} {np.__version__}"
        key = fingerprint(made_by, self.world.hash, queues.gateway, queues.way)

        def make() -> Slope:
            return slope_of(self.results.choice, self.common.passes(queues), self.results.demand_teu)

        return kept_slope(key if self.common.routes.worth_keeping else None, len(queues), make)
