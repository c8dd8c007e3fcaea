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

    tail, head: node of either end, 1 to nodes, one entry a link (parallel links are links of their own);
    time: free-flow time; fixed: what does not depend on flow (weighted toll and length), in the unit of time.
    first_through_node: nodes below it are zone centroids, where paths begin and end but do not pass.
    zone_names, node_names, link_names: how the file calls them, from zone and node 1; blank: by number.
    notes: what a careful reader should know of how the file was read.
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

    def __post_init__(self) -> None:
        faults = []
        ends = (self.tail, self.head)
        for a in range(len(self.tail)):
            where = self.rows[a] if self.rows else f"link {a}"
            for end, value in zip(("from", "to"), ends, strict=True):
                if not 1 <= value[a] <= self.nodes:
                    faults.append(
                        Fault(where, f"{end} node {value[a]} is not in 1 to {self.nodes}", "mend the node")
                    )
            numbers = (self.capacity[a], self.time[a], self.b[a], self.power[a], self.fixed[a])
            if not np.isfinite(numbers).all():
                faults.append(Fault(where, "holds a number that is not finite", "give finite numbers"))
                continue
            if self.capacity[a] <= 0:
                faults.append(Fault(where, f"capacity {self.capacity[a]:g} is not positive", "give > 0"))
            for what, values in (("free-flow time", self.time), ("b", self.b), ("power", self.power)):
                if values[a] < 0:
                    faults.append(Fault(where, f"{what} {values[a]:g} is negative", "give 0 or more"))
            if self.time[a] + self.fixed[a] < 0:
                faults.append(Fault(where, "costs less than 0 without traffic", "check toll and length"))
        if faults:
            raise DataError("the network cannot be used", faults)

    def zone(self, name: str) -> int:
        """Number of a zone by the name the file gives it; 0 where there is none."""
        if not self.zone_names:
            return int(name) if name.isdecimal() and 1 <= int(name) <= self.zones else 0
        return self._zone_number.get(name, 0)

    @cached_property
    def _zone_number(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.zone_names, 1)}

    def cost(self, flow: Floats) -> Floats:
        """Cost of every link at a flow [link]."""
        return np.asarray(
            self.time * (1 + self.b * (flow / self.capacity) ** self.power) + self.fixed, dtype=np.float64
        )

    def beckmann(self, flow: Floats) -> float:
        """Sum over links of the integral of cost from 0 to flow (Beckmann, McGuire and Winsten 1956)."""
        rise = self.b / (self.power + 1) * (flow / self.capacity) ** self.power
        return float(np.sum(flow * (self.time * (1 + rise) + self.fixed)))


@dataclass(frozen=True)
class Demand:
    """Trips from zone to zone: one entry a pair with trips > 0; within: trips that stay in their zone."""

    origin: Ints
    destination: Ints
    trips: Floats
    within: float = 0.0


@dataclass(frozen=True)
class Turns:
    """Penalties of passing from one link to the next: a row of links (by number from 0) and a cost each.

    cost: in the unit of time of the network; infinite where the turn is not allowed.
    """

    from_link: Ints
    to_link: Ints
    cost: Floats
