"""What validation and calibration say: the model beside observation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from landbridge.report.document import Section
from landbridge.studies.calibrate import Calibration
from landbridge.studies.fit import Count
from landbridge.studies.validate import FITTED, LEAST_N, Case, Validation

__all__ = ["calibration_sections", "validation_sections"]


def validation_sections(found: Validation) -> Iterator[Section]:
    """Times, indicators, counts, shares, rates and responses of the model beside those observed."""

    median, left_out = found.median(), found.median(left_out=True)
    rows = tuple(
        (mode, str(n), _percent(median[mode]), _percent(left_out[mode])) for mode, n in found.n.items()
    )
    yield Section(
        "Door-to-door time: median absolute error over comparable rows",
        ("mode", "n", "median error", "leave one out"),
        rows,
        after=(
            f"No headline below n = {LEAST_N}. Leave one out: each row with {', '.join(FITTED)} refitted "
            "without it; these four were chosen after seeing the rows, for all pairs alike. Road has no "
            "comparable row: trucks drive by speed and rest, rest_h_per_driving_h, an assumption.",
        ),
    )
    parts = (
        ("Comparable rows, worst first", "yes"),
        ("Express, first or record services: ours should be slower", "express"),
        ("Other rows: ends unspecified, expected or a bound", "no"),
    )
    for title, kind in parts:
        cases = sorted((c for c in found.cases if c.comparable == kind), key=lambda c: -abs(c.error or 0.0))
        yield Section(
            title,
            ("row", "from", "to", "mode", "via", "observed days", "ours", "error", "left out"),
            tuple(_case_row(c) for c in cases),
        )
    yield Section(
        "CAREC indicators: ours beside the published CAREC averages",
        ("indicator", "mode", "unit", "ours", "published by year"),
        tuple(
            (
                i.name,
                i.mode,
                i.unit,
                f"{i.ours:,.1f}",
                ", ".join(f"{y}: {v:g}" for y, v in i.published.items()),
            )
            for i in found.indicators
        ),
        after=("Averages of 2023 and speeds of other years were not found.",),
    )
    yield from _flow_sections(found)


def _flow_sections(found: Validation) -> Iterator[Section]:
    """Errors by kind, then counts, mode shares, rates and responses beside ours."""
    yield Section(
        "Flows, shares and rates: error by kind",
        ("kind", "rows", "n", "median factor", "within 2", "mean absolute error"),
        tuple(
            (
                str(e["kind"]),
                str(e["role"]),
                str(e["n"]),
                "-" if e.get("median_factor") is None else f"{e['median_factor']:.2f}",
                _percent(e.get("share_within_2")),
                "-" if e.get("mean_abs_error") is None else f"{e['mean_abs_error']:.3f}",
            )
            for e in found.errors()
        ),
        after=(
            "fitted: weights of families and gateway constants were set on it. input: a stated share or a "
            "rate was set from it. predicted and checked: neither. ranked: a count of another scope.",
        ),
    )
    for title, share in (("Counts and levels", False), ("Shares of modes", True)):
        yield _counts(
            title, sorted((c for c in found.counts if c.share == share), key=lambda c: (c.role, c.name))
        )
    yield Section(
        "Rates, USD of 2023 per TEU",
        ("row", "from", "to", "mode", "year", "observed", "ours", "error", "rows"),
        tuple(
            (
                m.row_id, m.start, m.end, m.mode, str(m.year), f"{m.observed_usd:,.0f}",
                "no route" if m.ours_usd is None else f"{m.ours_usd:,.0f}",
                _percent(m.error, signed=True), m.role,
            )
            for m in found.money
        ),
    )  # fmt: skip
    yield _responses(found.responses)
    if found.withheld:
        yield Section(
            "Rows of modes that cannot be compared",
            ("row", "reason"),
            tuple(found.withheld),
        )


def _counts(title: str, counts: Sequence[Count]) -> Section:
    """Observed figures beside ours."""
    return Section(
        title,
        ("count", "year", "unit", "observed", "ours", "difference", "rows"),
        tuple(
            (c.name, str(c.year), c.unit, _amount(c.observed), _amount(c.ours), _signed(c.residual), c.role)
            for c in counts
        ),
    )


def _responses(rows: Sequence[dict[str, Any]]) -> Section:
    return Section(
        "Check of phi_b, which is not fitted: container rail after events at sea",
        ("event", "trains counted", "observed ratio", "ours", "ln error", "phi_b"),
        tuple(
            (
                str(r["event"]),
                str(r["population"]),
                f"{r['observed']:.2f}",
                "-" if r["ours"] is None else f"{r['ours']:.2f}",
                "-" if r["ln_error"] is None else f"{r['ln_error']:+.2f}",
                f"{r['phi_b']:g}",
            )
            for r in rows
        ),
    )


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"


def _amount(value: float) -> str:
    return f"{value:.3f}" if value < 1.0 else f"{value:,.0f}"


def _case_row(case: Case) -> tuple[str, ...]:
    ours = "no route" if case.ours_days is None else f"{case.ours_days:.1f}"
    return (
        case.obs_id,
        case.start or "-",
        case.end or "-",
        case.mode,
        case.via or "-",
        f"{case.observed_days:g}",
        ours,
        _percent(case.error, signed=True),
        _percent(case.error_left_out, signed=True),
    )


def calibration_sections(found: Calibration) -> Iterator[Section]:
    """Numbers fitted, counts by role, and how far the counts determine the numbers."""
    yield Section(
        "Numbers fitted",
        ("number", "refitted", "shipped", "sd before", "sd after"),
        tuple(
            (k, f"{v:.6f}", f"{found.shipped[k]:.6f}", f"{found.prior_sd[k]:.2f}", f"{found.sd[k]:.2f}")
            for k, v in found.values.items()
        ),
        after=tuple(f"Note: {note}." for note in found.notes),
    )
    for role in ("fitted", "checked", "predicted"):
        yield _counts(f"Counts {role}", [c for c in found.counts if c.role == role])
    values = ", ".join(f"{s:.3g}" for s in found.singular_values)
    yield Section(
        "What the counts can tell",
        before=(
            f"{len(found.values)} numbers, of which the counts set {found.effective:.1f} (trace of the fit); "
            f"the rest stay where they were stated. Singular values of the Jacobian in sigma: {values}.",
        ),
    )
    if found.folds:
        yield _counts("Each pair or gateway by a fit without it", found.folds)
    yield _responses(found.responses)


def _percent(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:+.0%}" if signed else f"{value:.1%}"
