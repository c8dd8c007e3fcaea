"""Rules on the tables of a World: every fault found, each with its row and a cure.

`check_cells` checks one row against the schema, `check_network` the rules over several columns or tables.
Both return faults and never raise, so that a user sees all of them at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from itertools import pairwise

from landbridge.errors import Fault, did_you_mean
from landbridge.world.gateway_kinds import GatewayKinds
from landbridge.world.keys import KEYS, SPELLED_OUT, spelled, where
from landbridge.world.meaning import ON_READING, RULES
from landbridge.world.shares import check_shares
from landbridge.world.table import (
    Cell,
    Column,
    Table,
    base_year,
    columns_of,
    number_fault,
    parse_cell,
    quoted,
)

__all__ = [
    "KEYS",
    "SPELLED_OUT",
    "check_cell",
    "check_cells",
    "check_network",
    "check_references",
    "spelled",
    "where",
]

Network = Mapping[str, Table]

GAUGES = ("1435", "1520", "1676")
# Words that stand for several regions in freight_profile and value_density.
_GROUPS = ("*", "CA5", "overland")
# Low end, value, high end: columns of a table that must be in this order. Fitted shares are not included:
# they may leave their range.
_RANGES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "crossings": (("time_low_h", "time_h", "time_high_h"),),
    "value_density": (("low", "usd_per_teu", "high"),),
    "zone_shares": (("low", "share", "high"),),
    "carriers": (("low", "share", "high"),),
    "gas_trade_share": (("low", "share", "high"),),
    "sector_freight": (
        ("usd_per_teu_low", "usd_per_teu", "usd_per_teu_high"),
        ("time_low", "time_percent_per_day", "time_high"),
    ),
    "emission_factors": (("low", "g_per_tkm", "high"),),
    "validation_corridors": (("days_low", "days", "days_high"),),
    "validation_modes": (("low", "value", "high"),),
    "validation_money": (("low", "value", "high"),),
    "sectors": (("theta_low", "theta", "theta_high"),),
    "farm_effects": (("low", "percent", "high"),),
    "farm_weights": (("low", "share", "high"),),
    "farm_adoption": (("low", "central", "high"),),
    "travel_parameters": (("low", "central", "high"),),
    "gas_profiles": (("low", "index", "high"),),
    "gas_parameters": (("low", "value", "high"),),
    "gas_backcasts": (("home_extra_low", "home_extra_percent", "home_extra_high"),),
}


def check_cell(column: Column, text: str, place: str) -> tuple[Cell, Fault | None]:
    """The typed value of a cell of a file, or a fault.

    column: row of the schema; text: the cell; place: its place for the fault. A blank required cell is never
    filled in silently: it is a fault, whose cure names the usual value if the schema has one.
    """
    cell, fault = parse_cell(column, text, f"{place}, {column.name}")
    if column.required and column.default and not text.strip():
        cure = f"write {column.default}, the usual value, or another: {column.description}"
        fault = Fault(f"{place}, {column.name}", f"{column.name} is empty", cure)
    return cell, fault


def check_cells(table: str, texts: Mapping[str, str], place: str) -> tuple[dict[str, Cell], list[Fault]]:
    """The typed cells of a row of text by column, and all faults, unknown columns included.

    table: name in the schema; texts: cell text by column; place: of the row, for faults. Blank cells as in
    `check_cell`.
    """
    columns = columns_of(table)
    faults = [
        Fault(place, f"no column {quoted(name)} in {table}", did_you_mean(name, columns) or "leave it out")
        for name in texts
        if name not in columns
    ]
    row: dict[str, Cell] = {}
    for name, column in columns.items():
        row[name], fault = check_cell(column, texts.get(name, ""), place)
        if fault:
            faults.append(fault)
    return row, faults


def check_network(network: Network, *, reading: bool = False) -> list[Fault]:
    """Faults of every rule over several rows, columns or tables; an empty list when all hold.

    network: tables by name; reading: also apply the rules for tables as read, which a scenario may break.
    """
    faults: list[Fault] = []
    for rule in (*_RULES, *(ON_READING if reading else ())):
        faults.extend(rule(network))
    return faults


def check_references(tables: Network) -> list[Fault]:
    """Faults of references between tables, where others could not be read; empty targets pass.

    tables: by name, those that could be read.
    """
    there = {name: table for name, table in tables.items() if len(table)}
    return _references_resolve(there)


def _keys_are_unique(network: Network) -> list[Fault]:
    faults: list[Fault] = []
    for name, columns in KEYS.items():
        if name not in network:
            continue
        count = Counter(tuple(row[c] for c in columns) for row in network[name])
        twice = [(key, times) for key, times in count.items() if times > 1]
        faults += spelled(
            (
                Fault(
                    f"{name}.csv",
                    f"{quoted(', '.join(map(str, key)), 80)[1:-1]} stands {times} times",
                    "keep one row",
                )
                for key, times in twice
            ),
            f"{name}.csv",
        )
    return faults


def _references_resolve(network: Network) -> list[Fault]:
    faults: list[Fault] = []
    for name, table in network.items():
        for column in columns_of(name).values():
            if column.references is None or column.references[0] not in network:
                continue
            target, key = column.references
            known = {str(row[key]) for row in network[target]}
            lost = [
                (number, row)
                for number, row in enumerate(table)
                if row[column.name] is not None and str(row[column.name]) not in known
            ]
            found = []
            for place, (number, row) in enumerate(lost):
                value = str(row[column.name])
                near = did_you_mean(value, known) if place < SPELLED_OUT else ""
                what = f"{column.name} {quoted(value)} is not in {target}"
                found.append(Fault(where(name, number, row), what, near or f"add it to {target}.csv first"))
            faults += spelled(found, f"{name}.csv, {column.name}")
    return faults


def _codes_are_known(network: Network) -> list[Fault]:
    """Sectors, regions and pair groups in columns that also take words such as * and CA5."""
    if "sectors" not in network or "regions" not in network:
        return []
    sectors = {str(row["sector"]) for row in network["sectors"]}
    regions = {str(row["region"]) for row in network["regions"]} | set(_GROUPS)
    groups = {str(row["pair_group"]) for row in network["family_shares"]} | {"*"}
    blocs = {str(row["bloc"]) for row in network["pair_groups"]}
    ends = {str(row["region"]) for row in network["regions"]} | blocs | {"*"}
    wanted = (
        ("freight_profile", "sector", sectors | {"*"}),
        ("freight_profile", "exporter", regions),
        ("freight_profile", "importer", regions),
        ("value_density", "sector", sectors | {"*"}),
        ("value_density", "exporter", regions),
        ("value_density", "importer", regions),
        ("sector_freight", "sector", sectors),
        ("block_train_share", "sector", sectors | {"*"}),
        ("block_train_share", "pair_group", groups),
        ("corridors", "sector", sectors),
        ("kept_costs", "sector", sectors),
        ("carriers", "region", regions | {"*"}),
        ("zone_shares", "sector", sectors | {"*"}),
        ("group_pairs", "one", ends),
        ("group_pairs", "other", ends),
    )
    faults = [fault for name, column, known in wanted for fault in _unknown(network, name, column, known)]
    faults += _fleet_faults(network)
    goods = {str(row["sector"]) for row in network["sectors"] if row["is_goods"]}
    own = {str(row["region"]) for row in network["regions"]}
    for name, column, all_of in (("sector_freight", "sector", goods), ("pair_groups", "region", own)):
        absent = sorted(all_of - {str(row[column]) for row in network[name]})
        faults += [Fault(f"{name}.csv", f"no row for {quoted(code)}", "add one") for code in absent[:50]]
    return faults


def _unknown(network: Network, name: str, column: str, known: set[str]) -> list[Fault]:
    """Unknown words of a column."""
    found: list[Fault] = []
    for number, row in enumerate(network.get(name, ())):
        if str(row[column]) not in known:
            near = did_you_mean(str(row[column]), known) if len(found) < SPELLED_OUT else ""
            what = f"{column} {quoted(str(row[column]))} is not known"
            found.append(Fault(where(name, number, row), what, near or "use " + ", ".join(sorted(known))))
    return spelled(found, f"{name}.csv, {column}")


def _fleet_faults(network: Network) -> list[Fault]:
    fleet = [float(row["share"] or 0.0) for row in network.get("carriers", ()) if row["quantity"] == "fleet"]
    if not fleet or abs(sum(fleet) - 1.0) <= 1e-6:
        return []
    what = f"the shares of the fleet add up to {sum(fleet):g}"
    return [Fault("carriers.csv, share", what, "make them sum to 1 over regions of the model")]


def _ranges_hold_their_value(network: Network) -> list[Fault]:
    faults: list[Fault] = []
    for name, triples in _RANGES.items():
        for low, value, high in triples if name in network else ():
            found = []
            for number, row in enumerate(network[name]):
                steps = [(c, float(row[c])) for c in (low, value, high) if row[c] is not None]  # type: ignore[arg-type]
                for (one, least), (two, most) in pairwise(steps):
                    if least > most:
                        what = f"{one} {least:g} is above {two} {most:g}"
                        found.append(Fault(where(name, number, row), what, "low, value and high must rise"))
            faults += spelled(found, f"{name}.csv, {value}")
    return faults


def _places_of_gateways_are_named(network: Network) -> list[Fault]:
    needed = {"border": ("place_a", "place_b"), "port": ("place_a",), "strait": ("passage",)}
    faults, kinds = [], GatewayKinds(network)
    for number, row in enumerate(network["gateways"]):
        for column in needed.get(kinds.stands_for(row), ()):
            if row[column] is None:
                what = f"a {row['kind']} without {column}"
                faults.append(Fault(where("gateways", number, row), what, f"give its {column}"))
    return spelled(faults, "gateways.csv")


def _crossings_lie_on_their_links(network: Network) -> list[Fault]:
    links = network["links"].by("link_id")
    faults = []
    for number, row in enumerate(network["crossings"]):
        link = links.get(str(row["link_id"]))
        if link is None:
            continue
        ends = {str(link["from_place"]), str(link["to_place"])}
        if {str(row["from_place"]), str(row["to_place"])} != ends:
            what = f"link {row['link_id']} does not join {row['from_place']} and {row['to_place']}"
            faults.append(
                Fault(where("crossings", number, row), what, f"it joins {' and '.join(sorted(ends))}")
            )
    return spelled(faults, "crossings.csv")


def _gauges_are_known(network: Network) -> list[Fault]:
    faults = []
    for number, row in enumerate(network["gauge_changes"]):
        place = where("gauge_changes", number, row)
        for column in ("gauge_a", "gauge_b"):
            if str(row[column]) not in GAUGES:
                what = f"{column} is {quoted(str(row[column]))}"
                faults.append(Fault(place, what, f"use one of {', '.join(GAUGES)} (mm)"))
        if row["gauge_a"] == row["gauge_b"]:
            faults.append(Fault(place, "both gauges are the same", "give two gauges"))
    return spelled(faults, "gauge_changes.csv")


def _links_have_a_length(network: Network) -> list[Fault]:
    measured = {row["link_id"] for row in network["link_lengths_osm"]}
    faults: list[Fault] = []
    for number, row in enumerate(network["links"]):
        place = where("links", number, row)
        if row["length_km"] is None and row["link_id"] not in measured:
            faults.append(Fault(place, "no length", "give length_km, or a row in link_lengths_osm.csv"))
        if row["speed_kmh"] is None and row["transit_time_h"] is None:
            faults.append(Fault(place, "no speed", "give speed_kmh or transit_time_h"))
        if row["from_place"] == row["to_place"]:
            faults.append(Fault(place, "both ends are the same place", "give two places"))
        if str(row["mode"]) in ("sea", "ferry") and row["water"] is None:
            faults.append(Fault(place, "a sea link without its water", "write caspian or ocean"))
    return spelled(faults, "links.csv")


def _each_gauge_hangs_together(network: Network) -> list[Fault]:
    """Zones that no open link reaches are faults: their trade would have no route."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for row in network["links"]:
        if row["status"] == "open":
            neighbours[str(row["from_place"])].add(str(row["to_place"]))
            neighbours[str(row["to_place"])].add(str(row["from_place"]))
    zones = [str(row["place_id"]) for row in network["zones"]]
    if not zones:
        return [Fault("zones.csv", "no zones", "a region needs at least one zone to trade over the network")]
    seen, front = {zones[0]}, [zones[0]]
    while front:
        place = front.pop()
        fresh = neighbours[place] - seen
        seen |= fresh
        front.extend(fresh)
    lost = [
        Fault(f"zones.csv ({zone})", "no open link joins it to the other zones", "add a link or open one")
        for zone in zones
        if zone not in seen
    ]
    return spelled(lost, "zones.csv")


