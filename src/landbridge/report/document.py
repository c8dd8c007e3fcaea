"""A document: sections of tables and paragraphs, whatever study they come from, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from landbridge.io.whole import without_controls

__all__ = ["Document", "Section", "markdown", "signed"]


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs before the table, a table (may be empty), and paragraphs after it."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Names of a user's own tables may hold codes that a terminal obeys: they are taken out."""
        object.__setattr__(self, "title", without_controls(self.title))
        for name in ("columns", "before", "after"):
            object.__setattr__(self, name, tuple(map(without_controls, getattr(self, name))))
        rows = tuple(tuple(map(without_controls, row)) for row in self.rows)
        object.__setattr__(self, "rows", rows)

    def is_words(self, number: int) -> bool:
        """Whether a column reads from the left: the first, and those most of whose cells are no figures."""
        cells = [row[number] for row in self.rows if row[number] not in ("", "-")]
        figures = sum(cell.lstrip("+-~<>*")[:1].isdigit() for cell in cells)
        return number == 0 or 2 * figures < len(cells)


@dataclass(frozen=True)
class Document:
    """Sections in their order, with the attribution lines of the data they rest on."""

    sections: tuple[Section, ...]
    attribution: tuple[str, ...] = ()

    def markdown(self) -> str:
        """The document as Markdown."""
        return markdown(self.sections, self.attribution)

    def __str__(self) -> str:
        return self.markdown()


def markdown(sections: Iterable[Section], attribution: Sequence[str] = ()) -> str:
    """The sections as a Markdown document, with the attribution lines of the data used."""
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
        lines += ["## Sources of the data", "", *(f"* {line}" for line in attribution), ""]
    return "\n".join(lines)


def signed(value: float, digits: int = 3) -> str:
    """A change with its sign; what rounds to nothing has none."""
    text = f"{value:+,.{digits}f}"
    return text if text.strip("+-0.,") else text[1:]
