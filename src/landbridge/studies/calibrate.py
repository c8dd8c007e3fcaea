"""The fit to observations: fitted numbers, their precision, and the response of rail to past events.

The equations are in `landbridge.studies.fit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.scenario import Scenario, apply
from landbridge.studies.fit import CONSTANTS, TWO_PORTS, Count, Fit
from landbridge.transport import FAMILIES, Choice, pivot
from landbridge.transport.graph import BLOCK, HAUL, RAILS, SEA
from landbridge.world import World

__all__ = ["POPULATIONS", "Calibration", "around_the_cape", "calibrate", "observed_counts", "response"]

FloatArray = NDArray[np.float64]

_STRAITS_CLOSED = Scenario.from_dict(
    {
        "name": "ships around the Cape",
        "modification": [{"verb": "close_gateway", "gateway": "suez"}],
    },
    "straits-closed",
)


@dataclass(frozen=True)
class Calibration:
    """Fitted numbers and their precision.

    values: by name, `gateway:ID` constants and `odds:KIND:GROUP:FAMILY`, ln A over that of the stated shares.
    shipped: the World's own numbers, by the same names. prior_sd, sd: standard deviations before and after,
    of ln b and of ln A. covariance: of the numbers in the order of values. weights, shares: A and the share
    of its group of every family, by KIND:GROUP:FAMILY; stated: shares with low and high end. effective:
    degrees of freedom (trace of the fit). folds: prediction for each pair or gateway by a fit without it.
    drift: largest difference between fitted values and the World's. counts: every observed figure with the
    model's, fitted or not. singular_values: of the slopes of the fitted rows, each in its sigma. responses:
    rows of `response`. notes: remarks on the numbers. gradient: largest slope of the squares at the end
    (scipy's optimality). evaluations: of the residuals.
    """

    values: dict[str, float]
    shipped: dict[str, float]
    weights: dict[str, float]
    shares: dict[str, float]
    stated: dict[str, tuple[float, float, float]]
    sd: dict[str, float]
    prior_sd: dict[str, float]
    covariance: tuple[tuple[float, ...], ...]
    counts: tuple[Count, ...]
    singular_values: tuple[float, ...]
    effective: float
    responses: tuple[dict[str, Any], ...]
    folds: tuple[Count, ...]
    notes: tuple[str, ...]
    gradient: float
    evaluations: int

    @property
    def drift(self) -> float:
        """Largest difference between refitted and shipped values."""
        return max(abs(self.values[k] - self.shipped[k]) for k in self.values)

    def to_json(self) -> dict[str, Any]:
        """The result as plain values, as `--json` prints it."""
        return {
            "values": self.values,
            "shipped": self.shipped,
            "drift": self.drift,
            "sd": self.sd,
            "prior_sd": self.prior_sd,
            "covariance": [list(row) for row in self.covariance],
            "shares": {
                name: {"stated": s[0], "low": s[1], "high": s[2], "fitted": self.shares[name]}
                for name, s in self.stated.items()
            },
            "fitted": [c.as_json() for c in self.counts if c.role == "fitted"],
            "checked": [c.as_json() for c in self.counts if c.role == "checked"],
            "predicted": [c.as_json() for c in self.counts if c.role == "predicted"],
            "repeats": [c.as_json() for c in self.counts if c.role == "repeats"],
            "input": [c.as_json() for c in self.counts if c.role == "input"],
            "ranked": [c.as_json() for c in self.counts if c.role == "ranked"],
            "left_out": [c.as_json() for c in self.folds],
            "singular_values": list(self.singular_values),
            "effective_degrees_of_freedom": self.effective,
            "responses": list(self.responses),
            "notes": list(self.notes),
        }

    def to_csv(self) -> str:
        """The fitted numbers as the table that the recipe of the network reads."""
        lines = [f"{name},{value!r}" for name, value in self.values.items()]
        lines += [f"weight:{name},{value!r}" for name, value in self.weights.items()]
        lines += [f"share:{name},{value!r}" for name, value in self.shares.items()]
        names = list(self.values)
        for i, row in enumerate(self.covariance):
            lines += [f"covariance:{names[i]}:{names[j]},{row[j]!r}" for j in range(i + 1)]
        return "\n".join(["name,value", *lines]) + "\n"


def calibrate(world: World, *, folds: bool = False, anew: bool = True) -> Calibration:
    """Fit weights and constants to the rows marked `fitted`.

    world: with the observations; folds: also fit without each pair or gateway in turn and predict it; anew:
    start from the stated shares, else from the World's numbers, which is quick if they are already the
    solution. Returns a Calibration. Equations: head of `landbridge.studies.fit`. Raises DataError where rows
    cannot be fitted, ConvergenceError where the least squares do not converge, and as `landbridge.run`.
    """
    _can_be_fitted(world)
    # The second graph is for ships around the Cape, for the responses.
    common = Prepared([world, around_the_cape(world)])
    base = SolvedBase(common, world, 0, True)
    fit = Fit(base)
    rows = np.array([row.role == "fitted" for row in fit.rows])
    fit.renew(np.zeros(len(fit.names)))
    idle = [c.name for c in fit.counts(np.zeros(len(fit.names))) if c.role == "fitted" and not c.ours > 0.0]
    if idle:
        cure = "write use = predicted in validation_counts.csv or validation_modes.csv, or open a route"
        faults = [Fault(name, "is to be fitted, and has no flow in the model", cure) for name in idle]
        raise DataError("the calibration has rows without any flow", faults)
    x, found = fit.solve(rows, None if anew else fit.at_shipped())
    left_out: list[Count] = []
    if folds:
        for fold in sorted({row.fold for row, mine in zip(fit.rows, rows, strict=True) if mine}):
            out = np.array([row.fold == fold for row in fit.rows])
            other, _ = fit.solve(rows & ~out, x)
            left_out += [c for c, mine in zip(fit.counts(other), out & rows, strict=True) if mine]
        fit.renew(x)
    data, prior = fit.jacobian(x, rows), fit.prior_jacobian(x)
    inverse = np.linalg.inv(data.T @ data + prior.T @ prior)
    names, before = fit.names, np.linalg.inv(prior.T @ prior)
    values = fit.named(x)
    counts = [*fit.counts(x), *fit.later(x, _of_2024(base))]
    return Calibration(
        values,
        fit.shipped(),
        *fit.tables(x),
        {n: float(s) for n, s in zip(names, np.sqrt(np.diag(inverse)), strict=True)},
        {n: float(s) for n, s in zip(names, np.sqrt(np.diag(before)), strict=True)},
        tuple(tuple(float(v) for v in row) for row in inverse),
        tuple(counts),
        tuple(float(s) for s in np.linalg.svd(data, compute_uv=False)),
        float(np.trace(inverse @ (data.T @ data))),
        tuple(response(base)),
        tuple(left_out),
        tuple(fit.notes(x)),
        float(found.optimality),
        int(found.nfev),
    )


def _can_be_fitted(world: World) -> None:
    """Reject a World that lacks inputs of the fit: its gateways, China, and the year of the counts."""
    gateways = world.network["gateways"].by("gateway_id")
    faults = [
        Fault("gateways.csv", f"no gateway {name}", "calibrate fits the constant of this gateway: add it")
        for name in dict.fromkeys(gateway for _, gateway in CONSTANTS.values())
        if name not in gateways
    ]
    if "CHN" not in world.trade.regions:
        faults.append(Fault("regions", "no region CHN", "calibrate fits trains that leave China"))
    if int(world.parameter("horizon")) != world.base_year:
        cure = f"calibrate at horizon {world.base_year}, the year of the counts"
        faults.append(Fault("parameters, horizon", f"is {world.setting('horizon')}", cure))
    if faults:
        raise DataError("this World cannot be calibrated", faults)


def around_the_cape(world: World) -> World:
    """The World with Suez closed, the second World of a study whose base is passed to `response`.

    world: with a gateway `suez`. Raises ScenarioError where it has none.
    """
    return apply(world, _STRAITS_CLOSED)


def observed_counts(base: SolvedBase) -> list[Count]:
    """Every observed count and mode share that can be compared, with the model's value in this World.

    base: solved, of a World with validation_counts and validation_modes. Returns a Count for each, in the
    unit of its row.
    """
    return Fit(base).in_force()


# Trains counted in a dated event, by groups of pairs: those of the China - Europe brand, nine tenths of them
# to Russia and Belarus, or those between China and the EU alone.
POPULATIONS: dict[str, tuple[str, ...]] = {
    "brand": (
        "china-europe",
        "china-russia",
        "russia-china",
        "china-belarus",
        "china-turkey",
        "china-caucasus",
    ),
    "china-eu": ("china-europe",),
}


def response(base: SolvedBase) -> list[dict[str, Any]]:
    """Response of container rail to and from China to past changes at sea, with the observed ratio.

    phi_b is not fitted: these events check it, each on the trains that were counted (POPULATIONS). TEU of
    containers by the northern family at the demand of the base; sea rates per km are multiplied, Suez closed.
    ours: at unchanged train rates; ours_low, ours_high: at train rates at both ends of the range of the
    event, which reduce the response. Returns one row per event; ratios, after / before.

    base: solved, of a World with the tables of observations.
    """
    teu = _NorthernTeu(base)
    out = []
    for row in base.world.network["validation_responses"]:
        groups, closed = POPULATIONS[str(row["population"])], bool(row["straits_closed"])
        sea = float(row["sea_rate_after"] or 1.0)
        before = teu.of(groups, float(row["sea_rate_before"] or 1.0), 1.0, closed=False)
        rail = (1.0, float(row["rail_rate_high"] or 1.0), float(row["rail_rate_low"] or 1.0))
        after = (teu.of(groups, sea, rate, closed=closed) for rate in rail)
        ours, low, high = (one / before if before > 0.0 else None for one in after)
        observed = float(row["observed"] or 0.0)
        out.append(
            {
                "event": str(row["event"]),
                "population": str(row["population"]),
                "observed": observed,
                "ours": ours,
                "ours_low": low,
                "ours_high": high,
                "ln_error": float(np.log(ours / observed)) if ours and observed else None,
                "phi_b": base.classes.phi_b,
                "source": str(row["source"]),
            }
        )
    return out


def _of_2024(base: SolvedBase) -> tuple[float, str]:
    """TEU on container trains at the two Kazakh ports in 2024 over 2023, due to the sea alone; the event.

    Sea rates of 2024 and Suez closed, at the demand of the base. 1 where no such event is listed.
    """
    rows = [row for row in base.world.network["validation_responses"] if row["straits_closed"]]
    graph = base.common.graphs[0]
    gates = [graph.gateways.index(name) for name in TWO_PORTS if name in graph.gateways]
    if not rows or not gates:
        return 1.0, ""
    arcs = graph.govern_arc[np.isin(graph.govern_gateway, gates) & graph.govern_counted]
    demand = base.results.demand_teu
    before, after = (
        float(_at_rates(base, rate, 1.0, closed=closed).assign(demand)[arcs, BLOCK].sum())
        for rate, closed in (
            (float(rows[0]["sea_rate_before"] or 1.0), False),
            (float(rows[0]["sea_rate_after"] or 1.0), True),
        )
    )
    return (after / before if before > 0.0 else 1.0), str(rows[0]["event"])


class _NorthernTeu:
    """Containers by the northern family [TEU a year] at changed rates, each choice computed once."""

    def __init__(self, base: SolvedBase) -> None:
        self._base = base
        self._known: dict[tuple[float, float, bool], FloatArray] = {}

    def of(self, groups: Sequence[str], sea_rate: float, rail_rate: float, *, closed: bool) -> float:
        """Containers of some groups of pairs, at the demand of the base [TEU a year]."""
        key = sea_rate, rail_rate, closed
        if key not in self._known:
            self._known[key] = self._by_group(*key)
        names = self._base.classes.groups
        return float(self._known[key][[names.index(name) for name in groups if name in names]].sum())

    def _by_group(self, sea_rate: float, rail_rate: float, closed: bool) -> FloatArray:
        """By group of pairs [group]."""
        base, routes = self._base, self._base.common.routes
        share = _at_rates(base, sea_rate, rail_rate, closed=closed).family_share_of_teu()
        mine = np.flatnonzero(routes.group_family == FAMILIES.index("northern"))
        pair, boxed = routes.group_pair[mine], base.classes.in_containers
        teu = (share[boxed][:, mine] * base.results.demand_teu[pair][:, boxed].T).sum(axis=0)
        n = len(base.classes.groups)
        return np.asarray(np.bincount(base.classes.group[pair], weights=teu, minlength=n), dtype=np.float64)


def _at_rates(base: SolvedBase, sea_rate: float, rail_rate: float, *, closed: bool) -> Choice:
    """The choice with ocean rates and those of container trains per km multiplied, Suez closed or open."""
    number = 1 if closed else base.number
    graph, routes = base.common.graphs[number], base.common.routes
    sums, available = routes.sums(graph), routes.available(graph, number)
    at_sea = graph.mode == SEA
    money = np.where((at_sea & graph.ocean_ship)[:, None], graph.cost_usd, 0.0)
    extra = np.ascontiguousarray(routes.over_arcs(money).T) * (sea_rate - 1.0)
    if rail_rate != 1.0:
        on_rails = np.isin(graph.mode, RAILS) & (graph.operation == HAUL)
        money = np.where(on_rails, graph.cost_usd[:, BLOCK], 0.0)[:, None]
        extra[BLOCK] += routes.over_arcs(money)[:, 0] * (rail_rate - 1.0)
    sums = replace(sums, cost_usd=sums.cost_usd + extra, bulk_usd=sums.bulk_usd + extra)
    again = routes.searched_again(number)
    return pivot(base.choice, sums, available, base.log_constant, again=again)
