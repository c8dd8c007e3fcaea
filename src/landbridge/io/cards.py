"""A card for every table: contents, sources, basis of its values, and weaknesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.economy import variant_folder
from landbridge.io.files import read_lines
from landbridge.io.tables import ECONOMY_TABLES, parts_of, read_sources
from landbridge.world import World
from landbridge.world.table import OWN, channel_tables, columns_of, read_schema
from landbridge.world.validate import KEYS

__all__ = ["Card", "card", "cards"]

WHAT: Mapping[str, str] = {
    "places": "Cities, stations, border posts and ports: where links meet.",
    "links": "Rail, road, sea and ferry links with length and running speed, both ways.",
    "link_lengths_osm": "Lengths measured on graphs made from OpenStreetMap, separate for their licence.",
    "gateways": "Border posts, ports and straits with their capacity, each governing some links.",
    "crossings": "Hours and payments of each border crossing, by product and direction.",
    "border_defaults": "Hours and payments of one side of a border, where no crossing has a row of its own.",
    "gauge_changes": "Places where wagons or containers change gauge, with hours and cost.",
    "ports": "Time and money between land and ship.",
    "zones": "Cities that stand for a share of their region's trade.",
    "zone_shares": "Share of a zone in its region's exports or imports, of all goods or of one sector.",
    "rates": "Freight rates per TEU and km by mode, product and country.",
    "emission_factors": "CO2e per tonne-km by mode, traction and country.",
    "freight_profile": "Share of a pair's trade value that moves on the network, by sector.",
    "sector_freight": "Payload, value of a TEU, value of a day and share by air, by sector.",
    "value_density": "Value of a TEU by sector and exporter.",
    "pair_groups": "The bloc of every region, and whether it is on the network.",
    "group_pairs": "Groups of pairs of regions that share one set of shares of corridor families.",
    "kept_costs": "Freight cost of trade inside a bloc that is not on the network, held fixed.",
    "carriers": "Who owns the ocean fleet, and what part of transit charges is above cost.",
    "family_shares": "Base shares of the corridor families, by pair group.",
    "block_train_share": "Share of rail TEU on container block trains, by pair group and sector.",
    "parameters": "Every parameter of the model with its range.",
    "corridors": "Relations reported in every run.",
    "study_set": "Scenarios that `landbridge run` compares with the base.",
    "projects": "Investment projects: cost, life, opening, who pays, and the scenario of each.",
    "country_groups": "Groups of countries: customs unions, Central Asia, those that claims are about.",
    "gateway_kinds": "Role of each kind of gateway in the network, and its wait law.",
    "labels": "Names of places, countries, gateways and sectors in English, Russian and Chinese.",
    "validation_counts": "Observed counts of trains and containers, and how the model uses each.",
    "validation_corridors": "Observed door-to-door times and rates, compared with the model.",
    "validation_trade": "Published trade totals used to scale the model to a later year, for validation.",
    "growth": "GDP of later years over that of 2023 by region, for the parameter horizon.",
    "validation_responses": "Observed responses of rail traffic to shocks, compared with the model.",
    "validation_modes": "Observed freight and mode shares by pair, and why some rows are not comparable.",
    "validation_money": "Published freight rates between two places, compared with the model.",
    "validation_indicators": "Published corridor indicators of CAREC, compared with the model.",
    "od_demand": "Your own container flows from place to place; the model derives demand from trade.",
    "farm_effects": "Effects of farm technology on yields: a documented comparison, and claims about plots.",
    "farm_yields": "National yields, means of some years: an upper bound on the effect of technology.",
    "farm_weights": "Share of wheat and cotton in the value of farm output.",
    "farm_adoption": "Share of a crop's area that adopts new technology, an assumption with its range.",
    "travel_arrivals": "Travellers counted by country of origin, destination and period.",
    "travel_visas": "Visa requirements of mid-2023 of pairs with an end in China or Central Asia.",
    "travel_visa_events": "Dated changes of visa rules between China and Central Asia.",
    "travel_parameters": "Effects of a visa and a connection, spending of a visitor, each with its range.",
    "travel_connections": "Direct flights a week between China and Central Asia, where known.",
    "people_exchange": "Crossings, flights, institutes, workshops and students as they were reported.",
    "treaties": "Arrangements of China with Central Asia, and of both with others, dated.",
    "treaty_members": "Members of each arrangement and dates, by dummy of a gravity equation.",
    "claims": "An article of June 2025, claim by claim, with the rule that gives each verdict.",
    "claim_figures": "The figures that the rules of the claims use.",
    "published_estimates": "Published estimates for these corridors, compared with the model.",
    "gas_nodes": "Fields, junctions, borders and points of delivery of gas.",
    "gas_pipelines": "Gas trunk lines with design capacity and its availability by month.",
    "gas_segments": "Segments of the lines that carry gas in the model, straight and scaled to length.",
    "gas_balances": "Production and domestic use of gas by country and year.",
    "gas_contracts": "Deliveries of gas by exporter, importer and year, used as contracts.",
    "gas_flows": "Published flows of gas between countries, compared with the model.",
    "gas_storage": "Underground storage of gas: working volume and daily rates.",
    "gas_profiles": "Seasonal profile of domestic use and of deliveries, an assumption with its range.",
    "gas_outages": "Dated outages of gas deliveries, November 2017 to December 2023.",
    "gas_parameters": "Every parameter of the gas channel with its range.",
    "gas_trade_share": "Pipeline gas in the energy trade of a pair, which a cut reduces.",
    "gas_backcasts": "Two past winters: the failure, which is an input, and the observed shortage.",
    "regions": "The model's regions: GDP, population, unions, totals of the base table.",
    "sectors": "The model's sectors with their trade elasticity.",
    "tariff": "Ad valorem tariffs by exporter, importer and sector.",
    "tariff_basis": "Which rule gave the tariffs of each pair.",
    "rents": "Rents of deposits in the value added of extraction, with low and high end.",
    "trade_steps": "Trade of Central Asia by pair: both sides' figures and the steps to the base table.",
    "quality": "Values that building the base table changed or filled, and known gaps.",
    "trade": "Trade of 2023 at producer prices by exporter, importer and sector, domestic sales included.",
    "input_share": "Share of each input in the materials of each using sector.",
    "shares": "Value added over output and shares in final spending, by region and sector.",
}
# Columns that name the rule behind a value.
_RULES: Mapping[str, tuple[str, ...]] = {
    "crossings": ("outbound_rule", "inbound_rule"),
    "freight_profile": ("rule",),
    "tariff_basis": ("rule",),
    "validation_counts": ("use",),
    "validation_corridors": ("comparable",),
    "validation_modes": ("use",),
    "validation_money": ("use",),
}
# Tables of the economy without a basis column, and the table that states their basis.
_BASIS_OF = {"tariff": "tariff_basis"}
_QUALITY: Mapping[str, tuple[str, ...]] = {
    "trade": (
        *("cut_pair", "gap_filled_pair", "not_reported_pair", "floored_home_share", "home_share_off_icio"),
        *("deficit_off_factbook", "taiwan_in_part"),
    ),
    "input_share": ("input_share_moved",),
    "shares": ("final_share_moved", "value_added_lowered"),
}
_NOTES_SHOWN = 5


@dataclass(frozen=True)
class Card:
    """The description of one table; `basis` and `rules` count rows, `rule_of` gives the rule of each row.

    file: path in the folder of the World; what: in a sentence; columns: name, type, unit and description of
    each, or its name alone; sources: its rows of SOURCES.csv; years: first and last of the rows, "" for none;
    weak: reasons for caution.
    """

    table: str
    file: str
    what: str
    rows: int
    columns: tuple[dict[str, str], ...]
    sources: tuple[dict[str, str], ...]
    years: str
    basis: dict[str, int]
    rules: dict[str, dict[str, int]]
    rule_of: tuple[dict[str, str], ...]
    weak: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The card as plain values."""
        return asdict(self)


