"""Sweeps on a Dask cluster of this machine: the bytes of serial, workers lost, clusters that are not fit."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import landbridge as lb
from commands import Call
from landbridge.errors import DataError, LandbridgeError
from landbridge.io.optional import cure
from landbridge.sweeps import cluster as clusters
from landbridge.sweeps.run import Workers, collect, sweep
from landbridge.sweeps.threads import ONE_THREAD
from small_folder import write_small_world
from sweep_worlds import plan_of

DRAWS = 12


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> lb.World:
    folder = tmp_path_factory.mktemp("cluster") / "world"
    write_small_world(folder)
    return lb.load(folder)


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """Two workers in processes of their own, on loopback and without a dashboard."""
    import distributed

    made = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", memory_limit=0
    )
    with made:
        yield made


@pytest.fixture
def cluster(local: Any) -> Any:
    """The same, once both workers are there: one that a test ended is started again."""
    assert until(lambda: len(local.scheduler.workers) == 2)
    return local


@pytest.fixture(scope="module")
def serial(world: lb.World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the draws solved in this process."""
    store = tmp_path_factory.mktemp("cluster") / "serial"
    sweep(world, plan_of(world), DRAWS, executor="serial", store=store)
    return store


def parts(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (store / "parts").glob("*.csv")}


def until(true: Callable[[], bool]) -> bool:
    """Whether something comes true within a while."""
    end = time.monotonic() + 30.0
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def emptied(cluster: Any) -> bool:
    """Whether the scheduler forgets every task."""
    return until(lambda: not cluster.scheduler.tasks)


def on(address: str) -> Workers:
    return Workers("dask", scheduler=address)


