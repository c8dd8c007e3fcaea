"""How Excel shows the numbers of a column, by their unit."""

from __future__ import annotations

__all__ = ["CHANGE", "LEVEL", "column_format"]

# How numbers are shown, by their decimals: levels, and changes with their sign.
LEVEL = ("#,##0", "#,##0.0", "#,##0.00", "#,##0.000")
CHANGE = tuple(f"+{form};-{form};{form}" for form in LEVEL)
# Decimals by the beginning of a unit, the first that fits.
_DIGITS = (
    ("% ", 3),
    ("%", 3),
    ("million USD", 1),
    ("USD", 0),
    ("share", 3),
    ("ratio", 3),
    ("value-added", 3),
    ("TEU/year", 0),
    ("t/year", 0),
    ("trucks", 0),
    ("trains", 2),
    ("kg", 0),
    ("kt", 1),
    ("h", 1),
    ("days", 1),
    ("million TEU", 0),
    ("units a day", 1),
)


def column_format(unit: str, *, change: bool = False) -> str:
    """How Excel shows the numbers of a column by its unit; "" for its own way.

    unit: of the column, such as "million USD a year"; change: whether they are differences, shown with their
    sign.
    """
    digits = next((digits for start, digits in _DIGITS if unit.startswith(start)), None)
    if digits is None:
        return ""
    return (CHANGE if change or unit.endswith(", change") else LEVEL)[digits]
