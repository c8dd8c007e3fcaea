"""Every number of every bundled scenario, as sums: what a change of the house must leave as it is.

python tests/frozen.py check    what moved by more than 1e-12, on the machine that wrote the store
python tests/frozen.py write    writes tests/data/frozen.json anew; only where numbers are meant to move

A column of a table, or an array, is held as its length, its largest value and its products with a few
vectors drawn once: a value that moves, moves them. On one machine the same code gives the same bits; other
processors sum in another order, and solutions to 1e-10 then differ by as much (see test_frozen.py).
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import landbridge as lb
from landbridge.model.run import iterate
from landbridge.results.indicators import indicators
from landbridge.scenario import bundled

STORE = Path(__file__).resolve().parent / "data" / "frozen.json"
_VECTORS = 4
Sums = dict[str, list[float]]


def sums(values: Any, name: str) -> list[float]:
    """Length, largest value, and products with vectors of random signs and sizes drawn for this name."""
    flat = np.asarray(values, dtype=float).ravel()
    flat = flat[np.isfinite(flat)]
    draw = np.random.default_rng(zlib.crc32(name.encode()))
    products = (float(draw.uniform(-1.0, 1.0, len(flat)) @ flat) for _ in range(_VECTORS))
    return [float(len(flat)), float(np.abs(flat).max(initial=0.0)), *products]


def fingerprint(results: lb.Results) -> Sums:
    """The sums of all tables of a result, of its prices, shares and costs."""
    out: Sums = {}
    tables = {**results.to_json(), "indicators": indicators(results, results.base)}
    for table, rows in tables.items():
        columns = {key for row in rows if isinstance(row, Mapping) for key in row}
        for column in sorted(columns):
            cells = [row.get(column) for row in rows]
            if any(isinstance(cell, float) for cell in cells):
                name = f"{table}.{column}"
                out[name] = sums([np.nan if cell is None else cell for cell in cells], name)
    choice = results.choice
    arrays = {
        "cost_hat": results.cost_hat,
        "demand_teu": results.demand_teu,
        "flow_teu": results.flow_teu,
        "choice.cost": choice.cost,
        "choice.family_share": choice.family_share,
        "choice.family_cost": choice.family_cost,
        **{f"{closure}.price": eq.price_hat for closure, eq in results.equilibrium.items()},
        **{f"{closure}.trade": eq.trade for closure, eq in results.equilibrium.items()},
    }
    return out | {name: sums(values, name) for name, values in arrays.items()}


def fingerprints() -> Iterator[tuple[str, Sums]]:
    """Name and sums of the base and of every bundled scenario."""
    for results in iterate(lb.load(), bundled()):
        yield results.id, fingerprint(results)
        del results


def moved(now: Sums, stored: Sums, largest: Mapping[str, float] | None = None) -> dict[str, float]:
    """By how much each column moved; infinite where its length is another.

    Over its largest value here, or over the one given (largest, say of all scenarios).
    """
    out = {}
    for name in sorted({*now, *stored}):
        one, two = now.get(name), stored.get(name)
        if one is None or two is None or one[0] != two[0]:
            out[name] = np.inf
            continue
        top = max(one[1], two[1], (largest or {}).get(name, 0.0))
        # A sum of n values of random sign grows as the root of n.
        scale = top * max(np.sqrt(one[0]), 1.0)
        out[name] = max(abs(a - b) for a, b in zip(one[1:], two[1:], strict=True)) / scale if scale else 0.0
    return out


def largest_of(stored: Mapping[str, Sums]) -> dict[str, float]:
    """The largest value of each column over all scenarios."""
    out: dict[str, float] = {}
    for one in stored.values():
        for name, values in one.items():
            out[name] = max(out.get(name, 0.0), values[1])
    return out


def main() -> int:
    """Check or write the store; 1 where a number moved."""
    found = dict(fingerprints())
    if sys.argv[1:] == ["write"]:
        text = json.dumps(found, separators=(",", ":")).replace("],", "],\n")
        STORE.write_text(text + "\n", encoding="utf-8")
        return 0
    stored = json.loads(STORE.read_text(encoding="utf-8"))
    worst = 0.0
    for name, now in found.items():
        for column, by in moved(now, stored[name]).items():
            worst = max(worst, by)
            if by > 1e-12:
                sys.stdout.write(f"{name} {column} {by:.1e}\n")
    sys.stdout.write(f"{len(found)} results, largest move {worst:.1e}\n")
    return int(worst > 1e-12)


if __name__ == "__main__":
    sys.exit(main())
