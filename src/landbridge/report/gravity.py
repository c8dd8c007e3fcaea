"""Gravity estimates in columns, and the correction of the first for its bias."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from landbridge.estimation.tables import cells, table
from landbridge.phrases import Phrase
from landbridge.report.document import Section, phrased
from landbridge.studies.gravity import Estimated

__all__ = ["gravity_forms", "gravity_sections"]

_STYLES = {".md": "markdown", ".tex": "latex", ".csv": "csv", ".txt": "text"}


def gravity_sections(found: Estimated) -> Iterator[Section]:
    """The table of coefficients, then that of the correction if there is one; found: of `gravity`.

    Raises DataError as `landbridge.estimation.tables.cells`.
    """
    head, body, notes = cells(found.estimates)
    rows = [tuple(cell if isinstance(cell, Phrase) else cell.strip() for cell in row) for row in body]
    yield phrased("gravity.table", rows, names=head, after=notes, formula=found.estimates[0].formula)
    if found.corrected is not None:
        columns = ("estimated", "bias", "coefficient", "standard_error", "uncorrected_error")
        yield phrased(
            "gravity.bias",
            [(str(row["name"]), *(f"{row[c]:.4f}" for c in columns)) for row in found.corrected],
        )


def gravity_forms(found: Estimated, lang: str = "en") -> Mapping[str, Callable[[], str]]:
    """The table of coefficients as in journals, by ending of the file.

    found: of `gravity`; lang: of its words, but in CSV.
    """

    def form(style: str) -> Callable[[], str]:
        return lambda: table(found.estimates, style, lang="en" if style == "csv" else lang)

    return {ending: form(style) for ending, style in _STYLES.items()}
