"""The command assign: a demand on a congested network, TNTP or GMNS."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landbridge.cli.terminal import JsonFlag, check_ending, envelope_json, put, say, show, write

if TYPE_CHECKING:
    from landbridge.report import Section
    from landbridge.transport import Assignment
    from landbridge.world.road_network import Demand, Network

__all__ = ["assign"]

_SHOWN = 15


@dataclass(frozen=True)
class _Asked:
    """What was assigned, and what is to be shown of it."""

    network: Network
    demand: Demand
    model: str
    selected: Sequence[int]
    cost_unit: str


def assign(
    net: Annotated[
        Path,
        typer.Argument(metavar="NET", help="A TNTP network file, or the folder of a GMNS network."),
    ],
    trips: Annotated[
        Path,
        typer.Argument(
            metavar="TRIPS",
            help="A TNTP trips file, or for GMNS a CSV with columns o_zone_id, d_zone_id, volume (by hour).",
        ),
    ],
    model: Annotated[
        Literal["ue", "weibit"], typer.Option(help="User equilibrium, or stochastic equilibrium.")
    ] = "ue",
    gap: Annotated[float, typer.Option(help="Relative gap at which to stop, above 0 and below 1.")] = 1e-8,
    phi: Annotated[float, typer.Option(help="weibit: how sharply shares follow cost ratios.")] = 8.0,
    turns: Annotated[
        Path | None, typer.Option(help="Turn penalties: CSV with columns from_link, to_link, cost.")
    ] = None,
    use: Annotated[
        str | None,
        typer.Option(
            help="GMNS: only the links that allow this use: truck, block ... (a group: every use in it)."
        ),
    ] = None,
    toll_weight: Annotated[
        float | None,
        typer.Option(
            help="Cost of one unit of toll, in the unit of time. TNTP default: the header's factor."
        ),
    ] = None,
    distance_weight: Annotated[
        float | None, typer.Option(help="TNTP: cost of one unit of length. Default: the header's factor.")
    ] = None,
    select_link: Annotated[
        list[str] | None,
        typer.Option(metavar="LINK", help="Show who uses this link, pair by pair; may be given again."),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help="Rounds of shortest paths (weibit: Newton steps) at most.")
    ] = 1000,
    as_json: JsonFlag = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write flows by link (.csv) or all of it (.json).")
    ] = None,
) -> None:
    """Load trips on a congested road network until nobody gains by another path.

    Where the gap is not reached, what was found is written with its gap, and the exit code is 4.
    """
    from landbridge.errors import ConvergenceError, DataError, Fault
    from landbridge.transport import assign as solve
    from landbridge.transport import read_turns

    check_ending(output, (".csv", ".json"))
    begin = time.perf_counter()
    if not net.exists():
        raise DataError("a file is missing", [Fault(str(net), "not found", "check the name")])
    if not 0 < gap < 1:
        raise typer.BadParameter(
            f"{gap:g} is no share: give one above 0 and below 1, as 1e-8", param_hint="--gap"
        )
    _require_format(net.is_dir(), trips, use, distance_weight)
    network, demand = _read(net, trips, use, toll_weight, distance_weight)
    penalties = None if turns is None else read_turns(turns, network)
    selected = _selected(network, select_link or [])
    _tell((*demand.notes, *(penalties.notes if penalties is not None else ()), *network.notes))
    _hint()
    found = solve(network, demand, model=model, gap=gap, phi=phi, turns=penalties, most=rounds, throw=False)

    unit = "hours" if net.is_dir() else "the unit of time of the network file"
    asked = _Asked(network, demand, model, selected, unit)
    options = {
        "model": model,
        "gap": gap,
        "phi": phi if model == "weibit" else None,
        "use": use,
        "toll_weight": toll_weight,
        "distance_weight": distance_weight,
        "rounds": rounds,
    }

    def envelope() -> str:
        told = {**options, "sha256": _hashes(net, trips, turns)}
        result = _result(asked, found)
        return envelope_json(result, found.status, None, "assign", begin, options=told, libraries=_compiler())

    if output is not None:
        write(output, envelope() if output.suffix == ".json" else _csv(network, found))
        if found.status.converged:
            say(found.status.message)
    elif as_json:
        put(envelope())
    else:
        show(_sections(asked, found))
    if not found.status.converged:
        raise ConvergenceError(f"not converged: {found.status.message}")


def _require_format(folder: bool, trips: Path, use: str | None, distance_weight: float | None) -> None:
    """Refuse options that the format of the network has no place for."""
    if not folder and trips.suffix.casefold() == ".csv":
        cure = "a TNTP network takes a TNTP trips file; of a GMNS network give the folder"
        raise typer.BadParameter(cure, param_hint="TRIPS")
    if use is not None and not folder:
        raise typer.BadParameter("only a GMNS folder names uses", param_hint="--use")
    if distance_weight is not None and folder:
        raise typer.BadParameter("only a TNTP network takes one", param_hint="--distance-weight")


def _read(
    net: Path, trips: Path, use: str | None, toll_weight: float | None, distance_weight: float | None
) -> tuple[Network, Demand]:
    """A network and its trips: GMNS where net is a folder, else TNTP."""
    from landbridge.transport import read_demand, read_gmns, read_tntp

    if not net.is_dir():
        return read_tntp(net, trips, toll_weight, distance_weight)
    network = read_gmns(net, use, toll_weight or 0.0)
    return network, read_demand(trips, network)


def _tell(notes: Sequence[str]) -> None:
    """Print the first few notes, and how many more there are."""
    for note in notes[:_SHOWN]:
        say(f"note: {note}")
    if len(notes) > _SHOWN:
        say(f"note: and {len(notes) - _SHOWN} more like these")


def _selected(network: Network, names: Sequence[str]) -> list[int]:
    """Numbers of links by what the file calls them; both directions of a link that has two."""
    from landbridge.errors import DataError, Fault, did_you_mean

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
    return [a for name in dict.fromkeys(names) for a in numbers[name]]


def _compiler() -> tuple[str, ...]:
    from importlib.util import find_spec

    return ("numba",) if find_spec("numba") else ()


def _hint() -> None:
    if not _compiler():
        say('hint: pip install "landbridge[fast]" (numba) makes this much faster')


def _hashes(net: Path, trips: Path, turns: Path | None) -> dict[str, str]:
    """sha256 of every file that was read, by name."""
    names = ("node", "link", "config", "use_definition", "use_group")
    files = [net / f"{name}.csv" for name in names] if net.is_dir() else [net]
    files += [trips, *([] if turns is None else [turns])]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.exists()}


def _links(network: Network) -> int:
    """How many links are those of the file: what joins a zone to several nodes is not shown."""
    return len(network.tail) - network.connectors


def _rows(network: Network, found: Assignment) -> Iterator[dict[str, Any]]:
    ends = _names(network)
    for a in range(_links(network)):
        yield {
            "link": _link(network, a),
            "from": ends(int(network.tail[a])),
            "to": ends(int(network.head[a])),
            "flow": float(found.flow[a]),
            "cost": float(found.cost[a]),
            "free_cost": float(network.time[a] + network.fixed[a]),
            "volume_over_capacity": float(found.flow[a] / network.capacity[a]) if network.b[a] else None,
        }


def _link(network: Network, a: int) -> str:
    return network.link_names[a] if network.link_names else str(a + 1)


def _pairs(network: Network, demand: Demand, found: Assignment) -> Iterator[dict[str, Any]]:
    """Trips and cost of every pair, in the order of the demand."""
    for row in range(len(demand.trips)):
        yield {
            "from": network.zone_name(int(demand.origin[row])),
            "to": network.zone_name(int(demand.destination[row])),
            "trips": float(demand.trips[row]),
            "cost": float(found.pair_cost[row]),
        }


def _users(network: Network, demand: Demand, found: Assignment, link: int) -> dict[str, Any]:
    """Trips of every pair over one link, the most first; they add up to its flow."""
    part = found.select_link(link)
    ends = _names(network)
    used = sorted((row for row in range(len(part)) if part[row] > 0), key=lambda row: -part[row])
    return {
        "link": _link(network, link),
        "from": ends(int(network.tail[link])),
        "to": ends(int(network.head[link])),
        "flow": float(found.flow[link]),
        "pairs": [
            {
                "from": network.zone_name(int(demand.origin[row])),
                "to": network.zone_name(int(demand.destination[row])),
                "trips": float(part[row]),
            }
            for row in used
        ],
    }


def _names(network: Network) -> Callable[[int], str]:
    names = network.node_names
    return lambda node: names[node - 1] if names else str(node)


def _result(asked: _Asked, found: Assignment) -> dict[str, Any]:
    network, demand = asked.network, asked.demand
    return {
        "network": network.name,
        "model": asked.model,
        "nodes": network.nodes - len(set(network.tail[_links(network) :: 2].tolist())),
        "zones": network.zones,
        "trips": float(demand.trips.sum()),
        "trips_within_zones": demand.within,
        "total_cost": float(found.flow @ found.cost),
        "objective": found.objective,
        "relative_gap": found.relative_gap,
        "notes": list(network.notes),
        "cost_unit": asked.cost_unit,
        "links": list(_rows(network, found)),
        "pairs": list(_pairs(network, demand, found)),
        "selected_links": [_users(network, demand, found, link) for link in asked.selected],
    }


def _csv(network: Network, found: Assignment) -> str:
    from landbridge.io.files import csv_text
    from landbridge.io.whole import harmless

    rows = list(_rows(network, found))
    cells = [["" if value is None else harmless(str(value)) for value in row.values()] for row in rows]
    return csv_text([list(rows[0]), *cells])


def _sections(asked: _Asked, found: Assignment) -> Iterator[Section]:
    network, demand = asked.network, asked.demand
    from landbridge.report import Section

    gap = (
        "(total cost - shortest-path cost) / total cost"
        if asked.model == "ue"
        else "share of trips that the shares at these costs would still move"
    )
    yield Section(
        f"{network.name}: {found.status.message}",
        ("what", "value"),
        (
            ("links", f"{_links(network):,}"),
            ("trips between zones", f"{demand.trips.sum():,.6g}"),
            ("trips within zones, not assigned", f"{demand.within:,.6g}"),
            ("total cost", f"{found.flow @ found.cost:,.10g}"),
            ("Beckmann objective", f"{found.objective:,.10g}"),
            ("relative gap", f"{found.relative_gap:.1e}"),
        ),
        after=(f"Costs in {asked.cost_unit}. Relative gap: {gap}.",),
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
    for link in asked.selected:
        users = _users(network, demand, found, link)
        most = users["pairs"][:_SHOWN]
        yield Section(
            f"Link {users['link']}, {users['from']} to {users['to']}: {len(users['pairs'])} pairs use it",
            ("from zone", "to zone", "trips", "% of its flow"),
            tuple(
                (row["from"], row["to"], f"{row['trips']:,.1f}", f"{100 * row['trips'] / users['flow']:.1f}")
                for row in most
            ),
            after=(
                "Parts by pair are not unique at user equilibrium; they add up to the flow all the same."
                + (
                    f" The {len(most)} largest are shown (all: -o all.json)."
                    if len(users["pairs"]) > len(most)
                    else ""
                ),
            ),
        )
