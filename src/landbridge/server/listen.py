"""Listen on an address until it is ended, and the reply to one address without a socket."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from landbridge.errors import DataError, Fault, LandbridgeError
from landbridge.io.optional import need
from landbridge.model.run import Progress
from landbridge.server.asgi import Application
from landbridge.server.desk import Desk, Inline
from landbridge.server.exchange import Reply, Request
from landbridge.server.guard import LOOPBACK, SHORTEST_TOKEN, Guard, is_loopback
from landbridge.server.process import Limits, Process
from landbridge.server.service import Service
from landbridge.world import World

__all__ = ["Place", "get", "listen", "sockets_server"]

# Connections at a time, bytes of the head of a request, seconds for open replies when the server ends.
_MOST_CONNECTIONS, _MOST_HEAD, _END_S = 200, 16_384, 3


@dataclass(frozen=True)
class Place:
    """Where to listen.

    host: name or address; port: 0 for any free one; token: asked for in every request, needed beyond
    loopback.
    """

    host: str = LOOPBACK[0]
    port: int = 8000
    token: str | None = None

    @property
    def open(self) -> bool:
        """Whether other machines can reach it."""
        return not is_loopback(self.host)

    def check(self) -> None:
        """Raises DataError for an address beyond loopback without a token, and for a short token."""
        faults = []
        if self.open and not self.token:
            cure = "give a token too (--token, at least 16 characters), or leave out --host"
            faults.append(Fault("--host", f"{self.host} can be reached from other machines", cure))
        if self.token is not None and (len(self.token) < SHORTEST_TOKEN or not self.token.isascii()):
            cure = 'python -c "import secrets; print(secrets.token_urlsafe())" makes one'
            faults.append(Fault("--token", f"is no text of {SHORTEST_TOKEN} plain characters or more", cure))
        if faults:
            raise DataError("the server does not begin", faults)

    def guard(self) -> Guard:
        """What requests to it must show."""
        names = {*LOOPBACK, self.host.casefold()}
        if self._anywhere:
            names.add(socket.gethostname().casefold())
        return Guard(frozenset(names), self._anywhere, self.token)

    def address(self, port: int) -> str:
        """The address to open in a browser on this machine."""
        host = self.host
        if self._anywhere:
            host = LOOPBACK[2] if ":" in host else LOOPBACK[0]
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    @property
    def _anywhere(self) -> bool:
        """Whether it listens on every address of the machine."""
        with suppress(ValueError):
            return ipaddress.ip_address(self.host).is_unspecified
        return False


def get(world: World, target: str, progress: Progress) -> Reply:
    """The reply to GET of one address, solved in this process and without a socket.

    world: the base; target: path and query, encoded or not; progress: called with a text and the share done.
    """
    encoded = quote(target, safe="/?&=%+:,;@!$'()*~")
    service = Service(world, Desk(Inline(world, tell=progress)))
    return service.answer(Request("GET", encoded, (("host", LOOPBACK[1]),)))


def listen(
    world: World,
    folder: Path | None,
    place: Place,
    limits: Limits,
    ready: Callable[[str], None],
) -> None:
    """Answer requests until the process is interrupted.

    world: the base; folder: that it was read from, None for the embedded one; place: where to listen; limits:
    of one solve in the worker process; ready: called with the address once it answers.
    Raises DataError as `Place.check`, LandbridgeError where the address is in use or uvicorn is missing.
    """
    place.check()
    need("uvicorn", "uvicorn", "serve", "`landbridge serve`")
    with _socket(place) as listening:
        address = place.address(listening.getsockname()[1])
        service = Service(world, Desk(Process(folder, limits)), place.guard())
        with suppress(KeyboardInterrupt):
            sockets_server(service, lambda: ready(address)).run(sockets=[listening])


def sockets_server(service: Service, ready: Callable[[], None] | None = None) -> Any:
    """A server of uvicorn over a service; its `run` takes the sockets. ready: called once it answers.

    Raises LandbridgeError where uvicorn is missing.
    """
    uvicorn = need("uvicorn", "uvicorn", "serve", "`landbridge serve`")
    config = uvicorn.Config(
        Application(service, ready),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        h11_max_incomplete_event_size=_MOST_HEAD,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_END_S,
    )
    return uvicorn.Server(config)


def _socket(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family)
    except OSError as error:
        cure = "give another --port, or 0 for any that is free"
        fault = Fault(f"{place.host}:{place.port}", str(error.strerror or error), cure)
        raise LandbridgeError("the server cannot listen", [fault]) from None
