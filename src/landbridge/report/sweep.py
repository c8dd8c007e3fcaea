"""Percentiles of a sweep, and which numbers move real income most."""

from __future__ import annotations

from collections.abc import Iterator

from landbridge.phrases import say, signed
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.sweeps.collect import FEWEST_FOR_CAUSES, SweepResult
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.world import World

__all__ = ["sweep_sections"]

# Causes shown for each country and scenario; files hold more.
_CAUSES = 5
_UNSOLVED = 10


def sweep_sections(world: World, found: SweepResult, most: int | None = None) -> Iterator[Section]:
    """Percentiles of real income, causes for Central Asia, draws without a solution.

    most: rows shown of the first.
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
    if found.unsolved:
        listed = found.unsolved[:_UNSOLVED]
        left = len(found.unsolved) - len(listed)
        yield phrased(
            "sweep.unsolved",
            [(f"{one['index']}", one["scenario"], one["message"]) for one in listed],
            after=[say("sweep.more", n=left)] if left else [],
            n=len(found.unsolved),
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
                    cause["parameter"],
                    signed(cause["rank_correlation"], 2),
                    signed(cause["percent_low"], 4),
                    signed(cause["percent_high"], 4),
                )
            )
    yield phrased("sweep.causes", rows, chance=found.cause_rows[0]["chance"])
