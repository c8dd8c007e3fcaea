"""Derivatives of a choice by hours, money, emissions and variance of the arcs, with the base held fixed.

    dK'/dK_f' = s_f';   ds_f' = -lambda s_f' (dc_f - sum_g s_g' dc_g),   c_f the part of K_f' in the pivot
    kept: dK_f' = K_f' sum_r P_r dlnG_r;   gained: dK_f' = sum_r (P_r dG_r + G_r dP_r)
    dP = J du, du_r = -phi dlnG_r, J see `landbridge.transport.routes.nests`

A lost family changes with the family it uses where that costs more than its own base; a gained one counts
only below the least cost of the base; a family searched again is constant at its bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.choice.between_families import ratio_of
from landbridge.transport.choice.weights import VARIANCE_FLOOR, Piece
from landbridge.transport.graph import SIDES
from landbridge.transport.routes.nests import Block

if TYPE_CHECKING:
    from landbridge.transport.choice.pivot import Choice

__all__ = ["ArcBars", "pulled_back"]

FloatArray = NDArray[np.float64]
ShareBar = Callable[[int, int], FloatArray]


@dataclass(frozen=True, eq=False)
class ArcBars:
    """Derivatives of a scalar by the arcs [arc, product], and by its given demand [pair, sector].

    time_h, co2e_kg, variance_h2: by hours, emissions and variance [h2] of the arcs. demand_teu: by demand,
    None where it is not given.
    cost_usd: by the money of goods in containers, bulk_usd: by that of goods in bulk. cost_by_term,
    bulk_by_term: the derivative by money by name of a term, where others are paid than for the haul.
    """

    time_h: FloatArray
    cost_usd: FloatArray
    co2e_kg: FloatArray
    variance_h2: FloatArray
    bulk_usd: FloatArray
    demand_teu: FloatArray | None = None
    cost_by_term: Mapping[str, FloatArray] = field(default_factory=dict)
    bulk_by_term: Mapping[str, FloatArray] = field(default_factory=dict)

    def cost_of(self, term: str) -> FloatArray:
        """The derivative by the money of a term [arc, product]; term: its name."""
        return self.cost_by_term.get(term, self.cost_usd)

    def bulk_of(self, term: str) -> FloatArray:
        """The same for goods in bulk."""
        return self.bulk_by_term.get(term, self.bulk_usd)


def pulled_back(
    choice: Choice,
    cost_bar: FloatArray | None,
    flow_bar: FloatArray | None,
    demand_teu: FloatArray | None,
    share_bar: ShareBar | None,
) -> ArcBars:
    """Derivatives of a scalar by the arcs, the implementation of `Choice.vjp`.

    choice: solved; cost_bar [pair, sector], flow_bar [arc, product], demand_teu [pair, sector], share_bar,
    result: as in `Choice.vjp`. Equations: head of `landbridge.transport.choice.gradient`.
    """
    back = _Back(choice, cost_bar, flow_bar, demand_teu, share_bar)
    for piece in choice.weights.pieces():
        back.add(piece)
    return back.on_arcs()


class _Back:
    """Bars of a scalar, pulled back block by block to the routes [product, side, route]."""

    def __init__(
        self,
        choice: Choice,
        cost_bar: FloatArray | None,
        flow_bar: FloatArray | None,
        demand_teu: FloatArray | None,
        share_bar: ShareBar | None,
    ) -> None:
        routes, classes = choice.base.routes, choice.classes
        self.choice, self.cost_bar, self.demand, self.share_bar = choice, cost_bar, demand_teu, share_bar
        self.on_routes = None
        if flow_bar is not None:
            self.on_routes = np.ascontiguousarray(routes.over_arcs(flow_bar).T)
        self.demand_bar = None if demand_teu is None else np.zeros_like(demand_teu)
        self.bars = np.zeros((2, len(SIDES), routes.n_routes))
        boxed = classes.in_containers.astype(float)
        self.kinds = np.stack([boxed, 1.0 - boxed], axis=1)
        self.per_hour = np.ascontiguousarray(classes.usd_per_h.T)
        block = np.ascontiguousarray(classes.block_share.T)
        self.beta = block, 1.0 - block
        self.gained, self.again = choice.by_sector("gained"), choice.by_sector("again")
        self.asked: dict[int, FloatArray] = {}

    def add(self, piece: Piece) -> None:
        """Pull back the bars of the routes of one block of one product."""
        choice, block, p = self.choice, piece.block, piece.product
        inner = block.inner(piece.weight)
        share = inner.share
        term, on_share = self._on_terms(block, p, share)
        by_cost = self._on_costs(block, p, term)
        gained = self.gained[block.groups]
        log_bar = np.where(gained, 0.0, by_cost * choice.family_cost[:, p, block.groups].T)[block.group]
        if gained.any():
            # The mean of the routes changes with their costs and with their shares.
            by_mean = np.where(gained, by_cost, 0.0)[block.group] * piece.cost
            log_bar += by_mean
            on_share = by_mean if on_share is None else on_share + by_mean
        log_bar *= share
        if on_share is not None:
            on_share *= choice.classes.phi
            log_bar -= inner.turn(on_share)
        log_bar /= piece.cost
        routes, rho = block.routes, choice.classes.rho
        per_hour = self.per_hour[choice.base.routes.pair[routes]]
        hours = np.einsum("rs,rs->r", log_bar, per_hour)
        alike = bool((rho == rho[0]).all())
        felt = rho[0] * hours if alike else np.einsum("rs,rs,s->r", log_bar, per_hour, rho)
        spread = np.sqrt(choice.sums.variance_h2[p, routes] + VARIANCE_FLOOR)
        self.bars[p, 0, routes] = hours
        self.bars[p, 1, routes], self.bars[p, 4, routes] = (log_bar @ self.kinds).T
        self.bars[p, 3, routes] = felt * 0.5 / spread

    def _on_terms(self, block: Block, p: int, share: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Bars on the part of K_f' in the pivot [group, sector], and on P of the routes [route, sector]."""
        choice, groups = self.choice, block.groups
        pair = choice.base.routes.group_pair[groups]
        beta, own = self.beta[p][pair], np.ascontiguousarray(choice.pivot_share[:, p, groups].T)
        term = np.zeros_like(own)
        if self.cost_bar is not None:
            term += self.cost_bar[pair] * beta * own
        wanted = self._wanted(block, p)
        first = np.flatnonzero(np.diff(pair, prepend=-1))
        carried = np.ascontiguousarray(choice.family_share[:, p, groups].T)
        mean, on_share = np.zeros_like(own), None
        if wanted is not None:
            mean += block.add @ (share * wanted)
            on_share = carried[block.group] * wanted
        if self.on_routes is not None and self.demand is not None and self.demand_bar is not None:
            toll = self.on_routes[p, block.routes, None]
            paid = beta * (block.add @ (share * toll))
            self.demand_bar[pair[first]] += np.add.reduceat(carried * paid, first, axis=0)
            mean += self.demand[pair] * paid
            loaded = toll * (self.demand[pair] * beta * carried)[block.group]
            on_share = loaded if on_share is None else on_share + loaded
        if on_share is None:
            return term, None
        _, rows, host = choice.lost.inside(groups, p)
        if len(rows):
            # Freight of a lost family is paid for where it travels.
            mean[rows] = np.take_along_axis(mean, host, axis=0)
        slot = np.cumsum(np.diff(pair, prepend=pair[:1]) != 0)
        overall = np.add.reduceat(own * mean, first, axis=0)
        lam = ratio_of(choice.classes.phi_b, choice.base.cost_segment[:, p][:, pair]).T
        term -= lam * own * (mean - overall[slot])
        return term, on_share

    def _wanted(self, block: Block, p: int) -> FloatArray | None:
        """Bars on the shares of routes, if given [route, sector]."""
        if self.share_bar is None:
            return None
        if p not in self.asked:
            sectors = range(len(self.choice.classes.sectors))
            self.asked = {p: np.stack([self.share_bar(s, p) for s in sectors], axis=1)}
        return self.asked[p][block.routes]

    def _on_costs(self, block: Block, p: int, term: FloatArray) -> FloatArray:
        """Bars on the K_f' that change with routes [group, sector]."""
        choice, groups = self.choice, block.groups
        cost = choice.family_cost[:, p, groups].T
        gained, again = self.gained[groups], self.again[groups]
        bar = term
        if gained.any():
            known = choice.base.family_cost[:, p, groups].T
            pair = choice.base.routes.group_pair[groups]
            first = np.flatnonzero(np.diff(pair, prepend=-1))
            least = np.minimum.reduceat(np.where(known > 0.0, known, np.inf), first, axis=0)
            unseen = cost >= np.repeat(least, np.diff(np.append(first, len(pair))), axis=0)
            bar = np.where(gained & unseen, 0.0, term)
        lost, rows, host = choice.lost.inside(groups, p)
        if len(rows):
            bar = bar.copy()
            dearer = choice.lost.extra[:, p, lost].T > 0.0
            columns = np.broadcast_to(np.arange(bar.shape[1]), host.shape)
            np.add.at(bar, (host, columns), np.where(dearer, term[rows], 0.0))
        if again.any():
            held = again & (cost <= choice.base.family_cost[:, p, groups].T)
            bar = np.where(held, 0.0, bar)
        return bar

    def on_arcs(self) -> ArcBars:
        """The bars of the routes summed on the arcs."""
        self.bars[:, 2] = self.choice.classes.carbon_usd_per_kg * (self.bars[:, 1] + self.bars[:, 4])
        routes, n = self.choice.base.routes, len(SIDES)
        on_arcs = routes.to_arcs(np.ascontiguousarray(self.bars.reshape(2 * n, -1).T)).reshape(-1, 2, n)
        parts = (np.ascontiguousarray(on_arcs[:, :, k]) for k in range(n))
        hours, money, co2e, variance, bulk = parts
        return ArcBars(hours, money, co2e, variance, bulk, self.demand_bar)
