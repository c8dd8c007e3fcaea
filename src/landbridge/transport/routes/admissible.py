"""Admissibility of routes, whatever their cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.graph import LAYERS, PORT, SEA, Graph

__all__ = ["ABROAD_KM", "Admissible"]

IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# A route may leave the country of an end and return if it is abroad for at most this [km]: by Petropavl and
# Samara to Uralsk, by Tashkent and Beyneu to Atyrau. By ship it may not.
ABROAD_KM = 2500.0
_BITS_IN_BYTE = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.int64)


class Admissible:
    """Admissibility of the routes of a graph.

    A route may not visit a place twice, return to the country of an end, or board and leave a ship in the
    same port.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        tail, head = graph.tail // len(LAYERS), graph.head // len(LAYERS)
        words = len(graph.places) // 64 + 1
        self._bits = np.zeros((words, graph.n_arcs), dtype=np.uint64)
        self._bits[head // 64, np.arange(graph.n_arcs)] = np.uint64(1) << (head % 64).astype(np.uint64)
        self._moved = tail != head
        codes = {country: n for n, country in enumerate(dict.fromkeys(graph.countries))}
        country = np.array([codes[c] for c in graph.countries])
        self._from, self._to = country[tail], country[head]
        port, at_sea = graph.operation == PORT, graph.mode == SEA
        self._lands = port & (graph.tail % len(LAYERS) == SEA)
        self._boards = port & (graph.head % len(LAYERS) == SEA)
        self._leaves, self._enters = graph.border | self._boards, graph.border | self._lands
        self._voyage = at_sea & (self._from != self._to)

    def admissible(self, arcs: IntArray, start: LongArray) -> BoolArray:
        """Flags [route]: no place twice, no ship that does not sail, no return from far abroad.

        arcs [n], start [route + 1]: as in RouteSet.
        """
        if len(start) < 2:
            return np.zeros(0, dtype=bool)
        idle = np.zeros(len(arcs), dtype=bool)
        idle[1:] = self._boards[arcs[:-1]] & self._lands[arcs[1:]]
        return (
            self._simple(arcs, start)
            & ~np.logical_or.reduceat(idle, start[:-1])
            & ~self._comes_back(arcs, start)
        )

    def _simple(self, arcs: IntArray, start: LongArray) -> BoolArray:
        """As many distinct places as changes of place, plus one (the gate's arc is inside the origin)."""
        changes = np.add.reduceat(self._moved[arcs], start[:-1], dtype=np.int64)
        distinct = np.zeros(len(start) - 1, dtype=np.int64)
        for bits in self._bits:
            seen = np.bitwise_or.reduceat(bits[arcs], start[:-1])
            distinct += _BITS_IN_BYTE[seen.view(np.uint8)].reshape(-1, 8).sum(axis=1)
        return np.asarray(distinct == changes + 1)

    def _comes_back(self, arcs: IntArray, start: LongArray) -> BoolArray:
        """Leaves the country of an end and enters it again after an ocean voyage or too far abroad."""
        first, last, n = start[:-1], start[1:] - 1, len(start) - 1
        step, route = np.arange(len(arcs)), np.repeat(np.arange(n), np.diff(start))
        km = np.concatenate([[0.0], np.cumsum(self._graph.length_km[arcs])])
        voyages = np.concatenate([[0], np.cumsum(self._voyage[arcs])])
        out = np.zeros(n, dtype=bool)
        for end in (self._from[arcs[first]], self._to[arcs[last]]):
            mine = end[route]
            leaves = self._leaves[arcs] & (self._from[arcs] == mine)
            enters = self._enters[arcs] & (self._to[arcs] == mine)
            # A step at a border between two places of one country leaves and enters at once: it does not
            # count.
            left = np.minimum.reduceat(np.where(leaves, step, len(arcs)), first)
            back = np.maximum.reduceat(np.where(enters, step, -1), first)
            both = np.flatnonzero(back > left)
            away = km[back[both] + 1] - km[left[both]]
            sailed = voyages[back[both] + 1] > voyages[left[both]]
            out[both[sailed | (away > ABROAD_KM)]] = True
        return out
