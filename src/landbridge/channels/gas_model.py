"""Gas: a year of monthly deliveries under contract over the trunk lines, and what is missed when one is lost.

Per month t, delivery under contract c over arc a is x_cat >= 0 [bcm, operator's volume]:

    least  missed gas, then unserved use at home before it, then transport
    at every node passed:    sum in x - sum out x = 0
    at the point of delivery: sum in x + V_ct (s_jt + z_et) + e_ct = V_ct
    on every arc:            sum_c x_cat <= capacity_at
    in every country:        output + unserved + received + withdrawn = used + sold + injected
    in every store:          level_t = level_t-1 + injected - withdrawn, the year closing on itself

V: volume due. A shortage is shared as contracts share it: s, one share for all that is handed over at a
place (a line is lost); z, one share for all that a country sells (its output fails); e, what neither can
say, in eight steps of its contract. They cost p, p + 0.05 and p + 0.1 to p + 0.45, so total missed is least
and its split is not left to the solver, but for the last step of e.
Transport is weighed so low that it only orders routes. The year is foreseen: stores are filled for outages
to come, so what is missed is a lower bound. Method: minimum-cost flow with a penalty for what is not
delivered, as Praks, Kopustinskas and Masera (2015) do by maximum flow; HiGHS through scipy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.gas_network import BASE_YEAR, DAYS, MONTHS, read_network, useful_arcs
from landbridge.errors import ConvergenceError, DataError, Fault, InfeasibleError, Status
from landbridge.world import World

__all__ = ["GasModel", "GasYear", "Profile", "Rows"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Profile = Literal["flat", "seasonal"]
Rows = list[dict[str, Any]]

# What a shared shortage costs above p [million USD per bcm], and the weight of transport, which comes to
# some 18 million USD per bcm at most and must stay below the smaller of the two steps.
_BY_EXPORTER, _ALONE, _HAUL_WEIGHT = 0.05, 0.1, 1e-3
# Where neither share fits, what is missed of a contract is cut in such steps, each dearer by this.
_STEPS, _STEP = 8, 0.05
# Below this [bcm] nothing is missed: far under the accuracy of any figure here.
_NOTHING = 1e-9
# The largest imbalance, over the largest volume of a month (at least 1 bcm), that is still a solution.
_BALANCE = 1e-9


# -- the model -------------------------------------------------------------------------------------------


class _Rows:
    """Rows of a sparse matrix and their right-hand sides, put together cell by cell."""

    def __init__(self) -> None:
        self.row: list[int] = []
        self.column: list[int] = []
        self.value: list[float] = []
        self.bound: list[float] = []

    def add(self, cells: Iterable[tuple[int, float]], bound: float) -> int:
        for column, value in cells:
            self.row.append(len(self.bound))
            self.column.append(column)
            self.value.append(value)
        self.bound.append(bound)
        return len(self.bound) - 1

    def matrix(self, width: int) -> Any:
        from scipy.sparse import csr_matrix

        return csr_matrix((self.value, (self.row, self.column)), shape=(len(self.bound), width))


class GasModel:
    """The linear programme of one year: the matrix is built once, `solve` changes bounds only.

    profile: flat (every month a twelfth) or seasonal. year: whose deliveries. storage: None for stores in
    the seasonal profile only. home_factor [country -> 12]: use at home in multiples of the season.
    Raises DataError as `read_network` does.
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
        flat = np.full(MONTHS, 1.0 / MONTHS)
        self.due = np.zeros((len(network.contracts), MONTHS))
        for c, contract in enumerate(network.contracts):
            share = flat
            if profile == "seasonal":
                share = network.delivery_index * [m in contract.months for m in range(1, MONTHS + 1)]
                share = share / share.sum()
            self.due[c] = contract.bcm_operator * share
        season = network.home_index / MONTHS if profile == "seasonal" else flat
        self.home = np.zeros((len(network.countries), MONTHS))
        self.other = np.zeros(len(network.countries))
        for k, country in enumerate(network.countries):
            self.home[k] = network.home[country] * season
            bought = sum(c.bcm_operator for c in network.contracts if c.importer == country)
            sold = sum(c.bcm_operator for c in network.contracts if c.exporter == country)
            # What output and use leave open: losses, stocks, trade over lines that are not here.
            self.other[k] = network.output[country] + bought - sold - network.home[country]
            if home_factor and country in home_factor:
                self.home[k] *= home_factor[country]
        self.availability = np.array([line.availability for line in network.lines])
        self._build()

    def _build(self) -> None:  # noqa: C901
        network, T = self.network, MONTHS
        p, home_price = (network.parameters[f"{k}_musd_per_bcm"] for k in ("missed", "home"))
        haul = network.parameters.get("haul_musd_per_bcm_100km", 0.0) * _HAUL_WEIGHT / 100.0
        places = list(dict.fromkeys(c.place for c in network.contracts))
        shared = [g for g in places if sum(c.place == g for c in network.contracts) > 1]
        exporters = list(dict.fromkeys(c.exporter for c in network.contracts))
        selling = [x for x in exporters if sum(c.exporter == x for c in network.contracts) > 1]
        self._of: list[list[int]] = [useful_arcs(c, network.arcs) for c in network.contracts]
        cost: list[float] = []

        def block(price: float | FloatArray) -> IntArray:
            first = len(cost)
            cost.extend(np.broadcast_to(price, T).tolist())
            return np.arange(first, first + T, dtype=np.int64)

        flow = {(c, a): block(haul * network.arcs[a][2]) for c, arcs in enumerate(self._of) for a in arcs}
        at = [[c for c, one in enumerate(network.contracts) if one.place == g] for g in shared]
        of = [[c for c, one in enumerate(network.contracts) if one.exporter == x] for x in selling]
        # A share costs what all the gas under it is worth; where none is due, next to nothing.
        by_place = [block(p * self.due[m].sum(axis=0) + 1e-6) for m in at]
        by_seller = [block((p + _BY_EXPORTER) * self.due[m].sum(axis=0) + 1e-6) for m in of]
        self._alone = np.array(
            [[block(p + _ALONE + _STEP * step) for step in range(_STEPS)] for _ in network.contracts]
        ).reshape(-1, _STEPS, T)
        self._output = np.array([block(0.0) for _ in network.countries]).reshape(-1, T)
        self._unserved = np.array([block(home_price) for _ in network.countries]).reshape(-1, T)
        # A trace of a price keeps gas from circling through a store within one month.
        stores = [[block(1e-6), block(1e-6), block(0.0)] for _ in self.stores]
        equal, most = _Rows(), _Rows()
        nodes = {node for a, b, _ in network.arcs for node in (a, b)}
        self._delivery: list[list[IntArray]] = []
        for c, contract in enumerate(network.contracts):
            arcs = self._of[c]
            for node in sorted(nodes - set(contract.starts) - set(contract.ends)):
                into = [a for a in arcs if network.arcs[a][1] == node]
                out = [a for a in arcs if network.arcs[a][0] == node]
                for t in range(T) if into or out else ():
                    cells = [(int(flow[c, a][t]), 1.0) for a in into]
                    equal.add(cells + [(int(flow[c, a][t]), -1.0) for a in out], 0.0)
            received = [flow[c, a] for a in arcs if network.arcs[a][1] in contract.ends]
            self._delivery.append(received)
            for t in range(T):
                cells = [(int(x[t]), 1.0) for x in received]
                cells += [(int(v), 1.0) for v in self._alone[c, :, t]]
                for shares, members in ((by_place, at), (by_seller, of)):
                    cells += [
                        (int(share[t]), float(self.due[c, t]))
                        for share, m in zip(shares, members, strict=True)
                        if c in m
                    ]
                equal.add(cells, float(self.due[c, t]))
        for k, country in enumerate(network.countries):
            for t in range(T):
                cells = [(int(self._output[k, t]), 1.0), (int(self._unserved[k, t]), 1.0)]
                for c, contract in enumerate(network.contracts):
                    sign = (contract.importer == country) - (contract.exporter == country)
                    cells += [(int(x[t]), float(sign)) for x in self._delivery[c]] if sign else []
                for n, store in enumerate(self.stores):
                    if store.country == country:
                        cells += [(int(stores[n][1][t]), 1.0), (int(stores[n][0][t]), -1.0)]
                equal.add(cells, float(self.home[k, t] + self.other[k] / T))
        for injected, withdrawn, level in stores:
            for t in range(T):
                cells = [(int(level[t]), 1.0), (int(level[t - 1]), -1.0)]
                equal.add([*cells, (int(injected[t]), -1.0), (int(withdrawn[t]), 1.0)], 0.0)
        self._capacity = np.array(
            [
                [most.add([(int(x[t]), 1.0) for (_, b), x in flow.items() if b == a], 0.0) for t in range(T)]
                for a in range(len(network.arcs))
            ],
            dtype=np.int64,
        ).reshape(-1, T)
        self._yearly = [
            most.add([(int(v), 1.0) for v in self._output[k]], network.output[country])
            for k, country in enumerate(network.countries)
        ]
        width = len(cost)
        low, high = np.zeros(width), np.full(width, np.inf)
        for share in (*by_place, *by_seller):
            high[share] = 1.0
        high[self._alone] = self.due[:, None, :] / _STEPS
        swing = network.parameters["production_swing"]
        for k, country in enumerate(network.countries):
            high[self._output[k]] = network.output[country] * swing / T
            high[self._unserved[k]] = np.maximum(self.home[k] + self.other[k] / T, 0.0)
        for (injected, withdrawn, level), store in zip(stores, self.stores, strict=True):
            high[injected] = store.injection_mcm_per_day * DAYS / 1000.0
            high[withdrawn] = store.withdrawal_mcm_per_day * DAYS / 1000.0
            high[level] = store.working_bcm
        self._flow, self._stores = flow, stores
        self._cost = np.array(cost)
        self._bounds = np.column_stack([low, high])
        self._a_eq, self._b_eq = equal.matrix(width), np.array(equal.bound)
        self._a_ub, self._b_ub = most.matrix(width), np.array(most.bound)

    def capacity(self, availability: FloatArray) -> FloatArray:
        """Capacity of arcs by month [arc, 12], bcm, at what there is of each line [line, 12]."""
        out = np.zeros((len(self.network.arcs), MONTHS))
        for line, share in zip(self.network.lines, availability, strict=True):
            for arc in line.arcs:
                out[arc] += line.capacity_bcm_operator / MONTHS * share
        return out

    def without(self, lose: Iterable[str] = (), months: Iterable[int] = range(1, 13)) -> FloatArray:
        """What there is of each line [line, 12] when some are lost for some months."""
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
        """One year.

        availability [line, 12]: share of each line there is. held_back [contract, 12]: bcm that are not
        delivered whatever the lines, at most what is due. output_lost [country, 12]: bcm of output that
        fail in a month, from the most a month gives. throw: False returns an unsolved year with its status.
        Raises ConvergenceError where the solver stops early or leaves an imbalance above 1e-9,
        InfeasibleError where no flow exists.
        """
        from scipy import optimize

        linprog: Any = optimize.linprog  # its stubs know no sparse matrix
        share = self.availability if availability is None else availability
        b_ub, bounds = self._b_ub.copy(), self._bounds.copy()
        b_ub[self._capacity] = self.capacity(share)
        if held_back is not None:
            step = self.due / _STEPS
            for n in range(_STEPS):
                bounds[self._alone[:, n], 0] = np.clip(held_back - n * step, 0.0, step)
        if output_lost is not None:
            high = np.maximum(bounds[self._output, 1] - output_lost, 0.0)
            bounds[self._output, 1] = high
        found = linprog(
            self._cost,
            A_ub=self._a_ub,
            b_ub=b_ub,
            A_eq=self._a_eq,
            b_eq=self._b_eq,
            bounds=bounds,
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if found.status != 0 or found.x is None:
            message = f"the gas year has no solution: {found.message}"
            if throw:
                kind = InfeasibleError if found.status in (2, 3) else ConvergenceError
                cure = "look for output and deliveries of a country that cannot balance (gas_balances.csv)"
                raise kind(message, [Fault("gas", "no flow balances every country", cure)])
            nothing = np.full(len(self._cost), np.nan)
            duals = np.full(len(b_ub), np.nan)
            return GasYear(self, nothing, duals, share, Status(False, math.inf, int(found.nit), message))
        residual = float(np.abs(self._a_eq @ found.x - self._b_eq).max(initial=0.0))
        scale = max(1.0, float(np.abs(self._b_eq).max(initial=0.0)))
        met = residual / scale <= _BALANCE
        message = (
            "every node, country and store balances" if met else "a node, country or store is off balance"
        )
        status = Status(met, residual / scale, int(found.nit), message)
        if throw and not met:
            cure = (
                "tell its authors: the volumes of the gas tables may differ too much in size for the solver"
            )
            raise ConvergenceError(message, [Fault("gas", f"off by {residual:.1e} bcm", cure)])
        return GasYear(self, found.x, -np.asarray(found.ineqlin.marginals), share, status)


# -- a year ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class GasYear:
    """A solved year; volumes in bcm of the operator, months from January.

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
        """Deliveries [contract, month]."""
        rows = [sum((self.x[v] for v in vs), np.zeros(MONTHS)) for vs in self.model._delivery]
        return np.array(rows).reshape(-1, MONTHS)

    @cached_property
    def missed(self) -> FloatArray:
        """Contract deliveries missed [contract, month]."""
        out = self.model.due - self.delivered
        return np.where(np.abs(out) < _NOTHING, 0.0, out)

    @cached_property
    def home_unserved(self) -> FloatArray:
        """Use at home that is not served [country, month]."""
        out = self.x[self.model._unserved]
        return np.where(np.abs(out) < _NOTHING, 0.0, out)

    @property
    def unserved_bcm(self) -> float:
        """Contract deliveries missed over the year."""
        return float(self.missed.sum())

    @property
    def home_unserved_bcm(self) -> float:
        """Use at home that is not served over the year."""
        return float(self.home_unserved.sum())

    @property
    def balance(self) -> float:
        """Largest imbalance of any node, country or store in any month [bcm]."""
        return float(np.abs(self.model._a_eq @ self.x - self.model._b_eq).max(initial=0.0))

    @cached_property
    def contracts(self) -> Rows:
        """What was due, delivered and missed under each contract."""
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
        """Of each country: gas under contract it did not get or sell, and its own use not served."""
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
        """Flow over arcs [arc, month]; parallel strings together."""
        out = np.zeros((len(self.model.network.arcs), MONTHS))
        for (_, arc), v in self.model._flow.items():
            out[arc] += self.x[v]
        return out

    @cached_property
    def arc_dual(self) -> FloatArray:
        """Value of one bcm more capacity in a month [arc, month], million USD."""
        return np.asarray(self.duals[self.model._capacity])

    @cached_property
    def lines(self) -> Rows:
        """Flow, capacity and value of each working line.

        flow_bcm: at its fullest segment; strings side by side share a flow by capacity. dual: million USD
        a year for 1 bcm a year more of capacity in every month that the line works.
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
                    "name": line.name,
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
        """Level of each store at the end of each month."""
        return [
            {
                "store": store.id,
                "country": store.country,
                "level_by_month_bcm": (self.x[level] + 0.0).tolist(),
            }
            for store, (_, _, level) in zip(self.model.stores, self.model._stores, strict=True)
        ]

    @property
    def binding(self) -> list[str]:
        """What keeps more gas from being delivered: full cuts by name, then countries short of output."""
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
            when = "12 months" if tight.all() else "months" if tight.sum() > 1 else "month"
            if not tight.all():
                when += " " + ", ".join(str(t + 1) for t in np.flatnonzero(tight))
            gone = f" ({' + '.join(lost)} lost)" if lost else ""
            what = f"{' + '.join(names)} between {a} and {b}: {rate:.2f} bcm a year, full in {when}"
            told.append(what + gone if names else f"nothing is left between {a} and {b} in {when}{gone}")
        short = self.missed.sum(axis=1) > 1e-6
        for k, country in enumerate(network.countries):
            sold = [n for n, c in enumerate(network.contracts) if c.exporter == country]
            most = float(self.model._b_ub[self.model._yearly[k]])
            full = self.x[self.model._output[k]].sum() > most - 1e-6
            if full and (self.home_unserved[k].sum() > 1e-6 or (short[sold].any() and not told)):
                told.append(f"output of {country}: {network.output[country]:.2f} bcm a year, all used")
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
