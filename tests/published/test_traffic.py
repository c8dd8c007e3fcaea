"""User equilibrium on the reference networks: the objective that others found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from commands import Reference
from landbridge.transport import assign, read_tntp

PAPER = "Transportation Networks for Research (traffic assignment)"
BEST = {"SiouxFalls": 4231335.287107440, "Winnipeg": 827911.494629963}


@pytest.mark.parametrize("name", ["SiouxFalls", "Anaheim", "Winnipeg"])
def test_objective_of_traffic_networks(
    name: str, reference: Reference, published: Callable[..., None]
) -> None:
    folder = reference(f"traffic/{name}")
    network, demand = read_tntp(folder / f"{name}_net.tntp", folder / f"{name}_trips.tntp")
    if name in BEST:
        best = BEST[name]
    else:  # not published: recomputed from the published link flows
        rows = np.loadtxt(folder / f"{name}_flow.tntp", skiprows=1)
        volume = {(int(a), int(b)): v for a, b, v in rows[:, :3]}
        flow = np.array([volume[a, b] for a, b in zip(network.tail, network.head, strict=True)])
        best = network.beckmann(flow)
    found = assign(network, demand, gap=1e-8)
    assert found.status.converged and found.relative_gap <= 1e-8
    published(PAPER, "Beckmann objective", name, best, found.objective, 2e-8 * best)
