"""Where a figure is from, as one call."""

from __future__ import annotations

from collections.abc import Callable

from landbridge.answers.protocol import Answer, answered
from landbridge.world import World

__all__ = ["why"]

Progress = Callable[[str, float], None]


def why(world: World, question: str, *, progress: Progress | None = None) -> Answer:
    """Where a figure is from: its value, unit and formula, and the rows it rests on with their sources.

    world: from `lb.load`; question: FIGURE [of ID] [in SCENARIO], such as "time_h of khorgos-altynkol",
    "real_income of KGZ in cku-railway" or "phi"; progress: called with messages.
    Tables: figure, values, rows, sources. Raises DataError for an unknown or ambiguous name, ScenarioError,
    ConvergenceError; details in `landbridge.studies.why.why`.
    """
    from landbridge.report.why import why_sections
    from landbridge.studies.why import why as study

    found = study(world, question, progress)

    return answered(
        world,
        "why",
        found.to_json(),
        found.tables,
        found.status,
        lambda most, lang="en": why_sections(found, most, lang),
        scenarios=[] if found.scenario is None else [found.scenario],
        options={"question": question},
        found=found,
    )
