"""Places by a part of their name."""

from __future__ import annotations

from typing import Any

from landbridge.world import World
from landbridge.world.names import LANGUAGES, fold, labels_of

__all__ = ["Gazetteer"]


class Gazetteer:
    """The places of a World with their names in every language.

    world: with places and zones.
    """

    def __init__(self, world: World) -> None:
        zones = {str(row["place_id"]) for row in world.network["zones"]}
        shown = {lang: labels_of(world.tables, "place", lang) for lang in LANGUAGES}
        self._places: list[tuple[list[str], dict[str, Any]]] = []
        for row in world.network["places"]:
            id = str(row["place_id"])
            names = {lang: texts[id].text for lang, texts in shown.items() if id in texts}
            folded = [fold(text) for text in (id, *names.values(), *str(row["alternates"] or "").split("|"))]
            cells = {key: row[key] for key in ("place_id", "name", "country", "lon", "lat")}
            self._places.append((folded, {**cells, "zone": id in zones, "names": names}))

    def named(self, part: str, most: int) -> list[dict[str, Any]]:
        """Places whose id or name holds a part; those that begin with it first, then those with freight.

        part: without regard to case, accents and spaces; most: number of places. Each has place_id, name,
        country, lon and lat [degrees], zone (whether trade begins or ends there) and names by language.
        """
        wanted = fold(part)
        found = []
        for folded, cells in self._places:
            if wanted and any(wanted in text for text in folded):
                begins = any(text.startswith(wanted) for text in folded)
                found.append(((not begins, not cells["zone"], cells["place_id"]), cells))
        return [cells for _, cells in sorted(found, key=lambda one: one[0])][:most]
