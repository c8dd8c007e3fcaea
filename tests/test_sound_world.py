"""A World is checked before it is solved: well-formed nonsense is refused, with its place and a cure."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import embedded
from landbridge.cli import app
from landbridge.errors import DataError, Status
from landbridge.io.tables import DATA, load_world
from landbridge.studies.check_data import check
from landbridge.world import World
from landbridge.world.table import Table
from landbridge.world.validate import check_network

runner = CliRunner()
Row = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


def tables(world: World) -> dict[str, Table]:
    return {**world.network, "regions": world.regions, "sectors": world.sectors}


def changed(world: World, name: str, change: Callable[[Row], Row | None]) -> dict[str, Table]:
    found = tables(world)
    rows = [row for row in (change(dict(r)) for r in found[name]) if row is not None]
    return {**found, name: found[name].with_rows(rows)}


def test_the_embedded_world_is_sound(world: World) -> None:
    assert check_network(tables(world), reading=True) == []


def _of(key: str, value: str, **cells: Any) -> Callable[[Row], Row]:
    return lambda row: {**row, **cells} if row[key] == value else row


def _without(key: str, value: str) -> Callable[[Row], Row | None]:
    return lambda row: None if row[key] == value else row


def _one_way(row: Row) -> Row | None:
    return None if row["gateway_id"] == "khorgos-altynkol" and row["from_place"] == "ALT" else row


def _scaled(factor: float) -> Callable[[Row], Row]:
    return lambda row: {**row, "length_km": float(row["length_km"]) * factor}


def _exchanged(row: Row) -> Row:
    return {**row, "lat": row["lon"], "lon": row["lat"]} if row["place_id"] == "ALMATY" else row


NONSENSE: dict[str, tuple[str, Callable[[Row], Row | None], str]] = {
    "measured lengths in thousands": ("link_lengths_osm", _scaled(1e-3), "km apart"),
    "measured lengths in metres": ("link_lengths_osm", _scaled(1e3), "km apart"),
    "one length in metres": ("links", _of("link_id", "S001", length_km=9e6), "km apart"),
    "crossings of a border deleted": (
        "crossings",
        _without("gateway_id", "khorgos-altynkol"),
        "no crossing for",
    ),
    "one direction deleted": ("crossings", _one_way, "no crossing for"),
    "one product deleted": ("crossings", _without("product", "wagonload"), "no crossing for"),
    "crossings of another border": (
        "crossings",
        _of("gateway_id", "khorgos-altynkol", gateway_id="alashankou-dostyk"),
        "does not join the sides",
    ),
    "both sides the same": (
        "gateways",
        lambda row: {**row, "place_b": row["place_a"]} if row["gateway_id"] == "khorgos-altynkol" else row,
        "both sides are",
    ),
    "all rates nothing": (
        "rates",
        lambda row: {**row, "usd_per_teu_km": 0.0, "usd_per_teu": 0.0},
        "rate is 0",
    ),
    "rates low above high": ("rates", lambda row: {**row, "low": 9.0, "high": 0.1}, "do not rise"),
    "corridors empty": ("corridors", lambda row: None, "has no rows"),
    "corridors to themselves": (
        "corridors",
        lambda row: {**row, "to_place": row["from_place"]},
        "begins and ends",
    ),
    "no goods": ("sectors", lambda row: {**row, "is_goods": False}, "no sector is goods"),
    "nobody lives there": ("regions", lambda row: {**row, "population": 0.0}, "population is 0"),
    "latitude and longitude exchanged": ("places", _exchanged, "exchanged"),
    "no such country": ("places", _of("place_id", "ALMATY", country="XYZ"), "none of ISO 3166"),
    "a rail post in TEU": (
        "gateways",
        _of("gateway_id", "khorgos-altynkol", capacity_trains_per_day=None, capacity_teu_per_day=2500.0),
        "is counted in",
    ),
    "a capacity with its range exchanged": (
        "gateways",
        lambda row: {**row, "capacity_low": 900.0, "capacity_high": 1.0},
        "do not rise",
    ),
    "a sea lane between inland places": (
        "links",
        _of("link_id", "S001", from_place="ALMATY", to_place="XIAN", length_km=3500.0),
        "no port",
    ),
    "year = banana": ("rates", lambda row: {**row, "year": "banana"}, "banana"),
    "nothing travels": ("freight_profile", lambda row: {**row, "share_network": 0.0}, "no sector travels"),
    "every gateway closed": ("gateways", lambda row: {**row, "status": "closed"}, "no gateway is open"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_well_formed_nonsense_is_refused(world: World, name: str) -> None:
    table, change, told = NONSENSE[name]
    spoiled = changed(world, table, change)
    assert any(dict(a) != dict(b) for a, b in zip(tables(world)[table], spoiled[table], strict=False)) or len(
        spoiled[table]
    ) != len(tables(world)[table])
    faults = check_network(spoiled, reading=True)
    assert any(told in fault.what or told in fault.cure for fault in faults), [str(f) for f in faults][:5]
    assert all(fault.cure for fault in faults)
    # A few are spelled out, the rest are counted.
    assert len(faults) < 40


def test_what_a_careful_user_changes_is_accepted(world: World) -> None:
    coarse = changed(
        world, "places", lambda r: {**r, "lat": round(float(r["lat"]), 1), "lon": round(float(r["lon"]), 1)}
    )
    assert check_network(coarse, reading=True) == []
    longer = changed(
        world, "links", lambda r: {**r, "length_km": r["length_km"] and 1.2 * float(r["length_km"])}
    )
    assert check_network(longer, reading=True) == []


# -- before a command solves ---------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(DATA, tmp_path / "own")
    return tmp_path / "own"


def spoil(path: Path, change: Callable[[Row], Row]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(change, rows))


@pytest.mark.parametrize(
    "words",
    [
        ["run", "borders-half"],
        ["route", "Chongqing", "Duisburg"],
        ["claims"],
        ["calibrate"],
        ["disrupt", "suez"],
        ["gas"],
        ["farm"],
        ["travel"],
        ["treaties"],
        ["data", "validate"],
    ],
)
def test_no_command_solves_a_world_that_is_refused(folder: Path, words: list[str]) -> None:
    # Only `data check` sees it: the World itself can be read.
    def more(row: Row) -> Row:
        at_home = row["exporter"] == row["importer"] == "KAZ"
        return {k: repr(2.0 * float(v)) if at_home and k == "MCH" else v for k, v in row.items()}

    spoil(folder / "economy" / "reported-tjk_cap_on" / "trade.csv", more)
    assert load_world(folder).trade.imbalance > 1e-3
    done = runner.invoke(app, [*words, "--world", str(folder)])
    assert isinstance(done.exception, DataError) and done.exception.exit_code == 3
    assert done.stdout == ""
    assert any("KAZ" in fault.where for fault in done.exception.faults)


def test_bounds_of_parameters_are_those_of_the_model(folder: Path) -> None:
    def change(row: Row) -> Row:
        if row["parameter"] == "rho":
            return {**row, "value": "1000", "min": "", "max": ""}
        if row["parameter"] == "payload_t":
            return {**row, "value": "-5", "min": "-10"}
        return row

    spoil(folder / "network" / "parameters.csv", change)
    faults = [str(fault) for fault in check(folder).faults]
    assert any("(rho)" in f and "at most 10" in f for f in faults)
    assert any("(payload_t)" in f and "at least" in f for f in faults)


def test_accounts_that_do_not_close_are_told_refused_and_solved_only_when_asked(folder: Path) -> None:
    path = folder / "economy" / "reported-tjk_cap_on" / "trade.csv"

    def more(row: Row) -> Row:
        if (row["exporter"], row["importer"]) == ("CHN", "KGZ"):
            return {k: v if k in ("exporter", "importer") else repr(3.7 * float(v)) for k, v in row.items()}
        return row

    spoil(path, more)
    refused = runner.invoke(app, ["run", "cku-railway", "--world", str(folder)])
    assert isinstance(refused.exception, DataError) and refused.stdout == ""
    assert any("rebalance" in fault.cure for fault in refused.exception.faults)
    asked = runner.invoke(app, ["run", "cku-railway", "--world", str(folder), "--rebase", "--json"])
    assert asked.exit_code == 0, asked.output
    status = json.loads(asked.stdout)["status"]
    assert status["rebase"] > 0.01 and "do not close" in asked.stderr


def test_the_worst_status_has_the_largest_rebase() -> None:
    found = Status.worst([Status(True, 1e-9, 1, "a", 0.5), Status(True, 1e-8, 1, "b", 0.1)])
    assert found.message == "b" and found.rebase == 0.5 and found.as_json()["rebase"] == 0.5


def test_a_queue_without_an_end_is_a_fault(world: World) -> None:
    from landbridge.model.base import SolvedBase
    from landbridge.model.prepared import Prepared

    solved = SolvedBase(Prepared([world]), world, 0, throw=True).results
    queues = solved.queues
    assert queues is not None
    flows = np.full_like(solved.flow_teu, np.inf)
    with np.errstate(all="ignore"), pytest.raises(DataError, match="a queue has no end") as wrong:
        queues.calibrated(solved.graph, flows)
    assert wrong.value.faults[0].cure
