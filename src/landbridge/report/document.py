"""A document: sections of tables and paragraphs of any study, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from landbridge.io.whole import without_controls
from landbridge.phrases import Words, fields, known, signed

__all__ = ["ENGLISH", "Document", "Section", "markdown", "phrased", "signed"]


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs before the table, a table (may be empty), and paragraphs after it.

    columns: headings of the table; rows: cells, as many as columns. key: of the section in phrases.csv, by
    which a page finds it. part: the scenario or base that it belongs to, where a document has sections of
    several.
    """

    heading: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    key: str = ""
    part: str = ""

    @property
    def title(self) -> str:
        """The heading under the name of its part."""
        return f"{self.part}: {self.heading}" if self.part else self.heading

    def __post_init__(self) -> None:
        """Remove control codes for terminals, which names of a user's own tables may contain."""
        for name in ("heading", "part"):
            object.__setattr__(self, name, without_controls(getattr(self, name)))
        for name in ("columns", "before", "after"):
            object.__setattr__(self, name, tuple(map(without_controls, getattr(self, name))))
        rows = tuple(tuple(map(without_controls, row)) for row in self.rows)
        object.__setattr__(self, "rows", rows)

    def in_words(self, words: Words) -> Section:
        """The section in the language of the words: its phrases and names translated, its figures rewritten.

        Texts of a user or of a source, which are neither, stay as they are.
        """
        return replace(
            self,
            heading=words.of(self.heading),
            columns=tuple(map(words.of, self.columns)),
            rows=tuple(tuple(map(words.cell, row)) for row in self.rows),
            before=tuple(map(words.of, self.before)),
            after=tuple(map(words.of, self.after)),
        )

    def is_words(self, number: int) -> bool:
        """Whether a column is aligned left: the first, and those in which most cells are not figures.

        number: of the column, from 0.
        """
        cells = [row[number] for row in self.rows if row[number] not in ("", "-")]
        figures = sum(cell.lstrip("+-~<>*")[:1].isdigit() for cell in cells)
        return number == 0 or 2 * figures < len(cells)


ENGLISH = Words()


def phrased(
    key: str,
    rows: Iterable[tuple[str, ...]] = (),
    *,
    words: Words = ENGLISH,
    part: str = "",
    names: Sequence[str] = (),
    before: Sequence[str] = (),
    after: Sequence[str] = (),
    **figures: Any,
) -> Section:
    """A section whose words are the templates key.title, key.columns, key.before and key.after.

    rows: of the table; words: of the language; part: as of `Section`; names: headings after those of
    key.columns; before, after: paragraphs placed before those of the templates; figures: those of all of
    these templates. Raises KeyError where a figure is missing or in no template.
    """
    parts = {end: f"{key}.{end}" for end in ("title", "columns", "before", "after")}
    parts = {end: name for end, name in parts.items() if end == "title" or known(name)}
    wanted = {end: fields(name) for end, name in parts.items()}
    if set(figures) != frozenset().union(*wanted.values()):
        raise KeyError(f"{key} takes {sorted(frozenset().union(*wanted.values()))}, got {sorted(figures)}")
    given = {end: {name: figures[name] for name in held} for end, held in wanted.items()}

    def text(end: str) -> tuple[str, ...]:
        return (words.say(parts[end], **given[end]),) if end in parts else ()

    return Section(
        words.say(f"{key}.title", **given["title"]),
        columns=(
            *(words.columns(parts["columns"], **given["columns"]) if "columns" in parts else ()),
            *names,
        ),
        rows=tuple(rows),
        before=(*before, *text("before")),
        after=(*after, *text("after")),
        key=key,
        part=part,
    )


@dataclass(frozen=True)
class Document:
    """Sections in order, with the attribution lines of their data; lang: of the sections."""

    sections: tuple[Section, ...]
    attribution: tuple[str, ...] = ()
    lang: str = "en"

    def markdown(self) -> str:
        """The document as Markdown."""
        return markdown(self.sections, self.attribution, Words(self.lang))

    def __str__(self) -> str:
        return self.markdown()


def markdown(sections: Iterable[Section], attribution: Sequence[str] = (), words: Words = ENGLISH) -> str:
    """A Markdown document of sections, with attribution lines of the data; words: of the language."""
    lines = ["# landbridge", ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        for text in section.before:
            lines += [text, ""]
        if section.rows:
            lines.append("| " + " | ".join(section.columns) + " |")
            lines.append(
                "|"
                + "|".join("---" if section.is_words(i) else "---:" for i in range(len(section.columns)))
                + "|"
            )
            lines += ["| " + " | ".join(row) + " |" for row in section.rows]
            lines.append("")
        for text in section.after:
            lines += [text, ""]
    if attribution:
        lines += [f"## {words.say('document.sources')}", "", *(f"* {line}" for line in attribution), ""]
    return "\n".join(lines)
