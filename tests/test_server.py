"""The server without a socket: bad requests, the same JSON as the commands, jobs, limits, headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import embedded
from commands import Call
from landbridge.errors import ConvergenceError, DataError, InfeasibleError
from landbridge.report.html.style import STYLE
from landbridge.server import guard as guards
from landbridge.server.bodies import MOST_LINKS, MOST_MODIFICATIONS
from landbridge.server.desk import MOST_JOBS, MOST_WAITING, Desk, Inline, Job, Kept
from landbridge.server.endpoints import ENDPOINTS, Following
from landbridge.server.exchange import Refusal, Reply, Request
from landbridge.server.guard import MOST_BODY, Guard
from landbridge.server.listen import Place
from landbridge.server.openapi import description
from landbridge.server.service import Service
from landbridge.server.tasks import Forms, Task
from landbridge.world import World

HOST = ("host", "localhost:8000")
JSON, TOML = ("content-type", "application/json"), ("content-type", "application/toml")
TOKEN = "a-token-of-many-characters"


def quick(task: Task, world: World, progress: Callable[[str, float], None]) -> Forms:
    """A solver for tests of everything around a solve."""
    progress("halfway", 0.5)
    if task.kind == "why" and "broken" in str(task.words):
        raise RuntimeError("a secret of the source")
    return {"json": json.dumps({"task": task.kind}), "html": "<p>", "geojson": "{}"}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service(embedded.world(), Desk(Inline(embedded.world(), quick)))
    yield made
    made.desk.close()


def ask(
    service: Service, target: str, *headers: tuple[str, str], method: str = "GET", body: bytes = b""
) -> Reply:
    return service.answer(Request(method, target, (HOST, *headers), body))


def post(service: Service, body: str | bytes, kind: tuple[str, str] = TOML) -> Reply:
    return ask(
        service, "/api/run", kind, method="POST", body=body.encode() if isinstance(body, str) else body
    )


def body_of(reply: Reply) -> Any:
    def no_constant(name: str) -> Any:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(reply.body, parse_constant=no_constant)


def refused(reply: Reply, *statuses: int) -> str:
    """The faults of a refusal, which has where, what and cure, and no trace of the source."""
    assert reply.status in (statuses or range(400, 500)), reply.body
    error = body_of(reply)["error"]
    assert error["status"] == reply.status and error["what"] and error["faults"]
    for fault in error["faults"]:
        assert fault["where"] and fault["what"] and fault["cure"], fault
    text = reply.body.decode()
    assert "Traceback" not in text and ".py" not in text
    return text


def scenario(*modifications: str, head: str = 'name = "mine"') -> str:
    return "\n".join([head, *(f"[[modification]]\n{one}" for one in modifications)])


HALF = 'verb = "change_gateway"\ngateway = "khorgos-altynkol"\ntime_h = { multiply = 0.5 }'
LINK = 'verb = "add_link"\nfrom = "Kashgar"\nto = "Osh"\nmode = "road"\nlength_km = 400'

# -- bad requests --------------------------------------------------------------------------------------

BAD_ADDRESSES = [
    ("/api/nothing", 404),
    ("/api", 404),
    ("/api/", 404),
    ("/nothing", 404),
    ("//", 404),
    ("/api/run/no-such", 404),
    ("/api/run/..%2f..%2fetc%2fpasswd", 404),
    ("/api/run/../../etc/passwd", 404),
    ("/api/run/mine.toml", 404),
    ("/api/run/a%0Ab", 404),
    ("/api/run/%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404),
    ("/api/run/base", 404),
    ("/api/scenarios/..%5C..%5Cx", 404),
    ("/api/data/..%2fSOURCES", 404),
    ("/api/data/nothing", 404),
    ("/api/data/%00", 404),
    ("/api/jobs/none", 404),
    ("/api/jobs/none/events", 404),
    ("/api/jobs/none/result", 404),
    ("/api/run/%ff", 400),
    ("/api/places", 400),
    ("/api/places?q=", 400),
    ("/api/places?q=a&q=b", 400),
    ("/api/places?q=%ff", 400),
    ("/api/places?q=a%0Ab", 400),
    ("/api/places?q=a&n=NaN", 400),
    ("/api/places?q=a&n=1e3", 400),
    ("/api/places?q=a&n=0", 400),
    ("/api/places?q=a&n=" + "9" * 50, 400),
    ("/api/places?q=" + "x" * 101, 400),
    ("/api/places?q=" + "x" * 5_000, 414),
    ("/api/health?x=1", 400),
    ("/?x=1", 400),
    ("/api/routes?from=Chongqing", 400),
    ("/api/routes?from=Chongqing&to=Duisburg&k=0", 400),
    ("/api/routes?from=Chongqing&to=Duisburg&mode=zeppelin", 400),
    ("/api/routes?from=Chongqing&to=Nowhere", 422),
    ("/api/routes?from=Chongqing&to=Chongqing", 422),
    ("/api/routes?from=Chongqing&to=Duisburg&commodity=XXX", 422),
    ("/api/routes?from=Chongqing&to=Duisburg&scenario=/etc/hosts.toml", 422),
    ("/api/routes?from=Chongqing&to=Duisburg&mode=road&product=block&commodity=MCH&k=99", 400),
    ("/api/compare?a=base", 400),
    ("/api/compare?a=base&b=base", 422),
    ("/api/compare?a=base&b=x.toml", 422),
    ("/api/sensitivity?of=nothing:KAZ", 422),
    ("/api/sensitivity?to=nothing", 400),
    ("/api/sensitivity?exact=1000", 400),
    ("/api/sensitivity?scenario=x.toml", 422),
    ("/api/why", 400),
    ("/api/why?figure=phi%20in%20x.toml", 422),
    ("/api/why?figure=phi%20in%20%2Fetc%2Fx.toml", 422),
    ("/api/network.geojson?flows=maybe", 400),
    ("/api/network.geojson?scenario=x.toml", 422),
    ("/api/words?lang=de", 400),
    ("/api/reach", 400),
    ("/api/ways?from=Chongqing", 400),
    ("/api/ways?from=Chongqing&to=Duisburg&scenario=x.toml", 422),
    ("/api/reach?from=Nowhere", 422),
    ("/api/jobs/none/network.geojson", 404),
    ("/map/nothing", 404),
    ("/map/..%2fservice.py", 404),
    ("no-slash", 400),
    ("/api/places?q=西", 400),
]


@pytest.mark.parametrize(("target", "status"), BAD_ADDRESSES)
def test_a_bad_address_is_refused_with_its_cure(service: Service, target: str, status: int) -> None:
    reply = ask(service, target)
    if target.startswith("/api") or not target.startswith("/"):
        refused(reply, status)
    else:
        assert reply.status == status and reply.kind.startswith("text/html")
    assert reply.kind == "application/json" or b"<script" not in reply.body
    assert b"Traceback" not in reply.body


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "x\ny"])
def test_another_method_is_refused_and_the_right_ones_named(service: Service, method: str) -> None:
    reply = ask(service, "/api/health", method=method)
    refused(reply, 405)
    assert reply.headers["Allow"] == "GET, HEAD"


BAD_BODIES: list[tuple[str | bytes, tuple[str, str], tuple[int, ...]]] = [
    (b"", JSON, (400,)),
    (b"{", JSON, (400,)),
    (b"[]", JSON, (400,)),
    (b"null", JSON, (400,)),
    (b"{}", JSON, (422,)),
    (b'{"name": NaN}', JSON, (400,)),
    (b'{"name": "a", "name": "b"}', JSON, (400,)),
    (b'{"name": "\\ud800", "modification": []}', JSON, (422,)),
    (b"[" * 100_000, JSON, (400,)),
    (b'{"a":' * 20_000, JSON, (400,)),
    (b"1" * 10_000, JSON, (400,)),
    (b"\xff\xfe", JSON, (400,)),
    (b"name = ", TOML, (400,)),
    (b"a = " + b"[" * 100_000, TOML, (400,)),
    ("a" + ".a" * 100_000 + " = 1", TOML, (400,)),
    ("# it's\n" + '""' + '.""' * 50_000 + " = 1 # '", TOML, (400,)),
    ("x = {a" + " . a" * 50_000 + " = 1}", TOML, (400,)),
    ('x = """a"""" # \\\na' + ".a" * 100_000 + ' = 1 # "', TOML, (400,)),
    ('"' + '\\"' * 100_000, TOML, (400,)),
    (scenario(HALF.replace("0.5", "nan")), TOML, (422,)),
    (scenario(HALF.replace("0.5", "inf")), TOML, (422,)),
    (scenario(HALF.replace("0.5", "1e400")), TOML, (422,)),
    (scenario(HALF, head='name = "a\\nb"'), TOML, (422,)),
    (scenario(HALF, head='name = "a\\u2028b"'), TOML, (422,)),
    (scenario(HALF, head=f'name = "{"x" * 1_000}"'), TOML, (422,)),
    (scenario(HALF.replace("khorgos-altynkol", "<b>none</b>")), TOML, (422,)),
    (scenario(*[HALF] * (MOST_MODIFICATIONS + 1)), TOML, (422,)),
    (scenario(*[LINK] * (MOST_LINKS + 1)), TOML, (422,)),
    (scenario(HALF, head='name = "m"\nextends = "/etc/mine.toml"'), TOML, (422,)),
    (scenario(HALF, head='name = "m"\nextends = "mine.toml"'), TOML, (422,)),
    (scenario(HALF, head='name = "m"\nextends = ["cku-railway"]'), TOML, (422,)),
    (scenario(HALF, head='name = "m"\nbase = "0000"'), TOML, (422,)),
    (b"x" * (MOST_BODY + 1), TOML, (413,)),
    (scenario(HALF), ("content-type", "text/plain"), (415,)),
    (scenario(HALF), ("content-type", "application/x-www-form-urlencoded"), (415,)),
    (scenario(HALF), ("content-type", "application/toml; charset=utf-16"), (415,)),
    (scenario(HALF), ("content-type", ""), (415,)),
]


@pytest.mark.parametrize("number", range(len(BAD_BODIES)))
def test_a_bad_body_is_refused_with_its_cure(service: Service, number: int) -> None:
    body, kind, statuses = BAD_BODIES[number]
    refused(post(service, body, kind), *statuses)


def test_a_body_that_is_compressed_is_refused(service: Service) -> None:
    for name in ("gzip", "br", "deflate, gzip"):
        reply = ask(service, "/api/run", JSON, ("content-encoding", name), method="POST", body=b"{}")
        refused(reply, 415)


def test_every_fault_of_a_scenario_is_listed(service: Service) -> None:
    wrong = HALF.replace("khorgos-altynkol", "khorgos-altinkol")
    reply = post(service, scenario(wrong, HALF.replace("multiply = 0.5", "multiply = -1")))
    text = refused(reply, 422)
    assert len(body_of(reply)["error"]["faults"]) == 2 and "khorgos-altynkol" in text


BAD_HEADERS = [
    ((("host", "evil.example"),), 403),
    ((("host", "evil.example:8000"),), 403),
    ((("host", "localhost.evil.example"),), 403),
    ((("host", "192.168.1.5:8000"),), 403),
    ((("host", ""),), 400),
    ((("host", "local host"),), 400),
    ((("host", "localhost:8000\r\nx: y"),), 400),
    ((("host", "localhost"), ("host", "localhost")), 400),
    ((), 400),
    ((HOST, ("origin", "https://evil.example")), 403),
    ((HOST, ("origin", "null")), 403),
    ((HOST, ("origin", "http://localhost:3000")), 403),
    ((HOST, ("origin", "http://localhost:8000.evil.example")), 403),
    ((HOST, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")), 403),
    (
        (
            HOST,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "iframe"),
        ),
        403,
    ),
    ((HOST, ("content-length", "-1")), 400),
    ((HOST, ("content-length", str(MOST_BODY + 1))), 413),
]


@pytest.mark.parametrize(("headers", "status"), BAD_HEADERS)
def test_requests_of_other_sites_are_refused(
    service: Service, headers: tuple[tuple[str, str], ...], status: int
) -> None:
    refused(service.answer(Request("GET", "/api/health", headers)), status)


@pytest.mark.parametrize(
    "headers",
    [
        (("host", "127.0.0.1:8000"),),
        (("host", "[::1]:8000"),),
        (("host", "LOCALHOST"),),
        (HOST, ("origin", "http://localhost:8000")),
        (HOST, ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")),
        (
            HOST,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ),
    ],
)
def test_requests_of_this_machine_are_answered(
    service: Service, headers: tuple[tuple[str, str], ...]
) -> None:
    assert service.answer(Request("GET", "/api/health", headers)).status == 200


# -- token and address ---------------------------------------------------------------------------------


def test_a_token_is_compared_in_constant_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    original = hmac.compare_digest

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return original(a, b)

    monkeypatch.setattr(guards.hmac, "compare_digest", compare)
    locked = Service(service.world, service.desk, Guard(token=TOKEN))
    basic = base64.b64encode(f"anyone:{TOKEN}".encode()).decode()
    for header, status in [
        (f"Bearer {TOKEN}", 200),
        (f"Basic {basic}", 200),
        ("Bearer wrong", 401),
        ("Basic ???", 401),
        (TOKEN, 401),
        ("", 401),
    ]:
        reply = ask(locked, "/api/health", ("authorization", header))
        assert reply.status == status, header
    assert len(compared) == 6 and all(b == TOKEN.encode() for _, b in compared)
    assert "WWW-Authenticate" in ask(locked, "/api/health").headers
    assert TOKEN.encode() not in ask(locked, "/api/health").body


@pytest.mark.parametrize(
    ("place", "faults"),
    [
        (Place("0.0.0.0"), 1),
        (Place("192.168.1.5", token=""), 2),
        (Place("0.0.0.0", token="short"), 1),
        (Place("127.0.0.1", token="short"), 1),
    ],
)
def test_an_open_address_needs_a_token(place: Place, faults: int) -> None:
    with pytest.raises(DataError) as raised:
        place.check()
    assert len(raised.value.faults) == faults


def test_a_server_of_every_address_accepts_addresses_but_no_other_name() -> None:
    open_, here = Place("0.0.0.0", token=TOKEN), Place()
    open_.check()
    here.check()
    assert open_.open and not here.open
    assert (open_.address(8000), here.address(1)) == ("http://127.0.0.1:8000/", "http://127.0.0.1:1/")
    assert Place("::", token=TOKEN).address(8000) == "http://[::1]:8000/"
    guard = open_.guard()
    allowed = ("authorization", f"Bearer {TOKEN}")
    guard.check(Request("GET", "/", (("host", "192.168.1.5:8000"), allowed)))
    with pytest.raises(Refusal, match="not a name"):
        guard.check(Request("GET", "/", (("host", "evil.example"), allowed)))


# -- the same as the commands --------------------------------------------------------------------------


def without_times(document: Any) -> Any:
    document["manifest"]["run"] = {}
    return document


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("route Chongqing Duisburg", "/api/routes?from=Chongqing&to=Duisburg"),
        (
            "route Xian Tashkent -k 3 --by time",
            "/api/routes?from=Xi%27an&to=%D0%A2%D0%B0%D1%88%D0%BA%D0%B5%D0%BD%D1%82&k=3&by=time",
        ),
        ("reach Almaty --commodity MET", "/api/reach?from=Almaty&commodity=MET"),
        ("ways Yiwu Tashkent", "/api/ways?from=Yiwu&to=Tashkent"),
        ("scenarios", "/api/scenarios"),
        ("scenarios cku-railway", "/api/scenarios/cku-railway"),
        ("data list", "/api/data"),
        ("data card gateways", "/api/data/gateways"),
        ("data card real_income", "/api/data/real_income"),
    ],
)
def test_an_address_gives_the_json_of_the_command(
    service: Service, call: Call, words: str, target: str
) -> None:
    code, out, _ = call(*words.split(), "--json")
    reply = ask(service, target)
    assert code == 0 and reply.status == 200, reply.body
    assert without_times(body_of(reply)) == without_times(json.loads(out))


def test_no_more_than_some_search_routes_at_a_time(service: Service) -> None:
    with service.turn(), service.turn(), service.turn():
        reply = ask(service, "/api/reach?from=Almaty")
    assert reply.status == 429 and reply.headers["Retry-After"] == "5"
    assert ask(service, "/api/reach?from=Almaty").status == 200
    with service.turn(), service.turn(), service.turn():
        assert ask(service, "/api/reach?from=Almaty").status == 200  # kept: it waits for nobody


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared study in place of a new solve."""

    study = embedded.railway()

    def iterate(world: World, scenarios: Any, **options: Any) -> Iterator[Any]:
        yield study.base
        if list(scenarios):
            yield study.cases[0]

    monkeypatch.setattr("landbridge.model.run.iterate", iterate)


