"""Build the network tables of landbridge from the small tables in recipes/inputs/network.

    python recipes/network.py

Offline and deterministic: rows are sorted by their keys, so shuffled inputs give the same bytes.
Nothing is looked up elsewhere: every figure is in an input row with its source, year and basis.
Computed here: the model region of a place, running speeds from commercial ones, zone shares from populations
where none are stated, crossings by rule (network_borders.py), money and freight (network_money.py).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from network_borders import border_defaults, crossings
from network_io import Row, Rows, number, read_inputs, tidy, write_table
from network_money import emission_factors, freight_profile, in_2023, rates, sector_freight, value_density

HERE = Path(__file__).resolve().parent
INPUTS = HERE / "inputs" / "network"
OUTPUT = HERE.parent / "src" / "landbridge" / "data" / "network"

_PLACE = re.compile(r"\{(\w+)\}")
_BRACKETS = re.compile(r"\s*[(（].*")

OSM_SOURCE = "(c) OpenStreetMap contributors, ODbL 1.0"


def places(inputs: dict[str, Rows]) -> Rows:
    """Places with the model region of their country."""
    region = {row["country"]: row["region"] for row in inputs["countries"]}
    return [{**row, "region": region[row["country"]]} for row in inputs["places"]]


def running_speed(speed_kmh: float, kind: str, stop_h_per_km: float) -> float:
    """Speed between stops [km/h], from a commercial speed and the stop allowance: 1/v = 1/v_com - stop."""
    if kind != "commercial":
        return speed_kmh
    return 1.0 / (1.0 / speed_kmh - stop_h_per_km)


def links(inputs: dict[str, Rows]) -> Rows:
    """Links with running speeds; lengths measured on OpenStreetMap go to a table of their own."""
    stop = parameter(inputs, "stop_block_h_per_km")
    rows = []
    for row in inputs["links"]:
        speed, kind = number(row["speed_kmh"]), row["speed_kind"]
        basis = row["speed_source"]
        if row["speed_basis"] not in basis:
            basis += f"; {row['speed_basis']}"
        if kind == "commercial":
            basis += f"; commercial {tidy(speed)} km/h turned to running speed, stops {tidy(stop)} h/km"
        osm = row["length_graph"] == "osm"
        rows.append(
            {
                **row,
                "length_km": "" if osm else row["length_km"],
                "speed_kmh": tidy(round(running_speed(speed, kind, stop), 1)),
                "speed_basis": basis,
                "source": "length: link_lengths_osm.csv" if osm else row["source"],
            }
        )
    return rows


def link_lengths_osm(inputs: dict[str, Rows]) -> Rows:
    """The lengths from OpenStreetMap-derived graphs (ODbL), separate from all other data."""
    return [
        {
            "link_id": row["link_id"],
            "length_km": row["length_km"],
            "source": f"{row['source']}; {OSM_SOURCE}",
            "year": row["year"],
            "basis": "derived",
        }
        for row in inputs["links"]
        if row["length_graph"] == "osm"
    ]


def gauge_changes(inputs: dict[str, Rows]) -> Rows:
    """Gauge changes with money in USD of 2023."""
    return [
        {**row, "cost_usd": tidy(round(in_2023(inputs, row["cost_usd_nominal"], row["cost_year"])))}
        for row in inputs["gauge_changes"]
    ]


def zones(inputs: dict[str, Rows]) -> Rows:
    """Cities that stand for their region's trade, by population within the region."""
    chosen = [row for row in places(inputs) if row["zone"] == "yes"]
    total: dict[str, float] = {}
    for row in chosen:
        total[row["region"]] = total.get(row["region"], 0.0) + number(row["population"])
    return [
        {
            "place_id": row["place_id"],
            "region": row["region"],
            "share": repr(number(row["population"]) / total[row["region"]]),
            "source": "population of the city over that of the region's zones (GeoNames, mixed years)",
            "year": row["year"],
            "basis": "derived" if row["basis"] != "assumption" else "assumption",
        }
        for row in chosen
    ]


