"""A sweep as an Answer: percentiles and causes with status, manifest and document."""

from __future__ import annotations

from landbridge.answers.protocol import Answer, answered
from landbridge.sweeps.collect import SweepResult
from landbridge.world import World

__all__ = ["sweep_answer"]


def sweep_answer(world: World, found: SweepResult) -> Answer:
    """What a sweep found, with a document and files.

    world: that the sweep was of; found: its result.
    Tables: real_income, causes, indices, ranks, gateways, unsolved; without those that are empty. Raises
    DataError where a SOURCES.csv of the World cannot be read. Equations: `landbridge.sweeps.collect`.
    """
    from landbridge.report.sweep import sweep_sections
    from landbridge.report.writers import rows_csv

    plan = found.plan
    settings = {name: value for name, value in plan.to_dict().items() if name != "scenarios"}
    tables = {
        "real_income": found.rows,
        "causes": found.cause_rows,
        "indices": found.index_rows,
        "ranks": found.rank_rows,
        "gateways": found.gateway_rows,
        "unsolved": found.unsolved,
    }
    return answered(
        world,
        "sweep",
        found.to_json(),
        {name: rows for name, rows in tables.items() if rows or name == "real_income"},
        found.status,
        lambda most: sweep_sections(world, found, most),
        scenarios=plan.scenarios,
        options={**settings, "n": found.draws},
        found=found,
        forms={".csv": lambda: rows_csv(found.rows)},
    )
