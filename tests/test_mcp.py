"""The Model Context Protocol: each message is answered as specified, a call of a tool as by the server."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

import embedded
from commands import Call
from landbridge.errors import DataError
from landbridge.server.desk import MOST_WAITING, Desk, Inline
from landbridge.server.endpoints import ENDPOINTS
from landbridge.server.exchange import Request
from landbridge.server.guard import MOST_BODY
from landbridge.server.mcp import MOST_LINE, VERSIONS, Session, _Call
from landbridge.server.openapi import description
from landbridge.server.service import Service
from landbridge.server.tasks import Forms, Task
from landbridge.server.tools import TOOLS, listed
from landbridge.world import World

WAIT_S = 60.0
ROUTES = {"from": "Chongqing", "to": "Duisburg", "k": 2}
OWN = {"name": "m", "modification": [{"verb": "close_gateway", "gateway": "khorgos-altynkol"}]}


def until(reached: Callable[[], Any]) -> None:
    """Wait for a state that another thread brings about."""
    latest = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < latest
        time.sleep(0.01)


class Solver:
    """Solves at once; compare waits until it is let go, or cancelled."""

    def __init__(self) -> None:
        self.go, self.begun, self.asked = threading.Event(), threading.Event(), list[Task]()

    def __call__(self, task: Task, world: World, progress: Callable[[str, float], None]) -> Forms:
        self.asked.append(task)
        progress("halfway", 0.5)
        if task.kind == "compare":
            self.begun.set()
            assert self.go.wait(WAIT_S)
        if task.kind == "why" and "broken" in str(task.words):
            raise RuntimeError("a secret of the source")
        if task.kind == "why":
            raise DataError("no such figure")
        return {"json": json.dumps({"result": {"task": task.kind, "rows": [1, 2]}})}


class Client:
    """Messages in and out of a session in this process."""

    def __init__(self) -> None:
        self.solver, self.out = Solver(), io.BytesIO()
        service = Service(embedded.world(), Desk(Inline(embedded.world(), self.solver)))
        self.session = Session(service, self.out)

    def say(self, method: str, params: Any = None, **more: Any) -> None:
        given = {} if params is None else {"params": params}
        self.session.take(json.dumps({"jsonrpc": "2.0", "method": method, **given, **more}).encode() + b"\n")

    def call(self, id: str | int, name: str, arguments: Any, **more: Any) -> None:
        self.say("tools/call", {"name": name, "arguments": arguments, **more}, id=id)

    def messages(self) -> list[Any]:
        """Everything written so far, each a line of its own."""
        text = self.out.getvalue().decode()
        assert "Traceback" not in text and "secret" not in text
        found = [json.loads(line) for line in text.splitlines()]
        assert all(one["jsonrpc"] == "2.0" for one in found)
        return found

    def answer(self, id: str | int | None) -> Any:
        """The answer to a request, once it is there."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            for one in self.messages():
                if "method" not in one and one["id"] == id and type(one["id"]) is type(id):
                    return one
            time.sleep(0.01)
        raise AssertionError(f"no answer to {id}")

    def end(self) -> None:
        self.solver.go.set()
        self.session.run(io.BytesIO())


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.end()


def asked(method: str, *params: Any) -> bytes:
    """A request as a line."""
    given = {"params": params[0]} if params else {}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, **given}).encode() + b"\n"


# -- the protocol --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "agreed"),
    [
        *((one, one) for one in VERSIONS),
        ("2025-03-26", "2024-11-05"),  # batches, which are refused, belong to it
        ("2099-01-01", VERSIONS[0]),
        ("1.0.0", VERSIONS[0]),
    ],
)
def test_a_version_is_agreed_on(client: Client, newest: str, agreed: str) -> None:
    client.say("initialize", {"protocolVersion": newest, "capabilities": {}}, id=1)
    found = client.answer(1)["result"]
    assert found["protocolVersion"] == agreed and found["capabilities"] == {"tools": {}}
    assert found["serverInfo"]["name"] == "landbridge" and found["instructions"]
    client.say("notifications/initialized")
    client.say("ping", id="p")
    assert client.answer("p")["result"] == {} and len(client.messages()) == 2


