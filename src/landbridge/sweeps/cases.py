"""One case of a sweep: a World with drawn numbers, its base, and real income of each scenario against it.

draw -> World -> base and scenarios on routes searched once -> real income / base [n]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, LandbridgeError
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.model.run import searches
from landbridge.results import Results
from landbridge.scenario import apply
from landbridge.sweeps.draws import drawn, moved_world
from landbridge.sweeps.plan import Plan
from landbridge.world import World

__all__ = ["Bench", "Case"]

FloatArray = NDArray[np.float64]
_NO_SOLUTION = "no solution was found"
# A draw that ends in one of these has no solution; the others go on.
_FAILS = (LandbridgeError, ArithmeticError, LookupError, ValueError, np.linalg.LinAlgError)


@dataclass(frozen=True, eq=False)
class Case:
    """What a draw gave. income: real income after / before [n] by scenario, None where there is no solution.

    index: of the draw, from 0.
    message: why, by scenario.
    """

    index: int
    income: Mapping[str, FloatArray | None]
    message: Mapping[str, str]


class Bench:
    """What the cases of a plan share: routes of all scenarios, searched once at the stated numbers.

    world: with the numbers of the data.
    Raises DataError where two scenarios give one new link or place two meanings; ConvergenceError,
    InfeasibleError where the base at the stated numbers has no solution.
    """

    def __init__(self, world: World, plan: Plan) -> None:
        self.world, self.plan = world, plan
        after = [(world, apply(world, scenario)) for scenario in plan.scenarios]
        groups = searches([world], after)
        if len(groups) > 1:
            what = "give one new link or place two meanings"
            raise DataError("no common routes", [Fault("scenarios", what, "sweep them one at a time")])
        self.common = Prepared(groups[0])
        base = SolvedBase(self.common, world, 0, throw=True)
        queues = base.results.queues
        self.slope = base.slope if queues is not None and len(queues) else None
        self.queues = 0 if queues is None else len(queues)

    def case(self, index: int) -> Case:
        """The case of one draw; a scenario without a solution says why, and nothing is raised.

        index: of the draw, from 0.
        """
        names = [scenario.id for scenario in self.plan.scenarios]
        try:
            base, worlds = self._drawn(index)
            if not base.results.status.converged:
                return _unsolved(index, names, f"base: {base.results.status.message}")
        except _FAILS as error:
            return _unsolved(index, names, f"base: {_why(error)}")
        income: dict[str, FloatArray | None] = {}
        message: dict[str, str] = {}
        for number, scenario in enumerate(self.plan.scenarios, 1):
            try:
                found = base.income(worlds[number], number, scenario)
                message[scenario.id] = "" if found is not None else _NO_SOLUTION
            except _FAILS as error:
                found, message[scenario.id] = None, _why(error)
            income[scenario.id] = found
        return Case(index, income, message)

    def solved(self, index: int, number: int) -> Results:
        """The Results of one scenario under one draw, with its routes and flows.

        index: of the draw; number: of the scenario in the plan, from 0. Raises as `landbridge.run`.
        """
        base, worlds = self._drawn(index)
        return base.case(worlds[number + 1], number + 1, self.plan.scenarios[number])

    def _drawn(self, index: int) -> tuple[SolvedBase, list[World]]:
        """The base of one draw, and the Worlds of the base and of each scenario."""
        world = moved_world(self.world, self.plan, drawn(self.plan, index))
        worlds = [world, *(apply(world, scenario) for scenario in self.plan.scenarios)]
        base = SolvedBase(self.common.under(worlds), world, 0, throw=False)
        queues = base.results.queues
        if self.slope is not None and queues is not None and len(queues) == self.queues:
            base.search_along(self.slope)
        return base, worlds


def _why(error: Exception) -> str:
    return error.message if isinstance(error, LandbridgeError) else f"{type(error).__name__}: {error}"


def _unsolved(index: int, names: list[str], message: str) -> Case:
    return Case(index, dict.fromkeys(names), dict.fromkeys(names, message))
