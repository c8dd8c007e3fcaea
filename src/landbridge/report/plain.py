"""Documents as plain text, in columns that line up."""

from __future__ import annotations

from collections.abc import Iterator

from landbridge.phrases import say
from landbridge.report.document import Document, Section

__all__ = ["plain_text"]

_BETWEEN = "  "


def plain_text(document: Document) -> str:
    """The document as text: titles underlined, words aligned left, figures right."""
    lines = [line for section in document.sections for line in _section(section)]
    if document.attribution:
        lines += [*_title(say("document.sources")), *document.attribution, ""]
    return "\n".join(lines)


def _section(section: Section) -> Iterator[str]:
    yield from _title(section.title)
    for text in section.before:
        yield from (text, "")
    if section.rows:
        yield from _table(section)
    for text in section.after:
        yield from (text, "")


def _title(text: str) -> tuple[str, str]:
    return text, "-" * len(text)


def _table(section: Section) -> Iterator[str]:
    wide = [max(map(len, cells)) for cells in zip(section.columns, *section.rows, strict=True)]
    words = [section.is_words(n) for n in range(len(wide))]
    for row in (section.columns, *section.rows):
        cells = (
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, wide, words, strict=True)
        )
        yield _BETWEEN.join(cells).rstrip()
    yield ""