@pytest.mark.parametrize(
    ("line", "code", "id"),
    [
        (b"{bad\n", -32700, None),
        (b"\xff\xfe\n", -32700, None),
        (b'{"jsonrpc": "2.0", "id": NaN, "method": "ping"}\n', -32700, None),
        (b"[" * 100_000 + b"\n", -32700, None),
        (b'{"jsonrpc": "2.0", "id": ' + b"9" * 5_000 + b', "method": "ping"}\n', -32700, None),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]\n', -32600, None),
        (b"3\n", -32600, None),
        (b'{"id": 1, "method": "ping"}\n', -32600, 1),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}\n', -32600, 1),
        (b'{"jsonrpc": "2.0", "id": 1}\n', -32600, 1),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 2}\n', -32600, 1),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}\n', -32600, 1),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}\n', -32600, None),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}\n', -32600, None),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}\n', -32600, None),
        (b'{"jsonrpc": "2.0", "id": [1], "method": "ping"}\n', -32600, None),
        (asked("server/discover"), -32601, 1),
        (asked("initialize", {}), -32602, 1),
        (asked("initialize", {"protocolVersion": 1}), -32602, 1),
        (asked("tools/call"), -32602, 1),
        (asked("tools/call", {"name": "x"}), -32602, 1),
        (asked("tools/call", {"name": ["x"]}), -32602, 1),
        (asked("tools/call", {"name": "why", "arguments": 1}), -32602, 1),
        (asked("tools/call", {"name": "why", "_meta": 1}), -32602, 1),
        (b" " * (MOST_LINE + 9) + b"\n", -32600, None),
    ],
)
def test_a_message_that_is_wrong_is_refused_and_the_next_answered(line: bytes, code: int, id: Any) -> None:
    client = Client()
    last = b'{"jsonrpc": "2.0", "id": "next", "method": "ping"}'  # without the end of a line
    client.session.run(io.BytesIO(line + last))
    first, second = client.messages()
    assert first["error"]["code"] == code and first["error"]["message"] and first["id"] == id
    assert second == {"jsonrpc": "2.0", "id": "next", "result": {}}


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "m"}},
        {"jsonrpc": "2.0", "method": "notifications/unknown"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": [1]}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}},
        {"jsonrpc": "2.0", "method": "tools/list"},
    ],
)
def test_answers_and_notifications_are_not_answered(client: Client, message: Any) -> None:
    client.session.take(json.dumps(message).encode())
    assert client.messages() == []


def test_a_client_that_is_gone_ends_nothing(client: Client) -> None:
    client.out.close()
    client.say("ping", id=1)


# -- tools ---------------------------------------------------------------------------------------------


def test_tools_are_those_of_the_api_with_its_descriptions(client: Client) -> None:
    client.say("tools/list", id=1)
    found = {one["name"]: one for one in client.answer(1)["result"]["tools"]}
    assert list(found) == list(TOOLS)
    assert {"base", "routes", "run", "run_own", "compare", "sensitivity", "why", "scenarios"} <= set(found)
    paths = description()["paths"]
    for name, one in found.items():
        endpoint = TOOLS[name]
        operation = paths[endpoint.path][endpoint.method.lower()]
        schema = one["inputSchema"]
        jsonschema.Draft202012Validator.check_schema(schema)
        assert one["description"] == operation["summary"] and one["annotations"]["readOnlyHint"]
        named = {each["name"]: each for each in operation["parameters"]}
        own = {"scenario"} if endpoint.takes_scenario else set()
        assert set(schema["properties"]) == {*named, *own, "part"}
        required = {each for each, of in named.items() if of["required"]} | own
        assert set(schema.get("required", ())) == required
        for each, of in named.items():
            assert schema["properties"][each] == of["schema"] | {"description": of["description"]}
    # What only changes the server or is for a browser is no tool.
    assert not [one.path for one in ENDPOINTS if one.tool and ("jobs" in one.path or one.method == "DELETE")]


