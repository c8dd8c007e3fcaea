"""`landbridge gravity`: structural gravity by PPML from a table of flows, with files for Stata and R."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landbridge.cli.terminal import JsonFlag, check_ending, envelope_json, put, show, write
from landbridge.errors import Status

if TYPE_CHECKING:
    import pandas as pd

    from landbridge.estimation import Estimate
    from landbridge.report import Section

__all__ = ["gravity"]

_STYLES = {".md": "markdown", ".tex": "latex", ".csv": "csv", ".txt": "text"}


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
        list[str] | None, typer.Option("--also", help="A further formula, set beside it; repeatable.")
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
) -> None:
    """Estimate structural gravity and tell what was dropped, separated and built.

    The table has standard errors in brackets; --json gives full digits.
    """
    check_ending(output, (".json", *_STYLES))
    from landbridge.estimation import estimate, table
    from landbridge.estimation.reading import read_panel

    begin = time.perf_counter()
    frame = read_panel(data)
    found: list[Estimate] = []
    for text in (formula, *(also or ())):
        if sys.stderr.isatty():
            typer.echo(f"estimating {text}", err=True)
        found.append(
            estimate(text, frame, where, cluster, method=method, exporter=exporter, importer=importer)
        )
    result: dict[str, Any] = found[0].to_json()
    if len(found) > 1:
        result["also"] = [e.to_json() for e in found[1:]]
    corrected = None
    if bias:
        from landbridge.estimation import bias_correct

        corrected = bias_correct(found[0]).table()
        result["bias_correction"] = corrected.to_dict("records")
    status = Status.worst(e.status for e in found)
    options = {
        "formula": formula,
        "also": list(also or ()),
        "data": {"name": data.name, "sha256": _digest(data)},
        "where": where,
        "cluster": cluster,
        "method": method,
    }
    if export is not None:
        from landbridge.estimation.replicate import replicate

        for path in replicate(found, export):
            sys.stderr.write(f"written: {path}\n")

    def envelope() -> str:
        return envelope_json(
            result, status, None, "gravity", begin, options=options, libraries=("pandas", "pyfixest")
        )

    if output is not None:
        write(output, envelope() if output.suffix == ".json" else table(found, _STYLES[output.suffix]))
    if as_json:
        put(envelope())
    elif output is None:
        put(table(found).rstrip("\n"))
        if corrected is not None:
            show([_bias_section(corrected)])


def _bias_section(corrected: pd.DataFrame) -> Section:
    from landbridge.report import Section

    columns = ("name", "estimated", "bias", "coefficient", "standard_error", "uncorrected_error")
    return Section(
        "Corrected for the bias of three-way PPML (Weidner and Zylkin 2021), first formula",
        ("regressor", "estimated", "bias", "corrected", "error", "uncorrected error"),
        tuple(
            (str(row["name"]), *(f"{row[c]:.4f}" for c in columns[1:]))
            for row in corrected.to_dict("records")
        ),
        after=("Errors clustered by directed pair. The correction estimates the bias of order 1/countries.",),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
