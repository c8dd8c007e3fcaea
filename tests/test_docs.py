"""The documentation: links lead somewhere, blocks are what they say and run, the site builds."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

import landbridge as lb
from doc_pages import PAGES, ROOT, RUN, Block, blocks, headings, links, prose, refused, run_page, spans
from landbridge.cli.commands import app

sys.path.insert(0, str(ROOT / "docs"))
import hooks
import reference

WIDTH = 80
# Solved scenarios kept for further pages: each holds its routes and flows.
MOST_KEPT = 6


@functools.cache
def program() -> Any:
    """The command line as one object."""
    return typer.main.get_command(app)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def anchors() -> Mapping[Path, set[str]]:
    return {page: {hooks.slug(heading) for heading in headings(page)} for page in PAGES}


# -- links ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_anchors_resolve(page: Path, anchors: Mapping[Path, set[str]]) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{link}: no such file"
        assert ROOT in found.parents, f"{link}: outside the project"
        if anchor:
            assert found in anchors and anchor in anchors[found], f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_reads_the_same_on_the_site_and_on_a_forge(page: Path) -> None:
    """A blank line before a list, a fence in the first column, one heading of the first level."""
    text = prose(page)
    glued = re.findall(r"^(?![*+\-|>#]|\d+\. |\s|$).*\n(?:[*+-]|1\.) .*", text, re.MULTILINE)
    assert not glued, f"a list without a blank line before it: {glued}"
    assert not re.findall(r"^ +```.*", text, re.MULTILINE), "a fence that does not begin in the first column"
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1


def test_links_of_the_repository_become_links_of_the_site() -> None:
    def moved(text: str) -> str:
        return hooks.relinked(text, "docs/data/README.md", "data/README.md")

    assert moved("[a](../theory/choice.md#x)") == "[a](../theory/choice.md#x)"
    assert moved("[a](../../README.md)") == "[a](../index.md)"
    assert moved("[a](../../Makefile), `[b](../../Makefile)`") == "a, `[b](../../Makefile)`"
    assert hooks.relinked("[a](docs/data/names.md)", "README.md", "index.md") == "[a](data/names.md)"


def test_files_named_in_contributing_exist() -> None:
    """By their path from the root or inside the package; a bare name may be anywhere."""
    named = {word for span in spans(ROOT / "CONTRIBUTING.md") for word in span.split() if "NAME" not in word}
    files = {word for word in named if re.fullmatch(r"[\w/]+(/|\.(py|csv|md|toml|txt|cff))", word)}
    files |= {word for word in named if re.fullmatch(r"(tests|recipes|docs)/[\w./]+", word)}
    assert len(files) > 50
    below = [ROOT, ROOT / "src" / "landbridge"]
    anywhere = [path for folder in ("src", "recipes", "tests", "docs") for path in (ROOT / folder).rglob("*")]
    known = {path.name for path in anywhere} | {f"{path.name}/" for path in anywhere if path.is_dir()}
    lost = {word for word in files if word not in known and not any((f / word).exists() for f in below)}
    assert lost <= {"dist/", "site/", "mine.toml"}


# -- blocks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_compiles(page: Path) -> None:
    for block in blocks(page):
        if block.is_python:
            compile(block.text, str(block), "exec")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_can_be_pasted_into_a_session(page: Path) -> None:
    assert not [(str(block), line) for block in blocks(page) if block.is_python for line in refused(block)]


def test_a_block_that_cannot_be_pasted_is_found() -> None:
    text = "for n in range(3):\n    print(n)\nprint('done')\n"
    block = Block(ROOT / "README.md", 1, "python", "", text)
    assert refused(block) == [3]
    assert refused(replace(block, text=text.replace("\nprint", "\n\nprint"))) == []
    assert refused(replace(block, text="def f():\n    a = 1\n\n    return a\n")) == [4]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_command_lines_are_those_of_the_program(page: Path) -> None:
    for block in blocks(page):
        for command, _ in block.calls:
            found = wrong_with(command, whole=True)
            assert not found, f"{block}: {command}: {found}"
    for span in spans(page):
        if re.match(r"landbridge \w", span):
            found = wrong_with(span, whole=False)
            assert not found, f"{span}: {found}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_block_that_is_not_run_says_why(page: Path) -> None:
    for block in blocks(page):
        if "no-run" in block.info:
            assert re.fullmatch(r"no-run: \w.*", block.info), f"{block}: write no-run: and a reason"


def wrong_with(line: str, whole: bool) -> str:
    """What is wrong with a command line; what follows two spaces or # explains it.

    whole: it is a command to type, not a mention of one, so that nothing may be lacking.
    """
    words = shlex.split(re.split(r"\s{2,}|\s#", line)[0])
    command = program()
    at, options = 1, {"--help", "--version"}
    while hasattr(command, "commands") and at < len(words) and re.match(r"[a-z]", words[at]):
        names = words[at].split("|")
        at += 1
        while at + 1 < len(words) and words[at] == "|":
            names.append(words[at + 1])
            at += 2
        unknown = [name for name in names if name not in command.commands]
        if unknown:
            return f"no command {unknown[0]}"
        command = command.commands[names[0]]
        if len(names) > 1:
            return ""
    options |= {word for one in command.params for word in (*one.opts, *one.secondary_opts)}
    for word in (re.split(r"[=|]", word.strip("[]"))[0] for word in words[at:]):
        if re.match(r"--?[a-z]", word) and word not in options:
            return f"no option {word}"
    is_synopsis = any(word.startswith("[") or word in ("|", "...") for word in words)
    if whole and not is_synopsis and not hasattr(command, "commands"):
        try:
            command.make_context(command.name, words[at:])
        except typer.Exit:
            pass
        except Exception as error:  # of click, or of the copy of it inside typer
            return error.format_message() if hasattr(error, "format_message") else repr(error)
    return ""


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("landbridge run cku-railway  a scenario", ""),
        ("landbridge farm | travel | treaties  small models", ""),
        ("landbridge farm [--region UZB] [--json]", ""),
        ("landbridge walk", "no command walk"),
        ("landbridge data list | cart", "no command cart"),
        ("landbridge run --speed 3", "no option --speed"),
        ("landbridge route Chongqing", "Missing"),
        ("landbridge disrupt --days 900", "365"),
    ],
)
def test_a_wrong_command_line_is_found(line: str, part: str) -> None:
    found = wrong_with(line, whole=True)
    assert part in found and bool(part) == bool(found)


# -- the reference -------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", list(reference.commands()), ids=" ".join)
def test_help_fits_a_terminal_of_80_columns(words: tuple[str, ...]) -> None:
    text = reference.help_of(words)
    assert "Usage: landbridge" in text
    for line in text.splitlines():
        assert len(line) <= WIDTH and "…" not in line, line


def test_equations_and_parameters_of_a_docstring_keep_their_form() -> None:
    text = "What it is.\n\n    a = b_n\n\n    c = d\n\nx: the first. y [n]: the second.\nRaises DataError."
    assert reference.rendered(text, {"x", "y"}).split("\n\n") == [
        "What it is.",
        "```text\na = b_n",
        "c = d\n```",
        "* `x`: the first.\n* `y [n]`: the second.",
        "Raises DataError.",
    ]
    headed = (
        "What it is.\n\nParameters\n----------\nx : [N]\n    The first,\n    in words.\ny\n    The second."
    )
    assert "* `x : [N]`: The first, in words.\n* `y`: The second." in reference.rendered(headed, ())


def test_the_reference_holds_every_public_name() -> None:
    pages = reference.pages()
    for module in reference.MODULES:
        of = sys.modules[module]
        page = pages[f"reference/{module.rpartition('.')[2]}.md"]
        assert all(f"\n## {name}\n" in page for name in of.__all__)
        assert " object at 0x" not in page and " at 0x" not in page
    for member in ("compare", "real_income", "skims"):
        assert f"\n### Results.{member}\n" in pages["reference/landbridge.md"]
    assert (
        "\n## places\n" in pages["reference/tables.md"] and "\n## gas_nodes\n" in pages["reference/tables.md"]
    )


# -- what takes longer ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def solved_once() -> Iterator[None]:
    """All pages of a process share one World, its base and the scenarios that several of them solve."""
    from landbridge.io import tables
    from landbridge.model import run as model
    from landbridge.scenario import load_scenario

    world, load, iterate = lb.load(), tables.load_world, model.iterate
    kept: dict[tuple[str, str, bool], lb.Results] = {}

    def loaded(path: Any = None, *, check: bool = True) -> lb.World:
        return world if path is None else load(path, check=check)

    def iterated(world: lb.World, scenarios: Any, **options: Any) -> Iterator[lb.Results]:
        given = list(scenarios)
        response = bool(options.get("response"))
        try:
            asked = [(world.hash, load_scenario(one, world).to_toml(), response) for one in given]
        except lb.LandbridgeError:
            yield from iterate(world, given, **options)
            return
        keys = [(world.hash, "", False), *asked]
        if all(key in kept for key in keys):
            yield from (kept[key] for key in keys)
            return
        for key, results in zip(keys, iterate(world, given, **options), strict=True):
            kept[key] = results
            while len(kept) > MOST_KEPT:
                del kept[next(iter(kept))]
            yield results

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lb, "load", loaded)
        patch.setattr(tables, "load_world", loaded)
        patch.setattr(model, "iterate", iterated)
        yield


RUNNABLE = [page for page in RUN if any(block.runs and block.language for block in blocks(page))]


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_the_blocks_of_a_page_run(
    page: Path, solved_once: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = run_page(page, tmp_path, monkeypatch.chdir)
    assert not wrong, "\n".join(wrong)


def test_a_page_of_blocks_is_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```toml file=mine.toml\nname = 'x'\n```\n\n"
        "```python\nfrom pathlib import Path\ntext = Path('mine.toml').read_text()\nlen(text)\n```\n\n"
        "```text output\n11\n```\n\n"
        "```console\n$ landbridge --version\nlandbridge ...\n$ ls\n```\n\n"
        "```console exit=3\n$ landbridge run nothing\n```\n\n"
        "```python no-run: it needs a file of yours\nundefined\n```\n",
        encoding="utf-8",
    )
    monkeypatch.setattr("doc_pages.ROOT", tmp_path)
    monkeypatch.setattr("doc_pages.RUN", [page])
    wrong = run_page(page, tmp_path, monkeypatch.chdir)
    assert [line.rpartition(": ")[2] for line in wrong] == ["landbridge ..."]


@pytest.mark.slow
def test_the_site_builds_and_asks_nothing_of_other_sites(tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None and os.environ.get("LANDBRIDGE_CI") != "1":
        pytest.skip("mkdocs is not installed (group docs)")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for tag in re.findall(r"<(?:link|script|img|iframe|source)\b[^>]*>", text):
            assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", tag), f"{page.name}: {tag}"
    for style in tmp_path.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", text), style.name
    assert not list(tmp_path.rglob("*.py*"))
