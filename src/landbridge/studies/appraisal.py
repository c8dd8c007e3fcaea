"""Appraisal of investments: net present value, internal rate of return, switching values, choice of a set.

A project costs C, spent evenly over the n years before its opening (years 0 to n - 1), and yields B a year of
the price year, growing at rate g, in the L years from its opening (years n to n + L - 1):

    NPV(r) = B sum_t ((1 + g) / (1 + r))^t - (C / n) sum_t (1 + r)^-t

The internal rate of return solves NPV(r) = 0. A switching value is the cost, or the benefit, at which the net
present value is zero. No value is left after the life, and nothing is spent on upkeep.
Source: Belli et al., Economic Analysis of Investment Operations (World Bank, 2001), chapters 3 and 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from landbridge.errors import DataError, Fault

__all__ = ["MOST_CANDIDATES", "Flow", "Plan", "Terms", "plan_value", "plans", "range_of_value", "terms"]

# Every subset of the candidates is listed.
MOST_CANDIDATES = 16
# Between these an internal rate of return is searched, as fractions.
_LOWEST_RATE, _HIGHEST_RATE = -0.5, 100.0
# Rates between the ends of a range at which a net present value is taken.
_RATES = 13

Members = frozenset[str]


@dataclass(frozen=True)
class Terms:
    """Rates as fractions: discount rate, its low and high end, and growth of the benefit."""

    rate: float
    low: float
    high: float
    growth: float


def terms(rate: float, ends: Sequence[float], growth: float) -> Terms:
    """The rates of an appraisal as fractions, from percentages.

    rate: discount rate [%]; ends: its low and high end [%]; growth: of the benefit [% a year].
    Returns Terms. Raises DataError with every fault.
    """
    low, high = ends
    faults = [
        Fault(name, f"is {value:g}", f"give {least:g} to {most:g} percent")
        for name, value, least, most in (
            ("rate", rate, 0.0, 100.0),
            ("rate-low", low, 0.0, 100.0),
            ("rate-high", high, 0.0, 100.0),
            ("growth", growth, -20.0, 20.0),
        )
        if not least <= value <= most
    ]
    if not faults and not low <= rate <= high:
        cure = "give a low end, a rate and a high end in this order"
        faults.append(Fault("rate", f"{rate:g} is not between {low:g} and {high:g}", cure))
    if faults:
        raise DataError("the rates are not valid", faults)
    return Terms(rate / 100.0, low / 100.0, high / 100.0, growth / 100.0)


@dataclass(frozen=True)
class Flow:
    """Cost and benefit of a project by year.

    cost_musd: of building, spent evenly over the years before opening, None where unknown. benefit_musd: a
    year at the price level and the economy of the price year. years_before: from the first spending to the
    opening [years], at least 1; life_years: years of service; growth: of the benefit from the price year, a
    fraction.
    """

    cost_musd: float | None
    benefit_musd: float
    years_before: int
    life_years: int
    growth: float = 0.0

    def worth(self, rate: float) -> float:
        """Present value of one million USD a year of benefit at a rate (a fraction)."""
        return window(self.years_before, self.years_before + self.life_years, rate, self.growth)

    def spent(self, rate: float) -> float:
        """Present value of one million USD of cost at a rate (a fraction)."""
        return window(0, self.years_before, rate) / self.years_before

    def npv(self, rate: float) -> float | None:
        """Net present value at a rate (a fraction) [million USD]; None where the cost is unknown."""
        if self.cost_musd is None:
            return None
        return self.benefit_musd * self.worth(rate) - self.cost_musd * self.spent(rate)

    def irr(self) -> float | None:
        """Internal rate of return, a fraction; None where no rate from -50 % on makes the value zero."""
        from scipy.optimize import brentq

        if self.cost_musd is None or self.benefit_musd <= 0.0:
            return None

        def value(rate: float) -> float:
            # Over the spending, so that no rate makes it large.
            return (self.npv(rate) or 0.0) / self.spent(rate)

        if value(_LOWEST_RATE) <= 0.0 or value(_HIGHEST_RATE) >= 0.0:
            return None
        return float(brentq(value, _LOWEST_RATE, _HIGHEST_RATE, xtol=1e-13, rtol=1e-13))

    def switching_cost(self, rate: float) -> float | None:
        """The cost at which the net present value is zero [million USD]; None where no cost above 0 does.

        rate: a fraction. The benefit a year times `worth` over `spent`.
        """
        found = self.benefit_musd * self.worth(rate) / self.spent(rate)
        return found if found > 0.0 else None

    def switching_benefit(self, rate: float) -> float | None:
        """The benefit a year at which the net present value is zero [million USD a year].

        rate: a fraction. The cost times `spent` over `worth`; None where the cost is unknown.
        """
        if self.cost_musd is None:
            return None
        return self.cost_musd * self.spent(rate) / self.worth(rate)


def window(start: int, end: int, rate: float, growth: float = 0.0) -> float:
    """Present value of 1 a year in the years from start to before end, growing from year 0.

    start, end: years; rate, growth: fractions. Returns a sum of years, 0 where end is not after start.
    """
    years = np.arange(start, max(end, start), dtype=np.float64)
    return float(np.sum(((1.0 + growth) / (1.0 + rate)) ** years))


def range_of_value(flows: Iterable[Flow], low: float, high: float) -> tuple[float, float] | None:
    """The lowest and highest net present value of some flows between two rates; None without a cost.

    flows: one project at several costs and benefits; low, high: rates, fractions. Returns both values
    [million USD], of the equation at the head of the module.
    """
    rates = np.linspace(low, high, _RATES)
    values = [value for flow in flows for r in rates if (value := flow.npv(float(r))) is not None]
    return (min(values), max(values)) if values else None


# -- the choice of a set -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """A set of projects with its cost, its benefit a year and its net present value.

    members: ids of the projects; cost_musd: sum of their costs [million USD]; benefit_musd [million USD a
    year]; npv_musd: net present value [million USD]. exact: whether the benefit was solved; else it is that
    of its projects and pairs.
    """

    members: Members
    cost_musd: float
    benefit_musd: float
    npv_musd: float
    exact: bool

    def __lt__(self, other: Plan) -> bool:
        """By net present value, the largest first; a smaller set before a larger one of the same value."""
        mine, its = (
            (-round(plan.npv_musd, 9), plan.cost_musd, len(plan.members), sorted(plan.members))
            for plan in (self, other)
        )
        return mine < its


def plans(
    flows: Mapping[str, Flow], solved: Mapping[Members, float], rate: float, budget_musd: float
) -> list[Plan]:
    """Every set of projects that the budget pays for, the best first, the empty one included.

    flows: of each candidate alone, with its cost; solved: benefit a year of sets that were solved [million
    USD a year], pairs at least; rate: of discount, a fraction; budget_musd: for the sum of costs [million
    USD].
    Returns Plans, as `plan_value` does: equations there. Raises DataError for more than MOST_CANDIDATES
    candidates.
    """
    if len(flows) > MOST_CANDIDATES:
        cure = f"name {MOST_CANDIDATES} at most with --projects"
        raise DataError("too many projects", [Fault("projects", f"{len(flows)} could be chosen", cure)])
    found = [
        plan_value(flows, solved, rate, members)
        for members in _subsets(list(flows))
        if sum(flows[m].cost_musd or 0.0 for m in members) <= budget_musd * (1.0 + 1e-12)
    ]
    return sorted(found)


def _subsets(names: Sequence[str]) -> Iterator[Members]:
    for size in range(len(names) + 1):
        yield from map(frozenset, combinations(names, size))


def plan_value(
    flows: Mapping[str, Flow], solved: Mapping[Members, float], rate: float, members: Members
) -> Plan:
    """The cost, benefit and net present value of one set of projects.

    Each project counts alone from its own opening. What a pair adds, B_ij - B_i - B_j, counts in the years in
    which both are in service. What a larger set adds to its projects and pairs counts while all are; 0 where
    it was not solved. Equation of the value: head of `landbridge.studies.appraisal`.
    flows, solved, rate: as in `plans`; members: of the set. Returns a Plan [million USD, benefit a year].
    """
    benefit = sum((flows[m].benefit_musd for m in members), 0.0)
    npv = sum((flows[m].npv(rate) or 0.0 for m in members), 0.0)
    for pair in map(frozenset, combinations(sorted(members), 2)):
        if pair in solved:
            more = solved[pair] - sum(flows[m].benefit_musd for m in pair)
            benefit += more
            npv += more * _joint(flows, pair, rate)
    exact = len(members) < 2 or members in solved
    if exact and len(members) > 2:
        npv += (solved[members] - benefit) * _joint(flows, members, rate)
        benefit = solved[members]
    cost = sum((flows[m].cost_musd or 0.0 for m in members), 0.0)
    return Plan(members, cost, benefit, npv, exact)


def _joint(flows: Mapping[str, Flow], members: Members, rate: float) -> float:
    """Present value of one a year while all members are in service."""
    start = max(flows[m].years_before for m in members)
    end = min(flows[m].years_before + flows[m].life_years for m in members)
    growth = max(flows[m].growth for m in members)
    return window(start, end, rate, growth)
