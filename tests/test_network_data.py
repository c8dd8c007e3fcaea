"""The embedded network tables: complete, consistent, and rebuilt byte for byte from recipes/inputs."""

import csv
import random
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from landbridge.transport import FAMILIES
from landbridge.world.table import Table, read_schema
from landbridge.world.validate import check_cells, check_network

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "src" / "landbridge" / "data" / "network"
INPUTS = ROOT / "recipes" / "inputs" / "network"
REGION_CODES = (
    "AFG ARE ARM ASE AZE BLR CHN DEU FRA GBR GEO IND IRN ITA JPN KAZ KGZ KOR MNG NLD PAK POL REU ROW RUS "
    "SAU TJK TKM TUR USA UZB"
)
REGIONS = sorted(REGION_CODES.split())
SECTORS = ["AGR", "FOO", "ENE", "REF", "MIN", "CHM", "TEX", "WPP", "NMM", "MET", "MCH", "ELE", "VEH", "OTH"]
OFF_NETWORK = {"ARM", "JPN", "KOR", "ROW", "USA"}
RAILS = ("rail-1435", "rail-1520", "rail-1676")
NETWORK_TABLES = sorted(
    name for name in read_schema() if "." not in name and name not in ("regions", "sectors")
)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def texts() -> dict[str, list[dict[str, str]]]:
    return {name: read(DATA / f"{name}.csv") for name in NETWORK_TABLES}


@pytest.fixture(scope="module")
def recipe():
    sys.path.insert(0, str(ROOT / "recipes"))
    try:
        import network
    finally:
        sys.path.pop(0)
    return network


def crossing(texts, gateway, product, start):
    return next(
        row
        for row in texts["crossings"]
        if (row["gateway_id"], row["product"], row["from_place"]) == (gateway, product, start)
    )


# -- the schema ------------------------------------------------------------------------------------


def test_every_cell_fits_the_schema_and_every_rule_holds(texts):
    tables, faults = {}, []
    for name, rows in texts.items():
        columns = read_schema()[name]
        assert list(rows[0]) == list(columns), name
        typed = []
        for number, row in enumerate(rows):
            cells, found = check_cells(name, row, f"{name} line {number + 2}")
            typed.append(cells)
            faults += found
        tables[name] = Table(name, tuple(columns), tuple(typed))
    assert not faults, faults[:5]
    faults = check_network(tables)
    assert not faults, faults[:5]


def test_every_row_says_where_it_comes_from(texts):
    for name, rows in texts.items():
        for row in rows:
            assert row["source"].strip(), (name, row)
            assert "/work/" not in " ".join(row.values()), (name, row)


def test_every_table_has_a_source_card(texts):
    cards = read(DATA / "SOURCES.csv")
    assert {row["table"] for row in cards} == set(texts)
    assert all(row["source"] and row["licence"] and row["attribution"] for row in cards)
    licences = (DATA.parent / "LICENSES.md").read_text(encoding="utf-8")
    for row in cards:
        assert row["attribution"] in licences


def test_openstreetmap_lengths_are_a_file_of_their_own(texts):
    osm = {row["link_id"] for row in texts["link_lengths_osm"]}
    for row in texts["links"]:
        assert (row["link_id"] in osm) == (row["length_km"] == "")
        assert "scgraph" not in row["source"]
    assert all("OpenStreetMap contributors" in row["source"] for row in texts["link_lengths_osm"])


# -- the network -----------------------------------------------------------------------------------


def components(edges):
    neighbours = defaultdict(set)
    for one, other in edges:
        neighbours[one].add(other)
        neighbours[other].add(one)
    left, found = set(neighbours), []
    while left:
        front = [left.pop()]
        island = set(front)
        while front:
            fresh = neighbours[front.pop()] - island
            island |= fresh
            front.extend(fresh)
        left -= island
        found.append(island)
    return sorted(found, key=len, reverse=True)


def layers(row):
    return ("rail-1435", "rail-1520") if row["dual_gauge"] == "yes" else (row["mode"],)


def test_each_gauge_hangs_together_but_for_the_known_islands(texts):
    edges = defaultdict(list)
    for row in texts["links"]:
        if row["status"] == "open":
            for layer in layers(row):
                edges[layer].append((row["from_place"], row["to_place"]))
    # 1435 mm: Europe with Iran, China (joined by 1520 mm only), Iraq. 1520 mm: all but Chop.
    west, china, iraq = components(edges["rail-1435"])
    assert {"DUI", "IST", "THR"} <= west and {"XIAN", "ALA_CN", "DOS", "KHO_CN"} <= china
    assert iraq == {"UQR", "BGW"}
    main, chop = components(edges["rail-1520"])
    assert {"DOS", "BRE", "TASH", "BAK", "ULN", "DYU"} <= main and chop == {"CHO", "ZHN", "DOB"}
    assert len(components(edges["rail-1676"])) == 1
    assert len(components(edges["road"])) == 1


