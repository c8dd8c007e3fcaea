"""Real income at an equilibrium: the exact change, its first-order split, and its derivatives.

Derivatives are implicit: at the solution u = step(u; shock), so du = (I - J)^(-1) d step forwards and
one transposed solve backwards, whatever the number of trade costs.

Source: Caliendo and Parro (2015), Review of Economic Studies 82(1), equation (16), for the split;
Griewank and Walther (2008), Evaluating Derivatives, chapter 15, for the implicit adjoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from landbridge.errors import ConvergenceError, DataError, Fault, did_you_mean
from landbridge.trade.carriage import Paid
from landbridge.trade.coarse import of_base
from landbridge.trade.economy import Array, Economy, Point
from landbridge.trade.fixed_point import gmres
from landbridge.world.groups import standard_groups
from landbridge.world.trade_table import TradeTable

__all__ = ["CENTRAL_ASIA", "FirstOrder", "Gradient", "LinearResponse", "Outcome", "parse_outcome", "worth"]

# Group of Central Asian countries; a trade table has no World, so the members are those of the embedded
# table.
CENTRAL_ASIA = "CA5"
# Relative accuracy of the linear solves behind derivatives.
LINEAR_TOLERANCE = 1e-11


def worth(base: TradeTable, members: ArrayLike, change: float) -> dict[str, float]:
    """The value of a change of real income: musd = sum I x change, percent_of_gdp = 100 musd / sum GDP.

    base: the trade table; members [m]: numbers of the regions; change: of their joint real income, a fraction
    of base income. Income is GDP plus the trade deficit; income_musd and gdp_musd of the base are included
    [million USD a year].
    """
    at = np.atleast_1d(np.asarray(members, dtype=np.int64))
    income, gdp = float(base.income[at].sum()), float(base.gdp[at].sum())
    musd = income * change
    return {
        "musd": musd,
        "percent_of_gdp": 100.0 * musd / gdp,
        "income_musd": income,
        "gdp_musd": gdp,
    }


@dataclass(frozen=True, eq=False)
class FirstOrder:
    """Real income change to first order, in parts, as fractions of base income; finite changes (hat - 1).

    With E and M base exports and imports net of tariff, t the initial tariff, p = c / A producer prices:

    terms_of_trade = sum (E (p_own^ - 1) - M (p_source^ - 1)) / I
    volume         = sum t (M' - M p_source^) / I
    cost           = (sum Y (A^ - 1) - sum (1 + t) M (tau^ - 1) - works) / I
    transfer       = (D' - D) / I
    supply         = wL (L^ - 1) / I, factors supplied, zero without a supply elasticity
    rent           = payments to carriers above cost, more than in the base / I, zero without payments

    The sum equals the exact change for small steps only. Changes of p and D are those in the numeraire
    of the model (world value added constant); the sum does not depend on it under balanced trade.

    Source: Caliendo and Parro (2015), equation (16), extended by iceberg costs, productivity, transfers.
    """

    terms_of_trade: Array
    volume: Array
    cost: Array
    transfer: Array
    supply: Array
    rent: Array

    @property
    def sum(self) -> Array:
        """The sum of the parts [n], fraction of base income."""
        return self.terms_of_trade + self.volume + self.cost + self.transfer + self.supply + self.rent


@dataclass(frozen=True, eq=False, repr=False)
class Gradient:
    """Derivatives of one number (or of a weighted sum of outcomes) at an equilibrium.

    cost : [N, N, S], per unit of ln tau; tariff : [N, N, S], per unit of t, a fraction;
    productivity : [N, S], per unit of ln A; transfer : [N], per million USD received; output : [N, S], per
    million USD of further demand for a sector's output. `numpy.asarray(gradient)` is `cost`.
    """

    cost: Array
    tariff: Array
    productivity: Array
    transfer: Array
    output: Array

    def carriage(self, sector: int, trade: Array) -> tuple[Array, Array]:
        """Derivatives by the shares e paid to carriers and their rents r [o, d, s, m], see `Carriage`.

            dL/de = F' (L_Y[m, T] - L_Y[i, s]),   dL/dr = F' (L_I[m] - L_Y[m, T])

        sector: number of the carrying one; trade [o, d, s]: at the equilibrium [million USD]. The exporter's
        output is replaced by that of the carriers, or by their rent.
        """
        carries = self.output[:, sector]
        by_paid = trade[..., None] * (carries - self.output[:, None, :, None])
        return by_paid, trade[..., None] * (self.transfer - carries)

    def __repr__(self) -> str:
        N, _, S = self.cost.shape
        return (
            f"Gradient(cost, tariff [{N}, {N}, {S}], productivity [{N}, {S}], transfer [{N}]; "
            f"cost {self.cost.min():.4g} to {self.cost.max():.4g})"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False and dtype is not None and np.dtype(dtype) != self.cost.dtype:
            raise ValueError("a gradient of another type needs a copy")
        return np.array(self.cost, dtype=dtype, copy=True) if copy else np.asarray(self.cost, dtype=dtype)


@dataclass(frozen=True, eq=False)
class LinearResponse:
    """First-order change of every outcome in one direction.

    real_income, wage [N], price, unit_cost [N, S]: in logs. trade [N, N, S]: in million USD.
    """

    real_income: Array
    wage: Array
    price: Array
    unit_cost: Array
    trade: Array


@dataclass(frozen=True)
class Outcome:
    """A number to differentiate: 'real_income' or 'wage' of regions, or the 'flow' of one pair and sector.

    kind: one of these.
    """

    kind: str
    regions: tuple[int, ...]
    sector: int = -1


def parse_outcome(of: str, table: TradeTable) -> Outcome:
    """Read 'KAZ', 'real_income:KAZ', 'real_income:CA5', 'real_income:world', 'wage:KAZ', 'flow:CHN:KAZ:MCH'.

    of: the text; table: gives regions and sectors. Raises DataError with the nearest known words for an
    unknown part, and for a flow that is zero.
    """
    parts = str(of).split(":")
    if len(parts) == 1:
        parts = ["real_income", *parts]
    kind, names = parts[0], parts[1:]
    kinds = {"real_income": 1, "wage": 1, "flow": 3}
    if kind not in kinds:
        cure = did_you_mean(kind, kinds) or f"choose one of {', '.join(kinds)}"
        raise DataError(f"unknown outcome {of!r}", [Fault("of", f"{kind!r} is not an outcome", cure)])
    if len(names) != kinds[kind]:
        form = {"real_income": "real_income:REGION", "wage": "wage:REGION", "flow": "flow:FROM:TO:SECTOR"}
        raise DataError(f"cannot read outcome {of!r}", [Fault("of", f"has {len(names)} names", form[kind])])
    if kind == "flow":
        o, d, s = table.region(names[0]), table.region(names[1]), table.sector(names[2])
        if table.trade[o, d, s] <= 0:
            fault = Fault("of", "this flow is zero in the base and stays zero", "choose a pair that trades")
            raise DataError(f"no derivative of {of!r}", [fault])
        return Outcome(kind, (o, d), s)
    if kind == "real_income" and names[0] not in table.regions and names[0] in ("world", CENTRAL_ASIA):
        members = table.regions if names[0] == "world" else standard_groups()[CENTRAL_ASIA]
        return Outcome(kind, tuple(table.region(code) for code in members))
    return Outcome(kind, (table.region(names[0]),))


def outcome_value(
    outcome: Outcome, table: TradeTable, real_income: Array, wage: Array, trade: Array
) -> float:
    """The value of the outcome: a hat, or the flow in million USD.

    A group's real income is sum_n I_n W_n^ / sum_n I_n, the sum of its members' real incomes at base prices.
    """
    if outcome.kind == "flow":
        return float(trade[outcome.regions[0], outcome.regions[1], outcome.sector])
    if outcome.kind == "wage":
        return float(wage[outcome.regions[0]])
    members = list(outcome.regions)
    weight = table.income[members]
    return float(weight @ real_income[members] / weight.sum())


def outcome_cotangents(
    outcome: Outcome, table: TradeTable, real_income: Array, trade: Array
) -> dict[str, Array]:
    """Cotangents for `pull_back` whose derivative is d ln of the outcome."""
    N = len(table.regions)
    if outcome.kind == "flow":
        bar = np.zeros_like(trade)
        place = (outcome.regions[0], outcome.regions[1], outcome.sector)
        bar[place] = 1.0 / trade[place]
        return {"trade": bar}
    bar = np.zeros(N)
    members = list(outcome.regions)
    if outcome.kind == "wage":
        bar[members] = 1.0
        return {"wage": bar}
    weight = table.income[members] * real_income[members]
    bar[members] = weight / weight.sum()
    return {"real_income": bar}


def log_real_income(economy: Economy, point: Point) -> Array:
    """ln W_n^ = ln((I'_n - works_n) / I_n) - sum_s alpha_n^s ln P_n^s.

    economy: with its shock; point: a solved state. Returns logs [n].
    """
    base = economy.base
    spread = (base.alpha * point.log_price).sum(axis=0)
    return np.asarray(np.log((point.income - economy.works) / base.income) - spread)


def first_order(economy: Economy, point: Point, flows: Array, wage: Array) -> FirstOrder:
    """Caliendo and Parro's sum at a solved point; flows F'[s, d, o] net of tariff, wage: ln w^ [n]."""
    base, shock = economy.base, economy.shock
    F, income = base.F, base.income
    ln_A = np.zeros((base.S, base.N)) if shock.ln_productivity is None else shock.ln_productivity
    rise = np.expm1(point.lnc - ln_A)  # [s, o]
    bought = np.matmul(F, rise[:, :, None])[:, :, 0]
    terms = (base.Y * rise).sum(axis=0) - bought.sum(axis=0)
    volume = np.zeros(base.N)
    if base.tariff is not None:
        volume = (base.tariff * (flows - F * (1.0 + rise)[:, None, :])).sum(axis=(0, 2))
    cost = (base.Y * np.expm1(ln_A)).sum(axis=0)
    if shock.ln_cost is not None:
        paid = base.pi * base.X[:, :, None]
        cost = cost - np.where(paid > 0, paid * np.expm1(shock.ln_cost), 0.0).sum(axis=(0, 2))
    cost = cost - economy.works
    supply = np.zeros(base.N)
    if economy.supply_elasticity:
        # wL' / w^ are the factors in base wages.
        supply = point.wl / np.exp(wage) - base.wL
    rent = np.zeros(base.N) if point.rent is None else point.rent
    parts = terms, volume, cost, point.D - base.D, supply, rent
    return FirstOrder(*(part / income for part in parts))


def _accurate(accuracy: float, what: str) -> None:
    if accuracy > 1e3 * LINEAR_TOLERANCE:
        raise ConvergenceError(
            f"the {what} was solved only to {accuracy:.1e}: the equilibrium is close to where it ceases "
            "to be unique or to exist; use deficits='proportional' or a smaller shock"
        )


def pull_back(
    economy: Economy,
    point: Point,
    real_income: Array | None = None,
    wage: Array | None = None,
    price: Array | None = None,
    unit_cost: Array | None = None,
    trade: Array | None = None,
) -> Gradient:
    """Cotangents on the outcomes (logs; trade in levels, all [region first]) to cotangents on the shocks.

    lambda = (I - J^T)^(-1) u_bar by GMRES, then one product with the derivative of `step` by the shocks.
    """
    base = economy.base
    N, S, theta = base.N, base.S, base.theta[:, :, None]
    flows = economy.flows(point)
    on_state = np.zeros(base.size)
    p_bar, _, w_bar = economy.split(on_state)
    bar_I: Array | None = None
    if real_income is not None:
        bar_I = real_income / (point.income - economy.works)
        p_bar -= base.alpha * real_income
    if price is not None:
        p_bar += price.T
    if wage is not None:
        w_bar += wage
    bar_c = None if unit_cost is None else np.ascontiguousarray(unit_cost.T)
    bar_flow = None if trade is None else trade.transpose(2, 1, 0) * flows
    zero = np.zeros(base.size)
    u_bar = on_state + economy.pull(point, zero, bar_I, bar_c, bar_flow).u
    coarse = of_base(economy)

    def transposed(v: Array) -> Array:
        v = coarse.back(v)
        return v - economy.pull(point, v).u

    solved, accuracy, _ = gmres(transposed, u_bar, LINEAR_TOLERANCE)
    _accurate(accuracy, "adjoint")
    # Every tariff may change, so revenue counts even where all tariffs are zero now.
    last = economy.pull(point, coarse.back(solved), bar_I, bar_c, bar_flow, taxes=True)
    shares = economy.shares(point)
    sold = flows * (last.sales + last.spent[None, :, None])
    if bar_flow is not None:
        sold += bar_flow
        # ln F depends on ln P of the state through `share`; the direct part is in `sold`.
    q = shares * last.share[:, :, None] - theta * sold
    by_cost = np.ascontiguousarray(q.transpose(2, 1, 0))
    by_tariff = q - sold
    if economy.taxed:
        by_tariff /= economy.gross
    return Gradient(
        by_cost,
        np.ascontiguousarray(by_tariff.transpose(2, 1, 0)),
        np.ascontiguousarray(-q.sum(axis=1).reshape(S, N).T),
        -last.spent,
        np.ascontiguousarray(last.output.T),
    )


def push_forward(
    economy: Economy,
    point: Point,
    ln_cost: Array | None = None,
    d_tariff: Array | None = None,
    ln_productivity: Array | None = None,
    d_transfer: Array | None = None,
    d_paid: Paid | None = None,
    d_works: Array | None = None,
) -> LinearResponse:
    """d of every outcome along one direction of the shocks ([s, d, o], [s, o], [n]): one linear solve."""
    base = economy.base
    theta = base.theta[:, :, None]
    flows, shares = economy.flows(point), economy.shares(point)
    q = np.zeros_like(flows)
    ln_T: Array | float = 0.0
    if ln_cost is not None:
        q += ln_cost
    if d_tariff is not None:
        ln_T = d_tariff / economy.gross if economy.taxed else d_tariff
        q += ln_T
    if ln_productivity is not None:
        q -= ln_productivity[:, None, :]
    lost = flows * (theta * q + ln_T)
    output, rent = economy.lost(lost)
    d_income = -rent if d_transfer is None else d_transfer - rent
    if d_paid is not None:
        more, more_rent = d_paid.received(d_paid.of_sales(flows))
        output = output + (flows * d_paid.total).sum(axis=1)
        output[d_paid.sector] -= more
        d_income = d_income + more_rent
    landed = ((shares * q).sum(axis=2), output, lost.sum(axis=2))
    coarse = of_base(economy)
    rhs = economy.push(point, np.zeros(base.size), landed, d_income).u

    def system(v: Array) -> Array:
        return coarse.step(v - economy.push(point, v).u)

    du, accuracy, _ = gmres(system, coarse.step(rhs), LINEAR_TOLERANCE)
    _accurate(accuracy, "linear response")
    out = economy.push(point, du, landed, d_income)
    dp, dx, dw = economy.split(du)
    rate = (dx + base.theta * dp)[:, :, None] - theta * (out.lnc[:, None, :] + q) - ln_T
    enjoyed = out.income if d_works is None else out.income - d_works
    return LinearResponse(
        enjoyed / (point.income - economy.works) - (base.alpha * dp).sum(axis=0),
        dw.copy(),
        dp.T.copy(),
        out.lnc.T.copy(),
        np.ascontiguousarray((flows * rate).transpose(2, 1, 0)),
    )
