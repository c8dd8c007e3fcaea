"""Names in three languages: shown once, understood in every known form, never guessed."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import embedded
import landbridge as lb
from landbridge.errors import DataError, ScenarioError
from landbridge.io.tables import DATA, load_world, read_table
from landbridge.phrases import Words
from landbridge.report import Names, Section
from landbridge.scenario import Scenario, apply
from landbridge.world import World
from landbridge.world.names import (
    KINDS,
    LANGUAGES,
    MARK,
    find_place,
    fold,
    label,
    labels_of,
    place_names,
    resolve,
    resolve_place,
)
from landbridge.world.validate import check_network
from mini_world import added, mini_world

LABELS = DATA / "network" / "labels.csv"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ids_of(world: World, kind: str) -> set[str]:
    if kind == "country":
        return {str(row["country"]) for row in world.network["places"]}
    table, key, _ = KINDS[kind]
    return {str(row[key]) for row in world.tables[table]}


# -- the table -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(KINDS))
def test_everything_is_shown_in_three_languages(world: World, rows: list[dict[str, str]], kind: str) -> None:
    ids = ids_of(world, kind)
    for lang in LANGUAGES:
        shown = [r for r in rows if (r["kind"], r["lang"], r["use"]) == (kind, lang, "shown")]
        assert {r["id"] for r in shown} >= ids
        assert max(Counter(r["id"] for r in shown).values()) == 1
        same = Counter(fold(r["label"]) for r in shown)
        assert [text for text, times in same.items() if times > 1] == []
        assert all(label(world.tables, kind, r["id"], lang) == r["label"] for r in shown if r["id"] in ids)


def test_labels_are_written_in_their_script(rows: list[dict[str, str]]) -> None:
    for row in rows:
        letters = {"ru": range(0x0400, 0x0530), "zh": range(0x3400, 0xA000)}.get(row["lang"])
        if letters is not None:
            assert any(ord(character) in letters for character in row["label"]), row
        else:
            assert not any(ord(character) > 0x3FF and character.isalpha() for character in row["label"]), row
        assert "{" not in row["label"] and row["label"] == row["label"].strip(), row


def test_every_label_has_a_source_and_says_whether_it_was_reviewed(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert row["source"], row
        if row["basis"] == "assumption":
            assert row["reviewed"] == "no" and not row["year"], row
        if row["basis"] == "published":
            assert row["reviewed"] == "yes" and row["source"].startswith(("GeoNames", "Unicode CLDR")), row
        if row["source"].startswith("general knowledge"):
            assert row["basis"] == "assumption", row
        if row["source"].startswith("labels of "):
            assert row["basis"] == "derived", row


def test_english_labels_are_the_names_of_the_tables(world: World, rows: list[dict[str, str]]) -> None:
    english = {(r["kind"], r["id"]): r["label"] for r in rows if r["lang"] == "en" and r["use"] == "shown"}
    for kind in ("place", "gateway", "region", "sector"):
        table, key, _ = KINDS[kind]
        for row in world.tables[table]:
            assert english[kind, str(row[key])] == row["name"]


def test_names_of_gateways_follow_those_of_their_places(rows: list[dict[str, str]]) -> None:
    shown = {(r["kind"], r["id"], r["lang"]): r["label"] for r in rows if r["use"] == "shown"}
    assert shown["gateway", "khorgos-altynkol", "ru"] == "Хоргос - Алтынколь"
    assert shown["gateway", "khorgos-altynkol", "zh"] == "霍尔果斯 - 阿腾科里"
    assert shown["gateway", "shanghai", "ru"].startswith(shown["place", "SHA", "ru"])


# -- what a user types -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        *((text, "XIAN") for text in ("西安", "Xi'an", "XIAN", "xian", "XI’AN", "Сиань", "西安市")),
        *((text, "ALMATY") for text in ("Алматы", "Алма-Ата", "алма ата", "Верный", "阿拉木图", "阿拉木圖")),
        *((text, "KHO_CN") for text in ("Хоргос", "霍尔果斯", "Horgos", "Khorgos")),
        *((text, "URC") for text in ("Ürümqi", "Urumqi", "Wulumuqi", "烏魯木齊", "Урумчи")),
        *((text, "AST") for text in ("Astana", "Nur-Sultan", "Нур-Султан", "Акмола", "Целиноград")),
        *((text, "VVO") for text in ("符拉迪沃斯托克", "海参崴", "Владивосток")),
        *((text, "ALAT") for text in ("Alat", "Порт Алят", "Port of Baku")),
        *((text, "IRK_CN") for text in ("Иркештам (КНР)", "Yierkeshitan", "Иркештам (Китай)")),
    ],
)
def test_any_known_name_resolves(world: World, text: str, place: str) -> None:
    assert resolve(world.network, "place", text, "place") == (place, None)
    assert resolve_place(world.network, text) == (place,)
    assert find_place(world.network["places"], text, "place", world.network["labels"]) == (place, None)
    assert place in place_names(world.network["places"], world.network["labels"])[fold(text)]


def test_every_name_resolves_or_lists_what_it_may_mean(world: World, rows: list[dict[str, str]]) -> None:
    for row in rows:
        found, fault = resolve(world.tables, row["kind"], row["label"], "x")
        if fault is None:
            assert found == row["id"] or row["use"] == "alternate", row
        else:
            assert "names several" in fault.what and f"{row['id']} (" in fault.cure, row
        if row["use"] == "shown":
            assert found == row["id"], row


def test_an_ambiguous_name_lists_the_choices(world: World) -> None:
    for text, choices in (("Torugart", {"TOR_CN", "TOR_KG"}), ("Астара", {"AST_AZ", "AST_IR"})):
        found, fault = resolve(world.network, "place", text, "place")
        assert found == "" and fault is not None and "several places" in fault.what
        assert all(f"{choice} (" in fault.cure for choice in choices)
    _, fault = resolve(world.network, "gateway", "Хоргос", "gateway")
    assert fault is not None and "khorgos-altynkol (Khorgos - Altynkol, rail)" in fault.cure
    assert "khorgos-nur-zholy" in fault.cure
    only = ["khorgos-altynkol", "suez"]
    assert resolve(world.network, "gateway", "Хоргос", "gateway", only) == ("khorgos-altynkol", None)


@pytest.mark.parametrize(
    ("kind", "text", "part"),
    [
        ("place", "Chongqin", "'Chongqing'"),
        ("place", "Ташкен", "'Ташкент'"),
        ("place", "乌鲁木", "'乌鲁木齐'"),
        ("place", "Алма-Атта", "'Алматы'"),  # near an alternate: the name shown is suggested
        ("gateway", "khorgos-altynkl", "'khorgos-altynkol'"),
        ("gateway", "Суэцкий кана", "'Суэцкий канал'"),
        ("region", "Kazakstan", "'Kazakhstan'"),
        ("country", "KZ", "'KAZ'"),
        ("sector", "машин", "'машины и оборудование'"),
        ("sector", "qqq", "use one of AGR"),
        ("place", "", "places.csv"),
        ("place", "x" * 100_000, "places.csv"),
    ],
)
def test_near_misses_are_suggested(world: World, kind: str, text: str, part: str) -> None:
    found, fault = resolve(world.tables, kind, text, "here")
    assert found == "" and fault is not None and fault.where == "here"
    assert part in fault.cure and len(fault.what) < 120


@pytest.mark.parametrize(
    ("kind", "text", "id"),
    [
        ("country", "Китай", "CHN"),
        ("country", "КНР", "CHN"),
        ("country", "Türkiye", "TUR"),
        ("region", "哈萨克斯坦", "KAZ"),
        ("region", "Кыргызстан", "KGZ"),
        ("region", "Остальной мир", "ROW"),
        ("gateway", "Altynkol - Khorgos", "khorgos-altynkol"),
        ("gateway", "Suez", "suez"),
        ("gateway", "苏伊士运河", "suez"),
        ("sector", "машины", "MCH"),
        ("sector", "Machinery", "MCH"),
        ("sector", "机器", "MCH"),
        ("sector", "mch", "MCH"),
    ],
)
def test_codes_have_names_too(world: World, kind: str, text: str, id: str) -> None:
    assert resolve(world.tables, kind, text, "x") == (id, None)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(KINDS)), st.text(max_size=30), st.data())
def test_any_text_resolves_or_gives_a_fault_with_a_cure(kind: str, text: str, data: Any) -> None:
    world = _loaded()
    if data.draw(st.booleans()):
        names = sorted(one.text for one in labels_of(world.tables, kind, "ru").values())
        known = data.draw(st.sampled_from(names))
        cut = data.draw(st.integers(0, len(known)))
        text = known[:cut] + text[:2] + known[cut:]
    found, fault = resolve(world.tables, kind, text, "x")
    if fault is None:
        assert found in ids_of(world, kind)
    else:
        assert found == "" and fault.cure and fault.what


_WORLDS: list[World] = []


def _loaded() -> World:
    if not _WORLDS:
        _WORLDS.append(lb.load())
    return _WORLDS[0]


# -- scenarios and routes --------------------------------------------------------------------------


def scenario(*modifications: dict[str, Any]) -> Scenario:
    return Scenario.from_dict({"name": "test", "modification": list(modifications)}, "test")


def test_a_scenario_may_use_any_language(world: World) -> None:
    pairs = [
        (
            {"verb": "close_gateway", "gateway": "Хоргос - Алтынколь"},
            {"verb": "close_gateway", "gateway": "khorgos-altynkol"},
        ),
        (
            {"verb": "close_gateway", "gateway": "霍尔果斯", "mode": "rail"},
            {"verb": "close_gateway", "gateway": "khorgos-altynkol", "mode": "rail"},
        ),
        (
            {"verb": "close_gateway", "countries": ["Туркменистан", "TKM"]},
            {"verb": "close_gateway", "countries": "TKM"},
        ),
        (
            {
                "verb": "change_tariff",
                "exporter": "中国",
                "importer": "Казахстан",
                "sector": "машины",
                "tariff": 0,
            },
            {"verb": "change_tariff", "exporter": "CHN", "importer": "KAZ", "sector": "MCH", "tariff": 0},
        ),
        (
            {"verb": "change_productivity", "region": "Узбекистан", "sector": "农业", "percent": 1},
            {"verb": "change_productivity", "region": "UZB", "sector": "AGR", "percent": 1},
        ),
        (
            {"verb": "add_place", "name": "Y", "country": "Кыргызстан", "lon": 75, "lat": 41},
            {"verb": "add_place", "name": "Y", "country": "KGZ", "lon": 75, "lat": 41},
        ),
    ]
    for mine, plain in pairs:
        assert apply(world, scenario(mine)).hash == apply(world, scenario(plain)).hash, mine


def test_unknown_names_in_a_scenario_are_suggested(world: World) -> None:
    wrong = [
        {"verb": "close_gateway", "gateway": "Суэцкий кана"},
        {"verb": "close_gateway", "countries": "Казахстн"},
        {"verb": "change_tariff", "exporter": "CA6", "importer": "Казахстн", "tariff": 0},
    ]
    with pytest.raises(ScenarioError) as caught:
        apply(world, scenario(*wrong))
    told = "\n".join(str(fault) for fault in caught.value.faults)
    for part in ("'Суэцкий канал'", "no country 'Казахстн'", "'Казахстан'", "no importer", "'CA5'"):
        assert part in told


def test_a_commodity_by_name(world: World) -> None:
    routes = lb.route(world, "西安", "Алматы", commodity="машины", k=1)
    assert routes.commodity == "MCH" and routes.origin == "XIAN"
    assert routes.to_json()["routes"][0]["legs"][0]["from_name"] == "Xi'an"
    with pytest.raises(DataError, match="машины и оборудование"):
        lb.route(world, "西安", "Алматы", commodity="машин")


# -- what is shown ---------------------------------------------------------------------------------


def test_tables_mark_what_nobody_has_reviewed(world: World) -> None:
    russian, chinese, english = (Names(world, lang) for lang in ("ru", "zh", "en"))
    assert russian.place["XIAN"] == "Сиань" and chinese.place["XIAN"] == "西安"
    assert russian.sector["MCH"] == "машины и оборудование" + MARK
    assert russian.region["KAZ"] == "Казахстан" and chinese.region["CHN"] == "中国"
    assert chinese.short["KHO_CN"] == "霍尔果斯" and english.short["KHO_CN"] == "Khorgos"
    assert not any(MARK in name for name in [*english.place.values(), *english.gateway.values()])
    section = Section("x", ("a",), ((russian.sector["MCH"],),))
    assert russian.explained(section).after == (russian.say("names.unreviewed"),)
    assert russian.explained(Section("x", ("a",), (("Сиань",),))).after == ()


def test_route_prints_names_in_the_language_asked_for() -> None:
    code = "from landbridge.cli import main; main()"
    words = ["route", "Xi'an", "Almaty", "-k", "1", "--commodity", "机器", "--legs"]

    def shown(*more: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, *words, *more], capture_output=True, encoding="utf-8", check=True
        )
        return done.stdout

    chinese, russian, english = shown("--lang", "zh"), shown("--lang", "ru"), shown()
    assert (
        "西安 - 阿拉木图" in chinese
        and "机械设备*" in chinese
        and Words("zh").say("names.unreviewed") in chinese
    )
    assert "Сиань - Алматы" in russian and "Xi'an" not in russian
    assert "Xi'an - Almaty, machinery (MCH)" in english and MARK not in english
    assert '"from_name": "Xi\'an"' in shown("--lang", "zh", "--json")


# -- worlds of one's own ---------------------------------------------------------------------------


def test_a_world_without_labels_knows_its_own_names() -> None:
    network = mini_world().network
    assert "labels" not in network
    assert resolve(network, "place", "constanta", "x") == ("CND", None)
    assert resolve(network, "place", "MOS", "x") == ("MOS", None)
    assert label(network, "place", "CND", "ru") == "Constanta"
    assert label(network, "region", "KAZ", "zh") == "KAZ" and label(network, "sector", "MCH") == "MCH"
    assert resolve(network, "country", "KAZ", "x") == ("KAZ", None)
    _, fault = resolve(network, "gateway", "ala-do", "x")
    assert fault is not None and "'ala-dos'" in fault.cure
    empty = {**network, "labels": read_table(LABELS, "labels")[0].with_rows([])}
    assert resolve(empty, "place", "Constanta", "x") == ("CND", None)


def test_labels_of_ones_own() -> None:
    base = mini_world().with_network(labels=read_table(LABELS, "labels")[0].with_rows([]))
    row = {"kind": "place", "id": "CND", "lang": "ru", "label": "Констанца", "use": "shown", "source": "me"}
    mine = added(base, "labels", row)
    assert label(mine.network, "place", "CND", "ru") == "Констанца"
    assert not labels_of(mine.network, "place", "ru")["CND"].reviewed
    assert resolve(mine.network, "place", "констанца", "x") == ("CND", None)
    other: dict[str, Any] = {"name": "Tomis", "alternates": "Kustendje"}
    places = [{**r, **other} if r["place_id"] == "CND" else r for r in mine.network["places"]]
    renamed = mine.with_network(places=mine.network["places"].with_rows(places))
    assert label(renamed.network, "place", "CND") == "Tomis"
    assert resolve(renamed.network, "place", "kustendje", "x") == ("CND", None)
    stray = added(mine, "labels", {**row, "id": "NOWHERE", "label": "Нигде"})
    assert resolve(stray.network, "place", "Нигде", "x")[0] == ""


def test_two_shown_labels_or_one_for_two_things_are_faults(world: World) -> None:
    row = {"kind": "place", "id": "XIAN", "lang": "ru", "use": "shown", "source": "me", "basis": "assumption"}
    twice = added(world, "labels", {**row, "label": "Сианьфу"})
    shared = added(world, "labels", {**row, "id": "NEW", "label": "Сиань"})
    for changed_world, part in ((twice, "two shown labels in ru"), (shared, "shown by the same label")):
        faults = [str(fault) for fault in check_network(changed_world.network) if "labels" in fault.where]
        assert len(faults) == 1 and part in faults[0], faults


def test_a_folder_may_lack_the_table(tmp_path: Path, world: World) -> None:
    import shutil

    shutil.copytree(DATA, tmp_path / "mine")
    (tmp_path / "mine" / "network" / "labels.csv").unlink()
    mine = load_world(tmp_path / "mine")
    assert resolve(mine.tables, "place", "Xi'an", "x") == ("XIAN", None)
    assert label(mine.tables, "sector", "MCH", "ru") == "machinery"
    assert mine.hash != world.hash


# -- the build, and what it costs ------------------------------------------------------------------


def test_the_recipe_refuses_two_english_names(tmp_path: Path) -> None:
    import shutil

    sys.path.insert(0, str(ROOT / "recipes"))
    try:
        import network
    finally:
        sys.path.pop(0)
    inputs = tmp_path / "inputs"
    shutil.copytree(ROOT / "recipes" / "inputs" / "network", inputs)
    path = inputs / "labels.csv"
    text = path.read_text(encoding="utf-8").replace("place,XIAN,en,Xi'an,shown", "place,XIAN,en,Sian,shown")
    path.write_text(text, encoding="utf-8", newline="\n")
    with pytest.raises(ValueError, match="XIAN"):
        network.build(inputs, tmp_path / "out")


def test_reading_the_table_is_quick() -> None:
    taken = []
    for _ in range(7):
        begin = time.process_time()
        read_table(LABELS, "labels")
        taken.append(time.process_time() - begin)
    # Some 15 ms on an idle machine; a busy one takes ten times as long.
    assert min(taken) < 0.2
