"""The part of a choice that queues can touch, so that a fixed point pays for nothing else.

A wait at a gateway changes the cost of the routes through it, the weights of their families, the shares
of these among the families of their pairs, and the expected costs. All other families stay as they are;
a choice without further delay is solved once, and what follows is taken relative to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.transport.choice import (
    _CHUNK,
    _VARIANCE_FLOOR,
    Choice,
    _Costs,
    _over_products,
    _power,
    _ratio,
    _root,
    _Within,
)
from landbridge.transport.graph import Graph
from landbridge.transport.paths import RouteSet, RouteSums
from landbridge.transport.queues import Queues

__all__ = ["Patched", "Touched", "passes"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def passes(routes: RouteSet, graph: Graph, queues: Queues) -> tuple[csr_matrix, csr_matrix]:
    """How often each route passes each queue, for either product [route, q]; empty where it does not wait."""
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
class _Segments:
    """One product: the routes of the touched families, their costs and weights without further delay.

    routes [n]: of touched families, in order; start [g]: where each family begins among them. groups [g]:
    their numbers. through: csr [n, q]. turn, weight [sector, n]: value of an hour over G, and w.
    pairs [m]: of the touched families; group_pair [g]: number into pairs. rest [sector, m]: share of the
    families that are not touched. reach [sector]: how many of the families have anything to ship of it;
    those with more sectors stand first.
    """

    product: int
    routes: IntArray
    start: IntArray
    group_of: IntArray
    groups: IntArray
    through: csr_matrix
    through_t: csr_matrix
    turn: FloatArray
    weight: FloatArray
    spread: FloatArray
    variance: FloatArray
    total: FloatArray
    pairs: IntArray
    pair_of_group: IntArray
    pair_start: IntArray
    share: FloatArray
    rest: FloatArray
    rest_cost: FloatArray
    family_cost: FloatArray
    per_usd: FloatArray
    gained: NDArray[np.bool_]
    reach: list[int]
    # What the last delays gave, [sector, ...].
    now_weight: FloatArray
    new_weight: FloatArray
    new_total: FloatArray
    new_share: FloatArray
    new_family_cost: FloatArray
    pair_total: FloatArray
    new_cost: FloatArray


class Touched:
    """A choice under delays at the queues, relative to the same choice without them.

    choice: without further delay. through: `passes` of its routes, one matrix for each product.
    """

    def __init__(self, choice: Choice, through: tuple[csr_matrix, csr_matrix]) -> None:
        self.choice, self.through = choice, through
        self.n_queues = through[0].shape[1]
        within = choice._within
        costs = _Costs(choice.base.routes, choice.classes, choice.sums)
        self.parts = [part for p in (0, 1) if (part := self._segments(p, within, costs)) is not None]

    def _segments(self, p: int, within: _Within, costs: _Costs) -> _Segments | None:
        choice, routes, classes = self.choice, self.choice.base.routes, self.choice.classes
        matrix = self.through[p]
        on_way = np.diff(matrix.indptr) > 0
        if not on_way.any():
            return None
        beta = classes.block_share if p == 0 else 1.0 - classes.block_share
        opened = within.total[:, p].max(axis=0) > 0.0
        waits = np.logical_or.reduceat(on_way & choice.available, routes.group_start[:-1])
        hit = np.asarray(waits, dtype=bool) & opened & np.asarray((beta > 0.0).any(axis=0))[routes.group_pair]
        groups = np.flatnonzero(hit)
        if not len(groups):
            return None
        # Pairs that ship of many sectors first, so that a sector few ship of is done after a few families.
        live = beta > 0.0
        many = live.sum(axis=0)[routes.group_pair[groups]]
        groups = groups[np.argsort(-many, kind="stable")]
        reach = [
            int(np.flatnonzero(row)[-1]) + 1 if row.any() else 0 for row in live[:, routes.group_pair[groups]]
        ]
        size = np.diff(routes.group_start)[groups]
        start = np.concatenate([[0], np.cumsum(size)[:-1]])
        rows = np.repeat(routes.group_start[groups] - start, size) + np.arange(int(size.sum()))
        of = np.repeat(np.arange(len(groups)), size)
        n, g, n_sectors = len(rows), len(groups), len(classes.sectors)
        pair = routes.group_pair[groups]
        pair_start = np.flatnonzero(np.diff(pair, prepend=-1))
        pairs = pair[pair_start].astype(np.int64)
        slot = np.repeat(np.arange(len(pairs)), np.diff(np.append(pair_start, g)))
        mine = matrix[rows]
        turn, weight = (np.empty((n_sectors, n)) for _ in range(2))
        rest, rest_cost, per_usd = (np.empty((n_sectors, len(pairs))) for _ in range(3))
        everything = slice(None)
        others = np.ones(len(routes.group_pair), dtype=bool)
        others[groups] = False
        for s in range(n_sectors):
            turn[s] = (classes.usd_per_h[s][routes.pair] / costs.of(s, p, everything))[rows]
            weight[s] = within.weight[s, p][rows]
            left = np.where(others, choice.family_share[s, p], 0.0)
            rest[s] = np.bincount(routes.group_pair, weights=left, minlength=routes.n_pairs)[pairs]
            left *= choice.family_cost[s, p]
            rest_cost[s] = np.bincount(routes.group_pair, weights=left, minlength=routes.n_pairs)[pairs]
            per_usd[s] = _ratio(classes.phi_b, choice.base.cost_segment[s, p])[pairs]
        variance = choice.sums.variance_h2[p][rows]
        return _Segments(
            product=p,
            routes=rows,
            start=start,
            group_of=of,
            groups=groups,
            through=mine,
            through_t=mine.T.tocsr(),
            turn=turn,
            weight=weight,
            spread=np.sqrt(variance + _VARIANCE_FLOOR),
            variance=variance,
            total=within.total[:, p][:, groups],
            pairs=pairs,
            pair_of_group=slot,
            pair_start=pair_start,
            share=choice.family_share[:, p][:, groups],
            rest=rest,
            rest_cost=rest_cost,
            family_cost=choice.family_cost[:, p][:, groups],
            per_usd=per_usd,
            gained=choice.gained[groups],
            reach=reach,
            now_weight=weight,
            new_weight=np.zeros_like(weight),
            new_total=np.array(within.total[:, p][:, groups]),
            new_share=np.array(choice.family_share[:, p][:, groups]),
            new_family_cost=np.array(choice.family_cost[:, p][:, groups]),
            pair_total=np.ones((n_sectors, len(pairs))),
            new_cost=np.array(choice.cost_segment[:, p][:, pairs]),
        )

    @property
    def rho(self) -> float:
        """Mean weight of the standard deviation in the felt hours."""
        return float(self.choice.classes.rho.mean())

    # -- the choice under delays -------------------------------------------------------------------

    def cost(self, delay_h: FloatArray, delay_h2: FloatArray) -> FloatArray:
        """Expected costs K' under further hours and variance at the queues [q] -> [pair, sector]."""
        choice, classes = self.choice, self.choice.classes
        out = np.array(choice.cost)
        for part in self.parts:
            if delay_h.any() or delay_h2.any():
                self._delay(part, delay_h, delay_h2)
            else:
                self._undelayed(part)
            beta = classes.block_share if part.product == 0 else 1.0 - classes.block_share
            before = choice.cost_segment[:, part.product][:, part.pairs]
            # A pair may have no way at all for some sectors: it keeps its infinite cost.
            reached = np.isfinite(before)
            change = np.where(reached, part.new_cost, 0.0) - np.where(reached, before, 0.0)
            out[part.pairs] += (beta[:, part.pairs] * change).T
        return out

    def _undelayed(self, part: _Segments) -> None:
        part.now_weight = part.weight
        part.new_total[:], part.new_share[:] = part.total, part.share
        part.new_family_cost[:], part.pair_total[:] = part.family_cost, 1.0
        part.new_cost[:] = self.choice.cost_segment[:, part.product][:, part.pairs]

    def _delay(self, part: _Segments, delay_h: FloatArray, delay_h2: FloatArray) -> None:
        choice, classes = self.choice, self.choice.classes
        part.now_weight = part.new_weight
        hours = part.through @ delay_h
        widened = np.maximum(part.variance + part.through @ delay_h2, 0.0)
        wider = np.sqrt(widened + _VARIANCE_FLOOR) - part.spread
        extra = {rho: hours + rho * wider for rho in set(classes.rho.tolist())}
        mean = np.empty_like(part.new_total) if part.gained.any() else None
        cuts = np.searchsorted(part.start, np.arange(0, len(part.routes), _CHUNK))
        for low, high in zip(cuts, np.append(cuts[1:], len(part.start)), strict=True):
            if low == high:
                continue
            # Whole families at a time, few enough for all their sweeps to stay in cache.
            end = part.start[high] if high < len(part.start) else len(part.routes)
            block, first = slice(part.start[low], end), part.start[low:high] - part.start[low]
            gains = mean is not None and bool(part.gained[low:high].any())
            for s in range(len(classes.sectors)):
                if low >= part.reach[s]:
                    continue
                # G' / G = 1 + (value of an hour / G) x further hours, uncertainty included.
                ratio = part.turn[s, block] * extra[float(classes.rho[s])][block]
                ratio += 1.0
                if mean is not None and gains:
                    mean[s, low:high] = self._mean(part, s, block, ratio, first)
                _power(ratio, classes.phi)
                weight = np.divide(part.weight[s, block], ratio, out=part.new_weight[s, block])
                part.new_total[s, low:high] = np.add.reduceat(weight, first)
        averaged = choice.averaged[part.pairs]
        for s, reach in enumerate(part.reach):
            if not reach:
                continue
            g, m = slice(reach), slice(int(part.pair_of_group[reach - 1]) + 1)
            slot, first, gained = part.pair_of_group[g], part.pair_start[m], part.gained[g]
            family, per_usd = part.new_family_cost[s, g], part.per_usd[s, m]
            root = _root(_ratio(part.total[s, g], part.new_total[s, g]), classes.phi)
            np.multiply(part.family_cost[s, g], root, out=family)
            lifted = family - part.family_cost[s, g]
            if mean is not None:
                family[gained] = mean[s, g][gained]
                lifted[gained] = 0.0
            lifted *= per_usd[slot]
            share = part.share[s, g] * np.exp(-lifted)
            whole = part.pair_total[s, m]
            np.add(part.rest[s, m], np.add.reduceat(share, first), out=whole)
            # Nothing is open to a sector whose transit is closed: its pairs keep what they had.
            whole[whole <= 0.0] = 1.0
            np.divide(share, whole[slot], out=part.new_share[s, g])
            before = choice.cost_segment[s, part.product][part.pairs[m]]
            value = before - np.log(whole) / np.where(per_usd > 0.0, per_usd, 1.0)
            if averaged.any():
                level = part.rest_cost[s, m] / whole
                level += np.add.reduceat(part.new_share[s, g] * family, first)
                value = np.where(averaged[m], level, value)
            part.new_cost[s, m] = value

    def _mean(self, part: _Segments, s: int, block: slice, ratio: FloatArray, first: IntArray) -> FloatArray:
        """Mean cost of the routes of each family by weight, for families that a pair gains."""
        per_hour = self.choice.classes.usd_per_h[s][self.choice.base.routes.pair[part.routes[block]]]
        weight = part.weight[s, block] * ratio**-self.choice.classes.phi
        turn = part.turn[s, block]
        timed = turn > 0.0
        cost = np.where(timed, per_hour / np.where(timed, turn, 1.0), 0.0) * ratio
        mean = _ratio(np.add.reduceat(weight * cost, first), np.add.reduceat(weight, first))
        # Goods whose hours are worth nothing pay what they paid.
        group = part.group_of[block.start + first]
        return np.asarray(np.where(timed[first], mean, part.family_cost[s, group]))

    def flows(self, demand_teu: FloatArray) -> FloatArray:
        """Loaded boxes in every queue [q] under the last delays; demand_teu [pair, sector]."""
        classes = self.choice.classes
        out = np.zeros(self.n_queues)
        for part in self.parts:
            beta = classes.block_share if part.product == 0 else 1.0 - classes.block_share
            teu = demand_teu[part.pairs].T * beta[:, part.pairs]
            per = _ratio(teu[:, part.pair_of_group] * part.new_share, part.new_total)
            on_route = np.zeros(len(part.routes))
            for low in range(0, len(on_route), _CHUNK):
                block = slice(low, low + _CHUNK)
                group, mine = part.group_of[block], on_route[block]
                for s, reach in enumerate(part.reach):
                    if group[0] < reach:
                        mine += part.now_weight[s, block] * per[s][group]
            out += part.through_t @ on_route
        return out

    def settled(self, delay_h: FloatArray, delay_h2: FloatArray) -> Choice:
        """The choice under the last delays, which must be these, as `pivot` would give it.

        The weights kept for the choice without delay are overwritten: it makes them again if asked.
        """
        choice, routes, classes = self.choice, self.choice.base.routes, self.choice.classes
        old = choice.sums
        hours, variance = np.array(old.time_h), np.array(old.variance_h2)
        for p in (0, 1):
            hours[p] += self.through[p] @ delay_h
            variance[p] += self.through[p] @ delay_h2
        sums = RouteSums(hours, old.cost_usd, old.co2e_kg, np.maximum(variance, 0.0))
        within = choice._within
        weight, total = within.weight, np.array(within.total)
        family_cost, family_share = np.array(choice.family_cost), np.array(choice.family_share)
        cost = np.array(choice.cost_segment)
        for part in self.parts:
            p = part.product
            others = np.ones(len(routes.group_pair), dtype=bool)
            others[part.groups] = False
            slot = np.full(routes.n_pairs, -1)
            slot[part.pairs] = np.arange(len(part.pairs))
            at = slot[routes.group_pair]
            beside = np.flatnonzero(others & (at >= 0))
            for s in range(len(classes.sectors)):
                reach = part.reach[s]
                end = part.start[reach] if reach < len(part.start) else len(part.routes)
                if part.now_weight is part.new_weight:
                    weight[s, p][part.routes[:end]] = part.new_weight[s, :end]
                total[s, p][part.groups[:reach]] = part.new_total[s, :reach]
                family_cost[s, p][part.groups] = part.new_family_cost[s]
                family_share[s, p][part.groups] = part.new_share[s]
                family_share[s, p][beside] /= part.pair_total[s][at[beside]]
                cost[s, p][part.pairs] = part.new_cost[s]
        new = replace(
            choice,
            sums=sums,
            cost=_over_products(classes, cost),
            cost_segment=cost,
            family_cost=family_cost,
            family_share=family_share,
        )
        choice.base._kept.hold(new, _Within(routes, classes, sums, weight, total, within.shift))
        return new

    # -- how flows answer to delays ----------------------------------------------------------------

    def slope(self, demand_teu: FloatArray) -> tuple[FloatArray, FloatArray]:
        """d flows / d hours of the queues at given demand [q, q], and the mean spread of what passes [q].

        d share_r = share_r [-phi (dlnG_r - mean) - lambda (dK_f - mean dK_f)], see `Choice.vjp`, with the
        sectors taken together. It only directs the steps of a search: derivatives of the model are those of
        `Choice.vjp`.
        """
        classes, n = self.choice.classes, self.n_queues
        out, spread, passed = np.zeros((n, n)), np.zeros(n), np.zeros(n)
        for part in self.parts:
            beta = classes.block_share if part.product == 0 else 1.0 - classes.block_share
            g = len(part.groups)
            flow, turned, steep = np.zeros(len(part.routes)), np.zeros(len(part.routes)), np.zeros(g)
            for s in range(len(classes.sectors)):
                teu = demand_teu[part.pairs, s] * beta[s, part.pairs]
                on_group = teu[part.pair_of_group] * part.new_share[s]
                mine = part.now_weight[s] * _ratio(on_group, part.new_total[s])[part.group_of]
                flow += mine
                mine *= part.turn[s]
                turned += mine
                steep += on_group * part.per_usd[s][part.pair_of_group] * part.new_family_cost[s]
            count, column = np.diff(part.through.indptr), part.through.indices
            cell = np.repeat(part.group_of, count) * n + column
            data = part.through.data
            on_group = np.add.reduceat(flow, part.start)
            safe = np.where(on_group > 0.0, on_group, 1.0)[:, None]
            boxes = np.bincount(cell, np.repeat(flow, count) * data, g * n).reshape(g, n)
            mean = np.bincount(cell, np.repeat(turned, count) * data, g * n).reshape(g, n) / safe
            tilted = csr_matrix(
                (np.repeat(turned, count) * data, column, part.through.indptr), shape=part.through.shape
            )
            out -= classes.phi * (part.through_t @ tilted).toarray()
            # By family: lambda K_f dlnK_f, no answer where a family has no base cost to pivot on.
            lifted = np.where(part.gained, 0.0, steep)[:, None] / safe * mean
            out += boxes.T @ (classes.phi * mean - lifted)
            pair = np.add.reduceat(on_group, part.pair_start)
            left = np.zeros(len(pair))
            for s in range(len(classes.sectors)):
                teu = demand_teu[part.pairs, s] * beta[s, part.pairs]
                left += teu * (1.0 - np.add.reduceat(part.new_share[s], part.pair_start))
            whole = np.where(pair + left > 0.0, pair + left, 1.0)[:, None]
            average = np.add.reduceat(on_group[:, None] * lifted, part.pair_start) / whole
            out += np.add.reduceat(boxes, part.pair_start).T @ average
            boxes_of = np.repeat(flow, count) * data
            passed += np.bincount(column, boxes_of, n)
            spread += np.bincount(column, boxes_of * np.repeat(part.spread, count), n)
        return out, np.asarray(spread / np.where(passed > 0.0, passed, 1.0))


