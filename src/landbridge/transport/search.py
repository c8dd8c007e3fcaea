"""The search for candidate routes: least-cost trees from every place, and joins of two trees over an arc.

A forward tree runs from the eastern ends of the pairs, a backward tree to their western ends. Joining
them over the arcs that carry a family's mark (a Caspian ship, a first ocean ship, an entry into Iran, a
border post) gives at once the best route through every such arc, so each gateway's rivals are found
without closing it in turn; straits, which lie in series on one lane, are closed in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from landbridge.transport.graph import GATE_IN, GATE_OUT, LAYERS, ROAD, SEA, Graph

__all__ = ["Batch", "Pairs", "search", "search_through"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
HashArray = NDArray[np.uint64]

# Blends: product, USD per hour, USD per kg CO2e, factor on road hauls (to find the rail routes).
# 0.2 USD/h is ore, 8 machinery, 40 electronics: 1 %/day of 20,000 and 2 %/day of 50,000 USD/TEU.
_WHOLE = ((0, 0.2, 0.0), (0, 8.0, 0.0), (0, 40.0, 0.0), (1, 0.2, 0.0), (1, 8.0, 0.0), (0, 8.0, 1.0))
_FAMILY = ((0, 8.0, 4.0), (1, 2.0, 4.0), (0, 30.0, 1.0))
_NORTH_AND_EAST_OF_IRAN = ("AFG", "CHN", "KAZ", "KGZ", "MNG", "RUS", "TJK", "TKM", "UZB")
_JOIN_RATIO = 1.6


class Pairs:
    """Requested pairs, and the unordered pairs (eastern end, western end) they come from."""

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
        self.easts, self.east_row = np.unique(self.east, return_inverse=True)
        self.wests, self.west_row = np.unique(self.west, return_inverse=True)
        self.undirected = self.undirected.astype(np.int64)
        self.every_family = np.zeros(len(code), dtype=bool)
        if every_family is not None:
            self.every_family[self.undirected[every_family[rows, columns]]] = True

    def only(self, chosen: LongArray) -> Pairs:
        """Some of the unordered pairs, for a search of their own; number i is `chosen[i]` here."""
        part = object.__new__(Pairs)
        part.origin, part.destination = self.origin[:0], self.destination[:0]
        part.westward, part.undirected = self.westward[:0], self.undirected[:0]
        part.east, part.west = self.east[chosen], self.west[chosen]
        part.easts, part.east_row = np.unique(part.east, return_inverse=True)
        part.wests, part.west_row = np.unique(part.west, return_inverse=True)
        part.every_family = self.every_family[chosen]
        return part


class _Net:
    """States in use, numbered tightly, with the arcs sorted for quick sub-graphs and look-ups."""

    def __init__(self, graph: Graph, pairs: Pairs) -> None:
        self.graph = graph
        layer_tail, layer_head = graph.tail % len(LAYERS), graph.head % len(LAYERS)
        ends = np.zeros(len(graph.places), dtype=bool)
        ends[pairs.east] = ends[pairs.west] = True
        gate = (layer_tail == GATE_OUT) & ~ends[graph.tail // len(LAYERS)]
        gate |= (layer_head == GATE_IN) & ~ends[graph.head // len(LAYERS)]
        self.open = graph.available & ~gate
        used = np.zeros(graph.n_states, dtype=bool)
        used[graph.tail[self.open]] = used[graph.head[self.open]] = True
        every = np.unique(np.concatenate([pairs.east, pairs.west]))
        used[every * len(LAYERS) + GATE_OUT] = used[every * len(LAYERS) + GATE_IN] = True
        self.number = np.cumsum(used) - 1
        self.size = int(used.sum())
        self.tail, self.head = self.number[graph.tail], self.number[graph.head]
        self.key = self.tail * self.size + self.head
        self.lookup = np.full(self.size * self.size, -1, dtype=np.int32)
        # The mark of an arc and of its mirror are equal: a route and its mirror are one candidate.
        marks = np.random.default_rng(20230701).integers(1, 2**63, graph.n_arcs, dtype=np.uint64)
        self.mark = np.append(marks[np.minimum(np.arange(graph.n_arcs), graph.reverse)], np.uint64(0))

    def gate(self, places: LongArray, layer: int) -> LongArray:
        return np.asarray(self.number[places * len(LAYERS) + layer])

    def trees(self, cost: FloatArray, allowed: BoolArray, roots: LongArray, *, forward: bool) -> _Trees:
        """Least-cost trees from (or, backward, to) each root over the allowed arcs."""
        arcs = np.flatnonzero(allowed & self.open)
        key = self.key[arcs] if forward else self.head[arcs] * self.size + self.tail[arcs]
        # Of parallel arcs only the cheapest may enter the matrix, which would add them up.
        order = np.lexsort((cost[arcs], key))
        arcs, key = arcs[order], key[order]
        kept = np.concatenate([[True], key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=bool)
        arcs, key = arcs[kept], key[kept]
        self.lookup[key] = arcs
        bounds = np.searchsorted(key, np.arange(self.size + 1) * self.size).astype(np.int32)
        matrix = csr_matrix(
            (cost[arcs], (key % self.size).astype(np.int32), bounds), shape=(self.size, self.size)
        )
        distance, before = dijkstra(matrix, indices=roots, return_predecessors=True)
        return _Trees(self, distance, before)


@dataclass(frozen=True)
class _Steps:
    """How to walk the trees back to their roots: the arc taken at each (root, state), and where to."""

    arc: IntArray
    next: IntArray
    size: int


class _Trees:
    """Predecessor trees with a 64-bit mark of the path to every state, by pointer jumping."""

    def __init__(self, net: _Net, distance: FloatArray, before: NDArray[np.int32]) -> None:
        n_roots, size = before.shape
        own = np.arange(size, dtype=np.int64)
        reached = before >= 0
        previous = np.where(reached, before, own[None, :])
        arc = np.where(reached, net.lookup[previous * size + own], -1).astype(np.int32).ravel()
        jump = (previous + (np.arange(n_roots, dtype=np.int64) * size)[:, None]).ravel()
        self.distance = distance
        # Candidates keep the steps only; distances and marks die with the search.
        self.steps = _Steps(arc, jump.astype(np.int32), size)
        mark = net.mark[arc]
        while True:
            further = jump[jump]
            if np.array_equal(further, jump):
                break
            mark = mark + mark[jump]
            jump = further
        self.mark = mark.reshape(n_roots, size)


@dataclass
class Batch:
    """Candidates of one search: a path in forward trees, optionally joined to one in backward trees.

    pair: unordered pair; mark: 64-bit mark; row, state: where the path ends in the forward trees;
    join: the joining arc; back_row, back_state: where the rest begins in the backward trees.
    mirrored: the path runs from the western end.
    """

    pair: LongArray
    mark: HashArray
    steps: _Steps
    row: LongArray
    state: LongArray
    back: _Steps | None = None
    join: LongArray | None = None
    back_row: LongArray | None = None
    back_state: LongArray | None = None
    mirrored: bool = False

    def paths(self, chosen: LongArray) -> tuple[LongArray, IntArray]:
        """Lengths and concatenated arcs of the chosen candidates, in order of travel."""
        ahead, ahead_length = _walk(self.steps, self.row[chosen], self.state[chosen])
        if self.back is None or self.join is None or self.back_row is None or self.back_state is None:
            length = ahead_length
            start = np.cumsum(length) - length
            arcs = np.empty(int(length.sum()), dtype=np.int32)
        else:
            rest, rest_length = _walk(self.back, self.back_row[chosen], self.back_state[chosen])
            length = ahead_length + 1 + rest_length
            start = np.cumsum(length) - length
            arcs = np.empty(int(length.sum()), dtype=np.int32)
            arcs[start + ahead_length] = self.join[chosen]
            for step, (who, arc) in enumerate(rest):
                arcs[start[who] + ahead_length[who] + 1 + step] = arc
        for step, (who, arc) in enumerate(ahead):
            arcs[start[who] + ahead_length[who] - 1 - step] = arc
        return length, arcs


def _walk(
    steps: _Steps, row: LongArray, state: LongArray
) -> tuple[list[tuple[LongArray, IntArray]], LongArray]:
    """From states back to their roots: per step, who still walks and over which arc; and the lengths."""
    at = row * steps.size + state
    who = np.arange(len(at))
    length = np.zeros(len(at), dtype=np.int64)
    taken: list[tuple[LongArray, IntArray]] = []
    while len(who):
        arc = steps.arc[at]
        going = arc >= 0
        if not going.all():
            who, at, arc = who[going], at[going], arc[going]
        taken.append((who, arc))
        length[who] += 1
        at = steps.next[at]
    return taken, length


def search(graph: Graph, pairs: Pairs, *, quick: bool = False) -> Iterator[Batch]:
    """All searches on one graph; quick: fewer blends."""
    net = _Net(graph, pairs)
    blend = _Blend(graph)
    sea_haul = graph.mode == SEA
    boards = (graph.head % len(LAYERS) == SEA) & ~sea_haul
    lands = (graph.tail % len(LAYERS) == SEA) & ~sea_haul
    land = ~sea_haul & ~boards & ~lands
    iran = graph.iran_land
    # Beyond Iran a southern route goes on west; with the countries it came through open, the cheapest
    # way would step into Iran and straight back.
    inner = _within(graph, _NORTH_AND_EAST_OF_IRAN) & ~sea_haul
    russia = _within(graph, ("RUS",))

    anything = np.ones(graph.n_arcs, dtype=bool)
    for product, per_hour, per_kg in _WHOLE[:2] if quick else _WHOLE:
        yield from _direct(net, pairs, blend(product, per_hour, per_kg), anything, both_ways=True)
    rails = (graph.mode >= 1) & (graph.mode <= 3)
    by_road = land & ~rails
    for per_hour in (8.0,) if quick else (1.0, 30.0):
        yield from _direct(net, pairs, blend(1, per_hour, 0.0), by_road)

    posts = np.flatnonzero(graph.border & (graph.gateway >= 0) & net.open & ~iran & rails)
    caspian = np.flatnonzero(graph.caspian_ship & net.open)
    entries = np.flatnonzero(_enters(graph, "IRN") & net.open)
    westgates = np.flatnonzero(graph.enters_turkey_or_russia & net.open & ~iran & rails)
    to_turkey = np.flatnonzero(graph.enters_turkey_or_russia & iran & net.open)
    ocean = np.flatnonzero(graph.ocean_ship & net.open)
    before_ship = ~sea_haul & ~lands & ~graph.enters_turkey_or_russia
    east, west = net.gate(pairs.easts, GATE_OUT), net.gate(pairs.wests, GATE_IN)
    for number, (product, per_hour, road) in enumerate(_FAMILY[:1] if quick else _FAMILY):
        cost = blend(product, per_hour, 0.0, road)
        north_out = net.trees(cost, (land | boards) & ~iran, east, forward=True)
        iran_in = net.trees(cost, (land | lands) & ~inner, west, forward=False)
        ship_in = net.trees(cost, ~graph.caspian_ship, west, forward=False)
        land_out = net.trees(cost, land | boards, east, forward=True)
        sea_out = net.trees(cost, before_ship, east, forward=True)
        yield _plain(net, pairs, north_out)
        yield _plain(net, pairs, land_out)
        if number < 2:
            north_in = net.trees(cost, (land | lands) & ~iran, west, forward=False)
            # Every border of the eastern end's own country, then every border on the way.
            home = net.trees(cost, (land | boards) & ~graph.border, east, forward=True)
            yield from _join(net, pairs, cost, home, posts, north_in, most=12)
            yield from _join(net, pairs, cost, north_out, posts, north_in, most=3)
            yield from _join(net, pairs, cost, north_out, westgates, ship_in, most=2)
        past_russia = net.trees(cost, ~graph.caspian_ship & ~russia, west, forward=False)
        yield from _join(net, pairs, cost, land_out, caspian, past_russia, most=3)
        yield from _join(net, pairs, cost, land_out, caspian, ship_in, most=1)
        yield from _join(net, pairs, cost, north_out, entries, iran_in, most=3)
        # Out of Iran into Turkey and then by ship: the southern way to places without a land link.
        yield from _join(net, pairs, cost, land_out, to_turkey, ship_in, most=1)
        yield from _join(net, pairs, cost, sea_out, ocean, ship_in, most=3)
        if number == 0:
            for lanes in _passages(graph):
                closed_in = net.trees(cost, ~graph.caspian_ship & ~lanes, west, forward=False)
                yield from _join(net, pairs, cost, sea_out, ocean[~lanes[ocean]], closed_in, most=1)


class _Blend:
    """Additive costs by which trees are grown: money, hours, CO2e, with road hauls weighed apart."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._road_haul = (graph.mode == ROAD).astype(float)

    def __call__(self, product: int, per_hour: float, per_kg: float, road: float = 1.0) -> FloatArray:
        graph = self._graph
        cost = graph.cost_usd[:, product] + per_hour * graph.time_h[:, product]
        cost = cost + per_kg * graph.co2e_kg[:, product]
        # A cent an arc: no arc is free, and of equal routes the plainer is found.
        return np.asarray(cost * (1.0 + (road - 1.0) * self._road_haul) + 0.01)


