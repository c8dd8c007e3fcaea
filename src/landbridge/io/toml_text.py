"""The document of a TOML text from anybody: a text that would take much memory or time is refused first."""

from __future__ import annotations

import re
import tomllib
from typing import Any

__all__ = ["MOST_DOTS", "read_toml"]

# The parser takes memory by the square of the parts of a dotted key; those of landbridge have three at most.
MOST_DOTS = 8
# Texts in quotes and comments. One that is not closed is taken to its end, where the parser refuses it: so
# each letter is looked at once.
_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)'
    r"|'''.*?(?:'{3,5}|\Z)"
    r'|"(?:\\[^\n]|[^"\\\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*",
    re.DOTALL,
)
_BLANKS, _BETWEEN = re.compile(r"[ \t]+"), re.compile(r"[^\w.\-]+")


def read_toml(text: str) -> dict[str, Any]:
    """The keys and values of a TOML text as a dictionary.

    Raises ValueError that says what is wrong, to be put after a name: no valid TOML, nested too deeply, or a
    key with more than MOST_DOTS dots.
    """
    for word in _BETWEEN.split(_BLANKS.sub("", _QUOTED.sub("s", text))):
        if word.count(".") > MOST_DOTS:
            raise ValueError(f"has a key with more than {MOST_DOTS} dots: {word[:40]}")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError as error:  # also a number of thousands of digits
        raise ValueError(f"is not valid TOML: {error}") from None
