"""sweep(world, plan) -> SweepResult: draw, solve, keep, collect."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landbridge.errors import DataError, Fault
from landbridge.sweeps.cases import Case
from landbridge.sweeps.cluster import require, solve_on_cluster
from landbridge.sweeps.collect import SweepResult, collected
from landbridge.sweeps.executors import rate, solve_cases
from landbridge.sweeps.indices import block_length
from landbridge.sweeps.plan import MOST_CASES, Plan, read_plan
from landbridge.sweeps.store import Shard, Store
from landbridge.world import World

__all__ = ["DRAWS", "Workers", "collect", "parse_shard", "sweep"]

Progress = Callable[[str, float], None]
# Draws where none are asked for, and blocks of draws for indices of variance.
DRAWS, BLOCKS = 100, 64
# More handles one process cannot wait for there.
_MOST_ON_WINDOWS = 61


@dataclass(frozen=True)
class Workers:
    """Who solves the cases.

    executor: processes, serial, or dask for the workers of a Dask cluster. count: of processes; None for one
    a processor. scheduler: of the cluster, tcp://HOST:PORT; for dask alone.
    """

    executor: str = "processes"
    count: int | None = None
    scheduler: str | None = None

    def check(self) -> None:
        """Raise DataError for options that do not go together, LandbridgeError where Dask is missing."""
        if self.executor != "dask" and self.scheduler is not None:
            cure = f"use the executor dask, or leave {self.scheduler} out"
            fault = Fault("scheduler", f"is given, but the executor is {self.executor!r}", cure)
            raise DataError("the options are not valid", [fault])
        if self.executor != "dask":
            return
        faults = []
        if not self.scheduler:
            cure = 'give --scheduler tcp://HOST:PORT; in Python Workers("dask", scheduler="tcp://HOST:PORT")'
            faults.append(Fault("scheduler", "is needed for the executor dask", cure))
        if self.count is not None:
            faults.append(Fault("workers", "is given, but a cluster has its own", "leave it out"))
        if faults or not self.scheduler:
            raise DataError("the options are not valid", faults)
        require(self.scheduler)

    def solve(self, world: World, plan: Plan, indices: Sequence[int], keep: Callable[[Case], None]) -> None:
        """Solve the cases of some indices and hand each to `keep`, in any order.

        world, plan: of the sweep; indices: of the draws; keep: called with each case. Raises as `solve_cases`
        and `solve_on_cluster`.
        """
        if self.executor == "dask" and self.scheduler:
            solve_on_cluster(world, plan, indices, keep, self.scheduler)
        else:
            solve_cases(world, plan, indices, keep, self.executor, self.number)

    @property
    def number(self) -> int:
        """How many processes."""
        usable = getattr(os, "sched_getaffinity", None)
        most = len(usable(0)) if usable is not None else os.cpu_count() or 1
        number = self.count or most
        return min(number, _MOST_ON_WINDOWS) if sys.platform == "win32" else number


def sweep(
    world: World,
    plan: Plan | Mapping[str, Any] | Path | str,
    n: int | None = None,
    *,
    executor: str | Workers = "processes",
    store: Path | str | None = None,
    shard: Shard | None = None,
    progress: Progress | None = None,
) -> SweepResult:
    """Solve base and scenarios for many draws of uncertain numbers: percentiles of real income, and causes.

    world: from `lb.load`; plan: the path of a TOML file, a dictionary of the same shape, or a Plan. n: draws,
    100 by default; a grid has as many as its points, a plan for indices of variance 64 (d + 2) by default, d
    the numbers moved. executor: "processes", "serial", or Workers("dask", scheduler="tcp://HOST:PORT"); the
    digits are the same, given one thread for linear algebra. store: a folder in which finished draws are
    kept, so that a sweep that was stopped goes on; None keeps them in memory. shard: (i, n) solves the i-th
    of n parts of the draws. progress: called with what is being done and the share that is done.

    Each draw is made from the seed and its index. It changes base and scenario alike. Routes are searched
    once, at the numbers of the data; a draw gives them new hours and money. A draw without a solution is
    listed. Equations: heads of `landbridge.sweeps.draws` and `landbridge.sweeps.collect`.
    Returns a SweepResult. Raises DataError with every fault of the plan, for a store of another plan or data,
    in use or damaged, and for a cluster that does not answer or has another landbridge; LandbridgeError where
    workers keep dying, and as `landbridge.run` where the base has no solution.
    """
    given = read_plan(plan, world)
    hired = Workers(executor) if isinstance(executor, str) else executor
    hired.check()
    indices = _indices(given, n, shard)
    kept: dict[int, Case] = {}
    place = None if store is None else Store(Path(store), given, world)
    with nullcontext() if place is None else place.locked(shard):
        if place is not None:
            place.begin()
            kept = {case.index: case for case in place.cases()}
        todo = [index for index in indices if index not in kept]
        there, first, tell = len(kept), list[float](), progress or (lambda text, share: None)
        before = len(indices) - len(todo)
        tell(f"{before} of {len(indices)} draws are there; searching routes", 0.0)

        def keep(case: Case) -> None:
            if place is not None:
                place.keep(case)
            kept[case.index] = case
            first.append(time.monotonic())
            done = len(kept) - there
            tell(rate(first[0], done, len(todo)), done / len(todo))

        hired.solve(world, given, todo, keep)
    # A store can hold more draws than are asked for, and those of other shards.
    asked = _count(given, n)
    return collected(world, given, [kept[index] for index in sorted(kept) if index < asked])


def collect(world: World, stores: Path | str | Sequence[Path | str]) -> SweepResult:
    """Percentiles and causes of the finished draws of a store, or of several of one plan.

    world: with which the sweep was made; stores: one folder or several. Returns a SweepResult. Equations:
    head of `landbridge.sweeps.collect`. Raises DataError where a folder is no store, is of other data or of
    another plan, or has damaged parts.
    """
    folders = [stores] if isinstance(stores, Path | str) else list(stores)
    if not folders:
        raise DataError("no store", [Fault("stores", "is empty", "name one folder or several")])
    first = Store.there(Path(folders[0]), world)
    found: dict[int, Case] = {}
    for folder in folders:
        place = Store(Path(folder), first.plan, world)
        place.require()
        found |= {case.index: case for case in place.cases()}
    return collected(world, first.plan, [found[index] for index in sorted(found)])


def parse_shard(text: str) -> Shard:
    """The shard of a text "i/n", 1 <= i <= n. Raises DataError for anything else."""
    i, _, n = text.partition("/")
    if i.isdecimal() and n.isdecimal() and 1 <= int(i) <= int(n) <= MOST_CASES:
        return int(i), int(n)
    fault = Fault("--shard", f"is {text!r}", "write i/n, such as 1/3, 2/3 and 3/3")
    raise DataError("no such shard", [fault])


def _count(plan: Plan, n: int | None) -> int:
    """Draws of a whole sweep: all points of a grid, else as many as asked for."""
    usual = BLOCKS * block_length(len(plan.moved)) if plan.draws == "saltelli" else DRAWS
    return plan.cases or (usual if n is None else n)


def _indices(plan: Plan, n: int | None, shard: Shard | None) -> list[int]:
    faults = []
    if plan.cases is not None and n is not None and n != plan.cases:
        faults.append(Fault("-n", f"is {n}, but the grid has {plan.cases} points", "leave it out"))
    count = _count(plan, n)
    if not 1 <= count <= MOST_CASES:
        faults.append(Fault("-n", f"is {count}", f"ask for 1 to {MOST_CASES:,} draws"))
    if shard is not None and not 1 <= shard[0] <= shard[1] <= MOST_CASES:
        faults.append(Fault("shard", f"is {shard}", "give (i, n), such as (1, 3), (2, 3) and (3, 3)"))
    if faults:
        raise DataError("the options are not valid", faults)
    first, step = (1, 1) if shard is None else shard
    indices: Iterable[int] = range(first - 1, count, step)
    return list(indices)