@pytest.mark.parametrize(
    ("name", "arguments", "target"),
    [
        ("routes", ROUTES, "/api/routes?from=Chongqing&to=Duisburg&k=2"),
        ("routes", {**ROUTES, "mode": None}, "/api/routes?from=Chongqing&to=Duisburg&k=2"),
        ("places", {"q": "Алматы & co"}, "/api/places?q=%D0%90%D0%BB%D0%BC%D0%B0%D1%82%D1%8B%20%26%20co"),
        ("scenario", {"name": "cku-railway"}, "/api/scenarios/cku-railway"),
        ("table", {"table": "gateways"}, "/api/data/gateways"),
        ("routes", {"from": "Chongqing", "to": "Duisburgh"}, "/api/routes?from=Chongqing&to=Duisburgh"),
        ("routes", {**ROUTES, "zz": 1}, "/api/routes?from=Chongqing&to=Duisburg&k=2&zz=1"),
        ("places", {"q": "x" * 5_000}, "/api/places?q=" + "x" * 5_000),
        ("places", {"q": "\ud800"}, "/api/places?q=%ED%A0%80"),
        ("scenario", {"name": "../../x"}, "/api/scenarios/..%2F..%2Fx"),
        ("compare", {"a": "base", "b": "base"}, "/api/compare?a=base&b=base"),
    ],
)
def test_a_call_gives_the_json_of_the_address(client: Client, name: str, arguments: Any, target: str) -> None:
    client.call(1, name, arguments)
    found = client.answer(1)["result"]
    reply = client.session._service.answer(Request("GET", target, (("host", "localhost"),)))
    body, expected = found["structuredContent"], json.loads(reply.body)
    assert found["isError"] == (reply.status >= 400)
    assert json.loads(found["content"][0]["text"]) == body and found["content"][0]["type"] == "text"
    for one in (body, expected):
        one.get("manifest", {}).pop("run", None)
    assert body == expected


@pytest.mark.parametrize(
    ("name", "arguments", "where"),
    [
        ("routes", {"from": True, "to": 1.5}, ["parameter from", "parameter to"]),
        ("routes", {"from": ["a"], "to": {}}, ["parameter from", "parameter to"]),
        ("routes", {"from": "Chongqing"}, ["parameter to"]),
        ("scenario", {}, ["parameter name"]),
        ("scenario", {"name": None}, ["parameter name"]),
        ("run_own", {}, ["body"]),
        ("run_own", {"scenario": [1]}, ["body"]),
        ("run_own", {"scenario": {"name": "\ud800"}}, ["body, byte 10"]),
        ("run_own", {"scenario": {"name": "x" * MOST_BODY}}, ["body"]),
        ("run_own", {"scenario": OWN, "k": 1}, ["query"]),
        ("run_own", {"scenario": {**OWN, "extends": "/etc/passwd"}}, ["scenario, extends"]),
        ("routes", {**ROUTES, "part": "rutes"}, ["parameter part"]),
        ("routes", {**ROUTES, "part": "routes.0"}, ["parameter part"]),
        ("why", {"figure": "nothing of x"}, []),
    ],
)
def test_wrong_arguments_are_an_error_that_says_what_to_do(
    client: Client, name: str, arguments: Any, where: list[str]
) -> None:
    client.call(1, name, arguments)
    found = client.answer(1)["result"]
    assert found["isError"] and 400 <= found["structuredContent"]["error"]["status"] < 500
    faults = found["structuredContent"]["error"]["faults"]
    assert [one["where"] for one in faults] == where and all(one["cure"] for one in faults)


