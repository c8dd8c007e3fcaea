"""Farms: a shock to agricultural productivity, the adoption of a technology times its effect in the field.

Only crops with a field comparison or a claim about plots change (wheat and cotton); the rest of agriculture
does not. A gain in yield is taken as a gain in productivity with all other inputs per hectare unchanged. This
is an upper bound, since new varieties and drip irrigation have costs that are not reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.world import World
from landbridge.world.names import resolve
from landbridge.world.table import Cell

__all__ = ["BOUND_FROM", "CASES", "SECTOR", "Case", "CropShock", "FarmShock", "farm_shocks", "yield_bound"]

FloatArray = NDArray[np.float64]
Case = Literal["low", "central", "high", "claimed"]

# low: low adoption x the documented effect on neighbours; central, high: x the documented effect itself;
# claimed: high adoption x the effect claimed for plots, limited to the bound but not below the high case.
CASES: tuple[Case, ...] = get_args(Case)
SECTOR = "AGR"
# National yields are compared from this year on: before it they fell and recovered after the end of the
# kolkhozes.
BOUND_FROM = 1999


@dataclass(frozen=True)
class CropShock:
    """One crop of one country in one case.

    region: country of the fields; effect_id: row of farm_effects; effect_percent: gain in the field;
    adoption, weight: share of the crop's area, share of the crop in farm output; yield_percent: gain of the
    national yield; uncut_percent: adoption x effect before the claimed case is limited to bound_percent
    (None: no series of yields), the record of the crop bound_of.
    """

    region: str
    crop: str
    case: Case
    effect_id: str
    effect_percent: float
    adoption: float
    weight: float
    uncut_percent: float
    bound_percent: float | None
    bound_of: str | None
    yield_percent: float

    def as_json(self) -> dict[str, Any]:
        """The crop as `--json` prints it."""
        return {
            "region": self.region,
            "crop": self.crop,
            "case": self.case,
            "effect": self.effect_id,
            "effect_percent": self.effect_percent,
            "adoption": self.adoption,
            "share_of_farm_output": self.weight,
            "yield_percent_before_bound": self.uncut_percent,
            "bound_percent": self.bound_percent,
            "bound_of": self.bound_of,
            "yield_percent": self.yield_percent,
        }


@dataclass(frozen=True)
class FarmShock:
    """One case: productivity_hat, after / before [n, s], and the crops behind it."""

    case: Case
    productivity_hat: FloatArray
    crops: tuple[CropShock, ...]


def yield_bound(world: World, region: str, crop: str) -> tuple[float | None, str | None]:
    """The largest rise of the national yield from one five-year mean to the next since BOUND_FROM [%].

    world: with the farm tables; region, crop: codes. Returns the rise and its crop: the crop itself, else the
    country's crop with the largest rise (an assumption); (None, None) where the table has no two such means.
    rise = 100 (mean t/ha of the later five years / mean of the earlier - 1). Raises DataError where the World
    lacks the table farm_yields.
    """
    (table,) = world.channel("farm_yields")
    means: dict[str, list[tuple[int, float]]] = {}
    for row in table:
        first, last = int(row["from_year"] or 0), int(row["to_year"] or 0)
        if row["region"] == region and first >= BOUND_FROM and last - first == 4:
            means.setdefault(str(row["crop"]), []).append((first, float(row["t_per_ha"] or 0.0)))
    records: dict[str, float] = {}
    for name, listed in means.items():
        steps = list(pairwise(sorted(listed)))
        rises = [100.0 * (after / before - 1.0) for (_, before), (_, after) in steps if before > 0.0]
        if rises:
            records[name] = max(0.0, *rises)
    if crop in records:
        return records[crop], crop
    other = max(records, key=lambda name: records[name], default=None)
    return (None, None) if other is None else (records[other], other)


def farm_shocks(
    world: World,
    *,
    regions: Sequence[str] | None = None,
    crops: Sequence[str] | None = None,
    adoption: float | None = None,
    effect_percent: float | None = None,
) -> tuple[FarmShock, ...]:
    """The four cases, d ln A_n = ln(1 + sum over crops of weight x adoption x effect), limited as in CASES.

    world: with the farm tables; regions, crops: only these (default: all in the tables); adoption: one share
    of the area [0-1] in every case instead of the range of the table; effect_percent: one gain of yield in
    the field [%] instead of the cited ones. A_n: productivity of the agriculture of country n.
    Raises DataError with every fault: unknown countries and crops, shares outside 0-1, missing tables.
    """
    farms = _Farms(world, adoption, effect_percent)
    chosen, pairs = _asked(world, farms, regions, crops)
    at = world.trade.sectors.index(SECTOR)
    out = []
    for case in CASES:
        rows = [farms.shock(region, crop, case) for region, crop in pairs]
        hat = np.ones((len(world.trade.regions), len(world.trade.sectors)))
        for region in chosen:
            gained = sum(one.weight * one.yield_percent / 100.0 for one in rows if one.region == region)
            hat[world.trade.regions.index(region), at] = 1.0 + gained
        hat.setflags(write=False)
        out.append(FarmShock(case, hat, tuple(rows)))
    return tuple(out)


class _Farms:
    """The farm tables, with one adoption or effect [%] instead of theirs where given."""

    def __init__(self, world: World, adoption: float | None, effect_percent: float | None) -> None:
        weights, takes, _ = world.channel("farm_weights", "farm_adoption", "farm_yields")
        self.adoption, self.effect_percent = adoption, effect_percent
        self.weight = {(str(r["region"]), str(r["crop"])): float(r["share"] or 0.0) for r in weights}
        self.adopted = {(str(r["region"]), str(r["crop"])): r for r in takes}
        self.effects = _Effects(world)
        self.bound = cache(partial(yield_bound, world))

    def faults(self) -> list[Fault]:
        """Faults of the numbers given, and of the tables."""
        absent = [pair for pair in self.weight if pair not in self.adopted]
        return [
            *_faults(self.adoption, self.effect_percent),
            *(
                Fault("farm_adoption.csv", f"no row {region}, {crop}", "add its share, 0 for none")
                for region, crop in absent
            ),
        ]

    def shock(self, region: str, crop: str, case: Case) -> CropShock:
        """One crop of one country: adoption x effect; the claimed case is limited to the record of yields.

        The record does not limit it below the high case.
        """
        effect_id, effect = self.effects.of(region, crop, case)
        if self.effect_percent is not None:
            effect_id, effect = "given", self.effect_percent
        taken = self.adoption
        if taken is None:
            taken = float(self.adopted[region, crop]["high" if case == "claimed" else case] or 0.0)
        uncut = gain = taken * effect
        bound, record = self.bound(region, crop)
        if case == "claimed" and bound is not None:
            gain = min(uncut, max(bound, self.shock(region, crop, "high").yield_percent))
        weight = self.weight[region, crop]
        return CropShock(region, crop, case, effect_id, effect, taken, weight, uncut, bound, record, gain)


def _asked(
    world: World, farms: _Farms, regions: Sequence[str] | None, crops: Sequence[str] | None
) -> tuple[list[str], list[tuple[str, str]]]:
    """The regions asked for, and their crops. Raises DataError with every fault of options and tables."""
    faults = farms.faults()
    chosen, found = _chosen_regions(world, regions, sorted({region for region, _ in farms.weight}))
    faults += found
    known = sorted({crop for _, crop in farms.weight})
    for crop in crops or ():
        if crop not in known:
            cure = did_you_mean(crop, known) or "use " + ", ".join(known)
            faults.append(Fault("crop", f"no crop {crop!r}", cure))
    faults += farms.effects.faults
    if SECTOR not in world.trade.sectors:
        faults.append(Fault("sectors.csv", f"no sector {SECTOR}", "farms need it"))
    if faults:
        raise DataError("the farms cannot be solved", faults)
    return chosen, sorted(p for p in farms.weight if p[0] in chosen and (crops is None or p[1] in crops))


def _faults(adoption: float | None, effect_percent: float | None) -> list[Fault]:
    faults = []
    if adoption is not None and not 0.0 <= adoption <= 1.0:
        faults.append(Fault("adoption", f"is {adoption:g}", "give a share of the area from 0 to 1"))
    if effect_percent is not None and not -90.0 <= effect_percent <= 500.0:
        cure = "give a gain of yield in percent, from -90 to 500"
        faults.append(Fault("effect", f"is {effect_percent:g} %", cure))
    return faults


def _chosen_regions(
    world: World, regions: Sequence[str] | None, known: Sequence[str]
) -> tuple[list[str], list[Fault]]:
    """Regions by code or name that the farm tables know, or faults."""
    if regions is None:
        return [r for r in known if r in world.trade.regions], []
    faults: list[Fault] = []
    chosen: list[str] = []
    for text in regions:
        if text == "CA5":
            chosen += [r for r in known if r not in chosen]
            continue
        found, fault = resolve(world.tables, "region", text, "region")
        if fault is not None or found is None:
            faults += [fault] if fault is not None else []
        elif found not in known:
            cure = "use " + ", ".join(known) + ", or add its rows to farm_weights.csv and farm_adoption.csv"
            faults.append(Fault("region", f"no farm data for {found}", cure))
        elif found not in chosen:
            chosen.append(found)
    return chosen, faults


class _Effects:
    """The effect of a case by region and crop: the documented one, or the largest claim about plots."""

    def __init__(self, world: World) -> None:
        (table,) = world.channel("farm_effects")
        self.documented = [row for row in table if row["role"] == "documented"]
        self.claims = [row for row in table if row["role"] == "plot claim"]
        cure = "add the row of a field comparison: it is the central case"
        self.faults = [] if self.documented else [Fault("farm_effects.csv", "no documented effect", cure)]

    def of(self, region: str, crop: str, case: Case) -> tuple[str, float]:
        """Identifier and gain of yield [%]; claims about the country first, then about the crop anywhere."""
        if case == "claimed":
            near = [r for r in self.claims if r["crop"] == crop and r["region"] == region]
            listed = near or [r for r in self.claims if r["crop"] == crop] or self.documented
            row = max(listed, key=lambda r: float(r["percent"] or 0.0))
        else:
            row = self.documented[0]
        column = "low" if case == "low" and row["low"] is not None else "percent"
        return str(row["effect_id"]), _number(row[column])


def _number(cell: Cell) -> float:
    return 0.0 if cell is None else float(cell)
