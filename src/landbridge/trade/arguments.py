"""Arguments of a shock, checked together and converted to the layout of the solver."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landbridge.errors import DataError, Fault
from landbridge.trade.carriage import Carriage, Paid
from landbridge.trade.economy import Array, Shock
from landbridge.world.trade_table import TradeTable, cell_faults

__all__ = ["read_shock"]


def read_shock(
    table: TradeTable,
    cost_hat: ArrayLike | None,
    tariff: ArrayLike | None,
    productivity_hat: ArrayLike | None,
    transfer: ArrayLike | None,
    carriage: Carriage | None = None,
    works: ArrayLike | None = None,
) -> Shock:
    """The shock given by these arguments of `solve`; an argument without a change is None in it.

    table: gives N regions and S sectors; cost_hat, tariff [N, N, S] or [N, N], productivity_hat [N, S] or
    [N], transfer, works [N, million USD], carriage: as in `solve`. Returns a Shock in the layout of the
    solver, costs and productivities in logs. Raises DataError that lists everything wrong with them.
    """
    N, S = len(table.regions), len(table.sectors)
    reader = _Reader(table)
    cost = reader.read("cost_hat", cost_hat, (N, N, S))
    levels = reader.read("tariff", tariff, (N, N, S))
    lift = reader.read("productivity_hat", productivity_hat, (N, S))
    moved = reader.read("transfer", transfer, (N,))
    if cost is not None:
        reader.demand("cost_hat", cost, cost > 0, "is not a positive number", "give a ratio, 1 = no change")
    if levels is not None:
        good = np.isfinite(levels) & (levels > -1)
        cure = "give new levels as fractions, 0.05 for 5 %"
        reader.demand("tariff", levels, good, "is not a finite number above -1", cure)
    if lift is not None:
        good = np.isfinite(lift) & (lift > 0)
        reader.demand("productivity_hat", lift, good, "is not positive and finite", "1 = no change")
    if moved is not None:
        good = np.isfinite(moved)
        reader.demand("transfer", moved, good, "is not finite", "give million USD, 0 = none")
        left = float(moved.sum())
        if abs(left) > 1e-9 * float(np.abs(moved).sum()):
            cure = "what one region receives another pays"
            reader.faults.append(Fault("transfer", f"sums to {left:,.6g} musd, not to zero", cure))
    spent = reader.read("works", works, (N,))
    if spent is not None:
        received = 0.0 if moved is None else moved
        good = np.isfinite(spent) & (spent >= 0.0) & (spent < table.income + received)
        cure = "give million USD a year, at least 0 and below the region's income with transfers"
        reader.demand("works", spent, good, "cannot be paid", cure)
    if reader.faults:
        raise DataError("the shock does not fit the table", reader.faults)
    cost, levels = _changed(cost, 1.0), _changed(levels, table.tariff)
    lift, moved, spent = _changed(lift, 1.0), _changed(moved, 0.0), _changed(spent, 0.0)
    return Shock(
        None if cost is None else np.log(np.ascontiguousarray(cost.transpose(2, 1, 0))),
        None if levels is None else np.ascontiguousarray(levels.transpose(2, 1, 0)),
        None if lift is None else np.log(np.ascontiguousarray(lift.T)),
        None if moved is None else moved.copy(),
        None if carriage is None else Paid.of(table, carriage),
        None if spent is None else spent.copy(),
    )


class _Reader:
    """Reads arguments for one table and collects their faults."""

    def __init__(self, table: TradeTable) -> None:
        regions, sectors = table.regions, table.sectors
        self.axes = {1: (regions,), 2: (regions, sectors), 3: (regions, regions, sectors)}
        self.faults: list[Fault] = []

    def read(self, name: str, value: ArrayLike | None, shape: tuple[int, ...]) -> Array | None:
        """The argument as an array of full shape; None where there is none or it has a fault."""
        if value is None:
            return None
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            self.faults.append(Fault(name, "does not hold numbers", f"give an array of shape {shape}"))
            return None
        if array.shape == shape[:-1] and len(shape) > 1:
            array = np.broadcast_to(array[..., None], shape)
        if array.shape != shape:
            short = f" or {shape[:-1]}" if len(shape) > 1 else ""
            many = ""
            if array.shape[1:] in (shape, shape[:-1]) and len(shape) > 1:
                many = f"; many scenarios: solve_batch with {('scenarios', *shape)}".replace("'", "")
            self.faults.append(Fault(name, f"has shape {array.shape}", f"give {shape}{short}{many}"))
            return None
        return array

    def demand(self, name: str, array: Array, good: NDArray[np.bool_], what: str, cure: str) -> None:
        """Add a fault for the cells that are not good."""
        if not good.all():
            self.faults.extend(cell_faults(~good, name, self.axes[array.ndim], what, cure))


def _changed(array: Array | None, neutral: Array | float) -> Array | None:
    return None if array is None or not (array != neutral).any() else array
