"""Scenarios side by side as one call: `lb.compare(a, b)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.answers.protocol import Answer, answered
from landbridge.results import Results
from landbridge.scenario import Scenario, load_scenario
from landbridge.world import World

if TYPE_CHECKING:
    from landbridge.model.run import Progress

__all__ = ["compare", "in_language"]


def compare(
    a: Results | Scenario | str | Path,
    b: Results | Scenario | str | Path,
    *more: Results | Scenario | str | Path,
    world: World | None = None,
    parameters: Mapping[str, float | str] | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Scenarios side by side: one column each, and the difference from the first, largest first.

        difference = figure of a scenario - figure of the first

    a, b, more: bundled names, paths of TOML files, Scenarios or Results; "base" or the Results of a base for
    the world without changes. All are solved on one union of routes; Results of one study are taken as they
    are, others are solved again. world: that of the Results, else the embedded one, where None. parameters:
    set in every scenario, as phi=2; "base" stays as it is. options: what else the manifest should state.
    progress: called with what is being done and the share that is done.
    Returns an Answer. Tables: scenarios, changes, parameters, notes, real_income and groups [% of income,
    million USD a year], trade [million USD a year, %], corridors [days, USD/TEU, share of TEU, kg CO2e/TEU],
    gateways [trains a day, h, share of capacity, TEU a year], emissions [kt CO2e and million TEU-km a year].
    A scenario that sets a parameter of the model is compared with its own base, which has it too; the
    document says so.
    Raises ScenarioError with every fault, DataError for Results of different data, else as `landbridge.run`.
    """
    from landbridge.io.tables import load_world
    from landbridge.report.compare import compare_sections
    from landbridge.studies.compare import BASE, world_of
    from landbridge.studies.compare import compare as study

    given = [a, b, *more]
    solved = [one for one in given if isinstance(one, Results)]
    if solved:
        bases = [(one.base or one).world for one in solved]
        world = world_of(solved, [load_world(), *bases] if world is None else [world])
    elif world is None:
        world = load_world()
    if parameters:
        given = [one if _is_base(one, BASE) else _with(one, parameters, world) for one in given]
    found = study(given, world, progress=progress)
    rows = found.rows()
    asked = {"compared": list(found.ids), "set": dict(parameters or {}), **(options or {})}
    answer = answered(
        world,
        "compare",
        rows,
        rows,
        found.status,
        lambda most, lang="en": compare_sections(found, most, lang),
        scenarios=found.scenarios,
        options=asked,
        found=found,
    )
    return in_language(answer, "en")


def in_language(answer: Answer, lang: str) -> Answer:
    """A comparison with names in a language, in its document and in its workbook.

    answer: of `compare`; lang: en, ru or zh.
    The workbook, made on request, raises LandbridgeError where XlsxWriter is missing.
    """
    from landbridge.report.compare_workbook import compare_workbook

    forms = {".xlsx": lambda: compare_workbook(answer.found, answer.attribution, lang)}
    return replace(answer, lang=lang, forms={**answer.forms, **forms})


def _is_base(one: Results | Scenario | str | Path, base: str) -> bool:
    return one == base or (isinstance(one, Results) and one.scenario is None)


def _with(
    one: Results | Scenario | str | Path, parameters: Mapping[str, float | str], world: World
) -> Scenario:
    scenario = one.scenario if isinstance(one, Results) else load_scenario(one, world)
    assert scenario is not None
    return scenario.with_parameters(parameters)
