"""Lists of routes as ragged arrays of arcs, with operations that do not depend on their meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

__all__ = ["BLOCK_ROUTES", "Candidates", "arc_type", "incidence", "joined", "mirror", "take"]

IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]

# Routes whose arcs are processed at a time.
BLOCK_ROUTES = 16384


@dataclass
class Candidates:
    """Distinct candidate routes, read from the eastern end; each serves both directions.

    pair, family [route]: numbers. arcs [n], start [route + 1]: the arcs of route r are
    arcs[start[r]:start[r + 1]].
    """

    pair: LongArray
    arcs: IntArray
    start: LongArray
    family: IntArray

    def only(self, rows: LongArray) -> Candidates:
        """Some of the candidates, in the order asked for; rows: their numbers."""
        arcs, start = take(self.arcs, self.start, rows)
        return Candidates(self.pair[rows], arcs, start, self.family[rows])

    @staticmethod
    def none() -> Candidates:
        """No candidates."""
        nothing, few = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        return Candidates(nothing, few, np.zeros(1, dtype=np.int64), few)


def joined(parts: Sequence[Candidates]) -> Candidates:
    """Several candidate lists as one, in the order of the parts.

    parts: the lists. Returns Candidates, empty for no part.
    """
    if not parts:
        return Candidates.none()
    lengths = np.concatenate([np.diff(part.start) for part in parts])
    return Candidates(
        np.concatenate([part.pair for part in parts]),
        np.concatenate([part.arcs for part in parts]),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([part.family for part in parts]),
    )


def mirror(arcs: IntArray, length: LongArray, reverse: IntArray) -> IntArray:
    """The same routes in the other direction, at the same places of the array.

    arcs [n], length [route]: the routes one after the other, and their numbers of arcs; reverse [arc]: the
    opposite arc. Returns arcs [n].
    """
    end = np.cumsum(length)
    back = np.repeat(2 * end - length - 1, length) - np.arange(len(arcs))
    return reverse[arcs[back]]


def take(arcs: IntArray, start: LongArray, rows: LongArray) -> tuple[IntArray, LongArray]:
    """Some rows of a ragged array, in the order asked for.

    arcs [n], start [row + 1]: row r is arcs[start[r]:start[r + 1]]. rows [n]: numbers of the rows. Returns
    both for these rows.
    """
    length = np.diff(start)[rows]
    new = np.concatenate([[0], np.cumsum(length)])
    out = np.empty(int(new[-1]), dtype=arcs.dtype)
    for low in range(0, len(rows), BLOCK_ROUTES):
        part = slice(low, low + BLOCK_ROUTES)
        first, last = new[low], new[min(low + BLOCK_ROUTES, len(rows))]
        index = np.arange(first, last) + np.repeat(start[rows[part]] - new[:-1][part], length[part])
        out[first:last] = arcs[index]
    return out, new


def arc_type(n_arcs: int) -> type[np.integer[Any]]:
    """The smallest integer type for the numbers of n_arcs arcs."""
    return np.uint16 if n_arcs <= np.iinfo(np.uint16).max + 1 else np.int32


def incidence(arcs: IntArray, start: LongArray, n_arcs: int) -> csr_matrix:
    """How often each route passes each arc [route, n_arcs]; arcs [n], start [route + 1]: as in RouteSet."""
    return csr_matrix((np.ones(len(arcs)), arcs, start.astype(np.int32)), shape=(len(start) - 1, n_arcs))
