"""The command `landbridge`: data to stdout, talk to stderr, documented exit codes.

Exit codes: 0 done, 1 error, 2 usage, 3 bad data or scenario, 4 not converged, 5 infeasible.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.errors import ConvergenceError, LandbridgeError, Status

if TYPE_CHECKING:
    from rich.console import Console

    from landbridge.report import Section
    from landbridge.transport.routes import Routes
    from landbridge.world import World

__all__ = ["app", "main"]

app = typer.Typer(
    name="landbridge",
    help="From a border queue to a country's real income: routes, trade costs and trade equilibrium for "
    "China, Central Asia and their neighbours. Every figure is a static, long-run answer for 2023.",
    epilog="Exit codes: 0 done, 1 error, 2 usage, 3 bad data or scenario, 4 not converged, 5 infeasible.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to a file; its ending chooses json, csv or md.")
]
WorldFolder = Annotated[
    Path | None, typer.Option("--world", help="A folder with edited tables instead of the embedded data.")
]


@app.command()
def run(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCENARIO|MANIFEST|all]",
            help="A bundled scenario, a .toml file, a .json result to run again, or all; "
            "without it the study set.",
        ),
    ] = None,
    as_json: JsonFlag = False,
    output: Output = None,
    world: WorldFolder = None,
) -> None:
    """Solve the base and one or more scenarios: routes, trade and real income."""
    from landbridge.manifest import scenarios_of
    from landbridge.model import iterate
    from landbridge.report import Digest, csv_text, markdown, study_sections
    from landbridge.scenario import Scenario, bundled, load_scenario, study_set

    _check_ending(output, (".json", ".csv", ".md"))
    begin = time.perf_counter()
    loaded = _load(world)
    given: list[str | Scenario]
    single = False
    if what is None:
        given = list(study_set(loaded))
    elif what == "all":
        given = list(bundled())
    elif what.endswith(".json"):
        written = _read_json(Path(what))
        given = list(scenarios_of(written, loaded, Path(what).name))
        single = len(given) == 1 and "real_income" in written.get("result", {"real_income": None})
    else:
        given, single = [load_scenario(what, loaded)], True
    with _progress() as progress:
        digests, statuses, scenarios = [], [], []
        for results in iterate(loaded, given, progress=progress):
            if not results.status.converged:
                raise ConvergenceError(f"{results.id} did not converge: {results.status.message}")
            digests.append(Digest.of(results))
            statuses.append(results.status)
            if results.scenario is not None:
                scenarios.append(results.scenario)
    base, cases = digests[0], digests[1:]
    result = cases[0].result if single else {d.id: d.result for d in digests}
    command = "run" if what is None else f"run {what if not what.endswith('.json') else 'MANIFEST'}"

    def envelope() -> str:
        return _envelope(result, Status.worst(statuses), loaded, command, begin, scenarios=scenarios)

    def document() -> str:
        return markdown(study_sections(loaded, base, cases), _attribution(loaded))

    writers: dict[str, Callable[[], str]] = {
        ".json": envelope,
        ".csv": lambda: csv_text(digests),
        ".md": document,
    }
    if output is not None:
        _write(output, writers[output.suffix]())
    elif as_json:
        _print(envelope())
    else:
        _show(study_sections(loaded, base, cases))


@app.command()
def route(
    origin: Annotated[str, typer.Argument(metavar="FROM", help="A place by name (en, ru, zh) or id.")],
    destination: Annotated[str, typer.Argument(metavar="TO", help="Another place.")],
    commodity: Annotated[str, typer.Option(help="Sector code, such as MCH, AGR, TEX.")] = "MCH",
    k: Annotated[int, typer.Option("-k", help="Number of routes: the largest of each family first.")] = 5,
    mode: Annotated[str | None, typer.Option(help="Only multimodal, sea, rail or road.")] = None,
    as_json: JsonFlag = False,
    output: Output = None,
    world: WorldFolder = None,
) -> None:
    """Print the routes between two places leg by leg: every term in hours, USD and CO2e per TEU."""
    from landbridge.transport.routes import route as find

    _check_ending(output, (".json", ".csv"))
    begin = time.perf_counter()
    loaded = _load(world)
    routes = find(loaded, origin, destination, commodity=commodity, k=k, mode=mode)
    status = Status(True, 0.0, 0, "routes are enumerated and costed, nothing is solved")
    options = {"commodity": commodity, "k": k, "mode": mode}

    def envelope() -> str:
        return _envelope(routes.to_json(), status, loaded, "route", begin, options=options)

    if output is not None:
        _write(output, envelope() if output.suffix == ".json" else routes.frame().to_csv(index=False))
    elif as_json:
        _print(envelope())
    else:
        _show_routes(loaded, routes)


@app.command()
def scenarios(
    name: Annotated[str | None, typer.Argument(help="Print this scenario with its sources.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a scenario.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the bundled scenarios, print one as TOML, or the schema they follow."""
    from landbridge.scenario import bundled, json_schema, load_scenario

    if schema:
        _print(json.dumps(json_schema(), indent=1, ensure_ascii=False))
        return
    found = [load_scenario(one) for one in ([name] if name else bundled())]
    if as_json:
        begin = time.perf_counter()
        result = {s.id: s.to_dict() for s in found}
        status = Status(True, 0.0, 0, "nothing to solve")
        _print(_envelope(result, status, _load(None), "scenarios", begin))
    elif name:
        _print(found[0].to_toml().rstrip("\n"))
    else:
        console = _console()
        for one in found:
            console.print(f"[bold]{one.id}[/bold]  {one.name}", highlight=False)


@app.command()
def cite(world: WorldFolder = None) -> None:
    """Print the attribution lines of the data, one a line."""
    _print("\n".join(_attribution(_load(world))))


