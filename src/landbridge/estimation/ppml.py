"""Gravity by Poisson pseudo-maximum likelihood, estimated by pyfixest on a sample that is reported in full.

The sample is chosen here: which regressors have a coefficient, and which zero flows carry no information.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, DataError, Fault, Status, did_you_mean
from landbridge.estimation.absorb import (
    Dropped,
    collinear,
    separated_by_groups,
    separated_by_regressors,
    separated_by_two_effects,
)
from landbridge.estimation.effects import Kind, Unseen, effects, predict
from landbridge.estimation.expressions import Formula, parse_formula, with_offset
from landbridge.estimation.panel import PAIR, Sample, build_sample, codes_of
from landbridge.estimation.pyfixest_fit import Method, fit_sample, vanished
from landbridge.estimation.reading import read_panel
from landbridge.io.optional import need
from landbridge.phrases import listed, say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Estimate", "Method", "estimate"]

Array = NDArray[np.float64]

# Rounds of removing zero flows that tend to minus infinity before the estimate fails.
_ROUNDS = 20


@dataclass(frozen=True, eq=False, repr=False)
class Estimate:
    """An estimate with every decision made on the way; any other attribute is pyfixest's own.

    So `.coef()`, `.se()`, `.tidy()`, `.confint()`, `.vcov("hetero")` work as in pyfixest; `predict`,
    `effects` and `fixef` are landbridge's own.

    Attributes
    ----------
    fit
        pyfixest's result.
    formula, method, where
        As asked for; method "ppml" or "ols".
    dependent
        Column of the flows.
    n
        Rows that carry information, on which the coefficients rest.
    dropped
        Regressors without a coefficient, each with its reason.
    separated
        Rows left out by rule: "all flows of a fixed effect are zero", "alone in a fixed effect" ...
    left_out
        Rows left out because a regressor is empty there.
    built
        Columns that were built, and how.
    fixed_effects
        Number of levels by fixed effect; `effects` has their values.
    clusters
        Clusters by name; empty where errors are only robust.
    notes
        Remarks on sample and result.
    status
        Whether it converged; the residual is the largest relative error of the first-order conditions.
    """

    fit: Any
    formula: str
    method: Method
    where: str | None
    n: int
    dropped: tuple[Dropped, ...]
    separated: dict[str, int]
    left_out: dict[str, int]
    built: tuple[str, ...]
    fixed_effects: dict[str, int]
    clusters: dict[str, int]
    notes: tuple[str, ...]
    status: Status
    dependent: str
    sample: Sample = field(repr=False)

    def __getattr__(self, name: str) -> Any:
        # Called only for undefined attributes; dunders must fail so that copying works.
        if name.startswith("__") or "fit" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.fit, name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the regressors with a coefficient [K]."""
        return tuple(str(n) for n in self.fit._coefnames)

    @property
    def covariance(self) -> pd.DataFrame:
        """Covariance matrix of the coefficients [K, K], rows and columns by name."""
        import pandas as pd

        return pd.DataFrame(np.asarray(self.fit._vcov), index=self.names, columns=self.names)

    @property
    def fitted(self) -> Array:
        """Fitted flow of every row of the sample [row], in the unit of the data."""
        values = self.fit._Y_hat_response if self.method == "ppml" else self.fit._Y_hat_link
        return np.asarray(values, dtype=np.float64).ravel()

    def predict(
        self, data: pd.DataFrame | None = None, kind: Kind = "response", unseen: Unseen = "fault"
    ) -> Array:
        """Predicted flow of every row: exp(b'x + offset + fixed effects), for least squares without the exp.

        Parameters
        ----------
        data
            Rows with the columns of the formula (not the flow); None for the sample.
        kind
            "response": the flow in the unit of the data; "link": its logarithm. With least squares both are
            the left side as written.
        unseen
            Result for a row whose fixed effect has no value: "fault" or "nan". Rows with an empty
            regressor or offset are NaN.

        Raises
        ------
        DataError
            A column is missing, a level of a fixed effect or of i() was not in the sample, an unknown kind.

        Source: the definition of the estimate.
        """
        return predict(self, data, kind, unseen)

    def effects(self) -> pd.DataFrame:
        """The value of every fixed effect, in logs: columns effect, level, value.

        ln(fit) - b'x - offset = sum of effects. Several sets of values satisfy this (one may rise while
        another falls); these have the least sum of squares. Sums over the effects of a row, and differences
        within a year of one effect of exporter^year + importer^year, do not depend on the choice.

        Raises ConvergenceError where no values reproduce the fit to 1e-8.

        Source: Fally (2015), Journal of International Economics 97(1), for what the effects mean.
        """
        return effects(self)

    def fixef(self) -> dict[str, dict[str, float]]:
        """`effects` as {effect: {level: value}}, levels written as in `effects`: "ARG^1994"."""
        found = effects(self)
        return {
            str(name): {str(k): float(v) for k, v in zip(part["level"], part["value"], strict=True)}
            for name, part in found.groupby("effect", sort=False)
        }

    def rows(self) -> list[dict[str, Any]]:
        """One row per coefficient: coefficient, standard_error, z, p, low and high (95 %), percent.

        percent: 100 (exp(b) - 1), the change of the flow for one more unit of the regressor.
        """
        from scipy.stats import norm

        b = np.asarray(self.fit._beta_hat, dtype=np.float64)
        se = np.sqrt(np.diag(np.asarray(self.fit._vcov, dtype=np.float64)))
        wide = float(norm.ppf(0.975))
        out = []
        for name, value, error in zip(self.names, b, se, strict=True):
            z = float(value / error) if error > 0 else float("nan")
            out.append(
                {
                    "name": name,
                    "coefficient": float(value),
                    "standard_error": float(error),
                    "z": z,
                    "p": float(2 * norm.sf(abs(z))),
                    "low": float(value - wide * error),
                    "high": float(value + wide * error),
                    "percent": float(100 * np.expm1(value)) if value < 50 else float("inf"),
                }
            )
        return out

    def __getitem__(self, name: str) -> float:
        for row in self.rows():
            if row["name"] == name:
                return float(row["coefficient"])
        why = next((d.reason for d in self.dropped if d.name == name), "")
        there = f"there are {', '.join(self.names)}" if self.names else "the formula has no regressor"
        cure = why or did_you_mean(name, self.names) or there
        raise DataError("no such coefficient", [Fault(name, "was not estimated", cure)])

    @property
    def saturated(self) -> bool:
        """Whether there are as many coefficients and free fixed effects as rows: errors are then NaN."""
        return bool(np.isnan(np.asarray(self.fit._vcov, dtype=np.float64)).all() and len(self.names))

    @property
    def pseudo_r2(self) -> float | None:
        """Squared correlation of flow and fit (PPML) or R2 (least squares)."""
        if self.method == "ols":
            return float(self.fit._r2)
        return float(np.corrcoef(self.sample.y, self.fitted)[0, 1] ** 2)

    @property
    def errors(self) -> str:
        """The kind of standard errors in words."""
        if not self.names:
            return say("gravity.errors.none")
        if self.saturated:
            return say("gravity.errors.undefined")
        if not self.clusters:
            return say("gravity.errors.robust")
        by = [say("gravity.errors.cluster", name=n, clusters=k) for n, k in self.clusters.items()]
        return say("gravity.errors.clustered", by=listed(by))

    def to_json(self) -> dict[str, Any]:
        """The result as plain values, as `landbridge gravity --json` prints it."""
        return {
            "formula": self.formula,
            "method": self.method,
            "where": self.where,
            "dependent": self.dependent,
            "coefficients": [_finite(r) for r in self.rows()],
            "n": self.n,
            "dropped": [{"name": d.name, "reason": d.reason} for d in self.dropped],
            "separated": {"n": sum(self.separated.values()), "rules": dict(self.separated)},
            "left_out": [{"reason": r, "n": k} for r, k in self.left_out.items()],
            "built": list(self.built),
            "fixed_effects": [{"name": n, "levels": k} for n, k in self.fixed_effects.items()],
            "clusters": [{"name": n, "n": k} for n, k in self.clusters.items()],
            "errors": self.errors,
            **_finite({"r2": self.pseudo_r2}),
            "notes": list(self.notes),
        }

    def table(self, style: str = "text") -> str:
        """This estimate as a table with one column and stars; style: text, markdown, latex or csv."""
        from landbridge.estimation.tables import table

        return table([self], style=style)

    def __repr__(self) -> str:
        return self.table()

    def _repr_markdown_(self) -> str:
        return self.table("markdown")


