"""Names of routes: chosen once for a pair, whatever is listed of it, and the same wherever they are shown."""

from __future__ import annotations

import json
import re
from functools import cache
from html import unescape
from pathlib import Path

import pytest

import embedded
from commands import Call
from landbridge.answers.route import routes_between
from landbridge.phrases import width
from landbridge.report import Names
from landbridge.report.route_ways import route_names, told_apart
from landbridge.report.routes import with_names
from landbridge.transport.legs import Path as Way
from landbridge.transport.legs import Routes, Trip

PAIRS = (
    ("Chongqing", "Duisburg"),
    ("Yiwu", "Tashkent"),
    ("Tashkent", "Istanbul"),
    ("Shanghai", "Moscow"),
    ("Ashgabat", "Baku"),
    ("Almaty", "Urumqi"),
)
LANGUAGES = ("en", "ru", "zh")


@cache
def listed(pair: tuple[str, str], k: int, carrying: bool = True, mode: str | None = None) -> Routes:
    return routes_between(embedded.world(), Trip(*pair, k=k, mode=mode), carrying=carrying)[0]


def named(routes: Routes, lang: str = "en") -> dict[Way, str]:
    found = route_names(embedded.world(), routes, Names(embedded.world(), lang))
    return {one.path: found[one.path] for one in routes}


def of_lines(routes: Routes, lang: str) -> list[str]:
    return [way.words for way in told_apart(embedded.world(), routes, Names(embedded.world(), lang))]


def called(words: Names, *places: str) -> set[str]:
    """What two places are called, and the ports that are there."""
    gateways = embedded.world().network["gateways"]
    ports = [row["gateway_id"] for row in gateways if row["kind"] == "port" and row["place_a"] in places]
    texts = {words.short[one] for one in places} | {words.gateway[str(one)] for one in ports}
    return texts | {one.split(" (")[0] for one in texts}


def said(pair: tuple[str, str]) -> list[dict[str, str]]:
    """The names of every route of a pair, by language."""
    world, routes = embedded.world(), listed(pair, 1000)
    whole = with_names(world, routes)["routes"]
    return [{lang: one["name" if lang == "en" else f"name_{lang}"] for lang in LANGUAGES} for one in whole]


def listing(name: str, lang: str) -> list[str]:
    """What a name lists."""
    _, _, via = name.partition({"en": " via ", "ru": ": ", "zh": "，经"}[lang])
    return via.split("、" if lang == "zh" else ", ") if via else []


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_a_name_says_the_same_in_every_language(pair: tuple[str, str]) -> None:
    world = embedded.world()
    words = {lang: Names(world, lang, marked=False) for lang in LANGUAGES}

    def first(text: str) -> str:
        return re.split(r" - |\s*[(（]", text)[0]

    # What each word of a name may stand for: places and gateways.
    of: dict[str, dict[str, set[str]]] = {lang: {} for lang in LANGUAGES}
    for lang, names in words.items():
        for kind in (names.short, names.gateway):
            for one, text in kind.items():
                of[lang].setdefault(first(text), set()).add(one)
    checked = 0
    for name in said(pair):
        lists = [listing(re.sub(r" \(\d+\)$|（\d+）$", "", name[lang]), lang) for lang in LANGUAGES]
        assert len({len(one) for one in lists}) == 1, name
        for en, ru, zh in zip(*lists, strict=True):
            assert of["en"][en] & of["ru"][ru] & of["zh"][zh], name
            checked += 1
    assert checked > len(said(pair)) // 2


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_no_two_routes_have_one_name_in_a_language_only(pair: tuple[str, str]) -> None:
    names = said(pair)
    whole = {tuple(one.values()) for one in names}
    assert all(len({one[lang] for one in names}) == len(whole) for lang in LANGUAGES)


def test_borders_come_before_places_of_the_two_countries() -> None:
    names = [one["en"] for one in said(("Yiwu", "Tashkent"))]
    assert "rail and truck via Shanghai" not in names
    # The sixth by freight crosses the border by truck at Zhibek Zholy.
    assert "Zhibek Zholy" in names[5]


