"""No number of any bundled scenario moves while the house is rebuilt; see frozen.py."""

from __future__ import annotations

import json

import pytest

from frozen import STORE, fingerprints, moved

# Over the largest value of a column: what another order of the same sums may change.
SAME = 1e-11


@pytest.mark.slow
def test_every_number_of_every_scenario_is_that_stored() -> None:
    stored = json.loads(STORE.read_text(encoding="utf-8"))
    seen = set()
    for name, now in fingerprints():
        off = {column: by for column, by in moved(now, stored[name]).items() if by > SAME}
        assert not off, (name, off)
        seen.add(name)
    assert seen == set(stored)
