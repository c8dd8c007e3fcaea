"""Mutated inputs to every entry: no traceback, no hang, no result from a World that `data check` refuses.

python benchmarks/hostile.py [N] [SEED]      N inputs, 10,000 by default, each a file spoiled at random
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import hostile_entries as entries  # noqa: E402

MOST_SECONDS = 60.0


def main() -> int:
    """Try N mutated inputs and count how they end; 1 where one ends as it must not."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    ends: Counter[tuple[str, str]] = Counter()
    slowest, bad = 0.0, []
    begin = time.perf_counter()
    with TemporaryDirectory() as folder:
        bench = entries.Bench(Path(folder))
        names = sorted(bench.entries)
        for number in range(count):
            name = names[number % len(names)]
            start = time.perf_counter()
            end = bench.try_one(name, random.Random(f"{seed} {number}"))
            took = time.perf_counter() - start
            slowest = max(slowest, took)
            ends[name, end] += 1
            if end not in entries.RIGHT or took > MOST_SECONDS:
                bad.append((number, name, end, round(took, 1)))
    for (name, end), times in sorted(ends.items()):
        print(f"{name:12s} {end:24s} {times:6d}")
    seconds = time.perf_counter() - begin
    print(f"{count:,} inputs in {seconds:.0f} s, slowest {slowest:.1f} s, wrong ends {len(bad)}")
    for one in bad[:20]:
        print("  ", *one)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
