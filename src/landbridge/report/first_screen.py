"""The answer first: what a scenario does in at most 24 lines of 80 columns; of several, a line each.

Sections of short tables and sentences; the figures are those of the tables of a result (`landbridge run
--json`) and of `landbridge.results.served` and `landbridge.results.changed`, only rounded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from landbridge.io.ranges import manifest
from landbridge.phrases import width
from landbridge.report.digest import GROUP, Digest, Names, members
from landbridge.report.document import Section, phrased
from landbridge.report.plain import folded
from landbridge.world import World
from landbridge.world.names import MARK

__all__ = [
    "LINES",
    "VISIBLE_PERCENT",
    "VISIBLE_TEU",
    "WIDTH",
    "assumptions",
    "emitter",
    "first_screen",
    "income_rows",
    "lines_of",
    "mode_name",
    "study_lines",
    "telling",
]

LINES, WIDTH = 24, 80
# What is cut, in this order, until the screen holds the rest: a section and the lines it keeps.
_CUTS = (
    ("first.income", 5),
    ("first.pairs", 6),
    ("first.assumed", 3),
    ("first.traffic", 3),
    ("first.pairs", 5),
    ("first.assumed", 2),
    ("first.income", 4),
    ("first.traffic", 2),
)
# Regions of real income at most.
_REGIONS = 5
# Rows of the pairs: of the first pair and of the others.
_MODES_OF_FIRST, _MODES_OF_OTHERS = 3, 2
# Changes below these are not shown for their own sake: of real income [%], of TEU a year and as a share.
VISIBLE_PERCENT, VISIBLE_TEU, _VISIBLE_SHARE = 0.005, 500.0, 0.001
# Of goods a year [t]: what one decimal of a million tonnes can show.
_VISIBLE_TONNES = 5e4

# Difference of real income under another closure, as a share of it, from which it is stated.
_MATTERS = 0.2


def first_screen(
    world: World,
    before: Digest,
    case: Digest,
    names: Names,
    commands: Iterable[str] = (),
    asked: str = "",
) -> list[Section]:
    """A scenario on one screen: LINES lines of WIDTH columns as `lines_of` counts them.

    world: that was solved; case: the scenario; before: its base; names: of the language. commands: names of
    the commands that there are; of those known here, what leads on. asked: what the scenario was asked by,
    its id where blank.
    """
    sections = [
        _what(before, case, names),
        _income(world, case, names),
        _pairs(case, names),
        _traffic(before, case, names),
        _emissions(before, case, names),
        _assumed(world, case, names),
        _more(case, frozenset(commands), asked or case.id, names),
    ]
    sections = [_cropped(one) for one in sections if one.rows or one.before]
    marked = any(MARK in text for one in sections for text in (*one.before, *sum(one.rows, ())))
    if marked:
        sections.append(Section("", before=(_short(names.say("names.unreviewed"), WIDTH),)))
    for key, most in _CUTS:
        if sum(map(lines_of, sections)) <= LINES:
            break
        if key == "first.income":
            # Regions are chosen again for fewer rows, and stand in order of money.
            cut = [_income(world, case, names, most - 1)]
        else:
            cut = [
                replace(one, rows=one.rows[:most], before=one.before[:most])
                for one in sections
                if one.key == key
            ]
        sections = [cut[0] if one.key == key else one for one in sections]
    room = LINES - sum(map(lines_of, sections))
    at = next(n for n, one in enumerate(sections) if one.key == "first.assumed")
    return [*sections[:at], *_notes(case, room, names), *sections[at:]]


def _cropped(section: Section) -> Section:
    """The section with its sentences no longer than a line."""
    return replace(section, before=tuple(_short(text, WIDTH) for text in section.before))


def study_lines(cases: Sequence[Digest], names: Names) -> list[Section]:
    """A line for every scenario: what it is, who gains most and who loses most; then what leads on.

    cases: the scenarios; names: of the language.
    """
    rows = []
    for case in cases:
        income = sorted(case.result["real_income"], key=lambda row: float(row["percent"]))
        most, least = income[-1], income[0]
        rows.append(
            (case.id, names.title(case.id, case.name), _who(most, names, 1.0), _who(least, names, -1.0))
        )
    year = cases[0].year if cases else 0
    return [
        phrased("first.study", rows, year=year, words=names),
        phrased("first.on", before=(names.say("first.on.one"), names.say("first.on.files")), words=names),
    ]


def lines_of(section: Section) -> int:
    """The number of lines of a section on the screen: a table has its headings, sentences one line each."""
    return len(section.rows) + 1 if section.rows else len(section.before) + (section.key == "first.what")


# -- sections ------------------------------------------------------------------------------------------


def _what(before: Digest, case: Digest, names: Names) -> Section:
    told = []
    if case.parameters:
        listed = names.joined(names.say("first.what.set.one", name=k, value=v) for k, v in case.parameters)
        told.append(_short(names.say("first.what.set", listed=listed), WIDTH))
    if len(case.sources) == 1:
        told.append(_short(names.say("first.what.source", source=case.sources[0]), WIDTH))
    elif case.sources:
        n, room = (
            len(case.sources) - 1,
            WIDTH - width(names.say("first.what.sources", source="", n=len(case.sources))),
        )
        told.append(names.say("first.what.sources", source=_short(case.sources[0], room), n=n))
    told.append(names.say("first.what.against", year=before.year))
    room = WIDTH - width(names.say("first.what.title", case=case.id, name=""))
    return phrased(
        "first.what",
        before=told,
        case=case.id,
        name=_short(names.title(case.id, case.name), room),
        words=names,
    )


def _income(world: World, case: Digest, names: Names, most: int = _REGIONS) -> Section:
    """The group, then the regions that `income_rows` chooses; most: of these."""
    shown = [(names.region[row["region"]], row) for row in income_rows(world, case, most)]
    group = [(names.group[GROUP], row) for row in case.result["groups"] if row["group"] == GROUP]
    ranged = any("percent_p05" in row for _, row in group + shown)
    cells = [
        (
            name,
            _percents(row["percent"], names),
            *([_range(row, names)] if ranged else []),
            names.signed(row["musd"], 0),
            _percents(row["percent_of_gdp"], names),
        )
        for name, row in [*group, *shown]
    ]
    if not ranged:
        return phrased("first.income", cells, words=names)
    return replace(phrased("first.income_ranged", cells, words=names), key="first.income")


def income_rows(world: World, case: Digest, most: int = _REGIONS) -> list[Mapping[str, Any]]:
    """The regions of real income that the screen has room for, the largest change in money first.

    Chosen in this order: the member of the group that changes most in money, the regions that gain and lose
    most in percent, the next member of the group, the region that changes most in money of those that change
    visibly, the other members, then others by money. Members count where they change visibly; equal changes
    of money stand in order of the code. world: names the group; case: a scenario; most: rows.
    """
    rows = sorted(case.result["real_income"], key=_by_money)
    inside = set(members(world))
    visible = [row for row in rows if abs(row["percent"]) >= VISIBLE_PERCENT]
    own = [row for row in visible if row["region"] in inside]
    ends = [row for row in (pick(rows, key=_percent) for pick in (min, max) if rows) if row in visible]
    first = [*own[:1], *ends, *own[1:2], *visible[:1], *own[2:]]
    first += [*visible[1:], *rows[:2]]
    chosen = list({row["region"]: row for row in first}.values())[:most]
    return sorted(chosen, key=_by_money)


def _by_money(row: Mapping[str, Any]) -> tuple[float, str]:
    return -abs(float(row["musd"])), str(row["region"])


def _pairs(case: Digest, names: Names) -> Section:
    served = case.lead.served if case.lead else []
    by_pair: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in served:
        by_pair.setdefault((row["from"], row["to"]), []).append(row)
    cells: list[tuple[str, ...]] = []
    for rows in by_pair.values():
        most = _MODES_OF_OTHERS if cells else _MODES_OF_FIRST
        found = [_mode(row, names) for row in telling(rows, most)]
        # Where nothing that shows is different there is nothing to say.
        if any(old != new for row in found for old, new in row[1]):
            cells += [
                ("" if n else names.ends(rows[0]), mode, *(_change(*ends, names) for ends in figures))
                for n, (mode, figures) in enumerate(found)
            ]
    return phrased(
        "first.pairs", cells, sector=names.sectors([row["sector"] for row in served[:1]]), words=names
    )


def telling(rows: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """The rows of a pair worth showing: the mode that carries most, then those that change most for what they
    carry.

    rows: of `landbridge.results.served`, of one pair; most: number of rows.
    """

    def moved(row: Mapping[str, Any]) -> float:
        ends = [(row[f"base_{name}"], row[name]) for name in ("time_h", "cost_usd")]
        change = sum(
            1.0 if old is None or new is None else abs(new / old - 1.0)
            for old, new in ends
            if (old, new) != (None, None) and old != 0.0
        )
        return change * float(max(row["base_share"], row["share"]))

    chosen = [rows[0], *sorted(rows[1:], key=lambda row: -moved(row))][:most]
    return [row for row in rows if row in chosen]


def _traffic(before: Digest, case: Digest, names: Names) -> Section:
    changed = case.lead.changed if case.lead else []
    told = [_passing(row, names) for row in changed[:1]]
    mine = {row["id"] for row in changed}
    old = {row["gateway"]: row["teu_per_year"] for row in before.result["gateways"]}
    weights = {row["gateway"]: row["tonnes"] for row in before.result["gateways"]}
    moves = [
        (row["teu_per_year"] - old.get(row["gateway"], 0.0), row)
        for row in case.result["gateways"]
        if row["gateway"] not in mine
    ]
    for change, row in (min(moves, key=_first), max(moves, key=_first)) if moves else ():
        was = old.get(row["gateway"], 0.0)
        if abs(change) < max(VISIBLE_TEU, _VISIBLE_SHARE * was):
            continue
        text = names.say(
            "first.traffic.gains" if change > 0.0 else "first.traffic.loses",
            gateway=_short(_plain(names.of_gateway(row)), 32),
            before=was / 1e3,
            after=row["teu_per_year"] / 1e3,
        )
        told.append(_with_tonnes(text, weights.get(row["gateway"], 0.0), row["tonnes"], names))
    told += [_passing(row, names) for row in changed[1:2]]
    return phrased("first.traffic", before=told, words=names)


def _percent(row: Mapping[str, Any]) -> float:
    return float(row["percent"])


def _range(row: Mapping[str, Any], names: Names) -> str:
    """5th and 95th percentile of the draws, marked where the estimate lies outside."""
    low, high = (row.get(f"percent_p{end}") for end in ("05", "95"))
    if low is None or high is None:
        return ""
    ends = {"low": _percents(low, names), "high": _percents(high, names)}
    return names.say("first.income.range" if _inside(row) else "first.income.range_outside", **ends)


def _inside(row: Mapping[str, Any]) -> bool:
    """Whether the estimate lies within the 5th and 95th percentile of the draws."""
    return bool(row["percent_p05"] <= row["percent"] <= row["percent_p95"])


def _percents(value: float, names: Names) -> str:
    """Percent with two digits, or three where two would show nothing."""
    return names.signed(value, 2 if abs(value) >= VISIBLE_PERCENT else 3)


def _first(pair: tuple[float, Any]) -> float:
    return pair[0]


def _passing(row: Mapping[str, Any], names: Names) -> str:
    """What passes a gateway or link that the scenario changes."""
    name = _plain(names.gateway.get(row["id"], row["id"])) if row["kind"] == "gateway" else names.ends(row)
    teu: dict[str, Any] = {"before": row["base_teu"] / 1e3, "after": row["teu"] / 1e3}
    a_day = {"was": row["base_per_day"] or 0.0, "now": row["per_day"] or 0.0}

    def told(name: str) -> str:
        if row["per_day"] is None:
            return names.say("first.traffic.sea", name=name, **teu)
        if row["mode"] == "road":
            return names.say("first.traffic.trucks", name=name, **teu, **a_day)
        change = teu["after"] - teu["before"]
        return names.say("first.traffic.trains", name=name, change=change, **a_day)

    # One side of a border is enough where both leave no room for the figures.
    text = told(name) if width(told(name)) <= WIDTH else told(name.split(" - ")[0])
    return _with_tonnes(text, row.get("base_tonnes"), row.get("tonnes"), names)


def _with_tonnes(text: str, was: float | None, now: float | None, names: Names) -> str:
    """A line with the change of all goods in million tonnes, where it has room for it."""
    if was is None or now is None or abs(now - was) < _VISIBLE_TONNES:
        return text
    whole = names.say("first.traffic.tonnes", text=text, change=(now - was) / 1e6)
    return whole if width(whole) <= WIDTH else text


def _emissions(before: Digest, case: Digest, names: Names) -> Section:
    old = {row["mode"]: row["co2e_kt"] for row in before.result["emissions"]}
    change = {row["mode"]: row["co2e_kt"] - old[row["mode"]] for row in case.result["emissions"]}
    total = change.pop("all")
    parts = [
        names.say("first.co2e.part", mode=emitter(mode, names), kt=kt)
        for mode, kt in sorted(change.items(), key=lambda item: -abs(item[1]))
        if abs(kt) >= 0.5
    ]
    text = names.say("first.co2e.all", kt=total, parts=names.joined(parts) or names.say("first.co2e.none"))
    while width(text) > WIDTH and parts:
        parts.pop()
        # The parts shown do not add up to the total: say that there are more.
        text = names.say("first.co2e.all", kt=total, parts=names.joined([*parts, "..."]))
    return phrased("first.co2e", before=(text,), words=names)


def emitter(mode: str, names: Names) -> str:
    """A mode of the table of emissions in a word or two, found by a part of its name there.

    mode: as the table has it; names: of the language.
    """
    words = {
        "container trains": names.say("first.co2e.block"),
        "wagons": names.say("first.co2e.wagonload"),
        "road": names.say("first.co2e.road"),
        "ocean": names.say("first.co2e.ocean"),
        "Caspian": names.say("first.co2e.caspian"),
        "terminals": names.say("first.co2e.terminals"),
    }
    return next((word for part, word in words.items() if part in mode), mode)


def assumptions(world: World, case: Digest, names: Names) -> list[str]:
    """What a case rests on, a sentence each, what its range is over first.

    world: that was solved; case: the scenario; names: of the language.
    """
    rows = case.lead.assumptions if case.lead else []
    speeds = [row for row in rows if row["kind"] == "speed"]
    told = _widest(world, case, names)
    told += [_speed(speeds, names)] if speeds else []
    told += [names.say("first.assumed.gas") for row in rows if row["kind"] == "gas"]
    told += _payments(world, case, names)
    told += _deficits(world, case, names)
    others = [row for row in rows if row["kind"] not in ("speed", "gas") and row["id"] != "phi"]
    told += [_assumption(row, case, names) for row in others]
    theta = [row for row in world.sectors if row["is_goods"]]
    told.append(
        names.say(
            "first.assumed.theta",
            least=min(_number(row["theta"]) for row in theta),
            most=max(_number(row["theta"]) for row in theta),
            low=min(_number(row["theta_low"]) for row in theta),
            high=max(_number(row["theta_high"]) for row in theta),
        )
    )
    return told + [_assumption(row, case, names) for row in rows if row["id"] == "phi"]


def _assumed(world: World, case: Digest, names: Names) -> Section:
    return phrased("first.assumed", before=assumptions(world, case, names)[:4], words=names)


def _deficits(world: World, case: Digest, names: Names) -> list[str]:
    """Real income with deficits in proportion to income, where that differs most in the group."""
    inside = set(members(world))
    rows = [row for row in case.result["real_income"] if row["region"] in inside]
    rows = [row for row in rows if row.get("percent_proportional") is not None]
    if not rows:
        return []
    row = max(rows, key=lambda row: abs(row["percent_proportional"] - row["percent"]))
    other, shown = row["percent_proportional"], row["percent"]
    if abs(other - shown) < max(VISIBLE_PERCENT, _MATTERS * abs(shown)):
        return []
    return [names.say("first.assumed.deficits", region=names.region[row["region"]], other=other)]


def _widest(world: World, case: Digest, names: Names) -> list[str]:
    """What the ranges are over and what widens the widest, or that a figure is outside its own."""
    group = [row for row in case.result["groups"] if row["group"] == GROUP and row.get("widest")]
    if not group:
        return []
    row, known = group[0], manifest()
    shown = [one for one in (row, *income_rows(world, case)) if "percent_p05" in one]
    inside = all(map(_inside, shown))

    draws = known["draws"]

    def told(widest: str) -> str:
        if not inside:
            return names.say("first.assumed.outside", draws=draws, widest=widest)
        figures = {"draws": draws, "n": known["numbers"], "widest": widest}
        return names.say("first.assumed.widest", group=names.group[GROUP], **figures)

    # Where there is no room, one side of a border is enough, or fewer words.
    widest = names.drawn(row["widest"])
    side = widest.split(" - ")[0]
    short = names.say("first.assumed.range" if inside else "first.assumed.one_sided", widest=side)
    return [next((text for text in map(told, (widest, side)) if width(text) <= WIDTH), short)]


def _payments(world: World, case: Digest, names: Names) -> list[str]:
    """Real income without payments to carriers, of the member of the group that changes most of those whose
    sign rests on them."""
    gain = case.lead.payment_gains_musd if case.lead else {}
    found = []
    for row in case.result["real_income"]:
        musd, visible = row["musd"], abs(row["percent"]) >= VISIBLE_PERCENT
        if row["region"] in members(world) and visible and (musd - gain.get(row["region"], 0.0)) * musd < 0.0:
            found.append(row)
    if not found:
        return []
    row = max(found, key=lambda row: abs(row["percent"]))
    other = 100.0 * (row["musd"] - gain[row["region"]]) / row["income_musd"]
    name = names.region[row["region"]]
    return [names.say("first.assumed.payments", region=name, other=other, shown=row["percent"])]


def _speed(rows: Sequence[Mapping[str, Any]], names: Names) -> str:
    """The running speed that is set on links, that of the first of them named."""
    same = [row for row in rows if row["value"] == rows[0]["value"]]
    figures = {"value": rows[0]["value"], "link": _short(names.ends(rows[0]), 28)}
    if len(same) > 1:
        return names.say("first.assumed.speeds", **figures, n=len(same) - 1)
    return names.say("first.assumed.speed", **figures)


def _assumption(row: Mapping[str, Any], case: Digest, names: Names) -> str:
    if row["kind"] == "crossing":
        return _crossing(row, names)
    figures = {key: row[key] for key in ("value", "low", "high")}
    if row["id"] == "phi" and not row["set"]:
        return names.say("first.assumed.phi", **figures)
    if row["id"] == "phi_b" and not row["set"]:
        group = [r for r in case.result["groups"] if r["group"] == GROUP]
        ends = [r.get(f"percent_phi_b_{end}") for r in group for end in ("low", "high")]
        if len(ends) != 2 or None in ends:
            return names.say("first.assumed.phi_b", **figures)
        low, high = sorted(map(float, ends))
        if round(low, 3) == round(high, 3):
            return names.say("first.assumed.phi_b_same", low=row["low"], high=row["high"])
        return names.say(
            "first.assumed.phi_b_ends",
            group=names.group[GROUP],
            least=low,
            most=high,
            low=row["low"],
            high=row["high"],
        )
    figures["unit"] = names.term("unit", row["unit"])
    room = WIDTH - width(names.say("first.assumed.parameter", what="", **figures))
    what = _short(re.split("[:;：；]", names.term("parameter", row["id"], row["what"]))[0], room)
    return names.say("first.assumed.parameter", what=what, **figures)


def _notes(case: Digest, room: int, names: Names) -> list[Section]:
    """Notes on the case, as many as there is room for."""
    lines: list[str] = []
    for text in case.result["notes"]:
        wrapped = folded(names.say("first.notes.one", text=names.of(text)), WIDTH)
        if len(lines) + len(wrapped) <= room:
            lines += wrapped
    return [phrased("first.notes", before=lines, words=names)] if lines else []


def _crossing(row: Mapping[str, Any], names: Names) -> str:
    """Hours of a border, of each direction where they differ."""
    figures = {key: row[key] for key in ("value", "low", "high")}
    figures["mode"] = names.say(f"first.product.{row['product']}")
    name = _plain(names.gateway.get(row["id"], row["id"]))

    def told(gateway: str) -> str:
        if row["most"] > row["value"]:
            return names.say("first.assumed.crossings", gateway=gateway, most=row["most"], **figures)
        return names.say("first.assumed.crossing", gateway=gateway, **figures)

    return told(name) if width(told(name)) <= WIDTH else told(name.split(" - ")[0])


def _more(case: Digest, commands: frozenset[str], asked: str, names: Names) -> Section:
    told = [names.say("first.more.run", case=asked)]
    if width(told[0]) > WIDTH:
        told = [names.say("first.more.tables", case=asked)]
    most = max(case.result["real_income"], key=lambda row: abs(row["percent"]), default=None)
    others = []
    if "sweep" in commands:
        others.append(names.say("first.more.sweep"))
    if "compare" in commands:
        others.append(names.say("first.more.compare"))
    if "sensitivity" in commands and most is not None:
        others.append(names.say("first.more.sensitivity", region=most["region"]))
    point = "sweep" in commands and not any("percent_p05" in row for row in case.result["real_income"])

    def on() -> str:
        listed = names.joined(others)
        if point:
            return names.say("first.more.ranges", commands=listed)
        return names.say("first.more.others", commands=listed)

    # A command that is cut could not be called.
    while others and width(on()) > WIDTH:
        others.pop()
    if others:
        told.append(on())
    return phrased("first.more", before=told, words=names)


# -- figures -------------------------------------------------------------------------------------------


# Columns that the name of a region takes in the list of scenarios.
_ROOM = 12


def _who(row: Mapping[str, Any], names: Names, sign: float) -> str:
    """A region with its change, or nothing where it has not that sign."""
    if sign * row["percent"] < VISIBLE_PERCENT:
        return "-"
    region = names.region[row["region"]]
    region = region if width(region) <= _ROOM else names.brief[row["region"]]
    return names.say("first.study.who", region=region, percent=row["percent"])


def mode_name(row: Mapping[str, Any], names: Names) -> str:
    """The mode of a row of `landbridge.results.served` in words.

    row: of `served_rows`; names: of the language.
    """
    return names.say(f"first.mode.{row['mode'].replace(' ', '_')}")


def _mode(row: Mapping[str, Any], names: Names) -> tuple[str, list[tuple[str, str]]]:
    """A mode in words, and days, USD and percent of TEU before and after; a dash where it has no route."""
    figures = []
    for key, per, digits in (("time_h", 24.0, 1), ("cost_usd", 1.0, 0), ("share", 0.01, 0)):
        ends = row[f"base_{key}"], row[key]
        was, now = ("-" if x is None else names.figure(x / per, f",.{digits}f") for x in ends)
        figures.append((was, now))
    return mode_name(row, names), figures


def _change(was: str, now: str, names: Names) -> str:
    """A figure before and after; one where both show the same."""
    return was if was == now else names.say("first.change", before=was, after=now)


def _plain(name: str) -> str:
    """A name without what stands in brackets."""
    return name.split(" (")[0]


def _number(cell: Any) -> float:
    return float(cell or 0.0)


def _short(text: str, most: int) -> str:
    """The text in at most so many columns of a terminal."""
    if width(text) <= most:
        return text
    kept = text
    while kept and width(kept) > most - 3:
        kept = kept[:-1]
    return kept.rstrip(" ,;-(") + "..."
