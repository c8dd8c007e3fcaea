"""Inputs of the economy under a scenario, and trade at given freight costs.

productivity, tariffs, effects of the channels, tau'/tau -> equilibrium -> TEU between zones
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.protocol import Effect, Held, joined
from landbridge.channels.registry import channels
from landbridge.errors import DataError, Fault, Status
from landbridge.model.deliveries import at_base_prices, hold
from landbridge.phrases import named, say
from landbridge.results import Results
from landbridge.trade import Carriage, Equilibrium, solve
from landbridge.trade.economy import Closure
from landbridge.trade.growth import grown
from landbridge.transport import Freight, kept_log_tau
from landbridge.world import World
from landbridge.world.table import cell_number
from landbridge.world.trade_table import TradeTable

__all__ = ["EconomyInputs", "table_of"]

FloatArray = NDArray[np.float64]

# Tolerance of the economy inside the search for the waits, so that its noise stays below theirs.
_TIGHT = 1e-12


class EconomyInputs:
    """Inputs of the economy under a case, and its response to expected costs.

    last: the equilibrium at the last expected costs, None before any. productivity: that of the case, with
    idle deposits (`hold`); stated: without.
    """

    def __init__(
        self,
        world: World,
        before: Results | None,
        base: World,
        table: TradeTable,
        freight: Freight,
        log_tau: FloatArray,
        closures: Sequence[Closure],
        throw: bool,
    ) -> None:
        """world, base: Worlds of the case and of the base; before: the solved base, None for the base itself.

        table: trade of the base; freight: between zones and regions; log_tau: of the base [o, d, s].
        closures: those to solve, first the one whose flows are on the network; throw: raise where a solve
        fails.
        """
        self.before, self.table, self.freight, self.log_tau = before, table, freight, log_tau
        self.closures, self.throw = tuple(closures), throw
        self.stated = _ratio(world.policy.productivity_hat, base.policy.productivity_hat)
        self.productivity = self.stated
        self.tariff = world.policy.tariff
        self.trade_cost = _ratio(world.policy.trade_cost_hat, base.policy.trade_cost_hat)
        self.transfer = _beyond(world.policy.transfer, base.policy.transfer)
        self.works = _beyond(world.policy.works, base.policy.works)
        asked: list[Effect] = []
        if before is not None:
            asked = [one.effect(base, world) for one in channels() if one.moved(base, world)]
        self.effects = tuple(asked)
        self.notes = tuple(note for effect in self.effects for note in effect.notes)
        self._add_channels()
        # Trade inside a bloc off the network responds to the carbon price alone.
        self.log_kept = 0.0 if before is None else kept_log_tau(world) - kept_log_tau(base)
        self.held: FloatArray | None = None
        self.last: Equilibrium | None = None

    def _add_channels(self) -> None:
        """Add productivities and transfers; costs are added in `cost_hat`, held trade in `hold`."""
        for effect in self.effects:
            if effect.productivity_hat is not None:
                known = self.stated
                self.stated = effect.productivity_hat if known is None else known * effect.productivity_hat
            if effect.transfer is not None:
                moved = self.transfer
                self.transfer = effect.transfer if moved is None else moved + effect.transfer
        self.productivity = self.stated

    @property
    def _held(self) -> list[Held]:
        return [effect.held for effect in self.effects if effect.held is not None]

    def hold(self, cost: FloatArray) -> Status | None:
        """Hold trade to the quantities of the channels.

        cost [pair, sector]: expected, without further waits. Returns a Status, None where nothing is held.
        Raises as `landbridge.model.deliveries.hold`.
        """
        quantities = joined(self._held)
        if self.before is None or quantities is None:
            return None
        free, closure = self.cost_hat(cost), self.closures[0]
        start = self.before.equilibrium[closure]
        given = self.tariff, self.stated, self.transfer, closure, start, self.throw
        met = hold(quantities, self.table, free, *given)
        self.held, self.productivity = met.cost_hat / free, met.productivity_hat
        for n, s, left in met.deposits:
            region, sector = self.table.regions[n], self.table.sectors[s]
            less, more = next(one.why for one in self._held if any((o, k) == (n, s) for o, _, k in one.pairs))
            why = less if left < 1.0 else more
            self.notes += (
                say(
                    "note.deposits",
                    region=named("region", region),
                    sector=named("sector", sector),
                    left=left,
                    why=why,
                ),
            )
        return met.status

    def cost_hat(self, cost: FloatArray) -> FloatArray:
        """tau'/tau [o, d, s] at expected costs [pair, sector]; a pair without trade has no change of cost."""
        log_hat = self.freight.log_tau(cost) - self.log_tau + self.log_kept
        hat = np.exp(np.where(self.table.trade > 0.0, log_hat, 0.0))
        for more in (*(effect.cost_hat for effect in self.effects), self.held, self.trade_cost):
            if more is not None:
                hat = hat * more
        return hat

    def _given(self, cost: FloatArray) -> dict[str, Any]:
        """Arguments of `solve` at expected costs; none for the base itself."""
        return {} if self.before is None else self.under(self.cost_hat(cost))

    def under(self, cost_hat: FloatArray) -> dict[str, Any]:
        """Arguments of `solve` at a change of trade costs tau'/tau [o, d, s]."""
        return {
            "cost_hat": cost_hat,
            "tariff": self.tariff,
            "productivity_hat": self.productivity,
            "transfer": self.transfer,
            "works": self.works,
        }

    def demand(self, cost: FloatArray) -> FloatArray:
        """TEU a year [pair, sector] under the main closure; cost [pair, sector]: expected [USD/TEU]."""
        return self.boxes(self.loading(cost))

    def loading(self, cost: FloatArray) -> Equilibrium:
        """The equilibrium before changed payments to carriers; cost [pair, sector]: expected [USD/TEU]."""
        closure = self.closures[0]
        start = self.last or (self.before.equilibrium[closure] if self.before is not None else None)
        shock = self._given(cost)
        eq = solve(self.table, **shock, deficits=closure, throw=self.throw, start=start, tol=_TIGHT)
        if eq.status.converged:
            self.last = eq
        return eq

    def paying(self, cost: FloatArray, carriage: Carriage | None) -> Equilibrium:
        """The equilibrium with carriers paid, under the main closure.

        cost [pair, sector]: expected [USD/TEU]; carriage: payments to carriers, more than in the base.
        """
        given = {**self._given(cost), "carriage": carriage}
        return solve(self.table, **given, deficits=self.closures[0], throw=self.throw, start=self.last)

    def boxes(self, eq: Equilibrium) -> FloatArray:
        """TEU a year between zones [pair, sector] in an equilibrium eq, its trade at base prices."""
        return self.freight.demand_teu(at_base_prices(eq))

    def solved(
        self, cost: FloatArray, carriage: Carriage | None = None
    ) -> tuple[dict[str, Equilibrium], dict[str, FloatArray]]:
        """Equilibrium and first-order response [n] under each closure.

        cost [pair, sector]: expected [USD/TEU]; carriage: payments to carriers, more than in the base. Raises
        as `solve`.
        """
        shock = self._given(cost) if carriage is None else {**self._given(cost), "carriage": carriage}
        equilibrium: dict[str, Equilibrium] = {}
        first_order: dict[str, FloatArray] = {}
        for closure in self.closures:
            before = self.before.equilibrium[closure] if self.before is not None else None
            near = self.last if self.last is not None and closure == self.closures[0] else before
            tol = _TIGHT if near is self.last and near is not None else 1e-10
            eq = solve(self.table, **shock, deficits=closure, throw=self.throw, start=near, tol=tol)
            equilibrium[closure] = eq
            response = np.zeros(len(self.table.regions))
            if before is not None:
                fine = before.status.converged and eq.status.converged
                response = before.linear_response(**shock) if fine else np.full_like(response, np.nan)
            first_order[closure] = response
        return equilibrium, first_order

    def direct(
        self,
        unqueued: FloatArray,
        cost: FloatArray,
        at_base: FloatArray,
        carriage: Carriage | None = None,
    ) -> FloatArray | None:
        """First-order real income by the pairs of zones whose own routes the case changes [n], main closure.

        unqueued, cost, at_base: expected costs at the waits of the base, with waits solved, and of the base
        [pair, sector, USD/TEU]; carriage: payments to carriers. Changes other than of transport cost are
        direct too: tariffs, productivity, payments to carriers. The rest of the first order is pairs whose
        costs change with waits alone. None in a base, and where no cost changes at its waits (a capacity, a
        tariff).
        """
        if self.before is None or not self.before.status.converged:
            return None
        own = ~np.isclose(unqueued, at_base, rtol=1e-9, atol=0.0)
        if not own.any():
            return None
        hat = self.cost_hat(np.where(own, cost, at_base))
        before = self.before.equilibrium[self.closures[0]]
        return before.linear_response(**self.under(hat), carriage=carriage)


