"""Loads a given demand on a network of congested links: user equilibrium (Wardrop's first principle)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, DataError, Fault, Status
from landbridge.world.road_network import Demand, Network

__all__ = ["Assignment", "assign"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SWEEPS = 20


@dataclass(frozen=True)
class Assignment:
    """Flow and cost by link, with the paths that carry the flow.

    objective: Beckmann's, of the cost in use. relative_gap: (total cost - shortest-path cost) / total cost.
    path_pair, path_flow: pair (row of the demand) and flow of each path; path_links: its links in order.
    """

    flow: Floats
    cost: Floats
    objective: float
    relative_gap: float
    status: Status
    path_pair: Ints = field(repr=False)
    path_flow: Floats = field(repr=False)
    path_links: tuple[Ints, ...] = field(repr=False)
    pair_cost: Floats = field(repr=False)

    def select_link(self, link: int) -> Floats:
        """Trips of every pair that use a link [pair]; they add up to its flow.

        Path flows, and so these parts, are not unique at user equilibrium; link costs and pair costs are.
        """
        part = np.zeros(len(self.pair_cost))
        for pair, flow, links in zip(self.path_pair, self.path_flow, self.path_links, strict=True):
            if (links == link).any():
                part[pair] += flow
        return part


def assign(
    network: Network,
    demand: Demand,
    model: str = "ue",
    gap: float = 1e-8,
    most: int = 1000,
    throw: bool = True,
) -> Assignment:
    """User equilibrium by shifts of path flow (greedy method of Xie, Nie and Liu 2018, with safeguards).

    Minimises sum_a integral_0^f_a cost_a(v) dv over flows that carry the demand. gap: relative gap at
    which to stop; most: rounds of shortest paths. Raises DataError where zones are unknown or cannot be
    reached, ConvergenceError where the gap is not reached (unless throw is False).
    """
    if model != "ue":
        fault = Fault("model", f"{model!r} is not available", "use 'ue'")
        raise DataError("nothing was assigned", [fault])
    _check(network, demand)
    from landbridge.transport import path_shifts

    by_origin = np.lexsort((demand.destination, demand.origin))
    trips, destination = demand.trips[by_origin], demand.destination[by_origin]
    origins, begin = np.unique(demand.origin[by_origin], return_index=True)
    bounds = np.append(begin, len(trips))
    order = np.argsort(network.tail, kind="stable")
    first = np.searchsorted(network.tail[order], np.arange(network.nodes + 2))
    pairs, links = len(trips), len(network.tail)
    room = 2 * pairs + 16
    paths = (
        np.full(pairs, -1, np.int64),
        *(np.zeros(room, np.int64) for _ in range(3)),
        np.zeros(room),
        np.zeros(32 * room + network.nodes, np.int64),
    )
    used = (0, 0)
    flow = np.zeros(links)
    bpr = (network.time, network.capacity, network.b, network.power, network.fixed)
    found, rounds = np.inf, 0
    least = np.zeros(pairs)
    while True:
        cost = network.cost(flow)
        paths, used, least = path_shifts.extend(
            origins, bounds, destination, trips, network.tail, network.head, first, order, cost,
            network.first_through_node, network.nodes, paths, used,
        )  # fmt: skip
        if rounds == 0:
            _reached(demand, by_origin, least)
        else:
            total = float(flow @ cost)
            found = (total - float(trips @ least)) / total if total > 0 else 0.0
        if found <= gap or rounds == most:
            break
        rounds += 1
        path_shifts.link_flows(paths, flow)
        cost = network.cost(flow)
        before = np.inf
        for _ in range(_SWEEPS):
            excess = path_shifts.sweep(paths, flow, cost, *bpr)
            if excess <= 0.02 * gap * float(flow @ cost) or excess > 0.95 * before:
                break
            before = excess
        path_shifts.link_flows(paths, flow)
    done = found <= gap
    message = (
        f"user equilibrium at relative gap {found:.1e}"
        if done
        else f"relative gap {found:.1e} after {rounds} rounds, {gap:.0e} wanted: allow more rounds"
    )
    status = Status(done, max(found, 0.0), rounds, message)
    if throw and not done:
        raise ConvergenceError(message)
    return Assignment(
        flow,
        cost,
        network.beckmann(flow),
        found,
        status,
        *_paths(paths, by_origin),
        least[np.argsort(by_origin)],
    )


def _paths(paths: tuple[Ints | Floats, ...], rows: Ints) -> tuple[Ints, Floats, tuple[Ints, ...]]:
    of_pair, after, start, length, flow, links = paths
    pair, carried, along = [], [], []
    for q, p in enumerate(of_pair):
        while p >= 0:
            if flow[int(p)] > 0:
                pair.append(rows[q])
                carried.append(flow[int(p)])
                # Links are kept from the destination backwards.
                part = links[int(start[int(p)]) : int(start[int(p)] + length[int(p)])][::-1]
                along.append(part.astype(np.int64))
            p = after[int(p)]
    return np.array(pair, np.int64), np.array(carried, np.float64), tuple(along)


def _check(network: Network, demand: Demand) -> None:
    faults = []
    for row in range(len(demand.trips)):
        for end, zone in (("origin", demand.origin[row]), ("destination", demand.destination[row])):
            if not 1 <= zone <= network.zones:
                cure = "mend the zone"
                faults.append(Fault(f"trip {row}", f"{end} {zone} is not in 1 to {network.zones}", cure))
        if not (np.isfinite(demand.trips[row]) and demand.trips[row] >= 0):
            faults.append(Fault(f"trip {row}", f"{demand.trips[row]:g} trips", "give 0 or more"))
    if faults:
        raise DataError("the demand cannot be assigned", faults)


def _reached(demand: Demand, rows: Ints, least: Floats) -> None:
    faults = [
        Fault(
            f"trips {demand.origin[r]} to {demand.destination[r]}", "no path", "add a link or drop the trips"
        )
        for r in rows[~np.isfinite(least)]
        if demand.trips[r] > 0
    ]
    if faults:
        raise DataError("the demand cannot be assigned", faults)
