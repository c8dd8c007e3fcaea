"""What `make docs` does beyond mkdocs itself: navigation, pages from elsewhere, links, fences.

mkdocs calls the functions on_*. A page that is put into a folder of docs/ is in the navigation: there is no
list to add it to. The pages of the reference come from reference.py.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import reference

ROOT = Path(__file__).resolve().parents[1]
# Folders of docs/ and their headings, in this order; a further folder follows under its own name.
SECTIONS = {
    "tutorials": "Tutorials",
    "howto": "How to",
    "examples": "Examples",
    "theory": "Theory",
    "channels": "Channels",
    "data": "Data",
}
# Pages that come first in their folder, in this order; the others follow by name.
FIRST = (
    *("README", "index", "first_route", "a_border", "your_own_data"),
    *("notation", "routes", "choice", "gateways", "goods", "transit", "economy"),
)
# Pages from outside docs/: where they stand in the repository, and where on the site.
FROM_ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "src/landbridge/data/LICENSES.md": "data/licences.md",
}
# What a page is called in the navigation, where its own heading says too little.
NAMES = {"channels/claims_results.md": "Every claim and estimate"}
# Pages in docs/ that a test holds equal to the program; they stand with the reference.
LISTS = ("data/verbs.md", "data/results.md")

_LINK = re.compile(r"(`+[^`]*`+)|(!?)\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^(```+)([\w-]+)[^\n]*$", re.MULTILINE)


def on_config(config: Any) -> None:
    """Navigation from the folders, and anchors as GitHub makes them."""
    config.nav = navigation(Path(config.docs_dir))
    config.mdx_configs.setdefault("toc", {})["slugify"] = lambda text, separator: slug(text)


def on_files(files: Any, config: Any) -> None:
    """Add the pages from outside docs/ and those of the reference."""
    from mkdocs.structure.files import File

    made = {page: page_of(ROOT / path) for path, page in from_elsewhere().items()}
    for page, text in {**made, **reference.pages()}.items():
        if files.get_file_from_path(page) is None:
            files.append(File.generated(config, page, content=text))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links of the repository as links of the site; of a fence only its language."""
    elsewhere = {made: path for path, made in from_elsewhere().items()}
    there = page.file.src_uri
    source = f"docs/{there}" if page.file.generated_by is None else elsewhere.get(there, f"docs/{there}")
    return _FENCE.sub(r"\1\2", relinked(markdown, source, there))


def from_elsewhere() -> dict[str, str]:
    """FROM_ELSEWHERE, and a page for each script and notebook in examples/."""
    folder = ROOT / "examples"
    scripts = [path.relative_to(ROOT) for path in sorted([*folder.glob("*.py"), *folder.glob("*/*.py")])]
    return FROM_ELSEWHERE | {path.as_posix(): path.with_suffix(".md").as_posix() for path in scripts}


def page_of(file: Path) -> str:
    """A file of the repository as a page; a script is shown as it stands."""
    text = file.read_text(encoding="utf-8")
    kind = "Notebook: " if file.parent.name == "notebooks" else ""
    return text if file.suffix == ".md" else f"# {kind}{file.stem}\n\n`{file.name}`\n\n```python\n{text}```\n"


def navigation(docs: Path) -> list[Any]:
    """Home, the pages in docs/ itself, those of every folder under its heading, the reference."""
    nav: list[Any] = [{"Home": "index.md"}]
    nav += [path.name for path in sorted(docs.glob("*.md")) if path.name != "index.md"]
    further = [path.name for path in sorted(docs.iterdir()) if any(path.glob("*.md"))]
    for folder in dict.fromkeys((*SECTIONS, *further)):
        pages = [f"{folder}/{path.name}" for path in sorted((docs / folder).glob("*.md"), key=_place)]
        pages += [page for page in from_elsewhere().values() if page.startswith(f"{folder}/")]
        named = [{NAMES[page]: page} if page in NAMES else page for page in pages if page not in LISTS]
        if named:
            nav.append({SECTIONS.get(folder, folder.capitalize()): named})
    modules = [f"reference/{name.rpartition('.')[2]}.md" for name in reference.MODULES]
    tables = ["reference/parameters.md", "reference/tables.md", "data/results.md"]
    nav.append({"Reference": ["reference/commands.md", *modules, "data/verbs.md", *tables]})
    return [*nav, {"Project": ["contributing.md", "changelog.md"]}]


def _place(path: Path) -> tuple[int, str]:
    return FIRST.index(path.stem) if path.stem in FIRST else len(FIRST), path.stem


def relinked(markdown: str, source: str, page: str) -> str:
    """Links to where the same file is on the site; a link to a file that is not there becomes plain text.

    source: the file in the repository; page: the same on the site, inside docs/.
    """
    moves = from_elsewhere()

    def moved(link: re.Match[str]) -> str:
        code, image, words, target, anchor = link.groups()
        if code is not None or not target or re.match(r"[a-z]+:", target):
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        on_site = moves.get(path, path.removeprefix("docs/") if path.startswith("docs/") else None)
        if on_site is None:
            return words
        found = posixpath.relpath(on_site, posixpath.dirname(page) or ".")
        return f"{image}[{words}]({found}{anchor or ''})"

    return _LINK.sub(moved, markdown)


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
