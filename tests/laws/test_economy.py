"""Laws that every solved economy obeys, on random economies with sectors, inputs, tariffs and deficits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from landbridge.errors import InfeasibleError
from landbridge.trade import TradeTable, solve

CLOSURES = ("fixed", "zero", "proportional")
law = settings(max_examples=25, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
closures = st.sampled_from(CLOSURES)


def random_table(
    seed: int,
    tariffs: bool = True,
    linked: bool = True,
    one_sector: bool = False,
    clears: bool = True,
) -> TradeTable:
    """Gravity-like flows with noise, so that deficits exist but no region lends more than it earns."""
    rng = np.random.default_rng(seed)
    N, S = int(rng.integers(2, 7)), 1 if one_sector else int(rng.integers(2, 5))
    size = np.exp(rng.normal(0, 1, N))
    trade = size[:, None, None] * size[None, :, None] * np.exp(rng.normal(0, 0.4, (N, N, S)))
    k = np.arange(N)
    # Some pairs do not trade, but every region sells something to the next, or zero deficits cannot be.
    gone = rng.random((N, N, S)) < 0.1
    gone[k, (k + 1) % N, 0] = False
    trade[gone] = 0
    home = rng.uniform(0.5, 0.9, (N, S))
    abroad = trade.sum(axis=0) - trade[k, k]
    trade[k, k] = abroad * home / (1 - home) + 0.1 * size[:, None]
    tariff = rng.uniform(0, 0.3, (N, N, S)) * (rng.random((N, N, S)) < 0.7) * tariffs
    tariff[k, k] = 0
    value_added = rng.uniform(0.4, 0.8, (N, S)) if linked else np.ones((N, S))
    inputs = rng.dirichlet(np.ones(S), (N, S)).transpose(0, 2, 1)
    table = TradeTable(
        [f"R{n}" for n in range(N)],
        [f"S{s}" for s in range(S)],
        1000 * trade,
        tariff,
        value_added,
        inputs,
        rng.dirichlet(3 * np.ones(S), N),
        rng.uniform(1.5, 9, S),
    )
    if not clears:
        return table
    try:
        return solve(table).table()
    except InfeasibleError:
        assume(False)
        raise


def random_shock(table: TradeTable, seed: int, size: float = 0.2) -> dict[str, np.ndarray]:
    """Iceberg costs, tariffs and productivities, all at once."""
    rng = np.random.default_rng(seed + 1)
    N, S = table.final_share.shape
    cost = np.exp(rng.uniform(-size, size, (N, N, S)))
    cost[np.arange(N), np.arange(N)] = 1
    tariff = np.maximum(0, table.tariff + rng.uniform(-size, size, (N, N, S)) / 2)
    return {
        "cost_hat": cost,
        "tariff": tariff,
        "productivity_hat": np.exp(rng.uniform(-size, size, (N, S)) / 3),
    }


@law
@given(seeds, closures, st.booleans())
def test_no_change_is_one(seed: int, closure: str, clears: bool) -> None:
    table = random_table(seed, clears=clears)
    eq = solve(table, deficits=closure)
    for hat in (eq.real_income_hat, eq.wage_hat, eq.price_hat, eq.unit_cost_hat):
        assert np.abs(hat - 1).max() < 1e-12
    assert np.abs(eq.linear_response()).max() == 0
    if clears and closure == "fixed":
        assert eq.status.rebase < 1e-9
        assert eq.table() is table
    else:
        assert solve(eq.table(), deficits=closure).status.rebase < 1e-9


@law
@given(seeds, closures, st.floats(1e-6, 1e6))
def test_scaling_all_flows_changes_nothing(seed: int, closure: str, factor: float) -> None:
    table = random_table(seed)
    scaled = TradeTable(
        table.regions,
        table.sectors,
        factor * table.trade,
        table.tariff,
        table.value_added_share,
        table.input_share,
        table.final_share,
        table.theta,
    )
    shock = random_shock(table, seed)
    one = solve(table, **shock, deficits=closure, tol=1e-12)
    two = solve(scaled, **shock, deficits=closure, tol=1e-12)
    assert np.abs(one.real_income_hat - two.real_income_hat).max() < 1e-10
    assert np.abs(one.price_hat - two.price_hat).max() < 1e-10
    assert np.allclose(factor * one.trade, two.trade, rtol=1e-9, atol=0)


@law
@given(seeds, closures)
def test_budgets_and_markets_balance(seed: int, closure: str) -> None:
    table = random_table(seed)
    eq = solve(table, **random_shock(table, seed), deficits=closure)
    after = eq.table()
    world = after.value_added.sum()
    assert world == pytest.approx(table.value_added.sum(), rel=1e-9)
    assert abs(eq.deficit.sum()) < 1e-9 * world
    assert np.abs(after.deficits - eq.deficit).max() < 1e-9 * world
    assert after.imbalance < 1e-9
    assert np.allclose(after.income, eq.income, rtol=1e-9)
    assert np.allclose(after.value_added, eq.wage_hat * eq.base.value_added, rtol=1e-9)
    if closure == "fixed":
        assert np.allclose(eq.deficit, table.deficits, atol=1e-9 * world)
    if closure == "proportional":
        factor = (
            (after.value_added + eq.deficit) / after.value_added / (1 + table.deficits / table.value_added)
        )
        assert np.ptp(factor) < 1e-9
    assert ((eq.trade > 0) == (table.trade > 0)).all()


@law
@given(seeds, closures)
def test_real_wage_is_a_power_of_the_home_share(seed: int, closure: str) -> None:
    """Arkolakis, Costinot and Rodriguez-Clare (2012)."""
    table = random_table(seed, tariffs=False, linked=False, one_sector=True)
    cost = random_shock(table, seed)["cost_hat"]
    eq = solve(table, cost, deficits=closure, tol=1e-13)
    home = (eq.table().home_share / eq.base.home_share)[:, 0] ** (-1 / table.theta[0])
    assert np.abs(eq.real_wage_hat - home).max() < 1e-10
    if closure == "zero":
        assert np.abs(eq.real_income_hat - home).max() < 1e-10


@law
@given(seeds, closures)
def test_a_small_step_is_its_first_order(seed: int, closure: str) -> None:
    table = random_table(seed)
    base = solve(table, deficits=closure, tol=1e-13)
    full = random_shock(table, seed)
    misses = []
    for step in (1e-3, 5e-4):
        shock = {
            "cost_hat": full["cost_hat"] ** step,
            "tariff": table.tariff + step * (full["tariff"] - table.tariff),
            "productivity_hat": full["productivity_hat"] ** step,
        }
        eq = solve(table, **shock, deficits=closure, tol=1e-12)
        exact = np.log(eq.real_income_hat)
        misses.append(np.abs(exact - base.linear_response(**shock)).max())
        assert np.abs(exact - eq.first_order.sum).max() < 50 * step**2
    assert misses[0] < 50 * 1e-6
    assert misses[1] < 0.3 * misses[0] + 1e-11


@law
@given(seeds)
def test_the_world_gains_what_is_saved_on_the_changed_pairs(seed: int) -> None:
    table = random_table(seed, tariffs=False)
    cost = random_shock(table, seed)["cost_hat"]
    saved = -(table.trade * np.log(cost)).sum()
    gained = float(table.income @ solve(table).linear_response(cost_hat=cost))
    assert gained == pytest.approx(saved, rel=1e-8, abs=1e-9 * table.income.sum())


@law
@given(
    seeds, closures, st.sampled_from(["R0", "real_income:world", "wage:R1", "flow:R0:R1:S0"]), st.booleans()
)
def test_gradients_equal_central_differences(seed: int, closure: str, of: str, tariffs: bool) -> None:
    table = solve(random_table(seed, tariffs=tariffs), deficits=closure, tol=1e-13).table()
    assume(table.trade[0, 1, 0] > 0)
    shock = random_shock(table, seed)
    if not tariffs:
        del shock["tariff"]
    shock = {"cost_hat": shock["cost_hat"], "productivity_hat": shock["productivity_hat"]} | (
        {"tariff": shock["tariff"]} if tariffs else {"tariff": np.zeros_like(table.trade)}
    )
    eq = solve(table, **shock, deficits=closure, tol=1e-13)
    gradient = eq.gradient(of)
    assert np.asarray(gradient) is gradient.cost
    rng = np.random.default_rng(seed + 2)
    largest = max(np.abs(gradient.cost).max(), 1e-3)
    step = 1e-4
    for name in ("cost_hat", "tariff", "productivity_hat"):
        exact = {
            "cost_hat": gradient.cost,
            "tariff": gradient.tariff,
            "productivity_hat": gradient.productivity,
        }
        places = [np.unravel_index(np.abs(exact[name]).argmax(), exact[name].shape)]
        places.append(tuple(rng.integers(0, n) for n in exact[name].shape))
        for place in places:
            ends = []
            for sign in (2, 1, -1, -2):
                moved = {k: v.copy() for k, v in shock.items()}
                if name == "tariff":
                    moved[name][place] += sign * step
                else:
                    moved[name][place] *= np.exp(sign * step)
                ends.append(np.log(solve(table, **moved, deficits=closure, tol=1e-13, start=eq).outcome(of)))
            difference = (8 * (ends[1] - ends[2]) - (ends[0] - ends[3])) / (12 * step)
            assert abs(exact[name][place] - difference) < 1e-6 * largest


@law
@given(seeds, closures)
def test_backward_and_forward_derivatives_agree(seed: int, closure: str) -> None:
    table = random_table(seed)
    eq = solve(table, **random_shock(table, seed), deficits=closure, tol=1e-12)
    direction = random_shock(table, seed + 3)
    rng = np.random.default_rng(seed + 4)
    N, S = table.final_share.shape
    bars = {
        "real_income": rng.normal(size=N),
        "wage": rng.normal(size=N),
        "price": rng.normal(size=(N, S)),
        "unit_cost": rng.normal(size=(N, S)),
        "trade": rng.normal(size=(N, N, S)) / eq.income.mean(),
    }
    transfer = rng.normal(size=N)
    transfer -= transfer.mean()
    forward = eq.jvp(**direction, transfer=transfer)
    backward = eq.vjp(**bars)
    left = sum(float((bars[name] * getattr(forward, name)).sum()) for name in bars)
    right = (
        (backward.cost * np.log(direction["cost_hat"])).sum()
        + (backward.tariff * (direction["tariff"] - eq.tariff)).sum()
        + (backward.productivity * np.log(direction["productivity_hat"])).sum()
        + backward.transfer @ transfer
    )
    assert left == pytest.approx(float(right), rel=1e-8, abs=1e-9)


@law
@given(seeds, closures)
def test_two_steps_are_one(seed: int, closure: str) -> None:
    """Shocks compose: half the costs, then the rest from the table in between."""
    table = random_table(seed)
    cost = random_shock(table, seed)["cost_hat"]
    whole = solve(table, cost, deficits=closure, tol=1e-12)
    first = solve(table, np.sqrt(cost), deficits=closure, tol=1e-12)
    second = solve(first.table(), np.sqrt(cost), deficits=closure, tol=1e-12)
    assert np.abs(first.real_income_hat * second.real_income_hat - whole.real_income_hat).max() < 1e-9


@law
@given(seeds, closures, st.sampled_from(["cut", "theta 65", "near autarky"]))
def test_hard_cases_are_solved_or_refused(seed: int, closure: str, case: str) -> None:
    """Never an unconverged answer: what is returned as converged satisfies the accounts."""
    table = random_table(seed)
    rng = np.random.default_rng(seed + 5)
    N, S = table.final_share.shape
    theta = table.theta.copy()
    if case == "theta 65":
        theta[0] = 65
    hard = TradeTable(
        table.regions,
        table.sectors,
        table.trade,
        table.tariff,
        table.value_added_share,
        table.input_share,
        table.final_share,
        theta,
    )
    low, high = {"cut": (0.7, 1.0), "theta 65": (0.7, 1.3), "near autarky": (10.0, 40.0)}[case]
    cost = rng.uniform(low, high, (N, N, S))
    cost[np.arange(N), np.arange(N)] = 1
    eq = solve(hard, cost, deficits=closure, throw=False)
    if eq.status.converged:
        assert eq.status.residual <= 1e-10
        assert eq.table().imbalance < 1e-8
    else:
        assert np.isnan(eq.real_income_hat).all()
        assert "use deficits" in eq.status.message or "loosen tol" in eq.status.message
    if case == "cut":
        assert eq.status.converged
