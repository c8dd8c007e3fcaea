"""The command `landbridge`: data to stdout, talk to stderr, documented exit codes.

Exit codes: 0 done, 1 error, 2 usage, 3 bad data or scenario, 4 not converged, 5 infeasible.
"""

from __future__ import annotations

import sys

import typer

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
for _command in (run, route, scenarios, cite):
    app.command()(_command)


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
