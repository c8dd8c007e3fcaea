"""Sentences of reports and notes as templates: phrases.csv holds the words, the caller the figures.

A field of a template is {name} for words or {name:format} for a figure, its format one of FORMATS, or
{name:route|routes}: the first where the figure is one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

__all__ = ["FORMATS", "columns", "fields", "known", "listed", "phrases", "say", "signed"]

_WORDS = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    "twelve",
)
# Between the headings of a table in one template.
_BETWEEN = "|"


def signed(value: float, digits: int = 3) -> str:
    """A change with its sign, with `digits` decimals; a value that rounds to zero has no sign."""
    text = f"{value:+,.{digits}f}"
    return text if text.strip("+-0.,") else text[1:]


def _count(value: float) -> str:
    return _WORDS[int(value)] if value in range(len(_WORDS)) else f"{value:,}"


def _fixed(digits: int) -> Callable[[float], str]:
    return lambda value: f"{value:,.{digits}f}"


def _signed(digits: int) -> Callable[[float], str]:
    return lambda value: signed(value, digits)


# Formats of figures by name. 0 to 6: that many decimals; +0 to +4: with a sign; 0% and 1%: a share as
# percent; 2g, 3g: that many significant digits; g: as short as possible; year: a year; count: a number in
# words up to twelve.
FORMATS: Mapping[str, Callable[[Any], str]] = {
    **{str(digits): _fixed(digits) for digits in (0, 1, 2, 3, 6)},
    **{f"+{digits}": _signed(digits) for digits in (0, 1, 2, 3, 4)},
    "0%": "{:.0%}".format,
    "1%": "{:.1%}".format,
    "2g": "{:.2g}".format,
    "3g": "{:.3g}".format,
    "g": "{:g}".format,
    "year": "{:.0f}".format,
    "count": _count,
}


@cache
def phrases() -> Mapping[str, str]:
    """Every template by its key."""
    text = files("landbridge").joinpath("phrases.csv").read_text(encoding="utf-8")
    return {row["key"]: row["en"] for row in csv.DictReader(text.splitlines())}


def known(key: str) -> bool:
    """Whether a template with this key exists."""
    return key in phrases()


def fields(key: str) -> frozenset[str]:
    """Names of the fields of a template. Raises KeyError for an unknown key."""
    return frozenset(name for _, name, _, _ in Formatter().parse(phrases()[key]) if name is not None)


def say(key: str, /, **figures: Any) -> str:
    """A template filled with its figures.

    key: row of phrases.csv; figures: one value per field, words for {name}, a number for {name:format}.
    Raises KeyError for an unknown key and for a figure that is missing or has no field, TypeError where words
    are given for a number or a number for words.
    """
    if set(figures) != fields(key):
        raise KeyError(f"{key} takes {sorted(fields(key))}, got {sorted(figures)}")
    return _filled(key, phrases()[key], figures)


def columns(key: str, /, **figures: Any) -> tuple[str, ...]:
    """The headings of a table: a template whose headings are separated by bars, filled as in `say`."""
    if set(figures) != fields(key):
        raise KeyError(f"{key} takes {sorted(fields(key))}, got {sorted(figures)}")
    return tuple(_filled(key, part, figures) for part in phrases()[key].split(_BETWEEN))


def _filled(key: str, template: str, figures: Mapping[str, Any]) -> str:
    out = []
    for words, name, spec, _ in Formatter().parse(template):
        out.append(words)
        if name is not None:
            out.append(_shown(key, name, spec or "", figures[name]))
    return "".join(out)


def _shown(key: str, name: str, spec: str, value: Any) -> str:
    if isinstance(value, str) == bool(spec):
        raise TypeError(f"{key}: {{{name}:{spec}}} cannot show {value!r}")
    if not spec:
        return str(value)
    one, bar, many = spec.partition("|")
    return (one if value == 1 else many) if bar else FORMATS[spec](value)


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Names as a list in a sentence: A, B and C."""
    return say("list.and", first=", ".join(names[:-1]), last=names[-1]) if len(names) > 1 else "".join(names)
