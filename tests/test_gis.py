"""Places and links in a GeoPackage that is edited as QGIS does, and read back into a World."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import embedded
from commands import Call
from landbridge.errors import DataError
from landbridge.io.geometry import read_geometry, write_geometry
from landbridge.io.gis import merge_gis, read_gis, write_gis
from landbridge.transport.compile import compile_graph
from landbridge.world import World

Sql = tuple[str, tuple[object, ...]]


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


@pytest.fixture(scope="module")
def plain(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gis") / "network.gpkg"
    write_gis(path, world, ["a line of attribution"])
    return path


@pytest.fixture
def edit(plain: Path, tmp_path: Path) -> Callable[..., Path]:
    def edited(*statements: Sql) -> Path:
        path = tmp_path / "mine.gpkg"
        path.write_bytes(plain.read_bytes())
        with closing(sqlite3.connect(path)) as base:
            for text, values in statements:
                assert base.execute(text, values).rowcount != 0, text
            base.commit()
        return path

    return edited


def point(world: World, place: str) -> tuple[float, float]:
    row = world.network["places"].by("place_id")[place]
    return float(row["lon"] or 0.0), float(row["lat"] or 0.0)


def drawn(**cells: object) -> Sql:
    names = ", ".join(cells)
    return f"INSERT INTO links ({names}) VALUES ({', '.join('?' * len(cells))})", tuple(cells.values())


def told(path: Path, world: World) -> str:
    with pytest.raises(DataError) as error:
        merge_gis(world, read_gis(path, world), path.name)
    return str(error.value)


# -- back and forth --------------------------------------------------------------------------------


def test_a_file_that_nobody_edited_gives_back_the_world(plain: Path, world: World) -> None:
    same, counts, sources = merge_gis(world, read_gis(plain, world), plain.name)
    assert same.hash == world.hash and counts == {} and sources == []
    with closing(sqlite3.connect(plain)) as base:
        about = dict(base.execute("SELECT topic, text FROM about"))
    assert about["world"] == world.hash and "import-gpkg" in about["editing"] and "attribution" in about


def test_an_edited_attribute_says_so_in_its_row(edit: Callable[..., Path], world: World) -> None:
    path = edit(("UPDATE links SET speed_kmh = 33 WHERE link_id = 'R018'", ()))
    new, counts, sources = merge_gis(world, read_gis(path, world), path.name)
    before, after = (one.network["links"].by("link_id")["R018"] for one in (world, new))
    assert after["speed_kmh"] == 33.0 and after["source"] == "edited in mine.gpkg"
    assert after["basis"] == "assumption" and f"speed_kmh {before['speed_kmh']:g}" in str(after["note"])
    assert counts == {"links": {"replaced": 1, "added": 0}} and [one["table"] for one in sources] == ["links"]
    others = [(a, b) for a, b in zip(world.network["links"], new.network["links"], strict=True) if a != b]
    assert len(others) == 1 and new.network["places"] == world.network["places"]
    # A source of the user's own stays as it is.
    own = ("UPDATE links SET speed_kmh = 33, source = 'a survey' WHERE link_id = 'R018'", ())
    kept, *_ = merge_gis(world, read_gis(edit(own), world), path.name)
    assert kept.network["links"].by("link_id")["R018"]["source"] == "a survey"


def test_a_length_of_your_own_replaces_the_measured_one(edit: Callable[..., Path], world: World) -> None:
    measured = world.network["link_lengths_osm"].by("link_id")["R018"]["length_km"]
    path = edit(("UPDATE links SET length_km = ? WHERE link_id = 'R018'", (float(measured or 0) + 50.0,)))
    new, *_ = merge_gis(world, read_gis(path, world), path.name)
    old, graph = compile_graph(world), compile_graph(new)
    number = graph.links.index("R018")
    longer = graph.length_km[graph.link == number].max() - old.length_km[old.link == number].max()
    assert longer == pytest.approx(50.0, abs=1e-6)


def test_a_moved_point_moves_its_place(edit: Callable[..., Path], world: World) -> None:
    lon, lat = point(world, "OSS")
    moved = write_geometry(((lon + 0.1, lat),))
    path = edit(("UPDATE places SET geom = ? WHERE place_id = 'OSS'", (moved,)))
    new, counts, _ = merge_gis(world, read_gis(path, world), path.name)
    assert point(new, "OSS") == (lon + 0.1, lat) and counts == {"places": {"replaced": 1, "added": 0}}
    far = write_geometry(((lon + 3.0, lat),))
    path = edit(("UPDATE places SET geom = ? WHERE place_id = 'OSS'", (far,)))
    assert "'OSS'), was moved" not in told(path, world)
    assert "('OSS'): was moved by" in told(path, world)


# -- lines -----------------------------------------------------------------------------------------


def test_a_drawn_line_finds_its_ends_and_its_length(edit: Callable[..., Path], world: World) -> None:
    start, end = point(world, "KHG"), point(world, "OSS")
    middle = (0.5 * (start[0] + end[0]), 0.5 * (start[1] + end[1]) + 0.5)
    near = (end[0] + 0.05, end[1])
    blob = multi(write_geometry((start, middle, near)) or b"")
    given = {"link_id": "NEW", "mode": "rail-1435", "speed_kmh": 60.0}
    path = edit(drawn(geom=blob, **given))
    new, counts, _ = merge_gis(world, read_gis(path, world), path.name)
    row = new.network["links"].by("link_id")["NEW"]
    assert (row["from_place"], row["to_place"]) == ("KHG", "OSS") and counts["links"]["added"] == 1
    assert row["status"] == "open" and "along the drawn line" in str(row["note"])
    assert (row["source"], row["basis"]) == ("drawn in mine.gpkg", "assumption")
    path = edit(drawn(geom=write_geometry((start, near)), **given))
    shorter, *_ = merge_gis(world, read_gis(path, world), path.name)
    straight = shorter.network["links"].by("link_id")["NEW"]["length_km"]
    assert float(row["length_km"] or 0.0) > float(straight or 0.0) > 150.0
    assert "NEW" in compile_graph(new).links


def multi(blob: bytes) -> bytes:
    """The line as a shape of several parts with one part, as QGIS saves it, and big-endian."""
    head, n = blob[: 8 + 32], struct.unpack_from("<I", blob, 8 + 32 + 5)[0]
    numbers = struct.unpack_from(f"<{2 * n}d", blob, 8 + 32 + 9)
    line = struct.pack(f">BII{2 * n}d", 0, 2, n, *numbers)
    return head + struct.pack(">BII", 0, 5, 1) + line


def test_a_line_may_be_drawn_from_either_end(edit: Callable[..., Path], world: World) -> None:
    row = world.network["links"].by("link_id")["R018"]
    ends = [point(world, str(row[end])) for end in ("to_place", "from_place")]
    path = edit(("UPDATE links SET geom = ? WHERE link_id = 'R018'", (write_geometry(tuple(ends)),)))
    assert merge_gis(world, read_gis(path, world), path.name)[0].hash == world.hash


def test_lines_that_end_nowhere_or_elsewhere_are_told_together(
    edit: Callable[..., Path], world: World
) -> None:
    start = point(world, "KHG")
    row = world.network["links"].by("link_id")["R018"]
    away = (point(world, str(row["from_place"])), point(world, "OSS"))
    path = edit(
        drawn(geom=write_geometry((start, (0.0, 0.0))), link_id="NEW", mode="road", source="s",
              basis="assumption"),
        ("UPDATE links SET geom = ? WHERE link_id = 'R018'", (write_geometry(away),)),
    )  # fmt: skip
    text = told(path, world)
    assert "('NEW'), to_place: the line ends" in text and "km from the nearest place" in text
    assert f"('R018'), to_place: the line does not end at '{row['to_place']}'" in text
    assert "set to_place to OSS" in text


# -- what is refused -------------------------------------------------------------------------------


def broken(world: World) -> Iterator[tuple[str, list[Sql]]]:
    yield "'R018' is missing -> undo the deletion", [("DELETE FROM links WHERE link_id = 'R018'", ())]
    yield "is there twice", [("UPDATE links SET link_id = 'R018' WHERE link_id = 'R019'", ())]
    yield "has no shape", [("UPDATE places SET geom = NULL WHERE place_id = 'OSS'", ())]
    line = write_geometry((point(world, "OSS"), point(world, "KHG")))
    yield "is no point", [("UPDATE places SET geom = ? WHERE place_id = 'OSS'", (line,))]
    yield "breaks off", [("UPDATE links SET geom = ? WHERE link_id = 'R018'", ((line or b"")[:-8],))]
    yield (
        "not between -90",
        [("UPDATE places SET geom = ? WHERE place_id = 'OSS'", (write_geometry(((70.0, 95.0),)),))],
    )
    yield "speed_kmh", [("UPDATE links SET speed_kmh = -5 WHERE link_id = 'R018'", ())]
    yield "mode", [("UPDATE links SET mode = 'canal' WHERE link_id = 'R018'", ())]
    yield "not text or a number", [("UPDATE links SET note = ? WHERE link_id = 'R018'", (b"\x00",))]
    yield (
        "in EPSG:3857 -> save it in EPSG:4326",
        [
            ("INSERT INTO gpkg_spatial_ref_sys VALUES ('m', 3857, 'EPSG', 3857, '', '')", ()),
            ("UPDATE gpkg_geometry_columns SET srs_id = 3857 WHERE table_name = 'links'", ()),
        ],
    )
    yield "columns are missing -> keep speed_kmh", [("ALTER TABLE links DROP COLUMN speed_kmh", ())]
    yield (
        "layer links: is not in the file",
        [("DELETE FROM gpkg_geometry_columns WHERE table_name = 'links'", ())],
    )


def test_what_does_not_fit_is_told_with_its_feature(edit: Callable[..., Path], world: World) -> None:
    for words, statements in broken(world):
        assert words in told(edit(*statements), world), words


def test_files_that_are_none(tmp_path: Path, plain: Path, world: World) -> None:
    for content, words in (
        (b"PK", "is no GeoPackage"),
        (b"SQLite format 3\x00" + b"x" * 200, "cannot be read"),
    ):
        path = tmp_path / "other.gpkg"
        path.write_bytes(content)
        with pytest.raises(DataError, match=words):
            read_gis(path, world)
    path = tmp_path / "open.gpkg"
    path.write_bytes(plain.read_bytes())
    path.with_name("open.gpkg-wal").write_bytes(b"x")
    with pytest.raises(DataError, match="still being edited"):
        read_gis(path, world)
    with pytest.raises(DataError, match="not found"):
        read_gis(tmp_path / "none.gpkg", world)


def test_shapes_of_every_dimension_and_no_others() -> None:
    whole = write_geometry(((1.0, 2.0),)) or b""
    for code, more in ((1001, 1), (2001, 1), (3001, 2)):
        blob = whole[:8] + struct.pack(f"<BI{2 + more}d", 1, code, 1.0, 2.0, *[9.0] * more)
        assert read_geometry(blob, "point") == (((1.0, 2.0),), "")
    assert read_geometry(whole[:8] + struct.pack("<BI", 1, 4001), "point")[1]
    assert read_geometry(whole[:8] + struct.pack("<BII", 1, 5, 2), "line")[1].startswith("has 2 parts")
    # A count that says more than there is must not take memory.
    assert read_geometry(whole[:8] + struct.pack("<BII", 1, 2, 2**32 - 1), "line")[1].endswith("breaks off")
    for blob in (b"", None, "text", b"GP", whole[:9], b"XX" + whole[2:]):
        assert read_geometry(blob, "point")[1]


# -- commands --------------------------------------------------------------------------------------


def test_export_edit_import(call: Call, tmp_path: Path) -> None:
    file, folder = tmp_path / "net.gpkg", tmp_path / "mine"
    code, out, err = call("data", "export", str(file))
    assert code == 0 and "import-gpkg" in out, err
    code, _, err = call("data", "export", str(file))
    assert code == 3 and "is there already" in err
    with closing(sqlite3.connect(file)) as base:
        base.execute("UPDATE links SET speed_kmh = 33 WHERE link_id = 'R018'")
        base.commit()
    code, out, err = call("data", "import-gpkg", str(file), str(folder), "--json")
    assert code == 0, err
    result = json.loads(out)["result"]
    assert result["tables"] == {"links": {"replaced": 1, "added": 0}}
    assert [
        (one["row"], one["column"], one["after"]) for one in result["changes"] if one["column"] == "speed_kmh"
    ]
    assert (folder / "network" / "links.csv").is_file()
    code, _, err = call("data", "import-gpkg", str(file), str(folder))
    assert code == 3 and "is not empty" in err
