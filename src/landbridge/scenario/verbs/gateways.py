"""The verbs of gateways and of transit: close_gateway, change_gateway, close_transit."""

from __future__ import annotations

from collections.abc import Iterable

from landbridge.scenario.change import Change, Row
from landbridge.scenario.fields import Modification, Move
from landbridge.scenario.registry import Verb
from landbridge.world import Cell
from landbridge.world.hours import with_hours

__all__ = ["VERBS"]


def close_gateway(change: Change, m: Modification) -> None:
    """Close gateways to all traffic."""
    chosen = {str(row["gateway_id"]) for row in _gateways(change, m)}
    change.update("gateways", "gateway_id", chosen, {"status": "closed"})


def change_gateway(change: Change, m: Modification) -> None:
    """Hours, money or capacity of gateways, by name or by country."""
    moves = {key: m.get(key) for key in ("time_h", "cost_usd", "capacity") if m.get(key) is not None}
    rows = _gateways(change, m)
    change.of_money(m, "cost_usd")
    if rows and not moves:
        cure = "add time_h, cost_usd or capacity"
        change.faults.append(m.fault("gateway", "is named but nothing is changed", cure))
    for row in rows:
        if "capacity" in moves and change.kinds.stands_for(row) == "strait":
            cure = "add hours, or close_gateway"
            change.faults.append(m.fault("capacity", f"{row['gateway_id']} is a strait", cure))
        elif "capacity" in moves:
            kinds = {"rail": "trains", "road": "trucks"}
            column = f"capacity_{kinds.get(str(row['mode']), 'teu')}_per_day"
            value = change.moved(m, "capacity", moves["capacity"], row[column])
            if value is not None:
                change.update("gateways", "gateway_id", {str(row["gateway_id"])}, {column: value})
    costs = {key: move for key, move in moves.items() if key != "capacity"}
    if costs:
        _change_hours_and_money(change, m, rows, costs)


def close_transit(change: Change, m: Modification) -> None:
    """Countries that carry only their own trade, for all or some sectors."""
    found = [change.resolve(m, "countries", "country", name) for name in m.get("countries")]
    barred = frozenset(c for c in found if c is not None)
    sectors = change.codes(m, "sector")
    if len(sectors) == len(change.before.sectors):
        change.no_transit |= barred
        return
    for number in sectors:
        sector = change.trade.sectors[number]
        change.no_transit_of[sector] = change.no_transit_of.get(sector, frozenset()) | barred


def _change_hours_and_money(change: Change, m: Modification, rows: list[Row], moves: dict[str, Move]) -> None:
    """Change every row of crossings, gauge_changes or ports that a gateway in `rows` governs."""
    product, gauge = m.get("product"), m.get("operation") == "gauge_change"
    for row in rows:
        if change.kinds.stands_for(row) != "border" and (product is not None or gauge):
            key = "product" if product is not None else "operation"
            cure = f"leave {key} out: a {row['kind']} has one set of hours"
            change.faults.append(m.fault(key, f"{row['gateway_id']} is a {row['kind']}", cure))
    if gauge and product == "road":
        change.faults.append(m.fault("product", "no truck changes gauge", "write block or wagonload"))
        return
    borders, ports, straits = (
        [row for row in rows if change.kinds.stands_for(row) == kind] for kind in ("border", "port", "strait")
    )
    touched = _change_straits(change, m, straits, moves)
    touched |= _change_table(change, m, "gauge_changes" if gauge else "crossings", borders, moves)
    touched |= _change_table(change, m, "ports", ports, moves)
    _untouched(change, m, rows, touched)


def _untouched(change: Change, m: Modification, rows: list[Row], touched: set[str]) -> None:
    """Gateways without the hours asked for are faults; if chosen by country, only where all are."""
    product = m.get("product")
    what = "hours of its own" + (f" for {product}" if product else "")
    if m.get("operation") == "gauge_change":
        what = "gauge change" + what.removeprefix("hours of its own")
    left = [row for row in rows if str(row["gateway_id"]) not in touched]
    if m.get("countries") is not None and len(left) != len(rows):
        return
    for row in left:
        cure = "choose another operation, product or gateway"
        change.faults.append(m.fault("gateway", f"{row['gateway_id']} has no {what}", cure))


def _change_table(
    change: Change, m: Modification, table: str, gateways: list[Row], moves: dict[str, Move]
) -> set[str]:
    """New hours and money in the rows of a table that some gateways govern; returns gateways with rows."""
    new = {"crossings": _crossing, "gauge_changes": _change_of_gauge, "ports": _port}[table]
    chosen = {str(row["gateway_id"]) for row in gateways}
    product = m.get("product") if table == "crossings" else None
    touched: set[str] = set()
    out: list[Row] = []
    for row in change.network[table]:
        gateway = str(row["gateway_id"])
        if gateway in chosen and product in (None, row.get("product")):
            touched.add(gateway)
            row = {**row, **new(change, m, row, moves)}
        out.append(row)
    change.network[table] = change.network[table].with_rows(out)
    return touched


