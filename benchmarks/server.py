"""The server under load: requests made from its own description, and 50 clients at the same time.

python benchmarks/server.py [CASES] [SECONDS] [CLIENTS]     2,000 cases, 60 s, 50 clients by default

First schemathesis makes requests from the OpenAPI description, valid and invalid, with a solver that answers
at once: no reply may be a 5xx, have an undescribed status or break its schema. Then clients ask a real server
over loopback for what is read and for routes: no request may fail, and its memory must stay flat. Exit code 1
where either does not hold.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import landbridge as lb
from landbridge.server.desk import Desk, Inline
from landbridge.server.endpoints import ENDPOINTS
from landbridge.server.listen import sockets_server
from landbridge.server.openapi import description
from landbridge.server.service import Service
from landbridge.server.tasks import Task

# Growth of memory from the second third of the time to the last, at most.
MOST_GROWTH = 0.05
# Rounds of made requests until there are as many as asked for.
_MOST_ROUNDS = 20
ASKED = (
    "/",
    "/api/health",
    "/api/scenarios/cku-railway",
    "/api/places?q=alma",
    "/api/data/gateways",
    "/api/network.geojson",
    "/api/routes?from=Chongqing&to=Duisburg",
    "/api/routes?from=Xian&to=Tashkent&k=3",
    "/routes?from=Almaty&to=Moscow",
    "/api/openapi.json",
)


def at_once(task: Task, world: lb.World, progress: Callable[[str, float], None]) -> dict[str, str]:
    """A solver without a solve, in the form of every answer."""
    status = {"converged": True, "residual": 0.0, "iterations": 0, "message": "", "rebase": 0.0}
    body = {"schema_version": "0.1", "result": {}, "status": status, "manifest": {}}
    return {
        "json": json.dumps(body),
        "html": "<p>",
        "geojson": '{"type": "FeatureCollection", "features": []}',
    }


# -- requests made from the description ----------------------------------------------------------------


def made_requests(cases: int) -> bool:
    """Send requests made by schemathesis and check every reply. Returns whether all hold."""
    try:
        import schemathesis
    except ImportError:
        print('schemathesis is not installed: pip install "schemathesis>=4"')
        return False
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis.errors import Unsatisfiable
    from schemathesis import checks
    from schemathesis.openapi import from_dict

    schemathesis.serializer("application/toml")(lambda context, value: str(value).encode())
    wanted = [
        check
        for check in checks.CHECKS.get_all()
        if check.__name__
        in (
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
            "negative_data_rejection",
        )
    ]
    world = lb.load()
    server = sockets_server(Service(world, Desk(Inline(world, at_once))))
    replies, wrong = Counter[int](), list[str]()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        schema = from_dict(description())
        ways = [
            (found.ok(), mode)
            for found in schema.get_all_operations()
            for mode in schemathesis.GenerationMode
        ]

        def tried(case: Any) -> None:
            reply = case.call(base_url=address)
            replies[reply.status_code] += 1
            try:
                case.validate_response(reply, checks=wanted)
            except Exception as error:
                lines = [line for line in str(error).splitlines() if line.strip()][:6]
                wrong.append(f"{reply.status_code} {case.method} {case.formatted_path}: {' '.join(lines)}")

        begin = time.perf_counter()
        for number in range(_MOST_ROUNDS):
            left = cases - sum(replies.values())
            if left <= 0 or not ways:
                break
            hold = settings(
                max_examples=-(-left // len(ways)),
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            for way in list(ways):
                operation, mode = way
                try:
                    seed(number)(hold(given(operation.as_strategy(generation_mode=mode))(tried)))()
                except Unsatisfiable:  # nothing can be invalid where nothing is taken
                    ways.remove(way)
        seconds = time.perf_counter() - begin
        server.should_exit = True
        thread.join(20.0)
    sent = sum(replies.values())
    listed = ", ".join(f"{status}: {times:,}" for status, times in sorted(replies.items()))
    print(
        f"{sent:,} requests from the description of {len(ENDPOINTS)} addresses in {seconds:.0f} s: {listed}"
    )
    faults = sum(times for status, times in replies.items() if status >= 500)
    print(f"5xx: {faults}; replies that break the description: {len(wrong)}")
    for one in wrong[:20]:
        print("  ", one[:600])
    return not faults and not wrong and sent >= cases


# -- many clients --------------------------------------------------------------------------------------


def resident_mb(pid: int) -> float | None:
    """Memory of a process [MB]; None where the system does not show it."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) / 1_000 if found else None


