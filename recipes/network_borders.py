"""Hours and money of border crossings, by rule.

Wagonload and road: outbound side + inbound side, each the latest value at or before 2023 of
  crossing   the border point itself (CPMM)
  country    the country by product and direction (CPMM); its average of both directions if need be
  assumption for a country outside CAREC
  average    the CAREC average of the product
Inside the EU and inside the EAEU one assumption applies to the whole crossing, except that a side
observed at the border point itself keeps its value. Block trains: stated hours of the crossing, else
one assumption for the EU, one for the EAEU and one for everything else.
CPMM money (TFI2, per shipment of 20 t) is taken as one TEU and converted to USD of 2023. A side with hours
but no price takes the price of the next rule that has one. Where containers change gauge at the
crossing, the payments contain the price of the gauge change, which is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from network_io import Row, Rows, number, tidy
from network_money import in_2023

BASE_YEAR = 2023


@dataclass(frozen=True)
class Side:
    """One side of a crossing: hours with a range, money (None: not known), the rule and the source."""

    time_h: float
    low: float
    high: float
    cost_usd: float | None
    rule: str
    source: str
    year: str
    basis: str


class Hours:
    """Looks up one side of a crossing by the rules above."""

    def __init__(self, inputs: dict[str, Rows]) -> None:
        self.inputs = inputs
        self.series: dict[tuple[str, str, str, str, str], list[Row]] = {}
        for row in inputs["border_hours"]:
            if int(row["year"]) <= BASE_YEAR and row["time_h"]:
                key = (row["scope"], row["gateway_id"], row["country"], row["product"], row["direction"])
                self.series.setdefault(key, []).append(row)
        self.assumed = {
            (row["country"], row["product"], row["direction"]): row for row in inputs["border_assumptions"]
        }
        self.countries = {row["country"]: row for row in inputs["countries"]}

    def bloc(self, one: str, other: str) -> str:
        """EU or EAEU when both countries belong to it, else blank."""
        first = self.countries[one]["customs_bloc"]
        return first if first and first == self.countries[other]["customs_bloc"] else ""

    def whole(self, gateway: str, leave: str, enter: str, product: str) -> Side | None:
        """An observed total of both sides, on leaving a country; priced by the two countries."""
        found = self._series(("whole crossing", gateway, leave, product, "outbound"), "crossing, both sides")
        if found is None or found.cost_usd is not None:
            return found
        sides = (self.of_country(leave, product, "outbound"), self.of_country(enter, product, "inbound"))
        return replace(found, cost_usd=sum(side.cost_usd or 0.0 for side in sides))

    def at_crossing(self, gateway: str, country: str, product: str, direction: str) -> Side | None:
        """The border point's own value; its country's price where it has none."""
        found = self._series(("crossing", gateway, country, product, direction), "crossing")
        if found is None or found.cost_usd is not None:
            return found
        return replace(found, cost_usd=self.of_country(country, product, direction).cost_usd)

    def of_country(self, country: str, product: str, direction: str) -> Side:
        """The country's value, its two-way average, an assumption, or the CAREC average."""
        rules = (
            self._series(("country", "", country, product, direction), "country by mode and direction"),
            self._series(("country", "", country, product, "both"), "country by mode, both directions"),
            self._assumed(country, product, direction),
            self._series(("average", "", "*", product, "both"), "CAREC average by mode"),
        )
        found = [side for side in rules if side is not None]
        if not found:
            raise ValueError(f"no {direction} {product} hours for {country}")
        return replace(found[0], cost_usd=next(s.cost_usd for s in found if s.cost_usd is not None))

    def assumption(self, scope: str, product: str, direction: str = "both") -> Side:
        """An assumption of the inputs: for a whole crossing (EU, EAEU, other) or one side."""
        side = self._assumed(scope, product, direction)
        if side is None:
            raise ValueError(f"no assumption for {product} in {scope}")
        return side

    def _assumed(self, scope: str, product: str, direction: str) -> Side | None:
        row = self.assumed.get((scope, product, direction))
        if row is None:
            return None
        t, low, high, cost = (number(row[c]) for c in ("time_h", "low", "high", "cost_usd"))
        what = f"assumption: {row['note']}"
        return Side(t, low, high, cost, "assumption", what, row["year"], row["basis"])

    def _series(self, key: tuple[str, str, str, str, str], rule: str) -> Side | None:
        rows = self.series.get(key)
        if not rows:
            return None
        last = max(rows, key=lambda row: row["year"])
        hours = [number(row["time_h"]) for row in rows]
        t = number(last["time_h"])
        low, high = (min(hours), max(hours)) if len(hours) > 1 else (0.5 * t, 2.0 * t)
        priced = [row for row in rows if row["cost_usd"]]
        cost = None
        if priced:
            row = max(priced, key=lambda row: row["year"])
            cost = in_2023(self.inputs, row["cost_usd"], row["year"])
        return Side(t, low, high, cost, rule, last["source"], last["year"], last["basis"])