def zone_shares(inputs: dict[str, Rows]) -> Rows:
    """Shares of the zones in their region's exports and imports, of all goods (*) and of some sectors.

    A region without stated shares of all goods keeps those of `zones`. A group of stated shares must sum
    to one over zones of the region; that of all goods must name each of them, 0 where there is none.
    """
    groups: dict[tuple[str, str, str], Rows] = {}
    for row in inputs["zone_shares"]:
        groups.setdefault((row["region"], row["sector"], row["flow"]), []).append(row)
    by_population: dict[str, Rows] = {}
    for row in zones(inputs):
        by_population.setdefault(row["region"], []).append(row)
    for (region, sector, flow), rows in groups.items():
        where = f"zone_shares.csv ({region}, {sector}, {flow})"
        own = {row["place_id"] for row in by_population.get(region, [])}
        named = [row["place_id"] for row in rows]
        for place in named:
            if place not in own:
                raise ValueError(f"{where}: {place} is no zone of {region}")
            if named.count(place) > 1:
                raise ValueError(f"{where}: {place} has two rows")
        if sector == "*" and own - set(named):
            raise ValueError(f"{where}: no row for {', '.join(sorted(own - set(named)))}")
        total = sum(number(row["share"]) for row in rows)
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"{where}: shares sum to {total!r}, not 1")
    for region, rows in by_population.items():
        for flow in ("exports", "imports"):
            groups.setdefault((region, "*", flow), [{**row, "sector": "*", "flow": flow} for row in rows])
    return [row for rows in groups.values() for row in rows]


def pair_groups(inputs: dict[str, Rows]) -> Rows:
    """Bloc of every region, and whether any zone puts it on the network."""
    on = {row["region"] for row in zones(inputs)}
    return [{**row, "on_network": "yes" if row["region"] in on else "no"} for row in inputs["regions"]]


def labels(inputs: dict[str, Rows]) -> Rows:
    """Names in three languages; {PLACE} in a gateway's name stands for the label of that place.

    English labels must equal the names in the tables of places and gateways.
    """
    shown = {
        (row["id"], row["lang"]): row
        for row in inputs["labels"]
        if row["kind"] == "place" and row["use"] == "shown"
    }
    for table, key, kind in (("places", "place_id", "place"), ("gateways", "gateway_id", "gateway")):
        english = {
            row["id"]: row["label"]
            for row in inputs["labels"]
            if (row["kind"], row["lang"], row["use"]) == (kind, "en", "shown")
        }
        for row in inputs[table]:
            if english.get(row[key], row["name"]) != row["name"]:
                raise ValueError(
                    f"labels.csv calls {row[key]} {english[row[key]]}, {table}.csv {row['name']}"
                )
    rows = []
    for row in inputs["labels"]:
        parts = [shown[name, row["lang"]] for name in _PLACE.findall(row["label"])]
        if not parts:
            rows.append(row)
            continue
        names = {part["id"]: _BRACKETS.sub("", part["label"]) for part in parts}
        cells = {"label": _PLACE.sub(lambda found, names=names: names[found[1]], row["label"])}
        if not row["source"]:
            sure = all(part["reviewed"] == "yes" for part in parts)
            cells |= {"source": "labels of " + ", ".join(names), "reviewed": "yes" if sure else "no"}
        rows.append({**row, **cells})
    return rows


def parameter(inputs: dict[str, Rows], name: str) -> float:
    """A numeric parameter of the inputs."""
    return next(number(row["value"]) for row in inputs["parameters"] if row["parameter"] == name)


def _fitted(inputs: dict[str, Rows]) -> dict[str, str]:
    """Values that `landbridge calibrate` wrote, by name."""
    return {row["name"]: row["value"] for row in inputs["calibration"]}


def gateways(inputs: dict[str, Rows]) -> Rows:
    """Gateways with their calibrated constants."""
    fitted = _fitted(inputs)
    return [
        {
            **row,
            "constant": fitted.get(f"gateway:{row['gateway_id']}", "1"),
            # Bulk without a fitted constant has the constant one, whatever that of containers.
            "constant_bulk": fitted.get(f"gateway_bulk:{row['gateway_id']}", "1"),
        }
        for row in inputs["gateways"]
    ]


def family_shares(inputs: dict[str, Rows]) -> Rows:
    """Stated family shares with the weights and shares of the fit."""
    fitted = _fitted(inputs)
    rows = []
    for row in inputs["family_shares"]:
        name = f"{row['kind']}:{row['pair_group']}:{row['family']}"
        weight, share = fitted.get(f"weight:{name}"), fitted.get(f"share:{name}")
        row = {"fit": "no", **row}
        if weight is None or share is None:
            rows.append(row)
            continue
        moved = abs(number(share) - number(row["share"])) > 1e-9
        rows.append({**row, "share": share, "weight": weight, "stated": row["share"] if moved else ""})
    return rows


def growth(inputs: dict[str, Rows]) -> Rows:
    """GDP of later years over that of 2023, in USD of 2023; without a figure, growth of the others."""
    rows = []
    for year in sorted({row["year"] for row in inputs["gdp_later"]}):
        deflator = next(number(row["to_2023"]) for row in inputs["deflator"] if row["year"] == year)
        known = [row for row in inputs["gdp_later"] if row["year"] == year and row["gdp_musd"]]
        later, before = (sum(number(row[c]) for row in known) for c in ("gdp_musd", "gdp_2023_musd"))
        for row in inputs["gdp_later"]:
            if row["year"] == year:
                found = (
                    number(row["gdp_musd"]) / number(row["gdp_2023_musd"]) if row in known else later / before
                )
                rows.append({**row, "gdp_hat": tidy(round(found * deflator, 6))})
    return rows


