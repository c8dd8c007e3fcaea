"""Scenarios: read, written, applied; what is wrong is told at once, with its place and a cure."""

from __future__ import annotations

import time
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import DataError, LandbridgeError, ScenarioError
from landbridge.io.tables import load_world
from landbridge.model.notes import _of_changes_written_twice
from landbridge.scenario import Scenario, apply, bundled, json_schema, load_scenario, study_set
from landbridge.scenario.fields import ALIASES, verb_columns
from landbridge.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return load_world()


def scenario(*modifications: dict[str, Any]) -> Scenario:
    return Scenario.from_dict({"name": "a test", "modification": list(modifications)}, "test")


def faults_of(world: World, *modifications: dict[str, Any]) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        apply(world, scenario(*modifications))
    assert caught.value.exit_code == 3
    return [str(fault) for fault in caught.value.faults]


def row(world: World, table: str, column: str, key: str) -> Any:
    return world.network[table].by(column)[key]


def rows(world: World, table: str, gateway: str) -> list[Any]:
    return [r for r in world.network[table] if r["gateway_id"] == gateway]


# -- bundled ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", bundled())
def test_bundled_scenarios_are_sourced_valid_and_survive_writing(world: World, name: str) -> None:
    text = files("landbridge").joinpath("data", "scenarios", f"{name}.toml").read_text(encoding="utf-8")
    jsonschema.validate(tomllib.loads(text), json_schema())
    one = load_scenario(name)
    assert one.sources and one.description and one.id == name
    again = Scenario.from_toml(one.to_toml(), name)
    assert again.to_dict() == one.to_dict() and again.sources == one.sources
    assert apply(world, again).hash == apply(world, one).hash != world.hash


def test_the_study_set_is_bundled(world: World) -> None:
    assert study_set(world)[:3] == ("cku-railway", "borders-half", "khorgos-closed")
    assert set(study_set(world)) <= set(bundled())


def test_schema_names_every_verb_and_refuses_what_the_reader_refuses() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    titles = {branch["title"] for branch in schema["properties"]["modification"]["items"]["oneOf"]}
    assert titles == {*verb_columns(), *ALIASES}
    good = {"verb": "change_border", "gateway": "aktau", "time_h": {"add": -6}}
    jsonschema.validate({"name": "x", "modification": [good]}, schema)
    for bad in ({"verb": "add_lnk"}, {**good, "speed": 1}, {**good, "time_h": {"add": 1, "multiply": 2}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"name": "x", "modification": [bad]}, schema)
        with pytest.raises(ScenarioError):
            scenario(bad)


# -- verbs --------------------------------------------------------------------------------------------


def test_borders_half_halves_every_border_of_the_five_and_nothing_else(world: World) -> None:
    after = apply(world, "borders-half")
    country = {str(r["place_id"]): r["country"] for r in world.network["places"]}
    five = {"KAZ", "KGZ", "TJK", "TKM", "UZB"}
    changed = 0
    for old, new in zip(world.network["crossings"], after.network["crossings"], strict=True):
        mine = bool({country[str(old["from_place"])], country[str(old["to_place"])]} & five)
        factor = 0.5 if mine else 1.0
        assert new["time_h"] == pytest.approx(factor * float(old["time_h"] or 0.0))
        assert new["cost_usd"] == old["cost_usd"]
        if old["time_high_h"] is not None:
            assert new["time_high_h"] == pytest.approx(factor * float(old["time_high_h"]))
        changed += mine
    assert changed > 80
    assert after.network["gauge_changes"] == world.network["gauge_changes"]
    assert after.network["ports"] == world.network["ports"]


def test_closing_by_name_and_by_country(world: World) -> None:
    one = apply(world, scenario({"verb": "close_border", "gateway": "khorgos-altynkol"}))
    assert row(one, "gateways", "gateway_id", "khorgos-altynkol")["status"] == "closed"
    rail = apply(world, scenario({"verb": "close_gateway", "countries": "TKM", "mode": "rail"}))
    shut = {str(r["gateway_id"]) for r in rail.network["gateways"] if r["status"] == "closed"}
    kinds = world.network["gateways"].by("gateway_id")
    assert len(shut) > 3 and all(kinds[g]["mode"] == "rail" for g in shut)


