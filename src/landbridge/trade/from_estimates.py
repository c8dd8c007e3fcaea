"""From an estimated coefficient to a change of trade costs, and to real incomes with their ranges.

A gravity coefficient b on a regressor x means that ln X_od changes by b dx at given resistances; in the
equilibrium the same flow changes by -theta d ln tau_od. So the equivalent cost change is
tau^_od = exp(-b dx_od / theta), and the counterfactual needs no other input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, DataError, Fault, Status, did_you_mean
from landbridge.trade.equilibrium import Closure, Equilibrium, solve
from landbridge.world.trade_table import TradeTable

if TYPE_CHECKING:
    import pandas as pd

    from landbridge.estimation import Estimate

__all__ = ["Counterfactual", "cost_hat", "counterfactual", "within"]

Array = NDArray[np.float64]
# Change of a regressor: an array [N, N], or (exporter, importer) or (exporter, importer, dx) for some pairs.
Change = Array | Iterable[Sequence[Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Counterfactual:
    """A solved change of regressors, with draws that carry the standard errors into real incomes.

    Attributes
    ----------
    equilibrium
        The solution at the point estimate.
    coefficients
        The coefficients used, by regressor.
    drawn : [D, N], percent
        Change of real income in each draw that was solved.
    failed
        Number of draws without a solution, which are in no range.
    seed
        Of the random numbers of the draws.
    """

    equilibrium: Equilibrium
    coefficients: Mapping[str, float]
    drawn: Array
    failed: int
    seed: int
    _regions: tuple[str, ...] = field(repr=False)

    @property
    def percent(self) -> Array:
        """Change of real income at the point estimate [N], percent."""
        return np.asarray(100 * (self.equilibrium.real_income_hat - 1))

    @property
    def status(self) -> Status:
        """The status of the point estimate, with the number of draws."""
        own = self.equilibrium.status
        text = f"{own.message}; {len(self.drawn)} draws solved, {self.failed} not"
        return Status(own.converged, own.residual, own.iterations, text, own.rebase)

    def __repr__(self) -> str:
        change = self.percent
        low, high = int(change.argmin()), int(change.argmax())
        shown = ", ".join(f"{name} {value:.4g}" for name, value in self.coefficients.items())
        return (
            f"Counterfactual({shown}; real income {change[low]:+.4f} % ({self._regions[low]}) to "
            f"{change[high]:+.4f} % ({self._regions[high]}); {len(self.drawn)} draws, {self.failed} failed)"
        )

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row per region, in percent: percent, standard_error, low and high (central `level`)."""
        import pandas as pd

        columns: dict[str, Any] = {"region": list(self._regions), "percent": self.percent}
        if len(self.drawn) > 1:
            tail = 100 * (1 - level) / 2
            columns["standard_error"] = self.drawn.std(axis=0, ddof=1)
            columns["low"], columns["high"] = np.percentile(self.drawn, [tail, 100 - tail], axis=0)
        return pd.DataFrame(columns)


def within(members: Sequence[str], by: float = 1.0) -> list[tuple[str, str, float]]:
    """Every ordered pair of different members with a change: +1 enters an agreement, -1 leaves it.

    members: region codes; by: the change, in the unit of the regressor.
    """
    return [(a, b, by) for a in members for b in members if a != b]


def cost_hat(
    table: TradeTable,
    coefficients: Mapping[str, float],
    changes: Mapping[str, Change],
    sectors: Sequence[str] | None = None,
) -> Array:
    """Change of iceberg costs equivalent to changed regressors: exp(-sum_k b_k dx_k / theta_s).

    Parameters
    ----------
    table
        The benchmark, with theta_s.
    coefficients
        Gravity coefficients by regressor, on flows net of tariff.
    changes
        By regressor: an array [N, N] (exporter, importer) of changes, or pairs ("CHN", "KAZ") for +1, or
        ("CHN", "KAZ", dx).
    sectors
        Sectors that change; None for all of the table.

    Returns
    -------
    Array
        [N, N, S] (origin, destination, sector), a ratio.

    Raises
    ------
    DataError
        Lists unknown regressors, regions and sectors, and arrays of another shape.

    Source: Anderson and van Wincoop (2003); Baier, Yotov and Zylkin (2019), equation (5).
    """
    faults: list[Fault] = []
    N = len(table.regions)
    total = np.zeros((N, N))
    for name, change in changes.items():
        if name not in coefficients:
            cure = did_you_mean(name, coefficients) or f"there are {', '.join(coefficients)}"
            faults.append(Fault(name, "has no coefficient", cure))
            continue
        total += coefficients[name] * _changes(table, name, change, faults)
    chosen = np.ones(len(table.sectors), dtype=np.bool_)
    if sectors is not None:
        for name in sectors:
            if name not in table.sectors:
                cure = did_you_mean(name, table.sectors) or f"there are {', '.join(table.sectors)}"
                faults.append(Fault("sectors", f"there is no sector {name!r}", cure))
        chosen = np.array([s in sectors for s in table.sectors])
    if faults:
        raise DataError("the change of trade costs cannot be made", faults)
    return np.asarray(np.exp(-total[:, :, None] * np.where(chosen, 1.0 / table.theta, 0.0)))


