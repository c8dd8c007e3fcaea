"""Least-cost routes of every corridor family: shortest-path trees on places x states of the family.

A family is a finite automaton over arcs (`families`), so a tree on the product of the state graph with it
finds routes of that family and no others, the best of each at once. Trees run from the eastern ends of the
pairs and, for the other direction, from their western ends; a route and its mirror are one candidate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from landbridge.transport.compiled import loop
from landbridge.transport.graph import BLOCK, GATE_IN, GATE_OUT, LAYERS, WAGONLOAD, Graph
from landbridge.transport.routes.families import Automaton, Labels
from landbridge.transport.threads import side_by_side

__all__ = ["BLENDS", "BULK", "MIDDLE", "PAST", "Found", "Joins", "Network", "Pairs", "Ways"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
HashArray = NDArray[np.uint64]

# Blends of money and hours by which routes are searched and ranked: the tariff paid by rail (0 block train, 1
# wagonload, 2 bulk, which travels as wagonload) and USD per hour. 0.2 USD/h is ore, 8 machinery, 40
# electronics: 1 % a day of 20,000 and 2 % a day of 50,000 USD/TEU; 20 keeps goods between 8 and 40 within
# about a percent of their best.
BULK = 2
BLENDS = (
    *((BLOCK, per_hour) for per_hour in (0.2, 2.0, 8.0, 20.0, 40.0)),
    *((WAGONLOAD, per_hour) for per_hour in (2.0, 8.0, 20.0, 40.0)),
    *((BULK, per_hour) for per_hour in (0.2, 2.0, 8.0)),
)
# The blend by which families and detours are compared and at which the best route past each gateway of a
# leader is kept, and the blends at which a scenario searches detours around a closure.
MIDDLE = BLENDS.index((0, 8.0))
PAST = (MIDDLE, BLENDS.index((WAGONLOAD, 2.0)), BLENDS.index((BULK, 2.0)))
# No arc is free, so that of equal routes the simpler is found, and no two cost the same, so that of routes
# that pay one rate the same is found whatever else is searched; too little to change which is cheaper.
_PER_ARC_USD = 1e-8
# Trees of fewer nodes together are grown before the compiled loop is loaded.
_WORTH_COMPILED = 40_000


def _shares(graph: Graph) -> FloatArray:
    """A share of one for every arc, by the names of its places, the same in both directions [arc]."""
    named = np.array([crc32(place.encode()) for place in graph.places], dtype=np.uint64)
    state = (named[:, None] + np.arange(len(LAYERS), dtype=np.uint64) * np.uint64(0x9E3779B9)).ravel()
    # Weyl's multiplier spreads sums of two states over all 64 bits.
    mixed = (state[graph.tail] + state[graph.head]) * np.uint64(0x9E3779B97F4A7C15)
    share = (mixed >> np.uint64(11)) / 2.0**53
    return np.asarray(np.minimum(share, share[graph.reverse]))


class Pairs:
    """Requested pairs, and the unordered pairs (eastern end, western end) they belong to.

    graph: with the places; origins, destinations: places; wanted [origin, destination]: pairs requested, None
    for all of different ends; every_family [origin, destination]: pairs that keep every family, None for
    none. Numbers of pairs in the searches are those of the unordered ones.
    """

    def __init__(
        self,
        graph: Graph,
        origins: Sequence[str],
        destinations: Sequence[str],
        wanted: BoolArray | None,
        every_family: BoolArray | None,
    ) -> None:
        o = np.array([graph.place_number[p] for p in origins], dtype=np.int64)
        d = np.array([graph.place_number[p] for p in destinations], dtype=np.int64)
        if wanted is None:
            wanted = o[:, None] != d[None, :]
        rows, columns = np.nonzero(wanted & (o[:, None] != d[None, :]))
        self.origin, self.destination = o[rows].astype(np.int32), d[columns].astype(np.int32)
        rank = np.empty(len(graph.places), dtype=np.int64)
        rank[np.lexsort((np.arange(len(graph.places)), -graph.lon))] = np.arange(len(graph.places))
        self.westward = rank[self.origin] < rank[self.destination]
        east = np.where(self.westward, self.origin, self.destination).astype(np.int64)
        west = np.where(self.westward, self.destination, self.origin).astype(np.int64)
        code, self.undirected = np.unique(east * len(graph.places) + west, return_inverse=True)
        self.east, self.west = code // len(graph.places), code % len(graph.places)
        self.undirected = self.undirected.astype(np.int64)
        self.every_family = np.zeros(len(code), dtype=bool)
        if every_family is not None:
            self.every_family[self.undirected[every_family[rows, columns]]] = True

    def __len__(self) -> int:
        return len(self.east)


class Network:
    """The open arcs of a graph between some places, ready for searches of any family.

    pairs: whose ends are these places; labels: marks of the arcs by family.
    """

    def __init__(self, graph: Graph, pairs: Pairs, labels: Labels) -> None:
        self.graph, self.pairs, self.labels = graph, pairs, labels
        self._ways: dict[tuple[int, ...], Ways] = {}
        layer_tail, layer_head = graph.tail % len(LAYERS), graph.head % len(LAYERS)
        ends = np.zeros(len(graph.places), dtype=bool)
        ends[pairs.east] = ends[pairs.west] = True
        idle = (layer_tail == GATE_OUT) & ~ends[graph.tail // len(LAYERS)]
        idle |= (layer_head == GATE_IN) & ~ends[graph.head // len(LAYERS)]
        self.arcs = np.flatnonzero(graph.available & ~idle)
        used = np.zeros(graph.n_states, dtype=bool)
        used[graph.tail[self.arcs]] = used[graph.head[self.arcs]] = True
        every = np.flatnonzero(ends)
        used[every * len(LAYERS) + GATE_OUT] = used[every * len(LAYERS) + GATE_IN] = True
        self.number = np.cumsum(used) - 1
        self.size = int(used.sum())
        self.tail, self.head = self.number[graph.tail[self.arcs]], self.number[graph.head[self.arcs]]
        # The mark of an arc and of its mirror are equal: a route and its mirror are one candidate.
        marks = np.random.default_rng(20230701).integers(1, 2**63, graph.n_arcs, dtype=np.uint64)
        self.mark = marks[np.minimum(np.arange(graph.n_arcs), graph.reverse)]
        self._least_usd = _PER_ARC_USD * (1.0 + _shares(graph))

    def cost(self, blend: tuple[int, float]) -> FloatArray:
        """Additive cost of every arc of the graph for a blend (tariff, USD per hour) [arc], USD/TEU."""
        tariff, per_hour = blend
        graph, product = self.graph, min(tariff, WAGONLOAD)
        money = graph.bulk_usd if tariff == BULK else graph.cost_usd
        return np.asarray(money[:, product] + per_hour * graph.time_h[:, product] + self._least_usd)

    def ways(self, families: Sequence[int]) -> Ways:
        """The product of the network with the automaton of some families together; made once."""
        key = tuple(families)
        if key not in self._ways:
            self._ways[key] = Ways(self, self.labels.automaton(families))
        return self._ways[key]

    def any_way(self) -> Ways:
        """The network alone: routes of every family and of none."""
        after = np.zeros((1, self.labels.every.after.shape[1]), dtype=np.int32)
        return Ways(self, Automaton(after, {"": 0}, np.zeros(1, dtype=np.int32)))


class Ways:
    """The network x the states of one automaton: nodes that a trip can reach and end from, and its edges.

    net: the network; automaton: of the families searched for.
    """

    def __init__(self, net: Network, automaton: Automaton) -> None:
        self.net = net
        pairs, graph = net.pairs, net.graph
        after, ends = automaton.after, automaton.family >= 0
        places = np.unique(np.concatenate([pairs.east, pairs.west]))
        begins = automaton.begins([graph.own_country[p] for p in places])
        roots = np.where(begins >= 0, begins * net.size + self._gate(places, GATE_OUT), -1)
        # One sink per place, whatever the state in which a route ends there.
        accepting = np.flatnonzero(ends)
        last = (accepting[None, :] * net.size + self._gate(places, GATE_IN)[:, None]).ravel()
        sink = len(after) * net.size + np.arange(len(places))
        total = len(after) * net.size + len(places)
        # Few of all nodes can be reached, so edges are made on demand.
        arc, tail, head = _met(net, after, np.unique(roots[roots >= 0]))
        tail, head = np.append(tail, last), np.append(head, np.repeat(sink, len(accepting)))
        arc = np.append(net.arcs[arc], np.full(len(last), graph.n_arcs))
        met = np.zeros(total, dtype=bool)
        met[roots[roots >= 0]] = met[head] = True
        there = met[tail]
        arc, tail, head = arc[there], tail[there], head[there]
        met[sink] = False
        met[head] = True
        alive = met & _reached(head, tail, sink, total)
        kept = alive[tail] & alive[head]
        number = np.cumsum(alive) - 1
        self.size = int(alive.sum())
        number[~alive] = -1
        self._arcs_between(arc[kept], number[tail[kept]], number[head[kept]])
        at = np.full(len(graph.places), -1, dtype=np.int64)
        at[places] = np.arange(len(places))
        root = np.where(roots >= 0, number[np.maximum(roots, 0)], -1)
        self._root = root[at[pairs.east]], root[at[pairs.west]]
        self._sink = number[sink][at[pairs.west]], number[sink][at[pairs.east]]

    def _gate(self, places: LongArray, layer: int) -> LongArray:
        return np.asarray(self.net.number[places * len(LAYERS) + layer])

    def _arcs_between(self, arc: LongArray, tail: LongArray, head: LongArray) -> None:
        """Edges sorted for look-up; parallel arcs between two nodes are adjacent."""
        key = tail * self.size + head
        order = np.argsort(key, kind="stable")
        key, self._arc = key[order], arc[order].astype(np.int32)
        fresh = np.ones(len(key), dtype=bool)
        fresh[1:] = key[1:] != key[:-1]
        self._first = np.flatnonzero(fresh)
        self._tail, self._head = key // max(self.size, 1), key % max(self.size, 1)
        self._key = key[self._first]
        self._column = (self._key % max(self.size, 1)).astype(np.int32)
        self._row_start = np.searchsorted(self._key, np.arange(self.size + 1) * self.size).astype(np.int32)
        count = np.diff(np.append(self._first, len(key)))
        self._several = np.flatnonzero(count > 1)
        self._count = count

    def best(
        self,
        cost: FloatArray,
        asked: LongArray,
        *,
        mirrored: bool = False,
        shut: BoolArray | None = None,
        most: float = np.inf,
    ) -> tuple[FloatArray, Found]:
        """Least cost of every pair asked for [pair asked], infinite without a route, and the routes.

        cost [arc]; asked: numbers of pairs; mirrored: from the western end, in the other direction; shut
        [arc]: closed arcs; most: larger costs count as no route. Trees grow from whichever ends are fewer.
        """
        root, sink = self._root[mirrored][asked], self._sink[mirrored][asked]
        there = (root >= 0) & (sink >= 0)
        backward = len(np.unique(sink[there])) < len(np.unique(root[there]))
        start, end = (sink, root) if backward else (root, sink)
        far = np.full(len(asked), np.inf)
        if not there.any():
            return far, Found(self.net, mirrored, [])
        value = np.append(cost, _PER_ARC_USD)[self._arc]
        if shut is not None:
            value = np.where(np.append(shut, False)[self._arc], np.inf, value)
        trees = _Trees(self, self._matrix(value), start[there], backward, most, end[there])
        row = trees.row(start)
        far[there] = trees.distance[row[there], end[there]]
        return far, Found(self.net, mirrored, [_Part(trees, row, end)])

    def best_over(
        self, cost: FloatArray, opened: BoolArray, asked: LongArray, *, mirrored: bool = False
    ) -> tuple[FloatArray, Found]:
        """Least cost and routes over one of the opened arcs [arc], with trees growing from their ends.

        cost, asked, mirrored, and what is returned: as in `best`.
        """
        over = np.flatnonzero(np.append(opened, False)[self._arc])
        return Joins(self, cost, asked, mirrored, over).best(over)

    def _matrix(self, value: FloatArray) -> tuple[csr_matrix, IntArray]:
        """The edges with the cheapest of their parallel arcs, and these arcs; value: of all arcs."""
        arc, least = self._arc[self._first], value[self._first]
        for k in self._several.tolist():
            span = slice(self._first[k], self._first[k] + self._count[k])
            best = int(value[span].argmin())
            arc[k], least[k] = self._arc[span][best], value[span][best]
        matrix = csr_matrix((least, self._column, self._row_start), shape=(self.size, self.size))
        return matrix, arc


def _met(net: Network, after: IntArray, roots: LongArray) -> tuple[LongArray, LongArray, LongArray]:
    """Every edge that a trip from the roots can reach: its arc (of net.arcs), tail and head.

    after [state, mark]: next state of an automaton, negative for none.
    """
    code = net.labels.code[net.arcs]
    order = np.argsort(net.tail, kind="stable")
    first = np.searchsorted(net.tail[order], np.arange(net.size + 1))
    seen = np.zeros(len(after) * net.size, dtype=bool)
    seen[roots] = True
    new, found = roots, []
    while len(new):
        state, node = new // net.size, new % net.size
        count = first[node + 1] - first[node]
        start = np.cumsum(count) - count
        arc = order[np.arange(count.sum()) + np.repeat(first[node] - start, count)]
        to = after[np.repeat(state, count), code[arc]]
        open_ = to >= 0
        arc, tail = arc[open_], np.repeat(new, count)[open_]
        head = to[open_].astype(np.int64) * net.size + net.head[arc]
        found.append((arc, tail, head))
        new = np.unique(head[~seen[head]])
        seen[new] = True
    if not found:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    arcs, tails, heads = (np.concatenate(part) for part in zip(*found, strict=True))
    return arcs, tails, heads


def _reached(tail: LongArray, head: LongArray, start: LongArray, size: int) -> BoolArray:
    """Nodes that edges lead to from the start nodes [node]."""
    seen = np.zeros(size, dtype=bool)
    seen[start] = True
    while True:
        more = head[seen[tail] & ~seen[head]]
        if not len(more):
            return seen
        seen[more] = True


# Pairs with at most this many ends are searched from the ends.
_FEW_ENDS = 8


class Joins:
    """Routes over given arcs, for one cost [arc]: a tree before the arc joined with one beyond it.

    cost of o-d over an arc a = (u, v): least from o to u + c_a + least from v to d. ways: the network of some
    families; asked: numbers of pairs; mirrored: from the western end, in the other direction. over: the only
    edges that will be asked for. Trees then grow from their ends; from those of the pairs asked for where
    these are few, or where over is None.
    """

    def __init__(
        self,
        ways: Ways,
        cost: FloatArray,
        asked: LongArray,
        mirrored: bool = False,
        over: LongArray | None = None,
    ) -> None:
        self._ways, self._mirrored = ways, mirrored
        self._root, self._sink = ways._root[mirrored][asked], ways._sink[mirrored][asked]
        self._there = np.flatnonzero((self._root >= 0) & (self._sink >= 0))
        self._value = np.append(cost, _PER_ARC_USD)[ways._arc]
        starts = np.unique(self._root[self._there]), np.unique(self._sink[self._there])
        self._from_arcs = over is not None and len(starts[0]) + len(starts[1]) > _FEW_ENDS
        self._empty = not len(self._there) or (over is not None and not len(over))
        if self._empty:
            return
        matrix = ways._matrix(self._value)
        if self._from_arcs:
            starts = ways._tail[over], ways._head[over]
        self._before = _Trees(ways, matrix, starts[0], self._from_arcs)
        self._beyond = _Trees(ways, matrix, starts[1], not self._from_arcs)

    def edges(self, arcs: LongArray) -> LongArray:
        """The edges of some arcs."""
        return np.flatnonzero(np.isin(self._ways._arc, arcs))

    def best(self, over: LongArray) -> tuple[FloatArray, Found]:
        """Least cost over one of the edges of every pair asked for [pair asked], and the routes."""
        far = np.full(len(self._root), np.inf)
        if self._empty or not len(over):
            return far, Found(self._ways.net, self._mirrored, [])
        tails, heads = self._ways._tail[over], self._ways._head[over]
        there, which = self._there, np.zeros(len(far), dtype=np.int64)
        before = self._distances(self._before, self._root[there], tails)
        beyond = self._distances(self._beyond, self._sink[there], heads)
        for number, edge in enumerate(over.tolist()):
            total = next(before) + self._value[edge] + next(beyond)
            better = total < far[there]
            far[there[better]], which[there[better]] = total[better], number
        parts: list[_Part | IntArray] = [
            self._part(self._before, self._root, tails[which]),
            self._ways._arc[over[which]],
            self._part(self._beyond, self._sink, heads[which]),
        ]
        return far, Found(self._ways.net, self._mirrored, parts)

    def _distances(self, trees: _Trees, ends: LongArray, nodes: LongArray) -> Iterator[FloatArray]:
        """The distances of each node from the ends [end], one node after the other."""
        if self._from_arcs:
            yield from (trees.distance[row, ends] for row in trees.row(nodes).tolist())
            return
        rows = trees.row(ends)
        # Row by row in memory: a column of the trees would be read across all of them.
        for far in np.ascontiguousarray(trees.distance[:, nodes].T):
            yield far[rows]

    def _part(self, trees: _Trees, ends: LongArray, nodes: LongArray) -> _Part:
        root, node = (nodes, ends) if self._from_arcs else (ends, nodes)
        return _Part(trees, trees.row(root), node)


class _Trees:
    """Least-cost trees from some nodes, or backward to them, with the walk from any node to their root."""

    def __init__(
        self,
        ways: Ways,
        edges: tuple[csr_matrix, IntArray],
        roots: LongArray,
        backward: bool,
        most: float = np.inf,
        ends: LongArray | None = None,
    ) -> None:
        """The trees. roots: with repeats; ends: the node asked for from each of them, all where None."""
        matrix, self._arc = edges
        self._ways, self.backward = ways, backward
        self._roots, tree = np.unique(roots, return_inverse=True)
        turned = matrix.T.tocsr() if backward else matrix
        if len(self._roots) * ways.size >= _WORTH_COMPILED and (compiled := loop("routes.grow")):
            found = _grown(compiled.grow, turned, self._roots, most, None if ends is None else (tree, ends))
        else:
            found = dijkstra(turned, indices=self._roots, return_predecessors=True, limit=most)
        self.distance, self._before = found

    def row(self, node: LongArray) -> LongArray:
        """The row of the tree of each root; any row for a node that is not a root."""
        return np.minimum(np.searchsorted(self._roots, np.maximum(node, 0)), len(self._roots) - 1)

    def walk(self, row: LongArray, node: LongArray) -> Iterator[tuple[LongArray, IntArray]]:
        """Per step from the nodes to their roots: which of them still walk, and over which arc."""
        idle, who = self._ways.net.graph.n_arcs, np.arange(len(node))
        while True:
            before = self._before[row, node].astype(np.int64)
            going = before >= 0
            if not going.all():
                who, row, node, before = who[going], row[going], node[going], before[going]
            if not len(who):
                return
            tail, head = (node, before) if self.backward else (before, node)
            arc = self._arc[np.searchsorted(self._ways._key, tail * self._ways.size + head)]
            # The step between a gate and its sink is not an arc.
            real = arc < idle
            yield who[real], arc[real]
            node = before


def _grown(
    grow: Any,
    edges: csr_matrix,
    roots: LongArray,
    most: float,
    asked: tuple[LongArray, LongArray] | None,
) -> tuple[FloatArray, IntArray]:
    """Distances and nodes before [root, node] by the compiled loop, half of the trees on each of two threads.

    asked: numbers of trees and the nodes asked for from them; None for all nodes.
    """
    shape = len(roots), edges.shape[0]
    distance, before = np.empty(shape), np.empty(shape, dtype=np.int32)
    tree, ends = (np.zeros(0, dtype=np.int64),) * 2 if asked is None else asked
    order = np.argsort(tree, kind="stable")
    first, ends = np.searchsorted(tree[order], np.arange(len(roots) + 1)), ends[order]

    def part(rows: slice) -> None:
        of = first[rows.start : rows.stop + 1]
        lists = edges.indptr, edges.indices, edges.data
        grow(lists, roots[rows], of, ends, most, distance[rows], before[rows])

    middle = len(roots) // 2
    side_by_side([partial(part, rows) for rows in (slice(0, middle), slice(middle, len(roots)))])
    return distance, before


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of the routes of all pairs asked for: the row of a tree and the node it is walked from."""

    trees: _Trees
    row: LongArray
    node: LongArray


