"""Choice among the corridor families of a pair: the pivot-point logit, families lost and gained.

    s_f' = s_f exp(-lambda (K_f' - K_f0)) / sum
    K' = K0 - (1/lambda) ln sum_f s_f exp(-lambda (K_f' - K_f0))

over the families of the base and those gained, lambda = phi_b / K0 of the pair [USD/TEU].

*Kept*: K_f' = K_f0 (V'/V0)^(-1/phi). Where its best route is closed and routes were searched again, K_f' is
at least K_f0: a route that was available all along is no gain.

*Lost*: no route is open, but the pair has another family. K_f' = max(K_f0, least K_g' of the open families);
it keeps its share s_f, and its freight uses the family of that least cost.

*Gained*: not open in the base. K_f' is the mean cost of its routes. It enters with the share that it would
have in the base at that cost, the others are scaled to the rest, and with K_f0 = max(K_f', least K_g0 of the
base). So it helps where it is cheaper than the best family of the base and never hurts, and losing it again
returns the base. Its share on entry is that at the waits of the base; it is held while waits converge and in
derivatives.

A pair without any family in the base has the shares of the base at its current costs, K' = sum_f s_f K_f'.

*Shares of the base*, for goods in containers and in bulk, Q the group of the pair:

    s_f = A_Qf r_f^(-phi_x) h(r_f) / sum,   r_f = K_f / least K_g of the pair

K_f is the mean over the sectors of the kind. h is one up to TAPER[0] and falls smoothly to zero at TAPER[1]:
the stated shares are those of a group, and a pair for which a family costs many times the best does not use
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.transport.choice.weights import Totals
from landbridge.transport.routes.families import BY_TRUCK, FAMILIES
from landbridge.transport.routes.route_set import RouteSet
from landbridge.transport.segments import Segments

if TYPE_CHECKING:
    from landbridge.transport.choice.pivot import BaseChoice

__all__ = [
    "Chosen",
    "Families",
    "Levels",
    "Ride",
    "Settled",
    "base_shares",
    "choose",
    "cost_by_kind",
    "ratio_of",
    "weights_of_families",
]

FloatArray = NDArray[np.float64]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Ratio to the pair's cheapest family up to which a family counts in full, and from which it does not count;
# and the same for trucks, which are expensive and quick.
TAPER = (2.0, 3.5)
TAPER_ROAD = (4.0, 6.0)
# Above this phi_b, exponentials are taken relative to the best family of the pair.
_STEEP = 40.0


@dataclass(frozen=True, eq=False)
class Levels:
    """Inputs of the K_f' of some families, in addition to the sums of the weights of their routes.

    phi: how sharply routes are chosen by cost. kept, gained, again [group]: see the module docstring. known,
    total, shift [sector, product, group]: K_f0 and V_f0 = total exp(shift) of the base.
    """

    phi: float
    kept: BoolArray
    gained: BoolArray
    again: BoolArray
    known: FloatArray
    total: FloatArray
    shift: FloatArray | None

    def take(
        self, at: LongArray, products: slice = slice(None), sectors: LongArray | slice = slice(None)
    ) -> Levels:
        """The levels of some groups, products and sectors, renumbered; at: numbers of the groups."""

        def part(values: FloatArray) -> FloatArray:
            return np.take(values[sectors, products], at, axis=2)

        return Levels(
            self.phi,
            self.kept[at],
            self.gained[at],
            self.again[at],
            part(self.known),
            part(self.total),
            None if self.shift is None else part(self.shift),
        )

    def of(self, s: int, p: int, found: Totals) -> FloatArray:
        """K_f' of the open families for sector s and product p, else zero [group]; found: sums of weights."""
        known, total = self.known[s, p], found.total[s, p]
        # A sum that underflowed counts as closed.
        level: FloatArray = np.zeros(len(total))
        np.divide(self.total[s, p], total, out=level, where=self.kept & (total > 0.0))
        level = _root(level, self.phi)
        if found.shift is not None and self.shift is not None:
            moved = np.where(self.kept, found.shift[s, p] - self.shift[s, p], 0.0)
            level *= np.exp(moved / -self.phi)
        level *= known
        if self.again.any():
            level[self.again] = np.maximum(level[self.again], known[self.again])
        if found.mean is not None:
            level[self.gained] = found.mean[s, p][self.gained]
        return level


