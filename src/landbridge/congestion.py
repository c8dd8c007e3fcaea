"""Trade, flows and waits as one fixed point, and its derivative.

    waits -> route costs -> trade costs -> trade -> boxes -> loads of the queues -> waits

The unknowns are the loads of the queues, of which hours and variance are functions: a few for each
gateway with a capacity. Everything else follows from them. The base needs no search: there the queue is
part of the observed hours (see `landbridge.transport.queues`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.errors import ConvergenceError, Status
from landbridge.results import Results
from landbridge.trade import Gradient
from landbridge.trade.fixed_point import anderson, gmres
from landbridge.transport import ArcBars, Choice, Queues
from landbridge.transport.touched import Touched

__all__ = ["ChainGradient", "Settled", "Slope", "chain_gradient", "settle"]

FloatArray = NDArray[np.float64]
# d flows / d hours [q, q] and the mean spread of what passes [q]: what a search needs of `Touched.slope`.
Slope = tuple[FloatArray, FloatArray]

TOLERANCE = 1e-10
MOST_EVALUATIONS = 80


@dataclass(frozen=True, eq=False)
class Settled:
    """Where the search ended: choice under the delays, loads [q], further hours and variance [q], status."""

    choice: Choice
    load: FloatArray
    delay_h: FloatArray
    delay_h2: FloatArray
    status: Status


def settle(
    choice: Choice,
    queues: Queues,
    through: tuple[csr_matrix, csr_matrix],
    demand: Callable[[FloatArray], FloatArray],
    slope: Callable[[], Slope] | None = None,
    start: FloatArray | None = None,
    tol: float = TOLERANCE,
) -> Settled:
    """Loads at which the waits they cause bring forth the same loads.

    x = load(flows(choice(h0 + W(x) - W(x_base)), demand(K(x))))

    choice: without further delay. through: `passes` of its routes. demand: expected costs [pair, sector] ->
    boxes a year [pair, sector], the economy in between. slope: of the flows near the base, to direct the
    search; by default it is taken at the first point. start: loads to start from, those of the base by
    default. tol: relative residual of the loads, in the norm of the step that is left to the solution.

    With several classes of goods the answer need not be unique; tests start it from two sides.
    Source: fixed point by Anderson's method (Walker and Ni 2011), the residual turned by (I - J)^-1.
    """
    touched = Touched(choice, through)
    first = np.maximum(queues.base_load, 0.0) if start is None else np.asarray(start, dtype=np.float64)

    def answer(load: FloatArray) -> FloatArray:
        boxes = demand(touched.cost(*queues.delay(load)))
        return queues.load(touched.flows(boxes))

    last = [first, answer(first)]
    if not np.isfinite(last[1]).all():
        told = "the economy was not solved at the first waits, so these were not sought"
        delay = queues.delay(first)
        return Settled(touched.settled(*delay), first, *delay, Status(False, 1.0, 1, told))
    turn = _turn(touched, queues, demand, last, slope)
    scale = max(1.0, float(np.linalg.norm(first)))

    def residual(load: FloatArray) -> tuple[FloatArray, bool]:
        held = np.maximum(load, 0.0)
        if load is not last[0]:
            last[:] = [load, answer(held)]
        return turn @ (last[1] - load), True

    found = anderson(residual, first, np.ones(len(first)), tol * scale, most=MOST_EVALUATIONS)
    load = np.maximum(found.u, 0.0)
    if found.u is not last[0]:
        last[:] = [found.u, answer(load)]
    delay = queues.delay(load)
    left = float(np.linalg.norm(last[1] - load)) / scale
    if found.converged:
        told = f"loads of {len(load)} queues converged"
    else:
        told = (
            f"the waits at the gateways were not found: residual {found.residual:.1e} after "
            f"{found.evaluations} evaluations; take a smaller change, or raise the capacity it lowers"
        )
    residual_of = max(found.residual / scale, left if found.converged else 0.0)
    if not np.isfinite(residual_of):
        residual_of = 1.0
    status = Status(found.converged, residual_of, found.evaluations, told)
    return Settled(touched.settled(*delay), load, *delay, status)


def _turn(
    touched: Touched,
    queues: Queues,
    demand: Callable[[FloatArray], FloatArray],
    at: list[FloatArray],
    slope: Callable[[], Slope] | None,
) -> FloatArray:
    """(I - J)^-1 with J the answer of loads to loads at given demand, near the first point."""
    load = np.maximum(at[0], 0.0)
    if np.linalg.norm(at[1] - load) <= 1e-14 * max(1.0, float(np.linalg.norm(load))):
        return np.eye(len(load))
    if slope is not None:
        flows_by_hour, spread = slope()
    else:
        boxes = demand(touched.cost(*queues.delay(load)))
        flows_by_hour, spread = touched.slope(boxes)
    # The slope of the wait where the first answer lands is that of a queue under the new traffic.
    wait, variance = queues.slopes(0.5 * (load + np.maximum(at[1], 0.0)))
    rho = float(touched.choice.classes.rho.mean())
    hours = wait + rho * variance / np.maximum(2.0 * spread, 1.0)
    flows = at[1] * queues.teu * queues.days * queues.stated * queues.factor
    J = queues.load_slope(flows) @ flows_by_hour * hours
    return np.asarray(np.linalg.inv(np.eye(len(load)) - J))


# -- the derivative ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ChainGradient:
    """d ln(outcome) by everything that the chain starts from, the waits adjusting.

    arcs: hours, money, CO2e and variance of every arc. tariff, productivity [o, d, s], [n, s]: as in
    `Gradient`. capacity [gateway]: by ln capacity, zero where none is stated. waits_settled: how far the
    linear system of the queues was solved.
    """

    arcs: ArcBars
    tariff: FloatArray
    productivity: FloatArray
    capacity: FloatArray
    waits_settled: float


def chain_gradient(result: Results, of: str) -> ChainGradient:
    """The adjoint of the whole chain, congestion included, at a solved result.

    With z = flows at the queues, z = Y(W(z), V(z), theta) and an outcome L(W, V, theta):

        dL/dtheta = L_theta + Y_theta' z_bar,   (I - J') z_bar = W' L_W + V' L_V,   J = Y_W W' + Y_V V'

    Each product with J' is one pass of `Choice.vjp` and `Equilibrium.vjp`; the base and its shares are held
    fixed. The outcome is named as in `Equilibrium.gradient`.
    Raises ConvergenceError where the waits cannot be differentiated.
    """
    choice, freight = result.choice, result.freight
    equilibrium = result.equilibrium[result.closure]
    direct = equilibrium.gradient(of)
    cost_bar = freight.cost_bar(choice.cost, direct.cost)
    queues, load = result.queues, result.load
    if queues is None or load is None or not len(queues):
        nothing = np.zeros(len(result.graph.gateways))
        return ChainGradient(
            choice.vjp(cost_bar=cost_bar), direct.tariff, direct.productivity, nothing, 0.0
        )
    pull = _Pull(result, queues, load)
    on_loads = pull.at_queues(choice.vjp(cost_bar=cost_bar))
    z_bar, left, _ = gmres(lambda z: z - pull.transposed(z), on_loads, 1e-12, most=4 * len(queues))
    if not left <= 1e-8:
        raise ConvergenceError(f"the waits could not be differentiated: residual {left:.1e}")
    arcs, economy = pull.back(z_bar, cost_bar)
    # What capacity does at given arrivals, through the hours and variance it changes.
    by_hours, by_variance = pull.delay_bars(arcs)
    on_wait, on_variance = queues.capacity_slopes(load)
    capacity = np.zeros(len(result.graph.gateways))
    np.add.at(capacity, queues.gateway, by_hours * on_wait + by_variance * on_variance)
    return ChainGradient(
        arcs,
        direct.tariff + economy.tariff,
        direct.productivity + economy.productivity + pull.productivity_bar(z_bar),
        capacity,
        left,
    )


class _Pull:
    """Cotangents on the flows at the queues, pulled back through boxes, trade and costs."""

    def __init__(self, result: Results, queues: Queues, load: FloatArray) -> None:
        self.result, self.queues = result, queues
        flows = queues.flows(result.graph, result.flow_teu)
        wait, variance = queues.slopes(load)
        slope = queues.load_slope(flows)
        self.wait_by_flow = wait[:, None] * slope
        self.variance_by_flow = variance[:, None] * slope

    def delay_bars(self, arcs: ArcBars) -> tuple[FloatArray, FloatArray]:
        """Derivatives to arcs as derivatives to the hours and variance of the queues [q]."""
        graph, queues = self.result.graph, self.queues
        hours = queues.from_gateways(graph.at_gateways_by_way(arcs.time_h))
        return hours, queues.from_gateways(graph.at_gateways_by_way(arcs.variance_h2))

    def at_queues(self, arcs: ArcBars) -> FloatArray:
        """Derivatives to arcs as derivatives to the flows that cause the waits [q]."""
        hours, variance = self.delay_bars(arcs)
        return np.asarray(self.wait_by_flow.T @ hours + self.variance_by_flow.T @ variance)

    def _values(self, z_bar: FloatArray) -> tuple[ArcBars, FloatArray]:
        """Derivatives at given demand, and to the exporters' sales at base prices [o, d, s]."""
        result = self.result
        on_arcs = result.graph.spread_over_arcs(self.queues.on_gateways(z_bar))
        arcs = result.choice.vjp(flow_bar=on_arcs, demand_teu=result.demand_teu)
        assert arcs.demand_teu is not None
        return arcs, result.freight.value_bar(arcs.demand_teu)

    def _economy(self, value_bar: FloatArray) -> Gradient:
        equilibrium = self.result.equilibrium[self.result.closure]
        price = self.result.producer_price_hat
        on_trade = value_bar / price[:, None, :]
        on_cost = -(on_trade * equilibrium.trade).sum(axis=1)
        return equilibrium.vjp(trade=on_trade, unit_cost=on_cost)

    def transposed(self, z_bar: FloatArray) -> FloatArray:
        """J' z_bar."""
        arcs, _ = self.back(z_bar, None)
        return self.at_queues(arcs)

    def back(self, z_bar: FloatArray, cost_bar: FloatArray | None) -> tuple[ArcBars, Gradient]:
        """Derivatives of z_bar . flows (and of cost_bar . K) to the arcs and to the economy's shocks."""
        result = self.result
        arcs, value_bar = self._values(z_bar)
        economy = self._economy(value_bar)
        through_trade = result.freight.cost_bar(result.choice.cost, economy.cost)
        whole = through_trade if cost_bar is None else through_trade + cost_bar
        more = result.choice.vjp(cost_bar=whole)
        return ArcBars(
            arcs.time_h + more.time_h,
            arcs.cost_usd + more.cost_usd,
            arcs.co2e_kg + more.co2e_kg,
            arcs.variance_h2 + more.variance_h2,
        ), economy

    def productivity_bar(self, z_bar: FloatArray) -> FloatArray:
        """Direct effect of ln A on sales at base prices: value = trade x A / c [n, s]."""
        _, value_bar = self._values(z_bar)
        equilibrium, price = self.result.equilibrium[self.result.closure], self.result.producer_price_hat
        return np.asarray((value_bar * equilibrium.trade / price[:, None, :]).sum(axis=1))