def test_changes_of_a_gateway_reach_its_rows(world: World) -> None:
    after = apply(
        world,
        scenario(
            {"verb": "change_gateway", "gateway": "khorgos-altynkol", "product": "block", "time_h": 5},
            {"verb": "change_gateway", "gateway": "aktau", "time_h": {"add": -12}, "cost_usd": 80},
            {
                "verb": "change_gateway",
                "gateway": "khorgos-altynkol",
                "operation": "gauge_change",
                "time_h": {"multiply": 0.5},
                "product": "block",
            },
            {"verb": "change_gateway", "gateway": "khorgos-altynkol", "capacity": {"multiply": 2}},
            {"verb": "change_gateway", "gateway": "suez", "time_h": {"add": 24}},
        ),
    )
    hours = {r["product"]: r["time_h"] for r in rows(after, "crossings", "khorgos-altynkol")}
    old = {r["product"]: r["time_h"] for r in rows(world, "crossings", "khorgos-altynkol")}
    assert hours["block"] == 5.0 and hours["wagonload"] == old["wagonload"]
    port, was = (rows(w, "ports", "aktau")[0] for w in (after, world))
    assert port["cost_usd"] == 80
    assert port["dwell_h"] + port["sailing_wait_h"] == pytest.approx(
        was["dwell_h"] + was["sailing_wait_h"] - 12
    )
    gauge, before = (rows(w, "gauge_changes", "khorgos-altynkol")[0] for w in (after, world))
    assert gauge["time_block_h"] == before["time_block_h"] / 2
    assert gauge["time_wagonload_h"] == before["time_wagonload_h"]
    capacity = [row(w, "gateways", "gateway_id", "khorgos-altynkol") for w in (after, world)]
    assert capacity[0]["capacity_trains_per_day"] == 2 * capacity[1]["capacity_trains_per_day"]
    lane = next(r for r in world.network["links"] if "suez" in str(r["passage"] or "").split("+"))
    moved = row(after, "links", "link_id", str(lane["link_id"]))
    hours_before = lane["transit_time_h"] or lane["length_km"] / lane["speed_kmh"]
    assert moved["transit_time_h"] == pytest.approx(hours_before + 24)


def test_links_and_places_are_added_changed_and_closed(world: World) -> None:
    after = apply(
        world,
        scenario(
            {"verb": "add_place", "name": "Naryn Hub", "country": "KGZ", "lon": 76.0, "lat": 41.4},
            {
                "verb": "add_link",
                "from": "喀什",
                "to": "Naryn Hub",
                "mode": "rail-1435",
                "length_km": 300,
            },
            {"verb": "change_link", "link": "R274", "status": "open", "length_km": {"multiply": 1.1}},
            {"verb": "close_link", "link": "D002"},
        ),
    )
    added = row(after, "links", "link_id", "KHG-NARYNHUB-rail-1435")
    assert added["from_place"] == "KHG" and added["status"] == "open" and added["source"] == "scenario test"
    speeds = [
        r["speed_kmh"]
        for r in world.network["links"]
        if r["mode"] == "rail-1435" and r["status"] == "open" and r["speed_kmh"]
    ]
    assert min(speeds) <= added["speed_kmh"] <= max(speeds)
    assert row(after, "places", "place_id", "NARYNHUB")["region"] == "KGZ"
    assert row(after, "links", "link_id", "R274")["length_km"] == pytest.approx(213 * 1.1)
    assert row(after, "links", "link_id", "D002")["status"] == "closed"


def test_tariffs_and_productivities_by_group(world: World) -> None:
    after = apply(
        world,
        scenario(
            {"verb": "change_tariff", "exporter": "CHN", "importer": "CA5", "tariff": {"multiply": 0.5}},
            {"verb": "change_tariff", "exporter": "*", "importer": "TUR", "sector": ["TEX"], "tariff": 0.1},
            {"verb": "change_productivity", "region": "UZB", "sector": "AGR", "percent": 10},
            {"verb": "change_productivity", "region": "UZB", "sector": "AGR", "percent": 10},
        ),
    )
    t, r, s = world.trade.tariff, world.trade.regions, world.trade.sectors
    new = after.policy.tariff
    assert new is not None and after.policy.productivity_hat is not None
    c, k, u, tur = (r.index(x) for x in ("CHN", "KAZ", "UZB", "TUR"))
    np.testing.assert_allclose(new[c, k], 0.5 * t[c, k])
    np.testing.assert_allclose(new[k, c], t[k, c])
    assert new[c, tur, s.index("TEX")] == 0.1 and new[tur, tur, s.index("TEX")] == t[tur, tur, s.index("TEX")]
    assert after.policy.productivity_hat[u, s.index("AGR")] == pytest.approx(1.21)
    assert (after.policy.productivity_hat != 1).sum() == 1


