"""How long the economy takes: medians of five, one BLAS thread, the rival timed in the same run.

    python benchmarks/economy.py [--cpu]

On a busy machine --cpu takes processor time in place of wall time; everything runs in one thread.
Needs ../shared or `make inputs` for the published tables; without them only the synthetic economies are
timed. gegravity is timed beside where it is installed; it is no dependency of landbridge.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is loaded, or it is ignored

import copy
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "tests" / "published")]

from landbridge.trade import Equilibrium, TradeTable, solve  # noqa: E402
from published_inputs import found as inputs_in  # noqa: E402

clock = time.process_time if "--cpu" in sys.argv else time.perf_counter


def median_s(work: Callable[[], object], times: int = 5) -> float:
    """Median time [s]."""
    taken = []
    for _ in range(times):
        begin = clock()
        work()
        taken.append(clock() - begin)
    return statistics.median(taken)


def damped_loop(table: TradeTable, tariff: np.ndarray, tol: float = 1e-10) -> tuple[np.ndarray, int, float]:
    """The textbook way, zero deficits: prices and spending solved inside, wages moved by excess demand.

    Spending solves one dense (N S) x (N S) system each step. Returns real income hats, the steps and the
    final relative excess demand. The step 0.5 is the fastest of 0.3, 0.5, 0.7 and 1.0 on the NAFTA exercise
    (1.0 does not converge).
    """
    N, S = table.final_share.shape
    theta, b, alpha = table.theta, table.value_added_share, table.final_share
    spent = table.expenditure
    share = table.trade * (1 + table.tariff) / spent
    g = table.input_share * (1 - b)[:, None, :]
    kappa = ((1 + tariff) / (1 + table.tariff)) ** -theta
    labour, world = table.value_added, table.value_added.sum()
    w, P = np.ones(N), np.ones((N, S))
    step = 0
    while step < 2000:
        step += 1
        for _ in range(500):
            c = w[:, None] ** b * np.exp(np.einsum("nks,nk->ns", g, np.log(P)))
            new_P = (share * kappa * (c**-theta)[:, None, :]).sum(axis=0) ** (-1 / theta)
            moved = np.abs(new_P / P - 1).max()
            P = new_P
            if moved < tol / 100:
                break
        pi = share * kappa * (c**-theta)[:, None, :] / P**-theta
        net = pi / (1 + tariff)
        revenue_rate = (pi - net).sum(axis=0)
        M = np.zeros((N, S, N, S))
        for k in range(S):
            M[:, :, :, k] = g[:, :, k][:, :, None] * net[:, :, k][:, None, :]
        for n in range(N):
            M[n, :, n, :] += np.outer(alpha[n], revenue_rate[n])
        final = alpha * (w * labour)[:, None]
        X = np.linalg.solve(np.eye(N * S) - M.reshape(N * S, N * S), final.ravel()).reshape(N, S)
        sales = (net * X).sum(axis=1)
        excess = (b * sales).sum(axis=1) / (w * labour) - 1
        if np.abs(excess).max() < tol:
            break
        w = w * (1 + 0.5 * excess)
        w *= world / (w @ labour)
    income = w * labour + (revenue_rate * X).sum(axis=1)
    return income / table.income / np.prod(P**alpha, axis=1), step, float(np.abs(excess).max())


def synthetic(N: int, S: int, seed: int = 1) -> TradeTable:
    """A table with inputs, tariffs and deficits (one sector: none of the first two), rebased."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(0, 1.5, N))
    trade = size[:, None, None] * size[None, :, None] * np.exp(rng.normal(0, 1, (N, N, S)))
    k = np.arange(N)
    home = rng.uniform(0.4, 0.95, (N, S))
    trade[k, k] = (trade.sum(axis=0) - trade[k, k]) * home / (1 - home)
    tariff = rng.uniform(0, 0.2, (N, N, S)) * (S > 1)
    tariff[k, k] = 0
    table = TradeTable(
        [f"R{n}" for n in range(N)],
        [f"S{s}" for s in range(S)],
        trade,
        tariff,
        rng.uniform(0.3, 0.7, (N, S)) if S > 1 else np.ones((N, S)),
        rng.dirichlet(np.ones(S), (N, S)).transpose(0, 2, 1),
        rng.dirichlet(3 * np.ones(S), N),
        rng.uniform(2, 9, S) if S > 1 else [4.0],
    )
    return solve(table, deficits="zero").table()


def row(work: str, seconds: float, target: str, note: str = "") -> None:
    print(f"{work:<46} {1e3 * seconds:>9.2f} ms   {target:<12} {note}")


