"""Everyday words for what the tables name otherwise: phones are electrical goods, the Caspian has ports.

The words come with landbridge and belong to no World.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from functools import cache
from importlib.resources import files

from landbridge.world.folded import LONGEST, fold

__all__ = ["meant"]


def meant(kind: str, text: str, known: Collection[str]) -> tuple[str, ...]:
    """Identifiers that an everyday word stands for, none where no word is known.

    kind: sector, gateway or scenario; text: as typed, in English, Russian or Chinese; known: identifiers that
    exist. A text of several words means what its words mean, where they agree.
    """
    if not text.strip() or len(text) > LONGEST:
        return ()
    words = _words(kind)
    for wanted in (fold(text), fold(text).removesuffix("s")):
        if wanted in words:
            return tuple(one for one in words[wanted] if one in known)
    parts = {words[part] for part in (fold(word) for word in text.split()) if part in words}
    return tuple(one for one in parts.pop() if one in known) if len(parts) == 1 else ()


@cache
def _words(kind: str) -> dict[str, tuple[str, ...]]:
    text = files("landbridge").joinpath("data", "names", "meanings.csv").read_text(encoding="utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["kind"] == kind:
            for word in row["words"].split("|"):
                ids = found.get(fold(word), ())
                found[fold(word)] = (*ids, *(i for i in row["ids"].split("|") if i not in ids))
    return found
