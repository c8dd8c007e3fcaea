"""Which scenarios a text may mean: by a part of a name, words of a title, or everyday words."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from functools import reduce

from landbridge.errors import did_you_mean
from landbridge.phrases import Words, named, say
from landbridge.world.folded import fold
from landbridge.world.meanings import meant

__all__ = ["scenario_cure"]

_MOST = 3
# Letters of a word of a title that what was typed begins with, at least.
_LEAST = 3


def scenario_cure(
    text: str,
    bundled: Sequence[str],
    projects: Sequence[str],
    read: Callable[[str], str],
    gateways: Sequence[str] = (),
) -> str:
    """What to write in place of a text that names no scenario.

    text: as typed; bundled, projects: names of scenarios; read: the TOML of one by its name; gateways:
    identifiers of gateways that could be closed instead. Returns a sentence.
    """
    titles = {name: str(tomllib.loads(read(name)).get("name", name)) for name in bundled}
    wanted = [fold(word) for word in text.replace("-", " ").split()]
    by_name: list[str] = []
    by_title: list[str] = []
    if wanted and all(len(word) >= _LEAST for word in wanted):
        by_name = [name for name in bundled if _has(wanted, name)]
        by_title = [name for name in bundled if _has(wanted, f"{name} {titles[name]}")]
    # A title that has several words says more than an everyday word, and one word less.
    found = [*by_name, *(by_title if len(wanted) > 1 else ()), *meant("scenario", text, bundled), *by_title]
    found = list(dict.fromkeys(found))[:_MOST]
    if not found:
        return did_you_mean(text, (*bundled, *projects)) or say("names.scenario.list", ids=", ".join(bundled))
    # A name that only has to be completed needs no title.
    plain = found == by_name[:_MOST]
    names = [repr(name) if plain else _with_title(name, titles[name]) for name in found]
    told = reduce(lambda first, last: say("list.or", first=first, last=last), names)
    known = meant("gateway", text, gateways)
    close = [say("names.scenario.close", gateways=", ".join(known))] if known else []
    return Words().sentences([say("names.meant", names=told), *close])


def _with_title(name: str, title: str) -> str:
    return say("names.scenario", id=repr(name), title=named("scenario", name, title))


def _has(wanted: Sequence[str], title: str) -> bool:
    words = [fold(word) for word in title.replace("-", " ").replace("(", " ").split()]
    return all(any(word.startswith(one) for word in words) for one in wanted)
