"""The scenario in a body: read from TOML or JSON within limits, and checked against the World.

A body names no file: `extends` accepts only scenarios that come with landbridge.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from landbridge.errors import Fault
from landbridge.io.toml_text import read_toml
from landbridge.scenario import Scenario, apply, bundled
from landbridge.server.exchange import Refusal
from landbridge.server.guard import MOST_BODY, too_large
from landbridge.world import World

__all__ = [
    "MOST_LINKS",
    "MOST_MODIFICATIONS",
    "TYPES",
    "check_encoding",
    "check_type",
    "json_of",
    "scenario_of",
]

TYPES = ("application/json", "application/toml")
# Limits of a scenario: changes in all, links and places added, texts.
MOST_MODIFICATIONS, MOST_LINKS, MOST_PAIRS, _LONGEST_NAME, _LONGEST_TEXT = 200, 50, 50, 200, 5_000
_ADDS = ("add_link", "add_place", "add_pipeline")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_type(header: str | None) -> str:
    """The media type of a body by its header Content-Type, None where that is absent.

    Raises Refusal for another than JSON or TOML.
    """
    kind, _, rest = (header or "").partition(";")
    kind, rest = kind.strip().casefold(), rest.strip().casefold().replace('"', "")
    if kind not in TYPES:
        what = f"is {kind[:60]!r}" if kind else "is missing"
        raise Refusal.of(415, "header Content-Type", what, "send " + " or ".join(TYPES))
    if rest not in ("", "charset=utf-8"):
        raise Refusal.of(415, "header Content-Type", "names another encoding", "send UTF-8")
    return kind


def check_encoding(header: str | None) -> None:
    """Raises Refusal for a compressed body: its size is known only once it is unpacked.

    header: Content-Encoding, None where it is absent.
    """
    if header is not None and header.casefold() not in ("", "identity"):
        raise Refusal.of(415, "header Content-Encoding", f"is {header[:40]!r}", "send the body as it is")


def scenario_of(body: bytes, kind: str, world: World) -> Scenario:
    """The scenario in a body, applied once to find its faults.

    body: UTF-8; kind: media type; world: the base. Its id is made from its content. Raises Refusal for a body
    that is too large or cannot be read, ScenarioError with every fault of the scenario.
    """
    if len(body) > MOST_BODY:
        raise too_large()
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal.of(400, f"body, byte {error.start}", "is not UTF-8", "save it as UTF-8") from None
    document = (json_of if kind == TYPES[0] else _toml)(text)
    _check_limits(document)
    scenario = Scenario.from_dict(document, "posted", "scenario", world=world)
    _check_size(scenario)
    apply(world, scenario)
    canonical = json.dumps(scenario.to_dict(), sort_keys=True)
    return replace(scenario, id="posted-" + hashlib.sha256(canonical.encode()).hexdigest()[:12])


def _unreadable(where: str, error: str) -> Refusal:
    return Refusal.of(400, where, f"is no valid JSON: {error[:200]}", "correct the line named")


def json_of(text: str) -> Any:
    """A text as JSON values. Raises Refusal where it is no JSON, holds NaN or names a key twice."""

    def refuse(number: str) -> Any:
        raise Refusal.of(400, "body", f"holds {number}, which is no number", "give a number")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise Refusal.of(400, "body", "has the same key twice in one object", "keep one")
        return found

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=once)
    except RecursionError:
        raise _unreadable("body", "is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"body, line {error.lineno}", error.msg) from None
    except ValueError as error:  # a number of thousands of digits
        raise _unreadable("body", str(error)) from None


def _toml(text: str) -> Any:
    try:
        return read_toml(text)
    except ValueError as error:
        raise Refusal.of(400, "body", str(error)[:240], "correct the line named; text needs quotes") from None


def _check_limits(document: Any) -> None:
    """Refuse a document that is no table, that names a file, or whose texts are too long for a table."""
    if not isinstance(document, Mapping):
        raise Refusal.of(400, "body", "is not a table of keys", "give name and modification")
    faults: list[Fault] = []
    extends = document.get("extends")
    if extends is not None and extends not in bundled():
        cure = "name a scenario of /api/scenarios, or send its changes too"
        faults.append(Fault("scenario, extends", "is no scenario that comes with landbridge", cure))
    for key, most in (("name", _LONGEST_NAME), ("description", _LONGEST_TEXT), ("base", _LONGEST_NAME)):
        text = document.get(key)
        if isinstance(text, str) and len(text) > most:
            faults.append(Fault(f"scenario, {key}", f"has {len(text):,} characters", f"use at most {most:,}"))
    for where, text in _texts(document, "scenario"):
        if _CONTROL.search(text) and where != "scenario, description":
            faults.append(Fault(where, "holds a control character or a line break", "leave it out"))
    for key, most in (("modification", MOST_MODIFICATIONS), ("pairs", MOST_PAIRS), ("sources", MOST_PAIRS)):
        listed = document.get(key)
        if isinstance(listed, list) and len(listed) > most:
            faults.append(Fault(f"scenario, {key}", f"has {len(listed):,} entries", f"use at most {most}"))
    if faults:
        raise Refusal(422, "the scenario is not accepted", faults[:20])


def _texts(value: Any, where: str) -> list[tuple[str, str]]:
    """Every text and key of a document with the place where it is, without recursion."""
    found: list[tuple[str, str]] = []
    waiting = [(where, value)]
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, str):
            found.append((place, one))
        elif isinstance(one, Mapping):
            found += [(f"{place}, a key", str(key)) for key in one]
            waiting += [(f"{place}, {str(key)[:40]}", member) for key, member in one.items()]
        elif isinstance(one, list):
            waiting += [(place, member) for member in one]
    return found


def _check_size(scenario: Scenario) -> None:
    """Refuse too many changes or additions, those of the scenario that it extends included."""
    adds: Callable[[str], int] = [m.verb for m in scenario.modifications].count
    added = {verb: adds(verb) for verb in _ADDS}
    faults = [
        Fault("scenario, modification", f"{number} times {verb}", f"use at most {MOST_LINKS}")
        for verb, number in added.items()
        if number > MOST_LINKS
    ]
    if len(scenario.modifications) > MOST_MODIFICATIONS:
        what = f"has {len(scenario.modifications):,} changes, those it extends included"
        faults.append(Fault("scenario, modification", what, f"use at most {MOST_MODIFICATIONS}"))
    if faults:
        raise Refusal(422, "the scenario is not accepted", faults)
