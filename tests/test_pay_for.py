"""Who pays: works out of taxes, transfers between regions, and who gets the tariff revenue."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import landbridge as lb
from landbridge.errors import DataError, ScenarioError
from landbridge.scenario import Scenario, apply
from landbridge.trade import TradeTable, solve


@pytest.fixture(scope="module")
def table() -> TradeTable:
    return solve(lb.load().trade).table()


def scenario(*modifications: dict[str, Any], id: str = "x") -> Scenario:
    return Scenario.from_dict({"name": "x", "modification": list(modifications)}, id)


def pays(**keys: Any) -> dict[str, Any]:
    return {"verb": "pay_for", **keys}


# -- the economy ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("deficits", ["fixed", "proportional", "zero"])
def test_works_at_home_cost_their_sum_and_move_no_price(table: TradeTable, deficits: str) -> None:
    n = table.region("KGZ")
    works = np.zeros(len(table.regions))
    works[n] = 300.0
    eq = solve(table, works=works, deficits=deficits)
    income = eq.base.income[n]
    assert eq.real_income_hat[n] == pytest.approx(1.0 - 300.0 / income, abs=1e-9)
    others = np.delete(eq.real_income_hat, n)
    np.testing.assert_allclose(others, 1.0, atol=1e-9)
    np.testing.assert_allclose(eq.price_hat, 1.0, atol=1e-9)


def test_no_works_are_the_answer_of_before(table: TradeTable) -> None:
    cost = np.random.default_rng(1).uniform(0.95, 1.05, table.trade.shape)
    none = np.zeros(len(table.regions))
    assert (solve(table, cost, works=none).real_income_hat == solve(table, cost).real_income_hat).all()


def test_works_abroad_are_a_transfer_whose_income_nobody_has(table: TradeTable) -> None:
    china, kgz = table.region("CHN"), table.region("KGZ")
    works, moved = np.zeros(len(table.regions)), np.zeros(len(table.regions))
    works[kgz], moved[china], moved[kgz] = 300.0, -300.0, 300.0
    gift = solve(table, transfer=moved)
    built = solve(table, transfer=moved, works=works)
    np.testing.assert_allclose(built.price_hat, gift.price_hat, rtol=1e-9)
    lost = 300.0 / gift.income[kgz]
    assert built.real_income_hat[kgz] == pytest.approx(gift.real_income_hat[kgz] * (1.0 - lost), rel=1e-9)
    assert gift.real_income_hat[kgz] > 1.01 > 1.0 > gift.real_income_hat[china]
    # Building there raises wages there, a small part of what a gift of the same sum is worth.
    assert 1.0 < built.real_income_hat[kgz] < 1.01


@pytest.mark.parametrize("deficits", ["fixed", "proportional"])
def test_first_order_and_gradient_with_works(table: TradeTable, deficits: str) -> None:
    works = np.full(len(table.regions), 20.0)
    works[table.region("KAZ")] = 5000.0
    base = solve(table, works=works, deficits=deficits, tol=1e-13)
    random = np.random.default_rng(3)
    way = 0.01 * random.normal(size=table.trade.shape)
    more = 10.0 * random.random(len(table.regions))
    h = 1e-3

    def at(step: float) -> np.ndarray:
        cost, spent = np.exp(step * way), works + step * more
        return np.asarray(
            solve(table, cost, works=spent, deficits=deficits, tol=1e-13, start=base).real_income_hat
        )

    central = (np.log(at(h)) - np.log(at(-h))) / (2 * h)
    response = base.linear_response(np.exp(way), works=more)
    np.testing.assert_allclose(response, central, rtol=1e-5, atol=1e-9)
    adjoint = float((base.gradient("KAZ").cost * way).sum())
    alone = base.linear_response(np.exp(way))[table.region("KAZ")]
    assert adjoint == pytest.approx(alone, rel=1e-7)
    split = base.first_order
    assert split.cost[table.region("KAZ")] == pytest.approx(-5000.0 / base.base.income[table.region("KAZ")])


def test_the_budget_may_keep_the_change_of_revenue(table: TradeTable) -> None:
    none = solve(table, tariff=np.zeros_like(table.tariff))
    kgz = table.region("KGZ")
    assert none.base.tariff_revenue[kgz] > 100.0
    # Revenue falls to nothing: a budget that still has it to spend leaves households better off.
    share = none.base.tariff_revenue / none.income
    np.testing.assert_allclose(none.revenue_kept, none.real_income_hat * (1.0 + share), rtol=1e-12)
    same = solve(table, np.full(table.trade.shape, 1.0))
    np.testing.assert_allclose(same.revenue_kept, 1.0, atol=1e-12)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, 1e12])
def test_works_that_cannot_be_paid_are_refused(table: TradeTable, bad: float) -> None:
    works = np.zeros(len(table.regions))
    works[3] = bad
    with pytest.raises(DataError, match="works") as wrong:
        solve(table, works=works)
    assert wrong.value.faults[0].cure


# -- the verb ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_railway_and_who_pays_for_it() -> None:
    world = lb.load()
    tax = scenario(pays(payer="KGZ", musd=100), id="tax")
    abroad = scenario(pays(payer="CHN", musd=100, region="KGZ"), id="abroad")
    gift = scenario(pays(payer="China", musd=100, how="transfer", region="Kyrgyzstan"), id="gift")
    study = lb.study(world, [tax, abroad, gift])
    n = world.trade.region("KGZ")
    changes = {case.id: float(case.equilibrium["fixed"].real_income_hat[n] - 1.0) for case in study.cases}
    income = study.base.equilibrium["fixed"].base.income[n]
    assert changes["tax"] == pytest.approx(-100.0 / income, rel=1e-4)
    assert changes["gift"] > 50.0 / income > changes["abroad"] > changes["tax"]
    notes = " ".join(study["abroad"].notes) + " ".join(study["tax"].notes) + " ".join(study["gift"].notes)
    for part in (
        "CHN pays 100 million USD a year out of taxes for works in KGZ",
        "for works at home",
        "as income",
    ):
        assert part in notes, notes
    row = next(r for r in study["tax"].to_json()["real_income"] if r["region"] == "KGZ")
    assert row["percent"] == pytest.approx(100.0 * changes["tax"])
    assert row["percent_revenue_kept"] == pytest.approx(row["percent"], rel=1e-3)


def test_every_fault_of_payers_is_told() -> None:
    bad = scenario(
        pays(payer="KGS", musd=10),
        pays(payer="KGZ", musd=30_000),
        pays(payer="CA5", musd=10),
        pays(payer="CHN", musd=10, how="transfer"),
        pays(payer="CHN", musd=10, how="transfer", region="CHN"),
    )
    with pytest.raises(ScenarioError) as wrong:
        apply(lb.load(), bad)
    told = [str(fault) for fault in wrong.value.faults]
    for part in ("'KGS'", "30,000", "is a group", "is the payer"):
        assert any(part in line for line in told), (part, told)
    assert len(told) == 5 and all(fault.cure for fault in wrong.value.faults)
    with pytest.raises(ScenarioError, match="musd"):
        scenario(pays(payer="KGZ"))


def test_works_in_a_small_country_may_exceed_its_own_income_and_sums_add_up() -> None:
    world = lb.load()
    kgz = world.trade.region("KGZ")
    much = 1.5 * float(world.trade.income[kgz])
    after = apply(world, scenario(pays(payer="CHN", musd=much, region="KGZ")))
    table = solve(world.trade).table()
    eq = solve(table, transfer=after.policy.transfer, works=after.policy.works)
    assert eq.status.converged and np.isfinite(eq.real_income_hat).all()
    half = 0.6 * float(world.trade.income[kgz])
    with pytest.raises(ScenarioError) as wrong:
        apply(world, scenario(pays(payer="KGZ", musd=half), pays(payer="KGZ", musd=half + 1.0)))
    assert "modification 2" in wrong.value.faults[0].where and "left" in wrong.value.faults[0].what
    with pytest.raises(DataError, match="a base cannot hold works"):
        lb.study(after, [])


@pytest.mark.slow
def test_what_is_spent_on_works_is_not_consumed() -> None:
    """A transfer that is spent and one that pays for works at home differ in every row of consumption."""
    world = lb.load()
    spent, built = (
        lb.run(
            world, scenario({"verb": "pay_for", "payer": "CHN", "region": "KGZ", "musd": 200.0, "how": how})
        )
        for how in ("transfer", "tax")
    )
    keys = "percent", "consumption_percent", "discounted_percent"
    one, two = (
        next(r for r in each.closure_rows if (r["factors"], r["region"]) == ("capital", "KGZ"))
        for each in (spent, built)
    )
    gaps = [one[key] - two[key] for key in keys]
    # 200 million are nine tenths of a percent of Kyrgyz income, and more of consumption.
    assert 0.8 < gaps[0] < 1.0 and gaps[1] > gaps[0] and gaps[2] > gaps[0]
