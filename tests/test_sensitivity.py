"""What an hour is worth: derivatives of the chain end in table rows and agree with the solved change."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest

import embedded
import landbridge as lb
from commands import Call
from differences import differences, solved_tightly
from landbridge.errors import DataError
from landbridge.scenario import Scenario, apply
from landbridge.studies.movable import NUMBERS, Lens, Number, cells_of_column, row_key
from landbridge.studies.sensitivity import sensitivity
from landbridge.transport import compile_graph
from landbridge.transport.compile import align
from landbridge.transport.graph import ROW_TABLES
from landbridge.transport.routes.base_set import align_with_base
from landbridge.transport.table_rows import by_row, total

OF = "real_income:CA5"
SIDES = ("time_h", "cost_usd", "co2e_kg", "variance_h2", "bulk_usd")


@pytest.fixture(scope="module")
def base() -> lb.Results:
    return embedded.base().results


@pytest.fixture(scope="module")
def lens(base: lb.Results) -> Lens:
    return Lens(base, OF)


def _of(lens: Lens, to: str, *ids: tuple[str, str]) -> list[Number]:
    """Numbers of one kind by id and target."""
    found = {(n.id, n.target): n for n in NUMBERS[to](lens)}
    return [found[key] for key in ids]


@pytest.mark.slow
def test_a_derivative_is_the_central_difference_of_the_solved_chain(lens: Lens) -> None:
    """Steps so small that the errors in h2 vanish, and so large that those of rounding do."""
    steps = {
        "arcs": {("R007", "cost_usd"): 0.2},
        "gateways": {
            ("khorgos-altynkol", "capacity"): 1.0,
            ("khorgos-altynkol", "cost_usd"): 0.2,
            ("suez", "time_h"): 0.05,
            ("khorgos-altynkol", "time_h"): 0.1,
        },
        "parameters": {("formation_wagonload_h", "value"): 0.15, ("subsidy_paid", "value"): 0.005},
        "tariffs": {("CHN:UZB:ELE", "tariff"): 0.01},
        "productivity": {("KAZ:AGR", "productivity"): 0.05},
    }
    numbers = [number for to, ids in steps.items() for number in _of(lens, to, *ids)]
    sizes = [h for ids in steps.values() for h in ids.values()]
    # Hours that fall shorten a queue in proportion, hours that rise do not: near the base both slopes are
    # alike, but not both curvatures, so that the error of one quotient is in h.
    at = next(n for n, one in enumerate(numbers) if (one.id, one.target) == ("khorgos-altynkol", "time_h"))
    hours, size = [numbers.pop(at)], [sizes.pop(at)]
    with solved_tightly():
        found = differences(lens, numbers, sizes)
        found += differences(lens, hours, size, 1)
    for number, slope in zip([*numbers, *hours], found, strict=True):
        assert number.slopes[0] == pytest.approx(slope, rel=1e-6), number.id
        assert slope != 0.0


def test_a_term_knows_the_row_it_is_from(base: lb.Results) -> None:
    world = base.world
    graph = compile_graph(world)
    columns = {"links": "cost_usd", "crossings": "time_h", "gauge_changes": "cost_usd", "ports": "dwell_h"}
    draw = np.random.default_rng(3)
    for number, table in enumerate(ROW_TABLES):
        rows, column = world.network[table], columns[table]
        used = np.unique(graph.term_row[graph.term_table == number])
        for at in draw.choice(used[used >= 0], 5, replace=False).tolist():
            value = float(rows.rows[at][column] or 0.0) + 3.0
            changed = rows.with_rows({**r, column: value} if n == at else r for n, r in enumerate(rows))
            after = compile_graph(world.with_network(**{table: changed}))
            moved = np.zeros(graph.term_row.shape, dtype=bool)
            for side in SIDES:
                moved |= getattr(graph, f"term_{side}") != getattr(after, f"term_{side}")
            mine = (graph.term_table[:, None] == number) & (graph.term_row == at)
            # The rates of a transfer are never below those of the gauge change of its place.
            others = moved & ~mine
            assert moved[mine].any(), (table, at)
            assert not others.any() or table == "gauge_changes", (table, at)


def test_rows_add_up_to_the_whole_change(base: lb.Results, lens: Lens) -> None:
    world = base.world
    rows = world.network["crossings"]
    later = rows.with_rows({**row, "time_h": float(row["time_h"] or 0.0) + 1.0} for row in rows)
    after = compile_graph(world.with_network(crossings=later))
    by_rows = by_row(lens.graph, after, lens.bars, "crossings", len(rows))
    assert by_rows.sum(axis=1) == pytest.approx(total(lens.graph, after, lens.bars), rel=1e-12)
    fewer = compile_graph(world.with_network(ports=world.network["ports"].with_rows([])))
    with pytest.raises(ValueError, match="other arcs"):
        total(lens.graph, fewer, lens.bars)


def test_rows_of_a_table_have_a_name_each(lens: Lens) -> None:
    for table in (
        "links",
        "crossings",
        "rates",
        "emission_factors",
        "border_defaults",
        "gauge_changes",
        "ports",
    ):
        keys = [row_key(lens.world, table, at) for at in range(len(lens.world.network[table]))]
        assert len(set(keys)) == len(keys), table


def test_an_added_link_has_a_worth_of_its_own(base: lb.Results) -> None:
    """Arcs are numbered with the locked base first, rows as in the table, wherever a row is put."""
    links = base.world.network["links"]
    new = {**links.rows[0], "link_id": "NEW", "length_km": 500.0}
    first = base.world.with_network(links=links.with_rows([new, *links.rows]))
    graph = align_with_base([first])[0][0]
    for number, row in enumerate(first.network["links"]):
        terms = (graph.term_table == ROW_TABLES.index("links")) & (graph.term_row[:, 0] == number)
        assert {graph.links[a] for a in graph.link[graph.term_arc[terms]]} <= {str(row["link_id"])}
    two = base.world.with_network(links=links.with_rows([*links.rows, new]))
    case = base.world.with_network(links=links.with_rows([*links.rows, {**new, "link_id": "TWO"}]))
    graphs = align([two, case])
    assert graphs[1].term_row.max() == len(links)


def test_every_cell_of_a_crossing_is_the_crossing(lens: Lens) -> None:
    """The cells of all crossings of a gateway add up to the hour of the gateway, spread included."""
    rows = lens.world.network["crossings"]
    whole = 0.0
    for column in ("time_h", "time_low_h", "time_high_h"):
        values = {
            at: float(row[column])
            for at, row in enumerate(rows)
            if row["gateway_id"] == "khorgos-altynkol" and row[column]
        }
        for cell in cells_of_column(lens, "crossings", column, "h", values):
            (at,) = (at for at in values if row_key(lens.world, "crossings", at) == cell.id)
            # An end moves in proportion to the hours.
            whole += cell.slopes[0] * values[at] / float(rows.rows[at]["time_h"] or 1.0)
    (gateway,) = _of(lens, "gateways", ("khorgos-altynkol", "time_h"))
    assert whole == pytest.approx(gateway.slopes[0], rel=1e-6)


def test_a_ranking_is_a_table_with_its_answer(
    base: lb.Results, lens: Lens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landbridge.studies.sensitivity.Lens", lambda result, of: lens)
    found = lb.sensitivity(base, of=OF, to="gateways", exact=1)
    assert isinstance(found, pd.DataFrame)
    assert (found["first_order_usd"].abs().diff().dropna() <= 0.0).all()
    assert found["exact_usd"].notna().sum() == 1
    first = found.iloc[0]
    assert first["exact_usd"] == pytest.approx(first["first_order_usd"], rel=0.05)
    assert first["usd_per_unit_year"] * -first["step"] == pytest.approx(first["first_order_usd"])
    answer = found.answer
    assert answer.status.converged and answer.manifest["command"] == "sensitivity"
    assert {"time_h", "cost_usd"} <= set(answer.found.ranks)
    assert "Khorgos" in str(answer.document(most=3))
    closures = answer.tables["closures"].set_index(["target", "closure"])["spearman"]
    assert closures["time_h", "first_order_usd"] == 1.0
    steps = ("flow_usd", "routes_fixed_usd", "waits_fixed_usd")
    low, middle, high = (closures["time_h", step] for step in steps)
    assert low < middle < high < 1.0
    assert type(found.head(3)) is pd.DataFrame
    copied = pickle.loads(pickle.dumps(found))
    pd.testing.assert_frame_equal(pd.DataFrame(copied), pd.DataFrame(found))
    assert found["name"].is_unique or found[["name", "target"]].drop_duplicates().shape[0] == len(found)


@pytest.mark.slow
def test_at_a_scenario_gains_are_beside_it(base: lb.Results) -> None:
    case = lb.run(base.world, "khorgos-closed")
    found = sensitivity(case, "KAZ", "gateways", exact=1)
    assert not any(worth.id == "khorgos-altynkol" and worth.target == "time_h" for worth in found.worths)
    (first,) = [worth for worth in found.worths if worth.exact_usd is not None]
    assert first.exact_usd == pytest.approx(first.first_order_usd, rel=0.05)


@pytest.mark.parametrize(("of", "to", "words"), [("KAX", "arcs", "KAZ"), ("KAZ", "arc", "arcs")])
def test_what_cannot_be_asked_is_refused(of: str, to: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        lb.sensitivity(lb.load(), of=of, to=to)
    with pytest.raises(DataError, match="0 or more"):
        lb.sensitivity(lb.load(), exact=-1)


def test_the_command_prints_the_names_of_the_interface(
    call: Call, base: lb.Results, lens: Lens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landbridge.studies.sensitivity.Lens", lambda result, of: lens)
    monkeypatch.setattr("landbridge.studies.sensitivity.run", lambda world: base)
    code, out, _ = call("sensitivity", "--of", OF, "--to", "productivity", "--exact", "0", "--json")
    assert code == 0
    found = json.loads(out)
    assert set(found) == {"schema_version", "result", "status", "manifest"}
    names = {"id", "name", "target", "unit", "usd_per_unit_year", "elasticity", "step", "first_order_usd"}
    assert names | {"exact_usd", "flow_usd", "routes_fixed_usd", "waits_fixed_usd"} == set(found["result"][0])
    assert found["status"]["converged"]


def test_an_hour_more_keeps_a_spread_whose_edge_is_the_mean(base: lb.Results) -> None:
    """A crossing whose low end is its mean has the mean as low end after any change of its hours."""
    for amount in (0.001, 0.1, 1.0 / 3.0, 7.7):
        change = {"verb": "change_gateway", "countries": ["KAZ", "UZB", "CHN"], "time_h": {"add": amount}}
        after = apply(base.world, Scenario.from_dict({"name": "later", "modification": [change]}, "later"))
        for row in after.network["crossings"]:
            low, mean, high = (row[c] for c in ("time_low_h", "time_h", "time_high_h"))
            assert low is None or float(low) <= float(mean or 0.0)
            assert high is None or float(high) >= float(mean or 0.0)
