"""The addresses of the API: one list for answering, for the description of the API and for the first page.

An address below /api gives JSON. Those with `page` give the same document as a page without /api.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.ranges import shipped_ranges
from landbridge.phrases import LANGUAGES
from landbridge.server.app import words
from landbridge.server.exchange import JSON, Refusal, Reply, utf8
from landbridge.server.parameters import Parameter
from landbridge.server.tasks import Forms, Task, forms_of, run_task

if TYPE_CHECKING:
    from landbridge.answers.protocol import Answer
    from landbridge.server.desk import Job
    from landbridge.server.service import Service

__all__ = ["ENDPOINTS", "Endpoint", "Following", "Outcome", "Waiting"]

MODES, ORDERS = ("multimodal", "sea", "rail", "road"), ("time", "cost", "co2e")
TARGETS = ("arcs", "gateways", "tariffs", "productivity", "parameters", "cells")
_GEOJSON = "application/geo+json"
_FLOWS = "flows of a year in the pipelines"
_READ = "tables are read and checked, nothing is solved"
_MOST_ROUTES, _MOST_EXACT = 50, 25


@dataclass(frozen=True)
class Waiting:
    """A reply that comes once a job is done: its text in a form; kind: media type of all but a page."""

    job: Job
    form: str
    kind: str = JSON


@dataclass(frozen=True)
class Following:
    """A reply that lists the events of a job as they happen, as server-sent events."""

    job: Job


Outcome = Reply | Waiting | Following
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """An address. path: parts in braces are parameters; about: what it gives; answer: makes the outcome.

    method: of HTTP; parameters: of the query; page: whether it is also a page; takes_scenario: whether a body
    is read; status: of success; kind: media type of success; example: an address to try; tool: its name as a
    tool of `landbridge.server.mcp`, empty where it is none.
    """

    method: str
    path: str
    about: str
    answer: Callable[[Service, Values, str], Outcome]
    parameters: tuple[Parameter, ...] = ()
    page: bool = False
    takes_scenario: bool = False
    status: int = 200
    kind: str = JSON
    example: str = ""
    tool: str = ""

    @property
    def in_path(self) -> list[Parameter]:
        """The parameters of the path."""
        names = [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
        return [Parameter(name, _IN_PATH[name], required=True) for name in names]


# -- what is read --------------------------------------------------------------------------------------


def _health(service: Service, values: Values, form: str) -> Outcome:
    result = {"alive": True, "jobs": service.desk.states(), "kept": len(service.desk.kept)}
    return service.read(result, "serve", {})


def _version(service: Service, values: Values, form: str) -> Outcome:
    from landbridge.version import version

    result = {"landbridge": version(), "world": service.world.hash, "api": "0.1"}
    return service.read(result, "serve", {})


def _scenarios(service: Service, values: Values, form: str) -> Outcome:
    return service.read(service.bundled, "scenarios", {})


def _scenario(service: Service, values: Values, form: str) -> Outcome:
    name = service.scenario(values["name"])
    return service.read({name: service.scenarios[name]}, "scenarios", {})


def _places(service: Service, values: Values, form: str) -> Outcome:
    found = service.gazetteer.named(values["q"], values["n"])
    return service.read(found, "places", {"q": values["q"], "n": values["n"]})


def _tables(service: Service, values: Values, form: str) -> Outcome:
    return service.read(service.listed, "data list", {}, _READ)


def _table(service: Service, values: Values, form: str) -> Outcome:
    try:
        table, result = service.table(values["table"])
    except DataError as error:
        raise Refusal(404, error.message, error.faults) from None
    return service.read(result, "data card", {"table": table}, _READ)


def _routes(service: Service, values: Values, form: str) -> Outcome:
    from landbridge.answers.route import routes_between
    from landbridge.answers.studies import routed
    from landbridge.transport.legs import Trip

    scenario = None if values["scenario"] is None else service.scenario(values["scenario"], 422)

    def answer() -> Answer:
        given = (values[key] for key in ("from", "to", "commodity", "k", "mode", "product"))
        routes, options = routes_between(service.world, Trip(*given), values["by"], scenario)
        return routed(service.world, routes, options)

    return _kept(service, service.routing, "routes", values, form, answer)


def _reach(service: Service, values: Values, form: str) -> Outcome:
    from landbridge.answers.ways import reach

    return _searched(
        service, "reach", values, form, lambda: reach(service.world, values["from"], values["commodity"])
    )


def _ways(service: Service, values: Values, form: str) -> Outcome:
    from landbridge.answers.ways import ways

    scenario = None if values["scenario"] is None else service.scenario(values["scenario"], 422)
    ends = values["from"], values["to"], values["commodity"]
    return _searched(
        service,
        "ways",
        values,
        form,
        lambda: ways(service.world, *ends, product=values["product"], scenario=scenario),
    )


def _searched(
    service: Service, what: str, values: Values, form: str, answer: Callable[[], Answer]
) -> Outcome:
    """An answer whose routes are searched, which takes seconds. Raises Refusal where others wait already."""
    forms = service.routes.get(Task(what, dict(values)).key)
    if forms is not None:
        return service.shown(forms, form)
    with service.turn():
        return _kept(service, service.searching, what, values, form, answer)


def _kept(
    service: Service, lock: Lock, what: str, values: Values, form: str, answer: Callable[[], Answer]
) -> Outcome:
    """An answer found one at a time, and kept; lock: held meanwhile; what: its name."""

    def find() -> Forms:
        begin = time.perf_counter()
        return forms_of(answer(), begin)

    return service.shown(_once(service, lock, Task(what, dict(values)), find), form)


def _once(service: Service, lock: Lock, task: Task, find: Callable[[], Forms]) -> Forms:
    """The texts of a task, found where they are not kept."""
    with lock:
        forms = service.routes.get(task.key)
        if forms is None:
            forms = find()
            service.routes.put(task.key, forms)
    return forms


def _gas(service: Service, values: Values, form: str) -> Outcome:
    from landbridge.channels.gas_deliveries import deliveries

    def find() -> Forms:
        return {"json": service.read(deliveries(service.world), "gas", {}, _FLOWS).body.decode()}

    return service.shown(_once(service, service.routing, Task("gas"), find), "json")


def _network(service: Service, values: Values, form: str) -> Outcome:
    if values["scenario"] is not None:
        task = Task("run", {"scenario": service.scenario(values["scenario"], 422)})
        return service.solved(task, "geojson", _GEOJSON)
    if values["flows"] == "yes":
        return service.solved(Task("base"), "geojson", _GEOJSON)
    return Reply(200, utf8(service.network), _GEOJSON)


def _land(service: Service, values: Values, form: str) -> Outcome:
    return Reply(200, utf8(service.land), _GEOJSON)


def _words(service: Service, values: Values, form: str) -> Outcome:
    return service.read(words(service.world, values["lang"]), "words", {"lang": values["lang"]})


def _ranges(service: Service, values: Values, form: str) -> Outcome:
    found = {
        name: shipped_ranges(service.world.hash, name, body)
        for name, body in service.bundled.items()
        if "modification" in body
    }
    return service.read({name: rows for name, rows in found.items() if rows}, "ranges", {}, _READ)


def _openapi(service: Service, values: Values, form: str) -> Outcome:
    from landbridge.server.openapi import description_text

    return Reply(200, utf8(description_text()))


# -- what is solved ------------------------------------------------------------------------------------


def _base(service: Service, values: Values, form: str) -> Outcome:
    return service.solved(Task("base"), form)


def _run(service: Service, values: Values, form: str) -> Outcome:
    return service.solved(Task("run", {"scenario": service.scenario(values["scenario"])}), form)


def _compare(service: Service, values: Values, form: str) -> Outcome:
    a, b = (one if one == "base" else service.scenario(one, 422) for one in (values["a"], values["b"]))
    if a == b:
        raise Refusal.of(422, "parameter b", "is the same as a", "name two scenarios")
    return service.solved(Task("compare", {"a": a, "b": b}), form)


def _sensitivity(service: Service, values: Values, form: str) -> Outcome:
    from landbridge.trade.welfare import parse_outcome

    parse_outcome(values["of"], service.world.trade)
    if values["scenario"] is not None:
        service.scenario(values["scenario"], 422)
    return service.solved(Task("sensitivity", dict(values)), form)


def _why(service: Service, values: Values, form: str) -> Outcome:
    from landbridge.studies.why import Question

    asked = Question.read(values["figure"]).scenario
    if asked not in ("", "base"):
        service.scenario(asked, 422)
    return service.solved(Task("why", dict(values)), form)


# -- jobs ----------------------------------------------------------------------------------------------


def _post(service: Service, values: Values, form: str) -> Outcome:
    scenario = values["body"]
    job = service.desk.submit(run_task(values["range"], scenario=scenario.to_dict(), id=scenario.id))
    headers = {"Location": f"/api/jobs/{job.id}"}
    return service.read(_links(job), "run", {"scenario": scenario.id}, status=202, headers=headers)


def _post_bundled(service: Service, values: Values, form: str) -> Outcome:
    name = service.scenario(values["scenario"])
    job = service.desk.submit(run_task(values["range"], scenario=name))
    headers = {"Location": f"/api/jobs/{job.id}"}
    return service.read(_links(job), "run", {"scenario": name}, status=202, headers=headers)


def _job(service: Service, values: Values, form: str) -> Outcome:
    return service.read(_links(_known(service, values)), "run", {})


def _cancel(service: Service, values: Values, form: str) -> Outcome:
    job = _known(service, values)
    if not service.desk.cancel(job):
        raise Refusal.of(409, "job", f"has ended: {job.state}", "there is nothing to cancel")
    return service.read(_links(job), "run", {})


def _events(service: Service, values: Values, form: str) -> Outcome:
    return Following(_known(service, values))


def _result(service: Service, values: Values, form: str) -> Outcome:
    return service.shown({form: _ended(service, values).text(form)}, form)


def _result_network(service: Service, values: Values, form: str) -> Outcome:
    return service.shown({"geojson": _ended(service, values).text("geojson")}, "geojson", _GEOJSON)


def _ended(service: Service, values: Values) -> Job:
    """The job of an address, which has ended. Raises Refusal."""
    job = _known(service, values)
    if not job.ended:
        cure = f"ask /api/jobs/{job.id} until its state is done"
        raise Refusal.of(409, "job", f"is {job.state}", cure, {"Retry-After": "2"})
    return job


def _known(service: Service, values: Values) -> Job:
    job = service.desk.job(values["id"])
    if job is None:
        cure = "send the scenario again; jobs are forgotten once the server ends or many others have ended"
        raise Refusal.of(404, "job", f"no job {values['id'][:40]!r}", cure)
    return job


def _links(job: Job) -> dict[str, Any]:
    here = f"/api/jobs/{job.id}"
    return job.to_json() | {"self": here, "events": f"{here}/events", "result": f"{here}/result"}


def no_scenario(name: str, known: list[str], status: int) -> Refusal:
    """The refusal of an unknown scenario, with near names."""
    cure = did_you_mean(name[:80], known) or "/api/scenarios lists them; POST /api/run takes one of your own"
    fault = Fault("scenario", f"no scenario {name[:80]!r}", cure)
    return Refusal(status, "unknown scenario", [fault])


_NAMED = "a scenario that comes with landbridge, such as cku-railway"
_RANGE = Parameter(
    "range",
    "whether real income is solved at both ends of the range of phi_b too, which takes two more solves",
    "yes",
    allowed=("yes", "no"),
)
_SCENARIO = Parameter("scenario", f"{_NAMED}; the base where left out")
# Parameters of paths.
_IN_PATH = {
    "name": _NAMED,
    "scenario": _NAMED,
    "table": "a table of the data, such as gateways",
    "id": "the id of a job",
}
_TRIP = (
    Parameter("from", "a place by name (en, ru, zh) or id", required=True),
    Parameter("to", "another place", required=True),
    Parameter("commodity", "a sector by code or name", "MCH"),
    Parameter("k", "the number of routes", 5, least=1, most=_MOST_ROUTES),
    Parameter("mode", "only this class of routes", allowed=MODES),
    Parameter("by", "least hours, money or emissions first; largest share where left out", allowed=ORDERS),
    Parameter("product", "rail legs by container train or wagonload", allowed=("block", "wagonload")),
    _SCENARIO,
)
_JOB = "/api/jobs/{id}"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/api/health", "whether the server answers, and how many jobs there are", _health),
    Endpoint(
        "GET",
        "/api/version",
        "the version of landbridge and the hash of the World",
        _version,
        tool="version",
    ),
    Endpoint(
        "GET",
        "/api/scenarios",
        "the scenarios that come with landbridge, in full",
        _scenarios,
        tool="scenarios",
    ),
    Endpoint(
        "GET",
        "/api/scenarios/{name}",
        "one scenario in full",
        _scenario,
        example="/api/scenarios/cku-railway",
        tool="scenario",
    ),
    Endpoint(
        "GET",
        "/api/places",
        "places by a part of their name in English, Russian or Chinese",
        _places,
        (
            Parameter("q", "a part of a name, or an id", required=True),
            Parameter("n", "the number of places", 20, least=1, most=100),
        ),
        example="/api/places?q=alma",
        tool="places",
    ),
    Endpoint(
        "GET",
        "/api/routes",
        "routes between two places, leg by leg: hours, USD and kg CO2e per TEU, and shares",
        _routes,
        _TRIP,
        page=True,
        example="/api/routes?from=Chongqing&to=Duisburg",
        tool="routes",
    ),
    Endpoint(
        "GET",
        "/api/reach",
        "hours, money and emissions door to door from a zone to every other",
        _reach,
        (_TRIP[0], _TRIP[2]),
        page=True,
        example="/api/reach?from=Almaty",
        tool="reach",
    ),
    Endpoint(
        "GET",
        "/api/ways",
        "ways between two places that carry little or nothing, each with the reason",
        _ways,
        tuple(one for one in _TRIP if one.name not in ("k", "mode", "by")),
        page=True,
        example="/api/ways?from=Chongqing&to=Duisburg",
        tool="ways",
    ),
    Endpoint("GET", "/api/gas", "pipeline gas of a year by contract, with its lines and sources", _gas),
    Endpoint(
        "GET",
        "/api/network.geojson",
        "places, links and gateways; with flows=yes those of the solved base",
        _network,
        (
            Parameter(
                "flows",
                "whether with the flows of the base, which is then solved",
                "no",
                allowed=("no", "yes"),
            ),
            Parameter("scenario", f"{_NAMED}: its flows and their change against the base"),
        ),
        kind=_GEOJSON,
    ),
    Endpoint("GET", "/api/land.geojson", "the land as polygons (Natural Earth)", _land, kind=_GEOJSON),
    Endpoint(
        "GET",
        "/api/words",
        "words and names that the map shows, in one language",
        _words,
        (Parameter("lang", "the language", "en", allowed=LANGUAGES),),
        example="/api/words?lang=ru",
    ),
    Endpoint(
        "GET",
        "/api/ranges",
        "percentiles of real income by scenario and region that come with the data",
        _ranges,
        tool="ranges",
    ),
    Endpoint(
        "GET",
        "/api/base",
        "the solved base: corridors, gateways, trade and transit of the world as it was",
        _base,
        page=True,
        tool="base",
    ),
    Endpoint(
        "GET",
        "/api/run/{scenario}",
        "a scenario that comes with landbridge, solved: real income, trade, corridors and gateways, "
        "and their change against the base",
        _run,
        page=True,
        example="/api/run/cku-railway",
        tool="run",
    ),
    Endpoint(
        "POST",
        "/api/run",
        "a scenario of your own, sent as TOML or JSON and solved as a job",
        _post,
        (_RANGE,),
        takes_scenario=True,
        status=202,
        tool="run_own",
    ),
    Endpoint(
        "POST",
        "/api/run/{scenario}",
        "a scenario that comes with landbridge, solved as a job",
        _post_bundled,
        (_RANGE,),
        status=202,
    ),
    Endpoint("GET", _JOB, "state and progress of a job", _job),
    Endpoint("DELETE", _JOB, "cancel a job", _cancel),
    Endpoint(
        "GET", f"{_JOB}/events", "progress of a job as server-sent events", _events, kind="text/event-stream"
    ),
    Endpoint("GET", f"{_JOB}/result", "the result of a job that is done", _result, page=True),
    Endpoint(
        "GET",
        f"{_JOB}/network.geojson",
        "links and gateways with the flows of a job that is done, and their change against the base",
        _result_network,
        kind=_GEOJSON,
    ),
    Endpoint(
        "GET",
        "/api/compare",
        "two scenarios side by side; base for the world without changes",
        _compare,
        (Parameter("a", "a scenario, or base", required=True), Parameter("b", "another", required=True)),
        page=True,
        example="/api/compare?a=cku-railway&b=borders-half",
        tool="compare",
    ),
    Endpoint(
        "GET",
        "/api/sensitivity",
        "what an hour, a dollar or a unit of capacity is worth",
        _sensitivity,
        (
            Parameter(
                "of", "whose gain: real_income:KAZ, CA5, wage:KAZ or flow:CHN:KAZ:MCH", "real_income:CA5"
            ),
            Parameter("to", "what is changed", "gateways", allowed=TARGETS),
            Parameter("exact", "how many of the largest are solved exactly", 10, least=0, most=_MOST_EXACT),
            _SCENARIO,
        ),
        page=True,
        example="/api/sensitivity?of=real_income:KAZ&to=gateways",
        tool="sensitivity",
    ),
    Endpoint(
        "GET",
        "/api/why",
        "where a figure is from",
        _why,
        (Parameter("figure", "FIGURE [of ID] [in SCENARIO]", required=True, longest=200),),
        page=True,
        example="/api/why?figure=time_h%20of%20khorgos-altynkol",
        tool="why",
    ),
    Endpoint("GET", "/api/data", "the tables of the data", _tables, tool="tables"),
    Endpoint(
        "GET",
        "/api/data/{table}",
        "the card of a table: sources, licences, columns, weaknesses",
        _table,
        example="/api/data/gateways",
        tool="table",
    ),
    Endpoint("GET", "/api/openapi.json", "the description of this API (OpenAPI 3.1)", _openapi),
)
