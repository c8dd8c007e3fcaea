"""The first page, which lists what the server answers, and the page of an error. No script, no image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from urllib.parse import quote

from landbridge.phrases import columns, say
from landbridge.report.html.elements import frame, tag
from landbridge.server.app import built
from landbridge.server.endpoints import ENDPOINTS
from landbridge.server.exchange import Refusal
from landbridge.world import World

__all__ = ["error_page", "first_page"]


def first_page(world: World, scenarios: Mapping[str, str]) -> str:
    """The HTML page at /: what the server answers, with links that work.

    world: of the answers; scenarios: titles by name of those that come with landbridge.
    """
    return frame(say("serve.title"), say("serve.title"), _parts(world, scenarios))


def error_page(refusal: Refusal) -> str:
    """The HTML page of a request that is not answered; refusal: the status and the faults shown."""
    faults = "".join(f"<li>{escape(str(fault))}</li>" for fault in refusal.faults)
    title = say("serve.error", status=str(refusal.status))
    parts = [tag("p", refusal.what, cls="note"), f"<ul>{faults}</ul>", _link("/", say("serve.back"))]
    return frame(title, title, parts)


def _parts(world: World, scenarios: Mapping[str, str]) -> Iterator[str]:
    yield tag("p", say("serve.intro", year=world.base_year))
    if built():
        yield f'<p class="note">{_link("/map", say("serve.map.open"))}</p>'
    else:
        yield tag("p", say("serve.no_map"), cls="note")
    yield tag("h2", say("serve.routes"))
    yield (
        '<form action="/routes" method="get"><p>'
        f'<label>{escape(say("serve.routes.from"))} <input name="from" required maxlength="100"></label> '
        f'<label>{escape(say("serve.routes.to"))} <input name="to" required maxlength="100"></label> '
        f"<button>{escape(say('serve.routes.show'))}</button></p></form>"
    )
    yield tag("h2", say("serve.scenarios"))
    yield tag("p", say("serve.scenarios.about"))
    rows = [("/base", "base", say("serve.base"))]
    rows += [(f"/run/{quote(name)}", name, title) for name, title in scenarios.items()]
    listed = [(_link(to, id), escape(name), _link(f"/api{to}", f"/api{to}")) for to, id, name in rows]
    yield _table(say("serve.scenarios"), columns("serve.scenarios.columns"), listed)
    yield tag("h2", say("serve.api"))
    yield tag("p", say("serve.api.about"))
    yield _table(say("serve.api"), columns("serve.api.columns"), _addresses())


def _addresses() -> Iterator[tuple[str, ...]]:
    """Method, address, meaning, parameters and links of each address."""
    for one in ENDPOINTS:
        given = {True: list[str](), False: list[str]()}
        for parameter in one.parameters:
            given[parameter.required].append(parameter.name)
        words = [
            say("serve.api.needs", names=", ".join(given[True])) if given[True] else "",
            say("serve.api.takes", names=", ".join(given[False])) if given[False] else "",
        ]
        there = one.example or ("" if one.in_path or one.method != "GET" else one.path)
        links = [_link(there, "JSON")] if there else []
        if there and one.page:
            links.append(_link(there.removeprefix("/api"), say("serve.api.page")))
        cells = (escape(one.about), escape(" ".join(filter(None, words))), " ".join(links))
        yield escape(one.method), f"<code>{escape(one.path)}</code>", *cells


def _link(to: str, text: str) -> str:
    return f'<a href="{escape(to, quote=True)}">{escape(text)}</a>'


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are HTML."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )
