"""The pairs of cities that a scenario serves, and what the best route of each mode takes before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.graph import BLOCK, ROAD, SEA, WAGONLOAD
from landbridge.transport.routes.modes import MODE_CLASSES, mode_classes
from landbridge.world.names import resolve_place

if TYPE_CHECKING:
    from landbridge.results.state import Results

__all__ = ["MODES", "most_changed_pairs", "served_rows"]

FloatArray = NDArray[np.float64]
Rows = list[dict[str, Any]]

# Modes of a served pair: those of a whole route, rail apart by product.
MODES = ("container train", "wagonload", "truck", "ship", "land and ship")
# Of the length of a route with a ship: what is at sea at least where it is called one by ship.
_LEAST_AT_SEA = 0.5
# A mode that carries less of the pair is left out; freight bills that change by less are rounding [USD].
_LEAST_SHARE, _LEAST_USD = 0.01, 1.0
# A change of a bill by less counts less.
_VISIBLE = 0.01
# Of the length of a route by train: what may be on the road at most where a route all by rail exists.
_MOST_ROAD = 0.01


def most_changed_pairs(results: Results, n: int = 3) -> list[tuple[str, str]]:
    """The pairs of cities whose freight bill changes most, at most one for each pair of regions.

        change = sum over sectors of demand x |K' - K|,   bill = sum over sectors of demand x K   [USD a year]
        rank = change x min(1, change / (1 % of bill))

    results: of a scenario, with its base; n: number of pairs at most. demand: TEU a year of the base; K:
    expected generalised cost [USD/TEU]. A change too small to be seen counts less, however much is shipped.
    Both directions are added. Returns (from, to) by place identifier, in the direction that changes more;
    nothing in a base, and where the two were not searched for the same pairs.
    """
    base = results.base
    if base is None:
        return []
    routes, known = results.choice.base.routes, base.choice.base.routes
    same = np.array_equal(routes.origin, known.origin)
    if not same or not np.array_equal(routes.destination, known.destination):
        return []
    change = np.abs(results.choice.cost - base.choice.cost)
    bills = [
        (np.where(np.isfinite(usd), usd, 0.0) * base.demand_teu).sum(axis=1)
        for usd in (change, base.choice.cost)
    ]
    region = {str(row["place_id"]): str(row["region"]) for row in results.world.network["zones"]}
    places = results.graph.places
    one, other = np.minimum(routes.origin, routes.destination), np.maximum(routes.origin, routes.destination)
    number, at = np.unique(one.astype(np.int64) * len(places) + other, return_inverse=True)
    both, whole = (np.bincount(at, weights=bill, minlength=len(number)) for bill in bills)
    rank = both * np.minimum(1.0, both / np.maximum(_VISIBLE * whole, _LEAST_USD))
    order = np.argsort(-rank, kind="stable")
    found: dict[frozenset[str], tuple[str, str]] = {}
    for pair in order[both[order] >= _LEAST_USD].tolist():
        if len(found) == n:
            break
        way = max(np.flatnonzero(at == pair).tolist(), key=lambda q: float(bills[0][q]))
        ends = places[routes.origin[way]], places[routes.destination[way]]
        between = frozenset(region.get(end, "") for end in ends)
        if len(between) == 2 and "" not in between:
            found.setdefault(between, ends)
    return list(found.values())


def served_rows(results: Results, n: int = 3) -> Rows:
    """The best route of each mode on the pairs of the scenario, before and after.

    results: of a scenario, with its base; none gives no rows. n: number of pairs where the scenario names
    none, see `most_changed_pairs`. The best route has the least generalised cost of those in use; by train it
    is all by rail where there is one. Columns: from, to, sector (that of the reported corridors), mode (of
    MODES); share of the pair's TEU of the sector, time_h [h], cost_usd [USD/TEU], None where the mode has no
    route, and the same of the base with base_ before them. Modes with less than 1 % of the pair before and
    after are left out.
    Raises DataError for a pair of the scenario that is not on the network.
    """
    base, scenario = results.base, results.scenario
    if base is None or scenario is None:
        return []
    named = [resolve_place(results.world.network, *ends) for ends in scenario.pairs]
    corridors = results.world.network["corridors"]
    sector = str(next(iter(corridors))["sector"]) if len(corridors) else results.choice.classes.sectors[0]
    rows: Rows = []
    for start, end in named or most_changed_pairs(results, n):
        before, after = (_by_mode(one, start, end, sector) for one in (base, results))
        shares = {mode: max(side.get(mode, _NONE)[0] for side in (before, after)) for mode in MODES}
        for mode in sorted(MODES, key=lambda mode: -shares[mode]):
            if shares[mode] < _LEAST_SHARE:
                continue
            row: dict[str, Any] = {"from": start, "to": end, "sector": sector, "mode": mode}
            for prefix, side in (("base_", before), ("", after)):
                cells = side.get(mode, _NONE)
                row |= dict(
                    zip((f"{prefix}share", f"{prefix}time_h", f"{prefix}cost_usd"), cells, strict=True)
                )
            rows.append(row)
    return rows


_NONE: tuple[float, None, None] = (0.0, None, None)


def _by_mode(results: Results, start: str, end: str, sector: str) -> dict[str, tuple[Any, Any, Any]]:
    """Share of every mode in a pair's TEU of a sector, hours and USD of its best route; empty without one."""
    choice, graph = results.choice, results.graph
    routes, number = choice.base.routes, graph.place_number
    if start not in number or end not in number:
        return {}
    at = np.flatnonzero((routes.origin == number[start]) & (routes.destination == number[end]))
    if not len(at) or int(at[0]) in choice.unreachable:
        return {}
    pair, k = int(at[0]), choice.classes.sectors.index(sector)
    return {mode: cells for mode, cells in _modes(results, pair, k) if cells[0] > 0.0}


