"""Losses when a gateway or a link is closed, for each one with traffic.

Two results, which bound the loss:

*Short run.* Closed for d days in a year; routes and trade stay, containers wait, and the queue clears at the
capacity c left above the daily flow f (a deterministic queue):

    delay = 1/2 f d^2 / (1 - f/c)   [TEU-days a year]

with c unlimited where no capacity is known, which makes it a lower bound, and infinite where f >= c.
The loss of real income is a first order: trade at its base, each TEU dearer by its mean delay.

*Long run.* Closed for good; freight takes the other routes of its set, and trade and the waits at gateways
with a capacity adjust, as in `landbridge.run`. A pair without any route left is not served: its TEU are
counted and its cost is unchanged, so that the loss of real income is then a lower bound.

Only pairs that pass the element choose again. Of all gateways and links the long run is first estimated:
freight takes the other routes that the base has, waits and payments to carriers stay, and real income follows
to first order. The cases with the largest estimates are then solved, of every region, and those that leave a
pair without a route.
Source: deterministic queues as in Newell, Applications of Queueing Theory (1982), chapter 2.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import parent_process
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, DataError, Fault, Status, did_you_mean
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.model.run import Progress
from landbridge.model.waits import solve_waits
from landbridge.results.transit import Tolls
from landbridge.studies.elements import Element, cases, elements
from landbridge.studies.losses import Loss, warned
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.transport import BaseChoice, Choice, RouteSet, log_constants, pivot
from landbridge.transport.choice.delayed import DelayedChoice, Patched, passes
from landbridge.transport.graph import SIDES
from landbridge.transport.routes.nests import Nests
from landbridge.transport.routes.route_set import FAMILIES, RouteSums
from landbridge.transport.segments import KINDS
from landbridge.world import World

__all__ = ["Disruption", "Loss", "disrupt"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
LongArray = NDArray[np.int64]

HOURS_A_DAY = 24.0
USD_PER_MUSD = 1e6
# Where no queue would change by more than this in the long run, waits stay those of the base: in a sample of
# 60 cases that changed the loss of Central Asia by less than 0.0003 % of its real income.
FELT_H = 0.5
# Relative residual of the loads, at which hours are accurate to a tenth of a second.
_TOLERANCE = 1e-7
# Fewer cases than these are finished before a second process has read the data.
_WORTH_A_PROCESS = 40
# Of all gateways and links, the cases that are solved: of the region that ranks them, and of every other one.
EXACT, _OF_EACH = 100, 2


@dataclass(frozen=True)
class Disruption:
    """All losses, the largest first, and the status of the worst solve; days, by: as in `disrupt`."""

    losses: tuple[Loss, ...]
    days: float
    by: str
    status: Status

    def rows(self) -> list[dict[str, Any]]:
        """One row per loss."""
        return [loss.row() for loss in self.losses]


def disrupt(
    world: World,
    together: Iterable[Sequence[str]] = (),
    *,
    only: Sequence[str] | None = None,
    days: float = 14.0,
    by: str = "CA5",
    least_teu: float = 1.0,
    exact: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    estimate: Callable[[str], None] | None = None,
) -> Disruption:
    """Close every gateway and every link with freight, one at a time, and rank the losses.

    world: the base; together: gateways or links closed at the same time, by id or name, in addition to single
    ones.
    only: these instead of all (none if empty). days: length of the closure in the short run [days]. by:
    region, CA5 or world whose long-run loss of real income ranks them. least_teu: elements with less traffic
    are left out [TEU a year]. exact: of all, the number of cases with the largest estimates that are solved,
    100 where None, in addition to the two largest of every other region and those that leave a pair without a
    route; 0 solves all; those named in only and together always are.
    workers: processes that share the cases, each with a base of its own. progress: called with text and
    share; estimate: called before the cases with their number.
    Returns a Disruption. Equations: head of `landbridge.studies.disrupt`. Raises DataError with every unknown
    name; ConvergenceError where an economy or the waits of a case do not converge, and as `landbridge.run`.
    """
    tell, solve = progress or (lambda text, share: None), EXACT if exact is None else exact
    _require(world, days, by, solve)
    tell("solving the base", 0.0)
    base = SolvedBase(Prepared([world]), world, 0, throw=True)
    bench = _Bench(base, days)
    alike = cases(elements(world, bench.graph, bench.flow, together, only, least_teu), bench.routes)
    every = only is not None or not 0 < solve < len(alike)
    if estimate is not None:
        estimate(_announced(len(alike), len(alike) if every else solve))
    losses: list[Loss] = []
    statuses = [base.results.status]
    with _each(bench, len(alike), workers) as each:
        if not every:
            guessed = []
            for number, (found, _) in enumerate(each("guess", alike), 1):
                tell("estimating every closure", 0.1 + 0.2 * number / len(alike))
                guessed.append(found)
            alike, left = _largest(alike, guessed, by, solve)
            losses += [loss for found in left for loss in found]
        for number, (found, status) in enumerate(each("without", alike), 1):
            tell(f"without {found[0].name}", 0.3 + 0.7 * number / len(alike))
            losses += found
            statuses.append(status)
    # Those whose loss is not known come last.
    losses.sort(key=lambda x: (x.mostly_unserved, x.real_income_long[by], -x.teu_per_year, x.id))
    return Disruption(tuple(losses), days, by, Status.worst(statuses))


def _require(world: World, days: float, by: str, solve: int) -> None:
    """Refuse what cannot be asked for, with every fault."""
    faults = []
    if not 0.0 < days <= 365.0:
        faults.append(Fault("days", f"is {days:g}", "give 1 to 365"))
    if solve < 0:
        faults.append(Fault("exact", f"is {solve}", "give a number of cases, 0 for all"))
    regions = world.trade.regions
    five = set(world.group(CENTRAL_ASIA)) & set(regions)
    names = [*regions, *([CENTRAL_ASIA] if five else []), "world"]
    if by not in names:
        cure = did_you_mean(by, names) or "give a region, world" + (f" or {CENTRAL_ASIA}" if five else "")
        faults.append(Fault("by", f"no region {by!r} to rank by", cure))
    if faults:
        raise DataError("nothing to do", faults)


def _announced(n: int, solved: int) -> str:
    """What is said before the cases begin: n cases, of which some are solved."""
    return f"{n} cases" + (f", at least {solved} of them solved" if solved < n else "")


def _largest(
    alike: list[list[Element]], guessed: list[list[Loss]], by: str, exact: int
) -> tuple[list[list[Element]], list[list[Loss]]]:
    """The cases to solve, and the estimates of all others.

    Solved are the largest of one region, gains of real income too, and the first few of every other; those
    that leave a pair without a route, which the estimate does not bound; and those closed together.
    """
    incomes = [found[0].real_income_long for found in guessed]
    chosen: set[int] = set()
    for region in incomes[0]:
        order = sorted(range(len(alike)), key=lambda n: -abs(incomes[n][region]))
        chosen |= set(order[: exact if region == by else _OF_EACH])
    chosen |= {n for n, found in enumerate(guessed) if found[0].unserved_teu > 0.0}
    chosen |= {n for n, group in enumerate(alike) if any(one.kind == "together" for one in group)}
    return [alike[n] for n in sorted(chosen)], [g for n, g in enumerate(guessed) if n not in chosen]


Answers = Iterator[tuple[list[Loss], Status]]


@contextmanager
def _each(bench: _Bench, n: int, workers: int) -> Iterator[Callable[[str, list[list[Element]]], Answers]]:
    """A function that calls a method of the bench for every group, in order.

    In separate processes where more than one worker is asked for and n, the number of groups, is large.
    """
    if workers <= 1 or n < _WORTH_A_PROCESS:
        yield lambda method, groups: (getattr(bench, method)(group) for group in groups)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    given = (bench.base.world, bench.days)
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, given) as pool:
        yield lambda method, groups: pool.map(partial(_one, method), groups, chunksize=4)


# The bench of a worker process, which handles one group after another.
_own_bench: list[_Bench] = []


def _begin(world: World, days: float) -> None:
    Thread(target=_end_with_the_parent, daemon=True).start()
    _own_bench.append(_Bench(SolvedBase(Prepared([world]), world, 0, throw=True), days))


def _end_with_the_parent() -> None:
    """Stop a worker whose parent process has ended, since nothing waits for its result."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _one(method: str, group: list[Element]) -> tuple[list[Loss], Status]:
    found: tuple[list[Loss], Status] = getattr(_own_bench[0], method)(group)
    return found


