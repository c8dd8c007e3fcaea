"""Suggestions by meaning: cities off the network, everyday words for goods, parts of a scenario's name."""

from __future__ import annotations

import csv
import re
import zlib

import pytest

import embedded
import landbridge as lb
from landbridge.cli import commands
from landbridge.errors import DataError, ScenarioError, did_you_mean
from landbridge.io.tables import DATA, names_attribution, read_sources
from landbridge.scenario import bundled, load_scenario
from landbridge.world import World
from landbridge.world.gazetteer import cities_named, countries, nearest_zones, on_network
from landbridge.world.names import resolve, resolve_place, resolve_sector

NAMES = DATA / "names"


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


def rows(name: str) -> list[dict[str, str]]:
    with (NAMES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cure(world: World, kind: str, text: str) -> str:
    found, fault = resolve(world.tables, kind, text, kind)
    assert found == "" and fault is not None, (kind, text, found)
    return fault.cure


# -- places ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Guilin", "guilin", "桂林", "KWL", "CNKWL", "Guiln"])
def test_a_city_off_the_network_leads_to_the_nearest_zones(world: World, text: str) -> None:
    told = cure(world, "place", text)
    assert "Guilin in China" in told and "Berlin" not in told
    assert re.search(r"Guangzhou 380 km, Changsha \d+ km", told)


def test_every_city_with_an_airport_leads_somewhere(world: World) -> None:
    """No code of the list is without an answer: the place that it names, or zones with their distance."""
    seen = 0
    for row in rows("cities"):
        for code in row["iata"].split("|") if row["iata"] else ():
            if seen % 40 == 0:  # every fortieth: all take a quarter of a minute
                try:
                    (place,) = resolve_place(world.network, code)
                    assert place in world.network["places"].by("place_id")
                except DataError as error:
                    assert re.search(r"\d km|did you mean", error.faults[0].cure), (code, error.faults)
            seen += 1
    assert seen > 3_000


def test_distances_are_those_of_the_map(world: World) -> None:
    (city,) = cities_named("Guilin")
    zone, km = nearest_zones(world.network, city)[0]
    assert zone == "CAN"
    # Guilin 25.28 N 110.30 E, Guangzhou 23.1 N 113.3 E: 2.2 degrees north and 3.0 degrees west.
    assert km == pytest.approx(((2.2 * 111.2) ** 2 + (3.0 * 111.2 * 0.912) ** 2) ** 0.5, rel=0.03)


@pytest.mark.parametrize(("code", "place"), [("TAS", "TASH"), ("UZTAS", "TASH"), ("CNYIW", "YIW")])
def test_an_airport_code_names_the_place_of_its_city(world: World, code: str, place: str) -> None:
    assert resolve_place(world.network, code) == (place,)
    # A scenario is written once and read often: there the code is only suggested.
    assert "did you mean" in cure(world, "place", code)


def test_a_country_is_told_from_a_place(world: World) -> None:
    assert "such as Almaty" in cure(world, "place", "Kazakhstan")
    assert "Kathmandu" in cure(world, "place", "Nepal") and "km" in cure(world, "place", "Nepal")
    assert "Kathmandu" in cure(world, "country", "NPL")
    assert "'KAZ'" in cure(world, "country", "KZ")
    assert cure(world, "region", "Vietnam") == "Vietnam is part of ASEAN (ASE)"


def test_a_namesake_elsewhere_is_not_meant(world: World) -> None:
    assert len(cities_named("Birmingham")) == 2
    assert "United States" not in cure(world, "place", "Birmingham")


def test_spelling_still_counts(world: World) -> None:
    assert "'Berlin'" in cure(world, "place", "Berln")
    assert "'Chongqing'" in cure(world, "place", "Chongqin")


# -- goods, waters, scenarios ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sector"),
    [
        *(
            ("phones", "ELE"),
            ("Phone", "ELE"),
            ("mobile phones", "ELE"),
            ("手机", "ELE"),
            ("телефоны", "ELE"),
        ),
        *(("lorries", "VEH"), ("wheat", "AGR"), ("cotton", "AGR"), ("tiles", "NMM"), ("iron ore", "MIN")),
    ],
)
def test_goods_by_their_everyday_words(world: World, text: str, sector: str) -> None:
    assert resolve_sector(world.tables, text, "commodity") == (sector, None)
    # A change of a whole sector asks for the sector by its name.
    assert str(world.sectors.by("sector")[sector]["name"]) in cure(world, "sector", text)


def test_words_that_the_tables_have_need_no_list(world: World) -> None:
    for text, sector in (("cars", "VEH"), ("cement", "NMM"), ("machines", "MCH")):
        assert resolve(world.tables, "sector", text, "commodity") == (sector, None)


