"""Freight and trade: trade costs from route costs, and TEU on routes from trade.

Regions trade, zones ship. A region's trade is distributed over its zones by fixed weights w_od^s = w_o^s
w_d^s, the zone's share of its region's exports and of its imports of sector s (table zone_shares, else
zones), so that the cost between two regions and the TEU between their zones have the same weights.

    tau_od^s = 1 + eta^s K_od^s / u^s;   ln tau_ni^s = sum_od w_od^s ln tau_od^s
    TEU_od^s = w_od^s eta^s value^s / u^s

eta: share of the pair's value that moves on the network; K: expected generalised cost [USD/TEU];
u: value of a TEU [USD/TEU]; value: at base prices of the exporter [million USD a year].

Trade inside a bloc that is off the network (`bloc_on_network` of pair_groups, the case of Europe)
has no routes. Its cost is kept: no place, link or gateway changes it, only changes that affect all freight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.transport.graph import Graph
from landbridge.transport.routes.route_set import RouteSet
from landbridge.transport.segments import Segments, freight_segments
from landbridge.world import World

__all__ = ["Freight", "carried", "freight_between_regions", "kept_log_tau", "network_share"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_USD_PER_MUSD = 1e6
_FLOWS = ("exports", "imports")


@dataclass(frozen=True, eq=False)
class Freight:
    """The weights between zone pairs and region pairs, and the constants of the two equations above.

    n_regions, n_sectors: sizes of the trade table. sector [k]: its sector of each freight sector.
    pair_of_regions [pair]: origin region x n_regions + destination region, -1 where the pair belongs to
    no trade (a corridor that is only reported). weight [pair, k]: w_od, sums to one per pair of regions.
    share_network [pair, k]: eta. usd_per_teu [pair, k]: u.
    """

    n_regions: int
    n_sectors: int
    sector: IntArray
    pair_of_regions: IntArray
    weight: FloatArray
    share_network: FloatArray
    usd_per_teu: FloatArray
    _to_regions: csr_matrix

    def log_tau(self, cost: FloatArray) -> FloatArray:
        """ln of the ad-valorem freight cost of region pairs, [o, d, s]; zero off the network.

        cost [pair, k]: K, expected generalised cost [USD/TEU]; infinite where no route is open.
        """
        N, S = self.n_regions, self.n_sectors
        out = np.zeros((N, N, S))
        # A pair of zones without trade may lose its route without loss.
        ships = (self.share_network > 0.0) & (self.weight > 0.0)
        log = np.log1p(self._rate() * np.where(ships, cost, 0.0))
        out.reshape(N * N, S)[:, self.sector] = self._to_regions @ (self.weight * log)
        return out

    def cost_bar(self, cost: FloatArray, log_tau_bar: FloatArray) -> FloatArray:
        """Transpose of the derivative of `log_tau`: [o, d, s] -> [pair, k].

        d ln tau_ni / dK_od = w_od (eta / u) / tau_od

        cost [pair, k]: K [USD/TEU]; log_tau_bar [o, d, s]: derivatives by ln tau.
        """
        N, S = self.n_regions, self.n_sectors
        on_pairs = self.weight * (self._to_regions.T @ log_tau_bar.reshape(N * N, S)[:, self.sector])
        rate = self._rate()
        paid = np.where(self.share_network > 0.0, cost, 0.0)
        return np.asarray(on_pairs * rate / (1.0 + rate * paid))

    def demand_teu(self, value_musd: FloatArray) -> FloatArray:
        """TEU a year between zones [pair, k]; value_musd [o, d, s]: at base prices of the exporter."""
        N, S = self.n_regions, self.n_sectors
        value = self.weight * (self._to_regions.T @ value_musd.reshape(N * N, S)[:, self.sector])
        return np.asarray(value * self._rate() * _USD_PER_MUSD)

    def value_bar(self, demand_bar: FloatArray) -> FloatArray:
        """Transpose of `demand_teu`: [pair, k] -> [o, d, s].

        demand_bar: derivative by TEU a year; the result is that by million USD.
        """
        N, S = self.n_regions, self.n_sectors
        out = np.zeros((N, N, S))
        on_pairs = self.weight * demand_bar * self._rate() * _USD_PER_MUSD
        out.reshape(N * N, S)[:, self.sector] = self._to_regions @ on_pairs
        return out

    def ships(self, value_musd: FloatArray) -> NDArray[np.bool_]:
        """Pairs of zones with any freight at these values [pair]; value_musd [o, d, s]."""
        return np.asarray((self.demand_teu(value_musd) > 0.0).any(axis=1))

    def _rate(self) -> FloatArray:
        return self.share_network / self.usd_per_teu


def freight_between_regions(
    world: World, graph: Graph, routes: RouteSet, classes: Segments, zones: Mapping[int, str]
) -> Freight:
    """The weights that turn trade between regions into freight between zones on a route set, and back.

    world, graph, routes, classes: of the base; zones: place number -> region. A pair of places that are not
    both zones, or are in one region, has weight zero. Returns a Freight. Equations: head of
    `landbridge.transport.freight`.
    """
    regions, sectors = world.trade.regions, world.trade.sectors
    number = {region: n for n, region in enumerate(regions)}
    N = len(regions)
    region = np.full(len(graph.places), -1)
    for place, code in zones.items():
        region[place] = number[code]
    ships, takes = (zone_shares(world, graph.place_number, classes.sectors, flow) for flow in _FLOWS)
    o, d = region[routes.origin], region[routes.destination]
    trades = (o >= 0) & (d >= 0) & (o != d)
    pair = np.where(trades, o * N + d, -1)
    weight = np.where(trades[:, None], ships[routes.origin] * takes[routes.destination], 0.0)
    at = np.flatnonzero(trades)
    matrix = csr_matrix((np.ones(len(at)), (pair[at], at)), shape=(N * N, routes.n_pairs))
    eta = network_share(world, classes.sectors).reshape(N * N, -1)
    kept = np.where(trades[:, None], eta[np.maximum(pair, 0)], 0.0)
    return Freight(
        N,
        len(sectors),
        np.array([sectors.index(s) for s in classes.sectors], dtype=np.int64),
        pair.astype(np.int64),
        weight,
        kept,
        np.ascontiguousarray(classes.usd_per_teu.T),
        matrix,
    )


def zone_shares(world: World, number: Mapping[str, int], sectors: Sequence[str], flow: str) -> FloatArray:
    """Share of every zone in the exports or imports of its region by sector [place, k].

    number: of every place. The most specific rows apply: those of zone_shares for the region, flow and
    sector, then those for all its goods (sector *), then the shares of zones.
    """
    out = np.zeros((max(number.values()) + 1, len(sectors)))
    listed: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for row in world.network.get("zone_shares", ()):
        if row["flow"] == flow:
            cell = number[str(row["place_id"])], float(row["share"] or 0.0)
            listed.setdefault((str(row["region"]), str(row["sector"])), []).append(cell)
    plain: dict[str, list[tuple[int, float]]] = {}
    for row in world.network["zones"]:
        cell = number[str(row["place_id"])], float(row["share"] or 0.0)
        plain.setdefault(str(row["region"]), []).append(cell)
    for region, usual in plain.items():
        for k, sector in enumerate(sectors):
            for place, share in listed.get((region, sector)) or listed.get((region, "*")) or usual:
                out[place, k] = share
    return out


def carried(world: World, origins: Sequence[str], destinations: Sequence[str]) -> NDArray[np.bool_]:
    """Pairs of regions on the network [origin, destination]: not those inside a bloc that is off it.

    world: with the tables; origins, destinations: region codes.
    """
    rows = world.network["pair_groups"].by("region")
    kept = {str(r): str(row["bloc"]) for r, row in rows.items() if not row["bloc_on_network"]}
    ends = [np.array([kept.get(region, "") for region in side]) for side in (origins, destinations)]
    return np.asarray((ends[0][:, None] != ends[1][None, :]) | (ends[0][:, None] == ""))


def network_share(world: World, sectors: tuple[str, ...]) -> FloatArray:
    """eta [o, d, k]: share of a pair's value that moves on the network; zero inside a bloc that is off it.

    world: with the tables; sectors: codes of the freight sectors [k]. Returns fractions; o, d: regions of the
    trade table.
    """
    regions = world.trade.regions
    return freight_share(world, sectors) * carried(world, regions, regions)[:, :, None]


def kept_log_tau(world: World) -> FloatArray:
    """ln of the ad-valorem freight cost of trade inside a bloc off the network [o, d, s]; zero elsewhere.

        ln tau = ln(1 + eta K / u),   K = cost_usd + t u / 24 (time_h + reliability_h) + p_CO2e co2e_kg

    world: with the tables; eta: share of value that moves as freight, u: value of a TEU [USD/TEU], t:
    fraction of value a day. Taken from the means of table kept_costs of the world, so that a carbon price
    affects it as it affects all freight.
    """
    regions, sectors = world.trade.regions, world.trade.sectors
    out = np.zeros((len(regions), len(regions), len(sectors)))
    rows = list(world.network.get("kept_costs", ()))
    off = ~carried(world, regions, regions)
    if not rows or not off.any():
        return out
    ends = np.array([(regions.index(str(r["exporter"])), regions.index(str(r["importer"]))) for r in rows]).T
    classes = freight_segments(world, [regions[o] for o in ends[0]], [regions[d] for d in ends[1]])
    k = np.array([classes.sectors.index(str(row["sector"])) for row in rows])
    at = np.arange(len(rows))
    money, hours, spread, co2e = (
        np.array([float(row[name] or 0.0) for row in rows])
        for name in ("cost_usd", "time_h", "reliability_h", "co2e_kg")
    )
    cost = money + classes.usd_per_h[k, at] * (hours + spread) + classes.carbon_usd_per_kg * co2e
    rate = freight_share(world, classes.sectors)[ends[0], ends[1], k] / classes.usd_per_teu[k, at]
    sector = np.array([sectors.index(s) for s in classes.sectors])[k]
    out[ends[0], ends[1], sector] = np.where(off[ends[0], ends[1]], np.log1p(rate * cost), 0.0)
    return out


def freight_share(world: World, sectors: tuple[str, ...]) -> FloatArray:
    """Share of a pair's value that moves as freight [o, d, k], from freight_profile.

    The most specific row applies: exporter and importer, then exporter, then the sector alone; CA5 stands for
    each Central Asian country. Between two overland regions the sector's own row includes most of the air
    freight: eta + (1 - r) x air share, r the share of air freight that still goes by air.
    """
    regions = world.trade.regions
    pairs = world.network["pair_groups"].by("region")
    overland = np.array([bool(pairs[r]["overland"]) if r in pairs else False for r in regions])
    rows, still_flies = _profile(world)
    air = {str(r["sector"]): float(r["share_air"] or 0.0) for r in world.network["sector_freight"]}
    out = np.zeros((len(regions), len(regions), len(sectors)))
    for k, sector in enumerate(sectors):
        usual = rows.get((sector, "*", "*"), 0.0)
        both = overland[:, None] & overland[None, :]
        out[:, :, k] = np.where(both, min(1.0, usual + (1.0 - still_flies) * air.get(sector, 0.0)), usual)
        exact = [key for key in rows if key[0] == sector and key[1:] != ("*", "*")]
        # From the least specific row to the most specific, so that the last one written applies.
        for key in sorted(exact, key=_exactness):
            o, d = (_regions_named(world, word) for word in key[1:])
            out[np.ix_(o, d, [k])] = rows[key]
    off = np.array([not (r in pairs and bool(pairs[r]["on_network"])) for r in regions])
    out[off] = 0.0
    out[:, off] = 0.0
    diagonal = np.arange(len(regions))
    out[diagonal, diagonal] = 0.0
    return out


def _profile(world: World) -> tuple[dict[tuple[str, str, str], float], float]:
    """Shares by sector, exporter and importer, and the share of air freight that still goes by air."""
    rows: dict[tuple[str, str, str], float] = {}
    still_flies = 1.0
    for row in world.network["freight_profile"]:
        if row["rule"] == "air_to_network":
            still_flies = float(row["share_network"] or 0.0)
        else:
            key = str(row["sector"]), str(row["exporter"]), str(row["importer"])
            rows[key] = float(row["share_network"] or 0.0)
    return rows, still_flies


def _exactness(key: tuple[str, str, str]) -> tuple[bool, bool, bool, bool, tuple[str, str, str]]:
    _, exporter, importer = key
    return exporter != "*", exporter != "CA5", importer != "*", importer != "CA5", key


def _regions_named(world: World, word: str) -> list[int]:
    """Numbers of the regions that a word of freight_profile names: a code, CA5 or *."""
    pairs = world.network["pair_groups"].by("region")
    five = word == "CA5"
    return [
        n
        for n, r in enumerate(world.trade.regions)
        if word in ("*", r) or (five and r in pairs and pairs[r]["bloc"] == "central-asia")
    ]
