"""Value and choice parameters of freight, by pair of places and sector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.compiled import padded
from landbridge.transport.routes.families import FAMILIES
from landbridge.world import World

__all__ = ["CONTAINER", "KINDS", "Groups", "Segments", "freight_segments", "keeps_every_family"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

KINDS = ("container", "bulk")
CONTAINER = KINDS.index("container")
# All sectors, those of either product, and those without freight by either.
_KEPT_ROWS = 5
_ANY = "*"


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of pairs of regions that share one set of family shares, from table group_pairs.

    names: of the groups. every_family [group]: whether every corridor family is kept, however expensive.
    """

    names: tuple[str, ...]
    every_family: BoolArray
    _row: Mapping[tuple[str, str], int]
    _out: BoolArray
    _group_of_row: tuple[int, ...]
    _bloc: Mapping[str, str]

    @staticmethod
    def of(world: World) -> Groups:
        """The groups of a World; world: with group_pairs and, for the blocs of regions, pair_groups."""
        rows = list(world.network["group_pairs"])
        names = tuple(dict.fromkeys(str(row["pair_group"]) for row in rows))
        kept = {str(row["pair_group"]) for row in rows if row["every_family"]}
        out = np.array([row["way"] == "out" for row in rows], dtype=bool)
        of: dict[tuple[str, str], int] = {}
        for number, row in enumerate(rows):
            one, other = str(row["one"]), str(row["other"])
            for pair in [(one, other)] if out[number] else [(one, other), (other, one)]:
                if pair not in of or (out[number] and not out[of[pair]]):
                    of[pair] = number
        return Groups(
            names,
            np.array([name in kept for name in names], dtype=bool),
            of,
            out,
            tuple(names.index(str(row["pair_group"])) for row in rows),
            {str(row["region"]): str(row["bloc"]) for row in world.network["pair_groups"]},
        )

    def number(self, origin: str, destination: str) -> int:
        """The number of the group of a pair of regions, by the most specific row.

        Regions come before blocs before any (*). origin, destination: region codes. Of equally specific rows
        one for a single direction comes before one for both. Raises KeyError where no row fits the pair,
        which `check_network` rejects.
        """
        ends = [(code, self._bloc.get(code, _ANY), _ANY) for code in (origin, destination)]
        # Steps up at both ends: the fewest in sum, then the most even; of equals the first row.
        levels: dict[tuple[int, int, bool], list[int]] = {}
        for o, d in np.ndindex(3, 3):
            found = self._row.get((ends[0][o], ends[1][d]))
            if found is not None:
                levels.setdefault((o + d, max(o, d), not self._out[found]), []).append(found)
        if levels:
            return self._group_of_row[min(levels[min(levels)])]
        raise KeyError(f"{origin} - {destination}")


