"""Places and links as a GeoPackage to edit in QGIS, and the edited file back into a World.

`write_gis` makes the file, `read_gis` reads and checks it, `merge_gis` puts it into a World. Where a place is
follows from its point. A line belongs to the places at its ends, whatever way it takes between them.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from landbridge.errors import DataError, Fault
from landbridge.io.export import cell_text
from landbridge.io.files import read_bytes, write_bytes
from landbridge.io.geometry import Points, read_geometry
from landbridge.io.network import SCHEMATIC, Field, Layer, gpkg_bytes
from landbridge.io.qgis import MODES
from landbridge.world import World
from landbridge.world.distance import great_circle_km
from landbridge.world.table import Cell, Table, cell_number, columns_of, quoted
from landbridge.world.validate import KEYS, check_cells, check_network, spelled

__all__ = ["LAYERS", "Edited", "merge_gis", "read_gis", "write_gis"]

# Layer -> kind of its shapes. Their names are those of the tables.
LAYERS = {"places": "point", "links": "line"}
# An end of a line is at a place within this distance; a place moved further is taken for a slip.
SNAP_KM, MOVED_KM = 25.0, 100.0
# Shift of a coordinate that is no edit: about a tenth of a metre.
_STILL_DEGREE = 1e-6
_MOST_FAULTS, _MOST_FEATURES = 20, 100_000
# Columns that say where the figures of a row come from, and those held by the point of a place.
_ABOUT = ("source", "year", "basis", "note")
_POINT = ("lon", "lat")
_GUIDE = (
    "Edit attributes, move points, draw lines and points, save the layers and close QGIS. Then: landbridge "
    "data import-gpkg THIS_FILE MY_WORLD. A new line needs link_id and mode; other cells that it must have "
    "get their usual value where they are blank. Its from_place and to_place are found from its ends where "
    "they are blank, its length is measured along it where length_km is blank. Other lines have a blank "
    "length_km where a table of measured lengths holds it. Rows cannot be deleted, since borders and ports "
    "stand on them: set status to closed."
)


@dataclass
class Edited:
    """An edited file, by layer.

    rows: typed cells by column; shapes: their points in degrees; at: the place of each in faults.
    """

    rows: dict[str, list[dict[str, Cell]]] = field(default_factory=dict)
    shapes: dict[str, list[Points]] = field(default_factory=dict)
    at: dict[str, list[str]] = field(default_factory=dict)


def write_gis(path: Path, world: World, attribution: Sequence[str] = ()) -> None:
    """Write places and links with every column of their tables, to edit.

    path: of a new .gpkg file; world: with the tables; attribution: lines of the data. Raises DataError where
    the file exists or cannot be written.
    """
    if path.exists():
        raise DataError("nothing was written", [Fault(str(path), "is there already", "give a new name")])
    at = {str(row["place_id"]): _degrees(row) for row in world.network["places"]}
    layers = []
    for name, kind in LAYERS.items():
        features = []
        for row in world.network[name]:
            ends = ("place_id",) if name == "places" else ("from_place", "to_place")
            points = tuple(at[str(row[end])] for end in ends if str(row[end]) in at)
            features.append((points, {c: _shown(row[c]) for c in _columns(name)}))
        fields = tuple(
            Field(c.name, "real" if c.type in ("float", "int") else "text", c.unit, c.description)
            for c in columns_of(name).values()
            if c.name not in _left_out(name)
        )
        layers.append(Layer(name, f"{name}, to edit", kind, fields, features))
    texts = [
        ("editing", _GUIDE),
        ("modes", ", ".join(MODES)),
        ("world", world.hash),
        ("geometry", SCHEMATIC),
        *(("attribution", line) for line in attribution),
    ]
    write_bytes(path, gpkg_bytes(layers, texts))


def _left_out(name: str) -> tuple[str, ...]:
    return _POINT if name == "places" else ()


def _columns(name: str) -> list[str]:
    return [column for column in columns_of(name) if column not in _left_out(name)]


def _degrees(row: Mapping[str, Cell]) -> tuple[float, float]:
    """Longitude and latitude of a place."""
    return cell_number(row, "lon"), cell_number(row, "lat")


def _shown(cell: Cell) -> str | float | None:
    """A cell as an attribute: a number, text or nothing."""
    if cell is None or isinstance(cell, str | bool):
        return None if cell is None else cell_text(cell)
    return float(cell)


# -- reading ---------------------------------------------------------------------------------------


def read_gis(path: Path, world: World) -> Edited:
    """The rows and shapes of an edited file.

    path: the .gpkg file; world: that it was made from. What a new feature must have and lacks gets its usual
    value; its source is the file, its basis an assumption. Raises DataError with every fault of it: a layer
    or a column that is missing, another coordinate system, a shape of another kind or without a place on
    Earth, cells that break the schema.
    """
    raw = bytearray(read_bytes(path))
    waiting = path.with_name(path.name + "-wal")
    if waiting.is_file() and waiting.stat().st_size:
        cure = "save the layers and close the program that has it open (QGIS), then call again"
        raise DataError("the file cannot be read", [Fault(path.name, "is still being edited", cure)])
    if raw[:15] != b"SQLite format 3":
        raise DataError("the file cannot be read", [Fault(path.name, "is no GeoPackage", "save it as .gpkg")])
    # A file left in the mode of its last writer: read as an ordinary one.
    raw[18:20] = b"\x01\x01"
    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(bytes(raw))
        edited, faults = Edited(), list[Fault]()
        for name in LAYERS:
            known = {str(row[KEYS[name][0]]) for row in world.network[name]}
            faults += _read_layer(base, name, edited, (known, path.name))
    except sqlite3.Error as error:
        fault = Fault(path.name, f"cannot be read as a GeoPackage ({error})", "save it again")
        raise DataError("the file cannot be read", [fault]) from None
    finally:
        base.close()
    if faults:
        raise DataError(f"{path.name} cannot be used", spelled(faults, path.name, _MOST_FAULTS))
    return edited


def _read_layer(
    base: sqlite3.Connection, name: str, edited: Edited, given: tuple[Collection[str], str]
) -> list[Fault]:
    """Read a layer; given: identifiers of the rows that the World has, and the name of the file."""
    here = f"layer {name}"
    found = base.execute(
        "SELECT g.column_name, s.organization, s.organization_coordsys_id FROM gpkg_geometry_columns g "
        "JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id WHERE g.table_name = ?",
        (name,),
    ).fetchone()
    if found is None:
        return [Fault(here, "is not in the file", "start from `landbridge data export FILE.gpkg`")]
    shape, *system = found
    if (str(system[0]).upper(), system[1]) != ("EPSG", 4326):
        return [Fault(here, f"is in {system[0]}:{system[1]}", "save it in EPSG:4326 (WGS 84)")]
    listed = [str(row[1]) for row in base.execute(f"PRAGMA table_info({_quoted(name)})")]
    columns = [column for column in _columns(name) if column in listed]
    missing = [column for column in _columns(name) if column not in listed]
    if missing:
        return [Fault(here, "columns are missing", f"keep {', '.join(missing)}")]
    order = "fid" if "fid" in listed else "rowid"
    chosen = ", ".join(_quoted(column) for column in (order, shape, *columns))
    rows = base.execute(
        f"SELECT {chosen} FROM {_quoted(name)} ORDER BY 1 LIMIT {_MOST_FEATURES + 1}"
    ).fetchall()
    if len(rows) > _MOST_FEATURES:
        return [Fault(here, f"has more than {_MOST_FEATURES:,} features", "keep those of the network")]
    faults: list[Fault] = []
    edited.rows[name], edited.shapes[name], edited.at[name] = [], [], []
    for number, blob, *cells in rows:
        texts = dict(zip(columns, cells, strict=True))
        at = f"{here}, feature {number}"
        if texts.get(KEYS[name][0]):
            at += f" ({quoted(str(texts[KEYS[name][0]]))})"
        points, wrong = read_geometry(blob, LAYERS[name])
        if wrong:
            cure = "draw a point" if LAYERS[name] == "point" else "draw one line, without gaps"
            faults.append(Fault(at, wrong, cure))
        cells_of, unreadable = _texts(texts, at)
        if cells_of.get(KEYS[name][0]) not in given[0]:
            cells_of = _usual(name, given[1]) | {key: text for key, text in cells_of.items() if text}
        row, unfit = _row(name, cells_of, points, at)
        faults += unreadable + unfit
        edited.rows[name].append(row)
        edited.shapes[name].append(points)
        edited.at[name].append(at)
    return faults


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _texts(cells: Mapping[str, Any], at: str) -> tuple[dict[str, str], list[Fault]]:
    """The attributes of a feature as the text of a table's cells."""
    bad = [column for column, value in cells.items() if isinstance(value, bytes)]
    texts = {c: "" if v is None or c in bad else cell_text(v) for c, v in cells.items()}
    return texts, [Fault(f"{at}, {c}", "is not text or a number", "leave it blank") for c in bad]


