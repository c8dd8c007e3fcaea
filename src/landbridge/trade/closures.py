"""One shock under several closures: what is held fixed, and how much it matters.

    fixed      wl' = w^ wL
    labour     F^ = L^(1-m), L^ = (w^ F^ / (L^ P^))^e, so F^ = (w^ / P^)^(e (1 - m) / (1 + m e))
    labour_tax the same with w^ (1 + a) for w^, a (1 - m) wl' = R' - R
    capital    F^ = K^m, K^ = (w^ F^) / P^ in the steady state, so F^ = (w^ / P^)^(m / (1 - m))

F: the bundle L^(1-m) K^m of labour and capital, of price w; e: elasticity of hours to the real wage; m:
share of capital in value added. R: tariff revenue. Instead of a payment to households, its change lowers the
tax on labour by the fraction a of labour earnings (a fall of revenue raises the tax).

Capital follows ln K_t+1 = (1 - d) ln K_t + d ln(investment_t). The share s = m b d / (1 - b + b d) of value
added is invested, so that investment^ = w^ F^ / P^. This is the choice of households with log utility and
discount factor b if transfers and tariff revenue move with value added; otherwise only in the steady state.
Consumption is C = (I - s VA) / P, and the change of discounted consumption is the constant rise l with

    ln(1 + l) = (1 - b) sum_t b^t ln(C_t / C_0)

Source: Anderson, Larch and Yotov (2020), Transitional Growth and Trade with Frictions, Economic Journal, for
the accumulation of capital; here with sectors, inputs and tariffs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from landbridge.errors import ConvergenceError, DataError, Fault, LandbridgeError
from landbridge.trade.economy import Array, Closure
from landbridge.trade.equilibrium import Equilibrium, resolve
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.world.groups import standard_groups
from landbridge.world.trade_table import TradeTable

__all__ = ["ClosureResult", "Saving", "closure_rows", "closures", "lower_tax"]

# Years solved one by one; after them the remaining gap falls by a constant factor a year.
_YEARS = 60
_TOL = 1e-11
# The tax on labour and its revenue are found by iteration; revenue is a small part of wages.
_TAX_ROUNDS = 40


@dataclass(frozen=True)
class Saving:
    """Accumulation of capital.

    capital_share: m; discount: b per year; depreciation: d per year. Raises DataError with every one that is
    out of bounds.
    """

    capital_share: float
    discount: float
    depreciation: float

    def __post_init__(self) -> None:
        faults = [
            Fault(name, f"is {value!r}", f"give a number {span}")
            for name, value, span, fits in (
                (
                    "capital_share",
                    self.capital_share,
                    "of at least 0 and below 1",
                    0 <= self.capital_share < 1,
                ),
                ("discount", self.discount, "between 0 and 1", 0 < self.discount < 1),
                ("depreciation", self.depreciation, "above 0, at most 1", 0 < self.depreciation <= 1),
            )
            if not fits
        ]
        if faults:
            raise DataError("capital cannot be built up", faults)

    @property
    def supply_elasticity(self) -> float:
        """m / (1 - m): elasticity of factors to their real price in the steady state."""
        return self.capital_share / (1.0 - self.capital_share)

    @property
    def share(self) -> float:
        """Investment over value added, s."""
        worth = self.discount * self.depreciation
        return self.capital_share * worth / (1.0 - self.discount + worth)


@dataclass(frozen=True, eq=False)
class ClosureResult:
    """Real income under one closure [n], as ratios to its base.

    factors: "fixed", "labour", "labour_tax" or "capital"; deficits: closure of the balance of trade. holds:
    what is held fixed, in words. real_income_hat [n]: after / before; consumption_hat, discounted_hat [n]:
    consumption net of investment in the steady state, and discounted along the path to it; None where no
    capital accumulates. Where the closure has no solution every figure is None and `why` states the reason.
    """

    factors: str
    deficits: Closure
    holds: str
    base: TradeTable
    real_income_hat: Array | None = None
    consumption_hat: Array | None = None
    discounted_hat: Array | None = None
    why: str = ""


def closures(
    solved: Mapping[str, Equilibrium], main: Closure, labour_elasticity: float, saving: Saving
) -> tuple[ClosureResult, ...]:
    """A shock under three closures of the balance of trade and three of factors.

    solved: the shock by closure of the balance, with factors fixed; the main one is required, others are
    solved if missing. main: its name; labour_elasticity: e, of hours to the real wage; saving: parameters of
    capital. A closure without a solution is listed with the reason, so that only the main one raises what
    `solve` raises. Equations and source: head of `landbridge.trade.closures`.
    """
    eq = solved[main]
    kept: dict[Closure, str] = {
        "fixed": "labour, capital, deficits in money",
        "proportional": "labour, capital, deficits over income",
        "zero": "labour, capital, no deficits before or after",
    }

    def fixed(name: Closure) -> ClosureResult:
        found = solved.get(name) or resolve(eq, name, tol=_TOL)
        return ClosureResult("fixed", name, kept[name], found.base, found.real_income_hat)

    m = saving.capital_share
    psi = labour_elasticity * (1.0 - m) / (1.0 + m * labour_elasticity)

    def labour() -> ClosureResult:
        holds = f"capital, deficits ({main}); hours follow the real wage"
        return ClosureResult("labour", main, holds, eq.base, resolve(eq, main, psi, tol=_TOL).real_income_hat)

    def labour_tax() -> ClosureResult:
        holds = f"capital, deficits ({main}); hours follow; tariff revenue lowers the tax on labour"
        found, _ = lower_tax(eq, psi, 1.0 - m)
        return ClosureResult("labour_tax", main, holds, eq.base, found.real_income_hat)

    def capital() -> ClosureResult:
        long = resolve(eq, main, saving.supply_elasticity, tol=_TOL)
        return ClosureResult(
            "capital",
            main,
            f"labour, deficits ({main}); capital in its new steady state",
            eq.base,
            long.real_income_hat,
            _consumed(long, _factors(long) * long.wage_hat, saving.share),
            along_the_way(eq, long, saving),
        )

    asked: list[tuple[str, Closure, Callable[[], ClosureResult]]] = [
        *(("fixed", name, partial(fixed, name)) for name in kept),
        ("labour", main, labour),
        ("labour_tax", main, labour_tax),
        ("capital", main, capital),
    ]
    found = []
    for factors, deficits, solve_it in asked:
        try:
            found.append(solve_it())
        except LandbridgeError as error:
            holds = kept[deficits] if factors == "fixed" else f"{factors} moves, deficits ({deficits})"
            found.append(ClosureResult(factors, deficits, holds, eq.base, why=error.message))
    return tuple(found)


def closure_rows(
    found: Sequence[ClosureResult], central_asia: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """A row for each closure and region, and for CA5 and the world with base incomes as weights.

    found: of `closures`; central_asia: codes of CA5, by default those of the embedded table. percent: change
    of real income, in the steady state where capital accumulates; consumption_percent: of consumption net of
    investment there; discounted_percent: of consumption discounted along the path. None, with the reason
    (why), where a closure has no solution. percent = 100 sum I_n (W_n^ - 1) / sum I_n, I base income, W^ the
    change of income or consumption.
    """
    five = standard_groups()[CENTRAL_ASIA] if central_asia is None else central_asia
    rows = []
    for each in found:
        base = each.base
        groups = {region: [n] for n, region in enumerate(base.regions)}
        groups[CENTRAL_ASIA] = [n for n, region in enumerate(base.regions) if region in five]
        groups["world"] = list(range(len(base.regions)))
        hats = {
            "percent": each.real_income_hat,
            "consumption_percent": each.consumption_hat,
            "discounted_percent": each.discounted_hat,
        }
        for region, members in groups.items():
            if not members:
                continue
            weight = base.income[members] / base.income[members].sum()
            row: dict[str, Any] = {"factors": each.factors, "deficits": each.deficits, "holds": each.holds}
            row |= {"region": region, "why": each.why, "percent": None}
            row |= {
                name: 100.0 * float(weight @ (hat[members] - 1.0))
                for name, hat in hats.items()
                if hat is not None
            }
            rows.append(row)
    return rows


def lower_tax(eq: Equilibrium, psi: float, labour: float) -> tuple[Equilibrium, Array]:
    """A shock whose change of tariff revenue lowers the tax on labour, and ln(1 + a) [n].

    a labour wl' = R' - R, F^ = (w^ (1 + a) / P^)^psi

    eq: the shock with fixed factors; R, R': tariff revenue before and after; psi: supply elasticity; labour:
    share of labour in value added. The wage of the equilibrium is w^ (1 + a)^(psi / (1 + psi)). Income of
    households is unchanged: they pay less tax instead of receiving the revenue. Raises ConvergenceError where
    tax and revenue do not converge, DataError where a tax would take all wages.
    """
    cut = np.zeros(len(eq.base.regions))
    found: Equilibrium | None = None
    for _ in range(_TAX_ROUNDS):
        # Factors that grow by (1 + a)^psi at a wage w^ are the elastic ones at this productivity.
        lift = psi / (1.0 + psi) * cut[:, None] * eq.base.labour_share
        found = resolve(eq, eq.deficits, psi, lift=lift, tol=_TOL, start=found)
        revenue = (found.tariff * found.trade).sum(axis=(0, 2)) - eq.base.tariff_revenue
        rate = revenue / (labour * found.factor_income)
        taken = np.flatnonzero(rate <= -1.0)
        if len(taken):
            names = ", ".join(eq.base.regions[n] for n in taken.tolist())
            fault = Fault("tariff", f"loses {names} more revenue than labour earns", "lower the tariff less")
            raise DataError("no tax on labour makes up for the revenue", [fault])
        before, cut = cut, np.log1p(rate)
        if np.abs(cut - before).max() <= 0.1 * _TOL:
            return found, cut
    raise ConvergenceError(f"the tax on labour and its revenue do not meet in {_TAX_ROUNDS} rounds")


def along_the_way(eq: Equilibrium, long: Equilibrium, saving: Saving, years: int = _YEARS) -> Array:
    """Consumption discounted from the year of the shock on, as a ratio [n]; long: the steady state.

    Solved year by year; after the last year the remaining gap falls by the factor 1 - d (1 - m) a year, that
    of a small economy.
    """
    b = saving.discount
    end = np.log(_consumed(long, _factors(long) * long.wage_hat, saving.share))
    total, last = np.zeros_like(end), np.zeros_like(end)
    for t, (solved, _) in enumerate(path(eq, saving, years)):
        last = np.log(_consumed(solved, solved.wage_hat, saving.share))
        total += b**t * last
    root = 1.0 - saving.depreciation * (1.0 - saving.capital_share)
    rest = end / (1.0 - b) + (last - end) * root / (1.0 - b * root)
    return np.asarray(np.exp((1.0 - b) * (total + b**years * rest)))


def path(eq: Equilibrium, saving: Saving, years: int) -> Iterator[tuple[Equilibrium, Array]]:
    """The equilibrium and ln K [n] of every year; the shock is at the start of the first, capital unchanged.

    A bundle of factors that grows by F^ is a productivity of F^^b_n^s with factors fixed; the wage of these
    equilibria is then w^ F^.
    """
    ln_K = np.zeros(len(eq.base.regions))
    solved = eq
    for _ in range(years):
        lift = saving.capital_share * ln_K[:, None] * eq.base.labour_share
        solved = resolve(eq, eq.deficits, lift=lift, tol=_TOL, start=solved)
        yield solved, ln_K
        invested = np.log(solved.wage_hat / _price_index(solved))
        ln_K = (1.0 - saving.depreciation) * ln_K + saving.depreciation * invested


def _price_index(eq: Equilibrium) -> Array:
    return np.asarray(np.exp((eq.base.final_share * np.log(eq.price_hat)).sum(axis=1)))


def _factors(eq: Equilibrium) -> Array:
    """F^ of an equilibrium with elastic supply [n]."""
    return np.asarray((eq.wage_hat / _price_index(eq)) ** eq.supply_elasticity)


def _consumed(eq: Equilibrium, earned: Array, share: float) -> Array:
    """C' / C [n]; earned: earnings of labour and capital over those of the base."""
    base = eq.base
    factors = base.value_added - base.rents
    before = base.income - share * factors
    # Spending on works is not consumed.
    after = eq.income - eq.works - share * factors * earned
    poor = np.flatnonzero((before <= 0.0) | (after <= 0.0))
    if len(poor):
        names = ", ".join(base.regions[n] for n in poor.tolist())
        fault = Fault("capital_share", f"leaves no consumption in {names}", "give a smaller share")
        raise DataError("investment takes all income", [fault])
    return np.asarray(after / before / _price_index(eq))
