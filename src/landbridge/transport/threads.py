"""Independent computations side by side, on two threads of one process: cases, or parts of one case.

Compiled loops, numpy and scipy release Python's lock while they compute, so two threads keep two processors
busy on one copy of the routes. The parts write to different places and are added in one order: results are
the same to the last bit with one thread.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["halves", "in_order", "side_by_side"]

T = TypeVar("T")

# Held while two threads are busy: parts of a part, and other threads of the user, run one after the other.
_busy = Lock()


def _two() -> bool:
    """Whether there are two processors to use, and LANDBRIDGE_THREADS=1 is not in the environment."""
    return (os.cpu_count() or 1) > 1 and os.environ.get("LANDBRIDGE_THREADS") != "1"


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="landbridge")


def side_by_side(calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results of some calls, in their order; the first is made here, the others on a second thread.

    Raises what the first call that fails raises, after all have ended.
    """
    if len(calls) < 2 or not _two() or not _busy.acquire(blocking=False):
        return [call() for call in calls]
    try:
        # The settings of numpy's warnings belong to a context, which a new thread does not inherit.
        others = [_pool().submit(copy_context().run, call) for call in calls[1:]]
        try:
            first = calls[0]()
        finally:
            wait(others)
        return [first, *(other.result() for other in others)]
    finally:
        _busy.release()


def in_order(calls: Iterable[Callable[[], T]], n: int) -> Iterator[T]:
    """The results of n calls in their order; the next is begun while the caller uses the last.

    calls: each is made ready on the thread of the caller. Raises what the first call that fails raises.
    """
    if n < 2 or not _two() or not _busy.acquire(blocking=False):
        for call in calls:
            yield call()
        return
    begun: deque[Future[T]] = deque()
    try:
        with ThreadPoolExecutor(2, thread_name_prefix="landbridge") as pool:
            try:
                for call in calls:
                    begun.append(pool.submit(copy_context().run, call))
                    if len(begun) == 2:
                        yield begun.popleft().result()
                while begun:
                    yield begun.popleft().result()
            finally:
                for left in begun:
                    left.cancel()
    finally:
        _busy.release()


def halves(start: NDArray[np.integer]) -> list[tuple[int, int]]:
    """Two ranges of groups with about as many routes each; start [group + 1]: first route of every group."""
    n = len(start) - 1
    middle = int(np.searchsorted(start, start[-1] // 2)) if n > 1 else n
    return [span for span in ((0, middle), (middle, n)) if span[1] > span[0]]
