"""Definition of a channel: whether two Worlds differ in its tables, and the effect on the economy.

A channel solves no economy. It returns changes of trade costs, productivity or transfers, or trade that is
held to a quantity, and sentences that describe them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.scenario.registry import Verb
from landbridge.world import World

__all__ = ["Channel", "Effect", "Held", "HeldTrade", "joined"]

FloatArray = NDArray[np.float64]


class Held(Protocol):
    """Trade that is held to a quantity, with phrases about the sellers' deposits."""

    @property
    def pairs(self) -> tuple[tuple[int, int, int], ...]:
        """Exporter, importer and sector as numbers of the trade table."""
        ...

    @property
    def kept(self) -> FloatArray:
        """Trade of each pair at base prices, after / before [pair]."""
        ...

    @property
    def cost_hat(self) -> FloatArray:
        """The trade cost after / before [pair] that gives it if nothing else changes."""
        ...

    @property
    def why(self) -> tuple[str, str]:
        """Why deposits of a seller are used less, and why more; placed before "abroad" in a note."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldTrade:
    """`Held` as plain values.

    pairs, kept, cost_hat, why: as there.
    """

    pairs: tuple[tuple[int, int, int], ...]
    kept: FloatArray
    cost_hat: FloatArray
    why: tuple[str, str] = ("less is sold", "more is sold")


@dataclass(frozen=True, eq=False, kw_only=True)
class Effect:
    """Inputs of the economy from a channel; None for those it does not change.

    cost_hat [o, d, s]: trade costs after / before. productivity_hat [n, s]: productivity after / before.
    transfer [n]: received from other regions [million USD a year], sums to zero. held: trade held to
    quantities. notes: sentences for the reader of the case.
    """

    cost_hat: FloatArray | None = None
    productivity_hat: FloatArray | None = None
    transfer: FloatArray | None = None
    held: Held | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One channel: a name and two functions of the base World and the World of a case.

    moved: whether they differ in the tables that the channel reads; if not, nothing is solved. effect: the
    effect of the difference; raises DataError where its tables are invalid. verbs: of scenarios, those of the
    channel that are not in schema.csv.
    """

    name: str
    moved: Callable[[World, World], bool]
    effect: Callable[[World, World], Effect]
    verbs: tuple[Verb, ...] = ()


def joined(held: list[Held]) -> Held | None:
    """All held quantities together, each pair once; None where there are none.

    held: those of each channel. Raises DataError where two channels hold the same pair.
    """
    some = [one for one in held if one.pairs]
    if len(some) <= 1:
        return some[0] if some else None
    pairs = tuple(pair for one in some for pair in one.pairs)
    if len(set(pairs)) < len(pairs):
        twice = next(pair for pair in pairs if pairs.count(pair) > 1)
        what = f"seller {twice[0]}, buyer {twice[1]}, sector {twice[2]} is held by two channels"
        raise DataError(
            "two channels hold the same trade", [Fault("channels", what, "let one of them hold it")]
        )
    kept, cost = (np.concatenate([getattr(one, name) for one in some]) for name in ("kept", "cost_hat"))
    return HeldTrade(pairs=pairs, kept=kept, cost_hat=cost)
