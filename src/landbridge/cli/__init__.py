"""The command `landbridge`: data to stdout, messages to stderr, documented exit codes.

Exit codes: 0 done, 1 error, 2 usage, 3 bad data or scenario, 4 not converged, 5 infeasible.
A command is imported when it is run, so that `--version` is quick.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.errors import DataError, Fault, LandbridgeError

if TYPE_CHECKING:
    from landbridge.cli.commands import app

__all__ = ["app", "main"]


def __getattr__(name: str) -> Any:
    if name == "app":
        from landbridge.cli import commands

        return commands.app
    raise AttributeError(f"module 'landbridge.cli' has no attribute {name!r}")


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
    if sys.argv[1:] == ["--version"]:
        from landbridge.version import version

        sys.stdout.write(f"landbridge {version()}\n")
        return 0
    from landbridge.cli.terminal import asked_language, complain, shortened
    from landbridge.cli.usage import run_app

    lang = asked_language()
    long = next((word for word in sys.argv[1:] if len(word) > _LONGEST_WORD), "")
    if long:
        from landbridge.error_texts import translated
        from landbridge.world.table import quoted

        # The text is not repeated, since its length is the fault.
        what = f"{quoted(long)} is longer than any name, path or formula: shorten it"
        complain(translated(what, lang))
        return 2
    try:
        return run_app(lang)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except LandbridgeError as error:
        complain(shortened(error, lang))
        return error.exit_code
    except Exception as error:
        if isinstance(error, OSError) and _is_of_output(error):
            return _no_output(error)
        if isinstance(error, OSError) and error.filename is not None:
            # A file that exists but cannot be used: no permission, a name too long, a disk error.
            unused = DataError("a file cannot be used", [_fault_of(error)])
            complain(shortened(unused, lang))
            return DataError.exit_code
        if os.environ.get("LANDBRIDGE_DEBUG"):
            raise
        from landbridge.error_texts import translated

        report = translated("internal error, please report it", lang)
        shows = translated("LANDBRIDGE_DEBUG=1 shows where", lang)
        complain(f"{report}: {type(error).__name__}: {str(error)[:500]}\n({shows})")
        return 1


def _fault_of(error: OSError) -> Fault:
    name = os.fspath(error.filename)
    shown = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    return Fault(shown[-200:], str(error.strerror or error), "check its name and your permission")


# Errors of standard output when it is full, closed or broken.
_OF_OUTPUT = (errno.ENOSPC, errno.EPIPE, errno.EBADF, errno.EIO)


def _is_of_output(error: OSError) -> bool:
    """Whether the error is of standard output, and not of a file."""
    return error.filename is None and error.errno in _OF_OUTPUT


def _no_output(error: OSError | ValueError) -> int:
    """Report that standard output is full or closed, unless a reader has simply stopped reading."""
    if not isinstance(error, BrokenPipeError):
        from landbridge.cli.terminal import asked_language, complain
        from landbridge.error_texts import translated

        what = f"the output cannot be written ({getattr(error, 'strerror', None) or error})"
        complain(translated(what, asked_language()))
    # Pending output is dropped, or the interpreter would fail on it again at exit.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
