"""The option --set of the commands that solve scenarios: parameters by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli.terminal import say
from landbridge.errors import Fault, ScenarioError, did_you_mean
from landbridge.phrases import say as phrase

if TYPE_CHECKING:
    from landbridge.world import World

__all__ = ["Settings", "settings"]

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a parameter in every scenario, as phi=2; may be repeated. "
        "`landbridge data card parameters` lists them.",
    ),
]


def settings(given: Sequence[str] | None, world: World) -> dict[str, float | str]:
    """Parameters by name; a warning on stderr for each outside its stated range.

    given: texts NAME=VALUE; world: with the parameters. Raises BadParameter for what is not NAME=VALUE,
    ScenarioError with every unknown name.
    """
    known = world.network["parameters"].by("parameter")
    found: dict[str, float | str] = {}
    faults: list[Fault] = []
    for text in given or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE, as phi=2", param_hint="--set")
        if name not in known:
            cure = did_you_mean(name, known) or "`landbridge data card parameters` lists them"
            faults.append(Fault("--set", f"no parameter {name!r}", cure))
        found[name] = _number(value)
    if faults:
        raise ScenarioError("unknown parameters", faults)
    for name, number in found.items():
        low, high = known[name]["low"], known[name]["high"]
        if isinstance(number, str) or low is None or high is None:
            continue
        if not float(low) <= number <= float(high):
            say(phrase("set.outside", name=name, value=number, low=float(low), high=float(high)))
    return found


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
