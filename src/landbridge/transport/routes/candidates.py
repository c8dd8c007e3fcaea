"""Candidate routes of a graph: the least-cost routes of every family, and the best past each gateway.

By construction, for every pair, family and blend of `search.BLENDS`, in both directions, the least-cost route
of the family is a candidate if it is admissible: it visits no place twice, boards no ship that does not sail,
and does not return to the country of an end from far abroad. For the blend MIDDLE the best route past each
gateway and strait of the leader is a candidate too, if the family is a rival, so that a closure needs few
routes that the base lacks; those never make a family cheaper than in the base.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.transport.graph import LAYERS, PORT, Graph
from landbridge.transport.routes.admissible import ABROAD_KM, Admissible
from landbridge.transport.routes.families import BY_TRUCK, FAMILIES, MIXED, OTHER, Labels, serves
from landbridge.transport.routes.lists import Candidates, incidence, joined, take
from landbridge.transport.routes.search import BLENDS, MIDDLE, PAST, Found, Joins, Network, Pairs, Ways

__all__ = ["ABROAD_KM", "NEAR", "Search", "rules_text"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
HashArray = NDArray[np.uint64]

NORTHERN, BY_ROAD = FAMILIES.index("northern"), FAMILIES.index("road")
SEARCHED = tuple(family for family in range(len(FAMILIES)) if family != OTHER)
# A family is left out where even its best route costs this many times the pair's cheapest, at every blend:
# Berlin - Warsaw has a route over the Caspian that is not a real choice. Trucks are expensive and used all
# the same, except those to a foreign port, where rail and a ship lead too.
_DEAR = {"road": 4.0, "sea": 1.5, "sea-road": 1.5}
_ABSURD = np.array([_DEAR.get(name, 2.0 if name in BY_TRUCK else 1.25) for name in FAMILIES])
# Routes over and past gateways are kept in the base for families within this factor of the pair's cheapest,
# and routes over the gateways of the countries at both ends within this factor of the family's.
_RIVAL = 1.1
# Rival rail borders at the eastern end (Khorgos, Alashankou, Manzhouli) are kept up to this factor.
_POSTS = 1.4
# A family that a pair lacks in the base must come below this share of the mark to enter with a scenario.
_WELL_BELOW = 0.8
# A route past a gateway is in the set if a known one costs at most this times the best.
NEAR = 1.01


def rules_text() -> str:
    """The settings of the search as text: equal settings, equal text."""
    return repr((BLENDS, PAST, NEAR, _RIVAL, _POSTS, _ABSURD.tolist(), _WELL_BELOW, ABROAD_KM))


# -- the searches --------------------------------------------------------------------------------------


class _Store:
    """Distinct admissible routes of one family as they are found."""

    def __init__(self, search: Search, family: int) -> None:
        self._search, self._family = search, family
        self._parts: list[Candidates] = []
        # By pair, in the order found: marks, and whether the route was admissible.
        self._seen = np.zeros((len(search.pairs), 0), dtype=np.uint64)
        self._fine = np.zeros((len(search.pairs), 0), dtype=bool)
        self._count = np.zeros(len(search.pairs), dtype=np.int64)

    def add(self, found: Found, asked: LongArray, chosen: LongArray) -> tuple[Candidates, LongArray]:
        """Add the routes of some of the pairs asked for, by position.

        Returns those that are new and admissible, and the positions of those that are not admissible.
        """
        arcs, start, mark = found.routes(chosen)
        pair = asked[chosen]
        known = self._seen[pair] == mark[:, None]
        bad = (known & ~self._fine[pair]).any(axis=1)
        new = np.flatnonzero(~known.any(axis=1))
        if not len(new):
            return Candidates.none(), chosen[bad]
        arcs, start = take(arcs, start, new)
        fine = self._search.rules.admissible(arcs, start)
        self._remember(pair[new], mark[new], fine)
        bad[new[~fine]] = True
        kept = np.flatnonzero(fine)
        arcs, start = take(arcs, start, kept)
        pair = pair[new[kept]]
        part = Candidates(pair, arcs, start, np.full(len(pair), self._family, dtype=np.int32))
        self._parts.append(part)
        return part, chosen[bad]

    def _remember(self, pair: LongArray, mark: HashArray, fine: BoolArray) -> None:
        column = self._count[pair]
        if column.max() >= self._seen.shape[1]:
            self._seen = np.pad(self._seen, ((0, 0), (0, 8)))
            self._fine = np.pad(self._fine, ((0, 0), (0, 8)), constant_values=True)
        self._seen[pair, column], self._fine[pair, column] = mark, fine
        self._count[pair] += 1

    def routes(self) -> Candidates:
        """All routes, in the order found."""
        return joined(self._parts)


class Search:
    """The searches on one graph: of every family, past each gateway, over given arcs, with arcs closed.

    pairs: asked for; labels: marks of the arcs by family.
    """

    def __init__(self, graph: Graph, pairs: Pairs, labels: Labels) -> None:
        self.graph, self.pairs, self.labels = graph, pairs, labels
        self.rules = Admissible(graph)
        self._net = Network(graph, pairs, self.labels)
        self.costs = [self._net.cost(blend) for blend in BLENDS]
        self._known: tuple[Candidates, dict[int, _Along]] | None = None

    def base(self) -> Candidates:
        """The candidates of a base: the best of every family and blend, and the best past each gateway.

        A family is left out of a pair where even its best costs many times the pair's cheapest.
        """
        found = {family: self._best_of(family) for family in SEARCHED}
        kept, _ = self._sensible({family: cost for family, (_, cost) in found.items()})
        # Rail inside countries and trucks over the borders count as road where there is no railway.
        north = found[NORTHERN][0]
        lacking = np.flatnonzero(~_marked(north.pair[kept[NORTHERN][north.pair]], len(self.pairs)))
        mixed, cost = self._best(BY_ROAD, (BY_ROAD, MIXED), lacking)
        trucks, least = found[BY_ROAD]
        least[:, lacking] = cost
        alone = trucks.only(np.flatnonzero(~_marked(lacking, len(self.pairs))[trucks.pair]))
        found[BY_ROAD] = joined([alone, mixed]), least
        kept, over = self._sensible({family: cost for family, (_, cost) in found.items()})
        parts = []
        for family, (routes, _) in found.items():
            routes = routes.only(np.flatnonzero(kept[family][routes.pair]))
            near = over[family] <= _RIVAL
            parts += [routes, *self._past_gateways(family, routes, near, lacking)]
        parts.append(self._elsewhere(north.only(np.flatnonzero(kept[NORTHERN][north.pair]))))
        return joined(parts)

    def _sensible(
        self, least: Mapping[int, FloatArray]
    ) -> tuple[dict[int, BoolArray], dict[int, FloatArray]]:
        """By family: pairs where it is competitive, and its least cost over the pair's at any blend [pair].

        least: by family [blend x direction, pair], infinite where there is none.
        """
        cheapest = np.minimum.reduce(list(least.values()))
        kept, over = {}, {}
        for family, cost in least.items():
            there = np.isfinite(cost)
            ratio = np.divide(cost, cheapest, out=np.full_like(cost, np.inf), where=there)
            over[family] = ratio.min(axis=0)
            kept[family] = (over[family] <= _ABSURD[family]) | self.pairs.every_family
        return kept, over

    def _serves(self, family: int) -> BoolArray:
        """Pairs that a family is searched for [pair]."""
        own, pairs = self.graph.own_country, self.pairs
        return serves(family, [own[p] for p in pairs.east], [own[p] for p in pairs.west])

    def _best_of(self, family: int) -> tuple[Candidates, FloatArray]:
        """As `_best`, for the pairs that the family serves; costs [blend x direction, pair]."""
        asked = np.flatnonzero(self._serves(family))
        routes, least = self._best(family, (family,), asked)
        every = np.full((len(least), len(self.pairs)), np.inf)
        every[:, asked] = least
        return routes, every

    def _best(self, family: int, names: tuple[int, ...], asked: LongArray) -> tuple[Candidates, FloatArray]:
        """Best routes of a family at every blend, both ways; costs [blend x direction, asked]."""
        ways, store = self._net.ways(names), _Store(self, family)
        least = np.empty((2 * len(BLENDS), len(asked)))
        searches = list(enumerate(product(self.costs, (False, True))))
        bad = []
        for k, (cost, mirrored) in searches:
            least[k], routes = ways.best(cost, asked, mirrored=mirrored)
            bad.append(store.add(routes, asked, np.flatnonzero(np.isfinite(least[k])))[1])
        # Where the best leaves and returns, the best that does not, if the family can be competitive at all.
        there, ratio = np.isfinite(least), np.full_like(least, np.inf)
        np.divide(least, self._plain[:, asked], out=ratio, where=there)
        over = ratio.min(axis=0, initial=np.inf)
        worth = (over <= _ABSURD[family]) | self.pairs.every_family[asked]
        for k, (cost, mirrored) in searches:
            some = bad[k][worth[bad[k]]]
            least[k, bad[k]] = np.inf
            least[k, some] = self._straight(ways, cost, asked[some], store, mirrored=mirrored)[0]
        return store.routes(), least

    def _straight(
        self,
        ways: Ways,
        cost: FloatArray,
        asked: LongArray,
        store: _Store,
        *,
        mirrored: bool = False,
        shut: BoolArray | None = None,
        most: FloatArray | None = None,
    ) -> tuple[FloatArray, Candidates]:
        """Best routes that do not return into the country of the beginning nor leave that of the end.

        Costs [asked], infinite where none is admissible, and the routes that are new. shut [arc]: closed too.
        most [asked]: largest cost.
        """
        least, parts = np.full(len(asked), np.inf), []
        for at, back in self._without_return(asked, mirrored):
            closed = back if shut is None else back | shut
            # Slightly above, so that rounding does not exclude a cost just below.
            limit = np.inf if most is None else float(most[at].max(initial=0.0)) * (1.0 + 1e-9)
            found, routes = ways.best(cost, asked[at], mirrored=mirrored, shut=closed, most=limit)
            fine = np.isfinite(found) if most is None else found < most[at]
            part, still = store.add(routes, asked[at], np.flatnonzero(fine))
            found[still] = np.inf
            least[at] = found
            parts.append(part)
        return least, joined(parts)

    @cached_property
    def _plain(self) -> FloatArray:
        """Least cost of every pair whatever the family [blend x direction, pair]."""
        ways, every = self._net.any_way(), np.arange(len(self.pairs))
        return np.stack([
            ways.best(cost, every, mirrored=mirrored)[0]
            for cost, mirrored in product(self.costs, (False, True))
        ])  # fmt: skip

    def _without_return(self, pairs: LongArray, mirrored: bool) -> Iterator[tuple[LongArray, BoolArray]]:
        """Pairs by the countries of their ends, and the arcs back into the first or out of the last [arc].

        Pairs are given as positions; arcs are by land or by ship. Where the best route of a family leaves and
        returns, they are closed to find the best that does not.
        """
        graph = self.graph
        number = {country: n for n, country in enumerate(dict.fromkeys(graph.countries))}
        country = np.array([number[c] for c in graph.countries])
        tail, head = country[graph.tail // len(LAYERS)], country[graph.head // len(LAYERS)]
        east, west = country[self.pairs.east[pairs]], country[self.pairs.west[pairs]]
        start, end = (west, east) if mirrored else (east, west)
        code = start * len(number) + end
        for one in np.unique(code).tolist():
            begins, ends = divmod(one, len(number))
            yield (
                np.flatnonzero(code == one),
                (tail != head) & ((head == begins) | (tail == ends)),
            )

    def _elsewhere(
        self,
        north: Candidates,
        opened: BoolArray | None = None,
        *,
        asked: LongArray | None = None,
        shut: BoolArray | None = None,
    ) -> Candidates:
        """Routes in no corridor that are the cheapest of all of their pair at some blend: family `other`.

        north: the pairs' railways; mixed rail and trucks are `other` where there is one. opened [arc]: only
        over these. asked: pairs to search, all by default; shut [arc]: closed.
        """
        every = np.arange(len(self.pairs)) if asked is None else asked
        store, ways = _Store(self, OTHER), self._net.any_way()
        for cost, mirrored in product(self.costs, (False, True)):
            if opened is None:
                least, found = ways.best(cost, every, mirrored=mirrored, shut=shut)
            else:
                least, found = ways.best_over(cost, opened, every, mirrored=mirrored)
                least = np.where(least <= ways.best(cost, every, mirrored=mirrored)[0], least, np.inf)
            store.add(found, every, np.flatnonzero(np.isfinite(least)))
        routes = store.routes()
        family = self.labels.name(self.graph, routes.arcs, routes.start)
        railway = _marked(north.pair, len(self.pairs))
        return routes.only(np.flatnonzero((family == OTHER) | ((family == MIXED) & railway[routes.pair])))

    def _past_gateways(
        self, family: int, routes: Candidates, near: BoolArray, lacking: LongArray
    ) -> Iterator[Candidates]:
        """The best route past each gateway and strait of the leader of every pair, at the blend MIDDLE.

        One within NEAR of a known route is left out; so are all for pairs that are not `near`, where the
        family costs much more than the pair's best route.
        """
        on_road = _marked(lacking, len(self.pairs))
        kinds: list[tuple[tuple[int, ...], BoolArray]] = [((family,), near)]
        if family == BY_ROAD:
            kinds = [((BY_ROAD,), near & ~on_road), ((BY_ROAD, MIXED), near & on_road)]
        for names, wanted in kinds:
            mine = routes.only(np.flatnonzero(wanted[routes.pair]))
            if len(mine.pair):
                hand, store = _Hand(self, mine), _Store(self, family)
                self._rivals(names, hand, store)
                self._past(names, hand, store)
                yield store.routes()

    def _rivals(self, names: tuple[int, ...], hand: _Hand, store: _Store) -> None:
        """At each end the best route over a border post or port of its country that no known route uses.

        Where it costs at most _RIVAL times the leader at the blend MIDDLE. For railways the best route over
        every post of the country at the eastern end, up to _POSTS times the leader.
        """
        asked = np.unique(hand.pair)
        joins = Joins(self._net.ways(names), self.costs[MIDDLE], asked)
        _, least = hand.leaders()
        route, passed = np.nonzero(hand.passes)
        held = np.zeros((len(self.graph.gateways), len(self.pairs)), dtype=bool)
        held[passed, hand.pair[route]] = True
        gates = self._gates(joins)
        country = np.array(self.graph.countries)
        for place, side in ((self.pairs.east, 0), (self.pairs.west, 1)):
            every = _POSTS if side == 0 and names == (NORTHERN,) else 0.0
            best, over = _RIVAL * least[asked], np.full(len(asked), -1)
            for gateway, (edges, countries) in enumerate(gates):
                mine = np.isin(country[place[asked]], countries) & ~held[gateway, asked]
                if not mine.any():
                    continue
                found, routes = joins.best(edges)
                better = mine & (found < best)
                best[better], over[better] = found[better], gateway
                near = np.flatnonzero(mine & (found <= every * least[asked]))
                if len(near):
                    hand.add(store.add(routes, asked, near)[0])
            for gateway in np.unique(over[over >= 0]).tolist():
                routes = joins.best(gates[gateway][0])[1]
                hand.add(store.add(routes, asked, np.flatnonzero(over == gateway))[0])

    def _gates(self, joins: Joins) -> list[tuple[LongArray, list[str]]]:
        """By gateway the edges through it, and the countries on both sides; none for straits."""
        graph, out = self.graph, []
        for gateway in range(len(graph.gateways)):
            arcs = graph.govern_arc[(graph.govern_gateway == gateway) & graph.govern_counted]
            arcs = arcs[graph.border[arcs] | (graph.operation[arcs] == PORT)]
            ends = np.concatenate([graph.tail[arcs], graph.head[arcs]]) // len(LAYERS)
            out.append((joins.edges(arcs), sorted({graph.countries[place] for place in ends})))
        return out

    def _past(self, names: tuple[int, ...], hand: _Hand, store: _Store) -> None:
        """The best route past each gateway and strait of the leader, unless a known one comes within NEAR."""
        ways, graph, cost = self._net.ways(names), self.graph, self.costs[MIDDLE]
        leader, least = hand.leaders()
        on_leader, of = hand.passes[leader], hand.pair[leader]
        for gateway in np.flatnonzero(on_leader.any(axis=0)).tolist():
            asked = np.sort(of[on_leader[:, gateway]])
            asked = asked[hand.best_past(gateway)[asked] > NEAR * least[asked]]
            if not len(asked):
                continue
            shut = np.zeros(graph.n_arcs, dtype=bool)
            shut[graph.govern_arc[graph.govern_gateway == gateway]] = True
            found, trees = ways.best(cost, asked, shut=shut)
            better = np.isfinite(found) & (hand.best_past(gateway)[asked] > NEAR * found)
            part, bad = store.add(trees, asked, np.flatnonzero(better))
            hand.add(part)
            most = hand.best_past(gateway)[asked[bad]] / NEAR
            hand.add(self._straight(ways, cost, asked[bad], store, shut=shut, most=most)[1])

    def over(
        self, opened: BoolArray, base: Candidates, detour: float, wanted: BoolArray | None = None
    ) -> Candidates:
        """The best of every family and blend that use one of the opened arcs [arc].

        base: candidates of the base. detour: a route may cost this times the family's best in the base at the
        blends of PAST, no more than it at the others. wanted [pair]: pairs to search, all by default. A
        family that a pair lacks enters if it costs well below the mark at which a family is left out.
        """
        held = {family: self._held(base, family) for family in SEARCHED}
        cheapest = np.minimum.reduce(list(held.values()))
        lacking = np.asarray(~np.isfinite(held[NORTHERN]).any(axis=0))
        parts = []
        for family, names, mine in self._kinds(lacking):
            asked = np.flatnonzero(mine if wanted is None else mine & wanted)
            limit = self._limit(family, held[family], cheapest, detour)[:, asked]
            ways, store = self._net.ways(names), _Store(self, family)
            for k, (cost, mirrored) in enumerate(product(self.costs, (False, True))):
                found, routes = ways.best_over(cost, opened, asked, mirrored=mirrored)
                fine = np.flatnonzero(np.isfinite(found) & (found <= limit[k]))
                store.add(routes, asked, fine)
            parts.append(store.routes())
        north = base.only(np.flatnonzero(base.family == NORTHERN))
        return joined([*parts, self._elsewhere(north, opened)])

    def _kinds(self, lacking: BoolArray) -> Iterator[tuple[int, tuple[int, ...], BoolArray]]:
        """Family, the names searched for it, and the pairs these are searched for; lacking: a railway."""
        for family in SEARCHED:
            if family == BY_ROAD:
                yield BY_ROAD, (BY_ROAD,), ~lacking
                yield BY_ROAD, (BY_ROAD, MIXED), lacking
            else:
                yield family, (family,), self._serves(family)

    def _held(self, base: Candidates, family: int) -> FloatArray:
        """Least cost of a family in the base [blend x direction, pair], infinite where it has none."""
        rows = np.flatnonzero(base.family == family)
        mine = base.only(rows)
        out = np.full((2 * len(BLENDS), len(self.pairs)), np.inf)
        passes = incidence(mine.arcs, mine.start, self.graph.n_arcs)
        for k, (cost, mirrored) in enumerate(product(self.costs, (False, True))):
            there = cost[self.graph.reverse] if mirrored else cost
            np.minimum.at(out[k], mine.pair, np.asarray(passes @ there))
        return out

    def _limit(self, family: int, held: FloatArray, cheapest: FloatArray, detour: float) -> FloatArray:
        """Largest cost of a route over opened arcs [blend x direction, pair]."""
        new = np.where(self.pairs.every_family, np.inf, _WELL_BELOW * _ABSURD[family]) * cheapest
        new = np.where(np.isfinite(cheapest), new, np.inf)
        near = np.array([detour if k // 2 in PAST else 1.0 for k in range(len(held))])[:, None]
        return np.where(np.isfinite(held).any(axis=0), near * held, new)

    def without(
        self, base: Candidates, dead: BoolArray, asked: BoolArray, shut: BoolArray, *, keep: bool = False
    ) -> Candidates:
        """The best routes left, for families of some pairs whose leader is dead; dead [route].

        asked [pair]: flags; base: candidates of the base; shut [arc]: arcs closed in addition to those of the
        graph. keep: store the costs of the base's routes for the next call.

        At every blend where a family has lost all its routes, at those of PAST where it has others; only
        routes better than all of these. For pairs that no family serves any more, the best in no corridor.
        """
        north = base.only(np.flatnonzero(base.family == NORTHERN))
        lacking = ~_marked(north.pair, len(self.pairs))
        parts = []
        for family, names, wanted in self._kinds(lacking):
            rows = np.flatnonzero((base.family == family) & (wanted & asked)[base.pair])
            if len(rows) and dead[rows].any():
                known = self._kept(base, family) if keep else self._along(base, rows)
                parts.append(self._left(family, names, base.pair[rows], known, rows, dead[rows], shut))
        found = joined(parts)
        served = _marked(base.pair[~dead], len(self.pairs)) | _marked(found.pair, len(self.pairs))
        lost = np.flatnonzero(asked & ~served)
        return joined([found, self._elsewhere(north, asked=lost, shut=shut)]) if len(lost) else found

    def _kept(self, base: Candidates, family: int) -> _Along:
        """Costs of all routes of a family, stored for the last set asked for."""
        if self._known is None or self._known[0] is not base:
            self._known = base, {}
        known = self._known[1]
        if family not in known:
            known[family] = self._along(base, np.flatnonzero(base.family == family))
        return known[family]

    def _along(self, base: Candidates, rows: LongArray) -> _Along:
        """Costs of some routes of whole pairs at every blend."""
        routes = base.only(rows)
        passes = incidence(routes.arcs, routes.start, self.graph.n_arcs)
        sides = [(cost, cost[self.graph.reverse]) for cost in self.costs]
        costs = [np.asarray(passes @ cost) for both in sides for cost in both]
        number = np.zeros(len(base.pair), dtype=np.int32)
        number[rows] = np.arange(len(rows), dtype=np.int32)
        return _Along(number, costs, [_least(routes.pair, cost) for cost in costs])

    def _left(
        self,
        family: int,
        names: tuple[int, ...],
        pair: LongArray,
        known: _Along,
        rows: LongArray,
        dead: BoolArray,
        shut: BoolArray,
    ) -> Candidates:
        """See `without`; pair, dead, rows: of the family's routes, rows by their numbers in the base."""
        ways, store, n = self._net.ways(names), _Store(self, family), len(self.pairs)
        at = known.number[rows]
        alive = ~dead
        gone = ~_marked(pair[alive], n)
        for blend, mirrored in product(range(len(BLENDS)), (False, True)):
            cost, k = self.costs[blend], 2 * blend + mirrored
            hurt = _marked(pair[known.leads[k][at] & dead], n)
            if blend not in PAST:
                hurt &= gone
            asked = np.flatnonzero(hurt)
            if len(asked):
                left = np.full(n, np.inf)
                np.minimum.at(left, pair[alive], known.cost[k][at[alive]])
                # No route that costs more than what is left of its pair is of use.
                limit = float(left[asked].max()) / NEAR * (1.0 + 1e-9)
                found, trees = ways.best(cost, asked, mirrored=mirrored, shut=shut, most=limit)
                better = np.isfinite(found) & (left[asked] > NEAR * found)
                _, bad = store.add(trees, asked, np.flatnonzero(better))
                most = left[asked[bad]] / NEAR
                self._straight(ways, cost, asked[bad], store, mirrored=mirrored, shut=shut, most=most)
        return store.routes()


