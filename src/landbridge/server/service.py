"""From a request to what is sent back: checks, the address, its parameters, its answer.

The same with a socket (`landbridge.server.asgi`) and without (`Service.answer`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from landbridge.answers.data_tables import listed_tables, table_card
from landbridge.answers.envelope import envelope, when
from landbridge.errors import Fault, LandbridgeError, Status, did_you_mean
from landbridge.io.tables import attribution
from landbridge.report.exports import network_geojson
from landbridge.report.html.coast import land_geojson
from landbridge.results.manifest import manifest
from landbridge.scenario import bundled, load_scenario, project_scenarios
from landbridge.server.app import app_file
from landbridge.server.bodies import check_encoding, check_type, scenario_of
from landbridge.server.desk import Desk, Kept, internal
from landbridge.server.endpoints import ENDPOINTS, Endpoint, Following, Outcome, Waiting, no_scenario
from landbridge.server.exchange import HTML, JSON, Refusal, Reply, Request, json_reply, utf8
from landbridge.server.guard import Guard, security_headers
from landbridge.server.pages import error_page, first_page
from landbridge.server.parameters import Parameter, read, text_of
from landbridge.server.places import Gazetteer
from landbridge.server.tasks import Forms, Task
from landbridge.world import World

__all__ = ["Call", "Service"]

# Characters of routes that are kept.
_MOST_ROUTES = 16_000_000
# Requests that search routes, with those that wait for them: each holds one of the threads that answer.
_MOST_SEARCHES = 3


@dataclass(frozen=True)
class Call:
    """A request whose address is known.

    endpoint: None for the first page and the map; values: parameters by name; form: json or html; kind: media
    type of the body, "" where none is read.
    """

    endpoint: Endpoint | None
    values: Mapping[str, Any]
    form: str
    kind: str = ""


class Service:
    """Answers requests over one World.

    world: the base; desk: solves what takes long; guard: which requests are refused at once.
    """

    def __init__(self, world: World, desk: Desk, guard: Guard | None = None) -> None:
        self.world, self.desk, self.guard = world, desk, guard or Guard()
        # Apart from what is solved, which routes must not push out.
        self.routing, self.routes = threading.Lock(), Kept(_MOST_ROUTES)
        self.searching, self._turns = threading.Lock(), threading.BoundedSemaphore(_MOST_SEARCHES)
        self.headers = security_headers()
        # Of known tables only, so that it stays small.
        self._cards: dict[str, tuple[str, dict[str, Any]]] = {}

    # -- a request ---------------------------------------------------------------------------------------

    def call(self, request: Request) -> Call:
        """The address of a request, before its body is read. Raises Refusal."""
        self.guard.check(request)
        path, _, query = request.target.partition("?")
        if not path.startswith("/") or not request.target.isascii():
            raise Refusal.of(400, "path", "does not begin with / or is not encoded", "write /api/health")
        parts = [text_of(part, "path") for part in path.split("/")[1:]]
        if parts == [""]:
            _need_method(request, {"GET"})
            read(query, ())
            return Call(None, {}, "html")
        if parts[0] == "map" and len(parts) < 3:
            _need_method(request, {"GET"})
            read(query, ())
            return Call(None, {"file": "".join(parts[1:])}, "html")
        form = "json" if parts[0] == "api" else "html"
        endpoint, named = _found(["api", *parts] if form == "html" else parts, form, request, path)
        values = {**read(query, endpoint.parameters), **named}
        kind = ""
        if endpoint.takes_scenario:
            check_encoding(request.header("content-encoding"))
            kind = check_type(request.header("content-type"))
        return Call(endpoint, values, form, kind)

    def outcome(self, call: Call, body: bytes = b"") -> Outcome:
        """What is sent back for a call. Raises Refusal, LandbridgeError as the command does.

        body: of the request, read where the endpoint takes a scenario.
        """
        if call.endpoint is None and "file" in call.values:
            return app_file(call.values["file"])
        if call.endpoint is None:
            return Reply(200, utf8(self.first), HTML)
        values = dict(call.values)
        if call.endpoint.takes_scenario:
            values["body"] = scenario_of(body, call.kind, self.world)
        return call.endpoint.answer(self, values, call.form)

    def answer(self, request: Request) -> Reply:
        """The reply to a request without a socket: waits for a job; its events come all at once."""
        try:
            found = self.outcome(self.call(request), request.body)
            if isinstance(found, Waiting):
                found.job.wait()
                return self.ended(found)
            if isinstance(found, Following):
                found.job.wait()
                return self.finished(Reply(200, b"", "text/event-stream"))
            return self.finished(found)
        except Exception as error:
            return self.refused(error, request)

    def ended(self, waiting: Waiting) -> Reply:
        """The reply of a job that has ended. Raises Refusal where it failed.

        waiting: of `outcome`.
        """
        forms = {waiting.form: waiting.job.text(waiting.form)}
        return self.finished(self.shown(forms, waiting.form, waiting.kind))

    def refused(self, error: Exception, request: Request) -> Reply:
        """The reply to a request that cannot be answered: a page for that of a page, else JSON.

        error: a Refusal, an error of the library (422), or any other (500).
        """
        if isinstance(error, Refusal):
            refusal = error
        elif isinstance(error, LandbridgeError):
            refusal = Refusal.by(error)
        else:
            refusal = internal(error)
        reply = refusal.reply()
        if request.target.startswith("/") and not request.target.startswith("/api"):
            reply = replace(reply, body=utf8(error_page(refusal)), kind=HTML)
        return self.finished(reply)

    def finished(self, reply: Reply) -> Reply:
        """The reply with the headers of every reply."""
        return replace(reply, headers={**self.headers, **reply.headers})

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A place among the requests that search routes. Raises Refusal where all are taken."""
        if not self._turns.acquire(blocking=False):
            cure = "try again in some seconds"
            raise Refusal.of(429, "server", "other routes are being searched", cure, {"Retry-After": "5"})
        try:
            yield
        finally:
            self._turns.release()

    # -- for endpoints -----------------------------------------------------------------------------------

    def read(
        self,
        result: Any,
        command: str,
        options: Mapping[str, Any],
        about: str = "nothing to solve",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A result that was read, not solved, as JSON in the form of every `--json`.

        result: plain values; command, options: for the manifest; about: message of the status of the solve;
        status, headers: of the reply.
        """
        made = {**self._manifest, "command": command, "options": dict(options)}
        made["run"] = when(time.perf_counter())
        return json_reply(status, envelope(result, Status(True, 0.0, 0, about), made), headers)

    def shown(self, forms: Forms, form: str, kind: str = JSON) -> Reply:
        """A text in the form asked for; forms: texts by form; kind: media type of all but a page."""
        return Reply(200, utf8(forms[form]), HTML if form == "html" else kind)

    def solved(self, task: Task, form: str, kind: str = JSON) -> Outcome:
        """The outcome of a task in a form: at once where it is kept, else that of a job.

        kind: media type of all but a page.
        """
        forms = self.desk.kept.get(task.key)
        if forms is not None:
            return self.shown(forms, form, kind)
        return Waiting(self.desk.shared(task), form, kind)

    def scenario(self, name: str, status: int = 404) -> str:
        """The name of a scenario that comes with landbridge; no other text is used as one.

        status: of the refusal. Raises Refusal for an unknown name.
        """
        if name not in self._names:
            raise no_scenario(name, self._names, status)
        return name

    @cached_property
    def scenarios(self) -> dict[str, Any]:
        """The scenarios that come with landbridge in full by name, those of projects too."""
        return {name: load_scenario(name).to_dict() for name in self._names}

    @cached_property
    def bundled(self) -> dict[str, Any]:
        """Those of `landbridge scenarios`."""
        return {name: self.scenarios[name] for name in bundled()}

    def table(self, name: str) -> tuple[str, dict[str, Any]]:
        """Name and card of a table, by its name. Raises DataError for an unknown one."""
        if name not in self._cards:
            self._cards[name] = table_card(self.world, name)
        return self._cards[name]

    @cached_property
    def listed(self) -> list[dict[str, Any]]:
        """Every table of the data."""
        return listed_tables(self.world)

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """The places by name."""
        return Gazetteer(self.world)

    @cached_property
    def first(self) -> str:
        """The first page."""
        return first_page(self.world, {name: one["name"] for name, one in self.bundled.items()})

    @cached_property
    def network(self) -> str:
        """The network without flows as GeoJSON."""
        return network_geojson(self.world, attribution(self.world.files))

    @cached_property
    def land(self) -> str:
        """The land as GeoJSON."""
        return land_geojson()

    @cached_property
    def _names(self) -> list[str]:
        return [*bundled(), *project_scenarios()]

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        return manifest(self.world, "serve")


def _found(parts: list[str], form: str, request: Request, path: str) -> tuple[Endpoint, dict[str, str]]:
    """The endpoint of a path and the parameters in it. Raises Refusal: 404, or 405 for another method."""
    fitting = []
    for endpoint in ENDPOINTS:
        named = _fits(endpoint, parts)
        if named is not None and (form == "json" or endpoint.page):
            fitting.append((endpoint, named))
    if not fitting:
        known = [one.path for one in ENDPOINTS if form == "json" or one.page]
        paths = known if form == "json" else [path.removeprefix("/api") for path in known]
        cure = did_you_mean(path[:80], paths) or "/ lists every address"
        raise Refusal.of(404, "path", f"no address {path[:80]!r}", cure)
    _need_method(request, {endpoint.method for endpoint, _ in fitting})
    method = "GET" if request.method == "HEAD" else request.method
    found, named = next((e, n) for e, n in fitting if e.method == method)
    values = {name: Parameter(name, "").value(text) for name, text in named.items()}
    faults = [one for one in values.values() if isinstance(one, Fault)]
    if faults:
        raise Refusal(404, "no such address", faults)
    return found, named


def _fits(endpoint: Endpoint, parts: list[str]) -> dict[str, str] | None:
    """The parameters in a path that is one of an endpoint, None where it is not."""
    wanted = endpoint.path.split("/")[1:]
    if len(wanted) != len(parts):
        return None
    named = {want[1:-1]: part for want, part in zip(wanted, parts, strict=True) if want.startswith("{")}
    same = all(want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=True))
    return named if same else None


def _need_method(request: Request, methods: set[str]) -> None:
    allowed = methods | ({"HEAD"} if "GET" in methods else set())
    if request.method not in allowed:
        listed = ", ".join(sorted(allowed))
        raise Refusal.of(405, "method", f"is {request.method[:20]!r}", f"use {listed}", {"Allow": listed})
