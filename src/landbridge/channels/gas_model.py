"""Gas: a year of monthly deliveries under contract over the trunk lines, and shortages when one is lost.

Per month t, delivery under contract c over arc a is x_cat >= 0 [bcm, operator's volume]:

    minimise  missed gas, then unserved domestic use, then transport
    at every node passed:    sum in x - sum out x = 0
    at the point of delivery: sum in x + V_ct (s_jt + z_et) + e_ct = V_ct
    on every arc:            sum_c x_cat <= capacity_at
    in every country:        output + unserved + received + withdrawn = used + sold + injected
    in every store:          level_t = level_t-1 + injected - withdrawn, January following December

V: volume due. Contracts share a shortage: s is one share for all deliveries at a place (a line is lost); z is
one share for all sales of a country (its output fails); e is the rest, in eight steps of its contract. They
cost p, p + 0.05 and p + 0.1 to p + 0.45, so that total missed gas is least and its split does not depend on
the solver, except for the last step of e. The weight of transport is small, so that it only chooses between
routes. The year has perfect foresight: stores are filled before an outage, so missed gas is a lower bound.
Method: minimum-cost flow with a penalty for gas not delivered, as Praks, Kopustinskas and Masera (2015) do by
maximum flow; HiGHS through scipy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.gas_network import BASE_YEAR, MONTHS, GasNetwork, read_network
from landbridge.channels.gas_programme import STEPS, Volumes, programme
from landbridge.errors import ConvergenceError, DataError, Fault, InfeasibleError, Status
from landbridge.phrases import named, say
from landbridge.world import World

__all__ = ["GasModel", "GasYear", "Profile", "Rows"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Profile = Literal["flat", "seasonal"]
Rows = list[dict[str, Any]]

# Below this [bcm] nothing counts as missed: far below the accuracy of any figure here.
_NOTHING = 1e-9
# Largest accepted imbalance, over the largest volume of a month (at least 1 bcm).
_BALANCE = 1e-9


# -- the model -------------------------------------------------------------------------------------------


class GasModel:
    """The linear programme of one year: the matrix is built once, `solve` changes bounds only.

    world: with the gas tables; profile: flat (a twelfth per month) or seasonal; year: whose deliveries;
    storage: None for stores in the seasonal profile only; home_factor [country -> 12]: domestic use in
    multiples of the season. Raises DataError as `read_network` does.
    """

    def __init__(
        self,
        world: World,
        profile: Profile = "flat",
        *,
        year: int = BASE_YEAR,
        storage: bool | None = None,
        home_factor: Mapping[str, FloatArray] | None = None,
    ) -> None:
        if profile not in ("flat", "seasonal"):
            fault = Fault("profile", f"is {profile!r}", "use flat or seasonal")
            raise DataError("unknown profile", [fault])
        self.network = network = read_network(world, year)
        self.profile, self.year = profile, year
        self.storage = profile == "seasonal" if storage is None else storage
        self.stores = network.stores if self.storage else ()
        self.volumes = _volumes(network, profile, home_factor or {})
        self.availability = np.array([line.availability for line in network.lines])
        self.programme = programme(network, self.stores, self.volumes)

    @property
    def due(self) -> FloatArray:
        """Volume due [contract, 12], bcm of the operator."""
        return self.volumes.due

    @property
    def home(self) -> FloatArray:
        """Domestic use [country, 12], bcm of the operator."""
        return self.volumes.home

    def capacity(self, availability: FloatArray) -> FloatArray:
        """Capacity of arcs by month [arc, 12], bcm; availability [line, 12]: available share of each line."""
        out = np.zeros((len(self.network.arcs), MONTHS))
        for line, share in zip(self.network.lines, availability, strict=True):
            for arc in line.arcs:
                out[arc] += line.capacity_bcm_operator / MONTHS * share
        return out

    def without(self, lose: Iterable[str] = (), months: Iterable[int] = range(1, 13)) -> FloatArray:
        """Available share of each line [line, 12] when some (id, alias or name) are lost in some months.

        lose: those lost; months: 1 to 12.
        """
        share = self.availability.copy()
        at = [month - 1 for month in months]
        gone = set(lose)
        for number, line in enumerate(self.network.lines):
            if line.id in gone:
                share[number, at] = 0.0
        return share

    def solve(
        self,
        availability: FloatArray | None = None,
        *,
        held_back: FloatArray | None = None,
        output_lost: FloatArray | None = None,
        throw: bool = True,
    ) -> GasYear:
        """Solve one year. Returns a GasYear.

        availability [line, 12]: available share of each line. held_back [contract, 12]: bcm not delivered for
        other reasons, at most what is due. output_lost [country, 12]: bcm of output lost, subtracted from the
        monthly maximum. throw: False returns an unsolved year with its status.
        Raises ConvergenceError where the solver stops early or leaves an imbalance above 1e-9,
        InfeasibleError where no flow exists.
        """
        from scipy import optimize

        linprog: Any = optimize.linprog  # its stubs have no sparse matrix
        share = self.availability if availability is None else availability
        its = self.programme
        b_ub = its.b_ub.copy()
        b_ub[its.capacity] = self.capacity(share)
        found = linprog(
            its.unknowns.cost,
            A_ub=its.a_ub,
            b_ub=b_ub,
            A_eq=its.a_eq,
            b_eq=its.b_eq,
            bounds=self._bounds(held_back, output_lost),
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if found.status != 0 or found.x is None:
            message = f"the gas year has no solution: {found.message}"
            if throw:
                kind = InfeasibleError if found.status in (2, 3) else ConvergenceError
                cure = "look for output and deliveries of a country that cannot balance (gas_balances.csv)"
                raise kind(message, [Fault("gas", "no flow balances every country", cure)])
            nothing = np.full(len(its.unknowns.cost), np.nan)
            duals = np.full(len(b_ub), np.nan)
            return GasYear(self, nothing, duals, share, Status(False, math.inf, int(found.nit), message))
        status = self._status(found)
        if throw and not status.converged:
            cure = "report it: the volumes of the gas tables may differ too much in size for the solver"
            raise ConvergenceError(status.message, [Fault("gas", f"off by {status.residual:.1e} bcm", cure)])
        return GasYear(self, found.x, -np.asarray(found.ineqlin.marginals), share, status)

    def _bounds(self, held_back: FloatArray | None, output_lost: FloatArray | None) -> FloatArray:
        """Bounds of the unknowns where deliveries are held back or output is lost."""
        x, bounds = self.programme.unknowns, self.programme.bounds.copy()
        if held_back is not None:
            step = self.due / STEPS
            for n in range(STEPS):
                bounds[x.alone[:, n], 0] = np.clip(held_back - n * step, 0.0, step)
        if output_lost is not None:
            bounds[x.output, 1] = np.maximum(bounds[x.output, 1] - output_lost, 0.0)
        return bounds

    def _status(self, found: Any) -> Status:
        """The status of a solve; residual: largest imbalance over the largest volume of a month."""
        b_eq = self.programme.b_eq
        residual = float(np.abs(self.programme.a_eq @ found.x - b_eq).max(initial=0.0))
        scale = max(1.0, float(np.abs(b_eq).max(initial=0.0)))
        met = residual / scale <= _BALANCE
        message = (
            "every node, country and store balances" if met else "a node, country or store is off balance"
        )
        return Status(met, residual / scale, int(found.nit), message)


def _volumes(network: GasNetwork, profile: Profile, home_factor: Mapping[str, FloatArray]) -> Volumes:
    """Volumes due and used in each month."""
    flat = np.full(MONTHS, 1.0 / MONTHS)
    due = np.zeros((len(network.contracts), MONTHS))
    for c, contract in enumerate(network.contracts):
        share = flat
        if profile == "seasonal":
            share = network.delivery_index * [m in contract.months for m in range(1, MONTHS + 1)]
            share = share / share.sum()
        due[c] = contract.bcm_operator * share
    season = network.home_index / MONTHS if profile == "seasonal" else flat
    home = np.zeros((len(network.countries), MONTHS))
    other = np.zeros(len(network.countries))
    for k, country in enumerate(network.countries):
        home[k] = network.home[country] * season
        bought = sum(c.bcm_operator for c in network.contracts if c.importer == country)
        sold = sum(c.bcm_operator for c in network.contracts if c.exporter == country)
        other[k] = network.output[country] + bought - sold - network.home[country]
        if country in home_factor:
            home[k] *= home_factor[country]
    return Volumes(due, home, other)


# -- a year ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class GasYear:
    """A solved year; volumes in bcm of the operator, months from January.

    model: that was solved; x [column]: its unknowns, NaN where nothing was found; duals [row of a_ub]: gain
    for one unit more of a limit [million USD]; availability [line, 12]: available share of each line.
    unserved_bcm: contract deliveries missed. by_country, contracts, lines, stores: rows of plain values.
    balance: largest imbalance of any node, country or store [bcm]. status: how the solve ended.
    """

    model: GasModel
    x: FloatArray
    duals: FloatArray
    availability: FloatArray
    status: Status

    @cached_property
    def delivered(self) -> FloatArray:
        """Deliveries [contract, month], bcm."""
        rows = [sum((self.x[v] for v in vs), np.zeros(MONTHS)) for vs in self.model.programme.delivery]
        return np.array(rows).reshape(-1, MONTHS)

    @cached_property
    def missed(self) -> FloatArray:
        """Contract deliveries missed [contract, month], bcm."""
        out = self.model.due - self.delivered
        return np.where(np.abs(out) < _NOTHING, 0.0, out)

    @cached_property
    def home_unserved(self) -> FloatArray:
        """Domestic use not served [country, month], bcm."""
        out = self.x[self.model.programme.unknowns.unserved]
        return np.where(np.abs(out) < _NOTHING, 0.0, out)

    @property
    def unserved_bcm(self) -> float:
        """Contract deliveries missed over the year [bcm]."""
        return float(self.missed.sum())

    @property
    def home_unserved_bcm(self) -> float:
        """Domestic use not served over the year [bcm]."""
        return float(self.home_unserved.sum())

    @property
    def balance(self) -> float:
        """Largest imbalance of any node, country or store in any month [bcm]."""
        return float(np.abs(self.model.programme.a_eq @ self.x - self.model.programme.b_eq).max(initial=0.0))

    @cached_property
    def contracts(self) -> Rows:
        """Gas due, delivered and missed under each contract [bcm]."""
        rows = []
        for c, contract in enumerate(self.model.network.contracts):
            rows.append(
                {
                    "contract": contract.id,
                    "exporter": contract.exporter,
                    "importer": contract.importer,
                    "due_bcm": float(self.model.due[c].sum()),
                    "delivered_bcm": float(self.delivered[c].sum()),
                    "missed_bcm": float(self.missed[c].sum()),
                    "missed_by_month_bcm": [float(v) for v in self.missed[c]],
                }
            )
        return rows

    @cached_property
    def by_country(self) -> Rows:
        """By country [bcm]: gas under contract not received and not sold, and own use not served."""
        network = self.model.network
        names = sorted({*network.countries, *(c.importer for c in network.contracts)})
        rows = []
        for name in names:
            bought = [n for n, c in enumerate(network.contracts) if c.importer == name]
            sold = [n for n, c in enumerate(network.contracts) if c.exporter == name]
            own = [network.countries.index(name)] if name in network.countries else []
            rows.append(
                {
                    "country": name,
                    "due_bcm": float(self.model.due[bought].sum()),
                    "missed_bcm": float(self.missed[bought].sum()),
                    "missed_by_month_bcm": [float(v) for v in self.missed[bought].sum(axis=0)],
                    "unsold_bcm": float(self.missed[sold].sum()),
                    "home_unserved_bcm": float(self.home_unserved[own].sum()),
                    "home_unserved_by_month_bcm": [float(v) for v in self.home_unserved[own].sum(axis=0)],
                }
            )
        return rows

    @cached_property
    def arc_flow(self) -> FloatArray:
        """Flow over arcs [arc, month], bcm; parallel strings together."""
        out = np.zeros((len(self.model.network.arcs), MONTHS))
        for (_, arc), v in self.model.programme.unknowns.flow.items():
            out[arc] += self.x[v]
        return out

    @cached_property
    def arc_dual(self) -> FloatArray:
        """Value of one bcm more capacity in a month [arc, month], million USD."""
        return np.asarray(self.duals[self.model.programme.capacity])

    @cached_property
    def lines(self) -> Rows:
        """Flow, capacity and value of each working line.

        flow_bcm: at its fullest segment; parallel strings share a flow by capacity. dual: million USD a year
        for 1 bcm a year more of capacity in every month in which the line works.
        """
        capacity = self.model.capacity(self.availability)
        with np.errstate(divide="ignore", invalid="ignore"):
            use = np.where(capacity > 0.0, self.arc_flow / capacity, 0.0)
        rows = []
        for n, line in enumerate(self.model.network.lines):
            there = self.availability[n]
            monthly = line.capacity_bcm_operator / MONTHS * there
            arcs = list(line.arcs)
            flow = (use[arcs] * monthly).sum(axis=1).max()
            rows.append(
                {
                    "line": line.id,
                    "alias": line.alias or None,
                    "name": named("text", line.name),
                    "capacity_bcm": line.capacity_bcm_operator,
                    "available_bcm": float(monthly.sum()),
                    "flow_bcm": float(flow),
                    "use": float(flow / monthly.sum()) if monthly.sum() > 0.0 else None,
                    "full_months": int(((use[arcs] > 1.0 - 1e-9).any(axis=0) & (there > 0.0)).sum()),
                    "dual_musd_per_bcm": float((self.arc_dual[arcs].sum(axis=0) * there).sum() / MONTHS),
                }
            )
        return rows

    @cached_property
    def stores(self) -> Rows:
        """Level of each store at the end of each month [bcm]."""
        return [
            {
                "store": store.id,
                "country": store.country,
                "level_by_month_bcm": (self.x[blocks.level] + 0.0).tolist(),
            }
            for store, blocks in zip(self.model.stores, self.model.programme.unknowns.stores, strict=True)
        ]

    @property
    def binding(self) -> list[str]:
        """Binding constraints as text: full cuts by name, then countries short of output."""
        cuts = self._full_cuts()
        return cuts + self._spent_output(cuts)

    def _full_cuts(self) -> list[str]:
        """Arcs where more capacity has a value, with their lines and months."""
        network = self.model.network
        told = []
        for arc, (a, b, _) in enumerate(network.arcs):
            tight = self.arc_dual[arc] > 1e-3
            if not tight.any():
                continue
            here = [n for n, line in enumerate(network.lines) if arc in line.arcs]
            names = [network.lines[n].id for n in here if self.availability[n, tight].sum() > 0.0]
            lost = [network.lines[n].id for n in here if self.availability[n, tight].sum() == 0.0]
            rate = self.model.capacity(self.availability)[arc, tight].mean() * MONTHS
            when = _months(tight)
            ends = {"a": named("region", a), "b": named("region", b), "when": when}
            lines = " + ".join(names)
            what = say("gas.cut", lines=lines, bcm=rate, **ends) if names else say("gas.cut.none", **ends)
            told.append(say("gas.cut.lost", what=what, lines=" + ".join(lost)) if lost else what)
        return told

    def _spent_output(self, cuts: list[str]) -> list[str]:
        """Countries whose output is all used while domestic use is short, or a sale without another cause."""
        network, its = self.model.network, self.model.programme
        short = self.missed.sum(axis=1) > 1e-6
        told: list[str] = []
        for k, country in enumerate(network.countries):
            sold = [n for n, c in enumerate(network.contracts) if c.exporter == country]
            most = float(its.b_ub[its.yearly[k]])
            full = self.x[its.unknowns.output[k]].sum() > most - 1e-6
            unexplained = short[sold].any() and not (cuts or told)
            if full and (self.home_unserved[k].sum() > 1e-6 or unexplained):
                told.append(say("gas.spent", country=named("region", country), bcm=network.output[country]))
        return told

    def to_json(self) -> dict[str, Any]:
        """The year as plain values."""
        return {
            "profile": self.model.profile,
            "year": self.model.year,
            "storage": self.model.storage,
            "unserved_bcm": self.unserved_bcm,
            "home_unserved_bcm": self.home_unserved_bcm,
            "by_country": self.by_country,
            "contracts": self.contracts,
            "lines": self.lines,
            "stores": self.stores,
            "binding": self.binding,
            "balance_bcm": self.balance,
        }


def _months(which: NDArray[np.bool_]) -> str:
    """Months in words: 12 months, month 3, months 1, 2."""
    if which.all():
        return say("gas.months.all", n=len(which))
    months = tuple(str(t + 1) for t in np.flatnonzero(which))
    return say("gas.months", n=len(months), months=months)
