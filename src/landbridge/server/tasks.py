"""What the worker solves: tasks as plain values in, texts by form out.

One solve gives the JSON of the command and the page of the same document.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from landbridge.answers.envelope import envelope, timed, when
from landbridge.answers.protocol import Answer
from landbridge.answers.run import solve
from landbridge.errors import ConvergenceError
from landbridge.io.json_lines import json_text
from landbridge.io.tables import attribution
from landbridge.model.kept_base import KeptBase
from landbridge.model.run import Progress
from landbridge.report.exports import Flows, network_geojson
from landbridge.report.html.elements import document_html
from landbridge.results import Results
from landbridge.results.manifest import manifest
from landbridge.scenario import Scenario
from landbridge.world import World

__all__ = ["KINDS", "Forms", "Task", "do", "forms_of", "run_task"]

# Texts by form: json, html, geojson.
Forms = Mapping[str, str]
_ROWS_OF_A_PAGE = 50


@dataclass(frozen=True)
class Task:
    """One solve. kind: one of KINDS; words: its arguments as plain values, scenarios by name or in full."""

    kind: str
    words: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The task as JSON, the same for equal tasks."""
        return json.dumps({"kind": self.kind, "words": dict(self.words)}, sort_keys=True)

    @property
    def key(self) -> str:
        """The hash under which its result is kept."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    @staticmethod
    def read(text: str) -> Task:
        """The task that `text` wrote."""
        found = json.loads(text)
        return Task(found["kind"], found["words"])


def do(task: Task, world: World, progress: Progress, kept: KeptBase | None = None) -> Forms:
    """Solve a task in this process.

    task: what is asked; world: the base; progress: called with text and share; kept: the base of earlier
    tasks, which a process that solves many hands on. Returns its texts by form; raises as the command does.
    """
    words = dict(task.words)
    if task.kind in _BY_BASE:
        words["kept"] = kept
    return KINDS[task.kind](world, progress, **words)


def run_task(range: str, **words: Any) -> Task:
    """The task of a run.

    range: yes or no, whether real income is solved at both ends of the range of phi_b too; words: scenario,
    by name or in full, with its id. One with the range is the same task wherever it is asked for.
    """
    return Task("run", words if range == "yes" else {**words, "range": "no"})


def _base(world: World, progress: Progress, kept: KeptBase | None = None) -> Forms:
    begin, flows = time.perf_counter(), list[Flows]()
    solved = solve(
        world, [], keep=lambda results: flows.append(Flows.of(results)), progress=progress, kept=kept
    )
    body = envelope(solved.result(False), solved.status, manifest(world, "run", run=when(begin)))
    return {
        "json": json_text(body) + "\n",
        "html": document_html(solved.document(world), solved.digests[0].name),
        "geojson": network_geojson(world, attribution(world.files), flows[0]),
    }


def _run(
    world: World,
    progress: Progress,
    scenario: str | Mapping[str, Any],
    id: str = "",
    range: str = "yes",
    kept: KeptBase | None = None,
) -> Forms:
    begin, flows = time.perf_counter(), list[Flows]()
    one = scenario if isinstance(scenario, str) else Scenario.from_dict(scenario, id, world=world)

    def keep(results: Results) -> None:
        if results.scenario is not None:
            flows.append(Flows.of(results))

    solved = solve(world, [one], response=range == "yes", keep=keep, progress=progress, kept=kept)
    name = scenario if isinstance(scenario, str) else id
    made = manifest(world, f"run {name}", solved.scenarios, run=when(begin))
    return {
        "json": json_text(envelope(solved.result(True), solved.status, made)) + "\n",
        "html": document_html(solved.document(world), solved.digests[1].name),
        "geojson": network_geojson(world, attribution(world.files), flows[-1]),
    }


def _compare(world: World, progress: Progress, a: str, b: str) -> Forms:
    from landbridge.answers.compare import compare

    begin = time.perf_counter()
    return forms_of(compare(a, b, world=world, progress=progress), begin)


def _sensitivity(
    world: World, progress: Progress, of: str, to: str, exact: int, scenario: str | None
) -> Forms:
    from landbridge.answers.studies import sensitivity
    from landbridge.model.run import run

    begin = time.perf_counter()
    at = world if scenario is None else run(world, scenario, progress=progress)
    answer = sensitivity(at, of, to, exact=exact, progress=progress).answer
    if not answer.status.converged:
        raise ConvergenceError(f"not converged: {answer.status.message}")
    return forms_of(answer, begin)


def _why(world: World, progress: Progress, figure: str) -> Forms:
    from landbridge.answers.why import why

    begin = time.perf_counter()
    return forms_of(why(world, figure, progress=progress), begin)


def forms_of(answer: Answer, begin: float) -> Forms:
    """The texts of an answer by form; begin: from `time.perf_counter` at the start."""
    whole = timed(answer, begin)
    document = whole.document(most=_ROWS_OF_A_PAGE)
    title = document.sections[0].title if document.sections else whole.command
    return {"json": json_text(whole.to_json()) + "\n", "html": document_html(document, title)}


KINDS: Mapping[str, Callable[..., Forms]] = {
    "base": _base,
    "run": _run,
    "compare": _compare,
    "sensitivity": _sensitivity,
    "why": _why,
}
# Kinds that a kept base serves.
_BY_BASE = frozenset({"base", "run"})
