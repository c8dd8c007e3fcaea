"""Parameters of a query: one list for reading, for the description of the API and for the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from landbridge.errors import Fault, did_you_mean
from landbridge.server.exchange import Refusal

__all__ = ["Parameter", "read", "text_of"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST = 100
_WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a query or of a path.

    name; about: its meaning; default: None where it may be left out and then means nothing; required: must be
    given; allowed: the only values; least, most: bounds of a whole number, which is then its type; longest:
    characters of a text.
    """

    name: str
    about: str
    default: str | int | None = None
    required: bool = False
    allowed: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    longest: int = _LONGEST

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self.most is not None

    def schema(self) -> dict[str, Any]:
        """JSON Schema of its values."""
        if self.whole:
            bounds: dict[str, Any] = {"type": "integer", "minimum": self.least, "maximum": self.most}
        elif self.allowed:
            bounds = {"type": "string", "enum": list(self.allowed)}
        else:
            bounds = {"type": "string", "minLength": 1, "maxLength": self.longest}
        return bounds | ({} if self.default is None else {"default": self.default})

    def value(self, text: str) -> str | int | Fault:
        """The value that a text stands for, or what is wrong with it."""
        where = f"parameter {self.name}"
        if not text.strip():
            return Fault(where, "is blank", "give a value, or leave the parameter out")
        if _CONTROL.search(text):
            return Fault(where, "holds a control character or a line break", "leave it out")
        if self.whole:
            assert self.least is not None and self.most is not None
            if not _WHOLE.fullmatch(text) or not self.least <= int(text) <= self.most:
                cure = f"give a whole number from {self.least} to {self.most}"
                return Fault(where, f"is {text[:40]!r}", cure)
            return int(text)
        if self.allowed and text not in self.allowed:
            cure = did_you_mean(text[:40], self.allowed) or "use " + ", ".join(self.allowed)
            return Fault(where, f"is {text[:40]!r}", cure)
        if len(text) > self.longest:
            cure = f"use at most {self.longest} characters"
            return Fault(where, f"has {len(text):,} characters", cure)
        return text


def text_of(part: str, where: str) -> str:
    """A percent-encoded part of a path or query as text.

    where: its name in the refusal. Raises Refusal where it is not UTF-8.
    """
    try:
        return unquote_to_bytes(part).decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise Refusal.of(400, where, "is not UTF-8", "encode names as UTF-8, then as %XX") from None


def read(query: str, known: Sequence[Parameter]) -> Mapping[str, Any]:
    """The values of a query by name, with defaults.

    query: of the address, encoded; known: the parameters that it takes. Raises Refusal with every fault.
    """
    by_name = {one.name: one for one in known}
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    for pair in query.split("&") if query else ():
        key, _, text = (text_of(part.replace("+", " "), "query") for part in pair.partition("="))
        if key not in by_name:
            names = ", ".join(by_name) or "none: this address takes no parameter"
            faults.append(Fault("query", f"no parameter {key[:40]!r}", did_you_mean(key, by_name) or names))
        elif key in found:
            faults.append(Fault(f"parameter {key}", "is given twice", "give it once"))
        else:
            value = by_name[key].value(text)
            found[key] = value
            if isinstance(value, Fault):
                faults.append(value)
    faults += [
        Fault(f"parameter {one.name}", "is missing", f"give {one.about}")
        for one in known
        if one.required and one.name not in found
    ]
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise Refusal(400, f"{count} in the query", faults)
    return {one.name: found.get(one.name, one.default) for one in known}
