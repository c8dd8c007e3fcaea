"""Apply modifications to a World, and find all faults where some of them are invalid."""

from __future__ import annotations

from collections.abc import Iterable

from landbridge.errors import Fault, did_you_mean
from landbridge.scenario.change import Change
from landbridge.scenario.fields import Modification
from landbridge.scenario.registry import verb_columns
from landbridge.scenario.verbs import verb_of
from landbridge.world.names import fold

__all__ = ["do", "try_all"]


def do(change: Change, modification: Modification, *, only_model: bool = False) -> None:
    """Apply one modification; after a fault the tables are unchanged.

    change: the World under change, which takes the faults; modification: a verb and its keys; only_model:
    apply only changes of the model.
    """
    verb = verb_of(modification.verb)
    function = verb.apply_to_model if only_model else verb.apply
    if function is not None:
        function(change, modification)


def try_all(change: Change, modifications: Iterable[Modification], clean: Iterable[bool]) -> list[Fault]:
    """Every fault that can be found although some modifications are invalid.

    change: the World under change; modifications: of a scenario; clean: which modifications were read without
    a fault. Those are applied; for the others the names are looked up. Names that an invalid modification
    would have made are accepted.
    """
    listed = list(zip(modifications, clean, strict=True))
    new = {name for m, fine in listed if not fine for name in _made(m)}
    for m, fine in listed:
        named = {
            fold(str(name))
            for key, value in m.values.items()
            if verb_columns()[m.verb][key].references is not None and value is not None
            for name in (value if isinstance(value, tuple) else (value,))
        }
        if fine and not named & new:
            do(change, m)
        else:
            _look_up(change, m, new)
            # What it would have made is missing for later ones.
            new |= _made(m)
    return change.faults


def _made(m: Modification) -> set[str]:
    return {fold(str(name)) for name in verb_of(m.verb).makes(m) if name}


def _look_up(change: Change, m: Modification, new: set[str]) -> None:
    """Faults of names unknown to the tables, without changing anything."""
    columns = verb_columns()[m.verb]
    for key, value in m.values.items():
        target = columns[key].references
        if value is None or target is None:
            continue
        for name in value if isinstance(value, tuple) else (value,):
            if fold(str(name)) in new:
                continue
            known = change.network[target[0]].by(target[1])
            if columns[key].type == "place":
                change.place(m, key)
            elif target[0] == "gateways":
                change.resolve(m, key, "gateway", str(name))
            elif name not in known:
                cure = did_you_mean(name, known) or f"{target[0]}.csv lists them"
                change.faults.append(m.fault(key, f"no {key} {name!r}", cure))
