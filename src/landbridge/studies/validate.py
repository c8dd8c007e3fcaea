"""Observed corridors and the model's, and CAREC's four indicators: accuracy of the network.

A row is compared with the largest route of the path with the largest share in the row's mode, rail legs by
container train, through the places or links that identify it; a path is all routes through the same gateways.
Nothing is fitted pair by pair. Four global parameters were chosen after seeing the comparable rows; the
leave-one-out figure measures their effect: each row is predicted with the four refitted without it.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, LandbridgeError, Status
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.results import Results
from landbridge.studies.calibrate import around_the_cape, observed_counts, response
from landbridge.studies.fit import Count
from landbridge.transport.graph import GAUGE_CHANGE, LAYERS, RAILS, ROAD, TERMS, WAGONLOAD
from landbridge.transport.legs import Leg, Route, route
from landbridge.transport.routes.families import BY_TRUCK
from landbridge.world import World

__all__ = ["LEAST_N", "Case", "Indicator", "Money", "Validation", "indicators", "validate"]

FloatArray = NDArray[np.float64]

# No headline median below this number of comparable rows.
LEAST_N = 4
# Parameters chosen after seeing the comparable rows, and the term that each governs.
FITTED = {
    "formation_block_h": "formation",
    "terminal_rail_h": "terminal",
    "stop_block_h_per_km": "stops",
    "feeder_h": "feeder",
}
_MOST_ROUTES = 1000
# Rows with the Suez Canal or the Cape as a waypoint.
_SUEZ, _CAPE = "CAI", "CPT"
_SHIPS = ("sea", "ferry")
_UNSOLVED = Status(True, 0.0, 0, "nothing was solved")
# Group of CAREC members other than China, of which only inner provinces belong to CAREC.
_CAREC = "CAREC"


@dataclass(frozen=True)
class Case:
    """One observed corridor and the model's [days]; error = ours / observed - 1, None without a route.

    obs_id: of its rows, joined by +; start, end: places, "" where the source names none; mode: rail, road,
    sea or multimodal; via: places or links that fix the route, separated by ;. observed_days: mean of the
    rows; low_days, high_days: ends of their ranges, None without one; ours_days: of the route compared, None
    without one; gateways: on it. source, note: of the first row.
    comparable: yes, express (the model should be slower) or no. of: number of rows it represents.
    predicted_days: with the four parameters refitted without this case.
    """

    obs_id: str
    start: str
    end: str
    mode: str
    via: str
    comparable: str
    observed_days: float
    low_days: float | None
    high_days: float | None
    ours_days: float | None
    predicted_days: float | None
    gateways: tuple[str, ...]
    source: str
    note: str
    of: int = 1

    @property
    def error(self) -> float | None:
        """Relative error of the model."""
        return None if self.ours_days is None else self.ours_days / self.observed_days - 1.0

    @property
    def error_left_out(self) -> float | None:
        """Relative error of the model with the parameters refitted without the case."""
        return None if self.predicted_days is None else self.predicted_days / self.observed_days - 1.0

    def as_json(self) -> dict[str, Any]:
        """The case as plain values, as `--json` prints it."""
        return {
            "obs_id": self.obs_id,
            "from": self.start,
            "to": self.end,
            "mode": self.mode,
            "via": self.via,
            "comparable": self.comparable,
            "observed_days": self.observed_days,
            "low_days": self.low_days,
            "high_days": self.high_days,
            "ours_days": self.ours_days,
            "error": self.error,
            "leave_one_out_days": self.predicted_days,
            "leave_one_out_error": self.error_left_out,
            "gateways": list(self.gateways),
            "rows": self.of,
            "source": self.source,
            "note": self.note,
        }


@dataclass(frozen=True)
class Indicator:
    """One CAREC indicator of the model, and the published values by year.

    name, mode, unit: as in validation_indicators; ours, published: in unit.
    """

    name: str
    mode: str
    unit: str
    ours: float
    published: dict[int, float]

    def as_json(self) -> dict[str, Any]:
        """The indicator as plain values, as `--json` prints it."""
        return {
            "indicator": self.name,
            "mode": self.mode,
            "unit": self.unit,
            "ours": self.ours,
            "published": {str(year): value for year, value in self.published.items()},
        }


@dataclass(frozen=True)
class Money:
    """One observed rate and the model's [USD of 2023 per TEU], of the largest route of its mode.

    row_id: in validation_money; start, end: places; mode: rail, road, sea or multimodal; observed_usd: the
    rate; low_usd, high_usd: its range, None without one; ours_usd: None without a route, from port to port
    without the ports; year: of the rate; scope: door-to-door, terminal-to-terminal or port-to-port; role:
    checked, or input where a rate of the model was derived from it; source, note: of the row.
    """

    row_id: str
    start: str
    end: str
    mode: str
    observed_usd: float
    low_usd: float | None
    high_usd: float | None
    ours_usd: float | None
    year: int
    scope: str
    role: str
    source: str
    note: str

    @property
    def error(self) -> float | None:
        """ours / observed - 1."""
        return None if self.ours_usd is None else self.ours_usd / self.observed_usd - 1.0

    def as_json(self) -> dict[str, Any]:
        """The rate as plain values, as `--json` prints it."""
        cells = dict(vars(self))
        cells["from"], cells["to"] = cells.pop("start"), cells.pop("end")
        return {**cells, "error": self.error}


@dataclass(frozen=True)
class Validation:
    """All cases, with the medians of comparable ones, and rates, counts, shares and responses.

    indicators: CAREC's; money: observed rates; counts: observed counts and mode shares that can be compared,
    with the model's; withheld: rows that cannot, with the reason; status: of the base, where it was solved.
    """

    cases: tuple[Case, ...]
    indicators: tuple[Indicator, ...]
    money: tuple[Money, ...] = ()
    counts: tuple[Count, ...] = ()
    withheld: tuple[tuple[str, str], ...] = ()
    responses: tuple[dict[str, Any], ...] = ()
    status: Status = _UNSOLVED

    def errors(self) -> list[dict[str, Any]]:
        """Error by kind and role: mean absolute error of shares, median factor of the others, with n."""
        out = []
        for kind, share in (("share of modes", True), ("count or level", False)):
            rows = [c for c in self.counts if c.share == share]
            for role in dict.fromkeys(c.role for c in rows):
                some = [c for c in rows if c.role == role]
                out.append({"kind": kind, "role": role, "n": len(some), **_spread(some, share=share)})
        for role in dict.fromkeys(m.role for m in self.money):
            factors = [
                _factor(m.ours_usd, m.observed_usd) for m in self.money if m.role == role and m.ours_usd
            ]
            out.append({"kind": "money", "role": role, "n": len(factors), **_factors(factors)})
        return out

    def comparable(self, mode: str) -> list[Case]:
        """The cases in the median of a mode."""
        return [c for c in self.cases if c.mode == mode and c.comparable == "yes" and c.error is not None]

    @property
    def n(self) -> dict[str, int]:
        """Comparable cases by mode."""
        return {mode: len(self.comparable(mode)) for mode in ("rail", "multimodal", "sea", "road")}

    def median(self, *, left_out: bool = False) -> dict[str, float | None]:
        """Median absolute relative error by mode; None below LEAST_N cases. left_out: when refitted."""
        out: dict[str, float | None] = {}
        for mode, n in self.n.items():
            errors = [c.error_left_out if left_out else c.error for c in self.comparable(mode)]
            found = [abs(e) for e in errors if e is not None]
            out[mode] = statistics.median(found) if n >= LEAST_N and found else None
        return out

    def to_json(self) -> dict[str, Any]:
        """The result as plain values, as `--json` prints it."""
        return {
            "median_abs_error": self.median(),
            "leave_one_out_median_abs_error": self.median(left_out=True),
            "n": self.n,
            "cases": [c.as_json() for c in self.cases],
            "indicators": [i.as_json() for i in self.indicators],
            "chosen_after_seeing": list(FITTED),
            "errors": self.errors(),
            "counts": [c.as_json() for c in self.counts if not c.share],
            "mode_shares": [c.as_json() for c in self.counts if c.share],
            "money": [m.as_json() for m in self.money],
            "responses": list(self.responses),
            "not_comparable": [{"row": row, "reason": reason} for row, reason in self.withheld],
        }


def _factor(ours: float, observed: float) -> float:
    """The factor by which the model's value is too large or too small."""
    return max(ours / observed, observed / ours) if ours > 0.0 and observed > 0.0 else np.inf


