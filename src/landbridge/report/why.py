"""Report on where a figure is from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from landbridge.phrases import known
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.results import Rows
from landbridge.studies.why import Why
from landbridge.studies.why_rows import keys_of

__all__ = ["why_sections"]

_ASSUMPTION = "assumption"
# Columns of keys that hold places, regions or sectors: which names they show.
_PLACES = ("from_place", "to_place", "place_id")
_LONGEST_KEY = 60
# From here on a number is shown without decimals.
_LARGE = 10_000.0

Row = Mapping[str, Any]


def why_sections(found: Why, most: int | None = None, lang: str = "en") -> Iterator[Section]:
    """What the figure is, the rows that hold it or that it rests on, and their licences.

    found: the answer; most: rows shown of a table, all where None; lang: of the names of places.
    """
    names = Names(found.world, lang)
    parts = _Parts(found, most, names)
    yield parts.figure()
    if found.figure["kind"] == "input":
        yield parts.held()
    else:
        if len(found.values) > 1:
            yield parts.values()
        if found.scenario is not None:
            yield parts.changed()
        yield parts.rests()
    rows = [
        (str(row["table"]), str(row["source"]), str(row["year"]), str(row["licence"]))
        for row in found.sources
    ]
    yield phrased("why.sources", rows, words=names)


class _Parts:
    """The sections of an answer."""

    def __init__(self, found: Why, most: int | None, names: Names) -> None:
        self.found, self.most, self.names = found, most, names

    def figure(self) -> Section:
        """Name, value, unit and meaning, and how it is computed or used."""
        figure, values = self.found.figure, self.found.values
        if len(values) == 1:
            value = _with_unit(
                _shown(values[0]["value"], names=self.names), str(figure["unit"]), names=self.names
            )
        else:
            unit, n = str(figure["unit"]), len(values)
            value = (
                self.names.say("why.several.unit", n=n, unit=unit)
                if unit
                else self.names.say("why.several", n=n)
            )
        meaning = str(figure["description"]).rstrip(".")
        told = [f"{meaning[0].upper()}{meaning[1:]}."] if meaning else []
        base = figure["base_value"]
        if len(values) == 1 and base is not None:
            told.append(
                self.names.say(
                    "why.base",
                    value=_with_unit(_shown(base, names=self.names), str(figure["unit"]), names=self.names),
                )
            )
        if figure["formula"]:
            told.append(self.names.say("why.formula", formula=str(figure["formula"])))
            told.append(self.names.say("why.page", page=str(figure["page"])))
        table = str(figure["table"])
        if figure["kind"] == "input" and known(f"why.used.{table}"):
            told.append(self.names.say(f"why.used.{table}"))
        return phrased("why.figure", before=told, name=self._name(), value=value, words=self.names)

    def _name(self) -> str:
        figure = self.found.figure
        name = f"{figure['table']}.{figure['column']}"
        if figure["of"]:
            name = f"{name} of {figure['of']}"
        elif len(self.found.values) == 1:
            name = str(self.found.values[0]["key"])
        return name if figure["scenario"] == "base" else f"{name} in {figure['scenario']}"

    def held(self) -> Section:
        """The rows of the table that hold the figure, and where each is from."""
        rows, table = self.found.rows, str(self.found.figure["table"])
        shown = rows[: self.most]
        after = [*self._more(rows), *self._sources(shown), *_assumed(rows, names=self.names)]
        if any(row["base_value"] not in (None, row["value"]) for row in rows):
            cells = [
                (
                    self._key(r),
                    _shown(r["value"], names=self.names),
                    _shown(r["base_value"], names=self.names),
                    *_origin(r, names=self.names),
                )
                for r in shown
            ]
            return phrased("why.rows_base", cells, after=after, table=table, n=len(rows), words=self.names)
        lines = [
            (self._key(r), _shown(r["value"], names=self.names), *_origin(r, names=self.names)) for r in shown
        ]
        return phrased("why.rows", lines, after=after, table=table, n=len(rows), words=self.names)

    def values(self) -> Section:
        """The values of a figure that several rows hold."""
        rows = self.found.values
        shown, after = rows[: self.most], self._more(rows)
        if self.found.scenario is None:
            lines = [(str(row["key"]), _shown(row["value"], names=self.names)) for row in shown]
            return phrased("why.values", lines, after=after, n=len(rows), words=self.names)
        cells = [
            (
                str(row["key"]),
                _shown(row["value"], names=self.names),
                _shown(row["base_value"], names=self.names),
            )
            for row in shown
        ]
        return phrased("why.values_base", cells, after=after, n=len(rows), words=self.names)

    def changed(self) -> Section:
        """What the scenario changes, old and new."""
        rows, scenario = self._part("changed"), self.found.scenario
        assert scenario is not None
        shown = rows[: self.most]
        lines = [
            (
                str(r["table"]),
                self._key(r),
                str(r["column"]),
                _shown(r["value"], names=self.names),
                _shown(r["base_value"], names=self.names),
                *_origin(r, names=self.names),
            )
            for r in shown
        ]
        return phrased(
            "why.changed",
            lines,
            scenario=scenario.id,
            n=len(rows),
            after=[*self._sources([r for r in shown if r["base_value"] is not None]), *self._more(rows)],
            sources=self.names.clauses(scenario.sources) or self.names.say("why.blank"),
            words=self.names,
        )

    def rests(self) -> Section:
        """The rows that a result rests on most directly."""
        rows = self._part("rests")
        shown = rows[: self.most]
        lines = [
            (
                str(r["table"]),
                self._key(r),
                str(r["column"]),
                _shown(r["value"], r, names=self.names),
                *_origin(r, names=self.names),
            )
            for r in shown
        ]
        return phrased(
            "why.rests",
            lines,
            after=[*self._more(rows), *self._sources(shown), *_assumed(rows, names=self.names)],
            n=len(rows),
            words=self.names,
        )

    def _more(self, rows: Sequence[Row]) -> list[str]:
        """How many rows are not shown."""
        left = 0 if self.most is None else len(rows) - self.most
        return [self.names.say("why.more", n=left)] if left > 0 else []

    def _part(self, part: str) -> Rows:
        return [row for row in self.found.rows if row["part"] == part]

    def _key(self, row: Row) -> str:
        """The key of a row with names of its places."""
        columns, cells = keys_of(str(row["table"])), str(row["key"]).split(", ")
        if len(columns) != len(cells):
            return str(row["key"])
        words = [
            self.names.short.get(cell, cell) if column in _PLACES else cell
            for column, cell in zip(columns, cells, strict=True)
        ]
        text = ", ".join(words)
        return text if len(text) <= _LONGEST_KEY else f"{text[:_LONGEST_KEY]}..."

    def _sources(self, rows: Sequence[Row]) -> Iterator[str]:
        """A line for each source with the rows that have it, then one for each note."""
        sources: dict[str, list[str]] = {}
        notes: dict[str, list[str]] = {}
        tables = {row["table"] for row in rows}
        for row in rows:
            name = self._key(row) if len(tables) == 1 else f"{row['table']} {self._key(row)}"
            if row["source"]:
                sources.setdefault(str(row["source"]).rstrip("."), []).append(name)
            if row["source"] and row["note"]:
                notes.setdefault(str(row["note"]).rstrip("."), []).append(name)
        for source, mine in sources.items():
            yield self.names.say("why.source", rows=self.names.clauses(dict.fromkeys(mine)), source=source)
        for note, mine in notes.items():
            yield self.names.say("why.note", rows=self.names.clauses(dict.fromkeys(mine)), note=note)


def _assumed(rows: Sequence[Row], *, names: Names) -> Iterator[str]:
    n = sum(row["basis"] == _ASSUMPTION for row in rows)
    if n and len(rows) == 1:
        yield names.say("why.assumption")
    elif n:
        yield names.say("why.assumptions", n=str(n), all=str(len(rows)))


def _origin(row: Row, *, names: Names) -> tuple[str, str, str]:
    """Range, year and basis."""
    low, high = row["low"], row["high"]
    ends = (
        ""
        if low is None or high is None
        else names.say("why.range", low=_shown(low, names=names), high=_shown(high, names=names))
    )
    return ends, str(row["year"] or ""), str(row["basis"] or "")


def _with_unit(text: str, unit: str, *, names: Names) -> str:
    return names.say("why.unit", text=text, unit=unit) if unit else text


def _shown(value: Any, row: Row | None = None, *, names: Names) -> str:
    """A value as read, large and long figures rounded; with the unit of its row where one is given."""
    if value is None:
        return names.say("why.blank")
    text = str(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = names.figure(value, ",.0f") if abs(value) >= _LARGE else names.figure(value, ",.4g")
    return _with_unit(text, str(row["unit"]), names=names) if row is not None else text
