"""Ranges of real income of the bundled scenarios over draws of uncertain numbers, shipped with the data.

    python recipes/uncertainty.py [--draws 100] [--store FOLDER]

Sweeps data/uncertainty/plan.toml and writes ranges.csv, draws.csv and manifest.json beside it. Takes about
45 seconds a draw on one processor; a store that was interrupted is continued. Not part of `make data`:
the ranges belong to one state of the data, and no range is shown for another.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import landbridge as lb
from landbridge.io.files import csv_text, write_text
from landbridge.io.ranges import FOLDER, fingerprint
from landbridge.sweeps.collect import causes_of
from landbridge.sweeps.draws import drawn
from landbridge.sweeps.run import sweep
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.version import version

_DIGITS = 4
_SHOWN = "CHN"


def number(value: float) -> str:
    return f"{float(f'{value:.{_DIGITS}g}'):g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    world = lb.load()
    store = given.store or Path(tempfile.mkdtemp(prefix="landbridge-uncertainty-"))
    result = sweep(
        world, FOLDER / "plan.toml", given.draws, store=store, progress=lambda text, share: print(text)
    )
    plan, regions = result.plan, list(result.regions)
    incomes = {row["region"]: row["income_musd"] for row in lb.run(world, plan.scenarios[0]).real_income_rows}
    five = [n for n, region in enumerate(regions) if region in world.group(CENTRAL_ASIA)]
    weight = np.array([incomes[region] for region in regions])
    groups = {CENTRAL_ASIA: five, "world": list(range(len(regions)))}
    ranges: list[list[Any]] = []
    draws: list[list[Any]] = []
    for scenario in plan.scenarios:
        solved = [case for case in result.cases if case.income[scenario.id] is not None]
        percent = 100.0 * (np.array([case.income[scenario.id] for case in solved]) - 1.0)
        columns = {region: percent[:, n] for n, region in enumerate(regions)}
        columns |= {name: percent[:, of] @ weight[of] / weight[of].sum() for name, of in groups.items()}
        moved = {m.key: np.array([drawn(plan, case.index)[m.key] for case in solved]) for m in plan.moved}
        for name, values in columns.items():
            cause = next(iter(causes_of(moved, values)), None)
            widest = cause["parameter"] if cause and abs(cause["rank_correlation"]) > cause["chance"] else ""
            ends = np.percentile(values, (5.0, 50.0, 95.0))
            ranges.append([scenario.id, name, *map(number, ends), len(solved), widest])
        kept = [regions[n] for n in five] + [_SHOWN]
        draws += [
            [case.index, scenario.id, *(number(columns[region][k]) for region in kept)]
            for k, case in enumerate(solved)
        ]
    head = ["scenario", "region", "p05", "p50", "p95", "n", "widest"]
    write_text(FOLDER / "ranges.csv", csv_text([head, *ranges]))
    kept = [regions[n] for n in five] + [_SHOWN]
    write_text(FOLDER / "draws.csv", csv_text([["index", "scenario", *kept], *draws]))
    document = {
        "world": world.hash,
        "landbridge": version(),
        "draws": result.draws,
        "numbers": len(plan.moved),
        "seed": plan.seed,
        "scenarios": {one.id: fingerprint(one.to_dict()) for one in plan.scenarios},
    }
    write_text(FOLDER / "manifest.json", json.dumps(document, indent=2) + "\n")
    print(result.status.message)


if __name__ == "__main__":
    main()
