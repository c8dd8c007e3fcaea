"""Which requests are refused before anything is done: by host, token, origin, length; headers of replies.

A page of another site can make a browser send requests to this machine. They carry its Origin or, under DNS
rebinding, its Host. Both are compared with those of the server.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from landbridge.report.html.style import STYLE
from landbridge.server.exchange import Refusal, Request

__all__ = ["LOOPBACK", "MOST_BODY", "SHORTEST_TOKEN", "Guard", "is_loopback", "security_headers"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_BODY, _MOST_TARGET = 262_144, 4_000
SHORTEST_TOKEN = 16
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9.\-]+))(?::(?P<port>\d{1,5}))?")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\uffff]")


def is_loopback(host: str) -> bool:
    """Whether a host, the address to listen on, is reached from this machine only."""
    return host.casefold() in LOOPBACK


@dataclass(frozen=True)
class Guard:
    """What a request must show. hosts: accepted in Host; any_address: also every address in numbers.

    token: asked for in Authorization, as Bearer or as the password of Basic; None where none is.
    """

    hosts: frozenset[str] = frozenset(LOOPBACK)
    any_address: bool = False
    token: str | None = None

    def check(self, request: Request) -> None:
        """Raises Refusal for a request that must not be carried out."""
        if len(request.target) > _MOST_TARGET:
            cure = f"use at most {_MOST_TARGET:,} characters"
            raise Refusal.of(414, "path", f"has {len(request.target):,} characters", cure)
        host = self._host(request)
        self._authorised(request)
        self._same_site(request, host)
        self._length(request)

    def _host(self, request: Request) -> str:
        host = request.header("host") or ""
        found = _HOST.fullmatch(host)
        cure = "use the address that the server printed when it began"
        if found is None:
            raise Refusal.of(400, "header Host", "is missing or no host name", cure)
        name = (found["six"] or found["name"]).casefold()
        if name not in self.hosts and not (self.any_address and _is_address(name)):
            raise Refusal.of(403, "header Host", f"{name[:80]} is not a name of this server", cure)
        return host.casefold()

    def _authorised(self, request: Request) -> None:
        if self.token is None:
            return
        sent = _sent_token(request.header("authorization") or "")
        # Compared in constant time, so that no part of the token can be found by timing.
        if not hmac.compare_digest(sent.encode(), self.token.encode()):
            cure = "send the header Authorization: Bearer TOKEN; a browser asks for it as the password"
            headers = {"WWW-Authenticate": 'Basic realm="landbridge", charset="UTF-8"'}
            raise Refusal.of(401, "header Authorization", "holds no valid token", cure, headers)

    def _same_site(self, request: Request, host: str) -> None:
        """A request that a page of another site made is refused; a link from there may be followed."""
        origin, cure = request.header("origin"), "ask from a page of this server, or from a program"
        if origin is not None and origin.casefold() not in (f"http://{host}", f"https://{host}"):
            raise Refusal.of(403, "header Origin", "is of another site", cure)
        if request.header("sec-fetch-site") in ("cross-site", "same-site"):
            followed = request.header("sec-fetch-mode") == "navigate"
            if not (followed and request.header("sec-fetch-dest") == "document" and request.method == "GET"):
                raise Refusal.of(403, "header Sec-Fetch-Site", "is of another site", cure)

    def _length(self, request: Request) -> None:
        length = request.header("content-length")
        if length is None:
            return
        if not (length.isascii() and length.isdigit()) or len(length) > 15:
            raise Refusal.of(400, "header Content-Length", "is no length", "give the bytes of the body")
        if int(length) > MOST_BODY:
            raise too_large()


def too_large() -> Refusal:
    """The refusal of a body that is too large."""
    return Refusal.of(413, "body", f"is larger than {MOST_BODY:,} bytes", "leave out what is not needed")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _sent_token(header: str) -> str:
    kind, _, value = header.partition(" ")
    if kind.casefold() == "bearer":
        return value.strip()
    if kind.casefold() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""


def security_headers() -> Mapping[str, str]:
    """Headers of every reply: no script, no frame, nothing from elsewhere, nothing kept."""
    style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{style}'",
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }
