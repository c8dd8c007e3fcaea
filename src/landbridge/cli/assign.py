"""The command assign: demand on a congested network, TNTP or GMNS."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from landbridge.cli.terminal import JsonFlag, Lang, check_ending, give, say

__all__ = ["assign"]

_SHOWN = 15


def assign(
    net: Annotated[
        Path,
        typer.Argument(metavar="NET", help="A TNTP network file, or the folder of a GMNS network."),
    ],
    trips: Annotated[
        Path,
        typer.Argument(
            metavar="TRIPS",
            help="A TNTP trips file, or for GMNS a CSV with columns o_zone_id, d_zone_id, volume (by hour).",
        ),
    ],
    model: Annotated[
        Literal["ue", "weibit"], typer.Option(help="User equilibrium, or stochastic equilibrium.")
    ] = "ue",
    gap: Annotated[float, typer.Option(help="Relative gap at which to stop, above 0 and below 1.")] = 1e-8,
    phi: Annotated[float, typer.Option(help="weibit: how sharply shares follow cost ratios.")] = 8.0,
    turns: Annotated[
        Path | None, typer.Option(help="Turn penalties: CSV with columns from_link, to_link, cost.")
    ] = None,
    use: Annotated[
        str | None,
        typer.Option(
            help="GMNS: only the links that allow this use: truck, block ... (a group: every use in it)."
        ),
    ] = None,
    toll_weight: Annotated[
        float | None,
        typer.Option(
            help="Cost of one unit of toll, in the unit of time. TNTP default: the header's factor."
        ),
    ] = None,
    distance_weight: Annotated[
        float | None, typer.Option(help="TNTP: cost of one unit of length. Default: the header's factor.")
    ] = None,
    select_link: Annotated[
        list[str] | None,
        typer.Option(metavar="LINK", help="Show who uses this link, pair by pair; may be given again."),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help="Rounds of shortest paths (weibit: Newton steps) at most.")
    ] = 1000,
    as_json: JsonFlag = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write flows by link (.csv) or all results (.json).")
    ] = None,
    lang: Lang = "en",
) -> None:
    """Assign trips to a congested road network until no traveller gains by another path.

    Where the gap is not reached, the result is written with its gap, and the exit code is 4.
    """
    from landbridge.answers.studies import assign as study
    from landbridge.errors import ConvergenceError
    from landbridge.phrases import Words
    from landbridge.studies.assign import Asked, misplaced

    check_ending(output, (".csv", ".json"))
    begin = time.perf_counter()
    wrong = misplaced(Asked(net, trips, use=use, distance_weight=distance_weight))
    if not 0 < gap < 1:
        raise typer.BadParameter(
            f"{gap:g} is no share: give one above 0 and below 1, such as 1e-8", param_hint="--gap"
        )
    if wrong:
        option = "--" + wrong[0].where.replace("_", "-")
        raise typer.BadParameter(wrong[0].what, param_hint="TRIPS" if option == "--trips" else option)
    answer = study(
        net,
        trips,
        model=model,
        gap=gap,
        phi=phi,
        turns=turns,
        use=use,
        toll_weight=toll_weight,
        distance_weight=distance_weight,
        select_link=select_link or (),
        rounds=rounds,
        tell=_tell,
    )
    give(answer, begin, as_json, output, _SHOWN, lang=lang)
    if not answer.status.converged:
        raise ConvergenceError(f"not converged: {answer.status.message}")
    if output is not None:
        say(Words(lang).of(answer.status.message))


def _tell(notes: Sequence[str]) -> None:
    """Print the first few notes and the number of others, and a hint where the search is not compiled."""
    from landbridge.studies.assign import compiler

    for note in notes[:_SHOWN]:
        say(f"note: {note}")
    if len(notes) > _SHOWN:
        say(f"note: and {len(notes) - _SHOWN} more like these")
    if not compiler():
        from landbridge.io.optional import cure

        say(f"hint: {cure('fast')} (numba) makes this much faster")
