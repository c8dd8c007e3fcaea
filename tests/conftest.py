"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
