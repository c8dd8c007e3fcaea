"""Distance on a sphere, from longitude and latitude in degrees."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["great_circle_km"]

_RADIUS_KM = 6371.0


def great_circle_km(
    lon_a: ArrayLike, lat_a: ArrayLike, lon_b: ArrayLike, lat_b: ArrayLike
) -> NDArray[np.float64]:
    """Great-circle distance [km] between places a and b by the haversine formula.

    lon_a, lat_a, lon_b, lat_b: numbers or arrays of one shape [degree]. Returns an array of that shape.

    d = 2 R asin sqrt(sin^2(dlat / 2) + cos lat_a cos lat_b sin^2(dlon / 2))
    """
    west, south, east, north = (np.radians(np.asarray(x, dtype=float)) for x in (lon_a, lat_a, lon_b, lat_b))
    half = np.sin((north - south) / 2) ** 2 + np.cos(south) * np.cos(north) * np.sin((east - west) / 2) ** 2
    return np.asarray(2.0 * _RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0))))
