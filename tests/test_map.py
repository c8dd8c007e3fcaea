"""The map of the server: its files by exact name, its words in every language, its land, flows of a job."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import embedded
from landbridge.io.ranges import manifest, shipped_ranges
from landbridge.phrases import LANGUAGES, phrases
from landbridge.report.html import coast
from landbridge.server import app
from landbridge.server.desk import Desk, Inline
from landbridge.server.exchange import Reply, Request
from landbridge.server.service import Service
from landbridge.server.tasks import Forms, Task
from landbridge.world import World

WEB = Path(__file__).resolve().parents[1] / "web"
BUILT = Path(app.__file__).parent / "built"


def quick(task: Task, world: World, progress: Any) -> Forms:
    return {"json": json.dumps(task.words), "html": "<p>", "geojson": json.dumps({"of": task.words})}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service(embedded.world(), Desk(Inline(embedded.world(), quick)))
    yield made
    made.desk.close()


def ask(service: Service, target: str, method: str = "GET") -> Reply:
    return service.answer(Request(method, target, (("host", "localhost"),)))


def result(service: Service, target: str) -> Any:
    return json.loads(ask(service, target).body)["result"]


# -- files -----------------------------------------------------------------------------------------------


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of a map that was built, by name."""
    made = {file: f"content of {file}".encode() for file, _ in app.FILES.values()}
    monkeypatch.setattr(app, "_file", made.get)
    return made


def test_the_files_of_the_map_are_served_by_exact_name(service: Service, files: dict[str, bytes]) -> None:
    for name, (file, kind) in app.FILES.items():
        reply = ask(service, f"/map/{name}" if name else "/map")
        assert (reply.status, reply.kind, reply.body) == (200, kind, files[file])
    assert ask(service, "/map/").status == 200
    page = ask(service, "/").body.decode()
    assert 'href="/map"' in page and "make web" not in page


@pytest.mark.parametrize(
    "target",
    [
        "/map/index.html",
        "/map/..%2fservice.py",
        "/map/../service.py",
        "/map/%2e%2e%2f%2e%2e%2f__init__.py",
        "/map/..%5cservice.py",
        "/map/app.js/",
        "/map/app.js/app.js",
        "/map//app.js",
        "/map/APP.JS",
        "/map/app.js%00",
        "/map/%3Cscript%3E",
        "/maps",
        "/api/map",
    ],
)
@pytest.mark.usefixtures("files")
def test_no_other_file_is_served(service: Service, target: str) -> None:
    reply = ask(service, target)
    assert reply.status in (400, 404) and b"content of" not in reply.body and b"<script" not in reply.body


@pytest.mark.usefixtures("files")
def test_the_map_takes_no_other_method_and_no_parameter(service: Service) -> None:
    assert ask(service, "/map", "POST").status == 405
    assert ask(service, "/map?x=1").status == 400
    assert ask(service, "/map", "HEAD").status == 200


