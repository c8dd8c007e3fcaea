"""Route sets: for every pair of places the relevant routes, by corridor family.

Least-cost trees on additive costs *generate* the routes, for several blends of hours, money and emissions,
inside each family (see `candidates`). The base is searched completely. A scenario adds routes only over arcs
that it opens, so that every other pair is unchanged; a scenario that closes arcs adds nothing that could make
a pair better off. Families are read from a route's eastern end, so both directions agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.io.cache import fingerprint
from landbridge.transport.graph import SIDES, Graph
from landbridge.transport.routes.candidates import Search
from landbridge.transport.routes.case_set import CaseSearch, SearchedBase, transit_arcs
from landbridge.transport.routes.families import FAMILIES, Labels
from landbridge.transport.routes.lists import BLOCK_ROUTES, Candidates, arc_type, joined, mirror, take
from landbridge.transport.routes.search import Pairs

__all__ = ["FAMILIES", "Keep", "RouteSet", "RouteSums", "arc_type", "generate", "in_transit", "transit_arcs"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
# Numbers of arcs in two bytes where they fit, else in four.
ArcArray = NDArray[Any]

DETOUR = 2.0
# What follows from fewer routes is as quick to make as to read.
_WORTH_KEEPING = 50_000
# (graph of the case, of the base, pairs, countries without transit, detour) -> result of `search_case`.
KnownCase = Callable[[Graph, Graph, Pairs, frozenset[str], float], tuple[Candidates, Candidates] | None]


class Keep(NamedTuple):
    """Callables that store the candidates of a base, and of a case, after a search."""

    base: Callable[[Graph, Pairs, Candidates], None]
    case: Callable[[Graph, Graph, Pairs, frozenset[str], float, tuple[Candidates, Candidates]], None]


@dataclass(frozen=True, eq=False)
class RouteSums:
    """Sums along every route, [product, route].

    time_h: hours; co2e_kg: per TEU; variance_h2: of the hours [h2]. In USD/TEU: cost_usd: of goods in
    containers; bulk_usd: of goods in bulk, see `money`.
    """

    time_h: FloatArray
    cost_usd: FloatArray
    co2e_kg: FloatArray
    variance_h2: FloatArray
    bulk_usd: FloatArray

    def money(self, kind: int) -> FloatArray:
        """Money of goods of a kind (number into `segments.KINDS`) [product, route], USD/TEU."""
        return self.cost_usd if kind == 0 else self.bulk_usd


@dataclass(frozen=True, eq=False)
class RouteSet:
    """Routes of all pairs as arc lists, sorted by pair and family; arrays are read-only.

    origin, destination [pair]: place numbers. pair, family [route].
    arcs [n], start [route + 1]: the arcs of route r are arcs[start[r]:start[r + 1]], in order of travel;
    uint16 where a graph has no more arcs (n_arcs) than that can number, else int32.
    group_start [group + 1]: routes of one pair and family are contiguous; group_pair, group_family. A pair
    without any route has no group.
    serves [graph, route]: the graphs that a route was kept for. Those of the base serve all; routes added by
    a scenario serve it alone, so that neither the base nor another scenario depends on it.
    again [route]: found by searching again a family whose best route is closed; such a family never costs
    less than in the base.
    """

    origin: IntArray
    destination: IntArray
    pair: IntArray
    family: IntArray
    arcs: ArcArray
    start: LongArray
    group_start: LongArray
    group_pair: IntArray
    group_family: IntArray
    n_arcs: int
    serves: BoolArray
    again: BoolArray
    _search: SearchedBase | None = field(default=None, repr=False)

    @property
    def n_routes(self) -> int:
        """Number of routes."""
        return len(self.pair)

    @property
    def n_pairs(self) -> int:
        """Number of pairs."""
        return len(self.origin)

    @property
    def worth_keeping(self) -> bool:
        """Whether what follows from the routes takes longer to make than to read from the cache folder."""
        return self.n_routes >= _WORTH_KEEPING

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the routes, the same for equal sets."""
        return fingerprint(self.arcs, self.start, self.group_start, self.group_pair)

    @cached_property
    def group_of_route(self) -> LongArray:
        """The (pair, family) group of every route [route]; wide integers, as it indexes often."""
        size = np.diff(self.group_start)
        return np.repeat(np.arange(len(size)), size)

    def _blocks(
        self, kind: type = np.float64, size: int = BLOCK_ROUTES
    ) -> Iterator[tuple[slice, csr_matrix]]:
        """How often routes pass arcs, some routes at a time: their numbers, csr [route, arc].

        All share one array of ones, so that no array of the size of the arcs is made.
        """
        bounds = np.append(np.arange(0, self.n_routes, size), self.n_routes)
        ones: NDArray[Any] = np.ones(int(np.diff(self.start[bounds]).max(initial=0)), dtype=kind)
        for low, high in pairwise(bounds.tolist()):
            start = self.start[low : high + 1]
            arcs = self.arcs[start[0] : start[-1]].astype(np.int32)
            within = (start - start[0]).astype(np.int32)
            shape = high - low, self.n_arcs
            yield slice(low, high), csr_matrix((ones[: len(arcs)], arcs, within), shape=shape)

    @cached_property
    def bundle_of_arc(self) -> LongArray:
        """Number of the bundle of every arc: arcs always used together share one; -1 if unused [arc].

        Found by equal sums of random numbers over the routes of an arc, in wrapping 64-bit arithmetic.
        """
        marks = np.random.default_rng(7).integers(-(2**62), 2**62, self.n_routes)
        signature: LongArray = np.zeros(self.n_arcs, dtype=np.int64)
        for rows, passes in self._blocks(np.int64):
            signature += passes.T @ marks[rows]
        used = np.flatnonzero(np.bincount(self.arcs, minlength=self.n_arcs))
        of = np.full(self.n_arcs, -1, dtype=np.int64)
        of[used] = np.unique(signature[used], return_inverse=True)[1]
        return of

    def over_arcs(self, values: FloatArray) -> FloatArray:
        """Sums of arc values along every route: values [arc, k] -> [route, k]."""
        out = np.empty((self.n_routes, values.shape[1]))
        for rows, passes in self._blocks():
            out[rows] = passes @ values
        return out

    def touching(self, marks: BoolArray) -> BoolArray:
        """Routes with at least one of the arcs marked: marks [arc, k] -> [route, k]."""
        out = np.empty((self.n_routes, marks.shape[1]), dtype=bool)
        values = marks.astype(float)
        for rows, passes in self._blocks():
            out[rows] = passes @ values > 0.0
        return out

    def to_arcs(self, values: FloatArray) -> FloatArray:
        """The transpose of `over_arcs`: values [route, k] summed on every arc of the route -> [arc, k]."""
        out = np.zeros((self.n_arcs, values.shape[1]))
        for rows, passes in self._blocks():
            out += passes.T @ values[rows]
        return out

    def to_arcs_by(self, values: FloatArray, group: LongArray, n: int) -> list[csr_matrix]:
        """As `to_arcs`, separately for n groups: values [route, k], group [route] -> k x [group, arc].

        Routes whose values are all zero take no time.
        """
        found = [csr_matrix((n, self.n_arcs)) for _ in range(values.shape[1])]
        for rows, passes in self._blocks(size=4 * BLOCK_ROUTES):
            some, of = values[rows], group[rows]
            for k, column in enumerate(some.T):
                moved = np.flatnonzero(column)
                if len(moved):
                    by = csr_matrix((column[moved], (of[moved], moved)), shape=(n, len(some)))
                    found[k] = found[k] + by @ passes
        return found

    def over_arcs_by(self, values: FloatArray, group: LongArray) -> FloatArray:
        """The transpose of `to_arcs_by`: values [group, arc], group [route] -> [route]."""
        out = np.empty(self.n_routes)
        for rows, passes in self._blocks():
            number = np.repeat(group[rows], np.diff(passes.indptr))
            out[rows] = (
                csr_matrix(
                    (values[number, passes.indices], passes.indices, passes.indptr), shape=passes.shape
                )
                .sum(axis=1)
                .A1
            )
        return out

    def sums(self, graph: Graph, known: tuple[Graph, RouteSums] | None = None) -> RouteSums:
        """Hours, money, emissions and variance of every route for the costs of a graph.

        x_r = sum of x_a over the arcs of r, for each product.
        known: a graph and its sums, reused where its arcs have the same values. Returns RouteSums.
        """
        found: dict[str, FloatArray] = {}
        if known is not None:
            same = (n for n in SIDES if np.array_equal(getattr(graph, n), getattr(known[0], n)))
            found = {name: getattr(known[1], name) for name in same}
        fresh = [name for name in SIDES if name not in found]
        if fresh:
            stacked = np.concatenate([getattr(graph, name) for name in fresh], axis=1)
            found |= {name: np.empty((2, self.n_routes)) for name in fresh}
            for rows, passes in self._blocks():
                total = np.asarray(passes @ stacked).T
                for k, name in enumerate(fresh):
                    found[name][:, rows] = total[2 * k : 2 * k + 2]
        return RouteSums(**found)

    def available(self, graph: Graph, number: int = 0) -> BoolArray:
        """Routes with all arcs open, of those that serve the graph of this number [route]."""
        return np.asarray(~self.touching(~graph.available[:, None])[:, 0] & self.serves[number])

    def length_km(self, graph: Graph) -> FloatArray:
        """Length of every route [km]."""
        return self.over_arcs(graph.length_km[:, None])[:, 0]

    def through(self, graph: Graph, among: BoolArray | None = None) -> tuple[IntArray, IntArray]:
        """(route, gateway) for every gateway a route passes, once each, sorted by route.

        among [gateway]: only these, None for all.
        """
        counted = graph.govern_counted
        if among is not None:
            counted = counted & among[graph.govern_gateway]
        n = len(graph.gateways)
        marks = csr_matrix(
            (np.ones(int(counted.sum())), (graph.govern_arc[counted], graph.govern_gateway[counted])),
            shape=(self.n_arcs, n),
        )
        route, gateway = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.int32)]
        for rows, ones in self._blocks():
            passes = (ones @ marks).tocsr()
            passes.sort_indices()
            number = np.arange(rows.start, rows.stop, dtype=np.int32)
            route.append(np.repeat(number, np.diff(passes.indptr)))
            gateway.append(passes.indices.astype(np.int32))
        return np.concatenate(route), np.concatenate(gateway)

    def only(self, pairs: NDArray[np.integer[Any]]) -> tuple[RouteSet, LongArray, LongArray]:
        """The routes of some pairs alone, renumbered, with the numbers of its routes and groups here."""
        new = np.full(self.n_pairs, -1, dtype=np.int32)
        new[pairs] = np.arange(len(pairs), dtype=np.int32)
        kept, groups = np.flatnonzero(new[self.pair] >= 0), np.flatnonzero(new[self.group_pair] >= 0)
        part = replace(
            self._rows(kept, groups),
            origin=self.origin[pairs],
            destination=self.destination[pairs],
            pair=new[self.pair[kept]],
            group_pair=new[self.group_pair[groups]],
        )
        return part, kept, groups

    def of_groups(self, chosen: BoolArray) -> tuple[RouteSet, LongArray]:
        """The routes of some groups alone, with pair numbers as here, and the numbers of its routes here.

        chosen [group]: flags.
        """
        kept = np.flatnonzero(chosen[self.group_of_route])
        return self._rows(kept, np.flatnonzero(chosen)), kept

    def _rows(self, kept: LongArray, groups: LongArray) -> RouteSet:
        arcs, start = take(self.arcs, self.start, kept)
        return replace(
            self,
            pair=self.pair[kept],
            family=self.family[kept],
            arcs=arcs,
            start=start,
            group_start=np.concatenate([[0], np.cumsum(np.diff(self.group_start)[groups])]),
            group_pair=self.group_pair[groups],
            group_family=self.group_family[groups],
            serves=self.serves[:, kept],
            again=self.again[kept],
            _search=None,
        )

    def searched_again(self, number: int = 0) -> BoolArray:
        """Families searched again for the graph of this number, as their best route is closed [group]."""
        return np.asarray(np.logical_or.reduceat(self.again & self.serves[number], self.group_start[:-1]))

    def best_left(
        self, graph: Graph, pairs: NDArray[np.integer[Any]], barred: frozenset[str] = frozenset()
    ) -> RouteSet:
        """Best remaining routes of families of some pairs whose best route a graph with closures closes.

        graph: aligned with the base that was searched. pairs: those that may have lost a route. barred:
        countries closed to transit. Numbers of pairs are those here; the set holds only families that need
        another route and have one. Raises ValueError for a part of a set that was searched.
        """
        if self._search is None:
            raise ValueError("only a set that was searched whole can be searched again")
        known = self._search
        mine = np.zeros(len(known.pairs), dtype=bool)
        mine[known.pairs.undirected[pairs]] = True
        case = CaseSearch(graph, known, barred)
        left = case.left(mine, known.search)
        nothing = np.zeros((1, len(left.pair)), dtype=bool)
        return _assemble(known.graph, known.pairs, left, ~nothing, ~nothing[0])

    def merged(self, other: RouteSet) -> tuple[RouteSet, LongArray]:
        """These routes and the routes of another set of the same pairs that are not among them, sorted.

        other: found on a graph with the same arcs. Also the number of every route in the concatenation of
        both sets' routes.
        """
        codes = [r.pair.astype(np.int64) * len(FAMILIES) + r.family for r in (self, other)]
        code = np.concatenate(codes)
        number = np.argsort(code, kind="stable")
        known, new = (_keys(r.pair, r.family, r.arcs, r.start, self.n_arcs) for r in (self, other))
        fresh = np.concatenate([np.ones(len(known), dtype=bool), ~np.isin(new, known)])
        number = number[fresh[number]]
        code = code[number]
        start = np.concatenate([self.start, self.start[-1] + other.start[1:]])
        arcs, start = take(np.concatenate([self.arcs, other.arcs]), start, number)
        first = np.flatnonzero(np.diff(code, prepend=-1))
        pair, family = (code // len(FAMILIES)).astype(np.int32), (code % len(FAMILIES)).astype(np.int32)
        joined = replace(
            self,
            pair=pair,
            family=family,
            arcs=arcs,
            start=start,
            group_start=np.append(first, len(code)),
            group_pair=pair[first],
            group_family=family[first],
            serves=np.ones((1, len(code)), dtype=bool),
            again=np.concatenate([self.again, other.again])[number],
            _search=None,
        )
        return joined, number

    def routes_of(self, pair: int) -> range:
        """Numbers of the routes of a pair."""
        first, last = np.searchsorted(self.pair, (pair, pair + 1))
        return range(int(first), int(last))


def in_transit(graph: Graph, routes: RouteSet, countries: frozenset[str]) -> BoolArray:
    """Routes that touch the countries on the way between two places outside them [route].

    graph, routes: aligned; countries: codes.
    """
    inside = np.isin(np.array(graph.countries), sorted(countries))
    passes = routes.touching(transit_arcs(graph, countries)[:, None])[:, 0]
    own = inside[routes.origin] | inside[routes.destination]
    return np.asarray(passes & ~own[routes.pair])


def _narrow(routes: Candidates, n_arcs: int) -> Candidates:
    """The same candidates, with numbers of arcs in as few bytes as they need."""
    return replace(routes, arcs=routes.arcs.astype(arc_type(n_arcs), copy=False))


def generate(
    graphs: Graph | Sequence[Graph],
    origins: Sequence[str],
    destinations: Sequence[str],
    wanted: BoolArray | None = None,
    *,
    every_family: BoolArray | None = None,
    detour: float = DETOUR,
    no_transit: Mapping[int, frozenset[str]] | None = None,
    locked: BoolArray | None = None,
    known: Callable[[Graph, Pairs], Candidates | None] | None = None,
    known_case: KnownCase | None = None,
    keep: Keep | None = None,
) -> RouteSet:
    """Route sets for a base and scenarios: the base's routes, and the additional ones of each scenario.

    The base is searched completely and does not depend on the scenarios. A scenario adds the best routes over
    the arcs that it opens; where it closes the best route of a family, the best that are left, which never
    make the family cheaper than in the base; a scenario that only changes hours or money uses the routes of
    the base.

    graphs: aligned graphs, the base first.
    origins, destinations: place identifiers. wanted [origin, destination]: pairs to serve; all that
    differ by default. every_family [origin, destination]: pairs that keep families however expensive
    (those with stated shares of their own, such as China - Europe); none by default.
    detour: a route over opened arcs costs at most this times the family's best in the base, at some blend.
    no_transit: by number of a graph, countries that carry only their own trade there.
    locked [arc]: arcs open in the locked base, where graphs[0] is that base with links added: these are then
    searched like a scenario's, so that a project gives one result. None: graphs[0] is its own base.
    known, known_case: return the candidates of a base, and of a case, from an earlier search, or None.
    keep: stores the results of a search. Returns a RouteSet. Method: docs/theory/routes.md.

    A family is left out of a pair where even its best route costs 1.25-4 times the pair's cheapest at every
    blend (see `candidates`), unless every_family keeps it; one that a pair lacks in the base enters
    with a scenario only below 0.8 times that mark, so that a small change of cost gives no pair a family.
    """
    graphs = [graphs] if isinstance(graphs, Graph) else list(graphs)
    first = graphs[0]
    pairs = Pairs(first, origins, destinations, wanted, every_family)
    own = first if locked is None else replace(first, available=first.available & locked)
    base = _base(own, pairs, known, keep)
    added = first.available & ~own.available
    if added.any():
        base = joined([base, Search(first, pairs, Labels.of(own)).over(added, base, detour)])
        known_case = None
    base = _narrow(base, first.n_arcs)
    searched = SearchedBase(first, own, pairs, base)
    bans = [(no_transit or {}).get(number, frozenset()) for number in range(len(graphs))]
    union = _Union(base, len(graphs))
    for number, graph in enumerate(graphs):
        same = np.array_equal(graph.available, first.available)
        # Routes that the base lacks under its own ban serve every graph that only keeps that ban.
        if same and (not bans[number] or (number and bans[number] == bans[0])):
            continue
        found = known_case(graph, own, pairs, bans[number], detour) if known_case is not None else None
        if found is None:
            found = CaseSearch(graph, searched, bans[number]).found(detour)
            if keep is not None and not added.any():
                keep.case(graph, own, pairs, bans[number], detour, found)
        mine = [number] if number else [k for k, ban in enumerate(bans) if ban == bans[0]]
        for routes, anew in zip(found, (False, number > 0), strict=True):
            union.add(_narrow(routes, first.n_arcs), mine, anew)
    # A case that keeps the ban of its base finds the same detours again.
    made = _assemble(first, pairs, *union.whole(first.n_arcs if any(bans) else None))
    return replace(made, _search=searched)


def _base(
    own: Graph, pairs: Pairs, known: Callable[[Graph, Pairs], Candidates | None] | None, keep: Keep | None
) -> Candidates:
    """The candidates of a base: known, or searched and passed to the callables that store them."""
    stored = known(own, pairs) if known is not None else None
    if stored is not None:
        return stored
    base = Search(own, pairs, Labels.of(own)).base()
    if keep is not None:
        keep.base(own, pairs, base)
    return base


class _Union:
    """Routes of the base and of cases: the graphs that each serves, and whether it was searched again."""

    def __init__(self, base: Candidates, n_graphs: int) -> None:
        self.parts = [base]
        self.serves = [np.ones((n_graphs, len(base.pair)), dtype=bool)]
        self.again = [False]

    def add(self, routes: Candidates, graphs: Sequence[int], again: bool) -> None:
        """Add routes that some graphs need."""
        mine = np.zeros((len(self.serves[0]), len(routes.pair)), dtype=bool)
        mine[list(graphs)] = True
        self.parts.append(routes)
        self.serves.append(mine)
        self.again.append(again)

    def whole(self, n_arcs: int | None) -> tuple[Candidates, BoolArray, BoolArray]:
        """All routes, serves [graph, route], again [route].

        n_arcs: arcs of the graph, if duplicates are to be removed; else None.
        """
        whole, serves = joined(self.parts), np.concatenate(self.serves, axis=1)
        again = np.repeat(self.again, [len(part.pair) for part in self.parts])
        if n_arcs is None:
            return whole, serves, again
        kept = _first_of_equal(whole, serves, n_arcs)
        return whole.only(kept), serves[:, kept], again[kept]


def _first_of_equal(routes: Candidates, serves: BoolArray, n_arcs: int) -> LongArray:
    """Numbers of the routes without those equal to an earlier one of the same graphs."""
    key = _keys(routes.pair, routes.family, routes.arcs, routes.start, n_arcs)
    _, first, at = np.unique(key, return_index=True, return_inverse=True)
    own = first[at]
    return np.flatnonzero((own == np.arange(len(key))) | (serves & ~serves[:, own]).any(axis=0))


def _keys(
    pair: NDArray[np.integer[Any]],
    family: NDArray[np.integer[Any]],
    arcs: ArcArray,
    start: LongArray,
    n_arcs: int,
) -> NDArray[np.uint64]:
    """A number for every route, equal for equal routes: sums of random numbers, wrapping in 64 bits."""
    rng = np.random.default_rng(29)
    of_arc = rng.integers(1, 2**63, n_arcs, dtype=np.uint64)
    of_group = rng.integers(1, 2**63, dtype=np.uint64) | np.uint64(1)
    if not len(pair):
        return np.zeros(0, dtype=np.uint64)
    group = pair.astype(np.uint64) * np.uint64(len(FAMILIES)) + family.astype(np.uint64)
    return np.asarray(np.add.reduceat(of_arc[arcs], start[:-1]) + group * of_group)


def _assemble(
    graph: Graph, pairs: Pairs, routes: Candidates, serves: BoolArray, again: BoolArray
) -> RouteSet:
    """Every wanted pair's routes in its own direction, sorted by pair and family."""
    rows = np.lexsort((np.arange(len(routes.pair)), routes.family, routes.pair))
    bounds = np.searchsorted(routes.pair[rows], np.arange(len(pairs) + 1))
    count = np.diff(bounds)[pairs.undirected]
    pair = np.repeat(np.arange(len(pairs.origin)), count)
    offset = np.cumsum(count) - count
    source = rows[np.arange(int(count.sum())) + np.repeat(bounds[:-1][pairs.undirected] - offset, count)]
    arcs, start = take(routes.arcs, routes.start, source)
    backwards = np.flatnonzero(~pairs.westward[pair])
    # Route by route in place: the mirror of a route has the same length.
    for low in range(0, len(backwards), BLOCK_ROUTES):
        part = backwards[low : low + BLOCK_ROUTES]
        length = np.diff(start)[part]
        at = np.arange(int(length.sum())) + np.repeat(start[part] - (np.cumsum(length) - length), length)
        arcs[at] = mirror(arcs[at], length, graph.reverse)
    family = routes.family[source]
    code = pair * len(FAMILIES) + family
    first = np.flatnonzero(np.concatenate([[True], code[1:] != code[:-1]])) if len(code) else code
    group_start = np.append(first, len(code)).astype(np.int64)
    result = RouteSet(
        pairs.origin,
        pairs.destination,
        pair.astype(np.int32),
        family.astype(np.int32),
        arcs.astype(arc_type(graph.n_arcs), copy=False),
        start.astype(np.int64),
        group_start,
        pair[first].astype(np.int32),
        family[first].astype(np.int32),
        graph.n_arcs,
        np.ascontiguousarray(serves[:, source]),
        again[source],
    )
    for array in vars(result).values():
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    return result
