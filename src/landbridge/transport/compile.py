"""Compile a World into its state graph: every row of the tables becomes arcs with named terms.

All rows become arcs, planned and closed ones too; a mask states which are open. So Worlds that differ only in
values have the same arcs, and `align` gives others the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.transport.crossings import Borders
from landbridge.transport.emissions import EmissionFactors, carrier
from landbridge.transport.graph import (
    GATE_IN,
    GATE_OUT,
    GAUGE_CHANGE,
    HAUL,
    LAYERS,
    PORT,
    PRODUCTS,
    RAILS,
    ROAD,
    ROW_TABLES,
    SEA,
    SIDES,
    TERMINAL,
    TERMS,
    TRANSFER,
    WAGONLOAD,
    Graph,
    frozen,
)
from landbridge.world import World
from landbridge.world.table import Cell, Table, cell_number

__all__ = ["BORDER_ROLE", "align", "compile_graph"]

Row = Mapping[str, Cell]
IntArray = NDArray[np.int32]
_Pair = tuple[float, float]


class _Term(NamedTuple):
    """Hours, money and variance by product, emissions, and the row they come from (see ROW_TABLES).

    bulk_usd: money of goods in bulk, None where it is the same.
    """

    kind: int
    time_h: _Pair
    cost_usd: _Pair
    co2e_kg: float
    variance_h2: _Pair
    table: int = -1
    rows: tuple[int, int] = (-1, -1)
    bulk_usd: _Pair | None = None


# The product of the rates that goods in bulk pay by rail; they travel as wagonload.
_BULK = "bulk"
_TERM = {name: number for number, name in enumerate(TERMS)}
# Roles of places that are border stations or posts.
BORDER_ROLE = re.compile(r"\bborder\b(?! region)")


def compile_graph(world: World) -> Graph:
    """The state graph of one World (see `align` for several with the same arc numbers).

    world: its tables of places, links and gateways are compiled. Raises DataError with every open link that
    lacks a length or a speed, and for missing rates, border defaults and emission factors. Returns a Graph;
    states and arcs: docs/theory/routes.md.
    """
    return align([world])[0]


def align(worlds: Sequence[World]) -> list[Graph]:
    """Graphs of several Worlds with the same numbers of places, links, gateways and arcs.

    worlds: of one study. The arcs are those of the ordered union of the rows of all
    Worlds; a row that a World lacks is unavailable there (its values are those of the first World that has
    it). Raises DataError as `compile_graph` does.
    """
    union = _Union(worlds)
    return [_Compiler(world, union).graph() for world in worlds]


class _Union:
    """The rows of several worlds by key, in the order they first appear."""

    def __init__(self, worlds: Sequence[World]) -> None:
        self.places = _merge(worlds, "places", ("place_id",))
        self.links = _merge(worlds, "links", ("link_id",))
        self.gateways = _merge(worlds, "gateways", ("gateway_id",))
        self.gauge_changes = _merge(worlds, "gauge_changes", ("place_id", "gauge_a", "gauge_b"))
        self.ports = _merge(worlds, "ports", ("place_id",))
        self.dual = {
            key for w in worlds for key, row in _keyed(w, "links", ("link_id",)) if row["dual_gauge"]
        }


def _keyed(world: World, table: str, columns: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], Row]]:
    for row in world.network[table]:
        yield tuple(str(row[c]) for c in columns), row


def _merge(worlds: Sequence[World], table: str, columns: tuple[str, ...]) -> dict[tuple[str, ...], Row]:
    rows: dict[tuple[str, ...], Row] = {}
    for world in worlds:
        for key, row in _keyed(world, table, columns):
            rows.setdefault(key, row)
    return rows


@dataclass(frozen=True)
class _Rules:
    """The parameters of door-to-door hours and money; names and units are those of the table."""

    stop_block_h_per_km: float
    stop_wagonload_h_per_km: float
    rest_h_per_driving_h: float
    formation_block_h: float
    formation_wagonload_h: float
    terminal_rail_h: float
    terminal_rail_usd: float
    terminal_road_h: float
    terminal_road_usd: float
    transfer_h: float
    transfer_usd: float
    feeder_h: float
    feeder_usd: float
    cv_border: float
    cv_port: float
    variance_rail_h2_per_h: float
    variance_road_h2_per_h: float
    variance_sea_h2_per_h: float
    subsidy_block_usd: float
    subsidy_paid: float
    bulk_rail_factor: float

    @staticmethod
    def of(world: World) -> _Rules:
        return _Rules(**{name: world.parameter(name) for name in _Rules.__dataclass_fields__})


class _Rates:
    """Money rates by mode, product and scope (country of the haul or water), with `*` otherwise.

    A table without rates of bulk has those of wagonload for it.
    """

    def __init__(self, table: Table) -> None:
        self._rows: dict[tuple[str, str, str], Row] = {
            (str(row["mode"]), str(row["product"] or "*"), str(row["scope"])): row for row in table
        }
        self._has_bulk = any(row["product"] == _BULK for row in table)

    def haul(self, mode: str, product: str, scopes: tuple[str, str], length_km: float) -> float:
        """Money of one TEU over a link: half the rate of either end's country [USD/TEU]."""
        first = self._one(mode, product, scopes[0], length_km)
        if scopes[1] == scopes[0]:
            return first
        return 0.5 * (first + self._one(mode, product, scopes[1], length_km))

    def _one(self, mode: str, product: str, scope: str, length_km: float) -> float:
        if product == _BULK and not self._has_bulk:
            product = PRODUCTS[WAGONLOAD]
        for key in ((mode, product, scope), (mode, "*", scope), (mode, product, "*"), (mode, "*", "*")):
            row = self._rows.get(key)
            if row is not None:
                return cell_number(row, "usd_per_teu_km") * length_km + cell_number(row, "usd_per_teu")
        fault = Fault("rates.csv", f"no rate for {mode} {product} in {scope}", f"add a row {mode}, , *")
        raise DataError("a rate is missing", [fault])


