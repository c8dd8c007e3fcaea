"""The first sheets of a workbook: what the first screen says, as numbers in cells, with a chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from landbridge.io.sheets import Block, Chart, Page
from landbridge.report.digest import GROUP, Digest, Names
from landbridge.report.first_screen import (
    VISIBLE_PERCENT,
    VISIBLE_TEU,
    assumptions,
    emitter,
    income_rows,
    mode_name,
)
from landbridge.report.number_formats import CHANGE, LEVEL
from landbridge.world import World
from landbridge.world.names import MARK

__all__ = ["answer_pages", "marked"]

Cells = tuple[Any, ...]

_HOURS_PER_DAY = 24.0
# Rows at most: countries, gateways; bars of a chart where several scenarios are shown.
_COUNTRIES, _GATEWAYS, _BARS = 16, 12, 8
# Scenarios whose bars stand next to each other.
_SERIES = 6


def answer_pages(world: World, before: Digest, cases: Sequence[Digest], names: Names) -> list[Page]:
    """A page with the answer; where there are several scenarios one of all, then one for each.

    world: of the base; before: the base; cases: the scenarios; names: in the language of the workbook.
    """
    if not cases:
        return []
    own = [_case(world, case.base or before, case, names) for case in cases]
    if len(cases) == 1:
        return [replace(own[0], name=names.say("sheet.answer"))]
    return [_study(cases, names), *own]


# -- one scenario --------------------------------------------------------------------------------------


def _case(world: World, before: Digest, case: Digest, names: Names) -> Page:
    lead = [names.say("first.what.against", year=before.year)]
    lead += [names.say("first.what.source", source=source) for source in case.sources]
    blocks = [
        Block(names.say("edited.changes.title"), before=case.own),
        _income(world, case, names),
        _pairs(case, names),
        _traffic(world, before, case, names),
        _emissions(before, case, names),
        Block(names.say("first.assumed.title"), before=tuple(assumptions(world, case, names))),
        Block(names.say("first.notes.title"), before=tuple(map(names.of, case.result["notes"]))),
    ]
    held = tuple(block for block in blocks if block.rows or block.before)
    if marked(held):
        lead.append(names.say("names.unreviewed"))
    return Page(
        case.id,
        names.say("first.what.title", case=case.id, name=names.title(case.id, case.name)),
        tuple(lead),
        held,
    )


def marked(blocks: Iterable[Block]) -> bool:
    """Whether a name in the blocks has the mark of names that nobody has reviewed.

    blocks: of a page.
    """
    return any(
        isinstance(cell, str) and MARK in cell for block in blocks for row in block.rows for cell in row
    )


def _by_size(row: Mapping[str, Any]) -> float:
    return -abs(float(row["percent"]))


def _income(world: World, case: Digest, names: Names) -> Block:
    """The groups, then every country that changes visibly, that which changes most first."""
    rows = sorted(case.result["real_income"], key=_by_size)
    visible = [row for row in rows if abs(row["percent"]) >= VISIBLE_PERCENT][:_COUNTRIES]
    listed = {row["region"] for row in (*visible, *income_rows(world, case))}
    shown = [(names.region[row["region"]], row["region"], row) for row in rows if row["region"] in listed]
    groups = [(names.group[row["group"]], row["group"], row) for row in case.result["groups"]]
    groups.sort(key=lambda each: each[1] != GROUP)
    ranged = any("percent_p05" in row for *_, row in groups + shown)
    cells = [
        (
            name,
            code,
            row["percent"],
            *((row.get("percent_p05"), row.get("percent_p95")) if ranged else ()),
            row["musd"],
            row["percent_of_gdp"],
        )
        for name, code, row in groups + shown
    ]
    percents = CHANGE[3]
    return Block(
        names.say("sheet.income.title"),
        names.columns("sheet.income_ranged.columns") if ranged else names.columns("sheet.income.columns"),
        cells,
        ("", "", percents, *((percents, percents) if ranged else ()), CHANGE[1], percents),
        chart=Chart(
            names.say("sheet.income.chart"),
            names.say("sheet.income.axis"),
            0,
            (2,),
            (case.id,),
            len(groups),
            len(shown),
        )
        if shown
        else None,
    )


def _pairs(case: Digest, names: Names) -> Block:
    """Days, USD and percent of TEU of every mode on the pairs of cities that the first screen shows."""
    served = case.lead.served if case.lead else []
    cells: list[Cells] = []
    for row in served:
        figures: list[float | None] = []
        for key, factor in (("time_h", 1.0 / _HOURS_PER_DAY), ("cost_usd", 1.0), ("share", 100.0)):
            figures += _ends(row[f"base_{key}"], row[key], factor)
        cells.append((names.ends(row), f"{row['from']} - {row['to']}", mode_name(row, names), *figures))
    return Block(
        names.say("sheet.pairs.title", sector=names.sectors([row["sector"] for row in served[:1]])),
        names.columns("sheet.pairs.columns"),
        cells,
        ("", "", "", *_three(1), *_three(0), *_three(1)),
    )


def _three(digits: int) -> tuple[str, str, str]:
    """Formats of a figure before and after, and of its change."""
    return LEVEL[digits], LEVEL[digits], CHANGE[digits]


def _ends(was: float | None, now: float | None, factor: float = 1.0) -> list[float | None]:
    """A figure before and after, and its change; None where there is none."""
    old, new = (None if value is None else factor * value for value in (was, now))
    return [old, new, None if old is None or new is None else new - old]


def _traffic(world: World, before: Digest, case: Digest, names: Names) -> Block:
    """What the scenario changes itself, then the gateways whose traffic changes most elsewhere."""
    cells: list[Cells] = []
    changed = case.lead.changed if case.lead else []
    for row in changed:
        gateway = row["kind"] == "gateway"
        name = names.gateway.get(row["id"], row["id"]) if gateway else names.ends(row)
        unit = "" if row["per_day"] is None else _unit(row["mode"], names)
        cells.append(
            (
                name,
                row["id"],
                names.term("mode", row["mode"]),
                *_ends(row["base_teu"], row["teu"]),
                *_ends(row["base_per_day"], row["per_day"]),
                unit,
            )
        )
    mine, days = {row["id"] for row in changed}, world.parameter("days_per_year")
    old = {row["gateway"]: row for row in before.result["gateways"]}
    moves = []
    for row in case.result["gateways"]:
        was = old.get(row["gateway"], {})
        teu = _ends(was.get("teu_per_year", 0.0), row["teu_per_year"])
        if row["gateway"] not in mine and abs(teu[2] or 0.0) >= VISIBLE_TEU:
            now = _a_day(row, row["mode"], days)
            a_day = _ends(_a_day(was, row["mode"], days), now)
            unit = "" if now is None else _unit(row["mode"], names)
            moves.append(
                (names.of_gateway(row), row["gateway"], names.term("mode", row["mode"]), *teu, *a_day, unit)
            )
    moves.sort(key=lambda cell: -abs(cell[5]))
    return Block(
        names.say("sheet.traffic.title"),
        names.columns("sheet.traffic.columns"),
        [*cells, *moves[:_GATEWAYS]],
        ("", "", "", *_three(0), *_three(1), ""),
    )


def _unit(mode: str, names: Names) -> str:
    return names.say("sheet.traffic.trucks") if mode == "road" else names.say("sheet.traffic.trains")


def _a_day(row: Mapping[str, Any], mode: str, days: float) -> float | None:
    """Container trains or trucks a day at a gateway; None where neither is known."""
    if not row:
        return 0.0
    if mode == "road":
        return float(row["trucks_per_year"] or 0.0) / days
    trains = row["trains_per_day"]
    return None if trains is None else float(trains)


def _emissions(before: Digest, case: Digest, names: Names) -> Block:
    old = {row["mode"]: row["co2e_kt"] for row in before.result["emissions"]}
    rows = [(row["mode"], _ends(old.get(row["mode"]), row["co2e_kt"])) for row in case.result["emissions"]]
    rows.sort(key=lambda each: (each[0] != "all", -abs(each[1][2] or 0.0)))
    return Block(
        names.say("sheet.co2e.title"),
        names.columns("sheet.co2e.columns"),
        [
            (names.say("sheet.co2e.all") if mode == "all" else emitter(mode, names), None, None, *figures)
            for mode, figures in rows
        ],
        ("", "", "", *_three(1)),
    )


# -- several scenarios ---------------------------------------------------------------------------------


def _study(cases: Sequence[Digest], names: Names) -> Page:
    """A row for each scenario, then real income of the countries that change most in any of them."""
    blocks = (_overview(cases, names), _countries(cases, names))
    lead = [names.say("first.what.against", year=cases[0].year)]
    lead += [names.say("names.unreviewed")] if marked(blocks) else []
    return Page(names.say("sheet.answer"), names.say("sheet.study.head", n=len(cases)), tuple(lead), blocks)


def _overview(cases: Sequence[Digest], names: Names) -> Block:
    """What each scenario does to the group, and who gains and loses most."""
    rows: list[Cells] = []
    for case in cases:
        group: Mapping[str, Any] = next((r for r in case.result["groups"] if r["group"] == GROUP), {})
        most, least = (pick(case.result["real_income"], key=_percent) for pick in (max, min))
        rows.append(
            (
                case.id,
                case.name,
                *(group.get(key) for key in ("percent", "percent_p05", "percent_p95", "musd")),
                names.region[most["region"]],
                most["percent"],
                names.region[least["region"]],
                least["percent"],
            )
        )
    percents = CHANGE[3]
    return Block(
        names.say("sheet.study.title"),
        names.columns("sheet.study.columns", group=names.group[GROUP]),
        rows,
        ("", "", percents, percents, percents, CHANGE[1], "", percents, "", percents),
    )


def _percent(row: Mapping[str, Any]) -> float:
    return float(row["percent"])


def _countries(cases: Sequence[Digest], names: Names) -> Block:
    """Real income of every country in every scenario, with a chart of those that change most."""
    income, groups = (
        [{row[key]: row["percent"] for row in case.result[table]} for case in cases]
        for table, key in (("real_income", "region"), ("groups", "group"))
    )
    largest: dict[str, float] = {}
    for region, percent in (item for of in income for item in of.items()):
        largest[region] = max(largest.get(region, 0.0), abs(percent))
    order = sorted(largest, key=lambda region: -largest[region])
    known = dict.fromkeys(group for of in groups for group in of)
    cells: list[Cells] = [
        *((names.group[group], group, *(of.get(group) for of in groups)) for group in known),
        *((names.region[region], region, *(of.get(region) for of in income)) for region in order),
    ]
    ids = tuple(case.id for case in cases)
    shown = ids[:_SERIES]
    return Block(
        names.say("sheet.countries.title"),
        (*names.columns("sheet.countries.columns"), *ids),
        cells,
        ("", "", *(CHANGE[3] for _ in ids)),
        chart=Chart(
            names.say("sheet.income.chart"),
            names.say("sheet.income.axis"),
            0,
            tuple(range(2, 2 + len(shown))),
            shown,
            len(known),
            min(_BARS, len(order)),
        ),
    )
