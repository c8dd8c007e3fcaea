"""Sweeps: draws by their index, a store that survives kills, the same digits whoever solves, clear faults."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

import landbridge as lb
from commands import Call
from landbridge.errors import DataError
from landbridge.report.sweep import sweep_sections
from landbridge.scenario import apply
from landbridge.sweeps import executors
from landbridge.sweeps.cases import Bench, Case
from landbridge.sweeps.collect import collected
from landbridge.sweeps.draws import drawn, moved_world
from landbridge.sweeps.plan import Moved, read_plan
from landbridge.sweeps.ranks import ranked, with_ranks
from landbridge.sweeps.run import Workers, collect, parse_shard, sweep
from landbridge.sweeps.store import Store
from landbridge.sweeps.threads import ONE_THREAD
from small_folder import write_small_world
from sweep_worlds import plan_of

PROGRAM = Path(__file__).with_name("sweep_worlds.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("sweep") / "world"
    write_small_world(found)
    return found


@pytest.fixture(scope="module")
def world(folder: Path) -> lb.World:
    return lb.load(folder)


@pytest.fixture(scope="module")
def serial(world: lb.World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 24 draws solved in this process."""
    store = tmp_path_factory.mktemp("sweep") / "serial"
    sweep(world, plan_of(world), 24, executor="serial", store=store)
    return store


def parts(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (store / "parts").glob("*.csv")}


# -- draws ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draws", ["monte_carlo", "sobol", "grid", "saltelli"])
def test_a_draw_depends_on_its_index_alone(world: lb.World, draws: str) -> None:
    plan = read_plan(plan_of(world, draws=draws), world)
    forth = [drawn(plan, i) for i in range(16)]
    back = [drawn(plan, i) for i in reversed(range(16))]
    assert forth == back[::-1] and all(a != b for a, b in itertools.pairwise(forth))
    for numbers in forth:
        for moved in plan.moved:
            assert moved.low <= numbers[moved.key] <= moved.high
    assert plan.cases == (3**8 if draws == "grid" else None)


def test_sobol_points_are_those_of_the_sequence(world: lb.World) -> None:
    from scipy.stats import qmc

    plan = read_plan(plan_of(world, draws="sobol", distribution="uniform"), world)
    points = qmc.Sobol(len(plan.moved), seed=np.random.Generator(np.random.PCG64(7))).random(16)
    low, high = (np.array([getattr(m, end) for m in plan.moved]) for end in ("low", "high"))
    mine = np.array([[drawn(plan, i)[m.key] for m in plan.moved] for i in range(16)])
    np.testing.assert_allclose(mine, low + points * (high - low), rtol=1e-12)


@pytest.mark.parametrize("distribution", ["triangular", "uniform"])
def test_draws_have_the_mean_of_their_distribution(world: lb.World, distribution: str) -> None:
    plan = read_plan(plan_of(world, distribution=distribution), world)
    sample = [drawn(plan, i) for i in range(4000)]
    for moved in plan.moved[:-1]:
        assert moved.value is not None
        ends = (moved.low, moved.high)
        mean = sum(ends) / 2 if distribution == "uniform" else (sum(ends) + moved.value) / 3
        found = np.mean([numbers[moved.key] for numbers in sample])
        assert found == pytest.approx(mean, abs=0.02 * (moved.high - moved.low))


def test_a_grid_has_every_point_once(world: lb.World) -> None:
    given = {"parameters": ["phi", "rho"], "theta": [], "time_values": [], "border_hours": []}
    plan = read_plan(plan_of(world, draws="grid", levels=3, **given), world)
    points = {tuple(drawn(plan, i).values()) for i in range(9)}
    assert points == {(p, r) for p in (4.0, 8.0, 12.0) for r in (0.2, 0.8, 1.4)}


def real_income(world: lb.World, plan: Any) -> Any:
    result = lb.run(world, plan.scenarios[0])
    return result.equilibrium[result.closure].real_income_hat


# -- cases ---------------------------------------------------------------------------------------------


