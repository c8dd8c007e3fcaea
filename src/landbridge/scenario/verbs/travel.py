"""The verbs of travellers: change_visa, change_connection."""

from __future__ import annotations

from landbridge.scenario.change import Change
from landbridge.scenario.fields import Modification, Move, out_of_bounds
from landbridge.scenario.registry import Verb, verb_columns
from landbridge.world import Cell

__all__ = ["VERBS"]


def change_visa(change: Change, m: Modification) -> None:
    """The visa requirement of pairs of passport and country visited."""
    pairs = _travel_pairs(change, m, "passport")
    table = change.channel(m, "travel_visas")
    if table is None or not pairs:
        return
    known = {(str(r["passport"]), str(r["destination"])) for r in table}
    chosen = set(pairs) & known
    exact = len(m.get("passport")) * len(m.get("destination")) == 1
    if not chosen or (exact and not set(pairs) <= known):
        lost = ", ".join(f"{p} to {d}" for p, d in sorted(set(pairs) - known)[:3])
        cure = "name a pair with an end in China or Central Asia, or add its row to travel_visas.csv"
        change.faults.append(m.fault("passport", f"no visa requirement is known of {lost}", cure))
        return
    cells: dict[str, Cell] = {
        "requirement": m.get("requirement"),
        "days": None,
        "source": f"scenario {change.scenario}",
        "basis": "assumption",
    }
    change.channels["travel_visas"] = table.with_rows(
        {**r, **cells} if (str(r["passport"]), str(r["destination"])) in chosen else r for r in table
    )


def change_connection(change: Change, m: Modification) -> None:
    """Direct connections between countries."""
    pairs = _travel_pairs(change, m, "origin")
    table = change.channel(m, "travel_connections")
    if table is None or not pairs:
        return
    move: Move = m.get("connections")
    rows = {(str(r["origin"]), str(r["destination"])): dict(r) for r in table}
    for pair in pairs:
        row: dict[str, Cell] = rows.get(pair) or {
            **dict.fromkeys(table.columns),
            **{"origin": pair[0], "destination": pair[1], "factor": 1.0},
            **{"source": f"scenario {change.scenario}", "basis": "assumption"},
        }
        old = row["per_week"]
        if move.how == "multiply":
            times = move.amount
        elif old is None or not float(old):
            what = f"no direct connections are known of {pair[0]} to {pair[1]}"
            change.faults.append(m.fault("connections", what, "write { multiply = 2 } instead"))
            return
        else:
            times = move.of(float(old)) / float(old)
        bounds = verb_columns()[m.verb]["connections"]
        fault = out_of_bounds(bounds, times * float(old or 1.0), f"{m.where}, connections")
        if fault:
            change.faults.append(fault)
            return
        row["factor"] = float(row["factor"] if row["factor"] is not None else 1.0) * times
        row["per_week"] = None if old is None else float(old) * times
        rows[pair] = row
    change.channels["travel_connections"] = table.with_rows(rows.values())


def _travel_pairs(change: Change, m: Modification, key: str) -> list[tuple[str, str]]:
    """Pairs of travellers and country visited, both ways where mutual; a fault where there is none."""
    regions = change.trade.regions
    ends = [[regions[n] for n in change.codes(m, k)] for k in (key, "destination")]
    pairs = [(p, d) for p in ends[0] for d in ends[1] if p != d]
    if m.get("mutual"):
        pairs += [(d, p) for p, d in pairs]
    if all(ends) and not pairs:
        cure = "origin and destination are the same: choose two countries"
        change.faults.append(m.fault("destination", "is that of the travellers", cure))
    return list(dict.fromkeys(pairs))


VERBS = (
    Verb(name="change_visa", apply=change_visa),
    Verb(name="change_connection", apply=change_connection),
)
