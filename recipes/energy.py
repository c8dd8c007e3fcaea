"""Build the tables of the gas channel from recipes/inputs/energy.

    python recipes/energy.py

Offline and deterministic, as recipes/network.py. Computed here: lengths of the segments of a line from
straight distances, and the deliveries of a year from the flows between countries. Volumes keep the basis of
their source: operator's volume and volume at 40 MJ per m3 have columns of their own. SOURCES.csv is shared
with other channels: the rows of these tables come first, the others stay unchanged.
"""

from __future__ import annotations

import csv
import math
import sys
from itertools import pairwise
from pathlib import Path

from network_io import SOURCES_COLUMNS, Row, Rows, number, read_inputs, read_rows, tidy

HERE = Path(__file__).resolve().parent
INPUTS = HERE / "inputs" / "energy"
OUTPUT = HERE.parent / "src" / "landbridge" / "data" / "channels"
SCHEMA = HERE.parent / "src" / "landbridge" / "schema.csv"

EARTH_KM = 6371.0


def straight_km(one: Row, other: Row) -> float:
    """Great-circle distance of two nodes."""
    lat1, lon1, lat2, lon2 = (math.radians(number(n[c])) for n in (one, other) for c in ("lat", "lon"))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


def segments(inputs: dict[str, Rows]) -> Rows:
    """The segments of the lines of the flow model; straight distances scaled to the length of the line."""
    nodes = {row["node_id"]: row for row in inputs["nodes"]}
    rows = []
    for line in inputs["pipelines"]:
        if line["modelled"] != "yes":
            continue
        stops = [line["from_node"], *filter(None, line["via"].split("+")), line["to_node"]]
        straight = [straight_km(nodes[a], nodes[b]) for a, b in pairwise(stops)]
        scale = number(line["length_km"]) / sum(straight) if line["length_km"] else 1.0
        how = "scaled to the length of the line" if line["length_km"] else "not scaled: length not found"
        for position, ((a, b), km) in enumerate(zip(pairwise(stops), straight, strict=True), start=1):
            rows.append(
                {
                    "pipeline_id": line["pipeline_id"],
                    "position": str(position),
                    "from_node": a,
                    "to_node": b,
                    "length_km": tidy(round(km * scale, 1)),
                    "source": f"straight distance of the nodes, {how}",
                    "year": line["year"],
                    "basis": "derived",
                }
            )
    return rows


def contracts(inputs: dict[str, Rows]) -> Rows:
    """Deliveries of a year by exporter and importer, used as contracts.

    flow: as published; given: stated in the row; balance: closes the balance of the importer;
    remainder: deliveries to other CIS less those to Uzbekistan.
    """
    ratio = next(
        number(r["value"]) for r in inputs["parameters"] if r["parameter"] == "operator_per_standard"
    )
    flow = {(r["exporter"], r["importer"], r["flow_year"]): r for r in inputs["flows"]}
    balance = {(r["country"], r["balance_year"]): r for r in inputs["balances"]}
    done: dict[tuple[str, str, str], dict[str, str]] = {}

    def standard(key: tuple[str, str, str]) -> float:
        row = done[key]
        return number(row["bcm_standard"]) if row["bcm_standard"] else number(row["bcm_operator"]) / ratio

    order = {"flow": 0, "given": 1, "balance": 2, "remainder": 3}
    for row in sorted(inputs["relations"], key=lambda r: order[r["rule"].partition(":")[0]]):
        year, pair = row["contract_year"], (row["exporter"], row["importer"])
        rule, _, group = row["rule"].partition(":")
        new = {**row, "months": row["months"] or "1-12"}
        if rule == "flow":
            cited = flow[pair[0], group or pair[1], year]
            new |= {c: cited[c] for c in ("bcm_standard", "bcm_operator", "source", "year", "basis")}
        elif rule == "balance":
            own = balance[pair[1], year]
            sold = sum(
                number(r["bcm_standard"])
                for k, r in flow.items()
                if k[::2] == (pair[1], year) and k[1] != "all"
            )
            bought = sum(standard(k) for k in done if k[1:] == (pair[1], year))
            closes = number(own["home_use_bcm_standard"]) + sold - bought
            closes -= number(own["production_bcm_standard"])
            new |= {
                "bcm_standard": tidy(round(closes, 4)),
                "source": f"home use and exports of {pair[1]} less its output and other imports "
                f"({own['source']})",
                "year": own["year"],
                "basis": "derived",
            }
        elif rule == "remainder":
            whole = flow[pair[0], "other CIS", year]
            rest = number(whole["bcm_standard"]) - standard((pair[0], "UZB", year))
            new |= {
                "bcm_standard": tidy(round(rest, 4)),
                "source": f"deliveries to other CIS less those to Uzbekistan ({whole['source']})",
                "year": whole["year"],
                "basis": "derived",
            }
        done[(*pair, year)] = new
    return list(done.values())