@pytest.mark.usefixtures("files")
def test_the_policy_of_the_map_allows_nothing_but_this_server(service: Service) -> None:
    headers = ask(service, "/map").headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
    allowed = {word for words in policy.values() for word in words.split()}
    assert allowed == {"'none'", "'self'", "data:"} and "data:" not in policy["script-src"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_without_the_map_the_pages_say_how_to_build_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_file", lambda name: None)
    fresh = Service(service.world, service.desk)
    for target in ("/", "/map"):
        page = ask(fresh, target)
        assert page.status == 200 and b"make web" in page.body and b"<script" not in page.body
    assert b'href="/map"' not in ask(fresh, "/").body
    missing = ask(fresh, "/map/app.js")
    assert missing.status == 404 and b"make web" in missing.body


# -- words -----------------------------------------------------------------------------------------------


def test_the_map_uses_every_word_that_it_is_sent_and_no_other() -> None:
    """Keys written out in the source, and those made from a verb, against the phrases."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((WEB / "src").glob("*.ts")))
    used = set(re.findall(r"\bt\(\"(\w+)\"\)", text))
    doors = re.search(r"DOORS: Door\[\] = \[(.*?)\]", text)
    assert doors is not None
    used |= set(re.findall(r"\w+", doors[1])) | {"added", "removed", "changed"}
    used |= {f"verb_{verb}" for verb in re.findall(r"verb: \"(\w+)\"", text)}
    assert used == {key.removeprefix("app.") for key in phrases() if key.startswith("app.")}


def test_words_and_names_are_given_in_every_language(service: Service) -> None:
    found = {lang: result(service, f"/api/words?lang={lang}") for lang in LANGUAGES}
    assert found["en"] == result(service, "/api/words")
    own = {"ru": re.compile("[\u0400-\u04ff]"), "zh": re.compile("[\u4e00-\u9fff]")}
    for lang, letters in own.items():
        assert found[lang]["words"].keys() == found["en"]["words"].keys()
        assert all(letters.search(word) for key, word in found[lang]["words"].items()), lang
        for kind, names in found["en"]["names"].items():
            assert found[lang]["names"][kind].keys() == names.keys()
        assert letters.search(found[lang]["names"]["place"]["CKG"])
        assert all(found[lang]["terms"]["scenario"][id] for id in found[lang]["scenarios"])
    assert ask(service, "/api/words?lang=de").status == 400


# -- land, ranges, flows -----------------------------------------------------------------------------------


def test_the_land_has_the_caspian_as_water_and_no_line_across_the_map(service: Service) -> None:
    reply = ask(service, "/api/land.geojson")
    (feature,) = json.loads(reply.body)["features"]
    polygons = feature["geometry"]["coordinates"]
    assert reply.kind == "application/geo+json" and feature["geometry"]["type"] == "MultiPolygon"

    def dry(lon: float, lat: float) -> bool:
        inside = [
            [coast.inside(np.array([lon, lat]), np.array(ring)) for ring in polygon] for polygon in polygons
        ]
        return any(outer and not any(holes) for outer, *holes in inside)

    assert dry(76.9, 43.2) and dry(104.0, 67.0) and dry(37.6, 55.8), "Almaty, Siberia, Moscow"
    assert not dry(50.5, 41.0) and not dry(35.0, 43.5) and not dry(5.0, 67.0), "Caspian, Black, Norwegian Sea"
    for polygon in polygons:
        assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in polygon)
        assert coast.area(np.array(polygon[0])) > 0.0
        assert all(coast.area(np.array(ring)) < 0.0 for ring in polygon[1:])
        for (x1, y1), (x2, y2) in pairwise(polygon[0]):
            assert abs(x1 - x2) < 20.0 or y1 == y2 in (8.0, 71.0), "a long side is that of the frame"


def test_ranges_of_scenarios_are_those_of_a_run(service: Service) -> None:
    found, world = result(service, "/api/ranges"), service.world.hash
    shipped = {name: shipped_ranges(world, name, body) for name, body in service.bundled.items()}
    assert found == {name: rows for name, rows in shipped.items() if rows}
    assert bool(found) == (manifest()["world"] == world), "ranges of other data are not given"
    for rows in found.values():
        assert all(row["percent_p05"] <= row["percent_p50"] <= row["percent_p95"] for row in rows.values())


def test_a_scenario_that_comes_with_landbridge_can_be_a_job(service: Service) -> None:
    reply = ask(service, "/api/run/cku-railway", "POST")
    sent = json.loads(reply.body)["result"]
    assert reply.status == 202 and reply.headers["Location"] == sent["self"]
    job = service.desk.job(sent["job"])
    assert job is not None and job.wait(10.0)
    of = {"of": {"scenario": "cku-railway"}}
    assert json.loads(ask(service, f"{sent['self']}/network.geojson").body) == of
    assert json.loads(ask(service, "/api/network.geojson?scenario=cku-railway").body) == of
    assert ask(service, "/api/run/cku-railway").body == ask(service, sent["result"]).body, "solved once"
    for target, method, status in (
        ("/api/run/no-such", "POST", 404),
        ("/api/network.geojson?scenario=x.toml", "GET", 422),
        ("/api/jobs/none/network.geojson", "GET", 404),
    ):
        assert ask(service, target, method).status == status


# -- size --------------------------------------------------------------------------------------------------


def test_the_map_that_was_built_is_small_and_holds_its_licences(absent: Callable[[str], NoReturn]) -> None:
    if not (BUILT / "index.html").is_file():
        absent("the map is not built: make web")
    assert {path.name for path in BUILT.iterdir()} == {file for file, _ in app.FILES.values()}
    size = sum(len(gzip.compress(path.read_bytes())) for path in BUILT.iterdir())
    assert size < 90_000
    licences = (BUILT / "licences.txt").read_text(encoding="utf-8")
    assert "BSD 2-Clause" in licences and "Volodymyr Agafonkin" in licences and "MIT License" in licences
    page = (BUILT / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|https?://", page)
