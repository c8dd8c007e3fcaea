"""Routes that a case needs in addition to those of its base: over opened arcs, and around closed ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.graph import LAYERS, Graph
from landbridge.transport.routes.candidates import Search
from landbridge.transport.routes.families import Labels
from landbridge.transport.routes.lists import Candidates, incidence, joined
from landbridge.transport.routes.search import Pairs

__all__ = ["CaseSearch", "SearchedBase", "search_case", "transit_arcs"]

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SearchedBase:
    """The inputs of a set, for searching again: the base graph, its pairs and candidates.

    found: the candidates. own: the graph without the links added to the locked base; its railways name the
    families.
    """

    graph: Graph
    own: Graph
    pairs: Pairs
    found: Candidates

    @cached_property
    def labels(self) -> Labels:
        """The marks of the arcs by family."""
        return Labels.of(self.own)

    @cached_property
    def search(self) -> Search:
        """The searches on the base graph."""
        return Search(self.graph, self.pairs, self.labels)


class CaseSearch:
    """Arcs that a graph opens and closes against the base, and the routes that it needs for that.

    searched: the base; barred: countries closed to the transit of others; their own trade continues.
    """

    def __init__(self, graph: Graph, searched: SearchedBase, barred: frozenset[str]) -> None:
        pairs, base = searched.pairs, searched.found
        self._graph, self._pairs, self._searched, self._base = graph, pairs, searched, base
        self._opened = graph.available & ~searched.graph.available
        self._transit = transit_arcs(graph, barred)
        inside = np.isin(np.array(graph.countries), sorted(barred))
        self._outside = ~(inside[pairs.east] | inside[pairs.west])
        arcs = np.stack([~graph.available, self._transit], axis=1).astype(float)
        hit = np.asarray(incidence(base.arcs, base.start, graph.n_arcs) @ arcs) > 0.0
        self._dead = hit[:, 0] | (hit[:, 1] & self._outside[base.pair])

    def _parts(self) -> list[tuple[Graph, BoolArray]]:
        """Graphs to search on, and the pairs of each."""
        if not self._transit.any():
            return [(self._graph, np.ones(len(self._pairs), dtype=bool))]
        around = replace(self._graph, available=self._graph.available & ~self._transit)
        return [(around, self._outside), (self._graph, ~self._outside)]

    def found(self, detour: float) -> tuple[Candidates, Candidates]:
        """The best routes over opened arcs, and the best left for families whose best one is closed.

        detour: as in `generate`.
        """
        return self.fresh(detour), self.left(np.ones(len(self._pairs), dtype=bool))

    def fresh(self, detour: float) -> Candidates:
        """The best routes over opened arcs; detour: as in `generate`."""
        if not self._opened.any():
            return Candidates.none()
        return joined(
            [
                Search(graph, self._pairs, self._searched.labels).over(
                    self._opened, self._base, detour, asked
                )
                for graph, asked in self._parts()
            ]
        )

    def left(self, wanted: BoolArray, search: Search | None = None) -> Candidates:
        """The best routes left for families of the wanted pairs [pair] whose best one is closed.

        search: of the base, used where arcs are closed and nothing else changes.
        """
        hurt = np.zeros(len(self._pairs), dtype=bool)
        hurt[self._base.pair[self._dead]] = True
        hurt &= wanted
        if not hurt.any():
            return Candidates.none()
        found = []
        for graph, asked in self._parts():
            on = search if search is not None else Search(graph, self._pairs, self._searched.labels)
            kept = search is not None
            found.append(on.without(self._base, self._dead, hurt & asked, ~graph.available, keep=kept))
        return joined(found)


def search_case(
    graph: Graph, own: Graph, pairs: Pairs, base: Candidates, barred: frozenset[str], detour: float
) -> tuple[Candidates, Candidates]:
    """The search of `generate` for a case: the best over opened arcs, the best left where one is closed.

    graph, own: of the case, with and without links added to the locked base; pairs, base: of the base;
    barred: countries closed to transit; detour: as in `generate`. Returns both lists. Method:
    docs/theory/routes.md.
    """
    return CaseSearch(graph, SearchedBase(own, own, pairs, base), barred).found(detour)


def transit_arcs(graph: Graph, countries: frozenset[str]) -> BoolArray:
    """Arcs of a graph with an end in one of the countries [arc]; none for no country.

    graph: of the arcs; countries: codes.
    """
    inside = np.isin(np.array(graph.countries), sorted(countries))
    return np.asarray(inside[graph.tail // len(LAYERS)] | inside[graph.head // len(LAYERS)])
