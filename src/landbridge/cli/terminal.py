"""What all commands share: options, reading, writing, the JSON envelope, tables on a terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landbridge.errors import Status

if TYPE_CHECKING:
    from rich.console import Console

    from landbridge.report import Section
    from landbridge.world import World

__all__ = [
    "JsonFlag",
    "Lang",
    "Output",
    "WorldFolder",
    "attribution_lines",
    "check_ending",
    "console",
    "envelope_json",
    "json_text",
    "load",
    "progress_bar",
    "put",
    "read_json",
    "show",
    "write",
]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to a file; its ending chooses the format.")
]
WorldFolder = Annotated[
    Path | None, typer.Option("--world", help="A folder with edited tables instead of the embedded data.")
]


Lang = Annotated[
    Literal["en", "ru", "zh"],
    typer.Option("--lang", help="Names of places, gateways, regions and sectors in tables: en, ru or zh."),
]


def load(folder: Path | None) -> World:
    """The embedded World, or the one of a folder."""
    from landbridge.io.tables import load_world

    return load_world(folder)


def attribution_lines(world: World) -> list[str]:
    """Attribution lines of a World's tables."""
    from landbridge.io.tables import attribution

    return attribution(world.folder)


def read_json(path: Path) -> Mapping[str, Any]:
    """A JSON object from a file; DataError where it is none."""
    from landbridge.errors import DataError, Fault
    from landbridge.io.tables import read_text

    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        fault = Fault(f"{path.name} line {error.lineno}", f"is not valid JSON: {error.msg}", "write it anew")
        raise DataError("the manifest cannot be read", [fault]) from None
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        fault = Fault(path.name, "is no result of landbridge", "give a file that `landbridge run -o` wrote")
        raise DataError("the manifest cannot be read", [fault]) from None
    if not isinstance(document, dict):
        raise DataError("not a manifest", [Fault(path.name, "is not a JSON object", "give a result file")])
    return document


def check_ending(output: Path | None, endings: tuple[str, ...], option: str = "-o") -> None:
    """Refuse an output that could not be written, before anything is solved."""
    if output is None:
        return
    if output.suffix not in endings:
        raise typer.BadParameter(f"{output.name} should end in {', '.join(endings)}", param_hint=option)
    if not output.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint=option)


def write(path: Path, content: str | bytes) -> None:
    """Write beside, then rename, so that no reader ever sees half a file."""
    from landbridge.io.files import write_bytes

    write_bytes(path, content.encode("utf-8") if isinstance(content, str) else content)
    sys.stderr.write(f"written: {path}\n")


def envelope_json(
    result: Any,
    status: Status,
    world: World | None,
    command: str,
    begin: float,
    scenarios: Any = (),
    options: Mapping[str, Any] | None = None,
    libraries: Iterable[str] = (),
) -> str:
    """A result with its status and manifest, as every `--json` prints it."""
    from landbridge.manifest import SCHEMA_VERSION, manifest

    when = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(time.perf_counter() - begin, 3),
    }
    made = manifest(world, command, scenarios, options, when, libraries)
    body = {
        "schema_version": SCHEMA_VERSION,
        "result": result,
        "status": status.as_json(),
        "manifest": made,
    }
    return json_text(body)


_NESTED = frozenset((dict, list, tuple))


def json_text(value: Any, indent: int = 0) -> str:
    """JSON with a line for every key and for every row of plain cells.

    The encoder of the standard library is quick without indents only, so it is given a row at a time.
    """
    return _lines(value, indent, json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode)


def _lines(value: Any, indent: int, encode: Callable[[Any], str]) -> str:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    if _NESTED.isdisjoint(map(type, members)):
        return encode(value)
    margin = " " * (indent + 1)
    if isinstance(value, dict):
        # A key that is no text is written as the standard encoder would.
        keys = (encode({key: 0})[1:-2] for key in value)
        lines = [
            f"{margin}{key}{_lines(member, indent + 1, encode)}"
            for key, member in zip(keys, members, strict=True)
        ]
    else:
        lines = [margin + _lines(member, indent + 1, encode) for member in members]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([first, ",\n".join(lines), " " * indent + last])


def put(text: str) -> None:
    """Print text to stdout."""
    sys.stdout.write(text + "\n")


def console() -> Console:
    """A console for tables; piped, wide enough that they do not wrap."""
    from rich.console import Console

    console = Console()
    # Piped text has no width of its own; tables that wrap there cannot be read again.
    return console if console.is_terminal else Console(width=140)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None] | None]:
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


def show(sections: Iterable[Section]) -> None:
    """Print sections as tables and paragraphs."""
    from rich.table import Table
    from rich.text import Text

    screen = console()
    for section in sections:
        screen.print()
        screen.print(Text(section.title, style="bold"))
        for text in section.before:
            screen.print(Text(text))
        if section.rows:
            table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
            for number, column in enumerate(section.columns):
                words = section.is_words(number) or "share of" in column
                table.add_column(column, justify="left" if words else "right")
            for row in section.rows:
                table.add_row(*row)
            screen.print(table)
        elif section.columns:
            screen.print(Text("none"))
        for text in section.after:
            screen.print(Text(text, style="dim"))
