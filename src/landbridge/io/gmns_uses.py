"""Permitted uses of links of a GMNS network: uses, and groups of uses, which may be nested."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from landbridge.errors import did_you_mean
from landbridge.io.gmns_cells import Row, text_of
from landbridge.io.gmns_nodes import named
from landbridge.io.tally import Tally
from landbridge.world.table import quoted

__all__ = ["Uses", "split_uses"]

# Uses that a link may allow without a use_definition.csv.
_ROAD = "all auto car automobile sov hov hov2 hov3 taxi motorcycle truck hgv freight bus transit tram"
_USES = frozenset(re.findall(r"\w+", _ROAD + " metro rail block wagonload ship ferry bike bicycle walk ped"))
_SEPARATORS = re.compile(r"[,;|\s\[\]'\"]+")


class Uses:
    """The known uses, and the uses that a link must all allow to be open.

    defined, groups: rows of use_definition.csv and use_group.csv; use: the use or group asked for; tally:
    takes faults; notes: take remarks. A link is open to a group where it is open to each member, since a trip
    of the group may be any of them.
    """

    def __init__(
        self,
        defined: Sequence[tuple[str, Row]],
        groups: Sequence[tuple[str, Row]],
        use: str | None,
        tally: Tally,
        notes: list[str],
    ) -> None:
        self.groups: dict[str, tuple[str, ...]] = {}
        for _, row in groups:
            name = row.get("use_group", "").casefold()
            self.groups[name] = (*self.groups.get(name, ()), *_split(text_of(row, "uses")))
        members = {one for uses in self.groups.values() for one in uses}
        single = {row.get("use", "").casefold() for _, row in defined} if defined else _USES | members
        self.known = (single | set(self.groups) | {"all"}) - {""}
        self.use = use
        self.wanted: frozenset[str] = frozenset()
        self._seen: dict[tuple[str, ...], bool] = {}
        for where, row in groups:
            for one in _split(text_of(row, "uses")):
                if one not in self.known:
                    what = f"use_group {quoted(row.get('use_group', ''))} names {quoted(one)}, no known use"
                    cure = did_you_mean(one, self.known) or "add it to use_definition.csv"
                    tally.add("member of a group", where, what, cure)
        if use is None:
            return
        name = use.casefold()
        if name not in self.known:
            names = ", ".join(sorted(self.known))
            tally.add("use", "use", f"{quoted(use)} is not known", f"one of {names}")
        self.wanted = self.of((name,))
        if name in self.groups:
            notes.append(
                f"{use} is a group ({named(sorted(self.wanted), 8)}): a link is taken where it is open to "
                "every use of the group, and left out where only some of them may use it"
            )

    def of(self, names: Sequence[str]) -> frozenset[str]:
        """The single uses behind names of uses and groups, nested groups included."""
        found: set[str] = set()
        seen: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self.groups:
                left += self.groups[name]
            else:
                found.add(name)
        return frozenset(found)

    def allows(self, uses: tuple[str, ...]) -> bool:
        """Whether a link that allows these uses and groups (none: all) is open to the use asked for."""
        if not self.wanted or not uses:
            return True
        if uses not in self._seen:
            single = self.of(uses)
            self._seen[uses] = "all" in single or self.wanted <= single
        return self._seen[uses]

    def unknown(self, uses: tuple[str, ...], is_open: bool) -> list[str]:
        """Uses in no table; for a link left out only those similar to the use asked for.

        uses: those of the link; is_open: whether the link is open.
        """
        strange = [one for one in uses if one not in self.known]
        if not strange:
            return strange
        asked: Mapping[str, None] = dict.fromkeys([*self.wanted, (self.use or "").casefold()])
        return [one for one in strange if is_open or did_you_mean(one, asked)]


@lru_cache(maxsize=1024)
def _split(text: str) -> tuple[str, ...]:
    return tuple(part.casefold() for part in _SEPARATORS.split(text) if part)


def split_uses(row: Row) -> tuple[str, ...]:
    """The uses and groups that the row of a link allows."""
    text = row.get("allowed_uses", "")
    # "none" may mean that nobody is allowed, so it is rejected as an unknown use.
    return _split(text if text.casefold() == "none" else text_of(row, "allowed_uses"))