def table_of(world: World, closure: Closure) -> TradeTable:
    """The trade table of a World at its horizon, under its tariffs and productivities.

    world: the World; closure: of the balance of trade. Equations: docs/theory/economy.md. Raises DataError
    where the World pays for works, ConvergenceError or InfeasibleError where it has no equilibrium.
    """
    policy, table = world.policy, _at_horizon(world, closure)
    if policy.works is not None:
        cure = "put pay_for into the scenarios that are compared with the base"
        raise DataError("a base cannot hold works", [Fault("policy", "pays for works", cure)])
    changes = policy.trade_cost_hat, policy.tariff, policy.productivity_hat
    if all(change is None for change in (*changes, policy.transfer)):
        return table
    return solve(table, *changes, deficits=closure, transfer=policy.transfer).table()


def _at_horizon(world: World, closure: Closure) -> TradeTable:
    """The trade table scaled to the GDP of the year that the parameter `horizon` names."""
    year = world.parameter("horizon")
    if year == world.base_year:
        return world.trade
    growth = {
        str(r["region"]): cell_number(r, "gdp_hat") for r in world.network["growth"] if r["year"] == year
    }
    return grown(world.trade, np.array([growth[region] for region in world.trade.regions]), closure)


def _beyond(new: FloatArray | None, old: FloatArray | None) -> FloatArray | None:
    if new is None or old is None:
        return new if old is None else -old
    return np.asarray(new - old)


def _ratio(new: FloatArray | None, old: FloatArray | None) -> FloatArray | None:
    if new is None or old is None:
        return new if old is None else 1.0 / old
    return np.asarray(new / old)
