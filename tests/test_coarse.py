"""The two-level step: whole regions solved for together on the way to an equilibrium."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import landbridge as lb
from landbridge.trade import Carriage, TradeTable, coarse, solve
from landbridge.trade.economy import Closure, Economy, Shock
from landbridge.trade.solver import prepare

CLOSURES: tuple[Closure, ...] = ("fixed", "zero", "proportional")


@pytest.fixture(scope="module")
def table() -> TradeTable:
    """The embedded table: tariffs, inputs, and rents in energy and ores."""
    return lb.load().trade


def _economy(table: TradeTable, closure: Closure, psi: float = 0.0) -> Economy:
    return Economy(prepare(table), Shock(), closure, psi)


def _levels(economy: Economy) -> np.ndarray:
    """Moves of all prices, of all spending, of the wage of one region, of output of one fixed factor."""
    base = economy.base
    N, S, m = base.N, base.S, base.m
    Z = np.zeros((base.size, base.size - 2 * m + 2 * N))
    for n in range(N):
        for k in range(2):
            Z[k * m + n + N * np.arange(S), k * N + n] = 1.0
    rest = np.arange(base.size - 2 * m)
    Z[2 * m + rest, 2 * N + rest] = 1.0
    return Z


@pytest.mark.parametrize("closure", CLOSURES)
@pytest.mark.parametrize("psi", [0.0, 0.7])
def test_many_directions_are_one_at_a_time(table: TradeTable, closure: Closure, psi: float) -> None:
    cost = np.random.default_rng(5).uniform(0.9, 1.1, table.trade.shape)
    eq = solve(table, cost, deficits=closure, supply_elasticity=psi)
    du = np.random.default_rng(6).normal(size=(len(eq._u), 4))
    found = coarse.answers(eq._economy, eq._point, du)
    for direction, answer in zip(du.T, found.T, strict=True):
        np.testing.assert_allclose(answer, eq._economy.push(eq._point, direction).u, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("closure", CLOSURES)
def test_moves_of_whole_regions_are_found_at_once(table: TradeTable, closure: Closure) -> None:
    """step((1 - J) Z c) = Z c, to single precision on the way and to double in linear solves."""
    economy = _economy(table, closure)
    Z = _levels(economy)
    moved = Z @ np.random.default_rng(7).normal(size=Z.shape[1])
    left = moved - economy.push(economy.evaluate(economy.start()), moved).u
    steps = coarse.of_base(economy)
    np.testing.assert_allclose(steps.step(left), moved, atol=1e-11)
    np.testing.assert_allclose(steps.towards(left), moved, atol=1e-4)


def test_the_way_back_is_the_transpose(table: TradeTable) -> None:
    steps = coarse.of_base(_economy(table, "proportional", 0.5))
    u, v = np.random.default_rng(8).normal(size=(2, len(steps.scale)))
    assert v @ steps.step(u) == pytest.approx(steps.back(v) @ u, rel=1e-10)


def test_rents_and_payments_take_hardly_more_evaluations(table: TradeTable) -> None:
    """Passing the equations alone takes 26 evaluations, 33 with both; see benchmarks/economy.py."""
    rng = np.random.default_rng(9)
    N, S = len(table.regions), len(table.sectors)
    cost = rng.uniform(0.99, 1.0, table.trade.shape)
    paid = 3e-5 * rng.random((N, N, 2, N))
    paid[np.arange(N), np.arange(N)] = 0.0
    carriage = Carriage("TTS", np.arange(S) % 2, np.ones((N, N, S)), paid, 0.2 * paid)
    plain = solve(replace(table, rent_share=np.zeros_like(table.rent_share)), cost)
    both = solve(table, cost, carriage=carriage)
    assert plain.status.iterations <= 17 and both.status.iterations <= 1.3 * plain.status.iterations
    alone = Economy(prepare(table), both._economy.shock, "fixed")
    np.testing.assert_allclose(alone.evaluate(both._u).f, 0.0, atol=1e-10)


def test_the_steps_change_the_way_and_not_the_answer(
    table: TradeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where trade of one country costs ten times as much, for which the base is no guide."""
    own = np.arange(len(table.regions))
    mild = np.random.default_rng(9).uniform(0.97, 1.03, table.trade.shape)
    alone = np.ones(table.trade.shape)
    alone[table.region("PAK")], alone[:, table.region("PAK")] = 10.0, 10.0
    alone[own, own] = 1.0
    with_steps = [solve(table, cost, deficits="proportional", tol=1e-12) for cost in (mild, alone)]
    monkeypatch.setattr(coarse, "applies", lambda base: False)
    for eq, cost in zip(with_steps, (mild, alone), strict=True):
        passes = solve(replace(table), cost, deficits="proportional", tol=1e-12)
        assert eq.status.message == passes.status.message
        np.testing.assert_allclose(eq.real_income_hat, passes.real_income_hat, rtol=1e-11)
    assert with_steps[0].status.iterations < 25


def test_single_cells_and_many_regions_have_no_levels(table: TradeTable) -> None:
    one = TradeTable.armington(np.ones((3, 3)) + 9.0 * np.eye(3), 5.0)
    many = TradeTable.armington(np.ones((120, 120)), 5.0)
    assert coarse.applies(prepare(table))
    assert not coarse.applies(prepare(one)) and not coarse.applies(prepare(many))
    assert len(coarse.of_base(_economy(one, "fixed")).solved) == 0
