"""A request and its reply as plain values, the same with a socket and without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from landbridge.errors import Fault, LandbridgeError
from landbridge.io.json_lines import json_text
from landbridge.results.manifest import SCHEMA_VERSION

__all__ = ["HTML", "JSON", "Refusal", "Reply", "Request", "json_reply", "utf8"]

JSON, HTML = "application/json", "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """What a client sends.

    method: of HTTP, in capitals; target: path and query, percent-encoded; headers: names in lower case, and
    values; body: as sent.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The value of a header by its name in lower case, None where it is absent.

        Raises Refusal where it is sent twice.
        """
        found = [value for key, value in self.headers if key == name]
        if len(found) > 1:
            raise Refusal.of(400, f"header {name}", "is sent more than once", "send it once")
        return found[0].strip() if found else None


@dataclass(frozen=True)
class Reply:
    """What is sent back: HTTP status, body, further headers; kind: media type."""

    status: int
    body: bytes
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 (a refused request is no error of the program)
    """A request that is not carried out: an HTTP status of 4xx (503 while work is stopped) and the faults.

    what: is wrong, in words; headers: of the reply, in addition to those of every reply.
    """

    def __init__(
        self, status: int, what: str, faults: Iterable[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(what)
        self.status, self.what, self.faults = status, what, tuple(faults)
        self.headers = dict(headers or {})

    @staticmethod
    def of(
        status: int, where: str, what: str, cure: str, headers: Mapping[str, str] | None = None
    ) -> Refusal:
        """A refusal with one fault: where it is, what is wrong and its cure; headers: of the reply."""
        return Refusal(status, f"{where}: {what}", [Fault(where, what, cure)], headers)

    @staticmethod
    def by(error: LandbridgeError) -> Refusal:
        """The refusal that an error of the library stands for: 422, since the request could be read."""
        return Refusal(422, error.message, error.faults)

    def to_json(self) -> dict[str, Any]:
        """The error as plain values."""
        faults = [{"where": one.where, "what": one.what, "cure": one.cure} for one in self.faults]
        return {
            "schema_version": SCHEMA_VERSION,
            "error": {"status": self.status, "what": self.what, "faults": faults},
        }

    def reply(self) -> Reply:
        """The error as JSON."""
        return json_reply(self.status, self.to_json(), self.headers)


def json_reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply with a body of plain values as JSON; status: of HTTP; headers: further ones."""
    return Reply(status, utf8(json_text(body) + "\n"), JSON, headers or {})


def utf8(text: str) -> bytes:
    """A text as UTF-8; half of a surrogate pair, which UTF-8 cannot hold, becomes its escape in JSON."""
    return text.encode("utf-8", "backslashreplace")