def projects(inputs: dict[str, Rows]) -> Rows:
    """Investment projects with costs in USD of 2023; the published cost and its year stay in the row."""
    rows = []
    for row in inputs["projects"]:
        costs = {
            f"cost{end}_musd": tidy(
                round(in_2023(inputs, row[f"cost{end}_nominal_musd"], row["cost_year"]), 1)
            )
            for end in ("", "_low", "_high")
            if row[f"cost{end}_nominal_musd"]
        }
        rows.append({**row, **costs})
    return rows


def _same(name: str):
    def copy(inputs: dict[str, Rows]) -> Rows:
        return list(inputs[name])

    return copy


TABLES = {
    "places": places,
    "links": links,
    "link_lengths_osm": link_lengths_osm,
    "gateways": gateways,
    "crossings": crossings,
    "border_defaults": border_defaults,
    "gauge_changes": gauge_changes,
    "ports": _same("ports"),
    "zones": zones,
    "zone_shares": zone_shares,
    "rates": rates,
    "emission_factors": emission_factors,
    "freight_profile": freight_profile,
    "sector_freight": sector_freight,
    "value_density": value_density,
    "pair_groups": pair_groups,
    "group_pairs": _same("group_pairs"),
    "kept_costs": _same("kept_costs"),
    "carriers": _same("carriers"),
    "family_shares": family_shares,
    "block_train_share": _same("block_train_share"),
    "parameters": _same("parameters"),
    "corridors": _same("corridors"),
    "study_set": _same("study_set"),
    "projects": projects,
    "validation_counts": _same("validation_counts"),
    "validation_corridors": _same("validation_corridors"),
    "validation_indicators": _same("validation_indicators"),
    "validation_trade": _same("validation_trade"),
    "validation_responses": _same("validation_responses"),
    "validation_modes": _same("validation_modes"),
    "validation_money": _same("validation_money"),
    "growth": growth,
    "country_groups": _same("country_groups"),
    "gateway_kinds": _same("gateway_kinds"),
    "labels": labels,
    "SOURCES": _same("sources"),
}

KEYS = {
    "places": ("place_id",),
    "links": ("link_id",),
    "link_lengths_osm": ("link_id",),
    "gateways": ("kind", "mode", "gateway_id"),
    "crossings": ("gateway_id", "link_id", "product", "from_place"),
    "border_defaults": ("country", "product", "direction"),
    "gauge_changes": ("place_id", "gauge_a", "gauge_b"),
    "ports": ("place_id",),
    "zones": ("region", "place_id"),
    "zone_shares": ("region", "sector", "flow", "place_id"),
    "rates": ("mode", "product", "scope"),
    "emission_factors": ("mode", "country"),
    "freight_profile": ("sector", "exporter", "importer"),
    "sector_freight": ("sector",),
    "value_density": ("sector", "exporter", "importer"),
    "pair_groups": ("region",),
    "group_pairs": ("pair_group", "one", "other", "way"),
    "kept_costs": ("exporter", "importer", "sector"),
    "carriers": ("quantity", "mode", "region"),
    "family_shares": ("kind", "pair_group", "family"),
    "block_train_share": ("pair_group", "sector"),
    "parameters": ("parameter",),
    "corridors": ("corridor_id",),
    "study_set": ("position",),
    "projects": ("project_id",),
    "validation_counts": ("gateway_id", "metric", "year"),
    "validation_corridors": ("obs_id",),
    "validation_indicators": ("indicator", "mode", "year"),
    "validation_trade": ("region", "year"),
    "validation_responses": ("event",),
    "validation_modes": ("row_id",),
    "validation_money": ("row_id",),
    "growth": ("region", "year"),
    "country_groups": ("group", "country"),
    "gateway_kinds": ("kind",),
    "labels": ("kind", "id", "lang", "label"),
    "SOURCES": ("table", "source"),
}


def build(inputs_dir: Path, out_dir: Path) -> list[Path]:
    """Write every network table from the inputs; returns the files written."""
    inputs = read_inputs(Path(inputs_dir))
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, make in TABLES.items():
        rows: list[Row] = sorted(make(inputs), key=lambda row, keys=KEYS[name]: tuple(row[k] for k in keys))
        written.append(write_table(out / f"{name}.csv", name, rows))
    return written


def main() -> int:
    """Rebuild src/landbridge/data/network."""
    for path in build(INPUTS, OUTPUT):
        print(path.relative_to(HERE.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
