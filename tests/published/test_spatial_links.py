"""Values of links in Allen, Fuchs and Wong's examples and in the golden fixtures of their package."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from commands import Reference
from landbridge.trade.spatial import Flow, SpatialNetwork, link_values, read_network

Record = Callable[..., None]

PAPER = "Allen, Fuchs, Wong (2026), From Social Savings to Spatial Equilibrium, synthetic examples"
EXAMPLES = {
    "braess": (
        "braess-link-comparison.csv",
        {"alpha": 0.05, "beta": -0.10, "sigma": 5, "eta": 1.099, "congestion": {"road": 0.08}},
    ),
    "grid_multimodal": (
        "grid-link-comparison.csv",
        {
            "alpha": 0.10,
            "beta": -0.30,
            "sigma": 9,
            "eta": 1.099,
            "congestion": {"road": 0.08},
            "terminals": {"transit": 0.025},
        },
    ),
}


# Synthetic networks under the MIT licence, kept with the tests.
NETWORKS = Path(__file__).resolve().parents[1] / "data" / "allen_fuchs_wong_2026"


@pytest.mark.parametrize("name", EXAMPLES)
def test_link_values_of_the_examples(name: str, reference: Reference, published: Record) -> None:
    answers, given = EXAMPLES[name]
    folder = reference("papers/allen_fuchs_wong_2026")
    printed = pd.read_csv(folder / answers, dtype=str).set_index("physical_link_id")
    ours = link_values(read_network(NETWORKS / name), **given).loc[printed.index]
    assert len(ours) == len(printed)
    for item, row in printed.head(5).iterrows():
        table = f"{name}, primitive_F"
        published(PAPER, table, item, row.primitive_F, ours.full[item], 1e-9 * float(row.primitive_F))
    np.testing.assert_allclose(ours.full, printed.primitive_F.astype(float), rtol=1e-9)
    np.testing.assert_allclose(ours.hulten, printed.hulten.astype(float), rtol=1e-9)


def test_the_directions_of_the_toy(published: Record) -> None:
    """The guide of their package prints each direction to six digits."""
    network = read_network(NETWORKS / "toy")
    split = tuple(
        Flow(f.edge, f.edge, f.origin, f.destination, f.mode, f.flow, f.start, f.end) for f in network.flows
    )
    values = link_values(
        SpatialNetwork(network.nodes, network.labor, network.income, split),
        alpha=0.10,
        beta=-0.30,
        sigma=9,
        eta=1.099,
        congestion={"road": 0.05},
        terminals={"rail": 0.03},
    )
    printed = {"BC": "0.007678", "CB": "0.007644", "AC": "0.006986"}
    printed |= {"AB": "0.006817", "CA": "0.006736", "BA": "0.006597"}
    for edge, text in printed.items():
        published(PAPER, "toy, each direction", edge, text, values.full[edge])


@pytest.mark.parametrize("name", ["efficient", "ext_cong"])
def test_golden_fixtures(name: str) -> None:
    """Each directed edge of six nodes; matrices by row, and the legacy index of modes, so eta below zero."""
    fixture = json.loads((NETWORKS / f"fixture6_{name}.json").read_text(encoding="utf-8"))

    def matrix(key: str) -> np.ndarray:
        entry = fixture[key]
        return np.array(entry["column_major"]).reshape(entry["rows"], entry["cols"])

    share, traffic = matrix("s_all"), matrix("Xi")
    flows = tuple(
        Flow(f"{i}-{j}", f"{i}-{j}", str(i), str(j), mode, traffic[i - 1, j - 1] * share[at, m])
        for at, (i, j) in enumerate(fixture["edges"])
        for m, mode in enumerate(("first", "second"))
    )
    nodes = tuple(str(i + 1) for i in range(6))
    network = SpatialNetwork(nodes, np.array(fixture["omega"]), np.array(fixture["nu"]), flows)
    values = link_values(
        network,
        alpha=fixture["alpha"],
        beta=fixture["beta"],
        sigma=fixture["sigma"],
        eta=-fixture["eta"],
        congestion=dict(zip(("first", "second"), fixture["gam"], strict=True)),
        mode="first",
    )
    at = [f"{i}-{j}" for i, j in fixture["ref_edges"]]
    np.testing.assert_allclose(values.full.loc[at], fixture["eps_ref"], rtol=1e-7)
