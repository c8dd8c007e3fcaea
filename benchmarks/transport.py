"""Times of the freight half: graph, route sets, skims, flows and derivatives on the embedded network.

Medians of five on the embedded data, one thread. Run from the repository: python benchmarks/transport.py
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import numpy as np  # noqa: E402

from landbridge.transport import (  # noqa: E402
    align,
    compile_graph,
    freight_segments,
    generate,
    keeps_every_family,
    pivot,
    route,
    solve_base,
)
from landbridge.transport.routes.nests import Nests  # noqa: E402
from mini_world import added, changed, real_world  # noqa: E402


def median(work: Callable[[], Any], times: int = 5) -> tuple[float, Any]:
    """Median wall time of a few runs, and what the last one gave."""
    taken, result = [], None
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken), result


def peak_mb() -> float:
    """Largest resident memory of this process so far [MB]; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main() -> None:
    """Print one JSON object: seconds by piece of work, sizes and targets."""
    world = real_world()
    if world is None:
        raise SystemExit("build the embedded network first: make data")
    zones = [str(row["place_id"]) for row in world.network["zones"]]
    regions = [str(row["region"]) for row in world.network["zones"]]
    wanted = np.array(regions)[:, None] != np.array(regions)[None, :]
    every = keeps_every_family(world, regions, regions)
    seconds: dict[str, float] = {}

    seconds["compile_graph"], graph = median(lambda: compile_graph(world))
    seconds["generate"], routes = median(lambda: generate(graph, zones, zones, wanted, every_family=every))
    after_generate = peak_mb()
    place = {"place_id": "MIDWAY", "name": "Midway", "country": "KGZ", "lon": 74.0, "lat": 40.6}
    link = {"mode": "rail-1435", "speed_kmh": 60.0, "from_place": "KHG"}
    railway = added(
        added(world, "places", place),
        "links",
        {**link, "link_id": "X1", "to_place": "MIDWAY", "length_km": 344.0},
        {**link, "link_id": "X2", "from_place": "MIDWAY", "to_place": "AND", "length_km": 200.0},
    )
    shut = changed(world, "gateways", "gateway_id", "khorgos-altynkol", status="closed")
    for name, other in (("with_new_railway", railway), ("with_closed_border", shut)):
        graphs = align([world, other])
        seconds[f"generate_{name}"], _ = median(
            lambda graphs=graphs: generate(graphs, zones, zones, wanted, every_family=every), 3
        )

    of = dict(zip(zones, regions, strict=True))
    ends = [[of[graph.places[p]] for p in side] for side in (routes.origin, routes.destination)]
    seconds["classes"], classes = median(lambda: freight_segments(world, ends[0], ends[1]))
    available = routes.available(graph)
    routes.sums(graph)
    seconds["sums"], sums = median(lambda: routes.sums(graph))
    seconds["nests"], nests = median(lambda: Nests.of(routes, graph))
    seconds["solve_base"], base = median(lambda: solve_base(routes, classes, sums, available, nests))
    seconds["new_costs_on_kept_sets"], choice = median(lambda: pivot(base, routes.sums(graph), available), 9)
    demand = np.ones((routes.n_pairs, len(classes.sectors)))
    seconds["assign"], flows = median(lambda: choice.assign(demand))
    seconds["vjp_of_costs"], _ = median(lambda: choice.vjp(cost_bar=demand))
    seconds["vjp_of_costs_and_flows"], _ = median(lambda: choice.vjp(demand, flows, demand))
    seconds["route_one_pair"], _ = median(lambda: route(world, "CKG", "DUI"))

    cold = seconds["generate"] + seconds["nests"] + seconds["solve_base"]
    print(
        json.dumps(
            {
                "seconds": {name: round(value, 4) for name, value in seconds.items()},
                "skims_cold_s": round(cold, 3),
                "targets": {"skims_cold_s": 1.5, "new_costs_on_kept_sets": 0.05},
                "pairs": routes.n_pairs,
                "routes": routes.n_routes,
                "arcs": graph.n_arcs,
                "peak_mb": {"after_generate": round(after_generate, 1), "whole": round(peak_mb(), 1)},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
