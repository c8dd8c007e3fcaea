"""The commands `landbridge data`: describe, check and export the data, and import your own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli.terminal import (
    JsonFlag,
    Lang,
    WorldFolder,
    columns_of_screen,
    envelope_json,
    json_text,
    load,
    put,
    show_compact,
    tell,
)
from landbridge.errors import DataError, Status

if TYPE_CHECKING:
    from landbridge.io.cards import Card
    from landbridge.studies.check_data import Checked
    from landbridge.world import World

    # A World with own data merged in, counts of rows by table, and rows for its sources.
    Merged = tuple[World, dict[str, dict[str, int]], list[dict[str, str]]]

__all__ = ["data"]

data = typer.Typer(
    name="data",
    help="The data: list them, read a card, check them, export them, import your own.",
    no_args_is_help=True,
)
NewFolder = Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")]
_READ = Status(True, 0.0, 0, "tables are read and checked, nothing is solved")


def _print_json(result: object, world: World, command: str, begin: float, **options: Any) -> None:
    put(envelope_json(result, _READ, world, command, begin, options=options))


@data.command("list")
def list_tables(as_json: JsonFlag = False, world: WorldFolder = None) -> None:
    """Print every table: rows, years, basis of its values, sources."""
    from landbridge.answers.data_tables import listed_tables
    from landbridge.io.cards import cards
    from landbridge.report.document import Section

    begin = time.perf_counter()
    loaded = load(world)
    if as_json:
        _print_json(listed_tables(loaded), loaded, "data list", begin)
        return
    rows = []
    for card in cards(loaded):
        total = sum(card.basis.values())
        share = f"{card.basis.get('assumption', 0) / total:.0%}" if total else ""
        rows.append((card.table, f"{card.rows:,}", card.years, share, card.what))
    after = ("`landbridge data card TABLE` states sources, licence and weaknesses.",)
    columns = ("table", "rows", "years", "assumed", "what it is")
    show_compact([Section("", columns, tuple(rows), after=after)], columns_of_screen(), wrap=True)


@data.command("card")
def show_card(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="A table of `landbridge data list`, or one of a result: real_income, result.gateways ...",
        ),
    ],
    rows: Annotated[
        bool, typer.Option("--rows", help="Also state which rule gave the value of each row.")
    ] = False,
    as_json: JsonFlag = False,
    world: WorldFolder = None,
) -> None:
    """Print the card of a table: source, licence, basis of each value, weaknesses."""
    from landbridge.answers.data_tables import of_result, table_card

    begin = time.perf_counter()
    loaded = load(world)
    if as_json:
        table, result = table_card(loaded, name)
        _print_json(result, loaded, "data card", begin, table=table)
        return
    columns = of_result(loaded, name)
    if columns is not None:
        tell("\n".join([f"{columns['table']}: {columns['what']}", "", *_columns(columns["columns"])]))
        return
    from landbridge.io.cards import card

    found = card(loaded, name)
    tell("\n".join(_card_lines(found)))
    if rows:
        put("\nRule of each row")
        tell("\n".join("  " + ", ".join(row.values()) for row in found.rule_of) or "  no rule column")


def _columns(columns: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name, unit and meaning of each column, a line each."""
    lines = ["Columns"]
    for column in columns:
        unit = f" [{column['unit']}]" if column.get("unit") else ""
        told = f": {column['description']}" if column.get("description") else ""
        lines.append(f"  {column['name']}{unit}{told}")
    return lines


def _card_lines(card: Card) -> list[str]:
    lines = [f"{card.table}: {card.what}", f"{card.rows:,} rows in {card.file}"]
    if card.years:
        lines.append(f"years of the values: {card.years}")
    if card.basis:
        lines.append("basis: " + _counts(card.basis))
    lines += [f"{column}: {_counts(counts)}" for column, counts in card.rules.items() if counts]
    lines += ["", "Sources"]
    for source in card.sources:
        lines.append(f"  {source['source']} ({source['year']})")
        lines.append(f"    licence: {source['licence']}")
        lines.append(f"    attribution: {source['attribution']}")
    if not card.sources:
        lines.append("  none stated")
    lines += ["", *_columns(card.columns)]
    lines += ["", "Weaknesses", *(f"  {text}" for text in card.weak or ("nothing is stated",))]
    return lines


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())