class Settled(NamedTuple):
    """One segment: K_f' of all families, their shares in the pivot, K'.

    family_cost [group]: K_f'; share [group]; cost [pair]: K' [USD/TEU]. host [lost]: the family that carries
    the freight of each lost one, as a number of a group.
    """

    family_cost: FloatArray
    share: FloatArray
    cost: FloatArray
    host: LongArray


@dataclass(frozen=True, eq=False)
class Families:
    """The families of some pairs after a change; groups and pairs are numbered among these.

    phi_b: how sharply families are chosen by cost. groups, pairs: their numbers in the route set; only pairs
    that have a family. slot [group]: the pair.
    first [pair]: its first group. opened, kept, gained, lost, again [group]: state of a family (see above);
    again is a part of kept. share0 [kind, group]: s_f on entry; kind [sector]. fresh [pair]: no family in the
    base. reached [pair]: some family is open. levels: inputs of the costs of the families. start [sector,
    product, pair]: K0.
    """

    phi_b: float
    levels: Levels
    start: FloatArray
    groups: LongArray
    pairs: LongArray
    slot: LongArray
    first: LongArray
    opened: BoolArray
    kept: BoolArray
    gained: BoolArray
    lost: BoolArray
    again: BoolArray
    share0: FloatArray
    kind: NDArray[np.int32]
    fresh: BoolArray
    reached: BoolArray

    @classmethod
    def of(
        cls,
        base: BaseChoice,
        opened: BoolArray,
        again: BoolArray | None,
        mean: FloatArray | None = None,
        entering: FloatArray | None = None,
    ) -> Families:
        """The families of all pairs, given the base; opened, again [group].

        mean [sector, product, group]: K_f' of gained families. entering [kind, group]: share0, where it is
        held.
        """
        routes, classes = base.routes, base.classes
        pair = routes.group_pair
        n_groups = len(pair)
        first = np.flatnonzero(np.diff(pair, prepend=-1))
        pairs = pair[first].astype(np.int64)
        slot = np.repeat(np.arange(len(first)), np.diff(np.append(first, n_groups)))
        before = base.family_cost[0, 0] > 0.0
        fresh, reached = np.ones(len(pairs), dtype=bool), np.zeros(len(pairs), dtype=bool)
        fresh[slot[before]] = False
        reached[slot[opened]] = True
        gained = opened & ~before
        share0 = base.family_share
        if entering is not None:
            share0 = entering
        elif gained.any():
            assert mean is not None
            cost = np.where(gained, mean, base.family_cost)
            enters = base_shares(routes, classes, cost, gained | before)[0]
            new = np.stack(
                [np.bincount(slot, weights=np.where(gained, s, 0.0), minlength=len(pairs)) for s in enters]
            )
            share0 = np.where(gained, enters, share0 * (1.0 - new[:, slot]))
        kept = opened & before
        again = np.zeros(n_groups, dtype=bool) if again is None else again & kept
        return cls(
            classes.phi_b,
            Levels(classes.phi, kept, gained, again, base.family_cost, base.total, base.shift),
            np.take(base.cost_segment, pairs, axis=2),
            np.arange(n_groups),
            pairs,
            slot,
            first,
            opened,
            kept,
            gained,
            before & ~opened & reached[slot],
            again,
            np.where(reached[slot], share0, 0.0),
            classes.kind,
            fresh,
            reached,
        )

    def only(self, pairs: LongArray, product: int, sectors: LongArray | slice = slice(None)) -> Families:
        """The families of some pairs for one product and some sectors, which are renumbered 0, 1, ...

        pairs: by their numbers here, in ascending order.
        """
        products = slice(product, product + 1)
        new = np.full(len(self.pairs), -1)
        new[pairs] = np.arange(len(pairs))
        at = np.flatnonzero(new[self.slot] >= 0)
        slot = new[self.slot[at]]
        return replace(
            self,
            levels=self.levels.take(at, products, sectors),
            start=np.take(self.start[sectors, products], pairs, axis=2),
            groups=self.groups[at],
            pairs=self.pairs[pairs],
            slot=slot,
            first=np.flatnonzero(np.diff(slot, prepend=-1)),
            **{name: getattr(self, name)[at] for name in ("opened", "kept", "gained", "lost", "again")},
            share0=self.share0[:, at],
            kind=self.kind[sectors],
            fresh=self.fresh[pairs],
            reached=self.reached[pairs],
        )

    @cached_property
    def _per_usd(self) -> FloatArray:
        """lambda of every pair [sector, product, pair]."""
        return ratio_of(self.phi_b, self.start)

    @cached_property
    def _by_pair(self) -> csr_matrix:
        """Sums over the families of every pair [pair, group]."""
        n = len(self.slot)
        ones = np.ones(n), np.arange(n), np.append(self.first, n)
        return csr_matrix(ones, shape=(len(self.pairs), n))

    @cached_property
    def all_stay(self) -> bool:
        """Whether every family is one of the base, in a pair that is still served."""
        return bool((self.kept | self.lost).all())

    @cached_property
    def lost_groups(self) -> LongArray:
        """Numbers here of the lost families."""
        return np.flatnonzero(self.lost)

    def least_of_base(self, s: int, p: int) -> FloatArray:
        """Least K_g0 of the families that the pair of each group had in the base [group].

        s, p: numbers of sector and product.
        """
        known = self.levels.known[s, p]
        least = np.minimum.reduceat(np.where(known > 0.0, known, np.inf), self.first)
        return np.asarray(least[self.slot])

    def settle(self, s: int, p: int, level: FloatArray) -> Settled:
        """Shares and K' of one segment (sector s, product p); level [group]: K_f' of the open families."""
        slot, first, share0 = self.slot, self.first, self.share0[self.kind[s]]
        known, start, lam = self.levels.known[s, p], self.start[s, p], self._per_usd[s, p]
        lost = self.lost_groups
        host = np.zeros(0, dtype=np.int64)
        family_cost = level
        if len(lost):
            host, least = self._cheapest(level)
            family_cost = level.copy()
            family_cost[lost] = np.maximum(known[lost], least)
        part = known - family_cost
        if not self.all_stay:
            part[~(self.kept | self.lost)] = 0.0
            enters = np.flatnonzero(self.gained & ~self.fresh[slot])
            part[enters] = np.maximum(self.least_of_base(s, p)[enters] - family_cost[enters], 0.0)
        part *= lam[slot]
        top: FloatArray | float = 0.0
        if self.phi_b > _STEEP and len(first):
            # A large phi_b would overflow unless the best family of the pair is the reference.
            best = np.maximum.reduceat(np.where(share0 > 0.0, part, -np.inf), first)
            top = np.where(np.isfinite(best), best, 0.0)
            part -= top[slot]
        share = np.exp(part, out=part)
        share *= share0
        total = self._by_pair @ share
        share *= (1.0 / np.where(total > 0.0, total, 1.0))[slot]
        with np.errstate(divide="ignore", invalid="ignore"):
            cost = start - (np.log(total) + top) / lam
        cost = np.where(self.reached & ~self.fresh, cost, np.inf)
        mean = self.reached & self.fresh
        if mean.any():
            cost[mean] = (self._by_pair @ (share * family_cost))[mean]
        return Settled(family_cost, share, cost, host)

    @cached_property
    def _beside_lost(self) -> tuple[LongArray, LongArray, LongArray, LongArray]:
        """Families of pairs that lose one, the first of each pair, its number, and that of each lost one."""
        mark = np.zeros(len(self.pairs), dtype=bool)
        mark[self.slot[self.lost_groups]] = True
        some = np.flatnonzero(mark[self.slot])
        slot = self.slot[some]
        first = np.flatnonzero(np.diff(slot, prepend=-1))
        number = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(some))))
        return some, first, number, np.searchsorted(slot[first], self.slot[self.lost_groups])

    def _cheapest(self, level: FloatArray) -> tuple[LongArray, FloatArray]:
        """The open family of least cost in the pair of each lost one, and that cost."""
        some, first, number, of = self._beside_lost
        cost = np.where(self.opened[some], level[some], np.inf)
        least = np.minimum.reduceat(cost, first)
        at = np.where(cost == least[number], np.arange(len(some)), len(some))
        host = some[np.minimum.reduceat(at, first)]
        return host[of], np.asarray(least[of])

    def carried(self, settled: Settled) -> FloatArray:
        """Shares carried by the open families [group]: their own, and those of lost families they carry.

        settled: the segment.
        """
        lost = self.lost_groups
        if not len(lost):
            return settled.share
        share = settled.share.copy()
        share[lost] = 0.0
        np.add.at(share, settled.host, settled.share[lost])
        return share


