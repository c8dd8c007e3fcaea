"""Packages that only some formats need: present, or one sentence that says how to get them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from landbridge.errors import LandbridgeError

__all__ = ["need"]


def need(module: str, package: str, extra: str, what: str) -> Any:
    """The module, imported now.

    package: its name on the index. extra: the optional part of landbridge that brings it. what: needs it.
    Raises LandbridgeError with the command to install it.
    """
    try:
        return import_module(module)
    except ImportError:
        cure = f'pip install "landbridge[{extra}]"'
        raise LandbridgeError(f"{what} needs {package}, which is not installed: {cure}") from None
