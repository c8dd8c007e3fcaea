"""Tables with headings and remarks as HTML, as objects are displayed in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["html_table"]


def html_table(
    title: str,
    columns: Sequence[str] = (),
    rows: Iterable[Sequence[str]] = (),
    *,
    before: Iterable[str] = (),
    after: Iterable[str] = (),
) -> str:
    """A fragment of HTML: heading, paragraphs, table, small paragraphs; every text is escaped.

    title: heading; columns, rows: headings and cells of the table; before, after: paragraphs above and
    below.
    """
    parts = [f"<h4>{escape(title)}</h4>", *(f"<p>{escape(text)}</p>" for text in before)]
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    if lines:
        head = "".join(f"<th>{escape(name)}</th>" for name in columns)
        # A notebook may give cells no room of their own.
        room = "<style>.landbridge td, .landbridge th {padding: 0 0.6em}</style>"
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
        parts.append(f'<div class="landbridge">{room}{table}</div>')
    return "".join([*parts, *(f"<p><small>{escape(text)}</small></p>" for text in after)])
