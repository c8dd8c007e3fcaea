"""Spoiled inputs to every entry, and Worlds with odd but legal figures that are run and held to laws."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

import landbridge as lb
from hostile_entries import RIGHT, Bench
from landbridge.world import World
from landbridge.world.table import columns_of
from landbridge.world.validate import check_network

SECONDS = 60.0
# Inputs of each entry; ten thousand in all are tried by benchmarks/hostile.py.
SAMPLE = 25


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("entries"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["baci", "gmns", "gravity", "manifest", "options", "scenario", "tntp", "totals", "world"]
)
def test_every_spoiled_input_is_answered_or_refused(bench: Bench, name: str) -> None:
    ends = set()
    for number in range(SAMPLE):
        begin = time.perf_counter()
        end = bench.try_one(name, random.Random(f"1 {number} {name}"))
        assert end in RIGHT, (number, end)
        assert time.perf_counter() - begin < SECONDS
        ends.add(end)
    assert "refused 3" in ends


# -- Worlds that load are run --------------------------------------------------------------------------

_NUMBERS = {
    "crossings": ("time_h", "cost_usd"),
    "gateways": ("capacity_trains_per_day", "capacity_trucks_per_day", "constant"),
    "links": ("speed_kmh", "cost_factor"),
    "rates": ("usd_per_teu_km",),
    "value_density": ("usd_per_teu",),
    "freight_profile": ("share_network",),
    "sector_freight": ("time_percent_per_day",),
}


_ENDS = ("low", "high", "time_low_h", "time_high_h", "time_low", "time_high")


def odd(world: World, random_: random.Random) -> World:
    """A World with eight figures moved by up to four times, within their bounds."""
    for _ in range(8):
        name = random_.choice(sorted(_NUMBERS))
        column = random_.choice(_NUMBERS[name])
        rows = [dict(row) for row in world.network[name]]
        filled = [row for row in rows if row[column] is not None]
        row, bounds = random_.choice(filled), columns_of(name)[column]
        value = float(row[column]) * 4.0 ** random_.uniform(-1.0, 1.0)
        low = bounds.minimum if bounds.minimum is not None else 0.0
        high = bounds.maximum if bounds.maximum is not None else value
        row[column] = min(max(value, low), high)
        row |= {end: None for end in _ENDS if end in row}
        world = world.with_network(**{name: world.network[name].with_rows(rows)})
    return world


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_odd_worlds_that_load_obey_the_laws(seed: int) -> None:
    world = odd(lb.load(), random.Random(seed))
    tables = {**world.network, "regions": world.regions, "sectors": world.sectors}
    assert check_network(tables) == []
    study = lb.study(world, ["borders-half", "khorgos-closed"])
    for case in (study.base, *study.cases):
        assert case.status.converged and case.status.rebase < 1e-6
        assert np.isfinite(case.demand_teu).all() and (case.demand_teu >= 0.0).all()
        assert (case.flow_teu >= -1e-9).all()
        for eq in case.equilibrium.values():
            assert np.isfinite(eq.real_income_hat).all() and (eq.real_income_hat > 0.0).all()
            assert abs(eq.deficit.sum()) < 1e-6 * np.abs(eq.deficit).sum()
        # Every region spends what it has: purchases with tariffs are final spending and inputs.
        eq, output = case.loading, case.loading.trade.sum(axis=1)
        inputs = ((1.0 - eq.base.value_added_share) * output).sum(axis=1)
        bought = ((1.0 + eq.tariff) * eq.trade).sum(axis=(0, 2))
        np.testing.assert_allclose(bought, eq.income + inputs, rtol=1e-8)
    half, closed = study["borders-half"], study["khorgos-closed"]
    cheaper, dearer = (case.unqueued.cost / study.base.choice.cost for case in (half, closed))
    assert cheaper.max() < 1.0 + 1e-9, "halved hours make no pair dearer"
    assert dearer.min() > 1.0 - 1e-9, "a closure makes no pair cheaper"