def crossings(inputs: dict[str, Rows]) -> Rows:
    """One row for every land border link, product and direction."""
    hours = Hours(inputs)
    country = {row["place_id"]: row["country"] for row in inputs["places"]}
    stated = {(r["gateway_id"], r["from_place"], r["to_place"]): r for r in inputs["block_crossings"]}
    gauge = {
        row["gateway_id"]: in_2023(inputs, row["cost_usd_nominal"], row["cost_year"])
        for row in inputs["gauge_changes"]
        if row["gateway_id"]
    }
    rows: Rows = []
    for post in inputs["gateways"]:
        if post["kind"] != "border":
            continue
        gateway = post["gateway_id"]
        for ends in ((post["place_a"], post["place_b"]), (post["place_b"], post["place_a"])):
            leave, enter = country[ends[0]], country[ends[1]]
            key = {"gateway_id": gateway, "link_id": post["link_id"]}
            key |= {"from_place": ends[0], "to_place": ends[1]}
            if post["mode"] == "rail":
                row = stated.get((gateway, *ends))
                scope = hours.bloc(leave, enter) or "other"
                block = _stated(row) if row else hours.assumption(scope, "block")
                note = row["note"] if row else ""
                rows.append({**key, "product": "block", **_one(block), "note": note})
                both = _wagon_or_road(hours, gateway, leave, enter, "wagonload")
                rows.append({**key, "product": "wagonload", **_two(both, gauge.get(gateway, 0.0))})
            else:
                both = _wagon_or_road(hours, gateway, leave, enter, "road")
                rows.append({**key, "product": "road", **_two(both)})
    return rows


def _stated(row: Row) -> Side:
    t, low, high, cost = (number(row[c]) for c in ("time_h", "low", "high", "cost_usd"))
    rule = "assumption" if row["basis"] == "assumption" else "crossing"
    return Side(t, low, high, cost, rule, row["source"], row["year"], row["basis"])


def _wagon_or_road(hours: Hours, gateway: str, leave: str, enter: str, product: str) -> tuple[Side, ...]:
    whole = hours.whole(gateway, leave, enter, product)
    if whole:
        return (whole,)
    out = hours.at_crossing(gateway, leave, product, "outbound")
    into = hours.at_crossing(gateway, enter, product, "inbound")
    bloc = hours.bloc(leave, enter)
    if bloc:
        inside = hours.assumption(bloc, product)
        if not out and not into:
            return (inside,)
        return (out or _half(inside), into or _half(inside))
    return (
        out or hours.of_country(leave, product, "outbound"),
        into or hours.of_country(enter, product, "inbound"),
    )


def _half(side: Side) -> Side:
    cost = 0.5 * (side.cost_usd or 0.0)
    return replace(side, time_h=0.5 * side.time_h, low=0.5 * side.low, high=0.5 * side.high, cost_usd=cost)


def _one(side: Side) -> Row:
    return _two((side,))


def _two(sides: tuple[Side, ...], gauge_usd: float = 0.0) -> Row:
    first, last = sides[0], sides[-1]
    cost = sum(side.cost_usd or 0.0 for side in sides)
    observed = any(side.rule != "assumption" for side in sides)
    taken = min(gauge_usd, cost) if observed else 0.0
    sources = (
        [first.source] if first.source == last.source else ["out: " + first.source, "in: " + last.source]
    )
    bases = {side.basis for side in sides}
    return {
        "time_h": tidy(round(sum(side.time_h for side in sides), 2)),
        "time_low_h": tidy(round(sum(side.low for side in sides), 2)),
        "time_high_h": tidy(round(sum(side.high for side in sides), 2)),
        "cost_usd": tidy(round(cost - taken)),
        "outbound_rule": first.rule,
        "inbound_rule": last.rule,
        "source": " | ".join(sources),
        "year": "/".join(sorted({side.year for side in sides})),
        "basis": "assumption" if "assumption" in bases else "derived" if len(sides) > 1 else first.basis,
        "note": f"{round(taken)} USD of the border payments are the gauge change, counted there"
        if taken
        else "",
    }


def border_defaults(inputs: dict[str, Rows]) -> Rows:
    """What a new crossing takes: one side per country and direction, or one row for a whole bloc."""
    hours = Hours(inputs)
    rows: Rows = []
    for row in inputs["border_assumptions"]:
        side = hours.assumption(row["country"], row["product"], row["direction"])
        rows.append(_default(row["country"], row["product"], row["direction"], side))
    known = {(row["country"], row["product"]) for row in inputs["border_hours"] if row["scope"] == "country"}
    known |= {("*", "wagonload"), ("*", "road")}
    for country, product in sorted(known):
        for direction in ("outbound", "inbound"):
            side = hours.of_country(country, product, direction)
            rows.append(_default(country, product, direction, side))
    return rows


def _default(country: str, product: str, direction: str, side: Side) -> Row:
    return {
        "country": country,
        "product": product,
        "direction": direction,
        "time_h": tidy(round(side.time_h, 2)),
        "cost_usd": tidy(round(side.cost_usd or 0.0)),
        "source": side.source,
        "year": side.year,
        "basis": side.basis,
        "note": side.rule,
    }
