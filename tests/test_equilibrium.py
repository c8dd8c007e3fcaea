"""The solver as an object: arguments, faults, statuses, closures, derivatives by name."""

from __future__ import annotations

import gc
import pickle
import weakref

import numpy as np
import pytest

from landbridge.errors import ConvergenceError, DataError, InfeasibleError
from landbridge.trade import TradeTable, cost_hat, solve, within

REGIONS = ("CHN", "KAZ", "KGZ", "TJK", "TKM", "UZB")
SECTORS = ("AGR", "MCH", "SER")


def small(tariff: float = 0.1, home: float = 30.0, surplus: float = 1.0) -> TradeTable:
    """Six regions, three sectors, inputs and one tariff rate; CHN sells `surplus` times as much abroad."""
    rng = np.random.default_rng(7)
    N, S = len(REGIONS), len(SECTORS)
    trade = 100 * np.exp(rng.normal(0, 0.3, (N, N, S)))
    trade[0, 1:] *= surplus
    k = np.arange(N)
    trade[k, k] *= home
    t = np.full((N, N, S), tariff)
    t[k, k] = 0
    return TradeTable(
        REGIONS,
        SECTORS,
        trade,
        t,
        rng.uniform(0.4, 0.7, (N, S)),
        rng.dirichlet(np.ones(S), (N, S)).transpose(0, 2, 1),
        rng.dirichlet(3 * np.ones(S), N),
        [3.0, 5.0, 8.0],
    )


def fields(table: TradeTable) -> dict[str, object]:
    names = ("trade", "tariff", "value_added_share", "input_share", "final_share", "theta")
    return {"regions": table.regions, "sectors": table.sectors} | {n: getattr(table, n).copy() for n in names}


# ---- the table -------------------------------------------------------------------------------------


def test_accounts_of_a_table() -> None:
    table = small()
    assert table.deficits.sum() == pytest.approx(0, abs=1e-9)
    assert np.allclose(table.income, table.value_added + table.tariff_revenue + table.deficits)
    assert np.allclose(table.expenditure.sum(), table.output.sum() + table.tariff_revenue.sum())
    assert table.home_share.min() > 0.5
    assert solve(table).table().imbalance < 1e-12
    assert "6 regions x 3 sectors" in repr(table)


def test_a_table_is_read_only_and_keeps_its_own_copy() -> None:
    table = small()
    given = fields(table)
    copy = TradeTable(**given)
    given["trade"][0, 0, 0] = -1
    assert copy.trade[0, 0, 0] > 0
    with pytest.raises(ValueError, match="read-only"):
        copy.trade[0, 0, 0] = 1


def test_all_faults_at_once() -> None:
    wrong = fields(small())
    wrong["trade"][0, 1, 2] = -1
    wrong["tariff"][1, 0, 0] = -2
    wrong["theta"][1] = 0
    wrong["value_added_share"][2, 1] = 1.2
    with pytest.raises(DataError) as caught:
        TradeTable(**wrong)
    places = [fault.where for fault in caught.value.faults]
    assert places == [
        "trade[CHN, KAZ, SER]",
        "tariff[KAZ, CHN, AGR]",
        "value_added_share[KGZ, MCH]",
        "theta[MCH]",
    ]
    assert all(fault.cure for fault in caught.value.faults)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("final_share", lambda a: a * 1.1, "does not sum to 1 over sectors"),
        ("input_share", lambda a: a * 0.9, "does not sum to 1 over inputs"),
        ("trade", lambda a: a[:-1], "has shape"),
        ("trade", lambda a: a * np.nan, "is not a finite number"),
        ("trade", lambda a: np.where(np.arange(6)[:, None, None] == 2, 0, a), "has no value added"),
        (
            "trade",
            lambda a: np.where(np.arange(3) == 1, a * (np.arange(6)[:, None] != 3), a),
            "bought from nowhere",
        ),
        ("theta", lambda a: ["high", "low", "none"], "does not hold numbers"),
        ("regions", lambda a: ("CHN", *a[:-1]), "more than once"),
        ("sectors", lambda a: (), "is empty"),
    ],
)
def test_faults(name: str, change, what: str) -> None:
    wrong = fields(small())
    wrong[name] = change(wrong[name])
    with pytest.raises(DataError) as caught:
        TradeTable(**wrong)
    assert any(what in fault.what for fault in caught.value.faults)