def _nothing_is_left_out(network: Network) -> list[Fault]:
    """Rows whose absence would be filled in silently are faults.

    Zones of a region on the network; network share, value per TEU and share of container trains of every
    freight sector.
    """
    faults = []
    zoned = {str(row["region"]) for row in network["zones"]}
    for number, row in enumerate(network["pair_groups"]):
        if row["on_network"] and str(row["region"]) not in zoned:
            cure = "add a zone to zones.csv, or write on_network = no"
            faults.append(Fault(where("pair_groups", number, row), "is on the network without a zone", cure))
    sectors = [str(row["sector"]) for row in network["sector_freight"]]
    for name in ("freight_profile", "value_density"):
        usual = {
            str(row["sector"])
            for row in network[name]
            if str(row["exporter"]) == "*" and str(row["importer"]) == "*"
        }
        faults += [
            Fault(f"{name}.csv", f"no row {sector}, *, *", "add the usual value of the sector")
            for sector in sectors
            if sector not in usual
        ]
    groups = dict.fromkeys(str(row["pair_group"]) for row in network["family_shares"])
    blocks = {(str(row["pair_group"]), str(row["sector"])) for row in network["block_train_share"]}
    faults += [
        Fault("block_train_share.csv", f"no row {group}, {sector}", "add its share, 0 for none")
        for group in groups
        for sector in sectors
        if (group, sector) not in blocks
    ]
    return spelled(faults, "the network tables")


