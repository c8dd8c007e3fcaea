"""Fetch the inputs of the published problems, each checked against a checksum.

`make inputs` does it. The table tests/published/inputs.csv names every input, its public address, its size
and its SHA-256. Files go to the folder `published` in landbridge's cache folder (LANDBRIDGE_CACHE, or the
user's cache folder). Tests and `make published` look in ../shared/reference first, and then there.

Both sizes and checksums are those of the text with line feeds alone: copies of one table differ in line ends.
"""

from __future__ import annotations

import csv
import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from landbridge.errors import DataError, Fault
from landbridge.io.cache import cache_folder
from landbridge.io.whole import write_whole

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "published" / "inputs.csv"
BESIDE = ROOT.parent / "shared" / "reference"
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Input:
    """A row of the table; path: below the folder of inputs; address: empty where there is no such file."""

    path: str
    bytes: int
    sha256: str
    address: str
    terms: str
    note: str


def inputs() -> list[Input]:
    """The rows of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [Input(**{**row, "bytes": int(row["bytes"])}) for row in csv.DictReader(file)]


def kept_in() -> Path | None:
    """The folder that inputs are fetched into; None where the cache is off."""
    folder = cache_folder()
    return None if folder is None else folder / "published"


def find(folder: str, kept: Path | None, rows: Iterable[Input], beside: Path = BESIDE) -> Path | None:
    """Where a folder of inputs is: beside the repository, or fetched whole; None where neither."""
    if (beside / folder).is_dir():
        return beside / folder
    wanted = [row for row in rows if row.path.startswith(f"{folder}/")]
    if kept is None or not wanted or not all((kept / row.path).is_file() for row in wanted):
        return None
    return kept / folder


def found(folder: str) -> Path | None:
    """`find` with the table and the user's cache folder."""
    return find(folder, kept_in(), inputs())


def why_missing(folder: str, rows: Iterable[Input]) -> str:
    """Why a folder of inputs is not here, and what to do."""
    wanted = [row for row in rows if row.path.startswith(f"{folder}/")]
    without = next((row for row in wanted if not row.address), None)
    if without is not None:
        return f"the inputs {folder} are not here, and no public file is the same: {without.note}"
    return f"the inputs {folder} are not here: `make inputs` fetches them"


def fetch(rows: Iterable[Input], kept: Path, say: Callable[[str], object]) -> int:
    """Fetch what is missing or changed; the number of files fetched.

    rows: of the table; kept: the folder to fetch into; say: called with a line for each file. A file is
    stored whole, once its checksum is right, or not at all. Raises DataError with every file that could not
    be had.
    """
    faults: list[Fault] = []
    silent: dict[str, str] = {}
    fetched = 0
    for row in rows:
        target = kept / row.path
        if not row.address or (target.is_file() and _matches(target.read_bytes(), row)):
            continue
        host = urlsplit(row.address).netloc
        try:
            if host in silent:
                raise urllib.error.URLError(silent[host])
            content = _read(row)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, lambda path, content=content: path.write_bytes(content))  # type: ignore[misc]
        except DataError as error:
            faults += error.faults
        except urllib.error.HTTPError as error:
            cure = "tell the maintainers: the file may have moved"
            faults.append(Fault(row.address, f"is not there (status {error.code})", cure))
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", "") or error or type(error).__name__)
            silent.setdefault(host, reason)
            cure = f"go online and call again, or put the file at {target} by hand"
            faults.append(Fault(row.address, f"cannot be reached ({reason})", cure))
        else:
            fetched += 1
            say(f"fetched {row.path}")
    if faults:
        raise DataError("inputs of published problems are missing", faults)
    return fetched


def _read(row: Input) -> bytes:
    """The file at an address. Raises DataError where it is not the one of the table."""
    with urllib.request.urlopen(row.address, timeout=TIMEOUT_S) as response:
        content: bytes = response.read(2 * row.bytes + 1)
    if not _matches(content, row):
        size = len(_text(content))
        if size < row.bytes:
            wrong, cure = f"came in part: {size} of {row.bytes} bytes", "call again"
        else:
            wrong = "is not the file of the table: its SHA-256 is another"
            cure = "tell the maintainers, who compare both files; nothing was stored"
        raise DataError("a file is refused", [Fault(row.address, wrong, cure)])
    return content


def _text(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


def _matches(content: bytes, row: Input) -> bool:
    return hashlib.sha256(_text(content)).hexdigest() == row.sha256
