"""Report on one scenario: income by country, changes of trade, corridors and gateways, payments."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from landbridge.report.base import GATEWAYS_SHOWN, by_corridor, furthest_off, hours, or_dash
from landbridge.report.customs import passed_on
from landbridge.report.digest import GROUP, PARTNER, Digest, Names, members
from landbridge.report.document import Section, phrased
from landbridge.world import World

__all__ = ["STILL_PERCENT", "case_sections", "changed_corridors", "changes_most"]

# Smallest changes shown: percent of hours, USD and CO2e, and of TEU; TEU a year.
STILL_PERCENT, _STILL_TEU = 0.05, 500.0
_MEASURES = ("time_h", "cost_usd", "co2e_kg", "generalised_cost_usd")


def case_sections(world: World, before: Digest, case: Digest, names: Names) -> Iterator[Section]:
    """The report on a scenario: real income, trade, corridors, gateways, emissions, payments for transit.

    world: of the base; before, case: digests of the base and the scenario; names: of the tables.
    """
    yield _real_income(world, case, names)
    if case.result.get("closures"):
        yield _closures(world, case, names)
    if PARTNER in names.region:
        yield _trade(world, case, names)
    yield _corridors(before, case, names)
    yield _gateways(before, case, names)
    yield _emissions(before, case, names)
    if case.result.get("transit"):
        yield _transit(world, before, case, names)


def _shown(world: World, case: Digest) -> list[str]:
    """Regions in the table of real income: the partner, the group, other overland ones, largest changes."""
    overland = [str(r["region"]) for r in world.network["pair_groups"] if r["overland"]]
    most = [row["region"] for row in changes_most(case)]
    known = {row["region"] for row in case.result["real_income"]}
    first = [region for region in (PARTNER, *members(world)) if region in overland]
    return [region for region in dict.fromkeys((*first, *overland, *most)) if region in known]


def _real_income(world: World, case: Digest, names: Names) -> Section:
    by_region = {row["region"]: row for row in case.result["real_income"]}
    shown = [(names.region[r], by_region[r]) for r in _shown(world, case)]
    shown += [(names.group[row["group"]], row) for row in case.result["groups"]]
    rows = [
        (
            name,
            names.signed(row["percent"]),
            names.signed(row["first_order_percent"]),
            names.signed(row["percent_proportional"]),
            names.signed(row["first_order_percent_proportional"]),
            names.figure(row["musd"], "+,.1f"),
            names.signed(row["percent_of_gdp"]),
        )
        for name, row in shown
    ]
    widest, of = max(shown, key=lambda each: abs(math.log(each[1]["income_musd"] / each[1]["gdp_musd"])))
    return phrased(
        "case.income",
        rows,
        words=names,
        part=case.id,
        before=(names.say("case.name", name=names.title(case.id, case.name).rstrip(".")),),
        after=[names.say("note", text=names.of(note)) for note in case.result["notes"]],
        year=case.base_year,
        widest=widest,
        income=of["income_musd"] / 1e3,
        gdp=of["gdp_musd"] / 1e3,
    )


def _closures(world: World, case: Digest, names: Names) -> Section:
    """Real income of the group under each closure, one row each, with what it holds fixed."""
    solved = {row["region"] for row in case.result["closures"]}
    shown = [region for region in (*members(world), GROUP) if region in solved]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in case.result["closures"]:
        words = {"percent": names.term("holds", row["holds"])}
        if "discounted_percent" in row:
            words |= {
                "consumption_percent": names.say("case.closures.consumption"),
                "discounted_percent": names.say("case.closures.discounted"),
            }
        for key, holds in words.items():
            value = row[key]
            rows.setdefault((holds, key), {})[row["region"]] = "-" if value is None else names.signed(value)
    income = {row["region"]: row for row in case.result["real_income"]}
    income |= {row["group"]: row for row in case.result["groups"]}
    for end, holds in (
        ("low", names.say("case.closures.weakly", deficits=names.term("closure", case.closure))),
        ("high", names.say("case.closures.strongly", deficits=names.term("closure", case.closure))),
    ):
        if all(f"percent_phi_b_{end}" in income[r] for r in shown):
            rows[holds, end] = {r: names.signed(income[r][f"percent_phi_b_{end}"]) for r in shown}
    without = dict.fromkeys(
        names.say("case.closures.none", holds=names.term("holds", row["holds"]), why=names.of(row["why"]))
        for row in case.result["closures"]
        if row["why"]
    )
    return phrased(
        "case.closures",
        [(holds, *(cells[r] for r in shown)) for (holds, _), cells in rows.items()],
        words=names,
        part=case.id,
        names=[names.region.get(r) or names.group[r] for r in shown],
        after=list(without),
        group=names.group[GROUP],
    )


def _trade(world: World, case: Digest, names: Names) -> Section:
    pairs = {(row["exporter"], row["importer"]): row for row in case.result["trade"]}
    rows = []
    total = [0.0, 0.0, 0.0, 0.0]
    for region in members(world):
        there, back = pairs.get((PARTNER, region)), pairs.get((region, PARTNER))
        if there is None or back is None:
            continue
        for k, value in enumerate((there["base_musd"], there["musd"], back["base_musd"], back["musd"])):
            total[k] += value
        rows.append((names.region[region], *_cells(there, names), *_cells(back, names)))
    both = [
        {"base_musd": total[k], "musd": total[k + 1], "percent": 100 * total[k + 1] / (total[k] or 1.0)}
        for k in (0, 2)
    ]
    if rows:
        rows.append((names.group[GROUP], *_cells(both[0], names), *_cells(both[1], names)))
    after = [
        names.say(
            "case.trade.table",
            year=case.base_year,
            deficits=names.term("closure", case.closure),
            kgz_trade=case.variant[0],
            tjk_cap=case.variant[1],
        )
    ]
    passed = passed_on(world)
    if passed is not None:
        from_, to, share = passed
        declared = names.listed([names.region[r] for r in from_])
        after.append(
            names.say(
                "case.trade.passed",
                to=names.listed([names.region[r] for r in to]),
                share=share,
                declared=declared,
            )
        )
    partner, group = names.region[PARTNER], names.group[GROUP]
    return phrased("case.trade", rows, part=case.id, after=after, partner=partner, group=group, words=names)


def _cells(row: dict[str, Any], names: Names) -> tuple[str, str, str]:
    return (
        names.figure(row["base_musd"], ",.0f"),
        names.figure(row["musd"], "+,.1f"),
        names.signed(row["percent"], 2),
    )


def changed_corridors(base: Digest, case: Digest) -> list[str]:
    """Corridors of both whose hours, money, CO2e or generalised cost change by STILL_PERCENT or more.

    base, case: without and with the scenario.
    """
    old = {name: parts["all"] for name, parts in by_corridor(base)}
    return [
        name
        for name, parts in by_corridor(case)
        if name in old
        and any(abs(parts["all"][k] / old[name][k] - 1.0) * 100 >= STILL_PERCENT for k in _MEASURES)
    ]


def _corridors(base: Digest, case: Digest, names: Names) -> Section:
    old = {name: parts["all"] for name, parts in by_corridor(base)}
    changed = changed_corridors(base, case)
    rows, still = [], []
    for name, parts in by_corridor(case):
        if name not in old:
            continue
        new, was = parts["all"], old[name]
        if name not in changed:
            still.append(names.ends(new))
            continue
        cells = [names.ends(new)]
        for key in _MEASURES:
            cells += [names.figure(new[key], ",.0f"), names.figure(new[key] - was[key], "+,.1f")]
        rows.append(tuple(cells))
    unchanged = [names.say("case.corridors.unchanged", percent=STILL_PERCENT, corridors=names.joined(still))]
    return phrased("case.corridors", rows, part=case.id, after=unchanged if still else (), words=names)


def _gateways(base: Digest, case: Digest, names: Names) -> Section:
    old = {row["gateway"]: row for row in base.result["gateways"]}
    moved = []
    for row in case.result["gateways"]:
        was = old.get(row["gateway"])
        before = was["teu_per_year"] if was else 0.0
        change = row["teu_per_year"] - before
        if abs(change) > _STILL_TEU and abs(change) > STILL_PERCENT / 100 * max(before, 1.0):
            moved.append((abs(change), row, was, change))
    moved.sort(key=lambda item: -item[0])
    rows = []
    for _, row, was, change in moved[:GATEWAYS_SHOWN]:
        trains = row["trains_per_day"]
        earlier = was["trains_per_day"] if was else 0.0
        rows.append(
            (
                names.of_gateway(row),
                names.term("mode", row["mode"]),
                names.figure(row["teu_per_year"] / 1000, ",.1f"),
                names.figure(change / 1000, "+,.1f"),
                or_dash(trains, ".1f", names),
                "-" if trains is None or earlier is None else names.figure(trains - earlier, "+.1f"),
                or_dash(row["volume_over_capacity"], ".2f", names),
                hours(row, names),
                "-"
                if row["status"] == "closed" or was is None or before < 1.0
                else names.signed(row["wait_h"] - was["wait_h"], 0),
            )
        )
    rest = len(moved) - len(rows)
    after = [names.say("case.gateways.words")] if rows else []
    if rest > 0:
        after.append(names.say("case.gateways.more", n=rest, teu=_STILL_TEU))
    return phrased("case.gateways", rows, part=case.id, after=after, words=names)


def _emissions(base: Digest, case: Digest, names: Names) -> Section:
    old = {row["mode"]: row for row in base.result["emissions"]}
    rows = [
        (
            names.term("mode", row["mode"]),
            names.figure(row["million_teu_km"], ",.0f"),
            names.figure(row["million_teu_km"] - old[row["mode"]]["million_teu_km"], "+,.0f"),
            names.figure(row["co2e_kt"], ",.0f"),
            names.figure(row["co2e_kt"] - old[row["mode"]]["co2e_kt"], "+,.1f"),
        )
        for row in case.result["emissions"]
    ]
    return phrased("case.emissions", rows, part=case.id, words=names)


def _transit(world: World, base: Digest, case: Digest, names: Names) -> Section:
    """Payments to carriers: regions with the most transit revenue, and those where it changes most."""
    rows = case.result["transit"]

    def first(key: str, most: int) -> list[Any]:
        return sorted(rows, key=lambda row: -abs(row[key]))[:most]

    shown = [*first("musd", 6), *first("change_musd", 5), *first("gain_musd", 5)]
    chosen = {row["region"]: row for row in shown}.values()
    keys = ("change_musd", "own_change_musd", "above_cost_musd", "gain_musd")
    after = [names.say("case.transit.words", shares=_shares_above_cost(world, names))]
    worst = furthest_off(base)
    if worst is not None:
        after.append(
            names.say(
                "case.transit.off",
                gateway=names.gateways(worst["gateway"]),
                ratio=worst["ours"] / worst["observed"],
            )
        )
    after.append(names.say("case.transit.sign"))
    return phrased(
        "case.transit",
        [
            (
                names.region.get(row["region"], row["region"]),
                names.figure(row["musd"], ",.0f"),
                *(names.signed(row[key], 1) for key in keys),
            )
            for row in sorted(chosen, key=lambda row: -row["musd"])
        ],
        words=names,
        part=case.id,
        after=after,
    )


def _shares_above_cost(world: World, names: Names) -> str:
    """Shares of rail transit charges above cost, the general one first."""
    table = world.network.get("carriers", ())
    rail = [r for r in table if r["quantity"] == "above_cost" and r["mode"] == "rail"]
    shares = {str(r["region"]): float(r["share"] or 0.0) for r in rail}
    own = [
        names.say("case.transit.own_share", region=names.region.get(region, region), share=share)
        for region, share in shares.items()
        if region != "*"
    ]
    return names.joined([names.say("case.transit.share", share=shares.get("*", 0.0)), *own])


def changes_most(case: Digest) -> list[dict[str, Any]]:
    """The rows of the four regions whose real income changes most in a case.

    case: digest of a scenario.
    """
    return sorted(case.result["real_income"], key=lambda row: -abs(row["percent"]))[:4]
