"""The worker process: tasks in and texts out over a pipe, as JSON; it is ended when a limit is reached.

The process is started with the first task and stays, with the World in memory. Nothing that comes out of the
pipe is unpickled.
"""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from landbridge.errors import Fault, LandbridgeError
from landbridge.model.kept_base import KeptBase
from landbridge.model.run import Progress
from landbridge.server.desk import Stopped
from landbridge.server.exchange import Refusal
from landbridge.server.tasks import Forms, Task, do
from landbridge.world import World

__all__ = ["Limits", "Process"]

_LOOK_S, _END_S = 0.05, 5.0


@dataclass(frozen=True)
class Limits:
    """Limits of one solve: seconds of wall time, and megabytes of memory, 0 for none.

    Memory is limited where the system limits the address space of a process (Linux).
    """

    seconds: float = 600.0
    megabytes: int = 4_000


class Process:
    """A worker in a process of its own.

    folder: of the World, None for the embedded one; limits: of one solve; main: what the process runs,
    `serve_tasks` by default.
    """

    def __init__(self, folder: Path | None, limits: Limits, main: Callable[..., None] | None = None) -> None:
        self._folder, self._limits, self._main = folder, limits, main or serve_tasks
        self._process: BaseProcess | None = None
        self._pipe: Any = None

    def solve(self, task: Task, progress: Progress, stop: Callable[[], bool]) -> Forms:
        """As in `Worker`, which also says what is raised."""
        if self._process is None or not self._process.is_alive():
            self._begin()
        deadline = time.monotonic() + self._limits.seconds
        try:
            self._pipe.send_bytes(task.text().encode())
            while True:
                if self._pipe.poll(_LOOK_S):
                    found = json.loads(self._pipe.recv_bytes())
                    if found["what"] == "progress":
                        progress(found["doing"], found["share"])
                        continue
                    return self._ended(found)
                if stop():
                    self.close()
                    raise Stopped
                if time.monotonic() > deadline:
                    self.close()
                    cure = "change fewer things, or start the server with a larger --seconds"
                    raise Refusal.of(422, "job", f"took longer than {self._limits.seconds:g} s", cure)
        except (EOFError, OSError):
            self.close()
            cure = "try again; start the server with a larger --megabytes if it happens again"
            raise Refusal.of(503, "worker", "ended before it was done", cure, {"Retry-After": "5"}) from None

    def _ended(self, found: dict[str, Any]) -> Forms:
        if found["what"] == "done":
            forms: Forms = found["forms"]
            return forms
        if found["what"] == "memory":
            self.close()
            cure = "change fewer things, or start the server with a larger --megabytes"
            raise Refusal.of(422, "job", f"needs more than {self._limits.megabytes:,} MB", cure)
        if found["what"] == "refused":
            faults = [Fault(one["where"], one["what"], one["cure"]) for one in found["faults"]]
            raise Refusal(422, found["message"], faults)
        raise Refusal(
            500, "a fault of landbridge itself", [Fault("worker", found["type"], "please report it")]
        )

    def _begin(self) -> None:
        self.close()
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (theirs, self._folder, self._limits.megabytes)
        self._process = context.Process(target=self._main, args=arguments, name="landbridge", daemon=True)
        self._process.start()
        theirs.close()
        self._pipe = ours

    def close(self) -> None:
        """End the process."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.terminate()
            self._process.join(_END_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join(_END_S)
            self._process.close()
        self._process = self._pipe = None


def serve_tasks(pipe: Connection, folder: Path | None, megabytes: int) -> None:
    """The process: solve tasks until the other end of the pipe is closed.

    pipe: tasks as JSON in, messages as JSON out; folder: of the World, None for the embedded one; megabytes:
    most memory, 0 for no limit.
    """
    # Ctrl-C in a terminal reaches this process too; the server ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory(megabytes)
    from landbridge.io.tables import load_world

    def send(what: str, **words: Any) -> None:
        pipe.send_bytes(json.dumps({"what": what, **words}).encode())

    world: World | None = None
    kept = KeptBase()
    with suppress(EOFError, OSError):
        while True:
            task = Task.read(pipe.recv_bytes().decode())
            try:
                world = world or load_world(folder)
                send("done", forms=dict(_done(task, world, kept, send)))
            except MemoryError:
                send("memory")
            except LandbridgeError as error:
                faults = [{"where": f.where, "what": f.what, "cure": f.cure} for f in error.faults]
                send("refused", message=error.message, faults=faults)
            except (EOFError, OSError):
                raise
            except Exception as error:
                logging.getLogger("landbridge").exception("a fault of the program")
                send("broken", type=type(error).__name__)


def _done(task: Task, world: World, kept: KeptBase, send: Callable[..., None]) -> Forms:
    """The texts of a task; where memory ends it is tried once more without what is kept."""

    def progress(text: str, share: float) -> None:
        send("progress", doing=text, share=share)

    try:
        return do(task, world, progress, kept)
    except MemoryError:
        kept.forget()
    return do(task, world, progress)


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # no such limits on this system
        return
    if megabytes:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (megabytes * 1_000_000, megabytes * 1_000_000))
