"""Variance-based indices: which share of the variance of real income is due to each drawn number.

    S_i = E[f_B (f_AB_i - f_A)] / V      first order: the number alone
    T_i = E[(f_A - f_AB_i)^2] / (2 V)    total: with all its joint effects
    V   = variance of f_A and f_B together

A and B are two independent draws of all numbers; AB_i is A with number i from B. A block is the d + 2 draws
A, B, AB_1 ... AB_d. Intervals are percentiles over blocks drawn again with replacement.

Source: Saltelli et al. (2010), Computer Physics Communications 181, table 2 (b) and (f), the latter after
Jansen (1999), Computer Physics Communications 117; Efron (1979), Annals of Statistics 7, for the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_BLOCKS", "Indices", "block_length", "indices_of", "part_of", "whole_blocks"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Intervals from fewer blocks are no use.
FEWEST_BLOCKS = 16
# Resamples behind an interval, and its ends.
_RESAMPLES = 1000
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True, eq=False)
class Indices:
    """Indices of d numbers.

    first, total [d]; first_ends, total_ends [2, d]: low and high of 95 %; blocks: how many were used.
    """

    first: FloatArray
    total: FloatArray
    first_ends: FloatArray
    total_ends: FloatArray
    blocks: int

    def rows(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """A row for each number, the largest total index first. keys [d]: their names."""
        order = sorted(range(len(keys)), key=lambda i: (-self.total[i], keys[i]))
        return [
            {
                "parameter": keys[i],
                "first": float(self.first[i]),
                "first_low": float(self.first_ends[0, i]),
                "first_high": float(self.first_ends[1, i]),
                "total": float(self.total[i]),
                "total_low": float(self.total_ends[0, i]),
                "total_high": float(self.total_ends[1, i]),
                "n": self.blocks,
            }
            for i in order
        ]


def block_length(numbers: int) -> int:
    """The number of draws in a block, d + 2; numbers: d."""
    return numbers + 2


def part_of(index: int, numbers: int) -> tuple[int, int]:
    """The block of a draw and its place inside: 0 for A, 1 for B, 2 + i for AB_i; numbers: d.

    index: of the draw, from 0.
    """
    return divmod(index, block_length(numbers))


def whole_blocks(indices: Sequence[int], numbers: int) -> IntArray:
    """Positions in `indices` (numbers of draws) of complete blocks [block, d + 2]; numbers: d."""
    at = {index: position for position, index in enumerate(indices)}
    length = block_length(numbers)
    found = [
        [at[first + j] for j in range(length)]
        for first in sorted({index - index % length for index in indices})
        if all(first + j in at for j in range(length))
    ]
    return np.array(found, dtype=np.int64).reshape(-1, length)


def indices_of(values: FloatArray, seed: int) -> Indices | None:
    """First-order and total indices with intervals.

    values [block, d + 2]: the outcome of every draw; seed: of the resamples. Returns Indices, or None for
    fewer than 16 blocks and for an outcome that does not vary. Equations and sources: head of the module.
    """
    blocks = len(values)
    if blocks < FEWEST_BLOCKS or np.ptp(values[:, :2]) == 0.0:
        return None
    own = np.full((1, blocks), 1.0 / blocks)
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = rng.multinomial(blocks, own[0], size=_RESAMPLES) / blocks
    first, total = _estimates(values, own)
    firsts, totals = _estimates(values, drawn)
    ends = [np.nanpercentile(found, _INTERVAL, axis=0) for found in (firsts, totals)]
    return Indices(first[0], total[0], ends[0], ends[1], blocks)


def _estimates(values: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """First-order and total indices [sample, d] of samples that give each block a weight [sample, block]."""
    a, b, mixed = values[:, 0], values[:, 1], values[:, 2:]
    mean = 0.5 * (weight @ (a + b))
    # About the mean of all, which makes the products of the first order small where indices are.
    centre = float(0.5 * (a + b).mean())
    a, b, mixed, off = a - centre, b - centre, mixed - centre, mean - centre
    variance = 0.5 * (weight @ (a**2 + b**2)) - off**2
    step = mixed - a[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (weight @ (b[:, None] * step) - off[:, None] * (weight @ step)) / variance[:, None]
        total = 0.5 * (weight @ step**2) / variance[:, None]
    return first, total
