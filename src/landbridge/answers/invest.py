"""Investment projects as one call: `lb.invest(world, 5e9)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from landbridge.answers.protocol import Answer, answered
from landbridge.world import World

__all__ = ["invest"]

Progress = Callable[[str, float], None]


def invest(
    world: World,
    budget: float | None = None,
    *,
    rate: float = 9.0,
    rates: tuple[float, float] = (6.0, 12.0),
    growth: float = 0.0,
    projects: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Appraise the investment projects of the World, and choose a set that a budget pays for.

    world: from `lb.load`; budget: USD of the price year, None for no choice; rate: of discount [% a year];
    rates: its low and high end [%]; growth: of the benefit from the base year [% a year]; projects: only
    these, by id; progress: called with messages. Tables: projects, pairs, regions, sets. Returns an Answer.
    Raises DataError with every fault of the arguments, ScenarioError, ConvergenceError; details in
    `landbridge.studies.invest.invest`.
    """
    from landbridge.report.invest import invest_sections
    from landbridge.report.writers import rows_csv
    from landbridge.studies.invest import invest as study

    found = study(world, budget, rate=rate, ends=rates, growth=growth, projects=projects, progress=progress)
    result = found.to_json()
    tables = {name: rows for name, rows in result.items() if name != "portfolio"}
    return answered(
        world,
        "invest",
        result,
        tables,
        found.status,
        lambda _: invest_sections(found, world),
        options={
            "budget": budget,
            "rate": rate,
            "rates": list(rates),
            "growth": growth,
            "projects": None if projects is None else list(projects),
        },
        found=found,
        forms={".csv": lambda: rows_csv(result["projects"])},
    )
