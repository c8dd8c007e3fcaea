"""How hours on the network are known, by line and gateway: observed, published, derived or an assumption."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from landbridge.world import World

__all__ = ["BASES", "gateway_bases", "line_bases", "weakest"]

# From the surest to the weakest.
BASES = ("observed", "published", "derived", "assumption")
_WORD = re.compile(r"\b(?:" + "|".join(BASES) + r")\b")


def weakest(texts: Iterable[str]) -> str | None:
    """The weakest basis that texts name, None where they name none.

    texts: such as the notes of rows.
    """
    found = {word for text in texts for word in _WORD.findall(text)}
    return max(found, key=BASES.index, default=None)


def line_bases(world: World) -> Mapping[str, Mapping[str, str | None]]:
    """Basis of the row of every line, which holds its length, and of its speed (speed_basis), by identifier.

    world: with the links. A speed that states no basis of its own, or in other words, has that of its row.
    """
    return {
        str(row["link_id"]): {
            "basis": weakest([str(row["basis"])]),
            "speed_basis": weakest([str(row["speed_basis"])]) or weakest([str(row["basis"])]),
        }
        for row in world.network["links"]
    }


def gateway_bases(world: World) -> Mapping[str, Mapping[str, str | None]]:
    """Basis of the hours of each gateway by identifier: hours_basis, block_hours_basis of container trains.

    world: with crossings and ports. hours_basis is of trucks, wagonload or a port; None where the gateway has
    no hours of its own, such as a strait.
    """
    found: dict[tuple[str, bool], list[str]] = {}
    for table in ("crossings", "ports"):
        for row in world.network[table]:
            block = table == "crossings" and row["product"] == "block"
            found.setdefault((str(row["gateway_id"]), block), []).append(str(row["basis"]))
    return {
        id: {
            "hours_basis": weakest(found.get((id, False), ())),
            "block_hours_basis": weakest(found.get((id, True), ())),
        }
        for id in (str(row["gateway_id"]) for row in world.network["gateways"])
    }