@dataclass(frozen=True)
class _Part:
    """Some routes with the inputs of the choice among them."""

    sums: RouteSums
    open: BoolArray
    log_constant: FloatArray


class _Bench:
    """The base and everything shared by all cases."""

    def __init__(self, base: SolvedBase, days: float) -> None:
        self.base, self.days = base, days
        results = base.results
        self.graph, self.routes = base.graph, base.common.routes
        # Transit closed in the World stays closed.
        self.sums, self.available = self.routes.sums(self.graph), results.choice.available
        self.closure = base.closures[0]
        self.eq = results.equilibrium[self.closure]
        self.gradient = np.array(
            [self.eq.gradient(f"real_income:{region}").cost for region in base.table.regions]
        )
        self.income = np.asarray(self.eq.base.income)
        self.flow = results.flow_teu.sum(axis=1)
        classes = base.classes
        # Share of a pair's TEU of one sector on every route, both products together [sector, route].
        self.share = np.empty((len(classes.sectors), self.routes.n_routes))
        for s, beta in enumerate(classes.block_share):
            on_block = beta[self.routes.pair]
            self.share[s] = on_block * results.choice.route_share(s, 0)
            self.share[s] += (1.0 - on_block) * results.choice.route_share(s, 1)
        self.demand = results.demand_teu
        self.teu = results.choice.route_flows(self.demand)
        self.teu_on_route = np.einsum("sr,rs->r", self.share, self.demand[self.routes.pair])
        # A pair without a route ships nothing, so its cost has no effect.
        self.base_cost = np.where(np.isfinite(base.choice.cost), base.choice.cost, 0.0)
        assert results.queues is not None
        self.queues = results.queues
        through = base.common.passes(results.queues)
        self.touched = DelayedChoice(results.choice, through)
        # Every case starts from the waits of the base.
        self.still = DelayedChoice(results.choice, through), *self.queues.delay(self.queues.base_load)
        rows = results.gateway_rows
        self.used = {row["gateway"]: row["volume_over_capacity"] for row in rows}
        # Over the capacity in force, which is raised where base traffic exceeds the stated one.
        self.in_force = {
            row["gateway"]: None
            if row["volume_over_capacity"] is None
            else row["volume_over_capacity"] / row["capacity_factor"]
            for row in rows
        }

    def without(self, group: Sequence[Element]) -> tuple[list[Loss], Status]:
        """Losses of elements that cut the same routes, each closed alone, in the short and the long run."""
        out, cut, passing = self._cut(group[0])
        *long, status = self._long(out, cut, passing, group[0].name)
        return self._losses(group, cut, passing, long, solved=True), status

    def guess(self, group: Sequence[Element]) -> tuple[list[Loss], Status]:
        """The same with an estimate of the long run."""
        _, cut, passing = self._cut(group[0])
        return self._losses(
            group, cut, passing, self._guess(cut, passing), solved=False
        ), self.base.results.status

    def _cut(self, element: Element) -> tuple[BoolArray, BoolArray, float]:
        """The arcs that close, the routes over them, and the TEU on these a year."""
        out = np.zeros(self.graph.n_arcs, dtype=bool)
        out[element.arcs] = True
        cut = self.routes.over_arcs(out[:, None].astype(float))[:, 0] > 0.0
        return out, cut, float(self.teu_on_route[cut].sum())

    def _losses(
        self, group: Sequence[Element], cut: BoolArray, passing: float, long: Sequence[Any], *, solved: bool
    ) -> list[Loss]:
        """One for each element; long: hours, million USD, TEU not served and incomes of the long run."""
        long_h, long_musd, unserved, income = long
        losses = []
        for element in group:
            short_h, short_musd, short_income = self._short(element, cut, passing)
            losses.append(
                Loss(
                    element.id,
                    element.name,
                    element.kind,
                    passing,
                    self._load(element, self.used),
                    self.days,
                    short_h,
                    short_musd,
                    long_h,
                    long_musd,
                    unserved,
                    short_income,
                    income,
                    solved=solved,
                )
            )
        return [warned(loss) for loss in losses]

    def _load(self, element: Element, of: Mapping[str, float | None]) -> float | None:
        known = [of[self.graph.gateways[j]] for j in element.gateways]
        found = [float(load) for load in known if load is not None]
        return max(found) if found else None

    def _short(
        self, element: Element, cut: BoolArray, passing: float
    ) -> tuple[float | None, float | None, dict[str, float] | None]:
        load = self._load(element, self.in_force) or 0.0
        if load >= 1.0:
            return None, None, None
        days_a_year = self.base.world.parameter("days_per_year")
        # Delay of all TEU over a year's TEU: 1/2 f d^2 / (1 - f/c) over 365 f, in hours.
        mean_h = HOURS_A_DAY * 0.5 * self.days**2 / (1.0 - load) / days_a_year
        pair, n_pairs = self.routes.pair[cut], self.routes.n_pairs
        classes, freight = self.base.classes, self.base.freight
        passes = np.array([np.bincount(pair, weights=s[cut], minlength=n_pairs) for s in self.share])
        dearer = (mean_h * classes.usd_per_h * passes).T
        musd = float((dearer * self.demand).sum()) / USD_PER_MUSD
        at_base = self.base.choice.cost
        moved = freight.log_tau(at_base + np.where(np.isfinite(at_base), dearer, 0.0)) - self.base.log_tau
        change = np.tensordot(self.gradient, moved, axes=3)
        return mean_h if passing > 0.0 else 0.0, musd, self._incomes(np.expm1(change))

    def _long(
        self, out: BoolArray, cut: BoolArray, passing: float, name: str
    ) -> tuple[float, float, float, dict[str, float], Status]:
        pairs = np.unique(self.routes.pair[cut & self.available]).astype(np.int64)
        if not len(pairs):
            return 0.0, 0.0, 0.0, self._incomes(np.zeros(len(self.income))), self.base.results.status
        choice, kept, of_base = self._chosen(out, cut, pairs)
        lost = np.zeros(len(pairs), dtype=bool)
        lost[choice.unreachable] = True
        queues, shock = self.queues, self.base.shock(self.base.world, self.base.results)
        part = DelayedChoice(choice, passes(choice.base.routes, self.graph, queues))
        patched = Patched(self.touched, part, pairs, lost, self.still)
        statuses, waits = [], None
        cost = patched.cost(*queues.delay(queues.base_load))
        delay_h, _ = queues.delay(queues.load(patched.flows(shock.demand(cost))))
        if np.abs(delay_h).max(initial=0.0) > FELT_H:
            settled = solve_waits(
                patched, queues, shock.demand, lambda demand: self.base.slope, tol=_TOLERANCE
            )
            if not settled.status.converged:
                raise ConvergenceError(f"without {name}: {settled.status.message}")
            statuses.append(settled.status)
            waits = settled.delay_h, settled.delay_h2
            choice = part.settled(*waits, idle=False)
            cost = settled.cost
        teu = choice.route_kinds(self.demand[pairs])
        paid = self._paid(choice.base.routes, teu, pairs, kept, of_base, waits)
        eq = shock.paying(cost, None if paid is None else self.base.carriage(paid, self.base.world, cost))
        served = self.demand.copy()
        served[pairs[lost]] = 0.0
        dearer = np.where(served > 0.0, np.where(served > 0.0, cost, 0.0) - self.base_cost, 0.0)
        more_h = self._more_hours(choice, teu, kept, of_base, lost)
        return (
            more_h / passing if passing > 0.0 else 0.0,
            float((dearer * served).sum()) / USD_PER_MUSD,
            float(self.demand[pairs[lost]].sum()),
            self._incomes(eq.real_income_hat - 1.0),
            Status.worst([eq.status, *statuses]),
        )

    def _guess(self, cut: BoolArray, passing: float) -> tuple[float, float, float, dict[str, float]]:
        """The long run to first order, on the other routes of the base at its waits."""
        pairs = np.unique(self.routes.pair[cut & self.available]).astype(np.int64)
        if not len(pairs):
            return 0.0, 0.0, 0.0, self._incomes(np.zeros(len(self.income)))
        base, kept = self.base.choice.only(pairs)
        left = self._old(kept, cut[kept])
        choice = pivot(base, left.sums, left.open, left.log_constant)
        lost = np.zeros(len(pairs), dtype=bool)
        lost[choice.unreachable] = True
        dearer = np.zeros_like(self.base_cost)
        found = np.isfinite(choice.cost) & ~lost[:, None]
        dearer[pairs] = np.where(found, np.where(found, choice.cost, 0.0) - self.base_cost[pairs], 0.0)
        moved = self.base.freight.log_tau(self.base.choice.cost + dearer) - self.base.log_tau
        more_h = self._more_hours(
            choice, choice.route_kinds(self.demand[pairs]), kept, np.arange(len(kept)), lost
        )
        return (
            more_h / passing if passing > 0.0 else 0.0,
            float((dearer * self.demand).sum()) / USD_PER_MUSD,
            float(self.demand[pairs[lost]].sum()),
            self._incomes(np.expm1(np.tensordot(self.gradient, moved, axes=3))),
        )

    def _more_hours(
        self, choice: Choice, teu: FloatArray, kept: LongArray, of_base: LongArray, lost: BoolArray
    ) -> float:
        """Hours of some pairs above those of the base, of pairs that are served [TEU hours].

        sum of (x' - x) h' + x (h' - h) over routes and products; see `_paid` for the rest.
        """
        old, more_h = of_base >= 0, 0.0
        served = ~lost[choice.base.routes.pair]
        at = kept[of_base]
        for p in (0, 1):
            now = choice.sums.time_h[p]
            before = np.where(old & served, self.teu[at, p], 0.0)
            more_h += float((teu[:, p::2].sum(axis=1) - before) @ now)
            more_h += float(before @ np.where(old, now - self.sums.time_h[p, at], 0.0))
        return more_h

    def _paid(
        self,
        routes: RouteSet,
        teu: FloatArray,
        pairs: LongArray,
        kept: LongArray,
        of_base: LongArray,
        waits: tuple[FloatArray, FloatArray] | None,
    ) -> list[tuple[Tolls, Tolls]] | None:
        """Payments to carriers, now and in the base: of pairs that choose again or whose waits changed.

        teu [route, 4]: of the pairs that choose again, see `Choice.route_kinds`.
        """
        known = self.base.results.tolls
        if known is None:
            return None
        # On the same routes now and before, so that only those whose traffic changes are summed.
        then = np.where(of_base[:, None] >= 0, known.teu[kept][of_base], 0.0)
        before = replace(known, routes=routes, teu=then, pair_of_regions=known.pair_of_regions[pairs])
        changes = [(replace(before, teu=teu), before)]
        if waits is not None:
            # The others choose again too; those chosen above count once.
            whole = self.touched.settled(*waits, last=False, idle=False)
            moved = whole.route_kinds(self.demand)
            moved[kept] = known.teu[kept]
            changes.append((replace(known, teu=moved), known))
        return changes

    def _chosen(
        self, out: BoolArray, cut: BoolArray, pairs: LongArray
    ) -> tuple[Choice, LongArray, LongArray]:
        """Routes of pairs that pass the closed element, chosen among those left and those newly found.

        Also the numbers of their routes of the base, and of each route among these, -1 for a new one.
        """
        base, kept = self.base.choice.only(pairs)
        routes = base.routes
        parts = [self._old(kept, cut[kept])]
        again = None
        closed = replace(self.graph, available=self.graph.available & ~out)
        spare = self.routes.best_left(closed, pairs, self.base.world.policy.no_transit).only(pairs)[0]
        number = np.arange(routes.n_routes)
        if spare.n_routes:
            routes, number = routes.merged(spare)
            parts.append(self._new(spare))
            base = _wider(base, routes, self._nests(base, routes, spare))
            again = routes.searched_again()
        open_ = np.concatenate([p.open for p in parts])[number]
        constant = np.concatenate([p.log_constant for p in parts])[number]
        sums = RouteSums(
            *(np.concatenate([getattr(p.sums, side) for p in parts], axis=1)[:, number] for side in SIDES)
        )
        of_base = np.where(number < len(kept), number, -1)
        return pivot(base, sums, open_, constant, again=again), kept, of_base

    def _nests(self, base: BaseChoice, routes: RouteSet, spare: RouteSet) -> Nests:
        """The nests of base and other routes; made for families that have others."""
        codes = [_codes(r) for r in (routes, spare, base.routes)]
        mine = np.isin(codes[0], codes[1])
        fresh = Nests.of(routes.of_groups(mine)[0], self.base.common.graphs[0])
        same = np.flatnonzero(~np.isin(codes[2], codes[1]))
        return base.nests.take(same).patched(routes.group_pair, np.flatnonzero(mine), fresh)

    def _old(self, kept: LongArray, cut: BoolArray) -> _Part:
        """Routes of the base, with the cut ones closed."""
        constant = self.base.log_constant
        sums = (getattr(self.sums, side)[:, kept] for side in SIDES)
        return _Part(
            RouteSums(*sums),
            self.available[kept] & ~cut,
            np.zeros((len(kept), len(KINDS))) if constant is None else constant[kept],
        )

    def _new(self, routes: RouteSet) -> _Part:
        """Newly found routes."""
        open_ = np.ones(routes.n_routes, dtype=bool)
        constant = log_constants(self.base.world, self.graph, routes)
        nothing = np.zeros((len(open_), len(KINDS)))
        return _Part(routes.sums(self.graph), open_, nothing if constant is None else constant)

    def _incomes(self, change: FloatArray) -> dict[str, float]:
        """Percent by region, for Central Asia and for the world."""
        regions = self.base.table.regions
        found = {region: 100.0 * float(change[n]) for n, region in enumerate(regions)}
        five = [r for r in self.base.world.group(CENTRAL_ASIA) if r in regions]
        for group, members in ((CENTRAL_ASIA, five), ("world", list(regions))):
            at = [regions.index(r) for r in members]
            if at:
                weight = self.income[at] / self.income[at].sum()
                found[group] = 100.0 * float(weight @ change[at])
        return found


def _codes(routes: RouteSet) -> LongArray:
    """A number for the pair and family of every group."""
    return np.asarray(routes.group_pair.astype(np.int64) * len(FAMILIES) + routes.group_family)


def _wider(base: BaseChoice, routes: RouteSet, nests: Nests) -> BaseChoice:
    """A base on more routes; families that it has no route of carry nothing in it."""
    there = np.isin(_codes(routes), _codes(base.routes))

    def wide(values: FloatArray) -> FloatArray:
        out = np.zeros((*values.shape[:-1], len(there)))
        out[..., there] = values
        return out

    return replace(
        base,
        routes=routes,
        nests=nests,
        family_cost=wide(base.family_cost),
        total=wide(base.total),
        shift=None if base.shift is None else wide(base.shift),
        family_share=wide(base.family_share),
    )
