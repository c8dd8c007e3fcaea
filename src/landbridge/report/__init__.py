"""Reports of studies for readers: documents of sections, and the long table of a run."""

from __future__ import annotations

from landbridge.report.digest import Digest, Names, base_name
from landbridge.report.document import Document, Section, markdown, phrased, signed
from landbridge.report.long_table import LONG, csv_text, long_rows
from landbridge.report.study import case_meaning, meaning, study_sections

__all__ = [
    "LONG",
    "Digest",
    "Document",
    "Names",
    "Section",
    "base_name",
    "case_meaning",
    "csv_text",
    "long_rows",
    "markdown",
    "meaning",
    "phrased",
    "signed",
    "study_sections",
]
