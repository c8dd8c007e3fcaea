"""pyfixest on a sample: its input table, its options, and a check of its result.

After the fit the first-order conditions are checked by comparing row sums, so that an estimate that has not
converged is never reported as converged.
"""

from __future__ import annotations

import warnings
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, Status
from landbridge.estimation.expressions import Formula
from landbridge.estimation.panel import Sample, codes_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ACCEPTED", "Method", "fit_sample", "vanished"]

Array = NDArray[np.float64]
Method = Literal["ppml", "ols"]

# Largest accepted error of the first-order conditions: the next step of a coefficient in standard errors, and
# flows not reproduced by the fixed effects as a share of all flows.
ACCEPTED = 1e-6
# A zero flow fitted this far below the smallest positive one tends to minus infinity.
_VANISHED = 1e-8
# Lower limit of a standard error, by the change of the log of a flow: data without noise have errors of
# rounding alone, against which no step is small.
_LEAST_ERROR = 1e-4


def fit_sample(
    formula: Formula,
    sample: Sample,
    clusters: Sequence[tuple[str, ...]],
    method: Method,
    tolerance: float,
) -> tuple[Any, Status]:
    """pyfixest's result on the sample, and a Status of the first-order conditions.

    formula, sample: what is estimated; clusters: columns of each cluster; method: "ppml" or "ols"; tolerance:
    relative change of the deviance. Equations and sources: as of `landbridge.estimation.estimate`. Raises
    ConvergenceError where pyfixest fails.
    """
    table = _table(sample, formula.effects, clusters)
    fit = _run(table, _formula(table, formula), method, tolerance)
    shown = dict(zip(table.regressors, sample.names, strict=True))
    fit._coefnames = [shown.get(str(n), "constant") for n in fit._coefnames]
    if not clusters:
        # N/(N-1) instead of N/(N-K), as in Stata's Poisson commands.
        n = len(sample.y)
        fit._vcov = np.asarray(fit._vcov) * (n / max(n - 1, 1))
    if not sample.names:
        fit._vcov = np.zeros((len(fit._coefnames), len(fit._coefnames)))
        return fit, _first_order(sample, fit, method)
    if _saturated(sample, formula.constant):
        fit._vcov = np.full((len(fit._coefnames), len(fit._coefnames)), np.nan)
        return fit, _exact(sample, fit, method)
    fit.get_inference()
    return fit, _first_order(sample, fit, method)


# ---- what pyfixest is given ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Table:
    """The data in a form for pyfixest: columns added here have names that the user's do not.

    regressors, clusters: names of their columns, in order. offset: its column, None where there is none.
    """

    frame: pd.DataFrame
    flow: str
    regressors: list[str]
    clusters: list[str]
    offset: str | None


def _table(sample: Sample, effects: Sequence[tuple[str, ...]], clusters: Sequence[tuple[str, ...]]) -> _Table:
    frame = sample.frame[[c for e in effects for c in e] + [c for g in clusters for c in g]]
    frame = frame.loc[:, ~frame.columns.duplicated()].copy()
    taken = set(map(str, frame.columns))
    flow, offset = _free("flow_", taken), _free("offset_", taken)
    names = [_free(f"x{k}", taken) for k in range(len(sample.names))]
    frame[flow] = sample.y
    for name, values in zip(names, sample.X.T, strict=True):
        frame[name] = values
    joint = ["_by_".join(cluster) for cluster in clusters]
    for label, cluster in zip(joint, clusters, strict=True):
        if len(cluster) > 1:
            frame[label] = codes_of(sample.frame, cluster)
    if sample.offset is not None:
        frame[offset] = sample.offset
    return _Table(frame, flow, names, joint, None if sample.offset is None else offset)


def _free(name: str, taken: Container[str]) -> str:
    return name if name not in taken else f"{name}_"


def _formula(table: _Table, formula: Formula) -> str:
    """The formula over the columns of the table, in pyfixest's syntax."""
    effects = " + ".join("^".join(e) for e in formula.effects)
    right = " + ".join(table.regressors) or "1"
    if effects:
        return f"{table.flow} ~ {right} | {effects}"
    return f"{table.flow} ~ {right}" if formula.constant else f"{table.flow} ~ 0 + {right}"


def _run(table: _Table, formula: str, method: Method, tolerance: float) -> Any:
    """pyfixest's result. Raises ConvergenceError where it fails."""
    import pyfixest

    options: dict[str, Any] = {
        "vcov": {"CRV1": " + ".join(table.clusters)} if table.clusters else "hetero",
        # G/(G-1) alone, as in Stata's Poisson commands and the published tables.
        "ssc": pyfixest.ssc(k_adj=False, G_adj=True),
        "fixef_rm": "none",
        "demeaner": pyfixest.MapDemeaner(fixef_tol=1e-9, fixef_maxiter=100_000),
    }
    run = pyfixest.feols
    if method == "ppml":
        run = pyfixest.fepois
        options |= {"iwls_tol": tolerance, "iwls_maxiter": 200, "separation_check": []}
        if table.offset is not None:
            options["offset"] = table.offset
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return run(formula, table.frame, **options)
        except (ValueError, np.linalg.LinAlgError, FloatingPointError) as error:
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConvergenceError(
                f"the estimate has not converged ({why[:200]}); scale regressors of very different size, or "
                "use fewer fixed effects"
            ) from None


