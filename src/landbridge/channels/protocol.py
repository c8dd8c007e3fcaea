"""What a channel is: whether two Worlds differ in its tables, and what the difference does to the economy.

A channel solves no economy. It says by how much trade costs, productivities or transfers change, or which
trade is held to a quantity, and tells it in sentences.
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
    """Trade that is held to a quantity, and what is said of the sellers' deposits."""

    @property
    def pairs(self) -> tuple[tuple[int, int, int], ...]:
        """Exporter, importer and sector, as numbers of the trade table."""
        ...

    @property
    def kept(self) -> FloatArray:
        """Trade of each pair at base prices, after / before [pair]."""
        ...

    @property
    def cost_hat(self) -> FloatArray:
        """The trade cost that would bring it about where nothing else moves [pair]."""
        ...

    @property
    def why(self) -> tuple[str, str]:
        """Why deposits of a seller are used less, and why more; the words before "abroad" in a note."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldTrade:
    """`Held` as plain values."""

    pairs: tuple[tuple[int, int, int], ...]
    kept: FloatArray
    cost_hat: FloatArray
    why: tuple[str, str] = ("less is sold", "more is sold")


@dataclass(frozen=True, eq=False, kw_only=True)
class Effect:
    """What a channel asks of the economy; None where it asks nothing of the kind.

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
    """One channel: a name and two functions of the World of the base and the World of a case.

    moved: whether they differ in what the channel reads; without a difference nothing is solved. effect: what
    the difference does; raises DataError where its tables cannot be used. verbs: of scenarios, those of its
    own that are not in schema.csv.
    """

    name: str
    moved: Callable[[World, World], bool]
    effect: Callable[[World, World], Effect]
    verbs: tuple[Verb, ...] = ()


def joined(held: list[Held]) -> Held | None:
    """All quantities together, each pair once; None where there are none.

    Raises DataError where two channels hold the same pair.
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
