"""Lines of a TNTP file: header entries, the lines below them, and the columns named in a comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from landbridge.errors import DataError
from landbridge.io.files import finite_number, read_bytes, read_text
from landbridge.io.tally import Tally

__all__ = ["COLUMNS", "Columns", "Parts", "columns_of", "parts_of", "whole"]

# Columns of a link in the order of the format, each with the names used in files.
COLUMNS = ("from", "to", "capacity", "length", "time", "b", "power", "speed", "toll", "type")
_NAMES = {
    "from": "init_node init from from_node tail a_node anode start_node",
    "to": "term_node term to to_node head b_node bnode end_node",
    "capacity": "capacity cap",
    "length": "length distance link_length",
    "time": "free_flow_time fftt fft free_flow_travel_time freeflow_time freeflowtime fftime",
    "b": "b alpha bpr_b",
    "power": "power beta bpr_power",
    "speed": "speed speed_limit speedlimit",
    "toll": "toll toll_cost",
    "type": "type link_type linktype",
    "critical speed": "critical_speed",
}
_KNOWN = {name: column for column, names in _NAMES.items() for name in names.split()}
_NEEDED = ("from", "to", "capacity", "time", "b", "power")
_LONGEST_NAME = 4
# Node numbers beyond this are mistakes, and arrays of that length would exceed memory.
_MOST_NODES = 10_000_000


@dataclass(frozen=True)
class Parts:
    """Parts of a TNTP file.

    head: header entries by name; body: other lines with their numbers; names: the comment above them that
    names columns, "" for none.
    """

    head: dict[str, str]
    body: list[tuple[int, str]]
    names: str


@dataclass(frozen=True)
class Columns:
    """Columns of a TNTP file.

    place: position by name; cells: that a line needs; named: whether a comment names them.
    """

    place: dict[str, int]
    cells: int
    named: bool


def parts_of(path: Path, tally: Tally) -> Parts:
    """The parts of a file, without comments; any encoding is accepted if the rest is ASCII.

    path: the file; tally: takes the faults.
    """
    try:
        text = _text(path)
    except DataError as error:
        tally.take(error.faults)
        return Parts({}, [], "")
    head: dict[str, str] = {}
    body: list[tuple[int, str]] = []
    names = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("~")[0].strip()
        found = re.match(r"<([^>]+)>(.*)", line)
        if found:
            head[found[1].strip().upper()] = found[2].strip()
        elif line:
            body.append((number, line))
        elif not body and _is_header(raw):
            names = raw.strip().lstrip("~").strip().rstrip(";").rstrip()
    return Parts(head, body, names)


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except DataError:
        try:
            raw = read_bytes(path)
        except DataError:
            raw = b""
        text = raw.decode("latin-1")
        if not text or "\0" in text:
            raise
        if all(line.split("~")[0].isascii() or line.lstrip().startswith("<") for line in text.split("\n")):
            return text.replace("\x85", " ")  # an ellipsis there, a line end here
        raise


def _is_header(raw: str) -> bool:
    words = re.split(r"[\s,;~]+", re.sub(r"\([^)]*\)", " ", raw.casefold()))
    joined = " ".join(words).replace("_", " ")
    return "capacity" in joined and any(name in joined for name in ("power", "beta")) and "~" in raw


def columns_of(names: str, cells: int, place: str, tally: Tally) -> Columns:
    """The columns of links, by the comment that names them, else in the order of the format.

    names: the comment; cells: of the first link; place: of the comment; tally: takes a fault where names and
    cells do not match.
    """
    standard = Columns({name: k for k, name in enumerate(COLUMNS)}, len(COLUMNS), False)
    if not names:
        return standard
    found = _split(names, cells)
    where = {name: k for k, name in reversed(list(enumerate(found))) if name}
    if any(name not in where for name in _NEEDED):
        return standard
    known = found.index("") if "" in found else len(found)
    # After a name of unknown words positions are certain only if there are as many names as cells.
    sure = len(found) == cells or all(k < known for k in where.values())
    if not sure or any(where[name] >= cells for name in _NEEDED):
        what = f"names {len(found)} columns above links of {cells} cells: {names[:60]!r}"
        cure = "separate the names by tabs, or join the words of a name by underscores, as in init_node"
        tally.add("column names", place, what, cure)
        return standard
    return Columns(
        where, 1 + max(where[name] for name in (*_NEEDED, "length", "toll") if name in where), True
    )


def _split(names: str, cells: int) -> list[str]:
    """The columns that a comment names, blank for unknown ones."""
    plain = re.sub(r"[(\[][^)\]]*[)\]]", " ", names.casefold())
    ways = [re.split(r"\t", plain), re.split(r"\t|\s{2,}", plain), re.split(r",", plain)]
    for way in ways:
        parts = [re.sub(r"[\s_]+", "_", part.strip()) for part in way]
        parts = [part for part in parts if part]
        ends = {"from", "to"} <= {_KNOWN.get(part) for part in parts}
        if ends and (len(parts) == cells or len(parts) >= len(_NEEDED)):
            return _ours(parts)
    words = re.split(r"[\s,]+", plain.strip())
    merged: list[str] = []
    while words:
        size = next((n for n in range(_LONGEST_NAME, 1, -1) if "_".join(words[:n]) in _KNOWN), 1)
        merged.append("_".join(words[:size]))
        words = words[size:]
    return _ours(merged)


def _ours(names: Sequence[str]) -> list[str]:
    found = [_KNOWN.get(name, "") for name in names]
    return ["" if name not in COLUMNS else name for name in found]


def whole(head: dict[str, str], name: str, path: Path, tally: Tally) -> int | None:
    """A whole number of the header, 1 or more; None, with a fault, where it is not one.

    head: entries; name: of the entry; path, tally: for the fault.
    """
    value = finite_number(head.get(name, ""))
    if value is None or value < 1 or value != int(value):
        cure = "a whole number, 1 or more, in the header"
        tally.add(f"header {name}", path.name, f"has no valid <{name}>", cure)
        return None
    if value > _MOST_NODES:
        what = f"announces {value:g} as <{name}>: no more than {_MOST_NODES:,} are read"
        tally.add(f"header {name}", path.name, what, "check the header")
        return None
    return int(value)
