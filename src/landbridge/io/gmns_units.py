"""Units of a GMNS network: from config.csv, else inferred from lengths and coordinates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from landbridge.io.gmns_cells import Row, text_of
from landbridge.io.tally import Tally
from landbridge.world.distance import great_circle_km
from landbridge.world.table import quoted

__all__ = ["KM", "KMH", "judged", "unit"]

KM = {"km": 1.0, "kilometer": 1.0, "kilometre": 1.0, "mi": 1.609344, "mile": 1.609344, "m": 0.001}
KM |= {"meter": 0.001, "metre": 0.001, "ft": 0.0003048, "foot": 0.0003048, "feet": 0.0003048}
KMH = {"km/h": 1.0, "kph": 1.0, "kmh": 1.0, "kmph": 1.0, "mph": 1.609344, "mi/h": 1.609344, "m/s": 3.6}
# Length of a road over the straight line between its ends: for the median link, and for most links.
_MEDIAN, _MOST, _SHARE = (0.9, 1.9), (0.9, 4.0), 0.8
# Coordinates beyond this are not kilometres but metres or feet.
_FAR = 50_000.0
# Shorter straight lines are left out of the comparison [km].
_SHORT = 0.02

Floats = NDArray[np.float64]


def unit(settings: Row, name: str, known: Mapping[str, float], tally: Tally) -> float:
    """The factor of a unit stated in config.csv; 1 where none is stated.

    settings: row of config.csv; name: of the setting; known: factor by unit; tally: takes the fault of an
    unknown unit.
    """
    told = text_of(settings, name).casefold()
    factor = known.get(told, known.get(told.removesuffix("s"))) if told else 1.0
    if factor is None:
        what = f"{name} {quoted(told)} is not known"
        tally.add(f"config {name}", "config.csv", what, "one of " + ", ".join(known))
        return 1.0
    return factor


def judged(length: Floats, ends: Floats, km: float, told: str) -> tuple[float, str]:
    """Kilometres per unit of length after comparison with the coordinates, and a note where they disagree.

    length [link]: as in the file; ends [link, 4]: x and y of both ends; km: kilometres in the unit as stated;
    told: its name in config.csv, blank where none is given. Another unit is used only where none is named,
    coordinates are longitudes and latitudes, and one unit fits.
    """
    degrees = bool(len(ends)) and bool((np.abs(ends) <= (180, 90, 180, 90)).all())
    straight = (
        great_circle_km(*ends.T) if degrees else np.hypot(ends[:, 0] - ends[:, 2], ends[:, 1] - ends[:, 3])
    )
    good = (straight > _SHORT) & (length > 0)
    if not good.any():
        return km, ""
    ratio = length[good] / straight[good]
    median = float(np.median(ratio))
    if not degrees:
        if km > 0.01 and np.abs(ends).max() > _FAR and _fits(ratio, 1.0):
            return km, (
                "warning: lengths are those between the coordinates of the nodes, which are metres or feet: "
                f"they do not look like {told or 'km'}; give long_length in config.csv"
            )
        return km, ""
    if _fits(ratio, km):
        return km, ""
    other = next((name for name in ("m", "ft") if _fits(ratio, KM[name])), "")
    names = {"m": "metres", "ft": "feet"}
    far = f"the median one is {median:,.4g} times the kilometres between the ends (longitude, latitude)"
    if other and not told:
        return KM[other], (
            f"warning: lengths look like {names[other]} and are taken as {names[other]}: {far}; "
            "give long_length in config.csv"
        )
    if other:
        what = f"lengths look like {names[other]} and are taken as {told or 'km'}"
        return km, f"warning: {what}: {far}; check long_length in config.csv"
    if median * km > 100:
        return km, f"warning: lengths do not look like {told or 'km'}: {far}; check long_length in config.csv"
    return km, ""


def _fits(ratio: Floats, km: float) -> bool:
    roads = ratio * km
    usual = float(np.mean((roads >= _MOST[0]) & (roads <= _MOST[1])))
    return _MEDIAN[0] <= float(np.median(roads)) <= _MEDIAN[1] and usual >= _SHARE
