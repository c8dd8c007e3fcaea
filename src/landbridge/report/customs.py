"""A region's trade with the group as customs count it, and the steps from there to the base table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from landbridge.errors import DataError
from landbridge.phrases import listed, say
from landbridge.report.digest import GROUP, PARTNER, Names
from landbridge.report.document import Section, phrased, signed
from landbridge.studies.customs import STEPS, beside_customs, of_the_five
from landbridge.world import World

__all__ = ["customs_sections", "passed_on"]


def passed_on(world: World) -> tuple[list[str], list[str], float] | None:
    """Importers whose declared goods are taken to pass through, importers that hold a part, that part.

    None where the World has no such step, or where its steps cannot be read.
    """
    try:
        rows = beside_customs(world)
    except DataError:
        return None
    cut = {r["importer"]: r["transit_cut_musd"] for r in rows if r["transit_cut_musd"] < 0.0}
    booked = {r["importer"]: r["transit_booked_musd"] for r in rows if r["transit_booked_musd"] > 0.0}
    if not cut or not booked:
        return None
    return list(cut), list(booked), sum(booked.values()) / -sum(cut.values())


def customs_sections(world: World) -> Iterator[Section]:
    """The table of both sides' figures and the steps to the base; nothing where the World has none."""
    rows = beside_customs(world)
    if not rows:
        return
    names, total = Names(world), of_the_five(rows)

    def bn(value: float | None) -> str:
        return "-" if value is None else f"{value / 1e3:.2f}"

    def step(value: float) -> str:
        return "" if abs(value) < 5.0 else signed(value / 1e3, 2)

    def cells(row: dict[str, Any]) -> tuple[str, ...]:
        return (
            say("customs.pair", exporter=row["exporter"], importer=row["importer"]),
            bn(row["exporter_reports_musd"]),
            bn(row["importer_reports_musd"]),
            bn(row["baci_musd"]),
            *(step(row[f"{name}_musd"]) for name in (*STEPS[1:], "other")),
            bn(row["base_musd"]),
        )

    partner = names.region.get(PARTNER, PARTNER)
    customs, before = total["china_reports_musd"], []
    if customs is not None:
        counted, base = customs / 1e3, total["base_musd"] / 1e3
        before.append(
            say("customs.counted", partner=partner, customs=counted, base=base, year=world.base_year)
        )
    passed, after = passed_on(world), []
    if passed is not None:
        cut, booked, share = passed
        after.append(
            say(
                "customs.transit",
                cut=listed([names.region[r] for r in cut]),
                booked=listed([names.region[r] for r in booked]),
                share=share,
            )
        )
    yield phrased(
        "customs",
        [*map(cells, rows), cells(total)],
        before=before,
        after=after,
        partner=partner,
        group=names.group[GROUP],
        year=world.base_year,
    )
