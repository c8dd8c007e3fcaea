"""Shapes of a GeoPackage: points in degrees as well-known binary behind a short header, and back."""

from __future__ import annotations

import math
import struct

__all__ = ["Points", "read_geometry", "write_geometry"]

Points = tuple[tuple[float, float], ...]

# Bytes of the envelope by its code in the flags, and numbers a vertex by thousands of the type (Z, M, ZM).
_ENVELOPE = (0, 32, 48, 48, 64)
_NUMBERS = (2, 3, 3, 4)
_POINT, _LINE, _MANY = 1, 2, 3


def write_geometry(points: Points) -> bytes | None:
    """A point or a line in WGS 84, with its envelope for a line; None without points.

    points: as (lon, lat) in degrees, one for a point.
    """
    if not points:
        return None
    if len(points) == 1:
        return b"GP" + struct.pack("<BBi", 0, 1, 4326) + struct.pack("<BIdd", 1, 1, *points[0])
    lon, lat = [p[0] for p in points], [p[1] for p in points]
    # Flags: little-endian, envelope of four numbers.
    head = b"GP" + struct.pack("<BBi4d", 0, 3, 4326, min(lon), max(lon), min(lat), max(lat))
    line = struct.pack("<BII", 1, 2, len(points))
    return head + line + b"".join(struct.pack("<dd", *point) for point in points)


class _WrongError(Exception):
    """What is wrong with a shape."""


def read_geometry(blob: object, kind: str) -> tuple[Points, str]:
    """The points of a shape as (lon, lat) in degrees, and what is wrong with it, blank where nothing is.

    blob: the cell; kind: point or line. A shape of several parts is taken where it has one. Source: OGC
    GeoPackage 1.3, clause 2.1.3; OGC 06-103r4, clause 8.
    """
    try:
        return _read(blob, _POINT if kind == "point" else _LINE, kind), ""
    except _WrongError as wrong:
        return (), str(wrong)
    except (struct.error, IndexError):
        return (), "has a shape that breaks off"


def _read(blob: object, wanted: int, kind: str) -> Points:
    if not isinstance(blob, bytes) or not blob:
        raise _WrongError("has no shape")
    if blob[:2] != b"GP" or blob[2] != 0 or (blob[3] >> 1) & 7 >= len(_ENVELOPE):
        raise _WrongError("has a shape that is not that of a GeoPackage")
    if blob[3] & 0x10:
        raise _WrongError("has no shape")
    points, _ = _part(blob, 8 + _ENVELOPE[(blob[3] >> 1) & 7], wanted, kind)
    if any(not (math.isfinite(lon) and abs(lon) <= 180.0) for lon, _ in points):
        raise _WrongError("has a longitude that is not between -180 and 180")
    if any(not (math.isfinite(lat) and abs(lat) <= 90.0) for _, lat in points):
        raise _WrongError("has a latitude that is not between -90 and 90")
    if wanted == _LINE and len(set(points)) < 2:
        raise _WrongError("is a line of one point")
    return points


def _part(blob: bytes, at: int, wanted: int, kind: str) -> tuple[Points, int]:
    """One shape from a position on, and the position after it."""
    order = "<" if blob[at] else ">"
    (code,) = struct.unpack_from(f"{order}I", blob, at + 1)
    at += 5
    thousands, base = divmod(code, 1000)
    if thousands >= len(_NUMBERS):
        raise _WrongError("has a shape of an unknown kind")
    if base == wanted + _MANY:
        (parts,) = struct.unpack_from(f"{order}I", blob, at)
        if parts != 1:
            raise _WrongError(f"has {parts} parts where one {kind} is asked for")
        return _part(blob, at + 4, wanted, kind)
    if base != wanted:
        raise _WrongError(f"is no {kind}")
    n = 1
    if wanted == _LINE:
        (n,) = struct.unpack_from(f"{order}I", blob, at)
        at += 4
    width = _NUMBERS[thousands]
    if n * width * 8 > len(blob) - at:
        raise _WrongError("has a shape that breaks off")
    numbers = struct.unpack_from(f"{order}{n * width}d", blob, at)
    return tuple(zip(numbers[::width], numbers[1::width], strict=True)), at + 8 * n * width
