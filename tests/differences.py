"""Difference quotients of an outcome of the whole chain, for tests of its derivative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.model.waits import solve_waits
from landbridge.scenario import Scenario
from landbridge.studies.movable import Lens, Number
from landbridge.trade.welfare import outcome_value
from landbridge.world import World

__all__ = ["differences", "solved_tightly"]


@contextmanager
def solved_tightly() -> Iterator[None]:
    """Economy and waits solved to smaller residuals than in a run, whose noise a quotient would enlarge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("landbridge.model.economy_inputs._TIGHT", 1e-13)
        patch.setattr("landbridge.model.base.solve_waits", partial(solve_waits, tol=1e-12))
        yield


def differences(
    lens: Lens, numbers: Sequence[Number], steps: Sequence[float], halvings: int = 0, *, falling: bool = False
) -> list[float]:
    """Derivatives of the log outcome by numbers, from solves of the chain on both sides of each.

        D_h = (f(h) - f(-h)) / 2h;  2 D_h/2 - D_h;  (8 D_h/4 - 6 D_h/2 + D_h) / 3

    steps: the largest h of each number. halvings: 0, 1 or 2, for the three formulas. The second and third
    have no error in h, which a quotient has where the curvature is another on each side; the third has none
    in h2. falling: from the side of smaller numbers alone, D_h = (f(0) - f(-h)) / h.
    """
    result, origin = lens.result, lens.origin
    known = [origin.worlds[n] for n in dict.fromkeys((origin.base, origin.number))]
    signs = (-1.0,) if falling else (1.0, -1.0)
    all_steps = np.outer(steps, 0.5 ** np.arange(halvings + 1))
    pairs = zip(numbers, all_steps.tolist(), strict=True)
    moved = [number.moved(sign * h) for number, own in pairs for h in own for sign in signs]
    base = SolvedBase(Prepared([*known, *moved]), known[0], 0, throw=True)
    scenario = result.scenario or Scenario("moved", "moved", ())
    equilibrium = result.equilibrium[result.closure]

    def log_outcome(world: World, number: int) -> float:
        income = base.income(world, number, scenario, result.load)
        assert income is not None
        return float(np.log(outcome_value(lens.outcome, equilibrium.base, income, income, equilibrium.trade)))

    values = [log_outcome(world, number) for number, world in enumerate(moved, len(known))]
    found = np.array(values).reshape(*all_steps.shape, len(signs))
    if falling:
        quotient = (np.log(lens.value) - found[:, :, 0]) / all_steps
    else:
        quotient = (found[:, :, 0] - found[:, :, 1]) / (2.0 * all_steps)
    weights = ((1.0,), (-1.0, 2.0), (1.0 / 3.0, -2.0, 8.0 / 3.0))[halvings]
    return [float(one) for one in quotient @ np.array(weights)]
