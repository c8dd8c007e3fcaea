"""What every study says, for people: documents of sections, and the long table of a run."""

from __future__ import annotations

from landbridge.report.document import Document, Section, markdown, signed
from landbridge.report.study import (
    CLOSURES,
    LONG,
    STATIC,
    Digest,
    Names,
    csv_text,
    long_rows,
    study_sections,
)

__all__ = [
    "CLOSURES",
    "LONG",
    "STATIC",
    "Digest",
    "Document",
    "Names",
    "Section",
    "csv_text",
    "long_rows",
    "markdown",
    "signed",
    "study_sections",
]
