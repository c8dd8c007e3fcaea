"""What own data change: the figures of a World that differ from those of another."""

from __future__ import annotations

from collections.abc import Sequence

from landbridge.phrases import known
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.world.difference import Difference
from landbridge.world.table import Cell

__all__ = ["changed_figures", "figure_name", "row_name", "told_figures"]


def changed_figures(found: Sequence[Difference], names: Names, most: int | None = None) -> Section:
    """A row for each changed figure, before and after.

    found: the figures; names: in the language of the table; most: rows at most, all where None.
    """
    shown = list(found if most is None else found[:most])
    rows = [
        (
            row_name(one, names),
            figure_name(one, names),
            _cell(one.before, names),
            _cell(one.after, names),
            one.unit,
        )
        for one in shown
    ]
    left = len(found) - len(shown)
    after = [names.say("edited.more", n=left)] if left else ()
    return phrased("edited.changes", rows, after=after, words=names)


def row_name(one: Difference, names: Names) -> str:
    """The row of one changed figure in words.

    one: the figure; names: of the language.
    """
    row = one.row
    sides = [names.short.get(str(row[c]), str(row[c])) for c in ("from_place", "to_place") if c in row]
    ends = names.say("survey.direction", start=sides[0], end=sides[1]) if len(sides) == 2 else ""
    gateway = str(row.get("gateway_id") or "")
    if one.table == "crossings":
        product = names.say(f"first.product.{row['product']}")
        return names.say(
            "edited.crossing", gateway=names.gateway.get(gateway, gateway), product=product, ends=ends
        )
    if ends:
        return f"{ends} ({one.key})"
    where = names.gateway.get(gateway) or one.table
    return where if one.table == "gateways" else f"{where} ({one.key})"


def figure_name(one: Difference, names: Names) -> str:
    """The name of one changed figure in words where there are some, else its column.

    one: the figure; names: of the language.
    """
    if known(f"survey.figure.{one.table}.{one.column}"):
        return names.say(f"survey.figure.{one.table}.{one.column}")
    if known(f"edited.column.{one.column}"):
        return names.say(f"edited.column.{one.column}")
    return one.column


def _cell(value: Cell, names: Names) -> str:
    if isinstance(value, bool) or value is None:
        return "-" if value is None else str(value)
    return names.figure(value, ",.6g") if isinstance(value, int | float) else str(value)


def told_figures(found: Sequence[Difference], names: Names) -> str:
    """The changed figures in one text, a line each, for a page.

    found: the figures; names: of the language.
    """
    return "\n".join(
        names.say(
            "edited.told",
            row=row_name(one, names),
            figure=figure_name(one, names),
            before=_cell(one.before, names),
            after=_cell(one.after, names),
            unit=one.unit,
        )
        for one in found
    )
