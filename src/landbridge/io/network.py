"""The network in formats of other programs: GeoJSON, GeoPackage and GMNS.

Lines are straight between the places at their ends: a diagram of the network, not a survey of it.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from landbridge.errors import DataError, Fault
from landbridge.io.export import free_folder
from landbridge.io.files import csv_text, write_text
from landbridge.io.geometry import Points, write_geometry
from landbridge.io.whole import folder_beside

__all__ = [
    "SCHEMATIC",
    "Field",
    "Layer",
    "geojson_text",
    "gmns_files",
    "gpkg_bytes",
    "write_gmns",
]

SCHEMATIC = (
    "Lines are straight between the places at their ends: they are schematic and show no alignment. An "
    "ocean lane is a straight line too and may cross land. No boundary is drawn, and no line or name "
    "endorses any claim; disputed is true where a line runs through disputed territory."
)


@dataclass(frozen=True)
class Field:
    """A column of a layer: its name, type (text, real or boolean), unit and meaning."""

    name: str
    type: str
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Layer:
    """Features of one kind (line or point): for each its points as (lon, lat) in degrees, and its cells.

    name: of the layer in the file; title: as shown; fields: its columns; features: points and cells by
    column. A feature without points is not on the map. style: a QGIS style (QML), may be blank.
    """

    name: str
    title: str
    kind: str
    fields: tuple[Field, ...]
    features: Sequence[tuple[Points, Mapping[str, Any]]]
    style: str = ""


# -- GeoJSON -------------------------------------------------------------------------------------------


def geojson_text(layers: Iterable[Layer], about: Mapping[str, Any]) -> str:
    """One FeatureCollection (RFC 7946) of all layers, one feature per line.

    layers: with their fields and features, named in the property `layer`; about: for the member `landbridge`.
    """
    features, columns = [], []
    for layer in layers:
        columns += [{"layer": layer.name, **vars(field)} for field in layer.fields]
        for points, cells in layer.features:
            properties = {"layer": layer.name, **{f.name: cells.get(f.name) for f in layer.fields}}
            features.append({"type": "Feature", "geometry": _shape(points), "properties": properties})
    head = {"type": "FeatureCollection", "landbridge": {**about, "columns": columns}}
    start = json.dumps(head, ensure_ascii=False, allow_nan=False).removesuffix("}")
    lines = (json.dumps(one, ensure_ascii=False, allow_nan=False) for one in features)
    return start + ', "features": [\n' + ",\n".join(lines) + "\n]}\n"


def _shape(points: Points) -> dict[str, Any] | None:
    if not points:
        return None
    if len(points) == 1:
        return {"type": "Point", "coordinates": list(points[0])}
    return {"type": "LineString", "coordinates": [list(point) for point in points]}


# -- GeoPackage ----------------------------------------------------------------------------------------

_APPLICATION_ID = 0x47504B47  # "GPKG"
_VERSION = 10300
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",'
    '0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],'
    'AUTHORITY["EPSG","4326"]]'
)
_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT(256), f_table_schema TEXT(256),
  f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
CREATE TABLE about (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, topic TEXT, text TEXT);
CREATE TABLE columns (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, layer TEXT, name TEXT, unit TEXT, meaning TEXT);
"""
_TYPES = {"text": "TEXT", "real": "DOUBLE", "boolean": "BOOLEAN"}
_SHAPES = {"line": "LINESTRING", "point": "POINT"}


