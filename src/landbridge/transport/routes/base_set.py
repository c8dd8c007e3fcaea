"""The base set of routes: the definition of the locked base, and the set that ships with the data.

The locked base is the embedded network. A World that adds links to it is searched like a scenario that adds
them: first the network without them, then the routes over them. So a project gives one result, whether it is
entered as a scenario or in the tables. A World in which less than half the open links are embedded ones is a
network of its own.

The search of the embedded network takes half a minute, so its result ships with the data. It is used only
where the graph, the pairs and the rules are the same to nine digits. Results for other networks and cases are
stored in the cache folder under the same conditions (`landbridge.io.cache`).
"""

from __future__ import annotations

import hashlib
import io
import lzma
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.io.cache import fingerprint, read_cached, write_cached
from landbridge.io.tables import DATA, load_world, read_table, table_file
from landbridge.transport.compile import align
from landbridge.transport.graph import GATE_IN, GATE_OUT, LAYERS, Graph
from landbridge.transport.routes import families
from landbridge.transport.routes.candidates import rules_text
from landbridge.transport.routes.lists import Candidates, arc_type, joined, take
from landbridge.transport.routes.nests import BLOCK_ROUTES, Nests
from landbridge.transport.routes.route_set import RouteSet
from landbridge.transport.routes.search import Pairs
from landbridge.world import World
from landbridge.world.table import Table

__all__ = [
    "STORED",
    "STORED_CASES",
    "VERSION",
    "align_with_base",
    "case_key",
    "keep_base",
    "keep_case",
    "kept_nests",
    "known_base",
    "known_case",
    "pack",
    "pack_cases",
    "stored_base",
    "stored_case",
]

LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

STORED = DATA / "routes" / "base.npz.xz"
STORED_CASES = DATA / "routes" / "cases.npz.xz"
# Raise it when the search finds other routes in the same network.
VERSION = 3
_TABLES = ("links", "gauge_changes", "ports", "gateways")
_OWN_SHARE = 0.5


# -- what is added to the locked base ------------------------------------------------------------------


def align_with_base(worlds: Sequence[World]) -> tuple[list[Graph], BoolArray | None]:
    """Aligned graphs of some Worlds, and the arcs open in the locked base [arc].

    worlds: of one study, the base first. None for the arcs where the first World adds nothing to the locked
    base, or is a network of its own. Raises DataError as `landbridge.transport.compile_graph`.
    """
    if not _adds_to_base(worlds[0]):
        return align(worlds), None
    # The locked base comes first, as in the study of a scenario: arcs then have the same order.
    base, *graphs = align([_embedded(), *worlds])
    return graphs, base.available


def _adds_to_base(world: World) -> bool:
    known = {name: _open(_embedded_table(name)) for name in _TABLES}
    mine = {name: _open(world.network[name]) for name in _TABLES}
    links = mine["links"]
    if len(links & known["links"]) <= _OWN_SHARE * len(links):
        return False
    return any(mine[name] - known[name] for name in _TABLES)


def _open(table: Table) -> set[tuple[object, ...]]:
    keys = {"links": ("link_id",), "gateways": ("gateway_id",), "ports": ("place_id",)}
    columns = keys.get(table.name, ("place_id", "gauge_a", "gauge_b"))
    return {
        tuple(row[column] for column in columns)
        for row in table
        if row.get("status", "open") not in ("closed", "planned")
    }


@lru_cache(maxsize=8)
def _embedded_table(name: str) -> Table:
    return read_table(table_file(DATA, name), name)[0]


@lru_cache(maxsize=1)
def _embedded() -> World:
    return load_world()


# -- the set that ships --------------------------------------------------------------------------------


def stored_base(graph: Graph, pairs: Pairs) -> Candidates | None:
    """The candidates of a base from the set that ships with the data; None for another network.

    graph: of the base; pairs: asked for. All pairs asked for must be in the set, with every family there
    where they keep every family here.
    """
    kept = _read(STORED)
    if kept is None or kept.key != _key(graph):
        return None
    size = len(graph.places)
    code = pairs.east * size + pairs.west
    have = kept.east * size + kept.west
    at = np.minimum(np.searchsorted(have, code), len(have) - 1)
    if not np.array_equal(have[at], code) or (kept.every_family[at] != pairs.every_family).any():
        return None
    first, last = np.searchsorted(kept.pair, at), np.searchsorted(kept.pair, at, side="right")
    count = last - first
    rows = np.arange(int(count.sum())) + np.repeat(first - (np.cumsum(count) - count), count)
    number, start = take(kept.arcs, kept.start, rows)
    arcs = _usable(graph).astype(np.int32)[number]
    pair = np.repeat(np.arange(len(pairs)), count)
    return Candidates(pair, arcs, start, kept.family[rows].astype(np.int32))