def estimate(
    formula: str,
    data: pd.DataFrame | str | Path,
    where: str | None = None,
    cluster: str | None = None,
    *,
    method: Method = "ppml",
    exporter: str | None = None,
    importer: str | None = None,
    tolerance: float = 1e-10,
    offset: str | None = None,
) -> Estimate:
    """Structural gravity by PPML (or least squares) with any fixed effects.

    E[X_od,t] = exp(b'x_od,t + e_o,t + m_d,t + g_od); b solves sum x~ (X - fit) = 0, fixed effects
    partialled out.

    Parameters
    ----------
    formula
        `trade ~ rta + log(dist) | exporter^year + importer^year + pair`. Terms: columns, log(), exp(),
        sqrt(), abs(), arithmetic inside I(), a:b, a*b, i(column), i(column, x, ref=level), C(column). `pair`
        is built where the data lack it: symmetric, each domestic pair its own. `trade ~ 1 | ...` estimates
        the fixed effects alone. With as many parameters as rows the fit is exact and errors are NaN.
    data
        A DataFrame, or the path of a .csv, .parquet, .xlsx or .dta file. Flows of zero or more in any
        unit; the unit affects only fixed effects and constant.
    where
        Rows to keep, for example "year % 4 == 2 and exporter != importer".
    cluster
        Columns whose values form clusters: "pair", "exporter + importer" (two ways), "exporter^year"; "none"
        for robust errors only. None: by pair where there are pairs, else robust. The small-sample factor is
        G/(G-1) (robust: N/(N-1)), as in Stata's ppmlhdfe and ppml, and tests use the normal distribution.
    method
        "ppml" or "ols" (least squares on the left side as written, for example log(trade)).
    exporter, importer
        Names of the two sides where they are not exporter/importer, iso_o/iso_d, origin/destination.
    tolerance
        Relative change of the deviance at which the iterations stop.
    offset
        A column or expression whose coefficient is held at one, in logs of the flow: "log(gdp)". The same as
        `+ offset(log(gdp))` in the formula; PPML only.

    Raises
    ------
    DataError
        Every fault of formula, condition and data at once; or no regressor is left.
    ConvergenceError
        The first-order conditions are missed by more than 1e-6.
    LandbridgeError
        pyfixest is not installed.

    Source: Santos Silva and Tenreyro (2006), Review of Economics and Statistics 88(4); Correia, Guimaraes
    and Zylkin (2020), Stata Journal 20(1), for algorithm and separation.
    """
    need("pyfixest", "pyfixest", "estimation", "an estimation")
    if method not in ("ppml", "ols"):
        raise DataError("unknown method", [Fault("method", f"is {method!r}", "give ppml or ols")])
    parsed = parse_formula(with_offset(formula, offset))
    if parsed.offset is not None and method == "ols":
        cure = "subtract it from the left side: I(log(trade) - x) ~ ..."
        raise DataError("the offset cannot be used", [Fault("offset", "is for ppml", cure)])
    clusters = _read_cluster(cluster)
    frame = read_panel(data) if isinstance(data, str | Path) else _named(data)
    sample = build_sample(parsed, frame, where, clusters, exporter, importer, linear=method == "ols")
    if clusters is None:
        clusters = ((PAIR,),) if PAIR in sample.frame and sample.names else ()
    rules: dict[str, int] = {}
    sample, dropped = _informative(sample, parsed.constant, method, rules)
    fit, status = None, None
    for _ in range(_ROUNDS):
        fit, status = fit_sample(parsed, sample, clusters, method, tolerance)
        lost = vanished(sample.y, fit, method)
        if not lost.any():
            break
        rule = "fitted at zero: the estimate tends to minus infinity there"
        rules[rule] = rules.get(rule, 0) + int(lost.sum())
        sample, more = _informative(sample.only(~lost), parsed.constant, method, rules)
        dropped += more
    else:
        raise ConvergenceError(
            f"after {_ROUNDS} estimates zero flows still tend to minus infinity; use fewer fixed effects, or "
            "leave the sparsest countries out"
        )
    assert fit is not None and status is not None
    if not status.converged:
        raise ConvergenceError(f"the estimate has not converged: {status.message}")
    return Estimate(
        fit=fit,
        formula=parsed.text,
        method=method,
        where=where,
        n=len(sample.y),
        dropped=tuple(dropped),
        separated={k: v for k, v in rules.items() if v},
        left_out=dict(sample.left_out),
        built=tuple(sample.built),
        fixed_effects=sample.groups.levels(),
        clusters={"^".join(c): int(codes_of(sample.frame, c).max()) + 1 for c in clusters},
        notes=(*sample.notes, *_notes(parsed, sample, method, clusters, fit)),
        status=status,
        dependent=parsed.dependent.name,
        sample=sample,
    )


