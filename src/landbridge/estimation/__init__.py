"""Gravity estimation: PPML with any fixed effects, reasons for dropped terms, tables, Stata and R files."""

from landbridge.estimation.bias import Corrected, bias_correct, jackknife
from landbridge.estimation.ppml import Estimate, Method, estimate
from landbridge.estimation.replicate import replicate
from landbridge.estimation.tables import table

__all__ = [
    "Corrected",
    "Estimate",
    "Method",
    "bias_correct",
    "estimate",
    "jackknife",
    "replicate",
    "table",
]
