"""The commands `landbridge cache`: where searched route sets are kept, and how to let them go."""

from __future__ import annotations

import typer

from landbridge.cli.terminal import put, say

__all__ = ["cache"]

cache = typer.Typer(
    name="cache",
    help="Route sets of changed networks, kept between runs. LANDBRIDGE_CACHE names the folder, or is off.",
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
    """Remove what is kept; the next run searches again."""
    from landbridge.io.cache import clear_cache

    files, size = clear_cache()
    say(f"removed {files} file{'s' * (files != 1)}, {size / 1e6:.1f} MB")