def _modes(results: Results, pair: int, k: int) -> Iterator[tuple[str, tuple[float, float, float]]]:
    choice = results.choice
    classes, sums, span = choice.classes, choice.sums, choice.base.routes.routes_of(pair)
    mine = slice(span.start, span.stop)
    kind, all_rail = _kinds(results, span)
    beta = float(classes.block_share[k, pair])
    by_product = [
        part * choice.route_share(k, p, pair) for p, part in ((BLOCK, beta), (WAGONLOAD, 1.0 - beta))
    ]
    mostly = BLOCK if beta >= 0.5 else WAGONLOAD
    rail, both = {"container train": BLOCK, "wagonload": WAGONLOAD}, by_product[0] + by_product[1]
    for mode in MODES:
        p, share = (rail[mode], by_product[rail[mode]]) if mode in rail else (mostly, both)
        used = (kind == ("rail" if mode in rail else mode)) & (share > 0.0)
        if not used.any():
            continue
        whole = used & all_rail if mode in rail and (used & all_rail).any() else used
        hours, money = sums.time_h[p, mine], sums.money(int(classes.kind[k]))[p, mine]
        risk = float(classes.rho[k]) * np.sqrt(np.maximum(sums.variance_h2[p, mine], 0.0))
        cost = money + classes.carbon_usd_per_kg * sums.co2e_kg[p, mine]
        cost = cost + float(classes.usd_per_h[k, pair]) * (hours + risk)
        best = int(np.argmin(np.where(whole, cost, np.inf)))
        yield mode, (float(share[used].sum()), float(hours[best]), float(money[best]))


def _kinds(results: Results, span: range) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
    """What the routes of a pair are called: rail or one of MODES; and those by rail without a truck."""
    graph, routes = results.graph, results.choice.base.routes
    start = routes.start[span.start : span.stop + 1]
    arcs, start = routes.arcs[start[0] : start[-1]], start - start[0]
    route = np.repeat(np.arange(len(span)), np.diff(start))

    def km_by(layer: int) -> FloatArray:
        here = np.where(graph.mode == layer, graph.length_km, 0.0)
        return np.asarray(np.bincount(route, here[arcs], len(span)), dtype=np.float64)

    length = np.bincount(route, graph.length_km[arcs], len(span))
    classes = mode_classes(graph, results.world.network["places"].by("place_id"), arcs, start)
    named = np.array(MODE_CLASSES)[classes]
    afloat = np.isin(named, ["sea", "multimodal"])
    words = np.where(named == "road", "truck", named)
    words = np.where(afloat, np.where(km_by(SEA) >= _LEAST_AT_SEA * length, "ship", "land and ship"), words)
    return words, np.asarray(km_by(ROAD) <= _MOST_ROAD * length)
