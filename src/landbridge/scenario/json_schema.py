"""The JSON Schema of a scenario, made from the keys of all verbs, for editors and other languages."""

from __future__ import annotations

from typing import Any

from landbridge.scenario.fields import ALIASES
from landbridge.scenario.registry import verb_columns
from landbridge.world.table import Column

__all__ = ["json_schema"]


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a scenario document: one object per verb, no further keys."""
    verbs = verb_columns()
    spelled = {**{verb: verb for verb in verbs}, **ALIASES}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "landbridge scenario",
        "type": "object",
        "required": ["name"],
        "anyOf": [{"required": ["modification"]}, {"required": ["extends"]}],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "description": {"type": "string"},
            "sources": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "base": {"type": "string"},
            "extends": {
                "type": "string",
                "minLength": 1,
                "description": "a bundled scenario, or a .toml file by its path from this one, whose "
                "changes come first",
            },
            "pairs": {
                "description": "pairs of cities, by name or id, whose hours and costs are shown first",
                "type": "array",
                "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
            },
            "modification": {
                "type": "array",
                "minItems": 1,
                "items": {"oneOf": [_verb(name, verbs[verb]) for name, verb in spelled.items()]},
            },
        },
    }


def _verb(name: str, columns: Any) -> dict[str, Any]:
    required = [key for key, column in columns.items() if column.required and not column.default]
    return {
        "title": name,
        "type": "object",
        "required": ["verb", *required],
        "additionalProperties": False,
        "properties": {"verb": {"const": name}, **{key: _key(column) for key, column in columns.items()}},
    }


def _key(column: Column) -> dict[str, Any]:
    unit = f" [{column.unit}]" if column.unit else ""
    schema: dict[str, Any] = {"description": column.description + unit}
    bounds: dict[str, Any] = {"type": "number"}
    if column.minimum is not None:
        bounds["minimum"] = column.minimum
    if column.maximum is not None:
        bounds["maximum"] = column.maximum
    text: dict[str, Any] = {"type": "string", "minLength": 1}
    if column.allowed and column.type != "bool":
        text["enum"] = list(column.allowed)
    if column.type == "float":
        return {**schema, **bounds}
    if column.type == "bool":
        return {**schema, "anyOf": [{"type": "boolean"}, {"enum": ["yes", "no"]}]}
    if column.type == "scalar":
        return {**schema, "type": ["string", "number"]}
    if column.type == "ids":
        return {**schema, "anyOf": [text, {"type": "array", "items": text, "minItems": 1}]}
    if column.type == "change":
        moves = [
            {
                "type": "object",
                "required": [how],
                "additionalProperties": False,
                "properties": {how: amount},
            }
            for how, amount in (
                ("multiply", {"type": "number", "minimum": 0}),
                ("add", {"type": "number"}),
            )
        ]
        return {**schema, "anyOf": [bounds, *moves]}
    return {**schema, **text}