# ---- whether the answer holds ----------------------------------------------------------------------


def _saturated(sample: Sample, constant: bool) -> bool:
    """Whether regressors and fixed effects fit any flows exactly: as many parameters as rows."""
    rows = len(sample.y)
    if rows > len(sample.names) + sum(sample.groups.levels().values()) + 1:
        return False
    # Random numbers are fitted exactly only by as many coefficients as there are rows.
    noise = np.random.default_rng(0).normal(size=(rows, 1))
    both = np.column_stack([sample.X, noise])
    if sample.groups.codes or constant:
        both = sample.groups.project(both)
    X, left = both[:, :-1] / np.maximum(np.linalg.norm(both[:, :-1], axis=0), 1e-300), both[:, -1]
    left = left - X @ np.linalg.lstsq(X, left, rcond=None)[0]
    return bool(np.linalg.norm(left) <= 1e-7 * np.linalg.norm(noise))


def _exact(sample: Sample, fit: Any, method: Method) -> Status:
    """Whether an estimate with as many parameters as rows fits every flow, to a relative 1e-6."""
    fitted = np.asarray(
        fit._Y_hat_response if method == "ppml" else fit._Y_hat_link, dtype=np.float64
    ).ravel()
    size = sample.y if method == "ppml" else np.full(len(fitted), np.abs(sample.y).max())
    with np.errstate(all="ignore"):
        worst = float(np.max(np.abs(sample.y - fitted) / size))
    if np.isfinite(worst) and worst <= ACCEPTED:
        return Status(
            True, worst, 0, "no row is to spare: every flow is fitted exactly, errors are undefined"
        )
    text = (
        f"no row is to spare and the flows are missed by {worst:.0e}: use fewer regressors or fixed effects"
    )
    return Status(False, worst if np.isfinite(worst) else float("inf"), 0, text)


def _first_order(sample: Sample, fit: Any, method: Method) -> Status:
    """The error of the first-order conditions, in standard errors and in flows.

    The larger of: the next Newton step of any coefficient over its standard error, and the sum of differences
    between fitted and observed flows by fixed effect over all flows (a pair of 500 dollars may be off by a
    percent of itself without any effect).
    """
    beta = np.asarray(fit._beta_hat, dtype=np.float64)
    gap = np.asarray(sample.y, dtype=np.float64)
    if method == "ppml":
        gap = gap - np.asarray(fit._Y_hat_response, dtype=np.float64).ravel()
        weight = np.asarray(fit._irls_weights, dtype=np.float64).ravel()
        X = np.asarray(fit._X, dtype=np.float64) / np.sqrt(weight)[:, None]
        slope = X.T @ gap
    else:
        gap = gap - np.asarray(fit._Y_hat_link, dtype=np.float64).ravel()
        slope = np.asarray(fit._X, dtype=np.float64).T @ np.asarray(fit._u_hat, dtype=np.float64)
    with np.errstate(all="ignore"):
        hessian = np.asarray(fit._hessian, dtype=np.float64).reshape(len(slope), len(slope))
        step = np.linalg.solve(hessian, slope)
        error = np.sqrt(np.diag(np.asarray(fit._vcov, dtype=np.float64)))
        least = _LEAST_ERROR / np.maximum(_spread(sample, fit), 1e-300)
        worst = float(np.max(np.abs(step) / np.maximum(error, least), initial=0.0))
        total = float(np.abs(sample.y).sum())
        for codes in sample.groups.codes:
            worst = max(worst, float(np.abs(np.bincount(codes, gap)).sum()) / total)
    finite = bool(np.isfinite(worst) and np.isfinite(beta).all())
    if finite and worst <= ACCEPTED:
        return Status(
            True, worst, 0, "the first-order conditions hold; residual: their largest relative miss"
        )
    text = (
        f"the first-order conditions are missed by {worst:.0e}: scale regressors of very different size, "
        "or use fewer fixed effects"
    )
    return Status(False, worst if finite else float("inf"), 0, text)


def _spread(sample: Sample, fit: Any) -> Array:
    """Standard deviation of each regressor (1 for the constant), in the order of the fit."""
    size = np.std(sample.X, axis=0)
    size = np.where(size > 0, size, np.abs(sample.X).max(axis=0, initial=0.0))
    known = dict(zip(sample.names, size.tolist(), strict=True))
    return np.array([known.get(name, 1.0) for name in fit._coefnames], dtype=np.float64)


def vanished(y: Array, fit: Any, method: Method) -> NDArray[np.bool_]:
    """Flags [row] of zero flows whose Poisson fit tends to minus infinity.

    y [row]: flows, in any unit; fit: pyfixest's result on the same rows; method: "ppml", or "ols", which
    gives no flag. Such flows are predicted far below the smallest positive one.
    """
    if method != "ppml":
        return np.zeros(len(y), dtype=np.bool_)
    fitted = np.asarray(fit._Y_hat_response, dtype=np.float64).ravel()
    least = min(float(fitted[y > 0].min()), float(y[y > 0].min()))  # both in the unit of the flow
    return np.asarray((y == 0) & (fitted < _VANISHED * least))
