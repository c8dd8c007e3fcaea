"""From derivatives by arcs to derivatives by table rows: the last step of an adjoint by table cells.

    dL = sum over terms t, products p of  L_h dh_tp + L_c dc_tp + L_b db_tp + L_e de_tp + L_v dv_tp

c is the money of goods in containers, b that of goods in bulk.

How the terms change with a table is the difference of two compiled graphs. All rows of a table can change at
once, since every term keeps the row that it comes from (`Graph.term_row`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.choice.gradient import ArcBars
from landbridge.transport.graph import ROW_TABLES, SIDES, TERMS, Graph

__all__ = ["by_row", "slope", "total"]

FloatArray = NDArray[np.float64]


def slope(value: Callable[[float], FloatArray], step: float) -> FloatArray:
    """The derivative at 0 of a function that is 0 there, one-sided; exact for parabolas.

    d = (4 f(h) - f(2 h)) / (2 h)

    value: the function f, an array of any shape; step: h. Returns an array of that shape.
    """
    return np.asarray((4.0 * value(step) - value(2.0 * step)) / (2.0 * step))


def total(before: Graph, after: Graph, bars: Sequence[ArcBars]) -> FloatArray:
    """First-order effect of a change of the tables on each of some scalars [bar].

    before, after: graphs of the same arcs and terms; bars: derivatives of each scalar by the arcs.
    Equation: head of `landbridge.transport.table_rows`. Raises ValueError where the terms of the graphs
    differ.
    """
    return np.array([worth.sum() for worth in _worths(before, after, bars)])


def by_row(before: Graph, after: Graph, bars: Sequence[ArcBars], table: str, count: int) -> FloatArray:
    """The first-order effect of a change of the tables, separately for each row of one table [bar, row].

    before, after: graphs of the same arcs and terms. bars: derivatives of each scalar by the arcs.
    table: one of ROW_TABLES; count: number of its rows in the World of these graphs. Terms from no row of it
    are left out. Equation: head of `landbridge.transport.table_rows`. Raises ValueError where the terms of
    the graphs differ.
    """
    out = np.zeros((len(bars), count))
    here = before.term_table == ROW_TABLES.index(table)
    for found, worth in zip(out, _worths(before, after, bars), strict=True):
        for p in (0, 1):
            rows = before.term_row[here, p]
            known = (rows >= 0) & (rows < count)
            found += np.bincount(rows[known], worth[here, p][known], minlength=count)
    return out


def _worths(before: Graph, after: Graph, bars: Sequence[ArcBars]) -> list[FloatArray]:
    """The change of every term times the derivative by its arc [term, product], for each scalar."""
    if before.term_arc.shape != after.term_arc.shape or (before.term_arc != after.term_arc).any():
        raise ValueError("the graphs have other arcs or terms")
    at = before.term_arc
    moved = {side: getattr(after, f"term_{side}") - getattr(before, f"term_{side}") for side in SIDES}
    found = []
    for bar in bars:
        worth = sum((getattr(bar, side)[at] * moved[side] for side in SIDES), np.zeros(moved["time_h"].shape))
        by_term = (bar.cost_by_term, "cost_usd"), (bar.bulk_by_term, "bulk_usd")
        for term, money, side in ((term, m, side) for terms, side in by_term for term, m in terms.items()):
            here = before.term_kind == TERMS.index(term)
            worth[here] += (money - getattr(bar, side))[at[here]] * moved[side][here]
        found.append(worth)
    return found
