"""GMNS networks of others and our own; every fault of a broken one, by file and line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from landbridge.errors import DataError
from landbridge.io.network import write_gmns
from landbridge.io.tables import load_world
from landbridge.report.exports import gmns
from landbridge.transport import assign, compile_graph, read_demand, read_gmns, read_turns
from landbridge.transport.graph import BLOCK

NODES = "node_id,x_coord,y_coord,node_type,zone_id\nm,0,0,,\na,1,0,centroid,10\nb,2,0,centroid,20\n"
LINKS = (
    "link_id,from_node_id,to_node_id,directed,length,free_speed,capacity,lanes,allowed_uses,geometry\n"
    '1,a,m,1,10,50,800,2,"auto,truck","LINESTRING (1 0, 0 0)"\n'
    "2,m,b,0,5,50,,,auto,\n"
    "3,a,b,1,40,100,,,truck,\n"
)
CONFIG = "dataset_name,long_length,speed\nx,mi,mph\n"
TRIPS = "o_zone_id,d_zone_id,volume\n10,20,1600\n20,20,7\n"


def folder(path: Path, **files: str) -> Path:
    for name, text in {"node": NODES, "link": LINKS, **files}.items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def test_others_network_is_read_and_assigned(tmp_path: Path) -> None:
    """1600 on 2 lanes of 800: time 0.2 h x 1.15, then 0.1 h; the direct link takes 0.4 h."""
    net = read_gmns(folder(tmp_path, demand=TRIPS))
    assert (net.nodes, net.zones, net.zone_names, net.first_through_node) == (3, 2, ("10", "20"), 3)
    assert net.link_names == ("1", "2", "2", "3")
    demand = read_demand(tmp_path / "demand.csv", net)
    assert demand.within == 7
    found = assign(net, demand)
    assert found.pair_cost == pytest.approx([0.2 * 1.15 + 0.1], rel=1e-12)
    assert "km/h" in net.notes[0]


def test_units_uses_and_own_delay_columns(tmp_path: Path) -> None:
    links = LINKS.replace("geometry\n", "geometry,VDF_alpha1,VDF_beta1\n").replace(",auto,\n", ",auto,,,\n")
    links = links.replace(",truck,\n", ",truck,,,\n").replace('0 0)"\n', '0 0)",0.5,2\n')
    net = read_gmns(folder(tmp_path, config=CONFIG, link=links), use="truck")
    assert net.length == pytest.approx(np.array([10, 40]) * 1.609344)
    assert net.time == pytest.approx([0.2, 0.4])
    assert (net.b[0], net.power[0], net.b[1]) == (0.5, 2, 0)
    assert net.notes == (
        "links left out, truck is not allowed there: 1",
        "links with no capacity, so never congested: 1",
    )
    assert net.left_out == {"2"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"auto,truck"', '"auto,hovercraft"', "link.csv line 2: unknown mode 'hovercraft'"),
        (",800,2,", ",0,2,", "link.csv line 2: capacity 0 is not positive"),
        (",800,2,", ",-800,2,", "link.csv line 2: capacity -800 is not positive"),
        (",800,2,", ",many,2,", "link.csv line 2: capacity 'many' is no number"),
        ("1,a,m", "1,a,mm", "link.csv line 2: to_node_id 'mm' is not in node.csv"),
        ("(1 0, 0 0)", "(1 0)", "link.csv line 2: geometry"),
        ("(1 0, 0 0)", "(1 0, 0 x)", "link.csv line 2: geometry"),
        ("LINESTRING (1 0, 0 0)", "LINE 1 0", "link.csv line 2: geometry"),
        ("(1 0, 0 0)", "(1 0, 0 0", "link.csv line 2: geometry"),
        ("(1 0, 0 0)", "(1 0, 0 1e)", "link.csv line 2: geometry"),
        ("3,a,b", "2,a,b", "link.csv line 4: link_id '2' is already at link.csv line 3"),
        ("2,m,b,0", "2,m,b,maybe", "link.csv line 3: directed is 'maybe'"),
        ("2,m,b,0,5,50", "2,m,b,0,5,0", "link.csv line 3: free_speed 0 is not positive"),
        ("2,m,b,0,5,50", "2,m,b,0,-5,50", "link.csv line 3: length -5 is negative"),
        ("2,m,b,0,5,50", "2,m,b,0,,50", "link.csv line 3: length is blank"),
    ],
)
def test_one_fault(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert LINKS.count(old)
    with pytest.raises(DataError) as bad:
        read_gmns(folder(tmp_path, link=LINKS.replace(old, new, 1)))
    assert len(bad.value.faults) == 1
    assert str(bad.value.faults[0]).startswith(said)


def test_a_second_link_between_two_nodes_is_kept_and_noted(tmp_path: Path) -> None:
    net = read_gmns(folder(tmp_path, link=LINKS.replace("3,a,b,1,40,100,,,truck", "3,b,m,1,40,100,,,auto")))
    assert net.link_names == ("1", "2", "2", "3")
    assert "all kept: 1 (link.csv line 4 and link.csv line 3)" in net.notes[-1]


def test_all_faults_of_all_files_at_once(tmp_path: Path) -> None:
    links = LINKS.replace(",800,", ",0,").replace("2,m,b,0", "2,q,r,0").replace(",truck,\n", ",sled,\n")
    with pytest.raises(DataError) as bad:
        read_gmns(folder(tmp_path, link=links, node=NODES + "a,1,0,,\n", config="speed\nknots\n"))
    told = [fault.where for fault in bad.value.faults]
    assert sorted(told) == ["config.csv", *(f"link.csv line {n}" for n in (2, 3, 3, 4)), "node.csv line 5"]


@pytest.mark.parametrize("gone", ["node", "link"])
def test_missing_and_empty_files(tmp_path: Path, gone: str) -> None:
    for text in ("", "node_id\n", "\0"):
        with pytest.raises(DataError) as bad:
            read_gmns(folder(tmp_path, **{gone: text}))
        assert any(f"{gone}.csv" in fault.where for fault in bad.value.faults)
    (tmp_path / f"{gone}.csv").unlink()
    with pytest.raises(DataError) as bad:
        read_gmns(tmp_path)
    assert len(bad.value.faults) == 1


def test_trips_that_name_no_zone(tmp_path: Path) -> None:
    net = read_gmns(folder(tmp_path, demand=TRIPS + "30,20,1\n10,20,-1\n"))
    with pytest.raises(DataError) as bad:
        read_demand(tmp_path / "demand.csv", net)
    lines = [fault.where.rsplit(" ")[-1] for fault in bad.value.faults]
    assert lines == ["4", "5", "5"]
    assert "gives 10 to 20 again, as demand.csv line 2" in str(bad.value)


def test_trips_list_broken_lines_and_wrong_cells_at_once(tmp_path: Path) -> None:
    net = read_gmns(folder(tmp_path, demand=TRIPS + "20,10\n20,10,nan\n99,10,5\n"))
    with pytest.raises(DataError) as bad:
        read_demand(tmp_path / "demand.csv", net)
    assert [fault.where[-1] for fault in bad.value.faults] == ["4", "5", "6"]


def test_a_trips_file_of_other_columns_says_what_it_has(tmp_path: Path) -> None:
    net = read_gmns(folder(tmp_path, demand="origin,dest,cars\n10,20,5\n"))
    with pytest.raises(DataError) as bad:
        read_demand(tmp_path / "demand.csv", net)
    assert len(bad.value.faults) == 2 and "it has origin, dest, cars" in str(bad.value)


def test_what_is_assumed_is_noted(tmp_path: Path) -> None:
    notes = read_gmns(folder(tmp_path)).notes
    assert "links with no alpha or beta, taken as 0.15 and 4 (BPR 1964): 1" in notes
    assert "links with no capacity, so never congested: 2" in notes


def test_no_path_names_zones_as_the_file_does(tmp_path: Path) -> None:
    one_way = LINKS.replace("2,m,b,0", "2,m,b,1")
    net = read_gmns(folder(tmp_path, link=one_way, demand="o_zone_id,d_zone_id,volume\n20,10,3\n"))
    with pytest.raises(DataError, match="trips 20 to 10: no path"):
        assign(net, read_demand(tmp_path / "demand.csv", net))


def test_turns_over_links_of_another_use_are_passed_over(tmp_path: Path) -> None:
    turns = "from_link,to_link,cost\n1,2,0.5\n"
    net = read_gmns(folder(tmp_path, turns=turns), use="truck")
    assert len(read_turns(tmp_path / "turns.csv", net).cost) == 0
    assert len(read_turns(tmp_path / "turns.csv", read_gmns(tmp_path)).cost) == 1


def test_border_hours_that_are_no_number_are_told(tmp_path: Path) -> None:
    links = LINKS.replace("geometry\n", "geometry,border_h_wagonload_forward\n")
    links = links.replace(",auto,\n", ",auto,,\n").replace(",truck,\n", ",truck,,long\n")
    with pytest.raises(DataError, match="border_h_wagonload_forward 'long' is no number"):
        read_gmns(folder(tmp_path, link=links.replace('0 0)"\n', '0 0)",3\n')))


def test_what_landbridge_exports_is_read_back(tmp_path: Path) -> None:
    """Every open link both ways, lengths as in the graph; the cheapest block path as by hand."""
    world = load_world()
    write_gmns(tmp_path / "out", gmns(world, []))
    net = read_gmns(tmp_path / "out")
    links = list(world.network["links"])
    assert len(net.tail) == 2 * sum(row["status"] == "open" for row in links)
    assert set(net.zone_names) == {str(row["place_id"]) for row in world.network["places"]}
    graph = compile_graph(world)
    length = {graph.links[n]: km for n, km in zip(graph.link, graph.length_km, strict=True) if n >= 0}
    for name, km in zip(net.link_names, net.length, strict=True):
        assert km == pytest.approx(length[name])
    block = read_gmns(tmp_path / "out", use="block")
    by_product = dict(zip(block.link_names, block.fixed, strict=True))
    wagons = dict(zip(net.link_names, net.fixed, strict=True))
    assert sum(by_product.values()) < sum(wagons[name] for name in by_product)
    assert max(by_product.values()) > 0
    assert BLOCK == 0


@pytest.mark.parametrize("coding", ["utf-8", "cp1251", "utf-16"])
def test_files_that_a_spreadsheet_saves_in_russia(tmp_path: Path, coding: str) -> None:
    """Semicolons, decimal commas and another coding give the flows of the plain files, and are stated."""
    tables = {
        "node.csv": "node_id,name,x_coord,y_coord,zone_id\n"
        "1,Алматы,0.5,0.5,1\n2,Бишкек,0.6,0.5,2\n3,Токмак,0.6,0.6,\n",
        "link.csv": "link_id,from_node_id,to_node_id,length,lanes,capacity,free_speed,directed\n"
        "a,1,2,12.5,2,1000,60,1\nb,1,3,8.25,1,900,50,1\nc,3,2,9.5,1,900,50,1\n",
        "demand.csv": "o_zone_id,d_zone_id,volume\n1,2,2500.5\n",
        "turns.csv": "from_link,to_link,cost\nb,c,0.05\n",
    }
    flows = []
    for name, change in (("plain", False), ("other", True)):
        folder = tmp_path / name
        folder.mkdir()
        for file, text in tables.items():
            changed = text.replace(",", ";").replace(".", ",") if change else text
            (folder / file).write_bytes(changed.encode(coding if change else "utf-8"))
        net = read_gmns(folder)
        demand, penalties = read_demand(folder / "demand.csv", net), read_turns(folder / "turns.csv", net)
        flows.append(assign(net, demand, turns=penalties, gap=1e-10).flow)
        said = " ".join((*net.notes, *demand.notes, *penalties.notes))
        assert ("separated by semicolons" in said) == change and ("decimal commas" in said) == change
        shown = {
            "utf-8": "",
            "cp1251": "node.csv: read as windows-1251",
            "utf-16": "demand.csv: read as UTF-16",
        }
        assert not change or shown[coding] in said
    np.testing.assert_array_equal(*flows)


def test_points_beside_commas_are_no_decimal_commas(tmp_path: Path) -> None:
    (tmp_path / "node.csv").write_text(
        "node_id;x_coord;y_coord;zone_id\n1;0,5;0.5;1\n2;1,0;0.5;2\n", encoding="utf-8"
    )
    (tmp_path / "link.csv").write_text(
        "link_id;from_node_id;to_node_id;length;capacity;free_speed;directed\na;1;2;12;1000;60;1\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="'0,5' is no number"):
        read_gmns(tmp_path)
