"""Uncertainty of results: a plan of draws, cases solved for each, and their percentiles."""
