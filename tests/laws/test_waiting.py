"""Laws of waiting: more traffic waits longer, more capacity shorter; a queue only near capacity."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.transport.waiting.laws import probability_of_wait, variance_h2, wait_h

loads = st.floats(0.0, 6.0)
rates = st.floats(0.01, 50.0)
servers = st.floats(1.0, 3000.0)
spreads = st.floats(0.05, 3.0)
periods = st.floats(1.0, 8760.0)


def _one(x: float) -> np.ndarray:
    return np.array([x])


@settings(max_examples=300, deadline=None)
@given(loads, loads, rates, servers, spreads, periods)
def test_wait_and_variance_are_finite_and_wait_rises_with_traffic(x, y, q, n, j, t) -> None:
    rest = (_one(q), _one(n), _one(j), t)
    low, high = wait_h(_one(min(x, y)), *rest)[0], wait_h(_one(max(x, y)), *rest)[0]
    assert 0.0 <= low <= high * (1 + 1e-12) + 1e-300 and np.isfinite(high)
    for load in (x, y):
        assert 0.0 <= variance_h2(_one(load), *rest)[0] < np.inf
        assert 0.0 <= probability_of_wait(_one(load), _one(n))[0] <= 1.0


@settings(max_examples=300, deadline=None)
@given(loads, rates, servers, spreads, periods, st.floats(1.0, 10.0))
def test_more_capacity_never_lengthens_the_wait_of_the_same_trains(x, q, n, j, t, more) -> None:
    before = wait_h(_one(x), _one(q), _one(n), _one(j), t)[0]
    after = wait_h(_one(x / more), _one(q * more), _one(n), _one(j), t)[0]
    assert after <= before * (1 + 1e-9) + 1e-12


@settings(max_examples=200, deadline=None)
@given(st.floats(0.0, 0.5), servers, periods)
def test_a_queue_forms_only_near_capacity(x, n, t) -> None:
    """At half load a unit waits less than it would be served, at twice the capacity T/2 and little more."""
    rate = n / 8.0
    rest = (_one(rate), _one(n), _one(1.0), t)
    assert wait_h(_one(x), *rest)[0] <= 8.0
    over = wait_h(_one(2.0), *rest)[0]
    # The square root adds at most what a steady queue of those who all wait would: J / (Q (x - 1)).
    assert 0.5 * t <= over <= 0.5 * t + 1.0 / rate * (1 + 1e-9)
