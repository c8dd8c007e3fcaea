"""The worker process with its limits, and the server over sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any, cast

import pytest

import embedded
import server_tasks
from landbridge.server.asgi import Application
from landbridge.server.desk import Desk, Inline, Stopped
from landbridge.server.exchange import Refusal
from landbridge.server.guard import MOST_BODY
from landbridge.server.listen import Place, sockets_server
from landbridge.server.process import Limits, Process
from landbridge.server.service import Service
from landbridge.server.tasks import Forms, Task
from landbridge.world import World

SCENARIO = b'name = "m"\n[[modification]]\nverb = "close_gateway"\ngateway = "khorgos-altynkol"\n'


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    made = Process(None, Limits(seconds=20.0), server_tasks.serve_tasks)
    yield made
    made.close()


def solve(process: Process, kind: str, stop: Callable[[], bool] = lambda: False) -> tuple[Any, list[str]]:
    told: list[str] = []
    forms = process.solve(Task(kind), lambda text, share: told.append(text), stop)
    return json.loads(forms["json"]), told


def test_one_process_solves_task_after_task(process: Process) -> None:
    first, told = solve(process, "run")
    assert told == ["run"] and solve(process, "run")[0] == first


@pytest.mark.parametrize(
    ("kind", "status", "what"),
    [("memory", 422, "4,000 MB"), ("refused", 422, "no"), ("broken", 500, "itself"), ("die", 503, "ended")],
)
def test_a_task_that_fails_does_not_end_the_next(process: Process, kind: str, status: int, what: str) -> None:
    with pytest.raises(Refusal, match=what) as raised:
        solve(process, kind)
    assert raised.value.status == status
    assert solve(process, "run")[1] == ["run"]


def test_a_task_is_ended_when_it_takes_too_long_or_is_cancelled(process: Process) -> None:
    before = solve(process, "run")[0]["pid"]
    begin = time.monotonic()
    with pytest.raises(Stopped):
        solve(process, "sleep", lambda: time.monotonic() > begin + 0.2)
    after = solve(process, "run")[0]["pid"]
    assert after != before
    quick = Process(None, Limits(seconds=0.1), server_tasks.serve_tasks)
    with pytest.raises(Refusal, match="took longer"):
        solve(quick, "sleep")
    assert time.monotonic() - begin < 30.0


# -- ASGI ----------------------------------------------------------------------------------------------


def solver(task: Task, world: World, progress: Callable[[str, float], None]) -> Forms:
    progress("halfway", 0.5)
    return {"json": json.dumps({"task": task.kind}), "html": "<p>", "geojson": "{}"}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service(embedded.world(), Desk(Inline(embedded.world(), solver)))
    yield made
    made.desk.close()


def over_asgi(
    service: Service, method: str, path: bytes, parts: list[bytes], *headers: tuple[bytes, bytes]
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of one request over ASGI. Parts of its body are taken from `parts` as read."""
    sent: list[Any] = []

    async def receive() -> Any:
        if parts:
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}
        await asyncio.sleep(60.0)

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = path.partition(b"?")
    scope = {
        "type": "http",
        "method": method,
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"host", b"localhost"), *headers],
    }
    asyncio.run(Application(service)(scope, receive, send))
    body = b"".join(one.get("body", b"") for one in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


TOML = (b"content-type", b"application/toml")


def test_a_body_in_parts_is_read_to_its_limit(service: Service) -> None:
    status, headers, body = over_asgi(service, "POST", b"/api/run", [SCENARIO[:20], SCENARIO[20:]], TOML)
    assert status == 202 and headers[b"location"].startswith(b"/api/jobs/"), body
    status, _, body = over_asgi(
        service, "POST", b"/api/run", [b"#" * 100_000] * (MOST_BODY // 100_000 + 1), TOML
    )
    assert status == 413 and json.loads(body)["error"]["faults"][0]["cure"]


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        (b"/api/run", (b"origin", b"http://evil.example"), 403),
        (b"/api/x", TOML, 404),
        (b"/api/run", (b"content-length", b"99999999"), 413),
    ],
)
def test_a_refused_body_is_taken_off_the_connection(
    service: Service, path: bytes, header: tuple[bytes, bytes], status: int
) -> None:
    # Bytes left unread when a connection closes reset it, and the client never reads why it was refused.
    parts = [SCENARIO[:20], SCENARIO[20:]]
    assert over_asgi(service, "POST", path, parts, header)[0] == status
    assert not parts


