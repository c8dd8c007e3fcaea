"""Zones inside countries and the traffic between them: nodes.csv and edge_modes.csv of a folder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.files import finite_number, read_lines
from landbridge.world.table import quoted

__all__ = ["Flow", "SpatialNetwork", "read_network"]

Floats = NDArray[np.float64]

NODE_COLUMNS = ("node_id", "labor", "income")
EDGE_COLUMNS = ("edge_id", "physical_link_id", "origin", "destination", "mode", "flow")
# Tolerance of the balance: flows are written to six digits.
BALANCE = 1e-6


@dataclass(frozen=True)
class Flow:
    """The traffic of one mode on one directed edge.

    edge, link, origin, destination, mode: names. flow: its value over the income of all nodes. start, end:
    the terminals at its ends, empty where there are none. row: its place in faults.
    """

    edge: str
    link: str
    origin: str
    destination: str
    mode: str
    flow: float
    start: str = ""
    end: str = ""
    row: str = ""


@dataclass(frozen=True, eq=False)
class SpatialNetwork:
    """Observed zones and the traffic between them, the only data that the values of links need.

        y_i + sum_k Xi_ik = y_i + sum_k Xi_ki    for every zone i

    nodes [n]: names. labor, income [n]: any positive unit, stored as shares that sum to one. flows: one per
    mode of every directed edge. rows [n]: places of the nodes in faults. Raises DataError with all faults:
    values that are not positive, unknown nodes, an edge or a link that joins different ends in different
    rows, and every node whose inflow and outflow differ by more than 1e-6 of the larger.
    Source: Allen, Fuchs and Wong (2026), the layout of the examples of TransportNetworkWelfare.jl.
    """

    nodes: tuple[str, ...]
    labor: Floats
    income: Floats
    flows: tuple[Flow, ...]
    rows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = _node_faults(self.nodes, self.labor, self.income, self.rows)
        faults += _flow_faults(self.flows, self.nodes)
        if not faults:
            faults = self._imbalances()
        if faults:
            raise DataError("the network cannot be used", faults)
        for name in ("labor", "income"):
            share = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, share / share.sum())

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes, in the order of their first flow."""
        return tuple(dict.fromkeys(flow.mode for flow in self.flows))

    def _imbalances(self) -> list[Fault]:
        inflow, outflow = dict.fromkeys(self.nodes, 0.0), dict.fromkeys(self.nodes, 0.0)
        for flow in self.flows:
            outflow[flow.origin] += flow.flow
            inflow[flow.destination] += flow.flow
        return [
            Fault(
                _place(self.rows, at, node),
                f"node {quoted(node)}: flows in sum to {inflow[node]:.9g}, flows out to {outflow[node]:.9g}",
                "correct the flows so that both sums agree: a zone spends what it earns",
            )
            for at, node in enumerate(self.nodes)
            if abs(inflow[node] - outflow[node]) > BALANCE * max(inflow[node], outflow[node])
        ]


def read_network(folder: str | Path) -> SpatialNetwork:
    """Read nodes.csv and edge_modes.csv of a folder: a row per node and per mode of a directed edge.

        nodes.csv       node_id, labor, income (any positive unit); other columns are ignored
        edge_modes.csv  edge_id, physical_link_id, origin, destination, mode, flow (value of the traffic
                        over the income of all nodes); if there are terminals, origin_terminal_id and
                        destination_terminal_id

    Returns a SpatialNetwork. Raises DataError with all faults of both files by file and row, and as
    SpatialNetwork does.
    Source: Allen, Fuchs and Wong (2026), the layout of the examples of TransportNetworkWelfare.jl.
    """
    faults: list[Fault] = []
    nodes = _rows(Path(folder) / "nodes.csv", NODE_COLUMNS, faults)
    whole = not faults  # nodes with a broken row must not be reported as unknown by the edges
    edges = _rows(Path(folder) / "edge_modes.csv", EDGE_COLUMNS, faults)
    names, rows = tuple(row["node_id"] for row in nodes), tuple(row["row"] for row in nodes)
    labor, income = ([_number(row[name]) for row in nodes] for name in ("labor", "income"))
    flows = tuple(
        Flow(
            edge=row["edge_id"],
            link=row["physical_link_id"],
            origin=row["origin"],
            destination=row["destination"],
            mode=row["mode"],
            flow=_number(row["flow"]),
            start=row.get("origin_terminal_id", ""),
            end=row.get("destination_terminal_id", ""),
            row=row["row"],
        )
        for row in edges
    )
    if nodes:
        faults += _node_faults(names, labor, income, rows)
    if edges:
        faults += _flow_faults(flows, names if whole else None)
    if faults:
        raise DataError("the network cannot be read", faults)
    return SpatialNetwork(names, np.array(labor), np.array(income), flows, rows)


