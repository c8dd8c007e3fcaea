"""Key columns of each table, and how faults name a row and are counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from landbridge.errors import Fault
from landbridge.world.table import Cell, quoted

__all__ = ["KEYS", "SPELLED_OUT", "spelled", "where"]

# Faults of one kind in one table that are listed; the others are counted.
SPELLED_OUT = 10

KEYS: Mapping[str, tuple[str, ...]] = {
    "places": ("place_id",),
    "links": ("link_id",),
    "link_lengths_osm": ("link_id",),
    "gateways": ("gateway_id",),
    "crossings": ("link_id", "product", "from_place", "to_place"),
    "border_defaults": ("country", "product", "direction"),
    "gauge_changes": ("place_id", "gauge_a", "gauge_b"),
    "ports": ("place_id", "water"),
    "zones": ("place_id",),
    "zone_shares": ("place_id", "flow", "sector"),
    "rates": ("mode", "product", "scope"),
    "emission_factors": ("mode", "country"),
    "freight_profile": ("sector", "exporter", "importer"),
    "sector_freight": ("sector",),
    "value_density": ("sector", "exporter", "importer"),
    "pair_groups": ("region",),
    "group_pairs": ("one", "other", "way"),
    "kept_costs": ("exporter", "importer", "sector"),
    "carriers": ("quantity", "mode", "region"),
    "family_shares": ("kind", "pair_group", "family"),
    "block_train_share": ("pair_group", "sector"),
    "parameters": ("parameter",),
    "corridors": ("corridor_id",),
    "study_set": ("scenario",),
    "projects": ("project_id",),
    "validation_corridors": ("obs_id",),
    "validation_modes": ("row_id",),
    "validation_money": ("row_id",),
    "od_demand": ("from_place", "to_place", "sector"),
    "country_groups": ("group", "country"),
    "gateway_kinds": ("kind",),
    "labels": ("kind", "id", "lang", "label"),
    "farm_effects": ("effect_id",),
    "farm_yields": ("region", "crop", "from_year"),
    "farm_weights": ("region", "crop"),
    "farm_adoption": ("region", "crop"),
    "travel_arrivals": ("passport", "destination", "start", "end"),
    "travel_visas": ("passport", "destination"),
    "travel_parameters": ("parameter",),
    "travel_connections": ("origin", "destination"),
    "treaties": ("treaty_id",),
    "treaty_members": ("measure", "party", "partner"),
    "claims": ("claim_id",),
    "claim_figures": ("claim_id", "item", "year"),
    "published_estimates": ("estimate_id",),
    "gas_nodes": ("node_id",),
    "gas_pipelines": ("pipeline_id",),
    "gas_segments": ("pipeline_id", "position"),
    "gas_balances": ("country", "balance_year"),
    "gas_contracts": ("contract_id", "contract_year"),
    "gas_flows": ("exporter", "importer", "flow_year"),
    "gas_storage": ("site_id",),
    "gas_profiles": ("kind", "month"),
    "gas_outages": ("event_id",),
    "gas_parameters": ("parameter",),
    "gas_trade_share": ("exporter", "importer"),
    "gas_backcasts": ("case_id", "country", "measure"),
}


def where(table: str, number: int, row: Mapping[str, Cell] | None = None) -> str:
    """Name of a row in a fault: file, line and key.

    table: name of the table; number: the row from 0 (line 1 of the file is the header); row: its cells.
    """
    key = ""
    if row is not None and table in KEYS:
        cells = [str(row.get(column)) for column in KEYS[table]]
        key = " (" + ", ".join(c if len(c) <= 60 and c.isprintable() else quoted(c) for c in cells) + ")"
    return f"{table}.csv line {number + 2}{key}"


def spelled(faults: Iterable[Fault], place: str, most: int = SPELLED_OUT) -> list[Fault]:
    """The first `most` faults of a kind, and one more fault at `place` that counts the others."""
    listed = list(faults)
    if len(listed) <= most:
        return listed
    more = Fault(place, f"{len(listed) - most} more faults like these", "correct these first")
    return [*listed[:most], more]
