"""Messages of errors in Russian and Chinese: error_texts.csv holds them by their English text.

The English text of the source is the key, as in gettext: a row of the table is a text with {0}, {1} ... for
what varies. A finished English text is looked up as it is, then by the row whose words it has; of several
the one with the most letters holds. What is in a place is translated too where it is itself a text of the
table, and else kept: names, files, keys, options and figures. A text without a row stays in English.
The table is read when the first text is asked for.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from landbridge.phrases import LANGUAGES, Phrase, Words

__all__ = ["PLACE", "rows", "translated"]

# A place in a text of the table.
PLACE = re.compile(r"\{(\d)\}")
# Longer texts hold a file or a list of a user: they stay as they are.
_LONGEST = 4_000
# Texts inside a text.
_DEEPEST = 4
# Letters of a row that is of one text only, and a piece of an English sentence.
_SURE = 5
_ENGLISH = re.compile(r"(?:^|\s)[a-z]{2,}(?: [a-z]{2,}){2,}")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
# A key before what it is.
_KEY = re.compile(r"[a-z]\w*: ")
# Signs that make one word of what is before and after them.
_JOINED = tuple("._<>/")
# Quoted names or single words joined by "or" or "and", and a quoted text alone.
_NAME = r"(?:'[^']*'|\"[^\"]*\"|[^\s'\"]+)"
_JOINTS = {"or": {"ru": " или ", "zh": "或"}, "and": {"ru": " и ", "zh": "和"}}
_JOINT = re.compile(f"{_NAME}| (or|and) ")
_NAMES = re.compile(f"{_NAME}(?: (?:or|and) {_NAME})+")
_ONE_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_CLAUSES = {"ru": "; ", "zh": "；"}


@dataclass(frozen=True)
class _Row:
    """A text with places: its words between them, and the row of the table."""

    words: tuple[str, ...]
    row: dict[str, str]

    @cached_property
    def letters(self) -> int:
        """Letters of its words."""
        return sum(map(str.isalpha, "".join(self.words)))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The texts that the row fits."""
        return re.compile("(.*?)".join(map(re.escape, self.words)), re.DOTALL)

    def fits(self, text: str) -> tuple[str, ...] | None:
        """What stands in the places of a text; None where it is another text."""
        if not (text.startswith(self.words[0]) and text.endswith(self.words[-1])):
            return None
        if any(word not in text for word in self.words):
            return None
        found = self.pattern.fullmatch(text)
        return found.groups() if found else None


@cache
def rows() -> tuple[dict[str, str], ...]:
    """The rows of the table, by column: en, note, ru and zh."""
    text = files("landbridge").joinpath("error_texts.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def _whole() -> dict[str, dict[str, str]]:
    return {row["en"]: row for row in rows() if not PLACE.search(row["en"]) and row["note"] != "word"}


@cache
def _words() -> dict[str, dict[str, str]]:
    """Kinds of things, by their word. Only texts that name a kind have them: columns have such names too."""
    return {row["en"]: row for row in rows() if row["note"] == "word"}


@cache
def _with_places() -> tuple[_Row, ...]:
    """The rows with places, those of most letters first."""
    found = [_Row(tuple(PLACE.split(row["en"])[::2]), row) for row in rows() if PLACE.search(row["en"])]
    return tuple(sorted(found, key=lambda one: -sum(map(len, one.words))))


def translated(text: str, lang: str) -> str:
    """A message of an error in a language; what the table does not hold stays in English.

    text: in English, as an error has it; lang: en, ru or zh. Raises KeyError for an unknown language.
    """
    if lang not in LANGUAGES:
        raise KeyError(lang)
    return text if lang == "en" else _found(text, lang, 0)


def _found(text: str, lang: str, depth: int) -> str:
    if isinstance(text, Phrase):
        return Words(lang).of(text)
    if len(text) > _LONGEST or depth > _DEEPEST or not text.strip() or _ONE_QUOTED.fullmatch(text):
        return text
    whole = _whole().get(text)
    if whole is not None:
        return whole[lang]
    for one in _with_places():
        values = one.fits(text)
        if values is None:
            continue
        inner = [_value(one, at, value, lang, depth) for at, value in enumerate(values)]
        # A row of a word or two fits many texts: not one whose other words would stay in English.
        if one.letters >= _SURE or not any(map(_is_english, inner)):
            return _filled(one.row[lang], inner)
    key = _KEY.match(text)
    if key is not None:
        return key[0] + _found(text[key.end() :], lang, depth + 1)
    if "; " in text:
        parts = [_found(part, lang, depth + 1) for part in text.split("; ")]
        return _CLAUSES[lang].join(parts)
    if _NAMES.fullmatch(text):
        return _JOINT.sub(lambda found: _JOINTS[found[1]][lang] if found[1] else found[0], text)
    return text


def _value(one: _Row, at: int, value: str, lang: str, depth: int) -> str:
    """What is in a place of a row: as it is where it is a part of a word, as the name of a file."""
    if one.words[at][-1:] in _JOINED or one.words[at + 1][:1] in _JOINED:
        return value
    if one.row["note"] == "kinds" and value in _words():
        return _words()[value][lang]
    return _found(value, lang, depth + 1)


def _filled(text: str, values: list[str]) -> str:
    return PLACE.sub(lambda place: values[int(place[1])], text)


def _is_english(text: str) -> bool:
    """Whether a text has three English words in a row outside quotes."""
    return _ENGLISH.search(_QUOTED.sub("", text)) is not None
