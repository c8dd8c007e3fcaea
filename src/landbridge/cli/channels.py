"""The commands of the channels other than gas: farm, travel, treaties, claims."""

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

__all__ = ["claims", "farm", "travel", "treaties"]


def farm(
    region: Annotated[
        list[str] | None,
        typer.Option("--region", help="Only this country, by code or name; may be repeated."),
    ] = None,
    crop: Annotated[
        list[str] | None, typer.Option("--crop", help="Only this crop, wheat or cotton; may be repeated.")
    ] = None,
    adoption: Annotated[
        float | None, typer.Option(help="One share of the crop's area that adopts the technology [0-1].")
    ] = None,
    effect: Annotated[
        float | None, typer.Option(help="One gain of yield in the field [percent] instead of the cited ones.")
    ] = None,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
) -> None:
    """Effects of farm technology: output, food prices, farm trade and real income, with ranges."""
    from landbridge.answers.studies import farm as study

    check_output(output)
    begin = time.perf_counter()
    answer = study(load_sound(world), regions=region, crops=crop, adoption=adoption, effect_percent=effect)
    give(answer, begin, as_json, output, lang=lang)


def travel(
    scenario: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCENARIO]", help="A bundled scenario or a .toml file; without it visa-waivers."
        ),
    ] = None,
    waive: Annotated[
        list[str] | None,
        typer.Option("--waive", help="Instead of a scenario: a mutual waiver, as CHN:KGZ; may be repeated."),
    ] = None,
    estimate: Annotated[
        bool,
        typer.Option("--estimate", help="Also fit the gravity of arrivals (needs the estimation extra)."),
    ] = False,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
) -> None:
    """Effects of visas and connections on arrivals and receipts, and evidence on past waivers."""
    from landbridge.answers.studies import travel as study

    check_output(output)
    if scenario is not None and waive:
        raise typer.BadParameter("give a scenario or --waive, not both", param_hint="--waive")
    begin = time.perf_counter()
    answer = study(load_sound(world), scenario or "visa-waivers", waive=waive or (), estimate=estimate)
    give(answer, begin, as_json, output, lang=lang)


def treaties(
    years: Annotated[
        str, typer.Option("--years", help="Years of the dummies that -o writes, as 2010-2024 or 2015.")
    ] = "2000-2024",
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
) -> None:
    """Print the treaties of China and Central Asia with their dates; -o FILE.csv writes gravity dummies."""
    from landbridge.answers.studies import treaties as study

    check_output(output)
    begin = time.perf_counter()
    wanted = _years(years)
    give(study(load_sound(world), years=wanted), begin, as_json, output, lang=lang)


def claims(
    estimates: Annotated[
        bool, typer.Option("--estimates", help="Published estimates and the model's figures instead.")
    ] = False,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    rebase: Rebase = False,
) -> None:
    """An article's claims, one by one: verdict, evidence, source, and the model's figure."""
    from landbridge.answers.studies import claims as study

    check_output(output)
    begin = time.perf_counter()
    loaded = load_sound(world, rebase)
    both = output is not None and output.suffix == ".md"
    with progress_bar() as progress:
        answer = study(loaded, estimates=estimates, both=both, progress=progress)
    tell_rebase(answer.status, rebase)
    give(answer, begin, as_json, output, lang=lang)


def _years(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit() or len(text) > 9:
        raise typer.BadParameter("write 2010-2024 or 2015", param_hint="--years")
    if int(last or first) < int(first):
        raise typer.BadParameter(f"{text} ends before it begins", param_hint="--years")
    return list(range(int(first), int(last or first) + 1))
