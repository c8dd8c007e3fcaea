"""Reports on validation and calibration: observed figures and those of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from landbridge.phrases import Words
from landbridge.report.document import ENGLISH, Section, phrased
from landbridge.studies.calibrate import Calibration
from landbridge.studies.fit import Count
from landbridge.studies.validate import FITTED, LEAST_N, Case, Validation
from landbridge.world import World

__all__ = ["calibration_sections", "validation_sections"]


def validation_sections(world: World, found: Validation, lang: str = "en") -> Iterator[Section]:
    """Times, indicators, counts, shares, rates and responses of the model and as observed.

    world: that was compared; found: of `validate`; lang: of words, en, ru or zh.
    """
    words = Words(lang)
    median, left_out = found.median(), found.median(left_out=True)
    yield phrased(
        "validate.times",
        [
            (
                words.term("mode", mode),
                str(n),
                _percent(median[mode], words=words),
                _percent(left_out[mode], words=words),
            )
            for mode, n in found.n.items()
        ],
        after=[
            words.say("validate.times.least", n=LEAST_N, fitted=words.joined(FITTED), chosen=len(FITTED)),
            *(
                words.say("validate.times.none", mode=words.term("mode", mode))
                for mode, n in found.n.items()
                if not n
            ),
        ],
        words=words,
    )
    yield phrased("validate.comparable", _cases(found, "yes", words=words), words=words)
    yield phrased("validate.express", _cases(found, "express", words=words), words=words)
    yield phrased("validate.others", _cases(found, "no", words=words), words=words)
    yield phrased(
        "validate.indicators",
        [
            (
                i.name,
                words.term("mode", i.mode),
                i.unit,
                words.figure(i.ours, ",.1f"),
                words.joined(f"{y}: {v:g}" for y, v in i.published.items()),
            )
            for i in found.indicators
        ],
        words=words,
    )
    yield from _flow_sections(world, found, words=words)


def _cases(found: Validation, kind: str, *, words: Words) -> list[tuple[str, ...]]:
    """Rows of one kind, the worst first."""
    cases = [case for case in found.cases if case.comparable == kind]
    return [_case_row(case, words=words) for case in sorted(cases, key=lambda c: -abs(c.error or 0.0))]


def _flow_sections(world: World, found: Validation, *, words: Words) -> Iterator[Section]:
    """Errors by kind, then counts, mode shares, rates and responses, observed and of the model."""
    yield phrased(
        "validate.errors",
        [
            (
                str(e["kind"]),
                str(e["role"]),
                str(e["n"]),
                "-" if e.get("median_factor") is None else words.figure(e["median_factor"], ".2f"),
                _percent(e.get("share_within_2"), words=words),
                "-" if e.get("mean_abs_error") is None else words.figure(e["mean_abs_error"], ".3f"),
            )
            for e in found.errors()
        ],
        words=words,
    )
    yield phrased(
        "validate.levels", _counts([c for c in found.counts if not c.share], words=words), words=words
    )
    yield phrased("validate.shares", _counts([c for c in found.counts if c.share], words=words), words=words)
    yield phrased(
        "validate.rates",
        [
            (
                m.row_id, m.start, m.end, words.term("mode", m.mode), str(m.year),
                words.figure(m.observed_usd, ",.0f"),
                words.say("no_route") if m.ours_usd is None else words.figure(m.ours_usd, ",.0f"),
                _percent(m.error, signed=True, words=words), m.role,
            )
            for m in found.money
        ],
        year=world.base_year, words=words)  # fmt: skip
    yield _responses(found.responses, words=words)
    if found.withheld:
        yield phrased("validate.withheld", found.withheld, words=words)


def _counts(counts: Sequence[Count], ordered: bool = True, *, words: Words) -> list[tuple[str, ...]]:
    """Observed figures and those of the model, by role where order is asked for."""
    shown = sorted(counts, key=lambda c: (c.role, c.name)) if ordered else counts
    return [
        (
            c.name,
            str(c.year),
            c.unit,
            _amount(c.observed, words=words),
            _amount(c.ours, words=words),
            _signed(c.residual, words=words),
            c.role,
        )
        for c in shown
    ]


def _responses(rows: Sequence[dict[str, Any]], *, words: Words) -> Section:
    return phrased(
        "validate.responses",
        [
            (
                str(r["event"]),
                str(r["population"]),
                words.figure(r["observed"], ".2f"),
                "-" if r["ours"] is None else words.figure(r["ours"], ".2f"),
                "-" if r["ours_low"] is None else f"{r['ours_low']:.2f}-{r['ours_high']:.2f}",
                "-" if r["ln_error"] is None else words.figure(r["ln_error"], "+.2f"),
                words.figure(r["phi_b"], "g"),
            )
            for r in rows
        ],
        words=words,
    )


def _signed(value: float | None, *, words: Words) -> str:
    return "-" if value is None else words.figure(value, "+.1%")


def _amount(value: float, *, words: Words) -> str:
    return words.figure(value, ".3f") if value < 1.0 else words.figure(value, ",.0f")


def _case_row(case: Case, *, words: Words) -> tuple[str, ...]:
    return (
        case.obs_id,
        case.start or "-",
        case.end or "-",
        words.term("mode", case.mode),
        case.via or "-",
        words.figure(case.observed_days, "g"),
        words.say("no_route") if case.ours_days is None else words.figure(case.ours_days, ".1f"),
        _percent(case.error, signed=True, words=words),
        _percent(case.error_left_out, signed=True, words=words),
    )


def calibration_sections(found: Calibration) -> Iterator[Section]:
    """Numbers fitted, counts by role, and how much the counts determine the numbers.

    found: of `calibrate`.
    """
    words = ENGLISH
    yield phrased(
        "calibrate.numbers",
        [
            (
                k,
                words.figure(v, ".6f"),
                words.figure(found.shipped[k], ".6f"),
                words.figure(found.prior_sd[k], ".2f"),
                words.figure(found.sd[k], ".2f"),
            )
            for k, v in found.values.items()
        ],
        after=[words.say("note", text=note) for note in found.notes],
        words=words,
    )
    for role in ("fitted", "checked", "predicted"):
        rows = _counts([c for c in found.counts if c.role == role], ordered=False, words=words)
        yield phrased("calibrate.counts", rows, role=role, words=words)
    values = words.joined(f"{s:.3g}" for s in found.singular_values)
    told = words.say("calibrate.freedom", n=len(found.values), effective=found.effective, values=values)
    yield phrased("calibrate.tell", before=[told], words=words)
    if found.folds:
        yield phrased("calibrate.folds", _counts(found.folds, ordered=False, words=words), words=words)
    yield _responses(found.responses, words=words)


def _percent(value: float | None, *, signed: bool = False, words: Words) -> str:
    if value is None:
        return "-"
    return words.figure(value, "+.0%") if signed else words.figure(value, ".1%")
