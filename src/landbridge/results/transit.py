"""Payments to carriers of a country for freight: gross revenue, and the part that enters the economy.

    paid_qm = sum over arcs a of m, tariffs p, of flow_qap x money_ap         [million USD of 2023 a year]
    transit_m = sum over pairs q with neither end in m of paid_qm

q: pair of regions; flow: TEU by tariff (container trains, wagonload, bulk in wagonload); money: haulage,
handling, fees and border payments of an arc. An arc over a border, the payments there and a change of gauge
belong half to each side, but a haul to a border station belongs to the country that it leads through; a port
and a ferry to the countries of their places. A ship on the ocean is no country's transit; its money goes to
the regions that own the world's fleet. Payments by shippers count: a subsidy on top does not.

Gross revenue is not a gain of real income: trains, fuel and people have other uses. The economy takes in the
increase of payments per USD of trade against the base, at the trade of the base (`carriage`), its part above
cost as income. See docs/theory/transit.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.trade import Carriage
from landbridge.transport import ArcBars, Choice, Freight, Graph
from landbridge.transport.compile import BORDER_ROLE
from landbridge.transport.graph import BLOCK, GAUGE_CHANGE, HAUL, LAYERS, RAILS, ROAD, TERMS, WAGONLOAD
from landbridge.transport.routes.route_set import RouteSet
from landbridge.transport.threads import side_by_side
from landbridge.world import World

__all__ = ["Carriers", "Payments", "Tolls", "carriage", "carriage_bars", "payments", "transit_rows"]

Rows = list[dict[str, Any]]
FloatArray = NDArray[np.float64]
LongArray = NDArray[np.int64]

# The cost that a subsidy covers is at borders of this region, and is paid by it.
_SUBSIDISES = "CHN"
_MUSD = 1e-6
_KINDS = 2
# Numbers of the tariffs: block train, wagonload, and goods in bulk as wagonload.
_TARIFFS = range(3)
_BULK = 2

ByTariff = tuple[csr_matrix, csr_matrix, csr_matrix]
# The mean of a kind of goods may exceed the cost of cheap goods of that kind.
_MOST = 0.9


@dataclass(frozen=True, eq=False)
class Carriers:
    """The recipients of payments on the arcs of a graph.

    regions: of the trade table, then others with places. place [place]: number of its region. owner [arc,
    region]: shares of haulage and handling, none for an ocean ship. ship [arc]: ocean ships. owner_above:
    of these shares, the part above cost in transit. post, post_above: the same for payments at borders. payer
    [arc, region]: payers of subsidies. land [tariff][arc, region]: USD per TEU paid to the
    carriers of regions, without ocean ships. ocean [arc, tariff]: paid to these. fleet [region]: owners of
    them. margin [tariff][arc, region]: part of land above cost for transit. above
    [tariff][arc, region]: above cost for all freight, from changes of price alone and from subsidies.
    """

    regions: tuple[str, ...]
    place: LongArray
    owner: csr_matrix
    owner_above: csr_matrix
    post: csr_matrix
    post_above: csr_matrix
    payer: csr_matrix
    ship: NDArray[np.bool_]
    land: ByTariff
    ocean: FloatArray
    fleet: FloatArray
    margin: ByTariff
    above: ByTariff

    @staticmethod
    def of(world: World, graph: Graph, at_cost: Graph | None = None) -> Carriers:
        """The recipients in a World. at_cost: its graph without changes of prices, if there are any.

        world, graph: its tables, and what was compiled from them.
        """
        regions, number = _regions(world, graph)
        ship = graph.ocean_ship

        def owned(ends: tuple[LongArray, LongArray]) -> csr_matrix:
            """Every arc by halves to the regions of two places, except ocean ships."""
            land = np.flatnonzero(~ship)
            at = np.concatenate([land, land]), np.concatenate([number[side[land]] for side in ends])
            return csr_matrix((np.full(2 * len(land), 0.5), at), shape=(graph.n_arcs, len(regions)))

        hauls, posts = owned(_ends(world, graph)), owned(_sides(graph))
        money, cost = _Money.of(graph), _Money.of(graph if at_cost is None else at_cost)
        share = _above_cost(world, regions)
        haul = graph.operation == HAUL
        on_rails = haul & (graph.mode >= RAILS[0]) & (graph.mode <= RAILS[-1])
        kind = np.where(on_rails | (graph.operation == GAUGE_CHANGE), 0, 2)
        kind[haul & (graph.mode == ROAD)] = 1
        mine = csr_matrix(hauls.multiply(share[kind]))
        charged = csr_matrix(posts.multiply(share[2]))
        payer = csr_matrix([[float(region == _SUBSIDISES) for region in regions]])

        def each(make: Callable[[int], Any]) -> ByTariff:
            block, wagonload, bulk = (csr_matrix(make(p)) for p in _TARIFFS)
            return block, wagonload, bulk

        def split(of_haul: csr_matrix, at_border: csr_matrix, usd: _Money, p: int) -> csr_matrix:
            both = of_haul.multiply(usd.plain[:, p, None]) + at_border.multiply(usd.border[:, p, None])
            return csr_matrix(both)

        def of_payer(usd: FloatArray) -> csr_matrix:
            return csr_matrix(usd[:, None]) @ payer

        return Carriers(
            regions,
            number,
            hauls,
            mine,
            posts,
            charged,
            csr_matrix(np.ones((graph.n_arcs, 1))) @ payer,
            ship,
            each(lambda p: split(hauls, posts, money, p) + of_payer((money.covered + money.subsidy)[:, p])),
            np.where(ship[:, None], money.plain + money.border, 0.0),
            _fleet(world, regions),
            each(lambda p: split(mine, charged, cost, p)),
            each(lambda p: split(hauls, posts, money.less(cost), p) + of_payer(money.subsidy[:, p])),
        )

    def own(self, n: int) -> NDArray[np.bool_]:
        """Pairs of the first n regions with an end in a region [pair, region]."""
        pair, region = np.arange(n * n), np.arange(len(self.regions))
        return np.asarray((pair[:, None] // n == region) | (pair[:, None] % n == region))


def _regions(world: World, graph: Graph) -> tuple[tuple[str, ...], LongArray]:
    """Regions of the trade table, then others with places; the number of the region of every place.

    A place that only another World of the study has gets the region of its country.
    """
    places = world.network["places"].by("place_id")
    of_country = {str(row["country"]): str(row["region"] or row["country"]) for row in places.values()}
    of_place = []
    for name, country in zip(graph.places, graph.countries, strict=True):
        row = places.get(name)
        own = None if row is None else row["region"]
        of_place.append(str(own or of_country.get(country, country)))
    known = world.trade.regions
    regions = (*known, *sorted(set(of_place) - set(known)))
    return regions, np.array([regions.index(region) for region in of_place])


def _sides(graph: Graph) -> tuple[LongArray, LongArray]:
    """The places at the ends of every arc [arc]."""
    one, two = (np.array(side // len(LAYERS), dtype=np.int64) for side in (graph.tail, graph.head))
    return one, two


def _ends(world: World, graph: Graph) -> tuple[LongArray, LongArray]:
    """The two places whose countries haul and handle on an arc [arc].

    A haul over a border between a border station and another place belongs to the other: the border is at the
    station. A change of gauge at a border belongs to its two sides, as on a link with both gauges trains can
    change on either at the same cost.
    """
    one, two = _sides(graph)
    places = world.network["places"].by("place_id")
    roles = [str(places[p]["role"] or "") if p in places else "" for p in graph.places]
    station = np.array([bool(BORDER_ROLE.search(role)) for role in roles])
    for here, there in ((one.copy(), two), (two.copy(), one)):
        alone = graph.border & station[here] & ~station[there]
        one[alone] = two[alone] = there[alone].copy()
    table = world.network["gateways"].by("gateway_id")
    for arc in np.flatnonzero((graph.operation == GAUGE_CHANGE) & (graph.gateway >= 0)).tolist():
        row = table.get(graph.gateways[graph.gateway[arc]])
        sides = [] if row is None else [row["place_a"], row["place_b"]]
        known = [graph.place_number[str(p)] for p in sides if p is not None and str(p) in graph.place_number]
        if len(known) == 2:
            one[arc], two[arc] = known
    return one, two


@dataclass(frozen=True, eq=False)
class _Money:
    """Money of the arcs in parts [arc, tariff], USD per TEU.

    plain: hauls and handling; border: payments there; covered: the cost that a subsidy covers; subsidy.
    """

    plain: FloatArray
    border: FloatArray
    covered: FloatArray
    subsidy: FloatArray

    @staticmethod
    def of(graph: Graph) -> _Money:
        whole = np.column_stack([graph.cost_usd, graph.bulk_usd[:, WAGONLOAD]])
        of_term = np.column_stack([graph.term_cost_usd, graph.term_bulk_usd[:, WAGONLOAD]])
        parts = []
        for name in ("border", "subsidised_cost", "subsidy"):
            mine = graph.term_kind == TERMS.index(name)
            part = np.zeros_like(whole)
            np.add.at(part, graph.term_arc[mine], of_term[mine])
            parts.append(part)
        border, covered, subsidy = parts
        return _Money(whole - border - covered - subsidy, border, covered, subsidy)

    def less(self, other: _Money) -> _Money:
        """Money of hauls, handling and borders less that of another."""
        return replace(self, plain=self.plain - other.plain, border=self.border - other.border)


def _rows(world: World, quantity: str) -> Rows:
    return [dict(row) for row in world.network.get("carriers", ()) if row["quantity"] == quantity]


def _above_cost(world: World, regions: Sequence[str]) -> FloatArray:
    """Share of transit charges above cost [rail, road or other; region]; a region's own row before *."""
    out = np.zeros((3, len(regions)))
    modes = {"rail": 0, "road": 1, "sea": 2}
    for row in sorted(_rows(world, "above_cost"), key=lambda row: row["region"] != "*"):
        at = slice(None) if row["region"] == "*" else [n for n, r in enumerate(regions) if r == row["region"]]
        out[modes[str(row["mode"])], at] = float(row["share"])
    return np.minimum(out * world.parameter("transit_margin"), 0.99)