def test_every_gauge_is_reached_by_a_gauge_change(texts):
    edges = []
    for row in texts["links"]:
        if row["status"] == "open" and row["mode"] in RAILS:
            edges += [((row["from_place"], layer), (row["to_place"], layer)) for layer in layers(row)]
    for row in texts["gauge_changes"]:
        if row["status"] == "open":
            place = row["place_id"]
            edges.append(((place, f"rail-{row['gauge_a']}"), (place, f"rail-{row['gauge_b']}")))
    main, *islands = components(edges)
    # The other islands are gauge changes of lines that are not open yet, out of reach in the base.
    waiting = {"MAK", "BKH"}
    assert {place for island in islands for place, _ in island} == {"UQR", "BGW", *waiting}
    assert {("XIAN", "rail-1435"), ("DUI", "rail-1435"), ("KHI", "rail-1676")} <= main


def test_every_border_link_has_a_gateway_and_crossings_both_ways(texts):
    country = {row["place_id"]: row["country"] for row in texts["places"]}
    gateways = {row["gateway_id"]: row for row in texts["gateways"]}
    rows = {(r["link_id"], r["product"], r["from_place"], r["to_place"]): r for r in texts["crossings"]}
    seen = 0
    for link in texts["links"]:
        ends = link["from_place"], link["to_place"]
        if link["mode"] in ("sea", "ferry") or country[ends[0]] == country[ends[1]]:
            continue
        rail = link["mode"] in RAILS
        for product in ("block", "wagonload") if rail else ("road",):
            for one, other in (ends, ends[::-1]):
                row = rows[link["link_id"], product, one, other]
                post = gateways[row["gateway_id"]]
                assert {post["place_a"], post["place_b"]} == set(ends)
                assert post["mode"] == ("rail" if rail else "road")
                low, time, high = (float(row[c]) for c in ("time_low_h", "time_h", "time_high_h"))
                assert 0 <= low <= time <= high
                assert row["outbound_rule"] and row["inbound_rule"]
                seen += 1
    assert seen == len(rows)


def test_the_gateways_that_scenarios_name_exist(texts):
    known = {row["gateway_id"]: row["kind"] for row in texts["gateways"]}
    borders = (
        "khorgos-altynkol alashankou-dostyk khorgos-nur-zholy manzhouli-zabaikalsk erenhot-zamyn-uud "
        "brest-malaszewicze saryagash-keles torugart irkeshtam sarakhs akhalkalaki-kars torugart-rail"
    )
    assert {known[name] for name in borders.split()} == {"border"}
    ports = "aktau kuryk alat turkmenbashi bandar-abbas poti shanghai rotterdam karachi"
    assert {known[name] for name in ports.split()} == {"port"}
    assert {known[name] for name in ["suez", "babalmandab", "bosporus", "gibraltar", "hormuz"]} == {"strait"}


def test_ports_and_straits_govern_every_lane(texts):
    ports = {row["place_id"]: row for row in texts["ports"]}
    gateways = {row["gateway_id"]: row for row in texts["gateways"]}
    straits = {row["passage"] for row in texts["gateways"] if row["kind"] == "strait"}
    used = set()
    for row in texts["links"]:
        if row["mode"] not in ("sea", "ferry"):
            assert not row["passage"] and (not row["water"] or row["mode"] == "road")
            continue
        used |= set(filter(None, row["passage"].split("+")))
        for place in (row["from_place"], row["to_place"]):
            if place == "CPT":  # a waypoint: no ship calls
                continue
            assert ports[place]["water"] == row["water"]
            assert gateways[ports[place]["gateway_id"]]["place_a"] == place
    assert used == straits


def test_the_base_is_the_network_of_mid_2023(texts):
    status = {row["link_id"]: row for row in texts["links"]}
    for lane in ("S001", "S003", "S010", "S020", "S037", "S038"):
        assert status[lane]["status"] == "open" and "babalmandab" in status[lane]["passage"] + "babalmandab"
    assert "suez" in status["S001"]["passage"] and not status["S002"]["passage"]
    for planned in ("R274", "R275", "R276", "R079", "R096", "R097", "R162"):
        assert status[planned]["status"] == "planned" and status[planned]["open_from"] >= "2024"
    assert status["R225"]["status"] == status["R241"]["status"] == "closed"
    assert status["R041"]["dual_gauge"] == status["R042"]["dual_gauge"] == "yes"
    makmal = [row for row in texts["gauge_changes"] if row["place_id"] == "MAK"]
    assert [row["status"] for row in makmal] == ["open"] and "its line" in makmal[0]["note"]


