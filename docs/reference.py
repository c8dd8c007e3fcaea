"""The pages of the reference, made when the site is built (`make docs`) and never committed.

    python docs/reference.py FOLDER     writes them as Markdown, to look at

Each page comes from where the program itself takes it: names, signatures and docstrings of the package, the
help of the commands, schema.csv, parameters.csv. Nothing here is to be edited when one of them changes.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

MODULES = {
    "landbridge": "The names of `import landbridge as lb`.",
    "landbridge.trade": "",
    "landbridge.estimation": "",
    "landbridge.transport": "",
    "landbridge.scenario": "",
}
MOST_COLUMNS = 88
# What begins a sentence that is not part of the meaning of the parameter before it.
_NEW_PARAGRAPH = r"(?:Raises |Returns |Source: |Tables?: |Parameters and errors|Errors and other)"


def pages() -> dict[str, str]:
    """The Markdown of every page, by its path inside docs/."""
    made = {f"reference/{name.rpartition('.')[2]}.md": python_page(name) for name in MODULES}
    made["reference/commands.md"] = commands_page()
    made["reference/tables.md"] = tables_page()
    made["reference/parameters.md"] = parameters_page()
    return made


# -- Python --------------------------------------------------------------------------------------------


def python_page(module: str) -> str:
    """Every public name of a module: what it is called with, what it does, its methods and properties."""
    of = import_module(module)
    head = MODULES[module] or escaped(inspect.getdoc(of) or "").partition("\n\n")[0]
    named = [(name, getattr(of, name)) for name in of.__all__]
    listed = sorted(named, key=lambda one: (_kind(one[1]), one[0]))
    rows = [(f"[{name}](#{name.lower()})", _first_sentence(value)) for name, value in listed]
    parts = [f"# {module}", head, _table(("name", "what it is"), rows)]
    for name, value in listed:
        parts += [f"## {name}", *_described(module, name, value)]
    return "\n\n".join(parts) + "\n"


def _kind(value: Any) -> int:
    """Functions first, then classes, errors, constants and names of types."""
    if inspect.isclass(value):
        return 2 if issubclass(value, Exception) else 1
    return 0 if inspect.isroutine(inspect.unwrap(value)) else 3


def _first_sentence(value: Any) -> str:
    if _kind(value) == 3:
        return "a constant or a type"
    return escaped(re.split(r"(?<=\.)\s", inspect.getdoc(value) or "", maxsplit=1)[0].replace("\n", " "))


def _described(module: str, name: str, value: Any) -> Iterator[str]:
    if _kind(value) == 3:
        yield _code("python", f"{name} = {value!r}")
        return
    if module != "landbridge" and name in import_module("landbridge").__all__:
        yield f"See [landbridge](landbridge.md#{name.lower()})."
        return
    yield _code("python", ("class " if inspect.isclass(value) else "") + signature(name, value))
    yield rendered(inspect.getdoc(value) or "", _parameters(value))
    for member, found in _members(value) if inspect.isclass(value) else ():
        yield f"### {name}.{member}"
        if callable(found):
            yield _code("python", signature(f"{name}.{member}", found, method=True))
        yield rendered(inspect.getdoc(found) or "", _parameters(found))


def _members(of: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class, those of its bases in the package too, in their order."""
    seen: set[str] = set()
    for base in of.__mro__:
        for name, raw in vars(base).items() if base.__module__.startswith("landbridge") else ():
            if name.startswith("_") or name in seen:
                continue
            seen.add(name)
            if isinstance(raw, property | functools.cached_property):
                yield name, raw
            elif isinstance(raw, staticmethod | classmethod) or inspect.isfunction(raw):
                yield name, getattr(of, name)


class _Plain(str):
    """Text that is shown without quotes."""

    __repr__ = str.__str__


def signature(name: str, value: Any, method: bool = False) -> str:
    """How a name is called, a parameter a line where one line is too short."""
    given = inspect.signature(value)
    shown = []
    for parameter in given.parameters.values():
        if method and parameter.name == "self":
            continue
        default = parameter.default
        if callable(default) and default is not inspect.Parameter.empty:
            default = _Plain(getattr(default, "__name__", default))
        if repr(default) == "<factory>":
            default = _Plain("...")
        shown.append(parameter.replace(annotation=_annotation(parameter.annotation), default=default))
    back = _annotation(given.return_annotation)
    arrow = "" if back is inspect.Signature.empty or str(back) == "None" else f" -> {back}"
    # The marks / and * between parameters are put there by the signature itself.
    inside = str(inspect.Signature(shown))[1:-1]
    line = f"{name}({inside}){arrow}"
    if len(line) <= MOST_COLUMNS:
        return line
    return "\n".join([f"{name}(", *(f"    {one}," for one in _split(inside)), f"){arrow}"])


