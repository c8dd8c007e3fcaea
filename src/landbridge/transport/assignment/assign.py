"""Assign a given demand to a network of congested links: user equilibrium and stochastic equilibrium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, DataError, Fault, Status
from landbridge.phrases import say
from landbridge.world.keys import SPELLED_OUT
from landbridge.world.road_network import Demand, Network, Turns

__all__ = ["MODELS", "Assignment", "assign"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MODELS = ("ue", "weibit")

_SWEEPS = 20
_ROUNDING = 1e-14
# Path set of weibit: paths of the user equilibrium at this gap, and of drawn link costs.
_BEFORE_WEIBIT = 1e-6
_DRAWS = 16
_SPREAD = 0.3
_SEED = 1
_SHARPEST = 1e4


@dataclass(frozen=True)
class Assignment:
    """Flow and cost by link, and the paths of the flow.

    status: whether the gap was reached. flow, cost [link]: in the units of the network. objective:
    Beckmann's, of the cost in use. relative_gap: (total cost - shortest-path cost) / total cost; for weibit
    the share of trips that would change path. pair_cost [pair]: least cost (weibit: mean cost). path_pair,
    path_flow [path]: row of the demand and flow; path_links: links of each path in order.
    """

    flow: Floats
    cost: Floats
    objective: float
    relative_gap: float
    status: Status
    path_pair: Ints = field(repr=False)
    path_flow: Floats = field(repr=False)
    path_links: Sequence[Ints] = field(repr=False)
    pair_cost: Floats = field(repr=False)

    def select_link(self, link: int) -> Floats:
        """Trips of every pair that use a link [pair]; they add up to its flow.

        link: number from 0. Path flows, and so these parts, are not unique at user equilibrium; pair costs
        are, and link costs where they rise with flow. Raises DataError where there is no such link.
        """
        if not 0 <= link < len(self.flow):
            what = f"link {link} is not in 0 to {len(self.flow) - 1}"
            raise DataError("no link was selected", [Fault("link", what, "give a link by number from 0")])
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
    phi: float = 8.0,
    turns: Turns | None = None,
    most: int = 1000,
    throw: bool = True,
) -> Assignment:
    """Assign a demand to congested links: user equilibrium, or path-size weibit stochastic equilibrium.

    ue minimises sum_a integral_0^f_a cost_a(v) dv over flows that satisfy the demand, by shifts of path flow
    (greedy method of Xie, Nie and Liu 2018, with safeguards); gap = (total - shortest-path cost) / total.
    weibit finds h_r = q PS_r c_r^-phi / sum_s PS_s c_s^-phi over a generated path set (see
    `transport.assignment.stochastic`); gap = sum_r |h_r - q P_r(c(h))| / (2 sum q), the share that would
    change path; relative_gap is this gap, objective is Beckmann's at the flow found and not minimised,
    pair_cost the mean over the trips of a pair.

    network, demand: links and trips; model: "ue" or "weibit"; gap: where to stop; phi: sharpness of shares by
    cost ratio; turns: penalties of turns between links; most: rounds of shortest paths or Newton steps at
    most; throw: raise where the gap is not reached, instead of returning its status. Returns an Assignment.
    Raises DataError where zones are unknown or cannot be reached, a cost overflows, or gap is no share
    between 0 and 1; ConvergenceError where the gap is not reached (unless throw is False).
    """
    faults = []
    if model not in MODELS:
        faults.append(Fault("model", f"{model!r} is not available", "use " + " or ".join(MODELS)))
    if not 0 < phi <= _SHARPEST:
        cure = (
            f"give a number above 0, at most {_SHARPEST:g}: beyond it all take the cheapest path, as ue says"
        )
        faults.append(Fault("phi", f"is {phi:g}", cure))
    if not _ROUNDING <= gap < 1:
        cure = f"give {_ROUNDING:g} or more and less than 1, as 1e-8: it is a share of the total cost"
        faults.append(Fault("gap", f"is {gap:g}", cure))
    if most < 1:
        faults.append(Fault("most", f"is {most}", "allow 1 or more"))
    if faults:
        raise DataError("nothing was assigned", faults)
    _check(network, demand, model)
    links = len(network.tail)
    if turns is not None:
        from landbridge.transport.assignment.turn_penalties import expand

        network = expand(network, turns)
    found = _user_equilibrium(network, demand, gap if model == "ue" else max(gap, _BEFORE_WEIBIT), most)
    if model == "weibit":
        found = _weibit(network, demand, *found, gap, phi, most)
    assigned = found[0]
    if throw and not assigned.status.converged:
        raise ConvergenceError(assigned.status.message)
    if turns is not None:
        along = tuple(path[path < links] for path in assigned.path_links)
        flow, cost = assigned.flow[:links], assigned.cost[:links]
        assigned = replace(assigned, flow=flow, cost=cost, path_links=along)
    return assigned


class _Trees:
    """The demand by origin and the links by tail, in the form used by the search for shortest paths."""

    def __init__(self, network: Network, demand: Demand) -> None:
        self.network = network
        origin, destination, trips = demand.origin, demand.destination, demand.trips
        ahead = origin[1:] > origin[:-1]
        ahead |= (origin[1:] == origin[:-1]) & (destination[1:] >= destination[:-1])
        # Millions of pairs are usually sorted, and then not copied. Integers are as short as possible.
        self.rows = np.arange(len(origin), dtype=np.int32)
        if not ahead.all():
            self.rows = np.lexsort((destination, origin)).astype(np.int32)
            origin, destination, trips = origin[self.rows], destination[self.rows], trips[self.rows]
        self.trips, self.destination = trips, destination.astype(np.int32)
        begin = np.flatnonzero(np.append(True, origin[1:] != origin[:-1])[: len(origin)])
        self.origins, self.bounds = origin[begin], np.append(begin, len(origin))
        self.order = np.argsort(network.tail, kind="stable")
        self.first = np.searchsorted(network.tail[self.order], np.arange(network.nodes + 2))
        pairs = len(self.trips)
        room = 2 * pairs + 16
        # First of pair, next, start, length, flow, links.
        short = np.uint16 if len(network.tail) <= 2**16 else np.int32
        self.paths: Any = (
            np.full(pairs, -1, np.int32),
            np.zeros(room, np.int32),
            np.zeros(room, np.int64),
            np.zeros(room, np.int32),
            np.zeros(room),
            np.zeros(24 * room + network.nodes, short),
        )
        self.used = (0, 0)

    def extend(self, cost: Floats) -> Floats:
        """Add to every pair its shortest path if it is new. Returns the least cost by pair."""
        from landbridge.transport.assignment import path_flows

        net = self.network
        self.paths, self.used, least = path_flows.extend(
            self.origins, self.bounds, self.destination, self.trips, net.tail, net.head, self.first,
            self.order, cost, net.first_through_node, net.nodes, self.paths, self.used,
        )  # fmt: skip
        return np.asarray(least, dtype=np.float64)


def _user_equilibrium(network: Network, demand: Demand, gap: float, most: int) -> tuple[Assignment, _Trees]:
    from landbridge.transport.assignment import path_flows

    trees = _Trees(network, demand)
    flow = np.zeros(len(network.tail))
    bpr = (network.time, network.capacity, network.b, network.power, network.fixed)
    found, rounds = np.inf, 0
    while True:
        cost = network.cost(flow)
        _finite(network, flow, cost)
        least = trees.extend(cost)
        if rounds == 0:
            _reached(network, demand, trees.rows, least)
        else:
            total = float(flow @ cost)
            found = max((total - float(trees.trips @ least)) / total, 0.0) if total > 0 else 0.0
        if found <= gap or rounds == most:
            break
        rounds += 1
        path_flows.link_flows(trees.paths, flow)
        cost = network.cost(flow)
        before = np.inf
        for _ in range(_SWEEPS):
            excess = path_flows.sweep(trees.paths, flow, cost, bpr)
            if excess <= 0.02 * gap * float(flow @ cost) or excess > 0.95 * before:
                break
            before = excess
        path_flows.link_flows(trees.paths, flow)
    status = _status(say("assign.ue"), found, gap, rounds)
    pair_cost = least[np.argsort(trees.rows)]
    objective = network.beckmann(flow)
    pair, carried, along = _paths(trees.paths, trees.used, trees.rows)
    return Assignment(flow, cost, objective, found, status, pair, carried, along, pair_cost), trees


def _weibit(
    network: Network, demand: Demand, start: Assignment, trees: _Trees, gap: float, phi: float, most: int
) -> tuple[Assignment, _Trees]:
    """Paths of the user equilibrium and of costs drawn around it and around free flow, then the shares."""
    from landbridge.transport.assignment.stochastic import Paths, solve

    draw = np.random.default_rng(_SEED)
    free = network.cost(np.zeros(len(network.tail)))
    trees.extend(free)
    for number in range(_DRAWS):
        cost = (free, start.cost)[number % 2]
        trees.extend(cost * np.exp(_SPREAD * draw.standard_normal(len(cost))))
    pair, _, paths = _paths(trees.paths, trees.used, trees.rows, unused=True)
    by_pair = np.argsort(pair, kind="stable")
    pair = pair[by_pair]
    along = tuple(paths.picked(by_pair))
    if not demand.trips.sum() > 0:
        return start, trees
    loading = solve(Paths(network, pair, along, demand.trips), phi, start.flow, gap, most)
    cost = network.cost(loading.flow)
    spent = np.array([float(cost[path].sum()) for path in along]) * loading.path_flow
    trips = demand.trips
    pair_cost = np.bincount(pair, spent, len(trips)) / np.where(trips > 0, trips, 1.0)
    what = say("assign.weibit", phi=phi, paths=len(pair))
    status = _status(what, loading.gap, gap, loading.steps, newton=True)
    flow, objective = loading.flow, network.beckmann(loading.flow)
    found = Assignment(flow, cost, objective, loading.gap, status, pair, loading.path_flow, along, pair_cost)
    return found, trees


def _status(what: str, found: float, gap: float, count: int, *, newton: bool = False) -> Status:
    """How a solve ended, in words.

    what: the equilibrium; found, gap: relative gaps, reached and wanted; count: of rounds, or of steps of
    Newton's method.
    """
    reached, wanted = f"{found:.1e}", f"{gap:.0e}"
    if found <= gap:
        return Status(True, max(found, 0.0), count, say("assign.met", what=what, found=reached))
    message = say(
        "assign.unmet.steps" if newton else "assign.unmet.rounds",
        what=what,
        found=reached,
        count=str(count),
        gap=wanted,
    )
    return Status(False, max(found, 0.0), count, message)


class _Along(Sequence[Ints]):
    """The links of every path in order, extracted on demand: millions of small arrays would fill the memory.

    links: those of all paths one after the other, each path from its destination backwards.
    """

    def __init__(self, links: NDArray[np.integer[Any]], start: Ints, length: NDArray[np.int32]) -> None:
        self.links, self.start, self.length = links, start, length

    def __len__(self) -> int:
        return len(self.start)

    @overload
    def __getitem__(self, index: int) -> Ints: ...
    @overload
    def __getitem__(self, index: slice) -> _Along: ...
    def __getitem__(self, index: int | slice) -> Ints | _Along:
        if isinstance(index, slice):
            return _Along(self.links, self.start[index], self.length[index])
        first = int(self.start[index])
        return self.links[first : first + int(self.length[index])][::-1].astype(np.int64)

    def picked(self, order: Ints) -> _Along:
        """The paths in another order."""
        return _Along(self.links, self.start[order], self.length[order])


def _paths(
    paths: tuple[Any, ...], used: tuple[int, int], rows: NDArray[np.int32], unused: bool = False
) -> tuple[Ints, Floats, _Along]:
    """Pair, flow and links of every path, by pair in the order of rows; unused: also without flow."""
    of_pair, after, start, length, flow, links = paths
    pair = np.flatnonzero(of_pair >= 0).astype(np.int32)
    path = of_pair[pair]
    pairs, found = [pair], [path]
    # The other paths of pairs that have more than one, one after the other.
    while True:
        path = after[path]
        pair, path = pair[path >= 0], path[path >= 0]
        if not len(path):
            break
        pairs.append(pair)
        found.append(path)
    of, which = (np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in (pairs, found))
    del pairs, found
    if not unused:
        carries = flow[which] > 0
        of, which = of[carries], which[carries]
    if (of[1:] < of[:-1]).any():
        order = np.argsort(of, kind="stable")
        of, which = of[order], which[order]
    return rows[of].astype(np.int64), flow[which], _Along(links[: used[1]], start[which], length[which])


def _check(network: Network, demand: Demand, model: str) -> None:
    sizes = {len(demand.origin), len(demand.destination), len(demand.trips)}
    if len(sizes) > 1:
        what = f"origin, destination and trips have {min(sizes)} to {max(sizes)} entries"
        raise DataError(
            "the demand cannot be assigned", [Fault("demand", what, "give one entry a pair each")]
        )
    start, end, trips = demand.origin, demand.destination, demand.trips
    outside = [(zone < 1) | (zone > network.zones) for zone in (start, end)]
    no_number = ~(np.isfinite(trips) & (trips >= 0))
    same = (start == end) & (model == "weibit")
    wrong = np.flatnonzero(outside[0] | outside[1] | no_number | same)
    faults = []
    for row in wrong[:SPELLED_OUT].tolist():
        where = f"trip {row}"
        for what, zone, bad in zip(("origin", "destination"), (start, end), outside, strict=True):
            if bad[row]:
                fault = f"{what} {zone[row]} is not in 1 to {network.zones}"
                faults.append(Fault(where, fault, "correct the zone"))
        if no_number[row]:
            faults.append(Fault(where, f"{trips[row]:g} trips", "give 0 or more"))
        if same[row]:
            what = f"begins and ends in zone {start[row]}: no costs to take ratios of"
            faults.append(Fault(where, what, "leave it out, or count it in Demand.within"))
    if faults:
        raise DataError("the demand cannot be assigned", [*faults, *_more("trips", len(wrong), "trips")])


def _more(where: str, count: int, what: str) -> list[Fault]:
    """A fault that counts those not listed."""
    left = count - SPELLED_OUT
    return [Fault(where, f"{left:,} more {what} like these", "correct these first")] if left > 0 else []


def _reached(network: Network, demand: Demand, rows: NDArray[np.int32], least: Floats) -> None:
    cut = np.sort(rows[~np.isfinite(least)])
    cut = cut[demand.trips[cut] > 0]
    faults = [
        Fault(
            f"trips {network.zone_name(demand.origin[r])} to {network.zone_name(demand.destination[r])}",
            "no path",
            "add a link or drop the trips",
        )
        for r in cut[:SPELLED_OUT].tolist()
    ]
    if faults:
        raise DataError("the demand cannot be assigned", [*faults, *_more("trips", len(cut), "pairs")])


def _finite(network: Network, flow: Floats, cost: Floats) -> None:
    """Faults of links whose cost at the current flow overflows."""
    beyond = np.flatnonzero(~np.isfinite(cost))
    faults = [
        Fault(
            network.rows[a] if a < len(network.rows) else f"link {a}",
            f"costs more than a number can hold at a flow of {flow[a]:g} (capacity {network.capacity[a]:g}, "
            f"b {network.b[a]:g}, power {network.power[a]:g})",
            "check capacity, b and power",
        )
        for a in beyond[:SPELLED_OUT].tolist()
    ]
    if faults:
        raise DataError("the demand cannot be assigned", [*faults, *_more("links", len(beyond), "links")])
