"""Shapley values: an exact split of a result among the parts that cause it.

    phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S))

the mean contribution of a part over all orders in which the parts can be added. The values add up to v(all) -
v(none). Source: Shapley (1953), A value for n-person games.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from math import factorial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["shapley", "subsets"]

FloatArray = NDArray[np.float64]
Player = TypeVar("Player", bound=Hashable)


def subsets(players: Sequence[Player]) -> list[frozenset[Player]]:
    """All sets of players, the empty one first, smaller ones before larger ones."""
    return [frozenset(some) for size in range(len(players) + 1) for some in combinations(players, size)]


def shapley(
    players: Sequence[Player], value: Callable[[frozenset[Player]], FloatArray]
) -> dict[Player, FloatArray]:
    """The Shapley value of every player, by exact enumeration of all sets.

    players: hashable, each once; value: of a set of players, an array of any shape, called once for each set.
    Returns arrays of that shape by player, which add up to value(all) - value(none). Equation: head of
    `landbridge.studies.shapley`. Source: Shapley (1953), A value for n-person games.
    """
    known = {some: value(some) for some in subsets(players)}
    n, found = len(players), {}
    for one in players:
        total = np.zeros_like(known[frozenset()])
        for some, before in known.items():
            if one not in some:
                weight = factorial(len(some)) * factorial(n - len(some) - 1) / factorial(n)
                total = total + weight * (known[some | {one}] - before)
        found[one] = total
    return found
