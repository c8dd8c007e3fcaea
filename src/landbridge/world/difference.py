"""What differs between two Worlds: tables, and figures by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landbridge.world.keys import KEYS
from landbridge.world.table import Cell, Table, columns_of

if TYPE_CHECKING:
    from landbridge.world import World

__all__ = ["TEXTS", "Difference", "differences", "differing_tables"]

# Columns that say where a figure comes from.
TEXTS = frozenset(("source", "year", "basis", "note", "outbound_rule", "inbound_rule"))


@dataclass(frozen=True)
class Difference:
    """A cell that differs: its table, row and column, before and after, and its unit.

    row: the row after, or before where it is gone. known, kept: whether the row is in the first World and in
    the second.
    """

    table: str
    row: Mapping[str, Cell]
    column: str
    before: Cell
    after: Cell
    unit: str
    known: bool = True
    kept: bool = True

    @property
    def key(self) -> str:
        """The cells that identify the row, joined by a bar."""
        return "|".join(str(self.row[column]) for column in KEYS[self.table])


def differing_tables(old: World, new: World) -> list[str]:
    """Names of the tables that differ in any cell, `trade` for the trade table, `policy` for a policy.

    old, new: the Worlds.
    """
    one, other = old.tables, new.tables
    found = [name for name in sorted({*one, *other}) if _rows(one.get(name)) != _rows(other.get(name))]
    arrays = zip(vars(old.trade).items(), vars(new.trade).items(), strict=True)
    if any(not np.array_equal(a, b) for (_, a), (_, b) in arrays):
        found.append("trade")
    return found if old.policy == new.policy else [*found, "policy"]


def differences(old: World, new: World) -> list[Difference]:
    """Every figure of the network tables that differs, in the order of the tables.

    old, new: before and after. Texts about figures, such as source and note, are left out.
    """
    found: list[Difference] = []
    for name, table in new.network.items():
        if name in KEYS and name in old.network and table is not old.network[name]:
            found += _cells(name, old.network[name], table)
    return found


def _cells(name: str, old: Table, new: Table) -> list[Difference]:
    keys, columns = KEYS[name], columns_of(name)
    before, after = ({tuple(row[key] for key in keys): row for row in table} for table in (old, new))
    found = []
    for key in {**before, **after}:
        was, now = before.get(key), after.get(key)
        row = now or was
        assert row is not None
        for column in row:
            a, b = (None if one is None else one.get(column) for one in (was, now))
            if a != b and column not in keys and column not in TEXTS:
                unit = columns[column].unit if column in columns else ""
                found.append(Difference(name, row, column, a, b, unit, was is not None, now is not None))
    return found


def _rows(table: Table | None) -> tuple[tuple[Cell, ...], ...]:
    return () if table is None else tuple(tuple(row.values()) for row in table)
