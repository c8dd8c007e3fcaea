"""Trade, flows and waits as one fixed point, and its derivative.

    waits -> route costs -> trade costs -> trade -> boxes -> loads of the queues -> waits

The unknowns are the loads of the queues, of which hours and variance are functions: a few for each
gateway with a capacity. Everything else follows from them. The base needs no search: there the queue is
part of the observed hours (see `landbridge.transport.queues`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.errors import ConvergenceError, Status
from landbridge.results import Results
from landbridge.trade import Gradient
from landbridge.trade.fixed_point import anderson, gmres
from landbridge.transit import carriage_bars
from landbridge.transport import ArcBars, Choice, Queues
from landbridge.transport.touched import Touched, passes

__all__ = ["ChainGradient", "FlowResponse", "Settled", "Slope", "chain_gradient", "settle", "slope_of"]

log = logging.getLogger("landbridge")

FloatArray = NDArray[np.float64]
# d flows / d hours [q, q] and the mean spread of what passes [q]: what a search needs of `Touched.slope`.
Slope = tuple[FloatArray, FloatArray]

TOLERANCE = 1e-10
MOST_EVALUATIONS = 80
MOST_STEPS = 25


@dataclass(frozen=True, eq=False)
class Settled:
    """Where the search ended: loads [q], the further hours and variance they cause [q], status.

    cost [pair, sector]: expected, under these.
    """

    cost: FloatArray
    load: FloatArray
    delay_h: FloatArray
    delay_h2: FloatArray
    status: Status


class FlowResponse(Protocol):
    """Costs and flows under further hours and variance at the queues, see `Touched` and `Patched`."""

    @property
    def rho(self) -> float:
        """Mean weight of the standard deviation in the felt hours."""
        ...

    @property
    def held(self) -> bool:
        """Whether what some lost family ships rides on another family than the cheapest."""
        ...

    def release(self) -> None:
        """Let what lost families ship ride on the cheapest again, for the next trials."""
        ...

    def cost(self, delay_h: FloatArray, delay_h2: FloatArray) -> FloatArray:
        """Expected costs [pair, sector]."""
        ...

    def flows(self, demand_teu: FloatArray) -> FloatArray:
        """Loaded boxes in every queue [q] under the delays given last."""
        ...


def settle(
    touched: FlowResponse,
    queues: Queues,
    demand: Callable[[FloatArray], FloatArray],
    slope: Callable[[FloatArray], Slope],
    start: FloatArray | None = None,
    tol: float = TOLERANCE,
) -> Settled:
    """Loads at which the waits they cause bring forth the same loads.

    x = load(flows(choice(h0 + W(x) - W(x_base)), demand(K(x))))

    touched: the choice, of which the last delays asked for are those of the answer. demand: expected costs
    [pair, sector] -> boxes a year [pair, sector], the economy in between. slope: of the flows near the base
    or at this demand, to direct the search. start: loads to start from, those of the base by default.
    tol: relative residual of the loads, in the norm of the step that is left to the solution.

    With several classes of goods the answer need not be unique; tests start it from two sides.
    Source: flows are nearly linear in hours while hours are far from linear in flows, so each step solves
    the queues exactly against flows that are linear, their slope corrected after Broyden (1965), Mathematics
    of Computation 19; where that fails, Anderson's method (Walker and Ni 2011).
    """
    first = np.maximum(queues.base_load, 0.0) if start is None else np.asarray(start, dtype=np.float64)
    scale = max(1.0, float(np.linalg.norm(first)))
    nothing = np.zeros((0, 0))
    at = _Point(first, first, nothing, nothing)

    def flows(load: FloatArray) -> FloatArray:
        at.cost = touched.cost(*queues.delay(load))
        at.demand = demand(at.cost)
        found = touched.flows(at.demand)
        at.load, at.answer = load, queues.load(found)
        at.evaluations += 1
        return found

    def search(boxes: FloatArray) -> None:
        by_hour, spread = slope(at.demand)
        per_variance = touched.rho * 0.5 / np.maximum(spread, 1.0)
        _step_by_step(flows, queues, boxes, by_hour, per_variance, at, tol * scale)

    boxes = flows(first)
    if np.isfinite(boxes).all() and at.residual > tol * scale:
        search(boxes)
    if touched.held and at.residual <= tol * scale:
        # Once more from here without the hold, so that the answer does not hang on the way to it. Where two
        # families left really cost the same, the search stalls, the hold takes effect again and it goes on.
        touched.release()
        for _ in range(2):
            boxes = flows(at.load)
            if not np.isfinite(boxes).all() or at.residual <= tol * scale:
                break
            at.evaluations, before = 0, at.evaluations
            search(boxes)
            at.evaluations += before
    if np.isfinite(boxes).all() and not at.residual <= tol * scale:

        def residual(load: FloatArray) -> tuple[FloatArray, bool]:
            flows(np.maximum(load, 0.0))
            return at.answer - load, True

        begin = at.load if np.isfinite(at.answer).all() else first
        found = anderson(residual, begin, np.full(len(first), 0.3), tol * scale, most=MOST_EVALUATIONS)
        flows(np.maximum(found.u, 0.0))
    left = at.residual / scale if np.isfinite(at.residual) else 1.0
    done = left <= tol
    if done:
        told = f"waits of {len(first)} queues found in {at.evaluations} evaluations"
    else:
        told = (
            f"the waits at the gateways were not found: residual {left:.1e} is above {tol:.1e} after "
            f"{at.evaluations} evaluations; take a smaller change, or raise the capacity that it lowers"
        )
    return Settled(at.cost, at.load, *queues.delay(at.load), Status(done, left, at.evaluations, told))


def slope_of(choice: Choice, through: tuple[csr_matrix, csr_matrix], demand_teu: FloatArray) -> Slope:
    """How the flows at the queues answer to hours in a choice at given demand, see `Touched.slope`."""
    touched = Touched(choice, through, every_sector=True)
    nothing = np.zeros(through[0].shape[1])
    touched.cost(nothing, nothing)
    return touched.slope(demand_teu)


@dataclass(eq=False)
class _Point:
    """The loads looked at last, costs and boxes of trade under their waits, the loads these bring forth."""

    load: FloatArray
    answer: FloatArray
    cost: FloatArray
    demand: FloatArray
    evaluations: int = 0

    @property
    def residual(self) -> float:
        return float(np.linalg.norm(self.answer - self.load))


def _step_by_step(
    flows: Callable[[FloatArray], FloatArray],
    queues: Queues,
    boxes: FloatArray,
    by_hour: FloatArray,
    per_variance: FloatArray,
    at: _Point,
    tol: float,
) -> None:
    """Steps on flows that are linear in felt hours, until the residual is small or stops falling."""

    def felt(load: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Hours and their uncertainty in hours, per queue, and their slopes."""
        hours, variance = queues.delay(load)
        steep, wider = queues.slopes(load)
        return hours + per_variance * variance, steep + per_variance * wider

    least, stale = at.residual, 0
    while at.residual > tol and at.evaluations < MOST_STEPS and stale < 4:
        load, known = at.load, felt(at.load)[0]
        new = _linear(queues, boxes, by_hour, felt, load, known)
        if new is None:
            return
        before, boxes = boxes, flows(new)
        if not np.isfinite(boxes).all():
            return
        change = felt(new)[0] - known
        size = float(change @ change)
        if size > 0.0:
            by_hour = by_hour + np.outer(boxes - before - by_hour @ change, change) / size
        stale = stale + 1 if at.residual > 0.5 * least else 0
        least = min(least, at.residual)


