"""The command route: every route between two places, leg by leg."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli.terminal import (
    JsonFlag,
    Lang,
    Output,
    WorldFolder,
    check_ending,
    console,
    envelope_json,
    load_sound,
    put,
    write,
)
from landbridge.errors import Status

if TYPE_CHECKING:
    from landbridge.transport.routes import Routes
    from landbridge.world import World

__all__ = ["route"]


def route(
    origin: Annotated[str, typer.Argument(metavar="FROM", help="A place by name (en, ru, zh) or id.")],
    destination: Annotated[str, typer.Argument(metavar="TO", help="Another place.")],
    commodity: Annotated[str, typer.Option(help="Sector by code or name: MCH, machinery.")] = "MCH",
    k: Annotated[int, typer.Option("-k", help="Number of routes: the largest of each family first.")] = 5,
    mode: Annotated[str | None, typer.Option(help="Only multimodal, sea, rail or road.")] = None,
    product: Annotated[
        str | None, typer.Option(help="Rail legs by block (container train) or wagonload.")
    ] = None,
    as_json: JsonFlag = False,
    output: Output = None,
    ileap: Annotated[
        Path | None,
        typer.Option(help="Write the emissions as iLEAP transport chain elements to a .json file."),
    ] = None,
    lang: Lang = "en",
    world: WorldFolder = None,
) -> None:
    """Print the routes between two places leg by leg: every term in hours, USD and CO2e per TEU."""
    from landbridge.transport.routes import route as find

    check_ending(output, (".json", ".csv"))
    check_ending(ileap, (".json",), "--ileap")
    begin = time.perf_counter()
    loaded = load_sound(world)
    routes = find(loaded, origin, destination, commodity=commodity, k=k, mode=mode, product=product)
    status = Status(True, 0.0, 0, "routes are enumerated and costed, nothing is solved")
    options = {
        "from": routes.origin,
        "to": routes.destination,
        "commodity": routes.commodity,
        "k": k,
        "mode": mode,
        "product": routes.product,
    }

    def envelope() -> str:
        return envelope_json(routes.to_json(), status, loaded, "route", begin, options=options)

    if ileap is not None:
        from landbridge.io.emissions import ileap_text

        factors = list(loaded.network["emission_factors"])
        write(ileap, ileap_text(routes.to_json(), loaded.parameter("payload_t"), factors, loaded.hash))
    if output is not None:
        write(output, envelope() if output.suffix == ".json" else routes.frame().to_csv(index=False))
    elif as_json:
        put(envelope())
    else:
        _show_routes(loaded, routes, lang)


def _show_routes(world: World, routes: Routes, lang: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from landbridge.report import Names
    from landbridge.world.names import MARK, UNREVIEWED

    screen = console()
    names = Names(world, lang)
    start, end = names.place[routes.origin], names.place[routes.destination]
    sector = names.sector.get(routes.commodity, routes.commodity)
    title = f"{start} - {end}, {sector} ({routes.commodity}), pair group {routes.pair_group}"
    screen.print(Text(title, "bold"))
    told = [title]
    screen.print(
        f"Rail legs as {'container block train' if routes.product == 'block' else 'ordinary wagon'}; "
        "hours, USD of 2023 and kg CO2e per TEU, door to door. CO2e is well to wheel; that of electric "
        "rail is what making the power emits. Shares of families are stated or fitted by group of pairs, "
        "not chosen by the costs shown; within a family routes compete on cost.",
        highlight=False,
    )
    for number, one in enumerate(routes, start=1):
        screen.print()
        days = f"{one.time_h / 24:.1f} days (5-95 %: {one.time_p05_h / 24:.1f}-{one.time_p95_h / 24:.1f})"
        screen.print(
            Text(
                f"{number}. {one.family} ({100 * one.family_share:.3g} % of TEU), {one.mode_class}, this "
                f"route {100 * one.share:.3g} %: {days}, {one.cost_usd:,.0f} USD, "
                f"{one.co2e_kg:,.0f} kg CO2e, {one.distance_km:,.0f} km",
                style="bold",
            )
        )
        screen.print(
            Text(
                f"   median {one.time_p50_h / 24:.1f} days; to be late once in twenty only, allow "
                f"{one.buffer_h / 24:.1f} days more than the mean; {one.schedule_wait_h:.0f} h wait for a "
                f"departure are in the hours. In the choice the hours weigh {one.time_value_usd:,.0f} USD, "
                f"their uncertainty {one.reliability_usd:,.0f} USD.",
                style="dim",
            )
        )
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        for column in ("from", "to", "mode", "operation"):
            table.add_column(column)
        for column in ("km", "hours", "USD", "kg CO2e"):
            table.add_column(column, justify="right")
        table.add_column("terms")
        for leg in one.legs:
            told.append(names.place[leg.start])
            terms = ", ".join(
                f"{t.name} " + " ".join(_parts(t.time_h, t.cost_usd, t.co2e_kg)) for t in leg.terms
            )
            table.add_row(
                names.place[leg.start],
                names.place[leg.end] if leg.end != leg.start else "",
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
        screen.print(table)
    if any(MARK in text for text in told):
        screen.print()
        screen.print(Text(UNREVIEWED, style="dim"))


def _parts(hours: float, usd: float, kg: float) -> list[str]:
    told = [
        f"{hours:.1f} h" if hours else "",
        f"{usd:,.0f} USD" if usd else "",
        f"{kg:,.0f} kg" if kg else "",
    ]
    return [part for part in told if part] or ["0"]