def _crossing(change: Change, m: Modification, row: Row, moves: dict[str, Move]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for key, move in moves.items():
        value = change.moved(m, key, move, row[key])
        if value is None:
            continue
        cells |= with_hours(row, value) if key == "time_h" else {key: value}
    return cells


def _change_of_gauge(change: Change, m: Modification, row: Row, moves: dict[str, Move]) -> dict[str, Cell]:
    product = m.get("product")
    cells: dict[str, Cell] = {}
    for key, move in moves.items():
        columns = ("cost_usd",) if key == "cost_usd" else ("time_block_h", "time_wagonload_h")
        for column in columns:
            if product is None or column == "cost_usd" or column == f"time_{product}_h":
                value = change.moved(m, key, move, row[column])
                if value is not None:
                    cells[column] = value
    return cells


def _port(change: Change, m: Modification, row: Row, moves: dict[str, Move]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for key, move in moves.items():
        if key == "cost_usd":
            value = change.moved(m, key, move, row[key])
            if value is not None:
                cells[key] = value
            continue
        # Dwell and the wait for a sailing keep their proportion.
        parts = {c: float(row[c] or 0.0) for c in ("dwell_h", "sailing_wait_h")}
        total = sum(parts.values())
        value = change.moved(m, key, move, total)
        if value is not None:
            for column, hours in parts.items():
                cells[column] = value * (hours / total if total else 0.5)
    return cells


def _change_straits(change: Change, m: Modification, straits: list[Row], moves: dict[str, Move]) -> set[str]:
    """Add hours to every lane through a strait, which has no hours to multiply; returns the straits."""
    for strait in straits:
        move = moves.get("time_h")
        if "cost_usd" in moves or move is None or move.how != "add":
            cure = "write time_h = { add = 24 }, or close_gateway"
            change.faults.append(m.fault("gateway", f"{strait['gateway_id']} is a strait", cure))
            continue
        rows: list[Row] = []
        for row in change.network["links"]:
            if str(strait["passage"]) in str(row["passage"] or "").split("+"):
                hours = row["transit_time_h"]
                if hours is None:
                    hours = float(row["length_km"] or 0.0) / float(row["speed_kmh"] or 1.0)
                value = change.moved(m, "time_h", move, float(hours))
                row = {**row, "transit_time_h": value}
            rows.append(row)
        change.network["links"] = change.network["links"].with_rows(rows)
    return {str(strait["gateway_id"]) for strait in straits}


def _gateways(change: Change, m: Modification) -> list[Row]:
    """The gateways that a modification names, by id or by the countries on both sides of a border."""
    names, countries = m.get("gateway"), m.get("countries")
    if (names is None) == (countries is None):
        what = "neither is given" if names is None else "both are given"
        change.faults.append(m.fault("gateway", f"gateway or countries: {what}", "give one of them"))
        return []
    if names is not None:
        return _named(change, m, names)
    return _between(change, m, countries)


def _named(change: Change, m: Modification, names: Iterable[str]) -> list[Row]:
    """Gateways by name; one that stands for a rail and a road border is decided by the mode."""
    mode, known = m.get("mode"), change.network["gateways"].by("gateway_id")
    of_mode = [name for name, row in known.items() if mode is None or row["mode"] == mode]
    rows: dict[str, Row] = {}
    for name in names:
        gateway = change.resolve(m, "gateway", "gateway", name, known if name in known else of_mode)
        if gateway is None:
            continue
        row = known[gateway]
        if mode is not None and row["mode"] != mode:
            cure = f"it is {row['mode']}: leave mode out or name another gateway"
            change.faults.append(m.fault("mode", f"{name} is not {mode}", cure))
        else:
            rows[gateway] = row
    return list(rows.values())


def _between(change: Change, m: Modification, countries: Iterable[str]) -> list[Row]:
    """Border posts of some countries."""
    mode = m.get("mode")
    country = {str(row["place_id"]): str(row["country"]) for row in change.network["places"]}
    chosen = {change.resolve(m, "countries", "country", name) for name in countries}
    found = [
        row
        for row in change.network["gateways"]
        if change.kinds.stands_for(row) == "border"
        and (mode is None or row["mode"] == mode)
        and {country.get(str(row["place_a"])), country.get(str(row["place_b"]))} & (chosen - {None})
    ]
    if not found and None not in chosen:
        kinds = f" by {mode}" if mode else ""
        cure = "leave mode out, or name gateways by id; countries means border posts"
        change.faults.append(m.fault("countries", f"no border post{kinds} there", cure))
    return found


VERBS = (
    Verb(name="close_gateway", apply=close_gateway),
    Verb(name="change_gateway", apply=change_gateway),
    Verb(name="close_transit", apply=close_transit),
)
