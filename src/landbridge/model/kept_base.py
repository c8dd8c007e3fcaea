"""A base kept between solves, for scenarios that come one after another.

A scenario that changes numbers only - hours, money, tariffs, productivities - uses the routes of its base, so
that neither the routes nor the base are made again. The results are the same to the digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared, differs
from landbridge.results import Results
from landbridge.scenario import Scenario
from landbridge.transport.routes.base_set import align_with_base
from landbridge.world import World

__all__ = ["Case", "KeptBase"]


@dataclass(frozen=True, eq=False)
class Case:
    """A solved case. first: Results of the base of the World; base, number: what the case was solved against,
    and the number of its graph there; result: of the case.
    """

    first: Results
    base: SolvedBase
    number: int
    result: Results


class KeptBase:
    """The base of one World and the case solved last, kept by a process that solves many scenarios of it."""

    def __init__(self) -> None:
        self._base: SolvedBase | None = None
        self._last: tuple[str, Case] | None = None

    def forget(self) -> None:
        """Keep nothing any more, which frees memory."""
        self._base = self._last = None

    def base_for(self, world: World, changed: Sequence[tuple[World, World]]) -> SolvedBase | None:
        """The base of a study whose scenarios use its routes, with these; None where routes are searched.

        world: the base; changed: for each scenario the World of its base and its own, one at most.
        Raises as `SolvedBase`.
        """
        self._last = None
        after = changed[0][1] if changed else world
        if any(own.hash != world.hash for own, _ in changed) or len(changed) > 1:
            return None
        if after.policy.no_transit != world.policy.no_transit or after.policy.no_transit_of:
            return None
        if self._base is None or self._base.world.hash != world.hash:
            self._base = None  # or it would stay in memory while the next is solved
            if differs(*align_with_base([world, after])[0]):
                return None
            # The second place is that of the scenario: a World on the same routes takes it.
            self._base = SolvedBase(Prepared([world, world]), world, 0, throw=True)
        try:
            return self._base.beside(self._base.common.under([self._base.world, after]))
        except ValueError:  # another network: its routes are searched
            return None

    def last(self, world: World, scenario: Scenario) -> Case | None:
        """This very case where it was the last one, else None; world: with the changes of the scenario."""
        known = self._last is not None and self._last[0] == _key(world, scenario)
        return self._last[1] if self._last is not None and known else None

    def keep(self, world: World, case: Case) -> None:
        """Keep a solved case until another is asked for; world: with the changes of its scenario."""
        assert case.result.scenario is not None
        self._last = _key(world, case.result.scenario), case


def _key(world: World, scenario: Scenario) -> str:
    return f"{world.hash} {scenario.id} {scenario.to_dict()!r}"