def main() -> None:
    """Entry point: run a command and turn the library's errors into messages and exit codes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except LandbridgeError as error:
        sys.stderr.write(f"landbridge: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)


# -- reading and writing -------------------------------------------------------------------------------


def _load(folder: Path | None) -> World:
    from landbridge.io.tables import load_world

    return load_world(folder)


def _attribution(world: World) -> list[str]:
    from landbridge.io.tables import attribution

    return attribution(world.folder)


def _read_json(path: Path) -> Mapping[str, Any]:
    from landbridge.errors import DataError, Fault
    from landbridge.io.tables import read_text

    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        fault = Fault(f"{path.name} line {error.lineno}", f"is not valid JSON: {error.msg}", "write it anew")
        raise DataError("the manifest cannot be read", [fault]) from None
    if not isinstance(document, dict):
        raise DataError("not a manifest", [Fault(path.name, "is not a JSON object", "give a result file")])
    return document


def _check_ending(output: Path | None, endings: tuple[str, ...]) -> None:
    """Refuse an output that could not be written, before anything is solved."""
    if output is None:
        return
    if output.suffix not in endings:
        raise typer.BadParameter(f"{output.name} should end in {', '.join(endings)}", param_hint="-o")
    if not output.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="-o")


def _write(path: Path, text: str) -> None:
    """Write beside, then rename, so that no reader ever sees half a file."""
    from landbridge.io.tables import write_text

    write_text(path, text)
    sys.stderr.write(f"written: {path}\n")


def _envelope(
    result: Any,
    status: Status,
    world: World,
    command: str,
    begin: float,
    scenarios: Any = (),
    options: Mapping[str, Any] | None = None,
) -> str:
    from landbridge.manifest import SCHEMA_VERSION, manifest

    when = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(time.perf_counter() - begin, 3),
    }
    made = manifest(world, command, scenarios, options, when)
    body = {
        "schema_version": SCHEMA_VERSION,
        "result": result,
        "status": status.as_json(),
        "manifest": made,
    }
    return json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


# -- the terminal --------------------------------------------------------------------------------------


def _console() -> Console:
    from rich.console import Console

    console = Console()
    # Piped text has no width of its own; tables that wrap there cannot be read again.
    return console if console.is_terminal else Console(width=140)


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda text, share: bar.update(task, description=text, completed=share)


def _show(sections: Iterator[Section]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = _console()
    for section in sections:
        console.print()
        console.print(Text(section.title, style="bold"))
        for text in section.before:
            console.print(Text(text))
        if section.rows:
            table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
            for number, column in enumerate(section.columns):
                words = number == 0 or column in ("mode", "role", "what is counted") or "share of" in column
                table.add_column(column, justify="left" if words else "right")
            for row in section.rows:
                table.add_row(*row)
            console.print(table)
        elif section.columns:
            console.print(Text("none"))
        for text in section.after:
            console.print(Text(text, style="dim"))


def _show_routes(world: World, routes: Routes) -> None:
    from rich.table import Table
    from rich.text import Text

    console = _console()
    places = world.network["places"].by("place_id")
    start, end = (str(places[p]["name"]) for p in (routes.origin, routes.destination))
    sector = next(r for r in world.sectors if r["sector"] == routes.commodity)
    console.print(
        Text(
            f"{start} - {end}, {sector['name']} ({routes.commodity}), pair group {routes.pair_group}", "bold"
        )
    )
    console.print(
        f"Rail legs as {'container block train' if routes.product == 'block' else 'ordinary wagon'}; hours, "
        "USD of 2023 and kg CO2e per TEU, door to door.",
        highlight=False,
    )
    for number, one in enumerate(routes, start=1):
        console.print()
        days = f"{one.time_h / 24:.1f} days (5-95 %: {one.time_p05_h / 24:.1f}-{one.time_p95_h / 24:.1f})"
        console.print(
            Text(
                f"{number}. {one.family} ({100 * one.family_share:.3g} % of TEU), {one.mode_class}, this "
                f"route {100 * one.share:.3g} %: {days}, {one.cost_usd:,.0f} USD, "
                f"{one.co2e_kg:,.0f} kg CO2e, {one.distance_km:,.0f} km",
                style="bold",
            )
        )
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        for column in ("from", "to", "mode", "operation"):
            table.add_column(column)
        for column in ("km", "hours", "USD", "kg CO2e"):
            table.add_column(column, justify="right")
        table.add_column("terms")
        for leg in one.legs:
            terms = ", ".join(
                f"{t.name} " + " ".join(_parts(t.time_h, t.cost_usd, t.co2e_kg)) for t in leg.terms
            )
            table.add_row(
                leg.start_name,
                leg.end_name if leg.end != leg.start else "",
                leg.mode,
                leg.operation,
                f"{leg.distance_km:,.0f}" if leg.distance_km else "",
                f"{leg.time_h:.1f}",
                f"{leg.cost_usd:,.0f}",
                f"{leg.co2e_kg:,.0f}",
                terms if len(leg.terms) > 1 else leg.terms[0].name,
            )
        table.add_row(
            "sum",
            *[""] * 3,
            f"{one.distance_km:,.0f}",
            f"{one.time_h:.1f}",
            f"{one.cost_usd:,.0f}",
            f"{one.co2e_kg:,.0f}",
            "",
        )
        console.print(table)


def _parts(hours: float, usd: float, kg: float) -> list[str]:
    told = [
        f"{hours:.1f} h" if hours else "",
        f"{usd:,.0f} USD" if usd else "",
        f"{kg:,.0f} kg" if kg else "",
    ]
    return [part for part in told if part] or ["0"]