class Chosen(NamedTuple):
    """The choice of some segments; groups and pairs are numbered as in their families.

    family_cost, share, carried [sector, product, group]: K_f', s_f' and the share that the family carries.
    cost [sector, product, pair]: K'. host [sector][product]: see `Settled`.
    """

    family_cost: FloatArray
    share: FloatArray
    carried: FloatArray
    cost: FloatArray
    host: list[list[LongArray]]


# (sector, product, choice of the segment) -> the families that carry the freight of the lost ones.
Ride = Callable[[int, int, Settled], LongArray]


def choose(
    families: Sequence[Families],
    found: Totals,
    some: tuple[LongArray, Sequence[Levels], FloatArray] | None = None,
    ride: Ride | None = None,
) -> Chosen:
    """Route choice at given sums of weights: costs and shares of families, costs of pairs.

    V' -> K_f' -> s_f', K' by the equations of the module docstring; every choice after a change is made here,
    also that under waits.

    families [sector]: their state. found: V' and mean costs [sector, product, group], USD/TEU.
    some: where V' changed for some groups only, their numbers, their levels by sector, and K_f' of all
    [sector, product, group] for the others. ride: another rule than the cheapest family. Returns a Chosen.
    """
    n_products, n_groups = found.total.shape[1], len(families[0].slot)
    shape = len(families), n_products, n_groups
    lost = any(len(one.lost_groups) for one in families)
    family_cost, share = np.empty(shape), np.empty(shape)
    carried = np.empty(shape) if lost else share
    cost = np.empty((*shape[:2], len(families[0].pairs)))
    host: list[list[LongArray]] = []
    for s, one in enumerate(families):
        host.append([])
        for p in range(n_products):
            if some is None:
                level = one.levels.of(s, p, found)
            else:
                level = some[2][s, p].copy()
                level[some[0]] = some[1][s].of(s, p, found)
            settled = one.settle(s, p, level)
            if ride is not None and len(settled.host):
                settled = settled._replace(host=ride(s, p, settled))
            family_cost[s, p], share[s, p], cost[s, p], rides = settled
            host[s].append(rides)
            if lost:
                carried[s, p] = one.carried(settled)
    return Chosen(family_cost, share, carried, cost, host)


