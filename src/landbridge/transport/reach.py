"""Hours door to door from one place to every zone, for a map of how far freight gets in a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from landbridge.errors import DataError, Fault, InfeasibleError
from landbridge.transport.between import Between, choose_from
from landbridge.transport.freight import carried
from landbridge.transport.routes.route_set import FAMILIES
from landbridge.world import World
from landbridge.world.names import resolve_place, resolve_sector

__all__ = ["reach"]


def reach(world: World, origin: str, commodity: str = "MCH") -> dict[str, Any]:
    """Hours, money and emissions from a zone to every other zone, per TEU.

    time_h = sum over products p and routes r of beta_p s_f P_r h_r, the mean of all freight of the commodity
    at the waits of the base; quickest_h = min h_r over the open routes of the products that carry the
    commodity, of family `quickest_family`.

    world: from `lb.load`; origin: zone by name (en, ru, zh) or identifier; commodity: a sector by code or
    name. Returns from, commodity and `places`, a row for each zone that a route leads to. Raises DataError
    for unknown names and a place that is no zone, InfeasibleError where no route leads to any zone.
    """
    (start,) = resolve_place(world.network, origin)
    zones = {str(row["place_id"]): str(row["region"]) for row in world.network["zones"]}
    sectors = [str(row["sector"]) for row in world.network["sector_freight"]]
    code, fault = resolve_sector(world.tables, commodity, "commodity", sectors)
    faults = [fault] if fault else []
    if start not in zones:
        cure = "give a place with zone true: table zones, or /api/places"
        faults.append(Fault("from", f"no trade begins at {start}", cure))
    if faults:
        raise DataError("the question cannot be answered", faults)
    to = [zone for zone in zones if zone != start]
    regions = [zones[zone] for zone in to]
    traded = carried(world, [zones[start]], regions)[0] & (np.array(regions) != zones[start])
    # The stored base has the pairs that trade: the others are searched, and apart, so that these are not.
    rows: list[dict[str, Any]] = []
    cut: InfeasibleError | None = None
    for part in (traded, ~traded):
        some = [zone for zone, wanted in zip(to, part, strict=True) if wanted]
        try:
            rows += _rows(choose_from(world, start, some, code), some, sectors.index(code)) if some else []
        except InfeasibleError as error:
            cut = error  # the others may still be reached
    if cut is not None and not rows:
        raise cut
    return {"from": start, "commodity": code, "places": rows}


def _rows(found: Between, to: Sequence[str], sector: int) -> Iterator[dict[str, Any]]:
    """A row for each zone that a route leads to; to: the zones, a pair for each."""
    hours, money, co2e = found.choice.expected(sector)
    block = found.classes.block_share[sector, found.routes.pair]
    times = np.where([block > 0.0, block < 1.0], found.choice.sums.time_h, np.inf).min(axis=0)
    times[~found.available] = np.inf
    for pair, place in enumerate(to):
        mine = found.routes.routes_of(pair)
        if pair in found.choice.unreachable or not len(mine):
            continue
        best = mine.start + int(times[mine.start : mine.stop].argmin())
        yield {
            "place": place,
            "time_h": float(hours[pair]),
            "cost_usd": float(money[pair]),
            "co2e_kg": float(co2e[pair]),
            "quickest_h": float(times[best]),
            "quickest_family": FAMILIES[found.routes.family[best]],
        }