def test_many_bad_cells_are_counted_not_listed() -> None:
    wrong = fields(small())
    wrong["trade"][:, :, 0] = -1
    with pytest.raises(DataError) as caught:
        TradeTable(**wrong)
    assert len(caught.value.faults) == 4
    assert caught.value.faults[-1].what.startswith("33 more cells")


def test_armington_wants_a_square() -> None:
    with pytest.raises(DataError, match="domestic sales"):
        TradeTable.armington(np.ones((2, 3)))
    table = TradeTable.armington([[9, 1], [1, 9]], theta=5.0)
    assert table.regions == ("R1", "R2")
    assert table.theta[0] == 5


def test_rounded_shares_are_rescaled() -> None:
    given = fields(small())
    given["final_share"] = given["final_share"] * (1 + 5e-6)
    assert np.abs(TradeTable(**given).final_share.sum(axis=1) - 1).max() < 1e-15


# ---- arguments -------------------------------------------------------------------------------------


def test_shock_faults_come_together() -> None:
    table = small()
    with pytest.raises(DataError) as caught:
        solve(
            table,
            cost_hat=np.zeros((6, 6)),
            tariff=np.full((6, 6), -3.0),
            productivity_hat=np.ones(3),
            transfer=np.ones(6),
        )
    said = [fault.where for fault in caught.value.faults]
    # Cells are named, three of a kind and the number of the others.
    assert list(dict.fromkeys(name.split("[")[0] for name in said)) == [
        "productivity_hat",
        "cost_hat",
        "tariff",
        "transfer",
    ]
    assert "cost_hat[CHN, CHN, AGR]" in said
    assert "105 more cells" in str(caught.value)
    assert "sums to 6 musd" in str(caught.value)


def test_arguments_of_the_wrong_kind() -> None:
    with pytest.raises(DataError, match=r"TradeTable\.from_frame"):
        solve(np.ones((3, 3)))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="tol: is 'small'"):
        solve(small(), tol="small")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="supply_elasticity: is 'one'"):
        solve(small(), supply_elasticity="one")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"solve_batch with \(scenarios, 6, 6, 3\)"):
        solve(small(), productivity_hat=np.ones(6), cost_hat=np.ones((9, 6, 6)))


def test_an_agreement_in_one_sector_changes_its_costs_alone() -> None:
    table = small()
    changes = {"rta": within(("KAZ", "KGZ"))}
    hat = cost_hat(table, {"rta": 0.5}, changes, sectors=["MCH"])
    here = (table.region("KAZ"), table.region("KGZ"), table.sector("MCH"))
    theta = table.theta[table.sector("MCH")]
    assert hat[here] == pytest.approx(np.exp(-0.5 / theta), rel=1e-14)
    assert (hat != 1).sum() == 2
    assert (cost_hat(table, {"rta": 0.5}, changes) != 1).sum() == 6
    with pytest.raises(DataError, match="there is no sector 'MCHH'"):
        cost_hat(table, {"rta": 0.5}, changes, sectors=["MCHH"])


def test_a_frame_of_percent_adds_up() -> None:
    table = small()
    cost = np.full((6, 6), 0.9)
    np.fill_diagonal(cost, 1)
    eq = solve(table, cost)
    frame = eq.frame()
    assert list(frame.index) == list(REGIONS)
    assert np.allclose(frame.real_income_percent, 100 * (eq.real_income_hat - 1), rtol=1e-12)
    parts = ["terms_of_trade", "volume", "cost", "transfer", "supply"]
    total = sum(frame[f"{part}_percent"] for part in parts)
    assert np.allclose(total, frame.first_order_percent, atol=1e-12)
    assert np.allclose(frame.first_order_percent + frame.residual_percent, frame.real_income_percent)
    assert np.abs(frame.residual_percent).max() > 0.1  # a tenth off every cost is no small step


def test_unknown_closure_and_tolerance() -> None:
    with pytest.raises(DataError, match="did you mean 'proportional'"):
        solve(small(), deficits="proportionel")
    with pytest.raises(DataError, match="tol"):
        solve(small(), tol=0)


