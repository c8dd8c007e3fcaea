"""One fit of the weights of corridor families and of a few gateway constants to observations.

Base shares are s_f = A_Qf r_f^(-phi_x) h(r_f) / sum (`transport.choice.between_families`). Stated are the
shares of a whole group of pairs Q, by kind of goods, with their ranges; the weights A that reproduce them
follow by proportional fitting,

    A_Qf <- A_Qf x stated share / computed share of the group, until they are equal.

For the weights marked `fit` in family_shares, and the gateway constants below, ln A and ln b are then fitted
by least squares with a ridge:

    sum ((f(ours) - f(observed)) / sigma)^2 + sum ((logit(share of group) - logit(stated)) / sigma)^2
        + sum (ln b / sigma_b)^2

f is the log of a count or level and the log-odds of a share; sigma follows from the range of each row, with a
robust scale (Cauchy) beyond ROBUST sigma. So stated shares are observations too, and numbers that the counts
do not affect stay as stated. The constant of Alashankou is one: counts determine the ratios of the constants
and hardly their level.

At given trade a count is a sum over routes that is smooth in the constants,

    d flow_r / d ln b_j = TEU of the family x sum_s J_rs phi 1[s passes j],   J = d P / d ln w,

with P the nested shares inside the family, and in ln A, ds_g / d ln A_f = s_g (1[g = f] - s_f of the pair),
so that derivatives are exact at given ratios r; the ratios are updated until they are constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.errors import ConvergenceError
from landbridge.model.base import SolvedBase
from landbridge.studies.observed import (
    KIND_OF_UNIT,
    RANGE,
    UNITS,
    USD_BULK,
    USD_CONTAINER,
    Observation,
    Observed,
)
from landbridge.transport import FAMILIES
from landbridge.transport.choice.between_families import cost_by_kind, weights_of_families
from landbridge.transport.choice.pivot import constants_of
from landbridge.transport.choice.weights import Weights
from landbridge.transport.graph import BLOCK
from landbridge.transport.segments import KINDS

__all__ = ["CONSTANTS", "TWO_PORTS", "Count", "Fit"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
LongArray = NDArray[np.int64]
Cell3 = tuple[int, int, int]

# The rail ports between Xinjiang and Kazakhstan, which are counted together.
TWO_PORTS = ("khorgos-altynkol", "alashankou-dostyk")
# Constants fitted: the goods and the gateway of each. Bulk between Russia and China goes by Manzhouli or, in
# transit, over Mongolia: its constants are those of these two routes. For the truck ferry to Trieste no
# tariff was found.
CONSTANTS: dict[str, tuple[str, str]] = {
    "gateway:khorgos-altynkol": ("container", "khorgos-altynkol"),
    "gateway:manzhouli-zabaikalsk": ("container", "manzhouli-zabaikalsk"),
    "gateway:erenhot-zamyn-uud": ("container", "erenhot-zamyn-uud"),
    "gateway_bulk:manzhouli-zabaikalsk": ("bulk", "manzhouli-zabaikalsk"),
    "gateway_bulk:naushki-ulaanbaatar": ("bulk", "naushki-ulaanbaatar"),
    "gateway:trieste-istanbul-ferry": ("container", "trieste-istanbul-ferry"),
    "gateway_bulk:trieste-istanbul-ferry": ("bulk", "trieste-istanbul-ferry"),
}
# Standard deviation of ln b, and the multiple of sigma from which a row loses weight.
SIGMA_CONSTANT, ROBUST = 0.1, 6.0
# A constant outside this range indicates an error in the data, not a preference.
PLAUSIBLE = (0.7, 1.4)
# Stated shares of at least the first value are reported if the group differs by more than the second.
_SEEN, _MISSED = 0.02, 0.02
# Limits of the standard deviation of the log-odds of a stated share, whatever its range.
_SIGMA_SHARE = (0.1, 0.8)
# Bound on the distance of ln A from the stated share. A group of which few pairs have a family may not reach
# its stated share; without a bound those few pairs would have to carry all of it.
_FAR = 1.5
# Relative change of the numbers at which the first round of the fit stops, and the last.
_ROUGH, _EXACT = 1e-4, 1e-12
# Slope of the squares that counts as zero: a smaller one is lost in the rounding of the sum.
_FLAT = 5e-6


@dataclass(frozen=True)
class Count:
    """One observed figure and the model's.

    name: of what is counted; year, source: of the observation; observed, ours: in the unit. role: fitted,
    checked, predicted, ranked or input. share: whether the figure is a share.
    """

    name: str
    year: int
    unit: str
    observed: float
    ours: float
    role: str
    source: str
    share: bool = False

    @property
    def residual(self) -> float | None:
        """ours / observed - 1; None where there is no observation."""
        return self.ours / self.observed - 1.0 if self.observed else None

    def as_json(self) -> dict[str, Any]:
        """The count as plain values, as `--json` prints it."""
        return {**vars(self), "residual": self.residual}


class Fit:
    """The counts of a base as functions of ln b of the constants and ln A of the fitted weights."""

    def __init__(self, base: SolvedBase) -> None:
        self.base = base
        self.world, self.routes, self.classes = base.world, base.common.routes, base.classes
        self.observed = Observed(base)
        self.rows: Sequence[Observation] = self.observed.rows
        self.demand = base.results.demand_teu
        self.plain = replace(base.results.choice.weights, log_constant=None)
        self.opened = base.choice.family_cost[0, 0] > 0.0
        self._stated()
        self.names = [*CONSTANTS, *(f"odds:{self._label(cell)}" for cell in self.cells)]
        # Which constant is of which kind of goods [constant, kind].
        self.of_kind = np.array([[kind == name for name in KINDS] for kind, _ in CONSTANTS.values()], float)
        self._at: FloatArray | None = None
        self.log_weight: FloatArray = np.log(np.maximum(self.stated, 1e-12))

    # -- what is stated ------------------------------------------------------------------------------

    def _label(self, cell: Cell3) -> str:
        kind, group, family = cell
        return f"{KINDS[kind]}:{self.classes.groups[group]}:{FAMILIES[family]}"

    def _stated(self) -> None:
        """Stated shares with their ranges, and the weights that are fitted."""
        groups = self.classes.groups
        shape = len(KINDS), len(groups), len(FAMILIES)
        self.stated, self.low, self.high = np.zeros(shape), np.zeros(shape), np.ones(shape)
        self.cells: list[Cell3] = []
        for row in self.world.network["family_shares"]:
            cell = (
                KINDS.index(str(row["kind"])),
                groups.index(str(row["pair_group"])),
                FAMILIES.index(str(row["family"])),
            )
            stated = row["share"] if row["stated"] is None else row["stated"]
            self.stated[cell] = float(stated or 0.0)
            self.low[cell] = float(row["low"] if row["low"] is not None else stated or 0.0)
            self.high[cell] = float(row["high"] if row["high"] is not None else stated or 0.0)
            if row["fit"]:
                self.cells.append(cell)
        self.cells.sort()
        # The shares of all families of a group with a fitted weight are observations.
        moved = {cell[:2] for cell in self.cells}
        self.stated_cells = [
            (kind, group, family)
            for kind, group in sorted(moved)
            for family in range(len(FAMILIES))
            if 0.0 < self.stated[kind, group, family] < 1.0
        ]

    def _width(self, cell: Cell3) -> float:
        """Standard deviation of the log-odds of a stated share; the largest where no range is given."""
        if not self.low[cell] < self.high[cell]:
            return _SIGMA_SHARE[1]
        low, high = (min(max(float(a[cell]), 1e-6), 1.0 - 1e-6) for a in (self.low, self.high))
        return float(np.clip((_logit(high) - _logit(low)) / RANGE, *_SIGMA_SHARE))

    # -- one pass over the routes --------------------------------------------------------------------

    @cached_property
    def passes(self) -> FloatArray:
        """How often each route passes the gateways of each constant [route, constant]."""
        graph, columns = self.base.graph, []
        for _, name in CONSTANTS.values():
            passes = np.zeros((graph.n_arcs, 1))
            j = graph.gateways.index(name)
            passes[graph.govern_arc[(graph.govern_gateway == j) & graph.govern_counted]] = 1.0
            columns.append((self.routes.over_arcs(passes)[:, 0] > 0.0).astype(float))
        return np.stack(columns, axis=1)

    def renew(self, x: FloatArray) -> None:
        """Update the ratios r and the weights of the stated shares at the constants in x [number]."""
        routes, pair = self.routes, self.routes.group_pair
        b = np.array(x[: len(CONSTANTS)])
        self._pass(b)
        cost = cost_by_kind(self.classes, pair, self._cost)
        self.plain_weight = weights_of_families(routes, self.classes, cost, self.opened)
        self.log_weight = self._proportional()
        # A family without a route in the whole group is left out.
        self.reached = found = self._of_groups(self._shares(np.exp(self.log_weight)))
        self.held = [cell for cell in self.stated_cells if 0.0 < found[cell] < 1.0]
        self.sigma_held = np.array([self._width(cell) for cell in self.held])

    def _pass(self, b: FloatArray) -> None:
        """Loads of routes if their family had all traffic of the pair, and slopes in ln b.

        Only families with a route past one of the constants are computed again.
        """
        if self._at is not None and np.array_equal(b, self._at):
            return
        routes, n_groups = self.routes, len(self.routes.group_pair)
        if self._at is None:
            self._empty()
            self._fill(self.plain, np.arange(routes.n_routes), np.arange(n_groups), slopes=False)
        self._at = np.array(b)
        rows, groups = self._touched
        self._load[rows] = 0.0
        for turn in self._turn:
            turn[rows] = 0.0
        constant = self.passes[rows] @ (b[:, None] * self.of_kind)
        self._fill(replace(self._part, log_constant=constant), rows, groups, slopes=True)

    def _empty(self) -> None:
        routes = self.routes
        self._load = np.zeros((routes.n_routes, len(UNITS)))
        self._turn = [np.zeros((routes.n_routes, len(UNITS))) for _ in CONSTANTS]
        self._cost = np.zeros((len(self.classes.sectors), 2, len(routes.group_pair)))

    @cached_property
    def _touched(self) -> tuple[LongArray, LongArray]:
        """Routes and groups of the families with a route past one of the constants."""
        start = self.routes.group_start[:-1]
        mine = np.logical_or.reduceat(self.passes.any(axis=1), start)
        return np.flatnonzero(mine[self.routes.group_of_route]), np.flatnonzero(mine)

    @cached_property
    def _part(self) -> Weights:
        return self.plain.take(self._touched[1])

    def _fill(self, weights: Weights, rows: LongArray, groups: LongArray, *, slopes: bool) -> None:
        """Loads, slopes and costs of some routes and groups, given by their numbers."""
        classes = self.classes
        value, per_unit = np.ascontiguousarray(classes.usd_per_teu.T), self._per_teu()
        for piece in weights.pieces():
            block, p = piece.block, piece.product
            of = groups[block.groups]
            pair = self.routes.group_pair[of]
            beta = classes.block_share[:, pair].T
            teu = (self.demand[pair] * (beta if p == BLOCK else 1.0 - beta))[block.group]
            inner = block.inner(piece.weight)
            self._cost[:, p, of] = (block.add @ (inner.share * piece.cost)).T
            worth, at = value[pair][block.group], rows[block.routes]
            parts = [(self._load, inner.share)]
            for k, out in enumerate(self._turn if slopes else ()):
                of_sector = self.of_kind[k][classes.kind]
                parts.append((out, inner.turn(classes.phi * self.passes[at, k, None] * of_sector)))
            for out, shares in parts:
                on = shares * teu
                for unit, per in enumerate(per_unit):
                    if unit or p == BLOCK:
                        out[at, unit] += (on * worth if unit in (USD_CONTAINER, USD_BULK) else on) @ per

    def _per_teu(self) -> FloatArray:
        """Amount of each unit in a TEU of each sector [unit, sector]."""
        boxes = self.classes.in_containers.astype(float)
        tonnes = self.classes.payload_t_per_teu
        return np.stack([boxes, boxes, boxes * tonnes, (1 - boxes) * tonnes, boxes, 1 - boxes])

    # -- shares of families --------------------------------------------------------------------------

    def _weight(self, x: FloatArray) -> FloatArray:
        """A [kind, group of pairs, family]."""
        moved = self.log_weight.copy()
        for cell, by in zip(self.cells, x[len(CONSTANTS) :], strict=True):
            moved[cell] += by
        return np.exp(moved)

    def _shares(self, weight: FloatArray) -> FloatArray:
        """Base shares [kind, group] under weights A [kind, group of pairs, family]."""
        routes = self.routes
        pair, n = routes.group_pair, routes.n_pairs
        part = weight[:, self.classes.group[pair], routes.group_family] * self.plain_weight
        total = np.stack([np.bincount(pair, weights=one, minlength=n) for one in part])
        return np.asarray(part / np.where(total > 0.0, total, 1.0)[:, pair])

    def _volume(self) -> FloatArray:
        """TEU in containers and t in bulk of every pair [kind, pair]."""
        per = self._per_teu()
        return np.stack([self.demand @ per[1], self.demand @ per[3]])

    def _of_groups(self, share: FloatArray) -> FloatArray:
        """Shares of the families in whole groups [kind, group of pairs, family]."""
        routes, shape = self.routes, self.stated.shape[1:]
        pair = routes.group_pair
        code = self.classes.group[pair] * shape[1] + routes.group_family
        volume = self._volume()[:, pair] * share
        total = np.stack([np.bincount(code, weights=v, minlength=shape[0] * shape[1]) for v in volume])
        out = total.reshape(self.stated.shape)
        whole = out.sum(axis=2, keepdims=True)
        return np.asarray(out / np.where(whole > 0.0, whole, 1.0))

    def _proportional(self) -> FloatArray:
        """ln A by proportional fitting, at which the shares of the groups are those stated."""
        stated = np.maximum(self.stated, 1e-12)
        # Always from the stated shares: at a bound the end depends on the start.
        log = np.log(stated)
        for _ in range(500):
            found = self._of_groups(self._shares(np.exp(log)))
            step = np.where(found > 0.0, np.log(stated / np.where(found > 0.0, found, 1.0)), 0.0)
            new = np.clip(log + step, np.log(stated) - _FAR, np.log(stated) + _FAR)
            moved = np.abs(new - log).max()
            log = new
            if moved < 1e-11:
                break
        return np.asarray(log)

    # -- counts --------------------------------------------------------------------------------------

    def sums(self, x: FloatArray, *, slopes: bool = True) -> tuple[FloatArray, FloatArray]:
        """Sums of the observations [form] at x [number], and slopes [form, number], else zeros."""
        self._pass(x[: len(CONSTANTS)])
        share = self._shares(self._weight(x))
        found = self._carried(share)
        group, unit = self.routes.group_of_route, self.observed.unit
        of_unit = share[KIND_OF_UNIT][:, group].T
        marks = self.observed.marks
        forms = np.arange(len(unit))
        slope = np.zeros((len(unit), len(x)))
        if not slopes:
            return found, slope
        for k, turn in enumerate(self._turn):
            slope[:, k] = (marks @ (turn * of_unit))[forms, unit]
        # By group of routes, so that a weight costs a few products.
        n_groups = len(self.routes.group_pair)
        to_groups = csr_matrix(
            (np.ones(len(group)), (np.arange(len(group)), group)), shape=(len(group), n_groups)
        )
        for u in range(len(UNITS)):
            mine = np.flatnonzero(unit == u)
            if not len(mine):
                continue
            by_group = csr_matrix(marks[mine].multiply(self._load[:, u])) @ to_groups
            for k, cell in enumerate(self.cells, len(CONSTANTS)):
                if cell[0] == KIND_OF_UNIT[u]:
                    slope[mine, k] = by_group @ self._turned(share[cell[0]], cell)
        return found, slope

    def _carried(self, share: FloatArray) -> FloatArray:
        """Sums of the observations [form] at shares [kind, group] of the families."""
        unit = self.observed.unit
        of_unit = share[KIND_OF_UNIT][:, self.routes.group_of_route].T
        return np.asarray((self.observed.marks @ (self._load * of_unit))[np.arange(len(unit)), unit])

    def _turned(self, share: FloatArray, cell: Cell3) -> FloatArray:
        """ds / d ln A of one weight [group]."""
        routes = self.routes
        pair = routes.group_pair
        mine = (self.classes.group[pair] == cell[1]) & (routes.group_family == cell[2])
        own = np.bincount(pair[mine], weights=share[mine], minlength=routes.n_pairs)
        return np.asarray(share * (mine - own[pair]))

    def values(self, x: FloatArray, *, slopes: bool = True) -> tuple[FloatArray, FloatArray]:
        """Value of every observation [row] in the model at x [number]; slopes [row, number], else zeros."""
        sums, slope = self.sums(x, slopes=slopes)
        value, rate = np.empty(len(self.rows)), np.zeros((len(self.rows), len(x)))
        for n, row in enumerate(self.rows):
            at = list(row.forms)
            value[n] = row.value(sums[at])
            if slopes:
                rate[n] = row.slope(sums[at]) @ slope[at]
        return value, rate

    def residuals(self, x: FloatArray, rows: BoolArray) -> FloatArray:
        """Residuals of the flagged rows at x [number], in their sigma [row]."""
        value, _ = self.values(x, slopes=False)
        some = [(row, v) for row, v, mine in zip(self.rows, value, rows, strict=True) if mine]
        return np.array([(row.scaled(v) - row.scaled(row.observed)) / row.sigma for row, v in some])

    def jacobian(self, x: FloatArray, rows: BoolArray) -> FloatArray:
        """Slopes [row, number] of `residuals` at x [number]; rows [row]: flags."""
        value, rate = self.values(x)
        some = [n for n, mine in enumerate(rows) if mine]
        out = [rate[n] * self.rows[n].scaled_slope(value[n]) / self.rows[n].sigma for n in some]
        return np.array(out).reshape(len(some), len(x))

    def prior(self, x: FloatArray) -> FloatArray:
        """Residuals of stated values at x [number]: shares that groups can reach, and constants near one."""
        share = self._shares(self._weight(x))
        found = self._of_groups(share)
        held = [
            (_logit(float(found[cell])) - _logit(float(self.reached[cell]))) / sigma
            for cell, sigma in zip(self.held, self.sigma_held, strict=True)
        ]
        return np.array([*held, *(x[: len(CONSTANTS)] / SIGMA_CONSTANT)])

    def prior_jacobian(self, x: FloatArray) -> FloatArray:
        """Slopes [row, number] of `prior` at x [number]."""
        share = self._shares(self._weight(x))
        found = self._of_groups(share)
        n = len(CONSTANTS)
        out = np.zeros((len(self.held) + n, len(x)))
        volume, pair = self._volume(), self.routes.group_pair
        for k, cell in enumerate(self.cells, n):
            moved = volume[cell[0]][pair] * self._turned(share[cell[0]], cell)
            whole = float(volume[cell[0]][self.classes.group == cell[1]].sum())
            for row, (kind, group, family) in enumerate(self.held):
                if (kind, group) == cell[:2]:
                    here = (self.classes.group[pair] == group) & (self.routes.group_family == family)
                    value = float(found[kind, group, family])
                    change = float(moved[here].sum()) / whole
                    out[row, k] = change / (value * (1.0 - value)) / self.sigma_held[row]
        out[len(self.held) :, :n] = np.eye(n) / SIGMA_CONSTANT
        return out

    def solve(self, rows: BoolArray, start: FloatArray | None = None) -> tuple[FloatArray, Any]:
        """The least squares on the flagged rows; the ratios are updated until they are constant.

        rows [row]: flags; start [number]: where to begin. Returns the numbers and the result of scipy. Raises
        ConvergenceError where it does not converge.
        """
        from scipy.optimize import least_squares

        x = np.zeros(len(self.names)) if start is None else start
        for number in range(12):
            self.renew(x)
            # A round may stop early while the ratios are updated; the next is a hundred times as accurate.
            within = max(_ROUGH * 0.01**number, _EXACT) if start is None else _EXACT

            def residual(at: FloatArray) -> FloatArray:
                return np.concatenate([self.residuals(at, rows), self.prior(at)])

            def jacobian(at: FloatArray) -> FloatArray:
                return np.concatenate([self.jacobian(at, rows), self.prior_jacobian(at)])

            found = least_squares(
                residual,
                x,
                jacobian,
                loss="cauchy",
                f_scale=ROBUST,
                xtol=within,
                ftol=max(within**1.5, 1e-14),
                gtol=1e-9 if start is None else _FLAT,
                max_nfev=80,
            )
            if not found.success:
                raise ConvergenceError(f"the calibration did not converge: {found.message}")
            moved = np.abs(found.x - x).max()
            x = np.asarray(found.x)
            if within == _EXACT and moved < (1e-8 if start is None else 1e-7):
                return x, found
        raise ConvergenceError(f"the calibration did not converge: numbers still change by {moved:.1e}")

    # -- reports ------------------------------------------------------------------------------------

    def named(self, x: FloatArray) -> dict[str, float]:
        """The fitted numbers by name: constants b, and ln A over that of the stated shares; x [number]."""
        n = len(CONSTANTS)
        out = {name: float(np.exp(v)) for name, v in zip(CONSTANTS, x, strict=False)}
        return out | {name: float(v) for name, v in zip(self.names[n:], x[n:], strict=True)}

    def at_shipped(self) -> FloatArray:
        """The World's own numbers in the form of the search [number]: logs of constants, then the odds."""
        n = len(CONSTANTS)
        x = np.zeros(len(self.names))
        held = self.shipped()
        x[:n] = np.log([held[name] for name in CONSTANTS])
        # The odds are relative to weights that belong to these constants.
        self.renew(x)
        held = self.shipped()
        x[n:] = [held[name] for name in self.names[n:]]
        return x

    def shipped(self) -> dict[str, float]:
        """The World's own numbers by name."""
        gateways = self.world.network["gateways"].by("gateway_id")
        out = {}
        for name, (kind, gateway) in CONSTANTS.items():
            out[name] = constants_of(gateways[gateway])[KINDS.index(kind)]
        weight = np.log(np.maximum(self.classes.family_weight, 1e-300))
        moved = weight - self.log_weight
        # The level of a group's weights is free: it is taken from a family that is not fitted.
        for cell in self.cells:
            rest = [f for f in range(len(FAMILIES)) if (*cell[:2], f) not in self.cells]
            level = float(np.median(moved[cell[0], cell[1], rest])) if rest else 0.0
            out[f"odds:{self._label(cell)}"] = float(moved[cell]) - level
        return out

    def in_force(self) -> list[Count]:
        """Every observation and the model's value, with the shares and constants of the World."""
        routes = self.routes
        self._empty()
        every = np.arange(routes.n_routes), np.arange(len(routes.group_pair))
        self._fill(self.base.results.choice.weights, *every, slopes=False)
        self._at = None
        return self._counts(self._carried(self.base.choice.family_share))

    def tables(
        self, x: FloatArray
    ) -> tuple[dict[str, float], dict[str, float], dict[str, tuple[float, float, float]]]:
        """Weights, shares of groups, and stated shares with their range, by KIND:GROUP:FAMILY; x [number]."""
        weight = self._weight(x)
        share = self._of_groups(self._shares(weight))
        empty = ~(share.sum(axis=2, keepdims=True) > 0.0)
        share = np.where(empty, self.stated, share)
        names = {self._label(cell): cell for cell in np.ndindex(weight.shape)}
        return (
            {name: float(weight[cell]) for name, cell in names.items()},
            {name: float(share[cell]) for name, cell in names.items()},
            {n: (float(self.stated[c]), float(self.low[c]), float(self.high[c])) for n, c in names.items()},
        )

    def counts(self, x: FloatArray) -> list[Count]:
        """Every observation and the model's value at x [number]."""
        return self._counts(self.sums(x, slopes=False)[0])

    def _counts(self, sums: FloatArray) -> list[Count]:
        return [
            Count(r.name, r.year, r.unit, r.observed, r.value(sums[list(r.forms)]), r.role, r.source, r.share)
            for r in self.rows
        ]

    def later(self, x: FloatArray, by_sea: tuple[float, str] = (1.0, "")) -> list[Count]:
        """The two ports in 2024, at the trade of that year and with the events at sea.

        x [number]; by_sea: trains with that event over trains without it, and its name.
        """
        two = "+".join(TWO_PORTS)
        row = next(
            (
                r
                for r in self.world.network["validation_counts"]
                if (r["gateway_id"], r["year"], r["unit"]) == (two, 2024, "trains/year")
            ),
            None,
        )
        now = [n for n, r in enumerate(self.rows) if r.fold == two and r.unit == "trains/year"]
        if row is None or not now:
            return []
        demand, at = self.demand, self._at
        self.demand, self._at = demand * self._growth()[:, None], None
        value, _ = self.values(x, slopes=False)
        self.demand, self._at = demand, None
        assert at is not None
        self._pass(at)
        given = f"growth of trade and {by_sea[1]}" if by_sea[1] else "growth of trade"
        name = f"{row['metric']} ({two}; {given})"
        observed, ours = float(row["value"] or 0.0), float(value[now[0]]) * by_sea[0]
        return [Count(name, 2024, "trains/year", observed, ours, "predicted", str(row["source"]))]

    def _growth(self) -> FloatArray:
        """Demand of 2024 over 2023 by pair: published totals of China's trade, 1 where there is none."""
        totals: dict[str, dict[int, float]] = {}
        for row in self.world.network["validation_trade"]:
            totals.setdefault(str(row["region"]), {})[int(row["year"] or 0)] = float(row["value"] or 0.0)
        regions = self.world.trade.regions
        china = regions.index("CHN")
        growth = np.ones((len(regions), len(regions)))
        for region, years in totals.items():
            if region in regions and 2023 in years and 2024 in years:
                at = regions.index(region)
                growth[china, at] = growth[at, china] = years[2024] / years[2023]
        pair = self.base.freight.pair_of_regions
        return np.where(pair >= 0, growth.ravel()[np.maximum(pair, 0)], 1.0)

    def notes(self, x: FloatArray) -> list[str]:
        """Remarks that users of the numbers need; x [number]."""
        out = []
        for name, value in self.named(x).items():
            if name in CONSTANTS and not PLAUSIBLE[0] <= value <= PLAUSIBLE[1]:
                out.append(f"{name} = {value:.2f} lies outside {PLAUSIBLE[0]}-{PLAUSIBLE[1]}: a data fault")
        _, shares, stated = self.tables(x)
        for cell in self.cells:
            name = self._label(cell)
            _, low, high = stated[name]
            if not low <= shares[name] <= high:
                what = f"the share {name.replace(':', ', ')} = {shares[name]:.4f}"
                out.append(f"{what} lies outside its stated range {low:g}-{high:g}")
        moved = {self._label(cell).rsplit(":", 1)[0] for cell in self.cells}
        missed = [
            f"{name.replace(':', ', ')} {shares[name]:.3f} instead of {value:.3f}"
            for name, (value, _, _) in stated.items()
            if value >= _SEEN and abs(shares[name] - value) > _MISSED and name.rsplit(":", 1)[0] not in moved
        ]
        if missed:
            out.append(f"stated shares that a group cannot reach: {'; '.join(missed)}")
        return out


def _logit(share: float) -> float:
    share = min(max(share, 1e-12), 1.0 - 1e-12)
    return float(np.log(share / (1.0 - share)))
