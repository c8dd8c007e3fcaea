"""The commands `landbridge cache`: where searched route sets are stored, and how to remove them."""

from __future__ import annotations

import typer

from landbridge.cli.terminal import put, say

__all__ = ["cache"]

cache = typer.Typer(
    name="cache",
    help="Route sets of changed networks, stored between runs. LANDBRIDGE_CACHE names the folder, or is off.",
    no_args_is_help=True,
)


@cache.command("path")
def path() -> None:
    """Print the folder."""
    from landbridge.io.cache import cache_folder

    folder = cache_folder()
    put("" if folder is None else str(folder))


@cache.command("clear")
def clear() -> None:
    """Remove all stored route sets; the next run searches again."""
    from landbridge.io.cache import clear_cache

    files, size = clear_cache()
    say(f"removed {files} file{'s' * (files != 1)}, {size / 1e6:.1f} MB")
