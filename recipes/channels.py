"""Build the tables of farms, travellers, treaties and claims from recipes/inputs/channels.

    python recipes/channels.py

Offline and deterministic, as recipes/network.py. Computed here: shares of crops in farm output from values of
five years, and visa requirements in three classes from the words of the Passport Index. SOURCES.csv is shared
with other channels: their rows stay, those of these tables are written again.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from network_io import SOURCES_COLUMNS, Row, Rows, number, read_inputs, read_rows, tidy

HERE = Path(__file__).resolve().parent
INPUTS = HERE / "inputs" / "channels"
OUTPUT = HERE.parent / "src" / "landbridge" / "data" / "channels"
SCHEMA = HERE.parent / "src" / "landbridge" / "schema.csv"

EASY = {"e-visa", "visa on arrival", "eta"}
REQUIRED = {"visa required", "no admission"}


def farm_weights(inputs: dict[str, Rows]) -> Rows:
    """Share of a crop in the value of all farm output, mean and range over the years given."""
    value = {
        (row["region"], row["crop"], row["value_year"]): number(row["musd"]) for row in inputs["crop_value"]
    }
    rows = []
    for region, crop in sorted({(r, c) for r, c, _ in value if c != "all"}):
        years = sorted(y for r, c, y in value if (r, c) == (region, crop))
        shares = [value[region, crop, y] / value[region, "all", y] for y in years]
        cited = next(row for row in inputs["crop_value"] if (row["region"], row["crop"]) == (region, crop))
        rows.append(
            {
                "region": region,
                "crop": crop,
                "share": tidy(round(sum(shares) / len(shares), 6)),
                "low": tidy(round(min(shares), 6)),
                "high": tidy(round(max(shares), 6)),
                "source": cited["source"],
                "year": cited["year"],
                "basis": "derived",
                "note": f"mean of {years[0]}-{years[-1]}",
            }
        )
    return rows


def travel_visas(inputs: dict[str, Rows]) -> Rows:
    """Requirements in three classes; a number is the days that a stay without a visa may last."""
    rows = []
    for row in inputs["travel_visas"]:
        word = row["as_coded"]
        if word in REQUIRED:
            kind, days = "required", ""
        elif word in EASY:
            kind, days = "easy", ""
        elif word == "visa free" or word.isdigit():
            kind, days = "waived", word if word.isdigit() else ""
        else:
            raise ValueError(f"travel_visas: {row['passport']} to {row['destination']} is coded {word!r}")
        note = f"snapshot of {row['snapshot']}, coded {word}"
        rows.append({**row, "requirement": kind, "days": days, "note": note, "basis": "derived"})
    return rows


def _same(name: str):
    def copy(inputs: dict[str, Rows]) -> Rows:
        return list(inputs[name])

    return copy


TABLES = {
    "farm_effects": _same("farm_effects"),
    "farm_yields": _same("farm_yields"),
    "farm_weights": farm_weights,
    "farm_adoption": _same("farm_adoption"),
    "travel_arrivals": _same("travel_arrivals"),
    "travel_visas": travel_visas,
    "travel_visa_events": _same("visa_events"),
    "travel_parameters": _same("travel_parameters"),
    "travel_connections": _same("travel_connections"),
    "people_exchange": _same("exchange"),
    "treaties": _same("treaties"),
    "treaty_members": _same("treaty_members"),
    "claims": _same("claims"),
    "claim_figures": _same("claim_figures"),
    "published_estimates": _same("published_estimates"),
}
KEYS = {
    "farm_effects": ("role", "effect_id"),
    "farm_yields": ("region", "crop", "from_year"),
    "farm_weights": ("region", "crop"),
    "farm_adoption": ("region", "crop"),
    "travel_arrivals": ("destination", "passport", "start", "end", "visitors"),
    "travel_visas": ("passport", "destination"),
    "travel_visa_events": ("passport", "date", "event"),
    "travel_parameters": ("parameter",),
    "travel_connections": ("origin", "destination"),
    "people_exchange": ("subject", "indicator", "period"),
    "treaties": ("treaty_id",),
    "treaty_members": ("measure", "party", "partner"),
    "claims": ("claim_id",),
    "claim_figures": ("claim_id", "item", "year"),
    "published_estimates": ("estimate_id",),
}
NUMBERS = {"claim_id"}


def columns_of(table: str) -> list[str]:
    """Columns of a channel table in the order of schema.csv."""
    return [row["column"] for row in read_rows(SCHEMA) if row["table"] == f"channel.{table}"]


def sources(inputs: dict[str, Rows], path: Path) -> Rows:
    """Rows of SOURCES.csv: those of other channels unchanged, then these."""
    others = [row for row in read_rows(path) if row["table"] not in TABLES] if path.exists() else []
    return others + sorted(inputs["sources"], key=lambda row: (row["table"], row["source"]))


def build(inputs_dir: Path, out_dir: Path) -> list[Path]:
    """Write every table of these channels from the inputs; returns the files written."""
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
    """Rebuild the tables of these channels in src/landbridge/data/channels."""
    for path in build(INPUTS, OUTPUT):
        print(path.relative_to(HERE.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
