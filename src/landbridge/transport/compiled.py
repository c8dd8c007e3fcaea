"""Compilation of inner loops by numba, if installed (extra `fast`), and when it is worthwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["compile_loop", "loop", "loops", "padded"]

# With fewer routes numpy finishes before numba is loaded.
WORTH_ROUTES = 20_000
_WIDTH = 8


@cache
def has_numba() -> bool:
    """Whether numba can be imported."""
    try:
        return find_spec("numba") is not None
    except ValueError:  # sys.modules["numba"] is None: switched off
        return False


def compile_loop(
    function: Callable[..., Any], zero_division: str = "python", *, inside: bool = False
) -> Callable[..., Any]:
    """A function compiled by numba; without numba the function itself.

    The machine code is stored next to the source, or in the user's cache folder where the install is
    read-only.
    function: the loop; zero_division: "python" raises, "numpy" gives inf or nan, which allows vectorised
    divisions; inside: inlined where it is called, so that the compiler sees which arrays do not overlap.
    """
    if not has_numba():
        return function
    import numba

    options: dict[str, Any] = {"error_model": zero_division, "inline": "always" if inside else "never"}
    compiled: Callable[..., Any]
    try:
        compiled = numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # no folder that can be written to
        compiled = numba.njit(nogil=True, **options)(function)
    return compiled


def loop(name: str) -> Any:
    """A module of `landbridge.transport` with compiled loops, such as routes.grow; None where numpy is used.

    name: of the module. None without numba, and with LANDBRIDGE_FAST=0 in the environment.
    """
    if os.environ.get("LANDBRIDGE_FAST") == "0" or not has_numba():
        return None
    return import_module(f"landbridge.transport.{name}")


def loops(n_routes: int) -> Any:
    """The module `landbridge.transport.loops` for a set of n_routes routes, or None where numpy is used.

    None for fewer than WORTH_ROUTES routes, and as `loop`.
    """
    return loop("loops") if n_routes >= WORTH_ROUTES else None


def padded(n: int) -> int:
    """The number of columns of a row of n sectors, padded to whole vectors of eight."""
    return -(-n // _WIDTH) * _WIDTH
