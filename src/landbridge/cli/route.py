"""The command route: the routes between two places, a line each, and leg by leg."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from landbridge.cli.terminal import (
    JsonFlag,
    Lang,
    Output,
    WorldFolder,
    check_ending,
    check_output,
    columns_of_screen,
    give,
    load_sound,
    show,
    show_compact,
    write,
)

__all__ = ["route"]


def route(
    origin: Annotated[str, typer.Argument(metavar="FROM", help="A place by name (en, ru, zh) or id.")],
    destination: Annotated[str, typer.Argument(metavar="TO", help="Another place.")],
    commodity: Annotated[str, typer.Option(help="Sector by code or name: MCH, machinery.")] = "MCH",
    k: Annotated[
        int,
        typer.Option("-k", help="Number of routes: the largest of each family first; with --by the least."),
    ] = 5,
    mode: Annotated[str | None, typer.Option(help="Only multimodal, sea, rail or road.")] = None,
    product: Annotated[
        str | None, typer.Option(help="Rail legs by block (container train) or wagonload.")
    ] = None,
    by: Annotated[
        Literal["time", "cost", "co2e"] | None,
        typer.Option(help="Least hours, money or emissions first; largest share first where left out."),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(help="Routes after a scenario, a bundled name or a TOML file; queues of the base."),
    ] = None,
    per: Annotated[
        Literal["teu", "feu", "truck"],
        typer.Option(help="USD and CO2e of a TEU, of a FEU (40 feet) or of a truck load of 20 t."),
    ] = "teu",
    legs: Annotated[bool, typer.Option("--legs", help="Also every leg, with its terms.")] = False,
    as_json: JsonFlag = False,
    output: Output = None,
    ileap: Annotated[
        Path | None,
        typer.Option(help="Write the emissions as iLEAP transport chain elements to a .json file."),
    ] = None,
    lang: Lang = "en",
    world: WorldFolder = None,
) -> None:
    """Print the routes between two places: days, USD and CO2e per TEU; with --legs leg by leg."""
    from landbridge.answers.route import routes_between
    from landbridge.answers.studies import routed
    from landbridge.report.routes import route_sections
    from landbridge.scenario import apply
    from landbridge.transport.legs import Trip
    from landbridge.transport.per_unit import per_unit

    check_output(output, ".geojson")
    check_ending(ileap, (".json",), "--ileap")
    if per != "teu" and scenario is not None:
        raise typer.BadParameter("routes after a scenario are per TEU: leave it out", param_hint="--per")
    begin = time.perf_counter()
    loaded = load_sound(world)
    shown = output is None and not as_json
    trip = Trip(origin, destination, commodity, k, mode, product)
    routes, options = routes_between(loaded, trip, by, scenario, carrying=shown)
    if ileap is not None:
        from landbridge.io.emissions import ileap_text

        factors = list(loaded.network["emission_factors"])
        write(ileap, ileap_text(routes.to_json(), loaded.parameter("payload_t"), factors, loaded.hash))
    if per != "teu":
        options["per"] = per
        routes = per_unit(routes, per, loaded.parameter("payload_t"))
    if shown:
        after = loaded if routes.scenario is None else apply(loaded, routes.scenario)
        sections = list(route_sections(after, routes, lang, legs))
        heads = 1 if routes.scenario is None else 2
        for head in sections[:heads]:
            show_compact([head], columns_of_screen(), wrap=True)
        show(sections[heads:], lang=lang)
        return
    give(routed(loaded, routes, options, lang), begin, as_json, output)