def test_no_transfer_beats_the_gauge_change(texts):
    value = {row["parameter"]: row["value"] for row in texts["parameters"]}
    for row in texts["gauge_changes"]:
        hours = max(float(row["time_block_h"]), float(row["time_wagonload_h"]))
        assert hours <= float(value["transfer_h"])
        assert float(row["cost_usd"]) <= float(value["transfer_usd"])


# -- rules of the recipe ---------------------------------------------------------------------------


def test_crossings_follow_the_rule(texts):
    # CPMM: Alashankou outbound 30.5 h (2022) + Kazakhstan inbound 78.0 h (2022; 2023 has no direction).
    row = crossing(texts, "alashankou-dostyk", "wagonload", "ALA_CN")
    assert float(row["time_h"]) == 108.5
    assert (row["outbound_rule"], row["inbound_rule"]) == ("crossing", "country by mode and direction")
    # Kazakhstan outbound 6.8 h (2022) + China inbound 16.3 h (2023).
    assert float(crossing(texts, "alashankou-dostyk", "wagonload", "DOS")["time_h"]) == 23.1
    # China outbound 17.0 h (2023) + Irkeshtam inbound 1.8 h (2020).
    assert float(crossing(texts, "irkeshtam", "road", "IRK_CN")["time_h"]) == 18.8
    # Torugart outbound 50.1 h (2022) + China inbound 2.1 h (2023).
    assert float(crossing(texts, "torugart", "road", "TOR_KG")["time_h"]) == 52.2
    # Inside a customs union, and the default of block trains.
    assert crossing(texts, "smolensk-minsk", "block", "SMO")["time_h"] == "2"
    assert crossing(texts, "lodz-berlin", "block", "LOD")["time_h"] == "1"
    assert crossing(texts, "brest-malaszewicze", "block", "BRE")["time_h"] == "24"
    assert float(crossing(texts, "alashankou-dostyk", "block", "ALA_CN")["time_h"]) == 12.25


def test_defaults_exist_for_any_new_border(texts):
    rows = {(row["country"], row["product"], row["direction"]) for row in texts["border_defaults"]}
    for product in ("wagonload", "road"):
        assert {("*", product, "outbound"), ("*", product, "inbound")} <= rows
        assert {("EU", product, "both"), ("EAEU", product, "both")} <= rows
    assert {("EU", "block", "both"), ("EAEU", "block", "both"), ("other", "block", "both")} <= rows


def test_commercial_speeds_lose_the_stops_once(recipe, texts):
    assert recipe.running_speed(31.0, "commercial", 0.012) == pytest.approx(1 / (1 / 31 - 0.012))
    assert recipe.running_speed(57.9, "running", 0.012) == 57.9
    speed = {row["link_id"]: float(row["speed_kmh"]) for row in texts["links"]}
    assert speed["R003"] == 80.2 and speed["R043"] == 57.9  # China and Kazakhstan: CPMM, without delay
    assert speed["R219"] == 49.4  # Moscow - Smolensk: 31 km/h with stops
    assert speed["R102"] == 46.9  # Uzbekistan: 30 km/h with stops


def test_zones_are_cities_and_every_region_is_on_or_off(texts):
    region = {row["place_id"]: row["region"] for row in texts["places"]}
    station = {row["place_id"] for row in texts["places"] if row["border_station"] == "yes"}
    total = defaultdict(float)
    for row in texts["zones"]:
        assert row["region"] == region[row["place_id"]] and row["place_id"] not in station
        total[row["region"]] += float(row["share"])
    assert set(total) == set(REGIONS) - OFF_NETWORK
    assert all(value == pytest.approx(1.0, abs=1e-12) for value in total.values())
    groups = {row["region"]: row for row in texts["pair_groups"]}
    assert sorted(groups) == REGIONS
    assert {name for name, row in groups.items() if row["on_network"] == "no"} == OFF_NETWORK


def test_zone_shares_name_every_zone_and_sum_to_one(texts, recipe):
    zoned = defaultdict(set)
    for row in texts["zones"]:
        zoned[row["region"]].add(row["place_id"])
    groups = defaultdict(dict)
    for row in texts["zone_shares"]:
        groups[row["region"], row["sector"], row["flow"]][row["place_id"]] = float(row["share"])
    for (region, sector, _), shares in groups.items():
        assert sector in {"*", *SECTORS}
        assert set(shares) <= zoned[region]
        assert sum(shares.values()) == pytest.approx(1, abs=1e-9)
    for region, places in zoned.items():
        for flow in ("exports", "imports"):
            assert set(groups[region, "*", flow]) == places
    coal = groups["RUS", "ENE", "exports"]
    assert "MOW" not in coal and coal["NOV"] > 0.5

    def refuse(match, **cells):
        inputs = dict(recipe.read_inputs(INPUTS))
        first, *others = inputs["zone_shares"]
        inputs["zone_shares"] = [{**first, **cells}, *others]
        with pytest.raises(ValueError, match=match):
            recipe.zone_shares(inputs)

    refuse("shares sum to", share="0.999")
    refuse("is no zone of", place_id="ALMATY", region="DEU")
    # A zone that the stated shares of all goods forget would have no trade.
    inputs = dict(recipe.read_inputs(INPUTS))
    inputs["zone_shares"] = [row for row in inputs["zone_shares"] if row["place_id"] != "BER"]
    with pytest.raises(ValueError, match="no row for BER"):
        recipe.zone_shares(inputs)