def _usual(name: str, file: str) -> dict[str, str]:
    """What a new feature has where its cells are blank."""
    known = {column.name: column.default for column in columns_of(name).values() if column.default}
    return known | {"source": f"drawn in {file}", "basis": "assumption"}


def _row(name: str, texts: Mapping[str, str], points: Points, at: str) -> tuple[dict[str, Cell], list[Fault]]:
    """A typed row and its faults. The ends of a line may be blank as yet."""
    lon, lat = points[0] if points else (0.0, 0.0)
    where = {"lon": repr(lon), "lat": repr(lat)} if name == "places" else {}
    row, faults = check_cells(name, {**texts, **where}, at)
    found_later = {f"{at}, {column}" for column in ("from_place", "to_place") if not texts.get(column)}
    return row, [fault for fault in faults if fault.where not in found_later]


# -- into a World ----------------------------------------------------------------------------------


def merge_gis(
    world: World, edited: Edited, name: str
) -> tuple[World, dict[str, dict[str, int]], list[dict[str, str]]]:
    """The World with the edits, counts of rows replaced and added, and rows for SOURCES.csv.

    world: that the file was made from; edited: from `read_gis`; name: of the file. A row whose figures were
    edited and whose source was not says that it was edited, and what it held. Raises DataError with every
    fault: rows that are missing or there twice, places moved further than MOVED_KM, lines whose ends are at
    no place or at others than they name, and every rule of the tables that the edits break.
    """
    faults: list[Fault] = []
    old = {table: {str(row[KEYS[table][0]]): row for row in world.network[table]} for table in LAYERS}
    places = _places(edited, old["places"], faults)
    links = _links(edited, _Known(places, old["places"]), old["links"], faults)
    tables: dict[str, Table] = {}
    counts: dict[str, dict[str, int]] = {}
    for table, rows in (("places", places), ("links", links)):
        faults += _lost_and_repeated(table, rows, edited.at[table], old[table])
        keys = [str(row[KEYS[table][0]]) for row in rows]
        labelled = [_labelled(old[table].get(key), row, name) for key, row in zip(keys, rows, strict=True)]
        differing = [
            key for key, row in zip(keys, labelled, strict=True) if dict(old[table].get(key, {})) != row
        ]
        if differing:
            added = len(set(differing) - set(old[table]))
            counts[table] = {"replaced": len(differing) - added, "added": added}
            tables[table] = world.network[table].with_rows(labelled)
    if faults:
        raise DataError(f"{name} does not fit this World", spelled(faults, name, _MOST_FAULTS))
    measured = world.network["link_lengths_osm"]
    own = {row["link_id"] for row in links if row["length_km"] is not None}
    if any(row["link_id"] in own for row in measured):
        tables["link_lengths_osm"] = measured.with_rows(row for row in measured if row["link_id"] not in own)
    new = world.with_network(**tables)
    known = {(fault.what, fault.cure) for fault in check_network(world.network)}
    broken = [fault for fault in check_network(new.network) if (fault.what, fault.cure) not in known]
    if broken:
        raise DataError(f"{name} does not fit this World", spelled(broken, name, _MOST_FAULTS))
    return new, counts, [_source(table, name) for table in counts]


