"""The verbs that change the gas network: cut_pipeline and add_pipeline.

They change only the tables of the gas channel; the effect on deliveries, and of these on trade, is computed
by the channel when the scenario is run.
"""

from __future__ import annotations

from landbridge.errors import did_you_mean
from landbridge.scenario.change import Change, Row
from landbridge.scenario.fields import Modification
from landbridge.scenario.registry import Verb
from landbridge.world import Cell, Table
from landbridge.world.distance import great_circle_km
from landbridge.world.table import parse_months

__all__ = ["VERBS"]

# A scenario changes the deliveries of this year.
_BASE_YEAR = 2023


def cut_pipeline(change: Change, m: Modification) -> None:
    """Loss of a part of the capacity of pipelines for some months."""
    table = change.channel(m, "gas_pipelines")
    if table is None:
        return
    lost = m.get("share")
    lost = 1.0 if lost is None else float(lost)
    try:
        months = parse_months(str(m.get("months") or "1-12"))
    except ValueError:
        cure = "write 1-12, 11-2 or 1+2+12"
        change.faults.append(m.fault("months", f"is {m.get('months')!r}", cure))
        return
    chosen = set()
    for name in m.get("pipeline"):
        row = _pipeline(change, m, table, name)
        if row is None:
            continue
        if row["status"] != "operating" or not row["modelled"]:
            cure = "name a line that carries gas, or build it first with add_pipeline"
            change.faults.append(m.fault("pipeline", f"{row['pipeline_id']} carries nothing", cure))
            continue
        chosen.add(str(row["pipeline_id"]))
    rows: list[Row] = []
    for row in table:
        if str(row["pipeline_id"]) in chosen:
            text = row["availability"]
            share = [float(part) for part in str(text).split("+")] if text is not None else [1.0] * 12
            left = [old * (1.0 - lost if n in months else 1.0) for n, old in enumerate(share, start=1)]
            row = {**row, "availability": "+".join(repr(part) for part in left)}
        rows.append(row)
    change.channels["gas_pipelines"] = table.with_rows(rows)


def add_pipeline(change: Change, m: Modification) -> None:
    """A new pipeline, or more capacity of one, with gas sold over it."""
    table, segments = change.channel(m, "gas_pipelines"), change.channel(m, "gas_segments")
    if table is None or segments is None:
        return
    name, added = str(m.get("pipeline")), m.get("capacity_bcm")
    if m.get("from") is not None or m.get("to") is not None:
        _new_pipeline(change, m, table, segments)
    else:
        row = _pipeline(change, m, table, name)
        if row is None:
            return
        old = float(row["capacity_bcm_operator"] or 0.0)
        if added is None and (row["status"] == "operating" or not old):
            cure = "give the capacity that is added, in bcm a year of the operator's volume"
            change.faults.append(m.fault("capacity_bcm", "is missing", cure))
            return
        if str(row["pipeline_id"]) not in {str(r["pipeline_id"]) for r in segments}:
            cure = "give from and to, and another id, to build it as a new line"
            change.faults.append(m.fault("pipeline", f"{row['pipeline_id']} has no segments", cure))
            return
        if row["status"] == "operating":
            old, added = old + float(added), None
        cells: dict[str, Cell] = {
            "status": "operating",
            "modelled": True,
            "capacity_bcm_operator": old if added is None else float(added),
        }
        same = str(row["pipeline_id"])
        change.channels["gas_pipelines"] = table.with_rows(
            {**r, **cells} if str(r["pipeline_id"]) == same else r for r in table
        )
    _sell_gas(change, m)


def _new_pipeline(change: Change, m: Modification, table: Table, segments: Table) -> None:
    nodes = change.channel(m, "gas_nodes")
    missing = [key for key in ("from", "to", "capacity_bcm") if m.get(key) is None]
    for key in missing:
        change.faults.append(m.fault(key, "is missing", "a new line needs from, to and capacity_bcm"))
    if nodes is None or missing:
        return
    faults = len(change.faults)
    known = nodes.by("node_id")
    ends = [str(m.get("from")), str(m.get("to"))]
    for key, node in zip(("from", "to"), ends, strict=True):
        if node not in known:
            cure = did_you_mean(node, known) or "gas_nodes.csv lists them"
            change.faults.append(m.fault(key, f"no node {node!r}", cure))
    if ends[0] == ends[1]:
        change.faults.append(m.fault("to", "is the node it starts from", "give two nodes"))
    name = str(m.get("pipeline"))
    if name in table.by("pipeline_id"):
        cure = "leave from and to out to enlarge it, or give another id"
        change.faults.append(m.fault("pipeline", f"{name} exists already", cure))
    if len(change.faults) > faults:
        return
    km = m.get("length_km")
    if km is None:
        places = (known[end] for end in ends)
        km = float(great_circle_km(*(float(p[c] or 0.0) for p in places for c in ("lon", "lat"))))
    told: dict[str, Cell] = {
        "source": f"scenario {change.scenario}",
        "year": str(_BASE_YEAR),
        "basis": "assumption",
    }
    line: dict[str, Cell] = {
        **dict.fromkeys(table.columns),
        **{"pipeline_id": name, "name": m.get("name") or name, "from_node": ends[0], "to_node": ends[1]},
        **{"length_km": km, "capacity_bcm_operator": m.get("capacity_bcm")},
        **{"status": "operating", "modelled": True},
        **told,
    }
    segment: dict[str, Cell] = {
        **{"pipeline_id": name, "position": 1, "from_node": ends[0], "to_node": ends[1], "length_km": km},
        **told,
    }
    change.channels["gas_pipelines"] = table.with_rows([*table, line])
    change.channels["gas_segments"] = segments.with_rows([*segments, segment])