def test_a_worker_killed_midway_changes_no_byte(
    world: lb.World, cluster: Any, serial: Path, tmp_path: Path
) -> None:
    killed, tasks = list[int](), list[int]()

    def watch(text: str, share: float) -> None:
        tasks.append(len(cluster.scheduler.tasks))
        if share >= 0.25 and not killed:
            worker = next(iter(cluster.workers.values()))
            killed.append(worker.process.pid)
            os.kill(killed[0], signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    store, address = tmp_path / "dask", cluster.scheduler_address
    found = sweep(world, plan_of(world), DRAWS, executor=on(address), store=store, progress=watch)
    assert killed and parts(store) == parts(serial) and len(parts(store)) == DRAWS
    assert found.rows == collect(world, serial).rows and not found.missing
    # The World, two cases for each worker, and what is being handed over, whatever the number of draws.
    assert max(tasks) <= 1 + 2 * 2 + 2 < DRAWS
    assert emptied(cluster)


def test_a_stopped_sweep_keeps_what_is_finished(
    world: lb.World, cluster: Any, serial: Path, tmp_path: Path
) -> None:
    plan, address = plan_of(world), cluster.scheduler_address

    def stop(text: str, share: float) -> None:
        if share >= 0.25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(world, plan, 8, executor=on(address), store=tmp_path / "store", progress=stop)
    kept = parts(tmp_path / "store")
    assert 2 <= len(kept) < 8 and emptied(cluster)
    sweep(world, plan, 8, executor=on(address), store=tmp_path / "store")
    assert kept.items() <= parts(tmp_path / "store").items() <= parts(serial).items()
    assert len(parts(tmp_path / "store")) == 8


def test_a_finished_draw_whose_workers_all_end_stops_the_sweep(
    world: lb.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import distributed

    monkeypatch.setattr(clusters, "_PATIENCE_S", 1.0)
    monkeypatch.setattr(clusters, "_LOOK_S", 0.2)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", memory_limit=0
    ) as one:

        def watch(text: str, share: float) -> None:
            # Another draw is finished and held by the worker that now ends for good.
            if share > 0.0 and one.workers:
                until(lambda: any(task.state == "memory" for task in drawn(one)))
                one.scale(0)
                until(lambda: not one.scheduler.workers)

        with pytest.raises(LandbridgeError, match="has no workers any more"):
            sweep(
                world, plan_of(world), 6, executor=on(one.scheduler_address), store=tmp_path, progress=watch
            )
    assert 1 <= len(parts(tmp_path)) < 6


def drawn(cluster: Any) -> list[Any]:
    """Tasks of draws that the scheduler knows."""
    return [task for key, task in list(cluster.scheduler.tasks.items()) if not key.endswith("-given")]


def test_workers_that_are_all_paused_stop_the_sweep(
    world: lb.World, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(clusters, "_LOOK_S", 0.1)
    monkeypatch.setattr(clusters._Sweep, "_next", lambda self: self._patiently(never))
    monkeypatch.setattr(clusters._Sweep, "_running", lambda self: 0)
    with pytest.raises(LandbridgeError, match=r"paused for lack of memory -> give each worker more"):
        sweep(world, plan_of(world), 1, executor=on(cluster.scheduler_address))
    assert clusters._running(cluster.scheduler) == 2


def never(seconds: float) -> None:
    raise TimeoutError


# -- clusters that are not fit -------------------------------------------------------------------------


def die(*given: Any) -> None:
    """A case that ends its worker, as one that needs too much memory does."""
    os._exit(1)


def test_a_case_that_ends_every_worker_stops_the_sweep(
    world: lb.World, cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    monkeypatch.setattr(clusters, "_one", die)
    with pytest.raises(LandbridgeError, match="what is finished is kept") as caught:
        sweep(world, plan_of(world), 1, executor=on(cluster.scheduler_address), store=tmp_path / "store")
    (fault,) = caught.value.faults
    assert caught.value.exit_code == 1 and fault.where == "workers" and "draw 0" in fault.what


def test_a_worker_that_joins_with_another_version_is_named(
    world: lb.World, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "version", lambda: "9.9")
    address = cluster.scheduler_address
    with pytest.raises(DataError, match=r"has landbridge \S+, not 9\.9 -> install landbridge 9\.9") as caught:
        sweep(world, plan_of(world), 1, executor=on(address))
    # Every worker, before anything is solved; the scheduler is in this process.
    assert len(caught.value.faults) == len(cluster.scheduler.workers)
    monkeypatch.setattr(clusters, "_require_fit", lambda *given: None)
    with pytest.raises(DataError, match=r"worker tcp://127\.0\.0\.1:\d+: has landbridge"):
        sweep(world, plan_of(world), 1, executor=on(address))


def test_a_worker_without_this_landbridge_is_named(world: lb.World, cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "landbridge").mkdir()
    (tmp_path / "landbridge" / "__init__.py").write_text("", encoding="utf-8")
    words = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address]
    words += ["--host", "127.0.0.1", "--no-nanny", "--no-dashboard", "--nthreads", "1", "--name", "old"]
    several = {name: text for name, text in os.environ.items() if not name.endswith("_NUM_THREADS")}
    old = subprocess.Popen(words, env={**several, "PYTHONPATH": str(tmp_path)}, stderr=subprocess.DEVNULL)

    def places() -> list[str]:
        return [worker.address for worker in cluster.scheduler.workers.values() if worker.name == "old"]

    try:
        assert until(lambda: len(places()) == 1)
        where = f"worker {places()[0]}"
        with pytest.raises(DataError, match="the cluster cannot solve this sweep") as caught:
            sweep(world, plan_of(world), 1, executor=on(cluster.scheduler_address))
    finally:
        old.kill()
        old.wait()
    (fault,) = caught.value.faults
    assert fault.where == where and "does not have this landbridge" in fault.what
    assert f"install landbridge {lb.__version__} there" in fault.cure


@pytest.mark.parametrize(
    ("stamp", "parts"),
    [
        ({}, []),
        ({"OPENBLAS_NUM_THREADS": None, "MKL_NUM_THREADS": None}, []),
        ({"OMP_NUM_THREADS": None}, ["several threads"]),
        ({"MKL_NUM_THREADS": "4"}, ["several threads"]),
        ({"landbridge": "0.0.1", "scipy": "1.0"}, ["has landbridge 0.0.1, not", "has scipy 1.0, not"]),
        (ModuleNotFoundError("No module named 'landbridge'"), ["does not have this landbridge"]),
        (
            Exception("ModuleNotFoundError(\"No module named 'landbridge'\")"),
            ["does not have this landbridge"],
        ),
        (OSError("gone"), ["does not answer"]),
    ],
)
def test_every_fault_of_a_worker_is_listed(stamp: Any, parts: list[str]) -> None:
    own = {**clusters._stamp(), **dict.fromkeys(clusters._THREADS, "1")}
    found = clusters._unfit("worker w", {**own, **stamp} if isinstance(stamp, dict) else stamp, own)
    assert len(found) == len(parts)
    for fault, part in zip(found, parts, strict=True):
        assert fault.where == "worker w" and part in fault.what and fault.cure


# -- schedulers ----------------------------------------------------------------------------------------


def test_a_cluster_without_workers_and_one_that_ends(
    world: lb.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import distributed

    monkeypatch.setattr(clusters, "_PATIENCE_S", 0.3)
    monkeypatch.setattr(clusters, "_LOOK_S", 0.1)
    monkeypatch.setattr(clusters, "_REACH_S", 3.0)
    with distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as empty:
        address = empty.scheduler_address
        with pytest.raises(DataError, match=r"has no workers after .* -> .*dask worker tcp://127"):
            sweep(world, plan_of(world), 1, executor=on(address))
        # Its last worker gone after the sweep began.
        monkeypatch.setattr(clusters, "_require_workers", lambda *given: {})
        with pytest.raises(LandbridgeError, match=r"has no workers any more -> .*the same command"):
            sweep(world, plan_of(world), 1, executor=on(address))
        monkeypatch.setattr(clusters, "_PATIENCE_S", 60.0)

        def finish() -> None:
            until(lambda: bool(empty.scheduler.tasks))
            empty.close()

        end = threading.Thread(target=finish)
        end.start()
        with pytest.raises(LandbridgeError, match="no longer answers") as caught:
            sweep(world, plan_of(world), 1, executor=on(address))
        end.join()
    assert caught.value.exit_code == 1


def test_what_is_no_scheduler_is_said_within_seconds(
    world: lb.World, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = next(iter(cluster.scheduler.workers))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begin = time.monotonic()
        for address, why in (
            (f"tcp://127.0.0.1:{port}", "no reply within 1 s"),
            (f"tls://127.0.0.1:{port}", "tls needs certificates"),
            (worker, "what answers is a Worker"),
        ):
            with monkeypatch.context() as patch, pytest.raises(DataError, match=why) as caught:
                patch.setattr(clusters, "_REACH_S", 1.0 if "no reply" in why else 10.0)
                sweep(world, plan_of(world), 1, executor=on(address))
            (fault,) = caught.value.faults
            assert fault.where == address and "dask scheduler" in fault.cure
    with pytest.raises(DataError, match="no scheduler of Dask answers there"):
        sweep(world, plan_of(world), 1, executor=on(f"127.0.0.1:{port}"))
    assert time.monotonic() - begin < 20.0


@pytest.mark.parametrize(
    "address", ["foo", "http://127.0.0.1:80", "tcp://127.0.0.1", "tcp://h:99999", "inproc://x"]
)
def test_what_is_no_address_is_refused(world: lb.World, address: str) -> None:
    with pytest.raises(DataError, match=r"write tcp://HOST:PORT"):
        sweep(world, plan_of(world), 1, executor=on(address))


@pytest.mark.parametrize(
    ("hired", "parts"),
    [
        (Workers("dask"), ["is needed for the executor dask"]),
        (Workers("dask", 2), ["is needed for the executor dask", "a cluster has its own"]),
        (Workers("dask", 2, "tcp://127.0.0.1:1"), ["a cluster has its own"]),
        (Workers("serial", None, "tcp://127.0.0.1:1"), ["the executor is 'serial'"]),
    ],
)
def test_options_that_do_not_go_together(world: lb.World, hired: Workers, parts: list[str]) -> None:
    with pytest.raises(DataError, match="the options are not valid") as caught:
        sweep(world, plan_of(world), 1, executor=hired)
    assert len(caught.value.faults) == len(parts)
    for fault, part in zip(caught.value.faults, parts, strict=True):
        assert part in fault.what and fault.cure


def test_the_command(
    world: lb.World, cluster: Any, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landbridge.cli.sweep.load_sound", lambda folder: world)
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")
    (tmp_path / "half.toml").write_text(plan_of(world)["scenarios"][0].to_toml(), encoding="utf-8")
    plan = tmp_path / "plan.toml"
    plan.write_text('scenarios = ["half.toml"]\nparameters = ["phi", "rho"]\n', encoding="utf-8")
    words = ("sweep", str(plan), "-n", "2", "--json", "--executor")
    code, serial, _ = call(*words, "serial")
    assert code == 0
    dask = (*words, "dask", "--scheduler", cluster.scheduler_address)
    code, out, err = call(*dask)
    assert code == 0 and json.loads(out)["result"] == json.loads(serial)["result"] and "Traceback" not in err
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, out, err = call(*dask)
    needed = f"the executor dask needs distributed, which is not installed: {cure('dask')}"
    assert (code, out) == (1, "") and needed in err
