"""The command that splits a scenario's change of real income: explain."""

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

__all__ = ["explain"]


def explain(
    scenario: Annotated[str, typer.Argument(help="A bundled name or a TOML file.")],
    of: Annotated[
        list[str] | None,
        typer.Option(
            help="Whose real income: real_income:KAZ (or KAZ), CA5 or world; can be repeated. Default: China "
            "and the countries of Central Asia."
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="modification, mechanism or pair; can be repeated. Default: all three."),
    ] = None,
    together: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N+N",
            help="Modifications by number, from 1, that are one part, as 1+2; can be repeated.",
        ),
    ] = None,
    count: Annotated[int, typer.Option("-n", help="Partners to print of each country.", min=1)] = 3,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    rebase: Rebase = False,
) -> None:
    """Split a scenario's change of real income by modification, by mechanism and by pair of countries."""
    from landbridge.answers.explain import explain as study
    from landbridge.errors import DataError, Fault
    from landbridge.studies.explain import SPLITS

    check_output(output)
    groups = [text.split("+") for text in together or []]
    faults = [
        Fault("--together", f"cannot read {'+'.join(group)[:80]!r}", "give numbers, as 1+2")
        for group in groups
        if not all(number.strip().isdecimal() for number in group)
    ]
    if faults:
        raise DataError("the modifications cannot be grouped", faults)
    begin = time.perf_counter()
    loaded = load_sound(world, rebase)
    with progress_bar() as progress:
        answer = study(
            loaded,
            scenario,
            of=of or (),
            by=by or SPLITS,
            together=[[int(number) for number in group] for group in groups],
            progress=progress,
        )
    tell_rebase(answer.status, rebase)
    give(answer, begin, as_json, output, count, lang=lang)
