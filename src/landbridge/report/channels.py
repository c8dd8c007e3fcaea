"""What farms, travel, treaties and the claims of an article say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from landbridge.report.document import Section, signed
from landbridge.report.study import Names
from landbridge.studies.claims import Claims
from landbridge.studies.farm import Farm
from landbridge.studies.travel import Travel
from landbridge.world import World

__all__ = ["claim_sections", "farm_sections", "travel_sections", "treaty_sections"]


# -- farm ----------------------------------------------------------------------------------------------


def farm_sections(world: World, found: Farm) -> Iterator[Section]:
    """The cases of farm technology by country, and what each shock is made of."""
    names = Names(world).region
    words = {
        "low": "low adoption x documented effect on neighbours",
        "central": "central adoption x documented effect",
        "high": "high adoption x documented effect",
        "claimed": "high adoption x what is said of plots, cut at the record of national yields",
    }
    for shock in found.shocks:
        yield Section(
            f"Farms, {shock.case}: {words[shock.case]}",
            (
                *("", "productivity %", "output %", "food price %", "food imports, mUSD"),
                *("of food sold, points", "real income, % of income"),
                *("proportional", "million USD", "% of GDP"),
            ),
            tuple(
                (
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
                for r in found.rows
                if r["case"] == shock.case
            ),
        )
    yield Section(
        "What the shocks are made of",
        (
            *("country", "crop", "case", "effect in the field %", "adoption", "of farm output", "record %"),
            "yield %",
        ),
        tuple(
            (
                names.get(c.region, c.region),
                c.crop,
                c.case,
                f"{c.effect_percent:g} ({c.effect_id})",
                f"{c.adoption:.2f}",
                f"{c.weight:.3f}",
                "-" if c.bound_percent is None else f"{c.bound_percent:.1f} ({c.bound_of})",
                f"{c.yield_percent:.2f}",
            )
            for shock in found.shocks
            for c in shock.crops
            if c.case in ("central", "claimed")
        ),
        after=(
            "One field comparison is documented (Reddy et al. 2012, cotton in Fergana, not Chinese); it is "
            "taken for both crops and all countries. Adoption is an assumption: nobody publishes it. A gain "
            "of yield is read as a gain of productivity, with all other inputs per hectare unchanged: the "
            "upper reading. Food price: farm and processed food against the cost of living. Record: the "
            "largest rise between five-year means of the national yield since 1999, of the crop named; the "
            "claimed case is cut there, but never below the high case.",
        ),
    )


# -- travel --------------------------------------------------------------------------------------------


def travel_sections(name: str, found: Travel, result: dict[str, Any]) -> Iterator[Section]:
    """Arrivals, receipts, real income and the event study of a scenario of visas."""
    yield Section(
        "Arrivals and receipts",
        ("travellers", "to", "visa", "base, 1,000", "after", "low", "high", "receipts, mUSD", "low", "high"),
        tuple(
            (
                r["passport"],
                r["destination"],
                f"{r['visa_before'] or '?'} to {r['visa_after'] or '?'}",
                f"{r['base_visitors'] / 1e3:,.1f}",
                f"{r['visitors'] / 1e3:,.1f}",
                f"{r['visitors_low'] / 1e3:,.1f}",
                f"{r['visitors_high'] / 1e3:,.1f}",
                signed(r["receipts_musd"], 1),
                signed(r["receipts_low_musd"], 1),
                signed(r["receipts_high_musd"], 1),
            )
            for r in found.rows
        ),
        before=(
            name.rstrip(".") + ".",
            *(() if found.rows or found.notes else ("It changes no visa and no connection: see run.",)),
        ),
        after=tuple(f"Note: {note}." for note in found.notes),
    )
    yield Section(
        "Real income, through exports of services",
        ("", "% of income", "low", "high", "proportional", "million USD", "% of GDP"),
        tuple(
            (
                r["region"],
                signed(r["percent"], 4),
                signed(r["percent_low"], 4),
                signed(r["percent_high"], 4),
                signed(r["percent_proportional"], 4),
                signed(r["musd"], 1),
                signed(r["percent_of_gdp"], 4),
            )
            for r in found.income
        ),
    )
    yield Section(
        "Event study: growth of arrivals around the waivers (descriptive)",
        ("travellers", "to", "counted", "before", "after", "%", "mutual waiver", "source"),
        tuple(
            (
                e["passport"],
                e["destination"],
                e["kind"],
                _months(e["before"]),
                _months(e["after"]),
                signed(e["percent"], 0),
                ("in force since " if e["waived"] else "not yet, from ") + e["waiver_since"]
                if e["waiver_since"]
                else "none",
                e["source"],
            )
            for e in found.events
        ),
        after=_travel_words(found),
    )
    if "gravity" in result:
        yield Section(
            "Gravity of arrivals, PPML within destination and period",
            ("", "coefficient", "standard error"),
            tuple(
                (k, signed(v["coefficient"], 3), f"{v['standard_error']:.3f}")
                for k, v in result["gravity"].items()
            ),
            after=("Shown for what it is: see above on what these rows can tell.",),
        )


def _months(period: str) -> str:
    """2024-01-01 to 2024-05-31 as 2024 01-05; a whole year as its number."""
    start, end = period.split(" to ")
    if start[5:] == "01-01" and end[5:] == "12-31":
        return start[:4]
    return f"{start[:4]} {start[5:7]}-{end[5:7]}"


def _travel_words(found: Travel) -> tuple[str, ...]:
    d, i = found.difference, found.identification
    words = []
    if d["points"] is not None:
        words.append(
            f"From 2023 to 2024 arrivals from China grew {d['waived_percent']:.1f} % where a mutual waiver "
            f"was in force and {d['not_waived_percent']:.1f} % where none was: {d['points']:+.1f} points. "
            "Growth without a waiver was as fast, so it cannot be laid to the waiver; Chinese travellers "
            "needed no visa for a short stay in Kazakhstan and Uzbekistan before it. Rows by day compare "
            "different counts and are read as such."
        )
    if not i["identified"]:
        words.append(
            f"No visa effect is estimated: {i['rows']} rows of {i['pairs']} pairs, {i['pairs_with_visa']} of "
            f"which need a visa (at least {i['needed']} on each side wanted). The effect is the published "
            "52 to 63 percent of Neumayer (2010), whose pairs are of 1995-2005. Students: no number by pair "
            "was found, only growth, so no gravity of students."
        )
    return tuple(words)


# -- treaties ------------------------------------------------------------------------------------------


def treaty_sections(five: Sequence[str], table: Iterable[dict[str, Any]]) -> Iterator[Section]:
    """Each arrangement and the year since when it binds each of the five."""
    yield Section(
        "China and the five: what binds them, since when",
        ("arrangement", "a dummy of gravity", *five),
        tuple(
            (r["arrangement"], "yes" if r["treatment"] else "no", *(str(r[p] or "-") for p in five))
            for r in table
        ),
        after=(
            "Memberships count from the later of two dates; a dash: known not to bind, or no date known. "
            "Titles of partnerships, summits and memoranda are no treatment and get no coefficient.",
        ),
    )


# -- claims --------------------------------------------------------------------------------------------


def claim_sections(found: Claims) -> Iterator[Section]:
    """Narrow tables of figures, then what stands behind them as text: evidence does not fit a column."""
    if found.rows:
        yield Section(
            "The claims",
            ("claim", "verdict", "model", "range", "unit"),
            tuple(
                (
                    f"{r['id']}. {r['claim']}",
                    r["verdict"],
                    _figure(r["model"]),
                    _interval(r),
                    r["model_unit"] or "",
                )
                for r in found.rows
            ),
            after=found.notes,
        )
        yield Section(
            "Evidence, source, and what the model's figure is",
            before=tuple(_evidence(r) for r in found.rows),
        )
    if found.estimate_rows:
        yield Section(
            "What others estimated, and ours",
            ("estimate", "theirs", "unit", "ours", "range", "test"),
            tuple(
                (
                    f"{r['id']}: {r['quantity']}",
                    f"{_RELATION[r['relation']]}{r['theirs']:,.10g}",
                    r["unit"],
                    _figure(r["ours"]),
                    _interval(r),
                    r["test"],
                )
                for r in found.estimate_rows
            ),
        )
        yield Section(
            "What ours is, and why they differ",
            before=tuple(
                f"{r['id']} ({r['study']}; {r['source']}): "
                + (f"ours: {r['what']}; " if r["what"] else "")
                + f"{r['why']}."
                for r in found.estimate_rows
            ),
        )


def _evidence(row: dict[str, Any]) -> str:
    told = f"{row['id']}. {row['verdict'].upper()}: "
    told += f"{row['evidence']}. Source: {row['source']}." if row["evidence"] else f"Source: {row['source']}."
    if row["model"] is not None:
        return f"{told} Model: {row['model_what']}."
    return told if row["model_note"].startswith("no figure") else f"{told} Model: {row['model_note']}."


_RELATION = {"about": "", "at_most": "at most ", "more_than": "more than ", "none": ""}


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _interval(row: dict[str, Any]) -> str:
    if row["low"] is None or row["high"] is None:
        return "-"
    told = f"{_figure(row['low'])} to {_figure(row['high'])}"
    return told if row["informative"] else f"not informative ({told})"
