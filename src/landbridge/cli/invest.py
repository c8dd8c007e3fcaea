"""The command that appraises investment projects: invest."""

from __future__ import annotations

import time
from typing import Annotated

import typer

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

__all__ = ["invest"]


def invest(
    budget: Annotated[
        float | None,
        typer.Option(help="Choose the best set of projects for this sum, USD, as 5e9. Default: no choice."),
    ] = None,
    rate: Annotated[float, typer.Option(help="Discount rate, percent a year.")] = 9.0,
    rate_low: Annotated[float, typer.Option(help="Low end of its range, percent a year.")] = 6.0,
    rate_high: Annotated[float, typer.Option(help="High end of its range, percent a year.")] = 12.0,
    growth: Annotated[
        float, typer.Option(help="Growth of the benefit from the base year, percent a year.")
    ] = 0.0,
    projects: Annotated[
        str | None,
        typer.Option(help="Only these, by id, as P01,P18. `landbridge data card projects` lists the table."),
    ] = None,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    rebase: Rebase = False,
) -> None:
    """Appraise investment projects, alone and in pairs, and choose a set within a budget."""
    from landbridge.answers.invest import invest as study
    from landbridge.errors import ConvergenceError

    check_output(output)
    begin = time.perf_counter()
    loaded = load_sound(world, rebase)
    with progress_bar() as progress:
        answer = study(
            loaded,
            budget,
            rate=rate,
            rates=(rate_low, rate_high),
            growth=growth,
            projects=None if projects is None else projects.split(","),
            progress=progress,
        )
    tell_rebase(answer.status, rebase)
    give(answer, begin, as_json, output, lang=lang)
    if not answer.status.converged:
        raise ConvergenceError(f"not converged: {answer.status.message}")
