"""Gravity from data: PPML with any fixed effects, what was dropped and why, tables, files for Stata and R."""

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
