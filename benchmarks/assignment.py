"""Times of assignment on three reference networks: user equilibrium at gaps 1e-8 and 1e-10, and weibit.

Wall and processor time, medians of five, one thread, after compilation, the load average of the machine
beside. AequilibraE, where installed, is timed on the same files by its bi-conjugate Frank-Wolfe, at the
gap of 1e-6 (or 1,000 rounds) that its link-based method can reach, and ours once more at that gap. It is no
dependency of landbridge: without it the comparison is left out and the output says so. The networks are not
part of landbridge either: a folder with SiouxFalls, Anaheim and Winnipeg in TNTP format is given, or
../shared/reference/traffic is used. Run from the repository: python benchmarks/assignment.py [FOLDER]
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

import numpy as np  # noqa: E402

from landbridge.transport import assign, read_tntp  # noqa: E402
from landbridge.world.road_network import Demand, Network  # noqa: E402

NETWORKS = ("SiouxFalls", "Anaheim", "Winnipeg")
GAP = 1e-8
TIGHT_GAP = 1e-10
RIVAL_GAP = 1e-6
RIVAL_ROUNDS = 1000
RUNS = 5
BEST = {"SiouxFalls": 4231335.287107440, "Winnipeg": 827911.494629963}


def median(work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Median wall and processor time of a few runs, and what the last one gave."""
    wall, processor, result = [], [], None
    for _ in range(RUNS):
        start, used = time.perf_counter(), time.process_time()
        result = work()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return {
        "wall_s": round(statistics.median(wall), 3),
        "processor_s": round(statistics.median(processor), 3),
    }, result


def load() -> float | None:
    """Processes that wanted a core during the last minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def aequilibrae(network: Network, demand: Demand) -> dict[str, Any]:
    """The same assignment by AequilibraE's bi-conjugate Frank-Wolfe: seconds, gap and objective reached."""
    import pandas as pd
    from aequilibrae.matrix import AequilibraeMatrix
    from aequilibrae.paths import Graph, TrafficAssignment, TrafficClass

    links = len(network.tail)
    graph = Graph()
    graph.network = pd.DataFrame(
        {
            "link_id": np.arange(1, links + 1),
            "a_node": network.tail,
            "b_node": network.head,
            "direction": 1,
            "capacity": network.capacity,
            # AequilibraE refuses times of zero, and powers of zero where b is zero.
            "free_flow_time": np.maximum(network.time + network.fixed, 1e-6),
            "b": network.b,
            "power": np.maximum(network.power, 1.0),
        }
    )
    graph.prepare_graph(np.arange(1, network.zones + 1))
    graph.set_graph("free_flow_time")
    graph.set_blocked_centroid_flows(network.first_through_node > 1)
    table = np.zeros((network.zones, network.zones))
    np.add.at(table, (demand.origin - 1, demand.destination - 1), demand.trips)
    matrix = AequilibraeMatrix()
    matrix.create_empty(zones=network.zones, matrix_names=["trips"], memory_only=True)
    matrix.index[:] = np.arange(1, network.zones + 1)
    matrix.matrices[:, :, 0] = table
    matrix.computational_view(["trips"])

    def once() -> TrafficAssignment:
        return _execute(TrafficAssignment(), TrafficClass("car", graph, matrix))

    taken, task = median(once)
    flow = task.results().sort_index()["trips_ab"].to_numpy()
    return taken | {
        "relative_gap": float(task.assignment.rgap),
        "objective": network.beckmann(flow),
        "version": version("aequilibrae"),
    }


def _execute(task: Any, trips: Any) -> Any:
    task.set_classes([trips])
    task.set_vdf("BPR")
    task.set_vdf_parameters({"alpha": "b", "beta": "power"})
    task.set_capacity_field("capacity")
    task.set_time_field("free_flow_time")
    task.set_algorithm("bfw")
    task.set_cores(1)
    task.max_iter = RIVAL_ROUNDS
    task.rgap_target = RIVAL_GAP
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars
        task.execute()
    return task


def main() -> None:
    """Print one JSON object: seconds, gaps and objectives by network, and the target."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "reference" / "traffic"
    if not folder.is_dir():
        print(json.dumps({"assignment": f"not timed: no folder {folder.name} with the reference networks"}))
        return
    compiled = find_spec("numba") is not None
    known = find_spec("aequilibrae") is not None
    result: dict[str, Any] = {}
    before = load()
    for name in NETWORKS:
        network, demand = read_tntp(folder / name / f"{name}_net.tntp", folder / name / f"{name}_trips.tntp")
        assign(network, demand, gap=1e-2)
        taken, found = median(lambda n=network, d=demand: assign(n, d, gap=GAP))
        row: dict[str, Any] = taken | {
            "relative_gap": found.relative_gap,
            "objective": found.objective,
            "above_best_known": found.objective / BEST[name] - 1 if name in BEST else None,
        }
        taken, other = median(lambda n=network, d=demand: assign(n, d, gap=TIGHT_GAP))
        row["tight"] = taken | {"relative_gap": other.relative_gap, "objective": other.objective}
        taken, other = median(lambda n=network, d=demand: assign(n, d, model="weibit", gap=GAP))
        row["weibit"] = taken | {"relative_gap": other.relative_gap, "paths": len(other.path_flow)}
        if known:
            try:
                taken, other = median(lambda n=network, d=demand: assign(n, d, gap=RIVAL_GAP))
                row["at_the_gap_of_aequilibrae"] = taken | {"relative_gap": other.relative_gap}
                row["aequilibrae"] = aequilibrae(network, demand)
            except Exception as error:
                row["aequilibrae"] = f"did not run: {type(error).__name__}: {error}"
        result[name] = row
    total = {key: round(sum(row[key] for row in result.values()), 3) for key in ("wall_s", "processor_s")}
    print(
        json.dumps(
            {
                "gap": GAP,
                "compiled": compiled,
                "runs": RUNS,
                "networks": result,
                "total": total,
                "targets": {"wall_s": 3.0},
                "load_average": {"before": before, "after": load()},
                "aequilibrae": "timed beside"
                if known
                else "left out: not installed (pip install aequilibrae)",
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
