"""The equations of the economy in relative changes, their derivative and its transpose.

One evaluation exponentiates once per (country, sector). With z = c^(-theta) the price index and all
sales are matrix-vector products with two constant matrices per sector,

    P^(-theta) = K z,    Y_o = z_o sum_d Knet[d, o] X_d / (K z)_d,

K[d, o] = pi (kappa / A)^(-theta), Knet = K / (1 + t'). Where a fixed factor earns the part r of a sector's
value added, its price rises with the value of output, so that

    c^ = w^^(b (1 - r)) Y^^(b r) prod_k P_k^^g_k,    I = wL + sum_s r b Y + tariffs + D.

The state is u = (ln P, ln X, ln w, ln Y of sectors with a fixed factor), every entry relative to the base;
an equilibrium is a fixed point of `Economy.step`. Arrays inside this module run [sector, region] and
[sector, destination, origin], so that each sector is one contiguous matrix.

Source: Caliendo and Parro (2015), Review of Economic Studies 82(1), equations (10)-(14); the transfers
follow Dekle, Eaton and Kortum (2008), IMF Staff Papers 55(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from landbridge.errors import DataError, Fault
from landbridge.trade.carriage import Paid
from landbridge.trade.layout import Array, Base, Closure

__all__ = ["Array", "Base", "Closure", "Cotangents", "Economy", "Point", "Shock", "Tangent", "read_supply"]

# Lower limit of demand during the search, relative to spending now, where it would turn negative.
LEAST_STEP = 1e-3
# Powers beyond e^30 are scaled row by row so that sums of exponentials neither overflow nor vanish.
LARGE_EXPONENT = 30.0


@dataclass(frozen=True)
class Shock:
    """Changes of the exogenous terms, None for no change.

    ln_cost, tariff (levels) [s, d, o]; ln_productivity [s, o]; transfer [n]: received [million USD]; paid:
    payments to carriers; works [n]: income spent on works, which nobody consumes [million USD].
    """

    ln_cost: Array | None = None
    tariff: Array | None = None
    ln_productivity: Array | None = None
    transfer: Array | None = None
    paid: Paid | None = None
    works: Array | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        parts = self.ln_cost, self.tariff, self.ln_productivity, self.transfer, self.paid, self.works
        return all(part is None for part in parts)

    def part(self, base: Base, share: float) -> Shock:
        """The shock at a fraction `share` of its size, for a path from the base to the shock."""
        tariff = self.tariff
        if tariff is not None:
            old = 0.0 if base.tariff is None else base.tariff
            tariff = (1.0 + old) * ((1.0 + tariff) / (1.0 + old)) ** share - 1.0
        ln_cost = self.ln_cost
        if ln_cost is not None and np.isposinf(ln_cost).any():
            # A closed flow is approached through costs that rise without bound.
            ln_cost = np.where(
                np.isposinf(ln_cost), -20.0 * np.log1p(-share) / base.theta[:, :, None], share * ln_cost
            )
        elif ln_cost is not None:
            ln_cost = share * ln_cost
        return Shock(
            ln_cost,
            tariff,
            None if self.ln_productivity is None else share * self.ln_productivity,
            None if self.transfer is None else share * self.transfer,
            None if self.paid is None else self.paid.part(share),
            None if self.works is None else share * self.works,
        )


@dataclass(frozen=True)
class Point:
    """All values of one evaluation; f = step(u) - u is the residual, relative because u is in logs.

    [s, n]: lnc, ln c^ of unit costs; z, c^^(-theta) over its largest value in the sector; phi, sum_o K z;
    X, spending with tariffs; M, the same without; Q = X / phi; Y, output, with what carriers receive; demand,
    the spending that incomes and inputs ask for; log_price, ln P^. [n]: VA, value added; labour, VA less
    rents of fixed factors; wl, earnings of labour at the wages of u; D, deficits; income. Money in million
    USD. valid: whether demand, incomes less works and labour are above 0 and no output is below.
    own [s, n]: output sold by the exporters themselves; carried: weighted sales with payments to carriers;
    rent [n]: of carriers; None without payments.
    """

    f: Array
    lnc: Array
    z: Array
    phi: Array
    Q: Array
    X: Array
    Y: Array
    M: Array
    VA: Array
    labour: Array
    wl: Array
    D: Array
    income: Array
    demand: Array
    log_price: Array
    valid: bool
    own: Array
    carried: Array | None = None
    rent: Array | None = None


@dataclass(frozen=True)
class Tangent:
    """A direction in u carried through one evaluation: derivatives along it.

    u [u]: of the next state; lnc, log_price, log_spending [s, n]: of ln c, ln P, ln X; income [n]: million
    USD.
    """

    u: Array
    lnc: Array
    log_price: Array
    log_spending: Array
    income: Array


@dataclass(frozen=True)
class Cotangents:
    """A derivative pulled back through one evaluation: to the state and to the exogenous terms.

    u [u]: by the state. share, spent: by the exogenous terms of the same names.
    output [s, n]: by output of sectors. sales [s, d, o]: by payments of buyers, through their recipients.
    """

    u: Array
    share: Array
    output: Array
    sales: Array
    spent: Array


def read_supply(supply_elasticity: float) -> float:
    """A supply elasticity as a float. Raises DataError where it is negative or not a finite number.

    supply_elasticity: psi of `solve`, as given; without a unit.
    """
    where = "supply_elasticity"
    try:
        psi = float(supply_elasticity)
    except (TypeError, ValueError):
        psi = np.nan
    if not (np.isfinite(psi) and psi >= 0.0):
        fault = Fault(where, f"is {supply_elasticity!r}", "give a finite number of at least 0")
        raise DataError("the supply elasticity cannot be used", [fault])
    return psi


def _ln_price(base: Base, shock: Shock) -> Array | None:
    """ln(kappa^ / A^): the change of a seller's price at given unit costs; None where nothing changes it."""
    exponent: Array | None = shock.ln_cost
    if shock.tariff is not None:
        ratio = np.log1p(shock.tariff) - (np.log1p(base.tariff) if base.tariff is not None else 0.0)
        exponent = ratio if exponent is None else exponent + ratio
    if shock.ln_productivity is not None:
        lift = -shock.ln_productivity[:, None, :]
        exponent = lift if exponent is None else exponent + lift
    return exponent


