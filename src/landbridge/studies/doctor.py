"""What is there to run landbridge with: versions, extras, data, cache, processors, documentation."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from landbridge.io.cache import cache_folder
from landbridge.io.optional import Extra, extras, installed_from
from landbridge.io.tables import DATA
from landbridge.version import version
from landbridge.world import World

__all__ = ["Health", "Page", "doctor", "documentation", "pages", "site"]

# Packages that landbridge cannot do without.
_NEEDED = ("numpy", "scipy", "pandas", "typer", "rich")
# Variables that decide the language, how many processors are used, and where routes are kept.
_VARIABLES = (
    *("LANDBRIDGE_LANG", "LANDBRIDGE_CACHE", "LANDBRIDGE_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"),
    *("MKL_NUM_THREADS", "NUMBA_NUM_THREADS"),
)
_PACKAGE = DATA.parent


@dataclass(frozen=True)
class Health:
    """What was found.

    version: of landbridge; python: its version; executable: path of the interpreter; system: its name and
    release; source: folder or wheel that landbridge was installed from, None where not known; editable:
    whether it runs from that folder.
    packages: versions of those that landbridge needs, None for an absent one; extras: see `Extra`; world: the
    hash of the data; base_year: of the data; cache: folder of stored routes, None where it is off; cache_mb:
    its size; cpus: processors; variables: those set that matter; docs: folder of the pages or None.
    """

    version: str
    python: str
    executable: str
    system: str
    source: str | None
    editable: bool
    packages: Mapping[str, str | None]
    extras: tuple[Extra, ...]
    world: str
    base_year: int
    cache: Path | None
    cache_mb: float
    cpus: int
    variables: Mapping[str, str]
    docs: Path | None

    @property
    def sound(self) -> bool:
        """Whether every package that landbridge needs is there."""
        return all(found is not None for found in self.packages.values())

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "version": self.version,
            "python": self.python,
            "executable": self.executable,
            "system": self.system,
            "installed_from": self.source,
            "editable": self.editable,
            "packages": dict(self.packages),
            "extras": [
                {
                    "extra": one.name,
                    "for": one.what,
                    "installed": one.there,
                    "packages": dict(one.packages),
                    "install": one.cure,
                }
                for one in self.extras
            ],
            "world": self.world,
            "base_year": self.base_year,
            "cache": None if self.cache is None else str(self.cache),
            "cache_mb": round(self.cache_mb, 1),
            "cpus": self.cpus,
            "variables": dict(self.variables),
            "docs": None if self.docs is None else str(self.docs),
        }


@dataclass(frozen=True)
class Page:
    """A page of the documentation: its name without ending, such as howto/names, its title and path."""

    name: str
    title: str
    path: Path


def doctor(world: World) -> Health:
    """What is there to run landbridge with. world: the data, for their version."""
    source = installed_from()
    cache = cache_folder()
    return Health(
        version(),
        platform.python_version(),
        sys.executable,
        f"{platform.system()} {platform.release()}",
        None if source is None else str(source[0]),
        source is not None and source[1],
        {name: _version(name) for name in _NEEDED},
        extras(),
        world.hash,
        world.base_year,
        cache,
        _size(cache) / 1e6,
        os.cpu_count() or 1,
        {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        documentation(),
    )


def documentation() -> Path | None:
    """The folder of the documentation: of the wheel, else of the checkout; None where there is neither."""
    for folder in (_PACKAGE / "docs", _PACKAGE.parents[1] / "docs"):
        if (folder / "commands.md").is_file():
            return folder
    return None


def site() -> Path | None:
    """The first page of the site that `make docs` builds; None where it was not built."""
    page = _PACKAGE.parents[1] / "site" / "index.html"
    return page if page.is_file() else None


def pages() -> tuple[Page, ...]:
    """The pages of the documentation, sorted by name; none where they are not installed."""
    folder = documentation()
    if folder is None:
        return ()
    found = []
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        title = next((line[2:].strip() for line in text.splitlines() if line.startswith("# ")), path.stem)
        found.append(Page(path.relative_to(folder).with_suffix("").as_posix(), title, path))
    return tuple(found)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _size(folder: Path | None) -> int:
    if folder is None or not folder.is_dir():
        return 0
    try:
        return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    except OSError:
        return 0
