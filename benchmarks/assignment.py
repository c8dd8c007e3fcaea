"""Times of assignment on three reference networks: user equilibrium and weibit, gap 1e-8.

Medians of three, one thread, after compilation. AequilibraE, where it is installed, is timed beside on the
same files, at the gap of 1e-6 (or 500 rounds) that its link-based method can reach. The networks are not
part of landbridge: a folder with SiouxFalls, Anaheim and Winnipeg in TNTP format is given, or
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
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

import numpy as np  # noqa: E402

from landbridge.transport import assign, read_tntp  # noqa: E402
from landbridge.world.road_network import Demand, Network  # noqa: E402

NETWORKS = ("SiouxFalls", "Anaheim", "Winnipeg")
GAP = 1e-8
BEST = {"SiouxFalls": 4231335.287107440, "Winnipeg": 827911.494629963}


def median(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Median wall time of a few runs, and what the last one gave."""
    taken, result = [], None
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken), result


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
    task = TrafficAssignment()
    task.set_classes([TrafficClass("car", graph, matrix)])
    task.set_vdf("BPR")
    task.set_vdf_parameters({"alpha": "b", "beta": "power"})
    task.set_capacity_field("capacity")
    task.set_time_field("free_flow_time")
    task.set_algorithm("bfw")
    task.set_cores(1)
    task.max_iter = 500
    task.rgap_target = 1e-6
    start = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars
        task.execute()
    seconds = time.perf_counter() - start
    flow = task.results().sort_index()["trips_ab"].to_numpy()
    return {
        "seconds": round(seconds, 3),
        "relative_gap": float(task.assignment.rgap),
        "objective": network.beckmann(flow),
    }


def main() -> None:
    """Print one JSON object: seconds, gaps and objectives by network, and the target."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "reference" / "traffic"
    if not folder.is_dir():
        print(json.dumps({"assignment": f"not timed: no folder {folder.name} with the reference networks"}))
        return
    compiled = find_spec("numba") is not None
    known = find_spec("aequilibrae") is not None
    result: dict[str, Any] = {}
    for name in NETWORKS:
        network, demand = read_tntp(folder / name / f"{name}_net.tntp", folder / name / f"{name}_trips.tntp")
        assign(network, demand, gap=1e-2)
        seconds, found = median(lambda n=network, d=demand: assign(n, d, gap=GAP))
        row = {
            "seconds": round(seconds, 3),
            "relative_gap": found.relative_gap,
            "objective": found.objective,
            "above_best_known": found.objective / BEST[name] - 1 if name in BEST else None,
        }
        seconds, other = median(lambda n=network, d=demand: assign(n, d, model="weibit", gap=GAP), 1)
        row["weibit"] = {"seconds": round(seconds, 3), "relative_gap": other.relative_gap}
        if known:
            try:
                row["aequilibrae"] = aequilibrae(network, demand)
            except Exception as error:
                row["aequilibrae"] = f"did not run: {type(error).__name__}: {error}"
        result[name] = row
    total = sum(row["seconds"] for row in result.values())
    print(
        json.dumps(
            {
                "gap": GAP,
                "compiled": compiled,
                "networks": result,
                "total_s": round(total, 3),
                "targets": {"total_s": 3.0},
                "aequilibrae": "timed beside" if known else "not installed: pip install aequilibrae",
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
