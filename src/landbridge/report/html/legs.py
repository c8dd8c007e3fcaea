"""Hours and money of an average container of a corridor, by part of the trip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from landbridge.results import Results
from landbridge.transport.graph import BLOCK, TERMS, WAGONLOAD

__all__ = ["PARTS", "Corridor", "corridors"]

# Parts of a bar, with the terms that each adds up.
PARTS = {
    "moving": ("haul",),
    "stops and rest": ("stops", "rest"),
    "border": ("border", "queue"),
    "gauge change": ("gauge_change",),
    "terminals": ("terminal", "transfer", "formation"),
    "port and wait for ship": ("port", "sailing_wait", "feeder"),
}


@dataclass(frozen=True)
class Corridor:
    """A corridor with its hours and USD per TEU by part: means over all routes and services.

    corridor: its id; start, end: places; hours [h], usd [USD/TEU]: by part of PARTS.
    """

    corridor: str
    start: str
    end: str
    hours: dict[str, float]
    usd: dict[str, float]

    @property
    def total(self) -> tuple[float, float]:
        """Hours and USD door to door, equal to the corridor's row in the result."""
        return sum(self.hours.values()), sum(self.usd.values())


def corridors(results: Results) -> list[Corridor]:
    """Every corridor of the results; parts add up to time_h and cost_usd of its row over all families.

    results: of the base or a scenario. Parts are in h and in USD/TEU.
    """
    sectors = {str(r["corridor_id"]): str(r["sector"]) for r in results.world.network["corridors"]}
    return [
        _parts(results, row, sectors[row["corridor"]])
        for row in results.corridor_rows
        if row["family"] == "all"
    ]


def _parts(results: Results, row: dict[str, Any], code: str) -> Corridor:
    routes, choice, graph = results.choice.base.routes, results.choice, results.graph
    start, end = graph.place_number[row["from"]], graph.place_number[row["to"]]
    pair = int(np.flatnonzero((routes.origin == start) & (routes.destination == end))[0])
    sector = choice.classes.sectors.index(code)
    block = float(choice.classes.block_share[sector, pair])
    span = routes.routes_of(pair)
    of_arc = np.repeat(np.arange(len(span)), np.diff(routes.start[span.start : span.stop + 1]))
    arcs = routes.arcs[routes.start[span.start] : routes.start[span.stop]]
    hours, usd, carried = np.zeros(len(TERMS)), np.zeros(len(TERMS)), 0.0
    boxed = bool(choice.classes.in_containers[sector])
    money = graph.term_cost_usd if boxed else graph.term_bulk_usd
    for product, part in ((BLOCK, block), (WAGONLOAD, 1.0 - block)):
        share = part * choice.route_share(sector, product, pair)
        on_arc = np.bincount(arcs, share[of_arc], graph.n_arcs)
        carried += float(share.sum())
        for out, values in ((hours, graph.term_time_h), (usd, money)):
            spent = on_arc[graph.term_arc] * values[:, product]
            out += np.bincount(graph.term_kind, spent, len(TERMS))
    by_part = [
        {
            part: float(sum(spent[TERMS.index(term)] for term in terms)) / carried
            for part, terms in PARTS.items()
        }
        for spent in (hours, usd)
    ]
    return Corridor(row["corridor"], row["from"], row["to"], *by_part)
