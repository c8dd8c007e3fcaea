"""The routes that `landbridge route` is asked for, in the order asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from landbridge.report.routes import ordered, used
from landbridge.transport.legs import Routes, Trip, find_routes
from landbridge.world import World

__all__ = ["routes_between"]

_ALL_ROUTES = 1_000_000


def routes_between(
    world: World,
    trip: Trip,
    by: Literal["time", "cost", "co2e"] | None = None,
    scenario: str | None = None,
    *,
    carrying: bool = False,
) -> tuple[Routes, dict[str, Any]]:
    """The routes of a trip, and the options that its manifest states.

    world: from `lb.load`; trip: whose k is the number of routes; by: least hours [h], money [USD/TEU] or
    CO2e [kg/TEU] first, largest share first where None; scenario: after which; carrying: only those that
    carry most, for a screen. Equations: docs/theory/choice.md. Raises as `find_routes` does.
    """
    # Of all routes the first k in the order asked for.
    every = replace(trip, k=trip.k if by is None and not carrying else _ALL_ROUTES)
    routes = ordered(find_routes(world, every, scenario), by)
    if carrying:
        routes = used(world, routes, trip.k, by)
    elif by is not None:
        routes = replace(routes, routes=routes.routes[: trip.k])
    options: dict[str, Any] = {
        "from": routes.origin,
        "to": routes.destination,
        "commodity": routes.commodity,
        "k": trip.k,
        "mode": trip.mode,
        "product": routes.product,
    }
    return routes, options | ({} if by is None else {"by": by})
