"""Pipeline gas by contract as the map shows it: volumes, lines, countries on the way, sources."""

from __future__ import annotations

import pytest

import embedded
from landbridge.channels.gas import BASE_YEAR, solve_year
from landbridge.channels.gas_deliveries import deliveries


def test_deliveries_are_those_of_the_gas_year_with_their_sources() -> None:
    world = embedded.world()
    found, year = deliveries(world), solve_year(world, (), "flat")
    assert found["year"] == BASE_YEAR
    by_contract = {row["contract"]: row for row in year.contracts}
    assert by_contract.keys() == {row["contract"] for row in found["contracts"]}
    for row in found["contracts"]:
        for column in ("due_bcm", "delivered_bcm"):
            assert row[column] == pytest.approx(by_contract[row["contract"]][column])
        assert row["lines"] and len(row["lines"]) == len(row["line_names"])
        assert row["source"] and row["basis"] in ("observed", "published", "derived", "assumption")
    for row in found["balances"]:
        assert row["output_bcm"] > 0.0 and row["source"] and row["basis"]


def test_gas_to_china_passes_the_countries_between_in_order() -> None:
    rows = {row["contract"]: row for row in deliveries(embedded.world())["contracts"]}
    assert rows["TKM-CHN"]["through"] == ["UZB", "KAZ"]
    assert {"CAC_A", "CAC_B", "CAC_C"} <= set(rows["TKM-CHN"]["lines"])
    assert rows["KAZ-CHN"]["through"] == [] and rows["RUS-CHN"]["lines"] == ["POS1"]
