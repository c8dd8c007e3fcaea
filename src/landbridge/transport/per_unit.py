"""Routes per 40-foot container or per truck load instead of per TEU."""

from __future__ import annotations

from dataclasses import replace

from landbridge.errors import DataError, Fault
from landbridge.transport.graph import LAYERS, PRODUCTS, RAILS, ROAD, WAGONLOAD
from landbridge.transport.legs import Leg, Routes, exact

__all__ = ["TRUCK_T", "UNITS", "goods_t", "per_unit"]

UNITS = ("teu", "feu", "truck")
# Load of a truck [t]: the shipment of which rates on roads and of wagonload are (rates.csv).
TRUCK_T = 20.0
_TEU_PER_FEU = 2.0


def goods_t(unit: str, payload_t: float) -> float:
    """Tonnes of goods in a unit: in a TEU the payload, in a FEU twice that, in a truck 20 t.

    unit: teu, feu or truck; payload_t: of a TEU [t]. Raises DataError for another unit.
    """
    found = {"teu": payload_t, "feu": _TEU_PER_FEU * payload_t, "truck": TRUCK_T}
    if unit not in found:
        raise DataError("no such unit", [Fault("per", f"is {unit!r}", "use one of " + ", ".join(UNITS))])
    return found[unit]


def per_unit(routes: Routes, unit: str, payload_t: float) -> Routes:
    """The routes with money and emissions per unit.

    CO2e and the value of time are those of a TEU times t / payload. Money of container legs is too. Money of
    truck legs and of wagonload is that of the table: its rates are of a shipment of 20 t, read as one TEU.

    routes: per TEU, not after a scenario; unit: teu, feu (two TEU) or truck (20 t); payload_t: of a TEU [t].
    Shares and hours are those of the routes as given. Raises DataError for another unit and for routes after
    a scenario, whose figures of the base are not known by leg.
    """
    times = goods_t(unit, payload_t) / payload_t
    if unit == routes.per:
        return routes
    if routes.scenario is not None or routes.per != "teu":
        fault = Fault("per", "routes after a scenario are per TEU", "leave out the unit, or the scenario")
        raise DataError("no such figures", [fault])
    shipment = {LAYERS[ROAD]}
    if routes.product == PRODUCTS[WAGONLOAD]:
        shipment |= {LAYERS[layer] for layer in RAILS}
    told = [
        replace(
            one,
            legs=tuple(_scaled(leg, 1.0 if leg.mode in shipment else times, times) for leg in one.legs),
            time_value_usd=one.time_value_usd * times,
            reliability_usd=one.reliability_usd * times,
        )
        for one in routes
    ]
    return replace(routes, routes=tuple(told), per=unit)


def _scaled(leg: Leg, money: float, kg: float) -> Leg:
    terms = tuple(
        replace(term, cost_usd=exact(term.cost_usd * money), co2e_kg=exact(term.co2e_kg * kg))
        for term in leg.terms
    )
    tank = None if leg.co2e_ttw_kg is None else leg.co2e_ttw_kg * kg
    return replace(leg, terms=terms, co2e_ttw_kg=tank)
