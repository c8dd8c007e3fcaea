"""New hours of a crossing, with its range in the same proportion."""

from __future__ import annotations

from collections.abc import Mapping

from landbridge.world.table import Cell

__all__ = ["with_hours"]


def with_hours(row: Mapping[str, Cell], hours: float) -> dict[str, Cell]:
    """The cells that new mean hours of a crossing change: the hours and both ends of their range.

    row: of the table crossings; hours: the new mean [h]. New end = end x new hours / old hours: the range
    keeps its proportion to the hours, and rounding never moves an end past them.
    """
    cells: dict[str, Cell] = {"time_h": hours}
    if row["time_h"]:
        scale = hours / float(row["time_h"])
        for edge, bound in (("time_low_h", min), ("time_high_h", max)):
            if row[edge] is not None:
                cells[edge] = bound(float(row[edge] or 0.0) * scale, hours)
    return cells
