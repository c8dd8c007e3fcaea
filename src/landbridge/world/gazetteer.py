"""Cities and countries of the whole earth, so that one off the network leads to the zones nearest to it.

The lists come with landbridge and belong to no World: they give no number of any result.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from landbridge.phrases import Words, listed, say
from landbridge.world.distance import great_circle_km
from landbridge.world.folded import LONGEST, fold
from landbridge.world.table import Cell, Table

__all__ = [
    "City",
    "Country",
    "cities_named",
    "countries",
    "country_named",
    "likeness",
    "near_city",
    "nearest_zones",
    "on_network",
    "whereabouts",
]

Network = Mapping[str, Table]

# Zones listed, and cities of one name listed, at most.
_ZONES, _CITIES = 3, 2
# A place of the network within this distance is that of the city [km].
_SAME_KM = 60.0
# Likeness of two spellings from which a city is suggested.
_NEAR = 0.8
# Distances are rounded to this many km: the list has positions to a hundredth of a degree.
_STEP_KM = 10.0


@dataclass(frozen=True)
class City:
    """A city of the list: longitude and latitude [degree], people in thousands (0 where not known).

    name, country: as listed; lon, lat: degrees; thousand_people; codes: UN/LOCODE and airports.
    """

    name: str
    country: str
    lon: float
    lat: float
    thousand_people: float
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Country:
    """A country: its codes of ISO 3166, its name, and its region of the embedded base table ("" for none).

    code, iso2: of three and of two letters.
    """

    code: str
    iso2: str
    name: str
    region: str


def cities_named(text: str) -> tuple[City, ...]:
    """The cities of a name, an IATA code or a UN/LOCODE made of country and IATA code, the largest first.

    text: as typed; names in English, Russian and Chinese, as far as the list has them.
    """
    return _cities().get(fold(text), ())


def country_named(text: str) -> Country | None:
    """The country of a name or of a code of two or three letters; None for none.

    text: the name or code.
    """
    wanted = fold(text)
    return next(
        (one for one in countries() if wanted in (fold(one.name), one.code.casefold(), one.iso2.casefold())),
        None,
    )


def nearest_zones(network: Network, city: City, most: int = _ZONES) -> list[tuple[str, float]]:
    """Identifiers of the zones nearest to a city, with the great-circle distance [km], the nearest first.

    network: tables of a World; city: of the list; most: number of zones.
    """
    places = network["places"].by("place_id")
    zones = {str(row["place_id"]) for row in network["zones"]} if "zones" in network else set(places)
    away = [(zone, _km(city, places[zone])) for zone in sorted(zones) if zone in places]
    return sorted(away, key=lambda one: (one[1], one[0]))[:most]


def whereabouts(network: Network, text: str, near: bool = False) -> str:
    """A cure for a place that is not on the network: what it is, and the zones nearest to it; else "".

    network: tables of a World; text: a city, an airport or a country as typed; near: also a city of another
    spelling.
    """
    found = cities_named(text)
    own = {str(row["country"]) for row in network["places"]}
    # Where one is in a country of the network, its namesakes elsewhere are not meant.
    found = tuple(one for one in found if one.country in own) or found
    if found:
        return Words().clauses(_of_city(network, one, text) for one in found[:_CITIES])
    country = country_named(text) if len(text.strip()) > 2 else None
    if country is not None:
        return _of_country(network, country)
    like = _like(fold(text)) if near else ""
    if not like:
        return ""
    city = _cities()[like][0]
    return say("names.city.near", city=city.name, where=_of_city(network, city, ""))


def near_city(network: Network, wanted: str) -> float:
    """How alike a folded spelling is to the nearest city of the list, 0 for none or one of the network.

    network: tables of a World; wanted: the folded spelling.
    """
    like = _like(wanted)
    return likeness(wanted, like) if like and not on_network(network, _cities()[like][0]) else 0.0


def on_network(network: Network, city: City) -> list[str]:
    """Identifiers of the places of the network that have the name of a city and lie where it does.

    network: tables of a World; city: of the list.
    """
    return [
        str(row["place_id"])
        for row in network["places"]
        if row["country"] == city.country and fold(city.name) in _names_of(row) and _km(city, row) <= _SAME_KM
    ]


def likeness(a: str, b: str) -> float:
    """How alike two folded spellings are, from 0 to 1.

    a, b: the spellings. Twice the letters they share in order over all letters (`difflib.SequenceMatcher`).
    """
    return difflib.SequenceMatcher(None, a, b).ratio()


@cache
def countries() -> tuple[Country, ...]:
    """The countries of ISO 3166 in the order of their codes."""
    return tuple(Country(r["country"], r["iso2"], r["name"], r["region"]) for r in _rows("countries"))


@cache
def _like(wanted: str) -> str:
    if not 3 < len(wanted) <= LONGEST:
        return ""
    near = difflib.get_close_matches(wanted, _cities(), n=1, cutoff=_NEAR)
    return near[0] if near else ""


# -- parts -----------------------------------------------------------------------------------------


def _of_city(network: Network, city: City, text: str) -> str:
    here = on_network(network, city)
    if here:
        name = str(network["places"].by("place_id")[here[0]]["name"])
        return say("names.city.here", name=repr(name))
    zones = _told(network, city)
    country = _country_name(city.country)
    if text.strip().upper() in city.codes:
        code = text.strip().upper()
        return say("names.city.code", code=code, city=city.name, country=country, zones=zones)
    return say("names.city.off", city=city.name, country=country, zones=zones)


def _of_country(network: Network, country: Country) -> str:
    of_it = [str(row["place_id"]) for row in network["places"] if row["country"] == country.code]
    places = network["places"].by("place_id")
    if of_it:
        largest = sorted(of_it, key=lambda one: -float(places[one].get("population") or 0.0))[:_ZONES]
        return say(
            "names.country.on", country=country.name, places=listed([str(places[p]["name"]) for p in largest])
        )
    own = [c for group in _cities().values() for c in group if c.country == country.code]
    if not own:
        return ""
    city = max(own, key=lambda one: (one.thousand_people, one.name))
    return say("names.country.off", country=country.name, city=city.name, zones=_told(network, city))


def _told(network: Network, city: City) -> str:
    """The nearest zones, the last of them the nearest in the country of the city where none of it is near."""
    places = network["places"].by("place_id")
    every = nearest_zones(network, city, most=len(places))
    near = every[:_ZONES]
    own = [one for one in every if places[one[0]]["country"] == city.country][:1]
    if own and own[0] not in near:
        near[-1:] = own
    return listed(
        [
            say(
                "names.zone",
                zone=str(places[zone]["name"]),
                km=max(_STEP_KM, _STEP_KM * round(away / _STEP_KM)),
            )
            for zone, away in near
        ]
    )


def _km(city: City, row: Mapping[str, Cell]) -> float:
    return float(great_circle_km(city.lon, city.lat, float(row["lon"] or 0.0), float(row["lat"] or 0.0)))


def _names_of(row: Mapping[str, Cell]) -> set[str]:
    whole = [str(row["name"]), *str(row.get("alternates") or "").split("|")]
    return {fold(part) for name in whole for part in (name, name.split("(")[0])}


def _country_name(code: str) -> str:
    return next((one.name for one in countries() if one.code == code), code)


@cache
def _cities() -> Mapping[str, tuple[City, ...]]:
    """Cities by folded name and code, the largest first."""
    iso2 = {one.code: one.iso2 for one in countries()}
    found: dict[str, list[City]] = {}
    for row in _rows("cities"):
        codes = tuple(row["iata"].split("|")) if row["iata"] else ()
        codes += tuple(iso2.get(row["country"], "") + code for code in codes)
        city = City(
            row["name"],
            row["country"],
            float(row["lon"]),
            float(row["lat"]),
            float(row["thousand_people"] or 0.0),
            codes,
        )
        for name in {fold(one) for one in (row["name"], *codes, *row["others"].split("|")) if one}:
            found.setdefault(name, []).append(city)
    return {name: tuple(sorted(of, key=lambda one: -one.thousand_people)) for name, of in found.items()}


def _rows(name: str) -> list[dict[str, str]]:
    text = files("landbridge").joinpath("data", "names", f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
