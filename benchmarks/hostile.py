"""Mutated inputs to every entry: no traceback, no hang, no result from a World that `data check` refuses.

python benchmarks/hostile.py [N] [SEED] [PROCESSES]      N inputs, 10,000 by default, each spoiled at random
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import hostile_entries as entries  # noqa: E402

MOST_SECONDS = 60.0


def attempt(numbers: range, seed: int) -> list[tuple[int, str, str, float]]:
    """Number, entry, end and seconds of every input with one of these numbers."""
    tried = []
    with TemporaryDirectory() as folder:
        bench = entries.Bench(Path(folder))
        names = sorted(bench.entries)
        for number in numbers:
            name = names[number % len(names)]
            start = time.perf_counter()
            end = bench.try_one(name, random.Random(f"{seed} {number}"))
            tried.append((number, name, end, time.perf_counter() - start))
    return tried


def main() -> int:
    """Try N mutated inputs and count how they end; 1 where one ends as it must not."""
    count, seed, processes = (
        int(sys.argv[k]) if len(sys.argv) > k else usual for k, usual in ((1, 10_000), (2, 1), (3, 1))
    )
    begin = time.perf_counter()
    # Each has its part of every entry: neighbours in number are of different ones.
    shares = [range(k, count, processes) for k in range(processes)]
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            tried = [one for part in pool.map(attempt, shares, repeat(seed)) for one in part]
    else:
        tried = attempt(shares[0], seed)
    ends = Counter((name, end) for _, name, end, _ in tried)
    for (name, end), times in sorted(ends.items()):
        print(f"{name:12s} {end:24s} {times:6d}")
    bad = [one for one in tried if one[2] not in entries.RIGHT or one[3] > MOST_SECONDS]
    seconds, slowest = time.perf_counter() - begin, max((one[3] for one in tried), default=0.0)
    print(f"{count:,} inputs in {seconds:.0f} s, slowest {slowest:.1f} s, wrong ends {len(bad)}")
    for number, name, end, took in bad[:20]:
        print("  ", number, name, end, round(took, 1))
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