def _bulk_rides_no_container_train(network: Network) -> list[Fault]:
    kind = {str(row["sector"]): row["kind"] for row in network["sector_freight"]}
    faults = [
        Fault(
            where("block_train_share", number, row),
            f"{row['sector']} travels in bulk (sector_freight, kind) and has a share of container trains",
            "write 0, or make the sector container",
        )
        for number, row in enumerate(network["block_train_share"])
        if kind.get(str(row["sector"])) == "bulk" and float(row["share"] or 0.0) > 0.0
    ]
    return spelled(faults, "block_train_share.csv")


def _parameters_are_allowed(network: Network) -> list[Fault]:
    faults = []
    for number, row in enumerate(network["parameters"]):
        place, value = where("parameters", number, row), str(row["value"])
        if row["allowed"]:
            words = str(row["allowed"]).split("|")
            if value not in words:
                faults.append(Fault(place, f"value is {quoted(value)}", "use one of " + ", ".join(words)))
            continue
        unit = str(row["unit"] or "")
        found = [number_fault(value.strip(), place, "value", unit)]
        found += [
            number_fault(str(row[end]).strip(), place, end, unit)
            for end in ("low", "high")
            if row[end] is not None
        ]
        faults += [fault for fault in found if fault]
        if any(found):
            continue
        least, most = row.get("min"), row.get("max")
        if least is not None and float(value) < float(least):
            faults.append(
                Fault(place, f"value is {value}", f"must be at least {float(least):g} {unit}".strip())
            )
        elif most is not None and float(value) > float(most):
            faults.append(
                Fault(place, f"value is {value}", f"must be at most {float(most):g} {unit}".strip())
            )
        if row["low"] is not None and row["high"] is not None and float(row["low"]) > float(row["high"]):
            faults.append(Fault(place, f"low {row['low']} is above high {row['high']}", "exchange them"))
    return spelled(faults, "parameters.csv")


