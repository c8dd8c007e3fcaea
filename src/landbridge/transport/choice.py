"""Route and family choice: path-size weibit within a family, pivot-point logit between families.

All costs are real money [USD of 2023 per TEU]; constants and base shares never enter a cost level.
Arrays run over [sector, product, ...] with the routes or groups last, so that each segment is one
contiguous sweep. Nothing of size routes x segments is made except weights and inverse costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import Fault, InfeasibleError
from landbridge.transport.classes import Classes
from landbridge.transport.graph import Graph
from landbridge.transport.paths import RouteSet, RouteSums
from landbridge.world import World

__all__ = [
    "ArcBars",
    "BaseChoice",
    "Choice",
    "log_constants",
    "pivot",
    "solve_base",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

_VARIANCE_FLOOR = 1e-6
# Costs are raised to -phi in units of 1,000 USD, so that no power leaves the range of a double.
_SCALE = 1000.0
_GENTLE = 40.0
_CHUNK = 16384


@dataclass(frozen=True, eq=False)
class _Within:
    """Weights of the routes inside their family [sector, product, route] and their sums V [.., group].

    shift [.., group]: what was taken off ln w, where phi is too large for plain powers.
    """

    routes: RouteSet
    classes: Classes
    sums: RouteSums
    weight: FloatArray
    total: FloatArray
    shift: FloatArray | None

    def mean_cost(self) -> FloatArray:
        """Share-weighted mean of G_r in every group [sector, product, group]; zero where closed."""
        first = self.routes.group_start[:-1]
        out = np.zeros_like(self.total)
        costs, everything = _Costs(self.routes, self.classes, self.sums), slice(None)
        for s in range(out.shape[0]):
            for p in range(2):
                out[s, p] = np.add.reduceat(self.weight[s, p] * costs.of(s, p, everything), first)
        return _ratio(out, self.total)


@dataclass(eq=False)
class _Kept:
    """The weights of the choice that was looked at last; they are large, and quick to make again.

    The choice is known by a weak reference: one that is let go takes its arrays along at once.
    """

    _owner: ReferenceType[Choice] | None = None
    within: _Within | None = None

    def hold(self, owner: Choice, within: _Within) -> None:
        """Keep the weights of a choice instead of those of another."""
        self._owner, self.within = ref(owner), within

    def of(self, choice: Choice) -> _Within | None:
        """The weights, where they are those of this choice."""
        return self.within if self._owner is not None and self._owner() is choice else None

    def __getstate__(self) -> dict[str, None]:
        """Nothing: a weak reference cannot be pickled, and the weights are quick to make again."""
        return {"_owner": None, "within": None}


@dataclass(frozen=True, eq=False)
class BaseChoice:
    """The base: what later choices pivot on.

    cost [pair, sector]: K over both products, K = beta K_block + (1 - beta) K_wagonload [USD/TEU].
    cost_segment [sector, product, pair]: K0. family_cost [sector, product, group]: K_f0.
    total, shift [sector, product, group]: V_f0 = total exp(shift).
    family_share [group]: s_f, one for all segments.
    unreachable: pairs without an open route (cost is infinite there).
    assumed [pair]: pairs whose open families have no stated share; they are split evenly.
    """

    routes: RouteSet
    classes: Classes
    cost: FloatArray
    cost_segment: FloatArray
    family_cost: FloatArray
    total: FloatArray
    shift: FloatArray | None
    family_share: FloatArray
    unreachable: IntArray
    assumed: BoolArray
    _kept: _Kept

    def only(self, pairs: NDArray[np.integer[Any]]) -> tuple[BaseChoice, NDArray[np.int64]]:
        """The base of some pairs alone (numbers in ascending order), and the numbers of its routes here.

        What closes one gateway is answered on the pairs that pass it, in a fraction of the time.
        """
        routes, kept, groups = self.routes.only(pairs)
        classes = replace(
            self.classes,
            group=self.classes.group[pairs],
            usd_per_teu=self.classes.usd_per_teu[:, pairs],
            usd_per_h=self.classes.usd_per_h[:, pairs],
            block_share=self.classes.block_share[:, pairs],
        )
        part = BaseChoice(
            routes,
            classes,
            self.cost[pairs],
            self.cost_segment[:, :, pairs],
            self.family_cost[:, :, groups],
            self.total[:, :, groups],
            None if self.shift is None else self.shift[:, :, groups],
            self.family_share[groups],
            np.flatnonzero(np.isin(pairs, self.unreachable)).astype(np.int32),
            self.assumed[pairs],
            _Kept(),
        )
        return part, kept


@dataclass(frozen=True, eq=False)
class ArcBars:
    """Derivatives of a scalar to the arcs, [arc, product], and to the demand it was given [pair, sector]."""

    time_h: FloatArray
    cost_usd: FloatArray
    co2e_kg: FloatArray
    variance_h2: FloatArray
    demand_teu: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Choice:
    """The choice under new sums, pivoted on a base.

    cost [pair, sector], cost_segment [sector, product, pair]: K'. family_cost [.., group]: K_f'.
    family_share [sector, product, group]: s_f'. gained [group]: families that a pair did not have in
    the base (they take their stated share, the others scaled). unreachable: pairs without a route.
    averaged [pair]: pairs whose K' is a mean of their families, as they had no route or share before.
    classes: those in force, of the base unless the change has its own.
    """

    base: BaseChoice
    classes: Classes
    sums: RouteSums
    available: BoolArray
    cost: FloatArray
    cost_segment: FloatArray
    family_cost: FloatArray
    family_share: FloatArray
    gained: BoolArray
    unreachable: IntArray
    averaged: BoolArray
    _weigh: Callable[[RouteSums], _Within]

    @property
    def _within(self) -> _Within:
        within = self.base._kept.of(self)
        if within is None:
            within = self._weigh(self.sums)
            self.base._kept.hold(self, within)
        return within

    def with_sectors(self, other: Choice, sectors: BoolArray) -> Choice:
        """This choice, with the sectors marked [sector] taken from another of the same base and sums.

        For routes that are closed to some commodities only.
        """

        def weigh(sums: RouteSums) -> _Within:
            mine, theirs = self._weigh(sums), other._weigh(sums)
            for ours, its in ((mine.weight, theirs.weight), (mine.total, theirs.total)):
                ours[sectors] = its[sectors]
            if mine.shift is not None and theirs.shift is not None:
                mine.shift[sectors] = theirs.shift[sectors]
            return mine

        cost_segment, family_cost, family_share = (
            np.where(sectors[:, None, None], its, ours)
            for ours, its in (
                (self.cost_segment, other.cost_segment),
                (self.family_cost, other.family_cost),
                (self.family_share, other.family_share),
            )
        )
        return replace(
            self,
            available=self.available | other.available,
            cost=np.where(sectors, other.cost, self.cost),
            cost_segment=cost_segment,
            family_cost=family_cost,
            family_share=family_share,
            gained=self.gained | other.gained,
            unreachable=np.union1d(self.unreachable, other.unreachable).astype(np.int32),
            _weigh=weigh,
        )

    def route_share(self, sector: int, product: int) -> FloatArray:
        """Share of every route in its pair's TEU of one segment [route]."""
        per_group = _ratio(self.family_share[sector, product], self._within.total[sector, product])
        return np.asarray(self._within.weight[sector, product] * per_group[self.base.routes.group_of_route])

    def family_share_of_teu(self) -> FloatArray:
        """Share of every group in its pair's TEU by sector, over both products [sector, group]."""
        beta = self.classes.block_share[:, self.base.routes.group_pair]
        return beta * self.family_share[:, 0] + (1.0 - beta) * self.family_share[:, 1]

    def require(self, graph: Graph, pairs: BoolArray | None = None) -> None:
        """Raise InfeasibleError that names the pairs without a route (those asked for, or all)."""
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
        """Expected hours, money and CO2e of one TEU of a sector [3, pair], zero where unreachable."""
        routes, classes = self.base.routes, self.classes
        out = np.zeros((3, routes.n_pairs))
        for p in range(2):
            beta = classes.block_share[sector] if p == 0 else 1.0 - classes.block_share[sector]
            share = self.route_share(sector, p)
            for k, values in enumerate((self.sums.time_h, self.sums.cost_usd, self.sums.co2e_kg)):
                mean = np.bincount(routes.pair, weights=share * values[p], minlength=routes.n_pairs)
                out[k] += beta * mean
        return out

    def route_flows(self, demand_teu: FloatArray) -> FloatArray:
        """TEU on every route by product, f_rp = sum over s of demand x beta_p x share [route, product].

        demand_teu [pair, sector]: TEU per unit of time.
        """
        routes = self.base.routes
        flows = np.zeros((2, routes.n_routes))
        group = routes.group_of_route
        for s, p, on_group in self._loads(demand_teu):
            flows[p] += self._within.weight[s, p] * on_group[group]
        return np.ascontiguousarray(flows.T)

    def assign(self, demand_teu: FloatArray) -> FloatArray:
        """Flows on arcs by product, all demand loaded by its route shares [arc, product]."""
        return self.base.routes.to_arcs(self.route_flows(demand_teu))

    def _loads(self, demand_teu: FloatArray) -> list[tuple[int, int, FloatArray]]:
        """TEU of every group per unit of weight, for each segment."""
        classes, pair = self.classes, self.base.routes.group_pair
        loads = []
        for s in range(len(classes.sectors)):
            for p in range(2):
                beta = classes.block_share[s] if p == 0 else 1.0 - classes.block_share[s]
                teu = (demand_teu[:, s] * beta)[pair]
                per = _ratio(self.family_share[s, p], self._within.total[s, p])
                loads.append((s, p, teu * per))
        return loads

    def vjp(
        self,
        cost_bar: FloatArray | None = None,
        flow_bar: FloatArray | None = None,
        demand_teu: FloatArray | None = None,
        share_bar: Callable[[int, int], FloatArray] | None = None,
    ) -> ArcBars:
        """Derivatives of a scalar to arc hours, money, emissions and variance, the base held fixed.

        dK'/dK_f' = s_f';  dK_f'/dG_r = share_r K_f' / G_r;
        d share_r = share_r [-phi (dlnG_r - mean dlnG) - lambda (dK_f' - mean dK_f')].

        cost_bar [pair, sector]: derivative of the scalar to K'.
        flow_bar [arc, product] with demand_teu [pair, sector]: derivative to the flows of `assign`;
        the derivative to the demand comes back too.
        share_bar(sector, product) -> [route]: derivative to `route_share`.
        Raises ValueError when flow_bar comes without demand.
        """
        if flow_bar is not None and demand_teu is None:
            raise ValueError("flow_bar needs demand_teu")
        routes, classes, within = self.base.routes, self.classes, self._within
        group, pair, first = routes.group_of_route, routes.group_pair, routes.group_start[:-1]
        n_sectors = len(classes.sectors)
        on_routes = None if flow_bar is None else np.ascontiguousarray(routes.over_arcs(flow_bar).T)
        demand_bar = None if demand_teu is None else np.zeros_like(demand_teu)
        bars = np.zeros((2, 4, routes.n_routes))
        costs = _Costs(routes, classes, self.sums)
        moves = ~self.gained
        for s in range(n_sectors):
            for p in range(2):
                beta = classes.block_share[s] if p == 0 else 1.0 - classes.block_share[s]
                weight = within.weight[s, p]
                per = _ratio(1.0, within.total[s, p])
                share = self.family_share[s, p]
                cost_f = self.family_cost[s, p]
                wanted = share_bar(s, p) if share_bar is not None else None
                if on_routes is not None and demand_teu is not None and demand_bar is not None:
                    teu = (demand_teu[:, s] * beta)[pair]
                    loaded = on_routes[p] * teu[group]
                    wanted = loaded if wanted is None else wanted + loaded
                    mean = np.add.reduceat(weight * on_routes[p], first) * per * share
                    demand_bar[:, s] += beta * np.bincount(pair, weights=mean, minlength=routes.n_pairs)
                family_bar = np.zeros(len(pair))
                if cost_bar is not None:
                    family_bar += (cost_bar[:, s] * beta)[pair] * share
                log_bar = None
                if wanted is not None:
                    mean = np.add.reduceat(weight * wanted, first) * per
                    overall = np.bincount(pair, weights=share * mean, minlength=routes.n_pairs)
                    lam = _ratio(classes.phi_b, self.base.cost_segment[s, p])[pair]
                    family_bar -= lam * share * (mean - overall[pair])
                    log_bar = wanted - mean[group]
                    log_bar *= (-classes.phi * share)[group]
                family_bar = np.where(moves, family_bar, 0.0)
                ratio = (family_bar * cost_f)[group]
                log_bar = ratio if log_bar is None else log_bar + ratio
                # d/dG = d/dlnG x share / G
                bar = log_bar * weight * per[group] / costs.of(s, p, slice(None))
                hours = bar * classes.usd_per_h[s][routes.pair]
                bars[p, 0] += hours
                bars[p, 1] += bar
                if classes.rho[s]:
                    spread = 0.5 / np.sqrt(self.sums.variance_h2[p] + _VARIANCE_FLOOR)
                    bars[p, 3] += hours * classes.rho[s] * spread
        bars[:, 2] = classes.carbon_usd_per_kg * bars[:, 1]
        on_arcs = routes.to_arcs(np.ascontiguousarray(bars.reshape(8, -1).T)).reshape(-1, 2, 4)
        parts = [np.ascontiguousarray(on_arcs[:, :, k]) for k in range(4)]
        return ArcBars(parts[0], parts[1], parts[2], parts[3], demand_bar)


