"""Route choice evaluated again only for routes that use a queued gateway.

A wait at a gateway changes the cost of the routes through it, the weights of their families, and the shares
and costs of their pairs. All other pairs, and the costs of the other families of these pairs, stay unchanged.
The equations are those of `pivot`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.transport.choice.between_families import (
    Chosen,
    Families,
    Levels,
    Ride,
    Settled,
    choose,
    ratio_of,
)
from landbridge.transport.choice.pivot import Choice, LostFamilies, over_products
from landbridge.transport.choice.weights import VARIANCE_FLOOR, Weights
from landbridge.transport.graph import Graph
from landbridge.transport.routes.nests import inverse
from landbridge.transport.routes.route_set import RouteSet
from landbridge.transport.threads import side_by_side
from landbridge.transport.waiting.stations import Queues

__all__ = ["DelayedChoice", "Patched", "passes"]

# After this many delays the freight of lost families stays on the family it uses then, as long as that costs
# no more than this times the cheapest. Otherwise, where two open families cost nearly the same, it would
# alternate between trials and the search would not end.
_HOLD_AFTER, _HOLD_WITHIN = 5, 1.001

FloatArray = NDArray[np.float64]
LongArray = NDArray[np.int64]


def passes(routes: RouteSet, graph: Graph, queues: Queues) -> tuple[csr_matrix, csr_matrix]:
    """How often each route passes each queue, by product [route, q]; empty where it does not wait.

    routes: over the arcs of graph; graph: with the arcs that gateways govern; queues: of the World. Returns
    one matrix for container trains and one for wagonload.
    """
    queue_of = np.full((len(graph.gateways), 2), -1)
    queue_of[queues.gateway, queues.way] = np.arange(len(queues))
    counted = graph.govern_counted
    # An arc leads through one queue: straits, of which a lane may pass several, have none.
    on_arc = np.full(graph.n_arcs, -1)
    found = queue_of[graph.govern_gateway[counted], graph.govern_way[counted]]
    on_arc[graph.govern_arc[counted][found >= 0]] = found[found >= 0]
    at = np.flatnonzero((on_arc >= 0)[routes.arcs])
    queue = on_arc[routes.arcs[at]]
    route = np.searchsorted(routes.start, at, side="right") - 1
    matrices = []
    for product in (0, 1):
        mine = queues.products[:, product][queue] if len(queues) else np.zeros(0, dtype=bool)
        cells = np.ones(int(mine.sum())), (route[mine], queue[mine])
        matrices.append(csr_matrix(cells, shape=(routes.n_routes, len(queues))))
    return matrices[0], matrices[1]


@dataclass(eq=False)
class _Part:
    """One product: the families that queues can affect, their pairs, and the state under the last delays.

    sectors [s]: those that ship by the product; the arrays below are for these. routes [n]: of the affected
    families.
    groups [g]: their numbers. weights: of these routes, for the product and all sectors. through: csr [n, q].
    pairs [m], members [h]: the pairs of the affected families and all families of these pairs. at [g]:
    position of the affected among the members. families [s]: state of the members. levels [s]: of the
    affected. level [s, 1, h], before [s, m]: K_f' and K' without further delay. beta [s, m]: share of the
    product. reached [s, m]: some family is open.
    """

    product: int
    sectors: LongArray
    routes: LongArray
    groups: LongArray
    weights: Weights
    through: csr_matrix
    through_t: csr_matrix
    pairs: LongArray
    members: LongArray
    at: LongArray
    slot: LongArray
    families: tuple[Families, ...]
    levels: tuple[Levels, ...]
    gained: bool
    level: FloatArray
    beta: FloatArray
    before: FloatArray
    reached: NDArray[np.bool_]
    # Result of the last delays: pull [1, n, s], P_r V; total [s, g], V; the choice of the members; whether
    # freight of a lost family uses another family than the cheapest.
    pull: FloatArray | None = None
    total: FloatArray | None = None
    chosen: Chosen | None = None
    held: bool = False

    @property
    def now(self) -> Chosen:
        """The choice of the members under the last delays."""
        assert self.chosen is not None
        return self.chosen

    @property
    def now_carried(self) -> FloatArray:
        """Shares that the affected families carry under the last delays [g, s]."""
        return np.take(self.now.carried[:, 0], self.at, axis=1).T

    def delayed(self, delay_h: FloatArray, delay_h2: FloatArray) -> Weights:
        """The weights under further hours and variance at the queues [q]."""
        old = self.weights.sums
        hours, variance = np.array(old.time_h), np.array(old.variance_h2)
        hours[0] += self.through @ delay_h
        variance[0] = np.maximum(variance[0] + self.through @ delay_h2, 0.0)
        return replace(self.weights, sums=replace(old, time_h=hours, variance_h2=variance))


class DelayedChoice:
    """A choice under delays at the queues, of which only the affected part is chosen again.

    choice: without further delay. through: `passes` of its routes, one matrix for each product.
    host [sector, product, lost]: `lost.host` of another solution, which then decides where lost families'
    freight goes.
    every_sector: choose also for sectors that ship nothing by a product, as `slope` needs.
    """

    def __init__(
        self,
        choice: Choice,
        through: tuple[csr_matrix, csr_matrix],
        host: LongArray | None = None,
        *,
        every_sector: bool = False,
    ) -> None:
        self.choice, self.through, self.host = choice, through, host
        self.n_queues, self._n_sectors = through[0].shape[1], len(choice.classes.sectors)
        self._every_sector = every_sector
        self._last = np.zeros(self.n_queues), np.zeros(self.n_queues)
        self._asked = 0
        found = side_by_side([partial(self._part, p) for p in (0, 1)])
        self.parts = [part for part in found if part is not None]

    def _part(self, p: int) -> _Part | None:
        choice, routes, classes = self.choice, self.choice.base.routes, self.choice.classes
        on_way = np.diff(self.through[p].indptr) > 0
        if not on_way.any():
            return None
        beta = classes.block_share if p == 0 else 1.0 - classes.block_share
        waits = np.asarray(np.logical_or.reduceat(on_way & choice.available, routes.group_start[:-1]))
        ships = np.asarray((beta > 0.0).any(axis=0))
        groups = np.flatnonzero(waits & ships[routes.group_pair])
        if not len(groups):
            return None
        mark = np.zeros(len(routes.group_pair), dtype=bool)
        mark[groups] = True
        rows = np.flatnonzero(mark[routes.group_of_route])
        through = self.through[p][rows]
        sectors = np.arange(self._n_sectors)
        if not self._every_sector:
            sectors = np.flatnonzero((beta[:, routes.group_pair[groups]] > 0.0).any(axis=1))
        return _Part(
            product=p,
            routes=rows,
            groups=groups,
            weights=choice.weights.take(groups, slice(p, p + 1)),
            through=through,
            through_t=through.T.tocsr(),
            **self._of_sectors(p, groups, sectors),
        )

    def _of_sectors(self, p: int, groups: LongArray, sectors: LongArray) -> dict[str, Any]:
        """The contents of a part of some affected groups for some sectors."""
        choice, classes = self.choice, self.choice.classes
        mine = [choice.families[s] for s in sectors]
        pairs = np.unique(choice.families[0].slot[groups])
        known = {id(one): one.only(pairs, p, sectors) for one in {id(m): m for m in mine}.values()}
        families = tuple(known[id(one)] for one in mine)
        at = np.searchsorted(families[0].groups, groups)
        levels = {id(one): one.levels.take(at) for one in known.values()}
        beta = classes.block_share if p == 0 else 1.0 - classes.block_share
        before = np.take(choice.cost_segment[sectors, p], families[0].pairs, axis=1)
        return {
            "sectors": sectors,
            "pairs": families[0].pairs,
            "members": families[0].groups,
            "at": at,
            "slot": families[0].slot,
            "families": families,
            "levels": tuple(levels[id(one)] for one in families),
            "gained": any(bool(one.gained.any()) for one in families),
            "level": np.take(choice.family_cost[sectors, p], families[0].groups, axis=1)[:, None],
            "beta": np.take(beta[sectors], families[0].pairs, axis=1),
            "before": before,
            "reached": np.isfinite(before),
        }

    @property
    def rho(self) -> float:
        """Mean weight of the standard deviation in the perceived hours."""
        return float(self.choice.classes.rho.mean())

    # -- the choice under delays -------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether the freight of some lost family uses another family than the cheapest, see _HOLD_AFTER."""
        return any(part.held for part in self.parts)

    def release(self) -> None:
        """Let freight of lost families use the cheapest family again, for the next trials (_HOLD_AFTER)."""
        self._asked = 0

    def cost(self, delay_h: FloatArray, delay_h2: FloatArray) -> FloatArray:
        """Expected costs K' [pair, sector] under further hours delay_h [q] and variance delay_h2 [q]."""
        out = np.array(self.choice.cost)
        self._asked += 1
        # Without lost families a choice does not depend on earlier ones, and the same delays give the same
        # result.
        known = not len(self.choice.lost.groups) and all(
            np.array_equal(new, old) for new, old in zip((delay_h, delay_h2), self._last, strict=True)
        )
        self._last = delay_h, delay_h2
        for part in self.parts:
            part.held = False
        anew = [part for part in self.parts if not (known and part.chosen is not None)]
        side_by_side([partial(self._delay, part, delay_h, delay_h2) for part in anew])
        for part in self.parts:
            if not (delay_h.any() or delay_h2.any()):
                # Exactly: no delay is no change.
                continue
            # A pair may have no route at all for some sectors: it keeps its infinite cost.
            with np.errstate(invalid="ignore"):
                change = part.beta * (part.now.cost[:, 0] - part.before)
            out[np.ix_(part.pairs, part.sectors)] += np.where(part.reached, change, 0.0).T
        return out

    def _delay(self, part: _Part, delay_h: FloatArray, delay_h2: FloatArray) -> None:
        """Costs and shares of the pairs of a part under delays."""
        if part.pull is None:
            part.pull = np.empty((1, len(part.routes), len(part.sectors)))
        found = part.delayed(delay_h, delay_h2).totals(part.gained, sectors=part.sectors, pull=part.pull)
        part.total = found.total[:, 0]
        part.chosen = choose(
            part.families, found, (part.at, part.levels, part.level), self._ride(part, part.chosen)
        )

    def _ride(self, part: _Part, before: Chosen | None) -> Ride | None:
        """The rule by which freight of lost families finds its family; None for the cheapest."""
        if self.host is not None:
            given, lost = self.host[part.sectors, part.product], self.choice.lost.groups

            def as_given(s: int, p: int, settled: Settled) -> LongArray:
                gone = np.searchsorted(lost, part.members[part.families[s].lost_groups])
                return np.asarray(np.searchsorted(part.members, given[s][gone]))

            return as_given
        if before is None or self._asked <= _HOLD_AFTER:
            return None
        hosts = before.host

        def as_before(s: int, p: int, settled: Settled) -> LongArray:
            held, cheapest = hosts[s][p], settled.host
            near = settled.family_cost[held] <= _HOLD_WITHIN * settled.family_cost[cheapest]
            host = np.where(near, held, cheapest)
            part.held |= bool((host != cheapest).any())
            return host

        return as_before

    def flows(self, demand_teu: FloatArray) -> FloatArray:
        """Loaded TEU a year in every queue [q] under the last delays; demand_teu [pair, sector]."""

        def of(part: _Part) -> FloatArray:
            assert part.total is not None and part.pull is not None
            per = ratio_of(self._boxes(part, demand_teu), part.total.T)
            return np.asarray(part.through_t @ _over_sectors(part, part.pull[0], per, self._n_sectors))

        out = np.zeros(self.n_queues)
        for found in side_by_side([partial(of, part) for part in self.parts]):
            out += found
        return out

    def _boxes(self, part: _Part, demand_teu: FloatArray) -> FloatArray:
        """TEU carried by the affected families under the last delays [g, s]."""
        teu = demand_teu[part.pairs][:, part.sectors] * part.beta.T
        return np.asarray(teu[part.slot[part.at]] * part.now_carried)

    def settled(
        self, delay_h: FloatArray, delay_h2: FloatArray, last: bool = True, *, idle: bool = True
    ) -> Choice:
        """The choice under the last delays, which must be delay_h and delay_h2 [q].

        last: this object is not used afterwards; idle: also compute costs for sectors by a product that they
        ship nothing by. Equals the result of `pivot`, except for lost families between two that cost nearly
        the same (_HOLD_WITHIN).
        """
        choice, old = self.choice, self.choice.sums
        for part in self.parts if last else ():
            # The largest arrays are no longer needed.
            part.pull = None
        if not (delay_h.any() or delay_h2.any()):
            return choice
        hours, variance = np.array(old.time_h), np.array(old.variance_h2)
        for p in (0, 1):
            hours[p] += self.through[p] @ delay_h
            variance[p] += self.through[p] @ delay_h2
        sums = replace(old, time_h=hours, variance_h2=np.maximum(variance, 0.0))
        family_cost, cost = np.array(choice.family_cost), np.array(choice.cost_segment)
        share, lost = np.array(choice.pivot_share), choice.lost
        carried = np.array(choice.family_share) if len(lost.groups) else share
        host, known = np.array(lost.host), choice.base.family_cost[:, :, lost.groups]
        more = side_by_side([partial(self._idle, part, delay_h, delay_h2) for part in self.parts if idle])
        for part in (*self.parts, *more):
            p, now = part.product, part.now
            for k, (s, families) in enumerate(zip(part.sectors, part.families, strict=True)):
                family_cost[s, p][part.members] = now.family_cost[k, 0]
                share[s, p][part.members] = now.share[k, 0]
                carried[s, p][part.members] = now.carried[k, 0]
                cost[s, p][part.pairs] = now.cost[k, 0]
                gone = np.searchsorted(lost.groups, part.members[families.lost_groups])
                host[s, p][gone] = part.members[now.host[k][0]]
        # A family that is lost to some sectors only is not lost to the others.
        still = lost.host == lost.groups
        return replace(
            choice,
            sums=sums,
            cost=over_products(choice.classes, cost),
            cost_segment=cost,
            family_cost=family_cost,
            family_share=carried,
            pivot_share=share,
            lost=LostFamilies(
                lost.groups,
                host,
                np.where(still, 0.0, share[:, :, lost.groups]),
                np.where(still, 0.0, family_cost[:, :, lost.groups] - known),
            ),
            weights=replace(choice.weights, sums=sums),
        )

    def _idle(self, part: _Part, delay_h: FloatArray, delay_h2: FloatArray) -> _Part:
        """A part for the sectors that ship nothing by its product, under delays."""
        idle = np.setdiff1d(np.arange(self._n_sectors), part.sectors)
        other = replace(part, **self._of_sectors(part.product, part.groups, idle)) if len(idle) else part
        if len(idle):
            found = other.delayed(delay_h, delay_h2).totals(other.gained, sectors=idle)
            some = other.at, other.levels, other.level
            other.chosen = choose(other.families, found, some, self._ride(other, None))
        return other

    # -- response of flows to delays -------------------------------------------------------------------

    def slope(self, demand_teu: FloatArray) -> tuple[FloatArray, FloatArray]:
        """d flows / d hours of the queues at given demand [q, q], and the mean spread of their traffic [q].

        Routes respond as in `Choice.vjp`, lost and gained families do not, and all sectors together are
        treated as one, with mean cost and value of time. It only directs the steps of a search: derivatives
        of the model are those of `Choice.vjp`.
        """
        if not self._every_sector:
            whole = DelayedChoice(self.choice, self.through, self.host, every_sector=True)
            whole.cost(*self._last)
            return whole.slope(demand_teu)
        n = self.n_queues
        out, spread, passed = np.zeros((n, n)), np.zeros(n), np.zeros(n)
        for part in self.parts:
            flow, turned = self._answer(part, demand_teu)
            out += turned
            wide = np.sqrt(part.weights.sums.variance_h2[0] + VARIANCE_FLOOR)
            passed += part.through_t @ flow
            spread += part.through_t @ (flow * wide)
        return out, np.asarray(spread / np.where(passed > 0.0, passed, 1.0))

    def _answer(self, part: _Part, demand_teu: FloatArray) -> tuple[FloatArray, FloatArray]:
        """TEU on routes [n] and the change of the flows [q, q], block by block of whole pairs.

        Inside families by J, between them by -lambda K_f (dlnK_f - mean over the pair).
        """
        phi, boxes, steep = self.choice.classes.phi, self._boxes(part, demand_teu), self._steep(part)
        teu = (demand_teu[part.pairs][:, part.sectors] * part.beta.T).sum(axis=1)
        slot = part.slot[part.at]
        assert part.total is not None and part.pull is not None
        flow = _over_sectors(part, part.pull[0], ratio_of(boxes, part.total.T), self._n_sectors)
        turned = np.zeros((self.n_queues, self.n_queues))
        usd_per_h = self.choice.classes.usd_per_h.T
        for piece in part.weights.pieces((0,)):
            block, mine = piece.block, boxes[piece.block.groups]
            on_route = flow[block.routes]
            whole = mine.sum(axis=1, keepdims=True)
            part_of = mine * inverse(whole)
            per_hour = usd_per_h[part.weights.pair[block.routes]]
            # One sector that represents all: mean weight and mean share of an hour in the cost.
            weight = (piece.weight * part_of[block.group]).sum(axis=1, keepdims=True)
            turn = (per_hour / piece.cost * part_of[block.group]).sum(axis=1, keepdims=True)
            inner = block.inner(weight)
            passing = part.through[block.routes]
            longer = np.asarray(passing.toarray()) * turn
            by_family = block.add @ (inner.share * longer)
            by_family *= (steep[block.groups] * mine).sum(axis=1, keepdims=True) * inverse(whole)
            at = slot[block.groups] - slot[block.groups.start]
            pairs = slice(slot[block.groups.start], slot[block.groups.start] + at[-1] + 1)
            average = np.zeros((at[-1] + 1, self.n_queues))
            np.add.at(average, at, whole * by_family)
            average *= inverse(teu[pairs])[:, None]
            between = on_route[:, None] * (average[at] - by_family)[block.group]
            within = phi * whole[block.group] * inner.turn(longer)
            turned += passing.T @ (between - within)
        return flow, turned

    def _steep(self, part: _Part) -> FloatArray:
        """lambda K_f of the affected families, zero for gained ones [g, s]."""
        base, p = self.choice.base, part.product
        lam = ratio_of(base.classes.phi_b, base.cost_segment[part.sectors, p][:, part.pairs]).T
        level = np.take(part.now.family_cost[:, 0], part.at, axis=1).T
        gained = np.stack([one.gained[part.at] for one in part.families], axis=1)
        return np.where(gained, 0.0, lam[part.slot[part.at]] * level)


