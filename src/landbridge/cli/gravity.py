"""`landbridge gravity`: structural gravity by PPML from a table of flows, with files for Stata and R."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from landbridge.cli.terminal import JsonFlag, Lang, check_ending, give, say, show, tell

__all__ = ["gravity"]


def gravity(
    formula: Annotated[
        str, typer.Argument(help='"trade ~ rta | exporter^year + importer^year + pair"; pair is built.')
    ],
    data: Annotated[Path, typer.Argument(help="Flows: a .csv, .parquet, .xlsx or .dta file.")],
    where: Annotated[
        str | None, typer.Option("--where", help='Rows to keep: "year % 4 == 2 and exporter != importer".')
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help='"pair" (default), "exporter + importer", "none" for robust errors.'),
    ] = None,
    method: Annotated[
        Literal["ppml", "ols"], typer.Option("--method", help="Poisson pseudo-ML, or least squares.")
    ] = "ppml",
    also: Annotated[
        list[str] | None, typer.Option("--also", help="A further formula, in the same table; repeatable.")
    ] = None,
    exporter: Annotated[str | None, typer.Option("--exporter", help="Column of the exporter.")] = None,
    importer: Annotated[str | None, typer.Option("--importer", help="Column of the importer.")] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="A folder for the same estimation as Stata and R files with its data."),
    ] = None,
    bias: Annotated[
        bool, typer.Option("--bias", help="Correct three-way PPML for its bias (exporter^importer effects).")
    ] = False,
    as_json: JsonFlag = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to .json, .csv, .md, .tex or .txt.")
    ] = None,
    lang: Lang = "en",
) -> None:
    """Estimate structural gravity and state what was dropped, separated and built.

    The table has standard errors in brackets; --json gives full digits.
    """
    check_ending(output, (".json", ".md", ".tex", ".csv", ".txt"))
    from landbridge.answers.studies import gravity as study
    from landbridge.report.gravity import gravity_forms

    begin = time.perf_counter()
    answer = study(
        formula,
        data,
        where=where,
        cluster=cluster,
        method=method,
        also=also or (),
        exporter=exporter,
        importer=importer,
        bias=bias,
        tell=_tell,
    )
    answer = replace(answer, lang=lang, forms=gravity_forms(answer.found, lang))
    if export is not None:
        from landbridge.estimation import replicate

        for path in replicate(answer.found.estimates, export):
            say(f"written: {path}")
    if output is not None:
        give(answer, begin, False, output)
    if as_json:
        give(answer, begin, True, None)
    elif output is None:
        # The table as in journals, then the other sections of the document.
        tell(str(answer.forms[".txt"]()).rstrip("\n"))
        show(answer.document().sections[1:], lang=lang)


def _tell(formula: str) -> None:
    if sys.stderr.isatty():
        say(f"estimating {formula}")