def solve_base(
    routes: RouteSet,
    classes: Classes,
    sums: RouteSums,
    available: BoolArray,
    path_size: FloatArray,
    log_constant: FloatArray | None = None,
) -> BaseChoice:
    """The base: real cost of each family and of each pair, with the stated family shares.

    w_r = PS_r b_r^phi G_r^(-phi);  V_f = sum w_r;  K_f0 = sum w_r G_r / V_f;  K0 = sum_f s_f K_f0
    [USD/TEU], s_f the stated shares restricted to the families open in the base and rescaled.

    available [route], path_size [value of time, route] (or [route], one for all): see RouteSet.
    log_constant [route]: sum of ln b_j over the gateways a route passes (calibration), zero by default.
    """
    within = _weigh(routes, classes, sums, available, path_size, log_constant)
    opened = _open_groups(routes, available)
    share, assumed = _base_shares(routes, classes, opened)
    family_cost = within.mean_cost()
    n_pairs = routes.n_pairs
    reached = np.bincount(routes.group_pair[opened], minlength=n_pairs) > 0
    cost = np.full((len(classes.sectors), 2, n_pairs), np.inf)
    for s in range(len(classes.sectors)):
        for p in range(2):
            mean = np.bincount(routes.group_pair, weights=share * family_cost[s, p], minlength=n_pairs)
            cost[s, p, reached] = mean[reached]
    return BaseChoice(
        routes,
        classes,
        _over_products(classes, cost),
        cost,
        family_cost,
        within.total,
        within.shift,
        share,
        np.flatnonzero(~reached).astype(np.int32),
        assumed,
        _Kept(),
    )


