"""The command gas: gas not delivered when lines are lost, by month, and the importance of each line."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import typer

from landbridge.cli.terminal import (
    JsonFlag,
    Lang,
    Output,
    WorldFolder,
    check_output,
    give,
    load_sound,
    progress_bar,
)

__all__ = ["gas"]


def gas(
    lose: Annotated[
        list[str] | None, typer.Option("--lose", help="A pipeline that is lost: CAC_C, line-C; repeat it.")
    ] = None,
    months: Annotated[str, typer.Option(help="Months of the loss: 1-12, 11-2, 1+2+12.")] = "1-12",
    profile: Annotated[
        Literal["flat", "seasonal"],
        typer.Option(
            help="Profile of the main figure; the other is shown too. Flat: a twelfth a month, no storage."
        ),
    ] = "flat",
    draws: Annotated[
        int | None,
        typer.Option(
            "--draws", min=1, max=1_000_000, help="Also draw this many years of outages, seasonal profile."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 1,
    scenario: Annotated[
        str | None, typer.Option(help="On the network after a scenario: a bundled name or a .toml file.")
    ] = None,
    checks: Annotated[
        bool, typer.Option("--checks", help="Also: observed flows, two past winters, the EU N-1 index.")
    ] = False,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
) -> None:
    """Find the gas not delivered when pipelines are lost, who goes short, and the value of a line."""
    from landbridge.answers.studies import gas as study

    check_output(output)
    begin = time.perf_counter()
    loaded = load_sound(world)
    with progress_bar() as progress:
        answer = study(
            loaded,
            lose or (),
            months=months,
            profile=profile,
            draws=draws,
            seed=seed,
            scenario=scenario,
            checks=checks,
            progress=progress,
        )
    give(answer, begin, as_json, output, lang=lang)