def test_shares_are_complete_and_inside_their_ranges(texts):
    by_group = defaultdict(dict)
    for row in texts["family_shares"]:
        by_group[row["kind"], row["pair_group"]][row["family"]] = float(row["share"])
        # The range is that of the judgement; a share that was fitted may lie outside it.
        stated = row["stated"] or row["share"]
        assert 0 < float(row["low"]) <= float(stated) <= float(row["high"]) <= 1
    groups = {row["pair_group"] for row in texts["group_pairs"]}
    assert set(by_group) == {(kind, group) for kind in ("container", "bulk") for group in groups}
    for shares in by_group.values():
        assert set(shares) == set(FAMILIES) and sum(shares.values()) == pytest.approx(1.0, abs=1e-8)
    block = {(row["pair_group"], row["sector"]) for row in texts["block_train_share"]}
    assert block == {(group, sector) for group in groups for sector in SECTORS}
    for row in texts["block_train_share"]:
        assert float(row["low"]) <= float(row["share"]) <= float(row["high"])


def test_freight_profile_and_values_cover_every_sector(texts):
    profile = {(row["sector"], row["exporter"], row["importer"]): row for row in texts["freight_profile"]}
    density = {(row["sector"], row["exporter"]): float(row["usd_per_teu"]) for row in texts["value_density"]}
    assert [row["sector"] for row in texts["sector_freight"]] == sorted(SECTORS)
    for sector in SECTORS:
        assert (sector, "*", "*") in profile
        assert (sector, "*") in density and (sector, "KAZ") in density
    assert profile["ENE", "TKM", "CHN"]["share_network"] == "0"
    assert profile["*", "overland", "overland"]["rule"] == "air_to_network"
    assert density["MCH", "KAZ"] < density["MCH", "*"]


def test_parameters_lie_in_their_ranges(texts):
    for row in texts["parameters"]:
        if row["allowed"]:
            assert row["value"] in row["allowed"].split("|")
        elif row["low"]:
            assert float(row["low"]) <= float(row["value"]) <= float(row["high"]), row["parameter"]


def test_rates_give_the_prices_seen_in_the_market(texts):
    rate = {(r["mode"], r["product"], r["scope"]): float(r["usd_per_teu_km"]) for r in texts["rates"]}
    length = {r["link_id"]: float(r["length_km"]) for r in texts["link_lengths_osm"]}
    length |= {r["link_id"]: float(r["length_km"]) for r in texts["links"] if r["length_km"]}
    # Xi'an - Alashankou, Dostyk - Brest (5,430 km) and Malaszewicze - Duisburg, two gauge changes.
    china = sum(length[f"R{n:03d}"] for n in range(3, 9))
    europe = sum(length[link] for link in ("R234", "R246", "R247", "R248"))
    haul = china * rate["rail", "block", "CHN"] + 5430 * rate["rail", "block", "KAZ"]
    haul += europe * rate["rail", "block", "*"]
    assert 2300 < haul < 3500
    assert 700 < length["S001"] * rate["sea", "", "ocean"] < 1000  # Shanghai - Rotterdam in 2023
    assert rate["road", "", "*"] > rate["rail", "wagonload", "*"] > rate["rail", "block", "*"]


# -- the build -------------------------------------------------------------------------------------


def same_bytes(built: Path) -> None:
    for path in sorted(DATA.glob("*.csv")):
        assert (built / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_recipe_gives_the_committed_bytes(recipe, tmp_path):
    written = recipe.build(INPUTS, tmp_path)
    assert {path.name for path in written} == {path.name for path in DATA.glob("*.csv")}
    same_bytes(tmp_path)
    for path in written:
        raw = path.read_bytes()
        assert raw.endswith(b"\n") and b"\r" not in raw
        raw.decode("utf-8")


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_the_inputs_does_not_matter(recipe, tmp_path, seed):
    shuffled = tmp_path / "inputs"
    shutil.copytree(INPUTS, shuffled)
    for path in sorted(shuffled.glob("*.csv")):
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        random.Random(seed).shuffle(lines)
        path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    recipe.build(shuffled, tmp_path / "out")
    same_bytes(tmp_path / "out")
