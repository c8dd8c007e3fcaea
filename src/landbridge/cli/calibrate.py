"""The commands that compare the model with observations: data validate, calibrate."""

from __future__ import annotations

import time
from pathlib import Path
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
    tell_rebase,
)

__all__ = ["calibrate", "validate"]

# Tolerance of refitted constants against the shipped ones.
DRIFT = 1e-6


def validate(
    as_json: JsonFlag = False, output: Output = None, lang: Lang = "en", world: WorldFolder = None
) -> None:
    """Compare every observed corridor, and CAREC's indicators, with the model."""
    from landbridge.answers.studies import validate as study

    check_output(output)
    begin = time.perf_counter()
    give(study(load_sound(world)), begin, as_json, output, lang=lang)


def calibrate(
    check: Annotated[
        bool, typer.Option("--check", help="Refit, write nothing; exit 1 if the shipped numbers differ.")
    ] = False,
    folds: Annotated[
        bool, typer.Option("--folds", help="Also fit without each pair or gateway in turn (minutes).")
    ] = False,
    as_json: JsonFlag = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write the fitted numbers to a .csv file, or all in another format."
        ),
    ] = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    rebase: Rebase = False,
) -> None:
    """Fit gateway constants and family shares to the counts of 2023 and show predicted counts."""
    from landbridge.answers.studies import calibrate as study

    check_output(output)
    begin = time.perf_counter()
    answer = study(load_sound(world, rebase), folds=folds)
    tell_rebase(answer.status, rebase)
    give(answer, begin, as_json, output, lang=lang)
    if check and answer.found.drift > DRIFT:
        drift = answer.found.drift
        typer.echo(f"landbridge: refitted numbers differ from the shipped by {drift:.1e}", err=True)
        raise typer.Exit(1)
