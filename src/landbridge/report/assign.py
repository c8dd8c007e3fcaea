"""Report of an assignment: totals, the links with the most flow, users of a link."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from landbridge.phrases import say
from landbridge.report.document import Section, phrased
from landbridge.studies.assign import Assigned

__all__ = ["assigned_sections"]


def assigned_sections(found: Assigned, most: int | None) -> Iterator[Section]:
    """Totals, then links by flow and the pairs that use a selected link.

    found: of `assign`; most: rows shown of each, all where None.
    """
    yield _whole(found)
    links = sorted(found.links, key=lambda row: -row["flow"])[:most]
    yield phrased(
        "assign.every" if most is None else "assign.links",
        [
            (
                row["link"],
                row["from"],
                row["to"],
                f"{row['flow']:,.1f}",
                f"{row['cost']:.4g}",
                f"{row['free_cost']:.4g}",
                "-" if row["volume_over_capacity"] is None else f"{row['volume_over_capacity']:.2f}",
            )
            for row in links
        ],
        n=len(links),
    )
    for users in found.users:
        yield _users(users, most)


def _whole(found: Assigned) -> Section:
    solution, demand = found.solution, found.demand
    return phrased(
        "assign.whole",
        [
            (say("assign.what.links"), f"{len(found.links):,}"),
            (say("assign.what.trips"), f"{demand.trips.sum():,.6g}"),
            (say("assign.what.within"), f"{demand.within:,.6g}"),
            (say("assign.what.cost"), f"{solution.flow @ solution.cost:,.10g}"),
            (say("assign.what.objective"), f"{solution.objective:,.10g}"),
            (say("assign.what.gap"), f"{solution.relative_gap:.1e}"),
        ],
        network=found.network.name,
        message=found.status.message,
        unit=found.cost_unit,
        gap=say("assign.gap.ue" if found.model == "ue" else "assign.gap.weibit"),
    )


def _users(users: dict[str, Any], most: int | None) -> Section:
    pairs = users["pairs"]
    shown = pairs[:most]
    more = len(pairs) > len(shown)
    return phrased(
        "assign.users",
        [
            (row["from"], row["to"], f"{row['trips']:,.1f}", f"{100 * row['trips'] / users['flow']:.1f}")
            for row in shown
        ],
        after=[say("assign.parts.most", n=len(shown)) if more else say("assign.parts.all")],
        link=users["link"],
        tail=users["from"],
        head=users["to"],
        pairs=len(pairs),
    )
