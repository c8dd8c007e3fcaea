"""The tables of an edited World as a change of another: which of them can be one, and the World after it."""

from __future__ import annotations

from landbridge.errors import Fault, ScenarioError
from landbridge.world import World
from landbridge.world.difference import Difference, differences, differing_tables

__all__ = ["MOVABLE", "onto"]

# Tables that say what transport takes and costs, as the verbs of a scenario change them.
MOVABLE = (
    *("places", "links", "link_lengths_osm", "gateways", "crossings", "gauge_changes", "ports"),
    *("rates", "border_defaults", "emission_factors", "parameters"),
)
# Tables that no result of a scenario depends on.
_ASIDE = ("labels", "od_demand", "projects", "study_set", "published_estimates", "claims", "claim_figures")
_ASIDE_START = "validation_"
_MOST_NAMED = 5


def onto(base: World, edited: World) -> World:
    """The base with the tables of transport of an edited World.

    base: with which it is compared; edited: with tables of its own. Everything else stays that of the base:
    trade, demand, and the constants and shares fitted to them, as in a scenario. Raises ScenarioError with
    every table that cannot be a change of the base, rows that are gone, changed parameters of the model, and
    where no figure differs.
    """
    faults: list[Fault] = []
    moved, fitted = [], []
    for name in differing_tables(base, edited):
        if name in MOVABLE and name in base.network and name in edited.network:
            moved.append(name)
        elif not (name in _ASIDE or name.startswith(_ASIDE_START)):
            fitted.append(f"{name}.csv")
    if fitted:
        what = (
            "differs, and a base is fitted to it"
            if len(fitted) == 1
            else "differ, and a base is fitted to them"
        )
        cure = "restore what differs; or run each World by itself and compare the two results"
        faults.append(Fault(", ".join(fitted), what, cure))
    found = [one for one in differences(base, edited) if one.table in moved]
    faults += _gone(found)
    faults += _of_the_model(found, base)
    if not faults and not found:
        cure = "change a figure of " + ", ".join(MOVABLE[:_MOST_NAMED]) + " or another table of transport"
        faults.append(Fault("tables", "no figure of transport differs from the base", cure))
    if faults:
        raise ScenarioError("the edited tables are no change of the base", faults)
    return base.with_network(**{name: edited.network[name] for name in moved})


def _gone(found: list[Difference]) -> list[Fault]:
    """Rows of the base that the edited World does not have."""
    rows: dict[str, dict[str, None]] = {}
    for one in found:
        if not one.kept:
            rows.setdefault(one.table, {})[one.key] = None
    faults = []
    for table, keys in rows.items():
        named = ", ".join(list(keys)[:_MOST_NAMED]) + (" ..." if len(keys) > _MOST_NAMED else "")
        what = "the row is gone" if len(keys) == 1 else f"{len(keys):,} rows are gone"
        cure = "keep every row, with status closed where it has a status"
        faults.append(Fault(f"{table}.csv, {named}", what, cure))
    return faults


def _of_the_model(found: list[Difference], base: World) -> list[Fault]:
    """Parameters of the model, which a base must share, and other settings than values."""
    table = base.network["parameters"].by("parameter")
    names = dict.fromkeys(
        str(one.row["parameter"])
        for one in found
        if one.table == "parameters"
        and one.column == "value"
        and (not one.known or table[str(one.row["parameter"])]["part_of"] == "model")
    )
    cure = "restore it, and set it in both by a scenario: `landbridge run SCENARIO --set NAME=VALUE`"
    return [
        Fault(f"parameters.csv, {name}", "is of the model, which both must share", cure) for name in names
    ]
