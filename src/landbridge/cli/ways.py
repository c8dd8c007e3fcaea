"""The commands reach and ways: days from a place, and ways between two places that freight does not take."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import typer

from landbridge.cli.terminal import JsonFlag, Lang, Output, WorldFolder, check_output, give, load_sound

__all__ = ["reach", "ways"]

_ROWS = 20


def reach(
    origin: Annotated[str, typer.Argument(metavar="FROM", help="A place by name (en, ru, zh) or id.")],
    commodity: Annotated[str, typer.Option(help="Sector by code or name: MCH, machinery.")] = "MCH",
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
) -> None:
    """Print days, USD and CO2e from a place to every other; -o FILE.geojson draws them in QGIS."""
    from landbridge.answers.ways import reach as study

    check_output(output, ".geojson")
    begin = time.perf_counter()
    give(study(load_sound(world), origin, commodity), begin, as_json, output, _ROWS, lang=lang)


def ways(
    origin: Annotated[str, typer.Argument(metavar="FROM", help="A place by name (en, ru, zh) or id.")],
    destination: Annotated[str, typer.Argument(metavar="TO", help="Another place.")],
    commodity: Annotated[str, typer.Option(help="Sector by code or name: MCH, machinery.")] = "MCH",
    product: Annotated[
        Literal["block", "wagonload"] | None,
        typer.Option(help="Rail legs by block (container train) or wagonload."),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(help="Ways after a scenario, a bundled name or a TOML file; queues of the base."),
    ] = None,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
) -> None:
    """Print the ways between two places that carry little or no freight, each with the reason."""
    from landbridge.answers.ways import ways as study

    check_output(output)
    begin = time.perf_counter()
    answer = study(load_sound(world), origin, destination, commodity, product=product, scenario=scenario)
    give(answer, begin, as_json, output, lang=lang)