@pytest.mark.usefixtures("solved")
def test_a_run_gives_the_json_of_the_command_and_a_page_of_the_same_document(call: Call) -> None:
    service = Service(embedded.world(), Desk(Inline(embedded.world())))
    code, out, _ = call("run", "cku-railway", "--json")
    reply = ask(service, "/api/run/cku-railway")
    assert code == 0 and reply.status == 200
    assert without_times(body_of(reply)) == without_times(json.loads(out))
    page = ask(service, "/run/cku-railway")
    assert page.status == 200 and page.kind.startswith("text/html")
    first = body_of(reply)["result"]["real_income"][0]
    assert f"{first['percent']:+.3f}".encode() in page.body
    assert ask(service, "/api/run/cku-railway").body == reply.body, "the second time it is kept"
    base = body_of(ask(service, "/api/base"))
    assert set(base["result"]) == {"base"} and base["result"]["base"]["gateways"]
    flows = body_of(ask(service, "/api/network.geojson?flows=yes"))["features"]
    largest = max(
        f["properties"].get("teu_per_year") or 0.0 for f in flows if f["properties"]["layer"] == "links"
    )
    assert largest > 1e5
    service.desk.close()


def test_the_network_has_places_links_and_gateways(service: Service) -> None:
    reply = ask(service, "/api/network.geojson")
    features = body_of(reply)["features"]
    layers = {one["properties"]["layer"] for one in features}
    world = service.world.network
    assert reply.kind == "application/geo+json" and layers == {"places", "links", "gateways"}
    assert len(features) == sum(len(world[name]) for name in ("places", "links", "gateways"))
    assert all(f["geometry"] for f in features if f["properties"]["layer"] != "gateways")


