"""The adjoint of the whole chain, waits included: derivatives of one outcome by arcs and economy."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError
from landbridge.model.waits import slope_of
from landbridge.results import Results
from landbridge.results.transit import carriage_bars
from landbridge.trade import Gradient
from landbridge.trade.fixed_point import gmres
from landbridge.transport import ArcBars, Queues
from landbridge.transport.choice.delayed import passes

__all__ = ["ChainGradient", "chain_gradient"]

log = logging.getLogger("landbridge")

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ChainGradient:
    """d ln(outcome) by every input of the chain, with the waits adjusting.

    arcs: hours, money, CO2e and variance of every arc; held: the same with the waits held; routes_held: with
    waits and routes held. tariff [o, d, s],
    productivity [n, s]: as in `Gradient`. capacity [gateway]: by ln capacity, zero where none is stated.
    waits_settled: relative residual of the linear system of the queues.
    """

    arcs: ArcBars
    held: ArcBars
    routes_held: ArcBars
    tariff: FloatArray
    productivity: FloatArray
    capacity: FloatArray
    waits_settled: float


def chain_gradient(result: Results, of: str) -> ChainGradient:
    """The adjoint of the whole chain, congestion included, at a solved result.

    With z = flows at the queues, z = Y(W(z), V(z), theta) and an outcome L(W, V, theta):

        dL/dtheta = L_theta + Y_theta' z_bar,   (I - J') z_bar = W' L_W + V' L_V,   J = Y_W W' + Y_V V'

    Each product with J' is one pass of `Choice.vjp` and `Equilibrium.vjp`; the base and its shares are held
    fixed.

    result: solved; of: outcome, as in `Equilibrium.gradient`. Returns a ChainGradient.
    Raises DataError for an unknown outcome, ConvergenceError where the waits cannot be differentiated.
    """
    choice, freight = result.choice, result.freight
    equilibrium = result.equilibrium[result.closure]
    direct = equilibrium.gradient(of)
    cost_bar = freight.cost_bar(choice.cost, direct.cost)
    paid = _through_payments(result, direct)
    # Costs respond alike with routes held: their derivative is the share of each route.
    by_cost = choice.vjp(cost_bar=cost_bar)
    held, kept = _sum(by_cost, paid), _sum(by_cost, _through_payments(result, direct, routes_held=True))
    queues, load = result.queues, result.load
    if queues is None or load is None or not len(queues):
        nothing = np.zeros(len(result.graph.gateways))
        return ChainGradient(held, held, kept, direct.tariff, direct.productivity, nothing, 0.0)
    pull = _Pull(result, queues, load)
    on_loads = pull.at_queues(held)
    turn = pull.turn()
    z_bar, left, used = gmres(
        lambda z: turn @ (z - pull.transposed(z)), turn @ on_loads, 1e-11, most=4 * len(queues)
    )
    log.debug("the waits were differentiated with %d passes", used)
    if not left <= 1e-8:
        raise ConvergenceError(f"the waits could not be differentiated: residual {left:.1e}")
    arcs, economy = pull.back(z_bar, cost_bar)
    arcs = _sum(arcs, paid)
    # Effect of capacity at given arrivals, through the hours and variance it changes.
    by_hours, by_variance = pull.delay_bars(arcs)
    on_wait, on_variance = queues.capacity_slopes(load)
    capacity = np.zeros(len(result.graph.gateways))
    np.add.at(capacity, queues.gateway, by_hours * on_wait + by_variance * on_variance)
    return ChainGradient(
        arcs,
        held,
        kept,
        direct.tariff + economy.tariff,
        direct.productivity + economy.productivity + pull.productivity_bar(z_bar),
        capacity,
        left,
    )


def _through_payments(result: Results, gradient: Gradient, *, routes_held: bool = False) -> ArcBars | None:
    """Derivatives by the arcs through payments to carriers; None where nobody is paid."""
    equilibrium, found = result.equilibrium[result.closure], result.tolls
    if found is None:
        return None
    base = result.base or result
    sector = equilibrium.base.sectors.index(result.world.setting("transport_sector"))
    return carriage_bars(
        found,
        result.choice,
        result.freight,
        base.demand_teu,
        base.loading.trade,
        result.freight.log_tau(result.choice.cost),
        result.world.parameter("paid_share"),
        gradient.carriage(sector, equilibrium.trade),
        result.carriage,
        routes_held=routes_held,
    )


def _sum(one: ArcBars, two: ArcBars | None) -> ArcBars:
    if two is None:
        return one
    apart = dict.fromkeys((*one.cost_by_term, *two.cost_by_term))
    in_bulk = dict.fromkeys((*one.bulk_by_term, *two.bulk_by_term))
    return ArcBars(
        one.time_h + two.time_h,
        one.cost_usd + two.cost_usd,
        one.co2e_kg + two.co2e_kg,
        one.variance_h2 + two.variance_h2,
        one.bulk_usd + two.bulk_usd,
        cost_by_term={term: one.cost_of(term) + two.cost_of(term) for term in apart},
        bulk_by_term={term: one.bulk_of(term) + two.bulk_of(term) for term in in_bulk},
    )


class _Pull:
    """Cotangents on the flows at the queues, pulled back through freight, trade and costs."""

    def __init__(self, result: Results, queues: Queues, load: FloatArray) -> None:
        self.result, self.queues = result, queues
        flows = queues.flows(result.graph, result.flow_teu)
        wait, variance = queues.slopes(load)
        slope = queues.load_slope(flows)
        self.wait_by_flow = wait[:, None] * slope
        self.variance_by_flow = variance[:, None] * slope

    def turn(self) -> FloatArray:
        """(I - J')^-1 with J at given demand, the preconditioner of the linear system."""
        result, queues = self.result, self.queues
        through = passes(result.choice.base.routes, result.graph, queues)
        by_hour, spread = slope_of(result.choice, through, result.demand_teu)
        per_variance = float(result.choice.classes.rho.mean()) * 0.5 / np.maximum(spread, 1.0)
        J = by_hour @ (self.wait_by_flow + per_variance[:, None] * self.variance_by_flow)
        return np.asarray(np.linalg.inv(np.eye(len(queues)) - J.T))

    def delay_bars(self, arcs: ArcBars) -> tuple[FloatArray, FloatArray]:
        """Derivatives by arcs as derivatives by the hours and variance of the queues [q]."""
        graph, queues = self.result.graph, self.queues
        hours = queues.from_gateways(graph.at_gateways_by_way(arcs.time_h))
        return hours, queues.from_gateways(graph.at_gateways_by_way(arcs.variance_h2))

    def at_queues(self, arcs: ArcBars) -> FloatArray:
        """Derivatives by arcs as derivatives by the flows that cause the waits [q]."""
        hours, variance = self.delay_bars(arcs)
        return np.asarray(self.wait_by_flow.T @ hours + self.variance_by_flow.T @ variance)

    def _values(self, z_bar: FloatArray) -> tuple[ArcBars, FloatArray]:
        """Derivatives at given demand, and by the exporters' sales at base prices [o, d, s]."""
        result = self.result
        on_arcs = result.graph.spread_over_arcs(self.queues.on_gateways(z_bar))
        arcs = result.choice.vjp(flow_bar=on_arcs, demand_teu=result.demand_teu)
        assert arcs.demand_teu is not None
        return arcs, result.freight.value_bar(arcs.demand_teu)

    def _economy(self, value_bar: FloatArray) -> Gradient:
        equilibrium = self.result.loading
        price = self.result.producer_price_hat
        on_trade = value_bar / price[:, None, :]
        on_cost = -(on_trade * equilibrium.trade).sum(axis=1)
        return equilibrium.vjp(trade=on_trade, unit_cost=on_cost)

    def transposed(self, z_bar: FloatArray) -> FloatArray:
        """J' z_bar."""
        arcs, _ = self.back(z_bar, None)
        return self.at_queues(arcs)

    def back(self, z_bar: FloatArray, cost_bar: FloatArray | None) -> tuple[ArcBars, Gradient]:
        """Derivatives of z_bar . flows (and of cost_bar . K) by the arcs and by the economy's shocks."""
        result = self.result
        arcs, value_bar = self._values(z_bar)
        economy = self._economy(value_bar)
        through_trade = result.freight.cost_bar(result.choice.cost, economy.cost)
        whole = through_trade if cost_bar is None else through_trade + cost_bar
        return _sum(arcs, result.choice.vjp(cost_bar=whole)), economy

    def productivity_bar(self, z_bar: FloatArray) -> FloatArray:
        """Direct effect of ln A on sales at base prices: value = trade x A / c [n, s]."""
        _, value_bar = self._values(z_bar)
        equilibrium, price = self.result.loading, self.result.producer_price_hat
        return np.asarray((value_bar * equilibrium.trade / price[:, None, :]).sum(axis=1))
