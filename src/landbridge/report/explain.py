"""Report on the parts of a scenario's change of real income."""

from __future__ import annotations

from collections.abc import Iterator

from landbridge.phrases import known, listed, named, say, signed
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.results import Rows
from landbridge.studies.explain import LIMIT, Explanation

__all__ = ["explain_sections"]

# Parts shown by name up to this length; files hold all of it.
_LONGEST = 60


def explain_sections(found: Explanation, most: int | None = None) -> Iterator[Section]:
    """The splits that were asked for, zones side by side.

    found: of `explain`; most: partners of each zone, all where None.
    """
    scenario = found.result.scenario
    name = found.result.id if scenario is None else named("scenario", scenario.id, scenario.name)
    names = Names(found.result.world)
    zones = [names.group.get(zone) or names.region.get(zone, zone) for zone in found.zones]
    first = next(name for name in ("modification", "mechanism", "pair") if getattr(found, f"by_{name}"))

    def after(split: str) -> list[str]:
        return [say("explain.rounded")] if split == first else []

    if found.by_modification:
        yield phrased(
            "explain.modification",
            _side_by_side(found, found.by_modification),
            names=zones,
            before=_of_groups(found),
            after=after("modification"),
            name=name,
        )
    if found.by_mechanism:
        pairs, teu = found.moved
        yield phrased(
            "explain.mechanism",
            _side_by_side(found, found.by_mechanism),
            names=zones,
            before=[say("explain.mechanism.moved", pairs=pairs, teu=teu)] if pairs else (),
            after=after("mechanism"),
            name=name,
        )
    if found.by_pair:
        lines = _side_by_side(found, found.by_pair)
        yield phrased("explain.pair", lines, names=zones, after=after("pair"), name=name)
        yield phrased(
            "explain.partners",
            _partners(found, dict(zip(found.zones, zones, strict=True)), names, most),
            name=name,
        )


def _of_groups(found: Explanation) -> list[str]:
    """Sentences on modifications that are one part."""
    told = [
        say("explain.too_many", part=part, limit=LIMIT)
        if reason == "verb"
        else say(f"explain.grouped.{reason}", part=part)
        for part, reason in found.grouped
    ]
    if found.of_model:
        told.append(say("explain.modification.model", parts=listed(found.of_model)))
    if len({row["part"] for row in found.by_modification}) == 1:
        told.append(say("explain.modification.one"))
    return told


def _side_by_side(found: Explanation, rows: Rows) -> list[tuple[str, ...]]:
    """A line for each part, a column for each zone, and the total."""
    cells = {(str(row["part"]), row["zone"]): float(row["change_percent"]) for row in rows}
    lines = []
    for part in dict.fromkeys(part for part, _ in cells):
        values = (signed(cells[part, z], 4) if (part, z) in cells else "-" for z in found.zones)
        lines.append((_named(part), *values))
    total = found.total
    lines.append((say("explain.part.total"), *(signed(total[zone], 4) for zone in found.zones)))
    return lines


def _named(part: str) -> str:
    if known(f"explain.part.{part}"):
        return say(f"explain.part.{part}")
    return part if len(part) <= _LONGEST else f"{part[:_LONGEST]} ..."


def _partners(
    found: Explanation, zones: dict[str, str], names: Names, most: int | None
) -> Iterator[tuple[str, ...]]:
    for zone, shown in zones.items():
        mine = [row for row in found.partners if row["zone"] == zone]
        for row in mine[:most]:
            partner = names.region.get(str(row["partner"]), str(row["partner"]))
            yield shown, partner, signed(row["imports_percent"], 4), signed(row["exports_percent"], 4)
