"""Bias of order 1/countries in three-way PPML, and in its clustered errors, after Weidner and Zylkin (2021).

With exporter-year, importer-year and pair effects PPML is consistent as the number of countries grows. But
the noise in the country-year effects shifts coefficients by a term that falls only as fast as the standard
error itself, and the residuals have absorbed part of that noise, so clustered errors are too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.estimation.panel import codes_of
from landbridge.estimation.reading import read_panel, tidied

if TYPE_CHECKING:
    import pandas as pd

    from landbridge.estimation.ppml import Estimate

__all__ = ["Corrected", "bias_correct", "jackknife"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Corrected:
    """Coefficients less their bias, with standard errors.

    names, coefficients [K]: of the regressors, the bias subtracted. bias [K]: estimated bias of each
    coefficient. covariance [K, K]: clustered by directed pair, with
    residuals corrected for the leverage of the country-year effects. plain_error [K]: without that
    correction.
    """

    names: tuple[str, ...]
    coefficients: Array
    bias: Array
    covariance: Array
    plain_error: Array

    def table(self) -> pd.DataFrame:
        """One row per coefficient: as estimated, bias, corrected, its error, and the uncorrected error."""
        import pandas as pd

        return pd.DataFrame(
            {
                "name": list(self.names),
                "estimated": self.coefficients + self.bias,
                "bias": self.bias,
                "coefficient": self.coefficients,
                "standard_error": np.sqrt(np.diag(self.covariance)),
                "uncorrected_error": self.plain_error,
            }
        )


def bias_correct(estimate: Estimate) -> Corrected:
    """Analytic correction of a three-way PPML estimate with directed pair effects.

    b* = b - W^-1 [I/(I-1) sum_i (-B1_i + B2_i) + J/(J-1) sum_j (-D1_j + D2_j)], with, for exporter i and all
    its partners j, Hbar_ij = Lambda_ij (diag(s) - s s'), s_t = lambda_ijt / Lambda_ij the years' shares,
    S_ij = y_ij - lambda_ij, x~ the regressor less fixed effects:
    B1_i = tr[(sum_j Hbar)^+ sum_j Hbar x~ S'],
    B2_i = 1/2 tr[(sum_j Gbar x~) (sum_j Hbar)^+ (sum_j S S') (sum_j Hbar)^+], Gbar = -d Hbar / d effect.
    The meat of the covariance has (I - Hbar_ij V_ij)^-1 S_ij in place of one S_ij, V_ij the inverse
    information of the sum of the two country-year effects of the pair.

    Parameters
    ----------
    estimate
        A result of `landbridge.estimation.estimate`.

    Raises
    ------
    DataError
        The estimate is not PPML with exporter^year + importer^year + exporter^importer.

    Source: Weidner and Zylkin (2021), Journal of International Economics 132, 103513.
    """
    sample = estimate.sample
    _check(estimate)
    assert sample.sides is not None and sample.year is not None
    frame = sample.frame
    i, j, t = (codes_of(frame, [name]) for name in (*sample.sides, sample.year))
    shape = (int(i.max()) + 1, int(j.max()) + 1, int(t.max()) + 1)
    weight = np.asarray(estimate.fit._irls_weights, dtype=np.float64).ravel()
    rows = np.asarray(estimate.fit._X, dtype=np.float64) / np.sqrt(weight)[:, None]
    K = rows.shape[1]
    x = np.zeros((*shape, K))
    x[i, j, t] = rows
    fitted, score = np.zeros(shape), np.zeros(shape)
    fitted[i, j, t] = estimate.fitted
    score[i, j, t] = sample.y - estimate.fitted
    total = fitted.sum(axis=2)
    share = fitted / np.where(total > 0, total, 1.0)[:, :, None]
    diagonal = np.eye(shape[2])
    # [I, J, T, T]: weight of a country-year effect of one pair.
    weightings = total[..., None, None] * (
        share[..., :, None] * diagonal - share[..., :, None] * share[..., None, :]
    )
    squares = score[..., :, None] * score[..., None, :]
    bread = np.linalg.inv(np.asarray(estimate.fit._hessian, dtype=np.float64))
    slope = np.zeros(K)
    for axis in (1, 0):
        inverse = np.linalg.pinv(weightings.sum(axis=axis), rcond=1e-10, hermitian=True)
        number = shape[1 - axis]
        inner = inverse @ squares.sum(axis=axis) @ inverse
        for k in range(K):
            one = x[..., k]
            image = np.einsum("ijts,ijs->ijt", weightings, one)
            first = np.einsum(
                "nts,nst->", inverse, (image[..., :, None] * score[..., None, :]).sum(axis=axis)
            )
            second = np.einsum("nts,nst->", _third(total, share, one, diagonal).sum(axis=axis), inner) / 2
            slope[k] += (-first + second) * number / (number - 1)
    bias = bread @ slope
    names = estimate.names
    covariance, plain = _covariance(x, score, weightings, bread)
    beta = np.asarray(estimate.fit._beta_hat, dtype=np.float64)
    return Corrected(names, beta - bias, bias, covariance, plain)


def jackknife(estimate: Estimate, data: Any, splits: int = 1, seed: int = 0) -> Array:
    """Split-panel jackknife, a check of the analytic bias: 2 b - mean of b over halves of each side.

    Exporters and importers are split at random into halves a and b; the model is estimated on aa, ab, ba
    and bb.

    estimate: the result to check; data: the DataFrame or file it was estimated on; splits: number of random
    splits; seed: of their generator. Returns corrected coefficients [K]. Raises as `estimate`, for a half
    too.

    Source: Weidner and Zylkin (2021), Journal of International Economics 132, 103513.
    """
    from landbridge.estimation.ppml import estimate as again

    _check(estimate)
    sample = estimate.sample
    assert sample.sides is not None
    if isinstance(data, str | Path):
        data = read_panel(data)
    data = tidied(data)[0]
    random = np.random.default_rng(seed)
    means = []
    for _ in range(splits):
        halves = []
        for side in sample.sides:
            members = random.permutation(np.unique(np.asarray(sample.frame[side], dtype=object)))
            halves.append((set(members[: len(members) // 2]), set(members[len(members) // 2 :])))
        for a in halves[0]:
            for b in halves[1]:
                rows = data[data[sample.sides[0]].isin(a) & data[sample.sides[1]].isin(b)]
                part = again(estimate.formula, rows, estimate.where, "none")
                means.append([part[name] for name in estimate.names])
    return np.asarray(2 * np.asarray(estimate.fit._beta_hat) - np.mean(means, axis=0))


def _third(total: Array, share: Array, x: Array, diagonal: Array) -> Array:
    """Gbar x~ [I, J, T, T]: minus the third cumulant of the years' shares, times the regressor."""
    moved = share * x
    mean = moved.sum(axis=2)[..., None, None]
    s, sx = share[..., :, None], moved[..., :, None]
    return np.asarray(
        -total[..., None, None]
        * (
            sx * diagonal
            - s * moved[..., None, :]
            - sx * share[..., None, :]
            - mean * (s * diagonal)
            + 2 * mean * s * share[..., None, :]
        )
    )


def _covariance(x: Array, score: Array, weightings: Array, bread: Array) -> tuple[Array, Array]:
    """Sandwich by directed pair with and without the leverage of the country-year effects."""
    N, J, T, K = x.shape
    joint = _effects_covariance(weightings)
    meat, plain = np.zeros((K, K)), np.zeros((K, K))
    pairs = 0
    for i in range(N):
        own = joint[i * T : (i + 1) * T]
        for j in range(J):
            if not weightings[i, j].any():
                continue
            at = slice((N + j) * T, (N + j + 1) * T)
            cross = own[:, at]
            spread = own[:, i * T : (i + 1) * T] + cross + cross.T + joint[at, at]
            freed = np.linalg.solve(np.eye(T) - weightings[i, j] @ spread, score[i, j])
            u, v = x[i, j].T @ score[i, j], x[i, j].T @ freed
            meat += (np.outer(u, v) + np.outer(v, u)) / 2
            plain += np.outer(u, u)
            pairs += 1
    factor = pairs / (pairs - 1)
    errors = np.sqrt(np.diag(bread @ plain @ bread) * factor)
    return np.asarray(bread @ meat @ bread * factor), np.asarray(errors)


def _effects_covariance(weightings: Array) -> Array:
    """Inverse information of all country-year effects, exporters first, pair effects profiled out."""
    N, J, T, _ = weightings.shape
    information = np.zeros(((N + J) * T, (N + J) * T))
    for i in range(N):
        at = slice(i * T, (i + 1) * T)
        information[at, at] = weightings[i].sum(axis=0)
        for j in range(J):
            other = slice((N + j) * T, (N + j + 1) * T)
            information[at, other] = weightings[i, j]
            information[other, at] = weightings[i, j]
            information[other, other] += weightings[i, j]
    # Scaled first, so that small countries are not treated as rounding.
    scale = 1.0 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    scale[np.diag(information) <= 0] = 0.0
    inverse = np.linalg.pinv(scale[:, None] * information * scale, rcond=1e-11, hermitian=True)
    return np.asarray(scale[:, None] * inverse * scale)


def _check(estimate: Estimate) -> None:
    sides, year = estimate.sample.sides, estimate.sample.year
    wanted = {frozenset((sides[0], year)), frozenset((sides[1], year)), frozenset(sides)} if sides else set()
    have = {frozenset(name.split("^")) for name in estimate.fixed_effects}
    if estimate.method != "ppml" or year is None or have != wanted or not estimate.names:
        cure = "estimate trade ~ ... | exporter^year + importer^year + exporter^importer by PPML"
        fault = Fault(
            estimate.formula, "is not three-way PPML with directed pairs (a symmetric pair is not)", cure
        )
        raise DataError("there is no correction of the bias for this estimate", [fault])
