"""A scenario's change of real income split into its parts, as one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from landbridge.answers.protocol import Answer, answered
from landbridge.scenario import Scenario, load_scenario
from landbridge.world import World

__all__ = ["explain"]

Progress = Callable[[str, float], None]


def explain(
    world: World,
    scenario: Scenario | str,
    *,
    of: Sequence[str] = (),
    by: Sequence[str] = ("modification", "mechanism", "pair"),
    together: Iterable[Sequence[int]] = (),
    progress: Progress | None = None,
) -> Answer:
    """Split the change of real income of a scenario: by modification, mechanism and pair of countries.

    world: from `lb.load`; scenario: a bundled name, a Scenario or the path of a TOML file; of: zones, such as
    KAZ, CA5 or world, by default China and the countries of Central Asia; by: the splits wanted; together:
    numbers of modifications that are one part; progress: called with messages.
    Tables: totals, by_modification, by_mechanism, by_pair, partners. Raises ScenarioError, DataError for an
    unknown zone or too many modifications, ConvergenceError; details in `landbridge.studies.explain.explain`.
    """
    from landbridge.report.explain import explain_sections
    from landbridge.studies.explain import explain as study

    one, sets = load_scenario(scenario, world), [[int(n) for n in group] for group in together]
    found = study(world, one, of=of, by=by, together=sets, progress=progress)
    return answered(
        world,
        "explain",
        found.to_json(),
        found.tables,
        found.status,
        lambda most: explain_sections(found, most),
        scenarios=[one],
        options={"of": list(of), "by": list(by), "together": sets},
        found=found,
    )
