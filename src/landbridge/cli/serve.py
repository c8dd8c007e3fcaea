"""The command serve: the answers of the commands as a JSON API and pages on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from landbridge.cli.terminal import WorldFolder, load_sound, progress_bar, put, say

__all__ = ["serve"]

_HOST, _PORT = "127.0.0.1", 8000


def serve(
    get: Annotated[
        str | None,
        typer.Option("--get", metavar="PATH", help="Print the answer to one address and stop; no socket."),
    ] = None,
    mcp: Annotated[
        bool,
        typer.Option("--mcp", help="Answer an assistant program by the Model Context Protocol; no socket."),
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 for any that is free.")] = _PORT,
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond this machine only with --token.")
    ] = _HOST,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="LANDBRIDGE_TOKEN", help="Asked for in every request, of at least 16 characters."
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1.0, help="Longest time of one solve.")] = 600.0,
    megabytes: Annotated[
        int, typer.Option(min=0, help="Most memory of the worker process; 0 for no limit.")
    ] = 4_000,
    world: WorldFolder = None,
) -> None:
    """Answer requests on this machine: a map, pages, and a JSON API under /api with an OpenAPI description.

    With --mcp the same answers are tools of an assistant program, which starts this command itself.
    With --get the exit code is 0 for an answer and 3 for a request that is refused.
    """
    from landbridge.server.listen import Place
    from landbridge.server.listen import get as answer

    place = Place(host, port, token)
    if mcp:
        if get is not None or open_ or (host, port) != (_HOST, _PORT):
            what = "there is no socket: leave out --get, --open, --host and --port"
            raise typer.BadParameter(what, param_hint="--mcp")
        from landbridge.server.mcp import serve_pipes
        from landbridge.server.process import Limits

        loaded = load_sound(world)
        say("landbridge reads messages of the Model Context Protocol from stdin (Ctrl-C ends it)")
        serve_pipes(loaded, world, Limits(seconds, megabytes))
        return
    if get is not None:
        loaded = load_sound(world)
        with progress_bar() as progress:
            reply = answer(loaded, get, progress)
        put(reply.body.decode().rstrip("\n"))
        if reply.status >= 400:
            raise typer.Exit(3 if reply.status < 500 else 1)
        return
    place.check()
    from landbridge.server.app import built
    from landbridge.server.listen import listen
    from landbridge.server.process import Limits

    with_map = built()

    def ready(address: str) -> None:
        say(f"landbridge answers at {address} (Ctrl-C ends it)")
        if with_map:
            say(f"the map: {address}map")
        else:
            say("landbridge: the map is not built; `make web` in a checkout builds it, then start again")
        if place.open:
            say("landbridge: warning: other machines can reach this server, and its token is not encrypted")
        if open_:
            import webbrowser

            webbrowser.open(f"{address}map" if with_map else address)

    listen(load_sound(world), world, place, Limits(seconds, megabytes), ready)
