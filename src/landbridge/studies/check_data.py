"""`data check`: all checks of a World before it is run, all faults at once.

Reading a World already checks columns, units, ranges, codes and references. The checks here need more than
one table at a time or the state graph: accounts of every variant of the trade table, licences, the islands of
each rail gauge, and cycles without cost.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.io.economy import KGZ_TRADE, TJK_CAP, read_economy, variant_folder
from landbridge.io.files import read_lines
from landbridge.io.tables import DATA, load_world, parts_of, read_sources
from landbridge.transport.compile import compile_graph
from landbridge.transport.graph import LAYERS, PRODUCTS, Graph
from landbridge.world import World
from landbridge.world.table import number_fault, quoted
from landbridge.world.trade_table import TradeTable
from landbridge.world.validate import spelled

__all__ = ["Checked", "check", "islands"]

# Gaps of the accounts, relative to the figure that they should match.
TOLERANCE = 1e-9
_GAUGES = (1, 2, 3)
_GATES = (0, len(LAYERS) - 1)
# Columns of the economy tables that are not in the schema.
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "tariff_basis": ("exporter", "importer", "mean_goods_pct", "rule", "year", "basis", "note"),
    "quality": ("kind", "region", "partner", "sector", "value", "unit", "note"),
}
_BASES = ("observed", "published", "derived", "assumption")


@dataclass(frozen=True)
class Checked:
    """The findings: faults, the World if it could be read, counts, gaps and islands.

    world: None where it could not be read; tables: number of rows by table; open_accounts: those faults that
    are accounts which do not close.
    """

    faults: tuple[Fault, ...]
    world: World | None
    tables: dict[str, int]
    accounts: dict[str, dict[str, float]]
    islands: tuple[dict[str, Any], ...]
    open_accounts: tuple[Fault, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The findings as plain values."""
        return {
            "faults": [{"where": f.where, "what": f.what, "cure": f.cure} for f in self.faults],
            "tables": self.tables,
            "accounts": self.accounts,
            "islands": list(self.islands),
        }


def check(folder: Path | None = None) -> Checked:
    """Check the embedded World, or that of a folder.

    folder: None for the embedded one. Returns a Checked with every fault of every table; no fault is raised.
    Checks that need a readable World (accounts against GDP, gauges, cycles) are left out until it can be
    read.
    """
    place = DATA if folder is None else folder
    faults: list[Fault] = []
    world: World | None = None
    try:
        world = load_world(place)
    except DataError as error:
        faults += error.faults
    if not place.is_dir():
        return Checked(tuple(faults), None, {}, {}, ())
    read = {} if world is None else {**world.network, **world.channels}
    tables = {name: len(table) for name, table in read.items()}
    faults += _licences(place)
    faults += _side_tables(place, world)
    accounts: dict[str, dict[str, float]] = {}
    pieces: list[dict[str, Any]] = []
    open_accounts: list[Fault] = []
    if world is not None:
        tables |= {"regions": len(world.regions), "sectors": len(world.sectors)}
        open_accounts = _accounts(world, accounts)
        faults += open_accounts
        try:
            graph = compile_graph(world)
        except DataError as error:
            faults += error.faults
        else:
            pieces = islands(world, graph, faults)
            faults += _free_cycles(graph)
    found = tuple(dict.fromkeys(faults))
    return Checked(found, world, tables, accounts, tuple(pieces), tuple(open_accounts))


# -- licences --------------------------------------------------------------------------------------


def _licences(folder: Path) -> list[Fault]:
    """A table without a row in SOURCES.csv, a row without licence or attribution, a row without a table."""
    faults: list[Fault] = []
    for part in parts_of(folder):
        rows, found = read_sources(folder, part)
        faults += found
        if found:
            continue
        name = f"{part}/SOURCES.csv"
        stated = {row["table"].strip() for row in rows}
        there = {
            Path(file).stem for _, _, names in os.walk(folder / part) for file in names if _is_table(file)
        }
        faults += [
            Fault(name, f"no row for the table {quoted(table)}", "add one with its source and licence")
            for table in sorted(there - stated)
        ]
        faults += [
            Fault(name, f"names {quoted(table)}, and there is no such table", "delete the row or restore it")
            for table in sorted(stated - there)
        ]
        for row in rows:
            blank = [key for key in ("source", "licence", "attribution") if not row[key].strip()]
            if blank:
                what = f"no {' and no '.join(blank)} for {quoted(row['table'])}"
                faults.append(Fault(name, what, "state it; data without a licence cannot be passed on"))
    return faults