def test_places_are_found_by_a_part_of_their_name_in_any_script(service: Service) -> None:
    for part in ("alma", "%D0%B0%D0%BB%D0%BC%D0%B0", "ALM"):
        found = body_of(ask(service, f"/api/places?q={part}"))["result"]
        assert found[0]["name"].startswith("Almaty"), found
    assert body_of(ask(service, "/api/places?q=%2E"))["result"] == []


# -- jobs ----------------------------------------------------------------------------------------------


def test_a_scenario_that_is_sent_becomes_a_job(service: Service) -> None:
    reply = post(service, scenario(HALF, head='name = "<b>mine</b>"'))
    sent = body_of(reply)["result"]
    assert reply.status == 202 and reply.headers["Location"] == sent["self"]
    job = service.desk.job(sent["job"])
    assert job is not None and job.wait(10.0)
    assert body_of(ask(service, sent["self"]))["result"]["state"] == "done"
    assert body_of(ask(service, sent["result"])) == {"task": "run"}
    assert [name for name, _ in job.events] == ["progress", "done"]
    as_json = json.dumps(job.task.words["scenario"])
    again = body_of(post(service, as_json, JSON))["result"]
    assert again["state"] == "done" and again["job"] != sent["job"], "the result is kept by its hash"
    refused(ask(service, sent["self"], method="DELETE"), 409)
    events = service.outcome(service.call(Request("GET", sent["events"], (HOST,))))
    assert isinstance(events, Following) and events.job is job


