"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from commands import Call
from landbridge.cli import main

# Tests of the searches themselves search anew; all others share the searched routes of one session.
SEARCH_ANEW = {"test_base_routes", "test_cache", "test_paths", "test_routes", "test_routes_of_small_worlds"}
_KEPT = "LANDBRIDGE_TEST_CACHE"
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
    """The folder of facts and published references beside the repository.

    It is not part of the project, so its absence skips a test; in CI (LANDBRIDGE_CI=1) it fails it.
    """
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "reference").is_dir():
        message = "the reference data (../shared) are not here"
        if os.environ.get("LANDBRIDGE_CI") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder
