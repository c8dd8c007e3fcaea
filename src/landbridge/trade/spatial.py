"""Zones inside countries: the value of a cheaper link where people may move and traffic is congested.

Derivatives at the observed equilibrium from its traffic, income and labour alone; the equations are in
docs/theory/spatial.md. Arrays run over n zones, e directed edges and a (modes of directed edges).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import block_array, csc_array, csr_array, diags_array, eye_array
from scipy.sparse.linalg import splu

from landbridge.errors import DataError, Fault, InfeasibleError, did_you_mean
from landbridge.io.spatial import Flow, SpatialNetwork, read_network

__all__ = ["COLUMNS", "Flow", "SpatialNetwork", "link_values", "read_network"]

Floats = NDArray[np.float64]
Sparse = csr_array[Any, tuple[int, int]]

COLUMNS = ("hulten", "full", "fixed_routes", "no_congestion")


def link_values(
    network: SpatialNetwork,
    *,
    alpha: float,
    beta: float,
    sigma: float,
    eta: float,
    congestion: Mapping[str, float] | None = None,
    terminals: Mapping[str, float] | None = None,
    mode: str = "road",
    columns: Sequence[str] = COLUMNS,
) -> pd.DataFrame:
    """The value of a cut in the cost of one mode, for every physical link with that mode.

        value = - sum_(directions) d ln W / d ln tbar_em,    t_em = tbar_em Xi_em^lambda_m (out_o in_d)^mu_m

    network: see read_network. alpha, beta: elasticities of productivity and of amenity to labour. sigma:
    elasticity of substitution, above one. eta: of the choice of mode, t_e = (sum_m t_em^(-eta))^(-1/eta);
    below zero it is the legacy index, 0 holds the shares of the modes. congestion: lambda of each mode, of
    its own traffic on the edge. terminals: mu of each mode, of all traffic that leaves the terminal at the
    origin and all that enters the one at the destination. mode: the one that gets cheaper. columns: which
    of COLUMNS; fixed_routes takes time n^2 e^2 and memory e^2, the others are sparse.
    Returns a table by physical_link_id, log of welfare per log of cost, summed over the directions of the
    link.
    Raises DataError for all invalid arguments at once, and InfeasibleError where the equilibrium has no
    derivative.
    Source: Allen, Fuchs and Wong (2026); Allen and Arkolakis (2022).
    """
    road, stations = dict(congestion or {}), dict(terminals or {})
    faults = _number_faults(alpha, beta, sigma, eta) + _mode_faults(network, road, stations, mode)
    faults += [
        Fault(
            "columns", f"there is no {name!r}", did_you_mean(name, COLUMNS) or "one of " + ", ".join(COLUMNS)
        )
        for name in columns
        if name not in COLUMNS
    ]
    if faults:
        raise DataError("the links cannot be valued", faults)
    base, theta = _Base.of(network), sigma - 1.0
    slope = base.slope(road, stations)
    values: dict[str, Floats] = {}
    for column in columns:
        if column == "hulten":
            values[column] = base.flow
            continue
        routes = base.fixed_routes(theta) if column == "fixed_routes" else base.free_routes(theta)
        felt = 0 * slope if column == "no_congestion" else slope
        values[column] = _gains(base, felt, routes, alpha, beta, theta, eta)
    link = pd.Index([flow.link for flow in network.flows], name="physical_link_id")
    chosen = np.array([flow.mode == mode for flow in network.flows])
    return pd.DataFrame(values, index=link)[chosen].groupby(level=0, sort=False).sum()


@dataclass(frozen=True)
class _Routes:
    """d ln Xi_e = seller d ln p + buyer d ln q + income d ln y + cost d ln t, each [e, n] or [e, e]."""

    seller: Sparse
    buyer: Sparse
    income: Sparse
    cost: Sparse


@dataclass(frozen=True)
class _Base:
    """The observed equilibrium with numbers for names."""

    network: SpatialNetwork
    flow: Floats  # [a]
    edge: NDArray[np.int64]  # [a], the edge of each
    tail: NDArray[np.int64]  # [e]
    head: NDArray[np.int64]  # [e]
    traffic: Floats  # [e], of all modes
    exposure: Floats  # [n], income and what passes on

    @classmethod
    def of(cls, network: SpatialNetwork) -> _Base:
        node = {name: at for at, name in enumerate(network.nodes)}
        edges = {flow.edge: flow for flow in network.flows}
        number = {name: at for at, name in enumerate(edges)}
        flow = np.array([each.flow for each in network.flows])
        edge = np.array([number[each.edge] for each in network.flows])
        tail = np.array([node[each.origin] for each in edges.values()])
        head = np.array([node[each.destination] for each in edges.values()])
        traffic = np.asarray(np.bincount(edge, flow, len(edges)), dtype=np.float64)
        passing = np.bincount(tail, traffic, len(node))
        return cls(network, flow, edge, tail, head, traffic, network.income + passing)

    def slope(self, congestion: Mapping[str, float], terminals: Mapping[str, float]) -> Sparse:
        """d ln t / d ln Xi [a, a], by the traffic of the edge and that at its terminals."""
        flows = self.network.flows
        own = np.array([congestion.get(each.mode, 0.0) for each in flows])
        paid = np.array([terminals.get(each.mode, 0.0) for each in flows])
        ends = [
            (at, gate)
            for at, each in enumerate(flows)
            for gate in ((each.start, "out"), (each.end, "in"))
            if gate[0]
        ]
        number = {gate: at for at, gate in enumerate(dict.fromkeys(gate for _, gate in ends))}
        row, column = [at for at, _ in ends], [number[gate] for _, gate in ends]
        uses = csr_array((np.ones(len(ends)), (row, column)), shape=(len(flows), len(number)))
        load = np.asarray(uses.T @ self.flow, dtype=np.float64)
        share = diags_array(1 / load) @ uses.T @ diags_array(self.flow)
        return csr_array(diags_array(own) + diags_array(paid) @ uses @ share)

    def at_ends(self, ends: NDArray[np.int64], value: Floats) -> Sparse:
        """[n, e], the value of each edge in the row of one of its ends."""
        return csr_array((value, (ends, np.arange(len(ends)))), shape=(len(self.exposure), len(ends)))

    def free_routes(self, theta: float) -> _Routes:
        """Xi_kl = t_kl^(-theta) p_k q_l: the choice of paths adjusts."""
        one = np.ones(len(self.tail))
        seller, buyer = self.at_ends(self.tail, one), self.at_ends(self.head, one)
        cost = diags_array(-theta * one)
        return _Routes(csr_array(seller.T), csr_array(buyer.T), csr_array(0 * buyer.T), csr_array(cost))

    def fixed_routes(self, theta: float) -> _Routes:
        """Xi_e = sum_ij pi_ij^e X_ij with pi, how often trade of i with j passes e, held fixed."""
        N, E = len(self.exposure), len(self.tail)
        income = self.network.income
        onward = self.traffic / self.exposure[self.tail]
        step = csr_array((onward, (self.tail, self.head)), shape=(N, N)).toarray()
        reach = np.linalg.inv(np.eye(N) - step)
        trade = income[:, None] * reach * (income / self.exposure)
        by_origin, by_destination, shared = np.zeros((E, N)), np.zeros((E, N)), np.zeros((E, E))
        for i in range(N):
            to = np.flatnonzero(reach[i] > 0)
            passes = (reach[i, self.tail] * onward)[:, None] * reach[np.ix_(self.head, to)] / reach[i, to]
            load = passes * trade[i, to]
            by_origin[:, i] = load.sum(axis=1)
            by_destination[:, to] += load
            shared += load @ passes.T
        weight = 1 / self.traffic[:, None]
        by_origin, by_destination = weight * by_origin, weight * by_destination
        # X_ij = tau_ij^(-theta) (y_i / q_i) (y_j / p_j), and pi_ij^e is the elasticity of tau_ij to t_e.
        return _Routes(
            csr_array(-by_destination),
            csr_array(-by_origin),
            csr_array(by_origin + by_destination),
            csr_array(-theta * weight * shared),
        )


def _gains(
    base: _Base, slope: Sparse, routes: _Routes, alpha: float, beta: float, theta: float, eta: float
) -> Floats:
    """- d ln W / d ln tbar [a], by one transposed solve.

    Unknown, in logs: p, q, w, L [n each], W, a slack that is zero at the solution, Xi [a]. The two
    recursions have the same sum (Walras), so one of them takes the slack.
    """
    y, T, labor = base.network.income, base.exposure, base.network.labor
    N, E, A = len(y), len(base.tail), len(base.flow)
    share = csr_array((base.flow / base.traffic[base.edge], (base.edge, np.arange(A))), shape=(E, A))
    belongs = csr_array((np.ones(A), (np.arange(A), base.edge)), shape=(A, E))
    onward = csr_array((base.traffic, (base.tail, base.head)), shape=(N, N))
    # How the cost of each mode of an edge enters the three blocks of equations with costs.
    inward_cost = theta * base.at_ends(base.head, base.traffic) @ share
    outward_cost = theta * base.at_ends(base.tail, base.traffic) @ share
    traffic_cost = eta * (eye_array(A) - belongs @ share) - belongs @ routes.cost @ share
    one, Y, X = eye_array(N), diags_array(y), diags_array(T)
    seller, buyer, earned = (-belongs @ of for of in (routes.seller, routes.buyer, routes.income))
    traffic = eye_array(A) + traffic_cost @ slope
    labor_row, income_row, to_all = _column(labor).T, _column(y).T, _column(np.ones(N))
    equations: list[list[Any]] = [
        [X - onward.T, Y, -Y, -Y, None, _column(T), inward_cost @ slope],
        [Y, X - onward, -Y, -Y, None, None, outward_cost @ slope],
        [one / theta, None, one, beta * one, -to_all, None, None],
        [None, one, -(1 + theta) * one, (theta * alpha - 1) * one, None, None, None],
        [None, None, None, labor_row, None, None, None],
        [None, None, income_row, income_row, None, None, None],
        [seller, buyer, earned, earned, None, None, traffic],
    ]
    transposed = csc_array(block_array(equations, format="csr").T)
    welfare = np.zeros(4 * N + 2 + A)
    welfare[4 * N] = 1.0
    try:
        # A symmetric order and lenient pivots keep the factors sparse; one refinement corrects for it.
        factors = splu(transposed, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01)
        adjoint = factors.solve(welfare)
        adjoint += factors.solve(welfare - transposed @ adjoint)
        missed = float(np.abs(transposed @ adjoint - welfare).max())
    except RuntimeError:
        missed = np.inf
    if not missed < 1e-8:
        fault = Fault("equilibrium", "its equations are singular", "change alpha, beta or the congestion")
        raise InfeasibleError("welfare has no derivative here", [fault])
    gains = adjoint[:N] @ inward_cost + adjoint[N : 2 * N] @ outward_cost
    return np.asarray(gains + adjoint[4 * N + 2 :] @ traffic_cost, dtype=np.float64)


def _column(values: ArrayLike) -> Sparse:
    return csr_array(np.asarray(values, dtype=np.float64)[:, None])


def _number_faults(alpha: float, beta: float, sigma: float, eta: float) -> list[Fault]:
    given = {"alpha": alpha, "beta": beta, "sigma": sigma, "eta": eta}
    faults = [
        Fault(name, f"is {value}", "give a finite number")
        for name, value in given.items()
        if not np.isfinite(value)
    ]
    if sigma <= 1:
        faults.append(Fault("sigma", f"is {sigma}", "give a number above 1"))
    return faults


def _mode_faults(
    network: SpatialNetwork, congestion: Mapping[str, float], terminals: Mapping[str, float], mode: str
) -> list[Fault]:
    faults = []
    asked = [("mode", mode, 0.0)]
    asked += [("congestion", name, value) for name, value in congestion.items()]
    asked += [("terminals", name, value) for name, value in terminals.items()]
    for where, name, value in asked:
        if name not in network.modes:
            cure = did_you_mean(name, network.modes) or "one of " + ", ".join(network.modes)
            faults.append(Fault(where, f"no flow has the mode {name!r}", cure))
        if not np.isfinite(value):
            faults.append(Fault(where, f"that of {name!r} is {value}", "give a finite number"))
    for name, value in terminals.items():
        bare = [flow.row or flow.edge for flow in network.flows if flow.mode == name and not flow.start]
        if value and bare:
            what = f"{len(bare)} flows of mode {name!r} have no terminals, the first in {bare[0]}"
            faults.append(Fault("terminals", what, "fill in origin_terminal_id and destination_terminal_id"))
    return faults
