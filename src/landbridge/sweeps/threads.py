"""The environment of a process that is to have one thread for linear algebra.

This file imports nothing, so that it can be set before numpy is loaded.
"""

from __future__ import annotations

__all__ = ["ONE_THREAD"]

# What numpy and numba read when they are imported.
ONE_THREAD = {
    name: "1"
    for name in (
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMBA_NUM_THREADS",
    )
}
