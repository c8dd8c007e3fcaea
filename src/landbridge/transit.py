"""What carriers of a country are paid for other people's freight: gross revenue, before any cost.

    paid_qn = sum over arcs a in n, products p, of flow_qap x money_ap        [million USD of 2023 a year]
    transit_n = sum over pairs q with neither end in n of paid_qn

q: pair of regions; flow: TEU by product; money: haulage, handling, fees and border payments of an arc. An arc
over a border belongs to both sides by halves, a port to its country. A ship between two ports belongs to no
country here, since the flag says little about whose income it is. What shippers pay counts: a subsidy on top
does not.
Gross revenue is no gain of real income: the trains, the fuel and the people have other uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.transport import Choice, Graph
from landbridge.transport.graph import LAYERS, SEA, TERMS
from landbridge.world import World

__all__ = ["Payments", "payments", "transit_rows"]

Rows = list[dict[str, Any]]
FloatArray = NDArray[np.float64]
LongArray = NDArray[np.int64]

# The cost that a subsidy covers is put on borders of this region, and is its own.
_SUBSIDISES = "CHN"


@dataclass(frozen=True, eq=False)
class Payments:
    """What freight between two regions pays to the carriers of each.

    regions: codes. exporter, importer [pair]: numbers of the regions. musd [pair, region]: paid to the
    carriers of a region [million USD of 2023 a year]. ships_musd [pair]: paid to ships between two ports.
    """

    regions: tuple[str, ...]
    exporter: LongArray
    importer: LongArray
    musd: FloatArray
    ships_musd: FloatArray

    @property
    def transit_musd(self) -> FloatArray:
        """Paid to the carriers of a region by trade that neither begins nor ends there [region]."""
        return np.asarray(np.where(self._own, 0.0, self.musd).sum(axis=0))

    @property
    def own_musd(self) -> FloatArray:
        """Paid to the carriers of a region by its own trade [region]."""
        return np.asarray(np.where(self._own, self.musd, 0.0).sum(axis=0))

    @property
    def _own(self) -> NDArray[np.bool_]:
        region = np.arange(len(self.regions))
        return np.asarray((self.exporter[:, None] == region) | (self.importer[:, None] == region))


def payments(world: World, graph: Graph, choice: Choice, demand_teu: FloatArray) -> Payments:
    """The payments of all freight, by pair of regions and region paid.

    demand_teu [pair, sector]: loaded TEU a year between zones.
    """
    routes = choice.base.routes
    places = world.network["places"].by("place_id")
    of_place = [str(places[name]["region"] or places[name]["country"]) for name in graph.places]
    regions = tuple(sorted(set(of_place)))
    number = np.array([regions.index(region) for region in of_place])
    ends = number[routes.origin] * len(regions) + number[routes.destination]
    codes, pair = np.unique(ends, return_inverse=True)
    flows = routes.to_arcs_by(choice.route_flows(demand_teu), pair[routes.pair], len(codes))
    one_side = _of_one_side(graph)
    usd = np.einsum("qak,ak->qa", flows, graph.cost_usd - one_side) / 1e6
    subsidised = np.einsum("qak,ak->qa", flows, one_side) / 1e6
    tail, head = graph.tail // len(LAYERS), graph.head // len(LAYERS)
    ship = (graph.mode == SEA) & (tail != head)
    paid = np.zeros((graph.n_arcs, len(regions)))
    for place in (tail, head):
        paid[np.flatnonzero(~ship), number[place[~ship]]] += 0.5
    musd = usd @ paid
    if _SUBSIDISES in regions:
        musd[:, regions.index(_SUBSIDISES)] += subsidised.sum(axis=1)
    return Payments(
        regions,
        codes // len(regions),
        codes % len(regions),
        musd,
        np.asarray(usd[:, ship].sum(axis=1)),
    )


def _of_one_side(graph: Graph) -> FloatArray:
    """Money of an arc over a border that is China's alone: the cost its subsidy covers [arc, product]."""
    kinds = [TERMS.index(name) for name in ("subsidised_cost", "subsidy")]
    mine = np.isin(graph.term_kind, kinds)
    out = np.zeros_like(graph.cost_usd)
    np.add.at(out, graph.term_arc[mine], graph.term_cost_usd[mine])
    return out


def transit_rows(found: Payments, base: Payments | None = None) -> Rows:
    """Gross revenue of the carriers of each region; in a scenario with its change against the base.

    musd: from transit; own_musd: from trade of the region itself [million USD of 2023 a year].
    """
    before = {} if base is None else dict(zip(base.regions, base.transit_musd.tolist(), strict=True))
    rows: Rows = []
    for region, transit, own in zip(
        found.regions, found.transit_musd.tolist(), found.own_musd.tolist(), strict=True
    ):
        row: dict[str, Any] = {"region": region, "musd": transit, "own_musd": own}
        if base is not None:
            row["change_musd"] = transit - before.get(region, 0.0)
        rows.append(row)
    return rows