def cards(world: World) -> list[Card]:
    """A card for every table of a World, network first, in the order of the schema.

    world: whose folder holds the tables, with the SOURCES.csv of each part.
    """
    own = [name for name in OWN if name in world.network]
    names = [name for name in read_schema() if "." not in name and name not in ECONOMY_TABLES]
    economy = [*ECONOMY_TABLES, "tariff", "tariff_basis", "trade", "input_share", "shares", "quality"]
    optional = ("rents", "trade_steps")
    economy += [name for name in optional if (world.folder / "economy" / f"{name}.csv").is_file()]
    sources = {part: read_sources(world.folder, part)[0] for part in parts_of(world.folder)}
    return [_card(world, name, sources) for name in (*names, *own, *economy, *world.channels)]


def card(world: World, name: str) -> Card:
    """The card of a table by name. Raises DataError with the nearest names for an unknown one.

    world: as for `cards`; name: of the table, with or without .csv.
    """
    found = {one.table: one for one in cards(world)}
    if name.removesuffix(".csv") not in found:
        cure = did_you_mean(name, found) or "`landbridge data list` lists them"
        raise DataError("unknown table", [Fault("data card", f"no table {name!r}", cure)])
    return found[name.removesuffix(".csv")]


def _card(world: World, name: str, sources: Mapping[str, list[dict[str, str]]]) -> Card:
    rows, file = _rows(world, name)
    part = file.partition("/")[0]
    cited = [{k: v for k, v in row.items() if k != "table"} for row in sources[part] if row["table"] == name]
    if name in _BASIS_OF:
        told, _ = _rows(world, _BASIS_OF[name])
    else:
        told = rows
    basis = _count(row.get("basis", "") for row in told)
    rules = {
        column: _count(row.get(column, "") for row in told)
        for column in _RULES.get(_BASIS_OF.get(name, name), ())
    }
    return Card(
        table=name,
        file=file,
        what=WHAT.get(name, "Columns: " + ", ".join(rows[0] if rows else ()) + "."),
        rows=len(rows),
        columns=_columns(name, rows),
        sources=tuple(cited),
        years=_years(told),
        basis=basis,
        rules=rules,
        rule_of=_rule_of(_BASIS_OF.get(name, name), told),
        weak=tuple(_weak(world, name, rows, basis, cited)),
    )