def test_parameters_of_the_model_are_shared_with_the_base(world: World) -> None:
    one = scenario(
        {"verb": "set_parameter", "parameter": "kgz_trade", "value": "baci"},
        {"verb": "set_parameter", "parameter": "carbon_price_usd_per_kg", "value": 0.1},
        {"verb": "close_link", "link": "D002"},
    )
    base, after = apply(world, one, only_model=True), apply(world, one)
    assert base.setting("kgz_trade") == after.setting("kgz_trade") == "baci"
    assert (
        base.parameter("carbon_price_usd_per_kg") == 0.0 and after.parameter("carbon_price_usd_per_kg") == 0.1
    )
    assert np.array_equal(base.trade.trade, after.trade.trade)
    c, k = (world.trade.regions.index(x) for x in ("CHN", "KGZ"))
    assert base.trade.trade[c, k].sum() > 2.5 * world.trade.trade[c, k].sum()
    assert base.network["links"] == world.network["links"]


# -- mistakes -----------------------------------------------------------------------------------------


def test_every_fault_is_told_at_once_with_place_and_cure(world: World) -> None:
    text = """
name = "x"
foo = 1
[[modification]]
verb = "add_lnk"
[[modification]]
verb = "add_link"
from = "Kashgr"
to = "Makmal"
mode = "rail-1436"
length_km = -3
[[modification]]
verb = "change_gateway"
gateway = ["khorgos-altynkl"]
time_h = 5
[[modification]]
verb = "cut_pipeline"
[[modification]]
verb = "change_link"
link = "R99999"
spede = 3
"""
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_toml(text, "bad", world=world)
    told = [str(fault) for fault in caught.value.faults]
    for part in (
        "no key 'foo'",
        "modification 1 (line 4), verb: no verb 'add_lnk' -> did you mean 'add_link'",
        "mode: is 'rail-1436' -> did you mean 'rail-1435'",
        "length_km: is -3 km -> must be at least 0.1 km",
        "no place 'Kashgr' -> did you mean 'Kashgar'",
        "no gateway 'khorgos-altynkl' -> did you mean 'khorgos-altynkol'",
        "no key 'spede' for change_link",
        "no link 'R99999'",
    ):
        assert sum(part in line for line in told) == 1, part
    assert all(fault.cure for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("modification", "part"),
    [
        ({"verb": "change_gateway", "gateway": "aktau", "time_h": {"add": -500}}, "comes to"),
        ({"verb": "change_gateway", "gateway": "aktau"}, "nothing is changed"),
        ({"verb": "change_gateway", "time_h": 3}, "neither is given"),
        ({"verb": "change_gateway", "gateway": "aktau", "countries": "KAZ", "time_h": 3}, "both are given"),
        ({"verb": "change_gateway", "gateway": "aktau", "mode": "rail", "time_h": 3}, "is not rail"),
        ({"verb": "change_gateway", "gateway": "suez", "time_h": {"multiply": 2}}, "is a strait"),
        (
            {"verb": "change_gateway", "gateway": "torugart", "operation": "gauge_change", "time_h": 3},
            "no gauge change",
        ),
        ({"verb": "change_gateway", "gateway": "khorgos-nur-zholy", "capacity": {"multiply": 2}}, "no value"),
        ({"verb": "close_gateway", "countries": "KZ"}, "no country 'KZ'"),
        ({"verb": "close_link", "link": "R1"}, "no link"),
        ({"verb": "change_link", "link": "R115"}, "nothing is changed"),
        ({"verb": "add_place", "name": "X", "country": "ZZZ", "lon": 1, "lat": 1}, "no country"),
        (
            {"verb": "add_place", "name": "Xian", "id": "XIAN", "country": "CHN", "lon": 1, "lat": 1},
            "is taken",
        ),
        ({"verb": "add_place", "name": "Y", "country": "KAZ", "lon": 500, "lat": 1}, "at most 180"),
        (
            {"verb": "add_link", "from": "Almaty", "to": "Tashkent", "mode": "sea", "length_km": 9},
            "is not a port",
        ),
        ({"verb": "change_tariff", "exporter": "CHN", "importer": "KAZZ", "tariff": 0}, "no importer 'KAZZ'"),
        ({"verb": "change_tariff", "exporter": "CHN", "importer": "KAZ", "tariff": {"add": -1}}, "bounds"),
        ({"verb": "change_productivity", "region": "KAZ", "sector": "AGRI", "percent": 1}, "no sector"),
        ({"verb": "change_productivity", "region": "KAZ", "percent": -95}, "at least -90"),
        ({"verb": "set_parameter", "parameter": "phy", "value": 3}, "no parameter 'phy'"),
        ({"verb": "set_parameter", "parameter": "phi", "value": "big"}, "give a number"),
        ({"verb": "set_parameter", "parameter": "kgz_trade", "value": "none"}, "use one of"),
    ],
)
def test_a_mistake_is_named(world: World, modification: dict[str, Any], part: str) -> None:
    try:
        told = faults_of(world, modification)
    except ScenarioError as error:  # already refused when read
        told = [str(fault) for fault in error.faults]
    assert any(part in line for line in told), told


