"""The version of landbridge that is installed."""

from __future__ import annotations

__all__ = ["version"]


def version() -> str:
    """The installed version of landbridge, or that of the source tree."""
    import importlib.metadata

    try:
        return importlib.metadata.version("landbridge")
    except importlib.metadata.PackageNotFoundError:
        return "0.1.0"