def search_through(graph: Graph, pairs: Pairs, arcs: BoolArray) -> Iterator[Batch]:
    """Routes over some of the arcs: by land on both sides of them, then by any mode."""
    net = _Net(graph, pairs)
    blend = _Blend(graph)
    through = np.flatnonzero(arcs & net.open)
    sea_haul = graph.mode == SEA
    at_sea = (graph.head % len(LAYERS) == SEA) | (graph.tail % len(LAYERS) == SEA) | sea_haul
    anything = np.ones(graph.n_arcs, dtype=bool)
    east, west = net.gate(pairs.easts, GATE_OUT), net.gate(pairs.wests, GATE_IN)
    for number, (product, per_hour, road) in enumerate(_FAMILY):
        cost = blend(product, per_hour, 0.0, road)
        for allowed, most in ((~at_sea, 3), (anything, 2)) if number == 0 else ((anything, 2),):
            out = net.trees(cost, allowed, east, forward=True)
            back = net.trees(cost, allowed, west, forward=False)
            yield from _join(net, pairs, cost, out, through, back, most=most)


def _within(graph: Graph, countries: Sequence[str]) -> BoolArray:
    """Arcs with an end in one of the countries."""
    inside = np.isin(np.array(graph.countries), countries)
    return inside[graph.tail // len(LAYERS)] | inside[graph.head // len(LAYERS)]


def _enters(graph: Graph, country: str) -> BoolArray:
    inside = np.array([c == country for c in graph.countries])
    tail, head = graph.tail // len(LAYERS), graph.head // len(LAYERS)
    return np.asarray(inside[head] & ~inside[tail] & (graph.mode != SEA))


def _passages(graph: Graph) -> list[BoolArray]:
    """Sea lanes of each strait, once for every distinct set of lanes."""
    found: dict[bytes, BoolArray] = {}
    at_sea = graph.mode[graph.govern_arc] == SEA
    for gateway in np.unique(graph.govern_gateway[at_sea]):
        lanes = np.zeros(graph.n_arcs, dtype=bool)
        lanes[graph.govern_arc[at_sea & (graph.govern_gateway == gateway)]] = True
        found.setdefault(lanes.tobytes(), lanes)
    return list(found.values())


def _direct(
    net: _Net, pairs: Pairs, cost: FloatArray, allowed: BoolArray, *, both_ways: bool = False
) -> Iterator[Batch]:
    """Paths from gate to gate in plain trees; both_ways also from the western end, mirrored."""
    roots = net.gate(pairs.easts, GATE_OUT)
    yield _plain(net, pairs, net.trees(cost, allowed, roots, forward=True))
    if both_ways:
        trees = net.trees(cost, allowed, net.gate(pairs.wests, GATE_OUT), forward=True)
        yield _plain(net, pairs, trees, mirrored=True)


def _plain(net: _Net, pairs: Pairs, trees: _Trees, *, mirrored: bool = False) -> Batch:
    row = pairs.west_row if mirrored else pairs.east_row
    state = net.gate(pairs.east if mirrored else pairs.west, GATE_IN)
    found = np.flatnonzero(np.isfinite(trees.distance[row, state]))
    row, state = row[found], state[found]
    return Batch(found, trees.mark[row, state], trees.steps, row, state, mirrored=mirrored)


def _join(
    net: _Net, pairs: Pairs, cost: FloatArray, out: _Trees, arcs: LongArray, back: _Trees, *, most: int
) -> Iterator[Batch]:
    """The `most` best distinct routes of every pair through one of the arcs.

    cost of o-d through a = (u, v): D_out[o, u] + c_a + D_back[d, v].
    """
    if not len(arcs):
        return
    tails, heads = net.tail[arcs], net.head[arcs]
    ahead = np.ascontiguousarray((out.distance[:, tails] + cost[arcs]).T)
    rest = np.ascontiguousarray(back.distance[:, heads].T)
    total = ahead[:, pairs.east_row] + rest[:, pairs.west_row]
    mark = np.ascontiguousarray((out.mark[:, tails] + net.mark[arcs]).T)[:, pairs.east_row]
    mark += np.ascontiguousarray(back.mark[:, heads].T)[:, pairs.west_row]
    everyone = np.arange(total.shape[1])
    limit = np.full(total.shape[1], np.inf)
    for round_ in range(most):
        best = total.argmin(axis=0)
        value = total[best, everyone]
        if round_ == 0:
            limit = value * _JOIN_RATIO
        found = np.flatnonzero(np.isfinite(value) & (value <= limit))
        if not len(found):
            return
        which = best[found]
        yield Batch(
            found,
            mark[which, found],
            out.steps,
            pairs.east_row[found],
            tails[which],
            back.steps,
            arcs[which],
            pairs.west_row[found],
            heads[which],
        )
        # Posts in series give one route several times.
        if round_ + 1 < most:
            total[mark == mark[best, everyone]] = np.inf
