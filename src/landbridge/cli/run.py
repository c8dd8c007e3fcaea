"""The commands around a study: run, scenarios, cite."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landbridge.cli.run_files import Outputs
from landbridge.cli.settings import Settings, settings
from landbridge.cli.terminal import (
    JsonFlag,
    Lang,
    Output,
    Rebase,
    WorldFolder,
    attribution_lines,
    columns_of_screen,
    envelope_json,
    load,
    load_sound,
    progress_bar,
    put,
    read_json,
    show,
    show_compact,
    tell,
    tell_rebase,
    write,
)
from landbridge.errors import DataError, Fault, Status

if TYPE_CHECKING:
    from landbridge.answers.run import Solved
    from landbridge.report import Digest
    from landbridge.results import Results
    from landbridge.scenario import Scenario
    from landbridge.world import World
    from landbridge.world.difference import Difference

__all__ = ["asked", "cite", "run", "scenarios", "solve"]


def run(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SCENARIO|MANIFEST|all",
            help="Bundled scenarios or .toml files, each compared with the base; a .json result to run "
            "again; or all. Without it the study set. `landbridge compare A B` has scenarios side by side.",
        ),
    ] = None,
    set_: Settings = None,
    as_json: JsonFlag = False,
    output: Output = None,
    lang: Lang = "en",
    world: WorldFolder = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            metavar="YEAR", help="Scale the base economy to the GDP of a later year (table growth)."
        ),
    ] = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="Print every table of the base and of each scenario instead.")
    ] = False,
    base_only: Annotated[bool, typer.Option("--base", help="Print the tables of the base instead.")] = False,
    detail: Annotated[
        bool,
        typer.Option("--detail", help="As --tables, and trade of Central Asia against customs, by step."),
    ] = False,
    rebase: Rebase = False,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="embedded|DIR",
            help="Compare the data of --world with these: what your own figures change, by themselves.",
        ),
    ] = None,
) -> None:
    """Solve the base and scenarios, the study set or all: routes, trade, real income.

    Prints what a scenario does on one screen, or a line for every scenario.
    """
    shown = _Shown(tables, base_only, detail)
    written = as_json or output is not None
    shown.check(written)
    outputs = Outputs(output, lang)
    begin = time.perf_counter()
    if against is None:
        study = asked(load_sound(world, rebase), what, horizon, set_, base_only)
    else:
        _alone(world, {"a scenario": what, "--horizon": horizon, "--set": set_, "--base": base_only})
        study = _edited(world, against, lang, rebase)
    screen = not (written or tables or base_only or detail)
    # The screen shows none of the largest tables, and of several scenarios the terminal neither.
    large = written or (study.single and not screen)
    solved = solve(study, outputs.keep, detail=large, screen=screen)
    tell_rebase(solved.status, rebase)
    base, cases = solved.digests[0], solved.digests[1:]

    def envelope() -> str:
        return envelope_json(
            solved.result(study.single),
            solved.status,
            study.world,
            study.command,
            begin,
            scenarios=solved.scenarios,
            options=study.options,
        )

    if output is not None:
        write(output, outputs.content(study.world, solved.digests, envelope))
    elif as_json:
        put(envelope())
    else:
        study.show_changes(lang)
        shown.show(study.world, base, cases, study.words[0] if study.single else None, lang)


@dataclass(frozen=True)
class _Shown:
    """Which tables are printed in place of the first screen."""

    tables: bool
    base: bool
    detail: bool

    def check(self, written: bool) -> None:
        """Refuse them where JSON or a file is asked for."""
        for option, asked in (("--tables", self.tables), ("--base", self.base), ("--detail", self.detail)):
            if asked and written:
                cure = "is printed alone: leave out --json and -o, which hold every figure"
                if option == "--detail":
                    cure += " but trade step by step: `data card trade_steps` has those rows"
                raise typer.BadParameter(cure, param_hint=option)

    def show(
        self,
        world: World,
        base: Digest,
        cases: Sequence[Digest],
        asked: str | None,
        lang: Literal["en", "ru", "zh"],
    ) -> None:
        """Print a study; asked: the word by which one scenario alone was asked for."""
        from landbridge.report import Names, first_screen, study_lines, study_sections
        from landbridge.report.base import base_sections
        from landbridge.report.first_screen import WIDTH

        names = Names(world, lang)
        if self.tables or self.detail:
            show(study_sections(world, base, cases, lang), lang=lang)
        elif self.base:
            own = next((case.base for case in cases if case.base is not None), None)
            show(map(names.explained, base_sections(world, own or base, names)), lang=lang)
        elif asked is not None:
            case = cases[0]
            show_compact(first_screen(world, case.base or base, case, names, _commands(), asked), WIDTH)
        else:
            show_compact(study_lines(cases, names), WIDTH)
        if self.detail:
            from landbridge.report.customs import customs_sections

            show(customs_sections(world, lang), lang=lang)


def _commands() -> list[str]:
    """Names of the commands that there are."""
    from landbridge.cli.commands import app

    found = (c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands)
    return [name for name in found if name]


def solve(study: Asked, keep: Callable[[Results], None], *, detail: bool, screen: bool) -> Solved:
    """Solve the base and the scenarios, keeping of each only what is shown or written.

    study: what is solved; keep: called with each Results, the base first; detail, screen: what the digests
    hold. Raises as `landbridge.answers.run.solve`.
    """
    from landbridge.answers.run import solve as solved
    from landbridge.report import Digest

    with progress_bar() as progress:
        return solved(
            study.world,
            study.given,
            # The screen shows the range of the draws where they are known.
            response=(lambda results: not (screen and results.ranged)) if study.single else False,
            digest=partial(Digest.of, detail=detail, proxies=not screen),
            keep=keep,
            progress=progress,
        )


def _words(what: Sequence[str] | None) -> list[str]:
    """What is to be run; usage error where all or a .json result is not alone."""
    asked = list(what or ())
    if len(asked) > 1:
        alone = next((word for word in asked if word == "all" or word.endswith(".json")), None)
        if alone is not None:
            cure = f"{alone} is run alone; give names of scenarios and .toml files"
            raise typer.BadParameter(cure, param_hint="SCENARIO")
    return asked


@dataclass(frozen=True)
class Asked:
    """What is to be solved: the World of the year asked for and the scenarios.

    words: as typed. single: one scenario is shown alone. options: what the manifest must repeat. found: the
    own figures that are compared with those of another World.
    """

    world: World
    words: list[str]
    given: Sequence[str | Scenario]
    single: bool
    command: str
    options: dict[str, Any]
    found: tuple[Difference, ...] = ()

    def show_changes(self, lang: Lang) -> None:
        """Print the own figures, if any."""
        if self.found:
            from landbridge.report import Names
            from landbridge.report.edited import changed_figures

            put("")
            figures = changed_figures(self.found, Names(self.world, lang), _MOST_FIGURES)
            show_compact([figures], columns_of_screen(), wrap=True)
            put("")


# Own figures that are printed.
_MOST_FIGURES = 10


def _alone(world: Path | None, options: Mapping[str, Any]) -> None:
    """Refuse what cannot be asked together with --against."""
    if world is None:
        raise typer.BadParameter("give the folder of your own data with --world", param_hint="--against")
    for option, given in options.items():
        if given:
            cure = f"compares the data of --world alone: leave out {option}"
            raise typer.BadParameter(cure, param_hint="--against")


def _edited(folder: Path | None, against: str, lang: Lang, rebase: bool) -> Asked:
    """The World of a folder as a change of another."""
    from dataclasses import replace

    from landbridge.report import Names
    from landbridge.report.edited import told_figures
    from landbridge.scenario import bundled
    from landbridge.studies.against import against as compared

    assert folder is not None
    embedded = against == "embedded"
    edited = load_sound(folder, rebase)
    base = load_sound(None if embedded else Path(against), rebase)
    id = folder.resolve().name
    # No scenario of the package, whose range would not be that of this one.
    id = f"{id}-data" if id in (*bundled(), "base", "") else id
    found = compared(edited, base, id, "" if embedded else Path(against).name)
    scenario = replace(found.scenario, description=told_figures(found.found, Names(found.base, lang)))
    return Asked(
        found.base,
        [f"--world {folder} --against {against}"],
        [scenario],
        True,
        f"run --against {against}",
        {"against": against, "edited": edited.hash},
        found.found,
    )


def _not_of_own_data(written: Mapping[str, Any], words: Sequence[str]) -> None:
    """Refuse a result of --against, which holds no figure of the own data. Raises DataError."""
    manifest = written.get("manifest")
    options = manifest.get("options") if isinstance(manifest, dict) else None
    if isinstance(options, dict) and "against" in options:
        cure = "run it again as `landbridge run --world DIR --against embedded`, with the same folder"
        fault = Fault(words[0], "compares own data, which are in a folder and not in the result", cure)
        raise DataError("the result cannot be run again", [fault])


def asked(
    loaded: World, what: Sequence[str] | None, horizon: int | None, set_: list[str] | None, base_only: bool
) -> Asked:
    """Read the words and options of `run`.

    loaded: the World; what: names, paths or a manifest; horizon: --horizon; set_: --set; base_only: --base.
    Raises BadParameter for a wrong use, DataError for a file that cannot be read, ScenarioError for a faulty
    scenario.
    """
    from landbridge.results.manifest import horizon_of
    from landbridge.scenario import at_horizon, load_scenario

    words = _words(what)
    written = read_json(Path(words[0])) if words and words[0].endswith(".json") else {}
    _not_of_own_data(written, words)
    horizon = horizon_of(written) if horizon is None else horizon
    world = loaded if horizon is None else at_horizon(loaded, horizon)
    given, single = _scenarios(words, written, world)
    parameters = settings(set_, world)
    if parameters:
        given = [load_scenario(one, world).with_parameters(parameters) for one in given]
    elif base_only and not words:
        given = []
    options: dict[str, Any] = {} if horizon is None else {"horizon": horizon}
    if parameters:
        options["set"] = parameters
    return Asked(
        world, words, given, single, " ".join(["run", *(["MANIFEST"] if written else words)]), options
    )


def _scenarios(
    words: Sequence[str], written: Mapping[str, Any], loaded: World
) -> tuple[Sequence[str | Scenario], bool]:
    """The scenarios asked for, and whether only one is shown; written: the result to run again."""
    from landbridge.results.manifest import scenarios_of
    from landbridge.scenario import bundled, load_scenario, study_set

    if not words:
        return study_set(loaded), False
    if words == ["all"]:
        return bundled(), False
    if not words[0].endswith(".json"):
        return [load_scenario(one, loaded) for one in words], len(words) == 1
    given = scenarios_of(written, loaded, Path(words[0]).name)
    before = written.get("result")
    return given, len(given) == 1 and (not isinstance(before, dict) or "real_income" in before)


def scenarios(
    name: Annotated[str | None, typer.Argument(help="Print this scenario with its sources.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a scenario.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the bundled scenarios, print one as TOML, or print their JSON Schema."""
    from landbridge.scenario import bundled, json_schema, load_scenario

    if schema:
        put(json.dumps(json_schema(), indent=1, ensure_ascii=False))
        return
    found = [load_scenario(one) for one in ([name] if name else bundled())]
    if as_json:
        begin = time.perf_counter()
        result = {s.id: s.to_dict() for s in found}
        status = Status(True, 0.0, 0, "nothing to solve")
        put(envelope_json(result, status, load(None), "scenarios", begin))
    elif name:
        put(found[0].to_toml().rstrip("\n"))
    else:
        from landbridge.report.document import Section

        rows = tuple((one.id, one.name) for one in found)
        show_compact([Section("", ("scenario", "what it is"), rows)], columns_of_screen(), wrap=True)


def cite(
    world: WorldFolder = None,
    bibtex: Annotated[
        bool, typer.Option("--bibtex", help="Print a BibTeX entry for landbridge itself instead.")
    ] = False,
) -> None:
    """Print the attribution lines of the data and of the lists of names."""
    if bibtex:
        from landbridge.version import bibtex as entry

        put(entry())
        return
    from landbridge.io.tables import names_attribution

    tell("\n".join(sorted({*attribution_lines(load(world)), *names_attribution()})))
