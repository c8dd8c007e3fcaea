"""The tables of the gas channel, checked and in one volume: the inputs of the flow model.

Two volumes are in use, distinguished by name: the operator's, for capacities and dated flows, and that at 40
MJ per m3, used in statistical reviews. The model uses the operator's; the parameter operator_per_standard
converts one into the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.world import Cell, World
from landbridge.world.table import parse_months

__all__ = [
    "BASE_YEAR",
    "DAYS",
    "MONTHS",
    "TABLES",
    "Contract",
    "GasNetwork",
    "Line",
    "Store",
    "find_lines",
    "parameter",
    "read_network",
    "useful_arcs",
]

FloatArray = NDArray[np.float64]
Row = Mapping[str, Cell]

BASE_YEAR = 2023
MONTHS = 12
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=float)
TABLES = (
    *("gas_nodes", "gas_pipelines", "gas_segments", "gas_balances", "gas_contracts"),
    *("gas_storage", "gas_profiles", "gas_parameters"),
)


@dataclass(frozen=True)
class Line:
    """A working pipeline: capacity [bcm/year, operator's volume] and the share of it available each month.

    id, alias, name: by which it is found; capacity_bcm_operator: a year; availability [12]: share; arcs:
    numbers.
    """

    id: str
    alias: str
    name: str
    capacity_bcm_operator: float
    availability: tuple[float, ...]
    arcs: tuple[int, ...]


@dataclass(frozen=True)
class Contract:
    """Deliveries of a year from one country to another [bcm/year, operator's volume].

    id: of the table; exporter, importer: countries; starts, ends: nodes; bcm_operator: a year; months: in
    which it is delivered, 1 to 12.
    """

    id: str
    exporter: str
    importer: str
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    bcm_operator: float
    months: tuple[int, ...]

    @property
    def place(self) -> tuple[str, str]:
        """Importer and first node of delivery; contracts with the same place share a shortage."""
        return self.importer, self.ends[0]


@dataclass(frozen=True)
class Store:
    """Underground storage [bcm, mcm/day, operator's volume].

    id, country: of the table; working_bcm: what it can hold; withdrawal_mcm_per_day, injection_mcm_per_day:
    at most.
    """

    id: str
    country: str
    working_bcm: float
    withdrawal_mcm_per_day: float
    injection_mcm_per_day: float


@dataclass(frozen=True)
class GasNetwork:
    """The tables of the channel, checked and in the operator's volume.

    lines, contracts, stores: working lines, deliveries of the year, storage; countries: with a balance of the
    year, sorted.
    arcs: from node, to node, km; parallel strings are one arc. output, home [country]: bcm a year.
    home_index, delivery_index [month]: seasons, mean 1. parameters: values of gas_parameters by name;
    country_of: country by node.
    """

    lines: tuple[Line, ...]
    arcs: tuple[tuple[str, str, float], ...]
    contracts: tuple[Contract, ...]
    stores: tuple[Store, ...]
    countries: tuple[str, ...]
    output: Mapping[str, float]
    home: Mapping[str, float]
    home_index: FloatArray
    delivery_index: FloatArray
    parameters: Mapping[str, float]
    country_of: Mapping[str, str] = field(repr=False)


def parameter(world: World, name: str) -> float:
    """The value of a parameter of gas_parameters, in its unit.

    world: with the table; name: of the parameter. Raises DataError for an unknown name, and without the
    table.
    """
    world.channel("gas_parameters")
    rows = world.channels["gas_parameters"].by("parameter")
    if name not in rows:
        fault = Fault("gas_parameters.csv", f"no parameter {name!r}", did_you_mean(name, rows))
        raise DataError("unknown parameter", [fault])
    return float(rows[name]["value"] or 0.0)


def find_lines(world: World, names: Iterable[str], place: str = "--lose") -> tuple[str, ...]:
    """Ids of pipelines by id, alias or name, each once.

    world: with the gas tables; names: as typed; place: their name in faults. Raises DataError that lists
    every unknown one with the nearest known ones, and lines that carry no gas.
    """
    world.channel("gas_pipelines")
    known: dict[str, Row] = {}
    spelled: list[str] = []
    for row in world.channels["gas_pipelines"]:
        for key in ("name", "alias", "pipeline_id"):
            if row[key]:
                known[str(row[key]).casefold()] = row
                if row["modelled"] and row["status"] == "operating":
                    spelled.append(str(row[key]))
    found, faults = [], []
    for name in names:
        key = name.strip().casefold()
        if key not in known:
            cure = did_you_mean(name, spelled) or "gas_pipelines.csv lists them: CAC_A or line-A"
            faults.append(Fault(place, f"no pipeline {name!r}", cure))
            continue
        row = known[key]
        if not row["modelled"]:
            why = str(row["note"] or "").rpartition("not in the flow model: ")[2]
            cure = "name a line that the model carries gas on: " + ", ".join(
                str(r["pipeline_id"]) for r in world.channels["gas_pipelines"] if r["modelled"]
            )
            faults.append(Fault(place, f"{row['pipeline_id']} is not in the flow model ({why})", cure))
        elif row["status"] != "operating":
            cure = "name a line that works, or build it first with add_pipeline"
            faults.append(Fault(place, f"{row['pipeline_id']} is planned and carries nothing", cure))
        else:
            found.append(str(row["pipeline_id"]))
    if faults:
        raise DataError("unknown pipelines", faults)
    return tuple(dict.fromkeys(found))


def read_network(world: World, year: int = BASE_YEAR) -> GasNetwork:
    """The gas network of a World with the deliveries of a year, in the operator's volume.

    world: with the gas tables; year: whose deliveries. Returns a GasNetwork. Raises DataError with every
    fault: unknown nodes with the nearest known ones, negative volumes, stores and seasons, deliveries that no
    working line could carry.
    """
    world.channel(*TABLES)
    tables = world.channels
    faults: list[Fault] = []
    parameters = {str(r["parameter"]): float(r["value"] or 0.0) for r in tables["gas_parameters"]}
    for name in ("operator_per_standard", "production_swing", "missed_musd_per_bcm", "home_musd_per_bcm"):
        if not parameters.get(name, 0.0) > 0.0:
            faults.append(Fault(f"gas_parameters.csv ({name})", "is missing or not above 0", "give it"))
            parameters[name] = 1.0
    ratio = parameters["operator_per_standard"]
    country_of = {str(r["node_id"]): str(r["country"]) for r in tables["gas_nodes"]}
    lines, arcs = _lines(world, country_of, faults)
    contracts = tuple(_contracts(world, year, ratio, country_of, faults))
    _are_reached(contracts, arcs, faults)
    stores = tuple(_stores(world, faults))
    output, home = {}, {}
    for row in tables["gas_balances"]:
        if row["balance_year"] == year:
            at = f"gas_balances.csv ({row['country']}, {year})"
            output[str(row["country"])] = ratio * _volume(row, "production_bcm_standard", at, faults)
            home[str(row["country"])] = ratio * _volume(row, "home_use_bcm_standard", at, faults)
    for store in stores:
        if store.country not in output:
            cure = "add the country to gas_balances.csv"
            faults.append(Fault(f"gas_storage.csv ({store.id})", f"no balance of {store.country}", cure))
    index = {kind: _season(world, kind, parameters, faults) for kind in ("home", "delivery")}
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise DataError(f"{count} in the gas tables", faults)
    countries = tuple(sorted(output))
    return GasNetwork(
        lines,
        arcs,
        contracts,
        stores,
        countries,
        output,
        home,
        index["home"],
        index["delivery"],
        parameters,
        country_of,
    )


def _volume(row: Row, column: str, place: str, faults: list[Fault]) -> float:
    value = float(row[column] or 0.0)
    if not (math.isfinite(value) and value >= 0.0):
        faults.append(Fault(place, f"{column} is {value:g}", "give a number of at least 0"))
        return 0.0
    return value


def _node(text: str, place: str, known: Mapping[str, str], faults: list[Fault]) -> None:
    if text not in known:
        cure = did_you_mean(text, known) or "add it to gas_nodes.csv first"
        faults.append(Fault(place, f"no node {text!r}", cure))


def _lines(
    world: World, known: Mapping[str, str], faults: list[Fault]
) -> tuple[tuple[Line, ...], tuple[tuple[str, str, float], ...]]:
    """Working lines, and arcs that join parallel strings."""
    segments: dict[str, list[Row]] = {}
    for row in world.channels["gas_segments"]:
        place = f"gas_segments.csv ({row['pipeline_id']}, {row['position']})"
        for end in ("from_node", "to_node"):
            _node(str(row[end]), place, known, faults)
        segments.setdefault(str(row["pipeline_id"]), []).append(row)
    at: dict[tuple[str, str], int] = {}
    km: list[float] = []
    lines: list[Line] = []
    for row in world.channels["gas_pipelines"]:
        if not row["modelled"] or row["status"] != "operating":
            continue
        name = str(row["pipeline_id"])
        place = f"gas_pipelines.csv ({name})"
        if row["capacity_bcm_operator"] is None:
            faults.append(Fault(place, "has no capacity", "give it, or write modelled = no"))
        if name not in segments:
            faults.append(Fault(place, "has no segments", "add them to gas_segments.csv, or modelled = no"))
        arcs = []
        for segment in sorted(segments.get(name, []), key=lambda r: int(r["position"] or 0)):
            ends = str(segment["from_node"]), str(segment["to_node"])
            if ends not in at:
                at[ends] = len(km)
                km.append(float(segment["length_km"] or 0.0))
            arcs.append(at[ends])
        capacity = _volume(row, "capacity_bcm_operator", place, faults)
        share = _availability(row, place, faults)
        lines.append(Line(name, str(row["alias"] or ""), str(row["name"]), capacity, share, tuple(arcs)))
    return tuple(lines), tuple((*ends, km[number]) for ends, number in at.items())


def _availability(row: Row, place: str, faults: list[Fault]) -> tuple[float, ...]:
    text = row.get("availability")
    if text is None:
        return (1.0,) * MONTHS
    try:
        share = tuple(float(part) for part in str(text).split("+"))
    except ValueError:
        share = ()
    if len(share) != MONTHS or not all(0.0 <= part <= 1.0 for part in share):
        faults.append(Fault(place, "availability is not twelve numbers from 0 to 1", "join them by +"))
        return (1.0,) * MONTHS
    return share


def _contracts(
    world: World, year: int, ratio: float, known: Mapping[str, str], faults: list[Fault]
) -> Iterable[Contract]:
    years = sorted({int(r["contract_year"] or 0) for r in world.channels["gas_contracts"]})
    if year not in years:
        cure = "use one of " + ", ".join(map(str, years))
        faults.append(Fault("gas_contracts.csv", f"no deliveries of {year}", cure))
    for row in world.channels["gas_contracts"]:
        if row["contract_year"] != year:
            continue
        place = f"gas_contracts.csv ({row['contract_id']}, {year})"
        if (row["bcm_standard"] is None) == (row["bcm_operator"] is None):
            cure = "give the volume on one basis: bcm_standard or bcm_operator"
            faults.append(Fault(place, "both volumes or none are given", cure))
        volume = ratio * _volume(row, "bcm_standard", place, faults)
        volume += _volume(row, "bcm_operator", place, faults)
        starts, ends = (tuple(str(row[key]).split("+")) for key in ("from_nodes", "to_nodes"))
        for node in (*starts, *ends):
            _node(node, place, known, faults)
        months: tuple[int, ...] = tuple(range(1, MONTHS + 1))
        try:
            months = parse_months(str(row["months"]))
        except ValueError:
            faults.append(Fault(place, f"months are {row['months']!r}", "write 1-12, 10-12 or 1+2+12"))
        yield Contract(
            str(row["contract_id"]), str(row["exporter"]), str(row["importer"]), starts, ends, volume, months
        )


def _are_reached(
    contracts: Sequence[Contract], arcs: Sequence[tuple[str, str, float]], faults: list[Fault]
) -> None:
    """Faults of deliveries that no working line could carry."""
    for contract in contracts:
        if contract.bcm_operator > 0.0 and not useful_arcs(contract, arcs):
            ways = " and ".join(("+".join(contract.starts), "+".join(contract.ends)))
            cure = f"join {ways} by working lines, or give it another place of delivery"
            what = f"{contract.bcm_operator:.2f} bcm are due and no working line leads there"
            faults.append(Fault(f"gas_contracts.csv ({contract.id})", what, cure))


def _stores(world: World, faults: list[Fault]) -> Iterable[Store]:
    for row in world.channels["gas_storage"]:
        place = f"gas_storage.csv ({row['site_id']})"
        numbers = [
            _volume(row, c, place, faults)
            for c in ("working_bcm_operator", "withdrawal_mcm_per_day", "injection_mcm_per_day")
        ]
        yield Store(str(row["site_id"]), str(row["country"]), *numbers)


def _season(world: World, kind: str, parameters: Mapping[str, float], faults: list[Fault]) -> FloatArray:
    """Month over mean month: 1 + strength x (index - 1), mean 1."""
    rows = {int(r["month"] or 0): r for r in world.channels["gas_profiles"] if r["kind"] == kind}
    if sorted(rows) != list(range(1, MONTHS + 1)):
        faults.append(Fault(f"gas_profiles.csv ({kind})", "does not have one row per month", "give twelve"))
        return np.ones(MONTHS)
    index = np.array([float(rows[m]["index"] or 0.0) for m in range(1, MONTHS + 1)])
    index = 1.0 + parameters.get(f"seasonal_{kind}", 1.0) * (index - 1.0)
    if (index < 0.0).any() or not index.sum() > 0.0:
        cure = f"lower seasonal_{kind} or give indices of at least 0"
        faults.append(Fault(f"gas_profiles.csv ({kind})", "some month is below 0", cure))
        return np.ones(MONTHS)
    return np.asarray(index / index.mean())


def useful_arcs(contract: Contract, arcs: Sequence[tuple[str, str, float]]) -> list[int]:
    """Numbers of the arcs on paths from the starts of a contract to its ends.

    contract: with its nodes; arcs: from node, to node, km. Arcs into a start or out of an end are left out.
    """
    usable = [n for n, (a, b, _) in enumerate(arcs) if b not in contract.starts and a not in contract.ends]

    def spread(front: set[str], steps: list[tuple[str, str]]) -> set[str]:
        seen = set(front)
        while front:
            front = {head for tail, head in steps if tail in front} - seen
            seen |= front
        return seen

    steps = [arcs[n][:2] for n in usable]
    ahead = spread(set(contract.starts), steps)
    behind = spread(set(contract.ends), [(head, tail) for tail, head in steps])
    return [n for n in usable if arcs[n][0] in ahead and arcs[n][1] in behind]
