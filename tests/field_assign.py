"""Networks and trip tables as other programs write them: what `assign` makes of them, and what it says."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from commands import Reference
from landbridge.cli import app
from landbridge.errors import ConvergenceError, DataError
from landbridge.transport import assign, read_demand, read_gmns, read_tntp, read_turns

CASES = Path(__file__).parent / "data" / "cases"
GMNS = ("net", "demand.csv")
TNTP = ("net.tntp", "trips.tntp")
CONFIG = "dataset_name,long_length,speed\nt,km,km/h\n"
LINK = "link_id,from_node_id,to_node_id,directed,length,free_speed,capacity,lanes,allowed_uses\n"
NODE = "node_id,x_coord,y_coord,zone_id\n"

runner = CliRunner()


def copied(case: str, to: Path) -> Path:
    folder = to / case
    shutil.copytree(CASES / case, folder)
    return folder


def run(folder: Path, files: tuple[str, str], *more: str) -> Result:
    return runner.invoke(app, ["assign", *(str(folder / file) for file in files), *more])


def solved(folder: Path, files: tuple[str, str], *more: str) -> dict[str, Any]:
    done = run(folder, files, "--json", *more)
    assert done.exit_code == 0, done.exception
    found: dict[str, Any] = json.loads(done.stdout)["result"]
    return found


def flows(found: dict[str, Any]) -> dict[str, float]:
    return {row["link"]: row["flow"] for row in found["links"]}


def told(done: Result) -> list[str]:
    assert isinstance(done.exception, DataError), done.exception
    return [str(fault) for fault in done.exception.faults]


def gmns(folder: Path, node: str, link: str, demand: str, **more: str) -> Path:
    """A GMNS network in net/ and demand.csv beside it; config None: none."""
    (folder / "net").mkdir()
    for name, text in {"node": node, "link": link, "config": CONFIG, **more}.items():
        if text:
            (folder / "net" / f"{name}.csv").write_text(text, encoding="utf-8")
    (folder / "demand.csv").write_text("o_zone_id,d_zone_id,volume\n" + demand, encoding="utf-8")
    return folder


def tntp(folder: Path, net: str, trips: str, nodes: object = 2, zones: object = 2, more: str = "") -> Path:
    links = sum(1 for line in net.splitlines() if line.strip() and not line.startswith("~"))
    head = f"<NUMBER OF ZONES> {zones}\n<NUMBER OF NODES> {nodes}\n<NUMBER OF LINKS> {links}\n{more}"
    (folder / "net.tntp").write_text(f"{head}<END OF METADATA>\n{net}", encoding="utf-8")
    text = f"<NUMBER OF ZONES> {zones}\n<END OF METADATA>\n{trips}"
    (folder / "trips.tntp").write_text(text, encoding="utf-8")
    return folder


# Zones.


def test_a1_a_zone_of_two_nodes_is_not_a_node(tmp_path: Path) -> None:
    found = solved(copied("a1_zone_of_two_nodes", tmp_path), GMNS)
    assert flows(found) == {"a": 0, "b": 0, "c": 0, "d": 100}
    assert any("zones with several nodes and no centroid: 2 (2, 1)" in note for note in found["notes"])


def test_a3_trips_leave_the_node_that_costs_least(tmp_path: Path) -> None:
    folder = copied("a3_every_node_has_a_zone", tmp_path)
    assert flows(solved(folder, GMNS)) == {"a": 0, "b": 0, "c": 50, "d": 0}
    (folder / "demand.csv").write_text("o_zone_id,d_zone_id,volume\n1,1,50\n", encoding="utf-8")
    within = solved(folder, GMNS)
    assert set(flows(within).values()) == {0} and within["trips_within_zones"] == 50


ROADS = LINK + "".join(f"{a}{b},{a},{b},1,{km},50,100,1,\n" for a, b, km in (
    (1, 5, 10), (2, 5, 20), (3, 5, 30), (4, 5, 40), (5, 6, 10)))  # fmt: skip


def test_a_zone_of_four_nodes_uses_all_of_them_where_it_pays(tmp_path: Path) -> None:
    """Roads of 10 to 40 km from four nodes of one zone: the shorter fill up first, costs are level."""
    node = NODE + "".join(f"{n},0,0,7\n" for n in (1, 2, 3, 4)) + "5,0,0,\n6,0,0,8\n"
    folder = gmns(tmp_path, node, ROADS, "7,8,600\n")
    found = solved(folder, GMNS)
    flow = flows(found)
    assert list(flow) == ["15", "25", "35", "45", "56"]
    assert flow["15"] > flow["25"] > flow["35"] > 0 and flow["56"] == pytest.approx(600)
    cost = {row["link"]: row["cost"] for row in found["links"]}
    assert cost["25"] == pytest.approx(cost["15"], rel=1e-6)
    weibit = solved(folder, GMNS, "--model", "weibit")
    assert flows(weibit)["56"] == pytest.approx(600)
    chosen = solved(folder, GMNS, "--select-link", "56")["selected_links"]
    assert [pair["trips"] for pair in chosen[0]["pairs"]] == [pytest.approx(600)]
    turns = "from_link,to_link,cost\n15,56,inf\n"
    (tmp_path / "turns.csv").write_text(turns, encoding="utf-8")
    turned = flows(solved(folder, GMNS, "--turns", str(tmp_path / "turns.csv")))
    assert turned["15"] == 0 and turned["56"] == pytest.approx(600)


def test_a_centroid_is_where_a_zone_of_several_nodes_stands(tmp_path: Path) -> None:
    head = NODE.replace("zone_id", "zone_id,node_type")
    node = head + "1,0,0,7,\n2,0,0,7,centroid\n3,0,0,7,\n4,0,0,7,\n5,0,0,,\n6,0,0,8,\n"
    found = solved(gmns(tmp_path, node, ROADS, "7,8,10\n"), GMNS)
    assert flows(found) == {"15": 0, "25": 10, "35": 0, "45": 0, "56": 10}
    assert any("of which one is the centroid: 1 (7)" in note for note in found["notes"])


def test_two_centroids_of_one_zone_are_refused(tmp_path: Path) -> None:
    head = NODE.replace("zone_id", "zone_id,centroid")
    node = head + "1,0,0,7,1\n2,0,0,7,true\n3,0,0,7,0\n4,0,0,7,\n5,0,0,,\n6,0,0,8,\n"
    done = run(gmns(tmp_path, node, ROADS, "7,8,10\n"), GMNS)
    assert len(told(done)) == 1 and "zone '7': has 2 centroids: nodes 1, 2" in told(done)[0]


def test_without_zones_nodes_are_zones_and_a_note_says_so(tmp_path: Path) -> None:
    node = "node_id,x_coord,y_coord\n" + "".join(f"{n},0,0\n" for n in range(1, 7))
    found = solved(gmns(tmp_path, node, ROADS, "1,6,10\n"), GMNS)
    assert flows(found)["15"] == 10 and "no node has a zone_id" in found["notes"][0]


# Uses.


def test_b1_a_use_within_a_group_within_a_group(tmp_path: Path) -> None:
    found = solved(copied("b1_truck_in_group", tmp_path), GMNS, "--use", "truck")
    assert flows(found) == {"m1": 10, "m2": 10, "t1": 0}
    assert found["pairs"][0]["cost"] == pytest.approx(0.4)


def test_b3_a_group_means_every_use_in_it_and_a_note_says_so(tmp_path: Path) -> None:
    found = solved(copied("b3_group_asked_for", tmp_path), GMNS, "--use", "motor")
    assert flows(found) == {"t1": 10}
    assert any("motor is a group (hov2, sov, truck)" in note for note in found["notes"])


def test_three_groups_within_each_other_and_one_that_holds_itself(tmp_path: Path) -> None:
    folder = copied("b1_truck_in_group", tmp_path)
    groups = 'use_group,uses\nany,"motor;any"\nmotor,"road"\nroad,"car|truck"\ncar,"sov hov2"\n'
    (folder / "net" / "use_group.csv").write_text(groups, encoding="utf-8")
    link = folder / "net" / "link.csv"
    link.write_text(link.read_text(encoding="utf-8").replace("motor", "any"), encoding="utf-8")
    assert flows(solved(folder, GMNS, "--use", "TRUCK")) == {"m1": 10, "m2": 10, "t1": 0}
    assert flows(solved(folder, GMNS, "--use", "any")) == {"m1": 10, "m2": 10}
    assert flows(solved(folder, GMNS, "--use", "hov2")) == {"m1": 10, "m2": 10}
    (folder / "net" / "use_group.csv").write_text(groups.replace("hov2", "hov9"), encoding="utf-8")
    assert told(run(folder, GMNS)) == [
        "use_group.csv line 5: use_group 'car' names 'hov9', no known use -> did you mean 'hov2'?"
    ]


def test_d1_what_is_wrong_with_a_footpath_does_not_matter_to_cars(tmp_path: Path) -> None:
    folder = copied("d1_zero_lanes_footpath", tmp_path)
    assert flows(solved(folder, GMNS, "--use", "auto")) == {"r": 10}
    every = told(run(folder, GMNS))
    assert len(every) == 3 and "or leave it out by --use" in every[0]


# Cells.


def test_c1_more_than_200_000_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied("c1_many_pairs", tmp_path)
    monkeypatch.chdir(folder)
    runpy.run_path("make.py")
    network = read_gmns("net")
    demand = read_demand("demand.csv", network)
    assert (len(demand.trips), demand.within) == (211_140, 460)
    assert assign(network, demand).flow == pytest.approx(np.full(460, 105_570), rel=1e-12)


def test_a_long_table_is_read_in_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    folder = gmns(tmp_path, NODE + "1,0,0,1\n2,0,0,2\n", LINK + "a,1,2,1,1,50,,,\n", "1,2,1\n")
    network = read_gmns(folder / "net")
    with (folder / "long.csv").open("w", encoding="utf-8") as file:
        file.write("from,to,trips\n1,2,5\n")
        file.writelines("9,9,1\n" for _ in range(300_000))
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as bad:
            read_demand(folder / "long.csv", network)
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()
    assert len(bad.value.faults) == 11
    assert "599,990 more faults like these" in str(bad.value.faults[-1])


def test_e1_two_roads_between_the_same_nodes_are_both_kept(tmp_path: Path) -> None:
    found = solved(copied("e1_old_and_new_road", tmp_path), GMNS)
    assert flows(found) == {"old": 0, "new": 1000}
    assert found["links"][1]["cost"] == pytest.approx(0.121125)
    assert any("all kept: 1 (link.csv line 3 and link.csv line 2)" in note for note in found["notes"])


def test_f1_nan_is_blank(tmp_path: Path) -> None:
    folder = copied("f1_nan_capacity", tmp_path)
    found = solved(folder, GMNS)
    assert flows(found) == {"a": 10} and found["pairs"][0]["cost"] == 0.02
    link = folder / "net" / "link.csv"
    plain = link.read_text(encoding="utf-8")
    for blank in ("NA", "nan", "NULL", "<NA>", "#N/A", "None"):
        link.write_text(plain.replace("NaN,NaN,", f"{blank},{blank},"), encoding="utf-8")
        assert flows(solved(folder, GMNS)) == {"a": 10}
    link.write_text(plain.replace(",50,", ",NaN,"), encoding="utf-8")
    assert told(run(folder, GMNS)) == ["link.csv line 2: free_speed is blank -> give a number"]


def test_na_is_a_zone_among_names_and_a_blank_among_numbers(tmp_path: Path) -> None:
    node = NODE + "1,0,0,{}\n2,0,0,{}\n3,0,0,NA\n"
    links = LINK + "a,1,2,1,1,50,,,\nb,2,3,1,1,50,,,\n"
    names = read_gmns(gmns(tmp_path, node.format("ZA", "BW"), links, "") / "net").zone_names
    assert names == ("ZA", "BW", "NA")
    (tmp_path / "net" / "node.csv").write_text(node.format(1, 2), encoding="utf-8")
    assert read_gmns(tmp_path / "net").zone_names == ("1", "2")


def test_g1_free_flow_time_in_minutes_and_whole_capacity(tmp_path: Path) -> None:
    folder = copied("g1_fftt_in_minutes", tmp_path)
    found = solved(folder, GMNS)
    assert flows(found) == {"a": pytest.approx(400), "b": pytest.approx(400), "c": pytest.approx(3600)}
    assert found["pairs"][0]["cost"] * 60 == pytest.approx(50)
    assert any("VDF_fftt1" in note for note in found["notes"])
    assert any("VDF_cap1" in note for note in found["notes"])
    assert found["notes"][-1].endswith("not that of length and free_speed: 1")
    link = folder / "net" / "link.csv"
    plain = link.read_text(encoding="utf-8")
    link.write_text(plain.replace("fftt1", "fftt").replace("cap1", "cap"), encoding="utf-8")
    assert flows(solved(folder, GMNS))["c"] == pytest.approx(3600)
    # Two lanes do not double a capacity of all lanes; blank or 0: length / free_speed, capacity x lanes.
    link.write_text(plain.replace("100,1,1,100,1,1", "100,2,1,100,1,1"), encoding="utf-8")
    assert flows(solved(folder, GMNS))["a"] == pytest.approx(400)
    link.write_text(plain.replace("100,1,1,100,1,1", "100,2,0,,1,1").replace("0.01", "1"), encoding="utf-8")
    assert flows(solved(folder, GMNS))["a"] == pytest.approx(800)


def test_h1_columns_without_a_name_and_a_cell_are_passed_over(tmp_path: Path) -> None:
    folder = copied("h1_blank_columns_node", tmp_path)
    assert flows(solved(folder, GMNS)) == {"a": 10}
    demand = folder / "demand.csv"
    demand.write_text("o_zone_id,d_zone_id,volume,,\n1,2,10,, \n", encoding="utf-8")
    assert flows(solved(folder, GMNS)) == {"a": 10}
    demand.write_text("o_zone_id,d_zone_id,volume,,\n1,2,10,3,\n", encoding="utf-8")
    assert told(run(folder, GMNS)) == ["demand.csv line 1: column 4 has no name -> name it or delete it"]


def test_i1_a_road_back_to_where_it_begins_is_left_out(tmp_path: Path) -> None:
    folder = copied("i1_loop_road", tmp_path)
    found = solved(folder, GMNS)
    assert flows(found) == {"a": 10}
    assert "links left out, they end where they begin: 1" in found["notes"]
    (folder / "turns.csv").write_text("from_link,to_link,cost\na,loop,1\n", encoding="utf-8")
    assert len(read_turns(folder / "turns.csv", read_gmns(folder / "net")).cost) == 0


def test_j1_ids_with_a_point_and_zero_are_the_same(tmp_path: Path) -> None:
    folder = copied("j1_zone_ids_float", tmp_path)
    assert flows(solved(folder, GMNS)) == {"a": 10, "b": 10}
    link = folder / "net" / "link.csv"
    text = link.read_text(encoding="utf-8").replace("a,1,3,1,", "a,1.0,3.00,1.0,")
    link.write_text(text, encoding="utf-8")
    (folder / "demand.csv").write_text("o_zone_id,d_zone_id,volume\n 1.,2.0,10\n", encoding="utf-8")
    assert flows(solved(folder, GMNS)) == {"a": 10, "b": 10}
    (folder / "demand.csv").write_text("o_zone_id,d_zone_id,volume\n1,2,10\n1.0,2,5\n", encoding="utf-8")
    assert "gives 1 to 2 again, as demand.csv line 2" in told(run(folder, GMNS))[0]


def test_k1_one_kind_of_fault_is_counted(tmp_path: Path) -> None:
    faults = told(run(copied("k1_blank_speeds", tmp_path), GMNS))
    assert len(faults) == 11
    assert faults[0] == "link.csv line 2: free_speed is blank -> give a number"
    assert faults[-1] == "link.csv: 30 more faults like these -> correct these first"


def test_several_kinds_of_faults_take_some_twenty_lines(tmp_path: Path) -> None:
    folder = copied("k1_blank_speeds", tmp_path)
    link = folder / "net" / "link.csv"
    lines = link.read_text(encoding="utf-8").replace(",100,1,", ",x,-1,").splitlines(keepends=True)
    link.write_text("".join([lines[0], *lines[1:]]), encoding="utf-8")
    faults = told(run(folder, GMNS))
    assert len(faults) <= 20
    for column in ("free_speed", "capacity", "lanes"):
        assert sum(column in fault for fault in faults) >= 3


def test_k3_pairs_without_a_path_are_counted(tmp_path: Path) -> None:
    faults = told(run(copied("k3_disconnected", tmp_path), TNTP))
    assert len(faults) == 11 and "770 more pairs" in faults[-1]


# Units.


def test_l1_metres_are_recognised_and_told(tmp_path: Path) -> None:
    folder = copied("l1_metres", tmp_path)
    found = solved(folder, GMNS)
    assert found["pairs"][0]["cost"] == pytest.approx(0.6)
    assert "lengths are taken as metres" in found["notes"][0]
    assert "996.8 times the kilometres" in found["notes"][1]
    (folder / "net" / "config.csv").write_text(CONFIG, encoding="utf-8")
    kept = solved(folder, GMNS)
    assert kept["pairs"][0]["cost"] == pytest.approx(600)
    assert "lengths look like metres and are taken as km" in kept["notes"][0]
    (folder / "net" / "config.csv").write_text(CONFIG.replace(",km,", ",m,"), encoding="utf-8")
    said = solved(folder, GMNS)
    assert said["pairs"][0]["cost"] == pytest.approx(0.6) and "look" not in "".join(said["notes"])


@pytest.mark.parametrize(
    ("length", "hours", "said"),
    [
        ("48", 0.6, ""),
        ("70", 0.875, ""),
        ("48.2", 0.6025, ""),
        ("157480", 0.6, "feet"),
        ("110000", 1375, "do not look like km"),
    ],
)
def test_kilometres_are_not_mistaken(tmp_path: Path, length: str, hours: float, said: str) -> None:
    folder = copied("l1_metres", tmp_path)
    link = folder / "net" / "link.csv"
    link.write_text(link.read_text(encoding="utf-8").replace("48000", length), encoding="utf-8")
    found = solved(folder, GMNS)
    assert found["pairs"][0]["cost"] == pytest.approx(hours, rel=1e-4)
    warnings = [note for note in found["notes"] if note.startswith("warning")]
    assert len(warnings) == bool(said) and all(said in note for note in warnings)


def test_lengths_in_the_unit_of_projected_coordinates_are_told(tmp_path: Path) -> None:
    node = NODE + "1,300000,4800000,1\n2,348000,4800000,2\n"
    folder = gmns(tmp_path, node, LINK + "a,1,2,1,48000,80,,,\n", "1,2,10\n", config="")
    assert any("metres or feet" in note for note in solved(folder, GMNS)["notes"])
    (folder / "net" / "link.csv").write_text(LINK + "a,1,2,1,48,80,,,\n", encoding="utf-8")
    assert not any("warning" in note for note in solved(folder, GMNS)["notes"])


# TNTP.


def test_n1_numbers_of_their_own_are_put_in_order(tmp_path: Path) -> None:
    found = solved(copied("n1_own_numbers", tmp_path), TNTP)
    assert list(flows(found).values()) == pytest.approx([100, 100, 0])
    assert (found["pairs"][0]["from"], found["pairs"][0]["to"]) == ("101", "7003")
    assert [found["links"][1][end] for end in ("from", "to")] == ["205", "7003"]
    assert "101 to 7003" in found["notes"][0]


def test_own_numbers_that_do_not_add_up_are_one_fault(tmp_path: Path) -> None:
    net = "101 205 900 1 5 0 4 0 0 1;\n205 7003 900 1 5 0 4 0 0 1;\n"
    folder = tntp(tmp_path, net, "Origin 101\n 7003 : 1;\n", nodes=9, zones=3)
    faults = told(run(folder, TNTP))
    assert len(faults) == 1 and "number nodes 1 to 9" in faults[0]


def test_own_numbers_with_centroids(tmp_path: Path) -> None:
    """11 and 12 are zones and not passed: from 11 to 13 only the long way."""
    links = ((11, 12, 1), (12, 13, 1), (11, 21, 5), (21, 13, 5))
    net = "".join(f"{a} {b} 900 1 {t} 0 4 0 0 1;\n" for a, b, t in links)
    folder = tntp(tmp_path, net, "Origin 11\n 13 : 8;\n", 4, 3, "<FIRST THRU NODE> 21\n")
    assert list(flows(solved(folder, TNTP)).values()) == [0, 0, 8, 8]


def test_o1_the_coding_of_a_comment_does_not_matter(tmp_path: Path) -> None:
    folder = copied("o1_latin1_comment", tmp_path)
    assert flows(solved(folder, TNTP)) == {"1": 5}
    net = folder / "net.tntp"
    raw = net.read_bytes()
    net.write_bytes(raw.replace(b"1 2 1000", b"1 2 1000\xa0"))
    assert any("net.tntp" in fault for fault in told(run(folder, TNTP)))
    net.write_bytes(raw + "~ Мост закрыт\n".encode("cp1251"))
    assert flows(solved(folder, TNTP)) == {"1": 5}


def test_p1_a_critical_speed_is_no_toll(tmp_path: Path) -> None:
    found = solved(copied("p1_critical_speed", tmp_path), TNTP, "--toll-weight", "1")
    assert flows(found) == {"1": 5, "2": 0}
    assert any("no column of tolls" in note for note in found["notes"])


TEN = "1 2 9 1 {} 0 4 55 {} 1;"


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("~ init_node term_node capacity length free_flow_time b power speed toll link_type ;", TEN),
        ("~\tInit node\tTerm node\tCapacity (veh/h)\tLength\tFree Flow Time\tB\tPower\tSpeed\tToll\t;", TEN),
        ("~ Init node  Term node  Free Flow Time  Toll  Capacity  B  Power", "1 2 {} {} 9 0 4"),
        ("~ Init node Term node Capacity Length Free Flow Time B Power Number of lanes Speed limit Toll", ""),
        ("~ tail,head,toll,capacity,fftt,alpha,beta,road name", "1 2 {1} 9 {0} 0 4 A77"),
        ("", TEN),
    ],
)
def test_columns_are_those_the_comment_names(tmp_path: Path, header: str, rows: str) -> None:
    """The first road takes 10 and has a toll of 15, the second takes 20."""
    cells = rows or "1 2 9 1 {} 0 4 2 55 {}"
    net = "\n".join((header, cells.format(10, 15), cells.format(20, 0), ""))
    folder = tntp(tmp_path, net, "Origin 1\n 2 : 5;\n")
    if not rows:
        assert "names 12 columns above links of 10 cells" in told(run(folder, TNTP))[0]
        return
    assert flows(solved(folder, TNTP)) == {"1": 5, "2": 0}
    assert flows(solved(folder, TNTP, "--toll-weight", "1")) == {"1": 0, "2": 5}


def test_q1_a_connector_has_no_use_for_a_capacity(tmp_path: Path) -> None:
    found = solved(copied("q1_connector_capacity_0", tmp_path), TNTP)
    assert flows(found) == {"1": 5, "2": 5}
    assert [row["volume_over_capacity"] for row in found["links"]] == [None, None]
    folder = tmp_path / "congested"
    folder.mkdir()
    tntp(folder, "1 2 0 1 1 0.15 4 0 0 1;\n", "Origin 1\n 2 : 5;\n")
    assert "capacity 0 is not positive" in told(run(folder, TNTP))[0]
    gmns(
        folder,
        NODE + "1,0,0,1\n2,0,0,2\n",
        LINK.replace("\n", ",alpha\n") + "a,1,2,1,1,50,0,0,,0\n",
        "1,2,5\n",
    )
    assert flows(solved(folder, GMNS)) == {"a": 5}


@pytest.mark.parametrize(
    ("trips", "said"),
    [
        ("Origin 1\n 2 : 5; 2 : 1;\n", "line 4: gives destination 2 again, as in line 4"),
        ("Origin 1\n 2 : 5;\n 1 : 0;\n 2 : 0;\n", "line 6: gives destination 2 again, as in line 4"),
        ("Origin 1\n 2 : 5;\nOrigin 1\n 1 : 5;\n", "line 5: 'Origin 1' is repeated, see line 3"),
    ],
)
def test_trips_given_twice_are_refused(tmp_path: Path, trips: str, said: str) -> None:
    faults = told(run(tntp(tmp_path, "1 2 9 1 1 0 4 0 0 1;\n", trips), TNTP))
    assert len(faults) == 1 and faults[0].startswith(f"trips.tntp {said}")


@pytest.mark.parametrize("nodes", ["1e12", "1e300", 20_000_000])
def test_too_many_nodes_are_a_fault(tmp_path: Path, nodes: object) -> None:
    net = "1 2 9 1 1 0 4 0 0 1;\n"
    faults = told(run(tntp(tmp_path, net, "Origin 1\n 2 : 5;\n", nodes, nodes), TNTP))
    assert ["no more than 10,000,000 are read" in fault for fault in faults] == [True, True]


def test_a_node_of_300_digits_is_called_by_its_name(tmp_path: Path) -> None:
    faults = told(run(tntp(tmp_path, "1 1e300 9 1 1 0 4 0 0 1;\n", "Origin 1\n 2 : 5;\n"), TNTP))
    assert "net.tntp line 5: goes from node 1 to node 1e300" in faults[0]
    assert not any("922337" in fault for fault in faults)


# The command.


@pytest.mark.parametrize("gap", ["inf", "nan", "0", "1", "1e9", "-1e-8", "1e-300"])
def test_a_gap_that_is_no_share_is_refused(tmp_path: Path, gap: str) -> None:
    folder = copied("e1_old_and_new_road", tmp_path)
    done = run(folder, GMNS, "--gap", gap)
    exact = isinstance(done.exception, DataError) and "less than 1" in str(done.exception)
    assert exact if gap == "1e-300" else done.exit_code == 2 and "1e-8" in done.output
    network = read_gmns(folder / "net")
    with pytest.raises(DataError, match="gap"):
        assign(network, read_demand(folder / "demand.csv", network), gap=float(gap))


def test_an_unreached_gap_is_written_with_its_gap_and_exit_code_4(
    reference: Reference, tmp_path: Path
) -> None:
    folder = reference("traffic/SiouxFalls")
    files = ("SiouxFalls_net.tntp", "SiouxFalls_trips.tntp")
    done = run(folder, files, "--rounds", "2", "--json")
    assert isinstance(done.exception, ConvergenceError) and done.exception.exit_code == 4
    document = json.loads(done.stdout)
    assert document["status"]["converged"] is False
    assert document["result"]["relative_gap"] > 1e-8 and len(document["result"]["links"]) == 76
    for name in ("flows.csv", "all.json"):
        written = run(folder, files, "--rounds", "2", "-o", str(tmp_path / name))
        assert isinstance(written.exception, ConvergenceError) and "not converged" in str(written.exception)
        assert (tmp_path / name).stat().st_size > 1000
    assert json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["status"]["converged"] is False
    table = run(folder, files, "--rounds", "2")
    assert "after 2 rounds" in table.stdout and isinstance(table.exception, ConvergenceError)


def test_sioux_falls_is_the_same_in_gmns(reference: Reference, tmp_path: Path) -> None:
    """Times in minutes by VDF_fftt, capacity of all lanes: the flows of the TNTP files."""
    folder = reference("traffic/SiouxFalls")
    network, demand = read_tntp(folder / "SiouxFalls_net.tntp", folder / "SiouxFalls_trips.tntp")
    header = LINK.strip() + ",VDF_fftt,VDF_cap,VDF_alpha,VDF_beta\n"
    links = "".join(
        f"{a},{network.tail[a]},{network.head[a]},1,{network.length[a]},,,,,{network.time[a]},"
        f"{network.capacity[a]},{network.b[a]},{network.power[a]}\n"
        for a in range(len(network.tail))
    )
    node = NODE + "".join(f"{n},{n},0,{n}\n" for n in range(1, 25))
    trips = "".join(
        f"{o},{d},{q}\n" for o, d, q in zip(demand.origin, demand.destination, demand.trips, strict=True)
    )
    gmns(tmp_path, node, header + links, trips)
    other = read_gmns(tmp_path / "net")
    ours = assign(other, read_demand(tmp_path / "demand.csv", other), gap=1e-12)
    assert ours.flow == pytest.approx(assign(network, demand, gap=1e-12).flow, rel=1e-5)
    assert ours.objective * 60 == pytest.approx(4231335.28710744, rel=1e-10)
