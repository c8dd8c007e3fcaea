"""A folder of arrays that are slow to compute and quick to read, such as route sets of changed networks.

The folder is `LANDBRIDGE_CACHE`, or else `landbridge` in the user's cache folder (XDG_CACHE_HOME,
LOCALAPPDATA, Library/Caches); `LANDBRIDGE_CACHE=off` turns the cache off. A file is named by a hash of all
inputs of its arrays. It is written whole and renamed, so that processes can share it, and holds a checksum:
a damaged file is ignored. No error of the cache ends a run.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import LandbridgeError
from landbridge.io.whole import write_whole

__all__ = ["cache_folder", "clear_cache", "fingerprint", "read_cached", "write_cached"]

log = logging.getLogger(__name__)

_HEAD = b"landbridge arrays 1\n"
_ENDING = ".routes"
_SUM_BYTES = 32
# Above this many bytes the least recently used files are removed.
_MOST_BYTES = 500_000_000
_OFF = ("", "0", "off", "none")
Arrays = Mapping[str, NDArray[Any]]


def cache_folder() -> Path | None:
    """The folder of the cache, whether it exists or not; None where the cache is off."""
    given = os.environ.get("LANDBRIDGE_CACHE")
    if given is not None:
        return None if given.strip().lower() in _OFF else Path(given)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else home / "AppData" / "Local") / "landbridge" / "cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "landbridge"
    stated = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (stated if stated.is_absolute() else home / ".cache") / "landbridge"


def fingerprint(*inputs: str | NDArray[Any]) -> str:
    """A key for `read_cached`, by which equal inputs are known again.

    inputs: texts and arrays, hashed in their order, with type and shape of the arrays.
    """
    digest = hashlib.blake2b(digest_size=_SUM_BYTES)
    for one in inputs:
        if isinstance(one, str):
            digest.update(f"text {len(one)} {one}".encode())
        else:
            digest.update(f"{one.dtype} {one.shape}".encode())
            digest.update(np.ascontiguousarray(one).data)
    return digest.hexdigest()


def read_cached(key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays by name stored under a key (a hexadecimal hash); None where they are missing or damaged."""
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / f"{key}{_ENDING}"
    try:
        content = path.read_bytes()
        if content[: len(_HEAD)] != _HEAD:
            return None
        at = len(_HEAD) + _SUM_BYTES
        stated, body = content[len(_HEAD) : at], memoryview(content)[at:]
        if _checksum(key, body) != stated:
            log.debug("%s is damaged and not used", path)
            return None
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.debug("%s is not used: %s", path, error)
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return found


def write_cached(key: str, arrays: Arrays) -> None:
    """Store arrays by name under a key (a hexadecimal hash); errors are ignored."""
    folder = cache_folder()
    if folder is None:
        return
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))  # type: ignore[arg-type]
    body = buffer.getvalue()
    content = _HEAD + _checksum(key, body) + body
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{key}{_ENDING}", lambda path: path.write_bytes(content))
        _keep_within(folder, _MOST_BYTES)
    except (OSError, LandbridgeError) as error:
        log.debug("nothing is kept in %s: %s", folder, error)


def clear_cache() -> tuple[int, int]:
    """Remove every file of the cache; other files of the folder stay. Returns their number and their bytes.

    Raises OSError where a file cannot be removed.
    """
    folder = cache_folder()
    files = [] if folder is None else _files(folder)
    for path, _, _ in files:
        path.unlink(missing_ok=True)
    return len(files), sum(size for _, size, _ in files)


def _checksum(key: str, body: bytes | memoryview) -> bytes:
    """Of the arrays and their key, so that a renamed file is not mistaken for another."""
    digest = hashlib.blake2b(key.encode(), digest_size=_SUM_BYTES)
    digest.update(body)
    return digest.digest()


def _files(folder: Path) -> list[tuple[Path, int, float]]:
    """Path, size [bytes] and time of last use of every file."""
    found = []
    for path in sorted(folder.glob(f"*{_ENDING}")):
        with contextlib.suppress(OSError):
            stated = path.stat()
            found.append((path, stated.st_size, stated.st_mtime))
    return found


def _keep_within(folder: Path, most: int) -> None:
    """Remove the least recently used files until the others fit."""
    files = sorted(_files(folder), key=lambda file: file[2])
    total = sum(size for _, size, _ in files)
    for path, size, _ in files[:-1]:
        if total <= most:
            return
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
