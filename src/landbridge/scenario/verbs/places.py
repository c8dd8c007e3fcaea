"""The verbs of places: add_place."""

from __future__ import annotations

from collections.abc import Iterable

from landbridge.scenario.change import Change
from landbridge.scenario.fields import Modification, out_of_bounds
from landbridge.scenario.registry import Verb, verb_columns
from landbridge.world.names import fold, resolve

__all__ = ["VERBS"]


def add_place(change: Change, m: Modification) -> None:
    """A new place in a country of the World."""
    places = change.network["places"]
    name, country = m.get("name"), m.get("country")
    identifier = m.get("id") or fold(name).upper()
    if not identifier:
        change.faults.append(m.fault("name", f"{name!r} has no letter or digit", "give it one, or an id"))
        return
    if identifier in places.by("place_id"):
        change.faults.append(m.fault("id", f"{identifier!r} is taken", "give another id"))
        return
    for key, text in (("name", name), ("id", identifier)):
        known, fault = resolve(change.network, "place", text, "")
        if fault is None:
            cure = f"use {known}, or give the new place another {key}"
            change.faults.append(m.fault(key, f"{text!r} is already a name of {known}", cure))
            return
    region = {str(row["country"]): row["region"] for row in places}
    country = change.resolve(m, "country", "country", country)
    if country is None:
        return
    for key in ("lon", "lat"):
        fault = out_of_bounds(verb_columns()["add_place"][key], m.get(key), f"{m.where}, {key}")
        if fault:
            change.faults.append(fault)
            return
    change.append(
        "places",
        {
            "place_id": identifier,
            "name": name,
            "country": country,
            "region": region[country],
            "lon": m.get("lon"),
            "lat": m.get("lat"),
            "role": m.get("role"),
            "rail_hub": bool(m.get("rail_hub")),
            "border_station": False,
        },
    )


def _names(m: Modification) -> Iterable[object]:
    return m.get("id"), m.get("name")


VERBS = (Verb(name="add_place", apply=add_place, makes=_names),)
