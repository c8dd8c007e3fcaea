"""An article's claims, one by one, and published estimates: the evidence, and the model's figures.

A verdict follows from figures by the rule named in the claim's row (`_RULES`); where no figure can decide,
it is stated in the row with its source. The model's figure is computed in the run and shown with a range. It
never decides a verdict, since a model of 2023 observes nothing about 2024.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landbridge.channels.farm import BOUND_FROM, yield_bound
from landbridge.channels.travel import BASE_YEAR, event_study
from landbridge.errors import DataError, Fault, Status, did_you_mean
from landbridge.phrases import Phrase, Words, named, say
from landbridge.scenario import Scenario
from landbridge.studies.claims.figures import Figure, Figures, figure_names, scenarios_for
from landbridge.studies.travel import difference
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.world import World
from landbridge.world.table import Cell

__all__ = ["Claims", "check", "informative", "verdict"]

Row = Mapping[str, Cell]

CONFIRMED, IN_PART, CONTRADICTED = "confirmed", "confirmed in part", "contradicted"
NO_EVIDENCE, NOT_MEASURABLE = "no evidence found", "not measurable as stated"
# The model's central value agrees with a published figure within this factor.
_NEAR = 1.5
# A range is not informative if its ends differ in sign or by more than this factor.
_WIDEST = 10.0
# A region instead of a text.
_CODE = re.compile("[A-Z]{3}")
_ENGLISH = Words()
_TABLES = ("claims", "claim_figures", "published_estimates", "treaties", "treaty_members", "farm_effects")


@dataclass(frozen=True)
class Claims:
    """Rows of claims and of published estimates, as `--json` prints them.

    rows: of claims; estimate_rows: of published estimates; scenarios: those that were solved for them; notes:
    remarks for the reader; status: the worst of the solves.
    """

    rows: tuple[dict[str, Any], ...]
    estimate_rows: tuple[dict[str, Any], ...]
    scenarios: tuple[Scenario, ...]
    notes: tuple[str, ...]
    status: Status


def check(
    world: World,
    *,
    claims: bool = True,
    estimates: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> Claims:
    """Every claim with verdict, evidence, source and model; every published estimate with the model's figure.

    world: with the tables of claims; claims, estimates: which of them; progress: called with text and share.
    Only the scenarios that the rows need are solved. Returns Claims.
    Raises DataError where tables are missing or a row names an unknown figure of the model, and as
    `landbridge.run`. Rules: docs/channels/claims.md.
    """
    world.channel(*_TABLES)
    told = [r for r in world.channels["claims"]] if claims else []
    listed = [r for r in world.channels["published_estimates"]] if estimates else []
    names = {str(r["model"]) for r in (*told, *listed) if r["model"] is not None}
    known = figure_names()
    faults = [
        Fault(
            "claims.csv or published_estimates.csv",
            f"no model figure {name!r}",
            did_you_mean(name, known) or "use one of " + ", ".join(known),
        )
        for name in sorted(names)
        if name not in known
    ]
    if faults:
        raise DataError("the claims cannot be checked", faults)
    verdicts = [(row, *verdict(world, row)) for row in told]
    answers = Figures(world, scenarios_for(names), progress)
    rows = []
    for row, word, evidence in verdicts:
        rows.append(
            {
                "id": int(row["claim_id"] or 0),
                "claim": named("text", str(row["claim"])),
                "verdict": named("verdict", word),
                "evidence": evidence,
                "source": named("text", str(row["source"])),
                **_beside(answers, row["model"]),
                "aspect": named("text", str(row["aspect"])),
                "rule": str(row["rule"]),
            }
        )
    return Claims(
        rows=tuple(rows),
        estimate_rows=tuple(_estimate(answers, row) for row in listed),
        scenarios=answers.scenarios,
        notes=(say("claims.notes", year=world.base_year),),
        status=answers.status,
    )


def _beside(answers: Figures, name: Cell) -> dict[str, Any]:
    """The model's figure of a claim, or why there is none."""
    found = None if name is None else answers[str(name)]
    if not isinstance(found, Figure):
        note = found or say("claims.none")
        return {
            "model": None,
            "low": None,
            "high": None,
            "model_unit": None,
            "model_what": None,
            "model_note": note,
            "informative": None,
        }
    return {
        "model": found.value,
        "low": found.low,
        "high": found.high,
        "model_unit": named("unit", found.unit),
        "model_what": found.what,
        "model_note": "",
        "informative": informative(found.low, found.high),
    }


