"""Demand on a congested network, both from files: TNTP, or a folder of GMNS tables."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from landbridge.errors import DataError, Fault, Status, did_you_mean
from landbridge.phrases import say
from landbridge.transport import Assignment, read_demand, read_gmns, read_tntp, read_turns
from landbridge.transport import assign as solve
from landbridge.world.road_network import Demand, Network

__all__ = ["Asked", "Assigned", "assign", "compiler", "misplaced"]


@dataclass(frozen=True)
class Asked:
    """Files and options of `landbridge.assign`, with its names.

    net: a TNTP file or the folder of a GMNS network; trips: a TNTP file, or a CSV for GMNS; model: ue or
    weibit; gap: relative gap at which to stop; phi: weibit, sharpness of shares by cost; turns: a CSV of
    penalties; use: GMNS, only links open to it; toll_weight, distance_weight: cost per unit of toll and of
    length, the second for TNTP alone, None for the factors of a TNTP file; select_link: links to list the
    pairs of, by name in the file; rounds: at most.
    """

    net: Path
    trips: Path
    model: str = "ue"
    gap: float = 1e-8
    phi: float = 8.0
    turns: Path | None = None
    use: str | None = None
    toll_weight: float | None = None
    distance_weight: float | None = None
    select_link: Sequence[str] = ()
    rounds: int = 1000

    @property
    def is_gmns(self) -> bool:
        """Whether the network is a folder."""
        return self.net.is_dir()

    def options(self) -> dict[str, Any]:
        """All options that affect the flows, with the sha256 of every file read, by name."""
        names = ("node", "link", "config", "use_definition", "use_group")
        files = [self.net / f"{name}.csv" for name in names] if self.is_gmns else [self.net]
        files += [self.trips, *([] if self.turns is None else [self.turns])]
        return {
            "model": self.model,
            "gap": self.gap,
            "phi": self.phi if self.model == "weibit" else None,
            "use": self.use,
            "toll_weight": self.toll_weight,
            "distance_weight": self.distance_weight,
            "rounds": self.rounds,
            "select_link": list(self.select_link),
            "sha256": {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.exists()},
        }


@dataclass(frozen=True, eq=False)
class Assigned:
    """A network, its trips and the result.

    demand: trips by pair; model: ue or weibit; cost_unit: in words; selected: links to list the pairs of,
    numbered from 0; solution: flows and costs.
    """

    network: Network
    demand: Demand
    model: str
    cost_unit: str
    selected: tuple[int, ...]
    solution: Assignment = field(repr=False)

    @property
    def status(self) -> Status:
        """How the solve ended."""
        return self.solution.status

    @cached_property
    def links(self) -> list[dict[str, Any]]:
        """Flow and cost of every link of the file, in its order; units of the file."""
        network, found = self.network, self.solution
        return [
            {
                **_ends(network, a),
                "flow": float(found.flow[a]),
                "cost": float(found.cost[a]),
                "free_cost": float(network.time[a] + network.fixed[a]),
                "volume_over_capacity": float(found.flow[a] / network.capacity[a]) if network.b[a] else None,
            }
            for a in range(_links(network))
        ]

    @cached_property
    def pairs(self) -> list[dict[str, Any]]:
        """Trips and cost of every pair, in the order of the demand; units of the file."""
        trips, cost = self.demand.trips, self.solution.pair_cost
        return [
            {**self._zones(row), "trips": float(trips[row]), "cost": float(cost[row])}
            for row in range(len(trips))
        ]

    @cached_property
    def users(self) -> list[dict[str, Any]]:
        """For every selected link the trips of each pair over it, largest first; they add up to its flow."""
        return [self._users(link) for link in self.selected]

    def rows(self) -> dict[str, Callable[[], list[dict[str, Any]]]]:
        """Functions that make each table, by name; that of selected links only if there are any."""
        tables = {"links": lambda: self.links, "pairs": lambda: self.pairs}
        return tables | ({"selected_links": self._used} if self.selected else {})

    def _used(self) -> list[dict[str, Any]]:
        return [{"link": one["link"], **pair} for one in self.users for pair in one["pairs"]]

    def to_json(self) -> dict[str, Any]:
        """The result as plain values, as `landbridge assign --json` prints it."""
        network, demand, found = self.network, self.demand, self.solution
        return {
            "network": network.name,
            "model": self.model,
            "nodes": network.nodes - len(set(network.tail[_links(network) :: 2].tolist())),
            "zones": network.zones,
            "trips": float(demand.trips.sum()),
            "trips_within_zones": demand.within,
            "total_cost": float(found.flow @ found.cost),
            "objective": found.objective,
            "relative_gap": found.relative_gap,
            "notes": list(network.notes),
            "cost_unit": self.cost_unit,
            "links": self.links,
            "pairs": self.pairs,
            "selected_links": self.users,
        }

    def _users(self, link: int) -> dict[str, Any]:
        part = self.solution.select_link(link)
        used = sorted((row for row in range(len(part)) if part[row] > 0), key=lambda row: -part[row])
        return {
            **_ends(self.network, link),
            "flow": float(self.solution.flow[link]),
            "pairs": [{**self._zones(row), "trips": float(part[row])} for row in used],
        }

    def _zones(self, row: int) -> dict[str, str]:
        name, demand = self.network.zone_name, self.demand
        return {"from": name(int(demand.origin[row])), "to": name(int(demand.destination[row]))}


def assign(asked: Asked, tell: Callable[[Sequence[str]], None] | None = None) -> Assigned:
    """Assign trips to a congested network until no traveller gains by another path.

    asked: files and options; tell: called with the notes on the files before the solve. Returns an Assigned,
    whose status states if the gap was not reached. Equations and sources: as of
    `landbridge.transport.assign`.

    Raises DataError where a file is missing or invalid, an option does not fit the format or a selected link
    does not exist, and as `landbridge.transport.assign` does.
    """
    faults = misplaced(asked)
    if faults:
        raise DataError("the options do not fit the network", faults)
    network, demand = _read(asked)
    turns = None if asked.turns is None else read_turns(asked.turns, network)
    selected = _selected(network, asked.select_link)
    if tell is not None:
        tell((*demand.notes, *(turns.notes if turns is not None else ()), *network.notes))
    found = solve(
        network,
        demand,
        model=asked.model,
        gap=asked.gap,
        phi=asked.phi,
        turns=turns,
        most=asked.rounds,
        throw=False,
    )
    unit = say("assign.unit.hours" if asked.is_gmns else "assign.unit.file")
    return Assigned(network, demand, asked.model, unit, selected, found)


def misplaced(asked: Asked) -> list[Fault]:
    """Options that do not apply to the format of the network.

    asked: files and options. Returns faults, none where all apply. Raises DataError where there is no
    network.
    """
    if not asked.net.exists():
        raise DataError("a file is missing", [Fault(str(asked.net), "not found", "check the name")])
    faults = []
    if not asked.is_gmns and asked.trips.suffix.casefold() == ".csv":
        what = "a TNTP network takes a TNTP trips file; of a GMNS network give the folder"
        faults.append(Fault("trips", what))
    if asked.use is not None and not asked.is_gmns:
        faults.append(Fault("use", "only a GMNS folder has uses"))
    if asked.distance_weight is not None and asked.is_gmns:
        faults.append(Fault("distance_weight", "only a TNTP network takes one"))
    return faults


def compiler() -> tuple[str, ...]:
    """The package that compiles the path shifts, if it is installed."""
    return ("numba",) if find_spec("numba") else ()


def _read(asked: Asked) -> tuple[Network, Demand]:
    """A network and its trips: GMNS where the network is a folder, else TNTP."""
    if not asked.is_gmns:
        return read_tntp(asked.net, asked.trips, asked.toll_weight, asked.distance_weight)
    network = read_gmns(asked.net, asked.use, asked.toll_weight or 0.0)
    return network, read_demand(asked.trips, network)


def _selected(network: Network, names: Sequence[str]) -> tuple[int, ...]:
    """Numbers of links by their name in the file; both directions of a two-way link."""
    numbers: dict[str, list[int]] = {}
    for a in range(_links(network)):
        numbers.setdefault(_link(network, a), []).append(a)
    whole = "a link_id of link.csv" if network.link_names else f"1 to {len(network.tail)}, as in the file"
    known = list(filter(None, network.link_names))
    faults = [
        Fault("--select-link", f"there is no link {name}", did_you_mean(name, known) or whole)
        for name in names
        if name not in numbers
    ]
    if faults:
        raise DataError("nothing was assigned", faults)
    return tuple(a for name in dict.fromkeys(names) for a in numbers[name])


def _links(network: Network) -> int:
    """Number of links of the file; connectors of zones with several nodes are not shown."""
    return len(network.tail) - network.connectors


def _link(network: Network, a: int) -> str:
    return network.link_names[a] if network.link_names else str(a + 1)


def _ends(network: Network, a: int) -> dict[str, str]:
    tail, head = int(network.tail[a]), int(network.head[a])
    names = network.node_names
    return {
        "link": _link(network, a),
        "from": names[tail - 1] if names else str(tail),
        "to": names[head - 1] if names else str(head),
    }
