"""Inner loops of the assignment: shortest-path trees and shifts between paths.

Compiled by numba if it is installed; otherwise the same functions run, slowly, as plain Python.
Imported only by the function that needs it, since numba takes a second to load.
"""

from __future__ import annotations

import numpy as np

from landbridge.transport.compiled import compile_loop, has_numba
from landbridge.transport.heap import pop, push

__all__ = ["COMPILED", "extend", "link_flows", "sweep"]

COMPILED = has_numba()


@compile_loop
def _tree(source, first, order, head, cost, through, dist, back, key, node):  # type: ignore[no-untyped-def]
    """Dijkstra from source on a binary heap; back: link by which a node is reached, -1 for none."""
    dist[:] = np.inf
    back[:] = -1
    dist[source] = 0.0
    key[0], node[0], size = 0.0, source, 1
    while size > 0:
        d, n = key[0], node[0]
        pop(key, node, size)
        size -= 1
        # A centroid is the end of a path, never its middle.
        if d > dist[n] or (n < through and n != source):
            continue
        for e in range(first[n], first[n + 1]):
            a = order[e]
            m = head[a]
            reached = d + cost[a]
            if reached < dist[m]:
                dist[m] = reached
                back[m] = a
                push(key, node, size, reached, m)
                size += 1


@compile_loop
def extend(  # type: ignore[no-untyped-def]
    origins, bounds, destination, trips, tail, head, first, order, cost, through, nodes, paths, used
):
    """Add to every pair its shortest path if it is new, by trees from every origin.

    origins [origin]: nodes; bounds [origin + 1]: the pairs of an origin are contiguous; destination [pair]:
    node; trips [pair]: flow of a new first path. tail, head, cost [link]: nodes at both ends, and the cost;
    order[first[n]:first[n + 1]]: links that leave node n; through: first node that paths may pass; nodes:
    their number. Trips, flows and costs are in the units of the network.
    paths: (first of pair [pair], next, start, length, flow [path], links [n]); used: numbers of paths and
    links in use. Returns paths, used, and least cost [pair].
    """
    of_pair, after, start, length, flow, links = paths
    count, filled = used
    dist, back = np.empty(nodes + 1), np.empty(nodes + 1, np.int64)
    key, node = np.empty(len(head) + 2), np.empty(len(head) + 2, np.int64)
    least = np.empty(len(trips))
    for o in range(len(origins)):
        _tree(origins[o], first, order, head, cost, through, dist, back, key, node)
        for q in range(bounds[o], bounds[o + 1]):
            least[q] = dist[destination[q]]
            if not np.isfinite(least[q]):
                continue
            known, p = np.inf, of_pair[q]
            while p >= 0:
                known = min(known, _path_cost(p, start, length, links, cost))
                p = after[p]
            # Sums in another order differ in the last digits: not a new path.
            if known <= least[q] * (1 + 1e-13):
                continue
            if count == len(after):
                size = 2 * count
                after, start = _longer(after, size), _longer(start, size)
                length, flow = _longer(length, size), _longer(flow, size)
            passed, n = 0, destination[q]
            while n != origins[o]:
                n = tail[back[n]]
                passed += 1
            if filled + passed > len(links):
                links = _longer(links, len(links) + len(links) // 4 + nodes)
            start[count], after[count] = filled, of_pair[q]
            flow[count] = trips[q] if of_pair[q] < 0 else 0.0
            of_pair[q] = count
            n = destination[q]
            while n != origins[o]:
                links[filled] = back[n]
                n = tail[back[n]]
                filled += 1
            length[count] = passed
            count += 1
    return (of_pair, after, start, length, flow, links), (count, filled), least


@compile_loop
def _longer(array, size):  # type: ignore[no-untyped-def]
    longer = np.empty(size, array.dtype)
    longer[: len(array)] = array
    return longer


@compile_loop
def link_flows(paths, volume):  # type: ignore[no-untyped-def]
    """Sum path flows to links from zero, so that rounding errors of the shifts do not accumulate.

    paths: as of `extend`; volume [link]: overwritten with the sums, in the unit of the trips.
    """
    of_pair, after, start, length, flow, links = paths
    volume[:] = 0.0
    for q in range(len(of_pair)):
        p = of_pair[q]
        while p >= 0:
            for e in range(start[p], start[p] + length[p]):
                volume[links[e]] += flow[p]
            p = after[p]


@compile_loop
def _path_cost(p, start, length, links, cost):  # type: ignore[no-untyped-def]
    total = 0.0
    for e in range(start[p], start[p] + length[p]):
        total += cost[links[e]]
    return total


@compile_loop
def _cost(a, v, bpr):  # type: ignore[no-untyped-def]
    """Cost of link a at a flow v: `Network.cost`, one link at a time."""
    time, capacity, b, power, fixed = bpr
    if b[a] == 0.0:
        return time[a] + fixed[a]
    return time[a] * (1 + b[a] * (v / capacity[a]) ** power[a]) + fixed[a]


@compile_loop
def _slope(a, v, bpr):  # type: ignore[no-untyped-def]
    """Derivative of the cost of link a at a flow v: `Network.slope`, one link at a time."""
    time, capacity, b, power, _ = bpr
    if b[a] == 0.0 or power[a] == 0.0:
        return 0.0
    load = max(v, 1e-9 * capacity[a]) / capacity[a]
    return time[a] * b[a] * power[a] / capacity[a] * load ** (power[a] - 1)


@compile_loop
def _gain(s, long, short, volume, bpr):  # type: ignore[no-untyped-def]
    """Cost of the longer path less that of the shorter after a shift of s, over the links not shared."""
    gain = 0.0
    for a in long:
        gain += _cost(a, max(volume[a] - s, 0.0), bpr)
    for a in short:
        gain -= _cost(a, volume[a] + s, bpr)
    return gain


@compile_loop
def _apart(p, best, start, length, links, mark, long, short):  # type: ignore[no-untyped-def]
    """Links of p that are not in best, into long; links of best that are not in p, into short; their numbers.

    mark [link]: all 0, and again at the end.
    """
    n_long, n_short = 0, 0
    for e in range(start[best], start[best] + length[best]):
        mark[links[e]] = 1
    for e in range(start[p], start[p] + length[p]):
        if mark[links[e]] == 1:
            mark[links[e]] = 2
        else:
            long[n_long] = links[e]
            n_long += 1
    for e in range(start[best], start[best] + length[best]):
        if mark[links[e]] == 1:
            short[n_short] = links[e]
            n_short += 1
        mark[links[e]] = 0
    return n_long, n_short


@compile_loop
def _shift(most, gain, long, short, volume, bpr):  # type: ignore[no-untyped-def]
    """Flow to move, at most `most`, from a path that is more expensive by gain: a safeguarded Newton step."""
    slope = 0.0
    for a in long:
        slope += _slope(a, volume[a], bpr)
    for a in short:
        slope += _slope(a, volume[a], bpr)
    shift = most if gain >= slope * most else gain / slope
    if _gain(shift, long, short, volume, bpr) >= -0.5 * gain:
        return shift
    # Where the slope is zero at zero flow a Newton step overshoots: bisect instead.
    low, high = 0.0, shift
    for _ in range(40):
        shift = 0.5 * (low + high)
        if _gain(shift, long, short, volume, bpr) > 0:
            low = shift
        else:
            high = shift
    return shift


@compile_loop
def sweep(paths, volume, cost, bpr):  # type: ignore[no-untyped-def]
    """Shift flow of every pair from each path to the cheapest, updating link costs; returns the excess.

    excess = sum over paths of flow x (cost - least cost of the pair), before its shift. paths: as of
    `extend`; bpr: time, capacity, b, power and fixed cost [link]: cost = time (1 + b (volume /
    capacity)^power) + fixed. Path flows, volume and cost [link] change in place.
    """
    of_pair, after, start, length, flow, links = paths
    mark = np.zeros(len(volume), np.int64)
    long, short = np.empty(len(volume), np.int64), np.empty(len(volume), np.int64)
    excess = 0.0
    for q in range(len(of_pair)):
        if of_pair[q] < 0 or after[of_pair[q]] < 0:
            continue
        best, least, p = -1, np.inf, of_pair[q]
        while p >= 0:
            total = _path_cost(p, start, length, links, cost)
            if total < least:
                best, least = p, total
            p = after[p]
        previous, p = -1, of_pair[q]
        while p >= 0:
            following = after[p]
            if p != best and flow[p] > 0:
                n_long, n_short = _apart(p, best, start, length, links, mark, long, short)
                dearer, cheaper = long[:n_long], short[:n_short]
                gain = 0.0
                for a in dearer:
                    gain += cost[a]
                for a in cheaper:
                    gain -= cost[a]
                if gain > 0:
                    excess += flow[p] * gain
                    shift = _shift(flow[p], gain, dearer, cheaper, volume, bpr)
                    flow[p] -= shift
                    flow[best] += shift
                    for a in dearer:
                        volume[a] = max(volume[a] - shift, 0.0)
                        cost[a] = _cost(a, volume[a], bpr)
                    for a in cheaper:
                        volume[a] += shift
                        cost[a] = _cost(a, volume[a], bpr)
            if p != best and flow[p] <= 0:
                if previous < 0:
                    of_pair[q] = following
                else:
                    after[previous] = following
            else:
                previous = p
            p = following
    return excess
