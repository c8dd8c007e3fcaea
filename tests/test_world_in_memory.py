"""A World holds all that its scenarios need: its folder may be gone once it is read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import landbridge as lb
from landbridge.errors import DataError
from landbridge.io.tables import DATA, attribution
from landbridge.scenario import Scenario, apply, bundled, load_scenario
from landbridge.scenario.fields import verb_columns
from landbridge.studies.customs import beside_customs
from landbridge.world import World

# One modification of every verb that the bundled scenarios do not use.
FURTHER: tuple[dict[str, Any], ...] = (
    {"verb": "add_place", "name": "Nowhere", "country": "KAZ", "lon": 70.0, "lat": 45.0, "role": "a test"},
    {"verb": "add_link", "from": "Almaty", "to": "Tashkent", "mode": "road", "length_km": 900.0},
    {"verb": "close_link", "link": "almaty-tashkent-road"},
    {"verb": "close_transit", "countries": "RUS", "sector": "MCH"},
    {"verb": "change_connection", "origin": "CHN", "destination": "KAZ", "connections": {"multiply": 2}},
    {"verb": "change_productivity", "region": "KAZ", "sector": "AGR", "percent": 1.0},
    {"verb": "change_trade_cost", "exporter": "CHN", "importer": "KAZ", "sector": "MCH", "percent": -1.0},
    {"verb": "change_tariff", "exporter": "CHN", "importer": "KAZ", "sector": "MCH", "tariff": 0.01},
    {"verb": "pay_for", "payer": "KAZ", "how": "tax", "musd": 10.0},
    {"verb": "set_parameter", "parameter": "kgz_trade", "value": "baci"},
    {"verb": "set_parameter", "parameter": "tjk_cap", "value": "off"},
)


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The embedded World read from a copy that is then deleted."""
    folder = tmp_path_factory.mktemp("world") / "copy"
    shutil.copytree(DATA, folder)
    world = lb.load(folder)
    shutil.rmtree(folder)
    assert not world.folder.exists()
    return world


def one(id: str, *modifications: dict[str, Any]) -> Scenario:
    return Scenario.from_dict({"name": "a test", "modification": list(modifications)}, id)


def test_every_verb_is_applied_without_the_folder(gone: World) -> None:
    links = gone.network["links"].by("link_id")
    road = next(k for k, row in links.items() if row["mode"] == "road" and row["status"] == "open")
    further = [{**m, "link": road} if m["verb"] == "close_link" else m for m in FURTHER]
    scenarios = [load_scenario(name) for name in bundled()]
    scenarios += [one(str(n), m) for n, m in enumerate(further)]
    seen = {m.verb for scenario in scenarios for m in scenario.modifications}
    assert seen == set(verb_columns()), "a verb is not tried"
    kept = lb.load()
    for scenario in scenarios:
        assert apply(gone, scenario).hash == apply(kept, scenario).hash


def test_every_variant_of_the_economy_is_in_memory(gone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, *given: Any, **named: Any) -> Any:
        raise AssertionError(f"{self} is read from the disk")

    monkeypatch.setattr(Path, "open", refused)
    usual = gone.trade.trade
    for kgz in ("reported", "baci", "china_only"):
        for cap in ("on", "off"):
            move = {"verb": "set_parameter", "parameter": "kgz_trade", "value": kgz}
            more = {"verb": "set_parameter", "parameter": "tjk_cap", "value": cap}
            after = apply(gone, one("variant", move, more))
            assert np.array_equal(after.trade.trade, usual) == ((kgz, cap) == ("reported", "on"))


def test_studies_and_sources_need_no_folder(gone: World) -> None:
    assert attribution(gone.files) == attribution(DATA)
    assert beside_customs(gone) == beside_customs(lb.load())
    year = lb.gas(gone).result
    assert year is not None and lb.travel(gone).attribution == tuple(attribution(DATA))


def test_a_world_made_by_hand_says_which_file_it_lacks(gone: World) -> None:
    bare = lb.World(gone.network, gone.regions, gone.sectors, gone.trade, gone.folder)
    with pytest.raises(DataError, match=r"regions\.csv: not found") as wrong:
        apply(bare, one("variant", {"verb": "set_parameter", "parameter": "kgz_trade", "value": "baci"}))
    assert all(fault.cure for fault in wrong.value.faults)