def _factors(factors: list[float]) -> dict[str, float | None]:
    """Median factor, where there are enough values, and the share within two."""
    if len(factors) < LEAST_N:
        return {"median_factor": None, "share_within_2": None}
    within = sum(f <= 2.0 for f in factors) / len(factors)
    middle = statistics.median(factors)
    return {"median_factor": middle if np.isfinite(middle) else None, "share_within_2": within}


def _spread(rows: list[Count], *, share: bool) -> dict[str, float | None]:
    if not share:
        return _factors([_factor(c.ours, c.observed) for c in rows])
    if len(rows) < LEAST_N:
        return {"mean_abs_error": None}
    return {"mean_abs_error": statistics.fmean(abs(c.ours - c.observed) for c in rows)}


def validate(world: World, *, flows: bool = True) -> Validation:
    """Compare every observed corridor and rate with the model.

    world: with the observations; flows: also compare counts, mode shares, responses and CAREC's indicators,
    for which the World is solved. Returns a Validation. How a row is compared: head of
    `landbridge.studies.validate`. Raises as `landbridge.run` does.
    """
    cape = around_the_cape(world)
    cases = _leave_one_out(world, _corridors(world, cape))
    money = tuple(_money(world, cape))
    if not flows:
        return Validation(tuple(cases), (), money)
    solved = SolvedBase(Prepared([world, cape]), world, 0, True)
    return Validation(
        tuple(cases),
        tuple(indicators(solved.results)),
        money,
        tuple(observed_counts(solved)),
        tuple(
            (f"{row['row_id']} {row['metric']}", str(row["reason"]))
            for row in world.network["validation_modes"]
            if not row["comparable"]
        ),
        tuple(response(solved)),
        solved.results.status,
    )


