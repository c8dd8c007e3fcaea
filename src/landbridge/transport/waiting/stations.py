"""Queues at gateways with a capacity: arrivals, waits, and both derivatives.

Each direction of a gateway is a queue of its own with half the stated capacity. Arrivals are units: container
trains, trucks, or ship calls; containers not filled in one direction come back empty and add to the load. The
observed hours of the base contain the queue of the base, so only the difference from it enters a cost, and
the base itself never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.transport.graph import BLOCK, TERMS, Graph
from landbridge.transport.waiting.laws import Pair, Stations, wait_law
from landbridge.world import World
from landbridge.world.gateway_kinds import NO_QUEUE
from landbridge.world.table import Cell

__all__ = ["CAPACITY_COLUMNS", "Queues", "capacity_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# The column with the capacity of a gateway, by mode.
CAPACITY_COLUMNS: Mapping[str, str] = {
    "rail": "capacity_trains_per_day",
    "road": "capacity_trucks_per_day",
    "sea": "capacity_teu_per_day",
}
# Operations whose hours, queue included, are those of a crossing or a port call.
_OBSERVED = tuple(TERMS.index(name) for name in ("border", "port", "sailing_wait"))
# A crossing stated to take no time has a base queue of at most this [h], so that hours without their queue
# are never negative by more.
_LEAST_HOURS = 0.01
# Largest factor by which a capacity is raised.
_MOST_FACTOR = 1e12


def capacity_of(row: Mapping[str, Cell]) -> float | None:
    """The stated capacity of a gateway, both directions, in the unit of its mode; None where unknown.

    row: of the table `gateways`.
    """
    value = row[CAPACITY_COLUMNS[str(row["mode"])]]
    return None if value is None else float(value)


@dataclass(frozen=True, eq=False)
class Queues:
    """The queues of one World, one per direction of every gateway with a capacity.

    graph_gateways: number of gateways of the graph. base_wait, base_variance [q]: hours and h2 of the wait in
    the base. period_h: hours over which traffic above the capacity builds up; days: of a year.
    gateway, way [q]: number of the gateway; 0 or 1, see `Graph.govern_way`. products [q, product]: whose
    traffic is counted and waits: container trains at rail borders, containers at ports, all trucks.
    stated [q]: half the capacity of the table [units/day]. factor [q]: by which it is raised where base
    traffic of the model exceeds what could pass in the observed hours, and damping [q], the factor on the
    variance for the same reason (see `calibrated`).
    teu [q]: per unit. back [q]: units that return per unit outbound. servers, spread [q]: n and J.
    shrink [q]: hours of the crossing over those of the base, at most one; the queue keeps its part.
    laws [q]: names of the laws of waiting, see `landbridge.transport.waiting.laws`.
    base_load [q]: x of the base, or -1 where the base has no capacity and so no known queue.
    """

    graph_gateways: int
    gateway: IntArray
    way: IntArray
    products: BoolArray
    stated: FloatArray
    factor: FloatArray
    damping: FloatArray
    teu: FloatArray
    back: FloatArray
    servers: FloatArray
    spread: FloatArray
    shrink: FloatArray
    base_wait: FloatArray
    base_variance: FloatArray
    base_load: FloatArray
    period_h: float
    days: float
    laws: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.gateway)

    @property
    def rate(self) -> FloatArray:
        """Capacity in force of one direction [q], units/h."""
        return self.stated * self.factor / 24.0

    @property
    def partner(self) -> IntArray:
        """The queue of the other direction [q]."""
        return np.arange(len(self)) ^ 1

    # -- flows and loads ---------------------------------------------------------------------------

    def flows(self, graph: Graph, flow_teu: FloatArray) -> FloatArray:
        """Loaded TEU a year in every queue [q]; flow_teu [arc, product]: flows on the arcs of the graph."""
        total = graph.at_gateways_by_way(flow_teu)[self.gateway, :, self.way]
        return np.asarray((total * self.products).sum(axis=1))

    def load(self, flows: FloatArray) -> FloatArray:
        """x = arrivals over capacity [q], by loaded or returning units, whichever is larger; flows [q]."""
        return np.asarray(self._arriving(flows) / (self.teu * self.days * self.stated * self.factor))

    def units_per_day(self, flows: FloatArray) -> FloatArray:
        """Trains, trucks or ship calls a day, empty returns included [q]; flows [q]: TEU a year."""
        return np.asarray(self._arriving(flows) / (self.teu * self.days))

    def _arriving(self, flows: FloatArray) -> FloatArray:
        return np.maximum(flows, self.back * flows[self.partner])

    def load_slope(self, flows: FloatArray) -> FloatArray:
        """dx / d flows [q, q], of the branch in force; flows [q]: TEU a year."""
        n = len(self)
        own = flows >= self.back * flows[self.partner]
        slope = np.zeros((n, n))
        rows = np.arange(n)
        slope[rows, rows] = np.where(own, 1.0, 0.0)
        slope[rows, self.partner] += np.where(own, 0.0, self.back)
        return np.asarray(slope / (self.teu * self.days * self.stated * self.factor)[:, None])

    # -- hours -------------------------------------------------------------------------------------

    def _asked(self, method: Literal["value", "slopes", "rate_slopes"], load: FloatArray) -> Pair:
        """Values of the laws of all queues, before `shrink` and `damping`."""
        at = Stations(self.rate, self.servers, self.spread, self.period_h)
        names = dict.fromkeys(self.laws)
        if len(names) == 1:
            one: Pair = getattr(wait_law(*names), method)(load, at)
            return one
        out = np.zeros(len(self)), np.zeros(len(self))
        for name in names:
            mine = np.flatnonzero(np.array([law == name for law in self.laws]))
            found = getattr(wait_law(name), method)(load[mine], at.take(mine))
            for whole, part in zip(out, found, strict=True):
                whole[mine] = part
        return out

    def wait(self, load: FloatArray) -> FloatArray:
        """Mean wait in the queue at a load [q], including that of the base [h]."""
        return np.asarray(self.shrink * self._asked("value", load)[0])

    def variance(self, load: FloatArray) -> FloatArray:
        """Variance of the wait at a load [q], including that of the base [h2]."""
        return np.asarray(self.damping * self.shrink**2 * self._asked("value", load)[1])

    def delay(self, load: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Changes of the hours and the variance of the tables, negative where traffic fell [q]; load [q]."""
        return (
            self.wait(load) - self.shrink * self.base_wait,
            self.variance(load) - self.shrink**2 * self.base_variance,
        )

    def slopes(self, load: FloatArray) -> Pair:
        """dW/dx and dV/dx [q] at a load [q]."""
        wait, variance = self._asked("slopes", load)
        return np.asarray(self.shrink * wait), np.asarray(self.damping * self.shrink**2 * variance)

    def capacity_slopes(self, load: FloatArray) -> Pair:
        """dW/d ln Q [h] and dV/d ln Q [h2], both [q], at constant arrivals: the load x falls as Q grows.

        load [q]: arrivals over capacity.
        """
        wait, variance = self._asked("rate_slopes", load)
        on_wait, on_variance = self.slopes(load)
        return (
            np.asarray(self.shrink * wait - load * on_wait),
            np.asarray(self.damping * self.shrink**2 * variance - load * on_variance),
        )

    # -- making them -------------------------------------------------------------------------------

    @staticmethod
    def of(world: World, graph: Graph) -> Queues:
        """The queues of a World before they are calibrated to the flows of a base (see `calibrated`).

        world: its gateways and parameters; graph: compiled from it.
        """
        table = world.network["gateways"].by("gateway_id")
        service = _service_hours(world, graph)
        rows: list[tuple[Any, ...]] = []
        laws: list[str] = []
        cv = {"rail": world.parameter("cv_border"), "road": world.parameter("cv_border")}
        kinds = {
            "rail": (world.parameter("teu_per_train"), world.parameter("return_ratio_empty"), (True, False)),
            "road": (world.parameter("teu_per_truck"), world.parameter("return_ratio_truck"), (True, True)),
            "sea": (world.parameter("teu_per_call"), world.parameter("return_ratio_empty"), (True, False)),
        }
        for j, name in enumerate(graph.gateways):
            capacity = capacity_of(table[name]) if name in table else None
            law = world.gateway_kinds.wait_law(table[name]) if capacity is not None else NO_QUEUE
            if capacity is None or law == NO_QUEUE:
                continue
            mode = str(table[name]["mode"])
            unit_of, back_of, products = kinds[mode]
            half_of = 0.5 * capacity / (unit_of if mode == "sea" else 1.0)
            spread_of = 0.5 * (
                world.parameter("queue_cv_arrival") ** 2 + cv.get(mode, world.parameter("cv_port")) ** 2
            )
            at_once = max(1.0, half_of / 24.0 * service[j])
            for way in (0, 1):
                rows.append((j, way, products, half_of, unit_of, back_of, at_once, spread_of))
                laws.append(law)
        n = len(rows)
        numbers = np.array([row[3:] for row in rows], dtype=float).reshape(n, 5).T
        half, unit, back, servers, spread = (np.ascontiguousarray(column) for column in numbers)
        return Queues(
            graph_gateways=len(graph.gateways),
            gateway=np.array([row[0] for row in rows], dtype=np.int64),
            way=np.array([row[1] for row in rows], dtype=np.int64),
            products=np.array([row[2] for row in rows], dtype=bool).reshape(n, 2),
            stated=half,
            factor=np.ones(n),
            damping=np.ones(n),
            teu=unit,
            back=back,
            servers=servers,
            spread=spread,
            shrink=np.ones(n),
            base_wait=np.zeros(n),
            base_variance=np.zeros(n),
            base_load=np.full(n, -1.0),
            period_h=world.parameter("queue_period_h"),
            days=world.parameter("days_per_year"),
            laws=tuple(laws),
        )

    def calibrated(self, graph: Graph, flow_teu: FloatArray) -> Queues:
        """The same with the queue of the base, so that service + queue are the observed hours.

        service_j = observed_j - W_j(f_base)

        graph, flow_teu [arc, product]: of the base. Where base traffic of the model at a gateway is so large
        that the queue alone would be longer than the observed crossing, the capacity and the flow contradict
        each other: the capacity is raised, in both directions alike, by the least factor that ends the
        contradiction, and later changes of capacity are taken in proportion. Where only the variance of the
        queue exceeds that of the whole crossing, it is scaled down to it.
        """
        if not len(self):
            return self
        flows = self.flows(graph, flow_teu)
        hours, variance = _observed(graph, self)
        factor = np.ones(len(self))
        for q in range(0, len(self), 2):
            factor[[q, q + 1]] = max(
                self._least_factor(
                    k, flows, max(hours[k], _LEAST_HOURS), graph.gateways[int(self.gateway[k])]
                )
                for k in (q, q + 1)
            )
        raised = replace(self, factor=factor)
        load = raised.load(flows)
        whole = raised.variance(load)
        damping = np.where(whole > variance, variance / np.where(whole > 0.0, whole, 1.0), 1.0)
        damped = replace(raised, damping=damping)
        return replace(
            damped, base_load=load, base_wait=damped.wait(load), base_variance=damped.variance(load)
        )

    def _least_factor(self, q: int, flows: FloatArray, hours: float, name: str) -> float:
        """The least factor on the capacity of a queue at which its wait fits into its crossing.

        Raises DataError where none does.
        """

        def fits(factor: float) -> bool:
            tried = replace(self, factor=np.full(len(self), factor))
            return bool(tried.wait(tried.load(flows))[q] <= hours)

        if fits(1.0):
            return 1.0
        low, high = 1.0, 2.0
        while not fits(high):
            low, high = high, 2.0 * high
            if high > _MOST_FACTOR:
                what = "no capacity brings its wait down to the hours of its crossing"
                cure = "check its capacity and hours, and the parameters of queues (teu_per_train ...)"
                raise DataError("a queue has no end", [Fault(f"gateways.csv ({name})", what, cure)])
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if fits(middle) else (middle, high)
        return high

    def under(self, base: Graph, world: World, graph: Graph) -> Queues:
        """These queues after a change of capacities and hours; self: the calibrated ones of the base.

        base, world, graph: graph of the base, and the changed World with its graph. A gateway with a capacity
        only after the change had no known queue: its whole queue is new. A change that shortens the hours of
        a crossing shortens its queue in proportion, at given traffic; one that lengthens them leaves the
        queue unchanged.
        """
        new = Queues.of(world, graph)
        if not len(new):
            return new
        old = {(int(j), int(w)): q for q, (j, w) in enumerate(zip(self.gateway, self.way, strict=True))}
        at = np.array(
            [old.get((int(j), int(w)), -1) for j, w in zip(new.gateway, new.way, strict=True)], dtype=np.int64
        )
        known = at >= 0
        was, _ = _observed(base, new)
        now, _ = _observed(graph, new)
        shrink = np.where((was > 0.0) & (now < was), now / np.where(was > 0.0, was, 1.0), 1.0)

        def kept(values: FloatArray, other: FloatArray) -> FloatArray:
            return np.where(known, values[at] if len(values) else other, other)

        return replace(
            new,
            factor=kept(self.factor, new.factor),
            damping=kept(self.damping, new.damping),
            # The number of servers does not change with capacity: the exponent stays, so that more capacity
            # never lengthens a queue.
            servers=kept(self.servers, new.servers),
            shrink=shrink,
            base_wait=kept(self.base_wait, np.zeros(len(new))),
            base_variance=kept(self.base_variance, np.zeros(len(new))),
            base_load=kept(self.base_load, np.full(len(new), -1.0)),
        )

    # -- where they stand --------------------------------------------------------------------------

    def on_gateways(self, values: FloatArray) -> FloatArray:
        """Numbers of queues as those of gateways, the form of `Graph.with_queue`.

        values [q] -> [gateway, product, way].
        """
        out = np.zeros((self.graph_gateways, 2, 2))
        for product in (0, 1):
            here = self.products[:, product]
            out[self.gateway[here], product, self.way[here]] = values[here]
        return out

    def from_gateways(self, values: FloatArray) -> FloatArray:
        """The transpose of `on_gateways`; values [gateway, product, way] -> [q]."""
        return np.asarray((values[self.gateway, :, self.way] * self.products).sum(axis=1))


