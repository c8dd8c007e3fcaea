"""Summary of a reading: rows read, rows left out and why, and faults, a few of each kind listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from landbridge.io.tally import Faults
from landbridge.world.table import quoted

__all__ = ["Dropped", "Faults", "Report", "listed"]


@dataclass
class Dropped:
    """Rows left out for one reason.

    why: the reason; rows: their number; musd: the sum of their values, if they have one [million USD].
    """

    why: str
    rows: int = 0
    musd: float = 0.0


@dataclass
class Report:
    """The summary of a reading: pass one to a reader, which fills it in.

    vintage is the edition of the publisher; files are the names of those read; rows_read and rows_kept count
    rows of the publisher's file; totals_musd is the sum of the rows kept, by year; dropped states what was
    left out and why; notes are sentences for users of the figures.
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
        """Count rows left out. why: the reason; rows: their number; musd: their value [million USD]."""
        if not rows:
            return
        for entry in self.dropped:
            if entry.why == why:
                entry.rows += rows
                entry.musd += musd
                return
        self.dropped.append(Dropped(why, rows, musd))

    def note(self, text: str) -> None:
        """Add a sentence to the notes, once; text: the sentence."""
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
    """Text for a message of some codes: the first `most` ones, each cut where it is long."""
    found = list(codes)
    shown = [code if len(code) <= 40 and code.isprintable() else quoted(code) for code in found[:most]]
    return ", ".join(shown) + (" ..." if len(found) > most else "")
