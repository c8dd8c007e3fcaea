"""Gateways: the border that governs a link, and the hours, money and variance of crossing it.

A gateway is a border post, a port or a strait. The rule for a crossing without a row of its own is
stated in `Borders.terms`, and the name of the rule is kept with the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from landbridge.errors import DataError, Fault
from landbridge.world import World
from landbridge.world.table import Cell, cell_number

__all__ = ["Borders", "Crossing", "crossing_terms"]

Row = Mapping[str, Cell]

# A 10-90 % range of a normal variable spans 2.563 standard deviations.
_RANGE_IN_SD = 2.563


@dataclass(frozen=True)
class Crossing:
    """Hours, money and variance of one crossing in one direction, with the rule.

    time_h: hours; cost_usd [USD/TEU]; variance_h2: of its hours. row: number of its own row in `crossings`,
    -1 where it follows from border_defaults.
    """

    time_h: float
    cost_usd: float
    variance_h2: float
    rule: str
    row: int = -1


class Borders:
    """Values of crossings: rows of `crossings`, then `border_defaults` by rule.

    world: with these tables, gateways and groups of countries; cv: standard deviation of a crossing's hours
    as a share of its hours, where no range is given.
    """

    def __init__(self, world: World, cv: float) -> None:
        self._cv = cv
        self._groups = world.groups
        self._rows: dict[tuple[str, str, str, str], tuple[int, Row]] = {}
        self._gateway_of_link: dict[str, str] = {}
        for number, row in enumerate(world.network["crossings"]):
            link, product = str(row["link_id"]), str(row["product"])
            self._rows[link, product, str(row["from_place"]), str(row["to_place"])] = number, row
            self._gateway_of_link.setdefault(link, str(row["gateway_id"]))
        self._defaults = {
            (str(row["country"]), str(row["product"]), str(row["direction"])): row
            for row in world.network["border_defaults"]
        }
        self._gateway_of_ends = _posts(world)

    def gateway(self, link: Row) -> str | None:
        """The border post that governs a link: by its crossings, else by mode and the two places."""
        found = self._gateway_of_link.get(str(link["link_id"]))
        if found is not None:
            return found
        mode = "rail" if str(link["mode"]).startswith("rail") else str(link["mode"])
        ends = frozenset((str(link["from_place"]), str(link["to_place"])))
        return self._gateway_of_ends.get((mode, ends))

    def terms(
        self, link_id: str, product: str, places: tuple[str, str], countries: tuple[str, str]
    ) -> Crossing:
        """Hours, money and variance of one crossing, by the first rule that gives a value.

        1. the crossing's own row (link, product, direction);
        2. both countries in one group (country_groups) with a row of its own, such as EU: the whole crossing;
        3. block trains: the row `other`, the whole crossing;
        4. outbound side of the country left + inbound side of the country entered, each from its own
           row or the average `*`.

        link_id: of the border link; product: block, wagonload or road. places, countries: left and entered.
        Raises DataError when no rule gives a value.
        Source: CAREC CPMM border hours; block trains by operators' figures, see the table's rows.
        """
        own = self._rows.get((link_id, product, *places))
        if own is not None:
            number, row = own
            hours, price = cell_number(row, "time_h"), cell_number(row, "cost_usd")
            return Crossing(hours, price, self._variance(row, hours), "crossing", number)
        for bloc, members in self._groups.items():
            if countries[0] in members and countries[1] in members:
                whole = self._defaults.get((bloc, product, "both"))
                if whole is not None:
                    return self._sum([whole], f"within {bloc}")
        if product == "block":
            whole = self._defaults.get(("other", product, "both"))
            if whole is not None:
                return self._sum([whole], "block trains elsewhere")
        sides = []
        for country, direction in zip(countries, ("outbound", "inbound"), strict=True):
            found = self._side(country, product, direction) or self._side("*", product, direction)
            if found is None:
                what = f"no {direction} {product} hours for {country}, and none for *"
                raise DataError(
                    "a border default is missing",
                    [Fault("border_defaults.csv", what, f"add *, {product}, {direction}")],
                )
            sides.append(found)
        return self._sum(sides, "country by mode and direction")

    def _side(self, country: str, product: str, direction: str) -> Row | None:
        return self._defaults.get((country, product, direction))

    def _sum(self, rows: list[Row], rule: str) -> Crossing:
        # The two sides are assumed independent: their variances add.
        hours = [cell_number(row, "time_h") for row in rows]
        variance = sum((self._cv * h) ** 2 for h in hours)
        return Crossing(sum(hours), sum(cell_number(row, "cost_usd") for row in rows), variance, rule)

    def _variance(self, row: Row, hours: float) -> float:
        low, high = row["time_low_h"], row["time_high_h"]
        if low is None or high is None:
            return (self._cv * hours) ** 2
        return float(((float(high) - float(low)) / _RANGE_IN_SD) ** 2)


def crossing_terms(
    world: World, link_id: str, product: str, from_place: str, to_place: str, cv: float = 0.0
) -> Crossing:
    """The terms of one crossing by place ids, to inspect a single border (see `Borders.terms`).

    world: with the tables; link_id, product, from_place, to_place: of the crossing; cv: as of `Borders`.
    Returns a Crossing [h, USD/TEU, h2]. Raises DataError when no rule gives a value.
    """
    places = world.network["places"].by("place_id")
    countries = str(places[from_place]["country"]), str(places[to_place]["country"])
    return Borders(world, cv).terms(link_id, product, (from_place, to_place), countries)


def _posts(world: World) -> dict[tuple[str, frozenset[str]], str]:
    posts: dict[tuple[str, frozenset[str]], str] = {}
    kinds = world.gateway_kinds
    for row in world.network["gateways"]:
        if kinds.stands_for(row) == "border" and row["place_a"] is not None and row["place_b"] is not None:
            ends = frozenset((str(row["place_a"]), str(row["place_b"])))
            posts.setdefault((str(row["mode"]), ends), str(row["gateway_id"]))
    return posts
