"""The Model Context Protocol: the answers of the API for assistant programs, over stdin and stdout.

Each line is a message of JSON-RPC 2.0. A call of a tool becomes a request to `Service`, so that checks,
limits and answers are those of the server. Source: https://modelcontextprotocol.io/specification/2025-11-25
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from landbridge.server.bodies import json_of, scenario_of
from landbridge.server.desk import MOST_WAITING, Desk, Job, internal
from landbridge.server.endpoints import Endpoint, Waiting
from landbridge.server.exchange import Refusal, Reply, Request
from landbridge.server.guard import MOST_BODY
from landbridge.server.process import Limits, Process
from landbridge.server.service import Service
from landbridge.server.tasks import Task, run_task
from landbridge.server.tools import TOOLS, listed, part_of, request_of
from landbridge.version import version
from landbridge.world import World

__all__ = ["MOST_LINE", "VERSIONS", "Session", "serve_pipes"]

# Of the protocol, the newest first. A line may hold the largest body with every letter escaped.
VERSIONS, MOST_LINE = ("2025-11-25", "2025-06-18", "2024-11-05"), 2 * MOST_BODY
UNREADABLE, INVALID, NO_METHOD, PARAMETERS, INTERNAL = -32700, -32600, -32601, -32602, -32603
_LOOK_S = 0.1
_ABOUT = (
    "Freight between China, Central Asia, Europe and the Middle East: routes with hours, USD and CO2e, and "
    "what a scenario changes in trade and real income against the base of 2023. No forecast. The tools "
    "scenarios and places list names, why says where a figure is from. A solve takes up to a minute."
)


class _Fault(Exception):  # noqa: N818 (an answer of the protocol)
    """A message that the protocol itself refuses: the code, what is wrong, further values."""

    def __init__(self, code: int, what: str, data: Any = None) -> None:
        super().__init__(what)
        self.code, self.data = code, data


@dataclass(eq=False)
class _Call:
    """A call of a tool that is not answered yet. token: of its progress; job: that it waits for."""

    id: str | int
    token: Any
    job: Job | None = None
    cancelled: bool = False


class Session:
    """One client. service: answers, and is closed with the session; out: takes messages, one a line."""

    def __init__(self, service: Service, out: BinaryIO) -> None:
        self._service, self._out, self._ended = service, out, False
        self._calls: dict[str | int, _Call] = {}
        self._lock, self._threads = threading.RLock(), ThreadPoolExecutor(MOST_WAITING, "landbridge")

    def run(self, lines: BinaryIO) -> None:
        """Answer lines until there are no more, then cancel what is being solved; lines: a binary stream."""
        try:
            while line := lines.readline(MOST_LINE):
                if line.endswith(b"\n") or len(line) < MOST_LINE:
                    self.take(line)
                    continue
                while line and not line.endswith(b"\n"):
                    line = lines.readline(MOST_LINE)
                self._refuse(None, _Fault(INVALID, f"the message is longer than {MOST_LINE:,} bytes"))
        finally:
            self._ended = True
            self._service.desk.close()
            self._threads.shutdown()

    def take(self, line: bytes) -> None:
        """Answer a message, a call of a tool later and from another thread; line: the message."""
        id: str | int | None = None
        try:
            message = _read(line)
            if "method" not in message and ("result" in message or "error" in message):
                return  # an answer, where nothing was asked
            id = message["id"] if _is_name(message.get("id")) else None
            method, params = message.get("method"), message.get("params", {})
            if message.get("jsonrpc") != "2.0" or not isinstance(method, str) or not isinstance(params, dict):
                raise _Fault(INVALID, 'a message has "jsonrpc": "2.0", a method, and params as an object')
            if "id" not in message:
                self._note(method, params)
            elif id is None:
                raise _Fault(INVALID, "an id is a text or a whole number")
            elif method == "tools/call":
                self._begin(id, params)
            else:
                self._send({"id": id, "result": _result(method, params)})
        except _Fault as fault:
            self._refuse(id, fault)
        except Exception as error:
            self._refuse(id, _Fault(INTERNAL, internal(error).what))

    def _note(self, method: str, params: Mapping[str, Any]) -> None:
        """Take a notification, which is not answered; all but one mean nothing here."""
        named = params.get("requestId")
        with self._lock:
            if method == "notifications/cancelled" and _is_name(named) and named in self._calls:
                self._calls[named].cancelled = True

    # -- calls of tools ----------------------------------------------------------------------------------

    def _begin(self, id: str | int, params: Mapping[str, Any]) -> None:
        name, given, meta = params.get("name"), params.get("arguments", {}), params.get("_meta", {})
        if not (isinstance(name, str) and isinstance(given, dict) and isinstance(meta, dict)):
            raise _Fault(PARAMETERS, "a call has a name, and arguments and _meta, if any, as objects")
        if name not in TOOLS:
            raise _Fault(PARAMETERS, f"Unknown tool: {name[:80]}", {"tools": list(TOOLS)})
        with self._lock:
            if id in self._calls or len(self._calls) >= MOST_WAITING:
                what = "a request with this id waits" if id in self._calls else f"{MOST_WAITING} calls wait"
                raise _Fault(INVALID, f"{what} for an answer")
            call = self._calls[id] = _Call(id, meta.get("progressToken"))
        self._threads.submit(self._call, call, TOOLS[name], given)

    def _call(self, call: _Call, endpoint: Endpoint, given: Mapping[str, Any]) -> None:
        """Answer a call, unless it is cancelled before."""
        reply = None if call.cancelled else self._reply(call, endpoint, given)
        with self._lock:
            del self._calls[call.id]
        if reply is None or call.cancelled:
            return
        body = json.loads(text := reply.body.decode())
        if reply.status == 500:
            self._refuse(call.id, _Fault(INTERNAL, body["error"]["what"], body["error"]))
            return
        found = {"content": [{"type": "text", "text": text}], "structuredContent": body}
        self._send({"id": call.id, "result": {**found, "isError": reply.status >= 400}})

    def _reply(self, call: _Call, endpoint: Endpoint, given: Mapping[str, Any]) -> Reply | None:
        """What the server replies to a call; None where it is cancelled."""
        service, request = self._service, Request(endpoint.method, endpoint.path)
        try:
            request = request_of(endpoint, given)
            asked = service.call(request)
            task: Task | None = None
            if endpoint.takes_scenario:
                own = scenario_of(request.body, asked.kind, service.world)
                task = run_task(asked.values["range"], scenario=own.to_dict(), id=own.id)
            while True:
                found = service.outcome(asked) if task is None else service.solved(task, "json")
                if not isinstance(found, Waiting):
                    break
                if not self._waited(call, found.job):
                    return None
                # Another call may have cancelled the job before it could see this one: ask again.
                if not found.job.cancelled.is_set():
                    found = service.ended(found)
                    break
            assert isinstance(found, Reply)
            return part_of(found, given)
        except Exception as error:
            return service.refused(error, request)

    def _waited(self, call: _Call, job: Job) -> bool:
        """Wait for the end of a job and report its progress; False where the call is cancelled before."""
        call.job, sent = job, -1.0
        while not (job.wait(_LOOK_S) or call.cancelled or self._ended):
            if _is_name(call.token) and job.share > sent:
                sent = job.share
                step = {"progressToken": call.token, "progress": sent, "total": 1.0, "message": job.doing}
                self._send({"method": "notifications/progress", "params": step})
        with self._lock:
            wanted = any(one.job is job and not one.cancelled for one in self._calls.values())
        if call.cancelled and not wanted:
            self._service.desk.cancel(job)
        return not (call.cancelled or self._ended)

    # -- what is written ---------------------------------------------------------------------------------

    def _refuse(self, id: str | int | None, fault: _Fault) -> None:
        data = {} if fault.data is None else {"data": fault.data}
        self._send({"id": id, "error": {"code": fault.code, "message": str(fault), **data}})

    def _send(self, message: Mapping[str, Any]) -> None:
        """Write a message; nothing happens where the client is gone."""
        line = json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False).encode() + b"\n"
        with self._lock, suppress(OSError, ValueError):
            self._out.write(line)
            self._out.flush()


def _result(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The result of all requests but calls of tools. Raises _Fault."""
    if method == "initialize":
        asked = params.get("protocolVersion")
        if not isinstance(asked, str):
            raise _Fault(PARAMETERS, "protocolVersion is missing")
        # A client that names a version unknown here knows the ones before it rather than those after.
        agreed = next((one for one in VERSIONS if one <= asked), VERSIONS[0])
        about = {"name": "landbridge", "version": version()}
        made: dict[str, Any] = {"protocolVersion": agreed, "capabilities": {"tools": {}}}
        return {**made, "serverInfo": about, "instructions": _ABOUT}
    if method not in ("ping", "tools/list"):
        raise _Fault(NO_METHOD, f"Method not found: {method[:80]}")
    return {"tools": listed()} if method == "tools/list" else {}


