"""Costs of the choice between two places: by pair, by family, and on the reported corridors.

All values are per TEU of one sector, both rail products together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.choice.pivot import Choice
from landbridge.transport.graph import BLOCK, WAGONLOAD, Graph
from landbridge.transport.routes.route_set import FAMILIES, RouteSums
from landbridge.world.table import Table

__all__ = ["corridor_rows", "family_costs", "pair_costs"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_MEASURES = ("time_h", "cost_usd", "co2e_kg")


def _measures(sums: RouteSums, kind: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Hours, USD and kg of the routes for goods of a kind [product, route]."""
    return sums.time_h, sums.money(kind), sums.co2e_kg


def pair_costs(choice: Choice, graph: Graph, sector: int) -> dict[str, NDArray[Any]]:
    """Expected cost of every pair, by column [pair].

    choice, graph: solved; sector: its number. from, to: ids of places. generalised_cost_usd: K [USD/TEU].
    time_h, cost_usd, co2e_kg: means over all routes weighted by traffic [h, USD/TEU, kg CO2e/TEU]. A pair
    without a route has an infinite K and zero means. Equations: docs/theory/choice.md.
    """
    routes, places = choice.base.routes, np.array(graph.places)
    return {
        "from": places[routes.origin],
        "to": places[routes.destination],
        "generalised_cost_usd": choice.cost[:, sector],
        **dict(zip(_MEASURES, choice.expected(sector), strict=True)),
    }


def family_costs(choice: Choice, graph: Graph, sector: int) -> dict[str, NDArray[Any]]:
    """Cost of every open family of every pair, by column [family of a pair].

        K_f = beta K_f,block + (1 - beta) K_f,wagonload,   x_f = sum_r in f share_r x_r / sum_r in f share_r

    choice, graph: solved; sector: its number. from, to: ids of places. family: one of FAMILIES. share: of the
    pair's TEU of the sector; those of a pair sum to 1. generalised_cost_usd: K_f [USD/TEU], beta the
    block-train share of the pair.
    time_h, cost_usd, co2e_kg: means over the routes of the family weighted by traffic [h, USD/TEU, kg
    CO2e/TEU]. Families without an open route are left out. K of the pair is the mean of the K_f in the base
    only: in a scenario it also contains the gain from choice (see `landbridge.transport.choice.pivot`).
    """
    routes, classes = choice.base.routes, choice.classes
    pair = routes.group_pair
    share, mean = _within_families(choice, sector)
    on_products = choice.family_cost[sector]
    # A family lost to this sector alone has a cost too, that of the family it uses.
    opened = choice.families[sector].opened & (on_products > 0.0).any(axis=0)
    idle = opened & (share <= 0.0)
    if idle.any():
        # A family without traffic is described by the traffic it would have alone.
        even = replace(choice, family_share=np.ones_like(choice.family_share))
        mean[:, idle] = _within_families(even, sector)[1][:, idle]
    beta = classes.block_share[sector, pair]
    cost = beta * on_products[BLOCK] + (1.0 - beta) * on_products[WAGONLOAD]
    places = np.array(graph.places)
    return {
        "from": places[routes.origin[pair[opened]]],
        "to": places[routes.destination[pair[opened]]],
        "family": np.array(FAMILIES)[routes.group_family[opened]],
        "share": share[opened],
        "generalised_cost_usd": cost[opened],
        **dict(zip(_MEASURES, mean[:, opened], strict=True)),
    }


def _within_families(choice: Choice, sector: int) -> tuple[FloatArray, FloatArray]:
    """Share of every family in its pair's TEU of a sector [group], and mean hours, USD and kg [3, group]."""
    routes, beta = choice.base.routes, choice.classes.block_share[sector]
    group, n = routes.group_of_route, len(routes.group_pair)
    share, total = np.zeros(n), np.zeros((len(_MEASURES), n))
    for product, part in ((BLOCK, beta), (WAGONLOAD, 1.0 - beta)):
        carried = part[routes.pair] * choice.route_share(sector, product)
        share += np.bincount(group, weights=carried, minlength=n)
        for k, values in enumerate(_measures(choice.sums, int(choice.classes.kind[sector]))):
            total[k] += np.bincount(group, weights=carried * values[product], minlength=n)
    return share, total / np.where(share > 0.0, share, 1.0)


def corridor_rows(choice: Choice, graph: Graph, corridors: Table) -> list[dict[str, Any]]:
    """The reported corridors, by family and together (family "all"): expected hours and costs.

    choice, graph: solved; corridors: rows with corridor_id, from_place, to_place and sector. Corridors
    between places that are not connected are left out. Columns: corridor, from, to, family, share of the
    corridor's TEU, time_h, cost_usd and co2e_kg per TEU; for "all" also generalised_cost_usd, K [USD/TEU].
    Means over routes are weighted by traffic [h, USD/TEU, kg CO2e/TEU].
    """
    routes = choice.base.routes
    number = graph.place_number
    pairs = {
        (int(o), int(d)): q for q, (o, d) in enumerate(zip(routes.origin, routes.destination, strict=True))
    }
    rows: list[dict[str, Any]] = []
    for corridor in corridors:
        ends = str(corridor["from_place"]), str(corridor["to_place"])
        pair = pairs.get((number[ends[0]], number[ends[1]]), -1)
        head = {"corridor": str(corridor["corridor_id"]), "from": ends[0], "to": ends[1]}
        if pair < 0 or pair in choice.unreachable:
            continue
        sector = choice.classes.sectors.index(str(corridor["sector"]))
        beta = float(choice.classes.block_share[sector, pair])
        span = routes.routes_of(pair)
        at = slice(span.start, span.stop)
        share = beta * choice.route_share(sector, BLOCK, pair)
        carried = [share, (1.0 - beta) * choice.route_share(sector, WAGONLOAD, pair)]
        total = float(sum(c.sum() for c in carried))
        measures = _measures(choice.sums, int(choice.classes.kind[sector]))
        whole = _weighted(carried, measures, at, np.ones(len(span), dtype=bool))
        expected = {"generalised_cost_usd": float(choice.cost[pair, sector])}
        rows.append({**head, "family": "all", "share": total, **whole, **expected})
        for family in np.unique(routes.family[at]):
            mine = routes.family[at] == family
            part = float(sum(c[mine].sum() for c in carried))
            if part > 0.0:
                means = _weighted(carried, measures, at, mine)
                rows.append({**head, "family": FAMILIES[family], "share": part, **means})
    return rows


def _weighted(
    carried: list[FloatArray], measures: Sequence[FloatArray], at: slice, mine: BoolArray
) -> dict[str, float]:
    """Means over routes and products, weighted by traffic."""
    total = sum(float(c[mine].sum()) for c in carried)
    cells = {}
    for name, values in zip(_MEASURES, measures, strict=True):
        mean = sum(float(carried[p][mine] @ values[p, at][mine]) for p in range(2))
        cells[name] = mean / total
    return cells
