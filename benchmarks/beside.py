"""Two source trees beside each other: processor seconds and memory of the same work, taken in turns.

    python benchmarks/beside.py OTHER [times]

OTHER is a checkout of another commit (git worktree add ../other COMMIT). On a machine with other work only
the ratios mean something, and only when both are measured in turns. Both start without a cache folder, then
with one that the first run has filled.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_REPORT = """
import os, resource, sys, time
used = resource.getrusage(resource.RUSAGE_SELF)
print(*(seconds or [time.process_time()]), used.ru_maxrss / 1024, file=sys.stderr)
"""
_COMMAND = """
import os, sys
seconds, sys.argv, sys.stdout = [], {words!r}, open(os.devnull, "w")
from landbridge.cli import main
try:
    main()
except SystemExit:
    pass
"""
_WARM = """
import time
import landbridge as lb
from landbridge.model.run import iterate
seconds, begin = [], time.process_time()
for case in iterate(lb.load(), ["khorgos-closed", "borders-half", "cku-railway"]):
    seconds.append(time.process_time() - begin)
    begin = time.process_time()
seconds = [seconds[0], sum(seconds[2:]) / 2.0]
"""
WORK = {
    "--version": _COMMAND.format(words=["landbridge", "--version"]),
    "run khorgos-closed": _COMMAND.format(words=["landbridge", "run", "khorgos-closed"]),
    "claims": _COMMAND.format(words=["landbridge", "claims"]),
    "a base, and a further case": _WARM,
}


def measured(tree: Path, code: str, cache: str) -> list[float]:
    """Processor seconds, and MB at the peak, of a process of its own."""
    env = {
        **os.environ,
        "PYTHONPATH": str(tree / "src"),
        "OPENBLAS_NUM_THREADS": "1",
        "LANDBRIDGE_CACHE": cache,
    }
    done = subprocess.run(
        [sys.executable, "-c", code + _REPORT], env=env, capture_output=True, encoding="utf-8", check=True
    )
    return [float(word) for word in done.stderr.splitlines()[-1].split()]


def main() -> int:
    """Print one JSON object: medians here and there, and the first over the second."""
    other, times = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3
    out = {}
    with tempfile.TemporaryDirectory() as kept:
        for name, code in WORK.items():
            for cache in ("off", kept):
                if cache == kept:
                    measured(ROOT, code, cache)
                found = [(measured(ROOT, code, cache), measured(other, code, cache)) for _ in range(times)]
                ours, theirs = (
                    [statistics.median(values) for values in zip(*side, strict=True)]
                    for side in zip(*found, strict=True)
                )
                ratio = [round(a / b, 2) for a, b in zip(ours, theirs, strict=True)]
                label = name if cache == "off" else f"{name}, cache filled"
                out[label] = {
                    "here": [round(a, 2) for a in ours],
                    "there": [round(b, 2) for b in theirs],
                    "ratio": ratio,
                }
                print(label, out[label], file=sys.stderr)
    print(json.dumps(out, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