def _rows(world: World, name: str) -> tuple[list[dict[str, str]], str]:
    """The rows of a table as text, and its file inside the folder of the World."""
    if name in world.tables:
        part = "network" if name in world.network else "economy" if name in ECONOMY_TABLES else "channels"
        table = world.tables[name]
        rows = [{k: "" if v is None else str(v) for k, v in row.items()} for row in table]
        return rows, f"{part}/{name}.csv"
    inside = Path("economy") / f"{name}.csv"
    if name in ("trade", "input_share", "shares"):
        chosen = variant_folder(world.setting("kgz_trade"), world.setting("tjk_cap"))
        inside = Path("economy") / chosen / f"{name}.csv"
    (header, lines), faults = read_lines(world.folder / inside, inside.as_posix())
    if faults:
        raise DataError("a table cannot be read", faults)
    return [dict(zip(header, cells, strict=True)) for _, cells in lines], inside.as_posix()


def _columns(name: str, rows: list[dict[str, str]]) -> tuple[dict[str, str], ...]:
    """Name, unit and meaning of each column in the schema; elsewhere only names."""
    if name in (*read_schema(), *OWN, *channel_tables()):
        return tuple(
            {"name": c.name, "type": c.type, "unit": c.unit, "description": c.description}
            for c in columns_of(name).values()
        )
    return tuple({"name": column} for column in (rows[0] if rows else ()))


def _rule_of(name: str, rows: list[dict[str, str]]) -> tuple[dict[str, str], ...]:
    """Key, rule and basis of every row of a table that has rules."""
    if name not in _RULES:
        return ()
    keys = KEYS.get(name, ("exporter", "importer"))
    wanted = (*keys, *_RULES[name], "basis")
    return tuple({column: row.get(column, "") for column in wanted} for row in rows)


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(value for value in values if value).most_common())


def _years(rows: list[dict[str, str]]) -> str:
    found = sorted({year for row in rows for year in row.get("year", "").split("-") if year.isdigit()})
    if not found:
        return ""
    return found[0] if found[0] == found[-1] else f"{found[0]}-{found[-1]}"


def _weak(
    world: World,
    name: str,
    rows: list[dict[str, str]],
    basis: Mapping[str, int],
    sources: list[dict[str, str]],
) -> Iterable[str]:
    """Reasons for caution: assumptions, licences, notes of rows, known faults."""
    yield from _assumptions(name, rows, basis)
    yield from _doubts(sources)
    if name != "quality":
        yield from _row_notes(rows)
    if name in _QUALITY or name == "quality":
        yield from _known_faults(world, name)


def _assumptions(name: str, rows: list[dict[str, str]], basis: Mapping[str, int]) -> Iterable[str]:
    total, assumed = sum(basis.values()), basis.get("assumption", 0)
    if assumed:
        yield f"{assumed} of {total} rows ({assumed / total:.0%}) are assumptions"
    for column in _RULES.get(name, ()):
        guessed = sum(1 for row in rows if row.get(column) == "assumption")
        if guessed:
            yield f"{column}: {guessed} of {len(rows)} values come from the last rule, an assumption"


def _doubts(sources: list[dict[str, str]]) -> Iterable[str]:
    if not sources:
        yield "no source and licence stated"
    for row in sources:
        if "unverified" in row["licence"] or "assumed" in row["licence"]:
            yield f"licence not confirmed: {row['source']} ({row['licence']})"
        if row["note"]:
            yield row["note"]


def _row_notes(rows: list[dict[str, str]]) -> Iterable[str]:
    notes = _count(row.get("note", "") for row in rows)
    for note, times in list(notes.items())[:_NOTES_SHOWN]:
        yield f"{note} ({times} rows)" if times > 1 else note
    if len(notes) > _NOTES_SHOWN:
        yield f"{len(notes) - _NOTES_SHOWN} further notes stand in the rows"


def _known_faults(world: World, name: str) -> Iterable[str]:
    """Kinds of rows of quality.csv that refer to a table."""
    listed, _ = _rows(world, "quality")
    for kind, times in _count(row.get("kind", "") for row in listed).items():
        if name == "quality" or kind in _QUALITY[name]:
            first = next(row for row in listed if row["kind"] == kind)
            yield f"{kind}: {times} rows of quality.csv, such as {_which(first)}: {first.get('note', '')}"


def _which(row: Mapping[str, str]) -> str:
    named = [row.get(key, "") for key in ("region", "partner", "sector")]
    value = f"{row.get('value', '')} {row.get('unit', '')}".strip()
    return " ".join(part for part in named if part) + (f" {value}" if value else "")
