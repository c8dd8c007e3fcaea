"""Packages that only some formats need: the module, or an error that states how to install it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from landbridge.errors import LandbridgeError

__all__ = ["need"]


def need(module: str, package: str, extra: str, what: str) -> Any:
    """The module, imported on demand.

    module: its import name; package: its name on the index; extra: the extra of landbridge that installs it;
    what: what needs it, for the message. Raises LandbridgeError with the command to install it.
    """
    try:
        return import_module(module)
    except ImportError:
        cure = f'pip install "landbridge[{extra}]"'
        raise LandbridgeError(f"{what} needs {package}, which is not installed: {cure}") from None
