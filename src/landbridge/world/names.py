"""Names and codes: turn what a user types into the identifier of a place, gateway or region."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.world.table import Table

__all__ = ["find_place", "fold", "place_names", "resolve_place"]


def fold(text: str) -> str:
    """A name without case, accents, spaces or punctuation: Xi'an, Xian and XI’AN are one name."""
    plain = unicodedata.normalize("NFKD", text)
    return re.sub(r"[\W_]+", "", "".join(c for c in plain if not unicodedata.combining(c))).casefold()


def place_names(places: Table) -> dict[str, list[str]]:
    """Folded name -> identifiers, over ids, names, alternates and names without their brackets."""
    known: dict[str, list[str]] = {}
    for row in places:
        name = str(row["name"])
        words = [str(row["place_id"]), name, re.sub(r"\s*\(.*?\)", "", name), *re.findall(r"\((.*?)\)", name)]
        words += str(row["alternates"] or "").split("|")
        for word in {fold(w) for w in words if w.strip()}:
            known.setdefault(word, []).append(str(row["place_id"]))
    return known


def find_place(places: Table, text: str, where: str) -> tuple[str, Fault | None]:
    """The identifier of a place, or a fault that suggests near names; an exact id or name wins."""
    by_id = places.by("place_id")
    if text in by_id:
        return text, None
    wanted = fold(text)
    exact = [str(row["place_id"]) for row in places if fold(str(row["name"])) == wanted]
    found = exact or place_names(places).get(wanted, [])
    if len(found) == 1:
        return found[0], None
    if found:
        choices = ", ".join(f"{i} ({by_id[i]['name']}, {by_id[i]['country']})" for i in found)
        return "", Fault(where, f"{text!r} names several places", f"use an id: {choices}")
    cure = did_you_mean(text, _shown(places)) or "`landbridge route --places` lists every place"
    return "", Fault(where, f"no place {text!r}", cure)


def _shown(places: Table) -> Iterable[str]:
    for row in places:
        yield str(row["name"])
        yield str(row["place_id"])
        yield from (a for a in str(row["alternates"] or "").split("|") if a)


def resolve_place(network: Mapping[str, Table], *texts: str) -> tuple[str, ...]:
    """Identifiers of several places by name or id; raises one DataError that lists every unknown one."""
    found, faults = [], []
    for text in texts:
        place, fault = find_place(network["places"], text, "place")
        found.append(place)
        if fault:
            faults.append(fault)
    if faults:
        raise DataError("unknown place", faults)
    return tuple(found)