def pivot(
    base: BaseChoice,
    sums: RouteSums,
    available: BoolArray,
    path_size: FloatArray,
    log_constant: FloatArray | None = None,
    classes: Classes | None = None,
) -> Choice:
    """The choice after a change, pivoted on the base.

    K_f' = K_f0 (V_f'/V_f0)^(-1/phi);  s_f' = s_f exp(-lambda (K_f' - K_f0)) / sum;
    K' = K0 - (1/lambda) ln sum_f s_f exp(-lambda (K_f' - K_f0)), lambda = phi_b / K0   [USD/TEU]

    A family that a pair gains takes its stated share and the others are scaled; its K_f' is the mean
    cost of its routes and it enters the sum at its own level (K_f0 := K_f'), so that the gain of a
    merely stated share is not counted. A pair that had no route in the base takes the stated shares
    and K' = sum_f s_f K_f'. A pair that loses its last route is in `unreachable`, its cost infinite.
    classes: where the change has another carbon price or another value of time than the base; phi and
    phi_b are those of the base.
    Source: pivot-point logit as in Ortuzar and Willumsen, Modelling Transport, incremental logit.
    """
    routes, classes = base.routes, classes or base.classes
    if (classes.phi, classes.phi_b) != (base.classes.phi, base.classes.phi_b):
        raise ValueError("a change keeps phi and phi_b of its base")
    weigh = partial(
        _weigh, routes, classes, available=available, path_size=path_size, log_constant=log_constant
    )
    within = weigh(sums)
    pair, n_pairs = routes.group_pair, routes.n_pairs
    opened = _open_groups(routes, available)
    before = base.family_cost[0, 0] > 0.0 if routes.n_routes else opened
    fresh_pair = np.ones(n_pairs, dtype=bool)
    fresh_pair[pair[before]] = False
    gained, kept = opened & ~before, opened & before
    share0 = base.family_share
    if gained.any():
        stated = classes.family_share[classes.group[pair], routes.group_family]
        entering = np.minimum(
            np.bincount(pair, weights=np.where(gained, stated, 0.0), minlength=n_pairs), 1.0
        )
        share0 = np.where(gained, stated, share0 * (1.0 - entering[pair]))
        share0 = np.where(fresh_pair[pair], _base_shares(routes, classes, opened)[0], share0)
    share0 = np.where(opened, share0, 0.0)
    # Families left with no stated share at all are split evenly, as in the base.
    reached = np.bincount(pair[opened], minlength=n_pairs) > 0
    bare = reached & (np.bincount(pair, weights=share0, minlength=n_pairs) <= 0.0)
    share0 = np.where(bare[pair] & opened, 1.0, share0)
    own_level = within.mean_cost() if gained.any() else None
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    live = pair[first].astype(np.intp)
    slot = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(pair))))
    family_cost = np.empty_like(base.family_cost)
    family_share = np.empty_like(family_cost)
    cost = np.full_like(base.cost_segment, np.inf)
    whole, settled = bool(kept.all()), (reached & ~fresh_pair & ~bare)[live]
    odd = live[reached[live] & ~settled]
    averaged = np.zeros(n_pairs, dtype=bool)
    averaged[odd] = True
    for s in range(len(classes.sectors)):
        for p in range(2):
            ratio = base.total[s, p] / within.total[s, p] if whole else np.ones(len(pair))
            if not whole:
                np.divide(base.total[s, p], within.total[s, p], out=ratio, where=kept)
            root = _root(ratio, classes.phi)
            if within.shift is not None and base.shift is not None:
                moved = np.where(kept, within.shift[s, p] - base.shift[s, p], 0.0)
                root *= np.exp(moved / -classes.phi)
            changed = np.multiply(base.family_cost[s, p], root, out=family_cost[s, p])
            if not whole:
                changed[~kept] = 0.0 if own_level is None else own_level[s, p][~kept]
            start = base.cost_segment[s, p][live]
            lam = _ratio(classes.phi_b, start)
            part = base.family_cost[s, p] - changed
            part *= lam[slot]
            if not whole:
                part[~kept] = 0.0
            top: FloatArray | float = 0.0
            if classes.phi_b > _GENTLE and len(first):
                # A steep choice leaves the doubles unless the best family of the pair is the reference.
                best = np.maximum.reduceat(np.where(share0 > 0.0, part, -np.inf), first)
                top = np.where(np.isfinite(best), best, 0.0)
                part -= top[slot]
            np.exp(part, out=part)
            part *= share0
            total = np.add.reduceat(part, first) if len(first) else np.zeros(0)
            inverse = 1.0 / np.where(total > 0.0, total, 1.0)
            np.multiply(part, inverse[slot], out=family_share[s, p])
            with np.errstate(divide="ignore", invalid="ignore"):
                value = start - (np.log(total) + top) / lam
            cost[s, p, live] = np.where(settled, value, np.inf)
            if len(odd):
                mean = np.bincount(pair, weights=family_share[s, p] * changed, minlength=n_pairs)
                cost[s, p, odd] = mean[odd]
    choice = Choice(
        base,
        classes,
        sums,
        available,
        _over_products(classes, cost),
        cost,
        family_cost,
        family_share,
        gained,
        np.flatnonzero(~reached).astype(np.int32),
        averaged,
        weigh,
    )
    base._kept.hold(choice, within)
    return choice


