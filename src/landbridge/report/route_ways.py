"""Routes in words, and those that a reader of a table could not tell apart."""

from __future__ import annotations

from dataclasses import dataclass

from landbridge.phrases import Words, width
from landbridge.report.digest import Names
from landbridge.report.document import ENGLISH
from landbridge.transport.graph import LAYERS, ROAD
from landbridge.transport.legs import Route, Routes
from landbridge.world import World

__all__ = ["HOURS_A_DAY", "Way", "figures", "told_apart"]

HOURS_A_DAY = 24.0
_BY_LAND, _AFLOAT = ("rail", "road"), ("sea", "ferry")
# Characters of a way in words that a line of a terminal has room for.
_WAY = 28


@dataclass(frozen=True)
class Way:
    """Routes of the same words and figures.

    words: such as "rail via Khorgos"; routes: in the order given.
    """

    words: str
    routes: tuple[Route, ...]

    @property
    def first(self) -> Route:
        """The route that stands for all."""
        return self.routes[0]

    @property
    def share(self) -> float:
        """Share of the pair's TEU on all of them."""
        return sum(one.share for one in self.routes)

    @property
    def base_share(self) -> float:
        """The same in the base."""
        return sum(one.base.share for one in self.routes if one.base is not None)


def figures(route: Route, words: Words = ENGLISH) -> tuple[str, ...]:
    """Days, 5th to 95th percentile of days, USD and kg CO2e of a route as tables show them.

    route: of a pair; words: of the language.
    """
    early, late = (words.figure(hours / HOURS_A_DAY, ".1f") for hours in (route.time_p05_h, route.time_p95_h))
    return (
        words.figure(route.time_h / HOURS_A_DAY, ".1f"),
        f"{early}-{late}",
        words.figure(route.cost_usd, ",.0f"),
        words.figure(route.co2e_kg, ",.0f"),
    )


def told_apart(world: World, routes: Routes, names: Names) -> list[Way]:
    """The routes as ways: one for all routes whose words and figures are the same.

    Where the words of two routes are the same and the figures are not, a place that only one passes is added.
    world, names: for the words; routes: of a pair, in order.
    """
    words = _Words(world, routes, names)
    plain: dict[str, dict[tuple[str, ...], list[Route]]] = {}
    for one in routes:
        plain.setdefault(words.words(one), {}).setdefault(_shown(one), []).append(one)
    found: dict[int, Way] = {}
    for text, by_figures in plain.items():
        for alike in by_figures.values():
            others = [one for group in by_figures.values() if group is not alike for one in group]
            told = words.apart(alike[0], others) if others else text
            found[id(alike[0])] = Way(told, tuple(alike))
    return [found[id(one)] for one in routes if id(one) in found]


def _shown(route: Route) -> tuple[str, ...]:
    return (*figures(route), f"{route.transfers}")


def _places(route: Route) -> list[str]:
    """Places where a haul ends, and where the container is lifted to a truck, in order."""
    return list(dict.fromkeys(leg.end for leg in route.legs if leg.operation == "haul"))


class _Words:
    """Routes in words: what carries them and the gateways by which one differs from another."""

    def __init__(self, world: World, routes: Routes, names: Names) -> None:
        gateways, kinds = world.network["gateways"].by("gateway_id"), world.gateway_kinds
        passages = [str(row["passage"] or "").split("+") for row in world.network["links"]]
        self._name, self._names = names.gateway, names
        self._kind = {one: kinds.stands_for(gateways[one]) for route in routes for one in route.gateways}
        # A strait that few lanes pass says more of a route than one that all do.
        self._lanes = {
            one: sum(str(gateways[one]["passage"]) in passage for passage in passages)
            for one, kind in self._kind.items()
            if kind == "strait"
        }
        self._places = names.short
        by_land = [set(route.gateways) for route in routes if route.mode_class in _BY_LAND]
        self._shared = set.intersection(*by_land) if len(by_land) > 1 else set()

    def words(self, route: Route) -> str:
        """Such as "rail via Khorgos"."""
        mode = self._names.say(f"route.mode.{self._mode(route)}")
        via = list(dict.fromkeys(self._short(one) for one in self._telling(route)))
        return self._fitting(mode, [via[:n] for n in range(len(via), 0, -1)])

    def apart(self, route: Route, others: list[Route]) -> str:
        """The same, with a place or a gateway that the others do not pass, where there is one."""
        passed = {place for one in others for place in _places(one)}
        own = [self._places.get(place, place) for place in _places(route) if place not in passed]
        crossed = {gateway for one in others for gateway in one.gateways}
        own += [self._short(gateway) for gateway in route.gateways if gateway not in crossed]
        if not own:
            return self.words(route)
        mode = self._names.say(f"route.mode.{self._mode(route)}")
        via = [self._short(one) for one in self._telling(route)[:1]]
        return self._fitting(mode, [list(dict.fromkeys([*via, own[0]])), own[:1]])

    def _fitting(self, mode: str, lists: list[list[str]]) -> str:
        """The first list of names for which a line has room, else the last."""
        told = [self._names.say("route.way", mode=mode, via=self._names.joined(via)) for via in lists]
        return next((text for text in told if width(text) <= _WAY), told[-1]) if told else mode

    def _mode(self, route: Route) -> str:
        rail, road = (
            sum(leg.distance_km for leg in route.legs if (leg.mode == LAYERS[ROAD]) == by_road)
            for by_road in (False, True)
        )
        if route.mode_class == "multimodal":
            sea = sum(leg.distance_km for leg in route.legs if leg.mode in _AFLOAT)
            return "rail_and_ship" if rail - sea >= road else "truck_and_ship"
        return "rail_and_road" if route.mode_class == "rail" and road else route.mode_class

    def _telling(self, route: Route) -> list[str]:
        """At most two gateways of a route that tell it from others, in order of travel."""
        ports = [one for one in route.gateways if self._kind[one] == "port"]
        if route.mode_class == "multimodal":
            return ports[:2]
        if route.mode_class == "sea":
            straits = sorted((g for g in route.gateways if g in self._lanes), key=lambda g: self._lanes[g])
            return [*straits[:1], *ports[-1:]] if straits else [*ports[:1], *ports[-1:]]
        own = [one for one in route.gateways if one not in self._shared]
        return (own or list(route.gateways))[:2]

    def _short(self, gateway: str) -> str:
        """The name of a gateway, of a border that of its first side."""
        return self._name.get(gateway, gateway).split(" - ")[0].split(" (")[0]
