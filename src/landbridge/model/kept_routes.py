"""Costs and flows where freight keeps the routes it has in the base.

    K = K_c + sum over products beta sum_f s_f K_fc sum_r P_r (G_r' / G_r - 1)      [USD/TEU]

P and s are the shares of the base, G_r its costs and G_r' those of the case. This is the tangent of the
expected cost K' of `landbridge.transport.choice.pivot`: the saving of shippers who stay where they are.
Because K' is concave in the costs, choosing again never costs more than this.

Freight whose route is closed cannot stay. Routes that a case closes are taken away first, at the costs of the
base (c above), with the model's own choice: their freight moves, the rest stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.transport import Choice, RouteSet, Segments
from landbridge.transport.choice.pivot import over_products
from landbridge.transport.choice.weights import VARIANCE_FLOOR, Weights
from landbridge.transport.routes.route_set import RouteSums

__all__ = ["KeptRoutes", "open_where_kept"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
LongArray = NDArray[np.int64]


def open_where_kept(routes: RouteSet, before: BoolArray, after: BoolArray) -> BoolArray:
    """Routes that freight can use where it keeps its own [route].

    routes: the set; before, after [route]: routes open in the base and in the case. A family that loses a
    route has all routes of the case, and so has a pair with no family left. All others have those of the
    base.
    """
    start, pair = routes.group_start[:-1], routes.group_pair
    if not routes.n_routes:
        return after.copy()
    loses = np.logical_or.reduceat(before & ~after, start)
    kept = np.where(loses[routes.group_of_route], after, before)
    served = np.bincount(pair, weights=np.logical_or.reduceat(kept, start), minlength=routes.n_pairs) > 0
    return np.asarray(np.where(served[routes.pair], kept, after))


@dataclass(frozen=True, eq=False)
class _Waiting:
    """Routes of one product that pass a queue [n].

    pair, spread [n]: its pair, and the standard deviation of its hours without further waits [h].
    variance_h2 [n]. per_hour, per_teu [n, s]: dK/dG times the value of an hour, and share of the pair's TEU.
    rho [s]. sectors [s]: their numbers. through: passes of the queues, csr [n, q].
    """

    pair: LongArray
    variance_h2: FloatArray
    per_hour: FloatArray
    per_teu: FloatArray
    rho: FloatArray
    sectors: LongArray
    through: csr_matrix

    def more(self, delay_h: FloatArray, delay_h2: FloatArray, n_pairs: int) -> FloatArray:
        """Increase of K [pair, s] under further hours and variance at the queues [q]."""
        wider = np.maximum(self.variance_h2 + self.through @ delay_h2, 0.0)
        spread = np.sqrt(wider + VARIANCE_FLOOR) - np.sqrt(self.variance_h2 + VARIANCE_FLOOR)
        rise = self.per_hour * ((self.through @ delay_h)[:, None] + spread[:, None] * self.rho)
        cells = np.ones(len(self.pair)), (self.pair, np.arange(len(self.pair)))
        return np.asarray(csr_matrix(cells, shape=(n_pairs, len(self.pair))) @ rise)

    def flows(self, demand_teu: FloatArray) -> FloatArray:
        """TEU a year in every queue [q]; demand_teu [pair, sector]."""
        teu = (self.per_teu * demand_teu[np.ix_(self.pair, self.sectors)]).sum(axis=1)
        return np.asarray(self.through.T @ teu)


class KeptRoutes:
    """Costs under the sums of a case where freight keeps its routes, and their flows at queues.

    A `FlowResponse`, as `DelayedChoice` is. kept: the choice at the costs of the base, on `open_where_kept`.
    sums, classes: of the case. through: which routes pass which queues [route, q], by product; None where
    there is no queue.
    """

    held = False

    def __init__(
        self,
        kept: Choice,
        sums: RouteSums,
        classes: Segments,
        through: tuple[csr_matrix, csr_matrix] | None,
    ) -> None:
        self.kept, self.classes = kept, classes
        routes = kept.base.routes
        cost = np.array(kept.cost_segment)
        now = replace(kept.weights, classes=classes, sums=sums)
        self._waiting: list[_Waiting] = []
        for p in (0, 1):
            beta = classes.block_share if p == 0 else 1.0 - classes.block_share
            sectors = np.flatnonzero((beta > 0.0).any(axis=1))
            asked = np.zeros(0, dtype=np.int64)
            if through is not None:
                asked = np.flatnonzero(np.diff(through[p].indptr) > 0)
            slope, share = self._walk(p, sectors, now, cost, asked)
            if len(asked):
                pair = np.asarray(routes.pair[asked], dtype=np.int64)
                product = beta[np.ix_(sectors, pair)].T
                self._waiting.append(
                    _Waiting(
                        pair,
                        sums.variance_h2[p, asked],
                        slope * product * classes.usd_per_h[np.ix_(sectors, pair)].T,
                        share * product,
                        classes.rho[sectors],
                        sectors,
                        through[p][asked] if through is not None else csr_matrix((0, 0)),
                    )
                )
        self.without_waits = over_products(classes, cost)

    def _walk(
        self, p: int, sectors: LongArray, now: Weights, cost: FloatArray, asked: LongArray
    ) -> tuple[FloatArray, FloatArray]:
        """Add the change of all routes to cost [sector, product, pair], for one product and some sectors.

        asked: numbers of routes. Returns dK/dG and the share in the pair's TEU of these routes [n, s].
        """
        kept, routes = self.kept, self.kept.base.routes
        slopes, shares = np.zeros((len(asked), len(sectors))), np.zeros((len(asked), len(sectors)))
        at = np.full(routes.n_routes, -1)
        at[asked] = np.arange(len(asked))
        old = kept.weights.pieces((p,), sectors)
        for piece, new in zip(old, now.pieces((p,), sectors), strict=True):
            block = piece.block
            pair = routes.group_pair[block.groups]
            carried = kept.family_share[sectors, p, block.groups].T
            worth = np.where(carried > 0.0, carried * kept.family_cost[sectors, p, block.groups].T, 0.0)
            share = piece.nested()[1]
            slope = share * block.spread(worth) / piece.cost
            gap = np.where(slope > 0.0, new.cost - piece.cost, 0.0)
            by_group = block.add @ (slope * gap)
            first = np.flatnonzero(np.diff(pair, prepend=-1))
            rows, columns = np.ix_(sectors, pair[first])
            cost[rows, p, columns] += np.add.reduceat(by_group, first, axis=0).T
            mine = at[block.routes]
            here = mine >= 0
            slopes[mine[here]] = slope[here]
            shares[mine[here]] = (share * block.spread(carried))[here]
        return slopes, shares

    @property
    def rho(self) -> float:
        """Mean weight of the standard deviation in the perceived hours."""
        return float(self.classes.rho.mean())

    def release(self) -> None:
        """Nothing: freight never moves."""

    def cost(self, delay_h: FloatArray, delay_h2: FloatArray) -> FloatArray:
        """Expected costs [pair, sector] under further hours delay_h [q] and variance delay_h2 [q]."""
        out = self.without_waits.copy()
        for part in self._waiting:
            out[:, part.sectors] += part.more(delay_h, delay_h2, len(out))
        return out

    def flows(self, demand_teu: FloatArray) -> FloatArray:
        """Loaded TEU a year in every queue [q]; demand_teu [pair, sector]."""
        found: Any = sum(part.flows(demand_teu) for part in self._waiting)
        return np.asarray(found)

    def at(self, cost: FloatArray) -> Choice:
        """The choice of these routes at another expected cost [pair, sector]."""
        return replace(self.kept, cost=cost)
