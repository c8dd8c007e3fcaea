"""Route and family choice: nested weibit within a family, pivot-point logit between families.

All costs are real money [USD of 2023 per TEU]; constants and base shares never enter a cost level. Stored
arrays run over [sector, product, ...] with groups or pairs last. Weights of routes are computed block by
block on demand, so that no array of size routes x segments is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import Fault, InfeasibleError
from landbridge.transport.choice.between_families import Families, base_shares, choose, ratio_of
from landbridge.transport.choice.gradient import ArcBars, pulled_back
from landbridge.transport.choice.weights import Totals, Weights
from landbridge.transport.graph import Graph
from landbridge.transport.routes.nests import Nests
from landbridge.transport.routes.route_set import RouteSet, RouteSums
from landbridge.transport.segments import KINDS, Segments
from landbridge.transport.threads import halves, side_by_side
from landbridge.world import World

__all__ = [
    "ArcBars",
    "BaseChoice",
    "Choice",
    "LostFamilies",
    "constants_of",
    "log_constants",
    "over_products",
    "pivot",
    "solve_base",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class BaseChoice:
    """The base, on which later choices pivot.

    nests: of the routes, by the lengths of the base graph. classes: segments of every pair.
    cost [pair, sector]: K over both products, K = beta K_block + (1 - beta) K_wagonload [USD/TEU].
    cost_segment [sector, product, pair]: K0. family_cost [sector, product, group]: K_f0.
    total, shift [sector, product, group]: V_f0 = total exp(shift).
    family_share [kind, group]: s_f, of containers and of bulk.
    unreachable: pairs without an open route (cost is infinite there).
    assumed [pair]: pairs whose open families have no weight; they are split equally.
    weights: of the routes, None for a part of a base.
    """

    routes: RouteSet
    nests: Nests
    classes: Segments
    cost: FloatArray
    cost_segment: FloatArray
    family_cost: FloatArray
    total: FloatArray
    shift: FloatArray | None
    family_share: FloatArray
    unreachable: IntArray
    assumed: BoolArray
    weights: Weights | None = None

    def totals(self, weights: Weights) -> Totals:
        """V of all groups under other sums or with other routes open; only changed groups are computed."""
        known = Totals(self.total, self.shift, None)
        return weights.totals() if self.weights is None else weights.totals_beside(self.weights, known)

    def only(self, pairs: NDArray[np.integer[Any]]) -> tuple[BaseChoice, NDArray[np.int64]]:
        """The base of some pairs alone (numbers in ascending order), and the numbers of its routes here.

        A closure of one gateway is solved on the pairs that pass it, in a fraction of the time.
        """
        routes, kept, groups = self.routes.only(pairs)
        classes = replace(
            self.classes,
            group=self.classes.group[pairs],
            usd_per_teu=np.take(self.classes.usd_per_teu, pairs, axis=1),
            usd_per_h=np.take(self.classes.usd_per_h, pairs, axis=1),
            block_share=np.take(self.classes.block_share, pairs, axis=1),
        )
        part = BaseChoice(
            routes,
            self.nests.take(groups),
            classes,
            self.cost[pairs],
            np.take(self.cost_segment, pairs, axis=2),
            np.take(self.family_cost, groups, axis=2),
            np.take(self.total, groups, axis=2),
            None if self.shift is None else np.take(self.shift, groups, axis=2),
            np.take(self.family_share, groups, axis=1),
            np.flatnonzero(np.isin(pairs, self.unreachable)).astype(np.int32),
            self.assumed[pairs],
        )
        return part, kept


@dataclass(frozen=True, eq=False)
class LostFamilies:
    """Families of the base without an open route, in pairs that have another.

    groups [k]: their numbers, ascending. host [sector, product, k]: the group that carries their freight.
    share [sector, product, k]: their share s_f' of the pair's TEU. extra [sector, product, k]: K_f' - K_f0
    [USD/TEU]. A family closed to some sectors only has share and extra zero, and itself as host, in the
    others.
    """

    groups: LongArray
    host: LongArray
    share: FloatArray
    extra: FloatArray

    def inside(self, groups: slice, product: int) -> tuple[slice, LongArray, LongArray]:
        """The lost families in a range of groups: positions, rows in the range, rows of hosts [k, sector]."""
        low, high = np.searchsorted(self.groups, (groups.start, groups.stop))
        some = slice(int(low), int(high))
        host = self.host[:, product, some].T - groups.start
        return some, self.groups[some] - groups.start, host

    def with_sectors(self, other: LostFamilies, sectors: BoolArray) -> LostFamilies:
        """These, with the flagged sectors taken from `other`."""
        groups = np.union1d(self.groups, other.groups)
        host = np.broadcast_to(groups, (*self.host.shape[:2], len(groups))).copy()
        share, extra = np.zeros(host.shape), np.zeros(host.shape)
        for lost, marked in ((self, ~sectors), (other, sectors)):
            cells = np.ix_(np.flatnonzero(marked), np.arange(2), np.searchsorted(groups, lost.groups))
            host[cells], share[cells], extra[cells] = (a[marked] for a in (lost.host, lost.share, lost.extra))
        return LostFamilies(groups, host, share, extra)


@dataclass(frozen=True, eq=False)
class _Loads:
    """The last loads, at a demand and at a second one.

    goods [route, 7]: TEU by product and the columns of `route_goods`; kinds [route, 4]: see `route_kinds`.
    """

    demand: FloatArray | None
    goods: FloatArray
    beside: FloatArray | None
    kinds: FloatArray


class _Wide:
    """Storage for values of some sectors among zeros for the others, used again from block to block."""

    def __init__(self, n_sectors: int, sectors: LongArray) -> None:
        self._n, self._sectors = n_sectors, sectors
        self._room: FloatArray = np.zeros((0, n_sectors))

    def of(self, values: FloatArray) -> FloatArray:
        """[route, some sectors] -> [route, sector]; valid until the next call."""
        if len(self._sectors) == self._n:
            return values
        if len(self._room) < len(values):
            self._room = np.zeros((len(values), self._n))
        out = self._room[: len(values)]
        out[:, self._sectors] = values
        return out


@dataclass(frozen=True, eq=False)
class Choice:
    """The choice under new sums, pivoted on a base.

    cost [pair, sector], cost_segment [sector, product, pair]: K'. family_cost [.., group]: K_f'.
    family_share [sector, product, group]: share carried by the family, zero where it is closed; pivot_share:
    s_f', lost families included. lost: the lost families. gained [group]: families that a pair did not have
    in the base. available [route]: open under the change. unreachable: pairs without a route. averaged
    [pair]: pairs whose K' is a mean of their families, as they had no route before. families [sector]: their
    state. weights: of the routes. classes: those in force, of the base unless the change has its own.
    """

    base: BaseChoice
    classes: Segments
    sums: RouteSums
    available: BoolArray
    cost: FloatArray
    cost_segment: FloatArray
    family_cost: FloatArray
    family_share: FloatArray
    pivot_share: FloatArray
    lost: LostFamilies
    gained: BoolArray
    unreachable: IntArray
    averaged: BoolArray
    families: tuple[Families, ...]
    weights: Weights

    def with_sectors(self, other: Choice, sectors: BoolArray) -> Choice:
        """This choice, with the flagged sectors [sector] taken from another of the same base and sums.

        other: that choice. For routes that are closed to some commodities only.
        """
        cost_segment, family_cost, family_share, pivot_share = (
            np.where(sectors[:, None, None], getattr(other, name), getattr(self, name))
            for name in ("cost_segment", "family_cost", "family_share", "pivot_share")
        )
        pairs = zip(sectors, other.families, self.families, strict=True)
        return replace(
            self,
            available=self.available | other.available,
            cost=np.where(sectors, other.cost, self.cost),
            cost_segment=cost_segment,
            family_cost=family_cost,
            family_share=family_share,
            pivot_share=pivot_share,
            lost=self.lost.with_sectors(other.lost, sectors),
            gained=self.gained | other.gained,
            unreachable=np.union1d(self.unreachable, other.unreachable).astype(np.int32),
            averaged=self.averaged | other.averaged,
            families=tuple(theirs if marked else ours for marked, theirs, ours in pairs),
            weights=self.weights.with_sectors(other.weights, sectors),
        )

    def by_sector(self, name: str) -> BoolArray:
        """A state of the families, by its name in `Families` [group, sector or 1]."""
        if all(families is self.families[0] for families in self.families):
            return np.asarray(getattr(self.families[0], name)[:, None], dtype=bool)
        return np.stack([getattr(families, name) for families in self.families], axis=1)

    def route_share(self, sector: int, product: int, pair: int | None = None) -> FloatArray:
        """Share of every route in its pair's TEU of one segment [route], or of the routes of one pair.

        sector, product, pair: numbers.
        """
        routes = self.base.routes
        out = np.zeros(routes.n_routes)
        carried = self.family_share[sector, product]
        groups = None if pair is None else routes.group_pair == pair
        for piece in self.weights.pieces((product,), slice(sector, sector + 1), groups):
            share, block = piece.nested()[1][:, 0], piece.block
            out[block.routes] = share * carried[block.groups][block.group]
        if pair is None:
            return out
        mine = routes.routes_of(pair)
        return out[mine.start : mine.stop]

    def family_share_of_teu(self) -> FloatArray:
        """Share of every group in its pair's TEU by sector, over both products [sector, group]."""
        beta = self.classes.block_share[:, self.base.routes.group_pair]
        return beta * self.family_share[:, 0] + (1.0 - beta) * self.family_share[:, 1]

    def fallen_back(self, demand_teu: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Freight of the lost families that now uses another family: TEU and USD, by family [lost].

        TEU = demand x s_f',  USD = demand x s_f' (K_f' - K_f0), summed over sectors and products;
        demand_teu [pair, sector]: TEU per unit of time.
        """
        pair = self.base.routes.group_pair[self.lost.groups]
        beta = self.classes.block_share[:, pair]
        teu = np.stack([beta, 1.0 - beta], axis=1) * demand_teu[pair].T[:, None] * self.lost.share
        return teu.sum(axis=(0, 1)), (teu * self.lost.extra).sum(axis=(0, 1))

    def require(self, graph: Graph, pairs: BoolArray | None = None) -> None:
        """Raise InfeasibleError that names the pairs without a route (those flagged [pair], or all).

        graph: whose places are named.
        """
        lost = [q for q in self.unreachable if pairs is None or pairs[q]]
        if not lost:
            return
        routes = self.base.routes
        faults = [
            Fault(
                f"{graph.places[routes.origin[q]]} - {graph.places[routes.destination[q]]}",
                "no open route is left",
                "open a link or a gateway, or take the place out of the zones",
            )
            for q in lost
        ]
        raise InfeasibleError(f"{len(lost)} pairs have no route", faults)

    def expected(self, sector: int) -> FloatArray:
        """Expected hours, USD and kg CO2e of one TEU of a sector [3, pair], zero where unreachable."""
        return np.asarray(self._expected[sector])

    @cached_property
    def _expected(self) -> FloatArray:
        """Expected hours, money and CO2e [sector, 3, pair]."""
        routes, sums = self.base.routes, self.sums
        out = np.zeros((len(self.classes.sectors), 3, routes.n_pairs))
        for p in (0, 1):
            beta, sectors = self._part_of(p)
            for piece in self.weights.pieces((p,), sectors):
                block = piece.block
                pair = routes.group_pair[block.groups]
                first = np.flatnonzero(np.diff(pair, prepend=-1))
                carried = beta[:, pair] * self.family_share[sectors, p, block.groups]
                share = piece.nested()[1] * block.spread(np.ascontiguousarray(carried.T))
                paid = np.stack([sums.money(kind)[p, block.routes] for kind in range(len(KINDS))], axis=1)
                money = paid[:, self.classes.kind[sectors]]
                hours, co2e = (side[p, block.routes, None] for side in (sums.time_h, sums.co2e_kg))
                for k, values in enumerate((hours, money, co2e)):
                    by_group = block.add @ (share * values)
                    out[sectors, k, pair[first, None]] += np.add.reduceat(by_group, first, axis=0)
        return out

    def _part_of(self, product: int) -> tuple[FloatArray, LongArray]:
        """Share of a product in the TEU of the sectors that ship by it [sector, pair], and their numbers."""
        block = self.classes.block_share
        beta = block if product == 0 else 1.0 - block
        sectors = np.flatnonzero((beta > 0.0).any(axis=1))
        return beta[sectors], sectors

    def route_flows(self, demand_teu: FloatArray) -> FloatArray:
        """TEU on every route by product, f_rp = sum over s of demand x beta_p x share [route, product].

        demand_teu [pair, sector]: TEU per unit of time. The result for the last demand is stored.
        """
        return self._loads(demand_teu).goods[:, :2].copy()

    def route_goods(self, demand_teu: FloatArray) -> FloatArray:
        """Goods on every route [route, 5]: loaded containers [TEU], t in containers, t in bulk, USD of both.

        demand_teu [pair, sector]: TEU per unit of time. USD at the value of a TEU of the base.
        """
        return self._loads(demand_teu).goods[:, 2:].copy()

    def route_kinds(self, demand_teu: FloatArray) -> FloatArray:
        """TEU on every route by product and kind of goods: block and wagonload of containers, then of bulk.

        [route, 4]; demand_teu [pair, sector]: TEU a year; see `assign_goods` for a second demand.
        """
        known = self._last_loads.get("loads")
        if known is not None and known.beside is not None and np.array_equal(known.beside, demand_teu):
            return known.kinds.copy()
        return self._route_loads(None, demand_teu).kinds

    def _loads(self, demand_teu: FloatArray, beside: FloatArray | None = None) -> _Loads:
        known = self._last_loads.get("loads")
        same = known is not None and known.demand is not None and np.array_equal(known.demand, demand_teu)
        if known is None or not same or beside is not None:
            known = self._last_loads["loads"] = self._route_loads(demand_teu, beside)
        return known

    @cached_property
    def _last_loads(self) -> dict[str, _Loads]:
        return {}

    def _route_loads(self, demand_teu: FloatArray | None, beside: FloatArray | None) -> _Loads:
        routes, classes = self.base.routes, self.classes
        loads = np.zeros((routes.n_routes, 7))
        by_kind = np.zeros((routes.n_routes, 4 if beside is not None else 0))
        boxed = classes.in_containers.astype(float)
        kinds = np.stack([boxed, 1.0 - boxed], axis=1)
        of_sector = np.column_stack([np.ones_like(boxed), boxed, kinds * classes.payload_t_per_teu[:, None]])
        value = np.ascontiguousarray(classes.usd_per_teu.T)
        compiled = self.weights.loops()
        for p in (0, 1):
            beta, sectors = self._part_of(p)
            if compiled is not None:
                share = beta[:, routes.group_pair] * self.family_share[sectors, p]
                demands = (np.zeros_like(value) if one is None else one for one in (demand_teu, beside))
                of_pairs = (one[:, sectors] for one in (*demands, value))
                tables = p, of_sector[sectors, 1:], kinds[sectors]
                of_routes, traffic = self.weights.for_loops(p, sectors), (routes.group_pair, share, *of_pairs)
                given = *of_routes, traffic, tables, (loads, by_kind)
                spans = halves(self.base.nests.group_start)
                side_by_side([partial(compiled.loads, span, *given) for span in spans])
                continue
            # Zero for sectors that ship nothing by the product: sums over sectors have one order.
            wide = _Wide(len(boxed), sectors)
            for piece in self.weights.pieces((p,), sectors):
                block = piece.block
                pair = routes.group_pair[block.groups]
                total, pull = block.nested(piece.weight)
                per_teu = ratio_of((beta[:, pair] * self.family_share[sectors, p, block.groups]).T, total)
                if beside is not None:
                    teu = block.spread(beside[np.ix_(pair, sectors)] * per_teu)
                    by_kind[block.routes, p::2] = wide.of(pull * teu) @ kinds
                if demand_teu is None:
                    continue
                pull *= block.spread(demand_teu[np.ix_(pair, sectors)] * per_teu)
                found = wide.of(pull) @ of_sector
                loads[block.routes, p] = found[:, 0]
                loads[block.routes, 2:5] += found[:, 1:]
                pull *= block.spread(value[np.ix_(pair, sectors)])
                loads[block.routes, 5:] += wide.of(pull) @ kinds
        asked, also = (None if given is None else given.copy() for given in (demand_teu, beside))
        return _Loads(asked, loads, also, by_kind)

    def assign(self, demand_teu: FloatArray) -> FloatArray:
        """Flows on arcs by product, from route shares [arc, product]; demand_teu [pair, sector]."""
        return self.base.routes.to_arcs(self.route_flows(demand_teu))

    def assign_goods(
        self, demand_teu: FloatArray, beside: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """As `assign`, with the loaded containers [TEU] and all goods [t] on arcs [arc, 2].

        demand_teu [pair, sector]; beside: a second demand, computed at the same time for `route_kinds`.
        """
        loads = self._loads(demand_teu, beside).goods
        shown = np.column_stack([loads[:, :3], loads[:, 3] + loads[:, 4]])
        on_arcs = self.base.routes.to_arcs(shown)
        return np.ascontiguousarray(on_arcs[:, :2]), np.ascontiguousarray(on_arcs[:, 2:])

    def vjp(
        self,
        cost_bar: FloatArray | None = None,
        flow_bar: FloatArray | None = None,
        demand_teu: FloatArray | None = None,
        share_bar: Callable[[int, int], FloatArray] | None = None,
    ) -> ArcBars:
        """Derivatives of a scalar by arc hours, money, emissions and variance, with the base held fixed.

        The equations are those of `transport.choice.gradient`; where a bound begins to bind, they are
        one-sided.

        cost_bar [pair, sector]: derivative of the scalar by K'.
        flow_bar [arc, product] with demand_teu [pair, sector]: derivative by the flows of `assign`;
        the derivative by the demand is returned too.
        share_bar(sector, product) -> [route]: derivative by `route_share`.
        Returns ArcBars. Raises ValueError when flow_bar comes without demand.
        """
        if flow_bar is not None and demand_teu is None:
            raise ValueError("flow_bar needs demand_teu")
        return pulled_back(self, cost_bar, flow_bar, demand_teu, share_bar)


def solve_base(
    routes: RouteSet,
    classes: Segments,
    sums: RouteSums,
    available: BoolArray,
    nests: Nests,
    log_constant: FloatArray | None = None,
) -> BaseChoice:
    """The base: real cost of each family and of each pair, and the shares of the families.

    w_r = b_r^phi G_r^(-phi);  V_f, P_r = nested sum and shares of w;  K_f0 = sum P_r G_r;
    K0 = sum_f s_f K_f0 [USD/TEU], s_f = A_Qf r_f^(-phi_x) / sum over the families open in the base, see
    `landbridge.transport.choice.between_families`.

    routes: of all pairs; classes: their segments; sums: along the routes of the base; available [route]: see
    RouteSet. nests: of the routes, see `landbridge.transport.routes.nests`.
    log_constant [route, kind]: sum of ln b_j over the gateways a route passes (calibration), zero by default.
    Returns a BaseChoice.
    """
    weights = Weights(nests, classes, routes.pair, sums, available[:, None], log_constant)
    found = weights.totals(mean=True)
    family_cost = found.mean
    assert family_cost is not None
    opened = _open_groups(routes, available)
    share, assumed = base_shares(routes, classes, family_cost, opened)
    n_pairs = routes.n_pairs
    reached = np.bincount(routes.group_pair[opened], minlength=n_pairs) > 0
    cost = np.full((len(classes.sectors), 2, n_pairs), np.inf)
    for s in range(len(classes.sectors)):
        for p in range(2):
            weight = share[classes.kind[s]] * family_cost[s, p]
            mean = np.bincount(routes.group_pair, weights=weight, minlength=n_pairs)
            cost[s, p, reached] = mean[reached]
    return BaseChoice(
        routes,
        nests,
        classes,
        over_products(classes, cost),
        cost,
        family_cost,
        found.total,
        found.shift,
        share,
        np.flatnonzero(~reached).astype(np.int32),
        assumed,
        weights,
    )


def pivot(
    base: BaseChoice,
    sums: RouteSums,
    available: BoolArray,
    log_constant: FloatArray | None = None,
    classes: Segments | None = None,
    again: BoolArray | None = None,
    entering: FloatArray | None = None,
) -> Choice:
    """The choice after a change, pivoted on the base.

    K_f' = K_f0 (V_f'/V_f0)^(-1/phi);  s_f' = s_f exp(-lambda (K_f' - K_f0)) / sum;
    K' = K0 - (1/lambda) ln sum_f s_f exp(-lambda (K_f' - K_f0)), lambda = phi_b / K0   [USD/TEU]

    A lost family keeps its share at the cost of the best family left, a gained family helps where it is
    cheaper than the best of the base: see `transport.choice.between_families`. A pair that loses its last
    route is in `unreachable`, with infinite cost.

    base: to pivot on; sums: along routes after the change; available [route]: routes that can be used;
    log_constant [route, kind]: as in `solve_base`; classes: where the change has another carbon price or
    another value of time than the base; phi and phi_b are those of the base. again [group]: families whose
    best route is closed and that were searched again on the network left; they cost at least as much as
    before. entering [kind, group]: shares on entry, `families[0].share0` of another choice with the same
    routes open, where they are held. Returns a Choice.
    Raises ValueError for another phi or phi_b.
    Source: pivot-point logit as in Ortuzar and Willumsen, Modelling Transport, incremental logit.
    """
    routes, classes = base.routes, classes or base.classes
    if (classes.phi, classes.phi_b) != (base.classes.phi, base.classes.phi_b):
        raise ValueError("a change keeps phi and phi_b of its base")
    weights = Weights(base.nests, classes, routes.pair, sums, available[:, None], log_constant)
    opened = _open_groups(routes, available)
    found = base.totals(weights)
    gained = opened & ~(base.family_cost[0, 0] > 0.0)
    if gained.any():
        found = replace(found, mean=weights.totals(mean=True, groups=gained).mean)
    families = Families.of(base, opened, again, found.mean, entering)
    lost = families.lost_groups
    n_sectors = len(classes.sectors)
    chosen = choose((families,) * n_sectors, found)
    family_cost, share, carried = chosen.family_cost, chosen.share, chosen.carried
    cost = np.full_like(base.cost_segment, np.inf)
    cost[:, :, families.pairs] = chosen.cost
    host = np.array(chosen.host, dtype=np.int64).reshape(n_sectors, 2, len(lost))
    if np.array_equal(family_cost, base.family_cost):
        # One copy of unchanged arrays is enough.
        family_cost = base.family_cost
    averaged = np.zeros(routes.n_pairs, dtype=bool)
    averaged[families.pairs[families.reached & families.fresh]] = True
    served = np.zeros(routes.n_pairs, dtype=bool)
    served[families.pairs[families.reached]] = True
    return Choice(
        base,
        classes,
        sums,
        available,
        over_products(classes, cost),
        cost,
        family_cost,
        carried,
        share,
        LostFamilies(lost, host, share[:, :, lost], family_cost[:, :, lost] - base.family_cost[:, :, lost]),
        families.gained,
        np.flatnonzero(~served).astype(np.int32),
        averaged,
        (families,) * n_sectors,
        weights,
    )


def constants_of(gateway: Mapping[str, Any]) -> tuple[float, float]:
    """b of goods in containers and in bulk, from a gateway's row; blank for bulk: that of containers.

    gateway: row of the table. b: as in `log_constants`.
    """
    boxed, bulk = float(gateway["constant"] or 1.0), gateway.get("constant_bulk")
    return boxed, boxed if bulk is None else float(bulk)


def log_constants(world: World, graph: Graph, routes: RouteSet) -> FloatArray | None:
    """sum of ln b_j over the gateways of every route [route, kind]; None where every constant is one.

    world: with the gateways; graph, routes: of the base. b_j multiplies the weight of a route by b_j^phi and
    never enters a cost (see `calibrate`). Containers use the column `constant`, bulk uses `constant_bulk`, or
    `constant` if blank.
    """
    table = world.network["gateways"].by("gateway_id")
    log = np.zeros((len(graph.gateways), len(KINDS)))
    for j, gateway in enumerate(graph.gateways):
        if gateway in table:
            log[j] = np.log(constants_of(table[gateway]))
    if not log.any():
        return None
    route, gateway_of = routes.through(graph, np.asarray(log.any(axis=1)))
    columns = (np.bincount(route, weights=one[gateway_of], minlength=routes.n_routes) for one in log.T)
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def _open_groups(routes: RouteSet, available: BoolArray) -> BoolArray:
    """Groups with at least one open route."""
    if not routes.n_routes:
        return np.zeros(0, dtype=bool)
    return np.asarray(np.logical_or.reduceat(available, routes.group_start[:-1]))


def over_products(classes: Segments, cost: FloatArray) -> FloatArray:
    """K [pair, sector] = beta K_block + (1 - beta) K_wagonload [USD/TEU].

    classes: of the pairs, with beta, the block-train share; cost [sector, product, pair]: of both products,
    infinite without a route.
    """
    beta = classes.block_share
    with np.errstate(invalid="ignore"):
        mixed = beta * cost[:, 0] + (1.0 - beta) * cost[:, 1]
    return np.ascontiguousarray(np.where(np.isfinite(cost[:, 0]), mixed, np.inf).T)
