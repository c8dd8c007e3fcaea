"""A network of eighteen places for unit tests, written as table rows, and the embedded tables beside it.

XIA (CHN, hub) - ALA | DOS (gauge change, dual-gauge border) - ALM (KAZ) - MOS (RUS) - BRE - MAL - BER (DEU)
ALM - AKT ~caspian~ BAK (AZE) - TBS (GEO) ~black sea~ CND (ROU) - BER;  TBS - IST (TUR) - CND
ALM - SRK (TKM) | MHD (IRN) - IST;  XIA - SHA ~suez or cape~ RTM (NLD) - BER;  KHO: a second border
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from landbridge.world import World
from landbridge.world.table import Cell, Table, parse_cell, read_schema

DATA = Path(__file__).resolve().parent.parent / "src" / "landbridge" / "data" / "network"

PLACES = """XIA Xian CHN 108.9 34.3 yes |ALA Alashankou CHN 82.6 45.2 no border station
KHO Khorgos CHN 80.4 44.2 no border station|DOS Dostyk KAZ 82.5 45.3 no border station
ALM Almaty KAZ 76.9 43.3 yes |AKT Aktau KAZ 51.2 43.7 no |MOS Moscow RUS 37.6 55.8 yes
BRE Brest BLR 23.7 52.1 no border station|MAL Malaszewicze POL 23.5 52.0 no border station
BER Berlin DEU 13.4 52.5 yes |BAK Baku AZE 49.9 40.4 no |TBS Poti GEO 41.7 42.1 no
IST Istanbul TUR 28.9 41.0 yes |CND Constanta ROU 28.6 44.2 no |SRK Serakhs TKM 61.2 36.5 no border station
MHD Mashhad IRN 59.6 36.3 no |SHA Shanghai CHN 121.5 31.2 no |RTM Rotterdam NLD 4.5 51.9 no """

# link, from, to, mode, km, speed, further columns
LINKS = """R1 XIA ALA rail-1435 3000 80 electrified=yes|R2 ALA DOS rail-1435 12 40 dual_gauge=yes
R3 DOS ALM rail-1520 900 55 electrified=yes|R4 ALM MOS rail-1520 4000 50|R5 MOS BRE rail-1520 1100 50
R6 BRE MAL rail-1520 15 30 dual_gauge=yes|R7 MAL BER rail-1435 700 45 electrified=yes
R8 ALM AKT rail-1520 3300 50|R9 BAK TBS rail-1520 800 40|R10 TBS IST rail-1435 1800 35
R11 IST CND rail-1435 700 40|R12 CND BER rail-1435 2000 40|R13 ALM SRK rail-1520 1900 45
R14 SRK MHD rail-1435 180 40|R15 MHD IST rail-1435 3200 35|R16 XIA SHA rail-1435 1500 80
R17 RTM BER rail-1435 700 45|R18 XIA KHO rail-1435 2900 80|R19 KHO ALM rail-1520 350 55
R20 XIA ALM rail-1435 2800 60 status=planned|D1 XIA KHO road 3100 80|D2 KHO ALM road 340 50
D3 ALM MOS road 4100 50|D4 MOS BER road 1850 60|D5 ALA DOS road 12 40|D6 XIA ALA road 3150 80
D7 DOS ALM road 880 50|S1 AKT BAK ferry 470 22 water=caspian|S2 TBS CND sea 1130 28 water=ocean
S3 SHA RTM sea 19600 29 water=ocean passage=babalmandab+suez|S4 SHA RTM sea 25700 29 water=ocean
S5 SHA IST sea 15000 29 water=ocean passage=suez"""

GATEWAYS = """ala-dos border rail ALA DOS|kho-alm border rail KHO ALM|kho-alm-road border road KHO ALM
bre-mal border rail BRE MAL|srk-mhd border rail SRK MHD|alm-mos border rail ALM MOS
aktau port sea AKT -|baku port sea BAK -|poti port sea TBS -|constanta port sea CND -
shanghai port sea SHA -|rotterdam port sea RTM -|istanbul port sea IST -
suez strait sea - - suez|babalmandab strait sea - - babalmandab"""

PARAMETERS = {
    "stop_block_h_per_km": 0.012,
    "stop_wagonload_h_per_km": 0.03,
    "rest_h_per_driving_h": 1.0,
    "formation_block_h": 24.0,
    "formation_wagonload_h": 72.0,
    "terminal_rail_h": 12.0,
    "terminal_rail_usd": 150.0,
    "terminal_road_h": 6.0,
    "terminal_road_usd": 40.0,
    "transfer_h": 12.0,
    "transfer_usd": 120.0,
    "feeder_h": 96.0,
    "feeder_usd": 250.0,
    "bulk_rail_factor": 1.0,
    "cv_border": 0.5,
    "cv_port": 0.5,
    "variance_rail_h2_per_h": 1.0,
    "variance_road_h2_per_h": 0.5,
    "variance_sea_h2_per_h": 5.0,
    "payload_t": 10.0,
    "subsidy_block_usd": 200.0,
    "subsidy_paid": 1.0,
    "phi": 8.0,
    "phi_b": 1.0,
    "phi_x": 1.0,
    "rho": 0.8,
    "carbon_price_usd_per_kg": 0.05,
    "detour_max": 2.0,
}

REGIONS = {
    "CHN": "china",
    "KAZ": "central-asia",
    "TKM": "central-asia",
    "RUS": "russia",
    "BLR": "russia",
    "DEU": "europe",
    "POL": "europe",
    "ROU": "europe",
    "NLD": "europe",
    "TUR": "turkey",
    "IRN": "other",
    "AZE": "other",
    "GEO": "other",
}
ZONES = ("XIA", "SHA", "ALM", "AKT", "MOS", "BER", "RTM", "IST", "BAK", "MHD")


def table(name: str, rows: Iterable[Mapping[str, object]]) -> Table:
    """A table of the schema; missing cells take their default, text is typed as in a CSV file."""
    columns = read_schema()[name]
    typed: list[Mapping[str, Cell]] = []
    for row in rows:
        unknown = set(row) - set(columns)
        assert not unknown, f"{name} has no column {unknown}"
        cells: dict[str, Cell] = {}
        for key, column in columns.items():
            value = row.get(key, "")
            if isinstance(value, str):
                cells[key] = parse_cell(column, value, name)[0]
            else:
                cells[key] = cast(Cell, value)
        typed.append(cells)
    return Table(name, tuple(columns), tuple(typed))


def _lines(text: str) -> list[list[str]]:
    return [part.split() for line in text.splitlines() for part in line.split("|")]


def _links() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, start, end, mode, km, speed, *further in _lines(LINKS):
        row: dict[str, object] = dict(cell.split("=") for cell in further)
        row |= {"link_id": name, "from_place": start, "to_place": end, "mode": mode}
        rows.append({**row, "length_km": km, "speed_kmh": speed})
    return rows


def mini_network() -> dict[str, Table]:
    """The tables of the small network."""
    places = [
        {
            "place_id": p[0],
            "name": p[1],
            "country": p[2],
            "region": p[2] if p[2] in REGIONS else "",
            "lon": p[3],
            "lat": p[4],
            "rail_hub": p[5],
            "role": " ".join(p[6:]),
        }
        for p in _lines(PLACES)
    ]
    gateways = []
    for name, kind, mode, a, b, *passage in _lines(GATEWAYS):
        ends = {"place_a": a.strip("-"), "place_b": b.strip("-"), "passage": "".join(passage)}
        gateways.append({"gateway_id": name, "kind": kind, "mode": mode, **ends})
    ports = [
        {
            "place_id": place,
            "gateway_id": gateway,
            "water": "caspian" if place in ("AKT", "BAK") else "ocean",
            "hub": "yes" if place in ("SHA", "RTM", "IST") else "no",
            "dwell_h": 24.0,
            "sailing_wait_h": 48.0,
            "cost_usd": 120.0,
        }
        for place, gateway in (
            ("AKT", "aktau"),
            ("BAK", "baku"),
            ("TBS", "poti"),
            ("CND", "constanta"),
            ("SHA", "shanghai"),
            ("RTM", "rotterdam"),
            ("IST", "istanbul"),
        )
    ]
    changes = [
        {
            "place_id": place,
            "gauge_a": "1435",
            "gauge_b": "1520",
            "gateway_id": gateway,
            "time_block_h": 20.0,
            "time_wagonload_h": 0.0,
            "cost_usd": 150.0,
        }
        for place, gateway in (
            ("ALA", "ala-dos"),
            ("DOS", "ala-dos"),
            ("KHO", "kho-alm"),
            ("BRE", "bre-mal"),
            ("MAL", "bre-mal"),
            ("SRK", "srk-mhd"),
            ("TBS", ""),
        )
    ]
    defaults = [
        ("EU", "block", "both", 1.0, 0.0),
        ("EAEU", "block", "both", 2.0, 0.0),
        ("other", "block", "both", 24.0, 100.0),
        ("EU", "road", "both", 1.0, 0.0),
        ("KAZ", "wagonload", "inbound", 60.0, 90.0),
        ("*", "wagonload", "outbound", 20.0, 50.0),
        ("*", "wagonload", "inbound", 30.0, 50.0),
        ("*", "road", "outbound", 8.0, 80.0),
        ("*", "road", "inbound", 10.0, 80.0),
    ]
    crossing = {"gateway_id": "ala-dos", "link_id": "R2", "product": "block", "cost_usd": 100.0}
    rates = [
        ("rail", "block", "*", 0.3, 0.0),
        ("rail", "block", "CHN", 0.26, 0.0),
        ("rail", "wagonload", "*", 0.4, 0.0),
        ("road", "", "*", 1.4, 0.0),
        ("sea", "", "ocean", 0.05, 0.0),
        ("ferry", "", "caspian", 0.0, 600.0),
    ]
    factors = [
        ("rail-electric", "*", 12.0),
        ("rail-electric", "CHN", 15.0),
        ("rail-diesel", "*", 28.0),
        ("road", "*", 95.0),
        ("sea", "*", 9.0),
        ("ferry", "*", 75.0),
        ("handling", "*", 8.5),
    ]
    shares = {
        "northern": 0.3,
        "trans-caspian": 0.06,
        "trans-caspian-road": 0.04,
        "southern": 0.03,
        "southern-road": 0.07,
        "road": 0.1,
        "sea": 0.33,
        "sea-road": 0.02,
        "other": 0.05,
    }
    in_bulk = dict(zip(shares, (0.2, 0.04, 0.01, 0.1, 0.05, 0.15, 0.39, 0.01, 0.05), strict=True))
    together = (
        ("china-europe", "china", "europe", True),
        ("china-europe", "china", "turkey", True),
        ("central-asia-europe", "central-asia", "europe", True),
        ("central-asia-europe", "central-asia", "turkey", True),
        ("china-russia", "china", "russia", False),
        ("china-central-asia", "china", "central-asia", False),
        ("other", "*", "*", False),
    )
    groups = tuple(dict.fromkeys(row[0] for row in together))
    sectors = (("MCH", 8.0, 60000.0, 0.9), ("MET", 20.0, 25000.0, 0.4), ("MIN", 22.0, 4000.0, 0.1))
    rows: dict[str, list[dict[str, object]]] = {
        "places": cast(list[dict[str, object]], places),
        "links": _links(),
        "link_lengths_osm": [],
        "gateways": cast(list[dict[str, object]], gateways),
        "ports": cast(list[dict[str, object]], ports),
        "gauge_changes": cast(list[dict[str, object]], changes),
        "crossings": [
            {**crossing, "from_place": "ALA", "to_place": "DOS", "time_h": 10.0},
            {
                **crossing,
                "from_place": "DOS",
                "to_place": "ALA",
                "time_h": 22.0,
                "time_low_h": 10.0,
                "time_high_h": 60.0,
            },
        ],
        "border_defaults": [
            dict(zip(("country", "product", "direction", "time_h", "cost_usd"), d, strict=True))
            for d in defaults
        ],
        "rates": [
            dict(zip(("mode", "product", "scope", "usd_per_teu_km", "usd_per_teu"), r, strict=True))
            for r in rates
        ],
        "emission_factors": [dict(zip(("mode", "country", "g_per_tkm"), f, strict=True)) for f in factors],
        "zones": [{"place_id": z, "share": 1.0} for z in ZONES],
        "sector_freight": [
            {
                "kind": "bulk" if s[0] == "MIN" else "container",
                **dict(
                    zip(
                        ("sector", "payload_t_per_teu", "usd_per_teu", "time_percent_per_day"), s, strict=True
                    )
                ),
            }
            for s in sectors
        ],
        "value_density": [{"sector": "MIN", "exporter": "KAZ", "importer": "*", "usd_per_teu": 2000.0}],
        "pair_groups": [{"region": r, "bloc": b} for r, b in REGIONS.items()],
        "group_pairs": [
            dict(zip(("pair_group", "one", "other", "every_family"), row, strict=True)) for row in together
        ],
        "family_shares": [
            {"kind": kind, "pair_group": g, "family": f, "share": s}
            for kind, of in (("container", shares), ("bulk", in_bulk))
            for g in groups
            for f, s in of.items()
        ],
        "block_train_share": [
            {"pair_group": g, "sector": s[0], "share": 0.9 - 0.3 * n}
            for g in groups
            for n, s in enumerate(sectors)
        ],
        "parameters": [{"parameter": name, "value": repr(value)} for name, value in PARAMETERS.items()],
    }
    return {name: table(name, cells) for name, cells in rows.items()}


def as_world(network: Mapping[str, Table]) -> World:
    """A World that has a network and no economy."""
    nothing = Table("regions", (), ())
    return World(network=network, regions=nothing, sectors=nothing, trade=cast(Any, None), folder=DATA)


def mini_world() -> World:
    """The small world."""
    return as_world(mini_network())


def changed(world: World, name: str, key: str, value: str, **cells: object) -> World:
    """A copy with some cells of the rows where column `key` is `value` replaced."""
    old = world.network[name]
    rows = [{**row, **cast(dict[str, Cell], cells)} if row[key] == value else row for row in old]
    return world.with_network(**{name: old.with_rows(rows)})


def added(world: World, name: str, *rows: Mapping[str, object]) -> World:
    """A copy with further rows."""
    old = world.network[name]
    return world.with_network(**{name: old.with_rows([*old, *table(name, rows)])})


def real_world() -> World | None:
    """The embedded network without its economy; None while there is no such data."""
    if not (DATA / "links.csv").exists():
        return None
    network = {}
    for name in read_schema():
        path = DATA / f"{name}.csv"
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                network[name] = table(name, csv.DictReader(file))
    return as_world(network)
