"""Costs and weights of routes inside their families, computed block by block and never stored.

    G_r = sum m_a + usd_per_h (sum h_a + rho sqrt(sum v_a + 1e-6)) + carbon price x sum e_a   [USD/TEU]
    w_r = b_r^phi G_r^(-phi), zero where closed

with m_a the money of the kind of goods (containers or bulk), b_r the product of the constants of the gateways
that a route passes. Inside a block arrays run over [route, sector]; results by group run over [sector,
product, group].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.compiled import loops
from landbridge.transport.graph import SIDES
from landbridge.transport.routes.nests import Block, Nests, inverse
from landbridge.transport.routes.route_set import RouteSums
from landbridge.transport.segments import Segments
from landbridge.transport.threads import halves, side_by_side

__all__ = ["VARIANCE_FLOOR", "Piece", "Totals", "Weights"]

FloatArray = NDArray[np.float64]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Sectors = slice | LongArray

VARIANCE_FLOOR = 1e-6
# Costs are raised to -phi in units of 1,000 USD, so that no power overflows or underflows.
_SCALE = 1000.0
# Above this phi the fourth power of a plain weight could: weights are then relative to the group's best.
_GENTLE = 10.0
_NO_ROWS: FloatArray = np.zeros((0, 0))


@dataclass(frozen=True, eq=False)
class Piece:
    """One block of one product: cost G and weight w [route, sector].

    shift [group, sector]: amount subtracted from ln w, None for none.
    """

    block: Block
    product: int
    cost: FloatArray
    weight: FloatArray
    shift: FloatArray | None

    def nested(self) -> tuple[FloatArray, FloatArray]:
        """(V [group, sector], P [route, sector]) of the block."""
        total, share = self.block.nested(self.weight)
        share *= self.block.spread(inverse(total))
        return total, share


@dataclass(frozen=True, eq=False)
class Totals:
    """V = total exp(shift) of every group [sector, product, group]; zero where closed.

    mean: sum_r P_r G_r [USD/TEU], if asked for, else None.
    """

    total: FloatArray
    shift: FloatArray | None
    mean: FloatArray | None


@dataclass(frozen=True, eq=False)
class Weights:
    """Inputs of the weights of some routes.

    nests: of the routes; sums [product, route]: hours, money, kg CO2e and variance of the routes. pair
    [route]: number of the pair in `classes`. open [route, 1 or sector]: routes that can be used.
    log_constant [route, kind]: sum of ln b_j for goods in containers and in bulk, None where every constant
    is one.
    """

    nests: Nests
    classes: Segments
    pair: NDArray[np.integer[Any]]
    sums: RouteSums
    open: BoolArray
    log_constant: FloatArray | None

    @cached_property
    def _constant(self) -> FloatArray | None:
        """The constants themselves [route, kind]."""
        return None if self.log_constant is None else np.exp(self.log_constant)

    def _root(self, routes: slice, sectors: Sectors) -> FloatArray:
        """w^(1/phi) G of some routes [route, 1 or sector]."""
        opened = self.open[routes] if self.open.shape[1] == 1 else self.open[routes][:, sectors]
        root: FloatArray = np.where(opened, _SCALE, 0.0)
        if self._constant is None:
            return root
        return root * self._constant[routes][:, self.classes.kind[sectors]]

    def loops(self) -> Any:
        """The compiled loops, or None where numpy is used, with the same results."""
        if self.classes.phi > _GENTLE or self.open.shape[1] > 1:
            return None
        return loops(len(self.pair))

    def for_loops(self, product: int, sectors: Sectors = slice(None)) -> tuple[Any, Any, Any]:
        """Arrays of the nests, of the routes and of some sectors, in the form of the compiled loops.

        product: 0 block trains, 1 wagonload.
        """
        classes, sums, p = self.classes, self.sums, product
        constant = _NO_ROWS if self._constant is None else self._constant
        along = sums.time_h[p], sums.variance_h2[p], sums.cost_usd[p], sums.bulk_usd[p], sums.co2e_kg[p]
        arrays = map(_read_only, (self.pair, *along, self.open[:, 0], constant))
        numbers = VARIANCE_FLOOR, _SCALE, classes.carbon_usd_per_kg
        return self.nests.arrays, (*arrays, numbers), classes.rows(sectors)

    def pieces(
        self,
        products: tuple[int, ...] = (0, 1),
        sectors: Sectors = slice(None),
        groups: BoolArray | None = None,
    ) -> Iterator[Piece]:
        """Costs and weights of some sectors and products, block by block.

        groups [group]: flags, only blocks with one of these; None for all.
        """
        classes, phi = self.classes, self.classes.phi
        per_hour = np.ascontiguousarray(classes.usd_per_h[sectors].T)
        rho, kind = classes.rho[sectors], classes.kind[sectors]
        # Sectors with the same rho share their reliability-weighted hours.
        rho = rho[:1] if (rho == rho[:1]).all() else rho
        sums, carbon = self.sums, classes.carbon_usd_per_kg
        blocks = self.nests.blocks
        if groups is not None:
            blocks = [block for block in blocks if groups[block.groups].any()]
        for p in products:
            for block in blocks:
                r = block.routes
                spread = np.sqrt(sums.variance_h2[p, r] + VARIANCE_FLOOR)
                # take() instead of indexing: twice as quick.
                cost = np.take(per_hour, self.pair[r], axis=0)
                cost *= sums.time_h[p, r, None] + spread[:, None] * rho
                paid = np.stack([sums.cost_usd[p, r], sums.bulk_usd[p, r]], axis=1)
                paid += (carbon * sums.co2e_kg[p, r])[:, None]
                cost += paid[:, kind]
                weight = self._root(r, sectors) / cost
                shift = None
                if phi > _GENTLE:
                    shift = _shifted(weight, phi, block)
                else:
                    _power(weight, phi)
                yield Piece(block, p, cost, weight, shift)

    def totals(
        self,
        mean: bool = False,
        groups: BoolArray | None = None,
        sectors: Sectors = slice(None),
        pull: FloatArray | None = None,
    ) -> Totals:
        """V of all groups and the mean costs of their routes; groups: only blocks with one of these.

        mean: whether mean costs are wanted; sectors: some of them, all by default; pull [product, route,
        sector]: filled with P_r V.
        """
        products = tuple(range(len(self.sums.time_h)))
        shape = len(self.classes.rho[sectors]), len(products), self.nests.n_groups
        total = np.zeros(shape)
        shift = np.zeros(shape) if self.classes.phi > _GENTLE else None
        means = np.zeros(shape) if mean else None
        compiled = self.loops()
        if compiled is not None:
            marked = np.ones(self.nests.n_groups, dtype=bool) if groups is None else groups
            for p in products:
                per_mean = total[:0, p] if means is None else means[:, p]
                pulled = _NO_ROWS if pull is None else pull[p]
                given = *self.for_loops(p, sectors), marked, (total[:, p], per_mean, pulled)
                spans = halves(self.nests.group_start)
                side_by_side([partial(compiled.totals, span, *given) for span in spans])
            return Totals(total, None, means)
        for piece in self.pieces(products, sectors, groups):
            p, at = piece.product, piece.block.groups
            if means is None and pull is None:
                total[:, p, at] = piece.block.totals(piece.weight).T
            else:
                out = None if pull is None else pull[p, piece.block.routes]
                found, pulled = piece.block.nested(piece.weight, out)
                total[:, p, at] = found.T
                if means is not None:
                    share = pulled * piece.block.spread(inverse(found))
                    means[:, p, at] = (piece.block.add @ (share * piece.cost)).T
            if shift is not None and piece.shift is not None:
                shift[:, p, at] = piece.shift.T
        return Totals(total, shift, means)

    def totals_beside(self, base: Weights, known: Totals) -> Totals:
        """V of all groups, copied from a base for groups in which no route has changed.

        base: its weights; known: its V.
        """
        same = self.classes is base.classes and self.log_constant is base.log_constant
        if not same or self.open.shape != base.open.shape:
            return self.totals()
        changed = (self.open != base.open).any(axis=1)
        for name in SIDES:
            ours, theirs = getattr(self.sums, name), getattr(base.sums, name)
            if ours is not theirs:
                changed |= (ours != theirs).any(axis=0)
        start = self.nests.group_start
        groups = np.flatnonzero(np.logical_or.reduceat(changed, start[:-1])) if len(changed) else start[:0]
        if 2 * len(groups) > self.nests.n_groups:
            return self.totals()
        total, shift = known.total.copy(), None if known.shift is None else known.shift.copy()
        if len(groups):
            found = self.take(groups).totals()
            total[:, :, groups] = found.total
            if shift is not None and found.shift is not None:
                shift[:, :, groups] = found.shift
        return Totals(total, shift, None)

    def take(self, groups: LongArray, products: slice = slice(None)) -> Weights:
        """The weights of the routes of some groups in ascending order, of some products."""
        mark = np.zeros(self.nests.n_groups, dtype=bool)
        mark[groups] = True
        rows = np.flatnonzero(np.repeat(mark, np.diff(self.nests.group_start)))
        return Weights(
            self.nests.take(groups),
            self.classes,
            self.pair[rows],
            RouteSums(*(np.take(getattr(self.sums, name)[products], rows, axis=1) for name in SIDES)),
            self.open[rows],
            None if self.log_constant is None else self.log_constant[rows],
        )

    def with_sectors(self, other: Weights, sectors: BoolArray) -> Weights:
        """The same, with routes open to the flagged sectors [sector] as in `other`."""
        n = len(sectors)
        ours, theirs = (np.broadcast_to(w.open, (len(w.open), n)) for w in (self, other))
        return replace(self, open=np.where(sectors, theirs, ours))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A view that cannot be written to: for the compiled loops an array of a type of its own."""
    view = np.ascontiguousarray(array)[:]
    view.flags.writeable = False
    return view


def _shifted(weight: FloatArray, phi: float, block: Block) -> FloatArray:
    """weight^phi in place, divided by the largest of its group; returns its ln [group, sector]."""
    with np.errstate(divide="ignore"):
        log = phi * np.log(weight)
    top = np.maximum.reduceat(log, block.add.indptr[:-1], axis=0)
    top = np.where(np.isfinite(top), top, 0.0)
    np.exp(log - top[block.group], out=weight)
    return np.asarray(top)


def _power(values: FloatArray, phi: float) -> None:
    """values^phi in place; an integer phi by squaring, at a fifth of the time of exp(phi ln)."""
    if phi != int(phi) or phi < 1:
        np.power(values, phi, out=values)
        return
    bits = bin(int(phi))[3:]
    base = values.copy() if "1" in bits else values
    for bit in bits:
        np.multiply(values, values, out=values)
        if bit == "1":
            values *= base
