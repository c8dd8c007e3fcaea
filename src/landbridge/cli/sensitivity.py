"""The command that ranks the value of an hour, a dollar or a unit of capacity: sensitivity."""

from __future__ import annotations

import time
from typing import Annotated, Literal

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

__all__ = ["sensitivity"]


def sensitivity(
    of: Annotated[
        str,
        typer.Option(
            help="Whose gain: real_income:KAZ, real_income:CA5, real_income:world, wage:KAZ or "
            "flow:CHN:KAZ:MCH."
        ),
    ] = "real_income:CA5",
    to: Annotated[
        Literal["arcs", "gateways", "tariffs", "productivity", "parameters", "cells"],
        typer.Option(
            help="What is changed: links (arcs), gateways, tariffs, productivity, parameters of the "
            "network, or every number of its tables (cells)."
        ),
    ] = "gateways",
    scenario: Annotated[
        str | None, typer.Option(help="At a scenario instead of the base: a bundled name or a TOML file.")
    ] = None,
    exact: Annotated[int, typer.Option(help="Number of the largest that are solved exactly.", min=0)] = 10,
    count: Annotated[int, typer.Option("-n", help="Rows to print; files hold all.", min=1)] = 25,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    rebase: Rebase = False,
) -> None:
    """Rank the value to a country of one hour, one dollar, one unit of capacity or one point of tariff."""
    from landbridge.answers.studies import sensitivity as study
    from landbridge.errors import ConvergenceError
    from landbridge.model.run import run
    from landbridge.trade.welfare import parse_outcome

    check_output(output)
    begin = time.perf_counter()
    loaded = load_sound(world, rebase)
    parse_outcome(of, loaded.trade)
    with progress_bar() as progress:
        at = loaded if scenario is None else run(loaded, scenario, progress=progress)
        answer = study(at, of, to, exact=exact, progress=progress).answer
    tell_rebase(answer.status, rebase)
    give(answer, begin, as_json, output, count, lang=lang)
    if not answer.status.converged:
        raise ConvergenceError(f"not converged: {answer.status.message}")
