"""Scenarios side by side: what differs between them, then the rows that differ most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from landbridge.phrases import fields
from landbridge.report.digest import GROUP, Names, plain_number
from landbridge.report.document import Section, phrased
from landbridge.results import Rows
from landbridge.studies.compare import Case, SideBySide

__all__ = ["compare_sections"]

# Tables and measures that are shown: digits, whether the figures are changes, factor.
_SHOWN: Mapping[tuple[str, str], tuple[int, bool, float]] = {
    ("real_income", "percent"): (3, True, 1.0),
    ("real_income", "musd"): (1, True, 1.0),
    ("trade", "musd"): (1, True, 1.0),
    ("corridors", "time_days"): (1, False, 1.0),
    ("corridors", "cost_usd"): (0, False, 1.0),
    ("corridors", "share"): (1, False, 100.0),
    ("gateways", "trains_per_day"): (1, False, 1.0),
    ("gateways", "wait_h"): (1, False, 1.0),
    ("gateways", "volume_over_capacity"): (2, False, 1.0),
    ("emissions", "co2e_kt"): (1, False, 1.0),
}
# Gateways with less in every scenario are not shown.
_LEAST_TEU = 500.0
# Families with a smaller share of their corridor in every scenario are not shown: it would read 0.0 %.
_LEAST_SHARE, _ALL = 0.0005, "all"
# Rows of a table of a document, where no number is asked for.
_MOST = 40
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def compare_sections(found: SideBySide, most: int | None = None, lang: str = "en") -> Iterator[Section]:
    """What differs, then the rows of every table.

    found: of `compare`; most: rows of a table; lang: of names, en, ru or zh.
    """
    names = Names(found.world, lang)
    for section in _sections(found, _MOST if most is None else most, names):
        yield names.explained(section)
    yield _end(found, most is None, names)


def _sections(found: SideBySide, most: int, names: Names) -> Iterator[Section]:
    tables = found.rows()
    yield _head(found, tables, most, names)
    still = []
    for (table, measure), form in _SHOWN.items():
        rows = [row for row in tables[table] if row["measure"] == measure and _is_shown(found, row, form)]
        if table == "gateways":
            busy = _busy(found, tables[table])
            rows = [row for row in rows if row["gateway"] in busy]
        if table == "corridors":
            used = _used(found, tables[table])
            rows = [row for row in rows if (row["corridor"], row["family"]) in used]
        fixed = []
        if table == "real_income":
            fixed = [row for row in tables["groups"] if row["measure"] == measure]
            fixed.sort(key=lambda row: row["group"] == "world")
        if not rows:
            still.append(names.say(f"compare.of.{table}.{measure}"))
        else:
            yield _table(found, table, measure, (rows, fixed), most, names)
    if still:
        yield phrased("compare.still", tables=names.clauses(still), words=names)


def _end(found: SideBySide, whole: bool, names: Names) -> Section:
    """The notes on each scenario, or how many there are, and what files hold."""
    notes = [
        names.say("compare.note", letter=letter, note=names.of(note))
        for letter, case in zip(_letters(found), found.cases, strict=True)
        for note in case.notes
    ]
    if notes and not whole:
        notes = [names.say("compare.notes", n=len(notes))]
    return phrased("compare.end", before=notes, words=names)


# -- what differs --------------------------------------------------------------------------------------


def _head(found: SideBySide, tables: Mapping[str, Rows], most: int, names: Names) -> Section:
    """The scenarios by letter, real income of the group, and in what they differ."""
    letters = _letters(found)
    before = [_headline(found, tables["groups"], names)]
    before += [
        names.say(
            "compare.named",
            letter=letter,
            name=names.title(case.id, case.name) or names.say("base.name", year=found.world.base_year),
        )
        for letter, case in zip(letters, found.cases, strict=True)
    ]
    rows = [
        (
            names.say("compare.parameter", name=row["parameter"], base=plain_number(row["base"])),
            *_sets(found, row, plain_number),
        )
        for row in tables["parameters"]
        if row["differs"] == "yes"
    ]
    shown = _shown_names(found, names)
    rows += [
        (
            f"{row['verb']}: {names.joined(shown.get(one, one) for one in row['of'].split(', '))}",
            *_sets(found, row, str),
        )
        for row in tables["changes"]
        if row["differs"] == "yes"
    ]
    after = [*_own_bases(found, names)]
    if len(rows) > most:
        after.append(names.say("compare.more", n=len(rows) - most))
    same = sum(row["differs"] == "no" for name in ("parameters", "changes") for row in tables[name])
    if same:
        after.append(names.say("compare.alike", n=same))
    return phrased(
        "compare.head",
        rows[:most],
        words=names,
        names=letters,
        before=[text for text in before if text],
        after=after,
        scenarios=names.joined(f"{a} {case.id}" for a, case in zip(letters, found.cases, strict=True)),
    )


def _headline(found: SideBySide, groups: Rows, names: Names) -> str:
    """Real income of the group of the reports, or of the world where it has no member."""
    rows = {row["group"]: row for row in groups if row["measure"] == "percent"}
    group = GROUP if GROUP in rows else "world"
    if group not in rows:
        return ""
    row, letters = rows[group], _letters(found)
    values = [
        names.say("compare.value", letter=letter, percent=row[id])
        for letter, id in zip(letters, found.ids, strict=True)
    ]
    differences = [
        names.say("compare.difference", of=_less(letter, letters), points=row[f"difference_{id}"])
        for letter, id in zip(letters[1:], found.ids[1:], strict=True)
    ]
    return names.say(
        "compare.headline",
        group=names.group[group],
        values=names.joined(values),
        differences=names.joined(differences),
    )


def _own_bases(found: SideBySide, names: Names) -> Iterator[str]:
    """That scenarios with parameters of the model have their own base."""
    own = [case for case in found.cases if found.own_base(case)]
    if not own:
        return
    if len({case.base for case in found.cases}) == 1:
        yield names.say("compare.own.all", parameters=_model_parameters(found, own[0], names))
        return
    letters = dict(zip(found.ids, _letters(found), strict=True))
    for case in own:
        yield names.say(
            "compare.own", letter=letters[case.id], parameters=_model_parameters(found, case, names)
        )
    yield names.say("compare.own.levels")


def _model_parameters(found: SideBySide, case: Case, names: Names) -> str:
    table = found.world.network["parameters"].by("parameter")
    return names.listed(
        [
            f"{name} = {plain_number(value)}"
            for name, value in case.parameters.items()
            if table[name]["part_of"] == "model"
        ]
    )


def _sets(found: SideBySide, row: Mapping[str, Any], shown: Any) -> tuple[str, ...]:
    return tuple(shown(row[f"sets_{id}"]) or "-" for id in found.ids)


def _shown_names(found: SideBySide, names: Names) -> dict[str, str]:
    """Names of gateways and links by identifier."""
    links = {
        str(row["link_id"]): names.say(
            "compare.link",
            link=str(row["link_id"]),
            start=names.short.get(str(row["from_place"]), str(row["from_place"])),
            end=names.short.get(str(row["to_place"]), str(row["to_place"])),
        )
        for row in found.world.network["links"]
    }
    return {**links, **names.gateway}


# -- tables --------------------------------------------------------------------------------------------


def _table(
    found: SideBySide, table: str, measure: str, rows: tuple[Rows, Rows], most: int, names: Names
) -> Section:
    """A table of one measure: rows sorted by difference, at most so many, then those that always show."""
    sorted_rows, fixed = rows
    form = _SHOWN[table, measure]
    key = f"compare.table.{table}.{measure}"
    letters = _letters(found)
    figures: dict[str, Any] = {"year": found.world.base_year, "teu": _LEAST_TEU}
    wanted = fields(f"{key}.title") | fields(f"{key}.after")
    after = [names.say("compare.more", n=len(sorted_rows) - most)] if len(sorted_rows) > most else []
    return phrased(
        f"compare.table.{table}.{measure}",
        [
            (*_of(table, row, names), *_cells(found, row, form, names))
            for row in (*sorted_rows[:most], *fixed)
        ],
        words=names,
        names=[*letters, *(_less(letter, letters) for letter in letters[1:])],
        after=after,
        **{name: figure for name, figure in figures.items() if name in wanted},
    )


def _of(table: str, row: Mapping[str, Any], names: Names) -> tuple[str, ...]:
    """What a row is of, in words."""
    if table == "trade":
        ends = (names.region.get(row[end], row[end]) for end in ("exporter", "importer"))
        return (" - ".join(ends),)
    if table == "corridors":
        return names.ends(row), names.term("family", row["family"])
    if table == "gateways":
        return names.of_gateway(row), names.term("mode", row["mode"])
    if table == "emissions":
        return (names.term("mode", row["mode"]),)
    return (names.group[row["group"]] if "group" in row else names.region.get(row["region"], row["region"]),)


def _cells(
    found: SideBySide, row: Mapping[str, Any], form: tuple[int, bool, float], names: Names
) -> tuple[str, ...]:
    digits, changes, factor = form

    def cell(value: float | None, sign: bool) -> str:
        if value is None:
            return "-"
        return names.signed(factor * value, digits) if sign else names.figure(factor * value, f",.{digits}f")

    return (
        *(cell(row[id], changes) for id in found.ids),
        *(cell(row[f"difference_{id}"], True) for id in found.ids[1:]),
    )


def _is_shown(found: SideBySide, row: Mapping[str, Any], form: tuple[int, bool, float]) -> bool:
    """Whether a row differs by what its table can show."""
    digits, _, factor = form
    return factor * found.largest(row) >= 0.5 * 10.0**-digits


def _busy(found: SideBySide, rows: Rows) -> set[str]:
    """Gateways that pass enough to be shown in one of the scenarios."""
    return {
        str(row["gateway"])
        for row in rows
        if row["measure"] == "teu_per_year" and any((row[id] or 0.0) >= _LEAST_TEU for id in found.ids)
    }


def _used(found: SideBySide, rows: Rows) -> set[tuple[str, str]]:
    """Corridors and families that carry enough to be shown in one of the scenarios."""
    return {
        (str(row["corridor"]), str(row["family"]))
        for row in rows
        if row["family"] == _ALL
        or (row["measure"] == "share" and any((row[id] or 0.0) >= _LEAST_SHARE for id in found.ids))
    }


def _letters(found: SideBySide) -> list[str]:
    return [_LETTERS[n] if n < len(_LETTERS) else str(n + 1) for n in range(len(found.cases))]


def _less(letter: str, letters: list[str]) -> str:
    return f"{letter} - {letters[0]}"
