"""Laws of waiting: hours and variance of the wait at a station by its load, with both derivatives.

gateway_kinds.csv names the law of each kind of gateway. A further law is a class with the three methods of
`WaitLaw`: in a file of its own with its name in `_BUNDLED`, or passed to `register_wait_law`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.world.gateway_kinds import NO_QUEUE

__all__ = [
    "Akcelik",
    "Stations",
    "WaitLaw",
    "probability_of_wait",
    "register_wait_law",
    "unregister_wait_law",
    "variance_h2",
    "wait_h",
    "wait_law",
]

FloatArray = NDArray[np.float64]
Pair = tuple[FloatArray, FloatArray]

# Sharpness of the transition of the share of arrivals that wait to one, and of the distribution of waits from
# that of a steady queue to that of one that only grows; both between the two limits, neither fitted.
_SHARP = 8.0
# Lower limit of loads and shares in divisions.
_LEAST_LOAD, _LEAST_SHARE = 1e-9, 1e-150


@dataclass(frozen=True, eq=False)
class Stations:
    """Some stations. rate [q]: capacity [units/h]. servers, spread [q]: as in `wait_h`. period_h: T."""

    rate: FloatArray
    servers: FloatArray
    spread: FloatArray
    period_h: float

    def take(self, at: NDArray[np.int64]) -> Stations:
        """Those of some numbers."""
        return Stations(self.rate[at], self.servers[at], self.spread[at], self.period_h)


class WaitLaw(Protocol):
    """Mean wait W [h] and its variance V [h2] by load x = arrivals over capacity, station by station [q].

    W must be finite, rise with x and fall with the capacity Q at given arrivals; V must not be negative.
    """

    def value(self, load: FloatArray, at: Stations) -> Pair:
        """W [h] and V [h2], both [q], at a load x [q] of the stations `at`."""
        ...

    def slopes(self, load: FloatArray, at: Stations) -> Pair:
        """dW/dx [h] and dV/dx [h2], both [q], at a load x [q] of the stations `at`, Q constant."""
        ...

    def rate_slopes(self, load: FloatArray, at: Stations) -> Pair:
        """dW/d ln Q [h] and dV/d ln Q [h2], both [q], at a load [q] of the stations `at`, x constant."""
        ...


def wait_h(
    load: FloatArray, rate: FloatArray, servers: FloatArray, spread: FloatArray, period_h: float
) -> FloatArray:
    """Mean wait of arrivals within a period at a station that was free at its start [h], [q].

    W = T/4 [ (x - 1) + sqrt((x - 1)^2 + 8 J p / (Q T)) ],   p = x^m (1 + x^(8 m))^(-1/8),
    m = sqrt(2 (n + 1)) - 1

    p is the share of arrivals that wait: x^m to 1 % up to x = 0.7, 0.92 at capacity, one far above it. As
    Q T grows, W tends below capacity to the mean wait of the queue G/G/n, J p / (Q (1 - x)), and above it to
    that of a queue that grows for T hours, T (x - 1) / 2, however many servers there are. It is smooth,
    finite and rises with x.

    load [q]: x, arrivals over capacity. rate [q]: Q [units/h]. servers [q]: n, units served at a time. spread
    [q]: J = (squared cv of the times between arrivals + squared cv of the service) / 2. period_h: T [h].
    Source: Akcelik (1991), Road & Transport Research 6(3), time-dependent form; x^m after Sakasegawa (1977),
    Annals of the Institute of Statistical Mathematics 29, for n servers. That p tends to one above capacity,
    where all wait, is ours.
    """
    share, _ = _share(load, servers)
    over, small, root = _root(load, share, rate, spread, period_h)
    # Written to keep accuracy where x is far below one and the two terms nearly cancel.
    return np.asarray(0.25 * period_h * np.where(over < 0.0, small / (root - over), root + over))


def probability_of_wait(load: FloatArray, servers: FloatArray) -> FloatArray:
    """Share p of arrivals that wait at all [q]: x^m below capacity, one far above it, smooth between.

    p = x^m (1 + x^(8 m))^(-1/8),   m = sqrt(2 (n + 1)) - 1

    load [q]: x, arrivals over capacity; servers [q]: n, units served at a time. Source: as of `wait_h`.
    """
    share, _ = _share(load, servers)
    return np.asarray(np.maximum(share, _LEAST_SHARE))


def variance_h2(
    load: FloatArray, rate: FloatArray, servers: FloatArray, spread: FloatArray, period_h: float
) -> FloatArray:
    """Variance of the wait [h2], [q]: W^2 (s / p - 1), p the share of arrivals that wait.

    load [q]: arrivals over capacity; rate, servers, spread [q] and period_h [h]: as in `wait_h`. s is the
    mean square over the squared mean of the waits above zero: 2 in a steady queue (they are exponential), 4/3
    in one that grows from zero for T hours (uniform), smooth between. W, p: of `wait_h`, which has the
    sources.
    """
    wait = wait_h(load, rate, servers, spread, period_h)
    positive = np.maximum(load, _LEAST_LOAD)
    shape = 4.0 / 3.0 + (2.0 / 3.0) / (1.0 + positive**_SHARP)
    return np.asarray(wait**2 * (shape / probability_of_wait(positive, servers) - 1.0))


def _share(load: FloatArray, servers: FloatArray) -> tuple[FloatArray, FloatArray]:
    """p = x^m (1 + y)^(-1/8), y = x^(8 m), and dp/dx = p m / (x (1 + y)).

    y itself overflows or underflows for many servers, so both are written in the lesser of y and 1/y.
    """
    x = np.maximum(load, _LEAST_LOAD)
    m = np.sqrt(2.0 * (servers + 1.0)) - 1.0
    near = np.exp(-_SHARP * m * np.abs(np.log(x)))
    turn = (1.0 + near) ** (-1.0 / _SHARP)
    share = np.minimum(load, 1.0) ** m * turn
    # At zero load the least load is used: the slope of one server is one there, not zero.
    slope = np.minimum(x, 1.0) ** m * turn * (m / x) * np.where(x < 1.0, 1.0, near) / (1.0 + near)
    return np.asarray(share), np.asarray(slope)


def _root(
    load: FloatArray, share: FloatArray, rate: FloatArray, spread: FloatArray, period_h: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """x - 1, 8 J p / (Q T) and the root of the square of the first plus the second."""
    over = load - 1.0
    small = 8.0 * spread * share / (rate * period_h)
    return over, small, np.sqrt(over**2 + small)


class Akcelik:
    """The law of `wait_h` and `variance_h2`, which every gateway of the embedded World follows."""

    def value(self, load: FloatArray, at: Stations) -> Pair:
        """W [h] and V [h2], both [q], at a load x [q] of the stations `at`."""
        given = at.rate, at.servers, at.spread, at.period_h
        return wait_h(load, *given), variance_h2(load, *given)

    def slopes(self, load: FloatArray, at: Stations) -> Pair:
        """dW/dx [h] and dV/dx [h2], both [q], at a load x [q] of the stations `at`, Q constant."""
        wait, by_load, _ = self._wait_slopes(load, at)
        p, shape, dp, dshape = self._shape(load, at)
        factor = shape / p - 1.0
        return by_load, 2.0 * wait * by_load * factor + wait**2 * (dshape / p - shape * dp / p**2)

    def rate_slopes(self, load: FloatArray, at: Stations) -> Pair:
        """dW/d ln Q [h] and dV/d ln Q [h2], both [q], at a load [q] of the stations `at`, x constant."""
        wait, _, by_rate = self._wait_slopes(load, at)
        p, shape, _, _ = self._shape(load, at)
        return by_rate, 2.0 * wait * by_rate * (shape / p - 1.0)

    def _wait_slopes(self, load: FloatArray, at: Stations) -> tuple[FloatArray, FloatArray, FloatArray]:
        """W, dW/dx at given Q and dW/d ln Q at given x."""
        share, rise = _share(load, at.servers)
        over, small, root = _root(load, share, at.rate, at.spread, at.period_h)
        inner = over + 4.0 * at.spread * rise / (at.rate * at.period_h)
        wait = wait_h(load, at.rate, at.servers, at.spread, at.period_h)
        by_load = 0.25 * at.period_h * (1.0 + inner / root)
        by_rate = -0.125 * at.period_h * small / root
        return wait, by_load, by_rate

    def _shape(self, load: FloatArray, at: Stations) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """p, s and their derivatives by x."""
        x = np.maximum(load, _LEAST_LOAD)
        p = probability_of_wait(x, at.servers)
        _, dp = _share(x, at.servers)
        turn = x**_SHARP
        shape = 4.0 / 3.0 + (2.0 / 3.0) / (1.0 + turn)
        return p, shape, dp, -(2.0 / 3.0) * _SHARP * turn / x / (1.0 + turn) ** 2


# -- by name -------------------------------------------------------------------------------------------

_BUNDLED: dict[str, WaitLaw] = {"akcelik": Akcelik()}
_own: dict[str, WaitLaw] = {}


def wait_law(name: str) -> WaitLaw:
    """A law by its name in gateway_kinds.csv. Raises DataError for an unknown one."""
    known = {**_BUNDLED, **_own}
    if name not in known:
        cure = did_you_mean(name, [*known, NO_QUEUE]) or "use " + ", ".join([*known, NO_QUEUE])
        raise DataError(
            "an unknown wait law", [Fault("gateway_kinds.csv, wait_law", f"no law {name!r}", cure)]
        )
    return known[name]


def register_wait_law(name: str, law: WaitLaw) -> None:
    """Register a law under a name in this process. Raises ValueError where the name is taken."""
    if name in _BUNDLED or name in _own or name == NO_QUEUE:
        raise ValueError(f"there is a wait law {name!r} already")
    _own[name] = law


def unregister_wait_law(name: str) -> None:
    """Remove a registered law by name; those of landbridge stay."""
    _own.pop(name, None)
