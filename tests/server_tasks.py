"""What runs in the worker process of tests/test_server_process.py: tasks that end in every way."""

from __future__ import annotations

import json
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path

__all__ = ["serve_tasks"]


def serve_tasks(pipe: Connection, folder: Path | None, megabytes: int) -> None:
    """Answers a task by its kind, as the process of the server does."""

    def send(what: str, **words: object) -> None:
        pipe.send_bytes(json.dumps({"what": what, **words}).encode())

    while True:
        try:
            task = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        kind, words = task["kind"], task["words"]
        send("progress", doing=kind, share=0.5)
        if kind == "memory":
            send("memory")
        elif kind == "refused":
            send("refused", message="no", faults=[{"where": "a", "what": "b", "cure": "c"}])
        elif kind == "broken":
            send("broken", type="RuntimeError")
        elif kind == "die":
            os._exit(1)
        elif kind == "sleep":
            time.sleep(60.0)
        else:
            send("done", forms={"json": json.dumps({"pid": os.getpid(), **words})})
