"""Codes of the Harmonized System (HS): their standard form, and codes of a table that are not HS codes."""

from __future__ import annotations

import re

from landbridge.errors import Fault
from landbridge.io.publishers.concordance import Concordance
from landbridge.io.publishers.source import CONFIDENTIAL, TOTAL
from landbridge.world.table import quoted

__all__ = ["hs_code", "hs_faults"]

_WORDS = (TOTAL, CONFIDENTIAL)
_WRITTEN = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,2}))?", re.ASCII)
_PLAIN = re.compile(r"(?!00)([0-9]{2}|[0-9]{4}|[0-9]{6})", re.ASCII)
# Chapters 01 to 09, the only ones that can lose a leading zero, have at most 14 headings each (07 and 08).
MOST_HEADINGS = 14


def hs_code(text: str) -> str:
    """A code in the form of the HS, with 2, 4 or 6 digits; blank where the text is not one.

    A lost leading zero is restored (101 is 0101), a point between digits is removed (2709.00 is 270900, 27.09
    is 2709), and so is the decimal of a spreadsheet number (8471.0 is 8471).
    """
    if text in _WORDS or _PLAIN.fullmatch(text):
        return text
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return ""
    digits, end = found.group(1), found.group(2)
    if end not in (None, "0"):
        if len(end) != 2 or len(digits) > 4:
            return ""
        digits += end
    if len(digits) % 2:
        digits = f"0{digits}"
        if len(digits) > 2 and int(digits[2:4]) > MOST_HEADINGS:
            return ""
    if digits[:2] == "00" or digits[2:4] == "00":
        return ""
    return digits


def hs_faults(table: Concordance) -> list[Fault]:
    """A fault for every code of a concordance that is not an HS code, with its line and a likely code.

    table: the concordance.
    """
    faults = []
    for code in table.table:
        if code in _WORDS or _PLAIN.fullmatch(code):
            continue
        where = f"{table.name} line {table.lines[code]}" if code in table.lines else table.name
        shown = code if code.isascii() and code.isalnum() and len(code) <= 12 else quoted(code)
        meant = hs_code(code.strip("'\"= ").upper())
        cure = "write codes of the HS as text, with 2, 4 or 6 digits"
        if meant:
            cure = f"did you mean {meant}? {cure}"
        elif code.isascii() and code.isdigit() and len(code) > 6:
            cure = f"did you mean {code[:6]}? {cure}"
        faults.append(Fault(where, f"{shown} is not an HS code", cure))
    return faults