@dataclass
class _Arc:
    """One direction of an arc while the graph is built."""

    tail: int
    head: int
    operation: int
    available: bool
    terms: list[_Term]
    link: int = -1
    gateway: int = -1
    mode: int = 0
    border: bool = False
    length_km: float = 0.0
    flags: tuple[bool, bool] = (False, False)


class _Compiler:
    """Writes the arcs of one world over a union of rows; one pass, in a fixed order."""

    def __init__(self, world: World, union: _Union) -> None:
        self.world, self.union = world, union
        self.rules = _Rules.of(world)
        self.borders = Borders(world, self.rules.cv_border)
        self.emissions = EmissionFactors(world.network["emission_factors"], world.parameter("payload_t"))
        self.rates = _Rates(world.network["rates"])
        self.places = [key[0] for key in union.places]
        self.number = {place: number for number, place in enumerate(self.places)}
        self.country = [str(row["country"]) for row in union.places.values()]
        self.links = [key[0] for key in union.links]
        self.gateways = [key[0] for key in union.gateways]
        self.gateway_number = {gateway: number for number, gateway in enumerate(self.gateways)}
        own = dict(_keyed(world, "gateways", ("gateway_id",)))
        self.gateway_open = [key in own and own[key]["status"] != "closed" for key in union.gateways]
        self.hub = {str(row["place_id"]): bool(row["rail_hub"]) for row in union.places.values()}
        kinds = world.gateway_kinds
        self.straits = {
            str(row["passage"]): self.gateway_number[str(row["gateway_id"])]
            for row in union.gateways.values()
            if kinds.stands_for(row) == "strait" and row["passage"] is not None
        }
        # Every link over a border has a gateway, so its places include big cities (Semey, Prague): a border
        # station is one whose role says so.
        self.stations = {
            place
            for row in union.gateways.values()
            if kinds.stands_for(row) == "border" and row["mode"] == "rail"
            for place in (str(row["place_a"]), str(row["place_b"]))
            if (place,) in union.places and BORDER_ROLE.search(str(union.places[(place,)]["role"] or ""))
        }
        self.arcs: list[_Arc] = []
        self.governs: list[tuple[int, int, bool]] = []
        self.layers: list[set[int]] = [set() for _ in self.places]
        self.handling = self.emissions.lift()

    def graph(self) -> Graph:
        self._hauls()
        self._gauge_changes()
        self._transfers()
        self._ports()
        self._gates()
        return self._freeze()

    # -- hauls -------------------------------------------------------------------------------------

    def _hauls(self) -> None:
        own = dict(_keyed(self.world, "links", ("link_id",)))
        place_in_table = _places(own)
        own_places = {str(row["place_id"]) for row in self.world.network["places"]}
        measured = {str(row["link_id"]): row for row in self.world.network["link_lengths_osm"]}
        faults: list[Fault] = []
        for number, (key, first) in enumerate(self.union.links.items()):
            row = own.get(key, first)
            ends = str(row["from_place"]), str(row["to_place"])
            there = key in own and row["status"] == "open" and all(end in own_places for end in ends)
            length = row["length_km"]
            if length is None and key[0] in measured:
                length = measured[key[0]]["length_km"]
            if there and (length is None or (row["speed_kmh"] is None and row["transit_time_h"] is None)):
                faults.append(
                    Fault(f"links.csv ({key[0]})", "an open link without length or speed", "give both")
                )
                continue
            at = place_in_table.get(key, -1)
            self._link(number, at, row, float(length or 0.0), there, dual=key in self.union.dual)
        if faults:
            raise DataError("links cannot be compiled", faults)

    def _link(self, number: int, at: int, row: Row, length: float, there: bool, *, dual: bool) -> None:
        mode = str(row["mode"])
        layer = SEA if mode in ("sea", "ferry") else LAYERS.index(mode)
        layers = (1, 2) if dual and layer in RAILS else (layer,)
        a, b = self.number[str(row["from_place"])], self.number[str(row["to_place"])]
        countries = self.country[a], self.country[b]
        abroad = layer != SEA and countries[0] != countries[1]
        governors = self._governors(row, abroad)
        open_now = there and all(self.gateway_open[g] for g in governors)
        haul = _of_row("links", at, self._haul_terms(row, layer, mode, countries, length))
        ships = layer == SEA and row["water"] == "caspian", layer == SEA and row["water"] != "caspian"
        for on in layers:
            available = open_now and (on == layer or bool(row["dual_gauge"]))
            for f, t in ((a, b), (b, a)):
                terms = [*haul, *(self._at_border(row, layer, countries, f, t) if abroad else ())]
                gateway = governors[0] if governors else -1
                ends = f * 7 + on, t * 7 + on
                arc = _Arc(*ends, HAUL, available, terms, number, gateway, on, abroad, length, ships)
                self.governs.extend((g, len(self.arcs), True) for g in governors)
                self.layers[f].add(on)
                self.layers[t].add(on)
                self.arcs.append(arc)

    def _governors(self, row: Row, abroad: bool) -> list[int]:
        """Numbers of the gateways that a link passes: the post of its border, else its straits."""
        post = self.borders.gateway(row) if abroad else None
        if post in self.gateway_number:
            return [self.gateway_number[post]]
        return [self.straits[p] for p in str(row["passage"] or "").split("+") if p in self.straits]

    def _at_border(self, row: Row, layer: int, countries: tuple[str, str], f: int, t: int) -> list[_Term]:
        """Terms of a link at the border that it crosses from place f to place t."""
        terms = [self._border_term(row, layer, (self.places[f], self.places[t]), f, t)]
        return [*terms, *self._subsidy()] if layer in RAILS and "CHN" in countries else terms

    def _haul_terms(
        self, row: Row, layer: int, mode: str, countries: tuple[str, str], length: float
    ) -> list[_Term]:
        rules = self.rules
        speed = row["speed_kmh"]
        published = row["transit_time_h"]
        hours = float(published) if published is not None else length / float(speed or 1.0)
        spread = (
            rules.variance_sea_h2_per_h
            if layer == SEA
            else rules.variance_road_h2_per_h
            if layer == ROAD
            else rules.variance_rail_h2_per_h
        )
        # A road over water is a truck ferry: no driving, no rest.
        by = carrier(row)
        co2 = self.emissions.haul(by, bool(row["electrified"]), countries, length)
        factor = 1.0 if row["cost_factor"] is None else float(row["cost_factor"])
        more = float(row["cost_usd"] or 0.0)
        if layer in RAILS:
            money = (
                factor * (self.rates.haul("rail", "block", countries, length) + more),
                factor * (self.rates.haul("rail", "wagonload", countries, length) + more),
            )
            tariff = rules.bulk_rail_factor * self.rates.haul("rail", _BULK, countries, length)
            bulk = money[0], factor * (tariff + more)
            stops = rules.stop_block_h_per_km * length, rules.stop_wagonload_h_per_km * length
            return [
                _Term(_TERM["haul"], (hours, hours), money, co2, (spread * hours,) * 2, bulk_usd=bulk),
                _Term(_TERM["stops"], stops, (0.0, 0.0), 0.0, (spread * stops[0], spread * stops[1])),
            ]
        if layer == ROAD:
            price = factor * (self.rates.haul("road", "*", countries, length) + more)
            rest = 0.0 if by == "ferry" else rules.rest_h_per_driving_h * hours
            return [
                _Term(_TERM["haul"], (hours, hours), (price, price), co2, (spread * hours,) * 2),
                _Term(_TERM["rest"], (rest, rest), (0.0, 0.0), 0.0, (spread * rest,) * 2),
            ]
        water = str(row["water"] or "ocean")
        price = factor * (self.rates.haul(mode, "*", (water, water), length) + more)
        return [_Term(_TERM["haul"], (hours, hours), (price, price), co2, (spread * hours,) * 2)]

    def _border_term(self, row: Row, layer: int, ends: tuple[str, str], f: int, t: int) -> _Term:
        countries = self.country[f], self.country[t]
        products = ("road", "road") if layer == ROAD else PRODUCTS
        one, two = (self.borders.terms(str(row["link_id"]), p, ends, countries) for p in products)
        return _Term(
            _TERM["border"],
            (one.time_h, two.time_h),
            (one.cost_usd, two.cost_usd),
            0.0,
            (one.variance_h2, two.variance_h2),
            ROW_TABLES.index("crossings"),
            (one.row, two.row),
        )

    def _subsidy(self) -> list[_Term]:
        """China's subsidy per container train, at every Chinese rail border.

        A trip across China crosses two. Observed rates are net of it, so the cost it covers and the subsidy
        cancel.
        """
        covered = self.rules.subsidy_block_usd
        none = (0.0, 0.0)
        return [
            _Term(_TERM["subsidised_cost"], none, (covered, 0.0), 0.0, none),
            _Term(_TERM["subsidy"], none, (-covered * self.rules.subsidy_paid, 0.0), 0.0, none),
        ]

    # -- within a place ----------------------------------------------------------------------------

    def _gauge_changes(self) -> None:
        own = dict(_keyed(self.world, "gauge_changes", ("place_id", "gauge_a", "gauge_b")))
        self.gauge_hours: dict[int, tuple[float, float, float]] = {}
        place_in_table = _places(own)
        for key, first in self.union.gauge_changes.items():
            row = own.get(key, first)
            place = self.number[key[0]]
            on, to = (LAYERS.index(f"rail-{gauge}") for gauge in key[1:])
            gateway = self.gateway_number.get(str(row["gateway_id"]), -1)
            there = key in own and row["status"] == "open" and (gateway < 0 or self.gateway_open[gateway])
            hours = cell_number(row, "time_block_h"), cell_number(row, "time_wagonload_h")
            price = cell_number(row, "cost_usd")
            spread = (self.rules.cv_border * hours[0]) ** 2, (self.rules.cv_border * hours[1]) ** 2
            change = _Term(_TERM["gauge_change"], hours, (price, price), self.handling, spread)
            terms = _of_row("gauge_changes", place_in_table.get(key, -1), [change])
            known = self.gauge_hours.get(place, (0.0, 0.0, 0.0))
            self.gauge_hours[place] = max(known[0], hours[0]), max(known[1], hours[1]), max(known[2], price)
            for one, two in ((on, to), (to, on)):
                if gateway >= 0:
                    self.governs.append((gateway, len(self.arcs), False))
                self.arcs.append(
                    _Arc(place * 7 + one, place * 7 + two, GAUGE_CHANGE, there, list(terms), gateway=gateway)
                )
            self.layers[place] |= {on, to}

    def _transfers(self) -> None:
        """Rail - road, both ways; never quicker or cheaper than the gauge change of the same place.

        Containers that come by road wait for a train to be formed, as at a trip's origin, at border stations
        too: otherwise every trip would begin by truck to the nearest of them.
        """
        rules = self.rules
        for place, layers in enumerate(self.layers):
            least = self.gauge_hours.get(place, (0.0, 0.0, 0.0))
            hours = max(rules.transfer_h, least[0]), max(rules.transfer_h, least[1])
            price = max(rules.transfer_usd, least[2])
            spread = (rules.cv_port * hours[0]) ** 2, (rules.cv_port * hours[1]) ** 2
            term = _Term(_TERM["transfer"], hours, (price, price), self.handling, spread)
            for rail in RAILS:
                if rail in layers and ROAD in layers:
                    to_rail = [term, *self._formation(place)]
                    self.arcs.append(_Arc(place * 7 + rail, place * 7 + ROAD, TRANSFER, True, [term]))
                    self.arcs.append(_Arc(place * 7 + ROAD, place * 7 + rail, TRANSFER, True, to_rail))

    def _formation(self, place: int) -> list[_Term]:
        """The wait for a train; wagonload hours where no block train is formed."""
        wagon = self.rules.formation_wagonload_h
        block = self.rules.formation_block_h if self.hub[self.places[place]] else wagon
        spread = (self.rules.cv_port * block) ** 2, (self.rules.cv_port * wagon) ** 2
        return [_Term(_TERM["formation"], (block, wagon), (0.0, 0.0), 0.0, spread)]

    def _ports(self) -> None:
        """Land - ship arcs: handling and dwell on each side, the wait for a sailing on boarding.

        The whole of `dwell_h` and `cost_usd` is paid on boarding and again on landing, each at its own port.
        A port that is not a hub adds a feeder transhipment on either side (ocean only).
        """
        own = dict(_keyed(self.world, "ports", ("place_id",)))
        self.port_rows: dict[int, tuple[int, bool, list[_Term], list[_Term]]] = {}
        rules = self.rules
        place_in_table = _places(own)
        for key, first in self.union.ports.items():
            row = own.get(key, first)
            place = self.number[key[0]]
            if SEA not in self.layers[place]:
                continue
            gateway = self.gateway_number.get(str(row["gateway_id"]), -1)
            there = key in own and (gateway < 0 or self.gateway_open[gateway])
            dwell, wait, price = (cell_number(row, c) for c in ("dwell_h", "sailing_wait_h", "cost_usd"))
            call = [self._term("port", dwell, price, self.handling)]
            if not row["hub"] and row["water"] == "ocean":
                call.append(self._term("feeder", rules.feeder_h, rules.feeder_usd, 2.0 * self.handling))
            at = place_in_table.get(key, -1)
            call = _of_row("ports", at, call)
            sailing = _of_row("ports", at, [self._term("sailing_wait", wait, 0.0, 0.0)])
            self.port_rows[place] = gateway, there, [*call, *sailing], call
            for layer in (*RAILS, ROAD):
                if layer in self.layers[place]:
                    self._port_pair(place, layer, layer)

    def _term(self, name: str, hours: float, price: float, co2: float) -> _Term:
        """A term that is the same for both products, with the spread of ports and terminals."""
        spread = (self.rules.cv_port * hours) ** 2
        return _Term(_TERM[name], (hours, hours), (price, price), co2, (spread, spread))

    def _port_pair(self, place: int, out: int, back: int) -> None:
        gateway, there, board, call = self.port_rows[place]
        for tail, head, terms in ((out, SEA, board), (SEA, back, call)):
            if gateway >= 0:
                self.governs.append((gateway, len(self.arcs), True))
            self.arcs.append(
                _Arc(place * 7 + tail, place * 7 + head, PORT, there, list(terms), gateway=gateway)
            )

    def _gates(self) -> None:
        """Terminals where a trip begins and ends, for every place, so that routes exist between any two."""
        rules = self.rules
        for place, layers in enumerate(self.layers):
            for layer in (*RAILS, ROAD):
                if layer not in layers:
                    continue
                rail = layer in RAILS
                hours = rules.terminal_rail_h if rail else rules.terminal_road_h
                price = rules.terminal_rail_usd if rail else rules.terminal_road_usd
                term = self._term("terminal", hours, price, self.handling if rail else 0.0)
                begin = [
                    term,
                    *(self._formation(place) if rail and self.places[place] not in self.stations else []),
                ]
                self.arcs.append(_Arc(place * 7 + GATE_OUT, place * 7 + layer, TERMINAL, True, begin))
                self.arcs.append(_Arc(place * 7 + layer, place * 7 + GATE_IN, TERMINAL, True, [term]))
            if place in self.port_rows:
                self._port_pair(place, GATE_OUT, GATE_IN)

    # -- the arrays --------------------------------------------------------------------------------

    def _freeze(self) -> Graph:
        rows = self.union.places.values()
        governs = np.array(self.governs, dtype=np.int32).reshape(-1, 3)
        return Graph(
            tuple(self.places),
            tuple(self.country),
            tuple("" if row["exclave"] else str(row["country"]) for row in rows),
            frozen(np.array([float(row["lon"] or 0.0) for row in rows])),
            tuple(self.links),
            tuple(self.gateways),
            **_arc_arrays(self.arcs),
            **_term_arrays(self.arcs),
            govern_gateway=frozen(governs[:, 0].copy()),
            govern_arc=frozen(governs[:, 1].copy()),
            govern_counted=frozen(governs[:, 2].astype(bool)),
        )