def _fleet(world: World, regions: Sequence[str]) -> FloatArray:
    """Share of the ocean fleet by region; the table's check ensures that they sum to one."""
    out = np.zeros(len(regions))
    for row in _rows(world, "fleet"):
        out[regions.index(str(row["region"]))] += float(row["share"])
    return out


# ---- gross revenue ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Payments:
    """Payments of freight between two regions to the carriers of each.

    regions: codes. exporter, importer [pair]: numbers of the regions. musd [pair, region]: paid to the
    carriers of a region [million USD of 2023 a year]. ships_musd [pair]: paid to ships on the ocean.
    """

    regions: tuple[str, ...]
    exporter: LongArray
    importer: LongArray
    musd: FloatArray
    ships_musd: FloatArray

    @property
    def transit_musd(self) -> FloatArray:
        """Paid to a region's carriers by trade with both ends elsewhere [region], million USD a year."""
        return np.asarray(np.where(self._own, 0.0, self.musd).sum(axis=0))

    @property
    def own_musd(self) -> FloatArray:
        """Paid to the carriers of a region by its own trade [region], million USD a year."""
        return np.asarray(np.where(self._own, self.musd, 0.0).sum(axis=0))

    @property
    def _own(self) -> NDArray[np.bool_]:
        region = np.arange(len(self.regions))
        return np.asarray((self.exporter[:, None] == region) | (self.importer[:, None] == region))


