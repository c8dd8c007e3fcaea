"""The command of uncertainty: sweep PLAN.toml, and sweep collect STORE."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from landbridge.cli.terminal import (
    JsonFlag,
    Lang,
    WorldFolder,
    check_output,
    give,
    load_sound,
    progress_bar,
    say,
)

__all__ = ["sweep"]

_COLLECT = "collect"


def sweep(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="PLAN.toml | collect STORE...",
            help="A plan: scenarios, draws and what they move. Or collect, and the folders of one sweep.",
        ),
    ],
    n: Annotated[
        int | None, typer.Option("-n", help="Draws; 100 without it. A grid has its own.", min=1)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Of a plan: the folder that keeps finished draws, so that a sweep that was stopped goes on. "
            "Of collect: a file; its ending chooses the format.",
        ),
    ] = None,
    executor: Annotated[
        Literal["processes", "serial", "dask"],
        typer.Option(help="Who solves the draws; the digits are the same."),
    ] = "processes",
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Of --executor dask: the cluster's scheduler, tcp://HOST:PORT."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; one for each processor without it.", min=1, max=1024)
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="i/n: only the i-th of n parts of the draws, for batch systems.")
    ] = None,
    ranks: Annotated[
        bool,
        typer.Option(
            "--ranks",
            help="Also whether gateways keep their ranks: what one hour less is worth at the draws at 5 % "
            "and 95 % of real income, two more solves for each scenario.",
        ),
    ] = False,
    count: Annotated[int, typer.Option("--rows", help="Rows to print; files hold all.", min=1)] = 25,
    as_json: JsonFlag = False,
    lang: Lang = "en",
    world: WorldFolder = None,
) -> None:
    """Solve scenarios for many draws of uncertain numbers: percentiles of real income, and their causes."""
    from landbridge.sweeps.threads import ONE_THREAD

    # Before numpy is loaded, so that this process has the same digits as workers.
    os.environ.update(ONE_THREAD)
    begin = time.perf_counter()
    if what[0] == _COLLECT:
        if n is not None or shard is not None:
            raise typer.BadParameter("collect takes no -n and no --shard", param_hint="collect")
        if len(what) == 1:
            raise typer.BadParameter("name a folder that a sweep wrote: collect STORE", param_hint="collect")
        check_output(output)
        _collect(what[1:], world, begin, as_json, output, count, ranks, lang)
        return
    if len(what) > 1:
        raise typer.BadParameter(f"one plan at a time, not also {what[1]!r}", param_hint="PLAN.toml")
    from landbridge.answers.sweep import sweep_answer
    from landbridge.errors import DataError, Fault
    from landbridge.report.writers import ENDINGS
    from landbridge.sweeps.ranks import with_ranks
    from landbridge.sweeps.run import Workers, parse_shard
    from landbridge.sweeps.run import sweep as study

    if output is not None and output.suffix in ENDINGS:
        cure = "name a folder; `landbridge sweep collect FOLDER -o FILE` writes files"
        raise DataError("no store", [Fault(str(output), "is the name of a file", cure)])
    part = None if shard is None else parse_shard(shard)
    loaded = load_sound(world)
    with progress_bar() as progress:
        found = study(
            loaded,
            Path(what[0]),
            n,
            executor=Workers(executor, workers, scheduler),
            store=output,
            shard=part,
            progress=progress,
        )
        found = with_ranks(loaded, found, progress) if ranks else found
    if output is not None:
        say(f"{found.draws} draws are in {output}; `landbridge sweep collect {output}` reads them again")
    give(sweep_answer(loaded, found), begin, as_json, None, count, lang=lang)
    _end(found.status.converged, found.status.message)


def _collect(
    stores: list[str],
    world: Path | None,
    begin: float,
    as_json: bool,
    output: Path | None,
    count: int,
    ranks: bool,
    lang: Lang,
) -> None:
    from landbridge.answers.sweep import sweep_answer
    from landbridge.sweeps.ranks import with_ranks
    from landbridge.sweeps.run import collect

    loaded = load_sound(world)
    found = collect(loaded, stores)
    if ranks:
        with progress_bar() as progress:
            found = with_ranks(loaded, found, progress)
    give(sweep_answer(loaded, found), begin, as_json, output, count, lang=lang)
    _end(found.status.converged, found.status.message)


def _end(converged: bool, message: str) -> None:
    from landbridge.errors import ConvergenceError

    if not converged:
        raise ConvergenceError(f"not converged: {message}")
