"""The second-order term: exact in the limit, and worth having on shocks of the size of a corridor."""

from __future__ import annotations

import numpy as np
import pytest

import landbridge as lb
from landbridge.errors import DataError
from landbridge.trade import solve
from test_equilibrium import small
from test_wage_newton import random_one_sector


@pytest.mark.parametrize("closure", ["fixed", "zero", "proportional"])
def test_what_is_left_is_of_third_order(closure: str) -> None:
    table = small()
    rng = np.random.default_rng(3)
    cost = np.exp(rng.uniform(-0.3, 0.3, (6, 6, 3)))
    lift = np.exp(rng.uniform(-0.1, 0.1, (6, 3)))
    base = solve(table, 0.95 + 0.05 * np.eye(6), deficits=closure, tol=1e-13)
    left = []
    for share in (0.2, 0.1):
        shock = {
            "cost_hat": cost**share,
            "productivity_hat": lift**share,
            "tariff": base.tariff * (1 - 0.5 * share),
        }
        there = solve(
            table,
            shock["cost_hat"] * (0.95 + 0.05 * np.eye(6))[:, :, None],
            shock["tariff"],
            shock["productivity_hat"],
            deficits=closure,
            tol=1e-13,
        )
        exact = np.log(there.real_income_hat / base.real_income_hat)
        first = base.linear_response(**shock)
        left.append(np.abs(exact - first - base.second_order(**shock)).max())
        assert left[-1] < 0.2 * np.abs(exact - first).max()
    assert left[1] < 0.16 * left[0]  # an eighth


def test_with_elastic_supply() -> None:
    table = random_one_sector(2)
    base = solve(table, supply_elasticity=0.9)
    cost = 0.97 + 0.03 * np.eye(5)
    exact = np.log(solve(table, cost, supply_elasticity=0.9).real_income_hat)
    first = base.linear_response(cost)
    assert np.abs(exact - first - base.second_order(cost)).max() < 0.1 * np.abs(exact - first).max()


def test_a_corridor_of_the_embedded_world() -> None:
    """Five and ten percent off the costs between China and Central Asia."""
    table = lb.load().trade
    base = solve(table)
    inside = [n for n, code in enumerate(table.regions) if code in ("CHN", "KAZ", "KGZ", "TJK", "TKM", "UZB")]
    for off in (0.95, 0.9):
        cost = np.ones((len(table.regions),) * 2)
        cost[np.ix_(inside, inside)] = off
        np.fill_diagonal(cost, 1.0)
        exact = np.log(solve(table, cost).real_income_hat)
        first = base.linear_response(cost)
        both = first + base.second_order(cost)
        assert np.abs(exact - first)[inside].max() > 1e-4
        assert (np.abs(exact - both)[inside] < np.abs(exact - first)[inside]).all()


def test_nothing_and_infinity() -> None:
    base = solve(small())
    assert not base.second_order().any()
    with pytest.raises(DataError, match="infinite"):
        base.second_order(np.full((6, 6), np.inf))
