"""Write files whole or not at all, and cells of CSV files that no spreadsheet takes for formulas."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from landbridge.errors import DataError, Fault

__all__ = [
    "check_place",
    "folder_beside",
    "harmless",
    "left_behind",
    "without_controls",
    "write_whole",
]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# A file of this name next to the target is being written, or was left by a process that was killed.
_PREFIX, _SUFFIX = 40, ".part"
_OLD_S = 600.0


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name next to it, and rename it once it is complete.

    path: the target; write: fills the path it is given. A symbolic link is followed, the mode of an existing
    file is kept, and a device or pipe is written to directly. After any error the temporary file is removed.
    Raises DataError where the target cannot be written to.
    """
    target = _target(path)
    try:
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            if stat.S_ISDIR(mode):
                raise DataError("nothing was written", [Fault(str(path), "is a folder", "name a file")])
            _into_device(target, write)
            return
        beside = _temporary(target)
        try:
            write(beside)
            _flush_to_disk(beside)
            if mode is not None:
                beside.chmod(stat.S_IMODE(mode))
            beside.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
    except OSError as error:
        raise _cannot(path, error) from None


def check_place(path: Path) -> None:
    """Check that a file can be written at this path, before the computation whose result goes there.

    Raises DataError as `write_whole` does.
    """
    target = _target(path)
    try:
        if target.is_dir():
            raise DataError("nothing can be written", [Fault(str(path), "is a folder", "name a file")])
        if target.exists() and not target.is_file():
            return
        if target.exists() and not os.access(target, os.W_OK):
            fault = Fault(str(path), "may not be written to", "choose another name, or change its mode")
            raise DataError("nothing can be written", [fault])
        _temporary(target).unlink()
    except OSError as error:
        raise _cannot(path, error) from None


def left_behind(path: Path) -> list[Path]:
    """Temporary files next to a target, left by a process that was killed.

    path: the target. Raises DataError where links lead from it in a circle.
    """
    target, now = _target(path), time.time()
    beside, begin = target.absolute().parent, f".{target.name[:_PREFIX]}."
    try:
        return sorted(
            one
            for one in beside.iterdir()
            if one.name.startswith(begin)
            and one.name.endswith(_SUFFIX)
            and now - one.stat().st_mtime > _OLD_S
        )
    except OSError:
        return []


def without_controls(text: str) -> str:
    """A text without control characters except tab and line feed."""
    return text if text.isprintable() else _CONTROL.sub("", text)


def harmless(cell: str) -> str:
    """A cell of text for a CSV file: not a formula for a spreadsheet, no code for a terminal.

    Text that begins with = + - @ or a tab gets an apostrophe in front, unless it is a number; control
    characters are removed.
    """
    text = without_controls(cell)
    if text[:1] in ("=", "+", "-", "@", "\t") and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def _target(path: Path) -> Path:
    """The path to write, at the end of symbolic links. Raises DataError where links form a circle."""
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError, ValueError) as error:
        raise _cannot(path, error) from None


def _temporary(target: Path) -> Path:
    """A new empty file next to a target, with the mode of new files.

    Long names are cut, so that the temporary name fits.
    """
    for _ in range(100):
        name = f".{target.name[:_PREFIX]}.{secrets.token_hex(4)}{_SUFFIX}"
        beside = target.absolute().parent / name
        with contextlib.suppress(FileExistsError):
            beside.open("xb").close()
            return beside
    raise FileExistsError(17, "no free name next to it")


def folder_beside(target: Path) -> Path:
    """A new empty folder next to a target, to be filled and renamed; see `write_whole`.

    target: what the folder is to replace. Raises OSError where none can be made.
    """
    for _ in range(100):
        name = f".{target.name[:_PREFIX]}.{secrets.token_hex(4)}{_SUFFIX}"
        beside = target.absolute().parent / name
        with contextlib.suppress(FileExistsError):
            beside.mkdir()
            return beside
    raise FileExistsError(17, "no free name next to it")


def _into_device(target: Path, write: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        beside = Path(folder) / "content"
        write(beside)
        with beside.open("rb") as content, target.open("wb") as device:
            shutil.copyfileobj(content, device)


def _flush_to_disk(path: Path) -> None:
    """Wait until the content is on the disk, on platforms that report it."""
    with path.open("rb+") as file, contextlib.suppress(OSError):
        os.fsync(file.fileno())


def _cannot(path: Path, error: Exception) -> DataError:
    reason = getattr(error, "strerror", None) or str(error)
    return DataError(
        "nothing was written", [Fault(str(path), f"cannot be written ({reason})", "choose another place")]
    )
