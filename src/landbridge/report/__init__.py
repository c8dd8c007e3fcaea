"""Reports of studies for readers: documents of sections, and the long table of a run."""

from __future__ import annotations

from landbridge.report.digest import Digest, Names, base_name
from landbridge.report.document import Document, Section, markdown, phrased, signed
from landbridge.report.first_screen import first_screen, study_lines
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
    "first_screen",
    "long_rows",
    "markdown",
    "meaning",
    "phrased",
    "signed",
    "study_lines",
    "study_sections",
]
