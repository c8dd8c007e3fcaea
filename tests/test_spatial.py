"""The spatial layer: its columns against an exact nonlinear solve, its laws, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import root

from landbridge.errors import DataError, InfeasibleError
from landbridge.trade.spatial import COLUMNS, Flow, SpatialNetwork, link_values, read_network

NODES = "node_id,labor,income\nA,1.0,1.2\nB,1.1,1.0\nC,0.9,0.8\nD,0.6,0.7\n"
HEADER = "edge_id,physical_link_id,origin,destination,mode,flow,origin_terminal_id,destination_terminal_id\n"
PAIRS = {"AB": (0.05, 0.02), "AC": (0.04, 0.0), "BC": (0.03, 0.025), "BD": (0.02, 0.015), "CD": (0.035, 0.0)}
GIVEN: dict[str, Any] = {"alpha": 0.1, "beta": -0.3, "sigma": 6.0, "eta": 1.5}
SLOW: dict[str, Any] = {"congestion": {"road": 0.09}, "terminals": {"rail": 0.04}}


def rows(round_trip: float = 0.004) -> list[str]:
    """Both directions of every pair alike, but for some more traffic A to B to C to A."""
    extra = {"AB", "BC", "CA"}
    lines = []
    for link, (road, rail) in PAIRS.items():
        for edge in (link, link[::-1]):
            flow = road + round_trip * (edge in extra)
            lines.append(f"{edge},{link},{edge[0]},{edge[1]},road,{flow},,")
            if rail:
                lines.append(f"{edge},{link},{edge[0]},{edge[1]},rail,{rail},T{edge[0]},T{edge[1]}")
    return lines


def folder(tmp_path: Path, nodes: str = NODES, lines: list[str] | None = None) -> Path:
    (tmp_path / "nodes.csv").write_text(nodes, encoding="utf-8")
    text = HEADER + "\n".join(rows() if lines is None else lines) + "\n"
    (tmp_path / "edge_modes.csv").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def network(tmp_path: Path) -> SpatialNetwork:
    return read_network(folder(tmp_path))


# ---- an exact solve to compare with -----------------------------------------------------------------


class Exact:
    """The model over pairs of zones in hats, its traffic by paths; it shares no equation with the code."""

    def __init__(self, network: SpatialNetwork, fixed: bool, slow: dict[str, Any]) -> None:
        self.net, self.fixed = network, fixed
        self.y, self.L = network.income, network.labor
        names = list(network.nodes)
        self.edges = list(dict.fromkeys((f.origin, f.destination) for f in network.flows))
        self.of = np.array([self.edges.index((f.origin, f.destination)) for f in network.flows])
        self.k = np.array([names.index(o) for o, _ in self.edges])
        self.l = np.array([names.index(d) for _, d in self.edges])
        self.flow = np.array([f.flow for f in network.flows])
        self.traffic = np.bincount(self.of, self.flow)
        self.own = np.array([slow.get("congestion", {}).get(f.mode, 0.0) for f in network.flows])
        self.at = np.array([slow.get("terminals", {}).get(f.mode, 0.0) for f in network.flows])
        through = self.y + np.bincount(self.k, self.traffic, len(names))
        self.step = self.traffic / through[self.k]
        self.paths, self.passes = self.walks(np.ones(len(self.edges)))
        self.trade = self.y[:, None] * self.paths * self.y / through

    def walks(self, kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights of all walks [i, j], and how often those of i to j pass each edge [i, j, e]."""
        matrix = np.zeros((len(self.y), len(self.y)))
        matrix[self.k, self.l] = self.step * kernel
        reach = np.linalg.inv(np.eye(len(self.y)) - matrix)
        onto = reach[:, None, self.k] * (self.step * kernel) * reach[self.l].T[None]
        return reach, onto / reach[:, :, None]

    def terminals(self, flow: np.ndarray) -> np.ndarray:
        """The log of what leaves the one terminal and enters the other, summed, [a]."""
        leaves: dict[str, float] = {}
        enters: dict[str, float] = {}
        for f, value in zip(self.net.flows, flow, strict=True):
            leaves[f.start] = leaves.get(f.start, 0.0) + value
            enters[f.end] = enters.get(f.end, 0.0) + value
        logs = [np.log(leaves[f.start] * enters[f.end]) if f.start else 0.0 for f in self.net.flows]
        return np.array(logs)

    def welfare(self, shock: np.ndarray, alpha: float, beta: float, sigma: float, eta: float) -> float:
        theta, n = sigma - 1, len(self.y)
        share, before = self.flow / self.traffic[self.of], self.terminals(self.flow)

        def gap(z: np.ndarray) -> np.ndarray:
            w, labor, W, flow = np.exp(z[:n]), np.exp(z[n : 2 * n]), np.exp(z[2 * n]), z[2 * n + 1 :]
            slowed = self.at * (self.terminals(self.flow * np.exp(flow)) - before)
            cost = np.exp(shock + self.own * flow + slowed)
            edge = np.bincount(self.of, share * cost**-eta) ** (-1 / eta)
            reach, passes = self.walks(edge**-theta)
            if self.fixed:
                passes = self.passes
                ease = np.exp(-theta * passes @ np.log(edge))
            else:
                ease = reach / self.paths
            seller = (w * labor**-alpha) ** -theta
            price = ((self.trade / self.y * ease * seller[:, None]).sum(axis=0)) ** (-1 / theta)
            income = self.y * w * labor
            trade = self.trade * ease * seller[:, None] * price**theta * income / self.y
            now = np.einsum("ij,ije->e", trade, passes)[self.of] * share * (cost / edge[self.of]) ** -eta
            return np.concatenate(
                [
                    (trade.sum(axis=1) / income - 1)[1:],
                    [income.sum() - 1, (self.L * labor).sum() - 1],
                    np.log(w * labor**beta / price / W),
                    np.log(now / self.flow) - flow,
                ]
            )

        found = root(gap, np.zeros(2 * n + 1 + len(self.flow)), tol=1e-13)
        assert np.abs(found.fun).max() < 1e-11
        return float(found.x[2 * n])


