"""One case solved with some of its mechanisms held at the base.

A mechanism that is off is held: routes (freight keeps its routes), waits (those of the base), trade (the
quantities, prices and wages of the base), transit (payments to carriers at cost), rents (the part of these
payments above cost). With none, real income changes by the direct saving alone,

    dW_n = [sum_os X_ons (1 - tau'/tau) + sum_s Y_ns (1 - 1/A^) + transfer - works] / I_n

at the trade X and output Y of the base: the importer pays the freight, and a tariff is paid to one's own
budget. Rents add the payments above cost for that trade. With all, it is the result of `landbridge.run`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, Status
from landbridge.model.economy_inputs import EconomyInputs
from landbridge.model.kept_routes import KeptRoutes, open_where_kept
from landbridge.model.waits import solve_waits
from landbridge.trade import Carriage
from landbridge.transport import Choice, pivot
from landbridge.transport.choice.delayed import DelayedChoice
from landbridge.transport.routes.route_set import in_transit

if TYPE_CHECKING:
    from landbridge.model.base import SolvedBase
    from landbridge.results import Results

__all__ = ["MECHANISMS", "Mechanisms"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MECHANISMS = ("routes", "waits", "trade", "transit", "rents")


@dataclass(frozen=True, eq=False)
class _Shipped:
    """Freight under some mechanisms: the choice of routes, and the payments to carriers for them."""

    choice: Choice
    shock: EconomyInputs
    carriage: Carriage | None


class Mechanisms:
    """Real income of one case for every set of mechanisms.

    base: solved; case: its Results, converged, solved against this base; number: of its graph in the study.
    """

    def __init__(self, base: SolvedBase, case: Results, number: int) -> None:
        self.base, self.case, self.number = base, case, number
        self._known: dict[tuple[bool, bool, bool], _Shipped] = {}

    def income(self, on: Collection[str]) -> FloatArray:
        """Change of real income of all regions [n], a ratio less one, with some mechanisms on.

        on: of `MECHANISMS`. Raises ConvergenceError where a part of the chain has no solution.
        """
        trade = "trade" in on
        shipped = self._shipped("routes" in on, "waits" in on, trade)
        paid = _part(shipped.carriage, "transit" in on, "rents" in on)
        if not trade:
            return self._directly(shipped, paid)
        found = shipped.shock.paying(shipped.choice.cost, paid)
        self._require(found.status, on)
        return np.asarray(found.real_income_hat - 1.0)

    def _require(self, status: Status, on: Collection[str]) -> None:
        if not status.converged:
            named = ", ".join(one for one in MECHANISMS if one in on) or "nothing"
            raise ConvergenceError(f"{self.case.id} with {named} adjusting: {status.message}")

    @property
    def whole(self) -> tuple[EconomyInputs, Carriage | None]:
        """The inputs of the economy and the payments to carriers with every mechanism on."""
        shipped = self._shipped(True, True, True)
        return shipped.shock, shipped.carriage

    # -- freight -----------------------------------------------------------------------------------

    def _shipped(self, routes: bool, waits: bool, trade: bool) -> _Shipped:
        waits = waits and self._queues_exist
        key = routes, waits, trade
        if key not in self._known:
            self._known[key] = self._solved(*key)
        return self._known[key]

    @property
    def _queues_exist(self) -> bool:
        return self.case.queues is not None and len(self.case.queues) > 0

    def _solved(self, routes: bool, waits: bool, trade: bool) -> _Shipped:
        base, case = self.base, self.case
        on = [n for n, yes in zip(MECHANISMS, (routes, waits, trade), strict=False) if yes]
        shock = base.shock(case.world, base.results)
        shock.closures = shock.closures[:1]
        unqueued = self._unqueued if routes else self.kept.at(self.kept.without_waits)
        held = shock.hold(unqueued.cost) if trade else None
        if held is not None:
            self._require(held, on)
        demand: Callable[[FloatArray], FloatArray] = shock.demand
        if not trade:

            def demand(cost: FloatArray) -> FloatArray:
                return base.results.demand_teu

        choice = self._waited(unqueued, routes, demand, on) if waits else unqueued
        loading = shock.loading(choice.cost) if trade else base.results.loading
        self._require(loading.status, on)
        paid, _ = base.paid(case.world, self.number, case.scenario, choice, loading)
        return _Shipped(choice, shock, paid)

    def _waited(
        self,
        unqueued: Choice,
        routes: bool,
        demand: Callable[[FloatArray], FloatArray],
        on: Collection[str],
    ) -> Choice:
        """The choice, or the kept routes, at waits that agree with the flows."""
        queues = self.case.queues
        assert queues is not None
        by_hour, spread = self.base.slope if self._same_queues else self._slope
        if not routes:
            by_hour = np.zeros_like(by_hour)
        respond = DelayedChoice(unqueued, self.base.common.passes(queues)) if routes else self.kept
        start = None if self.case.load is None or not routes else self.case.load
        found = solve_waits(respond, queues, demand, lambda teu: (by_hour, spread), start)
        self._require(found.status, on)
        if isinstance(respond, DelayedChoice):
            return respond.settled(found.delay_h, found.delay_h2)
        return self.kept.at(found.cost)

    @property
    def _same_queues(self) -> bool:
        before, now = self.base.results.queues, self.case.queues
        return before is not None and now is not None and len(before) == len(now)

    @cached_property
    def _slope(self) -> tuple[FloatArray, FloatArray]:
        from landbridge.model.waits import slope_of

        queues = self.case.queues
        assert queues is not None
        return slope_of(self._unqueued, self.base.common.passes(queues), self.base.results.demand_teu)

    @property
    def _unqueued(self) -> Choice:
        return self.case.unqueued if self.case.unqueued is not None else self.case.choice

    @cached_property
    def kept(self) -> KeptRoutes:
        """Freight on the routes of the base, at the costs of the case."""
        base, case, unqueued = self.base, self.case, self._unqueued
        routes, number, world = base.common.routes, self.number, case.world

        def chosen(number: int, barred: frozenset[str]) -> Choice:
            after = routes.available(base.common.graphs[self.number], number)
            if barred:
                after &= ~in_transit(base.common.graphs[self.number], routes, barred)
            opened = open_where_kept(routes, base.available, after)
            again = routes.searched_again(number)
            if routes.n_routes:
                starts = routes.group_start[:-1]
                again &= np.logical_or.reduceat(base.available & ~opened, starts)
            return pivot(base.choice, base.sums, opened, base.log_constant, base.classes, again)

        choice = chosen(number, world.policy.no_transit)
        for sectors, barred, own_number in base.common.restricted.get(number, ()):
            marked = np.array([sector in sectors for sector in base.classes.sectors])
            choice = choice.with_sectors(chosen(own_number, barred), marked)
        through = base.common.passes(case.queues) if case.queues is not None and self._queues_exist else None
        return KeptRoutes(choice, unqueued.sums, unqueued.classes, through)

    @cached_property
    def moved(self) -> tuple[int, float]:
        """Pairs of places that lose a route with freight, and the TEU a year that must move."""
        kept = self.kept.kept
        routes, now = kept.base.routes, kept.available
        loses = np.unique(routes.pair[self.base.available & ~now])
        loses = loses[self.base.ships[loses]]
        if not len(loses):
            return 0, 0.0
        on_routes = self.base.results.choice.route_flows(self.base.results.demand_teu).sum(axis=1)
        return len(loses), float(on_routes[self.base.available & ~now].sum())

    # -- the economy without adjustment --------------------------------------------------------------

    def _directly(self, shipped: _Shipped, paid: Carriage | None) -> FloatArray:
        """Real income at the quantities, prices and wages of the base [n]."""
        shock, base = shipped.shock, self.base
        before = base.results.equilibrium[base.closures[0]].base
        hat = shock.cost_hat(shipped.choice.cost)
        gain = (before.trade * (1.0 - hat)).sum(axis=(0, 2))
        if shock.stated is not None:
            gain = gain + (before.trade.sum(axis=1) * (1.0 - 1.0 / shock.stated)).sum(axis=1)
        if shock.transfer is not None:
            gain = gain + shock.transfer
        if shock.works is not None:
            gain = gain - shock.works
        if paid is not None:
            at_sale = paid.weight * before.trade * hat
            for k in range(paid.rent.shape[2]):
                of_kind = at_sale[:, :, paid.kind == k].sum(axis=2)
                gain = gain + np.einsum("od,odm->m", of_kind, paid.rent[:, :, k])
        return np.asarray(gain / before.income)


def _part(carriage: Carriage | None, transit: bool, rents: bool) -> Carriage | None:
    """Payments at cost, above cost, both or none."""
    if carriage is None or not (transit or rents):
        return None
    if transit and rents:
        return carriage
    if transit:
        return replace(carriage, paid=carriage.paid - carriage.rent, rent=np.zeros_like(carriage.rent))
    return replace(carriage, paid=carriage.rent)