def _same(name: str):
    def copy(inputs: dict[str, Rows]) -> Rows:
        return list(inputs[name])

    return copy


TABLES = {
    "gas_nodes": _same("nodes"),
    "gas_pipelines": _same("pipelines"),
    "gas_segments": segments,
    "gas_balances": _same("balances"),
    "gas_contracts": contracts,
    "gas_flows": _same("flows"),
    "gas_storage": _same("storage"),
    "gas_profiles": _same("profiles"),
    "gas_outages": _same("outages"),
    "gas_parameters": _same("parameters"),
    "gas_trade_share": _same("trade_share"),
    "gas_backcasts": _same("backcasts"),
}
KEYS = {
    "gas_nodes": ("node_id",),
    "gas_pipelines": ("pipeline_id",),
    "gas_segments": ("pipeline_id", "position"),
    "gas_balances": ("country", "balance_year"),
    "gas_contracts": ("contract_year", "contract_id"),
    "gas_flows": ("flow_year", "exporter", "importer"),
    "gas_storage": ("site_id",),
    "gas_profiles": ("kind", "month"),
    "gas_outages": ("start", "event_id"),
    "gas_parameters": ("parameter",),
    "gas_trade_share": ("exporter", "importer"),
    "gas_backcasts": ("case_id", "country", "measure"),
}
NUMBERS = {"position", "month"}


def columns_of(table: str) -> list[str]:
    """Columns of a channel table in the order of schema.csv."""
    return [row["column"] for row in read_rows(SCHEMA) if row["table"] == f"channel.{table}"]


def sources(inputs: dict[str, Rows], path: Path) -> Rows:
    """Rows of SOURCES.csv: these tables, then those of other channels unchanged."""
    others = [row for row in read_rows(path) if row["table"] not in TABLES] if path.exists() else []
    return sorted(inputs["sources"], key=lambda row: (row["table"], row["source"])) + others


def build(inputs_dir: Path, out_dir: Path) -> list[Path]:
    """Write every table of the gas channel from the inputs; returns the files written."""
    inputs = read_inputs(Path(inputs_dir))
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, make in TABLES.items():
        rows = sorted(make(inputs), key=lambda row, keys=KEYS[name]: _key(row, keys))
        written.append(_write(out / f"{name}.csv", columns_of(name), rows))
    path = out / "SOURCES.csv"
    written.append(_write(path, list(SOURCES_COLUMNS), sources(inputs, path)))
    return written


def _key(row: Row, keys: tuple[str, ...]) -> tuple[float | str, ...]:
    return tuple(float(row[k]) if k in NUMBERS else row[k] for k in keys)


def _write(path: Path, columns: list[str], rows: Rows) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return path


def main() -> int:
    """Rebuild the tables of the gas channel in src/landbridge/data/channels."""
    for path in build(INPUTS, OUTPUT):
        print(path.relative_to(HERE.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