def _linear(
    queues: Queues,
    boxes: FloatArray,
    by_hour: FloatArray,
    felt: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    load: FloatArray,
    known: FloatArray,
) -> FloatArray | None:
    """Loads that agree with flows boxes + by_hour (felt(load) - known): Newton, shortened where needed."""

    def gap(tried: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        hours, steep = felt(tried)
        linear = boxes + by_hour @ (hours - known)
        return queues.load(np.maximum(linear, 0.0)) - tried, linear, steep

    x = load
    away, linear, steep = gap(x)
    for _ in range(60):
        size = float(np.linalg.norm(away))
        if size <= 1e-13:
            break
        slope = queues.load_slope(np.maximum(linear, 0.0)) * (linear > 0.0)
        step = np.linalg.solve(np.eye(len(x)) - slope @ by_hour * steep, away)
        share = 1.0
        while True:
            new = np.maximum(x + share * step, 0.0)
            tried = gap(new)
            if np.linalg.norm(tried[0]) < size or share < 1e-6:
                break
            share *= 0.5
        if share < 1e-6:
            break
        x, (away, linear, steep) = new, tried
    return x if np.isfinite(x).all() else None


# -- the derivative ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ChainGradient:
    """d ln(outcome) by everything that the chain starts from, the waits adjusting.

    arcs: hours, money, CO2e and variance of every arc; held: the same with the waits held. tariff [o, d, s],
    productivity [n, s]: as in `Gradient`. capacity [gateway]: by ln capacity, zero where none is stated.
    waits_settled: how far the linear system of the queues was solved.
    """

    arcs: ArcBars
    held: ArcBars
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
    paid = _through_payments(result, direct)
    held = _sum(choice.vjp(cost_bar=cost_bar), paid)
    queues, load = result.queues, result.load
    if queues is None or load is None or not len(queues):
        nothing = np.zeros(len(result.graph.gateways))
        return ChainGradient(held, held, direct.tariff, direct.productivity, nothing, 0.0)
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
    # What capacity does at given arrivals, through the hours and variance it changes.
    by_hours, by_variance = pull.delay_bars(arcs)
    on_wait, on_variance = queues.capacity_slopes(load)
    capacity = np.zeros(len(result.graph.gateways))
    np.add.at(capacity, queues.gateway, by_hours * on_wait + by_variance * on_variance)
    return ChainGradient(
        arcs,
        held,
        direct.tariff + economy.tariff,
        direct.productivity + economy.productivity + pull.productivity_bar(z_bar),
        capacity,
        left,
    )


def _through_payments(result: Results, gradient: Gradient) -> ArcBars | None:
    """Derivatives to the arcs through what carriers are paid; None where nobody is paid."""
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
    )


def _sum(one: ArcBars, two: ArcBars | None) -> ArcBars:
    if two is None:
        return one
    apart = dict.fromkeys((*one.cost_by_term, *two.cost_by_term))
    return ArcBars(
        one.time_h + two.time_h,
        one.cost_usd + two.cost_usd,
        one.co2e_kg + two.co2e_kg,
        one.variance_h2 + two.variance_h2,
        cost_by_term={term: one.cost_of(term) + two.cost_of(term) for term in apart},
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

    def turn(self) -> FloatArray:
        """(I - J')^-1 with J at given demand, by which the linear system is turned."""
        result, queues = self.result, self.queues
        through = passes(result.choice.base.routes, result.graph, queues)
        by_hour, spread = slope_of(result.choice, through, result.demand_teu)
        per_variance = float(result.choice.classes.rho.mean()) * 0.5 / np.maximum(spread, 1.0)
        J = by_hour @ (self.wait_by_flow + per_variance[:, None] * self.variance_by_flow)
        return np.asarray(np.linalg.inv(np.eye(len(queues)) - J.T))

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
        """Derivatives of z_bar . flows (and of cost_bar . K) to the arcs and to the economy's shocks."""
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
