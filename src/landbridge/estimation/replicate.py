"""The same estimation for Stata (ppmlhdfe, reghdfe) and R (fixest), with its data and numbers to compare."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.errors import DataError, Fault
from landbridge.estimation.panel import PAIR, codes_of
from landbridge.io.files import write_text

if TYPE_CHECKING:
    from landbridge.estimation.ppml import Estimate

__all__ = ["replicate"]

_OFFSET = "held_offset"


def replicate(estimates: Sequence[Estimate], folder: Path) -> list[Path]:
    """Write data_1.csv, gravity_1.do and gravity_1.R (and _2 ...) to a folder. Returns their paths.

    estimates: the results; folder: made if missing. The data are the rows and columns of the sample with
    regressors as numbers, so that every program starts from the same table; comments in the scripts state the
    numbers to compare. Raises DataError where the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fault = Fault(str(folder), f"cannot be made ({error.strerror})", "choose another place")
        raise DataError("nothing was written", [fault]) from None
    written = []
    for number, estimate in enumerate(estimates, start=1):
        names = _short([estimate.dependent, *estimate.names])
        files = {
            f"data_{number}.csv": _data(estimate, names),
            f"gravity_{number}.do": _stata(estimate, names, f"data_{number}.csv"),
            f"gravity_{number}.R": _r(estimate, names, f"data_{number}.csv"),
        }
        for name, text in files.items():
            write_text(folder / name, text)
            written.append(folder / name)
    return written


def _short(names: Sequence[str]) -> dict[str, str]:
    """Names valid in Stata and R: letters, digits, _, at most 32, all different."""
    found: dict[str, str] = {}
    for name in names:
        if name == "constant":
            continue
        bare = re.sub(r"_+", "_", re.sub(r"\W", "_", name)).strip("_") or "x"
        bare = (bare if bare[0].isalpha() else f"v_{bare}")[:28]
        taken, number, free = set(found.values()), 2, bare
        while free in taken:
            free, number = f"{bare}_{number}", number + 1
        found[name] = free
    return found


def _effects(estimate: Estimate) -> list[str]:
    return [name.replace("^", "_x_") if "^" in name else f"fe_{name}" for name in estimate.fixed_effects]


def _clusters(estimate: Estimate) -> list[str]:
    return [f"cl_{name.replace('^', '_x_')}" for name in estimate.clusters]


def _data(estimate: Estimate, names: dict[str, str]) -> str:
    import pandas as pd

    sample = estimate.sample
    columns: dict[str, object] = {}
    for key in dict.fromkeys([*(sample.sides or ()), *([sample.year] if sample.year else [])]):
        columns[f"id_{key}"] = sample.frame[key].to_numpy()
    if PAIR in sample.frame:
        columns[f"id_{PAIR}"] = sample.frame[PAIR].to_numpy()
    columns[names[estimate.dependent]] = sample.y
    for name, values in zip(sample.names, sample.X.T, strict=True):
        columns[names[name]] = values
    if sample.offset is not None:
        columns[_OFFSET] = sample.offset
    for label, codes in zip(_effects(estimate), sample.groups.codes, strict=True):
        columns[label] = codes + 1
    for label, name in zip(_clusters(estimate), estimate.clusters, strict=True):
        columns[label] = codes_of(sample.frame, name.split("^")) + 1
    out = io.StringIO(newline="")
    pd.DataFrame(columns).to_csv(out, index=False, lineterminator="\n", float_format="%.17g")
    return out.getvalue()


def _compare(estimate: Estimate, names: dict[str, str], sign: str) -> list[str]:
    lines = [f"{sign} Compare with landbridge:"]
    for row in estimate.rows():
        label = names.get(row["name"], row["name"])
        lines.append(f"{sign}   {label}: {row['coefficient']:.9g} ({row['standard_error']:.6g})")
    lines.append(f"{sign}   observations: {estimate.n}; standard errors {estimate.errors}")
    lines += [f"{sign}   dropped before: {d.name} ({d.reason})" for d in estimate.dropped]
    lines += [f"{sign}   {n} rows are not in the data: {rule}" for rule, n in estimate.separated.items()]
    lines.append(f"{sign} Coefficients should agree to 6 digits, standard errors to 4.")
    return lines


def _head(estimate: Estimate, sign: str) -> list[str]:
    where = f"; sample: {estimate.where}" if estimate.where else ""
    return [f"{sign} {_plain(estimate.formula)}{_plain(where)}", f"{sign} Run in the folder of this file."]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _stata(estimate: Estimate, names: dict[str, str], data: str) -> str:
    regressors = " ".join(names[n] for n in estimate.names if n != "constant")
    effects, clusters = " ".join(_effects(estimate)), " ".join(_clusters(estimate))
    vce = f"vce(cluster {clusters})" if clusters else "vce(robust)"
    flow = names[estimate.dependent]
    if estimate.method == "ppml":
        absorb = f"absorb({effects}) " if effects else ""
        absorb += f"offset({_OFFSET}) " if estimate.sample.offset is not None else ""
        needs = "* Needs: ssc install ftools; ssc install reghdfe; ssc install ppmlhdfe"
        command = f"ppmlhdfe {flow} {regressors}, {absorb}{vce} tolerance(1e-10)"
    elif effects:
        needs = "* Needs: ssc install ftools; ssc install reghdfe (its errors carry (N-1)/(N-K) on top)"
        command = f"reghdfe {flow} {regressors}, absorb({effects}) {vce}"
    else:
        needs, command = "* Plain Stata.", f"regress {flow} {regressors}, {vce}"
    body = [
        *_head(estimate, "*"),
        needs,
        "clear all",
        f'import delimited using "{data}", case(preserve) asdouble clear',
        command,
        *_compare(estimate, names, "*"),
    ]
    return "\n".join(body) + "\n"


def _r(estimate: Estimate, names: dict[str, str], data: str) -> str:
    regressors = " + ".join(names[n] for n in estimate.names if n != "constant")
    effects = " + ".join(_effects(estimate))
    formula = f"{names[estimate.dependent]} ~ {regressors or 1}" + (f" | {effects}" if effects else "")
    clusters = " + ".join(_clusters(estimate))
    vcov = f"~ {clusters}" if clusters else '"hetero"'
    command, extra = ("fepois", ", glm.tol = 1e-10") if estimate.method == "ppml" else ("feols", "")
    extra += f", offset = ~{_OFFSET}" if estimate.sample.offset is not None else ""
    body = [
        *_head(estimate, "#"),
        '# Needs: install.packages("fixest")',
        "library(fixest)",
        f'd <- read.csv("{data}")',
        "# The factor of small samples is G/(G-1) alone, as in Stata's Poisson commands. fixest calls the",
        "# argument that switches (N-1)/(N-K) off adj (older versions) or K.adj (newer).",
        'switch_off <- setNames(list(FALSE), if ("K.adj" %in% names(formals(ssc))) "K.adj" else "adj")',
        f"fit <- {command}({formula}, data = d, vcov = {vcov}, ssc = do.call(ssc, switch_off){extra},",
        "  fixef.tol = 1e-9)",
        "print(summary(fit), digits = 9)",
        *_compare(estimate, names, "#"),
    ]
    return "\n".join(body) + "\n"
