"""Laws of the gas network on small random ones: max flow is min cut, duals are slopes, more never harms."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landbridge.channels import gas
from landbridge.io.tables import load_world
from landbridge.world import World

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
# Two sellers A and B, two junctions, one buyer Z: every arc there may be.
NODES = {"A": "AAA", "B": "BBB", "J": "JJJ", "K": "KKK", "Z": "ZZZ"}
ARCS = [("A", "J"), ("A", "K"), ("B", "J"), ("B", "K"), ("J", "K"), ("J", "Z"), ("K", "Z")]
told = {"source": "test", "year": "2023", "basis": "assumption", "note": None}


@pytest.fixture(scope="module")
def world() -> World:
    return load_world()


def network(world: World, capacities: list[float], due: tuple[float, float]) -> World:
    """A World whose gas network is the small one: capacities of ARCS, gas due from A and from B [bcm]."""
    old = world.channels
    contracts = [
        {
            **{"contract_id": f"{seller}-Z", "contract_year": 2023, "exporter": NODES[seller]},
            **{"importer": "ZZZ", "from_nodes": seller, "to_nodes": "Z"},
            **{"bcm_operator": volume, "bcm_standard": None, "months": "1-12"},
            **told,
        }
        for seller, volume in zip("AB", due, strict=True)
    ]
    lines, segments = [], []
    for (a, b), capacity in zip(ARCS, capacities, strict=True):
        line = dict.fromkeys(old["gas_pipelines"].columns)
        line |= {"pipeline_id": a + b, "name": f"{a} to {b}", "from_node": a, "to_node": b, **told}
        line |= {"capacity_bcm_operator": capacity, "status": "operating", "modelled": True}
        lines.append(line)
        segments.append(
            {"pipeline_id": a + b, "position": 1, "from_node": a, "to_node": b, "length_km": 100.0, **told}
        )
    nodes = [
        {"node_id": n, "name": n, "country": c, "lat": 0.0, "lon": 0.0, "role": None, **told}
        for n, c in NODES.items()
    ]
    return world.with_channels(
        gas_nodes=old["gas_nodes"].with_rows(nodes),
        gas_pipelines=old["gas_pipelines"].with_rows(lines),
        gas_segments=old["gas_segments"].with_rows(segments),
        gas_contracts=old["gas_contracts"].with_rows(contracts),
        gas_balances=old["gas_balances"].with_rows(()),
        gas_storage=old["gas_storage"].with_rows(()),
    )


def least_cut(capacities: list[float], due: tuple[float, float]) -> float:
    """Least cut between what is due and the buyer: gas due is an arc from a common source to each seller."""
    arcs = [("S", "A", due[0]), ("S", "B", due[1])]
    arcs += [(a, b, c) for (a, b), c in zip(ARCS, capacities, strict=True)]
    inner = "ABJK"
    cuts = []
    for size in range(len(inner) + 1):
        for chosen in combinations(inner, size):
            side = {"S", *chosen}
            cuts.append(sum(c for a, b, c in arcs if a in side and b not in side))
    return min(cuts)


sizes = st.floats(0.0, 20.0).map(lambda v: round(v, 3))
capacities = st.lists(sizes, min_size=len(ARCS), max_size=len(ARCS))
dues = st.tuples(st.floats(0.5, 20.0), st.floats(0.5, 20.0))


@QUICK
@given(capacity=capacities, due=dues)
def test_what_is_delivered_is_the_least_cut(world: World, capacity: list[float], due: tuple[float, float]):
    year = gas.solve_year(network(world, capacity, due))
    assert year.delivered.sum() == pytest.approx(least_cut(capacity, due), abs=1e-7)
    assert year.unserved_bcm == pytest.approx(sum(due) - least_cut(capacity, due), abs=1e-7)
    assert year.balance < 1e-9
    assert (year.missed > -1e-9).all() and (year.missed <= year.model.due + 1e-9).all()


@QUICK
@given(capacity=capacities, due=dues, which=st.integers(0, len(ARCS) - 1))
def test_a_dual_lies_between_the_one_sided_slopes(
    world: World, capacity: list[float], due: tuple[float, float], which: int
):
    def cost(step: float) -> float:
        moved = [c + step * (n == which) for n, c in enumerate(capacity)]
        model = gas.GasModel(network(world, moved, due))
        return float(model.programme.unknowns.cost @ model.solve().x)

    h = 1e-3
    capacity = [c + 2 * h for c in capacity]
    year = gas.solve_year(network(world, capacity, due))
    dual = year.lines[which]["dual_musd_per_bcm"]
    middle = cost(0.0)
    up, down = (middle - cost(h)) / h, (cost(-h) - middle) / h
    # Away from a kink the two are one; the objective is convex, so a dual is between them at a kink too.
    assert up - 1e-3 <= dual <= down + 1e-3
    if abs(up - down) < 1e-3:
        assert dual == pytest.approx(up, abs=2e-3)


@QUICK
@given(capacity=capacities, due=dues, more=st.floats(0.0, 5.0), which=st.integers(0, len(ARCS) - 1))
def test_more_capacity_never_delivers_less(
    world: World, capacity: list[float], due: tuple[float, float], more: float, which: int
):
    wider = [c + more * (n == which) for n, c in enumerate(capacity)]
    before, after = (gas.solve_year(network(world, c, due)).unserved_bcm for c in (capacity, wider))
    assert after <= before + 1e-7
    assert before - after <= more + 1e-7


@QUICK
@given(due=dues, width=st.floats(0.1, 30.0))
def test_a_shared_line_is_shared_in_proportion(world: World, due: tuple[float, float], width: float):
    wide = 100.0
    year = gas.solve_year(network(world, [wide, 0.0, wide, 0.0, 0.0, width, 0.0], due))
    share = [row["missed_bcm"] / row["due_bcm"] for row in year.contracts]
    expected = max(0.0, 1.0 - width / sum(due))
    assert share == pytest.approx([expected, expected], abs=1e-7)


@QUICK
@given(capacity=capacities, due=dues, months=st.sets(st.integers(1, 12), max_size=12))
def test_losses_of_months_add_up_without_storage(
    world: World, capacity: list[float], due: tuple[float, float], months: set[int]
):
    small = network(world, capacity, due)
    none = gas.solve_year(small).unserved_bcm
    whole = gas.solve_year(small, ["JZ"]).unserved_bcm
    part = gas.solve_year(small, ["JZ"], months=months).unserved_bcm
    assert part == pytest.approx(none + (whole - none) * len(months) / 12, abs=1e-7)
    assert np.isfinite(part)