def _is_table(file: str) -> bool:
    return file.endswith(".csv") and file != "SOURCES.csv" and not file.startswith(".")


# -- the economy -----------------------------------------------------------------------------------


def _side_tables(folder: Path, world: World | None) -> list[Fault]:
    """The tables that describe how others were made: their columns, and codes that exist in the World."""
    faults: list[Fault] = []
    for table, header in _HEADERS.items():
        name = f"economy/{table}.csv"
        try:
            (found, lines), broken = read_lines(folder / "economy" / f"{table}.csv", name)
        except DataError as error:
            faults += error.faults
            continue
        faults += spelled(broken, name)
        if tuple(found) != header:
            faults.append(Fault(f"{name} line 1", "other columns", f"the header is {','.join(header)}"))
            continue
        if world is None:
            continue
        known = {"": (), "region": world.trade.regions, "sector": world.trade.sectors}
        kinds = {"exporter": "region", "importer": "region", "region": "region", "partner": "region"}
        strange = []
        for line, cells in lines:
            row = dict(zip(header, cells, strict=True))
            for column, cell in row.items():
                codes = known[kinds.get(column, "sector" if column == "sector" else "")]
                if codes and cell and cell not in codes:
                    place = f"{name} line {line}, {column}"
                    strange.append(Fault(place, f"unknown code {quoted(cell)}", "use a code of the World"))
            if "basis" in row and row["basis"] not in _BASES:
                cure = "use one of " + ", ".join(_BASES)
                strange.append(Fault(f"{name} line {line}, basis", f"is {quoted(row['basis'])}", cure))
        faults += spelled(strange, name)
    return faults


def _accounts(world: World, accounts: dict[str, dict[str, float]]) -> list[Fault]:
    """Identities of every variant of the trade table; the gaps go to `accounts`."""
    faults: list[Fault] = []
    gdp = np.array([float(row["gdp_musd"] or 0.0) for row in world.regions])
    for kgz in KGZ_TRADE:
        for cap in TJK_CAP:
            name = variant_folder(kgz, cap)
            try:
                table = read_economy(world.folder / "economy", kgz, cap)
            except DataError as error:
                faults += error.faults
                continue
            accounts[name], found = _identities(table, gdp, _stated_output(world, name, table), name)
            faults += found
    return faults


def _stated_output(world: World, variant: str, table: TradeTable) -> NDArray[np.float64]:
    """Output by region and sector as stated in shares.csv; NaN where none is stated."""
    out = np.full((len(table.regions), len(table.sectors)), np.nan)
    (header, lines), _ = read_lines(world.folder / "economy" / variant / "shares.csv")
    for _, cells in lines:
        row = dict(zip(header, cells, strict=True))
        text = row.get("output_musd", "").strip()
        if number_fault(text, "", "") is None:
            out[table.region(row["region"].strip()), table.sector(row["sector"].strip())] = float(text)
    return out


def _identities(
    table: TradeTable, gdp: NDArray[np.float64], output: NDArray[np.float64], name: str
) -> tuple[dict[str, float], list[Fault]]:
    """Gaps of one variant, and a fault for each that is too large.

    use: alpha_n^s I_n + sum_k g_n^sk Y_n^k = X_n^s, relative to income. output: sales of a sector =
    output_musd of shares.csv. income: value added + tariff revenue + deficit = final spending. deficits: they
    sum to zero, relative to their size. gdp: value added + tariff revenue = GDP of regions.csv.
    """
    codes = table.regions
    income = table.income
    size = np.maximum(np.abs(income), 1e-300)
    final = (table.expenditure - (table.demand - table.final_share * income[:, None])).sum(axis=1)
    gaps = {
        "use": np.abs(table.demand - table.expenditure).max(axis=1) / size,
        "output": np.abs(table.output - output).max(axis=1) / size,
        "income": np.abs(final - income) / size,
        "gdp": np.abs(table.value_added + table.tariff_revenue - gdp) / np.maximum(np.abs(gdp), 1e-300),
    }
    told = {
        "use": ("uses and purchases differ", "rebalance the table; solve() would rebase it"),
        "output": ("sales are not output_musd of shares.csv", "correct trade.csv or output_musd"),
        "income": ("final spending is not income", "rebalance trade.csv, tariff.csv and shares.csv"),
        "gdp": ("value added + tariff revenue is not gdp_musd of regions.csv", "correct one of the two"),
    }
    faults = []
    for identity, gap in gaps.items():
        what, cure = told[identity]
        bad = np.flatnonzero(~(gap <= TOLERANCE))
        faults += spelled(
            [Fault(f"economy/{name} ({codes[n]})", f"{what}, by {gap[n]:.2g}", cure) for n in bad],
            f"economy/{name}, {identity}",
            most=5,
        )
    out = {identity: float(np.nan_to_num(gap, nan=np.inf).max()) for identity, gap in gaps.items()}
    out = {identity: min(gap, 1e300) for identity, gap in out.items()}
    total = float(np.abs(table.deficits).sum())
    out["deficits"] = abs(float(table.deficits.sum())) / total if total > 0 else 0.0
    if not out["deficits"] <= TOLERANCE:
        what = f"deficits do not sum to zero, by {out['deficits']:.2g}"
        faults.append(Fault(f"economy/{name}", what, "every export is somebody's import"))
    return out, faults


