"""Ways between two places that carry little or no freight, each with the reason.

A way is the best route of a corridor family by its generalised cost G_r, as in
`landbridge.transport.choice.weights`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landbridge.scenario import Scenario
from landbridge.transport.asked import Asked, Trip, between
from landbridge.transport.between import barred
from landbridge.transport.choice.weights import VARIANCE_FLOOR
from landbridge.transport.graph import LAYERS, PRODUCTS, Graph
from landbridge.transport.legs import exact, gateways_of
from landbridge.transport.routes.route_set import FAMILIES, RouteSet, RouteSums, generate, in_transit
from landbridge.world import World

__all__ = ["LITTLE", "NotTaken", "ways_not_taken"]

FloatArray = NDArray[np.float64]
Reason = Literal["little", "closed", "planned", "barred", "detour"]
# Share of a family in the pair's TEU below which it carries little.
LITTLE = 0.05
# A way over lines that are shut is listed up to this many times the generalised cost of the way most used.
_WORTH = 1.5
# One of a family that the search left out, up to this many times.
_LEFT_OUT = 3.0
# And only below this share of the cost of the best open way of its family.
_BETTER = 0.98


@dataclass(frozen=True)
class NotTaken:
    """A way that carries little or nothing.

    reason: little (share of its family below `LITTLE`), closed or planned (it leads over lines or gateways
    that are; closed where some are), barred (through a country that carries only its own trade), detour (the
    search of routes kept no route of its family, as outside the limit for detours).
    share: of the family in the TEU of the pair by the rail product. time_h, cost_usd, co2e_kg: door to door,
    per TEU.
    more_h, more_usd, cost_ratio: above the route most used, and generalised cost over its.
    gateways: identifiers, in order of travel. shut: lines and gateways that are not open, with their status.
    """

    family: str
    reason: Reason
    share: float
    time_h: float
    cost_usd: float
    co2e_kg: float
    more_h: float
    more_usd: float
    cost_ratio: float
    gateways: tuple[str, ...]
    shut: tuple[dict[str, str | None], ...]


def ways_not_taken(world: World, trip: Trip, scenario: Scenario | str | None = None) -> dict[str, Any]:
    """The ways of a trip that carry little or nothing, the least generalised cost first.

    world, scenario: as in `landbridge.transport.legs.find_routes`; trip: its k and mode are not used. Returns
    from, to, commodity, product, scenario, most_used and `ways`, a row for each `NotTaken`. Raises as
    `find_routes`.
    """
    asked = between(world, trip, scenario)
    found = _Ways(asked)
    ways = sorted(found.rows(), key=lambda one: one.cost_ratio)
    return {
        "from": asked.start,
        "to": asked.end,
        "commodity": asked.commodity,
        "product": PRODUCTS[asked.product],
        "scenario": None if asked.scenario is None else asked.scenario.id,
        "little": LITTLE,
        "most_used": found.lead(),
        "ways": [{**vars(one), "gateways": list(one.gateways), "shut": list(one.shut)} for one in ways],
    }


class _Ways:
    """Routes of a pair on its network, with every family, and with every line open."""

    def __init__(self, asked: Asked) -> None:
        self._asked, self._graph = asked, asked.found.graph
        self._links = asked.after.network["links"].by("link_id")
        self._posts = asked.after.network["gateways"].by("gateway_id")
        share = asked.found.choice.route_share(asked.sector, asked.product)
        self._share, self._lead = share, int(share.argmax())
        self._sums = asked.found.choice.sums
        self._cost = self._generalised(self._sums)
        self._least: dict[int, float] = {}

    def lead(self) -> dict[str, Any]:
        """The route most used: family, share of the TEU, hours, money and gateways."""
        routes, p, lead = self._asked.found.routes, self._asked.product, self._lead
        kind = int(self._asked.found.classes.kind[self._asked.sector])
        arcs = routes.arcs[routes.start[lead] : routes.start[lead + 1]]
        return {
            "family": FAMILIES[routes.family[lead]],
            "share": float(self._share[lead]),
            "time_h": exact(self._sums.time_h[p, lead]),
            "cost_usd": exact(self._sums.money(kind)[p, lead]),
            "gateways": list(gateways_of(self._graph, arcs)),
        }

    def rows(self) -> Iterator[NotTaken]:
        """Every way that carries little or nothing."""
        routes, opened = self._asked.found.routes, self._asked.found.available
        for family in np.unique(routes.family[opened]).tolist():
            mine = np.flatnonzero(opened & (routes.family == family))
            best = int(mine[self._cost[mine].argmin()])
            self._least[family] = float(self._cost[best])
            carried = float(self._share[mine].sum())
            if carried < LITTLE:
                yield self._row(routes, self._sums, best, self._cost[best], "little", carried)
        graph, ban = self._graph, barred(self._asked.after, self._asked.commodity)
        yield from self._found(graph, ban)
        # A planned line without a length has no hours.
        usable = (graph.link < 0) | (graph.length_km > 0.0)
        yield from self._found(replace(graph, available=graph.available | usable), ban)
        if ban:
            yield from self._found(graph, frozenset(), ban)

    def _found(
        self, graph: Graph, ban: frozenset[str], lifted: frozenset[str] = frozenset()
    ) -> Iterator[NotTaken]:
        """Ways of a search with every family: over what is shut, through `lifted`, of families left out."""
        asked, every = self._asked, np.ones((1, 1), dtype=bool)
        bans = {0: ban} if ban else {}
        routes = generate([graph], [asked.start], [asked.end], every_family=every, no_transit=bans)
        sums = routes.sums(graph)
        cost, over = self._generalised(sums), routes.touching(~self._graph.available[:, None])[:, 0]
        through = in_transit(graph, routes, lifted)
        cost[in_transit(graph, routes, ban)] = np.inf
        for route in np.argsort(cost, kind="stable").tolist():
            if not np.isfinite(cost[route]) or (lifted and not through[route]):
                continue
            family = int(routes.family[route])
            known, barrier = self._least.get(family), bool(over[route] or through[route])
            if known is not None and not (barrier and cost[route] < _BETTER * known):
                continue
            if cost[route] > (_WORTH if barrier else _LEFT_OUT) * self._cost[self._lead]:
                continue
            self._least[family] = float(cost[route])
            shut = self._shut(routes, route) if over[route] else ()
            reason = _reason(bool(through[route]), shut)
            yield self._row(routes, sums, route, cost[route], reason, 0.0, shut)

    def _generalised(self, sums: RouteSums) -> FloatArray:
        """G_r of every route [USD/TEU]."""
        asked, classes = self._asked, self._asked.found.classes
        sector, p = asked.sector, asked.product
        hours = sums.time_h[p] + classes.rho[sector] * np.sqrt(sums.variance_h2[p] + VARIANCE_FLOOR)
        money = sums.money(int(classes.kind[sector]))[p] + classes.carbon_usd_per_kg * sums.co2e_kg[p]
        return np.asarray(money + classes.usd_per_h[sector, 0] * hours)

    def _shut(self, routes: RouteSet, route: int) -> tuple[dict[str, str | None], ...]:
        """Lines and gateways of a route that are not open, each once with its own status."""
        graph, found = self._graph, dict[str, dict[str, str | None]]()
        for arc in routes.arcs[routes.start[route] : routes.start[route + 1]]:
            if graph.available[arc]:
                continue
            start, end = (graph.places[state[arc] // len(LAYERS)] for state in (graph.tail, graph.head))
            link = graph.links[graph.link[arc]] if graph.link[arc] >= 0 else None
            posts = [graph.gateways[one] for one in graph.govern_gateway[graph.govern_arc == arc]]
            states = {one: str(self._posts[one]["status"]) for one in posts}
            closed: list[tuple[str | None, str]] = [(one, s) for one, s in states.items() if s != "open"]
            own = self._links.get(link) if link is not None else None
            if own is not None and own["status"] != "open":
                closed.append((None, str(own["status"])))
            for post, status in closed or [(None, "closed")]:
                ends = {"from": start, "to": end, "status": status}
                found[post or link or start] = {"link": link, "gateway": post, **ends}
        return tuple(found.values())

    def _row(
        self,
        routes: RouteSet,
        sums: RouteSums,
        route: int,
        cost: float,
        reason: Reason,
        share: float,
        shut: tuple[dict[str, str | None], ...] = (),
    ) -> NotTaken:
        p, lead = self._asked.product, self._lead
        kind = int(self._asked.found.classes.kind[self._asked.sector])
        hours, money = exact(sums.time_h[p, route]), exact(sums.money(kind)[p, route])
        arcs = routes.arcs[routes.start[route] : routes.start[route + 1]]
        return NotTaken(
            FAMILIES[routes.family[route]],
            reason,
            share,
            hours,
            money,
            exact(sums.co2e_kg[p, route]),
            hours - exact(self._sums.time_h[p, lead]),
            money - exact(self._sums.money(kind)[p, lead]),
            float(cost / self._cost[lead]),
            gateways_of(self._graph, arcs),
            shut,
        )


def _reason(through: bool, shut: tuple[dict[str, str | None], ...]) -> Reason:
    if through:
        return "barred"
    if not shut:
        return "detour"
    return "planned" if all(one["status"] == "planned" for one in shut) else "closed"
