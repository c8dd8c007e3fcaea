"""The commands `landbridge cache`: where searched route sets and what follows from them are stored."""

from __future__ import annotations

import typer

from landbridge.cli.terminal import put, say

__all__ = ["cache"]

cache = typer.Typer(
    name="cache",
    help="Route sets and what follows from them, stored between runs. LANDBRIDGE_CACHE: the folder, or off.",
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
    """Remove all that is stored; the next run makes it again."""
    from landbridge.io.cache import clear_cache

    files, size = clear_cache()
    say(f"removed {files} file{'s' * (files != 1)}, {size / 1e6:.1f} MB")