async def client(number: int, port: int, until: float, took: list[float], wrong: list[str]) -> None:
    """One client that asks one address after another on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = number
    while time.monotonic() < until:
        target = ASKED[asked % len(ASKED)]
        asked += 1
        begin = time.perf_counter()
        try:
            writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(re.search(r"content-length: (\d+)", head)[1])  # type: ignore[index]
            await reader.readexactly(length)
        except Exception as error:
            wrong.append(f"{target}: {type(error).__name__}: {error}")
            return
        took.append(time.perf_counter() - begin)
        if not head.startswith("HTTP/1.1 200"):
            wrong.append(f"{target}: {head.splitlines()[0]}")
    writer.close()


async def crowd(
    clients: int, port: int, seconds: float, pid: int
) -> tuple[list[float], list[str], list[float]]:
    """All clients for some seconds: seconds of each request, what failed, memory each second [MB]."""
    took: list[float] = []
    wrong: list[str] = []
    memory: list[float] = []
    until = time.monotonic() + seconds

    async def watch() -> None:
        while time.monotonic() < until:
            found = resident_mb(pid)
            if found is not None:
                memory.append(found)
            await asyncio.sleep(1.0)

    await asyncio.gather(watch(), *(client(n, port, until, took, wrong) for n in range(clients)))
    return took, wrong, memory


def many_clients(clients: int, seconds: float) -> bool:
    """A real server and many clients. Returns whether no request failed and memory stayed flat."""
    command = [sys.executable, "-m", "landbridge", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8") as server:
        assert server.stderr is not None
        try:
            line = next((line for line in server.stderr if "http://" in line), "")
            port = int(re.search(r":(\d+)/", line)[1])  # type: ignore[index]
            took, wrong, memory = asyncio.run(crowd(clients, port, seconds, server.pid))
        finally:
            server.terminate()
    took.sort()
    half, most = took[len(took) // 2] if took else 0.0, took[int(0.99 * len(took))] if took else 0.0
    print(
        f"{clients} clients for {seconds:.0f} s: {len(took):,} requests, {len(took) / seconds:,.0f} a "
        f"second, median {1e3 * half:.0f} ms, 99th percentile {1e3 * most:.0f} ms, failed {len(wrong)}"
    )
    for one in wrong[:10]:
        print("  ", one)
    third = len(memory) // 3
    if not third:
        print("memory: not measured here (needs /proc)")
        return bool(took) and not wrong
    before, after = max(memory[third : 2 * third]), max(memory[2 * third :])
    growth = after / before - 1.0
    shown = ", ".join(f"{one:.0f}" for one in memory[:: max(len(memory) // 10, 1)])
    print(f"memory [MB]: {shown}; most in the second third {before:.0f}, then {after:.0f} ({growth:+.1%})")
    return bool(took) and not wrong and growth < MOST_GROWTH


def main() -> int:
    """Both parts; 1 where one does not hold."""
    cases, seconds, clients = (
        int(sys.argv[k]) if len(sys.argv) > k else usual for k, usual in ((1, 2_000), (2, 60), (3, 50))
    )
    holds = [made_requests(cases) if cases else True, many_clients(clients, seconds) if seconds else True]
    return int(not all(holds))


if __name__ == "__main__":
    sys.exit(main())
