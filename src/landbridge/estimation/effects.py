"""Values of the fixed effects of an estimate, and predictions from them.

The estimate keeps fitted flows, so ln(fit) less regressors and offset is the sum of the effects; solving for
them is one consistent least-squares problem on indicators.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import lsqr

from landbridge.errors import ConvergenceError, DataError, Fault, did_you_mean
from landbridge.estimation.design import design
from landbridge.estimation.expressions import Formula, parse_formula
from landbridge.estimation.panel import PAIR, pairs
from landbridge.estimation.reading import tidied

if TYPE_CHECKING:
    import pandas as pd

    from landbridge.estimation.ppml import Estimate

__all__ = ["Kind", "Unseen", "effects", "predict"]

Array = NDArray[np.float64]
Kind = Literal["response", "link"]
Unseen = Literal["fault", "nan"]

# Largest accepted error of the fit by the effects, in logs.
_ACCEPTED = 1e-8
# Separator between the columns of one level, as in formulas.
_JOINT = "^"


def effects(estimate: Estimate) -> pd.DataFrame:
    """Values of all fixed effects, in logs, with the least sum of squares: columns effect, level, value.

    ln fit - X b - offset = sum of the effects of a row.

    estimate: the result. Raises ConvergenceError where no values reproduce the fit.
    """
    import pandas as pd

    found: dict[str, list[Any]] = {"effect": [], "level": [], "value": []}
    for name, values in zip(estimate.sample.groups.names, _values(estimate), strict=True):
        levels = _levels(estimate, name)
        found["effect"] += [name] * len(levels)
        found["level"] += [_JOINT.join(_text(v) for v in level) for level in levels]
        found["value"] += values.tolist()
    return pd.DataFrame(found)


def predict(
    estimate: Estimate, data: pd.DataFrame | None, kind: Kind = "response", unseen: Unseen = "fault"
) -> Array:
    """Predicted flows [row], or their logarithms.

    ln flow (for least squares the left side) = X b + offset + sum of the fixed effects of the row

    data, kind, unseen of an estimate: as in `Estimate.predict`, which also says what is raised.
    """
    faults = []
    if kind not in get_args(Kind):
        faults.append(Fault("kind", f"is {kind!r}", "give response or link"))
    if unseen not in get_args(Unseen):
        faults.append(Fault("unseen", f"is {unseen!r}", "give fault or nan"))
    if faults:
        raise DataError("nothing was predicted", faults)
    link = _link(estimate) if data is None else _elsewhere(estimate, data, unseen)
    return np.asarray(np.exp(link)) if kind == "response" and estimate.method == "ppml" else link


def _link(estimate: Estimate) -> Array:
    fitted = estimate.fitted
    return np.log(fitted) if estimate.method == "ppml" else fitted


def _linear(estimate: Estimate, X: Array, names: tuple[str, ...]) -> Array:
    """b'x, with the constant where there is one."""
    total = np.zeros(len(X))
    where = {name: k for k, name in enumerate(names)}
    for name, b in zip(estimate.names, np.asarray(estimate.fit._beta_hat, dtype=np.float64), strict=True):
        if name in where:
            total += b * X[:, where[name]]
        elif name == "constant":
            total += b
    return total


def _values(estimate: Estimate) -> list[Array]:
    """One array of values by fixed effect, in the order of the codes of the sample."""
    sample = estimate.sample
    if not sample.groups.codes:
        return []
    rest = _link(estimate) - _linear(estimate, sample.X, sample.names)
    if sample.offset is not None:
        rest = rest - sample.offset
    D = sample.groups.indicators()
    # Columns scaled by the roots of their sizes converge much faster where sizes differ. A second solve then
    # turns the values into those with the least sum of squares for the same fit.
    size = np.sqrt(np.asarray(D.sum(axis=0)).ravel())
    scaled = D @ sparse.diags(1.0 / size)
    solution = lsqr(scaled, rest, atol=1e-15, btol=1e-15, conlim=0.0, iter_lim=20_000)[0] / size
    left = lsqr(D, D @ solution, atol=1e-15, btol=1e-15, conlim=0.0, iter_lim=20_000)[0]
    if np.abs(D @ (left - solution)).max() <= _ACCEPTED:
        solution = left
    miss = float(np.abs(rest - D @ solution).max())
    if not miss <= _ACCEPTED:
        raise ConvergenceError(
            f"the fixed effects miss the fit by {miss:.0e}; estimate with a smaller tolerance"
        )
    ends = np.cumsum([int(c.max()) + 1 for c in sample.groups.codes])[:-1]
    return np.split(np.asarray(solution, dtype=np.float64), ends)


