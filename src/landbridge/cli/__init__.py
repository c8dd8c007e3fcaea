"""The command `landbridge`: data to stdout, talk to stderr, documented exit codes.

Exit codes: 0 done, 1 error, 2 usage, 3 bad data or scenario, 4 not converged, 5 infeasible.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from landbridge.cli.assign import assign
from landbridge.cli.build import build, rebalance
from landbridge.cli.checks import calibrate, validate
from landbridge.cli.data import data
from landbridge.cli.disrupt import disrupt
from landbridge.cli.gas import gas
from landbridge.cli.gravity import gravity
from landbridge.cli.people import claims, farm, travel, treaties
from landbridge.cli.readers import read_publisher
from landbridge.cli.routes import route
from landbridge.cli.study import cite, run, scenarios
from landbridge.errors import LandbridgeError

__all__ = ["app", "main"]

app = typer.Typer(
    name="landbridge",
    help="From a border queue to a country's real income: routes, trade costs and trade equilibrium for "
    "China, Central Asia and their neighbours. Every figure is a static, long-run answer for 2023.",
    epilog="Exit codes: 0 done, 1 error, 2 usage, 3 bad data or scenario, 4 not converged, 5 infeasible.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (
    run,
    route,
    scenarios,
    calibrate,
    disrupt,
    gas,
    farm,
    travel,
    treaties,
    claims,
    assign,
    gravity,
    cite,
):
    app.command()(_command)
data.command()(validate)
data.command("read")(read_publisher)
data.command()(build)
data.command()(rebalance)
app.add_typer(data)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from landbridge.manifest import version as installed

        sys.stdout.write(f"landbridge {installed()}\n")
        raise typer.Exit


def main() -> None:
    """Entry point: run a command and turn the library's errors into messages and exit codes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except LandbridgeError as error:
        sys.stderr.write(f"landbridge: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if os.environ.get("LANDBRIDGE_DEBUG"):
            raise
        sys.stderr.write(
            f"landbridge: internal error, please report it: {type(error).__name__}: {error}\n"
            "(LANDBRIDGE_DEBUG=1 shows where)\n"
        )
        sys.exit(1)