def informative(low: float, high: float) -> bool:
    """Whether a range is informative: its ends have one sign and differ by at most a factor of ten.

    low, high: its ends; equal ends are informative.
    """
    if low == high:
        return True
    return low * high > 0.0 and max(abs(low), abs(high)) <= _WIDEST * min(abs(low), abs(high))


def _estimate(answers: Figures, row: Row) -> dict[str, Any]:
    """A published estimate and the model's; bounds are tested as bounds, at the end that could break them."""
    theirs, relation = float(row["value"] or 0.0), str(row["relation"])
    found = None if row["model"] is None else answers[str(row["model"])]
    out: dict[str, Any] = {
        "id": str(row["estimate_id"]),
        "study": named("text", str(row["study"])),
        "quantity": named("text", str(row["quantity"])),
        "theirs": theirs,
        "relation": relation,
        "unit": named("unit", str(row["unit"])),
        "ours": None,
        "low": None,
        "high": None,
        "informative": None,
        "what": found if isinstance(found, str) else "",
        "test": named("test", "no figure of ours"),
        "why": named("text", str(row["why"])),
        "source": named("text", str(row["source"])),
        "basis": str(row["basis"]),
    }
    if isinstance(found, Figure):
        out |= {"ours": found.value, "low": found.low, "high": found.high, "what": found.what}
        out["informative"] = informative(found.low, found.high)
        out["test"] = _test(relation, theirs, found)
    return out


def bound_test(relation: str, theirs: float, ours: Figure) -> str:
    """How the model's figure compares with a published one.

    relation: at most, more than or another; theirs: published; ours: the model's. "at most x" holds where the
    whole range of the model is within x, with the sign of x; "more than x" where its low end exceeds it.
    Other figures are within the model's range (a central value more than half again as large, or smaller by
    as much, is stated), or larger or smaller in size.
    """
    if relation == "at_most":
        # "At most -12 %" bounds a fall: its size counts.
        sign = 1.0 if theirs >= 0.0 else -1.0
        if sign * ours.value > abs(theirs):
            return "beyond the bound"
        within = max(sign * ours.low, sign * ours.high) <= abs(theirs)
        return "within the bound" if within else "within the bound, beyond it at one end"
    if relation == "more_than":
        if ours.low > theirs:
            return "more, as stated"
        return "not more than stated" if ours.high <= theirs else "more at the high end only"
    ratio = ours.value / theirs if theirs else math.inf
    if ours.low <= theirs <= ours.high:
        # A range wide enough to contain anything is not agreement.
        near = 1.0 / _NEAR <= ratio <= _NEAR
        return "within our range" if near else say("claims.middle", times=ratio)
    if ratio < 0.0:
        return "ours has the other sign"
    return "ours is smaller" if ratio < 1.0 else "ours is larger"


def _test(relation: str, theirs: float, ours: Figure) -> str:
    """The test as a name that other languages know, or a sentence with its figure."""
    told = bound_test(relation, theirs, ours)
    return told if isinstance(told, Phrase) else named("test", told)


# -- verdicts ------------------------------------------------------------------------------------------


def verdict(world: World, row: Row) -> tuple[str, str]:
    """Verdict and evidence of a claim by the rule of its row.

    world: with the tables of claims; row: of claims. Raises DataError where figures that the rule needs are
    missing.
    """
    figures = [r for r in world.channels["claim_figures"] if r["claim_id"] == row["claim_id"]]
    rule = str(row["rule"])
    try:
        word, evidence = _RULES[rule](world, row, figures)
    except (IndexError, ValueError, ZeroDivisionError):
        cure = "add its figures to claim_figures.csv, or state the verdict with rule = stated"
        fault = Fault(f"claims.csv ({row['claim_id']})", f"rule {rule} lacks figures it needs", cure)
        raise DataError("a claim cannot be checked", [fault]) from None
    comment = str(row["comment"] or "")
    return word, _ENGLISH.clauses(text for text in (evidence, named("text", comment)) if text)


