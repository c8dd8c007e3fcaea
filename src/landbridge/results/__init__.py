"""Results: tables of a run by name, and changes against its base.

Every figure is a static, long-run result for the economy of 2023. Rows are plain dictionaries in the names of
the public interface; a DataFrame is made only on demand.
"""

from landbridge.results.state import Comparison, Results, Rows

__all__ = ["Comparison", "Results", "Rows"]
