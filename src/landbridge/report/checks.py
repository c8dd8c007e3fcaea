"""Reports on validation and calibration: observed figures and those of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from landbridge.phrases import say
from landbridge.report.document import Section, phrased
from landbridge.studies.calibrate import Calibration
from landbridge.studies.fit import Count
from landbridge.studies.validate import FITTED, LEAST_N, Case, Validation
from landbridge.world import World

__all__ = ["calibration_sections", "validation_sections"]


def validation_sections(world: World, found: Validation) -> Iterator[Section]:
    """Times, indicators, counts, shares, rates and responses of the model and as observed."""
    median, left_out = found.median(), found.median(left_out=True)
    yield phrased(
        "validate.times",
        [(mode, str(n), _percent(median[mode]), _percent(left_out[mode])) for mode, n in found.n.items()],
        after=[
            say("validate.times.least", n=LEAST_N, fitted=", ".join(FITTED), chosen=len(FITTED)),
            *(say("validate.times.none", mode=mode) for mode, n in found.n.items() if not n),
        ],
    )
    yield phrased("validate.comparable", _cases(found, "yes"))
    yield phrased("validate.express", _cases(found, "express"))
    yield phrased("validate.others", _cases(found, "no"))
    yield phrased(
        "validate.indicators",
        [
            (
                i.name,
                i.mode,
                i.unit,
                f"{i.ours:,.1f}",
                ", ".join(f"{y}: {v:g}" for y, v in i.published.items()),
            )
            for i in found.indicators
        ],
    )
    yield from _flow_sections(world, found)


def _cases(found: Validation, kind: str) -> list[tuple[str, ...]]:
    """Rows of one kind, the worst first."""
    cases = [case for case in found.cases if case.comparable == kind]
    return [_case_row(case) for case in sorted(cases, key=lambda c: -abs(c.error or 0.0))]


def _flow_sections(world: World, found: Validation) -> Iterator[Section]:
    """Errors by kind, then counts, mode shares, rates and responses, observed and of the model."""
    yield phrased(
        "validate.errors",
        [
            (
                str(e["kind"]),
                str(e["role"]),
                str(e["n"]),
                "-" if e.get("median_factor") is None else f"{e['median_factor']:.2f}",
                _percent(e.get("share_within_2")),
                "-" if e.get("mean_abs_error") is None else f"{e['mean_abs_error']:.3f}",
            )
            for e in found.errors()
        ],
    )
    yield phrased("validate.levels", _counts([c for c in found.counts if not c.share]))
    yield phrased("validate.shares", _counts([c for c in found.counts if c.share]))
    yield phrased(
        "validate.rates",
        [
            (
                m.row_id, m.start, m.end, m.mode, str(m.year), f"{m.observed_usd:,.0f}",
                say("no_route") if m.ours_usd is None else f"{m.ours_usd:,.0f}",
                _percent(m.error, signed=True), m.role,
            )
            for m in found.money
        ],
        year=world.base_year,
    )  # fmt: skip
    yield _responses(found.responses)
    if found.withheld:
        yield phrased("validate.withheld", found.withheld)


def _counts(counts: Sequence[Count], ordered: bool = True) -> list[tuple[str, ...]]:
    """Observed figures and those of the model, by role where order is asked for."""
    shown = sorted(counts, key=lambda c: (c.role, c.name)) if ordered else counts
    return [
        (c.name, str(c.year), c.unit, _amount(c.observed), _amount(c.ours), _signed(c.residual), c.role)
        for c in shown
    ]


def _responses(rows: Sequence[dict[str, Any]]) -> Section:
    return phrased(
        "validate.responses",
        [
            (
                str(r["event"]),
                str(r["population"]),
                f"{r['observed']:.2f}",
                "-" if r["ours"] is None else f"{r['ours']:.2f}",
                "-" if r["ours_low"] is None else f"{r['ours_low']:.2f}-{r['ours_high']:.2f}",
                "-" if r["ln_error"] is None else f"{r['ln_error']:+.2f}",
                f"{r['phi_b']:g}",
            )
            for r in rows
        ],
    )


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"


def _amount(value: float) -> str:
    return f"{value:.3f}" if value < 1.0 else f"{value:,.0f}"


def _case_row(case: Case) -> tuple[str, ...]:
    return (
        case.obs_id,
        case.start or "-",
        case.end or "-",
        case.mode,
        case.via or "-",
        f"{case.observed_days:g}",
        say("no_route") if case.ours_days is None else f"{case.ours_days:.1f}",
        _percent(case.error, signed=True),
        _percent(case.error_left_out, signed=True),
    )


def calibration_sections(found: Calibration) -> Iterator[Section]:
    """Numbers fitted, counts by role, and how much the counts determine the numbers."""
    yield phrased(
        "calibrate.numbers",
        [
            (k, f"{v:.6f}", f"{found.shipped[k]:.6f}", f"{found.prior_sd[k]:.2f}", f"{found.sd[k]:.2f}")
            for k, v in found.values.items()
        ],
        after=[say("note", text=note) for note in found.notes],
    )
    for role in ("fitted", "checked", "predicted"):
        rows = _counts([c for c in found.counts if c.role == role], ordered=False)
        yield phrased("calibrate.counts", rows, role=role)
    values = ", ".join(f"{s:.3g}" for s in found.singular_values)
    told = say("calibrate.freedom", n=len(found.values), effective=found.effective, values=values)
    yield phrased("calibrate.tell", before=[told])
    if found.folds:
        yield phrased("calibrate.folds", _counts(found.folds, ordered=False))
    yield _responses(found.responses)


def _percent(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:+.0%}" if signed else f"{value:.1%}"