def test_one_matrix_serves_all_sectors() -> None:
    table = small()
    cost = np.full((6, 6), 0.9)
    np.fill_diagonal(cost, 1)
    one = solve(table, cost_hat=cost, productivity_hat=np.linspace(1, 1.1, 6))
    full = solve(
        table,
        cost_hat=np.repeat(cost[:, :, None], 3, axis=2),
        productivity_hat=np.repeat(np.linspace(1, 1.1, 6)[:, None], 3, axis=1),
    )
    assert np.array_equal(one.real_income_hat, full.real_income_hat)


def test_a_start_changes_steps_not_answers() -> None:
    table = small()
    cost = np.full((6, 6), 0.9)
    np.fill_diagonal(cost, 1)
    cold = solve(table, cost_hat=cost, tol=1e-12)
    near = solve(table, cost_hat=cost**1.01, tol=1e-12)
    warm = solve(table, cost_hat=cost**1.01, tol=1e-12, start=cold)
    assert warm.status.iterations < near.status.iterations
    assert np.abs(warm.real_income_hat - near.real_income_hat).max() < 1e-11
    again = solve(table, cost_hat=cost, tol=1e-12, start=cold)
    assert again.status.iterations <= 2
    assert np.abs(again.price_hat - cold.price_hat).max() < 1e-11


# ---- what it does ----------------------------------------------------------------------------------


def test_costs_and_productivity_are_two_sides_of_one_coin() -> None:
    """Ten percent off everything an exporter ships is ten percent more productivity."""
    table = small()
    cost = np.ones((6, 6, 3))
    cost[1] = 1 / 1.1
    lift = np.ones((6, 3))
    lift[1] = 1.1
    one, two = solve(table, cost, tol=1e-12), solve(table, productivity_hat=lift, tol=1e-12)
    assert np.abs(one.real_income_hat - two.real_income_hat).max() < 1e-11
    assert np.allclose(one.trade, two.trade, rtol=1e-10)


def test_tariffs_raise_revenue_and_can_be_removed() -> None:
    table = solve(small()).table()
    free = solve(table, tariff=np.zeros_like(table.tariff))
    assert free.table().tariff_revenue.max() == 0
    assert solve(free.table(), tariff=table.tariff, tol=1e-12).real_income_hat == pytest.approx(
        1 / free.real_income_hat, abs=1e-9
    )


def test_zero_deficits_are_measured_against_their_own_base() -> None:
    table = small(surplus=1.5)
    eq = solve(table, deficits="zero")
    assert eq.status.rebase > 1e-3
    assert np.abs(eq.real_income_hat - 1).max() < 1e-12
    assert np.abs(eq.table().deficits).max() < 1e-9 * table.value_added.sum()


def test_transfers_reach_the_receiver() -> None:
    table = solve(small()).table()
    gift = np.zeros(6)
    gift[0], gift[2] = -50, 50
    for closure in ("fixed", "proportional", "zero"):
        base = solve(table, deficits=closure)
        eq = solve(table, transfer=gift, deficits=closure)
        change = eq.deficit - base.deficit
        assert change[2] == pytest.approx(50, rel=0.05)
        assert eq.real_income_hat[2] > 1 > eq.real_income_hat[0]
        slope = base.gradient("KGZ").transfer @ gift
        small_gift = solve(table, transfer=1e-4 * gift, deficits=closure, tol=1e-13)
        assert np.log(small_gift.real_income_hat[2]) == pytest.approx(1e-4 * slope, rel=1e-4)


def test_a_closed_flow_is_the_limit_of_a_dear_one() -> None:
    table = solve(small(), deficits="zero").table()
    cost = np.ones((6, 6))
    cost[0, 1] = cost[1, 0] = np.inf
    closed = solve(table, cost, deficits="zero")
    cost[np.isinf(cost)] = 1e6
    dear = solve(table, cost, deficits="zero")
    assert closed.trade[0, 1].max() == 0
    assert np.abs(closed.real_income_hat - dear.real_income_hat).max() < 1e-9
    gradient = closed.gradient("KAZ")
    assert not gradient.cost[0, 1].any()
    assert np.isfinite(gradient.cost).all()


def test_zero_flows_stay_zero() -> None:
    given = fields(small())
    given["trade"][2, 3] = 0
    given["trade"][4, 4, 0] = 0  # no domestic sales at all
    table = TradeTable(**given)
    cost = np.full((6, 6), 0.7)
    eq = solve(table, cost)
    assert eq.trade[2, 3].max() == 0
    assert eq.trade[4, 4, 0] == 0
    assert eq.base.home_share[4, 0] == 0


