"""Results: what a run found, as tables with names; and a change beside its base.

Every figure is a static, long-run answer for the economy of 2023. Rows are plain dictionaries in the names of
the public interface; a DataFrame is made only where one is asked for.
"""

from landbridge.results.state import Comparison, Results, Rows

__all__ = ["Comparison", "Results", "Rows"]
