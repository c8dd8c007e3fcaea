"""The body of every JSON answer: result, status and manifest, with the times of the run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from landbridge.answers.protocol import Answer
from landbridge.errors import Status
from landbridge.results.manifest import SCHEMA_VERSION

__all__ = ["envelope", "timed", "when"]


def envelope(result: Any, status: Status, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A result with its status and manifest, in the form of every `--json`.

    result: plain values; status: of the solves; manifest: from `landbridge.results.manifest.manifest`.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "result": result,
        "status": status.as_json(),
        "manifest": dict(manifest),
    }


def timed(answer: Answer, begin: float) -> Answer:
    """An answer with its times in the manifest.

    answer: of a study; begin: from `time.perf_counter` at the start [s].
    """
    return replace(answer, manifest={**answer.manifest, "run": when(begin)})


def when(begin: float) -> dict[str, Any]:
    """Wall times and dates, which are in the manifest under `run` and nowhere else.

    begin: from `time.perf_counter` at the start [s].
    """
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(time.perf_counter() - begin, 3),
    }
