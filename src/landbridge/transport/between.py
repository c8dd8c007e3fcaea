"""The choice of routes between two places, in a World and after a scenario, at the waits of the base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import Fault, InfeasibleError
from landbridge.scenario import Scenario, apply
from landbridge.transport.choice.pivot import Choice, log_constants, pivot, solve_base
from landbridge.transport.graph import Graph
from landbridge.transport.routes.base_set import align_with_base, stored_base
from landbridge.transport.routes.nests import Nests
from landbridge.transport.routes.route_set import RouteSet, generate, in_transit
from landbridge.transport.segments import Segments, freight_segments, keeps_every_family
from landbridge.world import World

__all__ = ["Between", "barred", "choose_between", "choose_from"]

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Between:
    """The routes between a place and others, and the choice among them.

    graph, choice, available [route]: of the World asked for. before, open_before [route]: the choice and the
    open routes of the base, None where no scenario was asked for.
    """

    graph: Graph
    routes: RouteSet
    choice: Choice
    available: BoolArray
    before: Choice | None = None
    open_before: BoolArray | None = None

    @property
    def classes(self) -> Segments:
        """Segments of freight of the pair."""
        return self.choice.classes


def choose_between(
    world: World, start: str, end: str, sector: str, scenario: Scenario | None = None
) -> Between:
    """The choice of routes of a pair, as in a study but for the waits, which stay those of the base.

    world: the base; start, end: identifiers of places; sector: whose bans on transit count; scenario: after
    which routes are wanted. Returns Between. Equations: docs/theory/choice.md.
    Raises InfeasibleError where no open route joins the places, ScenarioError for an invalid scenario,
    DataError for a file that cannot be read.
    """
    return choose_from(world, start, [end], sector, scenario)


def choose_from(
    world: World, start: str, to: Sequence[str], sector: str, scenario: Scenario | None = None
) -> Between:
    """The choice of routes from a place to several others, a pair for each in their order.

    world, start, sector, scenario: as in `choose_between`; to: identifiers of places. Returns Between.
    Equations: docs/theory/choice.md.
    Raises InfeasibleError where no open route leads to any of them, ScenarioError for an invalid scenario,
    DataError for a file that cannot be read.
    """
    worlds = (
        [world] if scenario is None else [apply(world, scenario, only_model=True), apply(world, scenario)]
    )
    base, after = worlds[0], worlds[-1]
    graphs, locked = align_with_base(worlds)
    places = after.network["places"].by("place_id")
    region = {p: str(places[p]["region"] or "") for p in (start, *to)}
    ends = [region[start]], [region[p] for p in to]
    bans = {n: shut for n, one in enumerate(worlds) if (shut := barred(one, sector))}
    routes = generate(
        graphs,
        [start],
        to,
        every_family=keeps_every_family(after, *ends),
        detour=base.parameter("detour_max"),
        no_transit=bans,
        locked=locked,
        known=stored_base,
    )
    opened = []
    for number, graph in enumerate(graphs):
        available = routes.available(graph, number) if routes.n_routes else np.zeros(0, dtype=bool)
        if number in bans and routes.n_routes:
            available &= ~in_transit(graph, routes, bans[number])
        opened.append(available)
    if not opened[-1].any():
        cure = "open a link or a gateway (links.csv and gateways.csv say what is planned or closed)"
        raise InfeasibleError(
            "no route", [Fault(f"{start} - {', '.join(to)}", "no open route joins them", cure)]
        )
    constant = log_constants(base, graphs[0], routes)
    sums = [routes.sums(graph) for graph in graphs]
    pairs = [region[start]] * len(to), ends[1]
    classes = freight_segments(base, *pairs)
    solved = solve_base(routes, classes, sums[0], opened[0], Nests.of(routes, graphs[0]), constant)
    before = pivot(solved, sums[0], opened[0], constant)
    if scenario is None:
        return Between(graphs[0], routes, before, opened[0])
    again = routes.searched_again(1)
    choice = pivot(solved, sums[1], opened[1], constant, freight_segments(after, *pairs), again)
    return Between(graphs[1], routes, choice, opened[1], before, opened[0])


def barred(world: World, sector: str) -> frozenset[str]:
    """Countries that carry only their own trade of a sector.

    world: with its policy; sector: code. Returns codes.
    """
    policy = world.policy
    return policy.no_transit | policy.no_transit_of.get(sector, frozenset())
