"""Gateways and links that can be closed: all that carry freight, or those asked for by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.phrases import named, say
from landbridge.transport import Graph, RouteSet
from landbridge.world import World
from landbridge.world.names import resolve

__all__ = ["Element", "cases", "elements"]

FloatArray = NDArray[np.float64]
LongArray = NDArray[np.int64]


@dataclass(frozen=True)
class Element:
    """Arcs that close together.

    id, name: joined by + for several; kind: gateway, link or together. arcs: numbers of the arcs; counted: of
    those on which its flow is counted; gateways: numbers of its gateways, none for a link.
    """

    id: str
    name: str
    kind: str
    arcs: LongArray
    counted: LongArray
    gateways: tuple[int, ...]


def elements(
    world: World,
    graph: Graph,
    flow_teu: FloatArray,
    together: Iterable[Sequence[str]] = (),
    only: Sequence[str] | None = None,
    least_teu: float = 1.0,
) -> Iterator[Element]:
    """Every gateway and link with freight, or those asked for; then those closed together.

    world, graph: of the base; flow_teu [arc]: TEU a year. together, only, least_teu: as in
    `landbridge.studies.disrupt.disrupt`. Raises DataError with every unknown name.
    """
    together = list(together)
    singles = {e.id: e for e in (*_gateways(world, graph), *_links(world, graph))}
    faults: list[Fault] = []
    chosen = [_found(world, graph, singles, name, "only", faults) for name in only or ()]
    groups = [
        [_found(world, graph, singles, name, "together", faults) for name in group] for group in together
    ]
    faults += [
        Fault("together", f"{', '.join(group) or 'nothing'} is no combination", "name two or more, A+B")
        for group in together
        if len(set(group)) < 2
    ]
    if faults:
        raise DataError("unknown gateways or links", faults)
    if only is not None:
        yield from (e for e in chosen if e is not None)
    else:
        yield from (e for e in singles.values() if flow_teu[e.counted].sum() >= least_teu)
    yield from (_combined([e for e in group if e is not None]) for group in groups)


def cases(listed: Iterable[Element], routes: RouteSet) -> list[list[Element]]:
    """Elements grouped by the routes they cut: links in a row without a branch are one case.

    listed: of `elements`; routes: of the base. Returns the groups, in the order of their first elements.
    """
    bundle_of_arc = routes.bundle_of_arc
    groups: dict[tuple[int, ...], list[Element]] = {}
    for element in listed:
        bundles = np.unique(bundle_of_arc[element.arcs])
        groups.setdefault(tuple(bundles[bundles >= 0].tolist()), []).append(element)
    return list(groups.values())


def _found(
    world: World,
    graph: Graph,
    singles: Mapping[str, Element],
    name: str,
    where: str,
    faults: list[Fault],
) -> Element | None:
    """The gateway or link of a name; None, with a fault, where there is none."""
    if name in singles:
        return singles[name]
    found, fault = resolve(world.tables, "gateway", name, where, set(graph.gateways))
    if fault is None and found is not None:
        return singles[found]
    faults.append(fault or Fault(where, f"no gateway or link {name!r}", "give an id"))
    return None


def _combined(parts: Sequence[Element]) -> Element:
    """Several gateways and links closed at the same time."""
    return Element(
        "+".join(e.id for e in parts),
        " + ".join(e.name for e in parts),
        "together",
        np.unique(np.concatenate([e.arcs for e in parts])),
        np.unique(np.concatenate([e.counted for e in parts])),
        tuple(j for e in parts for j in e.gateways),
    )


def _gateways(world: World, graph: Graph) -> Iterator[Element]:
    rows = world.network["gateways"].by("gateway_id")
    for j, gateway in enumerate(graph.gateways):
        mine = graph.govern_gateway == j
        counted = graph.govern_arc[mine & graph.govern_counted]
        if rows[gateway]["status"] == "open" and mine.any():
            yield Element(
                gateway,
                str(rows[gateway]["name"]),
                "gateway",
                graph.govern_arc[mine].astype(np.int64),
                counted,
                (j,),
            )


def _links(world: World, graph: Graph) -> Iterator[Element]:
    network = world.network
    names = {
        str(r["place_id"]): named("place", str(r["place_id"]), str(r["name"])) for r in network["places"]
    }
    rows = network["links"].by("link_id")
    order = np.argsort(graph.link, kind="stable")
    first = np.searchsorted(graph.link[order], np.arange(len(graph.links) + 1))
    for n, link in enumerate(graph.links):
        row = rows[link]
        arcs = order[first[n] : first[n + 1]].astype(np.int64)
        if row["status"] == "open" and len(arcs):
            ends = say(
                "link.name",
                start=names[str(row["from_place"])],
                end=names[str(row["to_place"])],
                mode=named("mode", str(row["mode"])),
            )
            yield Element(link, ends, "link", arcs, arcs, ())
