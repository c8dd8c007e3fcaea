"""The search for an equilibrium: methods in order, stopping rules, and messages for failures.

A table is first brought to the equilibrium without shock (`rebase`). A shock is then solved by Anderson
mixing of two-level steps; if these diverge, of plain passes; if that stalls, by Newton-Krylov; and if that
fails, along a path from the base to the shock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, InfeasibleError
from landbridge.trade import coarse
from landbridge.trade.economy import Array, Base, Closure, Economy, Point, Shock
from landbridge.trade.fixed_point import Search, anderson, newton_krylov
from landbridge.trade.wage_newton import applies, newton
from landbridge.world.trade_table import TradeTable

__all__ = ["Rebased", "SearchError", "find", "hardly_trades", "no_home_sales", "prepare", "rebase"]

log = logging.getLogger("landbridge")

# A base that clears to this residual is not solved again, however loose the tolerance.
CLEARS = 1e-12
# Residual of the rebase, so that derivatives and tight solves start from an accurate base.
REBASE_TOLERANCE = 1e-13
# The path to a hard shock ends when its steps get shorter than this share of it.
SHORTEST_STEP = 2e-3
# Below this share of base income a region is close to being unable to pay a fixed transfer.
EXHAUSTED = 0.5
# A region that earns less than this share of its value added abroad gets a warning.
NO_TRADE = 1e-6
# A log wage that changed by more than this is checked again.
FAR = 3.0


@dataclass(frozen=True)
class Rebased:
    """A table that clears under a closure (None: the given one), and the evaluations it took.

    change: largest change of wages, prices and sales, a fraction; residual: norm; iterations: evaluations.
    """

    table: TradeTable | None
    change: float
    residual: float
    iterations: int


class SearchError(Exception):
    """Carries the error to raise or report, and the residual at which the search gave up.

    evaluations: made until then.
    """

    def __init__(
        self, error: ConvergenceError | InfeasibleError, residual: float = 1.0, evaluations: int = 0
    ) -> None:
        self.error, self.evaluations = error, evaluations
        # Where the equations could not even be evaluated the residual is one.
        self.residual = residual if np.isfinite(residual) else 1.0


_bases: WeakKeyDictionary[TradeTable, Base] = WeakKeyDictionary()
_rebases: WeakKeyDictionary[TradeTable, dict[tuple[Closure, float], Rebased]] = WeakKeyDictionary()


def find(
    base: Base,
    shock: Shock,
    closure: Closure,
    tol: float,
    first: Array | None,
    supply_elasticity: float = 0.0,
) -> tuple[Economy, Search, str]:
    """Search by Anderson, then Newton-Krylov, then along a path from the base.

    supply_elasticity: as in `landbridge.trade.solve`.
    base: table in the layout of the solver; shock: the changes; closure: of the balance of trade; tol: norm
    of the residual; first [u]: start, or None.
    Returns the economy, the end of the search and a message. Raises SearchError where all of them fail.
    Equations: `landbridge.trade.economy`; methods: `landbridge.trade.fixed_point`.
    """
    economy = Economy(base, shock, closure, supply_elasticity)
    _reachable(economy)
    found, how = _attempt(economy, economy.start() if first is None else first, tol)
    if not found.converged and first is not None:
        again, how = _attempt(economy, economy.start(), tol)
        found = replace(again, evaluations=again.evaluations + found.evaluations)
    if found.converged:
        _escaped(economy, found)
        return economy, found, how
    walked, reached, lowest = _walk(economy, tol)
    spent = found.evaluations + walked.evaluations
    if walked.converged:
        _escaped(economy, walked)
        return economy, replace(walked, evaluations=spent), "converged by walking to the shock"
    if reached < 1.0 and lowest[1] < EXHAUSTED and np.abs(economy.constant).max() > 0:
        error: ConvergenceError | InfeasibleError = InfeasibleError(
            _cannot_ship(base, economy, lowest[0], reached)
        )
    else:
        error = (
            _overlent(base, closure)
            or _one_way(economy)
            or ConvergenceError(
                f"the equilibrium was not found: residual {found.residual:.1e} is above {tol:.1e} after "
                f"{spent} evaluations; loosen tol, take a smaller shock or another closure"
            )
        )
    raise SearchError(error, found.residual, spent)


def _attempt(
    economy: Economy, u: Array, tol: float, most: int = 150, two_level: bool = True
) -> tuple[Search, str]:
    def residual(v: Array) -> tuple[Array, bool]:
        point = economy.at(v)
        return point.f, point.valid

    def linearise(v: Array) -> Callable[[Array], Array]:
        point = economy.at(v)
        return lambda dv: economy.push(point, dv).u

    spent = 0
    if applies(economy):
        quick = newton(economy, u, tol)
        if quick.converged:
            return quick, "converged"
        spent = quick.evaluations
    found = Search(u, np.inf, 0, False)
    if two_level and coarse.applies(economy.base):
        found = anderson(residual, u, lambda f: coarse.of_base(economy).towards(f), tol, most, 5, 10)
        spent += found.evaluations
    if not found.converged:  # two-level steps diverge, or there are none
        found = anderson(residual, u, economy.base.scale, tol, most)
        spent += found.evaluations
    found = replace(found, evaluations=spent)
    if found.converged:
        return found, "converged"
    if not np.isfinite(found.residual):
        return found, "not converged"
    log.debug("Anderson stopped at %.1e, Newton-Krylov goes on", found.residual)
    finished = newton_krylov(residual, linearise, found.u, economy.base.scale, tol)
    finished = replace(finished, evaluations=finished.evaluations + found.evaluations)
    return finished, "converged, finished by Newton-Krylov" if finished.converged else "not converged"


def _walk(goal: Economy, tol: float) -> tuple[Search, float, tuple[int, float]]:
    """Follow the equilibrium from the base to the shock; returns end, share reached and poorest region.

    Without a shock the path removes, step by step, the imbalance of the base.
    """
    base, shock, psi = goal.base, goal.shock, goal.supply_elasticity
    done, step, spent = 0.0, 0.25, 0
    u = last = np.zeros(base.size)
    slope = np.zeros(base.size)
    lowest = (0, 1.0)
    found = Search(u, np.inf, 0, False)
    while done < 1.0 and step >= SHORTEST_STEP:
        share = min(1.0, done + step)
        economy = Economy(base, shock if share == 1.0 else shock.part(base, share), goal.closure, psi)
        if shock.empty and share < 1.0:
            economy.hold(1.0 - share)
        aim = tol if share == 1.0 else max(tol, 1e-9)
        tried, _ = _attempt(economy, u + (share - done) * slope, aim, 80, two_level=False)
        spent += tried.evaluations
        if not tried.converged:
            step = 0.5 * (share - done)
            continue
        last, u = u, tried.u
        slope = (u - last) / (share - done)
        done, step = share, 1.5 * step
        incomes = economy.evaluate(u).income / base.income
        lowest = (int(incomes.argmin()), float(incomes.min()))
        found = tried
    return replace(found, evaluations=spent, converged=done >= 1.0 and found.converged), done, lowest


def _reachable(economy: Economy) -> None:
    """Raise where a demand has no source left, or a region cut off from the others has a transfer to ship."""
    base = economy.base
    if economy.cut_off.any():
        s, n = np.argwhere(economy.cut_off)[0]
        raise SearchError(
            InfeasibleError(
                f"the shock closes every source of {base.sectors[s]} for {base.regions[n]}; "
                "leave one open or give it a finite cost"
            )
        )
    cost = economy.shock.ln_cost
    if cost is None or not np.isposinf(cost).any():
        return
    count, group = _groups(np.asarray((economy.K > 0).any(axis=0)), one_way=False)
    owed = np.bincount(group, weights=economy.constant, minlength=count)
    for k in np.flatnonzero(np.abs(owed) > 1e-9 * base.world):
        cut = ", ".join(np.array(base.regions)[group == k])
        raise SearchError(
            InfeasibleError(
                f"a fixed transfer cannot be shipped: {cut} no longer trades with the rest but has a deficit "
                f"of {owed[k]:,.0f} musd; use deficits='zero', or a finite cost"
            )
        )


def hardly_trades(economy: Economy, point: Point) -> str:
    """A warning, or blank, where a region trades so little that its wage is hardly tied to the others.

    economy: with its shock; point: the solved one. Returns words to add to a message.
    """
    open_ = economy.openness(point)
    n = int(open_.argmin())
    if open_[n] > NO_TRADE or len(open_) == 1:
        return ""
    return (
        f"; {economy.base.regions[n]} hardly trades any more, so its wage and prices relative to the others "
        "are uncertain (its real income is not)"
    )


def no_home_sales(base: Base) -> str:
    """A warning where the data have no domestic sales, against which gains from trade are measured.

    base: the table, in the layout of the solver. Returns words to add to a message, blank where all have
    some.
    """
    if not base.homeless:
        return ""
    return (
        f"; {', '.join(base.homeless)}: no domestic sales (zero or floored in the data), so the gain from "
        "trade there is not informative"
    )


def _groups(trades: NDArray[np.bool_], one_way: bool) -> tuple[int, NDArray[np.int32]]:
    """Groups of regions that trade with each other; one_way: one-way trade does not connect."""
    from scipy.sparse.csgraph import connected_components  # slow to load, and rarely needed

    count, group = connected_components(trades, directed=one_way, connection="strong" if one_way else "weak")
    return int(count), group


def _one_way(economy: Economy) -> InfeasibleError | None:
    """The reason where a search without transfers failed because some regions buy but sell nothing."""
    if economy.constant.any() or economy.closure == "proportional":
        return None
    sells = np.asarray((economy.K > 0).any(axis=0)).T  # [origin, destination]
    count, group = _groups(sells, one_way=True)
    for k in range(count):
        inside = group == k
        if sells[~inside][:, inside].any() and not sells[inside][:, ~inside].any():
            names = ", ".join(np.array(economy.base.regions)[inside])
            return InfeasibleError(
                f"{names} buys from others and sells nothing to them, so its deficit cannot be zero; "
                "use deficits='fixed' or correct its trade"
            )
    return None


def _escaped(economy: Economy, found: Search) -> None:
    """Reject solutions in which a wage tends to zero, which ends the deficit of regions that sell nothing."""
    if float(np.abs(economy.split(found.u)[2]).max()) < FAR:
        return
    error = _one_way(economy)
    if error is not None:
        raise SearchError(error, found.residual, found.evaluations)


def _cannot_ship(base: Base, economy: Economy, n: int, reached: float) -> str:
    return (
        f"a fixed transfer cannot be shipped: {base.regions[n]} has to pass on "
        f"{-economy.constant[n]:,.0f} musd and its income runs out at {reached:.0%} of the shock; "
        "use deficits='proportional' or 'zero', or a smaller shock"
    )


def _overlent(base: Base, closure: Closure) -> InfeasibleError | None:
    """An explanation where a search failed because a region lends more than it earns."""
    earned = base.wL + base.rents
    spent = {"fixed": base.income, "proportional": earned + base.D, "zero": earned}[closure]
    n = int(spent.argmin())
    if spent[n] > 0:
        return None
    return InfeasibleError(
        f"a fixed transfer cannot be shipped: {base.regions[n]} has a surplus of {-base.D[n]:,.0f} musd on a "
        f"value added of {earned[n]:,.0f} musd; use deficits='zero' or correct its trade"
    )


# ---- the base --------------------------------------------------------------------------------------


def prepare(table: TradeTable) -> Base:
    """The table in the layout of the solver, made once and kept while the table lives.

    table: the benchmark. Returns a Base.
    """
    found = _bases.get(table)
    if found is None:
        found = _bases[table] = Base(table)
    return found


def rebase(table: TradeTable, closure: Closure, tol: float, supply_elasticity: float = 0.0) -> Rebased:
    """The no-shock equilibrium of a table under the closure, stored for further shocks.

    table: the benchmark; closure: of the balance of trade; tol: norm of the residual; supply_elasticity: psi
    of `solve`. Returns a Rebased. Raises SearchError where it is not found. Equations:
    `landbridge.trade.economy`.
    """
    kept = _rebases.setdefault(table, {})
    key = (closure, supply_elasticity)
    if key in kept and kept[key].residual <= max(tol, REBASE_TOLERANCE):
        return kept[key]
    base = prepare(table)
    economy = Economy(base, Shock(), closure, supply_elasticity)
    gap = economy.evaluate(economy.start()).f
    if float(np.linalg.norm(gap)) <= min(CLEARS, tol):
        # A value that refers to its own key would never be released.
        kept[key] = Rebased(None, float(np.abs(gap).max()), float(np.linalg.norm(gap)), 0)
        return kept[key]
    _, found, _ = find(base, Shock(), closure, tol, None, supply_elasticity)
    if found.residual > REBASE_TOLERANCE:
        finer, _ = _attempt(economy, found.u, REBASE_TOLERANCE)
        evaluations = finer.evaluations + found.evaluations
        found = replace(finer if finer.residual < found.residual else found, evaluations=evaluations)
    point = economy.evaluate(found.u)
    p, _, w = economy.split(found.u)
    # Sectors that hardly exist are compared with a millionth of their region's sales.
    sales = (point.Y - base.Y) / np.maximum(base.Y, 1e-6 * base.Y.sum(axis=0))
    change = max(float(np.abs(v).max()) for v in (np.expm1(w), np.expm1(p), sales))
    cleared = replace(table, trade=economy.flows(point).transpose(2, 1, 0))
    kept[key] = Rebased(cleared, change, found.residual, found.evaluations)
    return kept[key]
