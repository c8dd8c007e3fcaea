"""The tools of the Model Context Protocol: addresses of the API, whose arguments become a request to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from landbridge.errors import Fault, did_you_mean
from landbridge.scenario import json_schema
from landbridge.server.bodies import TYPES
from landbridge.server.endpoints import ENDPOINTS, Endpoint
from landbridge.server.exchange import Refusal, Reply, Request, json_reply
from landbridge.server.guard import LOOPBACK
from landbridge.server.parameters import Parameter

__all__ = ["TOOLS", "listed", "part_of", "request_of"]

# A whole result is more than most assistants read.
_PART = Parameter(
    "part",
    "only this part of the result, such as real_income of run or base.gateways of base; an unknown one is "
    "answered with the list. Whole results of base and run have millions of characters",
)

TOOLS: Mapping[str, Endpoint] = {one.tool: one for one in ENDPOINTS if one.tool}


@cache
def listed() -> tuple[Mapping[str, Any], ...]:
    """Every tool as it is listed: name, description, JSON Schema of its arguments."""
    hints = {"readOnlyHint": True, "openWorldHint": False}
    return tuple(
        {"name": name, "description": one.about, "inputSchema": _schema(one), "annotations": hints}
        for name, one in TOOLS.items()
    )


def _schema(endpoint: Endpoint) -> dict[str, Any]:
    given = (*endpoint.in_path, *endpoint.parameters, _PART)
    properties = {one.name: {**one.schema(), "description": one.about} for one in given}
    required = [one.name for one in given if one.required]
    if endpoint.takes_scenario:
        properties["scenario"] = {key: value for key, value in json_schema().items() if key != "$schema"}
        required.append("scenario")
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def request_of(endpoint: Endpoint, given: Mapping[str, Any]) -> Request:
    """The request that a call stands for; endpoint: of the tool; given: arguments, null for those left out.

    Raises Refusal for arguments of another kind than text and whole number, and where one of the path is
    missing; others are checked by the server.
    """
    given = {name: value for name, value in given.items() if value is not None and name != _PART.name}
    own = json.dumps(given.pop("scenario", None), ensure_ascii=False) if endpoint.takes_scenario else ""
    kinds = (isinstance(value, str | int) and not isinstance(value, bool) for value in given.values())
    faults = [
        Fault(f"parameter {name[:40]}", "is no text and no whole number", "give one of these")
        for name, good in zip(given, kinds, strict=True)
        if not good
    ]
    texts = {_quoted(name): _quoted(str(value)) for name, value in given.items()}
    path = endpoint.path
    for one in endpoint.in_path:
        if one.name not in texts:
            faults.append(Fault(f"parameter {one.name}", "is missing", f"give {one.about}"))
        path = path.replace(f"{{{one.name}}}", texts.pop(one.name, ""))
    if faults:
        raise Refusal(400, "the arguments are not accepted", faults)
    query = "&".join(f"{name}={text}" for name, text in texts.items())
    headers = (("host", LOOPBACK[1]), ("content-type", TYPES[0]))
    target = f"{path}?{query}" if query else path
    return Request(endpoint.method, target, headers, own.encode("utf-8", "surrogatepass"))


def part_of(reply: Reply, given: Mapping[str, Any]) -> Reply:
    """The part of a result that a call asks for; reply: with all of it; given: arguments. Raises Refusal."""
    if given.get(_PART.name) is None:
        return reply
    body = json.loads(reply.body)
    for name in str(given[_PART.name]).split("."):
        known = body["result"] if isinstance(body["result"], dict) else {}
        if name not in known:
            cure = did_you_mean(name[:80], known) or "use " + (", ".join(known)[:2_000] or "the whole")
            raise Refusal.of(422, "parameter part", f"no part {name[:40]!r}", cure)
        body["result"] = known[name]
    return json_reply(reply.status, body)


def _quoted(text: str) -> str:
    return quote(text, "", "utf-8", "surrogatepass")