def _levels(estimate: Estimate, name: str) -> list[tuple[Any, ...]]:
    """The values of the columns of an effect, in the order of its codes."""
    sample = estimate.sample
    codes = sample.groups.codes[sample.groups.names.index(name)]
    first = np.unique(codes, return_index=True)[1]
    rows = sample.frame.iloc[first]
    return list(zip(*(rows[c].tolist() for c in name.split(_JOINT)), strict=True))


def _elsewhere(estimate: Estimate, data: pd.DataFrame, unseen: Unseen) -> Array:
    """b'x + offset + effects on rows that may differ from those of the sample."""
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        fault = Fault("data", f"is a {type(data).__name__}", "give a pandas DataFrame")
        raise DataError("nothing was predicted", [fault])
    formula, sample = parse_formula(estimate.formula), estimate.sample
    frame = tidied(data.set_axis([str(c) for c in data.columns], axis=1).reset_index(drop=True))[0]
    _has_columns(estimate, formula, frame)
    whole = replace(
        formula, terms=tuple(replace(t, factors=tuple(map(_full, t.factors))) for t in formula.terms)
    )
    names, X, offset = design(whole, frame, sample.sides, sample.year)
    # A level that the rows lack is a column of zeros.
    total = _linear(estimate, X, names)
    total = total if offset is None else total + offset
    return total + _effects_of(estimate, frame, unseen)


def _has_columns(estimate: Estimate, formula: Formula, frame: pd.DataFrame) -> None:
    """Raise DataError for missing columns and levels of the formula; a built pair column is built again."""
    sample = estimate.sample
    wanted = [c for t in formula.terms for c in t.columns()]
    wanted += formula.offset.columns() if formula.offset is not None else []
    wanted += [c for e in formula.effects for c in e]
    built = any(text.startswith("pair from") for text in estimate.built)
    if PAIR in wanted and PAIR not in frame and built and sample.sides and {*sample.sides} <= {*frame}:
        frame[PAIR] = pairs(frame, sample.sides)
    faults = [
        Fault("data", f"there is no column {name!r}", did_you_mean(name, frame.columns) or "add it")
        for name in dict.fromkeys(wanted)
        if name not in frame
    ]
    faults += _unseen_levels(formula, sample.frame, frame) if not faults else []
    if faults:
        raise DataError("nothing was predicted", faults)


def _effects_of(estimate: Estimate, frame: pd.DataFrame, unseen: Unseen) -> Array:
    """The sum of the fixed effects of every row, NaN where one has no value."""
    total = np.zeros(len(frame))
    faults = []
    for name, values in zip(estimate.sample.groups.names, _values(estimate), strict=True):
        place = dict(zip(_levels(estimate, name), values, strict=True))
        keys = zip(*(frame[c].tolist() for c in name.split(_JOINT)), strict=True)
        part = np.array([place.get(key, np.nan) for key in keys])
        missing = np.isnan(part)
        if missing.any() and unseen == "fault":
            k = int(missing.argmax())
            shown = _JOINT.join(_text(frame[c].iloc[k]) for c in name.split(_JOINT))
            what = f"has no value in {int(missing.sum()):,} rows, {shown} in row {k + 1} first"
            cure = 'leave them out, or take NaN for them: unseen="nan"'
            faults.append(Fault(name, what, cure))
        total = total + part
    if faults:
        raise DataError("nothing was predicted", faults)
    return total


def _full(factor: Any) -> Any:
    """All levels of a factor; the estimate shows which of them have no coefficient."""
    return replace(factor, reference=None) if factor.levels else factor


def _unseen_levels(formula: Formula, known: pd.DataFrame, frame: pd.DataFrame) -> list[Fault]:
    found = []
    for name in dict.fromkeys(f.levels for t in formula.terms for f in t.factors if f.levels):
        seen = set(known[name].tolist())
        new = [v for v in frame[name].dropna().unique().tolist() if v not in seen]
        if new:
            what = f"has a level that the sample does not have: {_text(new[0])}"
            found.append(Fault(name, what, "leave those rows out"))
    return found


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
