"""The cache folder: what is kept is found again, is never trusted when damaged, and never fails a run."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import embedded
from commands import Call
from landbridge.io import cache
from landbridge.io.cache import cache_folder, clear_cache, fingerprint, read_cached, write_cached
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.model.waits import Slope, kept_slope
from landbridge.scenario import apply, load_scenario
from landbridge.transport.compile import align
from landbridge.transport.graph import Graph
from landbridge.transport.routes import base_set, route_set
from landbridge.transport.routes.base_set import keep_base, keep_case, kept_nests, known_base, known_case
from landbridge.transport.routes.nests import Nests
from landbridge.transport.routes.route_set import Keep, RouteSet, generate
from mini_world import ZONES, added, mini_world

ARRAYS = {"one": np.arange(7, dtype=np.uint16), "two": np.array([True, False])}
KEY = "ab" * 32


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANDBRIDGE_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def same(one: dict, two: dict) -> bool:
    return one.keys() == two.keys() and all(
        one[k].dtype == two[k].dtype and np.array_equal(one[k], two[k]) for k in one
    )


# -- the folder ----------------------------------------------------------------------------------------


def test_what_is_kept_is_found_again(folder: Path) -> None:
    assert read_cached(KEY) is None
    write_cached(KEY, ARRAYS)
    found = read_cached(KEY)
    assert found is not None and same(found, ARRAYS)
    assert [path.name for path in folder.iterdir()] == [f"{KEY}.routes"]


def test_damage_is_as_good_as_nothing(folder: Path) -> None:
    write_cached(KEY, ARRAYS)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for at in (0, 25, 60, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert read_cached(KEY) is None
    for length in (0, 10, 40, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert read_cached(KEY) is None
    # A sound file under the name of another is not taken for it.
    path.write_bytes(whole)
    path.replace(folder / f"{'cd' * 32}.routes")
    assert read_cached("cd" * 32) is None
    write_cached(KEY, ARRAYS)
    assert read_cached(KEY) is not None


def test_a_folder_that_cannot_be_used_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("LANDBRIDGE_CACHE", str(place))
        write_cached(KEY, ARRAYS)
        assert read_cached(KEY) is None and clear_cache() == (0, 0)


def test_off_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for word in ("off", "OFF", "0", ""):
        monkeypatch.setenv("LANDBRIDGE_CACHE", word)
        write_cached(KEY, ARRAYS)
        assert cache_folder() is None and read_cached(KEY) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_folder_of_each_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.delenv("LANDBRIDGE_CACHE")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", staticmethod(lambda: tmp_path / "me"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    at = {
        "linux": tmp_path / "xdg" / "landbridge",
        "darwin": tmp_path / "me" / "Library" / "Caches" / "landbridge",
        "win32": tmp_path / "local" / "landbridge" / "cache",
    }
    assert cache_folder() == at[platform]
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.delenv("LOCALAPPDATA")
    if platform == "linux":
        assert cache_folder() == tmp_path / "me" / ".cache" / "landbridge"


def test_the_folder_does_not_grow_without_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_MOST_BYTES", 5000)
    for n in range(20):
        write_cached(f"{n:064x}", ARRAYS)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 5000
    assert read_cached(f"{19:064x}") is not None


def test_many_may_write_and_read_at_once(folder: Path) -> None:
    def work(_: int) -> bool:
        write_cached(KEY, ARRAYS)
        found = read_cached(KEY)
        return found is None or same(found, ARRAYS)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(100)))
    assert [path.name for path in folder.iterdir()] == [f"{KEY}.routes"]


def test_the_command_clears_and_names_the_folder(folder: Path, call: Call) -> None:
    write_cached(KEY, ARRAYS)
    (folder / "mine.txt").write_text("not ours", encoding="utf-8")
    assert call("cache", "path")[:2] == (0, f"{folder}\n")
    code, _, told = call("cache", "clear")
    assert code == 0 and told.startswith("removed 1 file,")
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


# -- routes --------------------------------------------------------------------------------------------


def graphs() -> list[Graph]:
    """A small network of its own, and a case that builds a line."""
    world = mini_world()
    link = {"link_id": "R3b", "from_place": "DOS", "to_place": "ALM", "mode": "rail-1520"}
    other = added(world, "links", {**link, "length_km": 700.0, "speed_kmh": 55.0, "electrified": "yes"})
    return align([world, other])


def searched(aligned: list[Graph]) -> RouteSet:
    return generate(
        aligned, ZONES, ZONES, known=known_base, known_case=known_case, keep=Keep(keep_base, keep_case)
    )


def alike(one: RouteSet, two: RouteSet) -> bool:
    names = "pair", "family", "arcs", "start", "group_start", "serves", "again"
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)


def refuse(*_: object) -> object:
    raise AssertionError("searched although it is kept")


def test_a_network_is_searched_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = searched(graphs())
    assert len(list(folder.iterdir())) == 2
    assert alike(first, generate(graphs(), ZONES, ZONES))
    with monkeypatch.context() as patch:
        patch.setattr(route_set.Search, "base", refuse)
        patch.setattr(route_set.CaseSearch, "found", refuse)
        assert alike(first, searched(graphs()))
        # Another version of the search, and another network, find nothing here.
        patch.setattr(base_set, "VERSION", base_set.VERSION + 1)
        with pytest.raises(AssertionError, match="although it is kept"):
            searched(graphs())
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert alike(first, searched(graphs()))


def test_other_pairs_and_other_costs_are_searched_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched(graphs())
    monkeypatch.setattr(route_set.Search, "base", refuse)
    keep = Keep(keep_base, keep_case)
    with pytest.raises(AssertionError, match="although it is kept"):
        generate(graphs(), ZONES[:-1], ZONES[:-1], known=known_base, known_case=known_case, keep=keep)
    dearer = [replace(graph, cost_usd=1.01 * graph.cost_usd) for graph in graphs()]
    with pytest.raises(AssertionError, match="although it is kept"):
        searched(dearer)


def test_arrays_that_do_not_fit_are_not_used(folder: Path) -> None:
    first = searched(graphs())
    for path in folder.iterdir():
        arrays = read_cached(path.stem)
        assert arrays is not None
        write_cached(path.stem, {**arrays, "arcs": arrays["arcs"] + 5000})
    assert alike(first, searched(graphs()))


def test_nests_are_made_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, _ = graphs()
    routes = generate(graph, ZONES, ZONES)
    made = Nests.of(routes, graph)
    kept_nests(routes, graph)
    assert not folder.exists()  # a small set is made as quickly as read
    monkeypatch.setattr(route_set, "_WORTH_KEEPING", 1)
    kept_nests(routes, graph)
    (path,) = folder.iterdir()
    names = "group_start", "own", "cell_group_start", "cell_start", "route", "part4"
    with monkeypatch.context() as patch:
        patch.setattr(Nests, "of", refuse)
        found = kept_nests(routes, graph)
        for name in names:
            np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
            assert getattr(found, name).dtype == getattr(made, name).dtype
        # Other lengths are other nests.
        with pytest.raises(AssertionError, match="although it is kept"):
            kept_nests(routes, replace(graph, length_km=1.1 * graph.length_km))
    path.write_bytes(path.read_bytes()[:-1])
    assert np.array_equal(kept_nests(routes, graph).part4, made.part4)
    arrays = read_cached(path.stem)
    assert arrays is not None
    write_cached(path.stem, {**arrays, "own": arrays["own"][:-1]})
    assert np.array_equal(kept_nests(routes, graph).own, made.own)


def test_a_fingerprint_tells_inputs_apart() -> None:
    numbers = np.arange(6)
    told = [
        fingerprint("a", "b"),
        fingerprint("ab"),
        fingerprint("b", "a"),
        fingerprint("a", numbers),
        fingerprint("a", numbers.astype(np.int32)),
        fingerprint("a", numbers.reshape(2, 3)),
        fingerprint("a", numbers[::-1]),
    ]
    assert len(set(told)) == len(told)
    assert fingerprint("a", numbers[::-1]) == fingerprint("a", numbers[::-1].copy())


def test_the_slope_of_a_base_is_made_once_and_never_trusted_when_it_does_not_fit(folder: Path) -> None:
    made = np.array([[1.23456789, 0.0], [-9.87654321e-7, np.pi]]), np.array([2.0 / 3.0, 1e9])
    first = kept_slope(KEY, 2, lambda: made)
    assert first[0][0, 0] == 1.23457 and first[1][0] == 0.666667

    def never() -> Slope:
        raise AssertionError("it is made although it is kept")

    for one, other in zip(first, kept_slope(KEY, 2, never), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(AssertionError, match="although it is kept"):
        kept_slope(KEY, 3, never)
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    np.testing.assert_array_equal(kept_slope(KEY, 2, lambda: made)[0], first[0])


@pytest.mark.slow
def test_the_slope_of_a_base_is_the_same_whatever_else_is_studied() -> None:
    world = embedded.world()
    scenario = load_scenario("cku-railway", world)
    alone, beside = (
        SolvedBase(Prepared(worlds), world, 0, True).slope
        for worlds in ([world], [world, apply(world, scenario)])
    )
    for one, other in zip(alone, beside, strict=True):
        assert one.any()
        np.testing.assert_array_equal(one, other)