def _sell_gas(change: Change, m: Modification) -> None:
    """More gas sold under a contract, and the same additional production of the seller."""
    given = [key for key in ("exporter", "importer", "contract_bcm") if m.get(key) is not None]
    if not given:
        return
    for key in ("exporter", "importer", "contract_bcm"):
        if key not in given:
            cure = "exporter, importer and contract_bcm go together"
            change.faults.append(m.fault(key, "is missing", cure))
    contracts, balances = change.channel(m, "gas_contracts"), change.channel(m, "gas_balances")
    parameters = change.channel(m, "gas_parameters")
    if contracts is None or balances is None or parameters is None or len(given) < 3:
        return
    ends, more = [str(m.get(key)) for key in ("exporter", "importer")], float(m.get("contract_bcm"))
    ratio = float(parameters.by("parameter")["operator_per_standard"]["value"] or 1.0)
    rows = [_enlarged(row, more, ratio) if _is_now(row, ends) else row for row in contracts]
    if any(_is_now(row, ends) for row in contracts):
        change.channels["gas_contracts"] = contracts.with_rows(rows)
    else:
        _new_contract(change, m, contracts, ends, more)
    change.channels["gas_balances"] = balances.with_rows(
        {**r, "production_bcm_standard": float(r["production_bcm_standard"] or 0.0) + more / ratio}
        if r["country"] == ends[0] and r["balance_year"] == _BASE_YEAR
        else r
        for r in balances
    )


def _is_now(contract: Row, ends: list[str]) -> bool:
    """Whether a contract is of the base year and between an exporter and an importer."""
    return contract["contract_year"] == _BASE_YEAR and [contract["exporter"], contract["importer"]] == ends


def _enlarged(contract: Row, more: float, ratio: float) -> Row:
    """A contract with more gas [bcm, operator's volume] in every month; ratio: operator's over standard."""
    old = contract["bcm_operator"]
    old = ratio * float(contract["bcm_standard"] or 0.0) if old is None else float(old)
    return {**contract, "bcm_standard": None, "bcm_operator": old + more, "months": "1-12"}


def _new_contract(change: Change, m: Modification, contracts: Table, ends: list[str], more: float) -> None:
    """A first contract between two countries, over the line just added."""
    lines, nodes = change.channels["gas_pipelines"], change.channels["gas_nodes"].by("node_id")
    line = _pipeline(change, m, lines, str(m.get("pipeline")))
    at = [str(line[key]) for key in ("from_node", "to_node")] if line is not None else []
    if [str(nodes[node]["country"]) for node in at if node in nodes] != ends:
        cure = "name the countries at the two ends of the line, or a pair that has a contract already"
        change.faults.append(m.fault("exporter", f"no contract {ends[0]} to {ends[1]} yet", cure))
        return
    row: dict[str, Cell] = {
        **dict.fromkeys(contracts.columns),
        **{"contract_id": "-".join(ends), "contract_year": _BASE_YEAR},
        **{"exporter": ends[0], "importer": ends[1], "from_nodes": at[0], "to_nodes": at[1]},
        **{"bcm_operator": more, "months": "1-12"},
        **{"source": f"scenario {change.scenario}", "year": str(_BASE_YEAR), "basis": "assumption"},
    }
    change.channels["gas_contracts"] = contracts.with_rows([*contracts, row])


def _pipeline(change: Change, m: Modification, table: Table, text: str) -> Row | None:
    """The row of a pipeline by id, alias or name, or None with a fault."""
    known: dict[str, Row] = {}
    for row in table:
        for key in ("name", "alias", "pipeline_id"):
            if row[key]:
                known[str(row[key]).casefold()] = row
    found = known.get(text.strip().casefold())
    if found is None:
        cure = did_you_mean(text, known) or "gas_pipelines.csv lists them: CAC_A or line-A"
        change.faults.append(m.fault("pipeline", f"no pipeline {text!r}", cure))
    return found


VERBS = (
    Verb(name="cut_pipeline", apply=cut_pipeline),
    Verb(name="add_pipeline", apply=add_pipeline),
)
