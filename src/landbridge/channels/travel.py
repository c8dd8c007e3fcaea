"""Travellers: effects of visas and connections on arrivals, and spending of arrivals.

V'_od / V_od = exp(b (r'_od - r_od)) (c'_od / c_od)^e,    b = ln(1 + visa_effect / 100)

r: 1 where a visa is required, `easy_visa_part` where it is issued on arrival or electronically, 0 where it is
waived; c: direct connections. The effect of a visa is a published one (Neumayer 2010), a prior: known
arrivals are too few and hardly differ in visas, see `identification`. Receipts are arrivals times spending;
they enter the economy as an export of services of the country visited to that of the travellers, through the
trade cost at which these services would sell that much more at given prices:

    tau^_do = (1 + dReceipts / F_do)^(-1/theta),    F_do the services flow of the base table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.protocol import Channel, Effect
from landbridge.errors import DataError, Fault
from landbridge.phrases import named, say
from landbridge.world import World
from landbridge.world.distance import great_circle_km
from landbridge.world.table import Cell

__all__ = [
    "BASE_YEAR",
    "CASES",
    "CHANNEL",
    "SERVICES",
    "Arrivals",
    "Case",
    "TravelShock",
    "base_arrivals",
    "event_study",
    "gravity_rows",
    "identification",
    "moved",
    "shock",
]

FloatArray = NDArray[np.float64]
Case = Literal["low", "central", "high"]
CASES: tuple[Case, ...] = get_args(Case)

BASE_YEAR = 2023
# Services that travellers buy: transport, trade and hotels, and other services; construction is not included.
SERVICES = ("TTS", "OSR")
# Least number of pairs with and without a visa at which a visa effect of our own is reported.
LEAST_PAIRS = 10
_TABLES = ("travel_arrivals", "travel_visas", "travel_parameters", "travel_connections")


@dataclass(frozen=True)
class Arrivals:
    """Arrivals of one pair in a year [persons]; scaled: from a part of the year; kind: what was counted.

    passport, destination: countries; visitors: persons; source: of the count.
    """

    passport: str
    destination: str
    visitors: float
    year: int
    scaled: bool
    kind: str
    source: str


@dataclass(frozen=True)
class TravelShock:
    """Changes of arrivals and receipts by pair, and the equivalent trade cost of services.

    rows: one per pair that changes. cost_hat [o, d, s]: trade cost after / before, by case. notes: what the
    figures leave out, as sentences.
    """

    rows: tuple[dict[str, Any], ...]
    cost_hat: Mapping[Case, FloatArray]
    notes: tuple[str, ...]


def moved(before: World, after: World) -> bool:
    """Whether visas or connections differ between two Worlds.

    before, after: without and with the scenario.
    """
    names = ("travel_visas", "travel_connections")
    return any(before.channels.get(name) is not after.channels.get(name) for name in names) and any(
        before.channels.get(name) != after.channels.get(name) for name in names
    )


def base_arrivals(world: World) -> dict[tuple[str, str], Arrivals]:
    """Arrivals by passport and destination in the year nearest BASE_YEAR; part years scaled to 365 days.

    world: with the arrivals. visitors [persons a year] = persons of the period x 365 / its days, where it is
    shorter than a year. Raises DataError where the world has no arrivals.
    """
    _require(world)
    best: dict[tuple[str, str], tuple[tuple[float, ...], Arrivals]] = {}
    for row in world.channels["travel_arrivals"]:
        if row["passport"] == "*":
            continue
        start, days = _period(row)
        visitors = float(row["visitors"] or 0.0)
        whole = days >= 365
        one = Arrivals(
            str(row["passport"]),
            str(row["destination"]),
            visitors if whole else visitors * 365.0 / days,
            start.year,
            not whole,
            str(row["kind"]),
            str(row["source"]),
        )
        # Nearest year, of two equally near the later one, then the longest period.
        rank = (abs(start.year - BASE_YEAR), -start.year, -days)
        key = one.passport, one.destination
        if key not in best or rank < best[key][0]:
            best[key] = rank, one
    return {key: one for key, (_, one) in sorted(best.items())}


def shock(before: World, after: World) -> TravelShock:
    """Arrivals and receipts after a change of visas or connections, low, central and high.

    before, after: Worlds with the travel tables. The range covers every combination of the ends of the cited
    ranges (`travel_parameters`). Returns a TravelShock. Equations: head of `landbridge.channels.travel`.
    Raises DataError where tables are missing or invalid.
    """
    _require(before)
    _require(after)
    old, new = _State(before), _State(after)
    faults = [*old.faults, *new.faults]
    if faults:
        raise DataError("the travel tables cannot be used", list(dict.fromkeys(faults)))
    arrivals = base_arrivals(before)
    table = before.trade
    number = {region: n for n, region in enumerate(table.regions)}
    services = [table.sectors.index(s) for s in SERVICES if s in table.sectors]
    hats = {case: np.ones(table.trade.shape) for case in CASES}
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    unknown: list[str] = []
    for pair in sorted({*old.pairs, *new.pairs}):
        if old.visa(pair) == new.visa(pair) and old.factor(pair) == new.factor(pair):
            continue
        passport, destination = pair
        if pair not in arrivals:
            ends = (named("region", passport), named("region", destination))
            unknown.append(say("travel.pair", passport=ends[0], destination=ends[1]))
            continue
        one = arrivals[pair]
        ratio = _range(old, new, pair)
        usd = old.usd_per_visitor(pair)
        spent = [one.visitors * (r - 1.0) * u / 1e6 for r, u in product(ratio.values(), usd.values())]
        receipts = {
            "low": min(spent),
            "central": one.visitors * (ratio["central"] - 1.0) * usd["central"] / 1e6,
            "high": max(spent),
        }
        o, d = number[destination], number[passport]
        flow = float(table.trade[o, d, services].sum())
        for case in CASES:
            grown = 1.0 + receipts[case] / flow if flow > 0.0 else 1.0
            # Receipts cannot fall by more than the flow, since the table's services flows are constructed.
            hats[case][o, d, services] = max(grown, 0.05) ** (-1.0 / table.theta[services])
        rows.append(
            {
                "passport": passport,
                "destination": destination,
                "visa_before": old.visa(pair),
                "visa_after": new.visa(pair),
                "base_visitors": one.visitors,
                "base_year": one.year,
                "base_scaled": one.scaled,
                "visitors": one.visitors * ratio["central"],
                "visitors_low": one.visitors * ratio["low"],
                "visitors_high": one.visitors * ratio["high"],
                "percent": 100.0 * (ratio["central"] - 1.0),
                "percent_low": 100.0 * (ratio["low"] - 1.0),
                "percent_high": 100.0 * (ratio["high"] - 1.0),
                "base_receipts_musd": one.visitors * usd["central"] / 1e6,
                "receipts_musd": receipts["central"],
                "receipts_low_musd": receipts["low"],
                "receipts_high_musd": receipts["high"],
                "services_flow_musd": flow,
                "spending_basis": old.spending_basis(pair),
            }
        )
        place, origin = named("region", destination), named("region", passport)
        if flow <= 0.0:
            notes.append(say("note.travel_none", destination=place, passport=origin))
        elif abs(receipts["central"]) > flow:
            change = receipts["central"]
            notes.append(say("note.travel_more", destination=place, passport=origin, change=change, all=flow))
    if unknown:
        notes.append(say("note.travel_unknown", pairs=tuple(unknown)))
    for hat in hats.values():
        hat.setflags(write=False)
    return TravelShock(tuple(rows), hats, tuple(notes))


def event_study(world: World) -> list[dict[str, Any]]:
    """Growth of arrivals [%] between comparable periods of two years, with and without a mutual waiver.

    Descriptive: the same months of consecutive years of one pair and one count; waived: a mutual waiver was
    in force on the first day of the later period (`treaty_members`). Where a waiver has no such periods
    around it, daily arrivals are compared instead (like: False): the longest period before against each one
    after, whatever was counted. world: with the arrivals. Returns one row per comparison. Raises DataError
    where the world has no arrivals.
    """
    (members,) = world.channel("treaty_members")
    _require(world)
    waiver = {
        frozenset((str(r["party"]), str(r["partner"]))): str(r["from_date"])
        for r in members
        if r["measure"] == "visa_waiver" and r["from_date"] is not None
    }
    rows: list[dict[str, Any]] = []
    listed: dict[tuple[str, str, str], dict[tuple[str, str, int], Mapping[str, Cell]]] = {}
    for row in world.channels["travel_arrivals"]:
        start, end = str(row["start"]), str(row["end"])
        key = str(row["passport"]), str(row["destination"]), str(row["kind"])
        # February has 28 or 29 days: periods are compared by months.
        listed.setdefault(key, {})[start[5:], end[5:7], int(start[:4])] = row
    for _, by_period in sorted(listed.items()):
        for (start, end, year), row in sorted(by_period.items()):
            later = by_period.get((start, end, year + 1))
            if later is None:
                continue
            since = waiver.get(frozenset((str(row["passport"]), str(row["destination"]))))
            rows.append(_event(row, later, since, like=True))
    for pair, since in sorted(waiver.items(), key=lambda item: item[1]):
        for passport in sorted(pair):
            (destination,) = pair - {passport}
            here = [
                row
                for row in world.channels["travel_arrivals"]
                if row["passport"] == passport and row["destination"] == destination
            ]
            # Periods whose last day at least is after the waiver, against the longest before it.
            before = max(
                (r for r in here if str(r["end"]) < since), key=lambda r: _period(r)[1], default=None
            )
            if before is not None:
                after = [r for r in here if str(r["end"]) >= since]
                rows += [_event(before, later, since, like=False) for later in after]
    return rows


def _event(
    before: Mapping[str, Cell], after: Mapping[str, Cell], since: str | None, *, like: bool
) -> dict[str, Any]:
    old, new = float(before["visitors"] or 0.0), float(after["visitors"] or 0.0)
    if not like:
        old, new = old / _period(before)[1], new / _period(after)[1]
    kinds = dict.fromkeys((str(before["kind"]), str(after["kind"])))
    return {
        "passport": str(after["passport"]),
        "destination": str(after["destination"]),
        "kind": " and ".join(kinds) + ("" if like else ", a day"),
        "before": f"{before['start']} to {before['end']}",
        "after": f"{after['start']} to {after['end']}",
        "visitors_before": old,
        "visitors_after": new,
        "percent": 100.0 * (new / old - 1.0),
        "waiver_since": since,
        "waived": since is not None and since <= str(after["start" if like else "end"]),
        "like": like,
        "source": str(after["source"]),
    }


def gravity_rows(world: World) -> list[dict[str, Any]]:
    """Arrivals per day and their regressors, for groups of two origins or more: a panel for gravity.

    world: with the arrivals. Columns: passport, destination, period, per_day [persons a day], ln_km between
    the largest cities, ln_gdp of the origin, visa (1 where one is required or issued on arrival). Raises
    DataError where the world has no arrivals.
    """
    _require(world)
    state, where = _State(world), _cities(world)
    gdp = {str(r["region"]): float(r["gdp_musd"] or 0.0) for r in world.regions}
    rows: list[dict[str, Any]] = []
    for row in world.channels["travel_arrivals"]:
        pair = str(row["passport"]), str(row["destination"])
        if pair[0] not in where or pair[1] not in where or state.visa(pair) is None:
            continue
        _, days = _period(row)
        rows.append(
            {
                "passport": pair[0],
                "destination": pair[1],
                "period": f"{row['start']}/{row['end']}",
                "per_day": float(row["visitors"] or 0.0) / days,
                "ln_km": math.log(great_circle_km(*where[pair[0]], *where[pair[1]])),
                "ln_gdp": math.log(gdp[pair[0]]),
                "visa": 0.0 if state.visa(pair) == "waived" else 1.0,
            }
        )
    groups: dict[tuple[str, str], set[str]] = {}
    for one in rows:
        groups.setdefault((str(one["destination"]), str(one["period"])), set()).add(str(one["passport"]))
    return [one for one in rows if len(groups[str(one["destination"]), str(one["period"])]) > 1]


def identification(world: World) -> dict[str, Any]:
    """Whether the known arrivals could identify a visa effect: number of pairs with and without one.

    world: with the arrivals. It could where both numbers are at least LEAST_PAIRS. Raises DataError where the
    world has no arrivals.
    """
    rows = gravity_rows(world)
    pairs = {(r["passport"], r["destination"]): r["visa"] for r in rows}
    visa = sum(1 for v in pairs.values() if v > 0.0)
    return {
        "rows": len(rows),
        "pairs": len(pairs),
        "pairs_with_visa": visa,
        "pairs_without_visa": len(pairs) - visa,
        "needed": LEAST_PAIRS,
        "identified": min(visa, len(pairs) - visa) >= LEAST_PAIRS,
    }


class _State:
    """Visas, connections and parameters of one World."""

    def __init__(self, world: World) -> None:
        self.faults: list[Fault] = []
        self._visa = {
            (str(r["passport"]), str(r["destination"])): str(r["requirement"])
            for r in world.channels["travel_visas"]
        }
        self._factor = {
            (str(r["origin"]), str(r["destination"])): float(r["factor"] if r["factor"] is not None else 1.0)
            for r in world.channels["travel_connections"]
        }
        self.pairs = sorted({*self._visa, *self._factor})
        self._parameters = world.channels["travel_parameters"].by("parameter")
        for name in ("visa_effect", "easy_visa_part", "connection_elasticity", "usd_per_visitor:*:*"):
            if name not in self._parameters:
                cure = "add its row with low, central and high"
                self.faults.append(Fault("travel_parameters.csv", f"no parameter {name}", cure))
                continue
            if name == "visa_effect" and float(self._parameters[name]["low"] or 0.0) <= -100.0:
                cure = "give a loss of travel of less than 100 percent"
                self.faults.append(Fault("travel_parameters.csv (visa_effect)", "is -100 % or less", cure))

    def visa(self, pair: tuple[str, str]) -> str | None:
        """Requirement of a pair; None where it is not known."""
        return self._visa.get(pair)

    def factor(self, pair: tuple[str, str]) -> float:
        """Connections over those of the base data."""
        return self._factor.get(pair, 1.0)

    def values(self, name: str) -> dict[Case, float]:
        """Low, central and high of a parameter."""
        return {case: float(self._parameters[name][case] or 0.0) for case in CASES}

    def usd_per_visitor(self, pair: tuple[str, str]) -> dict[Case, float]:
        """Spending of one visitor [USD], from the most specific row."""
        return self.values(self._spending(pair))

    def spending_basis(self, pair: tuple[str, str]) -> str:
        """Basis of the figure of spending."""
        return str(self._parameters[self._spending(pair)]["basis"])

    def _spending(self, pair: tuple[str, str]) -> str:
        names = (f"{pair[0]}:{pair[1]}", f"{pair[0]}:*", f"*:{pair[1]}", "*:*")
        return next(f"usd_per_visitor:{n}" for n in names if f"usd_per_visitor:{n}" in self._parameters)

    @cached_property
    def ends(self) -> dict[str, tuple[float, float, float]]:
        """Central, low and high of the parameters of arrivals."""
        out = {}
        for name in ("visa_effect", "easy_visa_part", "connection_elasticity"):
            value = self.values(name)
            out[name] = (value["central"], value["low"], value["high"])
        return out


def _range(old: _State, new: _State, pair: tuple[str, str]) -> dict[Case, float]:
    """V'/V of a pair at the central parameters, and the least and greatest over their ranges."""
    words = (old.visa(pair), new.visa(pair))
    # A pair whose visa is unknown does not change.
    known = None not in words

    def ratio(effect: float, easy: float, elasticity: float) -> float:
        part = {"required": 1.0, "easy": easy, "waived": 0.0}
        log = 0.0
        if known:
            log = math.log1p(effect / 100.0) * (part[str(words[1])] - part[str(words[0])])
        before = old.factor(pair)
        connected = new.factor(pair) / before if before > 0.0 else 1.0
        return math.exp(log) * (connected**elasticity if connected > 0.0 else float(elasticity == 0.0))

    names = ("visa_effect", "easy_visa_part", "connection_elasticity")
    every = [ratio(*ends) for ends in product(*(old.ends[name] for name in names))]
    return {"low": min(every), "central": ratio(*(old.ends[name][0] for name in names)), "high": max(every)}


