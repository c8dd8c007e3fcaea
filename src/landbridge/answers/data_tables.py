"""The tables of the data and of results as plain values, for `landbridge data list` and `data card`."""

from __future__ import annotations

from typing import Any

from landbridge.io.cards import card, cards
from landbridge.results.tables import result_tables
from landbridge.world import World

__all__ = ["listed_tables", "of_result", "table_card"]

_LISTED = ("table", "file", "what", "rows", "years", "basis")


def listed_tables(world: World) -> list[dict[str, Any]]:
    """Every table of the data: file, meaning, rows, years, basis of its values, licences.

    world: whose tables are listed.
    """
    return [
        {
            **{key: value for key, value in one.to_json().items() if key in _LISTED},
            "licences": sorted({source["licence"] for source in one.sources}),
        }
        for one in cards(world)
    ]


def table_card(world: World, name: str) -> tuple[str, dict[str, Any]]:
    """Name and card of a table of the data or of a result. Raises DataError for an unknown table.

    world: with the table; name: of it.
    """
    found = of_result(world, name)
    if found is not None:
        return name, found
    one = card(world, name)
    return one.table, one.to_json()


def of_result(world: World, name: str) -> dict[str, Any] | None:
    """The columns of a table of a result; a table of the data with the same name takes precedence.

    world: whose tables are looked through first; name: of the table, with or without "result.". Returns the
    card as plain values, None where there is no such table of a result.
    """
    table = result_tables().get(name.removeprefix("result."))
    if table is None or name in world.tables or name == "trade":
        return None
    columns = [
        {"name": c.name, "type": c.type, "unit": c.unit, "key": c.required, "description": c.description}
        for c in table.columns.values()
    ]
    what = "a table of a result (`--json`, -o); key: " + ", ".join(table.keys)
    return {"table": f"result.{table.name}", "what": what, "columns": columns}