def _source(table: str, file: str) -> dict[str, str]:
    """A row of SOURCES.csv for a table that was edited."""
    return {
        "table": table,
        "source": f"edited in {file}",
        "year": "",
        "licence": "own use only",
        "attribution": f"Edited by hand in {file}",
        "note": "own data, merged from a GeoPackage",
    }


def _lost_and_repeated(
    table: str, rows: Sequence[Mapping[str, Cell]], at: Sequence[str], old: Collection[str]
) -> list[Fault]:
    """Faults of rows that the World has and the file lacks, and of identifiers that are there twice."""
    key = KEYS[table][0]
    times = Counter(str(row[key]) for row in rows)
    lost = [one for one in old if one not in times]
    twice = [(place, str(row[key])) for place, row in zip(at, rows, strict=True) if times[str(row[key])] > 1]
    return [
        *(
            Fault(f"layer {table}", f"{quoted(one)} is missing", "undo the deletion; close it by status")
            for one in lost
        ),
        *(
            Fault(place, f"{key} {quoted(one)} is there twice", "give the new one another")
            for place, one in twice
        ),
    ]


def _places(
    edited: Edited, old: Mapping[str, Mapping[str, Cell]], faults: list[Fault]
) -> list[dict[str, Cell]]:
    rows = []
    for row, at in zip(edited.rows["places"], edited.at["places"], strict=True):
        before = old.get(str(row["place_id"]))
        if before is not None:
            here, there = _degrees(row), _degrees(before)
            if _near(here, there):
                row |= {"lon": before["lon"], "lat": before["lat"]}
            elif _km(here, there) > MOVED_KM:
                cure = "undo the move; another place has a place_id of its own"
                faults.append(Fault(at, f"was moved by {_km(here, there):,.0f} km", cure))
        rows.append(row)
    return rows


