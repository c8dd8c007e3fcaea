"""A solved World on its way to another process: small, with the same tables, and routes when asked for."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.errors import LandbridgeError
from landbridge.results import Results

MOST_BYTES = 20_000_000
TABLES = ("real_income", "mode_split", "gateways", "corridors", "links", "transit")
# Reads a pickle and writes its tables as JSON, in a process that has solved nothing.
READ = """
import json, pickle, sys
from pathlib import Path
case = pickle.loads(Path(sys.argv[1]).read_bytes())
tables = {name: getattr(case, name).to_dict("records") for name in sys.argv[2].split()}
print(json.dumps({"json": case.to_json(), "base": case.base.to_json(), "tables": tables, "repr": repr(case)}))
"""


@pytest.fixture(scope="module")
def case() -> Results:
    return embedded.railway().cases[0]


@pytest.fixture(scope="module")
def pickled(case: Results) -> bytes:
    return pickle.dumps(case)


def same(one: Any, two: Any, where: str = "") -> None:
    """Equal to 1e-12, cell by cell."""
    if isinstance(one, dict):
        assert one.keys() == two.keys(), where
        for key in one:
            same(one[key], two[key], f"{where}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(two), where
        for n, (left, right) in enumerate(zip(one, two, strict=True)):
            same(left, right, f"{where}[{n}]")
    elif isinstance(one, float) and isinstance(two, float):
        assert one == pytest.approx(two, rel=1e-12, abs=1e-12, nan_ok=True), where
    else:
        assert one == two, where


def test_a_pickle_is_small_and_gives_the_same_tables_elsewhere(
    case: Results, pickled: bytes, tmp_path: Path
) -> None:
    assert len(pickled) < MOST_BYTES
    file = tmp_path / "case.pickle"
    file.write_bytes(pickled)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(file), " ".join(TABLES)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    there = json.loads(done.stdout)
    assert case.base is not None
    here = {
        "json": case.to_json(),
        "base": case.base.to_json(),
        "tables": {name: getattr(case, name).to_dict("records") for name in TABLES},
        "repr": repr(case),
    }
    same(json.loads(json.dumps(here)), there)


@pytest.mark.slow
def test_tables_of_a_pickle_need_no_routes_and_routes_are_found_again(case: Results, pickled: bytes) -> None:
    twin = pickle.loads(pickled)
    same(json.loads(json.dumps(twin.to_json())), json.loads(json.dumps(case.to_json())))
    assert "choice" not in vars(twin) and "choice" not in vars(twin.base)
    # One that was not asked for its routes can go on as it came.
    further = pickle.loads(pickle.dumps(twin))
    assert further.corridor_rows == case.corridor_rows
    assert "choice" not in vars(twin) and "choice" not in vars(further)
    assert not any(array.flags.writeable for array in (twin.carriage.paid, twin.carriage.rent))
    for waits in ("solved", "base"):
        ours, theirs = (r.skims("MCH", waits=waits) for r in (case, twin))
        np.testing.assert_allclose(ours.iloc[:, 2:], theirs.iloc[:, 2:], rtol=1e-12, equal_nan=True)
    assert twin.choice.base.routes.n_routes == case.choice.base.routes.n_routes
    assert twin.tolls is not None and "choice" in vars(twin.base)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = twin.nothing


@pytest.mark.slow
def test_whatever_of_the_routes_is_asked_for_first_is_found(pickled: bytes) -> None:
    assert pickle.loads(pickled).tolls is not None
    assert pickle.loads(pickled).unqueued is not None


def test_worlds_of_a_study_share_their_files(case: Results) -> None:
    one, two = pickle.loads(pickle.dumps((case.world, case.base.world)))
    assert one.files is two.files and dict(one.files) == dict(lb.load().files)


def test_routes_that_give_other_flows_are_refused(case: Results, pickled: bytes) -> None:
    twin = pickle.loads(pickled)
    vars(twin)["flow_teu"] = twin.flow_teu * 1.001
    with pytest.raises(LandbridgeError, match="cannot be found again"):
        twin.skims("MCH")
    assert "choice" not in vars(twin)


def test_a_world_pickles_small_and_stays_the_same(case: Results) -> None:
    for world in (lb.load(), case.world):
        content = pickle.dumps(world)
        assert len(content) < 5_000_000
        assert pickle.loads(content).hash == world.hash


def test_a_result_without_an_answer_travels_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_STEPS", "MOST_EVALUATIONS"):
        monkeypatch.setattr(f"landbridge.model.waits.{name}", 2)
    solved = lb.run(lb.load(), "khorgos-closed", throw=False)
    assert not solved.status.converged
    twin = pickle.loads(pickle.dumps(solved))
    assert twin.status == solved.status and twin.corridor_rows == solved.corridor_rows