@pytest.mark.parametrize("column", ["full", "fixed_routes", "no_congestion"])
def test_each_column_is_the_slope_of_an_exact_solve(column: str, network: SpatialNetwork) -> None:
    exact = Exact(network, column == "fixed_routes", {} if column == "no_congestion" else SLOW)
    ours = link_values(network, **GIVEN, **SLOW, columns=[column])[column]
    step = 1e-3
    for link in ("AB", "BC", "CD"):
        cut = np.array([f.link == link and f.mode == "road" for f in network.flows], dtype=float)
        slope = [exact.welfare(-size * step * cut, **GIVEN) for size in (1, -1, 2, -2)]
        value = (8 * (slope[0] - slope[1]) - (slope[2] - slope[3])) / (12 * step)
        assert ours[link] == pytest.approx(value, rel=1e-7)


# ---- laws --------------------------------------------------------------------------------------------


def test_hulten_without_spillovers_and_congestion(network: SpatialNetwork) -> None:
    table = link_values(network, alpha=0, beta=0, sigma=5, eta=1.1)
    assert list(table.columns) == list(COLUMNS) and list(table.index) == list(PAIRS)
    assert table.hulten["AB"] == pytest.approx(2 * 0.05 + 0.004)
    for column in COLUMNS[1:]:
        np.testing.assert_allclose(table[column], table.hulten, rtol=1e-10)


def test_fixed_routes_matter_only_where_traffic_slows(network: SpatialNetwork) -> None:
    table = link_values(network, **GIVEN)
    np.testing.assert_allclose(table.fixed_routes, table.no_congestion, rtol=1e-10)
    np.testing.assert_allclose(table.full, table.no_congestion, rtol=1e-10)
    slow = link_values(network, **GIVEN, **SLOW)
    assert (abs(slow.fixed_routes / slow.full - 1) > 1e-3).all()
    np.testing.assert_allclose(slow.no_congestion, table.no_congestion, rtol=1e-12)


def test_another_mode_and_chosen_columns(network: SpatialNetwork) -> None:
    rail = link_values(network, **GIVEN, **SLOW, mode="rail", columns=["hulten", "full"])
    assert list(rail.columns) == ["hulten", "full"] and list(rail.index) == ["AB", "BC", "BD"]
    np.testing.assert_allclose(rail.hulten, [0.04, 0.05, 0.03])


def test_parallel_edges_are_one_edge_with_their_sum(tmp_path: Path) -> None:
    """Two edges of the same ends act as one where routes answer costs as modes do, eta = theta."""
    nodes, (labor, income) = ("A", "B", "C"), np.array([[0.4, 0.3, 0.3], [0.5, 0.2, 0.3]])
    pairs = [("A", "B"), ("B", "C"), ("C", "A")]
    ends = pairs + [(d, o) for o, d in pairs]
    modes = [Flow(o + d, o + d, o, d, m, f) for o, d in ends for m, f in (("road", 0.1), ("rail", 0.05))]
    split = [
        Flow(o + d + m, o + d + m, o, d, m, f) for o, d in ends for m, f in (("road", 0.1), ("rail", 0.05))
    ]
    given = {"alpha": 0.1, "beta": -0.3, "sigma": 4.0, "eta": 3.0, "congestion": {"road": 0.1}}
    whole = link_values(SpatialNetwork(nodes, labor, income, tuple(modes)), **given)
    apart = link_values(SpatialNetwork(nodes, labor, income, tuple(split)), **given)
    np.testing.assert_allclose(whole.to_numpy()[:, :2], apart.to_numpy()[:, :2], rtol=1e-10)


