"""A World of two regions as a folder of CSV tables: the embedded one cut down, for tests that spoil it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from landbridge.io.economy import variant_folder
from landbridge.io.export import cell_text
from landbridge.io.tables import DATA, load_world, table_file
from landbridge.world import World
from landbridge.world.table import Table
from landbridge.world.trade_table import TradeTable

REGIONS = ("KAZ", "UZB")
MAX_LABELS = 30
SECTORS = ("AGR", "MCH", "ENE", "*")
# What was observed on the whole network.
OF_THE_WHOLE_WORLD = tuple(
    f"validation_{name}" for name in ("counts", "trade", "corridors", "modes", "money")
)


def small_tables(world: World, regions: tuple[str, ...] = REGIONS) -> dict[str, Table]:
    """Tables of the places, links and rows that lie within some regions."""
    tables = {**world.network, "regions": world.regions, "sectors": world.sectors}
    kept = {str(r["place_id"]) for r in tables["places"] if r["country"] in regions}
    links = {
        str(r["link_id"])
        for r in tables["links"]
        if {r["from_place"], r["to_place"]} <= kept and r["mode"] not in ("sea", "ferry")
    }
    gateways = {
        str(r["gateway_id"])
        for r in tables["gateways"]
        if r["kind"] == "border" and {r["place_a"], r["place_b"]} <= kept
    }
    inside = {
        "place_id": kept,
        "from_place": kept,
        "to_place": kept,
        "link_id": links,
        "gateway_id": gateways,
    }
    words = {*regions, "*", "CA5", "overland"}
    blocs = (row["bloc"] for row in tables["pair_groups"] if row["region"] in regions)
    ends = {*regions, "*", *blocs}
    out: dict[str, Table] = {}
    for name, table in tables.items():
        rows = []
        for row in table:
            if name == "gauge_changes":
                row = {**row, "gateway_id": None}
            fits = all(row.get(key) is None or str(row[key]) in known for key, known in inside.items())
            fits &= name != "ports" and all(
                row.get(key, "*") in words or row[key] is None for key in ("region", "exporter", "importer")
            )
            if name in ("border_defaults", "emission_factors", "rates"):
                fits &= str(row.get("country", row.get("scope"))) in {*words, "EU", "EAEU", "other"}
            if name in ("freight_profile", "value_density"):
                fits &= str(row["sector"]) in SECTORS or row["exporter"] == row["importer"] == "*"
            if name == "group_pairs":
                fits &= {row["one"], row["other"]} <= ends
            if name in OF_THE_WHOLE_WORLD:
                fits = False
            if fits:
                rows.append(row)
        if name == "corridors":
            first, last = (str(row["place_id"]) for row in _two(tables, kept, regions))
            rows = [{**next(iter(table)), "from_place": first, "to_place": last, "sector": "MCH"}]
        if name == "labels":
            rows = _some_labels(rows, {**inside, "region": set(regions)})
        out[name] = table.with_rows(rows)
    groups = {row["pair_group"] for row in out["group_pairs"]}
    for name in ("family_shares", "block_train_share"):
        out[name] = out[name].with_rows(row for row in out[name] if row["pair_group"] in groups)
    total: dict[str, float] = {}
    for row in out["zones"]:
        total[str(row["region"])] = total.get(str(row["region"]), 0.0) + float(row["share"] or 0.0)
    out["zones"] = out["zones"].with_rows(
        {**row, "share": float(row["share"] or 0.0) / total[str(row["region"])]} for row in out["zones"]
    )
    return out


def _two(tables, kept, regions):
    """The first zone of the first two regions."""
    zones = [row for row in tables["zones"] if row["place_id"] in kept]
    return [next(row for row in zones if row["region"] == region) for region in regions[:2]]


def _some_labels(rows, inside):
    known = inside["place_id"] | inside["gateway_id"] | inside["region"]
    return [row for row in rows if str(row["id"]) in known][:MAX_LABELS]


def small_world(world: World, regions: tuple[str, ...] = REGIONS) -> World:
    """The part of the embedded World that lies within some regions, in memory."""
    tables, trade = small_tables(world, regions), world.trade
    at = [trade.region(code) for code in regions]
    table = TradeTable(
        regions,
        trade.sectors,
        trade.trade[np.ix_(at, at)],
        trade.tariff[np.ix_(at, at)],
        trade.value_added_share[at],
        trade.input_share[at],
        trade.final_share[at],
        trade.theta,
    )
    own, sectors = tables.pop("regions"), tables.pop("sectors")
    return World(tables, own, sectors, table, world.folder)


def write_rows(path: Path, rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_small_world(folder: Path) -> None:
    """The small World with its sources and one variant of the trade table."""
    world = load_world()
    for name, table in small_tables(world).items():
        cells = ([cell_text(row[column]) for column in table.columns] for row in table)
        write_rows(table_file(folder, name), [list(table.columns), *cells])
    trade = world.trade
    at = [trade.region(code) for code in REGIONS]
    economy, variant = folder / "economy", folder / "economy" / variant_folder()
    for path, array in ((economy / "tariff.csv", trade.tariff), (variant / "trade.csv", trade.trade)):
        rows = [
            [o, d, *map(repr, array[i, j].tolist())]
            for o, i in zip(REGIONS, at, strict=True)
            for d, j in zip(REGIONS, at, strict=True)
        ]
        write_rows(path, [["exporter", "importer", *trade.sectors], *rows])
    inputs = [
        [code, sector, *map(repr, trade.input_share[i, k].tolist())]
        for code, i in zip(REGIONS, at, strict=True)
        for k, sector in enumerate(trade.sectors)
    ]
    write_rows(variant / "input_share.csv", [["region", "input_sector", *trade.sectors], *inputs])
    output = trade.trade[np.ix_(at, at)].sum(axis=1)
    shares = [
        [code, sector, repr(float(output[n, k])), repr(float(b)), repr(float(a))]
        for n, (code, i) in enumerate(zip(REGIONS, at, strict=True))
        for k, (sector, b, a) in enumerate(
            zip(trade.sectors, trade.value_added_share[i], trade.final_share[i], strict=True)
        )
    ]
    header = ["region", "sector", "output_musd", "value_added_share", "final_share"]
    write_rows(variant / "shares.csv", [header, *shares])
    for part in ("network", "economy"):
        (folder / part / "SOURCES.csv").write_bytes((DATA / part / "SOURCES.csv").read_bytes())
