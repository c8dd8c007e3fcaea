"""Exceptions of the library, faults with a place and a cure, and the status of a solve.

Every exception carries the documented exit code of the command line. Every fault names a place (file, row or
key) and a cure, so that a message can be acted on without reading the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

__all__ = [
    "ConvergenceError",
    "DataError",
    "Fault",
    "InfeasibleError",
    "LandbridgeError",
    "ScenarioError",
    "Status",
    "did_you_mean",
]

# Control characters except tab and line feed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it is, what is wrong and how to correct it.

    where: file, row or argument; what: is wrong; cure: how to correct it.
    Control characters of a user's cell are escaped, so that none reaches a terminal.
    """

    where: str
    what: str
    cure: str = ""

    def __post_init__(self) -> None:
        for part in fields(self):
            text = getattr(self, part.name)
            if not text.isprintable():
                object.__setattr__(self, part.name, _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text))

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" -> {self.cure}" if self.cure else "")

    def text(self, lang: str = "en") -> str:
        """The fault as `str` gives it, in a language.

        lang: en, ru or zh. Names, files, keys and figures stay as they are, and so does a text that the table
        of translations does not hold. Raises KeyError for an unknown language.
        """
        from landbridge.error_texts import translated

        # A place of one word is the name of a key, an argument or a file.
        where = translated(self.where, lang, where=True) if " " in self.where else self.where
        what, cure = translated(self.what, lang), translated(self.cure, lang)
        return f"{where}: {what}" + (f" -> {cure}" if cure else "")


class LandbridgeError(Exception):
    """Base of all errors raised for a user's input.

    message: what was not done, in one line. faults: every fault that was found.
    """

    exit_code = 1

    def __init__(self, message: str, faults: Iterable[Fault] = ()) -> None:
        self.message = message
        self.faults = tuple(faults)
        super().__init__(message)

    def __str__(self) -> str:
        return self.text()

    def text(self, lang: str = "en") -> str:
        """The message and its faults, a line each, as `str` gives them, in a language.

        lang: en, ru or zh. Raises KeyError for an unknown language.
        """
        from landbridge.error_texts import translated

        return "\n".join([translated(self.message, lang), *(f"  - {one.text(lang)}" for one in self.faults)])


class DataError(LandbridgeError):
    """A table, a file or an argument is invalid (exit code 3).

    message, faults: as of `LandbridgeError`.
    """

    exit_code = 3


class ScenarioError(DataError):
    """A scenario refers to something that does not exist or is not allowed (exit code 3).

    message, faults: as of `LandbridgeError`.
    """


class ConvergenceError(LandbridgeError):
    """A solve stopped before its residual was small enough; no result is given (exit code 4).

    message, faults: as of `LandbridgeError`.
    """

    exit_code = 4


class InfeasibleError(LandbridgeError):
    """The problem as stated has no solution (exit code 5).

    message, faults: as of `LandbridgeError`.
    """

    exit_code = 5


@dataclass(frozen=True)
class Status:
    """How a solve ended.

    converged: whether the residual met the tolerance; residual: relative; iterations: number of steps;
    message: one sentence, with a cure where one is needed; rebase: largest relative change of wages, prices
    or sales when the base is solved without a shock (0 for a table whose markets clear under the closure).
    """

    converged: bool
    residual: float
    iterations: int
    message: str
    rebase: float = 0.0

    def as_json(self) -> dict[str, object]:
        """The public fields as every `--json` output prints them."""
        return {
            "converged": self.converged,
            "residual": self.residual,
            "iterations": self.iterations,
            "message": self.message,
            "rebase": self.rebase,
        }

    @staticmethod
    def worst(statuses: Iterable[Status]) -> Status:
        """The status to report for several solves: a failed one first, else the largest residual.

        statuses: those of the solves, none allowed. Returns one Status whose rebase is the largest of all.
        """
        found = list(statuses)
        if not found:
            return Status(True, 0.0, 0, "nothing to solve")
        worst = max(found, key=lambda s: (not s.converged, s.residual))
        return replace(worst, rebase=max(s.rebase for s in found))


def did_you_mean(word: str, known: Iterable[str], most: int = 3) -> str:
    """A cure that suggests the nearest known words; an empty string when none is near.

    Words of which a part begins as typed come first, then those of a like spelling. word: as typed; known:
    valid words; most: number of suggestions at most. Case is ignored.
    """
    import difflib

    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(name.casefold(), name)
    wanted = word.strip().casefold()
    near = [name for name in folded if _begins_a_part(wanted, name)] if len(wanted) >= _LEAST_PART else []
    near += difflib.get_close_matches(word.casefold(), list(folded), n=most, cutoff=0.6)
    found = list(dict.fromkeys(near))[:most]
    return "did you mean " + " or ".join(repr(folded[n]) for n in found) + "?" if found else ""


# Letters that a part of a name shares with what was typed, at least.
_LEAST_PART = 3


def _begins_a_part(wanted: str, name: str) -> bool:
    return any(part.startswith(wanted) for part in re.split(r"[-_ ]", name))
