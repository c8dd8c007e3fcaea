"""One self-contained HTML page of a study, with figures and tables.

Nothing is loaded from elsewhere: styles and figures are in the file itself. A figure and the table beneath it
show the same rows of the result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from landbridge.io.network import SCHEMATIC
from landbridge.report import Digest, Names, Section, base_name, case_meaning, meaning, study_sections
from landbridge.report.changes import changed_corridors
from landbridge.report.exports import Flows
from landbridge.report.first_screen import first_screen
from landbridge.report.html.elements import frame, section_html, table_html, tag
from landbridge.report.html.figures import income_bars, leg_bars, pair_bars
from landbridge.report.html.legs import PARTS, Corridor, corridors
from landbridge.report.html.maps import Atlas, Change, change_map, network_map
from landbridge.report.html.picture import Picture
from landbridge.report.method import method_sections
from landbridge.results import Results
from landbridge.results.changed import changed_gateways, changed_links
from landbridge.world import World

__all__ = ["Sight", "atlas_of", "html", "pictures"]

# The section whose table is placed below the figure of its rows.
_INCOME = "case.income"


@dataclass(frozen=True)
class Sight:
    """The part of a Results that the page draws, so that the Results can be freed.

    flows: on links and at gateways; corridors, before: by part, now and in the base, which has none of the
    latter; description, modifications: of the scenario; change: what it changes.
    """

    flows: Flows
    corridors: tuple[Corridor, ...]
    before: tuple[Corridor, ...]
    description: str
    modifications: tuple[Mapping[str, Any], ...]
    change: Change = field(default_factory=Change)

    @staticmethod
    def of(results: Results) -> Sight:
        """Flows, corridors and the question of results: one base or one scenario."""
        scenario = results.scenario
        body = scenario.to_dict() if scenario is not None else {}
        return Sight(
            Flows.of(results),
            tuple(corridors(results)),
            tuple(corridors(results.base)) if results.base is not None else (),
            " ".join(str(body.get("description") or "").split()),
            tuple(body.get("modification", ())),
            _change_of(results),
        )


def _change_of(results: Results) -> Change:
    """Links and gateways that a scenario changes; nothing in a base."""
    if results.base is None:
        return Change()
    world, before = results.world, results.base.world
    links = changed_links(world, before)
    was = {str(row["link_id"]): str(row["status"]) for row in before.network["links"]}
    new = {
        str(row["link_id"])
        for row in world.network["links"]
        if row["status"] == "open" and was.get(str(row["link_id"])) != "open"
    }
    return Change(frozenset(links), frozenset(new), frozenset(changed_gateways(world, before)))


@dataclass(frozen=True)
class _Words:
    """Parts of the World that a page needs: names, and names without a mark and points of the maps."""

    names: Names
    atlas: Atlas

    @property
    def drawn(self) -> Names:
        """The names of figures."""
        return self.atlas.names


def html(
    world: World,
    digests: Sequence[Digest],
    sights: Sequence[Sight],
    attribution: Sequence[str],
    manifest: Mapping[str, Any],
    *,
    lang: str = "en",
    method: bool = False,
) -> str:
    """The HTML page of a base and its scenarios, complete in one file.

    world, digests, sights: the study, the base first; attribution: lines of the data; manifest: shown in full
    in a block that opens; lang: of its words, tables and figures.
    method: with the equations and the list of tables, as `landbridge report` writes it. Raises
    LandbridgeError where matplotlib is missing.
    """
    base, cases = digests[0], digests[1:]
    sections = list(study_sections(world, base, cases, lang))
    names = Names(world, lang)
    words = _Words(names, atlas_of(world, Names(world, lang, marked=False)))
    title = names.clauses(names.title(case.id, case.name) for case in cases) or names.of(base.name)
    short = case_meaning(base, cases, names) or [names.say("meaning.static", year=base.year)]
    parts = [tag("h2", names.say("page.short"), id="short"), *(tag("p", text) for text in short)]
    for case in cases:
        parts += _answer(world, base, case, names, several=len(cases) > 1)
    parts += _question(base, cases, sights, world, names)
    for case, sight in zip(cases, sights[1:], strict=True):
        mine = [s for s in sections if s.part == case.id and s.key.startswith("case.")]
        parts += _case(base, case, sight, mine, words)
    parts += _base(base, sights[0], [s for s in sections if s.key.startswith("base.")], words)
    parts.append(tag("h2", names.say("page.check"), id="check"))
    parts += [tag("p", text) for text in meaning(base, names)]
    if method:
        parts.append(tag("h2", names.say("page.method"), id="method"))
        for section in method_sections(world, names):
            parts += section_html(section, words=names)
    parts += _sources(attribution, manifest, names)
    ends = ("base", "check", *(["method"] if method else []), "sources")
    links = [
        ("#short", names.say("page.short")),
        *((f"#{_id(case)}", case.id) for case in cases),
        *((f"#{to}", names.say(f"page.menu.{to}")) for to in ends),
    ]
    menu = " ".join(f'<a href="{escape(to, quote=True)}">{escape(text)}</a>' for to, text in links)
    menu = f'<nav aria-label="{escape(names.say("page.menu"), quote=True)}">{menu}</nav>'
    return frame(title, _headline(base, cases, names), parts, menu, lang)


def pictures(
    world: World, digests: Sequence[Digest], sights: Sequence[Sight], lang: str = "en"
) -> dict[str, Callable[[], Picture | None]]:
    """The figures of the first scenario by name, each drawn when it is called: None where it has nothing.

    world, digests, sights, lang: as of `html`. Names: income, pairs, corridors, change, map. A call raises
    LandbridgeError where matplotlib is missing.
    """
    base, case, sight = digests[0], digests[1], sights[1]
    atlas = atlas_of(world, Names(world, lang, marked=False))
    return {
        "income": lambda: income_bars(case, atlas.names),
        "pairs": lambda: pair_bars(case, atlas.names),
        "corridors": lambda: _corridor_bars(base, case, sight, atlas.names),
        "change": lambda: change_map(sight.flows, atlas, sight.change),
        "map": lambda: network_map(sight.flows, atlas),
    }


def _headline(base: Digest, cases: Sequence[Digest], names: Names) -> str:
    if len(cases) == 1:
        return names.title(cases[0].id, cases[0].name)
    return (
        names.say("page.headline.cases", n=len(cases))
        if cases
        else names.say("page.headline.base", base=names.of(base.name))
    )


def _id(case: Digest) -> str:
    return "case-" + "".join(c if c.isalnum() else "-" for c in case.id)


# -- parts ---------------------------------------------------------------------------------------------


def _question(
    base: Digest, cases: Sequence[Digest], sights: Sequence[Sight], world: World, names: Names
) -> Iterator[str]:
    yield tag("h2", names.say("page.question"), id="question")
    if not cases:
        yield tag("p", names.say("page.no_change", base=names.of(base_name(world))))
    for case, sight in zip(cases, sights[1:], strict=True):
        if len(cases) > 1:
            yield tag("h3", f"{case.id}: {names.title(case.id, case.name)}")
        if sight.description:
            yield tag("p", names.described(case.id, sight.description))
        items = "".join(f"<li>{_modification(one)}</li>" for one in sight.modifications)
        if items:
            summary = escape(names.say("page.changes", n=len(sight.modifications)))
            yield f'<details class="changes"><summary>{summary}</summary>'
            yield f"<ul>{items}</ul></details>"
        if case.sources:
            listed = "".join(f"<li>{escape(text)}</li>" for text in case.sources)
            yield f"{tag('p', names.say('page.scenario_sources'))}<ul>{listed}</ul>"
    compared = names.say(
        "page.compared",
        base=names.of(base_name(world)),
        deficits=names.term("closure", base.closure),
        world=world.hash[:12],
    )
    yield tag("p", compared, cls="small")


def _modification(one: Mapping[str, Any]) -> str:
    keys = ", ".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in one.items() if key != "verb"
    )
    return f"<code>{escape(str(one.get('verb', '')))}</code> {escape(keys)}"


# Sections of the first screen that the page has elsewhere.
_ELSEWHERE = ("first.what", "first.more", "first.notes")


def _answer(world: World, base: Digest, case: Digest, names: Names, *, several: bool) -> Iterator[str]:
    """The sections of the first screen: income, pairs of cities, traffic, CO2e, assumptions."""
    if several:
        yield tag("h3", f"{case.id}: {names.title(case.id, case.name)}")
    shown = [one for one in first_screen(world, case.base or base, case, names) if one.key]
    for section in shown:
        if section.key in _ELSEWHERE:
            continue
        if section.rows:
            yield from section_html(section, words=names)
        else:
            yield "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in section.before) + "</ul>"


def _case(
    base: Digest, case: Digest, sight: Sight, sections: Sequence[Section], words: _Words
) -> Iterator[str]:
    names = words.names
    yield tag("h2", names.say("page.case", case=case.id), id=_id(case))
    for text in case.result["notes"]:
        yield tag("p", names.say("note", text=names.of(text)), cls="note")
    yield income_bars(case, words.drawn).html()
    for section in sections:
        if section.key == _INCOME:
            yield from section_html(section, skip=len(case.result["notes"]), named=True, words=names)
    pairs = pair_bars(case, words.drawn)
    if pairs is not None:
        yield pairs.html()
    near = change_map(sight.flows, words.atlas, sight.change)
    if near is not None:
        yield near.html()
    yield network_map(sight.flows, words.atlas).html()
    old, new = _moved(base, case, sight)
    bars = _corridor_bars(base, case, sight, words.drawn)
    if bars is not None:
        yield bars.html()
        yield _legs_table([*((o, names.say("base.part")) for o in old), *((n, case.id) for n in new)], names)
    for section in sections:
        if section.key != _INCOME:
            yield from section_html(section, words=names)


def _moved(base: Digest, case: Digest, sight: Sight) -> tuple[list[Corridor], list[Corridor]]:
    """The corridors that change, before and after."""
    after = {one.corridor: one for one in sight.corridors}
    before = {one.corridor: one for one in sight.before}
    moved = [one for one in changed_corridors(case.base or base, case) if one in before and one in after]
    return [before[one] for one in moved], [after[one] for one in moved]


def _corridor_bars(base: Digest, case: Digest, sight: Sight, names: Names) -> Picture | None:
    old, new = _moved(base, case, sight)
    return leg_bars(names.say("page.legs.case", case=case.id), old, new, names) if old else None


def _base(base: Digest, sight: Sight, sections: Sequence[Section], words: _Words) -> Iterator[str]:
    names = words.names
    yield tag("h2", names.say("page.base", base=names.of(base.name)), id="base")
    yield network_map(sight.flows, words.atlas).html()
    if sight.corridors:
        yield leg_bars(names.say("page.legs.base"), sight.corridors, None, words.drawn).html()
        yield _legs_table([(one, names.say("base.part")) for one in sight.corridors], words.names)
    for section in sections:
        yield from section_html(section, words=names)


def _sources(attribution: Sequence[str], manifest: Mapping[str, Any], names: Names) -> Iterator[str]:
    yield tag("h2", names.say("page.sources"), id="sources")
    yield tag("p", names.say("page.licence"))
    yield "<ul class='small'>" + "".join(f"<li>{escape(line)}</li>" for line in attribution) + "</ul>"
    yield tag("h3", names.say("page.boundaries"))
    yield tag(
        "p", f"{names.say('about.boundaries')} {names.term('about', 'schematic', SCHEMATIC)}", cls="small"
    )
    yield tag("h3", names.say("page.closures"))
    yield tag("p", names.say("meaning.closures"), cls="small")
    body = json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False)
    yield f"<details><summary>{escape(names.say('page.manifest'))}</summary>"
    yield f"<pre>{escape(body)}</pre></details>"


def atlas_of(world: World, names: Names) -> Atlas:
    """Names and points of the maps; the name of a region stands in the mean of its places on the network.

    world: with the places; names: without marks.
    """
    places = {
        str(row["place_id"]): (float(row["lon"] or 0.0), float(row["lat"] or 0.0))
        for row in world.network["places"]
    }
    own: dict[str, list[tuple[float, float]]] = {}
    for row in world.network["zones"]:
        own.setdefault(str(row["region"]), []).append(places[str(row["place_id"])])
    middles = {
        region: (sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points))
        for region, points in own.items()
    }
    return Atlas(names, places, _labelled(world), middles)


def _labelled(world: World) -> list[str]:
    """Places named on the map, in order of preference.

    Ends of corridors, the largest zone of every overland region, then all zones by population.
    """
    ends = [str(r[end]) for r in world.network["corridors"] for end in ("from_place", "to_place")]
    people = {str(r["place_id"]): float(r["population"] or 0.0) for r in world.network["places"]}
    zones = sorted(world.network["zones"], key=lambda r: -people.get(str(r["place_id"]), 0.0))
    overland = {str(r["region"]) for r in world.network["pair_groups"] if r["overland"]}
    largest = {str(r["region"]): str(r["place_id"]) for r in reversed(zones)}
    first = [place for region, place in largest.items() if region in overland]
    return list(dict.fromkeys([*ends, *first, *(str(r["place_id"]) for r in zones)]))


# -- pieces --------------------------------------------------------------------------------------------


def _legs_table(rows: Sequence[tuple[Corridor, str]], names: Names) -> str:
    first, last = names.columns("page.legs.first"), names.columns("page.legs.last")
    cells = []
    for one, case in sorted(rows, key=lambda item: item[0].corridor):
        ends = f"{names.short.get(one.start, one.start)} - {names.short.get(one.end, one.end)}"
        hours, usd = one.total
        spent = [names.say("page.legs.cell", hours=one.hours[part], usd=one.usd[part]) for part in PARTS]
        cells.append((ends, case, *spent, names.figure(hours, ",.1f"), names.figure(usd, ",.0f")))
    columns = (*first, *(names.term("leg", part) for part in PARTS), *last)
    left = [n < len(first) for n in range(len(columns))]
    table = table_html(names.say("page.legs.title"), columns, cells, left)
    return f"<details><summary>{escape(names.say('page.legs.numbers'))}</summary>{table}</details>"
