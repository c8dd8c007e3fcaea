"""The state graph: places x layers, joined by haul, border, gauge-change, transfer, port and gate arcs.

A state is a place on a layer: the gate out of a zone (source), three rail gauges, road, sea, and the
gate into a zone (sink). Nothing enters a gate out and nothing leaves a gate in, so a path cannot pass
through a zone's terminals. Every arc exists twice, once in each direction, and holds its hours, money,
emissions and variance for two rail products (0 block train, 1 wagonload; equal off the rails), each of
them the exact sum of named terms. Goods in bulk pay the bulk tariff in wagonload, so money has a second
array, which differs from the first in the haul of wagonload by rail alone.

A World is made into a graph in `landbridge.transport.compile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "GATE_IN",
    "GATE_OUT",
    "LAYERS",
    "OPERATIONS",
    "PRODUCTS",
    "ROAD",
    "ROW_TABLES",
    "SEA",
    "SIDES",
    "TERMS",
    "WAGONLOAD",
    "Graph",
    "frozen",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]
_T = TypeVar("_T", bound=np.generic)

LAYERS = ("gate-out", "rail-1435", "rail-1520", "rail-1676", "road", "sea", "gate-in")
GATE_OUT, _, _, _, ROAD, SEA, GATE_IN = range(7)
RAILS = (1, 2, 3)
OPERATIONS = ("haul", "terminal", "transfer", "gauge_change", "border", "port", "rest")
HAUL, TERMINAL, TRANSFER, GAUGE_CHANGE, BORDER, PORT, REST = range(7)
TERMS = (
    "haul",
    "stops",
    "rest",
    "border",
    "gauge_change",
    "transfer",
    "terminal",
    "formation",
    "port",
    "sailing_wait",
    "feeder",
    "queue",
    "subsidised_cost",
    "subsidy",
)
PRODUCTS = ("block", "wagonload")
# What differs between arcs and adds up over terms, arcs and routes; bulk_usd: money of goods in bulk.
SIDES = ("time_h", "cost_usd", "co2e_kg", "variance_h2", "bulk_usd")
# Tables of which one row makes a term; rows of the others (rates, parameters, border_defaults ...) make many.
ROW_TABLES = ("links", "crossings", "gauge_changes", "ports")
BLOCK, WAGONLOAD = 0, 1


@dataclass(frozen=True, eq=False)
class Graph:
    """Arcs of the state graph with their costs; every array is read-only.

    places [p], countries [p], lon [p]; links, gateways: identifiers in table order.
    tail, head [a]: states, place number x 7 + layer number. reverse [a]: the arc in the other direction.
    link, gateway [a]: numbers, -1 for none; operation, mode [a]: numbers into OPERATIONS and LAYERS (mode is
    0 for arcs that are not a haul). border [a]: the arc crosses a land border.
    available [a]: open in this World. length_km, rail_km [a].
    caspian_ship, ocean_ship [a]: a ship on the Caspian, on any other water. own_country [p]: the country of a
    place, "" for an exclave, which is no transit country (see `landbridge.transport.routes.families`).
    time_h, cost_usd, co2e_kg, variance_h2 [a, product]: sums of the terms; cost_usd for goods in containers,
    bulk_usd for goods in bulk. term_arc, term_kind [t]; term_time_h, term_cost_usd, term_bulk_usd,
    term_co2e_kg, term_variance_h2 [t, product]: the terms, in order of arcs. term_table [t], term_row [t,
    product]: the table (of ROW_TABLES) and the number of the row of a term, as in the table of the World; -1
    where it follows from rows that make many terms, and where only another World of the study has the row.
    govern_gateway, govern_arc [k]: which arcs each gateway governs (a strait and a lane, many to many);
    govern_counted [k]: arcs on which the gateway's flow is counted (once per passage).
    """

    places: tuple[str, ...]
    countries: tuple[str, ...]
    own_country: tuple[str, ...]
    lon: FloatArray
    links: tuple[str, ...]
    gateways: tuple[str, ...]
    tail: IntArray
    head: IntArray
    reverse: IntArray
    link: IntArray
    gateway: IntArray
    operation: IntArray
    mode: IntArray
    border: BoolArray
    available: BoolArray
    length_km: FloatArray
    rail_km: FloatArray
    caspian_ship: BoolArray
    ocean_ship: BoolArray
    time_h: FloatArray
    cost_usd: FloatArray
    co2e_kg: FloatArray
    variance_h2: FloatArray
    bulk_usd: FloatArray
    term_arc: IntArray
    term_kind: IntArray
    term_time_h: FloatArray
    term_cost_usd: FloatArray
    term_co2e_kg: FloatArray
    term_variance_h2: FloatArray
    term_bulk_usd: FloatArray
    term_table: IntArray
    term_row: IntArray
    govern_gateway: IntArray
    govern_arc: IntArray
    govern_counted: BoolArray

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return len(self.tail)

    @property
    def n_states(self) -> int:
        """Number of states, used or not."""
        return len(self.places) * len(LAYERS)

    @cached_property
    def place_number(self) -> Mapping[str, int]:
        """Place identifier -> number."""
        return {place: number for number, place in enumerate(self.places)}

    def state(self, place: str, layer: int) -> int:
        """The number of the state of a place (identifier) on a layer (number)."""
        return self.place_number[place] * len(LAYERS) + layer

    def terms_of(self, arc: int) -> range:
        """The rows of the term table that belong to an arc."""
        first, last = np.searchsorted(self.term_arc, (arc, arc + 1))
        return range(int(first), int(last))

    def at_gateways(self, values: FloatArray) -> FloatArray:
        """Arc values summed at the gateways, counted arcs only: flows [arc, k] -> [gateway, k].

        Also the transpose of `with_queue`: derivatives by arc hours become derivatives by the queues.
        """
        total = np.zeros((len(self.gateways), values.shape[1]))
        np.add.at(
            total, self.govern_gateway[self.govern_counted], values[self.govern_arc[self.govern_counted]]
        )
        return total

    @cached_property
    def govern_way(self) -> IntArray:
        """Direction through the gateway of every governed arc [k]: 0 or 1.

        At a border 0 is the direction out of the country in which the first of its links starts, at a port 0
        is boarding and 1 landing.
        """
        country = np.array(self.countries)[self.tail // len(LAYERS)]
        way = np.arange(self.n_arcs) % 2
        first = np.full(len(self.gateways), -1)
        order = np.flatnonzero(self.govern_counted)[::-1]
        first[self.govern_gateway[order]] = self.govern_arc[order]
        arc, leader = self.govern_arc, first[self.govern_gateway]
        same = country[arc] == country[leader]
        at_border = self.border[arc] & self.border[leader] & (leader >= 0)
        return frozen(np.where(at_border, np.where(same, 0, 1), way[arc]).astype(np.int32))

    def at_gateways_by_way(self, values: FloatArray) -> FloatArray:
        """As `at_gateways`, each direction separately; values [arc, k] -> [gateway, k, way]."""
        counted = self.govern_counted
        total = np.zeros((len(self.gateways), 2, values.shape[1]))
        np.add.at(
            total, (self.govern_gateway[counted], self.govern_way[counted]), values[self.govern_arc[counted]]
        )
        return np.ascontiguousarray(total.transpose(0, 2, 1))

    def spread_over_arcs(self, values: FloatArray) -> FloatArray:
        """The transpose of `at_gateways_by_way`; values [gateway, product, way] -> [arc, product]."""
        counted = self.govern_counted
        out = np.zeros((self.n_arcs, values.shape[1]))
        gateway, way = self.govern_gateway[counted], self.govern_way[counted]
        np.add.at(out, self.govern_arc[counted], values[gateway, :, way])
        return out

    def with_queue(self, delay_h: FloatArray, variance_h2: FloatArray | None = None) -> Graph:
        """A copy with further hours at the gateways, as terms of their own.

        h_a = h0_a + sum over gateways j of a, counted once, of delay_j   [h]

        delay_h [h], variance_h2 [h2]: [gateway], [gateway, product] or [gateway, product, way] (see
        `govern_way`).
        """
        extra = self.spread_over_arcs(self._wide(delay_h))
        spread = np.zeros_like(extra)
        if variance_h2 is not None:
            spread = self.spread_over_arcs(self._wide(variance_h2))
        arcs = np.flatnonzero((extra != 0.0).any(axis=1) | (spread != 0.0).any(axis=1)).astype(np.int32)
        order = np.argsort(np.concatenate([self.term_arc, arcs]), kind="stable")
        nothing = np.zeros((len(arcs), 2))

        def joined(old: NDArray[_T], new: NDArray[Any]) -> NDArray[_T]:
            return frozen(np.concatenate([old, new.astype(old.dtype)])[order])

        return replace(
            self,
            time_h=frozen(self.time_h + extra),
            variance_h2=frozen(self.variance_h2 + spread),
            term_arc=joined(self.term_arc, arcs),
            term_kind=joined(self.term_kind, np.full(len(arcs), TERMS.index("queue"))),
            term_time_h=joined(self.term_time_h, extra[arcs]),
            term_cost_usd=joined(self.term_cost_usd, nothing),
            term_co2e_kg=joined(self.term_co2e_kg, nothing),
            term_variance_h2=joined(self.term_variance_h2, spread[arcs]),
            term_bulk_usd=joined(self.term_bulk_usd, nothing),
            term_table=joined(self.term_table, np.full(len(arcs), -1)),
            term_row=joined(self.term_row, np.full((len(arcs), 2), -1)),
        )

    def _wide(self, values: FloatArray) -> FloatArray:
        shaped = values.reshape(values.shape + (1,) * (3 - values.ndim))
        return np.broadcast_to(shaped, (len(self.gateways), 2, 2))


def frozen(array: NDArray[_T]) -> NDArray[_T]:
    """The array itself, made read-only; array: of any shape."""
    array.setflags(write=False)
    return array