def test_a_base_that_has_moved_on_is_refused(world: World) -> None:
    document = {"name": "x", "base": "0123456789ab", "modification": [{"verb": "close_link", "link": "D002"}]}
    with pytest.raises(ScenarioError, match="written for World 0123456789ab"):
        apply(world, Scenario.from_dict(document, "old"))
    apply(world, Scenario.from_dict({**document, "base": world.hash[:12]}, "current"))


def test_files_that_are_no_scenario(tmp_path: Path) -> None:
    for name, content in (
        ("empty.toml", b""),
        ("binary.toml", bytes(range(256))),
        ("utf16.toml", b"\xff\xfe"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            load_scenario(path)
    broken = tmp_path / "broken.toml"
    broken.write_text('name = "x\n', encoding="utf-8", newline="\n")
    with pytest.raises(ScenarioError, match="not valid TOML"):
        load_scenario(broken)
    for missing in (tmp_path / "nowhere.toml", tmp_path):
        with pytest.raises(DataError):
            load_scenario(missing)
    with pytest.raises(ScenarioError, match="did you mean 'cku-railway'"):
        load_scenario("cku-railwy")


MANY = ".a" * 2_000


@pytest.mark.parametrize(
    "text",
    [
        f"a{MANY} = 1",
        f"[a{MANY}]",
        f"[[ a{MANY.replace('.', ' . ')} ]]",
        "a" + '.""' * 2_000 + " = 1",
        f"x = {{ a{MANY} = 1 }}",
        # Quotes and comments after which the key is outside all the same.
        f"# it's\na{MANY} = 1 # '",
        f'x = """a"""" # \\\na{MANY} = 1 # "',
        f"x = '''a'''' #\na{MANY} = 1 # '",
    ],
)
def test_a_key_of_very_many_parts_is_refused_before_it_is_read(text: str) -> None:
    with pytest.raises(ScenarioError, match="more than 8 dots"):
        Scenario.from_toml(text, "long")


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 20_000, '\\"""' * 20_000, "'''" * 20_001, '"""' + "'" * 40_000]
)
def test_a_text_of_quotes_that_do_not_close_is_refused_at_once(text: str) -> None:
    begin = time.process_time()
    with pytest.raises(ScenarioError, match="not valid TOML"):
        Scenario.from_toml(text, "open")
    assert time.process_time() - begin < 2.0


def test_dots_in_texts_and_comments_are_no_keys() -> None:
    dots = "1.2.3.4.5.6.7.8.9.10"
    text = f'# {dots}\nname = "{dots}"\ndescription = """{dots}\n{dots}"""\nsources = [\'{dots}\']\n'
    assert Scenario.from_toml(text + 'extends = "cku-railway"\n', "dots").name == dots


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10_000),
    st.floats(),
    st.sampled_from(["KAZ", "aktau", "R115", "phi", "rail-1435", "Almaty", "", "*", "open", "CA5"]),
    st.text(max_size=5),
    st.lists(st.text(max_size=4), max_size=2),
    st.dictionaries(st.sampled_from(["multiply", "add", "x"]), st.floats(), max_size=2),
)
KEYS = sorted({key for columns in verb_columns().values() for key in columns})


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda verb, keys: {"verb": verb, **keys},
            st.sampled_from([*verb_columns(), "", "run"]),
            st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6),
        ),
        max_size=3,
    )
)
def test_any_document_is_applied_or_refused(listed: list[dict[str, Any]]) -> None:
    world = load_once()
    try:
        apply(world, scenario(*listed))
    except LandbridgeError as error:
        assert error.exit_code == 3 and error.faults


_WORLD: list[World] = []


def load_once() -> World:
    if not _WORLD:
        _WORLD.append(load_world())
    return _WORLD[0]