def _is_name(value: Any) -> bool:
    """Whether a value may be an id or a token."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def _read(line: bytes) -> dict[str, Any]:
    try:
        message = json_of(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise _Fault(UNREADABLE, "Parse error: the line is not UTF-8") from None
    except Refusal as refusal:
        raise _Fault(UNREADABLE, f"Parse error: {refusal.what}") from None
    if not isinstance(message, dict):
        raise _Fault(INVALID, "a line is one message, which is an object")
    return message


def serve_pipes(world: World, folder: Path | None, limits: Limits) -> None:
    """Answer on stdin and stdout until stdin is closed; whatever else is printed goes to stderr meanwhile.

    world: the base; folder: that it was read from, None for the embedded one; limits: of one solve.
    """
    service = Service(world, Desk(Process(folder, limits)))
    lines = io.BytesIO() if sys.stdin is None else sys.stdin.buffer
    with _own_stdout() as out, suppress(KeyboardInterrupt):
        Session(service, out).run(lines)


@contextmanager
def _own_stdout() -> Iterator[BinaryIO]:
    """The stdout of this process, which meanwhile prints to stderr, as do processes that it starts."""
    number = sys.stdout.fileno()
    kept = os.dup(number)
    try:
        with os.fdopen(os.dup(kept), "wb") as out:
            sys.stdout.flush()
            os.dup2(sys.stderr.fileno(), number)
            yield out
    finally:
        sys.stdout.flush()
        os.dup2(kept, number)
        os.close(kept)
