"""What fixtures of conftest.py give a test: `call` and `reference`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

# A command run in this process: its words to exit code, stdout, stderr.
Call = Callable[..., tuple[int, str, str]]
# The folder of inputs of a published problem, by its name below reference: "traffic/SiouxFalls".
Reference = Callable[[str], Path]
