"""The command that states where a figure is from: why."""

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

__all__ = ["why"]


def why(
    question: Annotated[
        list[str],
        typer.Argument(
            metavar="FIGURE [of ID] [in SCENARIO]",
            help='A column of an input or result table and the row that holds it, as "time_h of '
            'khorgos-altynkol" or "real_income of KGZ in cku-railway"; or a parameter, as phi.',
        ),
    ],
    count: Annotated[int, typer.Option("-n", help="Rows of a table to print; files hold all.", min=1)] = 12,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    rebase: Rebase = False,
) -> None:
    """Where a figure is from: value, unit, formula, and the rows it rests on with source and range."""
    from landbridge.answers.why import why as study

    check_output(output)
    begin = time.perf_counter()
    loaded = load_sound(world, rebase)
    with progress_bar() as progress:
        answer = study(loaded, " ".join(question), progress=progress)
    tell_rebase(answer.status, rebase)
    give(answer, begin, as_json, output, count, lang=lang)