class Slow:
    """A worker whose task goes on until it is cancelled or released."""

    def __init__(self) -> None:
        self.begun, self.free, self.closed = threading.Event(), threading.Event(), False

    def solve(self, task: Task, progress: Any, stop: Callable[[], bool]) -> Forms:
        from landbridge.server.desk import Stopped

        progress("waiting", 0.0)
        self.begun.set()
        while not stop():
            if self.free.wait(0.01):
                return {"json": "{}"}
        raise Stopped

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def slow() -> Iterator[tuple[Service, Slow]]:
    worker = Slow()
    service = Service(embedded.world(), Desk(worker))
    yield service, worker
    service.desk.close()
    assert worker.closed


def test_a_job_can_be_cancelled_while_it_waits_and_while_it_runs(slow: tuple[Service, Slow]) -> None:
    service, worker = slow
    running, waiting = (body_of(post(service, scenario(HALF, head=f'name = "{n}"')))["result"] for n in "ab")
    assert worker.begun.wait(10.0)
    refused(ask(service, running["result"]), 409)
    for one in (waiting, running):
        assert ask(service, one["self"], method="DELETE").status == 200
        job = service.desk.job(one["job"])
        assert job is not None and job.wait(10.0) and job.state == "cancelled"
        refused(ask(service, one["result"]), 409)
    refused(ask(service, running["self"], method="DELETE"), 409)


