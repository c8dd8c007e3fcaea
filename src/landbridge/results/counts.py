"""Traffic of gateways in the units of published counts, and the observed counts.

Containers are counted as a port counts them: loaded and empty, in and out. All goods are counted in tonnes,
including those in containers. A truck is `t_per_truck` tonnes. Goods that reach a Caspian port by road sail
in their truck and are counted in trucks there, not in containers; at other ports the truck stays ashore.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.transport import Graph
from landbridge.transport.graph import LAYERS, PORT, ROAD
from landbridge.world import World

__all__ = ["Passed", "count_rows", "observed_cells", "trucks_aboard", "with_empties"]

FloatArray = NDArray[np.float64]
Rows = list[dict[str, Any]]

CONTAINERS, TONNES = 0, 1
# Order of the counts shown at a gateway that has several: the first of these.
_BY_TRUST = ("fitted", "input", "predicted", "ranked")


class Passed:
    """Traffic of every gateway per year, from flows and goods on arcs, see `Results`.

    world, graph: of the result; flow_teu [arc, product]: TEU a year; goods [arc, 2]: TEU and t a year.
    containers [gateway]: TEU, loaded and empty, both ways. tonnes [gateway]: all goods [t]. trucks [gateway]:
    all goods as trucks, at ports those on ferries alone. ferries [gateway]: ports that ship trucks.
    block_boxes [gateway]: containers on container trains, including empties; trains [gateway]: per day.
    block_loaded [gateway]: the loaded part.
    """

    def __init__(self, world: World, graph: Graph, flow_teu: FloatArray, goods: FloatArray) -> None:
        back = world.parameter("return_ratio_empty")
        aboard = trucks_aboard(graph)
        afloat = np.where(aboard, 0.0, 1.0)[:, None]
        self.containers = with_empties(graph.at_gateways_by_way(goods * afloat)[:, CONTAINERS], back)
        self.tonnes = graph.at_gateways_by_way(goods)[:, TONNES].sum(axis=1)
        rolled = graph.at_gateways_by_way(goods * (1.0 - afloat))[:, TONNES].sum(axis=1)
        kinds, rows = world.gateway_kinds, world.network["gateways"].by("gateway_id")
        ports = np.array([g in rows and kinds.stands_for(rows[g]) == "port" for g in graph.gateways])
        self.trucks = np.where(ports, rolled, self.tonnes) / world.parameter("t_per_truck")
        self.ferries = graph.at_gateways(aboard.astype(float)[:, None])[:, 0] > 0.0
        block = graph.at_gateways_by_way(flow_teu * afloat)[:, 0]
        self.block_boxes = with_empties(block, back)
        self.block_loaded = block.sum(axis=1)
        self.trains = self.block_boxes / (world.parameter("teu_per_train") * world.parameter("days_per_year"))


def trucks_aboard(graph: Graph) -> NDArray[np.bool_]:
    """Arcs on which a truck boards or leaves a ship of the Caspian with its goods [arc].

    graph: with the arcs.
    """
    shore = np.zeros(len(graph.places), dtype=bool)
    ships = graph.caspian_ship
    shore[graph.tail[ships] // len(LAYERS)] = shore[graph.head[ships] // len(LAYERS)] = True
    by_road = (graph.tail % len(LAYERS) == ROAD) | (graph.head % len(LAYERS) == ROAD)
    return np.asarray((graph.operation == PORT) & by_road & shore[graph.tail // len(LAYERS)])


def with_empties(by_way: FloatArray, back: float) -> FloatArray:
    """Containers both ways [gateway]: at least the share `back` returns, empty where goods are too few.

    all = more + max(less, back x more), the loaded ones of the fuller and of the emptier way

    by_way [gateway, way]: loaded containers [TEU a year]; back: a fraction. Returns TEU a year.
    """
    more, less = by_way.max(axis=1), by_way.min(axis=1)
    return np.asarray(more + np.maximum(less, back * more))


def count_rows(world: World, graph: Graph, passed: Passed) -> Rows:
    """Observed counts of the year of the economy and the model's, each in its own unit.

    world, graph: of the case; passed: traffic of every gateway, a year. Columns: gateway, metric, year,
    observed, ours, unit, source, role and repeats. role: input, fitted, predicted, or ranked where the count
    has another scope and only its order is compared. repeats: a more trusted row counts the same at these
    gateways, in another unit or by another source.
    """
    days, year = world.parameter("days_per_year"), int(world.parameter("horizon"))
    number = {gateway: j for j, gateway in enumerate(graph.gateways)}
    kinds = world.network["gateways"].by("gateway_id")
    rows = []
    for row in world.network["validation_counts"]:
        names = str(row["gateway_id"]).split("+")
        if row["year"] != year or not all(n in number for n in names):
            continue
        rail = kinds[names[0]]["mode"] == "rail"
        ours = {
            "trains/year": days * passed.trains,
            "TEU/year": passed.block_boxes if rail else passed.block_loaded,
            "TEU in containers/year": passed.containers,
            "t/year": passed.tonnes,
            "trucks/year": passed.trucks,
        }.get(str(row["unit"]))
        if ours is None:
            # The model has no count of trains of all kinds per day.
            continue
        rows.append(
            {
                "gateway": str(row["gateway_id"]),
                "metric": str(row["metric"]),
                "year": year,
                "observed": float(row["value"] or 0.0),
                "ours": float(ours[[number[n] for n in names]].sum()),
                "unit": str(row["unit"]),
                "role": str(row["use"]),
                "source": str(row["source"]),
            }
        )
    return marked(rows)


# Units of the same quantity: container trains carry a fixed number of TEU.
_SAME_QUANTITY = {"trains/year": "container trains", "TEU/year": "container trains"}


def marked(rows: Rows) -> Rows:
    """The rows, with a mark `repeats` on those that count the same as a more trusted one.

    rows: counts of one year, with gateway, unit, role and metric.
    """
    seen: dict[tuple[str, str], str] = {}
    for row in sorted(rows, key=_trust):
        unit = str(row["unit"])
        key = str(row["gateway"]), _SAME_QUANTITY.get(unit, unit)
        row["repeats"] = seen.get(key, "")
        seen.setdefault(key, row["metric"])
    return rows


def _trust(row: Mapping[str, Any]) -> tuple[int, bool]:
    return _BY_TRUST.index(row["role"]), row["unit"] != "trains/year"


def observed_cells(counts: Rows) -> dict[str, dict[str, Any]]:
    """By gateway the count shown for it, and the model's value; of one role trains first.

    counts: rows of `count_rows`. Cells: observed and observed_ours in observed_unit, observed_year,
    observed_use.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in sorted(counts, key=_trust):
        found.setdefault(
            row["gateway"],
            {
                "observed": row["observed"],
                "observed_ours": row["ours"],
                "observed_unit": row["unit"],
                "observed_year": row["year"],
                "observed_use": row["role"],
            },
        )
    return found
