"""Validation and calibration: the figures that say how far the network can be trusted."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import landbridge as lb
from landbridge.chain import Searched, SolvedBase
from landbridge.studies import calibrate as calibration
from landbridge.studies.calibrate import Calibration, calibrate
from landbridge.studies.validate import FITTED, LEAST_N, Validation, validate


@pytest.fixture(scope="module")
def world() -> lb.World:
    return lb.load()


@pytest.fixture(scope="module")
def found(world: lb.World) -> Validation:
    return validate(world, lb.run(world))


@pytest.fixture(scope="module")
def fit(world: lb.World) -> Calibration:
    return calibrate(world)


# -- validation -----------------------------------------------------------------------------------------


def test_every_observed_corridor_is_listed_once(world: lb.World, found: Validation) -> None:
    rows = [str(r["obs_id"]) for r in world.network["validation_corridors"]]
    assert sorted(one for case in found.cases for one in case.obs_id.split("+")) == sorted(rows)


def test_the_medians_are_those_of_the_cases_and_within_the_aim(found: Validation) -> None:
    median, n = found.median(), found.n
    for mode in ("rail", "multimodal"):
        errors = [
            abs(c.ours_days / c.observed_days - 1)
            for c in found.cases
            if c.mode == mode and c.comparable == "yes" and c.ours_days is not None
        ]
        assert len(errors) == n[mode] >= LEAST_N
        assert median[mode] == pytest.approx(float(np.median(errors)))
    assert median["rail"] is not None and median["rail"] < 0.15
    assert median["multimodal"] is not None and median["multimodal"] < 0.25
    assert median["sea"] is None and n["sea"] < LEAST_N and median["road"] is None


def test_leaving_one_out_is_told_for_every_comparable_case(found: Validation) -> None:
    left_out = found.median(left_out=True)
    for mode in ("rail", "multimodal"):
        assert left_out[mode] is not None and left_out[mode] < 0.30
    for case in found.cases:
        assert (case.predicted_days is not None) == (case.comparable == "yes" and case.ours_days is not None)
    assert len(FITTED) <= 8


def test_express_services_are_quicker_than_ours(found: Validation) -> None:
    express = [c for c in found.cases if c.comparable == "express"]
    errors = {c.obs_id: c.error for c in express if c.error is not None}
    # A TIR truck from Khorgos to Malaszewicze took 11 days on a trial run, 3 % more than ours.
    assert errors.pop("C035") > -0.05
    assert errors and min(errors.values()) > 0.0


def test_carec_indicators_stand_beside_the_published_ones(found: Validation) -> None:
    table = {(i.name, i.mode): i for i in found.indicators}
    assert len(table) == 10 and all(i.published for i in table.values())
    for name, low, high in (("speed without delay", 0.7, 1.4), ("speed with delay", 0.6, 1.5)):
        for mode in ("rail", "road"):
            one = table[name, mode]
            assert low < one.ours / one.published[2022] < high
    assert json.dumps(found.to_json(), allow_nan=False)


# -- calibration ----------------------------------------------------------------------------------------


def test_the_shipped_numbers_are_found_again(fit: Calibration) -> None:
    assert fit.drift < 1e-6
    assert fit.degrees_of_freedom == 1 and len(fit.singular_values) == 4
    assert all(0.7 <= v <= 1.4 for k, v in fit.values.items() if k.startswith("gateway:"))


def test_what_is_fitted_and_what_is_predicted(fit: Calibration) -> None:
    fitted = [c for c in fit.counts if c.role == "fitted"]
    predicted = [c for c in fit.counts if c.role == "predicted"]
    assert len(fitted) == 5 and len(fit.values) <= len(fitted)
    assert max(abs(c.residual) for c in fitted) < 0.10
    names = {(c.name.split("(")[-1].rstrip(")"), c.year) for c in predicted}
    assert ("khorgos-altynkol", 2023) in names and ("khorgos-altynkol+alashankou-dostyk", 2024) in names


def test_the_counts_of_the_run_are_those_of_the_fit(world: lb.World, fit: Calibration) -> None:
    rows = {(r["gateway"], r["unit"]): r["ours"] for r in lb.run(world).count_rows}
    for count in fit.counts:
        gateway = count.name.split("(")[-1].rstrip(")")
        if count.year == 2023 and (gateway, count.unit) in rows:
            assert count.ours == pytest.approx(rows[gateway, count.unit], rel=1e-6), gateway


def test_derivatives_of_the_counts_are_exact(world: lb.World) -> None:
    common = Searched([world])
    sums = calibration._Sums(SolvedBase(common, world, 0, True))
    names = ["all", "aktau+kuryk", "manzhouli-zabaikalsk", "khorgos-altynkol+alashankou-dostyk"]
    x = sums.start() + 0.1
    _, slope = sums.counts(x, names)
    h = 1e-5
    for k, step in enumerate(np.eye(len(x)) * h):
        central = (sums.counts(x + step, names)[0] - sums.counts(x - step, names)[0]) / (2 * h)
        np.testing.assert_allclose(slope[:, k], central, rtol=1e-6, atol=1e-6 * np.abs(slope).max())


def test_closing_suez_moves_rail(fit: Calibration) -> None:
    events = {str(r["event"]): r for r in fit.responses}
    assert 1.0 < events["Red Sea diversion of 2024"]["ours"] < 3.0
    assert 1.0 < events["sea rates of 2021"]["ours"] < 3.0


@pytest.mark.slow
def test_another_constant_is_noticed(world: lb.World) -> None:
    old = world.network["gateways"]
    rows = [{**r, "constant": 1.3} if r["gateway_id"] == "manzhouli-zabaikalsk" else r for r in old]
    moved = replace(world, network={**world.network, "gateways": old.with_rows(rows)})
    assert calibrate(moved).drift > 0.01


@pytest.mark.slow
def test_the_commands_print_json() -> None:
    code = "from landbridge.cli import main; main()"
    for words, key in (
        (("data", "validate", "--json"), "median_abs_error"),
        (("calibrate", "--check", "--json"), "fitted"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr
        assert key in json.loads(done.stdout)["result"]
