"""Estimates in columns as in journals: coefficients, standard errors in brackets, stars."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from landbridge.errors import DataError, Fault
from landbridge.phrases import Phrase, Words, say, width

if TYPE_CHECKING:
    from landbridge.estimation.ppml import Estimate

__all__ = ["STYLES", "cells", "table"]

STYLES = ("text", "markdown", "latex", "csv")
_STARS = ((0.01, "***"), (0.05, "**"), (0.10, "*"))
# As wide as the figures above it.
_NO = Phrase.made("no   ", "no", {})
_LIMITS = {name: limit for name, (limit, _) in zip(("three", "two", "one"), _STARS, strict=True)}


def table(
    estimates: Sequence[Estimate],
    style: str = "text",
    titles: Sequence[str] | None = None,
    digits: int = 3,
    *,
    lang: str = "en",
) -> str:
    """A table of estimates as text: standard errors in brackets below coefficients, dropped terms in notes.

    estimates: one per column; style: text, markdown, latex or csv; titles: a name per column, else (1), (2)
    ...; digits: decimals; lang: of its words, en, ru or zh. Raises DataError for an unknown style, no
    estimate, or a wrong number of titles.
    """
    if style not in STYLES:
        raise DataError("unknown style", [Fault("style", f"is {style!r}", f"give {', '.join(STYLES)}")])
    words = Words(lang)
    head, body, notes = cells(estimates, titles, digits)
    if lang != "en":
        body = [[words.cell(cell) + _padding(cell) for cell in row] for row in body]
        notes = [*map(words.of, notes)]
    if style == "csv":
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([head, *body])
        writer.writerows([[note] for note in notes])
        return out.getvalue()
    if style == "markdown":
        lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * len(estimates) + "|"]
        lines += ["| " + " | ".join(_cell(c) for c in row) + " |" for row in body]
        return "\n".join([*lines, "", *(note.replace("***", r"\*\*\*") + "  " for note in notes)]) + "\n"
    if style == "latex":
        return _latex(head, body, notes)
    widths = [max(width(row[k]) for row in [head, *body]) for k in range(len(head))]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))

    def line(row: Sequence[str]) -> str:
        blanks = [" " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)]
        cells = [row[0] + blanks[0], *(blank + c for c, blank in zip(row[1:], blanks[1:], strict=True))]
        return "  ".join(cells).rstrip()

    return "\n".join([line(head), rule, *map(line, body), rule, *notes]) + "\n"


def cells(
    estimates: Sequence[Estimate], titles: Sequence[str] | None = None, digits: int = 3
) -> tuple[list[str], list[list[str]], list[str]]:
    """Headings, rows and notes of a table of estimates, numbers padded at the end so that points line up.

    estimates, titles, digits: as in `table`. Raises DataError for no estimate, or a wrong number of titles.
    """
    heads = list(titles) if titles is not None else [f"({k + 1})" for k in range(len(estimates))]
    if not estimates or len(heads) != len(estimates):
        fault = Fault("titles", f"{len(heads)} for {len(estimates)} estimates", "give one for each")
        raise DataError("a table needs as many titles as estimates", [fault])
    return ["", *heads], _body(estimates, digits), _notes(estimates, heads)


def _padding(cell: str) -> str:
    """Blanks at the end of a phrase, which its translation does not have."""
    return " " * (len(cell) - len(cell.rstrip())) if isinstance(cell, Phrase) else ""


def _body(estimates: Sequence[Estimate], digits: int) -> list[list[str]]:
    body = _coefficients(estimates, digits)
    for name in dict.fromkeys(n for e in estimates for n in e.fixed_effects):
        levels = (e.fixed_effects.get(name) for e in estimates)
        body.append([say("gravity.effects", name=name), *(_NO if n is None else f"{n:,}   " for n in levels)])
    body.append([say("gravity.observations"), *(f"{e.n:,}   " for e in estimates)])
    body.append(
        [say("gravity.estimator"), *(("PPML" if e.method == "ppml" else "OLS") + "   " for e in estimates)]
    )
    r2 = [e.pseudo_r2 for e in estimates]
    body.append([say("gravity.r2"), *(f"{v:.{digits}f}   " if v is not None else "" for v in r2)])
    return body


def _coefficients(estimates: Sequence[Estimate], digits: int) -> list[list[str]]:
    """Two lines per coefficient: its value with stars, its standard error below; may be empty."""
    every = [{r["name"]: r for r in e.rows()} for e in estimates]
    body = []
    for name in dict.fromkeys(n for rows in every for n in rows):
        cells = [_coefficient(rows.get(name), digits) for rows in every]
        body += [[name, *(top for top, _ in cells)], ["", *(below for _, below in cells)]]
    return body


def _coefficient(row: Mapping[str, Any] | None, digits: int) -> tuple[str, str]:
    if row is None:
        return "", ""
    stars = next((s for limit, s in _STARS if row["p"] < limit), "")
    # Stars are outside the width of the number, so that points line up.
    value = f"{_number(row['coefficient'], digits)}{stars:<3}"
    return value, f"({_number(row['standard_error'], digits)})  "


def _number(value: float, digits: int) -> str:
    """Fixed decimals, or powers of ten where all of them would be zeros; "undefined" for NaN."""
    if value != value:
        return "undefined"
    return f"{value:.2e}" if 0 < abs(value) < 0.5 * 10.0**-digits else f"{value:.{digits}f}"


def _notes(estimates: Sequence[Estimate], heads: Sequence[str]) -> list[str]:
    """Notes on the numbers, each sentence once; with the column's name where columns differ."""
    found: dict[str, list[str]] = {}
    for head, e in zip(heads, estimates, strict=True):
        if e.where:
            said = [say("gravity.note.sample", dependent=e.dependent, where=e.where)]
        else:
            said = [say("gravity.note.dependent", dependent=e.dependent)]
        if e.names:
            said.append(say("gravity.note.errors", errors=e.errors, stars=say("gravity.stars", **_LIMITS)))
        said += [say("gravity.note.dropped", name=d.name, reason=d.reason) for d in e.dropped]
        said += [say("gravity.note.separated", n=n, rule=rule) for rule, n in e.separated.items()]
        said += [say("gravity.note.left_out", n=n, reason=reason) for reason, n in e.left_out.items()]
        said += [say("gravity.note.built", text=text) for text in e.built]
        said += [say("note", text=text) for text in e.notes]
        for text in said:
            found.setdefault(text, []).append(head)
    names = [
        say("gravity.note.of", columns=" ".join(h), text=text) if len(h) < len(estimates) else text
        for text, h in found.items()
    ]
    if any(e.fixed_effects for e in estimates):
        names.append(say("gravity.note.constant"))
    if any(e.names for e in estimates):
        names.append(say("gravity.note.logs"))
    return names


def _cell(text: str) -> str:
    return text.strip().replace("|", r"\|").replace("*", r"\*")


def _latex(head: Sequence[str], body: Sequence[Sequence[str]], notes: Sequence[str]) -> str:
    def safe(text: str) -> str:
        for sign in "&%$#_{}":
            text = text.replace(sign, "\\" + sign)
        return (
            text.replace("^", r"\^{}").replace("~", r"\~{}").replace("<", "$<$").replace(">", "$>$").strip()
        )

    def number(text: str) -> str:
        bare = text.strip()
        value = bare.rstrip("*")
        return safe(value) + (f"$^{{{bare[len(value) :]}}}$" if value != bare else "")

    lines = [r"\begin{tabular}{l" + "r" * (len(head) - 1) + "}", r"\hline"]
    lines.append(" & ".join(safe(c) for c in head) + r" \\")
    lines.append(r"\hline")
    lines += [" & ".join([safe(row[0]), *map(number, row[1:])]) + r" \\" for row in body]
    lines += [r"\hline", r"\end{tabular}", "", *(rf"\par\small {safe(n)}" for n in notes)]
    return "\n".join(lines) + "\n"