def _horizon_is_known(network: Network) -> list[Fault]:
    """A later year needs the growth of every region."""
    for number, row in enumerate(network["parameters"]):
        if row["parameter"] != "horizon" or number_fault(str(row["value"]), "", ""):
            continue
        year = float(str(row["value"]))
        known = {str(r["region"]) for r in network.get("growth", ()) if r["year"] == year}
        lacking = [str(r["region"]) for r in network["pair_groups"] if str(r["region"]) not in known]
        first = base_year(row)
        if year != first and lacking:
            years = sorted({str(r["year"]) for r in network.get("growth", ())})
            cure = (
                f"use {', '.join([str(first), *years])}; for {year:g} add rows of your own to growth.csv, "
                "in a folder that `landbridge data export` writes, and give it by --world"
            )
            what = f"no growth to {year:g} for {', '.join(lacking[:5])}"
            more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
            return [Fault(where("parameters", number, row), what + more, cure)]
    return []


def _labels_are_chosen_once(network: Network) -> list[Fault]:
    """One shown label per thing and language, and no shown label for two things of a kind."""
    faults: list[Fault] = []
    first: dict[tuple[str, str, str], int] = {}
    owner: dict[tuple[str, str, str], str] = {}
    for number, row in enumerate(network.get("labels", ())):
        if row["use"] != "shown":
            continue
        kind, lang, name = str(row["kind"]), str(row["lang"]), str(row["id"])
        if first.setdefault((kind, name, lang), number) != number:
            cure = "make all but one of them alternate"
            faults.append(Fault(where("labels", number, row), f"{name} has two shown labels in {lang}", cure))
        other = owner.setdefault((kind, lang, str(row["label"])), name)
        if other != name:
            cure = "add a word that distinguishes them"
            faults.append(Fault(where("labels", number, row), f"{other} is shown by the same label", cure))
    return spelled(faults, "labels.csv")


_RULES: tuple[Callable[[Network], list[Fault]], ...] = (
    _keys_are_unique,
    _references_resolve,
    _codes_are_known,
    _ranges_hold_their_value,
    _places_of_gateways_are_named,
    _crossings_lie_on_their_links,
    _gauges_are_known,
    _links_have_a_length,
    check_shares,
    _each_gauge_hangs_together,
    _nothing_is_left_out,
    _bulk_rides_no_container_train,
    _parameters_are_allowed,
    _horizon_is_known,
    _labels_are_chosen_once,
    *RULES,
)
