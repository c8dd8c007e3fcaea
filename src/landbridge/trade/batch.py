"""Many scenarios of one table in one call.

Economies of one sector without inputs are solved together: each step multiplies the residuals of all
scenarios of a block by the factorised Jacobian of the base, so that the overhead of Python is paid once per
block. Scenarios that do not converge in this way, and every other economy, are solved one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landbridge.errors import DataError, Fault, LandbridgeError, Status
from landbridge.trade import wage_newton
from landbridge.trade.arguments import read_shock
from landbridge.trade.economy import LARGE_EXPONENT, Array, Closure, Economy
from landbridge.trade.equilibrium import Equilibrium, answer, solve
from landbridge.trade.fixed_point import LONGEST_STEP
from landbridge.trade.solver import FAR, NO_TRADE, no_home_sales, prepare
from landbridge.world.trade_table import TradeTable

__all__ = ["EquilibriumBatch", "solve_batch"]

# Scenarios per block: their kernels should stay in the processor's cache between steps.
BLOCK = 16
# Shared steps end after this many, or when one leaves more than this share of the residual; `solve` does the
# rest.
MOST = 40
GIVE_UP = 0.7
# Integer elasticities up to this one need no logarithm.
LARGEST_WHOLE = 16


@dataclass(frozen=True, eq=False, repr=False)
class EquilibriumBatch(Sequence[Equilibrium]):
    """The equilibria of many scenarios; `batch[i]` is the Equilibrium of scenario i, made on demand.

    base: the table of all scenarios; deficits: closure of the trade balance.
    real_income_hat, wage_hat [scenario, N]: ratios, NaN where a scenario did not converge; statuses: one
    each.
    """

    base: TradeTable
    deficits: Closure
    real_income_hat: Array
    wage_hat: Array
    statuses: tuple[Status, ...]
    _states: tuple[Array, ...] = field(repr=False)
    _shocks: dict[str, Array | None] = field(repr=False)
    _supply_elasticity: float = field(repr=False)
    _tol: float = field(repr=False)

    def __len__(self) -> int:
        return len(self.statuses)

    @property
    def status(self) -> Status:
        """The worst status of all scenarios."""
        return Status.worst(self.statuses)

    @overload
    def __getitem__(self, index: int) -> Equilibrium: ...
    @overload
    def __getitem__(self, index: slice) -> list[Equilibrium]: ...
    def __getitem__(self, index: int | slice) -> Equilibrium | list[Equilibrium]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        given: dict[str, Any] = {name: _pick(value, i) for name, value in self._shocks.items()}
        psi, closure = self._supply_elasticity, self.deficits
        if not self.statuses[i].converged:
            return solve(
                self.base, **given, deficits=closure, tol=self._tol, throw=False, supply_elasticity=psi
            )
        economy = Economy(prepare(self.base), read_shock(self.base, **given), closure, psi)
        u = self._states[i]
        with np.errstate(all="ignore"):
            if len(u) < economy.base.size:  # solved together with others: only the wages were kept
                u = wage_newton.state(economy, u)
            return answer(self.base, economy, u, economy.evaluate(u), self.statuses[i])

    def __iter__(self) -> Iterator[Equilibrium]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        solved = sum(status.converged for status in self.statuses)
        N, S = len(self.base.regions), len(self.base.sectors)
        return (
            f"EquilibriumBatch({solved} of {len(self)} scenarios solved, {N} regions x {S} sectors, "
            f"{self.deficits} deficits)"
        )


# Rank of an argument that holds one scenario in full; one axis more is a batch.
RANKS = {"cost_hat": 3, "tariff": 3, "productivity_hat": 2, "transfer": 1}


def _pick(value: Array | None, i: int) -> Array | None:
    """The argument of scenario i: its own slice, or the one that all share."""
    return None if value is None else np.asarray(value[i] if len(value) > 1 else value[0])


def solve_batch(
    table: TradeTable,
    cost_hat: ArrayLike | None = None,
    tariff: ArrayLike | None = None,
    productivity_hat: ArrayLike | None = None,
    deficits: Closure = "fixed",
    tol: float = 1e-10,
    throw: bool = True,
    *,
    transfer: ArrayLike | None = None,
    supply_elasticity: float = 0.0,
) -> EquilibriumBatch:
    """Solve many scenarios at once: arguments have a leading axis [scenario], or none where all share them.

    cost_hat [scenario, N, N, S] (origin, destination, sector): ratio; tariff [scenario, N, N, S]: fraction;
    productivity_hat [scenario, N, S]: ratio; transfer [scenario, N]: million USD. table, deficits, tol,
    supply_elasticity: as in `solve`. throw: the first scenario that fails raises its error, with its number;
    False: its row is NaN and its status states why, and the others are solved. Returns an EquilibriumBatch.
    Equations and sources: as of `solve`.
    Raises DataError where the numbers of scenarios differ, and whatever `solve` raises.
    """
    given = {"cost_hat": cost_hat, "tariff": tariff}
    given |= {"productivity_hat": productivity_hat, "transfer": transfer}
    shocks, B = _shocks(given)
    # Checks the arguments shared by all scenarios, and solves their common base.
    first = solve(table, deficits=deficits, tol=tol, supply_elasticity=supply_elasticity)
    base = first.base
    income, wages = np.full((B, len(base.regions)), np.nan), np.full((B, len(base.regions)), np.nan)
    states: list[Array] = [np.empty(0)] * B
    statuses: list[Status] = []
    together = _in_blocks(first._economy, shocks, B, tol)
    how = "converged" + no_home_sales(first._economy.base)
    for i in range(B):
        solved = together.get(i)
        if solved is not None:
            income[i], wages[i], states[i] = solved.real_income, np.exp(solved.w), solved.w
            statuses.append(Status(True, solved.residual, solved.evaluations, how, first.status.rebase))
            continue
        own: dict[str, Any] = {name: _pick(value, i) for name, value in shocks.items()}
        try:
            alone = solve(base, **own, deficits=deficits, tol=tol, supply_elasticity=supply_elasticity)
        except LandbridgeError as error:
            if throw:
                raise type(error)(f"scenario {i}: {error.message}", error.faults) from None
            statuses.append(Status(False, 1.0, 0, _in_one_line(error)))
            continue
        income[i], wages[i], states[i] = alone.real_income_hat, alone.wage_hat, alone._u
        statuses.append(replace(alone.status, rebase=first.status.rebase))
    for array in (income, wages):
        array.setflags(write=False)
    return EquilibriumBatch(
        base, deficits, income, wages, tuple(statuses), tuple(states), shocks, supply_elasticity, tol
    )


def _shocks(given: Mapping[str, ArrayLike | None]) -> tuple[dict[str, Array | None], int]:
    """The arguments with an axis of scenarios, of length one where shared, and the number of scenarios."""
    shocks: dict[str, Array | None] = {}
    counts: dict[str, int] = {}
    for name, value in given.items():
        array = None if value is None else np.asarray(value, dtype=np.float64)
        if array is not None and array.ndim == RANKS[name] + 1:
            counts[name] = len(array)
        elif array is not None:
            array = array[None]
        shocks[name] = array
    if len(set(counts.values())) != 1 or not min(counts.values()):
        shapes = ", ".join(f"{name} {a.shape[1:]}" for name, a in shocks.items() if a is not None)
        said = ", ".join(f"{name} has {count}" for name, count in counts.items())
        said = said or f"none has an axis for them ({shapes or 'none is given'})"
        fault = Fault("scenarios", said, "give cost_hat[scenario, origin, destination, sector]")
        raise DataError("the arguments do not hold one number of scenarios", [fault])
    return shocks, next(iter(counts.values()))


def _in_blocks(
    unshocked: Economy, shocks: dict[str, Array | None], count: int, tol: float
) -> dict[int, _Solved]:
    """The scenarios that can be solved together, in blocks; none where tariffs or transfers change."""
    taxed = (
        unshocked.base.tariff is not None or shocks["tariff"] is not None or shocks["transfer"] is not None
    )
    found: dict[int, _Solved] = {}
    if taxed or not wage_newton.applies(unshocked):
        return found
    for begin in range(0, count, BLOCK):
        with np.errstate(all="ignore"):
            found |= _together(unshocked, shocks, range(begin, min(begin + BLOCK, count)), tol)
    return found


def _in_one_line(error: LandbridgeError) -> str:
    return "; ".join([error.message, *map(str, error.faults)])


@dataclass(frozen=True)
class _Solved:
    w: Array
    real_income: Array
    residual: float
    evaluations: int


def _together(
    unshocked: Economy, shocks: dict[str, Array | None], rows: range, tol: float
) -> dict[int, _Solved]:
    """The scenarios of a block that converge with the Jacobian of the base; kernels are [scenario, o, d]."""
    base, psi = unshocked.base, unshocked.supply_elasticity
    theta, N, B = float(base.theta[0, 0]), base.N, len(rows)
    factors = wage_newton.of_base(unshocked)
    kernels = _kernels(shocks, rows, N, theta)
    if factors is None or kernels is None:
        return {}
    K, regular = kernels
    K *= np.ascontiguousarray(base.pi[0].T)
    w = np.zeros((B, N))
    norms, count = np.full(B, np.inf), np.zeros(B, dtype=int)
    live, best = regular.copy(), np.zeros((B, N))
    done = np.zeros(B, dtype=bool)
    wl = E = z = sums = np.empty(0)
    for _ in range(MOST):
        e = -theta * w
        shift = e.max(axis=1, keepdims=True)
        z = np.exp(e - shift)
        sums = np.matmul(z[:, None, :], K)[:, 0, :]
        level = (1.0 + psi) * w
        if psi:
            level += (psi / theta) * (np.log(sums) + shift)
        wl = base.wL * np.exp(level)
        E = wl + _deficits(unshocked, wl)
        Y = z * np.matmul(K, (E / sums)[:, :, None])[:, :, 0]
        H = np.log(Y / wl) - np.log(wl.sum(axis=1, keepdims=True) / base.world)
        norm = np.sqrt((H * H).sum(axis=1))
        count += live
        good = np.isfinite(norm) & (E.min(axis=1) > 0)
        done |= live & good & (norm <= 0.3 * tol)
        worse = live & ~done & ~(good & (norm < GIVE_UP * norms))
        norms = np.where(live, norm, norms)
        best[live] = w[live]
        live &= ~done & ~worse
        if not live.any():
            break
        w = np.where(live[:, None], w + np.clip(factors.step(H.T).T, -LONGEST_STEP, LONGEST_STEP), w)
    home = np.einsum("bnn->bn", K) * z * E / (sums * wl)
    ln_P = -(np.log(sums) + (-theta * w).max(axis=1, keepdims=True)) / theta
    # Cases that need a closer look or a warning are left to `solve`.
    plain = done & (np.abs(w).max(axis=1) < FAR) & ((1.0 - home).min(axis=1) > NO_TRADE)
    real = E / base.income * np.exp(-ln_P)
    return {
        rows[k]: _Solved(w[k].copy(), real[k], float(norms[k]), int(count[k])) for k in np.flatnonzero(plain)
    }


def _kernels(
    shocks: dict[str, Array | None], rows: range, N: int, theta: float
) -> tuple[Array, NDArray[np.bool_]] | None:
    """(tau^ / A^)^(-theta) [scenario, o, d], and which scenarios are far from overflow.

    None where an argument has to be read one by one.
    """
    out = np.ones((len(rows), N, N))
    regular: NDArray[np.bool_] = np.ones(len(rows), dtype=np.bool_)
    cost, lift = shocks["cost_hat"], shocks["productivity_hat"]
    if cost is not None:
        cost = cost[rows.start : rows.stop] if len(cost) > 1 else cost
        if cost.shape[1:] != (N, N, 1):
            return None
        block = np.broadcast_to(cost[:, :, :, 0], out.shape)
        regular &= block.min(axis=(1, 2)) > 0.0  # an even power would hide a negative sign
        _power(block, theta, out)
    if lift is not None:
        lift = lift[rows.start : rows.stop] if len(lift) > 1 else lift
        if lift.shape[1:] != (N, 1):
            return None
        regular &= (lift > 0.0).all(axis=(1, 2))
        out *= lift**theta
    limit = np.exp(LARGE_EXPONENT)
    regular &= (out.max(axis=(1, 2)) < limit) & (out.min(axis=(1, 2)) > 1.0 / limit)
    return out, regular


def _power(ratio: Array, theta: float, out: Array) -> None:
    """ratio^(-theta) into out; integer powers by multiplication, ten times faster than log and exp."""
    whole = int(theta)
    if theta != whole or not 1 <= whole <= LARGEST_WHOLE:
        np.log(ratio, out=out)
        out *= -theta
        np.exp(out, out=out)
        return
    square, left = np.reciprocal(ratio), whole
    out[...] = 1.0
    while left:
        if left & 1:
            out *= square
        left >>= 1
        if left:
            square *= square


def _deficits(economy: Economy, wl: Array) -> Array:
    """`Economy.deficits` for several scenarios, without further transfers."""
    if economy.closure != "proportional":
        return economy.constant
    lifted = economy.per_wage * wl
    return np.asarray(wl.sum(axis=1, keepdims=True) / lifted.sum(axis=1, keepdims=True) * lifted - wl)
