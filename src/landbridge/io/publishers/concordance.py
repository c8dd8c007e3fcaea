"""Concordances: which code of a publisher belongs to which region or sector of one's own.

A CSV with the columns from_code, to_code and, where a code is split, weight. The weights of a code add up
to one. A blank to_code leaves the code out on purpose. Columns named name and note are not read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from landbridge.errors import DataError, Fault
from landbridge.io.files import read_lines
from landbridge.io.publishers.typed import stripped
from landbridge.world.table import number_fault, quoted
from landbridge.world.validate import spelled

__all__ = ["Concordance", "as_concordance", "read_concordance"]

Shares = tuple[tuple[str, float], ...]
# Weights are written with a few decimals.
WEIGHT_TOLERANCE = 1e-6
_READ = ("from_code", "to_code", "weight")
_IGNORED = ("name", "note", "from_name", "to_name")


@dataclass(frozen=True)
class Concordance:
    """Where each code goes: table[code] is a list of (to, weight); an empty one leaves the code out.

    of_several: it names codes of several sources, so that some are not met in one of them; lines: where in
    its file each code stands first.
    """

    name: str
    table: Mapping[str, Shares]
    of_several: bool = False
    lines: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)
    targets: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        found = dict.fromkeys(to for shares in self.table.values() for to, _ in shares)
        object.__setattr__(self, "targets", tuple(found))

    def __call__(self, code: str) -> Shares | None:
        """Where a code goes; None where the concordance does not name it."""
        return self.table.get(code)

    def by_prefix(self, code: str) -> Shares | None:
        """Where a code goes by the longest beginning of it that is named (270900, then 27090 ... 27).

        Of the HS only beginnings of 2, 4 and 6 digits are codes, which the readers check.
        """
        for length in range(len(code), 0, -1):
            found = self.table.get(code[:length])
            if found is not None:
                return found
        return None


def as_concordance(given: Concordance | Mapping[str, str] | str | Path, what: str) -> Concordance:
    """A concordance from itself, a mapping of codes, or a CSV file."""
    if isinstance(given, Concordance):
        return given
    if isinstance(given, Mapping):
        pairs = {stripped(str(k)): stripped(str(v)) if v else "" for k, v in given.items()}
        return Concordance(what, {k: ((v, 1.0),) if v else () for k, v in pairs.items()})
    return read_concordance(Path(given))


def read_concordance(path: Path) -> Concordance:
    """A concordance from a CSV file with from_code, to_code and, where codes are split, weight.

    Codes are read without blanks of any kind around them. Raises DataError with every fault: a code twice,
    codes that differ by capital letters only, a split without weights, weights that do not add up to one,
    a blank from_code.
    """
    name = path.name
    (header, lines), faults = read_lines(path, name)
    missing = [column for column in _READ[:2] if column not in header]
    odd = [column for column in header if column not in (*_READ, *_IGNORED)]
    if missing or odd:
        what = f"the columns are {quoted(','.join(header), 80)}"
        cure = "name them from_code, to_code and, where a code is split, weight"
        raise DataError("not a concordance", [Fault(f"{name} line 1", what, cure)])
    at = {column: header.index(column) for column in _READ if column in header}
    table: dict[str, dict[str, float]] = {}
    first: dict[str, int] = {}
    spellings: dict[tuple[str, str], tuple[str, int]] = {}
    for line, cells in lines:
        place = f"{name} line {line}"
        code, to = stripped(cells[at["from_code"]]), stripped(cells[at["to_code"]])
        text = stripped(cells[at["weight"]]) if "weight" in at else ""
        weight = 1.0
        if not code:
            faults.append(Fault(place, "from_code is blank", "name the code, or delete the line"))
            continue
        if text:
            fault = number_fault(text, f"{place}, weight", "weight")
            if fault:
                faults.append(fault)
                continue
            weight = float(text)
            if not 0 <= weight <= 1:
                faults.append(Fault(f"{place}, weight", f"is {weight:g}", "give a share from 0 to 1"))
                continue
        for kind, word in (("from_code", code), ("to_code", to)):
            alike, before = spellings.setdefault((kind, word.casefold()), (word, line))
            if alike != word:
                what = f"{kind} {quoted(word)} differs from {quoted(alike)} (line {before}) by capitals only"
                faults.append(Fault(place, what, "write both alike, or keep one"))
        shares = table.setdefault(code, {})
        if to in shares:
            what = f"{quoted(code)} to {quoted(to)} stands in line {first[code]} already"
            faults.append(Fault(place, what, "keep one"))
            continue
        if shares and not text:
            what = f"{quoted(code)} goes to {quoted(next(iter(shares)))} already (line {first[code]})"
            faults.append(Fault(place, what, "keep one, or give both a weight"))
            continue
        shares[to] = weight
        first.setdefault(code, line)
    for code, shares in table.items():
        total = math.fsum(shares.values())
        if abs(total - 1) > WEIGHT_TOLERANCE:
            what = f"the weights of {quoted(code)} add up to {total:g}"
            faults.append(Fault(f"{name} line {first[code]}", what, "make them add up to 1"))
    if not table and not faults:
        faults.append(Fault(name, "has no rows", "give it a row for every code"))
    if faults:
        raise DataError(f"{name} is no sound concordance", spelled(faults, name, 10))
    return Concordance(
        name,
        {code: tuple((to, w) for to, w in shares.items() if to and w > 0) for code, shares in table.items()},
        lines=first,
    )