@dataclass(frozen=True, eq=False)
class _Stored:
    key: str
    east: LongArray
    west: LongArray
    every_family: BoolArray
    pair: LongArray
    family: NDArray[np.uint8]
    start: LongArray
    arcs: NDArray[Any]


def pack(graph: Graph, pairs: Pairs, base: Candidates) -> bytes:
    """A base set as the bytes of the file that ships.

    graph: that was searched; pairs: places between which routes were searched; base: the routes found. Raises
    ValueError where the network has more arcs in use than two bytes can number, or a route uses a closed arc.
    """
    usable = _usable(graph)
    if len(usable) > np.iinfo(np.uint16).max:
        raise ValueError(f"{len(usable)} arcs in use are more than the stored set can number")
    number = np.full(graph.n_arcs, -1, dtype=np.int64)
    number[usable] = np.arange(len(usable))
    if (number[base.arcs] < 0).any():
        raise ValueError("a route leads over arcs that are closed or lead nowhere")
    order = np.lexsort((np.arange(len(base.pair)), base.family, base.pair))
    arcs, start = take(base.arcs, base.start, order)
    return _compressed(
        {
            "key": np.array(_key(graph)),
            "east": pairs.east.astype(np.uint16),
            "west": pairs.west.astype(np.uint16),
            "every_family": pairs.every_family,
            "count": np.bincount(base.pair, minlength=len(pairs)).astype(np.uint16),
            "family": base.family[order].astype(np.uint8),
            "length": np.diff(start).astype(np.uint16),
            "arcs": number[arcs].astype(np.uint16),
        }
    )


