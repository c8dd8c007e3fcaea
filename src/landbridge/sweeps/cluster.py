"""Cases solved by the workers of a Dask cluster, handed back to this process as they finish.

A worker gets the World and the plan once, searches routes once, and solves one case at a time. Dask gives the
case of a worker that dies to another.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import scipy

from landbridge.errors import DataError, Fault, LandbridgeError
from landbridge.io.optional import need
from landbridge.sweeps.cases import Bench, Case
from landbridge.sweeps.plan import Plan
from landbridge.version import version
from landbridge.world import World

__all__ = ["require", "solve_on_cluster"]

# Cases that wait for each worker, so that none is idle and memory does not grow with their number.
_AHEAD = 2
# Seconds to reach the scheduler, between two looks at the workers, and without any worker before it is over.
_REACH_S, _LOOK_S, _PATIENCE_S = 10.0, 2.0, 60.0
# What numpy's linear algebra reads: the first for every library, the others go before it where they are set.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_NO_MODULE = ("ModuleNotFoundError", "ImportError", "AttributeError")
_STOPPED = "the sweep stopped; what is finished is kept"
_AGAIN = "then give the same command again"
# Loggers that repeat at length what is raised here.
_LOUD = ("distributed.client", "distributed.core", "distributed.comm", "distributed.batched")


def require(scheduler: str) -> Any:
    """The package of Dask's client.

    scheduler: its address. Returns the module. Raises DataError where the address is none, LandbridgeError
    with the command that installs the package where it is missing.
    """
    _host_and_port(scheduler)
    return need("distributed", "distributed", "dask", "the executor dask")


def solve_on_cluster(
    world: World, plan: Plan, indices: Sequence[int], keep: Callable[[Case], None], scheduler: str
) -> None:
    """Solve the cases of some indices on a cluster and hand each to `keep`, in any order.

    world, plan: of the sweep; indices: of the draws; keep: called with each case.
    scheduler: its address, such as tcp://127.0.0.1:8786. A case that is lost with its worker is solved again.
    Raises DataError where the scheduler does not answer or its workers are not fit, LandbridgeError where
    workers keep dying, none is left or the scheduler ends, and as `landbridge.run` where the base has no
    solution.
    """
    if not indices:
        return
    with _client(require(scheduler), scheduler) as client:
        found = _require_workers(client, scheduler)
        _require_fit(client, scheduler, found)
        _Sweep(client, scheduler, world, plan).solve(indices, keep)


class _Sweep:
    """One sweep on a cluster. The run names its tasks, so that no other sweep there has the same."""

    def __init__(self, client: Any, scheduler: str, world: World, plan: Plan) -> None:
        self.client, self.scheduler, self.run = client, scheduler, f"landbridge-{uuid.uuid4().hex}"
        # A task rather than scattered data: where every worker that holds it dies, Dask makes it again.
        self.given = client.submit(bytes, pickle.dumps((world, plan)), key=f"{self.run}-given")
        self.stamp = _stamp()
        self.done: SimpleQueue[Any] = SimpleQueue()
        self.waiting: dict[str, int] = {}

    def solve(self, indices: Sequence[int], keep: Callable[[Case], None]) -> None:
        ahead = iter(indices)
        futures: dict[str, Any] = {}
        try:
            while True:
                room = _AHEAD * max(1, len(self._workers())) - len(futures)
                for index in islice(ahead, max(0, room)):
                    future = self._submit(index)
                    futures[future.key] = future
                if not futures:
                    return
                done = self._next()
                del futures[done.key]
                keep(self._case(done))
        finally:
            futures.clear()
            self._forget()

    def _submit(self, index: int) -> Any:
        key = f"{self.run}-{index}"
        future = self.client.submit(_one, self.given, self.run, self.stamp, index, key=key)
        future.add_done_callback(self.done.put)
        self.waiting[key] = index
        return future

    def _next(self) -> Any:
        """The next future that is done, however it ended."""
        return self._patiently(lambda seconds: self.done.get(timeout=seconds))

    def _patiently(self, ask: Callable[[float], Any]) -> Any:
        """What `ask` gives within some seconds, asked again while there are workers that can give it."""
        since = time.monotonic()
        while True:
            with suppress(Empty, TimeoutError):
                return ask(_LOOK_S)
            there = self._workers()
            if there and self._running():
                since = time.monotonic()
            elif time.monotonic() - since > _PATIENCE_S and there:
                cure = "give each worker more memory, or start fewer on a machine"
                raise self._stopped("has only workers that are paused for lack of memory", cure)
            elif time.monotonic() - since > _PATIENCE_S:
                raise self._stopped("has no workers any more", f"start `dask worker {self.scheduler}`")

    def _case(self, future: Any) -> Case:
        """The case that a future holds. Raises what ended it, in words."""
        index, distributed = self.waiting.pop(future.key), import_module("distributed")
        try:
            if future.cancelled():
                raise self._lost()
            # It can be solved again meanwhile, where the worker that held it is gone.
            case = self._patiently(lambda seconds: future.result(timeout=seconds))
            assert isinstance(case, Case)
            return case
        except distributed.KilledWorker:
            cure = "give each worker more memory, or use fewer; their logs say why they ended"
            fault = Fault("workers", f"ended again and again, at last with draw {index} assigned", cure)
            raise LandbridgeError(_STOPPED, [fault]) from None
        except LandbridgeError:
            raise
        except Exception as error:
            if self.client.status != "running" or isinstance(error, distributed.comm.CommClosedError):
                raise self._lost() from None
            if isinstance(error, OSError):
                what = f"failed at draw {index}: {type(error).__name__}: {error}"
                fault = Fault("workers", what, f"look at their logs, {_AGAIN}")
                raise LandbridgeError(_STOPPED, [fault]) from None
            # A worker that came later may be unfit; if not, the error is one of the program.
            _require_fit(self.client, self.scheduler, self._workers())
            raise

    def _workers(self) -> Mapping[str, int]:
        """Threads of each worker by its address. Raises LandbridgeError where the scheduler is gone."""
        if self.client.status != "running":
            raise self._lost()
        try:
            return _workers(self.client)
        except Exception:
            raise self._lost() from None

    def _running(self) -> int:
        """How many workers are not paused."""
        try:
            return int(self.client.run_on_scheduler(_running))
        except Exception:
            raise self._lost() from None

    def _lost(self) -> LandbridgeError:
        return _lost(self.scheduler)

    def _stopped(self, what: str, cure: str) -> LandbridgeError:
        return LandbridgeError(_STOPPED, [Fault(self.scheduler, what, f"{cure}, {_AGAIN}")])

    def _forget(self) -> None:
        """Free what the workers hold of this sweep, where they can still be reached."""
        self.given = None
        if self.client.status != "running":
            return

        def forget() -> None:
            with suppress(Exception):
                self.client.run(_forget, self.run, on_error="ignore")

        # A worker that hangs must not keep the command from ending.
        asking = Thread(target=forget, daemon=True)
        asking.start()
        asking.join(_REACH_S)


# -- the scheduler -------------------------------------------------------------------------------------


def _host_and_port(scheduler: str) -> tuple[str, int]:
    """Where an address leads. Raises DataError where it is none."""
    with suppress(ValueError):
        parts = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}")
        if parts.scheme in ("tcp", "tls") and parts.hostname and parts.port and not parts.path.strip("/"):
            return parts.hostname, parts.port
    cure = "write tcp://HOST:PORT or tls://HOST:PORT, as `dask scheduler` prints it"
    raise DataError("the options are not valid", [Fault("scheduler", f"is {scheduler!r}", cure)])


@contextmanager
def _client(distributed: Any, scheduler: str) -> Iterator[Any]:
    """A client of a scheduler. It listens nowhere and starts nothing."""
    with _quiet():
        try:
            # A client waits long for what does not answer as a scheduler: asked before, in a thread, since
            # a notebook has a loop of its own.
            socket.create_connection(_host_and_port(scheduler), _REACH_S).close()
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, _greet(distributed, scheduler)).result()
            client = distributed.Client(
                scheduler, timeout=_REACH_S, set_as_default=False, name="landbridge-sweep"
            )
        except Exception as error:
            why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            cure = "start `dask scheduler`, and give the address that it prints"
            fault = Fault(scheduler, f"no scheduler of Dask answers there ({why})", cure)
            raise DataError("the cluster cannot be reached", [fault]) from None
        try:
            yield client
        finally:
            with suppress(Exception):
                client.close(timeout=_REACH_S)


async def _greet(distributed: Any, scheduler: str) -> None:
    """Raise ValueError, OSError or TimeoutError unless a scheduler answers."""
    given = distributed.Security().get_connection_args("client")
    if scheduler.startswith("tls:") and given.get("ssl_context") is None:
        raise ValueError("tls needs certificates, named in Dask's settings distributed.comm.tls")
    place = scheduler if "://" in scheduler else f"tcp://{scheduler}"
    there = distributed.rpc(place, timeout=_REACH_S, connection_args=given)
    try:
        found = await asyncio.wait_for(there.identity(), _REACH_S)
    except TimeoutError:
        raise ValueError(f"no reply within {_REACH_S:.0f} s") from None
    finally:
        await there.close_rpc()
    if found.get("type") != "Scheduler":
        raise ValueError(f"what answers is a {found.get('type')}")


@contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOUD]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


# -- whether workers are fit ---------------------------------------------------------------------------


def _lost(scheduler: str) -> LandbridgeError:
    cure = f"start the scheduler and its workers, {_AGAIN}"
    return LandbridgeError(_STOPPED, [Fault(scheduler, "no longer answers", cure)])


def _workers(client: Any) -> Mapping[str, int]:
    found: Mapping[str, int] = client.nthreads()
    return found


def _running(dask_scheduler: Any) -> int:
    """On the scheduler: how many workers take tasks; others are paused or ending."""
    return sum(worker.status.name == "running" for worker in dask_scheduler.workers.values())


def _require_workers(client: Any, scheduler: str) -> Mapping[str, int]:
    """The workers of a scheduler, waited for as a batch system may start them late."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        with suppress(Exception):
            found = _workers(client)
            if found:
                return found
        if client.status != "running":
            raise _lost(scheduler)
        if time.monotonic() > end:
            cure = f"start one or more: dask worker {scheduler} --nthreads 1"
            fault = Fault(scheduler, f"has no workers after {_PATIENCE_S:.0f} s", cure)
            raise DataError("the cluster has no workers", [fault])
        time.sleep(min(_LOOK_S, 0.2))