def _named(data: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        fault = Fault("data", f"is a {type(data).__name__}", "give a pandas DataFrame or the path of a file")
        raise DataError("the data cannot be read", [fault])
    twice = sorted({str(c) for c in data.columns[data.columns.duplicated()]})
    if twice:
        faults = [Fault("data", f"column {name!r} appears twice", "keep one") for name in twice]
        raise DataError("the data cannot be read", faults)
    return data.set_axis([str(c) for c in data.columns], axis=1)


def _read_cluster(text: str | None) -> tuple[tuple[str, ...], ...] | None:
    if text is None:
        return None
    if text.strip().lower() in ("", "none", "robust", "hetero"):
        return ()
    found = tuple(tuple(n.strip() for n in part.split("^")) for part in text.split("+"))
    if len(found) > 2 or not all(n.isidentifier() for part in found for n in part):
        cure = 'give one or two, for example "pair" or "exporter + importer", or "none"'
        raise DataError("the clusters cannot be read", [Fault("cluster", f"is {text!r}", cure)])
    return found


def _informative(
    sample: Sample, constant: bool, method: Method, rules: dict[str, int]
) -> tuple[Sample, list[Dropped]]:
    """The rows and regressors that carry information; dropped ones are counted in rules and returned."""
    gone: list[Dropped] = []
    while True:
        if method == "ppml":
            rows, zero, alone = separated_by_groups(sample.y, sample.groups)
        else:
            rows, zero, alone = separated_by_groups(np.ones(len(sample.y)), sample.groups)
        _count(rules, "all flows of a fixed effect are zero", zero)
        _count(rules, "alone in a fixed effect", alone)
        if not rows.any():
            fault = Fault("fixed effects", "leave no row with information", "use fewer fixed effects")
            raise DataError("nothing to estimate", [fault])
        sample = sample if rows.all() else sample.only(rows)
        if method == "ppml":
            lost = separated_by_two_effects(sample.y, sample.groups)
            if lost.any():
                _count(rules, "zero flows that two fixed effects fit exactly", int(lost.sum()))
                sample = sample.only(~lost)
                continue
        keep, dropped = collinear(sample.names, sample.X, sample.groups, constant)
        gone += dropped
        if sample.names and not keep.any():
            faults = [Fault(d.name, d.reason, "use fewer fixed effects or other rows") for d in gone]
            raise DataError("no regressor is left to estimate", faults)
        if not keep.all():
            sample.X = np.ascontiguousarray(sample.X[:, keep])
            sample.names = tuple(n for n, k in zip(sample.names, keep, strict=True) if k)
        if method == "ols":
            return sample, gone
        lost = separated_by_regressors(sample.y, sample.X, sample.groups, constant)
        if not lost.any():
            return sample, gone
        _count(rules, "zero flows that regressors fit exactly", int(lost.sum()))
        sample = sample.only(~lost)


def _count(rules: dict[str, int], rule: str, n: int) -> None:
    if n:
        rules[rule] = rules.get(rule, 0) + n


def _notes(
    formula: Formula, sample: Sample, method: Method, clusters: Sequence[tuple[str, ...]], fit: Any
) -> list[str]:
    found: list[str] = []
    if not sample.names:
        levels = sum(sample.groups.levels().values())
        return [
            f"no regressor: the {levels:,} fixed effects alone are estimated, and have converged; in Python "
            "effects() has their values and predict() the flows"
        ]
    if np.isnan(np.asarray(fit._vcov, dtype=np.float64)).all():
        return [
            f"no row is to spare: {len(sample.y):,} rows for as many coefficients and free fixed effects; "
            "the fit is exact and standard errors are undefined"
        ]
    for cluster in clusters:
        count = int(codes_of(sample.frame, cluster).max()) + 1
        if count < 50:
            found.append(
                f"only {count} clusters of {'^'.join(cluster)}: standard errors are likely too small"
            )
    by_year = [sample.year in e for e in formula.effects]
    if method == "ppml" and sorted(by_year) == [False, True, True]:
        found.append(
            "with three fixed effects the coefficient has a bias of order 1/countries and clustered errors "
            "are somewhat too small (Weidner and Zylkin 2021): bias_correct(), or --bias, corrects both "
            "where pairs are directed (exporter^importer)"
        )
    return found


def _finite(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: (None if isinstance(v, float) and not np.isfinite(v) else v) for k, v in row.items()}
