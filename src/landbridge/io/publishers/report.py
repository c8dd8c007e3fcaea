"""What was read, what was left out and why; and the faults met, a few of each kind spelled out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from landbridge.errors import DataError, Fault
from landbridge.world.table import quoted

__all__ = ["Dropped", "Faults", "Report", "listed"]

# Faults of a kind that are spelled out, and lines of all kinds; the rest is counted.
SPELLED_OUT = 5
MOST_LINES = 20


@dataclass
class Dropped:
    """Rows left out for one reason, with the sum of their values [musd] where they have one."""

    why: str
    rows: int = 0
    musd: float = 0.0


@dataclass
class Report:
    """The summary of a reading: pass one to a reader, and it fills it in.

    rows_read and rows_kept count rows of the publisher's file; totals_musd is the sum of what was kept, by
    year; dropped tells what was left out and why; notes are sentences for the reader of the figures.
    """

    publisher: str = ""
    vintage: str = ""
    files: list[str] = field(default_factory=list)
    rows_read: int = 0
    rows_kept: int = 0
    totals_musd: dict[int, float] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def drop(self, why: str, rows: int, musd: float = 0.0) -> None:
        """Count rows that were left out."""
        if not rows:
            return
        for entry in self.dropped:
            if entry.why == why:
                entry.rows += rows
                entry.musd += musd
                return
        self.dropped.append(Dropped(why, rows, musd))

    def note(self, text: str) -> None:
        """A sentence, told once."""
        if text not in self.notes:
            self.notes.append(text)

    def to_json(self) -> dict[str, object]:
        """The summary as plain values."""
        return {
            "publisher": self.publisher,
            "vintage": self.vintage,
            "files": list(self.files),
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "totals_musd": {str(year): total for year, total in sorted(self.totals_musd.items())},
            "dropped": [{"why": d.why, "rows": d.rows, "musd": d.musd} for d in self.dropped],
            "notes": list(self.notes),
        }


def listed(codes: Iterable[str], most: int = 20) -> str:
    """Codes as a message lists them: the first ones, each cut where it is long."""
    found = list(codes)
    shown = [code if len(code) <= 40 and code.isprintable() else quoted(code) for code in found[:most]]
    return ", ".join(shown) + (" ..." if len(found) > most else "")


class Faults:
    """Faults by kind: the first few of each are kept, all are counted, so that a bad file costs no memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], list[Fault]] = {}
        self._count: dict[tuple[str, str], int] = {}

    def add(self, kind: str, place: str, where: str, what: str, cure: str) -> None:
        """One fault. kind: which faults are alike; place: the file that a count of them names."""
        key = (kind, place)
        self._count[key] = self._count.get(key, 0) + 1
        kept = self._kept.setdefault(key, [])
        if len(kept) < SPELLED_OUT:
            kept.append(Fault(where, what, cure))

    def many(self, kind: str, place: str, number: int, spell: Callable[[int], Fault]) -> None:
        """A number of faults of a kind; spell(n) words the n-th, and is called for the first few only."""
        if not number:
            return
        key = (kind, place)
        kept = self._kept.setdefault(key, [])
        for n in range(min(number, SPELLED_OUT - len(kept))):
            kept.append(spell(n))
        self._count[key] = self._count.get(key, 0) + number

    def extend(self, faults: tuple[Fault, ...] | list[Fault]) -> None:
        """Faults that are few already."""
        for fault in faults:
            self.add(f"{fault.where} {fault.what}", fault.where, fault.where, fault.what, fault.cure)

    def __bool__(self) -> bool:
        return bool(self._count)

    def listed(self) -> list[Fault]:
        """The faults spelled out, then how many more there are of each kind; fewer where kinds are many."""
        for most in range(SPELLED_OUT, 0, -1):
            out = self._spelled(most)
            if len(out) <= MOST_LINES:
                return out
        out = [kept[0] for kept in list(self._kept.values())[: MOST_LINES - 1]]
        more = sum(self._count.values()) - len(out)
        return [*out, Fault("in all", f"{more:,} more faults", "mend these first")]

    def _spelled(self, most: int) -> list[Fault]:
        out: list[Fault] = []
        for (kind, place), kept in self._kept.items():
            out += kept[:most]
            more = self._count[kind, place] - len(kept[:most])
            if more > 0:
                out.append(Fault(place, f"{more:,} more faults like these", "mend these first"))
        return out

    def raise_any(self, name: str) -> None:
        """DataError with all of them, where there is one."""
        if not self._count:
            return
        total = sum(self._count.values())
        count = "1 fault" if total == 1 else f"{total:,} faults"
        raise DataError(f"{name} cannot be read: {count}", self.listed())
