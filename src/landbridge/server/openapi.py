"""The description of the API (OpenAPI 3.1), made from the list of addresses."""

from __future__ import annotations

from functools import cache
from typing import Any

from landbridge.io.json_lines import json_text
from landbridge.scenario import json_schema
from landbridge.server.bodies import TYPES
from landbridge.server.endpoints import ENDPOINTS, Endpoint
from landbridge.server.exchange import JSON
from landbridge.server.parameters import Parameter
from landbridge.version import version

__all__ = ["description", "description_text"]

# Replies that any address may give, by status.
_REFUSALS = {
    "400": "the request cannot be read",
    "401": "the token is missing or wrong",
    "403": "the host or origin is of another site",
    "404": "there is no such address, scenario, table or job",
    "405": "the method is of another address",
    "409": "the job has ended, or has no result yet",
    "413": "the body is too large",
    "414": "the address is too long",
    "415": "the type of the body is not accepted",
    "422": "the request can be read, but not carried out as it is",
    "429": "too many jobs are waiting",
    "503": "the worker ended; try again",
}
_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}
_OBJECT = {"type": "object"}
_BODIES = {
    "Envelope": {
        "type": "object",
        "required": ["schema_version", "result", "status", "manifest"],
        "properties": {
            "schema_version": _TEXT,
            "result": {"type": ["object", "array"]},
            "status": {
                "type": "object",
                "required": ["converged", "residual", "iterations", "message", "rebase"],
                "properties": {
                    "converged": {"type": "boolean"},
                    "residual": _NUMBER,
                    "iterations": {"type": "integer"},
                    "message": _TEXT,
                    "rebase": _NUMBER,
                },
            },
            "manifest": _OBJECT,
        },
    },
    "Error": {
        "type": "object",
        "required": ["schema_version", "error"],
        "properties": {
            "schema_version": _TEXT,
            "error": {
                "type": "object",
                "required": ["status", "what", "faults"],
                "properties": {
                    "status": {"type": "integer"},
                    "what": _TEXT,
                    "faults": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["where", "what", "cure"],
                            "properties": {"where": _TEXT, "what": _TEXT, "cure": _TEXT},
                        },
                    },
                },
            },
        },
    },
    "FeatureCollection": {
        "type": "object",
        "required": ["type", "features"],
        "properties": {"type": {"const": "FeatureCollection"}, "features": {"type": "array"}},
    },
}


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document of the server as plain values."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    scenario = {key: value for key, value in json_schema().items() if key != "$schema"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "landbridge",
            "version": version(),
            "description": "Freight routes, trade costs and real income. Results are those of the commands "
            "with --json; wall times and dates are in manifest.run only.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**_BODIES, "Scenario": scenario},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


@cache
def description_text() -> str:
    """The OpenAPI document of the server as JSON."""
    return json_text(description()) + "\n"


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    words = [part.strip("{}").replace(".", "_") for part in endpoint.path.split("/")[2:]]
    operation: dict[str, Any] = {
        "operationId": "_".join([endpoint.method.lower(), *words]),
        "summary": endpoint.about,
        "parameters": [
            *(_parameter(one, "path") for one in endpoint.in_path),
            *(_parameter(one, "query") for one in endpoint.parameters),
        ],
        "responses": {
            str(endpoint.status): _success(endpoint),
            **{status: _error(about) for status, about in _REFUSALS.items()},
        },
    }
    if endpoint.takes_scenario:
        schema = {"application/json": {"$ref": "#/components/schemas/Scenario"}, "application/toml": _TEXT}
        content = {kind: {"schema": schema[kind]} for kind in TYPES}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameter(one: Parameter, where: str) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": where,
        "description": one.about,
        "required": one.required,
        "schema": one.schema(),
    }


def _success(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.kind == "text/event-stream":
        schema: dict[str, Any] = _TEXT
    elif endpoint.path == "/api/openapi.json":
        schema = _OBJECT
    else:
        name = "Envelope" if endpoint.kind == JSON else "FeatureCollection"
        schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": endpoint.about, "content": {endpoint.kind: {"schema": schema}}}


def _error(about: str) -> dict[str, Any]:
    return {"description": about, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}
