"""The routes that `landbridge route` is asked for, in the order asked for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from landbridge.errors import DataError, InfeasibleError
from landbridge.report.routes import ordered, used
from landbridge.transport.legs import Route, Routes, Trip, find_routes
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
    # Of all routes the first k in the order asked for; a k below one is refused as it is.
    few = (by is None and not carrying) or trip.k < 1
    routes = ordered(find_routes(world, trip if few else replace(trip, k=_ALL_ROUTES), scenario), by)
    routes = replace(routes, known=_known(world, trip, scenario))
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


def _known(world: World, trip: Trip, scenario: str | None) -> tuple[tuple[Route, ...], ...]:
    """All routes of a pair, of every mode, by which a route has its name: those of the base, then others.

    The base is that of the rail product that carries most, so that a name is the same for either.
    """
    every = replace(trip, k=_ALL_ROUTES, mode=None, product=None)
    own = scenario is not None or trip.product is not None
    found: list[tuple[Route, ...]] = []
    # Where no route of the base is open, those of the scenario are all that there are.
    with suppress(InfeasibleError, DataError):
        found.append(find_routes(world, every).routes)
    if own or not found:
        found.append(find_routes(world, replace(every, product=trip.product), scenario).routes)
    return tuple(found)
