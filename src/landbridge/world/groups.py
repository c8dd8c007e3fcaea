"""Groups of countries by name, from the table country_groups: customs unions, Central Asia (CA5) and others.

Every World has this table. Code without a World, such as the outcome real_income:CA5 of a trade table, uses
the groups that come with landbridge.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from landbridge.errors import DataError, Fault, did_you_mean

__all__ = ["TABLE", "group_of", "groups_of", "standard_groups"]

TABLE = "country_groups"
Groups = Mapping[str, tuple[str, ...]]


def groups_of(rows: Iterable[Mapping[str, Any]]) -> Groups:
    """Country codes by name of the group, in the order of the rows.

    rows: with the columns group and country.
    """
    out: dict[str, tuple[str, ...]] = {}
    for row in rows:
        name = str(row["group"])
        out[name] = (*out.get(name, ()), str(row["country"]))
    return out


@cache
def standard_groups() -> Groups:
    """The groups that come with landbridge, as `groups_of` returns them."""
    file = files("landbridge").joinpath("data", "network", f"{TABLE}.csv")
    return groups_of(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def group_of(groups: Groups, name: str) -> tuple[str, ...]:
    """The country codes of the group `name`. Raises DataError with near names for an unknown group.

    groups: codes by name.
    """
    if name not in groups:
        cure = did_you_mean(name, groups) or f"add its rows to {TABLE}.csv"
        raise DataError("an unknown group of countries", [Fault(f"{TABLE}.csv", f"no group {name!r}", cure)])
    return groups[name]
