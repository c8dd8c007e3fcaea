"""Routes in words, and those that a reader of a table could not tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, count

from landbridge.phrases import Words, width
from landbridge.report.digest import Names
from landbridge.report.document import ENGLISH
from landbridge.transport.graph import LAYERS, ROAD
from landbridge.transport.legs import Path, Route, Routes
from landbridge.world import World
from landbridge.world.names import MARK

__all__ = ["HOURS_A_DAY", "Way", "figures", "route_names", "told_apart"]

HOURS_A_DAY = 24.0
_BY_LAND, _AFLOAT = ("rail", "road"), ("sea", "ferry")
# Share of TEU from which a route counts where a larger one is named.
_HARDLY_USED = 0.005
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
    """The routes as ways: one for all routes of the same name.

    world, names: for the words; routes: of a pair, in order.
    """
    named = route_names(world, routes, names)
    found: dict[str, list[Route]] = {}
    for one in routes:
        found.setdefault(named[one.path], []).append(one)
    return [Way(text, tuple(alike)) for text, alike in found.items()]


def route_names(world: World, routes: Routes, names: Names) -> dict[Path, str]:
    """A name for every route of a pair, by its path; those of the same words and figures share one.

    The largest route is named first, by the gateways that tell most of it, or by a place that others of the
    same gateways do not pass. Each after it takes a name that no route before it has and, where there is one,
    that is true of none of them.
    Names are chosen among all routes that are known (`Routes.known`), so they do not depend on how many are
    listed, in which order, or of which mode.
    world, names: for the words; routes: of the pair.
    """
    searched = routes.known or (routes.routes,)
    words = _Words(world, [one for some in searched for one in some], names)
    named: dict[Path, str] = {}
    for some in searched:
        words.name_all(some, named)
    for one in routes:
        if one.path not in named:
            words.name_all([one], named)
    return named


def _shown(route: Route) -> tuple[str, ...]:
    return (*figures(route), f"{route.transfers}")


def _places(route: Route) -> list[str]:
    """Places where a haul ends, and where the container is lifted to a truck, in order."""
    return list(dict.fromkeys(leg.end for leg in route.legs if leg.operation == "haul"))


class _Told:
    """What is said of a route: mode, the gateways that tell most of it, all names that it passes, figures."""

    def __init__(self, route: Route, mode: str, plain: list[str], points: list[str]) -> None:
        self.route, self.mode, self.plain, self.points = route, mode, plain, points
        self.passed, self.shown = frozenset(points), _shown(route)

    def lists(self) -> Iterator[list[str]]:
        """What a name may list, the most telling first."""
        yield from (self.plain[:n] for n in range(len(self.plain), 0, -1))
        rest = [one for one in self.points if one not in self.plain]
        yield from ([*self.plain[:1], one] for one in rest)
        yield from ([one] for one in rest)
        yield from map(list, combinations(self.points, 2))


class _Words:
    """Routes in words: what carries them and the gateways by which one differs from another."""

    def __init__(self, world: World, routes: Sequence[Route], names: Names) -> None:
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
        # Those that have a name so far.
        self._before: list[_Told] = []

    def name_all(self, routes: Sequence[Route], named: dict[Path, str]) -> None:
        """Give every route a name that none of other words or figures has; those that have one keep it.

        routes: the largest first; named: names by path, filled here.
        """
        shown: dict[str, tuple[str, ...]] = {}
        alike: dict[tuple[str, ...], str] = {}
        told = [_Told(one, self._mode(one), self._plain(one), self._points(one)) for one in routes]
        for number, one in enumerate(told):
            path, text = one.route.path, named.get(one.route.path)
            if text is not None and shown.setdefault(text, one.shown) != one.shown:
                # Alike before, but not with the figures of these routes.
                text = None
            words = (one.mode, *one.plain, *one.shown)
            text = text or alike.get(words)
            if text is None:
                text = self._free(one, told[number + 1 :], {*named.values(), *shown})
            alike.setdefault(words, text)
            shown.setdefault(text, one.shown)
            named[path] = text
            self._before.append(one)

    def _free(self, told: _Told, after: Sequence[_Told], taken: set[str]) -> str:
        """A name that is not taken and of a line's width; of those the one that is true of fewest others."""
        before = [one.passed for one in self._before if one.mode == told.mode]
        later = [
            one.passed
            for one in after
            if one.route.share >= _HARDLY_USED
            and (one.mode, one.plain) == (told.mode, told.plain)
            and one.shown != told.shown
        ]
        wide = []
        for others in ([*before, *later], before, []):
            for via in told.lists():
                if any(passed.issuperset(via) for passed in others):
                    continue
                text = self._text(told.mode, via)
                if text in taken:
                    continue
                # Marks take no room: a name is the same with and without.
                if width(text.replace(MARK, "")) <= _WAY:
                    return text
                wide.append(text)
        if wide:
            return min(wide, key=width)
        plain = self._text(told.mode, told.plain[:1])
        numbers = (self._names.say("route.way.again", way=plain, number=n) for n in count(2))
        return next(text for text in numbers if text not in taken)

    def _text(self, mode: str, via: Sequence[str]) -> str:
        """Such as "rail via Khorgos"."""
        told = self._names.say(f"route.mode.{mode}")
        return self._names.say("route.way", mode=told, via=self._names.joined(via)) if via else told

    def _plain(self, route: Route) -> list[str]:
        """The gateways that tell most of a route, by their names."""
        return self._but_its_ends(route, map(self._short, self._telling(route)))

    def _points(self, route: Route) -> list[str]:
        """Names of what a route passes: places where a haul ends, then gateways."""
        places = (self._places.get(one, one) for one in _places(route))
        return self._but_its_ends(route, [*places, *map(self._short, route.gateways)])

    def _but_its_ends(self, route: Route, passed: Iterable[str]) -> list[str]:
        """Names, each once, without those of the two places that the route joins."""
        ends = {self._places.get(one, one) for one in (route.legs[0].start, route.legs[-1].end)}
        return [one for one in dict.fromkeys(passed) if one not in ends]

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
