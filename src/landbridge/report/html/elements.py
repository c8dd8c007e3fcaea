"""Documents as HTML, and the elements of such a page. A page loads nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from landbridge.phrases import Words
from landbridge.report.document import ENGLISH, Document, Section
from landbridge.report.html.style import STYLE

__all__ = ["document_html", "frame", "section_html", "table_html", "tag"]

_CODE = re.compile("`([^`]+)`")


def tag(name: str, text: str, id: str = "", cls: str = "") -> str:
    """An HTML element of text; text between backticks becomes code.

    name: of the element; text: escaped; id, cls: its id and class, "" for none.
    """
    about = (f' id="{escape(id, quote=True)}"' if id else "") + (f' class="{cls}"' if cls else "")
    body = _CODE.sub(r"<code>\1</code>", escape(text))
    return f"<{name}{about}>{body}</{name}>"


def table_html(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[bool]
) -> str:
    """A table with a caption as HTML.

    caption: text; columns: headings; rows: cells, the first of each heads its row; words: which columns are
    aligned left.
    """
    classes = ["" if word else ' class="n"' for word in words]
    head = "".join(
        f'<th scope="col"{of}>{escape(column)}</th>' if column else f"<td{of}></td>"
        for column, of in zip(columns, classes, strict=True)
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


def section_html(
    section: Section, skip: int = 0, named: bool = False, words: Words = ENGLISH
) -> Iterator[str]:
    """A section as pieces of HTML: heading, paragraphs before, table, paragraphs after.

    section: what to write; named: leave out the paragraphs before the table; skip: number of first paragraphs
    after the table to leave out. Both are for text that the page already shows. words: of the language.
    """
    yield tag("h3", section.heading[:1].upper() + section.heading[1:])
    for text in () if named else section.before:
        yield tag("p", text)
    if section.rows:
        left = [section.is_words(n) for n in range(len(section.columns))]
        yield table_html(section.heading, section.columns, section.rows, left)
    elif section.columns:
        yield tag("p", words.say("page.none"))
    for text in section.after[skip:]:
        yield tag("p", text, cls="small")


def frame(title: str, headline: str, body: Iterable[str], menu: str = "", lang: str = "en") -> str:
    """A whole page of HTML around its body.

    title, headline: texts; body: pieces of HTML; menu: HTML of the navigation; lang: of all.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n'
        '<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>landbridge: {escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header><p class="brand">landbridge</p>\n<h1>{escape(headline)}</h1>\n{menu}</header>\n'
        "<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )


def document_html(document: Document, title: str) -> str:
    """A document as an HTML page of its own.

    document: its sections and attribution; title: of the page. Returns HTML.
    """
    words = Words(document.lang)
    parts = [line for section in document.sections for line in section_html(section, words=words)]
    if document.attribution:
        lines = "".join(f"<li>{escape(line)}</li>" for line in document.attribution)
        parts += [tag("h2", words.say("document.sources")), f"<ul class='small'>{lines}</ul>"]
    return frame(title, title, parts, lang=document.lang)
