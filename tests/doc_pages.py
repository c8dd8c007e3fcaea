"""README, CONTRIBUTING and docs/ as a test sees them: their links, their blocks, and how the blocks are run.

A fenced block says in its first line what it is. What follows the language is for the tests:

    ```python                      run, in order, one namespace a page
    ```python no-run: a reason     only compiled
    ```console                     each `$ landbridge ...` is run; it must print the lines shown below it
    ```console exit=3              the same, where the command is to end with another code
    ```toml file=mine.toml         written to that file, for the blocks after it
    ```text output                 what the python block before it prints

A line `...` stands for lines that are left out. Blocks run on the pages of RUN; elsewhere they are only read.
"""

from __future__ import annotations

import ast
import codeop
import contextlib
import io
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
RUN = [
    page
    for page in PAGES
    if page == ROOT / "README.md"
    or page.parent in (ROOT / "docs", ROOT / "docs" / "tutorials", ROOT / "docs" / "howto")
]

_FENCE = re.compile(r"(`{3,}|~{3,})\s*([\w+-]*)\s*(.*)")
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")


@dataclass(frozen=True)
class Block:
    """A block of code. line: where it begins; language: "" where it is indented; info: what follows that."""

    page: Path
    line: int
    language: str
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether it is to be run at all."""
        return self.page in RUN and not self.info.startswith("no-run")

    @property
    def is_python(self) -> bool:
        """Fenced as Python, or indented and beginning as only Python does."""
        begins = re.match(r"(import|from [\w.]+ import|lb\.) ?\w", self.text)
        return self.language == "python" or (not self.language and begins is not None)

    def setting(self, name: str) -> str | None:
        """The value of a word NAME=VALUE after the language."""
        found = re.search(rf"\b{name}=(\S+)", self.info)
        return found[1] if found else None

    @property
    def calls(self) -> Iterator[tuple[str, list[str]]]:
        """Each command line, and the lines that are shown as its output."""
        if self.language not in ("", "console", "bash", "sh"):
            return
        joined = re.sub(r"\s*\\\n\s*", " ", self.text)
        if not self.language:
            joined = re.sub(r"\n +(?=\[)", " ", joined)  # a synopsis that goes on in the next line
        command, shown = "", list[str]()
        for line in joined.splitlines():
            if re.match(r"\$ " if self.language == "console" else r"(\$ )?landbridge( |$)", line):
                if command.startswith("landbridge"):
                    yield command, shown
                command, shown = line.removeprefix("$ "), []
            else:
                shown.append(line)
        if command.startswith("landbridge"):
            yield command, shown


def refused(block: Block) -> list[int]:
    """The line of a block at which Python refuses it when it is pasted line by line, if there is one."""
    lines: list[str] = []
    for number, line in enumerate([*block.text.split("\n"), ""], 1):
        lines.append(line)
        try:
            if codeop.compile_command("\n".join(lines), symbol="single") is not None:
                lines = []
        except SyntaxError:
            return [number]
    return []


def blocks(page: Path) -> list[Block]:
    """The fenced and indented blocks of a page, in order."""
    return [Block(page, *found) for found in _parts(page.read_text(encoding="utf-8")) if found[1] != "prose"]


def prose(page: Path) -> str:
    """A page without its blocks and without code in backticks."""
    kept = [found for found in _parts(page.read_text(encoding="utf-8")) if found[1] == "prose"]
    return _CODE.sub("", "\n".join(text for *_, text in kept))


def spans(page: Path) -> list[str]:
    """What stands between backticks in the prose of a page."""
    kept = [text for _, kind, _, text in _parts(page.read_text(encoding="utf-8")) if kind == "prose"]
    return [" ".join(found[0].strip("`").split()) for found in _CODE.finditer("\n".join(kept))]


def _parts(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Stretches of a page: line, language (or "prose"), what stands after it, text."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        begin = at
        if fence:
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == fence[1]), len(lines))
            yield at + 2, fence[2] or "text", fence[3].strip(), "\n".join(lines[at + 1 : end])
            at = end + 1
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
                at += 1
                if not lines[at - 1].strip() and re.match(r" {4}\S", "".join(lines[at : at + 1])):
                    break  # a new paragraph, which may be of another kind
            inside = [line[4:] for line in lines[begin:at]]
            yield begin + 1, "", "", "\n".join(inside).rstrip()
        else:
            at += 1
            while at < len(lines) and not _FENCE.match(lines[at]):
                if lines[at].startswith("    ") and not lines[at - 1].strip():
                    break
                at += 1
            yield begin + 1, "prose", "", "\n".join(lines[begin:at])


def links(page: Path) -> list[str]:
    """Where the links and pictures of a page lead, those to other sites left out."""
    return [target for target in _LINK.findall(prose(page)) if not re.match(r"[a-z]+:", target)]


def headings(page: Path) -> list[str]:
    """The headings of a page, without the signs of Markdown."""
    text = "\n".join(text for _, kind, _, text in _parts(page.read_text(encoding="utf-8")) if kind == "prose")
    return [re.sub(r"[`*]", "", found) for found in re.findall(r"^#{1,6} +(.*?) *#*$", text, re.MULTILINE)]


# -- running -------------------------------------------------------------------------------------------


def run_page(page: Path, folder: Path, chdir: Callable[[Path], None]) -> list[str]:
    """Run the blocks of a page in a folder; what is wrong, a line each, with the place."""
    chdir(folder)
    namespace: dict[str, Any] = {"__name__": page.stem}
    wrong: list[str] = []
    printed = ""
    for block in blocks(page):
        name = block.setting("file")
        if name is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(block.text + "\n", encoding="utf-8")
        elif not block.runs:
            continue
        elif block.language == "python":
            printed = python_output(block, namespace)
        elif block.language == "text" and block.info == "output":
            wrong += [f"{block}: not printed: {line}" for line in missing(block.text.splitlines(), printed)]
        elif block.language == "console":
            for command, shown in block.calls:
                code, out, err = called(shlex.split(command, comments=True)[1:])
                if code != int(block.setting("exit") or 0):
                    wrong.append(f"{block}: exit code {code}: {command}\n{err}")
                wrong += [
                    f"{block}: {command}: not printed: {line}" for line in missing(shown, out + "\n" + err)
                ]
    return wrong


def python_output(block: Block, namespace: dict[str, Any]) -> str:
    """Run Python as a notebook does: what it prints, the value of its last expression too."""
    tree = ast.parse(block.text)
    ast.increment_lineno(tree, block.line - 1)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(tree, str(block.page), "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), str(block.page), "eval"), namespace)
            if value is not None:
                out.write(f"{value!r}\n")
    return out.getvalue()


def called(words: Sequence[str]) -> tuple[int, str, str]:
    """A command of landbridge in this process: exit code, stdout, stderr."""
    from landbridge.cli import main

    before, code = sys.argv, 0
    sys.argv = ["landbridge", *words]
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()) as out,
            contextlib.redirect_stderr(io.StringIO()) as err,
        ):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()


def missing(shown: Sequence[str], printed: str) -> list[str]:
    """Lines shown that do not follow one another in what was printed, spaces aside."""
    left = [" ".join(line.split()) for line in printed.splitlines()]
    lost = []
    for line in (" ".join(line.split()) for line in shown):
        if line in ("", "..."):
            continue
        if line in left:
            del left[: left.index(line) + 1]
        else:
            lost.append(line)
    return lost
