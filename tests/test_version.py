"""The version and the citation: one of each, whoever asks."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import landbridge as lb
from commands import Call
from landbridge import version

ROOT = Path(__file__).resolve().parents[1]

CODE = """
import sys
from landbridge.cli import main
sys.argv = ["landbridge", "--version"]
try:
    main()
except SystemExit as ended:
    heavy = sorted({name.partition(".")[0] for name in sys.modules} & {"numpy", "scipy", "pandas", "typer"})
    print(ended.code, *heavy)
"""


def test_the_version_loads_no_library() -> None:
    found = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == [f"landbridge {lb.__version__}", "0"]


def test_the_commands_are_there_by_name() -> None:
    from landbridge.cli import app

    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert {"run", "claims", "disrupt"} <= names


def citation() -> dict[str, str]:
    """The fields of CITATION.cff that stand on the first level, and the names of the authors."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    names = re.findall(r'^ +- name: "(.*)"$', text, re.MULTILINE)
    return {**dict(re.findall(r'^([\w-]+): "?(.+?)"?$', text, re.MULTILINE)), "authors": " and ".join(names)}


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == citation()["version"] == version._SOURCE_TREE
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_bibtex_says_what_the_citation_file_says(call: Call) -> None:
    code, out, err = call("cite", "--bibtex")
    assert code == 0 and not err and out.startswith("@software{landbridge,\n")
    found = {
        name: value.strip("{}") for name, value in re.findall(r"^  (\w+) += \{(.*)\},$", out, re.MULTILINE)
    }
    given = citation()
    assert found.pop("version") == lb.__version__
    expected = {"title": given["title"], "author": given["authors"], "license": given["license"]}
    if "date-released" in given:
        expected |= {"date": given["date-released"], "year": given["date-released"][:4]}
    assert found == expected