def _rows(path: Path, columns: Sequence[str], faults: list[Fault]) -> list[dict[str, str]]:
    """The rows of a table by column, stripped, with their place under `row`."""
    try:
        (header, lines), broken = read_lines(path)
    except DataError as error:
        faults.extend(error.faults)
        return []
    faults.extend(broken)
    missing = [name for name in columns if name not in header]
    if missing:
        cure = "add " + ", ".join(missing)
        if "residents" in header:
            cure += "; residents and employment belong to a model of commuting, which is not built"
        faults.append(Fault(f"{path.name} line 1", "columns are missing", cure))
        return []
    if not lines:
        faults.append(Fault(path.name, "has no rows that can be read", "give it rows"))
    return [
        dict(zip(header, map(str.strip, cells), strict=True)) | {"row": f"{path.name} line {line}"}
        for line, cells in lines
    ]


def _number(text: str) -> float:
    value = finite_number(text)
    return float("nan") if value is None else value


def _place(rows: Sequence[str], at: int, node: str) -> str:
    return rows[at] if rows else f"node {quoted(node)}"


def _node_faults(
    nodes: Sequence[str],
    labor: Sequence[float] | Floats,
    income: Sequence[float] | Floats,
    rows: Sequence[str],
) -> list[Fault]:
    if not len(nodes) == len(labor) == len(income) or len(rows) not in (0, len(nodes)):
        what = f"{len(nodes)} names, {len(labor)} values of labor, {len(income)} of income, {len(rows)} rows"
        return [Fault("nodes", what, "give one of each for every node")]
    if not nodes:
        return [Fault("nodes", "there are none", "give at least one")]
    faults = []
    seen: set[str] = set()
    for at, node in enumerate(nodes):
        where = _place(rows, at, node)
        if not node or node in seen:
            what = f"node {quoted(node)} appears twice" if node else "node_id is empty"
            faults.append(Fault(where, what, "give every node a name of its own"))
        seen.add(node)
        for name, value in (("labor", labor[at]), ("income", income[at])):
            if not (np.isfinite(value) and value > 0):
                faults.append(Fault(where, f"{name} is not a positive number", "give a number above zero"))
    return faults


def _flow_faults(flows: Sequence[Flow], nodes: Collection[str] | None) -> list[Fault]:
    """The faults of single flows; their ends are checked where `nodes` is given."""
    if not flows:
        return [Fault("flows", "there are none", "give at least one edge and its traffic")]
    known = None if nodes is None else frozenset(nodes)
    faults = []
    used: set[tuple[str, str]] = set()
    edges: dict[str, Flow] = {}
    links: dict[str, Flow] = {}
    for flow in flows:
        where = flow.row or f"edge {quoted(flow.edge)}, mode {quoted(flow.mode)}"
        faults += _own_faults(flow, where, known)
        if (flow.edge, flow.mode) in used:
            what = f"mode {quoted(flow.mode)} of edge {quoted(flow.edge)} appears twice"
            faults.append(Fault(where, what, "keep one row"))
        used.add((flow.edge, flow.mode))
        first = edges.setdefault(flow.edge, flow)
        if (first.origin, first.destination, first.link) != (flow.origin, flow.destination, flow.link):
            what = f"edge {quoted(flow.edge)} has other ends or another link in {first.row or 'a row above'}"
            faults.append(Fault(where, what, "give every directed edge an edge_id of its own"))
        first = links.setdefault(flow.link, flow)
        if {first.origin, first.destination} != {flow.origin, flow.destination}:
            what = f"link {quoted(flow.link)} joins other nodes in {first.row or 'a row above'}"
            faults.append(Fault(where, what, "give every physical link an id of its own"))
    return faults


def _own_faults(flow: Flow, where: str, nodes: Collection[str] | None) -> list[Fault]:
    """Faults of one flow."""
    faults = [
        Fault(where, f"{name} is empty", "fill it in")
        for name, text in (("edge_id", flow.edge), ("physical_link_id", flow.link), ("mode", flow.mode))
        if not text
    ]
    for node in (flow.origin, flow.destination):
        if nodes is not None and node not in nodes:
            cure = did_you_mean(node, nodes) or "add it to the nodes"
            faults.append(Fault(where, f"there is no node {quoted(node)}", cure))
    if flow.origin == flow.destination:
        cure = "delete it: domestic sales need no edge"
        faults.append(Fault(where, "goes from a node to itself", cure))
    if not (np.isfinite(flow.flow) and flow.flow > 0):
        cure = "give the value over the income of all nodes; delete a mode that is not used"
        faults.append(Fault(where, "flow is not a positive number", cure))
    if bool(flow.start) != bool(flow.end):
        cure = "name both terminals or none"
        faults.append(Fault(where, "only one end has a terminal", cure))
    return faults
