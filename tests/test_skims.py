"""Costs between places: by pair and by family, at the waits of the case and at those of the base."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import landbridge as lb
from landbridge.errors import DataError
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.transport import FAMILIES, Choice
from landbridge.transport.choice.costs import family_costs, pair_costs

MEANS = ["time_h", "cost_usd", "co2e_kg"]
COLUMNS = ["from", "to", "generalised_cost_usd", *MEANS]
BY_FAMILY = ["from", "to", "family", "share", "generalised_cost_usd", *MEANS]


class Bench:
    """One study with its parts: a closed border, and a ban on transit for one sector."""

    def __init__(self) -> None:
        self.world = lb.load()
        ban: dict[str, Any] = {"verb": "close_transit", "countries": ["RUS", "BLR"], "sector": ["MCH"]}
        given = [
            load_scenario("khorgos-closed", self.world),
            Scenario.from_dict({"name": "part", "modification": [ban]}, "part"),
        ]
        self.worlds = [self.world, *(apply(self.world, s) for s in given)]
        self.common = Prepared(self.worlds)
        self.base = SolvedBase(self.common, self.world, 0, True)
        self.closed, self.part = (self.base.case(self.worlds[n], n, given[n - 1]) for n in (1, 2))

    def held(self, n: int) -> Choice:
        """The choice on the graph of a case that knows of no queue."""
        graph = self.common.graphs[n]
        return self.base.choose(self.worlds[n], n, graph, self.base.classes)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="module")
def cases(bench: Bench) -> dict[str, lb.Results]:
    return {"base": bench.base.results, "closed": bench.closed, "part": bench.part}


def test_a_row_for_every_pair(bench: Bench, cases: dict[str, lb.Results]) -> None:
    places = {str(row["place_id"]) for row in bench.world.network["places"]}
    for case in cases.values():
        found = case.skims("TEX")
        k = case.choice.classes.sectors.index("TEX")
        assert list(found) == COLUMNS and len(found) == case.choice.base.routes.n_pairs
        assert (found.generalised_cost_usd == case.choice.cost[:, k]).all()
        assert set(found["from"]) | set(found["to"]) <= places
        assert not found.duplicated(["from", "to"]).any()


@pytest.mark.parametrize("id", ["base", "closed", "part"])
@pytest.mark.parametrize("sector", ["MCH", "AGR"])
def test_families_add_up_to_their_pair(
    bench: Bench, cases: dict[str, lb.Results], id: str, sector: str
) -> None:
    case = cases[id]
    found, pairs = case.skims(sector, by_family=True), case.skims(sector).set_index(["from", "to"])
    assert list(found) == BY_FAMILY and set(found["family"]) <= set(FAMILIES)
    assert not found.duplicated(["from", "to", "family"]).any()
    places = {str(row["place_id"]) for row in bench.world.network["places"]}
    assert set(found["from"]) | set(found["to"]) <= places
    open_pairs = pairs[np.isfinite(pairs.generalised_cost_usd)]
    keys = [found["from"], found["to"]]
    shares = found.groupby(keys).share.sum()
    assert len(shares) == len(open_pairs)
    assert np.abs(shares - 1.0).max() < 1e-12 and (found.share >= 0.0).all()
    # Hours, money and CO2e of the families, by what they carry, are those of the pair.
    for name in MEANS:
        whole = (found[name] * found.share).groupby(keys).sum()
        np.testing.assert_allclose(whole, open_pairs.loc[whole.index, name], rtol=1e-10)
        assert (found[name] > 0.0).all()
    assert np.isfinite(found.generalised_cost_usd).all() and (found.generalised_cost_usd > 0.0).all()


def test_in_the_base_the_cost_of_a_pair_is_the_mean_of_its_families(cases: dict[str, lb.Results]) -> None:
    """There the shares of the two products are the same, and nothing was lost or gained."""
    found, pairs = (cases["base"].skims("MCH", by_family=b) for b in (True, False))
    mean = (found.generalised_cost_usd * found.share).groupby([found["from"], found["to"]]).sum()
    pairs = pairs.set_index(["from", "to"]).generalised_cost_usd
    np.testing.assert_allclose(mean, pairs.loc[mean.index], rtol=1e-9)


def test_families_are_those_of_the_reported_corridors(cases: dict[str, lb.Results]) -> None:
    case = cases["closed"]
    sectors = {str(r["corridor_id"]): str(r["sector"]) for r in case.world.network["corridors"]}
    ours = {s: case.skims(s, by_family=True) for s in set(sectors.values())}
    rows = [row for row in case.corridor_rows if row["family"] != "all"]
    assert len(rows) > 10
    for row in rows:
        table = ours[sectors[row["corridor"]]]
        here = (table["from"] == row["from"]) & (table["to"] == row["to"]) & (table.family == row["family"])
        (mine,) = table[here].to_dict("records")
        for name in ("share", *MEANS):
            assert mine[name] == pytest.approx(row[name], rel=1e-9)


def test_a_ban_leaves_out_families_of_the_banned_sector_only(cases: dict[str, lb.Results]) -> None:
    """What is closed has no row: fewer for the sector under the ban, as many as before for another."""
    for sector, fewer in (("MCH", True), ("TEX", False)):
        before, after = (len(cases[id].skims(sector, by_family=True)) for id in ("base", "part"))
        assert (after < before) is fewer


def test_a_family_that_carries_nothing_is_described_all_the_same(cases: dict[str, lb.Results]) -> None:
    base = cases["base"]
    choice = base.choice
    k = choice.classes.sectors.index("MCH")
    before = pd.DataFrame(family_costs(choice, base.graph, k))
    share = np.array(choice.family_share)
    share[k, :, 0] = 0.0
    after = pd.DataFrame(family_costs(replace(choice, family_share=share), base.graph, k))
    assert len(after) == len(before) and after.share[0] == 0.0
    # The products weigh as the pair ships, which is what they did in the family.
    np.testing.assert_allclose(after.loc[0, MEANS].astype(float), before.loc[0, MEANS].astype(float))


@pytest.mark.slow
@pytest.mark.parametrize("by_family", [False, True])
def test_waits_of_the_base_are_the_choice_without_queue_delays(
    bench: Bench, cases: dict[str, lb.Results], by_family: bool
) -> None:
    columns = family_costs if by_family else pair_costs
    for n, id in ((1, "closed"), (2, "part")):
        case, graph = cases[id], bench.common.graphs[n]
        assert case.unqueued is not None and case.unqueued is not case.choice
        assert (case.unqueued.sums.time_h == bench.common.routes.sums(graph).time_h).all()
        k = case.choice.classes.sectors.index("MCH")
        held = case.skims("MCH", by_family, waits="base")
        ours = pd.DataFrame(columns(bench.held(n), graph, k))
        pd.testing.assert_frame_equal(held, ours, check_exact=False, rtol=1e-9)
        solved = case.skims("MCH", by_family)
        pd.testing.assert_frame_equal(solved, case.skims("MCH", by_family, waits="solved"))
        assert list(held) == list(solved) and len(held) == len(solved)
    closed = cases["closed"]
    held, solved = (closed.skims("MCH", waits=waits) for waits in ("base", "solved"))
    # The trains that Khorgos sends to Alashankou make those there wait longer.
    reached = np.isfinite(solved.generalised_cost_usd)
    change = solved.generalised_cost_usd[reached] / held.generalised_cost_usd[reached] - 1.0
    assert change.max() > 0.005


def test_a_base_has_the_same_under_both(cases: dict[str, lb.Results]) -> None:
    base = cases["base"]
    assert base.unqueued is base.choice
    pd.testing.assert_frame_equal(base.skims(waits="base"), base.skims())


@pytest.mark.slow
def test_what_is_kept_is_small_and_goes_to_another_process(cases: dict[str, lb.Results]) -> None:
    case = cases["closed"]
    twin = pickle.loads(pickle.dumps(case))
    for by_family in (False, True):
        ours, theirs = (r.skims("MCH", by_family, waits="base") for r in (case, twin))
        pd.testing.assert_frame_equal(ours, theirs, check_exact=False, rtol=1e-12)
    # No weights of routes by sector, and what the waits leave alone is not there twice.
    assert case.unqueued is not None
    held = [
        value
        for value in (*vars(case.unqueued).values(), *vars(case.unqueued.sums).values())
        if isinstance(value, np.ndarray)
    ]
    assert max(value.nbytes for value in held) <= case.choice.family_cost.nbytes
    assert case.unqueued.sums.cost_usd is case.choice.sums.cost_usd
    assert case.unqueued.available is case.choice.available


def test_unknown_words_are_told(cases: dict[str, lb.Results]) -> None:
    base = cases["base"]
    with pytest.raises(ValueError, match='"solved" or "base"'):
        base.skims(waits="none")
    with pytest.raises(DataError, match="no sector 'XYZ'"):
        base.skims("XYZ")
