"""Routes in words, and those that a reader of a table could not tell apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, count

from landbridge.phrases import LANGUAGES, Words, width
from landbridge.report.digest import Names
from landbridge.report.document import ENGLISH
from landbridge.transport.graph import LAYERS, ROAD
from landbridge.transport.legs import Path, Route, Routes
from landbridge.world import World
from landbridge.world.names import MARK

__all__ = ["HOURS_A_DAY", "NameParts", "Spot", "Way", "figures", "name_parts", "route_names", "told_apart"]

HOURS_A_DAY = 24.0
_BY_LAND, _AFLOAT = ("rail", "road"), ("sea", "ferry")
# Share of TEU from which a route counts where a larger one is named.
_HARDLY_USED = 0.005
# Characters of a way in words that a line of a terminal has room for.
_WAY = 28
# Characters that it may have where only a place of the two countries would make it shorter.
_WAY_AT_MOST = 40


@dataclass(frozen=True)
class Spot:
    """What a name of a route lists: a place, or a gateway that is not called as a place of it is.

    kind: place or gateway; id: of it.
    """

    kind: str
    id: str

    def text(self, names: Names) -> str:
        """Its name, without what is in brackets; of a border that of its first side.

        names: of the language.
        """
        if self.kind == "place":
            return names.short.get(self.id, self.id)
        whole = names.gateway.get(self.id, self.id)
        first = re.split(r" - |\s*[(（]", whole, maxsplit=1)[0]
        return first if first == whole or not whole.endswith(MARK) else first + MARK


@dataclass(frozen=True)
class NameParts:
    """What a name of a route says, in no language: "rail via Khorgos".

    mode: as in the phrases route.mode; via: what it lists; number: of those that list the same, from 1.
    """

    mode: str
    via: tuple[Spot, ...]
    number: int = 1

    def text(self, names: Names) -> str:
        """The name in words.

        names: of the language.
        """
        told = names.say(f"route.mode.{self.mode}")
        if self.via:
            told = names.say("route.way", mode=told, via=names.joined([one.text(names) for one in self.via]))
        return told if self.number == 1 else names.say("route.way.again", way=told, number=self.number)


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
    chosen = name_parts(world, routes)
    found: dict[NameParts, list[Route]] = {}
    for one in routes:
        found.setdefault(chosen[one.path], []).append(one)
    return [Way(parts.text(names), tuple(alike)) for parts, alike in found.items()]


def route_names(world: World, routes: Routes, names: Names) -> dict[Path, str]:
    """A name for every route of a pair, by its path; those of the same words and figures share one.

    world, routes: as `name_parts` takes them; names: of the language.
    """
    return {path: parts.text(names) for path, parts in name_parts(world, routes).items()}


def name_parts(world: World, routes: Routes) -> dict[Path, NameParts]:
    """What the name of every route of a pair says, by its path: the same in every language.

    The largest route is named first, by the gateways that tell most of it, or by a place that others of the
    same gateways do not pass. Each after it takes a name that no route before it has and, where there is one,
    that is true of none of them. Borders and ports on the way, and places of other countries, come before
    places of the two countries that the route joins.
    Names are chosen among all routes that are known (`Routes.known`), so they do not depend on how many are
    listed, in which order, or of which mode.
    world: gives the names of places and gateways; routes: of the pair.
    """
    searched = routes.known or (routes.routes,)
    words = _Words(world, [one for some in searched for one in some])
    chosen: dict[Path, NameParts] = {}
    for some in searched:
        words.name_all(some, chosen)
    for one in routes:
        if one.path not in chosen:
            words.name_all([one], chosen)
    return chosen


def _shown(route: Route) -> tuple[str, ...]:
    return (*figures(route), f"{route.transfers}")


def _places(route: Route) -> list[str]:
    """Places where a haul ends, and where the container is lifted to a truck, in order."""
    return list(dict.fromkeys(leg.end for leg in route.legs if leg.operation == "haul"))


class _Told:
    """What is said of a route: mode, the gateways that tell most of it, all spots that it passes, figures.

    home: those of its spots that are places of the two countries which it joins, and no gateways of it;
    marks: names of its points in every language.
    """

    def __init__(
        self,
        route: Route,
        mode: str,
        plain: list[Spot],
        points: list[Spot],
        home: set[Spot],
        marks: frozenset[tuple[int, str]],
    ) -> None:
        self.route, self.mode, self.plain, self.points, self.home = route, mode, plain, points, home
        self.marks, self.shown = marks, _shown(route)

    def lists(self, home: bool) -> Iterator[tuple[Spot, ...]]:
        """What a name may list, the most telling first: with a place of its two countries, or without."""
        for via in self._lists():
            if home != self.home.isdisjoint(via):
                yield via

    def _lists(self) -> Iterator[tuple[Spot, ...]]:
        plain = tuple(self.plain)
        yield from (plain[:n] for n in range(len(plain), 0, -1))
        rest = [one for one in self.points if one not in plain]
        yield from ((*plain[:1], one) for one in rest)
        yield from ((one,) for one in rest)
        yield from combinations(self.points, 2)


class _Words:
    """Names of routes, chosen by what carries them and by the gateways in which one differs from another."""

    def __init__(self, world: World, routes: Sequence[Route]) -> None:
        self._gateways, kinds = world.network["gateways"].by("gateway_id"), world.gateway_kinds
        self._country = {str(row["place_id"]): str(row["country"]) for row in world.network["places"]}
        passages = [str(row["passage"] or "").split("+") for row in world.network["links"]]
        self._names = [Names(world, lang, marked=False) for lang in LANGUAGES]
        self._kind = {
            one: kinds.stands_for(self._gateways[one]) for route in routes for one in route.gateways
        }
        # A strait that few lanes pass says more of a route than one that all do.
        self._lanes = {
            one: sum(str(self._gateways[one]["passage"]) in passage for passage in passages)
            for one, kind in self._kind.items()
            if kind == "strait"
        }
        by_land = [set(route.gateways) for route in routes if route.mode_class in _BY_LAND]
        self._shared = set.intersection(*by_land) if len(by_land) > 1 else set()
        self._texts: dict[Spot, tuple[str, ...]] = {}
        self._whole: dict[NameParts, tuple[str, ...]] = {}
        # Those that have a name so far.
        self._before: list[_Told] = []

    def name_all(self, routes: Sequence[Route], chosen: dict[Path, NameParts]) -> None:
        """Give every route a name that none of other words or figures has; those that have one keep it.

        routes: the largest first; chosen: names by path, filled here.
        """
        shown: dict[NameParts, tuple[str, ...]] = {}
        alike: dict[tuple[object, ...], NameParts] = {}
        told = [self._told(one) for one in routes]
        for number, one in enumerate(told):
            path, parts = one.route.path, chosen.get(one.route.path)
            if parts is not None and shown.setdefault(parts, one.shown) != one.shown:
                # Alike before, but not with the figures of these routes.
                parts = None
            words = (one.mode, *one.plain, *one.shown)
            parts = parts or alike.get(words)
            if parts is None:
                parts = self._free(one, told[number + 1 :], {*chosen.values(), *shown})
            alike.setdefault(words, parts)
            shown.setdefault(parts, one.shown)
            chosen[path] = parts
            self._before.append(one)

    def _free(self, told: _Told, after: Sequence[_Told], names: set[NameParts]) -> NameParts:
        """A name that is free and of a line's width; of those the one that is true of fewest others."""
        taken = {text for parts in names for text in self._in_all(parts)}
        before = [one for one in self._before if one.mode == told.mode]
        later = [
            one
            for one in after
            if one.route.share >= _HARDLY_USED
            and (one.mode, one.plain) == (told.mode, told.plain)
            and one.shown != told.shown
        ]
        wide = []
        for others in ([*before, *later], before, []):
            for home in (False, True):
                free = []
                for parts in self._candidates(told, home, others, taken):
                    if self._width(parts) <= _WAY:
                        return parts
                    free.append(parts)
                narrow = min(free, key=self._width, default=None)
                if narrow is not None and self._width(narrow) <= _WAY_AT_MOST:
                    return narrow
                wide += free
        if wide:
            return min(wide, key=self._width)
        numbers = (NameParts(told.mode, tuple(told.plain[:1]), n) for n in count(1))
        return next(parts for parts in numbers if taken.isdisjoint(self._in_all(parts)))

    def _candidates(
        self, told: _Told, home: bool, others: Sequence[_Told], taken: set[str]
    ) -> Iterator[NameParts]:
        """Names of a route that are not taken in any language and true of none of others."""
        for via in told.lists(home):
            if self._repeats(via) or any(self._passes(one, via) for one in others):
                continue
            parts = NameParts(told.mode, via)
            if taken.isdisjoint(self._in_all(parts)):
                yield parts

    def _in_all(self, parts: NameParts) -> tuple[str, ...]:
        """A name in every language."""
        if parts not in self._whole:
            self._whole[parts] = tuple(parts.text(names) for names in self._names)
        return self._whole[parts]

    def _width(self, parts: NameParts) -> int:
        """Characters of a name in English, the first language."""
        return width(self._in_all(parts)[0])

    def _said(self, spot: Spot) -> tuple[str, ...]:
        """Name of a spot in every language."""
        if spot not in self._texts:
            self._texts[spot] = tuple(spot.text(names) for names in self._names)
        return self._texts[spot]

    def _repeats(self, via: Sequence[Spot]) -> bool:
        """Whether a reader of some language takes two spots of a list for one."""
        return any(len(set(texts)) < len(via) for texts in zip(*map(self._said, via), strict=True))

    def _marks(self, spots: Iterable[Spot]) -> frozenset[tuple[int, str]]:
        """What spots are called, with the number of the language."""
        return frozenset(mark for one in spots for mark in enumerate(self._said(one)))

    def _passes(self, told: _Told, via: Sequence[Spot]) -> bool:
        """Whether a list of spots is true of a route, as a reader of some language takes it."""
        return all(not told.marks.isdisjoint(enumerate(self._said(spot))) for spot in via)

    def _told(self, route: Route) -> _Told:
        ends = (route.legs[0].start, route.legs[-1].end)
        homes = {self._country.get(one) for one in ends}
        passed = [Spot("place", one) for one in _places(route)]
        gateways = [self._spot(one) for one in route.gateways]
        home = {one for one in passed if self._country.get(one.id) in homes and one not in gateways}
        # The sort keeps the order of travel: places of other countries first.
        points = [*gateways, *sorted(passed, key=home.__contains__)]
        plain = map(self._spot, self._telling(route))
        lists = self._but(ends, plain), self._but(ends, points)
        return _Told(route, self._mode(route), *lists, home, self._marks(lists[1]))

    def _but(self, ends: Sequence[str], spots: Iterable[Spot]) -> list[Spot]:
        """Spots, each once, without the two places that a route joins and what is called as they are."""
        joined = self._marks(Spot("place", one) for one in ends)
        return [one for one in dict.fromkeys(spots) if joined.isdisjoint(enumerate(self._said(one)))]

    def _spot(self, gateway: str) -> Spot:
        """What a gateway is called after: the place of a port and of a border of its name, or itself."""
        row, own = self._gateways.get(gateway, {}), Spot("gateway", gateway)
        for side in ("place_a", "place_b"):
            place = Spot("place", str(row.get(side) or ""))
            if place.id and place.text(self._names[0]) == own.text(self._names[0]):
                return place
        return own

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