def payments(carriers: Carriers, choice: Choice, demand_teu: FloatArray) -> Payments:
    """The payments of all freight, by pair of regions and region paid.

    carriers: the recipients; choice: of routes.
    demand_teu [pair, sector]: loaded TEU a year between zones. Returns Payments [million USD of 2023 a year].
    Equation: head of `landbridge.results.transit`.
    """
    routes, regions, number = choice.base.routes, carriers.regions, carriers.place
    ends = number[routes.origin] * len(regions) + number[routes.destination]
    codes, pair = np.unique(ends, return_inverse=True)
    teu = choice.route_kinds(demand_teu)
    flows = _by_tariff(
        [routes.to_arcs_by(part, pair[routes.pair], len(codes)) for part in np.split(teu, 2, axis=1)]
    )
    return Payments(
        regions,
        codes // len(regions),
        codes % len(regions),
        _MUSD * np.asarray(sum((f @ land).toarray() for f, land in zip(flows, carriers.land, strict=True))),
        _MUSD * np.stack([f @ carriers.ocean[:, p] for p, f in enumerate(flows)]).sum(axis=0),
    )


def transit_rows(found: Payments, base: Payments | None = None) -> Rows:
    """Gross revenue of the carriers of each region; in a scenario with its change against the base.

    found, base: payments of the case and of the base.
    musd: from transit; own_musd: from trade of the region itself [million USD of 2023 a year].
    Equation: head of `landbridge.results.transit`.
    """
    before = {} if base is None else dict(zip(base.regions, base.transit_musd.tolist(), strict=True))
    rows: Rows = []
    own_before = {} if base is None else dict(zip(base.regions, base.own_musd.tolist(), strict=True))
    for region, transit, own in zip(
        found.regions, found.transit_musd.tolist(), found.own_musd.tolist(), strict=True
    ):
        if transit == 0.0 and own == 0.0 and not before.get(region):
            continue  # no freight of the network touches it
        row: dict[str, Any] = {"region": region, "musd": transit, "own_musd": own}
        if base is not None:
            row["change_musd"] = transit - before.get(region, 0.0)
            row["own_change_musd"] = own - own_before.get(region, 0.0)
        rows.append(row)
    return rows