def test_a_sector_nobody_wants_and_a_sector_nobody_has() -> None:
    given = fields(small())
    given["final_share"][1] = [0.5, 0.5, 0]
    given["input_share"][1] = np.array([0.5, 0.5, 0])[:, None]
    eq = solve(TradeTable(**given))
    assert eq.trade[:, 1, 2].max() == 0  # sold in the data, wanted by nobody: the rebase drops it
    given["trade"][:, 1, 2] = 0
    eq = solve(TradeTable(**given), np.full((6, 6), 0.9), tol=1e-12)
    assert eq.price_hat[1, 2] == 1
    assert np.isfinite(eq.gradient("KAZ").cost).all()


# ---- when it cannot --------------------------------------------------------------------------------


def surplus_economy() -> TradeTable:
    """KAZ ships a third of its value added as a transfer."""
    trade = np.array([[1000.0, 50, 50], [200, 300, 10], [50, 10, 800]])
    return TradeTable.armington(trade, theta=4, regions=["CHN", "KAZ", "UZB"])


def test_a_fixed_transfer_that_cannot_be_shipped() -> None:
    table = surplus_economy()
    cost = np.ones((3, 3))
    cost[1, [0, 2]] = cost[[0, 2], 1] = 50
    with pytest.raises(InfeasibleError, match="a fixed transfer cannot be shipped: KAZ") as caught:
        solve(table, cost)
    assert caught.value.exit_code == 5
    eq = solve(table, cost, throw=False)
    assert not eq.status.converged
    assert "cannot be shipped" in eq.status.message
    assert np.isnan(eq.real_income_hat).all()
    assert "not converged" in repr(eq)
    for use in (eq.table, lambda: eq.gradient("KAZ"), lambda: eq.first_order):
        with pytest.raises(ConvergenceError, match="was not solved"):
            use()
    assert solve(table, cost, deficits="zero").status.converged


def test_cutting_off_a_borrower() -> None:
    cost = np.ones((3, 3))
    cost[1, [0, 2]] = cost[[0, 2], 1] = np.inf
    with pytest.raises(InfeasibleError, match="no longer trades with the rest"):
        solve(surplus_economy(), cost)
    alone = solve(surplus_economy(), cost, deficits="zero")
    home = alone.base.home_share[1, 0]
    assert alone.real_income_hat[1] == pytest.approx(home ** (1 / 4), rel=1e-9)
    assert "hardly trades" in alone.status.message


def test_closing_every_source() -> None:
    cost = np.ones((3, 3))
    cost[:, 2] = np.inf
    with pytest.raises(InfeasibleError, match="closes every source of ALL for UZB"):
        solve(surplus_economy(), cost, deficits="zero")


def test_a_region_that_lends_more_than_it_earns() -> None:
    given = fields(
        TradeTable.armington([[1000, 1, 1], [400, 5, 10], [50, 10, 800]], regions=["CHN", "KAZ", "UZB"])
    )
    given["value_added_share"] *= 0.5
    with pytest.raises(InfeasibleError, match="KAZ has a surplus of 399 musd on a value added of 208 musd"):
        solve(TradeTable(**given))
    assert solve(TradeTable(**given), deficits="zero").status.converged


def test_a_region_that_sells_nothing_cannot_balance() -> None:
    table = TradeTable.armington([[900, 100], [0, 300]], regions=["CHN", "KAZ"])
    assert solve(table, [[1, 0.9], [1, 1]]).status.converged
    with pytest.raises(InfeasibleError, match="KAZ buys from others and sells nothing"):
        solve(table, deficits="zero")


def test_an_impossible_tolerance_is_not_claimed() -> None:
    with pytest.raises(ConvergenceError, match="loosen tol"):
        solve(small(), np.full((6, 6), 0.9), tol=1e-18)


# ---- derivatives by name ---------------------------------------------------------------------------


