"""Trade, flows and waits as one fixed point.

    waits -> route costs -> trade costs -> trade -> TEU -> loads of the queues -> waits

The unknowns are the loads of the queues, a few for each gateway with a capacity; hours and variance are
functions of them, and everything else follows. The base needs no search: its queue is part of the observed
hours (see `landbridge.transport.waiting.stations`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.errors import Status
from landbridge.io.cache import read_cached, write_cached
from landbridge.trade.fixed_point import anderson
from landbridge.transport import Choice, Queues
from landbridge.transport.choice.delayed import DelayedChoice

__all__ = ["FlowResponse", "Slope", "SolvedWaits", "kept_slope", "slope_of", "solve_waits"]

log = logging.getLogger("landbridge")

FloatArray = NDArray[np.float64]
# d flows / d hours [q, q] and the mean spread of the traffic [q], from `DelayedChoice.slope`.
Slope = tuple[FloatArray, FloatArray]

TOLERANCE = 1e-10
MOST_EVALUATIONS = 80
MOST_STEPS = 25


@dataclass(frozen=True, eq=False)
class SolvedWaits:
    """End of the search: loads [q], the further hours and variance they cause [q], status.

    load: arrivals over capacity; delay_h, delay_h2: hours and variance [h2] in addition to those of the base.
    cost [pair, sector]: expected costs under these [USD/TEU].
    """

    cost: FloatArray
    load: FloatArray
    delay_h: FloatArray
    delay_h2: FloatArray
    status: Status


class FlowResponse(Protocol):
    """Costs and flows under further hours and variance at the queues, see `DelayedChoice` and `Patched`."""

    @property
    def rho(self) -> float:
        """Mean weight of the standard deviation in the perceived hours."""
        ...

    @property
    def held(self) -> bool:
        """Whether the freight of some lost family uses another family than the cheapest."""
        ...

    def release(self) -> None:
        """Let the freight of lost families use the cheapest family again, for the next trials."""
        ...

    def cost(self, delay_h: FloatArray, delay_h2: FloatArray) -> FloatArray:
        """Expected costs [pair, sector] under further hours delay_h [q] and variance delay_h2 [q]."""
        ...

    def flows(self, demand_teu: FloatArray) -> FloatArray:
        """Loaded TEU a year in every queue [q] under the last delays; demand_teu [pair, sector]."""
        ...


def solve_waits(
    touched: FlowResponse,
    queues: Queues,
    demand: Callable[[FloatArray], FloatArray],
    slope: Callable[[FloatArray], Slope],
    start: FloatArray | None = None,
    tol: float = TOLERANCE,
) -> SolvedWaits:
    """Solve for gateway loads consistent with the waits they cause.

    x = load(flows(choice(h0 + W(x) - W(x_base)), demand(K(x))))

    touched: the choice; its last delays are those of the solution. queues: their laws; demand: expected costs
    [pair, sector], USD/TEU -> TEU a year [pair, sector], through the economy. slope: of the flows near the
    base or at this demand, to direct the search. start [q]: loads (arrivals over capacity) to start from,
    those of the base by default.
    tol: relative residual of the loads, in the norm of the step that remains to the solution. Returns
    SolvedWaits, whose status says whether they were found; nothing is raised where not.

    With several classes of goods the solution need not be unique; tests start from two sides.
    Source: flows are nearly linear in hours while hours are far from linear in flows, so each step solves
    the queues exactly against linear flows, with a slope corrected after Broyden (1965), Mathematics
    of Computation 19; where that fails, Anderson's method (Walker and Ni 2011).
    """
    first = np.maximum(queues.base_load, 0.0) if start is None else np.asarray(start, dtype=np.float64)
    scale = max(1.0, float(np.linalg.norm(first)))
    nothing = np.zeros((0, 0))
    at = _Point(first, first, nothing, nothing, tol * scale, lambda: touched.held)

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
        _step_by_step(flows, queues, boxes, by_hour, per_variance, at)

    boxes = flows(first)
    if np.isfinite(boxes).all() and at.residual > at.tol:
        search(boxes)
    if touched.held and at.residual <= at.tol:
        # Once more from here without the hold, so that the solution does not depend on the path. Where two
        # open families really cost the same, the search stalls, the hold applies again and it continues.
        touched.release()
        for _ in range(2):
            boxes = flows(at.load)
            if not np.isfinite(boxes).all() or at.residual <= at.tol:
                break
            at.evaluations, before = 0, at.evaluations
            search(boxes)
            at.evaluations += before
    if np.isfinite(boxes).all() and not at.residual <= at.tol:

        def residual(load: FloatArray) -> tuple[FloatArray, bool]:
            flows(np.maximum(load, 0.0))
            return at.answer - load, True

        begin = at.load if np.isfinite(at.answer).all() else first
        found = anderson(residual, begin, np.full(len(first), 0.3), at.tol, most=MOST_EVALUATIONS)
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
    return SolvedWaits(at.cost, at.load, *queues.delay(at.load), Status(done, left, at.evaluations, told))


def slope_of(choice: Choice, through: tuple[csr_matrix, csr_matrix], demand_teu: FloatArray) -> Slope:
    """Response of the flows at the queues to hours in a choice at given demand, see `DelayedChoice.slope`.

    choice: solved; through: by product, which routes pass which queues [route, q]; demand_teu [pair, sector]:
    TEU a year. Returns a Slope: d flow / d hour [q, q], TEU a year per h, and the mean spread of the hours
    [q], h.
    """
    touched = DelayedChoice(choice, through, every_sector=True)
    nothing = np.zeros(through[0].shape[1])
    touched.cost(nothing, nothing)
    return touched.slope(demand_teu)


def kept_slope(key: str | None, n: int, make: Callable[[], Slope]) -> Slope:
    """The slope of a base, to six digits, from the cache folder or else made and stored there.

    key: of all its inputs, from `landbridge.io.cache.fingerprint`, None for one that is made quickly; n:
    number of queues; make: as `slope_of`.
    Six digits are as good for the steps of a search, and the same whatever other routes a study has.
    """
    arrays = None if key is None else read_cached(key)
    shapes = {"by_hour": (n, n), "spread": (n,)}
    if arrays is None or {name: one.shape for name, one in arrays.items()} != shapes:
        arrays = dict(zip(shapes, map(_six_digits, make()), strict=True))
        if key is not None:
            write_cached(key, arrays)
    return arrays["by_hour"], arrays["spread"]


def _six_digits(values: FloatArray) -> FloatArray:
    rounded = [float(f"{value:.6g}") for value in values.ravel().tolist()]
    return np.array(rounded, dtype=np.float64).reshape(values.shape)


@dataclass(eq=False)
class _Point:
    """The last loads, costs and TEU of trade under their waits, and the loads that follow.

    tol: of the residual; held: whether freight of lost families stays where it is, see `FlowResponse`.
    """

    load: FloatArray
    answer: FloatArray
    cost: FloatArray
    demand: FloatArray
    tol: float
    held: Callable[[], bool]
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
) -> None:
    """Steps on flows that are linear in perceived hours, until the residual is small or stops falling.

    Where freight of lost families begins to be held the flows follow another rule: residuals before, and a
    slope learned from flows that jumped, say nothing of it.
    """

    def felt(load: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Hours and their uncertainty in hours, per queue, and their slopes."""
        hours, variance = queues.delay(load)
        steep, wider = queues.slopes(load)
        return hours + per_variance * variance, steep + per_variance * wider

    first, least, stale, was = by_hour, at.residual, 0, at.held()
    while at.residual > at.tol and at.evaluations < MOST_STEPS and stale < 4:
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
        begins, was = at.held() and not was, at.held()
        if begins:
            by_hour = first
        stale = stale + 1 if at.residual > 0.5 * least and not begins else 0
        least = at.residual if begins else min(least, at.residual)


def _linear(
    queues: Queues,
    boxes: FloatArray,
    by_hour: FloatArray,
    felt: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    load: FloatArray,
    known: FloatArray,
) -> FloatArray | None:
    """Loads at flows `boxes + by_hour (felt(load) - known)`: Newton, with shorter steps where needed."""

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
