"""The command that closes gateways and links: disrupt."""

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
    say,
    tell_rebase,
)

__all__ = ["disrupt"]


def disrupt(
    only: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[GATEWAY|LINK]...",
            help="Only these, by id or name; A+B closes both at once. Default: all that carry freight.",
        ),
    ] = None,
    days: Annotated[
        float, typer.Option(help="Length of the closure in the short run, days.", min=0.1, max=365.0)
    ] = 14.0,
    by: Annotated[
        str, typer.Option(help="Whose long-run loss of real income ranks them: a region, CA5 or world.")
    ] = "CA5",
    exact: Annotated[
        int | None,
        typer.Option(
            help="Of all, this many closures with the largest estimates are solved (and the two largest of "
            "every other region, and those that leave freight without a route); 0 solves all.",
            min=0,
            show_default="100",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that share the work.", min=1, max=64)] = 2,
    count: Annotated[int, typer.Option("-n", help="Rows to print; files hold all.", min=1)] = 25,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    rebase: Rebase = False,
) -> None:
    """Close every gateway and link that carries freight, one at a time, and rank the losses."""
    from landbridge.answers.studies import disrupt as study

    check_output(output)
    begin = time.perf_counter()
    loaded = load_sound(world, rebase)
    named = only or []
    with progress_bar() as progress:
        answer = study(
            loaded,
            [name.split("+") for name in named if "+" in name],
            only=[name for name in named if "+" not in name] if named else None,
            days=days,
            by=by,
            exact=exact,
            workers=workers,
            progress=progress,
            estimate=say,
        )
    tell_rebase(answer.status, rebase)
    give(answer, begin, as_json, output, count, lang=lang)
