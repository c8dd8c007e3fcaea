"""Who solves the cases of a sweep: this process, or several, each with one thread for linear algebra.

`cluster.py` has the third executor, workers of Dask.

Every case depends on the World, the plan and its index alone, so that order and process change no digit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from landbridge.errors import DataError, Fault, LandbridgeError
from landbridge.sweeps.cases import Bench, Case
from landbridge.sweeps.plan import Plan
from landbridge.sweeps.threads import ONE_THREAD
from landbridge.world import World

__all__ = ["EXECUTORS", "rate", "solve_cases"]

_HERE = ("processes", "serial")
EXECUTORS = (*_HERE, "dask")
# Cases that wait for each worker, so that none is idle and little is lost when one dies.
_AHEAD = 2
# How often the workers are started again without any case in between.
_MOST_RESTARTS = 2

Keep = Callable[[Case], None]


def solve_cases(
    world: World, plan: Plan, indices: Sequence[int], keep: Keep, executor: str, workers: int
) -> None:
    """Solve the cases of some indices and hand each to `keep`, in any order.

    world, plan: of the sweep; indices: of the draws; keep: called with each case.
    executor: processes or serial; `Workers.solve` has dask too. workers: how many processes. A worker that
    dies is replaced, and its cases are solved again. Raises DataError for another executor, LandbridgeError
    where workers keep dying, and as `landbridge.run` where the base has no solution.
    """
    if executor not in _HERE:
        cure = "use " + " or ".join(EXECUTORS)
        raise DataError("no such executor", [Fault("executor", f"is {executor!r}", cure)])
    if executor == "serial":
        bench = Bench(world, plan) if indices else None
        for index in indices:
            assert bench is not None
            keep(bench.case(index))
        return
    left, restarts = list(indices), 0
    while left:
        before = len(left)
        with _one_thread():
            _in_processes(world, plan, left, keep, min(workers, len(left)))
        restarts = restarts + 1 if len(left) == before else 0
        if restarts > _MOST_RESTARTS:
            cure = "use fewer workers, or the serial executor; in a script call sweep under __main__"
            fault = Fault("workers", "ended before they had solved anything", cure)
            raise LandbridgeError("the sweep stopped; what is finished is kept", [fault])


def _in_processes(world: World, plan: Plan, left: list[int], keep: Keep, workers: int) -> None:
    """Solve what is left, taking off what is done; returns early where a worker died."""
    waiting: set[Future[Case]] = set()
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (world, plan))
    try:
        ahead = iter(list(left))
        for index in ahead:
            waiting.add(pool.submit(_one, index))
            if len(waiting) >= _AHEAD * workers:
                break
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                case = future.result()
                keep(case)
                left.remove(case.index)
            for index in ahead:
                waiting.add(pool.submit(_one, index))
                if len(waiting) >= _AHEAD * workers:
                    break
    except BrokenProcessPool:
        pass
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started meanwhile have one thread each for linear algebra."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


# What a worker was given, and its bench once it has a case to solve.
_given: list[Any] = []
_bench: list[Bench] = []


def _begin(world: World, plan: Plan) -> None:
    Thread(target=_end_with_the_parent, daemon=True).start()
    _given[:] = [world, plan]


def _end_with_the_parent() -> None:
    """A worker whose parent is gone, killed or crashed, stops at once: nobody waits for its cases."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _one(index: int) -> Case:
    if not _bench:
        _bench.append(Bench(*_given))
    return _bench[0].case(index)


def rate(first: float, done: int, total: int) -> str:
    """Progress in words: how many are done, seconds each, time left.

    done, total: how many are done, and there are.
    first: time.monotonic() when the first was done [s]. What was before that, mostly the search of routes,
    says nothing about the time that is left.
    """
    if done < 2:
        return f"{done} of {total} draws"
    each = (time.monotonic() - first) / (done - 1)
    left = each * (total - done)
    unit = f"{left / 60.0:.0f} min" if left >= 90.0 else f"{left:.0f} s"
    return f"{done} of {total} draws, {each:.2f} s a draw, {unit} left"
