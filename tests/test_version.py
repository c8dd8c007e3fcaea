"""`landbridge --version` is answered without the libraries that a run needs."""

from __future__ import annotations

import subprocess
import sys

import landbridge as lb

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
