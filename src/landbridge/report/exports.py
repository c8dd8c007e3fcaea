"""A run in the formats of other programs: Excel, Parquet, Stata, GeoJSON, GeoPackage, OMX, GMNS.

The numbers are those of Results, unrounded; names, coordinates and units are added here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from landbridge.io.geometry import Points
from landbridge.io.network import SCHEMATIC, Field, Layer, geojson_text, gmns_files, gpkg_bytes
from landbridge.io.qgis import MODES, change_style, flow_style, point_style
from landbridge.io.sheets import dta_bytes, parquet_bytes
from landbridge.io.skims import Matrix, omx_bytes
from landbridge.phrases import Phrase, named, say
from landbridge.report import LONG, Digest, Names, base_name, long_rows
from landbridge.report.bases import gateway_bases, line_bases
from landbridge.report.workbook import run_workbook
from landbridge.results import Results, Rows
from landbridge.results.network import link_rows
from landbridge.results.tables import result_table
from landbridge.transport.compile import compile_graph
from landbridge.transport.graph import BLOCK, LAYERS, TERMS, WAGONLOAD
from landbridge.world import World

__all__ = [
    "Flows",
    "about",
    "dta",
    "geojson",
    "geopackage",
    "gmns",
    "network_geojson",
    "parquet",
    "skims",
    "xlsx",
]


def about(world: World, digests: Sequence[Digest], attribution: Sequence[str]) -> list[tuple[str, str]]:
    """Topics and texts included in every file: question, units, closure, World, sources, attribution.

    world: that was solved; digests: the base, then each scenario; attribution: lines of the data.
    """
    rows = [("landbridge", say("about.landbridge"))]
    for digest in digests:
        name = digest.name
        if not isinstance(name, Phrase):
            name = named("scenario", digest.id, name)
        rows.append((say("sheet.topic.scenario"), say("first.what.title", case=digest.id, name=name)))
        rows += [(say("sheet.topic.source", case=digest.id), text) for text in digest.sources]
        rows += [(say("sheet.topic.note", case=digest.id), text) for text in digest.result.get("notes", [])]
    closure = digests[0].closure if digests else world.setting("deficits")
    year = digests[0].year if digests else int(world.parameter("horizon"))
    rows += [
        (say("sheet.topic.units"), say("about.units", year=world.base_year)),
        (
            say("sheet.topic.closure"),
            say(
                "about.closures",
                closure=say("about.closure", deficits=named("closure", closure)),
                meaning=say("meaning.closures"),
            ),
        ),
        (say("sheet.topic.reading"), say("meaning.static", year=year)),
        ("World", world.hash),
        (say("sheet.topic.boundaries"), say("about.boundaries")),
        *((say("sheet.topic.attribution"), line) for line in attribution),
    ]
    return rows


# -- tables --------------------------------------------------------------------------------------------


def xlsx(world: World, digests: Sequence[Digest], attribution: Sequence[str], lang: str = "en") -> bytes:
    """An Excel workbook: the answer, one sheet per table, and a README with notes and sources.

    world: that was solved; digests: the base, then each scenario; attribution: lines of the data; lang: of
    names, en, ru or zh. Returns the bytes of the file. Raises LandbridgeError where XlsxWriter is missing.
    """
    names = Names(world, lang)
    told = [(names.of(topic), names.of(text)) for topic, text in about(world, digests, attribution)]
    return run_workbook(world, digests, told, names)


def parquet(world: World, digests: Sequence[Digest], attribution: Sequence[str]) -> bytes:
    """The long table of `report.csv_text` as Parquet, the bytes of the file.

    world: that was solved; digests: the base, then each scenario; attribution: lines of the data. Raises
    LandbridgeError where pyarrow is missing.
    """
    told = {"world": world.hash, "attribution": "\n".join(attribution), "boundaries": say("about.boundaries")}
    return parquet_bytes(_long_columns(digests), {f"landbridge.{key}": text for key, text in told.items()})


def dta(digests: Sequence[Digest]) -> bytes:
    """The long table of `report.csv_text` as a Stata file, its bytes; digests: the base, then scenarios."""
    return dta_bytes(_long_columns(digests), say("about.landbridge"))


def _long_columns(digests: Sequence[Digest]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [] for name in LONG}
    for row in long_rows(digests):
        for name, cell in zip(LONG, row, strict=True):
            columns[name].append(cell)
    return columns


# -- maps ----------------------------------------------------------------------------------------------

_LINK_FIELDS = (
    Field("link", "text", "", "identifier of the link"),
    Field("from", "text", "", "place at one end"),
    Field("from_name", "text", "", "its name"),
    Field("to", "text", "", "place at the other end"),
    Field("to_name", "text", "", "its name"),
    Field("mode", "text", "", "mode and gauge [mm]"),
    Field("status", "text", "", "open, planned or closed in the scenario"),
    Field("disputed", "boolean", "", "runs through disputed territory"),
    Field("length_km", "real", "km", "length along the link, not of the straight line"),
)
_LINK_FLOWS = (
    Field("teu_per_year", "real", "TEU/year, loaded", "both ways together"),
    Field("teu_forward", "real", "TEU/year, loaded", "from `from` to `to`"),
    Field("teu_block", "real", "TEU/year, loaded", "in container block trains"),
    Field("teu_wagonload", "real", "TEU/year, loaded", "by wagonload"),
    Field("co2e_kt", "real", "kt CO2e/year", "of hauling it over the link"),
)
_LINK_CHANGES = (
    Field("base_teu", "real", "TEU/year, loaded", "both ways in the base"),
    Field("change_teu", "real", "TEU/year, loaded", "against the base"),
    Field("change_co2e_kt", "real", "kt CO2e/year", "against the base"),
)
_GATEWAY_FIELDS = (
    Field("gateway", "text", "", "identifier of the gateway"),
    Field("name", "text", "", "its name"),
    Field("kind", "text", "", "border, port or strait"),
    Field("mode", "text", "", "mode that passes"),
    Field("status", "text", "", "open, planned or closed in the scenario"),
)
_GATEWAY_FLOWS = (
    Field("teu_per_year", "real", "TEU/year, loaded", "both ways together"),
    Field("teu_container", "real", "TEU/year", "containers, loaded and empty, both ways"),
    Field("tonnes", "real", "t/year", "all goods, including those in containers"),
    Field("trains_per_day", "real", "trains/day, both ways", "container trains, empty returns included"),
    Field(
        "volume_over_capacity",
        "real",
        "ratio",
        "container trains, trucks or TEU in containers over the capacity stated",
    ),
    Field("wait_h", "real", "h", "hours of the crossing or in the port, mean of all traffic"),
)
_GATEWAY_CHANGES = (
    Field("base_teu", "real", "TEU/year, loaded", "both ways in the base"),
    Field("change_teu", "real", "TEU/year, loaded", "against the base"),
    Field("base_wait_h", "real", "h", "hours in the base"),
    Field("change_wait_h", "real", "h", "against the base"),
)


@dataclass(frozen=True)
class Flows:
    """Flows of a Results on links and at gateways, with coordinates and the flows of its base.

    id, name: of the Results, the name in words; links, gateways: rows of cells, and points (lon, lat) in
    `points`; a gateway of two places is halfway between them, a strait, which has no place in the tables, has
    no point.
    """

    id: str
    name: str
    base: bool
    links: Rows
    gateways: Rows

    @staticmethod
    def of(results: Results) -> Flows:
        """The flows of results: one base, or one scenario with those of its base."""
        name = results.scenario.name if results.scenario else base_name(results.world)
        return Flows(results.id, name, results.base is None, _link_cells(results), _gateway_cells(results))

    @property
    def largest_change(self) -> float:
        """The largest change of a link [TEU a year]."""
        return max((abs(row.get("change_teu", 0.0)) for row in self.links), default=0.0)

    @property
    def wide(self) -> float:
        """TEU a year of the widest line drawn: three in a hundred links carry more."""
        carried = [row["teu_per_year"] for row in self.links if row["teu_per_year"] > 0.0]
        return float(np.quantile(carried, 0.97)) if carried else 1.0


def _link_cells(results: Results) -> Rows:
    """A row for each link: its flows, its points, and changes against the base."""
    places = results.world.network["places"].by("place_id")
    before = results.base
    old = {} if before is None else {row["link"]: row for row in before.link_rows}
    out = []
    for row in results.link_rows:
        start, end = places[row["from"]], places[row["to"]]
        cells = {**row, "from_name": str(start["name"]), "to_name": str(end["name"])}
        cells["points"] = (_point(start), _point(end))
        if before is not None:
            was = old.get(row["link"], {"teu_per_year": 0.0, "co2e_kt": 0.0})
            cells["base_teu"] = was["teu_per_year"]
            cells["change_teu"] = row["teu_per_year"] - was["teu_per_year"]
            cells["change_co2e_kt"] = row["co2e_kt"] - was["co2e_kt"]
        out.append(cells)
    return out


def _gateway_cells(results: Results) -> Rows:
    """A row for each gateway: its flows, its point, and changes against the base."""
    places = results.world.network["places"].by("place_id")
    table = results.world.network["gateways"].by("gateway_id")
    before = results.base
    passed = {} if before is None else {row["gateway"]: row for row in before.gateway_rows}
    out = []
    for row in results.gateway_rows:
        known = table[row["gateway"]]
        cells = {**row, "kind": str(known["kind"]), "points": _between(known, places)}
        if before is not None:
            earlier = passed.get(row["gateway"])
            cells["base_teu"] = earlier["teu_per_year"] if earlier else 0.0
            cells["change_teu"] = row["teu_per_year"] - cells["base_teu"]
            cells["base_wait_h"] = earlier["wait_h"] if earlier else None
            cells["change_wait_h"] = row["wait_h"] - earlier["wait_h"] if earlier else None
        out.append(cells)
    return out


def _between(gateway: Mapping[str, Any], places: Mapping[Any, Mapping[str, Any]]) -> Points:
    """The point halfway between the places of a gateway; none for a strait."""
    sides = [str(gateway[c]) for c in ("place_a", "place_b") if gateway[c]]
    ends = [_point(places[side]) for side in sides if side in places]
    if not ends:
        return ()
    return ((sum(end[0] for end in ends) / len(ends), sum(end[1] for end in ends) / len(ends)),)


def _point(row: Mapping[str, Any]) -> tuple[float, float]:
    return float(row["lon"] or 0.0), float(row["lat"] or 0.0)


def geopackage(
    world: World, digests: Sequence[Digest], flows: Sequence[Flows], attribution: Sequence[str]
) -> bytes:
    """A GeoPackage: links and gateways of every case as layers of their own, each with its style.

    world: with places and links; digests, flows: of the base, then of each scenario; attribution: lines of
    the data. Returns the bytes of the file.
    """
    layers = []
    for one in flows:
        links = (*_LINK_FIELDS, *_LINK_FLOWS, *(() if one.base else _LINK_CHANGES))
        posts = (*_GATEWAY_FIELDS, *_GATEWAY_FLOWS, *(() if one.base else _GATEWAY_CHANGES))
        modes = [mode for mode in MODES if any(row["mode"] == mode for row in one.links)]
        style = flow_style(modes, one.wide) if one.base else change_style(one.largest_change, one.wide)
        layers += [
            Layer(f"links_{one.id}", say("map.links", name=one.name), "line", links, _with(one.links), style),
            Layer(
                f"gateways_{one.id}",
                say("map.gateways", name=one.name),
                "point",
                posts,
                _with(one.gateways),
                point_style(max((row["teu_per_year"] for row in one.gateways), default=1.0)),
            ),
        ]
    return gpkg_bytes(layers, [*about(world, digests, attribution), ("geometry", SCHEMATIC)])


def _with(rows: Rows) -> list[tuple[Any, Mapping[str, Any]]]:
    return [(row["points"], row) for row in rows]


def geojson(
    world: World, digests: Sequence[Digest], flows: Sequence[Flows], attribution: Sequence[str]
) -> str:
    """One FeatureCollection: a feature for every link and gateway, with columns of each case by its name.

    world: with places and links; digests, flows: of the base, then of each scenario; attribution: lines of
    the data. teu_per_year of the base is teu_per_year_base, that of cku-railway teu_per_year_cku_railway.
    Returns the text of the file.
    """
    ending = _endings([one.id for one in flows])
    layers = []
    for name, key, fixed, shown, changes in (
        ("links", "link", _LINK_FIELDS, _LINK_FLOWS, _LINK_CHANGES),
        ("gateways", "gateway", _GATEWAY_FIELDS, _GATEWAY_FLOWS, _GATEWAY_CHANGES),
    ):
        merged: dict[str, dict[str, Any]] = {}
        fields = [field for field in fixed if field.name != "status"]
        plain = {field.name for field in fields}
        for one in flows:
            # A case with a base of its own is compared with that base, so its base figures stay next to it.
            own = [*shown, *([] if one.base else changes)]
            own = [Field("status", "text", "", "open, planned or closed"), *own]
            fields += [Field(f"{f.name}_{ending[one.id]}", f.type, f.unit, f.meaning) for f in own]
            for row in getattr(one, name):
                cells = merged.setdefault(row[key], {"points": row["points"]})
                cells.update({c: row[c] for c in plain if c not in cells})
                cells.update({f"{f.name}_{ending[one.id]}": row[f.name] for f in own})
        layers.append(Layer(name, name, "", tuple(fields), _with(list(merged.values()))))
    told = {
        "geometry": SCHEMATIC,
        "scenarios": {one.id: {"name": one.name, "ending": ending[one.id]} for one in flows},
        "world": world.hash,
        "boundaries": say("about.boundaries"),
        "attribution": list(attribution),
    }
    return geojson_text(layers, told)


_PLACE_FIELDS = (
    Field("place_id", "text", "", "identifier of the place"),
    Field("name", "text", "", "its name"),
    Field("country", "text", "", "ISO 3166-1 alpha-3 code"),
    Field("region", "text", "", "region of the model"),
    Field("role", "text", "", "what it is on the network"),
    Field("zone_share", "real", "share", "of its region's trade that begins or ends here; null for none"),
)
_LINK_BASES = (
    Field("basis", "text", "", "how its length is known: observed, published, derived or assumption"),
    Field("speed_basis", "text", "", "how its speed is known"),
)
_GATEWAY_BASES = (
    Field("hours_basis", "text", "", "how hours of trucks, wagonload or the port are known; null for none"),
    Field("block_hours_basis", "text", "", "how hours of container trains are known; null for none"),
)


def network_geojson(world: World, attribution: Sequence[str], flows: Flows | None = None) -> str:
    """The network as one FeatureCollection with the layers places, links and gateways.

    world: with places and links; attribution: lines of the data; flows: of the solved base or of a scenario,
    whose columns are then part of links and gateways, those of a scenario with its changes against the base.
    Returns the text of the file. Raises DataError as `landbridge.transport.compile_graph` where no flows are
    given.
    """
    shares = {str(row["place_id"]): row["share"] for row in world.network["zones"]}
    places = [
        ((_point(row),), {**row, "zone_share": shares.get(str(row["place_id"]))})
        for row in world.network["places"]
    ]
    shown = _unsolved(world) if flows is None else flows
    links: tuple[Field, ...] = ()
    posts: tuple[Field, ...] = ()
    if flows is not None:
        links, posts = _LINK_FLOWS, _GATEWAY_FLOWS
        if not flows.base:
            links, posts = (*links, *_LINK_CHANGES), (*posts, *_GATEWAY_CHANGES)
    of_line, of_gateway = line_bases(world), gateway_bases(world)
    ways = [{**row, **of_line.get(row["link"], {})} for row in shown.links]
    passed = [{**row, **of_gateway.get(row["gateway"], {})} for row in shown.gateways]
    layers = [
        Layer("places", "places", "point", _PLACE_FIELDS, places),
        Layer("links", "links", "line", (*_LINK_FIELDS, *_LINK_BASES, *links), _with(ways)),
        Layer("gateways", "gateways", "point", (*_GATEWAY_FIELDS, *_GATEWAY_BASES, *posts), _with(passed)),
    ]
    told = {
        "geometry": SCHEMATIC,
        "world": world.hash,
        "year": int(world.parameter("horizon")),
        "flows": "none" if flows is None else shown.name,
        "boundaries": say("about.boundaries"),
        "attribution": list(attribution),
    }
    return geojson_text(layers, told)


def _unsolved(world: World) -> Flows:
    """Links and gateways of a World without flows."""
    graph, places = compile_graph(world), world.network["places"].by("place_id")
    links = []
    for row in link_rows(world, graph, np.zeros((graph.n_arcs, 2))):
        start, end = places[row["from"]], places[row["to"]]
        names = {"from_name": str(start["name"]), "to_name": str(end["name"])}
        links.append({**row, **names, "points": (_point(start), _point(end))})
    gateways = [
        {**row, "gateway": row["gateway_id"], "points": _between(row, places)}
        for row in world.network["gateways"]
    ]
    return Flows("base", base_name(world), True, links, gateways)


def _endings(ids: Sequence[str]) -> dict[str, str]:
    """Endings of column names by scenario: letters, digits and underscores, all different."""
    found: dict[str, str] = {}
    for id in ids:
        plain = re.sub(r"\W", "_", id)
        found[id] = plain if plain not in found.values() else f"{plain}_{len(found)}"
    return found


# -- skims ---------------------------------------------------------------------------------------------

_SKIMS = {
    "generalised_cost_usd": "expected generalised cost: money, hours and risk together",
    "time_h": "mean hours door to door",
    "cost_usd": "mean money",
    "co2e_kg": "mean emissions, well to wheel",
}


def skims(results: Results, attribution: Sequence[str]) -> bytes:
    """Skims of one Results as OMX: four measures for every commodity between all zones, per TEU.

    results: solved; attribution: lines of the data. Returns the bytes of the file. Raises LandbridgeError
    where h5py is missing.
    Matrices [origin, destination] are named like MCH_time_h: time_h [h], cost_usd and generalised_cost_usd
    [USD/TEU], co2e_kg [kg CO2e/TEU]. NaN means that no freight between two zones is modelled (inside a
    region, and where no route is open).
    """
    world, graph = results.world, results.graph
    zones = [str(row["place_id"]) for row in world.network["zones"]]
    number = {graph.place_number[place]: n for n, place in enumerate(zones)}
    routes, choice = results.choice.base.routes, results.choice
    row = np.array([number.get(int(p), -1) for p in routes.origin])
    column = np.array([number.get(int(p), -1) for p in routes.destination])
    kept = (row >= 0) & (column >= 0)
    kept[choice.unreachable] = False
    matrices = {}
    for k, sector in enumerate(choice.classes.sectors):
        values = dict(zip(_SKIMS, (choice.cost[:, k], *choice.expected(k)), strict=True))
        for measure, meaning in _SKIMS.items():
            table = np.full((len(zones), len(zones)), np.nan)
            table[row[kept], column[kept]] = values[measure][kept]
            text = say("skims.matrix", measure=meaning, sector=sector)
            matrices[f"{sector}_{measure}"] = Matrix(table, result_table("skims").unit(measure), text)
    told = {"case": results.id, "world": world.hash, "attribution": "\n".join(attribution)}
    return omx_bytes(zones, matrices, told)


# -- GMNS ----------------------------------------------------------------------------------------------

_USES = {
    "rail": ("block,wagonload", "container block trains and wagonload"),
    "road": ("truck", "trucks"),
    "sea": ("ship", "container ships"),
    "ferry": ("ferry", "rail and truck ferries"),
}
_NODE_FIELDS = (
    Field("node_id", "text", "", "GMNS: identifier of the place"),
    Field("name", "text", "", "GMNS: English name"),
    Field("x_coord", "real", "degree", "GMNS: longitude, WGS84"),
    Field("y_coord", "real", "degree", "GMNS: latitude, WGS84"),
    Field("node_type", "text", "", "GMNS: what the place is in the network"),
    Field("zone_share", "real", "share", "ours: share of the trade of its region that starts and ends here"),
    Field("country", "text", "", "ours: ISO 3166-1 alpha-3 code"),
    Field("region", "text", "", "ours: model region; blank where the place only carries transit"),
    Field("gauges_mm", "text", "mm", "ours: rail gauges present, a bar between them"),
    Field("rail_hub", "boolean", "", "ours: block trains are formed here"),
    Field("border_station", "boolean", "", "ours: border station or post"),
    Field("population", "real", "persons", "ours: people in the city proper"),
)
_GMNS_LINK_FIELDS = (
    Field("link_id", "text", "", "GMNS: identifier of the link"),
    Field("name", "text", "", "GMNS: the places at its ends"),
    Field("from_node_id", "text", "", "GMNS: place at one end"),
    Field("to_node_id", "text", "", "GMNS: place at the other end"),
    Field("directed", "boolean", "", "GMNS: 0, a link serves both directions"),
    Field("length", "real", "km", "GMNS: length along the line"),
    Field("facility_type", "text", "", "GMNS: rail, road, sea or ferry"),
    Field("free_speed", "real", "km/h", "GMNS: running speed, without stops and borders"),
    Field("allowed_uses", "text", "", "GMNS: services on the link, see use_definition.csv"),
    Field("geometry", "text", "degree", "GMNS: straight line between the places, WKT"),
    Field("mode", "text", "", "ours: mode and gauge [mm]; over a border the gauge of the first side"),
    Field("status", "text", "", "ours: open, planned or closed in the base"),
    Field("open_from", "text", "", "ours: year of opening, past or expected"),
    Field("dual_gauge", "boolean", "", "ours: the link exists on both gauges"),
    Field("electrified", "boolean", "", "ours: electrified rail"),
    Field("gateway", "text", "", "ours: the border post on the link"),
    Field("passage", "text", "", "ours: straits that a sea lane passes, joined by +"),
    Field("water", "text", "", "ours: caspian or ocean"),
    Field("disputed", "boolean", "", "ours: runs through disputed territory"),
    Field("border_h_block_forward", "real", "h", "ours: border hours of container block trains"),
    Field("border_h_block_backward", "real", "h", "ours: the same the other way"),
    Field("border_h_wagonload_forward", "real", "h", "ours: border hours of wagonload, or of trucks"),
    Field("border_h_wagonload_backward", "real", "h", "ours: the same the other way"),
    Field("border_usd_forward", "real", "USD/TEU", "ours: payments at the border, wagonload or truck"),
    Field("border_usd_backward", "real", "USD/TEU", "ours: the same the other way"),
    Field("length_source", "text", "", "ours: osm (OpenStreetMap, ODbL) or table (source of the row)"),
    Field("basis", "text", "", "ours: how the row is known: observed, published, derived or assumption"),
)


def gmns(world: World, attribution: Sequence[str]) -> dict[str, str]:
    """The network of a World as the files of a GMNS folder, by name.

    world: with the network; attribution: lines of the data.
    """
    network = world.network
    shares = {str(row["place_id"]): row["share"] for row in network["zones"]}
    nodes = []
    for row in network["places"]:
        cells: dict[str, Any] = dict(row)
        cells.update(node_id=row["place_id"], x_coord=row["lon"], y_coord=row["lat"], node_type=row["role"])
        nodes.append({**cells, "zone_share": shares.get(str(row["place_id"]))})
    uses = [(use, text) for both, text in _USES.values() for use in both.split(",")]
    config = {
        "dataset_name": f"landbridge {world.hash[:12]}",
        "short_length": "m",
        "long_length": "km",
        "speed": "km/h",
        "crs": "EPSG:4326",
        "geometry_field_format": "WKT",
        "currency": say("usd_of", year=world.base_year),
        "version_number": "0.96",
        "id_type": "string",
    }
    return gmns_files(
        (_NODE_FIELDS, nodes),
        (_GMNS_LINK_FIELDS, list(_gmns_links(world))),
        config,
        uses,
        world.hash,
        attribution,
    )


def _gmns_links(world: World) -> Iterator[dict[str, Any]]:
    graph = compile_graph(world)
    places = world.network["places"].by("place_id")
    osm = world.network["link_lengths_osm"].by("link_id") if "link_lengths_osm" in world.network else {}
    border = TERMS.index("border")
    arcs: dict[str, list[int]] = {}
    for found in np.flatnonzero(graph.link >= 0):
        arcs.setdefault(graph.links[graph.link[found]], []).append(int(found))
    for row in world.network["links"]:
        link = str(row["link_id"])
        ends = [str(row["from_place"]), str(row["to_place"])]
        kind = str(row["mode"]).split("-")[0]
        points = ", ".join("{:g} {:g}".format(*_point(places[end])) for end in ends)
        mine = arcs.get(link, [])
        cells: dict[str, Any] = dict(row)
        cells.update(
            name=" - ".join(str(places[end]["name"]) for end in ends),
            from_node_id=ends[0],
            to_node_id=ends[1],
            directed=False,
            length=max((float(graph.length_km[arc]) for arc in mine), default=None),
            facility_type=kind,
            free_speed=row["speed_kmh"],
            allowed_uses=_USES[kind][0],
            geometry=f"LINESTRING ({points})",
            length_source="osm" if row["length_km"] is None and link in osm else "table",
        )
        for arc in mine:
            ahead = graph.tail[arc] // len(LAYERS) == graph.place_number[ends[0]]
            way = "forward" if ahead else "backward"
            if graph.gateway[arc] >= 0:
                cells["gateway"] = graph.gateways[graph.gateway[arc]]
            terms = [t for t in graph.terms_of(arc) if graph.term_kind[t] == border]
            if terms:
                hours, money = graph.term_time_h[terms].sum(axis=0), graph.term_cost_usd[terms].sum(axis=0)
                if kind == "rail":
                    cells[f"border_h_block_{way}"] = float(hours[BLOCK])
                cells[f"border_h_wagonload_{way}"] = float(hours[WAGONLOAD])
                cells[f"border_usd_{way}"] = float(money[WAGONLOAD])
        yield cells
