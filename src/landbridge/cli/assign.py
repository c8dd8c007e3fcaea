"""The command assign: a demand on a congested network, TNTP or GMNS."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landbridge.cli.terminal import JsonFlag, check_ending, envelope_json, load, put, show, write

if TYPE_CHECKING:
    from landbridge.report import Section
    from landbridge.transport import Assignment
    from landbridge.world.road_network import Demand, Network

__all__ = ["assign"]

_SHOWN = 15


def assign(
    net: Annotated[
        Path,
        typer.Argument(metavar="NET", help="A TNTP network file, or a GMNS folder."),
    ],
    trips: Annotated[
        Path,
        typer.Argument(
            metavar="TRIPS", help="A TNTP trips file, or CSV with columns o_zone_id, d_zone_id, volume."
        ),
    ],
    model: Annotated[
        Literal["ue", "weibit"], typer.Option(help="User equilibrium, or stochastic equilibrium.")
    ] = "ue",
    gap: Annotated[float, typer.Option(help="Relative gap at which to stop.")] = 1e-8,
    phi: Annotated[float, typer.Option(help="weibit: how sharply shares follow cost ratios.")] = 8.0,
    turns: Annotated[
        Path | None, typer.Option(help="Turn penalties: CSV with columns from_link, to_link, cost.")
    ] = None,
    use: Annotated[
        str | None, typer.Option(help="GMNS: only the links that allow this use: truck, block ...")
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help="Rounds of shortest paths (weibit: Newton steps) at most.")
    ] = 1000,
    as_json: JsonFlag = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write flows by link (.csv) or all of it (.json).")
    ] = None,
) -> None:
    """Load trips on a congested road network until nobody gains by another path."""
    from landbridge.errors import DataError, Fault
    from landbridge.transport import assign as solve
    from landbridge.transport import read_demand, read_gmns, read_tntp, read_turns

    check_ending(output, (".csv", ".json"))
    begin = time.perf_counter()
    folder = net.is_dir()
    if not net.exists():
        raise DataError("a file is missing", [Fault(str(net), "not found", "check the name")])
    if not folder and trips.suffix.casefold() == ".csv":
        raise typer.BadParameter("a TNTP network takes a TNTP trips file", param_hint="TRIPS")
    if use is not None and not folder:
        raise typer.BadParameter("only a GMNS folder tells uses", param_hint="--use")
    if folder:
        network = read_gmns(net, use)
        demand = read_demand(trips, network)
    else:
        network, demand = read_tntp(net, trips)
    penalties = None if turns is None else read_turns(turns, network)
    for note in network.notes[:_SHOWN]:
        sys.stderr.write(f"note: {note}\n")
    if len(network.notes) > _SHOWN:
        sys.stderr.write(f"note: and {len(network.notes) - _SHOWN} more like these\n")
    _hint()
    found = solve(network, demand, model=model, gap=gap, phi=phi, turns=penalties, most=rounds)

    def envelope() -> str:
        files = [net / "node.csv", net / "link.csv", net / "config.csv"] if folder else [net]
        files += [trips, *([] if turns is None else [turns])]
        options = {
            "model": model,
            "gap": gap,
            "phi": phi if model == "weibit" else None,
            "use": use,
            "sha256": {file.name: _sha256(file) for file in files if file.exists()},
        }
        result = _result(network, demand, found, model)
        return envelope_json(result, found.status, load(None), "assign", begin, options=options)

    if output is not None:
        write(output, envelope() if output.suffix == ".json" else _csv(network, found))
        sys.stderr.write(f"{found.status.message}\n")
    elif as_json:
        put(envelope())
    else:
        show(_sections(network, demand, found, model))


def _hint() -> None:
    from importlib.util import find_spec

    if find_spec("numba") is None:
        sys.stderr.write('hint: pip install "landbridge[fast]" (numba) makes this much faster\n')


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _rows(network: Network, found: Assignment) -> Iterator[dict[str, Any]]:
    ends = _names(network)
    for a in range(len(network.tail)):
        yield {
            "link": network.link_names[a] if network.link_names else str(a + 1),
            "from": ends(int(network.tail[a])),
            "to": ends(int(network.head[a])),
            "flow": float(found.flow[a]),
            "cost": float(found.cost[a]),
            "free_cost": float(network.time[a] + network.fixed[a]),
            "volume_over_capacity": float(found.flow[a] / network.capacity[a]) if network.b[a] else None,
        }


def _names(network: Network) -> Any:
    names = network.node_names
    return lambda node: names[node - 1] if names else str(node)


def _result(network: Network, demand: Demand, found: Assignment, model: str) -> dict[str, Any]:
    return {
        "network": network.name,
        "model": model,
        "nodes": network.nodes,
        "zones": network.zones,
        "trips": float(demand.trips.sum()),
        "trips_within_zones": demand.within,
        "total_cost": float(found.flow @ found.cost),
        "objective": found.objective,
        "relative_gap": found.relative_gap,
        "notes": list(network.notes),
        "links": list(_rows(network, found)),
    }


def _csv(network: Network, found: Assignment) -> str:
    from landbridge.io.files import csv_text

    rows = list(_rows(network, found))
    cells = [["" if value is None else str(value) for value in row.values()] for row in rows]
    return csv_text([list(rows[0]), *cells])


def _sections(network: Network, demand: Demand, found: Assignment, model: str) -> Iterator[Section]:
    from landbridge.report import Section

    unit = "the unit of time of the network file"
    gap = (
        "(total cost - shortest-path cost) / total cost"
        if model == "ue"
        else "share of trips that the shares at these costs would still move"
    )
    yield Section(
        f"{network.name}: {found.status.message}",
        ("what", "value"),
        (
            ("links", f"{len(network.tail):,}"),
            ("trips between zones", f"{demand.trips.sum():,.6g}"),
            ("trips within zones, not assigned", f"{demand.within:,.6g}"),
            ("total cost", f"{found.flow @ found.cost:,.10g}"),
            ("Beckmann objective", f"{found.objective:,.10g}"),
            ("relative gap", f"{found.relative_gap:.1e}"),
        ),
        after=(f"Costs in {unit}. Relative gap: {gap}.",),
    )
    rows = sorted(_rows(network, found), key=lambda row: -row["flow"])[:_SHOWN]
    yield Section(
        f"The {len(rows)} links with the most flow (all: -o flows.csv)",
        ("link", "from", "to", "flow", "cost", "without traffic", "flow / capacity"),
        tuple(
            (
                row["link"],
                row["from"],
                row["to"],
                f"{row['flow']:,.1f}",
                f"{row['cost']:.4g}",
                f"{row['free_cost']:.4g}",
                "-" if row["volume_over_capacity"] is None else f"{row['volume_over_capacity']:.2f}",
            )
            for row in rows
        ),
    )
