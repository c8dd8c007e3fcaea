"""The map in headless Chromium, driven as a user does: web/tests/browser.mjs against a server of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from landbridge.server.app import built

pytestmark = pytest.mark.slow

WEB = Path(__file__).resolve().parents[1] / "web"
# What the script must have seen to work; each may have a language and a width after it.
SEEN = ("first view", "corridor", "keyboard", "scenario", "country", "layers")
_START_S, _WHOLE_S = 120.0, 900.0


@pytest.fixture
def node(absent: Callable[[str], NoReturn]) -> str:
    """The program node, where the map is built and there is one."""
    if not built() or not (WEB / "node_modules").is_dir():
        absent("the map is not built: make web")
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    return found or absent("there is no Node to drive a browser")


@pytest.fixture
def address() -> Iterator[str]:
    """Of a server that is started for the test and ended after it."""
    command = [sys.executable, "-m", "landbridge", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            found = None
            for line in server.stderr:
                found = re.search(r"http://\S+/", line)
                if found:
                    break
            assert found is not None, "the server did not begin"
            yield found[0]
        finally:
            server.terminate()
            server.communicate(timeout=_START_S)


def test_each_view_of_the_map_works_in_a_browser(
    node: str, address: str, absent: Callable[[str], NoReturn]
) -> None:
    command = [node, str(WEB / "tests" / "browser.mjs"), address]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=_WHOLE_S)
    if "Failed to launch the browser" in ran.stderr:
        absent(f"Chromium does not start here: {ran.stderr[:500]}")
    assert ran.stdout.strip(), ran.stderr[:2_000]
    report = json.loads(ran.stdout)
    assert report["faults"] == []
    for name in SEEN:
        assert any(one.startswith(name) for one in report["checks"]), report["checks"]
    assert len(report["checks"]) >= 28