def test_jobs_and_results_are_bounded(slow: tuple[Service, Slow]) -> None:
    service, worker = slow
    desk = service.desk
    desk.submit(Task("first"))
    assert worker.begun.wait(10.0)
    for n in range(MOST_WAITING):
        desk.submit(Task("run", {"n": n}))
    with pytest.raises(Refusal) as raised:
        desk.submit(Task("run", {"n": "one more"}))
    assert raised.value.status == 429 and "Retry-After" in raised.value.headers
    assert desk.shared(Task("run", {"n": 3})) is desk.shared(Task("run", {"n": 3}))
    worker.free.set()
    desk.shared(Task("run", {"n": MOST_WAITING - 1})).wait(10.0)
    for _ in range(MOST_JOBS + 50):
        desk.submit(Task("first"))
    assert sum(desk.states().values()) <= MOST_JOBS + 1
    kept = Kept(100)
    for n in range(50):
        kept.put(str(n), {"json": "x" * 30})
    assert len(kept) == 3 and kept.get("49") and kept.get("0") is None
    kept.put("large", {"json": "x" * 101})
    assert len(kept) == 0


def test_jobs_that_have_ended_stay_known_up_to_the_limit(slow: tuple[Service, Slow]) -> None:
    service, worker = slow
    worker.free.set()
    assert service.desk.shared(Task("first")).wait(10.0)
    jobs = [service.desk.submit(Task("first")) for _ in range(MOST_JOBS)]
    assert all(service.desk.job(job.id) is job for job in jobs)