class Patched:
    """A choice of all pairs of which some were chosen anew, say because a gateway they passed is closed.

    whole: of all pairs. part: of those chosen anew. pairs: their numbers in the whole, ascending. lost [of
    pairs]: those without any route, which ship nothing and keep the cost they had.
    """

    def __init__(self, whole: Touched, part: Touched, pairs: IntArray, lost: NDArray[np.bool_]) -> None:
        self.whole, self.part, self.pairs, self.lost = whole, part, pairs, lost
        self.rho = whole.rho

    def cost(self, delay_h: FloatArray, delay_h2: FloatArray) -> FloatArray:
        """Expected costs under further hours and variance at the queues [q] -> [pair, sector]."""
        out = self.whole.cost(delay_h, delay_h2)
        new = self.part.cost(delay_h, delay_h2)
        out[self.pairs] = np.where(self.lost[:, None], self.whole.choice.cost[self.pairs], new)
        return out

    def flows(self, demand_teu: FloatArray) -> FloatArray:
        """Loaded boxes in every queue [q] under the last delays; demand_teu [pair, sector]."""
        rest = demand_teu.copy()
        rest[self.pairs] = 0.0
        anew = np.where(self.lost[:, None], 0.0, demand_teu[self.pairs])
        return self.whole.flows(rest) + self.part.flows(anew)
