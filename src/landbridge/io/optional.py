"""Packages that only some formats need: the module, or an error that states how to install it."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from landbridge.errors import LandbridgeError

__all__ = ["EXTRAS", "Extra", "cure", "extras", "installed_from", "need"]

# Extras of landbridge: what each is for, and its packages by import name.
EXTRAS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "excel": (".xlsx files and templates", {"openpyxl": "openpyxl", "xlsxwriter": "XlsxWriter"}),
    "parquet": (".parquet files", {"pyarrow": "pyarrow"}),
    "omx": (".omx matrices", {"h5py": "h5py"}),
    "report": (".html pages of run", {"matplotlib": "matplotlib"}),
    "fast": ("compiled loops", {"numba": "numba"}),
    "estimation": ("gravity by PPML", {"pyfixest": "pyfixest"}),
    "serve": ("landbridge serve", {"uvicorn": "uvicorn"}),
    "dask": ("sweep --executor dask", {"distributed": "distributed"}),
}


@dataclass(frozen=True)
class Extra:
    """An extra: its use, the versions of its packages (None where one is absent), and how to get it.

    name: as in landbridge[name]; what: needs it, in words; cure: the command that installs it.
    """

    name: str
    what: str
    packages: Mapping[str, str | None]
    cure: str

    @property
    def there(self) -> bool:
        """Whether every package is installed."""
        return all(version is not None for version in self.packages.values())


def extras() -> tuple[Extra, ...]:
    """Every extra, and which of its packages are installed; none of them is imported."""
    return tuple(
        Extra(
            name,
            what,
            {package: _version(module, package) for module, package in packages.items()},
            cure(name),
        )
        for name, (what, packages) in EXTRAS.items()
    )


def cure(extra: str) -> str:
    """The command that adds an extra to the landbridge that runs here.

    landbridge is on no package index: the command names the folder or the wheel that it was installed from,
    where that is known and still there, else the packages themselves.
    """
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    # An environment that uv made has no pip of its own.
    pip = importlib.util.find_spec("pip") is not None
    command = f"{python} -m pip install" if pip else f"uv pip install --python {python}"
    where = installed_from()
    if where is None:
        return f"{command} " + " ".join(EXTRAS[extra][1].values())
    path, editable = where
    return f'{command} {"-e " if editable else ""}"{path}[{extra}]"'


def need(module: str, package: str, extra: str, what: str) -> Any:
    """An optional module, imported on demand.

    module: its import name; package: its name on the index; extra: the extra of landbridge that installs it;
    what: what needs it, for the message. Raises LandbridgeError with the command to install it.
    """
    try:
        return import_module(module)
    except ImportError:
        raise LandbridgeError(f"{what} needs {package}, which is not installed: {cure(extra)}") from None


def installed_from() -> tuple[Path, bool] | None:
    """The folder or wheel that landbridge was installed from, and whether it is edited in place.

    None where that is not known, or no longer there.
    """
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / "src" / "landbridge").is_dir():
        return checkout, True
    try:
        text = metadata.distribution("landbridge").read_text("direct_url.json")
        url = urlparse(json.loads(text or "{}").get("url", ""))
    except (metadata.PackageNotFoundError, ValueError, AttributeError):
        return None
    if url.scheme != "file":
        return None
    path = Path(url2pathname(url.path))
    return (path, False) if path.exists() else None


# -- parts -----------------------------------------------------------------------------------------


def _version(module: str, package: str) -> str | None:
    try:
        there = importlib.util.find_spec(module) is not None
    except ValueError:  # a module that was set to None
        there = False
    if not there:
        return None
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