def test_the_first_of_its_mode_has_no_number() -> None:
    """Between Moscow and Saint Petersburg there is nothing to name."""
    assert {one["en"] for one in said(("Moscow", "Saint Petersburg"))} == {"truck", "rail"}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_a_name_is_the_same_however_many_are_listed(pair: tuple[str, str], lang: str) -> None:
    most = named(listed(pair, 10), lang)
    for k in (2, 5):
        few = named(listed(pair, k), lang)
        assert few and few == {path: most[path] for path in few}
    # Nor on the order, the mode, or whether a screen or a file lists them.
    every = named(listed(pair, 1000), lang)
    for other in (
        listed(pair, 5, carrying=False),
        listed(pair, 3, mode=listed(pair, 1).routes[0].mode_class),
        routes_between(embedded.world(), Trip(*pair, k=4), "time")[0],
    ):
        names = named(other, lang)
        assert names and names == {path: every[path] for path in names}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_names_of_a_listing_differ(pair: tuple[str, str], lang: str) -> None:
    for k in (2, 5, 10, 1000):
        names = of_lines(listed(pair, k), lang)
        assert len(set(names)) == len(names) >= min(k, 4)
    ends = called(Names(embedded.world(), lang), listed(pair, 1).origin, listed(pair, 1).destination)
    for name in names:
        # A route is not named after the places that it joins.
        via = name.split(" via " if lang == "en" else ": " if lang == "ru" else "，经")[-1]
        assert not ends & set(via.replace("、", ", ").split(", ")), name
        assert width(name) <= 40


def test_a_scenario_and_a_rail_product_keep_the_names(call: Call) -> None:
    world, pair = embedded.world(), ("Yiwu", "Tashkent")
    every = named(listed(pair, 1000))
    after, _ = routes_between(world, Trip(*pair, k=1000), scenario="borders-half")
    by_wagon, _ = routes_between(world, Trip(*pair, k=1000, product="wagonload"))
    for other in (after, by_wagon):
        names = named(other)
        shared = [path for path in names if path in every]
        assert len(shared) > 10 and len(set(names.values())) == len(of_lines(other, "en"))
        differ = [path for path in shared if names[path] != every[path]]
        # Only routes of one name whose figures are not the same any more get another.
        assert all(list(every.values()).count(every[path]) > 1 for path in differ)


def test_the_screen_and_every_file_show_the_same_name(call: Call, tmp_path: Path) -> None:
    pair = ("route", "Chongqing", "Duisburg")
    code, plain, _ = call(*pair, "-k", "1000", "--json")
    found = json.loads(plain)["result"]["routes"]
    by_figures = {
        (f"{one['time_h'] / 24:.1f}", f"{one['cost_usd']:,.0f}", one["transfers"]): one for one in found
    }
    assert code == 0 and len({one["name"] for one in found}) == len(found) > 10
    _, screen, _ = call(*pair, "-k", "8")
    lines = [line for line in screen.splitlines() if line[:1].isdigit()]
    for line in lines:
        days, _, usd, _, _, lifts = line.split()[-6:]
        assert by_figures[days, usd, int(lifts)]["name"] in line
    assert len(lines) == 8
    for lang in ("ru", "zh"):
        path = tmp_path / f"{lang}.txt"
        assert call(*pair, "-k", "1000", "--lang", lang, "-o", str(path))[0] == 0
        text = path.read_text(encoding="utf-8").replace("*", "")
        assert all(one[f"name_{lang}"] in text for one in found), lang
    for ending in (".csv", ".geojson", ".html"):
        path = tmp_path / f"routes{ending}"
        assert call(*pair, "-k", "1000", "-o", str(path))[0] == 0
        text = unescape(path.read_text(encoding="utf-8"))
        assert all(one["name"] in text for one in found), ending
    held = json.loads((tmp_path / "routes.geojson").read_text(encoding="utf-8"))["features"]
    assert held[0]["properties"]["name"] == found[0]["name"]