def test_a_body_that_is_too_large_in_its_last_part_is_refused_at_once(service: Service) -> None:
    begin = time.monotonic()
    assert over_asgi(service, "POST", b"/api/run", [b"#" * (MOST_BODY + 1)], TOML)[0] == 413
    assert time.monotonic() - begin < 1.5


def test_a_job_is_followed_over_asgi(service: Service) -> None:
    _, headers, _ = over_asgi(service, "POST", b"/api/run", [SCENARIO + b"# again"], TOML)
    status, headers, body = over_asgi(service, "GET", headers[b"location"] + b"/events", [b""])
    assert status == 200 and headers[b"content-type"] == b"text/event-stream"
    assert body.endswith(b'event: done\ndata: {"state": "done"}\n\n')
    assert over_asgi(service, "GET", b"/api/base", [b""])[2] == b'{"task": "base"}'


def test_head_has_the_headers_of_get_and_no_body(service: Service) -> None:
    status, headers, body = over_asgi(service, "HEAD", b"/api/version", [b""])
    assert status == 200 and body == b"" and int(headers[b"content-length"]) > 100


def test_no_request_writes_a_line_of_its_own_into_the_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "landbridge.server")
    over_asgi(service, "GET", b"/api/x\nforged: line\r\x1b[31m?a=\n\xe2\x80\xa8", [b""])
    over_asgi(service, "GET\nforged", b"/api/health", [b""])
    assert len(caplog.records) == 2
    for record in caplog.records:
        text = record.getMessage()
        assert text.isascii() and text.isprintable(), text


# -- sockets -------------------------------------------------------------------------------------------


def test_it_answers_over_a_socket_and_stops(service: Service) -> None:
    pytest.importorskip("uvicorn")
    own = Service(service.world, Desk(Inline(service.world, solver)))
    ready = threading.Event()
    server = sockets_server(own, ready.set)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        assert ready.wait(20.0)
        client = HTTPConnection("127.0.0.1", port, timeout=20.0)
        for target, status in (("/api/health", 200), ("/", 200), ("/api/base", 200), ("/api/x", 404)):
            client.request("GET", target)
            reply = client.getresponse()
            body = reply.read()
            assert reply.status == status and body, target
            assert "server" not in {name.casefold() for name in reply.headers}
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
        client.request(
            "POST", "/api/run", SCENARIO, {"Content-Type": "application/toml", "Host": "evil.example"}
        )
        refused = client.getresponse()
        assert refused.status == 403 and json.loads(refused.read())["error"]["faults"]
        client.close()
        server.should_exit = True
        thread.join(20.0)
        assert not thread.is_alive()


def test_an_address_in_use_is_an_error_with_a_cure() -> None:
    from landbridge.errors import LandbridgeError
    from landbridge.server import listen

    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(LandbridgeError, match="--port"):
            listen.listen(embedded.world(), None, Place(port=port), Limits(), lambda address: None)


def test_where_memory_ends_a_task_is_tried_once_more_without_the_kept_base(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from landbridge.server import process

    tried: list[object] = []

    def do(task: Task, world: object, progress: object, kept: object = None) -> dict[str, str]:
        tried.append(kept)
        if kept is not None or task.kind == "why":
            raise MemoryError
        return {"json": "{}"}

    class Kept:
        forgotten = 0

        def forget(self) -> None:
            self.forgotten += 1

    monkeypatch.setattr(process, "do", do)
    kept: Any = Kept()
    assert process._done(Task("run"), cast(Any, None), kept, lambda *_, **__: None) == {"json": "{}"}
    assert tried == [kept, None] and kept.forgotten == 1
    with pytest.raises(MemoryError):
        process._done(Task("why"), cast(Any, None), kept, lambda *_, **__: None)
