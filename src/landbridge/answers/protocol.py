"""The return type of every study: an Answer holds tables, a status, a manifest and a document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.errors import DataError, Fault, Status
from landbridge.io.tables import attribution
from landbridge.notebook import html_table
from landbridge.phrases import Words
from landbridge.report.digest import Names
from landbridge.report.document import Document, Section
from landbridge.results.manifest import SCHEMA_VERSION, manifest
from landbridge.scenario import Scenario
from landbridge.world import World
from landbridge.world.names import LANGUAGES

if TYPE_CHECKING:
    import pandas as pd

    from landbridge.report.writers import Form

__all__ = ["Answer", "Lazy", "answered"]

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """The result of a study. make: returns the JSON result; rows: its tables by name.

    command: name of the study; status: how the solves ended; manifest: all settings and versions behind it;
    found: the study's own object, with more than its tables; sections: makes the parts of the document, given
    how many rows of a long table to show (None = all), and the language where the study takes one; others
    make them in English, and `document` translates them with the names of `world`; attribution: lines of the
    data; forms: its own files by ending, in addition to those of `landbridge.report.writers`; lang: language
    of the document and of files of it.
    """

    command: str
    make: Callable[[], Any] = field(repr=False)
    rows: Mapping[str, Rows]
    status: Status
    manifest: Mapping[str, Any]
    sections: Callable[..., Iterable[Section]] = field(repr=False)
    attribution: tuple[str, ...] = ()
    found: Any = None
    forms: Mapping[str, Form] = field(default_factory=dict, repr=False)
    lang: str = "en"
    world: World | None = field(default=None, repr=False)

    @cached_property
    def result(self) -> Any:
        """The result as plain values, as in `--json`."""
        return self.make()

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name, as DataFrames."""
        import pandas as pd

        return {name: pd.DataFrame.from_records(list(map(dict, rows))) for name, rows in self.rows.items()}

    def document(self, lang: str | None = None, most: int | None = None) -> Document:
        """Tables and sentences for readers.

        lang: of words, names and numbers, en, ru or zh; that of the Answer where None. most: rows shown of a
        long table, all where None. Raises DataError for another language.
        """
        chosen = self.lang if lang is None else lang
        if chosen not in LANGUAGES:
            fault = Fault("lang", f"is {chosen!r}", f"use {', '.join(LANGUAGES)}")
            raise DataError(f"{self.command} has no names in that language", [fault])
        if "lang" in signature(self.sections).parameters:
            sections = self.sections(most, lang=chosen)
        else:
            sections = self._translated(self.sections(most), chosen)
        return Document(tuple(sections), self.attribution, chosen)

    def words(self) -> Words:
        """The words of the language of the Answer, with the names of its World."""
        return self._words(self.lang)

    def _words(self, lang: str) -> Words:
        return Words(lang) if self.world is None else Names(self.world, lang)

    def _translated(self, sections: Iterable[Section], lang: str) -> Iterable[Section]:
        if lang == "en":
            return sections
        words = self._words(lang)
        shown = [one.in_words(words) for one in sections]
        return [words.explained(one) for one in shown] if isinstance(words, Names) else shown

    def save(self, path: Path | str) -> Path:
        """Write the answer in the format named by the ending: txt, md, html, json, csv, xlsx, parquet, dta.

        path: the file. The files are those of `-o` of the command. Returns the path. Raises DataError for
        another ending or a file that cannot be written, LandbridgeError where a package is missing.
        """
        from landbridge.report.writers import write

        return write(self, path)

    def to_json(self) -> dict[str, Any]:
        """Result, status and manifest in the names of the public interface."""
        return {
            "schema_version": SCHEMA_VERSION,
            "result": self.result,
            "status": self.status.as_json(),
            "manifest": dict(self.manifest),
        }

    def __repr__(self) -> str:
        held = ", ".join(self.rows)
        if not isinstance(self.rows, Lazy):
            held = ", ".join(f"{name} ({len(rows):,} rows)" for name, rows in self.rows.items())
        return f"Answer({self.command}: {held}; {self.status.message})"

    def _repr_html_(self) -> str:
        return "".join(
            html_table(part.title, part.columns, part.rows, before=part.before, after=part.after)
            for part in self.document(most=25).sections
        )


class Lazy(Mapping[str, Rows]):
    """Tables by name that are made on first use.

    makers: a function without arguments by name, which returns the rows.
    """

    def __init__(self, makers: Mapping[str, Callable[[], Rows]]) -> None:
        self._makers, self._made = dict(makers), dict[str, Rows]()

    def __getitem__(self, name: str) -> Rows:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def answered(
    world: World | None,
    command: str,
    result: Any,
    rows: Mapping[str, Rows],
    status: Status,
    sections: Callable[..., Iterable[Section]],
    *,
    scenarios: Iterable[Scenario] = (),
    options: Mapping[str, Any] | None = None,
    found: Any = None,
    forms: Mapping[str, Form] | None = None,
    libraries: Iterable[str] = (),
) -> Answer:
    """An Answer with its manifest and the attribution of its data.

    world: None where the study uses other files; command: name of the study; result: plain values, or a
    function that makes them, for large ones; rows: tables by name; status: of the solves; sections: makes the
    document; scenarios, options: for the manifest; found, forms: as of `Answer`; libraries: further packages
    that affect the numbers. Raises DataError where a SOURCES.csv of the World cannot be read.
    """
    made = manifest(world, command, scenarios, options, libraries=libraries)
    lines = tuple(attribution(world.files)) if world is not None else ()
    make = result if callable(result) else lambda: result
    return Answer(command, make, rows, status, made, sections, lines, found, forms or {}, world=world)