def _corridors(world: World, cape: World) -> list[tuple[Case, Route | None]]:
    """Every observed corridor with the route it is compared with, None where there is none."""
    found: list[tuple[Case, Route | None]] = []
    for rows in _same_corridor(world):
        row = rows[0]
        via = [v for v in str(row["via"] or "").split(";") if v]
        one = None
        if row["from_place"] and row["to_place"]:
            one = _answer(cape if _CAPE in via else world, row, via)
        found.append((_case(rows, via, one), one))
    return found


def _same_corridor(world: World) -> list[list[Any]]:
    """Observations by pair, mode and via, combined into one figure; express and unfit rows stay separate."""
    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in world.network["validation_corridors"]:
        key = tuple(str(row[column] or "") for column in ("from_place", "to_place", "mode", "via"))
        own = () if row["comparable"] == "yes" else (str(row["obs_id"]),)
        groups.setdefault((*key, *own), []).append(row)
    return list(groups.values())


def _case(rows: list[Any], via: list[str], one: Route | None) -> Case:
    """The observations of one corridor and the route they are compared with."""
    row = rows[0]
    low = [float(r["days_low"]) for r in rows if r["days_low"] is not None]
    high = [float(r["days_high"]) for r in rows if r["days_high"] is not None]
    return Case(
        obs_id="+".join(str(r["obs_id"]) for r in rows),
        start=str(row["from_place"] or ""),
        end=str(row["to_place"] or ""),
        mode=str(row["mode"]),
        via=";".join(via),
        comparable=str(row["comparable"]),
        observed_days=statistics.fmean(float(r["days"]) for r in rows),
        low_days=min(low) if low else None,
        high_days=max(high) if high else None,
        ours_days=None if one is None else one.time_h / 24.0,
        predicted_days=None,
        gateways=() if one is None else one.gateways,
        source=str(row["source"]),
        note=str(row["note"] or ""),
        of=len(rows),
    )


def _money(world: World, cape: World) -> list[Money]:
    """Observed rates that name both ends, compared with the largest route of their mode.

    For a rate from port to port only the ship's own money is compared.
    """
    out = []
    for row in world.network["validation_money"]:
        if not row["comparable"] or row["value"] is None:
            continue
        via = [v for v in str(row["via"] or "").split(";") if v]
        between_ports = row["scope"] == "port-to-port"
        place = cape if _CAPE in via else world
        one = _answer(place, row, via, str(row["product"] or "block"), by_ship=between_ports)
        ours = None if one is None else _usd(one, by_ship=between_ports)
        low, high = (None if row[c] is None else float(row[c] or 0.0) for c in ("low", "high"))
        out.append(
            Money(
                str(row["row_id"]), str(row["from_place"]), str(row["to_place"]), str(row["mode"]),
                float(row["value"] or 0.0), low, high, ours,
                int(row["year"] or 0), str(row["scope"]), str(row["use"]), str(row["source"]),
                str(row["note"] or ""),
            )
        )  # fmt: skip
    return out


