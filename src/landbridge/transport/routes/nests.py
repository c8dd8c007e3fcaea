"""Overlap of the routes of one family: the nests of a link-nested weibit.

A link m is a nest of the routes that use it. Route r has the part a_mr = l_m / L_r of its length
in it, so that its parts add up to one. With weights w_r and mu = 1/4

    N_m = sum_{r through m} (a_mr w_r)^(1/mu),   V = sum_m N_m^mu
    P_r = sum_m (a_mr w_r)^(1/mu) N_m^(mu-1) / V

over the routes of one group (pair and family). V rises with every weight and with every route that is
added, whatever the others are, because no a depends on another route. Two equal routes over the same
links count 2^mu = 1.19, two that share nothing 2.

Links of a group used by the same routes are one cell. Links that only one route uses need no power:
together they add (their part) w_r to V. So the work is a few multiplications for each shared cell of a
route, and 1/mu = 4 is two squarings and two square roots.

Source: the generalised nested form of Vovsha and Bekhor (1998), Transportation Research Record 1645
(cross-nested, links as nests), with weibit weights as in Castillo et al. (2008), Transportation Research
Part B 42.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from landbridge.transport.graph import Graph
from landbridge.transport.routes.route_set import RouteSet

__all__ = ["Block", "Inner", "Nests", "inverse"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]

# Routes per block: all sweeps over a block, for all sectors, stay in cache.
BLOCK_ROUTES = 4096
# Groups whose links are counted at a time in one dense table.
_TABLE_GROUPS = 256
_TABLE_ROUTES = 16384
_NOTHING = 1e-290


@dataclass(frozen=True, eq=False)
class Nests:
    """The cells of every group of a route set, for weights of any number of segments at once.

    group_start [group + 1]: the routes of a group are contiguous, as in RouteSet. group_pair [group]: the
    groups of a pair are contiguous. own [route]: part of its length that no other route of the group uses.
    cell_group_start [group + 1]: the shared cells of a group are contiguous. cell_start [cell + 1], route
    [n], part4 [n]: the routes of a shared cell, numbered from the first of their block, and a^4.
    """

    group_start: LongArray
    group_pair: NDArray[np.integer[Any]]
    own: FloatArray
    cell_group_start: LongArray
    cell_start: LongArray
    route: IntArray
    part4: FloatArray

    @classmethod
    def of(cls, routes: RouteSet, graph: Graph) -> Nests:
        """The nests of a route set by the lengths of a graph [km], that of the base also under a scenario.

        A link is one nest in both directions and on both gauges. A route without length shares nothing.
        """
        column_of_arc, km = _columns(routes, graph)
        n, n_columns, n_groups = routes.n_routes, len(km), len(routes.group_pair)
        own: FloatArray = np.zeros(n)
        length: FloatArray = np.zeros(n)
        # Sums of integers below 2^53 are exact, so that equal sets of routes have equal sums.
        mark = np.random.default_rng(11).integers(1, 2**46, n).astype(float)
        cells = _Cells()
        for low in range(0, n_groups, _TABLE_GROUPS):
            high = min(low + _TABLE_GROUPS, n_groups)
            one, two = int(routes.group_start[low]), int(routes.group_start[high])
            column = column_of_arc[routes.arcs[routes.start[one] : routes.start[two]]]
            used = column >= 0
            c, route = column[used], _route_of_arcs(routes, one, two)[used]
            length[one:two] = np.bincount(route, weights=km[c], minlength=two - one)
            table = (routes.group_of_route[one:two] - low)[route] * n_columns + c
            users = np.bincount(table, minlength=(high - low) * n_columns)
            alone = users[table] == 1
            own[one:two] = np.bincount(route[alone], weights=km[c[alone]], minlength=two - one)
            signature = np.bincount(table, weights=mark[one:two][route]).astype(float)
            cells.add(users, signature, table, route + one, km, low)
        known = length > 0.0
        own = np.where(known, own / np.where(known, length, 1.0), 1.0)
        return cells.joined(routes, own, length)

    @property
    def n_routes(self) -> int:
        """Number of routes."""
        return len(self.own)

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.group_pair)

    def take(self, groups: NDArray[np.integer[Any]]) -> Nests:
        """The nests of some groups in ascending order, with their routes renumbered."""
        routes, group_start = _rows(self.group_start, groups)
        cells, cell_group_start = _rows(self.cell_group_start, groups)
        entries, cell_start = _rows(self.cell_start, cells)
        pair = self.group_pair[groups]
        before = self.group_start[groups] - _block_start(self.group_start, self.group_pair)[groups]
        by = (group_start[:-1] - _block_start(group_start, pair) - before).astype(np.int32)
        moved = np.repeat(by, np.diff(cell_group_start))
        return Nests(
            group_start,
            pair,
            self.own[routes],
            cell_group_start,
            cell_start,
            self.route[entries] + np.repeat(moved, np.diff(cell_start)),
            self.part4[entries],
        )

    def patched(self, pair: NDArray[np.integer[Any]], fresh: LongArray, other: Nests) -> Nests:
        """These nests with some groups of a new set from another: fresh, their numbers among all, ascending.

        The groups that are not fresh are those here, in their order. pair [group]: of all groups.
        """
        old = np.setdiff1d(np.arange(len(pair)), fresh)
        order = np.argsort(np.concatenate([old, fresh]))
        parts = self, other

        def ragged(starts: list[LongArray]) -> LongArray:
            return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(s) for s in starts]))])

        group_start = ragged([p.group_start for p in parts])
        cell_group_start = ragged([p.cell_group_start for p in parts])
        cell_start = ragged([p.cell_start for p in parts])
        routes, starts = _rows(group_start, order)
        cells, cells_of = _rows(cell_group_start, order)
        entries, entries_of = _rows(cell_start, cells)
        within = np.concatenate([p._within_group() for p in parts])[entries]
        # Numbered from the first of the block that the group is in now.
        from_block = starts[:-1] - _block_start(starts, pair)
        by_cell = np.repeat(from_block, np.diff(cells_of))
        return Nests(
            starts,
            pair,
            np.concatenate([p.own for p in parts])[routes],
            cells_of,
            entries_of,
            (within + np.repeat(by_cell, np.diff(entries_of))).astype(np.int32),
            np.concatenate([p.part4 for p in parts])[entries],
        )

    def _within_group(self) -> LongArray:
        """The routes of the cells, numbered from the first of their group [n]."""
        before = self.group_start[:-1] - _block_start(self.group_start, self.group_pair)
        by_cell = np.repeat(before, np.diff(self.cell_group_start))
        return np.asarray(self.route - np.repeat(by_cell, np.diff(self.cell_start)), dtype=np.int64)

    @cached_property
    def blocks(self) -> list[Block]:
        """The nests in blocks of whole pairs."""
        return list(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        cuts = _cuts(self.group_start, self.group_pair)
        # Counts and numbers are the same in all blocks, and are stored once.
        most = [np.diff(start[cuts]).max(initial=0) for start in (self.group_start, self.cell_group_start)]
        every = np.arange(max(most), dtype=np.int32)
        ones = np.ones(len(every))
        for low, high in pairwise(cuts.tolist()):
            routes = slice(int(self.group_start[low]), int(self.group_start[high]))
            one, two = int(self.cell_group_start[low]), int(self.cell_group_start[high])
            entries = slice(int(self.cell_start[one]), int(self.cell_start[two]))
            n_groups, n_routes, n_cells = high - low, routes.stop - routes.start, two - one
            start = (self.cell_start[one : two + 1] - entries.start).astype(np.int32)
            rows = self.part4[entries], self.route[entries], start
            route_start = (self.group_start[low : high + 1] - routes.start).astype(np.int32)
            cell_start = (self.cell_group_start[low : high + 1] - one).astype(np.int32)
            own = self.own[routes]
            yield Block(
                slice(low, high),
                routes,
                np.repeat(np.arange(n_groups), np.diff(route_start)),
                np.repeat(np.arange(n_groups), np.diff(cell_start)),
                own[:, None],
                csr_matrix((ones[:n_routes], every[:n_routes], route_start), shape=(n_groups, n_routes)),
                csr_matrix((own, every[:n_routes], route_start), shape=(n_groups, n_routes)),
                _sharing(csr_matrix((n_cells, n_routes)), *rows),
                _sharing(csc_matrix((n_routes, n_cells)), *rows),
                csr_matrix((ones[:n_cells], every[:n_cells], cell_start), shape=(n_groups, n_cells)),
            )

    @cached_property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The inputs of the compiled loops, and the first route of the block of each group [group]."""
        start = _block_start(self.group_start, self.group_pair)
        cells = self.cell_group_start, self.cell_start
        return self.group_start, start, self.own, *cells, self.route, self.part4

    def __getstate__(self) -> dict[str, Any]:
        """Without arrays that are quick to compute again."""
        return {name: value for name, value in vars(self).items() if name not in ("blocks", "arrays")}

    # -- all routes at once ------------------------------------------------------------------------

    def nested(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(V [group, k], P [route, k]) at weight w [route, k]; both zero where nothing is open."""
        total, share = np.empty((self.n_groups, weight.shape[1])), np.empty_like(weight)
        for block in self.blocks:
            total[block.groups], pull = block.nested(weight[block.routes])
            share[block.routes] = pull * block.spread(inverse(total[block.groups]))
        return total, share

    def turn(self, weight: FloatArray, x: FloatArray) -> FloatArray:
        """J x [route, k] with J = d P / d ln w at a weight w [route, k].

        dP_r = 4 P_r du_r - 3 sum_m t_m q_mr sum_s q_ms du_s - P_r sum_s P_s du_s,   u = ln w,
        q_mr = (a_mr w_r)^4 / N_m, t_m = N_m^(1/4) / V. J is symmetric: it maps a change of u to that of
        P, and a derivative by P to that by u.
        """
        out = np.empty_like(x)
        for block in self.blocks:
            out[block.routes] = block.inner(weight[block.routes]).turn(x[block.routes])
        return out


@dataclass(frozen=True, eq=False)
class Block:
    """Some whole pairs of `Nests`; routes and groups are numbered from the first of the block.

    groups, routes: its range. group [route], cell_group [cell]: groups. own [route, 1]: see Nests.
    add: csr [group, route], sums over a group; add_own: the same weighted with own. cells: csr [cell,
    route] of a^4; by_route: its transpose, on the same arrays. add_cells: csr [group, cell]. Weights are
    [route, k].
    """

    groups: slice
    routes: slice
    group: LongArray
    cell_group: LongArray
    own: FloatArray
    add: csr_matrix
    add_own: csr_matrix
    cells: csr_matrix
    by_route: csc_matrix
    add_cells: csr_matrix

    def spread(self, values: FloatArray) -> FloatArray:
        """The values of the groups on their routes: [group, k] -> [route, k]."""
        return np.take(values, self.group, axis=0)

    def totals(self, weight: FloatArray) -> FloatArray:
        """V [group, k] of the groups of the block at weight w [route, k]."""
        total = np.asarray(self.add_own @ weight)
        if self.cells.nnz:
            total += self.add_cells @ _root4(self.cells @ _power4(weight))
        return total

    def nested(self, weight: FloatArray, out: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """V [group, k], and P_r V [route, k] = w_r dV / dw_r, written to out, at weight w [route, k]."""
        pull = np.multiply(self.own, weight, out=out)
        if self.cells.nnz:
            fourth = _power4(weight)
            N = self.cells @ fourth
            slope = _root4(N)
            slope /= np.maximum(N, _NOTHING, out=N)
            fourth *= self.by_route @ slope
            pull += fourth
        # P adds up to one.
        return np.asarray(self.add @ pull), pull

    def inner(self, weight: FloatArray) -> Inner:
        """V and P of the block with the inputs of their derivatives, at weight w [route, k]."""
        fourth = _power4(weight)
        N = self.cells @ fourth
        np.maximum(N, _NOTHING, out=N)
        slope = _root4(N)
        slope /= N
        share = self.by_route @ slope
        share *= fourth
        alone = self.own * weight
        share += alone
        # P adds up to one.
        total = np.asarray(self.add @ share)
        per = inverse(total)
        by_route = self.spread(per)
        share *= by_route
        alone *= by_route
        return Inner(self, total, share, alone, fourth, N, slope * np.take(per, self.cell_group, axis=0))


@dataclass(frozen=True, eq=False)
class Inner:
    """A block at given weights. total: V [group, k]; share: P [route, k].

    alone [route, k]: part of P by the links of that route alone. fourth [route, k]: w^4. N [cell, k].
    slope [cell, k]: N^(-3/4) / V.
    """

    block: Block
    total: FloatArray
    share: FloatArray
    alone: FloatArray
    fourth: FloatArray
    N: FloatArray
    slope: FloatArray

    def turn(self, x: FloatArray) -> FloatArray:
        """J x [route, k], see `Nests.turn`; one column of weights serves all columns of x."""
        block = self.block
        weighted = self.share * x
        out: FloatArray = self.share * block.spread(block.add @ weighted)
        weighted *= 4.0
        np.subtract(weighted, out, out=out)
        nested = block.cells @ (self.fourth * x)
        nested /= self.N
        nested *= self.slope
        inside: FloatArray = self.fourth * (block.by_route @ nested)
        inside += self.alone * x
        inside *= 3.0
        out -= inside
        return out


class _Cells:
    """Shared cells, gathered group by group."""

    def __init__(self) -> None:
        self.cell: list[IntArray] = [np.zeros(0, dtype=np.int32)]
        self.route: list[IntArray] = [np.zeros(0, dtype=np.int32)]
        self.group: list[LongArray] = [np.zeros(0, dtype=np.int64)]
        self.km: list[FloatArray] = [np.zeros(0)]
        self.number = 0

    def add(
        self,
        users: LongArray,
        signature: FloatArray,
        table: LongArray,
        route: LongArray,
        km: FloatArray,
        first_group: int,
    ) -> None:
        """Merge the links of each group that the same routes use, if there are two or more routes.

        users, signature [group x link]: how many routes of the group use the link, and which.
        table, route [n]: position in that table and route of every passage of a link by a route.
        """
        at = np.flatnonzero(users > 1)
        if not len(at):
            return
        group = at // len(km)
        order = np.lexsort((signature[at], group))
        at, group = at[order], group[order]
        new = np.concatenate([[True], (np.diff(group) != 0) | (np.diff(signature[at]) != 0.0)])
        cell = np.cumsum(new) - 1 + self.number
        # One link of a cell represents all of them.
        lead = np.full(len(users), -1)
        lead[at[new]] = cell[new]
        found = lead[table]
        mine = np.flatnonzero(found >= 0)
        self.cell.append(found[mine].astype(np.int32))
        self.route.append(route[mine].astype(np.int32))
        self.group.append(group[new] + first_group)
        self.km.append(np.add.reduceat(km[at % len(km)], np.flatnonzero(new)))
        self.number += int(new.sum())

    def joined(self, routes: RouteSet, own: FloatArray, length: FloatArray) -> Nests:
        """All cells as nests; length [route] in km."""
        cell, route = np.concatenate(self.cell), np.concatenate(self.route)
        group, km = np.concatenate(self.group), np.concatenate(self.km)
        count = np.bincount(cell, minlength=self.number)
        # A sparse matrix is transposed by counting: a stable sort in one pass.
        shape, each = (len(cell), self.number), np.arange(len(cell) + 1, dtype=np.int32)
        route = csr_matrix((route, cell, each), shape=shape).tocsc().data
        cell = np.repeat(np.arange(self.number, dtype=np.int32), count)
        part = km[cell] / length[route]
        n_groups = len(routes.group_pair)
        first = _block_start(routes.group_start, routes.group_pair).astype(np.int32)
        return Nests(
            routes.group_start,
            routes.group_pair,
            own,
            np.concatenate([[0], np.cumsum(np.bincount(group, minlength=n_groups))]),
            np.concatenate([[0], np.cumsum(count)]),
            route - np.repeat(first[group], count),
            _power4(part),
        )


_Matrix = TypeVar("_Matrix", csr_matrix, csc_matrix)


def _sharing(matrix: _Matrix, data: FloatArray, indices: IntArray, indptr: IntArray) -> _Matrix:
    """An empty matrix filled with these arrays themselves, which the constructor would copy."""
    matrix.data, matrix.indices, matrix.indptr = data, indices, indptr
    return matrix


def _cuts(group_start: LongArray, group_pair: NDArray[np.integer[Any]]) -> LongArray:
    """The groups at which blocks of whole pairs begin, and the number of groups."""
    first, n_groups = np.flatnonzero(np.diff(group_pair, prepend=-1)), len(group_pair)
    at = np.searchsorted(group_start[first], np.arange(0, int(group_start[-1]), BLOCK_ROUTES))
    return np.unique(np.append(np.append(first, n_groups)[at], n_groups))


def _block_start(group_start: LongArray, group_pair: NDArray[np.integer[Any]]) -> LongArray:
    """The first route of the block that each group is in [group]."""
    cuts = _cuts(group_start, group_pair)
    return np.repeat(group_start[cuts[:-1]], np.diff(cuts))


def _route_of_arcs(routes: RouteSet, one: int, two: int) -> LongArray:
    """For every arc of the routes one, ..., two - 1 the number of its route, from zero."""
    return np.repeat(np.arange(two - one), np.diff(routes.start[one : two + 1]))


def _columns(routes: RouteSet, graph: Graph) -> tuple[LongArray, FloatArray]:
    """The column of every arc, -1 for none, and the km of the columns.

    A column is a set of links used by the same routes of the whole set; one arc per direction of one of these
    links represents it. Found by equal sums of random numbers, added up in one order.
    """
    n_links = len(graph.links)
    link_of = np.where((graph.link >= 0) & (graph.length_km > 0.0), graph.link, n_links)
    mark = np.random.default_rng(7).uniform(1.0, 2.0, routes.n_routes)
    signature = np.zeros(n_links + 1)
    for one in range(0, routes.n_routes, _TABLE_ROUTES):
        two = min(one + _TABLE_ROUTES, routes.n_routes)
        along = link_of[routes.arcs[routes.start[one] : routes.start[two]]]
        weight = mark[one:two][_route_of_arcs(routes, one, two)]
        signature += np.bincount(along, weights=weight, minlength=n_links + 1)
    used = np.flatnonzero(signature[:-1])
    _, first, column = np.unique(signature[used], return_index=True, return_inverse=True)
    length = np.zeros(n_links + 1)
    length[link_of] = graph.length_km
    km = np.bincount(column, weights=length[used], minlength=len(first)).astype(float)
    leader = np.full(n_links + 1, -1)
    leader[used[first]] = np.arange(len(first))
    return leader[link_of], km


def _rows(start: LongArray, rows: NDArray[np.integer[Any]]) -> tuple[LongArray, LongArray]:
    """Positions of some rows of a ragged array, and where each of them begins."""
    length = np.diff(start)[rows]
    new = np.concatenate([[0], np.cumsum(length)])
    return np.arange(int(new[-1])) + np.repeat(start[rows] - new[:-1], length), new


def _power4(values: FloatArray) -> FloatArray:
    out = values * values
    out *= out
    return out


def _root4(values: FloatArray) -> FloatArray:
    out = np.sqrt(values)
    return np.sqrt(out, out=out)


def inverse(values: FloatArray) -> FloatArray:
    """1 / values, zero where a cell or a group has no open route (or a weight too small to divide by).

    values: of any shape. Returns an array of that shape.
    """
    good = values > _NOTHING
    return np.asarray(np.divide(1.0, values, out=np.zeros_like(values), where=good))
