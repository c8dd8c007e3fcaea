"""The commands for those who read: report, a page to lay before somebody, and chart, one picture of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landbridge.cli.run import asked, solve
from landbridge.cli.run_files import Outputs
from landbridge.cli.settings import Settings
from landbridge.cli.terminal import (
    Lang,
    WorldFolder,
    check_ending,
    envelope_json,
    load_sound,
    write,
)

if TYPE_CHECKING:
    from landbridge.report.html.picture import Picture

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
    outputs = Outputs(output, lang, method=True)
    begin = time.perf_counter()
    study = asked(load_sound(world, False), scenarios, horizon, set_, False)
    solved = solve(study, outputs, detail=True, screen=False)

    def envelope() -> str:
        result = {one.id: one.result for one in solved.digests}
        return envelope_json(
            result,
            solved.status,
            study.world,
            "report " + " ".join(scenarios),
            begin,
            scenarios=solved.scenarios,
            options=study.options,
        )

    write(output, outputs.content(study.world, solved.digests, envelope))


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
    from landbridge.io.optional import need

    check_ending(output, _PICTURES)
    need("matplotlib.figure", "matplotlib", "report", f"a {output.suffix} file")
    study = asked(load_sound(world, False), [scenario], horizon, set_, False)
    kept = Outputs(Path("chart.html"), lang)
    solved = solve(study, kept, detail=False, screen=True)
    from landbridge.report.html.run_page import pictures

    found: Picture | None = pictures(study.world, solved.digests, kept.kept, lang)[what]()
    if found is None:
        reason = f"{scenario} changes nothing that has a place on it"
        raise typer.BadParameter(f"there is no {what} chart: {reason}", param_hint="CHART")
    write(output, found.svg() if output.suffix == ".svg" else found.png())
