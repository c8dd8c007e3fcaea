"""Tables that share out trade: every row that would be used wrongly, or not at all, is a fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.errors import DataError
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.studies.calibrate import calibrate, observed_counts
from landbridge.studies.fit import Fit
from landbridge.transport.segments import Groups
from landbridge.world.shares import check_shares
from landbridge.world.validate import check_network

Row = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> lb.World:
    return embedded.world()


def changed(world: lb.World, table: str, change: Callable[[Row], Row | None], *more: Row) -> lb.World:
    old = world.network[table]
    rows = [new for row in old if (new := change(dict(row))) is not None]
    return replace(world, network={**world.network, table: old.with_rows([*rows, *more])})


def one(key: str, value: Any, **cells: Any) -> Callable[[Row], Row]:
    """The first row with a cell gets others."""
    done: list[int] = []

    def change(row: Row) -> Row:
        if row[key] != value or done:
            return row
        done.append(1)
        return {**row, **cells}

    return change


def test_the_embedded_tables_are_whole(world: lb.World) -> None:
    assert check_shares({**world.network, **world.tables}) == []


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        ("zone_shares", one("region", "KAZ", share=0.9), "sum to"),
        ("zone_shares", lambda r: None if (r["place_id"], r["sector"]) == ("ALMATY", "*") else r, "ALMATY"),
        ("zone_shares", one("place_id", "ALMATY", place_id="DUI"), "is no zone of KAZ"),
        ("zone_shares", one("sector", "ENE", sector="VEHH"), "VEHH"),
        ("kept_costs", one("sector", "VEH", sector="VEHH"), "VEHH"),
        ("kept_costs", lambda r: None if (r["exporter"], r["importer"]) == ("DEU", "FRA") else r, "DEU, FRA"),
        ("group_pairs", lambda r: None if r["one"] == r["other"] == "*" else r, "have no group"),
        ("group_pairs", one("one", "CHN", one="CNH"), "CNH"),
        ("family_shares", one("kind", "bulk", weight=None), "some weights are blank"),
        ("family_shares", lambda r: None if r["pair_group"] == "china-europe" else r, "china-europe"),
        ("validation_modes", one("row_id", "MS014", high=1.0), "between 0 and 1"),
        ("validation_modes", one("row_id", "MS006", exporter="GER"), "no region GER"),
        ("validation_modes", one("row_id", "MS006", measure=None), "no measure"),
    ],
)
def test_what_would_be_used_wrongly_is_a_fault(
    world: lb.World, table: str, change: Callable[[Row], Row | None], told: str
) -> None:
    faults = check_network({**world.tables, **changed(world, table, change).network})
    assert any(told in f"{f.where} {f.what}" and f.cure for f in faults), faults


def test_the_same_pair_of_ends_twice_is_a_fault(world: lb.World) -> None:
    again = next(dict(r) for r in world.network["group_pairs"] if (r["one"], r["other"]) != ("*", "*"))
    again["one"], again["other"] = again["other"], again["one"]

    def said(row: Row) -> bool:
        tables = changed(world, "group_pairs", lambda r: r, row).network
        return any("same pair again" in f.what for f in check_network({**world.tables, **tables}))

    assert said(again)
    # One way and the other are two rows; the same way twice is not.
    outward = next(dict(r) for r in world.network["group_pairs"] if r["way"] == "out")
    assert said(outward) and not said({**again, "way": "out"})


def test_a_group_is_the_same_either_way_round_unless_its_row_is_for_one_way(world: lb.World) -> None:
    groups = Groups.of(world)
    one_way = {row["pair_group"] for row in world.network["group_pairs"] if row["way"] == "out"}
    assert one_way
    for o in world.trade.regions:
        for d in world.trade.regions:
            out, back = (groups.names[groups.number(*pair)] for pair in ((o, d), (d, o)))
            assert out == back or {out, back} <= one_way, (o, d)
    assert groups.names[groups.number("CHN", "RUS")] == "china-russia"
    assert groups.names[groups.number("RUS", "CHN")] == "russia-china"


def test_a_row_for_one_way_comes_before_one_that_holds_both_ways(world: lb.World) -> None:
    row = next(dict(r) for r in world.network["group_pairs"] if (r["one"], r["other"]) == ("CHN", "BLR"))
    groups = Groups.of(
        changed(world, "group_pairs", lambda r: r, {**row, "way": "out", "pair_group": "trains"})
    )
    assert groups.names[groups.number("CHN", "BLR")] == "trains"
    assert groups.names[groups.number("BLR", "CHN")] == row["pair_group"]


@pytest.mark.slow
def test_counts_are_those_of_the_world_that_was_solved(world: lb.World) -> None:
    """A weight that no count fits moves what is compared, as it moves the flows."""

    def heavier(row: Row) -> Row:
        mine = (row["kind"], row["pair_group"], row["family"]) == ("container", "china-russia", "sea")
        return {**row, "weight": 3.0 * float(row["weight"])} if mine else row

    after = changed(world, "family_shares", heavier)
    base = SolvedBase(Prepared([after]), after, 0, True)
    ours = {(c.name, c.year): c.ours for c in observed_counts(base)}
    rows = {(f"{r['metric']} ({r['gateway']})", r["year"]): r["ours"] for r in base.results.count_rows}
    shared = ours.keys() & rows.keys()
    assert len(shared) > 20
    for name in shared:
        assert ours[name] == pytest.approx(rows[name], rel=1e-9, abs=1e-6), name
    fit = Fit(base)
    constants = [np.log(value) for name, value in fit.shipped().items() if name.startswith("gateway")]
    fit.renew(np.array([*constants, *np.zeros(len(fit.cells))]))
    ours_share = fit._shares(base.classes.family_weight)
    np.testing.assert_allclose(ours_share, base.choice.family_share, rtol=1e-9, atol=1e-12)


def test_a_world_without_what_the_fit_rests_on_is_told_so(world: lb.World) -> None:
    without = changed(world, "gateways", lambda r: None if r["gateway_id"] == "erenhot-zamyn-uud" else r)
    with pytest.raises(DataError) as caught:
        calibrate(without)
    assert any("erenhot-zamyn-uud" in f.what for f in caught.value.faults)
