"""The map in a browser: its files by exact name, the words it shows, and the land under it.

The files are built from the folder `web` of the repository by `make web`; a package may come without them.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from landbridge.phrases import phrases, say
from landbridge.report import Names
from landbridge.report.html.elements import frame, tag
from landbridge.scenario import bundled
from landbridge.server.exchange import HTML, Refusal, Reply, utf8
from landbridge.world import World

__all__ = ["FILES", "app_file", "built", "land", "words"]

# What is served below /map: name in the address, name of the file and its media type. No other file is.
FILES = {
    "": ("index.html", HTML),
    "app.js": ("app.js", "text/javascript; charset=utf-8"),
    "app.css": ("app.css", "text/css; charset=utf-8"),
    "licences.txt": ("licences.txt", "text/plain; charset=utf-8"),
}
# Scripts and styles of this server alone; images that the style holds itself.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# Kinds of the words of tables that the map shows.
_TERMS = (
    *(
        "family",
        "mode",
        "operation",
        "part",
        "status",
        "unit",
        "closure",
        "number",
        "scenario",
        "description",
    ),
    *("proxy",),
)
Ring = Sequence[tuple[float, float]]


def built() -> bool:
    """Whether the package holds the map."""
    return _file("index.html") is not None


def app_file(name: str) -> Reply:
    """A file of the map by its name in the address; a page on how to build it where there is none.

    Raises Refusal for a name that is not one of `FILES`, and for a file that is missing.
    """
    if name not in FILES:
        raise Refusal.of(404, "path", f"no file {name[:40]!r} of the map", "/map opens the map")
    file, kind = FILES[name]
    content = _file(file)
    if content is None and not name:
        page = frame(say("serve.map"), say("serve.map"), [tag("p", say("serve.no_map"), cls="note"), _back()])
        return Reply(200, utf8(page), HTML)
    if content is None:
        raise Refusal.of(404, "path", "the map is not part of this installation", "build it with `make web`")
    return Reply(200, content, kind, {"Content-Security-Policy": _POLICY})


def _file(name: str) -> bytes | None:
    """The content of one of the files of the map, None where it was not built."""
    path = files("landbridge.server").joinpath("built", name)
    return path.read_bytes() if path.is_file() else None


def _back() -> str:
    return f'<p><a href="/">{escape(say("serve.back"))}</a></p>'


def words(world: World, lang: str) -> dict[str, Any]:
    """The words and names of the map in a language.

    world: with places, gateways, regions and sectors; lang: en, ru or zh. Returns words by key without its
    beginning `app.`, terms by kind and value, and names by kind and identifier.
    """
    names = Names(world, lang, marked=False)
    every = phrases("en")
    own = (key.removeprefix("app.") for key in every if key.startswith("app."))
    terms: dict[str, dict[str, str]] = {kind: {} for kind in _TERMS}
    for key in every:
        start, _, rest = key.partition(".")
        kind, _, value = rest.partition(".")
        if start == "term" and kind in terms:
            terms[kind][value] = names.term(kind, value)
    return {
        "lang": lang,
        "words": {key: names.say(f"app.{key}") for key in own},
        "boundaries": names.say("about.boundaries"),
        "terms": terms,
        "names": {
            "place": names.short,
            "region": names.region,
            "sector": names.sector,
            "gateway": names.gateway,
            "group": names.group,
        },
        "scenarios": bundled(),
    }


def land() -> str:
    """The land as GeoJSON: polygons with the seas inside them left out, made with Natural Earth."""
    rings: dict[str, list[tuple[float, float]]] = {}
    text = files("landbridge.report.html").joinpath("coast.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        rings.setdefault(row["ring"], []).append((float(row["lon"]), float(row["lat"])))
    shapes = [(_area(ring), _closed(ring[::-1])) for ring in rings.values()]
    # In the file land goes clockwise and water counter-clockwise, in GeoJSON the other way.
    polygons = [[ring] for area, ring in shapes if area < 0.0]
    for area, ring in shapes:
        if area > 0.0:
            around = [one for one in polygons if _inside(ring[0], one[0])]
            min(around, key=lambda one: abs(_area(one[0]))).append(ring)
    geometry = {"type": "MultiPolygon", "coordinates": polygons}
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}) + "\n"


def _closed(ring: Ring) -> list[tuple[float, float]]:
    return [*ring, ring[0]] if ring[0] != ring[-1] else list(ring)


def _area(ring: Ring) -> float:
    """Twice the area of a ring, in square degrees; negative where it goes clockwise."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in itertools.pairwise(_closed(ring)))


def _inside(point: tuple[float, float], ring: Ring) -> bool:
    """Whether a point is inside a ring: a ray to the east crosses it an odd number of times."""
    x, y = point
    crossed = False
    for (x1, y1), (x2, y2) in itertools.pairwise(_closed(ring)):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            crossed = not crossed
    return crossed