@data.command("check")
def check_data(as_json: JsonFlag = False, world: WorldFolder = None) -> None:
    """Check every table and list all faults at once; exit code 3 if there are any."""
    from landbridge.studies.check_data import check

    begin = time.perf_counter()
    found = check(world)
    count = "1 fault" if len(found.faults) == 1 else f"{len(found.faults)} faults"
    status = Status(
        not found.faults, 0.0, 0, f"{count}; correct them, each has its cure" if found.faults else "clean"
    )
    if as_json:
        if found.world is not None:
            put(envelope_json(found.to_json(), status, found.world, "data check", begin))
        else:
            put(_unread_json(found, status, begin))
        if found.faults:
            raise typer.Exit(DataError.exit_code)
        return
    if found.faults:
        raise DataError(f"data check: {count}", found.faults)
    tell("\n".join(_check_lines(found, time.perf_counter() - begin)))


def _unread_json(found: Checked, status: Status, begin: float) -> str:
    """The JSON envelope where there is no World for the manifest."""
    from landbridge.results.manifest import SCHEMA_VERSION, version

    run = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(time.perf_counter() - begin, 3),
    }
    manifest = {"command": "data check", "landbridge": version(), "world": {"name": "own", "hash": None}}
    body = {
        "schema_version": SCHEMA_VERSION,
        "result": found.to_json(),
        "status": status.as_json(),
        "manifest": {**manifest, "run": run},
    }
    return json_text(body)


def _check_lines(found: Checked, seconds: float) -> list[str]:
    assert found.world is not None
    worst = {
        name: max(gaps[name] for gaps in found.accounts.values())
        for name in next(iter(found.accounts.values()))
    }
    rows, name = sum(found.tables.values()), found.world.hash[:12]
    lines = [
        f"clean: {len(found.tables)} tables, {rows:,} rows; World {name}",
        "  columns, units, ranges, codes, references, keys, licences: no fault",
        f"  accounts of {len(found.accounts)} variants, largest gaps: "
        + ", ".join(f"{name} {gap:.0e}" for name, gap in worst.items()),
        "  cycles without hours and money: none",
        "  pieces of each rail gauge (places, zones in them, ways out to other modes and gauges):",
    ]
    for island in found.islands:
        shown = ", ".join(island["of"][:4]) + (" ..." if island["places"] > 4 else "")
        counts = f"{island['places']:>4} {island['zones']:>3} {island['ways_out']:>4}"
        lines.append(f"    {island['gauge']}: {counts}   {shown}")
    lines.append(f"  {seconds:.1f} s")
    return lines


@data.command("export")
def export_world(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR|FILE.gpkg", help="A new folder, or an empty one; or a new file.")
    ],
    gmns: Annotated[
        bool, typer.Option("--gmns", help="Only the network, as node.csv and link.csv after GMNS.")
    ] = False,
    as_json: JsonFlag = False,
    world: WorldFolder = None,
) -> None:
    """Write the whole World as CSV tables to edit and run with --world.

    FILE.gpkg holds places and links alone, to edit in QGIS; data import-gpkg reads it back.
    """
    from landbridge.io.export import export

    begin = time.perf_counter()
    loaded = load(world)
    if folder.suffix == ".gpkg":
        if gmns:
            raise typer.BadParameter("GMNS is a folder: give a folder", param_hint="--gmns")
        _export_gis(loaded, folder, as_json, begin)
        return
    if gmns:
        _export_gmns(loaded, folder, as_json, begin)
        return
    written = export(loaded, folder)
    files = sorted(path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file())
    if as_json:
        _print_json(
            {"folder": folder.name, "files": files, "hash": loaded.hash}, loaded, "data export", begin
        )
    else:
        put(f"{len(files)} files in {folder}; World {loaded.hash[:12]}. Next: edit a table, then")
        put(f"  landbridge data check --world {folder}\n  landbridge run --world {folder}")


def _export_gis(world: World, file: Path, as_json: bool, begin: float) -> None:
    from landbridge.io.gis import LAYERS, write_gis
    from landbridge.io.tables import attribution

    write_gis(file, world, attribution(world.files))
    if as_json:
        _print_json(
            {"file": file.name, "layers": list(LAYERS), "hash": world.hash}, world, "data export", begin
        )
        return
    put(f"written: {file}, layers {' and '.join(LAYERS)}; World {world.hash[:12]}")
    put(f"Edit and save them in QGIS, then: landbridge data import-gpkg {file} MY_WORLD")


