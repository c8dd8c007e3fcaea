"""A gauge-change station simulated train by train, to hold the waiting formula against.

`python tests/queue_simulation.py` prints the table of docs/theory/gateways.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import simpy

from landbridge.transport.waiting.laws import variance_h2, wait_h

# Alashankou - Dostyk, one direction: 12 trains a day, changed over in 8 hours on four tracks.
PER_DAY, SERVICE_H, TRACKS, CV_SERVICE, PERIOD_H = 12.0, 8.0, 4, 0.5, 288.0
LOADS = (0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4)


@dataclass(frozen=True)
class Waits:
    """Mean and standard deviation of the wait [h], and the standard error of the mean."""

    mean: float
    deviation: float
    error: float


def simulate(load: float, runs: int, seed: int, tracks: int = TRACKS) -> Waits:
    """Waits of all trains that arrive within the period at a station that is free at its start.

    Arrivals at random; the change of a train takes a gamma-distributed time with the stated mean and
    coefficient of variation. Trains that arrived in time are served to the end, however long it takes.
    """
    rng = np.random.default_rng(seed)
    shape = 1.0 / CV_SERVICE**2
    service_h = SERVICE_H * tracks / TRACKS
    means, waits = [], []
    for _ in range(runs):
        env = simpy.Environment()
        station = simpy.Resource(env, capacity=tracks)
        mine: list[float] = []

        def train(env=env, station=station, mine=mine):
            came = env.now
            with station.request() as track:
                yield track
                mine.append(env.now - came)
                yield env.timeout(rng.gamma(shape, service_h / shape))

        def arrivals(env=env, train=train):
            while True:
                yield env.timeout(rng.exponential(24.0 / (load * PER_DAY)))
                if env.now > PERIOD_H:
                    return
                env.process(train())

        env.process(arrivals())
        env.run()
        means.append(sum(mine))
        waits += mine
    every = np.array(waits)
    # Runs are independent, trains within one are not.
    spread = np.std(means, ddof=1) / np.mean([len(waits) / runs])
    return Waits(float(every.mean()), float(every.std()), float(spread / np.sqrt(runs)))


def formula(load: float, tracks: int = TRACKS) -> tuple[float, float]:
    """Mean wait and its standard deviation by the formula [h]."""
    x = np.array([load])
    given = (
        np.array([PER_DAY / 24.0]),
        np.array([float(tracks)]),
        np.array([0.5 * (1.0 + CV_SERVICE**2)]),
        PERIOD_H,
    )
    return float(wait_h(x, *given)[0]), float(np.sqrt(variance_h2(x, *given)[0]))


def main(runs: int = 2000) -> None:
    """Print the table."""
    lines = [
        "| arrivals / capacity | wait, simulated h | formula h | st. dev., simulated h | formula h |",
        "|---:|---:|---:|---:|---:|",
    ]
    for load in LOADS:
        found, (mean, deviation) = simulate(load, runs, 1), formula(load)
        lines.append(
            f"| {load:.1f} | {found.mean:.2f} ± {found.error:.2f} | {mean:.2f} | {found.deviation:.2f} | "
            f"{deviation:.2f} |"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
