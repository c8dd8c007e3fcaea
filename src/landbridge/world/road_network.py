"""A network to assign a demand on: links with a cost that rises with flow, and a demand between zones."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault

__all__ = ["Demand", "Network", "Turns"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """Links with BPR costs: cost_a(v) = t_a (1 + b_a (v / capacity_a)^power_a) + fixed_a.

    Source: Bureau of Public Roads (1964), Traffic Assignment Manual, for the form of the cost.

    tail, head: node of either end, 1 to nodes, one entry a link (parallel links are links of their own);
    time: free-flow time; fixed: what does not depend on flow (weighted toll and length), in the unit of time.
    first_through_node: nodes below it are zone centroids, where paths begin and end but do not pass.
    zone_names, node_names, link_names: how the file calls them, from zone and node 1; blank: by number.
    notes: what a careful reader should know of how the file was read; left_out: names of its links that are
    not here (closed, or not open to the use asked for). connectors: so many links at the end are not of the
    file: they join a zone that has several nodes to each of them, and cost nothing.
    All arrays have one entry a link. Zones are the nodes 1 to zones.
    Raises DataError with every link whose numbers no cost can be made of.
    """

    nodes: int
    zones: int
    tail: Ints
    head: Ints
    capacity: Floats
    time: Floats
    b: Floats
    power: Floats
    length: Floats
    toll: Floats
    fixed: Floats
    first_through_node: int = 1
    name: str = ""
    rows: tuple[str, ...] = field(default=(), repr=False)
    zone_names: tuple[str, ...] = field(default=(), repr=False)
    node_names: tuple[str, ...] = field(default=(), repr=False)
    link_names: tuple[str, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = field(default=(), repr=False)
    left_out: frozenset[str] = field(default=frozenset(), repr=False)
    connectors: int = 0

    def __post_init__(self) -> None:
        faults = self._shape()
        if faults:
            raise DataError("the network cannot be used", faults)
        numbers = np.column_stack(
            (self.capacity, self.time, self.b, self.power, self.length, self.toll, self.fixed)
        )
        for a in self._suspect(numbers):
            where = self.rows[a] if self.rows else f"link {a}"
            for end, value in (("from", self.tail[a]), ("to", self.head[a])):
                if not 1 <= value <= self.nodes:
                    faults.append(
                        Fault(where, f"{end} node {value} is not in 1 to {self.nodes}", "mend the node")
                    )
            if not np.isfinite(numbers[a]).all():
                faults.append(Fault(where, "holds a number that is not finite", "give finite numbers"))
                continue
            capacity, time, b, power, length, _, fixed = numbers[a]
            if capacity <= 0:
                cure = "give more than 0, or delete the link where it is shut"
                faults.append(Fault(where, f"capacity {capacity:g} is not positive", cure))
            named = (("free-flow time", time), ("b", b), ("power", power), ("length", length))
            for what, value in named:
                if value < 0:
                    faults.append(Fault(where, f"{what} {value:g} is negative", "give 0 or more"))
            if time >= 0 and time + fixed < 0:
                what = f"costs {time + fixed:g}, less than 0, without traffic"
                faults.append(Fault(where, what, "check toll, length and their weights"))
        if faults:
            raise DataError("the network cannot be used", faults)

    def _suspect(self, numbers: Floats) -> list[int]:
        """The links that have a fault."""
        ends = np.column_stack((self.tail, self.head))
        with np.errstate(invalid="ignore", over="ignore"):
            bad = ((ends < 1) | (ends > self.nodes)).any(axis=1) | ~np.isfinite(numbers).all(axis=1)
            bad |= (self.capacity <= 0) | (numbers[:, 1:5] < 0).any(axis=1) | (self.time + self.fixed < 0)
        return [int(a) for a in np.flatnonzero(bad)]

    def _shape(self) -> list[Fault]:
        """Faults of the whole: later code takes sizes and numbers of nodes for granted."""
        where = self.name or "network"
        faults = []
        if not 1 <= self.zones <= self.nodes:
            what = f"has {self.zones} zones and {self.nodes} nodes"
            faults.append(Fault(where, what, "a zone is a node: give 1 to the number of nodes"))
        if self.first_through_node < 1:
            what = f"first_through_node is {self.first_through_node}"
            faults.append(
                Fault(where, what, "give the first node that is no centroid, 1 where all are passed")
            )
        size = len(self.tail)
        for column in ("head", "capacity", "time", "b", "power", "length", "toll", "fixed"):
            if len(getattr(self, column)) != size:
                what = f"{column} has {len(getattr(self, column))} entries, tail {size}"
                faults.append(Fault(where, what, "give one entry a link"))
        named = (("rows", size), ("link_names", size), ("zone_names", self.zones), ("node_names", self.nodes))
        for column, wanted in named:
            if len(getattr(self, column)) not in (0, wanted):
                what = f"{column} has {len(getattr(self, column))} entries"
                faults.append(Fault(where, what, f"give {wanted}, or none"))
        return faults

    def zone(self, name: str) -> int:
        """Number of a zone by the name the file gives it; 0 where there is none."""
        if not self.zone_names:
            return int(name) if name.isdecimal() and 1 <= int(name) <= self.zones else 0
        return self._zone_number.get(name, 0)

    def zone_name(self, number: int) -> str:
        """What the file calls a zone, by its number from 1."""
        return self.zone_names[number - 1] if self.zone_names else str(number)

    @cached_property
    def _zone_number(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.zone_names, 1)}

    @cached_property
    def _exponent(self) -> Floats:
        """The power, 0 where b is 0: a link without congestion must not overflow for its power."""
        return np.where(self.b > 0, self.power, 0.0)

    def cost(self, flow: Floats) -> Floats:
        """Cost of every link at a flow [link]; infinite where the number is too great."""
        with np.errstate(over="ignore"):
            rise = self.b * (flow / self.capacity) ** self._exponent
            return np.asarray(self.time * (1 + rise) + self.fixed, dtype=np.float64)

    def slope(self, flow: Floats) -> Floats:
        """Derivative of the cost of every link by its own flow [link].

        time b power / capacity (flow / capacity)^(power - 1), at 1e-9 of the capacity or more: below power 1
        it is infinite without flow.
        """
        load = np.maximum(flow / self.capacity, 1e-9)
        with np.errstate(over="ignore"):
            steep = load ** np.where(self.b > 0, self.power - 1, 0.0)
            return np.asarray(self.time * self.b * self.power / self.capacity * steep, dtype=np.float64)

    def beckmann(self, flow: Floats) -> float:
        """Sum over links of the integral of cost from 0 to flow (Beckmann, McGuire and Winsten 1956).

        sum_a v_a (t_a (1 + b_a / (power_a + 1) (v_a / capacity_a)^power_a) + fixed_a)
        """
        rise = self.b / (self.power + 1) * (flow / self.capacity) ** self._exponent
        return float(np.sum(flow * (self.time * (1 + rise) + self.fixed)))


@dataclass(frozen=True)
class Demand:
    """Trips from zone to zone: one entry a pair with trips > 0; within: trips that stay in their zone.

    origin, destination: zones by number from 1; trips: in the unit of the capacities (GMNS: by hour). notes:
    what a careful reader should know of how the file was read.
    """

    origin: Ints
    destination: Ints
    trips: Floats
    within: float = 0.0
    notes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Turns:
    """Penalties of passing from one link to the next: a row of links (by number from 0) and a cost each.

    cost: in the unit of time of the network; infinite where the turn is not allowed. notes: as of `Demand`.
    """

    from_link: Ints
    to_link: Ints
    cost: Floats
    notes: tuple[str, ...] = field(default=(), repr=False)
