"""Tables and paragraphs in lines of a screen: words wrap, figures and identifiers are never cut.

A table too wide for its screen folds its headings, then its columns of words; where that is not enough it is
broken into blocks below each other, each with the columns that name its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from landbridge.phrases import width
from landbridge.report.plain import folded, pieces

__all__ = ["Line", "paragraph", "table_lines"]

_GAP = "  "
# Columns of the screen that a column of words keeps where it can, and that the name of a row takes at most in
# each of several blocks.
_COMFORT, _NAME = 20, 30


class Line(NamedTuple):
    """A line of a table. text: as printed; heading: whether it is of the headings."""

    text: str
    heading: bool


class _Column(NamedTuple):
    """A column of a table: its heading, cells, whether it is of words, and widths.

    whole: without folding; least: of the longest word or figure; comfort: at which it still reads well.
    """

    heading: str
    cells: tuple[str, ...]
    words: bool
    whole: int
    least: int
    comfort: int


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[bool], most: int
) -> Iterator[Line]:
    """The lines of a table, none wider than the screen unless one word or figure is.

    columns: headings; rows: cells; words: of each column whether it is of words, aligned left; most: columns
    of the screen.
    """
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    table = [_column(*one) for one in zip(columns, cells, words, strict=True)]
    for number, block in enumerate(_blocks(table, most)):
        if number:
            yield Line("", False)
        yield from _block(block, most)


def _column(heading: str, cells: Sequence[str], words: bool) -> _Column:
    head = max(map(width, pieces(heading)), default=0)
    whole = max(map(width, cells), default=0)
    longest = max((width(piece) for cell in cells for piece in pieces(cell)), default=0) if words else whole
    least = max(head, longest)
    return _Column(
        heading,
        tuple(cells),
        words,
        max(width(heading), whole),
        least,
        max(least, min(whole, _COMFORT)) if words else least,
    )


def _taken(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * max(len(widths) - 1, 0)


def _blocks(table: list[_Column], most: int) -> list[list[_Column]]:
    """The columns in as few blocks as the screen needs, those that name a row in each."""
    if len(table) < 3 or _taken([one.comfort for one in table]) <= most:
        return [table]
    names = _names(table, most)
    lead = [one._replace(comfort=max(one.least, min(one.whole, _NAME))) for one in table[:names]]
    blocks, held = [], list(lead)
    for one in table[names:]:
        if len(held) > names and _taken([c.comfort for c in (*held, one)]) > most:
            blocks.append(held)
            held = list(lead)
        held.append(one)
    return [*blocks, held]


def _names(table: list[_Column], most: int) -> int:
    """How many columns from the first name a row: one, or the first words as long as rows read the same."""
    number = 1
    while (
        number < len(table) - 1
        and table[number].words
        and len(set(zip(*(one.cells for one in table[:number]), strict=True))) < len(table[0].cells)
        and _taken([min(one.comfort, _NAME) for one in table[: number + 1]]) <= most // 2
    ):
        number += 1
    return number


def _block(table: list[_Column], most: int) -> Iterator[Line]:
    widths = _widths(table, most)
    rows = [[one.heading for one in table], *zip(*(one.cells for one in table), strict=True)]
    for number, row in enumerate(rows):
        parts = [folded(cell, room) for cell, room in zip(row, widths, strict=True)]
        lines = list(zip_longest(*parts, fillvalue=""))
        if number == 0:
            # A short heading is next to the figures.
            lines = [
                tuple(texts)
                for texts in zip(*([""] * (len(lines) - len(part)) + part for part in parts), strict=True)
            ]
        for texts in lines:
            line = _GAP.join(
                _padded(text, room, one.words) for text, room, one in zip(texts, widths, table, strict=True)
            )
            yield Line(line.rstrip(), number == 0)


def _padded(text: str, room: int, left: bool) -> str:
    blank = " " * (room - width(text))
    return text + blank if left else blank + text


def _widths(table: list[_Column], most: int) -> list[int]:
    """Widths that fit: headings of figures fold first, then the widest column of words gives way."""
    widths = [one.whole for one in table]
    over = _taken(widths) - most
    for figures in (True, False):
        while over > 0:
            gives = [n for n, one in enumerate(table) if one.words != figures and widths[n] > one.least]
            if not gives:
                break
            widest = max(gives, key=lambda n: widths[n])
            widths[widest] -= 1
            over -= 1
    return widths


def paragraph(text: str, most: int) -> list[str]:
    """The lines of a text of several lines, each wrapped; what is wrapped is indented under its line.

    text: as it would be printed; most: columns of the screen.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        start = len(line) - len(line.lstrip(" "))
        indent = " " * start
        inner = folded(line[start:], most - start)
        if start:
            first, rest = inner[0], " ".join(inner[1:])
            hang = folded(rest, most - start - 2) if rest else []
            lines += [indent + first, *(indent + _GAP + one for one in hang)]
        else:
            lines += inner
    return lines
