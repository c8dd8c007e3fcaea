"""Jobs one after another in one worker, and the results that are kept.

A job is queued, running, done, failed or cancelled. A result is kept under the hash of its task, the least
recently used is given up first.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Protocol

from landbridge.errors import Fault, LandbridgeError
from landbridge.model.run import Progress
from landbridge.server.exchange import Refusal
from landbridge.server.tasks import Forms, Task, do
from landbridge.world import World

__all__ = ["Desk", "Inline", "Job", "Kept", "Stopped", "Worker", "internal"]

MOST_WAITING, MOST_JOBS, MOST_EVENTS = 20, 60, 500
ENDED = ("done", "failed", "cancelled")


class Stopped(Exception):  # noqa: N818 (a cancelled job is no error)
    """A job was cancelled while it was solved."""


class Worker(Protocol):
    """What solves tasks, one at a time."""

    def solve(self, task: Task, progress: Progress, stop: Callable[[], bool]) -> Forms:
        """The texts of a task.

        progress: called with text and share; stop: whether it has been cancelled.
        Raises Stopped where it was cancelled, Refusal where a limit was reached, LandbridgeError as the
        command does.
        """

    def close(self) -> None:
        """Free what the worker holds."""


class Inline:
    """A worker in this process, for one answer and for tests; a cancelled task is solved to its end.

    world: the base; solver: what solves a task; tell: also called with its progress.
    """

    def __init__(
        self,
        world: World,
        solver: Callable[[Task, World, Progress], Forms] = do,
        tell: Progress | None = None,
    ) -> None:
        self._world, self._solver, self._tell = world, solver, tell

    def solve(self, task: Task, progress: Progress, stop: Callable[[], bool]) -> Forms:
        """As in `Worker`, which also says what is raised."""

        def both(text: str, share: float) -> None:
            progress(text, share)
            if self._tell is not None:
                self._tell(text, share)

        found = self._solver(task, self._world, both)
        if stop():
            raise Stopped
        return found

    def close(self) -> None:
        """As in `Worker`."""


class Kept:
    """Texts by key up to a number of characters in all; the least recently used is given up first.

    most: characters in all.
    """

    def __init__(self, most: int = 64_000_000) -> None:
        self._most, self._size = most, 0
        self._held: OrderedDict[str, Forms] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Forms | None:
        """The texts of a key, None where there are none."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: str, forms: Forms) -> None:
        """Keep texts under a key; those that alone are too many are not kept; forms: texts by form."""
        with self._lock:
            self._size -= _characters(self._held.pop(key, {}))
            self._held[key] = forms
            self._size += _characters(forms)
            while self._size > self._most:
                _, gone = self._held.popitem(last=False)
                self._size -= _characters(gone)

    def __len__(self) -> int:
        return len(self._held)


def _characters(forms: Forms) -> int:
    return sum(map(len, forms.values()))