def test_a_part_of_a_result_is_all_that_is_sent(client: Client) -> None:
    client.call(1, "routes", {**ROUTES, "part": "routes"})
    found = client.answer(1)["result"]["structuredContent"]
    assert len(found["result"]) == 2 and found["manifest"] and found["status"]["converged"]
    client.call(2, "base", {"part": "task"})
    assert client.answer(2)["result"]["structuredContent"]["result"] == "base"
    client.call(3, "base", {"part": "x"})
    assert "task, rows" in json.dumps(client.answer(3)["result"])


def test_a_scenario_of_ones_own_is_solved(client: Client) -> None:
    client.call(1, "run_own", {"scenario": OWN})
    assert client.answer(1)["result"]["structuredContent"]["result"]["task"] == "run"
    (task,) = client.solver.asked
    assert task.words["scenario"]["modification"] == OWN["modification"]
    assert task.words["id"].startswith("posted-")


def test_a_fault_of_the_program_is_one_of_the_protocol(client: Client) -> None:
    client.call(1, "why", {"figure": "broken"})
    error = client.answer(1)["error"]
    assert error["code"] == -32603 and error["data"]["status"] == 500


# -- what takes long -----------------------------------------------------------------------------------

COMPARED = {"a": "base", "b": "cku-railway"}


def test_progress_rises_and_ends_with_the_answer(client: Client) -> None:
    client.call(1, "compare", COMPARED, _meta={"progressToken": "t"})
    assert client.solver.begun.wait(WAIT_S)
    until(lambda: client.messages())
    client.say("ping", id=2)  # is answered meanwhile
    assert client.answer(2)["result"] == {}
    time.sleep(0.35)  # some looks at a job that does not move
    client.solver.go.set()
    client.answer(1)
    *steps, last = [one for one in client.messages() if one.get("id") != 2]
    assert last["id"] == 1 and steps
    assert all(one["method"] == "notifications/progress" for one in steps)
    shares = [one["params"]["progress"] for one in steps]
    assert shares == sorted(set(shares)) and {one["params"]["progressToken"] for one in steps} == {"t"}


def test_a_cancelled_call_is_not_answered_and_its_job_ends(client: Client) -> None:
    client.call(1, "compare", COMPARED)
    client.call(2, "compare", COMPARED)
    assert client.solver.begun.wait(WAIT_S)
    client.say("notifications/cancelled", {"requestId": 1})
    desk = client.session._service.desk
    until(lambda: len(client.session._calls) != 2)
    # The other one still waits for the same job.
    assert desk.states()["running"] == 1 and not next(iter(desk._jobs.values())).cancelled.is_set()
    client.solver.go.set()
    assert client.answer(2)["result"]["isError"] is False
    client.solver.go.clear()
    client.call(3, "compare", {"a": "base", "b": "suez-closed"})
    until(lambda: len(client.solver.asked) >= 2)
    client.say("notifications/cancelled", {"requestId": 3})
    until(lambda: not client.session._calls)
    assert list(desk._jobs.values())[-1].cancelled.is_set()
    assert [one["id"] for one in client.messages()] == [2]


def test_a_cancelled_call_that_needs_no_job_is_not_answered(client: Client) -> None:
    with client.session._service.routing:
        client.call(1, "routes", ROUTES)
        client.say("notifications/cancelled", {"requestId": 1})
    until(lambda: not client.session._calls)
    client.end()
    assert client.messages() == []


def test_calls_that_wait_for_a_job_keep_no_other_waiting(client: Client) -> None:
    for id in range(MOST_WAITING - 1):
        client.call(id, "compare", COMPARED)
    assert client.solver.begun.wait(WAIT_S)
    client.call("quick", "version", {})
    assert client.answer("quick")["result"]["isError"] is False
    assert not client.solver.go.is_set()


def test_a_call_that_is_cancelled_before_it_begins_is_not_solved(client: Client) -> None:
    session = client.session
    call = _Call(1, None, cancelled=True)
    session._calls[1] = call
    session._call(call, TOOLS["compare"], COMPARED)
    assert not client.solver.asked and not client.messages()


