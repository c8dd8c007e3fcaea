"""What each verb does to the tables: one method a verb, faults collected and never raised."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.economy import read_economy
from landbridge.scenario.economy import GROUPS, EconomyVerbs
from landbridge.scenario.fields import Modification, Move, out_of_bounds, verb_columns
from landbridge.scenario.pipelines import PipelineVerbs
from landbridge.world import Cell, Policy, Table, World
from landbridge.world.distance import great_circle_km
from landbridge.world.names import fold, resolve
from landbridge.world.validate import check_network

__all__ = ["Change"]

Row = Mapping[str, Cell]

_VARIANTS = ("kgz_trade", "tjk_cap")


class Change(PipelineVerbs, EconomyVerbs):
    """A World under change: tables as they are after the modifications done so far, and their faults."""

    def __init__(self, world: World, scenario: str) -> None:
        self._world = world
        self._scenario = scenario
        self.network: dict[str, Table] = dict(world.network)
        self.channels: dict[str, Table] = dict(world.channels)
        self._trade = world.trade
        self._tariff = world.policy.tariff
        self._productivity = world.policy.productivity_hat
        self._trade_cost = world.policy.trade_cost_hat
        self._transfer = world.policy.transfer
        self._works = world.policy.works
        self._no_transit = world.policy.no_transit
        self._no_transit_of = dict(world.policy.no_transit_of)
        self.faults: list[Fault] = []

    def world(self) -> World:
        """The World with everything done so far."""
        return replace(
            self._world,
            network=self.network,
            channels=self.channels,
            trade=self._trade,
            policy=Policy(
                self._tariff,
                self._productivity,
                self._trade_cost,
                self._transfer,
                self._works,
                no_transit=self._no_transit,
                no_transit_of=self._no_transit_of,
            ),
        )

    def do(self, modification: Modification, *, only_model: bool = False) -> None:
        """Apply one modification; what is wrong with it goes to `faults` and the tables stay."""
        if only_model and modification.verb != "set_parameter":
            return
        if modification.verb == "set_parameter":
            self._set_parameter(modification, only_model=only_model)
            return
        verb: Callable[[Modification], None] = getattr(self, f"_{modification.verb}")
        verb(modification)

    def try_all(self, modifications: Iterable[Modification], clean: Iterable[bool]) -> list[Fault]:
        """Every fault that can be seen although some modifications are broken.

        Those that read cleanly are done; of the others the names are looked up. Names that a broken
        modification would have made are let pass.
        """
        listed = list(zip(modifications, clean, strict=True))
        new = {
            fold(str(m.get(key)))
            for m, fine in listed
            if m.verb in ("add_place", "add_link") and not fine
            for key in ("id", "name")
            if m.get(key)
        }
        for m, fine in listed:
            named = {
                fold(str(name))
                for key, value in m.values.items()
                if verb_columns()[m.verb][key].references is not None and value is not None
                for name in (value if isinstance(value, tuple) else (value,))
            }
            if fine and not named & new:
                self.do(m)
            else:
                self._look_up(m, new)
                # What it would have made is not there for those that follow.
                made = [m.get("id"), m.get("name")]
                if m.verb == "add_link":
                    made.append(f"{m.get('from')}-{m.get('to')}-{m.get('mode')}")
                new |= {fold(str(name)) for name in made if name}
        return self.faults

    def _look_up(self, m: Modification, new: set[str]) -> None:
        """Faults of names that the tables do not know, without changing anything."""
        columns = verb_columns()[m.verb]
        for key, value in m.values.items():
            target = columns[key].references
            if value is None or target is None:
                continue
            for name in value if isinstance(value, tuple) else (value,):
                if fold(str(name)) in new:
                    continue
                known = self.network[target[0]].by(target[1])
                if columns[key].type == "place":
                    self._place(m, key)
                elif target[0] == "gateways":
                    self._resolve(m, key, "gateway", str(name))
                elif name not in known:
                    cure = did_you_mean(name, known) or f"{target[0]}.csv lists them"
                    self.faults.append(m.fault(key, f"no {key} {name!r}", cure))

    # -- places and links --------------------------------------------------------------------------

    def _add_place(self, m: Modification) -> None:
        places = self.network["places"]
        name, country = m.get("name"), m.get("country")
        identifier = m.get("id") or fold(name).upper()
        if not identifier:
            self.faults.append(m.fault("name", f"{name!r} has no letter or digit", "give it one, or an id"))
            return
        if identifier in places.by("place_id"):
            self.faults.append(m.fault("id", f"{identifier!r} is taken", "give another id"))
            return
        for key, text in (("name", name), ("id", identifier)):
            known, fault = resolve(self.network, "place", text, "")
            if fault is None:
                cure = f"use {known}, or give the new place another {key}"
                self.faults.append(m.fault(key, f"{text!r} is a name of {known} already", cure))
                return
        region = {str(row["country"]): row["region"] for row in places}
        country = self._resolve(m, "country", "country", country)
        if country is None:
            return
        for key in ("lon", "lat"):
            fault = out_of_bounds(verb_columns()["add_place"][key], m.get(key), f"{m.where}, {key}")
            if fault:
                self.faults.append(fault)
                return
        self._append(
            "places",
            {
                "place_id": identifier,
                "name": name,
                "country": country,
                "region": region[country],
                "lon": m.get("lon"),
                "lat": m.get("lat"),
                "role": m.get("role"),
                "rail_hub": bool(m.get("rail_hub")),
                "border_station": False,
            },
        )

    def _add_link(self, m: Modification) -> None:
        ends = [self._place(m, "from"), self._place(m, "to")]
        mode = m.get("mode")
        if ends[0] is None or ends[1] is None:
            return
        links = self.network["links"]
        identifier = m.get("id") or f"{ends[0]}-{ends[1]}-{mode}"
        if identifier in links.by("link_id"):
            self.faults.append(m.fault("id", f"a link {identifier!r} is there already", "give another id"))
            return
        if ends[0] == ends[1]:
            self.faults.append(m.fault("to", "is the place it starts from", "give two places"))
            return
        self._long_enough(m, str(ends[0]), str(ends[1]), float(m.get("length_km") or 0.0))
        marks = {str(r["passage"]) for r in self.network["gateways"] if r["passage"] is not None}
        for mark in str(m.get("passage") or "").split("+"):
            if mark and mark not in marks:
                cure = did_you_mean(mark, marks) or "use " + ", ".join(sorted(marks))
                self.faults.append(m.fault("passage", f"no strait {mark!r}", cure))
        at_sea = mode in ("sea", "ferry")
        if at_sea:
            ports = self.network["ports"].by("place_id")
            for key, place in zip(("from", "to"), ends, strict=True):
                if place not in ports:
                    cure = "end the lane at a port of ports.csv"
                    self.faults.append(m.fault(key, f"{place} is not a port", cure))
            if m.get("water") is None:
                self.faults.append(m.fault("water", "is missing", "write caspian or ocean"))
        speed = m.get("speed_kmh")
        if speed is None and m.get("transit_time_h") is None:
            speed = self._usual_speed(mode, [str(e) for e in ends])
            if speed is None:
                self.faults.append(m.fault("speed_kmh", "is missing", "give speed_kmh or transit_time_h"))
        self._append(
            "links",
            {
                "link_id": identifier,
                "from_place": ends[0],
                "to_place": ends[1],
                "mode": mode,
                "length_km": m.get("length_km"),
                "status": "open",
                "dual_gauge": bool(m.get("dual_gauge")),
                "speed_kmh": speed,
                "transit_time_h": m.get("transit_time_h"),
                "electrified": bool(m.get("electrified")),
                "passage": m.get("passage"),
                "water": m.get("water"),
                "disputed": False,
            },
        )

    def _long_enough(self, m: Modification, one: str, two: str, length_km: float) -> None:
        """A fault where a line is shorter than its ends are apart; small posts lie 5-30 km off."""
        rows = self.network["places"].by("place_id")
        apart = float(
            great_circle_km(*(float(rows[p][c] or 0.0) for p in (one, two) for c in ("lon", "lat")))
        )
        if length_km < 0.9 * (apart - 60.0):
            what = f"comes to {length_km:g} km, but the places are {apart:.0f} km apart"
            self.faults.append(m.fault("length_km", what, "give the length of the line"))

    def _usual_speed(self, mode: str, ends: list[str]) -> float | None:
        """Median running speed of open links of the mode that touch the same countries, else of all."""
        country = {str(row["place_id"]): row["country"] for row in self.network["places"]}
        here = {country[e] for e in ends}
        near, everywhere = [], []
        for row in self.network["links"]:
            if row["mode"] != mode or row["status"] != "open" or row["speed_kmh"] is None:
                continue
            everywhere.append(float(row["speed_kmh"]))
            if {country[str(row["from_place"])], country[str(row["to_place"])]} & here:
                near.append(float(row["speed_kmh"]))
        return statistics.median(near or everywhere) if everywhere else None

    def _change_link(self, m: Modification) -> None:
        row = self._row(m, "links", "link_id", "link")
        if row is None:
            return
        cells: dict[str, Cell] = {}
        measured = self.network["link_lengths_osm"].by("link_id").get(str(row["link_id"]))
        for key in ("length_km", "speed_kmh", "transit_time_h", "cost_factor"):
            move = m.get(key)
            if move is None:
                continue
            old = row[key]
            if old is None and key == "length_km" and measured is not None:
                old = measured["length_km"]
            value = self._moved(m, key, move, old)
            if value is not None:
                cells[key] = value
                if key == "length_km":
                    self._long_enough(m, str(row["from_place"]), str(row["to_place"]), value)
        for key in ("status", "electrified"):
            if m.get(key) is not None:
                cells[key] = m.get(key)
        self._of_money(m, "cost_factor")
        if not set(m.values) - {"link", "money"}:
            cure = "add status, speed_kmh, length_km, transit_time_h, cost_factor or electrified"
            self.faults.append(m.fault("link", "is named but nothing is changed", cure))
        self._update("links", "link_id", {str(row["link_id"])}, cells)

    def _of_money(self, m: Modification, key: str) -> None:
        """`money` says what a change of money is; there must be one."""
        if m.get("money") is not None and m.get(key) is None:
            self.faults.append(
                m.fault("money", "is given but no money changes", f"add {key} or leave it out")
            )

    def _close_link(self, m: Modification) -> None:
        row = self._row(m, "links", "link_id", "link")
        if row is not None:
            self._update("links", "link_id", {str(row["link_id"])}, {"status": "closed"})

    # -- gateways ----------------------------------------------------------------------------------

    def _close_gateway(self, m: Modification) -> None:
        chosen = {str(row["gateway_id"]) for row in self._gateways(m)}
        self._update("gateways", "gateway_id", chosen, {"status": "closed"})

    def _change_gateway(self, m: Modification) -> None:
        moves = {key: m.get(key) for key in ("time_h", "cost_usd", "capacity") if m.get(key) is not None}
        rows = self._gateways(m)
        self._of_money(m, "cost_usd")
        if rows and not moves:
            cure = "add time_h, cost_usd or capacity"
            self.faults.append(m.fault("gateway", "is named but nothing is changed", cure))
        for row in rows:
            if "capacity" in moves and row["kind"] == "strait":
                cure = "add hours, or close_gateway"
                self.faults.append(m.fault("capacity", f"{row['gateway_id']} is a strait", cure))
            elif "capacity" in moves:
                kinds = {"rail": "trains", "road": "trucks"}
                column = f"capacity_{kinds.get(str(row['mode']), 'teu')}_per_day"
                value = self._moved(m, "capacity", moves["capacity"], row[column])
                if value is not None:
                    self._update("gateways", "gateway_id", {str(row["gateway_id"])}, {column: value})
        costs = {key: move for key, move in moves.items() if key != "capacity"}
        if costs:
            self._change_hours_and_money(m, rows, costs)

    def _change_hours_and_money(self, m: Modification, rows: list[Row], moves: dict[str, Move]) -> None:  # noqa: C901
        """Every row of crossings, gauge_changes or ports that a gateway in `rows` governs."""
        product = m.get("product")
        gauge = m.get("operation") == "gauge_change"
        by_country = m.get("countries") is not None
        for row in rows:
            if row["kind"] != "border" and (product is not None or gauge):
                key = "product" if product is not None else "operation"
                cure = f"leave {key} out: a {row['kind']} has one set of hours"
                self.faults.append(m.fault(key, f"{row['gateway_id']} is a {row['kind']}", cure))
        if gauge and product == "road":
            self.faults.append(m.fault("product", "no truck changes gauge", "write block or wagonload"))
            return
        borders = {str(r["gateway_id"]) for r in rows if r["kind"] == "border"}
        ports = {str(r["gateway_id"]) for r in rows if r["kind"] == "port"}
        touched: set[str] = set()

        def crossing(row: Row) -> dict[str, Cell]:
            cells: dict[str, Cell] = {}
            for key, move in moves.items():
                value = self._moved(m, key, move, row[key])
                if value is None:
                    continue
                cells[key] = value
                if key == "time_h" and row["time_h"]:
                    # The spread keeps its proportion to the hours.
                    scale = value / float(row["time_h"])
                    for edge in ("time_low_h", "time_high_h"):
                        if row[edge] is not None:
                            cells[edge] = float(row[edge] or 0.0) * scale
            return cells

        def change_of_gauge(row: Row) -> dict[str, Cell]:
            cells: dict[str, Cell] = {}
            for key, move in moves.items():
                columns = ("cost_usd",) if key == "cost_usd" else ("time_block_h", "time_wagonload_h")
                for column in columns:
                    if product is None or column == "cost_usd" or column == f"time_{product}_h":
                        value = self._moved(m, key, move, row[column])
                        if value is not None:
                            cells[column] = value
            return cells

        def port(row: Row) -> dict[str, Cell]:
            cells: dict[str, Cell] = {}
            for key, move in moves.items():
                if key == "cost_usd":
                    value = self._moved(m, key, move, row[key])
                    if value is not None:
                        cells[key] = value
                    continue
                # Dwell and the wait for a sailing keep their proportion to each other.
                parts = {c: float(row[c] or 0.0) for c in ("dwell_h", "sailing_wait_h")}
                total = sum(parts.values())
                value = self._moved(m, key, move, total)
                if value is not None:
                    for column, hours in parts.items():
                        cells[column] = value * (hours / total if total else 0.5)
            return cells

        for name, chosen, new in (
            ("gauge_changes" if gauge else "crossings", borders, change_of_gauge if gauge else crossing),
            ("ports", ports, port),
        ):
            out: list[Row] = []
            for row in self.network[name]:
                mine = str(row["gateway_id"]) in chosen and (
                    name != "crossings" or product is None or row["product"] == product
                )
                if mine:
                    touched.add(str(row["gateway_id"]))
                out.append({**row, **new(row)} if mine else row)
            self.network[name] = self.network[name].with_rows(out)
        self._change_straits(m, [r for r in rows if r["kind"] == "strait"], moves, touched)
        what = "gauge change" if gauge else "hours of its own" + (f" for {product}" if product else "")
        # Chosen by country, posts without the hours asked for are passed over, unless all are.
        left = [row for row in rows if str(row["gateway_id"]) not in touched]
        for row in left if not by_country or len(left) == len(rows) else ():
            cure = "choose another operation, product or gateway"
            self.faults.append(m.fault("gateway", f"{row['gateway_id']} has no {what}", cure))

    def _change_straits(
        self, m: Modification, straits: list[Row], moves: dict[str, Move], touched: set[str]
    ) -> None:
        """Hours added on every lane through a strait; it has no hours or money of its own to multiply."""
        for strait in straits:
            touched.add(str(strait["gateway_id"]))
            move = moves.get("time_h")
            if "cost_usd" in moves or move is None or move.how != "add":
                cure = "write time_h = { add = 24 }, or close_gateway"
                self.faults.append(m.fault("gateway", f"{strait['gateway_id']} is a strait", cure))
                continue
            rows: list[Row] = []
            for row in self.network["links"]:
                if str(strait["passage"]) in str(row["passage"] or "").split("+"):
                    hours = row["transit_time_h"]
                    if hours is None:
                        hours = float(row["length_km"] or 0.0) / float(row["speed_kmh"] or 1.0)
                    value = self._moved(m, "time_h", move, float(hours))
                    row = {**row, "transit_time_h": value}
                rows.append(row)
            self.network["links"] = self.network["links"].with_rows(rows)

    def _gateways(self, m: Modification) -> list[Row]:
        """The gateways that a modification means, by id or by the countries of a border's two sides."""
        names, countries, mode = m.get("gateway"), m.get("countries"), m.get("mode")
        table = self.network["gateways"]
        known = table.by("gateway_id")
        if (names is None) == (countries is None):
            what = "neither is given" if names is None else "both are given"
            self.faults.append(m.fault("gateway", f"gateway or countries: {what}", "give one of them"))
            return []
        if names is not None:
            rows: dict[str, Row] = {}
            # A name may stand for a rail and a road post; the mode then says which is meant.
            of_mode = [name for name, row in known.items() if mode is None or row["mode"] == mode]
            for name in names:
                gateway = self._resolve(m, "gateway", "gateway", name, known if name in known else of_mode)
                if gateway is None:
                    continue
                row = known[gateway]
                if mode is not None and row["mode"] != mode:
                    cure = f"it is {row['mode']}: leave mode out or name another gateway"
                    self.faults.append(m.fault("mode", f"{name} is not {mode}", cure))
                else:
                    rows[gateway] = row
            return list(rows.values())
        country = {str(row["place_id"]): str(row["country"]) for row in self.network["places"]}
        chosen = {self._resolve(m, "countries", "country", name) for name in countries}
        found = [
            row
            for row in table
            if row["kind"] == "border"
            and (mode is None or row["mode"] == mode)
            and {country.get(str(row["place_a"])), country.get(str(row["place_b"]))} & (chosen - {None})
        ]
        if not found and None not in chosen:
            kinds = f" by {mode}" if mode else ""
            cure = "leave mode out, or name gateways by id; countries means border posts"
            self.faults.append(m.fault("countries", f"no border post{kinds} there", cure))
        return found

    def _close_transit(self, m: Modification) -> None:
        found = [self._resolve(m, "countries", "country", name) for name in m.get("countries")]
        barred = frozenset(c for c in found if c is not None)
        sectors = self._codes(m, "sector")
        if len(sectors) == len(self._world.sectors):
            self._no_transit |= barred
            return
        for number in sectors:
            sector = self._trade.sectors[number]
            self._no_transit_of[sector] = self._no_transit_of.get(sector, frozenset()) | barred

    # -- travellers --------------------------------------------------------------------------------

    def _change_visa(self, m: Modification) -> None:
        pairs = self._travel_pairs(m, "passport")
        table = self._channel(m, "travel_visas")
        if table is None or not pairs:
            return
        known = {(str(r["passport"]), str(r["destination"])) for r in table}
        chosen = set(pairs) & known
        exact = len(m.get("passport")) * len(m.get("destination")) == 1
        if not chosen or (exact and not set(pairs) <= known):
            lost = ", ".join(f"{p} to {d}" for p, d in sorted(set(pairs) - known)[:3])
            cure = "name a pair with an end in China or Central Asia, or add its row to travel_visas.csv"
            self.faults.append(m.fault("passport", f"no visa requirement is known of {lost}", cure))
            return
        cells: dict[str, Cell] = {
            "requirement": m.get("requirement"),
            "days": None,
            "source": f"scenario {self._scenario}",
            "basis": "assumption",
        }
        self.channels["travel_visas"] = table.with_rows(
            {**r, **cells} if (str(r["passport"]), str(r["destination"])) in chosen else r for r in table
        )

    def _change_connection(self, m: Modification) -> None:
        pairs = self._travel_pairs(m, "origin")
        table = self._channel(m, "travel_connections")
        if table is None or not pairs:
            return
        move: Move = m.get("connections")
        rows = {(str(r["origin"]), str(r["destination"])): dict(r) for r in table}
        for pair in pairs:
            row: dict[str, Cell] = rows.get(pair) or {
                **dict.fromkeys(table.columns),
                **{"origin": pair[0], "destination": pair[1], "factor": 1.0},
                **{"source": f"scenario {self._scenario}", "basis": "assumption"},
            }
            old = row["per_week"]
            if move.how == "multiply":
                times = move.amount
            elif old is None or not float(old):
                what = f"no direct connections are known of {pair[0]} to {pair[1]}"
                self.faults.append(m.fault("connections", what, "write { multiply = 2 } instead"))
                return
            else:
                times = move.of(float(old)) / float(old)
            bounds = verb_columns()[m.verb]["connections"]
            fault = out_of_bounds(bounds, times * float(old or 1.0), f"{m.where}, connections")
            if fault:
                self.faults.append(fault)
                return
            row["factor"] = float(row["factor"] if row["factor"] is not None else 1.0) * times
            row["per_week"] = None if old is None else float(old) * times
            rows[pair] = row
        self.channels["travel_connections"] = table.with_rows(rows.values())

    def _travel_pairs(self, m: Modification, key: str) -> list[tuple[str, str]]:
        """Pairs of travellers and country visited, both ways where mutual; a fault where there is none."""
        regions = self._trade.regions
        ends = [[regions[n] for n in self._codes(m, k)] for k in (key, "destination")]
        pairs = [(p, d) for p in ends[0] for d in ends[1] if p != d]
        if m.get("mutual"):
            pairs += [(d, p) for p, d in pairs]
        if all(ends) and not pairs:
            cure = "name another country: nobody travels abroad at home"
            self.faults.append(m.fault("destination", "is that of the travellers", cure))
        return list(dict.fromkeys(pairs))

    def _channel(self, m: Modification, name: str) -> Table | None:
        if name not in self.channels:
            cure = "copy it from the folder that `landbridge data export` writes"
            self.faults.append(Fault(f"{m.where}, verb", f"needs channels/{name}.csv", cure))
        return self.channels.get(name)

    # -- parameters --------------------------------------------------------------------------------

    def _set_parameter(self, m: Modification, *, only_model: bool = False) -> None:
        table = self.network["parameters"]
        name, value = str(m.get("parameter")), m.get("value")
        row = table.by("parameter").get(name)
        if row is None:
            if not only_model:
                cure = did_you_mean(name, table.by("parameter")) or "parameters.csv lists them"
                self.faults.append(m.fault("parameter", f"no parameter {name!r}", cure))
            return
        if only_model and row["part_of"] != "model":
            return
        text = value if isinstance(value, str) else repr(value)
        new = table.with_rows({**r, "value": text} if r["parameter"] == name else r for r in table)
        faults = check_network({**self.network, "parameters": new})
        broken = [f for f in faults if f"({name})" in f.where]
        if broken:
            self.faults += [m.fault("value", f.what, f.cure) for f in broken]
            return
        self.network["parameters"] = new
        if name in _VARIANTS:
            chosen = {v: str(new.by("parameter")[v]["value"]) for v in _VARIANTS}
            try:
                self._trade = read_economy(self._world.economy_files, **chosen)
            except DataError as error:
                self.faults += error.faults

    # -- rows --------------------------------------------------------------------------------------

    def _place(self, m: Modification, key: str) -> str | None:
        return self._resolve(m, key, "place", m.get(key))

    def _resolve(
        self, m: Modification, key: str, kind: str, text: str, among: Collection[str] | None = None
    ) -> str | None:
        """The identifier of a name in any language, or None with a fault."""
        tables = {**self.network, "regions": self._world.regions, "sectors": self._world.sectors}
        found, fault = resolve(tables, kind, text, f"{m.where}, {key}", among)
        if fault is None:
            return found
        if kind == "region":
            fault = replace(
                fault,
                what=fault.what.replace("no region", f"no {key}", 1),
                cure=did_you_mean(text, GROUPS) or fault.cure,
            )
        self.faults.append(fault)
        return None

    def _row(self, m: Modification, table: str, column: str, key: str) -> Row | None:
        known = self.network[table].by(column)
        row = known.get(str(m.get(key)))
        if row is None:
            cure = did_you_mean(str(m.get(key)), known) or f"{table}.csv lists every {key}"
            self.faults.append(m.fault(key, f"no {key} {m.get(key)!r}", cure))
        return row

    def _moved(self, m: Modification, key: str, move: Move, old: Cell) -> float | None:
        """A number after its change, or None with a fault."""
        if old is None and move.how != "set":
            self.faults.append(m.fault(key, f"has no value to {move.how}", "give a number instead"))
            return None
        value = move.of(float(old or 0.0))
        column = verb_columns()[m.verb][key]
        fault = out_of_bounds(column, value, f"{m.where}, {key}")
        if fault:
            told = replace(fault, what=f"comes to {value:g}")
            if told not in self.faults:
                self.faults.append(told)
            return None
        return value

    def _append(self, table: str, cells: dict[str, Any]) -> None:
        """A new row whose source is the scenario."""
        known = self.network[table]
        row: dict[str, Cell] = dict.fromkeys(known.columns)
        row.update(cells)
        row.update({"source": f"scenario {self._scenario}", "basis": "assumption"})
        self.network[table] = known.with_rows([*known, row])

    def _update(self, table: str, column: str, keys: set[str], cells: Mapping[str, Cell]) -> None:
        rows: Iterable[Row] = ({**r, **cells} if str(r[column]) in keys else r for r in self.network[table])
        self.network[table] = self.network[table].with_rows(rows)
