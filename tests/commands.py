"""What the fixture `call` of conftest.py gives a test."""

from __future__ import annotations

from collections.abc import Callable

# A command run in this process: its words to exit code, stdout, stderr.
Call = Callable[..., tuple[int, str, str]]