class Economy:
    """A base, a shock and a closure: the map whose fixed point is the equilibrium.

    Closures, with wl_n = w_n^ w_nL_n and world value added held at its base:
    fixed D'_n = D_n; zero D'_n = 0; proportional wl_n + D'_n = mu (1 + D_n / w_nL_n) wl_n, both with the
    rents of fixed factors added to wl and w_nL_n.

    With a supply_elasticity psi the factors supplied move with their real wage,
    wl_n = w_n^ (w_n^ / P_n^)^psi w_nL_n, P_n^ = prod_s P_n^s^^alpha_n^s.
    """

    def __init__(self, base: Base, shock: Shock, closure: Closure, supply_elasticity: float = 0.0) -> None:
        self.base, self.shock, self.closure = base, shock, closure
        self.supply_elasticity = supply_elasticity
        tariff = base.tariff if shock.tariff is None else shock.tariff
        exponent = _ln_price(base, shock)
        self.row_shift: Array | None = None
        if exponent is None:
            K = base.pi
        else:
            exponent = np.broadcast_to(exponent, base.pi.shape) * (-base.theta[:, :, None])
            if max(exponent.max(), -exponent.min()) > LARGE_EXPONENT:
                top = np.where(base.pi > 0, exponent, -np.inf).max(axis=2)
                top[~np.isfinite(top)] = 0.0
                if np.abs(top).max() > LARGE_EXPONENT:
                    self.row_shift = top
            if self.row_shift is not None:
                exponent -= self.row_shift[:, :, None]
                np.minimum(exponent, 0.0, out=exponent)  # only cells without a flow exceed zero
            K = np.exp(exponent, out=exponent)
            K *= base.pi
        self.taxed = tariff is not None and bool(tariff.any())
        N = base.N
        if self.taxed:
            assert tariff is not None
            self.gross = 1.0 + tariff
            both = np.empty((base.S, 2 * N, N))
            both[:, :N] = K
            np.divide(K, self.gross, out=both[:, N:])
            self.both, self.K, self.Knet = both, both[:, :N], both[:, N:]
        else:
            self.both = self.K = self.Knet = K
        self.paid = shock.paid
        # The exporter's own part of what buyers pay.
        self.Kown, self.Kpaid = self.Knet, np.zeros(0)
        if self.paid is not None:
            self.Kown, self.Kpaid = self.Knet * (1.0 - self.paid.total), self.paid.of_sales(self.Knet)
        self.KT, self.KownT = self.K.transpose(0, 2, 1), self.Kown.transpose(0, 2, 1)
        scale = base.X_scale
        self.empty = (scale <= 0).astype(float)
        self.scale_safe = scale + self.empty
        unsupplied = ~base.supplied
        self.unsupplied: Array | None = unsupplied.astype(float) if unsupplied.any() else None
        # Cells with spending whose sources are all closed by the shock.
        self.cut_off = (scale > 0) & ~(self.K > 0).any(axis=2)
        self.transfer = np.zeros(N) if shock.transfer is None else shock.transfer
        self.works = np.zeros(N) if shock.works is None else shock.works
        self.constant = self.transfer + base.D if closure == "fixed" else self.transfer
        self.per_wage = 1.0 + base.D / (base.wL + base.rents)
        self.wedge: Array | None = None
        self._last: tuple[Array, Point] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds the inputs; the arrays of the equations are computed again."""
        made_of = self.base, self.shock, self.closure, self.supply_elasticity
        return Economy, made_of, {"wedge": self.wedge}

    def unshocked(self) -> Economy:
        """The same base and closure without a shock."""
        return Economy(self.base, Shock(), self.closure, self.supply_elasticity)

    def openness(self, point: Point) -> Array:
        """Share of value added earned abroad [n], at a point."""
        home = np.einsum("snn->sn", self.Kown) * point.z * point.Q
        return np.asarray(1.0 - (self.base.b * home).sum(axis=0) / point.VA)

    def hold(self, share: float) -> None:
        """Add `share` of the spending that the base lacks to clear, so that at 1 it clears unchanged."""
        self.wedge = self._last = None
        gap = self.base.X_scale - self.evaluate(self.start()).demand
        self.wedge = share * gap

    # ---- the map -------------------------------------------------------------------------------

    def start(self) -> Array:
        """The state without any change [u]."""
        return np.zeros(self.base.size)

    def split(self, u: Array) -> tuple[Array, Array, Array]:
        """(ln P [s, n], ln X [s, n], ln w [n]) as views of u."""
        base = self.base
        m, shape = base.m, (base.S, base.N)
        return u[:m].reshape(shape), u[m : 2 * m].reshape(shape), u[2 * m : 2 * m + base.N]

    def _rent_prices(self, u: Array) -> Array:
        """Contribution of the prices of fixed factors to ln c [s, n]: r b ln Y^."""
        out = np.zeros(self.base.m)
        out[self.base.fixed] = u[2 * self.base.m + self.base.N :]
        return out.reshape(self.base.S, self.base.N) * self.base.of_rent

    def _costs(self, u: Array) -> Array:
        """ln c [s, n] from wages, prices of inputs and of fixed factors; linear in u."""
        p, _, w = self.split(u)
        out = self.base.of_labour * w
        if len(self.base.fixed):
            out += self._rent_prices(u)
        if self.base.linked:
            out += self.base.to_costs(p)
        return np.asarray(out)

    def _prices(self, sums: Array, shift: Array) -> tuple[Array, Array]:
        """phi [s, d] and ln P [s, d] from sum_o K z, z lifted by exp(-shift)."""
        phi = sums if self.unsupplied is None else sums + self.unsupplied
        ln_P = np.log(phi) + shift
        if self.row_shift is not None:
            ln_P += self.row_shift
        ln_P /= -self.base.theta
        if self.unsupplied is not None:
            ln_P *= self.base.supplied
        return phi, ln_P

    def deficits(self, wl: Array) -> Array:
        """D'[n] of the closure at factor incomes wl [n], both million USD."""
        if self.closure != "proportional":
            return self.constant
        lifted = self.per_wage * wl
        return np.asarray((wl.sum() / lifted.sum()) * lifted - wl + self.transfer)

    def at(self, u: Array) -> Point:
        """One pass through the equations at u; the last state is not evaluated twice."""
        if self._last is None or self._last[0] is not u:
            self._last = u, self.evaluate(u)
        return self._last[1]

    def evaluate(self, u: Array) -> Point:
        """One pass through the equations at u."""
        base = self.base
        N, theta = base.N, base.theta
        p, x, w = self.split(u)
        lnc = self._costs(u)
        e = lnc * -theta
        shift = e.max(axis=1, keepdims=True)
        e -= shift
        z = np.exp(e, out=e)
        X = base.X_scale * np.exp(x)
        sums = np.matmul(self.both, z[:, :, None])[:, :, 0]
        phi, ln_P = self._prices(sums[:, :N], shift)
        Q = X / phi
        own = np.matmul(self.KownT, Q[:, :, None])[:, :, 0]
        own *= z
        Y, carried, rent = own, None, None
        if self.paid is not None:
            carried = self.paid.sales(self.Kpaid, z, Q)
            output, rent = self.paid.received(carried)
            Y = own.copy()
            Y[self.paid.sector] += output
        VA = labour = (base.b * Y).sum(axis=0)
        resource: Array | float = 0.0
        if len(base.fixed):
            resource = (base.of_rent * Y).sum(axis=0)
            labour = VA - resource
        supplied: Array | float = 0.0
        if self.supply_elasticity:
            supplied = self.supply_elasticity * (w - (base.alpha * p).sum(axis=0))
        wl = base.wL * np.exp(w + supplied)
        D = self.deficits(wl + resource)
        income = wl + resource + D
        M = X
        if self.taxed:
            M = Q * sums[:, N:]
            income = income + (X - M).sum(axis=0)
        if rent is not None:
            income = income + rent
        demand = base.alpha * income
        if base.linked:
            demand += base.to_inputs(Y)
        if self.wedge is not None:
            demand += self.wedge
        f = np.empty(base.size)
        rp, rx, rw = self.split(f)
        np.subtract(ln_P, p, out=rp)
        ratio = (demand + self.empty) / self.scale_safe
        valid = bool(
            ratio.min() > 0 and (income - self.works).min() > 0 and labour.min() > 0 and Y.min() >= 0
        )
        if not valid:
            np.maximum(ratio, LEAST_STEP * np.exp(x), out=ratio)
        np.subtract(np.log(ratio), x, out=rx)
        np.subtract(np.log(labour / base.wL), w, out=rw)
        rw -= np.log(VA.sum() / base.world)
        if self.supply_elasticity:
            # The wage that moves supply to demand, at given prices.
            rw -= supplied
            rw /= 1.0 + self.supply_elasticity
        if len(base.fixed):
            grown = np.maximum(Y.reshape(-1)[base.fixed] / base.Y_fixed, LEAST_STEP)
            np.subtract(np.log(grown), u[2 * base.m + N :], out=f[2 * base.m + N :])
        return Point(
            f, lnc, z, phi, Q, X, Y, M, VA, labour, wl, D, income, demand, ln_P, valid, own, carried, rent
        )

    def flows(self, point: Point) -> Array:
        """F[s, d, o] = Knet z Q, payments of buyers net of tariff at a point [million USD]."""
        return np.asarray(self.Knet * point.z[:, None, :] * point.Q[:, :, None])

    def shares(self, point: Point) -> Array:
        """pi'[s, d, o], expenditure shares at a point."""
        return np.asarray(self.K * point.z[:, None, :] / point.phi[:, :, None])

    # ---- its derivative ------------------------------------------------------------------------

    def push(
        self,
        point: Point,
        du: Array,
        landed: tuple[Array, Array, Array] | None = None,
        d_transfer: Array | None = None,
    ) -> Tangent:
        """Derivative of one evaluation along du [u], with optional exogenous terms. Returns a Tangent.

        landed = (sum_o pi' q, output lost by it, sum_o F (theta q + lnT)) carries a change q = d ln kappa -
        d ln A of landed costs and lnT = d ln(1 + t'); without payments the output lost is sum_d F (theta q +
        lnT), see `lost`. d_transfer [n]: million USD.
        """
        base = self.base
        N, theta = base.N, base.theta
        dp, dx, dw = self.split(du)
        a = self._costs(du)
        sums = np.matmul(self.both, (point.z * a)[:, :, None])[:, :, 0]
        price = sums[:, :N] / point.phi
        if landed is not None:
            price = price + landed[0]
        h = dx + theta * price
        dY = np.matmul(self.KownT, (point.Q * h)[:, :, None])[:, :, 0]
        dY *= point.z
        dY -= theta * point.own * a
        d_rent: Array | None = None
        if self.paid is not None and point.carried is not None:
            output, d_rent = self.paid.received(self.paid.moved(point.carried, h, -theta * a))
            dY[self.paid.sector] += output
        if landed is not None:
            dY -= landed[1]
        dVA = d_labour = (base.b * dY).sum(axis=0)
        dwl = point.wl * dw
        psi = self.supply_elasticity
        if psi:
            cheaper = (base.alpha * dp).sum(axis=0)
            dwl = point.wl * ((1.0 + psi) * dw - psi * cheaper)
        dI = dwl.copy()
        if len(base.fixed):
            d_labour = (base.of_labour * dY).sum(axis=0)
            dI += (base.of_rent * dY).sum(axis=0)
        if self.closure == "proportional":
            dI += self.transfer_slope(self.earned(point), dI)
        if d_transfer is not None:
            dI += d_transfer
        if d_rent is not None:
            dI += d_rent
        if self.taxed or landed is not None:
            dM = point.M * h
            dM -= theta * point.Q * sums[:, -N:]  # the rows of Knet are those of K without tariffs
            if landed is not None:
                dM -= landed[2]
            dI += (point.X * dx - dM).sum(axis=0)
        d_demand = base.alpha * dI
        if base.linked:
            d_demand += base.to_inputs(dY)
        out = np.empty(base.size)
        op, ox, ow = self.split(out)
        op[:] = price
        np.divide(d_demand, point.demand + self.empty, out=ox)
        np.divide(d_labour, point.labour, out=ow)
        ow -= dVA.sum() / point.VA.sum()
        if len(base.fixed):
            out[2 * base.m + N :] = (dY / np.where(point.Y > 0.0, point.Y, 1.0)).reshape(-1)[base.fixed]
        if psi:
            ow += psi * cheaper
            ow /= 1.0 + psi
        return Tangent(out, a, price, ox, dI)

    def lost(self, sales: Array) -> tuple[Array, Array]:
        """Output [s, n] and income [n] lost with sales [s, d, o], of exporters and carriers [million USD]."""
        if self.paid is None:
            return sales.sum(axis=1), np.zeros(self.base.N)
        paid = self.paid
        output = np.asarray((sales * (1.0 - paid.total)).sum(axis=1))
        more, rent = paid.received(paid.of_sales(sales))
        output[paid.sector] += more
        return output, rent

    def earned(self, point: Point) -> Array:
        """Factor income at a point: wages and the rents of fixed factors [n], million USD."""
        return point.wl + point.VA - point.labour

    def transfer_slope(self, wl: Array, dwl: Array) -> Array:
        """Derivative of proportional transfers at factor income wl [n] along dwl, [n] or [c, n]."""
        lifted = self.per_wage * wl
        total, mass = wl.sum(), lifted.sum()
        mu = total / mass
        dmu = dwl.sum(axis=-1, keepdims=True) / mass
        dmu -= mu / mass * (self.per_wage * dwl).sum(axis=-1, keepdims=True)
        return np.asarray(mu * self.per_wage * dwl + dmu * lifted - dwl)

    def _transfer_slope_transposed(self, wl: Array, bar: Array) -> Array:
        lifted = self.per_wage * wl
        total, mass = wl.sum(), lifted.sum()
        mu = total / mass
        along = float(bar @ lifted)
        return np.asarray(mu * self.per_wage * bar - bar + along * (1.0 / mass - mu / mass * self.per_wage))

    def pull(
        self,
        point: Point,
        bar: Array,
        bar_I: Array | None = None,
        bar_c: Array | None = None,
        bar_flow: Array | None = None,
        taxes: bool = False,
    ) -> Cotangents:
        """Transpose of `push`: cotangents on its outputs (u, I, ln c, ln F) to du and the exogenous terms.

        bar [u], bar_I [n], bar_c [s, n], bar_flow [s, d, o]: cotangents. taxes: keep the revenue terms even
        where every tariff is zero, as the derivative by tariffs needs. Returns Cotangents.
        """
        base = self.base
        theta = base.theta
        p_bar, x_bar, w_bar = self.split(bar)
        psi = self.supply_elasticity
        if psi:
            w_bar = w_bar / (1.0 + psi)
        out = np.empty(base.size)
        op, ox, ow = self.split(out)
        xs = x_bar / (point.demand + self.empty)
        I_bar = (base.alpha * xs).sum(axis=0)
        if bar_I is not None:
            I_bar += bar_I
        Y_bar = base.of_labour * (w_bar / point.labour) - base.b * (w_bar.sum() / point.VA.sum())
        if base.linked:
            Y_bar += base.to_costs(xs)
        wl_bar = I_bar
        if self.closure == "proportional":
            wl_bar = I_bar + self._transfer_slope_transposed(self.earned(point), I_bar)
        if len(base.fixed):
            Y_bar += base.of_rent * wl_bar
            of_output = bar[2 * base.m + base.N :] / point.Y.reshape(-1)[base.fixed]
            Y_bar.reshape(-1)[base.fixed] += of_output
        np.multiply(point.wl, wl_bar, out=ow)
        if psi:
            ow *= 1.0 + psi
        revenue = self.taxed or taxes
        h_bar = np.matmul(self.Kown, (point.z * Y_bar)[:, :, None])[:, :, 0]
        h_bar *= point.Q
        a_bar = -theta * point.own * Y_bar
        worth: Array | None = None
        if self.paid is not None and point.carried is not None:
            worth = self.paid.values(Y_bar[self.paid.sector], I_bar)
            buyers, sellers = self.paid.gather(point.carried * worth, (base.S, base.N))
            h_bar += buyers
            a_bar -= theta * sellers
        if revenue:
            h_bar -= point.M * I_bar
            back = np.matmul(self.Knet.transpose(0, 2, 1), (point.Q * I_bar)[:, :, None])[:, :, 0]
            a_bar += theta * point.z * back
        if bar_flow is not None:
            by_d, by_o = bar_flow.sum(axis=2), bar_flow.sum(axis=1)
            h_bar = h_bar + by_d
            a_bar -= theta * by_o
        ox[:] = h_bar
        if revenue:
            ox += point.X * I_bar
        share = p_bar + theta * h_bar
        back = np.matmul(self.KT, (share / point.phi)[:, :, None])[:, :, 0]
        a_bar += point.z * back
        if bar_c is not None:
            a_bar = a_bar + bar_c
        ow += (base.of_labour * a_bar).sum(axis=0)
        if len(base.fixed):
            out[2 * base.m + base.N :] = (base.of_rent * a_bar).reshape(-1)[base.fixed]
        op[:] = base.to_inputs(a_bar) if base.linked else 0.0
        if psi:
            op += base.alpha * (psi * (w_bar - point.wl * wl_bar))
        sales = self._worth_of_sales(Y_bar, worth)
        return Cotangents(out, share, Y_bar, sales, -I_bar if revenue else np.zeros(base.N))

    def _worth_of_sales(self, Y_bar: Array, worth: Array | None) -> Array:
        """The cotangent of output by sale [s, d, o]; worth: that of payments to carriers, else None."""
        sales = np.broadcast_to(Y_bar[:, None, :], self.base.pi.shape)
        if self.paid is None or worth is None:
            return sales
        sales = sales * (1.0 - self.paid.total)
        sales.reshape(-1)[self.paid.at] += worth * self.paid.weight
        return sales
