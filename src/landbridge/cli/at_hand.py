"""The commands doctor and docs: what is installed here, and the documentation without a network."""

from __future__ import annotations

import time
import webbrowser
from typing import Annotated

import typer

from landbridge.cli.terminal import JsonFlag, Lang, envelope_json, load, put, say, show, tell
from landbridge.errors import DataError, Fault, Status, did_you_mean

__all__ = ["docs", "doctor"]

_FOUND = Status(True, 0.0, 0, "what is installed was looked up, nothing is solved")


def doctor(as_json: JsonFlag = False, lang: Lang = "en") -> None:
    """Show what is installed: Python, versions, extras and how to add them, data, cache, documentation."""
    from landbridge.phrases import Words
    from landbridge.report.doctor import doctor_sections
    from landbridge.studies.doctor import doctor as look

    begin = time.perf_counter()
    world = load(None)
    found = look(world)
    if as_json:
        put(envelope_json(found.as_json(), _FOUND, world, "doctor", begin))
    else:
        show(doctor_sections(found, Words(lang)), lang=lang)
    if not found.sound:
        raise typer.Exit(1)


def docs(
    page: Annotated[
        str, typer.Argument(metavar="[PAGE]", help="A page to print, such as howto/names; all are listed.")
    ] = "",
    browser: Annotated[
        bool, typer.Option("--open", help="Open the site that `make docs` built, or the page, in a browser.")
    ] = False,
) -> None:
    """List the pages of the documentation, print one, or open it; nothing is fetched."""
    from landbridge.phrases import say as phrase
    from landbridge.report.doctor import page_sections
    from landbridge.studies.doctor import documentation, pages, site

    found = {one.name: one for one in pages()}
    if not found:
        raise DataError("no documentation here", [Fault("docs", phrase("docs.absent"), phrase("docs.where"))])
    name = _named(page, tuple(found)) if page else ""
    built, folder = site(), documentation()
    if browser:
        target = found[name].path if name else built or found["commands"].path
        say(phrase("docs.opened", path=str(target)))
        webbrowser.open(target.as_uri())
    elif name:
        put(found[name].path.read_text(encoding="utf-8").rstrip())
    else:
        show(page_sections(tuple(found.values())))
        tell(phrase("docs.folder", folder=str(folder)))
        tell(phrase("docs.site.built", path=str(built)) if built else phrase("docs.site.none"))


def _named(text: str, pages: tuple[str, ...]) -> str:
    """The page of a name, with or without its folder. Raises DataError where it names none or several."""
    name = text.removeprefix("docs/").removesuffix(".md")
    meant = [one for one in pages if name in (one, one.rpartition("/")[2])]
    if name in meant or len(meant) == 1:
        return name if name in meant else meant[0]
    cure = "name one of " + ", ".join(meant) if meant else did_you_mean(name, pages)
    cure = cure or "`landbridge docs` lists the pages"
    what = f"no page {text[:80]!r}" if not meant else f"{text[:80]!r} names several pages"
    raise DataError("no such page", [Fault("docs", what, cure)])
