"""Report on a study of scenarios: sections of tables and a few paragraphs.

The numbers come from Results and are only rounded here; every table states its unit, and the words are those
of phrases.csv.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from landbridge.report.base import base_sections, by_corridor
from landbridge.report.changes import STILL_PERCENT, case_sections, changes_most
from landbridge.report.digest import GROUP, Digest, Names
from landbridge.report.document import Section, phrased
from landbridge.world import World

__all__ = ["case_meaning", "meaning", "study_sections"]


def study_sections(
    world: World, base: Digest, cases: Sequence[Digest], lang: str = "en"
) -> Iterator[Section]:
    """The base, then each scenario, then what it means and how to check it.

    world, base, cases: the study; lang: en, ru or zh, the language of names of places, gateways and regions.
    """
    names = Names(world, lang)
    sections = list(base_sections(world, base, names))
    for case in cases:
        sections += case_sections(world, case.base or base, case, names)
    told = [*case_meaning(base, cases, names), *meaning(base, names)]
    sections.append(phrased("meaning", before=told, words=names))
    yield from (names.explained(section) for section in sections)


def meaning(base: Digest, names: Names) -> Iterator[str]:
    """How to read all figures of a study, and how to check them.

    base: of the study; names: of the language.
    """
    trains = [r for r in base.counts if r["role"] != "ranked" and r["unit"] == "trains/year"]
    if trains:
        row = max(trains, key=lambda r: float(r["observed"]))
        ours, observed = row["ours"], row["observed"]
        yield names.say(
            "meaning.count",
            gateways=names.gateways(row["gateway"]),
            ours=ours,
            observed=observed,
            ratio=ours / observed,
            use=names.say("meaning.fitted" if row["role"] == "fitted" else "meaning.not_fitted"),
        )
    yield names.say("meaning.static", year=base.year)
    yield names.say("meaning.closures")
    longest = max(
        (p["all"] for _, p in by_corridor(base)), key=lambda row: float(row["time_h"]), default=None
    )
    if longest is not None:
        yield names.say("meaning.check", start=longest["from"], end=longest["to"])


def case_meaning(base: Digest, cases: Sequence[Digest], names: Names) -> list[str]:
    """One paragraph for each scenario: what it changes most.

    The regions whose real income changes most, Central Asia's change, and the corridor whose hours change
    most. base: of cases without a base of their own; cases: the scenarios; names: for display. Returns the
    texts in the order of cases.
    """
    return [_one(case.base or base, case, names) for case in cases]


def _one(base: Digest, case: Digest, names: Names) -> str:
    """One scenario in a sentence or two."""
    rows = changes_most(case)
    if not rows or abs(rows[0]["percent"]) < 1e-6:
        return names.say("meaning.nothing", case=case.id)
    most = names.joined(f"{names.region[r['region']]} {names.signed(r['percent'])} %" for r in rows)
    told = [names.say("meaning.most", case=case.id, regions=most)]
    group = next((r for r in case.result["groups"] if r["group"] == GROUP), None)
    if group is not None:
        of, musd = names.group[GROUP], group["musd"]
        told.append(names.say("meaning.group", group=of, percent=group["percent"], musd=musd))
    old = {name: parts["all"] for name, parts in by_corridor(base)}
    changes = [(parts["all"], old[name]) for name, parts in by_corridor(case) if name in old]
    if changes:
        new, was = max(changes, key=lambda pair: abs(pair[0]["time_h"] - pair[1]["time_h"]))
        if abs(new["time_h"] / was["time_h"] - 1.0) * 100 < STILL_PERCENT:
            told.append(names.say("meaning.still", percent=STILL_PERCENT))
        else:
            ends = names.ends(new)
            figures = {"before": was["time_h"], "after": new["time_h"]}
            if round(figures["before"]) == round(figures["after"]):
                told.append(names.say("meaning.corridor_little", corridor=ends))
            else:
                told.append(names.say("meaning.corridor", corridor=ends, **figures))
    return " ".join(told)
