"""Messages of errors in Russian and Chinese: error_texts.csv holds them by their English text.

The English text of the source is the key, as in gettext: a row of the table is a text with {0}, {1} ... for
what varies. A finished English text is looked up as it is, then by the row whose words it has; of several
the one around another text holds, then the one with the most letters. A text without a row stays in English.
What is in a place stays as it is, since it may be a name or a file of a user, unless the whole of it is a row
without places, or a mark says what the place has:

- {0:text}: a text of the table, or a list;
- {0:list}: names joined by "or" or "and", of which only these words change;
- {0:kind}: a word for a kind of thing, or a list of such words: a row with the note `word`;
- {0:name}: such words, or a name that stays;
- {0:number}: a figure alone.

Rows with the note `where` are for the place of a fault, which has no others. A text that a row fits in two
ways, since a name has its words too, stays in English. Nothing in quotes is translated. The table is read
when the first text is asked for.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from landbridge.phrases import LANGUAGES, Phrase, Words

__all__ = ["translated"]

# A place in a text of the table, and its mark.
_PLACE = re.compile(r"\{(\d)(?::([a-z]+))?\}")
# Longer texts hold a file or a list of a user: they stay as they are. A printed line ends before.
_LONGEST = 600
# Texts inside a text.
_DEEPEST = 4
# Letters of a row that is of one text only, and of one with more than a short word.
_SURE, _LEAST = 5, 3
# A piece of an English sentence.
_ENGLISH = re.compile(r"(?:^|\s)[a-z]{2,}(?: [a-z]{2,}){2,}")
# A quoted text; a sign inside a word, as in "a reader's", opens and closes none.
_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|`[^`]*`")
# A key before what it is.
_KEY = re.compile(r"[a-z]\w*: ")
_NUMBER = re.compile(r"-?[0-9][0-9.,e+-]{0,20}")
# Signs that make one word of what is before and after them.
_JOINED = tuple("._<>/")
# What joins names in a list, and a name: quoted, or of one word.
_JOINT = re.compile(r"(, | or | and )")
_JOINTS = {
    " or ": {"ru": " или ", "zh": "或"},
    " and ": {"ru": " и ", "zh": "和"},
    ", ": {"ru": ", ", "zh": ", "},
}
_ITEM = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|[^\s'\"`]+")
_CLAUSES = {"ru": "; ", "zh": "；"}


@dataclass(frozen=True)
class _Row:
    """A text with places: its words between them, the marks of these, and the row of the table."""

    words: tuple[str, ...]
    marks: tuple[str, ...]
    row: dict[str, str]

    @cached_property
    def letters(self) -> int:
        """Letters of its words."""
        return sum(map(str.isalpha, "".join(self.words)))

    @cached_property
    def quotes(self) -> bool:
        """Whether it has a place between its own quotes."""
        return any("{" in found for found in _QUOTED.findall(self.row["en"]))

    def fits(self, text: str) -> list[str] | None:
        """What stands in the places of a text; None where it is another text."""
        if not (text.startswith(self.words[0]) and text.endswith(self.words[-1])):
            return None
        if any(word not in text for word in self.words):
            return None
        inside = set() if self.quotes else _inside(text)
        return self._from(text, 0, len(self.words[0]), inside, set())

    def _from(
        self, text: str, place: int, start: int, inside: set[int], failed: set[tuple[int, int]]
    ) -> list[str] | None:
        """What stands in the places from one on, which begins at `start`; its words are not inside quotes."""
        if place == len(self.marks):
            return [] if start == len(text) else None
        if (place, start) in failed:
            return None
        word, free = self.words[place + 1], not _is_bounded(self.marks[place])
        last = place + 1 == len(self.marks)
        end = len(text) - len(word) if last else text.find(word, start)
        while start <= end:
            if (
                end not in inside
                and end + len(word) not in inside
                and _may_be(self.marks[place], text[start:end])
            ):
                rest = self._from(text, place + 1, end + len(word), inside, failed)
                if rest is not None:
                    return None if self._is_twofold(place, rest) else [text[start:end], *rest]
            # The first words that fit are as good as later ones, but for places that hold certain values.
            if last or (not free and end - start > _LONGEST_BOUNDED):
                break
            end = text.find(word, end + 1)
        failed.add((place, start))
        return None

    def _is_twofold(self, place: int, rest: list[str]) -> bool:
        """Whether the words after a place come again in the next, so that a name may hold them."""
        word = self.words[place + 1]
        if not rest or any(self.marks[place : place + 2]) or not any(map(str.isalpha, word)):
            return False
        return word in _QUOTED.sub("", rest[0])


# Letters of a list of kinds at most.
_LONGEST_BOUNDED = 80


def _is_bounded(mark: str) -> bool:
    return mark in ("number", "kind")


def _may_be(mark: str, value: str) -> bool:
    """Whether a place with a mark may hold a value."""
    if mark == "number":
        return _NUMBER.fullmatch(value) is not None
    return mark != "kind" or all(part in _words() for part in _JOINT.split(value)[::2])


def _inside(text: str) -> set[int]:
    """Positions between the quotes of a text."""
    return {at for found in _QUOTED.finditer(text) for at in range(found.start() + 1, found.end())}


@cache
def _rows() -> tuple[dict[str, str], ...]:
    """The rows of the table, by column: en, note, ru and zh."""
    text = files("landbridge").joinpath("error_texts.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def _whole() -> dict[str, dict[str, str]]:
    return {row["en"]: row for row in _rows() if not _PLACE.search(row["en"]) and row["note"] != "word"}


@cache
def _words() -> dict[str, dict[str, str]]:
    """Kinds of things, by their word. Only places for a kind have them: columns have such names too."""
    return {row["en"]: row for row in _rows() if row["note"] == "word"}


@cache
def _with_places(where: bool) -> tuple[_Row, ...]:
    """The rows with places, those of most letters first; where: only those of the place of a fault."""
    found = []
    for row in _rows():
        parts = _PLACE.split(row["en"])
        if len(parts) > 1 and (row["note"] == "where") == where:
            found.append(_Row(tuple(parts[::3]), tuple(mark or "" for mark in parts[2::3]), row))
    return tuple(sorted(found, key=_rank))


def _rank(one: _Row) -> tuple[bool, bool, int, int]:
    """Of the rows that fit a text the first holds.

    A row around another text comes before the rows of that text, and one without a first word, of a short
    word, comes last; else that of most letters.
    """
    around = "text" in one.marks and bool(one.words[0] or one.words[-2].endswith(": "))
    short = one.letters < _LEAST and not one.words[0]
    return not around, short, -one.letters, -sum(map(len, one.words))


def translated(text: str, lang: str, *, where: bool = False) -> str:
    """A message of an error in a language; what the table does not hold stays in English.

    text: in English, as an error has it; lang: en, ru or zh; where: the text is the place of a fault, which
    may be a user's file. Raises KeyError for an unknown language.
    """
    if lang not in LANGUAGES:
        raise KeyError(lang)
    return text if lang == "en" else _found(text, lang, where, 0)


def _found(text: str, lang: str, where: bool, depth: int) -> str:
    if isinstance(text, Phrase):
        return Words(lang).of(text)
    if len(text) > _LONGEST or depth > _DEEPEST or not text.strip():
        return text
    whole = _whole().get(text)
    if whole is not None:
        return whole[lang]
    clauses = [_whole().get(part) for part in text.split("; ")]
    if all(clauses):
        return _CLAUSES[lang].join(row[lang] for row in clauses if row)
    for one in _with_places(where):
        values = one.fits(text)
        if values is None:
            continue
        inner = [_value(one, at, value, lang, where, depth) for at, value in enumerate(values)]
        # A row of a word or two fits many texts: not one whose other words would stay in English.
        if where or one.letters >= _SURE or not any(map(_is_english, inner)):
            return _filled(one.row[lang], inner)
    return text if where else _of_parts(text, lang, depth)


def _of_parts(text: str, lang: str, depth: int) -> str:
    """A text that no row fits: a key with its text, several texts, or a list of names."""
    key = _KEY.match(text)
    if key is not None:
        return key[0] + _found(text[key.end() :], lang, False, depth + 1)
    inside = _inside(text)
    cuts = [found.start() for found in re.finditer("; ", text) if found.start() not in inside]
    if cuts:
        starts, ends = [0, *(cut + 2 for cut in cuts)], [*cuts, len(text)]
        parts = [text[start:end] for start, end in zip(starts, ends, strict=True)]
        return _CLAUSES[lang].join(_found(part, lang, False, depth + 1) for part in parts)
    return _list(text, lang)


def _list(text: str, lang: str) -> str:
    """A list of quoted names and single words with "or" and "and" in a language; another text as it is."""
    inside, start, parts = _inside(text), 0, []
    for found in _JOINT.finditer(text):
        if found.start() not in inside:
            parts += [text[start : found.start()], found[0]]
            start = found.end()
    parts.append(text[start:])
    if not all(_ITEM.fullmatch(item) for item in parts[::2]):
        return text
    return "".join(_JOINTS[part][lang] if at % 2 else part for at, part in enumerate(parts))


def _value(one: _Row, at: int, value: str, lang: str, where: bool, depth: int) -> str:
    """What is in a place of a row, in a language as far as the place has a mark."""
    mark = one.marks[at]
    if mark in ("kind", "name"):
        parts = _JOINT.split(value)
        if not _may_be("kind", value):
            return value
        return "".join(_JOINTS[p][lang] if n % 2 else _words()[p][lang] for n, p in enumerate(parts))
    if mark == "text":
        return _found(value, lang, where, depth + 1)
    if mark == "list":
        return _list(value, lang)
    # A part of a word, as the name of a file, is no text.
    if one.words[at][-1:] in _JOINED or one.words[at + 1][:1] in _JOINED:
        return value
    whole = _whole().get(value)
    return value if whole is None else whole[lang]


def _filled(text: str, values: list[str]) -> str:
    return _PLACE.sub(lambda place: values[int(place[1])], text)


def _is_english(text: str) -> bool:
    """Whether a text has three English words in a row outside quotes."""
    return _ENGLISH.search(_QUOTED.sub("", text)) is not None
