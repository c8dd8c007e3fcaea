"""The derivative of the whole chain on small Worlds with numbers at random, waits and payments included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

import embedded
import landbridge as lb
from differences import differences, solved_tightly
from landbridge.scenario import Scenario
from landbridge.studies.movable import NUMBERS, Lens, Number, cells_of_column
from landbridge.transport.waiting.stations import CAPACITY_COLUMNS
from landbridge.world import World
from landbridge.world.table import Table
from small_folder import small_world

REGIONS = ("KAZ", "KGZ", "TJK", "UZB")
OF = "real_income:UZB"
# The largest step of a quotient, as a share of the step of a number and of the number itself.
_OF_STEP, _OF_VALUE = 0.2, 0.02
# A gain of less in this step is lost in the rounding of real income [USD a year].
_LEAST_USD = 5e3
# What a scenario changes at once; nothing is closed, see `Limits` of docs/theory/sensitivity.md.
MIXED = (
    {"verb": "change_gateway", "gateway": "saryagash-keles", "capacity": {"multiply": 0.8}},
    {"verb": "change_gateway", "gateway": "shymkent-yallama", "time_h": {"multiply": 0.7}},
    {"verb": "change_tariff", "exporter": "KAZ", "importer": "UZB", "tariff": 0.1},
    {"verb": "change_productivity", "region": "KGZ", "sector": "TEX", "percent": 5},
)


def shaken(seed: int) -> World:
    """Four regions with lengths, hours, rates, capacities, tariffs and elasticities drawn anew."""
    rng = np.random.default_rng(seed)
    world = small_world(embedded.world(), REGIONS)

    def times(table: str, columns: Sequence[str], low: float, high: float) -> Table:
        """A table with some numbers of every row times one factor."""
        rows = world.network[table]
        factors = rng.uniform(low, high, len(rows)).tolist()
        both = zip(rows, factors, strict=True)
        drawn = ({c: float(r[c] or 0.0) * f for c in columns if r[c] is not None} for r, f in both)
        return rows.with_rows({**row, **new} for row, new in zip(rows, drawn, strict=True))

    owners = world.network["carriers"]
    fleet = {**owners.rows[0], "quantity": "fleet", "mode": "sea", "region": "KAZ", "share": 1.0}
    size = world.trade.trade.shape
    tariff = rng.uniform(0.0, 0.2, size) * (1.0 - np.eye(size[0])[:, :, None])
    drawn = world.with_network(
        links=times("links", ("length_km",), 0.6, 1.6),
        rates=times("rates", ("usd_per_teu_km",), 0.5, 2.0),
        crossings=times("crossings", ("time_low_h", "time_h", "time_high_h", "cost_usd"), 1.0, 1.8),
        sector_freight=times("sector_freight", ("time_percent_per_day",), 0.5, 2.0),
        carriers=owners.with_rows([*owners, fleet]),
    )
    theta = world.trade.theta * rng.uniform(0.7, 1.4, size[2])
    return with_queues(replace(drawn, trade=replace(world.trade, tariff=tariff, theta=theta)), rng)


def with_queues(world: World, rng: np.random.Generator) -> World:
    """Capacities at every gateway, a little above what passes there."""
    passing = {row["gateway"]: row for row in lb.run(world).gateway_rows}
    rows = []
    for row in world.network["gateways"]:
        flow, on_rails = passing[row["gateway_id"]], row["mode"] == "rail"
        units = flow["trains_per_day"] if on_rails else flow["trucks_per_year"] / 365.0
        rows.append({**row, CAPACITY_COLUMNS[str(row["mode"])]: units * rng.uniform(0.9, 1.6) + 0.5})
    return world.with_network(gateways=world.network["gateways"].with_rows(rows))


def largest_step(number: Number) -> float:
    step = _OF_STEP * abs(number.step)
    return step if number.value is None else min(step, _OF_VALUE * abs(number.value))


def cells(lens: Lens) -> Iterator[Number]:
    """Numbers of a column that hours depend on by its inverse, of a spread, and of a rate of many links."""
    for table, column in (("links", "speed_kmh"), ("crossings", "time_high_h"), ("rates", "usd_per_teu_km")):
        rows = enumerate(lens.world.network[table])
        values = {at: float(row[column]) for at, row in rows if row[column] and row.get("scope") != "*"}
        yield from cells_of_column(lens, table, column, "", values)


def drawn_of_every_sort(lens: Lens, kinds: Sequence[str], seed: int) -> list[Number]:
    """A number of every kind and column, among those that matter."""
    rng = np.random.default_rng(seed)
    sorts: dict[tuple[str, str], list[Number]] = {}
    for kind in kinds:
        for number in (cells if kind == "cells" else NUMBERS[kind])(lens):
            if abs(lens.usd * number.slopes[0] * largest_step(number)) >= _LEAST_USD:
                sorts.setdefault((kind, number.target), []).append(number)
    return [found[rng.integers(len(found))] for found in sorts.values()]


@pytest.mark.parametrize(
    ("seed", "kinds", "sorts"),
    [(0, ("arcs", "gateways"), 5), (1, ("tariffs", "productivity", "parameters"), 3), (2, ("cells",), 3)],
)
def test_every_derivative_is_the_central_difference(seed: int, kinds: Sequence[str], sorts: int) -> None:
    with solved_tightly():
        lens = Lens(lb.run(shaken(seed)), OF)
        assert lens.result.queues is not None and len(lens.result.queues) == 36
        assert lens.result.tolls is not None
        numbers = drawn_of_every_sort(lens, kinds, seed)
        assert len(numbers) == sorts
        found = differences(lens, numbers, [largest_step(n) for n in numbers], 2)
    for number, slope in zip(numbers, found, strict=True):
        assert number.slopes[0] == pytest.approx(slope, rel=1e-6), (number.id, number.target)


def test_so_it_is_at_a_scenario_with_other_waits() -> None:
    """Hours of a gateway from below: a queue that has grown gets shorter with them, but not longer."""
    document = {"name": "mixed", "modification": list(MIXED)}
    with solved_tightly():
        case = lb.run(shaken(4), Scenario.from_dict(document, "mixed"))
        assert case.queues is not None and case.load is not None
        assert np.abs(case.load - case.queues.base_load).max() > 0.1
        lens = Lens(case, OF)
        kinds = ("arcs", "gateways", "tariffs", "productivity")
        numbers = drawn_of_every_sort(lens, kinds, 4)
        assert len({number.target for number in numbers}) == 5
        (hours,) = (n for n in NUMBERS["gateways"](lens) if (n.id, n.target) == ("saryagash-keles", "time_h"))
        smooth = [n for n in numbers if n.unit != "h" or n.id in lens.graph.links]
        found = differences(lens, smooth, [largest_step(n) for n in smooth], 2)
        found += differences(lens, [hours], [largest_step(hours)], 2, falling=True)
        (central,) = differences(lens, [hours], [largest_step(hours)])
    for number, slope in zip([*smooth, hours], found, strict=True):
        assert number.slopes[0] == pytest.approx(slope, rel=1e-6), (number.id, number.target)
    # The two sides differ.
    assert central != pytest.approx(hours.slopes[0], rel=1e-3)