def base_shares(
    routes: RouteSet, classes: Segments, family_cost: FloatArray, opened: BoolArray
) -> tuple[FloatArray, BoolArray]:
    """Shares of the open families [kind, group]; equal in pairs (flagged) whose families have no weight.

    s_f = A_Qf r_f^(-phi_x) h(r_f) / sum

    routes, classes: of the base; family_cost [sector, product, group]: K_f [USD/TEU]; opened [group]: whether
    a family is open. r_f, h: head of `landbridge.transport.choice.between_families`. Returns shares and flags
    [pair].
    """
    pair, n = routes.group_pair, routes.n_pairs
    weight = weights_of_families(routes, classes, cost_by_kind(classes, pair, family_cost), opened)
    weight = weight * classes.family_weight[:, classes.group[pair], routes.group_family]
    total = np.stack([np.bincount(pair, weights=w, minlength=n) for w in weight])
    count = np.bincount(pair[opened], minlength=n)
    assumed = (total <= 0.0) & (count > 0)
    even = np.where(opened, 1.0, 0.0) / np.maximum(count, 1)[pair]
    return np.where(assumed[:, pair], even, ratio_of(weight, total[:, pair])), np.asarray(assumed.any(axis=0))


def weights_of_families(
    routes: RouteSet, classes: Segments, cost: FloatArray, opened: BoolArray
) -> FloatArray:
    """r_f^(-phi_x) h(r_f) of the open families [kind, group], zero for others.

    routes: with the families of every pair; classes: for phi_x; cost [kind, group]: K_f [USD/TEU]; opened
    [group]: whether a family is open. r_f = K_f / least K_g of the pair; h falls from one to zero between the
    ends of TAPER, see the head of the module.
    """
    ratio = _over_cheapest(cost, routes.group_pair, opened, routes.n_pairs)
    return np.where(opened, ratio**-classes.phi_x * _taper(ratio, routes.group_family), 0.0)