def log_constants(world: World, graph: Graph, routes: RouteSet) -> FloatArray | None:
    """sum of ln b_j over the gateways of every route [route]; None where every constant is one.

    b_j multiplies the weight of a route by b_j^phi and never enters a cost (see `calibrate`).
    """
    table = world.network["gateways"].by("gateway_id")
    log = np.array(
        [np.log(float(table[g]["constant"] or 1.0)) if g in table else 0.0 for g in graph.gateways]
    )
    if not log.any():
        return None
    route, gateway = routes.through(graph)
    return np.asarray(np.bincount(route, weights=log[gateway], minlength=routes.n_routes), dtype=np.float64)


def _weigh(
    routes: RouteSet,
    classes: Classes,
    sums: RouteSums,
    available: BoolArray,
    path_size: FloatArray,
    log_constant: FloatArray | None,
) -> _Within:
    """Weights of all routes in all segments (see `solve_base`); rows of zeros where closed."""
    n_sectors, n, n_groups = len(classes.sectors), routes.n_routes, len(routes.group_pair)
    phi = classes.phi
    costs = _Costs(routes, classes, sums)
    factors = np.where(available, np.atleast_2d(path_size), 0.0)
    if log_constant is not None:
        factors = factors * np.exp(phi * log_constant)
    # One pass fewer for each segment: the factor goes under the power.
    roots = _SCALE * factors ** (1.0 / phi)
    # One factor for all where only one is given.
    size_of = classes.size_of if len(factors) > 1 else np.zeros(n_sectors, dtype=np.int32)
    # Far beyond the phi of freight (8) a plain power leaves the doubles: shift by the group's best.
    extreme = phi > _GENTLE
    weight = np.empty((n_sectors, 2, n))
    total = np.empty((n_sectors, 2, n_groups))
    shift = np.zeros((n_sectors, 2, n_groups)) if extreme else None
    cuts = np.searchsorted(routes.group_start, np.arange(0, n, _CHUNK))
    for low, high in zip(cuts, np.append(cuts[1:], n_groups), strict=True):
        if low == high:
            continue
        # A block of whole groups at a time, small enough for all its sweeps to stay in cache.
        block = slice(int(routes.group_start[low]), int(routes.group_start[high]))
        first = routes.group_start[low:high] - block.start
        for s in range(n_sectors):
            factor, root = factors[size_of[s]], roots[size_of[s]]
            for p in range(2):
                w = weight[s, p, block]
                if shift is None:
                    np.divide(root[block], costs.of(s, p, block), out=w)
                    _power(w, phi)
                else:
                    log = phi * np.log(_SCALE / costs.of(s, p, block))
                    top = np.maximum.reduceat(np.where(available[block], log, -np.inf), first)
                    top = np.where(np.isfinite(top), top, 0.0)
                    shift[s, p, low:high] = top
                    np.exp(np.minimum(log - np.repeat(top, np.diff(np.append(first, len(w)))), 0.0), out=w)
                    w *= factor[block]
                total[s, p, low:high] = np.add.reduceat(w, first)
    return _Within(routes, classes, sums, weight, total, shift)


