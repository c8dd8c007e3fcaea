"""The loss when gateways or links are closed, and what a reader of it should know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["WARNINGS", "Loss", "warned"]


@dataclass(frozen=True)
class Loss:
    """The loss without one element, or several together.

    id, name: of the element, joined by + for several; kind: gateway, link or together.
    teu_per_year: TEU that pass it in the base, both ways. volume_over_capacity: None where no capacity is
    known.
    days: length of the closure in the short run. short_time_h: mean delay of the year's TEU [h],
    24 days^2 / (2 (1 - v) days a year), v the volume over capacity in force; short_cost_musd: its value at
    their values of time [million USD a year]; None where the queue never clears. long_time_h: mean additional
    hours of the TEU that passed it [h]; long_cost_musd: money and time together [million USD a year];
    unserved_teu: left without a route [TEU a year]. real_income_short, real_income_long: percent by region,
    and for Central Asia (CA5) and the world. note: the warnings that hold, joined by "; ", else "". solved:
    False where the long run is an estimate.
    """

    id: str
    name: str
    kind: str
    teu_per_year: float
    volume_over_capacity: float | None
    days: float
    short_time_h: float | None
    short_cost_musd: float | None
    long_time_h: float
    long_cost_musd: float
    unserved_teu: float
    real_income_short: dict[str, float] | None
    real_income_long: dict[str, float]
    note: str = ""
    solved: bool = True

    @property
    def mostly_unserved(self) -> bool:
        """Whether more than half of its freight has no route left, so that the long run says little."""
        return self.unserved_teu > 0.5 * self.teu_per_year

    def row(self) -> dict[str, Any]:
        """The loss as plain values."""
        return dict(vars(self))


# What a reader of a row should know, and of which rows it holds.
WARNINGS: tuple[tuple[str, Callable[[Loss], bool]], ...] = (
    ("flow is at its capacity: the queue never clears", lambda loss: loss.short_time_h is None),
    ("the long run is an estimate, not solved", lambda loss: not loss.solved),
    (
        "most of its freight has no route left, which real income does not count",
        lambda loss: loss.mostly_unserved,
    ),
)


def warned(loss: Loss) -> Loss:
    """The loss with a note of every warning that holds; loss: without a note."""
    return replace(loss, note="; ".join(text for text, holds in WARNINGS if holds(loss)))