def test_goods_without_a_word_are_a_fault(world: World) -> None:
    found, fault = resolve_sector(world.tables, "unobtainium", "commodity")
    assert found == "" and fault is not None


def test_a_route_for_phones_is_one_for_electrical_goods(world: World) -> None:
    assert lb.route(world, "Yiwu", "TAS", commodity="phones", k=1).commodity == "ELE"


def test_the_caspian_is_its_ports_and_what_concerns_it(world: World) -> None:
    gateways = cure(world, "gateway", "Caspian")
    ports = {str(r["place_id"]) for r in world.network["places"] if "Caspian port" in str(r["role"])}
    at = {str(r["gateway_id"]): str(r["place_a"]) for r in world.network["gateways"] if r["kind"] == "port"}
    named = {one for one in at if re.search(rf"\b{one}\b", gateways)}
    assert {at[one] for one in named} == {place for place in ports if place in at.values()}
    assert "Aktau port" in cure(world, "place", "Caspian")
    with pytest.raises(ScenarioError) as caught:
        load_scenario("Caspian", world)
    told = caught.value.faults[0].cure
    assert "'caspian-half'" in told and "close_gateway of aktau" in told


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *(("cku", "cku-railway"), ("Kashgar", "cku-railway"), ("中吉乌铁路", "cku-railway")),
        *(("suez", "suez-closed"), ("tariffs", "eaeu-tariffs"), ("Middle Corridor", "middle-corridor-2030")),
        *(("cku-railwy", "cku-railway"), ("Digital customs", "paperless")),
    ],
)
def test_a_scenario_by_part_of_its_name_or_title(text: str, name: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text)
    assert caught.value.faults[0].cure.startswith(f"did you mean {name!r}")


def test_a_scenario_that_nothing_is_like_lists_all() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("qqq")
    assert all(name in caught.value.faults[0].cure for name in bundled())


def test_a_part_of_a_name_comes_before_a_like_spelling() -> None:
    assert did_you_mean("half", ["hall", "caspian-half"]) == "did you mean 'caspian-half' or 'hall'?"
    assert did_you_mean("ha", ["caspian-half"]) == ""


# -- the lists -------------------------------------------------------------------------------------


def test_the_lists_are_small_and_belong_to_no_world() -> None:
    text = b"".join(path.read_bytes() for path in sorted(NAMES.glob("*.csv")))
    assert len(zlib.compress(text, 9)) < 150_000
    assert not {path.stem for path in NAMES.glob("*.csv")} & set(lb.load().tables)


def test_every_list_has_a_licence_that_cite_prints(capsys: pytest.CaptureFixture[str]) -> None:
    sources, faults = read_sources(DATA, "names")
    assert not faults and all(row[key] for row in sources for key in ("source", "licence", "attribution"))
    assert {row["table"] for row in sources} == {p.stem for p in NAMES.glob("*.csv")} - {"SOURCES"}
    licences = (DATA / "LICENSES.md").read_text(encoding="utf-8")
    commands.app(["cite"], standalone_mode=False)
    printed = capsys.readouterr().out
    for line in names_attribution():
        assert line in licences and line in printed
    assert "Copyright (c) 2020- Mike Borsetti" in licences


def test_what_the_words_stand_for_exists(world: World) -> None:
    known = {
        "sector": {str(row["sector"]) for row in world.sectors},
        "gateway": {str(row["gateway_id"]) for row in world.network["gateways"]},
        "scenario": set(bundled()),
    }
    seen: dict[tuple[str, str], str] = {}
    for row in rows("meanings"):
        assert set(row["ids"].split("|")) <= known[row["kind"]], row
        for word in row["words"].split("|"):
            assert word == word.strip() and word, row
            if row["kind"] == "sector":
                assert seen.setdefault(("sector", word), row["ids"]) == row["ids"], word


def test_the_list_of_cities_is_sound(world: World) -> None:
    codes = {one.code for one in countries()}
    regions = {str(row["region"]) for row in world.regions} | {""}
    assert len(codes) == len(countries()) and {one.region for one in countries()} <= regions
    for row in rows("cities"):
        assert row["country"] in codes and -180 <= float(row["lon"]) <= 180 and -90 <= float(row["lat"]) <= 90
        assert all(re.fullmatch(r"[A-Z]{3}", code) for code in row["iata"].split("|") if code), row
    # Most zones are cities of the list, where it says they are.
    zones = [world.network["places"].by("place_id")[str(r["place_id"])] for r in world.network["zones"]]
    found = [z for z in zones if any(on_network(world.network, c) for c in cities_named(str(z["name"])))]
    assert len(found) > 0.8 * len(zones)
