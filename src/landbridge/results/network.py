"""Tables of the traffic on the network: gateways, links and emissions.

Every function takes flows [arc, product] in TEU a year on the arcs of a graph and returns rows in the names
of the public interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.results.counts import Passed
from landbridge.transport import Graph, Queues
from landbridge.transport.graph import BLOCK, LAYERS, RAILS, ROAD, SEA, TERMS, WAGONLOAD
from landbridge.transport.waiting.stations import capacity_of
from landbridge.world import World

__all__ = ["emission_rows", "gateway_rows", "hours_at_gateways", "link_rows", "queue_cells"]

FloatArray = NDArray[np.float64]
Rows = list[dict[str, Any]]
Cells = Mapping[str, Any]

_UNIT_OF_CAPACITY = {"rail": "container trains", "road": "trucks", "sea": "TEU in containers"}
# Terms that arise at a gateway, not on the way to it.
_AT_GATEWAY = ("border", "port", "sailing_wait", "feeder", "queue")
_OF_QUEUES = ("volume_over_capacity", "queue_h", "capacity_per_day", "capacity_unit", "capacity_factor")
_OF_COUNTS = ("observed", "observed_ours", "observed_unit", "observed_year", "observed_use")


def gateway_rows(
    world: World,
    graph: Graph,
    flow_teu: FloatArray,
    passed: Passed,
    observed: Mapping[str, Cells],
    queues: Mapping[int, Cells],
) -> Rows:
    """Flows and hours at every gateway; the columns are described in `Results.gateway_rows`.

    world, graph: of the result; flow_teu [arc, product]: TEU a year; passed: traffic of every gateway.
    observed: cells by gateway. queues: cells by number of the gateway, see `queue_cells`. TEU of a gateway
    are the sum over its arcs.
    """
    hours = hours_at_gateways(graph, flow_teu)
    total = graph.at_gateways(flow_teu)
    table, kinds = world.network["gateways"].by("gateway_id"), world.gateway_kinds
    rows = []
    for j, gateway in enumerate(graph.gateways):
        row = table[gateway]
        rail, port = row["mode"] == "rail", kinds.stands_for(row) == "port"
        teu = float(total[j].sum())
        rows.append(
            {
                "gateway": gateway,
                "name": str(row["name"]),
                "mode": str(row["mode"]),
                "status": str(row["status"]),
                "trains_per_day": float(passed.trains[j]) if rail else None,
                # Lanes pass a strait in both directions of either way.
                "teu_container": float(passed.containers[j]) if kinds.stands_for(row) != "strait" else None,
                "tonnes": float(passed.tonnes[j]),
                "trucks_per_year": (
                    float(passed.trucks[j]) if row["mode"] == "road" or passed.ferries[j] else None
                ),
                "teu_per_year": teu,
                "teu_block": float(total[j, BLOCK]) if rail else None,
                "teu_wagonload": float(total[j, WAGONLOAD]) if rail else None,
                **queues.get(j, dict.fromkeys(_OF_QUEUES)),
                "wait_h": float(hours[j]) if rail or port or row["mode"] == "road" else 0.0,
                **observed.get(gateway, dict.fromkeys(_OF_COUNTS)),
            }
        )
    return rows


def queue_cells(
    world: World, graph: Graph, flow_teu: FloatArray, queues: Queues, load: FloatArray
) -> dict[int, dict[str, Any]]:
    """Cells of gateways with a queue: use of the capacity, and mean wait of the traffic in it.

    world, graph: of the result; flow_teu [arc, product]: TEU a year; queues: its queues.
    load [q]: arrivals over capacity. Returns cells by number of the gateway: volume_over_capacity (arrivals
    over stated capacity, both ways), queue_h [h], capacity_per_day [capacity_unit], capacity_factor.
    Equations: docs/theory/gateways.md. Raises DataError for an unknown law of waits.
    """
    flows = queues.flows(graph, flow_teu)
    arriving, wait = queues.units_per_day(flows), queues.wait(load)
    table = world.network["gateways"].by("gateway_id")
    cells = {}
    for q in range(0, len(queues), 2):
        both = slice(q, q + 2)
        j, weight = int(queues.gateway[q]), flows[both]
        row = table[graph.gateways[j]]
        mean = wait[both] @ weight / weight.sum() if weight.sum() > 0.0 else wait[both].mean()
        cells[j] = {
            "volume_over_capacity": float(arriving[both].sum() / queues.stated[both].sum()),
            "queue_h": float(mean),
            "capacity_per_day": capacity_of(row),
            "capacity_unit": _UNIT_OF_CAPACITY[str(row["mode"])],
            "capacity_factor": float(queues.factor[q]),
        }
    return cells


def hours_at_gateways(graph: Graph, flow_teu: FloatArray) -> FloatArray:
    """Mean hours at every gateway [gateway], h, weighted by traffic; unweighted where there is none.

    mean = sum over arcs and products of TEU x h / sum of TEU

    graph: of the result; flow_teu [arc, product]: TEU a year.
    """
    here = np.isin(graph.term_kind, [TERMS.index(name) for name in _AT_GATEWAY])
    hours = np.zeros((graph.n_arcs, 2))
    np.add.at(hours, graph.term_arc[here], graph.term_time_h[here])
    spent, passed = graph.at_gateways(hours * flow_teu), graph.at_gateways(flow_teu)
    plain, count = graph.at_gateways(hours), graph.at_gateways(np.ones_like(hours))
    moved = passed.sum(axis=1)
    mean = plain.sum(axis=1) / np.maximum(count.sum(axis=1), 1.0)
    return np.asarray(np.where(moved > 0.0, spent.sum(axis=1) / np.where(moved > 0.0, moved, 1.0), mean))


def link_rows(world: World, graph: Graph, flow_teu: FloatArray) -> Rows:
    """Flows and CO2e of every link, including planned and closed ones.

    world: whose tables are read; graph: compiled from it; flow_teu [arc, product]: loaded TEU a year.
    teu_per_year: loaded TEU both ways, teu_forward: the part from `from` to `to`; teu_block and teu_wagonload
    by rail product (null off the rails). co2e_kt: of hauling them over the link [kt a year], sum over its
    arcs of TEU x kg CO2e per TEU.
    """
    on = graph.link >= 0
    number, count = graph.link[on], len(graph.links)
    teu = np.stack([np.bincount(number, flow_teu[on, p], count) for p in (BLOCK, WAGONLOAD)])
    kg = np.bincount(number, (flow_teu * graph.co2e_kg).sum(axis=1)[on], count)
    table = world.network["links"].by("link_id")
    starts = [graph.place_number[str(table[x]["from_place"])] if x in table else -1 for x in graph.links]
    leaves = graph.tail[on] // len(LAYERS) == np.array(starts)[number]
    ahead = np.bincount(number, np.where(leaves, flow_teu[on].sum(axis=1), 0.0), count)
    length = np.zeros(count)
    np.maximum.at(length, number, graph.length_km[on])
    rows = []
    for j, link in enumerate(graph.links):
        row = table.get(link)
        if row is None:
            continue
        rail = str(row["mode"]).startswith("rail")
        rows.append(
            {
                "link": link,
                "from": str(row["from_place"]),
                "to": str(row["to_place"]),
                "mode": str(row["mode"]),
                "status": str(row["status"]),
                "disputed": bool(row["disputed"]),
                "length_km": float(length[j]),
                "teu_per_year": float(teu[:, j].sum()),
                "teu_forward": float(ahead[j]),
                "teu_block": float(teu[BLOCK, j]) if rail else None,
                "teu_wagonload": float(teu[WAGONLOAD, j]) if rail else None,
                "co2e_kt": float(kg[j]) / 1e6,
            }
        )
    return rows


def emission_rows(graph: Graph, flow_teu: FloatArray) -> Rows:
    """TEU-km and CO2e of all freight on the network per year, by mode.

    TEU-km = sum over arcs of TEU x km, co2e = sum over arcs of TEU x kg CO2e per TEU, see
    docs/theory/emissions.md

    graph: of the result; flow_teu [arc, product]: TEU a year. Columns: mode, million_teu_km [million TEU-km a
    year], co2e_kt [kt CO2e a year].
    """
    rail = np.isin(graph.mode, RAILS)
    kinds = {
        "rail, container trains": (rail, (BLOCK,)),
        "rail, ordinary wagons": (rail, (WAGONLOAD,)),
        "road": (graph.mode == ROAD, (BLOCK, WAGONLOAD)),
        "ocean ship": ((graph.mode == SEA) & ~graph.caspian_ship, (BLOCK, WAGONLOAD)),
        "Caspian ship": (graph.caspian_ship, (BLOCK, WAGONLOAD)),
        "terminals, ports, gauge changes": (graph.mode == 0, (BLOCK, WAGONLOAD)),
    }
    rows = []
    for mode, (arcs, products) in kinds.items():
        km = sum(float(flow_teu[arcs, p] @ graph.length_km[arcs]) for p in products)
        kg = sum(float(flow_teu[arcs, p] @ graph.co2e_kg[arcs, p]) for p in products)
        rows.append({"mode": mode, "million_teu_km": km / 1e6, "co2e_kt": kg / 1e6})
    rows.append(
        {
            "mode": "all",
            "million_teu_km": float(flow_teu.sum(axis=1) @ graph.length_km) / 1e6,
            "co2e_kt": float((flow_teu * graph.co2e_kg).sum()) / 1e6,
        }
    )
    return rows
