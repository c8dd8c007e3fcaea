"""The linear programme of a gas year: unknowns, balances and bounds.

The equations are in `gas_model`. An unknown is a column of the matrix, one per month; a block is the twelve
columns of one quantity.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.gas_network import DAYS, MONTHS, Contract, GasNetwork, Store, useful_arcs

__all__ = ["STEPS", "Programme", "Unknowns", "Volumes", "programme"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Cells = list[tuple[int, float]]

# Cost of a shared shortage above p [million USD per bcm], and the weight of transport, which is at most about
# 18 million USD per bcm and must stay below the smaller of the two steps.
_BY_EXPORTER, _ALONE, _HAUL_WEIGHT = 0.05, 0.1, 1e-3
# Where neither share fits, the gas missed of a contract is cut in steps, each more expensive by this.
STEPS, _STEP = 8, 0.05
# A very small price [million USD per bcm] that keeps gas from circling through a store within one month, and
# gives a share a cost where none of its gas is due.
_TRACE = 1e-6


@dataclass(frozen=True, eq=False)
class Volumes:
    """Volumes of a year, in bcm of the operator.

    due [contract, 12]. home [country, 12]: domestic use. other [country]: the residual of output and use over
    the year: losses, stocks, trade over lines that are not in the tables.
    """

    due: FloatArray
    home: FloatArray
    other: FloatArray

    def at_home(self, country: int) -> FloatArray:
        """Needs of a country (by number) apart from its contracts, by month [12], bcm."""
        return np.asarray(self.home[country] + self.other[country] / MONTHS)


@dataclass(frozen=True, eq=False)
class Share:
    """One shortage shared by several contracts: their numbers, and a block of shares from 0 to 1."""

    members: list[int]
    block: IntArray


@dataclass(frozen=True, eq=False)
class StoreBlocks:
    """Blocks of injection, withdrawal and level at the end of the month."""

    injected: IntArray
    withdrawn: IntArray
    level: IntArray


@dataclass(frozen=True, eq=False)
class Unknowns:
    """Columns of each unknown, and the cost per unit.

    flow (contract, arc) -> block. shares: of a place, then of a seller. alone [contract, step, 12]: missed
    where no share fits. output, unserved [country, 12]. stores: blocks of each. cost [column]: million USD
    per bcm.
    """

    flow: dict[tuple[int, int], IntArray]
    shares: list[Share]
    alone: IntArray
    output: IntArray
    unserved: IntArray
    stores: list[StoreBlocks]
    cost: FloatArray


@dataclass(frozen=True, eq=False)
class Programme:
    """Minimise cost @ x subject to a_eq @ x = b_eq, a_ub @ x <= b_ub, bounds [column, 2].

    unknowns: the columns and their cost. delivery [contract]: blocks of gas delivered. capacity [arc, 12],
    yearly [country]: rows of a_ub for the capacity of an arc in a month and the output of a country in the
    year.
    """

    unknowns: Unknowns
    delivery: list[list[IntArray]]
    capacity: IntArray
    yearly: list[int]
    bounds: FloatArray
    a_eq: Any
    b_eq: FloatArray
    a_ub: Any
    b_ub: FloatArray


def programme(network: GasNetwork, stores: Sequence[Store], volumes: Volumes) -> Programme:
    """The programme of one year; capacities of arcs are left at 0 for `GasModel.solve` to fill in.

    network: tables in the operator's volume; stores: those in use; volumes: due and used, by month [bcm].
    Equations: `landbridge.channels.gas_model`.
    """
    useful = [useful_arcs(c, network.arcs) for c in network.contracts]
    x = _unknowns(network, stores, volumes.due, useful)
    delivery = [
        [x.flow[c, a] for a in useful[c] if network.arcs[a][1] in contract.ends]
        for c, contract in enumerate(network.contracts)
    ]
    equal = _Rows()
    nodes = {node for a, b, _ in network.arcs for node in (a, b)}
    for c, contract in enumerate(network.contracts):
        passed = sorted(nodes - set(contract.starts) - set(contract.ends))
        _balance_nodes(equal, x, network, c, useful[c], passed)
        _balance_contract(equal, x, c, volumes.due[c], delivery[c])
    for k in range(len(network.countries)):
        _balance_country(equal, x, network, stores, k, volumes.at_home(k), delivery)
    for blocks in x.stores:
        _balance_store(equal, blocks)
    most = _Rows()
    capacity = [
        [most.add([(int(v[t]), 1.0) for (_, b), v in x.flow.items() if b == a], 0.0) for t in range(MONTHS)]
        for a in range(len(network.arcs))
    ]
    yearly = [
        most.add([(int(v), 1.0) for v in x.output[k]], network.output[country])
        for k, country in enumerate(network.countries)
    ]
    width = len(x.cost)
    return Programme(
        x,
        delivery,
        np.array(capacity, dtype=np.int64).reshape(-1, MONTHS),
        yearly,
        _bounds(x, network, stores, volumes),
        equal.matrix(width),
        np.array(equal.bound),
        most.matrix(width),
        np.array(most.bound),
    )


# -- unknowns --------------------------------------------------------------------------------------------


class _Blocks:
    """The columns used so far, with their costs."""

    def __init__(self) -> None:
        self.cost: list[float] = []

    def one(self, price: float | FloatArray) -> IntArray:
        first = len(self.cost)
        self.cost.extend(np.broadcast_to(price, MONTHS).tolist())
        return np.arange(first, first + MONTHS, dtype=np.int64)


def _unknowns(
    network: GasNetwork, stores: Sequence[Store], due: FloatArray, useful: Sequence[Sequence[int]]
) -> Unknowns:
    p, home_price = (network.parameters[f"{k}_musd_per_bcm"] for k in ("missed", "home"))
    haul = network.parameters.get("haul_musd_per_bcm_100km", 0.0) * _HAUL_WEIGHT / 100.0
    blocks = _Blocks()
    flow = {(c, a): blocks.one(haul * network.arcs[a][2]) for c, arcs in enumerate(useful) for a in arcs}
    # A share costs as much as all the gas under it.
    places = _several([c.place for c in network.contracts])
    sellers = _several([c.exporter for c in network.contracts])
    shares = [
        Share(members, blocks.one(price * due[members].sum(axis=0) + _TRACE))
        for price, groups in ((p, places), (p + _BY_EXPORTER, sellers))
        for members in groups
    ]
    alone = [[blocks.one(p + _ALONE + _STEP * step) for step in range(STEPS)] for _ in network.contracts]
    output = [blocks.one(0.0) for _ in network.countries]
    unserved = [blocks.one(home_price) for _ in network.countries]
    held = [StoreBlocks(blocks.one(_TRACE), blocks.one(_TRACE), blocks.one(0.0)) for _ in stores]
    return Unknowns(
        flow,
        shares,
        np.array(alone).reshape(-1, STEPS, MONTHS),
        np.array(output).reshape(-1, MONTHS),
        np.array(unserved).reshape(-1, MONTHS),
        held,
        np.array(blocks.cost),
    )


def _several(labels: Sequence[Hashable]) -> list[list[int]]:
    """Positions of equal labels, for each label that occurs more than once."""
    groups = [[n for n, one in enumerate(labels) if one == label] for label in dict.fromkeys(labels)]
    return [members for members in groups if len(members) > 1]


# -- balances --------------------------------------------------------------------------------------------


class _Rows:
    """Rows of a sparse matrix and their right-hand sides, built cell by cell."""

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


def _balance_nodes(
    equal: _Rows, x: Unknowns, network: GasNetwork, c: int, useful: Sequence[int], passed: Sequence[str]
) -> None:
    """Gas of a contract that enters a node passed leaves it."""
    for node in passed:
        into = [x.flow[c, a] for a in useful if network.arcs[a][1] == node]
        out = [x.flow[c, a] for a in useful if network.arcs[a][0] == node]
        if not into and not out:
            continue
        for t in range(MONTHS):
            cells = [(int(v[t]), 1.0) for v in into] + [(int(v[t]), -1.0) for v in out]
            equal.add(cells, 0.0)


def _balance_contract(equal: _Rows, x: Unknowns, c: int, due: FloatArray, received: list[IntArray]) -> None:
    """Gas due under a contract arrives or is missed: as a share of its place or seller, or alone."""
    shares = [share.block for share in x.shares if c in share.members]
    for t in range(MONTHS):
        cells: Cells = [(int(v[t]), 1.0) for v in received]
        cells += [(int(v), 1.0) for v in x.alone[c, :, t]]
        cells += [(int(v[t]), float(due[t])) for v in shares]
        equal.add(cells, float(due[t]))


def _balance_country(
    equal: _Rows,
    x: Unknowns,
    network: GasNetwork,
    stores: Sequence[Store],
    k: int,
    needed: FloatArray,
    delivery: list[list[IntArray]],
) -> None:
    """Output, unserved use, purchases and withdrawals equal use, sales and injections."""
    country = network.countries[k]
    signed = [(_direction(c, country), blocks) for c, blocks in zip(network.contracts, delivery, strict=True)]
    own = [blocks for blocks, store in zip(x.stores, stores, strict=True) if store.country == country]
    for t in range(MONTHS):
        cells: Cells = [(int(x.output[k, t]), 1.0), (int(x.unserved[k, t]), 1.0)]
        cells += [(int(v[t]), sign) for sign, blocks in signed if sign for v in blocks]
        for store in own:
            cells += [(int(store.withdrawn[t]), 1.0), (int(store.injected[t]), -1.0)]
        equal.add(cells, float(needed[t]))


def _direction(contract: Contract, country: str) -> float:
    """1 for what a country buys, -1 for what it sells, else 0."""
    return float((contract.importer == country) - (contract.exporter == country))


def _balance_store(equal: _Rows, store: StoreBlocks) -> None:
    """The level is that of the month before, plus injected less withdrawn; January follows December."""
    for t in range(MONTHS):
        cells = [(int(store.level[t]), 1.0), (int(store.level[t - 1]), -1.0)]
        equal.add([*cells, (int(store.injected[t]), -1.0), (int(store.withdrawn[t]), 1.0)], 0.0)


# -- limits ----------------------------------------------------------------------------------------------


def _bounds(x: Unknowns, network: GasNetwork, stores: Sequence[Store], volumes: Volumes) -> FloatArray:
    """Lower and upper bound of each unknown [column, 2]."""
    high = np.full(len(x.cost), np.inf)
    for share in x.shares:
        high[share.block] = 1.0
    high[x.alone] = volumes.due[:, None, :] / STEPS
    swing = network.parameters["production_swing"]
    for k, country in enumerate(network.countries):
        high[x.output[k]] = network.output[country] * swing / MONTHS
        high[x.unserved[k]] = np.maximum(volumes.at_home(k), 0.0)
    for blocks, store in zip(x.stores, stores, strict=True):
        high[blocks.injected] = store.injection_mcm_per_day * DAYS / 1000.0
        high[blocks.withdrawn] = store.withdrawal_mcm_per_day * DAYS / 1000.0
        high[blocks.level] = store.working_bcm
    return np.column_stack([np.zeros(len(high)), high])