@dataclass(frozen=True, eq=False)
class Found:
    """The routes of one search, part by part in order of travel: trees to walk, or one arc per pair.

    net: that was searched; mirrored: from the western end, in the other direction; parts: of the routes.
    """

    net: Network
    mirrored: bool
    parts: Sequence[_Part | IntArray]

    def routes(self, chosen: LongArray) -> tuple[IntArray, LongArray, HashArray]:
        """Routes of some of the pairs asked for: arcs, start, and a mark equal for equal routes.

        chosen: positions among those pairs. Read from the eastern end. Only pairs of finite cost have one.
        """
        walked = [
            [(np.arange(len(chosen)), part[chosen])]
            if isinstance(part, np.ndarray)
            else list(part.trees.walk(part.row[chosen], part.node[chosen]))
            for part in self.parts
        ]
        lengths = np.zeros((len(walked) + 1, len(chosen)), dtype=np.int64)
        mark = np.zeros(len(chosen), dtype=np.uint64)
        for number, steps in enumerate(walked, 1):
            for who, arc in steps:
                lengths[number, who] += 1
                mark[who] += self.net.mark[arc]
        length = lengths.sum(axis=0)
        start = np.concatenate([[0], np.cumsum(length)])
        arcs = np.empty(int(start[-1]), dtype=np.int32)
        begin = np.cumsum(lengths, axis=0)
        for number, (part, steps) in enumerate(zip(self.parts, walked, strict=True)):
            taken = np.zeros(len(chosen), dtype=np.int64)
            # A tree from the origin is walked against the direction of travel.
            ahead = isinstance(part, np.ndarray) or part.trees.backward
            for who, arc in steps:
                at = begin[number, who] + taken[who] if ahead else begin[number + 1, who] - 1 - taken[who]
                taken[who] += 1
                if self.mirrored:
                    arcs[start[who] + length[who] - 1 - at] = self.net.graph.reverse[arc]
                else:
                    arcs[start[who] + at] = arc
        return arcs, start, mark