def _arc_arrays(arcs: Sequence[_Arc]) -> dict[str, NDArray[Any]]:
    """Arrays of a Graph with one value an arc, except sums of terms."""
    mode = np.array([arc.mode for arc in arcs], dtype=np.int32)
    length = np.array([arc.length_km for arc in arcs])
    flags = np.array([arc.flags for arc in arcs], dtype=bool).reshape(-1, 2)
    rails = (mode >= RAILS[0]) & (mode <= RAILS[-1])
    numbers = ("tail", "head", "link", "gateway", "operation")
    return {
        **{name: _ints(getattr(arc, name) for arc in arcs) for name in numbers},
        # Arcs are written in pairs, one per direction.
        "reverse": frozen(np.arange(len(arcs), dtype=np.int32) ^ 1),
        "mode": frozen(mode),
        "border": frozen(np.array([arc.border for arc in arcs], dtype=bool)),
        "available": frozen(np.array([arc.available for arc in arcs], dtype=bool)),
        "length_km": frozen(length),
        "rail_km": frozen(np.where(rails, length, 0.0)),
        "caspian_ship": frozen(flags[:, 0].copy()),
        "ocean_ship": frozen(flags[:, 1].copy()),
    }


def _term_arrays(arcs: Sequence[_Arc]) -> dict[str, NDArray[Any]]:
    """Arrays of a Graph with one value a term, and their sums by arc."""
    count = len(arcs)
    owner = np.repeat(np.arange(count), [len(arc.terms) for arc in arcs])
    terms = [term for arc in arcs for term in arc.terms]
    values = np.array(
        [
            [*t.time_h, *t.cost_usd, t.co2e_kg, t.co2e_kg, *t.variance_h2, *(t.bulk_usd or t.cost_usd)]
            for t in terms
        ],
        dtype=float,
    ).reshape(-1, len(SIDES), 2)
    totals = np.add.reduceat(values, np.searchsorted(owner, np.arange(count)), axis=0)
    return {
        **{side: frozen(np.ascontiguousarray(totals[:, i])) for i, side in enumerate(SIDES)},
        **{f"term_{side}": frozen(np.ascontiguousarray(values[:, i])) for i, side in enumerate(SIDES)},
        "term_arc": frozen(owner.astype(np.int32)),
        "term_kind": _ints(term.kind for term in terms),
        "term_table": _ints(term.table for term in terms),
        "term_row": frozen(np.array([term.rows for term in terms], dtype=np.int32).reshape(-1, 2)),
    }


def _places(own: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """The number of every row in its table, by key."""
    return {key: number for number, key in enumerate(own)}


def _of_row(table: str, number: int, terms: Iterable[_Term]) -> list[_Term]:
    """Terms with the row they come from, the same for both products."""
    return [term._replace(table=ROW_TABLES.index(table), rows=(number, number)) for term in terms]


def _ints(values: Iterable[int]) -> IntArray:
    return frozen(np.fromiter(values, dtype=np.int32))
