"""Documents as plain text, in columns that line up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from landbridge.phrases import Words, width
from landbridge.report.document import Document, Section

__all__ = ["folded", "pieces", "plain_text"]

_BETWEEN = "  "


def plain_text(document: Document) -> str:
    """The document as text: titles underlined, words aligned left, figures right."""
    lines = [line for section in document.sections for line in _section(section)]
    if document.attribution:
        lines += [*_title(Words(document.lang).say("document.sources")), *document.attribution, ""]
    return "\n".join(lines)


def _section(section: Section) -> Iterator[str]:
    yield from _title(section.title)
    for text in section.before:
        yield from (text, "")
    if section.rows:
        yield from _table(section)
    for text in section.after:
        yield from (text, "")


def _blanks(row: tuple[str, ...], wide: list[int]) -> list[str]:
    """The blanks that fill each cell."""
    return [" " * (most - width(cell)) for cell, most in zip(row, wide, strict=True)]


def _title(text: str) -> tuple[str, str]:
    return text, "-" * width(text)


def _table(section: Section) -> Iterator[str]:
    wide = [max(map(width, cells)) for cells in zip(section.columns, *section.rows, strict=True)]
    words = [section.is_words(n) for n in range(len(wide))]
    for row in (section.columns, *section.rows):
        cells = (
            cell + blank if left else blank + cell
            for cell, blank, left in zip(row, _blanks(row, wide), words, strict=True)
        )
        yield _BETWEEN.join(cells).rstrip()
    yield ""


# A word with its blanks before it, or a Chinese character with the closing signs after it.
_CLOSING = "[\u3001\u3002\u3009\u300b\u300d\u300f\u3011\uff01\uff05\uff09\uff0c\uff1a\uff1b\uff1f]*"
_PIECE = re.compile(f" *(?:[^ \u2e80-\uffef]+|[\u2e80-\uffef]){_CLOSING}")


# Between identifiers that are joined by +, where the whole is long.
_JOINT, _LONG = re.compile(r"(?<=[a-z]\+)(?=[a-z])"), 30


def _parts(text: str) -> Iterator[str]:
    for piece in _PIECE.findall(text):
        yield from _JOINT.split(piece) if len(piece) > _LONG else [piece]


def pieces(text: str) -> list[str]:
    """The parts of a text between which a line may break: words, Chinese characters, ids joined by +."""
    return [piece.strip(" ") for piece in _parts(text)]


def folded(text: str, most: int) -> list[str]:
    """The lines of a text of at most so many columns, broken at blanks and between Chinese characters.

    text: one paragraph; most: columns of a terminal, see `landbridge.phrases.width`.
    """
    lines = [""]
    for piece in _parts(text):
        if lines[-1] and width(lines[-1] + piece) > most:
            lines.append(piece.lstrip(" "))
        else:
            lines[-1] += piece
    return lines
