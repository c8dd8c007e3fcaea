"""Reports on farms, travel, treaties and the claims of an article."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from landbridge.channels.farm import BOUND_FROM
from landbridge.channels.travel import BASE_YEAR
from landbridge.phrases import known, named, say
from landbridge.report.digest import GROUP, PARTNER, Names
from landbridge.report.document import ENGLISH, Section, phrased, signed
from landbridge.studies.claims.verdicts import Claims
from landbridge.studies.farm import Farm
from landbridge.studies.travel import Travel
from landbridge.world import World

__all__ = ["claim_sections", "farm_sections", "travel_sections", "treaty_sections"]

# Growth with and without a waiver that differs by less counts as equal [percentage points].
_AS_FAST = 5.0
# How the event study marks counts of different lengths.
_A_DAY = ", a day"


# -- farm ----------------------------------------------------------------------------------------------


def farm_sections(world: World, found: Farm) -> Iterator[Section]:
    """The cases of farm technology by country, and the parts of each shock.

    world: for names; found: of `farm`. Raises DataError where the World lacks the farm tables.
    """
    names = Names(world).region
    for shock in found.shocks:
        yield phrased(
            "farm.case",
            [_farm_row(r, names) for r in found.rows if r["case"] == shock.case],
            case=named("case", shock.case),
            what=say(f"farm.what.{shock.case}"),
        )
    crops = [c for shock in found.shocks for c in shock.crops if c.case in ("central", "claimed")]
    rows = [
        (
            names.get(c.region, c.region),
            named("crop", c.crop),
            named("case", c.case),
            say("farm.effect", percent=c.effect_percent, id=c.effect_id),
            f"{c.adoption:.2f}",
            f"{c.weight:.3f}",
            "-"
            if c.bound_percent is None
            else say("farm.record", percent=c.bound_percent, crop=named("crop", str(c.bound_of))),
            f"{c.yield_percent:.2f}",
        )
        for c in crops
    ]
    (effects,) = world.channel("farm_effects")
    documented = [
        say(
            "farm.documented",
            crop=named("crop", str(row["crop"])),
            region=names.get(str(row["region"]), str(row["region"])),
            intervention=named("intervention", str(row["intervention"])),
            source=str(row["source"]),
        )
        for row in effects
        if row["role"] == "documented"
    ]
    after = [say("farm.comparisons", n=len(documented), comparisons=ENGLISH.clauses(documented))]
    yield phrased("farm.shocks", rows, after=after, first=BOUND_FROM)


def _farm_row(r: dict[str, Any], names: dict[str, str]) -> tuple[str, ...]:
    return (
        names.get(r["region"], r["region"]),
        signed(r["productivity_percent"], 2),
        signed(r["output_percent"], 2),
        signed(r["food_price_percent"], 2),
        signed(r["food_imports_musd"] - r["base_food_imports_musd"], 0),
        signed(100 * (r["import_dependence"] - r["base_import_dependence"]), 2),
        signed(r["real_income_percent"], 3),
        signed(r["real_income_percent_proportional"], 3),
        signed(r["musd"], 0),
        signed(r["percent_of_gdp"], 3),
    )


# -- travel --------------------------------------------------------------------------------------------


def travel_sections(world: World, name: str, found: Travel, result: dict[str, Any]) -> Iterator[Section]:
    """Arrivals, receipts, real income and the event study of a scenario of visas.

    world: the base; name: of the scenario; found: the study; result: as `--json` prints it.
    """
    untouched = not found.rows and not found.notes
    yield phrased(
        "travel.arrivals",
        [
            (
                named("region", r["passport"]),
                named("region", r["destination"]),
                say("travel.visa", before=_visa(r["visa_before"]), after=_visa(r["visa_after"])),
                f"{r['base_visitors'] / 1e3:,.1f}",
                f"{r['visitors'] / 1e3:,.1f}",
                f"{r['visitors_low'] / 1e3:,.1f}",
                f"{r['visitors_high'] / 1e3:,.1f}",
                signed(r["receipts_musd"], 1),
                signed(r["receipts_low_musd"], 1),
                signed(r["receipts_high_musd"], 1),
            )
            for r in found.rows
        ],
        before=[say("travel.scenario", name=name), *([say("travel.untouched")] if untouched else [])],
        after=[say("note", text=note) for note in found.notes],
    )
    yield phrased(
        "travel.income",
        [
            (
                named("region", r["region"]),
                signed(r["percent"], 4),
                signed(r["percent_low"], 4),
                signed(r["percent_high"], 4),
                signed(r["percent_proportional"], 4),
                signed(r["musd"], 1),
                signed(r["percent_of_gdp"], 4),
            )
            for r in found.income
        ],
    )
    yield phrased(
        "travel.events",
        [
            (
                named("region", e["passport"]),
                named("region", e["destination"]),
                _counted(e["kind"]),
                _months(e["before"]),
                _months(e["after"]),
                signed(e["percent"], 0),
                _waiver(e),
                e["source"],
            )
            for e in found.events
        ],
        after=list(_travel_words(world, found)),
    )
    if "gravity" in result:
        yield phrased(
            "travel.gravity",
            [
                (k, signed(v["coefficient"], 3), f"{v['standard_error']:.3f}")
                for k, v in result["gravity"].items()
            ],
        )


def _visa(code: str | None) -> str:
    return named("visa", code) if code else "?"


def _counted(kinds: str) -> str:
    """What is counted, of both sides where they differ."""
    a_day = kinds.endswith(_A_DAY)
    both: list[str] = [named("counted", one) for one in kinds.removesuffix(_A_DAY).split(" and ")]
    told = ENGLISH.listed(both)
    return say("travel.a_day", kinds=told) if a_day else told


def _waiver(event: dict[str, Any]) -> str:
    since = event["waiver_since"]
    if not since:
        return say("travel.no_waiver")
    return say("travel.waived" if event["waived"] else "travel.waived_later", since=since)


def _months(period: str) -> str:
    """2024-01-01 to 2024-05-31 as 2024 01-05; a whole year as its number."""
    start, end = period.split(" to ")
    if start[5:] == "01-01" and end[5:] == "12-31":
        return start[:4]
    return f"{start[:4]} {start[5:7]}-{end[5:7]}"


def _travel_words(world: World, found: Travel) -> Iterator[str]:
    d, i = found.difference, found.identification
    if d["points"] is not None:
        names = Names(world).region
        alike = [e for e in found.events if e["like"] and _months(e["before"]) == str(BASE_YEAR)]
        travellers = dict.fromkeys(names.get(e["passport"], e["passport"]) for e in alike)
        told = say(
            "travel.difference",
            before=BASE_YEAR,
            after=BASE_YEAR + 1,
            travellers=tuple(travellers),
            waived=d["waived_percent"],
            not_waived=d["not_waived_percent"],
            points=d["points"],
        )
        yield ENGLISH.sentences([told, say("travel.as_fast")]) if abs(d["points"]) < _AS_FAST else told
    if not i["identified"]:
        effect = world.channels["travel_parameters"].by("parameter")["visa_effect"]
        ends = sorted(abs(float(effect[end] or 0.0)) for end in ("low", "high"))
        yield say(
            "travel.not_identified",
            rows=i["rows"],
            pairs=i["pairs"],
            with_visa=i["pairs_with_visa"],
            needed=i["needed"],
            low=ends[0],
            high=ends[1],
            source=str(effect["source"]),
            what=str(effect["note"]),
        )


# -- treaties ------------------------------------------------------------------------------------------


def treaty_sections(world: World, group: Sequence[str], table: Iterable[dict[str, Any]]) -> Iterator[Section]:
    """Each arrangement and the year from which it is in force for each region of the group.

    world: for names; group: codes of the regions; table: a row for each arrangement, with a column for each
    region.
    """
    names = Names(world)
    yield phrased(
        "treaties",
        [
            (
                named("treaty", r["arrangement"]),
                say("yes" if r["treatment"] else "no"),
                *(say("yes") if r[region] == "yes" else str(r[region] or "-") for region in group),
            )
            for r in table
        ],
        names=[named("region", region) for region in group],
        partner=names.region.get(PARTNER, PARTNER),
        group=names.group[GROUP],
    )


# -- claims --------------------------------------------------------------------------------------------


def claim_sections(found: Claims) -> Iterator[Section]:
    """Tables of figures, then evidence and reasons as text, which does not fit a column.

    found: of `landbridge.studies.claims.verdicts.check`.
    """
    if found.rows:
        yield phrased(
            "claims",
            [
                (
                    say("claims.claim", id=str(r["id"]), claim=r["claim"]),
                    r["verdict"],
                    _figure(r["model"]),
                    _interval(r),
                    r["model_unit"] or "",
                )
                for r in found.rows
            ],
            after=found.notes,
        )
        yield phrased("claims.evidence", before=[_evidence(r) for r in found.rows])
    if found.estimate_rows:
        yield phrased(
            "claims.estimates",
            [
                (
                    say("claims.estimate", id=r["id"], quantity=r["quantity"]),
                    _theirs(r),
                    r["unit"],
                    _figure(r["ours"]),
                    _interval(r),
                    r["test"],
                )
                for r in found.estimate_rows
            ],
        )
        yield phrased("claims.why", before=[_why(r) for r in found.estimate_rows])


def _evidence(row: dict[str, Any]) -> str:
    head = say(
        "claims.head", id=str(row["id"]), verdict=named("verdict", row["verdict"], row["verdict"].upper())
    )
    evidence = say("claims.found", evidence=row["evidence"]) if row["evidence"] else ""
    parts = [head, evidence, say("claims.source", source=row["source"])]
    if row["model"] is not None:
        parts.append(say("claims.model", what=row["model_what"]))
    elif not row["model_note"].startswith("no figure"):
        parts.append(say("claims.model", what=row["model_note"]))
    return ENGLISH.sentences([part for part in parts if part])


def _why(row: dict[str, Any]) -> str:
    head = say("claims.study", id=str(row["id"]), study=row["study"], source=row["source"])
    ours = say("claims.ours", what=row["what"]) if row["what"] else ""
    return ENGLISH.sentences([part for part in (head, ours, say("claims.because", why=row["why"])) if part])


def _theirs(row: dict[str, Any]) -> str:
    figure, key = f"{row['theirs']:,.10g}", f"claims.relation.{row['relation']}"
    return say(f"claims.relation.{row['relation']}", figure=figure) if known(key) else figure


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _interval(row: dict[str, Any]) -> str:
    if row["low"] is None or row["high"] is None:
        return "-"
    ends = say("range", low=_figure(row["low"]), high=_figure(row["high"]))
    return ends if row["informative"] else say("claims.not_informative", ends=ends)
