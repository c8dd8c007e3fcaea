"""Multilateral resistances, and the equilibrium in which only they change.

A flow is X_od = Y_o E_d / Y (tau_od / (Pi_o P_d))^(-theta), with Pi_o the outward resistance of sellers in o
over all their markets, and P_d the inward one, the price index of d. Only their products are determined, so
in one region, the reference, the change of the inward resistance is set to one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landbridge.errors import ConvergenceError, DataError, Fault, InfeasibleError, Status
from landbridge.trade.arguments import read_shock
from landbridge.world.trade_table import TradeTable

if TYPE_CHECKING:
    import pandas as pd

    from landbridge.trade.equilibrium import Equilibrium

__all__ = ["Conditional", "conditional", "frame_of_trade", "held", "resistances"]

Array = NDArray[np.float64]
# Scalings of rows and columns before Newton's method, which may not be needed then.
_SCALINGS = 4
_MOST = 100


@dataclass(frozen=True, eq=False, repr=False)
class Conditional:
    """Flows after a change of trade costs with output and expenditure of every region and sector held.

    Attributes
    ----------
    base
        The table that the changes refer to.
    reference
        The region whose inward resistance stays at one in every sector.
    trade : [N, N, S], million USD
        New flows at producer prices, net of tariff.
    outward_hat, inward_hat : [N, S]
        Pi^ and P^; scaling P^ up and Pi^ down by one factor everywhere gives the same equilibrium.
    real_income_hat : [N]
        1 / prod_s P_n^s^^alpha_n^s, with income held; it is relative to the reference's.
    status
        How the solve ended; the residual is the largest relative error of an output or expenditure.
    """

    base: TradeTable
    reference: str
    trade: Array
    outward_hat: Array
    inward_hat: Array
    status: Status

    @cached_property
    def real_income_hat(self) -> Array:
        """Real income after / before [N]: with income held, only the price index of consumption changes."""
        return np.asarray(np.exp(-(self.base.final_share * np.log(self.inward_hat)).sum(axis=1)))

    def resistances(self) -> pd.DataFrame:
        """One row per region and sector: outward_hat and inward_hat."""
        return _frame(self.base, self.outward_hat, self.inward_hat)

    def frame(self) -> pd.DataFrame:
        """One row per region, in percent: real income, exports, imports, real GDP (nominal GDP is held)."""
        import pandas as pd

        columns = {"real_income": self.real_income_hat - 1.0}
        columns |= _trade_changes(self.base.trade, self.trade, 1.0)
        columns["real_gdp"] = self.real_income_hat - 1.0
        index = pd.Index(self.base.regions, name="region")
        return pd.DataFrame({f"{k}_percent": 100.0 * v for k, v in columns.items()}, index=index)

    def __repr__(self) -> str:
        change = self.real_income_hat - 1.0
        low, high = int(change.argmin()), int(change.argmax())
        names = self.base.regions
        size = f"{len(names)} regions x {len(self.base.sectors)} sectors"
        return (
            f"Conditional({size}, output held; real income {100 * change[low]:+.4f} % ({names[low]}) to "
            f"{100 * change[high]:+.4f} % ({names[high]}), relative to {self.reference})"
        )


def conditional(
    table: TradeTable, cost_hat: ArrayLike, reference: str | None, tol: float = 1e-10
) -> Conditional:
    """The conditional equilibrium: outputs and expenditures are held, the multilateral resistances change.

    X'_od = X_od tau^_od^(-theta) (Pi^_o P^_d)^theta;  sum_d X'_od = Y_o;  sum_o X'_od = E_d;  P^_ref = 1.
    Expenditure is net of tariff, and tariffs are constant. Where several groups of regions do not trade with
    each other, the reference fixes its own group and the others keep the mean of their inward resistances.

    Parameters
    ----------
    table
        The benchmark, not rebased: its own outputs and expenditures are held.
    cost_hat : [N, N, S] (origin, destination, sector) or [N, N]
        Ratio of iceberg costs; infinity closes a flow.
    reference
        The region whose inward resistance stays at one.
    tol
        Largest accepted relative error of an output or expenditure.

    Raises
    ------
    DataError
        No reference or an unknown one; cost_hat of another shape or sign.
    InfeasibleError
        A closed flow leaves an output or an expenditure without any flow.
    ConvergenceError
        No flows on the open pairs have these sums.

    Source: Anderson and van Wincoop (2003), American Economic Review 93(1), equations (10)-(11); Yotov et
    al. (2016), An Advanced Guide to Trade Policy Analysis, chapter 2, for the name.
    """
    if reference is None:
        cure = "name the region whose inward resistance stays at one: resistances are relative to it"
        raise DataError("the resistances have no level", [Fault("reference", "is not given", cure)])
    at = table.region(reference)
    shock = read_shock(table, cost_hat, None, None, None)
    N, S = len(table.regions), len(table.sectors)
    trade, outward, inward = np.array(table.trade), np.ones((N, S)), np.ones((N, S))
    worst, steps = 0.0, 0
    for s in range(S):
        if shock.ln_cost is None:
            break
        theta = float(table.theta[s])
        with np.errstate(under="ignore"):
            kernel = table.trade[:, :, s] * np.exp(-theta * shock.ln_cost[s].T)
        row, column = table.trade[:, :, s].sum(axis=1), table.trade[:, :, s].sum(axis=0)
        _open(table, kernel, row, column, table.sectors[s])
        a, b, miss, count = _scaled(kernel, row, column, tol)
        if not miss <= tol:
            raise ConvergenceError(
                f"the conditional equilibrium of {table.sectors[s]} misses outputs by {miss:.0e}: the open "
                "flows may not be able to carry them; close fewer"
            )
        worst, steps = max(worst, miss), max(steps, count)
        trade[:, :, s] = kernel * np.exp(a)[:, None] * np.exp(b)
        shift = b[at]
        outward[:, s], inward[:, s] = np.exp((a + shift) / theta), np.exp((b - shift) / theta)
    for array in (trade, outward, inward):
        array.setflags(write=False)
    status = Status(
        True, worst, steps, f"outputs and expenditures held; inward resistance of {reference} is one"
    )
    return Conditional(table, reference, trade, outward, inward, status)


def held(
    table: TradeTable,
    cost_hat: ArrayLike | None,
    hold: str,
    reference: str | None,
    tol: float,
    rest: tuple[object, ...],
) -> Conditional:
    """`solve` with `hold`: the conditional equilibrium, which allows changes of trade costs only.

    table, cost_hat [N, N, S] or [N, N], reference, tol: as in `conditional`, which has equations and source;
    hold: "output"; rest: further arguments of `solve`, which must be None. Raises what `conditional` raises,
    and DataError for another hold.
    """
    faults = []
    if hold != "output":
        faults.append(Fault("hold", f"is {hold!r}", 'give "output"'))
    if any(value is not None for value in rest):
        cure = "give cost_hat alone: a tariff, productivity or transfer would move what is held"
        faults.append(Fault("hold", "is combined with another shock", cure))
    if faults:
        raise DataError("the conditional equilibrium cannot be solved", faults)
    unchanged = np.ones((len(table.regions), len(table.regions)))
    return conditional(table, unchanged if cost_hat is None else cost_hat, reference, tol)


def resistances(equilibrium: Equilibrium, reference: str) -> pd.DataFrame:
    """Changes of the outward and inward resistances of a solved equilibrium, relative to a reference.

    P_d^ = the change of the price index, over the reference's; Pi_o^ = (Y_o^ / Y^)^(-1/theta) / p_o^ times
    the reference's P^, p the producer price and Y the world's output of the sector. Neither depends on the
    numeraire.

    equilibrium: the solved one; reference: region code. Returns one row per region and sector: outward_hat,
    inward_hat; NaN where nothing is produced.
    Raises DataError for an unknown reference, ConvergenceError where the equilibrium is unconverged.

    Source: Anderson and van Wincoop (2003), American Economic Review 93(1), equations (10)-(13).
    """
    base = equilibrium.base
    at = base.region(reference)
    solved = equilibrium.table()
    price = equilibrium.price_hat
    with np.errstate(all="ignore"):
        output = solved.output / base.output
        world = solved.output.sum(axis=0) / base.output.sum(axis=0)
        made = equilibrium.producer_price_hat
        outward = (output / world) ** (-1.0 / base.theta) / made * price[at]
    return _frame(base, outward, price / price[at])


def frame_of_trade(equilibrium: Equilibrium, reference: str | None) -> dict[str, Array]:
    """Changes of exports, imports and real GDP by region [n], fractions; units of `Equilibrium.frame`.

    change = after / before - 1, exports and imports sums of trade abroad, GDP deflated by the price index of
    final demand

    equilibrium: the solved one; reference: code of the region whose prices are the unit, None for those of
    the solver. Raises DataError for an unknown reference, ConvergenceError where the equilibrium is
    unconverged.
    """
    base, solved = equilibrium.base, equilibrium.table()
    index = np.exp((base.final_share * np.log(equilibrium.price_hat)).sum(axis=1))
    unit = 1.0 if reference is None else float(index[base.region(reference)])
    gdp = (solved.value_added + solved.tariff_revenue) / (base.value_added + base.tariff_revenue)
    return _trade_changes(base.trade, equilibrium.trade, unit) | {"real_gdp": gdp / index - 1.0}


def _trade_changes(before: Array, after: Array, unit: float) -> dict[str, Array]:
    """Changes of exports and imports (domestic sales left out), net of tariff, in units of `unit`."""
    found = {}
    for name, axes in (("exports", (1, 2)), ("imports", (0, 2))):
        old, new = (v.sum(axis=axes) - np.einsum("nns->n", v) for v in (before, after))
        with np.errstate(all="ignore"):
            found[name] = np.where(old > 0, new / (np.where(old > 0, old, 1.0) * unit) - 1.0, np.nan)
    return found


def _frame(table: TradeTable, outward: Array, inward: Array) -> pd.DataFrame:
    import pandas as pd

    index: pd.Index = pd.MultiIndex.from_product([table.regions, table.sectors], names=["region", "sector"])
    if len(table.sectors) == 1:
        index = pd.Index(table.regions, name="region")
    return pd.DataFrame({"outward_hat": outward.ravel(), "inward_hat": inward.ravel()}, index=index)


def _open(table: TradeTable, kernel: Array, row: Array, column: Array, sector: str) -> None:
    for axis, sums, what in ((1, row, "output"), (0, column, "expenditure")):
        closed = (sums > 0) & (kernel.sum(axis=axis) <= 0)
        if closed.any():
            region = table.regions[int(closed.argmax())]
            raise InfeasibleError(f"every flow that carries the {what} of {sector} in {region} is closed")


def _scaled(kernel: Array, row: Array, column: Array, tol: float) -> tuple[Array, Array, float, int]:
    """ln of row and column factors that give the kernel these sums, the largest error, and the steps.

    Columns are scaled exactly, and the rows solve a convex problem by Newton's method with backtracking,
    after some plain scalings (which alone would need thousands of rounds where little is traded).
    """
    N = len(row)
    makes, buys = row > 0, column > 0
    a, b = np.zeros(N), np.zeros(N)
    safe_row, safe_column = np.where(makes, row, 1.0), np.where(buys, column, 1.0)

    def columns(a: Array) -> tuple[Array, Array, float]:
        """ln of the column factors, the flows, and the largest relative error of a row."""
        with np.errstate(all="ignore"):
            sums = np.exp(a) @ kernel
            b = np.where(buys & (sums > 0), np.log(safe_column) - np.log(np.where(sums > 0, sums, 1.0)), 0.0)
            flows = kernel * np.exp(a)[:, None] * np.exp(b)
            miss = float(np.abs(np.where(makes, flows.sum(axis=1) / safe_row - 1.0, 0.0)).max())
        return b, flows, miss if np.isfinite(miss) else np.inf

    b, flows, miss = columns(a)
    for step in range(_MOST):
        if miss <= 0.01 * tol:
            return a, b, miss, step
        for _ in range(_SCALINGS):
            a = np.where(makes, a + np.log(safe_row) - np.log(np.where(makes, flows.sum(axis=1), 1.0)), 0.0)
            b, flows, new = columns(a)
        if new >= miss and miss <= tol:
            return a, b, new, step
        miss = new
        gap = np.where(makes, row - flows.sum(axis=1), 0.0)
        bend = np.diag(flows.sum(axis=1)) - (flows / safe_column) @ flows.T
        root = 1.0 / np.sqrt(safe_row)
        move = root * np.linalg.lstsq(root[:, None] * bend * root, root * gap, rcond=1e-13)[0]
        share = min(1.0, 5.0 / max(float(np.abs(move).max()), 1e-300))
        while share > 1e-3:
            b2, flows2, new = columns(a + share * move)
            if new < miss:
                a, b, flows, miss = a + share * move, b2, flows2, new
                break
            share *= 0.5
    return a, b, miss, _MOST
