"""Turn penalties: nodes with a penalty are expanded into one node per link that ends or begins there.

Source: node expansion as in Caldwell (1961) and Kirby and Potts (1969): a turn becomes an arc.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.world.road_network import Network, Turns

__all__ = ["expand"]


def expand(network: Network, turns: Turns) -> Network:
    """A network in which a turn is an arc of fixed cost; its first links are those of the network, in order.

    network: the links; turns: penalties, in the unit of time. Only nodes with a penalty are expanded. Where
    one is a zone, its old number stays the place where trips begin and end, and paths no longer pass through
    it. Method: docs/theory/assignment.md. Raises DataError with every row that is not a turn.
    """
    penalty = _penalties(network, turns)
    opening = _Opening(network.nodes, network.tail.copy(), network.head.copy(), [])
    opened = sorted({int(network.head[a]) for a, _ in penalty})
    for node in opened:
        opening.open(network, node, penalty)
    through = network.first_through_node
    if any(node <= network.zones for node in opened):
        # Numbers of zones are those of the demand: a zone that paths pass gets a second node for that.
        for node in range(network.first_through_node, network.zones + 1):
            if node not in opened:
                opening.double(node)
        through = max(network.zones + 1, network.first_through_node)
    arcs = opening.arcs
    more = len(arcs)
    none, one = np.zeros(more), np.ones(more)
    return Network(
        nodes=opening.nodes,
        zones=network.zones,
        tail=np.append(opening.tail, np.array([tail for tail, _, _ in arcs], np.int64)),
        head=np.append(opening.head, np.array([head for _, head, _ in arcs], np.int64)),
        capacity=np.append(network.capacity, one),
        time=np.append(network.time, none),
        b=np.append(network.b, none),
        power=np.append(network.power, none),
        length=np.append(network.length, none),
        toll=np.append(network.toll, none),
        fixed=np.append(network.fixed, np.array([cost for _, _, cost in arcs], np.float64)),
        first_through_node=through,
        name=network.name,
        rows=(*network.rows, *(f"turn arc {n}" for n in range(more))) if network.rows else (),
        zone_names=network.zone_names,
    )


def _penalties(network: Network, turns: Turns) -> dict[tuple[int, int], float]:
    """Cost by pair of links. Raises DataError with every row that is no turn."""
    links = len(network.tail)
    faults = []
    penalty: dict[tuple[int, int], float] = {}
    for row, (a, b, cost) in enumerate(zip(turns.from_link, turns.to_link, turns.cost, strict=True)):
        where = f"turn {row}"
        if not (0 <= a < links and 0 <= b < links):
            faults.append(Fault(where, f"links {a} and {b} are not in 0 to {links - 1}", "correct the link"))
        elif network.head[a] != network.tail[b]:
            faults.append(
                Fault(where, f"link {b} does not begin where link {a} ends", "give links that meet")
            )
        elif not cost >= 0:
            faults.append(Fault(where, f"costs {cost:g}", "0 or more, inf where it is not allowed"))
        elif (int(a), int(b)) in penalty:
            faults.append(Fault(where, f"names links {a} and {b} again", "keep one"))
        else:
            penalty[int(a), int(b)] = float(cost)
    if faults:
        raise DataError("the turns cannot be used", faults)
    return penalty


@dataclass
class _Opening:
    """A network while nodes are expanded: number of nodes, ends of links, arcs added (from, to, cost)."""

    nodes: int
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    arcs: list[tuple[int, int, float]]

    def open(self, network: Network, node: int, penalty: Mapping[tuple[int, int], float]) -> None:
        """One node for every link that ends or begins at a node, and an arc for every turn allowed there."""
        ends, starts = np.flatnonzero(network.head == node), np.flatnonzero(network.tail == node)
        first = self.nodes + 1
        self.nodes += len(ends) + len(starts)
        self.head[ends] = np.arange(first, first + len(ends))
        self.tail[starts] = np.arange(first + len(ends), self.nodes + 1)
        # A centroid stays the end of paths, so no turn is at it.
        passed = node >= network.first_through_node
        for a, b in product(ends, starts) if passed else ():
            cost = penalty.get((int(a), int(b)), 0.0)
            if np.isfinite(cost):
                self.arcs.append((int(self.head[a]), int(self.tail[b]), cost))
        if node <= network.zones:
            self.arcs += [(int(self.head[a]), node, 0.0) for a in ends]
            self.arcs += [(node, int(self.tail[b]), 0.0) for b in starts]

    def double(self, node: int) -> None:
        """Move the links of a node to a second node, joined to it both ways."""
        self.nodes += 1
        self.head[self.head == node], self.tail[self.tail == node] = self.nodes, self.nodes
        self.arcs += [(self.nodes, node, 0.0), (node, self.nodes, 0.0)]
