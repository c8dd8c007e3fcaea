"""Investment projects: cost, benefit, net present value, switching values, pairs and the chosen set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from landbridge.phrases import listed, say
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased, signed
from landbridge.studies.invest import Investment
from landbridge.world import World

__all__ = ["invest_sections"]

Row = Mapping[str, Any]


def invest_sections(found: Investment, world: World) -> Iterator[Section]:
    """Projects alone, switching values, pairs, the sets within the budget, and what was not computed.

    found: of the study; world: names its regions. Yields Sections.
    """
    rows = [one.row() for one in found.projects]
    done = [row for row in rows if row["benefit_musd_year"] is not None]
    names, by = Names(world), found.terms
    called = {row["project"]: _called(row) for row in rows}
    if done:
        yield phrased(
            "invest.projects",
            [_project(row) for row in done],
            rate=100.0 * by.rate,
            low=100.0 * by.low,
            high=100.0 * by.high,
            growth=100.0 * by.growth,
            year=found.base_year,
        )
        yield phrased("invest.who", [_who(row, names) for row in done], year=found.base_year)
        yield phrased("invest.assumed", [(called[row["project"]], row["caveat"]) for row in done])
        yield phrased("invest.switching", [_switching(row) for row in done])
    if found.pairs:
        yield phrased("invest.pairs", [_pair(pair.row(), called) for pair in found.pairs])
    if found.budget_musd is not None:
        yield _portfolio(found, done, called, found.budget_musd)
    rest = [row for row in rows if row["benefit_musd_year"] is None]
    if rest:
        yield phrased("invest.missing", [_missing(row) for row in rest])


def _called(row: Row) -> str:
    return say("invest.called", id=row["project"], name=row["name"])


def _stage(row: Row) -> str:
    return say("invest.stage.base") if row["in_base"] else say(f"invest.stage.{row['stage']}")


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else signed(value, digits).lstrip("+")


def _range(low: float | None, high: float | None, digits: int = 0) -> str:
    ends = _number(low, digits), _number(high, digits)
    return "-" if ends == ("-", "-") else say("invest.range", low=ends[0], high=ends[1])


def _ends(row: Row, of: str, unit: str = "musd", digits: int = 0) -> str:
    return _range(row[f"{of}_low_{unit}"], row[f"{of}_high_{unit}"], digits)


def _cost(row: Row) -> str:
    known = row["cost_low_musd"] != row["cost_high_musd"]
    cost = _number(row["cost_musd"])
    return say("invest.cost", cost=cost, ends=_ends(row, "cost")) if known else cost


def _regions(names: Names, codes: str) -> str:
    shown = [names.region[code] for code in codes.split(", ") if code]
    return names.joined(shown)


def _project(row: Row) -> tuple[str, ...]:
    return (
        _called(row),
        _cost(row),
        _number(row["benefit_musd_year"], 1),
        _ends(row, "benefit", "musd_year", 1),
        _number(row["npv_musd"]),
        _ends(row, "npv"),
        _number(row["irr_percent"], 1),
    )


def _who(row: Row, names: Names) -> tuple[str, ...]:
    return (
        _called(row),
        _stage(row),
        "-" if row["opening_year"] is None else str(row["opening_year"]),
        _regions(names, row["gain_most"]),
        _regions(names, row["lose_most"]),
        row["who_pays"],
    )


def _switching(row: Row) -> tuple[str, ...]:
    return (
        _called(row),
        _cost(row),
        _number(row["switching_cost_musd"]),
        _ends(row, "switching_cost"),
        _number(row["benefit_musd_year"], 1),
        _number(row["switching_benefit_musd_year"], 1),
        _ends(row, "switching_benefit", "musd_year", 1),
    )


def _pair(row: Row, called: Mapping[str, str]) -> tuple[str, ...]:
    more, alone = row["complementarity_musd_year"], row["alone_musd_year"]
    return (
        _set(row["pair"].split("+"), called),
        _number(row["benefit_musd_year"], 1),
        _number(alone, 1),
        signed(more, 1),
        signed(100.0 * more / alone, 1) if alone > 0.0 else "-",
    )


def _portfolio(found: Investment, done: Sequence[Row], called: Mapping[str, str], budget: float) -> Section:
    best = found.sets[0]
    chosen = listed([called[name] for name in sorted(best.members)])
    words = (
        say("invest.portfolio.chosen", names=chosen, cost=best.cost_musd, npv=best.npv_musd)
        if best.members
        else say("invest.portfolio.none")
    )
    unsure = [
        called[row["project"]]
        for row in done
        if row["project"] in best.members and row["npv_low_musd"] < 0.0 < row["npv_high_musd"]
    ]
    doubts = [say("invest.portfolio.unsure", names=listed(unsure))] if unsure else []
    reasons = [
        say(f"invest.left.{reason}", names=listed([called[p] for p in out]))
        for reason in dict.fromkeys(found.left_out.values())
        if (out := [p for p, why in found.left_out.items() if why == reason])
    ]
    rows = [
        (
            _set(sorted(plan.members), called),
            _number(plan.cost_musd),
            _number(plan.benefit_musd, 1),
            _number(plan.npv_musd),
        )
        for plan in found.sets
    ]
    return phrased("invest.portfolio", rows, before=[words, *doubts, *reasons], budget=budget)


def _set(members: Sequence[str], called: Mapping[str, str]) -> str:
    if not members:
        return say("invest.portfolio.empty")
    return say("invest.together", items=tuple(called[name] for name in members))


def _missing(row: Row) -> tuple[str, ...]:
    return _called(row), _stage(row), _cost(row), row["reason"] or say("invest.unsolved")
