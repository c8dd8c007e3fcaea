"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from commands import Call
from landbridge.cli import main

# Nothing is kept between tests, unless a test asks for it.
os.environ["LANDBRIDGE_CACHE"] = "off"


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