def test_a_case_is_what_run_gives_for_the_world_edited_by_hand(world: lb.World) -> None:
    plan = read_plan(plan_of(world), world)
    case = Bench(world, plan).case(3)
    edited = moved_world(world, plan, drawn(plan, 3))
    assert edited.parameter("phi") != world.parameter("phi")
    assert edited.trade.theta[edited.trade.sector("MCH")] != world.trade.theta[world.trade.sector("MCH")]
    expected = real_income(edited, plan)
    # Where hours differ, a search of its own finds some other routes.
    np.testing.assert_allclose(case.income["half"] - 1.0, expected - 1.0, rtol=1e-3)
    given = {"parameters": ["phi", "rho", "phi_b"], "border_hours": [], "time_values": "all", "theta": "all"}
    plan = read_plan(plan_of(world, **given), world)
    expected = real_income(moved_world(world, plan, drawn(plan, 3)), plan)
    np.testing.assert_allclose(Bench(world, plan).case(3).income["half"], expected, rtol=1e-12)
    # A parameter of the World is changed in base and scenario alike.
    after = apply(edited, plan.scenarios[0])
    carbon = "carbon_price_usd_per_kg"
    assert after.parameter(carbon) == edited.parameter(carbon) != world.parameter(carbon)


def test_hours_of_a_border_move_within_their_own_ranges(world: lb.World) -> None:
    plan = read_plan(plan_of(world), world)
    key = plan.moved[-1].key
    for share, column in ((0.0, "time_low_h"), (1.0, "time_high_h")):
        edited = moved_world(world, plan, {key: share})
        gateway = key.partition(":")[2]
        rows = [row for row in edited.network["crossings"] if row["gateway_id"] == gateway]
        assert rows and all(row["time_h"] == pytest.approx(row[column]) for row in rows)


# -- who solves, and kills -----------------------------------------------------------------------------


def test_processes_and_shards_give_the_same_bytes(world: lb.World, serial: Path, tmp_path: Path) -> None:
    plan = plan_of(world)
    found = sweep(world, plan, 24, executor=Workers("processes", 2), store=tmp_path / "two")
    for i in (3, 1, 2):
        sweep(world, plan, 24, executor="serial", store=tmp_path / "shards", shard=(i, 3))
        sweep(world, plan, 24, executor="serial", store=tmp_path / f"own{i}", shard=(i, 3))
    assert parts(serial) == parts(tmp_path / "two") == parts(tmp_path / "shards") and len(parts(serial)) == 24
    apart = collect(world, [tmp_path / f"own{i}" for i in (1, 2, 3)])
    assert apart.rows == found.rows == collect(world, serial).rows
    assert apart.cause_rows == found.cause_rows and found.draws == 24 and not found.missing
    some = collect(world, tmp_path / "own2")
    assert some.draws == 8 and some.missing == 15


def test_more_draws_go_on_from_those_there_are(world: lb.World, serial: Path, tmp_path: Path) -> None:
    plan, store = plan_of(world), tmp_path / "store"
    sweep(world, plan, 4, executor="serial", store=store)
    told: list[str] = []
    sweep(world, plan, 6, executor="serial", store=store, progress=lambda text, share: told.append(text))
    assert parts(store).items() <= parts(serial).items() and len(parts(store)) == 6
    # Fewer than there are: those asked for.
    fewer = sweep(world, plan, 2, executor="serial", store=store)
    assert [case.index for case in fewer.cases] == [0, 1] and fewer.missing == 0
    assert told[0].startswith("4 of 6 draws are there") and "2 of 2 draws" in told[-1] and "left" in told[-1]


def test_kills_lose_nothing_and_nothing_is_done_twice(
    world: lb.World, folder: Path, serial: Path, tmp_path: Path
) -> None:
    store, seen = tmp_path / "store", dict[str, tuple[int, bytes]]()
    for attempt in range(12):
        before = len(seen)
        executor = "processes" if attempt == 1 else "serial"
        child = subprocess.Popen([sys.executable, str(PROGRAM), str(folder), str(store), "24", executor])
        end = time.monotonic() + 60.0
        while child.poll() is None and time.monotonic() < end:
            if len(list(store.glob("parts/*.csv"))) >= min(before + 5, 24):
                break
            time.sleep(0.002)
        child.kill()
        child.wait()
        now = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in store.glob("parts/*.csv")}
        assert seen.items() <= now.items()  # not written again either
        seen = now
        if len(seen) == 24:
            break
    assert parts(store) == parts(serial)
    assert sweep(world, plan_of(world), 24, executor="serial", store=store).draws == 24
    assert not [path for path in store.rglob("*") if path.name.endswith(".part")]


