"""Value to a country of one hour, one dollar or one unit of capacity: the adjoint of the chain.

    dL = sum over arcs of (L_h dh + L_c dc + L_e de + L_v dv) + sum over gateways of L_C d ln C

with L = ln of the outcome. One transposed solve gives the derivatives by all arcs (see
`landbridge.model.adjoint`); `landbridge.transport.table_rows` maps them to the rows of tables. The largest
gains are then solved exactly, as in `landbridge.run`.

Three figures are reported: savings of all shippers at given trade, the gain at given waits, and the gain with
everything adjusting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import (
    ConvergenceError,
    DataError,
    Fault,
    InfeasibleError,
    ScenarioError,
    Status,
    did_you_mean,
)
from landbridge.model.base import Origin, SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.model.run import Progress, run
from landbridge.results import Results
from landbridge.scenario import Scenario
from landbridge.studies.movable import NUMBERS, Lens, Number
from landbridge.trade.welfare import outcome_value, parse_outcome
from landbridge.world import World

__all__ = ["CLOSURES", "TARGETS", "Sensitivity", "Worth", "sensitivity"]

FloatArray = NDArray[np.float64]

TARGETS = ("arcs", "gateways", "tariffs", "productivity", "parameters", "cells")
# Simpler rankings and the full one, in the order in which more adjusts.
CLOSURES = ("flow_usd", "routes_fixed_usd", "waits_fixed_usd", "first_order_usd")
# Number of the largest that are solved exactly.
EXACT = 10
# Smaller gains and losses are left out [USD a year].
_LEAST_USD = 1.0


@dataclass(frozen=True)
class Worth:
    """Value of one unit of something to the owners of the outcome, per year.

    id: row of a table, "exporter:importer:sector" or "region:sector"; name: in English. target: the number
    that changes, in unit. usd_per_unit_year: gain for one unit less of hours, money, tariffs and other
    numbers, or more of capacity and productivity. elasticity: percent of the outcome for one percent more of
    the number. step: change, in unit, that the next figures refer to. first_order_usd, exact_usd: its gain,
    by the derivative and solved (the largest only). waits_fixed_usd: first order with waits held. flow_usd:
    flow times saving, over all shippers. routes_fixed_usd: first order with waits and routes held. The last
    four are None where they do not apply.
    """

    id: str
    name: str
    target: str
    unit: str
    usd_per_unit_year: float
    elasticity: float | None
    step: float
    first_order_usd: float
    exact_usd: float | None
    flow_usd: float | None
    waits_fixed_usd: float | None
    routes_fixed_usd: float | None

    def row(self) -> dict[str, Any]:
        """The figures as plain values."""
        return dict(vars(self))


@dataclass(frozen=True)
class Sensitivity:
    """Everything of one kind, the largest gain first. of: the outcome; status: of the worst solve.

    worths: one a number, ranked; to: their kind, such as gateways; result: solved, to which the derivatives
    belong.
    ranks: Kendall's tau between the full ranking and the simpler ones, by target and column. closures: rows
    target, closure (a column of the ranking, in the order in which more adjusts), n, the numbers ranked, and
    spearman, the rank correlation with the full ranking (None where one ranks all alike).
    """

    worths: tuple[Worth, ...]
    of: str
    to: str
    result: Results
    status: Status
    ranks: Mapping[str, Mapping[str, float]]
    closures: tuple[Mapping[str, Any], ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per value."""
        return [worth.row() for worth in self.worths]


def sensitivity(
    study: World | Results,
    of: str = "real_income:CA5",
    to: str = "gateways",
    *,
    exact: int = EXACT,
    progress: Progress | None = None,
) -> Sensitivity:
    """Rank the value to a country of one unit of hours, money, capacity, tariffs or productivity.

    study: a World, whose base is then solved, or the Results of a base or a scenario. of: real_income:KAZ
    (KAZ for short), real_income:CA5, real_income:world, wage:KAZ or flow:CHN:KAZ:MCH. to: arcs (links of the
    network), gateways, tariffs, productivity, parameters (those that affect hours and money of the network)
    or cells (every number of its tables). exact: number of the largest that are solved exactly. progress:
    called with text and share. Gas and travel keep their values in a scenario; the base and its shares are
    fixed.
    Returns a Sensitivity. Equations: head of `landbridge.studies.sensitivity`, docs/theory/sensitivity.md.
    Raises DataError for an unknown outcome or target; ConvergenceError where a solve fails, and as
    `landbridge.run`.
    """
    if to not in TARGETS:
        cure = did_you_mean(to, TARGETS) or "use " + ", ".join(TARGETS)
        raise DataError("nothing to rank", [Fault("to", f"no target {to!r}", cure)])
    if exact < 0:
        raise DataError("nothing to solve", [Fault("exact", f"is {exact}", "give 0 or more")])
    world = study if isinstance(study, World) else study.world
    parse_outcome(of, world.trade)
    tell = progress or (lambda text, share: None)
    tell("solving the base", 0.0)
    result = run(study) if isinstance(study, World) else study
    if not isinstance(result.again, Origin):
        raise DataError(
            "no derivative", [Fault("study", "was not solved by landbridge.run", "solve it again")]
        )
    tell("differentiating the chain", 0.3)
    lens = Lens(result, of)
    numbers = [n for n in NUMBERS[to](lens) if abs(lens.gain(n, n.slopes[0])) >= _LEAST_USD]
    numbers.sort(key=lambda n: (-abs(lens.gain(n, n.slopes[0])), n.id, n.target))
    solved, statuses = _solved(lens, numbers[:exact], tell)
    worths = tuple(_worth(lens, n, solved.get(at)) for at, n in enumerate(numbers))
    tell("done", 1.0)
    status = Status.worst([result.status, *statuses])
    return Sensitivity(worths, of, to, result, status, _ranks(worths), _closures(worths))