def gpkg_bytes(layers: Sequence[Layer], about: Sequence[tuple[str, str]]) -> bytes:
    """A GeoPackage 1.3: a feature table and a QGIS style per layer, texts in `about` and `columns`.

    layers: the layers; about: topics and texts.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    base = sqlite3.connect(":memory:")
    try:
        base.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        base.execute(f"PRAGMA user_version = {_VERSION}")
        base.executescript(_TABLES)
        base.executemany(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)",
            [
                ("WGS 84 geodetic", 4326, "EPSG", 4326, _WGS84, "longitude and latitude in degrees"),
                ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", "undefined Cartesian"),
                ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic"),
            ],
        )
        for layer in layers:
            _write_layer(base, layer, now)
        texts = {
            "about": "the question, units, sources and attribution",
            "columns": "unit and meaning of the columns",
            "layer_styles": "styles for QGIS",
        }
        for name, text in texts.items():
            base.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, "
                "srs_id) VALUES (?, 'attributes', ?, ?, ?, 0)",
                (name, name, text, now),
            )
        base.executemany("INSERT INTO about (topic, text) VALUES (?, ?)", about)
        base.executemany(
            "INSERT INTO columns (layer, name, unit, meaning) VALUES (?, ?, ?, ?)",
            [(layer.name, f.name, f.unit, f.meaning) for layer in layers for f in layer.fields],
        )
        base.commit()
        return bytes(base.serialize())
    finally:
        base.close()


def _write_layer(base: sqlite3.Connection, layer: Layer, now: str) -> None:
    table = _quoted(layer.name)
    columns = ", ".join(f"{_quoted(field.name)} {_TYPES[field.type]}" for field in layer.fields)
    base.execute(
        f"CREATE TABLE {table} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "
        f"geom {_SHAPES[layer.kind]}, {columns})"
    )
    names = ", ".join(["geom", *(_quoted(field.name) for field in layer.fields)])
    marks = ", ".join("?" * (1 + len(layer.fields)))
    base.executemany(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",
        [
            [write_geometry(points), *(cells.get(f.name) for f in layer.fields)]
            for points, cells in layer.features
        ],
    )
    lon = [lon for points, _ in layer.features for lon, _ in points]
    lat = [lat for points, _ in layer.features for _, lat in points]
    box = (min(lon), min(lat), max(lon), max(lat)) if lon else (None,) * 4
    base.execute(
        "INSERT INTO gpkg_contents VALUES (?, 'features', ?, ?, ?, ?, ?, ?, ?, 4326)",
        (layer.name, layer.name, layer.title, now, *box),
    )
    base.execute(
        "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, 4326, 0, 0)",
        (layer.name, _SHAPES[layer.kind]),
    )
    if layer.style:
        base.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
            "styleName, styleQML, styleSLD, useAsDefault, description, owner, update_time) "
            "VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '', ?)",
            (layer.name, layer.name[:30], layer.style, layer.title, now),
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# -- GMNS ----------------------------------------------------------------------------------------------

_GMNS_README = """# A network of landbridge in GMNS

`node.csv`, `link.csv`, `config.csv` and `use_definition.csv` follow the General Modeling Network
Specification 0.96 (Zephyr Foundation). Its names are used where it has one; columns it does not have
are ours and stand to the right of them. World {hash}.

Lengths are km, speeds km/h, coordinates degrees (WGS 84), money {currency}. A link is undirected
(`directed` is 0): both directions have the same line, and columns that end in `_forward` (from_node to
to_node) and `_backward` give the two directions. {schematic}

`allowed_uses` names the service a link carries: `block` and `wagonload` are the two rail products
(container block trains and wagonload), `truck`, `ship` and `ferry` the rest. `free_speed` is a
running speed: stops on the way, driving-hour limits, border hours, gauge changes and terminals come on
top, so a path by free speed alone is far too fast. Planned and closed links are listed and must be left
out by `status` if only the network in service is wanted.

## Columns

{columns}

## Attribution

The data are not under the licence of the code. Lengths with `length_source` osm were measured on a graph
derived from OpenStreetMap and are under the Open Database License 1.0.

{attribution}
"""


def gmns_files(
    nodes: tuple[tuple[Field, ...], Sequence[Mapping[str, Any]]],
    links: tuple[tuple[Field, ...], Sequence[Mapping[str, Any]]],
    config: Mapping[str, str],
    uses: Sequence[tuple[str, str]],
    hash: str,
    attribution: Sequence[str],
) -> dict[str, str]:
    """The contents of the files of a GMNS network, by name.

    nodes, links: columns and rows of each; config: one row of settings; uses: names of uses with their
    meaning; hash: of the World; attribution: lines of the data sources.
    """
    files = {}
    told = []
    for name, (fields, rows) in (("node.csv", nodes), ("link.csv", links)):
        cells = [[_cell(row.get(field.name)) for field in fields] for row in rows]
        files[name] = csv_text([[field.name for field in fields], *cells])
        told += [f"### {name}", "", "| column | unit | meaning |", "|---|---|---|"]
        told += [f"| {f.name} | {f.unit} | {f.meaning} |" for f in fields]
        told.append("")
    files["config.csv"] = csv_text([list(config), list(config.values())])
    head = ["use", "persons_per_vehicle", "pce", "special_conditions", "description"]
    freight = "freight: persons and car equivalents do not apply"
    files["use_definition.csv"] = csv_text([head, *([use, "0", "0", freight, text] for use, text in uses)])
    files["README.md"] = _GMNS_README.format(
        currency=config["currency"],
        hash=hash[:12],
        schematic=SCHEMATIC,
        columns="\n".join(told).rstrip(),
        attribution="\n".join(f"* {line}" for line in attribution),
    )
    return files


def write_gmns(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of `gmns_files`, by name, to a new folder, under a temporary name first, then renamed.

    Raises DataError where the folder exists or cannot be written to.
    """
    target = free_folder(folder)
    beside: Path | None = None
    try:
        beside = folder_beside(target)
        for name, text in files.items():
            write_text(beside / name, text)
        if target.is_dir():
            target.rmdir()
        beside.rename(target)
    except OSError as error:
        fault = Fault(str(folder), f"cannot be written ({error.strerror})", "choose another place")
        raise DataError("nothing was written", [fault]) from None
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)