# ---- what of it enters the economy -----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Tolls:
    """The TEU of the base's trade on the routes of a choice, and the recipients of payments for them.

    carriers: the recipients.
    routes: of the choice. teu [route, 4]: by kind and product, see `Choice.route_kinds`. pair_of_regions
    [pair]: -1 for places that are not zones. n: regions of the trade table.
    """

    carriers: Carriers
    routes: RouteSet
    teu: FloatArray
    pair_of_regions: LongArray
    n: int

    @staticmethod
    def of(carriers: Carriers, choice: Choice, freight: Freight, base_teu: FloatArray) -> Tolls:
        """The payments of a choice; base_teu [pair, k]: the trade of the base in TEU.

        carriers: the recipients; freight: of the base.
        """
        teu = choice.route_kinds(base_teu)
        return Tolls(carriers, choice.base.routes, teu, freight.pair_of_regions, freight.n_regions)

    @cached_property
    def flows(self) -> ByTariff:
        """TEU on arcs by tariff, separately for pairs of regions and kinds [2 x pair + kind, arc]."""
        return self._by_arc(self.teu)

    def paid(self, before: Tolls) -> tuple[FloatArray, FloatArray]:
        """Paid more than before, and the part above cost [pair, kind, region]: million USD a year."""
        if self.routes is not before.routes:
            changes = [(self, self.flows, 1.0), (before, before.flows, -1.0)]
        else:
            # Changes of flows at the current rates, and changes of rates at the flows before.
            changes = [(self, self._by_arc(self.teu - before.teu), 1.0)]
            if self.carriers is not before.carriers:
                changes += [(self, before.flows, 1.0), (before, before.flows, -1.0)]
        parts = [[sign * part for part in tolls._on(flows)] for tolls, flows, sign in changes]
        total, rent = (sum(each) for each in zip(*parts, strict=True))
        shape = self.n * self.n, _KINDS, len(self.carriers.regions)
        return np.reshape(total, shape), np.reshape(rent, shape)

    def _on(self, flows: ByTariff) -> tuple[FloatArray, FloatArray]:
        carriers = self.carriers
        total, margin, above = (
            sum((f @ usd).toarray() for f, usd in zip(flows, each, strict=True))
            for each in (carriers.land, carriers.margin, carriers.above)
        )
        sailed = sum(f @ carriers.ocean[:, p] for p, f in enumerate(flows))
        total = total + np.outer(sailed, carriers.fleet)
        own = np.repeat(carriers.own(self.n), _KINDS, axis=0)
        return _MUSD * total, _MUSD * (above + np.where(own, 0.0, margin))

    def _by_arc(self, teu: FloatArray) -> ByTariff:
        routes, n = self.routes, _KINDS * self.n * self.n
        pair = self.pair_of_regions[routes.pair]
        trades, group = (pair >= 0)[:, None], np.where(pair >= 0, _KINDS * pair, 0)

        def of_kind(c: int) -> list[csr_matrix]:
            return routes.to_arcs_by(np.where(trades, teu[:, 2 * c : 2 * c + 2], 0.0), group + c, n)

        return _by_tariff(side_by_side([partial(of_kind, c) for c in range(_KINDS)]))


def _by_tariff(flows: Sequence[Sequence[csr_matrix]]) -> ByTariff:
    """Flows by tariff, from flows by kind and product; on container trains both kinds pay alike."""
    boxed, bulk = flows
    return csr_matrix(boxed[BLOCK] + bulk[BLOCK]), boxed[WAGONLOAD], bulk[WAGONLOAD]