class _Costs:
    """Generalised cost of the routes, a segment at a time [USD/TEU].

    G_r = sum m_a + usd_per_h (sum h_a + rho sqrt(sum v_a + 1e-6)) + carbon price x sum e_a
    """

    def __init__(self, routes: RouteSet, classes: Classes, sums: RouteSums) -> None:
        self._pair, self._per_hour = routes.pair.astype(np.intp), classes.usd_per_h
        self._rho = classes.rho
        self._money = sums.cost_usd
        if classes.carbon_usd_per_kg:
            self._money = sums.cost_usd + classes.carbon_usd_per_kg * sums.co2e_kg
        spread = np.sqrt(sums.variance_h2 + _VARIANCE_FLOOR)
        # Sectors with one rho share their reliability-weighted hours.
        self._hours = {rho: sums.time_h + rho * spread for rho in set(classes.rho.tolist())}

    def of(self, sector: int, product: int, block: slice) -> FloatArray:
        """Cost of some routes for one segment."""
        cost: FloatArray = self._per_hour[sector][self._pair[block]]
        cost *= self._hours[float(self._rho[sector])][product, block]
        cost += self._money[product, block]
        return cost


def _root(ratio: FloatArray, phi: float) -> FloatArray:
    """ratio^(1/phi); by square roots where phi is 1, 2, 4, 8 ..."""
    halvings = round(np.log2(phi)) if phi > 0 else -1
    if halvings < 0 or 2.0**halvings != phi:
        return np.asarray(np.exp(np.log(ratio) / phi))
    root = ratio.copy()
    for _ in range(halvings):
        np.sqrt(root, out=root)
    return root


