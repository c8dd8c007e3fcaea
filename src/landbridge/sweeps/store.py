"""Where the cases of a sweep are kept: a folder that can be killed at any moment and taken up again.

STORE/plan.json        the plan in full, the World's hash, the version; their hash names the cases
STORE/parts/HASH.csv   one finished case each, written whole or not at all, closed by a checksum
STORE/*.lock           SQLite files, whose locks the system gives up when a process ends, however it ends
"""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from landbridge.errors import DataError, Fault
from landbridge.io.files import csv_text, read_text, write_bytes, write_text
from landbridge.sweeps.cases import Case
from landbridge.sweeps.draws import drawn
from landbridge.sweeps.plan import Plan
from landbridge.version import version
from landbridge.world import World

__all__ = ["Shard", "Store", "case_text", "read_case"]

# Which cases a process takes: those whose index leaves i - 1 when divided by n, as (i, n).
Shard = tuple[int, int]
_PLAN, _PARTS, _LEFT = "plan.json", "parts", ".part"
_COLUMNS = ["index", "scenario", "region", "real_income", "message"]
_SUM = "sha256"


class Store:
    """A folder that holds the finished cases of one plan on one World.

    world: that is solved.
    Raises DataError for the store of another plan, data version or release, and for a folder of other files.
    """

    def __init__(self, folder: Path, plan: Plan, world: World) -> None:
        self.folder, self.plan, self.regions = folder, plan, world.trade.regions
        self.identity = {"plan": plan.to_dict(), "world": world.hash, "landbridge": version()}
        self.key = _hash(self.identity)

    @staticmethod
    def there(folder: Path, world: World) -> Store:
        """The store that a folder holds, with the plan written in it.

        world: that is solved.
        """
        found = _identity(folder)
        plan = _plan_of(found, folder)
        store = Store(folder, plan, world)
        store.require()
        return store

    def begin(self) -> None:
        """Make the folder, or make sure that it is of the same plan and data."""
        if (self.folder / _PLAN).exists():
            self.require()
        else:
            self._require_empty()
            write_text(self.folder / _PLAN, _text({**self.identity, "key": self.key}) + "\n")
        (self.folder / _PARTS).mkdir(exist_ok=True)

    def require(self) -> None:
        """Raise DataError unless the plan, the World and the version are those of the folder."""
        found = _identity(self.folder)
        asked = json.loads(_text(self.identity))
        names = {
            "plan": "another plan",
            "world": "another version of the data",
            "landbridge": "another version of landbridge",
        }
        faults = [
            Fault(
                str(self.folder / _PLAN), f"is of {what}", "name another folder with -o, or delete this one"
            )
            for name, what in names.items()
            if found.get(name) != asked[name]
        ]
        if faults:
            raise DataError("the store is of another sweep", faults)

    def _require_empty(self) -> None:
        own = (_PARTS, "store.lock", "shard-")
        others = [p.name for p in self.folder.iterdir() if not p.name.startswith(own) and not _is_left(p)]
        if others:
            what = f"holds {sorted(others)[0]!r} and no plan.json"
            raise DataError("no store", [Fault(str(self.folder), what, "name a new or an empty folder")])

    @contextmanager
    def locked(self, shard: Shard | None = None) -> Iterator[None]:
        """Hold the store while cases are added; shards of one sweep may share it, each held once.

        shard: the part of the sweep that adds cases.
        Raises DataError where another process holds it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot be made: {error.strerror or error}"
            raise DataError("no store", [Fault(str(self.folder), what, "name another folder")]) from None
        with ExitStack() as held:
            _lock(held, self.folder / "store.lock", alone=shard is None)
            if shard is not None:
                _lock(held, self.folder / f"shard-{shard[0]}-of-{shard[1]}.lock", alone=True)
            else:
                self._tidy()
            yield

    def _tidy(self) -> None:
        """Delete half-written files of a process that was killed; nobody else writes here."""
        for folder in (self.folder, self.folder / _PARTS):
            for path in folder.glob(f".*{_LEFT}") if folder.is_dir() else ():
                path.unlink(missing_ok=True)

    # -- cases -----------------------------------------------------------------------------------------

    def path(self, index: int) -> Path:
        """The file of one case, named by the hash of the plan, the data and its numbers.

        index: of the draw, from 0.
        """
        numbers = {key: repr(value) for key, value in drawn(self.plan, index).items()}
        name = _hash({"sweep": self.key, "index": index, "numbers": numbers})
        return self.folder / _PARTS / f"{name[:32]}.csv"

    def keep(self, case: Case) -> None:
        """Write a finished case, whole or not at all."""
        write_bytes(self.path(case.index), case_text(case, self.regions).encode())

    def cases(self) -> list[Case]:
        """Every finished case in the order of its index; DataError that names every damaged file."""
        found, faults = [], []
        for path in sorted((self.folder / _PARTS).glob("*.csv")):
            case = read_case(path, len(self.regions), [scenario.id for scenario in self.plan.scenarios])
            if case is None or self.path(case.index).name != path.name:
                cure = "delete this file and run the sweep again: only this case is solved again"
                faults.append(Fault(str(path), "is damaged", cure))
            else:
                found.append(case)
        if faults:
            raise DataError("the store has damaged parts", faults)
        return sorted(found, key=lambda case: case.index)


def case_text(case: Case, regions: Sequence[str]) -> str:
    """A case as the text of its file: a row for each scenario and region, real income after / before.

    case: one finished draw; regions: codes, in the order of the incomes.
    """
    rows: list[list[str]] = [_COLUMNS]
    for scenario, income in case.income.items():
        head = [str(case.index), scenario]
        if income is None:
            rows.append([*head, "", "", case.message[scenario]])
            continue
        rows += [[*head, region, repr(float(x)), ""] for region, x in zip(regions, income, strict=True)]
    text = csv_text(rows)
    return f"{text}{_SUM},{hashlib.sha256(text.encode()).hexdigest()}\n"


def read_case(path: Path, regions: int, scenarios: Sequence[str]) -> Case | None:
    """The case of a file; None where its checksum or its rows are not what was written.

    path: of the file; regions: number of regions in it; scenarios: their names, in the order of the plan.
    """
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None
    body, _, last = text.removesuffix("\n").rpartition("\n")
    body += "\n"
    if last != f"{_SUM},{hashlib.sha256(body.encode()).hexdigest()}":
        return None
    rows = list(csv.DictReader(body.splitlines()))
    income: dict[str, Any] = {}
    for scenario in scenarios:
        mine = [row for row in rows if row["scenario"] == scenario]
        income[scenario] = None
        if len(mine) == regions and mine[0]["region"]:
            income[scenario] = np.array([float(row["real_income"]) for row in mine])
    message = {row["scenario"]: row["message"] for row in rows}
    if not rows or set(message) != set(scenarios):
        return None
    return Case(int(rows[0]["index"]), income, {name: message[name] for name in scenarios})


# -- what a store is of --------------------------------------------------------------------------------


def _identity(folder: Path) -> dict[str, Any]:
    path = folder / _PLAN
    if not path.is_file():
        cure = "name a folder that `landbridge sweep PLAN.toml -o FOLDER` wrote"
        raise DataError("no store", [Fault(str(folder), f"holds no {_PLAN}", cure)])
    try:
        found = json.loads(read_text(path))
        parts = {name: found[name] for name in ("plan", "world", "landbridge")}
    except (json.JSONDecodeError, KeyError, TypeError):
        parts, found = {}, {}
    if not parts or found.get("key") != _hash(parts):
        cure = "delete it and run the sweep again with the same plan: finished cases are kept"
        raise DataError("the store is damaged", [Fault(str(path), "is damaged", cure)])
    return parts


def _plan_of(identity: dict[str, Any], folder: Path) -> Plan:
    try:
        return Plan.from_dict(identity["plan"])
    except (KeyError, TypeError, ValueError):
        fault = Fault(str(folder / _PLAN), "holds no plan that can be read", "run the sweep again")
        raise DataError("the store is damaged", [fault]) from None


def _text(value: Any) -> str:
    """JSON text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _hash(value: Any) -> str:
    return hashlib.sha256(_text(value).encode()).hexdigest()


def _is_left(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(_LEFT)


def _lock(held: ExitStack, path: Path, alone: bool) -> None:
    """Hold a lock file until the stack closes: alone, or shared with others who do not hold it alone."""
    try:
        file = held.enter_context(closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)))
        file.execute("BEGIN EXCLUSIVE" if alone else "BEGIN DEFERRED")
        if not alone:
            file.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            what = f"cannot be locked: {error}"
            raise DataError("no store", [Fault(str(path), what, "name another folder")]) from None
        cure = "wait until it ends, or name another folder with -o"
        fault = Fault(str(path.parent), "is in use by another process", cure)
        raise DataError("the store is in use", [fault]) from None
    except sqlite3.DatabaseError as error:
        raise DataError("no store", [Fault(str(path), f"is damaged: {error}", "delete it")]) from None