def _observed(graph: Graph, queues: Queues) -> tuple[FloatArray, FloatArray]:
    """Hours and variance of the crossing or call in the direction of every queue [q], without a queue.

    Those of container trains at rail borders and ports, of trucks on the road; the least of the arcs that the
    gateway governs, if there are several.
    """
    here = np.isin(graph.term_kind, _OBSERVED)
    counted = graph.govern_counted
    arcs, gateways, ways = graph.govern_arc[counted], graph.govern_gateway[counted], graph.govern_way[counted]
    found = []
    for values in (graph.term_time_h, graph.term_variance_h2):
        on_arc = np.bincount(graph.term_arc[here], weights=values[here, BLOCK], minlength=graph.n_arcs)
        least = np.full((len(graph.gateways), 2), np.inf)
        np.minimum.at(least, (gateways, ways), on_arc[arcs])
        of = least[queues.gateway, queues.way]
        found.append(np.where(np.isfinite(of), of, 0.0))
    return found[0], found[1]


def _service_hours(world: World, graph: Graph) -> FloatArray:
    """Hours of the operation that sets the capacity, per unit [gateway].

    The change of gauge of a container train, the call of a ship; none is known for a truck. With the capacity
    this gives how many are served at a time (Little's law).
    """
    number = {name: j for j, name in enumerate(graph.gateways)}
    hours = np.zeros(len(number))
    for table, key, column in (
        ("gauge_changes", "gateway_id", "time_block_h"),
        ("ports", "gateway_id", "dwell_h"),
    ):
        for row in world.network[table]:
            j = number.get(str(row[key]))
            if j is not None:
                hours[j] = max(hours[j], float(row[column] or 0.0))
    return hours