def test_no_jump_where_the_scale_of_spillovers_is_not_defined(network: SpatialNetwork) -> None:
    """1 + beta (sigma - 1) + alpha sigma = 0 divides by zero in the published form, not in this one."""
    given = {"alpha": 0.0, "beta": -1 / 8, "sigma": 9.0, "eta": 1.1, **SLOW}
    near = link_values(network, **given | {"beta": -1 / 8 + 1e-7})
    np.testing.assert_allclose(link_values(network, **given), near, rtol=1e-5)


# ---- what is refused -----------------------------------------------------------------------------------


def test_unequal_flows_are_named_with_both_sums(tmp_path: Path) -> None:
    lines = rows()
    lines[0] = lines[0].replace("0.054", "0.064")
    with pytest.raises(DataError) as caught:
        read_network(folder(tmp_path, lines=lines))
    assert [fault.where for fault in caught.value.faults] == ["nodes.csv line 2", "nodes.csv line 3"]
    first = caught.value.faults[0]
    assert "'A'" in first.what and "0.114" in first.what and "0.124" in first.what and first.cure


def test_all_faults_of_both_files_at_once(tmp_path: Path) -> None:
    nodes = NODES.replace("B,1.1,1.0", "B,0,x") + "A,1,1\n"
    lines = rows()
    lines[0] = "AB,AB,A,Q,road,-1,,"
    lines[1] = "AB,AB,A,B,rail,0.02,TA,"
    lines[-1] = "DC,AB,D,D,road,0.035,,"
    lines.append(lines[2])
    with pytest.raises(DataError) as caught:
        read_network(folder(tmp_path, nodes, lines))
    text = str(caught.value)
    for part in (
        "nodes.csv line 3: labor is not",
        "nodes.csv line 3: income is not",
        "nodes.csv line 6: node 'A' appears twice",
        "edge_modes.csv line 2: there is no node 'Q'",
        "edge_modes.csv line 2: flow is not",
        "edge_modes.csv line 3: only one end has a terminal",
        "edge_modes.csv line 3: edge 'AB' has other ends",
        "joins other nodes in edge_modes.csv line 2",
        "goes from a node to itself",
        "mode 'road' of edge 'BA' appears twice",
    ):
        assert part in text
    assert all(fault.cure for fault in caught.value.faults)


def test_missing_files_and_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_network(tmp_path)
    assert len(caught.value.faults) == 2
    urban = "node_id,residents,employment\nA,1,1\n"
    with pytest.raises(DataError, match="commuting"):
        read_network(folder(tmp_path, urban))
    with pytest.raises(DataError, match="has no rows"):
        read_network(folder(tmp_path, lines=[]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sigma": 1.0}, "above 1"),
        ({"eta": float("nan")}, "finite"),
        ({"congestion": {"raod": 0.1}}, "did you mean 'road'"),
        ({"terminals": {"road": 0.1}}, "have no terminals"),
        ({"terminals": {"rail": float("inf")}}, "finite"),
        ({"mode": "ship"}, "no flow has the mode 'ship'"),
        ({"columns": ["ful"]}, "did you mean 'full'"),
    ],
)
def test_arguments_that_do_not_fit(change: dict[str, Any], message: str, network: SpatialNetwork) -> None:
    with pytest.raises(DataError, match=message):
        link_values(network, **GIVEN | change)


def test_a_network_by_hand_is_checked_too() -> None:
    with pytest.raises(DataError, match="2 names"):
        SpatialNetwork(("A", "B"), np.ones(1), np.ones(2), ())
    with pytest.raises(DataError, match="there are none"):
        SpatialNetwork((), np.ones(0), np.ones(0), ())


def test_no_value_without_a_derivative(network: SpatialNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    def singular(*_: Any, **__: Any) -> None:
        raise RuntimeError("Factor is exactly singular")

    monkeypatch.setattr("landbridge.trade.spatial.splu", singular)
    with pytest.raises(InfeasibleError, match="no derivative"):
        link_values(network, **GIVEN, columns=["full"])