def _power(values: FloatArray, phi: float) -> None:
    """values^phi in place; a whole phi by squaring, which costs a fifth of exp(phi ln)."""
    if phi != int(phi) or phi < 1:
        np.power(values, phi, out=values)
        return
    bits = bin(int(phi))[3:]
    base = values.copy() if "1" in bits else values
    for bit in bits:
        np.multiply(values, values, out=values)
        if bit == "1":
            values *= base


def _open_groups(routes: RouteSet, available: BoolArray) -> BoolArray:
    """Groups with at least one open route."""
    if not routes.n_routes:
        return np.zeros(0, dtype=bool)
    return np.asarray(np.logical_or.reduceat(available, routes.group_start[:-1]))


def _base_shares(routes: RouteSet, classes: Classes, opened: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Stated shares restricted to open families and rescaled; even where none is stated."""
    pair = routes.group_pair
    stated = np.where(opened, classes.family_share[classes.group[pair], routes.group_family], 0.0)
    total = np.bincount(pair, weights=stated, minlength=routes.n_pairs)
    count = np.bincount(pair[opened], minlength=routes.n_pairs)
    assumed = (total <= 0.0) & (count > 0)
    even = np.where(opened, 1.0, 0.0) / np.maximum(count, 1)[pair]
    return np.where(assumed[pair], even, _ratio(stated, total[pair])), assumed


def _over_products(classes: Classes, cost: FloatArray) -> FloatArray:
    """K [pair, sector] = beta K_block + (1 - beta) K_wagonload."""
    beta = classes.block_share
    with np.errstate(invalid="ignore"):
        mixed = beta * cost[:, 0] + (1.0 - beta) * cost[:, 1]
    return np.ascontiguousarray(np.where(np.isfinite(cost[:, 0]), mixed, np.inf).T)


def _ratio(above: FloatArray | float, below: NDArray[Any]) -> FloatArray:
    """above / below, zero where below is zero or infinite."""
    good = (below > 0.0) & np.isfinite(below)
    return np.asarray(np.where(good, above / np.where(good, below, 1.0), 0.0))