def test_two_who_ask_for_the_same_at_once_share_a_job() -> None:
    """The second asks while the first is still looking for a kept result."""
    found: list[Job] = []
    task = Task("run", {"scenario": "cku-railway"})
    second = threading.Thread(target=lambda: found.append(desk.shared(task)))

    class Interrupted(Kept):
        def get(self, key: str) -> Forms | None:
            if threading.current_thread() is not second and second.ident is None:
                second.start()
                second.join(0.3)
            return None

    worker = Slow()
    desk = Desk(worker, Interrupted())
    try:
        first = desk.shared(task)
        second.join(10.0)
        assert found == [first]
    finally:
        desk.close()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConvergenceError("no"), 422),
        (InfeasibleError("no"), 422),
        (Refusal.of(422, "job", "took longer than 1 s", "less"), 422),
        (RuntimeError("a secret of the source"), 500),
    ],
)
def test_a_solve_that_fails_is_reported_without_a_trace(error: Exception, status: int) -> None:
    def fail(task: Task, world: World, progress: Any) -> Forms:
        raise error

    service = Service(embedded.world(), Desk(Inline(embedded.world(), fail)))
    reply = ask(service, "/api/base")
    assert reply.status == status and b"secret" not in reply.body and b"Traceback" not in reply.body
    service.desk.close()


