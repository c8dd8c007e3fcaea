"""Stochastic user equilibrium: path-size weibit shares over given paths, link costs rising with flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator, gmres

from landbridge.errors import DataError, Fault
from landbridge.world.road_network import Network

__all__ = ["Loading", "Paths", "solve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Shares are first found for this phi; steps above it double.
_EASY_PHI = 8.0


@dataclass(frozen=True)
class Loading:
    """Flow of every path and link at the equilibrium, and the distance from it: see `solve`.

    path_flow [path], flow [link]: trips; gap: share of trips that would change path; steps: of Newton.
    """

    path_flow: Floats
    flow: Floats
    gap: float
    steps: int


class Paths:
    """Paths of all pairs as a matrix, path sizes, and shares at given link costs.

    network: for costs of links and, in path sizes, their lengths; pair [path]: ascending; links: of each
    path; trips [pair].
    """

    def __init__(self, network: Network, pair: Ints, links: tuple[Ints, ...], trips: Floats) -> None:
        self.network, self.pair, self.trips = network, pair, trips
        count = np.array([len(one) for one in links])
        column = np.concatenate(links)
        start = np.append(0, np.cumsum(count))
        self.on = csr_matrix((np.ones(len(column)), column, start), (len(links), len(network.tail)))
        self.off = self.on.T.tocsr()
        self.first = np.flatnonzero(np.append(True, np.diff(pair) > 0))
        self.group = np.cumsum(np.append(0, (np.diff(pair) > 0).astype(np.int64)))
        self.carried = trips[pair]
        # Path size (Ben-Akiva and Bierlaire 1999): each link counts by the paths of the pair that share it.
        long = network.length if (self.on @ network.length > 0).all() else network.time + network.fixed
        key = np.repeat(pair, count) * len(network.tail) + column
        _, back, shared = np.unique(key, return_inverse=True, return_counts=True)
        row = np.repeat(np.arange(len(links)), count)
        whole = self.on @ long
        part = np.bincount(row, long[column] / shared[back], len(links))
        size = np.divide(part, whole, out=np.ones(len(links)), where=whole > 0)
        # A path whose whole length is shared at zero length would have no size.
        self.log_size = np.log(np.maximum(size, 1e-12))

    def share(self, cost: Floats, phi: float) -> tuple[Floats, Floats]:
        """Shares P_r = PS_r c_r^-phi / sum over the pair, and path costs c_r, both [path]; cost [link]."""
        total = self.on @ cost
        weight = self.log_size - phi * np.log(total)
        weight = np.exp(weight - np.maximum.reduceat(weight, self.first)[self.group])
        return weight / self.sum(weight), total

    def sum(self, values: Floats) -> Floats:
        """Sum over the paths of the pair, at every path, of values [path]."""
        return np.asarray(np.add.reduceat(values, self.first)[self.group], dtype=np.float64)

    def loaded(self, flow: Floats, phi: float) -> tuple[Floats, Floats, Floats, Floats]:
        """Path flows at the costs of a link flow [link], the link flows they give, shares and path costs.

        phi: how sharply paths are chosen by cost.
        """
        share, total = self.share(self.network.cost(flow), phi)
        path_flow = self.carried * share
        return path_flow, self.off @ path_flow, share, total

    def gap(self, path_flow: Floats, flow: Floats, phi: float) -> float:
        """Trips that would change path at the costs of these flows, over all trips.

        sum_r |q P_r(c) - h_r| / (2 sum q), h: path_flow [path]; c: the costs at flow [link]; phi: as in
        `solve`.
        """
        again = self.carried * self.share(self.network.cost(flow), phi)[0]
        return float(np.abs(again - path_flow).sum() / (2 * self.trips.sum()))


def solve(paths: Paths, phi: float, flow: Floats, gap: float, most: int) -> Loading:
    """Flows with h_r = q P_r(c(h)), P_r = PS_r c_r^-phi / sum_s PS_s c_s^-phi, over the paths given.

    paths: of all pairs, with their network; phi: how sharply paths are chosen by cost; flow [link]: where to
    start; gap: at which to stop, sum_r |h_r - q P_r(c(h))| / (2 sum q), the share of trips that would change
    path (no path outside the set counts); most: steps at most. Newton steps on link flows (GMRES, the
    Jacobian never formed), shortened until the residual falls; phi above 8 is reached by doubling. Returns a
    Loading. Raises DataError where a path costs nothing.

    Source: Castillo et al. (2008) for weibit shares, Kitthamkesorn and Chen (2013) for the path-size weibit
    equilibrium; here with costs that add up along a path.
    """
    if (paths.on @ paths.network.cost(np.zeros(len(flow))) <= 0).any():
        fault = Fault("weibit", "a path costs nothing without traffic", "give its links a time above 0")
        raise DataError("shares by cost ratios need costs above 0", [fault])
    at = min(phi, _EASY_PHI)
    steps = 0
    while True:
        last = at >= phi
        path_flow, flow, found, used = _newton(paths, at, flow, gap if last else 1e-3, most - steps)
        steps += used
        if last or steps >= most:
            if not last:
                path_flow, loaded, *_ = paths.loaded(flow, phi)
                found, flow = paths.gap(path_flow, loaded, phi), loaded
            return Loading(path_flow, flow, found, steps)
        at = min(2 * at, phi)


def _newton(
    paths: Paths, phi: float, flow: Floats, gap: float, most: int
) -> tuple[Floats, Floats, float, int]:
    """Path flows, their link flows, gap and steps of one phi."""
    network = paths.network
    state = paths.loaded(flow, phi)
    found = paths.gap(state[0], state[1], phi)
    steps = 0
    while found > gap and steps < most:
        steps += 1
        path_flow, loaded, share, total = state
        missing = loaded - flow
        slope = network.slope(flow)

        def apart(
            step: Floats,
            slope: Floats = slope,
            share: Floats = share,
            total: Floats = total,
            path_flow: Floats = path_flow,
        ) -> Floats:
            """(I - dF/dv) step, F the loading."""
            dearer = paths.on @ (slope * step.ravel()) / total
            moved = -phi * path_flow * (dearer - paths.sum(share * dearer))
            return np.asarray(step.ravel() - paths.off @ moved, dtype=np.float64)

        size = len(flow)
        operator = LinearOperator((size, size), matvec=apart, dtype=np.float64)
        step, _ = gmres(operator, missing, restart=60, maxiter=2, atol=0.0)
        before = float(np.linalg.norm(missing))
        length = 1.0
        while length > 1e-4:
            tried = np.maximum(flow + length * step, 0.0)
            then = paths.loaded(tried, phi)
            if float(np.linalg.norm(then[1] - tried)) <= (1 - 1e-4 * length) * before:
                break
            length *= 0.5
        else:
            # No step of Newton's helps: average, as successive averages would.
            tried = flow + missing / (steps + 1)
            then = paths.loaded(tried, phi)
        flow, state = tried, then
        found = paths.gap(state[0], state[1], phi)
    return state[0], state[1], found, steps
