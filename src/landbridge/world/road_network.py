"""A network for traffic assignment: links whose cost rises with flow, and demand between zones."""

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

    tail, head [link]: node at each end, 1 to nodes (parallel links are separate links). time [link]:
    free-flow time; b, power [link]; capacity [link], in the unit of the trips; fixed [link]: cost that does
    not depend on flow (weighted toll and length), in the unit of time. first_through_node: nodes below it are
    zone centroids, where paths begin and end but do not pass. Zones are the nodes 1 to zones. name: of the
    network; rows: place of each link in its file, for faults. zone_names, node_names, link_names: names in
    the file, from zone and node 1; blank: by number. notes: what to know about how the file was read.
    left_out: names of links not used (closed, or not open to the use asked for). connectors: number of links
    at the end that are not in the file; they join a zone to each of its nodes at no cost. Raises DataError
    that lists every link whose numbers give no valid cost.
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
                        Fault(where, f"{end} node {value} is not in 1 to {self.nodes}", "correct the node")
                    )
            if not np.isfinite(numbers[a]).all():
                faults.append(Fault(where, "holds a number that is not finite", "give finite numbers"))
                continue
            capacity, time, b, power, length, _, fixed = numbers[a]
            if capacity <= 0:
                cure = "give more than 0, or delete the link if it is closed"
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
        """Faults of sizes and numbers of nodes, which later code relies on."""
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
        """Number of a zone, from 1, by its name in the file; 0 where there is none."""
        if not self.zone_names:
            return int(name) if name.isdecimal() and 1 <= int(name) <= self.zones else 0
        return self._zone_number.get(name, 0)

    def zone_name(self, number: int) -> str:
        """Name of a zone in the file, by its number from 1."""
        return self.zone_names[number - 1] if self.zone_names else str(number)

    @cached_property
    def _zone_number(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.zone_names, 1)}

    @cached_property
    def _exponent(self) -> Floats:
        """The power, 0 where b is 0, so that a link without congestion does not overflow."""
        return np.where(self.b > 0, self.power, 0.0)

    def cost(self, flow: Floats) -> Floats:
        """Cost of every link [link], in the unit of time, at a flow [link]; infinite where it overflows."""
        with np.errstate(over="ignore"):
            rise = self.b * (flow / self.capacity) ** self._exponent
            return np.asarray(self.time * (1 + rise) + self.fixed, dtype=np.float64)

    def slope(self, flow: Floats) -> Floats:
        """Derivative of each link's cost by its own flow [link], at a flow [link].

        time b power / capacity (flow / capacity)^(power - 1), with flow at least 1e-9 of the capacity: for a
        power below 1 the derivative at zero flow is infinite.
        """
        load = np.maximum(flow / self.capacity, 1e-9)
        with np.errstate(over="ignore"):
            steep = load ** np.where(self.b > 0, self.power - 1, 0.0)
            return np.asarray(self.time * self.b * self.power / self.capacity * steep, dtype=np.float64)

    def beckmann(self, flow: Floats) -> float:
        """Beckmann's objective at a flow [link]: sum of the integrals of link cost from 0 to the flow.

        sum_a v_a (t_a (1 + b_a / (power_a + 1) (v_a / capacity_a)^power_a) + fixed_a)

        Source: Beckmann, McGuire and Winsten (1956).
        """
        rise = self.b / (self.power + 1) * (flow / self.capacity) ** self._exponent
        return float(np.sum(flow * (self.time * (1 + rise) + self.fixed)))


@dataclass(frozen=True)
class Demand:
    """Trips from zone to zone, one entry per pair with trips > 0.

    origin, destination [pair]: zones by number from 1; trips [pair]: in the unit of the capacities (GMNS: per
    hour); within: trips that stay in their zone; notes: what to know about how the file was read.
    """

    origin: Ints
    destination: Ints
    trips: Floats
    within: float = 0.0
    notes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Turns:
    """Penalties of turns from one link to the next: pairs of links (by number from 0) and a cost each.

    from_link, to_link [turn]: numbers of links. cost: in the unit of time of the network, infinite for a
    forbidden turn; notes: as of `Demand`.
    """

    from_link: Ints
    to_link: Ints
    cost: Floats
    notes: tuple[str, ...] = field(default=(), repr=False)