def _over_sectors(part: _Part, pull: FloatArray, per: FloatArray, n_sectors: int) -> FloatArray:
    """sum over s of pull x the value per unit of its family [n]; per [g, s].

    The sum runs over all sectors, with zeros for those that are not in the part: sums then have one order,
    whatever the sectors of a part, and a search ends with the same bits.
    """
    out = np.zeros(len(part.routes))
    blocks = part.weights.nests.blocks
    whole = len(part.sectors) == n_sectors
    if not whole:
        some, per = per, np.zeros((len(per), n_sectors))
        per[:, part.sectors] = some
        size = max((block.routes.stop - block.routes.start for block in blocks), default=0)
        wide = np.zeros((size, n_sectors))
    for block in blocks:
        pulled = pull[block.routes]
        if not whole:
            narrow, pulled = pulled, wide[: len(pulled)]
            pulled[:, part.sectors] = narrow
        out[block.routes] = np.einsum("rs,rs->r", pulled, block.spread(per[block.groups]))
    return out


class Patched:
    """A choice of all pairs of which some choose again, for example because a gateway they passed is closed.

    whole: of all pairs. part: of those that choose again. pairs: their numbers in the whole, ascending. lost
    [of pairs]: those without any route, which ship nothing and keep their cost. still: the whole too, but
    evaluated at one delay only, so that the start shared by many parts is computed once.
    """

    def __init__(
        self,
        whole: DelayedChoice,
        part: DelayedChoice,
        pairs: LongArray,
        lost: NDArray[np.bool_],
        still: tuple[DelayedChoice, FloatArray, FloatArray] | None = None,
    ) -> None:
        self.whole, self.part, self.pairs, self.lost = whole, part, pairs, lost
        self.rho, self._still, self._now = whole.rho, still, whole

    @property
    def held(self) -> bool:
        """Whether the freight of some lost family uses another family than the cheapest."""
        return self.whole.held or self.part.held

    def release(self) -> None:
        """Let the freight of lost families use the cheapest family again, for the next trials."""
        self.whole.release()
        self.part.release()

    def cost(self, delay_h: FloatArray, delay_h2: FloatArray) -> FloatArray:
        """Expected costs [pair, sector] under further hours delay_h [q] and variance delay_h2 [q]."""
        self._now = self.whole
        if self._still is not None:
            still, *known = self._still
            if np.array_equal(delay_h, known[0]) and np.array_equal(delay_h2, known[1]):
                self._now = still
        out = self._now.cost(delay_h, delay_h2)
        new = self.part.cost(delay_h, delay_h2)
        out[self.pairs] = np.where(self.lost[:, None], self.whole.choice.cost[self.pairs], new)
        return out

    def flows(self, demand_teu: FloatArray) -> FloatArray:
        """Loaded TEU a year in every queue [q] under the last delays; demand_teu [pair, sector]."""
        rest = demand_teu.copy()
        rest[self.pairs] = 0.0
        anew = np.where(self.lost[:, None], 0.0, demand_teu[self.pairs])
        return self._now.flows(rest) + self.part.flows(anew)
