"""Net present value, internal rate of return, switching values, and the choice of a set by enumeration."""

from __future__ import annotations

import math
import random
from itertools import combinations

import pytest

from landbridge.errors import DataError
from landbridge.studies.appraisal import (
    MOST_CANDIDATES,
    Flow,
    Members,
    plan_value,
    plans,
    range_of_value,
    terms,
    window,
)


def flow_of(cost: float | None, benefit: float, years: int = 1, life: int = 2, growth: float = 0.0) -> Flow:
    return Flow(cost, benefit, years, life, growth)


def test_the_value_of_a_case_done_by_hand() -> None:
    # -100, 60, 60 at 10 %: 54.545... + 49.586... - 100.
    flow = flow_of(100.0, 60.0)
    assert flow.npv(0.10) == pytest.approx(60.0 / 1.1 + 60.0 / 1.21 - 100.0, abs=1e-12)
    # 60 x + 60 x^2 = 100 with x = 1 / (1 + r).
    x = (-60.0 + math.sqrt(60.0**2 + 4.0 * 60.0 * 100.0)) / 120.0
    assert flow.irr() == pytest.approx(1.0 / x - 1.0, abs=1e-12)


def test_cost_is_spent_before_the_opening_and_the_benefit_begins_with_it() -> None:
    flow = flow_of(100.0, 70.0, years=2, life=3, growth=0.02)
    rate = 0.08
    by_year = [-50.0, -50.0, *(70.0 * 1.02**t for t in (2, 3, 4))]
    assert flow.npv(rate) == pytest.approx(sum(v / (1.0 + rate) ** t for t, v in enumerate(by_year)))
    assert flow.npv(0.0) == pytest.approx(sum(by_year))