def test_a_worker_that_dies_is_replaced(world: lb.World, serial: Path) -> None:
    plan, killed, kept = read_plan(plan_of(world), world), list[bool](), dict[int, Case]()

    def keep(case: Case) -> None:
        kept[case.index] = case
        if not killed:
            killed.append(True)
            active_children()[0].kill()

    executors.solve_cases(world, plan, range(8), keep, "processes", 2)
    assert killed and sorted(kept) == list(range(8))
    first = {case.index: case for case in Store(serial, plan, world).cases()}
    for index, case in kept.items():
        np.testing.assert_array_equal(case.income["half"], first[index].income["half"])
    assert os.environ.get("NUMBA_NUM_THREADS") is None


# -- faults --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "part"),
    [
        ({"parameters": ["phy"]}, "did you mean 'phi'"),
        ({"parameters": ["days_per_year"]}, "has no range"),
        ({"parameters": ["detour_max"]}, "searches them once"),
        ({"parameters": "some"}, "a list of names"),
        ({"ranges": {"phi": [8, 8]}}, "is empty"),
        ({"ranges": {"phi": [9, 12]}}, "does not hold the value 8"),
        ({"ranges": {"phi": [0, 12]}}, "leaves its bounds"),
        ({"ranges": {"theta:MCH": [-1, 20]}}, "leaves its bounds"),
        ({"ranges": {"phi": "wide"}}, r"write \[low, high\]"),
        ({"ranges": {"phi_x": [1, 2]}}, "is not moved"),
        ({"theta": ["XYZ"]}, "no such number 'XYZ'"),
        ({"border_hours": ["nowhere"]}, "no such number"),
        ({"scenarios": []}, "names none"),
        ({"scenarios": ["nothing"]}, "no scenario 'nothing'"),
        ({"draws": "latin"}, "monte_carlo or sobol or grid"),
        ({"seed": -1}, "a whole number"),
        ({"levels": 1}, "2 or more"),
        ({"draws": "grid", "levels": 100}, "more than 1,000,000 cases"),
        ({"sample": 3}, "no key 'sample'"),
        ({"parameters": [], "theta": [], "time_values": [], "border_hours": []}, "moves nothing"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said(world: lb.World, other: dict[str, Any], part: str) -> None:
    with pytest.raises(DataError, match=part) as caught:
        read_plan(plan_of(world, **other), world)
    assert caught.value.exit_code == 3


def test_every_fault_of_a_plan_is_said_at_once(world: lb.World) -> None:
    with pytest.raises(DataError, match="3 faults"):
        read_plan(plan_of(world, seed="one", draws="all", theta=["XYZ"]), world)


def test_a_scenario_of_a_model_parameter_is_refused(world: lb.World) -> None:
    change = {"verb": "set_parameter", "parameter": "phi", "value": 5.0}
    own = lb.Scenario.from_dict({"name": "Other phi", "modification": [change]}, "other-phi")
    with pytest.raises(DataError, match="parameter of the model"):
        read_plan(plan_of(world, scenarios=[own]), world)


def test_a_plan_without_a_list_moves_every_parameter_with_a_range() -> None:
    world = lb.load()
    plan = read_plan({"scenarios": ["cku-railway"]}, world)
    ranged = {r["parameter"] for r in world.network["parameters"] if r["low"] is not None}
    assert {moved.key for moved in plan.moved} == ranged - {"detour_max"}
    every = {"theta": "all", "time_values": "all", "border_hours": "all"}
    assert len(read_plan({"scenarios": ["cku-railway"], **every}, world).moved) > 150


def test_stores_of_other_sweeps_are_refused(world: lb.World, serial: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="another plan"):
        sweep(world, plan_of(world, seed=8), 1, executor="serial", store=serial)
    rows = ({**r, "time_h": r["time_h"] or 0.0, "cost_usd": 1.0} for r in world.network["crossings"])
    other = world.with_network(crossings=world.network["crossings"].with_rows(rows))
    for attempt in (
        lambda: sweep(other, plan_of(other), 1, executor="serial", store=serial),
        lambda: collect(other, serial),
    ):
        with pytest.raises(DataError, match="another version of the data"):
            attempt()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=r"letter\.txt"):
        sweep(world, plan_of(world), 1, executor="serial", store=tmp_path / "full")
    with pytest.raises(DataError, match=r"holds no plan\.json"):
        collect(world, tmp_path / "nothing")


@pytest.mark.parametrize("spoil", ["cut", "changed", "moved"])
def test_a_damaged_part_is_named_and_only_it_is_solved_anew(
    world: lb.World, serial: Path, tmp_path: Path, spoil: str
) -> None:
    store = tmp_path / "store"
    sweep(world, plan_of(world), 3, executor="serial", store=store)
    whole = parts(store)
    one, two, _ = sorted(store.glob("parts/*.csv"))
    text = one.read_text(encoding="utf-8")
    spoilt = {"cut": text[:50], "changed": text.replace("1.0", "1.1"), "moved": two.read_text("utf-8")}
    one.write_text(spoilt[spoil], encoding="utf-8")
    for attempt in (
        lambda: collect(world, store),
        lambda: sweep(world, plan_of(world), 3, executor="serial", store=store),
    ):
        with pytest.raises(DataError, match="is damaged -> delete this file") as caught:
            attempt()
        assert one.name in str(caught.value) and two.name not in str(caught.value)
    one.unlink()
    sweep(world, plan_of(world), 3, executor="serial", store=store)
    assert parts(store) == whole
    (store / "plan.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="finished cases are kept"):
        collect(world, store)
    (store / "plan.json").unlink()
    sweep(world, plan_of(world), 3, executor="serial", store=store)
    assert parts(store) == whole


def test_a_store_is_held_by_one_process(world: lb.World, tmp_path: Path) -> None:
    plan = read_plan(plan_of(world), world)
    store = Store(tmp_path / "store", plan, world)
    with store.locked():
        for shard in (None, (1, 2)):
            with pytest.raises(DataError, match="in use by another process"):
                sweep(world, plan, 1, executor="serial", store=store.folder, shard=shard)
    with store.locked((1, 2)):
        sweep(world, plan, 2, executor="serial", store=store.folder, shard=(2, 2))
        for shard in (None, (1, 2)):
            with pytest.raises(DataError, match="in use by another process"):
                sweep(world, plan, 2, executor="serial", store=store.folder, shard=shard)
    assert sweep(world, plan, 2, executor="serial", store=store.folder).draws == 2


def test_shards_and_counts_are_checked(world: lb.World) -> None:
    assert parse_shard("2/3") == (2, 3)
    for text in ("0/3", "4/3", "2", "a/b", "1/0"):
        with pytest.raises(DataError, match="write i/n"):
            parse_shard(text)
    given = {"parameters": ["phi"], "theta": [], "time_values": [], "border_hours": []}
    with pytest.raises(DataError, match="the grid has 3 points"):
        sweep(world, plan_of(world, draws="grid", **given), 5, executor="serial")
    with pytest.raises(DataError, match="processes or serial"):
        sweep(world, plan_of(world), 1, executor="cloud")
    for shard in ((0, 3), (4, 3)):
        with pytest.raises(DataError, match=r"give \(i, n\)"):
            sweep(world, plan_of(world), 3, executor="serial", shard=shard)
    with pytest.raises(DataError, match="one folder or several"):
        collect(world, [])


# -- what is collected ---------------------------------------------------------------------------------


def test_percentiles_and_causes_of_a_known_answer(world: lb.World) -> None:
    plan = read_plan(plan_of(world), world)
    cases = []
    for index in range(200):
        numbers = drawn(plan, index)
        income = np.array([1.0 + 0.001 * numbers["phi"] ** 3, 1.0 - 0.01 * numbers["rho"]])
        cases.append(Case(index, {"half": income}, {"half": ""}))
    cases[5] = Case(5, {"half": None}, {"half": "no solution was found"})
    found = collected(world, plan, cases)
    (first, second) = found.rows
    values = [100 * (case.income["half"][0] - 1) for n, case in enumerate(cases) if n != 5]
    assert first["p05"] == pytest.approx(np.percentile(values, 5)) and first["n"] == second["n"] == 199
    assert first["p05"] < first["p50"] < first["p95"]
    top = {row["region"]: row for row in reversed(found.cause_rows)}
    assert (top["KAZ"]["parameter"], top["UZB"]["parameter"]) == ("phi", "rho")
    assert top["KAZ"]["rank_correlation"] == pytest.approx(1.0)
    assert top["UZB"]["rank_correlation"] == pytest.approx(-1.0)
    assert top["KAZ"]["percent_low"] < first["p50"] < top["KAZ"]["percent_high"]
    assert found.unsolved == [{"index": 5, "scenario": "half", "message": "no solution was found"}]
    assert found.status.converged and "1 of 200 cases" in found.status.message
    text = "\n".join(str(section) for section in sweep_sections(world, found))
    assert "no solution was found" in text and "Kazakhstan" in text


def test_a_draw_without_an_answer_does_not_end_the_sweep(
    world: lb.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(self: Any, *given: Any) -> None:
        raise lb.InfeasibleError("the transfer cannot be shipped")

    monkeypatch.setattr("landbridge.model.base.SolvedBase.income", no_answer)
    found = sweep(world, plan_of(world), 2, executor="serial", store=tmp_path / "store")
    assert not found.status.converged and len(found.unsolved) == 2 and not found.rows
    assert collect(world, tmp_path / "store").unsolved[1]["message"] == "the transfer cannot be shipped"


@pytest.mark.parametrize("error", [KeyError("GDP of 2026.4"), np.linalg.LinAlgError("Singular matrix")])
def test_a_draw_that_fails_is_a_draw_without_a_solution(
    world: lb.World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(self: Any, *given: Any) -> None:
        raise error

    monkeypatch.setattr("landbridge.model.base.SolvedBase.income", fails)
    found = sweep(world, plan_of(world), 1, executor="serial")
    assert type(error).__name__ in found.unsolved[0]["message"]


def test_a_scenario_written_for_this_world_is_swept(world: lb.World) -> None:
    half = replace(plan_of(world)["scenarios"][0], base=world.hash[:12])
    found = sweep(world, plan_of(world, scenarios=[half]), 2, executor="serial")
    assert found.status.converged and not found.unsolved
    with pytest.raises(DataError, match="written for World"):
        read_plan(plan_of(world, scenarios=[replace(half, base="0" * 12)]), world)


def test_a_year_is_no_number_to_draw(world: lb.World) -> None:
    with pytest.raises(DataError, match="not a range"):
        read_plan(plan_of(world, parameters=["horizon"], ranges={"horizon": [2023, 2030]}), world)


def test_the_command(
    world: lb.World, folder: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The small World is not complete enough for `data check`.
    monkeypatch.setattr("landbridge.cli.sweep.load_sound", lambda folder: world)
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")
    plan = tmp_path / "plan.toml"
    (tmp_path / "half.toml").write_text(plan_of(world)["scenarios"][0].to_toml(), encoding="utf-8")
    plan.write_text('scenarios = ["half.toml"]\nparameters = ["phi", "rho"]\nseed = 3\n', encoding="utf-8")
    store, given = tmp_path / "store", ("--world", str(folder))
    serially = ("--executor", "serial", *given)
    code, out, err = call("sweep", str(plan), "-n", "21", "-o", str(store), *serially)
    assert code == 0 and "Kazakhstan" in out and "rank correlation" in out and "sweep collect" in err
    code, out, _ = call("sweep", "collect", str(store), "--json", *given)
    result = json.loads(out)["result"]
    assert code == 0 and set(result["real_income"][0]) == {"region", "scenario", "p05", "p50", "p95", "n"}
    assert result["draws"] == 21 and result["causes"][0]["parameter"] in ("phi", "rho")
    for ending in ("csv", "md", "json"):
        code, _, _ = call("sweep", "collect", str(store), "-o", str(tmp_path / f"out.{ending}"), *given)
        assert code == 0 and (tmp_path / f"out.{ending}").stat().st_size > 100
    for words, expected, part in (
        (("sweep", "collect", str(tmp_path / "none"), *given), 3, "holds no plan.json"),
        (("sweep", "collect", *given), 2, "name a folder"),
        (("sweep", str(plan), "-o", "result.json", *serially), 3, "name of a file"),
        (("sweep", str(plan), "--shard", "3", *serially), 3, "write i/n"),
        (("sweep", str(tmp_path / "no.toml"), *serially), 3, "no.toml"),
        (("sweep", str(plan), str(plan), *serially), 2, "one plan at a time"),
    ):
        code, _, err = call(*words)
        assert code == expected and part in err.replace("\n", " "), (words, err)


# -- indices of variance -------------------------------------------------------------------------------


def ishigami(x: np.ndarray[Any, Any]) -> Any:
    """Ishigami and Homma's function of three angles, with a = 7 and b = 0.1."""
    return np.sin(x[0]) + 7.0 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def test_indices_of_a_known_function(world: lb.World) -> None:
    """Ishigami and Homma (1990): S = 0.3139, 0.4424, 0 and T = 0.5576, 0.4424, 0.2437."""
    from scipy.stats import sobol_indices

    plan = read_plan(plan_of(world, draws="saltelli", distribution="uniform"), world)
    keys = ("one", "two", "three")
    plan = replace(plan, moved=tuple(Moved(key, -np.pi, 0.0, np.pi) for key in keys))
    blocks = 2048
    cases = []
    for index in range(blocks * 5 + 3):
        value = float(ishigami(np.array(list(drawn(plan, index).values()))))
        cases.append(Case(index, {"half": np.array([1.0 + 0.001 * value, 1.0])}, {"half": ""}))
    found = collected(world, plan, cases)
    rows = {row["parameter"]: row for row in found.index_rows}
    # Nothing varies for the second region, and the last block is not whole.
    assert {row["region"] for row in found.index_rows} == {"KAZ"} and rows["one"]["n"] == blocks
    assert [row["parameter"] for row in found.index_rows] == ["one", "two", "three"]
    known = {"one": (0.3139, 0.5576), "two": (0.4424, 0.4424), "three": (0.0, 0.2437)}
    for key, exact in known.items():
        for kind, value in zip(("first", "total"), exact, strict=True):
            assert rows[key][kind] == pytest.approx(value, abs=0.02), (key, kind)
            low, high = rows[key][f"{kind}_low"], rows[key][f"{kind}_high"]
            assert low < value < high and high - low < 0.35
    assert found.rows[0]["n"] == 2 * blocks + 2
    values = np.array([100.0 * (case.income["half"][0] - 1.0) for case in cases[: blocks * 5]])
    table = values.reshape(blocks, 5).T
    parts = {"f_A": table[:1], "f_B": table[1:2], "f_AB": table[2:, None]}
    other = sobol_indices(func=parts, n=blocks)
    first, total = ([rows[key][kind] for key in keys] for kind in ("first", "total"))
    np.testing.assert_allclose(first, other.first_order, atol=1e-12)
    np.testing.assert_allclose(total, other.total_order, atol=1e-12)


def test_a_block_is_two_draws_and_each_number_exchanged(world: lb.World) -> None:
    plan = read_plan(plan_of(world, draws="saltelli"), world)
    keys = [moved.key for moved in plan.moved]
    length = len(keys) + 2
    for block in (0, 5):
        a, b, *mixed = (drawn(plan, block * length + j) for j in range(length))
        assert all(a[key] != b[key] for key in keys)
        for key, one in zip(keys, mixed, strict=True):
            assert one == {**a, key: b[key]}
    # As good as the points of one sequence: the means of A and of B are those of the ranges.
    uniform = replace(plan, distribution="uniform")
    for part in (0, 1):
        sample = [drawn(uniform, block * length + part)["phi"] for block in range(64)]
        assert np.mean(sample) == pytest.approx(8.0, abs=0.1)


def test_a_number_without_effect_has_no_index(world: lb.World) -> None:
    """Real income of a World without queues ignores their period."""
    given = {"parameters": ["phi", "queue_period_h"], "theta": [], "time_values": [], "border_hours": []}
    plan = plan_of(world, draws="saltelli", ranges={"queue_period_h": [100.0, 400.0]}, **given)
    found = sweep(world, plan, 17 * 4, executor="serial")
    assert found.draws == 68 and not found.unsolved
    for region in ("KAZ", "UZB"):
        rows = {row["parameter"]: row for row in found.index_rows if row["region"] == region}
        assert rows["queue_period_h"]["total"] == rows["queue_period_h"]["first"] == 0.0
        assert 0.5 < rows["phi"]["first"] < 1.5 and 0.5 < rows["phi"]["total"] < 1.5
        assert rows["phi"]["total_low"] < rows["phi"]["total"] < rows["phi"]["total_high"]
    text = "\n".join(str(section) for section in sweep_sections(world, found))
    assert "queue_period_h" in text and "17 blocks of 4 draws" in text
    # One draw without a solution takes its block with it, and sixteen are needed.
    plan_read, cases = found.plan, list(found.cases)
    cases[7] = replace(cases[7], income={"half": None}, message={"half": "no solution was found"})
    assert {row["n"] for row in collected(world, plan_read, cases).index_rows} == {16}
    few = collected(world, plan_read, cases[:64])
    assert not few.index_rows and few.rows
    text = "\n".join(str(section) for section in sweep_sections(world, few))
    assert "16 complete blocks of 4 draws: ask for -n 64" in text


# -- ranks ---------------------------------------------------------------------------------------------


def test_tau_of_gateways_is_that_of_their_order() -> None:
    one = np.array([9.0, -8.0, 7.0, 6.0, 0.0, 1.0])
    assert ranked(one, 3.0 * one, 4) == (pytest.approx(1.0), 4, [0, 1, 2, 3])
    # Two neighbours exchanged: one pair of six.
    two = np.array([9.0, 7.0, -8.0, 6.0, 0.0, 1.0])
    assert ranked(one, two, 4)[0] == pytest.approx(4.0 / 6.0)
    other = np.array([0.0, 1.0, 7.0, 6.0, 9.0, 8.0])
    assert ranked(one, other, 4)[1] == 2
    assert ranked(one, np.zeros(6), 4) == (None, 0, [0, 1, 2, 3])


def test_gateways_are_ranked_at_the_draws_at_both_ends(world: lb.World, serial: Path) -> None:
    found = collect(world, serial)
    assert not found.rank_rows and not found.gateway_rows
    ranks = with_ranks(world, found)
    (row,) = ranks.rank_rows
    by_index = {case.index: case.income["half"] for case in found.cases}
    weight = world.trade.income / world.trade.income.sum()
    order = sorted(by_index, key=lambda index: float(weight @ by_index[index]))
    assert (row["draw_p05"], row["draw_p95"]) == (order[1], order[22])
    assert row["percent_p05"] == pytest.approx(100.0 * (weight @ by_index[order[1]] - 1.0))
    assert row["gateways"] == len(ranks.gateway_rows) == 5 and row["shared"] == 5
    places = [[one[f"rank_{end}"] for one in ranks.gateway_rows] for end in ("p05", "p95")]
    assert sorted(places[0]) == sorted(places[1]) == [1, 2, 3, 4, 5]
    assert row["kendall"] == pytest.approx(float(kendalltau(*places).statistic))
    # The worth is the derivative after the scenario, at the numbers of the draw.
    plan = found.plan
    case = lb.run(moved_world(world, plan, drawn(plan, order[1])), plan.scenarios[0])
    table = lb.sensitivity(case, of="real_income:world", to="gateways", exact=0)
    hours = table[table["target"] == "time_h"].set_index("id")["usd_per_unit_year"]
    for one in ranks.gateway_rows:
        assert one["usd_per_h_p05"] == pytest.approx(hours[one["gateway"]], rel=0.2)
    text = "\n".join(str(section) for section in sweep_sections(world, ranks))
    assert "Kendall's tau" in text and f"{row['kendall']:.2f}" in text
    few = replace(found, cases=found.cases[:19])
    assert not with_ranks(world, few).rank_rows
