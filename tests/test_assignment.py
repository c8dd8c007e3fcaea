"""Assignment: answers by hand, cases where known tools fail, and faults of files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from landbridge.errors import ConvergenceError, DataError
from landbridge.transport import assign, read_tntp
from landbridge.world.road_network import Demand, Network


def network(links: list[tuple[float, ...]], zones: int = 2, through: int = 1) -> Network:
    """Links as (from, to, time, b, power, capacity)."""
    rows = np.array([(*link, *(0.0, 1.0, 1.0)[len(link) - 3 :]) for link in links], dtype=float)
    tail, head = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    none = np.zeros(len(rows))
    time, b, power, capacity = (rows[:, j] for j in range(2, 6))
    nodes = int(max(tail.max(), head.max()))
    return Network(nodes, zones, tail, head, capacity, time, b, power, none, none, none, through)


def trips(*rows: tuple[int, int, float]) -> Demand:
    table = np.array(rows, dtype=float)
    return Demand(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])


def test_two_links_into_a_node_and_none_out() -> None:
    ends = [(1, 3), (3, 5), (4, 5), (3, 6), (6, 4), (3, 7), (7, 4), (4, 2)]
    costs = [1, 1, 1, 10, 10, 50, 50, 1]
    net = network([(*e, c) for e, c in zip(ends, costs, strict=True)])
    found = assign(net, trips((1, 2, 1.0)))
    assert found.pair_cost[0] == 22
    assert found.flow.tolist() == [1, 0, 0, 1, 1, 0, 0, 1]


def test_braess_by_hand(shared: Path) -> None:
    """Six trips, two on each of three paths, 92 each; without the bridge three on each of two, 83."""
    folder = shared / "reference" / "traffic" / "Braess-Example"
    net, demand = read_tntp(folder / "Braess_net.tntp", folder / "Braess_trips.tntp")
    found = assign(net, demand, gap=1e-12)
    assert found.pair_cost == pytest.approx([92], abs=1e-6)
    assert sorted(found.path_flow) == pytest.approx([2, 2, 2], abs=1e-6)


def test_pigou_and_parallel_links() -> None:
    """Cost 1 beside cost v: all on the second until it costs 1. Parallel links stay two links."""
    net = network([(1, 2, 1.0), (1, 2, 1e-9, 1e9, 1.0, 1.0)])
    found = assign(net, trips((1, 2, 3.0)), gap=1e-10)
    assert found.flow == pytest.approx([2, 1], abs=1e-6)
    assert found.objective == pytest.approx(2.5, rel=1e-8)


def test_power_below_one_with_b_zero_and_free_two_way_links() -> None:
    net = network([(1, 3, 1e-9, 0.0, 0.5), (3, 1, 1e-9, 0.0, 0.5), (3, 2, 1.0, 0.0, 0.0), (2, 3, 1.0)])
    found = assign(net, trips((1, 2, 5.0), (2, 1, 4.0)))
    assert found.flow.tolist() == [5, 4, 5, 4]


def test_centroids_are_not_passed_through() -> None:
    links: list[tuple[float, ...]] = [(1, 2, 1.0), (2, 3, 1.0), (1, 4, 5.0), (4, 3, 5.0)]
    assert assign(network(links, zones=3), trips((1, 3, 1.0))).pair_cost[0] == 2
    assert assign(network(links, zones=3, through=4), trips((1, 3, 1.0))).pair_cost[0] == 10


def test_select_link_adds_up_and_flows_balance(shared: Path) -> None:
    folder = shared / "reference" / "traffic" / "SiouxFalls"
    net, demand = read_tntp(folder / "SiouxFalls_net.tntp", folder / "SiouxFalls_trips.tntp")
    found = assign(net, demand)
    for link in range(len(found.flow)):
        assert found.select_link(link).sum() == pytest.approx(found.flow[link], rel=1e-12)
    out = np.bincount(net.tail, found.flow, net.nodes + 1) - np.bincount(net.head, found.flow, net.nodes + 1)
    leaves = np.bincount(demand.origin, demand.trips, net.nodes + 1)
    leaves -= np.bincount(demand.destination, demand.trips, net.nodes + 1)
    assert out == pytest.approx(leaves, abs=1e-8 * demand.trips.sum())


def test_without_numba_the_same_code_runs(shared: Path) -> None:
    folder = shared / "reference" / "traffic" / "SiouxFalls"
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from landbridge.transport import assign, read_tntp, path_shifts\n"
        "assert not path_shifts.COMPILED\n"
        f"f = {str(folder / 'SiouxFalls')!r}\n"
        "n, d = read_tntp(f + '_net.tntp', f + '_trips.tntp')\n"
        "print(assign(n, d, gap=1e-3).objective)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True
    )
    assert float(done.stdout) == pytest.approx(4231335.287, rel=1e-3)


def test_importing_transport_does_not_load_numba() -> None:
    code = "import sys, landbridge.transport; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)


def test_faults_are_all_listed() -> None:
    with pytest.raises(DataError) as bad:
        network([(1, 3, 1.0, 0.0, 1.0, 0.0), (3, 2, 1.0, 0.0, 1.0, -4.0)])
    assert len(bad.value.faults) == 2
    with pytest.raises(DataError) as cut:
        assign(network([(1, 3, 1.0), (2, 3, 1.0)]), trips((1, 2, 1.0), (2, 1, 1.0)))
    assert len(cut.value.faults) == 2


def test_unreached_gap_is_no_result(shared: Path) -> None:
    folder = shared / "reference" / "traffic" / "SiouxFalls"
    net, demand = read_tntp(folder / "SiouxFalls_net.tntp", folder / "SiouxFalls_trips.tntp")
    with pytest.raises(ConvergenceError):
        assign(net, demand, most=2)
    assert not assign(net, demand, most=2, throw=False).status.converged


NET = (
    "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 2\n<NUMBER OF LINKS> 1\n<TOLL FACTOR> 3\n<END OF METADATA>\n"
    "1 2 10 4 1 0 0 0 2 1 ;\n"
)
TRIPS = "<NUMBER OF ZONES> 2\n<TOTAL OD FLOW> 5\n<END OF METADATA>\nOrigin 1\n 1 : 2.0; 2 : 3.0;\n"


def test_weights_and_trips_within(tmp_path: Path) -> None:
    net, trip = tmp_path / "n.tntp", tmp_path / "t.tntp"
    net.write_text(NET, encoding="utf-8")
    trip.write_text(TRIPS, encoding="utf-8")
    network_, demand = read_tntp(net, trip)
    assert (network_.cost(np.zeros(1))[0], demand.within, demand.trips.tolist()) == (7, 2, [3])
    assert read_tntp(net, trip, 0.0, 0.5)[0].cost(np.zeros(1))[0] == 3


@pytest.mark.parametrize(
    ("net", "trip", "least"),
    [
        (NET.replace("1 2 10 4", "1 2 10"), TRIPS, 1),
        (NET.replace("LINKS> 1", "LINKS> 9"), TRIPS.replace("2 : 3.0", "7 : 3.0"), 2),
        (NET.replace(" 10 ", " 0 "), TRIPS.replace("FLOW> 5", "FLOW> 50"), 2),
        ("", "", 2),
        (NET.replace("1 2 10 4", "1.5 2 10 4"), TRIPS, 1),
        (NET, TRIPS.replace("Origin 1", "Origin 1.5"), 1),
        (NET, TRIPS.replace("2 : 3.0", "1.5 : 3.0"), 1),
    ],
)
def test_bad_tntp(tmp_path: Path, net: str, trip: str, least: int) -> None:
    (tmp_path / "n.tntp").write_text(net, encoding="utf-8")
    (tmp_path / "t.tntp").write_text(trip, encoding="utf-8")
    with pytest.raises(DataError) as bad:
        read_tntp(tmp_path / "n.tntp", tmp_path / "t.tntp")
    assert len(bad.value.faults) >= least


def test_a_second_link_between_two_nodes_is_noted(tmp_path: Path) -> None:
    line = NET.splitlines()[-1] + "\n"
    (tmp_path / "n.tntp").write_text(NET.replace("LINKS> 1", "LINKS> 2") + line, encoding="utf-8")
    (tmp_path / "t.tntp").write_text(TRIPS, encoding="utf-8")
    network_, _ = read_tntp(tmp_path / "n.tntp", tmp_path / "t.tntp")
    assert len(network_.tail) == 2
    assert "line 7" in network_.notes[0] and "line 6" in network_.notes[0]


def test_binary_and_missing_tntp(tmp_path: Path) -> None:
    (tmp_path / "n.tntp").write_bytes(b"\x80\xff\x00\x01")
    with pytest.raises(DataError) as bad:
        read_tntp(tmp_path / "n.tntp", tmp_path / "none.tntp")
    assert len(bad.value.faults) >= 2
