"""Gravity from data: PPML with any fixed effects, what was dropped and why, tables, files for Stata and R."""

from landbridge.estimation.ppml import Estimate, Method, estimate
from landbridge.estimation.tables import table

__all__ = ["Estimate", "Method", "estimate", "table"]