def test_a_job_that_another_call_cancelled_is_asked_for_again(client: Client) -> None:
    service, outcome = client.session._service, client.session._service.outcome
    asked = []

    def cancelled_at_first(call: Any) -> Any:
        found = outcome(call)
        asked.append(found.job)
        if len(asked) == 1:
            service.desk.cancel(found.job)
            client.solver.go.set()
        return found

    service.outcome = cancelled_at_first  # type: ignore[method-assign]
    client.call(1, "compare", COMPARED)
    assert client.answer(1)["result"]["isError"] is False and len(asked) == 2


def test_an_id_is_not_used_twice_and_calls_are_bounded(client: Client) -> None:
    client.call(0, "compare", COMPARED)
    client.call(0, "ping", {})
    client.call(0, "why", {"figure": "x"})
    for id in range(1, MOST_WAITING + 1):
        client.call(id, "compare", COMPARED)
    refused = [one for one in client.messages() if "error" in one]
    assert [(one["id"], one["error"]["code"]) for one in refused] == [
        (0, -32602),
        (0, -32600),
        (MOST_WAITING, -32600),
    ]


def test_the_end_of_the_input_ends_what_is_solved(client: Client) -> None:
    client.call(1, "compare", COMPARED)
    assert client.solver.begun.wait(WAIT_S)
    threading.Timer(0.2, client.solver.go.set).start()
    client.session.run(io.BytesIO())
    assert client.messages() == []


# -- the command ---------------------------------------------------------------------------------------


def test_a_child_process_answers_over_pipes_and_prints_nothing_else() -> None:
    command = [sys.executable, "-m", "landbridge", "serve", "--mcp"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as child:
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None

        def ask(id: int, method: str, params: Any) -> Any:
            message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
            child.stdin.write(json.dumps(message) + "\n")  # type: ignore[union-attr]
            child.stdin.flush()  # type: ignore[union-attr]
            found = json.loads(child.stdout.readline())  # type: ignore[union-attr]
            assert found["id"] == id
            return found

        assert ask(1, "initialize", {"protocolVersion": VERSIONS[0]})["result"]["serverInfo"]
        assert ask(2, "tools/list", {})["result"]["tools"] == json.loads(json.dumps(listed()))
        routes = ask(3, "tools/call", {"name": "routes", "arguments": ROUTES})["result"]
        assert len(routes["structuredContent"]["result"]["routes"]) == 2 and not routes["isError"]
        assert ask(4, "nothing", {})["error"]["code"] == -32601
        child.stdin.close()
        assert child.stdout.read() == "" and child.wait(WAIT_S) == 0
        assert "Traceback" not in child.stderr.read()


def test_a_stdin_that_is_closed_ends_it_without_a_message() -> None:
    begin = "import sys; sys.stdin, sys.argv = None, ['landbridge', 'serve', '--mcp']; "
    command = [sys.executable, "-c", f"{begin}from landbridge.cli import main; main()"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert ended.returncode == 0 and ended.stdout == "" and len(ended.stderr.splitlines()) == 1


def test_what_else_is_printed_goes_to_stderr() -> None:
    begin = "import os, sys; from landbridge.server.mcp import _own_stdout; "
    inside = "exec('with _own_stdout() as out:\\n print(\"aside\")\\n out.write(b\"line\")'); print('after')"
    asked = {**os.environ, "PYTHONUNBUFFERED": ""}
    ended = subprocess.run(
        [sys.executable, "-c", begin + inside],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=True,
        env=asked,
    )
    assert ended.stdout.split() == ["lineafter"] and ended.stderr.split() == ["aside"]


@pytest.mark.parametrize(
    "more", [("--get", "/api/health"), ("--open",), ("--port", "9000"), ("--host", "::1")]
)
def test_it_is_not_asked_for_with_an_address(call: Call, more: tuple[str, ...]) -> None:
    code, out, err = call("serve", "--mcp", *more)
    assert code == 2 and not out and "--get" in err