def _annotation(given: Any) -> Any:
    return _Plain(given) if isinstance(given, str) else given


def _split(text: str) -> Iterator[str]:
    """Split at the commas that are not inside brackets or quotes."""
    depth, start, quote = 0, 0, ""
    for at, sign in enumerate(text):
        if quote or sign in "'\"":
            quote = "" if sign == quote else quote or sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    yield text[start:].strip()


def _parameters(value: Any) -> set[str]:
    """Names that a docstring may explain: parameters, and fields of a class."""
    if inspect.isclass(value):
        fields = {name for base in value.__mro__ for name in vars(base).get("__annotations__", {})}
        return fields | set(inspect.signature(value).parameters)
    return set(inspect.signature(value).parameters) if callable(value) else set()


# -- docstrings ----------------------------------------------------------------------------------------


def rendered(docstring: str, names: Iterable[str]) -> str:
    """A docstring as Markdown: indented equations as they stand, each parameter an item of a list.

    names: the parameters. Both forms are read, `name: meaning.` in running text, and the headed lists of
    numpydoc.
    """
    parts: list[str] = []
    blocks = re.split(r"\n{2,}", docstring.strip("\n"))
    for block in _joined(blocks):
        lines = block.splitlines()
        if len(lines) > 1 and re.fullmatch(r"-{3,}", lines[1]):
            parts += [f"**{lines[0]}**", *_numpydoc(lines[2:])]
            continue
        for indented, some in _runs(lines):
            parts.append(_code("text", inspect.cleandoc("\n".join(some))) if indented else _text(some, names))
    return "\n\n".join(parts)


def _joined(blocks: Sequence[str]) -> list[str]:
    """Blocks of indented lines that only a blank line parts are one equation."""
    out: list[str] = []
    for block in blocks:
        if out and block.startswith("    ") and out[-1].splitlines()[-1].startswith("    "):
            out[-1] += "\n\n" + block
        else:
            out.append(block)
    return out


def _runs(lines: Sequence[str]) -> Iterator[tuple[bool, list[str]]]:
    """Lines that are indented, and lines that are not, in turn."""
    run: list[str] = []
    for line in lines:
        if run and line and line.startswith("    ") != run[0].startswith("    "):
            yield run[0].startswith("    "), run
            run = []
        run.append(line)
    if run:
        yield run[0].startswith("    "), run


def _numpydoc(lines: Sequence[str]) -> Iterator[str]:
    """The items of a headed list: a name or an error, its meaning indented below it; or plain text."""
    items: list[str] = []
    for indented, some in _runs(lines):
        text = escaped(" ".join(line.strip() for line in some))
        if indented and items:
            items[-1] += f": {text}"
        else:
            items += [f"`{line}`" for line in some[:-1]] + [f"`{some[-1]}`"]
    has_items = any(line.startswith("    ") for line in lines)
    yield "\n".join(f"* {item}" for item in items) if has_items else escaped(" ".join(lines))


def _text(lines: Sequence[str], names: Iterable[str]) -> str:
    """Running text; what explains a parameter becomes an item of a list."""
    text = " ".join(line.strip() for line in lines)
    known = "|".join(sorted(map(re.escape, names), key=len, reverse=True)) or "(?!)"
    one = rf"(?:{known})(?: ?\[[^\]]*\])?"
    begin = rf"(?:^|(?<=[.;:)]) )(?=(?:{one})(?:, {one})*(?: \([^)]*\))?: )"
    pieces = re.split(rf"{begin}|(?<=\.) (?={_NEW_PARAGRAPH})", text)
    out, listed = "", False
    for piece in filter(None, pieces):
        head = re.match(rf"((?:{one})(?:, {one})*(?: \([^)]*\))?): (.*)", piece, re.DOTALL)
        if head:
            out += ("\n" if listed else "\n\n") + f"* `{head[1]}`: {escaped(head[2])}"
        else:
            out += f"\n\n{escaped(piece)}"
        listed = bool(head)
    return out.strip("\n")


def escaped(text: str) -> str:
    """Text with the signs of Markdown written out, but for what stands between backticks."""
    parts = re.split(r"(``?[^`]+``?)", text)
    for at in range(0, len(parts), 2):
        parts[at] = re.sub(r"([\\*_\[\]|`#])", r"\\\1", parts[at]).replace("<", "&lt;")
    return "".join(parts)


