"""Draws of a plan by their index: the same numbers in any order, process or shard.

u_i in [0, 1)^d  from  SeedSequence(seed, spawn_key=(i,)), the i-th Sobol point, or the i-th grid point
x_j = F_j^-1(u_ij)

For indices of variance (`landbridge.sweeps.indices`) the halves of the k-th Sobol point of 2 d numbers are A
and B, and the draws of block k are A, B, and A with each number from B.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.sweeps.indices import part_of
from landbridge.sweeps.plan import BORDER, THETA, TIME, Plan, moves, quantile
from landbridge.world import Cell, World

__all__ = ["drawn", "moved_world"]

FloatArray = NDArray[np.float64]


def drawn(plan: Plan, index: int) -> dict[str, float]:
    """The numbers of one draw by their keys; index: from 0.

    x_j = F_j^-1(u_ij), u_i of index i, see the head of the module

    plan: of the sweep.
    """
    if plan.draws == "grid":
        # Points of a grid lie evenly from low to high, whatever the distribution.
        points = _grid_point(plan, index)
        return {m.key: m.at(u, "uniform") for m, u in zip(plan.moved, points, strict=True)}
    shares = _POINTS[plan.draws](plan, index)
    return {m.key: m.at(float(u), plan.distribution) for m, u in zip(plan.moved, shares, strict=True)}


def _random_point(plan: Plan, index: int) -> FloatArray:
    seeded = np.random.SeedSequence(plan.seed, spawn_key=(index,))
    return np.random.Generator(np.random.PCG64(seeded)).random(len(plan.moved))


def _sobol_point(plan: Plan, index: int) -> FloatArray:
    return _point_of_sequence(len(plan.moved), plan.seed, index)


def _saltelli_point(plan: Plan, index: int) -> FloatArray:
    """A, B, or A with one number from B."""
    numbers = len(plan.moved)
    block, place = part_of(index, numbers)
    one, other = _point_of_sequence(2 * numbers, plan.seed, block).reshape(2, numbers)
    if place == 1:
        return other
    mixed = one.copy()
    if place > 1:
        mixed[place - 2] = other[place - 2]
    return mixed


@lru_cache(maxsize=256)
def _point_of_sequence(size: int, seed: int, index: int) -> FloatArray:
    """A point of the sequence; draws of one block ask for the same."""
    sequence = _sobol(size, seed).reset()
    if index:
        sequence.fast_forward(index)
    point: FloatArray = sequence.random(1)[0]
    point.flags.writeable = False
    return point


_POINTS: Mapping[str, Callable[[Plan, int], FloatArray]] = {
    "monte_carlo": _random_point,
    "sobol": _sobol_point,
    "saltelli": _saltelli_point,
}


@lru_cache(maxsize=2)
def _sobol(size: int, seed: int) -> Any:
    """The sequence, scrambled by a seed; it begins again after reset()."""
    from scipy.stats import qmc

    return qmc.Sobol(size, scramble=True, seed=np.random.Generator(np.random.PCG64(seed)))


def _grid_point(plan: Plan, index: int) -> list[float]:
    """The last number changes fastest."""
    found = []
    for _ in plan.moved:
        index, level = divmod(index, plan.levels)
        found.append(level / (plan.levels - 1))
    return found[::-1]


def moved_world(world: World, plan: Plan, numbers: Mapping[str, float]) -> World:
    """The World with the numbers of a draw, to which the scenarios are then applied.

    world: of the data; plan: which numbers are moved; numbers: values of the draw by name. Base and scenario
    share them, parameters of the World included. Hours of borders follow as F^-1 of their drawn share, see
    the head of the module.
    """
    parameters, crossings = world.network["parameters"], world.network["crossings"]
    freight, sectors = world.network["sector_freight"], world.sectors

    def cells(row: Mapping[str, Cell], column: str, key: str, text: bool = False) -> Mapping[str, Cell]:
        value = numbers.get(key)
        return row if value is None else {**row, column: repr(value) if text else value}

    def hours(row: Mapping[str, Cell]) -> Mapping[str, Cell]:
        share = numbers.get(f"{BORDER}{row['gateway_id']}")
        if share is None or not moves(row):
            return row
        low, value, high = (float(row[name] or 0.0) for name in ("time_low_h", "time_h", "time_high_h"))
        form = "uniform" if plan.draws == "grid" else plan.distribution
        return {**row, "time_h": quantile(share, low, value, high, form)}

    after = world.with_network(
        parameters=parameters.with_rows(cells(r, "value", str(r["parameter"]), True) for r in parameters),
        sector_freight=freight.with_rows(
            cells(r, "time_percent_per_day", f"{TIME}{r['sector']}") for r in freight
        ),
        crossings=crossings.with_rows(hours(r) for r in crossings),
    )
    if not any(key.startswith(THETA) for key in numbers):
        return after
    theta = [
        numbers.get(f"{THETA}{sector}", float(value))
        for sector, value in zip(world.trade.sectors, world.trade.theta, strict=True)
    ]
    rows = (cells(r, "theta", f"{THETA}{r['sector']}") for r in sectors)
    return replace(after, trade=replace(world.trade, theta=np.array(theta)), sectors=sectors.with_rows(rows))
