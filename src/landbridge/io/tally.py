"""Faults of long files: a few of every kind are listed, the others counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from landbridge.errors import DataError, Fault
from landbridge.world.keys import SPELLED_OUT

__all__ = ["Faults", "Tally"]

# Lines for all kinds of faults together, and faults listed per kind for files of millions of rows.
MOST_LINES = 20
FEW = 5


class Faults:
    """Faults by kind: all are counted and the first few kept, so that a bad file needs no memory.

    most: kept of each kind.
    """

    def __init__(self, most: int = FEW) -> None:
        self._most = most
        self._kept: dict[tuple[str, str], list[Fault]] = {}
        self._count: dict[tuple[str, str], int] = {}

    @property
    def total(self) -> int:
        """Number of faults."""
        return sum(self._count.values())

    def add(self, kind: str, place: str, where: str, what: str, cure: str | Callable[[], str]) -> None:
        """Add one fault.

        kind: faults of a kind are counted together; place: the file named with the count; where, what: of the
        fault; cure: words, or a function that finds them.
        """
        self.many(kind, place, 1, lambda _: Fault(where, what, cure if isinstance(cure, str) else cure()))

    def many(self, kind: str, place: str, number: int, spell: Callable[[int], Fault]) -> None:
        """Add `number` faults of a kind; spell(n) writes the n-th and is called for the first few only.

        place: the file named with the count.
        """
        if not number:
            return
        key = (kind, place)
        kept = self._kept.setdefault(key, [])
        for n in range(min(number, self._most - len(kept))):
            kept.append(spell(n))
        self._count[key] = self._count.get(key, 0) + number

    def extend(self, faults: Iterable[Fault]) -> None:
        """Add a few faults, each kept."""
        for fault in faults:
            self.add(f"{fault.where} {fault.what}", fault.where, fault.where, fault.what, fault.cure)

    def __bool__(self) -> bool:
        return bool(self._count)

    def listed(self) -> list[Fault]:
        """The faults listed, then the number of further ones per kind; fewer where kinds are many."""
        for most in range(self._most, 0, -1):
            out = self._spelled(most)
            if len(out) <= MOST_LINES:
                return out
        out = [kept[0] for kept in list(self._kept.values())[: MOST_LINES - 1]]
        more = self.total - len(out)
        return [*out, Fault("in all", f"{more:,} more faults", "correct these first")]

    def _spelled(self, most: int) -> list[Fault]:
        out: list[Fault] = []
        for (kind, place), kept in self._kept.items():
            out += kept[:most]
            more = self._count[kind, place] - len(kept[:most])
            if more == 1 and len(kept) > most:
                out.append(kept[most])
            elif more > 0:
                like = "this" if most == 1 else "these"
                out.append(Fault(place, f"{more:,} more faults like {like}", "correct these first"))
        return out

    def raise_any(self, name: str) -> None:
        """Raise DataError with all faults, if there are any; name: of the file in the message."""
        if not self._count:
            return
        count = "1 fault" if self.total == 1 else f"{self.total:,} faults"
        raise DataError(f"{name} cannot be read: {count}", self.listed())


class Tally:
    """Faults of the files of one network, counted under the file of the first of a kind."""

    def __init__(self) -> None:
        self._faults = Faults(SPELLED_OUT)
        self._place: dict[str, str] = {}

    @property
    def total(self) -> int:
        """Number of faults."""
        return self._faults.total

    def add(self, kind: str, where: str, what: str, cure: str | Callable[[], str] = "") -> None:
        """Add a fault.

        kind: faults of a kind are counted together; where, what: of the fault; cure: words, or a function
        that finds them.
        """
        place = self._place.setdefault(kind, where.split(" line ")[0])
        self._faults.add(kind, place, where, what, cure)

    def take(self, faults: Iterable[Fault]) -> None:
        """Add faults of another reader, as one kind where they are many."""
        for fault in faults:
            self.add(f"taken {fault.cure}", fault.where, fault.what, fault.cure)

    def told(self) -> list[Fault]:
        """The faults to show, kinds in order of appearance, in about 20 lines."""
        return self._faults.listed()
