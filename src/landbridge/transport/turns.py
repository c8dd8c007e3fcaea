"""Turn penalties: nodes where they apply are opened into one node for every link that ends or begins there.

Source: node expansion as in Caldwell (1961) and Kirby and Potts (1969): a turn becomes an arc.
"""

from __future__ import annotations

import numpy as np

from landbridge.errors import DataError, Fault
from landbridge.world.road_network import Network, Turns

__all__ = ["expand"]


def expand(network: Network, turns: Turns) -> Network:  # noqa: C901
    """A network in which a turn is an arc of fixed cost; its first links are those of the network, in order.

    Only nodes with a penalty are opened. Where one is a zone, its old number stays the place where trips
    begin and end and is no longer passed through. Raises DataError with every row that is no turn.
    """
    links = len(network.tail)
    faults = []
    penalty: dict[tuple[int, int], float] = {}
    for row, (a, b, cost) in enumerate(zip(turns.from_link, turns.to_link, turns.cost, strict=True)):
        where = f"turn {row}"
        if not (0 <= a < links and 0 <= b < links):
            faults.append(Fault(where, f"links {a} and {b} are not in 0 to {links - 1}", "mend the link"))
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
    tail, head = network.tail.copy(), network.head.copy()
    opened = {int(network.head[a]) for a, _ in penalty}
    nodes = network.nodes
    arcs: list[tuple[int, int, float]] = []
    for node in sorted(opened):
        # A centroid stays the end of a path: nothing turns there.
        passed = node >= network.first_through_node
        ends, starts = np.flatnonzero(network.head == node), np.flatnonzero(network.tail == node)
        first = nodes + 1
        nodes += len(ends) + len(starts)
        head[ends] = np.arange(first, first + len(ends))
        tail[starts] = np.arange(first + len(ends), nodes + 1)
        if passed:
            for a in ends:
                for b in starts:
                    cost = penalty.get((int(a), int(b)), 0.0)
                    if np.isfinite(cost):
                        arcs.append((int(head[a]), int(tail[b]), cost))
        if node <= network.zones:
            arcs += [(int(head[a]), node, 0.0) for a in ends] + [(node, int(tail[b]), 0.0) for b in starts]
    through = network.first_through_node
    if any(node <= network.zones for node in opened):
        # Numbers of zones are those of the demand: a zone that is passed gets a second node for that.
        through = network.zones + 1
        for node in range(network.first_through_node, network.zones + 1):
            if node not in opened:
                nodes += 1
                head[head == node], tail[tail == node] = nodes, nodes
                arcs += [(nodes, node, 0.0), (node, nodes, 0.0)]
        through = max(through, network.first_through_node)
    more = len(arcs)
    starts_, ends_, costs = zip(*arcs, strict=True) if arcs else ((), (), ())
    none, one = np.zeros(more), np.ones(more)
    return Network(
        nodes=nodes,
        zones=network.zones,
        tail=np.append(tail, np.array(starts_, np.int64)),
        head=np.append(head, np.array(ends_, np.int64)),
        capacity=np.append(network.capacity, one),
        time=np.append(network.time, none),
        b=np.append(network.b, none),
        power=np.append(network.power, none),
        length=np.append(network.length, none),
        toll=np.append(network.toll, none),
        fixed=np.append(network.fixed, np.array(costs, np.float64)),
        first_through_node=through,
        name=network.name,
        rows=(*network.rows, *(f"turn arc {n}" for n in range(more))) if network.rows else (),
        zone_names=network.zone_names,
    )
