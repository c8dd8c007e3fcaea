"""Shared parts of all commands: options, reading, writing, the JSON envelope, tables on a terminal."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landbridge.errors import Status
from landbridge.io.json_lines import json_text

if TYPE_CHECKING:
    from rich.console import Console

    from landbridge.answers.protocol import Answer
    from landbridge.errors import LandbridgeError
    from landbridge.report import Section
    from landbridge.world import World

__all__ = [
    "JsonFlag",
    "Lang",
    "Output",
    "Rebase",
    "WorldFolder",
    "asked_language",
    "attribution_lines",
    "check_ending",
    "check_output",
    "columns_of_screen",
    "complain",
    "console",
    "envelope_json",
    "give",
    "json_text",
    "load",
    "load_sound",
    "progress_bar",
    "put",
    "read_json",
    "say",
    "shortened",
    "show",
    "show_compact",
    "tell",
    "tell_rebase",
    "write",
]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Limits of a message: lines, and characters per line.
_MOST_LINES, _LONGEST_LINE = 20, 600
_SECONDS_BETWEEN_LINES = 30.0
# Columns where there is no terminal.
WIDTH = 80

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to a file; its ending chooses the format.")
]
WorldFolder = Annotated[
    Path | None, typer.Option("--world", help="A folder with edited tables instead of the embedded data.")
]


Lang = Annotated[
    Literal["en", "ru", "zh"],
    typer.Option(
        "--lang", envvar="LANDBRIDGE_LANG", help="Language of words, names and numbers: en, ru or zh."
    ),
]


def asked_language(words: Iterable[str] | None = None) -> str:
    """The language of messages: that of --lang wherever it stands, else of LANDBRIDGE_LANG, else English.

    words: of the command line, those of this process where None.
    """
    from landbridge.phrases import LANGUAGES

    given = list(sys.argv[1:] if words is None else words)
    given = given[: given.index("--")] if "--" in given else given
    after = [word for before, word in pairwise(given) if before == "--lang"]
    joined = [word.removeprefix("--lang=") for word in given if word.startswith("--lang=")]
    known = [word for word in (*after, *joined, os.environ.get("LANDBRIDGE_LANG", "")) if word in LANGUAGES]
    return known[0] if known else "en"


def load(folder: Path | None) -> World:
    """The embedded World, or the one of a folder.

    folder: of the World, None for the embedded one. Raises DataError as `landbridge.io.tables.load_world`.
    """
    from landbridge.io.tables import load_world

    return load_world(folder)


Rebase = Annotated[
    bool,
    typer.Option("--rebase", help="Solve a World whose accounts do not close, on a table that clears."),
]
# Changes of a table that clears: reported above the first, rejected above the second without --rebase.
_TOLD_REBASE, _MOST_REBASE = 1e-6, 0.01


def load_sound(folder: Path | None, rebase: bool = False) -> World:
    """The World to solve: the embedded one, or a folder in which `data check` finds no fault.

    folder: None for the embedded one; rebase: accept accounts that do not close. Raises DataError with every
    fault.
    """
    from landbridge.errors import DataError
    from landbridge.studies.check_data import check

    if folder is None:
        return load(None)
    found = check(folder)
    faults = [fault for fault in found.faults if not (rebase and fault in found.open_accounts)]
    if faults or found.world is None:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise DataError(f"{folder.name} is not a sound World: {count}", faults)
    return found.world


def tell_rebase(status: Status, rebase: bool) -> None:
    """Report that the base did not clear and was solved first.

    status: of the solve; rebase: whether --rebase was given. Raises DataError above 1 % without it.
    """
    from landbridge.errors import DataError, Fault

    if status.rebase <= _TOLD_REBASE:
        return
    what = f"wages, prices or sales change by up to {100.0 * status.rebase:.2g} % before they clear"
    if status.rebase > _MOST_REBASE and not rebase:
        cure = "`landbridge data rebalance` writes a table that clears; --rebase solves it as it is"
        raise DataError("the accounts of the World do not close", [Fault("economy", what, cure)])
    say(
        f"landbridge: the accounts of the World do not close: {what}; changes are measured from the "
        "table that clears"
    )


def attribution_lines(world: World) -> list[str]:
    """Attribution lines of a World's tables.

    world: with the tables. Raises DataError where a SOURCES.csv cannot be read.
    """
    from landbridge.io.tables import attribution

    return attribution(world.files)


def read_json(path: Path) -> Mapping[str, Any]:
    """A JSON object from a file. Raises DataError where it is not one."""
    from landbridge.errors import DataError, Fault
    from landbridge.io.tables import read_text

    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        fault = Fault(f"{path.name} line {error.lineno}", f"is not valid JSON: {error.msg}", "write it again")
        raise DataError("the manifest cannot be read", [fault]) from None
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        fault = Fault(path.name, "is no result of landbridge", "give a file that `landbridge run -o` wrote")
        raise DataError("the manifest cannot be read", [fault]) from None
    if not isinstance(document, dict):
        raise DataError("not a manifest", [Fault(path.name, "is not a JSON object", "give a result file")])
    return document


def check_ending(output: Path | None, endings: tuple[str, ...], option: str = "-o") -> None:
    """Reject an output that could not be written, before anything is solved.

    output: the file; endings: valid ones; option: its name in the message. Raises BadParameter for another
    ending or no folder, DataError where the file cannot be written.
    """
    if output is None:
        return
    if output.suffix not in endings:
        raise typer.BadParameter(f"{output.name} should end in {', '.join(endings)}", param_hint=option)
    if not output.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint=option)
    from landbridge.io.whole import check_place

    check_place(output)


def check_output(output: Path | None, *own: str) -> None:
    """Reject an output of a study that could not be written, before anything is solved.

    output: the file; own: endings of this study in addition to those of all. Raises as `check_ending`,
    LandbridgeError where a package is missing.
    """
    if output is None:
        return
    from landbridge.report.writers import ENDINGS
    from landbridge.report.writers import check_ending as known

    check_ending(output, (*ENDINGS, *own))
    known(output, own)


def write(path: Path, content: str | bytes) -> None:
    """Write under a temporary name and rename, so that no reader sees half a file.

    path: the file; content: text, written as UTF-8, or bytes. Raises DataError where it cannot be written.
    """
    from landbridge.io.files import write_bytes
    from landbridge.io.whole import left_behind

    write_bytes(path, content.encode("utf-8") if isinstance(content, str) else content)
    say(f"written: {path}")
    for left in left_behind(path):
        say(f"{left} was left by an earlier write that was stopped; it can be deleted")


def envelope_json(
    result: Any,
    status: Status,
    world: World | None,
    command: str,
    begin: float,
    scenarios: Any = (),
    options: Mapping[str, Any] | None = None,
) -> str:
    """A result with its status and manifest, in the form of every `--json`.

    result: plain values; status: of the solves; world: of the manifest, None for other files; command,
    scenarios, options: for the manifest; begin: time at the start, of `time.perf_counter`. Returns JSON.
    """
    from landbridge.answers.envelope import envelope, when
    from landbridge.results.manifest import manifest

    return json_text(envelope(result, status, manifest(world, command, scenarios, options, when(begin))))


def give(
    answer: Answer,
    begin: float,
    as_json: bool,
    output: Path | None,
    most: int | None = None,
    *,
    lang: str | None = None,
) -> None:
    """Write an answer to a file or the screen, in the form asked for.

    answer: of a study; begin: time at the start of the command; as_json: print JSON; output: the file, None
    for the screen; most: rows shown of a long table; lang: of the document, that of the answer where None.
    Raises as `landbridge.report.writers.write`.
    """
    answer = answer if lang is None else replace(answer, lang=lang)
    if output is None and not as_json:
        show(answer.document(most=most).sections, answer.lang)
        return
    from landbridge.answers.envelope import timed

    whole = timed(answer, begin)
    if output is None:
        put(json_text(whole.to_json()))
        return
    from landbridge.report.writers import content_of

    write(output, content_of(whole, output.suffix))


def put(text: str) -> None:
    """Print text to stdout, with control characters of a user's own names escaped as in JSON."""
    sys.stdout.write(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def say(text: str) -> None:
    """Print a line to stderr, in the language asked for; nothing happens where that is closed or full."""
    from landbridge.error_texts import translated

    _line(translated(text, asked_language()))


def complain(text: str) -> None:
    """Print an error to stderr, after the name of the program; text: in the language asked for already."""
    _line(f"landbridge: {text}")


def _line(text: str) -> None:
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(_CONTROL.sub("", text) + "\n")
        sys.stderr.flush()


def shortened(error: LandbridgeError, lang: str = "en") -> str:
    """The faults of an error in about 20 lines of bounded length, the rest counted.

    error: with its faults; lang: of the lines.
    """
    from landbridge.error_texts import translated

    lines = error.text(lang).splitlines() or [type(error).__name__]
    told = [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} ..." for line in lines]
    if len(told) > _MOST_LINES:
        left = len(told) - _MOST_LINES
        more = translated(f"... and {left} more lines; correct these first", lang)
        told = [*told[:_MOST_LINES], f"  {more}"]
    return "\n".join(told)


def columns_of_screen() -> int:
    """Width of the screen: COLUMNS, or that of the terminal; 80 in a pipe, which has none of its own."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH


def console() -> Console:
    """A console for text, as wide as the screen."""
    from rich.console import Console

    return Console(width=columns_of_screen())


def _line_now_and_then() -> Callable[[str, float], None]:
    """A line on stderr every 30 seconds, for a pipe or a log; none for shorter work."""
    told = [time.monotonic()]

    def tell(text: str, share: float) -> None:
        if time.monotonic() - told[0] >= _SECONDS_BETWEEN_LINES:
            told[0] = time.monotonic()
            say(f"{100.0 * share:.0f} %: {text}")

    return tell


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal, a line every 30 seconds elsewhere.

    Yields a function that takes a text and the share done.
    """
    if not sys.stderr.isatty():
        yield _line_now_and_then()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda text, share: bar.update(task, description=text, completed=share)


def tell(text: str) -> None:
    """Print lines of text to stdout, wrapped to the screen; what is wrapped is indented under its line."""
    from landbridge.report.columns import paragraph

    put("\n".join(paragraph(text, columns_of_screen())))


def show(sections: Iterable[Section], lang: str = "en") -> None:
    """Print sections as tables and paragraphs, no line wider than the screen.

    lang: of the sections.
    """
    from landbridge.phrases import Words
    from landbridge.report.plain import folded

    screen, words = _Lines(columns_of_screen()), Words(lang)
    for section in sections:
        screen.write([""])
        screen.write(folded(section.title, screen.width), "bold")
        for text in section.before:
            screen.write(folded(text, screen.width))
        if section.rows:
            screen.table(section, section.columns, "dim")
        elif section.columns:
            screen.write([words.say("page.none")])
        for text in section.after:
            screen.write(folded(text, screen.width), "dim")


def show_compact(sections: Iterable[Section], width: int, *, wrap: bool = False) -> None:
    """Print sections without blank lines: a table under its heading, sentences a line each.

    No line is wider than `width` or the screen. Words of a table wrap where asked for; else each row is one
    line, and of its words the widest column gives way.
    """
    from landbridge.report.plain import folded

    screen = _Lines(min(width, columns_of_screen()))
    for number, section in enumerate(sections):
        if section.title and (not section.rows or section.columns[0]) and number == 0:
            screen.write(folded(section.title, screen.width), "bold")
        if section.rows:
            named = section.columns[0]
            columns = section.columns if named else (section.title, *section.columns[1:])
            if wrap:
                screen.table(section, columns, "bold")
            else:
                head, *rows = _columns(section, screen.width)
                screen.write([head], "bold")
                screen.write(rows)
        for text in section.before:
            screen.write(folded(text, screen.width))
        for text in section.after:
            screen.write(folded(text, screen.width), "dim")


class _Lines:
    """Lines on the screen, as they are."""

    def __init__(self, width: int) -> None:
        self.width, self._screen = width, console()

    def write(self, lines: Iterable[str], style: str = "") -> None:
        """Print lines in a style."""
        from rich.text import Text

        for line in lines:
            self._screen.print(Text(line, style), soft_wrap=True)

    def table(self, section: Section, columns: tuple[str, ...], style: str) -> None:
        """Print the table of a section under headings in a style."""
        from landbridge.report.columns import table_lines

        words = [section.is_words(n) for n in range(len(columns))]
        for line in table_lines(columns, section.rows, words, self.width):
            self.write([line.text], style if line.heading else "")


def _columns(section: Section, width: int) -> Iterator[str]:
    """The lines of a table, its headings first; the widest column of words gives way."""
    from rich.cells import cell_len, set_cell_size

    columns = section.columns if section.columns[0] else (section.title, *section.columns[1:])
    rows = [columns, *section.rows]
    widths = [max(cell_len(row[n]) for row in rows) for n in range(len(columns))]
    words = [n for n in range(len(columns)) if section.is_words(n)]
    gives = max(words, key=lambda n: widths[n])
    widths[gives] -= max(sum(widths) + 2 * (len(columns) - 1) - width, 0)
    for row in rows:
        cells = []
        for n, cell in enumerate(row):
            if cell_len(cell) > widths[n]:
                cell = set_cell_size(cell, max(widths[n] - 3, 0)).rstrip() + "..."
            blank = " " * (widths[n] - cell_len(cell))
            cells.append(cell + blank if n in words else blank + cell)
        yield "  ".join(cells).rstrip()
