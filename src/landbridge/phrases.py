"""Sentences of reports and notes as templates: phrases.csv holds the words, the caller the figures.

A field of a template is {name} for words or {name:format} for a figure, its format one of FORMATS, or
{name:route|routes}: the first where the figure is one. The columns ru and zh of phrases.csv hold the same
templates in Russian and Chinese; a blank one falls back to English. `Words` fills them in one language.

texts.csv translates texts of the embedded tables, such as a claim or the name of a pipeline, by their whole
English text: a text that a user has changed is not in it and stays as it is.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

__all__ = [
    "FORMATS",
    "LANGUAGES",
    "Phrase",
    "Term",
    "Words",
    "columns",
    "fields",
    "known",
    "listed",
    "named",
    "phrases",
    "say",
    "signed",
    "texts",
    "width",
]

LANGUAGES = ("en", "ru", "zh")

_WORDS = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    "twelve",
)
# Between the headings of a table in one template.
_BETWEEN = "|"
# Between the items of a list, by template and language; lists of other templates are as in list.items.
_LIST = {
    "list.items": {"en": ", ", "zh": "\u3001"},
    "list.clauses": {"en": "; ", "zh": "\uff1b"},
    "list.sentences": {"en": " ", "zh": ""},
    "invest.together": {"en": " + "},
}
# A number, and a cell of numbers and signs alone: dates such as 1.6.2024, versions and codes are none.
_NUMERAL = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?"
_FIGURE = re.compile(f"{_NUMERAL}(?: ?%)?")
_SIGNS = r"[-+~<>*()%/:.]+"
_FIGURES = re.compile(rf"(?:(?:[-+~<>*(]*{_NUMERAL}(?:[-:]{_NUMERAL})?[%)*,:]*|{_SIGNS})(?: +|$))+")
# How the signs of a number are written where not as in English.
_NUMBER = {"ru": str.maketrans({",": "\u00a0", ".": ",", "%": "\u00a0%"})}


def width(text: str) -> int:
    """Columns of a terminal that a text takes: two for a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


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
def phrases(lang: str = "en") -> Mapping[str, str]:
    """Every template by its key; in another language than English only those that are translated.

    lang: en, ru or zh.
    Raises KeyError for an unknown language.
    """
    text = files("landbridge").joinpath("phrases.csv").read_text(encoding="utf-8")
    return {row["key"]: row[lang] for row in csv.DictReader(text.splitlines()) if lang == "en" or row[lang]}


@cache
def texts(lang: str) -> Mapping[str, str]:
    """Translations of texts of the tables by their English, from texts.csv.

    lang: ru or zh.
    Raises KeyError for another language.
    """
    text = files("landbridge").joinpath("texts.csv").read_text(encoding="utf-8")
    return {row["en"]: row[lang] for row in csv.DictReader(text.splitlines())}


def known(key: str) -> bool:
    """Whether a template with this key exists."""
    return key in phrases()


def fields(key: str, lang: str = "en") -> frozenset[str]:
    """Names of the fields of a template. Raises KeyError for an unknown key.

    lang: en, ru or zh.
    """
    parsed = Formatter().parse(phrases(lang)[key])
    return frozenset(name for _, name, _, _ in parsed if name is not None)


class Phrase(str):
    """The English text of a filled template, with its key and figures, by which `Words.of` translates it.

    number: that of the heading, where the template is of the headings of a table.
    """

    key: str
    figures: Mapping[str, Any]
    number: int | None

    @staticmethod
    def made(text: str, key: str, figures: Mapping[str, Any], number: int | None = None) -> Phrase:
        """A text with what it was made from."""
        phrase = Phrase(text)
        phrase.key, phrase.figures, phrase.number = key, figures, number
        return phrase


class Term(str):
    """A name in English, with the kind and identifier of the thing, by which `Words.of` translates it."""

    kind: str
    id: str

    @staticmethod
    def made(text: str, kind: str, id: str) -> Term:
        """A name with what it names.

        text: the name; id: of the thing.
        """
        term = Term(text)
        term.kind, term.id = kind, id
        return term


