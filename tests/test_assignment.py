"""Assignment: answers by hand, cases where known tools fail, and faults of files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from commands import Reference
from landbridge.errors import ConvergenceError, DataError
from landbridge.transport import Turns, assign, read_tntp, read_turns
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


def test_braess_by_hand(reference: Reference) -> None:
    """Six trips, two on each of three paths, 92 each; without the bridge three on each of two, 83."""
    folder = reference("traffic/Braess-Example")
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


def test_select_link_adds_up_and_flows_balance(reference: Reference) -> None:
    folder = reference("traffic/SiouxFalls")
    net, demand = read_tntp(folder / "SiouxFalls_net.tntp", folder / "SiouxFalls_trips.tntp")
    found = assign(net, demand)
    for link in range(len(found.flow)):
        assert found.select_link(link).sum() == pytest.approx(found.flow[link], rel=1e-12)
    out = np.bincount(net.tail, found.flow, net.nodes + 1) - np.bincount(net.head, found.flow, net.nodes + 1)
    leaves = np.bincount(demand.origin, demand.trips, net.nodes + 1)
    leaves -= np.bincount(demand.destination, demand.trips, net.nodes + 1)
    assert out == pytest.approx(leaves, abs=1e-8 * demand.trips.sum())


def test_without_numba_the_same_code_runs(reference: Reference) -> None:
    folder = reference("traffic/SiouxFalls")
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from landbridge.transport import assign, read_tntp\n"
        "from landbridge.transport.assignment import path_flows\n"
        "assert not path_flows.COMPILED\n"
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


def test_unreached_gap_is_no_result(reference: Reference) -> None:
    folder = reference("traffic/SiouxFalls")
    net, demand = read_tntp(folder / "SiouxFalls_net.tntp", folder / "SiouxFalls_trips.tntp")
    with pytest.raises(ConvergenceError):
        assign(net, demand, most=2)
    assert not assign(net, demand, most=2, throw=False).status.converged


def test_numbers_that_no_cost_can_be_made_of_are_told() -> None:
    """Zones beyond the nodes would be read from outside the arrays by compiled code."""
    with pytest.raises(DataError, match="has 5 zones and 2 nodes"):
        network([(1, 2, 1.0)], zones=5)
    with pytest.raises(DataError, match="first_through_node is 0"):
        network([(1, 2, 1.0)], through=0)
    one, two = np.ones(1), np.ones(2)
    with pytest.raises(DataError) as uneven:
        Network(2, 2, np.array([1]), np.array([2]), two, one, two, one, one, one, one)
    assert len(uneven.value.faults) == 2
    with pytest.raises(DataError, match="costs more than a number can hold"):
        assign(network([(1, 2, 1.0, 0.15, 4.0, 1e-100)]), trips((1, 2, 3.0)))
    assert assign(network([(1, 2, 1.0, 0.0, 900.0, 1.0)]), trips((1, 2, 30.0))).cost.tolist() == [1]


def test_a_demand_that_makes_no_sense_is_told() -> None:
    net = network([(1, 2, 1.0)])
    with pytest.raises(DataError) as bad:
        assign(net, trips((1, 3, 1.0), (0, 2, np.nan), (1, 2, -1.0)))
    assert [fault.where for fault in bad.value.faults] == ["trip 0", "trip 1", "trip 1", "trip 2"]
    with pytest.raises(DataError, match="1 to 2 entries"):
        assign(net, Demand(np.array([1]), np.array([2]), np.array([1.0, 2.0])))
    assert assign(net, trips((1, 1, 4.0), (1, 2, 1.0))).pair_cost.tolist() == [0, 1]
    with pytest.raises(DataError, match="begins and ends in zone 1"):
        assign(net, trips((1, 1, 4.0)), model="weibit")
    with pytest.raises(DataError, match="most"):
        assign(net, trips((1, 2, 1.0)), most=0)


def test_a_link_that_is_not_there_cannot_be_selected() -> None:
    found = assign(network([(1, 2, 1.0)]), trips((1, 2, 1.0)))
    for link in (-1, 1):
        with pytest.raises(DataError, match=f"link {link} is not in 0 to 0"):
            found.select_link(link)


@pytest.mark.parametrize("name", ["SiouxFalls", "Anaheim"])
def test_a_gap_of_1e_10_is_reached(name: str, reference: Reference) -> None:
    folder = reference(f"traffic/{name}")
    net, demand = read_tntp(folder / f"{name}_net.tntp", folder / f"{name}_trips.tntp")
    found = assign(net, demand, gap=1e-10)
    total = found.flow @ net.cost(found.flow)
    assert (total - demand.trips @ found.pair_cost) / total <= 1.001e-10


def test_slope_is_the_derivative_of_cost() -> None:
    net = network([(1, 2, 2.0, 0.15, 4.0, 3.0), (1, 2, 2.0, 0.5, 0.5, 3.0), (1, 2, 1.0, 0.0, 0.5, 1.0)])
    flow, step = np.array([4.0, 2.0, 5.0]), 1e-5
    apart = (net.cost(flow + step) - net.cost(flow - step)) / (2 * step)
    assert net.slope(flow) == pytest.approx(apart, rel=1e-8, abs=1e-12)


def test_weibit_without_congestion_is_the_closed_form() -> None:
    """Costs 2, 2.2 and 2.5; the last two share a link of 1: shares PS c^-8 over their sum."""
    ends = [(1, 2, 2.0), (1, 3, 1.0), (3, 2, 1.2), (3, 2, 1.5)]
    net = network([(*end, 0.0, 1.0, 1.0) for end in ends])
    found = assign(net, trips((1, 2, 10.0)), model="weibit", phi=8.0)
    size = np.array([1, 0.5 / 2.2 + 1.2 / 2.2, 0.5 / 2.5 + 1.5 / 2.5])
    weight = size * np.array([2.0, 2.2, 2.5]) ** -8.0
    share = 10 * weight / weight.sum()
    assert found.flow == pytest.approx([share[0], share[1] + share[2], share[1], share[2]], rel=1e-12)
    assert found.pair_cost == pytest.approx([share @ [2.0, 2.2, 2.5] / 10])


def test_weibit_flows_are_the_shares_of_their_own_costs(reference: Reference) -> None:
    """Checked afresh from the paths returned, path sizes by loops."""
    folder = reference("traffic/SiouxFalls")
    net, demand = read_tntp(folder / "SiouxFalls_net.tntp", folder / "SiouxFalls_trips.tntp")
    found = assign(net, demand, model="weibit", phi=8.0)
    assert found.status.converged and found.relative_gap <= 1e-8
    moved, volume = 0.0, np.zeros(len(net.tail))
    for pair in range(len(demand.trips)):
        mine = np.flatnonzero(found.path_pair == pair)
        used = [set(found.path_links[r].tolist()) for r in mine]
        weight = []
        for links in used:
            long = sum(net.length[a] for a in links)
            size = sum(net.length[a] / long / sum(a in other for other in used) for a in links)
            weight.append(size * found.cost[list(links)].sum() ** -8.0)
        flow = demand.trips[pair] * np.array(weight) / sum(weight)
        moved += np.abs(flow - found.path_flow[mine]).sum() / 2
        assert found.path_flow[mine].sum() == pytest.approx(demand.trips[pair])
        for r in mine:
            volume[found.path_links[r]] += found.path_flow[r]
    assert moved / demand.trips.sum() <= 1.1e-8
    assert volume == pytest.approx(found.flow)
    assert net.cost(found.flow) == pytest.approx(found.cost)


def test_weibit_tends_to_user_equilibrium_as_phi_grows(reference: Reference) -> None:
    folder = reference("traffic/SiouxFalls")
    net, demand = read_tntp(folder / "SiouxFalls_net.tntp", folder / "SiouxFalls_trips.tntp")
    exact = assign(net, demand)
    apart = []
    for phi in (8.0, 64.0, 512.0):
        found = assign(net, demand, model="weibit", phi=phi)
        apart.append(np.abs(found.pair_cost / exact.pair_cost - 1).max())
    assert apart[0] > 4 * apart[1] > 12 * apart[2]
    assert apart[2] < 0.02
    assert found.objective / exact.objective - 1 < 1e-3


@pytest.mark.parametrize("model", ["ue", "weibit"])
def test_no_trips_give_no_flow(model: str) -> None:
    found = assign(network([(1, 2, 1.0)]), trips((1, 2, 0.0)), model=model)
    assert found.status.converged and found.flow.tolist() == [0]


def test_weibit_asks_for_costs_above_zero_and_a_fair_phi() -> None:
    net = network([(1, 2, 0.0), (1, 2, 1.0)])
    with pytest.raises(DataError, match="costs nothing"):
        assign(net, trips((1, 2, 1.0)), model="weibit")
    with pytest.raises(DataError) as bad:
        assign(net, trips((1, 2, 1.0)), model="logit", phi=-1.0, gap=0.0)
    assert len(bad.value.faults) == 3


def turns(*rows: tuple[int, int, float]) -> Turns:
    table = np.array(rows, dtype=float)
    return Turns(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])


def test_a_turn_penalty_moves_the_path() -> None:
    """1-3-2 costs 2, 1-4-2 costs 3: a turn of 0.5 is paid, one of 1.5 avoided, a forbidden one too."""
    net = network([(1, 3, 1.0), (3, 2, 1.0), (1, 4, 1.5), (4, 2, 1.5)])
    for cost, total, first in ((0.5, 2.5, 1.0), (1.5, 3.0, 0.0), (np.inf, 3.0, 0.0)):
        found = assign(net, trips((1, 2, 1.0)), turns=turns((0, 1, cost)))
        assert (found.pair_cost[0], found.flow.tolist()) == (total, [first, first, 1 - first, 1 - first])
        assert len(found.cost) == 4
        assert [path.tolist() for path in found.path_links] == [[0, 1] if first else [2, 3]]


def test_a_turn_at_a_zone_cannot_be_evaded_there() -> None:
    """Zone 2 lies between 1 and 3: trips to it and from it pay no turn, trips through it do."""
    links: list[tuple[float, ...]] = [(1, 2, 1.0), (2, 3, 1.0), (1, 3, 9.0), (3, 1, 1.0)]
    net = network(links, zones=3)
    found = assign(net, trips((1, 3, 1.0), (1, 2, 1.0), (2, 3, 1.0), (3, 2, 1.0)), turns=turns((0, 1, 5.0)))
    assert found.pair_cost.tolist() == [7, 1, 1, 2]
    none = assign(net, trips((1, 3, 1.0)), turns=turns((0, 1, np.inf)))
    assert none.pair_cost[0] == 9


def test_turns_of_nothing_leave_the_equilibrium_as_it_is(reference: Reference) -> None:
    folder = reference("traffic/SiouxFalls")
    net, demand = read_tntp(folder / "SiouxFalls_net.tntp", folder / "SiouxFalls_trips.tntp")
    some = [(a, b, 0.0) for a in range(0, 76, 3) for b in range(76) if net.head[a] == net.tail[b]]
    plain, opened = assign(net, demand), assign(net, demand, turns=turns(*some))
    assert opened.flow == pytest.approx(plain.flow, rel=1e-4)
    assert opened.objective == pytest.approx(plain.objective, rel=2e-8)
    dearer = assign(net, demand, turns=turns(*((a, b, 2.0) for a, b, _ in some)))
    assert (demand.trips @ dearer.pair_cost) > 1.01 * (demand.trips @ plain.pair_cost)


def test_turns_from_a_file(tmp_path: Path) -> None:
    net = network([(1, 3, 1.0), (3, 2, 1.0), (1, 4, 1.5), (4, 2, 1.5)])
    file = tmp_path / "turns.csv"
    file.write_text("from_link,to_link,cost\n1,2,inf\n3,4,0.5\n", encoding="utf-8")
    read = read_turns(file, net)
    assert (read.from_link.tolist(), read.to_link.tolist(), read.cost.tolist()) == (
        [0, 2],
        [1, 3],
        [np.inf, 0.5],
    )
    file.write_text("from_link,to_link,cost\n1,4,1\n9,1,1\n1,2,-1\n1,2,1\n1,2,1\n", encoding="utf-8")
    with pytest.raises(DataError) as bad:
        read_turns(file, net)
    assert [fault.where for fault in bad.value.faults] == [f"turns.csv line {n}" for n in (2, 3, 4, 6)]
    with pytest.raises(DataError) as wrong:
        assign(net, trips((1, 2, 1.0)), turns=turns((0, 3, 1.0), (9, 0, 1.0), (0, 1, -1.0)))
    assert len(wrong.value.faults) == 3


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
        (NET.replace(" 10 ", " -1 "), TRIPS.replace("FLOW> 5", "FLOW> 50"), 2),
        ("", "", 2),
        (NET.replace("1 2 10 4", "1.5 2 10 4"), TRIPS, 1),
        (NET, TRIPS.replace("Origin 1", "Origin 1.5"), 1),
        (NET, TRIPS.replace("2 : 3.0", "1.5 : 3.0"), 1),
        (NET.replace("<TOLL", "<FIRST THRU NODE> x\n<TOLL"), TRIPS, 1),
        (NET.replace("<TOLL", "<FIRST THRU NODE> 1.5\n<TOLL").replace(" 10 ", " -1 "), TRIPS, 2),
        (NET.replace("NODES> 2", "NODES>").replace(" 10 ", " -1 "), TRIPS, 2),
        (NET.replace("<TOLL FACTOR> 3", "<TOLL FACTOR> dear"), TRIPS, 1),
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


def test_files_given_the_wrong_way_round(tmp_path: Path) -> None:
    (tmp_path / "n.tntp").write_text(NET, encoding="utf-8")
    (tmp_path / "t.tntp").write_text(TRIPS, encoding="utf-8")
    with pytest.raises(DataError, match="holds trips, not links"):
        read_tntp(tmp_path / "t.tntp", tmp_path / "n.tntp")


def test_more_zones_than_nodes_is_a_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "n.tntp").write_text(NET.replace("ZONES> 2", "ZONES> 9"), encoding="utf-8")
    (tmp_path / "t.tntp").write_text(TRIPS, encoding="utf-8")
    with pytest.raises(DataError, match="has 9 zones and 2 nodes"):
        read_tntp(tmp_path / "n.tntp", tmp_path / "t.tntp")


def test_capacities_that_are_all_one_are_noted(tmp_path: Path) -> None:
    (tmp_path / "t.tntp").write_text(TRIPS, encoding="utf-8")
    for capacity, notes in (("10", 0), ("1", 1)):
        (tmp_path / "n.tntp").write_text(NET.replace(" 10 ", f" {capacity} "), encoding="utf-8")
        assert len(read_tntp(tmp_path / "n.tntp", tmp_path / "t.tntp")[0].notes) == notes


def test_binary_and_missing_tntp(tmp_path: Path) -> None:
    (tmp_path / "n.tntp").write_bytes(b"\x80\xff\x00\x01")
    with pytest.raises(DataError) as bad:
        read_tntp(tmp_path / "n.tntp", tmp_path / "none.tntp")
    assert len(bad.value.faults) >= 2
