"""The server as an ASGI application: the sockets are those of uvicorn, the answers those of `Service`."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from landbridge.server.desk import Job
from landbridge.server.endpoints import Following, Waiting
from landbridge.server.exchange import Refusal, Reply, Request
from landbridge.server.guard import MOST_BODY, too_large
from landbridge.server.service import Service

__all__ = ["Application"]

log = logging.getLogger("landbridge.server")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_THREADS, _LOOK_S, _BODY_S, _REST_S, _QUIET_S = 8, 0.1, 20.0, 2.0, 15.0


class Application:
    """An ASGI application over a service; ready is called once it listens."""

    def __init__(self, service: Service, ready: Callable[[], None] | None = None) -> None:
        self.service, self._ready = service, ready
        self._threads = ThreadPoolExecutor(_THREADS, "landbridge")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection of ASGI: the life of the server, or a request."""
        if scope["type"] == "lifespan":
            await self._life(receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)

    async def _life(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
                if self._ready is not None:
                    self._ready()
            elif message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self.service.desk.close)
                self._threads.shutdown(wait=False, cancel_futures=True)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _request(self, scope: Message, receive: Receive, send: Send) -> None:
        begin, request = time.perf_counter(), _request_of(scope)
        unread = True
        try:
            call = self.service.call(request)
            unread, body = False, b""
            if call.endpoint is not None and call.endpoint.takes_scenario:
                body = await _body(receive)
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._threads, self.service.outcome, call, body)
            if isinstance(found, Following):
                await self._follow(found.job, request, receive, send)
                return
            if isinstance(found, Waiting):
                if not await _ended(found.job, receive):
                    return
                reply = self.service.ended(found)
            else:
                reply = self.service.finished(found)
        except Exception as error:
            reply = self.service.refused(error, request)
            # A client that waits for "100 Continue" has sent nothing.
            if unread and "expect" not in dict(request.headers):
                await _rest(receive)
        await self._send(reply, request, send)
        # The path as it was sent, percent-encoded: no line break can come from it.
        seconds = time.perf_counter() - begin
        log.info("%s %s %d %.3f s", ascii(request.method), ascii(request.target), reply.status, seconds)

    async def _send(self, reply: Reply, request: Request, send: Send) -> None:
        # A body that was not read would be taken for the next request.
        close = [(b"connection", b"close")] if reply.status in (400, 403, 408, 413, 415) else []
        headers = [
            (b"content-type", reply.kind.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            *((name.lower().encode(), value.encode()) for name, value in reply.headers.items()),
            *close,
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body = b"" if request.method == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body})

    async def _follow(self, job: Job, request: Request, receive: Receive, send: Send) -> None:
        """Send the events of a job as they happen, from the first, and end with the job."""
        gone = asyncio.ensure_future(_gone(receive))
        headers = [(name.lower().encode(), value.encode()) for name, value in self.service.headers.items()]
        headers.append((b"content-type", b"text/event-stream"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sent, quiet = 0, time.monotonic()
        while request.method != "HEAD" and not gone.done():
            ended = job.ended
            new = job.events[sent:]
            sent += len(new)
            if new:
                await send(_part("".join(f"event: {name}\ndata: {json.dumps(of)}\n\n" for name, of in new)))
                quiet = time.monotonic()
            elif time.monotonic() - quiet > _QUIET_S:
                await send(_part(": still here\n\n"))
                quiet = time.monotonic()
            if ended:
                break
            await asyncio.sleep(_LOOK_S)
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
        await send({"type": "http.response.body", "body": b""})


def _part(text: str) -> Message:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}


def _request_of(scope: Message) -> Request:
    raw = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    target = raw.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")
    headers = tuple((k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in scope["headers"])
    return Request(scope["method"], target, headers)


async def _body(receive: Receive) -> bytes:
    """The body of a request. Raises Refusal where it is too large, too slow or not sent to its end."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(_BODY_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refusal.of(400, "body", "was not sent to its end", "send it again")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > MOST_BODY:
                    if message.get("more_body"):
                        await _rest(receive)
                    raise too_large()
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise Refusal.of(408, "body", f"was not sent within {_BODY_S:g} s", "send it again") from None


async def _rest(receive: Receive) -> None:
    """Take a body that nobody reads off the connection, up to the size that is allowed, for 2 s at most.

    A connection that closes with bytes unread is reset, and the client may never see why it was refused.
    """
    left = MOST_BODY
    with suppress(TimeoutError):
        async with asyncio.timeout(_REST_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return


async def _ended(job: Job, receive: Receive) -> bool:
    """Wait for the end of a job; False where the client is gone before. The job goes on for others."""
    if job.ended:
        return True
    gone = asyncio.ensure_future(_gone(receive))
    try:
        while not job.ended and not gone.done():
            await asyncio.sleep(_LOOK_S)
        return job.ended
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _gone(receive: Receive) -> None:
    """Returns once the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
