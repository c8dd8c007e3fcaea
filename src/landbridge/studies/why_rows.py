"""Rows of input tables behind a figure: value, range, source, year and basis, and what a scenario changes.

A row of these functions has table, key, column, value, base_value, unit, low, high, source, year, basis, note
and part. base_value is filled under a scenario. part: figure (the rows asked for), changed (by the scenario)
or rests (on which a result rests).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from landbridge.io.files import read_lines
from landbridge.phrases import say
from landbridge.scenario import Scenario
from landbridge.world import Policy, World
from landbridge.world.keys import KEYS
from landbridge.world.table import Cell, Column, Table, columns_of

__all__ = [
    "META",
    "behind",
    "cell",
    "changed_cells",
    "describe",
    "keys_of",
    "tables_of_economy",
    "tables_with",
]

Row = Mapping[str, Cell]
Rows = list[dict[str, Any]]

# Columns that say where a value is from.
META = (
    *("source", "year", "basis", "note", "ttw_source", "ttw_basis", "speed_basis"),
    *("outbound_rule", "inbound_rule"),
)
# Columns of ranges that do not follow from the name of the column.
_RANGES = {
    ("gateways", "capacity_trains_per_day"): ("capacity_low", "capacity_high"),
    ("gateways", "capacity_teu_per_day"): ("capacity_low", "capacity_high"),
    ("gateways", "capacity_trucks_per_day"): ("capacity_low", "capacity_high"),
    ("sector_freight", "time_percent_per_day"): ("time_low", "time_high"),
    ("family_shares", "share"): ("low", "high"),
    ("zone_shares", "share"): ("low", "high"),
    ("emission_factors", "g_per_tkm"): ("low", "high"),
    ("value_density", "usd_per_teu"): ("low", "high"),
    ("carriers", "share"): ("low", "high"),
    ("rents", "rent_share"): ("low", "high"),
    ("block_train_share", "share"): ("low", "high"),
    ("farm_effects", "percent"): ("low", "high"),
    ("farm_adoption", "central"): ("low", "high"),
    ("farm_weights", "share"): ("low", "high"),
    ("gas_profiles", "index"): ("low", "high"),
    ("gas_trade_share", "share"): ("low", "high"),
}
# Keys of files of the economy that are no tables of a World, and of tables whose rows may repeat.
_MORE_KEYS = {
    "tariff": ("exporter", "importer", "sector"),
    "rents": ("region", "sector"),
    "trade_steps": ("exporter", "importer", "step"),
    "validation_counts": ("gateway_id", "metric", "year"),
    "regions": ("region",),
    "sectors": ("sector",),
}
# Units of files without a schema.
_UNITS = {"tariff": "fraction of value", "rent_share": "share of value added", "musd": "million USD"}
_BLANK = "-"
# Columns of regions that are sums over the base trade table, not of the source of their row.
_OF_BASE_TABLE = ("exports_musd", "imports_musd", "deficit_pct", "tariff_revenue_musd")
# Numbers of routes from which the gateways of a corridor are taken.
_ROUTES = 3


# -- tables ----------------------------------------------------------------------------------------------


def keys_of(table: str) -> tuple[str, ...]:
    """The columns that name a row of an input table."""
    return _MORE_KEYS.get(table) or KEYS.get(table, ())


def describe(table: str, column: str) -> Column | None:
    """The schema of a column of an input table; None for files of the economy."""
    try:
        return columns_of(table).get(column)
    except KeyError:
        return None


def tables_with(world: World, column: str) -> dict[str, Table]:
    """Input tables of a world that hold a column, by name; files of the economy included.

    Raises DataError where one of the economy cannot be read.
    """
    found = {name: table for name, table in world.tables.items() if column in table.columns}
    return found | {n: t for n, t in tables_of_economy(world).items() if column in t.columns}


def tables_of_economy(world: World) -> dict[str, Table]:
    """Tariffs by sector, rents of deposits and steps of the trade data.

    world: with its economy files; one that it lacks is left out. Raises DataError where one cannot be read.
    """
    found = {}
    for name in ("rents", "trade_steps"):
        content = world.files.get(f"economy/{name}.csv")
        if content is not None:
            (header, lines), _ = read_lines(content, f"economy/{name}.csv")
            rows = (dict(zip(header, _numbers(header, cells), strict=True)) for _, cells in lines)
            found[name] = Table(name, tuple(header), tuple(rows))
    found["tariff"] = _tariffs(world)
    return found


_WORDS = {"region", "sector", "exporter", "importer", "step", "source", "year", "basis", "note", "rule"}


def _numbers(header: Sequence[str], cells: Sequence[str]) -> list[Cell]:
    """Cells of a file without a schema: numbers where the column is no word, None where blank."""
    return [
        None if text == "" else text if name in _WORDS else float(text)
        for name, text in zip(header, cells, strict=True)
    ]


def _tariffs(world: World) -> Table:
    """A row for each exporter, importer and sector, with the rule that gave the tariffs of the pair."""
    path, basis = world.folder / "economy" / "tariff_basis.csv", {}
    if path.is_file():
        (header, lines), _ = read_lines(path)
        for _, cells in lines:
            row = dict(zip(header, cells, strict=True))
            basis[row["exporter"], row["importer"]] = row
    trade, none = world.trade, dict[str, str]()
    tariff = trade.tariff if world.policy.tariff is None else world.policy.tariff
    rows: list[Row] = []
    for o, exporter in enumerate(trade.regions):
        for d, importer in enumerate(trade.regions):
            told = basis.get((exporter, importer), none)
            for s, sector in enumerate(trade.sectors):
                rows.append(
                    {
                        "exporter": exporter,
                        "importer": importer,
                        "sector": sector,
                        "tariff": float(tariff[o, d, s]),
                        "source": told.get("rule"),
                        "year": told.get("year"),
                        "basis": told.get("basis"),
                        "note": told.get("note"),
                    }
                )
    return Table("tariff", ("exporter", "importer", "sector", "tariff"), tuple(rows))


# -- rows ------------------------------------------------------------------------------------------------


def cell(table: str, row: Row, column: str, part: str = "rests", base: Row | None = None) -> dict[str, Any]:
    """One value with its range and where it is from.

    table, row, column: where it stands; part: of the answer; base: the row before a scenario. Returns value
    and base_value in `unit`, low, high, source and year.
    """
    schema = describe(table, column)
    # Under a scenario range, source and year are those of the value in the base.
    from_ = row if base is None else base
    low, high = _range(table, from_, column)
    unit = row.get("unit") if column == "value" and "unit" in row else schema.unit if schema else ""
    return {
        "part": part,
        "table": table,
        "key": ", ".join(_BLANK if row[k] is None else str(row[k]) for k in keys_of(table)),
        "column": column,
        "value": row[column],
        "base_value": None if base is None else base.get(column),
        "unit": unit or "",
        "low": low,
        "high": high,
        **_origin(table, from_, column),
    }


def _origin(table: str, row: Row, column: str) -> dict[str, Any]:
    """Source, year, basis and note of a value, which may differ from those of its row."""
    found = {name: row.get(name) for name in ("source", "year", "basis", "note")}
    if table == "regions" and column in _OF_BASE_TABLE:
        return {"source": say("why.base_table"), "year": found["year"], "basis": "derived", "note": None}
    if (table, column) == ("regions", "proxy"):
        return found | {"basis": "assumption"}
    if table == "gateways" and column.startswith("constant"):
        return {"source": say("why.fitted"), "year": None, "basis": "derived", "note": None}
    if table == "gateways" and not column.startswith("capacity"):
        return dict.fromkeys(found)
    if (table, column) == ("family_shares", "share") and isinstance(row["stated"], float):
        told = [say("why.stated", stated=row["stated"]), *([str(row["note"])] if row["note"] else [])]
        return found | {"note": "; ".join(told)}
    if column == "speed_kmh" and row.get("speed_basis"):
        return found | {"source": row["speed_basis"], "year": None}
    return found


def _range(table: str, row: Row, column: str) -> tuple[Cell, Cell]:
    """Low and high end of a value, None where its table states none."""
    tries = _ends(table, column)
    if column == "value" or (table == "rates" and column.startswith("usd") and row[column]):
        tries.append(("low", "high"))
    for low, high in tries:
        if low in row and high in row:
            return row[low], row[high]
    return None, None


def _ends(table: str, column: str) -> list[tuple[str, str]]:
    """Names that the columns with the range of a column may have: time_h has time_low_h or time_h_low."""
    stem, _, unit = column.rpartition("_")
    special = _RANGES.get((table, column))
    found = [(f"{column}_low", f"{column}_high"), (f"{stem}_low_{unit}", f"{stem}_high_{unit}")]
    return found if special is None else [special, *found]


def changed_cells(world: World, after: World, scenario: Scenario) -> Rows:
    """Every value that a scenario changes, old and new; then its modifications that change no table.

    world, after: without and with the scenario; scenario: the one applied. Returns one row a value or
    modification. Raises DataError where a table of the economy cannot be read.
    """
    rows: Rows = []
    for name, table in after.tables.items():
        old = world.tables.get(name)
        if old is None or table is old or table.rows == old.rows:
            continue
        keys = keys_of(name)
        before = {tuple(row[k] for k in keys): row for row in old}
        for row in table:
            was = before.get(tuple(row[k] for k in keys)) if keys else None
            rows += [cell(name, row, column, "changed", was) for column in _differing(name, row, was)]
    if after.policy.tariff is not None:
        rows += _changed_tariffs(world, after)
    if rows and not _differ(world.policy, after.policy):
        return rows
    return [
        *rows,
        *(_modified(number, m.to_dict(), scenario) for number, m in enumerate(scenario.modifications, 1)),
    ]


def _differ(policy: Policy, other: Policy) -> bool:
    """Whether two policies differ in more than tariffs, which have rows."""
    for name in (field.name for field in fields(Policy) if field.name != "tariff"):
        one, new = getattr(policy, name), getattr(other, name)
        if one is not new and (isinstance(new, np.ndarray) or one is None or new is None or one != new):
            return True
    return False


def _changed_tariffs(world: World, after: World) -> Rows:
    """Tariffs, old and new."""
    tables = _tariffs(world), _tariffs(after)
    return [
        cell("tariff", new, "tariff", "changed", old)
        for old, new in zip(*tables, strict=True)
        if old["tariff"] != new["tariff"]
    ]


def _differing(table: str, row: Row, was: Row | None) -> Iterator[str]:
    ends = {end for column in row for both in _ends(table, column) for end in both} | {"low", "high"}
    for column, value in row.items():
        if column in (*META, *keys_of(table)) or column in ends or value is None:
            continue
        if was is None and (isinstance(value, bool) or not isinstance(value, int | float)):
            continue
        if was is None or was.get(column) != value:
            yield column


def _modified(number: int, keys: Mapping[str, Any], scenario: Scenario) -> dict[str, Any]:
    words = ", ".join(f"{key} {_plain(value)}" for key, value in keys.items() if key != "verb")
    return {
        **dict.fromkeys(("base_value", "low", "high", "year", "basis", "note")),
        "part": "changed",
        "table": scenario.id,
        "key": str(number),
        "column": str(keys["verb"]),
        "value": words,
        "unit": "",
        "source": "; ".join(scenario.sources) or None,
    }


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key} {one}" for key, one in value.items())
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


# -- what a result rests on ------------------------------------------------------------------------------


def behind(world: World, table: str, column: str, rows: Sequence[Mapping[str, Any]]) -> Rows:
    """The input rows on which a figure of a result rests most directly.

    world: of the figure, after the scenario where it is of one; table, column: of the result; rows: its rows.
    Returns cells as `cell` does.
    """
    found: Rows = []
    for row in rows:
        found += _BEHIND[table](world, column, row)
    unique = {(one["table"], one["key"], one["column"]): one for one in found}
    return list(unique.values())


def _pick(world: World, table: str, columns: Iterable[str], fits: Callable[[Row], bool]) -> Rows:
    rows = world.tables.get(table) or tables_of_economy(world).get(table) or ()
    return [
        cell(table, row, column)
        for row in rows
        if fits(row)
        for column in columns
        if row.get(column) is not None
    ]


def _parameters(world: World, *names: str) -> Rows:
    rank = {name: number for number, name in enumerate(names)}
    found = _pick(world, "parameters", ["value"], lambda row: row["parameter"] in rank)
    return sorted(found, key=lambda one: rank[one["key"]])


def _economy(world: World, column: str, row: Mapping[str, Any]) -> Rows:
    regions = [row["region"]] if "region" in row else []
    parts = _pick(world, "sectors", ["theta"], lambda r: bool(r["is_goods"]))
    if regions:
        parts = _pick(world, "regions", ["gdp_musd", "deficit_pct"], lambda r: r["region"] in regions) + parts
    return parts + _parameters(world, "phi", "phi_b")


def _trade(world: World, column: str, row: Mapping[str, Any]) -> Rows:
    def mine(r: Row) -> bool:
        return (r["exporter"], r["importer"]) == (row["exporter"], row["importer"])

    steps = _pick(world, "trade_steps", ["musd"], mine)
    tariffs = _pick(world, "tariff", ["tariff"], mine)
    return steps + tariffs + _economy(world, column, {})


_TRAINS = ("trains_per_day", "teu_container", "base_trains_per_day", "base_teu_container")
_WAITS = ("queue_h", "wait_h", "volume_over_capacity", "base_queue_h", "base_wait_h")


def _gateway(world: World, column: str, row: Mapping[str, Any]) -> Rows:
    def mine(r: Row) -> bool:
        return str(row["gateway"]) in str(r["gateway_id"]).split("+")

    capacities = ("capacity_trains_per_day", "capacity_teu_per_day", "capacity_trucks_per_day")
    parts = _pick(world, "gateways", [*capacities, "constant"], mine)
    parts += _pick(world, "crossings", ["time_h", "cost_usd"], mine)
    parts += _pick(world, "gauge_changes", ["time_block_h", "time_wagonload_h", "cost_usd"], mine)
    parts += _pick(world, "ports", ["dwell_h", "sailing_wait_h", "cost_usd"], mine)
    parts += _pick(world, "validation_counts", ["value"], mine)
    more = ["teu_per_train", "return_ratio_empty", "days_per_year"] if column in _TRAINS else []
    if column in _WAITS:
        more += ["queue_period_h", "queue_cv_arrival"]
    return parts + _parameters(world, "phi", "phi_b", *more)


def _corridor(world: World, column: str, row: Mapping[str, Any]) -> Rows:
    from landbridge.transport.legs import route

    (asked,) = [r for r in world.network["corridors"] if r["corridor_id"] == row["corridor"]]
    routes = route(world, str(asked["from_place"]), str(asked["to_place"]), str(asked["sector"]), k=_ROUTES)
    passed = {gateway for one in routes for gateway in one.gateways}
    kind = world.network["sector_freight"].by("sector")[str(asked["sector"])]["kind"]
    shares = _of_group(world, routes.pair_group, str(kind), row["family"])
    wanted = ["cost_usd"] if column == "cost_usd" else ["time_h"]
    return (
        _parameters(world, "phi", "phi_b")
        + shares
        + _pick(world, "crossings", wanted, lambda r: r["gateway_id"] in passed)
    )


def _of_group(world: World, group: str, kind: str, family: str = "all") -> Rows:
    return _pick(
        world,
        "family_shares",
        ["share"],
        lambda r: (r["pair_group"], r["kind"]) == (group, kind) and family in ("all", r["family"]),
    )


_FACTORS = {
    "rail": ("rail-electric", "rail-diesel"),
    "road": ("road",),
    "ocean": ("sea",),
    "Caspian": ("ferry",),
    "terminals": ("handling",),
}


def _emissions(world: World, column: str, row: Mapping[str, Any]) -> Rows:
    named = [modes for word, modes in _FACTORS.items() if str(row["mode"]).startswith(word)]
    modes = {mode for some in named or _FACTORS.values() for mode in some}
    factors = _pick(world, "emission_factors", ["g_per_tkm"], lambda r: r["mode"] in modes)
    return _parameters(world, "payload_t") + factors


def _transit(world: World, column: str, row: Mapping[str, Any]) -> Rows:
    def mine(r: Row) -> bool:
        return str(r["region"]) == str(row["region"])

    own = {(r["quantity"], r["mode"]) for r in world.network["carriers"] if mine(r)}

    def paid(r: Row) -> bool:
        return mine(r) or (r["region"] == "*" and (r["quantity"], r["mode"]) not in own)

    carriers = _pick(world, "carriers", ["share"], paid)
    rates = _pick(world, "rates", ["usd_per_teu_km"], lambda r: r["scope"] == row["region"])
    return rates + carriers + _parameters(world, "transport_sector", "transit_margin", "phi")


def _value_added(world: World, column: str, row: Mapping[str, Any]) -> Rows:
    columns = ("exports_musd", "imports_musd", "proxy")
    return _pick(world, "regions", columns, lambda r: r["region"] == row["region"])


def _mode_split(world: World, column: str, row: Mapping[str, Any]) -> Rows:
    from landbridge.transport.segments import freight_segments

    classes = freight_segments(world, [row["exporter"]], [row["importer"]])
    group = classes.groups[int(classes.group[0])]
    densities = _pick(
        world,
        "value_density",
        ["usd_per_teu"],
        lambda r: r["exporter"] == row["exporter"] and r["importer"] in ("*", row["importer"]),
    )
    return _of_group(world, group, str(row["kind"])) + densities + _parameters(world, "phi", "phi_b")


_BEHIND: Mapping[str, Callable[[World, str, Mapping[str, Any]], Rows]] = {
    "real_income": _economy,
    "groups": _economy,
    "trade": _trade,
    "corridors": _corridor,
    "gateways": _gateway,
    "emissions": _emissions,
    "transit": _transit,
    "value_added": _value_added,
    "mode_split": _mode_split,
}
