"""Candidate routes: what the searches found, sorted into corridor families, and the best of each kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.transport.graph import LAYERS, ROAD, SEA, Graph
from landbridge.transport.search import Batch, Pairs

__all__ = [
    "BLOCK_ROUTES",
    "FAMILIES",
    "Candidates",
    "extract",
    "families",
    "incidence",
    "joined",
    "mirror",
    "select",
    "take",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FAMILIES = ("northern", "trans-caspian", "southern", "road", "sea", "other")
NORTHERN, TRANS_CASPIAN, SOUTHERN, BY_ROAD, BY_SEA, OTHER = range(6)

# Products and USD per hour by which routes are ranked; families are compared by the middle one.
_RANK = ((0, 0.2), (0, 8.0), (1, 2.0), (1, 40.0))
_MIDDLE = 1
# Rival first gateways (the border posts of the eastern end) stay in the set up to this ratio.
_NEAR = 1.4

_BITS_IN_BYTE = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.int64)

# A whole family is left out where even its best route costs this many times the pair's cheapest:
# Berlin - Warsaw has a way over the Caspian that nobody takes. Trucks are dear and used all the same.
_ABSURD = np.array([3.0, 2.5, 2.5, 6.0, 2.5, 3.0])
# A family that a pair lacks in the base must come below this share of the mark to enter with a scenario.
_WELL_BELOW = 2.0 / 3.0
RAIL_LEG_KM = 300.0
# Routes whose arcs are worked on at a time.
BLOCK_ROUTES = 16384


@dataclass
class Candidates:
    """Distinct candidate routes, read from the eastern end."""

    pair: LongArray
    arcs: IntArray
    start: LongArray
    family: IntArray

    def only(self, rows: LongArray) -> Candidates:
        """Some of the candidates, in the order asked for."""
        arcs, start = take(self.arcs, self.start, rows)
        return Candidates(self.pair[rows], arcs, start, self.family[rows])

    def blocks(self) -> Iterator[Candidates]:
        """A few thousand routes at a time: what is computed along their arcs stays in cache and small."""
        for low in range(0, len(self.pair), BLOCK_ROUTES):
            part = slice(low, low + BLOCK_ROUTES)
            start = self.start[low : low + BLOCK_ROUTES + 1]
            yield Candidates(
                self.pair[part], self.arcs[start[0] : start[-1]], start - start[0], self.family[part]
            )


def joined(parts: Sequence[Candidates]) -> Candidates:
    """Several candidate lists as one, in order."""
    lengths = np.concatenate([np.diff(part.start) for part in parts])
    return Candidates(
        np.concatenate([part.pair for part in parts]),
        np.concatenate([part.arcs for part in parts]),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([part.family for part in parts]),
    )


def extract(batches: list[Batch], pairs: Pairs, graph: Graph) -> Candidates:
    """Unique candidates as arc lists; routes that come back to a place are dropped."""
    pair = np.concatenate([b.pair for b in batches] or [np.zeros(0, dtype=np.int64)])
    mark = np.concatenate([b.mark for b in batches] or [np.zeros(0, dtype=np.uint64)])
    order = np.lexsort((mark, pair))
    p, m = pair[order], mark[order]
    fresh = np.ones(len(p), dtype=bool)
    fresh[1:] = (p[1:] != p[:-1]) | (m[1:] != m[:-1])
    # lexsort is stable: the first search that found a route is the one that writes it.
    chosen = np.zeros(len(pair), dtype=bool)
    chosen[order[fresh]] = True
    seen = _PlaceBits(graph)
    pieces, lengths, owners = [], [], []
    offset = 0
    while batches:
        batch = batches.pop(0)
        mine = np.flatnonzero(chosen[offset : offset + len(batch.pair)])
        offset += len(batch.pair)
        if not len(mine):
            continue
        length, arcs = batch.paths(mine)
        if batch.mirrored:
            arcs = mirror(arcs, length, graph.reverse)
        start = np.concatenate([[0], np.cumsum(length)])
        simple = seen.simple(arcs, start)
        pieces.append(arcs if simple.all() else arcs[np.repeat(simple, length)])
        lengths.append(length[simple])
        owners.append(batch.pair[mine[simple]])
    none = np.zeros(0, dtype=np.int64)
    arcs = np.concatenate([np.zeros(0, dtype=np.int32), *pieces])
    del pieces
    owner = np.concatenate([none, *owners])
    start = np.concatenate([[0], np.cumsum(np.concatenate([none, *lengths]))])
    order = np.argsort(owner, kind="stable")
    arcs, start = take(arcs, start, order)
    return Candidates(owner[order], arcs, start, np.zeros(0, dtype=np.int32))


def mirror(arcs: IntArray, length: LongArray, reverse: IntArray) -> IntArray:
    """The same routes in the other direction, in place; reverse [arc]: the arc that goes back."""
    end = np.cumsum(length)
    back = np.repeat(2 * end - length - 1, length) - np.arange(len(arcs))
    return reverse[arcs[back]]


def take(arcs: IntArray, start: LongArray, rows: LongArray) -> tuple[IntArray, LongArray]:
    """Some rows of a ragged array, in the order asked for."""
    length = np.diff(start)[rows]
    new = np.concatenate([[0], np.cumsum(length)])
    out = np.empty(int(new[-1]), dtype=arcs.dtype)
    for low in range(0, len(rows), BLOCK_ROUTES):
        part = slice(low, low + BLOCK_ROUTES)
        first, last = new[low], new[min(low + BLOCK_ROUTES, len(rows))]
        index = np.arange(first, last) + np.repeat(start[rows[part]] - new[:-1][part], length[part])
        out[first:last] = arcs[index]
    return out, new


class _PlaceBits:
    """One bit per place, to see whether a route comes back to a place it has left."""

    def __init__(self, graph: Graph) -> None:
        place = graph.head // len(LAYERS)
        words = len(graph.places) // 64 + 1
        self.bits = np.zeros((words, graph.n_arcs), dtype=np.uint64)
        self.bits[place // 64, np.arange(graph.n_arcs)] = np.uint64(1) << (place % 64).astype(np.uint64)
        self.moved = (graph.tail // len(LAYERS)) != place

    def simple(self, arcs: IntArray, start: LongArray) -> BoolArray:
        """As many distinct places as changes of place, plus one (the gate's arc is inside the origin)."""
        changes = np.add.reduceat(self.moved[arcs], start[:-1], dtype=np.int64)
        distinct = np.zeros(len(start) - 1, dtype=np.int64)
        for bits in self.bits:
            seen = np.bitwise_or.reduceat(bits[arcs], start[:-1])
            distinct += _BITS_IN_BYTE[seen.view(np.uint8)].reshape(-1, 8).sum(axis=1)
        return np.asarray(distinct == changes + 1)


def families(graph: Graph, routes: Candidates) -> IntArray:
    """The corridor family of every route: the first rule that fits (see `generate`)."""
    arcs, start = routes.arcs, routes.start
    n = len(routes.pair)
    if not n:
        return np.zeros(0, dtype=np.int32)
    rows = start[:-1]
    steps = np.arange(len(arcs))
    far = np.iinfo(np.int64).max
    ship = np.minimum.reduceat(np.where(graph.ocean_ship[arcs], steps, far), rows)
    enters = np.minimum.reduceat(np.where(graph.enters_turkey_or_russia[arcs], steps, far), rows)
    family = np.full(n, OTHER, dtype=np.int32)
    borders = np.logical_or.reduceat(graph.border[arcs], rows)
    family[borders] = NORTHERN
    family[_longest_rail_leg(graph, routes) <= RAIL_LEG_KM] = BY_ROAD
    family[np.logical_or.reduceat(graph.iran_land[arcs], rows)] = SOUTHERN
    family[_by_sea(graph, routes, ship, enters)] = BY_SEA
    caspian = np.logical_or.reduceat(graph.caspian_ship[arcs], rows)
    family[caspian & ~_through(graph, routes, "RUS")] = TRANS_CASPIAN
    return family


def _through(graph: Graph, routes: Candidates, country: str) -> BoolArray:
    """Routes that pass a country in which they neither begin nor end."""
    inside = np.array([c == country for c in graph.countries])
    place = graph.head[routes.arcs] // len(LAYERS)
    first, last = routes.start[:-1], routes.start[1:] - 1
    passes = np.logical_or.reduceat(inside[place], first)
    return np.asarray(passes & ~inside[place[first]] & ~inside[place[last]])


def _by_sea(graph: Graph, routes: Candidates, ship: LongArray, enters: LongArray) -> BoolArray:
    """Ocean ship boarded before the route has entered Russia or Turkey, or most of the km by ship.

    A ship boarded early only counts if it carries at least as far as the land that follows: Shanghai -
    Qingdao by coaster, or Shanghai - Vladivostok, and then rails to Europe is no sea route.
    """
    arcs, rows = routes.arcs, routes.start[:-1]
    by_ship = np.where(graph.ocean_ship, graph.length_km, 0.0)[arcs]
    on_land = np.where(graph.mode == SEA, 0.0, graph.length_km)[arcs]
    ship_km = np.add.reduceat(by_ship, rows)
    land_km = np.add.reduceat(on_land, rows)
    boarded = np.repeat(ship, np.diff(routes.start)) <= np.arange(len(arcs))
    after_km = np.add.reduceat(on_land * boarded, rows)
    early = (ship < enters) & (ship_km >= after_km)
    return (ship_km > 0.0) & (early | (ship_km > land_km))


def _longest_rail_leg(graph: Graph, routes: Candidates) -> FloatArray:
    """Longest stretch on rails without a transfer or a ship; a change of gauge does not end it [km]."""
    arcs, start = routes.arcs, routes.start
    km = graph.rail_km[arcs]
    total = np.add.reduceat(km, start[:-1])
    layer = graph.head % len(LAYERS)
    off = ((layer == ROAD) | (layer == SEA))[arcs]
    several = np.flatnonzero((total > RAIL_LEG_KM) & np.logical_or.reduceat(off, start[:-1]))
    if len(several):
        part, begin = take(arcs, start, several)
        ends = ((layer == ROAD) | (layer == SEA))[part]
        ends[begin[:-1]] = True
        leg = np.cumsum(ends) - 1
        leg_km = np.bincount(leg, weights=graph.rail_km[part])
        total[several] = np.maximum.reduceat(leg_km, leg[begin[:-1]])
    return total


def select(
    graph: Graph,
    routes: Candidates,
    pairs: Pairs,
    most: int,
    detour: float,
    has_family: BoolArray | None = None,
) -> BoolArray:
    """Routes to keep for a graph: the detour filter, then the best few of each family by gateways used.

    has_family [pair x family]: what the base has, None for the base itself.
    """
    n = len(routes.pair)
    kept = np.zeros(n, dtype=bool)
    if not n:
        return kept
    matrix = incidence(routes.arcs, routes.start, graph.n_arcs)
    closed = ~graph.available
    columns = [graph.cost_usd[:, p] + v * graph.time_h[:, p] for p, v in _RANK]
    columns += [column[graph.reverse] for column in columns]
    values = np.stack([*columns, graph.length_km, closed.astype(float)], axis=1)
    sums = np.asarray(matrix @ values)
    alive = np.flatnonzero(sums[:, -1] == 0.0)
    if has_family is not None:
        # A land corridor is new where land was built; one that begins with a ship was open before, and
        # only not worth a search.
        by_ship = np.asarray(matrix @ graph.ocean_ship.astype(float)) > 0.0
        own = has_family[routes.pair * len(FAMILIES) + routes.family]
        alive = alive[(own | ~by_ship | (routes.family == BY_SEA))[alive]]
    if not len(alive):
        return kept
    alive = alive[_cheapest_of_alike(graph, routes, alive, sums[alive, _MIDDLE])]
    group = routes.pair[alive] * len(FAMILIES) + routes.family[alive]
    order = np.argsort(group, kind="stable")
    alive, group = alive[order], group[order]
    first = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    size = np.diff(np.append(first, len(group)))
    sums = sums[alive]
    ratio = sums[:, :-1] / np.repeat(np.maximum(np.minimum.reduceat(sums[:, :-1], first), 1e-9), size, axis=0)
    rank = ratio[:, :-1].min(axis=1)
    leader = rank <= 1.0 + 1e-9
    pair_first = np.flatnonzero(np.concatenate([[True], np.diff(group // len(FAMILIES)) > 0]))
    least = np.minimum.reduceat(sums[:, _MIDDLE], pair_first)
    times = np.diff(np.append(pair_first, len(group)))
    over = sums[:, _MIDDLE] / np.repeat(least, times)
    mark = _ABSURD[group % len(FAMILIES)]
    if has_family is not None:
        mark = np.where(has_family[group], np.inf, _WELL_BELOW * mark)
    absurd = np.repeat(np.minimum.reduceat(over, first), size) > mark
    absurd &= ~pairs.every_family[group // len(FAMILIES)]
    fine = ~absurd & (leader | ((rank <= detour) & (ratio[:, -1] <= detour)))
    alive, group, rank, leader = alive[fine], group[fine], rank[fine], leader[fine]
    # The best over each first gateway (the rival borders of the eastern end), if it comes near, then the
    # best over each other set of gateways, then variants.
    marks = np.random.default_rng(11).integers(1, 2**52, len(graph.gateways) + 1).astype(float)
    marks[-1] = 0.0
    along = np.asarray(matrix[alive] @ marks[graph.gateway])
    near = (_number_within(group, _first_gateway(graph, routes)[alive], rank) == 0) & (rank <= _NEAR)
    variant = np.where(leader, -2, np.where(near, -1, _number_within(group, along, rank)))
    order = np.lexsort((alive, rank, variant, group))
    position = np.arange(len(order))
    g = group[order]
    begin = np.maximum.accumulate(np.where(np.concatenate([[True], g[1:] != g[:-1]]), position, 0))
    stays = (position - begin < most) | leader[order] | near[order]
    kept[alive[order[stays]]] = True
    return kept


def _number_within(group: LongArray, kind: NDArray[Any], rank: FloatArray) -> LongArray:
    """0 for the best of each (group, kind), 1 for the next ..."""
    order = np.lexsort((rank, kind, group))
    fresh = np.ones(len(order), dtype=bool)
    g, k = group[order], kind[order]
    fresh[1:] = (g[1:] != g[:-1]) | (k[1:] != k[:-1])
    position = np.arange(len(order))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = position - np.maximum.accumulate(np.where(fresh, position, 0))
    return number


def _first_gateway(graph: Graph, routes: Candidates) -> LongArray:
    """The first gateway of every route from its eastern end, -1 for none."""
    found = []
    for block in routes.blocks():
        through = graph.gateway[block.arcs]
        steps = np.where(through >= 0, np.arange(len(through)), len(through))
        first = np.minimum.reduceat(steps, block.start[:-1])
        last = block.start[1:] - 1
        found.append(np.where(first <= last, through[np.minimum(first, last)], -1))
    return np.concatenate(found).astype(np.int64)


def _cheapest_of_alike(graph: Graph, routes: Candidates, alive: LongArray, cost: FloatArray) -> LongArray:
    """Of routes that differ only in where the gauge is changed on a dual-gauge section, or by which ports a
    ship calls between the same two ports past the same straits, the cheapest."""
    rng = np.random.default_rng(5)
    by_link = rng.integers(1, 2**63, len(graph.links) * 8 + 1, dtype=np.uint64)
    by_state = rng.integers(1, 2**63, graph.n_states, dtype=np.uint64)
    by_strait = rng.integers(1, 2**63, len(graph.gateways), dtype=np.uint64)
    # A haul counts by its link and direction whatever its gauge, a change of gauge not at all.
    rails = (graph.mode >= 1) & (graph.mode <= 3)
    onward = graph.head > graph.tail
    same = np.where(
        graph.link >= 0,
        by_link[graph.link * 8 + onward + 2 * np.where(rails, 0, 1)],
        by_state[graph.tail] * np.uint64(3) + by_state[graph.head],
    )
    gauge_change = (graph.link < 0) & _is_rail(graph.tail) & _is_rail(graph.head)
    at_sea = graph.mode == SEA
    same = np.where(gauge_change | at_sea, np.uint64(0), same)
    past = at_sea[graph.govern_arc]
    np.add.at(same, graph.govern_arc[past], by_strait[graph.govern_gateway[past]])
    mark = np.concatenate([np.add.reduceat(same[b.arcs], b.start[:-1]) for b in routes.blocks()])[alive]
    order = np.lexsort((alive, cost, mark, routes.pair[alive]))
    pair, mark = routes.pair[alive][order], mark[order]
    first = np.concatenate([[True], (pair[1:] != pair[:-1]) | (mark[1:] != mark[:-1])])
    return np.sort(order[first])


def _is_rail(state: IntArray) -> BoolArray:
    layer = state % len(LAYERS)
    return (layer >= 1) & (layer <= 3)


def incidence(arcs: IntArray, start: LongArray, n_arcs: int) -> csr_matrix:
    """How often each route passes each arc [route, arc]."""
    return csr_matrix((np.ones(len(arcs)), arcs, start.astype(np.int32)), shape=(len(start) - 1, n_arcs))
