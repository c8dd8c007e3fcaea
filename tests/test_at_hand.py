"""At hand after install: doctor, docs, completion, and the command that adds an extra."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import landbridge as lb
from commands import Call
from landbridge.errors import LandbridgeError
from landbridge.io import optional
from landbridge.io.optional import EXTRAS, cure, extras, need
from landbridge.studies.doctor import pages

ROOT = Path(__file__).resolve().parents[1]


class Installed:
    """A distribution that states where it came from."""

    def __init__(self, url: str) -> None:
        self.url = url

    def read_text(self, _: str) -> str:
        return json.dumps({"url": self.url})


def without_checkout(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    """landbridge as installed into a folder, from a file or an index."""
    monkeypatch.setattr(optional, "__file__", str(folder / "a" / "b" / "c" / "optional.py"))
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed(url))


# -- extras ----------------------------------------------------------------------------------------


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = {k: v for k, v in project["optional-dependencies"].items() if k != "all"}
    assert set(stated) == set(EXTRAS)
    for name, (_, packages) in EXTRAS.items():
        assert sorted(re.split("[>=<]", one)[0] for one in stated[name]) == sorted(packages.values())


def test_a_checkout_is_installed_again_with_the_extra() -> None:
    assert cure("excel").endswith(f'install -e "{ROOT}[excel]"') and sys.executable in cure("excel")


def test_a_wheel_is_named_where_it_still_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = tmp_path / "land bridge-1-py3-none-any.whl"
    wheel.write_bytes(b"")
    without_checkout(monkeypatch, tmp_path, wheel.as_uri())
    assert cure("fast").endswith(f'install "{wheel}[fast]"')
    wheel.unlink()
    # Nothing to install landbridge from: the packages alone do.
    assert cure("fast").endswith("install numba")
    without_checkout(monkeypatch, tmp_path, "https://example.org/landbridge.whl")
    assert cure("excel").endswith("install openpyxl XlsxWriter")


def test_an_environment_without_pip_uses_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    assert cure("omx").startswith(f"uv pip install --python {sys.executable} ")


def test_a_missing_package_is_answered_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(LandbridgeError) as caught:
        need("h5py", "h5py", "omx", "an .omx file")
    assert str(caught.value) == f"an .omx file needs h5py, which is not installed: {cure('omx')}"
    there = {one.name: one.there for one in extras()}
    assert not there["omx"] and there["parquet"]


# -- doctor ----------------------------------------------------------------------------------------


def test_doctor_shows_what_is_there(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    code, out, _ = call("doctor")
    assert code == 0 and sys.executable in out and lb.load().hash[:12] in out and lb.__version__ in out
    assert re.search(r"fast +.* +not installed", out) and re.search(r"parquet +.* +installed", out)
    assert cure("fast") in " ".join(out.split()) and cure("parquet") not in out
    code, out, _ = call("doctor", "--json")
    found = json.loads(out)["result"]
    assert code == 0 and found["world"] == lb.load().hash and found["cpus"] == os.cpu_count()
    assert [one["installed"] for one in found["extras"] if one["extra"] == "fast"] == [False]


# -- docs ------------------------------------------------------------------------------------------


def test_docs_lists_every_page_and_prints_one(call: Call) -> None:
    code, out, _ = call("docs")
    assert code == 0
    for path in (ROOT / "docs").rglob("*.md"):
        assert path.relative_to(ROOT / "docs").with_suffix("").as_posix() in out
    for name in ("howto/names", "docs/howto/names.md", "first_route"):
        code, out, _ = call("docs", name)
        path = "tutorials/first_route.md" if name == "first_route" else "howto/names.md"
        assert code == 0 and out.strip() == (ROOT / "docs" / path).read_text(encoding="utf-8").strip()


def test_a_page_that_is_not_there_is_suggested(call: Call) -> None:
    for name, said in (
        ("howto/nams", "'howto/names'"),
        ("names", "data/names, howto/names"),
        ("zzz", "lists"),
    ):
        code, out, err = call("docs", name)
        assert code == 3 and out == "" and said in err, name


def test_docs_opens_what_is_on_this_machine(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert call("docs", "commands", "--open")[0] == 0 and call("docs", "--open")[0] == 0
    assert len(opened) == 2 and all(url.startswith("file:///") for url in opened)


def test_the_wheel_has_every_page() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    inside = tools["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for page in pages():
        path = f"docs/{page.name}.md"
        taken = [one for one in inside if path == one or path.startswith(f"{one}/")]
        assert taken and inside[taken[0]] == f"landbridge/{taken[0]}", path


# -- completion ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "word"), [("landbridge ro", "route"), ("landbridge route --sc", "--scenario")]
)
def test_the_shell_completes_commands_and_options(typed: str, word: str) -> None:
    asked = {
        "_LANDBRIDGE_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv[0] = 'landbridge'; from landbridge.cli import main; main()",
        ],
        env={**os.environ, **asked},
        capture_output=True,
        encoding="utf-8",
    )
    assert word in done.stdout.split(), done.stderr