def _require(world: World) -> None:
    world.channel(*_TABLES)


def _period(row: Mapping[str, Cell]) -> tuple[date, int]:
    """First day and number of days of a row of arrivals. Raises DataError where it has no dates."""
    try:
        start, end = date.fromisoformat(str(row["start"])), date.fromisoformat(str(row["end"]))
    except ValueError:
        start, end = date(1, 1, 2), date(1, 1, 1)
    days = (end - start).days + 1
    if days <= 0:
        where = f"travel_arrivals.csv ({row['passport']}, {row['destination']})"
        fault = Fault(where, f"the period is {row['start']} to {row['end']}", "write dates as YYYY-MM-DD")
        raise DataError("arrivals without a period", [fault])
    return start, days


def _cities(world: World) -> dict[str, tuple[float, float]]:
    """Longitude and latitude of the largest zone of every region."""
    places = world.network["places"].by("place_id")
    largest: dict[str, tuple[float, str]] = {}
    for row in world.network["zones"]:
        size = float(row["share"] or 0.0), str(row["place_id"])
        largest[str(row["region"])] = max(largest.get(str(row["region"]), (0.0, "")), size)
    return {
        region: (float(places[place]["lon"] or 0.0), float(places[place]["lat"] or 0.0))
        for region, (_, place) in largest.items()
    }


def _effect(before: World, after: World) -> Effect:
    found = shock(before, after)
    return Effect(cost_hat=found.cost_hat["central"], notes=found.notes)


CHANNEL = Channel(name="travel", moved=moved, effect=_effect)