def _weights(
    freight: Freight, boxed: NDArray[np.bool_], base_teu: FloatArray, trade: FloatArray
) -> tuple[FloatArray, LongArray]:
    """sigma / F [o, d, s], zero off the network, and the kind of every sector of the table [s]."""
    N, S = freight.n_regions, freight.n_sectors
    pair = freight.pair_of_regions
    mine = pair >= 0
    teu, kind = np.zeros((N * N, S)), np.zeros(S, dtype=np.int64)
    for k, s in enumerate(freight.sector.tolist()):
        teu[:, s] = np.bincount(pair[mine], weights=base_teu[mine, k], minlength=N * N)
        kind[s] = 0 if boxed[k] else 1
    of_kind = np.stack([teu[:, kind == c].sum(axis=1) for c in range(_KINDS)], axis=1)[:, kind]
    per = of_kind * trade.reshape(N * N, S)
    return np.divide(teu, per, out=np.zeros_like(teu), where=per > 0.0).reshape(N, N, S), kind


def carriage(
    changes: Sequence[tuple[Tolls, Tolls]],
    freight: Freight,
    boxed: NDArray[np.bool_],
    base_teu: FloatArray,
    trade: FloatArray,
    log_tau: FloatArray,
    sector: str,
    share: float,
) -> Carriage | None:
    """Payments to carriers per USD of trade, more than in the base; None where there are none.

        e_nim^s = share x sigma_ni^s / F_ni^s x (paid'_nim - paid_nim) / tau'_ni^s

    paid: by pair of regions and kind of goods, at the TEU of the base [million USD]; sigma: part of the
    sector in the TEU of its kind; F: trade of the base. Where money alone changes, buyers pay as much more as
    carriers receive, and the exporter keeps its output: F tau'/tau (1 - e) = F.

    changes: the TEU of all pairs or of parts of them, now and in the base. freight: weights of zones; boxed
    [k]: goods in containers. base_teu [pair, k], trade [o, d, s]: of the base. log_tau [o, d, s]: ln tau'.
    sector: the carrying one. share: of money that is paid and does not melt, a fraction. Carriers never
    receive more than _MOST of one sale.
    """
    N = freight.n_regions
    found = [now.paid(before) for now, before in changes]
    if share == 0.0 or not any(part.any() for change in found for part in change):
        return None
    weight, kind = _weights(freight, boxed, base_teu, trade)
    weight = share * weight * np.exp(-log_tau)
    paid, above = (
        np.sum([change[n][..., :N] for change in found], axis=0).reshape(N, N, _KINDS, N) for n in range(2)
    )
    total = weight * paid.sum(axis=3)[:, :, kind]
    weight = np.where(total > _MOST, weight * _MOST / np.where(total > _MOST, total, 1.0), weight)
    return Carriage(sector, kind, weight, paid, above)


def carriage_bars(
    found: Tolls,
    choice: Choice,
    freight: Freight,
    base_teu: FloatArray,
    trade: FloatArray,
    log_tau: FloatArray,
    share: float,
    bars_of: tuple[FloatArray, FloatArray],
    now: Carriage | None,
    *,
    routes_held: bool = False,
) -> ArcBars:
    """Transpose of the derivative of `carriage`, by hours, money ... of the arcs.

    found: TEU and recipients of the base; choice, freight: of the case; base_teu [pair, k]; trade, log_tau
    [o, d, s], share: as in `carriage`. bars_of [o, d, s, m]: derivatives of a scalar by e and by r. now:
    payments in force, None in a base. Returns ArcBars. routes_held: whether freight keeps its routes, so that
    only rates change.
    Equations: docs/theory/transit.md, and those of `Choice.vjp`.
    """
    weight, kind = _weights(freight, choice.classes.in_containers, base_teu, trade)
    pull = _Pull.of(found, bars_of, share * weight * np.exp(-log_tau), kind)
    cost_bar = None
    if now is not None:
        # e falls as tau' rises.
        shares = (now.weight[..., None] * part[:, :, kind] for part in (now.paid, now.rent))
        on_tau = -sum((bar * e).sum(axis=3) for bar, e in zip(bars_of, shares, strict=True))
        cost_bar = freight.cost_bar(choice.cost, np.asarray(on_tau))
    if not routes_held:
        share_bar = pull.share_bar(choice, base_teu, kind[freight.sector])
        return pull.by_money(choice.vjp(cost_bar=cost_bar, share_bar=share_bar))
    if cost_bar is not None:
        return pull.by_money(choice.vjp(cost_bar=cost_bar))
    nothing = np.zeros((len(found.carriers.ocean), 2))
    return pull.by_money(ArcBars(nothing, nothing, nothing, nothing, nothing))