# -- commands ------------------------------------------------------------------------------------------


def commands_page() -> str:
    """The help of every command as a terminal of 80 columns shows it."""
    parts = ["# Commands", "What `landbridge COMMAND --help` prints."]
    for words in commands():
        parts += [f"## {' '.join(('landbridge', *words))}", _code("text", help_of(words))]
    return "\n\n".join(parts) + "\n"


def commands() -> Iterator[tuple[str, ...]]:
    """Every command by its words, groups before what is in them; the first is the program itself."""
    import typer

    from landbridge.cli.commands import app

    def below(words: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
        yield words
        for name, one in getattr(command, "commands", {}).items():
            yield from below((*words, name), one)

    yield from below((), typer.main.get_command(app))


def help_of(words: Sequence[str]) -> str:
    """The help of a command, 80 columns wide and without colours."""
    from typer.testing import CliRunner

    from landbridge.cli.commands import app

    env = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", "FORCE_COLOR": None, "GITHUB_ACTIONS": None}
    shown = CliRunner().invoke(app, [*words, "--help"], prog_name="landbridge", env=env).output
    return "\n".join(line.rstrip() for line in shown.splitlines()).strip("\n")


# -- tables --------------------------------------------------------------------------------------------


def tables_page() -> str:
    """Every table of the data with its columns, from schema.csv."""
    from landbridge.io.cards import WHAT
    from landbridge.io.tables import ECONOMY_TABLES
    from landbridge.world.table import channel_tables, read_schema
    from landbridge.world.validate import KEYS

    parts = [
        "# Tables of the data",
        "The tables of a World, as `landbridge data export DIR` writes them. Columns in bold must be filled. "
        "`landbridge data card TABLE` also prints sources, licence and what is weak. What `run` writes is in "
        "[tables of a result](../data/results.md).",
    ]
    folders = dict.fromkeys(channel_tables(), "channels") | dict.fromkeys(ECONOMY_TABLES, "economy")
    for name, columns in read_schema().items():
        kind, _, short = name.rpartition(".")
        if kind in ("result", "modification"):
            continue
        keys = ", ".join(f"`{key}`" for key in KEYS.get(short, ()))
        where = f"`{folders.get(short, 'network')}/{short}.csv`"
        key = f" A row is identified by {keys}." if keys else ""
        rows = [
            (
                f"**{column.name}**" if column.required and not column.default else column.name,
                column.type,
                escaped(column.unit),
                _bounds(column),
                escaped(column.description) + (f"; where blank: {column.default}" if column.default else ""),
            )
            for column in columns.values()
        ]
        head = ("column", "type", "unit", "bounds", "meaning")
        parts += [f"## {short}", f"{escaped(WHAT[short])} File {where}.{key}", _table(head, rows)]
    return "\n\n".join(parts) + "\n"


def _bounds(column: Any) -> str:
    """What a column may hold: a range, words, or what stands in a column of another table."""
    said = []
    ends = [f"{end:g}" if end is not None else "" for end in (column.minimum, column.maximum)]
    if all(ends):
        said.append(f"{ends[0]} to {ends[1]}")
    elif any(ends):
        said.append(f"at least {ends[0]}" if ends[0] else f"at most {ends[1]}")
    if column.allowed:
        said.append(", ".join(column.allowed))
    found = escaped("; ".join(said))
    if column.references:
        table, name = column.references
        return f"{found} [{escaped(f'{table}.{name}')}](#{table})".strip()
    return found


def parameters_page() -> str:
    """Every parameter of the model with its value, range and source."""
    import landbridge as lb

    names = ("parameter", "value", "low", "high", "unit", "part_of", "description", "basis", "source")
    rows = [
        [escaped("" if row[name] is None else str(row[name])) for name in names]
        for row in lb.load().network["parameters"]
    ]
    parts = [
        "# Parameters",
        "Every parameter of the model, from `network/parameters.csv`. A scenario changes one with the verb "
        "[set_parameter](../data/verbs.md#set_parameter). A parameter that is part of the model holds in the "
        "base too; one that is part of the world changes the scenario only. Low and high are the range of "
        "the value.",
        _table([name.replace("_", " ") for name in names], rows),
    ]
    return "\n\n".join(parts) + "\n"


# -- Markdown ------------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _code(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


if __name__ == "__main__":
    for path, text in pages().items():
        file = Path(sys.argv[1]) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
