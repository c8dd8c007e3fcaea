"""What freight is worth and how it chooses: classes of pairs of places and sectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.families import FAMILIES
from landbridge.world import World

__all__ = ["CONTAINER", "KINDS", "OTHER", "PAIR_GROUPS", "Classes", "freight_classes", "keeps_every_family"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

PAIR_GROUPS = (
    "china-europe",
    "china-russia",
    "china-central-asia",
    "central-asia-europe",
    "overseas",
    "central-asia-south",
    "other",
    "europe-turkey",
    "china-mongolia",
    "china-kgz-tjk",
)
OTHER = PAIR_GROUPS.index("other")
KINDS = ("container", "bulk")
CONTAINER = KINDS.index("container")
# China - Turkey goes as China - Europe does, nearly all of it by sea; the Caucasus as Europe does. Overseas:
# ports at both ends and no common border. A bloc with itself is a set of one.
_COASTS = ("maritime", "china", "europe", "russia", "turkey", "iran-pakistan", "caucasus")
_GROUP_OF_BLOCS = {
    **{frozenset(("maritime", coast)): 4 for coast in _COASTS},
    frozenset(("iran-pakistan", "china")): 4,
    frozenset(("iran-pakistan", "europe")): 4,
    frozenset(("iran-pakistan", "central-asia")): 5,
    frozenset(("caucasus", "china")): 0,
    frozenset(("caucasus", "central-asia")): 3,
    frozenset(("china", "europe")): 0,
    frozenset(("china", "turkey")): 0,
    frozenset(("china", "russia")): 1,
    frozenset(("china", "central-asia")): 2,
    frozenset(("central-asia", "europe")): 3,
    frozenset(("central-asia", "turkey")): 3,
    frozenset(("europe", "turkey")): 7,
    frozenset(("china", "mongolia")): 8,
    # Regions go before their bloc: no railway joins these two with China.
    frozenset(("china", "KGZ")): 9,
    frozenset(("china", "TJK")): 9,
}


@dataclass(frozen=True, eq=False)
class Classes:
    """What the freight of every pair and sector is worth and how it chooses.

    sectors: names. group [pair]: number into PAIR_GROUPS.
    usd_per_teu [sector, pair]: value density u. usd_per_h [sector, pair]: t u / 24, value of an hour.
    block_share [sector, pair]: share of the sector's rail TEU on block trains.
    kind [sector]: number into KINDS, whether goods travel in containers or in bulk.
    payload_t_per_teu [sector]: tonnes in a TEU.
    family_share [kind, group, family]: stated share by corridor family.
    rho [sector]: hours one standard deviation counts for. phi, phi_b, carbon_usd_per_kg: parameters.
    """

    sectors: tuple[str, ...]
    group: IntArray
    usd_per_teu: FloatArray
    usd_per_h: FloatArray
    block_share: FloatArray
    family_share: FloatArray
    kind: IntArray
    payload_t_per_teu: FloatArray
    rho: FloatArray
    phi: float
    phi_b: float
    carbon_usd_per_kg: float

    @property
    def in_containers(self) -> BoolArray:
        """Sectors whose goods travel in containers [sector]."""
        return np.asarray(self.kind == CONTAINER)


def freight_classes(
    world: World, regions_of_origin: Sequence[str], regions_of_destination: Sequence[str]
) -> Classes:
    """Classes of every pair from the tables of a world.

    regions_of_origin, regions_of_destination: region code of the exporter and importer, for each pair
    ("" where unknown: the pair takes the group `other` and the sector's own value density).
    u is the most exact row of value_density (exporter and importer, then exporter, then importer), else
    the sector's; t_c percent of value per day, so that an hour is worth t/100 u / 24 [USD/TEU/h].
    """
    bloc = {str(row["region"]): str(row["bloc"]) for row in world.network["pair_groups"]}
    ends = list(zip(regions_of_origin, regions_of_destination, strict=True))
    kinds = sorted(set(ends))
    kind_of = {kind: number for number, kind in enumerate(kinds)}
    index = np.array([kind_of[end] for end in ends], dtype=np.int64)
    rows = list(world.network["sector_freight"])
    sectors = tuple(str(row["sector"]) for row in rows)
    density = _densities(world)
    group = np.array([_group(bloc, o, d) for o, d in kinds], dtype=np.int32)
    value = np.empty((len(sectors), len(kinds)))
    percent = np.array([float(row["time_percent_per_day"] or 0.0) for row in rows])
    for s, row in enumerate(rows):
        for k, (o, d) in enumerate(kinds):
            value[s, k] = _density(density, sectors[s], o, d, bloc) or float(row["usd_per_teu"] or 0.0)
    usd = value[:, index]
    return Classes(
        sectors,
        group[index],
        usd,
        percent[:, None] / 100.0 * usd / 24.0,
        np.ascontiguousarray(_block_shares(world, sectors)[group[index]].T),
        _family_shares(world),
        np.array([KINDS.index(str(row["kind"])) for row in rows], dtype=np.int32),
        np.array([float(row["payload_t_per_teu"] or 0.0) for row in rows]),
        np.full(len(sectors), world.parameter("rho")),
        world.parameter("phi"),
        world.parameter("phi_b"),
        world.parameter("carbon_price_usd_per_kg"),
    )


def _block_shares(world: World, sectors: tuple[str, ...]) -> FloatArray:
    """Shares of container trains as stated [pair group, sector]."""
    out = np.zeros((len(PAIR_GROUPS), len(sectors)))
    for row in world.network["block_train_share"]:
        group, sector = str(row["pair_group"]), str(row["sector"])
        if sector in sectors and group in PAIR_GROUPS:
            out[PAIR_GROUPS.index(group), sectors.index(sector)] = float(row["share"] or 0.0)
    return out


def _family_shares(world: World) -> FloatArray:
    """Shares of the corridor families as stated [kind, pair group, family]."""
    out = np.zeros((len(KINDS), len(PAIR_GROUPS), len(FAMILIES)))
    for row in world.network["family_shares"]:
        group, family = PAIR_GROUPS.index(str(row["pair_group"])), FAMILIES.index(str(row["family"]))
        out[KINDS.index(str(row["kind"])), group, family] = float(row["share"] or 0.0)
    return out


def keeps_every_family(
    world: World, regions_of_origin: Sequence[str], regions_of_destination: Sequence[str]
) -> BoolArray:
    """Pairs whose stated shares cover every corridor: China - Europe and Central Asia - Europe.

    For `generate`: elsewhere a family that costs many times the pair's cheapest route is left out.
    """
    bloc = {str(row["region"]): str(row["bloc"]) for row in world.network["pair_groups"]}
    groups = [[_group(bloc, o, d) for d in regions_of_destination] for o in regions_of_origin]
    return np.isin(np.array(groups), (0, 3))


def _group(bloc: dict[str, str], origin: str, destination: str) -> int:
    start, end = bloc.get(origin, ""), bloc.get(destination, "")
    for pair in ((origin, end), (start, destination), (start, end)):
        if frozenset(pair) in _GROUP_OF_BLOCS:
            return _GROUP_OF_BLOCS[frozenset(pair)]
    return OTHER


_Densities = dict[tuple[str, str, str], float]


def _densities(world: World) -> _Densities:
    found: _Densities = {}
    for row in world.network["value_density"]:
        key = str(row["sector"]), str(row["exporter"]), str(row["importer"] or "*")
        found[key] = float(row["usd_per_teu"] or 0.0)
    return found


def _density(
    densities: _Densities, sector: str, origin: str, destination: str, bloc: dict[str, str]
) -> float:
    origins = [origin, *(["CA5"] if bloc.get(origin) == "central-asia" else []), "*"]
    ends = [destination, *(["CA5"] if bloc.get(destination) == "central-asia" else []), "*"]
    for o in origins:
        for d in ends:
            found = densities.get((sector, o, d))
            if found:
                return found
    return 0.0
