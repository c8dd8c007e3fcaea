"""The verbs of scenarios: names, keys and the functions that apply them.

The keys of the verbs of landbridge are the `modification.*` rows of schema.csv; their functions are in
`landbridge.scenario.verbs`. Any other verb states its own keys:

    register_verb(Verb(name="speed_up", apply=speed_up, keys=(verb_key("percent", "float", unit="%"),)))

Reading, checks, the JSON Schema and the page of verbs all take the keys from `verb_columns`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from landbridge.world.table import Column, read_schema

__all__ = ["Verb", "own_verbs", "register_verb", "unregister_verb", "verb_columns", "verb_key"]

_PREFIX = "modification."
_own: dict[str, Verb] = {}


def _no_names(modification: Any) -> Iterable[object]:
    return ()


# Other names of verbs.
ALIASES = {"change_border": "change_gateway", "close_border": "close_gateway"}


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb of a scenario.

    name: as a scenario writes it. apply(change, modification): changes the tables of a `Change` and adds
    faults to it. apply_to_model: the same for the part that a base shares with its scenarios, None where
    there is none. makes: names of places and links that a modification adds, so that later ones may use them.
    keys: of a verb from outside landbridge; those of landbridge are in schema.csv.
    """

    name: str
    apply: Callable[[Any, Any], None]
    apply_to_model: Callable[[Any, Any], None] | None = None
    makes: Callable[[Any], Iterable[object]] = _no_names
    keys: tuple[Column, ...] = ()


def verb_key(
    name: str,
    type: str,
    description: str = "",
    *,
    unit: str = "",
    required: bool = True,
    default: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    allowed: tuple[str, ...] = (),
    references: tuple[str, str] | None = None,
) -> Column:
    """One key of a verb from outside landbridge, as a column of the schema.

    name: the key; type: float, change (a number, { multiply = } or { add = }), bool, scalar, ids (a code or a
    list) or str; description, unit: for pages and messages; required, default: whether it must be given, else
    its value; minimum, maximum: bounds in the unit; allowed: valid words; references: table and column with
    the valid names, as in schema.csv.
    """
    return Column(
        table=_PREFIX,
        name=name,
        type=type,
        unit=unit,
        required=required,
        default=default,
        minimum=minimum,
        maximum=maximum,
        allowed=allowed,
        references=references,
        description=description,
        since="",
    )


def register_verb(verb: Verb) -> None:
    """Register a verb, so that scenarios may use it in this process.

    Raises ValueError where its name is taken.
    """
    if verb.name in (*verb_columns(), *ALIASES):
        raise ValueError(f"there is a verb {verb.name!r} already")
    _own[verb.name] = verb


def unregister_verb(name: str) -> None:
    """Remove a verb that `register_verb` added.

    name: of the verb. Verbs of landbridge stay, and an unknown name changes nothing.
    """
    _own.pop(name, None)


def own_verbs() -> Mapping[str, Verb]:
    """The registered verbs by name."""
    return _own


def verb_columns() -> dict[str, Mapping[str, Column]]:
    """The keys of every verb, by verb: those of schema.csv, then those of registered verbs."""
    known = {n.removeprefix(_PREFIX): c for n, c in read_schema().items() if n.startswith(_PREFIX)}
    return {**known, **{name: {key.name: key for key in verb.keys} for name, verb in _own.items()}}