def _links(
    edited: Edited, known: _Known, links: Collection[str], faults: list[Fault]
) -> list[dict[str, Cell]]:
    """Rows of links with their ends found from the lines, and the length of new ones.

    links: ids that the World has.
    """
    rows = []
    for row, line, at in zip(edited.rows["links"], edited.shapes["links"], edited.at["links"], strict=True):
        named = row["from_place"], row["to_place"]
        # A line may be drawn from either end.
        if not known.at(line, named) and known.at(line[::-1], named):
            line = line[::-1]
        for column, point in zip(("from_place", "to_place"), (line[0], line[-1]), strict=True):
            row[column], fault = known.end(row[column], point, column)
            if fault:
                faults.append(Fault(f"{at}, {column}", *fault))
        if str(row["link_id"]) not in links and row["length_km"] is None:
            row["length_km"] = round(sum(_km(a, b) for a, b in pairwise(line)), 1)
            note = "length measured along the drawn line"
            row["note"] = note if row["note"] is None else f"{row['note']}; {note}"
        rows.append(row)
    return rows


class _Known:
    """The places of the file, where they are and where they were before a move."""

    def __init__(self, rows: Sequence[Mapping[str, Cell]], old: Mapping[str, Mapping[str, Cell]]) -> None:
        self._ids = [str(row["place_id"]) for row in rows]
        self._degrees = np.array([_degrees(row) for row in rows])
        self._where: dict[str, list[tuple[float, float]]] = {key: [_degrees(old[key])] for key in old}
        for key, row in zip(self._ids, rows, strict=True):
            self._where.setdefault(key, []).append(_degrees(row))

    def at(self, line: Points, named: Sequence[Cell]) -> bool:
        """Whether a line begins and ends at the places named; what is not named fits."""
        return all(self._is_at(point, one) for point, one in zip((line[0], line[-1]), named, strict=True))

    def _is_at(self, point: tuple[float, float], named: Cell) -> bool:
        # The rules of the tables find names of no place.
        there = self._where.get(str(named), [])
        return named is None or not there or any(_km(point, one) <= SNAP_KM for one in there)

    def end(
        self, named: Cell, point: tuple[float, float], column: str
    ) -> tuple[Cell, tuple[str, str] | None]:
        """The place at an end of a line, and what is wrong with it and the cure."""
        far = great_circle_km(self._degrees[:, 0], self._degrees[:, 1], *point)
        nearest, apart = self._ids[int(far.argmin())], float(far.min())
        if named is None and apart > SNAP_KM:
            what = f"the line ends {apart:,.0f} km from the nearest place, {nearest}"
            return None, (what, "end it at a place, or add a place there")
        if not self._is_at(point, named):
            cure = "move the end there, or name the place where it is"
            if apart <= SNAP_KM:
                cure = f"move the end there, or set {column} to {nearest}"
            return named, (f"the line does not end at {quoted(str(named))}", cure)
        return nearest if named is None else named, None


def _near(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1])) <= _STILL_DEGREE


def _km(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(great_circle_km(*a, *b))


def _labelled(before: Mapping[str, Cell] | None, row: Mapping[str, Cell], name: str) -> dict[str, Cell]:
    """A row that says where its figures come from, if the user has not."""
    if before is None or any(row.get(column) != before.get(column) for column in _ABOUT):
        return dict(row)
    edited = [c for c in row if c not in _ABOUT and row[c] != before[c]]
    if not edited:
        return dict(row)
    held = ", ".join(f"{c} {cell_text(before[c]) or 'blank'}" for c in edited)
    about: dict[str, Cell] = {"source": f"edited in {name}", "basis": "assumption"}
    if "note" in row:
        about["note"] = f"before: {held} ({before['basis']})"
    return {**row, **about}
