"""One sector without inputs: the economy is N wages, and Newton's method solves it in a few steps.

With z = w^(-theta), E = wL + D the spending of n net of its own tariff revenue and S = Knet z / sum(Knet z)
the net spending shares, the equilibrium is market clearing alone,

    Y_o = sum_d S_do E_d,    H_o = ln(Y_o / wL_o) - ln(sum wL / world) = 0,

and its Jacobian has a closed form,

    dY = -theta Y dw + theta S' diag(E) S dw + S' dE.

The factorised Jacobian of the base serves every shock of a table: a step costs two products with S. A new
Jacobian is computed where the old one reduces the residual too slowly.

Source: Alvarez and Lucas (2007), Journal of Monetary Economics 54(6), for the economy; Kleinman, Liu and
Redding (2024), American Economic Journal: Macroeconomics 16(4), for the derivative; Shamanskii (1967),
Ukrainian Mathematical Journal 19(1), for steps with a kept Jacobian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landbridge.trade.fixed_point import LONGEST_STEP, Search

if TYPE_CHECKING:  # the economy stores the base's factors, so it imports this module; not the reverse
    from landbridge.trade.economy import Array, Economy

__all__ = ["Factors", "applies", "newton", "of_base", "state"]

# A stored Jacobian that leaves more than this share of the residual is replaced by the current one.
SLOW = 0.3
# Limit of backtracking, after which the general search continues.
SHORTEST = 1e-3


@dataclass(frozen=True, eq=False)
class Factors:
    """The LU factors of a Jacobian of H by ln w.

    lu [n, n]: both factors in one matrix; pivots [n]: exchanged rows, as LAPACK returns them.
    """

    lu: Array
    pivots: Any

    def step(self, H: Array) -> Array:
        """-J^(-1) H, for one residual [n] or for several [n, k]."""
        from scipy.linalg.lapack import dgetrs  # scipy.linalg is slow to load

        solved, _ = dgetrs(self.lu, self.pivots, H)
        return np.asarray(-solved)


@dataclass(frozen=True, eq=False)
class _Wages:
    """The economy at wages ln w [n]."""

    w: Array
    H: Array
    norm: float
    valid: bool
    z: Array
    psi: Array
    phi: Array | None
    E: Array
    Y: Array
    wl: Array


def applies(economy: Economy) -> bool:
    """Whether the economy has one sector and no inputs, and is not part of a rebase.

    economy: with its shock. For the others `newton` cannot be used.
    """
    return (
        economy.base.S == 1
        and not economy.base.linked
        and economy.wedge is None
        and economy.paid is None
        and not len(economy.base.fixed)
    )


def _at(economy: Economy, w: Array) -> _Wages:
    """One pass through the equations at wages ln w."""
    base, psi = economy.base, economy.supply_elasticity
    theta = float(base.theta[0, 0])
    e = -theta * w
    shift = float(e.max())
    z = np.exp(e - shift)
    sums = economy.Knet[0] @ z
    phi = None
    level = (1.0 + psi) * w
    if psi:
        phi = economy.K[0] @ z if economy.taxed else sums
        ln_P = np.log(phi) + shift
        if economy.row_shift is not None:
            ln_P += economy.row_shift[0]
        level += (psi / theta) * ln_P
    wl = base.wL * np.exp(level)
    E = wl + economy.deficits(wl)
    Y = z * (economy.KownT[0] @ (E / sums))
    H = np.log(Y / wl)
    H -= np.log(wl.sum() / base.world)
    valid = bool(E.min() > 0)
    norm = float(np.sqrt(H @ H))
    return _Wages(w, H, norm if np.isfinite(norm) else np.inf, valid, z, sums, phi, E, Y, wl)


def _factors(economy: Economy, at: _Wages) -> Factors | None:
    """The Jacobian of H at wages, factorised; None where it is singular."""
    from scipy.linalg.lapack import dgetrf

    base, psi = economy.base, economy.supply_elasticity
    theta = float(base.theta[0, 0])
    n = np.arange(base.N)
    S = economy.Knet[0] * at.z / at.psi[:, None]
    root = S * np.sqrt(theta * at.E)[:, None]
    dY = root.T @ root  # numpy recognises this product as symmetric, which halves its time
    dY[n, n] -= theta * at.Y
    dwl: Array | None = None
    if psi:
        assert at.phi is not None
        share = economy.K[0] * at.z / at.phi[:, None]
        dwl = share * (-psi * at.wl)[:, None]
        dwl[n, n] += (1.0 + psi) * at.wl
    if economy.closure == "proportional":
        lifted = economy.per_wage * at.wl
        mass = lifted.sum()
        mu = at.wl.sum() / mass
        per_wl = mu * economy.per_wage
        slack = (1.0 - per_wl) / mass  # dE = per_wl dwl + lifted (slack . dwl)
        dE = per_wl[:, None] * (np.diag(at.wl) if dwl is None else dwl)
        dE += lifted[:, None] * (slack * at.wl if dwl is None else slack @ dwl)
        dY += S.T @ dE
    elif dwl is None:
        dY += S.T * at.wl
    else:
        dY += S.T @ dwl
    J = dY / at.Y[:, None]
    if dwl is None:
        J[n, n] -= 1.0
        J -= at.wl / at.wl.sum()
    else:
        J -= dwl / at.wl[:, None]
        J -= dwl.sum(axis=0) / at.wl.sum()
    if not np.isfinite(J).all():
        return None
    lu, pivots, info = dgetrf(J)
    return Factors(lu, pivots) if info == 0 else None


def of_base(economy: Economy) -> Factors | None:
    """The factorised Jacobian at the base without shock, stored with the base; None where singular.

    economy: whose base it is. Equations and sources: head of `landbridge.trade.wage_newton`.
    """
    key = (economy.closure, economy.supply_elasticity)
    kept = economy.base.factors
    if key not in kept:
        unmoved = economy.unshocked()
        at = _at(unmoved, np.zeros(economy.base.N))
        kept[key] = _factors(unmoved, at) if at.valid else None
    return kept[key]


def state(economy: Economy, w: Array) -> Array:
    """u = (ln P, ln X, ln w) at wages ln w [n], with prices and spending solved exactly.

    economy: with its shock; w [n]: the logs. Equations: head of `landbridge.trade.wage_newton`.
    """
    base = economy.base
    at = _at(economy, w)
    e = -float(base.theta[0, 0]) * w
    phi = economy.K[0] @ at.z if economy.taxed or at.phi is None else at.phi
    ln_phi = np.log(phi)
    ln_P = ln_phi + e.max()
    if economy.row_shift is not None:
        ln_P += economy.row_shift[0]
    u = np.zeros(base.size)
    p, x, wages = economy.split(u)
    p[0] = ln_P / -float(base.theta[0, 0])
    spent = at.E * np.exp(ln_phi - np.log(at.psi)) if economy.taxed else at.E
    x[0] = np.where(base.X_scale[0] > 0, np.log(spent / economy.scale_safe[0]), 0.0)
    wages[:] = w
    return u


def newton(economy: Economy, u: Array, tol: float, most: int = 60) -> Search:
    """Newton's method for the wages at which the residual H is zero.

        w_new = w - a J^-1 H,   0 < a <= 1

    economy: with its shock; u [u]: state whose wages are the start; tol: norm of the residual; most:
    evaluations at which the search stops. The Jacobian J of the base is used until it converges slowly or
    diverges. The search ends where the residual of the wages is well below `tol` or no step lowers it.
    Returns a Search, which says by the residual of `Economy.evaluate` whether the whole system is solved;
    does not raise where it fails. Equations and sources: head of `landbridge.trade.wage_newton`.
    """
    w = economy.split(u)[2].copy()
    at = _at(economy, w)
    count = 1
    factors, fresh = of_base(economy), False
    while at.norm > 0.3 * tol and count < most and np.isfinite(at.norm):
        if factors is None:
            factors, fresh = _factors(economy, at), True
            if factors is None:
                break
        step = factors.step(at.H)
        longest = float(np.abs(step).max())
        if not np.isfinite(longest):
            break
        share = min(1.0, LONGEST_STEP / longest) if longest > 0 else 1.0
        new = _at(economy, at.w + share * step)
        count += 1
        while fresh and share > SHORTEST and not (new.valid and new.norm < (1.0 - 1e-4 * share) * at.norm):
            if new.norm < 100.0 * tol and at.norm < 100.0 * tol:
                break
            share *= 0.5
            new = _at(economy, at.w + share * step)
            count += 1
        if not new.valid or new.norm >= at.norm:
            if fresh:
                break
            factors = None  # the stored Jacobian diverges from here
            continue
        slow = new.norm > SLOW * at.norm
        fresh, at = False, new
        if slow:
            factors = None
    whole = state(economy, at.w)
    point = economy.evaluate(whole)
    norm = float(np.sqrt(point.f @ point.f))
    return Search(whole, norm, count + 1, bool(norm <= tol and point.valid))
