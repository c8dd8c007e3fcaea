"""Validation and calibration: the figures that say how far the network can be trusted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import embedded
import landbridge as lb
from commands import Call
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared
from landbridge.studies.calibrate import Calibration, calibrate
from landbridge.studies.fit import Fit
from landbridge.studies.validate import FITTED, LEAST_N, Validation, validate


@pytest.fixture(scope="module")
def world() -> lb.World:
    return embedded.world()


@pytest.fixture(scope="module")
def found(world: lb.World) -> Validation:
    return validate(world)


@pytest.fixture(scope="module")
def fit(world: lb.World) -> Calibration:
    return calibrate(world, anew=False)


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
    assert all(0.7 <= v <= 1.4 for k, v in fit.values.items() if k.startswith("gateway"))
    assert 0.0 < fit.effective < len(fit.values) == len(fit.sd) == len(fit.covariance)
    # What the counts tell can only narrow what was stated.
    assert all(fit.sd[name] <= fit.prior_sd[name] * (1 + 1e-9) for name in fit.sd)


def test_what_is_fitted_and_what_is_predicted(fit: Calibration) -> None:
    by_name = {(c.name.split("(")[-1].rstrip(")"), c.unit): c for c in fit.counts if c.year == 2023}
    two = "khorgos-altynkol+alashankou-dostyk"
    for gateway in (two, "manzhouli-zabaikalsk", "erenhot-zamyn-uud"):
        count = by_name[gateway, "trains/year"]
        assert count.role == "fitted" and abs(count.residual) < 0.05
    for gateway in two.split("+"):
        assert abs(by_name[gateway, "trains/year"].residual) < 0.08
    assert ("checked" in {c.role for c in fit.counts}) and ("predicted" in {c.role for c in fit.counts})
    assert any(c.year == 2024 and c.role == "predicted" and two in c.name for c in fit.counts)


def test_a_fitted_share_outside_its_range_is_told(fit: Calibration) -> None:
    for name, (_, low, high) in fit.stated.items():
        if f"odds:{name}" in fit.values and not low <= fit.shares[name] <= high:
            assert any(name.replace(":", ", ") in note for note in fit.notes), name


def test_the_counts_of_the_run_are_those_of_the_fit(world: lb.World, fit: Calibration) -> None:
    rows = {(r["gateway"], r["metric"], r["unit"]): r["ours"] for r in embedded.base().results.count_rows}
    compared = 0
    for count in fit.counts:
        metric, gateway = count.name.rsplit(" (", 1)
        if count.year == 2023 and (gateway[:-1], metric, count.unit) in rows:
            compared += 1
            ours = rows[gateway[:-1], metric, count.unit]
            assert count.ours == pytest.approx(ours, rel=1e-6, abs=1e-6), gateway
    assert compared > 20


def test_derivatives_of_the_counts_are_exact(world: lb.World) -> None:
    numbers = Fit(SolvedBase(Prepared([world]), world, 0, True))
    x = np.full(len(numbers.names), 0.02)
    numbers.renew(x)
    rows = np.array([row.role == "fitted" for row in numbers.rows])
    exact = np.concatenate([numbers.jacobian(x, rows), numbers.prior_jacobian(x)])
    h = 1e-5
    # A constant costs a pass over all routes: one of them, and every third weight.
    for k in (1, *range(3, len(x), 3)):
        step = h * np.eye(len(x))[k]
        up, down = (
            np.concatenate([numbers.residuals(at, rows), numbers.prior(at)]) for at in (x + step, x - step)
        )
        np.testing.assert_allclose(exact[:, k], (up - down) / (2 * h), rtol=1e-5, atol=1e-5)


def test_closing_suez_moves_rail(fit: Calibration) -> None:
    events = {str(r["event"]): r for r in fit.responses}
    assert {str(r["population"]) for r in fit.responses} == {"brand", "china-eu"}
    assert 1.0 < events["Red Sea diversion of 2024"]["ours"] < 3.0
    assert 1.0 < events["sea rates of 2021"]["ours"] < 3.0


def test_another_constant_is_noticed(world: lb.World, fit: Calibration) -> None:
    old, name = world.network["gateways"], "gateway:manzhouli-zabaikalsk"
    rows = [{**r, "constant": 1.2} if r["gateway_id"] == "manzhouli-zabaikalsk" else r for r in old]
    moved = replace(world, network={**world.network, "gateways": old.with_rows(rows)})
    shipped = Fit(SolvedBase(Prepared([moved]), moved, 0, True)).shipped()[name]
    assert shipped == pytest.approx(1.2)
    assert replace(fit, shipped={**fit.shipped, name: shipped}).drift > 0.01


@pytest.mark.parametrize(
    ("words", "key"),
    [(("data", "validate"), "median_abs_error"), (("calibrate", "--check"), "fitted")],
)
def test_the_commands_print_json(
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
    found: Validation,
    fit: Calibration,
    words: tuple[str, ...],
    key: str,
) -> None:
    """Of what was found above: a fit takes a minute."""
    monkeypatch.setattr("landbridge.studies.validate.validate", lambda *_, **__: found)
    monkeypatch.setattr("landbridge.studies.calibrate.calibrate", lambda *_, **__: fit)
    code, out, err = call(*words, "--json")
    assert code == 0, err
    assert key in json.loads(out)["result"]