# -- the graph -------------------------------------------------------------------------------------


def _components(graph: Graph, arcs: NDArray[np.bool_], *, strong: bool = False) -> NDArray[np.int32]:
    """The component of every state over some arcs."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = graph.tail[arcs], graph.head[arcs]
    matrix = coo_matrix((np.ones(len(ends[0])), ends), shape=(graph.n_states, graph.n_states))
    found = connected_components(matrix, directed=True, connection="strong" if strong else "weak")
    return np.asarray(found[1], dtype=np.int32)


def islands(world: World, graph: Graph, faults: list[Fault]) -> list[dict[str, Any]]:
    """The components of each rail gauge, largest first; one with a zone and no connection is a fault.

    world, graph: the World and its state graph; faults: takes the faults. A connection is a gauge change, a
    transfer to the road or a port. That a zone's terminal also serves other modes counts too, since its
    containers then do not depend on rail.
    """
    width = len(LAYERS)
    haul = (graph.mode > 0) & graph.available
    zones = {str(row["place_id"]) for row in world.network["zones"]}
    out: list[dict[str, Any]] = []
    labels = _components(graph, haul)
    layer, where = np.arange(graph.n_states) % width, np.arange(graph.n_states) // width
    used = np.zeros(graph.n_states, dtype=bool)
    used[graph.tail[haul]] = used[graph.head[haul]] = True
    gates = np.isin(graph.tail % width, _GATES) | np.isin(graph.head % width, _GATES)
    leaving: dict[int, int] = defaultdict(int)
    for arc in np.flatnonzero(graph.available & ~haul & ~gates):
        leaving[int(labels[graph.tail[arc]])] += 1
    for gauge in _GAUGES:
        joined: dict[int, list[str]] = defaultdict(list)
        for state in np.flatnonzero(used & (layer == gauge)):
            joined[int(labels[state])].append(graph.places[int(where[state])])
        for label, places in sorted(joined.items(), key=lambda item: (-len(item[1]), item[1])):
            held = sorted(zones.intersection(places))
            one = {
                "gauge": LAYERS[gauge],
                "places": len(places),
                "of": sorted(places)[:8],
                "zones": len(held),
                "ways_out": leaving[label],
            }
            out.append(one)
            alone = [zone for zone in held if not _served_otherwise(graph, zone, gauge, used)]
            if alone and not leaving[label]:
                what = (
                    f"{len(places)} places on {LAYERS[gauge]} are cut off, with the zone {', '.join(alone)}"
                )
                faults.append(Fault("links.csv", what, "join them by a link, a gauge change or a road"))
    return out


def _served_otherwise(graph: Graph, place: str, gauge: int, used: NDArray[np.bool_]) -> bool:
    return any(used[graph.state(place, layer)] for layer in range(1, len(LAYERS) - 1) if layer != gauge)


def _free_cycles(graph: Graph) -> list[Fault]:
    """Faults of cycles of open arcs without hours or money, on which freight could circulate at no cost."""
    faults = []
    for product, name in enumerate(PRODUCTS):
        money = np.minimum(graph.cost_usd, graph.bulk_usd)[:, product]
        free = graph.available & (graph.time_h[:, product] <= 0.0) & (money <= 0.0)
        if not free.any():
            continue
        labels = _components(graph, free, strong=True)
        inside = free & (labels[graph.tail] == labels[graph.head])
        places: dict[int, set[str]] = defaultdict(set)
        for arc in np.flatnonzero(inside):
            places[int(labels[graph.tail[arc]])].add(graph.places[int(graph.tail[arc]) // len(LAYERS)])
        found = []
        for held in places.values():
            what = f"a cycle without hours and money for {name} at {', '.join(sorted(held)[:6])}"
            cure = "give hours or money to a link, transfer, gauge change or port there"
            found.append(Fault("network", what, cure))
        faults += spelled(found, f"network, {name}")
    return faults