def counterfactual(
    table: TradeTable,
    estimate: Estimate,
    changes: Mapping[str, Change],
    *,
    deficits: Closure = "fixed",
    sectors: Sequence[str] | None = None,
    draws: int = 0,
    seed: int = 0,
) -> Counterfactual:
    """Solve the economy for changed regressors, at the estimate and at draws from its distribution.

    b_draw ~ N(b, V), V the clustered covariance of the coefficients that change; each draw is solved
    exactly. The range reflects the uncertainty of the estimate only, not of theta or of the table.

    Parameters
    ----------
    table
        The benchmark.
    estimate
        A result of `landbridge.estimation.estimate`.
    changes, sectors
        As in `cost_hat`.
    deficits
        The closure, as in `solve`.
    draws, seed
        Number of draws, and the seed of their generator.

    Raises
    ------
    DataError
        As `cost_hat`; a regressor that was dropped is named with its reason.
    ConvergenceError
        The point estimate, or more than a tenth of the draws, has no solution.
    InfeasibleError
        As `solve`.
    """
    names = list(changes)
    faults = []
    for name in names:
        if name not in estimate.names:
            why = next((d.reason for d in estimate.dropped if d.name == name), "")
            cure = did_you_mean(name, estimate.names) or f"there are {', '.join(estimate.names)}"
            faults.append(Fault(name, f"was dropped: {why}" if why else "was not estimated", cure))
    if draws < 0:
        faults.append(Fault("draws", f"is {draws}", "give 0 or more"))
    if faults:
        raise DataError("the counterfactual cannot be made", faults)
    point = {name: estimate[name] for name in names}
    solved = solve(table, cost_hat(table, point, changes, sectors), deficits=deficits)
    drawn, failed = [], 0
    if draws:
        covariance = estimate.covariance.loc[names, names].to_numpy()
        if not np.isfinite(covariance).all():
            what = "the coefficients have no standard errors: no row was to spare"
            cure = "leave draws out, or estimate on more rows"
            raise DataError("there are no draws", [Fault("covariance", what, cure)])
        # The arrays are made once; iterables of pairs could be read only once.
        faults = []
        fixed = {name: _changes(table, name, change, faults) for name, change in changes.items()}
        random = np.random.default_rng(seed)
        mean = np.array([point[name] for name in names])
        try:
            coefficients = random.multivariate_normal(mean, covariance, size=draws, method="cholesky")
        except np.linalg.LinAlgError:
            what = "is not positive definite, so nothing can be drawn from it"
            cure = "cluster in one way, or by something with more clusters; draws=0 gives the estimate alone"
            raise DataError("there are no draws", [Fault("covariance", what, cure)]) from None
        for b in coefficients:
            hat = cost_hat(table, dict(zip(names, map(float, b), strict=True)), fixed, sectors)
            one = solve(table, hat, deficits=deficits, throw=False, start=solved)
            if one.status.converged:
                drawn.append(100 * (one.real_income_hat - 1))
            else:
                failed += 1
        if failed > draws / 10:
            raise ConvergenceError(
                f"{failed} of {draws} draws have no solution; a smaller change may have one"
            )
    return Counterfactual(
        equilibrium=solved,
        coefficients=point,
        drawn=np.array(drawn) if drawn else np.empty((0, len(table.regions))),
        failed=failed,
        seed=seed,
        _regions=table.regions,
    )


def _changes(table: TradeTable, name: str, change: Change, faults: list[Fault]) -> Array:
    """A change as an array [N, N]."""
    N = len(table.regions)
    if isinstance(change, np.ndarray):
        if change.shape != (N, N) or not np.isfinite(change).all():
            faults.append(Fault(name, f"is no finite array of shape {(N, N)}", "rows export, columns import"))
            return np.zeros((N, N))
        return np.asarray(change, dtype=np.float64)
    found = np.zeros((N, N))
    where = {region: k for k, region in enumerate(table.regions)}
    for pair in change:
        entry = tuple(pair) if isinstance(pair, Sequence) and not isinstance(pair, str) else ()
        if len(entry) not in (2, 3):
            cure = "give (exporter, importer) or (exporter, importer, change)"
            faults.append(Fault(name, f"{pair!r} is no pair", cure))
            continue
        unknown = [str(r) for r in entry[:2] if r not in where]
        for region in unknown:
            cure = did_you_mean(region, table.regions) or f"there are {', '.join(table.regions[:12])} ..."
            faults.append(Fault(name, f"there is no region {region!r}", cure))
        if not unknown:
            found[where[entry[0]], where[entry[1]]] = float(entry[2]) if len(entry) == 3 else 1.0
    return found
