"""Ranges of real income over draws of uncertain numbers, shipped with the data for bundled scenarios.

    data/uncertainty/plan.toml       which numbers are drawn, and how
    data/uncertainty/ranges.csv      percentiles by scenario and region, and the number that widens them most
    data/uncertainty/draws.csv       what some draws gave, so that a test can make them again
    data/uncertainty/manifest.json   the data, the scenarios and the release they were computed with

They hold for the embedded data alone: with other tables, or another text of the scenario, there is no range.
Made by recipes/uncertainty.py.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from landbridge.io.files import read_text
from landbridge.io.tables import DATA

__all__ = ["FOLDER", "fingerprint", "manifest", "shipped_ranges"]

FOLDER = DATA / "uncertainty"
_PERCENTILES = "p05", "p50", "p95"


def fingerprint(scenario: Mapping[str, Any]) -> str:
    """SHA-256 of the changes of a scenario, from its dictionary; texts about it do not count."""
    text = json.dumps(scenario["modification"], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def manifest() -> Mapping[str, Any]:
    """World hash, fingerprints of the scenarios, release, number of draws; empty where none are shipped.

    Raises DataError where the file cannot be read.
    """
    path = FOLDER / "manifest.json"
    return dict(json.loads(read_text(path))) if path.is_file() else {}


@cache
def _ranges() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Rows by scenario and region."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in csv.DictReader(read_text(FOLDER / "ranges.csv").splitlines()):
        cells: dict[str, Any] = {f"percent_{name}": float(row[name]) for name in _PERCENTILES}
        cells["widest"] = row["widest"] or None
        found.setdefault(row["scenario"], {})[row["region"]] = cells
    return found


def shipped_ranges(
    world_hash: str, name: str, scenario: Mapping[str, Any]
) -> Mapping[str, Mapping[str, Any]]:
    """Percentiles of real income by region and group, in percent of income; empty where none hold.

    world_hash: of the base; name, scenario: identifier and dictionary of the scenario. Columns: percent_p05,
    percent_p50, percent_p95, and widest, the drawn number that goes most with real income.
    """
    known = manifest()
    if known.get("world") != world_hash or known["scenarios"].get(name) != fingerprint(scenario):
        return {}
    return _ranges()[name]
