"""The command `landbridge`: data to stdout, talk to stderr, documented exit codes.

Exit codes: 0 done, 1 error, 2 usage, 3 bad data or scenario, 4 not converged, 5 infeasible.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
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
from landbridge.cli.terminal import say, shortened
from landbridge.errors import DataError, Fault, LandbridgeError

__all__ = ["app", "main"]

app = typer.Typer(
    name="landbridge",
    help="From a border queue to a country's real income: routes, trade costs and trade equilibrium for "
    "China, Central Asia and their neighbours. Every figure is a static, long-run answer, not a forecast.",
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
    closed = sys.stdout is None
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed before the program began
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    code = _run() or int(closed)
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        code = code or _no_output(error)
    sys.exit(code)


_LONGEST_WORD = 2_000


def _run() -> int:
    """One command, and its exit code."""
    long = next((word for word in sys.argv[1:] if len(word) > _LONGEST_WORD), "")
    if long:
        from landbridge.world.table import quoted

        # Whatever is wrong with it, the message would repeat it.
        say(f"landbridge: {quoted(long)} is longer than any name, path or formula: shorten it")
        return 2
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except LandbridgeError as error:
        say(f"landbridge: {shortened(error)}")
        return error.exit_code
    except Exception as error:
        if isinstance(error, OSError) and _is_of_output(error):
            return _no_output(error)
        if isinstance(error, OSError) and error.filename is not None:
            # A file that is there, but not to be had: no right to it, a name too long, a disk that fails.
            say(f"landbridge: {shortened(DataError('a file cannot be used', [_fault_of(error)]))}")
            return DataError.exit_code
        if os.environ.get("LANDBRIDGE_DEBUG"):
            raise
        say(
            f"landbridge: internal error, please report it: {type(error).__name__}: {str(error)[:500]}\n"
            "(LANDBRIDGE_DEBUG=1 shows where)"
        )
        return 1
    return 0


def _fault_of(error: OSError) -> Fault:
    name = os.fspath(error.filename)
    shown = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    return Fault(shown[-200:], str(error.strerror or error), "check its name, and the right to it")


# What standard output says when it is full, closed or broken.
_OF_OUTPUT = (errno.ENOSPC, errno.EPIPE, errno.EBADF, errno.EIO)


def _is_of_output(error: OSError) -> bool:
    """Whether it is standard output that cannot be written, and no file."""
    return error.filename is None and error.errno in _OF_OUTPUT


def _no_output(error: OSError | ValueError) -> int:
    """Standard output is full or closed: say so where it is not merely a reader that has seen enough."""
    if not isinstance(error, BrokenPipeError):
        say(f"landbridge: the output cannot be written ({getattr(error, 'strerror', None) or error})")
    # What is still held back is dropped, or the interpreter would fail on it once more at its end.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
