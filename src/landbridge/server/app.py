"""The map in a browser: its files by exact name and the words it shows.

The files are built from the folder `web` of the repository by `make web`; a package may come without them.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import Any

from landbridge.phrases import phrases, say
from landbridge.report import Names
from landbridge.report.html.elements import frame, tag
from landbridge.scenario import bundled
from landbridge.server.exchange import HTML, Refusal, Reply, utf8
from landbridge.world import World

__all__ = ["FILES", "app_file", "built", "words"]

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
_KINDS = (
    "closure",
    "description",
    "family",
    "mode",
    "number",
    "operation",
    "part",
    "proxy",
    "scenario",
    "status",
    "unit",
)


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
    terms: dict[str, dict[str, str]] = {kind: {} for kind in _KINDS}
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