@dataclass(frozen=True, eq=False)
class _Along:
    """Routes of a family: cost at every blend and direction, and which are the cheapest of their pair.

    cost, leads [blend x direction][row]; leads: the first of the cheapest of its pair there. number [route]:
    the row of every route of the set.
    """

    number: IntArray
    cost: list[FloatArray]
    leads: list[BoolArray]


def _marked(pairs: LongArray, n: int) -> BoolArray:
    """Flags of the listed pairs among n [pair]."""
    out = np.zeros(n, dtype=bool)
    out[pairs] = True
    return out


class _Hand:
    """Known routes of one family: pairs, gateways [route, gateway], costs at the blend MIDDLE [route]."""

    def __init__(self, search: Search, routes: Candidates) -> None:
        graph = search.graph
        self._search = search
        ones = np.ones(len(graph.govern_arc))
        shape = graph.n_arcs, len(graph.gateways)
        self._governed = csr_matrix((ones, (graph.govern_arc, graph.govern_gateway)), shape=shape)
        self.pair, self.passes = np.zeros(0, dtype=np.int64), np.zeros((0, shape[1]), dtype=bool)
        self._cost: FloatArray = np.zeros(0)
        self.add(routes)

    def add(self, routes: Candidates) -> None:
        """Add further routes."""
        if not len(routes.pair):
            return
        arcs = incidence(routes.arcs, routes.start, self._search.graph.n_arcs)
        self.pair = np.concatenate([self.pair, routes.pair])
        self.passes = np.concatenate([self.passes, (arcs @ self._governed).toarray() > 0.0])
        self._cost = np.concatenate([self._cost, np.asarray(arcs @ self._search.costs[MIDDLE])])

    def leaders(self) -> tuple[BoolArray, FloatArray]:
        """The cheapest route of every pair [route], and its cost [pair]."""
        return _least(self.pair, self._cost), self._best(slice(None))

    def best_past(self, gateway: int) -> FloatArray:
        """Least cost of the known routes that do not pass a gateway [pair]."""
        return self._best(np.flatnonzero(~self.passes[:, gateway]))

    def _best(self, rows: slice | LongArray) -> FloatArray:
        """Least cost of some of the known routes [pair]."""
        out = np.full(len(self._search.pairs), np.inf)
        np.minimum.at(out, self.pair[rows], self._cost[rows])
        return out


def _least(group: LongArray, cost: FloatArray) -> BoolArray:
    """The first of the cheapest of every group [row]."""
    order = np.lexsort((np.arange(len(group)), cost, group))
    first = np.ones(len(order), dtype=bool)
    first[1:] = group[order[1:]] != group[order[:-1]]
    out = np.zeros(len(group), dtype=bool)
    out[order[first]] = True
    return out