def _same(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Confirmed where the stated date is the date found."""
    right = str(row["stated"]) == str(row["found"])
    return (CONFIRMED if right else CONTRADICTED), say(
        "claims.stated", stated=str(row["stated"]), found=str(row["found"])
    )


def _near(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Confirmed where the figure found is within the tolerance of the stated one."""
    return _compare(row, _values(figures)[0], _unit(figures))


def _sum(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Confirmed where the parts found add up to the stated figure, within the tolerance."""
    word, evidence = _compare(row, sum(_values(figures)), _unit(figures))
    return word, say("claims.parts", parts=tuple(map(_part, figures)), evidence=evidence)


def _compare(row: Row, found: float, unit: str) -> tuple[str, str]:
    stated, tolerance = float(str(row["stated"])), float(row["tolerance"] or 0.0)
    right = abs(found - stated) <= tolerance * abs(stated) + 1e-12
    return (CONFIRMED if right else CONTRADICTED), say(
        "claims.near", stated=f"{stated:,g}", found=f"{found:,g}", unit=unit
    )


def _record(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Confirmed where the last year is the largest."""
    values = _by_year(figures)
    last = max(values)
    right = values[last] == max(values.values())
    return (CONFIRMED if right else CONTRADICTED), _series(values, _unit(figures))


def _two_sides(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Contradicted where the figures of two sides differ by more than the tolerance."""
    one, two = _values(figures)[:2]
    gap = abs(one - two) / max(abs(one), abs(two))
    right = gap <= float(row["tolerance"] or 0.0)
    first, second = map(_part, figures[:2])
    told = say("claims.two_sides", first=first, second=second, unit=_unit(figures), gap=100.0 * gap)
    return (CONFIRMED if right else CONTRADICTED), told


def _steady(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Contradicted where the last year is below the largest before it by more than the tolerance."""
    values = _by_year(figures)
    last = max(values)
    peak = max((y for y in values if y != last), key=lambda y: values[y])
    fall = 1.0 - values[last] / values[peak]
    told = _series(values, _unit(figures))
    if fall <= float(row["tolerance"] or 0.0):
        return CONFIRMED, told
    return CONTRADICTED, say(
        "claims.fell",
        most=values[peak],
        unit=_unit(figures),
        first=peak,
        least=values[last],
        last=last,
        fall=100.0 * fall,
        series=told,
    )


def _rises(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """A figure that should not be needed rises: evidence against the claim, but a proxy decides nothing."""
    values = _by_year(figures)
    first, last = min(values), max(values)
    if first == last:
        raise ValueError("one year is no change")
    change = values[last] - values[first]
    side = "for" if change < 0.0 else "against" if change > 0.0 else "neither"
    series = _series(values, _unit(figures))
    return NOT_MEASURABLE, say(f"claims.proxy.{side}", item=_item(figures[0]), series=series)


def _part_of(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Confirmed in part where a statement about the whole holds for less than the tolerance's share of it."""
    low, *_, high = sorted(figures, key=lambda r: float(r["value"] or 0.0))
    part, whole = _values([low, high])
    share = part / whole
    told = say(
        "claims.part",
        item=_item(low),
        part=f"{part:g}",
        whole=f"{whole:,g}",
        unit=_unit(figures),
        share=100.0 * share,
    )
    return (CONFIRMED if share >= float(row["tolerance"] or 0.0) else IN_PART), told


def _of_five(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Confirmed where a source was found for each country of Central Asia, in part where for some."""
    return _counted(row, [str(r["item"]) for r in figures])


def _at_least(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Confirmed where at least the stated number is found."""
    found, least = _values(figures)[0], float(str(row["stated"]))
    return (CONFIRMED if found >= least else CONTRADICTED), say(
        "claims.count", item=_item(figures[0]), found=f"{found:g}"
    )


def _partnerships(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """In part where all of Central Asia is covered, but the last came before the summit credited with it."""
    since = {
        country: min(
            str(r["date"])
            for r in world.channels["treaties"]
            if r["type"] == "partnership"
            and r["party_a"] == "CHN"
            and r["party_b"] == country
            and "comprehensive strategic" in str(r["name"])
        )
        for country in world.group(CENTRAL_ASIA)
    }
    summit = min(str(r["date"]) for r in world.channels["treaties"] if r["type"] == "summit")
    last = max(since, key=lambda country: since[country])
    told = say(
        "claims.partnerships",
        n=len(since),
        of=str(row["stated"]),
        last=named("region", last),
        date=since[last],
        summit=summit,
    )
    return (CONFIRMED if since[last] >= summit else IN_PART), told


def _documents(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Confirmed where a document with each country of Central Asia is in the registry."""
    table = world.channels["treaties"]
    word, told = _counted(row, [str(r["party_b"]) for r in table if r["type"] == "BRI document"])
    undated = sum(1 for r in table if r["type"] == "BRI document" and r["date"] is None)
    return word, say("claims.undated", shown=told, undated=undated)


def _waivers(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """Confirmed where mutual waivers are in force with all of Central Asia, in part where with some."""
    dated = [
        (str(r["partner"]), str(r["from_date"]))
        for r in world.channels["treaty_members"]
        if r["measure"] == "visa_waiver" and r["party"] == "CHN" and r["from_date"] is not None
    ]
    word, told = _counted(row, [partner for partner, _ in dated])
    since = (say("claims.since", country=named("region", p), date=d) for p, d in sorted(dated))
    return word, say("claims.waivers", shown=told, since=tuple(since))


def _arrivals(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """In part where arrivals grew, but no faster with a waiver than without by more than the tolerance."""
    found = difference(event_study(world))
    if found["points"] is None:
        raise ValueError
    more = found["points"] / 100.0 > float(row["tolerance"] or 0.0)
    told = say(
        "claims.arrivals",
        country=named("region", "CHN", "China"),
        after=BASE_YEAR + 1,
        before=BASE_YEAR,
        waived=found["waived_percent"],
        not_waived=found["not_waived_percent"],
        points=found["points"],
    )
    if found["waived_percent"] <= 0.0:
        return CONTRADICTED, told
    return (CONFIRMED, told) if more else (IN_PART, say("claims.as_fast", shown=told))


def _plots(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """In part where plots gained as claimed, but the national yield never rose by that part of it."""
    claims = [r for r in world.channels["farm_effects"] if r["role"] == "plot claim" and r["region"] == "KAZ"]
    on_plots = min(float(r["percent"] or 0.0) for r in claims)
    record, crop = yield_bound(world, "KAZ", str(claims[0]["crop"]))
    if record is None or crop is None:
        raise ValueError
    told = say(
        "claims.plots",
        country=named("region", "KAZ", "Kazakhstan"),
        plots=on_plots,
        crop=named("crop", crop),
        record=record,
        since=BOUND_FROM,
    )
    return (CONFIRMED if record >= float(row["tolerance"] or 0.0) * on_plots else IN_PART), told


def _nothing(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """No evidence where no figure was found."""
    return NO_EVIDENCE, ""


def _stated(world: World, row: Row, figures: Sequence[Row]) -> tuple[str, str]:
    """The verdict of the row: no figure can decide."""
    if row["verdict"] is None:
        raise ValueError
    return str(row["verdict"]), ""


_RULES: Mapping[str, Callable[[World, Row, Sequence[Row]], tuple[str, str]]] = {
    "same": _same,
    "near": _near,
    "sum": _sum,
    "record": _record,
    "two_sides": _two_sides,
    "steady": _steady,
    "rises": _rises,
    "part_of": _part_of,
    "of_five": _of_five,
    "at_least": _at_least,
    "partnerships": _partnerships,
    "documents": _documents,
    "waivers": _waivers,
    "arrivals": _arrivals,
    "plots": _plots,
    "nothing": _nothing,
    "stated": _stated,
}


def _counted(row: Row, found: Sequence[str]) -> tuple[str, str]:
    names = sorted(set(found))
    of = int(float(str(row["stated"])))
    if not names:
        return NO_EVIDENCE, say("claims.none_of", of=of)
    told = say("claims.some_of", n=len(names), of=of, names=tuple(named("region", one) for one in names))
    return (CONFIRMED if len(names) >= of else IN_PART), told


def _values(figures: Sequence[Row]) -> list[float]:
    return [float(r["value"] or 0.0) for r in figures]


def _by_year(figures: Sequence[Row]) -> dict[int, float]:
    return {int(r["year"] or 0): float(r["value"] or 0.0) for r in figures}


def _unit(figures: Sequence[Row]) -> str:
    return named("unit", str(figures[0]["unit"]))


def _item(figure: Row) -> str:
    """What a figure is of: a country by its code, or a text of the table."""
    item = str(figure["item"])
    return named("region" if _CODE.fullmatch(item) else "text", item)


def _part(figure: Row) -> str:
    return say("claims.item", item=_item(figure), value=f"{float(figure['value'] or 0.0):g}")


def _series(values: Mapping[int, float], unit: str) -> str:
    years = (say("claims.year", year=year, value=f"{value:g}") for year, value in sorted(values.items()))
    return say("claims.series", years=tuple(years), unit=unit)
