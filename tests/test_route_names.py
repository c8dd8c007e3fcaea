"""Names of routes: chosen once for a pair, whatever is listed of it, and the same wherever they are shown."""

from __future__ import annotations

import json
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
    words = Names(embedded.world(), lang)
    ends = {words.short[listed(pair, 1).origin], words.short[listed(pair, 1).destination]}
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