def cost_by_kind(
    classes: Segments, pair: LongArray | NDArray[np.int32], family_cost: FloatArray
) -> FloatArray:
    """K_f of goods in containers and in bulk [kind, group], means over their sectors and products [USD/TEU].

    K_f = mean over the sectors of a kind of beta K_f,block + (1 - beta) K_f,wagonload

    classes: of the pairs, with beta; pair [group]: of each family; family_cost [sector, product, group]: K_f.
    """
    beta = classes.block_share[:, pair]
    cost = beta * family_cost[:, 0] + (1.0 - beta) * family_cost[:, 1]
    kinds = range(len(classes.family_weight))
    every = np.ones(len(classes.sectors), dtype=bool)
    # A kind without a sector ships nothing: any cost will do.
    of = [classes.kind == kind if (classes.kind == kind).any() else every for kind in kinds]
    return np.stack([cost[mine].mean(axis=0) for mine in of])


def _over_cheapest(
    cost: FloatArray, pair: NDArray[np.integer[Any]], opened: BoolArray, n_pairs: int
) -> FloatArray:
    """K_f over the least K_g of the open families of the pair [kind, group]; one where it is closed."""
    out = np.ones_like(cost)
    for kind, values in enumerate(cost):
        least = np.full(n_pairs, np.inf)
        np.minimum.at(least, pair[opened], values[opened])
        out[kind, opened] = values[opened] / least[pair[opened]]
    return np.maximum(out, 1.0)


def _taper(ratio: FloatArray, family: NDArray[np.integer[Any]]) -> FloatArray:
    """h: one below the first bound, zero above the second, x^2 (3 - 2 x) between [kind, group]."""
    road = np.isin(family, [FAMILIES.index(name) for name in BY_TRUCK])
    low, high = (np.where(road, TAPER_ROAD[k], TAPER[k]) for k in (0, 1))
    left = np.clip((high - ratio) / (high - low), 0.0, 1.0)
    return np.asarray(left * left * (3.0 - 2.0 * left))


def ratio_of(above: FloatArray | float, below: NDArray[Any]) -> FloatArray:
    """above / below, zero where below is zero or infinite.

    above, below: of one shape, or one number above. Returns an array of the shape of below, in their units.
    """
    good = (below > 0.0) & np.isfinite(below)
    return np.asarray(np.where(good, above / np.where(good, below, 1.0), 0.0))


def _root(ratio: FloatArray, phi: float) -> FloatArray:
    """ratio^(1/phi); by square roots where phi is 1, 2, 4, 8 ..."""
    halvings = round(np.log2(phi)) if phi > 0 else -1
    if halvings < 0 or 2.0**halvings != phi:
        return np.asarray(ratio ** (1.0 / phi))
    root = ratio.copy()
    for _ in range(halvings):
        np.sqrt(root, out=root)
    return root
