"""The encoding and the separator of a text table: found from its bytes if they are unambiguous, else
refused.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable
from itertools import islice

from landbridge.errors import DataError, Fault
from landbridge.world.table import quoted

__all__ = ["SEPARATORS", "decode", "looks_like", "separator"]

# Separators of cells, with their names in messages.
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
    (b"\x84\x31\x95\x33", "gb18030", "GB18030"),
)
_UTF8 = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}",
)
# Letters and signs outside ASCII that form words; blanks, dashes and apostrophes separate them.
_WORD = re.compile(r"(?:[A-Za-z]|[^\x00-\x7f\u00a0’–—])+")
# Signs that surround words in any language.
_SIGNS = "«»„“”‘’‚–—…№°§©®™•€·±µ²³\u00a0"
# Share of words that must be plausible in the language of an encoding.
_PLAUSIBLE = 0.9
_SAVE = "save it as UTF-8 (in a spreadsheet: CSV UTF-8)"


def decode(raw: bytes, shown: str) -> tuple[str, str]:
    """The text of a file, without its byte-order mark, and the name of its encoding.

    raw: the bytes; shown: name of the file in faults. UTF-8, UTF-16 and UTF-32 are certain; GB18030,
    windows-1251 and windows-1252 are accepted where the words are plausible in only one of them.
    Raises DataError where the file is binary, damaged, or in an encoding that cannot be determined.
    """
    try:
        return _decoded(raw)
    except _UnreadableError as no:
        raise DataError("the coding cannot be read", [Fault(shown, no.what, no.cure)]) from None


def looks_like(raw: bytes) -> str:
    """For messages, the likely encoding of raw bytes that are not UTF-8: "looks like UTF-16, not UTF-8"."""
    try:
        return f"looks like {_decoded(raw)[1]}, not UTF-8"
    except _UnreadableError as no:
        return no.what


class _UnreadableError(Exception):
    """What is wrong with the bytes, and the cure."""

    def __init__(self, what: str, cure: str = _SAVE) -> None:
        super().__init__(what)
        self.what, self.cure = what, cure


def _decoded(raw: bytes) -> tuple[str, str]:
    coding, name = next(
        ((coding, name) for mark, coding, name in _MARKS if raw.startswith(mark)), ("utf-8", "UTF-8")
    )
    if coding == "utf-8" and b"\0" in raw:
        coding, name = _without_mark(raw)
    try:
        text = raw.decode(coding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if name != "UTF-8" or raw.startswith(codecs.BOM_UTF8):
            raise _UnreadableError(
                f"is {name} with damaged bytes, at byte {error.start + 1:,} first"
            ) from None
        return _eight_bits(raw, error.start)
    if "\0" in text:
        raise _UnreadableError("is binary", "give a table of text")
    return text, name


def _without_mark(raw: bytes) -> tuple[str, str]:
    """UTF-16 without a byte-order mark: ASCII signs have a zero in one byte of every pair."""
    half = len(raw) // 2
    first, second = raw[0::2].count(0), raw[1::2].count(0)
    if second >= 0.2 * half and first <= 0.01 * half:
        return "utf-16-le", "UTF-16"
    if first >= 0.2 * half and second <= 0.01 * half:
        return "utf-16-be", "UTF-16"
    raise _UnreadableError("is binary", "give a table of text")


def _eight_bits(raw: bytes, at: int) -> tuple[str, str]:
    """Text in an encoding older than UTF-8; at: the first byte that is not UTF-8."""
    high = sum(byte >= 0x80 for byte in raw)
    if sum(map(len, _UTF8.findall(raw))) >= 0.8 * high:
        line = raw.count(b"\n", 0, at) + 1
        raise _UnreadableError(f"is UTF-8 with damaged bytes, in line {line:,} first")
    found = _readings(raw, _KNOWN)
    names = " or ".join(name for _, name in found)
    if len({text for text, _ in found}) > 1:
        raise _UnreadableError(f"is not UTF-8 and can be {names}")
    if found:
        return found[0][0], names
    rare = " or ".join(
        name for text, name in _readings(raw, _RARE) if any(c.isalpha() and not c.isascii() for c in text)
    )
    tried = ", ".join(name for _, name, _ in _KNOWN)
    raise _UnreadableError(f"is not UTF-8, and looks like {rare or f'none of {tried}'}")


def _readings(
    raw: bytes, codings: Iterable[tuple[str, str, Callable[[str], float]]]
) -> list[tuple[str, str]]:
    found = []
    for coding, name, share in codings:
        try:
            text = raw.decode(coding)
        except UnicodeDecodeError:
            continue
        if share(text) >= _PLAUSIBLE:
            found.append((text, name))
    return found


def _alike(word: str) -> bool:
    """True for a word in small letters, in capitals, or with one capital in front."""
    return word.islower() or word.isupper() or (word[0].isupper() and word[1:].islower())


def _words(text: str, good: Callable[[str], bool]) -> float:
    """Share of plausible words among the words and signs outside ASCII."""
    words = {word for word in _WORD.findall(text) if not word.isascii()}
    right = 0
    for word in words:
        bare = word.strip(_SIGNS)
        right += not bare or (bare.isalpha() and good(bare))
    return right / len(words) if words else 1.0


def _cyrillic(text: str) -> float:
    def good(word: str) -> bool:
        # No word begins with a hard or soft sign, and few have one letter.
        begins = word[0].casefold() not in "ъьы" and (len(word) > 1 or word.casefold() in "авикосуя")
        return begins and all("\u0400" <= c <= "\u04ff" for c in word) and _alike(word)

    return _words(text, good)


def _latin(text: str) -> float:
    def good(word: str) -> bool:
        accented = [not c.isascii() for c in word]
        in_row = any(all(accented[k : k + 3]) for k in range(len(word) - 2))
        few = 2 * sum(accented) <= len(word) + 1
        alike = _alike(word.replace("ß", "") or word)
        return few and not in_row and alike and "ÿ" not in word and "ƒ" not in word

    return _words(text, good)


def _chinese(text: str) -> float:
    """Share of the characters outside ASCII that are in GB 2312; 0 where most of those are rare."""
    signs = {c for c in text if not c.isascii() and c not in _SIGNS}
    frequent = known = 0
    for sign in signs:
        try:
            lead = sign.encode("gb2312")[0]
        except UnicodeEncodeError:
            continue
        known += lead <= 0xA3 or lead >= 0xB0
        frequent += 0xB0 <= lead <= 0xD7
    return known / len(signs) if signs and frequent >= 0.6 * known and frequent else 0.0


_KNOWN = (
    ("gb18030", "GB18030", _chinese),
    ("cp1251", "windows-1251", _cyrillic),
    ("cp1252", "windows-1252", _latin),
)
# Signs that messages show by name only.
_RARE = (("cp866", "cp866", _cyrillic), ("koi8-r", "KOI8-R", _cyrillic), ("cp1250", "windows-1250", _latin))


def separator(text: str, shown: str) -> str:
    """The separator of the cells of a table: , ; tab or |.

    text: the table; shown: name of the file in faults. The header decides; if it has several of these signs,
    the one with the same number in every row. Raises DataError where two fit equally well.
    """
    lines = list(islice((line for line in io.StringIO(text) if line.strip()), 50))
    # An unclosed quote in the last line does not matter here.
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines] or [""]
    marks = [mark for mark in SEPARATORS if mark in bare[0]]
    if len(marks) < 2:
        return marks[0] if marks else ","
    even = [mark for mark in marks if all(line.count(mark) == bare[0].count(mark) for line in bare[1:])]
    if len(even) > 1 and len(bare) > 1:
        names = " or ".join(SEPARATORS[mark] for mark in even)
        what = f"can be separated by {names}: {quoted(lines[0].strip(), 60)}"
        cure = "put names and cells that hold such signs in double quotes"
        raise DataError("the separator of the columns is ambiguous", [Fault(f"{shown} line 1", what, cure)])
    return even[0] if even else ("," if "," in marks else marks[0])