def _worth(lens: Lens, number: Number, exact: float | None) -> Worth:
    full, held, flow, kept = number.slopes
    unit = 1.0 if number.more else -1.0
    return Worth(
        number.id,
        number.name,
        number.target,
        number.unit,
        usd_per_unit_year=unit * lens.usd * full,
        elasticity=None if number.value is None else full * number.value,
        step=number.step,
        first_order_usd=lens.gain(number, full),
        exact_usd=exact,
        flow_usd=None if flow is None else -flow * number.step,
        waits_fixed_usd=None if held is None else lens.gain(number, held),
        routes_fixed_usd=None if kept is None else lens.gain(number, kept),
    )


def _ranks(worths: Sequence[Worth]) -> dict[str, dict[str, float]]:
    """Kendall's tau of the simpler rankings with the full one, by target."""
    from scipy.stats import kendalltau

    found: dict[str, dict[str, float]] = {}
    for target in dict.fromkeys(worth.target for worth in worths):
        for column in CLOSURES[:-1]:
            both = [
                (abs(w.first_order_usd), abs(value))
                for w in worths
                if w.target == target and (value := getattr(w, column)) is not None
            ]
            if len(both) > 2:
                tau = float(kendalltau(*zip(*both, strict=True)).statistic)
                if np.isfinite(tau):  # not where all values are equal
                    found.setdefault(target, {})[column] = tau
    return found


def _closures(worths: Sequence[Worth]) -> tuple[dict[str, Any], ...]:
    """Spearman's rank correlation of every closure with the full one, by target."""
    from scipy.stats import spearmanr

    found: list[dict[str, Any]] = []
    for target in dict.fromkeys(worth.target for worth in worths):
        mine = [w for w in worths if w.target == target and w.flow_usd is not None]
        if len(mine) < 3:
            continue
        full = [abs(w.first_order_usd) for w in mine]
        for column in CLOSURES:
            values = [abs(getattr(w, column)) for w in mine]
            same = min(len(set(values)), len(set(full))) == 1
            rho = None if same else float(spearmanr(values, full).statistic)
            found.append({"target": target, "closure": column, "n": len(mine), "spearman": rho})
    return tuple(found)


# -- exact ---------------------------------------------------------------------------------------------


def _solved(lens: Lens, numbers: Sequence[Number], tell: Progress) -> tuple[dict[int, float], list[Status]]:
    """Gains of the steps of some numbers, solved [USD a year], by position in the list; and statuses."""
    origin, result = lens.origin, lens.result
    if not numbers or (result.scenario is not None and result.scenario.changes_prices):
        # Payments above cost follow from the scenario's own changes, which these numbers are not part of.
        return {}, []
    known = [origin.worlds[n] for n in dict.fromkeys((origin.base, origin.number))]
    moved: dict[int, World] = {}
    for at, number in enumerate(numbers):
        with suppress(ScenarioError):  # beyond the bounds of its table
            moved[at] = number.moved(number.step)
    common = Prepared([*known, *moved.values()])
    base = SolvedBase(common, known[0], 0, throw=False)
    if origin.phi_b != base.classes.phi_b:
        base = base.responding(origin.phi_b)
    before, statuses = lens.value, []
    if result.scenario is not None:
        found, status = _outcome(lens, base, known[-1], len(known) - 1, result.scenario)
        before, statuses = (lens.value if found is None else found), [status]
    gains: dict[int, float] = {}
    for place, (at, world) in enumerate(moved.items()):
        number = numbers[at]
        tell(f"solving {number.name}", 0.5 + 0.5 * at / len(numbers))
        label = result.scenario or Scenario(number.id, number.name, ())
        after, status = _outcome(lens, base, world, len(known) + place, label)
        statuses.append(status)
        if after is not None:
            gains[at] = lens.usd * (after / before - 1.0)
    return gains, statuses


def _outcome(
    lens: Lens, base: SolvedBase, world: World, number: int, label: Scenario
) -> tuple[float | None, Status]:
    """The outcome in a changed World; None where there is no solution."""
    result = lens.result
    equilibrium = result.equilibrium[result.closure]
    try:
        if lens.outcome.kind != "real_income":
            case = base.case(world, number, label, result.load)
            found = case.equilibrium[result.closure].outcome(lens.of) if case.status.converged else None
            return found, case.status
        income = base.income(world, number, label, result.load)
    except (ConvergenceError, InfeasibleError) as error:
        return None, Status(False, 1.0, 0, error.message)
    if income is None:
        return None, Status(False, 1.0, 0, f"{label.name}: a number's step has no solution")
    return outcome_value(lens.outcome, equilibrium.base, income, income, equilibrium.trade), result.status