def caliendo_parro() -> None:
    folder = inputs_in("papers/caliendo_parro_2015")
    if folder is None:
        print("Caliendo-Parro 31x40: its inputs are not here (make inputs), skipped")
        return
    from test_caliendo_parro import read_caliendo_parro

    raw, tariff = read_caliendo_parro(folder)
    table = solve(raw, deficits="zero").table()

    def run() -> object:
        return solve(table, tariff=tariff, deficits="zero")

    eq = solve(table, tariff=tariff, deficits="zero")
    ours = median_s(run)
    row("Caliendo-Parro 31x40, 1e-10", ours, "<= 30 ms", f"residual {eq.status.residual:.1e}")
    row(
        "  with its own rebase, new table each time", median_s(lambda: solve(fresh(raw), deficits="zero")), ""
    )
    gradient = median_s(lambda: eq.gradient("MEX"))
    row("  gradient to all costs and tariffs", gradient, "<= 2x", f"{gradient / ours:.2f}x")
    hats, steps, excess = damped_loop(table, tariff)
    loop = median_s(lambda: damped_loop(table, tariff))
    gap = np.abs(hats - eq.real_income_hat).max()
    row("  damped loop, dense 1240x1240 each step", loop, ">= 100x", f"{loop / ours:.0f}x, {steps} steps")
    print(f"  both agree to {gap:.0e} in real income; the loop stops at excess demand {excess:.0e}")


def fresh(table: TradeTable) -> TradeTable:
    """The same table as a new object, so that nothing kept from an earlier solve helps."""
    return replace(table)


def grown(N: int, S: int, tol: float, target: str) -> None:
    table = synthetic(N, S)
    cost = np.ones((N, N, S))
    half = N // 2
    cost[:half, half:] = cost[half:, :half] = 0.95
    eq = solve(table, cost, deficits="zero", tol=tol)
    ours = median_s(lambda: solve(table, cost, deficits="zero", tol=tol))
    note = f"residual {eq.status.residual:.1e}, {eq.status.iterations} steps"
    row(f"{N}x{S} economy, {tol:.0e}", ours, target, note)
    near = cost**1.02
    row(
        "  from a near equilibrium",
        median_s(lambda: solve(table, near, deficits="zero", tol=tol, start=eq)),
        "",
    )
    gradient = median_s(lambda: eq.gradient("real_income:R0"))
    row("  gradient to all costs and tariffs", gradient, "<= 2x", f"{gradient / ours:.2f}x")


def gegravity() -> None:
    """gegravity's own sample and experiment: its `simulate` beside a solve of the same shock.

    Its `simulate` holds nominal output at the base and `solve` does not (docs/theory/economy.md); the
    restricted answer takes landbridge a loop of solves, which is timed too and agrees to its tolerance.
    """
    folder = inputs_in("trade/gegravity_sample")
    if folder is None:
        print("gegravity's sample: its inputs are not here (make inputs), skipped")
        return
    try:
        import gegravity as rival
    except ImportError:
        print("gegravity: not installed (pip install gegravity, in an environment of its own), skipped")
        return
    import pandas as pd
    from test_gravity import COEFFICIENTS, at_nominal_output, gegravity_sample

    data = pd.read_csv(folder / "sample_2006_30_countries.csv").astype({"year": str})
    found = pd.DataFrame({"name": list(COEFFICIENTS), "value": list(COEFFICIENTS.values())})
    warnings.simplefilter("ignore")  # its own, of divisions on the way
    begin = clock()
    model = rival.OneSectorGE(
        rival.BaselineData(data, trade_var_name="trade", expend_var_name="E", output_var_name="Y"),
        year="2006",
        reference_importer="DEU",
        expend_var_name="E",
        output_var_name="Y",
        sigma=5,
        cost_variables=list(COEFFICIENTS),
        cost_coeff_values=rival.CostCoeffs(found, identifier_col="name", coeff_col="value"),
        quiet=True,
    )
    model.build_baseline(omr_rescale=100)
    changed = model.baseline_data.copy()
    ends = changed.exporter + changed.importer
    changed.loc[ends.isin(["CANJPN", "JPNCAN"]), "pta"] = 1
    model.define_experiment(changed)
    built = clock() - begin
    taken = []
    for _ in range(3):
        once = copy.deepcopy(model)  # a model can be simulated only once
        begin = clock()
        once.simulate()
        taken.append(clock() - begin)
    theirs = statistics.median(taken)
    table, cost = gegravity_sample(folder)
    ours = median_s(lambda: solve(fresh(table), cost, deficits="proportional"))
    held = median_s(lambda: at_nominal_output(fresh(table), cost))
    row("gegravity's sample, 30 countries, 1e-10", ours, "", "new table each time")
    row("  with nominal output held, as gegravity", held, "", f"{theirs / held:.0f}x faster than simulate")
    row("  gegravity.simulate, 1e-8, median of three", theirs, "", f"{theirs / ours:.0f}x a plain solve")
    row("  gegravity.build_baseline and experiment", built, "", "once for a model")
    eq, endowment = at_nominal_output(table, cost)
    price = 1 / endowment / eq.price_hat[table.region("DEU"), 0]
    column = once.country_results["factory gate price change (percent)"]
    gap = max(abs(100 * (price[table.region(c)] - 1) - column[c]) for c in table.regions)
    print(f"  both agree to {gap:.0e} percentage points in factory-gate prices")