TEXTS = [files("landbridge").joinpath("data", "scenarios", f"{n}.toml").read_text("utf-8") for n in bundled()]
SPOILS = (
    *("", "\n", '"', "=", "[", "]", "{", "}", "#", "\x00", "\ufeff", "1e999", "nan", "inf", "-5", "0,5"),
    *("true", "[[modification]]", "2023-01-01", "\r\n", "*", "9" * 400),
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(SPOILS)), min_size=1, max_size=4),
)
def test_a_spoiled_file_is_applied_or_refused(text: str, spoils: list[tuple[float, int, str]]) -> None:
    for at, cut, new in spoils:
        place = int(at * len(text))
        text = text[:place] + new + text[place + cut :]
    world = load_once()
    try:
        apply(world, Scenario.from_toml(text, "spoiled", world=world))
    except LandbridgeError as error:
        assert error.exit_code == 3 and error.faults
        assert all(fault.where and fault.what for fault in error.faults)


def test_the_page_of_commands_names_every_verb_and_the_changes_count_the_scenarios() -> None:
    root = Path(__file__).resolve().parent.parent
    told = (
        (root / "docs" / "commands.md").read_text(encoding="utf-8").partition("Verbs: ")[2].partition(".")[0]
    )
    assert sorted(told.replace(",", " ").split()) == sorted(verb_columns())
    words = {17: "Seventeen", 18: "Eighteen", 19: "Nineteen", 20: "Twenty"}
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"{words[len(bundled())]} scenarios are bundled" in changes


# -- extends -------------------------------------------------------------------------------------------


def write(path: Path, extends: str, *lines: str) -> Path:
    path.write_text("\n".join(['name = "a child"', f'extends = "{extends}"', *lines]), encoding="utf-8")
    return path


def test_a_scenario_extends_a_bundled_one_or_a_file_next_to_it(world: World, tmp_path: Path) -> None:
    more = ("[[modification]]", 'verb = "set_parameter"', 'parameter = "phi"', "value = 5")
    (tmp_path / "below").mkdir()
    child = load_scenario(write(tmp_path / "child.toml", "cku-railway", *more), world)
    grandchild = load_scenario(write(tmp_path / "below" / "grandchild.toml", "../child.toml"), world)
    parent = load_scenario("cku-railway")
    assert child.modifications[:-1] == parent.modifications
    assert child.modifications[-1].verb == "set_parameter"
    assert (child.id, child.name, child.sources) == ("child", "a child", ())
    assert grandchild.modifications == child.modifications
    # A manifest holds all changes, so that it needs no other file.
    assert "extends" not in child.to_dict()
    assert Scenario.from_dict(child.to_dict(), "child").modifications == child.modifications
    jsonschema.validate(tomllib.loads((tmp_path / "child.toml").read_text()), json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "neither"}, json_schema())


def test_a_circle_and_what_is_not_there_are_faults_with_a_cure(tmp_path: Path) -> None:
    write(tmp_path / "a.toml", "b.toml")
    write(tmp_path / "b.toml", "a.toml")
    for name, said in (
        ("a.toml", r"b\.toml, extends: leads in a circle: a\.toml -> b\.toml -> a\.toml -> take extends"),
        ("cku-railwya", "did you mean 'cku-railway'"),
        ("nowhere.toml", "there is no file 'nowhere.toml' -> give its path"),
        ("deep.toml", "no verb"),
    ):
        (tmp_path / "deep.toml").write_text('name = "x"\n[[modification]]\nverb = "walk"\n')
        path = tmp_path / name if name == "a.toml" else write(tmp_path / "child.toml", name)
        with pytest.raises(ScenarioError, match=said):
            load_scenario(path)
    for number in range(25):
        write(tmp_path / f"n{number}.toml", f"n{number + 1}.toml")
    with pytest.raises(ScenarioError, match="more than 20 scenarios deep"):
        load_scenario(tmp_path / "n0.toml")


def test_parameters_are_set_after_the_changes_and_in_place_of_its_own() -> None:
    one = scenario({"verb": "set_parameter", "parameter": "phi", "value": 5})
    again = one.with_parameters({"phi": 2, "rho": 1})
    assert [(m.get("parameter"), m.get("value")) for m in again.modifications] == [("phi", 2), ("rho", 1)]
    with pytest.raises(ScenarioError, match="give a number"):
        one.with_parameters({"phi": float("nan")})


def test_a_change_written_twice_and_a_blank_base_are_told() -> None:
    half = {"verb": "change_gateway", "gateway": "khorgos-altynkol", "time_h": {"multiply": 0.5}}
    with pytest.raises(ScenarioError, match="base: is blank"):
        Scenario.from_dict({"name": "x", "base": " ", "modification": [half]}, "x")
    twice = Scenario.from_dict({"name": "x", "modification": [half, dict(half)]}, "x")
    told = list(_of_changes_written_twice(twice))
    assert len(told) == 1 and "modification 2 repeats modification 1" in told[0]
