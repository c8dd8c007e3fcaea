"""The coast of the maps, drawn by figures and by the map in the browser (Natural Earth, public domain)."""

from __future__ import annotations

import csv
import json
from functools import cache
from importlib.resources import files
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

__all__ = ["area", "inside", "land_geojson", "rings"]

Ring = NDArray[np.float64]


@cache
def rings() -> tuple[Ring, ...]:
    """The closed rings of the coast [point, longitude and latitude], in degrees.

    Land goes clockwise, water inside it counter-clockwise.
    """
    text = files("landbridge.report.html").joinpath("coast.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    found = []
    for _, ring in groupby(rows, key=itemgetter("ring")):
        points = [(float(row["lon"]), float(row["lat"])) for row in ring]
        found.append(np.array([*points, points[0]]))
        found[-1].setflags(write=False)
    return tuple(found)


def land_geojson() -> str:
    """The land as GeoJSON: one MultiPolygon with the seas inside it left out."""
    # In GeoJSON land goes counter-clockwise and water clockwise, the other way than in the file.
    turned = [ring[::-1] for ring in rings()]
    polygons = [[ring] for ring in turned if area(ring) > 0.0]
    for ring in turned:
        if area(ring) < 0.0:
            around = [one for one in polygons if inside(ring[0], one[0])]
            min(around, key=lambda one: area(one[0])).append(ring)
    coordinates = [[ring.tolist() for ring in polygon] for polygon in polygons]
    geometry = {"type": "MultiPolygon", "coordinates": coordinates}
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}) + "\n"


def area(ring: Ring) -> float:
    """The area of a closed ring in square degrees, negative where it goes clockwise.

    area = sum (x_i y_i+1 - x_i+1 y_i) / 2

    ring: [point, longitude and latitude], in degrees.
    """
    x, y = ring.T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2.0)


def inside(point: NDArray[np.float64], ring: Ring) -> bool:
    """Whether a point is inside a closed ring: a ray to the east crosses it an odd number of times.

    point [longitude and latitude], in degrees; ring: [point, longitude and latitude], in degrees.
    """
    (x1, y1), (x2, y2) = ring[:-1].T, ring[1:].T
    across = (y1 > point[1]) != (y2 > point[1])
    at = x1[across] + (point[1] - y1[across]) / (y2[across] - y1[across]) * (x2[across] - x1[across])
    return bool(np.count_nonzero(at > point[0]) % 2)