def test_a_perpetuity_is_worth_its_benefit_over_the_rate() -> None:
    assert flow_of(100.0, 9.0, life=200).irr() == pytest.approx(0.09, abs=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_laws_of_a_project_that_costs_first_and_pays_later(seed: int) -> None:
    draw = random.Random(seed)
    cost, benefit = draw.uniform(1.0, 5000.0), draw.uniform(1.0, 500.0)
    flow = flow_of(cost, benefit, draw.randint(1, 10), draw.randint(5, 60), draw.uniform(0.0, 0.03))
    rates = [r / 100.0 for r in range(31)]
    values = [flow.npv(r) or 0.0 for r in rates]
    # Per USD spent the value always falls with the rate; spread over years, a loss alone may shrink with it.
    of_spending = [value / flow.spent(r) for value, r in zip(values, rates, strict=True)]
    assert of_spending == sorted(of_spending, reverse=True)
    gains = [value for value in values if value > 0.0]
    assert gains == sorted(gains, reverse=True) and values[: len(gains)] == gains
    irr = flow.irr()
    if irr is None:
        return
    assert flow.npv(irr) == pytest.approx(0.0, abs=1e-6 * cost)
    rate = draw.uniform(0.02, 0.15)
    assert (irr > rate) == ((flow.npv(rate) or 0.0) > 0.0)
    at_cost, at_benefit = flow.switching_cost(rate), flow.switching_benefit(rate)
    assert at_cost is not None and at_benefit is not None
    for switched in (
        Flow(at_cost, benefit, flow.years_before, flow.life_years, flow.growth),
        Flow(cost, at_benefit, flow.years_before, flow.life_years, flow.growth),
    ):
        assert switched.npv(rate) == pytest.approx(0.0, abs=1e-8 * max(at_cost, cost))


def test_values_that_do_not_exist_are_none() -> None:
    assert flow_of(100.0, -5.0).irr() is None and flow_of(100.0, 0.0).irr() is None
    assert flow_of(100.0, 0.001).irr() is None
    unknown = flow_of(None, 5.0)
    assert unknown.npv(0.09) is None and unknown.irr() is None and unknown.switching_benefit(0.09) is None
    assert unknown.switching_cost(0.09) is not None and flow_of(None, -5.0).switching_cost(0.09) is None
    assert range_of_value([unknown], 0.06, 0.12) is None


def test_the_range_holds_the_ends_and_losses_too() -> None:
    flow = flow_of(100.0, 20.0, life=10)
    low, high = range_of_value([flow], 0.06, 0.12) or (0.0, 0.0)
    assert (low, high) == (flow.npv(0.12), flow.npv(0.06))
    loss = flow_of(1.0, -20.0, life=10)
    assert range_of_value([loss], 0.06, 0.12) == (loss.npv(0.06), loss.npv(0.12))


# -- the choice of a set -------------------------------------------------------------------------------

RATE = 0.09
# One year of benefit after one year of cost would pay 100 / 1.09: lives of 40 years make 10.757 of a benefit.
FLOWS = {
    "bridge": flow_of(1000.0, 60.0, life=40),  # -355 alone
    "road": flow_of(500.0, 30.0, life=40),  # -177 alone
    "port": flow_of(800.0, 90.0, life=40),  # +168
    "rival": flow_of(700.0, 80.0, life=40),  # +161
}
SOLVED: dict[Members, float] = {
    frozenset(("bridge", "road")): 200.0,  # together 110 more than alone: +651
    frozenset(("port", "rival")): 100.0,  # the same freight: 70 less than alone
    frozenset(("bridge", "port")): 150.0,
    frozenset(("bridge", "rival")): 140.0,
    frozenset(("road", "port")): 120.0,
    frozenset(("road", "rival")): 110.0,
}


@pytest.mark.parametrize(
    ("budget", "members"),
    [
        (400.0, set()),
        (700.0, {"rival"}),
        (1000.0, {"port"}),
        (1500.0, {"bridge", "road"}),
        (2200.0, {"bridge", "road", "rival"}),
        (9000.0, {"bridge", "road", "port"}),
    ],
)
def test_the_best_set_is_the_one_known_by_enumeration(budget: float, members: set[str]) -> None:
    assert plans(FLOWS, SOLVED, RATE, budget)[0].members == members


def test_every_set_within_the_budget_is_listed_once_and_none_above() -> None:
    found = plans(FLOWS, SOLVED, RATE, 1500.0)
    every = [frozenset(s) for n in range(5) for s in combinations(FLOWS, n)]
    paid = {s for s in every if sum(FLOWS[m].cost_musd or 0.0 for m in s) <= 1500.0}
    assert {plan.members for plan in found} == paid and len(found) == len(paid)
    values = [plan.npv_musd for plan in found]
    assert values == sorted(values, reverse=True)


def test_a_pair_counts_while_both_are_in_service() -> None:
    flows = {"early": flow_of(10.0, 5.0, 1, 10), "late": flow_of(10.0, 5.0, 4, 10)}
    both = frozenset(flows)
    alone = sum(flow.npv(RATE) or 0.0 for flow in flows.values())
    plan = plan_value(flows, {both: 13.0}, RATE, both)
    assert plan.exact and plan.benefit_musd == pytest.approx(13.0)
    assert plan.npv_musd == pytest.approx(alone + 3.0 * window(4, 11, RATE))


def test_a_solved_set_of_three_replaces_the_sum_of_its_pairs() -> None:
    three = frozenset(("bridge", "road", "port"))
    guess, solved = (plan_value(FLOWS, known, RATE, three) for known in (SOLVED, {**SOLVED, three: 300.0}))
    assert not guess.exact and guess.benefit_musd == pytest.approx(290.0)
    assert solved.exact and solved.benefit_musd == 300.0
    assert solved.npv_musd - guess.npv_musd == pytest.approx(10.0 * window(1, 41, RATE))


def test_rates_and_numbers_of_projects_are_checked() -> None:
    with pytest.raises(DataError) as caught:
        terms(200.0, (-1.0, 12.0), 50.0)
    assert [fault.where for fault in caught.value.faults] == ["rate", "rate-low", "growth"]
    with pytest.raises(DataError, match="not between 12 and 6"):
        terms(9.0, (12.0, 6.0), 0.0)
    many = {f"P{n}": flow_of(1.0, 1.0) for n in range(MOST_CANDIDATES + 1)}
    with pytest.raises(DataError, match="could be chosen"):
        plans(many, {}, RATE, 5.0)