@dataclass(frozen=True, eq=False)
class _Pull:
    """Derivatives of a scalar by what is paid [2 x pair + kind, region], per USD a year.

    paid: by all that carriers receive; rent: by its part above cost, of all freight; margin: of transit only.
    ships [2 x pair + kind]: by what ships on the ocean receive.
    """

    tolls: Tolls
    paid: FloatArray
    rent: FloatArray
    margin: FloatArray
    ships: FloatArray

    @staticmethod
    def of(
        tolls: Tolls, bars_of: tuple[FloatArray, FloatArray], weight: FloatArray, kind: LongArray
    ) -> _Pull:
        """From derivatives by e and by r [o, d, s, m]; weight [o, d, s]: e and r per million USD."""
        carriers, n = tolls.carriers, tolls.n
        bars = [np.zeros((n * n, _KINDS, len(carriers.regions))) for _ in range(2)]
        for bar, given in zip(bars, bars_of, strict=True):
            each = (weight[..., None] * given).reshape(n * n, len(kind), n)
            for c in range(_KINDS):
                bar[:, c, :n] = each[:, kind == c].sum(axis=1)
        paid, rent = (_MUSD * bar.reshape(_KINDS * n * n, -1) for bar in bars)
        margin = np.where(np.repeat(carriers.own(n), _KINDS, axis=0), 0.0, rent)
        return _Pull(tolls, paid, rent, margin, paid @ carriers.fleet)

    def share_bar(
        self, choice: Choice, base_teu: FloatArray, kind: LongArray
    ) -> Callable[[int, int], FloatArray]:
        """Derivative by `route_share` as a function of sector and product; kind [k]: of each sector."""
        pair, beta = self.tolls.pair_of_regions, choice.classes.block_share
        of_route = self.tolls.routes.pair
        group = np.where(pair >= 0, pair, 0)[of_route] * _KINDS
        trades = pair[of_route] >= 0
        toll = [np.ascontiguousarray(self._by_teu(p).T) for p in _TARIFFS]
        along = {
            (c, p): self.tolls.routes.over_arcs_by(toll[_BULK if c and p else p], group + c)
            for c in range(_KINDS)
            for p in range(2)
        }

        def bar(k: int, p: int) -> FloatArray:
            loaded = base_teu[:, k] * (beta[k] if p == 0 else 1.0 - beta[k])
            return np.where(trades, loaded[of_route] * along[int(kind[k]), p], 0.0)

        return bar

    def by_money(self, arcs: ArcBars) -> ArcBars:
        """Derivatives through choice, with those by the money of the arcs at given flows added."""
        block, wagonload, bulk = (self._by_usd(p) for p in _TARIFFS)
        money = {name: arcs.cost_usd + np.stack([block[name], wagonload[name]], axis=1) for name in block}
        in_bulk = {
            name: arcs.bulk_usd + np.stack([np.zeros_like(part), part], axis=1) for name, part in bulk.items()
        }
        return ArcBars(
            arcs.time_h,
            money.pop("haul"),
            arcs.co2e_kg,
            arcs.variance_h2,
            in_bulk.pop("haul"),
            cost_by_term=money,
            bulk_by_term=in_bulk,
        )

    def _by_teu(self, p: int) -> FloatArray:
        """Derivatives by the TEU of a tariff on the arcs [arc, 2 x pair + kind]."""
        carriers = self.tolls.carriers
        return np.asarray(
            carriers.land[p] @ self.paid.T
            + carriers.margin[p] @ self.margin.T
            + carriers.above[p] @ self.rent.T
            + np.outer(carriers.ocean[:, p], self.ships)
        )

    def _by_usd(self, p: int) -> dict[str, FloatArray]:
        """Derivatives by the money of the arcs at given flows [arc], by name of the term; haul: the rest.

        Additional money goes to the current recipients. A subsidy is above cost for its payer.
        """
        flows, carriers = self.tolls.flows[p], self.tolls.carriers
        paid, margin, rent = (flows.T @ bar for bar in (self.paid, self.margin, self.rent))
        ships = flows.T @ self.ships

        def to(owner: csr_matrix, worth: FloatArray) -> FloatArray:
            return np.asarray(owner.multiply(worth).sum(axis=1)).ravel()

        covered = to(carriers.payer, paid)
        land = {
            "haul": to(carriers.owner, paid) + to(carriers.owner_above, margin),
            "border": to(carriers.post, paid) + to(carriers.post_above, margin),
            "subsidised_cost": covered,
            "subsidy": covered + to(carriers.payer, rent),
        }
        at_sea = ("haul", "border")
        return {k: np.where(carriers.ship, ships, v) if k in at_sea else v for k, v in land.items()}
