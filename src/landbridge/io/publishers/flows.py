"""Sums of bilateral flows by year, exporter, importer and sector, over blocks of rows.

Memory holds the sums, one bit per flow to detect repeated flows, and one block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.io.publishers.concordance import Concordance, Shares
from landbridge.io.publishers.report import Faults, Report, listed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FlowSums", "Sectors", "Seen", "Targets", "years_of"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Sums that wait to be merged; merging sorts them, so it is done rarely.
PENDING = 2_000_000
# With more codes than these, an axis is not one of countries or products.
MAX_COUNTRIES, MAX_PRODUCTS = 1024, 20_000
FIRST_YEAR, LAST_YEAR = 1800, 2100


def years_of(years: int | Iterable[int] | None) -> frozenset[int] | None:
    """The years asked for as a set, None for all. Raises DataError for a number that is not a year."""
    if years is None:
        return None
    found = frozenset([years] if isinstance(years, int) else (int(year) for year in years))
    odd = sorted(year for year in found if not FIRST_YEAR <= year <= LAST_YEAR)
    if odd or not found:
        what = f"no year: {', '.join(map(str, odd[:5]))}" if odd else "is empty"
        raise DataError("not years", [Fault("years", what, "give years like 2023, or 2019-2023")])
    return found


@dataclass(frozen=True)
class Sectors:
    """The mapping from product codes to sectors.

    lookup: the sectors of a code, None where each code is its own sector. targets: the sectors in order, if
    known. name: of the concordance in faults, blank where there is none.
    """

    lookup: Callable[[str], Shares | None] | None
    targets: tuple[str, ...] = ()
    name: str = ""


class Targets:
    """Codes of one axis and the targets of each, looked up once per code and stored as numbers.

    lookup: targets and weights of a code, None where each code is its own target; targets: the first ones,
    in order.
    """

    def __init__(self, lookup: Callable[[str], Shares | None] | None, targets: Sequence[str] = ()) -> None:
        self._lookup = lookup
        self.names: list[str] = list(targets)
        self._number = {name: n for n, name in enumerate(self.names)}
        self._id: dict[str, int] = {}
        self.codes: list[str] = []
        self._shares: list[tuple[tuple[int, float], ...]] = []
        self._array: tuple[Ints, Ints, Ints, Floats, Floats] | None = None
        self.unknown: dict[str, int] = {}

    def id(self, code: str) -> int:
        """The number of a code, a new one for a code not seen before."""
        found = self._id.get(code)
        if found is None:
            found = self._id[code] = len(self.codes)
            self.codes.append(code)
            shares = ((code, 1.0),) if self._lookup is None else self._lookup(code)
            if shares is None:
                self.unknown[code] = 0
                shares = ()
            self._shares.append(tuple((self._target(to), weight) for to, weight in shares))
            self._array = None
        return found

    def _target(self, name: str) -> int:
        found = self._number.get(name)
        if found is None:
            found = self._number[name] = len(self.names)
            self.names.append(name)
        return found

    def arrays(self) -> tuple[Ints, Ints, Ints, Floats, Floats]:
        """Per code: start and number of its targets, the flat targets and weights, and the sum of weights."""
        if self._array is None:
            count = np.array([len(s) for s in self._shares], dtype=np.int64)
            start = np.cumsum(count) - count
            flat = [share for shares in self._shares for share in shares]
            target = np.array([to for to, _ in flat], dtype=np.int64)
            weight = np.array([w for _, w in flat], dtype=np.float64)
            total = np.array([sum(w for _, w in s) for s in self._shares], dtype=np.float64)
            self._array = start, count, target, weight, total
        return self._array

    def expand(self, ids: Ints) -> tuple[Ints, Ints, Floats]:
        """Row, target and weight for every target of every row; ids [row]: numbers of codes."""
        start, count, target, weight, _ = self.arrays()
        times = count[ids]
        row = np.repeat(np.arange(len(ids)), times)
        within = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        flat = start[ids][row] + within
        return row, target[flat], weight[flat]


class Seen:
    """Flows seen so far: one bit per group (year and product) and pair of countries."""

    def __init__(self) -> None:
        self._pair = np.full((MAX_COUNTRIES, MAX_COUNTRIES), -1, dtype=np.int32)
        self._pairs = 0
        self._group: dict[int, int] = {}
        self._bits = np.zeros((256, 64), dtype=np.uint8)

    def add(self, group: Ints, exporter: Ints, importer: Ints) -> Ints:
        """Mark flows as seen. Returns the positions of those seen before or repeated here.

        group, exporter, importer [flow]: numbers.
        """
        if not len(group):
            return np.empty(0, dtype=np.int64)
        pair = self._pair[exporter, importer]
        if (pair < 0).any():
            for n in np.unique(exporter[pair < 0] * MAX_COUNTRIES + importer[pair < 0]):
                self._pair[divmod(int(n), MAX_COUNTRIES)] = self._pairs
                self._pairs += 1
            pair = self._pair[exporter, importer]
        kinds, inverse = np.unique(group, return_inverse=True)
        row = np.array([self._group.setdefault(int(k), len(self._group)) for k in kinds])[inverse]
        self._grow()
        width = self._bits.shape[1]
        key = (row.astype(np.int64) * width * 8) + pair
        order = np.argsort(key, kind="stable")
        sorted_key = key[order]
        again = np.zeros(len(key), dtype=bool)
        again[1:] = sorted_key[1:] == sorted_key[:-1]
        byte, bit = sorted_key >> 3, np.left_shift(1, sorted_key & 7).astype(np.uint8)
        flat = self._bits.reshape(-1)
        before = (flat[byte] & bit) != 0
        starts = np.flatnonzero(np.concatenate(([True], byte[1:] != byte[:-1])))
        flat[byte[starts]] |= np.bitwise_or.reduceat(bit, starts)
        return np.sort(order[again | before])

    def _grow(self) -> None:
        rows, width = self._bits.shape
        if len(self._group) <= rows and self._pairs <= width * 8:
            return
        new_rows = max(rows, 256 * -(-len(self._group) * 5 // (4 * 256)))
        new_width = max(width, 64 * -(-self._pairs * 5 // (4 * 8 * 64)))
        bits = np.zeros((new_rows, new_width), dtype=np.uint8)
        bits[:rows, :width] = self._bits
        self._bits = bits


class FlowSums:
    """Sums of flows.

    regions, sectors: mapping from codes to targets; years: those kept, None for all; measures: what is
    summed; faults, report: take faults, and counts of rows.
    """

    def __init__(
        self,
        regions: Concordance | None,
        sectors: Sectors,
        years: frozenset[int] | None,
        measures: Sequence[str],
        faults: Faults,
        report: Report,
    ) -> None:
        targets = regions.targets if regions else ()
        # One axis of countries for both ends, so that a code is looked up once.
        self.countries = Targets(regions, targets)
        self.products = Targets(sectors.lookup, sectors.targets)
        self._regions, self._sector_name = regions, sectors.name
        self._years, self._measures = years, tuple(measures)
        self._faults, self._report = faults, report
        self._seen = Seen()
        self._met: set[int] = set()
        self._keys: list[Ints] = []
        self._values: list[Floats] = []
        self._waiting = 0

    def forget(self) -> None:
        """Restart the search for repeated flows, for files that cannot overlap."""
        self._seen = Seen()

    def add(
        self,
        name: str,
        lines: Ints,
        year: Ints,
        exporter: Ints,
        importer: Ints,
        product: Ints,
        values: Mapping[str, Floats],
    ) -> None:
        """Add rows of a file.

        name: of the file in faults; lines, year, exporter, importer, product [row]: the last three are
        numbers of `countries` and `products`; values [row]: by measure, the first one being the value.
        Raises DataError for more countries or products than any list of flows has.
        """
        self._report.rows_read += len(lines)
        self._met.update(int(y) for y in np.unique(year))
        if self._years is not None:
            keep = np.isin(year, list(self._years))
            if not keep.all():
                self._report.drop("of another year than asked for", int((~keep).sum()))
                lines, year, exporter, importer, product = (
                    a[keep] for a in (lines, year, exporter, importer, product)
                )
                values = {key: array[keep] for key, array in values.items()}
        if len(self.countries.codes) > MAX_COUNTRIES or len(self.products.codes) > MAX_PRODUCTS:
            what = f"{len(self.countries.codes):,} countries and {len(self.products.codes):,} products"
            raise DataError("not a list of flows", [Fault(name, f"has {what}", "check that it is the file")])
        twice = self._seen.add(year * MAX_PRODUCTS + product, exporter, importer)
        if len(twice):

            def spell(n: int) -> Fault:
                at = int(twice[n])
                of = self.countries.codes
                flow = listed((of[int(exporter[at])], of[int(importer[at])], str(year[at])))
                code = self.products.codes[int(product[at])]
                return Fault(f"{name} line {lines[at]}", f"a second row for {flow}, {code}", "keep one")

            self._faults.many("twice", name, len(twice), spell)
        self._count_unknown(exporter, importer, product)
        if self._faults:  # the file will be rejected, so its sums are not needed
            return
        self._sum(year, exporter, importer, product, values)

    def _count_unknown(self, exporter: Ints, importer: Ints, product: Ints) -> None:
        for axis, columns in ((self.countries, (exporter, importer)), (self.products, (product,))):
            for code in axis.unknown:
                axis.unknown[code] += sum(int((column == axis.id(code)).sum()) for column in columns)

    def _sum(
        self, year: Ints, exporter: Ints, importer: Ints, product: Ints, values: Mapping[str, Floats]
    ) -> None:
        first = values[self._measures[0]]
        share = np.ones(len(year))
        for axis, ids, what in (
            (self.countries, exporter, self._regions.name if self._regions else ""),
            (self.countries, importer, self._regions.name if self._regions else ""),
            (self.products, product, self._sector_name),
        ):
            left = axis.arrays()[4][ids]
            gone = left < 1 - 1e-9
            if gone.any():
                lost = (first * share * (1 - left))[gone]
                self._report.drop(
                    f"that {what} leaves out", int((left[gone] < 1e-9).sum()), float(lost.sum())
                )
            share = share * left
        row, origin, weight = self.countries.expand(exporter)
        inner, destination, more = self.countries.expand(importer[row])
        row, origin, weight = row[inner], origin[inner], weight[inner] * more
        inner, sector, more = self.products.expand(product[row])
        row, origin, destination = row[inner], origin[inner], destination[inner]
        weight = weight[inner] * more
        self._report.rows_kept += int((share > 1e-9).sum())
        key = ((year[row] * MAX_COUNTRIES + origin) * MAX_COUNTRIES + destination) * MAX_PRODUCTS + sector
        table = np.stack([values[m][row] * weight for m in self._measures], axis=1)
        keys, sums = _summed(key, table)
        self._keys.append(keys)
        self._values.append(sums)
        self._waiting += len(keys)
        if self._waiting > PENDING:
            self._merge()

    def _merge(self) -> None:
        if len(self._keys) > 1:
            key, table = np.concatenate(self._keys), np.concatenate(self._values)
            self._keys, self._values = [], []
            keys, sums = _summed(key, table)
            self._keys, self._values = [keys], [sums]
        self._waiting = 0  # what is merged does not wait; a sum of all detail may be longer than PENDING

    def check(self, shown: str) -> None:
        """Faults of the whole file: codes that a concordance lacks, absent years; shown: name of the file."""
        for axis, name, kind in (
            (self.countries, self._regions.name if self._regions else "", "country codes"),
            (self.products, self._sector_name, "product codes"),
        ):
            # A number without a code (#999) is reported where the codes are read.
            codes = {code: rows for code, rows in axis.unknown.items() if rows and code[0] != "#"}
            if codes:
                rows = sum(codes.values())
                what = f"{len(codes)} {kind} of {shown} not in it ({rows:,} rows): {listed(sorted(codes))}"
                cure = "give each a to_code, or a blank one to leave it out"
                self._faults.add(f"unknown {kind}", name, name, what, cure)
        if self._regions:
            idle = [code for code in self._regions.table if code not in set(self.countries.codes)]
            if idle:
                self._report.note(
                    f"{self._regions.name} names {len(idle)} codes without a flow here: {listed(idle, 10)}"
                )
        for year in sorted((self._years or frozenset()) - self._met):
            held = f"{min(self._met)}-{max(self._met)}" if self._met else "none"
            what = f"{year} is not in the file (years read: {held})"
            self._faults.add("year", shown, f"{shown}, years", what, "ask for a year that it holds")

    def frame(self) -> pd.DataFrame:
        """year, exporter, importer, sector and the measures, sorted in that order."""
        import pandas as pd

        self._merge()
        width = len(self._measures)
        key = self._keys.pop() if self._keys else np.empty(0, dtype=np.int64)
        table = self._values.pop() if self._values else np.empty((0, width))
        regions = _ordered(self.countries.names, given=self._regions is not None)
        sectors = _ordered(self.products.names, given=bool(self._sector_name))
        rest, sector = np.divmod(key, MAX_PRODUCTS)
        rest, destination = np.divmod(rest, MAX_COUNTRIES)
        year, origin = np.divmod(rest, MAX_COUNTRIES)
        origin, destination, sector = regions[1][origin], regions[1][destination], sectors[1][sector]
        key = ((year * MAX_COUNTRIES + origin) * MAX_COUNTRIES + destination) * MAX_PRODUCTS + sector
        order = np.argsort(key)
        for one in np.unique(year):
            self._report.totals_musd[int(one)] = float(table[year == one, 0].sum())
        return pd.DataFrame(
            {
                "year": year[order].astype(np.int16),
                # A category stores a code once.
                "exporter": _category(origin[order], regions[0]),
                "importer": _category(destination[order], regions[0]),
                "sector": _category(sector[order], sectors[0]),
                **{name: table[order, n] for n, name in enumerate(self._measures)},
            }
        )


def _ordered(names: Sequence[str], *, given: bool) -> tuple[list[str], Ints]:
    """Names in the order of a concordance if there is one, else sorted, and the position of each."""
    order = list(range(len(names))) if given else sorted(range(len(names)), key=lambda n: names[n])
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    return [names[n] for n in order], rank


def _category(codes: Ints, names: list[str]) -> pd.Categorical[str]:
    import pandas as pd

    return pd.Categorical.from_codes(codes.astype(np.int16), categories=pd.Index(names))


def _summed(key: Ints, table: Floats) -> tuple[Ints, Floats]:
    """Distinct keys in ascending order, and the sums of their rows."""
    if not len(key):
        return key, table
    order = np.argsort(key, kind="stable")
    key, table = key[order], table[order]
    starts = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    return key[starts], np.add.reduceat(table, starts, axis=0)