def _usd(one: Route, *, by_ship: bool) -> float:
    """Money of a route, or of its legs by ship without ports [USD/TEU]."""
    if not by_ship:
        return one.cost_usd
    return sum(leg.cost_usd for leg in one.legs if leg.operation == "haul" and leg.mode in _SHIPS)


def _answer(
    world: World, row: Any, via: list[str], product: str = "block", *, by_ship: bool = False
) -> Route | None:
    """The largest route of the path with the largest share in the row's mode; None where there is none.

    by_ship: only routes without a haul by land.

    A path is all routes through the same gateways: several differ only by a line inside a country, and their
    shares belong together.
    """
    try:
        routes = route(world, str(row["from_place"]), str(row["to_place"]), k=_MOST_ROUTES, product=product)
    except LandbridgeError:
        return None
    fit = [r for r in routes if r.mode_class == row["mode"] and _passes(r, via)]
    if row["mode"] == "multimodal":
        # The observations are of rail and ship services, not of trucks on ferries.
        fit = [r for r in fit if r.family not in BY_TRUCK]
    if by_ship:
        fit = [r for r in fit if all(leg.mode in _SHIPS for leg in r.legs if leg.operation == "haul")]
    share: dict[tuple[str, ...], float] = {}
    for r in fit:
        share[r.gateways] = share.get(r.gateways, 0.0) + r.share
    return max(fit, key=lambda r: (share[r.gateways], r.share)) if fit else None


def _passes(one: Route, via: Sequence[str]) -> bool:
    """Whether a route passes the places or links of `via` in their order."""
    passed: list[str] = []
    for leg in one.legs:
        passed += _marks(leg)
    wanted = [v for v in via if v not in (_SUEZ, _CAPE)]
    if _SUEZ in via and "suez" not in one.gateways:
        return False
    if _CAPE in via and "suez" in one.gateways:
        return False
    at = 0
    for mark in passed:
        if at < len(wanted) and mark == wanted[at]:
            at += 1
    return at == len(wanted)


def _marks(leg: Leg) -> list[str]:
    return [leg.start, *([leg.link] if leg.link else []), leg.end]


# -- leave one out -------------------------------------------------------------------------------------


def _leave_one_out(world: World, found: list[tuple[Case, Route | None]]) -> list[Case]:
    """Every comparable case predicted with the four parameters refitted on the others.

    hours_i = a_i + sum_k p_k x_ik on the route found; p minimises sum |hours_i / observed_i - 1| inside
    the stated ranges (least absolute deviations, a linear programme).
    """
    names = list(FITTED)
    now = np.array([world.parameter(name) for name in names])
    rows = world.network["parameters"].by("parameter")
    bounds = [(float(str(rows[n]["low"])), float(str(rows[n]["high"]))) for n in names]
    used = [i for i, (case, one) in enumerate(found) if one is not None and case.comparable == "yes"]
    x = np.zeros((len(used), len(names)))
    fixed = np.zeros(len(used))
    observed = np.zeros(len(used))
    for row, i in enumerate(used):
        case, one = found[i]
        assert one is not None
        for k, term in enumerate(FITTED.values()):
            hours = _hours_of(one, term, rail_only=term in ("terminal", "formation"))
            x[row, k] = hours / now[k] if now[k] else 0.0
        fixed[row] = one.time_h - float(x[row] @ now)
        observed[row] = 24.0 * case.observed_days
    out = [case for case, _ in found]
    for row, i in enumerate(used):
        others = np.arange(len(used)) != row
        best = _least_absolute(x[others], fixed[others], observed[others], bounds)
        case = out[i]
        predicted = float(fixed[row] + x[row] @ best) / 24.0
        out[i] = Case(**{**vars(case), "predicted_days": predicted})
    return out


def _hours_of(one: Route, name: str, *, rail_only: bool) -> float:
    return sum(
        term.time_h
        for leg in one.legs
        if not rail_only or leg.mode.startswith("rail")
        for term in leg.terms
        if term.name == name
    )


