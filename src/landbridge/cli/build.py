"""The commands `landbridge data build` and `data rebalance`: a World with a trade table of your own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landbridge.cli.terminal import (
    JsonFlag,
    WorldFolder,
    columns_of_screen,
    envelope_json,
    load,
    put,
    show_compact,
    tell,
)
from landbridge.errors import Status

if TYPE_CHECKING:
    from landbridge.report import Section
    from landbridge.studies.build import Built
    from landbridge.world import World

__all__ = ["build", "rebalance"]

Folder = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="A new folder, or an empty one.")]


def build(
    output: Folder,
    trade: Annotated[
        Path | None,
        typer.Option(
            "--trade", metavar="FILE", help="Goods abroad: BACI (named BACI...), or a Comtrade CSV."
        ),
    ] = None,
    io: Annotated[
        Path | None,
        typer.Option("--io", metavar="FILE", help="Technology: an ADB MRIO .xlsx, or a year of OECD ICIO."),
    ] = None,
    regions: Annotated[
        Path | None,
        typer.Option(
            "--regions", metavar="MAP", help="CSV from_code,to_code: countries to regions of the World."
        ),
    ] = None,
    products: Annotated[
        Path | None,
        typer.Option("--products", metavar="MAP", help="CSV from_code,to_code: goods codes to sectors."),
    ] = None,
    industries: Annotated[
        Path | None,
        typer.Option("--industries", metavar="MAP", help="CSV from_code,to_code: industries to sectors."),
    ] = None,
    totals: Annotated[
        Path | None,
        typer.Option(
            "--totals",
            metavar="CSV",
            help="Trade and GDP to meet: what, exporter, importer, sector, musd.",
        ),
    ] = None,
    year: Annotated[int | None, typer.Option("--year", help="The year of the flows.")] = None,
    side: Annotated[
        Literal["imports", "exports"], typer.Option("--side", help="comtrade: reporting side.")
    ] = "imports",
    codes: Annotated[
        Path | None, typer.Option("--codes", metavar="CSV", help="baci: CEPII's country_codes file.")
    ] = None,
    trade_vintage: Annotated[
        str, typer.Option("--trade-vintage", help="The release, where the file name states none known.")
    ] = "",
    io_vintage: Annotated[
        str, typer.Option("--io-vintage", help="The release of --io, where its file name states none.")
    ] = "",
    as_json: JsonFlag = False,
    world: WorldFolder = None,
) -> None:
    """Make a World from your own trade, technology and totals: read, summed to its regions, balanced.

    Trade abroad is taken as given, value added is GDP less tariffs, domestic sales follow with one factor per
    country, and input and final shares are scaled until every market clears.
    """
    from landbridge.io.export import free_folder

    if trade is None and io is None and totals is None:
        raise typer.BadParameter("give at least one of --trade, --io and --totals", param_hint="--trade")
    free_folder(output)
    begin = time.perf_counter()
    loaded = load(world)
    from landbridge.studies.build import Sources
    from landbridge.studies.build import build as make

    given = Sources(
        trade,
        io,
        regions,
        products,
        industries,
        totals,
        year,
        side,
        codes,
        trade_vintage or None,
        io_vintage or None,
    )
    made = make(loaded, given)
    told = {k: v.name if isinstance(v, Path) else v for k, v in vars(given).items() if v is not None}
    _write(made, loaded, output, as_json, "data build", begin, told)


def rebalance(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A World whose accounts do not close.")],
    output: Folder,
    as_json: JsonFlag = False,
) -> None:
    """Write a copy of a World whose trade table clears, with its trade abroad, tariffs and GDP kept."""
    from landbridge.io.export import free_folder
    from landbridge.studies.build import rebalance as clear

    free_folder(output)
    begin = time.perf_counter()
    loaded = load(folder)
    made = clear(loaded)
    _write(made, loaded, output, as_json, "data rebalance", begin, {})


def _write(
    made: Built,
    before: World,
    output: Path,
    as_json: bool,
    command: str,
    begin: float,
    options: dict[str, Any],
) -> None:
    from landbridge.io.export import export

    export(made.world, output, economy=made.sources, variants=made.variants)
    written = load(output).hash
    status = Status(True, made.world.trade.imbalance, 0, "every market clears")
    if as_json:
        result = {"folder": output.name, "hash": written, **made.to_json()}
        put(envelope_json(result, status, before, command, begin, options=options))
        return
    for note in made.notes:
        tell(note)
    show_compact([_table(made)], columns_of_screen(), wrap=True)
    for row in made.totals:
        put(f"{row['name']}: {row['asked_musd']:,.1f} musd, {row['source_musd']:,.1f} in the source")
    tell(
        "Domestic sales: one factor per country, so that value added and tariffs are GDP. Shares moved: half "
        "the sum of absolute changes. Value-added shares, tariffs, elasticities and rents are kept."
    )
    gap = made.world.trade.imbalance
    tell(f"World {written[:12]} in {output}; its accounts close to {gap:.0e}. Next:")
    put(f"  landbridge data check --world {output}\n  landbridge run --world {output}")


def _table(made: Built) -> Section:
    from landbridge.report.document import Section

    columns = (
        *("region", "exports, M USD", "before", "imports, M USD", "before", "deficit, % of GDP"),
        *("domestic sales, factor", "inputs moved, %", "final moved, %"),
    )
    rows = [
        (
            row["region"],
            *(
                f"{row[key]:,.0f}"
                for key in ("exports_musd", "exports_before_musd", "imports_musd", "imports_before_musd")
            ),
            f"{row['deficit_percent_of_gdp']:+.1f}",
            f"{row['domestic_sales_factor']:.3f}",
            f"{100 * row['input_shares_moved']:.1f}",
            f"{100 * row['final_shares_moved']:.1f}",
        )
        for row in made.regions
    ]
    return Section("", columns, tuple(rows))
