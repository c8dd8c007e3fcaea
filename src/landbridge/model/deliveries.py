"""Hold energy trade to the gas that is delivered, with the deposits of its sellers.

A pipeline is a quantity: the trade cost of a pair is changed until its trade at base prices is consistent
with the gas delivered. Gas that loses its pipeline has no other buyer except through other pipelines, which
the gas network has found: the deposits in use, V^ of a fixed factor with the share b r of the sector's
output, are changed until the seller's other sales abroad at base prices are those of the other changes of a
case alone. With c^ ~ (Y^ / V^)^(b r) that is a change of productivity A^ = V^^(b r); without rents (r = 0)
there is no deposit to leave idle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.protocol import Held
from landbridge.errors import ConvergenceError, Status
from landbridge.trade import Equilibrium, solve
from landbridge.trade.economy import Closure
from landbridge.world.trade_table import TradeTable

__all__ = ["Deliveries", "at_base_prices", "hold"]

FloatArray = NDArray[np.float64]

# Tolerance of the quantities (log), and number of solves at most.
_TOL, _STEPS = 1e-6, 30


@dataclass(frozen=True, eq=False)
class Deliveries:
    """Trade held to what is delivered.

    equilibrium: with the deliveries; status: of the search.
    cost_hat [o, d, s]: trade costs that give it. productivity_hat [n, s]: with the deposits in use, None
    where nothing changes it. deposits: region, sector and V^, deposits in use after / before.
    """

    cost_hat: FloatArray
    productivity_hat: FloatArray | None
    deposits: tuple[tuple[int, int, float], ...]
    equilibrium: Equilibrium
    status: Status


def hold(
    pipes: Held,
    table: TradeTable,
    cost_hat: FloatArray,
    tariff: FloatArray | None = None,
    productivity_hat: FloatArray | None = None,
    transfer: FloatArray | None = None,
    deficits: Closure = "fixed",
    start: Equilibrium | None = None,
    throw: bool = True,
) -> Deliveries:
    """Costs and deposits at which trade over pipelines equals deliveries, by Broyden's method on logs.

    pipes: held pairs; table: trade table; cost_hat, tariff [o, d, s], productivity_hat [n, s], transfer [n,
    million USD], deficits: further changes, as in `solve`. start: an equilibrium near the solution; the
    search begins at the cost that would suffice if nothing else changed. throw: raise where the quantities
    are not met. Returns Deliveries.
    Raises ConvergenceError where the quantities are not met, unless `throw` is False, and as `solve`.
    Equations: head of `landbridge.model.deliveries`. Source: Broyden (1965), Mathematics of Computation 19.
    """
    pairs = tuple(np.array(pipes.pairs).T)
    sellers = _sellers(pipes, table)
    n_pairs = len(pipes.pairs)
    beside = solve(
        table, cost_hat, tariff, productivity_hat, deficits, transfer=transfer, throw=throw, start=start
    )
    others = _others(at_base_prices(beside), table, sellers)
    target = np.append(np.log(pipes.kept), np.log(others))
    # Deposits start from the remaining output of the seller.
    idle = [_output_left(pipes, table, n, s) for n, s, _ in sellers]
    x = np.append(np.log(pipes.cost_hat), np.log(np.array(idle)))
    slope = np.diag([-0.5 * float(table.theta[s]) for s in pairs[2]] + [1.0 for _ in sellers])
    before: tuple[FloatArray, FloatArray] | None = None
    previous = start
    for number in range(1, _STEPS + 1):
        hat = np.array(cost_hat)
        hat[pairs] *= np.exp(x[:n_pairs])
        lift = _with_deposits(table, productivity_hat, sellers, x[n_pairs:])
        eq = solve(table, hat, tariff, lift, deficits, transfer=transfer, throw=throw, start=previous)
        sales = at_base_prices(eq)
        miss = np.log(np.append(sales[pairs] / table.trade[pairs], _others(sales, table, sellers))) - target
        worst, tried = float(np.abs(miss).max()), x
        if not eq.status.converged:
            status = eq.status
            break
        if worst < _TOL:
            told = "energy trade goes with the gas delivered"
            status = Status(True, worst, number, told, eq.status.rebase)
            break
        if before is not None:
            step, change = x - before[0], miss - before[1]
            slope += np.outer(change - slope @ step, step) / (step @ step)
        before, previous = (x, miss), eq
        x = x - np.clip(np.linalg.lstsq(slope, miss, rcond=None)[0], -1.0, 1.0)
    else:
        message = f"energy trade is {worst:.1e} (log) off the gas delivered: make the change smaller"
        if throw:
            raise ConvergenceError(message)
        status = Status(False, worst, _STEPS, message)
    left = np.exp(tried[n_pairs:])
    deposits = tuple((n, s, float(v)) for (n, s, _), v in zip(sellers, left, strict=True))
    return Deliveries(hat, lift, deposits, eq, status)


def _others(
    sales: FloatArray, table: TradeTable, sellers: list[tuple[int, int, NDArray[np.int64]]]
) -> FloatArray:
    """Sales of each seller to buyers whose pipelines do not change, over those of the base."""
    return np.array([float(sales[n, to, s].sum() / table.trade[n, to, s].sum()) for n, s, to in sellers])


def at_base_prices(eq: Equilibrium) -> FloatArray:
    """Sales of every exporter at its base prices [o, d, s]: value' / (c^ / A^), million USD.

    eq: the equilibrium; value', c^ / A^: its trade, and the unit cost over productivity, after / before.
    """
    return np.asarray(eq.trade / eq.producer_price_hat[:, None, :])


def _sellers(pipes: Held, table: TradeTable) -> list[tuple[int, int, NDArray[np.int64]]]:
    """Sellers with deposits, their sector, and the buyers abroad whose pipelines do not change."""
    out = []
    for n, s in sorted({(o, s) for o, _, s in pipes.pairs}):
        piped = {d for o, d, sector in pipes.pairs if (o, sector) == (n, s)}
        buys = table.trade[n, :, s] > 0.0
        to = [d for d in np.flatnonzero(buys) if d != n and d not in piped]
        if table.rent_share[n, s] > 0.0 and to:
            out.append((n, s, np.array(to)))
    return out


def _output_left(pipes: Held, table: TradeTable, n: int, s: int) -> float:
    """Output after / before if only the sales over pipelines changed."""
    moved: float = sum(
        float(table.trade[pair]) * (kept - 1.0)
        for pair, kept in zip(pipes.pairs, pipes.kept, strict=True)
        if (pair[0], pair[2]) == (n, s)
    )
    return max(1.0 + moved / float(table.output[n, s]), 1e-2)


def _with_deposits(
    table: TradeTable,
    productivity_hat: FloatArray | None,
    sellers: list[tuple[int, int, NDArray[np.int64]]],
    log_deposits: FloatArray,
) -> FloatArray | None:
    if not sellers:
        return productivity_hat
    lift = np.ones_like(table.rent_share) if productivity_hat is None else np.array(productivity_hat)
    of_rent = table.rent_share * table.value_added_share
    for (n, s, _), log_left in zip(sellers, log_deposits, strict=True):
        lift[n, s] *= np.exp(of_rent[n, s] * log_left)
    return lift