def _require_fit(client: Any, scheduler: str, workers: Mapping[str, int]) -> None:
    """Raise DataError with every process of the cluster that would fail, or give other digits."""
    own = _stamp()
    try:
        found: dict[str, Any] = client.run(_stamp, workers=list(workers), on_error="return")
    except Exception:
        raise _lost(scheduler) from None
    faults = [fault for address, stamp in found.items() for fault in _unfit(f"worker {address}", stamp, own)]
    try:
        stamp: Any = client.run_on_scheduler(_stamp)
    except Exception as error:
        stamp = error
    faults += _unfit(f"scheduler {scheduler}", stamp, own, threads=False)
    if faults:
        raise DataError("the cluster cannot solve this sweep", faults)


def _stamp() -> dict[str, str | None]:
    """What digits depend on in this process: versions, compiled loops, and threads for linear algebra."""
    found: dict[str, str | None] = {
        "landbridge": version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }
    found["numba"] = None
    if os.environ.get("LANDBRIDGE_FAST") != "0":
        with suppress(PackageNotFoundError):
            found["numba"] = installed("numba")
    return {**found, **{name: os.environ.get(name) for name in _THREADS}}


def _unfit(where: str, stamp: Any, own: Mapping[str, str | None], threads: bool = True) -> list[Fault]:
    """What is wrong with a process of the cluster. stamp: its own, or the error in its place."""
    if isinstance(stamp, Exception):
        # Of an import that fails on a worker comes the text alone.
        if any(name in f"{type(stamp).__name__} {stamp}" for name in _NO_MODULE):
            cure = f"install landbridge {own['landbridge']} there, in the environment that dask runs in"
            return [Fault(where, f"does not have this landbridge ({stamp})", cure)]
        cure = "look at its log, and start it again"
        return [Fault(where, f"does not answer ({type(stamp).__name__}: {stamp})", cure)]
    faults = [
        Fault(where, f"has {name} {stamp.get(name) or 'not in use'}, not {mine or 'without it'}", cure)
        for name, mine in own.items()
        if name not in _THREADS and stamp.get(name) != mine
        for cure in [
            f"install {name} {mine} there" if mine else f"set LANDBRIDGE_FAST=0 there, or use {name} here"
        ]
    ]
    first, *others = (stamp.get(name) for name in _THREADS)
    if threads and (first != "1" or any(value not in (None, "1") for value in others)):
        cure = "start `dask worker` with its nanny, as it does by itself, or set OMP_NUM_THREADS=1 before"
        faults.append(Fault(where, "may use several threads for linear algebra, which changes digits", cure))
    return faults


# -- on a worker ---------------------------------------------------------------------------------------

# One case at a time, and the bench of the sweep that is being solved.
_busy = Lock()
_benches: dict[str, Bench] = {}
_ended: set[str] = set()


def _one(given: bytes, run: str, own: Mapping[str, str | None], index: int) -> Case:
    """The case of one draw. given: the World and the plan; own: the stamp of the process that asks."""
    # A worker that joined after all were asked; in most sweeps there is none.
    faults = _unfit(f"worker {import_module('distributed').get_worker().address}", _stamp(), own)
    if faults:
        raise DataError("the cluster cannot solve this sweep", faults)
    with _busy:
        if run not in _benches:
            _benches.clear()
            _benches[run] = Bench(*pickle.loads(given))
        try:
            return _benches[run].case(index)
        finally:
            # Its sweep may have ended while this was solved.
            if run in _ended:
                _benches.pop(run, None)


def _forget(run: str) -> None:
    _ended.add(run)
    _benches.pop(run, None)