def _export_gmns(world: World, folder: Path, as_json: bool, begin: float) -> None:
    from landbridge.io.network import write_gmns
    from landbridge.io.tables import attribution
    from landbridge.report.exports import gmns

    files = gmns(world, attribution(world.files))
    write_gmns(folder, files)
    if as_json:
        result = {"folder": folder.name, "files": sorted(files), "hash": world.hash}
        _print_json(result, world, "data export", begin, gmns=True)
    else:
        put(f"{len(files)} files in {folder}; World {world.hash[:12]}. Its README.md states every column.")


@data.command("template")
def template(
    file: Annotated[Path, typer.Argument(metavar="[FILE.xlsx]", help="A new workbook.")] = Path(
        "landbridge-template.xlsx"
    ),
    border: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A border or port: its figures of today, and three columns to fill in. May be repeated.",
        ),
    ] = None,
    lang: Lang = "en",
    as_json: JsonFlag = False,
    world: WorldFolder = None,
) -> None:
    """Write an Excel workbook for your own border surveys, links, rates and container flows."""
    from landbridge.io.survey import SHEET, write_survey
    from landbridge.io.workbook import SHEETS, write_template

    begin = time.perf_counter()
    loaded = load(world)
    if border:
        number = write_survey(file, loaded, border, lang)
        result = {"file": file.name, "sheets": [SHEET], "figures": number}
        told = f"{file}, {number} figures of today. Fill in the yellow cells"
    else:
        write_template(file, loaded)
        result = {"file": file.name, "sheets": ["README", *SHEETS, "codes"]}
        told = f"{file}. Fill it in"
    if as_json:
        _print_json(result, loaded, "data template", begin)
    else:
        put(f"written: {told}, then: landbridge data import {file} MY_WORLD")


@data.command("import")
def import_workbook(
    file: Annotated[Path, typer.Argument(metavar="FILE.xlsx", help="A filled template.")],
    folder: NewFolder,
    lang: Lang = "en",
    as_json: JsonFlag = False,
    world: WorldFolder = None,
) -> None:
    """Merge a filled workbook into a copy of the World and write that copy, checked, to a new folder."""
    from landbridge.io.survey import is_survey, merge_survey, read_survey
    from landbridge.io.workbook import merge, read_workbook

    def merged(loaded: World) -> Merged:
        if is_survey(file):
            return merge_survey(loaded, read_survey(file, loaded), file.name)
        return merge(loaded, read_workbook(file))

    _import("data import", merged, folder, world, lang, as_json=as_json)


@data.command("import-gpkg")
def import_gpkg(
    file: Annotated[Path, typer.Argument(metavar="FILE.gpkg", help="From data export FILE.gpkg, edited.")],
    folder: NewFolder,
    lang: Lang = "en",
    as_json: JsonFlag = False,
    world: WorldFolder = None,
) -> None:
    """Merge places and links edited in QGIS into a copy of the World, checked, in a new folder."""
    from landbridge.io.gis import merge_gis, read_gis

    def merged(loaded: World) -> Merged:
        return merge_gis(loaded, read_gis(file, loaded), file.name)

    _import("data import-gpkg", merged, folder, world, lang, as_json=as_json)


def _import(
    command: str,
    merge: Callable[[World], Merged],
    folder: Path,
    world: Path | None,
    lang: Lang,
    *,
    as_json: bool,
) -> None:
    """Merge own data into a World, write it to a new folder and print what has changed."""
    from landbridge.io.export import export, free_folder
    from landbridge.report import Names
    from landbridge.report.edited import changed_figures
    from landbridge.world.difference import differences

    begin = time.perf_counter()
    free_folder(folder)
    loaded = load(world)
    merged, counts, sources = merge(loaded)
    export(merged, folder, sources)
    found = differences(loaded, merged)
    if as_json:
        changes = [
            {
                "table": one.table,
                "row": one.key,
                "column": one.column,
                "before": one.before,
                "after": one.after,
                "unit": one.unit,
            }
            for one in found
        ]
        result = {"folder": folder.name, "tables": counts, "changes": changes, "hash": merged.hash}
        _print_json(result, merged, command, begin)
        return
    if not counts:
        put("nothing differs from the World that it was made from")
    for table, count in counts.items():
        replaced = count["replaced"]
        tell(f"{table}: {replaced} row{'s' * (replaced != 1)} replaced, {count['added']} added")
    if any(one.known for one in found):
        show_compact(
            [changed_figures([one for one in found if one.known], Names(loaded, lang), 20)],
            columns_of_screen(),
            wrap=True,
        )
    put(f"World {merged.hash[:12]} in {folder}. Next: landbridge run --world {folder} --against embedded")
