"""The commands for those who read: report, a page to lay before somebody, and chart, one picture of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landbridge.cli.run import Asked, asked, solve
from landbridge.cli.settings import Settings
from landbridge.cli.terminal import (
    Lang,
    WorldFolder,
    attribution_lines,
    check_ending,
    load_sound,
    write,
)

if TYPE_CHECKING:
    from landbridge.answers.run import Solved
    from landbridge.report.html.picture import Picture
    from landbridge.report.html.run_page import Sight

__all__ = ["chart", "report"]

Horizon = Annotated[
    int | None,
    typer.Option(metavar="YEAR", help="Scale the base economy to the GDP of a later year (table growth)."),
]
# Endings of a picture.
_PICTURES = (".svg", ".png")


def report(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO...", help="Bundled scenarios or .toml files, each against the base."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="A file that ends in .html.")
    ],
    set_: Settings = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    horizon: Horizon = None,
) -> None:
    """Write a report of scenarios: answer, charts, maps, method, data and sources, on one page for print.

    The page loads nothing from elsewhere; a browser prints it to PDF.
    """
    _check(output, (".html",))
    begin = time.perf_counter()
    study = asked(load_sound(world, False), scenarios, horizon, set_, False)
    solved, sights = _drawn(study, detail=True)
    from landbridge.answers.envelope import when
    from landbridge.report.html.run_page import html
    from landbridge.results.manifest import manifest

    command = "report " + " ".join(scenarios)
    made = manifest(study.world, command, solved.scenarios, study.options, when(begin))
    lines = attribution_lines(study.world)
    write(output, html(study.world, solved.digests, sights, lines, made, lang=lang, method=True))


def chart(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A bundled scenario or a .toml file.")],
    what: Annotated[
        Literal["income", "pairs", "corridors", "change", "map"],
        typer.Argument(
            metavar="CHART",
            help="income: by country; pairs: days and USD between cities; corridors: by part of the trip; "
            "change: a map of what changes, close up; map: all flows.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Ends in .svg or .png.")],
    set_: Settings = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    horizon: Horizon = None,
) -> None:
    """Write one chart or map of a scenario as SVG or PNG, for slides."""
    _check(output, _PICTURES)
    study = asked(load_sound(world, False), [scenario], horizon, set_, False)
    solved, sights = _drawn(study, detail=False)
    from landbridge.report.html.run_page import pictures

    found: Picture | None = pictures(study.world, solved.digests, sights, lang)[what]()
    if found is None:
        reason = f"{scenario} changes nothing that has a place on it"
        raise typer.BadParameter(f"there is no {what} chart: {reason}", param_hint="CHART")
    write(output, found.svg() if output.suffix == ".svg" else found.png())


def _check(output: Path, endings: tuple[str, ...]) -> None:
    """Refuse a file that could not be written or drawn, before anything is solved."""
    from landbridge.io.optional import need

    check_ending(output, endings)
    need("matplotlib.figure", "matplotlib", "report", f"a {output.suffix} file")


def _drawn(study: Asked, *, detail: bool) -> tuple[Solved, list[Sight]]:
    """A study solved, and the part of every case that a page draws; detail: with what its tables hold."""
    from landbridge.report.html.run_page import Sight

    sights: list[Sight] = []
    solved = solve(study, lambda results: sights.append(Sight.of(results)), detail=detail, screen=not detail)
    return solved, sights