@dataclass(frozen=True, eq=False)
class Segments:
    """Value and choice parameters of the freight of every pair and sector.

    sectors: names. groups: names of the groups of pairs. group [pair]: number into them.
    usd_per_teu [sector, pair]: value density u. usd_per_h [sector, pair]: t u / 24, value of an hour.
    block_share [sector, pair]: share of the sector's rail TEU on block trains.
    kind [sector]: number into KINDS, whether goods travel in containers or in bulk.
    payload_t_per_teu [sector]: tonnes in a TEU.
    family_weight [kind, group, family]: A, weight of a corridor family at the cost of the pair's cheapest.
    rho [sector]: hours equivalent to one standard deviation. phi, phi_b, phi_x, carbon_usd_per_kg:
    parameters.
    """

    sectors: tuple[str, ...]
    groups: tuple[str, ...]
    group: IntArray
    usd_per_teu: FloatArray
    usd_per_h: FloatArray
    block_share: FloatArray
    family_weight: FloatArray
    kind: IntArray
    payload_t_per_teu: FloatArray
    rho: FloatArray
    phi: float
    phi_b: float
    phi_x: float
    carbon_usd_per_kg: float

    def rows(self, sectors: slice | NDArray[np.int64]) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        """Kind, value of an hour [pair, sector], rho and phi of some sectors, for the compiled loops.

        Rows are padded to whole vectors; those of the last sectors are stored.
        """
        key = str(sectors) if isinstance(sectors, slice) else sectors.tobytes().hex()
        known = self._rows.get(key)
        if known is None:
            usd_per_h = self.usd_per_h[sectors]
            k, n = len(usd_per_h), padded(len(usd_per_h))
            kind, per_hour, rho = np.zeros(n), np.ones((usd_per_h.shape[1], n)), np.zeros(n)
            kind[:k], per_hour[:, :k], rho[:k] = self.kind[sectors], usd_per_h.T, self.rho[sectors]
            if len(self._rows) >= _KEPT_ROWS:
                self._rows.clear()
            known = self._rows[key] = kind, per_hour, rho, float(self.phi)
        return known

    @cached_property
    def _rows(self) -> dict[str, tuple[FloatArray, FloatArray, FloatArray, float]]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Without arrays that are quick to compute again."""
        return {name: value for name, value in vars(self).items() if name != "_rows"}

    @property
    def in_containers(self) -> BoolArray:
        """Sectors whose goods travel in containers [sector]."""
        return np.asarray(self.kind == CONTAINER)


def freight_segments(
    world: World, regions_of_origin: Sequence[str], regions_of_destination: Sequence[str]
) -> Segments:
    """Value of a TEU, value of time and parameters of choice of every pair, from the tables of a World.

    world: tables value_density, pair_groups and others.
    regions_of_origin, regions_of_destination: region code of the exporter and importer, for each pair
    ("" where unknown: the pair takes the group of any pair, row *, *, and the sector's own value density).
    u is the most specific row of value_density (exporter and importer, then exporter, then importer), else
    the sector's; t_c percent of value per day, so that an hour is worth t/100 u / 24 [USD/TEU/h]. Returns
    Segments [sector, pair]. Raises KeyError where no row of pair_groups fits a pair, which `check_network`
    rejects.
    """
    bloc = {str(row["region"]): str(row["bloc"]) for row in world.network["pair_groups"]}
    ends = list(zip(regions_of_origin, regions_of_destination, strict=True))
    kinds = sorted(set(ends))
    kind_of = {kind: number for number, kind in enumerate(kinds)}
    index = np.array([kind_of[end] for end in ends], dtype=np.int64)
    rows = list(world.network["sector_freight"])
    sectors = tuple(str(row["sector"]) for row in rows)
    density = _densities(world)
    groups = Groups.of(world)
    group = np.array([groups.number(o, d) for o, d in kinds], dtype=np.int32)
    value = np.empty((len(sectors), len(kinds)))
    percent = np.array([float(row["time_percent_per_day"] or 0.0) for row in rows])
    for s, row in enumerate(rows):
        for k, (o, d) in enumerate(kinds):
            value[s, k] = _density(density, sectors[s], o, d, bloc) or float(row["usd_per_teu"] or 0.0)
    usd = value[:, index]
    return Segments(
        sectors,
        groups.names,
        group[index],
        usd,
        percent[:, None] / 100.0 * usd / 24.0,
        np.ascontiguousarray(_block_shares(world, sectors, groups.names)[group[index]].T),
        _family_weights(world, groups.names),
        np.array([KINDS.index(str(row["kind"])) for row in rows], dtype=np.int32),
        np.array([float(row["payload_t_per_teu"] or 0.0) for row in rows]),
        np.full(len(sectors), world.parameter("rho")),
        world.parameter("phi"),
        world.parameter("phi_b"),
        world.parameter("phi_x"),
        world.parameter("carbon_price_usd_per_kg"),
    )


def _block_shares(world: World, sectors: tuple[str, ...], groups: tuple[str, ...]) -> FloatArray:
    """Shares of container trains as stated [pair group, sector]."""
    out = np.zeros((len(groups), len(sectors)))
    for row in world.network["block_train_share"]:
        group, sector = str(row["pair_group"]), str(row["sector"])
        if sector in sectors and group in groups:
            out[groups.index(group), sectors.index(sector)] = float(row["share"] or 0.0)
    return out


def _family_weights(world: World, groups: tuple[str, ...]) -> FloatArray:
    """Weights of the corridor families [kind, pair group, family]; the stated share where none is given."""
    out = np.zeros((len(KINDS), len(groups), len(FAMILIES)))
    for row in world.network["family_shares"]:
        group, family = groups.index(str(row["pair_group"])), FAMILIES.index(str(row["family"]))
        given = row["share"] if row["weight"] is None else row["weight"]
        out[KINDS.index(str(row["kind"])), group, family] = float(given or 0.0)
    return out


def keeps_every_family(
    world: World, regions_of_origin: Sequence[str], regions_of_destination: Sequence[str]
) -> BoolArray:
    """Pairs whose group keeps every corridor family (group_pairs, every_family) [origin, destination].

    world: with the tables; regions_of_origin, regions_of_destination: codes. For `generate`: elsewhere a
    family that costs many times the pair's cheapest route is left out. Raises KeyError where no row of
    pair_groups fits a pair, which `check_network` rejects.
    """
    groups = Groups.of(world)
    known: dict[tuple[str, str], bool] = {}
    for pair in {(o, d) for o in set(regions_of_origin) for d in set(regions_of_destination)}:
        known[pair] = bool(groups.every_family[groups.number(*pair)])
    rows = [[known[o, d] for d in regions_of_destination] for o in regions_of_origin]
    return np.array(rows, dtype=bool).reshape(len(regions_of_origin), len(regions_of_destination))


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
