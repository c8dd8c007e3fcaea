"""What every study says, for people: documents of sections, and the long table of a run."""

from __future__ import annotations

from landbridge.report.document import Document, Section, markdown, signed
from landbridge.report.long_table import LONG, csv_text, long_rows
from landbridge.report.study import CLOSURES, STATIC, Digest, Names, study_sections

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
