"""Concordances: from the codes of a publisher to your own regions or sectors.

A CSV file with the columns from_code, to_code and, where a code is split, weight. The weights of a code add
up to one. A blank to_code leaves the code out on purpose. Columns named name and note are not read.
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
# Tolerance: weights are written with a few decimals.
WEIGHT_TOLERANCE = 1e-6
_READ = ("from_code", "to_code", "weight")
_IGNORED = ("name", "note", "from_name", "to_name")


@dataclass(frozen=True)
class Concordance:
    """The targets of each code: table[code] is a list of (to, weight); an empty list leaves the code out.

    name: in faults; of_several: it names codes of several sources, so that some may be absent from one of
    them; lines: line of the first row of each code in its file.
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
        """The targets of a code; None where the concordance does not name it."""
        return self.table.get(code)

    def by_prefix(self, code: str) -> Shares | None:
        """The targets of a code by its longest beginning that is named; None for none.

        270900, then 27090 ... 27. For the HS only beginnings of 2, 4 and 6 digits are codes, which the
        readers check.
        """
        for length in range(len(code), 0, -1):
            found = self.table.get(code[:length])
            if found is not None:
                return found
        return None


def as_concordance(given: Concordance | Mapping[str, str] | str | Path, what: str) -> Concordance:
    """A concordance from a concordance, a mapping of codes, or a CSV file.

    given: one of these, in a mapping "" for a code left out; what: name of a mapping in faults. Raises
    DataError as `read_concordance` does.
    """
    if isinstance(given, Concordance):
        return given
    if isinstance(given, Mapping):
        pairs = {stripped(str(k)): stripped(str(v)) if v else "" for k, v in given.items()}
        return Concordance(what, {k: ((v, 1.0),) if v else () for k, v in pairs.items()})
    return read_concordance(Path(given))


def read_concordance(path: Path) -> Concordance:
    """A concordance from a CSV file with from_code, to_code and, where codes are split, weight.

    path: the file. Blanks around codes are ignored. Raises DataError with every fault: repeated codes, codes
    that differ only by capital letters, a split without weights, weights that do not add up to one, a blank
    from_code.
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
    read = _Reading(name, faults)
    for line, cells in lines:
        cell = {column: stripped(cells[k]) for column, k in at.items()}
        read.add(line, cell["from_code"], cell["to_code"], cell.get("weight", ""))
    read.check()
    if faults:
        raise DataError(f"{name} is not a valid concordance", spelled(faults, name, 10))
    shares = {
        code: tuple((to, w) for to, w in parts.items() if to and w > 0) for code, parts in read.table.items()
    }
    return Concordance(name, shares, lines=read.first)


class _Reading:
    """The rows of a concordance as they are read: weights by code and target, first line of each code.

    spellings: first spelling and line of each code, by the code in lower case.
    """

    def __init__(self, name: str, faults: list[Fault]) -> None:
        self.name, self.faults = name, faults
        self.table: dict[str, dict[str, float]] = {}
        self.first: dict[str, int] = {}
        self.spellings: dict[tuple[str, str], tuple[str, int]] = {}

    def add(self, line: int, code: str, to: str, weight: str) -> None:
        """Add one row; a code that is split has a weight in each of its rows."""
        place = f"{self.name} line {line}"
        if not code:
            self._fault(place, "from_code is blank", "name the code, or delete the line")
            return
        share = self._weight(weight, place)
        if share is None:
            return
        self._check_spelling("from_code", code, line)
        self._check_spelling("to_code", to, line)
        shares = self.table.setdefault(code, {})
        if to in shares:
            what = f"{quoted(code)} to {quoted(to)} is already in line {self.first[code]}"
            self._fault(place, what, "keep one")
        elif shares and not weight:
            what = f"{quoted(code)} goes to {quoted(next(iter(shares)))} already (line {self.first[code]})"
            self._fault(place, what, "keep one, or give both a weight")
        else:
            shares[to] = share
            self.first.setdefault(code, line)

    def _weight(self, text: str, place: str) -> float | None:
        """The weight of a row, 1 where none is given; None, with a fault, where it is not a share."""
        if not text:
            return 1.0
        fault = number_fault(text, f"{place}, weight", "weight")
        if fault is None and not 0 <= float(text) <= 1:
            fault = Fault(f"{place}, weight", f"is {float(text):g}", "give a share from 0 to 1")
        if fault is not None:
            self.faults.append(fault)
            return None
        return float(text)

    def _check_spelling(self, kind: str, word: str, line: int) -> None:
        alike, before = self.spellings.setdefault((kind, word.casefold()), (word, line))
        if alike != word:
            what = f"{kind} {quoted(word)} differs from {quoted(alike)} (line {before}) by capitals only"
            self._fault(f"{self.name} line {line}", what, "write both alike, or keep one")

    def check(self) -> None:
        """Check that weights add up to one, and that there is a row."""
        for code, shares in self.table.items():
            total = math.fsum(shares.values())
            if abs(total - 1) > WEIGHT_TOLERANCE:
                what = f"the weights of {quoted(code)} add up to {total:g}"
                self._fault(f"{self.name} line {self.first[code]}", what, "make them add up to 1")
        if not self.table and not self.faults:
            self._fault(self.name, "has no rows", "give it a row for every code")

    def _fault(self, place: str, what: str, cure: str) -> None:
        self.faults.append(Fault(place, what, cure))
