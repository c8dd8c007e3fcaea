"""Readable JSON: one line per key and per row of plain cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

__all__ = ["json_text"]

_NESTED = frozenset((dict, list, tuple))


def json_text(value: Any, indent: int = 0) -> str:
    """A value as JSON text with one line per key and per row of plain cells; indent: spaces before it.

    The standard encoder is quick only without indents, so it encodes one row at a time.
    """
    return _lines(value, indent, json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode)


def _lines(value: Any, indent: int, encode: Callable[[Any], str]) -> str:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    if _NESTED.isdisjoint(map(type, members)):
        return encode(value)
    margin = " " * (indent + 1)
    if isinstance(value, dict):
        # A key that is not text is written as the standard encoder does.
        keys = (encode({key: 0})[1:-2] for key in value)
        lines = [
            f"{margin}{key}{_lines(member, indent + 1, encode)}"
            for key, member in zip(keys, members, strict=True)
        ]
    else:
        lines = [margin + _lines(member, indent + 1, encode) for member in members]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([first, ",\n".join(lines), " " * indent + last])