class Job:
    """A task on its way. id: not to be guessed; state; events: what happened, oldest first."""

    def __init__(self, task: Task) -> None:
        self.id, self.task, self.state = secrets.token_hex(16), task, "queued"
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.forms: Forms = {}
        self.refusal: Refusal | None = None
        self.share, self.doing = 0.0, "waiting"
        self.cancelled = threading.Event()
        self._ended = threading.Event()

    def progress(self, text: str, share: float) -> None:
        """Note a step; text: what is done; share: of the whole that is done."""
        self.share, self.doing = float(share), text
        if len(self.events) < MOST_EVENTS:
            self.events.append(("progress", {"doing": text, "share": round(self.share, 3)}))

    def end(self, state: str, refusal: Refusal | None = None) -> None:
        """Note how the job ended; state: one of ENDED; refusal: the reply to who asks, None where done."""
        self.refusal, self.state, self.doing = refusal, state, state
        self.share = 1.0 if state == "done" else self.share
        error = {} if refusal is None else {"error": refusal.to_json()["error"]}
        self.events.append((state, {"state": state, **error}))
        self._ended.set()

    @property
    def ended(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self._ended.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; False where it has not come within so many seconds."""
        return self._ended.wait(seconds)

    def text(self, form: str) -> str:
        """The result in a form, once the job has ended. Raises Refusal where it failed or was cancelled."""
        if self.refusal is not None:
            raise self.refusal
        return self.forms[form]

    def to_json(self) -> dict[str, Any]:
        """State and progress as plain values."""
        error = {} if self.refusal is None else {"error": self.refusal.to_json()["error"]}
        return {"job": self.id, "state": self.state, "doing": self.doing, "share": self.share, **error}


class Desk:
    """Takes tasks, has them solved in the order in which they came, and keeps jobs and results.

    worker: solves tasks. Jobs that have ended are kept up to MOST_JOBS.
    """

    def __init__(self, worker: Worker, kept: Kept | None = None) -> None:
        self._worker, self.kept = worker, Kept() if kept is None else kept
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._news = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, task: Task) -> Job:
        """A job for a task; it is done at once where the result is kept. Raises Refusal at the limit."""
        job = Job(task)
        kept = self.kept.get(task.key)
        with self._news:
            if kept is not None:
                job.forms = kept
                job.end("done")
            elif len(self._waiting) >= MOST_WAITING:
                cure = "try again in a minute"
                raise Refusal.of(429, "jobs", f"{MOST_WAITING} are waiting", cure, {"Retry-After": "60"})
            else:
                self._waiting.append(job)
                self._begin()
                self._news.notify()
            self._jobs[job.id] = job
            ended = [id for id, one in self._jobs.items() if one.ended]
            for id in ended[: max(0, len(self._jobs) - MOST_JOBS)]:
                del self._jobs[id]
        return job

    def shared(self, task: Task) -> Job:
        """The job of a task that is waiting or running, else a new one: for those who ask for the same."""
        with self._news:
            for job in self._jobs.values():
                if job.task == task and not job.ended and not job.cancelled.is_set():
                    return job
            # Before another who asks for the same can look.
            return self.submit(task)

    def job(self, id: str) -> Job | None:
        """A job by its id."""
        with self._news:
            return self._jobs.get(id)

    def states(self) -> dict[str, int]:
        """How many jobs are in each state."""
        with self._news:
            found = [job.state for job in self._jobs.values()]
        return {state: found.count(state) for state in ("queued", "running", *ENDED)}

    def cancel(self, job: Job) -> bool:
        """Cancel a job that has not ended. Returns whether it could be."""
        with self._news:
            if job.ended:
                return False
            job.cancelled.set()
            if job in self._waiting:
                self._waiting.remove(job)
                job.end("cancelled", _cancelled())
        return True

    def close(self) -> None:
        """Cancel every job and free the worker."""
        with self._news:
            self._closed = True
            for job in self._jobs.values():
                job.cancelled.set()
            while self._waiting:
                self._waiting.popleft().end("cancelled", _cancelled())
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join(10.0)
        self._worker.close()

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="landbridge jobs", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._news:
                while not self._waiting and not self._closed:
                    self._news.wait()
                if self._closed:
                    return
                job = self._waiting.popleft()
                job.state = "running"
            self._solve(job)

    def _solve(self, job: Job) -> None:
        forms = self.kept.get(job.task.key)
        try:
            if forms is None:
                forms = self._worker.solve(job.task, job.progress, job.cancelled.is_set)
                self.kept.put(job.task.key, forms)
        except Stopped:
            job.end("cancelled", _cancelled())
        except Refusal as refusal:
            job.end("failed", refusal)
        except LandbridgeError as error:
            job.end("failed", Refusal.by(error))
        except Exception as error:
            job.end("failed", internal(error))
        else:
            job.forms = forms
            job.end("done")


def internal(error: Exception) -> Refusal:
    """The refusal for a fault of the program itself: the type of the error, no trace of the source.

    error: written to the log, with its trace.
    """
    logging.getLogger("landbridge").exception("a fault of the program")
    cure = "please report it with the request"
    return Refusal(500, "a fault of landbridge itself", [Fault("server", type(error).__name__, cure)])


def _cancelled() -> Refusal:
    return Refusal.of(409, "job", "was cancelled", "send the request again")
