"""The map in headless Chromium, driven as a user does: web/tests/browser.mjs against a server of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from landbridge.server.app import built

pytestmark = pytest.mark.slow

WEB = Path(__file__).resolve().parents[1] / "web"
# What the script must have seen to work; each may have a language and a width after it.
SEEN = ("first view", "corridor", "keyboard", "scenario", "country")
_START_S, _WHOLE_S = 120.0, 900.0


def _absent(what: str) -> None:
    """Skip where a part is missing; in CI (LANDBRIDGE_CI=1) fail."""
    if os.environ.get("LANDBRIDGE_CI") == "1":
        pytest.fail(what)
    pytest.skip(what)


def _node() -> str:
    beside = str(Path(sys.executable).parent)
    found = shutil.which("node") or shutil.which("node", path=beside)
    if not built() or not (WEB / "node_modules").is_dir():
        _absent("the map is not built: make web")
    if found is None:
        _absent("there is no Node to drive a browser")
    assert found is not None
    return found


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


def test_each_door_of_the_map_works_in_a_browser(address: str) -> None:
    script = WEB / "tests" / "browser.mjs"
    ran = subprocess.run(
        [_node(), str(script), address], capture_output=True, encoding="utf-8", timeout=_WHOLE_S
    )
    if not ran.stdout.strip():
        no_browser = "Failed to launch" in ran.stderr or "libnss3" in ran.stderr
        if no_browser:
            _absent(f"Chromium does not start here: {ran.stderr[:300]}")
        pytest.fail(ran.stderr[:2_000])
    report = json.loads(ran.stdout)
    assert report["faults"] == []
    for name in SEEN:
        assert any(one.startswith(name) for one in report["checks"]), report["checks"]
    assert len(report["checks"]) >= 16
