"""Rules on the meaning of a World's figures: lengths against maps, borders in both directions, units.

A well-formed table may still be impossible: a link a thousandth of the distance, a border with one direction,
a capacity in a unit that its gateway does not use. Each rule takes the tables and returns faults.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

from landbridge.errors import Fault
from landbridge.world.distance import great_circle_km
from landbridge.world.gateway_kinds import GatewayKinds
from landbridge.world.keys import spelled, where
from landbridge.world.table import Cell, Table, quoted

__all__ = ["ON_READING", "RULES"]

Network = Mapping[str, Table]
Row = Mapping[str, Cell]
# Crossing of a border: its link, the place it comes from, its product.
_Crossing = tuple[str, str, str]

# Bounds of a link's length over the great circle between its places, and a tolerance [km]: places stand for
# whole towns, so short links may differ from the map.
_LEAST, _MOST, _TOWN_KM = 0.9, 5.0, 50.0
# Places of a country lie at most this many degrees outside the range of its other places.
_MARGIN = 8.0, 15.0
_YEAR = re.compile(r"(\d{4}([-/]\d{4})?|undated)")
_PRODUCTS = {"rail": ("block", "wagonload"), "road": ("road",)}
_COUNTS = {"rail": "trains", "road": "trucks", "sea": "teu"}
_WORDS = {"trains": "container trains a day", "trucks": "trucks a day", "teu": "TEU a day"}


@cache
def _iso() -> frozenset[str]:
    """The codes of ISO 3166-1 alpha-3, and XKX."""
    return frozenset(files("landbridge").joinpath("countries.txt").read_text(encoding="utf-8").split())


def _apart_km(a: Row, b: Row) -> float:
    return float(great_circle_km(*(_float(place[c]) for place in (a, b) for c in ("lon", "lat"))))


def _float(cell: Cell) -> float:
    return float(cell or 0.0)


def _lengths_fit_the_map(network: Network) -> list[Fault]:
    places = network["places"].by("place_id")
    links = network["links"].by("link_id")
    faults: list[Fault] = []
    for name in ("links", "link_lengths_osm"):
        found = []
        for number, row in enumerate(network[name]):
            link = row if name == "links" else links.get(str(row["link_id"]), {})
            ends = [places.get(str(link.get(end))) for end in ("from_place", "to_place")]
            if row["length_km"] is None or ends[0] is None or ends[1] is None:
                continue
            length, straight = _float(row["length_km"]), _apart_km(ends[0], ends[1])
            if _LEAST * straight - _TOWN_KM <= length <= _MOST * straight + _TOWN_KM:
                continue
            what = f"length_km is {length:g}, and its places are {straight:,.0f} km apart"
            cure = "give km, or check the coordinates of its places"
            found.append(Fault(where(name, number, row), what, cure))
        faults += spelled(found, f"{name}.csv, length_km")
    return faults


def _places_lie_in_their_country(network: Network) -> list[Fault]:
    """Each place lies near the others of its country, and its country code exists."""
    rows = list(network["places"])
    faults = [
        Fault(
            where("places", n, r), f"country {quoted(str(r['country']))} is none of ISO 3166", "use its code"
        )
        for n, r in enumerate(rows)
        if str(r["country"]) not in _iso()
    ]
    of: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of[str(row["country"])].append(row)
    sorted_of = {
        country: [sorted(_float(row[c]) for row in mine) for c in ("lat", "lon")]
        for country, mine in of.items()
    }
    far = []
    for number, row in enumerate(rows):
        values = sorted_of[str(row["country"])]
        if row["exclave"] or len(values[0]) < 2:
            continue
        outside, extent = [], []
        for c, listed in zip(("lat", "lon"), values, strict=True):
            own = _float(row[c])
            # Least and greatest coordinates of the other places.
            least = listed[1] if own == listed[0] else listed[0]
            most = listed[-2] if own == listed[-1] else listed[-1]
            outside.append(max(least - own, own - most))
            extent.append(most - least)
        allowed = [max(m, 0.5 * e) for m, e in zip(_MARGIN, extent, strict=True)]
        if any(out > most for out, most in zip(outside, allowed, strict=True)):
            at = f"{_float(row['lat']):.2f} north, {_float(row['lon']):.2f} east"
            what = f"lies at {at}, far from {row['country']}"
            cure = "check latitude and longitude; are they exchanged?"
            far.append(Fault(where("places", number, row), what, cure))
    return spelled(faults, "places.csv, country") + spelled(far, "places.csv")


def _crossings_are_whole(network: Network) -> list[Fault]:
    """Every open border has both directions of each product on each open link that crosses it."""
    links = {str(r["link_id"]): r for r in network["links"]}
    ends: dict[frozenset[str], list[str]] = defaultdict(list)
    for name, link in links.items():
        ends[frozenset((str(link["from_place"]), str(link["to_place"])))].append(name)
    gateways, kinds = network["gateways"].by("gateway_id"), GatewayKinds(network)
    have: dict[str, set[_Crossing]] = defaultdict(set)
    strange, faults = [], []
    for number, row in enumerate(network["crossings"]):
        gateway, over = gateways.get(str(row["gateway_id"])), links.get(str(row["link_id"]))
        if gateway is None or kinds.stands_for(gateway) != "border" or over is None:
            continue
        have[str(row["gateway_id"])].add((str(row["link_id"]), str(row["from_place"]), str(row["product"])))
        if {str(over["from_place"]), str(over["to_place"])} != _sides(gateway):
            what = f"{row['link_id']} does not join the sides of {row['gateway_id']}"
            cure = f"give it to the border between {over['from_place']} and {over['to_place']}"
            strange.append(Fault(where("crossings", number, row), what, cure))
    for number, row in enumerate(network["gateways"]):
        if kinds.stands_for(row) == "border" and row["status"] == "open":
            own = [links[name] for name in ends[frozenset(_sides(row))]]
            there = have[str(row["gateway_id"])]
            faults += [Fault(where("gateways", number, row), *told) for told in _lacking(row, own, there)]
    return spelled(strange, "crossings.csv") + spelled(faults, "gateways.csv")


def _sides(gateway: Row) -> set[str]:
    return {str(gateway["place_a"]), str(gateway["place_b"])}


def _lacking(gateway: Row, links: list[Row], there: set[_Crossing]) -> list[tuple[str, str]]:
    """What an open border lacks, and the cure. links: those between its sides; there: its crossings."""
    sides, mode = _sides(gateway), str(gateway["mode"])
    if len(sides) < 2:
        return [(f"both sides are {gateway['place_a']}", "name the places of both sides")]
    own = [link for link in links if str(link["mode"]).partition("-")[0] == mode]
    if not own:
        what = f"no {mode} link joins {' and '.join(sorted(sides))}"
        return [(what, "add the link, or close the gateway")]
    found = []
    for link in own:
        name = str(link["link_id"])
        wanted = {(name, side, product) for side in sides for product in _PRODUCTS.get(mode, ())}
        lacking = sorted(f"{p} from {s}" for _, s, p in wanted - there)
        # A second link over a border needs no rows: the usual hours of the country apply.
        begun = not there or any(link_id == name for link_id, _, _ in there)
        if lacking and begun and link["status"] == "open":
            what = f"no crossing for {', '.join(lacking)} on {name}"
            found.append((what, "add the rows to crossings.csv"))
    return found


def _capacities_are_in_their_unit(network: Network) -> list[Fault]:
    faults = []
    for number, row in enumerate(network["gateways"]):
        place = where("gateways", number, row)
        counts = _COUNTS.get(str(row["mode"]), "teu")
        given = {unit: row[f"capacity_{unit}_per_day"] for unit in _WORDS}
        for unit, value in given.items():
            if value is not None and unit != counts:
                what = f"has a capacity in {_WORDS[unit]}, and {row['mode']} is counted in {_WORDS[counts]}"
                faults.append(Fault(place, what, f"write it under capacity_{counts}_per_day"))
    return spelled(faults, "gateways.csv, capacity")


def _capacities_are_in_order(network: Network) -> list[Fault]:
    faults = []
    for number, row in enumerate(network["gateways"]):
        value = row[f"capacity_{_COUNTS.get(str(row['mode']), 'teu')}_per_day"]
        steps = [
            _float(step) for step in (row["capacity_low"], value, row["capacity_high"]) if step is not None
        ]
        if steps != sorted(steps):
            what = "capacity_low, capacity and capacity_high do not rise"
            faults.append(Fault(where("gateways", number, row), what, "put them in order"))
    return spelled(faults, "gateways.csv, capacity")


def _something_is_open(network: Network) -> list[Fault]:
    faults = []
    if not any(row["status"] == "open" for row in network["gateways"]):
        faults.append(Fault("gateways.csv", "no gateway is open", "open at least one"))
    if "sectors" in network and not any(row["is_goods"] for row in network["sectors"]):
        faults.append(Fault("sectors.csv, is_goods", "no sector is goods", "mark those that are shipped"))
    usual = [r for r in network.get("freight_profile", ()) if r["exporter"] == "*" and r["importer"] == "*"]
    if usual and not any(_float(row["share_network"]) > 0.0 for row in usual):
        what = "no sector travels over the network"
        faults.append(Fault("freight_profile.csv, share_network", what, "give the usual shares, above 0"))
    return faults


def _corridors_lead_somewhere(network: Network) -> list[Fault]:
    table = network["corridors"]
    if not len(table):
        return [Fault("corridors.csv", "has no rows", "name at least one pair of places to report")]
    faults = [
        Fault(where("corridors", n, row), f"begins and ends in {row['from_place']}", "name two places")
        for n, row in enumerate(table)
        if row["from_place"] == row["to_place"]
    ]
    return spelled(faults, "corridors.csv")


def _rates_are_paid(network: Network) -> list[Fault]:
    faults = [
        Fault(where("rates", n, row), "the rate is 0", "give usd_per_teu_km or usd_per_teu above 0")
        for n, row in enumerate(network["rates"])
        if not (_float(row["usd_per_teu_km"]) or _float(row["usd_per_teu"])) > 0.0
    ]
    return spelled(faults, "rates.csv")


def _rates_are_in_order(network: Network) -> list[Fault]:
    faults = []
    for number, row in enumerate(network["rates"]):
        value = _float(row["usd_per_teu_km"]) or _float(row["usd_per_teu"])
        steps = [_float(step) for step in (row["low"], value, row["high"]) if step is not None]
        if steps != sorted(steps):
            what = f"low, the rate {value:g} and high do not rise"
            faults.append(Fault(where("rates", number, row), what, "put them in order"))
    return spelled(faults, "rates.csv, low")


def _ships_call_at_ports(network: Network) -> list[Fault]:
    ports = {str(row["place_id"]) for row in network["ports"]}
    role = {str(row["place_id"]): str(row["role"]) for row in network["places"]}
    faults = []
    for number, row in enumerate(network["links"]):
        if str(row["mode"]) not in ("sea", "ferry"):
            continue
        inland = [
            end
            for end in (str(row["from_place"]), str(row["to_place"]))
            if end not in ports and "waypoint" not in role.get(end, "waypoint")
        ]
        if inland:
            what = f"{' and '.join(inland)} {'is no port' if len(inland) == 1 else 'are no ports'}"
            faults.append(
                Fault(where("links", number, row), what, "add it to ports.csv, or correct the ends")
            )
    return spelled(faults, "links.csv, ports")


def _people_and_years(network: Network) -> list[Fault]:
    faults: list[Fault] = []
    for name, column in (("regions", "population"), ("regions", "gdp_musd")):
        for number, row in enumerate(network.get(name, ())):
            if not _float(row[column]) > 0.0:
                faults.append(
                    Fault(where(name, number, row), f"{column} is {_float(row[column]):g}", "give it")
                )
    for name, table in network.items():
        if "year" not in table.columns:
            continue
        found = [
            Fault(
                where(name, number, row),
                f"year is {quoted(str(row['year']))}",
                "write 2023, 2019-2021 or undated",
            )
            for number, row in enumerate(table)
            if row["year"] is not None and not _YEAR.fullmatch(str(row["year"]).strip())
        ]
        faults += spelled(found, f"{name}.csv, year")
    return faults


# Only when tables are read: a scenario may leave the range of a figure.
ON_READING: tuple[Callable[[Network], list[Fault]], ...] = (_capacities_are_in_order, _rates_are_in_order)
RULES: tuple[Callable[[Network], list[Fault]], ...] = (
    _lengths_fit_the_map,
    _places_lie_in_their_country,
    _crossings_are_whole,
    _capacities_are_in_their_unit,
    _something_is_open,
    _corridors_lead_somewhere,
    _rates_are_paid,
    _ships_call_at_ports,
    _people_and_years,
)
