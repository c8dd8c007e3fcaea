"""The command that puts scenarios side by side: compare."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from landbridge.cli.settings import Settings, settings
from landbridge.cli.terminal import (
    JsonFlag,
    Lang,
    Output,
    Rebase,
    WorldFolder,
    check_output,
    give,
    load_sound,
    progress_bar,
    tell_rebase,
)

__all__ = ["compare"]


def compare(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO",
            help="Two or more: bundled scenarios, .toml files, or base for the world without changes.",
        ),
    ],
    set_: Settings = None,
    count: Annotated[int, typer.Option("-n", help="Rows of a table to print; files hold all.", min=1)] = 6,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            metavar="YEAR", help="Scale the base economy to the GDP of a later year (table growth)."
        ),
    ] = None,
    rebase: Rebase = False,
) -> None:
    """Compare scenarios: real income, trade, corridors, gateways, CO2e, and the difference from the first."""
    from landbridge.answers.compare import compare as study
    from landbridge.answers.compare import in_language
    from landbridge.scenario import at_horizon

    if len(scenarios) < 2:
        cure = "name two scenarios or more; base stands for the world without changes"
        raise typer.BadParameter(cure, param_hint="SCENARIO")
    check_output(output)
    begin = time.perf_counter()
    loaded = load_sound(world, rebase)
    if horizon is not None:
        loaded = at_horizon(loaded, horizon)
    parameters = settings(set_, loaded)
    first, second, *more = scenarios
    options = {} if horizon is None else {"horizon": horizon}
    with progress_bar() as progress:
        answer = study(
            first, second, *more, world=loaded, parameters=parameters, options=options, progress=progress
        )
    tell_rebase(answer.status, rebase)
    give(in_language(answer, lang), begin, as_json, output, count)