def _least_absolute(
    x: FloatArray, fixed: FloatArray, observed: FloatArray, bounds: list[tuple[float, float]]
) -> FloatArray:
    """min over p in bounds of sum |(fixed + x p) / observed - 1|, by scipy's HiGHS."""
    from scipy.optimize import linprog

    n, k = x.shape
    a = x / observed[:, None]
    b = 1.0 - fixed / observed
    eye = np.eye(n)
    result = linprog(
        np.concatenate([np.zeros(k), np.ones(n)]),
        A_ub=np.block([[a, -eye], [-a, -eye]]),
        b_ub=np.concatenate([b, -b]),
        bounds=[*bounds, *[(0.0, None)] * n],
        method="highs",
    )
    if result.x is None:
        raise ConvergenceError(f"the parameters could not be refitted: {result.message}")
    return np.asarray(result.x, dtype=np.float64)[:k]


# -- CAREC's indicators --------------------------------------------------------------------------------


def indicators(base: Results) -> list[Indicator]:
    """CAREC's four indicators from the flows and hours of a solved base, with the published values.

    base: solved. Hours and payments of one side of a border (half of a crossing), the mean over border points
    of the members other than China; money per 500 km and speed over their lines, weighted by traffic of
    wagonload and trucks. Without delay: running only; with delay: stops, rests, borders and gauge changes
    too.
    speed = km / h over the lines, summed with the weights. Raises DataError where the World has no group of
    the members.
    """
    graph, flow = base.graph, base.flow_teu
    country = np.array(graph.countries)
    member = np.isin(country, base.world.group(_CAREC))
    tail, head = graph.tail // len(LAYERS), graph.head // len(LAYERS)
    table: dict[tuple[str, str], dict[int, float]] = {}
    for row in base.world.network["validation_indicators"]:
        published = table.setdefault((str(row["indicator"]), str(row["mode"])), {})
        published[int(row["year"] or 0)] = float(row["value"] or 0.0)
    running = _terms(graph, ("haul",))
    slow = _terms(graph, ("haul", "stops", "rest", "border", "gauge_change"))
    at_border = _terms(graph, ("border",))
    available, borders = np.asarray(graph.available), np.asarray(graph.border)
    tail_in, head_in = member[tail], member[head]
    out = []
    for mode in ("rail", "road"):
        on = np.isin(graph.mode, RAILS) if mode == "rail" else graph.mode == ROAD
        products = [WAGONLOAD] if mode == "rail" else [0, WAGONLOAD]
        posts = on & borders & available & (tail_in | head_in)
        inside = on & tail_in & head_in & available
        # A gauge change is an arc of its own, at its place.
        change = (graph.operation == GAUGE_CHANGE) & tail_in & (mode == "rail") & available
        near = inside | posts | change
        km = sum(float(flow[near, p] @ graph.length_km[near]) for p in products)

        def hours(values: dict[str, FloatArray], over: Any = near, by: Any = products) -> float:
            return sum(float(flow[over, p] @ values["time_h"][over, p]) for p in by)

        money = sum(float(flow[near, p] @ graph.cost_usd[near, p]) for p in products)
        last = products[-1]
        figures = (
            ("border hours", "h", float(at_border["time_h"][posts, last].mean()) / 2.0),
            ("border cost", "USD per 20 t", float(at_border["cost_usd"][posts, last].mean()) / 2.0),
            ("cost per 500 km", "USD per 500 km and 20 t", 500.0 * money / km),
            ("speed without delay", "km/h", km / hours(running)),
            ("speed with delay", "km/h", km / hours(slow)),
        )
        for name, unit, ours in figures:
            out.append(Indicator(name, mode, unit, ours, dict(sorted(table.get((name, mode), {}).items()))))
    return out


def _terms(graph: Any, names: tuple[str, ...]) -> dict[str, FloatArray]:
    """Hours and money of some terms by arc and product."""
    chosen = np.isin(graph.term_kind, [TERMS.index(n) for n in names])
    out = {}
    for side in ("time_h", "cost_usd"):
        total = np.zeros((graph.n_arcs, 2))
        np.add.at(total, graph.term_arc[chosen], getattr(graph, f"term_{side}")[chosen])
        out[side] = total
    return out
