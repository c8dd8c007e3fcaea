"""What a corridor's main land route spends its hours and money on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landbridge.results import Results
from landbridge.transport import FAMILIES
from landbridge.transport.graph import BLOCK, PRODUCTS, TERMS, WAGONLOAD

__all__ = ["PARTS", "Corridor", "corridors"]

# What is shown as one part of a bar, with the terms it adds up.
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
    """The largest route of the largest land family of a corridor; hours and USD per TEU by part."""

    corridor: str
    start: str
    end: str
    family: str
    product: str
    hours: dict[str, float]
    usd: dict[str, float]

    @property
    def total(self) -> tuple[float, float]:
        """Hours and USD of the whole route."""
        return sum(self.hours.values()), sum(self.usd.values())


def corridors(results: Results) -> list[Corridor]:
    """Every reported corridor that has a land route.

    A scenario shows the family that is largest in its base, unless it leaves that one without a route.
    """
    routes, choice, graph = results.choice.base.routes, results.choice, results.graph
    number = graph.place_number
    pairs = {
        (int(o), int(d)): q for q, (o, d) in enumerate(zip(routes.origin, routes.destination, strict=True))
    }
    before = {} if results.base is None else {one.corridor: one.family for one in corridors(results.base)}
    land = np.array([name != "sea" for name in FAMILIES])
    found = []
    for row in results.world.network["corridors"]:
        ends = str(row["from_place"]), str(row["to_place"])
        pair = pairs.get((number[ends[0]], number[ends[1]]), -1)
        if pair < 0 or pair in choice.unreachable:
            continue
        sector = choice.classes.sectors.index(str(row["sector"]))
        product = BLOCK if choice.classes.block_share[sector, pair] >= 0.5 else WAGONLOAD
        span = routes.routes_of(pair)
        share = choice.route_share(sector, product, pair)
        family = routes.family[span.start : span.stop]
        by_family = np.bincount(family, share, len(FAMILIES)) * land
        if by_family.max() <= 0.0:
            continue
        name = str(row["corridor_id"])
        chosen = int(by_family.argmax())
        wanted = before.get(name)
        if wanted is not None and by_family[FAMILIES.index(wanted)] > 0.0:
            chosen = FAMILIES.index(wanted)
        route = span.start + int(np.where(family == chosen, share, -1.0).argmax())
        arcs = routes.arcs[routes.start[route] : routes.start[route + 1]]
        mine = np.isin(graph.term_arc, arcs)
        kinds = graph.term_kind[mine]
        spent = [
            np.bincount(kinds, values[mine, product], len(TERMS))
            for values in (graph.term_time_h, graph.term_cost_usd)
        ]
        hours, usd = (
            {part: float(sum(of[TERMS.index(t)] for t in terms)) for part, terms in PARTS.items()}
            for of in spent
        )
        found.append(Corridor(name, *ends, FAMILIES[chosen], PRODUCTS[product], hours, usd))
    return found
