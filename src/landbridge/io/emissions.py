"""Emissions of a route in a JSON format that shippers exchange: iLEAP 1.0 transport chain elements.

Fields are the mandatory ones of iLEAP (Smart Freight Centre and SINE Foundation, 2025), with its names;
decimals are strings. It is model output in that format, not a verified or reported figure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["ileap_text"]

_NOTE = (
    "Modelled by landbridge, for one TEU with the standard payload; not measured, not verified, and no "
    "statement of conformity with ISO 14083, the GLEC Framework or iLEAP. Distances are along the links of "
    "the network (actual), 0 for handling."
)
_BOUND = (
    "No source splits the emissions of handling: co2eTTW of hub elements is their co2eWTW, its upper bound."
)
_ELECTRIC = (
    "Factors whose scope is 'generation, no grid loss' (electric rail) leave out grid loss and the fuel "
    "chain: co2eWTW of those hauls is less than well to wheel."
)


def ileap_text(
    routes: Mapping[str, Any], payload_t: float, factors: Sequence[Mapping[str, Any]], world: str
) -> str:
    """Routes as iLEAP JSON: each route a shipment of one TEU with its chain of elements (TCE).

    transportActivity [t km] = distance [km] x mass [kg] / 1000

    routes: as from `Routes.to_json`; payload_t: tonnes per TEU; factors: rows of `emission_factors`; world:
    hash of the World. A haul is an element of transport (tocId), a terminal, port, transfer, gauge change or
    border one of a hub (hocId); rests belong to the haul they interrupt. Elements add up to the route. The
    places of an element (from, to) are under `landbridge`, which is not part of iLEAP.
    """
    mass = payload_t * 1000.0
    shipments = []
    places: dict[str, list[str]] = {}
    bounded = False
    for number, route in enumerate(routes["routes"], start=1):
        shipment = f"landbridge-{routes['from']}-{routes['to']}-{number}"
        tces: list[dict[str, Any]] = []
        open_haul: dict[str, Any] | None = None
        for leg in route["legs"]:
            unknown = leg["co2e_ttw_kg"] is None
            tank = leg["co2e_kg"] if unknown else leg["co2e_ttw_kg"]
            if leg["operation"] == "rest" and open_haul is not None:
                open_haul["wtw"] += leg["co2e_kg"]
                open_haul["ttw"] += tank
                continue
            haul = leg["operation"] == "haul"
            name = (
                ("tocId", f"{leg['link']}-{leg['mode']}")
                if haul
                else ("hocId", f"{leg['from']}-{leg['mode']}-{leg['operation']}")
            )
            bounded |= unknown
            element = {
                "id": f"{shipment}-{len(tces) + 1}",
                "kind": name,
                "km": leg["distance_km"],
                "wtw": leg["co2e_kg"],
                "ttw": tank,
            }
            places[element["id"]] = [leg["from"], leg["to"]]
            open_haul = element if haul else None
            tces.append(element)
        shipments.append(
            {
                "mass": _decimal(mass),
                "shipmentId": shipment,
                "tces": [
                    {
                        "tceId": one["id"],
                        "prevTceIds": [tces[n - 1]["id"]] if n else [],
                        one["kind"][0]: one["kind"][1],
                        "shipmentId": shipment,
                        "mass": _decimal(mass),
                        "packagingOrTrEqType": "Container-TEU",
                        "distance": {"actual": _decimal(one["km"])},
                        "transportActivity": _decimal(one["km"] * mass / 1000.0),
                        "co2eWTW": _decimal(one["wtw"]),
                        "co2eTTW": _decimal(one["ttw"]),
                    }
                    for n, one in enumerate(tces)
                ],
            }
        )
    columns = ("mode", "country", "g_per_tkm", "ttw_g_per_tkm", "scope", "source", "basis", "note")
    electric = any(str(row.get("scope", "")).startswith("generation") for row in factors)
    document = {
        "shipments": shipments,
        "landbridge": {
            "note": " ".join([_NOTE, *([_BOUND] if bounded else []), *([_ELECTRIC] if electric else [])]),
            "world": world,
            "commodity": routes["commodity"],
            "places": places,
            "emission_factors": [{column: row.get(column) for column in columns} for row in factors],
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _decimal(value: float) -> str:
    """A decimal as a string without exponent, to six decimals, without trailing zeros."""
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"