def _compressed(arrays: Mapping[str, Any]) -> bytes:
    """Arrays of two-byte numbers as one compressed file, with a window that reaches over all of it."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    alike = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 24}
    return lzma.compress(file.getvalue(), filters=[{**alike, "lc": 0, "lp": 1, "pb": 1}])


@lru_cache(maxsize=1)
def _read(path: Path) -> _Stored | None:
    if not path.is_file():
        return None
    with np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False) as file:
        count = file["count"].astype(np.int64)
        return _Stored(
            str(file["key"]),
            file["east"].astype(np.int64),
            file["west"].astype(np.int64),
            file["every_family"],
            np.repeat(np.arange(len(count)), count),
            file["family"],
            np.concatenate([[0], np.cumsum(file["length"].astype(np.int64))]),
            file["arcs"],
        )


# -- what is kept between runs -------------------------------------------------------------------------


def known_base(graph: Graph, pairs: Pairs) -> Candidates | None:
    """The candidates of a base, from the set that ships or the cache folder; None where neither has it.

    graph: of the base; pairs: places between which routes are searched.
    """
    found = stored_base(graph, pairs)
    if found is not None:
        return found
    arrays = read_cached(_name("base", _key(graph), pairs))
    return None if arrays is None else _unpacked(arrays, graph, pairs)


def keep_base(graph: Graph, pairs: Pairs, found: Candidates) -> None:
    """Store the candidates found for a base in the cache folder.

    graph: of the base; pairs: places between which routes were searched; found: the candidates.
    """
    write_cached(_name("base", _key(graph), pairs), _packed(found, graph))


def known_case(
    graph: Graph, own: Graph, pairs: Pairs, barred: frozenset[str], detour: float
) -> tuple[Candidates, Candidates] | None:
    """The result of `search_case`, from the file that ships or from the cache folder, or None.

    graph, own: of the case, with and without links added to the locked base; pairs: places between which
    routes are searched; barred: countries closed to transit; detour: parameter detour_max, a ratio.
    """
    found = stored_case(graph, own, pairs, barred, detour)
    if found is not None:
        return found
    arrays = read_cached(_name("case", case_key(graph, own, barred, detour), pairs))
    if arrays is None or "again" not in arrays:
        return None
    again = arrays.pop("again")
    whole = _unpacked(arrays, graph, pairs)
    if whole is None or again.dtype != np.bool_ or again.shape != whole.pair.shape:
        return None
    return whole.only(np.flatnonzero(~again)), whole.only(np.flatnonzero(again))


def keep_case(
    graph: Graph,
    own: Graph,
    pairs: Pairs,
    barred: frozenset[str],
    detour: float,
    found: tuple[Candidates, Candidates],
) -> None:
    """Store the candidates found for a case in the cache folder.

    graph, own: of the case, with and without links added to the locked base; pairs: places between which
    routes are searched; barred: countries closed to transit; detour: parameter detour_max, a ratio; found:
    the two results of `search_case`.
    """
    whole = joined(found)
    again = np.arange(len(whole.pair)) >= len(found[0].pair)
    name = _name("case", case_key(graph, own, barred, detour), pairs)
    write_cached(name, {**_packed(whole, graph), "again": again})


def kept_nests(routes: RouteSet, graph: Graph) -> Nests:
    """The nests of a route set by the lengths of a graph; those of a large set are stored between runs.

    routes: the set, whose arcs are those of the graph; graph: gives the lengths. Equations:
    `landbridge.transport.routes.nests`.
    """
    if not routes.worth_keeping:
        return Nests.of(routes, graph)
    version = f"nests {VERSION} {BLOCK_ROUTES} {np.__version__}"
    key = fingerprint(version, routes.fingerprint, graph.link, graph.length_km)
    arrays = read_cached(key)
    found = None if arrays is None else _nests_of(arrays, routes)
    if found is None:
        found = Nests.of(routes, graph)
        arrays = {
            "own": found.own,
            "cells": np.diff(found.cell_group_start).astype(np.int32),
            "entries": np.diff(found.cell_start).astype(np.int32),
            "part4": found.part4,
            "route": found.route.astype(arc_type(int(found.route.max(initial=0)) + 1)),
        }
        write_cached(key, arrays)
    return found


def _nests_of(arrays: Mapping[str, NDArray[Any]], routes: RouteSet) -> Nests | None:
    """The nests of `kept_nests`; None where the arrays do not match."""
    if set(arrays) != {"own", "cells", "entries", "part4", "route"}:
        return None
    own, part4, route = arrays["own"], arrays["part4"], arrays["route"].astype(np.int32)
    of_group, of_cell = (
        np.concatenate([[0], np.cumsum(arrays[name].astype(np.int64))]) for name in ("cells", "entries")
    )
    sizes = len(own), len(of_group) - 1, int(of_group[-1]), int(of_cell[-1]), len(part4)
    if sizes != (routes.n_routes, len(routes.group_pair), len(of_cell) - 1, len(route), len(route)):
        return None
    if own.dtype != np.float64 or part4.dtype != np.float64:
        return None
    return Nests(routes.group_start, routes.group_pair, own, of_group, of_cell, route, part4)


def _name(kind: str, key: str, pairs: Pairs) -> str:
    """Hash of all inputs of a search."""
    digest = hashlib.sha256(f"{kind} {VERSION} {key}".encode())
    for array in (pairs.east, pairs.west, pairs.every_family):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _packed(found: Candidates, graph: Graph) -> dict[str, NDArray[Any]]:
    """Candidates as arrays, in the order found; arcs numbered among those in use."""
    usable = _usable(graph)
    number = np.full(graph.n_arcs, -1, dtype=np.int64)
    number[usable] = np.arange(len(usable))
    return {
        "pair": found.pair.astype(np.int32),
        "family": found.family.astype(np.uint8),
        "length": np.diff(found.start).astype(np.int32),
        "arcs": number[found.arcs].astype(arc_type(len(usable))),
    }


def _unpacked(arrays: Mapping[str, NDArray[Any]], graph: Graph, pairs: Pairs) -> Candidates | None:
    """The candidates of `_packed`; None where the arrays do not match."""
    if set(arrays) != {"pair", "family", "length", "arcs"}:
        return None
    usable = _usable(graph).astype(np.int32)
    pair, arcs = arrays["pair"].astype(np.int64), arrays["arcs"].astype(np.int64)
    start = np.concatenate([[0], np.cumsum(arrays["length"].astype(np.int64))])
    fits = len(pair) == len(arrays["length"]) == len(arrays["family"]) and start[-1] == len(arcs)
    for values, most in ((pair, len(pairs)), (arcs, len(usable))):
        fits = fits and bool(((values >= 0) & (values < most)).all())
    return Candidates(pair, usable[arcs], start, arrays["family"].astype(np.int32)) if fits else None


# -- the cases that ship -------------------------------------------------------------------------------


def stored_case(
    graph: Graph, own: Graph, pairs: Pairs, barred: frozenset[str], detour: float
) -> tuple[Candidates, Candidates] | None:
    """The result of `search_case` for a bundled scenario, from the file that ships; None for any other.

    graph, own: of the case, with and without links added to the locked base; pairs: places between which
    routes are searched; barred: countries closed to transit; detour: parameter detour_max, a ratio.
    """
    kept = _read_cases(STORED_CASES)
    if not kept or not np.array_equal(kept["pairs"], _pair_codes(pairs)):
        return None
    name = case_key(graph, own, barred, detour)
    if f"{name}/pair" not in kept:
        return None
    start = np.concatenate([[0], np.cumsum(kept[f"{name}/length"].astype(np.int64))])
    arcs = _usable(graph).astype(np.int32)[kept[f"{name}/arcs"]]
    whole = Candidates(
        kept[f"{name}/pair"].astype(np.int64), arcs, start, kept[f"{name}/family"].astype(np.int32)
    )
    again = kept[f"{name}/again"]
    return whole.only(np.flatnonzero(~again)), whole.only(np.flatnonzero(again))


def case_key(graph: Graph, own: Graph, barred: frozenset[str], detour: float) -> str:
    """Hash of all inputs of the search of a case.

    graph, own: of the case, with and without links added to the locked base; barred: countries closed to
    transit; detour: parameter detour_max, a ratio.
    """
    text = f"{_key(own)} {_key(graph)} {sorted(barred)} {detour:.9g}"
    return hashlib.sha256(text.encode()).hexdigest()


def pack_cases(pairs: Pairs, cases: Mapping[str, tuple[Graph, tuple[Candidates, Candidates]]]) -> bytes:
    """Searched cases as the bytes of the file that ships.

    pairs: places between which routes were searched; cases: by `case_key`, the graph and the candidates
    found.
    """
    arrays: dict[str, Any] = {"pairs": _pair_codes(pairs)}
    for name, (graph, (fresh, left)) in cases.items():
        usable, whole = _usable(graph), joined([fresh, left])
        number = np.full(graph.n_arcs, -1, dtype=np.int64)
        number[usable] = np.arange(len(usable))
        arrays |= {
            f"{name}/pair": whole.pair.astype(np.uint16),
            f"{name}/family": whole.family.astype(np.uint8),
            f"{name}/again": np.arange(len(whole.pair)) >= len(fresh.pair),
            f"{name}/length": np.diff(whole.start).astype(np.uint16),
            f"{name}/arcs": number[whole.arcs].astype(np.uint16),
        }
    return _compressed(arrays)


def _pair_codes(pairs: Pairs) -> NDArray[np.uint32]:
    """The unordered pairs asked for, and which of them keep every family, as numbers."""
    code = (pairs.east * 4096 + pairs.west) * 2 + pairs.every_family
    return np.asarray(code, dtype=np.uint32)


@lru_cache(maxsize=1)
def _read_cases(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _usable(graph: Graph) -> LongArray:
    """Numbers of the open arcs between states that an open link comes to, and gates.

    Stored arcs are numbers among these, in the same order whatever else is aligned: where a scenario builds a
    line of another gauge, the graph of the base has transfers to it too, which lead nowhere.
    """
    alive = np.zeros(graph.n_states, dtype=bool)
    between = graph.available & (graph.tail // len(LAYERS) != graph.head // len(LAYERS))
    alive[graph.tail[between]] = alive[graph.head[between]] = True
    alive[GATE_OUT :: len(LAYERS)] = alive[GATE_IN :: len(LAYERS)] = True
    return np.flatnonzero(graph.available & alive[graph.tail] & alive[graph.head])


def _key(graph: Graph) -> str:
    """Hash of a graph's inputs to a search: usable arcs with ends, costs and lengths, gateways, the rules."""
    digest = hashlib.sha256(f"{VERSION} {rules_text()} {families.rules_text()}".encode())
    at = _usable(graph)
    names = [graph.places[place] for place in range(len(graph.places))]
    used = np.unique(np.concatenate([graph.tail[at], graph.head[at]]) // len(LAYERS))
    digest.update(
        repr([(int(p), names[p], graph.countries[p], graph.own_country[p], float(graph.lon[p]))
              for p in used]).encode()
    )  # fmt: skip
    for array in (
        graph.tail[at],
        graph.head[at],
        graph.border[at],
        graph.operation[at],
        graph.mode[at],
        graph.caspian_ship[at],
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    for values in (graph.time_h, graph.cost_usd, graph.bulk_usd, graph.length_km[:, None]):
        digest.update(_nine_digits(values[at].ravel()).encode())
    number = np.full(graph.n_arcs, -1, dtype=np.int64)
    number[at] = np.arange(len(at))
    governed = number[graph.govern_arc] >= 0
    listed = zip(graph.govern_gateway[governed], number[graph.govern_arc[governed]], strict=True)
    digest.update(repr([(graph.gateways[j], int(a)) for j, a in listed]).encode())
    return digest.hexdigest()


def _nine_digits(values: Iterable[float]) -> str:
    return " ".join(f"{value:.9g}" for value in values)
