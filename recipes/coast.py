"""Make the coast of the maps, report/html/coast.csv, from Natural Earth's land at 1:50 million.

    python recipes/coast.py land-50m.json

The argument is the file of that name in the npm package world-atlas 2.0.2 (ISC), which holds Natural Earth
(public domain) as TopoJSON. Rings are cut to the extent of the maps, simplified and written in hundredths of
a degree. Not part of `make data`: no number rests on it.
"""

from __future__ import annotations

import csv
import itertools
import json
import sys
from pathlib import Path

Point = tuple[float, float]

OUT = Path(__file__).parents[1] / "src" / "landbridge" / "report" / "html" / "coast.csv"
# Degrees west, south, east, north: the extent of the maps and some more, since the projection bends edges.
WINDOW = (-16.0, 8.0, 144.0, 71.0)
# Largest distance of a left out point from the line [degrees], and smallest ring kept [square degrees].
TOLERANCE, SMALLEST = 0.07, 0.12


def rings(path: Path) -> list[list[Point]]:
    """Every ring of the land, in degrees east and north."""
    body = json.loads(path.read_text("utf-8"))
    (sx, sy), (ox, oy) = body["transform"]["scale"], body["transform"]["translate"]
    arcs = []
    for arc in body["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * sx + ox, y * sy + oy))
        arcs.append(points)
    found = []
    for shape in body["objects"]["land"]["geometries"]:
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        for ring in (ring for polygon in polygons for ring in polygon):
            points = []
            for number in ring:
                part = arcs[number] if number >= 0 else arcs[~number][::-1]
                points += part[1:] if points else part
            found.append(unwrapped(points))
    return found


def unwrapped(ring: list[Point]) -> list[Point]:
    """The ring without a jump where it crosses 180 degrees: longitudes go on, with its middle within 180."""
    turns, out = 0.0, ring[:1]
    for (before, _), (lon, lat) in itertools.pairwise(ring):
        if abs(lon - before) > 180.0:
            turns += 360.0 if lon < before else -360.0
        out.append((lon + turns, lat))
    longitudes = [lon for lon, _ in out]
    back = 360.0 * round((min(longitudes) + max(longitudes)) / 720.0)
    return [(lon - back, lat) for lon, lat in out]


def cut(ring: list[Point]) -> list[Point]:
    """The part of a ring inside the window (Sutherland and Hodgman 1974)."""
    west, south, east, north = WINDOW
    for axis, bound, sign in ((0, west, 1), (0, east, -1), (1, south, 1), (1, north, -1)):
        kept: list[Point] = []
        for here, there in zip(ring, [*ring[1:], ring[0]] if ring else [], strict=True):
            a, b = sign * (here[axis] - bound), sign * (there[axis] - bound)
            if a >= 0.0:
                kept.append(here)
            if (a < 0.0) != (b < 0.0):
                t = a / (a - b)
                kept.append((here[0] + t * (there[0] - here[0]), here[1] + t * (there[1] - here[1])))
        ring = kept
    return ring


def simple(points: list[Point]) -> list[Point]:
    """A line without the points that lie within TOLERANCE of it (Douglas and Peucker 1973)."""
    keep, todo = {0, len(points) - 1}, [(0, len(points) - 1)]
    while todo:
        first, last = todo.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        long = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        most, at = TOLERANCE, 0
        for n in range(first + 1, last):
            x, y = points[n]
            off = (
                abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / long
                if long
                else ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5
            )
            if off > most:
                most, at = off, n
        if at:
            keep.add(at)
            todo += [(first, at), (at, last)]
    return [points[n] for n in sorted(keep)]


def area(ring: list[Point]) -> float:
    """Area of a ring in square degrees."""
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2.0


def main() -> None:
    """Write the table."""
    kept = [cut(ring) for ring in rings(Path(sys.argv[1]))]
    kept = [simple([*ring, ring[0]])[:-1] for ring in kept if len(ring) > 3 and area(ring) >= SMALLEST]
    kept = sorted((ring for ring in kept if len(ring) > 3), key=area, reverse=True)
    with OUT.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("ring", "lon", "lat"))
        for number, ring in enumerate(kept):
            writer.writerows((number, round(x, 2), round(y, 2)) for x, y in ring)


if __name__ == "__main__":
    main()
