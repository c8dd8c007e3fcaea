"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NoReturn

import pytest

import published_inputs
from commands import Call, Reference
from landbridge.cli import main

# Tests of the searches themselves search anew; all others share the searched routes of one session.
SEARCH_ANEW = {"test_base_routes", "test_cache", "test_paths", "test_routes", "test_routes_of_small_worlds"}
_KEPT = "LANDBRIDGE_TEST_CACHE"
# Where the inputs of published problems are fetched to: known before tests get a cache of their own.
_INPUTS = "LANDBRIDGE_TEST_INPUTS"
os.environ.setdefault(_INPUTS, str(published_inputs.kept_in() or ""))
os.environ["LANDBRIDGE_CACHE"] = "off"


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all workers of a session share."""
    if _KEPT not in os.environ:
        folder = tempfile.mkdtemp(prefix="landbridge-tests-")
        os.environ[_KEPT] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Choose the cache folder before the fixtures of a module are made."""
    os.environ["LANDBRIDGE_CACHE"] = "off" if item.path.stem in SEARCH_ANEW else os.environ[_KEPT]
    return (yield)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command in this process: exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["landbridge", *words])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err and "internal error" not in shown.err
        return code, shown.out, shown.err

    return run


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of facts beside the repository.

    It is not part of the project, so its absence skips a test; in CI (LANDBRIDGE_CI=1) it fails it.
    """
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "facts").is_dir():
        _missing("the facts (../shared/facts) are not here")
    return folder


@pytest.fixture(scope="session")
def reference() -> Reference:
    """Find a folder of the inputs of published problems: in ../shared/reference, or fetched by `make inputs`.

    reference("traffic/SiouxFalls"). A folder that is in neither skips a test; in CI (LANDBRIDGE_CI=1) it
    fails it.
    """
    kept = os.environ.get(_INPUTS)
    rows = published_inputs.inputs()

    def find(folder: str) -> Path:
        found = published_inputs.find(folder, Path(kept) if kept else None, rows)
        if found is None:
            _missing(published_inputs.why_missing(folder, rows))
        return found

    return find


def _missing(message: str) -> NoReturn:
    if os.environ.get("LANDBRIDGE_CI") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def absent() -> Callable[[str], NoReturn]:
    """Skip a test because a part is missing; in CI (LANDBRIDGE_CI=1) fail it."""
    return _missing