def test_outcomes_by_name() -> None:
    table = solve(small()).table()
    cost = np.full((6, 6), 0.97)
    np.fill_diagonal(cost, 1)
    eq = solve(table, cost, tol=1e-12)
    n = table.region("KAZ")
    assert eq.outcome("KAZ") == eq.outcome("real_income:KAZ") == eq.real_income_hat[n]
    assert eq.outcome("wage:KAZ") == eq.wage_hat[n]
    assert eq.outcome("flow:CHN:KAZ:MCH") == eq.trade[0, n, 1]
    five = table.income[1:]
    assert eq.outcome("real_income:CA5") == pytest.approx(five @ eq.real_income_hat[1:] / five.sum())
    assert np.array_equal(eq.gradient("KAZ").cost, eq.gradient("real_income:KAZ").cost)
    step = 1e-4
    for of in ("real_income:CA5", "real_income:world", "flow:CHN:KAZ:MCH"):
        ends = []
        for sign in (1, -1):
            moved = np.repeat(cost[:, :, None], 3, axis=2)
            moved[0, n, 1] *= np.exp(sign * step)
            ends.append(np.log(solve(table, moved, tol=1e-12).outcome(of)))
        assert eq.gradient(of).cost[0, n, 1] == pytest.approx(
            (ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-9
        )


@pytest.mark.parametrize(
    ("of", "cure"),
    [
        ("KAS", "KAZ"),
        ("real_income:CHM", "CHN"),
        ("flow:CHN:KAZ:MHC", "MCH"),
        ("real_incom:KAZ", "real_income"),
        ("flow:CHN:KAZ", "flow:FROM:TO:SECTOR"),
    ],
)
def test_unknown_outcomes_name_a_cure(of: str, cure: str) -> None:
    with pytest.raises(DataError) as caught:
        solve(small()).gradient(of)
    assert cure in str(caught.value)


def test_groups_need_their_members_and_flows_need_to_flow() -> None:
    with pytest.raises(DataError, match="KAZ"):
        solve(TradeTable.armington([[9, 1], [1, 9]], regions=["CHN", "RUS"])).gradient("real_income:CA5")
    with pytest.raises(DataError, match="stays zero"):
        solve(TradeTable.armington([[9, 1], [0, 9]], regions=["CHN", "RUS"]), deficits="fixed").gradient(
            "flow:RUS:CHN:ALL"
        )


def test_a_gradient_is_an_array() -> None:
    gradient = solve(small()).gradient("KAZ")
    assert np.asarray(gradient) is gradient.cost
    assert np.array(gradient, dtype=np.float32).dtype == np.float32
    assert gradient.cost.shape == gradient.tariff.shape == (6, 6, 3)
    assert gradient.productivity.shape == (6, 3)
    assert (gradient.cost[:, 1][0] < 0).all()  # dearer imports from a big seller hurt the buyer


def test_linear_response_is_gradient_times_change() -> None:
    table = solve(small()).table()
    base = solve(table)
    rng = np.random.default_rng(0)
    cost = np.exp(rng.uniform(-0.1, 0, (6, 6, 3)))
    tariff = 0.5 * table.tariff
    lift = np.exp(rng.uniform(0, 0.1, (6, 3)))
    response = base.linear_response(cost, tariff, lift)
    for code in ("KAZ", "CHN"):
        g = base.gradient(code)
        change = (g.cost * np.log(cost)).sum() + (g.tariff * (tariff - table.tariff)).sum()
        change += (g.productivity * np.log(lift)).sum()
        assert response[table.region(code)] == pytest.approx(change, rel=1e-9)
    with pytest.raises(DataError, match="infinite"):
        base.linear_response(np.full((6, 6), np.inf))
    with pytest.raises(DataError, match="cotangents"):
        base.vjp(trade=np.ones(3))


def test_an_equilibrium_travels_between_processes() -> None:
    eq = solve(small(), np.full((6, 6), 0.95))
    twin = pickle.loads(pickle.dumps(eq))
    assert np.array_equal(twin.trade, eq.trade)
    assert np.allclose(twin.gradient("KAZ").cost, eq.gradient("KAZ").cost, rtol=1e-8, atol=1e-12)
    assert repr(twin) == repr(eq)


def test_what_is_kept_for_a_table_goes_with_it() -> None:
    table = solve(small()).table()
    watch = weakref.ref(table)
    for closure in ("fixed", "zero"):
        solve(table, np.full((6, 6), 0.95), deficits=closure)
    del table
    gc.collect()
    assert watch() is None


def test_same_inputs_same_bits() -> None:
    cost = np.full((6, 6), 0.95)
    one, two = solve(small(), cost), solve(small(), cost)
    assert np.array_equal(one.real_income_hat, two.real_income_hat)
    assert np.array_equal(one.trade, two.trade)
