"""The verb of parameters: set_parameter."""

from __future__ import annotations

from landbridge.errors import DataError, did_you_mean
from landbridge.io.economy import read_economy
from landbridge.scenario.change import Change
from landbridge.scenario.fields import Modification
from landbridge.scenario.registry import Verb
from landbridge.world.validate import check_network

__all__ = ["VERBS"]

_VARIANTS = ("kgz_trade", "tjk_cap")


def set_parameter(change: Change, m: Modification) -> None:
    """A parameter by name; unknown ones are faults."""
    _set(change, m, only_model=False)


def set_model_parameter(change: Change, m: Modification) -> None:
    """The same for parameters of the model only."""
    _set(change, m, only_model=True)


def _set(change: Change, m: Modification, *, only_model: bool) -> None:
    table = change.network["parameters"]
    name, value = str(m.get("parameter")), m.get("value")
    row = table.by("parameter").get(name)
    if row is None:
        if not only_model:
            cure = did_you_mean(name, table.by("parameter")) or "parameters.csv lists them"
            change.faults.append(m.fault("parameter", f"no parameter {name!r}", cure))
        return
    if only_model and row["part_of"] != "model":
        return
    text = value if isinstance(value, str) else repr(value)
    new = table.with_rows({**r, "value": text} if r["parameter"] == name else r for r in table)
    faults = check_network({**change.network, "parameters": new})
    broken = [f for f in faults if f"({name})" in f.where]
    if broken:
        change.faults += [m.fault("value", f.what, f.cure) for f in broken]
        return
    change.network["parameters"] = new
    if name in _VARIANTS:
        chosen = {v: str(new.by("parameter")[v]["value"]) for v in _VARIANTS}
        try:
            change.trade = read_economy(change.before.economy_files, **chosen)
        except DataError as error:
            change.faults += error.faults


VERBS = (Verb(name="set_parameter", apply=set_parameter, apply_to_model=set_model_parameter),)