class Words:
    """Templates, lists, terms and numbers in one language: en, ru or zh.

    lang: en, ru or zh. English ones are Phrases and Terms, which the Words of another language translate.
    """

    def __init__(self, lang: str = "en") -> None:
        self.lang = lang

    def say(self, key: str, /, **figures: Any) -> str:
        """A template filled with its figures, as `say` does; Phrases among them are translated too.

        key: of the template.
        """
        text = self._filled(key, self._template(key, figures), figures)
        return Phrase.made(text, key, figures) if self.lang == "en" else text

    def columns(self, key: str, /, **figures: Any) -> tuple[str, ...]:
        """The headings of a table, as the function `columns`.

        key: of the template.
        """
        parts = self._template(key, figures).split(_BETWEEN)
        texts = [self._filled(key, part, figures) for part in parts]
        if self.lang != "en":
            return tuple(texts)
        return tuple(Phrase.made(text, key, figures, n) for n, text in enumerate(texts))

    def joined(self, items: Iterable[str]) -> str:
        """Items with the sign between them that a list has.

        items: as texts.
        """
        return self._list("list.items", items)

    def listed(self, names: tuple[str, ...] | list[str]) -> str:
        """Names as a list in a sentence: A, B and C.

        names: as texts.
        """
        if len(names) < 2:
            return self.joined(names)
        return self.say("list.and", first=tuple(names[:-1]), last=names[-1])

    def clauses(self, items: Iterable[str]) -> str:
        """Items that may hold commas themselves, with the sign between them that such a list has.

        items: as texts.
        """
        return self._list("list.clauses", items)

    def sentences(self, items: Iterable[str]) -> str:
        """Sentences one after the other.

        items: as texts.
        """
        return self._list("list.sentences", items)

    def _list(self, key: str, items: Iterable[str]) -> str:
        held = tuple(items)
        if len(held) < 2:
            return self.of(held[0]) if held else ""
        return self.say(key, items=held)

    def term(self, kind: str, name: str, text: str | None = None) -> str:
        """A value of a table in words: the template term.KIND.NAME, else `text`, else the value itself.

        kind, name: of the value.
        """
        key = f"term.{kind}.{name}"
        english = phrases().get(key) or (name if text is None else text)
        if self.lang == "en":
            return Term.made(english, kind, name)
        return phrases(self.lang).get(key) or english

    def title(self, id: str, name: str) -> str:
        """The name of a scenario; one of a user's own keeps its words.

        id: of the scenario.
        """
        return self._if_same(f"term.scenario.{id}", name)

    def described(self, id: str, text: str) -> str:
        """The description of a scenario; one of a user's own keeps its words.

        id: of the scenario; text: its own description.
        """
        return self._if_same(f"term.description.{id}", text)

    def _if_same(self, key: str, text: str) -> str:
        return phrases(self.lang).get(key, text) if phrases().get(key) == text else self.of(text)

    def named(self, term: Term) -> str:
        """The name of what a Term names; one without names of the tables, as here, leaves it in English.

        term: the name.
        """
        if term.kind == "scenario":
            return self.title(term.id, str(term))
        if term.kind == "text":
            return texts(self.lang).get(term.id, str(term)) if self.lang != "en" else str(term)
        return self.term(term.kind, term.id, str(term))

    def of(self, text: str) -> str:
        """A Phrase or Term in this language; any other text as it is."""
        if self.lang == "en":
            return text
        if isinstance(text, Phrase):
            figures = {name: self._read(value) for name, value in text.figures.items()}
            if text.number is not None:
                return self.columns(text.key, **figures)[text.number]
            return self.say(text.key, **figures)
        return self.named(text) if isinstance(text, Term) else text

    def cell(self, text: str) -> str:
        """A cell of a table: a Phrase or Term in this language, figures with its separators.

        text: in English.
        """
        if self.lang == "en":
            return text
        found = self.of(text)
        return _FIGURE.sub(self._separated, found) if found is text and _FIGURES.fullmatch(text) else found

    def _separated(self, found: re.Match[str]) -> str:
        return self._written(found[0].replace(" %", "%"))

    def _read(self, value: Any) -> Any:
        """A figure of an English Phrase: texts that are figures get the separators of this language."""
        if isinstance(value, tuple):
            return tuple(map(self.cell, value))
        return self.cell(value) if isinstance(value, str) else value

    def figure(self, value: float, form: str) -> str:
        """A number by a format of Python, with the separators of the language.

        value: the number; form: the format.
        """
        return self._written(format(value, form))

    def signed(self, value: float, digits: int = 3) -> str:
        """A change with its sign, as the function `signed`.

        value: the change; digits: decimals.
        """
        return self._written(signed(value, digits))

    def _written(self, number: str) -> str:
        return number.translate(_NUMBER[self.lang]) if self.lang in _NUMBER else number

    def _template(self, key: str, figures: Mapping[str, Any]) -> str:
        if set(figures) != fields(key):
            raise KeyError(f"{key} takes {sorted(fields(key))}, got {sorted(figures)}")
        return phrases(self.lang).get(key) or phrases()[key]

    def _filled(self, key: str, template: str, figures: Mapping[str, Any]) -> str:
        out = []
        for words, name, spec, _ in Formatter().parse(template):
            out.append(words)
            if name is not None:
                out.append(self._shown(key, name, spec or "", figures[name]))
        return "".join(out)

    def _shown(self, key: str, name: str, spec: str, value: Any) -> str:
        if isinstance(value, str | tuple) == bool(spec):
            raise TypeError(f"{key}: {{{name}:{spec}}} cannot show {value!r}")
        if not spec:
            if isinstance(value, tuple):
                signs = _LIST.get(key, _LIST["list.items"])
                return signs.get(self.lang, signs["en"]).join(map(self.of, value))
            return self.of(value)
        one, bar, many = spec.partition("|")
        if bar:
            return one if value == 1 else many
        return self._written(FORMATS[spec](value))


_ENGLISH = Words()


def named(kind: str, id: str, text: str = "") -> Term:
    """A name to be shown in the language of the reader.

    kind: place, region, sector or gateway, a kind of terms in phrases.csv, or text for a text of a table that
    texts.csv may translate; id: the identifier, or that text; text: the name in English, the identifier where
    blank.
    """
    return Term.made(text or id, kind, id)


def say(key: str, /, **figures: Any) -> str:
    """A template filled with its figures, in English, as a Phrase.

    key: row of phrases.csv; figures: one value per field, words or a tuple of them for {name}, a number for
    {name:format}. Raises KeyError for an unknown key and for a figure that is missing or has no field,
    TypeError where words are given for a number or a number for words.
    """
    return _ENGLISH.say(key, **figures)


def columns(key: str, /, **figures: Any) -> tuple[str, ...]:
    """The headings of a table: a template whose headings are separated by bars, filled as in `say`.

    key, figures, errors raised: as in `say`.
    """
    return _ENGLISH.columns(key, **figures)


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Names as a list in a sentence: A, B and C.

    names: as texts.
    """
    return _ENGLISH.listed(names)
