"""One modification: a verb and its keys, typed and bounded by the `modification.*` rows of schema.csv."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from landbridge.errors import Fault, did_you_mean
from landbridge.scenario.registry import ALIASES, verb_columns
from landbridge.world.table import Column

__all__ = ["ALIASES", "Modification", "Move", "out_of_bounds", "verb_columns"]


@dataclass(frozen=True)
class Move:
    """A change of one number: to a value, by a factor, or by an amount.

    how: set, multiply or add.
    """

    how: str
    amount: float

    def of(self, old: float) -> float:
        """The number after the change, given the number before, in the same unit.

        old: that number.
        """
        if self.how == "multiply":
            return old * self.amount
        if self.how == "add":
            return old + self.amount
        return self.amount

    def to_json(self) -> float | dict[str, float]:
        """The change as written in a scenario."""
        return self.amount if self.how == "set" else {self.how: self.amount}


@dataclass(frozen=True)
class Modification:
    """A verb with its values by key: text, numbers, truth values, `Move`s, or tuples of texts.

    where: its name in faults.
    """

    verb: str
    values: Mapping[str, Any]
    where: str = field(compare=False)

    @staticmethod
    def read(keys: Mapping[str, Any], where: str) -> tuple[Modification | None, list[Fault]]:
        """Type one [[modification]] of a scenario. Returns it, None for an unknown verb, and all its faults.

        keys: as in the scenario; where: its name in faults.
        """
        written = keys.get("verb")
        verbs = verb_columns()
        if not isinstance(written, str):
            return None, [Fault(where, "has no verb", "write verb = one of " + ", ".join(verbs))]
        verb = ALIASES.get(written, written)
        if verb not in verbs:
            cure = did_you_mean(written, [*verbs, *ALIASES]) or "use one of " + ", ".join(verbs)
            return None, [Fault(f"{where}, verb", f"no verb {written!r}", cure)]
        columns = verbs[verb]
        where = f"{where} {written}"
        faults: list[Fault] = []
        values: dict[str, Any] = {}
        for key, value in keys.items():
            if key == "verb":
                continue
            if key not in columns:
                cure = did_you_mean(key, columns) or "use " + ", ".join(columns)
                faults.append(Fault(where, f"no key {key!r} for {verb}", cure))
                continue
            values[key], fault = _typed(columns[key], value, f"{where}, {key}")
            if fault:
                faults.append(fault)
        for key, column in columns.items():
            if key in keys:
                continue
            if column.default:
                usual: Any = (column.default,) if column.type == "ids" else column.default
                values[key] = column.default == "yes" if column.type == "bool" else usual
            elif column.required:
                faults.append(Fault(where, f"{key} is missing", f"{key}: {column.description}"))
        return Modification(verb, values, where), faults

    def to_dict(self) -> dict[str, Any]:
        """The modification as written in a scenario, defaults included."""
        out: dict[str, Any] = {"verb": self.verb}
        for key, value in self.values.items():
            if isinstance(value, Move):
                out[key] = value.to_json()
            elif isinstance(value, tuple):
                out[key] = value[0] if len(value) == 1 else list(value)
            else:
                out[key] = value
        return out

    def get(self, key: str) -> Any:
        """The value of a key; None where it is not given."""
        return self.values.get(key)

    def at_cost(self) -> Modification | None:
        """The modification without a change of price; None where nothing else changes."""
        left = {k: v for k, v in self.values.items() if k not in ("cost_usd", "cost_factor", "money")}
        moves = any(isinstance(v, Move) for v in left.values()) or {"status", "electrified"} & set(left)
        return replace(self, values=left) if moves else None

    def fault(self, key: str, what: str, cure: str) -> Fault:
        """A fault at one key of this modification; what: is wrong; cure: what to write instead."""
        return Fault(f"{self.where}, {key}", what, cure)


def _typed(column: Column, value: Any, where: str) -> tuple[Any, Fault | None]:
    """The value of one key by its type in the schema, or its fault."""
    if column.type in ("float", "change"):
        return _number(column, value, where)
    read, cure = _READERS.get(column.type, (_text, "give a text in quotes"))
    found = read(value)
    if found is None:
        return None, Fault(where, f"is {value!r}", cure)
    if column.allowed and read is _text and found not in column.allowed:
        cure = did_you_mean(found, column.allowed) or "use one of " + ", ".join(column.allowed)
        return None, Fault(where, f"is {value!r}", cure)
    return found, None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else {"yes": True, "no": False}.get(str(value))


def _scalar(value: Any) -> Any:
    """A word, or a finite number; None where it is neither."""
    if isinstance(value, str):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)
    return value if number else None


def _ids(value: Any) -> tuple[str, ...] | None:
    listed = value if isinstance(value, list) else [value]
    return tuple(listed) if listed and all(_text(v) is not None for v in listed) else None


# Per type: the reader of a value, which returns None for an invalid one, and the cure.
_READERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "bool": (_bool, "write true or false"),
    "scalar": (_scalar, "give a number, or a word in quotes"),
    "ids": (_ids, "give a code in quotes, or a list of them"),
}


def _number(column: Column, value: Any, where: str) -> tuple[Any, Fault | None]:
    """A float, or for a column of type `change` a Move: 12, { multiply = 0.5 } or { add = -6 }."""
    how = "set"
    if column.type == "change" and isinstance(value, Mapping):
        if len(value) != 1 or next(iter(value)) not in ("multiply", "add"):
            return None, Fault(where, f"is {dict(value)!r}", "write { multiply = 0.5 } or { add = -6 }")
        how, value = next(iter(value.items()))
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        unit = f" in {column.unit}" if column.unit else ""
        more = ", { multiply = 0.5 } or { add = -6 }" if column.type == "change" else ""
        return None, Fault(where, f"is {value!r}", f"give a number{unit}{more}")
    number = float(value)
    if how == "multiply" and number < 0:
        return None, Fault(where, f"multiplies by {number:g}", "give a factor of at least 0")
    if how == "set":
        fault = out_of_bounds(column, number, where)
        if fault:
            return None, fault
    return (Move(how, number) if column.type == "change" else number), None


def _finite(value: int | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer too large for a float
        return False


def out_of_bounds(column: Column, number: float, where: str) -> Fault | None:
    """A fault where a number is outside the bounds of its column, else None; where: place of the fault."""
    unit = f" {column.unit}" if column.unit else ""
    if column.minimum is not None and number < column.minimum:
        return Fault(where, f"is {number:g}{unit}", f"must be at least {column.minimum:g}{unit}")
    if column.maximum is not None and number > column.maximum:
        return Fault(where, f"is {number:g}{unit}", f"must be at most {column.maximum:g}{unit}")
    return None