def rents_and_payments(rounds: int = 41) -> None:
    """The embedded table under the costs and payments of a scenario, with and without what was added to it.

    "by passes alone" is the search without two-level steps, as it was before there were rents and payments.
    All are timed in turn, so that a busy moment meets all of them.
    """
    import landbridge as lb
    from landbridge.trade import coarse

    result = lb.run(lb.load(), "cku-railway")
    table, cost, carriage = lb.load().trade, result.cost_hat, result.carriage
    plain = replace(table, rent_share=np.zeros_like(table.rent_share))
    applies = coarse.applies

    def passes() -> Equilibrium:
        coarse.applies = lambda base: False
        try:
            return solve(plain, cost)
        finally:
            coarse.applies = applies

    works: dict[str, Callable[[], Equilibrium]] = {
        "31x17 of 2023, cku-railway, by passes alone": passes,
        "  plain": lambda: solve(plain, cost),
        "  rents": lambda: solve(table, cost),
        "  payments": lambda: solve(plain, cost, carriage=carriage),
        "  rents and payments": lambda: solve(table, cost, carriage=carriage),
        "  with payments read anew": lambda: solve(table, cost, carriage=replace(carriage)),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    evaluations = {name: work().status.iterations for name, work in works.items()}
    for _ in range(rounds):
        for name, work in works.items():
            begin = clock()
            work()
            taken[name].append(clock() - begin)
    median = {name: statistics.median(times) for name, times in taken.items()}
    first = next(iter(median.values()))
    for name, seconds in median.items():
        target = "<= 1.3x" if name.endswith("and payments") else ""
        row(name, seconds, target, f"{seconds / first:.2f}x, {evaluations[name]} evaluations")


def world_194(B: int = 1_000) -> None:
    """The 194-country matrix of 2023: one shock, and a batch of random ones beside a loop over them."""
    folder = inputs_in("papers/liberation_day_2025")
    if folder is None:
        print("194 countries: its inputs are not here (make inputs), skipped")
        return
    from countries_194 import read_194

    table = read_194(folder)
    N = len(table.regions)
    costs = np.exp(np.random.default_rng(0).uniform(-0.1, 0.1, (B, N, N, 1)))
    costs[:, np.arange(N), np.arange(N)] = 1.0
    for closure in ("fixed", "proportional"):
        eq = solve(table, costs[0], deficits=closure, tol=1e-12)
        ours = median_s(lambda c=closure: solve(table, costs[0], deficits=c, tol=1e-12), 25)
        note = f"residual {eq.status.residual:.1e}, {eq.status.iterations} evaluations"
        row(f"194 countries of 2023, 1e-12, {closure}", ours, "<= 4.6 ms", note)
        cold = median_s(lambda c=closure: solve(fresh(table), costs[0], deficits=c, tol=1e-12))
        row("  a new table each time", cold, "", "with its Jacobian and its check of the base")
        gradient = median_s(lambda e=eq: e.gradient("KAZ"))
        row("  gradient to all costs", gradient, "", f"{gradient / ours:.2f}x")
        begin = time.process_time()
        solve(table, costs, deficits=closure)
        together = (time.process_time() - begin) / B
        begin = time.process_time()
        for cost in costs:
            solve(table, cost, deficits=closure)
        alone = (time.process_time() - begin) / B
        note = f"{alone / together:.1f}x one at a time"
        row(f"  a scenario of a batch of {B}, 1e-10, cpu", together, ">= 3x", note)


if __name__ == "__main__":
    kind = "processor" if "--cpu" in sys.argv else "wall"
    print(f"numpy {np.__version__}, one thread, {kind} time, medians of five")
    caliendo_parro()
    grown(31, 17, 1e-10, "")
    rents_and_payments()
    grown(77, 45, 1e-10, "<= 100 ms")
    grown(194, 1, 1e-12, "<= 4.6 ms")
    world_194()
    gegravity()
