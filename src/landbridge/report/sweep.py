"""Percentiles of a sweep, which numbers move real income most, and whether gateways keep their ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from landbridge.phrases import named, say, signed
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.sweeps.collect import FEWEST_FOR_CAUSES, SweepResult
from landbridge.sweeps.indices import FEWEST_BLOCKS, block_length
from landbridge.sweeps.ranks import TOP
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.world import World

__all__ = ["sweep_sections"]

# Causes shown for each country and scenario; files hold more.
_CAUSES = 5
_UNSOLVED = 10
_MUSD = 1e-6


def sweep_sections(world: World, found: SweepResult, most: int | None = None) -> Iterator[Section]:
    """Percentiles of real income, causes and indices for Central Asia, ranks, draws without a solution.

    world: for names; found: percentiles, causes and indices; most: rows shown of the first. Raises DataError
    where the World has no group CA5.
    """
    names = Names(world).region
    central = world.group(CENTRAL_ASIA)
    rows = sorted(found.rows, key=lambda row: row["region"] not in central)
    shown = rows if most is None else rows[:most]
    notes = [say("sweep.more", n=len(rows) - len(shown))] if len(rows) > len(shown) else []
    if found.missing:
        notes.append(say("sweep.missing", n=found.missing))
    if not found.cause_rows and found.rows and found.draws < FEWEST_FOR_CAUSES:
        notes.append(say("sweep.few", n=FEWEST_FOR_CAUSES))
    length = block_length(len(found.plan.moved))
    if found.plan.draws == "saltelli" and found.rows and not found.index_rows:
        notes.append(say("sweep.blocks", n=FEWEST_BLOCKS, length=length, draws=f"{FEWEST_BLOCKS * length}"))
    yield phrased(
        "sweep.percentiles",
        [
            (
                names.get(row["region"], row["region"]),
                row["scenario"],
                *(signed(row[end], 4) for end in ("p05", "p50", "p95")),
                f"{row['n']:,}",
            )
            for row in shown
        ],
        after=notes,
        n=found.draws,
        moved=len(found.plan.moved),
        how=say(f"sweep.draws.{found.plan.draws}"),
        form=say(
            "sweep.form.grid" if found.plan.draws == "grid" else f"sweep.form.{found.plan.distribution}"
        ),
    )
    if found.cause_rows:
        yield from _causes(found, names)
    if found.index_rows:
        yield _indices(found, names, length)
    if found.rank_rows:
        yield from _ranks(world, found)
    if found.unsolved:
        listed = found.unsolved[:_UNSOLVED]
        left = len(found.unsolved) - len(listed)
        yield phrased(
            "sweep.unsolved",
            [(f"{one['index']}", one["scenario"], one["message"]) for one in listed],
            after=[say("sweep.more", n=left)] if left else [],
            n=len(found.unsolved),
        )


def _number(row: Mapping[str, Any]) -> str:
    """The drawn number by its identifier, and in other languages in words."""
    return named("drawn", str(row["parameter"]))


def _indices(found: SweepResult, names: dict[str, str], length: int) -> Section:
    """The numbers with the largest total index, for each country and scenario."""
    counts: dict[tuple[str, str], int] = {}
    rows = []
    for row in found.index_rows:
        key = row["region"], row["scenario"]
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= _CAUSES:
            cells = [
                cell
                for kind in ("first", "total")
                for cell in (
                    f"{row[kind]:.2f}",
                    say("sweep.interval", low=row[f"{kind}_low"], high=row[f"{kind}_high"]),
                )
            ]
            rows.append((names.get(row["region"], row["region"]), row["scenario"], _number(row), *cells))
    return phrased("sweep.indices", rows, n=found.index_rows[0]["n"], length=length)


def _ranks(world: World, found: SweepResult) -> Iterator[Section]:
    yield phrased(
        "sweep.ranks",
        [
            (
                row["scenario"],
                *(f"{row[f'draw_{end}']}: {signed(row[f'percent_{end}'], 4)}" for end in ("p05", "p95")),
                f"{row['gateways']}",
                "-" if row["kendall"] is None else f"{row['kendall']:.2f}",
                f"{row['shared']}",
            )
            for row in found.rank_rows
        ],
        n=TOP,
    )
    names = Names(world).gateway
    yield phrased(
        "sweep.gateways",
        [
            (
                names.get(row["gateway"], row["gateway"]),
                row["scenario"],
                f"{row['rank_p05']}",
                f"{row['rank_p95']}",
                *(signed(_MUSD * row[f"usd_per_h_{end}"], 2) for end in ("p05", "p95")),
            )
            for row in found.gateway_rows
        ],
    )


def _causes(found: SweepResult, names: dict[str, str]) -> Iterator[Section]:
    rows, last, count = [], ("", ""), 0
    for cause in found.cause_rows:
        key = cause["region"], cause["scenario"]
        count = count + 1 if key == last else 1
        last = key
        if count <= _CAUSES:
            rows.append(
                (
                    names.get(cause["region"], cause["region"]),
                    cause["scenario"],
                    _number(cause),
                    signed(cause["rank_correlation"], 2),
                    signed(cause["percent_low"], 4),
                    signed(cause["percent_high"], 4),
                )
            )
    yield phrased("sweep.causes", rows, chance=found.cause_rows[0]["chance"])
