"""Own data against those of another World: what they change, as a scenario of that World."""

from __future__ import annotations

from dataclasses import dataclass, replace

from landbridge.phrases import say
from landbridge.scenario import Scenario, edited_data
from landbridge.scenario.edited import MOVABLE, onto
from landbridge.world import World
from landbridge.world.difference import Difference, differences

__all__ = ["Against", "against"]


@dataclass(frozen=True, eq=False)
class Against:
    """An edited World as a change of a base.

    base: the World that is solved first, with the files of the edited one, whose sources are named too;
    scenario: the change; found: the figures that differ.
    """

    base: World
    scenario: Scenario
    found: tuple[Difference, ...]


def against(edited: World, base: World, id: str, of: str = "") -> Against:
    """The change from a base to an edited World.

    edited: with own figures in tables of transport; base: with which it is compared; id: of the scenario; of:
    the base in words, the data of the package where blank. Trade, demand and what is fitted to them are those
    of the base. Raises ScenarioError with every table that cannot be a change of the base.
    """
    onto(base, edited)
    found = tuple(one for one in differences(base, edited) if one.table in MOVABLE)
    # The ends of a range go with their figure.
    figures = [one for one in found if not one.column.endswith(("low_h", "high_h"))]
    name = say("edited.name", n=len(figures or found), against=of or say("edited.embedded"))
    sources = dict.fromkeys(str(one.row["source"]) for one in found if one.row.get("source"))
    scenario = replace(edited_data(edited, id, name), sources=tuple(sources))
    return Against(replace(base, files=edited.files), scenario, found)
