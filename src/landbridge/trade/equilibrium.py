"""One exact-hat solver: Armington, Eaton-Kortum and Caliendo-Parro are special cases.

`solve` finds the equilibrium after a change of trade costs, tariffs, productivities or transfers;
`Equilibrium` holds the solution and its derivatives. The equations are in `economy`, the search in `solver`,
real income and derivatives in `welfare`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import ArrayLike

from landbridge.errors import ConvergenceError, DataError, Fault, Status, did_you_mean
from landbridge.trade import resistance, welfare
from landbridge.trade.arguments import read_shock
from landbridge.trade.carriage import Carriage, Paid
from landbridge.trade.economy import Array, Closure, Economy, Point, Shock, read_supply
from landbridge.trade.solver import Rebased, SearchError, find, hardly_trades, no_home_sales, prepare, rebase
from landbridge.trade.value_added import ValueAdded, value_added
from landbridge.trade.welfare import FirstOrder, Gradient, LinearResponse
from landbridge.world.trade_table import TradeTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Closure", "Equilibrium", "answer", "resolve", "solve"]

# Largest log change between an equilibrium and those used for its second-order term.
SECOND_ORDER_STEP = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class Equilibrium:
    """A solved economy; every hat is relative to `base`, the no-shock equilibrium of the same closure.

    Attributes
    ----------
    base
        The table that the changes refer to (the one given, rebased where its markets did not clear).
    deficits
        The closure: "fixed", "zero" or "proportional".
    real_income_hat : [N]
        ((I' - works) / I) / prod_s P_s^^alpha_s.
    wage_hat : [N], price_hat : [N, S], unit_cost_hat : [N, S]
        In the numeraire, world value added of the base; wages per unit of factors; unit cost excludes
        productivity, so the producer price is unit_cost_hat / productivity_hat.
    income, deficit : [N], million USD
        New income and transfer received.
    trade : [N, N, S], million USD
        New flows at new producer prices, net of tariff, payments to carriers included.
    status
        How the solve ended.
    """

    base: TradeTable
    deficits: Closure
    real_income_hat: Array
    wage_hat: Array
    price_hat: Array
    unit_cost_hat: Array
    income: Array
    deficit: Array
    status: Status
    _economy: Economy = field(repr=False)
    _u: Array = field(repr=False)
    _point: Point = field(repr=False)

    @property
    def supply_elasticity(self) -> float:
        """psi: elasticity of the supply of factors to their real price."""
        return self._economy.supply_elasticity

    @cached_property
    def _flows(self) -> Array:
        return self._economy.flows(self._point)

    @cached_property
    def trade(self) -> Array:
        """New flows [o, d, s], producer prices net of tariff [million USD]; zero flows stay zero."""
        return _frozen(np.ascontiguousarray(self._flows.transpose(2, 1, 0)))

    @cached_property
    def tariff(self) -> Array:
        """Tariffs in force [o, d, s], a fraction."""
        if self._economy.shock.tariff is None:
            return self.base.tariff
        return _frozen(np.ascontiguousarray(self._economy.shock.tariff.transpose(2, 1, 0)))

    @cached_property
    def real_wage_hat(self) -> Array:
        """w_n^ / prod_s P_n^s^^alpha_n^s [n]."""
        return _frozen(self.wage_hat / np.exp((self.base.final_share * np.log(self.price_hat)).sum(axis=1)))

    @cached_property
    def productivity_hat(self) -> Array | None:
        """Productivities after / before [n, s], None where none changes."""
        lift = self._economy.shock.ln_productivity
        return None if lift is None else _frozen(np.exp(lift.T))

    @cached_property
    def producer_price_hat(self) -> Array:
        """unit_cost_hat / productivity_hat [n, s], the change of the producer price."""
        lift = self._economy.shock.ln_productivity
        return self.unit_cost_hat if lift is None else _frozen(self.unit_cost_hat * np.exp(-lift.T))

    @property
    def factor_income(self) -> Array:
        """Earnings of labour and capital after the shock [n], without rents [million USD]."""
        return self._point.wl

    @property
    def works(self) -> Array:
        """Income spent on works [n], which nobody consumes [million USD]."""
        return self._economy.works

    @property
    def revenue_kept(self) -> Array:
        """Real income after / before [n] where the budget keeps the change of tariff revenue.

        (I' - works - (R' - R)) / I / P^: the budget spends it in the proportions of final demand.
        """
        revenue = (self.tariff * self.trade).sum(axis=(0, 2)) - self.base.tariff_revenue
        enjoyed = self.income - self._economy.works
        return np.asarray(self.real_income_hat * (1.0 - revenue / enjoyed))

    def resistances(self, reference: str) -> pd.DataFrame:
        """Changes of outward and inward resistances; arguments, errors as in `resistance.resistances`."""
        return resistance.resistances(self, reference)

    @cached_property
    def first_order(self) -> FirstOrder:
        """Caliendo and Parro's finite-change split of real income, to compare with the exact hat."""
        self._solved()
        with np.errstate(all="ignore"):  # a closed flow has an infinite first-order cost
            wage = self._economy.split(self._u)[2]
            return welfare.first_order(self._economy, self._point, self._flows, wage)

    @cached_property
    def _table(self) -> TradeTable:
        shock = self._economy.shock
        if shock.paid is not None:
            fault = Fault("carriage", "is part of the equilibrium", "solve() it without, then take its table")
            raise DataError("sales with payments to carriers are not a trade table", [fault])
        unmoved = shock.ln_cost is None and shock.tariff is None and shock.ln_productivity is None
        if unmoved and shock.transfer is None and not self._u.any():
            return self.base
        return replace(self.base, trade=self.trade, tariff=self.tariff)

    def table(self) -> TradeTable:
        """The solved equilibrium as a table, for further shocks.

        Raises DataError where carriers are paid (`Carriage`): their part is output of another country.
        """
        self._solved()
        return self._table

    def value_added(self) -> ValueAdded:
        """Trade in value added at this equilibrium; for the base, `value_added(table)`."""
        return value_added(self.table())

    def frame(self, trade: bool = False, reference: str | None = None) -> pd.DataFrame:
        """One row per region, in percent: real income, real wage and the first-order split.

        real_income is exact; terms_of_trade, volume, cost, transfer, supply and rent add up to first_order
        (`FirstOrder`), and residual = real_income - first_order is the remainder of a finite change.
        trade=True adds exports, imports (values abroad, net of tariff, in world value added of the base, or
        in the reference's consumer prices) and real_gdp (value added and tariffs, in consumer prices).
        Raises ConvergenceError where this equilibrium is unconverged.
        """
        import pandas as pd

        split = self.first_order
        exact = self.real_income_hat - 1.0
        columns = {"real_income": exact, "real_wage": self.real_wage_hat - 1.0}
        for name in ("terms_of_trade", "volume", "cost", "transfer", "supply", "rent"):
            columns[name] = getattr(split, name)
        columns |= {"first_order": split.sum, "residual": exact - split.sum}
        if trade or reference is not None:
            columns |= resistance.frame_of_trade(self, reference)
        index = pd.Index(self.base.regions, name="region")
        return pd.DataFrame({f"{name}_percent": 100.0 * v for name, v in columns.items()}, index=index)

    def outcome(self, of: str) -> float:
        """The number that `gradient(of)` differentiates (in logs): a hat, or a flow in million USD.

        of: as in `gradient`. A group (CA5, world) is sum_n I_n W_n^ / sum_n I_n over its members.
        """
        self._solved()
        parsed = welfare.parse_outcome(of, self.base)
        return welfare.outcome_value(parsed, self.base, self.real_income_hat, self.wage_hat, self.trade)

    def gradient(self, of: str) -> Gradient:
        """d ln(outcome) by every ln trade cost, tariff and ln productivity, at this equilibrium.

        Parameters
        ----------
        of
            "KAZ" or "real_income:KAZ", "real_income:CA5" or "real_income:world" (the group's real income
            as in `outcome`), "wage:KAZ" (in the numeraire), "flow:CHN:KAZ:MCH".

        Raises
        ------
        DataError
            The outcome is unknown or a flow that is zero.
        ConvergenceError
            This equilibrium is unconverged, or so close to a fold that its derivative is not defined.
        """
        self._solved()
        parsed = welfare.parse_outcome(of, self.base)
        bars = welfare.outcome_cotangents(parsed, self.base, self.real_income_hat, self.trade)
        return welfare.pull_back(self._economy, self._point, **bars)

    def vjp(
        self,
        *,
        real_income: ArrayLike | None = None,
        wage: ArrayLike | None = None,
        price: ArrayLike | None = None,
        unit_cost: ArrayLike | None = None,
        trade: ArrayLike | None = None,
    ) -> Gradient:
        """Pull cotangents on outcomes back to the shocks with one transposed solve.

        real_income [N], wage [N], price [N, S], unit_cost [N, S] are derivatives of a scalar by the *logs*
        of the hats; trade [N, N, S] by the flows in million USD. Returns its derivative by ln tau, t, ln A
        and the transfers received. Raises as `gradient`.
        """
        self._solved()
        N, S = len(self.base.regions), len(self.base.sectors)
        shapes = {
            "real_income": (N,),
            "wage": (N,),
            "price": (N, S),
            "unit_cost": (N, S),
            "trade": (N, N, S),
        }
        given = {
            "real_income": real_income,
            "wage": wage,
            "price": price,
            "unit_cost": unit_cost,
            "trade": trade,
        }
        bars = {k: np.asarray(v, dtype=np.float64) for k, v in given.items() if v is not None}
        faults = [
            Fault(k, f"has shape {v.shape}", f"give {shapes[k]}")
            for k, v in bars.items()
            if v.shape != shapes[k]
        ]
        if faults:
            raise DataError("the cotangents do not fit the table", faults)
        return welfare.pull_back(self._economy, self._point, **bars)

    def jvp(
        self,
        cost_hat: ArrayLike | None = None,
        tariff: ArrayLike | None = None,
        productivity_hat: ArrayLike | None = None,
        transfer: ArrayLike | None = None,
        *,
        carriage: Carriage | None = None,
        works: ArrayLike | None = None,
    ) -> LinearResponse:
        """First-order response of every outcome to one shock on this equilibrium, by one solve.

        Gradient times log changes: d ln tau = ln cost_hat, dt = tariff - tariff now, d ln A = ln
        productivity_hat, dT = transfer [million USD]; carriage, works: in addition. Shapes as in `solve`.
        """
        self._solved()
        asked = self._direction(cost_hat, tariff, productivity_hat, transfer)
        paid = None if carriage is None else Paid.of(self.base, carriage)
        more = read_shock(self.base, None, None, None, transfer, works=works).works
        return welfare.push_forward(self._economy, self._point, *asked, paid, more)

    def linear_response(
        self,
        cost_hat: ArrayLike | None = None,
        tariff: ArrayLike | None = None,
        productivity_hat: ArrayLike | None = None,
        transfer: ArrayLike | None = None,
        *,
        carriage: Carriage | None = None,
        works: ArrayLike | None = None,
    ) -> Array:
        """d ln W[n] of all regions to first order, gradients times changes; arguments, errors as in `jvp`."""
        asked = cost_hat, tariff, productivity_hat, transfer
        return self.jvp(*asked, carriage=carriage, works=works).real_income

    def second_order(
        self,
        cost_hat: ArrayLike | None = None,
        tariff: ArrayLike | None = None,
        productivity_hat: ArrayLike | None = None,
        transfer: ArrayLike | None = None,
    ) -> Array:
        """The second-order term of ln W[n] for one shock on this equilibrium.

        (1/2) d^2 ln W / ds^2 along ln tau + s ln cost_hat, t + s (tariff - t), ln A + s ln productivity_hat:
        half the change of the exact linear response along the shock, by a central difference between two
        equilibria one thousandth of a log unit away. Arguments as in `jvp`, which also says what is raised.
        """
        self._solved()
        asked = self._direction(cost_hat, tariff, productivity_hat, transfer)
        scaled = (*asked[:3], None if asked[3] is None else asked[3] / self._economy.base.wL)
        largest = max((float(np.abs(v).max()) for v in scaled if v is not None), default=0.0)
        if largest == 0.0:
            return np.zeros(len(self.base.regions))
        h = SECOND_ORDER_STEP / largest
        economy, responses = self._economy, []
        with np.errstate(all="ignore"):
            for sign in (h, -h):
                now = economy.shock
                held = np.ascontiguousarray(self.tariff.transpose(2, 1, 0))
                moved = Shock(
                    _moved(now.ln_cost, asked[0], sign),
                    now.tariff if asked[1] is None else held + sign * asked[1],
                    _moved(now.ln_productivity, asked[2], sign),
                    _moved(now.transfer, asked[3], sign),
                    now.paid,
                    now.works,
                )
                try:
                    there, found, _ = find(
                        economy.base, moved, self.deficits, 1e-12, self._u, economy.supply_elasticity
                    )
                except SearchError as failed:
                    raise failed.error from None
                response = welfare.push_forward(there, there.evaluate(found.u), *asked)
                responses.append(response.real_income)
        return np.asarray((responses[0] - responses[1]) / (4.0 * h))

    def _direction(
        self,
        cost_hat: ArrayLike | None,
        tariff: ArrayLike | None,
        productivity_hat: ArrayLike | None,
        transfer: ArrayLike | None,
    ) -> tuple[Array | None, Array | None, Array | None, Array | None]:
        """(d ln tau, dt, d ln A, dT) of a shock on this equilibrium, in the layout of the solver."""
        shock = read_shock(self.base, cost_hat, tariff, productivity_hat, transfer)
        if shock.ln_cost is not None and not np.isfinite(shock.ln_cost).all():
            fault = Fault("cost_hat", "closes a flow", "solve() a closure, it has no first order")
            raise DataError("no linear response to an infinite cost", [fault])
        d_tariff = None
        if tariff is not None:
            asked = self.base.tariff if shock.tariff is None else shock.tariff.transpose(2, 1, 0)
            if (asked != self.tariff).any():
                d_tariff = np.ascontiguousarray((asked - self.tariff).transpose(2, 1, 0))
        return shock.ln_cost, d_tariff, shock.ln_productivity, shock.transfer

    def _solved(self) -> None:
        if not self.status.converged:
            raise ConvergenceError(f"this equilibrium was not solved: {self.status.message}")

    def __repr__(self) -> str:
        if not self.status.converged:
            return f"Equilibrium(not converged: {self.status.message})"
        change = 100 * (self.real_income_hat - 1)
        low, high = int(change.argmin()), int(change.argmax())
        names = self.base.regions
        return (
            f"Equilibrium({len(names)} regions x {len(self.base.sectors)} sectors, {self.deficits} deficits; "
            f"real income {change[low]:+.4f} % ({names[low]}) to {change[high]:+.4f} % ({names[high]}); "
            f"residual {self.status.residual:.1e} in {self.status.iterations} evaluations)"
        )


def solve(
    table: TradeTable,
    cost_hat: ArrayLike | None = None,
    tariff: ArrayLike | None = None,
    productivity_hat: ArrayLike | None = None,
    deficits: Closure = "fixed",
    tol: float = 1e-10,
    throw: bool = True,
    *,
    transfer: ArrayLike | None = None,
    start: Equilibrium | None = None,
    supply_elasticity: float = 0.0,
    carriage: Carriage | None = None,
    works: ArrayLike | None = None,
    hold: str | None = None,
    reference: str | None = None,
) -> Equilibrium:
    """The equilibrium after a shock, relative to the no-shock equilibrium under the same closure.

    c = w^b prod_k P_k^g_k;  P = [sum_i pi_i (kappa_i c_i / A_i)^-theta]^(-1/theta) with kappa the change of
    tau (1 + t);  X' = alpha I' + g Y';  wL' = sum b Y';  I' = wL' + revenue' + D', world value added
    held at its base.

    Parameters
    ----------
    table
        The benchmark. Where its markets do not clear under the closure it is solved once without shock
        and every hat is relative to that solution; `status.rebase` holds the largest relative change.
    cost_hat : [N, N, S] (origin, destination, sector) or [N, N]
        Ratio of iceberg costs; infinity closes a flow. [scenario, N, N, S] solves many scenarios in one
        call and returns an EquilibriumBatch: see `solve_batch`.
    tariff : [N, N, S] or [N, N], fraction
        New tariffs in levels.
    productivity_hat : [N, S] (region, sector) or [N]
        Ratio of productivities.
    deficits
        "fixed": D_n constant in the numeraire; "zero": none, before and after; "proportional": wage
        income plus transfer moves with wage income by one common factor, so that transfers sum to zero.
    tol
        Largest accepted Euclidean norm of the relative residual of the stacked system (ln P, ln X, ln w).
    throw
        False returns an Equilibrium of NaN with `status.converged` False instead of raising.
    transfer : [N], million USD
        Further transfers received (negative = paid), which must sum to zero.
    start
        An equilibrium to start from; it saves steps and changes nothing else.
    supply_elasticity
        psi: factors supplied move by (w^ / P^)^psi, so that wL' = w^ (w^ / P^)^psi wL (universal gravity,
        here with sectors and inputs). Zero is the fixed endowment.
    carriage
        Payments to carriers, as changes against the base in shares of sales; none by default.
    works : [N], million USD
        Income spent on works, in the proportions of final demand, which nobody consumes: real income is
        (I' - works) / P over I.
    hold, reference
        hold="output" gives the conditional equilibrium relative to a region: see `conditional`.

    Raises
    ------
    DataError
        An argument has the wrong shape, sign or sum.
    InfeasibleError
        A fixed transfer cannot be shipped under the shock, or a closed flow leaves a demand unmet.
    ConvergenceError
        The residual stayed above `tol`.

    Source: Caliendo and Parro (2015), equations (10)-(14); Dekle, Eaton and Kortum (2008) for transfers;
    Allen, Arkolakis and Takahashi (2020), Journal of Political Economy 128(2), for psi.
    """
    if not isinstance(table, TradeTable):
        cure = "make one with TradeTable.armington or TradeTable.from_frame"
        raise DataError("no trade table is given", [Fault("table", f"is a {type(table).__name__}", cure)])
    if hold is not None:
        rest = (tariff, productivity_hat, transfer, start, supply_elasticity or None, carriage, works)
        return resistance.held(table, cost_hat, hold, reference, tol, rest)  # type: ignore[return-value]
    if np.ndim(cost_hat if cost_hat is not None else 0.0) == 4:
        from landbridge.trade.batch import solve_batch  # it builds on this module

        faults = [
            Fault(name, "is given", "leave it out or solve the scenarios one by one")
            for name, value in (("start", start), ("carriage", carriage), ("works", works))
            if value is not None
        ]
        if faults:
            raise DataError("a batch takes no " + " and no ".join(f.where for f in faults), faults)
        return solve_batch(  # type: ignore[return-value]  # a sequence of what is promised
            table,
            cost_hat,
            tariff,
            productivity_hat,
            deficits,
            tol,
            throw,
            transfer=transfer,
            supply_elasticity=supply_elasticity,
        )
    if deficits not in get_args(Closure):
        cure = did_you_mean(str(deficits), get_args(Closure)) or "choose fixed, zero or proportional"
        raise DataError("unknown closure", [Fault("deficits", f"is {deficits!r}", cure)])
    if not (isinstance(tol, (int, float)) and tol > 0):
        raise DataError("the tolerance is not positive", [Fault("tol", f"is {tol!r}", "give 1e-10")])
    psi = read_supply(supply_elasticity)
    shock = read_shock(table, cost_hat, tariff, productivity_hat, transfer, carriage, works)
    return _from_shock(table, shock, deficits, tol, start, psi, throw=throw)


def resolve(
    eq: Equilibrium,
    deficits: Closure,
    supply_elasticity: float = 0.0,
    *,
    lift: Array | None = None,
    tol: float = 1e-10,
    start: Equilibrium | None = None,
) -> Equilibrium:
    """The shock of eq, other deficits; lift [N, S]: adds to ln productivity; rest, errors as in `solve`."""
    shock = eq._economy.shock
    if lift is not None:
        known = 0.0 if shock.ln_productivity is None else shock.ln_productivity
        shock = replace(shock, ln_productivity=np.ascontiguousarray(known + lift.T))
    psi = read_supply(supply_elasticity)
    return _from_shock(eq.base, shock, deficits, tol, start, psi, throw=True)


def _from_shock(
    table: TradeTable,
    shock: Shock,
    deficits: Closure,
    tol: float,
    start: Equilibrium | None,
    psi: float,
    *,
    throw: bool,
) -> Equilibrium:
    with np.errstate(all="ignore"):
        try:
            rebased = rebase(table, deficits, tol, psi)
            return _solve(rebased.table or table, rebased, shock, deficits, tol, start, psi)
        except SearchError as failed:
            if throw:
                raise failed.error from None
            return _unsolved(table, shock, deficits, failed, psi)


def _solve(
    table: TradeTable,
    rebased: Rebased,
    shock: Shock,
    closure: Closure,
    tol: float,
    start: Equilibrium | None,
    psi: float,
) -> Equilibrium:
    base = prepare(table)
    first: Array | None = None
    if start is not None and start._u.shape == (base.size,) and start.status.converged:
        first = start._u
    economy, found, how = find(base, shock, closure, tol, first, psi)
    point = economy.at(found.u)
    how += hardly_trades(economy, point)
    if rebased.iterations:
        how += f"; the base did not clear and was solved first ({rebased.iterations} evaluations)"
    how += no_home_sales(base)
    status = Status(True, found.residual, found.evaluations, how, rebased.change)
    return answer(table, economy, found.u, point, status)


def answer(table: TradeTable, economy: Economy, u: Array, point: Point, status: Status) -> Equilibrium:
    """The Equilibrium at a solved point and state u [u]; table: the base; economy, status: of the search."""
    _, _, w = economy.split(u)
    return Equilibrium(
        base=table,
        deficits=economy.closure,
        real_income_hat=_frozen(np.exp(welfare.log_real_income(economy, point))),
        wage_hat=_frozen(np.exp(w)),
        price_hat=_frozen(np.exp(point.log_price.T)),
        unit_cost_hat=_frozen(np.exp(point.lnc.T)),
        income=_frozen(point.income),
        deficit=_frozen(np.array(point.D)),
        status=status,
        _economy=economy,
        _u=u,
        _point=point,
    )


# ---- arguments and answers -------------------------------------------------------------------------


def _moved(now: Array | None, direction: Array | None, share: float) -> Array | None:
    """A shock with a share of another added."""
    if direction is None:
        return now
    return share * direction if now is None else now + share * direction


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array


def _unsolved(
    table: TradeTable, shock: Shock, closure: Closure, failed: SearchError, psi: float
) -> Equilibrium:
    """An equilibrium of NaN with the reason."""
    base = prepare(table)
    economy = Economy(base, shock, closure, psi)
    u = np.full(base.size, np.nan)
    point = economy.evaluate(u)
    N, S = base.N, base.S

    def empty(*shape: int) -> Array:
        return _frozen(np.full(shape, np.nan))

    status = Status(False, failed.residual, failed.evaluations, failed.error.message)
    return Equilibrium(
        table,
        closure,
        empty(N),
        empty(N),
        empty(N, S),
        empty(N, S),
        empty(N),
        empty(N),
        status,
        economy,
        u,
        point,
    )