# -- headers, description, pages -----------------------------------------------------------------------


def test_every_reply_has_the_security_headers(service: Service) -> None:
    for target in ("/", "/api/health", "/api/nothing", "/nothing", "/api/network.geojson"):
        headers = ask(service, target).headers
        policy = headers["Content-Security-Policy"]
        assert (
            "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        )
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert not any(re.search(r"access-control", name, re.IGNORECASE) for name in headers)


def test_the_style_of_a_page_is_the_one_its_policy_allows(service: Service) -> None:
    page = ask(service, "/").body.decode()
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert style == STYLE and hashed in ask(service, "/").headers["Content-Security-Policy"]
    assert "<script" not in page and not re.search(r"\s(style|on\w+)=", page)
    assert not re.search(r"https?://", page), "nothing from elsewhere"


def test_every_link_of_the_first_page_works(service: Service) -> None:
    page = ask(service, "/").body.decode()
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', page)}
    assert len(links) > 30
    for link in links:
        assert ask(service, link).status == 200, link
    for endpoint in ENDPOINTS:
        assert endpoint.path in page


def test_the_page_of_routes_and_of_an_error_show_text_as_text(service: Service) -> None:
    page = ask(service, "/routes?from=Chongqing&to=Duisburg")
    assert page.status == 200 and b"Duisburg" in page.body and b"<table>" in page.body
    wrong = ask(service, "/routes?from=%3Cscript%3Ealert(1)%3C/script%3E&to=Duisburg")
    assert wrong.status == 422 and b"<script" not in wrong.body and b"&lt;script" in wrong.body


def test_the_description_holds_every_address_and_its_parameters() -> None:
    import jsonschema

    found = description()
    assert {(m.upper(), path) for path, of in found["paths"].items() for m in of} == {
        (one.method, one.path) for one in ENDPOINTS
    }
    ids = [operation["operationId"] for of in found["paths"].values() for operation in of.values()]
    assert len(ids) == len(set(ids))
    for schema in found["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    reply = found["components"]["schemas"]
    assert reply["Envelope"]["required"] == ["schema_version", "result", "status", "manifest"]


# -- any request ---------------------------------------------------------------------------------------

_WORDS = st.sampled_from(
    [
        "Chongqing",
        "Duisburg",
        "base",
        "cku-railway",
        "phi",
        "MCH",
        "",
        "5",
        "-1",
        "NaN",
        "..",
        "%2e%2e%2f",
        "a%0ab",
    ]
)
_TEXT = _WORDS | st.text(st.characters(codec="ascii"), max_size=12).map(
    lambda text: "".join(f"%{ord(c):02x}" for c in text)
)
_NAMES = st.sampled_from(sorted({p.name for one in ENDPOINTS for p in one.parameters})) | _TEXT
_QUERY = st.lists(st.tuples(_NAMES, _TEXT), max_size=4).map(
    lambda pairs: "&".join("=".join(one) for one in pairs)
)
_PATH = st.sampled_from([one.path for one in ENDPOINTS if one.path not in ("/api/why", "/api/openapi.json")])
_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["host", "origin", "content-type", "content-length", "content-encoding", "authorization"]
        ),
        st.sampled_from(["localhost", "null", "application/toml", "application/json", "gzip", "7"])
        | st.text(max_size=9),
    ),
    max_size=3,
)
_JSON_BODY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "modification", "verb", "extends", "pairs", "gateway"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "DELETE", "PUT"]),
    _PATH,
    _TEXT,
    _QUERY,
    _HEADERS,
    st.binary(max_size=40) | _JSON_BODY,
)
def test_no_request_ends_in_a_fault_of_the_program(
    service: Service, method: str, path: str, part: str, query: str, headers: Any, body: bytes
) -> None:
    target = re.sub(r"{\w+}", lambda _: part, path) + (f"?{query}" if query else "")
    request = Request(method, target, (HOST, *headers), body)
    reply = service.answer(request)
    assert reply.status < 500
    if reply.status >= 400:
        refused(reply)
