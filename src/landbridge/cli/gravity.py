"""`landbridge gravity`: structural gravity by PPML from a table of flows, with files for Stata and R."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landbridge.cli.terminal import JsonFlag, check_ending, envelope_json, put, write
from landbridge.errors import Status

if TYPE_CHECKING:
    from landbridge.estimation import Estimate

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
    from landbridge.estimation.panel import read_panel

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


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
