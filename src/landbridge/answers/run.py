"""A base and its scenarios solved one after another, keeping of each only what is shown or written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landbridge.errors import ConvergenceError, Status
from landbridge.io.tables import attribution
from landbridge.model import run as model
from landbridge.model.kept_base import KeptBase
from landbridge.model.run import Progress, Response
from landbridge.report import Digest, Document, study_sections
from landbridge.results import Results
from landbridge.scenario import Scenario
from landbridge.world import World

__all__ = ["Solved", "solve"]

# Makes the part of a Results that is kept; the second is that of the base, None for the base itself.
Keep = Callable[[Results, Results | None], Digest]


@dataclass(frozen=True)
class Solved:
    """The part of each case that is kept, the base first.

    digests: the parts; statuses: of the solves; scenarios: that were solved, in their order.
    """

    digests: list[Digest]
    statuses: list[Status]
    scenarios: list[Scenario]

    @property
    def status(self) -> Status:
        """The worst of all cases."""
        return Status.worst(self.statuses)

    def result(self, single: bool) -> dict[str, Any]:
        """The JSON result: of the first scenario if single, else of the base and every scenario by id."""
        return self.digests[1].result if single else {d.id: d.result for d in self.digests}

    def document(self, world: World, lang: str = "en") -> Document:
        """Every table of the base and the scenarios; world: that was solved; lang: of names (en, ru, zh)."""
        sections = study_sections(world, self.digests[0], self.digests[1:], lang)
        return Document(tuple(sections), tuple(attribution(world.files)), lang)


def solve(
    world: World,
    given: Iterable[str | Scenario | Path],
    *,
    response: Response = False,
    digest: Keep = Digest.of,
    keep: Callable[[Results], None] | None = None,
    progress: Progress | None = None,
    kept: KeptBase | None = None,
) -> Solved:
    """Solve the base and scenarios, as `landbridge run` does.

    world: from `lb.load`; given: scenarios by name, path or themselves; response: also real income at both
    ends of the range of phi_b, or a function that says so of each Results; digest: makes the part of each
    Results that is kept; keep: called with each Results, the base first; progress: called with a text and the
    share done; kept: as in `landbridge.model.run.iterate`. Returns Solved. Steps and equations:
    docs/how_it_works.md.
    Raises ConvergenceError where a case does not converge, else as `landbridge.run`.
    """
    solved = Solved([], [], [])
    first: Results | None = None
    for results in model.iterate(world, given, progress=progress, response=response, kept=kept):
        if not results.status.converged:
            raise ConvergenceError(f"{results.id} did not converge: {results.status.message}")
        first = first or results
        solved.digests.append(digest(results, first))
        if keep is not None:
            keep(results)
        solved.statuses.append(results.status)
        if results.scenario is not None:
            solved.scenarios.append(results.scenario)
        del results  # or it would stay in memory while the next is solved
    return solved
