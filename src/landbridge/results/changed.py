"""What a scenario changes on the network, found by comparing its tables with those of its base, and what
passes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from landbridge.results.counts import with_empties
from landbridge.transport.graph import BLOCK, LAYERS, ROAD
from landbridge.world import World
from landbridge.world.table import Cell, Table

if TYPE_CHECKING:
    from landbridge.results.state import Results

__all__ = ["assumption_rows", "changed_gateways", "changed_links", "changed_rows"]

Rows = list[dict[str, Any]]
Row = Mapping[str, Cell]

# Less than this in TEU a year is no gain of traffic.
_GAINS_TEU = 500.0
# Tables whose rows belong to a gateway.
_OF_GATEWAYS = ("gateways", "crossings", "gauge_changes", "ports")
# The choice of routes and of corridors, whose sharpness every result leans on.
_SHARPNESS = ("phi", "phi_b")
# The table by which gas deliveries change.
_GAS = "gas_pipelines"


def changed_gateways(world: World, base: World) -> set[str]:
    """Gateways of which a scenario changes a row, or a link that crosses there.

    world, base: with and without the scenario. Returns their identifiers.
    """
    found = {
        str(row["gateway_id"])
        for name in _OF_GATEWAYS
        for row in _differing(world.network[name], base.network[name])
        if row["gateway_id"]
    }
    links = changed_links(world, base)
    return found | {str(r["gateway_id"]) for r in world.network["crossings"] if str(r["link_id"]) in links}


def changed_rows(results: Results) -> Rows:
    """Gateways that a scenario changes, else links, with what passes there before and after; most first.

    results: of a scenario.
    Columns: kind (gateway or link), id, mode, from and to (of a link), base_per_day and per_day (container
    trains, or trucks; None at sea), base_teu and teu (loaded containers and bulk, TEU a year), both ways; of
    a gateway also base_tonnes and tonnes (all goods, t a year).
    """
    base = results.base
    if base is None:
        return []
    gateways = changed_gateways(results.world, base.world)
    rows = [_gateway(row, results) for row in results.gateway_rows if row["gateway"] in gateways]
    if not rows:
        links = changed_links(results.world, base.world)
        table = results.world.network["links"].by("link_id")
        rows = [_link(table[link], base, results) for link in sorted(links) if link in results.graph.links]
    return sorted(rows, key=lambda row: (-abs(row["teu"] - row["base_teu"]), row["id"]))


def assumption_rows(results: Results) -> Rows:
    """Assumptions with a range that a result leans on, those of what the scenario changes first.

    results: of a scenario; no rows for a base.
    kind is speed (of a link that the scenario opens or changes: id, from, to, value, base_value [km/h]),
    crossing (of a gateway whose hours the scenario leaves alone: product, value and most by direction, low,
    high [h]; where it changes no open one, of that which gains most traffic), parameter (id, value, low,
    high, unit, what, set) or gas (no figures: deliveries change, and the economy has adjusted for good).
    """
    base = results.base
    if base is None:
        return []
    world = results.world
    gas = world.channels.get(_GAS) is not base.world.channels.get(_GAS)
    rows = [
        *([{"kind": "gas", "id": _GAS}] if gas else []),
        *_parameters(world, base.world),
        *_speeds(world, base.world),
    ]
    changed = changed_rows(results)
    passed = [row["id"] for row in changed if row["kind"] == "gateway" and row["teu"] > 0.0]
    if not passed:
        before = {row["gateway"]: row["teu_per_year"] for row in base.gateway_rows}
        gained = {
            r["gateway"]: r["teu_per_year"] - before.get(r["gateway"], 0.0) for r in results.gateway_rows
        }
        passed = [
            one for one in sorted(gained, key=lambda one: -gained[one])[:1] if gained[one] >= _GAINS_TEU
        ]
    for one in passed[:2]:
        # Hours that the scenario itself sets are no assumption of the data.
        hours = _crossing(base.world, one)
        rows += hours if hours == _crossing(world, one) else []
    known = world.network["parameters"].by("parameter")
    for name in _SHARPNESS:
        if not any(row["id"] == name for row in rows):
            rows.append(_parameter(known[name], False))
    return rows


# -- parts -------------------------------------------------------------------------------------------


def _differing(table: Table, base: Table) -> list[Row]:
    """Rows of a table that are not in that of the base."""
    if table is base:
        return []
    known = {tuple(row.values()) for row in base}
    return [row for row in table if tuple(row.values()) not in known]


def changed_links(world: World, base: World) -> set[str]:
    """Links of which a scenario changes the row, or that it adds.

    world, base: with and without the scenario. Returns their identifiers.
    """
    return {str(row["link_id"]) for row in _differing(world.network["links"], base.network["links"])}


def _gateway(row: Mapping[str, Any], results: Results) -> dict[str, Any]:
    assert results.base is not None
    was = next((r for r in results.base.gateway_rows if r["gateway"] == row["gateway"]), None)
    days = results.world.parameter("days_per_year")

    def per_day(of: Mapping[str, Any] | None) -> float | None:
        if of is None:
            return 0.0
        if of["mode"] == "road":
            return float(of["trucks_per_year"] or 0.0) / days
        return None if of["trains_per_day"] is None else float(of["trains_per_day"])

    return {
        "kind": "gateway",
        "id": row["gateway"],
        "mode": row["mode"],
        "base_per_day": per_day(was),
        "per_day": per_day(row),
        "base_teu": was["teu_per_year"] if was else 0.0,
        "teu": row["teu_per_year"],
        "base_tonnes": was["tonnes"] if was else 0.0,
        "tonnes": row["tonnes"],
    }


def _link(row: Row, base: Results, results: Results) -> dict[str, Any]:
    mode = str(row["mode"])
    (was, before), (now, after) = (_on_link(one, row) for one in (base, results))
    sea = not (mode.startswith("rail") or mode == LAYERS[ROAD])
    return {
        "kind": "link",
        "id": str(row["link_id"]),
        "mode": "rail" if mode.startswith("rail") else mode,
        "from": str(row["from_place"]),
        "to": str(row["to_place"]),
        "base_per_day": None if sea else was,
        "per_day": None if sea else now,
        "base_teu": before,
        "teu": after,
    }


def _on_link(results: Results, row: Row) -> tuple[float, float]:
    """Container trains with their empty returns, or loaded trucks, a day on a link both ways; TEU a year."""
    world, graph = results.world, results.graph
    if str(row["link_id"]) not in graph.links:
        return 0.0, 0.0
    mine = np.flatnonzero(graph.link == graph.links.index(str(row["link_id"])))
    flow, days = results.flow_teu[mine], world.parameter("days_per_year")
    if row["mode"] == LAYERS[ROAD]:
        per_year = float(results.goods[mine, 1].sum()) / world.parameter("t_per_truck")
        return per_year / days, float(flow.sum())
    ahead = graph.tail[mine] // len(LAYERS) == graph.place_number[str(row["from_place"])]
    by_way = np.array([[flow[way, BLOCK].sum() for way in (ahead, ~ahead)]])
    containers = float(with_empties(by_way, world.parameter("return_ratio_empty"))[0])
    return containers / (world.parameter("teu_per_train") * days), float(flow.sum())


def _parameters(world: World, base: World) -> Rows:
    """Parameters that are assumptions with a range and of the same subject as one that a scenario sets.

    Not the one that it sets, whose value is the scenario itself, unless it stands alone.
    """
    table = world.network["parameters"]
    changed = {str(row["parameter"]) for row in _differing(table, base.network["parameters"])}
    subjects = {name.split("_")[0] for name in changed}
    ranged = [
        row
        for row in table
        if str(row["parameter"]).split("_")[0] in subjects
        and row["basis"] == "assumption"
        and row["low"] is not None
        and row["high"] is not None
    ]
    beside = [row for row in ranged if str(row["parameter"]) not in changed]
    return [_parameter(row, str(row["parameter"]) in changed) for row in beside or ranged]


def _parameter(row: Row, is_set: bool) -> dict[str, Any]:
    return {
        "kind": "parameter",
        "id": str(row["parameter"]),
        "value": float(row["value"] or 0.0),
        "low": float(row["low"] or 0.0),
        "high": float(row["high"] or 0.0),
        "unit": str(row["unit"] or ""),
        "what": str(row["description"]),
        "set": is_set,
    }


def _speeds(world: World, base: World) -> Rows:
    """Links whose running speed a scenario sets, the longest first."""
    before = base.network["links"].by("link_id")
    rows = []
    for row in _differing(world.network["links"], base.network["links"]):
        was = before.get(str(row["link_id"]))
        if row["speed_kmh"] is None or (was is not None and was["speed_kmh"] == row["speed_kmh"]):
            continue
        rows.append(
            {
                "kind": "speed",
                "id": str(row["link_id"]),
                "from": str(row["from_place"]),
                "to": str(row["to_place"]),
                "value": float(row["speed_kmh"]),
                "base_value": None if was is None or was["speed_kmh"] is None else float(was["speed_kmh"]),
            }
        )
    return rows


def _crossing(world: World, gateway: str) -> Rows:
    """Hours of crossing a gateway where they are an assumption with a range, container trains first."""
    rows = [
        row
        for row in world.network["crossings"]
        if row["gateway_id"] == gateway and row["basis"] == "assumption" and row["time_high_h"] is not None
    ]
    products = sorted({str(row["product"]) for row in rows}, key=lambda product: product != "block")
    mine = [row for row in rows if row["product"] in products[:1]]
    hours = [float(row["time_h"] or 0.0) for row in mine]
    return [
        {
            "kind": "crossing",
            "id": gateway,
            "product": product,
            "value": min(hours),
            "most": max(hours),
            "low": min(float(row["time_low_h"] or 0.0) for row in mine),
            "high": max(float(row["time_high_h"] or 0.0) for row in mine),
        }
        for product in products[:1]
    ]
