"""Faults of long files: of every kind a few are spelled out and the rest counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from landbridge.errors import Fault
from landbridge.world.keys import SPELLED_OUT

__all__ = ["Tally"]

# Lines of a message, all kinds together.
_LINES = 20


class Tally:
    """Faults by kind, each with how often it was met; those beyond the first few are not even worded."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Fault]] = {}
        self._count: dict[str, int] = {}
        self._place: dict[str, str] = {}
        self.total = 0

    def add(self, kind: str, where: str, what: str, cure: str | Callable[[], str] = "") -> None:
        """Note a fault; kind: what it has in common with others, cure: words, or what finds them."""
        self.total += 1
        self._count[kind] = self._count.get(kind, 0) + 1
        kept = self._kept.setdefault(kind, [])
        if len(kept) < SPELLED_OUT:
            kept.append(Fault(where, what, cure if isinstance(cure, str) else cure()))
            self._place.setdefault(kind, where.split(" line ")[0])

    def take(self, faults: Iterable[Fault]) -> None:
        """Note faults that others found, all of them of one kind where they are many."""
        for fault in faults:
            self.add(f"taken {fault.cure}", fault.where, fault.what, fault.cure)

    def told(self) -> list[Fault]:
        """The faults to tell, kinds in the order they were met, in some 20 lines."""
        most = min(max(_LINES // max(len(self._kept), 1) - 1, 1), SPELLED_OUT)
        faults: list[Fault] = []
        for kind, kept in self._kept.items():
            more = self._count[kind] - most
            faults += kept[:most]
            if more == 1 and len(kept) > most:
                faults.append(kept[most])
            elif more > 0:
                what = f"{more:,} more faults like {'this' if most == 1 else 'these'}"
                faults.append(Fault(self._place[kind], what, "mend these first"))
        return faults
