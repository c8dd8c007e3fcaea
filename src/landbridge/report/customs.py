"""A region's trade with the group in customs figures, and the steps to the base table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from landbridge.errors import DataError
from landbridge.report.digest import GROUP, PARTNER, Names
from landbridge.report.document import Section, phrased
from landbridge.studies.customs import (
    LEAST_SHARE,
    STEPS,
    beside_customs,
    by_country,
    of_china,
    of_the_five,
)
from landbridge.world import World

__all__ = ["customs_sections", "passed_on"]


def passed_on(world: World) -> tuple[list[str], list[str], float] | None:
    """Importers whose declared goods are assumed to pass through, importers of a part, and that share.

    world: with economy/trade_steps.csv. None where the World has no such step, or where its steps cannot be
    read: no error is raised.
    """
    try:
        rows = of_china(beside_customs(world))
    except DataError:
        return None
    cut = {r["importer"]: r["transit_cut_musd"] for r in rows if r["transit_cut_musd"] < 0.0}
    booked = {r["importer"]: r["transit_booked_musd"] for r in rows if r["transit_booked_musd"] > 0.0}
    if not cut or not booked:
        return None
    return list(cut), list(booked), sum(booked.values()) / -sum(cut.values())


def customs_sections(world: World, lang: str = "en") -> Iterator[Section]:
    """Tables of both sides' figures and the steps to the base; none where the World has none.

    First the partner with each of the group, then the figures of countries of the group by partner. world:
    with economy/trade_steps.csv; lang: en, ru or zh. Raises as `beside_customs`.
    """
    rows, names = beside_customs(world), Names(world, lang)
    if of_china(rows):
        yield _of_partner(world, rows, names)
    countries = by_country(rows)
    if countries:
        yield phrased(
            "customs.countries",
            [_cells(row, names) for row in countries],
            words=names,
            after=[names.say("customs.countries.small", share=LEAST_SHARE)],
            group=names.group[GROUP],
            year=world.base_year,
        )


def _bn(value: float | None, names: Names) -> str:
    return "-" if value is None else names.figure(value / 1e3, ".2f")


def _step(value: float | None, names: Names) -> str:
    return "" if value is None or abs(value) < 5.0 else names.signed(value / 1e3, 2)


def _cells(row: dict[str, Any], names: Names) -> tuple[str, ...]:
    return (
        names.say("customs.pair", exporter=row["exporter"], importer=row["importer"]),
        _bn(row["exporter_reports_musd"], names),
        _bn(row["importer_reports_musd"], names),
        _step(row["to_baci_musd"], names),
        _bn(row["baci_musd"], names),
        *(_step(row[f"{name}_musd"], names) for name in (*STEPS[1:], "other")),
        _bn(row["base_musd"], names),
    )


def _of_partner(world: World, rows: list[dict[str, Any]], names: Names) -> Section:
    total = of_the_five(rows)

    partner = names.region.get(PARTNER, PARTNER)
    customs, before = total["china_reports_musd"], []
    if customs is not None:
        counted, base = customs / 1e3, total["base_musd"] / 1e3
        before.append(
            names.say("customs.counted", partner=partner, customs=counted, base=base, year=world.base_year)
        )
    passed, after = passed_on(world), []
    if passed is not None:
        cut, booked, share = passed
        after.append(
            names.say(
                "customs.transit",
                cut=names.listed([names.region[r] for r in cut]),
                booked=names.listed([names.region[r] for r in booked]),
                share=share,
            )
        )
    return phrased(
        "customs",
        [_cells(row, names) for row in [*of_china(rows), total]],
        words=names,
        before=before,
        after=after,
        partner=partner,
        group=names.group[GROUP],
        year=world.base_year,
    )
