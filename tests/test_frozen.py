"""No number of any bundled scenario moves while the house is rebuilt; see frozen.py."""

from __future__ import annotations

import json

import pytest

from frozen import STORE, fingerprints, largest_of, moved, sums

# Over the largest value of a column in any scenario: what another processor may change of solutions to 1e-10
# that are subtracted from each other. On one machine `python tests/frozen.py check` holds them to 1e-12.
SAME = 1e-6


@pytest.mark.slow
def test_every_number_of_every_scenario_is_that_stored() -> None:
    stored = json.loads(STORE.read_text(encoding="utf-8"))
    largest, seen = largest_of(stored), set()
    for name, now in fingerprints():
        off = {column: by for column, by in moved(now, stored[name], largest).items() if not by <= SAME}
        assert not off, (name, off)
        seen.add(name)
    assert seen == set(stored)


def test_what_moves_is_seen() -> None:
    """One value of four hundred, by a part in 25,000 of the largest."""
    values = [float(k) for k in range(1, 400)]
    before = {"x": sums(values, "x")}
    values[7] += 400 * 4e-5
    assert moved({"x": sums(values, "x")}, before)["x"] > 1e-6
    assert moved(before, before)["x"] == 0.0 and moved({}, before)["x"] == float("inf")
