"""One self-contained HTML page of a study, for people who would rather look than read.

Nothing on it is fetched from anywhere: styles and figures stand in the file itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from landbridge.exports import BOUNDARIES, Flows
from landbridge.io.network import SCHEMATIC
from landbridge.page.figures import Picture, income_bars, leg_bars, network_map
from landbridge.page.legs import PARTS, Corridor, corridors
from landbridge.page.style import STYLE
from landbridge.report import CLOSURES, STATIC, Digest, Names, Section, study_sections
from landbridge.results import Results
from landbridge.world import World

__all__ = ["Sight", "html"]

_STILL = 0.0005
_CODE = re.compile("`([^`]+)`")


@dataclass(frozen=True)
class Sight:
    """What of a Results the page draws, so that the Results itself can be let go."""

    flows: Flows
    corridors: tuple[Corridor, ...]
    before: tuple[Corridor, ...]
    description: str
    modifications: tuple[Mapping[str, Any], ...]

    @staticmethod
    def of(results: Results) -> Sight:
        """Flows, corridors and the question of one Results."""
        scenario = results.scenario
        body = scenario.to_dict() if scenario is not None else {}
        return Sight(
            Flows.of(results),
            tuple(corridors(results)),
            tuple(corridors(results.base)) if results.base is not None else (),
            " ".join(str(body.get("description") or "").split()),
            tuple(body.get("modification", ())),
        )


def html(
    world: World,
    digests: Sequence[Digest],
    sights: Sequence[Sight],
    attribution: Sequence[str],
    manifest: Mapping[str, Any],
    lang: str = "en",
) -> str:
    """The page of a base and its scenarios.

    lang: of the names in tables; figures keep English names, whose letters their font has.
    manifest: shown in full in a block that opens.
    """
    base, cases = digests[0], digests[1:]
    sections = list(study_sections(world, base, cases, lang))
    english = Names(world)
    meaning = sections[-1].before
    title = "; ".join(case.name for case in cases) or base.name
    parts = [
        *_question(base, cases, sights, world),
        _tag("h2", "In short", id="short"),
        *(_tag("p", text) for text in meaning[: len(cases)] or (STATIC,)),
    ]
    for case, sight in zip(cases, sights[1:], strict=True):
        mine = [s for s in sections if s.title.startswith(f"{case.id}: ")]
        parts += _case(case, sight, mine, english, world)
    parts += _base(sights[0], [s for s in sections if s.title.startswith("Base: ")], english, world)
    parts.append(_tag("h2", "How to read and check it", id="check"))
    parts += [_tag("p", text) for text in meaning[len(cases) :]]
    parts += _sources(base, cases, attribution, manifest)
    body = "\n".join(parts)
    links = [(f"#{_id(case)}", case.id) for case in cases]
    links = [("#short", "In short"), *links, ("#base", "Base"), ("#check", "Check"), ("#sources", "Sources")]
    menu = " ".join(f'<a href="{escape(to, quote=True)}">{escape(text)}</a>' for to, text in links)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n'
        '<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>landbridge: {escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header><p class="brand">landbridge</p>\n<h1>{escape(_headline(cases))}</h1>\n'
        f'<nav aria-label="Parts of this page">{menu}</nav></header>\n'
        f"<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _headline(cases: Sequence[Digest]) -> str:
    if not cases:
        return "The network and economy of 2023"
    if len(cases) == 1:
        return cases[0].name
    return f"{len(cases)} changes to the overland links between China, Central Asia and Europe"


def _id(case: Digest) -> str:
    return "case-" + "".join(c if c.isalnum() else "-" for c in case.id)


# -- parts ---------------------------------------------------------------------------------------------


def _question(base: Digest, cases: Sequence[Digest], sights: Sequence[Sight], world: World) -> Iterator[str]:
    yield _tag("h2", "The question", id="question")
    if not cases:
        yield _tag("p", "No change: the base alone, the network as open in mid-2023.")
    for case, sight in zip(cases, sights[1:], strict=True):
        if len(cases) > 1:
            yield _tag("h3", f"{case.id}: {case.name}")
        if sight.description:
            yield _tag("p", sight.description)
        items = "".join(f"<li>{_modification(one)}</li>" for one in sight.modifications)
        if items:
            yield f'<details class="changes"><summary>What it changes ({len(sight.modifications)})</summary>'
            yield f"<ul>{items}</ul></details>"
        if case.sources:
            told = "".join(f"<li>{escape(text)}</li>" for text in case.sources)
            yield f"<p>Sources of the scenario:</p><ul>{told}</ul>"
    yield _tag(
        "p",
        f"All is compared with the network and economy of 2023, {base.closure} trade deficits unless said "
        f"otherwise. World {world.hash[:12]}.",
        cls="small",
    )


def _modification(one: Mapping[str, Any]) -> str:
    told = ", ".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in one.items() if key != "verb"
    )
    return f"<code>{escape(str(one.get('verb', '')))}</code> {escape(told)}"


def _case(
    case: Digest, sight: Sight, sections: Sequence[Section], english: Names, world: World
) -> Iterator[str]:
    yield _tag("h2", f"{case.id}: what changes", id=_id(case))
    for text in case.result["notes"]:
        yield _tag("p", f"Note: {text}.", cls="note")
    yield _figure(income_bars(case.id, case.result["real_income"], english.region))
    if sections:
        yield from _section(sections[0], named=True)
    yield _figure(network_map(sight.flows, english.short, _places(world)))
    after = {one.corridor: one for one in sight.corridors}
    pairs = [(one, after[one.corridor]) for one in sight.before if one.corridor in after]
    moved = [(old, new) for old, new in pairs if _differs(old, new)]
    if moved:
        old, new = [p[0] for p in moved], [p[1] for p in moved]
        yield _figure(leg_bars(f"{case.id}: main land routes that change", old, new, english.short))
        yield _legs_table([*((o, "base") for o in old), *((n, case.id) for n in new)], english)
    else:
        yield _tag("p", "No corridor's main land route changes its hours or cost.", cls="note")
    for section in sections[1:]:
        yield from _section(section)


def _differs(old: Corridor, new: Corridor) -> bool:
    return any(abs(b - a) > _STILL * max(a, 1.0) for a, b in zip(old.total, new.total, strict=True))


def _base(sight: Sight, sections: Sequence[Section], english: Names, world: World) -> Iterator[str]:
    yield _tag("h2", "The base: network and economy of 2023", id="base")
    yield _figure(network_map(sight.flows, english.short, _places(world)))
    if sight.corridors:
        yield _figure(leg_bars("Base: main land routes", sight.corridors, None, english.short))
        yield _legs_table([(one, "base") for one in sight.corridors], english)
    for section in sections:
        yield from _section(section)


def _sources(
    base: Digest, cases: Sequence[Digest], attribution: Sequence[str], manifest: Mapping[str, Any]
) -> Iterator[str]:
    yield _tag("h2", "Sources and attribution", id="sources")
    yield _tag("p", "The data are not under the licence of the code. Lines that go with every copy:")
    yield "<ul class='small'>" + "".join(f"<li>{escape(line)}</li>" for line in attribution) + "</ul>"
    yield _tag("h3", "Boundaries and names")
    yield _tag("p", f"{BOUNDARIES} {SCHEMATIC}", cls="small")
    yield _tag("h3", "Closures of the trade balance")
    yield _tag("p", CLOSURES, cls="small")
    told = json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False)
    yield "<details><summary>Manifest: everything that decides these figures</summary>"
    yield f"<pre>{escape(told)}</pre></details>"


def _places(world: World) -> dict[str, tuple[float, float]]:
    return {
        str(row["place_id"]): (float(row["lon"] or 0.0), float(row["lat"] or 0.0))
        for row in world.network["places"]
    }


# -- pieces --------------------------------------------------------------------------------------------


def _tag(name: str, text: str, id: str = "", cls: str = "") -> str:
    about = (f' id="{escape(id, quote=True)}"' if id else "") + (f' class="{cls}"' if cls else "")
    told = _CODE.sub(r"<code>\1</code>", escape(text))
    return f"<{name}{about}>{told}</{name}>"


def _figure(picture: Picture) -> str:
    return (
        f'<figure><img src="{picture.address}" alt="{escape(picture.alt, quote=True)}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )


def _section(section: Section, named: bool = False) -> Iterator[str]:
    """A section as a heading with its table; named: its first text and its notes stand above already."""
    title = section.title.partition(": ")[2] or section.title
    yield _tag("h3", title[:1].upper() + title[1:])
    for text in () if named else section.before:
        yield _tag("p", text)
    if section.rows:
        yield _table(title, section.columns, section.rows)
    else:
        yield _tag("p", "none")
    for text in section.after:
        if not (named and text.startswith("Note: ")):
            yield _tag("p", text, cls="small")


_WORDS = ("mode", "role", "what is counted", "family", "case", "product", "share of TEU by corridor family")


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    words = {n for n, column in enumerate(columns) if n == 0 or column in _WORDS}
    classes = ["" if n in words else ' class="n"' for n in range(len(columns))]
    head = "".join(
        f'<th scope="col"{classes[n]}>{escape(column)}</th>' if column else f"<td{classes[n]}></td>"
        for n, column in enumerate(columns)
    )
    lines = []
    for row in rows:
        first = f'<th scope="row">{escape(row[0])}</th>'
        rest = "".join(f"<td{classes[n]}>{escape(cell)}</td>" for n, cell in enumerate(row) if n)
        lines.append(f"<tr>{first}{rest}</tr>")
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>\n'
        "<tbody>\n" + "\n".join(lines) + "\n</tbody></table></div>"
    )


def _legs_table(rows: Sequence[tuple[Corridor, str]], names: Names) -> str:
    columns = ("corridor", "case", "family", "product", *PARTS, "hours in all", "USD in all")
    cells = []
    for one, case in sorted(rows, key=lambda item: item[0].corridor):
        ends = f"{names.short.get(one.start, one.start)} - {names.short.get(one.end, one.end)}"
        hours, usd = one.total
        spent = [f"{one.hours[part]:,.0f} h, {one.usd[part]:,.0f}" for part in PARTS]
        cells.append((ends, case, one.family, one.product, *spent, f"{hours:,.1f}", f"{usd:,.0f}"))
    table = _table("Hours and USD per TEU of the main land routes by part", columns, cells)
    return f"<details><summary>The numbers of this figure</summary>{table}</details>"
