"""What must hold in the tables of a World: every fault found, each with its row and a cure.

`check_cells` guards one row against the schema; `check_network` the rules that need several
columns or tables. Both return faults and never raise, so that a user sees all of them at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from landbridge.errors import Fault, did_you_mean
from landbridge.world.table import Cell, Table, parse_cell, read_schema

__all__ = ["KEYS", "check_cells", "check_network", "where"]

Network = Mapping[str, Table]

KEYS: Mapping[str, tuple[str, ...]] = {
    "places": ("place_id",),
    "links": ("link_id",),
    "link_lengths_osm": ("link_id",),
    "gateways": ("gateway_id",),
    "crossings": ("link_id", "product", "from_place", "to_place"),
    "border_defaults": ("country", "product", "direction"),
    "gauge_changes": ("place_id", "gauge_a", "gauge_b"),
    "ports": ("place_id", "water"),
    "zones": ("place_id",),
    "rates": ("mode", "product", "scope"),
    "emission_factors": ("mode", "country"),
    "freight_profile": ("sector", "exporter", "importer"),
    "sector_freight": ("sector",),
    "value_density": ("sector", "exporter", "importer"),
    "pair_groups": ("region",),
    "family_shares": ("pair_group", "family"),
    "block_train_share": ("pair_group", "sector"),
    "parameters": ("parameter",),
    "corridors": ("corridor_id",),
    "study_set": ("scenario",),
    "validation_corridors": ("obs_id",),
}


def where(table: str, number: int, row: Mapping[str, Cell] | None = None) -> str:
    """How a fault names a row: file, line and key. `number` counts rows from 0; the header is line 1."""
    key = ""
    if row is not None and table in KEYS:
        key = " (" + ", ".join(str(row.get(column)) for column in KEYS[table]) + ")"
    return f"{table}.csv line {number + 2}{key}"


def check_cells(table: str, texts: Mapping[str, str], place: str) -> tuple[dict[str, Cell], list[Fault]]:
    """Type one row of text by the schema and list what is wrong with it, unknown columns included."""
    columns = read_schema()[table]
    faults = [
        Fault(place, f"no column {name!r} in {table}", did_you_mean(name, columns) or "leave it out")
        for name in texts
        if name not in columns
    ]
    row: dict[str, Cell] = {}
    for name, column in columns.items():
        row[name], fault = parse_cell(column, texts.get(name, ""), f"{place}, {name}")
        if fault:
            faults.append(fault)
    return row, faults


def check_network(network: Network) -> list[Fault]:
    """Every rule over several rows, columns or tables; an empty list when all hold."""
    faults: list[Fault] = []
    for rule in _RULES:
        faults.extend(rule(network))
    return faults


def _keys_are_unique(network: Network) -> list[Fault]:
    faults = []
    for name, columns in KEYS.items():
        if name not in network:
            continue
        count = Counter(tuple(row[c] for c in columns) for row in network[name])
        for key, times in count.items():
            if times > 1:
                text = ", ".join(map(str, key))
                faults.append(Fault(f"{name}.csv", f"{text} stands {times} times", "keep one row"))
    return faults


def _references_resolve(network: Network) -> list[Fault]:
    faults = []
    for name, columns in read_schema().items():
        for column in columns.values():
            if column.references is None or name not in network or column.references[0] not in network:
                continue
            target, key = column.references
            known = {str(row[key]) for row in network[target]}
            for number, row in enumerate(network[name]):
                value = row[column.name]
                if value is not None and str(value) not in known:
                    cure = did_you_mean(str(value), known) or f"add it to {target}.csv first"
                    faults.append(
                        Fault(where(name, number, row), f"{column.name} {value!r} is not in {target}", cure)
                    )
    return faults


def _links_have_a_length(network: Network) -> list[Fault]:
    measured = {row["link_id"] for row in network["link_lengths_osm"]}
    faults = []
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
    return faults


def _shares_sum_to_one(network: Network) -> list[Fault]:
    faults = []
    for name, group in (("zones", "region"), ("family_shares", "pair_group")):
        total: dict[str, float] = defaultdict(float)
        for row in network[name]:
            total[str(row[group])] += float(row["share"] or 0.0)
        for key, value in total.items():
            if abs(value - 1.0) > 1e-6:
                faults.append(
                    Fault(f"{name}.csv", f"shares of {key} sum to {value:.6f}", "make them sum to 1")
                )
    return faults


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
    return [
        Fault(f"zones.csv ({zone})", "no open link joins it to the other zones", "add a link or open one")
        for zone in zones
        if zone not in seen
    ]


def _parameters_are_allowed(network: Network) -> list[Fault]:
    faults = []
    for number, row in enumerate(network["parameters"]):
        place, value = where("parameters", number, row), str(row["value"])
        if row["allowed"]:
            words = str(row["allowed"]).split("|")
            if value not in words:
                faults.append(Fault(place, f"value is {value!r}", "use one of " + ", ".join(words)))
            continue
        try:
            float(value)
        except ValueError:
            faults.append(Fault(place, f"value is {value!r}", "give a number"))
    return faults


_RULES: tuple[Callable[[Network], list[Fault]], ...] = (
    _keys_are_unique,
    _references_resolve,
    _links_have_a_length,
    _shares_sum_to_one,
    _each_gauge_hangs_together,
    _parameters_are_allowed,
)
