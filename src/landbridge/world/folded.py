"""Names without case, accents, spaces and punctuation, so that spellings of one name are equal."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["LONGEST", "fold"]

# Longer texts are no names; what they fold to is not kept.
LONGEST = 100


def fold(text: str) -> str:
    """A name without case, accents, spaces or punctuation: Xi'an, Xian and XI’AN are one name.

    text: the name.
    """
    return _folded(text) if len(text) <= LONGEST else _fold(text)


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return re.sub(r"[\W_]+", "", "".join(c for c in plain if not unicodedata.combining(c))).casefold()


_folded = lru_cache(maxsize=1 << 15)(_fold)
